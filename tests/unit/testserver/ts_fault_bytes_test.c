/* Faults in the answers' bytes, in their time, in connections and in relays: what a client sees of each. */
#include <stdio.h>
#include <string.h>

#include "stun/error_code.h"
#include "support/cmocka.h"
#include "support/ts_rig.h"

static ts_rig rig;
static ts_client client;

static void begin_with(floe_transport transport, const char *script, const floe__ts_config *cfg) {
  ts_rig_init(&rig, cfg);
  floe__ts_listener listener = ts_rig_listen(&rig, transport, script);
  if (transport == FLOE_TRANSPORT_UDP) {
    ts_client_init(&client, &rig, listener, "198.51.100.7:40000");
  } else {
    ts_client_connect(&client, &rig, listener, 1, "198.51.100.7:40000");
  }
}

static void begin(const char *script) {
  begin_with(FLOE_TRANSPORT_UDP, script, NULL);
}

static void end(void) {
  ts_client_clear(&client);
  ts_rig_clear(&rig);
}

static void has_reason(const char *expected) {
  floe__stun_error error;
  assert_true(floe__stun_get_error(&client.m, &error));
  assert_string_equal(error.reason, expected);
}

static void log_in(void) {
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
}

/* --- answers that are broken ------------------------------------------------------------------------------------ */

static void wrong_integrity(void **state) {
  (void)state;
  begin("wrong-integrity");
  log_in();
  assert_int_equal(ts_allocate(&client), 0);
  assert_true(ts_is_signed(&client));
  assert_false(ts_is_signed_well(&client));
  assert_int_equal(ts_allocate(&client), 437); /* an error is signed as wrongly */
  assert_true(ts_is_signed(&client));
  assert_false(ts_is_signed_well(&client));
  client.sign = false;
  assert_int_equal(ts_binding(&client), 0);
  assert_false(ts_is_signed(&client));
  end();
}

static void no_integrity(void **state) {
  (void)state;
  begin("no-integrity");
  log_in();
  assert_int_equal(ts_allocate(&client), 0);
  assert_false(ts_is_signed(&client));
  assert_int_equal(ts_allocate(&client), 437);
  assert_false(ts_is_signed(&client));
  end();
}

static void wrong_transaction(void **state) {
  (void)state;
  begin("wrong-transaction");
  assert_int_equal(ts_binding(&client), 0);
  assert_memory_not_equal(client.m.txn_id, client.b.txn_id, FLOE__STUN_TXN_ID);
  assert_int_equal(ts_allocate(&client), 401);
  assert_memory_not_equal(client.m.txn_id, client.b.txn_id, FLOE__STUN_TXN_ID);
  end();
}

static void bad_fingerprint(void **state) {
  (void)state;
  begin("bad-fingerprint");
  assert_int_equal(ts_binding(&client), 0);
  assert_int_equal(floe__stun_check_fingerprint(&client.m), FLOE__STUN_CHECK_BAD);
  log_in();
  assert_int_equal(floe__stun_check_fingerprint(&client.m), FLOE__STUN_CHECK_BAD);
  assert_int_equal(ts_allocate(&client), 0);
  assert_int_equal(floe__stun_check_fingerprint(&client.m), FLOE__STUN_CHECK_BAD);
  assert_true(ts_is_signed_well(&client)); /* nothing else is wrong */
  end();
}

static void truncated(void **state) {
  (void)state;
  begin("truncated");
  assert_int_equal(ts_binding(&client), TS_NONE);
  assert_int_equal(client.parsed, FLOE__STUN_NOT_STUN);
  assert_int_equal(client.answer.len, 20 + 12 + 20 - 4);
  assert_int_equal(client.answer.ptr[3], 12 + 20);
  end();
}

static void truncated_over_tcp(void **state) {
  (void)state;
  begin_with(FLOE_TRANSPORT_TCP, "truncated", NULL);
  assert_int_equal(ts_binding(&client), TS_NONE);
  assert_int_equal(client.framer.len, 20 + 12 + 20 - 4); /* waits for the rest */
  assert_null(ts_rig_find(&rig, FLOE__TS_CLOSE_CONN, 0));
  end();
}

static void no_address(void **state) {
  (void)state;
  begin("no-address");
  assert_int_equal(ts_binding(&client), 0);
  assert_false(floe__stun_has(&client.m, FLOE__STUN_XOR_MAPPED_ADDRESS));
  log_in();
  assert_int_equal(ts_allocate(&client), 0);
  assert_false(floe__stun_has(&client.m, FLOE__STUN_XOR_RELAYED_ADDRESS));
  assert_true(floe__stun_has(&client.m, FLOE__STUN_LIFETIME));
  assert_true(ts_is_signed_well(&client));
  end();
}

static void lifetime_0(void **state) {
  (void)state;
  uint32_t lifetime = 1;
  begin("lifetime-0");
  log_in();
  assert_int_equal(ts_allocate(&client), 0);
  assert_true(floe__stun_get_u32(&client.m, FLOE__STUN_LIFETIME, &lifetime));
  assert_int_equal(lifetime, 0);
  assert_true(floe__stun_has(&client.m, FLOE__STUN_XOR_RELAYED_ADDRESS));
  end();
}

static void bad_error_class(void **state) {
  (void)state;
  begin("bad-error-class");
  assert_int_equal(ts_binding(&client), TS_NONE); /* no code can be read */
  assert_int_equal(client.parsed, FLOE__STUN_OK);
  assert_int_equal(client.m.cls, FLOE__STUN_ERROR);
  floe_bytes value = floe__stun_get(&client.m, FLOE__STUN_ERROR_CODE);
  assert_int_equal(value.ptr[2], 7);
  end();
}

static void overrun(void **state) {
  (void)state;
  begin("overrun");
  assert_int_equal(ts_binding(&client), TS_NONE);
  assert_int_equal(client.parsed, FLOE__STUN_OVERRUN);
  assert_memory_equal(client.answer.ptr + 8, client.b.txn_id, FLOE__STUN_TXN_ID);
  end();
}

/* --- silence, delay, noise -------------------------------------------------------------------------------------- */

static void silent(void **state) {
  (void)state;
  begin("silent");
  assert_int_equal(ts_binding(&client), TS_NONE);
  assert_int_equal(ts_allocate(&client), TS_NONE);
  assert_int_equal(rig.n_log, 0);
  assert_int_equal(floe__testserver_counters(rig.ts).requests, 2);
  assert_non_null(strstr(rig.trace, "\"answer\":\"none\""));
  end();
}

static void silent_after_401(void **state) {
  (void)state;
  begin("silent-after-401");
  log_in();
  assert_int_equal(ts_allocate(&client), TS_NONE);
  assert_int_equal(ts_send_again(&client), TS_NONE);
  client.sign = false;
  assert_int_equal(ts_binding(&client), TS_NONE);
  assert_int_equal(ts_allocate(&client), 401);
  end();
}

static void late(void **state) {
  (void)state;
  begin("late=800");
  assert_int_equal(ts_binding(&client), TS_NONE);
  assert_int_equal(rig.wait.at, rig.now + 800 * FLOE_MS);
  assert_string_equal(rig.wait.reason, "testserver.late");
  ts_rig_advance(&rig, 799);
  assert_int_equal(ts_receive(&client), TS_NONE);
  ts_rig_advance(&rig, 1);
  assert_int_equal(ts_receive(&client), 0);
  assert_int_equal(rig.wait.at, FLOE_TIME_NEVER);
  end();
}

static void late_allocations(void **state) {
  (void)state;
  begin("late=800");
  assert_int_equal(ts_allocate(&client), TS_NONE);
  ts_rig_advance(&rig, 800);
  assert_int_equal(ts_receive(&client), 401);
  ts_learn(&client);
  assert_int_equal(ts_allocate(&client), TS_NONE);
  ts_rig_advance(&rig, 500);
  assert_int_equal(ts_send_again(&client), TS_NONE); /* answered as well, as late */
  ts_rig_advance(&rig, 300);
  assert_int_equal(ts_receive(&client), 0);
  assert_int_equal(ts_receive(&client), TS_NONE);
  ts_rig_forget(&rig);
  ts_rig_advance(&rig, 500);
  assert_int_equal(ts_receive(&client), 0);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 1);
  end();
}

static void not_late_at_all(void **state) {
  (void)state;
  begin("late=0");
  assert_int_equal(ts_binding(&client), 0);
  end();
}

static void garbage(void **state) {
  (void)state;
  begin("garbage");
  assert_int_equal(ts_binding(&client), TS_NONE);
  assert_true(client.answer.len > 0);
  assert_memory_equal(client.answer.ptr, "HTTP/1.1 ", 9);
  end();
  begin_with(FLOE_TRANSPORT_TCP, "garbage", NULL);
  client.framer.channel_data = false; /* no allocation, so no ChannelData can come */
  assert_int_equal(ts_binding(&client), TS_NONE);
  assert_int_equal(client.writes, 1);
  assert_null(ts_rig_find(&rig, FLOE__TS_CLOSE_CONN, 0));
  end();
}

static void bytewise(void **state) {
  (void)state;
  static const floe_transport transports[] = {FLOE_TRANSPORT_UDP, FLOE_TRANSPORT_TCP};
  for (size_t i = 0; i < 2; i++) {
    begin_with(transports[i], "bytewise", NULL);
    (void)ts_allocate_fully(&client);
    assert_true(ts_is_signed_well(&client));
    end();
  }
}

static void bytewise_means_one_byte_an_output(void **state) {
  (void)state;
  unsigned outputs = 0;
  floe__ts_output out;
  begin_with(FLOE_TRANSPORT_TCP, "bytewise", NULL);
  floe_bytes request;
  (void)ts_begin(&client, FLOE__STUN_BINDING);
  request = floe__stun_end(&client.b);
  floe__testserver_on_bytes(rig.ts, rig.now, client.conn, request);
  for (floe__testserver_poll(rig.ts, &out); out.type != FLOE__TS_WAIT; floe__testserver_poll(rig.ts, &out)) {
    assert_int_equal(out.type, FLOE__TS_SEND_CONN);
    assert_int_equal(out.data.len, 1);
    assert_int_equal(out.data.ptr[0], outputs == 0 ? 0x01 : out.data.ptr[0]);
    outputs++;
  }
  assert_int_equal(outputs, 20 + 12 + 20);
  end();
}

/* --- connections that end --------------------------------------------------------------------------------------- */

static void ends(bool reset) {
  const floe__ts_output *out = ts_rig_find(&rig, FLOE__TS_CLOSE_CONN, 0);
  assert_non_null(out);
  assert_int_equal(out->conn, 1);
  assert_int_equal(out->reset, reset);
  assert_null(ts_rig_find(&rig, FLOE__TS_CLOSE_CONN, 1));
}

static void ended_after_accept(void **state) {
  (void)state;
  static const char *const scripts[] = {"close-after-accept", "reset-after-accept"};
  for (int i = 0; i < 2; i++) {
    begin_with(FLOE_TRANSPORT_TCP, scripts[i], NULL);
    ends(i == 1);
    ts_rig_forget(&rig);
    assert_int_equal(ts_binding(&client), TS_NONE); /* it is over */
    assert_int_equal(rig.n_log, 0);
    end();
  }
}

static void ended_after_401(void **state) {
  (void)state;
  static const char *const scripts[] = {"close-after-401", "reset-after-401"};
  for (int i = 0; i < 2; i++) {
    begin_with(FLOE_TRANSPORT_TCP, scripts[i], NULL);
    assert_int_equal(rig.n_log, 0);
    assert_int_equal(ts_allocate(&client), 401);
    ends(i == 1);
    assert_int_equal(rig.log[rig.n_log - 1].out.type, FLOE__TS_CLOSE_CONN); /* after the challenge */
    end();
    begin_with(FLOE_TRANSPORT_TCP, scripts[i], NULL);
    assert_int_equal(ts_binding(&client), TS_NONE); /* nothing to challenge: at once */
    ends(i == 1);
    end();
  }
}

/* A port for datagrams has no connection to end. */
static void ends_leave_udp_alone(void **state) {
  (void)state;
  static const char *const scripts[] = {"close-after-accept", "reset-after-accept", "close-after-401",
                                        "reset-after-401"};
  for (int i = 0; i < 4; i++) {
    begin(scripts[i]);
    assert_int_equal(ts_binding(&client), 0);
    (void)ts_allocate_fully(&client);
    end();
  }
}

/* --- relays ----------------------------------------------------------------------------------------------------- */

static void relays_nothing(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:7000");
  begin("relay-nothing");
  (void)ts_allocate_fully(&client);
  assert_int_equal(ts_permit(&client, &peer), 0);
  assert_int_equal(ts_bind(&client, 0x4000, &peer), 0);
  ts_send_data(&client, &peer, "x");
  assert_int_equal(rig.n_log, 0);
  floe__testserver_on_relay_datagram(rig.ts, rig.now, 1, &peer, (floe_bytes){(const uint8_t *)"x", 1});
  ts_rig_drain(&rig);
  assert_int_equal(rig.n_log, 0);
  assert_int_equal(floe__testserver_counters(rig.ts).relayed_in, 0);
  assert_int_equal(floe__testserver_counters(rig.ts).relayed_out, 0);
  end();
}

static void private_relays(void **state) {
  (void)state;
  char text[FLOE_ADDR_TEXT];
  begin("relay-private");
  floe_addr relayed = ts_allocate_fully(&client);
  assert_string_equal(floe_addr_format(&relayed, text), "192.168.77.1:50000");
  client.addr.port++;
  floe__stun_put_u32(ts_begin(&client, FLOE__STUN_ALLOCATE), FLOE__STUN_REQUESTED_TRANSPORT, 0x11000000);
  floe__stun_put_u32(&client.b, FLOE__STUN_REQUESTED_ADDRESS_FAMILY, 0x02000000);
  assert_int_equal(ts_send(&client), 0);
  assert_true(floe__stun_get_xor_addr(&client.m, FLOE__STUN_XOR_RELAYED_ADDRESS, &relayed));
  assert_string_equal(floe_addr_format(&relayed, text), "[fd77::1]:50001");
  end();
}

static void refresh_error(void **state) {
  (void)state;
  begin("refresh-error=508:Going down");
  (void)ts_allocate_fully(&client);
  assert_int_equal(ts_refresh(&client, 600), 508);
  has_reason("Going down");
  assert_true(ts_is_signed_well(&client));
  assert_int_equal(ts_refresh(&client, 600), 508);
  (void)ts_begin(&client, FLOE__STUN_REFRESH); /* no LIFETIME: not a deletion */
  assert_int_equal(ts_send(&client), 508);
  assert_int_equal(ts_refresh(&client, 0), 0);
  assert_int_equal(floe__testserver_counters(rig.ts).deletions, 1);
  end();
}

static void permission_error(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:7000");
  begin("permission-error");
  (void)ts_allocate_fully(&client);
  assert_int_equal(ts_permit(&client, &peer), 403);
  has_reason("Forbidden");
  assert_true(ts_is_signed_well(&client));
  assert_int_equal(ts_bind(&client, 0x4000, &peer), 403);
  assert_int_equal(ts_refresh(&client, 600), 0);
  end();
}

static void forgets_the_allocation(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:7000");
  begin("forget-allocation");
  (void)ts_allocate_fully(&client);
  assert_int_equal(ts_permit(&client, &peer), 0);
  assert_int_equal(ts_refresh(&client, 600), 437);
  assert_true(ts_is_signed_well(&client));
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 0);
  assert_int_equal(rig.closed, 1);
  assert_int_equal(ts_permit(&client, &peer), 437);
  assert_int_equal(ts_allocate(&client), 0);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_integrity),
      cmocka_unit_test(no_integrity),
      cmocka_unit_test(wrong_transaction),
      cmocka_unit_test(bad_fingerprint),
      cmocka_unit_test(truncated),
      cmocka_unit_test(truncated_over_tcp),
      cmocka_unit_test(no_address),
      cmocka_unit_test(lifetime_0),
      cmocka_unit_test(bad_error_class),
      cmocka_unit_test(overrun),
      cmocka_unit_test(silent),
      cmocka_unit_test(silent_after_401),
      cmocka_unit_test(late),
      cmocka_unit_test(late_allocations),
      cmocka_unit_test(not_late_at_all),
      cmocka_unit_test(garbage),
      cmocka_unit_test(bytewise),
      cmocka_unit_test(bytewise_means_one_byte_an_output),
      cmocka_unit_test(ended_after_accept),
      cmocka_unit_test(ended_after_401),
      cmocka_unit_test(ends_leave_udp_alone),
      cmocka_unit_test(relays_nothing),
      cmocka_unit_test(private_relays),
      cmocka_unit_test(refresh_error),
      cmocka_unit_test(permission_error),
      cmocka_unit_test(forgets_the_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
