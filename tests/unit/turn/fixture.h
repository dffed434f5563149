/* An allocation in virtual time, and a server written by hand: it looks at what was sent and builds what comes back. */
#ifndef FLOE_TESTS_UNIT_TURN_FIXTURE_H
#define FLOE_TESTS_UNIT_TURN_FIXTURE_H

#include "base/deadline.h"
#include "memory.h"
#include "stun/error_code.h"
#include "turn/alloc_fsm.h"
#include "turn/permission.h"

#define SENT_MAX   64
#define USERNAME   "user"
#define CREDENTIAL "secret"
#define REALM      "example.org"

typedef struct sent_message {
  uint8_t *bytes;
  size_t len;
} sent_message;

typedef struct fixture {
  memory memory;
  floe__turn turn;
  floe__turn_config cfg;
  floe_time now;
  sent_message sent[SENT_MAX]; /* not looked at yet, oldest first */
  size_t n_sent;
  sent_message current; /* the one looked at */
  floe__stun_msg msg;   /* it, parsed */
  floe__stun_key key;
  const char *nonce;
  uint8_t reply[4096];
  floe__stun_builder b; /* a response being built */
  floe_bytes last;      /* the last response */
} fixture;

static const floe__stun_timing fixture_timing = {
    .rto_ms = 500, .transmissions = 4, .udp_timeout_ms = 5000, .stream_timeout_ms = 5000};

static inline void on_send(void *owner, floe_bytes bytes) {
  fixture *fx = owner;
  assert_true(fx->n_sent < SENT_MAX);
  sent_message *m = &fx->sent[fx->n_sent++];
  m->bytes = malloc(bytes.len);
  assert_non_null(m->bytes);
  memcpy(m->bytes, bytes.ptr, bytes.len);
  m->len = bytes.len;
}

static inline floe_addr addr_of(const char *text) {
  floe_addr a;
  assert_true(floe_addr_parse(&a, text));
  return a;
}

static inline void assert_addr(const floe_addr *addr, const char *expected) {
  char text[FLOE_ADDR_TEXT];
  assert_string_equal(floe_addr_format(addr, text), expected);
}

static inline fixture *fixture_new(floe__turn_config cfg) {
  fixture *fx = calloc(1, sizeof *fx);
  assert_non_null(fx);
  memory_init(&fx->memory);
  fx->cfg = cfg;
  fx->cfg.timing = &fixture_timing;
  fx->now = 1000 * FLOE_SECOND;
  fx->nonce = "nonce-1";
  uint8_t key[FLOE__STUN_MAX_KEY];
  size_t len = floe__stun_derive_key(key, FLOE__STUN_ALGORITHM_MD5, USERNAME, REALM, CREDENTIAL);
  floe__stun_key_init(&fx->key, key, len);
  floe__turn_init(&fx->turn, fx->memory.env, &fx->cfg, USERNAME, CREDENTIAL, on_send, fx);
  return fx;
}

static inline void forget_sent(fixture *fx) {
  for (size_t i = 0; i < fx->n_sent; i++) free(fx->sent[i].bytes);
  fx->n_sent = 0;
}

static inline void fixture_free(fixture *fx) {
  floe__turn_clear(&fx->turn);
  memory_clear(&fx->memory);
  forget_sent(fx);
  free(fx->current.bytes);
  free(fx);
}

/* --- what was sent ---------------------------------------------------------------------------------------------- */

/* Looks at the oldest message. */
static inline floe_bytes take_sent(fixture *fx) {
  assert_true(fx->n_sent > 0);
  free(fx->current.bytes);
  fx->current = fx->sent[0];
  memmove(fx->sent, fx->sent + 1, --fx->n_sent * sizeof *fx->sent);
  return (floe_bytes){fx->current.bytes, fx->current.len};
}

/* It is the only one, and a STUN message of this class and method. */
static inline const floe__stun_msg *take_stun(fixture *fx, floe__stun_class cls, uint16_t method) {
  assert_int_equal(fx->n_sent, 1);
  assert_int_equal(floe__stun_msg_parse(&fx->msg, take_sent(fx)), FLOE__STUN_OK);
  assert_int_equal(fx->msg.cls, cls);
  assert_int_equal(fx->msg.method, method);
  return &fx->msg;
}

static inline const floe__stun_msg *take_signed(fixture *fx, uint16_t method) {
  const floe__stun_msg *m = take_stun(fx, FLOE__STUN_REQUEST, method);
  assert_int_equal(floe__stun_check_integrity(m, &fx->key), FLOE__STUN_CHECK_OK);
  floe_bytes nonce = floe__stun_get(m, FLOE__STUN_NONCE);
  assert_int_equal(nonce.len, strlen(fx->nonce));
  assert_memory_equal(nonce.ptr, fx->nonce, nonce.len);
  return m;
}

static inline const floe__stun_msg *take_unsigned(fixture *fx, uint16_t method) {
  const floe__stun_msg *m = take_stun(fx, FLOE__STUN_REQUEST, method);
  assert_false(floe__stun_has(m, FLOE__STUN_MESSAGE_INTEGRITY));
  assert_false(floe__stun_has(m, FLOE__STUN_USERNAME));
  return m;
}

static inline void assert_u32(const floe__stun_msg *m, floe__stun_attr attr, uint32_t expected) {
  uint32_t v;
  assert_true(floe__stun_get_u32(m, attr, &v));
  assert_int_equal(v, expected);
}

/* --- what comes back -------------------------------------------------------------------------------------------- */

static inline floe__turn_step deliver_bytes(fixture *fx, const void *bytes, size_t len) {
  return floe__turn_on_message(&fx->turn, fx->now, (floe_bytes){bytes, len});
}

/* A response to the message looked at last. */
static inline floe__stun_builder *begin_reply(fixture *fx, floe__stun_class cls) {
  floe__stun_begin(&fx->b, fx->reply, sizeof fx->reply, cls, fx->msg.method, fx->msg.txn_id);
  return &fx->b;
}

static inline floe__turn_step end_reply(fixture *fx, bool is_signed) {
  if (is_signed) floe__stun_put_integrity(&fx->b, &fx->key);
  fx->last = floe__stun_end(&fx->b);
  assert_true(fx->last.len > 0);
  return deliver_bytes(fx, fx->last.ptr, fx->last.len);
}

static inline floe__turn_step reply_error(fixture *fx, unsigned code, const char *reason, bool is_signed) {
  floe__stun_put_error(begin_reply(fx, FLOE__STUN_ERROR), code, reason);
  return end_reply(fx, is_signed);
}

/* 401 or 438 with REALM and NONCE. */
static inline floe__turn_step reply_challenge(fixture *fx, unsigned code) {
  floe__stun_builder *b = begin_reply(fx, FLOE__STUN_ERROR);
  floe__stun_put_error(b, code, code == 401 ? "Unauthorized" : "Stale Nonce");
  floe__stun_put_text(b, FLOE__STUN_REALM, REALM);
  floe__stun_put_text(b, FLOE__STUN_NONCE, fx->nonce);
  return end_reply(fx, false);
}

static inline floe__turn_step reply_success(fixture *fx) {
  begin_reply(fx, FLOE__STUN_SUCCESS);
  return end_reply(fx, true);
}

static inline floe__turn_step reply_lifetime(fixture *fx, uint32_t lifetime_s) {
  floe__stun_put_u32(begin_reply(fx, FLOE__STUN_SUCCESS), FLOE__STUN_LIFETIME, lifetime_s);
  return end_reply(fx, true);
}

static inline void put_addr(floe__stun_builder *b, floe__stun_attr attr, const char *text) {
  floe_addr a = addr_of(text);
  floe__stun_put_xor_addr(b, attr, &a);
}

static inline void put_allocated(floe__stun_builder *b, uint32_t lifetime_s) {
  put_addr(b, FLOE__STUN_XOR_RELAYED_ADDRESS, "203.0.113.9:50000");
  put_addr(b, FLOE__STUN_XOR_MAPPED_ADDRESS, "198.51.100.7:40000");
  floe__stun_put_u32(b, FLOE__STUN_LIFETIME, lifetime_s);
}

static inline floe__turn_step reply_allocated(fixture *fx, uint32_t lifetime_s) {
  put_allocated(begin_reply(fx, FLOE__STUN_SUCCESS), lifetime_s);
  return end_reply(fx, true);
}

static inline floe__turn_step indicate_data(fixture *fx, const char *from, const void *data, size_t len) {
  static const uint8_t txn_id[FLOE__STUN_TXN_ID] = "indication";
  floe__stun_begin(&fx->b, fx->reply, sizeof fx->reply, FLOE__STUN_INDICATION, FLOE__STUN_DATA_METHOD, txn_id);
  put_addr(&fx->b, FLOE__STUN_XOR_PEER_ADDRESS, from);
  floe__stun_put(&fx->b, FLOE__STUN_DATA, data, len);
  return end_reply(fx, false);
}

/* --- courses of events ------------------------------------------------------------------------------------------ */

static inline fixture *fixture_started(floe__turn_config cfg) {
  fixture *fx = fixture_new(cfg);
  floe__turn_start(&fx->turn, fx->now);
  return fx;
}

/* Started, challenged; the signed Allocate is looked at. */
static inline fixture *fixture_challenged(floe__turn_config cfg) {
  fixture *fx = fixture_started(cfg);
  take_unsigned(fx, FLOE__STUN_ALLOCATE);
  assert_int_equal(reply_challenge(fx, 401), FLOE__TURN_STEP_NONE);
  take_signed(fx, FLOE__STUN_ALLOCATE);
  return fx;
}

static inline fixture *fixture_live(floe__turn_config cfg, uint32_t lifetime_s) {
  fixture *fx = fixture_challenged(cfg);
  assert_int_equal(reply_allocated(fx, lifetime_s), FLOE__TURN_STEP_ALLOCATED);
  assert_int_equal(fx->turn.state, FLOE__TURN_LIVE);
  return fx;
}

/* Lets time pass up to `until`, or to the first step. A due timer must be gone once it was handled. */
static inline floe__turn_step pass_until(fixture *fx, floe_time until) {
  for (int i = 0; i < 10000; i++) {
    floe__deadline d = floe__turn_deadline(&fx->turn);
    if (d.at > until) {
      fx->now = until;
      return FLOE__TURN_STEP_NONE;
    }
    assert_string_not_equal(d.reason, "none");
    if (d.at > fx->now) fx->now = d.at;
    floe__turn_step step = floe__turn_on_deadline(&fx->turn, fx->now);
    if (step != FLOE__TURN_STEP_NONE) return step;
  }
  fail_msg("a due timer is never done");
  return FLOE__TURN_STEP_NONE;
}

static inline floe__turn_step pass_ms(fixture *fx, uint64_t ms) {
  return pass_until(fx, fx->now + ms * FLOE_MS);
}

/* Asks for a peer and looks at the request. */
static inline void permit(fixture *fx, const char *peer, bool use_channel) {
  floe_addr a = addr_of(peer);
  assert_true(floe__turn_permit(&fx->turn, fx->now, &a, use_channel));
  take_signed(fx, use_channel ? FLOE__STUN_CHANNEL_BIND : FLOE__STUN_CREATE_PERMISSION);
}

static inline void permit_granted(fixture *fx, const char *peer, bool use_channel) {
  permit(fx, peer, use_channel);
  assert_int_equal(reply_success(fx), FLOE__TURN_STEP_PERMISSION);
  assert_true(fx->turn.granted);
  assert_addr(&fx->turn.peer, peer);
}

static inline floe__turn_send send_text(fixture *fx, const char *peer, const char *text) {
  floe_addr a = addr_of(peer);
  return floe__turn_send_data(&fx->turn, fx->now, &a, (floe_bytes){(const uint8_t *)text, strlen(text)});
}

static inline void assert_data(const fixture *fx, const char *from, const char *text) {
  assert_addr(&fx->turn.data_peer, from);
  assert_int_equal(fx->turn.data.len, strlen(text));
  assert_memory_equal(fx->turn.data.ptr, text, strlen(text));
}

#endif
