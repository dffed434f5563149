/* Whole sessions of an agent: the input is a program of inputs, answers, time steps and calls. Checked all the while:
 * each drain ends, WAIT lies in the future, events come in the contract's order, `complete` comes once per gathering,
 * no 701 is told twice, nothing is told after close, and nothing leaks. */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "floe/ice.h"
#include "stun/integrity.h"
#include "stun/msg.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_SOCKS   64
#define MAX_REQS    32
#define MAX_OUTPUTS 20000 /* of one drain */

#define CHECK(condition)       \
  do {                         \
    if (!(condition)) abort(); \
  } while (0)

typedef struct sock {
  floe_sock_id id;
  floe_addr local, peer; /* peer: connected to, or last sent to */
  bool is_tcp, open, failed, closed;
  uint8_t txn_id[FLOE__STUN_TXN_ID]; /* of the last request sent */
  uint16_t method;
} sock;

typedef struct session {
  floe__reader in;
  floe_env *env;
  floe_ice_agent *agent;
  floe_time now;
  sock socks[MAX_SOCKS];
  size_t n_socks;
  struct {
    floe_req_id id;
    floe_family family;
  } reqs[MAX_REQS];
  size_t n_reqs;
  uint32_t relay; /* id of a relay candidate, or 0 */
  uint32_t completes, gatherings, told_701;
  bool gathering, closed;
} session;

static uint8_t next_random;

static void count_up(void *user, uint8_t *out, size_t len) {
  (void)user;
  for (size_t i = 0; i < len; i++) out[i] = (uint8_t)(next_random++ * 37);
}

/* --- what comes out --------------------------------------------------------------------------------------------- */

static sock *find_sock(session *s, floe_sock_id id) {
  for (size_t i = 0; i < s->n_socks; i++) {
    if (s->socks[i].id == id) return &s->socks[i];
  }
  return NULL;
}

static void on_open(session *s, const floe_output *out) {
  CHECK(find_sock(s, out->u.open.sock) == NULL);
  if (s->n_socks == MAX_SOCKS) {
    floe_input in = {.type = FLOE_INPUT_SOCKET_FAILED, .sock = out->u.open.sock, .net_error = FLOE_NET_NO_RESOURCES};
    floe_ice_agent_input(s->agent, s->now, &in);
    return;
  }
  sock *k = &s->socks[s->n_socks++];
  memset(k, 0, sizeof *k);
  k->id = out->u.open.sock;
  k->is_tcp = out->u.open.transport == FLOE_TRANSPORT_TCP;
  k->local = out->u.open.local;
  k->peer = out->u.open.remote;
}

static void on_transmit(session *s, const floe_output *out) {
  sock *k = find_sock(s, out->u.transmit.sock);
  if (k == NULL) return;
  CHECK(!k->closed && out->u.transmit.data.len > 0);
  CHECK(k->open || k->failed); /* it may have failed while this was queued */
  k->peer = out->u.transmit.to;
  floe__stun_msg m;
  if (floe__stun_msg_parse(&m, out->u.transmit.data) != FLOE__STUN_OK) return;
  memcpy(k->txn_id, m.txn_id, sizeof k->txn_id);
  k->method = m.method;
}

static void on_event(session *s, const floe_event *e) {
  CHECK(!s->closed);
  if (e->type == FLOE_EVENT_ICEGATHERINGSTATECHANGE) {
    s->gathering = e->u.gathering_state == FLOE_ICE_GATHERING_GATHERING;
    if (s->gathering) s->told_701 = 0;
    if (!s->gathering) CHECK(++s->completes <= s->gatherings);
    CHECK(floe_ice_agent_gathering_state(s->agent) == e->u.gathering_state);
    return;
  }
  if (e->type == FLOE_EVENT_ICESERVERERROR) return;
  CHECK(s->gathering);
  if (e->type == FLOE_EVENT_ICECANDIDATE) {
    if (e->u.candidate != NULL && e->u.candidate->type == FLOE_CANDIDATE_RELAY) s->relay = e->u.candidate->id;
    return;
  }
  const floe_candidate_error *error = &e->u.error;
  CHECK((error->address == NULL) == !error->has_port);
  CHECK(error->url != NULL && error->error_text[0] != '\0' && error->detail != NULL);
  CHECK(error->error_code == 701 || (error->error_code >= 300 && error->error_code <= 699));
  if (error->error_code != 701) return;
  uint32_t bit = 1u << (error->detail->url_index % 32);
  CHECK((s->told_701 & bit) == 0);
  s->told_701 |= bit;
}

static void drain(session *s) {
  floe_ice_agent_input(s->agent, s->now, &(floe_input){.type = FLOE_INPUT_TIMER});
  for (int i = 0; i < MAX_OUTPUTS; i++) {
    floe_output out;
    floe_ice_agent_poll(s->agent, &out);
    sock *k;
    switch (out.type) {
      case FLOE_OUTPUT_WAIT: CHECK(out.u.wait.until > s->now && out.u.wait.reason[0] != '\0'); return;
      case FLOE_OUTPUT_OPEN: on_open(s, &out); break;
      case FLOE_OUTPUT_TRANSMIT: on_transmit(s, &out); break;
      case FLOE_OUTPUT_CLOSE:
        k = find_sock(s, out.u.close.sock);
        if (k != NULL) k->closed = true;
        break;
      case FLOE_OUTPUT_RESOLVE:
        if (s->n_reqs == MAX_REQS) break;
        s->reqs[s->n_reqs].id = out.u.resolve.req;
        s->reqs[s->n_reqs++].family = out.u.resolve.family;
        break;
      case FLOE_OUTPUT_EVENT: on_event(s, out.u.event); break;
      case FLOE_OUTPUT_INTERFACES:
      case FLOE_OUTPUT_DATA:
      case FLOE_OUTPUT_PERMISSION:
      case FLOE_OUTPUT_PUBLISH: break;
    }
  }
  abort(); /* a drain that does not end */
}

/* --- what goes in ----------------------------------------------------------------------------------------------- */

static floe_addr addr_of(const char *text) {
  floe_addr a;
  CHECK(floe_addr_parse(&a, text));
  return a;
}

static void feed_interfaces(session *s) {
  uint8_t which = floe__rd_u8(&s->in);
  floe_interface all[5] = {{.name = "lo", .index = 1, .addr = addr_of("127.0.0.1"), .is_loopback = true},
                           {.name = "eth0", .index = 2, .addr = addr_of("192.0.2.1")},
                           {.name = "eth1", .index = 3, .addr = addr_of("198.51.100.1")},
                           {.name = "eth0", .index = 2, .addr = addr_of("2001:db8::1")},
                           {.name = "eth0", .index = 2, .addr = addr_of("fe80::1")}};
  all[4].addr.scope_id = 2;
  floe_interface some[5];
  size_t n = 0;
  for (size_t i = 0; i < 5; i++) {
    if ((which >> i & 1) != 0) some[n++] = all[i];
  }
  floe_input in = {.type = FLOE_INPUT_INTERFACES, .interfaces = some, .n_interfaces = n};
  floe_ice_agent_input(s->agent, s->now, &in);
}

static sock *pick_sock(session *s) {
  uint8_t which = floe__rd_u8(&s->in);
  return s->n_socks == 0 ? NULL : &s->socks[which % s->n_socks];
}

static void open_all(session *s) {
  for (size_t i = 0; i < s->n_socks; i++) {
    sock *k = &s->socks[i];
    if (k->open || k->failed || k->closed) continue;
    k->open = true;
    k->local.port = (uint16_t)(40000 + k->id);
    floe_input in = {.type = FLOE_INPUT_SOCKET_OPENED, .sock = k->id, .addr = k->local};
    floe_ice_agent_input(s->agent, s->now, &in);
  }
}

static void feed_socket(session *s, floe_input_type type) {
  sock *k = pick_sock(s);
  uint8_t error = floe__rd_u8(&s->in);
  if (k == NULL || k->closed) return;
  if (type == FLOE_INPUT_SOCKET_OPENED || type == FLOE_INPUT_SOCKET_BOUND) {
    if (k->open || k->failed) return;
    k->open = type == FLOE_INPUT_SOCKET_OPENED;
    k->local.port = (uint16_t)(40000 + k->id);
  } else if (type == FLOE_INPUT_SOCKET_FAILED) {
    if (k->failed || (k->open && !k->is_tcp)) return; /* a UDP socket fails only when it is opened */
    k->failed = true;
    k->open = false;
  } else if (!k->open) {
    return;
  }
  floe_input in = {.type = type, .sock = k->id, .addr = k->local, .os_error = error, .os_error_text = "an error"};
  in.net_error = (floe_net_error)(error % (FLOE_NET_NO_RESOURCES + 1));
  if (type == FLOE_INPUT_ICMP || type == FLOE_INPUT_SEND_FAILED) in.addr = k->peer;
  in.icmp_type = error % 2 == 0 ? 3 : 1;
  in.icmp_code = error / 2 % 16;
  floe_ice_agent_input(s->agent, s->now, &in);
}

static void feed_resolved(session *s) {
  uint8_t which = floe__rd_u8(&s->in);
  uint8_t how = floe__rd_u8(&s->in);
  if (s->n_reqs == 0) return;
  size_t i = which % s->n_reqs;
  floe_addr v4[] = {addr_of("203.0.113.5"), addr_of("203.0.113.6"), addr_of("127.0.0.1"), addr_of("203.0.113.7")};
  floe_addr v6[] = {addr_of("2001:db8::5"), addr_of("fe80::9"), addr_of("::1"), addr_of("2001:db8::6")};
  floe_input in = {.type = FLOE_INPUT_RESOLVED, .req = s->reqs[i].id, .family = s->reqs[i].family};
  in.dns_status = (floe_dns_status)(how % (FLOE_DNS_FAILED + 1));
  in.addrs = in.family == FLOE_FAMILY_IPV4 ? v4 : v6;
  in.n_addrs = in.dns_status == FLOE_DNS_OK ? how / 8 % 5 : 0;
  floe_ice_agent_input(s->agent, s->now, &in);
}

/* To the agent from the peer of a socket: a datagram, or bytes of the stream. */
static void deliver(session *s, sock *k, floe_bytes bytes) {
  if (k == NULL || !k->open || k->closed) return;
  floe_input in = {.type = k->is_tcp ? FLOE_INPUT_STREAM : FLOE_INPUT_DATAGRAM, .sock = k->id, .addr = k->peer};
  in.data = bytes;
  floe_ice_agent_input(s->agent, s->now, &in);
}

static void feed_raw(session *s) {
  sock *k = pick_sock(s);
  deliver(s, k, floe__rd_take(&s->in, floe__rd_u8(&s->in)));
}

static void put_attributes(session *s, floe__stun_builder *b, unsigned code) {
  uint8_t set = floe__rd_u8(&s->in);
  floe_addr addr = addr_of("203.0.113.9:1234");
  if (code != 0) floe__stun_put_error(b, code, "words");
  if ((set & 1) != 0) floe__stun_put_xor_addr(b, FLOE__STUN_XOR_MAPPED_ADDRESS, &addr);
  if ((set & 2) != 0) floe__stun_put_xor_addr(b, FLOE__STUN_XOR_RELAYED_ADDRESS, &addr);
  if ((set & 4) != 0) floe__stun_put_u32(b, FLOE__STUN_LIFETIME, floe__rd_u8(&s->in));
  if ((set & 8) != 0) floe__stun_put_text(b, FLOE__STUN_REALM, "realm");
  if ((set & 16) != 0) floe__stun_put_text(b, FLOE__STUN_NONCE, (set & 128) != 0 ? "obMatJos2AAAAnonce" : "nonce");
  addr.port = (uint16_t)(3478 + floe__rd_u8(&s->in) % 8);
  if ((set & 32) != 0) floe__stun_put_addr(b, FLOE__STUN_ALTERNATE_SERVER, &addr);
  if ((set & 64) != 0) {
    floe_bytes value = floe__rd_take(&s->in, floe__rd_u8(&s->in) % 64);
    floe__stun_put_raw(b, floe__rd_u16(&s->in), value.ptr, value.len);
  }
}

/* An answer to the last request of a socket, signed when the program says so. */
static void feed_answer(session *s) {
  static const unsigned codes[] = {0, 401, 438, 300, 420, 437, 400, 403, 441, 486, 508, 500, 699};
  uint8_t buf[600];
  sock *k = pick_sock(s);
  uint8_t what = floe__rd_u8(&s->in);
  if (k == NULL) return;
  unsigned code = codes[what % (sizeof codes / sizeof codes[0])];
  floe__stun_builder b;
  floe__stun_begin(&b, buf, sizeof buf, code == 0 ? FLOE__STUN_SUCCESS : FLOE__STUN_ERROR, k->method, k->txn_id);
  put_attributes(s, &b, code);
  if ((what & 0x80) != 0) {
    uint8_t bytes[FLOE__STUN_MAX_KEY];
    floe__stun_key key;
    floe__stun_key_init(&key, bytes, floe__stun_derive_key(bytes, FLOE__STUN_ALGORITHM_MD5, "user", "realm", "pass"));
    floe__stun_put_integrity(&b, &key);
  }
  if ((what & 0x40) != 0) floe__stun_put_fingerprint(&b);
  deliver(s, k, floe__stun_end(&b));
}

/* Data of a peer through a relay. */
static void feed_data(session *s) {
  uint8_t buf[200];
  sock *k = pick_sock(s);
  floe_addr peer = addr_of("203.0.113.20:9");
  uint8_t txn_id[FLOE__STUN_TXN_ID] = {1};
  floe__stun_builder b;
  floe__stun_begin(&b, buf, sizeof buf, FLOE__STUN_INDICATION, FLOE__STUN_DATA, txn_id);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_PEER_ADDRESS, &peer);
  floe__stun_put_raw(&b, 0x0013, "x", 1); /* DATA */
  deliver(s, k, floe__stun_end(&b));
}

static void call_relay(session *s) {
  floe_addr peer = addr_of("203.0.113.20:9");
  uint8_t what = floe__rd_u8(&s->in);
  uint32_t id = (what & 1) != 0 ? s->relay : what;
  floe_bytes bytes = {(const uint8_t *)"hello", 5};
  if ((what & 2) != 0) (void)!floe_ice_agent_permit(s->agent, s->now, id, &peer, (what & 4) != 0);
  if ((what & 8) != 0) (void)!floe_ice_agent_send_relayed(s->agent, s->now, id, &peer, bytes);
}

static void call_gather(session *s) {
  if (floe_ice_agent_gather(s->agent, s->now) == FLOE_OK && s->gatherings < 1000) s->gatherings++;
}

static void step(session *s) {
  static const uint32_t times_ms[] = {0, 1, 5, 250, 500, 1000, 4000, 5000, 10000, 60000, 300000, 600000};
  uint8_t op = floe__rd_u8(&s->in);
  switch (op % 20) {
    case 0: s->now += times_ms[floe__rd_u8(&s->in) % 12] * FLOE_MS; break;
    case 1: s->now += FLOE_MS; break;
    case 2: feed_interfaces(s); break;
    case 3: open_all(s); break;
    case 4: feed_socket(s, FLOE_INPUT_SOCKET_OPENED); break;
    case 5: feed_socket(s, FLOE_INPUT_SOCKET_FAILED); break;
    case 6: feed_socket(s, FLOE_INPUT_ICMP); break;
    case 7: feed_socket(s, FLOE_INPUT_SEND_FAILED); break;
    case 8: feed_socket(s, FLOE_INPUT_STREAM_END); break;
    case 9: feed_socket(s, FLOE_INPUT_SOCKET_BOUND); break;
    case 10: feed_resolved(s); break;
    case 11: feed_raw(s); break;
    case 12:
    case 13:
    case 14:
    case 15: feed_answer(s); break;
    case 16: feed_data(s); break;
    case 17: call_relay(s); break;
    case 18: call_gather(s); break;
    case 19:
      if (op < 200) break; /* rarely: after it little happens */
      floe_ice_agent_close(s->agent, s->now);
      s->closed = true;
      break;
  }
  if ((op & 0x80) == 0) drain(s); /* several inputs without a drain are legal */
}

static void begin(session *s) {
  static const char *const urls[] = {"stun:203.0.113.5",   "turn:203.0.113.5",  "turn:203.0.113.5?transport=tcp",
                                     "stun:name.example",  "turn:name.example", "turns:203.0.113.5",
                                     "turn:[2001:db8::5]", "stun:127.0.0.1"};
  const char *some[8];
  size_t n = 0;
  uint8_t which = floe__rd_u8(&s->in);
  uint8_t flags = floe__rd_u8(&s->in);
  for (size_t i = 0; i < 8; i++) {
    if ((which >> i & 1) != 0) some[n++] = urls[i];
  }
  floe_ice_server server = {.urls = some, .n_urls = n, .username = "user", .credential = "pass"};
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = &server;
  cfg.n_ice_servers = n == 0 ? 0 : 1;
  cfg.ice_transport_policy = (flags & 1) != 0 ? FLOE_ICE_TRANSPORT_POLICY_RELAY : FLOE_ICE_TRANSPORT_POLICY_ALL;
  cfg.include_loopback = (flags & 2) != 0;
  cfg.relay_family = (floe_relay_family)(flags / 4 % 3);
  if ((flags & 16) != 0) cfg.port_min = cfg.port_max = 5000;
  if ((flags & 32) != 0) cfg.software = "fuzz";
  CHECK(floe_ice_agent_new(&s->agent, s->env, &cfg, NULL) == FLOE_OK);
  if ((flags & 64) != 0) {
    CHECK(floe_ice_agent_prefetch(s->agent, s->now) == FLOE_OK);
  } else {
    call_gather(s);
  }
}

/* The system's authorities would be read in each run: no certificate is trusted here anyway. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  CHECK(setenv("SSL_CERT_FILE", "/dev/null", 1) == 0 && setenv("SSL_CERT_DIR", "/dev/null", 1) == 0);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4 || size > 4000) return 0;
  session *s = calloc(1, sizeof *s);
  CHECK(s != NULL);
  floe_env_config env = {.size = sizeof env, .random = count_up};
  next_random = 1;
  CHECK(floe_env_new(&s->env, &env) == FLOE_OK);
  s->in = floe__reader_of((floe_bytes){data, size});
  begin(s);
  drain(s);
  while (floe__rd_left(&s->in) > 0) step(s);
  drain(s);
  s->now += 11 * FLOE_SECOND; /* the overall limit */
  drain(s);
  CHECK(s->completes == s->gatherings || s->closed);
  if (!s->closed) floe_ice_agent_close(s->agent, s->now);
  s->closed = true;
  drain(s);
  s->now += 2 * FLOE_SECOND;
  drain(s);
  CHECK(floe_ice_agent_is_closed(s->agent));
  floe_ice_agent_free(s->agent);
  floe_env_free(s->env);
  free(s);
  return 0;
}
