/* floe connect - two terminals, anywhere. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check_setup.h"
#include "commands.h"
#include "connect_help.h"
#include "connect_link.h"
#include "mem.h"
#include "text.h"
#include "trace_file.h"

static int refuse_usage(const char *sentence) {
  char *clean = floe__text_clean(sentence);
  (void)fprintf(stderr, "floe connect: %s\nsee floe connect --help\n", clean);
  free(clean);
  return FLOE__CONNECT_EXIT_USAGE;
}

/* Shows the URL and a caret below the byte at fault. */
static int refuse_configuration(const floe__check_setup *setup, const floe__json_error *why) {
  const floe_error *e = &why->error;
  const char *url = floe__check_setup_url(setup, e->path);
  char sentence[400];
  (void)snprintf(sentence, sizeof sentence, "%s: %s%s%s", floe_status_exception(e->status), e->path,
                 e->path[0] == '\0' ? "" : ": ", e->message);
  int status = refuse_usage(sentence);
  if (url == NULL) return status;
  char *masked = floe__text_mask_url(url), *clean = floe__text_clean(masked);
  (void)fprintf(stderr, "  %s\n", clean);
  bool is_exact = e->offset <= strlen(masked) && strncmp(masked, clean, e->offset) == 0;
  if (is_exact) (void)fprintf(stderr, "  %*s^\n", (int)e->offset, "");
  free(clean);
  free(masked);
  return status;
}

static const floe__job *job_of(floe__connect_mode mode) {
  switch (mode) {
    case FLOE__CONNECT_PIPE: return &floe__job_pipe;
    case FLOE__CONNECT_SEND: return &floe__job_send;
    case FLOE__CONNECT_RECEIVE: return &floe__job_receive;
    case FLOE__CONNECT_EXPOSE:
    case FLOE__CONNECT_FORWARD: return &floe__job_tunnel;
  }
  return &floe__job_pipe;
}

static int run_link(const floe__connect_options *o, const floe_ice_config *ice, floe__report *report,
                    const floe_env_config *env) {
  floe__link *link = floe__cli_alloc(sizeof *link);
  link->options = o;
  link->ice = ice;
  link->report = report;
  link->job = job_of(o->mode);
  int status = floe__link_run(link, env);
  floe__cli_wipe(link, sizeof *link);
  free(link);
  return status;
}

static int run_with_setup(const floe__connect_options *o, floe__report *report, const floe_env_config *env) {
  floe__check_setup setup;
  floe__setup_error why;
  int status = FLOE__CONNECT_EXIT_OK;
  switch (floe__check_setup_make(&setup, &o->net, (int64_t)time(NULL), &why)) {
    case FLOE__SETUP_OK: status = run_link(o, &setup.cfg, report, env); break;
    case FLOE__SETUP_USAGE: status = refuse_usage(why.usage); break;
    case FLOE__SETUP_REFUSED: status = refuse_configuration(&setup, &why.refused); break;
  }
  floe__check_setup_clear(&setup);
  return status;
}

static int run_traced(const floe__connect_options *o, floe__report *report) {
  floe__trace_file trace;
  floe_env_config env;
  char why[256];
  if (!floe__trace_file_open(&trace, o->net.trace, why, sizeof why)) return refuse_usage(why);
  floe_env_config_init(&env, sizeof env);
  floe__trace_file_lend(&trace, o->net.trace_addresses, &env);
  int status = run_with_setup(o, report, &env);
  if (floe__trace_file_close(&trace, why, sizeof why)) return status;
  (void)fprintf(stderr, "floe connect: %s\n", why);
  return status == FLOE__CONNECT_EXIT_OK ? FLOE__CONNECT_EXIT_FILE : status;
}

static int run_options(const floe__connect_options *o) {
  floe__report report;
  char why[256];
  if (o->net.help) {
    floe__connect_print_help(stdout);
    return FLOE__CONNECT_EXIT_OK;
  }
  bool opened = floe__report_open(&report, o->json, o->json_file, o->net.verbose, why, sizeof why) &&
                floe__report_open_keylog(&report, o->keylog, why, sizeof why);
  int status = opened ? run_traced(o, &report) : refuse_usage(why);
  floe__report_clear(&report);
  return status;
}

int floe_cmd_connect(int argc, char **argv) {
  floe__connect_options options;
  char why[300];
  floe__ice_servers_json_init();
  bool parsed = floe__connect_options_parse(&options, argc, argv, why, sizeof why);
  int status = parsed ? run_options(&options) : refuse_usage(why);
  floe__connect_options_clear(&options);
  return status;
}
