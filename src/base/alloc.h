/* Memory through the env's allocator. Every function returns NULL, or false, when there is none. */
#ifndef FLOE_BASE_ALLOC_H
#define FLOE_BASE_ALLOC_H

#include "base/env_internal.h"

void *floe__alloc(floe_env *env, size_t size);  /* uninitialised; out: caller frees with floe__free */
void *floe__zalloc(floe_env *env, size_t size); /* zeroed; out: caller frees with floe__free */
void *floe__realloc(floe_env *env, void *ptr, size_t size);
void floe__free(floe_env *env, void *ptr); /* NULL is fine */

char *floe__strdup(floe_env *env, const char *text);           /* out: caller frees with floe__free */
char *floe__strndup(floe_env *env, const void *p, size_t len); /* adds a NUL; out: caller frees with floe__free */

/* Wipes and frees: for secrets. NULL is fine. */
void floe__free_secret(floe_env *env, void *ptr, size_t len);
void floe__wipe(void *ptr, size_t len);

/* Makes room for `need` elements of `size` bytes in the array at *ptr, whose capacity is *cap; the capacity at least
 * doubles. On false nothing has changed. */
bool floe__reserve(floe_env *env, void **ptr, size_t *cap, size_t size, size_t need);

#endif
