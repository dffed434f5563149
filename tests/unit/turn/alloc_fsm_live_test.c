/* The rest of alloc_fsm_test.c: an allocation that lives, and how it ends. */
#include <stdio.h>

#include "alloc_asserts.h"
#include "turn/alloc_fsm.h"

static const floe__turn_config udp_both = {.relay_family = FLOE_RELAY_FAMILY_BOTH};
static const floe__turn_config udp_ipv4 = {.relay_family = FLOE_RELAY_FAMILY_IPV4};
static const floe__turn_config tcp_ipv4 = {.relay_family = FLOE_RELAY_FAMILY_IPV4, .reliable = true};

/* --- Refresh ---------------------------------------------------------------------------------------------------- */

static void refresh_is_due_before_expiry(void **state) {
  (void)state;
  static const struct {
    uint32_t lifetime_s;
    uint64_t refresh_ms;
  } rows[] = {{600, 540000}, {3600, 3540000}, {121, 61000}, {120, 60000}, {119, 59500},
              {60, 30000},   {3, 1500},       {2, 1000},    {1, 500},     {UINT32_MAX, 4294967235000}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    fixture *fx = fixture_live(udp_ipv4, rows[i].lifetime_s);
    floe__deadline d = floe__turn_deadline(&fx->turn);
    assert_true(d.at == fx->now + rows[i].refresh_ms * FLOE_MS);
    assert_string_equal(d.reason, "turn.refresh");
    assert_int_equal(pass_until(fx, d.at - 1), FLOE__TURN_STEP_NONE);
    assert_int_equal(fx->n_sent, 0);
    assert_int_equal(pass_until(fx, d.at), FLOE__TURN_STEP_NONE);
    const floe__stun_msg *m = take_signed(fx, FLOE__STUN_REFRESH);
    assert_false(floe__stun_has(m, FLOE__STUN_LIFETIME));
    assert_false(floe__stun_has(m, FLOE__STUN_REQUESTED_TRANSPORT));
    assert_false(floe__stun_has(m, FLOE__STUN_REQUESTED_ADDRESS_FAMILY));
    fixture_free(fx);
  }
}

static void lives_for_hours(void **state) {
  (void)state;
  floe__turn_config cfg = udp_both;
  cfg.lifetime_s = 900;
  fixture *fx = fixture_live(cfg, 600);
  floe_time start = fx->now;
  unsigned refreshes = 0;
  while (fx->now < start + 6 * 3600 * FLOE_SECOND) {
    assert_int_equal(pass_until(fx, floe__turn_deadline(&fx->turn).at), FLOE__TURN_STEP_NONE);
    assert_u32(take_signed(fx, FLOE__STUN_REFRESH), FLOE__STUN_LIFETIME, 900);
    assert_int_equal(reply_lifetime(fx, 600), FLOE__TURN_STEP_NONE);
    assert_int_equal(fx->turn.state, FLOE__TURN_LIVE);
    refreshes++;
  }
  assert_int_equal(refreshes, 40); /* 21,600 s, one each 540 s */
  fixture_free(fx);
}

/* Live, and the Refresh is looked at. */
static fixture *fixture_refreshing(floe__turn_config cfg) {
  fixture *fx = fixture_live(cfg, 600);
  assert_int_equal(pass_ms(fx, 540000), FLOE__TURN_STEP_NONE);
  take_signed(fx, FLOE__STUN_REFRESH);
  return fx;
}

/* Asked at once whether it still lives; while that is open, and after its life, nothing more is asked. */
static void refresh_can_be_hurried(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp_ipv4, 600);
  assert_int_equal(pass_ms(fx, 1000), FLOE__TURN_STEP_NONE);
  assert_int_equal(fx->n_sent, 0);
  floe__turn_hurry(&fx->turn, fx->now);
  assert_int_equal(pass_until(fx, floe__turn_deadline(&fx->turn).at), FLOE__TURN_STEP_NONE);
  take_signed(fx, FLOE__STUN_REFRESH);
  floe__turn_hurry(&fx->turn, fx->now);
  assert_int_equal(pass_ms(fx, 100), FLOE__TURN_STEP_NONE);
  assert_int_equal(fx->n_sent, 0);
  assert_int_equal(reply_lifetime(fx, 600), FLOE__TURN_STEP_NONE);
  assert_true(floe__turn_deadline(&fx->turn).at == fx->now + 540 * FLOE_SECOND);
  floe__turn_delete(&fx->turn, fx->now);
  take_signed(fx, FLOE__STUN_REFRESH);
  floe__turn_hurry(&fx->turn, fx->now);
  assert_int_equal(fx->n_sent, 0);
  fixture_free(fx);
}

static void server_changes_the_lifetime(void **state) {
  (void)state;
  fixture *fx = fixture_refreshing(udp_ipv4);
  assert_int_equal(reply_lifetime(fx, 100), FLOE__TURN_STEP_NONE);
  assert_int_equal(fx->turn.lifetime_s, 100);
  assert_true(floe__turn_deadline(&fx->turn).at == fx->now + 50 * FLOE_SECOND);
  assert_true(fx->turn.expires_at == fx->now + 100 * FLOE_SECOND);
  fixture_free(fx);
}

static void nonce_is_stale_at_refresh(void **state) {
  (void)state;
  fixture *fx = fixture_refreshing(udp_ipv4);
  fx->nonce = "nonce-2";
  assert_int_equal(reply_challenge(fx, 438), FLOE__TURN_STEP_NONE);
  take_signed(fx, FLOE__STUN_REFRESH);
  assert_int_equal(reply_lifetime(fx, 600), FLOE__TURN_STEP_NONE);
  assert_true(floe__turn_deadline(&fx->turn).at == fx->now + 540 * FLOE_SECOND);
  fixture_free(fx);
}

static void credentials_are_rejected_at_refresh(void **state) {
  (void)state;
  fixture *fx = fixture_refreshing(udp_ipv4);
  assert_lost(fx, reply_challenge(fx, 401), FLOE_CAUSE_REFRESH_FAILED, 401);
  assert_string_equal(fx->turn.outcome.error.reason, "Unauthorized");
  fixture_free(fx);
}

static void server_forgot_the_allocation(void **state) {
  (void)state;
  fixture *fx = fixture_refreshing(udp_ipv4);
  assert_lost(fx, reply_error(fx, 437, "Mismatch", true), FLOE_CAUSE_ALLOCATION_EXPIRED, 437);
  assert_string_equal(fx->turn.outcome.error.reason, "Mismatch");
  fixture_free(fx);
}

static void server_refuses_the_refresh(void **state) {
  (void)state;
  static const unsigned codes[] = {300, 400, 403, 486, 500, 508};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    fixture *fx = fixture_refreshing(udp_ipv4);
    assert_lost(fx, reply_error(fx, codes[i], "No more", true), FLOE_CAUSE_REFRESH_FAILED, codes[i]);
    assert_string_equal(fx->turn.outcome.error.reason, "No more");
    fixture_free(fx);
  }
}

static void server_ends_the_allocation(void **state) {
  (void)state;
  fixture *fx = fixture_refreshing(udp_ipv4);
  assert_lost(fx, reply_lifetime(fx, 0), FLOE_CAUSE_ALLOCATION_EXPIRED, 0);
  fixture_free(fx);
}

static void refresh_without_lifetime(void **state) {
  (void)state;
  fixture *fx = fixture_refreshing(udp_ipv4);
  assert_lost(fx, reply_success(fx), FLOE_CAUSE_REFRESH_FAILED, 0);
  fixture_free(fx);
}

static void broken_answer_to_a_refresh(void **state) {
  (void)state;
  fixture *fx = fixture_refreshing(tcp_ipv4);
  floe__stun_put_u32(begin_reply(fx, FLOE__STUN_SUCCESS), FLOE__STUN_LIFETIME, 600);
  assert_lost(fx, end_reply(fx, false), FLOE_CAUSE_REFRESH_FAILED, 0);
  fixture_free(fx);
}

static void refresh_is_tried_until_the_allocation_expires(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp_ipv4, 600);
  floe_time start = fx->now;
  floe__turn_step step = pass_ms(fx, 3600000);
  assert_lost(fx, step, FLOE_CAUSE_REFRESH_FAILED, 0);
  assert_true(fx->now == start + 600 * FLOE_SECOND);
  assert_int_equal(fx->n_sent, 12 * 4); /* twelve transactions of 5 s, each sent four times */
  fixture_free(fx);
}

static void server_answers_a_later_refresh(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp_ipv4, 600);
  assert_int_equal(pass_ms(fx, 540000 + 52000), FLOE__TURN_STEP_NONE);
  while (fx->n_sent > 1) take_sent(fx);
  take_signed(fx, FLOE__STUN_REFRESH);
  assert_int_equal(reply_lifetime(fx, 600), FLOE__TURN_STEP_NONE);
  assert_true(fx->turn.expires_at == fx->now + 600 * FLOE_SECOND);
  fixture_free(fx);
}

static void nobody_looked_at_the_clock(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp_ipv4, 600);
  fx->now += 601 * FLOE_SECOND;
  assert_lost(fx, floe__turn_on_deadline(&fx->turn, fx->now), FLOE_CAUSE_ALLOCATION_EXPIRED, 0);
  fixture_free(fx);
}

/* --- the end ---------------------------------------------------------------------------------------------------- */

static fixture *fixture_deleting(void) {
  fixture *fx = fixture_live(udp_ipv4, 600);
  floe__turn_delete(&fx->turn, fx->now);
  assert_int_equal(fx->turn.state, FLOE__TURN_DELETING);
  assert_u32(take_signed(fx, FLOE__STUN_REFRESH), FLOE__STUN_LIFETIME, 0);
  return fx;
}

static void deletes(void **state) {
  (void)state;
  fixture *fx = fixture_deleting();
  assert_int_equal(reply_lifetime(fx, 0), FLOE__TURN_STEP_DELETED);
  assert_ended(fx);
  fixture_free(fx);
}

static void delete_is_refused(void **state) {
  (void)state;
  fixture *fx = fixture_deleting();
  assert_int_equal(reply_error(fx, 437, "Mismatch", true), FLOE__TURN_STEP_DELETED);
  assert_ended(fx);
  fixture_free(fx);
}

static void delete_is_not_answered(void **state) {
  (void)state;
  fixture *fx = fixture_deleting();
  floe_time start = fx->now;
  assert_int_equal(pass_ms(fx, 60000), FLOE__TURN_STEP_DELETED);
  assert_true(fx->now == start + 5 * FLOE_SECOND);
  assert_int_equal(fx->n_sent, 3);
  assert_ended(fx);
  fixture_free(fx);
}

static void delete_with_a_stale_nonce(void **state) {
  (void)state;
  fixture *fx = fixture_deleting();
  fx->nonce = "nonce-2";
  assert_int_equal(reply_challenge(fx, 438), FLOE__TURN_STEP_NONE);
  assert_u32(take_signed(fx, FLOE__STUN_REFRESH), FLOE__STUN_LIFETIME, 0);
  floe__turn_delete(&fx->turn, fx->now); /* it goes on */
  assert_int_equal(fx->n_sent, 0);
  assert_int_equal(reply_lifetime(fx, 0), FLOE__TURN_STEP_DELETED);
  fixture_free(fx);
}

static void delete_while_a_refresh_is_open(void **state) {
  (void)state;
  fixture *fx = fixture_refreshing(udp_ipv4);
  sent_message refresh = fx->current;
  fx->current = (sent_message){0};
  floe__turn_delete(&fx->turn, fx->now);
  assert_u32(take_signed(fx, FLOE__STUN_REFRESH), FLOE__STUN_LIFETIME, 0);
  floe__stun_msg m;
  assert_int_equal(floe__stun_msg_parse(&m, (floe_bytes){refresh.bytes, refresh.len}), FLOE__STUN_OK);
  floe__stun_begin(&fx->b, fx->reply, sizeof fx->reply, FLOE__STUN_SUCCESS, FLOE__STUN_REFRESH, m.txn_id);
  floe__stun_put_u32(&fx->b, FLOE__STUN_LIFETIME, 600);
  assert_discarded(fx, end_reply(fx, true), FLOE_CAUSE_NONE);
  assert_int_equal(fx->turn.state, FLOE__TURN_DELETING);
  free(refresh.bytes);
  assert_int_equal(reply_lifetime(fx, 0), FLOE__TURN_STEP_DELETED);
  fixture_free(fx);
}

static void delete_before_it_is_live(void **state) {
  (void)state;
  fixture *fx = fixture_new(udp_ipv4);
  floe__turn_delete(&fx->turn, fx->now);
  assert_ended(fx);
  fixture_free(fx);
  fx = fixture_challenged(udp_ipv4);
  floe__turn_delete(&fx->turn, fx->now);
  assert_ended(fx);
  (void)take_signed(fx, FLOE__STUN_REFRESH); /* the Allocate may yet succeed */
  assert_discarded(fx, reply_allocated(fx, 600), FLOE_CAUSE_NONE);
  fixture_free(fx);
}

static void abandons(void **state) {
  (void)state;
  fixture *fx = fixture_live(udp_ipv4, 600);
  permit_granted(fx, "192.0.2.1:1000", true);
  floe__turn_abandon(&fx->turn);
  assert_ended(fx);
  assert_int_equal(fx->n_sent, 0);
  assert_int_equal(fx->memory.live, 4); /* env, realm, nonce, key, and no peer */
  fixture_free(fx);
}

/* --- the trace ---------------------------------------------------------------------------------------------------- */

static char trace_lines[16384];

static void on_trace(void *user, const char *json, size_t len) {
  (void)user;
  size_t used = strlen(trace_lines);
  assert_true(used + len + 2 < sizeof trace_lines);
  memcpy(trace_lines + used, json, len);
  memcpy(trace_lines + used + len, "\n", 2);
}

/* The transition is in the trace, after those looked for before. */
static void assert_traced(const char **at, const char *event, const char *from, const char *to) {
  char fields[64];
  (void)snprintf(fields, sizeof fields, "\"from\":\"%s\",\"to\":\"%s\"", from, to);
  *at = strstr(*at, event);
  assert_non_null(*at);
  const char *line_end = strchr(*at, '\n'), *found = strstr(*at, fields);
  assert_true(found != NULL && found < line_end);
  *at = line_end;
}

static void transitions_are_traced(void **state) {
  (void)state;
  trace_lines[0] = '\0';
  fixture *fx = fixture_new(udp_ipv4);
  fx->memory.env->cfg.trace = on_trace;
  floe__turn_start(&fx->turn, fx->now);
  take_unsigned(fx, FLOE__STUN_ALLOCATE);
  reply_challenge(fx, 401);
  take_signed(fx, FLOE__STUN_ALLOCATE);
  reply_allocated(fx, 600);
  permit_granted(fx, "192.0.2.1:1000", false);
  pass_ms(fx, 240000);
  take_signed(fx, FLOE__STUN_CREATE_PERMISSION);
  reply_error(fx, 403, "Forbidden", true);
  permit(fx, "192.0.2.1:1000", false);
  floe__turn_delete(&fx->turn, fx->now);
  take_signed(fx, FLOE__STUN_REFRESH);
  reply_lifetime(fx, 0);
  const char *at = trace_lines;
  assert_traced(&at, "turn.allocation.state", "idle", "allocating");
  assert_traced(&at, "turn.allocation.state", "allocating", "live");
  assert_traced(&at, "turn.permission.state", "new", "asking");
  assert_traced(&at, "turn.permission.state", "asking", "granted");
  assert_traced(&at, "turn.permission.state", "granted", "refreshing");
  assert_traced(&at, "turn.permission.state", "refreshing", "refused");
  assert_traced(&at, "turn.permission.state", "refused", "asking");
  assert_traced(&at, "turn.allocation.state", "live", "deleting");
  assert_traced(&at, "turn.permission.state", "asking", "refused");
  assert_traced(&at, "turn.allocation.state", "deleting", "ended");
  assert_null(strstr(trace_lines, CREDENTIAL));
  assert_null(strstr(trace_lines, USERNAME "\""));
  assert_null(strstr(trace_lines, "192.0.2.1"));
  fixture_free(fx);
}

/* --- memory runs out -------------------------------------------------------------------------------------------- */

typedef struct failing {
  fixture *fx;
  bool permitted, told, lost;
} failing;

/* Answers as a server does until nothing is sent any more. */
static void serve(failing *f) {
  fixture *fx = f->fx;
  while (fx->n_sent > 0) {
    assert_int_equal(floe__stun_msg_parse(&fx->msg, take_sent(fx)), FLOE__STUN_OK);
    if (fx->msg.cls != FLOE__STUN_REQUEST) continue;
    floe__turn_step step;
    if (!floe__stun_has(&fx->msg, FLOE__STUN_MESSAGE_INTEGRITY)) {
      step = reply_challenge(fx, 401);
    } else if (fx->msg.method == FLOE__STUN_ALLOCATE) {
      put_allocated(begin_reply(fx, FLOE__STUN_SUCCESS), 600);
      floe__stun_put_text(&fx->b, FLOE__STUN_SOFTWARE, "server");
      step = end_reply(fx, true);
    } else if (fx->msg.method == FLOE__STUN_REFRESH) {
      step = reply_lifetime(fx, fx->turn.state == FLOE__TURN_DELETING ? 0 : 600);
    } else {
      step = reply_success(fx);
    }
    if (step == FLOE__TURN_STEP_PERMISSION) f->told = true;
    if (step == FLOE__TURN_STEP_LOST) f->lost = true;
  }
}

static void run_through(failing *f) {
  fixture *fx = f->fx;
  floe_addr peer = addr_of("192.0.2.1:1000");
  static const uint8_t large[4000];
  floe__turn_start(&fx->turn, fx->now);
  serve(f);
  if (fx->turn.state != FLOE__TURN_LIVE) return;
  f->permitted = floe__turn_permit(&fx->turn, fx->now, &peer, true);
  serve(f);
  assert_true(f->told == f->permitted);
  floe__turn_send sent = floe__turn_send_data(&fx->turn, fx->now, &peer, (floe_bytes){large, sizeof large});
  if (f->permitted) assert_true(sent == FLOE__TURN_SENT || sent == FLOE__TURN_SEND_NOMEM);
  forget_sent(fx);
  for (int i = 0; i < 10 && fx->turn.state == FLOE__TURN_LIVE; i++) {
    pass_until(fx, floe__turn_deadline(&fx->turn).at);
    serve(f);
  }
  floe__turn_delete(&fx->turn, fx->now);
  fx->nonce = "nonce-2";
  if (fx->n_sent > 0) {
    assert_int_equal(floe__stun_msg_parse(&fx->msg, take_sent(fx)), FLOE__STUN_OK);
    reply_challenge(fx, 438);
  }
  serve(f);
}

static void memory_fails_at_each_call(void **state) {
  (void)state;
  uint64_t calls = 0;
  for (uint64_t fail_at = 0; fail_at <= calls + 2; fail_at++) {
    failing f = {.fx = fixture_new(udp_both)};
    uint64_t before = f.fx->memory.calls;
    f.fx->memory.fail_at = fail_at == 0 ? 0 : before + fail_at;
    run_through(&f);
    assert_int_equal(f.fx->turn.state, FLOE__TURN_ENDED);
    assert_false(f.lost);
    if (fail_at == 0) {
      assert_true(f.permitted);
      calls = f.fx->memory.calls - before;
      assert_true(calls >= 8);
    }
    fixture_free(f.fx); /* finds leaks */
  }
}

static void without_memory_the_challenge_cannot_be_taken(void **state) {
  (void)state;
  fixture *fx = fixture_started(udp_both);
  take_unsigned(fx, FLOE__STUN_ALLOCATE);
  fx->memory.fail_at = fx->memory.calls + 1;
  assert_failed(fx, reply_challenge(fx, 401), FLOE_CAUSE_SOCKET_FAILED, 0);
  fixture_free(fx);
}

static void without_memory_a_refresh_waits(void **state) {
  (void)state;
  fixture *fx = fixture_refreshing(udp_ipv4);
  fx->nonce = "nonce-2";
  fx->memory.fail_at = fx->memory.calls + 1;
  assert_int_equal(reply_challenge(fx, 438), FLOE__TURN_STEP_NONE);
  assert_int_equal(fx->turn.state, FLOE__TURN_LIVE);
  assert_int_equal(pass_ms(fx, 999), FLOE__TURN_STEP_NONE);
  assert_int_equal(fx->n_sent, 0);
  assert_int_equal(pass_ms(fx, 1), FLOE__TURN_STEP_NONE);
  take_unsigned(fx, FLOE__STUN_REFRESH); /* what was known of the server is gone */
  assert_int_equal(reply_challenge(fx, 401), FLOE__TURN_STEP_NONE);
  take_signed(fx, FLOE__STUN_REFRESH);
  assert_int_equal(reply_lifetime(fx, 600), FLOE__TURN_STEP_NONE);
  fixture_free(fx);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(refresh_is_due_before_expiry),
      T(refresh_can_be_hurried),
      T(lives_for_hours),
      T(server_changes_the_lifetime),
      T(nonce_is_stale_at_refresh),
      T(credentials_are_rejected_at_refresh),
      T(server_forgot_the_allocation),
      T(server_refuses_the_refresh),
      T(server_ends_the_allocation),
      T(refresh_without_lifetime),
      T(broken_answer_to_a_refresh),
      T(refresh_is_tried_until_the_allocation_expires),
      T(server_answers_a_later_refresh),
      T(nobody_looked_at_the_clock),
      T(deletes),
      T(delete_is_refused),
      T(delete_is_not_answered),
      T(delete_with_a_stale_nonce),
      T(delete_while_a_refresh_is_open),
      T(delete_before_it_is_live),
      T(abandons),
      T(transitions_are_traced),
      T(memory_fails_at_each_call),
      T(without_memory_the_challenge_cannot_be_taken),
      T(without_memory_a_refresh_waits),
  };
#undef T
  return cmocka_run_group_tests_name("turn/alloc_fsm, live", tests, NULL, NULL);
}
