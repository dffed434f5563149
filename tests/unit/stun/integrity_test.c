#include "stun/integrity.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "fixture.h"

static const char password[] = "VOkJxbRl1RmTxUk/WvJxBt";

typedef struct output {
  uint8_t buf[2048];
  floe__stun_builder b;
} output;

/* A Binding request with `filler` bytes of DATA. */
static void begin(output *o, size_t filler) {
  static const uint8_t zeros[1024];
  floe__stun_begin(&o->b, o->buf, sizeof o->buf, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, test_id);
  if (filler > 0) floe__stun_put(&o->b, FLOE__STUN_DATA, zeros, filler);
}

static floe__stun_key key_of(const void *bytes, size_t len) {
  floe__stun_key key;
  floe__stun_key_init(&key, bytes, len);
  return key;
}

/* libcrypto's own HMAC over the message before the attribute, whose header says a length that ends after it. */
static void reference_mac(uint8_t *out, const EVP_MD *md, const void *key, size_t key_len, floe_bytes message,
                          size_t before, size_t mac_len) {
  uint8_t text[2048];
  memcpy(text, message.ptr, before);
  size_t length = before + 4 + mac_len - 20;
  text[2] = (uint8_t)(length >> 8);
  text[3] = (uint8_t)length;
  unsigned n = 0;
  assert_non_null(HMAC(md, key, (int)key_len, text, before, out, &n));
}

/* Every position of the end within a block, and several blocks; every kind of key length. */
static void macs_are_those_of_libcrypto(void **state) {
  (void)state;
  static const size_t key_lens[] = {0, 1, 16, 20, 32, 63, 64, 65, 200};
  uint8_t bytes[200];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7 + 1);
  for (size_t k = 0; k < sizeof key_lens / sizeof key_lens[0]; k++) {
    floe__stun_key key = key_of(bytes, key_lens[k]);
    for (size_t filler = 0; filler <= 260; filler += 4) {
      output o;
      begin(&o, filler);
      size_t before = o.b.w.len;
      floe__stun_put_integrity(&o.b, &key);
      size_t before_sha256 = o.b.w.len;
      floe__stun_put_integrity_sha256(&o.b, &key);
      floe__stun_put_fingerprint(&o.b);
      floe__stun_msg m = parse_ok(floe__stun_end(&o.b));
      uint8_t want[32];
      reference_mac(want, EVP_sha1(), bytes, key_lens[k], m.packet, before, 20);
      assert_bytes(floe__stun_get(&m, FLOE__STUN_MESSAGE_INTEGRITY), want, 20);
      reference_mac(want, EVP_sha256(), bytes, key_lens[k], m.packet, before_sha256, 32);
      assert_bytes(floe__stun_get(&m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256), want, 32);
      assert_int_equal(floe__stun_check_integrity(&m, &key), FLOE__STUN_CHECK_OK);
      assert_int_equal(floe__stun_check_integrity_sha256(&m, &key), FLOE__STUN_CHECK_OK);
      assert_int_equal(floe__stun_check_fingerprint(&m), FLOE__STUN_CHECK_OK);
    }
    floe__stun_key_clear(&key);
  }
}

static void absent(void **state) {
  (void)state;
  floe__stun_key key = key_of(password, strlen(password));
  output o;
  begin(&o, 4);
  floe__stun_msg m = parse_ok(floe__stun_end(&o.b));
  assert_int_equal(floe__stun_check_integrity(&m, &key), FLOE__STUN_CHECK_ABSENT);
  assert_int_equal(floe__stun_check_integrity_sha256(&m, &key), FLOE__STUN_CHECK_ABSENT);
  assert_int_equal(floe__stun_check_fingerprint(&m), FLOE__STUN_CHECK_ABSENT);
}

static void wrong_key(void **state) {
  (void)state;
  floe__stun_key key = key_of(password, strlen(password));
  floe__stun_key other = key_of("VOkJxbRl1RmTxUk/WvJxBT", strlen(password));
  output o;
  begin(&o, 4);
  floe__stun_put_integrity(&o.b, &key);
  floe__stun_put_integrity_sha256(&o.b, &key);
  floe__stun_msg m = parse_ok(floe__stun_end(&o.b));
  assert_int_equal(floe__stun_check_integrity(&m, &other), FLOE__STUN_CHECK_BAD);
  assert_int_equal(floe__stun_check_integrity_sha256(&m, &other), FLOE__STUN_CHECK_BAD);
}

/* Flips each bit in turn: whatever still parses with all three attributes in place fails one check at least. */
static void every_bit_counts(void **state) {
  (void)state;
  floe__stun_key key = key_of(password, strlen(password));
  output o;
  begin(&o, 8);
  floe__stun_put_integrity(&o.b, &key);
  floe__stun_put_integrity_sha256(&o.b, &key);
  floe__stun_put_fingerprint(&o.b);
  floe_bytes message = floe__stun_end(&o.b);
  for (size_t bit = 0; bit < message.len * 8; bit++) {
    o.buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
    floe__stun_msg m;
    if (floe__stun_msg_parse(&m, message) == FLOE__STUN_OK) {
      bool all_good = floe__stun_check_integrity(&m, &key) == FLOE__STUN_CHECK_OK &&
                      floe__stun_check_integrity_sha256(&m, &key) == FLOE__STUN_CHECK_OK &&
                      floe__stun_check_fingerprint(&m) == FLOE__STUN_CHECK_OK;
      assert_false(all_good);
      if (bit < 52 * 8 && floe__stun_has(&m, FLOE__STUN_FINGERPRINT)) {
        assert_int_equal(floe__stun_check_fingerprint(&m), FLOE__STUN_CHECK_BAD);
      }
    }
    o.buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}

static void every_bit_of_a_mac_counts(void **state) {
  (void)state;
  floe__stun_key key = key_of(password, strlen(password));
  output o;
  begin(&o, 8);
  floe__stun_put_integrity(&o.b, &key);
  floe__stun_msg m = parse_ok(floe__stun_end(&o.b));
  uint8_t *mac = o.buf + m.at[FLOE__STUN_MESSAGE_INTEGRITY];
  for (size_t bit = 0; bit < (size_t)20 * 8; bit++) {
    mac[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_int_equal(floe__stun_check_integrity(&m, &key), FLOE__STUN_CHECK_BAD);
    mac[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  begin(&o, 8);
  floe__stun_put_integrity_sha256(&o.b, &key);
  m = parse_ok(floe__stun_end(&o.b));
  mac = o.buf + m.at[FLOE__STUN_MESSAGE_INTEGRITY_SHA256];
  for (size_t bit = 0; bit < (size_t)32 * 8; bit++) {
    mac[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_int_equal(floe__stun_check_integrity_sha256(&m, &key), FLOE__STUN_CHECK_BAD);
    mac[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}

static void integrity_of_another_length_is_bad(void **state) {
  (void)state;
  static const uint8_t mac[64];
  floe__stun_key key = key_of(password, strlen(password));
  for (size_t len = 0; len <= 40; len++) {
    output o;
    begin(&o, 4);
    floe__stun_put(&o.b, FLOE__STUN_MESSAGE_INTEGRITY, mac, len);
    floe__stun_msg m = parse_ok(floe__stun_end(&o.b));
    assert_int_equal(floe__stun_check_integrity(&m, &key), FLOE__STUN_CHECK_BAD);
  }
}

/* RFC 8489 14.6: cut to 16, 20, 24 or 28 bytes; the length that is hashed is that of the cut attribute. */
static void truncated_sha256(void **state) {
  (void)state;
  floe__stun_key key = key_of(password, strlen(password));
  for (size_t len = 0; len <= 40; len++) {
    output o;
    begin(&o, 4);
    uint8_t mac[40] = {0};
    reference_mac(mac, EVP_sha256(), password, strlen(password), (floe_bytes){o.buf, o.b.w.len}, o.b.w.len,
                  (len + 3) / 4 * 4);
    floe__stun_put(&o.b, FLOE__STUN_MESSAGE_INTEGRITY_SHA256, mac, len);
    floe__stun_msg m = parse_ok(floe__stun_end(&o.b));
    bool allowed = len >= 16 && len <= 32 && len % 4 == 0;
    assert_int_equal(floe__stun_check_integrity_sha256(&m, &key), allowed ? FLOE__STUN_CHECK_OK : FLOE__STUN_CHECK_BAD);
  }
}

static void fingerprint_is_last_and_four_bytes(void **state) {
  (void)state;
  output o;
  begin(&o, 4);
  floe__stun_put_fingerprint(&o.b);
  floe__stun_put_text(&o.b, FLOE__STUN_SOFTWARE, "late");
  floe__stun_msg m = parse_ok(floe__stun_end(&o.b));
  assert_int_equal(floe__stun_check_fingerprint(&m), FLOE__STUN_CHECK_BAD);
  for (size_t len = 0; len <= 8; len++) {
    begin(&o, 4);
    floe__stun_put(&o.b, FLOE__STUN_FINGERPRINT, "\0\0\0\0\0\0\0\0", len);
    m = parse_ok(floe__stun_end(&o.b));
    assert_int_equal(floe__stun_check_fingerprint(&m), FLOE__STUN_CHECK_BAD);
  }
}

/* The packet of a message that is checked may be in read-only memory, and longer than what is hashed. */
static void checking_leaves_the_packet_alone(void **state) {
  (void)state;
  floe__stun_key key = key_of(password, strlen(password));
  output o;
  begin(&o, 60);
  floe__stun_put_integrity(&o.b, &key);
  floe__stun_put_fingerprint(&o.b);
  floe_bytes message = floe__stun_end(&o.b);
  uint8_t before[2048];
  memcpy(before, o.buf, message.len);
  floe__stun_msg m = parse_ok(message);
  assert_int_equal(floe__stun_check_integrity(&m, &key), FLOE__STUN_CHECK_OK);
  assert_int_equal(floe__stun_check_fingerprint(&m), FLOE__STUN_CHECK_OK);
  assert_bytes(message, before, message.len);
}

static void no_room(void **state) {
  (void)state;
  floe__stun_key key = key_of(password, strlen(password));
  uint8_t buf[20 + 24 + 36 + 8];
  for (size_t cap = 0; cap <= sizeof buf; cap++) {
    floe__stun_builder b;
    floe__stun_begin(&b, buf, cap, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, test_id);
    floe__stun_put_integrity(&b, &key);
    floe__stun_put_integrity_sha256(&b, &key);
    floe__stun_put_fingerprint(&b);
    assert_int_equal(floe__stun_end(&b).len, cap == sizeof buf ? sizeof buf : 0);
  }
}

static void derived_keys(void **state) {
  (void)state;
  static const struct {
    floe__stun_password_algorithm algorithm;
    const char *username, *realm, *password, *key;
  } rows[] = {
      {FLOE__STUN_ALGORITHM_MD5, "user", "realm", "pass", "8493fbc53ba582fb4c044c456bdc40eb"}, /* RFC 8489 9.2.2 */
      {FLOE__STUN_ALGORITHM_MD5, "", "", "", "4501c091b0366d76ea3218b6cfdd8097"},              /* "::" */
      {FLOE__STUN_ALGORITHM_SHA256, "user", "realm", "pass",
       "07e934117abd40836e7c6329b54731b2b2d2a5f9a71f544922d75e0730d8251b"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    uint8_t want[32], got[FLOE__STUN_MAX_KEY];
    size_t len = from_hex(want, rows[i].key);
    assert_int_equal(floe__stun_derive_key(got, rows[i].algorithm, rows[i].username, rows[i].realm, rows[i].password),
                     len);
    assert_bytes((floe_bytes){got, len}, want, len);
  }
}

static void userhash(void **state) {
  (void)state;
  uint8_t want[32], got[32];
  assert_int_equal(from_hex(want,
                            "4a3cf38fef6992bda952c67804"
                            "17da0f24819415569e60b205c46e41407f1704"),
                   32); /* RFC 8489 B.1 */
  floe__stun_userhash(got, "\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9", "example.org");
  assert_memory_equal(got, want, 32);
}

static void a_cleared_key_is_zero(void **state) {
  (void)state;
  floe__stun_key key = key_of(password, strlen(password));
  floe__stun_key_clear(&key);
  static const floe__stun_key zero;
  assert_memory_equal(&key, &zero, sizeof key);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(macs_are_those_of_libcrypto),
      cmocka_unit_test(absent),
      cmocka_unit_test(wrong_key),
      cmocka_unit_test(every_bit_counts),
      cmocka_unit_test(every_bit_of_a_mac_counts),
      cmocka_unit_test(integrity_of_another_length_is_bad),
      cmocka_unit_test(truncated_sha256),
      cmocka_unit_test(fingerprint_is_last_and_four_bytes),
      cmocka_unit_test(checking_leaves_the_packet_alone),
      cmocka_unit_test(no_room),
      cmocka_unit_test(derived_keys),
      cmocka_unit_test(userhash),
      cmocka_unit_test(a_cleared_key_is_zero),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
