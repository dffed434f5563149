/* The calls of floe/uv.h that hand something to the core's agent and see to it that its outputs are taken. Making and
 * closing agents is in agent.c. */
#include <string.h>

#include "uv/agent.h"
#include "uv/mux.h"

static floe_status refuse_closed(floe_error *why) {
  return floe__uv_error_set(why, FLOE_E_STATE, "", "the agent is closed");
}

floe_ice_agent *floe_uv_ice_agent_core(floe_uv_ice_agent *agent) {
  return agent->core;
}

floe_status floe_uv_ice_agent_gather(floe_uv_ice_agent *agent) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return FLOE_E_STATE;
  floe__uv_set_unix_time(agent->uv);
  floe__uv_monitor_start(agent->uv); /* before the addresses are listed, so that no change is missed */
  floe_status st = floe_ice_agent_gather(agent->core, floe_uv_now(agent->uv));
  floe__uv_agent_wake(agent);
  return st;
}

floe_status floe_uv_ice_agent_prefetch(floe_uv_ice_agent *agent) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return FLOE_E_STATE;
  floe__uv_set_unix_time(agent->uv);
  floe__uv_monitor_start(agent->uv); /* before the addresses are listed, so that no change is missed */
  floe_status st = floe_ice_agent_prefetch(agent->core, floe_uv_now(agent->uv));
  floe__uv_agent_wake(agent);
  return st;
}

/* ---- connecting ---- */

floe_status floe_uv_ice_agent_set_role(floe_uv_ice_agent *agent, floe_ice_role role) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return FLOE_E_STATE;
  floe_status st = floe_ice_agent_set_role(agent->core, role);
  floe__uv_agent_wake(agent);
  return st;
}

floe_status floe_uv_ice_agent_set_remote_parameters(floe_uv_ice_agent *agent, const floe_ice_parameters *params,
                                                    floe_error *why) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return refuse_closed(why);
  floe_status st = floe_ice_agent_set_remote_parameters(agent->core, floe_uv_now(agent->uv), params, why);
  floe__uv_agent_wake(agent);
  return st;
}

floe_status floe_uv_ice_agent_add_remote_candidate(floe_uv_ice_agent *agent, const char *line, floe_error *why) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return refuse_closed(why);
  floe_status st = floe_ice_agent_add_remote_candidate(agent->core, floe_uv_now(agent->uv), line, why);
  floe__uv_agent_wake(agent);
  return st;
}

void floe_uv_ice_agent_end_of_remote_candidates(floe_uv_ice_agent *agent) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return;
  floe_ice_agent_end_of_remote_candidates(agent->core, floe_uv_now(agent->uv));
  floe__uv_agent_wake(agent);
}

floe_status floe_uv_ice_agent_set_remote_description(floe_uv_ice_agent *agent, const char *text, floe_error *why) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return refuse_closed(why);
  floe_status st = floe_ice_agent_set_remote_description(agent->core, floe_uv_now(agent->uv), text, why);
  floe__uv_agent_wake(agent);
  return st;
}

floe_status floe_uv_ice_agent_restart(floe_uv_ice_agent *agent) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return FLOE_E_STATE;
  floe_status st = floe_ice_agent_restart(agent->core, floe_uv_now(agent->uv));
  if (st == FLOE_OK) st = floe__uv_mux_restarted(agent);
  floe__uv_agent_wake(agent);
  return st;
}

void floe_uv_ice_agent_on_interfaces_changed(floe_uv_ice_agent *agent) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return;
  floe__uv_set_unix_time(agent->uv);
  floe_ice_agent_on_interfaces_changed(agent->core, floe_uv_now(agent->uv));
  floe__uv_agent_wake(agent);
}

/* ---- what the core knows; an agent whose core has gone is closed ---- */

floe_ice_role floe_uv_ice_agent_role(const floe_uv_ice_agent *agent) {
  return agent->core == NULL ? FLOE_ICE_ROLE_UNKNOWN : floe_ice_agent_role(agent->core);
}

const floe_ice_parameters *floe_uv_ice_agent_local_parameters(const floe_uv_ice_agent *agent) {
  return agent->core == NULL ? NULL : floe_ice_agent_local_parameters(agent->core);
}

const floe_ice_parameters *floe_uv_ice_agent_remote_parameters(const floe_uv_ice_agent *agent) {
  return agent->core == NULL ? NULL : floe_ice_agent_remote_parameters(agent->core);
}

size_t floe_uv_ice_agent_local_description(const floe_uv_ice_agent *agent, char *out, size_t cap) {
  if (agent->core != NULL) return floe_ice_agent_local_description(agent->core, out, cap);
  if (cap > 0) out[0] = 0;
  return 0;
}

floe_ice_connection_state floe_uv_ice_agent_connection_state(const floe_uv_ice_agent *agent) {
  return agent->core == NULL ? FLOE_ICE_CONNECTION_CLOSED : floe_ice_agent_connection_state(agent->core);
}

bool floe_uv_ice_agent_selected_pair(const floe_uv_ice_agent *agent, const floe_ice_candidate **local,
                                     const floe_ice_candidate **remote) {
  if (agent->core != NULL) return floe_ice_agent_selected_pair(agent->core, local, remote);
  if (local != NULL) *local = NULL;
  if (remote != NULL) *remote = NULL;
  return false;
}

const floe_stats *floe_uv_ice_agent_stats(floe_uv_ice_agent *agent) {
  return agent->core == NULL ? NULL : floe_ice_agent_stats(agent->core, floe_uv_now(agent->uv));
}

const floe_connection_report *floe_uv_ice_agent_connection_report(floe_uv_ice_agent *agent) {
  return agent->core == NULL ? NULL : floe_ice_agent_connection_report(agent->core, floe_uv_now(agent->uv));
}

/* ---- data ---- */

/* The core hands over all it has: what TCP does not take waits in the sockets' queues, and so is held back from here.
 */
static bool is_full(const floe_uv_ice_agent *agent) {
  return agent->stream_queued >= agent->max_queue;
}

floe_status floe_uv_ice_agent_send(floe_uv_ice_agent *agent, floe_bytes data, uint8_t dscp) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return FLOE_E_STATE;
  if (is_full(agent)) return FLOE_E_AGAIN;
  floe_status st = floe_ice_agent_send(agent->core, floe_uv_now(agent->uv), data, dscp);
  floe__uv_agent_wake(agent);
  return st;
}

floe_status floe_uv_ice_agent_permit(floe_uv_ice_agent *agent, uint32_t candidate, const floe_addr *peer,
                                     bool use_channel) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return FLOE_E_STATE;
  floe_status st = floe_ice_agent_permit(agent->core, floe_uv_now(agent->uv), candidate, peer, use_channel);
  floe__uv_agent_wake(agent);
  return st;
}

floe_status floe_uv_ice_agent_send_relayed(floe_uv_ice_agent *agent, uint32_t candidate, const floe_addr *peer,
                                           floe_bytes data) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return FLOE_E_STATE;
  if (is_full(agent)) return FLOE_E_AGAIN;
  floe_status st = floe_ice_agent_send_relayed(agent->core, floe_uv_now(agent->uv), candidate, peer, data);
  floe__uv_agent_wake(agent);
  return st;
}

void floe_uv_ice_agent_on_data(floe_uv_ice_agent *agent, floe_uv_data_handler fn, void *user) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return;
  agent->on_data = fn;
  agent->on_data_user = user;
}

void floe_uv_ice_agent_on_relay(floe_uv_ice_agent *agent, const floe_uv_relay_handler *handler) {
  memset(&agent->relay, 0, sizeof agent->relay);
  if (handler != NULL && agent->state == FLOE__UV_AGENT_LIVE) agent->relay = *handler;
}

/* ---- the event target ---- */

floe_status floe_uv_ice_agent_add_event_listener(floe_uv_ice_agent *agent, floe_event_type type, floe_event_listener fn,
                                                 void *user) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return FLOE_OK;
  return floe__uv_target_add(&agent->target, &agent->uv->mem, type, fn, user);
}

void floe_uv_ice_agent_remove_event_listener(floe_uv_ice_agent *agent, floe_event_type type, floe_event_listener fn,
                                             void *user) {
  floe__uv_target_remove(&agent->target, type, fn, user);
}

static floe_status set_handler(floe_uv_ice_agent *agent, floe_event_type type, floe_event_listener fn, void *user) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return FLOE_OK;
  return floe__uv_target_set_handler(&agent->target, &agent->uv->mem, type, fn, user);
}

floe_status floe_uv_ice_agent_on_icegatheringstatechange(floe_uv_ice_agent *agent, floe_event_listener fn, void *user) {
  return set_handler(agent, FLOE_EVENT_ICEGATHERINGSTATECHANGE, fn, user);
}

floe_status floe_uv_ice_agent_on_icecandidate(floe_uv_ice_agent *agent, floe_event_listener fn, void *user) {
  return set_handler(agent, FLOE_EVENT_ICECANDIDATE, fn, user);
}

floe_status floe_uv_ice_agent_on_icecandidateerror(floe_uv_ice_agent *agent, floe_event_listener fn, void *user) {
  return set_handler(agent, FLOE_EVENT_ICECANDIDATEERROR, fn, user);
}

floe_status floe_uv_ice_agent_on_iceservererror(floe_uv_ice_agent *agent, floe_event_listener fn, void *user) {
  return set_handler(agent, FLOE_EVENT_ICESERVERERROR, fn, user);
}

floe_status floe_uv_ice_agent_on_iceconnectionstatechange(floe_uv_ice_agent *agent, floe_event_listener fn,
                                                          void *user) {
  return set_handler(agent, FLOE_EVENT_ICECONNECTIONSTATECHANGE, fn, user);
}

floe_status floe_uv_ice_agent_on_selectedcandidatepairchange(floe_uv_ice_agent *agent, floe_event_listener fn,
                                                             void *user) {
  return set_handler(agent, FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE, fn, user);
}
