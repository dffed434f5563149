#include "exit_status.h"

#include <errno.h>

#include "fixture.h"

/* The status of a result with one failed server for each cause given, up to three. */
static int status_of(floe_cause a, floe_cause b, floe_cause c) {
  const floe_cause causes[] = {a, b, c};
  fixture f = {0};
  for (size_t i = 0; i < 3; i++) {
    if (causes[i] == FLOE_CAUSE_NONE) continue;
    floe_server_report *s = fixture_server(&f, "turn:turn.example.org", FLOE_VERDICT_FAILED, causes[i]);
    (void)fixture_bad(&f, s, "192.0.2.1:3478", causes[i]);
  }
  floe__result_init(&f.result, &f.report, f.report.n_servers);
  int status = floe__exit_of_result(&f.result);
  floe__result_clear(&f.result);
  return status;
}

/* The contract's section 7, class by class. */
static void each_cause_has_its_class(void **state) {
  (void)state;
  static const struct {
    floe_cause cause;
    int status;
  } rows[] = {
      {FLOE_CAUSE_DNS_UNREACHABLE, 3},
      {FLOE_CAUSE_DNS_TIMEOUT, 3},
      {FLOE_CAUSE_DNS_REFUSED, 3},
      {FLOE_CAUSE_DNS_SERVFAIL, 3},
      {FLOE_CAUSE_DNS_NODATA, 3},
      {FLOE_CAUSE_DNS_NXDOMAIN, 3},
      {FLOE_CAUSE_NO_LOCAL_ADDRESS, 4},
      {FLOE_CAUSE_PORT_RANGE_EXHAUSTED, 4},
      {FLOE_CAUSE_SOCKET_FAILED, 4},
      {FLOE_CAUSE_NET_UNREACHABLE, 4},
      {FLOE_CAUSE_HOST_UNREACHABLE, 4},
      {FLOE_CAUSE_SEND_DENIED, 4},
      {FLOE_CAUSE_PORT_UNREACHABLE, 4},
      {FLOE_CAUSE_UDP_TIMEOUT, 4},
      {FLOE_CAUSE_TCP_REFUSED, 4},
      {FLOE_CAUSE_TCP_TIMEOUT, 4},
      {FLOE_CAUSE_TCP_RESET, 4},
      {FLOE_CAUSE_TCP_CLOSED, 4},
      {FLOE_CAUSE_NO_ANSWER, 4},
      {FLOE_CAUSE_TLS_TIMEOUT, 5},
      {FLOE_CAUSE_TLS_NOT_TLS, 5},
      {FLOE_CAUSE_TLS_ALERT, 5},
      {FLOE_CAUSE_TLS_UNTRUSTED, 5},
      {FLOE_CAUSE_TLS_EXPIRED, 5},
      {FLOE_CAUSE_TLS_NAME_MISMATCH, 5},
      {FLOE_CAUSE_AUTH_REQUIRED, 6},
      {FLOE_CAUSE_MALFORMED_CHALLENGE, 6},
      {FLOE_CAUSE_AUTH_REJECTED, 6},
      {FLOE_CAUSE_AUTH_EXPIRED, 6},
      {FLOE_CAUSE_STALE_NONCE_LOOP, 6},
      {FLOE_CAUSE_QUOTA_REACHED, 7},
      {FLOE_CAUSE_INSUFFICIENT_CAPACITY, 7},
      {FLOE_CAUSE_ALLOC_MISMATCH, 7},
      {FLOE_CAUSE_FAMILY_UNSUPPORTED, 7},
      {FLOE_CAUSE_TRANSPORT_UNSUPPORTED, 7},
      {FLOE_CAUSE_FORBIDDEN, 7},
      {FLOE_CAUSE_NOT_STUN, 9},
      {FLOE_CAUSE_WRONG_TRANSACTION, 9},
      {FLOE_CAUSE_BAD_FINGERPRINT, 9},
      {FLOE_CAUSE_BAD_INTEGRITY, 9},
      {FLOE_CAUSE_MALFORMED_RESPONSE, 9},
      {FLOE_CAUSE_STUN_ERROR, 9},
      {FLOE_CAUSE_REDIRECT_LOOP, 9},
      {FLOE_CAUSE_REDIRECT_REFUSED, 9},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(status_of(rows[i].cause, FLOE_CAUSE_NONE, FLOE_CAUSE_NONE), rows[i].status);
  }
}

static void the_lowest_class_of_several(void **state) {
  (void)state;
  assert_int_equal(status_of(FLOE_CAUSE_NOT_STUN, FLOE_CAUSE_AUTH_REJECTED, FLOE_CAUSE_TLS_EXPIRED), 5);
  assert_int_equal(status_of(FLOE_CAUSE_UDP_TIMEOUT, FLOE_CAUSE_DNS_NXDOMAIN, FLOE_CAUSE_TLS_EXPIRED), 3);
}

static void without_a_failure(void **state) {
  (void)state;
  static const struct {
    floe_verdict verdict;
    int status;
  } rows[] = {{FLOE_VERDICT_OK, 0}, {FLOE_VERDICT_UNUSED, 0}, {FLOE_VERDICT_DEGRADED, 1}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    fixture f = {0};
    (void)fixture_server(&f, "stun:stun.example.org", rows[i].verdict, FLOE_CAUSE_NONE);
    floe__result_init(&f.result, &f.report, 1);
    assert_int_equal(floe__exit_of_result(&f.result), rows[i].status);
    floe__result_clear(&f.result);
  }
}

static void a_derived_failure_only_degrades(void **state) {
  (void)state;
  fixture f = {0};
  (void)fixture_server(&f, "turn:turn.example.org", FLOE_VERDICT_OK, FLOE_CAUSE_NONE);
  (void)fixture_server(&f, "turns:turn.example.org", FLOE_VERDICT_FAILED, FLOE_CAUSE_TCP_REFUSED);
  floe__result_init(&f.result, &f.report, 1);
  assert_int_equal(f.result.verdict, FLOE_VERDICT_DEGRADED);
  assert_int_equal(floe__exit_of_result(&f.result), 1);
  floe__result_clear(&f.result);
  floe__result_init(&f.result, &f.report, 2); /* asked for by name, it fails */
  assert_int_equal(floe__exit_of_result(&f.result), 4);
  floe__result_clear(&f.result);
}

static void a_derived_failure_does_not_lower_the_class(void **state) {
  (void)state;
  fixture f = {0};
  (void)fixture_server(&f, "turn:turn.example.org", FLOE_VERDICT_FAILED, FLOE_CAUSE_AUTH_REJECTED);
  (void)fixture_server(&f, "turns:turn.example.org", FLOE_VERDICT_FAILED, FLOE_CAUSE_TCP_REFUSED);
  floe__result_init(&f.result, &f.report, 1);
  assert_int_equal(floe__exit_of_result(&f.result), 6);
  floe__result_clear(&f.result);
}

static void rounds_together(void **state) {
  (void)state;
  assert_int_equal(floe__exit_combine(0, 0), 0);
  assert_int_equal(floe__exit_combine(0, 1), 1);
  assert_int_equal(floe__exit_combine(1, 0), 1);
  assert_int_equal(floe__exit_combine(1, 6), 6);
  assert_int_equal(floe__exit_combine(6, 4), 4);
  assert_int_equal(floe__exit_combine(0, 9), 9);
}

static void output_that_nobody_reads(void **state) {
  (void)state;
  assert_int_equal(floe__exit_of_lost_output(EPIPE), 141);
  assert_int_equal(floe__exit_of_lost_output(EBADF), 141);
  assert_int_equal(floe__exit_of_lost_output(0), 141);
  assert_int_equal(floe__exit_of_lost_output(ENOSPC), 9);
}

static void the_table_lists_all(void **state) {
  (void)state;
  caught c;
  catch_open(&c);
  floe__exit_print_table(c.out);
  const char *text = catch_close(&c);
  for (int i = 0; i <= 9; i++) {
    char start[8];
    (void)snprintf(start, sizeof start, "  %d  ", i);
    expect_contains(text, start);
  }
  catch_free(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_cause_has_its_class),
      cmocka_unit_test(the_lowest_class_of_several),
      cmocka_unit_test(without_a_failure),
      cmocka_unit_test(a_derived_failure_only_degrades),
      cmocka_unit_test(a_derived_failure_does_not_lower_the_class),
      cmocka_unit_test(rounds_together),
      cmocka_unit_test(output_that_nobody_reads),
      cmocka_unit_test(the_table_lists_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
