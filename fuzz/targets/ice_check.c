/* One agent and what its peer signs: Binding requests and responses with the input's attributes and a good integrity,
 * so that everything behind that check is reached; over UDP and over TCP, from its peer's addresses and from others.
 * The agent, its driver and what must hold are those of the pair's world, with nobody else in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stun/msg.h"
#include "support/pair_world.h"
#include "support/signed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_STEPS 2000

static const char local_ufrag[] = "oursoursours", local_pwd[] = "0123456789abcdefghijkl";
static const char peer_ufrag[] = "peer", peer_pwd[] = "lkjihgfedcba9876543210";

static const char *const candidates[] = {"candidate:1 1 udp 2130706431 10.0.1.1 40000 typ host",
                                         "candidate:2 1 udp 1694498815 203.0.113.2 50001 typ srflx",
                                         "candidate:3 1 tcp 1518280447 10.0.1.1 9 typ host tcptype active",
                                         "candidate:4 1 tcp 1518280446 10.0.1.1 40001 typ host tcptype passive",
                                         "candidate:5 1 udp 2130706430 10.0.1.2 40000 typ host"};

/* --- messages ----------------------------------------------------------------------------------------------------- */

static floe_addr pick_source(pw_world *w) {
  static const char *const texts[] = {"10.0.1.1:40000",  "203.0.113.2:50001", "10.0.1.2:40000", "10.0.1.1:40002",
                                      "198.51.100.7:77", "10.0.0.1:40000",    "0.0.0.0:1",      "10.0.1.1:0"};
  return pw_ip(texts[pw_byte(w) % 8]);
}

static void put_odd(pw_world *w, floe__stun_builder *b, uint16_t type) {
  size_t n = pw_byte(w) % 40u;
  if (n > floe__rd_left(&w->in)) n = floe__rd_left(&w->in);
  floe_bytes value = floe__rd_take(&w->in, n);
  floe__stun_put_raw(b, type, value.ptr, value.len);
}

static void put_user(pw_world *w, floe__stun_builder *b, bool is_good) {
  char user[80];
  uint8_t what = is_good ? 0 : pw_byte(w);
  const char *first = (what & 1) != 0 ? peer_ufrag : local_ufrag;
  const char *second = (what & 2) != 0 ? "" : (what & 4) != 0 ? "strangersfragment" : peer_ufrag;
  (void)snprintf(user, sizeof user, "%s%s%s", first, (what & 8) != 0 ? "" : ":", second);
  floe__stun_put_text(b, FLOE__STUN_USERNAME, user);
}

static uint64_t read_u64(pw_world *w) {
  static const uint64_t some[] = {0, 1, UINT64_MAX, UINT64_C(0x8000000000000000)};
  uint8_t which = pw_byte(w);
  return which < 128 ? some[which % 4] : (uint64_t)which << 56 | pw_byte(w);
}

/* One attribute; false at the end of them. */
static bool put_attribute(pw_world *w, floe__stun_builder *b) {
  static const uint16_t codes[] = {487, 400, 401, 403, 420, 438, 500, 699, 300, 0, 100, 799};
  floe_addr addr;
  switch (pw_byte(w) % 16) {
    case 1: floe__stun_put_u32(b, FLOE__STUN_PRIORITY, (uint32_t)read_u64(w)); return true;
    case 2: floe__stun_put_flag(b, FLOE__STUN_USE_CANDIDATE); return true;
    case 3: floe__stun_put_u64(b, FLOE__STUN_ICE_CONTROLLING, read_u64(w)); return true;
    case 4: floe__stun_put_u64(b, FLOE__STUN_ICE_CONTROLLED, read_u64(w)); return true;
    case 5: put_user(w, b, false); return true;
    case 6:
      addr = pw_addr(w);
      floe__stun_put_xor_addr(b, FLOE__STUN_XOR_MAPPED_ADDRESS, &addr);
      return true;
    case 7:
      addr = pw_ip("10.0.0.1:40000");
      addr.port = (uint16_t)(addr.port + pw_byte(w) % 4);
      floe__stun_put_xor_addr(b, FLOE__STUN_XOR_MAPPED_ADDRESS, &addr);
      return true;
    case 8: floe__stun_put_error(b, codes[pw_byte(w) % 12], "words"); return true;
    case 9: put_odd(w, b, floe__rd_u16(&w->in)); return true;
    case 10: put_odd(w, b, floe__stun_attr_type((floe__stun_attr)(pw_byte(w) % FLOE__STUN_ATTR_COUNT))); return true;
    case 11: put_odd(w, b, (uint16_t)(pw_byte(w) & 0x7f)); return true; /* must be understood, perhaps is not */
    default: return false;
  }
}

static floe_bytes end_message(pw_world *w, floe__stun_builder *b, const char *pwd) {
  uint8_t how = pw_byte(w);
  if (how < 224) return signed_end(b, pwd);
  if (how < 240) return signed_end(b, "another password than that");
  return floe__stun_end(b);
}

static floe_bytes make_request(pw_world *w, uint8_t *buf, size_t cap) {
  floe__stun_builder b;
  uint8_t what = pw_byte(w);
  uint8_t id[FLOE__STUN_TXN_ID] = {what & 15, 99};
  floe__stun_class cls = (what & 0xc0) == 0xc0 ? FLOE__STUN_INDICATION : FLOE__STUN_REQUEST;
  floe__stun_begin(&b, buf, cap, cls, (what & 0x30) == 0x30 ? FLOE__STUN_ALLOCATE : FLOE__STUN_BINDING, id);
  if ((what & 0x20) == 0) put_user(w, &b, true);
  for (int i = 0; i < 6 && put_attribute(w, &b); i++) continue;
  return end_message(w, &b, local_pwd);
}

/* To one of the last requests; empty when there is none. */
static floe_bytes make_response(pw_world *w, uint8_t *buf, size_t cap, floe_addr *from) {
  floe__stun_builder b;
  floe__stun_msg m;
  uint8_t what = pw_byte(w);
  size_t i = (w->n_seen - 1 - what % 4) % PW_SEEN;
  floe_bytes request = {w->seen[i].bytes, w->seen[i].len};
  if (request.len > 2 && request.ptr[0] == 0 && !floe__stun_is_message(request)) { /* framed */
    request = (floe_bytes){request.ptr + 2, request.len - 2};
  }
  if (floe__stun_msg_parse(&m, request) != FLOE__STUN_OK) return (floe_bytes){0};
  floe__stun_begin(&b, buf, cap, (what & 16) != 0 ? FLOE__STUN_ERROR : FLOE__STUN_SUCCESS, m.method, m.txn_id);
  floe_addr own = pw_ip("10.0.0.1:40000");
  if ((what & 32) == 0) floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &own);
  if ((what & 48) == 16) floe__stun_put_error(&b, 487, "Role Conflict");
  for (int n = 0; n < 6 && put_attribute(w, &b); n++) continue;
  if ((what & 64) != 0) *from = pick_source(w);
  return end_message(w, &b, peer_pwd);
}

/* --- ways in ------------------------------------------------------------------------------------------------------ */

static pw_sock *find_sock(pw_host *h, bool is_tcp, bool listens, size_t n) {
  for (size_t i = 0; i < PW_SOCKS; i++) {
    pw_sock *k = &h->socks[(n + i) % PW_SOCKS];
    if (k->id != 0 && k->open && k->is_tcp == is_tcp && k->listens == listens) return k;
  }
  return NULL;
}

static void give_framed(pw_world *w, pw_host *h, const pw_sock *k, floe_bytes data) {
  uint8_t frame[1000];
  uint8_t lie = pw_byte(w);
  size_t len = data.len + (lie >= 240 ? lie & 3u : 0);
  frame[0] = (uint8_t)(len >> 8);
  frame[1] = (uint8_t)len;
  memcpy(frame + 2, data.ptr, data.len);
  floe_input in = {.type = FLOE_INPUT_STREAM, .sock = k->id, .data = {frame, data.len + 2}};
  size_t first = (lie & 1) != 0 ? 1u + lie / 2u : in.data.len;
  if (first < in.data.len) {
    in.data.len = first;
    floe_sock_id sock = k->id;
    pw_input(h, &in);
    if (pw_find_sock(h, sock) == NULL) return;
    in.data = (floe_bytes){frame + first, data.len + 2 - first};
  }
  pw_input(h, &in);
}

/* Through a UDP socket or a TCP connection. */
static void give(pw_world *w, floe_bytes data, const floe_addr *from) {
  pw_host *h = &w->hosts[0];
  uint8_t where = pw_byte(w);
  const pw_sock *k = find_sock(h, (where & 3) == 3, false, where >> 2);
  if (k == NULL || data.len == 0) return;
  if (k->is_tcp) {
    give_framed(w, h, k, data);
    return;
  }
  pw_event e = {.kind = PW_DATAGRAM, .host = 0, .id = k->id, .from = *from};
  pw_add(w, e, 0, data);
  pw_run(w, 0);
}

static void accept_connection(pw_world *w) {
  pw_host *h = &w->hosts[0];
  const pw_sock *listener = find_sock(h, true, true, 0);
  pw_sock *k = pw_new_sock(h);
  floe_addr from = pick_source(w);
  if (listener == NULL || k == NULL) return;
  *k = (pw_sock){.id = h->last_accepted++, .is_tcp = true, .open = true, .local = listener->local, .remote = from};
  floe_input in = {.type = FLOE_INPUT_SOCKET_ACCEPTED, .sock = listener->id, .accepted = k->id, .addr = from};
  pw_input(h, &in);
}

/* A connection of ours is made, fails or ends. */
static void change_connection(pw_world *w) {
  pw_host *h = &w->hosts[0];
  uint8_t what = pw_byte(w);
  pw_sock *k = find_sock(h, true, false, what >> 2);
  if (k == NULL) return;
  floe_input in = {.type = FLOE_INPUT_STREAM_END, .sock = k->id};
  if ((what & 3) != 0) {
    in.type = FLOE_INPUT_SOCKET_FAILED;
    in.net_error = FLOE_NET_RESET;
    memset(k, 0, sizeof *k);
  }
  pw_input(h, &in);
}

/* --- the program -------------------------------------------------------------------------------------------------- */

static void step(pw_world *w) {
  static const uint32_t times_ms[] = {1, 5, 20, 50, 100, 300, 700, 2000};
  uint8_t buf[900];
  floe_addr from;
  pw_host *h = &w->hosts[0];
  uint8_t op = pw_byte(w);
  switch (op % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      from = pick_source(w);
      give(w, make_request(w, buf, sizeof buf), &from);
      break;
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
      from = pw_ip("10.0.1.1:40000");
      floe_bytes response = make_response(w, buf, sizeof buf, &from);
      give(w, response, &from);
      break;
    case 10: pw_run(w, times_ms[op >> 5] * FLOE_MS); break;
    case 11: accept_connection(w); break;
    case 12: change_connection(w); break;
    case 13:
      (void)!floe_ice_agent_add_remote_candidate(h->agent, w->now, candidates[pw_byte(w) % 5], NULL);
      pw_after_call(h);
      break;
    case 14:
      (void)!floe_ice_agent_send(h->agent, w->now, (floe_bytes){(const uint8_t *)"data", 4}, 0);
      pw_after_call(h);
      pw_check_stats(h);
      break;
    case 15:
      h->fail_in = 1u + pw_byte(w);
      h->fail_times = 1u + op / 64u;
      break;
  }
}

static void begin(pw_world *w) {
  floe_ice_config cfg;
  uint8_t flags = pw_byte(w);
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.local_ufrag = local_ufrag;
  cfg.local_pwd = local_pwd;
  cfg.max_candidates = 6;
  cfg.max_remote_candidates = 5;
  cfg.max_peer_reflexive = (flags & 1) != 0 ? 2 : 25;
  cfg.max_pairs = (flags & 1) != 0 ? 3 : 100;
  cfg.lite = (flags & 6) == 6;
  cfg.tcp_passive = cfg.tcp_so = !cfg.lite;
  cfg.timing.patience_ms = 3000;
  cfg.timing.consent_timeout_ms = 3000;
  cfg.timing.consent_interval_ms = 300;
  cfg.timing.disconnected_ms = 1000;
  cfg.timing.keepalive_ms = 500;
  cfg.timing.check_rto_ms = 100;
  pw_host *h = &w->hosts[0];
  h->interfaces = (flags & 8) != 0 ? 3 : 1;
  w->no_icmp = w->no_signalling = true;
  w->is_traced = (flags & 128) != 0;
  pw_host_begin(w, 0, &cfg, 1);
  FLOE__ASSERT(h->agent != NULL);
  (void)!floe_ice_agent_set_role(h->agent, (flags & 16) != 0 ? FLOE_ICE_ROLE_CONTROLLED : FLOE_ICE_ROLE_CONTROLLING);
  pw_gather(h);
  pw_run(w, 2 * FLOE_MS);
  floe_ice_parameters p = {peer_ufrag, peer_pwd, (flags & 32) != 0};
  if ((flags & 64) == 0) (void)!floe_ice_agent_set_remote_parameters(h->agent, w->now, &p, NULL);
  for (size_t i = 0; i < 3; i++) (void)!floe_ice_agent_add_remote_candidate(h->agent, w->now, candidates[i], NULL);
  pw_after_call(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4 || size > 3000) return 0;
  pw_world *w = calloc(1, sizeof *w);
  FLOE__ASSERT(w != NULL);
  w->in = floe__reader_of((floe_bytes){data, size});
  w->now = FLOE_SECOND;
  w->steps_left = MAX_STEPS;
  begin(w);
  while (floe__rd_left(&w->in) > 0 && w->steps_left > 0) step(w);
  w->hosts[0].fail_in = 0;
  pw_run(w, 25 * FLOE_SECOND);
  if (floe_ice_agent_remote_parameters(w->hosts[0].agent) != NULL) pw_check_settled(&w->hosts[0]);
  w->steps_left = MAX_STEPS;
  pw_host_end(&w->hosts[0]);
  pw_clear(w);
  free(w);
  return 0;
}
