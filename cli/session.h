/* What every run of the command needs while it waits: the loop, the driver on it, the signals that end it, a clock
 * tick. */
#ifndef FLOE_CLI_SESSION_H
#define FLOE_CLI_SESSION_H

#include <uv.h>

#include "floe/uv.h"

typedef struct floe__session {
  uv_loop_t loop;
  floe_uv *uv;
  uv_signal_t on_int, on_term;
  uv_timer_t tick;
  int stop_signal;             /* 0, or the signal that asked to stop */
  bool output_lost;            /* standard output takes nothing any more */
  int output_error;            /* why, as errno; 0 = not known */
  void (*on_tick)(void *user); /* nullable: about ten times a second while waiting */
  void *tick_user;
} floe__session;

/* Opens the loop and the driver.
 * `dns_servers` as in floe_uv_config. Returns what floe_uv_new returns; on failure nothing is left open. */
floe_status floe__session_open(floe__session *s, const char *const *dns_servers, size_t n_dns_servers, floe_error *why);
/* The same with what the program lends; `env` is nullable. */
floe_status floe__session_open_env(floe__session *s, const char *const *dns_servers, size_t n_dns_servers,
                                   const floe_env_config *env, floe_error *why);
void floe__session_close(floe__session *s);

/* Lets the loop run until *done is true, `limit_ms` (0 = none) have passed, or the session is to stop.
 * Returns whether *done is true. */
bool floe__session_wait(floe__session *s, const bool *done, uint32_t limit_ms);
/* The same, but goes on when the session is to stop: for cleaning up. */
bool floe__session_wait_cleanup(floe__session *s, const bool *done, uint32_t limit_ms);

/* True once a signal came or nobody reads the output: finish and clean up. */
bool floe__session_is_stopping(const floe__session *s);

/* Looks whether what was written to standard output arrived; a closed pipe stops the session. */
void floe__session_check_output(floe__session *s);

#endif
