/* A trace, as bytes that come in pieces of any size: cut into lines, each read and handed on. A broken line is told
 * with its place, and reading goes on. */
#ifndef FLOE_CLI_TRACE_READER_H
#define FLOE_CLI_TRACE_READER_H

#include "trace_line.h"

/* Longer lines are broken; no more than this is ever kept. The library's own have up to 1 KiB. */
enum { FLOE__TRACE_LINE_MAX = 1 << 20 };

typedef struct floe__trace_reader {
  void (*on_event)(const floe__trace_line *line, void *user);
  void (*on_broken)(uint64_t number, int column, const char *why, void *user); /* lines are numbered from 1 */
  void *user;
  char *buf;
  size_t len, cap;
  uint64_t number; /* of the line that is being read */
  bool skipping;   /* its rest: it is too long */
} floe__trace_reader;

void floe__trace_reader_init(floe__trace_reader *r);
void floe__trace_reader_feed(floe__trace_reader *r, const char *bytes, size_t len);
/* The end: what is left is a line, too. */
void floe__trace_reader_finish(floe__trace_reader *r);
void floe__trace_reader_clear(floe__trace_reader *r);

#endif
