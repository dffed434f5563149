#include "base/utf8.h"

/* How long the sequence is that begins with `b`, and the range of its second byte (Unicode, table 3-7); 0: none. */
static size_t sequence(uint8_t b, uint8_t *low, uint8_t *high) {
  *low = 0x80;
  *high = 0xBF;
  if (b < 0x80) return 1;
  if (b >= 0xC2 && b <= 0xDF) return 2;
  if (b == 0xE0) *low = 0xA0;
  if (b == 0xED) *high = 0x9F;
  if (b >= 0xE0 && b <= 0xEF) return 3;
  if (b == 0xF0) *low = 0x90;
  if (b == 0xF4) *high = 0x8F;
  return b >= 0xF0 && b <= 0xF4 ? 4 : 0;
}

static bool is_tail(const uint8_t *p, size_t n, uint8_t low, uint8_t high) {
  if (n > 1 && (p[1] < low || p[1] > high)) return false;
  for (size_t i = 2; i < n; i++) {
    if ((p[i] & 0xC0) != 0x80) return false;
  }
  return true;
}

bool floe__utf8_is_valid(floe_bytes text, size_t *offset) {
  for (size_t at = 0; at < text.len;) {
    uint8_t low, high;
    size_t n = sequence(text.ptr[at], &low, &high);
    if (n == 0 || n > text.len - at || !is_tail(text.ptr + at, n, low, high)) {
      *offset = at;
      return false;
    }
    at += n;
  }
  return true;
}
