#include "sdp/arena.h"

#include <stdalign.h>
#include <string.h>

#define FIRST_CHUNK   4096
#define LARGEST_CHUNK ((size_t)256 * 1024)

struct floe__arena_chunk {
  floe__arena_chunk *older;
  size_t cap, used;
  alignas(max_align_t) unsigned char bytes[];
};

void floe__arena_init(floe__arena *a, floe_env *env) {
  *a = (floe__arena){.env = env};
}

void floe__arena_clear(floe__arena *a) {
  while (a->chunks != NULL) {
    floe__arena_chunk *gone = a->chunks;
    a->chunks = gone->older;
    floe__free_secret(a->env, gone, sizeof *gone + gone->cap);
  }
}

static bool add_chunk(floe__arena *a, size_t size) {
  size_t cap = a->chunks == NULL ? FIRST_CHUNK : a->chunks->cap * 2;
  if (cap > LARGEST_CHUNK) cap = LARGEST_CHUNK;
  if (cap < size) cap = size;
  floe__arena_chunk *chunk = floe__alloc(a->env, sizeof *chunk + cap);
  if (chunk == NULL) return false;
  *chunk = (floe__arena_chunk){.older = a->chunks, .cap = cap};
  a->chunks = chunk;
  return true;
}

void *floe__arena_alloc(floe__arena *a, size_t size) {
  const size_t unit = alignof(max_align_t);
  if (size > SIZE_MAX / 4) return NULL;
  size = (size + unit - 1) / unit * unit;
  if ((a->chunks == NULL || size > a->chunks->cap - a->chunks->used) && !add_chunk(a, size)) return NULL;
  void *p = a->chunks->bytes + a->chunks->used;
  a->chunks->used += size;
  return p;
}

char *floe__arena_strndup(floe__arena *a, const char *text, size_t len) {
  char *copy = floe__arena_alloc(a, len + 1);
  if (copy == NULL) return NULL;
  if (len > 0) memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

void *floe__arena_add(floe__arena *a, floe__arena_list *list, size_t size) {
  if (list->n == list->cap) {
    size_t cap = list->cap == 0 ? 4 : list->cap * 2;
    void *items = floe__arena_alloc(a, cap * size);
    if (items == NULL) return NULL;
    if (list->n > 0) memcpy(items, list->items, list->n * size);
    list->items = items;
    list->cap = cap;
  }
  return (unsigned char *)list->items + size * list->n++;
}
