/* What the files of the summary share. */
#ifndef FLOE_CLI_TRACE_SUMMARY_INTERNAL_H
#define FLOE_CLI_TRACE_SUMMARY_INTERNAL_H

#include "trace_summary.h"
#include "trace_words.h"

typedef struct floe__summary_printer {
  FILE *out;
  const floe__story *s;
  floe__summary_style style;
} floe__summary_printer;

void floe__summary_label(const floe__summary_printer *p, const char *label);
void floe__summary_text(const floe__summary_printer *p, floe__words_tone tone, const char *text);
/* The cause's sentence and what to try, below the line that names it. */
void floe__summary_cause(const floe__summary_printer *p, const char *id);
/* "connected after 606 ms (details); failed after 55.6 s: consent_lost", without an end of the line. */
void floe__summary_layer(const floe__summary_printer *p, const char *label, const floe__story_layer *l, const char *up,
                         const char *details);

/* The layers above ICE, and what went wrong in them. */
void floe__summary_pc_before_ice(const floe__summary_printer *p, const floe__story_pc *pc);
void floe__summary_pc_after_ice(const floe__summary_printer *p, const floe__story_pc *pc);

#endif
