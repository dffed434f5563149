#include "trace_index.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

typedef struct floe__trace_slot {
  uint64_t a, b;
  size_t place_plus_1; /* 0 = free */
} slot;

/* The finalizer of splitmix64: neighbouring numbers end far apart. */
static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}

static slot *find_slot(slot *slots, size_t cap, uint64_t a, uint64_t b) {
  size_t at = (size_t)mix(mix(a) + b) & (cap - 1);
  while (slots[at].place_plus_1 != 0 && (slots[at].a != a || slots[at].b != b)) at = (at + 1) & (cap - 1);
  return &slots[at];
}

size_t floe__trace_index_find(const floe__trace_index *x, uint64_t a, uint64_t b) {
  if (x->cap == 0) return FLOE__TRACE_NOWHERE;
  const slot *s = find_slot(x->slots, x->cap, a, b);
  return s->place_plus_1 == 0 ? FLOE__TRACE_NOWHERE : s->place_plus_1 - 1;
}

static void grow(floe__trace_index *x) {
  size_t cap = x->cap == 0 ? 64 : 2 * x->cap;
  slot *slots = floe__cli_alloc(cap * sizeof *slots);
  for (size_t i = 0; i < x->cap; i++) {
    const slot *s = &x->slots[i];
    if (s->place_plus_1 != 0) *find_slot(slots, cap, s->a, s->b) = *s;
  }
  free(x->slots);
  x->slots = slots;
  x->cap = cap;
}

void floe__trace_index_set(floe__trace_index *x, uint64_t a, uint64_t b, size_t place) {
  if (2 * (x->n + 1) > x->cap) grow(x);
  *find_slot(x->slots, x->cap, a, b) = (slot){a, b, place + 1};
  x->n++;
}

void floe__trace_index_clear(floe__trace_index *x) {
  free(x->slots);
  memset(x, 0, sizeof *x);
}
