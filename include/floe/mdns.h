/* floe/mdns.h - multicast DNS for ICE candidates, sans-IO: resolves a peer's .local names and answers for our own.
 *
 * A small part of RFC 6762, as draft-ietf-mmusic-mdns-ice-candidates needs it: one-shot questions for A and AAAA with
 * retransmission, a responder for registered names, announcements and goodbyes. Not the operating system's resolver:
 * nothing of it is asked. floe/uv.h runs one for all its agents; a program with a loop of its own runs one like this:
 *
 *     floe_mdns_new(&mdns, env, &cfg);
 *     floe_mdns_set_interfaces(mdns, now, list, n);
 *     floe_mdns_resolve(mdns, now, "1f4712db-ea17-4bcf-a596-105139dfd8bf.local", FLOE_FAMILY_IPV4, &query);
 *     for (;;) { floe_mdns_poll(mdns, &out); ... }    // OPEN: bind to `local`, share the port, join `group`
 */
#ifndef FLOE_MDNS_H
#define FLOE_MDNS_H

#include "floe/env.h"
#include "floe/event.h"
#include "floe/ice.h"

/** @file
 *  Multicast DNS (RFC 6762) for mDNS ICE candidates. */

/** Opaque: a resolver and responder. */
typedef struct floe_mdns floe_mdns;

/** Its configuration. Zero in a field is its default. */
typedef struct floe_mdns_config {
  uint32_t size;         /**< sizeof the struct, set by floe_mdns_config_init */
  uint32_t timeout_ms;   /**< [3000] a question */
  uint32_t retry_ms;     /**< [250] first repetition of a question; doubles */
  uint32_t max_queries;  /**< [256] questions at the same time */
  uint32_t max_names;    /**< [4096] registered names */
  bool include_loopback; /**< also on loopback interfaces */
} floe_mdns_config;

/** Zeroes `cfg` and sets its size. */
FLOE_API void floe_mdns_config_init(floe_mdns_config *cfg, size_t size);

/** Kinds of output. */
typedef enum floe_mdns_output_type {
  FLOE_MDNS_OUTPUT_WAIT = 0, /**< nothing more: sleep until `until` or the next input */
  FLOE_MDNS_OUTPUT_OPEN,     /**< open a multicast socket; answer with SOCKET_OPENED or SOCKET_FAILED */
  FLOE_MDNS_OUTPUT_CLOSE,    /**< close it */
  FLOE_MDNS_OUTPUT_TRANSMIT, /**< send a datagram */
  FLOE_MDNS_OUTPUT_RESOLVED  /**< a question of floe_mdns_resolve was decided */
} floe_mdns_output_type;

/** One output. Pointers are valid until the next call. */
typedef struct floe_mdns_output {
  floe_mdns_output_type type; /**< selects the member of `u` */
  union {
    struct {
      floe_time until;    /**< FLOE_TIME_NEVER when no timer runs */
      const char *reason; /**< which timer asked */
    } wait;               /**< WAIT */
    struct {
      floe_sock_id sock;  /**< its name from now on */
      floe_addr group;    /**< 224.0.0.251:5353 or [ff02::fb]:5353: bind to it (where a system does not let one: to
                               its port, and hand in only what was sent to it) with reuse of address and port, join it,
                               send with a TTL of 255, and let other sockets of this host hear what is sent */
      uint32_t interface; /**< index of the interface: join on it and send on it */
      floe_addr local;    /**< an address of that interface, port 0 */
    } open;               /**< OPEN */
    struct {
      floe_sock_id sock; /**< which */
    } close;             /**< CLOSE */
    struct {
      floe_sock_id sock; /**< where */
      floe_addr to;      /**< the group, or one host */
      floe_bytes data;   /**< a DNS message */
    } transmit;          /**< TRANSMIT */
    struct {
      uint32_t query;         /**< which question */
      floe_dns_status status; /**< OK, TIMEOUT (nobody answered), NODATA (it stands for an address of the other family),
                                   UNREACHABLE (no interface to ask on), FAILED (several addresses) */
      floe_addr address;      /**< OK: the address, port 0; an IPv6 link-local one has its scope */
    } resolved;               /**< RESOLVED */
    uint64_t reserved[16];    /**< room for later outputs */
  } u;                        /**< what is asked for or told */
} floe_mdns_output;

/** Makes one. Nothing is opened before there is something to ask or to answer for.
 *  @param out out: freed with floe_mdns_free
 *  @param env keeps: must outlive it
 *  @param cfg copies; nullable
 *  @return FLOE_OK, FLOE_E_NOMEM, FLOE_E_TYPE (size) */
FLOE_API FLOE_MUST_USE floe_status floe_mdns_new(floe_mdns **out, floe_env *env, const floe_mdns_config *cfg);
/** Frees it, without a goodbye for what is registered (floe_mdns_unregister sends one). NULL is fine. */
FLOE_API void floe_mdns_free(floe_mdns *mdns);

/** Tells the host's addresses, at the start and when they have changed: sockets follow.
 *  @return FLOE_OK, FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_mdns_set_interfaces(floe_mdns *mdns, floe_time now, const floe_interface *list,
                                                            size_t n);

/** Asks for the address of a name. Answered by exactly one RESOLVED, unless cancelled. The draft's section 3.2.2
 *  allows one address only: a name with several of a family is FAILED.
 *  @param name a label of 1 to 63 bytes and ".local"; its case is kept in the questions, and makes no difference
 *  @param query out: names the question; never 0
 *  @return FLOE_OK; FLOE_E_SYNTAX (name); FLOE_E_TYPE (family); FLOE_E_TOO_LARGE (max_queries); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_mdns_resolve(floe_mdns *mdns, floe_time now, const char *name,
                                                     floe_family family, uint32_t *query);
/** Forgets a question. One that is not there is fine. */
FLOE_API void floe_mdns_cancel(floe_mdns *mdns, uint32_t query);

/** Answers for a name from now on and announces it (RFC 6762 8.3). Several registrations of one name and address
 *  count.
 *  @param addr one of this host's addresses; its port is ignored
 *  @return FLOE_OK; FLOE_E_SYNTAX (name); FLOE_E_TYPE (addr); FLOE_E_STATE (the name stands for another address);
 *          FLOE_E_TOO_LARGE (max_names); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_mdns_register(floe_mdns *mdns, floe_time now, const char *name,
                                                      const floe_addr *addr);
/** Takes one registration back; after the last a goodbye is sent (RFC 6762 10.1). */
FLOE_API void floe_mdns_unregister(floe_mdns *mdns, floe_time now, const char *name);

/** Hands in TIMER, DATAGRAM (sock, addr, data), SOCKET_OPENED, SOCKET_FAILED. */
FLOE_API void floe_mdns_input(floe_mdns *mdns, floe_time now, const floe_input *in);
/** Takes the next output. Cannot fail; ends in WAIT. */
FLOE_API void floe_mdns_poll(floe_mdns *mdns, floe_mdns_output *out);

#endif
