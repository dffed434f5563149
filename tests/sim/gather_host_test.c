/* Host candidates: one for each usable address, in the order in which the host lists them (RFC 8445 5.1.1.1). */
#include "support/world.h"

static void no_server_completes_at_once(void **state) {
  (void)state;
  world *w = world_new(1);
  world_gather(w);
  world_expect(w, BEGIN END("0.0"));
  world_expect_report(w, "report *\n");
  world_expect_wire(w, "open", "0.0 open udp 10.0.0.1\n");
  world_free(w);
}

static void each_address_of_each_interface_has_one(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "192.0.2.10", "eth0", "2001:db8:1::1", "wlan0", "198.51.100.7", NULL);
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 192.0.2.10:50000\n"
               "0.0 candidate host [2001:db8:1::1]:50001\n"
               "0.0 candidate host 198.51.100.7:50002\n" END("0.0"));
  world_free(w);
}

static void loopback_is_told_only_when_asked_for(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.include_loopback = true;
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 127.0.0.1:50000\n"
               "0.0 candidate host [::1]:50001\n"
               "0.0 candidate host 10.0.0.1:50002\n" END("0.0"));
  world_free(w);
}

static void a_host_without_addresses_completes(void **state) {
  (void)state;
  world *w = world_new_with(1, NULL);
  world_gather(w);
  world_expect(w, "0.0 state gathering\n" END("0.0"));
  world_free(w);
}

static void relay_only_has_no_host_candidate_and_needs_no_socket(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  world_gather(w);
  world_expect(w, "0.0 state gathering\n" END("0.0"));
  world_expect_wire(w, "", "");
  world_free(w);
}

static void a_refused_bind_costs_only_its_candidate(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "192.0.2.10", "eth1", "192.0.2.11", NULL);
  sim_host_fail_binds(w->client, FLOE_NET_NO_RESOURCES, 1);
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 192.0.2.11:50000\n" END("0.0"));
  world_free(w);
}

static void families_and_interfaces_can_be_left_out(void **state) {
  (void)state;
  static const char *const only_wlan0[] = {"wlan0"};
  for (int i = 0; i < 3; i++) {
    world *w = world_new_with(1, "eth0", "192.0.2.10", "eth0", "2001:db8:1::1", "wlan0", "198.51.100.7", NULL);
    w->cfg.no_ipv4 = i == 0;
    w->cfg.no_ipv6 = i == 1;
    w->cfg.interfaces = only_wlan0;
    w->cfg.n_interfaces = i == 2 ? 1 : 0;
    world_gather(w);
    static const char *const expected[] = {
        "0.0 state gathering\n0.0 candidate host [2001:db8:1::1]:50000\n" END("0.0"),
        "0.0 state gathering\n0.0 candidate host 192.0.2.10:50000\n"
        "0.0 candidate host 198.51.100.7:50001\n" END("0.0"),
        "0.0 state gathering\n0.0 candidate host 198.51.100.7:50000\n" END("0.0"),
    };
    world_expect(w, expected[i]);
    world_free(w);
  }
}

/* RFC 8445 5.1.2: 2^24 times the type preference 126, 2^8 times a local preference that differs, 256 - 1. */
static void priorities_differ_and_foundations_are_per_base(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "192.0.2.10", "eth1", "192.0.2.11", NULL);
  world_gather(w);
  const floe_ice_candidate *const *list;
  assert_int_equal(floe_ice_agent_local_candidates(sim_agent_core(w->agent), &list), 2);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(list[i]->priority >> 24, 126);
    assert_int_equal(list[i]->priority & 0xff, 255);
    assert_int_equal(list[i]->component, 1);
  }
  assert_true(list[0]->priority > list[1]->priority);
  assert_string_not_equal(list[0]->foundation, list[1]->foundation);
  assert_non_null(strstr(list[0]->text, " 192.0.2.10 50000 typ host"));
  world_free(w);
}

static void candidates_beyond_the_limit_are_not_kept(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "192.0.2.10", "eth1", "192.0.2.11", "eth2", "192.0.2.12", NULL);
  w->cfg.max_candidates = 2;
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 192.0.2.10:50000\n"
               "0.0 candidate host 192.0.2.11:50001\n" END("0.0"));
  assert_int_equal(floe_ice_agent_local_candidates(sim_agent_core(w->agent), NULL), 2);
  world_free(w);
}

static void an_address_that_is_listed_twice_counts_once(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "192.0.2.10", "eth0:1", "192.0.2.10", NULL);
  world_gather(w);
  world_expect(w, "0.0 state gathering\n0.0 candidate host 192.0.2.10:50000\n" END("0.0"));
  world_expect_wire(w, "open", "0.0 open udp 192.0.2.10\n");
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_server_completes_at_once),
      cmocka_unit_test(each_address_of_each_interface_has_one),
      cmocka_unit_test(loopback_is_told_only_when_asked_for),
      cmocka_unit_test(a_host_without_addresses_completes),
      cmocka_unit_test(relay_only_has_no_host_candidate_and_needs_no_socket),
      cmocka_unit_test(a_refused_bind_costs_only_its_candidate),
      cmocka_unit_test(families_and_interfaces_can_be_left_out),
      cmocka_unit_test(priorities_differ_and_foundations_are_per_base),
      cmocka_unit_test(an_address_that_is_listed_twice_counts_once),
      cmocka_unit_test(candidates_beyond_the_limit_are_not_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
