#include "uv/alarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

#define MANY 500

static void on_due(floe__uv_alarm *alarm, floe_time now) {
  (void)alarm;
  (void)now;
}

static floe__uv_mem mem;
static floe__uv_alarms alarms;
static floe__uv_alarm pool[MANY];

static int setup(void **state) {
  (void)state;
  mem = floe__uv_mem_of(NULL);
  memset(&alarms, 0, sizeof alarms);
  for (size_t i = 0; i < MANY; i++) assert_true(floe__uv_alarm_init(&alarms, &mem, &pool[i], on_due));
  return 0;
}

static int teardown(void **state) {
  (void)state;
  for (size_t i = 0; i < MANY; i++) floe__uv_alarm_clear(&alarms, &pool[i]);
  assert_int_equal(alarms.n, 0);
  assert_int_equal(alarms.n_members, 0);
  floe__uv_alarms_clear(&alarms, &mem);
  return 0;
}

/* A small generator of its own, so that a failing order can be had again. */
static uint32_t next_random(uint32_t *seed) {
  *seed = *seed * 1664525u + 1013904223u;
  return *seed >> 8;
}

static void none_is_due_before_its_time(void **state) {
  (void)state;
  assert_true(floe__uv_alarms_first(&alarms) == FLOE_TIME_NEVER);
  assert_null(floe__uv_alarms_take_due(&alarms, FLOE_TIME_NEVER));
  floe__uv_alarm_set(&alarms, &pool[0], 10);
  assert_int_equal(floe__uv_alarms_first(&alarms), 10);
  assert_null(floe__uv_alarms_take_due(&alarms, 9));
  assert_ptr_equal(floe__uv_alarms_take_due(&alarms, 10), &pool[0]);
  assert_true(pool[0].at == FLOE_TIME_NEVER);
  assert_null(floe__uv_alarms_take_due(&alarms, 10));
}

static void an_alarm_can_be_moved_and_unset(void **state) {
  (void)state;
  floe__uv_alarm_set(&alarms, &pool[0], 10);
  floe__uv_alarm_set(&alarms, &pool[1], 20);
  floe__uv_alarm_set(&alarms, &pool[0], 30);
  assert_int_equal(floe__uv_alarms_first(&alarms), 20);
  floe__uv_alarm_set(&alarms, &pool[1], FLOE_TIME_NEVER);
  assert_int_equal(floe__uv_alarms_first(&alarms), 30);
  floe__uv_alarm_set(&alarms, &pool[1], FLOE_TIME_NEVER);
  floe__uv_alarm_set(&alarms, &pool[0], 30);
  assert_int_equal(alarms.n, 1);
}

static void they_come_in_order_whatever_was_done_before(void **state) {
  (void)state;
  uint32_t seed = 20240607;
  print_message("seed %u\n", seed);
  size_t n_set = 0;
  for (size_t round = 0; round < 20 * MANY; round++) {
    floe__uv_alarm *alarm = &pool[next_random(&seed) % MANY];
    bool was_set = alarm->at != FLOE_TIME_NEVER;
    floe_time at = next_random(&seed) % 4 == 0 ? FLOE_TIME_NEVER : next_random(&seed) % 1000;
    floe__uv_alarm_set(&alarms, alarm, at);
    if (was_set) n_set--;
    if (at != FLOE_TIME_NEVER) n_set++;
    assert_int_equal(alarms.n, n_set);
  }
  floe_time last = 0;
  for (floe__uv_alarm *alarm; alarms.n > 0; n_set--) {
    floe_time first = floe__uv_alarms_first(&alarms);
    alarm = floe__uv_alarms_take_due(&alarms, FLOE_TIME_NEVER);
    assert_non_null(alarm);
    assert_true(first >= last);
    last = first;
  }
  assert_int_equal(n_set, 0);
}

static void one_that_is_cleared_leaves_the_heap(void **state) {
  (void)state;
  for (size_t i = 0; i < MANY; i++) floe__uv_alarm_set(&alarms, &pool[i], 1000 - i);
  for (size_t i = 0; i < MANY; i += 2) floe__uv_alarm_clear(&alarms, &pool[i]);
  assert_int_equal(alarms.n, MANY / 2);
  for (size_t i = MANY; i-- > 0;) {
    if (i % 2 == 1) assert_ptr_equal(floe__uv_alarms_take_due(&alarms, 1000), &pool[i]);
  }
  floe__uv_alarm never_initialised = {0};
  floe__uv_alarm_clear(&alarms, &never_initialised);
  assert_int_equal(alarms.n_members, MANY / 2);
}

static void *refuse(void *user, void *ptr, size_t size) {
  (void)user;
  (void)ptr;
  (void)size;
  return NULL;
}

static void no_memory_is_told(void **state) {
  (void)state;
  floe__uv_mem none = {refuse, NULL};
  floe__uv_alarms empty = {0};
  floe__uv_alarm alarm;
  assert_false(floe__uv_alarm_init(&empty, &none, &alarm, on_due));
  assert_int_equal(empty.n_members, 0);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(none_is_due_before_its_time),
      TEST(an_alarm_can_be_moved_and_unset),
      TEST(they_come_in_order_whatever_was_done_before),
      TEST(one_that_is_cleared_leaves_the_heap),
      TEST(no_memory_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
