/* A STUN message that was changed, signed again: so that what lies behind the integrity check is reached. */
#ifndef FLOE_FUZZ_SIGNED_H
#define FLOE_FUZZ_SIGNED_H

#include "stun/msg.h"

/* Signs what is being built with a short-term password, adds FINGERPRINT and ends it. */
floe_bytes signed_end(floe__stun_builder *b, const char *pwd);

/* The same message, its attributes as they are, with a good integrity and FINGERPRINT. Empty when it is none or does
 * not fit. `buf` must not overlap it. */
floe_bytes signed_anew(floe_bytes message, const char *pwd, uint8_t *buf, size_t cap);

#endif
