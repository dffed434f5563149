/* floe/mux.h - any number of ICE agents on one UDP socket, sans-IO: which agent does a datagram belong to?
 *
 * A multiplexer opens nothing itself: the driver has the shared sockets. Agents made with `shared_sockets` in their
 * configuration ask for them (OPEN with `shared`); their TURN servers get sockets of their own. To each agent a shared
 * socket is one of its own, with a name of its own. floe/uv.h does all of this (floe_uv_ice_mux).
 *
 *     FLOE_OUTPUT_OPEN, shared:  floe_ice_mux_bind(mux, agent, out.u.open.sock, &shared_socket_address)
 *     FLOE_OUTPUT_TRANSMIT:      floe_ice_mux_note(mux, now, agent, &out), then send it
 *     FLOE_OUTPUT_CLOSE:         floe_ice_mux_unbind(mux, agent, out.u.close.sock)
 *     a datagram has come:       floe_ice_mux_route(mux, now, &local, &from, data, &match)
 *       match.sock != 0          it is for match.agent, as a DATAGRAM input with that sock
 *       match.agent == NULL and match.local_ufrag.len > 0
 *                                a peer that nothing is known of: accept it or not
 *
 * A check (RFC 8445) names its agent by the ufrag in USERNAME. An answer to a request of ours is found again by its
 * transaction id. Everything else goes to the agent that last had an answer of its peer from the address, or sent data
 * to it; where there is none, to the first that has sent there. A check alone moves nothing, signed or not, since its
 * source address may be a lie. (Except to a lite agent, which never asks: one that it has answered moves the address.)
 *
 * So what a stranger sends never takes an address from an agent; two peers behind the very same address and port cannot
 * be told apart in data. All look-ups take the same time for any number of agents. What has no memory to be remembered
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

/** Whom a datagram, or an error about one, is for. */
typedef struct floe_ice_mux_match {
  floe_ice_agent *agent;   /**< NULL: nobody's */
  void *user;              /**< as given to floe_ice_mux_attach */
  floe_sock_id sock;       /**< what the agent calls the socket; 0 when it has not bound it (yet) */
  floe_bytes local_ufrag;  /**< a check: our side's, before the colon of USERNAME, a slice of it; else empty */
  floe_bytes remote_ufrag; /**< a check: the peer's, after the colon; else empty */
  uint64_t reserved[4];    /**< room for later members */
} floe_ice_mux_match;

/** Makes one.
 *  @param out out: freed with floe_ice_mux_free
 *  @param env keeps
 *  @param cfg copies; nullable
 *  @return FLOE_OK, FLOE_E_NOMEM, FLOE_E_TYPE (size) */
FLOE_API FLOE_MUST_USE floe_status floe_ice_mux_new(floe_ice_mux **out, floe_env *env, const floe_ice_mux_config *cfg);
/** Frees it; agents stay. NULL is fine. */
FLOE_API void floe_ice_mux_free(floe_ice_mux *mux);

/** Adds an agent under the ufrag of its current ICE session; again right after floe_ice_agent_restart, which adds the
 *  new one beside those before it, of which the last seven are kept. The same one again is fine.
 *  @param agent keeps: detach it before it is freed
 *  @param user  keeps: told with each match; that of the last call counts
 *  @return FLOE_OK; FLOE_E_STATE (the ufrag is another agent's); FLOE_E_TOO_LARGE (max_agents); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_mux_attach(floe_ice_mux *mux, floe_ice_agent *agent, void *user);
/** Forgets an agent and all that leads to it. One that is not there is fine. */
FLOE_API void floe_ice_mux_detach(floe_ice_mux *mux, floe_ice_agent *agent);
/** How many agents. */
FLOE_API size_t floe_ice_mux_agents(const floe_ice_mux *mux);

/** An agent's OPEN with `shared` is about to be answered with SOCKET_OPENED: `sock` is its name for the shared socket.
 *  Several names of one agent for one socket are fine: those of ICE sessions before and after a restart.
 *  @param local the shared socket's address and port
 *  @return FLOE_OK; FLOE_E_NOT_FOUND (the agent is not attached); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_mux_bind(floe_ice_mux *mux, const floe_ice_agent *agent, floe_sock_id sock,
                                                     const floe_addr *local);
/** An agent's CLOSE of a shared socket. A name that is not bound is fine. */
FLOE_API void floe_ice_mux_unbind(floe_ice_mux *mux, const floe_ice_agent *agent, floe_sock_id sock);

/** An agent is about to send on a shared socket: remembers what leads back to it.
 *  @param out a TRANSMIT output
 *  @return true, and the address of the shared socket in *local (nullable); false when `sock` is not bound: it is no
 *          matter of the multiplexer */
FLOE_API bool floe_ice_mux_note(floe_ice_mux *mux, floe_time now, const floe_ice_agent *agent, const floe_output *out,
                                floe_addr *local);

/** Finds the agent for a datagram that came to a shared socket.
 *  @param local the shared socket's address and port
 *  @param match out
 *  @return match->agent != NULL */
FLOE_API bool floe_ice_mux_route(floe_ice_mux *mux, floe_time now, const floe_addr *local, const floe_addr *from,
                                 floe_bytes data, floe_ice_mux_match *match);

/** True when a check was signed with this password (RFC 8489 14.5): tells a peer that knows the one which goes with
 *  `local_ufrag` from a stranger, before there is an agent. */
FLOE_API bool floe_ice_mux_check_is_signed(floe_bytes check, const char *password);

/** The agents that have sent to an address lately, for ICMP and send errors, one after the other.
 *  @param local the shared socket's address and port
 *  @param match in and out: all zero starts; leave it alone between the calls
 *  @return match->agent != NULL: false at the end */
FLOE_API bool floe_ice_mux_next_at(const floe_ice_mux *mux, const floe_addr *local, const floe_addr *to,
                                   floe_ice_mux_match *match);

#endif
