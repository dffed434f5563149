/* A cursor over received bytes. Reading past the end sets `bad` and yields zeros; check `bad` once, at the end. */
#ifndef FLOE_BASE_READER_H
#define FLOE_BASE_READER_H

#include "floe/types.h"

typedef struct floe__reader {
  const uint8_t *at;
  const uint8_t *end;
  bool bad; /* sticky: something was read that was not there */
} floe__reader;

static inline floe__reader floe__reader_of(floe_bytes b) {
  return (floe__reader){.at = b.ptr, .end = b.len == 0 ? b.ptr : b.ptr + b.len, .bad = false};
}

static inline size_t floe__rd_left(const floe__reader *r) {
  return r->bad || r->at == NULL ? 0 : (size_t)(r->end - r->at);
}

/* `len` bytes, borrowed; empty when they are not all there. */
static inline floe_bytes floe__rd_take(floe__reader *r, size_t len) {
  if (len > floe__rd_left(r)) {
    r->bad = true;
    return (floe_bytes){0};
  }
  floe_bytes b = {.ptr = r->at, .len = len};
  if (len > 0) r->at += len;
  return b;
}

static inline uint8_t floe__rd_u8(floe__reader *r) {
  floe_bytes b = floe__rd_take(r, 1);
  return b.len == 0 ? 0 : b.ptr[0];
}

static inline uint16_t floe__rd_u16(floe__reader *r) {
  floe_bytes b = floe__rd_take(r, 2);
  if (b.len == 0) return 0;
  return (uint16_t)(b.ptr[0] << 8 | b.ptr[1]);
}

static inline uint32_t floe__rd_u32(floe__reader *r) {
  floe_bytes b = floe__rd_take(r, 4);
  if (b.len == 0) return 0;
  return (uint32_t)b.ptr[0] << 24 | (uint32_t)b.ptr[1] << 16 | (uint32_t)b.ptr[2] << 8 | b.ptr[3];
}

static inline uint64_t floe__rd_u64(floe__reader *r) {
  uint64_t hi = floe__rd_u32(r);
  return hi << 32 | floe__rd_u32(r);
}

#endif
