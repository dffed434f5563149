#include "fixture.h"

#define ID     "b7e7a701bc34d686fa87dfae"
#define COOKIE "2112a442"

typedef struct bytes {
  uint8_t at[2048];
  size_t len;
} bytes;

static floe_bytes hex(bytes *b, const char *text) {
  b->len = from_hex(b->at, text);
  return (floe_bytes){b->at, b->len};
}

static floe__stun_parse parse_hex(const char *text, floe__stun_msg *m) {
  static bytes b;
  return floe__stun_msg_parse(m, hex(&b, text));
}

static void header_fields(void **state) {
  (void)state;
  static const struct {
    const char *type;
    floe__stun_class cls;
    uint16_t method;
  } rows[] = {
      {"0001", FLOE__STUN_REQUEST, 0x001},    {"0011", FLOE__STUN_INDICATION, 0x001},
      {"0101", FLOE__STUN_SUCCESS, 0x001},    {"0111", FLOE__STUN_ERROR, 0x001},
      {"0003", FLOE__STUN_REQUEST, 0x003},    {"0103", FLOE__STUN_SUCCESS, 0x003},
      {"0113", FLOE__STUN_ERROR, 0x003},      {"0004", FLOE__STUN_REQUEST, 0x004},
      {"0016", FLOE__STUN_INDICATION, 0x006}, {"0017", FLOE__STUN_INDICATION, 7},
      {"0108", FLOE__STUN_SUCCESS, 0x008},    {"0119", FLOE__STUN_ERROR, 0x009},
      {"3eef", FLOE__STUN_REQUEST, 0xFFF},    {"3fff", FLOE__STUN_ERROR, 0xFFF},
      {"0020", FLOE__STUN_REQUEST, 0x010},    {"0200", FLOE__STUN_REQUEST, 0x080},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char text[80];
    (void)snprintf(text, sizeof text, "%s0000" COOKIE ID, rows[i].type);
    floe__stun_msg m;
    assert_int_equal(parse_hex(text, &m), FLOE__STUN_OK);
    assert_int_equal(m.cls, rows[i].cls);
    assert_int_equal(m.method, rows[i].method);
    assert_memory_equal(m.txn_id, test_id, sizeof test_id);
    assert_int_equal(m.present, 0);
    assert_int_equal(m.n_unknown, 0);
    assert_int_equal(m.packet.len, 20);
  }
}

static void not_stun(void **state) {
  (void)state;
  static const char *const rows[] = {
      "",
      "00010000" COOKIE "b7e7a701bc34d686fa87df", /* 19 bytes */
      "40010000" COOKIE ID,                       /* first bit */
      "80010000" COOKIE ID,                       /* second bit */
      "00010000"
      "2112a443" ID, /* cookie */
      "00010000"
      "2012a442" ID,                   /* cookie */
      "00010004" COOKIE ID,            /* says more than there is */
      "00010000" COOKIE ID "00000000", /* says less */
      "00010002" COOKIE ID "0000",     /* not a multiple of four */
      "00010003" COOKIE ID "000000",
      "485454502f312e3120343030204261642052657175657374", /* HTTP */
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    bytes b;
    floe__stun_msg m;
    assert_int_equal(parse_hex(rows[i], &m), FLOE__STUN_NOT_STUN);
    assert_false(floe__stun_is_message(hex(&b, rows[i])));
  }
  assert_false(floe__stun_is_message((floe_bytes){0}));
}

static void is_message_looks_at_the_header_only(void **state) {
  (void)state;
  bytes b;
  assert_true(floe__stun_is_message(hex(&b, "00010004" COOKIE ID "0006ffff")));
}

static void attributes_are_slices(void **state) {
  (void)state;
  bytes b;
  floe_bytes packet = hex(&b, "00010020" COOKIE ID
                              "00060003"
                              "616263ff" /* USERNAME, padding of any value */
                              "802a0008"
                              "0102030405060708" /* ICE-CONTROLLING */
                              "00250000"         /* USE-CANDIDATE */
                              "00240004"
                              "6e0001ff"); /* PRIORITY */
  floe__stun_msg m = parse_ok(packet);
  assert_true(floe__stun_has(&m, FLOE__STUN_USERNAME));
  assert_true(floe__stun_has(&m, FLOE__STUN_USE_CANDIDATE));
  assert_false(floe__stun_has(&m, FLOE__STUN_REALM));
  floe_bytes username = floe__stun_get(&m, FLOE__STUN_USERNAME);
  assert_ptr_equal(username.ptr, packet.ptr + 24);
  assert_bytes(username, "abc", 3);
  assert_int_equal(floe__stun_get(&m, FLOE__STUN_USE_CANDIDATE).len, 0);
  assert_null(floe__stun_get(&m, FLOE__STUN_REALM).ptr);
  uint32_t priority = 0;
  uint64_t tie_breaker = 0;
  assert_true(floe__stun_get_u32(&m, FLOE__STUN_PRIORITY, &priority));
  assert_int_equal(priority, 0x6e0001ff);
  assert_true(floe__stun_get_u64(&m, FLOE__STUN_ICE_CONTROLLING, &tie_breaker));
  assert_true(tie_breaker == 0x0102030405060708);
}

static void first_occurrence_counts(void **state) {
  (void)state;
  bytes b;
  floe__stun_msg m = parse_ok(hex(&b, "00010010" COOKIE ID "00060003"
                                      "61626300"
                                      "00060003"
                                      "64656600"));
  assert_bytes(floe__stun_get(&m, FLOE__STUN_USERNAME), "abc", 3);
}

static void numbers_of_the_wrong_length(void **state) {
  (void)state;
  bytes b;
  floe__stun_msg m = parse_ok(hex(&b, "0001001c" COOKIE ID "00240003"
                                      "01020300"
                                      "802a0004"
                                      "01020304"
                                      "000d0008"
                                      "0000000000000001"));
  uint32_t u32 = 77;
  uint64_t u64 = 77;
  assert_false(floe__stun_get_u32(&m, FLOE__STUN_PRIORITY, &u32));
  assert_false(floe__stun_get_u32(&m, FLOE__STUN_LIFETIME, &u32));
  assert_false(floe__stun_get_u32(&m, FLOE__STUN_CHANNEL_NUMBER, &u32));
  assert_false(floe__stun_get_u64(&m, FLOE__STUN_ICE_CONTROLLING, &u64));
  assert_false(floe__stun_get_u64(&m, FLOE__STUN_ICE_CONTROLLED, &u64));
  assert_int_equal(u32, 77);
  assert_int_equal(u64, 77);
}

static void overruns(void **state) {
  (void)state;
  static const char *const rows[] = {
      "01010004" COOKIE ID "00060001", /* the value is missing */
      "01010008" COOKIE ID
      "00060005"
      "61626364", /* one byte past the end */
      "01010008" COOKIE ID
      "0006ffff"
      "61626364",
      "0101000c" COOKIE ID
      "00060003"
      "61626300"
      "00140001", /* the second */
      "01010008" COOKIE ID
      "7fff0005"
      "61626364", /* one that we do not know */
      "01010024" COOKIE ID
      "00080014"
      "0000000000000000000000000000000000000000"
      "00060009"
      "0000000000000000",
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__stun_msg m;
    assert_int_equal(parse_hex(rows[i], &m), FLOE__STUN_OVERRUN);
    assert_int_equal(m.cls, FLOE__STUN_SUCCESS); /* the header fields are valid */
    assert_int_equal(m.method, FLOE__STUN_BINDING);
    assert_memory_equal(m.txn_id, test_id, sizeof test_id);
  }
  floe__stun_msg m;
  assert_int_equal(parse_hex(rows[3], &m), FLOE__STUN_OVERRUN);
  assert_true(floe__stun_has(&m, FLOE__STUN_USERNAME)); /* what came before is there */
  assert_false(floe__stun_has(&m, FLOE__STUN_REALM));
}

#define SHA1_ZEROS   "0000000000000000000000000000000000000000"
#define SHA256_ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* RFC 8489 14.5 to 14.7. */
static void what_follows_integrity(void **state) {
  (void)state;
  bytes b;
  floe__stun_msg m = parse_ok(hex(&b, "00010060" COOKIE ID "00080014" SHA1_ZEROS "00060003"
                                      "61626300" /* ignored: after MESSAGE-INTEGRITY */
                                      "7fff0000" /* ignored, too, although unknown and required */
                                      "001c0020" SHA256_ZEROS "00080014" SHA1_ZEROS /* ignored */
                                  ));
  assert_true(floe__stun_has(&m, FLOE__STUN_MESSAGE_INTEGRITY));
  assert_true(floe__stun_has(&m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256));
  assert_false(floe__stun_has(&m, FLOE__STUN_USERNAME));
  assert_int_equal(m.n_unknown, 0);
  assert_int_equal(m.at[FLOE__STUN_MESSAGE_INTEGRITY], 24);

  m = parse_ok(hex(&b, "00010058" COOKIE ID "001c0020" SHA256_ZEROS
                       "00080014" SHA1_ZEROS /* ignored: after MESSAGE-INTEGRITY-SHA256 */
                       "00140004"
                       "61626364" /* ignored */
                       "80280004"
                       "01020304"
                       "00060004"
                       "61626364" /* ignored: after FINGERPRINT */
                       "00000000"));
  assert_true(floe__stun_has(&m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256));
  assert_true(floe__stun_has(&m, FLOE__STUN_FINGERPRINT));
  assert_false(floe__stun_has(&m, FLOE__STUN_MESSAGE_INTEGRITY));
  assert_false(floe__stun_has(&m, FLOE__STUN_REALM));
  assert_false(floe__stun_has(&m, FLOE__STUN_USERNAME));
}

static void nothing_is_read_after_fingerprint(void **state) {
  (void)state;
  bytes b;
  floe__stun_msg m = parse_ok(hex(&b, "00010010" COOKIE ID "80280004"
                                      "01020304"
                                      "0006ffff"
                                      "61626364"));
  assert_true(floe__stun_has(&m, FLOE__STUN_FINGERPRINT));
  assert_int_equal(m.n_unknown, 0);
}

static void unknown_required_attributes(void **state) {
  (void)state;
  bytes b;
  floe__stun_msg m = parse_ok(hex(&b, "0001002c" COOKIE ID "00000000"
                                      "80ff0000"
                                      "00020000"
                                      "7fff0000"
                                      "00210000"
                                      "ffff0000"
                                      "002b0000"
                                      "00040000"
                                      "00050000"
                                      "00070000"
                                      "002d0000"));
  static const uint16_t want[] = {0x0000, 0x0002, 0x7fff, 0x0021, 0x002b, 0x0004, 0x0005, 0x0007};
  assert_int_equal(m.n_unknown, 8); /* the first eight; 0x8000 to 0xffff are optional */
  assert_memory_equal(m.unknown, want, sizeof want);
  assert_int_equal(m.present, 0);
}

/* They are kept, for a server of RFC 5780, and are unknown to everybody else. */
static void attributes_that_few_understand(void **state) {
  (void)state;
  bytes b;
  floe__stun_msg m = parse_ok(hex(&b, "00010018" COOKIE ID "00030004"
                                      "00000006"
                                      "00260000"
                                      "00270004"
                                      "c3500000"
                                      "802c0000"));
  static const uint16_t want[] = {0x0003, 0x0026, 0x0027};
  uint32_t change;
  assert_int_equal(m.n_unknown, 3);
  assert_memory_equal(m.unknown, want, sizeof want);
  assert_true(floe__stun_get_u32(&m, FLOE__STUN_CHANGE_REQUEST, &change));
  assert_int_equal(change, 6);
  assert_true(floe__stun_has(&m, FLOE__STUN_PADDING));
  assert_true(floe__stun_has(&m, FLOE__STUN_RESPONSE_PORT));
  assert_true(floe__stun_has(&m, FLOE__STUN_OTHER_ADDRESS));
}

static void every_known_attribute_is_found(void **state) {
  (void)state;
  static const struct {
    floe__stun_attr attr;
    uint16_t type;
    const char *name;
  } rows[] = {
#define FLOE__ROW(id, wire, name) {FLOE__STUN_##id, wire, name},
      FLOE__STUN_ATTR_MAP(FLOE__ROW)
#undef FLOE__ROW
  };
  assert_int_equal(sizeof rows / sizeof rows[0], FLOE__STUN_ATTR_COUNT);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(rows[i].attr, i);
    assert_int_equal(floe__stun_attr_type(rows[i].attr), rows[i].type);
    assert_string_equal(floe__stun_attr_name(rows[i].attr), rows[i].name);
    char text[80];
    (void)snprintf(text, sizeof text,
                   "00010008" COOKIE ID
                   "%04x0004"
                   "61626364",
                   rows[i].type);
    floe__stun_msg m;
    assert_int_equal(parse_hex(text, &m), FLOE__STUN_OK);
    assert_true(m.present == (uint64_t)1 << rows[i].attr);
    bool is_foreign = rows[i].type == 0x0003 || rows[i].type == 0x0026 || rows[i].type == 0x0027;
    assert_int_equal(m.n_unknown, is_foreign ? 1 : 0);
  }
  assert_int_equal(floe__stun_attr_type(FLOE__STUN_XOR_MAPPED_ADDRESS), 0x0020);
  assert_int_equal(floe__stun_attr_type(FLOE__STUN_FINGERPRINT), 0x8028);
  assert_string_equal(floe__stun_attr_name(FLOE__STUN_ICE_CONTROLLED), "ICE-CONTROLLED");
}

static void assert_addr(const floe_addr *addr, const char *want) {
  char text[FLOE_ADDR_TEXT];
  assert_string_equal(floe_addr_format(addr, text), want);
}

static void addresses(void **state) {
  (void)state;
  bytes b;
  floe__stun_msg m = parse_ok(hex(&b, "0101003c" COOKIE ID "00010008"
                                      "0001"
                                      "8055"
                                      "c0000201"
                                      "80230014"
                                      "ff02"
                                      "0d96"
                                      "20010db8000000000000000000000001"
                                      "00200014"
                                      "0002"
                                      "a147"
                                      "0113a9faa5d3f179bc25f4b5bed2b9d9"));
  floe_addr addr;
  assert_true(floe__stun_get_addr(&m, FLOE__STUN_MAPPED_ADDRESS, &addr));
  assert_addr(&addr, "192.0.2.1:32853");
  assert_true(floe__stun_get_addr(&m, FLOE__STUN_ALTERNATE_SERVER, &addr));
  assert_addr(&addr, "[2001:db8::1]:3478");
  assert_int_equal(addr.scope_id, 0);
  assert_true(floe__stun_get_xor_addr(&m, FLOE__STUN_XOR_MAPPED_ADDRESS, &addr));
  assert_addr(&addr, "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

static void addresses_that_are_none(void **state) {
  (void)state;
  static const char *const rows[] = {
      "00010008" COOKIE ID
      "00200004"
      "0001a147", /* no IP */
      "00010008" COOKIE ID
      "00200000"
      "80220000", /* empty */
      "0001000c" COOKIE ID
      "00200008"
      "0003a147"
      "e112a643", /* family 3 */
      "0001000c" COOKIE ID
      "00200008"
      "0000a147"
      "e112a643", /* family 0 */
      "0001000c" COOKIE ID
      "00200008"
      "0002a147"
      "e112a643", /* IPv6 of four bytes */
      "0001000c" COOKIE ID
      "00200007"
      "0001a147"
      "e112a643", /* short */
      "00010010" COOKIE ID
      "00200009"
      "0001a147"
      "e112a643"
      "00000000", /* long */
      "00010018" COOKIE ID
      "00200014"
      "0001a147"
      "0113a9faa5d3f179bc25f4b5bed2b9d9", /* IPv4 of 16 */
      "00010000" COOKIE ID,               /* absent */
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__stun_msg m;
    assert_int_equal(parse_hex(rows[i], &m), FLOE__STUN_OK);
    floe_addr addr;
    memset(&addr, 0xAA, sizeof addr);
    assert_false(floe__stun_get_xor_addr(&m, FLOE__STUN_XOR_MAPPED_ADDRESS, &addr));
    assert_int_equal(addr.family, FLOE_FAMILY_NONE);
    assert_false(floe__stun_get_addr(&m, FLOE__STUN_XOR_MAPPED_ADDRESS, &addr));
  }
}

static void nth_occurrence(void **state) {
  (void)state;
  bytes b;
  floe__stun_msg m = parse_ok(hex(&b, "01030050" COOKIE ID "00160008"
                                      "0001a147"
                                      "e112a643"
                                      "000d0004"
                                      "00000258"
                                      "00160014"
                                      "0002a147"
                                      "0113a9faa5d3f179bc25f4b5bed2b9d9"
                                      "00080014" SHA1_ZEROS "00160008"
                                      "0001a147"
                                      "e112a644")); /* after the integrity: not there */
  bool found = false;
  floe_addr addr;
  floe_bytes value = floe__stun_get_nth(&m, FLOE__STUN_XOR_RELAYED_ADDRESS, 0, &found);
  assert_true(found);
  assert_true(floe__stun_decode_xor_addr(&m, value, &addr));
  assert_addr(&addr, "192.0.2.1:32853");
  value = floe__stun_get_nth(&m, FLOE__STUN_XOR_RELAYED_ADDRESS, 1, &found);
  assert_true(found);
  assert_true(floe__stun_decode_xor_addr(&m, value, &addr));
  assert_addr(&addr, "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
  value = floe__stun_get_nth(&m, FLOE__STUN_XOR_RELAYED_ADDRESS, 2, &found);
  assert_false(found);
  assert_int_equal(value.len, 0);
  (void)floe__stun_get_nth(&m, FLOE__STUN_DATA, 0, &found);
  assert_false(found);
  (void)floe__stun_get_nth(&m, FLOE__STUN_LIFETIME, 0, &found);
  assert_true(found);
}

static void nth_occurrence_stops_at_sha256(void **state) {
  (void)state;
  bytes b;
  floe__stun_msg m = parse_ok(hex(&b, "0103002c" COOKIE ID "001c0020" SHA256_ZEROS "000d0004"
                                      "00000258"));
  bool found = true;
  (void)floe__stun_get_nth(&m, FLOE__STUN_LIFETIME, 0, &found);
  assert_false(found);
}

/* The longest message: 65,552 bytes, whose last attribute's value begins past 65,535. */
static void longest_message(void **state) {
  (void)state;
  size_t len = 20 + 65532;
  uint8_t *p = calloc(1, len);
  assert_non_null(p);
  (void)from_hex(p, "0001fffc" COOKIE ID "8022fff0");
  (void)from_hex(p + 20 + 4 + 65520, "0006000461626364");
  floe__stun_msg m = parse_ok((floe_bytes){p, len});
  assert_int_equal(floe__stun_get(&m, FLOE__STUN_SOFTWARE).len, 65520);
  assert_int_equal(m.at[FLOE__STUN_USERNAME], 65548);
  assert_bytes(floe__stun_get(&m, FLOE__STUN_USERNAME), "abcd", 4);
  free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(header_fields),
      cmocka_unit_test(not_stun),
      cmocka_unit_test(is_message_looks_at_the_header_only),
      cmocka_unit_test(attributes_are_slices),
      cmocka_unit_test(first_occurrence_counts),
      cmocka_unit_test(numbers_of_the_wrong_length),
      cmocka_unit_test(overruns),
      cmocka_unit_test(what_follows_integrity),
      cmocka_unit_test(nothing_is_read_after_fingerprint),
      cmocka_unit_test(unknown_required_attributes),
      cmocka_unit_test(attributes_that_few_understand),
      cmocka_unit_test(every_known_attribute_is_found),
      cmocka_unit_test(addresses),
      cmocka_unit_test(addresses_that_are_none),
      cmocka_unit_test(nth_occurrence),
      cmocka_unit_test(nth_occurrence_stops_at_sha256),
      cmocka_unit_test(longest_message),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
