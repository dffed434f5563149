/* Queues of datagrams, and the BIO over them. */
#include "tls/dtls_bio.h"

#include <openssl/ssl.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/sim_alloc.h"

typedef struct fixture {
  sim_alloc memory;
  floe_env *env;
  floe__dgram_pipe pipe;
  BIO_METHOD *method;
  BIO *bio;
} fixture;

static void init(fixture *f) {
  memset(f, 0, sizeof *f);
  sim_alloc_init(&f->memory);
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = &f->memory;
  cfg.reallocate = sim_alloc_reallocate;
  assert_int_equal(floe_env_new(&f->env, &cfg), FLOE_OK);
  f->pipe.env = f->env;
  f->method = floe__dgram_bio_method();
  f->bio = floe__dgram_bio_new(f->method, &f->pipe);
  assert_non_null(f->bio);
}

static void clear(fixture *f) {
  BIO_free(f->bio);
  BIO_meth_free(f->method);
  floe__dgram_queue_clear(f->env, &f->pipe.in);
  floe__dgram_queue_clear(f->env, &f->pipe.out);
  floe_env_free(f->env);
  assert_int_equal(sim_alloc_report_leaks(&f->memory), 0);
}

static floe_bytes text(const char *s) {
  return (floe_bytes){(const uint8_t *)s, strlen(s)};
}

static void expect_first(const floe__dgram_queue *q, const char *expected) {
  const floe_bytes b = floe__dgram_queue_peek(q);
  assert_int_equal(b.len, strlen(expected));
  assert_memory_equal(b.ptr, expected, b.len);
}

static void keeps_order_and_borders(void **state) {
  (void)state;
  fixture f;
  init(&f);
  floe__dgram_queue *q = &f.pipe.in;
  assert_int_equal(floe__dgram_queue_peek(q).len, 0);
  assert_true(floe__dgram_queue_add(f.env, q, text("one")));
  assert_true(floe__dgram_queue_add(f.env, q, text("three")));
  assert_int_equal(floe__dgram_queue_size(q), 2 + 3 + 2 + 5);
  expect_first(q, "one");
  floe__dgram_queue_drop(f.env, q);
  expect_first(q, "three");
  assert_true(floe__dgram_queue_add(f.env, q, text("4")));
  floe__dgram_queue_drop(f.env, q);
  expect_first(q, "4");
  floe__dgram_queue_drop(f.env, q);
  assert_int_equal(floe__dgram_queue_peek(q).len, 0);
  assert_int_equal(floe__dgram_queue_size(q), 0);
  clear(&f);
}

static void takes_what_udp_can_carry(void **state) {
  (void)state;
  fixture f;
  init(&f);
  static const uint8_t large[65536] = {1};
  assert_false(floe__dgram_queue_add(f.env, &f.pipe.in, (floe_bytes){large, 0}));
  assert_false(floe__dgram_queue_add(f.env, &f.pipe.in, (floe_bytes){large, 65536}));
  assert_true(floe__dgram_queue_add(f.env, &f.pipe.in, (floe_bytes){large, 65535}));
  assert_int_equal(floe__dgram_queue_peek(&f.pipe.in).len, 65535);
  clear(&f);
}

/* Without memory for the bytes their length does not stay behind. */
static void adds_all_or_nothing(void **state) {
  (void)state;
  for (uint64_t n = 1; n <= 2; n++) {
    fixture f;
    init(&f);
    static const uint8_t large[1000] = {1};
    f.memory.fail_at = f.memory.calls + n;
    assert_false(floe__dgram_queue_add(f.env, &f.pipe.in, (floe_bytes){large, sizeof large}));
    assert_int_equal(floe__dgram_queue_peek(&f.pipe.in).len, 0);
    assert_true(floe__dgram_queue_add(f.env, &f.pipe.in, text("x")));
    expect_first(&f.pipe.in, "x");
    clear(&f);
  }
}

static void reads_one_datagram_at_a_time(void **state) {
  (void)state;
  fixture f;
  init(&f);
  char buf[8];
  assert_int_equal(BIO_read(f.bio, buf, sizeof buf), -1);
  assert_true(BIO_should_read(f.bio));
  assert_true(floe__dgram_queue_add(f.env, &f.pipe.in, text("ab")));
  assert_true(floe__dgram_queue_add(f.env, &f.pipe.in, text("0123456789")));
  assert_true(floe__dgram_queue_add(f.env, &f.pipe.in, text("c")));
  assert_int_equal(BIO_read(f.bio, buf, sizeof buf), 2);
  assert_false(BIO_should_retry(f.bio));
  assert_int_equal(BIO_read(f.bio, buf, sizeof buf), 8); /* the rest of it is gone */
  assert_memory_equal(buf, "01234567", 8);
  assert_int_equal(BIO_read(f.bio, buf, sizeof buf), 1);
  assert_int_equal(buf[0], 'c');
  assert_int_equal(BIO_read(f.bio, buf, sizeof buf), -1);
  clear(&f);
}

static void counts_application_data(void **state) {
  (void)state;
  fixture f;
  init(&f);
  char buf[8];
  static const char *const firsts[] = {"\x16", "\x17", "\x15", "\x2c", "\x17"};
  for (size_t i = 0; i < 5; i++) {
    assert_true(floe__dgram_queue_add(f.env, &f.pipe.in, text(firsts[i])));
    assert_int_equal(BIO_read(f.bio, buf, sizeof buf), 1);
  }
  assert_int_equal(f.pipe.n_data_taken, 3);
  clear(&f);
}

static void writes_one_datagram_at_a_time(void **state) {
  (void)state;
  fixture f;
  init(&f);
  assert_int_equal(BIO_write(f.bio, "abc", 3), 3);
  assert_int_equal(BIO_write(f.bio, "d", 1), 1);
  expect_first(&f.pipe.out, "abc");
  floe__dgram_queue_drop(f.env, &f.pipe.out);
  expect_first(&f.pipe.out, "d");
  assert_false(f.pipe.has_lost);
  clear(&f);
}

static void loses_what_memory_cannot_hold(void **state) {
  (void)state;
  fixture f;
  init(&f);
  f.memory.fail_from = f.memory.calls + 1;
  assert_int_equal(BIO_write(f.bio, "abc", 3), 3);
  assert_true(f.pipe.has_lost);
  assert_int_equal(floe__dgram_queue_peek(&f.pipe.out).len, 0);
  clear(&f);
}

/* libssl adds BIO_wpending to what it puts into the datagram: it must not see what waits for the network. */
static void answers_libssl(void **state) {
  (void)state;
  fixture f;
  init(&f);
  assert_int_equal(BIO_write(f.bio, "abc", 3), 3);
  assert_int_equal(BIO_ctrl_wpending(f.bio), 0);
  assert_int_equal(BIO_flush(f.bio), 1);
  assert_int_equal(BIO_ctrl(f.bio, BIO_CTRL_DGRAM_GET_MTU_OVERHEAD, 0, NULL), 28);
  assert_int_equal(BIO_ctrl(f.bio, BIO_CTRL_DGRAM_QUERY_MTU, 0, NULL), 0);
  assert_int_equal(BIO_ctrl(f.bio, BIO_CTRL_DGRAM_MTU_EXCEEDED, 0, NULL), 0);
  assert_int_equal(BIO_ctrl(f.bio, BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT, 0, NULL), 0);
  clear(&f);
}

static void knows_a_record_by_its_head(void **state) {
  (void)state;
  uint8_t d[13] = {22, 254, 253};
  for (int type = 0; type < 256; type++) {
    d[0] = (uint8_t)type;
    assert_int_equal(floe__dgram_is_record((floe_bytes){d, 13}), (type >= 20 && type < 64));
    /* DTLS 1.3's are shorter */
    assert_int_equal(floe__dgram_is_record((floe_bytes){d, 12}), (type >= 32 && type < 64));
  }
  d[0] = 22;
  d[1] = 3; /* TLS */
  assert_false(floe__dgram_is_record((floe_bytes){d, 13}));
  assert_false(floe__dgram_is_record((floe_bytes){d, 0}));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_order_and_borders),       cmocka_unit_test(takes_what_udp_can_carry),
      cmocka_unit_test(adds_all_or_nothing),           cmocka_unit_test(reads_one_datagram_at_a_time),
      cmocka_unit_test(counts_application_data),       cmocka_unit_test(writes_one_datagram_at_a_time),
      cmocka_unit_test(loses_what_memory_cannot_hold), cmocka_unit_test(answers_libssl),
      cmocka_unit_test(knows_a_record_by_its_head),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
