#include "sdp/lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/status_internal.h"

#define SHOWN_MAX 32

void floe__sdp_lex_init(floe__sdp_lex *l, const char *text, size_t len, floe_error *why) {
  *l = (floe__sdp_lex){.text = text, .text_end = text + len, .next = text, .why = why};
  l->line = l->line_end = l->value = text;
}

/* --- errors ------------------------------------------------------------------------------------------------------ */

/* The word at `at`, or the one byte where that is no visible ASCII. */
static void show(const floe__sdp_lex *l, const char *at, char *out, size_t cap) {
  size_t n = 0;
  while (at + n < l->line_end && n < SHOWN_MAX && at[n] > ' ' && at[n] <= '~') n++;
  if (n > 0) {
    (void)snprintf(out, cap, "\"%.*s\"%s", (int)n, at, n == SHOWN_MAX ? "..." : "");
  } else if (at < l->line_end && *at == ' ') {
    (void)snprintf(out, cap, "a space");
  } else if (at < l->line_end) {
    (void)snprintf(out, cap, "byte 0x%02x", (unsigned)(unsigned char)*at);
  } else if (at == l->text_end) {
    (void)snprintf(out, cap, "the end of the description");
  } else {
    (void)snprintf(out, cap, "the end of the line");
  }
}

floe_status floe__sdp_lex_fail(const floe__sdp_lex *l, const char *at, const char *format, ...) {
  char expected[128], found[SHOWN_MAX + 16];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(expected, sizeof expected, format, args);
  va_end(args);
  show(l, at, found, sizeof found);
  size_t offset = (size_t)(at - l->text);
  floe_status st = floe__error_set(l->why, FLOE_E_SYNTAX, "sdp", offset, "expected %s, found %s", expected, found);
  if (l->why == NULL) return st;
  l->why->line = l->number;
  l->why->column = (uint32_t)(at - l->line) + 1;
  return st;
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

/* An empty line may stand at the end only: descriptions that were pasted have some there. */
static bool is_blank(const char *from, const char *to) {
  while (from < to && (*from == '\r' || *from == '\n')) from++;
  return from == to;
}

static void take_line(floe__sdp_lex *l) {
  l->line = l->next;
  l->number++;
  const char *feed = memchr(l->line, '\n', (size_t)(l->text_end - l->line));
  l->line_end = feed != NULL ? feed : l->text_end;
  l->next = feed != NULL ? feed + 1 : l->text_end;
  if (l->line_end > l->line && l->line_end[-1] == '\r') l->line_end--;
}

floe_status floe__sdp_lex_next(floe__sdp_lex *l) {
  take_line(l);
  l->type = '\0';
  if (l->line == l->line_end) {
    if (is_blank(l->next, l->text_end)) return FLOE_OK;
    return floe__sdp_lex_fail(l, l->line, "a line");
  }
  size_t len = (size_t)(l->line_end - l->line);
  if (l->line[0] < 'a' || l->line[0] > 'z') return floe__sdp_lex_fail(l, l->line, "the letter of a line");
  if (len < 2 || l->line[1] != '=') return floe__sdp_lex_fail(l, l->line + 1, "'='");
  const char *stray = memchr(l->line, '\r', len);
  if (stray != NULL) return floe__sdp_lex_fail(l, stray, "a line feed");
  l->type = l->line[0];
  l->value = l->line + 2;
  return FLOE_OK;
}

/* --- words ------------------------------------------------------------------------------------------------------- */

floe__sdp_slice floe__sdp_lex_word(const floe__sdp_lex *l, const char **at) {
  while (*at < l->line_end && **at == ' ') (*at)++;
  const char *from = *at;
  const char *space = memchr(from, ' ', (size_t)(l->line_end - from));
  *at = space != NULL ? space : l->line_end;
  return (floe__sdp_slice){from, (size_t)(*at - from)};
}

floe__sdp_slice floe__sdp_lex_rest(const floe__sdp_lex *l, const char *at) {
  return (floe__sdp_slice){at, (size_t)(l->line_end - at)};
}

floe_status floe__sdp_lex_end(const floe__sdp_lex *l, const char *at) {
  floe__sdp_slice more = floe__sdp_lex_word(l, &at);
  return more.len == 0 ? FLOE_OK : floe__sdp_lex_fail(l, more.ptr, "the end of the line");
}

floe_status floe__sdp_lex_token(const floe__sdp_lex *l, const char **at, const char *what, floe__sdp_slice *out) {
  *out = floe__sdp_lex_word(l, at);
  size_t n = 0;
  while (n < out->len && floe__sdp_is_token_char(out->ptr[n])) n++;
  if (n > 0 && n == out->len) return FLOE_OK;
  return floe__sdp_lex_fail(l, out->ptr + n, n == 0 ? "%s" : "%s (a token)", what);
}

floe_status floe__sdp_lex_number(const floe__sdp_lex *l, const char **at, const char *what, uint64_t max,
                                 uint64_t *out) {
  floe__sdp_slice word = floe__sdp_lex_word(l, at);
  size_t n = 0;
  *out = 0;
  for (; n < word.len && word.ptr[n] >= '0' && word.ptr[n] <= '9'; n++) {
    uint64_t digit = (uint64_t)(word.ptr[n] - '0');
    if (*out > (max - digit) / 10) {
      return floe__sdp_lex_fail(l, word.ptr, "%s up to %llu", what, (unsigned long long)max);
    }
    *out = *out * 10 + digit;
  }
  if (n > 0 && n == word.len) return FLOE_OK;
  return floe__sdp_lex_fail(l, word.ptr + n, n == 0 ? "%s" : "a digit of %s", what);
}

/* --- bytes ------------------------------------------------------------------------------------------------------- */

bool floe__sdp_is_token_char(char c) {
  return c > ' ' && c <= '~' && strchr("\"(),/:;<=>?@[\\]", c) == NULL;
}

static char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool floe__sdp_slice_is(floe__sdp_slice s, const char *word) {
  size_t i = 0;
  while (i < s.len && word[i] != '\0' && to_lower(s.ptr[i]) == to_lower(word[i])) i++;
  return i == s.len && word[i] == '\0';
}

bool floe__sdp_equal_nocase(const char *a, const char *b) {
  return floe__sdp_slice_is((floe__sdp_slice){a, strlen(a)}, b);
}
