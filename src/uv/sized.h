/* Structures that grow: the program's copy may be older or newer than the library's. (The driver sees nothing of
 * src/base.) */
#ifndef FLOE_UV_SIZED_H
#define FLOE_UV_SIZED_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Copies a structure that begins with its `uint32_t size` into the library's form of it, `known` bytes: what an older
 * program does not have is zero. False: the size makes no sense, or a newer program has set what we do not know. */
static inline bool floe__uv_take_sized(void *out, uint32_t known, const void *in) {
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
