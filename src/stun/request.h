/* One request with its recoveries (the contract's section 3): the transaction, its retransmissions, the 401 and 438
 * rounds, the single retry after 420, and the judgement of what comes back. Binding, Allocate, Refresh,
 * CreatePermission and ChannelBind are each such a request; what is particular to the method is its owner's.
 *
 * The owner parses each packet once, offers it to its requests with floe__stun_request_is_mine, and hands it to the one
 * that knows the transaction id. Packets that are nobody's are the owner's to count. */
#ifndef FLOE_STUN_REQUEST_H
#define FLOE_STUN_REQUEST_H

#include "stun/auth.h"
#include "stun/txn.h"

/* Largest request: SOFTWARE, REALM and NONCE 763 each, USERNAME 508, PASSWORD-ALGORITHMS 128, integrity, FINGERPRINT:
 * 3,020 bytes, and the method's own. */
#define FLOE__STUN_REQUEST_MAX 3584
/* Ids of earlier transactions of this request: a late or duplicated answer to one is no sign of a broken server. */
#define FLOE__STUN_RECENT 8

typedef enum floe__stun_result {
  FLOE__STUN_PENDING = 0,     /* not decided: waiting, retransmitted, retried or discarded */
  FLOE__STUN_RESULT_SUCCESS,  /* a success response that passed integrity, where we are authenticated */
  FLOE__STUN_RESULT_ERROR,    /* an error response stands: outcome.cause, outcome.error */
  FLOE__STUN_RESULT_REDIRECT, /* 300: the owner follows or lets it stand; outcome.error holds the phrase */
  FLOE__STUN_RESULT_MISMATCH, /* 437 to Allocate: the owner takes a new port or lets it stand */
  FLOE__STUN_RESULT_TIMEOUT,  /* no answer in time: outcome.cause is the first kind of discard, or NONE */
  FLOE__STUN_RESULT_BROKEN,   /* the answer ends the attempt: outcome.cause malformed_response, or over a stream
                                 bad_integrity */
  FLOE__STUN_RESULT_NOMEM
} floe__stun_result;

typedef struct floe__stun_outcome {
  floe_cause cause;       /* NONE for a success */
  uint16_t code;          /* 0 when no error response is involved */
  floe__stun_error error; /* valid when code is not 0 */
} floe__stun_outcome;

/* What the owner does for its request. */
typedef struct floe__stun_request_ops {
  /* Adds the method's attributes. `optional`: those that a 420 may name may be added (false after one did). */
  void (*write)(void *owner, uint16_t method, floe__stun_builder *b, bool optional);
  /* Sends one message to the server. Must not call back into the request. */
  void (*send)(void *owner, floe_bytes message);
} floe__stun_request_ops;

typedef struct floe__stun_request {
  floe_env *env;
  const floe__stun_request_ops *ops;
  void *owner;
  const floe__stun_timing *timing; /* keeps: must outlive this */
  floe__stun_auth *auth;           /* nullable: a request that is never signed; keeps: must outlive this */
  const char *software;            /* nullable; keeps: must outlive this */
  uint16_t method;
  bool reliable;
  bool has_optional;    /* the owner's write adds optional attributes */
  bool omit_optional;   /* a 420 came: retried once without them */
  bool was_signed;      /* the open transaction is */
  uint32_t signed_with; /* auth's nonce_serial when it was */
  bool answered;        /* any response with our transaction id and a good fingerprint has come */
  floe__stun_txn txn;
  uint8_t recent[FLOE__STUN_RECENT][FLOE__STUN_TXN_ID];
  uint8_t n_recent;         /* how many were ever put there; from 248 on only its remainder by 8 still counts */
  uint32_t sent;            /* requests sent since the start, retransmissions included */
  uint32_t discarded;       /* responses discarded since the start: bad_integrity, bad_fingerprint */
  floe_cause first_discard; /* NONE, or the cause of the first */
  bool has_rtt;
  double rtt_ms; /* of the last transaction answered at its first transmission */
} floe__stun_request;

void floe__stun_request_init(floe__stun_request *req, floe_env *env, const floe__stun_request_ops *ops,
                             void *owner /* keeps */, const floe__stun_timing *timing /* keeps */, uint16_t method,
                             bool reliable);
void floe__stun_request_clear(floe__stun_request *req); /* forgets an open transaction */

/* Sends it. Whatever an earlier start counted or found out (sent, discarded, answered, omit_optional) is forgotten. */
void floe__stun_request_start(floe__stun_request *req, floe_time now);
bool floe__stun_request_is_open(const floe__stun_request *req);

/* The response's id is that of the open transaction. */
bool floe__stun_request_is_mine(const floe__stun_request *req, const floe__stun_msg *m);
/* The id is that of an earlier transaction of this request, or of its last one, which is over. */
bool floe__stun_request_was_mine(const floe__stun_request *req, const floe__stun_msg *m);

/* A response with our id (is_mine). `parse` is how it parsed: OVERRUN ends as malformed. `unix_ms` nullable. `out` is
 * filled unless PENDING. */
floe__stun_result floe__stun_request_on_response(floe__stun_request *req, floe_time now, const floe__stun_msg *m,
                                                 floe__stun_parse parse, const int64_t *unix_ms,
                                                 floe__stun_outcome *out);
floe__stun_result floe__stun_request_on_deadline(floe__stun_request *req, floe_time now, floe__stun_outcome *out);
floe_time floe__stun_request_deadline(const floe__stun_request *req);

#endif
