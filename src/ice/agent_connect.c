/* The agent and its peer: parameters, candidates, data, and what is told of the connection. */
#include <stdio.h>
#include <string.h>

#include "base/status_internal.h"
#include "ice/agent_internal.h"
#include "ice/parameters.h"

/* --- what is told ----------------------------------------------------------------------------------------------- */

floe__session *floe__agent_active(const floe_ice_agent *agent) {
  floe__session *old = agent->previous;
  if (old == NULL || floe__session_is_connected(agent->session)) return agent->session;
  if (floe__session_is_connected(old)) return old;
  /* Checks of the old one go on as long as the peer's new parameters are not known. */
  if (agent->session->remote_ufrag == NULL && old->state == FLOE_ICE_CONNECTION_CHECKING) return old;
  return agent->session; /* `failed` means that a restart is needed: this one goes on already */
}

/* The state and the pair are what they are, whether or not there is memory to tell each step to them: then the last is
 * told alone. */
static floe__event_node *make_node(floe_ice_agent *agent, floe_event_type type) {
  floe__event_node *node = floe__zalloc(agent->io.env, sizeof *node);
  if (node == NULL) node = agent->spare.queued ? NULL : &agent->spare;
  if (node == NULL) return NULL;
  floe__event_init(node, type, agent->io.now, agent->started_at);
  node->owned = node == &agent->spare ? NULL : node;
  return node;
}

static bool tell_state(floe_ice_agent *agent, floe_ice_connection_state state, floe_cause cause) {
  floe__event_node *node = make_node(agent, FLOE_EVENT_ICECONNECTIONSTATECHANGE);
  if (node == NULL) {
    agent->is_untold = true;
    return false;
  }
  node->event.u.connection = (floe_connection_change){state, cause};
  floe__event_push(&agent->events, node);
  agent->told_state = state;
  return true;
}

static void tell_pair(floe_ice_agent *agent, const floe__pair *p) {
  uint32_t local = p == NULL ? 0 : p->valid_local->pub.id;
  uint32_t remote = p == NULL ? 0 : p->remote->pub.id;
  if (local == agent->told_local && remote == agent->told_remote) return;
  floe__event_node *node = make_node(agent, FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE);
  if (node == NULL) {
    agent->is_untold = true;
    return;
  }
  if (p != NULL) node->event.u.pair = (floe_pair_change){&p->valid_local->pub, &p->remote->pub};
  floe__event_push(&agent->events, node);
  agent->told_local = local;
  agent->told_remote = remote;
}

void floe__agent_tell_connection(floe_ice_agent *agent) {
  if (floe__agent_is_closing(agent)) return;
  const floe__session *s = floe__agent_active(agent);
  agent->is_untold = false;
  tell_pair(agent, s->selected);
  if (s->state == agent->told_state) return;
  /* W3C: everything comes by way of `checking`, `failed` then by way of `disconnected`, `completed` of `connected`. */
  if (agent->told_state == FLOE_ICE_CONNECTION_NEW && s->state != FLOE_ICE_CONNECTION_CHECKING) {
    (void)tell_state(agent, FLOE_ICE_CONNECTION_CHECKING, FLOE_CAUSE_NONE);
  }
  bool was_up =
      agent->told_state == FLOE_ICE_CONNECTION_CONNECTED || agent->told_state == FLOE_ICE_CONNECTION_COMPLETED;
  if (s->state == FLOE_ICE_CONNECTION_FAILED && was_up) {
    (void)tell_state(agent, FLOE_ICE_CONNECTION_DISCONNECTED, s->cause);
  }
  if (s->state == FLOE_ICE_CONNECTION_COMPLETED && !was_up) {
    (void)tell_state(agent, FLOE_ICE_CONNECTION_CONNECTED, FLOE_CAUSE_NONE);
  }
  (void)tell_state(agent, s->state, s->cause);
}

/* --- role and parameters ---------------------------------------------------------------------------------------- */

floe_status floe_ice_agent_set_role(floe_ice_agent *agent, floe_ice_role role) {
  if (role != FLOE_ICE_ROLE_CONTROLLING && role != FLOE_ICE_ROLE_CONTROLLED) return FLOE_E_TYPE;
  if (floe__agent_is_closing(agent) || agent->session->remote_ufrag != NULL) return FLOE_E_STATE;
  floe__role_set(&agent->conn, role, "set by the program");
  agent->conn.role_is_set = true;
  return FLOE_OK;
}

floe_ice_role floe_ice_agent_role(const floe_ice_agent *agent) {
  return agent->conn.role;
}

const floe_ice_parameters *floe_ice_agent_local_parameters(const floe_ice_agent *agent) {
  return &agent->local;
}

const floe_ice_parameters *floe_ice_agent_remote_parameters(const floe_ice_agent *agent) {
  return agent->session->remote_ufrag == NULL ? NULL : &agent->session->remote;
}

/* The side that gathered first made the offer, as a rule; a pool says nothing of that. */
static void decide_role(floe_ice_agent *agent) {
  if (agent->conn.role_is_set) return;
  agent->conn.role_is_set = true;
  bool first = agent->state == FLOE__AGENT_GATHERING;
  floe__role_set(&agent->conn, first ? FLOE_ICE_ROLE_CONTROLLING : FLOE_ICE_ROLE_CONTROLLED,
                 first ? "this side gathered first" : "the peer was first");
}

floe_status floe_ice_agent_set_remote_parameters(floe_ice_agent *agent, floe_time now,
                                                 const floe_ice_parameters *params, floe_error *why) {
  floe__agent_advance(agent, now);
  floe_status st = floe__ice_parameters_check(params, why);
  if (st != FLOE_OK) return st;
  if (floe__agent_is_closing(agent)) {
    return floe__error_set(why, FLOE_E_STATE, "", FLOE_NO_OFFSET, "the agent is closed");
  }
  if (agent->session->remote_ufrag == NULL) decide_role(agent);
  st = floe__session_set_remote(agent->session, params);
  if (st == FLOE_E_STATE) {
    return floe__error_set(why, st, "ufrag", FLOE_NO_OFFSET, "others are set in this ICE session: restart first");
  }
  if (st != FLOE_OK) return floe__error_set(why, st, "", FLOE_NO_OFFSET, "%s", floe_status_text(st));
  floe__agent_settle(agent);
  return FLOE_OK;
}

/* --- candidates of the peer ------------------------------------------------------------------------------------- */

static floe_status refuse(floe_error *why, floe_status st, const char *message) {
  return floe__error_set(why, st, "candidate", FLOE_NO_OFFSET, "%s", message);
}

static bool is_of_session(const floe__session *s, const floe_candidate_line *line) {
  if (line->ufrag.len == 0 || s->remote_ufrag == NULL) return true;
  return strlen(s->remote_ufrag) == line->ufrag.len && memcmp(s->remote_ufrag, line->ufrag.ptr, line->ufrag.len) == 0;
}

static floe_status add_line(floe_ice_agent *agent, const char *text, floe_error *why) {
  floe_candidate_line line;
  floe_status st = floe_candidate_line_parse(&line, text, why);
  if (st == FLOE_E_UNSUPPORTED) return FLOE_OK; /* RFC 8839 5.1: what is not known is ignored */
  if (st != FLOE_OK) {
    if (why != NULL) (void)snprintf(why->path, sizeof why->path, "candidate");
    return st;
  }
  floe__session *s = agent->session;
  if (!is_of_session(s, &line)) return refuse(why, FLOE_E_NOT_FOUND, "its ufrag is not that of the peer's parameters");
  if (s->remote_ended) return refuse(why, FLOE_E_STATE, "the end of the candidates was told before");
  st = floe__session_add_remote(s, &line, text);
  if (st == FLOE_E_TOO_LARGE) return refuse(why, st, "more candidates than max_remote_candidates");
  return st == FLOE_OK ? st : refuse(why, st, floe_status_text(st));
}

static bool is_end(const char *line) {
  return line[0] == '\0' || strcmp(line, "end-of-candidates") == 0 || strcmp(line, "a=end-of-candidates") == 0;
}

floe_status floe_ice_agent_add_remote_candidate(floe_ice_agent *agent, floe_time now, const char *line,
                                                floe_error *why) {
  floe__agent_advance(agent, now);
  if (floe__agent_is_closing(agent)) return refuse(why, FLOE_E_STATE, "the agent is closed");
  if (is_end(line)) {
    floe_ice_agent_end_of_remote_candidates(agent, now);
    return FLOE_OK;
  }
  floe_status st = add_line(agent, line, why);
  floe__agent_settle(agent);
  return st;
}

void floe_ice_agent_end_of_remote_candidates(floe_ice_agent *agent, floe_time now) {
  floe__agent_advance(agent, now);
  if (floe__agent_is_closing(agent)) return;
  floe__session_end_remotes(agent->session);
  floe__agent_settle(agent);
}

/* --- the host's addresses --------------------------------------------------------------------------------------- */

void floe_ice_agent_on_interfaces_changed(floe_ice_agent *agent, floe_time now) {
  floe__agent_advance(agent, now);
  if (floe__agent_is_closing(agent) || floe__session_main_gather(agent->session) == NULL) return;
  (void)floe__io_ask_interfaces(&agent->io); /* without memory: as if the call had not been made */
}

/* --- data -------------------------------------------------------------------------------------------------------- */

/* The most that fits a datagram together with the headers of a Send indication, over any transport. */
#define MAX_DATA 65000

static void count_sent(floe__session *s, floe__pair *p, size_t len) {
  p->counts.packets_sent++;
  p->counts.bytes_sent += len;
  p->counts.last_sent_at = s->io->now;
  s->conn->packets_sent++;
  s->conn->bytes_sent += len;
}

static floe_status send_on(floe_ice_agent *agent, floe__session *s, floe_bytes data, uint8_t dscp) {
  floe__pair *p = s->selected;
  agent->io.dscp = dscp;
  floe__sent sent = floe__session_send_on(s, p, data);
  agent->io.dscp = 0;
  if (sent == FLOE__SENT) {
    count_sent(s, p, data.len);
    return FLOE_OK;
  }
  p->counts.packets_discarded++;
  p->counts.bytes_discarded += data.len;
  switch (sent) {
    case FLOE__SENT:
    case FLOE__SENT_NOT_READY: return FLOE_E_STATE;
    case FLOE__SENT_TOO_LARGE: return FLOE_E_TOO_LARGE;
    case FLOE__SENT_NOMEM: return FLOE_E_NOMEM;
  }
  return FLOE_E_STATE;
}

floe_status floe_ice_agent_send(floe_ice_agent *agent, floe_time now, floe_bytes data, uint8_t dscp) {
  floe__agent_advance(agent, now);
  if (dscp > 63 || data.len == 0) return FLOE_E_TYPE;
  if (data.len > MAX_DATA) return FLOE_E_TOO_LARGE;
  if (floe__consent_is_over(floe__agent_active(agent))) floe__agent_settle(agent);
  floe__session *s = floe__agent_active(agent);
  if (floe__agent_is_closing(agent) || s->selected == NULL) return FLOE_E_STATE;
  size_t pending = floe__io_pending(&agent->io);
  if (pending > 0 && pending + data.len > agent->settings->cfg.max_queue_bytes) return FLOE_E_AGAIN;
  return send_on(agent, s, data, dscp);
}

/* --- getters ----------------------------------------------------------------------------------------------------- */

floe_ice_connection_state floe_ice_agent_connection_state(const floe_ice_agent *agent) {
  if (floe__agent_is_closing(agent)) return FLOE_ICE_CONNECTION_CLOSED;
  return floe__agent_active(agent)->state;
}

bool floe_ice_agent_selected_pair(const floe_ice_agent *agent, const floe_ice_candidate **local,
                                  const floe_ice_candidate **remote) {
  const floe__pair *p = floe__agent_is_closing(agent) ? NULL : floe__agent_active(agent)->selected;
  if (local != NULL) *local = p == NULL ? NULL : &p->valid_local->pub;
  if (remote != NULL) *remote = p == NULL ? NULL : &p->remote->pub;
  return p != NULL;
}

static floe__snapshot *snapshot_of(floe_ice_agent *agent) {
  if (agent->snapshot == NULL) agent->snapshot = floe__zalloc(agent->io.env, sizeof *agent->snapshot);
  return agent->snapshot;
}

const floe_stats *floe_ice_agent_stats(floe_ice_agent *agent, floe_time now) {
  floe__agent_advance(agent, now);
  floe__snapshot *snap = snapshot_of(agent);
  const floe__session *active = floe__agent_active(agent);
  const floe__session *also = active == agent->session ? NULL : active;
  if (snap == NULL || !floe__snapshot_take_stats(snap, agent->session, also)) return NULL;
  snap->stats.transport.ice_state = floe_ice_agent_connection_state(agent);
  return &snap->stats;
}

const floe_connection_report *floe_ice_agent_connection_report(floe_ice_agent *agent, floe_time now) {
  floe__agent_advance(agent, now);
  floe__snapshot *snap = snapshot_of(agent);
  const floe__session *active = floe__agent_active(agent);
  if (snap == NULL || !floe__snapshot_take_report(snap, active, floe_ice_agent_connection_state(agent))) return NULL;
  return &snap->report;
}

/* --- descriptions ------------------------------------------------------------------------------------------------ */

size_t floe_ice_agent_local_description(const floe_ice_agent *agent, char *out, size_t cap) {
  bool ended = agent->gathering_state == FLOE_ICE_GATHERING_COMPLETE && !agent->settings->cfg.continual_gathering;
  bool told = agent->state != FLOE__AGENT_PREFETCHING;
  return floe__description_write(agent->session, told, ended, out, cap);
}
