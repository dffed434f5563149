/* floe/env.h - what a program lends to Floe: memory, randomness, a trace sink, the wall clock.
 *
 * An env and everything made from it belong to one thread at a time; different envs are independent of each other.
 * There is no global state, Floe reads no environment variable and never writes to a standard stream.
 *
 *     floe_env *env;
 *     floe_env_config cfg;
 *     floe_env_config_init(&cfg, sizeof cfg);
 *     if (floe_env_new(&env, &cfg) != FLOE_OK) return 1;
 *     floe_env_set_unix_time(env, now, unix_ms);
 *     ...
 *     floe_env_free(env);
 */
#ifndef FLOE_ENV_H
#define FLOE_ENV_H

#include "floe/status.h"
#include "floe/types.h"

/** @file
 *  The environment that a program lends to Floe. */

/** Opaque: one environment. */
typedef struct floe_env floe_env;

/** What can be lent. Set by floe_env_config_init; a NULL function stands for the default named at it. None of the
 *  functions may call back into Floe. */
typedef struct floe_env_config {
  uint32_t size; /**< sizeof the struct, set by floe_env_config_init */
  void *user;    /**< handed to each function below */
  /** As C's realloc: `ptr` NULL allocates, `size` 0 frees and returns NULL. Default: realloc and free. */
  void *(*reallocate)(void *user, void *ptr, size_t size);
  /** Fills `len` bytes with randomness fit for keys; must not fail. Default: libcrypto's generator, read in batches. */
  void (*random)(void *user, uint8_t *out, size_t len);
  /** Receives one JSON object (no line feed) per trace event; no credential is ever in it. Default: no trace. */
  void (*trace)(void *user, const char *json, size_t len);
  /** When true, traces hold IP addresses; by default they are left out. */
  bool trace_addresses;
} floe_env_config;

/** Zeroes `cfg` and sets its size. `size` is sizeof *cfg as the program was compiled. */
FLOE_API void floe_env_config_init(floe_env_config *cfg, size_t size);

/** Makes an environment.
 *  @param out  out: freed with floe_env_free
 *  @param cfg  copies; nullable (all defaults)
 *  @return FLOE_OK, FLOE_E_NOMEM, FLOE_E_TYPE (size is not one this library knows), FLOE_E_SYSTEM (no randomness) */
FLOE_API FLOE_MUST_USE floe_status floe_env_new(floe_env **out, const floe_env_config *cfg);

/** Frees an environment. All objects made from it must be gone. NULL is fine. */
FLOE_API void floe_env_free(floe_env *env);

/** Tells the wall clock: at `now` on the monotonic clock it is `unix_ms` milliseconds since 1970. Certificates and
 *  time-limited user names are judged by it. Call it again when the wall clock was set. Without it certificates are
 *  judged by libcrypto's own clock and no user name counts as expired. */
FLOE_API void floe_env_set_unix_time(floe_env *env, floe_time now, int64_t unix_ms);

/** The library's version, "0.1.0". Any thread. */
FLOE_API const char *floe_version(void);

#endif
