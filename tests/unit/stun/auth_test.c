#include "stun/auth.h"

#include "fixture.h"

#define MD5_ONLY    "\0\1\0\0"
#define SHA256_ONLY "\0\2\0\0"

typedef struct fixture {
  bed bed;
  floe__stun_auth auth;
  uint8_t buf[4096];
  floe__stun_builder b;
  floe_cause cause;
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  bed_init(&f->bed);
  floe__stun_auth_init(&f->auth, f->bed.env, "user", "pass");
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  floe__stun_auth_clear(&f->auth);
  bed_clear(&f->bed);
  free(f);
  return 0;
}

/* What a challenge carries; NULL = absent. Lengths are those of the texts, unless given. */
typedef struct challenge {
  const char *realm, *nonce, *algorithms;
  size_t algorithms_len, realm_len;
} challenge;

static floe__stun_msg response(fixture *f, unsigned code, const challenge *c) {
  floe__stun_begin(&f->b, f->buf, sizeof f->buf, FLOE__STUN_ERROR, FLOE__STUN_ALLOCATE, test_id);
  floe__stun_put_error(&f->b, code, "");
  if (c->realm != NULL) {
    floe__stun_put(&f->b, FLOE__STUN_REALM, c->realm, c->realm_len > 0 ? c->realm_len : strlen(c->realm));
  }
  if (c->nonce != NULL) floe__stun_put_text(&f->b, FLOE__STUN_NONCE, c->nonce);
  if (c->algorithms != NULL) {
    floe__stun_put(&f->b, FLOE__STUN_PASSWORD_ALGORITHMS, c->algorithms, c->algorithms_len);
  }
  return parse_ok(floe__stun_end(&f->b));
}

static floe__stun_auth_verdict on(fixture *f, unsigned code, bool was_signed, challenge c) {
  floe__stun_msg m = response(f, code, &c);
  f->cause = FLOE_CAUSE_NONE;
  return floe__stun_auth_on_error(&f->auth, &m, code, was_signed, NULL, &f->cause);
}

static void challenged(fixture *f, challenge c) {
  assert_int_equal(on(f, 401, false, c), FLOE__STUN_AUTH_RETRY);
  assert_int_equal(f->auth.state, FLOE__STUN_AUTH_READY);
}

/* A signed Allocate request. */
static floe__stun_msg signed_request(fixture *f) {
  floe__stun_begin(&f->b, f->buf, sizeof f->buf, FLOE__STUN_REQUEST, FLOE__STUN_ALLOCATE, test_id);
  floe__stun_auth_sign(&f->auth, &f->b);
  return parse_ok(floe__stun_end(&f->b));
}

static void assert_text(const floe__stun_msg *m, floe__stun_attr attr, const char *want) {
  assert_bytes(floe__stun_get(m, attr), want, strlen(want));
}

/* The attribute with the key that the given parts give. */
static bool is_signed_by(const floe__stun_msg *m, floe__stun_attr attr, floe__stun_password_algorithm algorithm,
                         const char *realm) {
  uint8_t bytes[FLOE__STUN_MAX_KEY];
  size_t len = floe__stun_derive_key(bytes, algorithm, "user", realm, "pass");
  floe__stun_key key;
  floe__stun_key_init(&key, bytes, len);
  floe__stun_check check = attr == FLOE__STUN_MESSAGE_INTEGRITY ? floe__stun_check_integrity(m, &key)
                                                                : floe__stun_check_integrity_sha256(m, &key);
  return check == FLOE__STUN_CHECK_OK;
}

/* --- signing ------------------------------------------------------------------------------------------------------ */

static void unchallenged_requests_are_bare(void **state) {
  fixture *f = *state;
  floe__stun_msg m = signed_request(f);
  assert_int_equal(m.packet.len, 20);
  assert_false(floe__stun_auth_verify(&f->auth, &m));
}

static void classic_challenge(void **state) {
  fixture *f = *state;
  challenged(f, (challenge){.realm = "example.org", .nonce = "n1"});
  assert_false(f->auth.sha256);
  assert_false(f->auth.anonymous);
  floe__stun_msg m = signed_request(f);
  assert_text(&m, FLOE__STUN_USERNAME, "user");
  assert_text(&m, FLOE__STUN_REALM, "example.org");
  assert_text(&m, FLOE__STUN_NONCE, "n1");
  assert_false(floe__stun_has(&m, FLOE__STUN_USERHASH));
  assert_false(floe__stun_has(&m, FLOE__STUN_PASSWORD_ALGORITHM));
  assert_false(floe__stun_has(&m, FLOE__STUN_PASSWORD_ALGORITHMS));
  assert_false(floe__stun_has(&m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256));
  assert_true(is_signed_by(&m, FLOE__STUN_MESSAGE_INTEGRITY, FLOE__STUN_ALGORITHM_MD5, "example.org"));
}

/* RFC 8489 9.2.5: the list is echoed, the first algorithm supported is used, MESSAGE-INTEGRITY-SHA256 only. */
static void algorithms(void **state) {
  static const struct {
    const char *nonce;
    const char *list;
    size_t len;
    floe__stun_password_algorithm used;
  } rows[] = {
      {"obMatJos2gAAAx", "\0\2\0\0\0\1\0\0", 8, FLOE__STUN_ALGORITHM_SHA256},
      {"obMatJos2gAAAx", "\0\1\0\0\0\2\0\0", 8, FLOE__STUN_ALGORITHM_MD5},
      {"obMatJos2gAAA", SHA256_ONLY, 4, FLOE__STUN_ALGORITHM_SHA256},
      {"obMatJos2gAAAx", "\0\3\0\0\0\2\0\0", 8, FLOE__STUN_ALGORITHM_SHA256},             /* one that we do not know */
      {"obMatJos2gAAAx", "\0\3\0\5abcde\0\0\0\0\2\0\0", 16, FLOE__STUN_ALGORITHM_SHA256}, /* ... with parameters */
      {"obMatJos2gAAAx", "\0\2\0\1p\0\0\0\0\1\0\0", 12, FLOE__STUN_ALGORITHM_MD5},        /* SHA-256 has none */
      {"no-cookie", "\0\2\0\0\0\1\0\0", 8, FLOE__STUN_ALGORITHM_SHA256},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    fixture *f = *state;
    challenged(f, (challenge){"example.org", rows[i].nonce, rows[i].list, rows[i].len, 0});
    assert_true(f->auth.sha256);
    floe__stun_msg m = signed_request(f);
    assert_bytes(floe__stun_get(&m, FLOE__STUN_PASSWORD_ALGORITHMS), rows[i].list, rows[i].len);
    uint8_t used[4] = {0, (uint8_t)rows[i].used, 0, 0};
    assert_bytes(floe__stun_get(&m, FLOE__STUN_PASSWORD_ALGORITHM), used, 4);
    assert_text(&m, FLOE__STUN_USERNAME, "user");
    assert_false(floe__stun_has(&m, FLOE__STUN_MESSAGE_INTEGRITY));
    assert_true(is_signed_by(&m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256, rows[i].used, "example.org"));
    floe__stun_auth_reset(&f->auth);
  }
}

/* RFC 8489 18.1: bit 0 is the leftmost, so "g" announces algorithms and "Q" anonymity. */
static void security_features(void **state) {
  static const struct {
    const char *nonce;
    bool anonymous;
    bool needs_algorithms;
  } rows[] = {
      {"obMatJos2AAAA", false, false},  {"obMatJos2gAAA", false, true},     {"obMatJos2QAAA", true, false},
      {"obMatJos2wAAA", true, true},    {"obMatJos2QAAAmore", true, false}, {"obMatJos2AAAC", false, false},
      {"obMatJos2///+", true, true},    {"obMatJos2A9z0", false, false},    {"obMatJos2QAA", false, false},
      {"obMatJos2QAA=", false, false},  {"obMatJos2QA-A", false, false},    {"obmatjos2QAAA", false, false},
      {"xobMatJos2QAAA", false, false}, {"obMatJos", false, false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    fixture *f = *state;
    floe__stun_auth_verdict verdict = on(f, 401, false, (challenge){.realm = "r", .nonce = rows[i].nonce});
    if (rows[i].needs_algorithms) {
      /* 9.2.5: bid-down protection */
      assert_int_equal(verdict, FLOE__STUN_AUTH_STANDS);
      assert_int_equal(f->cause, FLOE_CAUSE_MALFORMED_CHALLENGE);
      assert_int_equal(f->auth.state, FLOE__STUN_AUTH_NONE);
      challenged(f, (challenge){"r", rows[i].nonce, MD5_ONLY, 4, 0});
    }
    assert_int_equal(f->auth.anonymous, rows[i].anonymous);
    floe__stun_msg m = signed_request(f);
    assert_int_equal(floe__stun_has(&m, FLOE__STUN_USERHASH), rows[i].anonymous);
    assert_int_equal(floe__stun_has(&m, FLOE__STUN_USERNAME), !rows[i].anonymous);
    uint8_t hash[32];
    floe__stun_userhash(hash, "user", "r");
    if (rows[i].anonymous) assert_bytes(floe__stun_get(&m, FLOE__STUN_USERHASH), hash, sizeof hash);
    floe__stun_auth_reset(&f->auth);
  }
}

/* RFC 8489 9.2.2: the key is made of OpaqueString(realm), while REALM is echoed. */
static void realms_are_prepared_for_the_key(void **state) {
  static const struct {
    const char *realm, *prepared;
  } rows[] = {
      {"a\u00A0b", "a b"},
      {"a\u0308", "\u00E4"},
      {"\xFF\xFE", "\xFF\xFE"}, /* not UTF-8: as it is */
      {"\u200Bx", "\u200Bx"},   /* not allowed: as it is */
      {"Example.ORG", "Example.ORG"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    fixture *f = *state;
    challenged(f, (challenge){.realm = rows[i].realm, .nonce = "obMatJos2QAAA"});
    floe__stun_msg m = signed_request(f);
    assert_text(&m, FLOE__STUN_REALM, rows[i].realm);
    assert_true(is_signed_by(&m, FLOE__STUN_MESSAGE_INTEGRITY, FLOE__STUN_ALGORITHM_MD5, rows[i].prepared));
    uint8_t hash[32];
    floe__stun_userhash(hash, "user", rows[i].prepared);
    assert_bytes(floe__stun_get(&m, FLOE__STUN_USERHASH), hash, sizeof hash);
    floe__stun_auth_reset(&f->auth);
  }
}

static void longest_texts(void **state) {
  fixture *f = *state;
  char text[765];
  memset(text, 't', 764);
  text[764] = '\0';
  assert_int_equal(on(f, 401, false, (challenge){.realm = text, .nonce = "n"}), FLOE__STUN_AUTH_STANDS);
  assert_int_equal(on(f, 401, false, (challenge){.realm = "r", .nonce = text}), FLOE__STUN_AUTH_STANDS);
  assert_int_equal(f->cause, FLOE_CAUSE_MALFORMED_CHALLENGE);
  text[763] = '\0';
  challenged(f, (challenge){.realm = text, .nonce = text});
  floe__stun_msg m = signed_request(f);
  assert_text(&m, FLOE__STUN_REALM, text);
  assert_text(&m, FLOE__STUN_NONCE, text);
}

static void verifying(void **state) {
  fixture *f = *state;
  challenged(f, (challenge){.realm = "r", .nonce = "n"});
  floe__stun_key right = *f->auth.key, wrong;
  floe__stun_key_init(&wrong, "wrong", 5);
  static const struct {
    bool sha256, use_sha256, use_sha1, good_key, want;
  } rows[] = {
      {false, false, true, true, true},   {false, false, true, false, false}, {false, true, false, true, false},
      {false, false, false, true, false}, {false, true, true, true, true},    {true, true, false, true, true},
      {true, true, false, false, false},  {true, false, true, true, false},   {true, false, false, true, false},
      {true, true, true, true, true},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    f->auth.sha256 = rows[i].sha256;
    const floe__stun_key *key = rows[i].good_key ? &right : &wrong;
    floe__stun_begin(&f->b, f->buf, sizeof f->buf, FLOE__STUN_SUCCESS, FLOE__STUN_REFRESH, test_id);
    if (rows[i].use_sha1) floe__stun_put_integrity(&f->b, key);
    if (rows[i].use_sha256) floe__stun_put_integrity_sha256(&f->b, key);
    floe__stun_msg m = parse_ok(floe__stun_end(&f->b));
    assert_int_equal(floe__stun_auth_verify(&f->auth, &m), rows[i].want);
  }
  f->auth.sha256 = false;
}

/* --- 401 ------------------------------------------------------------------------------------------------------------
 */

static void malformed_challenges(void **state) {
  static const char many[132] = SHA256_ONLY;
  static const challenge rows[] = {
      {.nonce = "n"},
      {.realm = "r"},
      {0},
      {.realm = "", .nonce = "n"},
      {.realm = "r", .nonce = ""},
      {.realm = "r\0r", .realm_len = 3, .nonce = "n"},
      {"r", "n", "", 0, 0},
      {"r", "n", "\0\3\0\0", 4, 0}, /* none that we know */
      {"r", "n", "\0\0\0\0\0\4\0\0", 8, 0},
      {"r", "n", "\0\2", 2, 0},               /* half of one */
      {"r", "n", "\0\3\0\x20\0\2\0\0", 8, 0}, /* parameters past the end */
      {"r", "n", many, sizeof many, 0},       /* more than we echo */
      {"r", "obMatJos2gAAA", NULL, 0, 0},     /* announced, not there */
  };
  fixture *f = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(on(f, 401, false, rows[i]), FLOE__STUN_AUTH_STANDS);
    assert_int_equal(f->cause, FLOE_CAUSE_MALFORMED_CHALLENGE);
    assert_int_equal(f->auth.state, FLOE__STUN_AUTH_NONE);
  }
}

static void without_credentials(void **state) {
  static const struct { const char *username, *credential; } rows[] = {{NULL, NULL}, {"user", NULL}, {NULL, "pass"}};
  fixture *f = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__stun_auth_init(&f->auth, f->bed.env, rows[i].username, rows[i].credential);
    assert_int_equal(on(f, 401, false, (challenge){.realm = "r", .nonce = "n"}), FLOE__STUN_AUTH_STANDS);
    assert_int_equal(f->cause, FLOE_CAUSE_AUTH_REQUIRED);
    assert_int_equal(on(f, 401, false, (challenge){0}), FLOE__STUN_AUTH_STANDS); /* malformed or not */
    assert_int_equal(f->cause, FLOE_CAUSE_AUTH_REQUIRED);
    assert_int_equal(on(f, 438, false, (challenge){.realm = "r", .nonce = "n"}), FLOE__STUN_AUTH_STANDS);
    assert_int_equal(f->cause, FLOE_CAUSE_STALE_NONCE_LOOP);
  }
}

/* RFC 8489 9.2.5: only a 438 renews the nonce; a 401 that changes it, or the realm, is a rejection, too. */
static void rejected(void **state) {
  static const challenge rows[] = {
      {.realm = "r", .nonce = "n"}, {.realm = "r", .nonce = "other"}, {.realm = "other", .nonce = "other"}, {0}};
  fixture *f = *state;
  challenged(f, (challenge){.realm = "r", .nonce = "n"});
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(on(f, 401, true, rows[i]), FLOE__STUN_AUTH_STANDS);
    assert_int_equal(f->cause, FLOE_CAUSE_AUTH_REJECTED);
    assert_int_equal(f->auth.state, FLOE__STUN_AUTH_READY);
  }
}

static void expired(void **state) {
  static const struct {
    const char *username;
    int64_t unix_ms; /* -1 = not known */
    floe_cause cause;
  } rows[] = {
      {"1700000000:bob", 1700000000001, FLOE_CAUSE_AUTH_EXPIRED},
      {"1700000000:bob", 1700000000000, FLOE_CAUSE_AUTH_REJECTED},
      {"1700000000:bob", -1, FLOE_CAUSE_AUTH_REJECTED},
      {"bob", 1700000000001, FLOE_CAUSE_AUTH_REJECTED},
  };
  fixture *f = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__stun_auth_init(&f->auth, f->bed.env, rows[i].username, "pass");
    floe__stun_msg m = response(f, 401, &(challenge){.realm = "r", .nonce = "n"});
    const int64_t *unix_ms = rows[i].unix_ms < 0 ? NULL : &rows[i].unix_ms;
    floe_cause cause = FLOE_CAUSE_NONE;
    assert_int_equal(floe__stun_auth_on_error(&f->auth, &m, 401, true, unix_ms, &cause), FLOE__STUN_AUTH_STANDS);
    assert_int_equal(cause, rows[i].cause);
  }
}

static void expired_names(void **state) {
  (void)state;
  static const struct {
    const char *username;
    int64_t unix_ms;
    bool want;
  } rows[] = {
      {"1700000000", 1700000000001, true},
      {"1700000000", 1700000000000, false},
      {"1700000000", 1699999999999, false},
      {"1700000000:alice", 1700000001000, true},
      {"1700000000:", 1700000001000, true},
      {"1700000000:1:2", 1700000001000, true},
      {"1700000000alice", 1700000001000, false},
      {"1700000000.5", 1700000001000, false},
      {"alice:1700000000", 1700000001000, false},
      {"", 1700000001000, false},
      {":", 1700000001000, false},
      {":1", 1700000001000, false},
      {"-5:a", 1700000001000, false},
      {"1001", 1700000001000, false}, /* an account, not 1970 */
      {"1001:a", 1700000001000, true},
      {"123456789", 1700000001000, true},
      {"12345678", 1700000001000, false},
      {"0:a", 1, true},
      {"999999999999999:a", INT64_MAX, true},
      {"9999999999999999:a", INT64_MAX, false},
      {"99999999999999999999999999:a", INT64_MAX, false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(floe__stun_username_expired(rows[i].username, rows[i].unix_ms), rows[i].want);
  }
}

/* --- 438 ------------------------------------------------------------------------------------------------------------
 */

static void stale_nonces_are_renewed_three_times(void **state) {
  fixture *f = *state;
  challenged(f, (challenge){.realm = "r", .nonce = "n0"});
  static const char *const nonces[] = {"n1", "n2", "n3"};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(on(f, 438, true, (challenge){.realm = "r", .nonce = nonces[i]}), FLOE__STUN_AUTH_RETRY);
    floe__stun_msg m = signed_request(f);
    assert_text(&m, FLOE__STUN_NONCE, nonces[i]);
    assert_true(is_signed_by(&m, FLOE__STUN_MESSAGE_INTEGRITY, FLOE__STUN_ALGORITHM_MD5, "r"));
  }
  assert_int_equal(on(f, 438, true, (challenge){.realm = "r", .nonce = "n4"}), FLOE__STUN_AUTH_STANDS);
  assert_int_equal(f->cause, FLOE_CAUSE_STALE_NONCE_LOOP);
}

static void a_success_ends_the_row(void **state) {
  fixture *f = *state;
  challenged(f, (challenge){.realm = "r", .nonce = "n0"});
  for (size_t i = 0; i < 9; i++) {
    assert_int_equal(on(f, 438, true, (challenge){.nonce = "next"}), FLOE__STUN_AUTH_RETRY);
    if (i % 3 == 2) floe__stun_auth_on_success(&f->auth);
  }
}

static void stale_without_a_usable_nonce(void **state) {
  static const challenge rows[] = {
      {0},
      {.realm = "r"},
      {.realm = "r", .nonce = ""},
      {.realm = "r", .nonce = "obMatJos2gAAA"}, /* bid-down */
      {"r", "n", "\0\3\0\0", 4, 0},
  };
  fixture *f = *state;
  challenged(f, (challenge){.realm = "r", .nonce = "n0"});
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(on(f, 438, true, rows[i]), FLOE__STUN_AUTH_STANDS);
    assert_int_equal(f->cause, FLOE_CAUSE_STALE_NONCE_LOOP);
    floe__stun_msg m = signed_request(f);
    assert_text(&m, FLOE__STUN_NONCE, "n0");
  }
}

static void a_renewal_takes_nothing_back(void **state) {
  fixture *f = *state;
  challenged(f, (challenge){"r", "obMatJos2gAAA0", "\0\2\0\0\0\1\0\0", 8, 0});
  assert_int_equal(on(f, 438, true, (challenge){.realm = "other", .nonce = "bare"}), FLOE__STUN_AUTH_RETRY);
  floe__stun_msg m = signed_request(f);
  assert_text(&m, FLOE__STUN_NONCE, "bare");
  assert_text(&m, FLOE__STUN_REALM, "r");
  assert_bytes(floe__stun_get(&m, FLOE__STUN_PASSWORD_ALGORITHMS), "\0\2\0\0\0\1\0\0", 8);
  assert_false(floe__stun_has(&m, FLOE__STUN_MESSAGE_INTEGRITY));
  assert_true(is_signed_by(&m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256, FLOE__STUN_ALGORITHM_SHA256, "r"));
}

static void a_renewal_may_change_algorithm_and_anonymity(void **state) {
  fixture *f = *state;
  challenged(f, (challenge){"r", "obMatJos2gAAA0", "\0\2\0\0", 4, 0});
  assert_int_equal(on(f, 438, true, (challenge){"r", "obMatJos2wAAA1", "\0\1\0\0\0\2\0\0", 8, 0}),
                   FLOE__STUN_AUTH_RETRY);
  floe__stun_msg m = signed_request(f);
  assert_bytes(floe__stun_get(&m, FLOE__STUN_PASSWORD_ALGORITHMS), "\0\1\0\0\0\2\0\0", 8);
  assert_bytes(floe__stun_get(&m, FLOE__STUN_PASSWORD_ALGORITHM), MD5_ONLY, 4);
  assert_true(floe__stun_has(&m, FLOE__STUN_USERHASH));
  assert_true(is_signed_by(&m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256, FLOE__STUN_ALGORITHM_MD5, "r"));
  assert_int_equal(on(f, 438, true, (challenge){"r", "obMatJos2gAAA2", "\0\1\0\0", 4, 0}), FLOE__STUN_AUTH_RETRY);
  m = signed_request(f);
  assert_true(floe__stun_has(&m, FLOE__STUN_USERNAME));
}

/* A server that calls a nonce stale that it never gave: with REALM it is a challenge. */
static void stale_before_any_nonce(void **state) {
  fixture *f = *state;
  assert_int_equal(on(f, 438, false, (challenge){.nonce = "n"}), FLOE__STUN_AUTH_STANDS);
  assert_int_equal(f->cause, FLOE_CAUSE_STALE_NONCE_LOOP);
  assert_int_equal(on(f, 438, false, (challenge){.realm = "r", .nonce = "n"}), FLOE__STUN_AUTH_RETRY);
  assert_int_equal(f->auth.state, FLOE__STUN_AUTH_READY);
  assert_int_equal(f->auth.stale_in_a_row, 1);
}

static void other_codes_are_no_matter_of_authentication(void **state) {
  static const unsigned codes[] = {300, 400, 403, 420, 437, 441, 486, 500, 508};
  fixture *f = *state;
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    assert_int_equal(on(f, codes[i], true, (challenge){.realm = "r", .nonce = "n"}), FLOE__STUN_AUTH_OTHER);
  }
  assert_int_equal(f->auth.state, FLOE__STUN_AUTH_NONE);
}

/* --- life ------------------------------------------------------------------------------------------------------------
 */

static void reset_forgets_the_server(void **state) {
  fixture *f = *state;
  challenged(f, (challenge){"r", "obMatJos2wAAA0", SHA256_ONLY, 4, 0});
  assert_int_equal(f->auth.nonce_serial, 1);
  floe__stun_auth_reset(&f->auth);
  assert_int_equal(f->bed.live, 0);
  assert_int_equal(f->auth.state, FLOE__STUN_AUTH_NONE);
  floe__stun_msg m = signed_request(f);
  assert_int_equal(m.packet.len, 20);
  challenged(f, (challenge){.realm = "s", .nonce = "n"}); /* the credentials stayed */
  m = signed_request(f);
  assert_false(f->auth.sha256);
  assert_true(is_signed_by(&m, FLOE__STUN_MESSAGE_INTEGRITY, FLOE__STUN_ALGORITHM_MD5, "s"));
  assert_int_equal(f->auth.nonce_serial, 2);
}

static void a_zeroed_auth_can_be_cleared(void **state) {
  (void)state;
  floe__stun_auth auth = {0};
  floe__stun_auth_clear(&auth);
}

static void without_memory(void **state) {
  fixture *f = *state;
  challenge c = {"r\u00E4", "obMatJos2wAAA0", SHA256_ONLY, 4, 0};
  unsigned failures = 0;
  for (unsigned n = 1;; n++) {
    f->bed.calls = 0;
    f->bed.fail_at = n;
    floe__stun_auth_verdict verdict = on(f, 401, false, c);
    if (verdict == FLOE__STUN_AUTH_RETRY) break;
    assert_int_equal(verdict, FLOE__STUN_AUTH_NOMEM);
    assert_int_equal(f->auth.state, FLOE__STUN_AUTH_NONE);
    assert_int_equal(f->bed.live, 0);
    failures++;
  }
  assert_int_equal(failures, 7); /* realm, key, nonce, algorithms, three of OpaqueString */
  for (unsigned n = 1; n <= 5; n++) {
    f->bed.calls = 0;
    f->bed.fail_at = n;
    assert_int_equal(on(f, 438, true, c), FLOE__STUN_AUTH_NOMEM);
    assert_int_equal(f->auth.state, FLOE__STUN_AUTH_NONE);
    f->bed.fail_at = 0;
    challenged(f, c);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(unchallenged_requests_are_bare),
      TEST(classic_challenge),
      TEST(algorithms),
      TEST(security_features),
      TEST(realms_are_prepared_for_the_key),
      TEST(longest_texts),
      TEST(verifying),
      TEST(malformed_challenges),
      TEST(without_credentials),
      TEST(rejected),
      TEST(expired),
      TEST(expired_names),
      TEST(stale_nonces_are_renewed_three_times),
      TEST(a_success_ends_the_row),
      TEST(stale_without_a_usable_nonce),
      TEST(a_renewal_takes_nothing_back),
      TEST(a_renewal_may_change_algorithm_and_anonymity),
      TEST(stale_before_any_nonce),
      TEST(other_codes_are_no_matter_of_authentication),
      TEST(reset_forgets_the_server),
      TEST(a_zeroed_auth_can_be_cleared),
      TEST(without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
