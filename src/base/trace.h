/* Structured trace: one JSON object per event, to the env's sink. Nothing is formatted when there is no sink.
 *
 *   floe__trace t;
 *   if (floe__trace_begin(&t, env, now, "gather.attempt.state")) {
 *     floe__trace_text(&t, "to", "connecting");
 *     floe__trace_end(&t);
 *   }
 *
 * The agent that runs (env->trace_agent) is named in each event, so that several in one env can be told apart.
 * Field names are the caller's literals. No credential is ever passed in; addresses go through floe__trace_addr, which
 * leaves them out unless the env asks for them. */
#ifndef FLOE_BASE_TRACE_H
#define FLOE_BASE_TRACE_H

#include "base/env_internal.h"

#define FLOE__TRACE_MAX 1024

typedef struct floe__trace {
  floe_env *env;
  size_t len;
  char buf[FLOE__TRACE_MAX];
} floe__trace;

bool floe__trace_begin(floe__trace *t, floe_env *env, floe_time now, const char *event);
void floe__trace_text(floe__trace *t, const char *key, const char *value); /* nullable value: left out */
void floe__trace_int(floe__trace *t, const char *key, int64_t value);
void floe__trace_addr(floe__trace *t, const char *key, const floe_addr *addr);
void floe__trace_end(floe__trace *t);

#endif
