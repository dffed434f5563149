/* floe/uv.h - the driver: sockets, names, interfaces and timers for Floe's agents on a libuv loop that the caller owns.
 *
 * What servers give, and why not:
 *
 *     floe_uv *uv;
 *     floe_uv_ice_agent *agent;
 *     if (floe_uv_new(&uv, uv_default_loop(), NULL, &why) != FLOE_OK) ...
 *     if (floe_uv_ice_agent_new(&agent, uv, &cfg, &why) != FLOE_OK) ...
 *     floe_uv_ice_agent_on_icecandidateerror(agent, on_error, NULL);
 *     if (floe_uv_ice_agent_gather(agent) != FLOE_OK) ...
 *     uv_run(uv_default_loop(), UV_RUN_DEFAULT);
 *
 * A connection to a peer needs these calls beside:
 *
 *     floe_uv_ice_agent_on_data(agent, on_data, NULL);                      // what the peer sends
 *     floe_uv_ice_agent_local_description(agent, text, sizeof text);        // when gathering is complete: to the peer
 *     floe_uv_ice_agent_set_remote_description(agent, from_peer, &why);     // what the peer sent of the same kind
 *     floe_uv_ice_agent_send(agent, data, 0);                               // once iceconnectionstatechange: connected
 *
 * Everything runs in the loop's thread. Callbacks are called from one place, never from inside a call of the program's,
 * and may call anything here, closing and freeing included.
 *
 * A program with another loop embeds the driver: pass NULL as the loop, watch floe_uv_backend_fd for reading, wait at
 * most floe_uv_backend_timeout, then call floe_uv_dispatch.
 */
#ifndef FLOE_UV_H
#define FLOE_UV_H

#include "floe/ice.h"
#include "floe/mux.h"
#include "floe/nat.h"
#include "floe/pc.h"
#include "floe/stats.h"

/** @file
 *  The libuv driver and the event target. */

struct uv_loop_s;

/** Opaque: the driver. */
typedef struct floe_uv floe_uv;
/** Opaque: an ICE agent on the driver. */
typedef struct floe_uv_ice_agent floe_uv_ice_agent;

/** Receives an event. `event` and all that it points at are valid until the listener returns. */
typedef void (*floe_event_listener)(const floe_event *event, void *user);

/** Options of the driver. Zero in a field is its default. */
typedef struct floe_uv_config {
  uint32_t size;                  /**< sizeof the struct, set by floe_uv_config_init */
  const floe_env_config *env;     /**< copies; nullable: what the program lends to the core */
  const char *const *dns_servers; /**< copies; nullable: "192.0.2.53" or "[2001:db8::53]:53"; default: the system's */
  size_t n_dns_servers;           /**< how many */
  bool no_network_monitor;        /**< do not watch for changes of the host's addresses (Linux; elsewhere it is the
                                       program that notices): see floe_uv_ice_agent_on_interfaces_changed */
} floe_uv_config;

/** Zeroes `cfg` and sets its size. */
FLOE_API void floe_uv_config_init(floe_uv_config *cfg, size_t size);

/** Makes a driver.
 *  @param out  out: freed with floe_uv_close
 *  @param loop keeps: must outlive the driver; nullable: the driver makes a loop of its own, see floe_uv_backend_fd
 *  @param cfg  copies; nullable
 *  @param why  out, nullable
 *  @return FLOE_OK, FLOE_E_NOMEM, FLOE_E_TYPE, FLOE_E_SYSTEM */
FLOE_API FLOE_MUST_USE floe_status floe_uv_new(floe_uv **out, struct uv_loop_s *loop, const floe_uv_config *cfg,
                                               floe_error *why);

/** Closes the driver: agents that are not closed are freed without a word to their servers, and the memory is given
 *  back once libuv has closed the handles, so the loop must be run until then (uv_run returns when nothing else is
 *  left). With a loop of its own it is all done on return. NULL is fine. Not from inside a callback of an own loop. */
FLOE_API void floe_uv_close(floe_uv *uv);

/** The driver's env, for the clock and for objects of the core. Its wall clock is kept right by the driver. */
FLOE_API floe_env *floe_uv_env(floe_uv *uv);

/** The driver's clock: uv_hrtime. */
FLOE_API floe_time floe_uv_now(const floe_uv *uv);

/** Embedding: a descriptor that is readable when floe_uv_dispatch has something to do; -1 where the system has none. */
FLOE_API int floe_uv_backend_fd(const floe_uv *uv);
/** Embedding: milliseconds until floe_uv_dispatch must be called; -1 = no limit, 0 = now. */
FLOE_API int floe_uv_backend_timeout(const floe_uv *uv);
/** Embedding: does what is due, without blocking. Returns true while anything is left to wait for. Not from inside a
 *  callback. */
FLOE_API bool floe_uv_dispatch(floe_uv *uv);

/** Makes an agent on the driver.
 *  @param out out: freed with floe_uv_ice_agent_close
 *  @param uv  keeps: must outlive the agent
 *  @param cfg copies
 *  @param why out, nullable
 *  @return as floe_ice_agent_new */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_new(floe_uv_ice_agent **out, floe_uv *uv,
                                                         const floe_ice_config *cfg, floe_error *why);

/** Closes and frees the agent: no callback but `on_closed` after this call. Its allocations are deleted at their
 *  servers while the loop runs.
 *  @param agent     takes; NULL is fine, and then on_closed is not called
 *  @param on_closed nullable: called once everything is closed
 *  @param user      handed to on_closed */
FLOE_API void floe_uv_ice_agent_close(floe_uv_ice_agent *agent, void (*on_closed)(void *user), void *user);

/** The agent of the core, for its getters. Do not feed or poll it. */
FLOE_API floe_ice_agent *floe_uv_ice_agent_core(floe_uv_ice_agent *agent);

/** floe_ice_agent_gather. The first events come from the loop, not from inside this call. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_gather(floe_uv_ice_agent *agent);

/** floe_ice_agent_prefetch. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_prefetch(floe_uv_ice_agent *agent);

/* --- connecting: the calls of floe/ice.h, with the driver's clock ------------------------------------------------ */

/** floe_ice_agent_set_role. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_set_role(floe_uv_ice_agent *agent, floe_ice_role role);

/** floe_ice_agent_role; UNKNOWN once the agent is closed. */
FLOE_API floe_ice_role floe_uv_ice_agent_role(const floe_uv_ice_agent *agent);

/** floe_ice_agent_local_parameters; NULL once the agent is closed. */
FLOE_API const floe_ice_parameters *floe_uv_ice_agent_local_parameters(const floe_uv_ice_agent *agent);

/** floe_ice_agent_remote_parameters; NULL once the agent is closed. */
FLOE_API const floe_ice_parameters *floe_uv_ice_agent_remote_parameters(const floe_uv_ice_agent *agent);

/** floe_ice_agent_set_remote_parameters. The first events come from the loop, not from inside this call.
 *  @param agent  the agent
 *  @param params copies
 *  @param why    out, nullable
 *  @return as floe_ice_agent_set_remote_parameters */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_set_remote_parameters(floe_uv_ice_agent *agent,
                                                                           const floe_ice_parameters *params,
                                                                           floe_error *why);

/** floe_ice_agent_add_remote_candidate.
 *  @param agent the agent
 *  @param line  "candidate:...", with or without "a=" before it; "" is the end of the candidates
 *  @param why   out, nullable
 *  @return as floe_ice_agent_add_remote_candidate */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_add_remote_candidate(floe_uv_ice_agent *agent, const char *line,
                                                                          floe_error *why);

/** floe_ice_agent_end_of_remote_candidates. */
FLOE_API void floe_uv_ice_agent_end_of_remote_candidates(floe_uv_ice_agent *agent);

/** floe_ice_agent_local_description; "" once the agent is closed. */
FLOE_API size_t floe_uv_ice_agent_local_description(const floe_uv_ice_agent *agent, char *out, size_t cap);

/** floe_ice_agent_set_remote_description.
 *  @param agent the agent
 *  @param text  what the peer's floe_uv_ice_agent_local_description wrote, or a session description
 *  @param why   out, nullable
 *  @return as floe_ice_agent_set_remote_description */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_set_remote_description(floe_uv_ice_agent *agent, const char *text,
                                                                            floe_error *why);

/** floe_ice_agent_restart. For an agent on a multiplexer also FLOE_E_NOMEM: it has restarted, and checks for its new
 *  ufrag do not find it; restart it again. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_restart(floe_uv_ice_agent *agent);

/** floe_ice_agent_on_interfaces_changed. Needed only where the driver does not notice by itself: on a system other than
 *  Linux, or with `no_network_monitor`. */
FLOE_API void floe_uv_ice_agent_on_interfaces_changed(floe_uv_ice_agent *agent);

/** floe_ice_agent_connection_state; CLOSED once the agent is closed. */
FLOE_API floe_ice_connection_state floe_uv_ice_agent_connection_state(const floe_uv_ice_agent *agent);

/** floe_ice_agent_selected_pair; false, and NULLs, once the agent is closed. Valid until the next call on the agent, or
 *  until the loop runs. */
FLOE_API bool floe_uv_ice_agent_selected_pair(const floe_uv_ice_agent *agent, const floe_ice_candidate **local,
                                              const floe_ice_candidate **remote);

/** floe_ice_agent_stats. NULL: no memory, or the agent is closed. Valid until the next call on the agent, or until the
 *  loop runs. */
FLOE_API const floe_stats *floe_uv_ice_agent_stats(floe_uv_ice_agent *agent);

/** floe_ice_agent_connection_report. NULL: no memory, or the agent is closed. Valid until the next call on the agent,
 *  or until the loop runs. */
FLOE_API const floe_connection_report *floe_uv_ice_agent_connection_report(floe_uv_ice_agent *agent);

/* --- data --------------------------------------------------------------------------------------------------------- */

/** Receives data of peers. What the arguments point at is valid until the function returns, whatever it calls
 *  meanwhile.
 *  @param candidate id of the local candidate it came to
 *  @param from      the peer
 *  @param data      what it sent: one datagram, or one message of a TCP connection
 *  @param user      as given to floe_uv_ice_agent_on_data */
typedef void (*floe_uv_data_handler)(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user);

/** Sets the function that receives all data of peers, whichever candidate it came to; NULL removes it. Without one,
 * data goes to `on_data` of floe_uv_ice_agent_on_relay; without that one too it is dropped. */
FLOE_API void floe_uv_ice_agent_on_data(floe_uv_ice_agent *agent, floe_uv_data_handler fn, void *user);

/** floe_ice_agent_send. It leaves the host when the loop runs, and then allocates nothing over UDP. The code point is
 *  set on each datagram; of a TCP connection it marks what the system sends from then on. A system that does not let it
 *  be set sends without.
 *  @return as floe_ice_agent_send; FLOE_E_AGAIN also while TCP connections of this agent have max_queue_bytes to
 *          send. No event says that there is room again: try later, from a timer for instance */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_send(floe_uv_ice_agent *agent, floe_bytes data, uint8_t dscp);

/** floe_ice_agent_permit; `on_permission` of floe_uv_ice_agent_on_relay is told. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_permit(floe_uv_ice_agent *agent, uint32_t candidate,
                                                            const floe_addr *peer, bool use_channel);

/** floe_ice_agent_send_relayed. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_send_relayed(floe_uv_ice_agent *agent, uint32_t candidate,
                                                                  const floe_addr *peer, floe_bytes data);

/** For programs that relay by hand (floe_uv_ice_agent_permit, floe_uv_ice_agent_send_relayed): data of peers, and the
 *  answers to permit. What the arguments point at is valid until the function returns, whatever it calls meanwhile. */
typedef struct floe_uv_relay_handler {
  floe_uv_data_handler on_data; /**< nullable: not called while floe_uv_ice_agent_on_data has set another */
  void (*on_permission)(uint32_t candidate, const floe_addr *peer, bool granted, void *user); /**< nullable */
  void *user;                                                                                 /**< handed to both */
} floe_uv_relay_handler;

/** Sets the relay handler; NULL removes it. Copies. */
FLOE_API void floe_uv_ice_agent_on_relay(floe_uv_ice_agent *agent, const floe_uv_relay_handler *handler);

/** Adds a listener (DOM addEventListener). Listeners run in the order they were added; the same (fn, user) for the same
 *  type is added once; one added during dispatch first runs at the next event.
 *  @return FLOE_OK, FLOE_E_NOMEM, FLOE_E_TYPE (type) */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_add_event_listener(floe_uv_ice_agent *agent, floe_event_type type,
                                                                        floe_event_listener fn, void *user);

/** Removes a listener; one that is not there is fine. Safe during dispatch: it is not called any more. */
FLOE_API void floe_uv_ice_agent_remove_event_listener(floe_uv_ice_agent *agent, floe_event_type type,
                                                      floe_event_listener fn, void *user);

/** The handler property `onicegatheringstatechange`; NULL removes it. As in the DOM it takes its place in the order of
 *  the listeners when it is first set, and keeps it while it is replaced.
 *  @return FLOE_OK, FLOE_E_NOMEM */
FLOE_API floe_status floe_uv_ice_agent_on_icegatheringstatechange(floe_uv_ice_agent *agent, floe_event_listener fn,
                                                                  void *user);
/** The handler property `onicecandidate`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_ice_agent_on_icecandidate(floe_uv_ice_agent *agent, floe_event_listener fn, void *user);
/** The handler property `onicecandidateerror`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_ice_agent_on_icecandidateerror(floe_uv_ice_agent *agent, floe_event_listener fn,
                                                            void *user);
/** The handler property `oniceservererror`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_ice_agent_on_iceservererror(floe_uv_ice_agent *agent, floe_event_listener fn, void *user);
/** The handler property `oniceconnectionstatechange`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_ice_agent_on_iceconnectionstatechange(floe_uv_ice_agent *agent, floe_event_listener fn,
                                                                   void *user);
/** The handler property `onselectedcandidatepairchange`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_ice_agent_on_selectedcandidatepairchange(floe_uv_ice_agent *agent, floe_event_listener fn,
                                                                      void *user);

/* --- many agents on one port -------------------------------------------------------------------------------------- */

/** Opaque: a multiplexer with its sockets (floe/mux.h): one per local address, all on one port, shared by any number of
 *  agents. There may be several. */
typedef struct floe_uv_ice_mux floe_uv_ice_mux;

/** A check for a ufrag that no agent of the multiplexer has. */
typedef struct floe_uv_ice_mux_request {
  const char *local_ufrag;  /**< the one that the peer asks for: 4 to 256 ice-chars */
  const char *remote_ufrag; /**< the peer's own: 4 to 256 ice-chars */
  const floe_addr *from;    /**< where it says that it comes from: anyone may lie about that */
  floe_bytes check;         /**< the check, for floe_ice_mux_check_is_signed */
  uint64_t reserved[4];     /**< room for later members */
} floe_uv_ice_mux_request;

/** Options of a multiplexer. Zero in a field is its default. */
typedef struct floe_uv_ice_mux_config {
  uint32_t size;                     /**< sizeof the struct, set by floe_uv_ice_mux_config_init */
  uint16_t port;                     /**< [0 = any, the same on every address] UDP port */
  const floe_addr *addresses;        /**< copies; nullable: open these local addresses at once, ports ignored; others
                                          when an agent asks for them */
  size_t n_addresses;                /**< [0 = with on_unknown_ufrag all of the host's, else none] how many */
  const floe_ice_mux_config *limits; /**< copies; nullable: see floe/mux.h */
  /** nullable: a peer that nothing is known of. It may make an agent on the multiplexer (floe_uv_ice_agent_new_on_mux)
   *  with `local_ufrag` in its configuration, and so accept it: the check is then that agent's. Called again for each
   *  further check of a peer that was not accepted. */
  void (*on_unknown_ufrag)(floe_uv_ice_mux *mux, const floe_uv_ice_mux_request *request, void *user);
  void *user;           /**< handed to on_unknown_ufrag */
  uint64_t reserved[4]; /**< room for later members: 0 */
} floe_uv_ice_mux_config;

/** Zeroes `cfg` and sets its size. */
FLOE_API void floe_uv_ice_mux_config_init(floe_uv_ice_mux_config *cfg, size_t size);

/** Makes a multiplexer.
 *  @param out out: freed with floe_uv_ice_mux_close
 *  @param uv  keeps: must outlive the multiplexer; floe_uv_close closes those that are left
 *  @param cfg copies; nullable
 *  @param why out, nullable: path "addresses[0]" for one that cannot be opened, with the system's reason
 *  @return FLOE_OK, FLOE_E_NOMEM, FLOE_E_TYPE, FLOE_E_SYSTEM */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_mux_new(floe_uv_ice_mux **out, floe_uv *uv,
                                                       const floe_uv_ice_mux_config *cfg, floe_error *why);

/** Closes its sockets, which keep the loop running until then, and frees it. Agents on it stay, without those sockets:
 *  close them before. Any callback may do this. NULL is fine. */
FLOE_API void floe_uv_ice_mux_close(floe_uv_ice_mux *mux);

/** Its port; 0 as long as that is not settled: no socket is open, and none was given. */
FLOE_API uint16_t floe_uv_ice_mux_port(const floe_uv_ice_mux *mux);
/** How many agents are on it. */
FLOE_API size_t floe_uv_ice_mux_agents(const floe_uv_ice_mux *mux);

/** Makes an agent whose UDP host candidates are on the multiplexer's sockets: `shared_sockets` is set for it, its port
 *  range is not for these. It leaves the multiplexer when it is closed.
 *  @param out out: freed with floe_uv_ice_agent_close
 *  @param mux keeps
 *  @param cfg copies
 *  @param why out, nullable
 *  @return as floe_ice_agent_new and floe_ice_mux_attach; FLOE_E_STATE: `local_ufrag` is another agent's */
FLOE_API FLOE_MUST_USE floe_status floe_uv_ice_agent_new_on_mux(floe_uv_ice_agent **out, floe_uv_ice_mux *mux,
                                                                const floe_ice_config *cfg, floe_error *why);

/* --- peer connections --------------------------------------------------------------------------------------------- */

/** Opaque: a peer connection on the driver. */
typedef struct floe_uv_pc floe_uv_pc;

/** Makes a peer connection on the driver. Its first events come from the loop, not from inside a call:
 *
 *      floe_uv_pc_new(&pc, uv, NULL, &why);
 *      floe_uv_pc_on_icecandidate(pc, on_candidate, NULL);              // event->u.signaled goes to the peer
 *      floe_uv_pc_create_data_channel(pc, "chat", NULL, &channel, &why);
 *      floe_uv_data_channel_on_message(channel, on_message, NULL);
 *      floe_uv_pc_set_local_description(pc, NULL, &why);
 *      send_to_peer(floe_pc_local_description(floe_uv_pc_core(pc)));
 *
 *  @param out out: freed with floe_uv_pc_close
 *  @param uv  keeps: must outlive the connection
 *  @param cfg copies; nullable
 *  @param why out, nullable
 *  @return as floe_pc_new */
FLOE_API FLOE_MUST_USE floe_status floe_uv_pc_new(floe_uv_pc **out, floe_uv *uv, const floe_pc_config *cfg,
                                                  floe_error *why);

/** Makes a peer connection whose UDP host candidates are on the multiplexer's sockets (floe_uv_ice_agent_new_on_mux):
 *  any number of peers on one port. It leaves the multiplexer when it is closed.
 *  @param out out: freed with floe_uv_pc_close
 *  @param mux keeps
 *  @param cfg copies; nullable
 *  @param why out, nullable
 *  @return as floe_pc_new and floe_ice_mux_attach */
FLOE_API FLOE_MUST_USE floe_status floe_uv_pc_new_on_mux(floe_uv_pc **out, floe_uv_ice_mux *mux,
                                                         const floe_pc_config *cfg, floe_error *why);

/** Closes and frees the connection and its channels: no callback but `on_closed` after this call. The peer is told
 *  while the loop runs.
 *  @param pc        takes; NULL is fine, and then on_closed is not called
 *  @param on_closed nullable: called once everything is closed
 *  @param user      handed to on_closed */
FLOE_API void floe_uv_pc_close(floe_uv_pc *pc, void (*on_closed)(void *user), void *user);

/** The connection of the core, for its getters. Do not feed, poll or change it. */
FLOE_API floe_pc *floe_uv_pc_core(floe_uv_pc *pc);
/** The connection of a channel on the driver. */
FLOE_API floe_uv_pc *floe_uv_data_channel_pc(const floe_data_channel *channel);
/** A pointer of the program's own; NULL at first. */
FLOE_API void floe_uv_pc_set_user(floe_uv_pc *pc, void *user);
/** The pointer of the program's own. */
FLOE_API void *floe_uv_pc_user(const floe_uv_pc *pc);

/** floe_pc_set_configuration. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_pc_set_configuration(floe_uv_pc *pc, const floe_pc_config *cfg,
                                                                floe_error *why);
/** floe_pc_create_offer. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_pc_create_offer(floe_uv_pc *pc, const floe_offer_options *options,
                                                           const char **sdp, floe_error *why);
/** floe_pc_create_answer. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_pc_create_answer(floe_uv_pc *pc, const char **sdp, floe_error *why);
/** floe_pc_set_local_description. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_pc_set_local_description(floe_uv_pc *pc,
                                                                    const floe_session_description *description,
                                                                    floe_error *why);
/** floe_pc_set_remote_description. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_pc_set_remote_description(floe_uv_pc *pc,
                                                                     const floe_session_description *description,
                                                                     floe_error *why);
/** floe_pc_local_description. */
FLOE_API const floe_session_description *floe_uv_pc_local_description(floe_uv_pc *pc);
/** floe_pc_remote_description. */
FLOE_API const floe_session_description *floe_uv_pc_remote_description(floe_uv_pc *pc);
/** floe_pc_add_ice_candidate. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_pc_add_ice_candidate(floe_uv_pc *pc,
                                                                const floe_ice_candidate_init *candidate,
                                                                floe_error *why);
/** floe_pc_restart_ice. */
FLOE_API void floe_uv_pc_restart_ice(floe_uv_pc *pc);
/** floe_ice_agent_on_interfaces_changed of its agent; see floe_uv_ice_agent_on_interfaces_changed. */
FLOE_API void floe_uv_pc_on_interfaces_changed(floe_uv_pc *pc);
/** floe_pc_create_data_channel. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_pc_create_data_channel(floe_uv_pc *pc, const char *label,
                                                                  const floe_data_channel_init *init,
                                                                  floe_data_channel **out, floe_error *why);
/** floe_pc_get_stats. */
FLOE_API const floe_stats_report *floe_uv_pc_get_stats(floe_uv_pc *pc);
/** floe_pc_failure_report. */
FLOE_API const floe_connection_report *floe_uv_pc_failure_report(floe_uv_pc *pc);

/** Adds a listener (DOM addEventListener) for an event of the connection or of its transports; see
 *  floe_uv_ice_agent_add_event_listener. An event's target is the floe_uv_pc.
 *  @return FLOE_OK, FLOE_E_NOMEM, FLOE_E_TYPE (type) */
FLOE_API FLOE_MUST_USE floe_status floe_uv_pc_add_event_listener(floe_uv_pc *pc, floe_event_type type,
                                                                 floe_event_listener fn, void *user);
/** Removes a listener; see floe_uv_ice_agent_remove_event_listener. */
FLOE_API void floe_uv_pc_remove_event_listener(floe_uv_pc *pc, floe_event_type type, floe_event_listener fn,
                                               void *user);
/** The handler property `onnegotiationneeded`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_pc_on_negotiationneeded(floe_uv_pc *pc, floe_event_listener fn, void *user);
/** The handler property `onicecandidate`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_pc_on_icecandidate(floe_uv_pc *pc, floe_event_listener fn, void *user);
/** The handler property `onicecandidateerror`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_pc_on_icecandidateerror(floe_uv_pc *pc, floe_event_listener fn, void *user);
/** The handler property `oniceservererror`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_pc_on_iceservererror(floe_uv_pc *pc, floe_event_listener fn, void *user);
/** The handler property `onsignalingstatechange`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_pc_on_signalingstatechange(floe_uv_pc *pc, floe_event_listener fn, void *user);
/** The handler property `oniceconnectionstatechange`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_pc_on_iceconnectionstatechange(floe_uv_pc *pc, floe_event_listener fn, void *user);
/** The handler property `onicegatheringstatechange`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_pc_on_icegatheringstatechange(floe_uv_pc *pc, floe_event_listener fn, void *user);
/** The handler property `onconnectionstatechange`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_pc_on_connectionstatechange(floe_uv_pc *pc, floe_event_listener fn, void *user);
/** The handler property `ondatachannel`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_pc_on_datachannel(floe_uv_pc *pc, floe_event_listener fn, void *user);

/** floe_data_channel_send. It leaves the host when the loop runs. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_data_channel_send(floe_data_channel *channel, floe_bytes data);
/** floe_data_channel_send_text. */
FLOE_API FLOE_MUST_USE floe_status floe_uv_data_channel_send_text(floe_data_channel *channel, floe_bytes text);
/** floe_data_channel_close. */
FLOE_API void floe_uv_data_channel_close(floe_data_channel *channel);
/** floe_data_channel_free: no callback of it any more. */
FLOE_API void floe_uv_data_channel_free(floe_data_channel *channel /* takes */);

/** Adds a listener for an event of a channel; see floe_uv_ice_agent_add_event_listener. An event's target is the
 * channel.
 *  @return FLOE_OK, FLOE_E_NOMEM, FLOE_E_TYPE (type) */
FLOE_API FLOE_MUST_USE floe_status floe_uv_data_channel_add_event_listener(floe_data_channel *channel,
                                                                           floe_event_type type, floe_event_listener fn,
                                                                           void *user);
/** Removes a listener; see floe_uv_ice_agent_remove_event_listener. */
FLOE_API void floe_uv_data_channel_remove_event_listener(floe_data_channel *channel, floe_event_type type,
                                                         floe_event_listener fn, void *user);
/** The handler property `onopen`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_data_channel_on_open(floe_data_channel *channel, floe_event_listener fn, void *user);
/** The handler property `onmessage`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_data_channel_on_message(floe_data_channel *channel, floe_event_listener fn, void *user);
/** The handler property `onbufferedamountlow`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_data_channel_on_bufferedamountlow(floe_data_channel *channel, floe_event_listener fn,
                                                               void *user);
/** The handler property `onclosing`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_data_channel_on_closing(floe_data_channel *channel, floe_event_listener fn, void *user);
/** The handler property `onclose`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_data_channel_on_close(floe_data_channel *channel, floe_event_listener fn, void *user);
/** The handler property `onerror`; see floe_uv_ice_agent_on_icegatheringstatechange. */
FLOE_API floe_status floe_uv_data_channel_on_error(floe_data_channel *channel, floe_event_listener fn, void *user);

/* --- what kind of NAT --------------------------------------------------------------------------------------------- */

/** Opaque: a NAT probe (floe/nat.h) on the driver. */
typedef struct floe_uv_nat_probe floe_uv_nat_probe;

/** Receives the result of a probe, once. It is valid until the probe is closed.
 *  @param user as given to floe_uv_nat_probe_start */
typedef void (*floe_uv_nat_handler)(const floe_nat_result *result, void *user);

/** Makes a probe on the driver.
 *  @param out out: freed with floe_uv_nat_probe_close
 *  @param uv  keeps: must outlive the probe; floe_uv_close frees those that are left
 *  @param cfg copies
 *  @param why out, nullable
 *  @return as floe_nat_probe_new */
FLOE_API FLOE_MUST_USE floe_status floe_uv_nat_probe_new(floe_uv_nat_probe **out, floe_uv *uv,
                                                         const floe_nat_config *cfg, floe_error *why);

/** Starts it, once. The result comes from the loop, not from inside this call.
 *  @param on_result nullable: floe_uv_nat_probe_result tells as well
 *  @param user      handed to on_result */
FLOE_API void floe_uv_nat_probe_start(floe_uv_nat_probe *probe, floe_uv_nat_handler on_result, void *user);

/** The result; NULL until it is there. Valid until the probe is closed. */
FLOE_API const floe_nat_result *floe_uv_nat_probe_result(const floe_uv_nat_probe *probe);

/** Closes and frees it: on_result is not called after this. Its handler may do this. NULL is fine. */
FLOE_API void floe_uv_nat_probe_close(floe_uv_nat_probe *probe);

#endif
