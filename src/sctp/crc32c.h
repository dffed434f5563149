/* SCTP's checksum (RFC 9260 6.8 and appendix A). usrsctp's own takes 44 % of a transfer's time; see
 * docs/decisions/0009-usrsctp-engine.md. */
#ifndef FLOE_SCTP_CRC32C_H
#define FLOE_SCTP_CRC32C_H

#include "floe/types.h"

/* The CRC32c of the bytes. */
uint32_t floe__crc32c(const uint8_t *p, size_t len);
/* The same by table, as processors without an instruction for it get it. */
uint32_t floe__crc32c_by_table(const uint8_t *p, size_t len);

/* Puts the checksum into a packet of at least 12 bytes. */
void floe__sctp_checksum_write(uint8_t *packet, size_t len);
/* Is the packet's checksum right? False when it is shorter than 12 bytes. */
bool floe__sctp_checksum_is_right(floe_bytes packet);

#endif
