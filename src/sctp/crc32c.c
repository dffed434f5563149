#include "sctp/crc32c.h"

#include <string.h>

#include "sctp/crc32c_table.h"

#define CHECKSUM_AT 8u
#define HEADER      12u
#define START       0xFFFFFFFFu

/* Least significant first: the reflected CRC takes them in that order, and RFC 9260 appendix A sends it so. */
static uint32_t load_u32(const uint8_t *p) {
  return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t slice_by_eight(uint32_t crc, const uint8_t *p) {
  uint32_t a = crc ^ load_u32(p);
  uint32_t b = load_u32(p + 4);
  return crc32c_table[7][a & 0xFF] ^ crc32c_table[6][a >> 8 & 0xFF] ^ crc32c_table[5][a >> 16 & 0xFF] ^
         crc32c_table[4][a >> 24] ^ crc32c_table[3][b & 0xFF] ^ crc32c_table[2][b >> 8 & 0xFF] ^
         crc32c_table[1][b >> 16 & 0xFF] ^ crc32c_table[0][b >> 24];
}

static uint32_t update_by_table(uint32_t crc, const uint8_t *p, size_t len) {
  for (; len >= 8; p += 8, len -= 8) crc = slice_by_eight(crc, p);
  for (; len > 0; p++, len--) crc = crc >> 8 ^ crc32c_table[0][(crc ^ *p) & 0xFF];
  return crc;
}

uint32_t floe__crc32c_by_table(const uint8_t *p, size_t len) {
  return ~update_by_table(START, p, len);
}

#if defined(__x86_64__) && defined(__GNUC__)
/* SSE 4.2 has an instruction for just this polynomial. */
__attribute__((target("sse4.2"))) static uint32_t update_by_instruction(uint32_t crc, const uint8_t *p, size_t len) {
  uint64_t wide = crc;
  for (; len >= 8; p += 8, len -= 8) {
    uint64_t eight;
    memcpy(&eight, p, sizeof eight);
    wide = __builtin_ia32_crc32di(wide, eight);
  }
  crc = (uint32_t)wide;
  for (; len > 0; p++, len--) crc = __builtin_ia32_crc32qi(crc, *p);
  return crc;
}

static uint32_t update(uint32_t crc, const uint8_t *p, size_t len) {
  return __builtin_cpu_supports("sse4.2") ? update_by_instruction(crc, p, len) : update_by_table(crc, p, len);
}
#else
static uint32_t update(uint32_t crc, const uint8_t *p, size_t len) {
  return update_by_table(crc, p, len);
}
#endif

uint32_t floe__crc32c(const uint8_t *p, size_t len) {
  return ~update(START, p, len);
}

/* RFC 9260 6.8: the checksum is computed with zeros in its place. */
static uint32_t packet_crc(const uint8_t *packet, size_t len) {
  static const uint8_t zeros[4] = {0};
  uint32_t crc = update(START, packet, CHECKSUM_AT);
  crc = update(crc, zeros, sizeof zeros);
  return ~update(crc, packet + HEADER, len - HEADER);
}

void floe__sctp_checksum_write(uint8_t *packet, size_t len) {
  uint32_t crc = packet_crc(packet, len);
  for (unsigned i = 0; i < 4; i++) packet[CHECKSUM_AT + i] = (uint8_t)(crc >> (8 * i));
}

bool floe__sctp_checksum_is_right(floe_bytes packet) {
  if (packet.len < HEADER) return false;
  return load_u32(packet.ptr + CHECKSUM_AT) == packet_crc(packet.ptr, packet.len);
}
