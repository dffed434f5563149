#include "ice/parameters.h"

#include <string.h>

#include "base/rng.h"
#include "base/status_internal.h"

/* RFC 8839 5.1: ice-char = ALPHA / DIGIT / "+" / "/": 64 of them. */
static const char ice_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool floe__ice_chars_fit(const char *text, size_t min, size_t *offset) {
  size_t len = strspn(text, ice_chars);
  *offset = len;
  if (text[len] != '\0') return false;
  *offset = FLOE_NO_OFFSET;
  return len >= min && len <= FLOE__ICE_PARAMETERS_MAX;
}

static floe_status check_one(const char *text, size_t min, const char *path, floe_error *why) {
  size_t offset = FLOE_NO_OFFSET;
  if (text == NULL) return floe__error_set(why, FLOE_E_SYNTAX, path, offset, "is missing");
  if (floe__ice_chars_fit(text, min, &offset)) return FLOE_OK;
  return floe__error_set(why, FLOE_E_SYNTAX, path, offset, "is not %zu to 256 ice-chars (RFC 8839 5.4)", min);
}

floe_status floe__ice_parameters_check(const floe_ice_parameters *p, floe_error *why) {
  floe_status st = check_one(p->ufrag, FLOE__UFRAG_MIN, "ufrag", why);
  return st == FLOE_OK ? check_one(p->pwd, FLOE__PWD_MIN, "pwd", why) : st;
}

void floe__ice_chars_draw(floe_env *env, char *out, size_t len) {
  floe__random(env, out, len);
  for (size_t i = 0; i < len; i++) out[i] = ice_chars[(unsigned char)out[i] & 63];
  out[len] = '\0';
}
