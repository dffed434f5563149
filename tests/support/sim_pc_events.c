#include <string.h>

#include "support/sim_pc_internal.h"

static const char *or_none(const char *text) {
  return text == NULL ? "-" : text;
}

static void record_candidate(sim_pc *x, const floe_signaled_candidate *c) {
  char address[FLOE_ADDR_TEXT];
  if (c->text == NULL) {
    sim_pc_line(x, "icecandidate null");
    return;
  }
  if (c->text[0] == '\0') {
    sim_pc_line(x, "icecandidate end");
    return;
  }
  x->n_candidates++;
  const floe_ice_candidate *k = c->candidate;
  sim_pc_line(x, "icecandidate %s %s%s%s%s%s", floe_candidate_type_name(k->type),
              k->mdns_name != NULL ? k->mdns_name : floe_addr_format(&k->address, address), k->url == NULL ? "" : " ",
              k->url == NULL ? "" : k->url, k->tcp_type == FLOE_TCP_TYPE_NONE ? "" : " tcp ",
              floe_tcp_type_name(k->tcp_type));
}

static void record_error(sim_pc *x, const floe_event *e) {
  const floe_candidate_error *err = &e->u.error;
  sim_pc_line(x, "%s %u %s %s", e->name, (unsigned)err->error_code,
              err->detail == NULL ? "-" : floe_cause_id(err->detail->cause), or_none(err->url));
}

static void record_pair(sim_pc *x, const floe_pair_change *c) {
  char local[FLOE_ADDR_TEXT], remote[FLOE_ADDR_TEXT];
  if (c->local == NULL || c->remote == NULL) {
    sim_pc_line(x, "ice selectedcandidatepairchange none");
    return;
  }
  sim_pc_line(x, "ice selectedcandidatepairchange %s %s > %s %s", floe_candidate_type_name(c->local->type),
              floe_addr_format(&c->local->address, local), floe_candidate_type_name(c->remote->type),
              floe_addr_format(&c->remote->address, remote));
}

static void line_with_cause(sim_pc *x, const char *what, const char *state, floe_cause cause) {
  bool has = cause != FLOE_CAUSE_NONE;
  sim_pc_line(x, "%s %s%s%s", what, state, has ? " " : "", has ? floe_cause_id(cause) : "");
}

static void record_pc_state(sim_pc *x, const floe_pc_change *change) {
  x->told_state = change->state;
  x->cause = change->cause;
  if (change->state == FLOE_PC_CONNECTED && x->connected_at == 0) x->connected_at = sim_now(x->s);
  line_with_cause(x, "connectionstatechange", floe_pc_state_name(change->state), change->cause);
}

static void record_dtls_error(sim_pc *x, const floe_channel_error *e) {
  x->dtls_error = e->cause;
  sim_pc_line(x, "dtls error %s %s", floe_cause_id(e->cause), or_none(e->detail));
}

static void record_channel_error(sim_pc *x, const floe_channel_error *e) {
  sim_channel *c = sim_pc_channel_of(x, e->channel);
  c->told_error = true;
  c->error_cause = e->cause;
  sim_pc_line(x, "%s error %s %s", c->name, e->cause == FLOE_CAUSE_NONE ? "-" : floe_cause_id(e->cause),
              or_none(e->detail));
}

static void record_channel(sim_pc *x, const floe_event *e) {
  sim_channel *c = sim_pc_channel_of(x, e->u.channel);
  c->told_open = c->told_open || e->type == FLOE_EVENT_OPEN;
  c->told_closing = c->told_closing || e->type == FLOE_EVENT_CLOSING;
  c->told_close = c->told_close || e->type == FLOE_EVENT_CLOSE;
  sim_pc_line(x, "%s %s", c->name, e->name);
  if (e->type == FLOE_EVENT_OPEN || e->type == FLOE_EVENT_BUFFEREDAMOUNTLOW) sim_channel_resume(c);
}

static void record_of_transports(sim_pc *x, const floe_event *e) {
  switch ((int)e->type) {
    case FLOE_EVENT_ICETRANSPORT_STATECHANGE:
      sim_pc_line(x, "ice %s %s", e->name, floe_ice_connection_state_name(e->u.connection.state));
      return;
    case FLOE_EVENT_ICETRANSPORT_GATHERINGSTATECHANGE:
      sim_pc_line(x, "ice %s %s", e->name, floe_ice_gathering_state_name(e->u.gathering_state));
      return;
    case FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE: record_pair(x, &e->u.pair); return;
    case FLOE_EVENT_DTLSTRANSPORT_STATECHANGE:
      x->told_dtls = e->u.dtls_state;
      sim_pc_line(x, "dtls %s %s", e->name, floe_dtls_transport_state_name(e->u.dtls_state));
      return;
    case FLOE_EVENT_DTLSTRANSPORT_ERROR: record_dtls_error(x, &e->u.channel_error); return;
    case FLOE_EVENT_SCTPTRANSPORT_STATECHANGE:
      x->told_sctp = e->u.sctp_state;
      sim_pc_line(x, "sctp %s %s", e->name, floe_sctp_transport_state_name(e->u.sctp_state));
      return;
    default: sim_fail(x->s, "%s: an event of no type", x->name); return;
  }
}

static void record_datachannel(sim_pc *x, floe_data_channel *handle) {
  sim_channel *c = sim_pc_keep_channel(x, handle, false);
  sim_pc_line(x, "datachannel %s", c->name);
}

void sim_pc_record(sim_pc *x, const floe_event *e) {
  switch ((int)e->type) {
    case FLOE_EVENT_NEGOTIATIONNEEDED:
      x->n_negotiationneeded++;
      sim_pc_line(x, "%s", e->name);
      return;
    case FLOE_EVENT_SIGNALINGSTATECHANGE:
      x->told_signaling = e->u.signaling_state;
      sim_pc_line(x, "%s %s", e->name, floe_signaling_state_name(e->u.signaling_state));
      return;
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE:
      x->told_gathering = e->u.gathering_state;
      sim_pc_line(x, "%s %s", e->name, floe_ice_gathering_state_name(e->u.gathering_state));
      return;
    case FLOE_EVENT_ICECANDIDATE: record_candidate(x, &e->u.signaled); return;
    case FLOE_EVENT_ICECANDIDATEERROR:
    case FLOE_EVENT_ICESERVERERROR: record_error(x, e); return;
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE:
      x->told_ice = e->u.connection.state;
      line_with_cause(x, e->name, floe_ice_connection_state_name(e->u.connection.state), e->u.connection.cause);
      return;
    case FLOE_EVENT_CONNECTIONSTATECHANGE: record_pc_state(x, &e->u.pc); return;
    case FLOE_EVENT_DATACHANNEL: record_datachannel(x, e->u.channel); return;
    case FLOE_EVENT_OPEN:
    case FLOE_EVENT_BUFFEREDAMOUNTLOW:
    case FLOE_EVENT_CLOSING:
    case FLOE_EVENT_CLOSE: record_channel(x, e); return;
    case FLOE_EVENT_MESSAGE: sim_channel_take(sim_pc_channel_of(x, e->u.message.channel), &e->u.message); return;
    case FLOE_EVENT_ERROR: record_channel_error(x, &e->u.channel_error); return;
    default: record_of_transports(x, e); return;
  }
}
