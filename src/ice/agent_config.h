/* What an agent was configured with, for the peer connection that owns it. */
#ifndef FLOE_ICE_AGENT_CONFIG_H
#define FLOE_ICE_AGENT_CONFIG_H

#include "floe/ice.h"

/* The configuration in force, defaults filled in, without ice_servers. Valid until the agent is freed. */
const floe_ice_config *floe__agent_config(const floe_ice_agent *agent);
/* The present time, for a call that has none: floe_ice_agent_set_role. */
void floe__agent_tell_time(floe_ice_agent *agent, floe_time now);
/* Its number in traces. */
uint32_t floe__agent_number(const floe_ice_agent *agent);
/* Bytes that wait to be taken as outputs. */
size_t floe__agent_pending(const floe_ice_agent *agent);

#endif
