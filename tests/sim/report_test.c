/* The report (the contract's section 2): one summary per configured URL in configuration order, with verdict, cause,
 * attempts, times and candidates, and one verdict over all. */
#include "support/world.h"

static void all_verdicts_side_by_side(void **state) {
  (void)state;
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth1", "10.0.0.2", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, NULL);
  sim_rule_add(w->s, &(sim_rule){.source = sim_addr("10.0.0.2"), .to = sim_addr("192.0.2.2"), .action = SIM_DROP});
  world_add(w, "stun:192.0.2.9");
  world_add(w, "stun:192.0.2.2");
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect_report(w,
                      "report failed\n"
                      "server 0.0 failed udp_timeout stun:192.0.2.9\n"
                      "  attempt error 701 udp_timeout udp 10.0.0.1:50000 > 192.0.2.9:3478 binding\n"
                      "  attempt error 701 udp_timeout udp 10.0.0.2:50001 > 192.0.2.9:3478 binding\n"
                      "server 1.0 degraded udp_timeout stun:192.0.2.2\n"
                      "  attempt candidate udp 10.0.0.1:50000 > 192.0.2.2:3478 mapped=203.0.113.1:40000\n"
                      "  attempt error 701 udp_timeout udp 10.0.0.2:50001 > 192.0.2.2:3478 binding\n"
                      "server 2.0 ok - stun:192.0.2.1\n"
                      "  attempt candidate udp 10.0.0.1:50000 > 192.0.2.1:3478 mapped=203.0.113.1:40000 redundant\n"
                      "  attempt candidate udp 10.0.0.2:50001 > 192.0.2.1:3478 mapped=203.0.113.1:40001\n");
  world_free(w);
}

static void degraded_when_none_failed(void **state) {
  (void)state;
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth1", "10.0.0.2", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, NULL);
  sim_rule_add(w->s, &(sim_rule){.source = sim_addr("10.0.0.2"), .to = sim_addr("192.0.2.2"), .action = SIM_DROP});
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:192.0.2.2");
  world_gather(w);
  world_expect_report(w, "report degraded\nserver 0.0 ok - *\n  *\n  *\nserver 1.0 degraded udp_timeout *\n  *\n  *\n");
  world_free(w);
}

static void unused_does_not_count(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect_report(w,
                      "report ok\n"
                      "server 0.0 unused - stun:192.0.2.1\n"
                      "server 1.0 ok - turn:192.0.2.1\n"
                      "  attempt candidate udp * > 192.0.2.1:3478 mapped=* relayed=192.0.2.1:50000*\n");
  world_free(w);
}

static void indices_name_entry_and_url(void **state) {
  (void)state;
  static const char *const first[] = {"stun:192.0.2.1", "stun:192.0.2.8"};
  static const char *const second[] = {"stun:192.0.2.9"};
  world *w = world_new(1);
  sim_drop(w->s, "192.0.2.8");
  sim_drop(w->s, "192.0.2.9");
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "");
  world_add(w, "");
  w->ice_servers[0].urls = first;
  w->ice_servers[0].n_urls = 2;
  w->ice_servers[1].urls = second;
  world_gather(w);
  world_expect_report(w,
                      "report failed\n"
                      "server 0.0 ok - stun:192.0.2.1\n  *\n"
                      "server 0.1 failed udp_timeout stun:192.0.2.8\n  *\n"
                      "server 1.0 failed udp_timeout stun:192.0.2.9\n  *\n");
  const sim_error *e = sim_agent_error(w->agent, 0);
  assert_int_equal(e->detail.server_index, 0);
  assert_int_equal(e->detail.url_index, 1);
  e = sim_agent_error(w->agent, 1);
  assert_int_equal(e->detail.server_index, 1);
  assert_int_equal(e->detail.url_index, 0);
  world_free(w);
}

static void candidates_and_times_are_in_it(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  assert_null(floe_ice_agent_report((world_start(w), sim_agent_core(w->agent))));
  world_gather(w);
  const floe_report *r = floe_ice_agent_report(sim_agent_core(w->agent));
  assert_true(r->elapsed_ms > 19.99 && r->elapsed_ms < 20.01);
  assert_int_equal(r->n_servers, 1);
  assert_int_equal(r->servers[0].n_candidates, 2);
  assert_int_equal(r->servers[0].candidates[0], sim_agent_relay(w->agent, 0));
  const floe_attempt_report *a = r->servers[0].attempts[0];
  assert_int_equal(a->outcome, FLOE_ATTEMPT_CANDIDATE);
  assert_int_equal(a->error_code, 0);
  assert_null(a->error_text);
  assert_true(a->has_request_ms && !a->has_dns_ms && !a->has_connect_ms && !a->has_tls_ms);
  assert_true(a->request_ms > 19.99 && a->request_ms < 20.01);
  assert_true(a->has_lifetime);
  assert_int_equal(a->lifetime_s, 600);
  assert_int_equal(a->detail.attempts, 2);
  assert_string_equal(a->detail.realm, "floe.test");
  assert_string_equal(a->detail.software, "Floe testserver");
  world_free(w);
}

static void before_completion_there_is_none(void **state) {
  (void)state;
  world *w = world_new(1);
  world_add(w, "stun:192.0.2.9");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 4000);
  assert_null(floe_ice_agent_report(sim_agent_core(w->agent)));
  assert_true(sim_agent_run_to_complete(w->agent, 5000));
  assert_non_null(floe_ice_agent_report(sim_agent_core(w->agent)));
  world_free(w);
}

static void a_private_relay_address_is_shown_as_it_is(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "relay-private");
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN
               "20.0 candidate relay 192.168.77.1:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
               "20.0 candidate srflx *\n" END("20.0"));
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_verdicts_side_by_side),
      cmocka_unit_test(degraded_when_none_failed),
      cmocka_unit_test(unused_does_not_count),
      cmocka_unit_test(indices_name_entry_and_url),
      cmocka_unit_test(candidates_and_times_are_in_it),
      cmocka_unit_test(before_completion_there_is_none),
      cmocka_unit_test(a_private_relay_address_is_shown_as_it_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
