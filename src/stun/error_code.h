/* ERROR-CODE (RFC 8489 14.8) and the reason phrases of the IANA registry. */
#ifndef FLOE_STUN_ERROR_CODE_H
#define FLOE_STUN_ERROR_CODE_H

#include "stun/msg.h"

/* The contract's cut of a reason phrase: RFC 8489 14.8 allows 763 bytes. */
#define FLOE__STUN_REASON_MAX 763

typedef struct floe__stun_error {
  uint16_t code;                          /* 300 to 699 */
  char reason[FLOE__STUN_REASON_MAX + 1]; /* valid UTF-8, no control character, never empty */
} floe__stun_error;

/* Reads ERROR-CODE (or ADDRESS-ERROR-CODE's second half). False: absent, too short, class not 3 to 6 or number
 * above 99. The phrase is decoded by the contract's section 1: WHATWG UTF-8 decoding, trailing NULs dropped, other
 * controls replaced, cut at a character boundary, IANA's phrase for an empty one. */
bool floe__stun_get_error(const floe__stun_msg *m, floe__stun_error *out);

/* ADDRESS-ERROR-CODE (RFC 8656 18.12): the code; false when absent or malformed. */
bool floe__stun_get_address_error(const floe__stun_msg *m, floe_family *family, uint16_t *code);

/* IANA's phrase, or "Unknown error". */
const char *floe__stun_reason(unsigned code);

/* Decodes text of the network (REALM, SOFTWARE, reason phrases) to printable UTF-8: as in floe__stun_get_error, without
 * a default for an empty one. `cap` includes the NUL. Returns the length. */
size_t floe__stun_decode_text(char *out, size_t cap, floe_bytes raw);

/* UNKNOWN-ATTRIBUTES names this attribute type. */
bool floe__stun_names_unknown(const floe__stun_msg *m, uint16_t type);

#endif
