#include "turn/permission.h"

#include <stdio.h>

#include "fixture.h"

static const floe__turn_config udp = {.relay_family = FLOE_RELAY_FAMILY_IPV4};
static const floe__turn_config tcp = {.relay_family = FLOE_RELAY_FAMILY_IPV4, .reliable = true};

#define PEER       "192.0.2.1:1000"
#define OTHER_PORT "192.0.2.1:2000"
#define OTHER_PEER "192.0.2.2:1000"
/* An hour, so that the allocation's own refresh does not come between. */
#define LIFETIME_S 3600

static void assert_granted(const fixture *fx, floe__turn_step step, const char *peer) {
  assert_int_equal(step, FLOE__TURN_STEP_PERMISSION);
  assert_true(fx->turn.granted);
  assert_addr(&fx->turn.peer, peer);
}

static void assert_refused(const fixture *fx, floe__turn_step step, const char *peer, unsigned code) {
  assert_int_equal(step, FLOE__TURN_STEP_PERMISSION);
  assert_false(fx->turn.granted);
  assert_addr(&fx->turn.peer, peer);
  assert_int_equal(fx->turn.outcome.cause, FLOE_CAUSE_PERMISSION_FAILED);
  assert_int_equal(fx->turn.outcome.code, code);
  assert_int_equal(fx->turn.error_phase, FLOE_PHASE_PERMISSION);
  assert_int_equal(fx->turn.state, FLOE__TURN_LIVE);
}

static void assert_no_step(fixture *fx, uint64_t ms) {
  assert_int_equal(pass_ms(fx, ms), FLOE__TURN_STEP_NONE);
}

/* --- asking ----------------------------------------------------------------------------------------------------- */

static void is_granted(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_NOT_PERMITTED);
  permit(fx, PEER, false);
  floe_addr asked;
  assert_true(floe__stun_get_xor_addr(&fx->msg, FLOE__STUN_XOR_PEER_ADDRESS, &asked));
  assert_addr(&asked, PEER);
  assert_false(floe__stun_has(&fx->msg, FLOE__STUN_CHANNEL_NUMBER));
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_NOT_PERMITTED);
  assert_granted(fx, reply_success(fx), PEER);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_SENT);
  fixture_free(fx);
}

static void ipv6_peer(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit(fx, "[2001:db8::7]:7000", false);
  assert_refused(fx, reply_error(fx, 443, "Peer Address Family Mismatch", true), "[2001:db8::7]:7000", 443);
  fixture_free(fx);
}

static void permission_is_for_every_port_of_the_address(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  assert_int_equal(send_text(fx, OTHER_PORT, "x"), FLOE__TURN_SENT);
  assert_int_equal(send_text(fx, OTHER_PEER, "x"), FLOE__TURN_NOT_PERMITTED);
  fixture_free(fx);
}

static void each_address_asked_for_is_told(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  permit_granted(fx, OTHER_PORT, false);
  permit_granted(fx, OTHER_PEER, false);
  fixture_free(fx);
}

static void answers_come_in_any_order(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit(fx, PEER, false);
  uint8_t first_id[FLOE__STUN_TXN_ID];
  memcpy(first_id, fx->msg.txn_id, sizeof first_id);
  permit(fx, OTHER_PEER, false);
  assert_granted(fx, reply_success(fx), OTHER_PEER);
  floe__stun_begin(&fx->b, fx->reply, sizeof fx->reply, FLOE__STUN_SUCCESS, FLOE__STUN_CREATE_PERMISSION, first_id);
  assert_granted(fx, end_reply(fx, true), PEER);
  fixture_free(fx);
}

static void asked_twice_while_open_is_told_once(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  floe_addr peer = addr_of(PEER);
  permit(fx, PEER, false);
  assert_true(floe__turn_permit(&fx->turn, fx->now, &peer, false));
  assert_int_equal(fx->n_sent, 0);
  assert_granted(fx, reply_success(fx), PEER);
  assert_no_step(fx, 1000);
  fixture_free(fx);
}

static void asked_again_is_told_again(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  floe_addr peer = addr_of(PEER);
  permit_granted(fx, PEER, false);
  fx->now += FLOE_SECOND;
  assert_true(floe__turn_permit(&fx->turn, fx->now, &peer, false));
  assert_int_equal(fx->n_sent, 0);
  floe__deadline d = floe__turn_deadline(&fx->turn);
  assert_true(d.at == fx->now);
  assert_string_equal(d.reason, "turn.permission.answer");
  assert_granted(fx, floe__turn_on_deadline(&fx->turn, fx->now), PEER);
  assert_true(floe__turn_deadline(&fx->turn).at > fx->now);
  fixture_free(fx);
}

static void only_a_live_allocation_permits(void **state) {
  (void)state;
  floe_addr peer = addr_of(PEER), nobody = {0};
  fixture *fx = fixture_challenged(udp);
  assert_false(floe__turn_permit(&fx->turn, fx->now, &peer, false));
  assert_int_equal(reply_allocated(fx, LIFETIME_S), FLOE__TURN_STEP_ALLOCATED);
  assert_false(floe__turn_permit(&fx->turn, fx->now, &nobody, false));
  floe__turn_delete(&fx->turn, fx->now);
  assert_false(floe__turn_permit(&fx->turn, fx->now, &peer, false));
  fixture_free(fx);
}

static void without_memory_nothing_is_asked(void **state) {
  (void)state;
  floe_addr peer = addr_of(PEER);
  for (uint64_t fail_at = 1; fail_at <= 2; fail_at++) {
    fixture *fx = fixture_live(udp, LIFETIME_S);
    fx->memory.fail_at = fx->memory.calls + fail_at;
    assert_false(floe__turn_permit(&fx->turn, fx->now, &peer, false));
    assert_int_equal(fx->n_sent, 0);
    permit_granted(fx, PEER, false);
    fixture_free(fx);
  }
}

/* --- refusal ---------------------------------------------------------------------------------------------------- */

static void is_refused(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit(fx, PEER, false);
  assert_refused(fx, reply_error(fx, 403, "Forbidden IP", true), PEER, 403);
  assert_string_equal(fx->turn.outcome.error.reason, "Forbidden IP");
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_NOT_PERMITTED);
  assert_no_step(fx, 1000000);
  assert_int_equal(fx->n_sent, 0);
  fixture_free(fx);
}

static void refused_and_asked_again(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit(fx, PEER, false);
  assert_refused(fx, reply_error(fx, 508, "Full", true), PEER, 508);
  permit_granted(fx, PEER, false);
  assert_int_equal(fx->turn.n_peers, 1);
  fixture_free(fx);
}

static void is_not_answered(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  floe_time start = fx->now;
  permit(fx, PEER, false);
  assert_refused(fx, pass_ms(fx, 60000), PEER, 0);
  assert_true(fx->now == start + 5 * FLOE_SECOND);
  assert_int_equal(fx->n_sent, 3);
  fixture_free(fx);
}

static void broken_answer(void **state) {
  (void)state;
  fixture *fx = fixture_live(tcp, LIFETIME_S);
  permit(fx, PEER, false);
  begin_reply(fx, FLOE__STUN_SUCCESS);
  assert_refused(fx, end_reply(fx, false), PEER, 0);
  fixture_free(fx);
}

static void unsigned_answer_is_discarded(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit(fx, PEER, false);
  begin_reply(fx, FLOE__STUN_SUCCESS);
  assert_int_equal(end_reply(fx, false), FLOE__TURN_STEP_DISCARDED);
  assert_int_equal(fx->turn.discard_cause, FLOE_CAUSE_BAD_INTEGRITY);
  assert_granted(fx, reply_success(fx), PEER);
  fixture_free(fx);
}

static void no_such_allocation_is_looked_into(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit(fx, PEER, false);
  assert_refused(fx, reply_error(fx, 437, "Mismatch", true), PEER, 437);
  assert_no_step(fx, 0);
  take_signed(fx, FLOE__STUN_REFRESH);
  assert_int_equal(reply_error(fx, 437, "Mismatch", true), FLOE__TURN_STEP_LOST);
  assert_int_equal(fx->turn.outcome.cause, FLOE_CAUSE_ALLOCATION_EXPIRED);
  fixture_free(fx);
}

/* --- refreshing ------------------------------------------------------------------------------------------------- */

static void is_refreshed_for_hours(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, 6 * 3600);
  permit_granted(fx, PEER, false);
  floe_time start = fx->now;
  for (uint64_t i = 1; i <= 80; i++) { /* 80 * 240 s = 5 h 20 min */
    assert_no_step(fx, 239999);
    assert_int_equal(fx->n_sent, 0);
    assert_no_step(fx, 1);
    take_signed(fx, FLOE__STUN_CREATE_PERMISSION);
    assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_SENT);
    forget_sent(fx);
    assert_int_equal(reply_success(fx), FLOE__TURN_STEP_NONE);
    assert_true(fx->now == start + i * 240 * FLOE_SECOND);
  }
  fixture_free(fx);
}

static void refused_at_refresh_is_told_once(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  assert_no_step(fx, 240000);
  take_signed(fx, FLOE__STUN_CREATE_PERMISSION);
  assert_refused(fx, reply_error(fx, 403, "Forbidden", true), PEER, 403);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_NOT_PERMITTED);
  assert_no_step(fx, 1000000);
  fixture_free(fx);
}

static void refresh_is_tried_until_the_permission_expires(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  floe_time start = fx->now;
  assert_no_step(fx, 299999);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_SENT);
  forget_sent(fx);
  assert_refused(fx, pass_ms(fx, 60000), PEER, 0);
  assert_true(fx->now == start + 300 * FLOE_SECOND);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_NOT_PERMITTED);
  fixture_free(fx);
}

static void later_refresh_is_answered(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  assert_no_step(fx, 272000);
  while (fx->n_sent > 1) take_sent(fx);
  take_signed(fx, FLOE__STUN_CREATE_PERMISSION);
  assert_int_equal(reply_success(fx), FLOE__TURN_STEP_NONE);
  assert_no_step(fx, 239000);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_SENT);
  fixture_free(fx);
}

static void expired_unnoticed_is_not_sent_to(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  fx->now += 300 * FLOE_SECOND;
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_NOT_PERMITTED);
  assert_no_step(fx, 0); /* asks for it again */
  take_signed(fx, FLOE__STUN_CREATE_PERMISSION);
  assert_int_equal(reply_success(fx), FLOE__TURN_STEP_NONE);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_SENT);
  fixture_free(fx);
}

static void asked_again_while_refreshing(void **state) {
  (void)state;
  floe_addr peer = addr_of(PEER);
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  assert_no_step(fx, 240000);
  take_signed(fx, FLOE__STUN_CREATE_PERMISSION);
  assert_true(floe__turn_permit(&fx->turn, fx->now, &peer, false));
  assert_granted(fx, pass_ms(fx, 0), PEER);
  assert_int_equal(reply_success(fx), FLOE__TURN_STEP_NONE);
  assert_no_step(fx, 1000);
  fixture_free(fx);
}

/* Twelve permissions are refreshed at once and all are signed with a nonce that has become stale: that is one stale
 * nonce and not twelve in a row. */
static void stale_nonce_of_many_at_once(void **state) {
  (void)state;
  enum { N = 12 };
  fixture *fx = fixture_live(udp, LIFETIME_S);
  for (unsigned i = 0; i < N; i++) {
    char peer[32];
    (void)snprintf(peer, sizeof peer, "192.0.2.%u:1000", i + 1);
    permit_granted(fx, peer, false);
  }
  assert_no_step(fx, 240000);
  assert_int_equal(fx->n_sent, N);
  fx->nonce = "nonce-2";
  for (unsigned i = 0; i < N; i++) {
    assert_int_equal(floe__stun_msg_parse(&fx->msg, take_sent(fx)), FLOE__STUN_OK);
    assert_int_equal(reply_challenge(fx, 438), FLOE__TURN_STEP_NONE);
  }
  assert_int_equal(fx->n_sent, N);
  for (unsigned i = 0; i < N; i++) {
    assert_int_equal(floe__stun_msg_parse(&fx->msg, take_sent(fx)), FLOE__STUN_OK);
    assert_int_equal(floe__stun_get(&fx->msg, FLOE__STUN_NONCE).len, 7);
    assert_int_equal(reply_success(fx), FLOE__TURN_STEP_NONE);
  }
  assert_no_step(fx, 1000);
  fixture_free(fx);
}

/* --- what comes from peers --------------------------------------------------------------------------------------- */

static void data_comes_from_permitted_peers_only(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  assert_int_equal(indicate_data(fx, PEER, "hello", 5), FLOE__TURN_STEP_DISCARDED);
  assert_int_equal(fx->turn.discard_cause, FLOE_CAUSE_NONE);
  permit_granted(fx, PEER, false);
  assert_int_equal(indicate_data(fx, PEER, "hello", 5), FLOE__TURN_STEP_DATA);
  assert_data(fx, PEER, "hello");
  assert_int_equal(indicate_data(fx, OTHER_PORT, "hello", 5), FLOE__TURN_STEP_DATA);
  assert_data(fx, OTHER_PORT, "hello");
  assert_int_equal(indicate_data(fx, OTHER_PEER, "hello", 5), FLOE__TURN_STEP_DISCARDED);
  fixture_free(fx);
}

static void data_may_overtake_the_answer(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit(fx, PEER, false);
  uint8_t id[FLOE__STUN_TXN_ID];
  memcpy(id, fx->msg.txn_id, sizeof id);
  assert_int_equal(indicate_data(fx, PEER, "early", 5), FLOE__TURN_STEP_DATA);
  floe__stun_begin(&fx->b, fx->reply, sizeof fx->reply, FLOE__STUN_ERROR, FLOE__STUN_CREATE_PERMISSION, id);
  floe__stun_put_error(&fx->b, 403, "Forbidden");
  assert_refused(fx, end_reply(fx, true), PEER, 403);
  assert_int_equal(indicate_data(fx, PEER, "late", 4), FLOE__TURN_STEP_DISCARDED);
  fixture_free(fx);
}

/* --- the end of the allocation ------------------------------------------------------------------------------------ */

static void delete_ends_permissions(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, LIFETIME_S);
  permit_granted(fx, PEER, false);
  permit(fx, OTHER_PEER, false);
  uint8_t id[FLOE__STUN_TXN_ID];
  memcpy(id, fx->msg.txn_id, sizeof id);
  floe__turn_delete(&fx->turn, fx->now);
  take_signed(fx, FLOE__STUN_REFRESH);
  assert_int_equal(send_text(fx, PEER, "x"), FLOE__TURN_NOT_PERMITTED);
  assert_int_equal(indicate_data(fx, PEER, "hello", 5), FLOE__TURN_STEP_DISCARDED);
  floe__stun_begin(&fx->b, fx->reply, sizeof fx->reply, FLOE__STUN_SUCCESS, FLOE__STUN_CREATE_PERMISSION, id);
  assert_int_equal(end_reply(fx, true), FLOE__TURN_STEP_DISCARDED);
  assert_int_equal(fx->turn.discard_cause, FLOE_CAUSE_NONE);
  assert_int_equal(reply_lifetime(fx, 0), FLOE__TURN_STEP_DELETED);
  assert_int_equal(fx->turn.n_peers, 0);
  fixture_free(fx);
}

static void loss_ends_permissions(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp, 100);
  permit_granted(fx, PEER, false);
  permit(fx, OTHER_PEER, false);
  assert_refused(fx, pass_ms(fx, 50000), OTHER_PEER, 0);
  assert_int_equal(pass_ms(fx, 100000), FLOE__TURN_STEP_LOST);
  assert_int_equal(fx->turn.n_peers, 0);
  assert_int_equal(indicate_data(fx, PEER, "hello", 5), FLOE__TURN_STEP_DISCARDED);
  fixture_free(fx);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(is_granted),
      T(ipv6_peer),
      T(permission_is_for_every_port_of_the_address),
      T(each_address_asked_for_is_told),
      T(answers_come_in_any_order),
      T(asked_twice_while_open_is_told_once),
      T(asked_again_is_told_again),
      T(only_a_live_allocation_permits),
      T(without_memory_nothing_is_asked),
      T(is_refused),
      T(refused_and_asked_again),
      T(is_not_answered),
      T(broken_answer),
      T(unsigned_answer_is_discarded),
      T(no_such_allocation_is_looked_into),
      T(is_refreshed_for_hours),
      T(refused_at_refresh_is_told_once),
      T(refresh_is_tried_until_the_permission_expires),
      T(later_refresh_is_answered),
      T(expired_unnoticed_is_not_sent_to),
      T(asked_again_while_refreshing),
      T(stale_nonce_of_many_at_once),
      T(data_comes_from_permitted_peers_only),
      T(data_may_overtake_the_answer),
      T(delete_ends_permissions),
      T(loss_ends_permissions),
  };
#undef T
  return cmocka_run_group_tests_name("turn/permission", tests, NULL, NULL);
}
