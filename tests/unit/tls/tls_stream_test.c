/* The session as a machine: handshake, alerts, and what is no TLS. Its bytes and its end: tls_stream_bytes_test.c.
 * Certificates: tls_stream_verify_test.c. */
#include "tls/tls_stream.h"

#include "unit/tls/session.h"

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

/* TLS 1.1 is not offered; a server that answers with it is told so (RFC 8996). */
static void refuses_an_old_version(void **state) {
  (void)state;
  uint8_t hello[49] = {0x16, 3, 2, 0, 44, 2, 0, 0, 40, 3, 2};
  hello[43] = 0;    /* no session id */
  hello[44] = 0xC0; /* TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA */
  hello[45] = 0x13;
  floe__tls *tls = make_waiting_client();
  give(tls, hello, sizeof hello);
  expect_failed(tls, FLOE_CAUSE_TLS_ALERT);
  expect_alert(tls, 70, "protocol version");
  assert_int_equal(floe__tls_output(tls).len, 7);
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
      cmocka_unit_test(refuses_an_old_version),
      cmocka_unit_test(is_rejected_after_open),
      cmocka_unit_test(is_rejected_before_open_in_tls12),
      cmocka_unit_test(notices_altered_bytes),
      cmocka_unit_test(strange_bytes_after_open_are_an_alert),
      cmocka_unit_test(refuses_a_server_without_usable_pem),
      cmocka_unit_test(refuses_a_client_without_usable_ca),
      cmocka_unit_test(traces_its_states),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
