/* env.c, alloc.c, rng.c, status.c, trace.c: what a program lends, and what is made of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/status_internal.h"
#include "base/trace.h"
#include "base/utf8.h"
#include "support/cmocka.h"

typedef struct lender {
  long live;
  long fail_after; /* calls that still succeed; -1 = all */
  uint8_t next;
  size_t drawn;
  char trace[2048];
} lender;

static void *reallocate(void *user, void *ptr, size_t size) {
  lender *l = user;
  if (size == 0) {
    if (ptr != NULL) l->live--;
    free(ptr);
    return NULL;
  }
  if (l->fail_after == 0) return NULL;
  if (l->fail_after > 0) l->fail_after--;
  void *p = realloc(ptr, size);
  if (p != NULL && ptr == NULL) l->live++;
  return p;
}

static void count_up(void *user, uint8_t *out, size_t len) {
  lender *l = user;
  for (size_t i = 0; i < len; i++) out[i] = l->next++;
  l->drawn += len;
}

static void keep_trace(void *user, const char *json, size_t len) {
  lender *l = user;
  assert_true(len < sizeof l->trace);
  memcpy(l->trace, json, len);
  l->trace[len] = '\0';
}

static floe_env *make(lender *l, bool addresses) {
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = l;
  cfg.reallocate = reallocate;
  cfg.random = count_up;
  cfg.trace = keep_trace;
  cfg.trace_addresses = addresses;
  floe_env *env;
  assert_int_equal(floe_env_new(&env, &cfg), FLOE_OK);
  return env;
}

static void memory_is_the_programs(void **state) {
  (void)state;
  lender l = {.fail_after = -1};
  floe_env *env = make(&l, false);
  char *a = floe__strdup(env, "abc");
  uint8_t *z = floe__zalloc(env, 16);
  assert_string_equal(a, "abc");
  for (size_t i = 0; i < 16; i++) assert_int_equal(z[i], 0);
  assert_int_equal(l.live, 3);
  floe__free_secret(env, a, 3);
  floe__free(env, z);
  floe__free(env, NULL);
  l.fail_after = 0;
  assert_null(floe__strdup(env, "abc"));
  assert_null(floe__zalloc(env, 4));
  floe_env_free(env);
  assert_int_equal(l.live, 0);
  floe_env_free(NULL);
}

static void a_failed_env_is_said(void **state) {
  (void)state;
  lender l = {.fail_after = 0};
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = &l;
  cfg.reallocate = reallocate;
  floe_env *env = (floe_env *)&l;
  assert_int_equal(floe_env_new(&env, &cfg), FLOE_E_NOMEM);
  assert_null(env);
  cfg.size = 3;
  assert_int_equal(floe_env_new(&env, &cfg), FLOE_E_TYPE);
}

static void arrays_grow_or_stay(void **state) {
  (void)state;
  lender l = {.fail_after = -1};
  floe_env *env = make(&l, false);
  void *items = NULL;
  size_t cap = 0;
  assert_true(floe__reserve(env, &items, &cap, 8, 1));
  assert_int_equal(cap, 4);
  assert_true(floe__reserve(env, &items, &cap, 8, 5));
  assert_int_equal(cap, 8);
  assert_true(floe__reserve(env, &items, &cap, 8, 100));
  assert_int_equal(cap, 100);
  void *before = items;
  assert_false(floe__reserve(env, &items, &cap, 8, SIZE_MAX / 4));
  l.fail_after = 0;
  assert_false(floe__reserve(env, &items, &cap, 8, 101));
  assert_ptr_equal(items, before);
  assert_int_equal(cap, 100);
  floe__free(env, items);
  floe_env_free(env);
}

static void randomness_comes_in_batches(void **state) {
  (void)state;
  lender l = {.fail_after = -1};
  floe_env *env = make(&l, false);
  uint8_t out[700];
  floe__random(env, out, 12);
  assert_int_equal(l.drawn, FLOE__RANDOM_BATCH);
  for (size_t i = 0; i < 12; i++) assert_int_equal(out[i], i);
  floe__random(env, out, sizeof out); /* across the end of a batch */
  assert_int_equal(l.drawn, 2 * FLOE__RANDOM_BATCH);
  for (size_t i = 0; i < sizeof out; i++) assert_int_equal(out[i], (uint8_t)(12 + i));
  for (int i = 0; i < 200; i++) assert_true(floe__random_below(env, 7) < 7);
  assert_int_equal(floe__random_below(env, 1), 0);
  floe_env_free(env);
}

static void the_wall_clock_is_told(void **state) {
  (void)state;
  lender l = {.fail_after = -1};
  floe_env *env = make(&l, false);
  int64_t ms = 0;
  assert_false(floe__env_unix_ms(env, 0, &ms));
  floe_env_set_unix_time(env, 5 * FLOE_SECOND, 1700000005000);
  assert_true(floe__env_unix_ms(env, 7 * FLOE_SECOND, &ms));
  assert_true(ms == 1700000007000);
  floe_env_free(env);
}

static void a_trace_is_json_without_addresses(void **state) {
  (void)state;
  lender l = {.fail_after = -1};
  floe_env *env = make(&l, false);
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, "192.0.2.1:5"));
  floe__trace t;
  assert_true(floe__trace_begin(&t, env, 1500 * 1000, "a.b"));
  floe__trace_text(&t, "text", "q\"b\\n\n\x7f");
  floe__trace_text(&t, "absent", NULL);
  floe__trace_int(&t, "n", -3);
  floe__trace_addr(&t, "addr", &addr);
  floe__trace_end(&t);
  assert_string_equal(l.trace, "{\"t_ms\":1.500,\"event\":\"a.b\",\"text\":\"q\\\"b\\\\n\\u000a\\u007f\",\"n\":-3}");
  env->trace_agent = 4294967295;
  assert_true(floe__trace_begin(&t, env, 0, "a"));
  floe__trace_end(&t);
  assert_string_equal(l.trace, "{\"t_ms\":0.000,\"event\":\"a\",\"agent\":4294967295}");
  env->trace_agent = 0;
  env->cfg.trace_addresses = true;
  assert_true(floe__trace_begin(&t, env, 0, "a"));
  floe__trace_addr(&t, "addr", &addr);
  floe__trace_end(&t);
  assert_string_equal(l.trace, "{\"t_ms\":0.000,\"event\":\"a\",\"addr\":\"192.0.2.1:5\"}");
  env->cfg.trace = NULL;
  assert_false(floe__trace_begin(&t, env, 0, "a"));
  floe_env_free(env);
}

static void a_long_trace_stays_whole(void **state) {
  (void)state;
  lender l = {.fail_after = -1};
  floe_env *env = make(&l, false);
  char longer[900];
  memset(longer, 'x', sizeof longer - 1);
  longer[sizeof longer - 1] = '\0';
  floe__trace t;
  assert_true(floe__trace_begin(&t, env, 0, "long"));
  for (int i = 0; i < 20; i++) floe__trace_text(&t, "k", longer);
  floe__trace_end(&t);
  size_t len = strlen(l.trace);
  assert_true(len <= FLOE__TRACE_MAX);
  assert_int_equal(l.trace[len - 1], '}');
  assert_int_equal(l.trace[len - 2], '"');
  floe_env_free(env);
}

/* A peer's words may be anything. */
static void a_trace_is_utf8(void **state) {
  (void)state;
  lender l = {.fail_after = -1};
  floe_env *env = make(&l, false);
  floe__trace t;
  assert_true(floe__trace_begin(&t, env, 0, "a"));
  floe__trace_text(&t, "good", "gr\xc3\xbc\xc3\x9f");
  floe__trace_text(&t, "bad", "gr\xc3 \xff");
  floe__trace_end(&t);
  assert_string_equal(l.trace,
                      "{\"t_ms\":0.000,\"event\":\"a\",\"good\":\"gr\xc3\xbc\xc3\x9f\",\"bad\":\"gr\\ufffd \\ufffd\"}");
  for (size_t len = 388; len < 400; len++) { /* cut, but in no character */
    char longer[440];
    memset(longer, 'x', len);
    (void)snprintf(longer + len, sizeof longer - len, "\xf0\x9f\xa7\x8a\xf0\x9f\xa7\x8a\xf0\x9f\xa7\x8a");
    assert_true(floe__trace_begin(&t, env, 0, "a"));
    floe__trace_text(&t, "k", longer);
    floe__trace_end(&t);
    size_t offset;
    assert_true(floe__utf8_is_valid((floe_bytes){(const uint8_t *)l.trace, strlen(l.trace)}, &offset));
  }
  floe_env_free(env);
}

static void statuses_have_words(void **state) {
  (void)state;
  assert_string_equal(floe_status_name(FLOE_E_SYNTAX), "FLOE_E_SYNTAX");
  assert_string_equal(floe_status_exception(FLOE_E_SYNTAX), "SyntaxError");
  assert_string_equal(floe_status_exception(FLOE_E_ACCESS), "InvalidAccessError");
  assert_string_equal(floe_status_exception(FLOE_E_TYPE), "TypeError");
  assert_string_equal(floe_status_exception(FLOE_OK), "");
  assert_string_equal(floe_status_text(FLOE_E_NOMEM), "out of memory");
  assert_string_equal(floe_status_name((floe_status)-999), "unknown");
  floe_error why;
  assert_int_equal(floe__error_set(&why, FLOE_E_STATE, "a[1].b", 7, "%d is %s", 5, "odd"), FLOE_E_STATE);
  assert_string_equal(why.path, "a[1].b");
  assert_string_equal(why.message, "5 is odd");
  assert_int_equal(why.offset, 7);
  assert_int_equal(floe__error_set(NULL, FLOE_E_STATE, "", 0, "x"), FLOE_E_STATE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_the_programs),   cmocka_unit_test(a_failed_env_is_said),
      cmocka_unit_test(arrays_grow_or_stay),      cmocka_unit_test(randomness_comes_in_batches),
      cmocka_unit_test(the_wall_clock_is_told),   cmocka_unit_test(a_trace_is_json_without_addresses),
      cmocka_unit_test(a_long_trace_stays_whole), cmocka_unit_test(a_trace_is_utf8),
      cmocka_unit_test(statuses_have_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
