/* floe/stats.h - what an ICE agent has counted (W3C webrtc-stats), and why it did not connect.
 *
 *     const floe_connection_report *r = floe_ice_agent_connection_report(agent, now);
 *     if (r != NULL) printf("%s: %s\n", floe_cause_id(r->verdict), floe_cause_sentence(r->verdict));
 *
 * Names are W3C's in this library's spelling (packetsSent is packets_sent). Unknown is absent: a false `has_` member or
 * a NULL pointer. Failed pairs are included.
 */
#ifndef FLOE_STATS_H
#define FLOE_STATS_H

#include "floe/ice.h"

/** @file
 *  Statistics of an ICE agent, and its report on the connection. */

/** W3C RTCStatsIceCandidatePairState (RFC 8445 6.1.2.6). */
typedef enum floe_pair_state {
  FLOE_PAIR_FROZEN = 0,
  FLOE_PAIR_WAITING = 1,
  FLOE_PAIR_IN_PROGRESS = 2,
  FLOE_PAIR_SUCCEEDED = 3,
  FLOE_PAIR_FAILED = 4
} floe_pair_state;

/** "frozen", "waiting", "in-progress", "succeeded" or "failed". Any thread. */
FLOE_API const char *floe_pair_state_name(floe_pair_state state);

/** Why a pair failed, or what ails it. */
typedef enum floe_pair_failure {
  FLOE_PAIR_FAILURE_NONE = 0,
  FLOE_PAIR_FAILURE_TIMEOUT,        /**< no answer */
  FLOE_PAIR_FAILURE_ERROR_RESPONSE, /**< stun_error_code says which */
  FLOE_PAIR_FAILURE_NOT_SYMMETRIC,  /**< the answer came from or to another address (RFC 8445 7.2.5.2.1) */
  FLOE_PAIR_FAILURE_UNREACHABLE,    /**< ICMP, or the system, says so */
  FLOE_PAIR_FAILURE_TCP,            /**< the TCP connection failed or ended */
  FLOE_PAIR_FAILURE_RELAY_DENIED,   /**< the TURN server refused the permission */
  FLOE_PAIR_FAILURE_RELAY_LOST,     /**< the allocation is gone */
  FLOE_PAIR_FAILURE_CONSENT,        /**< consent expired */
  FLOE_PAIR_FAILURE_ADDRESS_GONE,   /**< the local address is gone */
  FLOE_PAIR_FAILURE_SOCKET          /**< no memory, no socket, or max_permissions reached */
} floe_pair_failure;

/** "none", "timeout", "error-response", ... Any thread. */
FLOE_API const char *floe_pair_failure_name(floe_pair_failure failure);

/** How the name of a remote candidate was looked up. */
typedef enum floe_resolution {
  FLOE_RESOLUTION_NONE = 0, /**< it has an address */
  FLOE_RESOLUTION_PENDING,  /**< multicast DNS was asked */
  FLOE_RESOLUTION_RESOLVED, /**< and answered */
  FLOE_RESOLUTION_FAILED,   /**< nobody answered, or more than one address */
  FLOE_RESOLUTION_REFUSED   /**< not a name that is looked up: not under .local, or no_mdns */
} floe_resolution;

/** "none", "pending", "resolved", "failed" or "refused". Any thread. */
FLOE_API const char *floe_resolution_name(floe_resolution resolution);

/** One candidate pair (W3C RTCIceCandidatePairStats), and what Floe knows beyond it. */
typedef struct floe_pair_stats {
  uint32_t id;                        /**< names the pair, never used twice in an agent */
  uint32_t local_candidate_id;        /**< of floe_stats.local_candidates */
  uint32_t remote_candidate_id;       /**< of floe_stats.remote_candidates */
  floe_pair_state state;              /**< now */
  bool nominated;                     /**< RFC 8445 8 */
  bool selected;                      /**< in use */
  uint64_t priority;                  /**< RFC 8445 6.1.2.3 */
  uint64_t packets_sent;              /**< data, without checks */
  uint64_t packets_received;          /**< data, without checks */
  uint64_t bytes_sent;                /**< data, without headers of any kind */
  uint64_t bytes_received;            /**< data, without headers of any kind */
  bool has_last_packet_sent;          /**< some data was sent */
  floe_time last_packet_sent;         /**< when */
  bool has_last_packet_received;      /**< some data was received */
  floe_time last_packet_received;     /**< when */
  bool has_current_round_trip_time;   /**< a check was answered at its first transmission */
  double current_round_trip_time;     /**< seconds; of the last such check */
  double total_round_trip_time;       /**< seconds; of all */
  uint64_t requests_sent;             /**< checks, retransmissions included, without consent */
  uint64_t requests_received;         /**< checks of the peer, retransmissions included */
  uint64_t responses_sent;            /**< answers to checks */
  uint64_t responses_received;        /**< answers, those to consent checks included */
  uint64_t consent_requests_sent;     /**< RFC 7675 */
  uint64_t packets_discarded_on_send; /**< data that the system or the relay did not take */
  uint64_t bytes_discarded_on_send;   /**< data that the system or the relay did not take */
  floe_pair_failure failure;          /**< FAILED: why */
  uint16_t stun_error_code;           /**< 0, or of the last error response */
  uint32_t integrity_failures;        /**< answers that were not signed with the peer's password */
  uint32_t icmp_errors;               /**< ICMP and send errors met */
  bool has_icmp;                      /**< an ICMP error came: the last one */
  uint8_t icmp_type;                  /**< ICMPv4 or ICMPv6 type */
  uint8_t icmp_code;                  /**< its code */
  int os_error;                       /**< 0, or of the last send error */
} floe_pair_stats;

/** One remote candidate. */
typedef struct floe_remote_candidate_stats {
  const floe_ice_candidate *candidate; /**< type prflx: learnt from a check */
  floe_resolution resolution;          /**< of its name */
} floe_remote_candidate_stats;

/** W3C RTCTransportStats, as far as it is ICE's. */
typedef struct floe_transport_stats {
  uint64_t packets_sent;                    /**< data over all pairs of the agent's life */
  uint64_t packets_received;                /**< data over all pairs of the agent's life */
  uint64_t bytes_sent;                      /**< likewise, without headers of any kind */
  uint64_t bytes_received;                  /**< likewise, without headers of any kind */
  uint32_t selected_candidate_pair_changes; /**< how often one was selected */
  uint32_t selected_candidate_pair_id;      /**< 0 = none */
  floe_ice_role ice_role;                   /**< now */
  const char *ice_local_username_fragment;  /**< of the current session */
  floe_ice_connection_state ice_state;      /**< now */
} floe_transport_stats;

/** Everything at one moment. */
typedef struct floe_stats {
  floe_time timestamp;                                  /**< when it was taken */
  floe_transport_stats transport;                       /**< the whole */
  const floe_pair_stats *pairs;                         /**< of the current session, and the one in use of an earlier */
  size_t n_pairs;                                       /**< how many */
  const floe_ice_candidate *const *local_candidates;    /**< including those not told */
  size_t n_local_candidates;                            /**< how many */
  const floe_remote_candidate_stats *remote_candidates; /**< including peer-reflexive ones */
  size_t n_remote_candidates;                           /**< how many */
  uint32_t server_errors;                               /**< ICESERVERERROR events so far */
} floe_stats;

/** Takes the statistics. NULL: no memory. Valid until the next call on the agent. */
FLOE_API const floe_stats *floe_ice_agent_stats(floe_ice_agent *agent, floe_time now);

/** Pairs that are alike. */
typedef struct floe_pair_group {
  floe_candidate_type local_type;  /**< of the local candidate */
  floe_candidate_type remote_type; /**< of the remote candidate */
  floe_transport transport;        /**< UDP or TCP between the two */
  floe_family family;              /**< between the two */
  uint32_t n_pairs;                /**< how many */
  uint32_t n_by_state[5];          /**< indexed by floe_pair_state */
  uint64_t requests_sent;          /**< of all of them */
  uint64_t responses_received;     /**< of all of them */
  uint64_t requests_received;      /**< of all of them */
  uint16_t stun_error_code;        /**< the last of any */
  uint32_t icmp_errors;            /**< of all of them */
  uint32_t integrity_failures;     /**< of all of them */
} floe_pair_group;

/** Why the connection failed, is in trouble, or is not there yet. */
typedef struct floe_connection_report {
  floe_cause verdict;              /**< the cause that fits what is known; NONE while a pair is in use and answers */
  floe_ice_connection_state state; /**< now */
  double elapsed_ms;               /**< since checks began */
  floe_ice_role role;              /**< now */
  uint32_t role_conflicts;         /**< how often the peer claimed our role */
  bool received_anything;          /**< any valid check or answer came from the peer */
  uint32_t requests_received;      /**< valid checks of the peer */
  uint32_t unknown_ufrag;          /**< checks that named another ufrag than ours */
  uint32_t bad_integrity;          /**< checks and answers not signed with the password */
  uint32_t refused_requests;       /**< valid checks without an answer: max_peer_reflexive, or too many of them */
  uint32_t n_local_candidates;     /**< how many */
  uint32_t n_remote_candidates;    /**< how many, peer-reflexive ones included */
  uint32_t n_unresolved;           /**< remote names that stand for no address */
  uint32_t n_relay_denied;         /**< pairs whose permission the TURN server refused */
  bool remote_ended;               /**< the peer's end of candidates is known */
  const floe_pair_group *groups;   /**< pairs by type, transport and family */
  size_t n_groups;                 /**< how many */
  const floe_pair_stats *pairs;    /**< each */
  size_t n_pairs;                  /**< how many */
} floe_connection_report;

/** Tells what is known of the connection, at any time: before `failed` it is the verdict as things stand. NULL: no
 *  memory. Valid until the next call on the agent. */
FLOE_API const floe_connection_report *floe_ice_agent_connection_report(floe_ice_agent *agent, floe_time now);

#endif
