#include <string.h>

#include "stun/msg.h"

static const uint16_t types[FLOE__STUN_ATTR_COUNT] = {
#define FLOE__ROW(id, wire, name) [FLOE__STUN_##id] = wire,
    FLOE__STUN_ATTR_MAP(FLOE__ROW)
#undef FLOE__ROW
};

static const char *const names[FLOE__STUN_ATTR_COUNT] = {
#define FLOE__ROW(id, wire, name) [FLOE__STUN_##id] = name,
    FLOE__STUN_ATTR_MAP(FLOE__ROW)
#undef FLOE__ROW
};

/* Known types by their upper bit (comprehension-optional or not) and the rest, which the two ranges share: attribute
 * plus one, 0 = unknown. */
#define TYPES_PER_RANGE 0x2D
static const uint8_t known[2][TYPES_PER_RANGE] = {
#define FLOE__ROW(id, wire, name) [(wire) >> 15][(wire)&0x7FFF] = FLOE__STUN_##id + 1,
    FLOE__STUN_ATTR_MAP(FLOE__ROW)
#undef FLOE__ROW
};

uint16_t floe__stun_attr_type(floe__stun_attr attr) {
  return types[attr];
}

const char *floe__stun_attr_name(floe__stun_attr attr) {
  return names[attr];
}

/* FLOE__STUN_ATTR_COUNT = unknown. */
static unsigned find_attr(uint16_t type) {
  unsigned low = type & 0x7FFFu;
  if (low >= TYPES_PER_RANGE || known[type >> 15][low] == 0) return FLOE__STUN_ATTR_COUNT;
  return known[type >> 15][low] - 1u;
}

/* RFC 5780's, which a server of that kind alone understands: for everybody else they are unknown as well as there. */
#define FOREIGN_ATTRS                                                                   \
  ((uint64_t)1 << FLOE__STUN_CHANGE_REQUEST | (uint64_t)1 << FLOE__STUN_RESPONSE_PORT | \
   (uint64_t)1 << FLOE__STUN_PADDING)

static bool is_required(uint16_t type) {
  return type < 0x8000; /* RFC 8489 14: comprehension-required */
}

/* --- the walk over the attributes ------------------------------------------------------------------------------ */

bool floe__stun_is_message(floe_bytes packet) {
  if (packet.len < FLOE__STUN_HEADER) return false;
  floe__reader r = floe__reader_of(packet);
  uint16_t type = floe__rd_u16(&r);
  uint16_t length = floe__rd_u16(&r);
  if ((type & 0xC000) != 0 || floe__rd_u32(&r) != FLOE__STUN_COOKIE) return false;
  return length % 4 == 0 && packet.len == (size_t)FLOE__STUN_HEADER + length;
}

/* RFC 8489 5: M11-M7 C1 M6-M4 C0 M3-M0. */
static void parse_header(floe__stun_msg *m, floe_bytes packet) {
  floe__reader r = floe__reader_of(packet);
  unsigned type = floe__rd_u16(&r);
  m->packet = packet;
  m->cls = (floe__stun_class)((type >> 7 & 2) | (type >> 4 & 1));
  m->method = (uint16_t)((type & 0x000F) | (type >> 1 & 0x0070) | (type >> 2 & 0x0F80));
  m->txn_id = packet.ptr + FLOE__STUN_HEADER - FLOE__STUN_TXN_ID;
  m->present = 0;
  m->n_unknown = 0;
}

/* The cursor over attributes. */
typedef struct walk {
  floe__reader r;
  uint16_t type;
  floe_bytes value;
} walk;

static walk walk_of(floe_bytes packet) {
  walk w = {.r = floe__reader_of(packet)};
  (void)floe__rd_take(&w.r, FLOE__STUN_HEADER);
  return w;
}

/* False at the end, and when the attribute reaches past it (w->r.bad). */
static bool next_attr(walk *w) {
  if (floe__rd_left(&w->r) == 0) return false;
  w->type = floe__rd_u16(&w->r);
  uint16_t len = floe__rd_u16(&w->r);
  w->value = floe__rd_take(&w->r, len);
  (void)floe__rd_take(&w->r, (4u - len % 4u) % 4u); /* RFC 8489 14: padded to 32 bits, any value */
  return !w->r.bad;
}

static void keep_unknown(floe__stun_msg *m, uint16_t type) {
  if (!is_required(type) || m->n_unknown == sizeof m->unknown / sizeof m->unknown[0]) return;
  m->unknown[m->n_unknown++] = type;
}

static void keep(floe__stun_msg *m, unsigned attr, floe_bytes value) {
  uint64_t bit = (uint64_t)1 << attr;
  if ((m->present & bit) != 0) return;
  m->present |= bit;
  if ((bit & FOREIGN_ATTRS) != 0) keep_unknown(m, types[attr]);
  m->at[attr] = (uint32_t)(value.ptr - m->packet.ptr);
  m->len[attr] = (uint16_t)value.len;
}

#define INTEGRITY_ATTRS \
  ((uint64_t)1 << FLOE__STUN_MESSAGE_INTEGRITY | (uint64_t)1 << FLOE__STUN_MESSAGE_INTEGRITY_SHA256)

/* RFC 8489 14.5, 14.6: what follows MESSAGE-INTEGRITY is ignored but MESSAGE-INTEGRITY-SHA256 and FINGERPRINT, what
 * follows MESSAGE-INTEGRITY-SHA256 is ignored but FINGERPRINT: it is not covered by the HMAC. */
static bool is_ignored(const floe__stun_msg *m, unsigned attr) {
  if ((m->present & INTEGRITY_ATTRS) == 0 || attr == FLOE__STUN_FINGERPRINT) return false;
  return attr != FLOE__STUN_MESSAGE_INTEGRITY_SHA256 || floe__stun_has(m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256);
}

floe__stun_parse floe__stun_msg_parse(floe__stun_msg *out, floe_bytes packet) {
  if (!floe__stun_is_message(packet)) return FLOE__STUN_NOT_STUN;
  parse_header(out, packet);
  walk w = walk_of(packet);
  while (next_attr(&w)) {
    unsigned attr = find_attr(w.type);
    if (is_ignored(out, attr)) continue;
    if (attr == FLOE__STUN_ATTR_COUNT) {
      keep_unknown(out, w.type);
      continue;
    }
    keep(out, attr, w.value);
    if (attr == FLOE__STUN_FINGERPRINT) return FLOE__STUN_OK;
  }
  return w.r.bad ? FLOE__STUN_OVERRUN : FLOE__STUN_OK;
}

/* --- values ---------------------------------------------------------------------------------------------------- */

bool floe__stun_get_u32(const floe__stun_msg *m, floe__stun_attr attr, uint32_t *out) {
  floe_bytes v = floe__stun_get(m, attr);
  if (v.len != 4) return false;
  floe__reader r = floe__reader_of(v);
  *out = floe__rd_u32(&r);
  return true;
}

bool floe__stun_get_u64(const floe__stun_msg *m, floe__stun_attr attr, uint64_t *out) {
  floe_bytes v = floe__stun_get(m, attr);
  if (v.len != 8) return false;
  floe__reader r = floe__reader_of(v);
  *out = floe__rd_u64(&r);
  return true;
}

/* RFC 8489 14.1: a zero byte, family 1 or 2, port, 4 or 16 bytes. */
static bool decode_addr(floe_bytes value, floe_addr *out) {
  memset(out, 0, sizeof *out);
  floe__reader r = floe__reader_of(value);
  (void)floe__rd_u8(&r);
  uint8_t family = floe__rd_u8(&r);
  uint16_t port = floe__rd_u16(&r);
  size_t len = family == 1 ? 4 : 16;
  floe_bytes ip = floe__rd_take(&r, len);
  if (r.bad || floe__rd_left(&r) != 0 || (family != 1 && family != 2)) return false;
  out->family = family == 1 ? FLOE_FAMILY_IPV4 : FLOE_FAMILY_IPV6;
  out->port = port;
  memcpy(out->ip, ip.ptr, len);
  return true;
}

bool floe__stun_get_addr(const floe__stun_msg *m, floe__stun_attr attr, floe_addr *out) {
  return decode_addr(floe__stun_get(m, attr), out);
}

bool floe__stun_decode_xor_addr(const floe__stun_msg *m, floe_bytes value, floe_addr *out) {
  if (!decode_addr(value, out)) return false;
  /* RFC 8489 14.2: the mask is the cookie and the transaction id, which follow each other in the header. */
  const uint8_t *mask = m->txn_id - 4;
  out->port ^= (uint16_t)(FLOE__STUN_COOKIE >> 16);
  size_t len = out->family == FLOE_FAMILY_IPV4 ? 4 : 16;
  for (size_t i = 0; i < len; i++) out->ip[i] ^= mask[i];
  return true;
}

bool floe__stun_get_xor_addr(const floe__stun_msg *m, floe__stun_attr attr, floe_addr *out) {
  return floe__stun_decode_xor_addr(m, floe__stun_get(m, attr), out);
}

floe_bytes floe__stun_get_nth(const floe__stun_msg *m, floe__stun_attr attr, unsigned n, bool *found) {
  walk w = walk_of(m->packet);
  unsigned seen = 0;
  *found = true;
  while (next_attr(&w)) {
    if (w.type == types[FLOE__STUN_MESSAGE_INTEGRITY] || w.type == types[FLOE__STUN_MESSAGE_INTEGRITY_SHA256]) break;
    if (w.type == types[attr] && seen++ == n) return w.value;
  }
  *found = false;
  return (floe_bytes){0};
}
