/* Randomness from the env, drawn in batches: RAND_bytes costs as much for 12 bytes as for 512. */
#ifndef FLOE_BASE_RNG_H
#define FLOE_BASE_RNG_H

#include "base/env_internal.h"

void floe__random(floe_env *env, void *out, size_t len);

/* Uniform in 0 .. below-1; `below` is at least 1. */
uint32_t floe__random_below(floe_env *env, uint32_t below);

#endif
