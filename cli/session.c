#include "session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

enum { TICK_MS = 100 };

/* The first signal cleans up, so that no allocation is left at a server; the second one is impatient. */
static void on_signal(uv_signal_t *handle, int signum) {
  floe__session *s = handle->data;
  if (s->stop_signal != 0) _exit(128 + signum);
  s->stop_signal = signum;
}

static void on_tick(uv_timer_t *handle) {
  const floe__session *s = handle->data;
  if (s->on_tick != NULL) s->on_tick(s->tick_user);
}

static void start_handles(floe__session *s) {
  (void)uv_signal_init(&s->loop, &s->on_int);
  (void)uv_signal_init(&s->loop, &s->on_term);
  (void)uv_timer_init(&s->loop, &s->tick);
  s->on_int.data = s->on_term.data = s->tick.data = s;
  (void)uv_signal_start(&s->on_int, on_signal, SIGINT);
  (void)uv_signal_start(&s->on_term, on_signal, SIGTERM);
  (void)uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
}

static void close_loop(floe__session *s) {
  uv_close((uv_handle_t *)&s->on_int, NULL);
  uv_close((uv_handle_t *)&s->on_term, NULL);
  uv_close((uv_handle_t *)&s->tick, NULL);
  (void)uv_run(&s->loop, UV_RUN_DEFAULT);
  (void)uv_loop_close(&s->loop);
}

floe_status floe__session_open(floe__session *s, const char *const *dns_servers, size_t n_dns_servers,
                               floe_error *why) {
  return floe__session_open_env(s, dns_servers, n_dns_servers, NULL, why);
}

floe_status floe__session_open_env(floe__session *s, const char *const *dns_servers, size_t n_dns_servers,
                                   const floe_env_config *env, floe_error *why) {
  floe_uv_config cfg;
  memset(s, 0, sizeof *s);
  if (uv_loop_init(&s->loop) != 0) {
    memset(why, 0, sizeof *why);
    (void)snprintf(why->message, sizeof why->message, "cannot make an event loop: %s", strerror(errno));
    return why->status = FLOE_E_SYSTEM;
  }
  start_handles(s);
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.env = env;
  cfg.dns_servers = dns_servers;
  cfg.n_dns_servers = n_dns_servers;
  floe_status status = floe_uv_new(&s->uv, &s->loop, &cfg, why);
  if (status != FLOE_OK) close_loop(s);
  return status;
}

void floe__session_close(floe__session *s) {
  floe_uv_close(s->uv);
  close_loop(s);
}

bool floe__session_is_stopping(const floe__session *s) {
  return s->stop_signal != 0 || s->output_lost;
}

/* The tick keeps the loop alive and bounds each turn, so that limits and signals are looked at in time. */
static bool run_until(floe__session *s, const bool *done, uint32_t limit_ms, bool stop_early) {
  uint64_t end = uv_now(&s->loop) + limit_ms;
  while (!*done) {
    if (stop_early && floe__session_is_stopping(s)) return false;
    if (limit_ms != 0 && uv_now(&s->loop) >= end) return false;
    (void)uv_run(&s->loop, UV_RUN_ONCE);
  }
  return true;
}

bool floe__session_wait(floe__session *s, const bool *done, uint32_t limit_ms) {
  uv_update_time(&s->loop);
  return run_until(s, done, limit_ms, true);
}

bool floe__session_wait_cleanup(floe__session *s, const bool *done, uint32_t limit_ms) {
  uv_update_time(&s->loop);
  return run_until(s, done, limit_ms, false);
}

void floe__session_check_output(floe__session *s) {
  if (s->output_lost) return;
  errno = 0;
  s->output_lost = fflush(stdout) != 0 || ferror(stdout);
  if (s->output_lost) s->output_error = errno;
}
