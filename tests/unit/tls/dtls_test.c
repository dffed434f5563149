/* Sessions that come up, carry datagrams and end as they should. Loss and time: dtls_time_test.c; refusals:
 * dtls_verify_test.c. */
#include "tls/dtls.h"

#include "unit/tls/dtls_pair.h"

static void check_open(floe_certificate *client, floe_certificate *server, const char *cipher) {
  pair *p = sim_must(malloc(sizeof *p));
  pair_make(p, client, server, 0);
  pair_connect(p);
  for (size_t i = 0; i < 2; i++) {
    const floe__dtls_info *info = floe__dtls_info_of(p->end[i]);
    assert_string_equal(info->version, "DTLSv1.2");
    assert_string_equal(info->cipher, cipher);
    assert_string_equal(info->group, "x25519");
    assert_int_equal(info->cause, FLOE_CAUSE_NONE);
    assert_false(info->has_alert_received);
    assert_false(info->has_alert_sent);
    assert_null(info->text);
    assert_int_equal(info->datagrams_discarded, 0);
    assert_int_equal(X509_cmp(info->peer, i == 0 ? server->x509 : client->x509), 0);
  }
  assert_true(floe__dtls_write(p->end[0], pair_text("ping"), p->now));
  assert_true(floe__dtls_write(p->end[1], pair_text("pong"), p->now));
  pair_settle(p, 0);
  pair_settle(p, 1);
  pair_run(p, p->now + FLOE_SECOND);
  assert_int_equal(p->n_got[1], 4);
  assert_memory_equal(p->got[1], "ping", 4);
  assert_memory_equal(p->got[0], "pong", 4);
  pair_free(p);
  free(p);
}

static void opens_with_each_kind_of_key(void **state) {
  (void)state;
  check_open(pair_cert[0], pair_cert[1], "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  check_open(pair_cert[2], pair_cert[3], "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
  check_open(pair_cert[0], pair_cert[3], "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
  check_open(pair_cert[2], pair_cert[1], "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
}

static int make_certs(void **state) {
  (void)state;
  static floe_env *env;
  if (floe_env_new(&env, NULL) != FLOE_OK) return 1;
  for (size_t i = 0; i < 4; i++) pair_cert[i] = make_cert(env, i < 2 ? FLOE_KEY_ECDSA_P256 : FLOE_KEY_RSA, 2048);
  *state = env;
  return 0;
}

static int free_certs(void **state) {
  for (size_t i = 0; i < 4; i++) floe_certificate_free(pair_cert[i]);
  floe_env_free(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(opens_with_each_kind_of_key),
  };
  return cmocka_run_group_tests(tests, make_certs, free_certs);
}
