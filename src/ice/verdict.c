/* Why there is no connection: from what was counted to one cause. */
#include "ice/session.h"

typedef struct tally {
  uint32_t denied, unreachable, valid, rejected_401, conflict;
  uint32_t decided;
} tally;

static tally count(const floe__session *s) {
  tally t = {0};
  for (size_t i = 0; i < s->n_pairs; i++) {
    const floe__pair *p = s->pairs[i];
    if (p->failure == FLOE_PAIR_FAILURE_RELAY_DENIED) t.denied++;
    if (p->failure == FLOE_PAIR_FAILURE_UNREACHABLE || p->failure == FLOE_PAIR_FAILURE_TCP) t.unreachable++;
    if (p->state == FLOE_PAIR_SUCCEEDED) t.valid++;
    if (p->counts.stun_error == 401 || p->counts.stun_error == 400) t.rejected_401++;
    if (p->counts.stun_error == 487) t.conflict++;
    if (p->state == FLOE_PAIR_FAILED) t.decided++;
  }
  return t;
}

static bool has_local(const floe__session *s) {
  for (size_t i = 0; i < s->candidates.n; i++) {
    if (!s->candidates.items[i]->is_gone) return true;
  }
  return false;
}

static bool has_remote_address(const floe__session *s) {
  for (size_t i = 0; i < s->remotes.n; i++) {
    if (s->remotes.items[i]->pub.address.family != FLOE_FAMILY_NONE) return true;
  }
  return false;
}

static bool has_gone(const floe__session *s) {
  for (size_t i = 0; i < s->candidates.n; i++) {
    if (s->candidates.items[i]->is_gone) return true;
  }
  return false;
}

/* No pair could be made at all. */
static floe_cause cause_without_pairs(const floe__session *s) {
  if (!has_local(s)) return has_gone(s) ? FLOE_CAUSE_NETWORK_GONE : FLOE_CAUSE_NO_LOCAL_CANDIDATES;
  if (s->remotes.n == 0) return FLOE_CAUSE_NO_REMOTE_CANDIDATES;
  if (!has_remote_address(s)) return FLOE_CAUSE_REMOTE_UNRESOLVABLE;
  return FLOE_CAUSE_NO_COMMON_FAMILY;
}

floe_cause floe__session_verdict(const floe__session *s) {
  tally t = count(s);
  if (s->cause != FLOE_CAUSE_NONE) return s->cause;
  if (t.valid > 0) return FLOE_CAUSE_NOT_NOMINATED;
  /* What the peer, or whoever sits at its address, says outweighs silence. */
  bool heard_check = s->requests_received > 0;
  if (s->unknown_ufrag > 0 && !heard_check) return FLOE_CAUSE_UFRAG_MISMATCH;
  if (s->bad_integrity > 0 && !s->heard_anything) return FLOE_CAUSE_BAD_INTEGRITY;
  if (t.rejected_401 > 0 && !s->heard_anything) return FLOE_CAUSE_UFRAG_MISMATCH;
  if (s->n_pairs == 0) return cause_without_pairs(s);
  if (t.conflict > 0) return FLOE_CAUSE_ROLE_CONFLICT;
  if (heard_check) return s->bad_integrity > 0 ? FLOE_CAUSE_BAD_INTEGRITY : FLOE_CAUSE_CHECKS_ONE_WAY;
  if (t.denied > 0) return FLOE_CAUSE_RELAY_DENIED; /* the way that is left when no other works */
  if (t.unreachable > 0 && t.unreachable == t.decided) return FLOE_CAUSE_CHECKS_UNREACHABLE;
  return FLOE_CAUSE_CHECKS_UNANSWERED;
}
