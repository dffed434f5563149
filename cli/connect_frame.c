#include "connect_frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "mem.h"
#include "text.h"

enum { WORDS_MAX = 200 };

static const char *const members_of[] = {
#define FLOE__ROW(id, value, members) [value] = (members),
    FLOE__FRAME_MAP(FLOE__ROW)
#undef FLOE__ROW
};

enum { N_TYPES = sizeof members_of / sizeof members_of[0] };

static void read_hash(floe__reader *r, uint8_t *hash) {
  floe_bytes bytes = floe__rd_take(r, FLOE__HASH_LEN);
  if (bytes.len == FLOE__HASH_LEN) memcpy(hash, bytes.ptr, FLOE__HASH_LEN);
}

bool floe__frame_parse(floe__frame *out, floe_bytes message) {
  floe__reader r = floe__reader_of(message);
  memset(out, 0, sizeof *out);
  uint8_t type = floe__rd_u8(&r);
  if (r.bad || type >= N_TYPES) return false;
  out->type = (floe__frame_type)type;
  for (const char *m = members_of[type]; *m != '\0'; m++) {
    if (*m == 'N') out->number = floe__rd_u64(&r);
    if (*m == 'I') out->index = floe__rd_u32(&r);
    if (*m == 'C') out->code = floe__rd_u8(&r);
    if (*m == 'H') read_hash(&r, out->hash);
    if (*m == 'D') out->data = floe__rd_take(&r, floe__rd_left(&r));
  }
  return !r.bad && floe__rd_left(&r) == 0;
}

size_t floe__frame_write(const floe__frame *f, uint8_t *out, size_t cap) {
  floe__writer w = floe__writer_of(out, cap);
  floe__wr_u8(&w, (uint8_t)f->type);
  for (const char *m = members_of[f->type]; *m != '\0'; m++) {
    if (*m == 'N') floe__wr_u64(&w, f->number);
    if (*m == 'I') floe__wr_u32(&w, f->index);
    if (*m == 'C') floe__wr_u8(&w, f->code);
    if (*m == 'H') floe__wr_bytes(&w, f->hash, FLOE__HASH_LEN);
    if (*m == 'D') floe__wr_bytes(&w, f->data.ptr, f->data.len);
  }
  return floe__wr_done(&w).len;
}

char *floe__frame_words(const floe__frame *f) {
  size_t len = f->data.len < WORDS_MAX ? f->data.len : WORDS_MAX;
  char *copy = floe__cli_strndup(len == 0 ? "" : (const char *)f->data.ptr, len);
  char *clean = floe__text_clean(copy);
  free(copy);
  return clean;
}
