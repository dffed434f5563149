/* An allocation that was lost: another one is asked for, 1, 2, 4 ... 30 seconds after the last failure, ten times. Its
 * loss is told once, as iceservererror; the new candidate is used without being told. */
#include "support/world.h"

#define TCP  "turn:192.0.2.1?transport=tcp"
#define TURN "turn:192.0.2.1"

/* One relay candidate, made; the log is empty again. */
static world *with_relay(floe_transport transport, const char *script) {
  world *w = world_new(1);
  world_listen(w, transport, script);
  world_add(w, transport == FLOE_TRANSPORT_UDP ? TURN : TCP);
  world_gather(w);
  sim_agent_clear_log(w->agent);
  return w;
}

/* The candidate of the allocation that took the place: its id is the next after all that were told. */
static const floe_ice_candidate *next_candidate(const world *w, uint32_t id) {
  return floe_ice_agent_candidate(sim_agent_core(w->agent), id + 1);
}

static void a_broken_connection_is_followed_by_another(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_TCP, NULL);
  uint32_t first = sim_agent_relay(w->agent, 0);
  sim_host_reset_connections(w->server_host);
  sim_run_for(w->s, 900);
  assert_null(next_candidate(w, first));
  assert_int_equal(sim_agent_permit(w->agent, first, "198.51.100.1:9", false), FLOE_E_STATE);
  sim_run_for(w->s, 1000);
  const floe_ice_candidate *second = next_candidate(w, first);
  assert_non_null(second);
  assert_int_equal(second->type, FLOE_CANDIDATE_RELAY);
  assert_string_equal(second->url, TCP);
  /* It works, the old one does not, and of all this only the loss was told. */
  assert_int_equal(sim_agent_permit(w->agent, first, "198.51.100.1:9", false), FLOE_E_STATE);
  assert_int_equal(sim_agent_permit(w->agent, second->id, "198.51.100.1:9", false), FLOE_OK);
  sim_run_for(w->s, 100);
  world_expect(w, "* servererror 701 tcp_reset " TCP
                  " at 10.0.0.1:50001 refresh\n"
                  "* permission 198.51.100.1:9 granted\n");
  const floe_ice_candidate *const *list;
  assert_int_equal(floe_ice_agent_local_candidates(sim_agent_core(w->agent), &list), 2);
  assert_int_equal(list[1]->id, first);
  world_free(w);
}

static void a_server_that_forgot_gives_another(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_UDP, "forget-allocation");
  uint32_t first = sim_agent_relay(w->agent, 0);
  sim_run_for(w->s, 900 * 1000);
  world_expect(w, "*.0 servererror 437 allocation_expired " TURN " at 10.0.0.1:50000 refresh \"*\"\n");
  assert_int_equal(sim_agent_permit(w->agent, first + 2, "198.51.100.1:9", false), FLOE_OK);
  world_free(w);
}

/* RFC 8656 7.4: the server still has the one that we gave up, on the same address of ours: 437, and another port. */
static void a_server_that_kept_the_old_one_gives_another_on_a_new_port(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_UDP, "refresh-error=500:Broken");
  sim_run_for(w->s, 550 * 1000);
  world_expect_wire(w, "Allocate",
                    "541030.0 send udp 10.0.0.1:50000 > *\n541040.0 send udp 10.0.0.1:50000 > *\n"
                    "541050.0 send udp 10.0.0.1:50001 > *\n541060.0 send udp 10.0.0.1:50001 > *\n");
  assert_int_equal(sim_server_counters(w->server).allocations, 2);
  world_free(w);
}

/* Each wait is twice the last, to 30 s; a try takes the 5 s of a UDP transaction; after ten it is over. */
static void it_is_tried_ten_times(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_UDP, NULL);
  sim_drop(w->s, "192.0.2.1:3478");
  sim_run_for(w->s, 3600 * 1000);
  world_expect(w, "*.0 servererror 701 refresh_failed " TURN " at 10.0.0.1:50000 refresh\n");
  static const uint32_t waits_s[] = {1, 2, 4, 8, 16, 30, 30, 30, 30, 30};
  double at = 600020; /* Refresh was tried until the allocation's end */
  char expected[4000] = "";
  for (size_t i = 0; i < 10; i++) {
    at += waits_s[i] * 1000.0;
    static const double transmissions[] = {0, 500, 1500, 3500};
    for (size_t k = 0; k < 4; k++) {
      size_t len = strlen(expected);
      (void)snprintf(expected + len, sizeof expected - len, "%.1f send udp 10.0.0.1:50000 > 192.0.2.1:3478 Allocate\n",
                     at + transmissions[k]);
    }
    at += 5000;
  }
  world_expect_wire(w, "Allocate", expected);
  assert_non_null(strstr(sim_agent_trace(w->agent), "\"given up\""));
  sim_agent_clear_log(w->agent);
  sim_rules_clear(w->s);
  sim_run_for(w->s, 3600 * 1000);
  world_expect_wire(w, "", "");
  world_free(w);
}

static void a_server_that_comes_back_is_found(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_TCP, NULL);
  uint32_t first = sim_agent_relay(w->agent, 0);
  sim_host_reset_connections(w->server_host);
  sim_reject(w->s, "192.0.2.1:3478", 3, 3);
  sim_run_for(w->s, 20 * 1000); /* 1, 2, 4 and 8 s: all refused */
  assert_null(next_candidate(w, first));
  sim_rules_clear(w->s);
  sim_run_for(w->s, 16 * 1000);
  assert_non_null(next_candidate(w, first));
  world_expect(w, "* servererror 701 tcp_reset " TCP " at 10.0.0.1:50001 refresh\n");
  world_free(w);
}

/* One that is lost again at once is a failure of the same row: else a broken server would be asked every second for
 * ever. */
static void a_row_of_short_lives_ends(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_TCP, NULL);
  for (int i = 0; i < 400; i++) {
    sim_host_reset_connections(w->server_host);
    sim_run_for(w->s, 1000);
  }
  assert_int_equal(sim_agent_n_errors(w->agent), 11); /* the first, and each of ten that took its place */
  assert_int_equal(sim_server_counters(w->server).allocations, 0);
  world_free(w);
}

static void a_good_life_begins_a_new_row(void **state) {
  (void)state;
  world *w = with_relay(FLOE_TRANSPORT_TCP, NULL);
  for (int i = 0; i < 20; i++) {
    sim_run_for(w->s, 35 * 1000);
    sim_host_reset_connections(w->server_host);
  }
  sim_run_for(w->s, 2000);
  assert_int_equal(sim_agent_n_errors(w->agent), 20);
  assert_int_equal(sim_server_counters(w->server).allocations, 1);
  world_free(w);
}

/* Nobody waits for what comes later, but with continual gathering. */
static void continual_gathering_tells_it(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.continual_gathering = true;
  world_listen(w, FLOE_TRANSPORT_TCP, NULL);
  world_add(w, TCP);
  world_gather(w);
  sim_agent_clear_log(w->agent);
  sim_host_reset_connections(w->server_host);
  sim_run_for(w->s, 2000);
  world_expect(w, "* servererror 701 tcp_reset " TCP
                  " at 10.0.0.1:50001 refresh\n"
                  "* candidate relay 192.0.2.1:50001 mapped=203.0.113.1:40001 tcp " TCP "\n");
  world_free(w);
}

static void closing_ends_it(void **state) {
  (void)state;
  for (uint32_t after_ms = 0; after_ms <= 1030; after_ms += 206) { /* waiting, connecting, asking, allocated */
    world *w = with_relay(FLOE_TRANSPORT_TCP, NULL);
    sim_host_reset_connections(w->server_host);
    sim_run_for(w->s, 5 + after_ms);
    sim_agent_close(w->agent);
    assert_true(sim_agent_run_to_closed(w->agent, 2000));
    sim_run_for(w->s, 10 * 1000);
    assert_int_equal(sim_server_counters(w->server).allocations, 0);
    world_free(w);
  }
}

/* Without memory it ends, or is tried again: nothing worse. */
static void no_memory_is_survived(void **state) {
  (void)state;
  for (uint64_t fail = 1; fail < 60; fail++) {
    world *w = with_relay(FLOE_TRANSPORT_UDP, "forget-allocation");
    uint64_t so_far = sim_agent_allocations(w->agent);
    sim_agent_fail_allocations(w->agent, so_far + fail, 0);
    sim_run_for(w->s, 700 * 1000);
    sim_agent_fail_allocations(w->agent, 0, 0);
    world_free(w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_broken_connection_is_followed_by_another),
      cmocka_unit_test(a_server_that_forgot_gives_another),
      cmocka_unit_test(a_server_that_kept_the_old_one_gives_another_on_a_new_port),
      cmocka_unit_test(it_is_tried_ten_times),
      cmocka_unit_test(a_server_that_comes_back_is_found),
      cmocka_unit_test(a_row_of_short_lives_ends),
      cmocka_unit_test(a_good_life_begins_a_new_row),
      cmocka_unit_test(continual_gathering_tells_it),
      cmocka_unit_test(closing_ends_it),
      cmocka_unit_test(no_memory_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
