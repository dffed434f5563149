/* The contract's section 5: how long each step may take, and that a black hole is reported within 5.5 s. */
#include "support/world.h"

static void udp_is_given_up_five_seconds_after_the_first_of_four(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_drop(w->s, "192.0.2.1");
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect_wire(w, "send",
                    "0.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Allocate\n"
                    "500.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Allocate\n"
                    "1500.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Allocate\n"
                    "3500.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Allocate\n");
  world_expect(w, BEGIN "5000.0 error 701 udp_timeout turn:192.0.2.1 at 10.0.0.1:50000 allocate\n" END("5000.0"));
  assert_int_equal(sim_agent_error(w->agent, 0)->detail.attempts, 4);
  world_free(w);
}

static void each_step_over_tcp_and_tls_has_its_own(void **state) {
  (void)state;
  static const struct {
    const char *url;
    floe_transport transport;
    const char *script;
    const char *expected;
  } cases[] = {
      {"turn:192.0.2.9?transport=tcp", FLOE_TRANSPORT_TCP, NULL,
       "4000.0 error 701 tcp_timeout turn:192.0.2.9?transport=tcp at 10.0.0.1:* connect\n" END("4000.0")},
      {"turns:192.0.2.9", FLOE_TRANSPORT_TLS, NULL,
       "4000.0 error 701 tcp_timeout turns:192.0.2.9 at 10.0.0.1:* connect\n" END("4000.0")},
      {"turns:192.0.2.1", FLOE_TRANSPORT_TLS, "tls-hangs",
       "4010.0 error 701 tls_timeout turns:192.0.2.1 at 10.0.0.1:50001 tls\n" END("4010.0")},
      {"stuns:192.0.2.1", FLOE_TRANSPORT_TLS, "tls-hangs",
       "4010.0 error 701 tls_timeout stuns:192.0.2.1 at 10.0.0.1:50001 tls\n" END("4010.0")},
      {"turn:192.0.2.1?transport=tcp", FLOE_TRANSPORT_TCP, "silent",
       "5010.0 error 701 no_answer turn:192.0.2.1?transport=tcp at 10.0.0.1:50001 allocate\n" END("5010.0")},
      {"turn:192.0.2.1?transport=tcp", FLOE_TRANSPORT_TCP, "silent-after-401",
       "5020.0 error 701 no_answer turn:192.0.2.1?transport=tcp at 10.0.0.1:50001 allocate\n" END("5020.0")},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    world *w = world_new(1);
    char expected[400];
    world_listen(w, cases[i].transport, cases[i].script);
    world_add(w, cases[i].url);
    world_gather(w);
    (void)snprintf(expected, sizeof expected, BEGIN "%s", cases[i].expected);
    world_expect(w, expected);
    world_free(w);
  }
}

static void a_name_is_given_four_seconds(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_dns_silence(w->s, "turn.example.org", FLOE_FAMILY_IPV4);
  world_add(w, "turn:turn.example.org");
  world_gather(w);
  world_expect(w, BEGIN "4000.0 error 701 dns_timeout turn:turn.example.org at - dns\n" END("4000.0"));
  world_free(w);
}

/* A server that is slow at every step meets the limit of one server: the cause is that of the step in progress. */
static void one_server_has_ten_seconds_in_all(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.timing.gathering_timeout_ms = 30000;
  world_listen(w, FLOE_TRANSPORT_TCP, "late=4900");
  /* The SYN is lost twice: connected after 3010 ms, challenged at 7920, and the last answer would come at 12830. */
  sim_rule_add(w->s, &(sim_rule){.to = sim_addr("192.0.2.1:3478"), .action = SIM_DROP, .times = 2});
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  world_expect(
      w, BEGIN "10000.0 error 701 no_answer turn:192.0.2.1?transport=tcp at 10.0.0.1:50001 allocate\n" END("10000.0"));
  world_free(w);
}

static void gathering_has_ten_seconds_in_all(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TCP, "late=4900");
  sim_rule_add(w->s, &(sim_rule){.to = sim_addr("192.0.2.1:3478"), .action = SIM_DROP, .times = 2});
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
  sim_dns_set(w->s, "turn.example.org", FLOE_FAMILY_IPV4, FLOE_DNS_OK, 3000);
  world_add(w, "turn:turn.example.org?transport=tcp");
  world_gather(w);
  world_expect(
      w, BEGIN
      "10000.0 error 701 no_answer turn:turn.example.org?transport=tcp at 10.0.0.1:50001 allocate\n" END("10000.0"));
  world_free(w);
}

/* Each kind of step in progress when the overall limit comes, with the cause that its own deadline would have had. */
static void the_overall_limit_tells_the_step_in_progress(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.timing.gathering_timeout_ms = 1000;
  world_listen(w, FLOE_TRANSPORT_UDP, "silent");
  world_listen(w, FLOE_TRANSPORT_TCP, "silent");
  world_listen(w, FLOE_TRANSPORT_TLS, "tls-hangs");
  sim_dns_silence(w->s, "turn.example.org", FLOE_FAMILY_IPV4);
  world_add(w, "turn:turn.example.org");
  world_add(w, "turn:192.0.2.1");
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_add(w, "turns:192.0.2.1");
  world_add(w, "turn:192.0.2.9?transport=tcp");
  world_gather(w);
  world_expect(w, BEGIN
               "1000.0 error 701 dns_timeout turn:turn.example.org at - dns\n"
               "1000.0 error 701 udp_timeout turn:192.0.2.1 at 10.0.0.1:50000 allocate\n"
               "1000.0 error 701 no_answer turn:192.0.2.1?transport=tcp at 10.0.0.1:50001 allocate\n"
               "1000.0 error 701 tls_timeout turns:192.0.2.1 at 10.0.0.1:50002 tls\n"
               "1000.0 error 701 tcp_timeout turn:192.0.2.9?transport=tcp at 10.0.0.1:* connect\n" END("1000.0"));
  world_free(w);
}

static void a_soft_error_is_the_cause_at_the_overall_limit_too(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.timing.gathering_timeout_ms = 300;
  sim_reject(w->s, "192.0.2.1", 3, 1);
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN "300.0 error 701 host_unreachable stun:192.0.2.1 at 10.0.0.1:50000 binding\n" END("300.0"));
  world_free(w);
}

static void each_deadline_can_be_set(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.timing.rto_ms = 100;
  w->cfg.timing.transmissions = 3;
  w->cfg.timing.udp_timeout_ms = 900;
  w->cfg.timing.connect_timeout_ms = 200;
  w->cfg.timing.dns_timeout_ms = 300;
  sim_drop(w->s, "192.0.2.1");
  sim_dns_silence(w->s, "turn.example.org", FLOE_FAMILY_IPV4);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_add(w, "turn:turn.example.org");
  world_gather(w);
  world_expect(w, BEGIN
               "205.0 error 701 tcp_timeout turn:192.0.2.1?transport=tcp at 10.0.0.1:* connect\n"
               "300.0 error 701 dns_timeout turn:turn.example.org at - dns\n"
               "900.0 error 701 udp_timeout stun:192.0.2.1 at 10.0.0.1:50000 binding\n" END("900.0"));
  world_expect_wire(w, "send",
                    "0.0 send udp * Binding\n"
                    "100.0 send udp * Binding\n"
                    "300.0 send udp * Binding\n");
  world_free(w);
}

static void sixty_four_black_holes_are_complete_within_five_and_a_half_seconds(void **state) {
  (void)state;
  static char urls[64][40];
  world *w = world_new(1);
  for (unsigned i = 0; i < 64; i++) {
    (void)snprintf(urls[i], sizeof urls[i], "turn:198.51.100.%u%s", i + 1, i % 3 == 1 ? "?transport=tcp" : "");
    world_add(w, urls[i]);
  }
  world_gather(w);
  assert_int_equal(sim_agent_n_errors(w->agent), 64);
  assert_true(sim_now(w->s) <= 5500 * FLOE_MS);
  world_free(w);
}

/* An attempt whose turn did not come within the overall limit has ended too, and is told. */
static void an_attempt_that_never_started_is_told(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.timing.ta_ms = 6000;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:192.0.2.9");
  world_add(w, "stun:192.0.2.8");
  world_add(w, "turn:192.0.2.8?transport=tcp");
  world_gather(w);
  world_expect(w, BEGIN
               "10.0 candidate srflx *\n"
               "10000.0 error 701 udp_timeout stun:192.0.2.9 at 10.0.0.1:50000 binding\n"
               "10000.0 error 701 udp_timeout stun:192.0.2.8 at * *\n"
               "10000.0 error 701 tcp_timeout turn:192.0.2.8?transport=tcp at * *\n" END("10000.0"));
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(udp_is_given_up_five_seconds_after_the_first_of_four),
      cmocka_unit_test(each_step_over_tcp_and_tls_has_its_own),
      cmocka_unit_test(a_name_is_given_four_seconds),
      cmocka_unit_test(one_server_has_ten_seconds_in_all),
      cmocka_unit_test(gathering_has_ten_seconds_in_all),
      cmocka_unit_test(the_overall_limit_tells_the_step_in_progress),
      cmocka_unit_test(a_soft_error_is_the_cause_at_the_overall_limit_too),
      cmocka_unit_test(each_deadline_can_be_set),
      cmocka_unit_test(an_attempt_that_never_started_is_told),
      cmocka_unit_test(sixty_four_black_holes_are_complete_within_five_and_a_half_seconds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
