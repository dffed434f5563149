#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check_setup.h"
#include "commands.h"
#include "demo.h"
#include "exit_status.h"
#include "explain.h"
#include "human.h"
#include "json_lines.h"
#include "matrix.h"
#include "option_table.h"
#include "progress.h"
#include "round.h"
#include "text.h"
#include "trace_file.h"
#include "watch.h"

typedef struct check {
  const floe__check_options *options;
  const floe__check_setup *setup;
  const floe_env_config *env;
  floe__session session;
  floe__progress progress;
  bool is_open; /* the session is */
} check;

static void print_help(FILE *out) {
  (void)fputs(
      "usage: floe check [OPTIONS] URL...\n"
      "       floe check [OPTIONS] --ice-servers FILE\n\n"
      "Gathers candidates from STUN and TURN servers, sends real data through the relays, and says of each server\n"
      "whether it works from here, and if not, why.\n\n"
      "URLs are those of WebRTC: stun:HOST[:PORT], stuns:HOST[:PORT], turn:HOST[:PORT][?transport=udp|tcp],\n"
      "turns:HOST[:PORT]. turn: is over UDP unless it says ?transport=tcp; turns: is TLS over TCP.\n",
      out);
  floe__option_print_help(out);
  (void)fputs("\nExit status, of several failed servers the lowest:\n", out);
  floe__exit_print_table(out);
  (void)fputs(
      "  130, 143     ended by a signal; 141: nobody read the output\n"
      "\nExamples:\n"
      "  floe check stun:stun.example.org\n"
      "  floe check --user alice --credential-prompt turn:turn.example.org turns:turn.example.org\n"
      "  floe check --secret-file secret.txt --all turn:turn.example.org\n"
      "  floe check --json --ice-servers - < servers.json\n"
      "  floe check --demo\n",
      out);
}

static int refuse_usage(const char *sentence) {
  char *clean = floe__text_clean(sentence);
  (void)fprintf(stderr, "floe check: %s\nsee floe check --help\n", clean);
  free(clean);
  return FLOE__EXIT_USAGE;
}

/* --- a refused configuration ------------------------------------------------------------------------------------ */

/* Shows the URL and a caret below the byte at fault. */
static void print_url(const char *url, size_t offset) {
  char *masked = floe__text_mask_url(url), *clean = floe__text_clean(masked);
  (void)fprintf(stderr, "  %s\n", clean);
  /* Cleaning makes a byte of several; a caret is only right where it did not. */
  if (offset <= strlen(url) && strncmp(masked, clean, offset) == 0) {
    (void)fprintf(stderr, "  %*s^\n", (int)offset, "");
  }
  free(clean);
  free(masked);
}

static int refuse_configuration(const check *c, const floe__json_error *why) {
  const floe_error *e = &why->error;
  if (c->options->json) {
    floe__json_print_error(stdout, why);
    return FLOE__EXIT_USAGE;
  }
  const char *url = floe__check_setup_url(c->setup, e->path);
  char *message = floe__text_clean(e->message), *path = floe__text_clean(e->path);
  (void)fprintf(stderr, "floe check: %s: %s%s%s\n", floe_status_exception(e->status), path, path[0] == '\0' ? "" : ": ",
                message);
  free(path);
  free(message);
  if (url != NULL) print_url(url, e->offset);
  if (e->status == FLOE_E_ACCESS && c->setup->n_from_json < c->setup->list.n &&
      c->options->credential_source == FLOE__CREDENTIAL_NONE) {
    (void)fputs(
        "  for a URL on the command line give --user and one of --credential-prompt, --credential-file and\n"
        "  --credential, or --secret-file or --secret\n",
        stderr);
  }
  (void)fputs("see floe check --help\n", stderr);
  return FLOE__EXIT_USAGE;
}

/* --- one round -------------------------------------------------------------------------------------------------- */

static uint64_t now_ms(check *c) {
  return floe_uv_now(c->session.uv) / FLOE_MS;
}

static void on_event(const floe_event *event, void *user) {
  check *c = user;
  floe__progress_event(&c->progress, event);
  if (!c->options->json) return;
  floe__json_print_event(stdout, event);
  floe__session_check_output(&c->session);
}

static void on_step(const char *step, void *user) {
  check *c = user;
  floe__progress_step(&c->progress, step);
}

static void on_tick(void *user) {
  check *c = user;
  floe__progress_draw(&c->progress, now_ms(c));
}

static floe__round_plan plan_round(check *c) {
  return (floe__round_plan){.cfg = &c->setup->cfg,
                            .n_asked = c->setup->n_asked,
                            .relay_test = !c->options->no_relay_test,
                            .on_event = on_event,
                            .on_step = on_step,
                            .user = c};
}

static floe__human make_human(const check *c) {
  floe__human h;
  floe__human_init(&h, stdout, c->options->verbose, (int64_t)time(NULL));
  return h;
}

/* With a watch, every round is a line; the progress line would only flicker. */
static void start_progress(check *c) {
  bool quiet = c->options->json || c->options->watch;
  floe__progress_init(&c->progress, quiet ? NULL : stderr, now_ms(c));
  c->session.on_tick = on_tick;
  c->session.tick_user = c;
}

static int status_of_stop(const check *c) {
  const floe__session *s = &c->session;
  return s->stop_signal != 0 ? 128 + s->stop_signal : floe__exit_of_lost_output(s->output_error);
}

static void print_causes_pointer(const floe__human *h, const floe__check_result *result) {
  for (size_t i = 0; i < result->n_servers; i++) {
    if (result->servers[i].cause == FLOE_CAUSE_NONE) continue;
    (void)fprintf(h->out, "more about a cause: floe check --explain %s\n", floe_cause_id(result->servers[i].cause));
    return;
  }
}

static void print_result(const check *c, const floe__check_result *result) {
  const floe__human h = make_human(c);
  if (c->options->json) {
    floe__json_print_report(stdout, result, 0);
    return;
  }
  for (size_t i = 0; i < result->n_servers; i++) {
    floe__human_print_server(&h, &result->servers[i]);
    (void)fputc('\n', h.out);
  }
  if (c->options->all) floe__matrix_print(&h, result);
  floe__human_print_summary(&h, result);
  print_causes_pointer(&h, result);
}

static int refuse_agent(const check *c, const floe_error *why) {
  floe__json_error refused = {.error = *why};
  return refuse_configuration(c, &refused);
}

static int run_once(check *c) {
  floe__round round;
  floe_error why;
  int status = FLOE__EXIT_OTHER;
  const floe__round_plan plan = plan_round(c);
  floe__round_end end = floe__round_run(&round, &c->session, &plan, &why);
  floe__progress_erase(&c->progress);
  switch (end) {
    case FLOE__ROUND_DONE:
      print_result(c, &round.result);
      floe__session_check_output(&c->session);
      status = floe__exit_of_result(&round.result);
      break;
    case FLOE__ROUND_STOPPED: break;
    case FLOE__ROUND_REFUSED: status = refuse_agent(c, &why); break;
  }
  floe__round_close(&round, &c->session);
  return end == FLOE__ROUND_STOPPED || c->session.output_lost ? status_of_stop(c) : status;
}

/* --- watching --------------------------------------------------------------------------------------------------- */

static void print_watched(check *c, const floe__watch *w, const floe__check_result *result) {
  const floe__human h = make_human(c);
  if (c->options->json) {
    floe__json_print_report(stdout, result, w->rounds);
  } else {
    floe__watch_print_round(w, &h, result);
  }
  floe__session_check_output(&c->session);
}

/* Returns false when the agent could not be made; the status is in `w`. */
static bool watch_round(check *c, floe__watch *w) {
  floe__round round;
  floe_error why;
  const floe__round_plan plan = plan_round(c);
  floe__round_end end = floe__round_run(&round, &c->session, &plan, &why);
  if (end == FLOE__ROUND_DONE) {
    floe__watch_add(w, &round.result);
    print_watched(c, w, &round.result);
  } else if (end == FLOE__ROUND_REFUSED) {
    w->status = refuse_agent(c, &why);
  }
  floe__round_close(&round, &c->session);
  return end != FLOE__ROUND_REFUSED;
}

static void wait_for_next(check *c, uint64_t round_started_ms) {
  const bool never = false;
  uint64_t took = now_ms(c) - round_started_ms;
  if (took < c->options->watch_ms) (void)floe__session_wait(&c->session, &never, c->options->watch_ms - (uint32_t)took);
}

/* An interrupt is how a watch is meant to end: then the status is that of the rounds. */
static int run_watch(check *c) {
  floe__watch w = {0};
  uint64_t start = now_ms(c);
  while (!floe__session_is_stopping(&c->session)) {
    uint64_t round_start = now_ms(c);
    if (!watch_round(c, &w) || (c->options->count != 0 && w.rounds >= c->options->count)) break;
    wait_for_next(c, round_start);
  }
  double elapsed_ms = (double)(now_ms(c) - start);
  const floe__human h = make_human(c);
  if (w.rounds > 0 && c->options->json) floe__watch_print_json(&w, stdout, elapsed_ms);
  if (w.rounds > 0 && !c->options->json) floe__watch_print_summary(&w, &h, elapsed_ms);
  bool is_cut_off = c->session.output_lost || c->session.stop_signal == SIGTERM ||
                    (w.rounds == 0 && floe__session_is_stopping(&c->session));
  int status = is_cut_off ? status_of_stop(c) : w.status;
  floe__watch_clear(&w);
  return status;
}

/* --- the command ------------------------------------------------------------------------------------------------ */

static int run_checks(check *c) {
  floe_error why;
  const floe__check_options *o = c->options;
  if (floe__session_open_env(&c->session, o->dns_servers, o->n_dns_servers, c->env, &why) != FLOE_OK) {
    (void)fprintf(stderr, "floe check: %s\n", why.message);
    return FLOE__EXIT_OTHER;
  }
  start_progress(c);
  int status = o->watch ? run_watch(c) : run_once(c);
  floe__session_close(&c->session);
  return status;
}

static int run_with_setup(const floe__check_options *o, const floe_env_config *env) {
  floe__check_setup setup;
  floe__setup_error why;
  check c = {.options = o, .setup = &setup, .env = env};
  int status = FLOE__EXIT_OK;
  switch (floe__check_setup_make(&setup, o, (int64_t)time(NULL), &why)) {
    case FLOE__SETUP_OK: status = run_checks(&c); break;
    case FLOE__SETUP_USAGE: status = refuse_usage(why.usage); break;
    case FLOE__SETUP_REFUSED: status = refuse_configuration(&c, &why.refused); break;
  }
  floe__check_setup_clear(&setup);
  return status;
}

static int run_explain(const char *cause) {
  char why[160];
  return floe__explain_print(stdout, cause, why, sizeof why) ? FLOE__EXIT_OK : refuse_usage(why);
}

static int run_traced(const floe__check_options *o) {
  floe__trace_file trace;
  floe_env_config env;
  char why[256];
  if (!floe__trace_file_open(&trace, o->trace, why, sizeof why)) return refuse_usage(why);
  floe_env_config_init(&env, sizeof env);
  floe__trace_file_lend(&trace, o->trace_addresses, &env);
  int status = o->demo ? floe__demo_run(o, &env) : run_with_setup(o, &env);
  if (floe__trace_file_close(&trace, why, sizeof why)) return status;
  (void)fprintf(stderr, "floe check: %s\n", why);
  return status == FLOE__EXIT_OK ? FLOE__EXIT_OTHER : status;
}

static int run_options(const floe__check_options *o) {
  if (o->help) {
    print_help(stdout);
    return FLOE__EXIT_OK;
  }
  if (o->version) {
    (void)printf("floe %s\n", floe_version());
    return FLOE__EXIT_OK;
  }
  if (o->explain != NULL) return run_explain(o->explain);
  return run_traced(o);
}

int floe_cmd_check(int argc, char **argv) {
  floe__check_options options;
  char why[256];
  floe__ice_servers_json_init();
  bool parsed = floe__check_options_parse(&options, argc, argv, why, sizeof why);
  int status = parsed ? run_options(&options) : refuse_usage(why);
  floe__check_options_clear(&options);
  return status;
}
