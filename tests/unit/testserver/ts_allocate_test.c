/* Allocations: made, refused, refreshed, deleted, run out. */
#include <string.h>

#include "stun/error_code.h"
#include "support/cmocka.h"
#include "support/ts_rig.h"

#define UDP_TRANSPORT 0x11000000u
#define IPV4_FAMILY   0x01000000u
#define IPV6_FAMILY   0x02000000u

static ts_rig rig;
static ts_client client;

static void begin(const floe__ts_config *cfg) {
  ts_rig_init(&rig, cfg);
  ts_client_init(&client, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, NULL), "198.51.100.7:40000");
}

static void log_in(void) {
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
}

static void end(void) {
  ts_client_clear(&client);
  ts_rig_clear(&rig);
}

/* An Allocate with REQUESTED-TRANSPORT and one more attribute of four bytes. */
static int allocate_with(floe__stun_attr attr, uint32_t value) {
  floe__stun_builder *b = ts_begin(&client, FLOE__STUN_ALLOCATE);
  floe__stun_put_u32(b, FLOE__STUN_REQUESTED_TRANSPORT, UDP_TRANSPORT);
  floe__stun_put_u32(b, attr, value);
  return ts_send(&client);
}

static void is_relayed_at(unsigned n, const char *expected) {
  floe_addr addr, wanted = ts_addr(expected);
  bool found = false;
  floe_bytes value = floe__stun_get_nth(&client.m, FLOE__STUN_XOR_RELAYED_ADDRESS, n, &found);
  assert_true(found);
  assert_true(floe__stun_decode_xor_addr(&client.m, value, &addr));
  assert_true(floe_addr_equal(&addr, &wanted));
}

static void has_relayed(unsigned n) {
  bool found = false;
  (void)floe__stun_get_nth(&client.m, FLOE__STUN_XOR_RELAYED_ADDRESS, n, &found);
  assert_false(found);
}

static void an_allocation(void **state) {
  (void)state;
  uint32_t lifetime = 0;
  floe_addr mapped;
  begin(NULL);
  log_in();
  assert_int_equal(ts_allocate(&client), 0);
  is_relayed_at(0, "192.0.2.10:50000");
  has_relayed(1);
  assert_true(floe__stun_get_u32(&client.m, FLOE__STUN_LIFETIME, &lifetime));
  assert_int_equal(lifetime, 600);
  assert_true(floe__stun_get_xor_addr(&client.m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped));
  assert_true(floe_addr_equal(&mapped, &client.addr));
  assert_false(floe__stun_has(&client.m, FLOE__STUN_ADDRESS_ERROR_CODE));
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 1);
  assert_int_equal(rig.wait.at, rig.now + 600 * FLOE_SECOND);
  assert_string_equal(rig.wait.reason, "testserver.allocation");
  const floe__ts_output *open = ts_rig_find(&rig, FLOE__TS_OPEN_RELAY, 0);
  assert_non_null(open);
  assert_int_equal(open->local.port, 0);
  end();
}

static void an_ipv6_allocation(void **state) {
  (void)state;
  begin(NULL);
  log_in();
  assert_int_equal(allocate_with(FLOE__STUN_REQUESTED_ADDRESS_FAMILY, IPV6_FAMILY), 0);
  is_relayed_at(0, "[2001:db8::10]:50000");
  has_relayed(1);
  end();
}

static void both_families(void **state) {
  (void)state;
  begin(NULL);
  log_in();
  assert_int_equal(allocate_with(FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, IPV6_FAMILY), 0);
  is_relayed_at(0, "192.0.2.10:50000");
  is_relayed_at(1, "[2001:db8::10]:50001");
  assert_false(floe__stun_has(&client.m, FLOE__STUN_ADDRESS_ERROR_CODE));
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 1);
  assert_int_equal(ts_refresh(&client, 0), 0);
  assert_int_equal(rig.opened, 2);
  assert_int_equal(rig.closed, 2);
  end();
}

/* RFC 8656 7.3: the family that is there is given, and ADDRESS-ERROR-CODE says why the other is not. */
static void one_of_both_families(void **state) {
  (void)state;
  floe_family family;
  uint16_t code;
  floe__ts_config cfg = ts_rig_config();
  cfg.relay_ipv6 = (floe_addr){0};
  begin(&cfg);
  log_in();
  assert_int_equal(allocate_with(FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, IPV6_FAMILY), 0);
  is_relayed_at(0, "192.0.2.10:50000");
  has_relayed(1);
  assert_true(floe__stun_get_address_error(&client.m, &family, &code));
  assert_int_equal(family, FLOE_FAMILY_IPV6);
  assert_int_equal(code, 440);
  end();
  cfg = ts_rig_config();
  cfg.relay_ipv4 = (floe_addr){0};
  begin(&cfg);
  log_in();
  assert_int_equal(allocate_with(FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, IPV6_FAMILY), 0);
  is_relayed_at(0, "[2001:db8::10]:50000");
  assert_true(floe__stun_get_address_error(&client.m, &family, &code));
  assert_int_equal(family, FLOE_FAMILY_IPV4);
  assert_int_equal(code, 440);
  end();
}

static void a_family_that_is_missing(void **state) {
  (void)state;
  floe__ts_config cfg = ts_rig_config();
  cfg.relay_ipv6 = (floe_addr){0};
  begin(&cfg);
  log_in();
  assert_int_equal(allocate_with(FLOE__STUN_REQUESTED_ADDRESS_FAMILY, IPV6_FAMILY), 440);
  assert_true(ts_is_signed_well(&client));
  assert_int_equal(allocate_with(FLOE__STUN_REQUESTED_ADDRESS_FAMILY, IPV4_FAMILY), 0);
  end();
  cfg.relay_ipv4 = (floe_addr){0};
  begin(&cfg);
  log_in();
  assert_int_equal(ts_allocate(&client), 440);
  assert_int_equal(allocate_with(FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, IPV6_FAMILY), 440);
  end();
}

static void bad_requests(void **state) {
  (void)state;
  begin(NULL);
  log_in();
  (void)ts_begin(&client, FLOE__STUN_ALLOCATE);
  assert_int_equal(ts_send(&client), 400); /* no REQUESTED-TRANSPORT */
  floe__stun_put_u32(ts_begin(&client, FLOE__STUN_ALLOCATE), FLOE__STUN_REQUESTED_TRANSPORT, 0x06000000);
  assert_int_equal(ts_send(&client), 442); /* TCP */
  assert_int_equal(allocate_with(FLOE__STUN_REQUESTED_ADDRESS_FAMILY, 0x03000000), 440);
  assert_int_equal(allocate_with(FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, IPV4_FAMILY), 400);
  floe__stun_builder *b = ts_begin(&client, FLOE__STUN_ALLOCATE);
  floe__stun_put_u32(b, FLOE__STUN_REQUESTED_TRANSPORT, UDP_TRANSPORT);
  floe__stun_put_u32(b, FLOE__STUN_REQUESTED_ADDRESS_FAMILY, IPV4_FAMILY);
  floe__stun_put_u32(b, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, IPV6_FAMILY);
  assert_int_equal(ts_send(&client), 400);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 0);
  end();
}

static void what_this_server_does_not_do(void **state) {
  (void)state;
  begin(NULL);
  log_in();
  floe__stun_builder *b = ts_begin(&client, FLOE__STUN_ALLOCATE);
  floe__stun_put_u32(b, FLOE__STUN_REQUESTED_TRANSPORT, UDP_TRANSPORT);
  floe__stun_put_flag(b, FLOE__STUN_DONT_FRAGMENT);
  assert_int_equal(ts_send(&client), 420);
  assert_true(floe__stun_names_unknown(&client.m, 0x001A));
  b = ts_begin(&client, FLOE__STUN_ALLOCATE);
  floe__stun_put_u32(b, FLOE__STUN_REQUESTED_TRANSPORT, UDP_TRANSPORT);
  floe__stun_put(b, FLOE__STUN_EVEN_PORT, "\x80", 1);
  assert_int_equal(ts_send(&client), 508);
  b = ts_begin(&client, FLOE__STUN_ALLOCATE);
  floe__stun_put_u32(b, FLOE__STUN_REQUESTED_TRANSPORT, UDP_TRANSPORT);
  floe__stun_put(b, FLOE__STUN_RESERVATION_TOKEN, "12345678", 8);
  assert_int_equal(ts_send(&client), 508);
  floe__stun_put(ts_begin(&client, FLOE__STUN_ALLOCATE), FLOE__STUN_RESERVATION_TOKEN, "12345678", 8);
  floe__stun_put(&client.b, FLOE__STUN_EVEN_PORT, "\x80", 1);
  floe__stun_put_u32(&client.b, FLOE__STUN_REQUESTED_TRANSPORT, UDP_TRANSPORT);
  assert_int_equal(ts_send(&client), 400);
  end();
}

static int allocate_even(const char *flags) {
  floe__stun_builder *b = ts_begin(&client, FLOE__STUN_ALLOCATE);
  floe__stun_put_u32(b, FLOE__STUN_REQUESTED_TRANSPORT, UDP_TRANSPORT);
  floe__stun_put(b, FLOE__STUN_EVEN_PORT, flags, 1);
  return ts_send(&client);
}

/* Odd ports are given back until an even one comes, but not for ever. */
static void even_ports(void **state) {
  (void)state;
  begin(NULL);
  log_in();
  rig.next_port = 50001;
  assert_int_equal(allocate_even("\0"), 0);
  is_relayed_at(0, "192.0.2.10:50002");
  assert_int_equal(rig.opened, 2);
  assert_int_equal(rig.closed, 1);
  assert_int_equal(ts_rig_find(&rig, FLOE__TS_CLOSE_RELAY, 0)->relay, 1);
  assert_int_equal(ts_refresh(&client, 0), 0);
  assert_int_equal(rig.closed, 2);
  assert_int_equal(allocate_even("\x80"), 508); /* and the next port as well: no */
  rig.relay_mode = TS_RELAY_FAILS;
  assert_int_equal(allocate_even("\0"), 508);
  rig.relay_mode = TS_RELAY_WAITS;
  floe_addr odd = ts_addr("192.0.2.10:50003");
  assert_int_equal(allocate_even("\0"), TS_NONE);
  for (unsigned i = 0; i < 16; i++) {
    const floe__ts_output *open = ts_rig_find(&rig, FLOE__TS_OPEN_RELAY, i);
    assert_non_null(open);
    assert_int_equal(ts_receive(&client), TS_NONE);
    floe__testserver_on_relay_opened(rig.ts, rig.now, open->relay, true, &odd);
    ts_rig_drain(&rig);
  }
  assert_null(ts_rig_find(&rig, FLOE__TS_OPEN_RELAY, 16));
  assert_int_equal(rig.closed, 2 + 16);
  assert_int_equal(ts_receive(&client), 508);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 0);
  end();
}

static void a_second_allocation_is_a_mismatch(void **state) {
  (void)state;
  begin(NULL);
  (void)ts_allocate_fully(&client);
  assert_int_equal(ts_allocate(&client), 437);
  assert_true(ts_is_signed_well(&client));
  client.addr.port++; /* another 5-tuple */
  assert_int_equal(ts_allocate(&client), 0);
  is_relayed_at(0, "192.0.2.10:50001");
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 2);
  end();
}

/* RFC 8656 7.2: a retransmission is no second allocation. */
static void the_same_request_again(void **state) {
  (void)state;
  uint8_t first[512];
  begin(NULL);
  (void)ts_allocate_fully(&client);
  size_t len = client.answer.len;
  memcpy(first, client.answer.ptr, len);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(ts_send_again(&client), 0);
    assert_int_equal(client.answer.len, len);
    assert_memory_equal(client.answer.ptr, first, len);
  }
  /* Also when the answer itself is no longer kept. */
  floe_bytes allocate = client.sent;
  uint8_t copy[512];
  memcpy(copy, allocate.ptr, allocate.len);
  for (int i = 0; i < 70; i++) assert_int_equal(ts_refresh(&client, 600), 0);
  assert_int_equal(ts_send_bytes(&client, (floe_bytes){copy, allocate.len}), 0);
  is_relayed_at(0, "192.0.2.10:50000");
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 1);
  assert_int_equal(rig.opened, 1);
  end();
}

static void quota(void **state) {
  (void)state;
  floe__ts_config cfg = ts_rig_config();
  cfg.max_allocations = 2;
  begin(&cfg);
  (void)ts_allocate_fully(&client);
  client.addr.port++;
  assert_int_equal(ts_allocate(&client), 0);
  client.addr.port++;
  assert_int_equal(ts_allocate(&client), 486);
  assert_true(ts_is_signed_well(&client));
  client.addr.port--;
  assert_int_equal(ts_refresh(&client, 0), 0);
  client.addr.port++;
  assert_int_equal(ts_allocate(&client), 0);
  end();
}

/* Without a quota there is still an end. */
static void capacity(void **state) {
  (void)state;
  begin(NULL);
  log_in();
  for (int i = 0; i < 1024; i++) {
    assert_int_equal(ts_allocate(&client), 0);
    client.addr.port++;
  }
  assert_int_equal(ts_allocate(&client), 508);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 1024);
  ts_rig_advance(&rig, 600 * 1000);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 0);
  assert_int_equal(rig.closed, 1024);
  end();
}

static void no_port_to_relay_from(void **state) {
  (void)state;
  floe_family family;
  uint16_t code;
  begin(NULL);
  log_in();
  rig.relay_mode = TS_RELAY_FAILS;
  assert_int_equal(ts_allocate(&client), 508);
  assert_true(ts_is_signed_well(&client));
  assert_int_equal(allocate_with(FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, IPV6_FAMILY), 508);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 0);
  assert_int_equal(rig.closed, 0);
  /* One of two. */
  rig.relay_mode = TS_RELAY_WAITS;
  assert_int_equal(allocate_with(FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, IPV6_FAMILY), TS_NONE);
  const floe__ts_relay first = ts_rig_find(&rig, FLOE__TS_OPEN_RELAY, 0)->relay;
  const floe__ts_relay second = ts_rig_find(&rig, FLOE__TS_OPEN_RELAY, 1)->relay;
  floe_addr local = ts_addr("192.0.2.10:50000");
  ts_rig_forget(&rig);
  floe__testserver_on_relay_opened(rig.ts, rig.now, second, false, &local);
  ts_rig_drain(&rig);
  assert_int_equal(ts_receive(&client), TS_NONE);
  floe__testserver_on_relay_opened(rig.ts, rig.now, first, true, &local);
  ts_rig_drain(&rig);
  assert_int_equal(ts_receive(&client), 0);
  assert_true(floe__stun_get_address_error(&client.m, &family, &code));
  assert_int_equal(family, FLOE_FAMILY_IPV6);
  assert_int_equal(code, 508);
  end();
}

/* Until the driver has answered, the client gets no answer, to whatever it sends. */
static void while_the_relay_opens(void **state) {
  (void)state;
  begin(NULL);
  log_in();
  rig.relay_mode = TS_RELAY_WAITS;
  assert_int_equal(ts_allocate(&client), TS_NONE);
  const floe__ts_relay relay = ts_rig_find(&rig, FLOE__TS_OPEN_RELAY, 0)->relay;
  assert_int_equal(ts_send_again(&client), TS_NONE);
  assert_null(ts_rig_find(&rig, FLOE__TS_OPEN_RELAY, 0));
  uint8_t allocate_id[FLOE__STUN_TXN_ID];
  memcpy(allocate_id, client.b.txn_id, sizeof allocate_id);
  assert_int_equal(ts_refresh(&client, 0), 437);
  floe_addr local = ts_addr("192.0.2.10:51111");
  ts_rig_forget(&rig);
  floe__testserver_on_relay_opened(rig.ts, rig.now, relay, true, &local);
  floe__testserver_on_relay_opened(rig.ts, rig.now, relay, false, &local); /* told twice: nothing */
  ts_rig_drain(&rig);
  assert_int_equal(ts_receive(&client), 0);
  assert_memory_equal(client.m.txn_id, allocate_id, sizeof allocate_id);
  assert_true(ts_is_signed_well(&client));
  is_relayed_at(0, "192.0.2.10:51111");
  end();
}

static uint32_t lifetime_of_answer(void) {
  uint32_t lifetime = 0;
  assert_true(floe__stun_get_u32(&client.m, FLOE__STUN_LIFETIME, &lifetime));
  return lifetime;
}

static void lifetimes(void **state) {
  (void)state;
  begin(NULL);
  log_in();
  assert_int_equal(allocate_with(FLOE__STUN_LIFETIME, 1800), 0);
  assert_int_equal(lifetime_of_answer(), 1800);
  assert_int_equal(ts_refresh(&client, 10), 0);
  assert_int_equal(lifetime_of_answer(), 600);
  assert_int_equal(ts_refresh(&client, 100000), 0);
  assert_int_equal(lifetime_of_answer(), 3600);
  (void)ts_begin(&client, FLOE__STUN_REFRESH);
  assert_int_equal(ts_send(&client), 0);
  assert_int_equal(lifetime_of_answer(), 600);
  end();
  floe__ts_config cfg = ts_rig_config();
  cfg.lifetime_s = 20;
  begin(&cfg);
  log_in();
  assert_int_equal(allocate_with(FLOE__STUN_LIFETIME, 1800), 0);
  assert_int_equal(lifetime_of_answer(), 20);
  assert_int_equal(ts_refresh(&client, 1800), 0);
  assert_int_equal(lifetime_of_answer(), 20);
  end();
}

static void allocations_run_out(void **state) {
  (void)state;
  begin(NULL);
  (void)ts_allocate_fully(&client);
  ts_rig_advance(&rig, 599999);
  assert_int_equal(ts_refresh(&client, 600), 0);
  assert_int_equal(rig.wait.at, rig.now + 600 * FLOE_SECOND);
  ts_rig_advance(&rig, 599999);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 1);
  assert_int_equal(rig.closed, 0);
  ts_rig_advance(&rig, 1);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 0);
  assert_int_equal(rig.closed, 1);
  assert_int_equal(rig.wait.at, FLOE_TIME_NEVER);
  assert_int_equal(ts_refresh(&client, 600), 437);
  assert_int_equal(floe__testserver_counters(rig.ts).deletions, 0);
  end();
}

/* Whatever comes in first after the end finds it ended. */
static void time_passes_with_any_input(void **state) {
  (void)state;
  begin(NULL);
  (void)ts_allocate_fully(&client);
  rig.now += 600 * FLOE_SECOND;
  assert_int_equal(ts_refresh(&client, 600), 437);
  assert_int_equal(rig.closed, 1);
  end();
}

static void deleting(void **state) {
  (void)state;
  begin(NULL);
  (void)ts_allocate_fully(&client);
  assert_int_equal(ts_refresh(&client, 0), 0);
  assert_int_equal(lifetime_of_answer(), 0);
  assert_true(ts_is_signed_well(&client));
  assert_non_null(ts_rig_find(&rig, FLOE__TS_CLOSE_RELAY, 0));
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 0);
  assert_int_equal(floe__testserver_counters(rig.ts).deletions, 1);
  assert_int_equal(ts_send_again(&client), 0); /* retransmitted: the same answer, and not 437 */
  assert_int_equal(floe__testserver_counters(rig.ts).deletions, 1);
  assert_int_equal(ts_refresh(&client, 0), 437);
  assert_int_equal(ts_allocate(&client), 0);
  end();
}

/* RFC 8656 8.2. */
static void a_refresh_of_another_family(void **state) {
  (void)state;
  begin(NULL);
  (void)ts_allocate_fully(&client);
  floe__stun_put_u32(ts_begin(&client, FLOE__STUN_REFRESH), FLOE__STUN_REQUESTED_ADDRESS_FAMILY, IPV6_FAMILY);
  assert_int_equal(ts_send(&client), 443);
  floe__stun_put_u32(ts_begin(&client, FLOE__STUN_REFRESH), FLOE__STUN_REQUESTED_ADDRESS_FAMILY, IPV4_FAMILY);
  assert_int_equal(ts_send(&client), 0);
  floe__stun_put_u32(ts_begin(&client, FLOE__STUN_REFRESH), FLOE__STUN_REQUESTED_ADDRESS_FAMILY, 0);
  assert_int_equal(ts_send(&client), 443);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_allocation),
      cmocka_unit_test(an_ipv6_allocation),
      cmocka_unit_test(both_families),
      cmocka_unit_test(one_of_both_families),
      cmocka_unit_test(a_family_that_is_missing),
      cmocka_unit_test(bad_requests),
      cmocka_unit_test(what_this_server_does_not_do),
      cmocka_unit_test(even_ports),
      cmocka_unit_test(a_second_allocation_is_a_mismatch),
      cmocka_unit_test(the_same_request_again),
      cmocka_unit_test(quota),
      cmocka_unit_test(capacity),
      cmocka_unit_test(no_port_to_relay_from),
      cmocka_unit_test(while_the_relay_opens),
      cmocka_unit_test(lifetimes),
      cmocka_unit_test(allocations_run_out),
      cmocka_unit_test(time_passes_with_any_input),
      cmocka_unit_test(deleting),
      cmocka_unit_test(a_refresh_of_another_family),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
