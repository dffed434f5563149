/* floe/ice.h - the ICE agent, sans-IO: bytes, time and answers go in; bytes, requests and events come out.
 *
 * Two programs connect like this, and floe/ice.h needs nothing else for it:
 *
 *     floe_ice_agent_gather(agent, now);                             // events: candidates
 *     floe_ice_agent_local_description(agent, buf, sizeof buf);      // send `buf` to the peer by any means
 *     floe_ice_agent_set_remote_description(agent, now, text, &why); // what the peer sent
 *     ... ICECONNECTIONSTATECHANGE: connected ...
 *     floe_ice_agent_send(agent, now, data, 0);                      // the peer gets it as a DATA output
 *
 * The agent opens no socket, reads no clock and looks up no name. It asks for them through floe_ice_agent_poll and is
 * told the results through floe_ice_agent_input. floe/uv.h does this for programs with a libuv loop; a program of
 * another kind writes this loop, and nothing else:
 *
 *     void drain(floe_ice_agent *agent) {
 *       for (;;) {
 *         floe_output out;
 *         floe_ice_agent_poll(agent, &out);
 *         switch (out.type) {
 *           case FLOE_OUTPUT_TRANSMIT:   my_send(&out); break;
 *           case FLOE_OUTPUT_OPEN:       my_open(&out); break;
 *           case FLOE_OUTPUT_CLOSE:      my_close(out.u.close.sock); break;
 *           case FLOE_OUTPUT_RESOLVE:    my_resolve(&out); break;
 *           case FLOE_OUTPUT_INTERFACES: my_list_interfaces(); break;
 *           case FLOE_OUTPUT_EVENT:      my_event(out.u.event); break;
 *           case FLOE_OUTPUT_DATA:       my_data(&out); break;
 *           case FLOE_OUTPUT_PERMISSION: my_permission(&out); break;
 *           case FLOE_OUTPUT_PUBLISH:    my_publish(&out); break;
 *           case FLOE_OUTPUT_WAIT:       my_sleep_until(out.u.wait.until); return;
 *         }
 *       }
 *     }
 *
 * Rules: `now` never goes back (an earlier one counts as the latest seen). Every call may be made before the outputs of
 * the last one were taken. Poll always ends in WAIT, whose `until` is later than the last `now`. An agent belongs to
 * the thread of its env.
 */
#ifndef FLOE_ICE_H
#define FLOE_ICE_H

#include "floe/config.h"
#include "floe/env.h"
#include "floe/event.h"

/** @file
 *  The ICE agent (RFC 8445): gathering and connecting, with a reason for each failure. */

/** Opaque: one ICE agent. */
typedef struct floe_ice_agent floe_ice_agent;

/** Names a socket between the agent and its driver; chosen by the agent, never 0, never used twice. Accepted TCP
 *  connections are named by the driver, from FLOE_SOCK_ACCEPTED on, never the same twice for one agent. */
typedef uint32_t floe_sock_id;
/** The first id of an accepted connection. */
#define FLOE_SOCK_ACCEPTED ((floe_sock_id)0x80000000u)
/** Names a pending name look-up; chosen by the agent, never 0, never used twice. */
typedef uint32_t floe_req_id;

/** What went wrong in the system's network, independent of its numbers. */
typedef enum floe_net_error {
  FLOE_NET_OTHER = 0,             /**< anything else */
  FLOE_NET_REFUSED,               /**< ECONNREFUSED */
  FLOE_NET_RESET,                 /**< ECONNRESET, EPIPE */
  FLOE_NET_TIMED_OUT,             /**< ETIMEDOUT */
  FLOE_NET_NET_UNREACHABLE,       /**< ENETUNREACH, ENETDOWN */
  FLOE_NET_HOST_UNREACHABLE,      /**< EHOSTUNREACH, EHOSTDOWN */
  FLOE_NET_DENIED,                /**< EPERM, EACCES */
  FLOE_NET_ADDRESS_IN_USE,        /**< EADDRINUSE */
  FLOE_NET_ADDRESS_NOT_AVAILABLE, /**< EADDRNOTAVAIL */
  FLOE_NET_MESSAGE_SIZE,          /**< EMSGSIZE */
  FLOE_NET_NO_RESOURCES           /**< ENOBUFS, ENOMEM, EMFILE, ENFILE */
} floe_net_error;

/** Kinds of input. */
typedef enum floe_input_type {
  FLOE_INPUT_TIMER = 0,      /**< time has passed; uses nothing else */
  FLOE_INPUT_DATAGRAM,       /**< a datagram arrived: sock, addr (its source), data */
  FLOE_INPUT_STREAM,         /**< bytes arrived on a TCP connection: sock, data */
  FLOE_INPUT_STREAM_END,     /**< the peer closed its side (FIN): sock */
  FLOE_INPUT_SOCKET_BOUND,   /**< a TCP socket has its local port and now connects: sock, addr (the local address with
                                  its port). Optional: without it an error of that connection has no address and port */
  FLOE_INPUT_SOCKET_OPENED,  /**< an OPEN succeeded: sock, addr (the local address with its port) */
  FLOE_INPUT_SOCKET_FAILED,  /**< an OPEN failed, or a TCP connection broke: sock, net_error, os_error, os_error_text */
  FLOE_INPUT_SEND_FAILED,    /**< a datagram could not be sent: sock, addr (its destination), net_error, os_error,
                                  os_error_text */
  FLOE_INPUT_ICMP,           /**< an ICMP error: sock, addr (the destination it quotes), icmp_type, icmp_code, and
                                  os_error, os_error_text where known */
  FLOE_INPUT_RESOLVED,       /**< a look-up ended: req, family, dns_status, addrs, n_addrs */
  FLOE_INPUT_INTERFACES,     /**< the host's addresses: interfaces, n_interfaces; or os_error, os_error_text when they
                                  could not be listed. As the answer to INTERFACES, and whenever they have changed */
  FLOE_INPUT_SOCKET_ACCEPTED /**< a listening TCP socket has a connection: sock (the listener), accepted (the
                                  connection's own name), addr (the peer) */
} floe_input_type;

/** One input. Members that the type does not name are ignored. Everything pointed at is borrowed for the call. */
typedef struct floe_input {
  floe_input_type type;             /**< which members count */
  floe_sock_id sock;                /**< which socket */
  floe_req_id req;                  /**< which look-up */
  floe_addr addr;                   /**< see the type */
  floe_bytes data;                  /**< the bytes */
  floe_net_error net_error;         /**< what went wrong */
  int os_error;                     /**< errno or its counterpart; 0 = none */
  const char *os_error_text;        /**< nullable: the system's words */
  uint8_t icmp_type;                /**< ICMP type for an IPv4 `addr`, else ICMPv6 type */
  uint8_t icmp_code;                /**< its code */
  floe_family family;               /**< of the look-up */
  floe_dns_status dns_status;       /**< how it ended */
  const floe_addr *addrs;           /**< the addresses found, ports ignored; the first 32 of a family are used */
  size_t n_addrs;                   /**< how many */
  const floe_interface *interfaces; /**< the host's addresses */
  size_t n_interfaces;              /**< how many */
  floe_sock_id accepted;            /**< the new connection */
  uint64_t reserved[4];             /**< room for later members: 0 */
} floe_input;

/** Kinds of output. */
typedef enum floe_output_type {
  FLOE_OUTPUT_WAIT = 0,   /**< nothing more: sleep until `until` or the next input */
  FLOE_OUTPUT_TRANSMIT,   /**< send bytes */
  FLOE_OUTPUT_OPEN,       /**< open a socket; answer with SOCKET_OPENED or SOCKET_FAILED */
  FLOE_OUTPUT_CLOSE,      /**< close a socket after what was sent on it; nothing more is told about it */
  FLOE_OUTPUT_RESOLVE,    /**< look up one family of a name; answer with RESOLVED */
  FLOE_OUTPUT_INTERFACES, /**< list the host's addresses; answer with INTERFACES */
  FLOE_OUTPUT_EVENT,      /**< tell the program */
  FLOE_OUTPUT_DATA,       /**< data of a peer arrived, directly or through a relay */
  FLOE_OUTPUT_PERMISSION, /**< floe_ice_agent_permit was decided */
  FLOE_OUTPUT_PUBLISH     /**< answer multicast DNS questions for a name, or stop doing so (floe/mdns.h) */
} floe_output_type;

/** One output. Pointers are valid until the next call on the agent. */
typedef struct floe_output {
  floe_output_type type; /**< selects the member of `u` */
  union {
    struct {
      floe_time until;    /**< FLOE_TIME_NEVER when no timer runs */
      const char *reason; /**< which timer asked: "stun.transaction", "gather.pacing", ... */
    } wait;               /**< WAIT */
    struct {
      floe_sock_id sock; /**< where */
      floe_addr to;      /**< destination; for TCP the connected peer */
      floe_bytes data;   /**< one datagram, or bytes of the stream */
      uint8_t dscp;      /**< differentiated services code point to send it with, 0 to 63 */
    } transmit;          /**< TRANSMIT */
    struct {
      floe_sock_id sock;        /**< its name from now on */
      floe_transport transport; /**< UDP or TCP */
      floe_addr local;          /**< bind here; port 0 = any */
      floe_addr remote;         /**< TCP: connect here; family 0 for UDP and for listening */
      bool listen;              /**< TCP: listen; connections are told with SOCKET_ACCEPTED */
      bool shared; /**< UDP: the multiplexer's socket on this address; a TCP port that listens and connects:
                        set the system's options for reuse of addresses and ports */
    } open;        /**< OPEN */
    struct {
      floe_sock_id sock; /**< which */
    } close;             /**< CLOSE */
    struct {
      floe_req_id req;       /**< its name in the answer */
      const char *host;      /**< the name to look up */
      floe_family family;    /**< IPv4: A, IPv6: AAAA */
      bool multicast;        /**< a .local name: ask by multicast DNS (floe/mdns.h), never the system's resolver */
    } resolve;               /**< RESOLVE */
    const floe_event *event; /**< EVENT */
    struct {
      uint32_t candidate; /**< id of the local candidate it came to */
      floe_addr from;     /**< the peer */
      floe_bytes data;    /**< what it sent */
    } data;               /**< DATA */
    struct {
      uint32_t candidate; /**< id of the relay candidate */
      floe_addr peer;     /**< the peer */
      bool granted;       /**< false: an iceservererror event said why */
    } permission;         /**< PERMISSION */
    struct {
      const char *name;    /**< "1f4712db-ea17-4bcf-a596-105139dfd8bf.local" */
      floe_addr address;   /**< what it stands for; its port is 0 */
      bool withdraw;       /**< true: stop answering for it */
    } publish;             /**< PUBLISH */
    uint64_t reserved[12]; /**< room for later outputs */
  } u;                     /**< what is asked for or told */
} floe_output;

/** How a server, or all of them, did (the contract's section 2). */
typedef enum floe_verdict {
  FLOE_VERDICT_OK = 0,   /**< every attempt gave a candidate */
  FLOE_VERDICT_DEGRADED, /**< some attempt gave a candidate and some failed */
  FLOE_VERDICT_FAILED,   /**< none gave a candidate */
  FLOE_VERDICT_UNUSED    /**< a STUN URL under the relay-only policy */
} floe_verdict;

/** "ok", "degraded", "failed" or "unused". Any thread. */
FLOE_API const char *floe_verdict_name(floe_verdict verdict);

/** How an attempt ended. Each ends exactly once. */
typedef enum floe_attempt_outcome {
  FLOE_ATTEMPT_CANDIDATE = 0, /**< the server gave an address */
  FLOE_ATTEMPT_ERROR,         /**< it failed: detail.cause says why */
  FLOE_ATTEMPT_CANCELLED      /**< the agent was closed first */
} floe_attempt_outcome;

/** "candidate", "error" or "cancelled". Any thread. */
FLOE_API const char *floe_attempt_outcome_name(floe_attempt_outcome outcome);

/** One attempt: a server URL from one local base over one address family. */
typedef struct floe_attempt_report {
  floe_attempt_outcome outcome;  /**< how it ended */
  uint16_t error_code;           /**< 0, 300 to 699 from the server, else 701 */
  const char *error_text;        /**< nullable: as in the event */
  floe_attempt_detail detail;    /**< what is known of it */
  bool has_dns_ms;               /**< a name was looked up for it */
  double dns_ms;                 /**< how long that took */
  bool has_connect_ms;           /**< a TCP connection was established */
  double connect_ms;             /**< how long that took */
  bool has_tls_ms;               /**< a TLS handshake was finished */
  double tls_ms;                 /**< how long that took */
  bool has_request_ms;           /**< the requests ended with an answer */
  double request_ms;             /**< from the first request to that answer */
  uint32_t discarded;            /**< packets that were no usable answer */
  uint32_t redirects;            /**< ALTERNATE-SERVER hops */
  bool unauthenticated_redirect; /**< one of them was not signed */
  bool redundant;                /**< each candidate it gave was redundant (RFC 8445 5.1.3) */
  uint32_t dropped_candidates;   /**< candidates it gave that were not kept: max_candidates, or no memory */
  floe_addr mapped;              /**< family 0 = none: XOR-MAPPED-ADDRESS */
  floe_addr relayed;             /**< family 0 = none: XOR-RELAYED-ADDRESS */
  floe_addr relayed_additional;  /**< family 0 = none: that of the other family */
  uint16_t additional_error;     /**< 0, or ADDRESS-ERROR-CODE of the other family */
  bool has_lifetime;             /**< allocations */
  uint32_t lifetime_s;           /**< LIFETIME the server granted, in seconds */
  uint64_t reserved[4];          /**< room for later members */
} floe_attempt_report;

/** One configured URL. */
typedef struct floe_server_report {
  const char *url;                            /**< byte for byte as configured */
  uint32_t server_index;                      /**< `iceServers[server_index]` */
  uint32_t url_index;                         /**< `.urls[url_index]` */
  floe_verdict verdict;                       /**< how it did */
  floe_cause cause;                           /**< NONE, or the cause of the failure that says most */
  const floe_attempt_report *const *attempts; /**< in the order they were made */
  size_t n_attempts;                          /**< how many */
  const uint32_t *candidates;                 /**< ids of the candidates it gave */
  size_t n_candidates;                        /**< how many */
  uint64_t reserved[4];                       /**< room for later members */
} floe_server_report;

/** What gathering found out, one summary per configured URL, in configuration order. */
typedef struct floe_report {
  floe_verdict verdict;              /**< over all */
  double elapsed_ms;                 /**< how long gathering took */
  const floe_server_report *servers; /**< one per configured URL */
  size_t n_servers;                  /**< how many */
  uint32_t dropped_candidates;       /**< candidates not kept, of hosts too: max_candidates, or no memory */
} floe_report;

/** Makes an agent. Nothing is sent or asked for until floe_ice_agent_gather.
 *  @param out out: freed with floe_ice_agent_free
 *  @param env keeps: must outlive the agent
 *  @param cfg copies
 *  @param why out, nullable: what is wrong with `cfg`
 *  @return FLOE_OK, FLOE_E_NOMEM, or what floe_ice_config_check returns */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_new(floe_ice_agent **out, floe_env *env, const floe_ice_config *cfg,
                                                      floe_error *why);

/** Frees the agent at once, without deleting its allocations (floe_ice_agent_close does). Never calls back. NULL is
 *  fine. */
FLOE_API void floe_ice_agent_free(floe_ice_agent *agent);

/** Starts to gather; before the first outputs are taken the state becomes `gathering`. Events: ICEGATHERINGSTATECHANGE,
 *  then ICECANDIDATE and ICECANDIDATEERROR as they happen, at the end ICECANDIDATE with NULL and
 *  ICEGATHERINGSTATECHANGE (`complete`). After completion it may be called again as long as nothing of the peer is
 *  known: that is a new gathering, which first closes what the last one holds and counts its errors anew. Later
 *  floe_ice_agent_restart is the way.
 *  @return FLOE_OK; FLOE_E_STATE while gathering, a second time when checks have begun, or after close; FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_gather(floe_ice_agent *agent, floe_time now);

/** Gathers ahead of floe_ice_agent_gather (W3C's candidate pool): what happens is kept and told, in its order, right
 *  after the state becomes `gathering`.
 *  @return FLOE_OK; FLOE_E_STATE when a gathering was started or the agent closed; FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_prefetch(floe_ice_agent *agent, floe_time now);

/** Hands one input to the agent. Inputs for sockets and look-ups that it no longer knows are ignored. */
FLOE_API void floe_ice_agent_input(floe_ice_agent *agent, floe_time now, const floe_input *in);

/** Takes the next output. Cannot fail; ends in WAIT. */
FLOE_API void floe_ice_agent_poll(floe_ice_agent *agent, floe_output *out);

/** Closes the agent: no event any more from here on. Open attempts end as cancelled, allocations are deleted at their
 *  servers (Refresh with LIFETIME 0) within close_timeout_ms, sockets are closed. Keep polling and feeding until
 *  floe_ice_agent_is_closed, or free it at once. */
FLOE_API void floe_ice_agent_close(floe_ice_agent *agent, floe_time now);

/** True when a closed agent has nothing left to send and no socket open. */
FLOE_API bool floe_ice_agent_is_closed(const floe_ice_agent *agent);

/** W3C iceGatheringState. */
FLOE_API floe_ice_gathering_state floe_ice_agent_gathering_state(const floe_ice_agent *agent);

/** The local candidates surfaced so far; returns how many. Valid until the next call on the agent.
 *  @param out out: nullable; receives the address of the first of an array of pointers */
FLOE_API size_t floe_ice_agent_local_candidates(const floe_ice_agent *agent, const floe_ice_candidate *const **out);

/** The local candidate with this id, or NULL. Valid until the next call on the agent. */
FLOE_API const floe_ice_candidate *floe_ice_agent_candidate(const floe_ice_agent *agent, uint32_t id);

/** What gathering found out; NULL before the state is `complete`. Valid until the next gathering or restart, or
 *  until the agent is freed. */
FLOE_API const floe_report *floe_ice_agent_report(const floe_ice_agent *agent);

/* --- connecting ------------------------------------------------------------------------------------------------ */

/** RFC 8445 2.3: who chooses the pair. */
typedef enum floe_ice_role {
  FLOE_ICE_ROLE_UNKNOWN = 0,     /**< not decided yet */
  FLOE_ICE_ROLE_CONTROLLING = 1, /**< this side nominates */
  FLOE_ICE_ROLE_CONTROLLED = 2   /**< the peer nominates */
} floe_ice_role;

/** "unknown", "controlling" or "controlled". Any thread. */
FLOE_API const char *floe_ice_role_name(floe_ice_role role);

/** W3C RTCIceParameters, and whether the side is a lite one. */
typedef struct floe_ice_parameters {
  const char *ufrag; /**< user name fragment, 4 to 256 ice-chars */
  const char *pwd;   /**< password, 22 to 256 ice-chars */
  bool lite;         /**< RFC 8839 5.3 */
} floe_ice_parameters;

/** Sets the role. Without this call the side that gathers before it has the peer's parameters is controlling, the other
 *  controlled; a conflict is resolved by tie-breakers (RFC 8445 7.3.1.1) without loss of time.
 *  @return FLOE_OK; FLOE_E_TYPE (role); FLOE_E_STATE once checks have begun, or after close */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_set_role(floe_ice_agent *agent, floe_ice_role role);

/** The role now: a conflict may have changed it. */
FLOE_API floe_ice_role floe_ice_agent_role(const floe_ice_agent *agent);

/** This side's parameters of the current ICE session. Valid until floe_ice_agent_restart or floe_ice_agent_free. */
FLOE_API const floe_ice_parameters *floe_ice_agent_local_parameters(const floe_ice_agent *agent);

/** The peer's parameters of the current ICE session; NULL before they are set. Valid as long as the session. */
FLOE_API const floe_ice_parameters *floe_ice_agent_remote_parameters(const floe_ice_agent *agent);

/** Tells the peer's parameters: from now on connectivity checks are made between all candidates that are known, and
 *  those that come. Events: ICECONNECTIONSTATECHANGE (`checking`, then `connected` or `failed`),
 *  SELECTEDCANDIDATEPAIRCHANGE. The same parameters again are fine.
 *  @param params copies
 *  @param why    out, nullable: path "ufrag" or "pwd"
 *  @return FLOE_OK; FLOE_E_SYNTAX; FLOE_E_STATE when others are set (floe_ice_agent_restart first), or after close;
 *          FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_set_remote_parameters(floe_ice_agent *agent, floe_time now,
                                                                        const floe_ice_parameters *params,
                                                                        floe_error *why);

/** Adds a candidate of the peer (trickle ICE, RFC 8838), before or after its parameters. A candidate that is known
 *  already is fine; one of another component, of a transport or type that RFC 8839 does not know, or with an address
 *  that is no single host's, is ignored with FLOE_OK. A name under .local is looked up by multicast DNS; any other name
 * is ignored and counts as unresolved.
 *  @param line "candidate:...", with or without "a=" before it; "" is the end of the candidates
 *  @param why  out, nullable: path "candidate", and the offset of the byte at fault
 *  @return FLOE_OK; FLOE_E_SYNTAX; FLOE_E_NOT_FOUND (its "ufrag" is not that of the peer's parameters);
 *          FLOE_E_STATE (after the end of the candidates, or after close); FLOE_E_TOO_LARGE (max_remote_candidates);
 *          FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_add_remote_candidate(floe_ice_agent *agent, floe_time now,
                                                                       const char *line, floe_error *why);

/** The peer has no further candidates (RFC 8838 end-of-candidates). Without this call the agent fails only when
 *  patience_ms is over. Twice is fine. */
FLOE_API void floe_ice_agent_end_of_remote_candidates(floe_ice_agent *agent, floe_time now);

/** Writes this side's parameters and the candidates told so far as lines of RFC 8839, for copy-and-paste signalling:
 *
 *      a=ice-ufrag:8hhY
 *      a=ice-pwd:asd88fgpdd777uzjYhagZg
 *      a=ice-options:trickle ice2
 *      a=candidate:1 1 UDP 2130706431 192.0.2.1 50000 typ host
 *      a=end-of-candidates
 *
 *  @param out nullable when cap is 0: NUL-terminated, cut at a line when it does not fit
 *  @return the length that the whole has, without the NUL: when that is not below `cap`, it was cut */
FLOE_API size_t floe_ice_agent_local_description(const floe_ice_agent *agent, char *out, size_t cap);

/** Takes lines as written by floe_ice_agent_local_description, or any session description that has them for one
 *  media section: a=ice-ufrag, a=ice-pwd, a=ice-lite, a=candidate, a=end-of-candidates; other lines are ignored. All or
 *  nothing as far as the text is wrong; FLOE_E_TOO_LARGE and FLOE_E_NOMEM leave what was taken up to there: checks go
 * on with it, and the same text again is fine.
 *  @param why out, nullable: path "description", and the offset of the byte at fault
 *  @return as floe_ice_agent_set_remote_parameters and floe_ice_agent_add_remote_candidate; FLOE_E_SYNTAX also when
 *          a=ice-ufrag or a=ice-pwd is missing */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_set_remote_description(floe_ice_agent *agent, floe_time now,
                                                                         const char *text, floe_error *why);

/** Sends one datagram to the peer over the selected pair; over TCP it is framed (RFC 4571). What the peer sends is a
 *  DATA output. The agent tells STUN messages from data by their first bytes and cookie (RFC 7983): data must not look
 *  like STUN, as DTLS, RTP, RTCP do not.
 *  @param data 1 to 65,000 bytes; up to 1,200 bytes is safe on every path
 *  @param dscp differentiated services code point, 0 to 63
 *  @return FLOE_OK; FLOE_E_STATE (no pair is selected, or after close); FLOE_E_TYPE (`dscp`, or no data);
 *          FLOE_E_TOO_LARGE; FLOE_E_AGAIN (the queue is full: take the outputs first); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_send(floe_ice_agent *agent, floe_time now, floe_bytes data,
                                                       uint8_t dscp);

/** Restarts ICE (RFC 8445 9): new parameters and an empty set of candidates; floe_ice_agent_gather, the exchange and
 *  the checks follow anew. The pair in use stays in use until the new session has selected one. The role stays. The
 *  connection state stays when a pair is in use, else it becomes `new`; gathering becomes `new`.
 *  @return FLOE_OK; FLOE_E_STATE before the first gathering, or after close; FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_restart(floe_ice_agent *agent, floe_time now);

/** floe_ice_agent_restart with parameters of the caller's choice: a peer connection has shown them in an offer before.
 *  @param params copies; `lite` is not used
 *  @param why    out, nullable: path "ufrag" or "pwd"
 *  @return as floe_ice_agent_restart; FLOE_E_SYNTAX */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_restart_with(floe_ice_agent *agent, floe_time now,
                                                               const floe_ice_parameters *params, floe_error *why);

/** Undoes a restart whose offer came to nothing (RFC 9429 4.1.10.2), as long as the peer's parameters are not set: what
 *  was in use before is the current ICE session again. Where there is nothing to return to, what was gathered is given
 *  up for a new session with new parameters.
 *  @return FLOE_OK; FLOE_E_STATE when the peer's parameters are set, or after close; FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_rollback(floe_ice_agent *agent, floe_time now);

/** Takes another configuration, which counts from the next gathering on (W3C setConfiguration); a pool that is being
 *  gathered begins anew with it.
 *  @param cfg copies
 *  @param why out, nullable
 *  @return as floe_ice_agent_new; FLOE_E_STATE after close */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_set_configuration(floe_ice_agent *agent, floe_time now,
                                                                    const floe_ice_config *cfg, floe_error *why);

/** The host's addresses may have changed: asks for them (INTERFACES). Pairs on addresses that are gone end; with
 *  continual_gathering new addresses are gathered on. The driver of floe/uv.h notices by itself where the system can
 *  tell. */
FLOE_API void floe_ice_agent_on_interfaces_changed(floe_ice_agent *agent, floe_time now);

/** The connection's state. */
FLOE_API floe_ice_connection_state floe_ice_agent_connection_state(const floe_ice_agent *agent);

/** The pair in use; false, and NULLs, when there is none. Valid until the next call on the agent.
 *  @param local  out, nullable
 *  @param remote out, nullable */
FLOE_API bool floe_ice_agent_selected_pair(const floe_ice_agent *agent, const floe_ice_candidate **local,
                                           const floe_ice_candidate **remote);

/** Lets a peer send to a relay candidate and keeps that alive (RFC 8656 9, 12), for programs that use a relay without a
 *  peer of floe_ice_agent_set_remote_parameters: once that is set, DATA comes from the peer alone, and the agent asks
 *  for the permissions that its checks need by itself. Answered by a PERMISSION output,
 *  which calls for the same peer before it share; a refusal is an ICESERVERERROR event too.
 *  @param candidate   id of a relay candidate
 *  @param peer        the peer; its family must be the candidate's
 *  @param use_channel also binds a channel, so that data travels in ChannelData messages
 *  @return FLOE_OK; FLOE_E_NOT_FOUND; FLOE_E_TYPE (`peer`); FLOE_E_STATE after close or when the allocation is gone;
 *          FLOE_E_TOO_LARGE (max_permissions peers already); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_permit(floe_ice_agent *agent, floe_time now, uint32_t candidate,
                                                         const floe_addr *peer, bool use_channel);

/** Sends data to a peer through a relay candidate. Data of up to 1,200 bytes is safe on every path.
 *  @return FLOE_OK; FLOE_E_NOT_FOUND; FLOE_E_TYPE (`peer` is of another family); FLOE_E_STATE (no permission for `peer`
 *          yet, after close, or the allocation is gone); FLOE_E_TOO_LARGE (over 65,000 bytes); FLOE_E_AGAIN (the queue
 *          is full); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_agent_send_relayed(floe_ice_agent *agent, floe_time now, uint32_t candidate,
                                                               const floe_addr *peer, floe_bytes data);

#endif
