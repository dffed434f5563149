/* Which pair is used (RFC 8445 8). The controlling side nominates one that works; the controlled one follows, whether
 * the peer nominates one pair (regular) or every pair that works (aggressive, RFC 5245), and when it changes its mind.
 */
#include "base/trace.h"
#include "ice/session.h"

/* A nomination of a worse pair counts when the one in use was not nominated for so long: the peer has changed its
 * mind, and not just nominated everything that works. */
#define CHANGE_OF_MIND_MS 4000

bool floe__pair_is_valid(const floe__pair *p) {
  if (p->state != FLOE_PAIR_SUCCEEDED || p->local->is_gone) return false;
  return !floe__pair_is_tcp(p) || (p->link != NULL && p->link->state == FLOE__TCP_LINK_OPEN);
}

static void trace_pair(floe__session *s, const floe__pair *p, const char *event, const char *by) {
  floe__trace t;
  if (!floe__trace_begin(&t, s->io->env, s->io->now, event)) return;
  floe__trace_int(&t, "pair", p->id);
  if (by != NULL) floe__trace_text(&t, "by", by);
  floe__trace_end(&t);
}

/* --- selecting --------------------------------------------------------------------------------------------------- */

void floe__session_select(floe__session *s, floe__pair *p) {
  if (s->selected == p) return;
  if (s->selected != NULL && !s->local.lite) {
    s->selected->keepalive_at = floe__after_ms(s->io->now, s->io->settings->cfg.timing.keepalive_ms);
  }
  s->selected = p;
  s->conn->selections++;
  trace_pair(s, p, "ice.selected", NULL);
  /* RFC 8656 12: a channel makes data cost four bytes and not 36. */
  if (p->local->pub.type == FLOE_CANDIDATE_RELAY) {
    (void)floe__session_permit(s, p->local, &p->remote->pub.address, true);
  }
  floe__consent_begin(s);
  s->nominate_at = FLOE_TIME_NEVER;
  if (s->state != FLOE_ICE_CONNECTION_COMPLETED) {
    floe__session_go(s, FLOE_ICE_CONNECTION_CONNECTED, FLOE_CAUSE_NONE);
  }
  floe__checklist_rest(s);
  s->is_idle = false;
}

/* --- controlled -------------------------------------------------------------------------------------------------- */

/* A consent check has gone unanswered for a while, however often it was sent. */
static bool is_silent(const floe__session *s) {
  const floe__stun_txn *txn = &s->consent.txn;
  return txn->state == FLOE__STUN_TXN_OPEN && txn->sent >= 4 && floe__ms_between(txn->first_at, s->io->now) >= 1000;
}

static bool is_in_trouble(const floe__session *s) {
  if (s->state == FLOE_ICE_CONNECTION_DISCONNECTED) return true;
  return s->selected != NULL && (!floe__pair_is_valid(s->selected) || is_silent(s));
}

static bool is_change_of_mind(const floe__session *s, const floe__pair *p) {
  floe_time since = floe__after_ms(s->selected->nominated_at, CHANGE_OF_MIND_MS);
  return p->nominated_at != 0 && p->nominated_at >= since;
}

static bool takes_over(const floe__session *s, const floe__pair *p) {
  if (s->selected == NULL || s->selected == p || is_in_trouble(s)) return true;
  if (s->conn->role == FLOE_ICE_ROLE_CONTROLLING) return true; /* we have chosen it */
  return p->priority > s->selected->priority || is_change_of_mind(s, p);
}

void floe__nominate_done(floe__session *s, floe__pair *p) {
  bool ours = p->is_nominating;
  p->is_nominating = p->peer_nominated = false;
  if (!p->is_nominated) trace_pair(s, p, "ice.nominated", ours ? "us" : "peer");
  p->is_nominated = true;
  if (takes_over(s, p)) floe__session_select(s, p);
}

/* --- controlling ------------------------------------------------------------------------------------------------- */

/* When the pair in use is in trouble, only those that have answered since count. Of the others the best is taken that
 * was not nominated in vain more often than the rest. */
static floe__pair *find_best_valid(const floe__session *s, const floe__pair *except) {
  floe_time since = is_in_trouble(s) ? s->consent.answered_at : 0;
  floe__pair *best = NULL;
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    if (p == except || !floe__pair_is_valid(p) || (since != 0 && p->answered_at <= since)) continue;
    if (best == NULL || p->nominated_in_vain < best->nominated_in_vain) best = p;
  }
  return best;
}

bool floe__nominate_elsewhere(floe__session *s, floe__pair *p) {
  if (find_best_valid(s, p) == NULL) return false;
  p->is_nominating = false;
  p->nominated_in_vain++;
  p->keepalive_at = floe__after_ms(s->io->now, s->io->settings->cfg.timing.keepalive_ms);
  return true;
}

static bool has_nomination_under_way(const floe__session *s) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    if (s->pairs[i]->is_nominating) return true;
  }
  return false;
}

/* A better pair than this one may still turn out to work. */
static bool has_better_open(const floe__session *s, const floe__pair *best) {
  for (size_t i = 0; i < s->n_pairs && s->pairs[i] != best; i++) {
    if (floe__pair_is_undecided(s->pairs[i])) return true;
  }
  /* Candidates of the peer that have not come yet may be better than a relayed one. */
  return floe__pair_is_relayed(best) && (!s->remote_ended || floe__remote_is_pending(&s->remotes));
}

static floe_time decide_at(const floe__session *s, const floe__pair *best) {
  uint32_t wait = s->io->settings->cfg.timing.nomination_ms;
  if (!floe__pair_is_relayed(best)) wait = wait / 10;
  return floe__after_ms(s->valid_at, wait);
}

static void nominate(floe__session *s, floe__pair *p) {
  p->is_nominating = true;
  p->nominating_since = s->io->now;
  floe__check_again(s, p);
}

static bool is_direct_upgrade(const floe__session *s, const floe__pair *best) {
  return best != s->selected && best->priority > s->selected->priority && floe__pair_is_relayed(s->selected) &&
         !floe__pair_is_relayed(best);
}

/* RFC 8445 8.1.1 has one nomination per session. A second one is made in two cases: the pair in use has failed, and a
 * direct path was found after a relayed one was chosen (docs/decisions/0007-later-nomination.md). */
static bool may_choose(const floe__session *s, const floe__pair *best) {
  if (s->selected == NULL) return true;
  if (s->selected == best) return false;
  return is_in_trouble(s) || is_direct_upgrade(s, best);
}

/* A nomination may have come before the peer's parameters. */
static void follow_lite(floe__session *s) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    if (p->peer_nominated && floe__pair_is_valid(p)) floe__nominate_done(s, p);
  }
}

/* RFC 8445 6.1.1 and 8.2: two lite sides make no checks: each takes the best pair that it can make, once it knows all
 * candidates, or has waited for them. */
static void choose_lite(floe__session *s) {
  if (s->selected != NULL || s->n_pairs == 0 || !s->remote.lite) return;
  floe__pair *p = s->pairs[0];
  if (p->state != FLOE_PAIR_FROZEN) return;
  floe_time by = floe__after_ms(s->started_at, s->io->settings->cfg.timing.nomination_ms);
  if (!s->remote_ended && s->io->now < by) {
    s->nominate_at = by;
    return;
  }
  floe__pair_go(p, s->io, FLOE_PAIR_SUCCEEDED, FLOE_PAIR_FAILURE_NONE);
  p->valid_local = p->local;
  p->is_nominated = true;
  floe__session_select(s, p);
}

void floe__nominate(floe__session *s) {
  if (!floe__session_is_checking(s)) return;
  if (s->local.lite) {
    s->nominate_at = FLOE_TIME_NEVER;
    follow_lite(s);
    choose_lite(s);
    return;
  }
  s->nominate_at = FLOE_TIME_NEVER;
  if (s->conn->role != FLOE_ICE_ROLE_CONTROLLING || has_nomination_under_way(s)) return;
  floe__pair *best = find_best_valid(s, NULL);
  if (best == NULL || !may_choose(s, best)) return;
  bool wait = s->selected == NULL && has_better_open(s, best) && s->io->now < decide_at(s, best);
  if (wait) {
    s->nominate_at = decide_at(s, best);
  } else {
    nominate(s, best);
  }
}
