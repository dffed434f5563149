/* Memory of a description. */
#include "sdp/arena.h"

#include <stdalign.h>
#include <stdint.h>

#include "fixture.h"

static void gives_aligned_memory_of_any_size(void **state) {
  bed *b = *state;
  floe__arena a;
  floe__arena_init(&a, b->env);
  for (size_t size = 0; size < 200; size++) {
    unsigned char *p = floe__arena_alloc(&a, size);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
    memset(p, 0xa5, size);
  }
  unsigned char *large = floe__arena_alloc(&a, 3000000);
  assert_non_null(large);
  memset(large, 0x5a, 3000000);
  floe__arena_clear(&a);
  assert_null(a.chunks);
}

static void allocates_in_few_pieces(void **state) {
  bed *b = *state;
  floe__arena a;
  floe__arena_init(&a, b->env);
  uint64_t before = b->memory.calls;
  for (size_t i = 0; i < 100000; i++) assert_non_null(floe__arena_strndup(&a, "candidate", 9));
  assert_true(b->memory.calls - before < 30);
  floe__arena_clear(&a);
}

static void refuses_what_cannot_be(void **state) {
  bed *b = *state;
  floe__arena a;
  floe__arena_init(&a, b->env);
  assert_null(floe__arena_alloc(&a, SIZE_MAX));
  assert_null(floe__arena_alloc(&a, SIZE_MAX / 2));
  floe__arena_clear(&a);
}

static void copies_text(void **state) {
  bed *b = *state;
  floe__arena a;
  floe__arena_init(&a, b->env);
  assert_string_equal(floe__arena_strndup(&a, "abcdef", 3), "abc");
  assert_string_equal(floe__arena_strndup(&a, NULL, 0), "");
  floe__arena_clear(&a);
}

static void lists_keep_what_they_hold(void **state) {
  bed *b = *state;
  floe__arena a;
  floe__arena_list list = {0};
  floe__arena_init(&a, b->env);
  for (uint32_t i = 0; i < 1000; i++) {
    uint32_t *item = floe__arena_add(&a, &list, sizeof *item);
    assert_non_null(item);
    *item = i * 7;
  }
  assert_int_equal(list.n, 1000);
  for (uint32_t i = 0; i < 1000; i++) assert_int_equal(((uint32_t *)list.items)[i], i * 7);
  floe__arena_clear(&a);
}

static void lists_survive_the_end_of_memory(void **state) {
  bed *b = *state;
  floe__arena a;
  floe__arena_list list = {0};
  floe__arena_init(&a, b->env);
  b->memory.fail_from = b->memory.calls + 1;
  assert_null(floe__arena_add(&a, &list, 8));
  assert_int_equal(list.n, 0);
  b->memory.fail_from = 0;
  assert_non_null(floe__arena_add(&a, &list, 8));
  assert_int_equal(list.n, 1);
  floe__arena_clear(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SDP_TEST(gives_aligned_memory_of_any_size), SDP_TEST(allocates_in_few_pieces),
      SDP_TEST(refuses_what_cannot_be),           SDP_TEST(copies_text),
      SDP_TEST(lists_keep_what_they_hold),        SDP_TEST(lists_survive_the_end_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
