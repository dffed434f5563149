/* Long-term credentials as the server sees them: nonces, password algorithms, hashed names, time-limited names. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/ts_rig.h"

static ts_rig rig;
static ts_client client;

static void begin(const floe__ts_config *cfg) {
  ts_rig_init(&rig, cfg);
  ts_client_init(&client, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, NULL), "198.51.100.7:40000");
}

static void end(void) {
  ts_client_clear(&client);
  ts_rig_clear(&rig);
}

static void right_credentials(void **state) {
  (void)state;
  begin(NULL);
  (void)ts_allocate_fully(&client);
  assert_true(ts_is_signed_well(&client));
  assert_false(floe__stun_has(&client.m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256));
  end();
}

static void wrong_credentials(void **state) {
  (void)state;
  begin(NULL);
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  client.password = "Secret";
  assert_int_equal(ts_allocate(&client), 401);
  assert_false(ts_is_signed(&client));
  client.password = "secret";
  client.username = "users";
  assert_int_equal(ts_allocate(&client), 401);
  client.username = "user";
  (void)snprintf(client.realm, sizeof client.realm, "other.test");
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  assert_int_equal(ts_allocate(&client), 0);
  end();
}

/* RFC 8489 9.2.4: integrity without user name, realm or nonce is a bad request. */
static void half_of_the_credentials(void **state) {
  (void)state;
  static const floe__stun_attr left_out[] = {FLOE__STUN_USERNAME, FLOE__STUN_REALM, FLOE__STUN_NONCE};
  begin(NULL);
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  client.sign = false;
  for (size_t i = 0; i < 3; i++) {
    floe__stun_key key;
    floe__stun_builder *b = ts_begin(&client, FLOE__STUN_ALLOCATE);
    if (left_out[i] != FLOE__STUN_USERNAME) floe__stun_put_text(b, FLOE__STUN_USERNAME, "user");
    if (left_out[i] != FLOE__STUN_REALM) floe__stun_put_text(b, FLOE__STUN_REALM, client.realm);
    if (left_out[i] != FLOE__STUN_NONCE) floe__stun_put_text(b, FLOE__STUN_NONCE, client.nonce);
    floe__stun_key_init(&key, "secret", 6);
    floe__stun_put_integrity(b, &key);
    assert_int_equal(ts_send(&client), 400);
    assert_false(ts_is_signed(&client));
  }
  end();
}

static void odd_user_names(void **state) {
  (void)state;
  static char name[600];
  begin(NULL);
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  memset(name, 'a', 509);
  client.username = name;
  assert_int_equal(ts_allocate(&client), 401);
  name[0] = '\0';
  assert_int_equal(ts_allocate(&client), 401);
  end();
}

static void a_nonce_lasts_an_hour(void **state) {
  (void)state;
  begin(NULL);
  char old[128];
  (void)ts_allocate_fully(&client);
  (void)snprintf(old, sizeof old, "%s", client.nonce);
  for (int i = 0; i < 7; i++) {
    ts_rig_advance(&rig, 500 * 1000);
    assert_int_equal(ts_refresh(&client, 600), 0);
  }
  ts_rig_advance(&rig, 99 * 1000);
  assert_int_equal(ts_refresh(&client, 600), 0);
  ts_rig_advance(&rig, 1000);
  assert_int_equal(ts_refresh(&client, 600), 438);
  assert_false(ts_is_signed(&client));
  ts_learn(&client);
  assert_string_not_equal(client.nonce, old);
  assert_int_equal(ts_refresh(&client, 600), 0);
  assert_int_equal(floe__testserver_counters(rig.ts).challenges, 2);
  end();
}

static void a_foreign_nonce_is_stale(void **state) {
  (void)state;
  begin(NULL);
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  char good[128];
  (void)snprintf(good, sizeof good, "%s", client.nonce);
  for (size_t i = 0; i < strlen(good); i++) { /* each character matters */
    (void)snprintf(client.nonce, sizeof client.nonce, "%s", good);
    client.nonce[i] = client.nonce[i] == '0' ? '1' : '0';
    assert_int_equal(ts_allocate(&client), 438);
  }
  (void)snprintf(client.nonce, sizeof client.nonce, "%.100s0", good);
  assert_int_equal(ts_allocate(&client), 438);
  (void)snprintf(client.nonce, sizeof client.nonce, "x");
  assert_int_equal(ts_allocate(&client), 438);
  (void)snprintf(client.nonce, sizeof client.nonce, "%s", good);
  assert_int_equal(ts_allocate(&client), 0);
  end();
}

static void binding_by_configuration(void **state) {
  (void)state;
  floe__ts_config cfg = ts_rig_config();
  cfg.stun_needs_auth = true;
  begin(&cfg);
  assert_int_equal(ts_binding(&client), 401);
  ts_learn(&client);
  assert_int_equal(ts_binding(&client), 0);
  assert_true(ts_is_signed_well(&client));
  end();
}

static void sha256_is_announced_and_used(void **state) {
  (void)state;
  static const uint8_t offered[] = {0, 2, 0, 0, 0, 1, 0, 0};
  floe__ts_config cfg = ts_rig_config();
  cfg.use_sha256 = true;
  begin(&cfg);
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  assert_memory_equal(client.nonce, "obMatJos2gAAA", 13); /* bit 0 of 24, from the left */
  assert_int_equal(client.algorithms_len, sizeof offered);
  assert_memory_equal(client.algorithms, offered, sizeof offered);
  client.sha256 = true;
  assert_int_equal(ts_allocate(&client), 0);
  assert_true(ts_is_signed_well(&client));
  assert_false(floe__stun_has(&client.m, FLOE__STUN_MESSAGE_INTEGRITY));
  end();
}

/* A client that goes on with MD5 and SHA-1, though it was offered better, is challenged again. */
static void sha256_is_expected(void **state) {
  (void)state;
  floe__ts_config cfg = ts_rig_config();
  cfg.use_sha256 = true;
  begin(&cfg);
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  assert_int_equal(ts_allocate(&client), 401);
  client.sha256 = true;
  client.algorithms[1] = 1; /* the list was altered on its way: bid-down */
  assert_int_equal(ts_allocate(&client), 400);
  client.algorithms[1] = 2;
  assert_int_equal(ts_allocate(&client), 0);
  end();
}

static void a_choice_without_the_list_is_bad(void **state) {
  (void)state;
  static const uint8_t choices[][4] = {{0, 2, 0, 0}, {0, 3, 0, 0}};
  floe__ts_config cfg = ts_rig_config();
  cfg.use_sha256 = true;
  begin(&cfg);
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  client.sign = false;
  for (size_t i = 0; i < 2; i++) {
    floe__stun_key key;
    floe__stun_builder *b = ts_begin(&client, FLOE__STUN_ALLOCATE);
    floe__stun_put_text(b, FLOE__STUN_USERNAME, "user");
    floe__stun_put_text(b, FLOE__STUN_REALM, client.realm);
    floe__stun_put_text(b, FLOE__STUN_NONCE, client.nonce);
    if (i == 1) floe__stun_put(b, FLOE__STUN_PASSWORD_ALGORITHMS, client.algorithms, client.algorithms_len);
    floe__stun_put(b, FLOE__STUN_PASSWORD_ALGORITHM, choices[i], 4);
    floe__stun_key_init(&key, "secret", 6);
    floe__stun_put_integrity_sha256(b, &key);
    assert_int_equal(ts_send(&client), 400);
  }
  end();
}

static void hashed_user_names(void **state) {
  (void)state;
  floe__ts_config cfg = ts_rig_config();
  cfg.use_sha256 = cfg.anonymous = true;
  begin(&cfg);
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  assert_memory_equal(client.nonce, "obMatJos2wAAA", 13);
  client.sha256 = client.userhash = true;
  client.username = "somebody";
  assert_int_equal(ts_allocate(&client), 401);
  client.username = "user";
  assert_int_equal(ts_allocate(&client), 0);
  assert_true(ts_is_signed_well(&client));
  client.userhash = false;
  assert_int_equal(ts_refresh(&client, 0), 0); /* the same user, by name */
  end();
}

static void hashed_user_names_with_md5(void **state) {
  (void)state;
  floe__ts_config cfg = ts_rig_config();
  cfg.anonymous = true;
  begin(&cfg);
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  assert_memory_equal(client.nonce, "obMatJos2QAAA", 13);
  assert_int_equal(client.algorithms_len, 0);
  client.userhash = true;
  assert_int_equal(ts_allocate(&client), 0);
  end();
}

/* --- time-limited credentials ----------------------------------------------------------------------------------- */

static char rest_name[64];
static char rest_secret[64];

static void use_rest(int64_t expiry, const char *user, const char *secret) {
  uint8_t mac[EVP_MAX_MD_SIZE];
  unsigned len = 0;
  (void)snprintf(rest_name, sizeof rest_name, "%lld%s%s", (long long)expiry, user[0] == '\0' ? "" : ":", user);
  assert_non_null(
      HMAC(EVP_sha1(), secret, (int)strlen(secret), (const uint8_t *)rest_name, strlen(rest_name), mac, &len));
  (void)EVP_EncodeBlock((uint8_t *)rest_secret, mac, (int)len);
  client.username = rest_name;
  client.password = rest_secret;
}

static void time_limited_credentials(void **state) {
  (void)state;
  floe__ts_config cfg = ts_rig_config();
  cfg.username = cfg.credential = NULL;
  cfg.secret = "north";
  begin(&cfg);
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  use_rest(TS_RIG_UNIX_S + 1000, "alice", "south");
  assert_int_equal(ts_allocate(&client), 401);
  use_rest(TS_RIG_UNIX_S, "alice", "north"); /* a second has gone since time 0 */
  assert_int_equal(ts_allocate(&client), 401);
  use_rest(TS_RIG_UNIX_S + 1, "", "north");
  assert_int_equal(ts_allocate(&client), 0);
  assert_true(ts_is_signed_well(&client));
  use_rest(TS_RIG_UNIX_S + 500, "alice", "north");
  assert_int_equal(ts_refresh(&client, 600), 441); /* another user's allocation */
  assert_true(ts_is_signed_well(&client));
  end();
}

static void time_limited_credentials_expire(void **state) {
  (void)state;
  floe__ts_config cfg = ts_rig_config();
  cfg.username = cfg.credential = NULL;
  cfg.secret = "north";
  begin(&cfg);
  use_rest(TS_RIG_UNIX_S + 100, "alice", "north");
  (void)ts_allocate_fully(&client);
  ts_rig_advance(&rig, 99 * 1000);
  assert_int_equal(ts_refresh(&client, 600), 0);
  ts_rig_advance(&rig, 1000);
  assert_int_equal(ts_refresh(&client, 600), 401);
  end();
}

static void names_without_a_time(void **state) {
  (void)state;
  static const char *const names[] = {"alice", "1750000500alice", ":alice", "1750000500000000000:alice", ""};
  floe__ts_config cfg = ts_rig_config();
  cfg.secret = "north"; /* beats username and credential */
  begin(&cfg);
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  assert_int_equal(ts_allocate(&client), 401);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    client.username = names[i];
    assert_int_equal(ts_allocate(&client), 401);
  }
  end();
}

/* RFC 8489 9.2.2: the client prepares what it signs with, so the server's own copy must be prepared as well. */
static void credentials_are_prepared(void **state) {
  (void)state;
  floe__ts_config cfg = ts_rig_config();
  cfg.username = "u\xc2\xa0ser";         /* a no-break space becomes a space */
  cfg.credential = "e\xcc\x81t\xc3\xa9"; /* NFC composes the first */
  begin(&cfg);
  client.username = "u ser";
  client.password = "\xc3\xa9t\xc3\xa9";
  (void)ts_allocate_fully(&client);
  end();
  cfg.credential = "a\tb"; /* not allowed in OpaqueString: kept as it is */
  begin(&cfg);
  client.username = "u ser";
  client.password = "a\tb";
  (void)ts_allocate_fully(&client);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(right_credentials),        cmocka_unit_test(wrong_credentials),
      cmocka_unit_test(half_of_the_credentials),  cmocka_unit_test(odd_user_names),
      cmocka_unit_test(a_nonce_lasts_an_hour),    cmocka_unit_test(a_foreign_nonce_is_stale),
      cmocka_unit_test(binding_by_configuration), cmocka_unit_test(sha256_is_announced_and_used),
      cmocka_unit_test(sha256_is_expected),       cmocka_unit_test(a_choice_without_the_list_is_bad),
      cmocka_unit_test(hashed_user_names),        cmocka_unit_test(hashed_user_names_with_md5),
      cmocka_unit_test(time_limited_credentials), cmocka_unit_test(time_limited_credentials_expire),
      cmocka_unit_test(names_without_a_time),     cmocka_unit_test(credentials_are_prepared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
