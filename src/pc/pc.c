/* The connection: life, inputs, outputs. Routing only. */
#include <string.h>

#include "base/assert.h"
#include "base/status_internal.h"
#include "ice/agent_config.h"
#include "pc/pc_internal.h"
#include "pc/trace.h"

floe_status floe__pc_refuse(floe_error *why, floe_status st, const char *path, const char *message) {
  return floe__error_set(why, st, path, FLOE_NO_OFFSET, "%s", message == NULL ? floe_status_text(st) : message);
}

floe_status floe__pc_refuse_path(floe_error *why, floe_status st, const char *path) {
  if (why != NULL) (void)snprintf(why->path, sizeof why->path, "%s", path);
  return st;
}

/* Time never goes back: an earlier `now` counts as the latest seen. */
void floe__pc_advance(floe_pc *pc, floe_time now) {
  floe__pc_trace_as(pc);
  if (now > pc->now) pc->now = now;
  pc->moment = pc->now;
}

bool floe__pc_is_closed(const floe_pc *pc) {
  return pc->life != FLOE__PC_LIVE;
}

/* --- states
 * ------------------------------------------------------------------------------------------------------------- */

static floe__transport_states states_of(const floe_pc *pc) {
  const floe__transport *t = &pc->transport;
  return (floe__transport_states){t->ice, t->gathering, t->dtls_state};
}

static floe__pc_node *new_node(floe_pc *pc, floe_event_type type) {
  floe__pc_node *node = floe__pc_node_new(pc->env, type);
  if (node == NULL) pc->is_untold = true;
  return node;
}

static void tell_ice_connection(floe_pc *pc, floe_ice_connection_state state, floe_cause cause) {
  if (state == pc->ice_connection_state) return;
  floe__pc_node *node = new_node(pc, FLOE_EVENT_ICECONNECTIONSTATECHANGE);
  if (node == NULL) return;
  pc->ice_connection_state = state;
  node->u.ice = (floe_connection_change){state, cause};
  floe__pc_events_push(&pc->events, node, pc->moment);
}

static void tell_connection(floe_pc *pc, floe_pc_state state, floe_cause cause) {
  if (state == pc->connection_state) return;
  floe__pc_node *node = new_node(pc, FLOE_EVENT_CONNECTIONSTATECHANGE);
  if (node == NULL) return;
  floe__pc_trace_state(pc, state, cause);
  pc->connection_state = state;
  node->u.pc = (floe_pc_change){state, cause};
  floe__pc_events_push(&pc->events, node, pc->moment);
}

static void tell_gathering(floe_pc *pc, floe_ice_gathering_state state) {
  if (state == pc->ice_gathering_state) return;
  floe__pc_node *node = new_node(pc, FLOE_EVENT_ICEGATHERINGSTATECHANGE), *end = NULL;
  /* webrtc-pc "update the ICE gathering state": the null candidate */
  bool is_end = state == FLOE_ICE_GATHERING_COMPLETE;
  if (node != NULL && is_end) end = new_node(pc, FLOE_EVENT_ICECANDIDATE);
  if (node == NULL || (is_end && end == NULL)) {
    floe__pc_node_free(pc->env, node);
    return;
  }
  pc->ice_gathering_state = state;
  node->u.gathering = state;
  floe__pc_events_push(&pc->events, node, pc->moment);
  if (is_end) floe__pc_events_push(&pc->events, end, pc->moment);
}

/* When DTLS has failed it does not matter how ICE is. */
static floe_cause cause_of(const floe_pc *pc) {
  const floe__transport *t = &pc->transport;
  bool is_dtls = t->dtls != NULL && t->dtls_state == FLOE_DTLS_TRANSPORT_FAILED;
  return is_dtls ? floe__dtls_info_of(t->dtls)->cause : t->ice_cause;
}

void floe__pc_tell_states(floe_pc *pc) {
  if (floe__pc_is_closed(pc)) return;
  floe__transport_states states = states_of(pc);
  size_t n = pc->transport.is_used ? 1 : 0;
  tell_gathering(pc, floe__pc_ice_gathering_state(&states, n));
  floe_ice_connection_state ice = floe__pc_ice_connection_state(&states, n, false);
  bool bad = ice == FLOE_ICE_CONNECTION_FAILED || ice == FLOE_ICE_CONNECTION_DISCONNECTED;
  tell_ice_connection(pc, ice, bad ? pc->transport.ice_cause : FLOE_CAUSE_NONE);
  floe_pc_state state = floe__pc_connection_state(&states, n, false);
  bad = state == FLOE_PC_FAILED || state == FLOE_PC_DISCONNECTED;
  tell_connection(pc, state, bad ? cause_of(pc) : FLOE_CAUSE_NONE);
}

/* --- making and freeing
 * -------------------------------------------------------------------------------------------------- */

floe_status floe_pc_new(floe_pc **out, floe_env *env, floe_time now, const floe_pc_config *cfg, floe_error *why) {
  *out = NULL;
  floe_pc *pc = floe__zalloc(env, sizeof *pc);
  if (pc == NULL) return floe__pc_refuse(why, FLOE_E_NOMEM, "", NULL);
  floe_status st = floe__pc_settings_init(&pc->settings, env, now, cfg, &pc->transport.agent, why);
  if (st != FLOE_OK) {
    floe__free(env, pc);
    return st;
  }
  pc->env = env;
  pc->now = now;
  pc->settings.cfg.ice = &pc->settings.ice;
  if (pc->settings.cfg.ice_candidate_pool_size > 0) {
    st = floe_ice_agent_prefetch(pc->transport.agent, now);
    if (st != FLOE_OK) {
      floe_pc_free(pc);
      return floe__pc_refuse(why, st, "", NULL);
    }
  }
  *out = pc;
  return FLOE_OK;
}

void floe_pc_free(floe_pc *pc) {
  if (pc == NULL) return;
  floe_env *env = pc->env;
  floe__pc_trace_as(pc);
  floe__pc_events_clear(&pc->events, env);
  floe__channels_clear(pc);
  floe__signaling_clear(pc);
  floe__transport_clear(pc);
  floe__pc_stats_free(pc);
  floe__pc_settings_clear(&pc->settings, env);
  floe__free(env, pc->peer_der);
  floe__free(env, pc);
}

void floe_pc_close(floe_pc *pc, floe_time now) {
  floe__pc_advance(pc, now);
  if (floe__pc_is_closed(pc)) return;
  floe__pc_events_clear(&pc->events, pc->env);
  floe__channels_silence(pc);
  floe__transport_close(pc);
  floe__signaling_go(pc, FLOE_SIGNALING_CLOSED, NULL);
  pc->life = FLOE__PC_CLOSING;
  pc->ice_connection_state = FLOE_ICE_CONNECTION_CLOSED;
  floe__pc_trace_state(pc, FLOE_PC_CLOSED, FLOE_CAUSE_NONE);
  pc->connection_state = FLOE_PC_CLOSED;
  floe_ice_agent_close(pc->transport.agent, pc->now);
}

bool floe_pc_is_closed(const floe_pc *pc) {
  return floe__pc_is_closed(pc) && floe_ice_agent_is_closed(pc->transport.agent);
}

/* --- inputs
 * -------------------------------------------------------------------------------------------------------------- */

void floe_pc_input(floe_pc *pc, floe_time now, const floe_input *in) {
  floe__pc_advance(pc, now);
  floe_ice_agent_input(pc->transport.agent, pc->now, in);
  if (in->type == FLOE_INPUT_TIMER && !floe__pc_is_closed(pc)) floe__transport_on_deadline(pc);
}

/* --- events of the agent
 * --------------------------------------------------------------------------------------------------- */

static const floe__sdp_media *local_section(const floe_pc *pc, const floe__description **d) {
  *d = floe__signaling_local(pc);
  return *d == NULL ? NULL : floe__description_transport(*d);
}

/* webrtc-pc 4.8.2: where the candidate belongs. `text` NULL: the null candidate, which has no place. */
static void place_candidate(floe_pc *pc, floe_event *event, const floe_ice_candidate *candidate, const char *text) {
  const floe__description *d;
  const floe__sdp_media *m = local_section(pc, &d);
  floe_signaled_candidate *s = &event->u.signaled;
  memset(s, 0, sizeof *s);
  s->candidate = candidate;
  s->text = text;
  if (m == NULL || text == NULL) return;
  s->sdp_mid = m->mid;
  s->sdp_m_line_index = floe__description_index(d, m);
  s->username_fragment = floe_ice_agent_local_parameters(pc->transport.agent)->ufrag;
}

static void on_gathering(floe_pc *pc, floe_ice_gathering_state state) {
  pc->transport.gathering = state;
  floe__pc_node *node = floe__pc_node_new(pc->env, FLOE_EVENT_ICETRANSPORT_GATHERINGSTATECHANGE);
  if (node != NULL) {
    node->u.gathering = state;
    floe__pc_events_push(&pc->events, node, pc->moment);
  }
  floe__pc_tell_states(pc);
}

/* True: *out is to be handed out. Events of states become events of the connection, which follow. */
static bool on_agent_event(floe_pc *pc, const floe_event *event, floe_event *out) {
  *out = *event;
  pc->moment = event->time; /* what follows from it happened then */
  switch ((int)event->type) {
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE: on_gathering(pc, event->u.gathering_state); return false;
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE:
      floe__transport_on_ice_state(pc, event->u.connection.state, event->u.connection.cause);
      return false;
    case FLOE_EVENT_ICECANDIDATE: {
      const floe_ice_candidate *c = event->u.candidate;
      place_candidate(pc, out, c, c == NULL ? "" : c->text);
      return out->u.signaled.username_fragment != NULL; /* else its section was rejected since: it has no place */
    }
    default: return true;
  }
}

/* --- events handed out
 * ------------------------------------------------------------------------------------------------------ */

static const char *error_detail(floe_cause cause) {
  switch ((int)cause) {
    case FLOE_CAUSE_DTLS_FINGERPRINT: return "fingerprint-failure";
    case FLOE_CAUSE_DTLS_ALERT:
    case FLOE_CAUSE_DTLS_TIMEOUT: return "dtls-failure";
    case FLOE_CAUSE_SCTP_ABORT:
    case FLOE_CAUSE_SCTP_TIMEOUT: return "sctp-failure";
    default: return "data-channel-failure";
  }
}

static void fill_error(floe_pc *pc, floe_event *event, floe_data_channel *channel) {
  const floe__transport *t = &pc->transport;
  const floe__dtls_info *dtls = t->dtls == NULL ? NULL : floe__dtls_info_of(t->dtls);
  bool is_dtls = channel == NULL || (dtls != NULL && t->dtls_state == FLOE_DTLS_TRANSPORT_FAILED);
  floe_channel_error *e = &event->u.channel_error;
  e->channel = channel;
  e->cause = is_dtls && dtls != NULL ? dtls->cause : t->sctp_cause;
  const char *text = is_dtls && dtls != NULL ? dtls->text : t->sctp_text;
  if (e->cause == FLOE_CAUSE_NONE && text == NULL) text = "no stream is left for the channel";
  e->detail = error_detail(e->cause);
  e->message = text != NULL ? text : floe_cause_sentence(e->cause);
  e->has_sctp_cause_code = !is_dtls && t->has_sctp_code;
  e->sctp_cause_code = e->has_sctp_cause_code ? t->sctp_code : 0;
  if (!is_dtls || dtls == NULL) return;
  e->has_received_alert = dtls->has_alert_received;
  e->received_alert = dtls->alert_received;
  e->has_sent_alert = dtls->has_alert_sent;
  e->sent_alert = dtls->alert_sent;
}

static void begin_event(const floe_pc *pc, floe_event *event, floe_event_type type, floe_time time) {
  event->type = type;
  event->name = floe_event_name(type);
  event->time = time;
  event->t_ms = pc->started_at == 0 ? 0.0 : floe__ms_between(pc->started_at, time);
  event->bubbles = event->cancelable = false;
}

/* False: it has nothing to tell any more (webrtc-pc 4.7.3: negotiation is not needed after all). */
static bool fill_event(floe_pc *pc, const floe__pc_node *node, floe_event *event) {
  memset(event, 0, sizeof *event);
  begin_event(pc, event, node->type, node->time);
  switch ((int)node->type) {
    case FLOE_EVENT_NEGOTIATIONNEEDED: return floe__signaling_is_negotiation_due(pc);
    case FLOE_EVENT_SIGNALINGSTATECHANGE: event->u.signaling_state = node->u.signaling; break;
    case FLOE_EVENT_ICETRANSPORT_GATHERINGSTATECHANGE:
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE: event->u.gathering_state = node->u.gathering; break;
    case FLOE_EVENT_ICETRANSPORT_STATECHANGE:
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE: event->u.connection = node->u.ice; break;
    case FLOE_EVENT_CONNECTIONSTATECHANGE: event->u.pc = node->u.pc; break;
    case FLOE_EVENT_DTLSTRANSPORT_STATECHANGE: event->u.dtls_state = node->u.dtls; break;
    case FLOE_EVENT_SCTPTRANSPORT_STATECHANGE: event->u.sctp_state = node->u.sctp; break;
    case FLOE_EVENT_ICECANDIDATE: place_candidate(pc, event, NULL, NULL); break;
    case FLOE_EVENT_DTLSTRANSPORT_ERROR: fill_error(pc, event, NULL); break;
    case FLOE_EVENT_ERROR: fill_error(pc, event, node->u.channel); break;
    default: /* of a channel */ event->u.channel = node->u.channel; break;
  }
  return true;
}

static bool take_queued(floe_pc *pc, floe_output *out) {
  floe__pc_node *node;
  while ((node = floe__pc_events_take(&pc->events)) != NULL) {
    bool told = fill_event(pc, node, &pc->event);
    floe__pc_node_free(pc->env, node);
    if (!told) continue;
    out->type = FLOE_OUTPUT_EVENT;
    out->u.event = &pc->event;
    return true;
  }
  return false;
}

/* --- outputs
 * ----------------------------------------------------------------------------------------------------------------- */

static void tell_untold(floe_pc *pc) {
  if (!pc->is_untold || floe__pc_is_closed(pc)) return;
  pc->is_untold = false;
  floe__pc_tell_states(pc);
}

/* An event of the association; true: *out holds it. */
static bool take_message(floe_pc *pc, floe_output *out, bool *more) {
  floe_event *event = &pc->event;
  if (!floe__transport_take_event(pc, event, more)) return false;
  begin_event(pc, event, event->type, pc->now);
  out->type = FLOE_OUTPUT_EVENT;
  out->u.event = event;
  return true;
}

static bool take_of_agent(floe_pc *pc, floe_output *out) {
  floe_ice_agent_poll(pc->transport.agent, out);
  switch (out->type) {
    case FLOE_OUTPUT_DATA:
      if (!floe__pc_is_closed(pc)) floe__transport_on_datagram(pc, out->u.data.data);
      return false;
    case FLOE_OUTPUT_EVENT:
      if (floe__pc_is_closed(pc) || !on_agent_event(pc, out->u.event, &pc->event)) return false;
      out->u.event = &pc->event;
      return true;
    case FLOE_OUTPUT_PERMISSION: return false;
    case FLOE_OUTPUT_WAIT:
    case FLOE_OUTPUT_TRANSMIT:
    case FLOE_OUTPUT_OPEN:
    case FLOE_OUTPUT_CLOSE:
    case FLOE_OUTPUT_RESOLVE:
    case FLOE_OUTPUT_INTERFACES:
    case FLOE_OUTPUT_PUBLISH: return true;
  }
  return false;
}

static bool has_sctp_output(const floe__transport *t) {
  return t->sctp != NULL && !t->sctp_ended && floe__sctp_has_output(t->sctp);
}

/* Nothing is left to be told or sent: when to come again. False: there is more after all. */
static bool finish_wait(floe_pc *pc, floe_output *out) {
  if (floe__pc_is_closed(pc)) return true;
  const floe__transport *t = &pc->transport;
  floe__channels_pay(pc);
  if (has_sctp_output(t)) {
    floe__transport_pump(pc);
    if (floe__agent_pending(t->agent) > 0 || pc->events.first != NULL) return false;
  }
  floe__deadline d =
      floe__earliest((floe__deadline){out->u.wait.until, out->u.wait.reason}, floe__transport_deadline(pc));
  if (d.at <= pc->now) { /* due since this moment */
    floe__transport_on_deadline(pc);
    d.at = pc->now + 1;
    if (floe__agent_pending(t->agent) > 0 || pc->events.first != NULL || has_sctp_output(t)) return false;
  }
  out->u.wait.until = d.at;
  out->u.wait.reason = d.reason;
  return true;
}

void floe_pc_poll(floe_pc *pc, floe_output *out) {
  floe__pc_trace_as(pc);
  for (;;) {
    tell_untold(pc);
    if (take_queued(pc, out)) return;
    bool more = false;
    if (!floe__pc_is_closed(pc) && take_message(pc, out, &more)) return;
    if (more) continue;
    if (!take_of_agent(pc, out)) continue;
    if (out->type != FLOE_OUTPUT_WAIT || finish_wait(pc, out)) return;
  }
}
