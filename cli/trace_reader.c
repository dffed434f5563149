#include "trace_reader.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

void floe__trace_reader_init(floe__trace_reader *r) {
  memset(r, 0, sizeof *r);
  r->number = 1;
}

static bool is_blank(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r') return false;
  }
  return true;
}

static void take_line(floe__trace_reader *r, const char *text, size_t len) {
  floe__trace_line line;
  if (is_blank(text, len)) return;
  if (floe__trace_line_parse(&line, text, len)) {
    r->on_event(&line, r->user);
  } else {
    r->on_broken(r->number, line.column, line.why, r->user);
  }
  floe__trace_line_clear(&line);
}

static void keep(floe__trace_reader *r, const char *bytes, size_t len) {
  if (r->skipping || len == 0) return;
  if (len > FLOE__TRACE_LINE_MAX - r->len) {
    r->skipping = true;
    r->on_broken(r->number, FLOE__TRACE_LINE_MAX + 1, "the line is longer than 1 MiB", r->user);
    return;
  }
  if (r->len + len > r->cap) {
    size_t cap = r->cap == 0 ? 4096 : r->cap;
    while (cap < r->len + len) cap *= 2;
    char *larger = floe__cli_alloc(cap);
    if (r->len > 0) memcpy(larger, r->buf, r->len);
    free(r->buf);
    r->buf = larger;
    r->cap = cap;
  }
  memcpy(r->buf + r->len, bytes, len);
  r->len += len;
}

static void end_line(floe__trace_reader *r) {
  if (!r->skipping) take_line(r, r->buf == NULL ? "" : r->buf, r->len);
  r->len = 0;
  r->skipping = false;
  r->number++;
}

void floe__trace_reader_feed(floe__trace_reader *r, const char *bytes, size_t len) {
  while (len > 0) {
    const char *end = memchr(bytes, '\n', len);
    size_t n = end == NULL ? len : (size_t)(end - bytes);
    keep(r, bytes, n);
    if (end == NULL) return;
    end_line(r);
    bytes += n + 1;
    len -= n + 1;
  }
}

void floe__trace_reader_finish(floe__trace_reader *r) {
  if (r->len > 0) end_line(r);
}

void floe__trace_reader_clear(floe__trace_reader *r) {
  free(r->buf);
  r->buf = NULL;
}
