#include "mem.h"

#include "fixture.h"

static void copies(void **state) {
  (void)state;
  char *copy = floe__cli_strndup("abcdef", 3);
  assert_string_equal(copy, "abc");
  floe__cli_wipe_text(copy);
  assert_memory_equal(copy, "\0\0\0", 4);
  free(copy);
  copy = floe__cli_strdup("");
  assert_string_equal(copy, "");
  floe__cli_free_secret(copy);
  floe__cli_free_secret(NULL);
  floe__cli_wipe_text(NULL);
}

static void memory_is_zeroed(void **state) {
  (void)state;
  unsigned char *p = floe__cli_alloc(64);
  for (size_t i = 0; i < 64; i++) assert_int_equal(p[i], 0);
  free(p);
  p = floe__cli_alloc(0);
  assert_non_null(p);
  free(p);
}

static void an_array_grows_one_by_one(void **state) {
  (void)state;
  void *array = NULL;
  for (size_t n = 0; n < 1000; n++) {
    floe__cli_grow(&array, n, sizeof(size_t));
    ((size_t *)array)[n] = n;
  }
  for (size_t n = 0; n < 1000; n++) assert_int_equal(((size_t *)array)[n], n);
  free(array);
}

static void memory_for_secrets(void **state) {
  (void)state;
  char *p = floe__cli_secret_malloc(100);
  assert_non_null(p);
  assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
  memset(p, 'x', 100);
  floe__cli_secret_free(p);
  floe__cli_secret_free(NULL);
  assert_null(floe__cli_secret_malloc(SIZE_MAX));
  p = floe__cli_secret_malloc(0);
  assert_non_null(p);
  floe__cli_secret_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(copies),
      cmocka_unit_test(memory_is_zeroed),
      cmocka_unit_test(an_array_grows_one_by_one),
      cmocka_unit_test(memory_for_secrets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
