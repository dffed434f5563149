#include "tls/byte_bio.h"

#include "unit/tls/fixture.h"

static floe_env *env;

static int set_up(void **state) {
  (void)state;
  env = make_env();
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  floe_env_free(env);
  return 0;
}

static void add(floe__byte_queue *q, const char *text) {
  assert_true(floe__byte_queue_add(env, q, text_bytes(text)));
}

static void expect_bytes(const floe__byte_queue *q, const char *text) {
  const floe_bytes b = floe__byte_queue_peek(q);
  assert_int_equal(b.len, strlen(text));
  if (b.len > 0) assert_memory_equal(b.ptr, text, b.len);
}

static void a_queue_is_first_in_first_out(void **state) {
  (void)state;
  floe__byte_queue q = {0};
  expect_bytes(&q, "");
  add(&q, "");
  assert_null(q.buf);
  add(&q, "abc");
  add(&q, "def");
  expect_bytes(&q, "abcdef");
  floe__byte_queue_drop(env, &q, 2);
  expect_bytes(&q, "cdef");
  add(&q, "ghijklmnop"); /* moves to the front and grows */
  expect_bytes(&q, "cdefghijklmnop");
  floe__byte_queue_drop(env, &q, 0);
  floe__byte_queue_drop(env, &q, 14);
  expect_bytes(&q, "");
  floe__byte_queue_clear(env, &q);
  assert_null(q.buf);
}

static void a_queue_gives_back_the_memory_of_a_burst(void **state) {
  (void)state;
  static const uint8_t burst[100000];
  floe__byte_queue q = {0};
  add(&q, "small");
  floe__byte_queue_drop(env, &q, 5);
  assert_non_null(q.buf);
  assert_true(floe__byte_queue_add(env, &q, (floe_bytes){burst, sizeof burst}));
  floe__byte_queue_drop(env, &q, sizeof burst - 1);
  assert_int_equal(floe__byte_queue_peek(&q).len, 1);
  floe__byte_queue_drop(env, &q, 1);
  assert_null(q.buf);
  assert_int_equal(q.cap, 0);
}

static void *reallocate_nothing(void *user, void *ptr, size_t size) {
  const bool *is_poor = user;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return *is_poor ? NULL : realloc(ptr, size);
}

static void a_queue_without_memory_stays_as_it_was(void **state) {
  (void)state;
  bool is_poor = false;
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.reallocate = reallocate_nothing;
  cfg.user = &is_poor;
  floe_env *poor = NULL;
  assert_int_equal(floe_env_new(&poor, &cfg), FLOE_OK);
  floe__byte_queue q = {0};
  assert_true(floe__byte_queue_add(poor, &q, text_bytes("abcd")));
  floe__byte_queue_drop(poor, &q, 1);
  is_poor = true;
  assert_false(floe__byte_queue_add(poor, &q, text_bytes("a text that needs more room")));
  expect_bytes(&q, "bcd");
  floe__byte_queue_clear(poor, &q);
  floe_env_free(poor);
}

static void a_bio_reads_in_and_writes_out(void **state) {
  (void)state;
  floe__byte_pipe pipe = {.env = env};
  BIO_METHOD *method = floe__byte_bio_method();
  BIO *bio = floe__byte_bio_new(method, &pipe);
  assert_non_null(bio);
  char buf[8];
  assert_int_equal(BIO_read(bio, buf, sizeof buf), -1);
  assert_true(BIO_should_retry(bio));
  add(&pipe.in, "hello, world");
  assert_int_equal(BIO_pending(bio), 12);
  assert_int_equal(BIO_read(bio, buf, 5), 5);
  assert_memory_equal(buf, "hello", 5);
  assert_false(BIO_should_retry(bio));
  assert_int_equal(BIO_read(bio, buf, sizeof buf), 7);
  assert_memory_equal(buf, ", world", 7);
  assert_int_equal(BIO_write(bio, "answer", 6), 6);
  assert_int_equal(BIO_wpending(bio), 6);
  assert_int_equal(BIO_flush(bio), 1);
  expect_bytes(&pipe.out, "answer");
  BIO_free(bio);
  BIO_meth_free(method);
  floe__byte_queue_clear(env, &pipe.out);
  floe__byte_queue_clear(env, &pipe.in);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_queue_is_first_in_first_out),
      cmocka_unit_test(a_queue_gives_back_the_memory_of_a_burst),
      cmocka_unit_test(a_queue_without_memory_stays_as_it_was),
      cmocka_unit_test(a_bio_reads_in_and_writes_out),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
