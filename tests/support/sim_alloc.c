#include "support/sim_alloc.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TRACE (8u << 20)

/* In front of each block. */
struct sim_block {
  sim_block *prev, *next;
  size_t size;
  uint64_t number; /* of the call that made it */
};

typedef union header {
  sim_block block;
  max_align_t align;
} header;

void sim_alloc_init(sim_alloc *a) {
  memset(a, 0, sizeof *a);
}

static void link_block(sim_alloc *a, sim_block *b) {
  b->prev = NULL;
  b->next = a->blocks;
  if (b->next != NULL) b->next->prev = b;
  a->blocks = b;
  a->live_blocks++;
  a->live_bytes += b->size;
  if (a->live_bytes > a->peak_bytes) a->peak_bytes = a->live_bytes;
}

static void unlink_block(sim_alloc *a, sim_block *b) {
  if (b->prev != NULL) {
    b->prev->next = b->next;
  } else {
    a->blocks = b->next;
  }
  if (b->next != NULL) b->next->prev = b->prev;
  a->live_blocks--;
  a->live_bytes -= b->size;
}

static void free_block(sim_alloc *a, void *ptr) {
  if (ptr == NULL) return;
  header *h = (header *)ptr - 1;
  unlink_block(a, &h->block);
  free(h);
}

static bool is_failing(sim_alloc *a) {
  a->calls++;
  if (a->calls != a->fail_at && (a->fail_from == 0 || a->calls < a->fail_from)) return false;
  a->failed++;
  return true;
}

void *sim_alloc_reallocate(void *user, void *ptr, size_t size) {
  sim_alloc *a = user;
  if (size == 0) {
    free_block(a, ptr);
    return NULL;
  }
  if (is_failing(a)) return NULL;
  /* Always a new block, so that a pointer kept over a reallocation is found by AddressSanitizer. */
  header *h = sim_must(malloc(sizeof *h + size));
  h->block = (sim_block){.size = size, .number = a->calls};
  link_block(a, &h->block);
  if (ptr != NULL) {
    size_t old = ((header *)ptr - 1)->block.size;
    memcpy(h + 1, ptr, old < size ? old : size);
    free_block(a, ptr);
  }
  return h + 1;
}

uint64_t sim_alloc_report_leaks(sim_alloc *a) {
  uint64_t n = a->live_blocks;
  while (a->blocks != NULL) {
    (void)fprintf(stderr, "leak: %zu bytes of allocation %llu\n", a->blocks->size,
                  (unsigned long long)a->blocks->number);
    free_block(a, (header *)(void *)a->blocks + 1);
  }
  return n;
}

/* --- the env --------------------------------------------------------------------------------------------------- */

static void fill_random(void *user, uint8_t *out, size_t len) {
  sim_env *e = user;
  for (size_t i = 0; i < len; i++) out[i] = (uint8_t)(sim_rng_next(&e->rng) >> 32);
}

static void *reallocate(void *user, void *ptr, size_t size) {
  sim_env *e = user;
  return sim_alloc_reallocate(&e->alloc, ptr, size);
}

static void keep_trace(void *user, const char *json, size_t len) {
  sim_env *e = user;
  if (e->trace_len + len + 2 > MAX_TRACE) return;
  if (e->trace_len + len + 2 > e->trace_cap) {
    e->trace_cap = 2 * (e->trace_len + len + 2);
    e->trace = sim_must(realloc(e->trace, e->trace_cap));
  }
  memcpy(e->trace + e->trace_len, json, len);
  e->trace_len += len;
  e->trace[e->trace_len++] = '\n';
  e->trace[e->trace_len] = '\0';
}

sim_env *sim_env_new_failing(const sim *s, uint64_t stream, uint64_t fail_at, uint64_t fail_from) {
  sim_env *e = sim_must(calloc(1, sizeof *e));
  sim_alloc_init(&e->alloc);
  e->alloc.fail_at = fail_at;
  e->alloc.fail_from = fail_from;
  e->rng = sim_rng_of(s, stream);
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = e;
  cfg.reallocate = reallocate;
  cfg.random = fill_random;
  cfg.trace = keep_trace;
  cfg.trace_addresses = true;
  if (floe_env_new(&e->env, &cfg) != FLOE_OK) e->env = NULL;
  return e;
}

sim_env *sim_env_new(const sim *s, uint64_t stream) {
  return sim_env_new_failing(s, stream, 0, 0);
}

uint64_t sim_env_free(sim_env *e) {
  if (e == NULL) return 0;
  floe_env_free(e->env);
  uint64_t leaks = sim_alloc_report_leaks(&e->alloc);
  free(e->trace);
  free(e);
  return leaks;
}
