/* Certificates that are kept as PEM texts and come back. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "tls/certificate.h"

static floe_env *env;
static floe_certificate *ecdsa;
static floe_certificate *rsa;

static floe_bytes text_bytes(const char *text) {
  return (floe_bytes){(const uint8_t *)text, strlen(text)};
}

static int set_up(void **state) {
  (void)state;
  if (floe_env_new(&env, NULL) != FLOE_OK) return 1;
  floe_certificate_options o;
  floe_certificate_options_init(&o, sizeof o);
  if (floe_certificate_generate(&ecdsa, env, 0, &o, NULL) != FLOE_OK) return 1;
  o.key_type = FLOE_KEY_RSA;
  return floe_certificate_generate(&rsa, env, 0, &o, NULL) == FLOE_OK ? 0 : 1;
}

static int tear_down(void **state) {
  (void)state;
  floe_certificate_free(ecdsa);
  floe_certificate_free(rsa);
  floe_env_free(env);
  return 0;
}

static void write_both(const floe_certificate *cert, char *cert_pem, char *key_pem) {
  const size_t n = floe_certificate_write_pem(cert, cert_pem, FLOE_CERTIFICATE_PEM_MAX);
  assert_true(n > 0 && n < FLOE_CERTIFICATE_PEM_MAX);
  assert_int_equal(strlen(cert_pem), n);
  const size_t m = floe_certificate_write_key_pem(cert, key_pem, FLOE_CERTIFICATE_PEM_MAX);
  assert_true(m > 0 && m < FLOE_CERTIFICATE_PEM_MAX);
  assert_int_equal(strlen(key_pem), m);
}

static void check_same(const floe_certificate *a, const floe_certificate *b) {
  assert_true(floe__certificate_equal(a, b));
  assert_int_equal(EVP_PKEY_eq(a->key, b->key), 1);
  assert_int_equal(floe_certificate_expires(a), floe_certificate_expires(b));
  assert_int_equal(floe_certificate_key_type(a), floe_certificate_key_type(b));
}

static void check_round(const floe_certificate *cert) {
  char cert_pem[FLOE_CERTIFICATE_PEM_MAX];
  char key_pem[FLOE_CERTIFICATE_PEM_MAX];
  write_both(cert, cert_pem, key_pem);
  assert_memory_equal(cert_pem, "-----BEGIN CERTIFICATE-----\n", 28);
  assert_memory_equal(key_pem, "-----BEGIN PRIVATE KEY-----\n", 28);
  floe_certificate *back = NULL;
  assert_int_equal(floe_certificate_from_pem(&back, env, text_bytes(cert_pem), text_bytes(key_pem), NULL), FLOE_OK);
  check_same(back, cert);
  floe_certificate_free(back);
}

static void comes_back_as_it_was(void **state) {
  (void)state;
  check_round(ecdsa);
  check_round(rsa);
}

static void the_largest_fits(void **state) {
  (void)state;
  /* 8192 bits take long to make: the sizes grow by the bit, so two show where it leads */
  floe_certificate_options o;
  floe_certificate_options_init(&o, sizeof o);
  o.key_type = FLOE_KEY_RSA;
  o.rsa_bits = 1024;
  floe_certificate *small = NULL;
  assert_int_equal(floe_certificate_generate(&small, env, 0, &o, NULL), FLOE_OK);
  const size_t at_1024 = floe_certificate_write_key_pem(small, NULL, 0);
  const size_t at_2048 = floe_certificate_write_key_pem(rsa, NULL, 0);
  assert_true(at_1024 > 800 && at_2048 > at_1024);
  assert_true(at_2048 + 6 * (at_2048 - at_1024) < FLOE_CERTIFICATE_PEM_MAX);
  floe_certificate_free(small);
}

static void cuts_what_does_not_fit(void **state) {
  (void)state;
  char whole[FLOE_CERTIFICATE_PEM_MAX];
  char cut[32];
  const size_t n = floe_certificate_write_pem(ecdsa, whole, sizeof whole);
  assert_int_equal(floe_certificate_write_pem(ecdsa, NULL, 0), n);
  assert_int_equal(floe_certificate_write_pem(ecdsa, cut, sizeof cut), n);
  assert_int_equal(strlen(cut), 31);
  assert_memory_equal(cut, whole, 31);
  assert_int_equal(floe_certificate_write_pem(ecdsa, cut, 1), n);
  assert_string_equal(cut, "");
  assert_int_equal(floe_certificate_write_key_pem(ecdsa, cut, sizeof cut),
                   floe_certificate_write_key_pem(ecdsa, NULL, 0));
  assert_int_equal(strlen(cut), 31);
}

/* One text with both, in each order, among other things. */
static void takes_one_text_for_both(void **state) {
  (void)state;
  char cert_pem[FLOE_CERTIFICATE_PEM_MAX];
  char key_pem[FLOE_CERTIFICATE_PEM_MAX];
  char other_pem[FLOE_CERTIFICATE_PEM_MAX];
  char text[4 * FLOE_CERTIFICATE_PEM_MAX];
  write_both(ecdsa, cert_pem, key_pem);
  (void)floe_certificate_write_pem(rsa, other_pem, sizeof other_pem);
  for (size_t i = 0; i < 2; i++) {
    if (i == 0) {
      (void)snprintf(text, sizeof text, "%s%s%s", cert_pem, key_pem, other_pem);
    } else {
      (void)snprintf(text, sizeof text, "a comment\n%s\n%s%s", key_pem, cert_pem, other_pem);
    }
    floe_certificate *back = NULL;
    assert_int_equal(floe_certificate_from_pem(&back, env, text_bytes(text), text_bytes(text), NULL), FLOE_OK);
    check_same(back, ecdsa);
    floe_certificate_free(back);
  }
}

/* --- what is refused ---------------------------------------------------------------------------------------------- */

static void check_refused(const char *cert_pem, const char *key_pem, floe_status expected, const char *path) {
  floe_certificate *cert = NULL;
  floe_error why = {0};
  assert_int_equal(floe_certificate_from_pem(&cert, env, text_bytes(cert_pem), text_bytes(key_pem), &why), expected);
  assert_null(cert);
  assert_int_equal(why.status, expected);
  assert_string_equal(why.path, path);
  assert_int_not_equal(strlen(why.message), 0);
}

static void refuses_what_is_no_pem(void **state) {
  (void)state;
  char cert_pem[FLOE_CERTIFICATE_PEM_MAX];
  char key_pem[FLOE_CERTIFICATE_PEM_MAX];
  write_both(ecdsa, cert_pem, key_pem);
  check_refused("", key_pem, FLOE_E_SYNTAX, "certificate");
  check_refused("hello", key_pem, FLOE_E_SYNTAX, "certificate");
  check_refused(key_pem, key_pem, FLOE_E_SYNTAX, "certificate");
  check_refused(cert_pem, "", FLOE_E_SYNTAX, "key");
  check_refused(cert_pem, cert_pem, FLOE_E_SYNTAX, "key");
  cert_pem[60] = '!';
  check_refused(cert_pem, key_pem, FLOE_E_SYNTAX, "certificate");
  write_both(ecdsa, cert_pem, key_pem);
  memcpy(key_pem + 40, "AAAAAAAA", 8);
  check_refused(cert_pem, key_pem, FLOE_E_SYNTAX, "key");
}

static void refuses_another_key(void **state) {
  (void)state;
  char cert_pem[FLOE_CERTIFICATE_PEM_MAX];
  char key_pem[FLOE_CERTIFICATE_PEM_MAX];
  char other_cert[FLOE_CERTIFICATE_PEM_MAX];
  char other_key[FLOE_CERTIFICATE_PEM_MAX];
  write_both(ecdsa, cert_pem, key_pem);
  write_both(rsa, other_cert, other_key);
  check_refused(cert_pem, other_key, FLOE_E_ACCESS, "key");
  check_refused(other_cert, key_pem, FLOE_E_ACCESS, "key");
}

static char *key_text(EVP_PKEY *key, const EVP_CIPHER *cipher, bool traditional) {
  BIO *bio = BIO_new(BIO_s_mem());
  unsigned char pass[] = "secret";
  char *data = NULL;
  if (traditional) {
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, key, cipher, pass, 6, NULL, NULL), 1);
  } else {
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, (char *)pass, 6, NULL, NULL), 1);
  }
  const long len = BIO_get_mem_data(bio, &data);
  char *text = calloc(1, (size_t)len + 1);
  assert_non_null(text);
  memcpy(text, data, (size_t)len);
  BIO_free(bio);
  return text;
}

/* Nobody is asked for the passphrase. */
static void refuses_an_encrypted_key(void **state) {
  (void)state;
  char cert_pem[FLOE_CERTIFICATE_PEM_MAX];
  (void)floe_certificate_write_pem(ecdsa, cert_pem, sizeof cert_pem);
  for (int traditional = 0; traditional < 2; traditional++) {
    char *key_pem = key_text(ecdsa->key, EVP_aes_128_cbc(), traditional == 1);
    check_refused(cert_pem, key_pem, FLOE_E_ACCESS, "key");
    free(key_pem);
  }
}

/* "EC PRIVATE KEY" and "RSA PRIVATE KEY", as older tools write them. */
static void takes_older_forms_of_keys(void **state) {
  (void)state;
  const floe_certificate *certs[] = {ecdsa, rsa};
  for (size_t i = 0; i < 2; i++) {
    char cert_pem[FLOE_CERTIFICATE_PEM_MAX];
    (void)floe_certificate_write_pem(certs[i], cert_pem, sizeof cert_pem);
    char *key_pem = key_text(certs[i]->key, NULL, true);
    assert_non_null(strstr(key_pem, i == 0 ? "BEGIN EC PRIVATE KEY" : "BEGIN RSA PRIVATE KEY"));
    floe_certificate *back = NULL;
    assert_int_equal(floe_certificate_from_pem(&back, env, text_bytes(cert_pem), text_bytes(key_pem), NULL), FLOE_OK);
    check_same(back, certs[i]);
    floe_certificate_free(back);
    free(key_pem);
  }
}

static void check_unsupported(EVP_PKEY *key) {
  assert_non_null(key);
  char cert_pem[FLOE_CERTIFICATE_PEM_MAX];
  (void)floe_certificate_write_pem(ecdsa, cert_pem, sizeof cert_pem);
  char *key_pem = key_text(key, NULL, false);
  check_refused(cert_pem, key_pem, FLOE_E_UNSUPPORTED, "key");
  free(key_pem);
  EVP_PKEY_free(key);
}

static void refuses_other_kinds_of_keys(void **state) {
  (void)state;
  check_unsupported(EVP_EC_gen("P-384"));
  check_unsupported(EVP_EC_gen("secp256k1"));
  check_unsupported(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
  check_unsupported(EVP_RSA_gen(512));
}

/* A date that is none is no certificate for us. */
static void refuses_a_date_that_is_none(void **state) {
  (void)state;
  X509 *broken = X509_dup(ecdsa->x509);
  assert_int_equal(ASN1_STRING_set(X509_getm_notAfter(broken), "9999999999999", 13), 1);
  assert_true(X509_sign(broken, ecdsa->key, EVP_sha256()) > 0);
  const floe_certificate as_cert = {.env = env, .x509 = broken, .key = ecdsa->key};
  char cert_pem[FLOE_CERTIFICATE_PEM_MAX];
  char key_pem[FLOE_CERTIFICATE_PEM_MAX];
  write_both(&as_cert, cert_pem, key_pem);
  check_refused(cert_pem, key_pem, FLOE_E_SYNTAX, "certificate");
  X509_free(broken);
}

static void *reallocate_nothing(void *user, void *ptr, size_t size) {
  const bool *is_poor = user;
  if (size > 0) return *is_poor ? NULL : realloc(ptr, size);
  free(ptr);
  return NULL;
}

static void says_when_memory_is_out(void **state) {
  (void)state;
  bool is_poor = false;
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.reallocate = reallocate_nothing;
  cfg.user = &is_poor;
  floe_env *poor = NULL;
  assert_int_equal(floe_env_new(&poor, &cfg), FLOE_OK);
  is_poor = true;
  char cert_pem[FLOE_CERTIFICATE_PEM_MAX];
  char key_pem[FLOE_CERTIFICATE_PEM_MAX];
  write_both(ecdsa, cert_pem, key_pem);
  floe_certificate *cert = NULL;
  assert_int_equal(floe_certificate_from_pem(&cert, poor, text_bytes(cert_pem), text_bytes(key_pem), NULL),
                   FLOE_E_NOMEM);
  assert_null(cert);
  floe_env_free(poor);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comes_back_as_it_was),        cmocka_unit_test(the_largest_fits),
      cmocka_unit_test(cuts_what_does_not_fit),      cmocka_unit_test(takes_one_text_for_both),
      cmocka_unit_test(refuses_what_is_no_pem),      cmocka_unit_test(refuses_another_key),
      cmocka_unit_test(refuses_an_encrypted_key),    cmocka_unit_test(takes_older_forms_of_keys),
      cmocka_unit_test(refuses_other_kinds_of_keys), cmocka_unit_test(refuses_a_date_that_is_none),
      cmocka_unit_test(says_when_memory_is_out),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
