/* A driver that errs: inputs twice, late, for unknown sockets and look-ups, of the wrong kind, and time that goes back.
 * The rules of floe/ice.h hold all the same, gathering completes, and nothing is left. */
#include "support/world.h"

static world *make(uint64_t seed) {
  world *w = world_new_natted(seed, "eth0", "10.0.0.1", "eth0", "2001:db8:1::1", NULL);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", "2001:db8:2::1", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_listen(w, FLOE_TRANSPORT_TCP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_add(w, "turn:turn.example.org?transport=tcp");
  world_add(w, "stun:turn.example.org");
  world_add(w, "stun:192.0.2.9");
  world_start(w);
  return w;
}

static void inputs_for_the_unknown_are_ignored(void **state) {
  (void)state;
  world *w = make(1);
  for (floe_input_type type = FLOE_INPUT_TIMER; type <= FLOE_INPUT_INTERFACES; type++) {
    sim_agent_feed(w->agent, &(floe_input){.type = type, .sock = 77, .req = 77, .addr = sim_addr("192.0.2.1:3478")});
  }
  world_expect(w, "");
  world_gather(w);
  sim_agent_clear_log(w->agent);
  for (floe_input_type type = FLOE_INPUT_TIMER; type <= FLOE_INPUT_INTERFACES; type++) {
    sim_agent_feed(w->agent, &(floe_input){.type = type, .sock = 77, .req = 77, .addr = sim_addr("192.0.2.1:3478")});
  }
  world_expect(w, "");
  world_free(w);
}

static void time_that_goes_back_counts_as_the_latest_seen(void **state) {
  (void)state;
  world *w = make(1);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 3000);
  floe_ice_agent_input(sim_agent_core(w->agent), 5 * FLOE_MS, &(floe_input){.type = FLOE_INPUT_TIMER});
  sim_agent_feed(w->agent, &(floe_input){.type = FLOE_INPUT_TIMER});
  assert_true(sim_agent_run_to_complete(w->agent, 10000));
  assert_true(sim_now(w->s) <= 5020 * FLOE_MS);
  world_free(w);
}

static void interfaces_that_are_told_twice_change_nothing(void **state) {
  (void)state;
  world *w = make(1);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 1);
  floe_input in = {.type = FLOE_INPUT_INTERFACES};
  in.interfaces = sim_host_interfaces(w->client, &in.n_interfaces);
  sim_agent_feed(w->agent, &in);
  assert_true(sim_agent_run_to_complete(w->agent, 10000));
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 10.0.0.1:50000\n"
               "0.0 candidate host [2001:db8:1::1]:50001\n"
               "20.0 candidate relay *\n"
               "20.0 candidate srflx *\n"
               "...\n"
               "* error 701 udp_timeout stun:192.0.2.9 *\n"
               "* candidate end\n"
               "* state complete\n");
  world_free(w);
}

/* Nonsense that a fuzzer might find: any type with any of the ids and addresses that are in use. */
static void feed_nonsense(world *w) {
  static const char *const addresses[] = {"192.0.2.1:3478", "10.0.0.1:50000", "[2001:db8:2::1]:3478", "192.0.2.9:3478"};
  uint8_t bytes[64];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)sim_random(w->s);
  floe_addr some[2] = {sim_addr("192.0.2.1"), sim_addr("2001:db8:2::1")};
  floe_input in = {
      .type = (floe_input_type)sim_random_below(w->s, FLOE_INPUT_INTERFACES + 1),
      .sock = sim_random_below(w->s, 9),
      .req = sim_random_below(w->s, 4),
      .addr = sim_addr(addresses[sim_random_below(w->s, 4)]),
      .data = {bytes, sim_random_below(w->s, sizeof bytes)},
      .net_error = (floe_net_error)sim_random_below(w->s, FLOE_NET_NO_RESOURCES + 1),
      .icmp_type = (uint8_t)sim_random_below(w->s, 5),
      .icmp_code = (uint8_t)sim_random_below(w->s, 15),
      .family = sim_chance(w->s, 500) ? FLOE_FAMILY_IPV4 : FLOE_FAMILY_IPV6,
      .dns_status = (floe_dns_status)sim_random_below(w->s, FLOE_DNS_FAILED + 1),
      .addrs = some,
      .n_addrs = sim_random_below(w->s, 3),
  };
  in.interfaces = sim_host_interfaces(w->client, &in.n_interfaces);
  sim_agent_feed(w->agent, &in);
}

static void nonsense_ends_in_complete_too(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 300; seed++) {
    world *w = make(seed);
    sim_agent_set_lenient(w->agent);
    assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
    for (uint32_t n = sim_random_below(w->s, 40); n > 0; n--) {
      feed_nonsense(w);
      sim_run_for(w->s, sim_random_below(w->s, 30));
    }
    bool is_complete = floe_ice_agent_gathering_state(sim_agent_core(w->agent)) == FLOE_ICE_GATHERING_COMPLETE;
    if (!is_complete && !sim_agent_run_to_complete(w->agent, 20000)) sim_fail(w->s, "gathering did not complete");
    sim_agent_free(w->agent);
    w->agent = NULL;
    world_free(w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(inputs_for_the_unknown_are_ignored),
      cmocka_unit_test(time_that_goes_back_counts_as_the_latest_seen),
      cmocka_unit_test(interfaces_that_are_told_twice_change_nothing),
      cmocka_unit_test(nonsense_ends_in_complete_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
