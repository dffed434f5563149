/* The ticket as a line of text: base64url in groups, each with a character that checks it, so that a damaged paste can
 * be told by its place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/reader.h"
#include "base/writer.h"
#include "connect_ticket.h"
#include "mem.h"

#define PREFIX "floe1:"
enum { PREFIX_LEN = sizeof PREFIX - 1, GROUP = 31, HEAD_LEN = 3, CRC_LEN = 4, IS_DEFLATED = 1 };
/* Every text that is not longer than FLOE__TICKET_TEXT holds less, and so does a payload that is not deflated. */
enum { BODY_MAX = FLOE__TICKET_TEXT, PAYLOAD_MAX = 8192 };

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static uint32_t crc_of(const uint8_t *p, size_t len) {
  return (uint32_t)crc32(0, p, (uInt)len);
}

/* The group's number is in it: groups that changed places are found. */
static char check_of(size_t group, const char *chars, size_t n) {
  const uint8_t number = (uint8_t)group;
  uLong crc = crc32(crc32(0, &number, 1), (const uint8_t *)chars, (uInt)n);
  return base64url[(crc ^ crc >> 6 ^ crc >> 12 ^ crc >> 18 ^ crc >> 24) & 63];
}

/* Characters that a body of `len` bytes takes, with the checks. */
static size_t text_len_of(size_t len) {
  size_t chars = (8 * len + 5) / 6;
  return chars + (chars + GROUP - 1) / GROUP;
}

/* --- deflate ------------------------------------------------------------------------------------------------------ */

/* Returns 0 when it does not fit, or the system has no memory. */
static size_t deflate_into(uint8_t *out, size_t cap, floe_bytes in) {
  z_stream z;
  memset(&z, 0, sizeof z);
  if (deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
  uint8_t *copy = floe__cli_alloc(in.len); /* zlib wants a pointer to what it does not change */
  memcpy(copy, in.ptr, in.len);
  z.next_in = copy;
  z.avail_in = (uInt)in.len;
  z.next_out = out;
  z.avail_out = (uInt)cap;
  bool done = deflate(&z, Z_FINISH) == Z_STREAM_END;
  size_t len = done ? (size_t)z.total_out : 0;
  (void)deflateEnd(&z);
  floe__cli_wipe(copy, in.len);
  free(copy);
  return len;
}

/* Returns 0 when it is no deflated data, ends early, goes on after its end, or is longer than `cap`. */
static size_t inflate_into(uint8_t *out, size_t cap, uint8_t *in, size_t len) {
  z_stream z;
  memset(&z, 0, sizeof z);
  z.next_in = in;
  z.avail_in = (uInt)len;
  if (inflateInit2(&z, -15) != Z_OK) return 0;
  z.next_out = out;
  z.avail_out = (uInt)cap;
  bool done = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0;
  size_t total = done ? (size_t)z.total_out : 0;
  (void)inflateEnd(&z);
  return total;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static size_t make_body(const floe__ticket *t, uint8_t *body, size_t cap) {
  uint8_t payload[PAYLOAD_MAX], small[BODY_MAX];
  floe__writer w = floe__writer_of(body, cap);
  size_t len = floe__ticket_pack(t, payload, sizeof payload);
  if (len == 0) return 0;
  size_t deflated = deflate_into(small, sizeof small, (floe_bytes){payload, len});
  bool is_smaller = deflated != 0 && deflated < len;
  floe__wr_u8(&w, is_smaller ? IS_DEFLATED : 0);
  floe__wr_u16(&w, (uint16_t)(is_smaller ? deflated : len));
  floe__wr_bytes(&w, is_smaller ? small : payload, is_smaller ? deflated : len);
  floe__wr_u32(&w, w.bad ? 0 : crc_of(w.buf, w.len));
  floe__cli_wipe(payload, sizeof payload);
  floe__cli_wipe(small, sizeof small);
  return floe__wr_done(&w).len;
}

static size_t write_groups(const uint8_t *body, size_t len, char *out) {
  size_t n = 0, n_chars = (8 * len + 5) / 6, group = 0, begin = 0;
  for (size_t i = 0; i < n_chars; i++) {
    size_t bit = 6 * i, byte = bit / 8;
    unsigned two = (unsigned)body[byte] << 8 | (byte + 1 < len ? body[byte + 1] : 0U);
    out[n++] = base64url[two >> (10 - bit % 8) & 63];
    if (n - begin < GROUP && i + 1 < n_chars) continue;
    out[n] = check_of(group++, out + begin, n - begin);
    begin = ++n;
  }
  return n;
}

size_t floe__ticket_write(const floe__ticket *t, char *out, size_t cap) {
  uint8_t body[BODY_MAX];
  size_t len = make_body(t, body, sizeof body);
  if (len == 0 || PREFIX_LEN + text_len_of(len) + 1 > cap) return 0;
  memcpy(out, PREFIX, PREFIX_LEN);
  size_t n = PREFIX_LEN + write_groups(body, len, out + PREFIX_LEN);
  out[n] = '\0';
  floe__cli_wipe(body, sizeof body);
  return n;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

typedef struct scan {
  const char *text;
  size_t at;              /* the next character to look at */
  char chars[GROUP + 1];  /* of the group, without white space */
  size_t n, begin, group; /* in the group; where it began; which it is */
  uint8_t body[BODY_MAX]; /* what the groups so far hold */
  uint32_t bits;          /* not yet a byte of it */
  unsigned n_bits;
  size_t n_body, n_chars; /* bytes of the body; characters of the text, without white space and prefix */
  floe__ticket_error *why;
} scan;

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_quote(char c) {
  return c == '"' || c == '\'' || c == '`' || c == '<' || c == '>';
}

static floe__ticket_end refuse(const scan *s, size_t offset, const char *message) {
  s->why->offset = offset;
  (void)snprintf(s->why->message, sizeof s->why->message, "%s", message);
  return FLOE__TICKET_BAD;
}

static floe__ticket_end refuse_group(const scan *s) {
  char part[GROUP + 2];
  (void)snprintf(part, sizeof part, "%.*s", (int)s->n, s->chars);
  s->why->offset = s->begin;
  (void)snprintf(s->why->message, sizeof s->why->message,
                 "the ticket is damaged between characters %zu and %zu ('%s'): copy it again", s->begin + 1, s->at,
                 part);
  return FLOE__TICKET_BAD;
}

/* Characters that the whole is to have; 0 as long as that is not known. */
static size_t wanted_chars(const scan *s) {
  if (s->n_body < HEAD_LEN) return 0;
  return text_len_of((size_t)(s->body[1] << 8 | s->body[2]) + HEAD_LEN + CRC_LEN);
}

static floe__ticket_end say_incomplete(const scan *s) {
  size_t wanted = wanted_chars(s);
  s->why->offset = s->at;
  if (wanted == 0) {
    (void)snprintf(s->why->message, sizeof s->why->message, "the ticket ends after %zu characters: copy all of it",
                   s->n_chars + PREFIX_LEN);
  } else {
    (void)snprintf(s->why->message, sizeof s->why->message, "the ticket ends after %zu of %zu characters",
                   s->n_chars + PREFIX_LEN, wanted + PREFIX_LEN);
  }
  return FLOE__TICKET_INCOMPLETE;
}

static void take_bits(scan *s, char c) {
  s->bits = s->bits << 6 | (uint32_t)(strchr(base64url, c) - base64url);
  s->n_bits += 6;
  if (s->n_bits < 8) return;
  s->n_bits -= 8;
  s->body[s->n_body++] = (uint8_t)(s->bits >> s->n_bits);
}

/* The group is whole: its last character checks the others. */
static bool end_group(scan *s) {
  if (s->n < 2 || check_of(s->group, s->chars, s->n - 1) != s->chars[s->n - 1]) return false;
  for (size_t i = 0; i + 1 < s->n; i++) take_bits(s, s->chars[i]);
  s->group++;
  s->n = 0;
  return true;
}

/* A last group that is shorter than the others is known by the whole's length. */
static bool is_group_end(const scan *s) {
  size_t wanted = wanted_chars(s);
  return s->n == GROUP + 1 || (wanted != 0 && s->n_chars == wanted);
}

static floe__ticket_end scan_groups(scan *s) {
  for (; s->text[s->at] != '\0'; s->at++) {
    char c = s->text[s->at];
    size_t wanted = wanted_chars(s);
    bool is_over = s->n == 0 && wanted != 0 && s->n_chars >= wanted;
    if (is_blank(c) || (is_over && is_quote(c))) continue;
    if (is_over) return refuse(s, s->at, "something follows after the end of the ticket");
    if (strchr(base64url, c) == NULL) {
      (void)snprintf(s->why->message, sizeof s->why->message, "character %zu is none that a ticket has: copy it again",
                     s->at + 1);
      s->why->offset = s->at;
      return FLOE__TICKET_BAD;
    }
    if (s->n == 0) s->begin = s->at;
    s->chars[s->n++] = c;
    if (++s->n_chars > text_len_of(BODY_MAX) - 2) return refuse(s, s->at, "this is too long for a ticket");
    if (!is_group_end(s)) continue;
    s->at++;
    if (!end_group(s)) return refuse_group(s);
    s->at--;
  }
  return s->n == 0 && s->n_body >= HEAD_LEN && s->n_chars >= wanted_chars(s) ? FLOE__TICKET_OK : say_incomplete(s);
}

static floe__ticket_end open_body(scan *s, floe__ticket *out) {
  uint8_t payload[PAYLOAD_MAX];
  size_t len = (size_t)(s->body[1] << 8 | s->body[2]), all = HEAD_LEN + len + CRC_LEN;
  floe__reader crc = floe__reader_of((floe_bytes){s->body + all - CRC_LEN, CRC_LEN});
  bool is_deflated = (s->body[0] & IS_DEFLATED) != 0;
  if (s->n_body < all || floe__rd_u32(&crc) != crc_of(s->body, all - CRC_LEN)) {
    return refuse(s, 0, "the ticket is damaged (its checksum is wrong): copy it again");
  }
  floe_bytes packed = {s->body + HEAD_LEN, len};
  if (is_deflated) packed = (floe_bytes){payload, inflate_into(payload, sizeof payload, s->body + HEAD_LEN, len)};
  bool ok = s->body[0] <= IS_DEFLATED && floe__ticket_unpack(out, packed);
  if (is_deflated) floe__cli_wipe(payload, sizeof payload);
  return ok ? FLOE__TICKET_OK : refuse(s, 0, "the ticket says something that this version of floe does not understand");
}

bool floe__ticket_is_meant(const char *text) {
  while (is_blank(*text) || is_quote(*text)) text++;
  size_t digits = strncmp(text, "floe", 4) == 0 ? strspn(text + 4, "0123456789") : 0;
  return digits > 0 && text[4 + digits] == ':';
}

/* Skips what may stand before the ticket; false: another end was told. */
static floe__ticket_end scan_prefix(scan *s) {
  while (is_blank(s->text[s->at]) || is_quote(s->text[s->at])) s->at++;
  const char *text = s->text + s->at;
  size_t len = strlen(text);
  if (strncmp(text, PREFIX, len < PREFIX_LEN ? len : PREFIX_LEN) == 0) {
    s->at += len < PREFIX_LEN ? len : PREFIX_LEN;
    if (len >= PREFIX_LEN) return FLOE__TICKET_OK;
    (void)snprintf(s->why->message, sizeof s->why->message, "the ticket ends after %zu characters: copy all of it",
                   len);
    return FLOE__TICKET_INCOMPLETE;
  }
  if (floe__ticket_is_meant(text)) return refuse(s, s->at, "this ticket was made by another version of floe");
  return refuse(s, s->at, "this is no ticket: one begins with " PREFIX);
}

floe__ticket_end floe__ticket_read(floe__ticket *out, const char *text, floe__ticket_error *why) {
  scan *s = floe__cli_alloc(sizeof *s);
  memset(why, 0, sizeof *why);
  memset(out, 0, sizeof *out);
  s->text = text;
  s->why = why;
  floe__ticket_end end = scan_prefix(s);
  if (end == FLOE__TICKET_OK) end = scan_groups(s);
  if (end == FLOE__TICKET_OK) end = open_body(s, out);
  floe__cli_wipe(s, sizeof *s);
  free(s);
  return end;
}
