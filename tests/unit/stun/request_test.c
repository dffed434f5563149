#include "stun/request.h"

#include "fixture.h"

#define MS(n) ((floe_time)(n)*FLOE_MS)

static const floe__stun_timing timing = {
    .rto_ms = 500, .transmissions = 4, .udp_timeout_ms = 5000, .stream_timeout_ms = 4000};

typedef struct fixture {
  bed bed;
  floe__stun_auth auth;
  floe__stun_request req;
  floe__stun_outcome out;
  unsigned n_sent;
  uint8_t sent[FLOE__STUN_REQUEST_MAX]; /* the last */
  size_t sent_len;
  uint8_t buf[4096]; /* the response being built */
  floe__stun_builder b;
} fixture;

static void write_attributes(void *owner, uint16_t method, floe__stun_builder *b, bool optional) {
  (void)owner;
  (void)method;
  floe__stun_put_u32(b, FLOE__STUN_REQUESTED_TRANSPORT, 17u << 24);
  if (optional) floe__stun_put_u32(b, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, 2u << 24);
}

static void keep_sent(void *owner, floe_bytes message) {
  fixture *f = owner;
  f->n_sent++;
  memcpy(f->sent, message.ptr, message.len);
  f->sent_len = message.len;
}

static const floe__stun_request_ops ops = {write_attributes, keep_sent};

static void init_request(fixture *f, uint16_t method, bool reliable) {
  floe__stun_request_init(&f->req, f->bed.env, &ops, f, &timing, method, reliable);
  f->req.auth = &f->auth;
}

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  bed_init(&f->bed);
  floe__stun_auth_init(&f->auth, f->bed.env, "user", "pass");
  init_request(f, FLOE__STUN_ALLOCATE, false);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  floe__stun_request_clear(&f->req);
  floe__stun_auth_clear(&f->auth);
  bed_clear(&f->bed);
  free(f);
  return 0;
}

static floe__stun_msg last_sent(fixture *f) {
  return parse_ok((floe_bytes){f->sent, f->sent_len});
}

/* --- responses ---------------------------------------------------------------------------------------------------- */

/* Begins a response to the open transaction. */
static void respond(fixture *f, floe__stun_class cls) {
  floe__stun_begin(&f->b, f->buf, sizeof f->buf, cls, f->req.method, f->req.txn.id);
}

static void respond_error(fixture *f, unsigned code, const char *reason) {
  respond(f, FLOE__STUN_ERROR);
  floe__stun_put_error(&f->b, code, reason);
}

static void put_challenge(fixture *f, const char *nonce) {
  floe__stun_put_text(&f->b, FLOE__STUN_REALM, "realm");
  floe__stun_put_text(&f->b, FLOE__STUN_NONCE, nonce);
}

static floe__stun_result deliver_at(fixture *f, floe_time now, const int64_t *unix_ms) {
  floe__stun_msg m;
  memset(&m, 0xAA, sizeof m);
  floe__stun_parse parse = floe__stun_msg_parse(&m, floe__stun_end(&f->b));
  memset(&f->out, 0xAA, sizeof f->out);
  return floe__stun_request_on_response(&f->req, now, &m, parse, unix_ms, &f->out);
}

static floe__stun_result deliver(fixture *f) {
  return deliver_at(f, MS(10), NULL);
}

static floe__stun_result deliver_signed(fixture *f) {
  floe__stun_put_integrity(&f->b, f->auth.key);
  return deliver(f);
}

static void start(fixture *f) {
  floe__stun_request_start(&f->req, 0);
}

/* Goes through the 401: the open transaction is signed afterwards. */
static void start_authenticated(fixture *f) {
  start(f);
  respond_error(f, 401, "");
  put_challenge(f, "n0");
  assert_int_equal(deliver(f), FLOE__STUN_PENDING);
  assert_true(f->req.was_signed);
}

static void assert_outcome(const fixture *f, floe_cause cause, unsigned code, const char *reason) {
  assert_string_equal(floe_cause_id(f->out.cause), floe_cause_id(cause));
  assert_int_equal(f->out.code, code);
  if (code == 0) return;
  assert_int_equal(f->out.error.code, code);
  assert_string_equal(f->out.error.reason, reason);
}

static void assert_over(const fixture *f) {
  assert_false(floe__stun_request_is_open(&f->req));
  assert_true(floe__stun_request_deadline(&f->req) == FLOE_TIME_NEVER);
}

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
    assert_int_equal(deliver(f), reliable == 1 ? FLOE__STUN_RESULT_BROKEN : FLOE__STUN_PENDING);
    if (reliable == 1) assert_outcome(f, FLOE_CAUSE_BAD_FINGERPRINT, 0, NULL);
    assert_int_equal(f->req.first_discard, FLOE_CAUSE_BAD_FINGERPRINT);
    assert_false(f->req.answered);
    if (reliable == 1) continue;
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
      TEST(optional_attributes_are_left_out_once),
      TEST(they_stay_out_after_a_challenge),
      TEST(a_420_that_stands),
      TEST(cleared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
