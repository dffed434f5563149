/* The transports as readable objects (webrtc-pc 5.5, 5.6, 6.1), and why there is no connection. */
#include <openssl/x509.h>
#include <string.h>

#include "pc/pc_internal.h"

floe_signaling_state floe_pc_signaling_state(const floe_pc *pc) {
  return pc->signaling.state;
}

floe_ice_gathering_state floe_pc_ice_gathering_state(const floe_pc *pc) {
  return pc->ice_gathering_state;
}

floe_ice_connection_state floe_pc_ice_connection_state(const floe_pc *pc) {
  return pc->ice_connection_state;
}

floe_pc_state floe_pc_connection_state(const floe_pc *pc) {
  return pc->connection_state;
}

floe_ice_agent *floe_pc_ice_agent(floe_pc *pc) {
  return pc->transport.agent;
}

const floe_ice_transport *floe_pc_ice_transport(floe_pc *pc) {
  const floe__transport *t = &pc->transport;
  if (!t->is_used) return NULL;
  floe_ice_transport *o = &pc->ice_object;
  memset(o, 0, sizeof *o);
  o->role = floe_ice_agent_role(t->agent);
  o->state = floe__pc_is_closed(pc) ? FLOE_ICE_CONNECTION_CLOSED : t->ice;
  o->gathering_state = t->gathering;
  o->local_parameters = floe_ice_agent_local_parameters(t->agent);
  o->remote_parameters = floe_ice_agent_remote_parameters(t->agent);
  (void)floe_ice_agent_selected_pair(t->agent, &o->selected_local, &o->selected_remote);
  o->agent = t->agent;
  return o;
}

/* Once: the peer's certificate does not change within a session. */
static void take_peer_certificate(floe_pc *pc, X509 *peer) {
  if (pc->peer_der != NULL || peer == NULL) return;
  int len = i2d_X509(peer, NULL);
  if (len <= 0) return;
  pc->peer_der = floe__alloc(pc->env, (size_t)len);
  if (pc->peer_der == NULL) return;
  uint8_t *at = pc->peer_der;
  (void)i2d_X509(peer, &at);
  pc->peer_certificate = (floe_bytes){pc->peer_der, (size_t)len};
}

static void describe_session(floe_pc *pc, floe_dtls_transport *o) {
  const floe__dtls_info *info = floe__dtls_info_of(pc->transport.dtls);
  take_peer_certificate(pc, info->peer);
  o->tls_version = info->version;
  o->cipher = info->cipher;
  o->group = info->group;
  o->cause = info->cause;
  o->error_text = info->text;
  o->has_received_alert = info->has_alert_received;
  o->received_alert = info->alert_received;
  o->has_sent_alert = info->has_alert_sent;
  o->sent_alert = info->alert_sent;
}

const floe_dtls_transport *floe_pc_dtls_transport(floe_pc *pc) {
  const floe__transport *t = &pc->transport;
  if (!t->is_used) return NULL;
  floe_dtls_transport *o = &pc->dtls_object;
  memset(o, 0, sizeof *o);
  o->state = t->dtls_state;
  o->is_client = t->is_client;
  o->local_certificate = pc->settings.cfg.n_certificates == 0 ? NULL : pc->settings.certificates[0];
  if (t->dtls != NULL) describe_session(pc, o);
  if (pc->peer_der != NULL) {
    o->remote_certificates = &pc->peer_certificate;
    o->n_remote_certificates = 1;
  }
  return o;
}

const floe_sctp_transport *floe_pc_sctp_transport(floe_pc *pc) {
  const floe__transport *t = &pc->transport;
  if (!t->plan.is_negotiated && !t->sctp_ended) return NULL;
  floe_sctp_transport *o = &pc->sctp_object;
  memset(o, 0, sizeof *o);
  o->state = t->sctp_state;
  o->max_message_size = floe__transport_max_message_size(pc);
  o->has_max_channels = t->streams > 0;
  o->max_channels = t->streams;
  o->cause = t->sctp_cause;
  o->error_text = t->sctp_text;
  o->has_cause_code = t->has_sctp_code;
  o->cause_code = t->sctp_code;
  return o;
}

/* The layer that failed first, from below: without ICE no DTLS, without DTLS no SCTP. */
static floe_cause verdict_of(const floe_pc *pc, floe_cause of_ice) {
  const floe__transport *t = &pc->transport;
  if (of_ice != FLOE_CAUSE_NONE) return of_ice;
  if (t->dtls != NULL && floe__dtls_info_of(t->dtls)->cause != FLOE_CAUSE_NONE)
    return floe__dtls_info_of(t->dtls)->cause;
  return t->sctp_cause;
}

const floe_connection_report *floe_pc_failure_report(floe_pc *pc, floe_time now) {
  floe__pc_advance(pc, now);
  if (!pc->transport.is_used) return NULL;
  const floe_connection_report *report = floe_ice_agent_connection_report(pc->transport.agent, pc->now);
  if (report == NULL) return NULL;
  pc->report = *report;
  pc->report.verdict = verdict_of(pc, report->verdict);
  return &pc->report;
}
