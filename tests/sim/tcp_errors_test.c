/* TCP: refused, unreachable, reset and closed end an attempt when the network says so (the contract's section 5). */
#include "support/world.h"

#define URL "turn:192.0.2.1?transport=tcp"

static void check(const char *script, const char *expected) {
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TCP, script);
  world_add(w, URL);
  world_gather(w);
  world_expect(w, expected);
  world_free(w);
}

static void a_closed_port_is_told_within_a_round_trip(void **state) {
  (void)state;
  world *w = world_new(1);
  world_add(w, URL);
  world_gather(w);
  world_expect(w, BEGIN "10.0 error 701 tcp_refused " URL " at 10.0.0.1:* connect\n" END("10.0"));
  const sim_error *e = sim_agent_error(w->agent, 0);
  assert_true(e->detail.has_os_error);
  assert_int_equal(e->detail.os_error, sim_errno(FLOE_NET_REFUSED));
  world_free(w);
}

static void a_refused_connect_tells_its_port(void **state) {
  (void)state;
  world *w = world_new(1);
  world_add(w, URL);
  world_gather(w);
  const sim_error *e = sim_agent_error(w->agent, 0);
  assert_true(e->has_address);
  assert_true(e->has_port);
  assert_int_equal(e->port, 50001);
  world_free(w);
}

static void an_error_that_ends_connect_ends_the_address_at_once(void **state) {
  (void)state;
  static const struct {
    uint8_t code;
    const char *cause;
  } icmp[] = {{0, "net_unreachable"}, {1, "host_unreachable"}, {3, "tcp_refused"}, {9, "net_unreachable"}};
  char expected[300];
  for (size_t i = 0; i < sizeof icmp / sizeof icmp[0]; i++) {
    world *w = world_new(1);
    sim_reject(w->s, "192.0.2.1", 3, icmp[i].code);
    world_add(w, URL);
    world_gather(w);
    (void)snprintf(expected, sizeof expected, BEGIN "10.0 error 701 %s " URL " at * connect\n" END("10.0"),
                   icmp[i].cause);
    world_expect(w, expected);
    world_free(w);
  }
}

static void so_does_one_of_the_local_system(void **state) {
  (void)state;
  static const struct {
    floe_net_error error;
    const char *cause;
  } cases[] = {{FLOE_NET_NET_UNREACHABLE, "net_unreachable"},
               {FLOE_NET_HOST_UNREACHABLE, "host_unreachable"},
               {FLOE_NET_DENIED, "send_denied"},
               {FLOE_NET_TIMED_OUT, "tcp_timeout"},
               {FLOE_NET_NO_RESOURCES, "socket_failed"}};
  char expected[300];
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    world *w = world_new(1);
    sim_fail_send(w->s, "192.0.2.1", cases[i].error);
    world_add(w, URL);
    world_gather(w);
    (void)snprintf(expected, sizeof expected, BEGIN "0.0 error 701 %s " URL " at * *\n" END("0.0"), cases[i].cause);
    world_expect(w, expected);
    world_free(w);
  }
}

static void reset_and_closed_are_told_apart(void **state) {
  (void)state;
  check("reset-after-accept", BEGIN "20.0 error 701 tcp_reset " URL " at 10.0.0.1:50001 allocate\n" END("20.0"));
  check("close-after-accept", BEGIN "20.0 error 701 tcp_closed " URL " at 10.0.0.1:50001 allocate\n" END("20.0"));
  check("reset-after-401", BEGIN "20.0 error 701 tcp_reset " URL " at 10.0.0.1:50001 allocate\n" END("20.0"));
  check("close-after-401", BEGIN "20.0 error 701 tcp_closed " URL " at 10.0.0.1:50001 allocate\n" END("20.0"));
}

static void a_connection_that_goes_silent_has_no_answer(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TCP, NULL);
  sim_rule_add(w->s, &(sim_rule){.from = w->client, .proto = SIM_TCP, .action = SIM_DROP, .skip = 1});
  world_add(w, URL);
  world_gather(w);
  world_expect(w, BEGIN "5010.0 error 701 no_answer " URL " at 10.0.0.1:50001 allocate\n" END("5010.0"));
  world_free(w);
}

static void the_allocation_survives_nothing_but_its_own_connection(void **state) {
  (void)state;
  /* A server that answers and then closes has answered. */
  check("bytewise", BEGIN "30.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 tcp " URL "\n" END("30.0"));
}

static void a_lost_syn_is_only_late(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TCP, NULL);
  sim_rule_add(w->s, &(sim_rule){.to = sim_addr("192.0.2.1:3478"), .action = SIM_DROP, .times = 2});
  world_add(w, URL);
  world_gather(w);
  world_expect(w, BEGIN "3030.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 tcp " URL "\n" END("3030.0"));
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_closed_port_is_told_within_a_round_trip),
      cmocka_unit_test(a_refused_connect_tells_its_port),
      cmocka_unit_test(an_error_that_ends_connect_ends_the_address_at_once),
      cmocka_unit_test(so_does_one_of_the_local_system),
      cmocka_unit_test(reset_and_closed_are_told_apart),
      cmocka_unit_test(a_connection_that_goes_silent_has_no_answer),
      cmocka_unit_test(the_allocation_survives_nothing_but_its_own_connection),
      cmocka_unit_test(a_lost_syn_is_only_late),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
