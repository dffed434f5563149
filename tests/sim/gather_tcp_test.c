/* TCP host candidates (RFC 6544 4): active ones silently, passive and simultaneous-open ones where asked for. */
#include "support/world.h"

static const floe_ice_candidate *local(const world *w, size_t n) {
  const floe_ice_candidate *const *list;
  assert_true(floe_ice_agent_local_candidates(sim_agent_core(w->agent), &list) > n);
  return list[n];
}

static void without_being_asked_for_none_is_told(void **state) {
  (void)state;
  world *w = world_new(1);
  world_gather(w);
  world_expect(w, BEGIN END("0.0"));
  world_expect_wire(w, "open", "0.0 open udp 10.0.0.1\n");
  world_free(w);
}

static void a_passive_candidate_has_its_listeners_port(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.tcp_passive = true;
  world_gather(w);
  world_expect(w, BEGIN
               "0.0 candidate host 10.0.0.1:9 tcp active\n"
               "0.0 candidate host 10.0.0.1:50001 tcp passive\n" END("0.0"));
  world_expect_wire(w, "open", "0.0 open udp 10.0.0.1\n0.0 open tcp 10.0.0.1 listen\n");
  /* RFC 6544 4.2 and 4.5. Below UDP, active before passive. */
  assert_string_equal(local(w, 1)->text + strcspn(local(w, 1)->text, "."), ".0.0.1 9 typ host tcptype active");
  assert_string_equal(local(w, 2)->text + strcspn(local(w, 2)->text, "."), ".0.0.1 50001 typ host tcptype passive");
  assert_true(local(w, 0)->priority > local(w, 1)->priority);
  assert_true(local(w, 1)->priority > local(w, 2)->priority);
  assert_int_equal(local(w, 2)->priority >> 24, 90);
  assert_int_equal(local(w, 2)->priority >> 21 & 7, 4);
  assert_int_equal(local(w, 2)->transport, FLOE_TRANSPORT_TCP);
  /* A foundation is that of one transport protocol (RFC 8445 5.1.1.3). */
  assert_string_not_equal(local(w, 0)->foundation, local(w, 2)->foundation);
  assert_string_equal(local(w, 1)->foundation, local(w, 2)->foundation);
  world_free(w);
}

static void a_simultaneous_open_candidate_shares_its_port(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.tcp_so = true;
  world_gather(w);
  world_expect(w, BEGIN
               "0.0 candidate host 10.0.0.1:9 tcp active\n"
               "0.0 candidate host 10.0.0.1:50001 tcp so\n" END("0.0"));
  world_expect_wire(w, "open tcp", "0.0 open tcp 10.0.0.1 listen shared\n");
  world_free(w);
}

static void each_base_has_its_own(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "10.0.0.1", "eth1", "10.0.1.1", NULL);
  w->cfg.tcp_passive = w->cfg.tcp_so = true;
  world_gather(w);
  assert_int_equal(floe_ice_agent_local_candidates(sim_agent_core(w->agent), NULL), 8);
  uint32_t seen[8];
  for (size_t i = 0; i < 8; i++) {
    seen[i] = local(w, i)->priority;
    for (size_t k = 0; k < i; k++) assert_int_not_equal(seen[i], seen[k]);
  }
  world_expect_wire(w, "listen",
                    "0.0 open tcp 10.0.0.1 listen\n0.0 open tcp 10.0.0.1 listen shared\n"
                    "0.0 open tcp 10.0.1.1 listen\n0.0 open tcp 10.0.1.1 listen shared\n");
  world_free(w);
}

static void ports_come_from_the_range(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.tcp_passive = w->cfg.tcp_so = true;
  w->cfg.port_min = 40000;
  w->cfg.port_max = 40001;
  world_gather(w);
  assert_int_equal(floe_ice_agent_local_candidates(sim_agent_core(w->agent), NULL), 4);
  for (size_t i = 0; i < 4; i++) {
    const floe_ice_candidate *c = local(w, i);
    if (c->tcp_type == FLOE_TCP_TYPE_ACTIVE) {
      assert_int_equal(c->address.port, 9);
    } else {
      assert_in_range(c->address.port, 40000, 40001);
    }
  }
  world_free(w);
}

/* No server is concerned: no event, but a line in the trace. */
static void a_listener_that_fails_is_no_error_of_a_server(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.tcp_passive = true;
  w->cfg.port_min = w->cfg.port_max = 40000;
  floe_addr taken = sim_addr("10.0.0.1:40000");
  floe_net_error why;
  assert_non_null(sim_tcp_listen_at(w->client, &taken, false, NULL, NULL, &why));
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 10.0.0.1:40000\n"
               "0.0 candidate host 10.0.0.1:9 tcp active\n" END("0.0"));
  assert_non_null(strstr(sim_agent_trace(w->agent), "\"gather.listener\""));
  assert_non_null(strstr(sim_agent_trace(w->agent), "\"port_range_exhausted\""));
  world_free(w);
}

static void only_what_surfaces_listens(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.tcp_passive = true;
  w->cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  world_gather(w);
  world_expect(w, "0.0 state gathering\n" END("0.0"));
  world_expect_wire(w, "open", "");
  world_free(w);
}

static void closing_closes_the_listeners(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.tcp_passive = w->cfg.tcp_so = true;
  world_gather(w);
  sim_agent_clear_log(w->agent);
  sim_agent_close(w->agent);
  world_expect_wire(w, "close tcp", "0.0 close tcp 10.0.0.1:5000*\n0.0 close tcp 10.0.0.1:5000*\n");
  world_free(w);
}

/* RFC 8445 2.5, RFC 6544 4.1: a lite agent has host candidates only, and of TCP the passive ones. */
static void a_lite_agent_only_waits(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.lite = true;
  w->cfg.tcp_passive = true;
  world_gather(w);
  world_expect(w, BEGIN "0.0 candidate host 10.0.0.1:50001 tcp passive\n" END("0.0"));
  world_free(w);
}

static void no_memory_is_survived(void **state) {
  (void)state;
  uint64_t all = 0;
  for (uint64_t fail_at = 0; fail_at == 0 || fail_at <= all; fail_at++) {
    world *w = world_new(1);
    w->cfg.tcp_passive = w->cfg.tcp_so = true;
    w->options.fail_at = fail_at;
    world_start(w);
    if (sim_agent_core(w->agent) != NULL && sim_agent_gather(w->agent) == FLOE_OK) {
      assert_true(sim_agent_run_to_complete(w->agent, 20000));
    }
    if (fail_at == 0) all = sim_agent_allocations(w->agent);
    world_free(w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_being_asked_for_none_is_told),
      cmocka_unit_test(a_passive_candidate_has_its_listeners_port),
      cmocka_unit_test(a_simultaneous_open_candidate_shares_its_port),
      cmocka_unit_test(each_base_has_its_own),
      cmocka_unit_test(ports_come_from_the_range),
      cmocka_unit_test(a_listener_that_fails_is_no_error_of_a_server),
      cmocka_unit_test(only_what_surfaces_listens),
      cmocka_unit_test(closing_closes_the_listeners),
      cmocka_unit_test(a_lite_agent_only_waits),
      cmocka_unit_test(no_memory_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
