#include "support/sim_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/sim.h"

void sim_text_add(sim_text *t, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int need = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (need < 0) abort();
  if (t->len + (size_t)need + 1 > t->cap) {
    t->cap = 2 * (t->len + (size_t)need + 1);
    t->text = sim_must(realloc(t->text, t->cap));
  }
  (void)vsnprintf(t->text + t->len, t->cap - t->len, format, again);
  va_end(again);
  t->len += (size_t)need;
}

const char *sim_text_of(const sim_text *t) {
  return t->text == NULL ? "" : t->text;
}

void sim_text_clear(sim_text *t) {
  free(t->text);
  *t = (sim_text){0};
}
