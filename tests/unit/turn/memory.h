/* An env whose memory is counted and may run out, and whose randomness is a seed's. */
#ifndef FLOE_TESTS_UNIT_TURN_MEMORY_H
#define FLOE_TESTS_UNIT_TURN_MEMORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those before it */
#include <cmocka.h>

#include "base/alloc.h"

typedef struct memory {
  floe_env *env;
  uint64_t live;    /* blocks not given back */
  uint64_t calls;   /* that asked for memory */
  uint64_t fail_at; /* this call gets none; 0 = every one does */
  uint64_t seed;
} memory;

static void *memory_reallocate(void *user, void *ptr, size_t size) {
  memory *m = user;
  if (size == 0) {
    if (ptr != NULL) m->live--;
    free(ptr);
    return NULL;
  }
  if (++m->calls == m->fail_at) return NULL;
  void *p = realloc(ptr, size);
  assert_non_null(p);
  if (ptr == NULL) m->live++;
  return p;
}

static uint64_t memory_next(uint64_t *seed) { /* splitmix64 */
  uint64_t z = *seed += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

static void memory_random(void *user, uint8_t *out, size_t len) {
  memory *m = user;
  for (size_t i = 0; i < len; i++) out[i] = (uint8_t)memory_next(&m->seed);
}

static inline void memory_init(memory *m) {
  *m = (memory){.seed = 1};
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = m;
  cfg.reallocate = memory_reallocate;
  cfg.random = memory_random;
  assert_int_equal(floe_env_new(&m->env, &cfg), FLOE_OK);
  m->calls = 0;
}

/* All that was taken must have been given back. */
static inline void memory_clear(memory *m) {
  assert_int_equal(m->live, 1); /* the env itself */
  floe_env_free(m->env);
  assert_int_equal(m->live, 0);
}

#endif
