#include "turn/channel.h"

#include "fixture.h"

static const floe__turn_config udp = {.relay_family = FLOE_RELAY_FAMILY_IPV4};

#define PEER       "192.0.2.1:1000"
#define OTHER_PORT "192.0.2.1:2000"
#define OTHER_PEER "192.0.2.2:1000"
#define LIFETIME_S 3600

static floe__turn_step deliver_channel(fixture *fx, uint16_t number, const char *text) {
  floe__writer w = floe__writer_of(fx->reply, sizeof fx->reply);
  floe__wr_u16(&w, number);
  floe__wr_u16(&w, (uint16_t)strlen(text));
  floe__wr_bytes(&w, text, strlen(text));
  return deliver_bytes(fx, fx->reply, w.len);
}

static void assert_refused(const fixture *fx, floe__turn_step step, unsigned code) {
  assert_int_equal(step, FLOE__TURN_STEP_PERMISSION);
  assert_false(fx->turn.granted);
  assert_addr(&fx->turn.peer, PEER);
  assert_int_equal(fx->turn.outcome.cause, FLOE_CAUSE_PERMISSION_FAILED);
  assert_int_equal(fx->turn.outcome.code, code);
  assert_int_equal(fx->turn.error_phase, FLOE_PHASE_CHANNEL);
}

/* One message was sent: ChannelData with this number and these bytes. The request looked at last stays in view. */
static void assert_sent_in_channel(fixture *fx, uint16_t number, const char *text) {
  assert_int_equal(fx->n_sent, 1);
  const sent_message *sent = &fx->sent[0];
  assert_int_equal(sent->len, 4 + strlen(text));
  assert_int_equal(sent->bytes[0] << 8 | sent->bytes[1], number);
  assert_int_equal(sent->bytes[2] << 8 | sent->bytes[3], strlen(text));
  assert_memory_equal(sent->bytes + 4, text, strlen(text));
  forget_sent(fx);
}

static void binds_and_needs_no_other_permission(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit(fx, PEER, true);
  assert_u32(&fx->msg, FLOE__STUN_CHANNEL_NUMBER, 0x40000000);
  floe_addr asked;
  assert_true(floe__stun_get_xor_addr(&fx->msg, FLOE__STUN_XOR_PEER_ADDRESS, &asked));
  assert_addr(&asked, PEER);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_NOT_PERMITTED);
  assert_int_equal(reply_success(fx), FLOE__TURN_STEP_PERMISSION);
  assert_true(fx->turn.granted);
  assert_int_equal(send_text(fx, PEER, "hello"), FLOE__TURN_SENT);
  assert_sent_in_channel(fx, 0x4000, "hello");
  /* RFC 8656 12.1: it "also creates or refreshes a permission": for the address, whatever the port. */
  assert_int_equal(send_text(fx, OTHER_PORT, "hello"), FLOE__TURN_SENT);
  take_stun(fx, FLOE__STUN_INDICATION, FLOE__STUN_SEND);
  fixture_free(fx);
}

static void each_peer_has_its_number(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, true);
  permit_granted(fx, OTHER_PORT, true);
  permit_granted(fx, OTHER_PEER, true);
  send_text(fx, OTHER_PEER, "a");
  assert_sent_in_channel(fx, 0x4002, "a");
  send_text(fx, PEER, "b");
  assert_sent_in_channel(fx, 0x4000, "b");
  send_text(fx, OTHER_PORT, "c");
  assert_sent_in_channel(fx, 0x4001, "c");
  fixture_free(fx);
}

static void data_comes_through_bound_channels_only(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  assert_int_equal(deliver_channel(fx, 0x4000, "hello"), FLOE__TURN_STEP_DISCARDED);
  assert_int_equal(fx->turn.discard_cause, FLOE_CAUSE_NONE);
  permit_granted(fx, PEER, true);
  assert_int_equal(deliver_channel(fx, 0x4000, "hello"), FLOE__TURN_STEP_DATA);
  assert_data(fx, PEER, "hello");
  assert_int_equal(deliver_channel(fx, 0x4000, ""), FLOE__TURN_STEP_DATA);
  assert_int_equal(fx->turn.data.len, 0);
  assert_int_equal(deliver_channel(fx, 0x4001, "hello"), FLOE__TURN_STEP_DISCARDED);
  assert_int_equal(fx->turn.discard_cause, FLOE_CAUSE_NONE);
  assert_int_equal(indicate_data(fx, OTHER_PORT, "hello", 5), FLOE__TURN_STEP_DATA);
  fixture_free(fx);
}

static void numbers_that_are_no_channel(void **state) {
  (void)state;
  static const uint16_t numbers[] = {0x5000, 0x7FFF, 0x8000, 0xFFFF};
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, true);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    assert_int_equal(deliver_channel(fx, numbers[i], "hello"), FLOE__TURN_STEP_DISCARDED);
    assert_int_equal(fx->turn.discard_cause, FLOE_CAUSE_NOT_STUN);
  }
  assert_null(floe__turn_channel_from(&fx->turn, 0));
  fixture_free(fx);
}

static void data_may_overtake_the_answer(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit(fx, PEER, true);
  assert_int_equal(deliver_channel(fx, 0x4000, "early"), FLOE__TURN_STEP_DATA);
  assert_data(fx, PEER, "early");
  assert_refused(fx, reply_error(fx, 400, "Bad Request", true), 400);
  assert_int_equal(deliver_channel(fx, 0x4000, "late"), FLOE__TURN_STEP_DISCARDED);
  fixture_free(fx);
}

static void refused_and_asked_again_keeps_its_number(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit(fx, PEER, true);
  assert_refused(fx, reply_error(fx, 403, "Forbidden", true), 403);
  assert_string_equal(fx->turn.outcome.error.reason, "Forbidden");
  permit(fx, PEER, true);
  assert_u32(&fx->msg, FLOE__STUN_CHANNEL_NUMBER, 0x40000000);
  assert_int_equal(reply_success(fx), FLOE__TURN_STEP_PERMISSION);
  assert_true(fx->turn.granted);
  fixture_free(fx);
}

static void is_not_answered(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit(fx, PEER, true);
  assert_refused(fx, pass_ms(fx, 60000), 0);
  fixture_free(fx);
}

/* RFC 8656 12.1: "permissions need to be refreshed more frequently than channels", and nothing but ChannelBind
 * refreshes this one. */
static void is_bound_again_before_its_permission_expires(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, 6 * 3600);
  permit_granted(fx, PEER, true);
  for (int i = 0; i < 80; i++) {
    assert_int_equal(pass_ms(fx, 239999), FLOE__TURN_STEP_NONE);
    assert_int_equal(fx->n_sent, 0);
    assert_int_equal(pass_ms(fx, 1), FLOE__TURN_STEP_NONE);
    assert_u32(take_signed(fx, FLOE__STUN_CHANNEL_BIND), FLOE__STUN_CHANNEL_NUMBER, 0x40000000);
    assert_int_equal(deliver_channel(fx, 0x4000, "meanwhile"), FLOE__TURN_STEP_DATA);
    assert_int_equal(send_text(fx, PEER, "meanwhile"), FLOE__TURN_SENT);
    assert_sent_in_channel(fx, 0x4000, "meanwhile");
    assert_int_equal(reply_success(fx), FLOE__TURN_STEP_NONE);
  }
  fixture_free(fx);
}

static void refused_at_refresh_is_told_once(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, true);
  assert_int_equal(pass_ms(fx, 240000), FLOE__TURN_STEP_NONE);
  take_signed(fx, FLOE__STUN_CHANNEL_BIND);
  assert_refused(fx, reply_error(fx, 508, "Insufficient", true), 508);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_NOT_PERMITTED);
  assert_int_equal(deliver_channel(fx, 0x4000, "x"), FLOE__TURN_STEP_DISCARDED);
  assert_int_equal(pass_ms(fx, 1000000), FLOE__TURN_STEP_NONE);
  fixture_free(fx);
}

static void expired_unnoticed_is_not_sent_to(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, true);
  fx->now += 300 * FLOE_SECOND;
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_NOT_PERMITTED);
  fixture_free(fx);
}

static void channel_is_added_to_a_permission(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  permit(fx, PEER, true);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_SENT); /* by the permission, until the channel is bound */
  floe__stun_msg send;
  assert_int_equal(floe__stun_msg_parse(&send, (floe_bytes){fx->sent[0].bytes, fx->sent[0].len}), FLOE__STUN_OK);
  assert_int_equal(send.method, FLOE__STUN_SEND);
  forget_sent(fx);
  assert_int_equal(reply_success(fx), FLOE__TURN_STEP_PERMISSION);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_SENT);
  assert_sent_in_channel(fx, 0x4000, "x");
  fixture_free(fx);
}

static void refused_channel_leaves_the_permission(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  permit(fx, PEER, true);
  assert_refused(fx, reply_error(fx, 508, "No channels", true), 508);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_SENT);
  take_stun(fx, FLOE__STUN_INDICATION, FLOE__STUN_SEND);
  fixture_free(fx);
}

static void channel_is_permission_enough(void **state) {
  (void)state;
  floe_addr peer = addr_of(PEER);
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, true);
  assert_true(floe__turn_permit(&fx->turn, fx->now, &peer, false));
  assert_int_equal(fx->n_sent, 0);
  assert_int_equal(pass_ms(fx, 0), FLOE__TURN_STEP_PERMISSION);
  assert_true(fx->turn.granted);
  assert_int_equal(fx->turn.n_peers, 1);
  fixture_free(fx);
}

static void numbers_run_out(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  fx->turn.next_channel = FLOE__TURN_CHANNEL_MAX;
  permit(fx, PEER, true);
  assert_u32(&fx->msg, FLOE__STUN_CHANNEL_NUMBER, 0x4FFF0000);
  assert_int_equal(reply_success(fx), FLOE__TURN_STEP_PERMISSION);
  floe_addr other = addr_of(OTHER_PEER);
  assert_false(floe__turn_permit(&fx->turn, fx->now, &other, true));
  assert_int_equal(fx->n_sent, 0);
  assert_int_equal(deliver_channel(fx, 0x4FFF, "last"), FLOE__TURN_STEP_DATA);
  permit_granted(fx, OTHER_PEER, false);
  fixture_free(fx);
}

static void without_memory_no_number_is_used_up(void **state) {
  (void)state;
  floe_addr peer = addr_of(PEER);
  for (uint64_t fail_at = 1; fail_at <= 2; fail_at++) {
    fixture *fx = fixture_live(udp, LIFETIME_S);
    fx->memory.fail_at = fx->memory.calls + fail_at;
    assert_false(floe__turn_permit(&fx->turn, fx->now, &peer, true));
    assert_int_equal(fx->turn.next_channel, FLOE__TURN_CHANNEL_MIN);
    fixture_free(fx);
  }
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(binds_and_needs_no_other_permission),
      T(each_peer_has_its_number),
      T(data_comes_through_bound_channels_only),
      T(numbers_that_are_no_channel),
      T(data_may_overtake_the_answer),
      T(refused_and_asked_again_keeps_its_number),
      T(is_not_answered),
      T(is_bound_again_before_its_permission_expires),
      T(refused_at_refresh_is_told_once),
      T(expired_unnoticed_is_not_sent_to),
      T(channel_is_added_to_a_permission),
      T(refused_channel_leaves_the_permission),
      T(channel_is_permission_enough),
      T(numbers_run_out),
      T(without_memory_no_number_is_used_up),
  };
#undef T
  return cmocka_run_group_tests_name("turn/channel", tests, NULL, NULL);
}
