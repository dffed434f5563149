/* floe/candidate.h - the candidate-attribute of RFC 8839, read.
 *
 *     floe_candidate_line line;
 *     floe_error why;
 *     if (floe_candidate_line_parse(&line, "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host", &why) != FLOE_OK)
 *       fprintf(stderr, "byte %zu: %s\n", why.offset, why.message);
 */
#ifndef FLOE_CANDIDATE_H
#define FLOE_CANDIDATE_H

#include "floe/event.h"

/** @file
 *  Reading candidate lines (RFC 8839 5.1). */

/** RFC 6544 4.5: the tcptype of a TCP candidate. */
typedef enum floe_tcp_type {
  FLOE_TCP_TYPE_NONE = 0, /**< a UDP candidate */
  FLOE_TCP_TYPE_ACTIVE,   /**< connects */
  FLOE_TCP_TYPE_PASSIVE,  /**< is connected to */
  FLOE_TCP_TYPE_SO        /**< simultaneous open */
} floe_tcp_type;

/** A candidate line, taken apart. Names and extensions are slices of the text that was read. */
typedef struct floe_candidate_line {
  char foundation[33];      /**< 1 to 32 ice-chars */
  uint16_t component;       /**< 1 to 256 */
  floe_transport transport; /**< UDP or TCP */
  uint32_t priority;        /**< 1 to 2^31 - 1 */
  floe_addr address;        /**< family 0 when the connection-address is a name; the port is in `port` too */
  floe_bytes host;          /**< the connection-address as written: an address or a name, such as one under .local */
  uint16_t port;            /**< of the connection-address */
  floe_candidate_type type; /**< "typ" */
  bool has_related;         /**< raddr and rport were given */
  floe_addr related;        /**< family 0 when raddr is a name; with its port */
  floe_tcp_type tcp_type;   /**< "tcptype" */
  floe_bytes ufrag;         /**< empty = none: the "ufrag" extension */
  floe_bytes extensions;    /**< all cand-extensions as written, unknown ones too: "generation 0 network-cost 999" */
} floe_candidate_line;

/** Reads one candidate-attribute, with or without "a=" before it and "candidate:" in it, without a line end. Unknown
 *  extensions are kept.
 *  @param out  out: the parts; its slices point into `text`
 *  @param text NUL-terminated; must outlive `out`
 *  @param why  out, nullable: the offset of the byte at fault and what was expected there
 *  @return FLOE_OK; FLOE_E_SYNTAX; FLOE_E_UNSUPPORTED for a transport or type that is well-formed and unknown, which
 *          RFC 8839 5.1 lets an agent ignore */
FLOE_API FLOE_MUST_USE floe_status floe_candidate_line_parse(floe_candidate_line *out, const char *text,
                                                             floe_error *why);

/** The value of an extension by its name ("network-cost"), or empty. */
FLOE_API floe_bytes floe_candidate_line_extension(const floe_candidate_line *line, const char *name);

#endif
