#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/sim_pc_internal.h"
#include "support/virtual_time.h"

/* gettimeofday never goes back, not even from one simulation of a test to the next. */
static floe_time clock_base, clock_last;
static const sim *clock_of;

static void set_clock(const sim *s) {
  if (clock_of != s) {
    clock_base = clock_last == 0 ? 0 : clock_last + 10 * FLOE_SECOND;
    clock_of = s;
  }
  clock_last = clock_base + sim_now(s);
  floe__test_clock_set(clock_last);
}

floe_time sim_pc_now(sim_pc *x) {
  set_clock(x->s);
  return sim_now(x->s);
}

/* --- as a simulated agent sees it ---------------------------------------------------------------------------------
 */

static void input(void *user, floe_time now, const floe_input *in) {
  sim_pc *x = user;
  set_clock(x->s);
  floe_pc_input(x->core, now, in);
}

static void poll(void *user, floe_output *out) {
  sim_pc *x = user;
  set_clock(x->s);
  floe_pc_poll(x->core, out);
}

static void on_event(void *user, const floe_event *e) {
  sim_pc *x = user;
  sim_pc_check_event(x, e);
  sim_pc_record(x, e);
  if (x->hooks.on_event != NULL) x->hooks.on_event(x->hooks.user, e);
}

static void after_drain(void *user) {
  sim_pc_check_now(user);
}

static const sim_core_ops core_ops = {.input = input, .poll = poll, .on_event = on_event, .after_drain = after_drain};

void sim_pc_drain(sim_pc *x) {
  if (x->core != NULL) sim_agent_drain(x->a);
}

/* --- descriptions -------------------------------------------------------------------------------------------------
 */

static char *copy_of(const char *text) {
  if (text == NULL) return NULL;
  size_t size = strlen(text) + 1;
  char *copy = sim_must(malloc(size));
  memcpy(copy, text, size);
  return copy;
}

char *sim_pc_local_sdp(sim_pc *x) {
  (void)sim_pc_now(x);
  const floe_session_description *d = floe_pc_local_description(x->core);
  if (d == NULL) return NULL;
  sim_agent_keep_password_of(x->a, d->sdp);
  return copy_of(d->sdp);
}

floe_status sim_pc_set_local(sim_pc *x, floe_sdp_type type, const char *sdp) {
  floe_session_description d = {.type = type, .sdp = sdp};
  floe_status st = floe_pc_set_local_description(x->core, sim_pc_now(x), &d, &x->why);
  sim_pc_drain(x);
  return st;
}

floe_status sim_pc_set_local_implicit(sim_pc *x) {
  floe_status st = floe_pc_set_local_description(x->core, sim_pc_now(x), NULL, &x->why);
  sim_pc_drain(x);
  return st;
}

floe_status sim_pc_set_remote(sim_pc *x, floe_sdp_type type, const char *sdp) {
  floe_session_description d = {.type = type, .sdp = sdp};
  if (sdp != NULL) sim_agent_keep_password_of(x->a, sdp);
  floe_status st = floe_pc_set_remote_description(x->core, sim_pc_now(x), &d, &x->why);
  sim_pc_drain(x);
  return st;
}

char *sim_pc_create_offer(sim_pc *x, const floe_offer_options *options) {
  const char *sdp = NULL;
  floe_status st = floe_pc_create_offer(x->core, sim_pc_now(x), options, &sdp, &x->why);
  char *copy = st == FLOE_OK ? copy_of(sdp) : NULL;
  sim_pc_drain(x);
  return copy;
}

char *sim_pc_create_answer(sim_pc *x) {
  const char *sdp = NULL;
  floe_status st = floe_pc_create_answer(x->core, sim_pc_now(x), &sdp, &x->why);
  char *copy = st == FLOE_OK ? copy_of(sdp) : NULL;
  sim_pc_drain(x);
  return copy;
}

floe_status sim_pc_add_candidate(sim_pc *x, const floe_ice_candidate_init *c) {
  floe_status st = floe_pc_add_ice_candidate(x->core, sim_pc_now(x), c, &x->why);
  sim_pc_drain(x);
  return st;
}

void sim_pc_restart_ice(sim_pc *x) {
  floe_pc_restart_ice(x->core, sim_pc_now(x));
  sim_pc_drain(x);
}

void sim_pc_close(sim_pc *x) {
  x->is_closed = true;
  x->a->closed = true;
  floe_pc_close(x->core, sim_pc_now(x));
  sim_pc_drain(x);
}

static bool is_closed(void *user) {
  const sim_pc *x = user;
  return floe_pc_is_closed(x->core);
}

bool sim_pc_run_to_closed(sim_pc *x, uint64_t limit_ms) {
  if (!sim_run_until(x->s, sim_now(x->s) + limit_ms * FLOE_MS, is_closed, x)) return false;
  size_t open = sim_agent_open_sockets(x->a);
  if (open > 0) sim_fail(x->s, "%s is closed with %zu sockets open", x->name, open);
  if (x->a->wake_at != FLOE_TIME_NEVER) sim_fail(x->s, "%s is closed with a timer running", x->name);
  return true;
}

/* --- what was recorded ---------------------------------------------------------------------------------------------
 */

void sim_pc_line(sim_pc *x, const char *format, ...) {
  char line[1200];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(line, sizeof line, format, args);
  va_end(args);
  sim_text_add(&x->a->events, "%s\n", line);
  if (x->log != NULL) sim_text_add(x->log, "%s: %s\n", x->name, line);
}

const char *sim_pc_events(const sim_pc *x) {
  return sim_agent_events(x->a);
}

const char *sim_pc_events_with(sim_pc *x, const char *part) {
  return sim_agent_events_with(x->a, part);
}

const char *sim_pc_main_events(sim_pc *x) {
  static const char *const left_out[] = {"ice ", "dtls ", "sctp ", "icecandidate "};
  sim_text_clear(&x->a->filtered);
  const char *line = sim_agent_events(x->a);
  while (*line != '\0') {
    size_t len = strcspn(line, "\n") + 1;
    bool is_out = false;
    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++) {
      is_out = is_out || strncmp(line, left_out[i], strlen(left_out[i])) == 0;
    }
    if (!is_out) sim_text_add(&x->a->filtered, "%.*s", (int)len, line);
    line += len;
  }
  return sim_text_of(&x->a->filtered);
}

const char *sim_pc_wire_with(sim_pc *x, const char *part) {
  return sim_agent_wire_with(x->a, part);
}

void sim_pc_clear_log(sim_pc *x) {
  sim_agent_clear_log(x->a);
}

/* --- making and freeing one ----------------------------------------------------------------------------------------
 */

static void clear_pc(sim_pc *x) {
  if (x->core != NULL) set_clock(x->s);
  floe_pc_free(x->core);
  x->core = NULL;
  x->a->other = NULL;
  sim_pc_clear_channels(x);
}

void sim_pc_free(sim_pc *x) {
  if (x == NULL) return;
  clear_pc(x);
  sim_agent_free(x->a);
}

static void free_at_the_end(void *user) {
  clear_pc(user);
}

static void make_core(sim_pc *x, const floe_pc_config *cfg) {
  floe_status st = floe_pc_new(&x->core, x->a->env->env, sim_pc_now(x), cfg, &x->why);
  if (st == FLOE_OK) {
    x->a->other_user = x;
    x->a->other = &core_ops;
    return;
  }
  x->core = NULL;
  bool may_fail = st == FLOE_E_NOMEM && x->a->env->alloc.failed > 0;
  if (!may_fail) sim_fail(x->s, "%s: %s: %s: %s", x->name, floe_status_name(st), x->why.path, x->why.message);
}

sim_pc *sim_pc_new(sim_host *h, const char *name, const floe_pc_config *cfg, const sim_agent_options *options) {
  sim *s = sim_host_sim(h);
  sim_pc *x = sim_keep(s, sizeof *x);
  floe_ice_config none;
  floe_ice_config_init(&none, sizeof none);
  x->s = s;
  x->name = name;
  x->a = sim_agent_new_around(h, cfg->ice != NULL ? cfg->ice : &none, options);
  sim_on_free(s, free_at_the_end, x);
  if (x->a->env->env != NULL) make_core(x, cfg);
  if (x->core != NULL) sim_pc_drain(x);
  return x;
}
