/* Which messages are answered, by whom, and what is discarded. */
#include <string.h>

#include "stun/error_code.h"
#include "support/cmocka.h"
#include "support/ts_rig.h"

static ts_rig rig;
static ts_client client;

static int set_up(void **state) {
  (void)state;
  ts_rig_init(&rig, NULL);
  ts_client_init(&client, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, NULL), "198.51.100.7:40000");
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  ts_client_clear(&client);
  ts_rig_clear(&rig);
  return 0;
}

static void binding_tells_the_address(void **state) {
  (void)state;
  floe_addr mapped;
  assert_int_equal(ts_binding(&client), 0);
  assert_true(floe__stun_get_xor_addr(&client.m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped));
  assert_true(floe_addr_equal(&mapped, &client.addr));
  assert_false(ts_is_signed(&client));
  assert_memory_equal(client.m.txn_id, client.b.txn_id, FLOE__STUN_TXN_ID);
  floe_bytes software = floe__stun_get(&client.m, FLOE__STUN_SOFTWARE);
  assert_int_equal(software.len, 15);
  assert_memory_equal(software.ptr, "Floe testserver", 15);
  assert_false(floe__stun_has(&client.m, FLOE__STUN_FINGERPRINT));
  assert_int_equal(floe__testserver_counters(rig.ts).requests, 1);
  assert_string_equal(rig.trace,
                      "{\"t_ms\":1000.000,\"event\":\"testserver.request\",\"transport\":\"udp\","
                      "\"from\":\"198.51.100.7:40000\",\"method\":\"Binding\",\"answer\":\"success\"}");
}

static void binding_over_ipv6(void **state) {
  (void)state;
  floe_addr mapped;
  client.addr = ts_addr("[2001:db8::7]:40000");
  assert_int_equal(ts_binding(&client), 0);
  assert_true(floe__stun_get_xor_addr(&client.m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped));
  assert_true(floe_addr_equal(&mapped, &client.addr));
}

static void allocate_is_challenged(void **state) {
  (void)state;
  floe__stun_error error;
  assert_int_equal(ts_allocate(&client), 401);
  assert_true(floe__stun_get_error(&client.m, &error));
  assert_string_equal(error.reason, "Unauthenticated");
  ts_learn(&client);
  assert_string_equal(client.realm, "floe.test");
  assert_int_equal(strlen(client.nonce), 33);
  assert_int_equal(client.algorithms_len, 0);
  assert_false(ts_is_signed(&client));
  assert_int_equal(floe__testserver_counters(rig.ts).challenges, 1);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 0);
}

static void methods_of_turn_need_an_allocation(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:7000");
  assert_int_equal(ts_refresh(&client, 600), 401);
  ts_learn(&client);
  assert_int_equal(ts_refresh(&client, 600), 437);
  assert_true(ts_is_signed_well(&client));
  assert_int_equal(ts_permit(&client, &peer), 437);
  assert_int_equal(ts_bind(&client, 0x4000, &peer), 437);
}

static void unknown_attributes_are_named(void **state) {
  (void)state;
  floe__stun_builder *b = ts_begin(&client, FLOE__STUN_BINDING);
  floe__stun_put_raw(b, 0x7e57, "abc", 3);
  floe__stun_put_raw(b, 0xc0de, "abc", 3); /* comprehension-optional */
  floe__stun_put_u32(b, FLOE__STUN_PRIORITY, 1);
  assert_int_equal(ts_send(&client), 420);
  assert_true(floe__stun_names_unknown(&client.m, 0x7e57));
  assert_true(floe__stun_names_unknown(&client.m, 0x0024));
  assert_false(floe__stun_names_unknown(&client.m, 0xc0de));
  assert_int_equal(floe__stun_get(&client.m, FLOE__STUN_UNKNOWN_ATTRIBUTES).len, 4);
}

/* RFC 8489 6.3: authentication comes first, so the 420 is signed. */
static void unknown_attributes_after_authentication(void **state) {
  (void)state;
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  floe__stun_put_raw(ts_begin(&client, FLOE__STUN_ALLOCATE), 0x7e57, "abc", 3);
  assert_int_equal(ts_send(&client), 420);
  assert_true(ts_is_signed_well(&client));
}

static void what_is_no_request_is_discarded(void **state) {
  (void)state;
  static const uint8_t garbage[] = "GET / HTTP/1.1\r\n\r\n";
  uint8_t id[FLOE__STUN_TXN_ID] = {1};
  assert_int_equal(ts_send_bytes(&client, (floe_bytes){garbage, sizeof garbage - 1}), TS_NONE);
  assert_int_equal(ts_send_bytes(&client, (floe_bytes){garbage, 0}), TS_NONE);
  floe__stun_begin(&client.b, client.request, sizeof client.request, FLOE__STUN_SUCCESS, FLOE__STUN_BINDING, id);
  assert_int_equal(ts_send(&client), TS_NONE);
  floe__stun_begin(&client.b, client.request, sizeof client.request, FLOE__STUN_INDICATION, FLOE__STUN_BINDING, id);
  assert_int_equal(ts_send(&client), TS_NONE);
  (void)ts_begin(&client, 0x00b);
  assert_int_equal(ts_send(&client), TS_NONE);
  assert_int_equal(rig.n_log, 0);
  assert_int_equal(floe__testserver_counters(rig.ts).requests, 0);
}

static void a_bad_fingerprint_is_discarded(void **state) {
  (void)state;
  floe__stun_put_fingerprint(ts_begin(&client, FLOE__STUN_BINDING));
  assert_int_equal(ts_send(&client), 0);
  floe__stun_put_fingerprint(ts_begin(&client, FLOE__STUN_BINDING));
  floe_bytes message = floe__stun_end(&client.b);
  client.request[message.len - 1] ^= 1;
  assert_int_equal(ts_send_bytes(&client, message), TS_NONE);
}

static void unknown_listeners_are_ignored(void **state) {
  (void)state;
  assert_int_equal(ts_binding(&client), 0);
  floe__testserver_on_datagram(rig.ts, rig.now, 77, &client.addr, client.sent);
  floe__testserver_on_bytes(rig.ts, rig.now, 77, client.sent);
  floe__testserver_on_end(rig.ts, rig.now, 77);
  floe__testserver_on_accept(rig.ts, rig.now, client.listener, 1, &client.addr); /* a UDP port */
  floe__testserver_on_relay_opened(rig.ts, rig.now, 77, true, &client.addr);
  floe__testserver_on_relay_datagram(rig.ts, rig.now, 77, &client.addr, client.sent);
  ts_rig_forget(&rig);
  ts_rig_drain(&rig);
  assert_int_equal(rig.n_log, 0);
}

/* Without credentials in the configuration nothing is challenged or signed. */
static void without_credentials(void **state) {
  (void)state;
  ts_rig other;
  ts_client c;
  floe__ts_config cfg = ts_rig_config();
  cfg.username = cfg.credential = NULL;
  cfg.realm = NULL;
  cfg.software = "x";
  cfg.fingerprint = true;
  ts_rig_init(&other, &cfg);
  ts_client_init(&c, &other, ts_rig_listen(&other, FLOE_TRANSPORT_UDP, NULL), "198.51.100.7:40000");
  assert_int_equal(ts_allocate(&c), 0);
  assert_false(ts_is_signed(&c));
  assert_int_equal(floe__stun_check_fingerprint(&c.m), FLOE__STUN_CHECK_OK);
  assert_int_equal(floe__stun_get(&c.m, FLOE__STUN_SOFTWARE).len, 1);
  assert_int_equal(ts_refresh(&c, 0), 0);
  ts_rig_clear(&other);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(binding_tells_the_address),       TEST(binding_over_ipv6),
      TEST(allocate_is_challenged),          TEST(methods_of_turn_need_an_allocation),
      TEST(unknown_attributes_are_named),    TEST(unknown_attributes_after_authentication),
      TEST(what_is_no_request_is_discarded), TEST(a_bad_fingerprint_is_discarded),
      TEST(unknown_listeners_are_ignored),   cmocka_unit_test(without_credentials),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
