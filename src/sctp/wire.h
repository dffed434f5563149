/* The few things of an SCTP packet that are read outside of the engine (RFC 9260 3). */
#ifndef FLOE_SCTP_WIRE_H
#define FLOE_SCTP_WIRE_H

#include "base/reader.h"

/* One DATA (RFC 9260 3.3.1) or I-DATA (RFC 8260 2.1) chunk. */
typedef struct floe__sctp_data {
  uint32_t tsn;
  uint16_t stream;
  size_t len; /* of the user data in it */
} floe__sctp_data;

/* A cursor over the chunks of a packet. */
floe__reader floe__sctp_wire_chunks(floe_bytes packet);
/* The next DATA or I-DATA chunk; false when there is none. */
bool floe__sctp_wire_next_data(floe__reader *chunks, floe__sctp_data *out);

/* The cumulative TSN of the packet's first SACK (RFC 9260 3.3.4); false: it has none. */
bool floe__sctp_wire_cumulative_tsn(floe_bytes packet, uint32_t *tsn);
/* The initial TSN of an INIT or INIT ACK (RFC 9260 3.3.2, 3.3.3); false: the packet does not begin with one. */
bool floe__sctp_wire_initial_tsn(floe_bytes packet, uint32_t *tsn);

/* Where in the packet the first RE-CONFIG chunk with an Outgoing SSN Reset Request (RFC 6525 4.1) is, with its padding,
 * and the last TSN that its sender assigned before; false: there is none. */
bool floe__sctp_wire_find_reset(floe_bytes packet, size_t *at, size_t *len, uint32_t *last_tsn);

/* The first cause of an ABORT chunk (RFC 9260 3.3.7); false when it has none. `info` is what the cause carries. */
bool floe__sctp_wire_abort(floe_bytes chunk, uint16_t *code, floe_bytes *info);
/* "User-Initiated Abort" for 12 (RFC 9260 3.3.10, RFC 8260, RFC 6525); "an unknown cause" */
const char *floe__sctp_wire_cause_name(uint16_t code);

#endif
