/* Closing (the contract's section 2.5): nothing is told from then on, allocations are deleted, sockets closed. The
 * simulated agent fails the test at any event after close, here and in every other test. */
#include "support/world.h"

/* A world in which every kind of step is in progress at some time. */
static world *busy(void) {
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth0", "2001:db8:1::1", NULL);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", "2001:db8:2::1", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_listen(w, FLOE_TRANSPORT_TCP, "silent-after-401");
  world_listen(w, FLOE_TRANSPORT_TLS, NULL);
  world_add(w, "turn:192.0.2.1");
  world_add(w, "turn:turn.example.org?transport=tcp");
  world_add(w, "turns:turn.example.org");
  world_add(w, "stun:no.such.name");
  world_add(w, "stun:192.0.2.9");
  world_add(w, "stun:192.0.2.1");
  world_start(w);
  return w;
}

static void at_any_time_it_falls_silent_and_ends_within_a_second(void **state) {
  (void)state;
  for (uint64_t at = 0; at <= 120; at += 2) {
    world *w = busy();
    assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
    sim_run_for(w->s, at);
    sim_agent_clear_log(w->agent);
    sim_agent_close(w->agent);
    assert_true(sim_agent_run_to_closed(w->agent, 1000));
    world_expect(w, "");
    sim_run_for(w->s, 60000);
    world_expect(w, "");
    /* Allocations whose answer was under way are the server's to expire: only those the agent knew of are deleted. */
    assert_true(sim_server_counters(w->server).allocations <= 6);
    world_free(w);
  }
}

static void before_gathering_it_is_closed_at_once(void **state) {
  (void)state;
  world *w = busy();
  sim_agent_close(w->agent);
  assert_true(floe_ice_agent_is_closed(sim_agent_core(w->agent)));
  assert_int_equal(sim_agent_gather(w->agent), FLOE_E_STATE);
  assert_int_equal(sim_agent_prefetch(w->agent), FLOE_E_STATE);
  world_expect(w, "");
  world_free(w);
}

static void twice_is_fine(void **state) {
  (void)state;
  world *w = busy();
  world_gather(w);
  sim_agent_close(w->agent);
  sim_agent_close(w->agent);
  assert_true(sim_agent_run_to_closed(w->agent, 1000));
  world_free(w);
}

static void every_allocation_is_deleted(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_listen(w, FLOE_TRANSPORT_TCP, NULL);
  world_listen(w, FLOE_TRANSPORT_TLS, NULL);
  world_add(w, "turn:192.0.2.1");
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_add(w, "turns:turn.example.org");
  world_gather(w);
  assert_int_equal(sim_server_counters(w->server).allocations, 3);
  floe_time before = sim_now(w->s);
  sim_agent_close(w->agent);
  assert_true(sim_agent_run_to_closed(w->agent, 1000));
  assert_int_equal(sim_server_counters(w->server).deletions, 3);
  assert_int_equal(sim_server_counters(w->server).allocations, 0);
  assert_int_equal(sim_now(w->s) - before, 10 * FLOE_MS);
  world_free(w);
}

static void a_server_that_has_gone_costs_one_second(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  sim_drop(w->s, "192.0.2.1");
  sim_agent_close(w->agent);
  assert_true(sim_agent_run_to_closed(w->agent, 2000));
  assert_int_equal(sim_now(w->s), 1020 * FLOE_MS);
  world_free(w);
}

static void freeing_without_closing_says_nothing_to_the_server(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  sim_agent_free(w->agent);
  w->agent = NULL;
  sim_run_for(w->s, 1000);
  assert_int_equal(sim_server_counters(w->server).allocations, 1);
  world_free(w);
}

static void freeing_in_the_middle_leaves_nothing(void **state) {
  (void)state;
  for (uint64_t at = 0; at <= 120; at += 7) {
    world *w = busy();
    assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
    sim_run_for(w->s, at);
    sim_agent_free(w->agent);
    w->agent = NULL;
    world_free(w);
  }
}

static void a_second_look_at_a_closed_agent(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  uint32_t relay = sim_agent_relay(w->agent, 0);
  sim_agent_close(w->agent);
  assert_int_equal(sim_agent_permit(w->agent, relay, "198.51.100.1:9", false), FLOE_E_STATE);
  assert_int_equal(sim_agent_send_relayed(w->agent, relay, "198.51.100.1:9", "x"), FLOE_E_STATE);
  assert_non_null(floe_ice_agent_report(sim_agent_core(w->agent)));
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(at_any_time_it_falls_silent_and_ends_within_a_second),
      cmocka_unit_test(before_gathering_it_is_closed_at_once),
      cmocka_unit_test(twice_is_fine),
      cmocka_unit_test(every_allocation_is_deleted),
      cmocka_unit_test(a_server_that_has_gone_costs_one_second),
      cmocka_unit_test(freeing_without_closing_says_nothing_to_the_server),
      cmocka_unit_test(freeing_in_the_middle_leaves_nothing),
      cmocka_unit_test(a_second_look_at_a_closed_agent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
