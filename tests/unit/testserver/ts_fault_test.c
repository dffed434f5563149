/* What each fault looks like to a client: over UDP, and what concerns streams over TCP. */
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

/* The client signs, though this server never asked: with what another of its ports gave. */
static void log_in_elsewhere(void) {
  ts_client other;
  ts_client_init(&other, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, NULL), "198.51.100.7:40000");
  assert_int_equal(ts_allocate(&other), 401);
  ts_learn(&other);
  memcpy(client.realm, other.realm, sizeof client.realm);
  memcpy(client.nonce, other.nonce, sizeof client.nonce);
  client.sign = true;
  ts_client_clear(&other);
}

/* --- errors ----------------------------------------------------------------------------------------------------- */

static void error(void **state) {
  (void)state;
  begin("error=486:Too many of you");
  assert_int_equal(ts_binding(&client), 486);
  has_reason("Too many of you");
  assert_int_equal(ts_allocate(&client), 486);
  assert_false(ts_is_signed(&client));
  log_in_elsewhere();
  assert_int_equal(ts_allocate(&client), 486);
  assert_true(ts_is_signed_well(&client));
  end();
  begin("error=508");
  assert_int_equal(ts_allocate(&client), 508);
  has_reason("Insufficient Capacity");
  end();
  begin("error=699");
  assert_int_equal(ts_allocate(&client), 699);
  has_reason("Unknown error");
  end();
}

/* Codes that need more than a phrase have it. */
static void error_with_attributes(void **state) {
  (void)state;
  begin("error=401:Who are you?");
  assert_int_equal(ts_binding(&client), 401);
  has_reason("Who are you?");
  assert_true(floe__stun_has(&client.m, FLOE__STUN_REALM));
  assert_true(floe__stun_has(&client.m, FLOE__STUN_NONCE));
  end();
  begin("error=438");
  assert_int_equal(ts_binding(&client), 438);
  assert_true(floe__stun_has(&client.m, FLOE__STUN_NONCE));
  end();
  begin("error=300");
  assert_int_equal(ts_binding(&client), 300);
  assert_false(floe__stun_has(&client.m, FLOE__STUN_ALTERNATE_SERVER));
  end();
}

static void a_script_by_hand_has_a_code(void **state) {
  (void)state;
  floe_addr local = ts_addr("192.0.2.10:3478");
  const floe__ts_script script = {.fault = FLOE__TS_ERROR};
  ts_rig_init(&rig, NULL);
  ts_client_init(&client, &rig, floe__testserver_listen(rig.ts, FLOE_TRANSPORT_UDP, &local, &script), "198.51.100.7:1");
  assert_int_equal(ts_binding(&client), 500);
  end();
}

static void error_after_auth(void **state) {
  (void)state;
  begin("error-after-auth=486:Enough");
  log_in();
  has_reason("Unauthenticated");
  assert_int_equal(ts_allocate(&client), 486);
  has_reason("Enough");
  assert_true(ts_is_signed_well(&client));
  client.sign = false;
  assert_int_equal(ts_binding(&client), 486); /* needs no challenge */
  assert_false(ts_is_signed(&client));
  end();
  begin("error-after-auth=401:Still no");
  log_in();
  assert_int_equal(ts_allocate(&client), 401);
  has_reason("Still no");
  assert_true(floe__stun_has(&client.m, FLOE__STUN_NONCE));
  end();
}

static void challenges_forever(void **state) {
  (void)state;
  begin("401-forever");
  char nonce[128];
  assert_int_equal(ts_binding(&client), 401);
  log_in();
  for (int i = 0; i < 3; i++) {
    memcpy(nonce, client.nonce, sizeof nonce);
    assert_int_equal(ts_allocate(&client), 401);
    ts_learn(&client);
    assert_string_not_equal(client.nonce, nonce);
  }
  end();
}

static void challenges_with_something_missing(void **state) {
  (void)state;
  begin("401-no-nonce");
  assert_int_equal(ts_allocate(&client), 401);
  assert_false(floe__stun_has(&client.m, FLOE__STUN_NONCE));
  assert_true(floe__stun_has(&client.m, FLOE__STUN_REALM));
  end();
  begin("401-no-realm");
  assert_int_equal(ts_binding(&client), 401);
  assert_true(floe__stun_has(&client.m, FLOE__STUN_NONCE));
  assert_false(floe__stun_has(&client.m, FLOE__STUN_REALM));
  end();
}

static void stale_once(void **state) {
  (void)state;
  begin("stale-once");
  log_in();
  assert_int_equal(ts_allocate(&client), 438);
  ts_learn(&client);
  assert_int_equal(ts_allocate(&client), 0);
  assert_int_equal(ts_refresh(&client, 600), 0);
  assert_int_equal(ts_binding(&client), 0);
  client.addr.port++; /* each client goes through it */
  client.sign = false;
  log_in();
  assert_int_equal(ts_allocate(&client), 438);
  end();
}

static void stale_forever(void **state) {
  (void)state;
  char nonce[128];
  begin("stale-forever");
  log_in();
  for (int i = 0; i < 5; i++) {
    memcpy(nonce, client.nonce, sizeof nonce);
    assert_int_equal(ts_allocate(&client), 438);
    ts_learn(&client);
    assert_string_not_equal(client.nonce, nonce);
  }
  assert_int_equal(floe__testserver_counters(rig.ts).challenges, 6);
  end();
}

static void refuses_optional_attributes(void **state) {
  (void)state;
  static const floe__stun_attr optional[] = {FLOE__STUN_SOFTWARE, FLOE__STUN_LIFETIME,
                                             FLOE__STUN_REQUESTED_ADDRESS_FAMILY};
  begin("420-optional");
  for (size_t left = 0; left < 3; left++) { /* one less each time */
    floe__stun_builder *b = ts_begin(&client, FLOE__STUN_ALLOCATE);
    floe__stun_put_u32(b, FLOE__STUN_REQUESTED_TRANSPORT, 0x11000000);
    for (size_t i = left; i < 3; i++) floe__stun_put_u32(b, optional[i], 0x01000000);
    assert_int_equal(ts_send(&client), 420);
    assert_int_equal(floe__stun_get(&client.m, FLOE__STUN_UNKNOWN_ATTRIBUTES).len, 2);
    assert_true(floe__stun_names_unknown(&client.m, floe__stun_attr_type(optional[left])));
  }
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  assert_int_equal(ts_allocate(&client), 0);
  floe__stun_put_fingerprint(ts_begin(&client, FLOE__STUN_BINDING));
  client.sign = false;
  assert_int_equal(ts_send(&client), 0); /* FINGERPRINT is not what is meant */
  end();
}

static void mismatches(void **state) {
  (void)state;
  begin("437=2");
  assert_int_equal(ts_binding(&client), 0);
  log_in();
  assert_int_equal(ts_allocate(&client), 437);
  assert_true(ts_is_signed_well(&client));
  assert_int_equal(ts_send_again(&client), 437); /* a retransmission does not count */
  client.addr.port++;
  assert_int_equal(ts_allocate(&client), 437);
  client.addr.port++;
  assert_int_equal(ts_allocate(&client), 0);
  client.addr = ts_addr("198.51.100.8:40000"); /* another host has its own count */
  assert_int_equal(ts_allocate(&client), 437);
  assert_int_equal(ts_allocate(&client), 437);
  assert_int_equal(ts_allocate(&client), 0);
  end();
}

static void mismatches_of_many_clients(void **state) {
  (void)state;
  begin("437");
  log_in();
  for (int i = 0; i < 32; i++) {
    client.addr.ip[3] = (uint8_t)(100 + i);
    assert_int_equal(ts_allocate(&client), 437);
    assert_int_equal(ts_allocate(&client), 0);
  }
  client.addr.ip[3] = 200; /* shares with the last: its mismatch is used up */
  assert_int_equal(ts_allocate(&client), 0);
  end();
}

/* --- redirects -------------------------------------------------------------------------------------------------- */

static void leads_to(const char *expected) {
  floe_addr addr, wanted = ts_addr(expected);
  assert_true(floe__stun_get_addr(&client.m, FLOE__STUN_ALTERNATE_SERVER, &addr));
  assert_true(floe_addr_equal(&addr, &wanted));
}

static void redirect(void **state) {
  (void)state;
  begin("redirect=192.0.2.77:3479");
  assert_int_equal(ts_allocate(&client), 300);
  has_reason("Try Alternate");
  leads_to("192.0.2.77:3479");
  assert_false(ts_is_signed(&client));
  assert_false(floe__stun_has(&client.m, FLOE__STUN_ALTERNATE_DOMAIN));
  assert_int_equal(ts_binding(&client), 300);
  log_in_elsewhere();
  assert_int_equal(ts_allocate(&client), 300);
  assert_true(ts_is_signed_well(&client));
  end();
}

static void redirect_after_auth(void **state) {
  (void)state;
  begin("redirect-after-auth=[2001:db8::77]:3479,alternate-domain=turn.floe.test");
  log_in();
  assert_int_equal(ts_allocate(&client), 300);
  leads_to("[2001:db8::77]:3479");
  assert_true(ts_is_signed_well(&client));
  floe_bytes domain = floe__stun_get(&client.m, FLOE__STUN_ALTERNATE_DOMAIN);
  assert_int_equal(domain.len, 14);
  assert_memory_equal(domain.ptr, "turn.floe.test", 14);
  end();
}

static void redirect_no_address(void **state) {
  (void)state;
  begin("redirect-no-address");
  assert_int_equal(ts_allocate(&client), 300);
  assert_false(floe__stun_has(&client.m, FLOE__STUN_ALTERNATE_SERVER));
  end();
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
      cmocka_unit_test(error),
      cmocka_unit_test(error_with_attributes),
      cmocka_unit_test(a_script_by_hand_has_a_code),
      cmocka_unit_test(error_after_auth),
      cmocka_unit_test(challenges_forever),
      cmocka_unit_test(challenges_with_something_missing),
      cmocka_unit_test(stale_once),
      cmocka_unit_test(stale_forever),
      cmocka_unit_test(refuses_optional_attributes),
      cmocka_unit_test(mismatches),
      cmocka_unit_test(mismatches_of_many_clients),
      cmocka_unit_test(redirect),
      cmocka_unit_test(redirect_after_auth),
      cmocka_unit_test(redirect_no_address),
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
