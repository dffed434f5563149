/* What a connection tells in traces beside the changes of its machines' states (docs/guide/trace.md). Labels,
 * protocols, messages and descriptions are the program's: their sizes are told, and nothing of what is in them. */
#ifndef FLOE_PC_TRACE_H
#define FLOE_PC_TRACE_H

#include "floe/pc.h"
#include "pc/description.h"
#include "pc/signaling.h"

/* What follows is this connection's doing. */
void floe__pc_trace_as(const floe_pc *pc);
/* A description is about to be applied. `d` NULL: a rollback. */
void floe__pc_trace_description(const floe_pc *pc, floe__side side, const floe__description *d);
void floe__pc_trace_refused(const floe_pc *pc, floe__side side, floe_sdp_type type, floe_status status);
void floe__pc_trace_state(const floe_pc *pc, floe_pc_state to, floe_cause cause);
/* All is known of the channel but, perhaps, its stream. */
void floe__pc_trace_channel(const floe_data_channel *c, bool by_peer);
/* The first message of the channel in a direction. */
void floe__pc_trace_first_message(const floe_data_channel *c, bool sent, size_t len);

#endif
