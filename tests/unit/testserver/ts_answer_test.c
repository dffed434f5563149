/* Answers: how they are signed and marked, and that a retransmission gets the same one. */
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/ts_rig.h"

static ts_rig rig;
static ts_client client;

static void begin(const floe__ts_config *cfg, const char *script) {
  ts_rig_init(&rig, cfg);
  ts_client_init(&client, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, script), "198.51.100.7:40000");
}

static void end(void) {
  ts_client_clear(&client);
  ts_rig_clear(&rig);
}

/* The same bytes within 40 s, also for what is not idempotent; then the request is a new one. */
static void the_same_answer_for_40_s(void **state) {
  (void)state;
  begin(NULL, "437=1");
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  assert_int_equal(ts_allocate(&client), 437);
  ts_rig_advance(&rig, 40000);
  assert_int_equal(ts_send_again(&client), 437);
  ts_rig_advance(&rig, 1);
  assert_int_equal(ts_send_again(&client), 0); /* the one mismatch is over */
  assert_int_equal(floe__testserver_counters(rig.ts).requests, 4);
  end();
}

/* The same transaction id from another address is another request. */
static void only_for_the_same_client(void **state) {
  (void)state;
  floe_addr mapped;
  begin(NULL, NULL);
  (void)ts_allocate_fully(&client);
  client.addr.port++;
  assert_int_equal(ts_send_again(&client), 0);
  assert_true(floe__stun_get_xor_addr(&client.m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped));
  assert_int_equal(mapped.port, 40001);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 2);
  end();
}

static void a_repeated_challenge_counts_once(void **state) {
  (void)state;
  begin(NULL, NULL);
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  char nonce[128];
  memcpy(nonce, client.nonce, sizeof nonce);
  assert_int_equal(ts_send_again(&client), 401);
  ts_learn(&client);
  assert_string_equal(client.nonce, nonce);
  assert_int_equal(floe__testserver_counters(rig.ts).challenges, 1);
  end();
}

/* RFC 8489 14.7: FINGERPRINT is the last attribute and covers the integrity. */
static void fingerprints(void **state) {
  (void)state;
  floe__ts_config cfg = ts_rig_config();
  cfg.fingerprint = true;
  begin(&cfg, NULL);
  assert_int_equal(ts_allocate(&client), 401);
  assert_int_equal(floe__stun_check_fingerprint(&client.m), FLOE__STUN_CHECK_OK);
  ts_learn(&client);
  assert_int_equal(ts_allocate(&client), 0);
  assert_int_equal(floe__stun_check_fingerprint(&client.m), FLOE__STUN_CHECK_OK);
  assert_true(ts_is_signed_well(&client));
  assert_int_equal(client.m.at[FLOE__STUN_FINGERPRINT] + 4u, client.answer.len);
  end();
}

static void errors_are_traced(void **state) {
  (void)state;
  begin(NULL, NULL);
  assert_int_equal(ts_allocate(&client), 401);
  assert_non_null(strstr(rig.trace, "\"method\":\"Allocate\",\"answer\":\"error\",\"code\":401}"));
  ts_learn(&client);
  assert_int_equal(ts_allocate(&client), 0);
  assert_non_null(strstr(rig.trace, "\"method\":\"Allocate\",\"answer\":\"success\"}"));
  assert_int_equal(ts_refresh(&client, 0), 0);
  assert_non_null(strstr(rig.trace, "\"method\":\"Refresh\""));
  assert_null(strstr(rig.trace, "secret"));
  assert_null(strstr(rig.trace, client.nonce));
  end();
}

/* A long realm and a long reason still fit. */
static void long_texts(void **state) {
  (void)state;
  char realm[128];
  floe__ts_config cfg = ts_rig_config();
  memset(realm, 'r', sizeof realm - 1);
  realm[sizeof realm - 1] = '\0';
  cfg.realm = realm;
  begin(&cfg, NULL);
  (void)ts_allocate_fully(&client);
  assert_string_equal(client.realm, realm);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_answer_for_40_s),
      cmocka_unit_test(only_for_the_same_client),
      cmocka_unit_test(a_repeated_challenge_counts_once),
      cmocka_unit_test(fingerprints),
      cmocka_unit_test(errors_are_traced),
      cmocka_unit_test(long_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
