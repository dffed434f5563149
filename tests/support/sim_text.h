/* A text that grows. */
#ifndef FLOE_TESTS_SIM_TEXT_H
#define FLOE_TESTS_SIM_TEXT_H

#include <stddef.h>

typedef struct sim_text {
  char *text; /* NUL-terminated; nullable: nothing yet */
  size_t len, cap;
} sim_text;

void sim_text_add(sim_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *sim_text_of(const sim_text *t); /* "" when nothing was added */
void sim_text_clear(sim_text *t);

#endif
