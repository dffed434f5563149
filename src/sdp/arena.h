/* Memory that is given back all at once: what a description holds. */
#ifndef FLOE_SDP_ARENA_H
#define FLOE_SDP_ARENA_H

#include "base/alloc.h"

typedef struct floe__arena_chunk floe__arena_chunk;

typedef struct floe__arena {
  floe_env *env;
  floe__arena_chunk *chunks; /* the newest first */
} floe__arena;

/* Elements that are added one by one; their places change until the last is there. */
typedef struct floe__arena_list {
  void *items;
  size_t n, cap;
} floe__arena_list;

void floe__arena_init(floe__arena *a, floe_env *env);
void floe__arena_clear(floe__arena *a); /* wipes: passwords are in it */

void *floe__arena_alloc(floe__arena *a, size_t size); /* uninitialised, aligned for anything; NULL: out of memory */
char *floe__arena_strndup(floe__arena *a, const char *text, size_t len); /* adds a NUL */
/* Room for one more element of `size` bytes, always the same for a list; NULL: out of memory, nothing has changed. */
void *floe__arena_add(floe__arena *a, floe__arena_list *list, size_t size);

#endif
