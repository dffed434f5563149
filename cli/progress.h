/* The line that shows that something is going on: on a terminal only, gone before anything else is printed. */
#ifndef FLOE_CLI_PROGRESS_H
#define FLOE_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "floe/event.h"

typedef struct floe__progress {
  FILE *out; /* NULL: nothing is shown */
  uint64_t started_ms;
  const char *step;
  unsigned candidates, errors;
  bool is_shown;
} floe__progress;

/* Shows nothing when `out` is no terminal. */
void floe__progress_init(floe__progress *p, FILE *out, uint64_t now_ms);
void floe__progress_step(floe__progress *p, const char *step /* keeps */);
void floe__progress_event(floe__progress *p, const floe_event *event);
void floe__progress_draw(floe__progress *p, uint64_t now_ms);
/* Nothing is drawn after it, until the next _init. */
void floe__progress_erase(floe__progress *p);

/* True when `out` is a terminal on which the cursor can be moved. */
bool floe__progress_is_terminal(FILE *out);

#endif
