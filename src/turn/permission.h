/* What one allocation may exchange data with (RFC 8656 9, 10): each peer is asked for with CreatePermission, or with
 * ChannelBind (channel.h), which installs the same permission; both are refreshed as long as the allocation lives. */
#ifndef FLOE_TURN_PERMISSION_H
#define FLOE_TURN_PERMISSION_H

#include "turn/alloc_fsm.h"

typedef enum floe__turn_peer_state {
  FLOE__TURN_PEER_NEW = 0,
  FLOE__TURN_PEER_ASKING, /* the request is open, nothing is granted yet */
  FLOE__TURN_PEER_GRANTED,
  FLOE__TURN_PEER_REFRESHING, /* granted, and the request is open again */
  FLOE__TURN_PEER_REFUSED     /* and told; asked again only by floe__turn_permit */
} floe__turn_peer_state;

struct floe__turn_peer {
  floe__turn *turn;
  floe_addr addr;
  uint16_t channel; /* 0: CreatePermission, else ChannelBind of this number */
  floe__turn_peer_state state;
  floe_time refresh_at; /* GRANTED */
  floe_time expires_at; /* GRANTED, REFRESHING */
  floe_time answer_at;  /* asked for again while granted: when to tell so; NEVER when not */
  floe__stun_request request;
};

/* The peer whose open request this answers, or NULL. */
floe__turn_peer *floe__turn_peer_of_response(const floe__turn *turn, const floe__stun_msg *m);
/* It answers an earlier transaction of one. */
bool floe__turn_peers_were_asked(const floe__turn *turn, const floe__stun_msg *m);

floe__turn_step floe__turn_peer_on_response(floe__turn_peer *peer, floe_time now, const floe__stun_msg *m,
                                            floe__stun_parse parse);
/* One due timer of one peer. */
floe__turn_step floe__turn_peers_on_deadline(floe__turn *turn, floe_time now);
floe__deadline floe__turn_peers_deadline(const floe__turn *turn);

/* Data may be sent to it: a permission is for an IP address, whatever the port (RFC 8656 9). */
bool floe__turn_peer_may_send(const floe__turn *turn, floe_time now, const floe_addr *addr);
/* Data may come from it. */
bool floe__turn_peer_may_receive(const floe__turn *turn, const floe_addr *addr);

/* Ends what is asked of the server; nothing is granted any more, but late answers are still known. */
void floe__turn_peers_stop(floe__turn *turn);
void floe__turn_peers_clear(floe__turn *turn);

#endif
