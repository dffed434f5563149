/* Memory for the driver: what the program lends to the env, or the C library's. */
#ifndef FLOE_UV_MEM_H
#define FLOE_UV_MEM_H

#include <stddef.h>

#include "floe/env.h"

typedef struct floe__uv_mem {
  void *(*reallocate)(void *user, void *ptr, size_t size);
  void *user;
} floe__uv_mem;

floe__uv_mem floe__uv_mem_of(const floe_env_config *cfg /* nullable */);

void *floe__uv_alloc(const floe__uv_mem *mem, size_t size);  /* uninitialised; out: caller frees with floe__uv_free */
void *floe__uv_zalloc(const floe__uv_mem *mem, size_t size); /* zeroed; out: caller frees with floe__uv_free */
void floe__uv_free(const floe__uv_mem *mem, void *ptr);      /* NULL is fine */

/* Makes room for `need` elements of `size` bytes in the array at *ptr, whose capacity is *cap; the capacity at least
 * doubles. On false nothing has changed. */
bool floe__uv_reserve(const floe__uv_mem *mem, void **ptr, size_t *cap, size_t size, size_t need);

#endif
