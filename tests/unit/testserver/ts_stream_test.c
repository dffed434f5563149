/* Connections: messages in the bytes, allocations that end with them, TLS, limits. */
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/ts_rig.h"
#include "tls/tls_stream.h"

static ts_rig rig;
static ts_client client;

static void begin(const char *script) {
  ts_rig_init(&rig, NULL);
  ts_client_connect(&client, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_TCP, script), 1, "198.51.100.7:40000");
}

static void end(void) {
  ts_client_clear(&client);
  ts_rig_clear(&rig);
}

static void requests_over_tcp(void **state) {
  (void)state;
  floe_addr mapped;
  begin(NULL);
  assert_int_equal(ts_binding(&client), 0);
  assert_true(floe__stun_get_xor_addr(&client.m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped));
  assert_true(floe_addr_equal(&mapped, &client.addr));
  (void)ts_allocate_fully(&client);
  assert_true(ts_is_signed_well(&client));
  assert_int_equal(ts_refresh(&client, 0), 0);
  assert_int_equal(client.writes, 4);
  end();
}

/* Two requests in one piece, and one in many. */
static void messages_in_any_pieces(void **state) {
  (void)state;
  begin(NULL);
  uint8_t two[256];
  size_t len = 0;
  for (int i = 0; i < 2; i++) {
    (void)ts_begin(&client, FLOE__STUN_BINDING);
    floe_bytes message = floe__stun_end(&client.b);
    memcpy(two + len, message.ptr, message.len);
    len += message.len;
  }
  assert_int_equal(ts_send_bytes(&client, (floe_bytes){two, len}), 0);
  assert_int_equal(ts_receive(&client), 0);
  assert_memory_equal(client.m.txn_id, client.b.txn_id, FLOE__STUN_TXN_ID);
  for (size_t i = 0; i + 1 < len; i++) {
    int got = ts_send_bytes(&client, (floe_bytes){two + i, 1});
    assert_int_equal(got, i + 1 == len / 2 ? 0 : TS_NONE);
  }
  assert_int_equal(ts_send_bytes(&client, (floe_bytes){two + len - 1, 1}), 0);
  end();
}

static void is_closed(bool reset) {
  const floe__ts_output *out = ts_rig_find(&rig, FLOE__TS_CLOSE_CONN, 0);
  assert_non_null(out);
  assert_int_equal(out->conn, 1);
  assert_int_equal(out->reset, reset);
}

static void bytes_that_are_no_stun(void **state) {
  (void)state;
  static const uint8_t text[] = "GET / HTTP/1.1\r\n\r\n";
  begin(NULL);
  assert_int_equal(ts_send_bytes(&client, (floe_bytes){text, sizeof text - 1}), TS_NONE);
  is_closed(false);
  assert_int_equal(ts_send_bytes(&client, (floe_bytes){text, sizeof text - 1}), TS_NONE);
  assert_int_equal(rig.n_log, 0);
  end();
}

/* RFC 8656 12.5: over a stream ChannelData is padded. */
static void channel_data_over_tcp(void **state) {
  (void)state;
  static const uint8_t sent[] = {0x40, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0};
  floe_addr peer = ts_addr("203.0.113.5:7000");
  begin(NULL);
  (void)ts_allocate_fully(&client);
  assert_int_equal(ts_bind(&client, 0x4000, &peer), 0);
  (void)ts_send_bytes(&client, (floe_bytes){sent, sizeof sent});
  const floe__ts_output *out = ts_rig_find(&rig, FLOE__TS_SEND_RELAY, 0);
  assert_non_null(out);
  assert_int_equal(out->data.len, 5);
  assert_memory_equal(out->data.ptr, "hello", 5);
  ts_rig_forget(&rig);
  floe__testserver_on_relay_datagram(rig.ts, rig.now, 1, &peer, (floe_bytes){sent + 4, 5});
  ts_rig_drain(&rig);
  out = ts_rig_find(&rig, FLOE__TS_SEND_CONN, 0);
  assert_non_null(out);
  assert_int_equal(out->data.len, sizeof sent);
  assert_memory_equal(out->data.ptr, sent, sizeof sent);
  end();
}

/* Before there is an allocation no ChannelData can come. */
static void channel_data_without_an_allocation(void **state) {
  (void)state;
  static const uint8_t sent[] = {0x40, 0, 0, 0};
  begin(NULL);
  assert_int_equal(ts_send_bytes(&client, (floe_bytes){sent, sizeof sent}), TS_NONE);
  is_closed(false);
  end();
}

static void the_allocation_ends_with_the_connection(void **state) {
  (void)state;
  begin(NULL);
  (void)ts_allocate_fully(&client);
  ts_rig_forget(&rig);
  floe__testserver_on_end(rig.ts, rig.now, 1);
  ts_rig_drain(&rig);
  is_closed(false);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 0);
  assert_int_equal(floe__testserver_counters(rig.ts).deletions, 0);
  assert_int_equal(rig.closed, 1);
  floe__testserver_on_end(rig.ts, rig.now, 1);
  ts_rig_forget(&rig);
  ts_rig_drain(&rig);
  assert_int_equal(rig.n_log, 0);
  end();
}

static void what_waits_for_a_dead_connection_is_forgotten(void **state) {
  (void)state;
  begin("late=800");
  ts_client udp;
  ts_client_init(&udp, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, "late=900"), "198.51.100.9:1");
  assert_int_equal(ts_binding(&client), TS_NONE);
  assert_int_equal(ts_binding(&udp), TS_NONE);
  floe__testserver_on_end(rig.ts, rig.now, 1);
  ts_rig_forget(&rig);
  ts_rig_drain(&rig);
  assert_int_equal(rig.n_log, 1); /* the close */
  assert_int_equal(rig.wait.at, rig.now + 900 * FLOE_MS);
  ts_rig_advance(&rig, 800);
  assert_int_equal(rig.n_log, 1);
  end();
}

/* A FIN may come while outputs wait to be polled: those of other connections stay, in their order. */
static void outputs_of_others_stay(void **state) {
  (void)state;
  ts_client others[2];
  begin(NULL);
  ts_client_connect(&others[0], &rig, client.listener, 2, "198.51.100.8:1");
  ts_client_connect(&others[1], &rig, client.listener, 3, "198.51.100.8:2");
  ts_rig_forget(&rig);
  for (floe__ts_conn conn = 1; conn <= 3; conn++) {
    (void)ts_begin(&client, FLOE__STUN_BINDING);
    floe__testserver_on_bytes(rig.ts, rig.now, conn, floe__stun_end(&client.b));
  }
  floe__testserver_on_end(rig.ts, rig.now, 1);
  ts_rig_drain(&rig);
  assert_int_equal(rig.n_log, 3);
  assert_int_equal(rig.log[0].out.conn, 2);
  assert_int_equal(rig.log[1].out.conn, 3);
  assert_int_equal(rig.log[2].out.type, FLOE__TS_CLOSE_CONN);
  end();
}

static void connections_have_a_limit(void **state) {
  (void)state;
  begin(NULL);
  for (floe__ts_conn conn = 2; conn <= 1024; conn++) {
    floe__testserver_on_accept(rig.ts, rig.now, client.listener, conn, &client.addr);
  }
  ts_rig_forget(&rig);
  ts_rig_drain(&rig);
  assert_int_equal(rig.n_log, 0);
  floe__testserver_on_accept(rig.ts, rig.now, client.listener, 1025, &client.addr);
  ts_rig_drain(&rig);
  assert_int_equal(rig.n_log, 1);
  assert_int_equal(rig.log[0].out.type, FLOE__TS_CLOSE_CONN);
  assert_int_equal(rig.log[0].out.conn, 1025);
  assert_true(rig.log[0].out.reset);
  floe__testserver_on_end(rig.ts, rig.now, 7);
  floe__testserver_on_accept(rig.ts, rig.now, client.listener, 1026, &client.addr);
  ts_rig_forget(&rig);
  ts_rig_drain(&rig);
  assert_int_equal(rig.n_log, 1); /* only the end of 7 */
  assert_int_equal(rig.log[0].out.conn, 7);
  end();
}

/* A client that reads nothing cannot make the server keep more than its limit. */
static void output_has_a_limit(void **state) {
  (void)state;
  static uint8_t bytes[60000];
  floe_addr peer = ts_addr("203.0.113.5:7000");
  begin(NULL);
  (void)ts_allocate_fully(&client);
  assert_int_equal(ts_bind(&client, 0x4000, &peer), 0);
  ts_rig_forget(&rig);
  for (int i = 0; i < 200; i++) {
    floe__testserver_on_relay_datagram(rig.ts, rig.now, 1, &peer, (floe_bytes){bytes, sizeof bytes});
  }
  assert_true(rig.alloc.live_bytes < 10u << 20);
  ts_rig_drain(&rig);
  is_closed(true);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 0);
  end();
}

/* --- TLS -------------------------------------------------------------------------------------------------------- */

typedef struct tls_client {
  floe__tls *tls;
  bool closed;
  uint8_t raw[4096]; /* the first bytes that came */
  size_t raw_len;
} tls_client;

static void take_outputs(tls_client *t) {
  for (size_t i = 0; i < rig.n_log; i++) {
    const floe__ts_output *out = &rig.log[i].out;
    if (out->type == FLOE__TS_CLOSE_CONN) t->closed = true;
    if (out->type != FLOE__TS_SEND_CONN) continue;
    for (size_t k = 0; k < out->data.len && t->raw_len < sizeof t->raw; k++) t->raw[t->raw_len++] = out->data.ptr[k];
    floe__tls_on_bytes(t->tls, out->data, rig.now);
  }
  if (t->closed) floe__tls_on_end(t->tls);
  ts_rig_forget(&rig);
}

/* Carries bytes to and fro until neither side has any. */
static void pump(tls_client *t) {
  for (int i = 0; i < 20; i++) {
    floe_bytes out = floe__tls_output(t->tls);
    if (out.len == 0) return;
    if (!t->closed) floe__testserver_on_bytes(rig.ts, rig.now, 1, out);
    floe__tls_sent(t->tls, out.len);
    ts_rig_drain(&rig);
    take_outputs(t);
  }
  fail_msg("the handshake does not end");
}

static void begin_tls(tls_client *t, const char *script, const char *name, bool trusting) {
  *t = (tls_client){0};
  ts_rig_init(&rig, NULL);
  floe__ts_listener listener = ts_rig_listen(&rig, FLOE_TRANSPORT_TLS, script);
  ts_client_connect(&client, &rig, listener, 1, "198.51.100.7:40000");
  const char *ca = floe__testserver_ca_pem(rig.ts);
  floe_addr literal = ts_addr("127.0.0.1");
  floe__tls_client_config cfg = {.server_name = name, .server_ip = name == NULL ? &literal : NULL};
  if (trusting) cfg.ca_pem = (floe_bytes){(const uint8_t *)ca, strlen(ca)};
  t->tls = floe__tls_client_new(rig.env, &cfg, rig.now);
  assert_non_null(t->tls);
  floe__tls_start(t->tls, rig.now);
  take_outputs(t); /* of the accept */
  pump(t);
}

static void end_tls(tls_client *t) {
  floe__tls_free(t->tls);
  ts_client_clear(&client);
  ts_rig_clear(&rig);
}

/* A Binding request through the session; the length of the answer, 0 for none. */
static size_t bind_over_tls(tls_client *t, uint8_t *answer, size_t cap) {
  (void)ts_begin(&client, FLOE__STUN_BINDING);
  assert_true(floe__tls_write(t->tls, floe__stun_end(&client.b)));
  pump(t);
  return floe__tls_read(t->tls, answer, cap);
}

static void good_certificates(void **state) {
  (void)state;
  static const char *const names[] = {"localhost", NULL};
  for (size_t i = 0; i < 2; i++) {
    tls_client t;
    uint8_t answer[256];
    begin_tls(&t, NULL, names[i], true);
    assert_int_equal(floe__tls_state_of(t.tls), FLOE__TLS_OPEN);
    size_t len = bind_over_tls(&t, answer, sizeof answer);
    assert_int_equal(floe__stun_msg_parse(&client.m, (floe_bytes){answer, len}), FLOE__STUN_OK);
    assert_int_equal(client.m.cls, FLOE__STUN_SUCCESS);
    assert_memory_equal(client.m.txn_id, client.b.txn_id, FLOE__STUN_TXN_ID);
    floe__tls_shutdown(t.tls);
    pump(&t);
    assert_true(t.closed); /* our close_notify ends it */
    end_tls(&t);
  }
}

static void bad_certificates(void **state) {
  (void)state;
  static const struct {
    const char *script;
    bool trusting;
    floe_cause cause;
  } rows[] = {{"tls-expired", true, FLOE_CAUSE_TLS_EXPIRED},
              {"tls-self-signed", true, FLOE_CAUSE_TLS_UNTRUSTED},
              {"tls-other-name", true, FLOE_CAUSE_TLS_NAME_MISMATCH},
              {"correct", false, FLOE_CAUSE_TLS_UNTRUSTED}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    tls_client t;
    begin_tls(&t, rows[i].script, "localhost", rows[i].trusting);
    assert_int_equal(floe__tls_state_of(t.tls), FLOE__TLS_FAILED);
    assert_int_equal(floe__tls_cause(t.tls), rows[i].cause);
    assert_true(t.closed); /* the client's alert ends the session */
    end_tls(&t);
  }
}

static void no_tls_at_all(void **state) {
  (void)state;
  tls_client t;
  begin_tls(&t, "tls-plain-text", "localhost", true);
  assert_int_equal(floe__tls_cause(t.tls), FLOE_CAUSE_TLS_NOT_TLS);
  assert_memory_equal(t.raw, "HTTP/1.1 400 ", 13);
  assert_true(t.closed);
  end_tls(&t);
  begin_tls(&t, "tls-alert", "localhost", true);
  assert_int_equal(floe__tls_cause(t.tls), FLOE_CAUSE_TLS_ALERT);
  assert_int_equal(floe__tls_info_of(t.tls)->alert, 40);
  assert_true(t.closed);
  end_tls(&t);
  begin_tls(&t, "tls-hangs", "localhost", true);
  assert_int_equal(floe__tls_state_of(t.tls), FLOE__TLS_HANDSHAKE);
  assert_int_equal(t.raw_len, 0);
  assert_false(t.closed);
  end_tls(&t);
}

/* The faults of requests show through TLS as well. */
static void faults_over_tls(void **state) {
  (void)state;
  tls_client t;
  uint8_t answer[256];
  begin_tls(&t, "bytewise", "localhost", true);
  assert_int_equal(floe__tls_state_of(t.tls), FLOE__TLS_OPEN);
  assert_true(bind_over_tls(&t, answer, sizeof answer) > 20);
  end_tls(&t);
  begin_tls(&t, "garbage", "localhost", true);
  assert_true(bind_over_tls(&t, answer, sizeof answer) > 9);
  assert_memory_equal(answer, "HTTP/1.1 ", 9);
  end_tls(&t);
  begin_tls(&t, "late=800", "localhost", true);
  assert_int_equal(bind_over_tls(&t, answer, sizeof answer), 0);
  ts_rig_advance(&rig, 800);
  take_outputs(&t);
  assert_true(floe__tls_read(t.tls, answer, sizeof answer) > 20);
  end_tls(&t);
  begin_tls(&t, "close-after-accept", "localhost", true);
  assert_int_equal(floe__tls_cause(t.tls), FLOE_CAUSE_TCP_CLOSED);
  assert_int_equal(t.raw_len, 0);
  end_tls(&t);
  begin_tls(&t, "close-after-401", "localhost", true);
  assert_false(t.closed);
  assert_int_equal(bind_over_tls(&t, answer, sizeof answer), 0); /* no challenge for a Binding: closed at once */
  assert_true(t.closed);
  end_tls(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests_over_tcp),
      cmocka_unit_test(messages_in_any_pieces),
      cmocka_unit_test(bytes_that_are_no_stun),
      cmocka_unit_test(channel_data_over_tcp),
      cmocka_unit_test(channel_data_without_an_allocation),
      cmocka_unit_test(the_allocation_ends_with_the_connection),
      cmocka_unit_test(what_waits_for_a_dead_connection_is_forgotten),
      cmocka_unit_test(outputs_of_others_stay),
      cmocka_unit_test(connections_have_a_limit),
      cmocka_unit_test(output_has_a_limit),
      cmocka_unit_test(good_certificates),
      cmocka_unit_test(bad_certificates),
      cmocka_unit_test(no_tls_at_all),
      cmocka_unit_test(faults_over_tls),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
