#include "tls/cert.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "unit/tls/fixture.h"

static floe_env *env;

static int set_up(void **state) {
  (void)state;
  env = make_env();
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  floe_env_free(env);
  return 0;
}

/* --- describing: certificates that only need to be looked at, so unsigned
 * ------------------------------------------------ */

static X509 *make_blank(void) {
  X509 *cert = X509_new();
  assert_non_null(cert);
  assert_non_null(ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)0));
  assert_non_null(ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)0));
  return cert;
}

/* The value as it stands in the certificate, of a type that is not looked at. */
static void add_subject(X509 *cert, int nid, int type, const char *bytes, size_t len) {
  ASN1_OBJECT *object = OBJ_nid2obj(nid);
  X509_NAME_ENTRY *entry = X509_NAME_ENTRY_new();
  assert_non_null(entry);
  assert_int_equal(X509_NAME_ENTRY_set_object(entry, object), 1);
  ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
  assert_int_equal(ASN1_STRING_set(value, bytes, (int)len), 1);
  value->type = type;
  assert_int_equal(X509_NAME_add_entry(X509_get_subject_name(cert), entry, -1, 0), 1);
  X509_NAME_ENTRY_free(entry);
}

static void check_subject(int type, const char *bytes, size_t len, const char *expected) {
  X509 *cert = make_blank();
  add_subject(cert, NID_commonName, type, bytes, len);
  floe__cert_text text;
  floe__cert_describe(env, cert, &text);
  assert_string_equal(text.subject, expected);
  floe__cert_text_clear(env, &text);
  assert_null(text.subject);
  X509_free(cert);
}

#define CHECK_SUBJECT(type, bytes, expected) check_subject(type, bytes, sizeof(bytes) - 1, expected)

static void writes_a_subject_in_one_line(void **state) {
  (void)state;
  X509 *cert = make_blank();
  add_subject(cert, NID_countryName, V_ASN1_PRINTABLESTRING, "DE", 2);
  add_subject(cert, NID_organizationName, V_ASN1_UTF8STRING, "Floe, Inc.", 10);
  add_subject(cert, NID_commonName, V_ASN1_UTF8STRING, "turn.example.org", 16);
  floe__cert_text text;
  floe__cert_describe(env, cert, &text);
  /* RFC 2253: last first, the comma inside escaped */
  assert_string_equal(text.subject, "CN=turn.example.org,O=Floe\\, Inc.,C=DE");
  assert_string_equal(text.issuer, "");
  assert_null(text.names);
  floe__cert_text_clear(env, &text);
  X509_free(cert);
}

static void keeps_utf8_readable(void **state) {
  (void)state;
  CHECK_SUBJECT(V_ASN1_UTF8STRING, "K\xc3\xb6ln \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\xa7\x8a",
                "CN=K\xc3\xb6ln \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\xa7\x8a");
  CHECK_SUBJECT(V_ASN1_T61STRING, "K\xf6ln", "CN=K\xc3\xb6ln");
  CHECK_SUBJECT(V_ASN1_BMPSTRING, "\0K\0\xf6\0l\0n", "CN=K\xc3\xb6ln");
}

static void escapes_what_upsets_a_terminal(void **state) {
  (void)state;
  CHECK_SUBJECT(V_ASN1_UTF8STRING, "a\x1b[31mb", "CN=a\\1B[31mb");
  CHECK_SUBJECT(V_ASN1_UTF8STRING, "a\r\nb\tc\x7f", "CN=a\\0D\\0Ab\\09c\\7F");
  CHECK_SUBJECT(V_ASN1_UTF8STRING, "a\0b", "CN=a\\00b");
  CHECK_SUBJECT(V_ASN1_UTF8STRING,
                "a\xc2\x9b"
                "b",
                "CN=a\\C2\\9Bb"); /* C1: CSI */
  CHECK_SUBJECT(V_ASN1_UTF8STRING,
                "a\xe2\x80\xae"
                "b",
                "CN=a\\E2\\80\\AEb"); /* right-to-left override */
  CHECK_SUBJECT(V_ASN1_UTF8STRING,
                "a\xe2\x81\xa6"
                "b",
                "CN=a\\E2\\81\\A6b"); /* isolate */
  CHECK_SUBJECT(V_ASN1_UTF8STRING,
                "a\xe2\x80\xa8"
                "b",
                "CN=a\\E2\\80\\A8b"); /* line separator */
  CHECK_SUBJECT(V_ASN1_UTF8STRING,
                "a\xd8\x9c"
                "b",
                "CN=a\\D8\\9Cb"); /* Arabic letter mark */
}

static void writes_bytes_that_are_no_utf8(void **state) {
  (void)state;
  CHECK_SUBJECT(V_ASN1_UTF8STRING,
                "a\xff"
                "b",
                "CN=a\\FFb");
  CHECK_SUBJECT(V_ASN1_UTF8STRING, "\xc3", "CN=\\C3");
  CHECK_SUBJECT(V_ASN1_UTF8STRING, "\xc0\xaf", "CN=\\C0\\AF");
}

static void cuts_a_long_subject(void **state) {
  (void)state;
  char value[3000];
  memset(value, 'x', sizeof value);
  X509 *cert = make_blank();
  add_subject(cert, NID_commonName, V_ASN1_UTF8STRING, value, sizeof value);
  floe__cert_text text;
  floe__cert_describe(env, cert, &text);
  assert_int_equal(strlen(text.subject), FLOE__CERT_NAME_MAX);
  assert_memory_equal(text.subject, "CN=xxx", 6);
  assert_string_equal(text.subject + FLOE__CERT_NAME_MAX - 4, "x...");
  floe__cert_text_clear(env, &text);
  X509_free(cert);
}

/* Never in the middle of a character or of an escape. */
static void cuts_between_characters(void **state) {
  (void)state;
  char value[1200];
  for (size_t shift = 0; shift < 3; shift++) {
    memset(value, 'x', sizeof value);
    for (size_t i = shift; i + 3 <= sizeof value; i += 3) memcpy(value + i, "\xe6\x97\xa5", 3);
    X509 *cert = make_blank();
    add_subject(cert, NID_commonName, V_ASN1_UTF8STRING, value, sizeof value - (sizeof value - shift) % 3);
    floe__cert_text text;
    floe__cert_describe(env, cert, &text);
    const size_t len = strlen(text.subject);
    assert_true(len <= FLOE__CERT_NAME_MAX && len > FLOE__CERT_NAME_MAX - 3);
    assert_string_equal(text.subject + len - 6, "\xe6\x97\xa5...");
    floe__cert_text_clear(env, &text);
    X509_free(cert);
  }
}

/* --- alternative names
 * -------------------------------------------------------------------------------------------------------- */

static void push(GENERAL_NAMES *names, int type, const char *bytes, size_t len) {
  GENERAL_NAME *name = GENERAL_NAME_new();
  ASN1_STRING *value = ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
  assert_int_equal(ASN1_STRING_set(value, bytes, (int)len), 1);
  GENERAL_NAME_set0_value(name, type, value);
  assert_true(sk_GENERAL_NAME_push(names, name) > 0);
}

/* Takes `names`. */
static floe__cert_text describe_names(GENERAL_NAMES *names) {
  X509 *cert = make_blank();
  assert_int_equal(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT), 1);
  GENERAL_NAMES_free(names);
  floe__cert_text text;
  floe__cert_describe(env, cert, &text);
  X509_free(cert);
  return text;
}

static void lists_names_and_addresses(void **state) {
  (void)state;
  GENERAL_NAMES *names = GENERAL_NAMES_new();
  push(names, GEN_DNS, "turn.example.org", 16);
  push(names, GEN_URI, "https://example.org", 19); /* no name of a server */
  push(names, GEN_IPADD, "\xc0\x00\x02\x01", 4);
  push(names, GEN_IPADD, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
  push(names, GEN_IPADD, "\xc0\x00\x02\x01\xff\xff\xff\x00", 8); /* as long as no address */
  push(names, GEN_DNS, "*.example.net", 13);
  floe__cert_text text = describe_names(names);
  assert_string_equal(text.names, "turn.example.org, 192.0.2.1, 2001:db8::1, *.example.net");
  floe__cert_text_clear(env, &text);
}

static void escapes_names(void **state) {
  (void)state;
  GENERAL_NAMES *names = GENERAL_NAMES_new();
  push(names, GEN_DNS, "good.example\0.evil.example", 26);
  push(names, GEN_DNS, "a, b\\c", 6);
  push(names, GEN_DNS, "\x1b[2J\xff", 5);
  floe__cert_text text = describe_names(names);
  assert_string_equal(text.names, "good.example\\00.evil.example, a\\2C\\20b\\5Cc, \\1B[2J\\FF");
  floe__cert_text_clear(env, &text);
}

static void a_name_too_long_to_show(void **state) {
  (void)state;
  char name[3000];
  memset(name, 'x', sizeof name);
  GENERAL_NAMES *names = GENERAL_NAMES_new();
  push(names, GEN_DNS, name, sizeof name);
  floe__cert_text text = describe_names(names);
  assert_string_equal(text.names, "...");
  floe__cert_text_clear(env, &text);
}

static void leaves_out_a_list_without_servers(void **state) {
  (void)state;
  GENERAL_NAMES *names = GENERAL_NAMES_new();
  push(names, GEN_EMAIL, "a@example.org", 13);
  floe__cert_text text = describe_names(names);
  assert_null(text.names);
  floe__cert_text_clear(env, &text);
}

static void cuts_a_long_list_between_names(void **state) {
  (void)state;
  GENERAL_NAMES *names = GENERAL_NAMES_new();
  char name[32];
  for (int i = 0; i < 200; i++) {
    const int len = snprintf(name, sizeof name, "host-%03d.example.org", i);
    push(names, GEN_DNS, name, (size_t)len);
  }
  floe__cert_text text = describe_names(names);
  /* 92 names of 20 bytes, each with two for the comma after it, and the dots */
  assert_int_equal(strlen(text.names), 92 * 22 + 3);
  assert_string_equal(text.names + 91 * 22, "host-091.example.org, ...");
  floe__cert_text_clear(env, &text);
}

/* --- dates
 * ------------------------------------------------------------------------------------------------------------------------
 */

static floe__cert_text describe_dates(const char *from, const char *to) {
  X509 *cert = make_blank();
  assert_int_equal(ASN1_STRING_set(X509_getm_notBefore(cert), from, -1), 1);
  assert_int_equal(ASN1_STRING_set(X509_getm_notAfter(cert), to, -1), 1);
  X509_getm_notBefore(cert)->type = strlen(from) == 13 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME;
  X509_getm_notAfter(cert)->type = strlen(to) == 13 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME;
  floe__cert_text text;
  floe__cert_describe(env, cert, &text);
  X509_free(cert);
  return text;
}

static void reads_dates(void **state) {
  (void)state;
  floe__cert_text text = describe_dates("700101000001Z", "99991231235959Z");
  assert_true(text.has_validity);
  assert_int_equal(text.not_before, 1);
  assert_int_equal(text.not_after, INT64_C(253402300799));
  floe__cert_text_clear(env, &text);
  text = describe_dates("500101000000Z", "20380119031408Z"); /* UTCTime: 50 is 1950 */
  assert_true(text.has_validity);
  assert_int_equal(text.not_before, -631152000);
  assert_int_equal(text.not_after, INT64_C(2147483648));
  floe__cert_text_clear(env, &text);
}

static void has_no_dates_where_one_is_no_date(void **state) {
  (void)state;
  floe__cert_text text = describe_dates("700101000001Z", "999999999999Z");
  assert_false(text.has_validity);
  floe__cert_text_clear(env, &text);
}

static void *reallocate_nothing(void *user, void *ptr, size_t size) {
  (void)size;
  bool *is_poor = user;
  if (size > 0) return *is_poor ? NULL : realloc(ptr, size);
  free(ptr);
  return NULL;
}

static void describes_what_memory_allows(void **state) {
  (void)state;
  bool is_poor = false;
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.reallocate = reallocate_nothing;
  cfg.user = &is_poor;
  floe_env *poor = NULL;
  assert_int_equal(floe_env_new(&poor, &cfg), FLOE_OK);
  is_poor = true;
  X509 *cert = make_blank();
  floe__cert_text text;
  floe__cert_describe(poor, cert, &text);
  assert_null(text.subject);
  assert_true(text.has_validity);
  floe__cert_text_clear(poor, &text);
  floe__cert_config make = {.subject_cn = "x", .not_before = TODAY, .not_after = TODAY + DAY};
  char *cert_pem = NULL;
  char *key_pem = NULL;
  assert_false(floe__cert_make(poor, &make, &cert_pem, &key_pem));
  assert_null(cert_pem);
  assert_null(key_pem);
  X509_free(cert);
  floe_env_free(poor);
}

/* --- making
 * ------------------------------------------------------------------------------------------------------------------------
 */

static X509 *read_cert(const char *pem) {
  BIO *bio = floe__cert_bio_of(text_bytes(pem));
  X509 *cert = floe__cert_read_pem(bio);
  BIO_free(bio);
  assert_non_null(cert);
  return cert;
}

static void makes_an_authority(void **state) {
  (void)state;
  identity ca = make_identity(env, "K\xc3\xb6ln CA", NULL, NULL, -1, 10, NULL, true);
  X509 *cert = read_cert(ca.cert);
  floe__cert_text text;
  floe__cert_describe(env, cert, &text);
  assert_string_equal(text.subject, "CN=K\xc3\xb6ln CA");
  assert_string_equal(text.issuer, "CN=K\xc3\xb6ln CA");
  assert_null(text.names);
  assert_int_equal(text.not_before, TODAY - DAY);
  assert_int_equal(text.not_after, TODAY + 10 * DAY);
  assert_int_equal(X509_check_ca(cert), 1);
  assert_int_equal(X509_get_key_usage(cert), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
  EVP_PKEY *key = floe__cert_read_key(text_bytes(ca.key));
  assert_int_equal(X509_verify(cert, key), 1);
  char group[32];
  assert_int_equal(EVP_PKEY_get_group_name(key, group, sizeof group, NULL), 1);
  assert_string_equal(group, "prime256v1");
  EVP_PKEY_free(key);
  floe__cert_text_clear(env, &text);
  X509_free(cert);
  free_identity(env, &ca);
}

static void makes_a_server_certificate(void **state) {
  (void)state;
  identity ca = make_identity(env, "Test CA", NULL, NULL, -1, 10, NULL, true);
  identity id = make_identity(env, "turn", "turn.example.org, b.example.org", "192.0.2.1,::1", -1, 5, &ca, false);
  X509 *cert = read_cert(id.cert);
  X509 *issuer = read_cert(ca.cert);
  floe__cert_text text;
  floe__cert_describe(env, cert, &text);
  assert_string_equal(text.subject, "CN=turn");
  assert_string_equal(text.issuer, "CN=Test CA");
  assert_string_equal(text.names, "turn.example.org, b.example.org, 192.0.2.1, ::1");
  assert_int_equal(X509_check_ca(cert), 0);
  assert_int_equal(X509_get_key_usage(cert), KU_DIGITAL_SIGNATURE);
  assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_SERVER);
  assert_int_equal(X509_check_issued(issuer, cert), X509_V_OK);
  assert_int_equal(X509_verify(cert, X509_get0_pubkey(issuer)), 1);
  assert_int_equal(X509_get_version(cert), X509_VERSION_3);
  assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(cert)), 16);
  floe__cert_text_clear(env, &text);
  X509_free(cert);
  X509_free(issuer);
  free_identity(env, &id);
  free_identity(env, &ca);
}

static void makes_no_two_alike(void **state) {
  (void)state;
  identity a = make_identity(env, "x", NULL, NULL, -1, 1, NULL, false);
  identity b = make_identity(env, "x", NULL, NULL, -1, 1, NULL, false);
  assert_string_not_equal(a.cert, b.cert);
  assert_string_not_equal(a.key, b.key);
  free_identity(env, &a);
  free_identity(env, &b);
}

static void makes_nothing_of_bad_input(void **state) {
  (void)state;
  identity ca = make_identity(env, "Test CA", NULL, NULL, -1, 10, NULL, true);
  char *cert = NULL;
  char *key = NULL;
  floe__cert_config cfg = {.subject_cn = "x", .not_before = TODAY, .not_after = TODAY + DAY};
  cfg.ip_names = "192.0.2.1, not an address";
  assert_false(floe__cert_make(env, &cfg, &cert, &key));
  cfg.ip_names = NULL;
  cfg.issuer_cert_pem = text_bytes(ca.cert);
  assert_false(floe__cert_make(env, &cfg, &cert, &key)); /* no key */
  cfg.issuer_key_pem = text_bytes("no PEM");
  assert_false(floe__cert_make(env, &cfg, &cert, &key));
  cfg.issuer_cert_pem = text_bytes("no PEM");
  cfg.issuer_key_pem = text_bytes(ca.key);
  assert_false(floe__cert_make(env, &cfg, &cert, &key));
  assert_null(cert);
  assert_null(key);
  free_identity(env, &ca);
}

/* An encrypted key fails; nobody is asked for the passphrase. */
static void reads_no_encrypted_key(void **state) {
  (void)state;
  identity id = make_identity(env, "x", NULL, NULL, -1, 1, NULL, false);
  EVP_PKEY *key = floe__cert_read_key(text_bytes(id.key));
  BIO *bio = BIO_new(BIO_s_mem());
  char pass[] = "secret";
  assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), pass, 6, NULL, NULL), 1);
  char *pem = NULL;
  const long len = BIO_get_mem_data(bio, &pem);
  assert_null(floe__cert_read_key((floe_bytes){(const uint8_t *)pem, (size_t)len}));
  BIO_free(bio);
  EVP_PKEY_free(key);
  free_identity(env, &id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writes_a_subject_in_one_line),
      cmocka_unit_test(keeps_utf8_readable),
      cmocka_unit_test(escapes_what_upsets_a_terminal),
      cmocka_unit_test(writes_bytes_that_are_no_utf8),
      cmocka_unit_test(cuts_a_long_subject),
      cmocka_unit_test(cuts_between_characters),
      cmocka_unit_test(lists_names_and_addresses),
      cmocka_unit_test(escapes_names),
      cmocka_unit_test(a_name_too_long_to_show),
      cmocka_unit_test(leaves_out_a_list_without_servers),
      cmocka_unit_test(cuts_a_long_list_between_names),
      cmocka_unit_test(reads_dates),
      cmocka_unit_test(has_no_dates_where_one_is_no_date),
      cmocka_unit_test(describes_what_memory_allows),
      cmocka_unit_test(makes_an_authority),
      cmocka_unit_test(makes_a_server_certificate),
      cmocka_unit_test(makes_no_two_alike),
      cmocka_unit_test(makes_nothing_of_bad_input),
      cmocka_unit_test(reads_no_encrypted_key),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
