/* The agent: composes the machines; no algorithm of its own. */
#include <string.h>

#include "base/assert.h"
#include "base/status_internal.h"
#include "base/trace.h"
#include "ice/gather.h"

typedef enum agent_state {
  AGENT_NEW = 0,
  AGENT_PREFETCHING, /* gathers for a pool: nothing is told yet */
  AGENT_GATHERING,   /* told of; also after completion */
  AGENT_CLOSING,
  AGENT_CLOSED
} agent_state;

struct floe_ice_agent {
  floe__io io;
  uint32_t number; /* in traces */
  floe__settings *settings;
  agent_state state;
  floe_ice_gathering_state gathering_state; /* as told by the events handed out */
  floe__event_queue events;
  bool told_complete;    /* the current gathering's `complete` was handed out */
  bool trim_due;         /* gathering is complete: what its burst of commands needed is given back once */
  floe__gather *gather;  /* the current one; NULL before the first */
  floe__gather *retired; /* earlier ones that still have events, allocations or sockets to let go of */
};

static const char *state_name(agent_state state) {
  switch (state) {
    case AGENT_NEW: return "new";
    case AGENT_PREFETCHING: return "prefetching";
    case AGENT_GATHERING: return "gathering";
    case AGENT_CLOSING: return "closing";
    case AGENT_CLOSED: return "closed";
  }
  return "";
}

static void go(floe_ice_agent *agent, agent_state next) {
  FLOE__ASSERT(next > agent->state || (next == AGENT_GATHERING && agent->state == AGENT_GATHERING));
  floe__trace t;
  if (floe__trace_begin(&t, agent->io.env, agent->io.now, "agent.state")) {
    floe__trace_text(&t, "from", state_name(agent->state));
    floe__trace_text(&t, "to", state_name(next));
    floe__trace_end(&t);
  }
  agent->state = next;
}

/* Time never goes back: an earlier `now` counts as the latest seen. What is due is done first, in its order. */
static void advance(floe_ice_agent *agent, floe_time now) {
  agent->io.env->trace_agent = agent->number;
  if (now > agent->io.now) agent->io.now = now;
}

static void run_due(floe_ice_agent *agent) {
  if (agent->gather != NULL) floe__gather_on_deadline(agent->gather);
  for (floe__gather *g = agent->retired; g != NULL; g = g->next_retired) floe__gather_on_deadline(g);
}

/* --- making and freeing ---------------------------------------------------------------------------------------- */

floe_status floe_ice_agent_new(floe_ice_agent **out, floe_env *env, const floe_ice_config *cfg, floe_error *why) {
  *out = NULL;
  floe__settings *settings;
  floe_status st = floe__settings_new(&settings, env, cfg, why);
  if (st != FLOE_OK) return st;
  floe_ice_agent *agent = floe__zalloc(env, sizeof *agent);
  if (agent == NULL) {
    floe__settings_free(settings);
    return floe__error_set(why, FLOE_E_NOMEM, "", FLOE_NO_OFFSET, "out of memory");
  }
  agent->settings = settings;
  agent->io.env = env;
  agent->number = ++env->n_agents;
  agent->io.settings = settings;
  *out = agent;
  return FLOE_OK;
}

static void free_retired(floe_ice_agent *agent) {
  while (agent->retired != NULL) {
    floe__gather *g = agent->retired;
    agent->retired = g->next_retired;
    floe__gather_free(g);
  }
}

void floe_ice_agent_free(floe_ice_agent *agent) {
  if (agent == NULL) return;
  floe__event_clear(&agent->events, agent->io.env);
  floe__gather_free(agent->gather);
  free_retired(agent);
  floe__io_clear(&agent->io);
  floe__settings_free(agent->settings);
  floe__free(agent->io.env, agent);
}

/* --- gathering ------------------------------------------------------------------------------------------------- */

static floe_status start(floe_ice_agent *agent) {
  floe__gather *g = floe__gather_new(&agent->io, &agent->events);
  if (g == NULL) return FLOE_E_NOMEM;
  if (agent->gather != NULL) {
    if (agent->settings->cfg.port_min != 0) {
      floe__gather_make_way(agent->gather); /* the same few ports may be wanted again */
    } else {
      floe__gather_close(agent->gather);
    }
    agent->gather->next_retired = agent->retired;
    agent->retired = agent->gather;
  }
  agent->gather = g;
  agent->told_complete = false;
  floe__gather_start(g);
  return FLOE_OK;
}

/* Tells that gathering has begun, before all that was kept of a pool. */
static void tell_gathering(floe_ice_agent *agent, bool first) {
  floe__gather *g = agent->gather;
  if (first) {
    floe__event_push_front(&agent->events, &g->gathering_node);
  } else {
    floe__event_push(&agent->events, &g->gathering_node);
  }
  agent->events.held = false;
  agent->gathering_state = FLOE_ICE_GATHERING_GATHERING;
}

floe_status floe_ice_agent_gather(floe_ice_agent *agent, floe_time now) {
  advance(agent, now);
  run_due(agent);
  switch (agent->state) {
    case AGENT_CLOSING:
    case AGENT_CLOSED: return FLOE_E_STATE;
    case AGENT_PREFETCHING:
      tell_gathering(agent, true);
      go(agent, AGENT_GATHERING);
      return FLOE_OK;
    case AGENT_GATHERING:
      if (!agent->told_complete) return FLOE_E_STATE;
      break;
    case AGENT_NEW: break;
  }
  floe_status st = start(agent);
  if (st != FLOE_OK) return st;
  tell_gathering(agent, false);
  go(agent, AGENT_GATHERING);
  return FLOE_OK;
}

floe_status floe_ice_agent_prefetch(floe_ice_agent *agent, floe_time now) {
  advance(agent, now);
  if (agent->state != AGENT_NEW) return FLOE_E_STATE;
  floe_status st = start(agent);
  if (st != FLOE_OK) return st;
  agent->events.held = true;
  go(agent, AGENT_PREFETCHING);
  return FLOE_OK;
}

/* --- input and poll -------------------------------------------------------------------------------------------- */

static bool all_closed(const floe_ice_agent *agent) {
  if (agent->gather != NULL && agent->gather->state != FLOE__GATHER_CLOSED) return false;
  for (const floe__gather *g = agent->retired; g != NULL; g = g->next_retired) {
    if (g->state != FLOE__GATHER_CLOSED) return false;
  }
  return true;
}

static void finish_close(floe_ice_agent *agent) {
  if (agent->state == AGENT_CLOSING && all_closed(agent)) go(agent, AGENT_CLOSED);
}

void floe_ice_agent_input(floe_ice_agent *agent, floe_time now, const floe_input *in) {
  advance(agent, now);
  /* What arrives at this moment arrived before timers that end at this moment are run. */
  if (agent->gather != NULL) floe__gather_on_input(agent->gather, in);
  for (floe__gather *g = agent->retired; g != NULL; g = g->next_retired) {
    if (in->type != FLOE_INPUT_INTERFACES) floe__gather_on_input(g, in);
  }
  run_due(agent);
  finish_close(agent);
}

static void note_event(floe_ice_agent *agent, const floe_event *event) {
  if (event->type != FLOE_EVENT_ICEGATHERINGSTATECHANGE) return;
  agent->gathering_state = event->u.gathering_state;
  agent->told_complete = event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE;
  agent->trim_due = event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE;
}

/* Gatherings that are over go once nothing of theirs can be told or asked any more. */
static void let_go(floe_ice_agent *agent) {
  floe__gather **at = &agent->retired;
  while (*at != NULL) {
    floe__gather *g = *at;
    if (g->state != FLOE__GATHER_CLOSED) {
      at = &g->next_retired;
      continue;
    }
    *at = g->next_retired;
    floe__gather_free(g);
  }
}

static void put_wait(floe_ice_agent *agent, floe_output *out) {
  floe__deadline d = FLOE__NO_DEADLINE;
  if (agent->gather != NULL) d = floe__earliest(d, floe__gather_deadline(agent->gather));
  for (const floe__gather *g = agent->retired; g != NULL; g = g->next_retired) {
    d = floe__earliest(d, floe__gather_deadline(g));
  }
  out->type = FLOE_OUTPUT_WAIT;
  out->u.wait.until = d.at;
  out->u.wait.reason = d.reason;
}

static bool put_event(floe_ice_agent *agent, floe_output *out) {
  if (agent->state == AGENT_CLOSING || agent->state == AGENT_CLOSED) return false;
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
  run_due(agent);
  finish_close(agent);
  /* A refused permission comes after the event that says why. */
  if (floe__io_peek(&agent->io) == FLOE_OUTPUT_PERMISSION && put_event(agent, out)) return;
  if (floe__io_next(&agent->io, out)) return;
  if (put_event(agent, out)) return;
  if (agent->retired != NULL && !agent->events.held) let_go(agent);
  if (agent->trim_due) floe__io_trim(&agent->io);
  agent->trim_due = false;
  put_wait(agent, out);
}

/* --- closing --------------------------------------------------------------------------------------------------- */

void floe_ice_agent_close(floe_ice_agent *agent, floe_time now) {
  advance(agent, now);
  if (agent->state == AGENT_CLOSING || agent->state == AGENT_CLOSED) return;
  go(agent, AGENT_CLOSING);
  agent->io.silent = true;
  floe__event_clear(&agent->events, agent->io.env);
  if (agent->gather != NULL) floe__gather_close(agent->gather);
  floe__event_clear(&agent->events, agent->io.env);
  finish_close(agent);
}

bool floe_ice_agent_is_closed(const floe_ice_agent *agent) {
  return agent->state == AGENT_CLOSED && floe__io_pending(&agent->io) == 0;
}

/* --- getters --------------------------------------------------------------------------------------------------- */

floe_ice_gathering_state floe_ice_agent_gathering_state(const floe_ice_agent *agent) {
  return agent->gathering_state;
}

size_t floe_ice_agent_local_candidates(const floe_ice_agent *agent, const floe_ice_candidate *const **out) {
  const floe__gather *g = agent->gather;
  bool told = g != NULL && agent->state != AGENT_PREFETCHING;
  if (out != NULL) *out = told ? g->candidates.pubs : NULL;
  return told ? g->candidates.n : 0;
}

const floe_ice_candidate *floe_ice_agent_candidate(const floe_ice_agent *agent, uint32_t id) {
  if (agent->gather == NULL || agent->state == AGENT_PREFETCHING) return NULL;
  const floe__candidate *c = floe__candidate_by_id(&agent->gather->candidates, id);
  return c == NULL ? NULL : &c->pub;
}

const floe_report *floe_ice_agent_report(const floe_ice_agent *agent) {
  if (agent->gather == NULL || agent->gathering_state != FLOE_ICE_GATHERING_COMPLETE) return NULL;
  return floe__gather_report(agent->gather);
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
  if (agent->gather == NULL) return FLOE_E_NOT_FOUND;
  if (agent->state == AGENT_CLOSING || agent->state == AGENT_CLOSED) return FLOE_E_STATE;
  bool known;
  out->attempt = floe__gather_relay(agent->gather, candidate, &known);
  if (out->attempt == NULL) return FLOE_E_NOT_FOUND;
  out->live = floe__attempt_live(out->attempt);
  out->family = (floe_family)floe__candidate_by_id(&agent->gather->candidates, candidate)->pub.address.family;
  return out->live == NULL ? FLOE_E_STATE : FLOE_OK;
}

floe_status floe_ice_agent_permit(floe_ice_agent *agent, floe_time now, uint32_t candidate, const floe_addr *peer,
                                  bool use_channel) {
  advance(agent, now);
  run_due(agent);
  relay r;
  floe_status st = find_relay(agent, candidate, &r);
  if (st != FLOE_OK) return st;
  if (peer->family != r.family || (use_channel && peer->port == 0)) return FLOE_E_TYPE;
  return floe__attempt_permit(r.attempt, r.live, peer, use_channel);
}

floe_status floe_ice_agent_send_relayed(floe_ice_agent *agent, floe_time now, uint32_t candidate, const floe_addr *peer,
                                        floe_bytes data) {
  advance(agent, now);
  run_due(agent);
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
