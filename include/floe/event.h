/* floe/event.h - what an ICE agent or a peer connection tells: candidates, failures, states, channels, messages.
 *
 * Names and fields are W3C's (webrtc-pc); `detail` is Floe's addition. Absent is absent: a NULL pointer or a false
 * `has_` member, never 0 or "" for unknown. Pointers in an event are valid until the next call on the agent, or, in a
 * listener of floe/uv.h, until the listener returns.
 *
 *     void on_error(const floe_event *e, void *user) {
 *       const floe_candidate_error *err = &e->u.error;
 *       fprintf(stderr, "%s: %u %s\n", err->url, err->error_code, err->error_text);
 *     }
 */
#ifndef FLOE_EVENT_H
#define FLOE_EVENT_H

#include "floe/cause.h"
#include "floe/status.h"
#include "floe/types.h"

/** @file
 *  Events of an ICE agent. */

/** One row per event type: enumerator, W3C name. */
#define FLOE_EVENT_MAP(X)                                                  \
  X(FLOE_EVENT_ICEGATHERINGSTATECHANGE, "icegatheringstatechange")         \
  X(FLOE_EVENT_ICECANDIDATE, "icecandidate")                               \
  X(FLOE_EVENT_ICECANDIDATEERROR, "icecandidateerror")                     \
  X(FLOE_EVENT_ICESERVERERROR, "iceservererror")                           \
  X(FLOE_EVENT_ICECONNECTIONSTATECHANGE, "iceconnectionstatechange")       \
  X(FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE, "selectedcandidatepairchange") \
  X(FLOE_EVENT_SIGNALINGSTATECHANGE, "signalingstatechange")               \
  X(FLOE_EVENT_NEGOTIATIONNEEDED, "negotiationneeded")                     \
  X(FLOE_EVENT_CONNECTIONSTATECHANGE, "connectionstatechange")             \
  X(FLOE_EVENT_DATACHANNEL, "datachannel")                                 \
  X(FLOE_EVENT_ICETRANSPORT_STATECHANGE, "statechange")                    \
  X(FLOE_EVENT_ICETRANSPORT_GATHERINGSTATECHANGE, "gatheringstatechange")  \
  X(FLOE_EVENT_DTLSTRANSPORT_STATECHANGE, "statechange")                   \
  X(FLOE_EVENT_DTLSTRANSPORT_ERROR, "error")                               \
  X(FLOE_EVENT_SCTPTRANSPORT_STATECHANGE, "statechange")                   \
  X(FLOE_EVENT_OPEN, "open")                                               \
  X(FLOE_EVENT_MESSAGE, "message")                                         \
  X(FLOE_EVENT_BUFFEREDAMOUNTLOW, "bufferedamountlow")                     \
  X(FLOE_EVENT_CLOSING, "closing")                                         \
  X(FLOE_EVENT_CLOSE, "close")                                             \
  X(FLOE_EVENT_ERROR, "error")

/** Which event it is. */
typedef enum floe_event_type {
#define FLOE__ROW(id, name) id,
  FLOE_EVENT_MAP(FLOE__ROW)
#undef FLOE__ROW
      FLOE_EVENT_COUNT /**< how many there are; not an event */
} floe_event_type;

/** "icecandidateerror", ... Any thread. */
FLOE_API const char *floe_event_name(floe_event_type type);

/** W3C RTCIceGatheringState. */
typedef enum floe_ice_gathering_state {
  FLOE_ICE_GATHERING_NEW = 0,
  FLOE_ICE_GATHERING_GATHERING = 1,
  FLOE_ICE_GATHERING_COMPLETE = 2
} floe_ice_gathering_state;

/** "new", "gathering" or "complete". Any thread. */
FLOE_API const char *floe_ice_gathering_state_name(floe_ice_gathering_state state);

/** W3C RTCIceTransportState, of the agent as a whole. */
typedef enum floe_ice_connection_state {
  FLOE_ICE_CONNECTION_NEW = 0,          /**< no checks yet */
  FLOE_ICE_CONNECTION_CHECKING = 1,     /**< the peer's parameters are known and checks go on */
  FLOE_ICE_CONNECTION_CONNECTED = 2,    /**< a pair is selected and data flows; better ones may still be found */
  FLOE_ICE_CONNECTION_COMPLETED = 3,    /**< connected, both sides have ended their candidates and no check is open */
  FLOE_ICE_CONNECTION_DISCONNECTED = 4, /**< the selected pair does not answer for now */
  FLOE_ICE_CONNECTION_FAILED = 5,       /**< no pair works; only a restart helps */
  FLOE_ICE_CONNECTION_CLOSED = 6        /**< the agent was closed */
} floe_ice_connection_state;

/** "new", "checking", "connected", "completed", "disconnected", "failed" or "closed". Any thread. */
FLOE_API const char *floe_ice_connection_state_name(floe_ice_connection_state state);

/** RFC 8445 5.1.1 candidate types. */
typedef enum floe_candidate_type {
  FLOE_CANDIDATE_HOST = 0,
  FLOE_CANDIDATE_SRFLX = 1,
  FLOE_CANDIDATE_PRFLX = 2,
  FLOE_CANDIDATE_RELAY = 3
} floe_candidate_type;

/** "host", "srflx", "prflx" or "relay". Any thread. */
FLOE_API const char *floe_candidate_type_name(floe_candidate_type type);

/** RFC 6544 4.5: the tcptype of a TCP candidate. */
typedef enum floe_tcp_type {
  FLOE_TCP_TYPE_NONE = 0, /**< a UDP candidate */
  FLOE_TCP_TYPE_ACTIVE,   /**< connects */
  FLOE_TCP_TYPE_PASSIVE,  /**< is connected to */
  FLOE_TCP_TYPE_SO        /**< simultaneous open */
} floe_tcp_type;

/** "active", "passive" or "so"; "" for a UDP candidate. Any thread. */
FLOE_API const char *floe_tcp_type_name(floe_tcp_type type);

/** A candidate (W3C RTCIceCandidate, RFC 8839 5.1). */
typedef struct floe_ice_candidate {
  uint32_t id;              /**< names it in calls on the same agent; never 0, never used twice */
  const char *text;         /**< the candidate-attribute: "candidate:...". Nullable for a candidate of the peer that was
                                 learnt from a check (prflx): nobody has written it */
  char foundation[33];      /**< RFC 8445 5.1.1.3 */
  uint8_t component;        /**< 1 */
  floe_transport transport; /**< UDP, or TCP (RFC 6544) */
  floe_tcp_type tcp_type;   /**< TCP candidates */
  uint32_t priority;        /**< RFC 8445 5.1.2 */
  floe_candidate_type type; /**< host, srflx, prflx or relay */
  floe_addr address;        /**< what the peer sends to; port 9 for active TCP candidates. Of a local candidate with
                                 a name: the real address, which `text` hides. Of a remote one with a name: family
                                 0 until it is resolved */
  const char *mdns_name;    /**< nullable: the ".local" name that stands for the address in `text` */
  floe_addr related;        /**< base of a srflx, mapped address of a relay; family 0 for host; 0.0.0.0:9 or [::]:9
                                 where it must not be told */
  const char *url;          /**< nullable: the server's URL, byte for byte as configured */
  bool has_relay_protocol;  /**< relay candidates */
  floe_transport relay_protocol; /**< how the TURN server is spoken to */
  bool has_server;               /**< srflx and relay candidates */
  uint32_t server_index;         /**< `iceServers[server_index]` */
  uint32_t url_index;            /**< `.urls[url_index]` */
} floe_ice_candidate;

/** How a name was answered. */
typedef enum floe_dns_status {
  FLOE_DNS_OK = 0,      /**< addresses were found */
  FLOE_DNS_NXDOMAIN,    /**< the name does not exist */
  FLOE_DNS_NODATA,      /**< the name exists without an address of this family */
  FLOE_DNS_SERVFAIL,    /**< every resolver answered SERVFAIL */
  FLOE_DNS_REFUSED,     /**< every resolver answered REFUSED */
  FLOE_DNS_TIMEOUT,     /**< no resolver answered */
  FLOE_DNS_UNREACHABLE, /**< no resolver could be reached, or none is configured */
  FLOE_DNS_FAILED       /**< anything else: the resolver's answer could not be used, or it ran out of memory */
} floe_dns_status;

/** "NXDOMAIN", "NODATA", ... Any thread. */
FLOE_API const char *floe_dns_status_name(floe_dns_status status);

/** What is known of a TLS server's certificate and session. */
typedef struct floe_tls_info {
  const char *version;     /**< nullable: "TLSv1.3" */
  const char *cipher;      /**< nullable: "TLS_AES_256_GCM_SHA384" */
  const char *subject;     /**< nullable: "CN=turn.example.org" */
  const char *issuer;      /**< nullable */
  const char *names;       /**< nullable: subject alternative names, "turn.example.org, 192.0.2.1" */
  bool has_validity;       /**< the two dates are known */
  int64_t not_before;      /**< seconds since 1970 */
  int64_t not_after;       /**< seconds since 1970 */
  bool has_alert;          /**< an alert was received or sent */
  uint8_t alert;           /**< RFC 8446 6: 48 = unknown_ca */
  const char *alert_text;  /**< nullable: "unknown CA" */
  bool has_verify_error;   /**< the certificate did not verify */
  int verify_error;        /**< X509_V_ERR_... */
  const char *verify_text; /**< nullable: libcrypto's sentence */
  bool insecure;           /**< verification was switched off by the configuration */
} floe_tls_info;

/** Everything known about one attempt: which server, from where, how far it came. */
typedef struct floe_attempt_detail {
  floe_cause cause;           /**< FLOE_CAUSE_NONE when it gave a candidate */
  floe_phase phase;           /**< the step that failed, or the last one */
  uint32_t server_index;      /**< `iceServers[server_index]` */
  uint32_t url_index;         /**< `.urls[url_index]` */
  floe_transport transport;   /**< to the server */
  floe_family family;         /**< of the server; NONE when no address is known */
  floe_addr server_address;   /**< family 0 = unknown */
  const char *server_name;    /**< nullable: the host name of the URL; NULL for a literal */
  floe_addr local_address;    /**< family 0 = none, or hidden */
  const char *interface;      /**< nullable: none, or hidden */
  bool has_os_error;          /**< the system reported an error */
  int os_error;               /**< errno or the system's counterpart */
  const char *os_error_text;  /**< nullable: the system's words for it */
  bool has_icmp;              /**< an ICMP error came for it: the last one */
  uint8_t icmp_type;          /**< ICMPv4 or ICMPv6 type */
  uint8_t icmp_code;          /**< its code */
  bool has_dns_status;        /**< a name was looked up */
  floe_dns_status dns_status; /**< how that was answered */
  const floe_tls_info *tls;   /**< nullable: TLS was begun */
  const char *realm;          /**< nullable */
  const char *software;       /**< nullable: the server's SOFTWARE */
  uint32_t attempts;          /**< requests sent, retransmissions included */
  bool has_rtt;               /**< a request was answered at its first transmission */
  double rtt_ms;              /**< of the last such */
  double started_ms;          /**< since gathering began */
  double elapsed_ms;          /**< since the attempt started */
  const char *hint;           /**< nullable: what to try */
  uint64_t reserved[4];       /**< room for later members */
} floe_attempt_detail;

/** W3C RTCPeerConnectionIceErrorEvent, field by field, and Floe's detail. */
typedef struct floe_candidate_error {
  const char *address;               /**< nullable: the base's IP address, where it may be told */
  bool has_port;                     /**< false exactly when address is NULL */
  uint16_t port;                     /**< the base's port */
  const char *url;                   /**< the server's URL, byte for byte as configured */
  uint16_t error_code;               /**< 300 to 699 from the server, else 701 */
  const char *error_text;            /**< the server's reason phrase, or "<cause>: <sentence>" */
  const floe_attempt_detail *detail; /**< nullable only in an event made by floe_candidate_error_event_init */
} floe_candidate_error;

/** How the connection changed. */
typedef struct floe_connection_change {
  floe_ice_connection_state state; /**< the new state */
  floe_cause cause;                /**< why, for `failed` and `disconnected`; else NONE. What is behind it is in
                                        floe_ice_agent_connection_report */
} floe_connection_change;

/** Which candidate pair is in use from now on (W3C RTCIceCandidatePair). */
typedef struct floe_pair_change {
  const floe_ice_candidate *local;  /**< nullable: none any more */
  const floe_ice_candidate *remote; /**< nullable: none any more */
} floe_pair_change;

/** W3C RTCSignalingState. */
typedef enum floe_signaling_state {
  FLOE_SIGNALING_STABLE = 0,
  FLOE_SIGNALING_HAVE_LOCAL_OFFER = 1,
  FLOE_SIGNALING_HAVE_REMOTE_OFFER = 2,
  FLOE_SIGNALING_HAVE_LOCAL_PRANSWER = 3,
  FLOE_SIGNALING_HAVE_REMOTE_PRANSWER = 4,
  FLOE_SIGNALING_CLOSED = 5
} floe_signaling_state;

/** "stable", "have-local-offer", ... Any thread. */
FLOE_API const char *floe_signaling_state_name(floe_signaling_state state);

/** W3C RTCPeerConnectionState. */
typedef enum floe_pc_state {
  FLOE_PC_NEW = 0,
  FLOE_PC_CONNECTING = 1,
  FLOE_PC_CONNECTED = 2,
  FLOE_PC_DISCONNECTED = 3,
  FLOE_PC_FAILED = 4,
  FLOE_PC_CLOSED = 5
} floe_pc_state;

/** "new", "connecting", "connected", "disconnected", "failed" or "closed". Any thread. */
FLOE_API const char *floe_pc_state_name(floe_pc_state state);

/** W3C RTCDtlsTransportState. */
typedef enum floe_dtls_transport_state {
  FLOE_DTLS_TRANSPORT_NEW = 0,
  FLOE_DTLS_TRANSPORT_CONNECTING = 1,
  FLOE_DTLS_TRANSPORT_CONNECTED = 2,
  FLOE_DTLS_TRANSPORT_CLOSED = 3,
  FLOE_DTLS_TRANSPORT_FAILED = 4
} floe_dtls_transport_state;

/** "new", "connecting", "connected", "closed" or "failed". Any thread. */
FLOE_API const char *floe_dtls_transport_state_name(floe_dtls_transport_state state);

/** W3C RTCSctpTransportState. */
typedef enum floe_sctp_transport_state {
  FLOE_SCTP_TRANSPORT_CONNECTING = 0,
  FLOE_SCTP_TRANSPORT_CONNECTED = 1,
  FLOE_SCTP_TRANSPORT_CLOSED = 2
} floe_sctp_transport_state;

/** "connecting", "connected" or "closed". Any thread. */
FLOE_API const char *floe_sctp_transport_state_name(floe_sctp_transport_state state);

/** A candidate as a peer connection tells it (W3C RTCIceCandidate): what signalling sends to the peer. */
typedef struct floe_signaled_candidate {
  const floe_ice_candidate *candidate; /**< nullable: the end of the candidates; the same as `u.candidate` */
  const char *text;                    /**< nullable: "candidate:..."; "" is the end of this generation's candidates
                                            (to be signalled, too); NULL is W3C's null candidate: gathering is over */
  const char *sdp_mid;                 /**< nullable: W3C sdpMid */
  uint16_t sdp_m_line_index;           /**< W3C sdpMLineIndex */
  const char *username_fragment;       /**< nullable: W3C usernameFragment */
} floe_signaled_candidate;

/** How a peer connection changed. */
typedef struct floe_pc_change {
  floe_pc_state state; /**< the new state */
  floe_cause cause;    /**< why, for `failed` and `disconnected`: of ICE, DTLS or SCTP; else NONE. More is in
                            floe_pc_failure_report */
} floe_pc_change;

struct floe_data_channel;

/** One message of the peer. */
typedef struct floe_channel_message {
  struct floe_data_channel *channel; /**< the same as `u.channel` */
  floe_bytes data;                   /**< the whole message; may be empty */
  bool is_binary;                    /**< false: text, UTF-8 */
} floe_channel_message;

/** W3C RTCError, of a channel or of the DTLS transport. */
typedef struct floe_channel_error {
  struct floe_data_channel *channel; /**< nullable: of a DTLS transport; the same as `u.channel` */
  floe_cause cause;                  /**< why */
  const char *detail;                /**< W3C errorDetail: "dtls-failure", "sctp-failure", "fingerprint-failure" or
                                          "data-channel-failure" */
  const char *message;               /**< a sentence, with what the peer or the library said */
  bool has_sctp_cause_code;          /**< W3C sctpCauseCode */
  bool has_received_alert;           /**< W3C receivedAlert */
  bool has_sent_alert;               /**< W3C sentAlert */
  uint8_t received_alert;            /**< RFC 8446 6 */
  uint8_t sent_alert;                /**< RFC 8446 6 */
  uint16_t sctp_cause_code;          /**< RFC 9260 3.3.10 */
} floe_channel_error;

/** One event. It neither bubbles nor can be cancelled. */
typedef struct floe_event {
  floe_event_type type; /**< selects the member of `u` */
  const char *name;     /**< W3C name: "icecandidateerror" */
  const void *target;   /**< the object it is dispatched on; NULL before dispatch */
  floe_time time;       /**< when it happened */
  double t_ms;          /**< milliseconds since gathering began */
  bool bubbles;         /**< always false */
  bool cancelable;      /**< always false */
  union {
    floe_ice_gathering_state gathering_state; /**< ICEGATHERINGSTATECHANGE, ICETRANSPORT_GATHERINGSTATECHANGE */
    const floe_ice_candidate *candidate;      /**< ICECANDIDATE; NULL = end of candidates */
    floe_candidate_error error;               /**< ICECANDIDATEERROR, ICESERVERERROR */
    floe_connection_change connection;        /**< ICECONNECTIONSTATECHANGE, ICETRANSPORT_STATECHANGE */
    floe_pair_change pair;                    /**< SELECTEDCANDIDATEPAIRCHANGE */
    floe_signaled_candidate signaled;         /**< ICECANDIDATE of a peer connection */
    floe_signaling_state signaling_state;     /**< SIGNALINGSTATECHANGE */
    floe_pc_change pc;                        /**< CONNECTIONSTATECHANGE */
    floe_dtls_transport_state dtls_state;     /**< DTLSTRANSPORT_STATECHANGE */
    floe_sctp_transport_state sctp_state;     /**< SCTPTRANSPORT_STATECHANGE */
    struct floe_data_channel *channel;        /**< DATACHANNEL, OPEN, BUFFEREDAMOUNTLOW, CLOSING, CLOSE */
    floe_channel_message message;             /**< MESSAGE */
    floe_channel_error channel_error;         /**< ERROR, DTLSTRANSPORT_ERROR */
    uint64_t reserved[10];                    /**< room for later events */
  } u;                                        /**< what the event carries */
} floe_event;

/** W3C RTCPeerConnectionIceErrorEventInit: only error_code is required. */
typedef struct floe_candidate_error_init {
  const char *address;    /**< nullable; borrowed: must outlive the event */
  bool has_port;          /**< port is given */
  uint16_t port;          /**< any */
  const char *url;        /**< nullable; "" when NULL; borrowed: must outlive the event */
  bool has_error_code;    /**< must be true */
  uint16_t error_code;    /**< any */
  const char *error_text; /**< nullable; "" when NULL; borrowed: must outlive the event */
} floe_candidate_error_init;

/** The constructor form of W3C: builds an event from a type name and an init structure.
 *  @param out  out
 *  @param type any event name, kept; the event is of type FLOE_EVENT_ICESERVERERROR when it is that one's name, else of
 *              type FLOE_EVENT_ICECANDIDATEERROR; borrowed
 *  @param init the fields
 *  @param why  out, nullable
 *  @return FLOE_OK, or FLOE_E_TYPE when error_code (path "errorCode") or `type` (path "type") is missing */
FLOE_API FLOE_MUST_USE floe_status floe_candidate_error_event_init(floe_event *out, const char *type,
                                                                   const floe_candidate_error_init *init,
                                                                   floe_error *why);

#endif
