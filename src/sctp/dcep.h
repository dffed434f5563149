/* The data channel establishment protocol (RFC 8832). */
#ifndef FLOE_SCTP_DCEP_H
#define FLOE_SCTP_DCEP_H

#include "sctp/sctp.h"

typedef enum floe__dcep_type { FLOE__DCEP_ACK = 0x02, FLOE__DCEP_OPEN = 0x03 } floe__dcep_type;

typedef struct floe__dcep_open {
  floe__sctp_reliability reliability;
  uint16_t priority;
  floe_bytes label, protocol; /* UTF-8, without NUL; borrowed from the message */
} floe__dcep_open;

typedef struct floe__dcep_msg {
  floe__dcep_type type;
  floe__dcep_open open; /* OPEN */
} floe__dcep_msg;

/* False: no DCEP message: too short, an unknown type (RFC 8832 8.2.1) or channel type (8.2.2), lengths that overrun or
 * leave bytes over, label or protocol that is no UTF-8. */
bool floe__dcep_parse(floe__dcep_msg *out, floe_bytes data);
/* RFC 8832 5.1: 12 bytes and the two texts. Returns its length, 0 when it does not fit `cap`. */
size_t floe__dcep_write_open(const floe__dcep_open *open, uint8_t *out, size_t cap);
/* RFC 8832 5.2: one byte. */
size_t floe__dcep_write_ack(uint8_t *out, size_t cap);

#endif
