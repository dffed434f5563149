/* The contract's section 5: hard ICMP errors end an address when they arrive, soft ones at the second or as the cause
 * at the deadline; what quotes something else counts for nobody. */
#include "support/world.h"

static void check(const char *server, const sim_rule *rule, const char *expected) {
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth0", "2001:db8:1::1", NULL);
  char url[64], all[400];
  (void)snprintf(url, sizeof url, "stun:%s", server);
  sim_rule_add(w->s, rule);
  sim_rule_add(w->s, &(sim_rule){.from = w->client, .action = SIM_DROP}); /* what the rule lets pass */
  world_add(w, url);
  world_gather(w);
  (void)snprintf(all, sizeof all,
                 "0.0 state gathering\n0.0 candidate host 10.0.0.1:50000\n"
                 "0.0 candidate host [2001:db8:1::1]:50001\n%s",
                 expected);
  world_expect(w, all);
  world_free(w);
}

#define LINE4(ms, cause) ms " error 701 " cause " stun:192.0.2.1 at 10.0.0.1:50000 binding\n" END(ms)
#define LINE6(ms, cause) ms " error 701 " cause " stun:[2001:db8:2::1] at [2001:db8:1::1]:50001 binding\n" END(ms)

static void hard_errors_end_it_within_a_round_trip(void **state) {
  (void)state;
  static const struct {
    uint8_t type, code;
    const char *expected;
  } ipv4[] = {{3, 2, LINE4("10.0", "port_unreachable")},
              {3, 3, LINE4("10.0", "port_unreachable")},
              {3, 9, LINE4("10.0", "send_denied")},
              {3, 10, LINE4("10.0", "send_denied")},
              {3, 13, LINE4("10.0", "send_denied")}},
    ipv6[] = {{1, 1, LINE6("10.0", "send_denied")}, {1, 4, LINE6("10.0", "port_unreachable")}};
  for (size_t i = 0; i < sizeof ipv4 / sizeof ipv4[0]; i++) {
    check("192.0.2.1", &(sim_rule){.action = SIM_REJECT, .icmp_type = ipv4[i].type, .icmp_code = ipv4[i].code},
          ipv4[i].expected);
  }
  for (size_t i = 0; i < sizeof ipv6 / sizeof ipv6[0]; i++) {
    check("[2001:db8:2::1]", &(sim_rule){.action = SIM_REJECT, .icmp_type = ipv6[i].type, .icmp_code = ipv6[i].code},
          ipv6[i].expected);
  }
}

static void a_second_soft_error_ends_it(void **state) {
  (void)state;
  check("192.0.2.1", &(sim_rule){.action = SIM_REJECT, .icmp_type = 3, .icmp_code = 0},
        LINE4("510.0", "net_unreachable"));
  check("192.0.2.1", &(sim_rule){.action = SIM_REJECT, .icmp_type = 3, .icmp_code = 1},
        LINE4("510.0", "host_unreachable"));
  check("[2001:db8:2::1]", &(sim_rule){.action = SIM_REJECT, .icmp_type = 1, .icmp_code = 0},
        LINE6("510.0", "net_unreachable"));
  check("[2001:db8:2::1]", &(sim_rule){.action = SIM_REJECT, .icmp_type = 1, .icmp_code = 3},
        LINE6("510.0", "host_unreachable"));
}

static void one_soft_error_alone_is_the_cause_at_the_deadline(void **state) {
  (void)state;
  check("192.0.2.1", &(sim_rule){.action = SIM_REJECT, .icmp_type = 3, .icmp_code = 1, .times = 1},
        LINE4("5000.0", "host_unreachable"));
  check("192.0.2.1", &(sim_rule){.action = SIM_REJECT, .icmp_type = 3, .icmp_code = 0, .skip = 3},
        LINE4("5000.0", "net_unreachable"));
}

static void one_soft_error_does_not_hurt_an_answer(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  sim_rule_add(w->s, &(sim_rule){.from = w->client, .action = SIM_REJECT, .icmp_type = 3, .icmp_code = 1, .times = 1});
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN "510.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n" END("510.0"));
  world_free(w);
}

static void soft_errors_of_two_requests_are_two_for_the_address(void **state) {
  (void)state;
  /* One for the first Allocate, one for the authenticated: "whichever transmission drew it". */
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  sim_rule_add(w->s, &(sim_rule){.from = w->client, .action = SIM_REJECT, .icmp_type = 3, .icmp_code = 1, .times = 1});
  sim_rule_add(w->s, &(sim_rule){.from = w->client, .action = SIM_REJECT, .icmp_type = 3, .icmp_code = 1, .skip = 1});
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN "520.0 error 701 host_unreachable turn:192.0.2.1 at 10.0.0.1:50000 allocate\n" END("520.0"));
  world_free(w);
}

static void too_big_never_ends_it(void **state) {
  (void)state;
  check("192.0.2.1", &(sim_rule){.action = SIM_REJECT, .icmp_type = 3, .icmp_code = 4}, LINE4("5000.0", "udp_timeout"));
  check("[2001:db8:2::1]", &(sim_rule){.action = SIM_REJECT, .icmp_type = 2, .icmp_code = 0},
        LINE6("5000.0", "udp_timeout"));
}

static void errors_of_the_local_system_count_alike(void **state) {
  (void)state;
  check("192.0.2.1", &(sim_rule){.action = SIM_FAIL_SEND, .error = FLOE_NET_NET_UNREACHABLE},
        LINE4("500.0", "net_unreachable"));
  check("192.0.2.1", &(sim_rule){.action = SIM_FAIL_SEND, .error = FLOE_NET_HOST_UNREACHABLE},
        LINE4("500.0", "host_unreachable"));
  check("192.0.2.1", &(sim_rule){.action = SIM_FAIL_SEND, .error = FLOE_NET_NET_UNREACHABLE, .times = 1},
        LINE4("5000.0", "net_unreachable"));
  check("192.0.2.1", &(sim_rule){.action = SIM_FAIL_SEND, .error = FLOE_NET_DENIED}, LINE4("0.0", "send_denied"));
  check("192.0.2.1", &(sim_rule){.action = SIM_FAIL_SEND, .error = FLOE_NET_REFUSED}, LINE4("0.0", "port_unreachable"));
}

static void a_soft_error_of_each_kind_together_end_it(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_rule_add(w->s, &(sim_rule){.action = SIM_FAIL_SEND, .error = FLOE_NET_NET_UNREACHABLE, .times = 1});
  sim_rule_add(w->s, &(sim_rule){.action = SIM_REJECT, .icmp_type = 3, .icmp_code = 1});
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN "510.0 error 701 *_unreachable stun:192.0.2.1 at 10.0.0.1:50000 binding\n" END("510.0"));
  world_free(w);
}

static void the_detail_names_the_icmp_error(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_reject(w->s, "192.0.2.1", 3, 13);
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  const sim_error *e = sim_agent_error(w->agent, 0);
  assert_true(e->detail.has_icmp);
  assert_int_equal(e->detail.icmp_type, 3);
  assert_int_equal(e->detail.icmp_code, 13);
  assert_int_equal(e->detail.attempts, 1);
  world_free(w);
}

static void the_detail_names_the_system_s_error(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_fail_send(w->s, "192.0.2.1", FLOE_NET_DENIED);
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  const sim_error *e = sim_agent_error(w->agent, 0);
  assert_true(e->detail.has_os_error);
  assert_int_equal(e->detail.os_error, sim_errno(FLOE_NET_DENIED));
  assert_string_equal(e->os_error_text, sim_errno_text(FLOE_NET_DENIED));
  assert_false(e->detail.has_icmp);
  world_free(w);
}

/* "An ICMP error counts only when it quotes a destination and local port of an open transaction." */
static void a_forged_one_counts_for_nobody(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "late=200");
  world_add(w, "stun:192.0.2.1");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 50);
  static const char *const others[] = {"192.0.2.2:3478", "192.0.2.1:3479", "[2001:db8:2::1]:3478"};
  for (size_t i = 0; i < 3; i++) {
    sim_agent_feed(
        w->agent,
        &(floe_input){.type = FLOE_INPUT_ICMP, .sock = 1, .addr = sim_addr(others[i]), .icmp_type = 3, .icmp_code = 3});
  }
  sim_agent_feed(
      w->agent,
      &(floe_input){
          .type = FLOE_INPUT_ICMP, .sock = 99, .addr = sim_addr("192.0.2.1:3478"), .icmp_type = 3, .icmp_code = 3});
  assert_true(sim_agent_run_to_complete(w->agent, 10000));
  world_expect(w, BEGIN "210.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n" END("210.0"));
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hard_errors_end_it_within_a_round_trip),
      cmocka_unit_test(a_second_soft_error_ends_it),
      cmocka_unit_test(one_soft_error_alone_is_the_cause_at_the_deadline),
      cmocka_unit_test(one_soft_error_does_not_hurt_an_answer),
      cmocka_unit_test(soft_errors_of_two_requests_are_two_for_the_address),
      cmocka_unit_test(too_big_never_ends_it),
      cmocka_unit_test(errors_of_the_local_system_count_alike),
      cmocka_unit_test(a_soft_error_of_each_kind_together_end_it),
      cmocka_unit_test(the_detail_names_the_icmp_error),
      cmocka_unit_test(the_detail_names_the_system_s_error),
      cmocka_unit_test(a_forged_one_counts_for_nobody),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
