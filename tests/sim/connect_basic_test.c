/* Two agents without NATs: what is told and when, families, roles, who is first, and that an idle connection is idle.
 */
#include "support/peers.h"

static void two_hosts_connect(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 1000);
  /* B's first check is answered before A has B's parameters; A's own takes a round trip, the nomination another */
  peers_expect(&p->a,
               "0.0 state gathering\n"
               "0.0 candidate host 10.0.0.1:50000\n"
               "0.0 candidate end\n"
               "0.0 state complete\n"
               "20.0 connection checking\n"
               "40.0 pair host 10.0.0.1:50000 > host 10.0.1.1:50000\n"
               "40.0 connection connected\n"
               "40.0 connection completed\n");
  peers_expect(&p->b,
               "10.0 connection checking\n"
               "10.0 state gathering\n"
               "10.0 candidate host 10.0.1.1:50000\n"
               "10.0 candidate end\n"
               "10.0 state complete\n"
               "35.0 pair host 10.0.1.1:50000 > host 10.0.0.1:50000\n"
               "35.0 connection connected\n"
               "35.0 connection completed\n");
  assert_int_equal(floe_ice_agent_role(sim_agent_core(p->a.agent)), FLOE_ICE_ROLE_CONTROLLING);
  assert_int_equal(floe_ice_agent_role(sim_agent_core(p->b.agent)), FLOE_ICE_ROLE_CONTROLLED);
  peers_exchange_data(p);
  peers_free(p);
}

static void over_ipv6_too(void **state) {
  (void)state;
  peers *p = peers_new_bare(1);
  sim_host_add_address(p->a.host, "eth0", "2001:db8:a::1");
  sim_host_add_address(p->b.host, "eth0", "2001:db8:b::1");
  peers_true(p, peers_connect(p, 1000));
  assert_string_equal(sim_agent_pair(p->a.agent), "host [2001:db8:a::1]:50000 > host [2001:db8:b::1]:50000");
  assert_string_equal(sim_agent_pair(p->b.agent), "host [2001:db8:b::1]:50000 > host [2001:db8:a::1]:50000");
  peers_exchange_data(p);
  peers_free(p);
}

static peers *dual_stack(uint64_t seed) {
  peers *p = peers_new(seed);
  sim_host_add_address(p->a.host, "eth0", "2001:db8:a::1");
  sim_host_add_address(p->b.host, "eth0", "2001:db8:b::1");
  return p;
}

/* RFC 8421: IPv6 first; where it does not work, IPv4 costs little. */
static void with_both_families_ipv6_is_preferred(void **state) {
  (void)state;
  peers *p = dual_stack(1);
  peers_true(p, peers_connect(p, 1000));
  assert_string_equal(sim_agent_pair(p->a.agent), "host [2001:db8:a::1]:50001 > host [2001:db8:b::1]:50001");
  peers_free(p);

  p = dual_stack(1);
  peer_drop_to(&p->a, "2001:db8:b::1");
  peer_drop_to(&p->b, "2001:db8:a::1");
  peers_true(p, peers_connect(p, 1000));
  assert_string_equal(sim_agent_pair(p->a.agent), "host 10.0.0.1:50000 > host 10.0.1.1:50000");
  peers_exchange_data(p);
  peers_free(p);
}

static void link_local_addresses_connect(void **state) {
  (void)state;
  peers *p = peers_new_bare(1);
  sim_host_add_address(p->a.host, "eth0", "fe80::a");
  sim_host_add_address(p->b.host, "eth0", "fe80::b");
  peers_true(p, peers_connect(p, 1000));
  peers_exchange_data(p);
  peers_free(p);
}

/* Both sides agree on the one pair, seen from either end. */
static void expect_same_pair(peers *p) {
  const floe_ice_candidate *al, *ar, *bl, *br;
  assert_true(floe_ice_agent_selected_pair(sim_agent_core(p->a.agent), &al, &ar));
  assert_true(floe_ice_agent_selected_pair(sim_agent_core(p->b.agent), &bl, &br));
  assert_true(floe_addr_equal_ip(&al->address, &br->address) && al->address.port == br->address.port);
  assert_true(floe_addr_equal_ip(&ar->address, &bl->address) && ar->address.port == bl->address.port);
}

static void many_addresses_end_with_one_pair(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    peers *p = dual_stack(seed);
    sim_host_add_address(p->a.host, "eth1", "10.0.0.2");
    sim_host_add_address(p->a.host, "eth1", "2001:db8:a::2");
    sim_host_add_address(p->b.host, "eth1", "10.0.1.2");
    sim_host_add_address(p->b.host, "wlan0", "2001:db8:b::2");
    sim_path_default(p->s, &(sim_path){.delay_us = 5000, .jitter_us = 20000});
    peers_true(p, peers_connect(p, 2000));
    sim_run_for(p->s, 3000);
    expect_same_pair(p);
    peers_true(p, sim_agent_connection(p->a.agent) == FLOE_ICE_CONNECTION_COMPLETED);
    peers_true(p, sim_agent_connection(p->b.agent) == FLOE_ICE_CONNECTION_COMPLETED);
    peers_exchange_data(p);
    peers_free(p);
  }
}

static void the_roles_may_be_given(void **state) {
  (void)state;
  for (int a_controls = 0; a_controls < 2; a_controls++) {
    for (int b_is_first = 0; b_is_first < 2; b_is_first++) {
      peers *p = peers_new(1);
      peers_start(p);
      p->a.waits_for_offer = b_is_first == 1;
      p->b.waits_for_offer = b_is_first == 0;
      floe_ice_role of_a = a_controls ? FLOE_ICE_ROLE_CONTROLLING : FLOE_ICE_ROLE_CONTROLLED;
      floe_ice_role of_b = a_controls ? FLOE_ICE_ROLE_CONTROLLED : FLOE_ICE_ROLE_CONTROLLING;
      assert_int_equal(sim_agent_set_role(p->a.agent, of_a), FLOE_OK);
      assert_int_equal(sim_agent_set_role(p->b.agent, of_b), FLOE_OK);
      peers_true(p, peers_connect(p, 1000));
      assert_int_equal(floe_ice_agent_role(sim_agent_core(p->a.agent)), of_a);
      assert_int_equal(floe_ice_agent_role(sim_agent_core(p->b.agent)), of_b);
      expect_same_pair(p);
      peers_exchange_data(p);
      peers_free(p);
    }
  }
}

static void a_role_cannot_be_given_late(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_start(p);
  assert_int_equal(sim_agent_set_role(p->a.agent, (floe_ice_role)7), FLOE_E_TYPE);
  assert_int_equal(floe_ice_agent_role(sim_agent_core(p->a.agent)), FLOE_ICE_ROLE_UNKNOWN);
  peers_true(p, peers_connect(p, 1000));
  assert_int_equal(sim_agent_set_role(p->a.agent, FLOE_ICE_ROLE_CONTROLLED), FLOE_E_STATE);
  peers_free(p);
}

static void who_gathers_first_controls(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.waits_for_offer = true;
  p->b.waits_for_offer = false;
  peers_true(p, peers_connect(p, 1000));
  assert_int_equal(floe_ice_agent_role(sim_agent_core(p->b.agent)), FLOE_ICE_ROLE_CONTROLLING);
  assert_int_equal(floe_ice_agent_role(sim_agent_core(p->a.agent)), FLOE_ICE_ROLE_CONTROLLED);
  peers_free(p);
}

/* Ten minutes: consent only, and nothing is told. */
static void an_idle_connection_is_idle(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 1000);
  sim_agent_clear_log(p->a.agent);
  sim_agent_clear_log(p->b.agent);
  uint64_t packets = sim_packets(p->s), timers = sim_agent_timers(p->a.agent);
  sim_run_for(p->s, 600 * 1000);
  peers_expect(&p->a, "");
  peers_expect(&p->b, "");
  /* RFC 7675 5.1: every 5 s, times 0.8 to 1.2; a request and an answer, both ways */
  packets = sim_packets(p->s) - packets;
  timers = sim_agent_timers(p->a.agent) - timers;
  assert_in_range(packets, 4 * 100, 4 * 150);
  assert_in_range(timers, 100, 500);
  peers_exchange_data(p);
  peers_free(p);
}

static void outputs_may_be_taken_late(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    peers *p = peers_new(seed);
    p->a.options.lazy_drain = 500;
    p->b.options.lazy_drain = 900;
    peers_true(p, peers_connect(p, 2000));
    peers_exchange_data(p);
    peers_free(p);
  }
}

static void the_same_seed_is_the_same_connection(void **state) {
  (void)state;
  peers *p = dual_stack(7), *q = dual_stack(7);
  peers_true(p, peers_connect(p, 1000));
  assert_true(peers_connect(q, 1000));
  assert_string_equal(sim_agent_events(p->a.agent), sim_agent_events(q->a.agent));
  assert_string_equal(sim_agent_wire(p->b.agent), sim_agent_wire(q->b.agent));
  peers_free(p);
  peers_free(q);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_hosts_connect),
      cmocka_unit_test(over_ipv6_too),
      cmocka_unit_test(with_both_families_ipv6_is_preferred),
      cmocka_unit_test(link_local_addresses_connect),
      cmocka_unit_test(many_addresses_end_with_one_pair),
      cmocka_unit_test(the_roles_may_be_given),
      cmocka_unit_test(a_role_cannot_be_given_late),
      cmocka_unit_test(who_gathers_first_controls),
      cmocka_unit_test(an_idle_connection_is_idle),
      cmocka_unit_test(outputs_may_be_taken_late),
      cmocka_unit_test(the_same_seed_is_the_same_connection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
