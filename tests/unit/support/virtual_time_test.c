/* The clock that libssl reads, in the hands of a test. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* struct timeval */
#endif
#include "support/virtual_time.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "support/cmocka.h"

static void tells_the_real_time_until_it_is_set(void **state) {
  (void)state;
  struct timeval tv = {0};
  const time_t before = time(NULL);
  assert_int_equal(gettimeofday(&tv, NULL), 0);
  assert_true(tv.tv_sec >= before && tv.tv_sec <= time(NULL));
  assert_true(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
}

static void tells_what_was_set(void **state) {
  (void)state;
  struct timeval tv = {0};
  floe__test_clock_set(3 * FLOE_SECOND + 250 * FLOE_MS + 1999);
  assert_int_equal(gettimeofday(&tv, NULL), 0);
  assert_int_equal(tv.tv_sec, FLOE__TEST_CLOCK_ORIGIN_S + 3);
  assert_int_equal(tv.tv_usec, 250001);
}

/* A ClientHello that nobody answers is due again after a second of virtual time. */
static void is_what_libssl_reads(void **state) {
  (void)state;
  floe__test_clock_set(10 * FLOE_SECOND);
  SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
  SSL *ssl = SSL_new(ctx);
  BIO *out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  BIO_set_mem_eof_return(SSL_get_rbio(ssl), -1);
  (void)SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
  (void)SSL_set_mtu(ssl, 1200);
  SSL_set_connect_state(ssl);
  assert_int_equal(SSL_do_handshake(ssl), -1);
  const size_t one_flight = BIO_ctrl_pending(out);
  assert_true(one_flight > 0);
  struct timeval left = {0};
  assert_int_equal(DTLSv1_get_timeout(ssl, &left), 1);
  assert_int_equal(left.tv_sec, 1);
  assert_int_equal(left.tv_usec, 0);
  floe__test_clock_set(10 * FLOE_SECOND + 400 * FLOE_MS);
  assert_int_equal(DTLSv1_get_timeout(ssl, &left), 1);
  assert_int_equal(left.tv_sec, 0);
  assert_int_equal(left.tv_usec, 600000);
  assert_int_equal(DTLSv1_handle_timeout(ssl), 0);
  assert_int_equal(BIO_ctrl_pending(out), one_flight);
  floe__test_clock_set(11 * FLOE_SECOND);
  assert_int_equal(DTLSv1_handle_timeout(ssl), 1);
  assert_int_equal(BIO_ctrl_pending(out), 2 * one_flight);
  SSL_free(ssl);
  SSL_CTX_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tells_the_real_time_until_it_is_set),
      cmocka_unit_test(tells_what_was_set),
      cmocka_unit_test(is_what_libssl_reads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
