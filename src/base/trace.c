#include "base/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Appends when all of it fits, and leaves room for the closing brace: a line is complete JSON or lacks whole members.
 */
static void append(floe__trace *t, const char *text, size_t len) {
  if (len > sizeof t->buf - 2 - t->len) return;
  memcpy(t->buf + t->len, text, len);
  t->len += len;
}

/* A peer's words may be no UTF-8, which JSON must be; and a cut must not be in the middle of a character. */
static size_t escape(char *out, size_t cap, const char *value) {
  size_t n = 0, offset;
  bool is_utf8 = floe__utf8_is_valid((floe_bytes){(const uint8_t *)value, strlen(value)}, &offset);
  for (const char *p = value; *p != '\0'; p++) {
    unsigned char c = (unsigned char)*p;
    bool is_inside = is_utf8 && (c & 0xc0) == 0x80;
    if (n + 7 >= cap && !is_inside) break;
    if (c == '"' || c == '\\') {
      out[n++] = '\\';
      out[n++] = (char)c;
    } else if (c >= 0x80 && !is_utf8) {
      n += (size_t)snprintf(out + n, cap - n, "\\ufffd");
    } else if (c < 0x20 || c == 0x7f) {
      n += (size_t)snprintf(out + n, cap - n, "\\u%04x", c);
    } else {
      out[n++] = (char)c;
    }
  }
  out[n] = '\0';
  return n;
}

bool floe__trace_begin(floe__trace *t, floe_env *env, floe_time now, const char *event) {
  if (env->cfg.trace == NULL) return false;
  t->env = env;
  int n = snprintf(t->buf, sizeof t->buf, "{\"t_ms\":%.3f,\"event\":\"%s\"", (double)now / (double)FLOE_MS, event);
  t->len = (size_t)n;
  if (env->trace_agent != 0) floe__trace_int(t, "agent", env->trace_agent);
  return true;
}

void floe__trace_text(floe__trace *t, const char *key, const char *value) {
  if (value == NULL) return;
  char escaped[400];
  char member[480];
  (void)escape(escaped, sizeof escaped, value);
  int n = snprintf(member, sizeof member, ",\"%.40s\":\"%s\"", key, escaped);
  append(t, member, (size_t)n);
}

void floe__trace_int(floe__trace *t, const char *key, int64_t value) {
  char member[80];
  int n = snprintf(member, sizeof member, ",\"%.40s\":%" PRId64, key, value);
  append(t, member, (size_t)n);
}

void floe__trace_addr(floe__trace *t, const char *key, const floe_addr *addr) {
  if (!t->env->cfg.trace_addresses || addr->family == FLOE_FAMILY_NONE) return;
  char text[FLOE_ADDR_TEXT];
  floe__trace_text(t, key, floe_addr_format(addr, text));
}

void floe__trace_end(floe__trace *t) {
  t->buf[t->len++] = '}';
  t->env->cfg.trace(t->env->cfg.user, t->buf, t->len);
}
