/* An env whose memory is counted and can run out, whose randomness is seeded and whose trace is kept. */
#ifndef FLOE_TESTS_SIM_ALLOC_H
#define FLOE_TESTS_SIM_ALLOC_H

#include "floe/env.h"
#include "support/sim.h"

typedef struct sim_block sim_block;

typedef struct sim_alloc {
  uint64_t calls;     /* allocations and reallocations so far, freeing not counted */
  uint64_t fail_at;   /* this call fails, counted from 1; 0 = none */
  uint64_t fail_from; /* this call and every later one fail; 0 = none */
  uint64_t failed;    /* how many did */
  uint64_t live_blocks, live_bytes, peak_bytes;
  sim_block *blocks;
} sim_alloc;

void sim_alloc_init(sim_alloc *a);
/* For floe_env_config.reallocate, with the sim_alloc as its user. */
void *sim_alloc_reallocate(void *user, void *ptr, size_t size);
/* Prints what is left, by the number of the call that made it, and gives it back. Returns how many blocks there were.
 */
uint64_t sim_alloc_report_leaks(sim_alloc *a);

typedef struct sim_env {
  floe_env *env;
  sim_alloc alloc;
  sim_rng rng;
  char *trace; /* the lines so far; nullable */
  size_t trace_len, trace_cap;
} sim_env;

/* Makes the env; NULL in `env` when its memory ran out. `stream` tells the endpoints of one simulation apart. */
sim_env *sim_env_new(const sim *s, uint64_t stream);
/* The same, with memory that fails at a call: the env itself is the first. */
sim_env *sim_env_new_failing(const sim *s, uint64_t stream, uint64_t fail_at, uint64_t fail_from);
/* Frees the env; returns how many blocks were not given back. */
uint64_t sim_env_free(sim_env *e);

#endif
