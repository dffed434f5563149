#include "sctp/packet_fifo.h"

#include "fixture.h"

static void first_in_first_out(void **state) {
  (void)state;
  floe__fifo f = {0};
  floe_bytes b;
  uint8_t packet[1200];
  assert_false(floe__fifo_pop(&f, &b));
  for (unsigned i = 0; i < 100; i++) {
    memset(packet, (int)i, sizeof packet);
    assert_true(floe__fifo_push(&f, packet, 12 * i));
  }
  for (unsigned i = 0; i < 100; i++) {
    assert_true(floe__fifo_pop(&f, &b));
    assert_int_equal(b.len, 12 * i);
    if (i > 0) assert_true(b.ptr[0] == i && b.ptr[b.len - 1] == i);
  }
  assert_false(floe__fifo_pop(&f, &b));
  floe__fifo_clear(&f);
}

static void emptied_keeps_the_block(void **state) {
  (void)state;
  floe__fifo f = {0};
  floe_bytes b;
  assert_true(floe__fifo_push(&f, "one", 3));
  uint8_t *block = f.buf;
  f = floe__fifo_emptied(f);
  assert_false(floe__fifo_pop(&f, &b));
  assert_true(floe__fifo_push(&f, "two", 3));
  assert_ptr_equal(f.buf, block);
  assert_true(floe__fifo_pop(&f, &b));
  assert_memory_equal(b.ptr, "two", 3);
  floe__fifo_trim(&f);
  assert_null(f.buf);
}

static void trim_loses_nothing(void **state) {
  (void)state;
  floe__fifo f = {0};
  floe_bytes b;
  assert_true(floe__fifo_push(&f, "one", 3));
  floe__fifo_trim(&f);
  assert_true(floe__fifo_pop(&f, &b));
  assert_memory_equal(b.ptr, "one", 3);
  floe__fifo_clear(&f);
  floe__fifo_clear(&f);
}

static void there_is_a_limit(void **state) {
  (void)state;
  floe__fifo f = {0};
  floe_bytes b;
  uint8_t *block = malloc(1u << 20);
  memset(block, 7, 1u << 20);
  size_t n = 0;
  while (floe__fifo_push(&f, block, 1u << 20)) n++;
  assert_int_equal(n, 3); /* and their lengths */
  assert_false(floe__fifo_push(&f, block, SIZE_MAX));
  assert_true(floe__fifo_push(&f, block, 100));
  for (size_t i = 0; i < n; i++) assert_true(floe__fifo_pop(&f, &b) && b.len == 1u << 20);
  assert_true(floe__fifo_pop(&f, &b));
  assert_int_equal(b.len, 100);
  free(block);
  floe__fifo_clear(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_in_first_out),
      cmocka_unit_test(emptied_keeps_the_block),
      cmocka_unit_test(trim_loses_nothing),
      cmocka_unit_test(there_is_a_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
