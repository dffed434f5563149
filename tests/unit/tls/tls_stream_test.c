/* The session as a machine: handshake, bytes, ends, alerts, and what is no TLS. Certificates: tls_stream_verify_test.c
 */
#include "tls/tls_stream.h"

#include <stdio.h>

#include "unit/tls/fixture.h"

static floe_env *env;
static identity ca, good;

static int set_up(void **state) {
  (void)state;
  env = make_env();
  ca = make_identity(env, "Test CA", NULL, NULL, -10, 3650, NULL, true);
  good = make_identity(env, "turn.example.org", "turn.example.org", "192.0.2.1", -1, 30, &ca, false);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  free_identity(env, &good);
  free_identity(env, &ca);
  floe_env_free(env);
  return 0;
}

static floe__tls *make_client(const char *alpn) {
  const floe__tls_client_config cfg = {.server_name = "turn.example.org", .ca_pem = text_bytes(ca.cert), .alpn = alpn};
  return floe__tls_client_new(env, &cfg, 0);
}

static floe__tls *make_server(floe__tls_server_config cfg) {
  cfg.cert_pem = text_bytes(good.cert);
  cfg.key_pem = text_bytes(good.key);
  return floe__tls_server_new_from(env, &cfg);
}

static wire make_wire(floe__tls_server_config cfg) {
  wire l = {.client = make_client(NULL), .server = make_server(cfg)};
  start(&l);
  return l;
}

static wire make_open_wire(int version) {
  wire l = make_wire((floe__tls_server_config){.only_version = version});
  (void)pump(&l);
  assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_OPEN);
  assert_int_equal(floe__tls_state_of(l.server), FLOE__TLS_OPEN);
  return l;
}

static void give(floe__tls *tls, const void *bytes, size_t len) {
  uint8_t *copy = malloc(len == 0 ? 1 : len);
  assert_non_null(copy);
  memcpy(copy, bytes, len);
  floe__tls_on_bytes(tls, (floe_bytes){.ptr = copy, .len = len}, 0);
  free(copy);
}

/* A client whose ClientHello has been sent. */
static floe__tls *make_waiting_client(void) {
  floe__tls *tls = make_client(NULL);
  assert_non_null(tls);
  floe__tls_start(tls, 0);
  const floe_bytes hello = floe__tls_output(tls);
  assert_true(hello.len > 100);
  floe__tls_sent(tls, hello.len);
  return tls;
}

static void expect_failed(const floe__tls *tls, floe_cause cause) {
  assert_int_equal(floe__tls_state_of(tls), FLOE__TLS_FAILED);
  assert_string_equal(floe_cause_id(floe__tls_cause(tls)), floe_cause_id(cause));
}

static void expect_alert(const floe__tls *tls, uint8_t alert, const char *text) {
  const floe_tls_info *info = floe__tls_info_of(tls);
  assert_true(info->has_alert);
  assert_int_equal(info->alert, alert);
  assert_string_equal(info->alert_text, text);
}

static void expect_plain(floe__tls *tls, const char *text) {
  uint8_t buf[256];
  const size_t n = floe__tls_read(tls, buf, sizeof buf);
  assert_int_equal(n, strlen(text));
  assert_memory_equal(buf, text, n);
}

/* --- handshake ------------------------------------------------------------------------------------------------------
 */

static void starts_with_a_client_hello(void **state) {
  (void)state;
  floe__tls *tls = make_client(NULL);
  assert_int_equal(floe__tls_output(tls).len, 0);
  assert_int_equal(floe__tls_state_of(tls), FLOE__TLS_HANDSHAKE);
  assert_int_equal(floe__tls_cause(tls), FLOE_CAUSE_NONE);
  floe__tls_start(tls, 0);
  const floe_bytes hello = floe__tls_output(tls);
  const uint8_t head[3] = {22, 3, 1};
  assert_memory_equal(hello.ptr, head, 3);
  assert_int_equal(hello.ptr[5], 1);
  assert_false(floe__tls_write(tls, text_bytes("too early")));
  floe__tls_shutdown(tls);
  assert_int_equal(floe__tls_output(tls).len, hello.len);
  const floe_tls_info *info = floe__tls_info_of(tls);
  assert_null(info->version);
  assert_null(info->cipher);
  assert_null(info->subject);
  assert_false(info->has_validity);
  assert_false(info->has_alert);
  assert_false(info->has_verify_error);
  assert_false(info->insecure);
  floe__tls_free(tls);
}

static void check_handshake(int version, size_t chunk, const char *name) {
  wire l = make_wire((floe__tls_server_config){.only_version = version});
  l.chunk = chunk;
  (void)pump(&l);
  assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_OPEN);
  assert_int_equal(floe__tls_state_of(l.server), FLOE__TLS_OPEN);
  const floe_tls_info *info = floe__tls_info_of(l.client);
  assert_string_equal(info->version, name);
  assert_non_null(info->cipher);
  assert_string_equal(info->subject, "CN=turn.example.org");
  assert_string_equal(info->issuer, "CN=Test CA");
  assert_string_equal(info->names, "turn.example.org, 192.0.2.1");
  assert_true(info->has_validity);
  assert_int_equal(info->not_before, TODAY - DAY);
  assert_int_equal(info->not_after, TODAY + 30 * DAY);
  assert_false(info->has_alert);
  assert_false(info->has_verify_error);
  assert_true(floe__tls_write(l.client, text_bytes("ping")));
  assert_true(floe__tls_write(l.server, text_bytes("pong")));
  (void)pump(&l);
  expect_plain(l.server, "ping");
  expect_plain(l.client, "pong");
  free_wire(&l);
}

static void shakes_hands_in_each_version_and_chunking(void **state) {
  (void)state;
  check_handshake(0, 0, "TLSv1.3");
  check_handshake(0, 1, "TLSv1.3");
  check_handshake(0x0304, 7, "TLSv1.3");
  check_handshake(0x0303, 0, "TLSv1.2");
  check_handshake(0x0303, 1, "TLSv1.2");
  check_handshake(0x0303, 1000, "TLSv1.2");
}

static void offers_no_legacy_cipher(void **state) {
  (void)state;
  floe__tls *tls = make_client(NULL);
  floe__tls_start(tls, 0);
  const uint8_t *p = floe__tls_output(tls).ptr;
  /* record 5, handshake 4, version 2, random 32, session id with its length */
  size_t at = 5 + 4 + 2 + 32;
  at += 1 + (size_t)p[at];
  const size_t n = (size_t)(p[at] << 8 | p[at + 1]) / 2;
  at += 2;
  for (size_t i = 0; i < n; i++, at += 2) {
    const unsigned suite = (unsigned)(p[at] << 8 | p[at + 1]);
    const bool is_tls13 = suite >= 0x1301 && suite <= 0x1303;
    const bool is_ecdhe_gcm = suite == 0xC02B || suite == 0xC02C || suite == 0xC02F || suite == 0xC030;
    const bool is_ecdhe_chacha = suite == 0xCCA8 || suite == 0xCCA9;
    const bool is_signal = suite == 0x00FF; /* RFC 5746 */
    assert_true(is_tls13 || is_ecdhe_gcm || is_ecdhe_chacha || is_signal);
  }
  assert_int_equal(p[at], 1); /* one compression method: none */
  assert_int_equal(p[at + 1], 0);
  floe__tls_free(tls);
}

/* --- application protocols (RFC 7443) ---------------------------------------------------------------------------- */

static void check_alpn(const char *offered, const char *wanted, bool is_fine) {
  wire l = {.client = make_client(offered), .server = make_server((floe__tls_server_config){.alpn = wanted})};
  start(&l);
  (void)pump(&l);
  if (is_fine) {
    assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_OPEN);
  } else {
    expect_failed(l.client, FLOE_CAUSE_TLS_ALERT);
    expect_alert(l.client, 120, "no application protocol");
  }
  free_wire(&l);
}

static void negotiates_alpn(void **state) {
  (void)state;
  check_alpn(FLOE__TLS_ALPN_TURN, FLOE__TLS_ALPN_TURN, true);
  check_alpn(FLOE__TLS_ALPN_STUN, FLOE__TLS_ALPN_STUN, true);
  check_alpn(FLOE__TLS_ALPN_TURN, NULL, true);
  check_alpn(NULL, FLOE__TLS_ALPN_TURN, true);
  check_alpn(FLOE__TLS_ALPN_STUN, FLOE__TLS_ALPN_TURN, false);
  check_alpn(FLOE__TLS_ALPN_TURN, "h2", false);
}

static void refuses_an_impossible_alpn(void **state) {
  (void)state;
  assert_null(make_client(""));
  assert_null(make_client("a protocol name that is too long for us"));
}

/* --- what is no TLS --------------------------------------------------------------------------------------------------
 */

typedef struct stranger {
  const char *what;
  const char *bytes;
  size_t len;
  size_t known_at; /* the byte, counted from 1, that gives it away */
} stranger;

#define STRANGER(what, bytes, known_at) \
  { what, bytes, sizeof(bytes) - 1, known_at }

static const stranger strangers[] = {
    STRANGER("text", "hello, who is there?\r\n", 1),
    STRANGER("HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", 1),
    STRANGER("SMTP", "220 mail.example.org ESMTP\r\n", 1),
    STRANGER("SSH", "SSH-2.0-OpenSSH_9.2\r\n", 1),
    STRANGER("Binding success", "\x01\x01\x00\x0c\x21\x12\xa4\x42", 1),
    STRANGER("Binding error", "\x01\x11\x00\x08\x21\x12\xa4\x42", 1),
    STRANGER("ChannelData", "\x40\x00\x00\x04\x01\x02\x03\x04", 1),
    STRANGER("one byte", "\x00", 1),
    STRANGER("SSL 2", "\x80\x2e\x01\x00\x02", 1),
    STRANGER("application data first", "\x17\x03\x03\x00\x10", 1),
    STRANGER("change cipher spec first", "\x14\x03\x03\x00\x01\x01", 1),
    STRANGER("record version 2", "\x16\x02\x03\x00\x10", 2),
    STRANGER("record version 3.5", "\x16\x03\x05\x00\x10", 3),
    STRANGER("empty record", "\x16\x03\x03\x00\x00", 5),
    STRANGER("record too long", "\x16\x03\x03\x40\x01", 5),
    STRANGER("a client hello", "\x16\x03\x03\x00\x10\x01", 6),
    STRANGER("alert of no level", "\x15\x03\x03\x00\x02\x00", 6),
};

static void knows_what_is_no_tls(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
    const stranger *s = &strangers[i];
    floe__tls *tls = make_waiting_client();
    give(tls, s->bytes, s->len);
    expect_failed(tls, FLOE_CAUSE_TLS_NOT_TLS);
    assert_false(floe__tls_info_of(tls)->has_alert);
    assert_int_equal(floe__tls_output(tls).len, 0);
    floe__tls_on_end(tls);
    give(tls, "more", 4);
    expect_failed(tls, FLOE_CAUSE_TLS_NOT_TLS);
    floe__tls_free(tls);
  }
}

static void knows_it_at_the_first_byte_that_tells(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
    const stranger *s = &strangers[i];
    floe__tls *tls = make_waiting_client();
    for (size_t n = 1; n < s->known_at; n++) {
      give(tls, s->bytes + n - 1, 1);
      assert_int_equal(floe__tls_state_of(tls), FLOE__TLS_HANDSHAKE);
    }
    give(tls, s->bytes + s->known_at - 1, 1);
    expect_failed(tls, FLOE_CAUSE_TLS_NOT_TLS);
    floe__tls_free(tls);
  }
}

static void a_server_knows_it_too(void **state) {
  (void)state;
  floe__tls *server = make_server((floe__tls_server_config){0});
  give(server, "\x00\x01\x00\x00\x21\x12\xa4\x42", 8);
  expect_failed(server, FLOE_CAUSE_TLS_NOT_TLS);
  floe__tls_free(server);
  server = make_server((floe__tls_server_config){0});
  give(server, "\x16\x03\x03\x00\x10\x02", 6);
  expect_failed(server, FLOE_CAUSE_TLS_NOT_TLS);
  floe__tls_free(server);
}

static void loses_the_record_layer_in_the_handshake(void **state) {
  (void)state;
  wire l = make_wire((floe__tls_server_config){.only_version = 0x0303});
  (void)deliver(&l, l.client, l.server);
  const floe_bytes flight = floe__tls_output(l.server);
  const size_t first = 5 + (size_t)(flight.ptr[3] << 8 | flight.ptr[4]);
  assert_true(flight.len > first);
  give(l.client, flight.ptr, first);
  assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_HANDSHAKE);
  give(l.client, "HTTP/1.1 502 Bad Gateway\r\n", 26);
  expect_failed(l.client, FLOE_CAUSE_TLS_NOT_TLS);
  free_wire(&l);
}

/* --- alerts ----------------------------------------------------------------------------------------------------------
 */

static void check_received_alert(const char *record, uint8_t alert, const char *text) {
  floe__tls *tls = make_waiting_client();
  give(tls, record, 7);
  expect_failed(tls, FLOE_CAUSE_TLS_ALERT);
  expect_alert(tls, alert, text);
  assert_null(floe__tls_info_of(tls)->subject);
  floe__tls_free(tls);
}

static void tells_the_alert_received(void **state) {
  (void)state;
  check_received_alert("\x15\x03\x03\x00\x02\x02\x28", 40, "handshake failure");
  check_received_alert("\x15\x03\x01\x00\x02\x02\x46", 70, "protocol version");
  check_received_alert("\x15\x03\x03\x00\x02\x02\x47", 71, "insufficient security");
  check_received_alert("\x15\x03\x03\x00\x02\x02\x70", 112, "unrecognized name");
  check_received_alert("\x15\x03\x03\x00\x02\x02\x74", 116, "certificate required");
}

static void tells_an_alert_without_a_name(void **state) {
  (void)state;
  floe__tls *tls = make_waiting_client();
  give(tls, "\x15\x03\x03\x00\x02\x02\xfa", 7);
  expect_failed(tls, FLOE_CAUSE_TLS_ALERT);
  assert_true(floe__tls_info_of(tls)->has_alert);
  assert_int_equal(floe__tls_info_of(tls)->alert, 250);
  assert_null(floe__tls_info_of(tls)->alert_text);
  floe__tls_free(tls);
}

static void goes_on_after_a_warning(void **state) {
  (void)state;
  floe__tls *tls = make_waiting_client();
  give(tls, "\x15\x03\x03\x00\x02\x01\x70", 7);
  assert_int_equal(floe__tls_state_of(tls), FLOE__TLS_HANDSHAKE);
  assert_false(floe__tls_info_of(tls)->has_alert);
  floe__tls_free(tls);
}

static void a_goodbye_in_the_handshake_is_a_close(void **state) {
  (void)state;
  floe__tls *tls = make_waiting_client();
  give(tls, "\x15\x03\x03\x00\x02\x01\x00", 7);
  expect_failed(tls, FLOE_CAUSE_TCP_CLOSED);
  expect_alert(tls, 0, "close notify");
  floe__tls_free(tls);
}

static void tells_the_alert_sent(void **state) {
  (void)state;
  floe__tls *tls = make_waiting_client();
  /* A ServerHello of one byte. */
  give(tls, "\x16\x03\x03\x00\x05\x02\x00\x00\x01\x03", 10);
  expect_failed(tls, FLOE_CAUSE_TLS_ALERT);
  expect_alert(tls, 50, "decode error");
  const floe_bytes out = floe__tls_output(tls);
  assert_int_equal(out.len, 7);
  assert_memory_equal(out.ptr, "\x15\x03", 2);
  assert_memory_equal(out.ptr + 3, "\x00\x02\x02\x32", 4);
  floe__tls_free(tls);
}

/* RFC 8446 4.4.2.4: the server's answer to our Certificate comes when we are done already. */
static void is_rejected_after_open(void **state) {
  (void)state;
  wire l = make_wire((floe__tls_server_config){.only_version = 0x0304, .needs_client_cert = true});
  (void)deliver(&l, l.client, l.server);
  (void)deliver(&l, l.server, l.client);
  assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_OPEN);
  assert_true(floe__tls_write(l.client, text_bytes("early")));
  (void)pump(&l);
  expect_failed(l.client, FLOE_CAUSE_TLS_ALERT);
  expect_alert(l.client, 116, "certificate required");
  assert_string_equal(floe__tls_info_of(l.client)->subject, "CN=turn.example.org");
  assert_false(floe__tls_write(l.client, text_bytes("late")));
  expect_failed(l.server, FLOE_CAUSE_TLS_ALERT);
  free_wire(&l);
}

static void is_rejected_before_open_in_tls12(void **state) {
  (void)state;
  wire l = make_wire((floe__tls_server_config){.only_version = 0x0303, .needs_client_cert = true});
  (void)pump(&l);
  expect_failed(l.client, FLOE_CAUSE_TLS_ALERT);
  expect_alert(l.client, 40, "handshake failure");
  assert_string_equal(floe__tls_info_of(l.client)->version, "TLSv1.2");
  free_wire(&l);
}

static void notices_altered_bytes(void **state) {
  (void)state;
  wire l = make_open_wire(0x0304);
  assert_true(floe__tls_write(l.server, text_bytes("as it was written")));
  floe_bytes out = floe__tls_output(l.server);
  uint8_t record[128];
  assert_true(out.len <= sizeof record);
  memcpy(record, out.ptr, out.len);
  record[out.len - 1] ^= 1;
  give(l.client, record, out.len);
  expect_failed(l.client, FLOE_CAUSE_TLS_ALERT);
  expect_alert(l.client, 20, "bad record mac");
  uint8_t buf[8];
  assert_int_equal(floe__tls_read(l.client, buf, sizeof buf), 0);
  free_wire(&l);
}

/* After OPEN it was a TLS server, whatever comes then. */
static void strange_bytes_after_open_are_an_alert(void **state) {
  (void)state;
  wire l = make_open_wire(0x0304);
  give(l.client, "HTTP/1.1 502 Bad Gateway\r\n", 26);
  expect_failed(l.client, FLOE_CAUSE_TLS_ALERT);
  assert_true(floe__tls_info_of(l.client)->has_alert);
  free_wire(&l);
}

/* --- the end of the stream -----------------------------------------------------------------------------------------
 */

static void check_fin_at_every_point(int version) {
  size_t total = 0;
  size_t open_at = 0;
  for (size_t n = 0; open_at == 0; n++) {
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

static void fin_at_every_point_of_the_handshake(void **state) {
  (void)state;
  check_fin_at_every_point(0x0304);
  check_fin_at_every_point(0x0303);
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

/* --- making sessions
 * --------------------------------------------------------------------------------------------------- */

static void refuses_a_server_without_usable_pem(void **state) {
  (void)state;
  const floe_bytes cert = text_bytes(good.cert);
  const floe_bytes key = text_bytes(good.key);
  assert_null(floe__tls_server_new(env, (floe_bytes){0}, key));
  assert_null(floe__tls_server_new(env, cert, (floe_bytes){0}));
  assert_null(floe__tls_server_new(env, text_bytes("no PEM"), key));
  assert_null(floe__tls_server_new(env, cert, text_bytes("no PEM")));
  assert_null(floe__tls_server_new(env, cert, text_bytes(ca.key))); /* another key */
  floe__tls *server = floe__tls_server_new(env, cert, key);
  assert_non_null(server);
  floe__tls_free(server);
  floe__tls_free(NULL);
}

static void refuses_a_client_without_usable_ca(void **state) {
  (void)state;
  floe__tls_client_config cfg = {.server_name = "turn.example.org", .ca_pem = text_bytes("no PEM")};
  assert_null(floe__tls_client_new(env, &cfg, 0));
}

typedef struct trace_log {
  char text[4096];
} trace_log;

static void keep_trace(void *user, const char *json, size_t len) {
  trace_log *log = user;
  const size_t at = strlen(log->text);
  assert_true(at + len + 2 < sizeof log->text);
  memcpy(log->text + at, json, len);
  memcpy(log->text + at + len, "\n", 2);
}

static void traces_its_states(void **state) {
  (void)state;
  trace_log log = {{0}};
  floe_env_config ec;
  floe_env_config_init(&ec, sizeof ec);
  ec.trace = keep_trace;
  ec.user = &log;
  floe_env *traced = NULL;
  assert_int_equal(floe_env_new(&traced, &ec), FLOE_OK);
  const floe__tls_client_config cfg = {.server_name = "turn.example.org"};
  floe__tls *tls = floe__tls_client_new(traced, &cfg, 0);
  assert_non_null(tls);
  floe__tls_start(tls, 0);
  give(tls, "no", 2);
  expect_failed(tls, FLOE_CAUSE_TLS_NOT_TLS);
  assert_non_null(strstr(log.text, "tls.state"));
  assert_non_null(strstr(log.text, "\"from\":\"handshake\""));
  assert_non_null(strstr(log.text, "\"to\":\"failed\""));
  assert_non_null(strstr(log.text, "\"cause\":\"tls_not_tls\""));
  floe__tls_free(tls);
  floe_env_free(traced);
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
      cmocka_unit_test(starts_with_a_client_hello),
      cmocka_unit_test(shakes_hands_in_each_version_and_chunking),
      cmocka_unit_test(offers_no_legacy_cipher),
      cmocka_unit_test(negotiates_alpn),
      cmocka_unit_test(refuses_an_impossible_alpn),
      cmocka_unit_test(knows_what_is_no_tls),
      cmocka_unit_test(knows_it_at_the_first_byte_that_tells),
      cmocka_unit_test(a_server_knows_it_too),
      cmocka_unit_test(loses_the_record_layer_in_the_handshake),
      cmocka_unit_test(tells_the_alert_received),
      cmocka_unit_test(tells_an_alert_without_a_name),
      cmocka_unit_test(goes_on_after_a_warning),
      cmocka_unit_test(a_goodbye_in_the_handshake_is_a_close),
      cmocka_unit_test(tells_the_alert_sent),
      cmocka_unit_test(is_rejected_after_open),
      cmocka_unit_test(is_rejected_before_open_in_tls12),
      cmocka_unit_test(notices_altered_bytes),
      cmocka_unit_test(strange_bytes_after_open_are_an_alert),
      cmocka_unit_test(fin_at_every_point_of_the_handshake),
      cmocka_unit_test(reads_what_came_before_the_fin),
      cmocka_unit_test(ends_with_close_notify),
      cmocka_unit_test(carries_much_data),
      cmocka_unit_test(keeps_unread_data_until_it_is_read),
      cmocka_unit_test(writes_nothing_for_nothing),
      cmocka_unit_test(refuses_a_server_without_usable_pem),
      cmocka_unit_test(refuses_a_client_without_usable_ca),
      cmocka_unit_test(traces_its_states),
      cmocka_unit_test(survives_each_failing_allocation),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
