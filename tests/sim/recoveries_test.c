/* The contract's section 3: what Floe does about 401, 438, 437, 300 and 420 before an error stands. */
#include "support/world.h"

#define RELAY(ms)                                                                        \
  ms " candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n" ms \
     " candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 turn:192.0.2.1\n"

static world *turn_world(const char *script) {
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, script);
  world_add(w, "turn:192.0.2.1");
  return w;
}

static void check(const char *script, const char *expected) {
  world *w = turn_world(script);
  world_gather(w);
  world_expect(w, expected);
  world_free(w);
}

/* --- 401 --------------------------------------------------------------------------------------------------------- */

static void a_wrong_credential_stands_as_401(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add_with(w, "turn:192.0.2.1", "user", "wrong");
  world_gather(w);
  world_expect(
      w,
      BEGIN "20.0 error 401 auth_rejected turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Unauthenticated\"\n" END("20.0"));
  world_free(w);
}

static void a_user_name_that_has_expired_says_so(void **state) {
  (void)state;
  static const struct {
    const char *user, *cause;
  } cases[] = {{"1767225599:alice", "auth_expired"}, /* one second before the test's clock */
               {"1767225599", "auth_expired"},
               {"1767225700:alice", "auth_rejected"},
               {"alice:1767225599", "auth_rejected"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    world *w = world_new(1);
    char expected[300];
    world_listen(w, FLOE_TRANSPORT_UDP, "401-forever");
    world_add_with(w, "turn:192.0.2.1", cases[i].user, "some-credential");
    world_gather(w);
    (void)snprintf(expected, sizeof expected,
                   BEGIN
                   "20.0 error 401 %s turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Unauthenticated\"\n" END("20.0"),
                   cases[i].cause);
    world_expect(w, expected);
    world_free(w);
  }
}

static void a_challenge_without_nonce_or_realm_stands(void **state) {
  (void)state;
  check(
      "401-no-nonce", BEGIN
      "10.0 error 401 malformed_challenge turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Unauthenticated\"\n" END("10.0"));
  check(
      "401-no-realm", BEGIN
      "10.0 error 401 malformed_challenge turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Unauthenticated\"\n" END("10.0"));
}

static void a_stun_url_that_is_challenged_needs_credentials(void **state) {
  (void)state;
  world *w = world_new(1);
  w->ts.stun_needs_auth = true;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(
      w,
      BEGIN "10.0 error 401 auth_required stun:192.0.2.1 at 10.0.0.1:50000 binding \"Unauthenticated\"\n" END("10.0"));
  world_free(w);
}

/* --- 438 --------------------------------------------------------------------------------------------------------- */

static void a_stale_nonce_is_retried(void **state) {
  (void)state;
  check("stale-once", BEGIN RELAY("30.0") END("30.0"));
}

static void three_stale_nonces_in_a_row_are_enough(void **state) {
  (void)state;
  /* 401, then four authenticated requests: the first and three retries */
  world *w = turn_world("stale-forever");
  world_gather(w);
  world_expect(
      w,
      BEGIN "50.0 error 438 stale_nonce_loop turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Stale Nonce\"\n" END("50.0"));
  assert_int_equal(sim_server_counters(w->server).requests, 5);
  world_free(w);
}

/* --- 437 --------------------------------------------------------------------------------------------------------- */

static void a_mismatch_gets_a_new_port_twice(void **state) {
  (void)state;
  /* Each port asks anew: a round trip for the challenge and one for the answer. */
  world *w = turn_world("437=1");
  world_gather(w);
  world_expect(w, BEGIN
               "*.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40001 udp turn:192.0.2.1\n"
               "*.0 candidate srflx 203.0.113.1:40001 base=10.0.0.1:50001 turn:192.0.2.1\n"
               "*.0 candidate end\n*.0 state complete\n");
  assert_true(sim_now(w->s) == 30 * FLOE_MS || sim_now(w->s) == 40 * FLOE_MS);
  world_free(w);

  w = turn_world("437=2");
  world_gather(w);
  world_expect(w, BEGIN
               "*.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40002 udp turn:192.0.2.1\n"
               "*.0 candidate srflx 203.0.113.1:40002 base=10.0.0.1:50002 turn:192.0.2.1\n"
               "*.0 candidate end\n*.0 state complete\n");
  world_free(w);
}

static void a_third_mismatch_stands(void **state) {
  (void)state;
  world *w = turn_world("437=3");
  world_gather(w);
  world_expect(w, BEGIN
               "*.0 error 437 alloc_mismatch turn:192.0.2.1 at 10.0.0.1:50002 allocate \"Allocation Mismatch\"\n"
               "*.0 candidate end\n*.0 state complete\n");
  assert_true(sim_now(w->s) <= 60 * FLOE_MS);
  world_free(w);
}

/* --- 420 --------------------------------------------------------------------------------------------------------- */

static void an_optional_attribute_that_is_named_is_left_out(void **state) {
  (void)state;
  /* ADDITIONAL-ADDRESS-FAMILY is named in the answer to the first request; the challenge comes after that. */
  check("420-optional", BEGIN RELAY("30.0") END("30.0"));
}

static void so_is_software(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.software = "Floe";
  world_listen(w, FLOE_TRANSPORT_UDP, "420-optional");
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN "20.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n" END("20.0"));
  world_free(w);
}

static void a_lifetime_is_left_out_too(void **state) {
  (void)state;
  world *w = turn_world("420-optional");
  w->cfg.relay_family = FLOE_RELAY_FAMILY_IPV4;
  w->cfg.allocation_lifetime_s = 900;
  world_gather(w);
  world_expect(w, BEGIN RELAY("30.0") END("30.0"));
  world_free(w);
}

static void a_420_stands_when_nothing_can_be_left_out(void **state) {
  (void)state;
  check("error-after-auth=420:Unknown",
        BEGIN "20.0 error 420 stun_error turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Unknown\"\n" END("20.0"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wrong_credential_stands_as_401),
      cmocka_unit_test(a_user_name_that_has_expired_says_so),
      cmocka_unit_test(a_challenge_without_nonce_or_realm_stands),
      cmocka_unit_test(a_stun_url_that_is_challenged_needs_credentials),
      cmocka_unit_test(a_stale_nonce_is_retried),
      cmocka_unit_test(three_stale_nonces_in_a_row_are_enough),
      cmocka_unit_test(a_mismatch_gets_a_new_port_twice),
      cmocka_unit_test(a_third_mismatch_stands),
      cmocka_unit_test(an_optional_attribute_that_is_named_is_left_out),
      cmocka_unit_test(so_is_software),
      cmocka_unit_test(a_lifetime_is_left_out_too),
      cmocka_unit_test(a_420_stands_when_nothing_can_be_left_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
