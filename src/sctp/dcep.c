#include "sctp/dcep.h"

#include "base/reader.h"
#include "base/writer.h"

/* RFC 8832 5.1: the lower bits of the channel type say how, the highest one whether in order. */
#define RELIABLE  0x00
#define REXMIT    0x01
#define TIMED     0x02
#define UNORDERED 0x80

static bool is_continuation(uint8_t c) {
  return (c & 0xC0) == 0x80;
}

/* RFC 3629 4: shortest forms only, no surrogates, nothing above U+10FFFF. Returns the length of the sequence at `p`, 0
 * when it is none. */
static size_t utf8_sequence(const uint8_t *p, size_t left) {
  uint8_t c = p[0];
  if (c < 0x80) return 1;
  if (c < 0xC2 || c > 0xF4) return 0;
  size_t len = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
  if (len > left) return 0;
  for (size_t i = 1; i < len; i++) {
    if (!is_continuation(p[i])) return 0;
  }
  uint8_t low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
  uint8_t high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
  return p[1] >= low && p[1] <= high ? len : 0;
}

static bool is_utf8(floe_bytes text) {
  size_t at = 0;
  while (at < text.len) {
    size_t len = utf8_sequence(text.ptr + at, text.len - at);
    if (len == 0) return false;
    at += len;
  }
  return true;
}

static bool read_reliability(floe__sctp_reliability *out, uint8_t type, uint32_t parameter) {
  *out = (floe__sctp_reliability){.unordered = (type & UNORDERED) != 0};
  switch (type & ~UNORDERED) {
    case RELIABLE: return true; /* RFC 8832 5.1: the parameter "MUST be ignored" */
    case REXMIT:
      out->has_max_retransmits = true;
      out->max_retransmits = parameter;
      return true;
    case TIMED:
      out->has_max_lifetime = true;
      out->max_lifetime_ms = parameter;
      return true;
    default: return false;
  }
}

static bool parse_open(floe__dcep_open *out, floe__reader *r) {
  uint8_t type = floe__rd_u8(r);
  out->priority = floe__rd_u16(r);
  uint32_t parameter = floe__rd_u32(r);
  size_t label = floe__rd_u16(r);
  size_t protocol = floe__rd_u16(r);
  out->label = floe__rd_take(r, label);
  out->protocol = floe__rd_take(r, protocol);
  if (r->bad) return false; /* bytes after these are left alone: aiortc and werift count characters, not bytes */
  return read_reliability(&out->reliability, type, parameter) && is_utf8(out->label) && is_utf8(out->protocol);
}

bool floe__dcep_parse(floe__dcep_msg *out, floe_bytes data) {
  floe__reader r = floe__reader_of(data);
  *out = (floe__dcep_msg){0};
  uint8_t type = floe__rd_u8(&r);
  if (r.bad) return false;
  switch (type) {
    case FLOE__DCEP_ACK: out->type = FLOE__DCEP_ACK; return floe__rd_left(&r) == 0;
    case FLOE__DCEP_OPEN: out->type = FLOE__DCEP_OPEN; return parse_open(&out->open, &r);
    default: return false;
  }
}

size_t floe__dcep_write_open(const floe__dcep_open *open, uint8_t *out, size_t cap) {
  if (open->label.len > UINT16_MAX || open->protocol.len > UINT16_MAX) return 0;
  const floe__sctp_reliability *r = &open->reliability;
  uint8_t type = r->has_max_retransmits ? REXMIT : r->has_max_lifetime ? TIMED : RELIABLE;
  uint32_t parameter = r->has_max_retransmits ? r->max_retransmits : r->has_max_lifetime ? r->max_lifetime_ms : 0;
  floe__writer w = floe__writer_of(out, cap);
  floe__wr_u8(&w, FLOE__DCEP_OPEN);
  floe__wr_u8(&w, (uint8_t)(type | (r->unordered ? UNORDERED : 0)));
  floe__wr_u16(&w, open->priority);
  floe__wr_u32(&w, parameter);
  floe__wr_u16(&w, (uint16_t)open->label.len);
  floe__wr_u16(&w, (uint16_t)open->protocol.len);
  floe__wr_bytes(&w, open->label.ptr, open->label.len);
  floe__wr_bytes(&w, open->protocol.ptr, open->protocol.len);
  return floe__wr_done(&w).len;
}

size_t floe__dcep_write_ack(uint8_t *out, size_t cap) {
  floe__writer w = floe__writer_of(out, cap);
  floe__wr_u8(&w, FLOE__DCEP_ACK);
  return floe__wr_done(&w).len;
}
