/* Multicast DNS for the agents: one floe_mdns for all of them, made when the first asks for it. */
#ifndef FLOE_UV_MDNS_H
#define FLOE_UV_MDNS_H

#include "uv/agent.h"

/* As a RESOLVE output with `multicast` asks for it. Answered from the drain, never from inside this, unless there is no
 * memory. */
void floe__uv_mdns_resolve(floe_uv_ice_agent *agent, const floe_output *out);
/* As a PUBLISH output asks for it. */
void floe__uv_mdns_publish(floe_uv_ice_agent *agent, const floe_output *out);
/* The agent goes away: its look-ups end unheard, its names are withdrawn. */
void floe__uv_mdns_forget(floe_uv_ice_agent *agent);

/* Each of these takes a driver without multicast DNS as well. */

/* The host's addresses are now these. */
void floe__uv_mdns_on_interfaces_changed(floe_uv *uv, const floe_interface *list, size_t n);
bool floe__uv_mdns_is_ready(const floe_uv *uv);
/* Takes the outputs. */
void floe__uv_mdns_drain(floe_uv *uv);
/* Says goodbye for what is left and closes the sockets. */
void floe__uv_mdns_close(floe_uv *uv);

#endif
