#include "request_fixture.h"

/* --- what is sent ---------------------------------------------------------------------------------------------------
 */

static void first_request(void **state) {
  fixture *f = *state;
  f->req.software = "floe test";
  start(f);
  assert_int_equal(f->n_sent, 1);
  assert_int_equal(f->req.sent, 1);
  assert_true(floe__stun_request_is_open(&f->req));
  floe__stun_msg m = last_sent(f);
  assert_int_equal(m.cls, FLOE__STUN_REQUEST);
  assert_int_equal(m.method, FLOE__STUN_ALLOCATE);
  assert_memory_equal(m.txn_id, f->req.txn.id, FLOE__STUN_TXN_ID);
  assert_bytes(floe__stun_get(&m, FLOE__STUN_SOFTWARE), "floe test", 9);
  assert_true(floe__stun_has(&m, FLOE__STUN_REQUESTED_TRANSPORT));
  assert_true(floe__stun_has(&m, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY));
  assert_false(floe__stun_has(&m, FLOE__STUN_USERNAME));
  assert_false(floe__stun_has(&m, FLOE__STUN_MESSAGE_INTEGRITY));
  assert_int_equal(floe__stun_check_fingerprint(&m), FLOE__STUN_CHECK_OK);
}

static void software_that_is_too_long_is_left_out(void **state) {
  fixture *f = *state;
  char software[765];
  memset(software, 's', 764);
  software[764] = '\0';
  f->req.software = software;
  start(f);
  floe__stun_msg m = last_sent(f);
  assert_false(floe__stun_has(&m, FLOE__STUN_SOFTWARE));
  software[763] = '\0';
  start(f);
  m = last_sent(f);
  assert_int_equal(floe__stun_get(&m, FLOE__STUN_SOFTWARE).len, 763);
}

/* Everything at its longest still fits. */
static void longest_request(void **state) {
  fixture *f = *state;
  char text[764], username[509];
  memset(text, 't', 763);
  text[763] = '\0';
  memset(username, 'u', 508);
  username[508] = '\0';
  uint8_t algorithms[FLOE__STUN_ALGORITHMS_MAX] = {0, 2};
  f->req.software = text;
  f->auth.username = username;
  start(f);
  respond_error(f, 401, "");
  floe__stun_put_text(&f->b, FLOE__STUN_REALM, text);
  floe__stun_put_text(&f->b, FLOE__STUN_NONCE, text);
  floe__stun_put(&f->b, FLOE__STUN_PASSWORD_ALGORITHMS, algorithms, sizeof algorithms);
  assert_int_equal(deliver(f), FLOE__STUN_PENDING);
  floe__stun_msg m = last_sent(f);
  assert_true(f->auth.sha256);
  assert_true(floe__stun_auth_verify(&f->auth, &m));
  assert_true(m.packet.len > 3000);
}

static void retransmissions(void **state) {
  fixture *f = *state;
  start(f);
  uint8_t first[256];
  size_t first_len = f->sent_len;
  memcpy(first, f->sent, first_len);
  static const unsigned due[] = {500, 1500, 3500};
  for (size_t i = 0; i < 3; i++) {
    assert_true(floe__stun_request_deadline(&f->req) == MS(due[i]));
    assert_int_equal(floe__stun_request_on_deadline(&f->req, MS(due[i]), &f->out), FLOE__STUN_PENDING);
    assert_int_equal(f->n_sent, i + 2);
    assert_bytes((floe_bytes){f->sent, f->sent_len}, first, first_len);
  }
  assert_int_equal(floe__stun_request_on_deadline(&f->req, MS(4999), &f->out), FLOE__STUN_PENDING);
  assert_int_equal(f->n_sent, 4);
  assert_int_equal(floe__stun_request_on_deadline(&f->req, MS(5000), &f->out), FLOE__STUN_RESULT_TIMEOUT);
  assert_outcome(f, FLOE_CAUSE_NONE, 0, NULL);
  assert_false(f->req.answered);
  assert_int_equal(f->req.sent, 4);
  assert_over(f);
  assert_int_equal(floe__stun_request_on_deadline(&f->req, MS(9000), &f->out), FLOE__STUN_PENDING);
}

static void over_a_stream_it_is_sent_once(void **state) {
  fixture *f = *state;
  init_request(f, FLOE__STUN_ALLOCATE, true);
  start(f);
  assert_true(floe__stun_request_deadline(&f->req) == MS(4000));
  assert_int_equal(floe__stun_request_on_deadline(&f->req, MS(4000), &f->out), FLOE__STUN_RESULT_TIMEOUT);
  assert_int_equal(f->n_sent, 1);
}

/* A retransmission is what the first transmission was, although another request has authenticated meanwhile. */
static void a_retransmission_stays_unsigned(void **state) {
  fixture *f = *state;
  start(f);
  floe__stun_request other;
  floe__stun_request_init(&other, f->bed.env, &ops, f, &timing, FLOE__STUN_ALLOCATE, false);
  other.auth = &f->auth;
  floe__stun_request_start(&other, 0);
  floe__stun_begin(&f->b, f->buf, sizeof f->buf, FLOE__STUN_ERROR, FLOE__STUN_ALLOCATE, other.txn.id);
  floe__stun_put_error(&f->b, 401, "");
  put_challenge(f, "n");
  floe__stun_msg m = parse_ok(floe__stun_end(&f->b));
  assert_int_equal(floe__stun_request_on_response(&other, MS(10), &m, FLOE__STUN_OK, NULL, &f->out),
                   FLOE__STUN_PENDING);
  assert_int_equal(f->auth.state, FLOE__STUN_AUTH_READY);
  assert_int_equal(floe__stun_request_on_deadline(&f->req, MS(500), &f->out), FLOE__STUN_PENDING);
  m = last_sent(f);
  assert_memory_equal(m.txn_id, f->req.txn.id, FLOE__STUN_TXN_ID);
  assert_false(floe__stun_has(&m, FLOE__STUN_MESSAGE_INTEGRITY));
  floe__stun_request_clear(&other);
}

/* --- whose it is
 * ------------------------------------------------------------------------------------------------------ */

static void ids(void **state) {
  fixture *f = *state;
  floe__stun_msg m;
  respond(f, FLOE__STUN_SUCCESS);
  m = parse_ok(floe__stun_end(&f->b));
  assert_false(floe__stun_request_is_mine(&f->req, &m)); /* not started */
  assert_false(floe__stun_request_was_mine(&f->req, &m));

  start(f);
  respond(f, FLOE__STUN_SUCCESS);
  m = parse_ok(floe__stun_end(&f->b));
  assert_true(floe__stun_request_is_mine(&f->req, &m));
  assert_false(floe__stun_request_was_mine(&f->req, &m));
  respond(f, FLOE__STUN_REQUEST); /* our own request, sent back */
  m = parse_ok(floe__stun_end(&f->b));
  assert_false(floe__stun_request_is_mine(&f->req, &m));
  assert_false(floe__stun_request_was_mine(&f->req, &m));
  floe__stun_begin(&f->b, f->buf, sizeof f->buf, FLOE__STUN_SUCCESS, FLOE__STUN_ALLOCATE, test_id);
  assert_int_equal(deliver(f), FLOE__STUN_PENDING);
  assert_true(floe__stun_request_is_open(&f->req));
}

static void earlier_ids(void **state) {
  fixture *f = *state;
  uint8_t ids[FLOE__STUN_RECENT + 1][FLOE__STUN_TXN_ID];
  /* More starts than an 8-bit counter holds. */
  for (size_t round = 0; round < 300; round++) {
    start(f);
    memcpy(ids[round % (FLOE__STUN_RECENT + 1)], f->req.txn.id, FLOE__STUN_TXN_ID);
    for (size_t back = 0; back <= FLOE__STUN_RECENT && back <= round; back++) {
      floe__stun_begin(&f->b, f->buf, sizeof f->buf, FLOE__STUN_ERROR, FLOE__STUN_ALLOCATE,
                       ids[(round - back) % (FLOE__STUN_RECENT + 1)]);
      floe__stun_msg m = parse_ok(floe__stun_end(&f->b));
      assert_int_equal(floe__stun_request_is_mine(&f->req, &m), back == 0);
      assert_int_equal(floe__stun_request_was_mine(&f->req, &m), back > 0 && back < FLOE__STUN_RECENT);
    }
  }
}

static void a_duplicate_of_the_answer_was_mine(void **state) {
  fixture *f = *state;
  start(f);
  respond(f, FLOE__STUN_SUCCESS);
  assert_int_equal(deliver(f), FLOE__STUN_RESULT_SUCCESS);
  floe__stun_msg m = parse_ok(floe__stun_end(&f->b));
  assert_false(floe__stun_request_is_mine(&f->req, &m));
  assert_true(floe__stun_request_was_mine(&f->req, &m));
  assert_int_equal(deliver(f), FLOE__STUN_PENDING);
}

/* --- successes and standing errors
 * ------------------------------------------------------------------------------------- */

static void success(void **state) {
  fixture *f = *state;
  start(f);
  respond(f, FLOE__STUN_SUCCESS);
  assert_int_equal(deliver_at(f, 7 * FLOE_MS + FLOE_MS / 2, NULL), FLOE__STUN_RESULT_SUCCESS);
  assert_outcome(f, FLOE_CAUSE_NONE, 0, NULL);
  assert_true(f->req.answered);
  assert_true(f->req.has_rtt);
  assert_true(f->req.rtt_ms == 7.5);
  assert_over(f);
}

static void no_round_trip_after_a_retransmission(void **state) {
  fixture *f = *state;
  start(f);
  assert_int_equal(floe__stun_request_on_deadline(&f->req, MS(500), &f->out), FLOE__STUN_PENDING);
  respond(f, FLOE__STUN_SUCCESS);
  assert_int_equal(deliver_at(f, MS(501), NULL), FLOE__STUN_RESULT_SUCCESS);
  assert_false(f->req.has_rtt);
}

static const struct standing {
  unsigned code;
  floe_cause cause;
  const char *phrase; /* IANA's */
} standing[] = {
    {301, FLOE_CAUSE_STUN_ERROR, "Unknown error"},
    {400, FLOE_CAUSE_STUN_ERROR, "Bad Request"},
    {403, FLOE_CAUSE_FORBIDDEN, "Forbidden"},
    {404, FLOE_CAUSE_STUN_ERROR, "Unknown error"},
    {405, FLOE_CAUSE_STUN_ERROR, "Mobility Forbidden"},
    {420, FLOE_CAUSE_STUN_ERROR, "Unknown Attribute"},
    {440, FLOE_CAUSE_FAMILY_UNSUPPORTED, "Address Family not Supported"},
    {441, FLOE_CAUSE_AUTH_REJECTED, "Wrong Credentials"},
    {442, FLOE_CAUSE_TRANSPORT_UNSUPPORTED, "Unsupported Transport Protocol"},
    {443, FLOE_CAUSE_FAMILY_UNSUPPORTED, "Peer Address Family Mismatch"},
    {446, FLOE_CAUSE_STUN_ERROR, "Connection Already Exists"},
    {447, FLOE_CAUSE_STUN_ERROR, "Connection Timeout or Failure"},
    {486, FLOE_CAUSE_QUOTA_REACHED, "Allocation Quota Reached"},
    {487, FLOE_CAUSE_STUN_ERROR, "Role Conflict"},
    {500, FLOE_CAUSE_STUN_ERROR, "Server Error"},
    {508, FLOE_CAUSE_INSUFFICIENT_CAPACITY, "Insufficient Capacity"},
    {600, FLOE_CAUSE_STUN_ERROR, "Unknown error"},
    {699, FLOE_CAUSE_STUN_ERROR, "Unknown error"},
};

static void standing_errors(void **state) {
  fixture *f = *state;
  for (size_t i = 0; i < sizeof standing / sizeof standing[0]; i++) {
    for (int reliable = 0; reliable <= 1; reliable++) {
      floe__stun_auth_reset(&f->auth);
      init_request(f, FLOE__STUN_ALLOCATE, reliable == 1);
      start(f);
      respond_error(f, standing[i].code, "");
      assert_int_equal(deliver(f), FLOE__STUN_RESULT_ERROR);
      assert_outcome(f, standing[i].cause, standing[i].code, standing[i].phrase);
      assert_over(f);
      assert_true(f->req.answered);
    }
  }
}

static void signed_standing_errors(void **state) {
  fixture *f = *state;
  for (size_t i = 0; i < sizeof standing / sizeof standing[0]; i++) {
    floe__stun_auth_reset(&f->auth);
    start_authenticated(f);
    respond_error(f, standing[i].code, "the server's own words");
    assert_int_equal(deliver_signed(f), FLOE__STUN_RESULT_ERROR);
    assert_outcome(f, standing[i].cause, standing[i].code, "the server's own words");
    assert_over(f);
  }
}

static void redirect(void **state) {
  fixture *f = *state;
  start(f);
  respond_error(f, 300, "go there");
  assert_int_equal(deliver(f), FLOE__STUN_RESULT_REDIRECT); /* unsigned to an unsigned request */
  assert_outcome(f, FLOE_CAUSE_REDIRECT_REFUSED, 300, "go there");
  assert_over(f);

  start_authenticated(f);
  respond_error(f, 300, "");
  assert_int_equal(deliver(f), FLOE__STUN_PENDING); /* unsigned to a signed one: discarded */
  respond_error(f, 300, "");
  assert_int_equal(deliver_signed(f), FLOE__STUN_RESULT_REDIRECT);
  assert_outcome(f, FLOE_CAUSE_REDIRECT_REFUSED, 300, "Try Alternate");
}

static void mismatch(void **state) {
  static const struct {
    uint16_t method;
    floe__stun_result result;
  } rows[] = {
      {FLOE__STUN_ALLOCATE, FLOE__STUN_RESULT_MISMATCH},       {FLOE__STUN_REFRESH, FLOE__STUN_RESULT_ERROR},
      {FLOE__STUN_CREATE_PERMISSION, FLOE__STUN_RESULT_ERROR}, {FLOE__STUN_CHANNEL_BIND, FLOE__STUN_RESULT_ERROR},
      {FLOE__STUN_BINDING, FLOE__STUN_RESULT_ERROR},
  };
  fixture *f = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    init_request(f, rows[i].method, false);
    start(f);
    respond_error(f, 437, "");
    assert_int_equal(deliver(f), rows[i].result);
    assert_outcome(f, FLOE_CAUSE_ALLOC_MISMATCH, 437, "Allocation Mismatch");
    assert_over(f);
  }
}

/* --- 420
 * -------------------------------------------------------------------------------------------------------------------
 */

static floe__stun_result deliver_420(fixture *f, const void *unknown, size_t len) {
  respond_error(f, 420, "");
  if (unknown != NULL) floe__stun_put(&f->b, FLOE__STUN_UNKNOWN_ATTRIBUTES, unknown, len);
  return deliver(f);
}

static void optional_attributes_are_left_out_once(void **state) {
  fixture *f = *state;
  f->req.has_optional = true;
  start(f);
  assert_int_equal(deliver_420(f, "\x80\x00", 2), FLOE__STUN_PENDING);
  assert_int_equal(f->n_sent, 2);
  floe__stun_msg m = last_sent(f);
  assert_false(floe__stun_has(&m, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY));
  assert_true(floe__stun_has(&m, FLOE__STUN_REQUESTED_TRANSPORT));
  assert_int_equal(deliver_420(f, "\x00\x19", 2), FLOE__STUN_RESULT_ERROR);
  assert_outcome(f, FLOE_CAUSE_STUN_ERROR, 420, "Unknown Attribute");
  assert_int_equal(f->n_sent, 2);
  start(f); /* a new start asks with them again */
  m = last_sent(f);
  assert_true(floe__stun_has(&m, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY));
}

static void they_stay_out_after_a_challenge(void **state) {
  fixture *f = *state;
  f->req.has_optional = true;
  start(f);
  assert_int_equal(deliver_420(f, "\x80\x00", 2), FLOE__STUN_PENDING);
  respond_error(f, 401, "");
  put_challenge(f, "n0");
  assert_int_equal(deliver(f), FLOE__STUN_PENDING);
  floe__stun_msg m = last_sent(f);
  assert_true(floe__stun_auth_verify(&f->auth, &m));
  assert_false(floe__stun_has(&m, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY));
}

/* SOFTWARE is optional, too: it is left out when it is named, and only then asks for a retry of its own. */
static void software_is_left_out_when_it_is_named(void **state) {
  fixture *f = *state;
  f->req.software = "floe test";
  start(f);
  assert_int_equal(deliver_420(f, "\x80\x22", 2), FLOE__STUN_PENDING);
  floe__stun_msg m = last_sent(f);
  assert_false(floe__stun_has(&m, FLOE__STUN_SOFTWARE));
  assert_int_equal(deliver_420(f, "\x80\x22", 2), FLOE__STUN_RESULT_ERROR);
  start(f);
  assert_int_equal(deliver_420(f, "\x80\x00", 2), FLOE__STUN_RESULT_ERROR);
  f->req.software = NULL;
  start(f);
  assert_int_equal(deliver_420(f, "\x80\x22", 2), FLOE__STUN_RESULT_ERROR);
}

static void a_420_that_stands(void **state) {
  static const struct {
    bool has_optional;
    const void *unknown;
    size_t len;
  } rows[] = {{false, "\x80\x00", 2}, {true, NULL, 0}, {true, "", 0}, {true, "\x80", 1}};
  fixture *f = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    f->req.has_optional = rows[i].has_optional;
    start(f);
    assert_int_equal(deliver_420(f, rows[i].unknown, rows[i].len), FLOE__STUN_RESULT_ERROR);
    assert_outcome(f, FLOE_CAUSE_STUN_ERROR, 420, "Unknown Attribute");
    assert_over(f);
  }
}

/* --- life
 * ------------------------------------------------------------------------------------------------------------------ */

static void cleared(void **state) {
  fixture *f = *state;
  start(f);
  floe__stun_request_clear(&f->req);
  assert_over(f);
  respond(f, FLOE__STUN_SUCCESS);
  floe__stun_msg m = parse_ok(floe__stun_end(&f->b));
  assert_true(floe__stun_request_was_mine(&f->req, &m));
  assert_int_equal(deliver(f), FLOE__STUN_PENDING);
  assert_int_equal(floe__stun_request_on_deadline(&f->req, MS(9000), &f->out), FLOE__STUN_PENDING);
}

/* --- trace ----------------------------------------------------------------------------------------------------------
 */

static char traced[4][256];
static size_t n_traced;

static void keep_trace(void *user, const char *json, size_t len) {
  (void)user;
  assert_true(n_traced < 4 && len < sizeof traced[0]);
  memcpy(traced[n_traced], json, len);
  traced[n_traced++][len] = '\0';
}

static void what_happens_is_traced(void **state) {
  fixture *f = *state;
  n_traced = 0;
  f->bed.env->cfg.trace = keep_trace;
  start(f);
  respond_error(f, 486, "secret?");
  assert_int_equal(deliver(f), FLOE__STUN_RESULT_ERROR);
  assert_int_equal(n_traced, 2);
  assert_string_equal(traced[0],
                      "{\"t_ms\":0.000,\"event\":\"stun.request.sent\",\"method\":3,\"transmission\":1,"
                      "\"signed\":0}");
  assert_string_equal(traced[1],
                      "{\"t_ms\":10.000,\"event\":\"stun.request.judged\",\"method\":3,\"result\":\"error\","
                      "\"code\":486,\"cause\":\"quota_reached\"}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(first_request),
      TEST(software_that_is_too_long_is_left_out),
      TEST(longest_request),
      TEST(retransmissions),
      TEST(over_a_stream_it_is_sent_once),
      TEST(a_retransmission_stays_unsigned),
      TEST(ids),
      TEST(earlier_ids),
      TEST(a_duplicate_of_the_answer_was_mine),
      TEST(success),
      TEST(no_round_trip_after_a_retransmission),
      TEST(standing_errors),
      TEST(signed_standing_errors),
      TEST(redirect),
      TEST(mismatch),
      TEST(optional_attributes_are_left_out_once),
      TEST(they_stay_out_after_a_challenge),
      TEST(software_is_left_out_when_it_is_named),
      TEST(a_420_that_stands),
      TEST(cleared),
      TEST(what_happens_is_traced),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
