#include "support/ts_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stun/error_code.h"
#include "support/cmocka.h"

#define UDP_TRANSPORT 0x11000000u /* REQUESTED-TRANSPORT: 17 */

/* --- env -------------------------------------------------------------------------------------------------------- */

static void *reallocate(void *user, void *ptr, size_t size) {
  ts_rig *rig = user;
  return sim_alloc_reallocate(&rig->alloc, ptr, size);
}

static void fill_random(void *user, uint8_t *out, size_t len) {
  ts_rig *rig = user;
  for (size_t i = 0; i < len; i++) {
    rig->seed = rig->seed * 6364136223846793005u + 1442695040888963407u;
    out[i] = (uint8_t)(rig->seed >> 56);
  }
}

static void keep_trace(void *user, const char *json, size_t len) {
  ts_rig *rig = user;
  (void)snprintf(rig->trace, sizeof rig->trace, "%.*s", (int)len, json);
}

floe__ts_config ts_rig_config(void) {
  return (floe__ts_config){.username = "user",
                           .credential = "secret",
                           .relay_ipv4 = ts_addr("192.0.2.10"),
                           .relay_ipv6 = ts_addr("2001:db8::10"),
                           .unix_s = TS_RIG_UNIX_S};
}

void ts_rig_init(ts_rig *rig, const floe__ts_config *cfg) {
  const floe__ts_config standard = ts_rig_config();
  memset(rig, 0, sizeof *rig);
  sim_alloc_init(&rig->alloc);
  rig->seed = 1;
  rig->next_port = 50000;
  rig->now = FLOE_SECOND;
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.user = rig;
  env.reallocate = reallocate;
  env.random = fill_random;
  env.trace = keep_trace;
  env.trace_addresses = true;
  assert_int_equal(floe_env_new(&rig->env, &env), FLOE_OK);
  floe_env_set_unix_time(rig->env, 0, (int64_t)TS_RIG_UNIX_S * 1000);
  rig->ts = floe__testserver_new(rig->env, cfg != NULL ? cfg : &standard);
  assert_non_null(rig->ts);
}

void ts_rig_clear(ts_rig *rig) {
  ts_rig_forget(rig);
  floe__testserver_free(rig->ts);
  floe_env_free(rig->env);
  assert_int_equal(sim_alloc_report_leaks(&rig->alloc), 0);
}

floe_addr ts_addr(const char *text) {
  floe_addr addr;
  if (!floe_addr_parse(&addr, text)) fail_msg("no address: %s", text);
  return addr;
}

/* --- outputs ---------------------------------------------------------------------------------------------------- */

static void keep(ts_rig *rig, const floe__ts_output *out) {
  assert_true(rig->n_log < TS_RIG_LOG);
  ts_out *kept = &rig->log[rig->n_log++];
  kept->out = *out;
  kept->bytes = malloc(out->data.len + 1);
  assert_non_null(kept->bytes);
  if (out->data.len > 0) memcpy(kept->bytes, out->data.ptr, out->data.len);
  kept->out.data = (floe_bytes){kept->bytes, out->data.len};
}

static void answer_relay(ts_rig *rig, const floe__ts_output *out) {
  if (rig->relay_mode == TS_RELAY_WAITS) return;
  bool ok = rig->relay_mode == TS_RELAY_OPENS;
  floe_addr local = out->local;
  local.port = rig->next_port++;
  if (ok) rig->opened++;
  floe__testserver_on_relay_opened(rig->ts, rig->now, out->relay, ok, &local);
}

/* Bytewise writes would fill the log: those of a connection are joined with the entry before. */
static bool join(ts_rig *rig, const floe__ts_output *out) {
  if (out->type != FLOE__TS_SEND_CONN || out->data.len != 1 || rig->n_log == 0) return false;
  ts_out *last = &rig->log[rig->n_log - 1];
  if (last->out.type != FLOE__TS_SEND_CONN || last->out.conn != out->conn) return false;
  uint8_t *grown = realloc(last->bytes, last->out.data.len + 2);
  assert_non_null(grown);
  grown[last->out.data.len] = out->data.ptr[0];
  last->bytes = grown;
  last->out.data = (floe_bytes){grown, last->out.data.len + 1};
  return true;
}

void ts_rig_drain(ts_rig *rig) {
  for (int i = 0; i < 200000; i++) {
    floe__ts_output out;
    floe__testserver_poll(rig->ts, &out);
    if (out.type == FLOE__TS_WAIT) {
      assert_true(out.wait.at > rig->now);
      rig->wait = out.wait;
      return;
    }
    if (out.type == FLOE__TS_CLOSE_RELAY) rig->closed++;
    if (!join(rig, &out)) keep(rig, &out);
    if (out.type == FLOE__TS_OPEN_RELAY) answer_relay(rig, &out);
  }
  fail_msg("poll does not end");
}

void ts_rig_forget(ts_rig *rig) {
  for (size_t i = 0; i < rig->n_log; i++) free(rig->log[i].bytes);
  rig->n_log = 0;
}

void ts_rig_advance(ts_rig *rig, uint64_t ms) {
  rig->now += ms * FLOE_MS;
  floe__testserver_on_timer(rig->ts, rig->now);
  ts_rig_drain(rig);
}

const floe__ts_output *ts_rig_find(const ts_rig *rig, floe__ts_output_type type, unsigned n) {
  for (size_t i = 0; i < rig->n_log; i++) {
    if (rig->log[i].out.type == type && n-- == 0) return &rig->log[i].out;
  }
  return NULL;
}

floe__ts_listener ts_rig_listen(ts_rig *rig, floe_transport transport, const char *script) {
  floe__ts_script parsed;
  char why[200];
  size_t offset;
  if (!floe__ts_script_parse(&parsed, script != NULL ? script : "correct", why, sizeof why, &offset)) {
    fail_msg("%s: %s", script, why);
  }
  floe_addr local = ts_addr("192.0.2.10:3478");
  floe__ts_listener id = floe__testserver_listen(rig->ts, transport, &local, &parsed);
  assert_int_not_equal(id, 0);
  return id;
}

/* --- the client ------------------------------------------------------------------------------------------------- */

void ts_client_init(ts_client *c, ts_rig *rig, floe__ts_listener listener, const char *addr) {
  memset(c, 0, sizeof *c);
  c->rig = rig;
  c->listener = listener;
  c->addr = ts_addr(addr);
  c->username = "user";
  c->password = "secret";
  floe__turn_framer_init(&c->framer, rig->env);
  c->framer.channel_data = true;
}

void ts_client_connect(ts_client *c, ts_rig *rig, floe__ts_listener listener, floe__ts_conn conn, const char *addr) {
  ts_client_init(c, rig, listener, addr);
  c->conn = conn;
  floe__testserver_on_accept(rig->ts, rig->now, listener, conn, &c->addr);
  ts_rig_drain(rig);
}

void ts_client_clear(ts_client *c) {
  floe__turn_framer_clear(&c->framer);
}

floe__stun_builder *ts_begin(ts_client *c, uint16_t method) {
  uint8_t id[FLOE__STUN_TXN_ID];
  fill_random(c->rig, id, sizeof id);
  floe__stun_begin(&c->b, c->request, sizeof c->request, FLOE__STUN_REQUEST, method, id);
  return &c->b;
}

static void make_key(const ts_client *c, floe__stun_key *key) {
  uint8_t bytes[FLOE__STUN_MAX_KEY];
  size_t len = floe__stun_derive_key(bytes, c->sha256 ? FLOE__STUN_ALGORITHM_SHA256 : FLOE__STUN_ALGORITHM_MD5,
                                     c->username, c->realm, c->password);
  floe__stun_key_init(key, bytes, len);
}

static void sign(ts_client *c) {
  static const uint8_t sha256[] = {0, 2, 0, 0};
  floe__stun_key key;
  uint8_t hash[32];
  if (c->userhash) {
    floe__stun_userhash(hash, c->username, c->realm);
    floe__stun_put(&c->b, FLOE__STUN_USERHASH, hash, sizeof hash);
  } else {
    floe__stun_put_text(&c->b, FLOE__STUN_USERNAME, c->username);
  }
  floe__stun_put_text(&c->b, FLOE__STUN_REALM, c->realm);
  floe__stun_put_text(&c->b, FLOE__STUN_NONCE, c->nonce);
  make_key(c, &key);
  if (c->sha256) {
    floe__stun_put(&c->b, FLOE__STUN_PASSWORD_ALGORITHMS, c->algorithms, c->algorithms_len);
    floe__stun_put(&c->b, FLOE__STUN_PASSWORD_ALGORITHM, sha256, sizeof sha256);
    floe__stun_put_integrity_sha256(&c->b, &key);
  } else {
    floe__stun_put_integrity(&c->b, &key);
  }
}

int ts_send(ts_client *c) {
  if (c->sign) sign(c);
  c->sent = floe__stun_end(&c->b);
  assert_true(c->sent.len > 0);
  return ts_send_again(c);
}

int ts_send_again(ts_client *c) {
  return ts_send_bytes(c, c->sent);
}

int ts_send_bytes(ts_client *c, floe_bytes bytes) {
  ts_rig_forget(c->rig);
  if (c->conn != 0) {
    floe__testserver_on_bytes(c->rig->ts, c->rig->now, c->conn, bytes);
  } else {
    floe__testserver_on_datagram(c->rig->ts, c->rig->now, c->listener, &c->addr, bytes);
  }
  ts_rig_drain(c->rig);
  return ts_receive(c);
}

/* --- answers ---------------------------------------------------------------------------------------------------- */

static void take_datagram(ts_client *c) {
  for (size_t i = 0; i < c->rig->n_log; i++) {
    floe__ts_output *out = &c->rig->log[i].out;
    if (out->type != FLOE__TS_SEND || out->listener != c->listener || !floe_addr_equal(&out->to, &c->addr)) continue;
    out->type = FLOE__TS_WAIT; /* taken */
    assert_true(out->data.len <= sizeof c->answer_bytes);
    memcpy(c->answer_bytes, out->data.ptr, out->data.len);
    c->answer = (floe_bytes){c->answer_bytes, out->data.len};
    return;
  }
}

static void collect_stream(ts_client *c) {
  for (size_t i = 0; i < c->rig->n_log; i++) {
    floe__ts_output *out = &c->rig->log[i].out;
    if (out->type != FLOE__TS_SEND_CONN || out->conn != c->conn) continue;
    out->type = FLOE__TS_WAIT;
    c->writes++;
    assert_true(c->stream_len + out->data.len <= sizeof c->stream);
    memcpy(c->stream + c->stream_len, out->data.ptr, out->data.len);
    c->stream_len += out->data.len;
  }
}

static void take_message(ts_client *c) {
  floe_bytes message;
  collect_stream(c);
  floe_bytes in = {c->stream, c->stream_len};
  if (floe__turn_framer_next(&c->framer, &in, &message) == FLOE__TURN_FRAME_MESSAGE) {
    memcpy(c->answer_bytes, message.ptr, message.len);
    c->answer = (floe_bytes){c->answer_bytes, message.len};
  }
  memmove(c->stream, in.ptr, in.len);
  c->stream_len = in.len;
}

int ts_receive(ts_client *c) {
  c->answer = (floe_bytes){0};
  c->parsed = FLOE__STUN_NOT_STUN;
  if (c->conn != 0) {
    take_message(c);
  } else {
    take_datagram(c);
  }
  if (c->answer.len == 0) return TS_NONE;
  c->parsed = floe__stun_msg_parse(&c->m, c->answer);
  if (c->parsed != FLOE__STUN_OK) return TS_NONE;
  floe__stun_error error;
  if (c->m.cls != FLOE__STUN_ERROR) return 0;
  return floe__stun_get_error(&c->m, &error) ? error.code : TS_NONE;
}

static void copy_text(char *out, size_t cap, floe_bytes text) {
  assert_true(text.len < cap);
  if (text.len > 0) memcpy(out, text.ptr, text.len);
  out[text.len] = '\0';
}

void ts_learn(ts_client *c) {
  copy_text(c->realm, sizeof c->realm, floe__stun_get(&c->m, FLOE__STUN_REALM));
  copy_text(c->nonce, sizeof c->nonce, floe__stun_get(&c->m, FLOE__STUN_NONCE));
  floe_bytes algorithms = floe__stun_get(&c->m, FLOE__STUN_PASSWORD_ALGORITHMS);
  assert_true(algorithms.len <= sizeof c->algorithms);
  if (algorithms.len > 0) memcpy(c->algorithms, algorithms.ptr, algorithms.len);
  c->algorithms_len = algorithms.len;
  c->sign = true;
}

bool ts_is_signed(const ts_client *c) {
  return floe__stun_has(&c->m, FLOE__STUN_MESSAGE_INTEGRITY) ||
         floe__stun_has(&c->m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256);
}

bool ts_is_signed_well(const ts_client *c) {
  floe__stun_key key;
  make_key(c, &key);
  if (c->sha256) return floe__stun_check_integrity_sha256(&c->m, &key) == FLOE__STUN_CHECK_OK;
  return floe__stun_check_integrity(&c->m, &key) == FLOE__STUN_CHECK_OK;
}

/* --- whole requests --------------------------------------------------------------------------------------------- */

int ts_binding(ts_client *c) {
  (void)ts_begin(c, FLOE__STUN_BINDING);
  return ts_send(c);
}

int ts_allocate(ts_client *c) {
  floe__stun_put_u32(ts_begin(c, FLOE__STUN_ALLOCATE), FLOE__STUN_REQUESTED_TRANSPORT, UDP_TRANSPORT);
  return ts_send(c);
}

floe_addr ts_allocate_fully(ts_client *c) {
  floe_addr relayed;
  assert_int_equal(ts_allocate(c), 401);
  ts_learn(c);
  assert_int_equal(ts_allocate(c), 0);
  assert_true(floe__stun_get_xor_addr(&c->m, FLOE__STUN_XOR_RELAYED_ADDRESS, &relayed));
  return relayed;
}

int ts_refresh(ts_client *c, uint32_t lifetime_s) {
  floe__stun_put_u32(ts_begin(c, FLOE__STUN_REFRESH), FLOE__STUN_LIFETIME, lifetime_s);
  return ts_send(c);
}

int ts_permit(ts_client *c, const floe_addr *peer) {
  floe__stun_put_xor_addr(ts_begin(c, FLOE__STUN_CREATE_PERMISSION), FLOE__STUN_XOR_PEER_ADDRESS, peer);
  return ts_send(c);
}

int ts_bind(ts_client *c, uint16_t number, const floe_addr *peer) {
  floe__stun_builder *b = ts_begin(c, FLOE__STUN_CHANNEL_BIND);
  floe__stun_put_u32(b, FLOE__STUN_CHANNEL_NUMBER, (uint32_t)number << 16);
  floe__stun_put_xor_addr(b, FLOE__STUN_XOR_PEER_ADDRESS, peer);
  return ts_send(c);
}

void ts_send_data(ts_client *c, const floe_addr *peer, const char *text) {
  uint8_t id[FLOE__STUN_TXN_ID];
  fill_random(c->rig, id, sizeof id);
  floe__stun_begin(&c->b, c->request, sizeof c->request, FLOE__STUN_INDICATION, FLOE__STUN_SEND, id);
  floe__stun_put_xor_addr(&c->b, FLOE__STUN_XOR_PEER_ADDRESS, peer);
  floe__stun_put_text(&c->b, FLOE__STUN_DATA, text);
  (void)ts_send_bytes(c, floe__stun_end(&c->b));
}
