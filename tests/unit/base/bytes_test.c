/* reader.h, writer.h, deadline.h: cursors with a sticky error, and arithmetic that does not wrap. */
#include <string.h>

#include "base/deadline.h"
#include "base/reader.h"
#include "base/writer.h"
#include "support/cmocka.h"

static void reads_big_endian(void **state) {
  (void)state;
  static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  floe__reader r = floe__reader_of((floe_bytes){bytes, sizeof bytes});
  assert_int_equal(floe__rd_u8(&r), 0x01);
  assert_int_equal(floe__rd_u16(&r), 0x0203);
  assert_int_equal(floe__rd_u32(&r), 0x04050607);
  assert_true(floe__rd_u64(&r) == 0x08090a0b0c0d0e0fULL);
  assert_int_equal(floe__rd_left(&r), 0);
  assert_false(r.bad);
}

static void an_overrun_stays(void **state) {
  (void)state;
  static const uint8_t bytes[] = {1, 2, 3};
  floe__reader r = floe__reader_of((floe_bytes){bytes, sizeof bytes});
  assert_int_equal(floe__rd_u32(&r), 0);
  assert_true(r.bad);
  assert_int_equal(floe__rd_u8(&r), 0);
  assert_int_equal(floe__rd_take(&r, 0).len, 0);
  assert_int_equal(floe__rd_left(&r), 0);
  floe__reader empty = floe__reader_of((floe_bytes){0});
  assert_int_equal(floe__rd_take(&empty, 0).len, 0);
  assert_false(empty.bad);
  assert_int_equal(floe__rd_u8(&empty), 0);
  assert_true(empty.bad);
}

static void takes_borrow(void **state) {
  (void)state;
  static const uint8_t bytes[] = {1, 2, 3};
  floe__reader r = floe__reader_of((floe_bytes){bytes, sizeof bytes});
  floe_bytes b = floe__rd_take(&r, 2);
  assert_ptr_equal(b.ptr, bytes);
  assert_int_equal(b.len, 2);
  assert_int_equal(floe__rd_take(&r, SIZE_MAX).len, 0);
  assert_true(r.bad);
}

static void writes_big_endian(void **state) {
  (void)state;
  uint8_t buf[18];
  floe__writer w = floe__writer_of(buf, sizeof buf);
  floe__wr_u8(&w, 1);
  floe__wr_u16(&w, 0x0203);
  floe__wr_u32(&w, 0x04050607);
  floe__wr_u64(&w, 0x08090a0b0c0d0e0fULL);
  floe__wr_zeros(&w, 2);
  floe__wr_patch_u16(&w, 0, 0xabcd);
  static const uint8_t expected[] = {0xab, 0xcd, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 0};
  floe_bytes done = floe__wr_done(&w);
  assert_int_equal(done.len, sizeof expected);
  assert_memory_equal(done.ptr, expected, sizeof expected);
}

static void what_does_not_fit_is_not_written(void **state) {
  (void)state;
  uint8_t buf[4] = {9, 9, 9, 9};
  floe__writer w = floe__writer_of(buf, 3);
  floe__wr_u16(&w, 0);
  floe__wr_u16(&w, 0x0101);
  assert_true(w.bad);
  assert_int_equal(buf[2], 9);
  floe__wr_u8(&w, 7);
  assert_int_equal(buf[2], 9);
  assert_int_equal(floe__wr_done(&w).len, 0);
  floe__wr_patch_u16(&w, 0, 0x0505);
  assert_int_equal(buf[0], 0);
  assert_null(floe__wr_room(&w, SIZE_MAX));
}

static void deadlines_do_not_wrap(void **state) {
  (void)state;
  assert_true(floe__after_ms(5, 2) == 5 + 2 * FLOE_MS);
  assert_true(floe__after_ms(FLOE_TIME_NEVER - 10, 1000) == FLOE_TIME_NEVER - 1);
  assert_true(floe__after_ms(0, UINT64_MAX) == FLOE_TIME_NEVER - 1);
  floe__deadline a = floe__deadline_at(10, "a");
  floe__deadline b = floe__deadline_at(20, "b");
  assert_string_equal(floe__earliest(b, a).reason, "a");
  assert_string_equal(floe__earliest(a, floe__deadline_at(10, "later asked")).reason, "a");
  assert_string_equal(floe__deadline_at(FLOE_TIME_NEVER, "x").reason, "none");
  assert_string_equal(floe__earliest(FLOE__NO_DEADLINE, b).reason, "b");
  assert_true(floe__ms_between(0, 1500000) == 1.5);
  assert_true(floe__ms_between(2, 1) == 0.0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_big_endian),
      cmocka_unit_test(an_overrun_stays),
      cmocka_unit_test(takes_borrow),
      cmocka_unit_test(writes_big_endian),
      cmocka_unit_test(what_does_not_fit_is_not_written),
      cmocka_unit_test(deadlines_do_not_wrap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
