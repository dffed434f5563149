/* The calls of floe/uv.h that hand something to the core's peer connection and see to it that its outputs are taken.
 * Making and closing connections is in pc.c. */
#include "uv/mux.h"
#include "uv/pc.h"

floe_status floe__uv_pc_refuse_closed(floe_error *why) {
  return floe__uv_error_set(why, FLOE_E_STATE, "", "the connection is closed");
}

void floe__uv_pc_changed(floe_uv_pc *pc) {
  (void)floe__uv_mux_restarted(&pc->agent); /* without memory it is tried again before its sockets are opened */
  floe__uv_agent_wake(&pc->agent);
}

floe_pc *floe_uv_pc_core(floe_uv_pc *pc) {
  return pc->core;
}

void floe_uv_pc_set_user(floe_uv_pc *pc, void *user) {
  pc->user = user;
}

void *floe_uv_pc_user(const floe_uv_pc *pc) {
  return pc->user;
}

/* ---- descriptions ---- */

floe_status floe_uv_pc_set_configuration(floe_uv_pc *pc, const floe_pc_config *cfg, floe_error *why) {
  if (!floe__uv_pc_is_live(pc)) return floe__uv_pc_refuse_closed(why);
  floe__uv_set_unix_time(pc->agent.uv);
  floe_status st = floe_pc_set_configuration(pc->core, floe_uv_now(pc->agent.uv), cfg, why);
  floe__uv_pc_changed(pc);
  return st;
}

floe_status floe_uv_pc_create_offer(floe_uv_pc *pc, const floe_offer_options *options, const char **sdp,
                                    floe_error *why) {
  if (!floe__uv_pc_is_live(pc)) return floe__uv_pc_refuse_closed(why);
  floe_status st = floe_pc_create_offer(pc->core, floe_uv_now(pc->agent.uv), options, sdp, why);
  floe__uv_pc_changed(pc);
  return st;
}

floe_status floe_uv_pc_create_answer(floe_uv_pc *pc, const char **sdp, floe_error *why) {
  if (!floe__uv_pc_is_live(pc)) return floe__uv_pc_refuse_closed(why);
  floe_status st = floe_pc_create_answer(pc->core, floe_uv_now(pc->agent.uv), sdp, why);
  floe__uv_pc_changed(pc);
  return st;
}

floe_status floe_uv_pc_set_local_description(floe_uv_pc *pc, const floe_session_description *description,
                                             floe_error *why) {
  if (!floe__uv_pc_is_live(pc)) return floe__uv_pc_refuse_closed(why);
  floe__uv_set_unix_time(pc->agent.uv); /* the server's certificates have dates */
  floe_status st = floe_pc_set_local_description(pc->core, floe_uv_now(pc->agent.uv), description, why);
  floe__uv_pc_changed(pc);
  return st;
}

floe_status floe_uv_pc_set_remote_description(floe_uv_pc *pc, const floe_session_description *description,
                                              floe_error *why) {
  if (!floe__uv_pc_is_live(pc)) return floe__uv_pc_refuse_closed(why);
  floe_status st = floe_pc_set_remote_description(pc->core, floe_uv_now(pc->agent.uv), description, why);
  floe__uv_pc_changed(pc);
  return st;
}

const floe_session_description *floe_uv_pc_local_description(floe_uv_pc *pc) {
  return pc->core == NULL ? NULL : floe_pc_local_description(pc->core);
}

const floe_session_description *floe_uv_pc_remote_description(floe_uv_pc *pc) {
  return pc->core == NULL ? NULL : floe_pc_remote_description(pc->core);
}

floe_status floe_uv_pc_add_ice_candidate(floe_uv_pc *pc, const floe_ice_candidate_init *candidate, floe_error *why) {
  if (!floe__uv_pc_is_live(pc)) return floe__uv_pc_refuse_closed(why);
  floe_status st = floe_pc_add_ice_candidate(pc->core, floe_uv_now(pc->agent.uv), candidate, why);
  floe__uv_agent_wake(&pc->agent);
  return st;
}

void floe_uv_pc_restart_ice(floe_uv_pc *pc) {
  if (!floe__uv_pc_is_live(pc)) return;
  floe_pc_restart_ice(pc->core, floe_uv_now(pc->agent.uv));
  floe__uv_pc_changed(pc);
}

void floe_uv_pc_on_interfaces_changed(floe_uv_pc *pc) {
  bool has_asked = pc->agent.interfaces != 0; /* else it asks when it gathers */
  if (!floe__uv_pc_is_live(pc) || !has_asked) return;
  floe__uv_set_unix_time(pc->agent.uv);
  floe__uv_agent_list_interfaces(&pc->agent);
}

/* ---- channels ---- */

floe_status floe_uv_pc_create_data_channel(floe_uv_pc *pc, const char *label, const floe_data_channel_init *init,
                                           floe_data_channel **out, floe_error *why) {
  *out = NULL;
  if (!floe__uv_pc_is_live(pc)) return floe__uv_pc_refuse_closed(why);
  floe__uv_channel *channel = floe__uv_channel_new(pc);
  if (channel == NULL) return floe__uv_error_set(why, FLOE_E_NOMEM, "", floe_status_text(FLOE_E_NOMEM));
  floe_status st = floe_pc_create_data_channel(pc->core, floe_uv_now(pc->agent.uv), label, init, out, why);
  if (st == FLOE_OK) {
    floe__uv_channel_attach(channel, *out);
  } else {
    floe__uv_channel_free(channel);
  }
  floe__uv_agent_wake(&pc->agent);
  return st;
}

/* ---- what the core knows; a connection whose core has gone is closed ---- */

const floe_stats_report *floe_uv_pc_get_stats(floe_uv_pc *pc) {
  return pc->core == NULL ? NULL : floe_pc_get_stats(pc->core, floe_uv_now(pc->agent.uv));
}

const floe_connection_report *floe_uv_pc_failure_report(floe_uv_pc *pc) {
  return pc->core == NULL ? NULL : floe_pc_failure_report(pc->core, floe_uv_now(pc->agent.uv));
}

/* ---- the event target ---- */

floe_status floe_uv_pc_add_event_listener(floe_uv_pc *pc, floe_event_type type, floe_event_listener fn, void *user) {
  if (!floe__uv_pc_is_live(pc)) return FLOE_OK;
  return floe__uv_target_add(&pc->agent.target, &pc->agent.uv->mem, type, fn, user);
}

void floe_uv_pc_remove_event_listener(floe_uv_pc *pc, floe_event_type type, floe_event_listener fn, void *user) {
  floe__uv_target_remove(&pc->agent.target, type, fn, user);
}

static floe_status set_handler(floe_uv_pc *pc, floe_event_type type, floe_event_listener fn, void *user) {
  if (!floe__uv_pc_is_live(pc)) return FLOE_OK;
  return floe__uv_target_set_handler(&pc->agent.target, &pc->agent.uv->mem, type, fn, user);
}

floe_status floe_uv_pc_on_negotiationneeded(floe_uv_pc *pc, floe_event_listener fn, void *user) {
  return set_handler(pc, FLOE_EVENT_NEGOTIATIONNEEDED, fn, user);
}

floe_status floe_uv_pc_on_icecandidate(floe_uv_pc *pc, floe_event_listener fn, void *user) {
  return set_handler(pc, FLOE_EVENT_ICECANDIDATE, fn, user);
}

floe_status floe_uv_pc_on_icecandidateerror(floe_uv_pc *pc, floe_event_listener fn, void *user) {
  return set_handler(pc, FLOE_EVENT_ICECANDIDATEERROR, fn, user);
}

floe_status floe_uv_pc_on_iceservererror(floe_uv_pc *pc, floe_event_listener fn, void *user) {
  return set_handler(pc, FLOE_EVENT_ICESERVERERROR, fn, user);
}

floe_status floe_uv_pc_on_signalingstatechange(floe_uv_pc *pc, floe_event_listener fn, void *user) {
  return set_handler(pc, FLOE_EVENT_SIGNALINGSTATECHANGE, fn, user);
}

floe_status floe_uv_pc_on_iceconnectionstatechange(floe_uv_pc *pc, floe_event_listener fn, void *user) {
  return set_handler(pc, FLOE_EVENT_ICECONNECTIONSTATECHANGE, fn, user);
}

floe_status floe_uv_pc_on_icegatheringstatechange(floe_uv_pc *pc, floe_event_listener fn, void *user) {
  return set_handler(pc, FLOE_EVENT_ICEGATHERINGSTATECHANGE, fn, user);
}

floe_status floe_uv_pc_on_connectionstatechange(floe_uv_pc *pc, floe_event_listener fn, void *user) {
  return set_handler(pc, FLOE_EVENT_CONNECTIONSTATECHANGE, fn, user);
}

floe_status floe_uv_pc_on_datachannel(floe_uv_pc *pc, floe_event_listener fn, void *user) {
  return set_handler(pc, FLOE_EVENT_DATACHANNEL, fn, user);
}
