#include "sctp/crc32c.h"

#include "fixture.h"
#include "sctp/crc32c_table.h"

/* The definition, a bit at a time: polynomial 0x1EDC6F41, reflected. */
static uint32_t step(uint32_t crc, uint8_t byte) {
  crc ^= byte;
  for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
  return crc;
}

static uint32_t slow_crc(const uint8_t *p, size_t len) {
  uint32_t crc = 0xFFFFFFFF;
  for (size_t i = 0; i < len; i++) crc = step(crc, p[i]);
  return ~crc;
}

static void table_is_what_the_definition_gives(void **state) {
  (void)state;
  for (unsigned value = 0; value < 256; value++) {
    uint32_t crc = step(0, (uint8_t)value);
    for (int row = 0; row < 8; row++) {
      assert_int_equal(crc32c_table[row][value], crc);
      crc = step(crc, 0);
    }
  }
}

/* RFC 3720 B.4 has the blocks of 32 bytes; "123456789" is the usual check value. */
static void known_values(void **state) {
  (void)state;
  uint8_t block[32];
  assert_int_equal(floe__crc32c((const uint8_t *)"", 0), 0);
  assert_int_equal(floe__crc32c((const uint8_t *)"123456789", 9), 0xE3069283);
  memset(block, 0, sizeof block);
  assert_int_equal(floe__crc32c(block, sizeof block), 0x8A9136AA);
  memset(block, 0xFF, sizeof block);
  assert_int_equal(floe__crc32c(block, sizeof block), 0x62A8AB43);
  for (unsigned i = 0; i < sizeof block; i++) block[i] = (uint8_t)i;
  assert_int_equal(floe__crc32c(block, sizeof block), 0x46DD794E);
}

static void every_length_and_alignment(void **state) {
  (void)state;
  uint8_t bytes[96];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 151 + 7);
  for (size_t from = 0; from < 8; from++) {
    for (size_t len = 0; len <= 80; len++) {
      assert_int_equal(floe__crc32c(bytes + from, len), slow_crc(bytes + from, len));
      assert_int_equal(floe__crc32c_by_table(bytes + from, len), slow_crc(bytes + from, len));
    }
  }
}

/* RFC 9260 appendix A: the least significant byte is sent first. */
static void packet_is_written_and_checked(void **state) {
  (void)state;
  uint8_t packet[16] = {0x13, 0x88, 0x13, 0x88, 1, 2, 3, 4, 0xAA, 0xBB, 0xCC, 0xDD, 0x0B, 0, 0, 4};
  uint8_t zeroed[16];
  memcpy(zeroed, packet, sizeof zeroed);
  memset(zeroed + 8, 0, 4);
  uint32_t crc = slow_crc(zeroed, sizeof zeroed);
  floe_bytes b = {.ptr = packet, .len = sizeof packet};
  assert_false(floe__sctp_checksum_is_right(b));
  floe__sctp_checksum_write(packet, sizeof packet);
  for (unsigned i = 0; i < 4; i++) assert_int_equal(packet[8 + i], crc >> (8 * i) & 0xFF);
  assert_true(floe__sctp_checksum_is_right(b));
  for (size_t i = 0; i < sizeof packet; i++) {
    packet[i] ^= 0x10;
    assert_false(floe__sctp_checksum_is_right(b));
    packet[i] ^= 0x10;
  }
  assert_false(floe__sctp_checksum_is_right((floe_bytes){.ptr = packet, .len = 11}));
  assert_false(floe__sctp_checksum_is_right((floe_bytes){0}));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(table_is_what_the_definition_gives),
      cmocka_unit_test(known_values),
      cmocka_unit_test(every_length_and_alignment),
      cmocka_unit_test(packet_is_written_and_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
