/* The agent: composes the machines; no algorithm of its own. */
#include <string.h>

#include "base/assert.h"
#include "base/rng.h"
#include "base/status_internal.h"
#include "base/trace.h"
#include "ice/agent_internal.h"

static const char *state_name(floe__agent_state state) {
  switch (state) {
    case FLOE__AGENT_IDLE: return "idle";
    case FLOE__AGENT_PREFETCHING: return "prefetching";
    case FLOE__AGENT_GATHERING: return "gathering";
    case FLOE__AGENT_CLOSING: return "closing";
    case FLOE__AGENT_CLOSED: return "closed";
  }
  return "";
}

static bool is_allowed(floe__agent_state from, floe__agent_state to) {
  switch (to) {
    case FLOE__AGENT_IDLE: return from == FLOE__AGENT_GATHERING || from == FLOE__AGENT_PREFETCHING; /* restart, pool */
    case FLOE__AGENT_PREFETCHING: return from == FLOE__AGENT_IDLE;
    case FLOE__AGENT_GATHERING: return from < FLOE__AGENT_CLOSING; /* also back, by a rollback */
    case FLOE__AGENT_CLOSING: return from < FLOE__AGENT_CLOSING;
    case FLOE__AGENT_CLOSED: return from == FLOE__AGENT_CLOSING;
  }
  return false;
}

void floe__agent_go(floe_ice_agent *agent, floe__agent_state next) {
  FLOE__ASSERT(is_allowed(agent->state, next));
  floe__trace t;
  if (floe__trace_begin(&t, agent->io.env, agent->io.now, "agent.state")) {
    floe__trace_text(&t, "from", state_name(agent->state));
    floe__trace_text(&t, "to", state_name(next));
    floe__trace_end(&t);
  }
  agent->state = next;
}

bool floe__agent_is_closing(const floe_ice_agent *agent) {
  return agent->state == FLOE__AGENT_CLOSING || agent->state == FLOE__AGENT_CLOSED;
}

/* 292 years: later than that, no timer could be set behind another. */
#define LATEST (FLOE_TIME_NEVER / 2)

/* Time never goes back: an earlier `now` counts as the latest seen. */
void floe__agent_advance(floe_ice_agent *agent, floe_time now) {
  agent->io.env->trace_agent = agent->number;
  if (now > LATEST) now = LATEST;
  if (now > agent->io.now) agent->io.now = now;
  agent->is_settled = false;
}

/* --- sessions --------------------------------------------------------------------------------------------------- */

void floe__agent_end_session(floe_ice_agent *agent, floe__session *s, bool at_once) {
  floe__session_end(s, at_once);
  s->next = agent->ended;
  agent->ended = s;
}

/* RFC 8445 8.3.1: so long candidates that are not used any more still take what the peer sends. */
#define LINGER_MS 3000

/* After a restart the old pair is used until the new session has one (RFC 8445 9). The peer learns of that later, and
 * what it sends over the old pair until then is not to be lost. */
static void retire_previous(floe_ice_agent *agent) {
  floe__session *old = agent->previous;
  if (old == NULL) return;
  bool replaced = floe__session_is_connected(agent->session);
  bool over = old->state == FLOE_ICE_CONNECTION_FAILED;
  if (!replaced && !over) {
    agent->retire_at = 0; /* the new session was lost again: its pair is in use after all */
    return;
  }
  if (agent->retire_at == 0) agent->retire_at = floe__after_ms(agent->io.now, LINGER_MS);
  if (!over && agent->io.now < agent->retire_at) return;
  agent->previous = NULL;
  floe__agent_end_session(agent, old, false);
}

void floe__agent_settle(floe_ice_agent *agent) {
  floe__session_on_deadline(agent->session);
  if (agent->previous != NULL) floe__session_on_deadline(agent->previous);
  for (floe__session *s = agent->ended; s != NULL; s = s->next) floe__session_on_deadline(s);
  retire_previous(agent);
  floe__agent_tell_connection(agent);
}

/* --- making and freeing ----------------------------------------------------------------------------------------- */

static bool make(floe_ice_agent *agent, floe_env *env, floe__settings *settings) {
  agent->settings = settings;
  agent->io.env = env;
  agent->number = env->trace_agent = ++env->n_agents;
  agent->io.settings = settings;
  agent->conn.io = &agent->io;
  agent->conn.events = &agent->events;
  floe__random(env, &agent->conn.tie_breaker, sizeof agent->conn.tie_breaker);
  agent->session = floe__session_new(&agent->conn);
  if (agent->session != NULL) agent->local = agent->session->local;
  return agent->session != NULL;
}

floe_status floe_ice_agent_new(floe_ice_agent **out, floe_env *env, const floe_ice_config *cfg, floe_error *why) {
  *out = NULL;
  floe__settings *settings;
  floe_status st = floe__settings_new(&settings, env, cfg, why);
  if (st != FLOE_OK) return st;
  floe_ice_agent *agent = floe__zalloc(env, sizeof *agent);
  if (agent != NULL && make(agent, env, settings)) {
    *out = agent;
    return FLOE_OK;
  }
  floe__free(env, agent);
  floe__settings_free(settings);
  return floe__error_set(why, FLOE_E_NOMEM, "", FLOE_NO_OFFSET, "out of memory");
}

static void free_ended(floe_ice_agent *agent) {
  while (agent->ended != NULL) {
    floe__session *s = agent->ended;
    agent->ended = s->next;
    floe__session_free(s);
  }
}

void floe_ice_agent_free(floe_ice_agent *agent) {
  if (agent == NULL) return;
  floe_env *env = agent->io.env;
  floe__event_clear(&agent->events, env);
  floe__session_free(agent->session);
  floe__session_free(agent->previous);
  free_ended(agent);
  if (agent->snapshot != NULL) floe__snapshot_clear(agent->snapshot, env);
  floe__free(env, agent->snapshot);
  floe__io_clear(&agent->io);
  floe__agent_free_settings(agent);
  floe__free(env, agent);
}

/* --- gathering -------------------------------------------------------------------------------------------------- */

/* Gathering once more before anything is known of the peer: a session of the same parameters takes the place. */
static floe_status replace_session(floe_ice_agent *agent) {
  floe__session *old = agent->session;
  if (old->remote_ufrag != NULL || old->remotes.n > 0) return FLOE_E_STATE;
  floe__session *s = floe__session_new(&agent->conn);
  if (s == NULL) return FLOE_E_NOMEM;
  if (!floe__session_gather(s)) {
    floe__session_free(s);
    return FLOE_E_NOMEM;
  }
  floe__session_swap_parameters(s, old);
  s->remote_ended = old->remote_ended;
  agent->session = s;
  /* The same few ports may be wanted again. */
  floe__agent_end_session(agent, old, agent->settings->cfg.port_min != 0);
  return FLOE_OK;
}

static floe_status start(floe_ice_agent *agent) {
  if (floe__session_main_gather(agent->session) != NULL) {
    floe_status st = replace_session(agent);
    if (st != FLOE_OK) return st;
  } else if (!floe__session_gather(agent->session)) {
    return FLOE_E_NOMEM;
  }
  if (agent->started_at == 0) agent->started_at = agent->io.now;
  agent->told_complete = false;
  agent->has_gathered = true;
  return FLOE_OK;
}

/* Tells that gathering has begun, before all that was kept of a pool. */
static void tell_gathering(floe_ice_agent *agent, bool first) {
  floe__gather *g = floe__session_main_gather(agent->session);
  if (first) {
    floe__event_push_front(&agent->events, &g->gathering_node);
  } else {
    floe__event_push(&agent->events, &g->gathering_node);
  }
  agent->events.held = false;
  agent->gathering_state = FLOE_ICE_GATHERING_GATHERING;
}

floe_status floe_ice_agent_gather(floe_ice_agent *agent, floe_time now) {
  floe__agent_advance(agent, now);
  floe__agent_settle(agent);
  switch (agent->state) {
    case FLOE__AGENT_CLOSING:
    case FLOE__AGENT_CLOSED: return FLOE_E_STATE;
    case FLOE__AGENT_PREFETCHING:
      tell_gathering(agent, true);
      floe__agent_go(agent, FLOE__AGENT_GATHERING);
      return FLOE_OK;
    case FLOE__AGENT_GATHERING:
      if (!agent->told_complete) return FLOE_E_STATE;
      break;
    case FLOE__AGENT_IDLE: break;
  }
  floe_status st = start(agent);
  if (st != FLOE_OK) return st;
  tell_gathering(agent, false);
  floe__agent_go(agent, FLOE__AGENT_GATHERING);
  return FLOE_OK;
}

floe_status floe_ice_agent_prefetch(floe_ice_agent *agent, floe_time now) {
  floe__agent_advance(agent, now);
  if (agent->state != FLOE__AGENT_IDLE || agent->previous != NULL) return FLOE_E_STATE;
  floe_status st = start(agent);
  if (st != FLOE_OK) return st;
  agent->events.held = true;
  floe__agent_go(agent, FLOE__AGENT_PREFETCHING);
  return FLOE_OK;
}

/* --- input and poll --------------------------------------------------------------------------------------------- */

static bool all_closed(const floe_ice_agent *agent) {
  if (!floe__session_is_closed(agent->session)) return false;
  for (const floe__session *s = agent->ended; s != NULL; s = s->next) {
    if (!floe__session_is_closed(s)) return false;
  }
  return true;
}

static void finish_close(floe_ice_agent *agent) {
  if (agent->state == FLOE__AGENT_CLOSING && all_closed(agent)) floe__agent_go(agent, FLOE__AGENT_CLOSED);
}

/* What nobody wants is closed, so that the driver need not keep it. */
static void route_accepted(floe_ice_agent *agent, const floe_input *in) {
  if (floe__session_accept(agent->session, in)) return;
  if (agent->previous != NULL && floe__session_accept(agent->previous, in)) return;
  (void)floe__io_close(&agent->io, in->accepted);
}

void floe_ice_agent_input(floe_ice_agent *agent, floe_time now, const floe_input *in) {
  floe__agent_advance(agent, now);
  if (in->type == FLOE_INPUT_SOCKET_ACCEPTED) route_accepted(agent, in);
  /* What arrives at this moment arrived before timers that end at this moment are run. */
  floe__session_on_input(agent->session, in);
  if (agent->previous != NULL) floe__session_on_input(agent->previous, in);
  for (floe__session *s = agent->ended; s != NULL; s = s->next) {
    if (in->type != FLOE_INPUT_INTERFACES) floe__session_on_input(s, in);
  }
  floe__agent_settle(agent);
  finish_close(agent);
  agent->is_settled = !agent->is_untold;
}

static void note_event(floe_ice_agent *agent, const floe_event *event) {
  if (event->type != FLOE_EVENT_ICEGATHERINGSTATECHANGE) return;
  agent->gathering_state = event->u.gathering_state;
  agent->told_complete = event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE;
  agent->trim_due = event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE;
}

/* Sessions that are over go once nothing of theirs can be told or asked any more. */
static void let_go(floe_ice_agent *agent) {
  floe__session **at = &agent->ended;
  while (*at != NULL) {
    floe__session *s = *at;
    if (!floe__session_is_closed(s)) {
      at = &s->next;
      continue;
    }
    *at = s->next;
    floe__session_free(s);
  }
}

static void put_wait(floe_ice_agent *agent, floe_output *out) {
  floe__deadline d = floe__session_deadline(agent->session);
  if (agent->previous != NULL) {
    d = floe__earliest(d, floe__session_deadline(agent->previous));
    if (agent->retire_at != 0) d = floe__earliest(d, floe__deadline_at(agent->retire_at, "ice.linger"));
  }
  for (const floe__session *s = agent->ended; s != NULL; s = s->next) {
    d = floe__earliest(d, floe__session_deadline(s));
  }
  out->type = FLOE_OUTPUT_WAIT;
  out->u.wait.until = d.at;
  out->u.wait.reason = d.reason;
}

static bool put_event(floe_ice_agent *agent, floe_output *out) {
  if (floe__agent_is_closing(agent)) return false;
  const floe_event *event = floe__event_take(&agent->events, agent->io.env);
  if (event == NULL) return false;
  note_event(agent, event);
  out->type = FLOE_OUTPUT_EVENT;
  out->u.event = event;
  return true;
}

void floe_ice_agent_poll(floe_ice_agent *agent, floe_output *out) {
  memset(out, 0, sizeof *out);
  agent->io.env->trace_agent = agent->number;
  if (!agent->is_settled) floe__agent_settle(agent);
  agent->is_settled = !agent->is_untold;
  finish_close(agent);
  /* A refused permission comes after the event that says why. */
  if (floe__io_peek(&agent->io) == FLOE_OUTPUT_PERMISSION && put_event(agent, out)) return;
  if (floe__io_next(&agent->io, out)) return;
  if (put_event(agent, out)) return;
  if (agent->ended != NULL && !agent->events.held) let_go(agent);
  if (agent->trim_due) floe__io_trim(&agent->io);
  agent->trim_due = false;
  put_wait(agent, out);
}

/* --- closing ---------------------------------------------------------------------------------------------------- */

void floe_ice_agent_close(floe_ice_agent *agent, floe_time now) {
  floe__agent_advance(agent, now);
  if (floe__agent_is_closing(agent)) return;
  floe__agent_go(agent, FLOE__AGENT_CLOSING);
  agent->io.silent = true;
  floe__event_clear(&agent->events, agent->io.env);
  floe__session_end(agent->session, false);
  if (agent->previous != NULL) floe__agent_end_session(agent, agent->previous, false);
  agent->previous = NULL;
  floe__event_clear(&agent->events, agent->io.env);
  finish_close(agent);
}

bool floe_ice_agent_is_closed(const floe_ice_agent *agent) {
  return agent->state == FLOE__AGENT_CLOSED && floe__io_pending(&agent->io) == 0;
}

/* --- getters ---------------------------------------------------------------------------------------------------- */

floe_ice_gathering_state floe_ice_agent_gathering_state(const floe_ice_agent *agent) {
  return agent->gathering_state;
}

size_t floe_ice_agent_local_candidates(const floe_ice_agent *agent, const floe_ice_candidate *const **out) {
  bool told = agent->state != FLOE__AGENT_PREFETCHING;
  if (out != NULL) *out = told ? agent->session->candidates.told : NULL;
  return told ? agent->session->candidates.n_told : 0;
}

const floe_ice_candidate *floe_ice_agent_candidate(const floe_ice_agent *agent, uint32_t id) {
  if (agent->state == FLOE__AGENT_PREFETCHING) return NULL;
  const floe__candidate *c = floe__candidate_by_id(&agent->session->candidates, id);
  if (c == NULL && agent->previous != NULL) c = floe__candidate_by_id(&agent->previous->candidates, id);
  return c == NULL ? NULL : &c->pub;
}

const floe_report *floe_ice_agent_report(const floe_ice_agent *agent) {
  const floe__gather *g = floe__session_main_gather(agent->session);
  if (g == NULL || agent->gathering_state != FLOE_ICE_GATHERING_COMPLETE) return NULL;
  return floe__gather_report(g);
}

/* The most that fits a datagram together with the headers of a Send indication, over any transport. */
#define MAX_RELAYED 65000

/* --- relays ---------------------------------------------------------------------------------------------------- */

typedef struct relay {
  floe__attempt *attempt;
  floe__try *live;
  floe_family family;
} relay;

static floe_status find_relay(floe_ice_agent *agent, uint32_t candidate, relay *out) {
  floe__session *s = agent->session;
  if (s->n_gathers == 0) return FLOE_E_NOT_FOUND;
  if (floe__agent_is_closing(agent)) return FLOE_E_STATE;
  bool known;
  out->attempt = NULL;
  for (size_t i = 0; i < s->n_gathers && out->attempt == NULL; i++) {
    out->attempt = floe__gather_relay(s->gathers[i], candidate, &known);
  }
  const floe__candidate *c = floe__candidate_by_id(&s->candidates, candidate);
  if (c != NULL && c->is_gone && c->pub.type == FLOE_CANDIDATE_RELAY) return FLOE_E_STATE; /* another has its place */
  if (out->attempt == NULL) return FLOE_E_NOT_FOUND;
  out->live = floe__attempt_live(out->attempt);
  out->family = (floe_family)floe__candidate_by_id(&s->candidates, candidate)->pub.address.family;
  return out->live == NULL ? FLOE_E_STATE : FLOE_OK;
}

floe_status floe_ice_agent_permit(floe_ice_agent *agent, floe_time now, uint32_t candidate, const floe_addr *peer,
                                  bool use_channel) {
  floe__agent_advance(agent, now);
  floe__agent_settle(agent);
  relay r;
  floe_status st = find_relay(agent, candidate, &r);
  if (st != FLOE_OK) return st;
  if (peer->family != r.family || (use_channel && peer->port == 0)) return FLOE_E_TYPE;
  return floe__attempt_permit(r.attempt, r.live, peer, use_channel);
}

floe_status floe_ice_agent_send_relayed(floe_ice_agent *agent, floe_time now, uint32_t candidate, const floe_addr *peer,
                                        floe_bytes data) {
  floe__agent_advance(agent, now);
  floe__agent_settle(agent);
  relay r;
  floe_status st = find_relay(agent, candidate, &r);
  if (st != FLOE_OK) return st;
  if (peer->family != r.family) return FLOE_E_TYPE;
  if (data.len > MAX_RELAYED) return FLOE_E_TOO_LARGE;
  size_t pending = floe__io_pending(&agent->io);
  if (pending > 0 && pending + data.len > agent->settings->cfg.max_queue_bytes) return FLOE_E_AGAIN;
  switch (floe__turn_send_data(r.live->turn, agent->io.now, peer, data)) {
    case FLOE__TURN_SENT: return FLOE_OK;
    case FLOE__TURN_NOT_PERMITTED: return FLOE_E_STATE;
    case FLOE__TURN_TOO_LARGE: return FLOE_E_TOO_LARGE;
    case FLOE__TURN_SEND_NOMEM: return FLOE_E_NOMEM;
  }
  return FLOE_E_STATE;
}
