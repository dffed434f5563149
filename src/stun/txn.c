#include "stun/txn.h"

#include <string.h>

#include "base/assert.h"
#include "base/rng.h"

static bool may_follow(floe__stun_txn_state from, floe__stun_txn_state to) {
  switch (to) {
    case FLOE__STUN_TXN_IDLE:
    case FLOE__STUN_TXN_OPEN: return true;
    case FLOE__STUN_TXN_ANSWERED:
    case FLOE__STUN_TXN_TIMED_OUT: return from == FLOE__STUN_TXN_OPEN;
  }
  return false;
}

static void go(floe__stun_txn *txn, floe__stun_txn_state to) {
  FLOE__ASSERT(may_follow(txn->state, to));
  txn->state = to;
}

void floe__stun_txn_start(floe__stun_txn *txn, floe_env *env, const floe__stun_timing *timing, bool reliable,
                          floe_time now) {
  floe__random(env, txn->id, sizeof txn->id);
  txn->reliable = reliable;
  txn->sent = 1;
  /* RFC 8489 6.2.2: over TCP and TLS the transport retransmits. */
  txn->transmissions = reliable ? 1 : timing->transmissions;
  txn->first_at = now;
  txn->last_at = now;
  txn->interval = (floe_time)timing->rto_ms * FLOE_MS;
  txn->next_at = txn->transmissions > 1 ? floe__after_ms(now, timing->rto_ms) : FLOE_TIME_NEVER;
  txn->give_up_at = floe__after_ms(now, reliable ? timing->stream_timeout_ms : timing->udp_timeout_ms);
  go(txn, FLOE__STUN_TXN_OPEN);
}

bool floe__stun_txn_take_response(floe__stun_txn *txn, const floe__stun_msg *m, floe_time now) {
  (void)now;
  if (txn->state != FLOE__STUN_TXN_OPEN) return false;
  if (m->cls != FLOE__STUN_SUCCESS && m->cls != FLOE__STUN_ERROR) return false;
  if (memcmp(m->txn_id, txn->id, sizeof txn->id) != 0) return false;
  go(txn, FLOE__STUN_TXN_ANSWERED);
  return true;
}

/* RFC 8489 6.2.1: each retransmission doubles the wait for the next. */
static void count_retransmission(floe__stun_txn *txn, floe_time now) {
  txn->sent++;
  txn->last_at = now;
  txn->interval *= 2;
  txn->next_at = FLOE_TIME_NEVER;
  if (txn->sent < txn->transmissions && now < FLOE_TIME_NEVER - 1 - txn->interval) txn->next_at = now + txn->interval;
}

floe__stun_txn_due floe__stun_txn_on_deadline(floe__stun_txn *txn, floe_time now) {
  if (txn->state != FLOE__STUN_TXN_OPEN) return FLOE__STUN_TXN_NOTHING;
  if (now >= txn->give_up_at) {
    go(txn, FLOE__STUN_TXN_TIMED_OUT);
    return FLOE__STUN_TXN_GIVE_UP;
  }
  if (now < txn->next_at) return FLOE__STUN_TXN_NOTHING;
  count_retransmission(txn, now);
  return FLOE__STUN_TXN_RETRANSMIT;
}

floe_time floe__stun_txn_deadline(const floe__stun_txn *txn) {
  if (txn->state != FLOE__STUN_TXN_OPEN) return FLOE_TIME_NEVER;
  return txn->next_at < txn->give_up_at ? txn->next_at : txn->give_up_at;
}

bool floe__stun_txn_rtt(const floe__stun_txn *txn, floe_time answered_at, double *out_ms) {
  if (txn->sent != 1) return false;
  *out_ms = floe__ms_between(txn->first_at, answered_at);
  return true;
}

void floe__stun_txn_clear(floe__stun_txn *txn) {
  go(txn, FLOE__STUN_TXN_IDLE);
}
