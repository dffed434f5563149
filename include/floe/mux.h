/* floe/mux.h - any number of ICE agents on one UDP socket, sans-IO: which agent does a datagram belong to?
 *
 * A multiplexer opens nothing itself: the driver has the shared sockets, asks floe_ice_mux_route for each datagram that
 * comes, and tells it with floe_ice_mux_note each one that an agent sends. Agents made with `shared_sockets` in their
 * configuration ask for the shared sockets (OPEN with `shared`); their TURN servers get sockets of their own.
 * floe/uv.h does all this (floe_uv_ice_mux). There may be any number of multiplexers.
 *
 *     floe_ice_agent *agent = floe_ice_mux_route(mux, now, &from, data, &request);
 *     if (agent == NULL && request.local_ufrag.len > 0) ... a peer that nothing is known of: accept it or not ...
 *
 * A check (RFC 8445) names its agent by the ufrag in USERNAME. An answer to a request of ours is found again by its
 * transaction id. Everything else goes to the agent that last had an answer of its peer from the address, or sent data
 * to it; where there is none, to the first that has sent there. A check alone moves nothing, signed or not, since its
 * source address may be a lie. (Except to a lite agent, which never asks: one that it has answered moves the address.)
 *
 * So what a stranger sends never takes an address from an agent; two peers behind the very same address and port cannot
 * be told apart in data. All look-ups take the same time for any number of agents; what has no memory to be remembered
 * is not, and the peer's next packet is as good.
 */
#ifndef FLOE_MUX_H
#define FLOE_MUX_H

#include "floe/ice.h"

/** @file
 *  Many ICE agents on one socket. */

/** Opaque: a multiplexer. */
typedef struct floe_ice_mux floe_ice_mux;

/** Its configuration. Zero in a field is its default. */
typedef struct floe_ice_mux_config {
  uint32_t size;             /**< sizeof the struct, set by floe_ice_mux_config_init */
  uint32_t max_agents;       /**< [1000000] agents */
  uint32_t max_addresses;    /**< [64] addresses remembered per agent; the oldest gives way */
  uint32_t max_transactions; /**< [256] open requests remembered per agent; the oldest gives way */
} floe_ice_mux_config;

/** Zeroes `cfg` and sets its size. */
FLOE_API void floe_ice_mux_config_init(floe_ice_mux_config *cfg, size_t size);

/** What a check says of itself, for a peer that is not known. Slices of the datagram. */
typedef struct floe_ice_mux_request {
  floe_bytes local_ufrag;  /**< our side's, before the colon of USERNAME; empty: it is no check */
  floe_bytes remote_ufrag; /**< the peer's, after the colon */
} floe_ice_mux_request;

/** Makes one.
 *  @param out out: freed with floe_ice_mux_free
 *  @param env keeps
 *  @param cfg copies; nullable
 *  @return FLOE_OK, FLOE_E_NOMEM, FLOE_E_TYPE (size) */
FLOE_API FLOE_MUST_USE floe_status floe_ice_mux_new(floe_ice_mux **out, floe_env *env, const floe_ice_mux_config *cfg);
/** Frees it; agents stay. NULL is fine. */
FLOE_API void floe_ice_mux_free(floe_ice_mux *mux);

/** Adds an agent under the ufrag of its current ICE session; again after floe_ice_agent_restart, which adds the new one
 *  beside those before it, of which the last seven are kept. The same one again is fine.
 *  @param agent keeps: detach it before it is freed
 *  @return FLOE_OK; FLOE_E_STATE (the ufrag is another agent's); FLOE_E_TOO_LARGE (max_agents); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_mux_attach(floe_ice_mux *mux, floe_ice_agent *agent);
/** Forgets an agent and all that leads to it. One that is not there is fine. */
FLOE_API void floe_ice_mux_detach(floe_ice_mux *mux, floe_ice_agent *agent);
/** How many agents. */
FLOE_API size_t floe_ice_mux_agents(const floe_ice_mux *mux);

/** Keeps a pointer of the program's with an agent that is attached: what floe_ice_mux_route finds is the core's. */
FLOE_API void floe_ice_mux_set_user(floe_ice_mux *mux, const floe_ice_agent *agent, void *user);
/** That pointer; NULL when there is none, or no such agent. */
FLOE_API void *floe_ice_mux_user(const floe_ice_mux *mux, const floe_ice_agent *agent);

/** An agent is about to send this datagram on a shared socket. */
FLOE_API void floe_ice_mux_note(floe_ice_mux *mux, floe_time now, const floe_ice_agent *agent, const floe_addr *to,
                                floe_bytes data);

/** The agent for a datagram that came to a shared socket, or NULL: nobody's.
 *  @param request out, nullable: the ufrags when it is a check */
FLOE_API floe_ice_agent *floe_ice_mux_route(floe_ice_mux *mux, floe_time now, const floe_addr *from, floe_bytes data,
                                            floe_ice_mux_request *request);

/** True when a check was signed with this password (RFC 8489 14.5): tells a peer that knows the one which goes with
 *  `local_ufrag` from a stranger, before there is an agent. */
FLOE_API bool floe_ice_mux_check_is_signed(floe_bytes check, const char *password);

/** The agents that have sent to this address lately, for ICMP and send errors, one after the other: NULL starts, and
 *  comes at the end. */
FLOE_API floe_ice_agent *floe_ice_mux_next_at(const floe_ice_mux *mux, const floe_addr *addr,
                                              const floe_ice_agent *after);

#endif
