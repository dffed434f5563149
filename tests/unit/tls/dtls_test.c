/* Sessions that come up, carry datagrams and end as they should. Loss and time: dtls_time_test.c; refusals and hostile
 * bytes: dtls_verify_test.c. */
#include "tls/dtls.h"

#include "unit/tls/dtls_pair.h"

/* --- coming up ---------------------------------------------------------------------------------------------------- */

static void check_open(floe_certificate *client, floe_certificate *server, const char *cipher) {
  pair *p = pair_new(client, server, 0);
  pair_connect(p);
  for (size_t i = 0; i < 2; i++) {
    const floe__dtls_info *info = floe__dtls_info_of(p->end[i]);
    assert_string_equal(info->version, "DTLSv1.2");
    assert_string_equal(info->cipher, cipher);
    assert_string_equal(info->group, "x25519");
    assert_int_equal(info->cause, FLOE_CAUSE_NONE);
    assert_false(info->has_alert_received);
    assert_false(info->has_alert_sent);
    assert_null(info->text);
    assert_int_equal(info->datagrams_discarded, 0);
    assert_int_equal(X509_cmp(info->peer, i == 0 ? server->x509 : client->x509), 0);
  }
  assert_true(pair_write(p, 0, pair_text("ping")));
  assert_true(pair_write(p, 1, pair_text("pong")));
  pair_rest(p);
  pair_expect(p, 1, "ping");
  pair_expect(p, 0, "pong");
  pair_free(p);
}

static void opens_with_each_kind_of_key(void **state) {
  (void)state;
  check_open(pair_cert[0], pair_cert[1], "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  check_open(pair_cert[2], pair_cert[3], "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
  check_open(pair_cert[0], pair_cert[3], "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
  check_open(pair_cert[2], pair_cert[1], "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
}

/* RFC 6347 4.2: two round trips; the server is open half a round trip before the client. */
static void takes_two_round_trips(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  assert_int_equal(p->opened[1] - START, 30 * FLOE_MS);
  assert_int_equal(p->opened[0] - START, 40 * FLOE_MS);
  assert_int_equal(p->n_by[0] + p->n_by[1], 4); /* each flight in one datagram */
  pair_free(p);
}

static void says_nothing_before_it_is_started(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  for (size_t i = 0; i < 2; i++) {
    floe_bytes b;
    uint8_t byte;
    assert_int_equal(floe__dtls_state_of(p->end[i]), FLOE__DTLS_NEW);
    assert_false(floe__dtls_next_datagram(p->end[i], &b));
    assert_int_equal(floe__dtls_deadline(p->end[i]).at, FLOE_TIME_NEVER);
    assert_false(floe__dtls_write(p->end[i], pair_text("x"), p->now));
    assert_int_equal(floe__dtls_read(p->end[i], &byte, 1), 0);
    floe__dtls_close(p->end[i], p->now);
    floe__dtls_on_deadline(p->end[i], p->now);
    assert_int_equal(floe__dtls_state_of(p->end[i]), FLOE__DTLS_NEW);
    const uint8_t hello[20] = {22, 254, 253};
    floe__dtls_on_datagram(p->end[i], (floe_bytes){hello, sizeof hello}, p->now);
    assert_int_equal(floe__dtls_info_of(p->end[i])->datagrams_discarded, 1);
    assert_null(floe__dtls_info_of(p->end[i])->version);
  }
  pair_free(p);
}

static void starts_once(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  floe_bytes b;
  floe__dtls_start(p->end[0], p->now);
  floe__dtls_start(p->end[1], p->now);
  assert_true(floe__dtls_next_datagram(p->end[0], &b));
  const uint8_t head[3] = {22, 254, 255}; /* RFC 6347 4.1: the first record says DTLS 1.0, its message 1.2 */
  assert_memory_equal(b.ptr, head, sizeof head);
  assert_int_equal(b.ptr[13], 1);
  floe__dtls_start(p->end[0], p->now + FLOE_SECOND);
  assert_false(floe__dtls_next_datagram(p->end[0], &b));
  assert_false(floe__dtls_next_datagram(p->end[1], &b));
  assert_false(floe__dtls_write(p->end[0], pair_text("too early"), p->now));
  floe__dtls_close(p->end[0], p->now);
  assert_int_equal(floe__dtls_state_of(p->end[0]), FLOE__DTLS_HANDSHAKE);
  assert_false(floe__dtls_next_datagram(p->end[0], &b));
  pair_free(p);
}

/* --- datagrams ---------------------------------------------------------------------------------------------------- */

static void keeps_the_borders_of_datagrams(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  for (int i = 0; i < 10; i++) assert_true(floe__dtls_write(p->end[0], pair_text("0123456789"), p->now));
  pair_settle(p, 0);
  pair_rest(p);
  assert_int_equal(p->n_records[1], 10);
  assert_int_equal(p->n_got[1], 100);
  pair_free(p);
}

/* A record may be read in pieces; the next one begins anew. */
static void reads_a_record_in_pieces(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  floe_bytes b;
  uint8_t buf[8];
  assert_true(floe__dtls_write(p->end[1], pair_text("0123456789"), p->now));
  assert_true(floe__dtls_next_datagram(p->end[1], &b));
  floe__dtls_on_datagram(p->end[0], b, p->now);
  assert_int_equal(floe__dtls_read(p->end[0], buf, 0), 0);
  assert_int_equal(floe__dtls_read(p->end[0], buf, 8), 8);
  assert_memory_equal(buf, "01234567", 8);
  assert_int_equal(floe__dtls_read(p->end[0], buf, 8), 2);
  assert_memory_equal(buf, "89", 2);
  assert_int_equal(floe__dtls_read(p->end[0], buf, 8), 0);
  pair_free(p);
}

static void fills_a_datagram_to_the_mtu(void **state) {
  (void)state;
  static const size_t mtus[] = {300, 576, 1200, 1280, 1500, 4096, 9000};
  static const uint8_t plain[9000] = {1};
  for (size_t i = 0; i < sizeof mtus / sizeof mtus[0]; i++) {
    pair *p = pair_new(pair_cert[0], pair_cert[1], mtus[i]);
    assert_int_equal(floe__dtls_payload(p->end[0]), mtus[i] - 37);
    pair_connect(p);
    const size_t room = floe__dtls_payload(p->end[0]);
    assert_int_equal(room, mtus[i] - 37); /* RFC 6347 4.1: 13; RFC 5288 3: 8 and 16 */
    assert_true(p->largest <= mtus[i]);
    p->largest = 0;
    assert_true(pair_write(p, 0, (floe_bytes){plain, room}));
    assert_int_equal(p->largest, mtus[i]);
    pair_rest(p);
    assert_int_equal(p->n_got[1], room);
    pair_free(p);
  }
}

static void follows_the_mtu_of_the_path(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  assert_int_equal(floe__dtls_payload(p->end[0]), 1163);
  floe__dtls_set_mtu(p->end[0], 1400);
  assert_int_equal(floe__dtls_payload(p->end[0]), 1363);
  floe__dtls_set_mtu(p->end[0], 576);
  assert_int_equal(floe__dtls_payload(p->end[0]), 539);
  floe__dtls_set_mtu(p->end[0], 0); /* libssl takes none below */
  assert_int_equal(floe__dtls_payload(p->end[0]), 256 - 37);
  floe__dtls_set_mtu(p->end[0], 65535);
  assert_int_equal(floe__dtls_payload(p->end[0]), 16384);
  pair_free(p);
}

static void writes_no_more_than_a_record(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  static const uint8_t plain[16385] = {7};
  assert_false(pair_write(p, 0, (floe_bytes){plain, 16385}));
  assert_true(pair_write(p, 0, (floe_bytes){plain, 16384}));
  assert_true(pair_write(p, 0, (floe_bytes){plain, 0}));
  pair_rest(p);
  assert_int_equal(p->n_records[1], 1);
  assert_int_equal(p->n_got[1], 16384);
  assert_int_equal(floe__dtls_state_of(p->end[0]), FLOE__DTLS_OPEN);
  pair_free(p);
}

/* What nobody reads does not grow without end. */
static void bounds_what_is_not_read(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  pair_rest(p);
  static const uint8_t plain[1000] = {7};
  floe_bytes b;
  for (int i = 0; i < 1000; i++) {
    assert_true(floe__dtls_write(p->end[0], (floe_bytes){plain, sizeof plain}, p->now));
    assert_true(floe__dtls_next_datagram(p->end[0], &b));
    floe__dtls_on_datagram(p->end[1], b, p->now);
  }
  assert_int_equal(floe__dtls_info_of(p->end[1])->datagrams_discarded, 1000 - 253); /* 256 KiB, 1039 bytes each */
  pair_read(p, 1);
  assert_int_equal(p->n_records[1], 253);
  pair_free(p);
}

/* --- what is discarded -------------------------------------------------------------------------------------------- */

static void check_discarded(pair *p, size_t end, floe_bytes b, uint32_t more) {
  const uint32_t before = floe__dtls_info_of(p->end[end])->datagrams_discarded;
  floe__dtls_on_datagram(p->end[end], b, p->now);
  pair_settle(p, end);
  assert_int_equal(floe__dtls_info_of(p->end[end])->datagrams_discarded - before, more);
  assert_int_equal(floe__dtls_state_of(p->end[end]), FLOE__DTLS_OPEN);
}

static void discards_what_is_not_authentic(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  pair_rest(p);
  floe_bytes b;
  uint8_t copy[64];
  assert_true(floe__dtls_write(p->end[0], pair_text("hello"), p->now));
  assert_true(floe__dtls_next_datagram(p->end[0], &b));
  assert_int_equal(b.len, 42);
  memcpy(copy, b.ptr, b.len);
  for (size_t i = 13; i < sizeof copy - 22; i++) { /* each byte behind the header */
    copy[i] ^= 1;
    check_discarded(p, 1, (floe_bytes){copy, 42}, 1);
    copy[i] ^= 1;
  }
  assert_int_equal(p->n_got[1], 0);
  check_discarded(p, 1, (floe_bytes){copy, 42}, 0);
  pair_expect(p, 1, "hello");
  check_discarded(p, 1, (floe_bytes){copy, 42}, 1); /* RFC 6347 4.1.2.6: a replay */
  assert_int_equal(p->n_got[1], 0);
  const uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
  check_discarded(p, 1, (floe_bytes){stun, sizeof stun}, 1);
  check_discarded(p, 1, (floe_bytes){stun, 0}, 1);
  check_discarded(p, 1, (floe_bytes){copy, 12}, 1);
  pair_free(p);
}

/* A damaged datagram in front of a good one costs nothing but itself. */
static void counts_each_of_several(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  pair_rest(p);
  floe_bytes b;
  for (int i = 0; i < 3; i++) {
    assert_true(floe__dtls_write(p->end[0], pair_text("abc"), p->now));
    assert_true(floe__dtls_next_datagram(p->end[0], &b));
    uint8_t copy[64];
    memcpy(copy, b.ptr, b.len);
    if (i < 2) copy[b.len - 1] ^= 1;
    floe__dtls_on_datagram(p->end[1], (floe_bytes){copy, b.len}, p->now);
  }
  pair_read(p, 1);
  pair_expect(p, 1, "abc");
  assert_int_equal(floe__dtls_info_of(p->end[1])->datagrams_discarded, 2);
  pair_free(p);
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void closes(size_t by) {
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  pair_rest(p);
  assert_true(floe__dtls_write(p->end[by], pair_text("last words"), p->now));
  floe__dtls_close(p->end[by], p->now);
  assert_int_equal(floe__dtls_state_of(p->end[by]), FLOE__DTLS_CLOSED);
  assert_false(floe__dtls_write(p->end[by], pair_text("x"), p->now));
  assert_int_equal(floe__dtls_deadline(p->end[by]).at, FLOE_TIME_NEVER);
  pair_settle(p, by);
  pair_rest(p);
  pair_expect(p, 1 - by, "last words");
  for (size_t i = 0; i < 2; i++) {
    const floe__dtls_info *info = floe__dtls_info_of(p->end[i]);
    assert_int_equal(floe__dtls_state_of(p->end[i]), FLOE__DTLS_CLOSED);
    assert_int_equal(info->cause, FLOE_CAUSE_NONE);
    assert_true(info->has_alert_sent);
    assert_int_equal(info->alert_sent, 0);
    assert_int_equal(floe__dtls_deadline(p->end[i]).at, FLOE_TIME_NEVER);
  }
  assert_true(floe__dtls_info_of(p->end[1 - by])->has_alert_received);
  floe__dtls_close(p->end[by], p->now);
  floe__dtls_on_deadline(p->end[by], p->now);
  pair_free(p);
}

static void closes_from_each_side(void **state) {
  (void)state;
  closes(0);
  closes(1);
}

static void closes_from_both_sides_at_once(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  for (size_t i = 0; i < 2; i++) {
    floe__dtls_close(p->end[i], p->now);
    pair_settle(p, i);
  }
  pair_rest(p);
  for (size_t i = 0; i < 2; i++) assert_int_equal(floe__dtls_state_of(p->end[i]), FLOE__DTLS_CLOSED);
  pair_free(p);
}

/* --- key log ------------------------------------------------------------------------------------------------------ */

typedef struct keys {
  size_t n;
  char first[512];
} keys;

static void note_key(void *user, const char *line) {
  keys *k = user;
  if (k->n++ == 0) (void)snprintf(k->first, sizeof k->first, "%s", line);
}

static void tells_the_keys_to_who_asks(void **state) {
  (void)state;
  pair *p = pair_new_empty();
  keys k[2] = {{0}};
  pair_end e;
  pair_end_init(&e, true, pair_cert[0], pair_cert[1]);
  e.cfg.keylog = note_key;
  e.cfg.keylog_user = &k[0];
  pair_add(p, &e);
  pair_end_init(&e, false, pair_cert[1], pair_cert[0]);
  pair_add(p, &e);
  pair_connect(p);
  assert_int_equal(k[0].n, 1);
  assert_int_equal(k[1].n, 0);
  /* the NSS format: label, the client's random in 64 digits, the master secret in 96 */
  assert_memory_equal(k[0].first, "CLIENT_RANDOM ", 14);
  assert_int_equal(strlen(k[0].first), 14 + 64 + 1 + 96);
  assert_int_equal(strspn(k[0].first + 14, "0123456789abcdef"), 64);
  assert_int_equal(strspn(k[0].first + 79, "0123456789abcdef"), 96);
  pair_free(p);
}

/* --- traces ------------------------------------------------------------------------------------------------------- */

typedef struct lines {
  size_t len;
  char text[2048];
} lines;

static void note_line(void *user, const char *json, size_t len) {
  lines *l = user;
  assert_true(len + 2 < sizeof l->text - l->len);
  memcpy(l->text + l->len, json, len);
  l->len += len;
  l->text[l->len++] = '\n';
}

static void traces_its_states(void **state) {
  (void)state;
  lines l = {0};
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = &l;
  cfg.trace = note_line;
  floe_env *env = NULL;
  assert_int_equal(floe_env_new(&env, &cfg), FLOE_OK);
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  floe__dtls_free(p->end[0]);
  pair_end e;
  pair_end_init(&e, true, pair_cert[0], pair_cert[1]);
  p->end[0] = floe__dtls_new(env, &e.cfg, p->now);
  pair_connect(p);
  floe__dtls_close(p->end[0], p->now);
  floe__dtls_free(p->end[0]);
  p->end[0] = floe__dtls_new(env, &e.cfg, p->now);
  floe__dtls_start(p->end[0], p->now);
  floe__dtls_on_deadline(p->end[0], p->now + 30 * FLOE_SECOND);
  assert_string_equal(
      l.text,
      "{\"t_ms\":1000000.000,\"event\":\"dtls.state\",\"from\":\"new\",\"to\":\"handshake\",\"role\":\"client\"}\n"
      "{\"t_ms\":1000040.000,\"event\":\"dtls.state\",\"from\":\"handshake\",\"to\":\"open\",\"role\":\"client\","
      "\"version\":\"DTLSv1.2\","
      "\"cipher\":\"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\",\"group\":\"x25519\",\"fingerprint\":\"sha-256\"}\n"
      "{\"t_ms\":1000040.000,\"event\":\"dtls.state\",\"from\":\"open\",\"to\":\"closed\",\"role\":\"client\",\"alert_"
      "sent\":0}\n"
      "{\"t_ms\":1000040.000,\"event\":\"dtls.state\",\"from\":\"new\",\"to\":\"handshake\",\"role\":\"client\"}\n"
      "{\"t_ms\":1030040.000,\"event\":\"dtls.state\",\"from\":\"handshake\",\"to\":\"failed\","
      "\"role\":\"client\",\"cause\":\"dtls_timeout\",\"certificate\":0}\n");
  floe__dtls_free(p->end[0]);
  p->end[0] = NULL;
  floe_env_free(env);
  pair_free(p);
}

/* --- memory ------------------------------------------------------------------------------------------------------- */

static void gives_its_buffers_back_when_idle(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  const floe__deadline d = floe__dtls_deadline(p->end[0]);
  assert_string_equal(d.reason, "dtls.idle");
  assert_int_equal(d.at, p->opened[0] + FLOE_SECOND);
  pair_run(p, p->opened[0] + 900 * FLOE_MS);
  assert_true(pair_write(p, 0, pair_text("a")));
  pair_run(p, p->opened[0] + 1899 * FLOE_MS);
  assert_int_equal(floe__dtls_deadline(p->end[0]).at, p->opened[0] + 1900 * FLOE_MS);
  pair_run(p, p->opened[0] + 2000 * FLOE_MS);
  for (size_t i = 0; i < 2; i++) assert_int_equal(floe__dtls_deadline(p->end[i]).at, FLOE_TIME_NEVER);
  pair_expect(p, 1, "a");
  uint8_t byte;
  assert_int_equal(floe__dtls_read(p->end[0], &byte, 1), 0);
  assert_true(pair_write(p, 0, pair_text("b")));
  pair_rest(p);
  pair_expect(p, 1, "b");
  pair_run(p, p->now + 10 * FLOE_SECOND);
  floe__dtls_close(p->end[1], p->now); /* has to write an alert */
  pair_settle(p, 1);
  pair_rest(p);
  assert_int_equal(floe__dtls_state_of(p->end[0]), FLOE__DTLS_CLOSED);
  pair_free(p);
}

/* A record that was not read keeps them. */
static void keeps_buffers_with_something_in_them(void **state) {
  (void)state;
  pair *p = pair_new(pair_cert[0], pair_cert[1], 0);
  pair_connect(p);
  floe_bytes b;
  uint8_t byte = 0;
  assert_true(floe__dtls_write(p->end[1], pair_text("xyz"), p->now));
  assert_true(floe__dtls_next_datagram(p->end[1], &b));
  floe__dtls_on_datagram(p->end[0], b, p->now);
  assert_int_equal(floe__dtls_read(p->end[0], &byte, 1), 1);
  pair_set_time(p, p->now + 5 * FLOE_SECOND);
  floe__dtls_on_deadline(p->end[0], p->now);
  assert_int_equal(floe__dtls_deadline(p->end[0]).at, p->now + FLOE_SECOND);
  pair_read(p, 0);
  pair_expect(p, 0, "yz");
  pair_free(p);
}

/* Each allocation fails in turn: a session that comes up all the same, or an end without a leak. */
static void survives_a_lack_of_memory(void **state) {
  (void)state;
  uint64_t total = 0;
  for (uint64_t fail_at = 0; fail_at <= total; fail_at++) {
    pair *p = pair_new_empty();
    pair_end e[2];
    pair_end_init(&e[0], true, pair_cert[0], pair_cert[1]);
    pair_end_init(&e[1], false, pair_cert[1], pair_cert[0]);
    p->memory.fail_at = fail_at == 0 ? 0 : p->memory.calls + fail_at;
    const uint64_t before = p->memory.calls;
    for (size_t i = 0; i < 2; i++) p->end[i] = floe__dtls_new(p->env, &e[i].cfg, p->now);
    if (p->end[0] != NULL && p->end[1] != NULL) {
      pair_start(p);
      pair_run(p, p->now + 5 * FLOE_SECOND);
      assert_true(pair_is_open(p)); /* a datagram was lost, and sent again */
      (void)pair_write(p, 0, pair_text("x"));
      pair_run(p, p->now + FLOE_SECOND);
      floe__dtls_close(p->end[1], p->now);
      pair_settle(p, 1);
      pair_run(p, p->now + FLOE_SECOND);
    } else {
      assert_int_equal(p->memory.failed, 1);
    }
    if (fail_at == 0) total = p->memory.calls - before;
    assert_true(total > 10);
    pair_free(p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(opens_with_each_kind_of_key),
      cmocka_unit_test(takes_two_round_trips),
      cmocka_unit_test(says_nothing_before_it_is_started),
      cmocka_unit_test(starts_once),
      cmocka_unit_test(keeps_the_borders_of_datagrams),
      cmocka_unit_test(reads_a_record_in_pieces),
      cmocka_unit_test(fills_a_datagram_to_the_mtu),
      cmocka_unit_test(follows_the_mtu_of_the_path),
      cmocka_unit_test(writes_no_more_than_a_record),
      cmocka_unit_test(bounds_what_is_not_read),
      cmocka_unit_test(discards_what_is_not_authentic),
      cmocka_unit_test(counts_each_of_several),
      cmocka_unit_test(closes_from_each_side),
      cmocka_unit_test(closes_from_both_sides_at_once),
      cmocka_unit_test(tells_the_keys_to_who_asks),
      cmocka_unit_test(traces_its_states),
      cmocka_unit_test(gives_its_buffers_back_when_idle),
      cmocka_unit_test(keeps_buffers_with_something_in_them),
      cmocka_unit_test(survives_a_lack_of_memory),
  };
  return cmocka_run_group_tests(tests, pair_make_certs, pair_free_certs);
}
