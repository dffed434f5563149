/* Certificates of peer connections: what is made, and for how long. PEM: certificate_pem_test.c. */
#include "tls/certificate.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/sim_alloc.h"
#include "tls/cert.h"

#define TODAY_MS INT64_C(1700000000500)
#define NOW      (5 * FLOE_SECOND)
#define DAY_MS   INT64_C(86400000)

static floe_env *env;

static int set_up(void **state) {
  (void)state;
  if (floe_env_new(&env, NULL) != FLOE_OK) return 1;
  floe_env_set_unix_time(env, NOW, TODAY_MS);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  floe_env_free(env);
  return 0;
}

static floe_certificate_options options(void) {
  floe_certificate_options o;
  floe_certificate_options_init(&o, sizeof o);
  return o;
}

static floe_certificate *generate(const floe_certificate_options *o) {
  floe_certificate *cert = NULL;
  floe_error why = {0};
  assert_int_equal(floe_certificate_generate(&cert, env, NOW, o, &why), FLOE_OK);
  assert_non_null(cert);
  return cert;
}

static void common_name(const floe_certificate *cert, char *out, int cap) {
  assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(cert->x509), NID_commonName, out, cap) > 0);
}

static int64_t not_before(const floe_certificate *cert) {
  int64_t s = 0;
  assert_true(floe__cert_unix_time(X509_get0_notBefore(cert->x509), &s));
  return s;
}

/* --- what is made ------------------------------------------------------------------------------------------------- */

static void makes_what_browsers_make(void **state) {
  (void)state;
  floe_certificate *cert = generate(NULL);
  char group[32];
  char cn[80];
  assert_int_equal(floe_certificate_key_type(cert), FLOE_KEY_ECDSA_P256);
  assert_int_equal(EVP_PKEY_get_group_name(cert->key, group, sizeof group, NULL), 1);
  assert_string_equal(group, "prime256v1");
  assert_int_equal(floe_certificate_expires(cert), (TODAY_MS + 30 * DAY_MS) / 1000 * 1000);
  assert_int_equal(not_before(cert), (TODAY_MS - DAY_MS) / 1000);
  assert_int_equal(X509_get_version(cert->x509), X509_VERSION_3);
  assert_int_equal(X509_get_signature_nid(cert->x509), NID_ecdsa_with_SHA256);
  assert_int_equal(X509_verify(cert->x509, cert->key), 1); /* self-signed */
  assert_int_equal(X509_check_private_key(cert->x509, cert->key), 1);
  assert_int_equal(X509_NAME_cmp(X509_get_subject_name(cert->x509), X509_get_issuer_name(cert->x509)), 0);
  assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(cert->x509)), 1);
  common_name(cert, cn, sizeof cn);
  assert_int_equal(strlen(cn), 16);
  assert_int_equal(strspn(cn, "0123456789abcdef"), 16);
  assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(cert->x509)), 16);
  floe_certificate_free(cert);
}

static void makes_no_two_alike(void **state) {
  (void)state;
  floe_certificate *a = generate(NULL);
  floe_certificate *b = generate(NULL);
  char cn_a[80];
  char cn_b[80];
  common_name(a, cn_a, sizeof cn_a);
  common_name(b, cn_b, sizeof cn_b);
  assert_string_not_equal(cn_a, cn_b);
  assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(a->x509), X509_get0_serialNumber(b->x509)), 0);
  assert_int_equal(EVP_PKEY_eq(a->key, b->key), 0);
  assert_false(floe__certificate_equal(a, b));
  floe_certificate_free(a);
  floe_certificate_free(b);
}

static void check_rsa(uint32_t bits, int expected) {
  floe_certificate_options o = options();
  o.key_type = FLOE_KEY_RSA;
  o.rsa_bits = bits;
  floe_certificate *cert = generate(&o);
  assert_int_equal(floe_certificate_key_type(cert), FLOE_KEY_RSA);
  assert_int_equal(EVP_PKEY_get_bits(cert->key), expected);
  assert_int_equal(X509_get_signature_nid(cert->x509), NID_sha256WithRSAEncryption);
  assert_int_equal(X509_verify(cert->x509, cert->key), 1);
  floe_certificate_free(cert);
}

static void makes_rsa_too(void **state) {
  (void)state;
  check_rsa(0, 2048);
  check_rsa(1024, 1024);
}

static void takes_a_name(void **state) {
  (void)state;
  static const char *const names[] = {"x", "K\xc3\xb6ln",
                                      "0123456789012345678901234567890123456789012345678901234567890123"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    floe_certificate_options o = options();
    char cn[80];
    o.common_name = names[i];
    floe_certificate *cert = generate(&o);
    common_name(cert, cn, sizeof cn);
    assert_string_equal(cn, names[i]);
    floe_certificate_free(cert);
  }
}

/* --- for how long ------------------------------------------------------------------------------------------------- */

static void check_expiry(uint64_t wanted_ms, int64_t expected_ms) {
  floe_certificate_options o = options();
  o.expires_ms = wanted_ms;
  floe_certificate *cert = generate(&o);
  assert_int_equal(floe_certificate_expires(cert), expected_ms / 1000 * 1000);
  floe_certificate_free(cert);
}

static void expires_when_it_is_told_to(void **state) {
  (void)state;
  check_expiry(1, TODAY_MS + 1);
  check_expiry(60000, TODAY_MS + 60000);
  check_expiry((uint64_t)DAY_MS * 365, TODAY_MS + 365 * DAY_MS);
  check_expiry((uint64_t)DAY_MS * 365 + 1, TODAY_MS + 365 * DAY_MS);
  check_expiry(UINT64_MAX, TODAY_MS + 365 * DAY_MS);
}

/* Past 2049 dates take another form (RFC 5280 4.1.2.5). */
static void knows_other_centuries(void **state) {
  (void)state;
  floe_env *later = NULL;
  assert_int_equal(floe_env_new(&later, NULL), FLOE_OK);
  floe_env_set_unix_time(later, 0, INT64_C(4102444800000));
  floe_certificate *cert = NULL;
  assert_int_equal(floe_certificate_generate(&cert, later, 0, NULL, NULL), FLOE_OK);
  assert_int_equal(floe_certificate_expires(cert), INT64_C(4102444800000) + 30 * DAY_MS);
  floe_certificate_free(cert);
  floe_env_free(later);
}

/* A program that never told the time gets libcrypto's. */
static void takes_the_systems_time_without_another(void **state) {
  (void)state;
  floe_env *bare = NULL;
  assert_int_equal(floe_env_new(&bare, NULL), FLOE_OK);
  floe_certificate *cert = NULL;
  assert_int_equal(floe_certificate_generate(&cert, bare, 0, NULL, NULL), FLOE_OK);
  const int64_t made = floe_certificate_expires(cert) / 1000 - 30 * 86400;
  /* Quick tests ask no clock: later than this was written, and the two dates fit each other. */
  assert_true(made > INT64_C(1700000000));
  assert_int_equal(not_before(cert), made - 86400);
  floe_certificate_free(cert);
  floe_env_free(bare);
}

/* --- what is refused ---------------------------------------------------------------------------------------------- */

static void check_refused(const floe_certificate_options *o, const char *path) {
  floe_certificate *cert = NULL;
  floe_error why = {0};
  assert_int_equal(floe_certificate_generate(&cert, env, NOW, o, &why), FLOE_E_TYPE);
  assert_null(cert);
  assert_int_equal(why.status, FLOE_E_TYPE);
  assert_string_equal(why.path, path);
  assert_int_not_equal(strlen(why.message), 0);
  assert_int_equal(floe_certificate_generate(&cert, env, NOW, o, NULL), FLOE_E_TYPE);
}

static void refuses_bad_options(void **state) {
  (void)state;
  floe_certificate_options o = options();
  o.key_type = (floe_key_type)7;
  check_refused(&o, "keyType");
  static const uint32_t bits[] = {1, 1023, 8193, UINT32_MAX};
  for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
    o = options();
    o.key_type = FLOE_KEY_RSA;
    o.rsa_bits = bits[i];
    check_refused(&o, "rsaBits");
  }
  static const char *const names[] = {"",
                                      "01234567890123456789012345678901234567890123456789012345678901234",
                                      "a\xff",
                                      "\xc3",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    o = options();
    o.common_name = names[i];
    check_refused(&o, "commonName");
  }
  o = options();
  o.size = 1;
  check_refused(&o, "");
}

/* --- handles ------------------------------------------------------------------------------------------------------ */

static void copies_outlive_the_original(void **state) {
  (void)state;
  floe_env *other = NULL;
  assert_int_equal(floe_env_new(&other, NULL), FLOE_OK);
  floe_certificate *cert = generate(NULL);
  const int64_t expires = floe_certificate_expires(cert);
  floe_certificate *copy = floe__certificate_copy(other, cert);
  assert_true(floe__certificate_equal(cert, copy));
  floe_certificate_free(cert);
  assert_int_equal(floe_certificate_expires(copy), expires);
  assert_int_equal(X509_check_private_key(copy->x509, copy->key), 1);
  floe_certificate_free(copy);
  floe_env_free(other);
  floe_certificate_free(NULL);
}

static void gives_back_all_memory(void **state) {
  (void)state;
  for (uint64_t fail_at = 2; fail_at <= 4; fail_at++) {
    sim_alloc memory;
    sim_alloc_init(&memory);
    memory.fail_at = fail_at;
    floe_env_config cfg;
    floe_env_config_init(&cfg, sizeof cfg);
    cfg.user = &memory;
    cfg.reallocate = sim_alloc_reallocate;
    floe_env *poor = NULL;
    assert_int_equal(floe_env_new(&poor, &cfg), FLOE_OK);
    floe_certificate *cert = NULL;
    floe_error why = {0};
    const floe_status st = floe_certificate_generate(&cert, poor, 0, NULL, &why);
    assert_int_equal(st, fail_at == 2 ? FLOE_E_NOMEM : FLOE_OK);
    assert_int_equal(why.status, fail_at == 2 ? FLOE_E_NOMEM : FLOE_OK);
    floe_certificate *copy = cert == NULL ? NULL : floe__certificate_copy(poor, cert);
    assert_int_equal(copy == NULL, fail_at <= 3);
    floe_certificate_free(copy);
    floe_certificate_free(cert);
    floe_env_free(poor);
    assert_int_equal(sim_alloc_report_leaks(&memory), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(makes_what_browsers_make),
      cmocka_unit_test(makes_no_two_alike),
      cmocka_unit_test(makes_rsa_too),
      cmocka_unit_test(takes_a_name),
      cmocka_unit_test(expires_when_it_is_told_to),
      cmocka_unit_test(knows_other_centuries),
      cmocka_unit_test(takes_the_systems_time_without_another),
      cmocka_unit_test(refuses_bad_options),
      cmocka_unit_test(copies_outlive_the_original),
      cmocka_unit_test(gives_back_all_memory),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
