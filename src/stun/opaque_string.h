/* OpaqueString (RFC 8265 4.2), as RFC 8489 9.2.2 and 14.3 ask of user names, realms and passwords. */
#ifndef FLOE_STUN_OPAQUE_STRING_H
#define FLOE_STUN_OPAQUE_STRING_H

#include "base/alloc.h"

typedef enum floe__opaque_string_result {
  FLOE__OPAQUE_OK = 0,
  FLOE__OPAQUE_EMPTY,      /* zero length is not allowed */
  FLOE__OPAQUE_NOT_UTF8,   /* *offset: the byte at fault */
  FLOE__OPAQUE_DISALLOWED, /* RFC 8264 FreeformClass forbids the character at *offset: controls, unassigned, ... */
  FLOE__OPAQUE_NOMEM
} floe__opaque_string_result;

/* Prepares and enforces: other spaces become U+0020, then NFC; no width or case mapping. *out: caller frees with
 * floe__free_secret. */
floe__opaque_string_result floe__opaque_string(floe_env *env, const char *text, char **out, size_t *offset);

#endif
