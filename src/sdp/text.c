#include "sdp/text.h"

#include <stdio.h>
#include <string.h>

#define FIRST_ROOM 1024

/* Not by realloc: a password stands in what is left behind. */
static bool grow(floe__sdp_text *t, size_t need) {
  size_t cap = t->cap == 0 ? FIRST_ROOM : t->cap;
  while (cap < need) cap *= 2;
  char *room = floe__alloc(t->env, cap);
  if (room == NULL) return false;
  if (t->len > 0) memcpy(room, t->ptr, t->len);
  floe__free_secret(t->env, t->ptr, t->len);
  t->ptr = room;
  t->cap = cap;
  return true;
}

void floe__sdp_put(floe__sdp_text *t, const char *from, size_t len) {
  if (t->bad || len == 0) return;
  if (len > SIZE_MAX / 4 || (t->cap - t->len < len && !grow(t, t->len + len))) {
    t->bad = true;
    return;
  }
  memcpy(t->ptr + t->len, from, len);
  t->len += len;
}

void floe__sdp_puts(floe__sdp_text *t, const char *text) {
  floe__sdp_put(t, text, strlen(text));
}

void floe__sdp_put_line(floe__sdp_text *t, const char *const *texts) {
  for (; *texts != NULL; texts++) floe__sdp_puts(t, *texts);
  floe__sdp_puts(t, "\r\n");
}

bool floe__sdp_text_take(floe__sdp_text *t, char **out) {
  floe__sdp_put(t, "", 1);
  *out = t->bad ? NULL : t->ptr;
  if (t->bad) floe__free_secret(t->env, t->ptr, t->len);
  bool has_all = !t->bad;
  *t = (floe__sdp_text){.env = t->env};
  return has_all;
}

floe__sdp_digits floe__sdp_digits_of(uint64_t n) {
  floe__sdp_digits d;
  (void)snprintf(d.text, sizeof d.text, "%llu", (unsigned long long)n);
  return d;
}
