/* RFC 5769: test vectors for STUN. Each is verified, and built again byte for byte. */
#include "stun/error_code.h"
#include "stun/integrity.h"
#include "unit/stun/fixture.h"

static const char password[] = "VOkJxbRl1RmTxUk/WvJxBt";

/* 2.1 */
static const uint8_t request[] = {
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87,
    0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74, 0x20, 0x63, 0x6c,
    0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f,
    0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76,
    0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e,
    0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf};

/* 2.2 */
static const uint8_t ipv4_response[] = {
    0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9,
    0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b, 0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96};

/* 2.3 */
static const uint8_t ipv6_response[] = {
    0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf,
    0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x20, 0x00, 0x20,
    0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe,
    0xd2, 0xb9, 0xd9, 0x00, 0x08, 0x00, 0x14, 0xa3, 0x82, 0x95, 0x4e, 0x4b, 0xe6, 0x7b, 0xf1, 0x17, 0x84, 0xc9, 0x7c,
    0x82, 0x92, 0xc2, 0x75, 0xbf, 0xe3, 0xed, 0x41, 0x80, 0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b, 0x4c};

/* 2.4 */
static const uint8_t long_term_request[] = {
    0x00, 0x01, 0x00, 0x60, 0x21, 0x12, 0xa4, 0x42, 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29,
    0xda, 0x41, 0x2e, 0x00, 0x06, 0x00, 0x12, 0xe3, 0x83, 0x9e, 0xe3, 0x83, 0x88, 0xe3, 0x83, 0xaa, 0xe3,
    0x83, 0x83, 0xe3, 0x82, 0xaf, 0xe3, 0x82, 0xb9, 0x00, 0x00, 0x00, 0x15, 0x00, 0x1c, 0x66, 0x2f, 0x2f,
    0x34, 0x39, 0x39, 0x6b, 0x39, 0x35, 0x34, 0x64, 0x36, 0x4f, 0x4c, 0x33, 0x34, 0x6f, 0x4c, 0x39, 0x46,
    0x53, 0x54, 0x76, 0x79, 0x36, 0x34, 0x73, 0x41, 0x00, 0x14, 0x00, 0x0b, 0x65, 0x78, 0x61, 0x6d, 0x70,
    0x6c, 0x65, 0x2e, 0x6f, 0x72, 0x67, 0x00, 0x00, 0x08, 0x00, 0x14, 0xf6, 0x70, 0x24, 0x65, 0x6d, 0xd6,
    0x4a, 0x3e, 0x02, 0xb8, 0xe0, 0x71, 0x2e, 0x85, 0xc9, 0xa2, 0x8c, 0xa8, 0x96, 0x66};

typedef struct output {
  uint8_t buf[256];
  floe__stun_builder b;
} output;

/* The vectors of 2.1 to 2.3 pad with spaces where Floe writes zeros: overwrites the last `n` bytes written, before
 * anything is computed over them. */
static void pad_with_spaces(output *o, size_t n) {
  memset(o->buf + o->b.w.len - n, 0x20, n);
}

static floe__stun_key short_term_key(void) {
  floe__stun_key key;
  floe__stun_key_init(&key, password, strlen(password));
  return key;
}

static void assert_verified(const floe__stun_msg *m) {
  floe__stun_key key = short_term_key();
  assert_int_equal(floe__stun_check_integrity(m, &key), FLOE__STUN_CHECK_OK);
  assert_int_equal(floe__stun_check_fingerprint(m), FLOE__STUN_CHECK_OK);
}

static void assert_text(const floe__stun_msg *m, floe__stun_attr attr, const char *want) {
  assert_bytes(floe__stun_get(m, attr), want, strlen(want));
}

static void verify_request(void **state) {
  (void)state;
  floe__stun_msg m = parse_ok((floe_bytes){request, sizeof request});
  assert_int_equal(m.cls, FLOE__STUN_REQUEST);
  assert_int_equal(m.method, FLOE__STUN_BINDING);
  assert_memory_equal(m.txn_id, test_id, sizeof test_id);
  assert_text(&m, FLOE__STUN_SOFTWARE, "STUN test client");
  assert_text(&m, FLOE__STUN_USERNAME, "evtj:h6vY");
  uint32_t priority;
  uint64_t tie_breaker;
  assert_true(floe__stun_get_u32(&m, FLOE__STUN_PRIORITY, &priority));
  assert_int_equal(priority, 0x6e0001ff);
  assert_true(floe__stun_get_u64(&m, FLOE__STUN_ICE_CONTROLLED, &tie_breaker));
  assert_true(tie_breaker == 0x932ff9b151263b36);
  assert_int_equal(m.n_unknown, 0);
  assert_verified(&m);
}

static void rebuild_request(void **state) {
  (void)state;
  floe__stun_key key = short_term_key();
  output o;
  floe__stun_begin(&o.b, o.buf, sizeof o.buf, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, test_id);
  floe__stun_put_text(&o.b, FLOE__STUN_SOFTWARE, "STUN test client");
  floe__stun_put_u32(&o.b, FLOE__STUN_PRIORITY, 0x6e0001ff);
  floe__stun_put_u64(&o.b, FLOE__STUN_ICE_CONTROLLED, 0x932ff9b151263b36);
  floe__stun_put_text(&o.b, FLOE__STUN_USERNAME, "evtj:h6vY");
  pad_with_spaces(&o, 3);
  floe__stun_put_integrity(&o.b, &key);
  floe__stun_put_fingerprint(&o.b);
  assert_bytes(floe__stun_end(&o.b), request, sizeof request);
}

static const struct {
  const uint8_t *bytes;
  size_t len;
  const char *mapped;
} responses[] = {{ipv4_response, sizeof ipv4_response, "192.0.2.1:32853"},
                 {ipv6_response, sizeof ipv6_response, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"}};

static void verify_responses(void **state) {
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    floe__stun_msg m = parse_ok((floe_bytes){responses[i].bytes, responses[i].len});
    assert_int_equal(m.cls, FLOE__STUN_SUCCESS);
    assert_int_equal(m.method, FLOE__STUN_BINDING);
    assert_text(&m, FLOE__STUN_SOFTWARE, "test vector");
    floe_addr mapped;
    char text[FLOE_ADDR_TEXT];
    assert_true(floe__stun_get_xor_addr(&m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped));
    assert_string_equal(floe_addr_format(&mapped, text), responses[i].mapped);
    assert_verified(&m);
  }
}

static void rebuild_responses(void **state) {
  (void)state;
  floe__stun_key key = short_term_key();
  for (size_t i = 0; i < 2; i++) {
    floe_addr mapped;
    assert_true(floe_addr_parse(&mapped, responses[i].mapped));
    output o;
    floe__stun_begin(&o.b, o.buf, sizeof o.buf, FLOE__STUN_SUCCESS, FLOE__STUN_BINDING, test_id);
    floe__stun_put_text(&o.b, FLOE__STUN_SOFTWARE, "test vector");
    pad_with_spaces(&o, 1);
    floe__stun_put_xor_addr(&o.b, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped);
    floe__stun_put_integrity(&o.b, &key);
    floe__stun_put_fingerprint(&o.b);
    assert_bytes(floe__stun_end(&o.b), responses[i].bytes, responses[i].len);
  }
}

/* 2.4: the user name is six katakana; the password is given after SASLprep. */
static const char username[] = "\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9";

static floe__stun_key long_term_key(void) {
  uint8_t bytes[FLOE__STUN_MAX_KEY];
  size_t len = floe__stun_derive_key(bytes, FLOE__STUN_ALGORITHM_MD5, username, "example.org", "TheMatrIX");
  assert_int_equal(len, 16);
  floe__stun_key key;
  floe__stun_key_init(&key, bytes, len);
  return key;
}

static void verify_long_term_request(void **state) {
  (void)state;
  floe__stun_msg m = parse_ok((floe_bytes){long_term_request, sizeof long_term_request});
  assert_int_equal(m.cls, FLOE__STUN_REQUEST);
  assert_int_equal(m.method, FLOE__STUN_BINDING);
  assert_text(&m, FLOE__STUN_USERNAME, username);
  assert_text(&m, FLOE__STUN_NONCE, "f//499k954d6OL34oL9FSTvy64sA");
  assert_text(&m, FLOE__STUN_REALM, "example.org");
  floe__stun_key key = long_term_key();
  assert_int_equal(floe__stun_check_integrity(&m, &key), FLOE__STUN_CHECK_OK);
  assert_int_equal(floe__stun_check_fingerprint(&m), FLOE__STUN_CHECK_ABSENT);
}

static void rebuild_long_term_request(void **state) {
  (void)state;
  floe__stun_key key = long_term_key();
  output o;
  floe__stun_begin(&o.b, o.buf, sizeof o.buf, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, long_term_request + 8);
  floe__stun_put_text(&o.b, FLOE__STUN_USERNAME, username);
  floe__stun_put_text(&o.b, FLOE__STUN_NONCE, "f//499k954d6OL34oL9FSTvy64sA");
  floe__stun_put_text(&o.b, FLOE__STUN_REALM, "example.org");
  floe__stun_put_integrity(&o.b, &key);
  assert_bytes(floe__stun_end(&o.b), long_term_request, sizeof long_term_request);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(verify_request),           cmocka_unit_test(rebuild_request),
      cmocka_unit_test(verify_responses),         cmocka_unit_test(rebuild_responses),
      cmocka_unit_test(verify_long_term_request), cmocka_unit_test(rebuild_long_term_request),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
