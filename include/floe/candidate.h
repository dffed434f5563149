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
 *  Reading and writing candidate lines (RFC 8839 5.1). */

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

/** Writes a candidate as candidate-attribute, "candidate:...", without "a=": with tcptype (RFC 6544 4.5) for TCP, and
 *  with the name in place of the address when it has an `mdns_name`. Any thread.
 *  @param c     the candidate
 *  @param ufrag nullable: added as the extension "ufrag"
 *  @param out   out: NUL-terminated
 *  @param cap   its room; 700 bytes are always enough
 *  @return the length without the NUL, or 0 when it did not fit */
FLOE_API size_t floe_candidate_write(const floe_ice_candidate *c, const char *ufrag, char *out, size_t cap);

#endif
