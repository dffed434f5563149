/* One line of a trace (docs/guide/trace.md), read. */
#ifndef FLOE_CLI_TRACE_LINE_H
#define FLOE_CLI_TRACE_LINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct floe__trace_line {
  json_t *object;
  const char *event; /* in `object` */
  double t_ms;
  uint32_t agent; /* 0 = none */
  int column;     /* of a broken line: where, from 1 */
  char why[200];  /* of a broken line: what is wrong with it */
} floe__trace_line;

/* Reads a line without its line feed. On false `column` and `why` are set. Clear it in both cases. */
bool floe__trace_line_parse(floe__trace_line *line, const char *text, size_t len);
void floe__trace_line_clear(floe__trace_line *line);

/* The member's text; "" when it is absent or no text. */
const char *floe__trace_line_text(const floe__trace_line *line, const char *name);
/* The member's whole number; false when it is absent or none. */
bool floe__trace_line_number(const floe__trace_line *line, const char *name, int64_t *out);
/* The same for what numbers something: an id, an index, a count. */
bool floe__trace_line_id(const floe__trace_line *line, const char *name, uint32_t *out);
/* True for `true` and for numbers other than 0. */
bool floe__trace_line_flag(const floe__trace_line *line, const char *name);

#endif
