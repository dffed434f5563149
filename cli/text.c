#include "text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mem.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Length of the character at `p` and its code point; 0 when the bytes are no UTF-8 (RFC 3629 4). */
static size_t decode_utf8(const unsigned char *p, size_t len, uint32_t *code) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
  if (n == 0 || n > len) return 0;
  uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
  for (size_t i = 1; i < n; i++) {
    if ((p[i] & 0xc0) != 0x80) return 0;
    c = c << 6 | (p[i] & 0x3fU);
  }
  if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return 0;
  *code = c;
  return n;
}

static bool is_harmful(uint32_t code) {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  return code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static char *copy_text(const char *text, bool drop_harmful) {
  const unsigned char *p = (const unsigned char *)text;
  size_t len = strlen(text);
  char *out = floe__cli_alloc(3 * len + 1);
  size_t at = 0;
  while (len > 0) {
    uint32_t code = 0;
    size_t n = decode_utf8(p, len, &code);
    bool keep = n != 0 && !(drop_harmful && is_harmful(code));
    size_t width = keep ? n : sizeof replacement - 1;
    memcpy(out + at, keep ? (const char *)p : replacement, width);
    at += width;
    if (n == 0) n = 1;
    p += n;
    len -= n;
  }
  return out;
}

char *floe__text_clean(const char *text) {
  return copy_text(text, true);
}

char *floe__text_utf8(const char *text) {
  return copy_text(text, false);
}

static const char *format_time(int64_t unix_s, const char *format, char *buf) {
  time_t t = (time_t)unix_s;
  struct tm tm;
  buf[0] = '\0';
  if (gmtime_r(&t, &tm) == NULL) return buf;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* both formats are literals a few lines below */
  if (strftime(buf, FLOE__DATE_TEXT, format, &tm) == 0) buf[0] = '\0';
#pragma GCC diagnostic pop
  return buf;
}

const char *floe__text_date(int64_t unix_s, char *buf) {
  return format_time(unix_s, "%Y-%m-%d", buf);
}

const char *floe__text_date_time(int64_t unix_s, char *buf) {
  return format_time(unix_s, "%Y-%m-%dT%H:%M:%SZ", buf);
}

const char *floe__text_span(double ms, char *buf) {
  if (ms < 0.9995) {
    (void)snprintf(buf, FLOE__SPAN_TEXT, "%.2f ms", ms);
  } else if (ms < 99.95) {
    (void)snprintf(buf, FLOE__SPAN_TEXT, "%.1f ms", ms);
  } else if (ms < 999.5) {
    (void)snprintf(buf, FLOE__SPAN_TEXT, "%.0f ms", ms);
  } else {
    (void)snprintf(buf, FLOE__SPAN_TEXT, "%.1f s", ms / 1000);
  }
  return buf;
}

char *floe__text_mask_url(const char *url) {
  char *copy = floe__cli_strdup(url);
  char *at = strrchr(copy, '@');
  char *colon = strchr(copy, ':');
  if (at == NULL) return copy;
  char *from = colon != NULL && colon < at ? colon + 1 : copy;
  while (from < at && *from == '/') from++;
  memset(from, '*', (size_t)(at - from));
  return copy;
}

void floe__text_print_wrapped(FILE *out, const char *text, size_t column, size_t indent, size_t width) {
  bool is_first = true;
  while (*text != '\0') {
    size_t word = strcspn(text, " ");
    bool breaks = !is_first && width != 0 && column + 1 + word > width;
    if (breaks) {
      (void)fprintf(out, "\n%*s", (int)indent, "");
      column = indent;
    } else if (!is_first) {
      (void)fputc(' ', out);
      column++;
    }
    (void)fprintf(out, "%.*s", (int)word, text);
    is_first = false;
    column += word;
    text += word + strspn(text + word, " ");
  }
  (void)fputc('\n', out);
}

/* Edits (insert, delete, replace, swap neighbours) from `a` to `b`; both are short words. */
static size_t edit_distance(const char *a, const char *b) {
  enum { MAX = 32 };
  size_t la = strlen(a), lb = strlen(b), d[MAX + 1][MAX + 1];
  if (la > MAX || lb > MAX) return MAX;
  for (size_t i = 0; i <= la; i++) d[i][0] = i;
  for (size_t j = 0; j <= lb; j++) d[0][j] = j;
  for (size_t i = 1; i <= la; i++) {
    for (size_t j = 1; j <= lb; j++) {
      size_t best = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      if (d[i - 1][j] + 1 < best) best = d[i - 1][j] + 1;
      if (d[i][j - 1] + 1 < best) best = d[i][j - 1] + 1;
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && d[i - 2][j - 2] + 1 < best) best = d[i - 2][j - 2] + 1;
      d[i][j] = best;
    }
  }
  return d[la][lb];
}

const char *floe__text_suggest(const char *word, const char *const *words) {
  const char *best = NULL;
  size_t best_distance = strlen(word) / 3 + 1; /* one slip in a short word, more in a long one */
  if (best_distance > 3) best_distance = 3;
  for (; *words != NULL; words++) {
    size_t distance = edit_distance(word, *words);
    if (distance < best_distance || (distance == best_distance && best == NULL)) {
      best = *words;
      best_distance = distance;
    }
  }
  return best;
}

static bool read_digits(const char **text, uint64_t *value) {
  const char *p = *text;
  uint64_t v = 0;
  for (; *p >= '0' && *p <= '9'; p++) {
    if (v > UINT32_MAX) return false;
    v = v * 10 + (uint64_t)(*p - '0');
  }
  bool any = p != *text;
  *text = p;
  *value = v;
  return any;
}

bool floe__text_number(const char *text, uint32_t min, uint32_t max, uint32_t *out) {
  uint64_t value;
  if (!read_digits(&text, &value) || *text != '\0' || value < min || value > max) return false;
  *out = (uint32_t)value;
  return true;
}

bool floe__text_seconds(const char *text, uint32_t min_ms, uint32_t max_ms, uint32_t *out_ms) {
  uint64_t value;
  if (!read_digits(&text, &value)) return false;
  value *= 1000;
  if (*text == '.') {
    uint64_t unit = 100;
    for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10) value += unit * (uint64_t)(*text - '0');
  }
  if (*text != '\0' || value < min_ms || value > max_ms) return false;
  *out_ms = (uint32_t)value;
  return true;
}
