/* The judgement of responses: authentication, integrity, fingerprint, malformed ones. */
#include "request_fixture.h"

/* --- authentication
 * ------------------------------------------------------------------------------------------------------ */

static void a_challenge_is_answered_at_once(void **state) {
  fixture *f = *state;
  start(f);
  uint8_t first_id[FLOE__STUN_TXN_ID];
  memcpy(first_id, f->req.txn.id, sizeof first_id);
  respond_error(f, 401, "");
  put_challenge(f, "n0");
  assert_int_equal(deliver_at(f, MS(20), NULL), FLOE__STUN_PENDING);
  assert_int_equal(f->n_sent, 2);
  assert_int_equal(f->req.sent, 2);
  assert_memory_not_equal(f->req.txn.id, first_id, sizeof first_id); /* a new transaction */
  assert_true(floe__stun_request_deadline(&f->req) == MS(520));
  assert_true(f->req.rtt_ms == 20.0);
  floe__stun_msg m = last_sent(f);
  assert_true(floe__stun_auth_verify(&f->auth, &m));
  assert_int_equal(floe__stun_check_fingerprint(&m), FLOE__STUN_CHECK_OK);
  floe__stun_msg late = parse_ok(floe__stun_end(&f->b)); /* the 401 once more */
  assert_false(floe__stun_request_is_mine(&f->req, &late));
  assert_true(floe__stun_request_was_mine(&f->req, &late));
  respond(f, FLOE__STUN_SUCCESS);
  assert_int_equal(deliver_signed(f), FLOE__STUN_RESULT_SUCCESS);
}

static void malformed_challenge(void **state) {
  fixture *f = *state;
  start(f);
  respond_error(f, 401, "Unauthorized");
  floe__stun_put_text(&f->b, FLOE__STUN_REALM, "realm");
  assert_int_equal(deliver(f), FLOE__STUN_RESULT_ERROR);
  assert_outcome(f, FLOE_CAUSE_MALFORMED_CHALLENGE, 401, "Unauthorized");
  assert_over(f);
  assert_int_equal(f->n_sent, 1);
}

static void credentials_missing(void **state) {
  fixture *f = *state;
  for (int with_auth = 0; with_auth <= 1; with_auth++) {
    floe__stun_auth_init(&f->auth, f->bed.env, NULL, NULL);
    f->req.auth = with_auth == 1 ? &f->auth : NULL;
    start(f);
    respond_error(f, 401, "");
    put_challenge(f, "n0");
    assert_int_equal(deliver(f), FLOE__STUN_RESULT_ERROR);
    assert_outcome(f, FLOE_CAUSE_AUTH_REQUIRED, 401, "Unauthenticated");
    start(f);
    respond_error(f, 438, "");
    put_challenge(f, "n0");
    assert_int_equal(deliver(f), FLOE__STUN_RESULT_ERROR);
    assert_outcome(f, FLOE_CAUSE_STALE_NONCE_LOOP, 438, "Stale Nonce");
    assert_over(f);
  }
}

static void rejected(void **state) {
  fixture *f = *state;
  start_authenticated(f);
  respond_error(f, 401, "");
  put_challenge(f, "n1"); /* a 401 needs no integrity */
  assert_int_equal(deliver(f), FLOE__STUN_RESULT_ERROR);
  assert_outcome(f, FLOE_CAUSE_AUTH_REJECTED, 401, "Unauthenticated");
  assert_int_equal(f->n_sent, 2);
  assert_over(f);
}

static void expired(void **state) {
  fixture *f = *state;
  int64_t unix_ms = 1700000100000;
  f->auth.username = "1700000000:bob";
  start_authenticated(f);
  respond_error(f, 401, "");
  put_challenge(f, "n1");
  assert_int_equal(deliver_at(f, MS(10), &unix_ms), FLOE__STUN_RESULT_ERROR);
  assert_outcome(f, FLOE_CAUSE_AUTH_EXPIRED, 401, "Unauthenticated");
}

static void stale_nonce_three_times_then_it_stands(void **state) {
  fixture *f = *state;
  start_authenticated(f);
  static const char *const nonces[] = {"n1", "n2", "n3"};
  for (size_t i = 0; i < 3; i++) {
    respond_error(f, 438, "");
    put_challenge(f, nonces[i]);
    assert_int_equal(deliver(f), FLOE__STUN_PENDING);
    assert_int_equal(f->n_sent, 3 + i);
    floe__stun_msg m = last_sent(f);
    assert_bytes(floe__stun_get(&m, FLOE__STUN_NONCE), nonces[i], 2);
  }
  respond_error(f, 438, "Wrong nonce");
  put_challenge(f, "n4");
  assert_int_equal(deliver(f), FLOE__STUN_RESULT_ERROR);
  assert_outcome(f, FLOE_CAUSE_STALE_NONCE_LOOP, 438, "Wrong nonce");
  assert_int_equal(f->n_sent, 5);
  assert_over(f);
}

static void an_accepted_answer_ends_the_row(void **state) {
  fixture *f = *state;
  start_authenticated(f);
  for (size_t i = 0; i < 3; i++) {
    respond_error(f, 438, "");
    put_challenge(f, "next");
    assert_int_equal(deliver(f), FLOE__STUN_PENDING);
  }
  respond(f, FLOE__STUN_SUCCESS);
  assert_int_equal(deliver(f), FLOE__STUN_PENDING); /* not one that is not signed */
  assert_int_equal(f->auth.stale_in_a_row, 3);
  respond(f, FLOE__STUN_SUCCESS);
  assert_int_equal(deliver_signed(f), FLOE__STUN_RESULT_SUCCESS);
  assert_int_equal(f->auth.stale_in_a_row, 0);
}

/* Five requests signed with the same nonce: its 438s are one in a row, not five, and all take the first new nonce. */
static void side_by_side(void **state) {
  fixture *f = *state;
  start_authenticated(f);
  respond(f, FLOE__STUN_SUCCESS);
  assert_int_equal(deliver_signed(f), FLOE__STUN_RESULT_SUCCESS);
  floe__stun_request reqs[5];
  for (size_t i = 0; i < 5; i++) {
    floe__stun_request_init(&reqs[i], f->bed.env, &ops, f, &timing, FLOE__STUN_CREATE_PERMISSION, false);
    reqs[i].auth = &f->auth;
    floe__stun_request_start(&reqs[i], 0);
  }
  static const char *const nonces[] = {"m0", "m1", "m2", "m3", "m4"};
  for (size_t i = 0; i < 5; i++) {
    floe__stun_begin(&f->b, f->buf, sizeof f->buf, FLOE__STUN_ERROR, FLOE__STUN_CREATE_PERMISSION, reqs[i].txn.id);
    floe__stun_put_error(&f->b, 438, "");
    put_challenge(f, nonces[i]);
    floe__stun_msg m = parse_ok(floe__stun_end(&f->b));
    assert_int_equal(floe__stun_request_on_response(&reqs[i], MS(10), &m, FLOE__STUN_OK, NULL, &f->out),
                     FLOE__STUN_PENDING);
    assert_int_equal(f->auth.stale_in_a_row, 1);
    m = last_sent(f);
    assert_bytes(floe__stun_get(&m, FLOE__STUN_NONCE), "m0", 2);
  }
  for (size_t i = 0; i < 5; i++) floe__stun_request_clear(&reqs[i]);
}

static void without_memory(void **state) {
  fixture *f = *state;
  start(f);
  f->bed.fail_at = f->bed.calls + 1;
  respond_error(f, 401, "");
  put_challenge(f, "n0");
  assert_int_equal(deliver(f), FLOE__STUN_RESULT_NOMEM);
  assert_over(f);
}

/* --- integrity and fingerprint
 * ------------------------------------------------------------------------------------------- */

typedef enum seal { UNSIGNED, WRONG_KEY, SHA256_INSTEAD, GOOD } seal;

static void put_seal(fixture *f, seal how) {
  floe__stun_key wrong;
  switch (how) {
    case UNSIGNED: return;
    case WRONG_KEY:
      floe__stun_key_init(&wrong, "wrong", 5);
      floe__stun_put_integrity(&f->b, &wrong);
      return;
    case SHA256_INSTEAD: floe__stun_put_integrity_sha256(&f->b, f->auth.key); return;
    case GOOD: floe__stun_put_integrity(&f->b, f->auth.key); return;
  }
}

/* To a signed request: code 0 is a success. */
static void integrity(void **state) {
  static const struct {
    unsigned code;
    seal seal;
    floe__stun_result udp;
    floe_cause stream; /* of BROKEN over a stream; NONE: the result is that over UDP */
  } rows[] = {
      {0, GOOD, FLOE__STUN_RESULT_SUCCESS, FLOE_CAUSE_NONE},
      {0, UNSIGNED, FLOE__STUN_PENDING, FLOE_CAUSE_BAD_INTEGRITY},
      {0, WRONG_KEY, FLOE__STUN_PENDING, FLOE_CAUSE_BAD_INTEGRITY},
      {0, SHA256_INSTEAD, FLOE__STUN_PENDING, FLOE_CAUSE_BAD_INTEGRITY},
      {300, UNSIGNED, FLOE__STUN_PENDING, FLOE_CAUSE_BAD_INTEGRITY},
      {300, WRONG_KEY, FLOE__STUN_PENDING, FLOE_CAUSE_BAD_INTEGRITY},
      {400, UNSIGNED, FLOE__STUN_RESULT_ERROR, FLOE_CAUSE_NONE},
      {400, WRONG_KEY, FLOE__STUN_RESULT_ERROR, FLOE_CAUSE_NONE},
      {401, UNSIGNED, FLOE__STUN_RESULT_ERROR, FLOE_CAUSE_NONE},
      {401, WRONG_KEY, FLOE__STUN_RESULT_ERROR, FLOE_CAUSE_NONE},
      {403, UNSIGNED, FLOE__STUN_PENDING, FLOE_CAUSE_BAD_INTEGRITY},
      {403, WRONG_KEY, FLOE__STUN_PENDING, FLOE_CAUSE_BAD_INTEGRITY},
      {403, GOOD, FLOE__STUN_RESULT_ERROR, FLOE_CAUSE_NONE},
      {420, UNSIGNED, FLOE__STUN_PENDING, FLOE_CAUSE_BAD_INTEGRITY},
      {437, UNSIGNED, FLOE__STUN_PENDING, FLOE_CAUSE_BAD_INTEGRITY},
      {437, GOOD, FLOE__STUN_RESULT_MISMATCH, FLOE_CAUSE_NONE},
      {438, UNSIGNED, FLOE__STUN_RESULT_ERROR, FLOE_CAUSE_NONE}, /* without a nonce: it stands */
      {486, UNSIGNED, FLOE__STUN_PENDING, FLOE_CAUSE_BAD_INTEGRITY},
      {500, SHA256_INSTEAD, FLOE__STUN_PENDING, FLOE_CAUSE_BAD_INTEGRITY},
      {508, GOOD, FLOE__STUN_RESULT_ERROR, FLOE_CAUSE_NONE},
  };
  fixture *f = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    for (int reliable = 0; reliable <= 1; reliable++) {
      floe__stun_auth_reset(&f->auth);
      init_request(f, FLOE__STUN_ALLOCATE, reliable == 1);
      start_authenticated(f);
      respond(f, rows[i].code == 0 ? FLOE__STUN_SUCCESS : FLOE__STUN_ERROR);
      if (rows[i].code != 0) floe__stun_put_error(&f->b, rows[i].code, "");
      put_seal(f, rows[i].seal);
      bool is_broken = reliable == 1 && rows[i].stream != FLOE_CAUSE_NONE;
      assert_int_equal(deliver(f), is_broken ? FLOE__STUN_RESULT_BROKEN : rows[i].udp);
      if (is_broken) assert_outcome(f, rows[i].stream, 0, NULL);
      bool is_discarded = rows[i].udp == FLOE__STUN_PENDING;
      assert_int_equal(f->req.discarded, is_discarded ? 1 : 0);
      assert_int_equal(f->req.first_discard, is_discarded ? FLOE_CAUSE_BAD_INTEGRITY : FLOE_CAUSE_NONE);
      assert_int_equal(floe__stun_request_is_open(&f->req), is_discarded && !is_broken);
      assert_true(f->req.answered);
    }
  }
}

/* "As if it had never been received": retransmissions go on, and a better answer still counts. */
static void a_discard_is_no_answer(void **state) {
  fixture *f = *state;
  start_authenticated(f);
  floe_time deadline = floe__stun_request_deadline(&f->req);
  respond_error(f, 486, "");
  assert_int_equal(deliver(f), FLOE__STUN_PENDING);
  assert_true(floe__stun_request_deadline(&f->req) == deadline);
  assert_int_equal(floe__stun_request_on_deadline(&f->req, deadline, &f->out), FLOE__STUN_PENDING);
  assert_int_equal(f->n_sent, 3);
  respond(f, FLOE__STUN_SUCCESS);
  assert_int_equal(deliver_signed(f), FLOE__STUN_RESULT_SUCCESS);
}

static void the_time_out_tells_of_the_first_discard(void **state) {
  fixture *f = *state;
  start_authenticated(f);
  for (size_t i = 0; i < 3; i++) {
    respond(f, FLOE__STUN_SUCCESS);
    if (i > 0) floe__stun_put_u32(&f->b, FLOE__STUN_FINGERPRINT, 1);
    assert_int_equal(deliver(f), FLOE__STUN_PENDING);
  }
  assert_int_equal(f->req.discarded, 3);
  assert_int_equal(floe__stun_request_on_deadline(&f->req, MS(5010), &f->out), FLOE__STUN_RESULT_TIMEOUT);
  assert_outcome(f, FLOE_CAUSE_BAD_INTEGRITY, 0, NULL);
  start(f);
  assert_int_equal(f->req.first_discard, FLOE_CAUSE_NONE);
  assert_int_equal(f->req.discarded, 0);
  assert_false(f->req.answered);
}

static void before_authentication_integrity_is_not_asked_for(void **state) {
  fixture *f = *state;
  floe__stun_key wrong;
  floe__stun_key_init(&wrong, "wrong", 5);
  start(f);
  respond_error(f, 508, "");
  floe__stun_put_integrity(&f->b, &wrong);
  assert_int_equal(deliver(f), FLOE__STUN_RESULT_ERROR);
  f->req.auth = NULL;
  start(f);
  respond(f, FLOE__STUN_SUCCESS);
  floe__stun_put_integrity(&f->b, &wrong);
  assert_int_equal(deliver(f), FLOE__STUN_RESULT_SUCCESS);
}

static void fingerprint(void **state) {
  fixture *f = *state;
  for (int reliable = 0; reliable <= 1; reliable++) {
    init_request(f, FLOE__STUN_BINDING, reliable == 1);
    start(f);
    respond_error(f, 500, "");
    floe__stun_put_u32(&f->b, FLOE__STUN_FINGERPRINT, 0x12345678);
    assert_int_equal(deliver(f), FLOE__STUN_PENDING);
    assert_int_equal(f->req.first_discard, FLOE_CAUSE_BAD_FINGERPRINT);
    assert_false(f->req.answered);
    respond_error(f, 500, "");
    floe__stun_put_fingerprint(&f->b);
    assert_int_equal(deliver(f), FLOE__STUN_RESULT_ERROR);
    assert_outcome(f, FLOE_CAUSE_STUN_ERROR, 500, "Server Error");
  }
}

/* --- malformed
 * ------------------------------------------------------------------------------------------------------------ */

typedef void (*breaker)(fixture *f);

static void overrun(fixture *f) {
  respond(f, FLOE__STUN_SUCCESS);
  floe__stun_put_text(&f->b, FLOE__STUN_SOFTWARE, "abcd");
  f->buf[23] = 5;
}
static void overrun_in_an_error(fixture *f) {
  respond_error(f, 401, "");
  put_challenge(f, "n0");
  f->buf[f->b.w.len - 5] = 77; /* the nonce's length */
}
static void no_error_code(fixture *f) {
  respond(f, FLOE__STUN_ERROR);
}
static void short_error_code(fixture *f) {
  respond(f, FLOE__STUN_ERROR);
  floe__stun_put(&f->b, FLOE__STUN_ERROR_CODE, "\0\0\4", 3);
}
static void class_of_2(fixture *f) {
  respond(f, FLOE__STUN_ERROR);
  floe__stun_put(&f->b, FLOE__STUN_ERROR_CODE, "\0\0\2\1", 4);
}
static void class_of_7(fixture *f) {
  respond(f, FLOE__STUN_ERROR);
  floe__stun_put(&f->b, FLOE__STUN_ERROR_CODE, "\0\0\7\1", 4);
}
static void number_of_100(fixture *f) {
  respond(f, FLOE__STUN_ERROR);
  floe__stun_put(&f->b, FLOE__STUN_ERROR_CODE, "\0\0\4\144", 4);
}
static void unknown_attribute(fixture *f) {
  respond(f, FLOE__STUN_SUCCESS);
  floe__stun_put_raw(&f->b, 0x7FFF, "", 0);
}
static void unknown_attribute_in_an_error(fixture *f) {
  respond_error(f, 401, "");
  put_challenge(f, "n0");
  floe__stun_put_raw(&f->b, 0x0002, "", 0);
}
static void another_method(fixture *f) {
  floe__stun_begin(&f->b, f->buf, sizeof f->buf, FLOE__STUN_SUCCESS, FLOE__STUN_BINDING, f->req.txn.id);
}

static void malformed(void **state) {
  static const breaker rows[] = {overrun,          overrun_in_an_error, no_error_code,
                                 short_error_code, class_of_2,          class_of_7,
                                 number_of_100,    unknown_attribute,   unknown_attribute_in_an_error,
                                 another_method};
  fixture *f = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    for (int reliable = 0; reliable <= 1; reliable++) {
      init_request(f, FLOE__STUN_ALLOCATE, reliable == 1);
      start(f);
      rows[i](f);
      assert_int_equal(deliver(f), FLOE__STUN_RESULT_BROKEN);
      assert_outcome(f, FLOE_CAUSE_MALFORMED_RESPONSE, 0, NULL);
      assert_over(f);
      assert_int_equal(f->auth.state, FLOE__STUN_AUTH_NONE);
    }
  }
}

/* RFC 8489 6.3: authentication comes before unknown attributes; an error without a code is judged by nothing. */
static void malformed_and_unsigned(void **state) {
  fixture *f = *state;
  start_authenticated(f);
  unknown_attribute(f);
  assert_int_equal(deliver(f), FLOE__STUN_PENDING);
  assert_int_equal(f->req.first_discard, FLOE_CAUSE_BAD_INTEGRITY);
  unknown_attribute(f);
  assert_int_equal(deliver_signed(f), FLOE__STUN_RESULT_BROKEN);
  assert_outcome(f, FLOE_CAUSE_MALFORMED_RESPONSE, 0, NULL);
  start(f);
  assert_true(f->req.was_signed);
  no_error_code(f);
  assert_int_equal(deliver(f), FLOE__STUN_RESULT_BROKEN);
  assert_outcome(f, FLOE_CAUSE_MALFORMED_RESPONSE, 0, NULL);
}

/* "And a good FINGERPRINT, if any": a damaged message is discarded, whatever is wrong with it. */
static void malformed_and_damaged(void **state) {
  fixture *f = *state;
  static const breaker rows[] = {no_error_code, class_of_7, unknown_attribute, another_method};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    start(f);
    rows[i](f);
    floe__stun_put_u32(&f->b, FLOE__STUN_FINGERPRINT, 0x12345678);
    assert_int_equal(deliver(f), FLOE__STUN_PENDING);
    assert_int_equal(f->req.first_discard, FLOE_CAUSE_BAD_FINGERPRINT);
    rows[i](f);
    floe__stun_put_fingerprint(&f->b);
    assert_int_equal(deliver(f), FLOE__STUN_RESULT_BROKEN);
    assert_outcome(f, FLOE_CAUSE_MALFORMED_RESPONSE, 0, NULL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_challenge_is_answered_at_once),
      TEST(malformed_challenge),
      TEST(credentials_missing),
      TEST(rejected),
      TEST(expired),
      TEST(stale_nonce_three_times_then_it_stands),
      TEST(an_accepted_answer_ends_the_row),
      TEST(side_by_side),
      TEST(without_memory),
      TEST(integrity),
      TEST(a_discard_is_no_answer),
      TEST(the_time_out_tells_of_the_first_discard),
      TEST(before_authentication_integrity_is_not_asked_for),
      TEST(fingerprint),
      TEST(malformed),
      TEST(malformed_and_unsigned),
      TEST(malformed_and_damaged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
