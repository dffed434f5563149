/* What the files about channels share. */
#ifndef FLOE_PC_CHANNEL_INTERNAL_H
#define FLOE_PC_CHANNEL_INTERNAL_H

#include "pc/channel.h"

/* Puts the event into the queue; of a channel that was let go of nothing is told. */
void floe__channel_tell(floe_data_channel *c, floe__channel_node node);
/* The one writer of the state. */
void floe__channel_go(floe_data_channel *c, floe_data_channel_state to);
/* In the list, CONNECTING, without a stream. NULL: no memory. */
floe_data_channel *floe__channel_new(floe_pc *pc, floe_bytes label, floe_bytes protocol);
/* The channel of a stream that is not free; NULL: none. */
floe_data_channel *floe__channels_find(const floe_pc *pc, uint16_t id);
bool floe__channels_reserve_id(floe_pc *pc);
void floe__channel_take_id(floe_data_channel *c, uint16_t id); /* reserved, and free */
/* A stream of our side's. False: none is free, or no memory. */
bool floe__channel_assign_id(floe_data_channel *c);
/* CLOSED, and its stream free. May free it. */
void floe__channel_finish(floe_data_channel *c);
/* Resets our direction of its stream. May free it. */
void floe__channel_reset(floe_data_channel *c);
/* Opens it over an association that is up. May free it. */
void floe__channel_open(floe_data_channel *c);
size_t floe__channel_buffered(const floe_data_channel *c);
/* It waits for room to send (BUFFEREDAMOUNTLOW), or does not any more. */
void floe__channel_starve(floe_data_channel *c, bool starved);

#endif
