#include "progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nothing is drawn before this: most checks are over by then. */
enum { FIRST_DRAW_MS = 300 };

bool floe__progress_is_terminal(FILE *out) {
  const char *term = getenv("TERM");
  return isatty(fileno(out)) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

void floe__progress_init(floe__progress *p, FILE *out, uint64_t now_ms) {
  memset(p, 0, sizeof *p);
  p->out = out != NULL && floe__progress_is_terminal(out) ? out : NULL;
  p->started_ms = now_ms;
  p->step = "starting";
}

void floe__progress_step(floe__progress *p, const char *step) {
  p->step = step;
}

void floe__progress_event(floe__progress *p, const floe_event *event) {
  switch ((int)event->type) {
    case FLOE_EVENT_ICECANDIDATE: p->candidates += event->u.candidate != NULL ? 1 : 0; break;
    case FLOE_EVENT_ICECANDIDATEERROR:
    case FLOE_EVENT_ICESERVERERROR: p->errors++; break;
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE:
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE:
    case FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE:
    default: break;
  }
}

void floe__progress_draw(floe__progress *p, uint64_t now_ms) {
  if (p->out == NULL || now_ms - p->started_ms < FIRST_DRAW_MS) return;
  double seconds = (double)(now_ms - p->started_ms) / 1000;
  (void)fprintf(p->out, "\r\033[K%s: %.1f s, %u candidate%s, %u error%s", p->step, seconds, p->candidates,
                p->candidates == 1 ? "" : "s", p->errors, p->errors == 1 ? "" : "s");
  (void)fflush(p->out);
  p->is_shown = true;
}

void floe__progress_erase(floe__progress *p) {
  if (p->is_shown) {
    (void)fputs("\r\033[K", p->out);
    (void)fflush(p->out);
  }
  p->is_shown = false;
  p->out = NULL;
}
