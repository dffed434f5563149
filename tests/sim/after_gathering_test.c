/* After gathering: refresh, permissions, channels, data through a relay, and what is told as iceservererror when it
 * fails (the contract's section 2.5, RFC 8656 8 to 12). */
#include "support/world.h"

typedef struct peer {
  sim *s;
  sim_udp *udp;
  char got[64];
  floe_addr from;
  uint32_t n;
} peer;

static void on_peer_data(void *user, const floe_addr *from, floe_bytes data) {
  peer *p = user;
  (void)snprintf(p->got, sizeof p->got, "%.*s", (int)data.len, (const char *)data.ptr);
  p->from = *from;
  p->n++;
}

static const sim_udp_ops peer_ops = {.on_datagram = on_peer_data};

static void make_peer(peer *p, world *w) {
  floe_net_error why;
  floe_addr at = sim_addr("198.51.100.1:9000");
  *p = (peer){.s = w->s};
  p->udp = sim_udp_open(sim_host_new(w->s, "peer", "eth0", "198.51.100.1", NULL), &at, &peer_ops, p, &why);
}

static void peer_sends(peer *p, const char *text) {
  sim_udp_send(p->udp, &p->from, (floe_bytes){(const uint8_t *)text, strlen(text)});
}

/* One relay candidate, made; the log is empty again. */
static world *with_relay(floe_transport transport, const char *script) {
  world *w = world_new(1);
  world_listen(w, transport, script);
  world_add(w, transport == FLOE_TRANSPORT_UDP ? "turn:192.0.2.1" : "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  sim_agent_clear_log(w->agent);
  return w;
}

static void data_travels_both_ways(void **state) {
  (void)state;
  for (int i = 0; i < 4; i++) {
    world *w = with_relay((i & 1) == 0 ? FLOE_TRANSPORT_UDP : FLOE_TRANSPORT_TCP, NULL);
    bool use_channel = (i & 2) != 0;
    peer p;
    make_peer(&p, w);
    uint32_t relay = sim_agent_relay(w->agent, 0);
    assert_int_equal(sim_agent_send_relayed(w->agent, relay, "198.51.100.1:9000", "early"), FLOE_E_STATE);
    assert_int_equal(sim_agent_permit(w->agent, relay, "198.51.100.1:9000", use_channel), FLOE_OK);
    sim_run_for(w->s, 100);
    assert_int_equal(sim_agent_send_relayed(w->agent, relay, "198.51.100.1:9000", "hello"), FLOE_OK);
    sim_run_for(w->s, 100);
    assert_string_equal(p.got, "hello");
    assert_int_equal(p.n, 1);
    char text[FLOE_ADDR_TEXT];
    assert_string_equal(floe_addr_format(&p.from, text), "192.0.2.1:50000");
    peer_sends(&p, "back");
    sim_run_for(w->s, 100);
    world_expect(w,
                 "*0.0 permission 198.51.100.1:9000 granted\n"
                 "*0.0 data relay 198.51.100.1:9000 \"back\"\n");
    world_expect_wire(w, use_channel ? "ChannelData" : "Send", "*\n");
    assert_int_equal(sim_server_counters(w->server).channels, use_channel ? 1 : 0);
    world_free(w);
  }
}

static void only_permitted_peers_are_heard(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_UDP, NULL);
  peer p;
  make_peer(&p, w);
  p.from = sim_addr("192.0.2.1:50000");
  peer_sends(&p, "unasked");
  sim_run_for(w->s, 100);
  world_expect(w, "");
  world_free(w);
}

static void bad_calls_are_refused(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_UDP, NULL);
  uint32_t relay = sim_agent_relay(w->agent, 0);
  assert_int_equal(sim_agent_permit(w->agent, 999, "198.51.100.1:9", false), FLOE_E_NOT_FOUND);
  assert_int_equal(sim_agent_permit(w->agent, relay, "[2001:db8::9]:9", false), FLOE_E_TYPE);
  assert_int_equal(sim_agent_send_relayed(w->agent, 999, "198.51.100.1:9", "x"), FLOE_E_NOT_FOUND);
  world_expect(w, "");
  world_free(w);
}

static void a_refused_permission_is_told(void **state) {
  (void)state;
  for (int use_channel = 0; use_channel < 2; use_channel++) {
    world *w = with_relay(FLOE_TRANSPORT_UDP, "permission-error=403:Peer denied");
    uint32_t relay = sim_agent_relay(w->agent, 0);
    assert_int_equal(sim_agent_permit(w->agent, relay, "198.51.100.1:9", use_channel == 1), FLOE_OK);
    sim_run_for(w->s, 1000);
    world_expect(w,
                 "30.0 servererror 403 permission_failed turn:192.0.2.1 at 10.0.0.1:50000 * \"Peer denied\"\n"
                 "30.0 permission 198.51.100.1:9 refused\n");
    floe_phase phase = sim_agent_error(w->agent, 0)->detail.phase;
    assert_true(phase == FLOE_PHASE_PERMISSION || (use_channel == 1 && phase == FLOE_PHASE_CHANNEL));
    world_free(w);
  }
}

static void an_unanswered_permission_is_told(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_UDP, NULL);
  sim_drop(w->s, "192.0.2.1:3478");
  assert_int_equal(sim_agent_permit(w->agent, sim_agent_relay(w->agent, 0), "198.51.100.1:9", false), FLOE_OK);
  sim_run_for(w->s, 10000);
  world_expect(w,
               "5020.0 servererror 701 permission_failed turn:192.0.2.1 at 10.0.0.1:50000 permission\n"
               "5020.0 permission 198.51.100.1:9 refused\n");
  world_free(w);
}

static void an_allocation_is_kept_alive_for_days(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_UDP, NULL);
  peer p;
  make_peer(&p, w);
  uint32_t relay = sim_agent_relay(w->agent, 0);
  assert_int_equal(sim_agent_permit(w->agent, relay, "198.51.100.1:9000", true), FLOE_OK);
  sim_run_for(w->s, 2 * 86400 * 1000);
  assert_int_equal(sim_server_counters(w->server).allocations, 1);
  assert_int_equal(sim_agent_send_relayed(w->agent, relay, "198.51.100.1:9000", "still there"), FLOE_OK);
  sim_run_for(w->s, 100);
  assert_string_equal(p.got, "still there");
  world_expect(w, "30.0 permission 198.51.100.1:9000 granted\n");
  world_free(w);
}

static void a_failed_refresh_is_told_once(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_UDP, "refresh-error=500:Broken");
  sim_run_for(w->s, 900 * 1000); /* another allocation takes its place: gather_reallocation_test.c */
  world_expect(w, "*.0 servererror 500 refresh_failed turn:192.0.2.1 at 10.0.0.1:50000 refresh \"Broken\"\n");
  assert_true(sim_agent_permit(w->agent, sim_agent_relay(w->agent, 0), "198.51.100.1:9", false) == FLOE_E_STATE);
  world_free(w);
}

static void a_forgotten_allocation_has_expired(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_UDP, "forget-allocation");
  sim_run_for(w->s, 900 * 1000);
  world_expect(w, "*.0 servererror 437 allocation_expired turn:192.0.2.1 at 10.0.0.1:50000 refresh \"*\"\n");
  world_free(w);
}

static void a_server_that_vanished_is_told_before_the_allocation_ends(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_UDP, NULL);
  sim_drop(w->s, "192.0.2.1:3478");
  sim_run_for(w->s, 3600 * 1000);
  world_expect(w, "*.0 servererror 701 refresh_failed turn:192.0.2.1 at 10.0.0.1:50000 refresh\n");
  world_free(w);
}

static void a_broken_connection_loses_the_allocation(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_TCP, NULL);
  sim_run_for(w->s, 1000);
  /* The server closes what it no longer trusts: an unparsable byte stream from us is not possible, so the path is cut.
   */
  sim_rule_add(w->s, &(sim_rule){.from = w->client, .proto = SIM_TCP, .action = SIM_DROP});
  sim_run_for(w->s, 3600 * 1000);
  world_expect(w, "*.0 servererror 701 refresh_failed turn:192.0.2.1?transport=tcp at 10.0.0.1:50001 refresh\n");
  world_free(w);
}

static void a_reset_connection_is_told_at_once(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_TCP, NULL);
  sim_run_for(w->s, 1000);
  sim_host_reset_connections(w->server_host);
  sim_run_for(w->s, 10000);
  world_expect(w, "1035.0 servererror 701 tcp_reset turn:192.0.2.1?transport=tcp at 10.0.0.1:50001 *\n");
  assert_int_equal(sim_agent_permit(w->agent, sim_agent_relay(w->agent, 0), "198.51.100.1:9", false), FLOE_E_STATE);
  world_free(w);
}

static void one_lost_refresh_does_not_matter(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_UDP, NULL);
  sim_rule_add(w->s, &(sim_rule){.from = w->client, .action = SIM_DROP, .times = 2});
  sim_run_for(w->s, 3600 * 1000);
  world_expect(w, "");
  assert_int_equal(sim_server_counters(w->server).allocations, 1);
  world_free(w);
}

/* "A full send queue is FLOE_E_AGAIN, never a drop." */
static void a_full_queue_says_so(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.max_queue_bytes = 8192;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  peer p;
  make_peer(&p, w);
  uint32_t relay = sim_agent_relay(w->agent, 0);
  assert_int_equal(sim_agent_permit(w->agent, relay, "198.51.100.1:9000", true), FLOE_OK);
  sim_run_for(w->s, 100);
  static const uint8_t data[1000];
  floe_addr to = sim_addr("198.51.100.1:9000");
  uint32_t accepted = 0;
  floe_status st = FLOE_OK;
  while (accepted < 100 && st == FLOE_OK) {
    st = floe_ice_agent_send_relayed(sim_agent_core(w->agent), sim_now(w->s), relay, &to,
                                     (floe_bytes){data, sizeof data});
    accepted += st == FLOE_OK ? 1 : 0;
  }
  assert_int_equal(st, FLOE_E_AGAIN);
  assert_in_range(accepted, 5, 8);
  sim_agent_feed(w->agent, &(floe_input){.type = FLOE_INPUT_TIMER});
  sim_run_for(w->s, 100);
  assert_int_equal(p.n, accepted);
  assert_int_equal(sim_agent_send_relayed(w->agent, relay, "198.51.100.1:9000", "again"), FLOE_OK);
  sim_run_for(w->s, 100);
  assert_string_equal(p.got, "again");
  world_free(w);
}

static void what_is_too_large_is_refused(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_TCP, NULL);
  uint32_t relay = sim_agent_relay(w->agent, 0);
  assert_int_equal(sim_agent_permit(w->agent, relay, "198.51.100.1:9000", false), FLOE_OK);
  sim_run_for(w->s, 100);
  static const uint8_t data[65001];
  floe_addr to = sim_addr("198.51.100.1:9000");
  assert_int_equal(
      floe_ice_agent_send_relayed(sim_agent_core(w->agent), sim_now(w->s), relay, &to, (floe_bytes){data, sizeof data}),
      FLOE_E_TOO_LARGE);
  world_free(w);
}

/* The report is that of gathering: what is lost later does not change it. */
static void the_report_stays(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_UDP, "forget-allocation");
  sim_run_for(w->s, 3600 * 1000);
  world_expect_report(w, "report ok\nserver 0.0 ok - turn:192.0.2.1\n  attempt candidate *\n");
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(data_travels_both_ways),
      cmocka_unit_test(only_permitted_peers_are_heard),
      cmocka_unit_test(bad_calls_are_refused),
      cmocka_unit_test(a_refused_permission_is_told),
      cmocka_unit_test(an_unanswered_permission_is_told),
      cmocka_unit_test(an_allocation_is_kept_alive_for_days),
      cmocka_unit_test(a_failed_refresh_is_told_once),
      cmocka_unit_test(a_forgotten_allocation_has_expired),
      cmocka_unit_test(a_server_that_vanished_is_told_before_the_allocation_ends),
      cmocka_unit_test(a_broken_connection_loses_the_allocation),
      cmocka_unit_test(a_reset_connection_is_told_at_once),
      cmocka_unit_test(one_lost_refresh_does_not_matter),
      cmocka_unit_test(a_full_queue_says_so),
      cmocka_unit_test(what_is_too_large_is_refused),
      cmocka_unit_test(the_report_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
