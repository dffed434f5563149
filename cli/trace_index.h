/* From two numbers to a place in an array: who is meant by "pair 3 of agent 1". */
#ifndef FLOE_CLI_TRACE_INDEX_H
#define FLOE_CLI_TRACE_INDEX_H

#include <stddef.h>
#include <stdint.h>

typedef struct floe__trace_index {
  struct floe__trace_slot *slots;
  size_t cap; /* 0, or a power of two */
  size_t n;
} floe__trace_index;

#define FLOE__TRACE_NOWHERE SIZE_MAX

/* The place that was set for (a, b), or FLOE__TRACE_NOWHERE. */
size_t floe__trace_index_find(const floe__trace_index *x, uint64_t a, uint64_t b);
/* (a, b) must not be there yet. */
void floe__trace_index_set(floe__trace_index *x, uint64_t a, uint64_t b, size_t place);
void floe__trace_index_clear(floe__trace_index *x);

#endif
