#include "sctp/packet_fifo.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP  2048u
#define TRIM_ABOVE 1024u

bool floe__fifo_push(floe__fifo *f, const void *packet, size_t len) {
  uint32_t head = (uint32_t)len;
  if (len > FLOE__FIFO_MAX - sizeof head || f->len > FLOE__FIFO_MAX - sizeof head - len) return false;
  size_t need = f->len + sizeof head + len;
  if (need > f->cap) {
    size_t cap = f->cap < FIRST_CAP ? FIRST_CAP : f->cap * 2;
    while (cap < need) cap *= 2;
    uint8_t *grown = realloc(f->buf, cap);
    if (grown == NULL) return false;
    f->buf = grown;
    f->cap = cap;
  }
  memcpy(f->buf + f->len, &head, sizeof head);
  memcpy(f->buf + f->len + sizeof head, packet, len);
  f->len = need;
  return true;
}

bool floe__fifo_pop(floe__fifo *f, floe_bytes *out) {
  uint32_t head;
  if (f->at == f->len) return false;
  memcpy(&head, f->buf + f->at, sizeof head);
  *out = (floe_bytes){.ptr = f->buf + f->at + sizeof head, .len = head};
  f->at += sizeof head + head;
  return true;
}

floe__fifo floe__fifo_emptied(floe__fifo f) {
  f.len = 0;
  f.at = 0;
  return f;
}

void floe__fifo_trim(floe__fifo *f) {
  if (f->at == f->len && f->cap > TRIM_ABOVE) floe__fifo_clear(f);
}

void floe__fifo_clear(floe__fifo *f) {
  free(f->buf);
  *f = (floe__fifo){0};
}
