#include "stun/crc32_table.h"
#include "stun/integrity.h"

/* Four bytes, least significant first: the reflected CRC takes them in that order. Compilers make one load of it. */
static uint32_t load_u32(const uint8_t *p) {
  return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The remainder after eight more bytes, which the tables take side by side instead of one after the other. */
static uint32_t slice_by_eight(uint32_t crc, const uint8_t *p) {
  uint32_t a = crc ^ load_u32(p);
  uint32_t b = load_u32(p + 4);
  return crc32_table[7][a & 0xFF] ^ crc32_table[6][a >> 8 & 0xFF] ^ crc32_table[5][a >> 16 & 0xFF] ^
         crc32_table[4][a >> 24] ^ crc32_table[3][b & 0xFF] ^ crc32_table[2][b >> 8 & 0xFF] ^
         crc32_table[1][b >> 16 & 0xFF] ^ crc32_table[0][b >> 24];
}

uint32_t floe__crc32(const uint8_t *p, size_t len) {
  uint32_t crc = 0xFFFFFFFF;
  for (; len >= 8; p += 8, len -= 8) crc = slice_by_eight(crc, p);
  for (; len > 0; p++, len--) crc = crc >> 8 ^ crc32_table[0][(crc ^ *p) & 0xFF];
  return ~crc;
}
