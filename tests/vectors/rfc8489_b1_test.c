/* RFC 8489 appendix B.1, as corrected by erratum 6268 (the RFC's own octets lack PASSWORD-ALGORITHM, and their length
 * field counts the header): USERHASH, PASSWORD-ALGORITHM, MESSAGE-INTEGRITY-SHA256. */
#include "stun/integrity.h"
#include "stun/opaque_string.h"
#include "unit/stun/fixture.h"

static const uint8_t request[] = {
    0x00, 0x01, 0x00, 0x90, 0x21, 0x12, 0xa4, 0x42, 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29, 0xda, 0x41,
    0x2e, 0x00, 0x1e, 0x00, 0x20, 0x4a, 0x3c, 0xf3, 0x8f, 0xef, 0x69, 0x92, 0xbd, 0xa9, 0x52, 0xc6, 0x78, 0x04, 0x17,
    0xda, 0x0f, 0x24, 0x81, 0x94, 0x15, 0x56, 0x9e, 0x60, 0xb2, 0x05, 0xc4, 0x6e, 0x41, 0x40, 0x7f, 0x17, 0x04, 0x00,
    0x15, 0x00, 0x29, 0x6f, 0x62, 0x4d, 0x61, 0x74, 0x4a, 0x6f, 0x73, 0x32, 0x41, 0x41, 0x41, 0x43, 0x66, 0x2f, 0x2f,
    0x34, 0x39, 0x39, 0x6b, 0x39, 0x35, 0x34, 0x64, 0x36, 0x4f, 0x4c, 0x33, 0x34, 0x6f, 0x4c, 0x39, 0x46, 0x53, 0x54,
    0x76, 0x79, 0x36, 0x34, 0x73, 0x41, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x0b, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c,
    0x65, 0x2e, 0x6f, 0x72, 0x67, 0x00, 0x00, 0x1d, 0x00, 0x04, 0x00, 0x02, 0x00, 0x00, 0x00, 0x1c, 0x00, 0x20, 0xb5,
    0xc7, 0xbf, 0x00, 0x5b, 0x6c, 0x52, 0xa2, 0x1c, 0x51, 0xc5, 0xe8, 0x92, 0xf8, 0x19, 0x24, 0x13, 0x62, 0x96, 0xcb,
    0x92, 0x7c, 0x43, 0x14, 0x93, 0x09, 0x27, 0x8c, 0xc6, 0x51, 0x8e, 0x65};

static const char username[] = "\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9";
static const char realm[] = "example.org";
static const char password[] = "TheMatrIX"; /* prepared */
static const char nonce[] = "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA";

static floe__stun_key long_term_key(void) {
  uint8_t bytes[FLOE__STUN_MAX_KEY];
  size_t len = floe__stun_derive_key(bytes, FLOE__STUN_ALGORITHM_SHA256, username, realm, password);
  assert_int_equal(len, 32);
  floe__stun_key key;
  floe__stun_key_init(&key, bytes, len);
  return key;
}

static void verify(void **state) {
  (void)state;
  floe__stun_msg m = parse_ok((floe_bytes){request, sizeof request});
  assert_int_equal(m.cls, FLOE__STUN_REQUEST);
  assert_int_equal(m.method, FLOE__STUN_BINDING);
  uint8_t userhash[32];
  floe__stun_userhash(userhash, username, realm);
  assert_bytes(floe__stun_get(&m, FLOE__STUN_USERHASH), userhash, sizeof userhash);
  assert_bytes(floe__stun_get(&m, FLOE__STUN_NONCE), nonce, strlen(nonce));
  assert_bytes(floe__stun_get(&m, FLOE__STUN_REALM), realm, strlen(realm));
  uint32_t algorithm;
  assert_true(floe__stun_get_u32(&m, FLOE__STUN_PASSWORD_ALGORITHM, &algorithm));
  assert_int_equal(algorithm, FLOE__STUN_ALGORITHM_SHA256 << 16);
  floe__stun_key key = long_term_key();
  assert_int_equal(floe__stun_check_integrity_sha256(&m, &key), FLOE__STUN_CHECK_OK);
  assert_int_equal(floe__stun_check_integrity(&m, &key), FLOE__STUN_CHECK_ABSENT);
}

static void rebuild(void **state) {
  (void)state;
  floe__stun_key key = long_term_key();
  uint8_t userhash[32];
  floe__stun_userhash(userhash, username, realm);
  uint8_t buf[256];
  floe__stun_builder b;
  floe__stun_begin(&b, buf, sizeof buf, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, request + 8);
  floe__stun_put(&b, FLOE__STUN_USERHASH, userhash, sizeof userhash);
  floe__stun_put_text(&b, FLOE__STUN_NONCE, nonce);
  floe__stun_put_text(&b, FLOE__STUN_REALM, realm);
  floe__stun_put_u32(&b, FLOE__STUN_PASSWORD_ALGORITHM, FLOE__STUN_ALGORITHM_SHA256 << 16);
  floe__stun_put_integrity_sha256(&b, &key);
  assert_bytes(floe__stun_end(&b), request, sizeof request);
}

static void assert_unaffected(floe_env *env, const char *text) {
  char *out = NULL;
  size_t offset;
  assert_int_equal(floe__opaque_string(env, text, &out, &offset), FLOE__OPAQUE_OK);
  assert_string_equal(out, text);
  floe__free_secret(env, out, strlen(out));
}

/* "unaffected by OpaqueString processing" */
static void opaque_string(void **state) {
  (void)state;
  bed b;
  bed_init(&b);
  assert_unaffected(b.env, username);
  assert_unaffected(b.env, realm);
  assert_unaffected(b.env, password);
  bed_clear(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(verify),
      cmocka_unit_test(rebuild),
      cmocka_unit_test(opaque_string),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
