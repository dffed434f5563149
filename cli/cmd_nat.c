/* floe nat - what kind of NAT this host is behind, and which transports get out. */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "exit_status.h"
#include "mem.h"
#include "nat_print.h"
#include "progress.h"
#include "session.h"
#include "text.h"

/* Beyond the agent's own close_timeout_ms. */
enum { CLOSE_LIMIT_MS = 3000, FIRST_DRAW_MS = 500 };

typedef struct nat {
  const floe__nat_options *options;
  floe__nat_plan plan;
  floe__session session;
  floe_uv_nat_probe *probes[2]; /* IPv4, IPv6; NULL: not asked for */
  floe_uv_ice_agent *agent;     /* NULL: TCP and TLS are not tried */
  unsigned running;
  bool is_done, is_shown;
  uint64_t started_ms;
} nat;

static int refuse_usage(const char *sentence) {
  char *clean = floe__text_clean(sentence);
  (void)fprintf(stderr, "floe nat: %s\nsee floe nat --help\n", clean);
  free(clean);
  return FLOE__EXIT_USAGE;
}

/* Shows the URL and a caret below the byte at fault. */
static int refuse_url(const nat *n, const floe_error *why) {
  size_t i;
  char sentence[400], *masked, *clean;
  (void)snprintf(sentence, sizeof sentence, "%s%s%s", why->path, why->path[0] == '\0' ? "" : ": ", why->message);
  int status = refuse_usage(sentence);
  if (sscanf(why->path, "urls[%zu]", &i) != 1 || i >= n->options->n_urls) return status;
  masked = floe__text_mask_url(n->options->urls[i]);
  clean = floe__text_clean(masked);
  (void)fprintf(stderr, "  %s\n", clean);
  bool is_exact = why->offset <= strlen(masked) && strncmp(masked, clean, why->offset) == 0;
  if (is_exact) (void)fprintf(stderr, "  %*s^\n", (int)why->offset, "");
  free(clean);
  free(masked);
  return status;
}

/* --- the line of progress ----------------------------------------------------------------------------------------- */

static uint64_t now_ms(const nat *n) {
  return floe_uv_now(n->session.uv) / FLOE_MS;
}

static void draw(void *user) {
  nat *n = user;
  uint64_t passed = now_ms(n) - n->started_ms;
  if (n->options->json || n->is_done || passed < FIRST_DRAW_MS || !floe__progress_is_terminal(stderr)) return;
  (void)fprintf(stderr, "\r\033[Kasking the servers: %.1f s", (double)passed / 1000);
  (void)fflush(stderr);
  n->is_shown = true;
}

static void erase(nat *n) {
  n->is_done = true;
  if (!n->is_shown) return;
  (void)fputs("\r\033[K", stderr);
  (void)fflush(stderr);
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static void end_one(nat *n) {
  if (--n->running == 0) n->is_done = true;
}

static void on_result(const floe_nat_result *result, void *user) {
  (void)result;
  end_one(user);
}

static void on_state(const floe_event *event, void *user) {
  if (event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE) end_one(user);
}

static floe_status start_probes(nat *n, floe_error *why) {
  for (unsigned which = 0; which < 2; which++) {
    if (n->plan.probes[which].n_urls == 0) continue;
    floe_status st = floe_uv_nat_probe_new(&n->probes[which], n->session.uv, &n->plan.probes[which], why);
    if (st != FLOE_OK) return st;
    n->running++;
    floe_uv_nat_probe_start(n->probes[which], on_result, n);
  }
  return FLOE_OK;
}

static floe_status start_agent(nat *n, floe_error *why) {
  if (n->options->no_transports) return FLOE_OK;
  floe_status st = floe_uv_ice_agent_new(&n->agent, n->session.uv, &n->plan.agent, why);
  if (st != FLOE_OK) return st;
  st = floe_uv_ice_agent_on_icegatheringstatechange(n->agent, on_state, n);
  if (st == FLOE_OK) st = floe_uv_ice_agent_gather(n->agent);
  if (st == FLOE_OK) n->running++;
  return st;
}

static void set_true(void *user) {
  *(bool *)user = true;
}

/* A server that gave us an allocation is told that we do not want it. */
static void close_all(nat *n) {
  bool closed = n->agent == NULL;
  for (unsigned which = 0; which < 2; which++) floe_uv_nat_probe_close(n->probes[which]);
  floe_uv_ice_agent_close(n->agent, set_true, &closed);
  (void)floe__session_wait_cleanup(&n->session, &closed, CLOSE_LIMIT_MS);
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static int tell(nat *n) {
  floe__nat_findings findings;
  floe__human h;
  const floe_nat_result *results[2];
  for (unsigned which = 0; which < 2; which++) {
    results[which] = n->probes[which] == NULL ? NULL : floe_uv_nat_probe_result(n->probes[which]);
  }
  const floe_report *report = n->agent == NULL ? NULL : floe_ice_agent_report(floe_uv_ice_agent_core(n->agent));
  floe__nat_findings_make(&findings, &n->plan, results, report);
  findings.elapsed_ms = (double)(now_ms(n) - n->started_ms);
  if (n->options->json) {
    floe__nat_print_json(stdout, &findings);
  } else {
    floe__human_init(&h, stdout, n->options->verbose, (int64_t)time(NULL));
    floe__nat_print(&h, &findings);
  }
  floe__session_check_output(&n->session);
  return floe__nat_findings_exit(&findings);
}

static int status_of_stop(const nat *n) {
  const floe__session *s = &n->session;
  return s->stop_signal != 0 ? 128 + s->stop_signal : floe__exit_of_lost_output(s->output_error);
}

static int ask(nat *n) {
  floe_error why = {0};
  floe_status st = start_probes(n, &why);
  if (st == FLOE_OK) st = start_agent(n, &why);
  if (st != FLOE_OK) {
    (void)fprintf(stderr, "floe nat: %s\n", why.message[0] == '\0' ? floe_status_text(st) : why.message);
    return FLOE__EXIT_OTHER;
  }
  bool done = floe__session_wait(&n->session, &n->is_done, 0);
  erase(n);
  int status = done ? tell(n) : FLOE__EXIT_OTHER;
  return !done || n->session.output_lost ? status_of_stop(n) : status;
}

static int run(nat *n) {
  floe_error why;
  const floe__nat_options *o = n->options;
  if (o->interface != NULL && if_nametoindex(o->interface) == 0) {
    char sentence[100];
    (void)snprintf(sentence, sizeof sentence, "there is no interface %.32s", o->interface);
    return refuse_usage(sentence);
  }
  if (!floe__nat_plan_make(&n->plan, o, &why)) return refuse_url(n, &why);
  if (floe__session_open(&n->session, o->dns_servers, o->n_dns_servers, &why) != FLOE_OK) {
    (void)fprintf(stderr, "floe nat: %s\n", why.message);
    return FLOE__EXIT_OTHER;
  }
  n->started_ms = now_ms(n);
  n->session.on_tick = draw;
  n->session.tick_user = n;
  int status = ask(n);
  close_all(n);
  floe__session_close(&n->session);
  return status;
}

int floe_cmd_nat(int argc, char **argv) {
  floe__nat_options options;
  char why[300];
  int status = FLOE__EXIT_OK;
  if (!floe__nat_options_parse(&options, argc, argv, why, sizeof why)) {
    status = refuse_usage(why);
  } else if (options.help) {
    floe__nat_print_help(stdout);
  } else {
    nat *n = floe__cli_alloc(sizeof *n);
    n->options = &options;
    status = run(n);
    free(n);
  }
  floe__nat_options_clear(&options);
  return status;
}
