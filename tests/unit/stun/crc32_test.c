#include "fixture.h"
#include "stun/crc32_table.h"
#include "stun/integrity.h"

/* The definition, a bit at a time: polynomial 0x04C11DB7, reflected. */
static uint32_t step(uint32_t crc, uint8_t byte) {
  crc ^= byte;
  for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
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
      assert_int_equal(crc32_table[row][value], crc);
      crc = step(crc, 0);
    }
  }
}

static void known_values(void **state) {
  (void)state;
  static const struct {
    const char *text;
    uint32_t crc;
  } rows[] = {
      {"", 0x00000000},
      {"a", 0xE8B7BE43},
      {"abc", 0x352441C2},
      {"123456789", 0xCBF43926},
      {"message digest", 0x20159D7F},
      {"abcdefghijklmnopqrstuvwxyz", 0x4C2750BD},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(floe__crc32((const uint8_t *)rows[i].text, strlen(rows[i].text)), rows[i].crc);
  }
}

static void every_length_and_alignment(void **state) {
  (void)state;
  uint8_t bytes[96];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 151 + 7);
  for (size_t from = 0; from < 8; from++) {
    for (size_t len = 0; len <= 80; len++) {
      assert_int_equal(floe__crc32(bytes + from, len), slow_crc(bytes + from, len));
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(table_is_what_the_definition_gives),
      cmocka_unit_test(known_values),
      cmocka_unit_test(every_length_and_alignment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
