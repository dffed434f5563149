#include "trace_index.h"

#include "fixture.h"

static void what_was_set_is_found(void **state) {
  (void)state;
  floe__trace_index x = {0};
  assert_true(floe__trace_index_find(&x, 0, 0) == FLOE__TRACE_NOWHERE);
  floe__trace_index_set(&x, 0, 0, 0);
  floe__trace_index_set(&x, 1, 2, 7);
  floe__trace_index_set(&x, 2, 1, 8);
  assert_int_equal(floe__trace_index_find(&x, 0, 0), 0);
  assert_int_equal(floe__trace_index_find(&x, 1, 2), 7);
  assert_int_equal(floe__trace_index_find(&x, 2, 1), 8);
  assert_true(floe__trace_index_find(&x, 2, 2) == FLOE__TRACE_NOWHERE);
  floe__trace_index_clear(&x);
  assert_true(floe__trace_index_find(&x, 1, 2) == FLOE__TRACE_NOWHERE);
}

static void many_are_found(void **state) {
  (void)state;
  enum { A = 30, B = 100 };
  floe__trace_index x = {0};
  for (uint64_t a = 0; a < A; a++) {
    for (uint64_t b = 0; b < B; b++) floe__trace_index_set(&x, a, b << 32, (size_t)(a * B + b));
  }
  assert_int_equal(x.n, A * B);
  for (uint64_t a = 0; a < A; a++) {
    for (uint64_t b = 0; b < B; b++) assert_int_equal(floe__trace_index_find(&x, a, b << 32), a * B + b);
  }
  assert_true(floe__trace_index_find(&x, A, 0) == FLOE__TRACE_NOWHERE);
  floe__trace_index_clear(&x);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_set_is_found),
      cmocka_unit_test(many_are_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
