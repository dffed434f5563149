#include "tls/ossl_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "unit/tls/fixture.h"

static void expect_cause(floe_cause cause, const char *id) {
  assert_string_equal(floe_cause_id(cause), id);
}

/* --- the error queue
 * --------------------------------------------------------------------------------------------------- */

static void names_the_reason_in_the_queue(void **state) {
  (void)state;
  ERR_clear_error();
  ERR_raise(ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER);
  expect_cause(floe__ossl_take_cause(true), "tls_not_tls");
  ERR_raise(ERR_LIB_SSL, SSL_R_HTTP_REQUEST);
  expect_cause(floe__ossl_take_cause(true), "tls_not_tls");
  ERR_raise(ERR_LIB_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING);
  expect_cause(floe__ossl_take_cause(true), "tcp_closed");
  ERR_raise(ERR_LIB_SSL, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE);
  expect_cause(floe__ossl_take_cause(true), "tls_alert");
}

static void a_session_that_was_open_was_tls(void **state) {
  (void)state;
  ERR_raise(ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER);
  expect_cause(floe__ossl_take_cause(false), "tls_alert");
}

static void empties_the_queue(void **state) {
  (void)state;
  ERR_raise(ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER);
  ERR_raise(ERR_LIB_SSL, SSL_R_UNEXPECTED_MESSAGE);
  expect_cause(floe__ossl_take_cause(true), "tls_not_tls");
  assert_int_equal(ERR_peek_error(), 0);
  expect_cause(floe__ossl_take_cause(true), "tls_alert");
}

/* Reasons are numbered per library. */
static void ignores_other_libraries(void **state) {
  (void)state;
  ERR_raise(ERR_LIB_X509, SSL_R_WRONG_VERSION_NUMBER);
  expect_cause(floe__ossl_take_cause(true), "tls_alert");
}

/* --- verification
 * --------------------------------------------------------------------------------------------------------- */

static void sorts_verification_errors(void **state) {
  (void)state;
  expect_cause(floe__verify_cause(X509_V_OK), "none");
  expect_cause(floe__verify_cause(X509_V_ERR_CERT_HAS_EXPIRED), "tls_expired");
  expect_cause(floe__verify_cause(X509_V_ERR_CERT_NOT_YET_VALID), "tls_expired");
  expect_cause(floe__verify_cause(X509_V_ERR_HOSTNAME_MISMATCH), "tls_name_mismatch");
  expect_cause(floe__verify_cause(X509_V_ERR_IP_ADDRESS_MISMATCH), "tls_name_mismatch");
  expect_cause(floe__verify_cause(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN), "tls_untrusted");
  expect_cause(floe__verify_cause(X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD), "tls_untrusted");
  expect_cause(floe__verify_cause(X509_V_ERR_EE_KEY_TOO_SMALL), "tls_untrusted");
  expect_cause(floe__verify_cause(X509_V_ERR_UNSPECIFIED), "tls_untrusted");
}

static floe__verify_log log_of(const int *errors, size_t n) {
  floe__verify_log log = {0};
  for (size_t i = 0; i < n; i++) floe__verify_log_add(&log, errors[i]);
  return log;
}

#define LOG_OF(...) log_of((const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void tells_the_error_that_says_most(void **state) {
  (void)state;
  const floe__verify_log none = {0};
  assert_int_equal(floe__verify_log_main(&none), X509_V_OK);
  floe__verify_log log =
      LOG_OF(X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
  assert_int_equal(floe__verify_log_main(&log), X509_V_ERR_HOSTNAME_MISMATCH);
  log = LOG_OF(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_CERT_NOT_YET_VALID);
  assert_int_equal(floe__verify_log_main(&log), X509_V_ERR_CERT_NOT_YET_VALID);
  /* of equal ones the first */
  log = LOG_OF(X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID);
  assert_int_equal(floe__verify_log_main(&log), X509_V_ERR_CERT_HAS_EXPIRED);
  log = LOG_OF(X509_V_ERR_INVALID_CA, X509_V_ERR_EE_KEY_TOO_SMALL);
  assert_int_equal(floe__verify_log_main(&log), X509_V_ERR_INVALID_CA);
}

static void notes_each_error_once(void **state) {
  (void)state;
  floe__verify_log log = LOG_OF(X509_V_ERR_CERT_HAS_EXPIRED, X509_V_OK, X509_V_ERR_CERT_HAS_EXPIRED);
  assert_int_equal(log.n, 1);
  for (int i = 0; i < 3 * FLOE__VERIFY_LOG_MAX; i++) floe__verify_log_add(&log, 2 + i);
  assert_int_equal(log.n, FLOE__VERIFY_LOG_MAX);
}

static void words_of_all_errors(void **state) {
  (void)state;
  char buf[256];
  const floe__verify_log none = {0};
  assert_string_equal(floe__verify_log_text(&none, buf, sizeof buf), "");
  floe__verify_log log = LOG_OF(X509_V_ERR_CERT_HAS_EXPIRED);
  assert_string_equal(floe__verify_log_text(&log, buf, sizeof buf), "certificate has expired");
  log = LOG_OF(X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_CERT_HAS_EXPIRED);
  assert_string_equal(floe__verify_log_text(&log, buf, sizeof buf),
                      "hostname mismatch; also: self-signed certificate, certificate has expired");
  assert_string_equal(floe__verify_log_text(&log, buf, 20), "hostname mismatch; ");
  assert_string_equal(floe__verify_log_text(&log, buf, 1), "");
}

/* --- alerts
 * ------------------------------------------------------------------------------------------------------------------ */

/* RFC 8446 6 and B.2 */
static void names_each_alert_of_tls13(void **state) {
  (void)state;
  static const uint8_t alerts[] = {0,  10, 20, 22, 40, 42, 43,  44,  45,  46,  47,  48,  49, 50,
                                   51, 70, 71, 80, 86, 90, 109, 110, 112, 113, 115, 116, 120};
  for (size_t i = 0; i < sizeof alerts; i++) {
    const char *text = floe__alert_text(alerts[i]);
    assert_non_null(text);
    assert_true(strlen(text) > 5);
  }
  assert_string_equal(floe__alert_text(48), "unknown CA");
  assert_string_equal(floe__alert_text(40), "handshake failure");
  assert_string_equal(floe__alert_text(86), "inappropriate fallback");
  assert_string_equal(floe__alert_text(109), "missing extension");
  assert_string_equal(floe__alert_text(120), "no application protocol");
}

static void names_no_other(void **state) {
  (void)state;
  assert_null(floe__alert_text(1));
  assert_null(floe__alert_text(200));
  assert_null(floe__alert_text(255));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_the_reason_in_the_queue),
      cmocka_unit_test(a_session_that_was_open_was_tls),
      cmocka_unit_test(empties_the_queue),
      cmocka_unit_test(ignores_other_libraries),
      cmocka_unit_test(sorts_verification_errors),
      cmocka_unit_test(tells_the_error_that_says_most),
      cmocka_unit_test(notes_each_error_once),
      cmocka_unit_test(words_of_all_errors),
      cmocka_unit_test(names_each_alert_of_tls13),
      cmocka_unit_test(names_no_other),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
