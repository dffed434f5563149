/* A NAT probe on a simulated host: takes its outputs, opens its sockets, answers its look-ups, and writes its result
 * down as text. What holds in every world is checked: poll ends in WAIT for a later time, sockets are known and closed
 * at the end, no block is left, and nothing is asked for once the result is there. */
#ifndef FLOE_TESTS_SIM_NAT_PROBE_H
#define FLOE_TESTS_SIM_NAT_PROBE_H

#include "floe/nat.h"
#include "support/sim_net.h"

typedef struct sim_nat_probe sim_nat_probe;

/* `fail_at`: this allocation fails; 0 = none. A refused configuration fails the test, unless memory was made to fail.
 */
sim_nat_probe *sim_nat_probe_new(sim_host *h, const floe_nat_config *cfg, uint64_t fail_at);
/* Frees it and checks that nothing is left. Also done by sim_free. */
void sim_nat_probe_free(sim_nat_probe *p);

void sim_nat_probe_start(sim_nat_probe *p);
/* Runs until the result is there, or for `limit_ms`; NULL when it did not come. */
const floe_nat_result *sim_nat_probe_run(sim_nat_probe *p, uint64_t limit_ms);
/* Any input. */
void sim_nat_probe_feed(sim_nat_probe *p, const floe_input *in);

/* "mapping endpoint-independent certain, filtering address-dependent likely, hairpin yes"; "no result". Valid until the
 * next call. */
const char *sim_nat_probe_summary(sim_nat_probe *p);
/* The whole result. Valid until the next call. */
const char *sim_nat_probe_text(sim_nat_probe *p);
/* What was asked of the driver, as in sim_agent_wire. */
const char *sim_nat_probe_wire(const sim_nat_probe *p);
uint64_t sim_nat_probe_allocations(const sim_nat_probe *p);

#endif
