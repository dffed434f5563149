#include "turn/relay.h"

#include "fixture.h"
#include "turn/frame.h"

static const floe__turn_config udp = {.relay_family = FLOE_RELAY_FAMILY_IPV4};
static const floe__turn_config tcp = {.relay_family = FLOE_RELAY_FAMILY_IPV4, .reliable = true};

#define PEER       "192.0.2.1:1000"
#define PEER6      "[2001:db8::7]:7000"
#define LIFETIME_S 3600

static floe__turn_send send_bytes(fixture *fx, const char *peer, const uint8_t *bytes, size_t len) {
  floe_addr a = addr_of(peer);
  return floe__turn_send_data(&fx->turn, fx->now, &a, (floe_bytes){bytes, len});
}

/* `len` bytes that are not all alike. */
static uint8_t *make_data(size_t len) {
  uint8_t *data = malloc(len + 1);
  assert_non_null(data);
  for (size_t i = 0; i < len; i++) data[i] = (uint8_t)(i * 7 + i / 256);
  return data;
}

/* --- wrapping --------------------------------------------------------------------------------------------------- */

static void channel_data_over_udp_has_no_padding(void **state) {
  (void)state;
  uint8_t buf[16];
  floe_bytes data = {(const uint8_t *)"hello", 5};
  static const uint8_t expected[9] = {0x4A, 0xBC, 0, 5, 'h', 'e', 'l', 'l', 'o'};
  floe_bytes message = floe__turn_wrap_channel_data(buf, sizeof buf, 0x4ABC, data, false);
  assert_int_equal(message.len, sizeof expected);
  assert_memory_equal(message.ptr, expected, sizeof expected);
}

static void channel_data_over_a_stream_is_padded(void **state) {
  (void)state;
  static const size_t totals[] = {4, 8, 8, 8, 8, 12};
  for (size_t len = 0; len < sizeof totals / sizeof *totals; len++) {
    uint8_t buf[16];
    memset(buf, 0xEE, sizeof buf);
    floe_bytes message =
        floe__turn_wrap_channel_data(buf, sizeof buf, 0x4000, (floe_bytes){(const uint8_t *)"hello", len}, true);
    assert_int_equal(message.len, totals[len]);
    assert_int_equal(message.ptr[3], len);
    for (size_t i = 4 + len; i < totals[len]; i++) assert_int_equal(buf[i], 0);
    assert_int_equal(buf[totals[len]], 0xEE);
  }
}

static void what_does_not_fit_is_not_wrapped(void **state) {
  (void)state;
  uint8_t buf[80];
  uint8_t *data = make_data(65536);
  static const uint8_t id[FLOE__STUN_TXN_ID] = "an id";
  floe_addr peer = addr_of(PEER);
  assert_int_equal(floe__turn_wrap_channel_data(buf, 8, 0x4000, (floe_bytes){data, 5}, false).len, 0);
  assert_int_equal(floe__turn_wrap_channel_data(buf, 9, 0x4000, (floe_bytes){data, 5}, true).len, 0);
  assert_int_equal(floe__turn_wrap_channel_data(buf, sizeof buf, 0x4000, (floe_bytes){data, 65536}, true).len, 0);
  assert_int_equal(floe__turn_wrap_send(buf, 43, id, &peer, (floe_bytes){data, 5}).len, 0);
  assert_int_equal(floe__turn_wrap_send(buf, 44, id, &peer, (floe_bytes){data, 5}).len, 44);
  free(data);
}

static void send_indication(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  assert_int_equal(send_text(fx, PEER, "hello"), FLOE__TURN_SENT);
  const floe__stun_msg *m = take_stun(fx, FLOE__STUN_INDICATION, FLOE__STUN_SEND);
  floe_addr peer;
  assert_true(floe__stun_get_xor_addr(m, FLOE__STUN_XOR_PEER_ADDRESS, &peer));
  assert_addr(&peer, PEER);
  floe_bytes data = floe__stun_get(m, FLOE__STUN_DATA);
  assert_int_equal(data.len, 5);
  assert_memory_equal(data.ptr, "hello", 5);
  /* RFC 8489 9.1.3.2: indications are not authenticated with long-term credentials. */
  assert_false(floe__stun_has(m, FLOE__STUN_MESSAGE_INTEGRITY));
  fixture_free(fx);
}

static void send_indication_to_ipv6_and_without_data(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER6, false);
  assert_int_equal(send_text(fx, PEER6, ""), FLOE__TURN_SENT);
  const floe__stun_msg *m = take_stun(fx, FLOE__STUN_INDICATION, FLOE__STUN_SEND);
  assert_int_equal(m->packet.len, 20 + 24 + 4);
  assert_true(floe__stun_has(m, FLOE__STUN_DATA));
  assert_int_equal(floe__stun_get(m, FLOE__STUN_DATA).len, 0);
  fixture_free(fx);
}

static void each_indication_has_its_own_transaction_id(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  send_text(fx, PEER, "a");
  send_text(fx, PEER, "a");
  assert_memory_not_equal(fx->sent[0].bytes + 8, fx->sent[1].bytes + 8, FLOE__STUN_TXN_ID);
  fixture_free(fx);
}

/* --- sizes ------------------------------------------------------------------------------------------------------- */

static void assert_size(fixture *fx, const char *peer, size_t len, size_t message_len) {
  uint8_t *data = make_data(len);
  assert_int_equal(send_bytes(fx, peer, data, len), FLOE__TURN_SENT);
  floe_bytes sent = take_sent(fx);
  assert_int_equal(sent.len, message_len);
  free(data);
}

static void assert_too_large(fixture *fx, const char *peer, size_t len) {
  uint8_t *data = make_data(len);
  assert_int_equal(send_bytes(fx, peer, data, len), FLOE__TURN_TOO_LARGE);
  assert_int_equal(fx->n_sent, 0);
  free(data);
}

static void largest_over_udp(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, true);
  permit_granted(fx, PEER6, false);
  assert_size(fx, PEER, 65503, 65507);
  assert_too_large(fx, PEER, 65504);
  assert_size(fx, PEER6, 65456, 20 + 24 + 4 + 65456);
  assert_too_large(fx, PEER6, 65457); /* 65,508 with padding */
  assert_too_large(fx, PEER6, 70000);
  fixture_free(fx);
}

static void largest_over_a_stream(void **state) {
  (void)state;
  fixture *fx = fixture_live(tcp, LIFETIME_S);
  permit_granted(fx, PEER, true);
  permit_granted(fx, PEER6, false);
  assert_size(fx, PEER, 65535, 65540);
  assert_too_large(fx, PEER, 65536);
  assert_size(fx, PEER6, 65504, 20 + 24 + 4 + 65504);
  assert_too_large(fx, PEER6, 65505);
  assert_too_large(fx, PEER6, 65536);
  fixture_free(fx);
}

static void small_data_takes_no_memory(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, true);
  permit_granted(fx, PEER6, false);
  uint64_t calls = fx->memory.calls;
  assert_size(fx, PEER, 2044, 2048);
  assert_size(fx, PEER6, 2000, 2048);
  assert_int_equal(fx->memory.calls, calls);
  assert_size(fx, PEER, 2045, 2049);
  assert_int_equal(fx->memory.calls, calls + 1);
  fixture_free(fx);
}

static void large_data_without_memory(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, true);
  uint8_t *data = make_data(3000);
  fx->memory.fail_at = fx->memory.calls + 1;
  assert_int_equal(send_bytes(fx, PEER, data, 3000), FLOE__TURN_SEND_NOMEM);
  assert_int_equal(fx->n_sent, 0);
  assert_int_equal(send_bytes(fx, PEER, data, 3000), FLOE__TURN_SENT);
  floe_bytes sent = take_sent(fx);
  assert_memory_equal(sent.ptr + 4, data, 3000);
  free(data);
  fixture_free(fx);
}

static void only_a_live_allocation_sends(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_NOT_PERMITTED);
  fixture_free(fx);
}

/* --- unwrapping -------------------------------------------------------------------------------------------------- */

static void channel_data_is_told_from_stun_by_its_first_byte(void **state) {
  (void)state;
  for (unsigned first = 0; first < 256; first++) {
    const uint8_t bytes[4] = {(uint8_t)first, 0xFF, 0, 0};
    assert_int_equal(floe__turn_is_channel_data((floe_bytes){bytes, 4}), first >= 0x40 && first <= 0x4F);
  }
  assert_false(floe__turn_is_channel_data((floe_bytes){0}));
  assert_false(floe__turn_is_channel_data((floe_bytes){(const uint8_t *)"@", 1}));
}

static void channel_data_is_unwrapped(void **state) {
  (void)state;
  static const uint8_t bytes[12] = {0x40, 0x01, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0};
  uint16_t number;
  floe_bytes data;
  for (size_t len = 0; len < 9; len++) {
    assert_false(floe__turn_unwrap_channel_data((floe_bytes){bytes, len}, &number, &data));
  }
  for (size_t len = 9; len <= 12; len++) {
    assert_true(floe__turn_unwrap_channel_data((floe_bytes){bytes, len}, &number, &data));
    assert_int_equal(number, 0x4001);
    assert_ptr_equal(data.ptr, bytes + 4);
    assert_int_equal(data.len, 5);
  }
}

static void truncated_channel_data_is_discarded(void **state) {
  (void)state;
  static const uint8_t bytes[7] = {0x40, 0x00, 0, 4, 'd', 'a', 't'};
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, true);
  assert_int_equal(deliver_bytes(fx, bytes, sizeof bytes), FLOE__TURN_STEP_DISCARDED);
  assert_int_equal(fx->turn.discard_cause, FLOE_CAUSE_NOT_STUN);
  fixture_free(fx);
}

static floe__stun_builder *begin_indication(fixture *fx, uint16_t method) {
  static const uint8_t id[FLOE__STUN_TXN_ID] = "indication";
  floe__stun_begin(&fx->b, fx->reply, sizeof fx->reply, FLOE__STUN_INDICATION, method, id);
  return &fx->b;
}

static void assert_discarded(fixture *fx, floe_cause cause) {
  assert_int_equal(end_reply(fx, false), FLOE__TURN_STEP_DISCARDED);
  assert_int_equal(fx->turn.discard_cause, cause);
}

static void indications_that_carry_no_data(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  put_addr(begin_indication(fx, FLOE__STUN_DATA_METHOD), FLOE__STUN_XOR_PEER_ADDRESS, PEER);
  assert_discarded(fx, FLOE_CAUSE_NONE);
  floe__stun_put(begin_indication(fx, FLOE__STUN_DATA_METHOD), FLOE__STUN_DATA, "x", 1);
  assert_discarded(fx, FLOE_CAUSE_NONE);
  put_addr(begin_indication(fx, FLOE__STUN_DATA_METHOD), FLOE__STUN_XOR_PEER_ADDRESS, PEER);
  floe__stun_put_u32(&fx->b, FLOE__STUN_ICMP, 0x03010000);
  assert_discarded(fx, FLOE_CAUSE_NONE);
  put_addr(begin_indication(fx, FLOE__STUN_SEND), FLOE__STUN_XOR_PEER_ADDRESS, PEER);
  floe__stun_put(&fx->b, FLOE__STUN_DATA, "x", 1);
  assert_discarded(fx, FLOE_CAUSE_NONE);
  begin_indication(fx, FLOE__STUN_BINDING);
  assert_discarded(fx, FLOE_CAUSE_NONE);
  fixture_free(fx);
}

/* RFC 8489 6.3.2: an indication with an unknown comprehension-required attribute is discarded. */
static void indication_with_an_unknown_attribute(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  put_addr(begin_indication(fx, FLOE__STUN_DATA_METHOD), FLOE__STUN_XOR_PEER_ADDRESS, PEER);
  floe__stun_put(&fx->b, FLOE__STUN_DATA, "x", 1);
  floe__stun_put_raw(&fx->b, 0x7ABC, "????", 4);
  assert_discarded(fx, FLOE_CAUSE_NONE);
  fixture_free(fx);
}

static void indication_with_a_fingerprint(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  for (int good = 0; good < 2; good++) {
    put_addr(begin_indication(fx, FLOE__STUN_DATA_METHOD), FLOE__STUN_XOR_PEER_ADDRESS, PEER);
    floe__stun_put(&fx->b, FLOE__STUN_DATA, "x", 1);
    if (good == 0) {
      floe__stun_put_u32(&fx->b, FLOE__STUN_FINGERPRINT, 42);
      assert_discarded(fx, FLOE_CAUSE_BAD_FINGERPRINT);
      continue;
    }
    floe__stun_put_fingerprint(&fx->b);
    assert_int_equal(end_reply(fx, false), FLOE__TURN_STEP_DATA);
  }
  fixture_free(fx);
}

static void data_is_borrowed_from_the_message(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  uint64_t calls = fx->memory.calls;
  assert_int_equal(indicate_data(fx, PEER, "hello", 5), FLOE__TURN_STEP_DATA);
  assert_true(fx->turn.data.ptr > fx->reply && fx->turn.data.ptr < fx->reply + sizeof fx->reply);
  assert_int_equal(fx->memory.calls, calls);
  fixture_free(fx);
}

/* What is sent over a stream comes out of a framer as it went in. */
static void wrapped_data_passes_a_framer(void **state) {
  (void)state;
  fixture *fx = fixture_live(tcp, LIFETIME_S);
  permit_granted(fx, PEER, true);
  floe__turn_framer f;
  floe__turn_framer_init(&f, fx->memory.env);
  f.channel_data = true;
  for (size_t len = 0; len < 40; len++) {
    uint8_t *bytes = make_data(len);
    assert_int_equal(send_bytes(fx, PEER, bytes, len), FLOE__TURN_SENT);
    floe_bytes in = take_sent(fx), out, data;
    uint16_t number;
    assert_int_equal(floe__turn_framer_next(&f, &in, &out), FLOE__TURN_FRAME_MESSAGE);
    assert_int_equal(in.len, 0);
    assert_true(floe__turn_unwrap_channel_data(out, &number, &data));
    assert_int_equal(data.len, len);
    assert_memory_equal(data.ptr, bytes, len);
    free(bytes);
  }
  floe__turn_framer_clear(&f);
  fixture_free(fx);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(channel_data_over_udp_has_no_padding),
      T(channel_data_over_a_stream_is_padded),
      T(what_does_not_fit_is_not_wrapped),
      T(send_indication),
      T(send_indication_to_ipv6_and_without_data),
      T(each_indication_has_its_own_transaction_id),
      T(largest_over_udp),
      T(largest_over_a_stream),
      T(small_data_takes_no_memory),
      T(large_data_without_memory),
      T(only_a_live_allocation_sends),
      T(channel_data_is_told_from_stun_by_its_first_byte),
      T(channel_data_is_unwrapped),
      T(truncated_channel_data_is_discarded),
      T(indications_that_carry_no_data),
      T(indication_with_an_unknown_attribute),
      T(indication_with_a_fingerprint),
      T(data_is_borrowed_from_the_message),
      T(wrapped_data_passes_a_framer),
  };
#undef T
  return cmocka_run_group_tests_name("turn/relay", tests, NULL, NULL);
}
