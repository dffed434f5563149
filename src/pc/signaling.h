/* The signalling state machine (webrtc-pc 4.3.1, RFC 9429 3.2 and 4.1): which description may be set when, and what is
 * pending and current. */
#ifndef FLOE_PC_SIGNALING_H
#define FLOE_PC_SIGNALING_H

#include "pc/description.h"

/* What is known of an offer or answer made here, beside its text. */
typedef enum floe__made {
  FLOE__MADE_NONE = 0, /* none, or of a negotiation that is over: cannot be set */
  FLOE__MADE_STALE,    /* can be set; it does not say how things are any more */
  FLOE__MADE_FRESH     /* what would be made now */
} floe__made;

typedef struct floe__signaling {
  floe_signaling_state state;
  floe__description *current_local, *pending_local;   /* nullable */
  floe__description *current_remote, *pending_remote; /* nullable */
  char *last_offer, *last_answer;                     /* nullable: W3C [[LastCreatedOffer]], [[LastCreatedAnswer]];
                                                         the program may read them until the next are made */
  floe__made offer_made, answer_made;
  char session_id[21];      /* RFC 9429 5.2.1: 63 random bits as digits */
  uint64_t session_version; /* of the description made last */
  bool needs_negotiation;   /* W3C [[NegotiationNeeded]] */
  floe__pc_node needed;     /* tells it, once however often it was asked for */
  char *replace_ufrags[2]; /* nullable: W3C [[LocalIceCredentialsToReplace]], of the session and the current description
                            */
  char next_ufrag[9], next_pwd[25]; /* of the description made last, when it restarts ICE; "" when it does not */
} floe__signaling;

typedef enum floe__side { FLOE__LOCAL = 0, FLOE__REMOTE = 1 } floe__side;

/* The state that setting a description of `type` by `side` leads to. False: it does not fit `from`. An offer of the
 * peer in have-local-offer leads to have-remote-offer: the implicit rollback is the caller's. */
bool floe__signaling_next(floe_signaling_state from, floe__side side, floe_sdp_type type, floe_signaling_state *to);

void floe__signaling_clear(floe_pc *pc);
/* The one writer of the state; tells it. The node was made before, so that this cannot fail. */
void floe__signaling_go(floe_pc *pc, floe_signaling_state to, floe__pc_node *node /* takes */);
/* Something that offers show has changed. */
void floe__signaling_outdate_offer(floe_pc *pc);
/* webrtc-pc 4.7.3 "update the negotiation-needed flag". */
void floe__signaling_update_negotiation(floe_pc *pc);
/* webrtc-pc 4.7.3 "check if negotiation is needed", also asked when the event's turn has come. */
bool floe__signaling_is_negotiation_due(const floe_pc *pc);
/* restartIce() was called, or credentials are to be replaced for another reason, and have not been yet. */
bool floe__signaling_wants_restart(const floe_pc *pc);
/* The pending description of the side, else the current; NULL: none. */
floe__description *floe__signaling_local(const floe_pc *pc);
floe__description *floe__signaling_remote(const floe_pc *pc);

/* offer.c: makes the text; *out is the caller's to free. */
floe_status floe__pc_make_offer(floe_pc *pc, bool ice_restart, char **out, floe_error *why);
floe_status floe__pc_make_answer(floe_pc *pc, char **out, floe_error *why);

/* apply.c: what a description that was set means for the transport. */
floe_status floe__pc_apply_local_offer(floe_pc *pc, const floe__description *offer);
/* The negotiation has come to an answer, or a provisional one: transports start. */
floe_status floe__pc_apply_answer(floe_pc *pc, floe__description *local, floe__description *remote, bool we_offered,
                                  floe_error *why);
floe_status floe__pc_apply_rollback(floe_pc *pc, bool of_ours);

#endif
