/* User name fragments and passwords (RFC 8839 5.4, RFC 8445 5.3). */
#ifndef FLOE_ICE_PARAMETERS_H
#define FLOE_ICE_PARAMETERS_H

#include "base/alloc.h"
#include "floe/ice.h"

#define FLOE__UFRAG_MIN          4
#define FLOE__PWD_MIN            22
#define FLOE__ICE_PARAMETERS_MAX 256

/* `min` to 256 ice-chars. False: *offset is the byte at fault, or FLOE_NO_OFFSET when only the length is. */
bool floe__ice_chars_fit(const char *text, size_t min, size_t *offset);

/* FLOE_OK, or FLOE_E_SYNTAX with the path "ufrag" or "pwd". */
floe_status floe__ice_parameters_check(const floe_ice_parameters *p, floe_error *why);

/* Draws `len` ice-chars and a NUL: 6 random bits each (RFC 8445 5.3 asks for at least 24 and 128 bits). */
void floe__ice_chars_draw(floe_env *env, char *out, size_t len);

#endif
