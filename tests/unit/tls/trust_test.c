#include "tls/trust.h"

#include "tls/byte_bio.h"
#include "unit/tls/fixture.h"

static floe_env *env;
static identity ca, other_ca;

static int set_up(void **state) {
  (void)state;
  env = make_env();
  ca = make_identity(env, "Test CA", NULL, NULL, -10, 3650, NULL, true);
  other_ca = make_identity(env, "Other CA", NULL, NULL, -10, 3650, NULL, true);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  free_identity(env, &ca);
  free_identity(env, &other_ca);
  floe_env_free(env);
  return 0;
}

static size_t count(const char *pem) {
  return floe__tls_check_ca(env, text_bytes(pem));
}

/* Joins up to three texts; the result lives until the next call. */
static const char *join(const char *a, const char *b, const char *c) {
  static char text[8192];
  assert_true(strlen(a) + strlen(b) + strlen(c) < sizeof text);
  strcpy(text, a);
  strcat(text, b);
  strcat(text, c);
  return text;
}

/* --- floe__tls_check_ca ----------------------------------------------------------------------------------------------
 */

static void counts_certificates(void **state) {
  (void)state;
  assert_int_equal(count(ca.cert), 1);
  assert_int_equal(count(join(ca.cert, other_ca.cert, "")), 2);
  assert_int_equal(count(join(ca.cert, ca.cert, other_ca.cert)), 3);
  assert_int_equal(count(join("# Our authority, from 2025 on\n\n", ca.cert, "\n# The end\n")), 1);
  assert_int_equal(count(join(ca.cert, ca.key, other_ca.cert)), 2); /* a key in between is none of our business */
}

static void counts_none_in_what_is_no_ca_file(void **state) {
  (void)state;
  assert_int_equal(count(""), 0);
  assert_int_equal(floe__tls_check_ca(env, (floe_bytes){0}), 0);
  assert_int_equal(count("hello"), 0);
  assert_int_equal(count(ca.key), 0);
  assert_int_equal(count("-----BEGIN CERTIFICATE-----\n"), 0);
  assert_int_equal(count("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0);
  assert_int_equal(count("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"), 0);
  static const uint8_t zeros[64];
  assert_int_equal(floe__tls_check_ca(env, (floe_bytes){zeros, sizeof zeros}), 0);
}

/* A passphrase is never asked for. */
static void counts_none_in_an_encrypted_certificate(void **state) {
  (void)state;
  assert_int_equal(count("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                         "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n-----END CERTIFICATE-----\n"),
                   0);
}

static void counts_none_when_one_is_broken(void **state) {
  (void)state;
  char text[8192];
  strcpy(text, join(ca.cert, other_ca.cert, ""));
  const size_t len = strlen(text);
  const size_t second = strlen(ca.cert);
  text[second + 60] = '!'; /* in the base64 */
  assert_int_equal(count(text), 0);
  strcpy(text, join(ca.cert, other_ca.cert, ""));
  text[second] = '#'; /* in the BEGIN line, which libcrypto then overlooks */
  assert_int_equal(count(text), 0);
  strcpy(text, join(ca.cert, other_ca.cert, ""));
  text[len - 3] = '#'; /* in the END line */
  assert_int_equal(count(text), 0);
  strcpy(text, join(ca.cert, other_ca.cert, ""));
  for (size_t cut = second + 1; cut + 1 < len; cut++) {
    const size_t n = floe__tls_check_ca(env, (floe_bytes){(const uint8_t *)text, cut});
    /* Until the second's first line is whole nothing says that there was to be one. */
    assert_int_equal(n, cut < second + strlen("-----BEGIN CERTIFICATE-----") ? 1 : 0);
  }
  assert_int_equal(floe__tls_check_ca(env, (floe_bytes){(const uint8_t *)text, len - 1}), 2); /* no last line feed */
}

/* --- the cache
 * ------------------------------------------------------------------------------------------------------------ */

static void makes_a_context_once_per_ca(void **state) {
  (void)state;
  SSL_CTX *plain = floe__trust_client_ctx(env, (floe_bytes){0});
  SSL_CTX *one = floe__trust_client_ctx(env, text_bytes(ca.cert));
  SSL_CTX *two = floe__trust_client_ctx(env, text_bytes(other_ca.cert));
  assert_non_null(plain);
  assert_non_null(one);
  assert_non_null(two);
  assert_ptr_not_equal(plain, one);
  assert_ptr_not_equal(one, two);
  assert_ptr_equal(floe__trust_client_ctx(env, (floe_bytes){0}), plain);
  assert_ptr_equal(floe__trust_client_ctx(env, text_bytes(ca.cert)), one);
  assert_ptr_equal(floe__trust_client_ctx(env, text_bytes(other_ca.cert)), two);
  char copy[4096];
  strcpy(copy, ca.cert);
  assert_ptr_equal(floe__trust_client_ctx(env, text_bytes(copy)), one); /* the bytes count, not where they are */
}

static void envs_share_nothing(void **state) {
  (void)state;
  floe_env *another = make_env();
  assert_ptr_not_equal(floe__trust_client_ctx(another, text_bytes(ca.cert)),
                       floe__trust_client_ctx(env, text_bytes(ca.cert)));
  assert_ptr_not_equal(floe__trust_bio_method(another), floe__trust_bio_method(env));
  assert_ptr_equal(floe__trust_bio_method(env), floe__trust_bio_method(env));
  floe_env_free(another);
}

static void makes_nothing_of_a_bad_ca(void **state) {
  (void)state;
  floe_env *another = make_env();
  assert_null(floe__trust_client_ctx(another, text_bytes("no PEM")));
  assert_null(floe__trust_client_ctx(another, text_bytes(ca.key)));
  assert_non_null(floe__trust_client_ctx(another, text_bytes(ca.cert)));
  floe_env_free(another);
}

/* A different text of the same length, each with a certificate. */
static const char *numbered_ca(int i) {
  char first[16];
  (void)snprintf(first, sizeof first, "# %04d\n", i);
  return join(first, ca.cert, "");
}

static void forgets_the_one_not_used_for_longest(void **state) {
  (void)state;
  floe_env *another = make_env();
  SSL_CTX *first = floe__trust_client_ctx(another, text_bytes(numbered_ca(0)));
  assert_int_equal(SSL_CTX_up_ref(first), 1); /* so that its address is not used again */
  SSL_CTX *second = floe__trust_client_ctx(another, text_bytes(numbered_ca(1)));
  assert_int_equal(SSL_CTX_up_ref(second), 1);
  for (int i = 2; i < FLOE__TRUST_MAX; i++)
    assert_non_null(floe__trust_client_ctx(another, text_bytes(numbered_ca(i))));
  assert_ptr_equal(floe__trust_client_ctx(another, text_bytes(numbered_ca(0))), first);
  assert_non_null(floe__trust_client_ctx(another, text_bytes(numbered_ca(FLOE__TRUST_MAX))));
  assert_ptr_equal(floe__trust_client_ctx(another, text_bytes(numbered_ca(0))), first);
  assert_ptr_not_equal(floe__trust_client_ctx(another, text_bytes(numbered_ca(1))), second);
  SSL_CTX_free(first);
  SSL_CTX_free(second);
  floe_env_free(another);
}

/* A session goes on when its context made room. */
static void a_session_outlives_its_place(void **state) {
  (void)state;
  floe_env *another = make_env();
  identity id = make_identity(env, "turn.example.org", "turn.example.org", NULL, -1, 30, &ca, false);
  const floe__tls_client_config cfg = {.server_name = "turn.example.org", .ca_pem = text_bytes(ca.cert)};
  wire w = {.client = floe__tls_client_new(another, &cfg, 0)};
  w.server = floe__tls_server_new(env, text_bytes(id.cert), text_bytes(id.key));
  for (int i = 0; i < FLOE__TRUST_MAX; i++)
    assert_non_null(floe__trust_client_ctx(another, text_bytes(numbered_ca(i))));
  start(&w);
  (void)pump(&w);
  assert_int_equal(floe__tls_state_of(w.client), FLOE__TLS_OPEN);
  free_wire(&w);
  free_identity(env, &id);
  floe_env_free(another);
}

/* --- settings (RFC 9325)
 * ---------------------------------------------------------------------------------------------------- */

static void check_settings(SSL_CTX *ctx) {
  assert_non_null(ctx);
  assert_int_equal(SSL_CTX_get_min_proto_version(ctx), TLS1_2_VERSION);
  assert_int_equal(SSL_CTX_get_max_proto_version(ctx), 0);
  assert_int_equal(SSL_CTX_get_security_level(ctx), 2);
  const uint64_t wanted = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET;
  assert_int_equal(SSL_CTX_get_options(ctx) & wanted, wanted);
  assert_int_equal(SSL_CTX_get_mode(ctx) & SSL_MODE_RELEASE_BUFFERS, SSL_MODE_RELEASE_BUFFERS);
  assert_int_equal(SSL_CTX_get_session_cache_mode(ctx), SSL_SESS_CACHE_OFF);
}

static void follows_rfc_9325(void **state) {
  (void)state;
  check_settings(floe__trust_client_ctx(env, (floe_bytes){0}));
  SSL_CTX *server = floe__trust_server_ctx();
  check_settings(server);
  SSL_CTX_free(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_certificates),
      cmocka_unit_test(counts_none_in_what_is_no_ca_file),
      cmocka_unit_test(counts_none_in_an_encrypted_certificate),
      cmocka_unit_test(counts_none_when_one_is_broken),
      cmocka_unit_test(makes_a_context_once_per_ca),
      cmocka_unit_test(envs_share_nothing),
      cmocka_unit_test(makes_nothing_of_a_bad_ca),
      cmocka_unit_test(forgets_the_one_not_used_for_longest),
      cmocka_unit_test(a_session_outlives_its_place),
      cmocka_unit_test(follows_rfc_9325),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
