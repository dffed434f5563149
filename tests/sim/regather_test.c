/* A new gathering counts anew and first closes what the last one holds (the contract's section 2.6). */
#include "support/world.h"

static void it_tells_everything_again(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:192.0.2.9");
  world_gather(w);
  world_expect(w, BEGIN
               "10.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n"
               "5005.0 error 701 udp_timeout stun:192.0.2.9 at 10.0.0.1:50000 binding\n" END("5005.0"));
  sim_agent_clear_log(w->agent);
  world_gather(w);
  world_expect(w,
               "5005.0 state gathering\n"
               "5005.0 candidate host 10.0.0.1:50001\n"
               "5015.0 candidate srflx 203.0.113.1:40001 base=10.0.0.1:50001 stun:192.0.2.1\n"
               "10010.0 error 701 udp_timeout stun:192.0.2.9 at 10.0.0.1:50001 binding\n" END("10010.0"));
  assert_int_equal(floe_ice_agent_local_candidates(sim_agent_core(w->agent), NULL), 2);
  world_free(w);
}

static void while_gathering_it_is_refused(void **state) {
  (void)state;
  world *w = world_new(1);
  world_add(w, "stun:192.0.2.9");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_E_STATE);
  sim_run_for(w->s, 1000);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_E_STATE);
  assert_true(sim_agent_run_to_complete(w->agent, 5000));
  world_expect(w, BEGIN "5000.0 error 701 udp_timeout *\n" END("5000.0"));
  world_free(w);
}

static void the_old_allocation_is_deleted(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  uint32_t old = sim_agent_relay(w->agent, 0);
  sim_agent_clear_log(w->agent);
  world_gather(w);
  sim_run_for(w->s, 1000);
  assert_int_equal(sim_server_counters(w->server).allocations, 1);
  assert_int_equal(sim_server_counters(w->server).deletions, 1);
  assert_null(floe_ice_agent_candidate(sim_agent_core(w->agent), old));
  assert_int_equal(sim_agent_permit(w->agent, old, "198.51.100.1:9", false), FLOE_E_NOT_FOUND);
  world_expect(w,
               "20.0 state gathering\n"
               "20.0 candidate host 10.0.0.1:*\n"
               "40.0 candidate relay 192.0.2.1:50001 mapped=203.0.113.1:* udp turn:192.0.2.1\n"
               "40.0 candidate srflx 203.0.113.1:* base=10.0.0.1:* turn:192.0.2.1\n" END("40.0"));
  world_free(w);
}

static void the_host_s_addresses_are_asked_for_again(void **state) {
  (void)state;
  world *w = world_new(1);
  world_gather(w);
  sim_host_remove_address(w->client, "10.0.0.1");
  sim_host_add_address(w->client, "wlan0", "10.0.0.77");
  sim_agent_clear_log(w->agent);
  world_gather(w);
  world_expect(w, "0.0 state gathering\n0.0 candidate host 10.0.0.77:50001\n" END("0.0"));
  world_free(w);
}

static void names_are_looked_up_again(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:turn.example.org");
  world_gather(w);
  world_expect(w, BEGIN "10.0 error 701 dns_nxdomain stun:turn.example.org at - dns\n" END("10.0"));
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
  sim_agent_clear_log(w->agent);
  world_gather(w);
  world_expect(w,
               "10.0 state gathering\n"
               "10.0 candidate host 10.0.0.1:50001\n"
               "30.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50001 stun:turn.example.org\n" END("30.0"));
  world_free(w);
}

static void ten_gatherings_leave_nothing_behind(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_listen(w, FLOE_TRANSPORT_TCP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  sim_run_for(w->s, 2000);
  uint64_t bytes = sim_agent_live_bytes(w->agent);
  for (int i = 0; i < 10; i++) {
    world_gather(w);
    sim_run_for(w->s, 2000);
    assert_int_equal(sim_server_counters(w->server).allocations, 2);
  }
  assert_in_range(sim_agent_live_bytes(w->agent), 0, bytes + 512);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_tells_everything_again),     cmocka_unit_test(while_gathering_it_is_refused),
      cmocka_unit_test(the_old_allocation_is_deleted), cmocka_unit_test(the_host_s_addresses_are_asked_for_again),
      cmocka_unit_test(names_are_looked_up_again),     cmocka_unit_test(ten_gatherings_leave_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
