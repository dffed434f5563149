#include "stun/error_code.h"

#include <stdio.h>
#include <string.h>

/* --- reason phrases -------------------------------------------------------------------------------------------- */

const char *floe__stun_reason(unsigned code) {
  static const struct {
    uint16_t code;
    const char *phrase;
  } registry[] = {
      {300, "Try Alternate"},
      {400, "Bad Request"},
      {401, "Unauthenticated"},
      {403, "Forbidden"},
      {405, "Mobility Forbidden"},
      {420, "Unknown Attribute"},
      {437, "Allocation Mismatch"},
      {438, "Stale Nonce"},
      {440, "Address Family not Supported"},
      {441, "Wrong Credentials"},
      {442, "Unsupported Transport Protocol"},
      {443, "Peer Address Family Mismatch"},
      {446, "Connection Already Exists"},
      {447, "Connection Timeout or Failure"},
      {486, "Allocation Quota Reached"},
      {487, "Role Conflict"},
      {500, "Server Error"},
      {508, "Insufficient Capacity"},
  };
  for (size_t i = 0; i < sizeof registry / sizeof registry[0]; i++) {
    if (registry[i].code == code) return registry[i].phrase;
  }
  return "Unknown error";
}

/* --- text of the network ---------------------------------------------------------------------------------------- */

#define REPLACEMENT 0xFFFDu

/* What a lead byte asks for: how many bytes follow, and the range of the first of them (the Unicode Standard's table
 * 3-7, which is what the WHATWG decoder keeps as its lower and upper boundary). */
typedef struct lead {
  unsigned more;
  uint8_t low, high;
} lead;

static lead lead_of(uint8_t b) {
  if (b >= 0xC2 && b <= 0xDF) return (lead){1, 0x80, 0xBF};
  if (b == 0xE0) return (lead){2, 0xA0, 0xBF};
  if (b == 0xED) return (lead){2, 0x80, 0x9F}; /* no surrogates */
  if (b >= 0xE1 && b <= 0xEF) return (lead){2, 0x80, 0xBF};
  if (b == 0xF0) return (lead){3, 0x90, 0xBF};
  if (b == 0xF4) return (lead){3, 0x80, 0x8F}; /* up to U+10FFFF */
  if (b >= 0xF1 && b <= 0xF3) return (lead){3, 0x80, 0xBF};
  return (lead){0, 0, 0};
}

/* The next code point, or U+FFFD for a maximal subpart of one: the byte that does not continue it is read again. */
static uint32_t next_code_point(floe__reader *r) {
  uint8_t b = floe__rd_u8(r);
  if (b < 0x80) return b;
  lead l = lead_of(b);
  if (l.more == 0) return REPLACEMENT;
  uint32_t cp = b & (0x3Fu >> l.more);
  for (unsigned i = 0; i < l.more; i++) {
    uint8_t low = i == 0 ? l.low : 0x80;
    uint8_t high = i == 0 ? l.high : 0xBF;
    if (floe__rd_left(r) == 0 || *r->at < low || *r->at > high) return REPLACEMENT;
    cp = cp << 6 | (floe__rd_u8(r) & 0x3Fu);
  }
  return cp;
}

static bool is_control(uint32_t cp) {
  return cp < 0x20 || (cp >= 0x7F && cp <= 0x9F);
}

/* Writes UTF-8; returns the number of bytes, 1 to 4. */
static size_t encode(char out[4], uint32_t cp) {
  if (cp < 0x80) {
    out[0] = (char)cp;
    return 1;
  }
  size_t more = cp < 0x800 ? 1 : cp < 0x10000 ? 2 : 3;
  uint32_t mark = more == 1 ? 0xC0 : more == 2 ? 0xE0 : 0xF0;
  out[0] = (char)(mark | cp >> (6 * more));
  for (size_t i = 1; i <= more; i++) out[i] = (char)(0x80 | (cp >> (6 * (more - i)) & 0x3F));
  return more + 1;
}

/* The contract's section 1: coturn counts padding into the phrase. And WHATWG's "UTF-8 decode" drops a byte order mark.
 */
static floe_bytes trim(floe_bytes raw) {
  while (raw.len > 0 && raw.ptr[raw.len - 1] == 0) raw.len--;
  if (raw.len < 3 || memcmp(raw.ptr, "\xEF\xBB\xBF", 3) != 0) return raw;
  return (floe_bytes){raw.ptr + 3, raw.len - 3};
}

size_t floe__stun_decode_text(char *out, size_t cap, floe_bytes raw) {
  if (cap == 0) return 0;
  floe__reader r = floe__reader_of(trim(raw));
  size_t len = 0;
  while (floe__rd_left(&r) > 0) {
    uint32_t cp = next_code_point(&r);
    char utf8[4];
    size_t n = encode(utf8, is_control(cp) ? REPLACEMENT : cp);
    if (n > cap - 1 - len) break; /* cut at a character boundary */
    memcpy(out + len, utf8, n);
    len += n;
  }
  out[len] = '\0';
  return len;
}

/* --- attributes -------------------------------------------------------------------------------------------------- */

/* RFC 8489 14.8: 21 bits (RFC 8656 18.12: the family and 13) are reserved, then the class and the number. */
static bool read_code(floe__reader *r, uint8_t *first, uint16_t *code) {
  *first = floe__rd_u8(r);
  (void)floe__rd_u8(r);
  unsigned cls = floe__rd_u8(r) & 7u;
  unsigned number = floe__rd_u8(r);
  *code = (uint16_t)(cls * 100 + number);
  return !r->bad && cls >= 3 && cls <= 6 && number <= 99;
}

bool floe__stun_get_error(const floe__stun_msg *m, floe__stun_error *out) {
  floe__reader r = floe__reader_of(floe__stun_get(m, FLOE__STUN_ERROR_CODE));
  uint8_t reserved;
  if (!read_code(&r, &reserved, &out->code)) return false;
  floe_bytes phrase = floe__rd_take(&r, floe__rd_left(&r));
  if (floe__stun_decode_text(out->reason, sizeof out->reason, phrase) == 0) {
    (void)snprintf(out->reason, sizeof out->reason, "%s", floe__stun_reason(out->code));
  }
  return true;
}

bool floe__stun_get_address_error(const floe__stun_msg *m, floe_family *family, uint16_t *code) {
  floe__reader r = floe__reader_of(floe__stun_get(m, FLOE__STUN_ADDRESS_ERROR_CODE));
  uint8_t wire;
  if (!read_code(&r, &wire, code)) return false;
  if (wire != 1 && wire != 2) return false;
  *family = wire == 1 ? FLOE_FAMILY_IPV4 : FLOE_FAMILY_IPV6;
  return true;
}

bool floe__stun_names_unknown(const floe__stun_msg *m, uint16_t type) {
  floe__reader r = floe__reader_of(floe__stun_get(m, FLOE__STUN_UNKNOWN_ATTRIBUTES));
  while (floe__rd_left(&r) >= 2) {
    if (floe__rd_u16(&r) == type) return true;
  }
  return false;
}
