/* Relay candidates over UDP, TCP and TLS, IPv4 and IPv6, with each kind of credential. */
#include "support/world.h"

static void over_udp_it_takes_two_round_trips(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN
               "20.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
               "20.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 turn:192.0.2.1\n" END("20.0"));
  world_expect_report(w,
                      "report ok\n"
                      "server 0.0 ok - turn:192.0.2.1\n"
                      "  attempt candidate udp 10.0.0.1:50000 > 192.0.2.1:3478 mapped=203.0.113.1:40000 "
                      "relayed=192.0.2.1:50000 additional-error=440\n");
  assert_int_equal(sim_server_counters(w->server).allocations, 1);
  world_free(w);
}

static void over_tcp_it_takes_three(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TCP, NULL);
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  world_expect(
      w, BEGIN
      "30.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 tcp turn:192.0.2.1?transport=tcp\n" END("30.0"));
  world_free(w);
}

static void over_tls_it_takes_four_and_the_look_up(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TLS, NULL);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
  world_add(w, "turns:turn.example.org");
  world_gather(w);
  world_expect(
      w,
      BEGIN "50.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 tls turns:turn.example.org\n" END("50.0"));
  world_expect_report(w,
                      "report ok\n"
                      "server 0.0 ok - turns:turn.example.org\n"
                      "  attempt candidate tls 10.0.0.1:50001 > 192.0.2.1:5349 mapped=203.0.113.1:40000 "
                      "relayed=192.0.2.1:50000 additional-error=440\n");
  world_free(w);
}

static void byte_by_byte_is_the_same(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TCP, "bytewise");
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  world_expect(
      w, BEGIN
      "30.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 tcp turn:192.0.2.1?transport=tcp\n" END("30.0"));
  world_free(w);
}

static void both_relayed_families_come_from_one_allocation(void **state) {
  (void)state;
  world *w = world_new(1);
  w->ts.relay_ipv6 = sim_addr("2001:db8:2::1");
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN
               "20.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
               "20.0 candidate relay [2001:db8:2::1]:50001 mapped=* udp turn:192.0.2.1\n"
               "20.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 turn:192.0.2.1\n" END("20.0"));
  assert_int_equal(sim_server_counters(w->server).allocations, 1);
  world_free(w);
}

static void one_relayed_family_can_be_asked_for(void **state) {
  (void)state;
  static const struct {
    floe_relay_family family;
    const char *events;
  } cases[] = {
      {FLOE_RELAY_FAMILY_IPV4, "20.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"},
      {FLOE_RELAY_FAMILY_IPV6, "20.0 candidate relay [2001:db8:2::1]:50000 mapped=* udp turn:192.0.2.1\n"},
  };
  for (size_t i = 0; i < 2; i++) {
    world *w = world_new(1);
    w->cfg.relay_family = cases[i].family;
    w->ts.relay_ipv6 = sim_addr("2001:db8:2::1");
    world_listen(w, FLOE_TRANSPORT_UDP, NULL);
    world_add(w, "turn:192.0.2.1");
    world_gather(w);
    char expected[512];
    (void)snprintf(expected, sizeof expected, BEGIN "%s20.0 candidate srflx *\n" END("20.0"), cases[i].events);
    world_expect(w, expected);
    world_free(w);
  }
}

static void an_ipv6_server_is_used_from_an_ipv6_base(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "2001:db8:1::1", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:[2001:db8:2::1]");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host [2001:db8:1::1]:50000\n"
               "20.0 candidate relay 192.0.2.1:50000 mapped=* udp turn:[2001:db8:2::1]\n" END("20.0"));
  world_free(w);
}

static void newer_credentials_work(void **state) {
  (void)state;
  for (int i = 0; i < 4; i++) {
    world *w = world_new(1);
    w->ts.use_sha256 = (i & 1) != 0;
    w->ts.anonymous = (i & 2) != 0;
    w->ts.fingerprint = true;
    world_listen(w, FLOE_TRANSPORT_UDP, NULL);
    world_add(w, "turn:192.0.2.1");
    world_gather(w);
    world_expect(w, BEGIN
                 "20.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
                 "20.0 candidate srflx *\n" END("20.0"));
    world_free(w);
  }
}

static void three_transports_of_one_server_are_three_candidates(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_listen(w, FLOE_TRANSPORT_TCP, NULL);
  world_listen(w, FLOE_TRANSPORT_TLS, NULL);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
  world_add(w, "turn:192.0.2.1");
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_add(w, "turns:turn.example.org");
  world_gather(w);
  world_expect(
      w, BEGIN
      "20.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
      "20.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 turn:192.0.2.1\n"
      "35.0 candidate relay 192.0.2.1:50001 mapped=203.0.113.1:40001 tcp turn:192.0.2.1?transport=tcp\n"
      "50.0 candidate relay 192.0.2.1:50002 mapped=203.0.113.1:40002 tls turns:turn.example.org\n" END("50.0"));
  assert_int_equal(sim_server_counters(w->server).allocations, 3);
  world_free(w);
}

static void relay_only_hides_the_mapped_address(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "20.0 candidate relay 192.0.2.1:50000 mapped=0.0.0.0:9 udp turn:192.0.2.1\n" END("20.0"));
  const floe_ice_candidate *c = floe_ice_agent_candidate(sim_agent_core(w->agent), sim_agent_relay(w->agent, 0));
  assert_null(strstr(c->text, "203.0.113.1"));
  assert_null(strstr(c->text, "10.0.0.1"));
  world_free(w);
}

static void closing_deletes_the_allocation(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  sim_agent_close(w->agent);
  assert_true(sim_agent_run_to_closed(w->agent, 1000));
  assert_int_equal(sim_server_counters(w->server).allocations, 0);
  assert_int_equal(sim_server_counters(w->server).deletions, 1);
  assert_int_equal(sim_now(w->s), 30 * FLOE_MS);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(over_udp_it_takes_two_round_trips),
      cmocka_unit_test(over_tcp_it_takes_three),
      cmocka_unit_test(over_tls_it_takes_four_and_the_look_up),
      cmocka_unit_test(byte_by_byte_is_the_same),
      cmocka_unit_test(both_relayed_families_come_from_one_allocation),
      cmocka_unit_test(one_relayed_family_can_be_asked_for),
      cmocka_unit_test(an_ipv6_server_is_used_from_an_ipv6_base),
      cmocka_unit_test(newer_credentials_work),
      cmocka_unit_test(three_transports_of_one_server_are_three_candidates),
      cmocka_unit_test(relay_only_hides_the_mapped_address),
      cmocka_unit_test(closing_deletes_the_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
