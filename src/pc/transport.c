#include "pc/transport.h"

#include <string.h>

#include "base/assert.h"
#include "base/trace.h"
#include "ice/agent_config.h"
#include "pc/pc_internal.h"

/* What the agent's queue may hold before SCTP waits: packets are better kept where they can still be withheld. */
#define PENDING_MAX ((size_t)64 * 1024)

/* --- early datagrams
 * -------------------------------------------------------------------------------------------------- */

static void keep_early(floe_pc *pc, floe_bytes datagram) {
  floe__transport *t = &pc->transport;
  if (t->n_early == FLOE__EARLY_MAX) return; /* lost, as any datagram may be */
  uint8_t *copy = floe__alloc(pc->env, datagram.len);
  if (copy == NULL) return;
  memcpy(copy, datagram.ptr, datagram.len);
  t->early[t->n_early++] = (floe__early){copy, datagram.len};
}

static void drop_early(floe_pc *pc) {
  for (size_t i = 0; i < pc->transport.n_early; i++) floe__free(pc->env, pc->transport.early[i].bytes);
  pc->transport.n_early = 0;
}

static void replay_early(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  for (size_t i = 0; i < t->n_early; i++) {
    floe__dtls_on_datagram(t->dtls, (floe_bytes){t->early[i].bytes, t->early[i].len}, pc->now);
  }
  drop_early(pc);
}

/* --- SCTP
 * -------------------------------------------------------------------------------------------------------------- */

static void tell_sctp(floe_pc *pc, floe_sctp_transport_state state) {
  floe__transport *t = &pc->transport;
  if (t->sctp_state == state) return;
  t->sctp_state = state;
  floe__pc_node *node = floe__pc_node_new(pc->env, FLOE_EVENT_SCTPTRANSPORT_STATECHANGE);
  if (node == NULL) return; /* the state is in the getter, and the channels tell more */
  node->u.sctp = state;
  floe__pc_events_push(&pc->events, node, pc->moment);
}

static void set_sctp_text(floe_pc *pc, const char *text) {
  floe__free(pc->env, pc->transport.sctp_text);
  pc->transport.sctp_text = text == NULL ? NULL : floe__strdup(pc->env, text);
}

/* The association is over, for whatever reason. */
static void end_sctp(floe_pc *pc, floe_cause cause, const char *text) {
  floe__transport *t = &pc->transport;
  if (t->sctp_ended) return;
  t->sctp_cause = cause;
  set_sctp_text(pc, text);
  floe__channels_on_transport_closed(pc, cause); /* what they had still to send is known until then */
  t->sctp_ended = true;
  tell_sctp(pc, FLOE_SCTP_TRANSPORT_CLOSED);
}

static void start_sctp(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  if (t->sctp != NULL || t->sctp_ended || !t->plan.is_negotiated) return;
  const floe_pc_config *cfg = &pc->settings.cfg;
  floe__sctp_config sctp = {.local_port = t->plan.local_port,
                            .remote_port = t->plan.remote_port,
                            .streams = (uint16_t)(cfg->max_channels > 65535 ? 65535 : cfg->max_channels),
                            .packet_max = floe__dtls_payload(t->dtls),
                            .receive_max = (size_t)cfg->max_message_size,
                            .send_buffer = cfg->max_buffered_amount,
                            .no_interleaving = cfg->no_interleaving};
  t->sctp = floe__sctp_new(pc->env, &sctp, pc->now);
  if (t->sctp == NULL) {
    end_sctp(pc, FLOE_CAUSE_SCTP_ABORT, "out of memory");
    return;
  }
  floe__sctp_connect(t->sctp, pc->now);
}

void floe__transport_drop_sctp(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  t->plan.is_negotiated = false;
  if (t->sctp != NULL) floe__sctp_abort(t->sctp, "the data section was removed", pc->now);
  end_sctp(pc, FLOE_CAUSE_NONE, "the data section was rejected or removed");
}

void floe__transport_renew_sctp(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  if (!t->sctp_ended || t->dtls_state == FLOE_DTLS_TRANSPORT_FAILED || t->dtls_state == FLOE_DTLS_TRANSPORT_CLOSED) {
    return;
  }
  floe__sctp_free(t->sctp);
  t->sctp = NULL;
  t->sctp_ended = t->has_sctp_code = false;
  t->sctp_cause = FLOE_CAUSE_NONE;
  t->sctp_state = FLOE_SCTP_TRANSPORT_CONNECTING;
  t->streams = 0;
  set_sctp_text(pc, NULL);
}

bool floe__transport_is_sctp_connected(const floe_pc *pc) {
  return pc->transport.sctp != NULL && !pc->transport.sctp_ended &&
         pc->transport.sctp_state == FLOE_SCTP_TRANSPORT_CONNECTED;
}

/* webrtc-pc 6.1.1.2: the peer's a=max-message-size; 0 means that it takes any. */
uint64_t floe__transport_max_message_size(const floe_pc *pc) {
  uint64_t max = pc->transport.plan.remote_max_message_size;
  return max == 0 ? UINT64_MAX : max;
}

/* --- DTLS
 * -------------------------------------------------------------------------------------------------------------- */

static floe__pc_node *push(floe_pc *pc, floe_event_type type) {
  floe__pc_node *node = floe__pc_node_new(pc->env, type);
  if (node != NULL) floe__pc_events_push(&pc->events, node, pc->moment);
  return node;
}

/* The one writer of the DTLS transport's state (webrtc-pc 5.5). */
static void go_dtls(floe_pc *pc, floe_dtls_transport_state state, floe_cause cause) {
  floe__transport *t = &pc->transport;
  if (t->dtls_state == state) return;
  floe__trace tr;
  if (floe__trace_begin(&tr, pc->env, pc->now, "pc.dtls")) {
    floe__trace_text(&tr, "from", floe_dtls_transport_state_name(t->dtls_state));
    floe__trace_text(&tr, "to", floe_dtls_transport_state_name(state));
    if (cause != FLOE_CAUSE_NONE) floe__trace_text(&tr, "cause", floe_cause_id(cause));
    floe__trace_end(&tr);
  }
  t->dtls_state = state;
  /* What there is no memory to tell is in the getters, and connectionstatechange is told again when there is. */
  if (state == FLOE_DTLS_TRANSPORT_FAILED) (void)push(pc, FLOE_EVENT_DTLSTRANSPORT_ERROR);
  floe__pc_node *node = push(pc, FLOE_EVENT_DTLSTRANSPORT_STATECHANGE);
  if (node != NULL) node->u.dtls = state;
  floe__pc_tell_states(pc);
}

static bool is_dtls_over(const floe__transport *t) {
  if (t->dtls == NULL) return false;
  floe__dtls_state state = floe__dtls_state_of(t->dtls);
  return state == FLOE__DTLS_CLOSED || state == FLOE__DTLS_FAILED;
}

/* The session is over, and with it the association, if that has not ended itself. */
static void end_dtls(floe_pc *pc) {
  const floe__dtls_info *info = floe__dtls_info_of(pc->transport.dtls);
  if (floe__dtls_state_of(pc->transport.dtls) == FLOE__DTLS_CLOSED) {
    end_sctp(pc, FLOE_CAUSE_NONE, "the peer has closed the connection");
    go_dtls(pc, FLOE_DTLS_TRANSPORT_CLOSED, FLOE_CAUSE_NONE);
  } else {
    end_sctp(pc, info->cause, info->text);
    go_dtls(pc, FLOE_DTLS_TRANSPORT_FAILED, info->cause);
  }
}

static void follow_dtls(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  switch (floe__dtls_state_of(t->dtls)) {
    case FLOE__DTLS_NEW: break;
    case FLOE__DTLS_HANDSHAKE: go_dtls(pc, FLOE_DTLS_TRANSPORT_CONNECTING, FLOE_CAUSE_NONE); break;
    case FLOE__DTLS_OPEN:
      go_dtls(pc, FLOE_DTLS_TRANSPORT_CONNECTED, FLOE_CAUSE_NONE);
      start_sctp(pc);
      break;
    case FLOE__DTLS_CLOSED:
    case FLOE__DTLS_FAILED:
      /* What had come before, messages and an ABORT, is told before: floe__transport_take_event. */
      if (t->sctp == NULL || t->sctp_ended) end_dtls(pc);
      break;
  }
}

static bool is_ice_up(const floe__transport *t) {
  return t->ice == FLOE_ICE_CONNECTION_CONNECTED || t->ice == FLOE_ICE_CONNECTION_COMPLETED;
}

static void start_dtls(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  if (t->dtls == NULL || t->dtls_started || !is_ice_up(t)) return;
  t->dtls_started = true;
  floe__dtls_start(t->dtls, pc->now);
  replay_early(pc);
  follow_dtls(pc);
}

static floe_status make_dtls(floe_pc *pc, bool is_client, const floe__fingerprint *list, size_t n) {
  const floe_certificate *cert = floe__pc_certificate(pc);
  if (cert == NULL) return FLOE_E_NOMEM;
  const floe_pc_config *cfg = &pc->settings.cfg;
  floe__dtls_config dtls = {.certificate = cert,
                            .is_client = is_client,
                            .fingerprints = list,
                            .n_fingerprints = n,
                            .mtu = cfg->mtu,
                            .timeout_ms = cfg->dtls_timeout_ms,
                            .keylog = cfg->keylog,
                            .keylog_user = cfg->keylog_user};
  floe__dtls *made = floe__dtls_new(pc->env, &dtls, pc->now);
  if (made == NULL) return FLOE_E_NOMEM;
  floe__transport *t = &pc->transport;
  if (is_dtls_over(t)) end_dtls(pc);
  floe__dtls_free(t->dtls);
  floe__free(pc->env, pc->peer_der); /* it was the other session's */
  pc->peer_der = NULL;
  if (t->is_client != is_client) floe__channels_forget_ids(pc);
  t->dtls = made;
  t->is_client = is_client;
  t->dtls_started = false;
  go_dtls(pc, FLOE_DTLS_TRANSPORT_NEW, FLOE_CAUSE_NONE);
  if (t->plan.is_negotiated) floe__transport_renew_sctp(pc);
  start_dtls(pc);
  return FLOE_OK;
}

static floe_status use_fingerprints(floe_pc *pc, bool is_client, const floe__fingerprint *list, size_t n) {
  floe__transport *t = &pc->transport;
  if (t->dtls == NULL) return make_dtls(pc, is_client, list, n);
  /* Roles are of the handshake: afterwards the certificate tells that it is the same session. Firefox answers each
   * later offer with `active`, whichever side it was, against RFC 8842 5.3. */
  bool is_open = floe__dtls_state_of(t->dtls) == FLOE__DTLS_OPEN;
  if ((is_open || t->is_client == is_client) && floe__dtls_update_fingerprints(t->dtls, list, n)) return FLOE_OK;
  /* RFC 8842 5: that is another association. Before the handshake is over (a provisional answer of one device, the
   * final one of another) it takes the place; afterwards it would be another peer. */
  if (is_open) return FLOE_E_ACCESS;
  return make_dtls(pc, is_client, list, n);
}

floe_status floe__transport_set_dtls(floe_pc *pc, bool is_client, const floe__sdp_media *remote) {
  size_t n = remote->n_fingerprints;
  floe__fingerprint *list = floe__alloc(pc->env, n * sizeof *list);
  if (list == NULL) return FLOE_E_NOMEM;
  for (size_t i = 0; i < n; i++) {
    list[i] = (floe__fingerprint){remote->fingerprints[i].hash, remote->fingerprints[i].value};
  }
  floe_status st = use_fingerprints(pc, is_client, list, n);
  floe__free(pc->env, list);
  return st;
}

/* --- bytes between the layers
 * ------------------------------------------------------------------------------------------ */

/* What ICE does not take is lost, as any datagram may be: DTLS and SCTP repeat. */
static bool flush_dtls(floe_pc *pc) {
  bool moved = false;
  floe_bytes datagram;
  while (floe__dtls_next_datagram(pc->transport.dtls, &datagram)) {
    (void)!floe_ice_agent_send(pc->transport.agent, pc->now, datagram, 0);
    moved = true;
  }
  return moved;
}

static bool flush_sctp(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  if (t->sctp == NULL || floe__dtls_state_of(t->dtls) != FLOE__DTLS_OPEN) return false;
  bool moved = false;
  floe_bytes packet;
  while (floe__agent_pending(t->agent) < PENDING_MAX && floe__sctp_next_packet(t->sctp, &packet)) {
    (void)floe__dtls_write(t->dtls, packet, pc->now);
    (void)flush_dtls(pc);
    moved = true;
  }
  return moved;
}

/* RFC 8261 5: each record is one SCTP packet. */
#define RECORD_MAX 16384

static bool read_dtls(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  uint8_t record[RECORD_MAX];
  size_t n;
  bool moved = false;
  while ((n = floe__dtls_read(t->dtls, record, sizeof record)) > 0) {
    if (t->sctp != NULL && !t->sctp_ended) floe__sctp_on_packet(t->sctp, (floe_bytes){record, n}, pc->now);
    moved = true;
  }
  return moved;
}

void floe__transport_pump(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  if (t->dtls == NULL || !t->dtls_started) return;
  bool moved = true;
  while (moved) {
    follow_dtls(pc);
    moved = read_dtls(pc);
    moved = flush_sctp(pc) || moved;
    moved = flush_dtls(pc) || moved;
  }
}

/* RFC 7983: 20 to 63 is DTLS. There is no RTP here. */
void floe__transport_on_datagram(floe_pc *pc, floe_bytes datagram) {
  floe__transport *t = &pc->transport;
  if (datagram.len == 0 || datagram.ptr[0] < 20 || datagram.ptr[0] > 63) {
    t->datagrams_unknown++;
    return;
  }
  if (t->dtls == NULL || !t->dtls_started) {
    keep_early(pc, datagram);
    return;
  }
  floe__dtls_on_datagram(t->dtls, datagram, pc->now);
  floe__transport_pump(pc);
}

/* --- ICE
 * --------------------------------------------------------------------------------------------------------------- */

void floe__transport_on_ice_state(floe_pc *pc, floe_ice_connection_state state, floe_cause cause) {
  floe__transport *t = &pc->transport;
  t->ice = state;
  t->ice_cause = cause;
  floe__pc_node *node = push(pc, FLOE_EVENT_ICETRANSPORT_STATECHANGE);
  if (node != NULL) node->u.ice = (floe_connection_change){state, cause};
  floe__pc_tell_states(pc);
  start_dtls(pc);
  floe__transport_pump(pc);
}

/* --- time
 * --------------------------------------------------------------------------------------------------------------- */

void floe__transport_on_deadline(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  if (t->dtls != NULL && t->dtls_started && floe__dtls_deadline(t->dtls).at <= pc->now) {
    floe__dtls_on_deadline(t->dtls, pc->now);
  }
  if (t->sctp != NULL && floe__sctp_deadline(t->sctp).at <= pc->now) floe__sctp_on_deadline(t->sctp, pc->now);
  floe__transport_pump(pc);
}

floe__deadline floe__transport_deadline(const floe_pc *pc) {
  const floe__transport *t = &pc->transport;
  floe__deadline d = FLOE__NO_DEADLINE;
  if (t->dtls != NULL && t->dtls_started) d = floe__earliest(d, floe__dtls_deadline(t->dtls));
  if (t->sctp != NULL) d = floe__earliest(d, floe__sctp_deadline(t->sctp));
  return d;
}

/* --- events of the association
 * ------------------------------------------------------------------------------------------ */

static void on_connected(floe_pc *pc, const floe__sctp_event *e) {
  floe__transport *t = &pc->transport;
  t->streams = e->streams_in < e->streams_out ? e->streams_in : e->streams_out;
  tell_sctp(pc, FLOE_SCTP_TRANSPORT_CONNECTED);
  floe__channels_on_connected(pc);
}

static void on_closed(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  const floe__sctp_info *info = floe__sctp_info_of(t->sctp);
  t->has_sctp_code = info->has_abort_code;
  t->sctp_code = info->abort_code;
  end_sctp(pc, info->cause, info->text);
}

bool floe__transport_take_event(floe_pc *pc, floe_event *out, bool *more) {
  floe__transport *t = &pc->transport;
  floe__sctp_event e;
  *more = t->sctp != NULL && !t->sctp_ended && floe__sctp_next_event(t->sctp, &e);
  if (!*more && is_dtls_over(t) && t->dtls_state < FLOE_DTLS_TRANSPORT_CLOSED) {
    end_dtls(pc);
    *more = true;
    return false;
  }
  if (!*more) return false;
  switch (e.type) {
    case FLOE__SCTP_EVENT_CONNECTED: on_connected(pc, &e); break;
    case FLOE__SCTP_EVENT_MESSAGE: return floe__channels_on_message(pc, &e, out);
    case FLOE__SCTP_EVENT_RESET_IN: floe__channels_on_reset_in(pc, e.stream); break;
    case FLOE__SCTP_EVENT_RESET_OUT: floe__channels_on_reset_out(pc, e.stream); break;
    case FLOE__SCTP_EVENT_SENT: floe__channels_on_sent(pc, e.stream); break;
    case FLOE__SCTP_EVENT_CLOSED: on_closed(pc); break;
  }
  return false;
}

/* --- the end
 * ------------------------------------------------------------------------------------------------------------- */

static void free_layers(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  floe__sctp_free(t->sctp);
  floe__dtls_free(t->dtls);
  t->sctp = NULL;
  t->dtls = NULL;
  drop_early(pc);
}

/* webrtc-pc "close the connection": the association is aborted, DTLS sends close_notify. */
void floe__transport_close(floe_pc *pc) {
  floe__transport *t = &pc->transport;
  if (t->sctp != NULL && !t->sctp_ended) floe__sctp_abort(t->sctp, "the connection was closed", pc->now);
  t->sctp_ended = true;
  t->sctp_state = FLOE_SCTP_TRANSPORT_CLOSED;
  if (t->dtls != NULL && t->dtls_started) {
    (void)flush_sctp(pc);
    floe__dtls_close(t->dtls, pc->now);
    (void)flush_dtls(pc);
  }
  t->dtls_state = FLOE_DTLS_TRANSPORT_CLOSED;
  free_layers(pc);
}

void floe__transport_clear(floe_pc *pc) {
  free_layers(pc);
  floe__free(pc->env, pc->transport.sctp_text);
  floe_ice_agent_free(pc->transport.agent);
}
