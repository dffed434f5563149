/* What the tests of floe__stun_request share: one request, its auth, the last message sent, and responses to it. */
#ifndef FLOE_TESTS_UNIT_STUN_REQUEST_FIXTURE_H
#define FLOE_TESTS_UNIT_STUN_REQUEST_FIXTURE_H

#include "fixture.h"
#include "stun/request.h"

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

static inline void write_attributes(void *owner, uint16_t method, floe__stun_builder *b, bool optional) {
  (void)owner;
  (void)method;
  floe__stun_put_u32(b, FLOE__STUN_REQUESTED_TRANSPORT, 17u << 24);
  if (optional) floe__stun_put_u32(b, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, 2u << 24);
}

static inline void keep_sent(void *owner, floe_bytes message) {
  fixture *f = owner;
  f->n_sent++;
  memcpy(f->sent, message.ptr, message.len);
  f->sent_len = message.len;
}

static const floe__stun_request_ops ops = {write_attributes, keep_sent};

static inline void init_request(fixture *f, uint16_t method, bool reliable) {
  floe__stun_request_init(&f->req, f->bed.env, &ops, f, &timing, method, reliable);
  f->req.auth = &f->auth;
}

static inline int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  bed_init(&f->bed);
  floe__stun_auth_init(&f->auth, f->bed.env, "user", "pass");
  init_request(f, FLOE__STUN_ALLOCATE, false);
  *state = f;
  return 0;
}

static inline int tear_down(void **state) {
  fixture *f = *state;
  floe__stun_request_clear(&f->req);
  floe__stun_auth_clear(&f->auth);
  bed_clear(&f->bed);
  free(f);
  return 0;
}

static inline floe__stun_msg last_sent(fixture *f) {
  return parse_ok((floe_bytes){f->sent, f->sent_len});
}

/* --- responses ---------------------------------------------------------------------------------------------------- */

/* Begins a response to the open transaction. */
static inline void respond(fixture *f, floe__stun_class cls) {
  floe__stun_begin(&f->b, f->buf, sizeof f->buf, cls, f->req.method, f->req.txn.id);
}

static inline void respond_error(fixture *f, unsigned code, const char *reason) {
  respond(f, FLOE__STUN_ERROR);
  floe__stun_put_error(&f->b, code, reason);
}

static inline void put_challenge(fixture *f, const char *nonce) {
  floe__stun_put_text(&f->b, FLOE__STUN_REALM, "realm");
  floe__stun_put_text(&f->b, FLOE__STUN_NONCE, nonce);
}

static inline floe__stun_result deliver_at(fixture *f, floe_time now, const int64_t *unix_ms) {
  floe__stun_msg m;
  memset(&m, 0xAA, sizeof m);
  floe__stun_parse parse = floe__stun_msg_parse(&m, floe__stun_end(&f->b));
  memset(&f->out, 0xAA, sizeof f->out);
  return floe__stun_request_on_response(&f->req, now, &m, parse, unix_ms, &f->out);
}

static inline floe__stun_result deliver(fixture *f) {
  return deliver_at(f, MS(10), NULL);
}

static inline floe__stun_result deliver_signed(fixture *f) {
  floe__stun_put_integrity(&f->b, f->auth.key);
  return deliver(f);
}

static inline void start(fixture *f) {
  floe__stun_request_start(&f->req, 0);
}

/* Goes through the 401: the open transaction is signed afterwards. */
static inline void start_authenticated(fixture *f) {
  start(f);
  respond_error(f, 401, "");
  put_challenge(f, "n0");
  assert_int_equal(deliver(f), FLOE__STUN_PENDING);
  assert_true(f->req.was_signed);
}

static inline void assert_outcome(const fixture *f, floe_cause cause, unsigned code, const char *reason) {
  assert_string_equal(floe_cause_id(f->out.cause), floe_cause_id(cause));
  assert_int_equal(f->out.code, code);
  if (code == 0) return;
  assert_int_equal(f->out.error.code, code);
  assert_string_equal(f->out.error.reason, reason);
}

static inline void assert_over(const fixture *f) {
  assert_false(floe__stun_request_is_open(&f->req));
  assert_true(floe__stun_request_deadline(&f->req) == FLOE_TIME_NEVER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
