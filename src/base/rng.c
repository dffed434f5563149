#include "base/rng.h"

#include <string.h>

#include "base/alloc.h"

static void refill(floe_env *env) {
  env->cfg.random(env->cfg.user, env->random_batch, sizeof env->random_batch);
  env->random_left = sizeof env->random_batch;
}

void floe__random(floe_env *env, void *out, size_t len) {
  uint8_t *p = out;
  while (len > 0) {
    if (env->random_left == 0) refill(env);
    size_t n = len < env->random_left ? len : env->random_left;
    uint8_t *from = env->random_batch + sizeof env->random_batch - env->random_left;
    memcpy(p, from, n);
    floe__wipe(from, n); /* what was handed out is not kept */
    env->random_left -= n;
    p += n;
    len -= n;
  }
}

uint32_t floe__random_below(floe_env *env, uint32_t below) {
  /* Values under the remainder of 2^32 / below would come up once more often than the others: draw again. */
  uint32_t remainder = (UINT32_MAX - below + 1) % below;
  uint32_t v;
  do {
    floe__random(env, &v, sizeof v);
  } while (v < remainder);
  return v % below;
}
