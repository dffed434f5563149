/* The inside of a simulated peer connection, shared by sim_pc.c, sim_pc_events.c, sim_pc_channel.c and sim_pc_check.c.
 */
#ifndef FLOE_TESTS_SIM_PC_INTERNAL_H
#define FLOE_TESTS_SIM_PC_INTERNAL_H

#include "support/sim_agent_internal.h"
#include "support/sim_pc.h"

/* sim_pc.c */
void sim_pc_line(sim_pc *x, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* sim_pc_events.c */
void sim_pc_record(sim_pc *x, const floe_event *e);

/* sim_pc_channel.c */
sim_channel *sim_pc_keep_channel(sim_pc *x, floe_data_channel *handle, bool is_ours);
sim_channel *sim_pc_channel_of(const sim_pc *x, const floe_data_channel *handle); /* fails when there is none */
void sim_channel_take(sim_channel *c, const floe_channel_message *m);
void sim_channel_resume(sim_channel *c);
void sim_pc_clear_channels(sim_pc *x);

/* sim_pc_check.c: what holds in every world */
void sim_pc_check_event(sim_pc *x, const floe_event *e);
void sim_pc_check_now(sim_pc *x);

#endif
