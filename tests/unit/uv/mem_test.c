#include "uv/mem.h"

#include <stdint.h>
#include <stdlib.h>

#include "support/cmocka.h"

static size_t n_calls;

static void *count(void *user, void *ptr, size_t size) {
  assert_ptr_equal(user, &n_calls);
  n_calls++;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return realloc(ptr, size);
}

static void the_programs_allocator_is_used(void **state) {
  (void)state;
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.reallocate = count;
  cfg.user = &n_calls;
  floe__uv_mem mem = floe__uv_mem_of(&cfg);
  unsigned char *p = floe__uv_zalloc(&mem, 3);
  assert_non_null(p);
  assert_int_equal(p[0] | p[1] | p[2], 0);
  floe__uv_free(&mem, p);
  assert_int_equal(n_calls, 2);
  floe__uv_free(&mem, NULL);
  assert_int_equal(n_calls, 2);
}

static void without_one_it_is_the_c_librarys(void **state) {
  (void)state;
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  floe__uv_mem mems[] = {floe__uv_mem_of(NULL), floe__uv_mem_of(&cfg)};
  for (size_t i = 0; i < 2; i++) {
    void *p = floe__uv_alloc(&mems[i], 0);
    assert_non_null(p);
    floe__uv_free(&mems[i], p);
  }
}

static void reserve_at_least_doubles(void **state) {
  (void)state;
  floe__uv_mem mem = floe__uv_mem_of(NULL);
  void *p = NULL;
  size_t cap = 0;
  assert_true(floe__uv_reserve(&mem, &p, &cap, sizeof(uint32_t), 1));
  assert_int_equal(cap, 2);
  assert_true(floe__uv_reserve(&mem, &p, &cap, sizeof(uint32_t), 3));
  assert_int_equal(cap, 4);
  assert_true(floe__uv_reserve(&mem, &p, &cap, sizeof(uint32_t), 100));
  assert_int_equal(cap, 100);
  void *same = p;
  assert_true(floe__uv_reserve(&mem, &p, &cap, sizeof(uint32_t), 7));
  assert_ptr_equal(p, same);
  floe__uv_free(&mem, p);
}

static void reserve_refuses_what_overflows(void **state) {
  (void)state;
  floe__uv_mem mem = floe__uv_mem_of(NULL);
  void *p = NULL;
  size_t cap = 0;
  assert_false(floe__uv_reserve(&mem, &p, &cap, 16, SIZE_MAX / 8));
  assert_null(p);
  assert_int_equal(cap, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_programs_allocator_is_used),
      cmocka_unit_test(without_one_it_is_the_c_librarys),
      cmocka_unit_test(reserve_at_least_doubles),
      cmocka_unit_test(reserve_refuses_what_overflows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
