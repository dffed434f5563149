/* Names of events and of what they carry, and the constructor form of the error event (webrtc-pc 4.8.2). */
#include "floe/event.h"

#include <string.h>

#include "base/status_internal.h"
#include "floe/stats.h"

const char *floe_event_name(floe_event_type type) {
  switch (type) {
#define FLOE__ROW(id, name) \
  case id: return name;
    FLOE_EVENT_MAP(FLOE__ROW)
#undef FLOE__ROW
    case FLOE_EVENT_COUNT: break;
  }
  return "";
}

const char *floe_ice_gathering_state_name(floe_ice_gathering_state state) {
  switch (state) {
    case FLOE_ICE_GATHERING_NEW: return "new";
    case FLOE_ICE_GATHERING_GATHERING: return "gathering";
    case FLOE_ICE_GATHERING_COMPLETE: return "complete";
  }
  return "";
}

const char *floe_candidate_type_name(floe_candidate_type type) {
  switch (type) {
    case FLOE_CANDIDATE_HOST: return "host";
    case FLOE_CANDIDATE_SRFLX: return "srflx";
    case FLOE_CANDIDATE_PRFLX: return "prflx";
    case FLOE_CANDIDATE_RELAY: return "relay";
  }
  return "";
}

const char *floe_dns_status_name(floe_dns_status status) {
  switch (status) {
    case FLOE_DNS_OK: return "OK";
    case FLOE_DNS_NXDOMAIN: return "NXDOMAIN";
    case FLOE_DNS_NODATA: return "NODATA";
    case FLOE_DNS_SERVFAIL: return "SERVFAIL";
    case FLOE_DNS_REFUSED: return "REFUSED";
    case FLOE_DNS_TIMEOUT: return "TIMEOUT";
    case FLOE_DNS_UNREACHABLE: return "UNREACHABLE";
    case FLOE_DNS_FAILED: return "FAILED";
  }
  return "";
}

const char *floe_verdict_name(floe_verdict verdict) {
  switch (verdict) {
    case FLOE_VERDICT_OK: return "ok";
    case FLOE_VERDICT_DEGRADED: return "degraded";
    case FLOE_VERDICT_FAILED: return "failed";
    case FLOE_VERDICT_UNUSED: return "unused";
  }
  return "";
}

const char *floe_attempt_outcome_name(floe_attempt_outcome outcome) {
  switch (outcome) {
    case FLOE_ATTEMPT_CANDIDATE: return "candidate";
    case FLOE_ATTEMPT_ERROR: return "error";
    case FLOE_ATTEMPT_CANCELLED: return "cancelled";
  }
  return "";
}

/* What the event carries is an error, whatever it is called. */
static floe_event_type type_of_name(const char *name) {
  bool is_server_error = strcmp(name, floe_event_name(FLOE_EVENT_ICESERVERERROR)) == 0;
  return is_server_error ? FLOE_EVENT_ICESERVERERROR : FLOE_EVENT_ICECANDIDATEERROR;
}

floe_status floe_candidate_error_event_init(floe_event *out, const char *type, const floe_candidate_error_init *init,
                                            floe_error *why) {
  memset(out, 0, sizeof *out);
  if (type == NULL) return floe__error_set(why, FLOE_E_TYPE, "type", FLOE_NO_OFFSET, "is missing");
  if (init == NULL || !init->has_error_code) {
    return floe__error_set(why, FLOE_E_TYPE, "errorCode", FLOE_NO_OFFSET, "is missing");
  }
  out->type = type_of_name(type);
  out->name = type;
  floe_candidate_error *error = &out->u.error;
  error->address = init->address;
  error->has_port = init->has_port;
  error->port = init->has_port ? init->port : 0;
  error->url = init->url == NULL ? "" : init->url;
  error->error_code = init->error_code;
  error->error_text = init->error_text == NULL ? "" : init->error_text;
  return FLOE_OK;
}

const char *floe_ice_connection_state_name(floe_ice_connection_state state) {
  switch (state) {
    case FLOE_ICE_CONNECTION_NEW: return "new";
    case FLOE_ICE_CONNECTION_CHECKING: return "checking";
    case FLOE_ICE_CONNECTION_CONNECTED: return "connected";
    case FLOE_ICE_CONNECTION_COMPLETED: return "completed";
    case FLOE_ICE_CONNECTION_DISCONNECTED: return "disconnected";
    case FLOE_ICE_CONNECTION_FAILED: return "failed";
    case FLOE_ICE_CONNECTION_CLOSED: return "closed";
  }
  return "";
}

const char *floe_tcp_type_name(floe_tcp_type type) {
  switch (type) {
    case FLOE_TCP_TYPE_NONE: return "";
    case FLOE_TCP_TYPE_ACTIVE: return "active";
    case FLOE_TCP_TYPE_PASSIVE: return "passive";
    case FLOE_TCP_TYPE_SO: return "so";
  }
  return "";
}

const char *floe_ice_role_name(floe_ice_role role) {
  switch (role) {
    case FLOE_ICE_ROLE_UNKNOWN: return "unknown";
    case FLOE_ICE_ROLE_CONTROLLING: return "controlling";
    case FLOE_ICE_ROLE_CONTROLLED: return "controlled";
  }
  return "";
}

const char *floe_pair_state_name(floe_pair_state state) {
  switch (state) {
    case FLOE_PAIR_FROZEN: return "frozen";
    case FLOE_PAIR_WAITING: return "waiting";
    case FLOE_PAIR_IN_PROGRESS: return "in-progress";
    case FLOE_PAIR_SUCCEEDED: return "succeeded";
    case FLOE_PAIR_FAILED: return "failed";
  }
  return "";
}

const char *floe_pair_failure_name(floe_pair_failure failure) {
  switch (failure) {
    case FLOE_PAIR_FAILURE_NONE: return "none";
    case FLOE_PAIR_FAILURE_TIMEOUT: return "timeout";
    case FLOE_PAIR_FAILURE_ERROR_RESPONSE: return "error-response";
    case FLOE_PAIR_FAILURE_NOT_SYMMETRIC: return "not-symmetric";
    case FLOE_PAIR_FAILURE_UNREACHABLE: return "unreachable";
    case FLOE_PAIR_FAILURE_TCP: return "tcp";
    case FLOE_PAIR_FAILURE_RELAY_DENIED: return "relay-denied";
    case FLOE_PAIR_FAILURE_RELAY_LOST: return "relay-lost";
    case FLOE_PAIR_FAILURE_CONSENT: return "consent";
    case FLOE_PAIR_FAILURE_ADDRESS_GONE: return "address-gone";
    case FLOE_PAIR_FAILURE_SOCKET: return "socket";
  }
  return "";
}

const char *floe_resolution_name(floe_resolution resolution) {
  switch (resolution) {
    case FLOE_RESOLUTION_NONE: return "none";
    case FLOE_RESOLUTION_PENDING: return "pending";
    case FLOE_RESOLUTION_RESOLVED: return "resolved";
    case FLOE_RESOLUTION_FAILED: return "failed";
    case FLOE_RESOLUTION_REFUSED: return "refused";
  }
  return "";
}
