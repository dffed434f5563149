/* Fingerprints (RFC 8122 5). */
#include "tls/fingerprint.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

#include "support/cmocka.h"
#include "tls/cert.h"

/* A certificate, and what `openssl x509 -fingerprint` says of it. */
static const char pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBgjCCASmgAwIBAgIUOMwmCUBJCl+sz2KcugreXmHUql8wCgYIKoZIzj0EAwIw\n"
    "FzEVMBMGA1UEAwwMZmluZ2VycHJpbnRzMB4XDTI2MTEyMjA0MzAyMloXDTI2MTIy\n"
    "MjA0MzAyMlowFzEVMBMGA1UEAwwMZmluZ2VycHJpbnRzMFkwEwYHKoZIzj0CAQYI\n"
    "KoZIzj0DAQcDQgAEByvwtVIVAc52Xws6WQUkHVk5vdXL3af956R+OdqZcwp5buOq\n"
    "1NNjcAEWnyYLj0CZtgWypeekqbilj93AKT2K+qNTMFEwHQYDVR0OBBYEFALvxSzG\n"
    "P6BrxCvgAU9tVcm7AvNWMB8GA1UdIwQYMBaAFALvxSzGP6BrxCvgAU9tVcm7AvNW\n"
    "MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgcOt/mCwVx3GIXDn6\n"
    "bRJRrnNLYiiUJGMdcx0coXU+UdICIAXhX5BOZ8+2tAg8/e7S9gTyBkVDfj/37/cU\n"
    "VDnnBzTV\n"
    "-----END CERTIFICATE-----\n";

static const struct {
  const char *hash, *value;
} known[] = {
    {"md5", "4D:D8:BB:72:72:4E:17:D0:C0:54:1B:B8:95:A5:DC:D0"},
    {"sha-1", "E4:B8:64:18:8A:10:48:6F:ED:C7:17:84:75:DB:33:17:B8:E1:90:85"},
    {"sha-224", "85:6B:81:FF:50:59:E2:FC:AD:42:E7:ED:CC:63:0F:8A:79:82:9A:3B:F4:E4:2C:97:3D:C0:1B:88"},
    {"sha-256",
     "5D:36:7B:25:B3:DA:E4:9D:3A:68:2B:DE:93:48:72:B2:18:0C:B5:33:3F:1E:FF:5A:8E:8F:F9:32:16:DE:"
     "18:6E"},
    {"sha-384",
     "C4:F7:96:D6:11:86:98:FA:C2:16:C7:85:85:CE:ED:58:0D:6A:58:2F:CB:B8:46:99:91:B1:27:19:15:C1:"
     "36:C3:DD:04:FC:82:D4:44:41:41:AE:5A:73:61:C3:FA:FC:43"},
    {"sha-512",
     "44:F1:F5:E8:D7:B6:DD:42:C2:A2:53:4B:54:32:1D:28:94:F0:13:39:01:68:D0:EB:C0:D8:6C:EF:42:DC:"
     "A3:28:D6:29:E5:9C:5D:D4:31:5E:9A:D7:D5:A0:A5:DB:87:84:41:AB:55:49:40:A2:3C:12:22:C9:40:8C:"
     "2A:7C:F8:11"},
};

#define N_KNOWN (sizeof known / sizeof known[0])
enum { AT_MD5, AT_SHA1, AT_SHA224, AT_SHA256 };

static X509 *cert;

static int set_up(void **state) {
  (void)state;
  BIO *bio = floe__cert_bio_of((floe_bytes){(const uint8_t *)pem, sizeof pem - 1});
  cert = floe__cert_read_pem(bio);
  BIO_free(bio);
  return cert == NULL ? 1 : 0;
}

static int tear_down(void **state) {
  (void)state;
  X509_free(cert);
  return 0;
}

static void computes_each_hash(void **state) {
  (void)state;
  const floe_certificate handle = {.x509 = cert};
  for (size_t i = 0; i < N_KNOWN; i++) {
    char text[FLOE_FINGERPRINT_TEXT];
    char upper[16] = "";
    for (size_t j = 0; known[i].hash[j] != '\0'; j++) upper[j] = (char)toupper((unsigned char)known[i].hash[j]);
    assert_true(floe_certificate_fingerprint(&handle, known[i].hash, text));
    assert_string_equal(text, known[i].value);
    assert_true(floe_certificate_fingerprint(&handle, upper, text));
    assert_string_equal(text, known[i].value);
  }
}

static void knows_no_other_hash(void **state) {
  (void)state;
  static const char *const others[] = {"", "sha", "sha256", "sha-2", "sha-2560", "sha3-256", "SHA2-256", " sha-256"};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    char text[FLOE_FINGERPRINT_TEXT] = "x";
    assert_false(floe__fingerprint_of(cert, others[i], text));
    assert_string_equal(text, "");
    assert_false(floe__fingerprint_is_usable(&(floe__fingerprint){others[i], ""}));
  }
}

static void says_what_can_be_compared(void **state) {
  (void)state;
  for (size_t i = 0; i < N_KNOWN; i++) {
    const floe__fingerprint fp = {known[i].hash, known[i].value};
    assert_int_equal(floe__fingerprint_is_usable(&fp), i != AT_MD5);
  }
  assert_false(floe__fingerprint_is_usable(&(floe__fingerprint){"md2", ""}));
  assert_true(floe__fingerprint_is_usable(&(floe__fingerprint){"Sha-256", ""}));
}

static void chooses_the_strongest(void **state) {
  (void)state;
  floe__fingerprint list[N_KNOWN];
  assert_null(floe__fingerprints_hash(NULL, 0));
  for (size_t i = 0; i < N_KNOWN; i++) {
    list[i] = (floe__fingerprint){known[i].hash, ""};
    const char *hash = floe__fingerprints_hash(list, i + 1);
    if (i == AT_MD5) {
      assert_null(hash);
    } else {
      assert_string_equal(hash, known[i].hash);
    }
  }
  list[0] = (floe__fingerprint){"SHA-384", ""};
  assert_string_equal(floe__fingerprints_hash(list, 4), "sha-384");
}

static bool matches(const char *hash_a, const char *a, const char *hash_b, const char *b) {
  const floe__fingerprint list[] = {{hash_a, a}, {hash_b, b}};
  return floe__fingerprints_match(cert, list, hash_b == NULL ? 1 : 2);
}

static void matches_in_any_case(void **state) {
  (void)state;
  char lower[FLOE_FINGERPRINT_TEXT] = "";
  for (size_t i = AT_SHA1; i < N_KNOWN; i++) {
    for (size_t j = 0; j <= strlen(known[i].value); j++) lower[j] = (char)tolower((unsigned char)known[i].value[j]);
    assert_true(matches(known[i].hash, lower, NULL, NULL));
    assert_true(matches(known[i].hash, known[i].value, NULL, NULL));
  }
  assert_true(matches("SHA-256", known[AT_SHA256].value, NULL, NULL));
}

static void matches_nothing_else(void **state) {
  (void)state;
  char text[FLOE_FINGERPRINT_TEXT];
  const size_t len = strlen(known[AT_SHA256].value);
  for (size_t i = 0; i < len; i++) { /* each character counts */
    memcpy(text, known[AT_SHA256].value, len + 1);
    text[i] = text[i] == '0' ? '1' : '0';
    assert_false(matches("sha-256", text, NULL, NULL));
  }
  memcpy(text, known[AT_SHA256].value, len + 1);
  text[len - 1] = '\0';
  assert_false(matches("sha-256", text, NULL, NULL));
  memcpy(text, known[AT_SHA256].value, len + 1);
  memcpy(text + len, ":00", 4);
  assert_false(matches("sha-256", text, NULL, NULL));
  assert_false(matches("sha-256", "", NULL, NULL));
  assert_false(matches("sha-1", known[AT_SHA256].value, NULL, NULL));
  assert_false(matches("md5", known[AT_MD5].value, NULL, NULL));
  assert_false(floe__fingerprints_match(cert, NULL, 0));
}

/* RFC 8122 5: among those of the strongest hash; a weaker one proves nothing. */
static void judges_by_the_strongest_alone(void **state) {
  (void)state;
  assert_true(matches("sha-1", "00", "sha-256", known[AT_SHA256].value));
  assert_false(matches("sha-1", known[AT_SHA1].value, "sha-256", "00"));
  assert_false(matches("sha-256", known[AT_SHA256].value, "sha-512", "00"));
  assert_true(matches("sha-256", "00", "sha-256", known[AT_SHA256].value));
  assert_true(matches("md5", "00", "sha-1", known[AT_SHA1].value));
  assert_true(matches("sha-1024", "00", "sha-256", known[AT_SHA256].value));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(computes_each_hash),
      cmocka_unit_test(knows_no_other_hash),
      cmocka_unit_test(says_what_can_be_compared),
      cmocka_unit_test(chooses_the_strongest),
      cmocka_unit_test(matches_in_any_case),
      cmocka_unit_test(matches_nothing_else),
      cmocka_unit_test(judges_by_the_strongest_alone),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
