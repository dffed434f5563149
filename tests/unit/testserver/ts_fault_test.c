/* Faults that are errors: what a client sees of each. Those in the answers' bytes: ts_fault_bytes_test.c. */
#include <stdio.h>
#include <string.h>

#include "stun/error_code.h"
#include "support/cmocka.h"
#include "support/ts_rig.h"

static ts_rig rig;
static ts_client client;

static void begin(const char *script) {
  ts_rig_init(&rig, NULL);
  ts_client_init(&client, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, script), "198.51.100.7:40000");
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
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
