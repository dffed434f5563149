#include "connect_name.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"

static floe_bytes last_part(floe_bytes name) {
  for (size_t i = name.len; i > 0; i--) {
    uint8_t c = name.ptr[i - 1];
    if (c == '/' || c == '\\') return (floe_bytes){name.ptr + i, name.len - i};
  }
  return name;
}

/* At most `max` bytes of the text, not in the middle of a character. */
static size_t cut(const char *text, size_t max) {
  size_t len = strlen(text);
  if (len <= max) return len;
  for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--) continue;
  return len;
}

static bool ends_with(const char *text, const char *suffix) {
  size_t len = strlen(text), n = strlen(suffix);
  return len >= n && strcmp(text + len - n, suffix) == 0;
}

void floe__name_sanitise(char *out, floe_bytes name) {
  floe_bytes part = last_part(name);
  char *copy = floe__cli_strndup(part.len == 0 ? "" : (const char *)part.ptr, part.len);
  for (size_t i = 0; i < part.len; i++) {
    if (copy[i] == '\0') copy[i] = '_';
  }
  char *clean = floe__text_clean(copy); /* a shell and a terminal are to survive it */
  size_t len = cut(clean, FLOE__NAME_MAX - 1);
  memcpy(out, clean, len);
  out[len] = '\0';
  if (len == 0) memcpy(out, "unnamed", sizeof "unnamed");
  if (out[0] == '.' || out[0] == '-') out[0] = '_';
  if (ends_with(out, FLOE__PART_SUFFIX)) memcpy(out + len, "_", 2);
  free(clean);
  free(copy);
}
