/* The STUN and TURN side of a try: Binding (RFC 8489 2) or an allocation (RFC 8656 7). */
#include <string.h>

#include "base/assert.h"
#include "ice/gather_try_internal.h"

floe_phase floe__try_request_phase(const floe__try *t) {
  return t->setup.url->is_turn ? FLOE_PHASE_ALLOCATE : FLOE_PHASE_BINDING;
}

/* --- starting -------------------------------------------------------------------------------------------------- */

static void write_nothing(void *owner, uint16_t method, floe__stun_builder *b, bool optional) {
  (void)owner, (void)method, (void)b, (void)optional; /* a Binding request needs no attribute of its own */
}

static const floe__stun_request_ops binding_ops = {.write = write_nothing, .send = floe__try_send};

static bool start_binding(floe__try *t) {
  const floe__settings *settings = t->setup.io->settings;
  t->binding = floe__alloc(t->setup.io->env, sizeof *t->binding);
  if (t->binding == NULL) return false;
  floe__stun_request_init(t->binding, t->setup.io->env, &binding_ops, t, &settings->stun_timing, FLOE__STUN_BINDING,
                          floe__try_is_stream(t));
  t->binding->software = settings->cfg.software;
  floe__stun_request_start(t->binding, t->setup.io->now);
  return true;
}

static bool start_turn(floe__try *t) {
  const floe__settings *settings = t->setup.io->settings;
  t->turn = floe__alloc(t->setup.io->env, sizeof *t->turn);
  if (t->turn == NULL) return false;
  floe__turn_config cfg = {
      .reliable = floe__try_is_stream(t),
      .relay_family = settings->cfg.relay_family,
      .lifetime_s = settings->cfg.allocation_lifetime_s,
      .software = settings->cfg.software,
      .timing = &settings->stun_timing,
  };
  floe__turn_init(t->turn, t->setup.io->env, &cfg, t->setup.username, t->setup.credential, floe__try_send, t);
  floe__turn_start(t->turn, t->setup.io->now);
  return true;
}

floe__try_step floe__try_request(floe__try *t) {
  floe__try_go(t, FLOE__TRY_REQUESTING);
  if (t->times.requested_at == FLOE_TIME_NEVER) t->times.requested_at = t->setup.io->now;
  bool ok = t->setup.url->is_turn ? start_turn(t) : start_binding(t);
  return ok ? FLOE__TRY_STEP_NONE : floe__try_fail(t, FLOE_CAUSE_SOCKET_FAILED, 0, NULL);
}

static floe__try_step succeed(floe__try *t) {
  floe__try_go(t, FLOE__TRY_LIVE);
  return FLOE__TRY_STEP_SUCCEEDED;
}

/* A request that got no usable answer, with what was discarded meanwhile. */
static floe__try_step fail_in_silence(floe__try *t, floe_cause cause) {
  if (t->first_discard == FLOE_CAUSE_NONE) t->first_discard = cause;
  return floe__try_fail(t, floe__try_silence_cause(t), 0, NULL);
}

/* --- Binding --------------------------------------------------------------------------------------------------- */

static floe__try_step on_binding_success(floe__try *t, const floe__stun_msg *m) {
  if (!floe__stun_get_xor_addr(m, FLOE__STUN_XOR_MAPPED_ADDRESS, &t->mapped)) {
    return floe__try_fail_attempt(t, FLOE_CAUSE_MALFORMED_RESPONSE);
  }
  return succeed(t);
}

static floe__try_step on_binding_result(floe__try *t, floe__stun_result result, const floe__stun_outcome *outcome,
                                        const floe__stun_msg *m) {
  switch (result) {
    case FLOE__STUN_PENDING: return FLOE__TRY_STEP_NONE;
    case FLOE__STUN_RESULT_SUCCESS: return on_binding_success(t, m);
    case FLOE__STUN_RESULT_ERROR:
    case FLOE__STUN_RESULT_MISMATCH: return floe__try_fail(t, outcome->cause, outcome->code, outcome->error.reason);
    case FLOE__STUN_RESULT_REDIRECT: /* the contract's section 3: a 300 to a Binding request stands */
      return floe__try_fail(t, FLOE_CAUSE_REDIRECT_REFUSED, outcome->code, outcome->error.reason);
    case FLOE__STUN_RESULT_TIMEOUT: return fail_in_silence(t, outcome->cause);
    case FLOE__STUN_RESULT_BROKEN: return floe__try_fail_attempt(t, outcome->cause);
    case FLOE__STUN_RESULT_NOMEM: return floe__try_fail(t, FLOE_CAUSE_SOCKET_FAILED, 0, NULL);
  }
  return FLOE__TRY_STEP_NONE;
}

/* What to count for a packet that answers no request of ours. */
static floe_cause judge_stranger(floe__stun_parse parse, const floe__stun_msg *m) {
  if (parse == FLOE__STUN_NOT_STUN) return FLOE_CAUSE_NOT_STUN;
  if (parse == FLOE__STUN_OK && floe__stun_check_fingerprint(m) == FLOE__STUN_CHECK_BAD)
    return FLOE_CAUSE_BAD_FINGERPRINT;
  /* A request is our own, sent back by an echo service. */
  return m->cls == FLOE__STUN_INDICATION ? FLOE_CAUSE_NONE : FLOE_CAUSE_WRONG_TRANSACTION;
}

/* What the server says of itself is for people: without memory for it nothing is lost. */
static void keep_text(floe__try *t, const floe__stun_msg *m, floe__stun_attr attr, char **out) {
  char text[FLOE__STUN_TEXT_MAX + 1];
  if (*out != NULL || !floe__stun_has(m, attr)) return;
  size_t len = floe__stun_decode_text(text, sizeof text, floe__stun_get(m, attr));
  if (len > 0) *out = floe__strndup(t->setup.io->env, text, len);
}

static floe__try_step on_binding_message(floe__try *t, floe_bytes message, bool *taken, floe_cause *discard) {
  floe__stun_msg m;
  floe__stun_parse parse = floe__stun_msg_parse(&m, message);
  *taken = false;
  *discard = FLOE_CAUSE_NONE;
  if (parse == FLOE__STUN_NOT_STUN || !floe__stun_request_is_mine(t->binding, &m)) {
    bool late = parse != FLOE__STUN_NOT_STUN && floe__stun_request_was_mine(t->binding, &m);
    *taken = late;
    if (!late) *discard = judge_stranger(parse, &m);
    return FLOE__TRY_STEP_NONE;
  }
  *taken = true;
  floe__io *io = t->setup.io;
  int64_t unix_ms;
  bool has_unix = floe__env_unix_ms(io->env, io->now, &unix_ms);
  floe__stun_outcome outcome;
  floe__stun_result result =
      floe__stun_request_on_response(t->binding, io->now, &m, parse, has_unix ? &unix_ms : NULL, &outcome);
  t->answered = t->answered || t->binding->answered;
  if (parse == FLOE__STUN_OK && t->binding->answered) {
    keep_text(t, &m, FLOE__STUN_SOFTWARE, &t->software);
    keep_text(t, &m, FLOE__STUN_REALM, &t->realm);
  }
  return on_binding_result(t, result, &outcome, &m);
}

/* --- TURN ------------------------------------------------------------------------------------------------------ */

static floe__try_step on_turn_failed(floe__try *t) {
  const floe__stun_outcome *o = &t->turn->outcome;
  if (o->code != 0) return floe__try_fail(t, o->cause, o->code, o->error.reason);
  if (o->cause == FLOE_CAUSE_SOCKET_FAILED) return floe__try_fail(t, o->cause, 0, NULL);
  /* Over a stream an answer that is not signed ends it at once; over UDP it was one of those discarded meanwhile. */
  bool unsigned_answer = o->cause == FLOE_CAUSE_BAD_INTEGRITY && floe__try_is_stream(t);
  bool decided = unsigned_answer || o->cause == FLOE_CAUSE_MALFORMED_RESPONSE;
  return decided ? floe__try_fail_attempt(t, o->cause) : fail_in_silence(t, o->cause);
}

static floe__try_step on_turn_lost(floe__try *t) {
  floe_cause cause = t->turn->outcome.cause;
  uint16_t code = t->turn->outcome.code;
  (void)floe__try_fail(t, cause, code, code == 0 ? NULL : t->turn->outcome.error.reason);
  t->failure.code = code;
  return FLOE__TRY_STEP_LOST;
}

static floe__try_step on_turn_step(floe__try *t, floe__turn_step step) {
  switch (step) {
    case FLOE__TURN_STEP_NONE:
    case FLOE__TURN_STEP_DISCARDED: return FLOE__TRY_STEP_NONE;
    case FLOE__TURN_STEP_ALLOCATED: return succeed(t);
    case FLOE__TURN_STEP_FAILED: return on_turn_failed(t);
    case FLOE__TURN_STEP_REDIRECT: return floe__try_follow_redirect(t);
    case FLOE__TURN_STEP_MISMATCH: return floe__try_take_new_port(t);
    case FLOE__TURN_STEP_DATA: t->setup.on_data(t->setup.owner, t); return FLOE__TRY_STEP_NONE;
    case FLOE__TURN_STEP_PERMISSION: t->setup.on_permission(t->setup.owner, t); return FLOE__TRY_STEP_NONE;
    case FLOE__TURN_STEP_LOST: return on_turn_lost(t);
    case FLOE__TURN_STEP_DELETED: floe__try_cancel(t); return FLOE__TRY_STEP_DELETED;
  }
  return FLOE__TRY_STEP_NONE;
}

static floe__try_step on_turn_message(floe__try *t, floe_bytes message, bool *taken, floe_cause *discard) {
  uint32_t discarded = t->turn->request.discarded;
  floe__turn_step step = floe__turn_on_message(t->turn, t->setup.io->now, message);
  bool counted = t->turn->request.discarded != discarded; /* it has our transaction id: the request counts it */
  *taken = step != FLOE__TURN_STEP_DISCARDED || t->turn->discard_cause == FLOE_CAUSE_NONE || counted;
  *discard = *taken ? FLOE_CAUSE_NONE : t->turn->discard_cause;
  t->answered = t->answered || t->turn->answered;
  if (t->first_discard == FLOE_CAUSE_NONE) t->first_discard = t->turn->request.first_discard;
  return on_turn_step(t, step);
}

floe__try_step floe__try_on_message(floe__try *t, floe_bytes message, bool *taken, floe_cause *discard) {
  *taken = false;
  *discard = FLOE_CAUSE_NONE;
  if (t->turn != NULL) return on_turn_message(t, message, taken, discard);
  if (t->binding == NULL || t->state != FLOE__TRY_REQUESTING) return FLOE__TRY_STEP_NONE;
  return on_binding_message(t, message, taken, discard);
}

floe__try_step floe__try_request_on_deadline(floe__try *t) {
  floe__io *io = t->setup.io;
  if (t->turn != NULL) return on_turn_step(t, floe__turn_on_deadline(t->turn, io->now));
  FLOE__ASSERT(t->binding != NULL);
  floe__stun_outcome outcome;
  floe__stun_result result = floe__stun_request_on_deadline(t->binding, io->now, &outcome);
  return on_binding_result(t, result, &outcome, NULL);
}
