#include "ice/pair.h"

#include <string.h>

#include "base/assert.h"
#include "base/trace.h"

/* RFC 8445 6.1.2.6 and 7: any state may be left for Waiting (a triggered check, 7.3.1.4), and Succeeded for Failed
 * (consent). */
static bool is_allowed(floe_pair_state from, floe_pair_state to) {
  switch (to) {
    case FLOE_PAIR_FROZEN: return from == FLOE_PAIR_WAITING || from == FLOE_PAIR_IN_PROGRESS;
    case FLOE_PAIR_WAITING: return from != FLOE_PAIR_WAITING;
    case FLOE_PAIR_IN_PROGRESS: return from == FLOE_PAIR_WAITING;
    case FLOE_PAIR_SUCCEEDED: return from != FLOE_PAIR_SUCCEEDED; /* the answer to a cancelled check may come late */
    case FLOE_PAIR_FAILED: return from != FLOE_PAIR_FAILED;
  }
  return false;
}

void floe__pair_go(floe__pair *p, floe__io *io, floe_pair_state next, floe_pair_failure failure) {
  FLOE__ASSERT(is_allowed(p->state, next));
  FLOE__ASSERT((next == FLOE_PAIR_FAILED) == (failure != FLOE_PAIR_FAILURE_NONE));
  floe__trace t;
  if (floe__trace_begin(&t, io->env, io->now, "ice.pair.state")) {
    floe__trace_int(&t, "pair", p->id);
    floe__trace_int(&t, "local", p->local->pub.id);
    floe__trace_int(&t, "remote", p->remote->pub.id);
    floe__trace_text(&t, "from", floe_pair_state_name(p->state));
    floe__trace_text(&t, "to", floe_pair_state_name(next));
    if (next == FLOE_PAIR_FAILED) floe__trace_text(&t, "failure", floe_pair_failure_name(failure));
    floe__trace_end(&t);
  }
  p->state = next;
  p->failure = failure;
}

uint64_t floe__pair_priority(uint32_t controlling, uint32_t controlled) {
  uint64_t low = controlling < controlled ? controlling : controlled;
  uint64_t high = controlling < controlled ? controlled : controlling;
  return low << 32 | (2 * high + (controlling > controlled ? 1 : 0));
}

bool floe__pair_same_foundation(const floe__pair *a, const floe__pair *b) {
  return strcmp(a->local->pub.foundation, b->local->pub.foundation) == 0 &&
         strcmp(a->remote->pub.foundation, b->remote->pub.foundation) == 0;
}

bool floe__pair_is_undecided(const floe__pair *p) {
  return p->state == FLOE_PAIR_FROZEN || p->state == FLOE_PAIR_WAITING || p->state == FLOE_PAIR_IN_PROGRESS;
}

bool floe__pair_is_tcp(const floe__pair *p) {
  return p->local->pub.transport == FLOE_TRANSPORT_TCP;
}

bool floe__pair_is_relayed(const floe__pair *p) {
  return p->local->pub.type == FLOE_CANDIDATE_RELAY || p->remote->pub.type == FLOE_CANDIDATE_RELAY;
}
