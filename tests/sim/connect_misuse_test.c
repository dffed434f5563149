/* Programs and drivers that do odd things: at odd times, in an odd order, or twice. */
#include "support/peers.h"

static bool has_event(sim_agent *a, const char *part) {
  return sim_agent_events_with(a, part)[0] != '\0';
}

/* --- restarts ------------------------------------------------------------------------------------------------------
 */

/* The new session connects and is lost again before the old one was let go of. */
static void a_restart_that_is_lost_at_once(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.timing.consent_timeout_ms = 1500;
  p->a.cfg.timing.consent_interval_ms = 500;
  p->a.cfg.timing.disconnected_ms = 1000;
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 1000);
  peer_restart(&p->a);
  /* the checks of the new session, whose ports are the next ones, are answered until it is connected */
  while (strstr(sim_agent_pair(p->a.agent), "10.0.0.1:50001") == NULL) sim_run_for(p->s, 1);
  sim_rule rule = {.from = p->b.host, .to = sim_addr("10.0.0.1:50001")};
  sim_rule_add(p->s, &rule);
  sim_run_for(p->s, 10000);
  uint64_t timers = sim_agent_timers(p->a.agent);
  sim_run_for(p->s, 1000);
  assert_true(sim_agent_timers(p->a.agent) - timers < 50);
  peers_free(p);
}

/* ice.h: FLOE_E_STATE only before the first gathering, and after close. */
static void restarts_in_a_row(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_start(p);
  assert_int_equal(sim_agent_restart(p->a.agent), FLOE_E_STATE);
  peers_true(p, peers_connect(p, 1000));
  char ufrag[300];
  (void)snprintf(ufrag, sizeof ufrag, "%s", floe_ice_agent_local_parameters(sim_agent_core(p->a.agent))->ufrag);
  assert_int_equal(sim_agent_restart(p->a.agent), FLOE_OK);
  assert_int_equal(sim_agent_restart(p->a.agent), FLOE_OK);
  assert_string_not_equal(floe_ice_agent_local_parameters(sim_agent_core(p->a.agent))->ufrag, ufrag);
  peers_true(p, sim_agent_is_connected(p->a.agent));
  peers_exchange_data(p);
  peers_free(p);
}

/* ice.h: this side's parameters are valid until a restart; a second gathering is none. */
static void parameters_outlive_a_second_gathering(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_start(p);
  sim_agent *a = p->a.agent;
  const floe_ice_parameters *params = floe_ice_agent_local_parameters(sim_agent_core(a));
  char ufrag[300];
  (void)snprintf(ufrag, sizeof ufrag, "%s", params->ufrag);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(sim_agent_gather(a), FLOE_OK);
    assert_true(sim_agent_run_to_complete(a, 1000));
    sim_run_for(p->s, 1000);
    assert_string_equal(params->ufrag, ufrag);
    assert_ptr_equal(params, floe_ice_agent_local_parameters(sim_agent_core(a)));
  }
  assert_int_equal(sim_agent_restart(a), FLOE_OK);
  assert_string_not_equal(floe_ice_agent_local_parameters(sim_agent_core(a))->ufrag, ufrag);
  peers_free(p);
}

/* --- time ----------------------------------------------------------------------------------------------------------
 */

/* The calls return, whatever the clock says. */
static void time_that_jumps_to_its_end(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    peers *p = peers_new(1);
    peers_true(p, peers_connect(p, 1000));
    floe_ice_agent *agent = sim_agent_core(p->a.agent);
    floe_time late = i == 0 ? UINT64_MAX : i == 1 ? UINT64_MAX - 1 : UINT64_MAX / 2 + 1;
    floe_input in = {.type = FLOE_INPUT_TIMER};
    floe_ice_agent_input(agent, late, &in);
    floe_output out;
    int n = 0;
    do {
      floe_ice_agent_poll(agent, &out);
    } while (out.type != FLOE_OUTPUT_WAIT && ++n < 1000);
    assert_int_equal(out.type, FLOE_OUTPUT_WAIT);
    assert_int_equal(floe_ice_agent_connection_state(agent), FLOE_ICE_CONNECTION_FAILED);
    p->a.no_close = true;
    sim_agent_set_lenient(p->a.agent);
    peers_free(p);
  }
}

/* --- what is told when it is refused --------------------------------------------------------------------------------
 */

static void a_refused_description_says_where(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  const char *other = "a=ice-ufrag:other\r\na=ice-pwd:otherPasswordOtherPassword\r\n";
  assert_int_equal(sim_agent_set_remote_description(p->a.agent, other), FLOE_E_STATE);
  assert_string_equal(sim_agent_why(p->a.agent)->path, "description");
  peers_free(p);
}

/* All or nothing: a candidate of other parameters is found before anything is taken. */
static void a_description_with_a_strange_candidate_is_refused_whole(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_start(p);
  assert_int_equal(sim_agent_gather(p->a.agent), FLOE_OK);
  const char *text =
      "a=candidate:1 1 udp 2130706431 10.0.1.1 7000 typ host ufrag wrong\r\n"
      "a=ice-ufrag:right\r\na=ice-pwd:otherPasswordOtherPassword\r\n";
  assert_int_equal(sim_agent_set_remote_description(p->a.agent, text), FLOE_E_NOT_FOUND);
  assert_string_equal(sim_agent_why(p->a.agent)->path, "description");
  assert_int_equal(sim_agent_why(p->a.agent)->offset, 0);
  assert_null(floe_ice_agent_remote_parameters(sim_agent_core(p->a.agent)));
  assert_false(has_event(p->a.agent, "connection checking"));
  peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_restart_that_is_lost_at_once),
      cmocka_unit_test(restarts_in_a_row),
      cmocka_unit_test(parameters_outlive_a_second_gathering),
      cmocka_unit_test(time_that_jumps_to_its_end),
      cmocka_unit_test(a_refused_description_says_where),
      cmocka_unit_test(a_description_with_a_strange_candidate_is_refused_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
