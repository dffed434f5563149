/* A peer connection without a protocol, for tests of the driver: its inputs and outputs are those of a scripted agent
 * (fake_ice.h). Linked in place of src/pc. */
#ifndef TESTS_DRIVER_PARTS_FAKE_PC_H
#define TESTS_DRIVER_PARTS_FAKE_PC_H

#include "driver_parts/fake_ice.h"

typedef struct fake_pc {
  fake_core *core; /* inputs and outputs */
  size_t n_calls;
  fake_call call;           /* the last of them */
  floe_status reply;        /* what such calls return */
  bool has_transport;       /* it shows its agent: false at first */
  size_t n_channels;        /* that were made and not freed */
  floe_data_channel *freed; /* the last that was; not to be looked into */
} fake_pc;

fake_pc *fake_pc_of(floe_uv_pc *pc);
/* Of the connections made from now on. */
void fake_pc_next_ufrag(const char *ufrag);

/* A channel of the peer's, not announced yet. */
floe_data_channel *fake_channel(fake_pc *pc);
/* Pushes an event of a channel, or DATACHANNEL. Returns it. */
floe_event *fake_channel_event(fake_pc *pc, floe_event_type type, floe_data_channel *channel);

#endif
