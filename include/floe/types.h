/* floe/types.h - the values that cross Floe's interfaces: time, bytes, addresses, interfaces.
 *
 *     floe_addr a;
 *     char text[FLOE_ADDR_TEXT];
 *     if (floe_addr_parse(&a, "[2001:db8::1]:3478")) puts(floe_addr_format(&a, text));
 */
#ifndef FLOE_TYPES_H
#define FLOE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "floe/export.h"

/** @file
 *  Values: time, bytes, addresses, interfaces. */

/** A point in time: nanoseconds on a monotonic clock whose origin the caller chooses. */
typedef uint64_t floe_time;

/** Later than every point in time. */
#define FLOE_TIME_NEVER UINT64_MAX
/** Nanoseconds in a millisecond. */
#define FLOE_MS ((floe_time)1000000)
/** Nanoseconds in a second. */
#define FLOE_SECOND ((floe_time)1000000000)

/** Borrowed bytes. `ptr` may be NULL only when `len` is 0. */
typedef struct floe_bytes {
  const uint8_t *ptr; /**< first byte */
  size_t len;         /**< number of bytes */
} floe_bytes;

/** Address families, numbered as IP is. */
typedef enum floe_family { FLOE_FAMILY_NONE = 0, FLOE_FAMILY_IPV4 = 4, FLOE_FAMILY_IPV6 = 6 } floe_family;

/** How a server is spoken to. */
typedef enum floe_transport {
  FLOE_TRANSPORT_UDP = 0,
  FLOE_TRANSPORT_TCP = 1,
  FLOE_TRANSPORT_TLS = 2, /**< TLS over TCP */
  FLOE_TRANSPORT_DTLS = 3 /**< DTLS over UDP: parsed, reported as `transport_unsupported` until it is built */
} floe_transport;

/** "udp", "tcp", "tls" or "dtls". Any thread. */
FLOE_API const char *floe_transport_name(floe_transport transport);

/** An IP address with a port. A zeroed floe_addr is "no address". */
typedef struct floe_addr {
  uint8_t family;    /**< a floe_family */
  uint8_t ip[16];    /**< network byte order; IPv4 uses the first four */
  uint16_t port;     /**< host byte order; 0 = none */
  uint32_t scope_id; /**< interface index of an IPv6 link-local address, else 0 */
} floe_addr;

/** Room for any address as text, with brackets, scope, port and the final NUL. */
#define FLOE_ADDR_TEXT 80

/** Reads "192.0.2.1", "192.0.2.1:3478", "2001:db8::1" or "[2001:db8::1]:3478"; no names, no zone.
 *  Returns false, and leaves `*out` zeroed, when `text` is none of them. Any thread. */
FLOE_API FLOE_MUST_USE bool floe_addr_parse(floe_addr *out, const char *text);

/** Writes the address with its port ("192.0.2.1:3478", "[2001:db8::1]:3478"; RFC 5952), without the port when that
 *  is 0, or "" for no address. Returns `buf`, which must hold FLOE_ADDR_TEXT bytes. Any thread. */
FLOE_API const char *floe_addr_format(const floe_addr *addr, char *buf);

/** Writes the IP address alone ("192.0.2.1", "2001:db8::1"; RFC 5952). Returns `buf` (FLOE_ADDR_TEXT). Any thread. */
FLOE_API const char *floe_addr_format_ip(const floe_addr *addr, char *buf);

/** Same family, IP, scope and port. Any thread. */
FLOE_API bool floe_addr_equal(const floe_addr *a, const floe_addr *b);

/** Same family, IP and scope; ports are not compared. Any thread. */
FLOE_API bool floe_addr_equal_ip(const floe_addr *a, const floe_addr *b);

/** Loopback: 127.0.0.0/8, ::1. Any thread. */
FLOE_API bool floe_addr_is_loopback(const floe_addr *addr);
/** Link-local: 169.254.0.0/16, fe80::/10. Any thread. */
FLOE_API bool floe_addr_is_link_local(const floe_addr *addr);
/** Not reachable from the public Internet: RFC 1918, 100.64.0.0/10, loopback, link-local, fc00::/7. Any thread. */
FLOE_API bool floe_addr_is_private(const floe_addr *addr);
/** 0.0.0.0 or ::. Any thread. */
FLOE_API bool floe_addr_is_any(const floe_addr *addr);

/** One address of one network interface. */
typedef struct floe_interface {
  char name[32];        /**< as the system calls it: "eth0" */
  uint32_t index;       /**< the system's number of the interface */
  floe_addr addr;       /**< port 0; scope_id set for IPv6 link-local */
  bool is_loopback;     /**< the interface is a loopback one */
  bool is_temporary;    /**< an IPv6 privacy address (RFC 8981), where the system tells */
  bool is_deprecated;   /**< an IPv6 address past its preferred lifetime, where the system tells */
  uint32_t reserved[4]; /**< room for later members: 0 */
} floe_interface;

#endif
