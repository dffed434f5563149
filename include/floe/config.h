/* floe/config.h - the configuration of an ICE agent.
 *
 *     const char *urls[] = {"stun:stun.example.org", "turns:turn.example.org"};
 *     floe_ice_server server = {.urls = urls, .n_urls = 2, .username = "user", .credential = "secret"};
 *     floe_ice_config cfg;
 *     floe_ice_config_init(&cfg, sizeof cfg);
 *     cfg.ice_servers = &server;
 *     cfg.n_ice_servers = 1;
 */
#ifndef FLOE_CONFIG_H
#define FLOE_CONFIG_H

#include "floe/status.h"
#include "floe/types.h"

/** @file
 *  Configuration of an ICE agent (webrtc-pc RTCConfiguration, and what it leaves out). */

/** W3C RTCIceServer: URLs that share one set of credentials. */
typedef struct floe_ice_server {
  const char *const *urls; /**< RFC 7064 and RFC 7065 URLs, NUL-terminated */
  size_t n_urls;           /**< at least 1 */
  const char *username;    /**< nullable; UTF-8; needed by turn: and turns: */
  const char *credential;  /**< nullable; UTF-8; needed by turn: and turns: */
  const void *reserved[2]; /**< room for later members: NULL */
} floe_ice_server;

/** W3C RTCIceTransportPolicy. */
typedef enum floe_ice_transport_policy {
  FLOE_ICE_TRANSPORT_POLICY_ALL = 0,
  FLOE_ICE_TRANSPORT_POLICY_RELAY = 1 /**< only relay candidates; STUN URLs are `unused` */
} floe_ice_transport_policy;

/** Which relayed addresses an allocation asks for (RFC 8656 7.1). */
typedef enum floe_relay_family {
  FLOE_RELAY_FAMILY_BOTH = 0, /**< IPv4, and IPv6 beside it where the server has it (ADDITIONAL-ADDRESS-FAMILY) */
  FLOE_RELAY_FAMILY_IPV4 = 1,
  FLOE_RELAY_FAMILY_IPV6 = 2
} floe_relay_family;

/** How long each step may take. All in milliseconds; 0 stands for the default in brackets. */
typedef struct floe_ice_timing {
  uint32_t ta_ms;                /**< [5] between the starts of two attempts (RFC 8445 14.2) */
  uint32_t rto_ms;               /**< [500] first retransmission of a UDP request; doubles each time */
  uint32_t transmissions;        /**< [4] how often a UDP request is sent in all (a count) */
  uint32_t udp_timeout_ms;       /**< [5000] from the first transmission to giving up */
  uint32_t stream_timeout_ms;    /**< [5000] a request over TCP or TLS */
  uint32_t connect_timeout_ms;   /**< [4000] TCP connect */
  uint32_t tls_timeout_ms;       /**< [4000] TLS handshake */
  uint32_t dns_timeout_ms;       /**< [4000] one family of a name */
  uint32_t dns_second_family_ms; /**< [1000] what the other family is given once one has answered */
  uint32_t address_delay_ms;     /**< [250] before the next address of a name is tried beside the last */
  uint32_t server_timeout_ms;    /**< [10000] one server in all */
  uint32_t gathering_timeout_ms; /**< [10000] gathering in all */
  uint32_t close_timeout_ms;     /**< [1000] what deleting the allocations may take at close */
  uint32_t check_rto_ms;         /**< [500] first retransmission of a connectivity check; doubles (RFC 8445 14.3) */
  uint32_t check_transmissions; /**< [7] how often a check is sent in all (a count); after the last it is given 16 times
                                     check_rto_ms (RFC 8489 6.2.1) */
  uint32_t patience_ms;         /**< [39500] `failed` no earlier than this after checks began (RFC 8863) */
  uint32_t nomination_ms;       /**< [400] how long the controlling side waits for a better pair than a relayed one; a
                                     direct one is given a tenth of it */
  uint32_t consent_interval_ms; /**< [5000] between consent checks, times 0.8 to 1.2 (RFC 7675 5.1) */
  uint32_t consent_timeout_ms;  /**< [30000] without an answer: the pair is lost (RFC 7675 5.1) */
  uint32_t disconnected_ms;     /**< [7000] without an answer: `disconnected` */
  uint32_t keepalive_ms;        /**< [15000] Tr: between keepalives on the other working pairs (RFC 8445 11) */
  uint32_t reserved[8];         /**< room for later members: 0 */
} floe_ice_timing;

/** One rule for the addresses that candidates show (a 1:1 NAT whose public address is known). */
typedef struct floe_address_rewrite {
  floe_addr local;         /**< host candidates on this IP address; family 0 = on any of `shown`'s family */
  floe_addr shown;         /**< show this IP address instead; the port stays, unless this has one */
  bool as_srflx;           /**< show it as a server-reflexive candidate beside the host candidate, not in its place */
  const void *reserved[2]; /**< room for later members: NULL */
} floe_address_rewrite;

struct floe_ice_candidate;

/** An agent's configuration. Zero in a field is its default. Everything is copied. */
typedef struct floe_ice_config {
  uint32_t size;                      /**< sizeof the struct, set by floe_ice_config_init */
  const floe_ice_server *ice_servers; /**< copies */
  size_t n_ice_servers;               /**< up to max_ice_servers */
  size_t
      max_ice_servers; /**< [64] more entries than this are refused, never cut; an entry may have any number of URLs */
  floe_ice_transport_policy ice_transport_policy; /**< [all] */
  bool no_ipv4;                                   /**< use no IPv4 address */
  bool no_ipv6;                                   /**< use no IPv6 address */
  bool include_loopback;          /**< surface host candidates on loopback addresses; loopback servers are reached
                                       from loopback either way */
  const char *const *interfaces;  /**< copies; nullable: names of the only interfaces to use */
  size_t n_interfaces;            /**< 0 = all */
  uint16_t port_min;              /**< [0 = any] lowest local UDP port */
  uint16_t port_max;              /**< [0 = any] highest local UDP port; both or none */
  floe_relay_family relay_family; /**< [both] */
  uint32_t allocation_lifetime_s; /**< [0 = the server's default] LIFETIME asked for, in seconds */
  floe_bytes ca_pem;              /**< copies; PEM certificates trusted beside the system's */
  bool tls_insecure;              /**< accept any certificate; said in each report */
  const char *software;           /**< copies; nullable: SOFTWARE sent in requests; none by default */
  floe_ice_timing timing;         /**< how long each step may take */
  uint32_t max_queue_bytes;       /**< [1 MiB] bytes of pending output before FLOE_E_AGAIN */
  uint32_t max_candidates;        /**< [1000] local candidates kept; further ones are counted in the report */
  uint32_t max_permissions;       /**< [100] peers that an allocation may be asked to relay for */
  const char *local_ufrag;        /**< copies; nullable [random]: 4 to 256 ice-chars (RFC 8839 5.4); with local_pwd */
  const char *local_pwd;          /**< copies; nullable [random]: 22 to 256 ice-chars */
  bool lite;                /**< a lite agent (RFC 8445 2.5): host candidates only, answers checks and sends none */
  bool no_tcp;              /**< no TCP candidates at all (RFC 6544); else active ones when the peer has passive */
  bool tcp_passive;         /**< also gather passive TCP candidates: listening sockets, in the port range */
  bool tcp_so;              /**< also gather simultaneous-open TCP candidates */
  bool mdns_hide_hosts;     /**< show host candidates under registered .local names (mDNS candidates draft) */
  bool no_mdns;             /**< do not resolve .local names of the peer: they count as unresolved */
  bool continual_gathering; /**< gather on addresses that appear later too; then end-of-candidates is never told */
  bool shared_sockets;      /**< UDP sockets of host candidates are a multiplexer's (floe/mux.h) */
  uint8_t check_dscp;       /**< [0] DSCP of checks and keepalives, 0 to 63 (RFC 8445 14, RFC 8837) */
  uint32_t max_remote_candidates; /**< [100] of one ICE session, names included; further ones are refused */
  uint32_t max_peer_reflexive; /**< [25] candidates learnt from checks of the peer, whose further ones have no answer;
                                  and as many of our own, learnt from its answers */
  uint32_t max_pairs;          /**< [100] the checklist (RFC 8445 6.1.2.5): the worst are left out */
  const floe_address_rewrite *rewrites; /**< copies; nullable; the first that fits counts */
  size_t n_rewrites;                    /**< how many */
  void *filter_user;                    /**< handed to the two filters, which must not call back into Floe */
  /** nullable: false = gather nothing on this address. Loopback addresses are not asked about. */
  bool (*filter_interface)(void *user, const floe_interface *interface);
  /** nullable: false = use this local candidate in checks but do not tell it (no event, no description). */
  bool (*filter_candidate)(void *user, const struct floe_ice_candidate *candidate);
} floe_ice_config;

/** Zeroes `cfg` and sets its size. `size` is sizeof *cfg as the program was compiled. */
FLOE_API void floe_ice_config_init(floe_ice_config *cfg, size_t size);

/** Checks a configuration as floe_ice_agent_new does, without making anything.
 *  @param cfg  the configuration
 *  @param why  out, nullable: what is wrong, with the path as in W3C's dictionary (`iceServers[2].urls[0]`)
 *  @return FLOE_OK; FLOE_E_SYNTAX (a URL, an empty `urls`, `local_ufrag` or `local_pwd`); FLOE_E_ACCESS (turn: without
 *          usable credentials); FLOE_E_TYPE (a missing or out-of-range member, or members that contradict each other,
 *          such as `lite` with servers or `no_tcp` with `tcp_passive`); FLOE_E_TOO_LARGE (more than max_ice_servers);
 *          FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_ice_config_check(const floe_ice_config *cfg, floe_error *why);

/** A server URL, taken apart (RFC 7064, RFC 7065). */
typedef struct floe_ice_url {
  bool is_turn;             /**< turn: or turns:, else stun: or stuns: */
  bool is_secure;           /**< stuns: or turns: */
  floe_transport transport; /**< from the scheme and `?transport=` */
  bool has_transport;       /**< `?transport=` was given */
  bool has_port;            /**< a port was given */
  uint16_t port;            /**< given, or 3478, or 5349 for the secure schemes */
  floe_addr addr;           /**< the literal address with its port; family 0 when the host is a name */
  char host[256];           /**< the name or literal, without brackets, as written */
} floe_ice_url;

/** Reads one server URL.
 *  @param out  out: the parts
 *  @param text the URL, NUL-terminated
 *  @param why  out, nullable: the offset of the byte at fault and a sentence; its path is ""
 *  @return FLOE_OK or FLOE_E_SYNTAX */
FLOE_API FLOE_MUST_USE floe_status floe_ice_url_parse(floe_ice_url *out, const char *text, floe_error *why);

#endif
