/* Randomness from the env, drawn in batches: RAND_bytes costs as much for 12 bytes as for 512. */
#ifndef FLOE_BASE_RNG_H
#define FLOE_BASE_RNG_H

#include "base/env_internal.h"

void floe__random(floe_env *env, void *out, size_t len);

/* Uniform in 0 .. below-1; `below` is at least 1. */
uint32_t floe__random_below(floe_env *env, uint32_t below);

/* `len` characters of RFC 8445's ice-char alphabet and a NUL. */
void floe__random_ice_chars(floe_env *env, char *out, size_t len);

#endif
