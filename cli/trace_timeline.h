/* The timeline of `floe explain`: a line per event with its time; what repeats is told together. */
#ifndef FLOE_CLI_TRACE_TIMELINE_H
#define FLOE_CLI_TRACE_TIMELINE_H

#include <stdio.h>

#include "trace_words.h"

enum { FLOE__TIMELINE_OPEN = 16, FLOE__TIMELINE_MEMBERS = 12 };

/* Repetitions that are not printed yet. */
typedef struct floe__repeats {
  floe__words_group group;
  uint32_t agent;
  uint64_t n;
  double first_s, last_s;
  uint32_t members[FLOE__TIMELINE_MEMBERS];
  size_t n_members;
  bool has_more;  /* members than these */
  char text[400]; /* of the first */
} floe__repeats;

typedef struct floe__timeline {
  FILE *out;
  bool colour;
  bool verbose; /* details too, and nothing is told together */
  bool has_origin;
  double origin_ms, last_ms;
  uint32_t first_agent;
  bool has_agent, several_agents; /* then each line names its agent */
  floe__repeats open[FLOE__TIMELINE_OPEN];
  size_t n_open;
} floe__timeline;

/* A timeline is zeroed but for `out`, `colour` and `verbose`. */
void floe__timeline_add(floe__timeline *t, const floe__trace_line *line, const floe__words *words);
/* Prints what is still held back. */
void floe__timeline_flush(floe__timeline *t);

/* Text that came from the trace, fit for a terminal, in the colour of its tone. */
void floe__timeline_print_text(FILE *out, bool colour, floe__words_tone tone, const char *text);

#endif
