/* One client transaction (RFC 8489 6.2): transaction id, retransmissions, giving up. It holds no bytes: its owner
 * builds the same message again for each transmission. */
#ifndef FLOE_STUN_TXN_H
#define FLOE_STUN_TXN_H

#include "base/deadline.h"
#include "base/env_internal.h"
#include "stun/msg.h"

typedef struct floe__stun_timing {
  uint32_t rto_ms;            /* first retransmission */
  uint32_t transmissions;     /* over UDP, in all */
  uint32_t udp_timeout_ms;    /* from the first transmission */
  uint32_t stream_timeout_ms; /* over TCP and TLS, where nothing is retransmitted (6.2.2) */
} floe__stun_timing;

typedef enum floe__stun_txn_state {
  FLOE__STUN_TXN_IDLE = 0, /* not started, or cleared */
  FLOE__STUN_TXN_OPEN,     /* waiting for its response */
  FLOE__STUN_TXN_ANSWERED, /* got it */
  FLOE__STUN_TXN_TIMED_OUT /* gave up */
} floe__stun_txn_state;

typedef struct floe__stun_txn {
  floe__stun_txn_state state;
  uint8_t id[FLOE__STUN_TXN_ID];
  bool reliable;          /* TCP or TLS */
  uint32_t sent;          /* transmissions so far */
  uint32_t transmissions; /* allowed in all */
  floe_time first_at;     /* of the first transmission */
  floe_time last_at;      /* of the last */
  floe_time next_at;      /* retransmission; NEVER when none is left */
  floe_time give_up_at;
  floe_time interval; /* current RTO */
} floe__stun_txn;

typedef enum floe__stun_txn_due {
  FLOE__STUN_TXN_NOTHING = 0,
  FLOE__STUN_TXN_RETRANSMIT, /* the owner sends the same bytes again */
  FLOE__STUN_TXN_GIVE_UP     /* timed out: the state is TIMED_OUT */
} floe__stun_txn_due;

/* Opens a transaction with a new random id; counts the first transmission, which the owner does. */
void floe__stun_txn_start(floe__stun_txn *txn, floe_env *env, const floe__stun_timing *timing, bool reliable,
                          floe_time now);
/* True, and the state is ANSWERED, when `m` is a response with this transaction's id while it is open. */
bool floe__stun_txn_take_response(floe__stun_txn *txn, const floe__stun_msg *m, floe_time now);
floe__stun_txn_due floe__stun_txn_on_deadline(floe__stun_txn *txn, floe_time now);
floe_time floe__stun_txn_deadline(const floe__stun_txn *txn); /* pure; NEVER unless open */
/* Karn: a round trip is known only when the request was sent once. In ms; false when unknown. */
bool floe__stun_txn_rtt(const floe__stun_txn *txn, floe_time answered_at, double *out_ms);
void floe__stun_txn_clear(floe__stun_txn *txn);

#endif
