/* A cursor over a buffer to be sent. Writing past the end sets `bad` and writes nothing; check `bad` once, at the end.
 */
#ifndef FLOE_BASE_WRITER_H
#define FLOE_BASE_WRITER_H

#include <string.h>

#include "floe/types.h"

typedef struct floe__writer {
  uint8_t *buf;
  size_t len; /* written so far */
  size_t cap;
  bool bad; /* sticky: it did not fit */
} floe__writer;

static inline floe__writer floe__writer_of(uint8_t *buf, size_t cap) {
  return (floe__writer){.buf = buf, .len = 0, .cap = cap, .bad = false};
}

/* Room for `len` bytes, advanced over; NULL when they do not fit. */
static inline uint8_t *floe__wr_room(floe__writer *w, size_t len) {
  if (w->bad || len > w->cap - w->len) {
    w->bad = true;
    return NULL;
  }
  uint8_t *p = w->buf + w->len;
  w->len += len;
  return p;
}

static inline void floe__wr_bytes(floe__writer *w, const void *from, size_t len) {
  uint8_t *p = floe__wr_room(w, len);
  if (p != NULL && len > 0) memcpy(p, from, len);
}

static inline void floe__wr_zeros(floe__writer *w, size_t len) {
  uint8_t *p = floe__wr_room(w, len);
  if (p != NULL && len > 0) memset(p, 0, len);
}

static inline void floe__wr_u8(floe__writer *w, uint8_t v) {
  floe__wr_bytes(w, &v, 1);
}

static inline void floe__wr_u16(floe__writer *w, uint16_t v) {
  const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
  floe__wr_bytes(w, b, sizeof b);
}

static inline void floe__wr_u32(floe__writer *w, uint32_t v) {
  const uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
  floe__wr_bytes(w, b, sizeof b);
}

static inline void floe__wr_u64(floe__writer *w, uint64_t v) {
  floe__wr_u32(w, (uint32_t)(v >> 32));
  floe__wr_u32(w, (uint32_t)v);
}

/* Overwrites two bytes written before: lengths are known last. */
static inline void floe__wr_patch_u16(floe__writer *w, size_t at, uint16_t v) {
  if (w->bad || at + 2 > w->len) return;
  w->buf[at] = (uint8_t)(v >> 8);
  w->buf[at + 1] = (uint8_t)v;
}

static inline floe_bytes floe__wr_done(const floe__writer *w) {
  return (floe_bytes){.ptr = w->buf, .len = w->bad ? 0 : w->len};
}

#endif
