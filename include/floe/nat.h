/* floe/nat.h - what kind of NAT is this host behind, sans-IO (RFC 5780).
 *
 * Asks STUN servers from one UDP socket and compares what they see: mapping and filtering behaviour where a server has
 * two addresses (OTHER-ADDRESS), mapping by comparing two servers where not, hairpinning, and how long the answers
 * took. The names of the servers are the driver's to resolve, as for floe/ice.h.
 *
 *     floe_nat_probe_new(&probe, env, &cfg, &why);
 *     floe_nat_probe_start(probe, now);
 *     // floe_nat_probe_poll and floe_nat_probe_input as in floe/ice.h, until floe_nat_probe_result(probe) != NULL
 *
 * The local addresses are tried in the order in which the host lists them, loopback and link-local ones last, until one
 * gets an answer. Of a name the first two addresses are asked. Filtering is looked at from a second socket, which has
 * sent to nobody else, so that nothing has opened the NAT for it; what rests on an answer that does not come is asked
 * twice over and accompanied by requests that are to be answered. One that is not answers for packets lost, and then
 * the conclusion is likely at most. A NAT is taken to treat all destinations alike: servers in a private network tell
 * of the way to them only.
 */
#ifndef FLOE_NAT_H
#define FLOE_NAT_H

#include "floe/ice.h"

/** @file
 *  NAT behaviour (RFC 5780, RFC 4787). */

/** Opaque: one probe. */
typedef struct floe_nat_probe floe_nat_probe;

/** Its configuration. Zero in a field is its default. */
typedef struct floe_nat_config {
  uint32_t size;           /**< sizeof the struct, set by floe_nat_config_init */
  const char *const *urls; /**< copies; stun: URLs over UDP, at least one; two or more for comparison */
  size_t n_urls;           /**< up to 16 */
  floe_family family;      /**< [IPv4] which family is looked at */
  const char *interface;   /**< copies; nullable: only this one; default: any */
  uint32_t rto_ms;         /**< [300] first retransmission; doubles */
  uint32_t transmissions;  /**< [4] of a request in all */
  uint32_t timeout_ms;     /**< [2500] one request */
  uint32_t dns_timeout_ms; /**< [4000] one name */
} floe_nat_config;

/** Zeroes `cfg` and sets its size. */
FLOE_API void floe_nat_config_init(floe_nat_config *cfg, size_t size);

/** RFC 4787 4.1 and 5. */
typedef enum floe_nat_behaviour {
  FLOE_NAT_UNKNOWN = 0,                /**< could not be found out */
  FLOE_NAT_NONE,                       /**< mapping only: no NAT, the host's own address is seen */
  FLOE_NAT_ENDPOINT_INDEPENDENT,       /**< the same for every destination */
  FLOE_NAT_ADDRESS_DEPENDENT,          /**< depends on the destination's address */
  FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, /**< depends on its port too */
  FLOE_NAT_DEPENDENT                   /**< differs between two servers: one of the last two */
} floe_nat_behaviour;

/** "unknown", "none", "endpoint-independent", "address-dependent", "address-and-port-dependent" or "dependent". */
FLOE_API const char *floe_nat_behaviour_name(floe_nat_behaviour behaviour);

/** How sure a conclusion is. */
typedef enum floe_nat_certainty {
  FLOE_NAT_GUESS = 0, /**< too few answers */
  FLOE_NAT_LIKELY,    /**< by comparison of servers, or with packets lost, or with tests left unanswered */
  FLOE_NAT_CERTAIN    /**< by RFC 5780 tests that were all answered as expected */
} floe_nat_certainty;

/** "guess", "likely" or "certain". */
FLOE_API const char *floe_nat_certainty_name(floe_nat_certainty certainty);

/** What one server saw. */
typedef struct floe_nat_server_result {
  const char *url;  /**< as configured */
  floe_cause cause; /**< NONE when it answered */
  floe_addr server; /**< family 0: unknown */
  floe_addr mapped; /**< family 0: it did not answer */
  floe_addr other;  /**< OTHER-ADDRESS; family 0: none, or one of no use, so no RFC 5780 */
  bool is_examined; /**< the tests of RFC 5780 were made with it: up to three servers, until the result is certain */
  bool has_rtt;     /**< answered at the first transmission */
  double rtt_ms;    /**< how long */
  uint64_t reserved[4]; /**< room for later members */
} floe_nat_server_result;

/** The conclusion. */
typedef struct floe_nat_result {
  floe_addr local;                        /**< the address and port probed from; family 0: none usable */
  char interface[32];                     /**< the interface of `local`; "" when there is none */
  floe_addr mapped;                       /**< what the first server that answered saw; family 0: none did */
  floe_nat_behaviour mapping;             /**< RFC 5780 4.3 */
  floe_nat_certainty mapping_certainty;   /**< how sure */
  floe_nat_behaviour filtering;           /**< RFC 5780 4.4; without a NAT that of the firewalls on the way */
  floe_nat_certainty filtering_certainty; /**< how sure */
  bool has_hairpin;                       /**< it was tried */
  bool hairpin;          /**< RFC 5780 4.5: one of two sockets here reaches the other's mapped address */
  bool has_loss;         /**< packets were lost while filtering was looked at */
  bool port_preserved;   /**< the mapped port is the local one */
  bool same_port_parity; /**< mapped and local port are both even or both odd */
  const floe_nat_server_result *servers; /**< in configuration order */
  size_t n_servers;                      /**< how many */
  double elapsed_ms;                     /**< how long it took */
  uint64_t reserved[4];                  /**< room for later members */
} floe_nat_result;

/** Makes a probe.
 *  @param out out: freed with floe_nat_probe_free
 *  @param env keeps
 *  @param cfg copies
 *  @param why out, nullable: path "urls[1]" and the like
 *  @return FLOE_OK, FLOE_E_NOMEM, FLOE_E_TYPE, FLOE_E_SYNTAX (a URL), FLOE_E_UNSUPPORTED (not stun: over UDP) */
FLOE_API FLOE_MUST_USE floe_status floe_nat_probe_new(floe_nat_probe **out, floe_env *env, const floe_nat_config *cfg,
                                                      floe_error *why);
/** Frees it. NULL is fine. */
FLOE_API void floe_nat_probe_free(floe_nat_probe *probe);
/** Starts, once. */
FLOE_API void floe_nat_probe_start(floe_nat_probe *probe, floe_time now);
/** As floe_ice_agent_input. */
FLOE_API void floe_nat_probe_input(floe_nat_probe *probe, floe_time now, const floe_input *in);
/** As floe_ice_agent_poll: WAIT, TRANSMIT, OPEN, CLOSE, RESOLVE, INTERFACES. */
FLOE_API void floe_nat_probe_poll(floe_nat_probe *probe, floe_output *out);
/** The result; NULL until it is there. Valid until the probe is freed. */
FLOE_API const floe_nat_result *floe_nat_probe_result(const floe_nat_probe *probe);

#endif
