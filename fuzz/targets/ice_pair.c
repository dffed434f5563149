/* Two whole agents and a hostile network between them. The first bytes choose the configurations; then each byte is a
 * step: time, packets that are ruined or forged, calls of the program, what the system does. In the second mode nothing
 * happens but the connection, and the input decides of each packet what becomes of it. Checked all the while: each
 * drain ends, WAIT lies in the future, states follow each other as they may, `failed` and `disconnected` have a cause,
 * what can be asked agrees with what was told, the limits hold; at the end nobody still checks, no socket is open and
 * nothing leaks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stun/msg.h"
#include "support/pair_world.h"
#include "support/signed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_STEPS 3000 /* of the network, so that a run takes milliseconds */

static pw_host *pick_host(pw_world *w) {
  return &w->hosts[pw_byte(w) & 1];
}

static bool is_open(const pw_host *h) {
  return h->agent != NULL && !h->closed;
}

/* A socket that is there, or NULL. */
static pw_sock *pick_sock(pw_world *w, pw_host *h) {
  size_t which = pw_byte(w);
  for (size_t i = 0; i < PW_SOCKS; i++) {
    pw_sock *k = &h->socks[(which + i) % PW_SOCKS];
    if (k->id != 0 && k->open) return k;
  }
  return NULL;
}

static floe_bytes take_bytes(pw_world *w) {
  size_t n = pw_byte(w);
  if (n > floe__rd_left(&w->in)) n = floe__rd_left(&w->in);
  return floe__rd_take(&w->in, n);
}

/* --- forged packets ----------------------------------------------------------------------------------------------- */

static void give(pw_world *w, pw_host *h, const pw_sock *k, const floe_addr *from, floe_bytes data) {
  pw_event e = {.host = h->index, .id = k->id, .from = *from};
  if (!k->is_tcp) {
    e.kind = PW_DATAGRAM;
    pw_add(w, e, 0, data);
    return;
  }
  floe_input in = {.type = FLOE_INPUT_STREAM, .sock = k->id, .data = data};
  if (!k->listens) pw_input(h, &in);
}

static void inject_bytes(pw_world *w) {
  pw_host *h = pick_host(w);
  const pw_sock *k = pick_sock(w, h);
  floe_addr from = pw_addr(w);
  if (k != NULL) give(w, h, k, &from, take_bytes(w));
}

static void inject_old(pw_world *w) {
  pw_host *h = pick_host(w);
  const pw_sock *k = pick_sock(w, h);
  floe_addr from = pw_addr(w);
  size_t i = pw_byte(w) % PW_SEEN;
  if (k != NULL && w->seen[i].len > 0) give(w, h, k, &from, (floe_bytes){w->seen[i].bytes, w->seen[i].len});
}

static void put_check(pw_world *w, floe__stun_builder *b, const char *user) {
  uint8_t what = pw_byte(w);
  static const uint64_t ties[] = {0, 1, UINT64_MAX, UINT64_C(0x8000000000000000)};
  floe__stun_put_text(b, FLOE__STUN_USERNAME, user);
  if ((what & 1) != 0) floe__stun_put_u32(b, FLOE__STUN_PRIORITY, (uint32_t)pw_byte(w) << 24 | 0xffff);
  if ((what & 2) != 0) floe__stun_put_u64(b, FLOE__STUN_ICE_CONTROLLING, ties[what >> 6]);
  if ((what & 4) != 0) floe__stun_put_u64(b, FLOE__STUN_ICE_CONTROLLED, ties[what >> 6]);
  if ((what & 8) != 0) floe__stun_put_flag(b, FLOE__STUN_USE_CANDIDATE);
  if ((what & 16) != 0) floe__stun_put_raw(b, (uint16_t)(pw_byte(w) << 8), "abcd", 4);
}

/* A check that the peer could have made, from anywhere. */
static void inject_check(pw_world *w) {
  uint8_t buf[800];
  char user[520];
  pw_host *h = pick_host(w);
  const pw_sock *k = pick_sock(w, h);
  floe_addr from = pw_addr(w);
  uint8_t id[FLOE__STUN_TXN_ID] = {pw_byte(w), 77};
  if (k == NULL || !is_open(h) || pw_other(h)->agent == NULL) return;
  const floe_ice_parameters *p = floe_ice_agent_local_parameters(h->agent);
  (void)snprintf(user, sizeof user, "%s:%s", p->ufrag, floe_ice_agent_local_parameters(pw_other(h)->agent)->ufrag);
  floe__stun_builder b;
  size_t at = k->is_tcp ? 2 : 0;
  floe__stun_begin(&b, buf + at, sizeof buf - at, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, id);
  put_check(w, &b, user);
  floe_bytes m = signed_end(&b, p->pwd);
  buf[0] = k->is_tcp ? (uint8_t)(m.len >> 8) : buf[0];
  buf[1] = k->is_tcp ? (uint8_t)m.len : buf[1];
  if (m.len > 0) give(w, h, k, &from, (floe_bytes){buf, m.len + at});
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

static void add_fuzzed_candidate(pw_world *w) {
  static const char *const lines[] = {
      "candidate:1 1 udp 2130706431 10.0.1.1 40000 typ host",
      "candidate:1 1 udp 2130706431 10.0.0.1 40000 typ host",
      "candidate:9 1 udp 1 198.51.100.7 7 typ relay raddr 0.0.0.0 rport 9",
      "candidate:3 1 tcp 1518280447 10.0.1.1 9 typ host tcptype active",
      "candidate:3 1 tcp 1518280447 10.0.1.1 40002 typ host tcptype passive",
      "candidate:4 1 tcp 1518280447 10.0.1.1 40003 typ host tcptype so",
      "candidate:5 1 udp 2130706431 9b36eaac-bb2e-49bb-bb78-21c41c499900.local 40000 typ host",
      "candidate:5 1 tcp 2130706431 9b36eaac-bb2e-49bb-bb78-21c41c499901.local 40001 typ host tcptype passive",
      "candidate:6 1 udp 2130706431 2001:db8:a::2 40000 typ host",
      "candidate:1 2 udp 2130706431 10.0.1.1 40000 typ host",
      "candidate:7 1 udp 2147483647 192.0.2.1 3478 typ srflx raddr 10.0.1.1 rport 1",
      "",
      "candidate:1 1 udp 2130706431 example.org 40000 typ host",
      "candidate:1 1 udp 1 127.0.0.1 40000 typ host",
      "candidate:8 1 udp 77 224.0.0.1 5 typ prflx",
      "candidate:1 1 udp 1 203.0.113.2 50001 typ host ufrag zzzz"};
  pw_host *h = pick_host(w);
  uint8_t which = pw_byte(w);
  char line[400];
  (void)snprintf(line, sizeof line, "%s", lines[which % 16]);
  size_t len = strlen(line);
  if ((which & 16) != 0 && len > 0) line[pw_byte(w) % len] = (char)pw_byte(w);
  if ((which & 32) != 0) {
    floe_bytes text = take_bytes(w);
    if (text.len > 0) memcpy(line, text.ptr, text.len);
    line[text.len] = '\0';
  }
  if (is_open(h)) (void)!floe_ice_agent_add_remote_candidate(h->agent, w->now, line, NULL);
  if (is_open(h)) pw_after_call(h);
}

static void set_fuzzed_description(pw_world *w) {
  pw_host *h = pick_host(w);
  uint8_t how = pw_byte(w);
  char text[2000];
  size_t len = 0;
  if (!is_open(h) || pw_other(h)->agent == NULL) return;
  len = floe_ice_agent_local_description(pw_other(h)->agent, text, sizeof text);
  if (len >= sizeof text) len = strlen(text);
  if ((how & 1) != 0 && len > 0) text[pw_byte(w) % len] = (char)pw_byte(w);
  if ((how & 2) != 0 && len > 0) text[len * pw_byte(w) / 256] = '\0';
  if ((how & 4) != 0) {
    floe_bytes own = take_bytes(w);
    if (own.len > 0) memcpy(text, own.ptr, own.len);
    text[own.len] = '\0';
  }
  floe_error why;
  floe_status st = floe_ice_agent_set_remote_description(h->agent, w->now, text, &why);
  FLOE__ASSERT(st == FLOE_OK || why.message[0] != '\0');
  pw_after_call(h);
}

static void send_data(pw_world *w) {
  static uint8_t zeros[66000];
  pw_host *h = pick_host(w);
  uint8_t what = pw_byte(w);
  size_t len = (what & 1) != 0 ? (size_t)what * 260 : what;
  zeros[0] = what;
  if (!is_open(h)) return;
  floe_status st = floe_ice_agent_send(h->agent, w->now, (floe_bytes){zeros, len}, what & 63);
  bool has_pair = floe_ice_agent_selected_pair(h->agent, NULL, NULL);
  FLOE__ASSERT(st != FLOE_OK || has_pair);
  pw_after_call(h);
}

static void use_relay(pw_world *w) {
  pw_host *h = pick_host(w);
  uint8_t what = pw_byte(w);
  floe_addr peer = pw_addr(w);
  uint32_t id = (what & 1) != 0 ? h->relay : what >> 3;
  if (!is_open(h)) return;
  if ((what & 2) != 0) (void)!floe_ice_agent_permit(h->agent, w->now, id, &peer, (what & 4) != 0);
  if ((what & 2) == 0) {
    (void)!floe_ice_agent_send_relayed(h->agent, w->now, id, &peer, (floe_bytes){(const uint8_t *)"hello", 5});
  }
  pw_after_call(h);
}

static void ask(pw_world *w) {
  pw_host *h = pick_host(w);
  char text[300];
  if (h->agent == NULL) return;
  pw_check_stats(h);
  size_t cap = pw_byte(w);
  size_t len = floe_ice_agent_local_description(h->agent, text, cap);
  FLOE__ASSERT(cap == 0 || strlen(text) < cap);
  FLOE__ASSERT(len >= cap || strlen(text) == len);
  (void)floe_ice_agent_report(h->agent);
  const floe_ice_candidate *const *all;
  for (size_t i = 0, n = floe_ice_agent_local_candidates(h->agent, &all); i < n; i++) {
    FLOE__ASSERT(floe_ice_agent_candidate(h->agent, all[i]->id) == all[i]);
  }
}

static void call(pw_world *w) {
  pw_host *h = pick_host(w);
  uint8_t what = pw_byte(w);
  if (!is_open(h)) return;
  switch (what % 8) {
    case 0: pw_gather(h); return;
    case 1:
      if (floe_ice_agent_prefetch(h->agent, w->now) == FLOE_OK) h->is_pool = true;
      break;
    case 2: (void)!floe_ice_agent_set_role(h->agent, (floe_ice_role)(what >> 3 & 3)); return; /* tells no time */
    case 3: floe_ice_agent_end_of_remote_candidates(h->agent, w->now); break;
    case 4: floe_ice_agent_on_interfaces_changed(h->agent, w->now); break;
    case 5: pw_offer(h, PW_OFFER); return;
    case 6: pw_restart(h); return;
    default:
      if (what < 224) return; /* rarely: after it little happens */
      floe_ice_agent_close(h->agent, w->now);
      h->closed = true;
      break;
  }
  pw_after_call(h);
}

static void restart(pw_world *w) {
  pw_host *h = pick_host(w);
  if (!is_open(h)) return;
  pw_restart(h);
  pw_offer(h, PW_OFFER);
  pw_gather(h);
}

/* --- what the system does ----------------------------------------------------------------------------------------- */

static void change_interfaces(pw_world *w) {
  pw_host *h = pick_host(w);
  uint8_t mask = pw_byte(w);
  h->interfaces = mask & 0x7f;
  if (!is_open(h)) return;
  if ((mask & 0x80) == 0) {
    pw_input_interfaces(h);
  } else {
    floe_ice_agent_on_interfaces_changed(h->agent, w->now);
    pw_after_call(h);
  }
}

static void break_stream(pw_world *w) {
  pw_host *h = pick_host(w);
  const pw_sock *k = pick_sock(w, h);
  uint8_t how = pw_byte(w);
  if (k == NULL || !k->is_tcp || k->listens) return;
  for (size_t i = 0; i < w->n_conns; i++) {
    for (int side = 0; side < 2; side++) {
      const pw_end *end = &w->conns[i].ends[side];
      if (end->host != h->index || end->id != k->id) continue;
      pw_event e = {.kind = how % 2 == 0 ? PW_STREAM_END : PW_RESET, .id = (uint32_t)i, .side = side};
      pw_add(w, e, 0, (floe_bytes){0});
    }
  }
}

static void report_error(pw_world *w) {
  pw_host *h = pick_host(w);
  const pw_sock *k = pick_sock(w, h);
  uint8_t how = pw_byte(w);
  pw_event e = {.kind = how % 2 == 0 ? PW_ICMP : PW_SEND_FAILED, .host = h->index, .number = how >> 1};
  e.to = pw_addr(w);
  if (k == NULL || k->is_tcp) return;
  e.id = k->id;
  pw_add(w, e, 0, (floe_bytes){0});
}

/* What no driver does, and what is to be ignored. */
static void input_nonsense(pw_world *w) {
  pw_host *h = pick_host(w);
  uint8_t what = pw_byte(w);
  floe_input in = {.sock = 1000000u + what, .req = 1000000u + what, .addr = pw_addr(w), .family = FLOE_FAMILY_IPV4};
  in.type = (floe_input_type)(what % (FLOE_INPUT_SOCKET_ACCEPTED + 1));
  if (in.type == FLOE_INPUT_INTERFACES || in.type == FLOE_INPUT_SOCKET_ACCEPTED) return;
  in.data = (floe_bytes){(const uint8_t *)"nonsense", 8};
  pw_input(h, &in);
}

static void change_server(pw_world *w) {
  uint8_t flags = pw_byte(w);
  pw_stop_server(w);
  if ((flags & 128) == 0) pw_serve(w, flags);
}

static void run_out_of_memory(pw_world *w) {
  pw_host *h = pick_host(w);
  h->fail_in = 1u + pw_byte(w);
  h->fail_times = 1u + pw_byte(w) % 16u;
}

/* --- the program -------------------------------------------------------------------------------------------------- */

static void step(pw_world *w) {
  static const uint32_t times_ms[] = {1,    5,    20,   50,   100,   250,   500,   1000,
                                      2000, 3000, 5000, 8000, 15000, 30000, 40000, 60000};
  uint8_t op = pw_byte(w);
  if (op < 96) {
    pw_run(w, times_ms[op & 15] * FLOE_MS);
    return;
  }
  switch ((op - 96) % 20) {
    case 0: w->hostile_left = pw_byte(w); break;
    case 1: inject_bytes(w); break;
    case 2: inject_old(w); break;
    case 3:
    case 4: inject_check(w); break;
    case 5: add_fuzzed_candidate(w); break;
    case 6: set_fuzzed_description(w); break;
    case 7: send_data(w); break;
    case 8: use_relay(w); break;
    case 9: ask(w); break;
    case 10: call(w); break;
    case 11: restart(w); break;
    case 12: change_interfaces(w); break;
    case 13: break_stream(w); break;
    case 14: report_error(w); break;
    case 15: input_nonsense(w); break;
    case 16: change_server(w); break;
    case 17: run_out_of_memory(w); break;
    case 18:
      pick_host(w)->fail_opens = pw_byte(w) & 7;
      pick_host(w)->fail_names = pw_byte(w) & 7;
      break;
    case 19:
      w->no_signalling = (op & 1) != 0;
      w->no_icmp = pw_byte(w) & 1;
      w->now += pw_byte(w) * FLOE_SECOND; /* the machine was asleep */
      break;
  }
}

static void run_program(pw_world *w) {
  while (floe__rd_left(&w->in) > 0 && w->steps_left > 0) step(w);
}

/* The input is what becomes of the packets, one after the other. */
static void run_packets(pw_world *w) {
  w->hostile_left = UINT32_MAX;
  for (int i = 0; i < 40 && floe__rd_left(&w->in) > 0; i++) {
    pw_run(w, 250 * FLOE_MS);
    for (int h = 0; h < 2; h++) {
      if (!is_open(&w->hosts[h])) continue;
      (void)!floe_ice_agent_send(w->hosts[h].agent, w->now, (floe_bytes){(const uint8_t *)"data", 4}, 0);
      pw_after_call(&w->hosts[h]);
    }
  }
}

/* --- configurations ----------------------------------------------------------------------------------------------- */

/* Everything that takes half a minute takes a second or two, so that a run sees the end of it. */
static const floe_ice_timing quick = {.ta_ms = 5,
                                      .rto_ms = 50,
                                      .transmissions = 3,
                                      .udp_timeout_ms = 300,
                                      .stream_timeout_ms = 300,
                                      .connect_timeout_ms = 300,
                                      .tls_timeout_ms = 300,
                                      .dns_timeout_ms = 300,
                                      .server_timeout_ms = 900,
                                      .gathering_timeout_ms = 900,
                                      .close_timeout_ms = 100,
                                      .check_rto_ms = 50,
                                      .check_transmissions = 3,
                                      .patience_ms = 1000,
                                      .nomination_ms = 50,
                                      .consent_interval_ms = 300,
                                      .consent_timeout_ms = 2000,
                                      .disconnected_ms = 700,
                                      .keepalive_ms = 500};

static void set_limits(floe_ice_config *cfg) {
  cfg->max_candidates = 5;
  cfg->max_remote_candidates = 3;
  cfg->max_peer_reflexive = 2;
  cfg->max_pairs = 4;
  cfg->max_permissions = 2;
  cfg->max_queue_bytes = 2000;
  cfg->port_min = 40000;
  cfg->port_max = 40007;
}

static void configure(pw_world *w, floe_ice_config *cfg) {
  uint8_t a = pw_byte(w);
  uint8_t b = pw_byte(w);
  floe_ice_config_init(cfg, sizeof *cfg);
  cfg->max_candidates = 100;
  cfg->max_pairs = 100;
  cfg->max_remote_candidates = 100;
  cfg->max_peer_reflexive = 25;
  cfg->lite = (a & 3) == 3;
  cfg->no_tcp = (a & 12) == 4;
  cfg->tcp_passive = (a & 12) >= 8;
  cfg->tcp_so = (a & 12) == 12;
  cfg->mdns_hide_hosts = (a & 16) != 0;
  cfg->continual_gathering = (a & 32) != 0;
  cfg->no_mdns = (a & 64) != 0;
  cfg->include_loopback = (a & 128) != 0;
  if ((b & 1) == 0) cfg->timing = quick;
  if ((b & 2) != 0) set_limits(cfg);
  if ((b & 12) == 12) cfg->ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  cfg->shared_sockets = (b & 16) != 0;
  cfg->check_dscp = (b & 32) != 0 ? 46 : 0;
  cfg->no_ipv4 = (b & 192) == 64;
  cfg->no_ipv6 = (b & 192) == 128;
}

/* Not every combination is one: a lite agent has host candidates and nothing else. */
static void make_valid(floe_ice_config *cfg) {
  if (floe_ice_config_check(cfg, NULL) == FLOE_OK) return;
  cfg->lite = cfg->tcp_so = cfg->tcp_passive = false;
  cfg->ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_ALL;
  FLOE__ASSERT(floe_ice_config_check(cfg, NULL) == FLOE_OK);
}

static void begin_host(pw_world *w, int index, uint8_t seed) {
  static const char *const urls[] = {"stun:192.0.2.1", "turn:192.0.2.1", "turn:192.0.2.1?transport=tcp"};
  static const floe_address_rewrite rewrites[] = {{.local = {0}, .shown = {.family = 4, .ip = {203, 0, 113, 9}}}};
  floe_ice_server server = {.urls = urls, .username = "user", .credential = "secret"};
  floe_ice_config cfg;
  configure(w, &cfg);
  uint8_t c = pw_byte(w);
  server.n_urls = c & 3;
  cfg.ice_servers = &server;
  cfg.n_ice_servers = server.n_urls == 0 ? 0 : 1;
  if ((c & 0x60) == 0x60) {
    cfg.rewrites = rewrites;
    cfg.n_rewrites = 1;
  }
  make_valid(&cfg);
  pw_host *h = &w->hosts[index];
  h->nat = (pw_nat)((c >> 2 & 3) % 3);
  h->is_lazy = (c & 16) != 0;
  h->interfaces = 1;
  if ((c & 128) != 0) h->interfaces = pw_byte(w) & 0x3f;
  pw_host_begin(w, index, &cfg, seed);
}

static void begin(pw_world *w, uint8_t flags) {
  if ((flags & 1) != 0) pw_serve(w, pw_byte(w));
  w->no_icmp = (flags & 2) != 0;
  w->is_traced = (flags & 128) != 0;
  bool are_equal = (flags & 8) != 0; /* their parameters and tie-breakers */
  begin_host(w, 0, 1);
  begin_host(w, 1, are_equal ? 1 : 2);
  w->no_signalling = (flags & 4) != 0;
  if (w->hosts[0].agent == NULL || w->hosts[1].agent == NULL) return;
  if ((flags & 16) != 0) (void)!floe_ice_agent_set_role(w->hosts[0].agent, FLOE_ICE_ROLE_CONTROLLED);
  if ((flags & 32) != 0) (void)!floe_ice_agent_set_role(w->hosts[1].agent, FLOE_ICE_ROLE_CONTROLLING);
  pw_offer(&w->hosts[0], PW_OFFER);
  pw_gather(&w->hosts[0]);
}

static bool is_quick(const pw_host *h) {
  return h->agent != NULL && h->cfg.timing.patience_ms == quick.patience_ms;
}

static bool is_settled(const pw_host *h) {
  if (h->agent == NULL || h->closed) return true;
  bool checks = floe_ice_agent_connection_state(h->agent) == FLOE_ICE_CONNECTION_CHECKING;
  return !checks && h->gathering != FLOE_ICE_GATHERING_GATHERING;
}

/* As long as an old session lingers and consent then takes to expire, and until everybody has settled, in eighteen
 * seconds at the most. */
static void settle(pw_world *w) {
  pw_run(w, 6 * FLOE_SECOND);
  for (int i = 0; i < 3 && !(is_settled(&w->hosts[0]) && is_settled(&w->hosts[1])); i++) pw_run(w, 4 * FLOE_SECOND);
}

static void finish(pw_world *w, bool are_equal) {
  w->hostile_left = 0;
  for (int i = 0; i < 2; i++) w->hosts[i].fail_in = 0;
  settle(w);
  for (int i = 0; i < 2; i++) {
    pw_host *h = &w->hosts[i];
    if (h->agent != NULL) pw_check_stats(h);
    if (is_quick(h)) pw_check_settled(h);
  }
  if (is_quick(&w->hosts[0]) && is_quick(&w->hosts[1]) && !are_equal) pw_check_connected(w);
  w->steps_left = MAX_STEPS;
  pw_host_end(&w->hosts[0]);
  pw_host_end(&w->hosts[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 8 || size > 3000) return 0;
  pw_world *w = calloc(1, sizeof *w);
  FLOE__ASSERT(w != NULL);
  w->in = floe__reader_of((floe_bytes){data, size});
  w->now = FLOE_SECOND;
  w->steps_left = MAX_STEPS;
  uint8_t flags = pw_byte(w);
  begin(w, flags);
  if ((flags & 64) != 0) {
    run_packets(w);
  } else {
    run_program(w);
  }
  finish(w, (flags & 8) != 0);
  pw_clear(w);
  free(w);
  return 0;
}
