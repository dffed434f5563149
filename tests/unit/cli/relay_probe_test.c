#include "relay_probe.h"

#include "fixture.h"

typedef struct wire {
  uint8_t packet[FLOE__PROBE_LEN], echo[FLOE__PROBE_LEN];
} wire;

static floe_bytes bytes(const uint8_t *p) {
  return (floe_bytes){p, FLOE__PROBE_LEN};
}

/* A packet of `end` that is sent at `now`, arrives at the other end, and whose echo comes back `rtt` later. */
static void round_trip(floe__probe_log *log, floe__probe_end end, floe_time now, floe_time rtt) {
  wire w;
  floe__probe_end other = end == FLOE__PROBE_OUT ? FLOE__PROBE_BACK : FLOE__PROBE_OUT;
  floe__probe_write(log, end, now, w.packet);
  assert_true(floe__probe_read(log, other, now + rtt / 2, bytes(w.packet), w.echo));
  assert_false(floe__probe_read(log, end, now + rtt, bytes(w.echo), w.packet));
}

static void everything_arrives(void **state) {
  (void)state;
  floe__probe_log log = {.key = 7};
  floe__relay_result r = {0};
  for (unsigned i = 0; i < FLOE__PROBE_COUNT; i++) {
    assert_false(floe__probe_is_complete(&log));
    round_trip(&log, FLOE__PROBE_OUT, i * 20 * FLOE_MS, 10 * FLOE_MS);
    round_trip(&log, FLOE__PROBE_BACK, i * 20 * FLOE_MS, 30 * FLOE_MS);
  }
  assert_true(floe__probe_is_complete(&log));
  floe__probe_judge(&log, &r);
  assert_int_equal(r.outcome, FLOE__RELAY_FLOWS);
  assert_int_equal(r.cause, FLOE_CAUSE_NONE);
  assert_int_equal(r.sent, 10);
  assert_int_equal(r.arrived_out, 10);
  assert_int_equal(r.arrived_back, 10);
  assert_int_equal(r.n_rtt, 20);
  assert_true(r.rtt_min_ms == 10 && r.rtt_max_ms == 30 && r.rtt_avg_ms == 20);
  assert_true(r.jitter_ms == 20); /* 10, 30, 10, 30 ... */
}

static void nothing_arrives(void **state) {
  (void)state;
  floe__probe_log log = {.key = 7};
  floe__relay_result r = {0};
  wire w;
  for (unsigned i = 0; i < FLOE__PROBE_COUNT; i++) {
    floe__probe_write(&log, FLOE__PROBE_OUT, 1, w.packet);
    floe__probe_write(&log, FLOE__PROBE_BACK, 1, w.packet);
  }
  floe__probe_judge(&log, &r);
  assert_int_equal(r.outcome, FLOE__RELAY_NO_DATA);
  assert_int_equal(r.cause, FLOE_CAUSE_RELAY_NO_DATA);
  assert_int_equal(r.sent, 10);
  assert_int_equal(r.arrived_out + r.arrived_back, 0);
  assert_int_equal(r.n_rtt, 0);
}

static void one_way_is_not_enough(void **state) {
  (void)state;
  floe__probe_log log = {.key = 7};
  floe__relay_result r = {0};
  wire w;
  floe__probe_write(&log, FLOE__PROBE_OUT, 1, w.packet);
  assert_true(floe__probe_read(&log, FLOE__PROBE_BACK, 2, bytes(w.packet), w.echo));
  floe__probe_write(&log, FLOE__PROBE_BACK, 1, w.packet);
  floe__probe_judge(&log, &r);
  assert_int_equal(r.outcome, FLOE__RELAY_NO_DATA);
  assert_int_equal(r.arrived_out, 1);
  assert_int_equal(r.arrived_back, 0);
}

static void duplicates_count_once(void **state) {
  (void)state;
  floe__probe_log log = {.key = 7};
  wire w;
  uint8_t again[FLOE__PROBE_LEN];
  floe__probe_write(&log, FLOE__PROBE_OUT, 1, w.packet);
  assert_true(floe__probe_read(&log, FLOE__PROBE_BACK, 2, bytes(w.packet), w.echo));
  assert_false(floe__probe_read(&log, FLOE__PROBE_BACK, 3, bytes(w.packet), again));
  assert_false(floe__probe_read(&log, FLOE__PROBE_OUT, 4, bytes(w.echo), again));
  assert_false(floe__probe_read(&log, FLOE__PROBE_OUT, 5, bytes(w.echo), again));
  assert_int_equal(log.n_rtt, 1);
}

static void strangers_are_ignored(void **state) {
  (void)state;
  floe__probe_log log = {.key = 7}, other = {.key = 8};
  wire w;
  floe__probe_write(&other, FLOE__PROBE_OUT, 1, w.packet);
  floe__probe_write(&log, FLOE__PROBE_OUT, 1, w.echo); /* so that sequence number 0 was sent */
  assert_false(floe__probe_read(&log, FLOE__PROBE_BACK, 2, bytes(w.packet), w.echo)); /* another key */
  floe__probe_write(&log, FLOE__PROBE_OUT, 1, w.packet);
  assert_false(floe__probe_read(&log, FLOE__PROBE_OUT, 2, bytes(w.packet), w.echo)); /* at its own end */
  assert_false(floe__probe_read(&log, FLOE__PROBE_BACK, 2, (floe_bytes){w.packet, FLOE__PROBE_LEN - 1}, w.echo));
  assert_false(floe__probe_read(&log, FLOE__PROBE_BACK, 2, (floe_bytes){NULL, 0}, w.echo));
  w.packet[0] ^= 1;
  assert_false(floe__probe_read(&log, FLOE__PROBE_BACK, 2, bytes(w.packet), w.echo));
  w.packet[0] ^= 1;
  w.packet[6] = 9; /* a packet that was never sent */
  assert_false(floe__probe_read(&log, FLOE__PROBE_BACK, 2, bytes(w.packet), w.echo));
  w.packet[6] = 1;
  w.packet[5] = 2; /* no such end */
  assert_false(floe__probe_read(&log, FLOE__PROBE_BACK, 2, bytes(w.packet), w.echo));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everything_arrives),    cmocka_unit_test(nothing_arrives),
      cmocka_unit_test(one_way_is_not_enough), cmocka_unit_test(duplicates_count_once),
      cmocka_unit_test(strangers_are_ignored),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
