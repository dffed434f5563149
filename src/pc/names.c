/* The names of W3C's enumerations. */
#include <string.h>

#include "floe/pc.h"

const char *floe_signaling_state_name(floe_signaling_state state) {
  switch (state) {
    case FLOE_SIGNALING_STABLE: return "stable";
    case FLOE_SIGNALING_HAVE_LOCAL_OFFER: return "have-local-offer";
    case FLOE_SIGNALING_HAVE_REMOTE_OFFER: return "have-remote-offer";
    case FLOE_SIGNALING_HAVE_LOCAL_PRANSWER: return "have-local-pranswer";
    case FLOE_SIGNALING_HAVE_REMOTE_PRANSWER: return "have-remote-pranswer";
    case FLOE_SIGNALING_CLOSED: return "closed";
  }
  return "";
}

const char *floe_pc_state_name(floe_pc_state state) {
  switch (state) {
    case FLOE_PC_NEW: return "new";
    case FLOE_PC_CONNECTING: return "connecting";
    case FLOE_PC_CONNECTED: return "connected";
    case FLOE_PC_DISCONNECTED: return "disconnected";
    case FLOE_PC_FAILED: return "failed";
    case FLOE_PC_CLOSED: return "closed";
  }
  return "";
}

const char *floe_dtls_transport_state_name(floe_dtls_transport_state state) {
  switch (state) {
    case FLOE_DTLS_TRANSPORT_NEW: return "new";
    case FLOE_DTLS_TRANSPORT_CONNECTING: return "connecting";
    case FLOE_DTLS_TRANSPORT_CONNECTED: return "connected";
    case FLOE_DTLS_TRANSPORT_CLOSED: return "closed";
    case FLOE_DTLS_TRANSPORT_FAILED: return "failed";
  }
  return "";
}

const char *floe_sctp_transport_state_name(floe_sctp_transport_state state) {
  switch (state) {
    case FLOE_SCTP_TRANSPORT_CONNECTING: return "connecting";
    case FLOE_SCTP_TRANSPORT_CONNECTED: return "connected";
    case FLOE_SCTP_TRANSPORT_CLOSED: return "closed";
  }
  return "";
}

const char *floe_data_channel_state_name(floe_data_channel_state state) {
  switch (state) {
    case FLOE_DATA_CHANNEL_CONNECTING: return "connecting";
    case FLOE_DATA_CHANNEL_OPEN: return "open";
    case FLOE_DATA_CHANNEL_CLOSING: return "closing";
    case FLOE_DATA_CHANNEL_CLOSED: return "closed";
  }
  return "";
}

const char *floe_sdp_type_name(floe_sdp_type type) {
  switch (type) {
    case FLOE_SDP_OFFER: return "offer";
    case FLOE_SDP_PRANSWER: return "pranswer";
    case FLOE_SDP_ANSWER: return "answer";
    case FLOE_SDP_ROLLBACK: return "rollback";
  }
  return "";
}

bool floe_sdp_type_from_name(floe_sdp_type *out, const char *name) {
  for (int i = FLOE_SDP_OFFER; i <= FLOE_SDP_ROLLBACK; i++) {
    if (strcmp(name, floe_sdp_type_name((floe_sdp_type)i)) != 0) continue;
    *out = (floe_sdp_type)i;
    return true;
  }
  return false;
}

const char *floe_stats_type_name(floe_stats_type type) {
  switch (type) {
    case FLOE_STATS_PEER_CONNECTION: return "peer-connection";
    case FLOE_STATS_TRANSPORT: return "transport";
    case FLOE_STATS_CANDIDATE_PAIR: return "candidate-pair";
    case FLOE_STATS_LOCAL_CANDIDATE: return "local-candidate";
    case FLOE_STATS_REMOTE_CANDIDATE: return "remote-candidate";
    case FLOE_STATS_CERTIFICATE: return "certificate";
    case FLOE_STATS_DATA_CHANNEL: return "data-channel";
  }
  return "";
}
