/* One round of checking: gather, then send data through the relays. */
#ifndef FLOE_CLI_ROUND_H
#define FLOE_CLI_ROUND_H

#include "result.h"
#include "session.h"

/* How a round is made. */
typedef struct floe__round_plan {
  const floe_ice_config *cfg; /* checked before */
  size_t n_asked;             /* servers from this index on are derived by --all */
  bool relay_test;
  void (*on_event)(const floe_event *event, void *user); /* nullable */
  void (*on_step)(const char *step, void *user);         /* nullable: what is being done now, for the progress line */
  void *user;
} floe__round_plan;

typedef struct floe__round {
  floe_uv_ice_agent *agent; /* NULL once closed */
  bool complete;            /* gathering is */
  floe__check_result result;
  const floe__round_plan *plan;
} floe__round;

typedef enum floe__round_end {
  FLOE__ROUND_DONE = 0,
  FLOE__ROUND_STOPPED, /* the session is to stop: there is no result */
  FLOE__ROUND_REFUSED  /* the agent could not be made: `why` */
} floe__round_end;

/* Runs a round. Whatever the end, floe__round_close afterwards: it deletes the allocations and waits for that. */
floe__round_end floe__round_run(floe__round *round, floe__session *s, const floe__round_plan *plan, floe_error *why);
void floe__round_close(floe__round *round, floe__session *s);

/* Closes an agent and waits until its allocations are deleted, at most some seconds. NULL is fine. */
void floe__round_close_agent(floe__session *s, floe_uv_ice_agent *agent);

#endif
