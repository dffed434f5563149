/* floe/pc.h - the peer connection (W3C RTCPeerConnection), sans-IO.
 *
 * The side that offers:
 *
 *     floe_pc *pc;
 *     floe_data_channel *channel;
 *     if (floe_pc_new(&pc, env, now, NULL, &why) != FLOE_OK) ...
 *     if (floe_pc_create_data_channel(pc, now, "chat", NULL, &channel, &why) != FLOE_OK) ...
 *     if (floe_pc_set_local_description(pc, now, NULL, &why) != FLOE_OK) ...       // W3C: setLocalDescription()
 *     send_to_peer(floe_pc_local_description(pc));                                 // by any means
 *     ... the peer's answer: floe_pc_set_remote_description(pc, now, &answer, &why)
 *
 * and the side that answers:
 *
 *     if (floe_pc_set_remote_description(pc, now, &offer, &why) != FLOE_OK) ...
 *     if (floe_pc_set_local_description(pc, now, NULL, &why) != FLOE_OK) ...
 *     send_to_peer(floe_pc_local_description(pc));
 *
 * Candidates found later are ICECANDIDATE events; what they carry goes to the peer's floe_pc_add_ice_candidate. A
 * program that waits for `complete` needs none of that: the local description then holds them all.
 *
 * Inputs and outputs are those of an ICE agent (floe/ice.h shows the loop); DATA and PERMISSION do not occur. floe/uv.h
 * does this loop for libuv. Where W3C returns a promise, the call here is done when it returns: there is no operations
 * chain, since nothing waits. What follows from it comes as events, in the order of the specification.
 *
 * A failed connection says why: the cause is in the CONNECTIONSTATECHANGE event, and floe_pc_failure_report tells what
 * is behind it. Failures of STUN and TURN servers are ICECANDIDATEERROR events as floe/event.h describes them.
 */
#ifndef FLOE_PC_H
#define FLOE_PC_H

#include "floe/certificate.h"
#include "floe/config.h"
#include "floe/data_channel.h"
#include "floe/env.h"
#include "floe/event.h"
#include "floe/ice.h"
#include "floe/stats.h"

/** @file
 *  The peer connection (webrtc-pc, RFC 9429). */

/** Opaque: one peer connection. */
typedef struct floe_pc floe_pc;

/** W3C RTCBundlePolicy. One transport carries everything here, so the three differ in what offers say alone. */
typedef enum floe_bundle_policy {
  FLOE_BUNDLE_POLICY_BALANCED = 0,
  FLOE_BUNDLE_POLICY_MAX_COMPAT = 1,
  FLOE_BUNDLE_POLICY_MAX_BUNDLE = 2
} floe_bundle_policy;

/** W3C RTCRtcpMuxPolicy. */
typedef enum floe_rtcp_mux_policy { FLOE_RTCP_MUX_POLICY_REQUIRE = 0 } floe_rtcp_mux_policy;

/** W3C RTCConfiguration, and what it leaves out. Zero in a field is its default. Everything is copied. */
typedef struct floe_pc_config {
  uint32_t size;                               /**< sizeof the struct, set by floe_pc_config_init */
  const floe_ice_config *ice;                  /**< copies; nullable: iceServers, iceTransportPolicy and the agent's own
                                                    options; `local_ufrag` and `local_pwd` are not used */
  floe_bundle_policy bundle_policy;            /**< [balanced] */
  floe_rtcp_mux_policy rtcp_mux_policy;        /**< [require] */
  const floe_certificate *const *certificates; /**< copies; nullable: made on first use, ECDSA P-256; of several the
                                                    first is used */
  size_t n_certificates;                       /**< how many */
  uint32_t ice_candidate_pool_size;            /**< [0] 0 to 255: above 0 gathering begins at once, and what it finds
                                                    is told after the local description was set */
  uint64_t max_message_size;                   /**< [256 KiB] largest message taken from the peer, told in descriptions;
                                                    up to 1 GiB */
  size_t max_buffered_amount;                  /**< [1 MiB] bytes that wait to be sent, over all channels, before
                                                    FLOE_E_AGAIN */
  uint32_t max_channels;                       /**< [256] channels at a time, those of the peer included; more of the
                                                    peer's are closed at once. As many streams are offered, of which
                                                    those announced in-band have every second one (RFC 8832 6): a
                                                    side alone opens half as many, and later ones fail with ERROR */
  uint16_t mtu;                                /**< [1200] largest UDP payload in bytes, 576 to 65,000 */
  uint32_t dtls_timeout_ms;                    /**< [30000] for the handshake, once ICE is connected */
  uint16_t sctp_port;                          /**< [5000] in descriptions */
  bool no_interleaving;                        /**< do not offer RFC 8260 (SCTP I-DATA) */
  /** nullable: receives the secrets of DTLS, one line of the NSS key log format at a time, for debugging: who has them
   *  can read all that is sent. Must not call back into Floe. */
  void (*keylog)(void *user, const char *line);
  void *keylog_user;    /**< handed to keylog */
  uint64_t reserved[8]; /**< room for later members: 0 */
} floe_pc_config;

/** Zeroes `cfg` and sets its size. */
FLOE_API void floe_pc_config_init(floe_pc_config *cfg, size_t size);

/* --- life ----------------------------------------------------------------------------------------------------------
 */

/** Makes a peer connection. Nothing is sent or asked for before a local description is set or, with
 *  ice_candidate_pool_size, before the first outputs are taken.
 *  @param out out: freed with floe_pc_free
 *  @param env keeps: must outlive the connection
 *  @param cfg copies; nullable
 *  @param why out, nullable: the path as in W3C's dictionary (`iceServers[2].urls[0]`, `certificates[0]`)
 *  @return as floe_ice_agent_new; FLOE_E_ACCESS also for a certificate that has expired; FLOE_E_TYPE also for a
 *          member out of its range */
FLOE_API FLOE_MUST_USE floe_status floe_pc_new(floe_pc **out, floe_env *env, floe_time now, const floe_pc_config *cfg,
                                               floe_error *why);

/** Frees it and its channels at once, without a word to the peer (floe_pc_close tells it). Never calls back. NULL is
 *  fine. */
FLOE_API void floe_pc_free(floe_pc *pc);

/** Hands one input to it (floe_ice_agent_input). */
FLOE_API void floe_pc_input(floe_pc *pc, floe_time now, const floe_input *in);

/** Takes the next output. Cannot fail; ends in WAIT. Pointers in it are valid until the next call on the connection or
 *  one of its channels. */
FLOE_API void floe_pc_poll(floe_pc *pc, floe_output *out);

/** W3C close(): immediate, and silent: no event any more, channels are CLOSED, every call that changes something says
 *  FLOE_E_STATE. The peer is told (SCTP ABORT, DTLS close_notify), allocations are deleted: keep polling and feeding
 *  until floe_pc_is_closed, or free it at once. */
FLOE_API void floe_pc_close(floe_pc *pc, floe_time now);

/** True when a closed connection has nothing left to send and no socket open. */
FLOE_API bool floe_pc_is_closed(const floe_pc *pc);

/** W3C getConfiguration(). Valid until floe_pc_set_configuration or floe_pc_free. */
FLOE_API const floe_pc_config *floe_pc_configuration(const floe_pc *pc);

/** W3C setConfiguration(). Other servers or another transport policy count from the next gathering on
 * (floe_pc_restart_ice); a pool is gathered anew with them at once. Of `ice` only iceServers, iceTransportPolicy, their
 * limits and credentials can change.
 *  @param cfg copies
 *  @param why out, nullable
 *  @return FLOE_OK; FLOE_E_MODIFICATION (bundlePolicy, rtcpMuxPolicy, certificates, a pool size after the local
 *          description was set); FLOE_E_STATE after close; else as floe_pc_new */
FLOE_API FLOE_MUST_USE floe_status floe_pc_set_configuration(floe_pc *pc, floe_time now, const floe_pc_config *cfg,
                                                             floe_error *why);

/* --- descriptions --------------------------------------------------------------------------------------------------
 */

/** W3C RTCSdpType. */
typedef enum floe_sdp_type {
  FLOE_SDP_OFFER = 0,
  FLOE_SDP_PRANSWER = 1,
  FLOE_SDP_ANSWER = 2,
  FLOE_SDP_ROLLBACK = 3
} floe_sdp_type;

/** "offer", "pranswer", "answer" or "rollback". Any thread. */
FLOE_API const char *floe_sdp_type_name(floe_sdp_type type);
/** The type with this name. Returns false for none. Any thread. */
FLOE_API bool floe_sdp_type_from_name(floe_sdp_type *out, const char *name);

/** W3C RTCSessionDescription. */
typedef struct floe_session_description {
  floe_sdp_type type; /**< what it is */
  const char *sdp;    /**< nullable ["", for a rollback]: the description, NUL-terminated */
} floe_session_description;

/** W3C RTCOfferOptions. */
typedef struct floe_offer_options {
  bool ice_restart; /**< W3C iceRestart */
} floe_offer_options;

/** W3C createOffer().
 *  @param options nullable
 *  @param sdp     out: valid until the next floe_pc_create_offer, a floe_pc_set_local_description that makes one, or
 *                floe_pc_free
 *  @param why     out, nullable
 *  @return FLOE_OK; FLOE_E_STATE (after close, or not in `stable` or `have-local-offer`); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_pc_create_offer(floe_pc *pc, floe_time now, const floe_offer_options *options,
                                                        const char **sdp, floe_error *why);

/** W3C createAnswer().
 *  @param sdp out: valid until the next floe_pc_create_answer, a floe_pc_set_local_description that makes one, or
 * floe_pc_free
 *  @param why out, nullable
 *  @return FLOE_OK; FLOE_E_STATE (after close, or not in `have-remote-offer` or `have-local-pranswer`); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_pc_create_answer(floe_pc *pc, floe_time now, const char **sdp, floe_error *why);

/** W3C setLocalDescription(). Gathering starts with it. Events: SIGNALINGSTATECHANGE, ICEGATHERINGSTATECHANGE,
 *  ICECANDIDATE, ICECANDIDATEERROR, and for a final answer what floe_pc_set_remote_description says.
 *  @param description nullable: the offer or answer that fits the state (perfect negotiation). Without it, and where
 *                     its `sdp` is NULL or "", the last one made is set while it still says how things are; else one
 *                     is made
 *  @param why         out, nullable
 *  @return FLOE_OK; FLOE_E_STATE (after close, or the type does not fit the signalling state); FLOE_E_MODIFICATION (it
 * is not the last offer or answer made); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_pc_set_local_description(floe_pc *pc, floe_time now,
                                                                 const floe_session_description *description,
                                                                 floe_error *why);

/** W3C setRemoteDescription(). An offer in `have-local-offer` first rolls ours back (perfect negotiation). Events:
 *  SIGNALINGSTATECHANGE, NEGOTIATIONNEEDED; with a final answer the transports start, and DATACHANNEL, OPEN,
 *  ICECONNECTIONSTATECHANGE, CONNECTIONSTATECHANGE follow as they connect.
 *  @param description copies
 *  @param why         out, nullable: for FLOE_E_SYNTAX path "sdp", line, column and what was expected there
 *  @return FLOE_OK; FLOE_E_SYNTAX (W3C: RTCError sdp-syntax-error); FLOE_E_ACCESS (W3C InvalidAccessError: the content
 *          cannot be applied); FLOE_E_STATE (after close, or the type does not fit the signalling state);
 *          FLOE_E_TYPE (no description, or an unknown type); FLOE_E_TOO_LARGE; FLOE_E_NOMEM. Whatever is returned but
 * FLOE_OK, nothing has changed */
FLOE_API FLOE_MUST_USE floe_status floe_pc_set_remote_description(floe_pc *pc, floe_time now,
                                                                  const floe_session_description *description,
                                                                  floe_error *why);

/** W3C localDescription: the pending one, else the current; NULL: none. It holds the candidates told so far. Valid
 * until the next call on the connection. */
FLOE_API const floe_session_description *floe_pc_local_description(floe_pc *pc);
/** W3C currentLocalDescription; see floe_pc_local_description. */
FLOE_API const floe_session_description *floe_pc_current_local_description(floe_pc *pc);
/** W3C pendingLocalDescription; see floe_pc_local_description. */
FLOE_API const floe_session_description *floe_pc_pending_local_description(floe_pc *pc);
/** W3C remoteDescription: the pending one, else the current; NULL: none. It holds the candidates added so far. Valid
 *  until the next call on the connection. */
FLOE_API const floe_session_description *floe_pc_remote_description(floe_pc *pc);
/** W3C currentRemoteDescription; see floe_pc_remote_description. */
FLOE_API const floe_session_description *floe_pc_current_remote_description(floe_pc *pc);
/** W3C pendingRemoteDescription; see floe_pc_remote_description. */
FLOE_API const floe_session_description *floe_pc_pending_remote_description(floe_pc *pc);

/** W3C canTrickleIceCandidates: 1 yes, 0 no, -1 null (no remote description yet). */
FLOE_API int floe_pc_can_trickle_ice_candidates(const floe_pc *pc);

/** W3C RTCIceCandidateInit. */
typedef struct floe_ice_candidate_init {
  const char *candidate;         /**< nullable [""]: "candidate:..."; "" is the end of the candidates */
  const char *sdp_mid;           /**< nullable: which media section */
  bool has_sdp_m_line_index;     /**< which media section, by its number; `sdp_mid` goes before it */
  uint16_t sdp_m_line_index;     /**< from 0 */
  const char *username_fragment; /**< nullable: which ICE generation; else the candidate's own, else the latest */
} floe_ice_candidate_init;

/** W3C addIceCandidate().
 *  @param candidate nullable: the peer has no further candidates, in any section
 *  @param why       out, nullable: path "candidate", "sdpMid", "sdpMLineIndex" or "usernameFragment"
 *  @return FLOE_OK; FLOE_E_TYPE (a candidate with neither sdpMid nor sdpMLineIndex); FLOE_E_STATE (no remote
 *          description, or after close); FLOE_E_NOT_FOUND (W3C OperationError: no such section or username fragment);
 *          FLOE_E_SYNTAX (W3C OperationError: the candidate); FLOE_E_TOO_LARGE (max_remote_candidates); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_pc_add_ice_candidate(floe_pc *pc, floe_time now,
                                                             const floe_ice_candidate_init *candidate, floe_error *why);

/** W3C restartIce(): the next offer has new credentials; NEGOTIATIONNEEDED follows. */
FLOE_API void floe_pc_restart_ice(floe_pc *pc, floe_time now);

/* --- channels ------------------------------------------------------------------------------------------------------
 */

/** W3C createDataChannel().
 *  @param label copies: up to 65,535 bytes of UTF-8
 *  @param init  copies; nullable
 *  @param out   out: belongs to `pc` (floe/data_channel.h)
 *  @param why   out, nullable: path "label", "maxRetransmits", "id", ...
 *  @return FLOE_OK; FLOE_E_STATE (after close); FLOE_E_TYPE (no label, a text too long or no UTF-8, both limits,
 * `negotiated` without `id`, id 65,535); FLOE_E_TOO_LARGE (W3C OperationError: the id is taken or beyond the negotiated
 * streams, or max_channels); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_pc_create_data_channel(floe_pc *pc, floe_time now, const char *label,
                                                               const floe_data_channel_init *init,
                                                               floe_data_channel **out, floe_error *why);

/** The connection of a channel. */
FLOE_API floe_pc *floe_data_channel_pc(const floe_data_channel *channel);

/** The channels that were not freed, in the order they were made. Valid until the next call.
 *  @param out out: nullable; receives the address of the first of an array of pointers
 *  @return how many */
FLOE_API size_t floe_pc_data_channels(const floe_pc *pc, floe_data_channel *const **out);

/* --- states --------------------------------------------------------------------------------------------------------
 */

/** W3C signalingState. */
FLOE_API floe_signaling_state floe_pc_signaling_state(const floe_pc *pc);
/** W3C iceGatheringState. */
FLOE_API floe_ice_gathering_state floe_pc_ice_gathering_state(const floe_pc *pc);
/** W3C iceConnectionState. */
FLOE_API floe_ice_connection_state floe_pc_ice_connection_state(const floe_pc *pc);
/** W3C connectionState. */
FLOE_API floe_pc_state floe_pc_connection_state(const floe_pc *pc);

/** W3C RTCIceTransport. */
typedef struct floe_ice_transport {
  floe_ice_role role;                           /**< now */
  floe_ice_connection_state state;              /**< now */
  floe_ice_gathering_state gathering_state;     /**< now */
  const floe_ice_parameters *local_parameters;  /**< nullable */
  const floe_ice_parameters *remote_parameters; /**< nullable */
  const floe_ice_candidate *selected_local;     /**< nullable: getSelectedCandidatePair() */
  const floe_ice_candidate *selected_remote;    /**< nullable */
  const floe_ice_agent *agent;                  /**< for its getters: candidates, reports. Do not feed or poll it */
} floe_ice_transport;

/** W3C RTCDtlsTransport. */
typedef struct floe_dtls_transport {
  floe_dtls_transport_state state;           /**< now */
  bool is_client;                            /**< RFC 8842: a=setup:active; known once `state` is not `new` */
  const floe_bytes *remote_certificates;     /**< getRemoteCertificates(): DER */
  size_t n_remote_certificates;              /**< 0 before the peer has shown any */
  const floe_certificate *local_certificate; /**< nullable before it is made */
  const char *tls_version;                   /**< nullable: "DTLSv1.2" */
  const char *cipher;                        /**< nullable: as libssl names it */
  const char *group;                         /**< nullable: of the key exchange */
  floe_cause cause;                          /**< FAILED: dtls_fingerprint, dtls_alert, dtls_timeout; else NONE */
  const char *error_text;                    /**< nullable: what is behind `cause` */
  bool has_received_alert;                   /**< W3C RTCError receivedAlert */
  uint8_t received_alert;                    /**< RFC 8446 6 */
  bool has_sent_alert;                       /**< W3C RTCError sentAlert */
  uint8_t sent_alert;                        /**< RFC 8446 6 */
} floe_dtls_transport;

/** W3C RTCSctpTransport. */
typedef struct floe_sctp_transport {
  floe_sctp_transport_state state; /**< now */
  uint64_t max_message_size;       /**< largest message that can be sent, in bytes; UINT64_MAX: any */
  bool has_max_channels;           /**< known once CONNECTED */
  uint16_t max_channels;           /**< as many streams were negotiated */
  floe_cause cause;                /**< CLOSED: NONE, sctp_abort or sctp_timeout, or what ended DTLS */
  const char *error_text;          /**< nullable: what is behind `cause` */
  bool has_cause_code;             /**< W3C RTCError sctpCauseCode */
  uint16_t cause_code;             /**< RFC 9260 3.3.10 */
} floe_sctp_transport;

/** The ICE transport; NULL before a description was set. Valid until the next call. */
FLOE_API const floe_ice_transport *floe_pc_ice_transport(floe_pc *pc);
/** The ICE agent, which there is from the start: for its getters, and for a multiplexer (floe/mux.h). Do not feed, poll
 * or change it. Valid as long as the connection. */
FLOE_API floe_ice_agent *floe_pc_ice_agent(floe_pc *pc);
/** The DTLS transport; NULL before a description was set. Valid until the next call. */
FLOE_API const floe_dtls_transport *floe_pc_dtls_transport(floe_pc *pc);
/** W3C `sctp`; NULL before a data section was negotiated. Valid until the next call. */
FLOE_API const floe_sctp_transport *floe_pc_sctp_transport(floe_pc *pc);

/** Why the connection failed, is in trouble, or is not there yet: what ICE knows, with `verdict` the cause over all
 *  layers (ICE, DTLS, SCTP). NULL: no memory, or no description was set. Valid until the next call. */
FLOE_API const floe_connection_report *floe_pc_failure_report(floe_pc *pc, floe_time now);

/* --- statistics ----------------------------------------------------------------------------------------------------
 */

/** W3C RTCStatsType, as far as there is something to count. */
typedef enum floe_stats_type {
  FLOE_STATS_PEER_CONNECTION = 0,
  FLOE_STATS_TRANSPORT,
  FLOE_STATS_CANDIDATE_PAIR,
  FLOE_STATS_LOCAL_CANDIDATE,
  FLOE_STATS_REMOTE_CANDIDATE,
  FLOE_STATS_CERTIFICATE,
  FLOE_STATS_DATA_CHANNEL
} floe_stats_type;

/** "peer-connection", "transport", ... Any thread. */
FLOE_API const char *floe_stats_type_name(floe_stats_type type);

/** How a member of a statistics object is to be read. */
typedef enum floe_stats_kind {
  FLOE_STATS_UNSIGNED = 0, /**< u.number */
  FLOE_STATS_DOUBLE,       /**< u.real: seconds, or a time in milliseconds since 1970 */
  FLOE_STATS_BOOLEAN,      /**< u.boolean */
  FLOE_STATS_TEXT          /**< u.text */
} floe_stats_kind;

/** One member: its W3C name and its value. What is unknown has no member. */
typedef struct floe_stats_member {
  const char *name;     /**< "bytesSent" */
  floe_stats_kind kind; /**< selects the member of `u` */
  union {
    uint64_t number;
    double real;
    bool boolean;
    const char *text;
  } u; /**< the value */
} floe_stats_member;

/** One object of the report (W3C RTCStats). */
typedef struct floe_stats_object {
  const char *id;                   /**< constant for the same object in later reports */
  floe_stats_type type;             /**< what it is */
  double timestamp;                 /**< milliseconds since 1970; since the clock's origin when the env knows no time */
  const floe_stats_member *members; /**< by W3C's names */
  size_t n_members;                 /**< how many */
} floe_stats_object;

/** W3C RTCStatsReport. */
typedef struct floe_stats_report {
  const floe_stats_object *objects; /**< the peer connection first */
  size_t n_objects;                 /**< how many */
} floe_stats_report;

/** W3C getStats(). NULL: no memory. Valid until the next call on the connection. */
FLOE_API const floe_stats_report *floe_pc_get_stats(floe_pc *pc, floe_time now);

/** The object's member with this W3C name, or NULL. */
FLOE_API const floe_stats_member *floe_stats_object_member(const floe_stats_object *object, const char *name);

#endif
