#include "uv/mem.h"

#include <stdlib.h>
#include <string.h>

static void *reallocate_default(void *user, void *ptr, size_t size) {
  (void)user;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return realloc(ptr, size);
}

floe__uv_mem floe__uv_mem_of(const floe_env_config *cfg) {
  if (cfg == NULL || cfg->reallocate == NULL) return (floe__uv_mem){reallocate_default, NULL};
  return (floe__uv_mem){cfg->reallocate, cfg->user};
}

void *floe__uv_alloc(const floe__uv_mem *mem, size_t size) {
  return mem->reallocate(mem->user, NULL, size == 0 ? 1 : size);
}

void *floe__uv_zalloc(const floe__uv_mem *mem, size_t size) {
  void *p = floe__uv_alloc(mem, size);
  if (p != NULL) memset(p, 0, size);
  return p;
}

void floe__uv_free(const floe__uv_mem *mem, void *ptr) {
  if (ptr != NULL) (void)mem->reallocate(mem->user, ptr, 0);
}

bool floe__uv_reserve(const floe__uv_mem *mem, void **ptr, size_t *cap, size_t size, size_t need) {
  if (need <= *cap) return true;
  size_t grown = *cap < 2 ? 2 : *cap * 2;
  if (grown < need) grown = need;
  if (grown > SIZE_MAX / size) return false;
  void *p = mem->reallocate(mem->user, *ptr, grown * size);
  if (p == NULL) return false;
  *ptr = p;
  *cap = grown;
  return true;
}
