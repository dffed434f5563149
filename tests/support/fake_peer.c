#include "support/fake_peer.h"

#include <stdio.h>
#include <string.h>

#include "support/sim_agent_internal.h"

/* --- what comes ----------------------------------------------------------------------------------------------------
 */

static floe__stun_key key_of(const char *pwd) {
  floe__stun_key key;
  floe__stun_key_init(&key, pwd, strlen(pwd));
  return key;
}

static void sign(fake_peer *f, floe__stun_builder *b) {
  floe__stun_key key = key_of(f->answer == FAKE_WRONG_KEY ? "quite another password than agreed" : f->pwd);
  if (f->answer != FAKE_UNSIGNED) floe__stun_put_integrity(b, &key);
  floe__stun_put_fingerprint(b);
}

static void answer_with(fake_peer *f, const floe__stun_msg *m, const floe_addr *from, unsigned code) {
  uint8_t buf[512], txn_id[FLOE__STUN_TXN_ID];
  floe__stun_builder b;
  memcpy(txn_id, m->txn_id, sizeof txn_id);
  if (f->answer == FAKE_OTHER_TRANSACTION) txn_id[0] ^= 1;
  floe__stun_begin(&b, buf, sizeof buf, code == 0 ? FLOE__STUN_SUCCESS : FLOE__STUN_ERROR, FLOE__STUN_BINDING, txn_id);
  if (code != 0) floe__stun_put_error(&b, code, "Refused by the test");
  floe_addr mapped = *from;
  if (f->answer == FAKE_OTHER_FAMILY) mapped = sim_addr("[2001:db8::1]:40000");
  if (f->moves_mapped) mapped.port = (uint16_t)(1024 + f->checks);
  if (code == 0 && f->answer != FAKE_NO_ADDRESS) floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped);
  sign(f, &b);
  sim_udp_send(f->answer == FAKE_OTHER_PORT ? f->other_udp : f->udp, from, floe__stun_end(&b));
}

static void hold(fake_peer *f, const floe__stun_msg *m) {
  if (m->packet.len > sizeof f->held) return;
  memcpy(f->held, m->packet.ptr, m->packet.len);
  f->held_len = m->packet.len;
}

void fake_peer_answer_held(fake_peer *f) {
  floe__stun_msg m;
  if (floe__stun_msg_parse(&m, (floe_bytes){f->held, f->held_len}) == FLOE__STUN_OK) answer_with(f, &m, &f->from, 0);
}

static void take_check(fake_peer *f, const floe__stun_msg *m, const floe_addr *from) {
  f->checks++;
  if (floe__stun_has(m, FLOE__STUN_USE_CANDIDATE)) f->nominations++;
  f->claims_controlling = floe__stun_has(m, FLOE__STUN_ICE_CONTROLLING);
  (void)floe__stun_get_u64(m, f->claims_controlling ? FLOE__STUN_ICE_CONTROLLING : FLOE__STUN_ICE_CONTROLLED,
                           &f->claimed_tie_breaker);
  switch (f->answer) {
    case FAKE_SILENT: return;
    case FAKE_HOLD_NOMINATIONS:
      if (floe__stun_has(m, FLOE__STUN_USE_CANDIDATE)) {
        hold(f, m);
      } else {
        answer_with(f, m, from, 0);
      }
      return;
    case FAKE_ROLE_CONFLICT: answer_with(f, m, from, 487); return;
    case FAKE_ERROR: answer_with(f, m, from, f->error_code); return;
    case FAKE_SUCCESS:
    case FAKE_UNSIGNED:
    case FAKE_WRONG_KEY:
    case FAKE_OTHER_TRANSACTION:
    case FAKE_OTHER_PORT:
    case FAKE_NO_ADDRESS:
    case FAKE_OTHER_FAMILY: answer_with(f, m, from, 0); return;
  }
}

static void take_error(fake_peer *f, const floe__stun_msg *m) {
  f->errors++;
  floe_bytes code = floe__stun_get(m, FLOE__STUN_ERROR_CODE);
  f->last_error = code.len >= 4 ? (unsigned)code.ptr[2] * 100 + code.ptr[3] : 0;
}

static void take_data(fake_peer *f, floe_bytes data) {
  f->n_data++;
  (void)snprintf(f->data, sizeof f->data, "%.*s", (int)data.len, (const char *)data.ptr);
}

static void on_datagram(void *user, const floe_addr *from, floe_bytes data) {
  fake_peer *f = user;
  floe__stun_msg m;
  f->from = *from;
  if (floe__stun_msg_parse(&m, data) != FLOE__STUN_OK) {
    take_data(f, data);
    return;
  }
  switch (m.cls) {
    case FLOE__STUN_REQUEST: take_check(f, &m, from); return;
    case FLOE__STUN_INDICATION: f->indications++; return;
    case FLOE__STUN_SUCCESS: f->successes++; return;
    case FLOE__STUN_ERROR: take_error(f, &m); return;
  }
}

static const sim_udp_ops ops = {.on_datagram = on_datagram};

fake_peer *fake_peer_new(sim_host *h, const char *local) {
  floe_net_error why;
  fake_peer *f = sim_keep(sim_host_sim(h), sizeof *f);
  f->s = sim_host_sim(h);
  f->host = h;
  f->at = sim_addr(local);
  f->ufrag = "fake";
  f->pwd = "fakePasswordFakePassword";
  f->tie_breaker = 1;
  f->priority = 1862270975; /* peer-reflexive */
  f->udp = sim_must(sim_udp_open(h, &f->at, &ops, f, &why));
  floe_addr other = f->at;
  other.port++;
  f->other_udp = sim_must(sim_udp_open(h, &other, &ops, f, &why));
  return f;
}

/* --- what it does ---------------------------------------------------------------------------------------------------
 */

void fake_peer_tell(fake_peer *f, sim_agent *a) {
  char ip[FLOE_ADDR_TEXT], line[200];
  floe_ice_parameters params = {.ufrag = f->ufrag, .pwd = f->pwd};
  if (sim_agent_set_remote_parameters(a, &params) != FLOE_OK) sim_fail(f->s, "the fake peer's parameters are refused");
  (void)snprintf(line, sizeof line, "candidate:1 1 udp 2130706431 %s %u typ host", floe_addr_format_ip(&f->at, ip),
                 (unsigned)f->at.port);
  if (sim_agent_add_remote_candidate(a, line) != FLOE_OK) sim_fail(f->s, "the fake peer's candidate is refused");
  sim_agent_end_of_remote_candidates(a);
}

static void put_username(fake_peer *f, const sim_agent *a, floe__stun_builder *b) {
  char username[600];
  const floe_ice_parameters *p = floe_ice_agent_local_parameters(a->core);
  if (f->no_username) return;
  (void)snprintf(username, sizeof username, "%s%s:%s", p->ufrag, f->other_ufrag ? "x" : "", f->ufrag);
  floe__stun_put_text(b, FLOE__STUN_USERNAME, username);
}

void fake_peer_check(fake_peer *f, const sim_agent *a, const char *to, bool nominates) {
  uint8_t buf[1200], txn_id[FLOE__STUN_TXN_ID];
  floe__stun_builder b;
  for (size_t i = 0; i < sizeof txn_id; i++) txn_id[i] = (uint8_t)sim_random(f->s);
  floe__stun_begin(&b, buf, sizeof buf, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, txn_id);
  put_username(f, a, &b);
  if (!f->no_priority) floe__stun_put_u32(&b, FLOE__STUN_PRIORITY, f->priority);
  floe__stun_put_u64(&b, f->controlling ? FLOE__STUN_ICE_CONTROLLING : FLOE__STUN_ICE_CONTROLLED, f->tie_breaker);
  if (nominates) floe__stun_put_flag(&b, FLOE__STUN_USE_CANDIDATE);
  floe__stun_key key =
      key_of(f->wrong_key ? "quite another password than agreed" : floe_ice_agent_local_parameters(a->core)->pwd);
  if (!f->no_integrity) floe__stun_put_integrity(&b, &key);
  if (!f->no_fingerprint) floe__stun_put_fingerprint(&b);
  floe_addr addr = sim_addr(to);
  sim_udp_send(f->udp, &addr, floe__stun_end(&b));
}

void fake_peer_send_bytes(fake_peer *f, const char *to, floe_bytes data) {
  floe_addr addr = sim_addr(to);
  sim_udp_send(f->udp, &addr, data);
}

void fake_peer_send(fake_peer *f, const char *to, const char *data) {
  fake_peer_send_bytes(f, to, (floe_bytes){(const uint8_t *)data, strlen(data)});
}
