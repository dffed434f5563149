#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/sim_agent_internal.h"

/* Far more than any world here makes in one go. */
#define MAX_OUTPUTS 100000
/* So much of the trace's end is printed when a test fails. */
#define DUMPED_TRACE 6000

double sim_agent_ms(const sim_agent *a) {
  return (double)sim_now(a->s) / (double)FLOE_MS;
}

/* --- outputs --------------------------------------------------------------------------------------------------- */

static void on_timer(void *user, void *payload) {
  (void)payload;
  sim_agent *a = user;
  if (!sim_agent_is_alive(a) || sim_now(a->s) < a->wake_at) return; /* an earlier plan */
  a->wake_at = FLOE_TIME_NEVER;
  sim_check_wake(a);
  sim_agent_feed(a, &(floe_input){.type = FLOE_INPUT_TIMER});
}

static void wait_until(sim_agent *a, floe_time until, const char *reason) {
  if (until <= sim_now(a->s)) {
    sim_fail(a->s, "WAIT until a time that has passed, for %s", reason);
    return;
  }
  if (reason == NULL) sim_fail(a->s, "WAIT without a reason");
  if (until == a->wake_at) return;
  a->wake_at = until;
  if (until != FLOE_TIME_NEVER) sim_at(a->s, until, on_timer, a, NULL);
}

static void record_permission(sim_agent *a, const floe_output *out) {
  char peer[FLOE_ADDR_TEXT];
  sim_text_add(&a->events, "%.1f permission %s %s\n", sim_agent_ms(a), floe_addr_format(&out->u.permission.peer, peer),
               out->u.permission.granted ? "granted" : "refused");
}

static void handle_output(sim_agent *a, const floe_output *out) {
  switch (out->type) {
    case FLOE_OUTPUT_WAIT: wait_until(a, out->u.wait.until, out->u.wait.reason); return;
    case FLOE_OUTPUT_TRANSMIT: sim_agent_transmit(a, out); return;
    case FLOE_OUTPUT_OPEN: sim_agent_open(a, out); return;
    case FLOE_OUTPUT_CLOSE: sim_agent_close_socket(a, out->u.close.sock); return;
    case FLOE_OUTPUT_RESOLVE: sim_agent_resolve(a, out); return;
    case FLOE_OUTPUT_INTERFACES: sim_agent_list_interfaces(a); return;
    case FLOE_OUTPUT_EVENT:
      if (a->other != NULL) {
        a->other->on_event(a->other_user, out->u.event);
        return;
      }
      sim_check_event(a, out->u.event);
      sim_agent_record(a, out->u.event);
      return;
    case FLOE_OUTPUT_DATA:
      if (a->other != NULL) sim_fail(a->s, "DATA of something that is no ICE agent");
      sim_check_data(a, out);
      sim_agent_take_data(a, out);
      return;
    case FLOE_OUTPUT_PERMISSION: record_permission(a, out); return;
    case FLOE_OUTPUT_PUBLISH: sim_agent_publish(a, out); return;
  }
}

bool sim_agent_is_alive(const sim_agent *a) {
  return a->core != NULL || a->other != NULL;
}

static void poll_core(sim_agent *a, floe_output *out) {
  if (a->other != NULL) {
    a->other->poll(a->other_user, out);
  } else {
    floe_ice_agent_poll(a->core, out);
  }
}

void sim_agent_drain(sim_agent *a) {
  floe_ice_gathering_state before = a->told_state;
  for (int i = 0; i < MAX_OUTPUTS; i++) {
    floe_output out;
    poll_core(a, &out);
    handle_output(a, &out);
    if (out.type != FLOE_OUTPUT_WAIT) continue;
    if (a->other != NULL) {
      a->other->after_drain(a->other_user);
      return;
    }
    bool has_completed = before == FLOE_ICE_GATHERING_GATHERING && a->told_state == FLOE_ICE_GATHERING_COMPLETE;
    if (has_completed) sim_check_report(a);
    sim_check_after_drain(a);
    return;
  }
  sim_fail(a->s, "poll does not end in WAIT");
}

static void drain_later(void *user, void *payload) {
  (void)payload;
  sim_agent *a = user;
  a->drain_planned = false;
  if (sim_agent_is_alive(a)) sim_agent_drain(a);
}

static void drain_now_or_later(sim_agent *a) {
  if (!sim_chance(a->s, a->options.lazy_drain)) {
    sim_agent_drain(a);
    return;
  }
  if (a->drain_planned) return;
  a->drain_planned = true;
  sim_after(a->s, 0, drain_later, a, NULL);
}

void sim_agent_feed(sim_agent *a, const floe_input *in) {
  if (!sim_agent_is_alive(a)) return;
  if (a->other != NULL) {
    a->other->input(a->other_user, sim_now(a->s), in);
  } else {
    floe_ice_agent_input(a->core, sim_now(a->s), in);
  }
  drain_now_or_later(a);
}

/* --- calls ------------------------------------------------------------------------------------------------------- */

floe_status sim_agent_gather(sim_agent *a) {
  floe_status st = floe_ice_agent_gather(a->core, sim_now(a->s));
  sim_agent_drain(a);
  return st;
}

floe_status sim_agent_prefetch(sim_agent *a) {
  floe_status st = floe_ice_agent_prefetch(a->core, sim_now(a->s));
  sim_agent_drain(a);
  return st;
}

void sim_agent_close(sim_agent *a) {
  a->closed = true;
  floe_ice_agent_close(a->core, sim_now(a->s));
  sim_agent_drain(a);
}

floe_status sim_agent_permit(sim_agent *a, uint32_t candidate, const char *peer, bool use_channel) {
  floe_addr addr = sim_addr(peer);
  floe_status st = floe_ice_agent_permit(a->core, sim_now(a->s), candidate, &addr, use_channel);
  sim_agent_drain(a);
  return st;
}

floe_status sim_agent_send_relayed(sim_agent *a, uint32_t candidate, const char *peer, const char *data) {
  floe_addr addr = sim_addr(peer);
  floe_bytes bytes = {(const uint8_t *)data, strlen(data)};
  floe_status st = floe_ice_agent_send_relayed(a->core, sim_now(a->s), candidate, &addr, bytes);
  sim_agent_drain(a);
  return st;
}

static bool is_complete(void *user) {
  const sim_agent *a = user;
  return a->told_state == FLOE_ICE_GATHERING_COMPLETE;
}

bool sim_agent_run_to_complete(sim_agent *a, uint64_t limit_ms) {
  return sim_run_until(a->s, sim_now(a->s) + limit_ms * FLOE_MS, is_complete, a);
}

static bool is_closed(void *user) {
  const sim_agent *a = user;
  return floe_ice_agent_is_closed(a->core);
}

bool sim_agent_run_to_closed(sim_agent *a, uint64_t limit_ms) {
  if (!sim_run_until(a->s, sim_now(a->s) + limit_ms * FLOE_MS, is_closed, a)) return false;
  if (sim_agent_open_sockets(a) > 0) sim_fail(a->s, "closed with %zu sockets open", sim_agent_open_sockets(a));
  if (a->wake_at != FLOE_TIME_NEVER) sim_fail(a->s, "closed with a timer running");
  return true;
}

void sim_agent_set_lenient(sim_agent *a) {
  a->lenient = true;
}

/* --- what was recorded ------------------------------------------------------------------------------------------- */

floe_ice_agent *sim_agent_core(sim_agent *a) {
  return a->core;
}

const char *sim_agent_events(const sim_agent *a) {
  return sim_text_of(&a->events);
}

const char *sim_agent_wire(const sim_agent *a) {
  return sim_text_of(&a->wire);
}

static const char *lines_with(sim_agent *a, const char *line, const char *part) {
  sim_text_clear(&a->filtered);
  while (*line != '\0') {
    size_t len = strcspn(line, "\n") + 1;
    const char *hit = strstr(line, part);
    if (hit != NULL && hit < line + len) sim_text_add(&a->filtered, "%.*s", (int)len, line);
    line += len;
  }
  return sim_text_of(&a->filtered);
}

const char *sim_agent_wire_with(sim_agent *a, const char *part) {
  return lines_with(a, sim_text_of(&a->wire), part);
}

const char *sim_agent_events_with(sim_agent *a, const char *part) {
  return lines_with(a, sim_text_of(&a->events), part);
}

void sim_agent_clear_log(sim_agent *a) {
  sim_text_clear(&a->events);
  sim_text_clear(&a->wire);
}

const char *sim_agent_report(sim_agent *a) {
  sim_text_clear(&a->report);
  const floe_report *report = floe_ice_agent_report(a->core);
  if (report != NULL) sim_report_text(&a->report, report);
  return sim_text_of(&a->report);
}

const char *sim_agent_trace(const sim_agent *a) {
  return a->env->trace == NULL ? "" : a->env->trace;
}

size_t sim_agent_n_errors(const sim_agent *a) {
  return a->n_errors;
}

const sim_error *sim_agent_error(const sim_agent *a, size_t n) {
  if (n >= a->n_errors) {
    sim_fail(a->s, "only %zu errors were told", a->n_errors);
    abort();
  }
  return &a->errors[n];
}

uint32_t sim_agent_relay(const sim_agent *a, size_t n) {
  for (size_t i = 0; i < a->n_candidates; i++) {
    if (a->candidates[i].is_relay && n-- == 0) return a->candidates[i].id;
  }
  return 0;
}

uint64_t sim_agent_allocations(const sim_agent *a) {
  return a->env->alloc.calls;
}

uint64_t sim_agent_failed_allocations(const sim_agent *a) {
  return a->env->alloc.failed;
}

uint64_t sim_agent_live_bytes(const sim_agent *a) {
  return a->env->alloc.live_bytes;
}

void sim_agent_fail_allocations(sim_agent *a, uint64_t fail_at, uint64_t fail_from) {
  a->env->alloc.fail_at = fail_at;
  a->env->alloc.fail_from = fail_from;
}

/* --- making and freeing one -------------------------------------------------------------------------------------- */

/* For people, when a test fails. Not through cmocka, which cuts at 1 KiB. */
static void dump(void *user) {
  const sim_agent *a = user;
  if (a->env == NULL) return;
  const char *trace = sim_agent_trace(a);
  size_t len = strlen(trace);
  const char *name = sim_host_name(a->host);
  (void)fprintf(stderr, "wire of %s:\n%strace of %s, its end:\n%s\nevents of %s:\n%s", name, sim_agent_wire(a), name,
                len > DUMPED_TRACE ? trace + len - DUMPED_TRACE : trace, name, sim_agent_events(a));
}

/* Everything but the check of what is left: also done when a test failed before. */
static uint64_t clear_agent(sim_agent *a) {
  floe_ice_agent_free(a->core);
  a->core = NULL;
  a->other = NULL;
  uint64_t leaks = sim_env_free(a->env);
  a->env = NULL;
  free(a->errors);
  free(a->candidates);
  a->errors = NULL;
  a->candidates = NULL;
  sim_text_clear(&a->events);
  sim_text_clear(&a->wire);
  sim_text_clear(&a->filtered);
  sim_text_clear(&a->report);
  sim_agent_clear_connection(a);
  return leaks;
}

void sim_agent_free(sim_agent *a) {
  if (a == NULL || a->env == NULL) return;
  sim_check_trace(a);
  uint64_t leaks = clear_agent(a);
  if (leaks > 0) sim_fail(a->s, "the agent left %llu blocks", (unsigned long long)leaks);
}

static void free_at_the_end(void *user) {
  sim_agent *a = user;
  if (a->env != NULL) (void)clear_agent(a);
}

static void make_core(sim_agent *a) {
  floe_error why = {0};
  floe_status st = floe_ice_agent_new(&a->core, a->env->env, &a->cfg, &why);
  if (st == FLOE_OK) {
    sim_agent_keep_local_secret(a);
    return;
  }
  a->core = NULL;
  bool may_fail = st == FLOE_E_NOMEM && a->env->alloc.failed > 0;
  if (!may_fail) sim_fail(a->s, "%s: %s: %s", floe_status_name(st), why.path, why.message);
}

sim_agent *sim_agent_new_around(sim_host *h, const floe_ice_config *cfg, const sim_agent_options *options) {
  sim *s = sim_host_sim(h);
  sim_agent *a = sim_keep(s, sizeof *a);
  a->s = s;
  a->host = h;
  a->cfg = *cfg;
  a->wake_at = FLOE_TIME_NEVER;
  a->c.accepted = FLOE_SOCK_ACCEPTED;
  if (options != NULL) a->options = *options;
  if (a->options.unix_ms == 0) a->options.unix_ms = SIM_UNIX_MS;
  a->env = sim_env_new_failing(s, sim_next_stream(s), a->options.fail_at, a->options.fail_from);
  sim_on_free(s, free_at_the_end, a);
  sim_on_dump(s, dump, a);
  if (a->env->env != NULL) {
    floe_env_set_unix_time(a->env->env, sim_now(s), a->options.unix_ms + (int64_t)(sim_now(s) / FLOE_MS));
  }
  return a;
}

sim_agent *sim_agent_new(sim_host *h, const floe_ice_config *cfg, const sim_agent_options *options) {
  sim_agent *a = sim_agent_new_around(h, cfg, options);
  if (a->env->env != NULL) make_core(a);
  return a;
}
