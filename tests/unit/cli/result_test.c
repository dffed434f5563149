#include "result.h"

#include "fixture.h"

typedef struct good_turn {
  fixture f;
  floe_attempt_report *attempt;
} good_turn;

/* One TURN server whose gathering went well. */
static void set_up(good_turn *t, const char *server, const char *relayed, const char *mapped) {
  memset(t, 0, sizeof *t);
  floe_server_report *s = fixture_server(&t->f, "turn:turn.example.org", FLOE_VERDICT_OK, FLOE_CAUSE_NONE);
  t->attempt = fixture_good(&t->f, s, server);
  t->attempt->relayed = addr(relayed);
  t->attempt->mapped = addr(mapped);
  floe__result_init(&t->f.result, &t->f.report, 1);
}

static void expect(good_turn *t, floe_verdict verdict, floe_cause cause) {
  floe__result_judge(&t->f.result);
  assert_int_equal(t->f.result.servers[0].verdict, verdict);
  assert_int_equal(t->f.result.servers[0].cause, cause);
  assert_int_equal(t->f.result.verdict, verdict);
  floe__result_clear(&t->f.result);
}

static void public_addresses_are_fine(void **state) {
  (void)state;
  good_turn t;
  set_up(&t, "198.51.100.1:3478", "198.51.100.7:50000", "203.0.113.9:1000");
  assert_true(t.f.result.servers[0].is_turn);
  (void)fixture_relay(&t.f, 0, FLOE__RELAY_FLOWS, FLOE_CAUSE_NONE);
  expect(&t, FLOE_VERDICT_OK, FLOE_CAUSE_NONE);
}

static void a_private_relay_degrades_while_data_flows(void **state) {
  (void)state;
  good_turn t;
  set_up(&t, "198.51.100.1:3478", "10.0.0.5:50000", "203.0.113.9:1000");
  (void)fixture_relay(&t.f, 0, FLOE__RELAY_FLOWS, FLOE_CAUSE_NONE);
  expect(&t, FLOE_VERDICT_DEGRADED, FLOE_CAUSE_RELAY_PRIVATE_ADDRESS);
}

static void a_private_relay_without_a_test_degrades(void **state) {
  (void)state;
  good_turn t;
  set_up(&t, "198.51.100.1:3478", "172.17.0.2:50000", "203.0.113.9:1000");
  expect(&t, FLOE_VERDICT_DEGRADED, FLOE_CAUSE_RELAY_PRIVATE_ADDRESS);
}

static void a_private_relay_without_data_fails(void **state) {
  (void)state;
  good_turn t;
  set_up(&t, "198.51.100.1:3478", "10.0.0.5:50000", "203.0.113.9:1000");
  (void)fixture_relay(&t.f, 0, FLOE__RELAY_NO_DATA, FLOE_CAUSE_RELAY_NO_DATA);
  expect(&t, FLOE_VERDICT_FAILED, FLOE_CAUSE_RELAY_PRIVATE_ADDRESS);
  set_up(&t, "198.51.100.1:3478", "10.0.0.5:50000", "203.0.113.9:1000");
  (void)fixture_relay(&t.f, 0, FLOE__RELAY_NOT_TESTED, FLOE_CAUSE_PERMISSION_FAILED);
  expect(&t, FLOE_VERDICT_FAILED, FLOE_CAUSE_RELAY_PRIVATE_ADDRESS);
}

static void a_private_mapped_address_degrades(void **state) {
  (void)state;
  good_turn t;
  set_up(&t, "198.51.100.1:3478", "198.51.100.7:50000", "172.17.0.1:1000");
  (void)fixture_relay(&t.f, 0, FLOE__RELAY_FLOWS, FLOE_CAUSE_NONE);
  expect(&t, FLOE_VERDICT_DEGRADED, FLOE_CAUSE_RELAY_PRIVATE_ADDRESS);
}

/* A public server that is reached without a NAT on the way: in a company's own network. */
static void a_mapped_address_of_our_own_is_fine(void **state) {
  (void)state;
  good_turn t;
  set_up(&t, "198.51.100.1:3478", "198.51.100.7:50000", "10.0.0.9:1000");
  t.attempt->detail.local_address = addr("10.0.0.9:1000");
  expect(&t, FLOE_VERDICT_OK, FLOE_CAUSE_NONE);
}

static void a_private_additional_relay_degrades(void **state) {
  (void)state;
  good_turn t;
  set_up(&t, "198.51.100.1:3478", "198.51.100.7:50000", "203.0.113.9:1000");
  t.attempt->relayed_additional = addr("[fd00::1]:50000");
  expect(&t, FLOE_VERDICT_DEGRADED, FLOE_CAUSE_RELAY_PRIVATE_ADDRESS);
}

static void a_private_server_is_not_blamed(void **state) {
  (void)state;
  good_turn t;
  set_up(&t, "10.0.0.1:3478", "10.0.0.1:50000", "10.0.0.9:1000");
  (void)fixture_relay(&t.f, 0, FLOE__RELAY_FLOWS, FLOE_CAUSE_NONE);
  expect(&t, FLOE_VERDICT_OK, FLOE_CAUSE_NONE);
}

static void a_dead_relay_fails(void **state) {
  (void)state;
  good_turn t;
  set_up(&t, "198.51.100.1:3478", "198.51.100.7:50000", "203.0.113.9:1000");
  (void)fixture_relay(&t.f, 0, FLOE__RELAY_NO_DATA, FLOE_CAUSE_RELAY_NO_DATA);
  expect(&t, FLOE_VERDICT_FAILED, FLOE_CAUSE_RELAY_NO_DATA);
}

static void one_dead_relay_of_two_degrades(void **state) {
  (void)state;
  good_turn t;
  set_up(&t, "198.51.100.1:3478", "198.51.100.7:50000", "203.0.113.9:1000");
  (void)fixture_relay(&t.f, 0, FLOE__RELAY_NO_DATA, FLOE_CAUSE_RELAY_NO_DATA);
  (void)fixture_relay(&t.f, 0, FLOE__RELAY_FLOWS, FLOE_CAUSE_NONE);
  expect(&t, FLOE_VERDICT_DEGRADED, FLOE_CAUSE_RELAY_NO_DATA);
}

static void an_untested_relay_degrades(void **state) {
  (void)state;
  good_turn t;
  set_up(&t, "198.51.100.1:3478", "198.51.100.7:50000", "203.0.113.9:1000");
  (void)fixture_relay(&t.f, 0, FLOE__RELAY_NOT_TESTED, FLOE_CAUSE_QUOTA_REACHED);
  expect(&t, FLOE_VERDICT_DEGRADED, FLOE_CAUSE_QUOTA_REACHED);
  set_up(&t, "198.51.100.1:3478", "198.51.100.7:50000", "203.0.113.9:1000");
  (void)fixture_relay(&t.f, 0, FLOE__RELAY_NOT_TESTED, FLOE_CAUSE_PERMISSION_FAILED);
  expect(&t, FLOE_VERDICT_DEGRADED, FLOE_CAUSE_PERMISSION_FAILED);
}

static void a_degraded_server_keeps_its_cause(void **state) {
  (void)state;
  fixture f = {0};
  floe_server_report *s = fixture_server(&f, "turn:turn.example.org", FLOE_VERDICT_DEGRADED, FLOE_CAUSE_UDP_TIMEOUT);
  (void)fixture_good(&f, s, "198.51.100.1:3478");
  floe_attempt_report *bad = fixture_bad(&f, s, "[2001:db8::1]:3478", FLOE_CAUSE_UDP_TIMEOUT);
  floe__result_init(&f.result, &f.report, 1);
  (void)fixture_relay(&f, 0, FLOE__RELAY_NOT_TESTED, FLOE_CAUSE_QUOTA_REACHED);
  floe__result_judge(&f.result);
  assert_int_equal(f.result.servers[0].cause, FLOE_CAUSE_UDP_TIMEOUT);
  assert_ptr_equal(floe__result_first_failure(s), bad);
  floe__result_clear(&f.result);
}

static void a_failed_server_stays_as_it_is(void **state) {
  (void)state;
  fixture f = {0};
  floe_server_report *s = fixture_server(&f, "stun:stun.example.org", FLOE_VERDICT_FAILED, FLOE_CAUSE_NOT_STUN);
  (void)fixture_bad(&f, s, "198.51.100.1:3478", FLOE_CAUSE_UDP_TIMEOUT);
  floe_attempt_report *told = fixture_bad(&f, s, "198.51.100.2:3478", FLOE_CAUSE_NOT_STUN);
  floe__result_init(&f.result, &f.report, 1);
  assert_int_equal(f.result.servers[0].verdict, FLOE_VERDICT_FAILED);
  assert_int_equal(f.result.servers[0].cause, FLOE_CAUSE_NOT_STUN);
  assert_false(f.result.servers[0].is_turn);
  assert_ptr_equal(floe__result_first_failure(s), told);
  assert_null(floe__result_first_candidate(s));
  floe__result_clear(&f.result);
}

static void verdict_over_all(void **state) {
  (void)state;
  static const struct {
    floe_verdict servers[3], all;
  } rows[] = {
      {{FLOE_VERDICT_OK, FLOE_VERDICT_OK, FLOE_VERDICT_UNUSED}, FLOE_VERDICT_OK},
      {{FLOE_VERDICT_OK, FLOE_VERDICT_DEGRADED, FLOE_VERDICT_UNUSED}, FLOE_VERDICT_DEGRADED},
      {{FLOE_VERDICT_FAILED, FLOE_VERDICT_DEGRADED, FLOE_VERDICT_OK}, FLOE_VERDICT_FAILED},
      {{FLOE_VERDICT_UNUSED, FLOE_VERDICT_UNUSED, FLOE_VERDICT_UNUSED}, FLOE_VERDICT_UNUSED},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    fixture f = {0};
    for (size_t k = 0; k < 3; k++)
      (void)fixture_server(&f, "stun:stun.example.org", rows[i].servers[k], FLOE_CAUSE_NONE);
    floe__result_init(&f.result, &f.report, 3);
    assert_int_equal(f.result.verdict, rows[i].all);
    floe__result_clear(&f.result);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(public_addresses_are_fine),
      cmocka_unit_test(a_private_relay_degrades_while_data_flows),
      cmocka_unit_test(a_private_relay_without_a_test_degrades),
      cmocka_unit_test(a_private_relay_without_data_fails),
      cmocka_unit_test(a_private_mapped_address_degrades),
      cmocka_unit_test(a_mapped_address_of_our_own_is_fine),
      cmocka_unit_test(a_private_additional_relay_degrades),
      cmocka_unit_test(a_private_server_is_not_blamed),
      cmocka_unit_test(a_dead_relay_fails),
      cmocka_unit_test(one_dead_relay_of_two_degrades),
      cmocka_unit_test(an_untested_relay_degrades),
      cmocka_unit_test(a_degraded_server_keeps_its_cause),
      cmocka_unit_test(a_failed_server_stays_as_it_is),
      cmocka_unit_test(verdict_over_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
