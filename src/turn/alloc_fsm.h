/* One TURN allocation (RFC 8656): Allocate, refreshed as long as it lives, permissions and channels, data both ways,
 * deleted at the end. It knows nothing of sockets: it is given whole messages from its server and hands back whole
 * messages; framing and TLS are its owner's. */
#ifndef FLOE_TURN_ALLOC_FSM_H
#define FLOE_TURN_ALLOC_FSM_H

#include "floe/config.h"
#include "stun/request.h"

typedef enum floe__turn_state {
  FLOE__TURN_IDLE = 0,
  FLOE__TURN_ALLOCATING, /* the Allocate request is open */
  FLOE__TURN_LIVE,
  FLOE__TURN_DELETING, /* Refresh with LIFETIME 0 is open */
  FLOE__TURN_ENDED,    /* deleted, failed or lost; nothing more is sent */
} floe__turn_state;

/* What a call brought about; at most one at a time. */
typedef enum floe__turn_step {
  FLOE__TURN_STEP_NONE = 0,
  FLOE__TURN_STEP_ALLOCATED,  /* LIVE: relayed, mapped, lifetime_s */
  FLOE__TURN_STEP_FAILED,     /* ENDED, while allocating: `outcome` (code 0: unreachable or not understood; cause NONE:
                                 no answer, and nothing discarded; socket_failed: no memory) */
  FLOE__TURN_STEP_REDIRECT,   /* ENDED, while allocating: 300; alternate, alternate_domain, redirect_signed, outcome */
  FLOE__TURN_STEP_MISMATCH,   /* ENDED, while allocating: 437; outcome */
  FLOE__TURN_STEP_DATA,       /* data_peer, data (borrowed until the next call) */
  FLOE__TURN_STEP_PERMISSION, /* peer, granted; when not: outcome, `error_phase` */
  FLOE__TURN_STEP_LOST,       /* ENDED, after LIVE: refresh_failed or allocation_expired in `outcome` */
  FLOE__TURN_STEP_DELETED,    /* ENDED, after DELETING, whether answered or not */
  FLOE__TURN_STEP_DISCARDED   /* the message is nothing for this allocation; discard_cause: not_stun, wrong_transaction,
                                 bad_fingerprint, bad_integrity, or NONE for a late duplicate and the like */
} floe__turn_step;

typedef struct floe__turn_config {
  bool reliable; /* TCP or TLS */
  floe_relay_family relay_family;
  uint32_t lifetime_s;             /* 0: not asked for */
  const char *software;            /* nullable; keeps */
  const floe__stun_timing *timing; /* keeps */
} floe__turn_config;

/* Permissions last 300 s (RFC 8656 9) and channels 600 s (12); both are refreshed well before. ChannelBind refreshes
 * the permission too, and 12.1 notes "that permissions need to be refreshed more frequently than channels": so a
 * channel is bound again at the pace of its permission. */
#define FLOE__TURN_PERMISSION_MS         (300 * 1000)
#define FLOE__TURN_PERMISSION_REFRESH_MS (240 * 1000)
#define FLOE__TURN_CHANNEL_REFRESH_MS    FLOE__TURN_PERMISSION_REFRESH_MS

typedef struct floe__turn_peer floe__turn_peer; /* permission and channel of one peer: permission.h */

typedef struct floe__turn {
  floe_env *env;
  floe__turn_config cfg;
  void (*send)(void *owner, floe_bytes message);
  void *owner;
  floe__turn_state state;
  floe_time now; /* of the latest call that told it */
  floe__stun_auth auth;
  floe__stun_request request; /* Allocate, later Refresh */
  bool answered;              /* the server has answered anything (first that answers wins) */

  /* results */
  floe__stun_outcome outcome;
  floe_phase error_phase;
  floe_cause discard_cause;
  floe_addr relayed;            /* XOR-RELAYED-ADDRESS of the (first) family asked for */
  floe_addr relayed_additional; /* family 0 = none */
  uint16_t additional_error;    /* ADDRESS-ERROR-CODE's code, or 0 */
  floe_addr mapped;             /* XOR-MAPPED-ADDRESS; family 0 = none */
  uint32_t lifetime_s;
  floe_time refresh_at, expires_at;
  floe_addr alternate;    /* family 0 = none */
  char *alternate_domain; /* nullable; only kept from a signed 300 */
  bool redirect_signed;
  char *software; /* nullable: the server's */
  floe_addr peer;
  bool granted;
  floe_addr data_peer;
  floe_bytes data;

  /* permissions and channels */
  floe__turn_peer **peers;
  size_t n_peers, peers_cap;
  uint16_t next_channel;
} floe__turn;

/* Nothing is sent yet. username and credential are OpaqueString and must outlive the allocation; `turn` stays where it
 * is until it is cleared, and `send` must not call back into it. */
void floe__turn_init(floe__turn *turn, floe_env *env, const floe__turn_config *cfg, const char *username /* keeps */,
                     const char *credential /* keeps */, void (*send)(void *owner, floe_bytes message),
                     void *owner /* keeps */);
void floe__turn_clear(floe__turn *turn);

void floe__turn_start(floe__turn *turn, floe_time now);

/* A whole message from the server (a datagram, or one of the framer's). Brings about at most one step. */
floe__turn_step floe__turn_on_message(floe__turn *turn, floe_time now, floe_bytes message);
/* One due timer; call again while floe__turn_deadline(turn).at <= now. */
floe__turn_step floe__turn_on_deadline(floe__turn *turn, floe_time now);
floe__deadline floe__turn_deadline(const floe__turn *turn);

/* Deletes a LIVE allocation; one that is being deleted goes on so; in any other state it ends at once, with one Refresh
 * behind it when a signed Allocate was not answered yet. */
void floe__turn_delete(floe__turn *turn, floe_time now);
/* Refreshes a LIVE allocation now: is it still there? No answer is no loss before it would have expired anyway. */
void floe__turn_hurry(floe__turn *turn, floe_time now);
/* The connection to the server broke: LIVE becomes ENDED and the caller reports allocation loss. */
void floe__turn_abandon(floe__turn *turn);

/* Installs and keeps a permission, and binds a channel if asked. False: no memory, no channel number left, or not LIVE.
 * A peer that is already permitted is answered again with STEP_PERMISSION at the next deadline (now). One that was
 * refused is asked for again. */
bool floe__turn_permit(floe__turn *turn, floe_time now, const floe_addr *peer, bool use_channel);

/* It was asked for before, in the same way. */
bool floe__turn_has_peer(const floe__turn *turn, const floe_addr *peer, bool use_channel);

typedef enum floe__turn_send {
  FLOE__TURN_SENT = 0,
  FLOE__TURN_NOT_PERMITTED, /* no permission for this peer yet, or not LIVE */
  FLOE__TURN_TOO_LARGE,
  FLOE__TURN_SEND_NOMEM
} floe__turn_send;

/* Wraps data for a peer: ChannelData when its channel is bound, else a Send indication. */
floe__turn_send floe__turn_send_data(floe__turn *turn, floe_time now, const floe_addr *peer, floe_bytes data);

#endif
