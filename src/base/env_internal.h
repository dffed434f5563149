/* The inside of floe_env: what the lower folders may use of it. */
#ifndef FLOE_BASE_ENV_INTERNAL_H
#define FLOE_BASE_ENV_INTERNAL_H

#include "floe/env.h"

#define FLOE__RANDOM_BATCH 512

struct floe_env {
  floe_env_config cfg;
  bool has_unix_time;
  int64_t unix_ms_at_zero; /* wall clock at monotonic time 0, in ms since 1970 */
  uint8_t random_batch[FLOE__RANDOM_BATCH];
  size_t random_left;   /* unused bytes at the end of random_batch */
  uint32_t n_agents;    /* made so far: agents are numbered from 1 */
  uint32_t trace_agent; /* the agent that runs now, for traces; 0 = none */
  void *tls;            /* what src/tls shares between sessions; nullable */
  void (*tls_free)(floe_env *env, void *tls);
};

/* Wall clock at `now` in ms since 1970; false when the program never told it. */
bool floe__env_unix_ms(const floe_env *env, floe_time now, int64_t *out);

#endif
