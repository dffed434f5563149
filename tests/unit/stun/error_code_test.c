#include "stun/error_code.h"

#include "fixture.h"

#define FFFD "\xEF\xBF\xBD"

typedef struct output {
  uint8_t buf[4096];
  floe__stun_builder b;
} output;

static void begin(output *o) {
  floe__stun_begin(&o->b, o->buf, sizeof o->buf, FLOE__STUN_ERROR, FLOE__STUN_ALLOCATE, test_id);
}

static floe__stun_msg with_error_code(output *o, const void *value, size_t len) {
  begin(o);
  floe__stun_put(&o->b, FLOE__STUN_ERROR_CODE, value, len);
  return parse_ok(floe__stun_end(&o->b));
}

static void codes(void **state) {
  (void)state;
  static const struct {
    uint8_t value[8];
    size_t len;
    unsigned code; /* 0 = malformed */
  } rows[] = {
      {{0, 0, 3, 0}, 4, 300},     {{0, 0, 4, 1}, 4, 401}, {{0, 0, 6, 99}, 4, 699}, {{0, 0, 5, 8, 'x'}, 5, 508},
      {{9, 9, 0xFC, 38}, 4, 438}, /* the reserved 21 bits do not count */
      {{0, 0, 2, 99}, 4, 0},      {{0, 0, 0, 0}, 4, 0},   {{0, 0, 7, 0}, 4, 0},    {{0, 0, 1, 0}, 4, 0},
      {{0, 0, 4, 100}, 4, 0},     {{0, 0, 4, 255}, 4, 0}, {{0, 0, 4}, 3, 0},       {{0}, 0, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    output o;
    floe__stun_msg m = with_error_code(&o, rows[i].value, rows[i].len);
    floe__stun_error error;
    assert_int_equal(floe__stun_get_error(&m, &error), rows[i].code != 0);
    if (rows[i].code != 0) assert_int_equal(error.code, rows[i].code);
  }
  output o;
  begin(&o);
  floe__stun_msg m = parse_ok(floe__stun_end(&o.b));
  floe__stun_error error;
  assert_false(floe__stun_get_error(&m, &error));
}

static void registered_phrases(void **state) {
  (void)state;
  static const struct {
    unsigned code;
    const char *phrase;
  } rows[] = {
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
      {301, "Unknown error"},
      {499, "Unknown error"},
      {699, "Unknown error"},
      {0, "Unknown error"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_string_equal(floe__stun_reason(rows[i].code), rows[i].phrase);
  }
}

static void an_empty_phrase_is_the_registered_one(void **state) {
  (void)state;
  static const struct {
    uint8_t value[8];
    size_t len;
    const char *reason;
  } rows[] = {
      {{0, 0, 4, 86}, 4, "Allocation Quota Reached"},
      {{0, 0, 4, 86, 0, 0, 0, 0}, 8, "Allocation Quota Reached"}, /* only padding, counted */
      {{0, 0, 6, 0}, 4, "Unknown error"},
      {{0, 0, 4, 86, 'n', 'o'}, 6, "no"},
      {{0, 0, 4, 86, 'n', 'o', 0, 0}, 8, "no"},
      {{0, 0, 4, 86, ' '}, 5, " "},
      {{0, 0, 4, 86, 0, 'n', 'o', 0}, 8, FFFD "no"}, /* a NUL inside is a control character */
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    output o;
    floe__stun_msg m = with_error_code(&o, rows[i].value, rows[i].len);
    floe__stun_error error;
    assert_true(floe__stun_get_error(&m, &error));
    assert_string_equal(error.reason, rows[i].reason);
  }
}

/* The contract's section 1; the UTF-8 rows are those of the Encoding standard: one U+FFFD per maximal subpart. */
static void decoded_text(void **state) {
  (void)state;
  static const struct {
    const char *raw;
    size_t len; /* 0 = up to the NUL */
    const char *want;
  } rows[] = {
      {"plain text", 0, "plain text"},
      {"", 0, ""},
      {"gr\xC3\xBC\xC3\x9F", 0, "gr\xC3\xBC\xC3\x9F"},
      {"\xE3\x83\x9E", 0, "\xE3\x83\x9E"},
      {"\xF0\x9F\x98\x80!", 0, "\xF0\x9F\x98\x80!"},
      {"\xF4\x8F\xBF\xBF", 0, "\xF4\x8F\xBF\xBF"}, /* U+10FFFF */
      {"a\0\0\0", 4, "a"},
      {"\0\0", 2, ""},
      {"a\0b\0", 4, "a" FFFD "b"},
      {"a\tb\nc\rd\x1B[0m", 0, "a" FFFD "b" FFFD "c" FFFD "d" FFFD "[0m"},
      {"\x7F", 0, FFFD},                                     /* DEL */
      {"\xC2\x80\xC2\x9F\xC2\xA0", 0, FFFD FFFD "\xC2\xA0"}, /* C1; U+00A0 is none */
      {"\x80", 0, FFFD},                                     /* a lone continuation */
      {"\x80\xBF", 0, FFFD FFFD},
      {"\xC0\xAF", 0, FFFD FFFD}, /* overlong */
      {"\xC1\xBF", 0, FFFD FFFD},
      {"\xE0\x80\xAF", 0, FFFD FFFD FFFD}, /* overlong */
      {"\xE0\x9F\xBF", 0, FFFD FFFD FFFD},
      {"\xE0\xA0\x80", 0, "\xE0\xA0\x80"}, /* U+0800 */
      {"\xED\x9F\xBF", 0, "\xED\x9F\xBF"}, /* U+D7FF */
      {"\xED\xA0\x80", 0, FFFD FFFD FFFD}, /* a surrogate */
      {"\xEE\x80\x80", 0, "\xEE\x80\x80"}, /* U+E000 */
      {"\xF0\x80\x80\xAF", 0, FFFD FFFD FFFD FFFD},
      {"\xF0\x8F\xBF\xBF", 0, FFFD FFFD FFFD FFFD},
      {"\xF0\x90\x80\x80", 0, "\xF0\x90\x80\x80"},  /* U+10000 */
      {"\xF4\x90\x80\x80", 0, FFFD FFFD FFFD FFFD}, /* above U+10FFFF */
      {"\xF5\x80\x80\x80", 0, FFFD FFFD FFFD FFFD},
      {"\xFE\xFF", 0, FFFD FFFD},
      {"\xC3", 0, FFFD}, /* cut short */
      {"\xE3\x83", 0, FFFD},
      {"\xF0\x9F\x98", 0, FFFD},
      {"\xF0\x9F\x98z", 0, FFFD "z"},
      {"\xE3\x83z", 0, FFFD "z"},
      {"\xC3z", 0, FFFD "z"},
      {"\xE3\xE3\x83\x9E", 0, FFFD "\xE3\x83\x9E"},
      {"\xF1\x80\x80\xE1\x80\xC2z", 0, FFFD FFFD FFFD "z"},
      {"\xEF\xBB\xBFx", 0, "x"},             /* a byte order mark in front is dropped ... */
      {"x\xEF\xBB\xBF", 0, "x\xEF\xBB\xBF"}, /* ... and kept elsewhere */
      {"\xEF\xBB\xBF\xEF\xBB\xBF", 0, "\xEF\xBB\xBF"},
      {"\xEF\xBB\xBF", 0, ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char out[64];
    size_t len = rows[i].len > 0 ? rows[i].len : strlen(rows[i].raw);
    size_t n = floe__stun_decode_text(out, sizeof out, (floe_bytes){(const uint8_t *)rows[i].raw, len});
    assert_string_equal(out, rows[i].want);
    assert_int_equal(n, strlen(rows[i].want));
  }
}

static void text_is_cut_at_a_character(void **state) {
  (void)state;
  floe_bytes raw = {(const uint8_t *)"a\xC3\xBC\xE3\x83\x9E\xF0\x9F\x98\x80z", 11};
  static const struct {
    size_t cap;
    const char *want;
  } rows[] = {
      {1, ""},
      {2, "a"},
      {3, "a"},
      {4, "a\xC3\xBC"},
      {6, "a\xC3\xBC"},
      {7, "a\xC3\xBC\xE3\x83\x9E"},
      {10, "a\xC3\xBC\xE3\x83\x9E"},
      {11, "a\xC3\xBC\xE3\x83\x9E\xF0\x9F\x98\x80"},
      {12, "a\xC3\xBC\xE3\x83\x9E\xF0\x9F\x98\x80z"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char out[16];
    memset(out, 'X', sizeof out);
    assert_int_equal(floe__stun_decode_text(out, rows[i].cap, raw), strlen(rows[i].want));
    assert_string_equal(out, rows[i].want);
    assert_int_equal(out[rows[i].cap], 'X');
  }
  char none = 'X';
  assert_int_equal(floe__stun_decode_text(&none, 0, raw), 0);
  assert_int_equal(none, 'X');
}

/* "Cut after 763 bytes at a character boundary." */
static void a_long_phrase_is_cut(void **state) {
  (void)state;
  uint8_t value[4 + 1200] = {0, 0, 5, 0};
  output o;
  floe__stun_error error;

  memset(value + 4, 'r', 1200);
  floe__stun_msg m = with_error_code(&o, value, sizeof value);
  assert_true(floe__stun_get_error(&m, &error));
  assert_int_equal(strlen(error.reason), 763);

  for (size_t i = 0; i < 400; i++) memcpy(value + 4 + 3 * i, "\xE3\x83\x9E", 3);
  m = with_error_code(&o, value, sizeof value);
  assert_true(floe__stun_get_error(&m, &error));
  assert_int_equal(strlen(error.reason), 762); /* 254 characters of three bytes */

  memset(value + 4, 0x01, 1200); /* each becomes three bytes */
  m = with_error_code(&o, value, sizeof value);
  assert_true(floe__stun_get_error(&m, &error));
  assert_int_equal(strlen(error.reason), 762);
}

static void address_error(void **state) {
  (void)state;
  static const struct {
    uint8_t value[8];
    size_t len;
    floe_family family; /* NONE = malformed */
    unsigned code;
  } rows[] = {
      {{1, 0, 4, 40}, 4, FLOE_FAMILY_IPV4, 440},
      {{2, 0, 4, 40, 'n', 'o', 'p', 'e'}, 8, FLOE_FAMILY_IPV6, 440},
      {{2, 0, 5, 8}, 4, FLOE_FAMILY_IPV6, 508},
      {{0, 0, 4, 40}, 4, FLOE_FAMILY_NONE, 0},
      {{3, 0, 4, 40}, 4, FLOE_FAMILY_NONE, 0},
      {{2, 0, 2, 0}, 4, FLOE_FAMILY_NONE, 0},
      {{2, 0, 4, 100}, 4, FLOE_FAMILY_NONE, 0},
      {{2, 0, 4}, 3, FLOE_FAMILY_NONE, 0},
      {{0}, 0, FLOE_FAMILY_NONE, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    output o;
    begin(&o);
    floe__stun_put(&o.b, FLOE__STUN_ADDRESS_ERROR_CODE, rows[i].value, rows[i].len);
    floe__stun_msg m = parse_ok(floe__stun_end(&o.b));
    floe_family family = FLOE_FAMILY_NONE;
    uint16_t code = 0;
    assert_int_equal(floe__stun_get_address_error(&m, &family, &code), rows[i].family != FLOE_FAMILY_NONE);
    if (rows[i].family == FLOE_FAMILY_NONE) continue;
    assert_int_equal(family, rows[i].family);
    assert_int_equal(code, rows[i].code);
  }
}

static void names_unknown(void **state) {
  (void)state;
  output o;
  begin(&o);
  assert_false(floe__stun_names_unknown(&(floe__stun_msg){0}, 0x8000));
  floe__stun_put(&o.b, FLOE__STUN_UNKNOWN_ATTRIBUTES, "\x00\x17\x80\x00\x00", 5);
  floe__stun_msg m = parse_ok(floe__stun_end(&o.b));
  assert_true(floe__stun_names_unknown(&m, 0x0017));
  assert_true(floe__stun_names_unknown(&m, 0x8000));
  assert_false(floe__stun_names_unknown(&m, 0x1780));
  assert_false(floe__stun_names_unknown(&m, 0x0000)); /* half an entry is none */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(codes),
      cmocka_unit_test(registered_phrases),
      cmocka_unit_test(an_empty_phrase_is_the_registered_one),
      cmocka_unit_test(decoded_text),
      cmocka_unit_test(text_is_cut_at_a_character),
      cmocka_unit_test(a_long_phrase_is_cut),
      cmocka_unit_test(address_error),
      cmocka_unit_test(names_unknown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
