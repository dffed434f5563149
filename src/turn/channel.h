/* Channels (RFC 8656 12): a number that stands for a peer, bound with ChannelBind, so that data costs four bytes more
 * and not 36. A number is given out once per allocation and stays with its peer, so no two peers can be confused. */
#ifndef FLOE_TURN_CHANNEL_H
#define FLOE_TURN_CHANNEL_H

#include "turn/permission.h"

/* RFC 8656 12: "0x4000 through 0x4FFF: These values are the allowed channel numbers". */
#define FLOE__TURN_CHANNEL_MIN 0x4000
#define FLOE__TURN_CHANNEL_MAX 0x4FFF

/* The next number, or 0 when none is left. */
uint16_t floe__turn_channel_take(floe__turn *turn);
/* CHANNEL-NUMBER of a ChannelBind request. */
void floe__turn_channel_write(const floe__turn_peer *peer, floe__stun_builder *b);
/* The peer to which data goes through a channel, or NULL. */
const floe__turn_peer *floe__turn_channel_to(const floe__turn *turn, floe_time now, const floe_addr *addr);
/* The peer for which this number stands in what the server sends, or NULL. */
const floe__turn_peer *floe__turn_channel_from(const floe__turn *turn, uint16_t number);

#endif
