#include "stun/txn.h"

#include "fixture.h"

#define MS(n) ((floe_time)(n)*FLOE_MS)

/* The contract's section 5. */
static const floe__stun_timing timing = {
    .rto_ms = 500, .transmissions = 4, .udp_timeout_ms = 5000, .stream_timeout_ms = 5000};

static int set_up(void **state) {
  bed *b = malloc(sizeof *b);
  assert_non_null(b);
  bed_init(b);
  *state = b;
  return 0;
}

static int tear_down(void **state) {
  bed_clear(*state);
  free(*state);
  return 0;
}

static floe__stun_msg message(const uint8_t *id, floe__stun_class cls) {
  static uint8_t buf[20];
  floe__stun_builder b;
  floe__stun_begin(&b, buf, sizeof buf, cls, FLOE__STUN_BINDING, id);
  return parse_ok(floe__stun_end(&b));
}

static void schedule_over_udp(void **state) {
  bed *b = *state;
  floe__stun_txn txn = {0};
  floe__stun_txn_start(&txn, b->env, &timing, false, MS(1000));
  assert_int_equal(txn.state, FLOE__STUN_TXN_OPEN);
  assert_int_equal(txn.sent, 1);
  static const unsigned retransmissions[] = {500, 1500, 3500};
  for (size_t i = 0; i < 3; i++) {
    floe_time at = MS(1000 + retransmissions[i]);
    assert_true(floe__stun_txn_deadline(&txn) == at);
    assert_int_equal(floe__stun_txn_on_deadline(&txn, at - 1), FLOE__STUN_TXN_NOTHING);
    assert_int_equal(floe__stun_txn_on_deadline(&txn, at), FLOE__STUN_TXN_RETRANSMIT);
    assert_int_equal(txn.sent, i + 2);
    assert_true(txn.last_at == at);
    assert_int_equal(floe__stun_txn_on_deadline(&txn, at), FLOE__STUN_TXN_NOTHING);
  }
  assert_true(floe__stun_txn_deadline(&txn) == MS(6000));
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(6000) - 1), FLOE__STUN_TXN_NOTHING);
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(6000)), FLOE__STUN_TXN_GIVE_UP);
  assert_int_equal(txn.state, FLOE__STUN_TXN_TIMED_OUT);
  assert_true(floe__stun_txn_deadline(&txn) == FLOE_TIME_NEVER);
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(9000)), FLOE__STUN_TXN_NOTHING);
}

static void over_a_stream_nothing_is_retransmitted(void **state) {
  bed *b = *state;
  floe__stun_timing t = timing;
  t.stream_timeout_ms = 7000;
  floe__stun_txn txn = {0};
  floe__stun_txn_start(&txn, b->env, &t, true, MS(10));
  assert_true(floe__stun_txn_deadline(&txn) == MS(7010));
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(7009)), FLOE__STUN_TXN_NOTHING);
  assert_int_equal(txn.sent, 1);
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(7010)), FLOE__STUN_TXN_GIVE_UP);
}

static void a_single_transmission(void **state) {
  bed *b = *state;
  floe__stun_timing t = timing;
  t.transmissions = 1;
  floe__stun_txn txn = {0};
  floe__stun_txn_start(&txn, b->env, &t, false, 0);
  assert_true(floe__stun_txn_deadline(&txn) == MS(5000));
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(500)), FLOE__STUN_TXN_NOTHING);
}

static void no_more_transmissions_than_allowed(void **state) {
  bed *b = *state;
  floe__stun_timing t = {.rto_ms = 100, .transmissions = 2, .udp_timeout_ms = 5000, .stream_timeout_ms = 5000};
  floe__stun_txn txn = {0};
  floe__stun_txn_start(&txn, b->env, &t, false, 0);
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(100)), FLOE__STUN_TXN_RETRANSMIT);
  assert_true(floe__stun_txn_deadline(&txn) == MS(5000));
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(4000)), FLOE__STUN_TXN_NOTHING);
  assert_int_equal(txn.sent, 2);
}

/* A deadline that was noticed late gives one retransmission, not a burst. */
static void late_deadline(void **state) {
  bed *b = *state;
  floe__stun_txn txn = {0};
  floe__stun_txn_start(&txn, b->env, &timing, false, 0);
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(2000)), FLOE__STUN_TXN_RETRANSMIT);
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(2000)), FLOE__STUN_TXN_NOTHING);
  assert_true(floe__stun_txn_deadline(&txn) == MS(3000));
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(60000)), FLOE__STUN_TXN_GIVE_UP);
}

static void times_do_not_wrap(void **state) {
  bed *b = *state;
  floe__stun_timing t = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
  floe__stun_txn txn = {0};
  floe_time now = FLOE_TIME_NEVER - 2;
  floe__stun_txn_start(&txn, b->env, &t, false, now);
  assert_true(floe__stun_txn_deadline(&txn) == FLOE_TIME_NEVER - 1);
  assert_int_equal(floe__stun_txn_on_deadline(&txn, now), FLOE__STUN_TXN_NOTHING);
}

static void which_responses_are_taken(void **state) {
  bed *b = *state;
  floe__stun_txn txn = {0};
  floe__stun_msg m = message(test_id, FLOE__STUN_SUCCESS);
  assert_false(floe__stun_txn_take_response(&txn, &m, 0)); /* not started */

  floe__stun_txn_start(&txn, b->env, &timing, false, 0);
  assert_false(floe__stun_txn_take_response(&txn, &m, 0)); /* another id */
  uint8_t near[FLOE__STUN_TXN_ID];
  memcpy(near, txn.id, sizeof near);
  near[11] ^= 1;
  m = message(near, FLOE__STUN_SUCCESS);
  assert_false(floe__stun_txn_take_response(&txn, &m, 0));
  m = message(txn.id, FLOE__STUN_REQUEST);
  assert_false(floe__stun_txn_take_response(&txn, &m, 0)); /* our own request, reflected */
  m = message(txn.id, FLOE__STUN_INDICATION);
  assert_false(floe__stun_txn_take_response(&txn, &m, 0));
  assert_int_equal(txn.state, FLOE__STUN_TXN_OPEN);
  m = message(txn.id, FLOE__STUN_ERROR);
  assert_true(floe__stun_txn_take_response(&txn, &m, 0));
  assert_int_equal(txn.state, FLOE__STUN_TXN_ANSWERED);
  assert_false(floe__stun_txn_take_response(&txn, &m, 0)); /* a duplicate */
  assert_true(floe__stun_txn_deadline(&txn) == FLOE_TIME_NEVER);
}

static void ids_are_random(void **state) {
  bed *b = *state;
  floe__stun_txn txn = {0};
  uint8_t first[FLOE__STUN_TXN_ID];
  floe__stun_txn_start(&txn, b->env, &timing, false, 0);
  memcpy(first, txn.id, sizeof first);
  static const uint8_t want[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}; /* the fixture's generator counts */
  assert_memory_equal(first, want, sizeof want);
  floe__stun_txn_start(&txn, b->env, &timing, false, 0);
  assert_memory_not_equal(first, txn.id, sizeof first);
}

/* Karn: after a retransmission nobody knows which transmission was answered. */
static void round_trip(void **state) {
  bed *b = *state;
  floe__stun_txn txn = {0};
  double ms = -1;
  floe__stun_txn_start(&txn, b->env, &timing, false, MS(100));
  assert_true(floe__stun_txn_rtt(&txn, MS(100) + 12500000, &ms));
  assert_true(ms == 12.5);
  assert_true(floe__stun_txn_rtt(&txn, MS(50), &ms));
  assert_true(ms == 0.0);
  ms = -1;
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(600)), FLOE__STUN_TXN_RETRANSMIT);
  assert_false(floe__stun_txn_rtt(&txn, MS(601), &ms));
  assert_true(ms == -1);
}

static void cleared(void **state) {
  bed *b = *state;
  floe__stun_txn txn = {0};
  floe__stun_txn_clear(&txn);
  floe__stun_txn_start(&txn, b->env, &timing, false, 0);
  floe__stun_msg m = message(txn.id, FLOE__STUN_SUCCESS);
  floe__stun_txn_clear(&txn);
  assert_int_equal(txn.state, FLOE__STUN_TXN_IDLE);
  assert_true(floe__stun_txn_deadline(&txn) == FLOE_TIME_NEVER);
  assert_int_equal(floe__stun_txn_on_deadline(&txn, MS(9000)), FLOE__STUN_TXN_NOTHING);
  assert_false(floe__stun_txn_take_response(&txn, &m, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(schedule_over_udp, set_up, tear_down),
      cmocka_unit_test_setup_teardown(over_a_stream_nothing_is_retransmitted, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_single_transmission, set_up, tear_down),
      cmocka_unit_test_setup_teardown(no_more_transmissions_than_allowed, set_up, tear_down),
      cmocka_unit_test_setup_teardown(late_deadline, set_up, tear_down),
      cmocka_unit_test_setup_teardown(times_do_not_wrap, set_up, tear_down),
      cmocka_unit_test_setup_teardown(which_responses_are_taken, set_up, tear_down),
      cmocka_unit_test_setup_teardown(ids_are_random, set_up, tear_down),
      cmocka_unit_test_setup_teardown(round_trip, set_up, tear_down),
      cmocka_unit_test_setup_teardown(cleared, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
