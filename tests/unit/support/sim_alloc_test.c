/* Counted memory, seeded randomness and the kept trace. */
#include "support/sim_alloc.h"

#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/trace.h"
#include "support/cmocka.h"

static void blocks_are_counted_and_leaks_reported(void **state) {
  (void)state;
  sim_alloc a;
  sim_alloc_init(&a);
  char *p = sim_alloc_reallocate(&a, NULL, 10), *q = sim_alloc_reallocate(&a, NULL, 20);
  memcpy(p, "123456789", 10);
  p = sim_alloc_reallocate(&a, p, 100);
  assert_string_equal(p, "123456789");
  assert_int_equal(a.calls, 3);
  assert_int_equal(a.live_blocks, 2);
  assert_int_equal(a.live_bytes, 120);
  assert_null(sim_alloc_reallocate(&a, q, 0));
  assert_int_equal(a.live_bytes, 100);
  assert_int_equal(a.peak_bytes, 130); /* old and new while it is copied */
  assert_int_equal(sim_alloc_report_leaks(&a), 1);
  assert_int_equal(a.live_blocks, 0);
  assert_int_equal(sim_alloc_report_leaks(&a), 0);
}

static void the_nth_call_fails_and_the_old_block_stays(void **state) {
  (void)state;
  sim_alloc a;
  sim_alloc_init(&a);
  a.fail_at = 2;
  void *p = sim_alloc_reallocate(&a, NULL, 10);
  assert_non_null(p);
  assert_null(sim_alloc_reallocate(&a, p, 20));
  p = sim_alloc_reallocate(&a, p, 20);
  assert_non_null(p);
  assert_int_equal(a.failed, 1);
  a.fail_from = a.calls + 1;
  assert_null(sim_alloc_reallocate(&a, NULL, 1));
  assert_null(sim_alloc_reallocate(&a, NULL, 1));
  assert_int_equal(a.failed, 3);
  (void)sim_alloc_reallocate(&a, p, 0);
  assert_int_equal(sim_alloc_report_leaks(&a), 0);
}

static void an_env_is_deterministic_and_keeps_its_trace(void **state) {
  (void)state;
  sim *s = sim_new(9);
  sim_env *a = sim_env_new(s, 1), *b = sim_env_new(s, 1), *c = sim_env_new(s, 2);
  uint64_t x, y, z;
  floe__random(a->env, &x, sizeof x);
  floe__random(b->env, &y, sizeof y);
  floe__random(c->env, &z, sizeof z);
  assert_true(x == y);
  assert_true(x != z);
  floe__trace t;
  assert_true(floe__trace_begin(&t, a->env, FLOE_MS, "test.event"));
  floe__trace_text(&t, "key", "value");
  floe__trace_end(&t);
  assert_non_null(strstr(a->trace, "\"key\":\"value\""));
  assert_int_equal(sim_env_free(a), 0);
  assert_int_equal(sim_env_free(b), 0);
  (void)floe__alloc(c->env, 7);
  assert_int_equal(sim_env_free(c), 1);
  sim_free(s);
}

static void an_env_can_fail_to_be_made(void **state) {
  (void)state;
  sim *s = sim_new(9);
  sim_env *e = sim_env_new_failing(s, 1, 1, 0);
  assert_null(e->env);
  assert_int_equal(sim_env_free(e), 0);
  sim_free(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_are_counted_and_leaks_reported),
      cmocka_unit_test(the_nth_call_fails_and_the_old_block_stays),
      cmocka_unit_test(an_env_is_deterministic_and_keeps_its_trace),
      cmocka_unit_test(an_env_can_fail_to_be_made),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
