/* Permissions, channels, and data in both directions. */
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/ts_rig.h"

static ts_rig rig;
static ts_client alice, bob;
static floe_addr alice_relayed;
static floe__ts_listener listener;

static int set_up(void **state) {
  (void)state;
  ts_rig_init(&rig, NULL);
  listener = ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, NULL);
  ts_client_init(&alice, &rig, listener, "198.51.100.7:40000");
  ts_client_init(&bob, &rig, listener, "198.51.100.8:40000");
  alice_relayed = ts_allocate_fully(&alice);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  ts_client_clear(&alice);
  ts_client_clear(&bob);
  ts_rig_clear(&rig);
  return 0;
}

/* A datagram from a peer to the relay socket whose number is `relay`. */
static int from_peer(ts_client *c, floe__ts_relay relay, const floe_addr *peer, const char *text) {
  ts_rig_forget(&rig);
  floe__testserver_on_relay_datagram(rig.ts, rig.now, relay, peer, (floe_bytes){(const uint8_t *)text, strlen(text)});
  ts_rig_drain(&rig);
  return ts_receive(c);
}

static void is_data(const ts_client *c, const floe_addr *peer, const char *text) {
  floe_addr addr;
  assert_int_equal(c->m.cls, FLOE__STUN_INDICATION);
  assert_int_equal(c->m.method, FLOE__STUN_DATA_METHOD);
  assert_true(floe__stun_get_xor_addr(&c->m, FLOE__STUN_XOR_PEER_ADDRESS, &addr));
  assert_true(floe_addr_equal(&addr, peer));
  floe_bytes data = floe__stun_get(&c->m, FLOE__STUN_DATA);
  assert_int_equal(data.len, strlen(text));
  assert_memory_equal(data.ptr, text, data.len);
}

/* The one datagram that left a relay socket. */
static void is_relayed(floe__ts_relay relay, const floe_addr *to, const char *text) {
  const floe__ts_output *out = ts_rig_find(&rig, FLOE__TS_SEND_RELAY, 0);
  assert_non_null(out);
  assert_int_equal(out->relay, relay);
  assert_true(floe_addr_equal(&out->to, to));
  assert_int_equal(out->data.len, strlen(text));
  assert_memory_equal(out->data.ptr, text, out->data.len);
  assert_null(ts_rig_find(&rig, FLOE__TS_SEND_RELAY, 1));
}

static void nothing_is_relayed(void) {
  assert_null(ts_rig_find(&rig, FLOE__TS_SEND_RELAY, 0));
}

static int send_channel_data(ts_client *c, uint16_t number, const char *text, size_t claimed) {
  uint8_t bytes[256] = {(uint8_t)(number >> 8), (uint8_t)number, (uint8_t)(claimed >> 8), (uint8_t)claimed};
  memcpy(bytes + 4, text, strlen(text));
  return ts_send_bytes(c, (floe_bytes){bytes, 4 + strlen(text)});
}

static void data_needs_a_permission(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:7000");
  ts_send_data(&alice, &peer, "hello");
  nothing_is_relayed();
  assert_int_equal(from_peer(&alice, 1, &peer, "hello"), TS_NONE);
  assert_int_equal(ts_permit(&alice, &peer), 0);
  assert_true(ts_is_signed_well(&alice));
  ts_send_data(&alice, &peer, "hello");
  is_relayed(1, &peer, "hello");
  assert_int_equal(from_peer(&alice, 1, &peer, "hello yourself"), 0);
  is_data(&alice, &peer, "hello yourself");
  floe__ts_counters counters = floe__testserver_counters(rig.ts);
  assert_int_equal(counters.permissions, 1);
  assert_int_equal(counters.relayed_out, 1);
  assert_int_equal(counters.relayed_in, 1);
}

/* RFC 8656 9: a permission is for the IP address, whatever the port. */
static void permissions_ignore_the_port(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:7000"), same = ts_addr("203.0.113.5:9"), other = ts_addr("203.0.113.6:7000");
  assert_int_equal(ts_permit(&alice, &peer), 0);
  assert_int_equal(from_peer(&alice, 1, &same, "x"), 0);
  is_data(&alice, &same, "x");
  assert_int_equal(from_peer(&alice, 1, &other, "x"), TS_NONE);
}

static void permissions_last_300_s(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:7000");
  assert_int_equal(ts_permit(&alice, &peer), 0);
  ts_rig_advance(&rig, 299999);
  assert_int_equal(from_peer(&alice, 1, &peer, "x"), 0);
  ts_rig_advance(&rig, 1);
  assert_int_equal(from_peer(&alice, 1, &peer, "x"), TS_NONE);
  ts_send_data(&alice, &peer, "x");
  nothing_is_relayed();
  assert_int_equal(ts_permit(&alice, &peer), 0);
  ts_send_data(&alice, &peer, "x");
  is_relayed(1, &peer, "x");
}

static void several_peers_in_one_request(void **state) {
  (void)state;
  floe_addr a = ts_addr("203.0.113.5:1"), b = ts_addr("203.0.113.6:1"), v6 = ts_addr("[2001:db8::5]:1");
  floe__stun_put_xor_addr(ts_begin(&alice, FLOE__STUN_CREATE_PERMISSION), FLOE__STUN_XOR_PEER_ADDRESS, &a);
  floe__stun_put_xor_addr(&alice.b, FLOE__STUN_XOR_PEER_ADDRESS, &v6);
  assert_int_equal(ts_send(&alice), 443); /* all or none: the allocation has no IPv6 */
  assert_int_equal(from_peer(&alice, 1, &a, "x"), TS_NONE);
  floe__stun_put_xor_addr(ts_begin(&alice, FLOE__STUN_CREATE_PERMISSION), FLOE__STUN_XOR_PEER_ADDRESS, &a);
  floe__stun_put_xor_addr(&alice.b, FLOE__STUN_XOR_PEER_ADDRESS, &b);
  assert_int_equal(ts_send(&alice), 0);
  assert_int_equal(from_peer(&alice, 1, &a, "x"), 0);
  assert_int_equal(from_peer(&alice, 1, &b, "x"), 0);
}

static void bad_permissions(void **state) {
  (void)state;
  (void)ts_begin(&alice, FLOE__STUN_CREATE_PERMISSION);
  assert_int_equal(ts_send(&alice), 400);
  floe__stun_put(ts_begin(&alice, FLOE__STUN_CREATE_PERMISSION), FLOE__STUN_XOR_PEER_ADDRESS, "abcd", 4);
  assert_int_equal(ts_send(&alice), 400);
  assert_int_equal(floe__testserver_counters(rig.ts).permissions, 0);
}

static void permissions_have_a_limit(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.1:1");
  for (int i = 0; i < 64; i++) {
    assert_int_equal(ts_permit(&alice, &peer), 0);
    peer.ip[3]++;
  }
  assert_int_equal(ts_permit(&alice, &peer), 508);
  ts_rig_advance(&rig, 300000); /* those have run out and make room */
  assert_int_equal(ts_permit(&alice, &peer), 0);
}

/* Data of one client through both relays to another: the driver carries it from socket to socket. */
static void between_two_allocations(void **state) {
  (void)state;
  floe_addr bob_relayed = ts_allocate_fully(&bob);
  assert_int_equal(ts_permit(&alice, &bob_relayed), 0);
  assert_int_equal(ts_permit(&bob, &alice_relayed), 0);
  ts_send_data(&alice, &bob_relayed, "to bob");
  is_relayed(1, &bob_relayed, "to bob");
  assert_int_equal(from_peer(&bob, 2, &alice_relayed, "to bob"), 0);
  is_data(&bob, &alice_relayed, "to bob");
  ts_send_data(&bob, &alice_relayed, "to alice");
  is_relayed(2, &alice_relayed, "to alice");
  assert_int_equal(from_peer(&alice, 1, &bob_relayed, "to alice"), 0);
  is_data(&alice, &bob_relayed, "to alice");
}

static void channels(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:7000"), other_port = ts_addr("203.0.113.5:7001");
  assert_int_equal(ts_bind(&alice, 0x4000, &peer), 0);
  assert_int_equal(floe__testserver_counters(rig.ts).channels, 1);
  (void)send_channel_data(&alice, 0x4000, "hello", 5);
  is_relayed(1, &peer, "hello");
  (void)from_peer(&alice, 1, &peer, "hi there");
  static const uint8_t expected[] = {0x40, 0, 0, 8, 'h', 'i', ' ', 't', 'h', 'e', 'r', 'e'};
  assert_int_equal(alice.answer.len, sizeof expected);
  assert_memory_equal(alice.answer.ptr, expected, sizeof expected);
  /* The permission is for the address, the channel for the port as well. */
  assert_int_equal(from_peer(&alice, 1, &other_port, "x"), 0);
  is_data(&alice, &other_port, "x");
  /* A Send indication still goes. */
  ts_send_data(&alice, &peer, "y");
  is_relayed(1, &peer, "y");
}

static void channel_data_that_is_dropped(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:7000");
  assert_int_equal(send_channel_data(&bob, 0x4000, "hello", 5), TS_NONE); /* no allocation */
  assert_int_equal(ts_bind(&alice, 0x4000, &peer), 0);
  (void)send_channel_data(&alice, 0x4001, "hello", 5);
  nothing_is_relayed();
  (void)send_channel_data(&alice, 0x4000, "hello", 6); /* more than there is */
  nothing_is_relayed();
  (void)send_channel_data(&alice, 0x4000, "hello", 4); /* padding, over UDP */
  is_relayed(1, &peer, "hell");
  static const uint8_t cut[] = {0x40, 0};
  (void)ts_send_bytes(&alice, (floe_bytes){cut, sizeof cut});
  nothing_is_relayed();
}

/* RFC 8656 12: a channel lasts 600 s, the permission that came with it 300 s. */
static void channels_run_out(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:7000");
  assert_int_equal(ts_refresh(&alice, 3600), 0);
  assert_int_equal(ts_bind(&alice, 0x4000, &peer), 0);
  ts_rig_advance(&rig, 300000);
  (void)send_channel_data(&alice, 0x4000, "x", 1);
  nothing_is_relayed();
  assert_int_equal(ts_permit(&alice, &peer), 0);
  ts_rig_advance(&rig, 299999);
  (void)send_channel_data(&alice, 0x4000, "x", 1);
  is_relayed(1, &peer, "x");
  assert_int_equal(ts_bind(&alice, 0x4001, &peer), 400); /* still bound to another number */
  ts_rig_advance(&rig, 1);
  (void)send_channel_data(&alice, 0x4000, "x", 1);
  nothing_is_relayed();
  assert_int_equal(ts_bind(&alice, 0x4001, &peer), 0);
}

static void bad_bindings(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:7000"), other = ts_addr("203.0.113.5:7001"), v6 = ts_addr("[2001:db8::5]:1");
  assert_int_equal(ts_bind(&alice, 0x3fff, &peer), 400);
  assert_int_equal(ts_bind(&alice, 0x5000, &peer), 400);
  assert_int_equal(ts_bind(&alice, 0x4000, &v6), 443);
  assert_int_equal(ts_bind(&alice, 0x4fff, &peer), 0);
  assert_int_equal(ts_bind(&alice, 0x4fff, &other), 400);
  assert_int_equal(ts_bind(&alice, 0x4ffe, &peer), 400);
  assert_int_equal(ts_bind(&alice, 0x4fff, &peer), 0); /* refreshed */
  floe__stun_put_xor_addr(ts_begin(&alice, FLOE__STUN_CHANNEL_BIND), FLOE__STUN_XOR_PEER_ADDRESS, &peer);
  assert_int_equal(ts_send(&alice), 400);
  floe__stun_put_u32(ts_begin(&alice, FLOE__STUN_CHANNEL_BIND), FLOE__STUN_CHANNEL_NUMBER, 0x40000000);
  assert_int_equal(ts_send(&alice), 400);
  assert_int_equal(floe__testserver_counters(rig.ts).channels, 2);
}

static void channels_have_a_limit(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:1");
  for (uint16_t i = 0; i < 64; i++) {
    assert_int_equal(ts_bind(&alice, (uint16_t)(0x4000 + i), &peer), 0);
    peer.port++;
  }
  assert_int_equal(ts_bind(&alice, 0x4f00, &peer), 508);
}

static void sends_that_are_dropped(void **state) {
  (void)state;
  floe_addr peer = ts_addr("203.0.113.5:7000"), v6 = ts_addr("[2001:db8::5]:1");
  uint8_t id[FLOE__STUN_TXN_ID] = {1};
  assert_int_equal(ts_permit(&alice, &peer), 0);
  ts_send_data(&bob, &peer, "no allocation");
  nothing_is_relayed();
  ts_send_data(&alice, &v6, "no relay of this family");
  nothing_is_relayed();
  floe__stun_builder *b = &alice.b;
  floe__stun_begin(b, alice.request, sizeof alice.request, FLOE__STUN_INDICATION, FLOE__STUN_SEND, id);
  floe__stun_put_xor_addr(b, FLOE__STUN_XOR_PEER_ADDRESS, &peer);
  (void)ts_send_bytes(&alice, floe__stun_end(b));
  nothing_is_relayed();
  floe__stun_begin(b, alice.request, sizeof alice.request, FLOE__STUN_INDICATION, FLOE__STUN_SEND, id);
  floe__stun_put_text(b, FLOE__STUN_DATA, "no peer");
  (void)ts_send_bytes(&alice, floe__stun_end(b));
  nothing_is_relayed();
  floe__stun_begin(b, alice.request, sizeof alice.request, FLOE__STUN_INDICATION, FLOE__STUN_SEND, id);
  floe__stun_put_xor_addr(b, FLOE__STUN_XOR_PEER_ADDRESS, &peer);
  floe__stun_put_text(b, FLOE__STUN_DATA, "x");
  floe__stun_put_flag(b, FLOE__STUN_DONT_FRAGMENT);
  (void)ts_send_bytes(&alice, floe__stun_end(b));
  nothing_is_relayed();
  ts_send_data(&alice, &peer, ""); /* an empty datagram is one */
  is_relayed(1, &peer, "");
}

/* The largest datagram fits in neither form; one that fits in ChannelData only is dropped as an indication. */
static void large_datagrams(void **state) {
  (void)state;
  static uint8_t bytes[65536];
  floe_addr peer = ts_addr("203.0.113.5:7000");
  assert_int_equal(ts_permit(&alice, &peer), 0);
  for (size_t len = 65499; len <= 65508; len++) {
    ts_rig_forget(&rig);
    floe__testserver_on_relay_datagram(rig.ts, rig.now, 1, &peer, (floe_bytes){bytes, len});
    ts_rig_drain(&rig);
    int got = ts_receive(&alice);
    if (len == 65499) assert_int_equal(got, 0);
    if (got == 0) assert_int_equal(floe__stun_get(&alice.m, FLOE__STUN_DATA).len, len);
  }
  assert_int_equal(ts_bind(&alice, 0x4000, &peer), 0);
  ts_rig_forget(&rig);
  floe__testserver_on_relay_datagram(rig.ts, rig.now, 1, &peer, (floe_bytes){bytes, 65507});
  floe__testserver_on_relay_datagram(rig.ts, rig.now, 1, &peer, (floe_bytes){bytes, 65536});
  ts_rig_drain(&rig);
  (void)ts_receive(&alice);
  assert_int_equal(alice.answer.len, 65511);
  (void)ts_receive(&alice);
  assert_int_equal(alice.answer.len, 0);
}

static void both_families_relay(void **state) {
  (void)state;
  floe_addr v4 = ts_addr("203.0.113.5:7000"), v6 = ts_addr("[2001:db8::5]:7000");
  assert_int_equal(ts_allocate(&bob), 401);
  ts_learn(&bob);
  floe__stun_put_u32(ts_begin(&bob, FLOE__STUN_ALLOCATE), FLOE__STUN_REQUESTED_TRANSPORT, 0x11000000);
  floe__stun_put_u32(&bob.b, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, 0x02000000);
  assert_int_equal(ts_send(&bob), 0);
  assert_int_equal(ts_permit(&bob, &v4), 0);
  assert_int_equal(ts_permit(&bob, &v6), 0);
  ts_send_data(&bob, &v4, "four");
  is_relayed(2, &v4, "four");
  ts_send_data(&bob, &v6, "six");
  is_relayed(3, &v6, "six");
  assert_int_equal(from_peer(&bob, 3, &v6, "six"), 0);
  is_data(&bob, &v6, "six");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(data_needs_a_permission),
      TEST(permissions_ignore_the_port),
      TEST(permissions_last_300_s),
      TEST(several_peers_in_one_request),
      TEST(bad_permissions),
      TEST(permissions_have_a_limit),
      TEST(between_two_allocations),
      TEST(channels),
      TEST(channel_data_that_is_dropped),
      TEST(channels_run_out),
      TEST(bad_bindings),
      TEST(channels_have_a_limit),
      TEST(sends_that_are_dropped),
      TEST(large_datagrams),
      TEST(both_families_relay),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
