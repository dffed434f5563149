/* Structures that grow: the caller's copy may be older or newer than the library's. */
#ifndef FLOE_BASE_SIZED_H
#define FLOE_BASE_SIZED_H

#include <stdint.h>
#include <string.h>

#include "floe/types.h"

/* Copies a structure that begins with its `uint32_t size` into the library's form of it, `known` bytes: what an older
 * caller does not have is zero, which is the default. False: the size makes no sense, or a newer caller has set
 * something that this library does not know. */
static inline bool floe__take_sized(void *out, uint32_t known, const void *in) {
  uint32_t size;
  memcpy(&size, in, sizeof size);
  if (size < sizeof size || size > 65536) return false;
  for (const uint8_t *p = (const uint8_t *)in + known; p < (const uint8_t *)in + size; p++) {
    if (*p != 0) return false;
  }
  memset(out, 0, known);
  memcpy(out, in, size < known ? size : known);
  memcpy(out, &known, sizeof known);
  return true;
}

#endif
