/* Another ICE session: restart, its rollback, and other servers for the next gathering (RFC 8445 9, RFC 9429 4.1.10.2).
 */
#include <string.h>

#include "base/status_internal.h"
#include "ice/agent_config.h"
#include "ice/agent_internal.h"
#include "ice/parameters.h"

/* --- restart ---------------------------------------------------------------------------------------------------- */

/* RFC 8445 9: what is in use, or may still come to be, goes on until the new session has a pair. */
static bool is_worth_keeping(const floe__session *s) {
  return floe__session_is_connected(s) || s->state == FLOE_ICE_CONNECTION_CHECKING;
}

/* The current session makes room for a new one. What was still to be told of its gathering is not told any more. */
static void put_aside(floe_ice_agent *agent) {
  floe__session *old = agent->session;
  floe__session_mute(old);
  floe__event_drop_gathering(&agent->events, agent->io.env);
  if (is_worth_keeping(old)) {
    if (agent->previous != NULL) floe__agent_end_session(agent, agent->previous, false);
    agent->previous = old;
    agent->retire_at = 0;
  } else {
    floe__agent_end_session(agent, old, false);
  }
}

static void take_session(floe_ice_agent *agent, floe__session *s) {
  agent->session = s;
  agent->local = s->local;
}

static floe_status restart(floe_ice_agent *agent, floe_time now, const floe_ice_parameters *params) {
  floe__agent_advance(agent, now);
  floe__agent_settle(agent);
  bool may = agent->state == FLOE__AGENT_GATHERING || (agent->state == FLOE__AGENT_IDLE && agent->has_gathered);
  if (!may) return FLOE_E_STATE;
  floe__session *s = floe__session_new(&agent->conn);
  if (s == NULL) return FLOE_E_NOMEM;
  if (params != NULL && !floe__session_set_local(s, params)) {
    floe__session_free(s);
    return FLOE_E_NOMEM;
  }
  put_aside(agent);
  take_session(agent, s);
  agent->gathering_state = FLOE_ICE_GATHERING_NEW;
  if (agent->state != FLOE__AGENT_IDLE) floe__agent_go(agent, FLOE__AGENT_IDLE);
  floe__agent_tell_connection(agent);
  return FLOE_OK;
}

floe_status floe_ice_agent_restart(floe_ice_agent *agent, floe_time now) {
  return restart(agent, now, NULL);
}

floe_status floe_ice_agent_restart_with(floe_ice_agent *agent, floe_time now, const floe_ice_parameters *params,
                                        floe_error *why) {
  floe_status st = floe__ice_parameters_check(params, why);
  if (st != FLOE_OK) return st;
  st = restart(agent, now, params);
  return st == FLOE_OK ? st : floe__error_set(why, st, "", FLOE_NO_OFFSET, "%s", floe_status_text(st));
}

/* --- rollback ---------------------------------------------------------------------------------------------------- */

/* The session before takes its place again, as if there had been no restart. */
static void return_to_previous(floe_ice_agent *agent) {
  floe__session *undone = agent->session;
  floe__session_mute(undone);
  floe__event_drop_gathering(&agent->events, agent->io.env);
  take_session(agent, agent->previous);
  agent->previous = NULL;
  agent->retire_at = 0;
  floe__agent_end_session(agent, undone, false);
  /* Its candidates that were not told by then never will be: they are used in checks all the same. */
  agent->gathering_state = FLOE_ICE_GATHERING_COMPLETE;
  agent->told_complete = true;
  if (agent->state != FLOE__AGENT_GATHERING) floe__agent_go(agent, FLOE__AGENT_GATHERING);
}

floe_status floe_ice_agent_rollback(floe_ice_agent *agent, floe_time now) {
  floe__agent_advance(agent, now);
  if (floe__agent_is_closing(agent) || agent->session->remote_ufrag != NULL) return FLOE_E_STATE;
  if (agent->previous == NULL) {
    if (agent->state == FLOE__AGENT_IDLE) return FLOE_OK; /* nothing was gathered for it */
    return restart(agent, now, NULL);
  }
  return_to_previous(agent);
  floe__agent_settle(agent);
  return FLOE_OK;
}

/* --- other servers ------------------------------------------------------------------------------------------------ */

void floe__agent_free_settings(floe_ice_agent *agent) {
  while (agent->settings != NULL) {
    floe__settings *older = agent->settings->older;
    floe__settings_free(agent->settings);
    agent->settings = older;
  }
}

/* A pool is gathered anew: nothing of it was told. */
static floe_status prefetch_anew(floe_ice_agent *agent) {
  floe__session *old = agent->session, *s = floe__session_new(&agent->conn);
  if (s == NULL) return FLOE_E_NOMEM;
  floe__session_mute(old);
  floe__event_drop_gathering(&agent->events, agent->io.env);
  floe__session_swap_parameters(s, old);
  take_session(agent, s);
  floe__agent_end_session(agent, old, agent->settings->cfg.port_min != 0);
  floe__agent_go(agent, FLOE__AGENT_IDLE);
  agent->events.held = false;
  return floe_ice_agent_prefetch(agent, agent->io.now);
}

floe_status floe_ice_agent_set_configuration(floe_ice_agent *agent, floe_time now, const floe_ice_config *cfg,
                                             floe_error *why) {
  floe__agent_advance(agent, now);
  if (floe__agent_is_closing(agent)) {
    return floe__error_set(why, FLOE_E_STATE, "", FLOE_NO_OFFSET, "the agent is closed");
  }
  floe__settings *settings;
  floe_status st = floe__settings_new(&settings, agent->io.env, cfg, why);
  if (st != FLOE_OK) return st;
  settings->older = agent->settings;
  agent->settings = settings;
  agent->io.settings = settings;
  if (agent->state != FLOE__AGENT_PREFETCHING) return FLOE_OK;
  st = prefetch_anew(agent);
  return st == FLOE_OK ? st : floe__error_set(why, st, "", FLOE_NO_OFFSET, "%s", floe_status_text(st));
}

const floe_ice_config *floe__agent_config(const floe_ice_agent *agent) {
  return &agent->settings->cfg;
}

void floe__agent_tell_time(floe_ice_agent *agent, floe_time now) {
  floe__agent_advance(agent, now);
}

uint32_t floe__agent_number(const floe_ice_agent *agent) {
  return agent->number;
}

size_t floe__agent_pending(const floe_ice_agent *agent) {
  return floe__io_pending(&agent->io);
}
