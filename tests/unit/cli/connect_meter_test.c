/* How far, how fast, how long still. */
#include "connect_meter.h"

#include "fixture.h"

static char text[FLOE__METER_TEXT], size[FLOE__SIZE_TEXT];

static void sizes(void **state) {
  (void)state;
  assert_string_equal(floe__size_text(0, size), "0 bytes");
  assert_string_equal(floe__size_text(1, size), "1 byte");
  assert_string_equal(floe__size_text(999, size), "999 bytes");
  assert_string_equal(floe__size_text(1000, size), "1.0 kB");
  assert_string_equal(floe__size_text(27000000, size), "27.0 MB");
  assert_string_equal(floe__size_text(999960000, size), "1.0 GB");
  assert_string_equal(floe__size_text(18e18, size), "18000.0 PB");
}

static void a_steady_rate(void **state) {
  (void)state;
  floe__meter m;
  floe__meter_begin(&m, "notes.txt", 27000000, 0, 1000);
  assert_string_equal(floe__meter_text(&m, text), "notes.txt: 0 %, 0 bytes of 27.0 MB");
  floe__meter_tick(&m, 100, 1200); /* too soon to tell */
  assert_true(m.rate == 0);
  for (uint64_t i = 1; i <= 4; i++) floe__meter_tick(&m, i * 1000000, 1000 + i * 500);
  assert_string_equal(floe__meter_text(&m, text), "notes.txt: 15 %, 4.0 MB of 27.0 MB, 2.0 MB/s, 12 s left");
}

static void a_resumed_file_has_the_rate_of_what_is_new(void **state) {
  (void)state;
  floe__meter m;
  floe__meter_begin(&m, "a", 10000000000, 9000000000, 0);
  floe__meter_tick(&m, 9000500000, 500);
  assert_string_equal(floe__meter_text(&m, text), "a: 90 %, 9.0 GB of 10.0 GB, 1.0 MB/s, 16:40 min left");
}

static void long_and_endless_times(void **state) {
  (void)state;
  floe__meter m;
  floe__meter_begin(&m, "a", 7265000, 0, 0);
  floe__meter_tick(&m, 500, 500);
  assert_string_equal(floe__meter_text(&m, text), "a: 0 %, 500 bytes of 7.3 MB, 1.0 kB/s, 2:01 h left");
  for (uint64_t t = 1000; t < 60000; t += 500) floe__meter_tick(&m, 500, t);
  expect_lacks(floe__meter_text(&m, text), "left");
}

static void an_empty_file_is_all_there(void **state) {
  (void)state;
  floe__meter m;
  floe__meter_begin(&m, "e", 0, 0, 0);
  assert_string_equal(floe__meter_text(&m, text), "e: 100 %, 0 bytes of 0 bytes");
}

static void json_once_a_second(void **state) {
  (void)state;
  caught c;
  floe__meter m;
  catch_open(&c);
  floe__report r = {.json = c.out};
  floe__meter_begin(&m, "a", 4000, 0, 0);
  for (uint64_t t = 100; t <= 2000; t += 100) floe__meter_draw(&m, &r, t, t);
  expect_text(&c,
              "{\"type\":\"progress\",\"name\":\"a\",\"size\":4000,\"at\":1000,\"bytesPerSecond\":1000.0}\n"
              "{\"type\":\"progress\",\"name\":\"a\",\"size\":4000,\"at\":2000,\"bytesPerSecond\":1000.0}\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes),
      cmocka_unit_test(a_steady_rate),
      cmocka_unit_test(a_resumed_file_has_the_rate_of_what_is_new),
      cmocka_unit_test(long_and_endless_times),
      cmocka_unit_test(an_empty_file_is_all_there),
      cmocka_unit_test(json_once_a_second),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
