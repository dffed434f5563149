/* A candidate pool (the contract's section 2.5): what happens before gathering may be told is kept, and told in its
 * order right after `gathering`. */
#include "support/world.h"

#define EVENTS(ms)                                                 \
  ms " state gathering\n" ms " candidate host 10.0.0.1:50000\n" ms \
     " candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n"

static world *make(void) {
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_start(w);
  return w;
}

static void nothing_is_told_before_gather(void **state) {
  (void)state;
  world *w = make();
  assert_int_equal(sim_agent_prefetch(w->agent), FLOE_OK);
  sim_run_for(w->s, 2000);
  world_expect(w, "");
  assert_int_equal(floe_ice_agent_gathering_state(sim_agent_core(w->agent)), FLOE_ICE_GATHERING_NEW);
  assert_int_equal(floe_ice_agent_local_candidates(sim_agent_core(w->agent), NULL), 0);
  assert_null(floe_ice_agent_report(sim_agent_core(w->agent)));
  world_gather(w);
  world_expect(w, EVENTS("2000.0") END("2000.0"));
  assert_int_equal(floe_ice_agent_local_candidates(sim_agent_core(w->agent), NULL), 2);
  world_free(w);
}

static void gather_in_the_middle_tells_what_there_is(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:192.0.2.9");
  world_start(w);
  assert_int_equal(sim_agent_prefetch(w->agent), FLOE_OK);
  sim_run_for(w->s, 1000);
  world_gather(w);
  world_expect(
      w, EVENTS("1000.0") "5005.0 error 701 udp_timeout stun:192.0.2.9 at 10.0.0.1:50000 binding\n" END("5005.0"));
  world_free(w);
}

static void errors_are_kept_too_and_count_as_of_this_gathering(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "error=500:Broken");
  sim_reject(w->s, "192.0.2.9", 3, 3);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:192.0.2.9");
  world_start(w);
  assert_int_equal(sim_agent_prefetch(w->agent), FLOE_OK);
  sim_run_for(w->s, 3000);
  world_gather(w);
  world_expect(w,
               "3000.0 state gathering\n"
               "3000.0 candidate host 10.0.0.1:50000\n"
               "3000.0 error 500 stun_error stun:192.0.2.1 at 10.0.0.1:50000 binding \"Broken\"\n"
               "3000.0 error 701 port_unreachable stun:192.0.2.9 at 10.0.0.1:50000 binding\n" END("3000.0"));
  world_free(w);
}

static void a_pool_is_filled_once(void **state) {
  (void)state;
  world *w = make();
  assert_int_equal(sim_agent_prefetch(w->agent), FLOE_OK);
  assert_int_equal(sim_agent_prefetch(w->agent), FLOE_E_STATE);
  sim_run_for(w->s, 100);
  world_gather(w);
  assert_int_equal(sim_agent_prefetch(w->agent), FLOE_E_STATE);
  assert_int_equal(sim_server_counters(w->server).requests, 1);
  world_free(w);
}

static void closing_a_pool_tells_nothing_and_deletes_its_allocations(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_start(w);
  assert_int_equal(sim_agent_prefetch(w->agent), FLOE_OK);
  sim_run_for(w->s, 100);
  assert_int_equal(sim_server_counters(w->server).allocations, 1);
  sim_agent_close(w->agent);
  assert_true(sim_agent_run_to_closed(w->agent, 1000));
  world_expect(w, "");
  assert_int_equal(sim_server_counters(w->server).allocations, 0);
  world_free(w);
}

/* The pool's allocation is kept alive as any other. */
static void a_pool_can_wait_for_long(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_start(w);
  assert_int_equal(sim_agent_prefetch(w->agent), FLOE_OK);
  sim_run_for(w->s, 3600 * 1000);
  world_gather(w);
  world_expect(w,
               "3600000.0 state gathering\n"
               "3600000.0 candidate host 10.0.0.1:50000\n"
               "3600000.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
               "3600000.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 turn:192.0.2.1\n" END("3600000.0"));
  assert_int_equal(sim_server_counters(w->server).allocations, 1);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_told_before_gather),
      cmocka_unit_test(gather_in_the_middle_tells_what_there_is),
      cmocka_unit_test(errors_are_kept_too_and_count_as_of_this_gathering),
      cmocka_unit_test(a_pool_is_filled_once),
      cmocka_unit_test(closing_a_pool_tells_nothing_and_deletes_its_allocations),
      cmocka_unit_test(a_pool_can_wait_for_long),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
