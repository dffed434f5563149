#include "base/alloc.h"

#include <openssl/crypto.h>
#include <string.h>

void *floe__realloc(floe_env *env, void *ptr, size_t size) {
  return env->cfg.reallocate(env->cfg.user, ptr, size);
}

void *floe__alloc(floe_env *env, size_t size) {
  return floe__realloc(env, NULL, size == 0 ? 1 : size);
}

void *floe__zalloc(floe_env *env, size_t size) {
  void *p = floe__alloc(env, size);
  if (p != NULL) memset(p, 0, size);
  return p;
}

void floe__free(floe_env *env, void *ptr) {
  if (ptr != NULL) (void)floe__realloc(env, ptr, 0);
}

char *floe__strndup(floe_env *env, const void *p, size_t len) {
  char *copy = floe__alloc(env, len + 1);
  if (copy == NULL) return NULL;
  if (len > 0) memcpy(copy, p, len);
  copy[len] = '\0';
  return copy;
}

char *floe__strdup(floe_env *env, const char *text) {
  return floe__strndup(env, text, strlen(text));
}

void floe__wipe(void *ptr, size_t len) {
  if (ptr != NULL) OPENSSL_cleanse(ptr, len);
}

void floe__free_secret(floe_env *env, void *ptr, size_t len) {
  floe__wipe(ptr, len);
  floe__free(env, ptr);
}

bool floe__reserve(floe_env *env, void **ptr, size_t *cap, size_t size, size_t need) {
  if (need <= *cap) return true;
  size_t grown = *cap < 4 ? 4 : *cap * 2;
  if (grown < need) grown = need;
  if (grown > SIZE_MAX / size) return false;
  void *p = floe__realloc(env, *ptr, grown * size);
  if (p == NULL) return false;
  *ptr = p;
  *cap = grown;
  return true;
}
