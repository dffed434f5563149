/* The end of `floe explain`: how each connection, server and pair ended. */
#ifndef FLOE_CLI_TRACE_SUMMARY_H
#define FLOE_CLI_TRACE_SUMMARY_H

#include <stdio.h>

#include "trace_story.h"

/* What was passed over. */
typedef struct floe__trace_gaps {
  uint64_t unknown;      /* events without words */
  char unknown_name[64]; /* of the first */
  uint64_t broken;       /* lines */
} floe__trace_gaps;

/* Without `verbose` an agent has at most this many pairs printed: those in use, those that work, then by number. */
enum { FLOE__SUMMARY_PAIRS = 40 };

/* Sorts the story. `width`: where to break long lines; 0 = nowhere. */
typedef struct floe__summary_style {
  bool colour, verbose;
  size_t width;
} floe__summary_style;

void floe__trace_summary_print(FILE *out, floe__story *s, const floe__trace_gaps *gaps, floe__summary_style style);
/* One JSON object. */
void floe__trace_summary_print_json(FILE *out, floe__story *s, const floe__trace_gaps *gaps);

#endif
