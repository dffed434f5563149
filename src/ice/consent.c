/* Consent freshness (RFC 7675): the peer must go on answering on the pair in use. Unanswered for a while the
 * connection is `disconnected` and every other pair is tried; when the consent expires it has failed. */
#include <string.h>

#include "base/rng.h"
#include "base/trace.h"
#include "ice/session.h"
#include "stun/error_code.h"

#define REPAIR_EVERY_MS 5000

/* A consent check is sent again while it is unanswered: at first twice per round trip, within these bounds, and after
 * FAST_RETRIES at the slower pace. Without that a path that loses packets would look like one that is gone. */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 500
#define FAST_RETRIES 10

static void trace_consent(floe__session *s, const char *outcome) {
  floe__trace t;
  if (s->selected == NULL || !floe__trace_begin(&t, s->io->env, s->io->now, "ice.consent")) return;
  floe__trace_int(&t, "pair", s->selected->id);
  floe__trace_text(&t, "outcome", outcome);
  floe__trace_end(&t);
}

/* RFC 7675 5.1: "the interval is randomized between 0.8 and 1.2 of the basic period". */
static floe_time next_request(floe__session *s) {
  uint32_t ms = s->io->settings->cfg.timing.consent_interval_ms;
  uint32_t spread = ms * 2 / 5;
  return floe__after_ms(s->io->now, ms - spread / 2 + floe__random_below(s->io->env, spread + 1));
}

void floe__consent_begin(floe__session *s) {
  floe__consent *c = &s->consent;
  floe__stun_txn_clear(&c->txn);
  c->retry_at = FLOE_TIME_NEVER;
  c->n_ids = 0;
  /* Selecting a pair is no answer: consent lasts from its last one, and a pair that was quiet is asked at once. */
  c->begun_at = s->io->now;
  c->answered_at = s->selected->answered_at;
  bool was_quiet = floe__after_ms(c->answered_at, s->io->settings->cfg.timing.consent_interval_ms) <= s->io->now;
  c->next_at = was_quiet ? s->io->now : next_request(s);
  if (s->local.lite) c->next_at = FLOE_TIME_NEVER;
  s->lost_at = s->repair_at = FLOE_TIME_NEVER;
}

void floe__consent_stop(floe__session *s) {
  floe__stun_txn_clear(&s->consent.txn);
  s->consent.next_at = s->consent.retry_at = FLOE_TIME_NEVER;
  s->lost_at = s->repair_at = FLOE_TIME_NEVER;
}

static void send_request(floe__session *s) {
  s->selected->counts.consent_sent++;
  (void)floe__check_send(s, s->selected, s->consent.txn.id, s->selected->is_nominated);
}

static floe_time next_retry(const floe__session *s) {
  const floe__pair *p = s->selected;
  double ms = p->counts.has_rtt ? 2 * p->counts.rtt_ms : RETRY_MAX_MS;
  if (ms < RETRY_MIN_MS) ms = RETRY_MIN_MS;
  if (ms > RETRY_MAX_MS || s->consent.txn.sent > FAST_RETRIES) ms = RETRY_MAX_MS;
  return floe__pair_is_tcp(p) ? FLOE_TIME_NEVER : floe__after_ms(s->io->now, (uint64_t)ms);
}

/* Each request is a transaction of its own. The controlling side repeats its nomination, so that a peer that sees us
 * under a new address knows what is meant. */
static void ask(floe__session *s) {
  floe__consent *c = &s->consent;
  uint32_t timeout = s->io->settings->cfg.timing.consent_timeout_ms;
  c->timing = (floe__stun_timing){timeout, 1, timeout, timeout};
  floe__stun_txn_start(&c->txn, s->io->env, &c->timing, floe__pair_is_tcp(s->selected), s->io->now);
  uint32_t at = c->n_ids++ % FLOE__CONSENT_IDS;
  memcpy(c->ids[at], c->txn.id, sizeof c->txn.id);
  c->controlling[at] = s->conn->role == FLOE_ICE_ROLE_CONTROLLING;
  floe__io_relax(s->io);
  c->next_at = next_request(s);
  c->retry_at = next_retry(s);
  send_request(s);
}

/* --- answers ----------------------------------------------------------------------------------------------------- */

static bool is_ours(const floe__consent *c, const floe__stun_msg *m, bool *was_controlling) {
  for (uint32_t i = 0; i < c->n_ids && i < FLOE__CONSENT_IDS; i++) {
    if (memcmp(c->ids[i], m->txn_id, FLOE__STUN_TXN_ID) != 0) continue;
    *was_controlling = c->controlling[i];
    return true;
  }
  return false;
}

/* RFC 8445 7.2.5.1 holds for it as for any check. Such an answer is no consent. */
static void on_error(floe__session *s, const floe__stun_msg *m, bool was_controlling) {
  floe__stun_error error;
  if (!floe__stun_get_error(m, &error)) return;
  s->selected->counts.stun_error = error.code;
  if (error.code != 487) return;
  floe__role_yield(s->conn, was_controlling);
  floe__stun_txn_clear(&s->consent.txn);
  s->consent.retry_at = FLOE_TIME_NEVER;
}

/* `disconnected` is over. */
static void recover(floe__session *s) {
  s->lost_at = s->repair_at = FLOE_TIME_NEVER;
  if (s->state != FLOE_ICE_CONNECTION_DISCONNECTED) return;
  floe__session_go(s, FLOE_ICE_CONNECTION_CONNECTED, FLOE_CAUSE_NONE);
  floe__checklist_rest(s);
}

static void note_rtt(floe__pair *p, floe__consent *c, floe_time now) {
  double rtt;
  if (!floe__stun_txn_rtt(&c->txn, now, &rtt)) return;
  p->counts.has_rtt = true;
  p->counts.rtt_ms = rtt;
  p->counts.total_rtt_ms += rtt;
}

bool floe__consent_on_response(floe__session *s, const floe__path *path, const floe__stun_msg *m) {
  floe__consent *c = &s->consent;
  floe__pair *p = s->selected;
  bool was_controlling;
  if (p == NULL || !is_ours(c, m, &was_controlling)) return false;
  if (!floe__stun_has(m, FLOE__STUN_MESSAGE_INTEGRITY)) return true; /* RFC 7675 5.1: such an error is no answer */
  if (!floe__check_is_authentic(s, p, m) || !floe__check_is_symmetric(p, path)) return true;
  if (m->cls == FLOE__STUN_ERROR) {
    on_error(s, m, was_controlling);
    return true;
  }
  bool newest = floe__stun_txn_take_response(&c->txn, m, s->io->now);
  if (newest) {
    note_rtt(p, c, s->io->now);
    c->retry_at = FLOE_TIME_NEVER;
  }
  p->counts.responses_received++;
  p->answered_at = c->answered_at = s->io->now;
  trace_consent(s, "ok");
  recover(s);
  return true;
}

void floe__consent_hurry(floe__session *s) {
  if (s->consent.next_at != FLOE_TIME_NEVER && s->consent.txn.state != FLOE__STUN_TXN_OPEN)
    s->consent.next_at = s->io->now;
}

void floe__consent_on_heard(floe__session *s) {
  if (s->selected == NULL || s->selected->heard_at != s->io->now) return;
  s->consent.answered_at = s->io->now;
  recover(s);
}

/* --- silence ----------------------------------------------------------------------------------------------------- */

static void disconnect(floe__session *s, floe_cause cause) {
  if (s->state == FLOE_ICE_CONNECTION_DISCONNECTED) return;
  s->lost_at = s->consent.answered_at;
  floe__session_go(s, FLOE_ICE_CONNECTION_DISCONNECTED, cause);
  s->repair_at = s->io->now;
  /* A TURN server that was restarted says nothing of itself: it only relays no more. */
  for (size_t i = 0; i < s->n_gathers; i++) floe__gather_hurry_relays(s->gathers[i]);
}

void floe__consent_lose(floe__session *s, floe_cause cause) {
  floe__stun_txn_clear(&s->consent.txn);
  s->consent.next_at = s->consent.retry_at = FLOE_TIME_NEVER;
  s->consent.answered_at = s->io->now; /* as long as consent would have lasted others are tried */
  s->selected = NULL;
  disconnect(s, cause);
}

static floe_time silent_at(const floe__session *s) {
  if (s->selected == NULL || s->state == FLOE_ICE_CONNECTION_DISCONNECTED) return FLOE_TIME_NEVER;
  const floe__consent *c = &s->consent;
  floe_time since = c->answered_at > c->begun_at ? c->answered_at : c->begun_at;
  return floe__after_ms(since, s->io->settings->cfg.timing.disconnected_ms);
}

static floe_time expires_at(const floe__session *s) {
  if (!floe__session_is_connected(s)) return FLOE_TIME_NEVER;
  return floe__after_ms(s->consent.answered_at, s->io->settings->cfg.timing.consent_timeout_ms);
}

/* Two lite sides have nothing to tell them that the other is there; only that their own address is gone. */
static bool is_watched(const floe__session *s) {
  return !(s->local.lite && s->remote.lite) || s->selected == NULL;
}

bool floe__consent_is_over(const floe__session *s) {
  return is_watched(s) && expires_at(s) <= s->io->now;
}

static void expire(floe__session *s) {
  floe__pair *p = s->selected;
  floe_cause cause = s->state == FLOE_ICE_CONNECTION_DISCONNECTED ? s->cause : FLOE_CAUSE_CONSENT_LOST;
  trace_consent(s, "expired");
  s->selected = NULL;
  floe__consent_stop(s);
  if (s->state != FLOE_ICE_CONNECTION_DISCONNECTED) {
    floe__session_go(s, FLOE_ICE_CONNECTION_DISCONNECTED, cause);
  }
  if (p != NULL) floe__check_fail(s, p, FLOE_PAIR_FAILURE_CONSENT);
  floe__session_go(s, FLOE_ICE_CONNECTION_FAILED, cause);
}

floe__deadline floe__consent_deadline(const floe__session *s) {
  floe__deadline d = FLOE__NO_DEADLINE;
  if (!floe__session_is_connected(s) || !is_watched(s)) return d;
  d = floe__deadline_at(expires_at(s), "ice.consent.expiry");
  d = floe__earliest(d, floe__deadline_at(silent_at(s), "ice.consent.silence"));
  d = floe__earliest(d, floe__deadline_at(s->consent.next_at, "ice.consent"));
  d = floe__earliest(d, floe__deadline_at(s->repair_at, "ice.repair"));
  return floe__earliest(d, floe__deadline_at(s->consent.retry_at, "ice.consent.retransmission"));
}

static void run_retry(floe__session *s) {
  floe__consent *c = &s->consent;
  if (c->retry_at > s->io->now || s->selected == NULL) return;
  c->txn.sent++; /* so the round trip is not measured by it (Karn) */
  c->retry_at = next_retry(s);
  send_request(s);
}

void floe__consent_on_deadline(floe__session *s) {
  floe_time now = s->io->now;
  if (!floe__session_is_connected(s) || !is_watched(s)) return;
  if (expires_at(s) <= now) {
    expire(s);
    return;
  }
  if (silent_at(s) <= now) {
    trace_consent(s, "missed");
    disconnect(s, FLOE_CAUSE_CONSENT_LOST);
  }
  if (s->selected != NULL && s->consent.next_at <= now) ask(s);
  run_retry(s);
  if (s->repair_at <= now) {
    floe__checklist_repair(s);
    s->repair_at = floe__after_ms(now, REPAIR_EVERY_MS);
  }
}
