/* The checklist (RFC 8445 6.1.2, 6.1.4.2): which pairs there are, and which is checked next. */
#include <string.h>

#include "base/assert.h"
#include "ice/session.h"

/* --- which two make a pair --------------------------------------------------------------------------------------- */

/* RFC 6544 6.2: active with passive, simultaneous-open with its like. */
static bool tcp_types_fit(floe_tcp_type local, floe_tcp_type remote) {
  switch (local) {
    case FLOE_TCP_TYPE_NONE: return remote == FLOE_TCP_TYPE_NONE;
    case FLOE_TCP_TYPE_ACTIVE: return remote == FLOE_TCP_TYPE_PASSIVE;
    case FLOE_TCP_TYPE_PASSIVE: return remote == FLOE_TCP_TYPE_ACTIVE;
    case FLOE_TCP_TYPE_SO: return remote == FLOE_TCP_TYPE_SO;
  }
  return false;
}

/* A link-local or loopback address reaches only its like. */
static bool kinds_fit(const floe__candidate *local, const floe__remote *remote) {
  if (local->pub.type == FLOE_CANDIDATE_RELAY) return true; /* what the server reaches is its own affair */
  floe__base_kind own = floe__addr_kind(&local->base);
  floe__base_kind other = floe__addr_kind(&remote->pub.address);
  if (own == FLOE__BASE_LOOPBACK || other == FLOE__BASE_LOOPBACK) return own == other;
  return own == other || local->base.family == FLOE_FAMILY_IPV4;
}

/* RFC 8445 6.1.2.4: what is sent from a reflexive candidate is sent from its base, so such pairs are those of the host
 * candidate; only where none was made of the base does it stand for itself. */
static bool is_sent_from(const floe__session *s, const floe__candidate *c) {
  if (c->pub.type == FLOE_CANDIDATE_PRFLX) return false;
  if (c->pub.type != FLOE_CANDIDATE_SRFLX) return true;
  for (size_t i = 0; i < s->candidates.n; i++) {
    const floe__candidate *other = s->candidates.items[i];
    if (other != c && other->sock == c->sock && other->pub.transport == c->pub.transport && !other->is_gone) {
      if (other->pub.type == FLOE_CANDIDATE_HOST) return false;
      if (other->pub.type == FLOE_CANDIDATE_SRFLX && other->pub.id < c->pub.id) return false;
    }
  }
  return true;
}

static bool may_pair(const floe__session *s, const floe__candidate *local, const floe__remote *remote) {
  const floe_addr *to = &remote->pub.address;
  if (local->is_gone || to->family == FLOE_FAMILY_NONE || local->base.family != to->family) return false;
  if (local->pub.transport != remote->pub.transport) return false;
  if (!tcp_types_fit(local->pub.tcp_type, remote->pub.tcp_type)) return false;
  return kinds_fit(local, remote) && is_sent_from(s, local);
}

/* --- making pairs ------------------------------------------------------------------------------------------------ */

static uint64_t priority_of(const floe__session *s, const floe__candidate *local, const floe__remote *remote) {
  bool controlling = s->conn->role == FLOE_ICE_ROLE_CONTROLLING;
  uint32_t g = controlling ? local->pub.priority : remote->pub.priority;
  uint32_t d = controlling ? remote->pub.priority : local->pub.priority;
  return floe__pair_priority(g, d);
}

static floe__pair *find(const floe__session *s, const floe__candidate *local, const floe__remote *remote) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    if (s->pairs[i]->local == local && s->pairs[i]->remote == remote) return s->pairs[i];
  }
  return NULL;
}

floe__pair *floe__checklist_find(const floe__session *s, const floe__candidate *local, const floe_addr *remote,
                                 const floe__tcp_link *link) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    const floe_addr *to = &p->remote->pub.address;
    if (p->local != local || p->link != link) continue;
    if (floe_addr_equal_ip(to, remote) && to->port == remote->port) return p;
  }
  return NULL;
}

static void free_pair(floe__session *s, floe__pair *p) {
  floe__free(s->io->env, p);
}

static void insert(floe__session *s, floe__pair *p) {
  size_t at = s->n_pairs++;
  while (at > 0 && s->pairs[at - 1]->priority < p->priority) {
    s->pairs[at] = s->pairs[at - 1];
    at--;
  }
  s->pairs[at] = p;
}

static void remove_at(floe__session *s, size_t at) {
  free_pair(s, s->pairs[at]);
  memmove(&s->pairs[at], &s->pairs[at + 1], (s->n_pairs - at - 1) * sizeof *s->pairs);
  s->n_pairs--;
}

/* What is not in use and has told nothing yet. */
static bool may_go(const floe__session *s, const floe__pair *p) {
  if (p == s->selected || p->link != NULL || p->permission == FLOE__PERMISSION_ASKED) return false;
  return p->state == FLOE_PAIR_FROZEN || p->state == FLOE_PAIR_WAITING || p->state == FLOE_PAIR_FAILED;
}

/* RFC 8445 6.1.2.5: the worst give way. Failed ones first, for they have had their turn. */
static bool make_room(floe__session *s, uint64_t priority) {
  if (s->n_pairs < s->io->settings->cfg.max_pairs) return true;
  for (size_t i = s->n_pairs; i-- > 0;) {
    floe__pair *p = s->pairs[i];
    if (!may_go(s, p) || (p->state != FLOE_PAIR_FAILED && p->priority >= priority)) continue;
    remove_at(s, i);
    return true;
  }
  return false;
}

floe__pair *floe__checklist_pair(floe__session *s, floe__candidate *local, floe__remote *remote) {
  floe__pair *p = find(s, local, remote);
  if (p != NULL || !may_pair(s, local, remote)) return p;
  uint64_t priority = priority_of(s, local, remote);
  if (!make_room(s, priority)) return NULL;
  void *pairs = s->pairs;
  if (!floe__reserve(s->io->env, &pairs, &s->pairs_cap, sizeof *s->pairs, s->n_pairs + 1)) return NULL;
  s->pairs = pairs;
  p = floe__zalloc(s->io->env, sizeof *p);
  if (p == NULL) return NULL;
  p->id = ++s->conn->last_pair;
  p->local = local;
  p->remote = remote;
  p->priority = priority;
  p->keepalive_at = FLOE_TIME_NEVER;
  insert(s, p);
  s->is_idle = false;
  return p;
}

void floe__checklist_on_locals(floe__session *s) {
  while (s->n_paired < s->candidates.n) {
    floe__candidate *local = s->candidates.items[s->n_paired++];
    /* A relay that is lost and made again, and again, brings nothing new. */
    if (local->pub.type != FLOE_CANDIDATE_RELAY) s->fresh_at = s->io->now;
    for (size_t i = 0; i < s->remotes.n; i++) (void)floe__checklist_pair(s, local, s->remotes.items[i]);
  }
}

void floe__checklist_on_remote(floe__session *s, floe__remote *r) {
  s->fresh_at = s->io->now;
  for (size_t i = 0; i < s->n_paired; i++) (void)floe__checklist_pair(s, s->candidates.items[i], r);
}

void floe__checklist_clear(floe__session *s) {
  for (size_t i = 0; i < s->n_pairs; i++) free_pair(s, s->pairs[i]);
  floe__free(s->io->env, s->pairs);
  s->pairs = NULL;
  s->n_pairs = s->pairs_cap = 0;
  s->selected = NULL;
}

void floe__checklist_sort(floe__session *s) {
  size_t n = s->n_pairs;
  s->n_pairs = 0;
  for (size_t i = 0; i < n; i++) {
    floe__pair *p = s->pairs[i];
    p->priority = priority_of(s, p->local, p->remote);
    insert(s, p);
  }
  s->is_idle = false;
}

/* RFC 8445 7.3.1.1: "a role switch requires an agent to recompute pair priorities". */
void floe__checklist_on_role(floe__session *s) {
  s->role_seen = s->conn->role_changes;
  floe__checklist_sort(s);
  for (size_t i = 0; i < s->n_pairs; i++) s->pairs[i]->is_nominating = false;
}

/* --- the next check ---------------------------------------------------------------------------------------------- */

/* A better pair than the one in use, or any pair when that one is in trouble. */
static bool is_wanted(const floe__session *s, const floe__pair *p) {
  if (s->local.lite) return false;
  if (s->selected == NULL || s->state == FLOE_ICE_CONNECTION_DISCONNECTED) return true;
  return p->priority > s->selected->priority;
}

/* An answer to its first transmission is overdue, or it waits for a connection or a permission. */
static bool is_slow(const floe__pair *p) {
  return p->state == FLOE_PAIR_IN_PROGRESS && (p->txn.state != FLOE__STUN_TXN_OPEN || p->txn.sent >= 2);
}

/* RFC 8445 6.1.4.2: a frozen pair may go when no other of its foundation is waiting or in progress. One whose answer
 * is overdue holds up the others only while there is something else to do: peers exist that give all their candidates
 * one foundation. */
static bool may_thaw(const floe__session *s, const floe__pair *p, bool beside_slow) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    const floe__pair *other = s->pairs[i];
    if (other == p || (other->state != FLOE_PAIR_WAITING && other->state != FLOE_PAIR_IN_PROGRESS)) continue;
    if (floe__pair_same_foundation(p, other) && !(beside_slow && is_slow(other))) return false;
  }
  return true;
}

static floe__pair *find_triggered(const floe__session *s) {
  floe__pair *best = NULL;
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    if (p->trigger != 0 && (best == NULL || p->trigger < best->trigger)) best = p;
  }
  return best;
}

static floe__pair *find_waiting(const floe__session *s) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    if (s->pairs[i]->state == FLOE_PAIR_WAITING && is_wanted(s, s->pairs[i])) return s->pairs[i];
  }
  return NULL;
}

static floe__pair *find_frozen(const floe__session *s, bool beside_slow) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    if (p->state == FLOE_PAIR_FROZEN && is_wanted(s, p) && may_thaw(s, p, beside_slow)) return p;
  }
  return NULL;
}

/* RFC 8445 6.1.2.6: the best pair of each foundation waits from the start. */
static floe__pair *find_ordinary(const floe__session *s) {
  floe__pair *waiting = find_waiting(s);
  floe__pair *frozen = find_frozen(s, false);
  if (waiting != NULL && frozen != NULL) return frozen->priority > waiting->priority ? frozen : waiting;
  if (waiting == NULL && frozen == NULL) return find_frozen(s, true);
  return waiting != NULL ? waiting : frozen;
}

floe__pair *floe__checklist_next(floe__session *s) {
  floe__pair *p = find_triggered(s);
  if (p != NULL) {
    p->trigger = 0;
  } else {
    p = find_ordinary(s);
  }
  if (p != NULL && p->state == FLOE_PAIR_FROZEN) floe__pair_go(p, s->io, FLOE_PAIR_WAITING, FLOE_PAIR_FAILURE_NONE);
  return p;
}

void floe__checklist_trigger(floe__session *s, floe__pair *p) {
  if (p->state != FLOE_PAIR_WAITING) floe__pair_go(p, s->io, FLOE_PAIR_WAITING, FLOE_PAIR_FAILURE_NONE);
  if (p->trigger == 0) p->trigger = ++s->last_trigger;
  s->is_idle = false;
}

void floe__checklist_thaw(floe__session *s, const floe__pair *p) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *other = s->pairs[i];
    if (other->state != FLOE_PAIR_FROZEN || !is_wanted(s, other) || !floe__pair_same_foundation(p, other)) continue;
    floe__pair_go(other, s->io, FLOE_PAIR_WAITING, FLOE_PAIR_FAILURE_NONE);
  }
  s->is_idle = false;
}

/* --- beside a pair in use ---------------------------------------------------------------------------------------- */

void floe__checklist_rest(floe__session *s) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    if (p == s->selected || is_wanted(s, p)) continue;
    if (p->state != FLOE_PAIR_WAITING && p->state != FLOE_PAIR_IN_PROGRESS) continue;
    floe__check_cancel(p);
    p->trigger = 0;
    floe__pair_go(p, s->io, FLOE_PAIR_FROZEN, FLOE_PAIR_FAILURE_NONE);
  }
}

void floe__checklist_repair(floe__session *s) {
  if (s->local.lite) return; /* the peer does */
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    if (p == s->selected || p->local->is_gone) continue;
    if (p->state == FLOE_PAIR_FAILED) floe__checklist_trigger(s, p);
    if (p->state == FLOE_PAIR_SUCCEEDED && p->txn.state != FLOE__STUN_TXN_OPEN) floe__check_again(s, p);
  }
  s->is_idle = false;
}

bool floe__checklist_is_open(const floe__session *s) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    const floe__pair *p = s->pairs[i];
    if (p->txn.state == FLOE__STUN_TXN_OPEN && p->state == FLOE_PAIR_SUCCEEDED && p->is_nominating) return true;
    if (floe__pair_is_undecided(p) && is_wanted(s, p)) return true;
  }
  return false;
}

void floe__checklist_on_gone(floe__session *s) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    if (!p->local->is_gone) continue;
    bool relay = p->local->pub.type == FLOE_CANDIDATE_RELAY;
    if (p->state == FLOE_PAIR_FAILED) continue;
    floe__check_fail(s, p, relay ? FLOE_PAIR_FAILURE_RELAY_LOST : FLOE_PAIR_FAILURE_ADDRESS_GONE);
  }
}

/* In use, or heard of within the time that a consent lasts. */
static bool is_needed(const floe__session *s, const floe__remote *r) {
  uint32_t lasts = s->io->settings->cfg.timing.consent_timeout_ms;
  for (size_t i = 0; i < s->n_pairs; i++) {
    const floe__pair *p = s->pairs[i];
    if (p->remote != r) continue;
    floe_time heard = p->heard_at > p->answered_at ? p->heard_at : p->answered_at;
    if (p == s->selected || p->link != NULL || floe__after_ms(heard, lasts) > s->io->now) return true;
  }
  return false;
}

bool floe__checklist_forget_learnt(floe__session *s) {
  /* Before there is a connection the limit is what ends the game of two NATs that map each check anew. */
  if (!floe__session_is_connected(s)) return false;
  if (s->conn->events->first != NULL) return false; /* one that is still to be told may be about it */
  for (size_t i = 0; i < s->remotes.n; i++) {
    floe__remote *r = s->remotes.items[i];
    if (!r->is_learnt || is_needed(s, r)) continue;
    for (size_t k = s->n_pairs; k-- > 0;) {
      if (s->pairs[k]->remote == r) remove_at(s, k);
    }
    floe__remote_forget(&s->remotes, s->io, r);
    return true;
  }
  return false;
}
