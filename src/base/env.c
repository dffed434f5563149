#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/sized.h"

#ifndef FLOE_VERSION
#error "the build defines FLOE_VERSION"
#endif

static void *reallocate_default(void *user, void *ptr, size_t size) {
  (void)user;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return realloc(ptr, size);
}

static void random_default(void *user, uint8_t *out, size_t len) {
  (void)user;
  /* floe_env_new has checked that the generator is seeded. When it breaks afterwards no transaction id would be
   * unpredictable any more (RFC 8489 5), and there is nobody to tell: stop rather than go on with a weak one. */
  if (RAND_bytes(out, (int)len) != 1) abort();
}

void floe_env_config_init(floe_env_config *cfg, size_t size) {
  memset(cfg, 0, size);
  cfg->size = (uint32_t)size;
}

floe_status floe_env_new(floe_env **out, const floe_env_config *cfg) {
  *out = NULL;
  floe_env_config c;
  floe_env_config_init(&c, sizeof c);
  if (cfg != NULL) {
    if (!floe__take_sized(&c, sizeof c, cfg)) return FLOE_E_TYPE;
  }
  if (c.reallocate == NULL) c.reallocate = reallocate_default;
  if (c.random == NULL) {
    if (RAND_status() != 1) return FLOE_E_SYSTEM;
    c.random = random_default;
  }
  floe_env *env = c.reallocate(c.user, NULL, sizeof *env);
  if (env == NULL) return FLOE_E_NOMEM;
  memset(env, 0, sizeof *env);
  env->cfg = c;
  *out = env;
  return FLOE_OK;
}

void floe_env_free(floe_env *env) {
  if (env == NULL) return;
  if (env->tls != NULL) env->tls_free(env, env->tls);
  floe__wipe(env->random_batch, sizeof env->random_batch);
  (void)env->cfg.reallocate(env->cfg.user, env, 0);
}

void floe_env_set_unix_time(floe_env *env, floe_time now, int64_t unix_ms) {
  env->has_unix_time = true;
  env->unix_ms_at_zero = unix_ms - (int64_t)(now / FLOE_MS);
}

bool floe__env_unix_ms(const floe_env *env, floe_time now, int64_t *out) {
  if (!env->has_unix_time) return false;
  *out = env->unix_ms_at_zero + (int64_t)(now / FLOE_MS);
  return true;
}

const char *floe_version(void) {
  return FLOE_VERSION;
}
