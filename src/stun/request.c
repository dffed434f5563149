#include "stun/request.h"

#include <string.h>

#include "base/assert.h"
#include "base/trace.h"

void floe__stun_request_init(floe__stun_request *req, floe_env *env, const floe__stun_request_ops *ops, void *owner,
                             const floe__stun_timing *timing, uint16_t method, bool reliable) {
  memset(req, 0, sizeof *req);
  req->env = env;
  req->ops = ops;
  req->owner = owner;
  req->timing = timing;
  req->method = method;
  req->reliable = reliable;
}

void floe__stun_request_clear(floe__stun_request *req) {
  floe__stun_txn_clear(&req->txn);
}

bool floe__stun_request_is_open(const floe__stun_request *req) {
  return req->txn.state == FLOE__STUN_TXN_OPEN;
}

floe_time floe__stun_request_deadline(const floe__stun_request *req) {
  return floe__stun_txn_deadline(&req->txn);
}

/* --- whose is it ------------------------------------------------------------------------------------------------ */

static bool is_response(const floe__stun_msg *m) {
  return m->cls == FLOE__STUN_SUCCESS || m->cls == FLOE__STUN_ERROR;
}

bool floe__stun_request_is_mine(const floe__stun_request *req, const floe__stun_msg *m) {
  return floe__stun_request_is_open(req) && is_response(m) && memcmp(m->txn_id, req->txn.id, sizeof req->txn.id) == 0;
}

bool floe__stun_request_was_mine(const floe__stun_request *req, const floe__stun_msg *m) {
  if (!is_response(m) || floe__stun_request_is_mine(req, m)) return false;
  size_t n = req->n_recent < FLOE__STUN_RECENT ? req->n_recent : FLOE__STUN_RECENT;
  for (size_t i = 0; i < n; i++) {
    if (memcmp(m->txn_id, req->recent[i], FLOE__STUN_TXN_ID) == 0) return true;
  }
  return false;
}

static void remember_id(floe__stun_request *req) {
  memcpy(req->recent[req->n_recent % FLOE__STUN_RECENT], req->txn.id, FLOE__STUN_TXN_ID);
  req->n_recent = req->n_recent == UINT8_MAX ? UINT8_MAX + 1 - FLOE__STUN_RECENT : (uint8_t)(req->n_recent + 1);
}

/* --- sending ---------------------------------------------------------------------------------------------------- */

static void trace_sent(floe__stun_request *req, floe_time now) {
  floe__trace t;
  if (!floe__trace_begin(&t, req->env, now, "stun.request.sent")) return;
  floe__trace_int(&t, "method", req->method);
  floe__trace_int(&t, "transmission", req->txn.sent);
  floe__trace_int(&t, "signed", req->was_signed);
  floe__trace_end(&t);
}

/* RFC 8489 14.14: SOFTWARE is at most 763 bytes; a longer one is left out. */
static bool sends_software(const floe__stun_request *req) {
  return req->software != NULL && !req->omit_optional && strlen(req->software) <= FLOE__STUN_TEXT_MAX;
}

static void put_software(const floe__stun_request *req, floe__stun_builder *b) {
  if (!sends_software(req)) return;
  floe__stun_put_text(b, FLOE__STUN_SOFTWARE, req->software);
}

static void transmit(floe__stun_request *req, floe_time now) {
  uint8_t buf[FLOE__STUN_REQUEST_MAX];
  floe__stun_builder b;
  floe__stun_begin(&b, buf, sizeof buf, FLOE__STUN_REQUEST, req->method, req->txn.id);
  put_software(req, &b);
  req->ops->write(req->owner, req->method, &b, !req->omit_optional);
  /* A retransmission stays unsigned when the first transmission was: its answer is judged by that. */
  if (req->was_signed) floe__stun_auth_sign(req->auth, &b);
  floe__stun_put_fingerprint(&b);
  floe_bytes message = floe__stun_end(&b);
  FLOE__ASSERT(message.len > 0);
  req->sent++;
  trace_sent(req, now);
  req->ops->send(req->owner, message);
}

static void open_transaction(floe__stun_request *req, floe_time now) {
  req->was_signed = req->auth != NULL && req->auth->state == FLOE__STUN_AUTH_READY;
  req->signed_with = req->auth != NULL ? req->auth->nonce_serial : 0;
  floe__stun_txn_start(&req->txn, req->env, req->timing, req->reliable, now);
  remember_id(req);
  transmit(req, now);
}

void floe__stun_request_start(floe__stun_request *req, floe_time now) {
  req->omit_optional = false;
  req->answered = false;
  req->sent = 0;
  req->discarded = 0;
  req->first_discard = FLOE_CAUSE_NONE;
  req->has_rtt = false;
  open_transaction(req, now);
}

/* --- judging ---------------------------------------------------------------------------------------------------- */

static void trace_judged(floe__stun_request *req, floe_time now, floe__stun_result result, unsigned code,
                         floe_cause cause) {
  static const char *const names[] = {
      [FLOE__STUN_PENDING] = "pending",          [FLOE__STUN_RESULT_SUCCESS] = "success",
      [FLOE__STUN_RESULT_ERROR] = "error",       [FLOE__STUN_RESULT_REDIRECT] = "redirect",
      [FLOE__STUN_RESULT_MISMATCH] = "mismatch", [FLOE__STUN_RESULT_TIMEOUT] = "timeout",
      [FLOE__STUN_RESULT_BROKEN] = "broken",     [FLOE__STUN_RESULT_NOMEM] = "nomem",
  };
  floe__trace t;
  if (!floe__trace_begin(&t, req->env, now, "stun.request.judged")) return;
  floe__trace_int(&t, "method", req->method);
  floe__trace_text(&t, "result", names[result]);
  floe__trace_int(&t, "code", code);
  floe__trace_text(&t, "cause", floe_cause_id(cause));
  floe__trace_end(&t);
}

/* Ends the open transaction: the response is the answer to it. */
static void close_transaction(floe__stun_request *req, const floe__stun_msg *m, floe_time now) {
  double ms;
  if (floe__stun_txn_rtt(&req->txn, now, &ms)) {
    req->has_rtt = true;
    req->rtt_ms = ms;
  }
  (void)floe__stun_txn_take_response(&req->txn, m, now);
}

typedef struct arrival {
  const floe__stun_msg *m;
  floe_time now;
  const int64_t *unix_ms; /* nullable */
  floe__stun_outcome *out;
} arrival;

static floe__stun_result broken(floe__stun_request *req, const arrival *a, floe_cause cause) {
  close_transaction(req, a->m, a->now);
  a->out->cause = cause;
  a->out->code = 0;
  return FLOE__STUN_RESULT_BROKEN;
}

/* RFC 8489 9.2.5: "as if it had never been received". */
static void discard(floe__stun_request *req, floe_cause cause) {
  req->discarded++;
  if (req->first_discard == FLOE_CAUSE_NONE) req->first_discard = cause;
}

/* The contract's section 3: over TCP and TLS an answer that is not ours ends the attempt at once. */
static floe__stun_result discard_unsigned(floe__stun_request *req, const arrival *a) {
  discard(req, FLOE_CAUSE_BAD_INTEGRITY);
  return req->reliable ? broken(req, a, FLOE_CAUSE_BAD_INTEGRITY) : FLOE__STUN_PENDING;
}

/* The answer is one that we believe: no row of stale nonces goes on. */
static floe__stun_result settle(floe__stun_request *req, const arrival *a, floe__stun_result result, floe_cause cause) {
  close_transaction(req, a->m, a->now);
  if (req->auth != NULL) floe__stun_auth_on_success(req->auth);
  a->out->cause = cause;
  return result;
}

static floe__stun_result retry(floe__stun_request *req, const arrival *a) {
  close_transaction(req, a->m, a->now);
  open_transaction(req, a->now);
  return FLOE__STUN_PENDING;
}

/* The contract's "Causes of standing codes". 300, 401 and 438 have their own functions. */
static floe_cause cause_of(unsigned code) {
  switch (code) {
    case 403: return FLOE_CAUSE_FORBIDDEN;
    case 437: return FLOE_CAUSE_ALLOC_MISMATCH;
    case 440:
    case 443: return FLOE_CAUSE_FAMILY_UNSUPPORTED;
    case 441: return FLOE_CAUSE_AUTH_REJECTED;
    case 442: return FLOE_CAUSE_TRANSPORT_UNSUPPORTED;
    case 486: return FLOE_CAUSE_QUOTA_REACHED;
    case 508: return FLOE_CAUSE_INSUFFICIENT_CAPACITY;
    default: return FLOE_CAUSE_STUN_ERROR;
  }
}

static floe__stun_auth_verdict ask_auth(floe__stun_request *req, const arrival *a, unsigned code, floe_cause *cause) {
  if (req->auth == NULL) {
    *cause = code == 401 ? FLOE_CAUSE_AUTH_REQUIRED : FLOE_CAUSE_STALE_NONCE_LOOP;
    return FLOE__STUN_AUTH_STANDS;
  }
  /* Another request's 438 has renewed the nonce meanwhile: this one is late, not one more in a row. */
  if (code == 438 && req->was_signed && req->signed_with != req->auth->nonce_serial) return FLOE__STUN_AUTH_RETRY;
  return floe__stun_auth_on_error(req->auth, a->m, code, req->was_signed, a->unix_ms, cause);
}

/* 401 and 438. */
static floe__stun_result on_auth_error(floe__stun_request *req, const arrival *a, unsigned code) {
  floe_cause cause = FLOE_CAUSE_NONE;
  switch (ask_auth(req, a, code, &cause)) {
    case FLOE__STUN_AUTH_RETRY: return retry(req, a);
    case FLOE__STUN_AUTH_STANDS:
    case FLOE__STUN_AUTH_OTHER: break;
    case FLOE__STUN_AUTH_NOMEM: floe__stun_txn_clear(&req->txn); return FLOE__STUN_RESULT_NOMEM;
  }
  close_transaction(req, a->m, a->now);
  a->out->cause = cause;
  return FLOE__STUN_RESULT_ERROR;
}

static bool names(const floe__stun_msg *m, floe__stun_attr attr) {
  return floe__stun_names_unknown(m, floe__stun_attr_type(attr));
}

/* The contract's section 3: 420 is retried once without the optional attributes, if we sent any and it names any. */
static bool can_omit(const floe__stun_request *req, const floe__stun_msg *m) {
  if (req->omit_optional || floe__stun_get(m, FLOE__STUN_UNKNOWN_ATTRIBUTES).len < 2) return false;
  if (sends_software(req) && names(m, FLOE__STUN_SOFTWARE)) return true;
  return req->has_optional && (names(m, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY) || names(m, FLOE__STUN_LIFETIME));
}

/* docs/decisions/0006-440-without-the-additional-family.md */
static bool may_lack_a_family(const floe__stun_request *req, unsigned code) {
  return code == 440 && req->method == FLOE__STUN_ALLOCATE && req->has_optional && !req->omit_optional;
}

static floe__stun_result on_error(floe__stun_request *req, const arrival *a) {
  unsigned code = a->out->error.code;
  a->out->code = (uint16_t)code;
  if (code == 401 || code == 438) return on_auth_error(req, a, code);
  if ((code == 420 && can_omit(req, a->m)) || may_lack_a_family(req, code)) {
    req->omit_optional = true;
    return retry(req, a);
  }
  if (code == 300) return settle(req, a, FLOE__STUN_RESULT_REDIRECT, FLOE_CAUSE_REDIRECT_REFUSED);
  if (code == 437 && req->method == FLOE__STUN_ALLOCATE) {
    return settle(req, a, FLOE__STUN_RESULT_MISMATCH, FLOE_CAUSE_ALLOC_MISMATCH);
  }
  return settle(req, a, FLOE__STUN_RESULT_ERROR, cause_of(code));
}

/* The contract's section 3: of errors only 400, 401 and 438 may come unsigned once we have authenticated (a server that
 * cannot make out the user has no key to sign with). */
static bool must_be_signed(const floe__stun_request *req, const floe__stun_msg *m, unsigned code) {
  if (!req->was_signed) return false;
  return m->cls == FLOE__STUN_SUCCESS || (code != 400 && code != 401 && code != 438);
}

/* RFC 8489 6.3: FINGERPRINT, then authentication, then unknown comprehension-required attributes (6.3.3, 6.3.4: the
 * transaction has failed). */
static floe__stun_result judge(floe__stun_request *req, const arrival *a, floe__stun_parse parse) {
  const floe__stun_msg *m = a->m;
  if (parse != FLOE__STUN_OK) return broken(req, a, FLOE_CAUSE_MALFORMED_RESPONSE);
  if (floe__stun_check_fingerprint(m) == FLOE__STUN_CHECK_BAD) {
    discard(req, FLOE_CAUSE_BAD_FINGERPRINT);
    return FLOE__STUN_PENDING;
  }
  req->answered = true;
  if (m->method != req->method) return broken(req, a, FLOE_CAUSE_MALFORMED_RESPONSE);
  bool is_error = m->cls == FLOE__STUN_ERROR;
  if (is_error && !floe__stun_get_error(m, &a->out->error)) return broken(req, a, FLOE_CAUSE_MALFORMED_RESPONSE);
  if (must_be_signed(req, m, is_error ? a->out->error.code : 0) && !floe__stun_auth_verify(req->auth, m)) {
    return discard_unsigned(req, a);
  }
  if (m->n_unknown > 0) return broken(req, a, FLOE_CAUSE_MALFORMED_RESPONSE);
  return is_error ? on_error(req, a) : settle(req, a, FLOE__STUN_RESULT_SUCCESS, FLOE_CAUSE_NONE);
}

floe__stun_result floe__stun_request_on_response(floe__stun_request *req, floe_time now, const floe__stun_msg *m,
                                                 floe__stun_parse parse, const int64_t *unix_ms,
                                                 floe__stun_outcome *out) {
  if (!floe__stun_request_is_mine(req, m)) return FLOE__STUN_PENDING;
  memset(out, 0, sizeof *out);
  arrival a = {.m = m, .now = now, .unix_ms = unix_ms, .out = out};
  floe__stun_result result = judge(req, &a, parse);
  trace_judged(req, now, result, out->code, out->cause);
  return result;
}

floe__stun_result floe__stun_request_on_deadline(floe__stun_request *req, floe_time now, floe__stun_outcome *out) {
  switch (floe__stun_txn_on_deadline(&req->txn, now)) {
    case FLOE__STUN_TXN_NOTHING: return FLOE__STUN_PENDING;
    case FLOE__STUN_TXN_RETRANSMIT: transmit(req, now); return FLOE__STUN_PENDING;
    case FLOE__STUN_TXN_GIVE_UP: break;
  }
  memset(out, 0, sizeof *out);
  out->cause = req->first_discard;
  trace_judged(req, now, FLOE__STUN_RESULT_TIMEOUT, 0, out->cause);
  return FLOE__STUN_RESULT_TIMEOUT;
}
