/* Gathers as `floe check --json` does, then holds the agent until something is told after gathering (iceservererror),
 * and only then prints the report and ends.
 *
 *     hold [OPTIONS OF floe check] URL...
 *
 * Exit status: 0 after an iceservererror, 1 when none came within HOLD_MS milliseconds (environment), else 2. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "check_setup.h"
#include "json_lines.h"
#include "round.h"

enum { DEFAULT_HOLD_MS = 30000 };

typedef struct hold {
  floe__session session;
  bool is_told;
} hold;

static void on_event(const floe_event *event, void *user) {
  hold *h = user;
  floe__json_print_event(stdout, event);
  (void)fflush(stdout); /* the script waits for some of the lines */
  if (event->type == FLOE_EVENT_ICESERVERERROR) h->is_told = true;
}

static uint32_t read_limit(void) {
  const char *text = getenv("HOLD_MS");
  return text == NULL ? DEFAULT_HOLD_MS : (uint32_t)strtoul(text, NULL, 10);
}

static int run(hold *h, const floe__check_setup *setup) {
  floe__round round;
  floe_error why;
  const floe__round_plan plan = {.cfg = &setup->cfg, .n_asked = setup->n_asked, .on_event = on_event, .user = h};
  int status = 2;
  if (floe__round_run(&round, &h->session, &plan, &why) == FLOE__ROUND_DONE) {
    status = floe__session_wait(&h->session, &h->is_told, read_limit()) ? 0 : 1;
    floe__json_print_report(stdout, &round.result, 0);
  }
  floe__round_close(&round, &h->session);
  return status;
}

static int run_options(const floe__check_options *options) {
  floe__check_setup setup;
  floe__setup_error why;
  floe_error no_session;
  hold h = {0};
  int status = 2;
  bool is_set = floe__check_setup_make(&setup, options, (int64_t)time(NULL), &why) == FLOE__SETUP_OK;
  if (is_set && floe__session_open(&h.session, NULL, 0, &no_session) == FLOE_OK) {
    status = run(&h, &setup);
    floe__session_close(&h.session);
  }
  floe__check_setup_clear(&setup);
  return status;
}

int main(int argc, char **argv) {
  floe__check_options options;
  char why[256];
  int status = 2;
  if (floe__check_options_parse(&options, argc, argv, why, sizeof why)) {
    status = run_options(&options);
  } else {
    (void)fprintf(stderr, "hold: %s\n", why);
  }
  floe__check_options_clear(&options);
  return status;
}
