/* A peer connection on the driver, and who listens to its channels. To the driver it is one more machine with inputs
 * and outputs (uv/agent.h): pc.c has that and its life, pc_api.c what the program asks of it, data_channel.c its
 * channels.
 */
#ifndef FLOE_UV_PC_H
#define FLOE_UV_PC_H

#include "uv/agent.h"

/* The driver's part of a channel. */
typedef struct floe__uv_channel {
  floe_uv_pc *pc;
  floe_data_channel *core;
  floe__uv_event_target target;
  bool is_leaving; /* freed by the program from inside one of the connection's callbacks */
  struct floe__uv_channel *prev, *next;
} floe__uv_channel;

struct floe_uv_pc {
  floe_uv_ice_agent agent; /* first: freed as one. Its `core` is the connection's agent, for a multiplexer */
  floe_pc *core;           /* NULL when it has finished closing */
  floe__uv_channel *channels;
  bool has_leaving; /* some of them are */
  void *user;
};

/* The program may still change it. */
static inline bool floe__uv_pc_is_live(const floe_uv_pc *pc) {
  return pc->agent.state == FLOE__UV_AGENT_LIVE;
}

/* Fills `why` (nullable) and returns FLOE_E_STATE. */
floe_status floe__uv_pc_refuse_closed(floe_error *why);
/* Descriptions were made or set: sees to it that the outputs are taken, and that a multiplexer knows the ufrag. */
void floe__uv_pc_changed(floe_uv_pc *pc);

/* NULL: no memory. */
floe__uv_channel *floe__uv_channel_new(floe_uv_pc *pc);
/* From now on `core` has it. */
void floe__uv_channel_attach(floe__uv_channel *channel, floe_data_channel *core);
/* Frees the driver's part. NULL is fine. */
void floe__uv_channel_free(floe__uv_channel *channel);
/* A channel of the peer's is about to be announced. False: no memory, and the channel was let go of. */
bool floe__uv_channel_announced(floe_uv_pc *pc, floe_data_channel *core);
/* Calls those who listen to a channel; nobody does to one that the program has freed. */
void floe__uv_channel_dispatch(const floe_uv_pc *pc, const floe_event *event);
/* Lets go of channels that were freed while the program was called. */
void floe__uv_channels_release(floe_uv_pc *pc);

#endif
