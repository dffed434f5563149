/* Sessions in time: retransmissions to the millisecond, time-outs, loss, reordering, repetition, fragmentation. */
#include "tls/dtls.h"
#include "unit/tls/dtls_pair.h"

/* --- retransmission ----------------------------------------------------------------------------------------------- */

typedef struct flight_log {
  pair *p;
  size_t n;
  floe_time at[64];
} flight_log;

static bool log_and_drop(void *user, size_t from, uint8_t *bytes, size_t *len) {
  flight_log *log = user;
  (void)bytes;
  (void)len;
  if (from == 0 && log->n < 64) log->at[log->n++] = log->p->now - START;
  return false;
}

static void check_flights(uint32_t rto_ms, uint32_t timeout_ms, const uint32_t *expected_ms, size_t n) {
  pair *p = pair_new_empty();
  pair_end e;
  pair_end_init(&e, true, pair_cert[0], pair_cert[1]);
  e.cfg.rto_ms = rto_ms;
  e.cfg.timeout_ms = timeout_ms;
  pair_add(p, &e);
  flight_log log = {.p = p};
  p->filter = log_and_drop;
  p->filter_user = &log;
  pair_start(p);
  pair_run(p, START + 400 * FLOE_SECOND);
  assert_int_equal(log.n, n);
  for (size_t i = 0; i < n; i++) assert_int_equal(log.at[i], expected_ms[i] * FLOE_MS);
  pair_free(p);
}

static void sends_a_flight_again_and_again(void **state) {
  (void)state;
  static const uint32_t usual[] = {0, 250, 750, 1750, 3750, 6750, 9750, 12750, 15750, 18750, 21750, 24750, 27750};
  check_flights(0, 0, usual, 13);
  static const uint32_t slower[] = {0, 1000, 3000, 6000, 9000};
  check_flights(1000, 10000, slower, 5);
  static const uint32_t least[] = {0, 50, 150, 350, 750, 1550};
  check_flights(1, 2000, least, 6);
  static const uint32_t even[] = {0, 5000, 10000, 15000}; /* not below where it began */
  check_flights(5000, 20000, even, 4);
  static const uint32_t most[] = {0, 60000};
  check_flights(UINT32_MAX, 100000, most, 2);
}

static void check_timeout(bool is_client, uint32_t timeout_ms, uint32_t expected_ms) {
  pair *p = pair_new_empty();
  pair_end e;
  pair_end_init(&e, is_client, pair_cert[0], pair_cert[1]);
  e.cfg.timeout_ms = timeout_ms;
  pair_add(p, &e);
  floe__dtls *dtls = p->end[is_client ? 0 : 1];
  pair_start(p);
  pair_run(p, START + expected_ms * FLOE_MS - 1);
  assert_int_equal(floe__dtls_state_of(dtls), FLOE__DTLS_HANDSHAKE);
  assert_int_equal(floe__dtls_deadline(dtls).at, START + expected_ms * FLOE_MS);
  assert_string_equal(floe__dtls_deadline(dtls).reason, "dtls.handshake");
  pair_run(p, START + expected_ms * FLOE_MS);
  const floe__dtls_info *info = floe__dtls_info_of(dtls);
  assert_int_equal(floe__dtls_state_of(dtls), FLOE__DTLS_FAILED);
  assert_int_equal(info->cause, FLOE_CAUSE_DTLS_TIMEOUT);
  assert_non_null(strstr(info->text, "the peer's certificate had not arrived"));
  assert_false(info->has_alert_sent);
  assert_int_equal(floe__dtls_deadline(dtls).at, FLOE_TIME_NEVER);
  floe__dtls_on_deadline(dtls, p->now + FLOE_SECOND);
  assert_int_equal(floe__dtls_state_of(dtls), FLOE__DTLS_FAILED);
  pair_free(p);
}

static void gives_up_in_time(void **state) {
  (void)state;
  check_timeout(true, 0, 30000);
  check_timeout(false, 0, 30000);
  check_timeout(true, 1234, 1234);
  check_timeout(false, 1, 1);
}

/* libssl gives up by itself after twelve times. */
static void gives_up_when_libssl_does(void **state) {
  (void)state;
  pair *p = pair_new_empty();
  pair_end e;
  pair_end_init(&e, true, pair_cert[0], pair_cert[1]);
  e.cfg.timeout_ms = UINT32_MAX;
  e.cfg.rto_ms = 50;
  pair_add(p, &e);
  pair_start(p);
  pair_run(p, START + 3600 * FLOE_SECOND);
  assert_int_equal(floe__dtls_state_of(p->end[0]), FLOE__DTLS_FAILED);
  assert_int_equal(floe__dtls_info_of(p->end[0])->cause, FLOE_CAUSE_DTLS_TIMEOUT);
  assert_int_equal(p->n_by[0], 13);
  pair_free(p);
}

static bool drop_finished(void *user, size_t from, uint8_t *bytes, size_t *len) {
  (void)user;
  (void)len;
  return from != 1 || bytes[0] != 20; /* the server's last flight begins with ChangeCipherSpec */
}

static void tells_how_far_it_came(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  p->filter = drop_finished;
  pair_start(p);
  pair_run(p, START + 30 * FLOE_SECOND);
  assert_int_equal(floe__dtls_state_of(p->end[1]), FLOE__DTLS_OPEN);
  const floe__dtls_info *info = floe__dtls_info_of(p->end[0]);
  assert_int_equal(info->cause, FLOE_CAUSE_DTLS_TIMEOUT);
  assert_string_equal(info->text, "the handshake was not finished within 30000 ms; the peer's certificate had arrived");
  pair_free(p);
}

/* libssl's clock and the core's need not agree: asked too early, it is asked again, a millisecond later or more. */
static void asks_again_when_it_is_not_due(void **state) {
  (void)state;
  pair *p = pair_new_empty();
  pair_end e;
  pair_end_init(&e, true, pair_cert[0], pair_cert[1]);
  pair_add(p, &e);
  floe__dtls_start(p->end[0], p->now);
  floe_bytes b;
  assert_true(floe__dtls_next_datagram(p->end[0], &b));
  assert_int_equal(floe__dtls_deadline(p->end[0]).at, START + 250 * FLOE_MS);
  floe__test_clock_set(START + 100 * FLOE_MS); /* libssl's is behind */
  floe__dtls_on_deadline(p->end[0], START + 250 * FLOE_MS);
  assert_false(floe__dtls_next_datagram(p->end[0], &b));
  assert_int_equal(floe__dtls_deadline(p->end[0]).at, START + 400 * FLOE_MS);
  floe__test_clock_set(START + 240 * FLOE_MS); /* less than libssl can tell from nothing: it sends */
  floe__dtls_on_deadline(p->end[0], START + 400 * FLOE_MS);
  assert_true(floe__dtls_next_datagram(p->end[0], &b));
  assert_int_equal(floe__dtls_deadline(p->end[0]).at, START + 900 * FLOE_MS);
  floe__test_clock_set(START); /* a clock that jumps back */
  floe__dtls_on_deadline(p->end[0], START + 900 * FLOE_MS);
  assert_false(floe__dtls_next_datagram(p->end[0], &b));
  assert_true(floe__dtls_deadline(p->end[0]).at >= START + 901 * FLOE_MS);
  assert_true(floe__dtls_deadline(p->end[0]).at <= START + 1700 * FLOE_MS);
  pair_free(p);
}

/* --- fragmentation ------------------------------------------------------------------------------------------------ */

static void check_mtu(floe_certificate *client, floe_certificate *server, size_t mtu) {
  pair *p = pair_new(client, server, mtu);
  pair_start(p);
  pair_run(p, START + 5 * FLOE_SECOND);
  assert_true(pair_is_open(p));
  assert_true(p->largest <= mtu);
  pair_free(p);
}

static void fragments_to_the_mtu(void **state) {
  (void)state;
  for (size_t mtu = 256; mtu <= 1500; mtu += 51) check_mtu(pair_cert[0], pair_cert[1], mtu);
  for (size_t mtu = 300; mtu <= 1200; mtu += 100) check_mtu(pair_cert[2], pair_cert[3], mtu);
  check_mtu(pair_cert[2], pair_cert[3], 9000);
}

static void fragments_large_certificates(void **state) {
  floe_certificate *large = make_cert(*state, FLOE_KEY_RSA, 4096);
  static const size_t mtus[] = {300, 576, 1200, 4096, 9000};
  for (size_t i = 0; i < sizeof mtus / sizeof mtus[0]; i++) {
    check_mtu(large, pair_cert[0], mtus[i]);
    check_mtu(pair_cert[0], large, mtus[i]);
  }
  floe_certificate_free(large);
}

static bool shrink_path(void *user, size_t from, uint8_t *bytes, size_t *len) {
  (void)from;
  (void)bytes;
  return *len <= *(const size_t *)user;
}

/* A path that is narrower than was thought: once that is told, the next time the flights fit. */
static void fits_a_narrower_path_when_told(void **state) {
  (void)state;
  size_t path = 320; /* a certificate takes 340; libssl sends messages one by one the second time */
  pair *p = pair_new(pair_cert[0], pair_cert[1], 1200);
  p->filter = shrink_path;
  p->filter_user = &path;
  pair_start(p);
  pair_run(p, START + 2 * FLOE_SECOND);
  assert_false(pair_is_open(p));
  floe__dtls_set_mtu(p->end[0], 320);
  floe__dtls_set_mtu(p->end[1], 320);
  pair_run(p, START + 20 * FLOE_SECOND);
  assert_true(pair_is_open(p));
  pair_free(p);
}

/* --- a bad network ------------------------------------------------------------------------------------------------ */

/* Each seed a handshake and a message each way. Returns how many came up within the time. */
static size_t count_opened(network net, size_t mtu, size_t n_seeds, floe_certificate *cert) {
  size_t n = 0;
  for (uint64_t seed = 1; seed <= n_seeds; seed++) {
    pair *p = pair_new(cert, cert, mtu);
    p->net = net;
    p->net.seed = seed * UINT64_C(0x9E3779B97F4A7C15);
    pair_start(p);
    pair_run(p, START + 31 * FLOE_SECOND);
    const bool is_open = pair_is_open(p);
    if (!is_open)
      print_message("seed %u: %d %d\n", (unsigned)seed, floe__dtls_state_of(p->end[0]), floe__dtls_state_of(p->end[1]));
    for (size_t i = 0; i < 2; i++) {
      const floe__dtls_info *info = floe__dtls_info_of(p->end[i]);
      assert_true(info->cause == FLOE_CAUSE_NONE || info->cause == FLOE_CAUSE_DTLS_TIMEOUT);
    }
    n += is_open ? 1 : 0;
    pair_free(p);
  }
  return n;
}

static void survives_loss(void **state) {
  (void)state;
  assert_int_equal(count_opened((network){.delay = 20 * FLOE_MS, .loss_percent = 10}, 1200, 100, pair_cert[0]), 100);
  assert_int_equal(count_opened((network){.delay = 20 * FLOE_MS, .loss_percent = 30}, 1200, 100, pair_cert[0]), 100);
}

static void survives_loss_of_fragments(void **state) {
  (void)state;
  assert_int_equal(count_opened((network){.delay = 20 * FLOE_MS, .loss_percent = 10}, 300, 60, pair_cert[2]), 60);
  assert_int_equal(count_opened((network){.delay = 20 * FLOE_MS, .loss_percent = 30}, 400, 60, pair_cert[0]), 60);
}

static void survives_reordering_and_repetition(void **state) {
  (void)state;
  const network shuffled = {.delay = 20 * FLOE_MS, .reorder_percent = 30, .repeat_percent = 30};
  assert_int_equal(count_opened(shuffled, 300, 100, pair_cert[0]), 100);
  const network bad = {.delay = 20 * FLOE_MS, .reorder_percent = 30, .repeat_percent = 30, .loss_percent = 30};
  assert_int_equal(count_opened(bad, 1200, 100, pair_cert[0]), 100);
}

/* A round trip longer than the first time-outs: flights come twice, and nothing is upset by it. */
static void survives_a_long_way(void **state) {
  (void)state;
  assert_int_equal(count_opened((network){.delay = 600 * FLOE_MS}, 1200, 1, pair_cert[0]), 1);
  assert_int_equal(count_opened((network){.delay = 2500 * FLOE_MS}, 1200, 1, pair_cert[0]), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sends_a_flight_again_and_again),
      cmocka_unit_test(gives_up_in_time),
      cmocka_unit_test(gives_up_when_libssl_does),
      cmocka_unit_test(tells_how_far_it_came),
      cmocka_unit_test(asks_again_when_it_is_not_due),
      cmocka_unit_test(fragments_to_the_mtu),
      cmocka_unit_test(fragments_large_certificates),
      cmocka_unit_test(fits_a_narrower_path_when_told),
      cmocka_unit_test(survives_loss),
      cmocka_unit_test(survives_loss_of_fragments),
      cmocka_unit_test(survives_reordering_and_repetition),
      cmocka_unit_test(survives_a_long_way),
  };
  return cmocka_run_group_tests(tests, pair_make_certs, pair_free_certs);
}
