/* The bytes of a session, its end, and what happens without memory. */
#include "tls/tls_stream.h"
#include "unit/tls/session.h"

/* --- the end of the stream -----------------------------------------------------------------------------------------
 */

/* Each point of the first record's beginning, then each seventh: it takes a handshake each time. */
static void check_fin_throughout(int version) {
  size_t total = 0;
  size_t open_at = 0;
  for (size_t n = 0; open_at == 0; n += n < 16 ? 1 : 7) {
    wire l = make_wire((floe__tls_server_config){.only_version = version});
    l.chunk = 0;
    size_t left = n;
    while (left > 0) {
      (void)deliver(&l, l.client, l.server);
      const floe_bytes out = floe__tls_output(l.server);
      if (out.len == 0) break;
      const size_t take = left < out.len ? left : out.len;
      give(l.client, out.ptr, take);
      floe__tls_sent(l.server, take);
      left -= take;
    }
    if (floe__tls_state_of(l.client) == FLOE__TLS_OPEN) open_at = n;
    total = n;
    floe__tls_on_end(l.client);
    expect_failed(l.client, FLOE_CAUSE_TCP_CLOSED);
    assert_false(floe__tls_info_of(l.client)->has_alert);
    floe__tls_on_end(l.client);
    free_wire(&l);
  }
  assert_true(total > 500);
}

static void fin_throughout_the_handshake(void **state) {
  (void)state;
  check_fin_throughout(0x0304);
  check_fin_throughout(0x0303);
}

static void reads_what_came_before_the_fin(void **state) {
  (void)state;
  wire l = make_open_wire(0);
  assert_true(floe__tls_write(l.server, text_bytes("one")));
  assert_true(floe__tls_write(l.server, text_bytes("two")));
  (void)pump(&l);
  floe__tls_on_end(l.client);
  assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_OPEN);
  expect_plain(l.client, "one");
  expect_plain(l.client, "two");
  assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_OPEN);
  expect_plain(l.client, "");
  expect_failed(l.client, FLOE_CAUSE_TCP_CLOSED);
  free_wire(&l);
}

static void check_close_notify(int version) {
  wire l = make_open_wire(version);
  assert_true(floe__tls_write(l.server, text_bytes("last words")));
  floe__tls_shutdown(l.server);
  (void)pump(&l);
  assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_OPEN);
  expect_plain(l.client, "last words");
  expect_plain(l.client, "");
  assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_ENDED);
  assert_int_equal(floe__tls_cause(l.client), FLOE_CAUSE_NONE);
  assert_false(floe__tls_info_of(l.client)->has_alert);
  assert_false(floe__tls_write(l.client, text_bytes("more")));
  floe__tls_on_end(l.client);
  give(l.client, "garbage", 7);
  assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_ENDED);
  floe__tls_shutdown(l.client);
  assert_true(floe__tls_output(l.client).len > 0);
  (void)pump(&l);
  assert_int_equal(floe__tls_state_of(l.server), FLOE__TLS_ENDED);
  free_wire(&l);
}

static void ends_with_close_notify(void **state) {
  (void)state;
  check_close_notify(0x0303);
  check_close_notify(0x0304);
}

/* --- bytes
 * ------------------------------------------------------------------------------------------------------------ */

#define LARGE ((size_t)100 * 1024)

static uint8_t pattern_at(size_t i) {
  return (uint8_t)(i * 31 + (i >> 8));
}

/* Reads all there is and checks it against the pattern. */
static void read_pattern(floe__tls *tls, size_t *at) {
  uint8_t buf[5000];
  for (size_t n = 0; (n = floe__tls_read(tls, buf, sizeof buf)) > 0; *at += n) {
    for (size_t i = 0; i < n; i++) assert_int_equal(buf[i], pattern_at(*at + i));
  }
}

static void check_large(int version, size_t chunk) {
  static uint8_t plain[LARGE];
  for (size_t i = 0; i < LARGE; i++) plain[i] = pattern_at(i);
  wire l = make_open_wire(version);
  l.chunk = chunk;
  assert_true(floe__tls_write(l.client, (floe_bytes){plain, LARGE}));
  assert_true(floe__tls_write(l.server, (floe_bytes){plain, LARGE}));
  size_t at_client = 0;
  size_t at_server = 0;
  for (size_t moved = 1; moved > 0;) {
    moved = deliver(&l, l.client, l.server) + deliver(&l, l.server, l.client);
    read_pattern(l.client, &at_client);
    read_pattern(l.server, &at_server);
  }
  assert_int_equal(at_client, LARGE);
  assert_int_equal(at_server, LARGE);
  assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_OPEN);
  free_wire(&l);
}

static void carries_much_data(void **state) {
  (void)state;
  check_large(0x0304, 0);
  check_large(0x0304, 997);
  check_large(0x0303, 16411);
  check_large(0x0303, 61);
}

static void keeps_unread_data_until_it_is_read(void **state) {
  (void)state;
  static uint8_t plain[LARGE];
  for (size_t i = 0; i < LARGE; i++) plain[i] = pattern_at(i);
  wire l = make_open_wire(0);
  assert_true(floe__tls_write(l.server, (floe_bytes){plain, LARGE}));
  l.chunk = 1000;
  (void)pump(&l);
  size_t at = 0;
  read_pattern(l.client, &at);
  assert_int_equal(at, LARGE);
  free_wire(&l);
}

static void writes_nothing_for_nothing(void **state) {
  (void)state;
  wire l = make_open_wire(0);
  assert_true(floe__tls_write(l.client, (floe_bytes){0}));
  assert_int_equal(floe__tls_output(l.client).len, 0);
  uint8_t byte = 0;
  assert_int_equal(floe__tls_read(l.client, &byte, 0), 0);
  give(l.client, "", 0);
  assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_OPEN);
  free_wire(&l);
}

/* --- no memory
 * --------------------------------------------------------------------------------------------------------- */

typedef struct budget {
  size_t left;
  size_t live;
} budget;

static void *reallocate_within(void *user, void *ptr, size_t size) {
  budget *b = user;
  if (size == 0) {
    b->live--;
    free(ptr);
    return NULL;
  }
  if (b->left == 0) return NULL;
  b->left--;
  void *p = realloc(ptr, size);
  if (ptr == NULL && p != NULL) b->live++;
  return p;
}

/* A whole session with `n` allocations. True: it went through. */
static bool run_within(budget *b, size_t n) {
  floe_env_config ec;
  floe_env_config_init(&ec, sizeof ec);
  ec.reallocate = reallocate_within;
  ec.user = b;
  b->left = 1;
  floe_env *poor = NULL;
  assert_int_equal(floe_env_new(&poor, &ec), FLOE_OK);
  floe_env_set_unix_time(poor, 0, TODAY * 1000);
  b->left = n;
  const floe__tls_client_config cfg = {.server_name = "turn.example.org", .ca_pem = text_bytes(ca.cert)};
  wire l = {.client = floe__tls_client_new(poor, &cfg, 0)};
  l.server = make_server((floe__tls_server_config){0});
  bool ok = l.client != NULL;
  if (ok) {
    static const uint8_t plain[20000];
    uint8_t buf[500];
    start(&l);
    (void)pump(&l);
    ok = floe__tls_write(l.client, (floe_bytes){plain, sizeof plain});
    (void)floe__tls_write(l.server, (floe_bytes){plain, sizeof plain});
    (void)pump(&l);
    size_t got = 0;
    for (size_t m = 0; (m = floe__tls_read(l.client, buf, sizeof buf)) > 0;) got += m;
    ok = ok && got == sizeof plain;
    const floe__tls_state s = floe__tls_state_of(l.client);
    assert_true(ok ? s == FLOE__TLS_OPEN : s == FLOE__TLS_FAILED);
  }
  free_wire(&l);
  floe_env_free(poor);
  return ok;
}

static void survives_each_failing_allocation(void **state) {
  (void)state;
  size_t n = 0;
  for (bool ok = false; !ok; n++) {
    budget b = {0};
    ok = run_within(&b, n);
    assert_int_equal(b.live, 0);
    assert_true(n < 200);
  }
  assert_true(n > 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fin_throughout_the_handshake),
      cmocka_unit_test(reads_what_came_before_the_fin),
      cmocka_unit_test(ends_with_close_notify),
      cmocka_unit_test(carries_much_data),
      cmocka_unit_test(keeps_unread_data_until_it_is_read),
      cmocka_unit_test(writes_nothing_for_nothing),
      cmocka_unit_test(survives_each_failing_allocation),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
