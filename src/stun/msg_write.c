#include <string.h>

#include "stun/msg.h"

/* RFC 8489 14.8: the reason phrase is at most 763 bytes. */
#define REASON_MAX 763

void floe__stun_begin(floe__stun_builder *b, uint8_t *buf, size_t cap, floe__stun_class cls, uint16_t method,
                      const uint8_t txn_id[FLOE__STUN_TXN_ID]) {
  b->w = floe__writer_of(buf, cap);
  unsigned c = (unsigned)cls;
  unsigned type = (method & 0x000Fu) | (method & 0x0070u) << 1 | (method & 0x0F80u) << 2 | (c & 1) << 4 | (c & 2) << 7;
  floe__wr_u16(&b->w, (uint16_t)type);
  floe__wr_u16(&b->w, 0);
  floe__wr_u32(&b->w, FLOE__STUN_COOKIE);
  floe__wr_bytes(&b->w, txn_id, FLOE__STUN_TXN_ID);
  b->txn_id = b->w.bad ? NULL : buf + FLOE__STUN_HEADER - FLOE__STUN_TXN_ID;
}

/* A value longer than the length field can say makes a message that floe__stun_end refuses. */
static void put_header(floe__stun_builder *b, uint16_t type, size_t len) {
  floe__wr_u16(&b->w, type);
  floe__wr_u16(&b->w, (uint16_t)len);
}

static void put_padding(floe__stun_builder *b, size_t len) {
  floe__wr_zeros(&b->w, (4 - len % 4) % 4);
}

void floe__stun_put_raw(floe__stun_builder *b, uint16_t type, const void *value, size_t len) {
  put_header(b, type, len);
  floe__wr_bytes(&b->w, value, len);
  put_padding(b, len);
}

void floe__stun_put(floe__stun_builder *b, floe__stun_attr attr, const void *value, size_t len) {
  floe__stun_put_raw(b, floe__stun_attr_type(attr), value, len);
}

void floe__stun_put_text(floe__stun_builder *b, floe__stun_attr attr, const char *text) {
  floe__stun_put(b, attr, text, strlen(text));
}

void floe__stun_put_flag(floe__stun_builder *b, floe__stun_attr attr) {
  floe__stun_put(b, attr, NULL, 0);
}

void floe__stun_put_u32(floe__stun_builder *b, floe__stun_attr attr, uint32_t v) {
  put_header(b, floe__stun_attr_type(attr), 4);
  floe__wr_u32(&b->w, v);
}

void floe__stun_put_u64(floe__stun_builder *b, floe__stun_attr attr, uint64_t v) {
  put_header(b, floe__stun_attr_type(attr), 8);
  floe__wr_u64(&b->w, v);
}

void floe__stun_put_addr(floe__stun_builder *b, floe__stun_attr attr, const floe_addr *addr) {
  bool is_v4 = addr->family == FLOE_FAMILY_IPV4;
  size_t len = is_v4 ? 4 : 16;
  put_header(b, floe__stun_attr_type(attr), 4 + len);
  floe__wr_u8(&b->w, 0);
  floe__wr_u8(&b->w, is_v4 ? 1 : 2);
  floe__wr_u16(&b->w, addr->port);
  floe__wr_bytes(&b->w, addr->ip, len);
}

void floe__stun_put_xor_addr(floe__stun_builder *b, floe__stun_attr attr, const floe_addr *addr) {
  if (b->w.bad) return;
  floe_addr masked = *addr;
  const uint8_t *mask = b->txn_id - 4; /* RFC 8489 14.2: cookie and transaction id */
  masked.port ^= (uint16_t)(FLOE__STUN_COOKIE >> 16);
  for (size_t i = 0; i < sizeof masked.ip; i++) masked.ip[i] ^= mask[i];
  floe__stun_put_addr(b, attr, &masked);
}

void floe__stun_put_error(floe__stun_builder *b, unsigned code, const char *reason) {
  size_t len = strlen(reason);
  if (len > REASON_MAX) len = REASON_MAX;
  put_header(b, floe__stun_attr_type(FLOE__STUN_ERROR_CODE), 4 + len);
  floe__wr_u16(&b->w, 0);
  floe__wr_u8(&b->w, (uint8_t)(code / 100));
  floe__wr_u8(&b->w, (uint8_t)(code % 100));
  floe__wr_bytes(&b->w, reason, len);
  put_padding(b, len);
}

floe_bytes floe__stun_end(floe__stun_builder *b) {
  if (!b->w.bad && b->w.len - FLOE__STUN_HEADER > UINT16_MAX) b->w.bad = true;
  if (!b->w.bad) floe__wr_patch_u16(&b->w, 2, (uint16_t)(b->w.len - FLOE__STUN_HEADER));
  return floe__wr_done(&b->w);
}
