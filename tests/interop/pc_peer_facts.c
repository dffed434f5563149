/* What a peer connection tells, as JSON with W3C's names. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "pc_peer.h"

enum { MAX_TEXT = 1024 }; /* longer messages are told by their hash alone */

static void set(json_t *object, const char *name, json_t *value) {
  (void)json_object_set_new(object, name, value);
}

static void set_text(json_t *object, const char *name, const char *text) {
  set(object, name, text == NULL ? json_null() : json_string(text));
}

static void set_number(json_t *object, const char *name, uint64_t value) {
  set(object, name, json_integer((json_int_t)value));
}

static void set_cause(json_t *object, floe_cause cause) {
  set(object, "cause", cause == FLOE_CAUSE_NONE ? json_null() : json_string(floe_cause_id(cause)));
}

/* --- channels ----------------------------------------------------------------------------------------------------- */

json_int_t channel_number(const floe_data_channel *channel) {
  return (json_int_t)(uintptr_t)floe_data_channel_user(channel);
}

/* -1 is W3C's null. */
static json_t *limit(int32_t value) {
  return value < 0 ? json_null() : json_integer(value);
}

json_t *fact_channel(const floe_data_channel *channel) {
  json_t *out = json_object();
  set(out, "channel", json_integer(channel_number(channel)));
  set_text(out, "label", floe_data_channel_label(channel));
  set_text(out, "protocol", floe_data_channel_protocol(channel));
  set(out, "ordered", json_boolean(floe_data_channel_ordered(channel)));
  set(out, "maxPacketLifeTime", limit(floe_data_channel_max_packet_life_time(channel)));
  set(out, "maxRetransmits", limit(floe_data_channel_max_retransmits(channel)));
  set(out, "negotiated", json_boolean(floe_data_channel_negotiated(channel)));
  set(out, "id", limit(floe_data_channel_id(channel)));
  set_text(out, "readyState", floe_data_channel_state_name(floe_data_channel_ready_state(channel)));
  set_number(out, "bufferedAmount", floe_data_channel_buffered_amount(channel));
  set_number(out, "bufferedAmountLowThreshold", floe_data_channel_buffered_amount_low_threshold(channel));
  return out;
}

static json_t *hash(floe_bytes data) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int len = 0;
  char text[2 * EVP_MAX_MD_SIZE + 1] = "";
  if (EVP_Digest(data.ptr, data.len, digest, &len, EVP_sha256(), NULL) != 1) return json_null();
  for (unsigned int i = 0; i < len; i++) (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
  return json_string(text);
}

static void set_message(json_t *out, const floe_channel_message *message) {
  set(out, "channel", json_integer(channel_number(message->channel)));
  set_number(out, "size", message->data.len);
  set(out, "binary", json_boolean(message->is_binary));
  set(out, "sha256", hash(message->data));
  if (!message->is_binary && message->data.len <= MAX_TEXT) {
    const char *text = message->data.len == 0 ? "" : (const char *)message->data.ptr;
    set(out, "text", json_stringn(text, message->data.len));
  }
}

static void set_error(json_t *out, const floe_channel_error *error) {
  if (error->channel != NULL) set(out, "channel", json_integer(channel_number(error->channel)));
  set_cause(out, error->cause);
  set_text(out, "errorDetail", error->detail);
  set_text(out, "message", error->message);
  if (error->has_sctp_cause_code) set_number(out, "sctpCauseCode", error->sctp_cause_code);
  if (error->has_received_alert) set_number(out, "receivedAlert", error->received_alert);
  if (error->has_sent_alert) set_number(out, "sentAlert", error->sent_alert);
}

/* --- candidates --------------------------------------------------------------------------------------------------- */

static json_t *candidate_fact(const floe_ice_candidate *candidate) {
  char address[FLOE_ADDR_TEXT];
  if (candidate == NULL) return json_null();
  json_t *out = json_object();
  set_text(out, "candidate", candidate->text);
  set_text(out, "type", floe_candidate_type_name(candidate->type));
  set_text(out, "protocol", floe_transport_name(candidate->transport));
  set_text(out, "address", floe_addr_format(&candidate->address, address));
  if (candidate->has_relay_protocol) set_text(out, "relayProtocol", floe_transport_name(candidate->relay_protocol));
  return out;
}

/* As RTCIceCandidateInit; null when gathering is over. */
static json_t *signaled_fact(const floe_signaled_candidate *signaled) {
  if (signaled->text == NULL) return json_null();
  json_t *out = json_object();
  set_text(out, "candidate", signaled->text);
  set_text(out, "sdpMid", signaled->sdp_mid);
  set_number(out, "sdpMLineIndex", signaled->sdp_m_line_index);
  set_text(out, "usernameFragment", signaled->username_fragment);
  return out;
}

static void set_candidate_error(json_t *out, const floe_candidate_error *error) {
  set_text(out, "address", error->address);
  set_text(out, "url", error->url);
  set_number(out, "errorCode", error->error_code);
  set_text(out, "errorText", error->error_text);
  if (error->detail != NULL) set_cause(out, error->detail->cause);
}

/* --- events ------------------------------------------------------------------------------------------------------- */

/* Three transports have a `statechange`. */
static const char *const transport_names[FLOE_EVENT_COUNT] = {
    [FLOE_EVENT_ICETRANSPORT_STATECHANGE] = "icetransport.statechange",
    [FLOE_EVENT_ICETRANSPORT_GATHERINGSTATECHANGE] = "icetransport.gatheringstatechange",
    [FLOE_EVENT_DTLSTRANSPORT_STATECHANGE] = "dtlstransport.statechange",
    [FLOE_EVENT_DTLSTRANSPORT_ERROR] = "dtlstransport.error",
    [FLOE_EVENT_SCTPTRANSPORT_STATECHANGE] = "sctptransport.statechange",
};

static void set_change(json_t *out, const char *state, floe_cause cause) {
  set_text(out, "state", state);
  if (cause != FLOE_CAUSE_NONE) set_cause(out, cause);
}

static void set_fields(json_t *out, const floe_event *event) {
  switch (event->type) {
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE:
    case FLOE_EVENT_ICETRANSPORT_GATHERINGSTATECHANGE:
      set_text(out, "state", floe_ice_gathering_state_name(event->u.gathering_state));
      break;
    case FLOE_EVENT_ICECANDIDATE: set(out, "candidate", signaled_fact(&event->u.signaled)); break;
    case FLOE_EVENT_ICECANDIDATEERROR:
    case FLOE_EVENT_ICESERVERERROR: set_candidate_error(out, &event->u.error); break;
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE:
    case FLOE_EVENT_ICETRANSPORT_STATECHANGE:
      set_change(out, floe_ice_connection_state_name(event->u.connection.state), event->u.connection.cause);
      break;
    case FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE:
      set(out, "local", candidate_fact(event->u.pair.local));
      set(out, "remote", candidate_fact(event->u.pair.remote));
      break;
    case FLOE_EVENT_SIGNALINGSTATECHANGE:
      set_text(out, "state", floe_signaling_state_name(event->u.signaling_state));
      break;
    case FLOE_EVENT_CONNECTIONSTATECHANGE:
      set_change(out, floe_pc_state_name(event->u.pc.state), event->u.pc.cause);
      break;
    case FLOE_EVENT_DATACHANNEL: (void)json_object_update_new(out, fact_channel(event->u.channel)); break;
    case FLOE_EVENT_DTLSTRANSPORT_STATECHANGE:
      set_text(out, "state", floe_dtls_transport_state_name(event->u.dtls_state));
      break;
    case FLOE_EVENT_SCTPTRANSPORT_STATECHANGE:
      set_text(out, "state", floe_sctp_transport_state_name(event->u.sctp_state));
      break;
    case FLOE_EVENT_MESSAGE: set_message(out, &event->u.message); break;
    case FLOE_EVENT_ERROR:
    case FLOE_EVENT_DTLSTRANSPORT_ERROR: set_error(out, &event->u.channel_error); break;
    case FLOE_EVENT_OPEN:
    case FLOE_EVENT_BUFFEREDAMOUNTLOW:
    case FLOE_EVENT_CLOSING:
    case FLOE_EVENT_CLOSE: set(out, "channel", json_integer(channel_number(event->u.channel))); break;
    case FLOE_EVENT_NEGOTIATIONNEEDED:
    case FLOE_EVENT_COUNT: break;
  }
}

json_t *fact_event(const floe_event *event) {
  json_t *out = json_object();
  const char *of_transport = transport_names[event->type];
  set_text(out, "event", of_transport == NULL ? event->name : of_transport);
  set_fields(out, event);
  return out;
}

/* --- states ------------------------------------------------------------------------------------------------------- */

json_t *fact_description(const floe_session_description *description) {
  if (description == NULL) return json_null();
  json_t *out = json_object();
  set_text(out, "type", floe_sdp_type_name(description->type));
  set_text(out, "sdp", description->sdp);
  return out;
}

static json_t *ice_fact(const floe_ice_transport *ice) {
  if (ice == NULL) return json_null();
  json_t *out = json_object();
  set_text(out, "role", floe_ice_role_name(ice->role));
  set_text(out, "state", floe_ice_connection_state_name(ice->state));
  set_text(out, "gatheringState", floe_ice_gathering_state_name(ice->gathering_state));
  set(out, "local", candidate_fact(ice->selected_local));
  set(out, "remote", candidate_fact(ice->selected_remote));
  set_text(out, "localUfrag", ice->local_parameters == NULL ? NULL : ice->local_parameters->ufrag);
  set_text(out, "remoteUfrag", ice->remote_parameters == NULL ? NULL : ice->remote_parameters->ufrag);
  return out;
}

static json_t *dtls_fact(const floe_dtls_transport *dtls) {
  if (dtls == NULL) return json_null();
  json_t *out = json_object();
  set_text(out, "state", floe_dtls_transport_state_name(dtls->state));
  set(out, "isClient", json_boolean(dtls->is_client));
  set_text(out, "tlsVersion", dtls->tls_version);
  set_text(out, "cipher", dtls->cipher);
  set_text(out, "group", dtls->group);
  set_cause(out, dtls->cause);
  set_text(out, "errorText", dtls->error_text);
  if (dtls->has_received_alert) set_number(out, "receivedAlert", dtls->received_alert);
  if (dtls->has_sent_alert) set_number(out, "sentAlert", dtls->sent_alert);
  set_number(out, "remoteCertificates", dtls->n_remote_certificates);
  return out;
}

static json_t *sctp_fact(const floe_sctp_transport *sctp) {
  if (sctp == NULL) return json_null();
  json_t *out = json_object();
  set_text(out, "state", floe_sctp_transport_state_name(sctp->state));
  set(out, "maxMessageSize",
      sctp->max_message_size > INT64_MAX ? json_null() : json_integer((json_int_t)sctp->max_message_size));
  if (sctp->has_max_channels) set_number(out, "maxChannels", sctp->max_channels);
  set_cause(out, sctp->cause);
  set_text(out, "errorText", sctp->error_text);
  if (sctp->has_cause_code) set_number(out, "causeCode", sctp->cause_code);
  return out;
}

static json_t *trickle_fact(int value) {
  return value < 0 ? json_null() : json_boolean(value);
}

json_t *fact_state(floe_pc *pc) {
  json_t *out = json_object(), *channels = json_array();
  floe_data_channel *const *all = NULL;
  size_t n = floe_pc_data_channels(pc, &all);
  for (size_t i = 0; i < n; i++) (void)json_array_append_new(channels, fact_channel(all[i]));
  set_text(out, "signalingState", floe_signaling_state_name(floe_pc_signaling_state(pc)));
  set_text(out, "iceGatheringState", floe_ice_gathering_state_name(floe_pc_ice_gathering_state(pc)));
  set_text(out, "iceConnectionState", floe_ice_connection_state_name(floe_pc_ice_connection_state(pc)));
  set_text(out, "connectionState", floe_pc_state_name(floe_pc_connection_state(pc)));
  set(out, "canTrickleIceCandidates", trickle_fact(floe_pc_can_trickle_ice_candidates(pc)));
  set(out, "ice", ice_fact(floe_pc_ice_transport(pc)));
  set(out, "dtls", dtls_fact(floe_pc_dtls_transport(pc)));
  set(out, "sctp", sctp_fact(floe_pc_sctp_transport(pc)));
  set(out, "localDescription", fact_description(floe_pc_local_description(pc)));
  set(out, "remoteDescription", fact_description(floe_pc_remote_description(pc)));
  set(out, "channels", channels);
  return out;
}

/* --- reports ------------------------------------------------------------------------------------------------------ */

static json_t *member_fact(const floe_stats_member *member) {
  switch (member->kind) {
    case FLOE_STATS_UNSIGNED: return json_integer((json_int_t)member->u.number);
    case FLOE_STATS_DOUBLE: return json_real(member->u.real);
    case FLOE_STATS_BOOLEAN: return json_boolean(member->u.boolean);
    case FLOE_STATS_TEXT: return json_string(member->u.text);
  }
  return json_null();
}

json_t *fact_stats(const floe_stats_report *report) {
  json_t *out = json_array();
  for (size_t i = 0; report != NULL && i < report->n_objects; i++) {
    const floe_stats_object *object = &report->objects[i];
    json_t *one = json_object();
    set_text(one, "id", object->id);
    set_text(one, "type", floe_stats_type_name(object->type));
    set(one, "timestamp", json_real(object->timestamp));
    for (size_t k = 0; k < object->n_members; k++) {
      set(one, object->members[k].name, member_fact(&object->members[k]));
    }
    (void)json_array_append_new(out, one);
  }
  return out;
}

json_t *fact_report(const floe_connection_report *report) {
  if (report == NULL) return json_null();
  json_t *out = json_object();
  set_text(out, "verdict", floe_cause_id(report->verdict));
  set_text(out, "state", floe_ice_connection_state_name(report->state));
  set(out, "receivedAnything", json_boolean(report->received_anything));
  set_number(out, "localCandidates", report->n_local_candidates);
  set_number(out, "remoteCandidates", report->n_remote_candidates);
  set_number(out, "unresolved", report->n_unresolved);
  return out;
}
