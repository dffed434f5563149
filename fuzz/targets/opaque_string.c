/* Any text as a user name or password: what OpaqueString allows is valid UTF-8, and preparing it again changes nothing
 * (RFC 8265 4.2.2: "the rules are idempotent"). */
#include "stun/opaque_string.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static void check(floe_env *env, const char *text) {
  char *once = NULL, *twice = NULL;
  size_t offset = SIZE_MAX;
  floe__opaque_string_result result = floe__opaque_string(env, text, &once, &offset);
  FLOE__ASSERT((result == FLOE__OPAQUE_OK) == (once != NULL));
  FLOE__ASSERT(offset == 0 || offset < strlen(text));
  if (once == NULL) return;
  FLOE__ASSERT(floe__opaque_string(env, once, &twice, &offset) == FLOE__OPAQUE_OK);
  FLOE__ASSERT(strcmp(once, twice) == 0);
  floe__free_secret(env, once, strlen(once));
  floe__free_secret(env, twice, strlen(twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  floe_env *env;
  FLOE__ASSERT(floe_env_new(&env, NULL) == FLOE_OK);
  char *text = floe__strndup(env, data, size);
  FLOE__ASSERT(text != NULL);
  check(env, text);
  floe__free(env, text);
  floe_env_free(env);
  return 0;
}
