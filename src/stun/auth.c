#include "stun/auth.h"

#include <string.h>

#include "base/assert.h"
#include "stun/opaque_string.h"

/* RFC 8489 9.2: a nonce that begins with the cookie and four base64 characters announces 24 security features; 18.1:
 * bit 0 is the leftmost. */
#define NONCE_COOKIE             "obMatJos2"
#define NONCE_COOKIE_LEN         9
#define FEATURE_ALGORITHMS       (1u << 23)
#define FEATURE_ANONYMITY        (1u << 22)
#define BASE64_INVALID           64u
#define ALGORITHM_HEADER_ON_WIRE 4

void floe__stun_auth_init(floe__stun_auth *auth, floe_env *env, const char *username, const char *credential) {
  memset(auth, 0, sizeof *auth);
  auth->env = env;
  auth->username = username;
  auth->credential = credential;
  auth->algorithm = FLOE__STUN_ALGORITHM_MD5;
}

/* The one writer of the state: READY is only reached with everything that signing needs. */
static void go(floe__stun_auth *auth, floe__stun_auth_state to) {
  FLOE__ASSERT(to == FLOE__STUN_AUTH_NONE || (auth->key != NULL && auth->realm != NULL && auth->nonce != NULL));
  auth->state = to;
}

void floe__stun_auth_reset(floe__stun_auth *auth) {
  if (auth->env == NULL) return; /* never initialised */
  go(auth, FLOE__STUN_AUTH_NONE);
  floe__free(auth->env, auth->realm);
  floe__free(auth->env, auth->nonce);
  floe__free(auth->env, auth->algorithms);
  floe__free_secret(auth->env, auth->key, sizeof *auth->key);
  auth->realm = NULL;
  auth->nonce = NULL;
  auth->algorithms = NULL;
  auth->key = NULL;
  auth->nonce_len = 0;
  auth->algorithms_len = 0;
  auth->algorithm = FLOE__STUN_ALGORITHM_MD5;
  auth->sha256 = false;
  auth->anonymous = false;
  auth->stale_in_a_row = 0;
}

void floe__stun_auth_clear(floe__stun_auth *auth) {
  floe__stun_auth_reset(auth);
  floe__wipe(auth->userhash, sizeof auth->userhash);
}

static bool has_credentials(const floe__stun_auth *auth) {
  return auth->username != NULL && auth->credential != NULL;
}

/* --- what a challenge says -------------------------------------------------------------------------------------- */

typedef struct challenge {
  floe_bytes realm;
  floe_bytes nonce;
  floe_bytes algorithms; /* empty: none offered */
  floe__stun_password_algorithm algorithm;
  bool anonymous;
} challenge;

static uint32_t base64_value(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26u;
  if (c >= '0' && c <= '9') return c - '0' + 52u;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return BASE64_INVALID;
}

/* The 24 bits of the nonce cookie; none where there is no cookie. */
static uint32_t security_features(floe_bytes nonce) {
  floe__reader r = floe__reader_of(nonce);
  floe_bytes cookie = floe__rd_take(&r, NONCE_COOKIE_LEN);
  floe_bytes text = floe__rd_take(&r, 4);
  if (r.bad || memcmp(cookie.ptr, NONCE_COOKIE, NONCE_COOKIE_LEN) != 0) return 0;
  uint32_t bits = 0;
  for (size_t i = 0; i < text.len; i++) {
    uint32_t v = base64_value(text.ptr[i]);
    if (v == BASE64_INVALID) return 0;
    bits = bits << 6 | v;
  }
  return bits;
}

static bool is_known_algorithm(uint16_t number) {
  return number == FLOE__STUN_ALGORITHM_MD5 || number == FLOE__STUN_ALGORITHM_SHA256;
}

/* RFC 8489 9.2.5: "the first algorithm supported on the list". Both that we know have no parameters (18.5.1). */
static bool choose_algorithm(floe_bytes list, floe__stun_password_algorithm *out) {
  floe__reader r = floe__reader_of(list);
  while (floe__rd_left(&r) >= ALGORITHM_HEADER_ON_WIRE) {
    uint16_t number = floe__rd_u16(&r);
    uint16_t len = floe__rd_u16(&r);
    if (is_known_algorithm(number) && len == 0) {
      *out = (floe__stun_password_algorithm)number;
      return true;
    }
    (void)floe__rd_take(&r, (len + 3u) / 4 * 4);
  }
  return false;
}

/* Reads NONCE, and PASSWORD-ALGORITHMS where the server has them. */
static bool read_nonce(const floe__stun_msg *m, challenge *c) {
  c->nonce = floe__stun_get(m, FLOE__STUN_NONCE);
  if (c->nonce.len == 0 || c->nonce.len > FLOE__STUN_TEXT_MAX) return false;
  uint32_t features = security_features(c->nonce);
  c->anonymous = (features & FEATURE_ANONYMITY) != 0;
  c->algorithm = FLOE__STUN_ALGORITHM_MD5; /* RFC 8489 9.2.2: without an algorithm it is MD5 */
  c->algorithms = floe__stun_get(m, FLOE__STUN_PASSWORD_ALGORITHMS);
  if (!floe__stun_has(m, FLOE__STUN_PASSWORD_ALGORITHMS)) return (features & FEATURE_ALGORITHMS) == 0;
  return c->algorithms.len <= FLOE__STUN_ALGORITHMS_MAX && choose_algorithm(c->algorithms, &c->algorithm);
}

static bool read_challenge(const floe__stun_msg *m, challenge *c) {
  c->realm = floe__stun_get(m, FLOE__STUN_REALM);
  if (c->realm.len == 0 || c->realm.len > FLOE__STUN_TEXT_MAX) return false;
  if (memchr(c->realm.ptr, 0, c->realm.len) != NULL) return false;
  return read_nonce(m, c);
}

/* --- taking it over ------------------------------------------------------------------------------------------------
 */

static bool copy_bytes(floe_env *env, uint8_t **out, size_t *out_len, floe_bytes from) {
  uint8_t *copy = floe__alloc(env, from.len);
  if (copy == NULL) return false;
  memcpy(copy, from.ptr, from.len);
  floe__free(env, *out);
  *out = copy;
  *out_len = from.len;
  return true;
}

/* RFC 8489 9.2.2 and 14.4: key and user hash are made of the prepared realm; REALM itself is echoed as it came. A realm
 * that OpaqueString does not allow is used as it is: the server does so, too. */
static bool derive(floe__stun_auth *auth) {
  char *prepared = NULL;
  size_t offset;
  floe__opaque_string_result result = floe__opaque_string(auth->env, auth->realm, &prepared, &offset);
  if (result == FLOE__OPAQUE_NOMEM) return false;
  const char *realm = result == FLOE__OPAQUE_OK ? prepared : auth->realm;
  uint8_t key[FLOE__STUN_MAX_KEY];
  size_t len = floe__stun_derive_key(key, auth->algorithm, auth->username, realm, auth->credential);
  floe__stun_key_init(auth->key, key, len);
  floe__stun_userhash(auth->userhash, auth->username, realm);
  floe__wipe(key, sizeof key);
  floe__free(auth->env, prepared);
  return true;
}

static bool take_nonce(floe__stun_auth *auth, const challenge *c) {
  if (!copy_bytes(auth->env, &auth->nonce, &auth->nonce_len, c->nonce)) return false;
  auth->anonymous = c->anonymous;
  auth->nonce_serial++;
  return true;
}

/* RFC 8489 9.2.5: once a response had PASSWORD-ALGORITHMS, all later requests carry MESSAGE-INTEGRITY-SHA256 only: a
 * response without them takes nothing back. */
static bool take_algorithms(floe__stun_auth *auth, const challenge *c) {
  if (c->algorithms.len == 0) return true;
  if (!copy_bytes(auth->env, &auth->algorithms, &auth->algorithms_len, c->algorithms)) return false;
  auth->algorithm = c->algorithm;
  auth->sha256 = true;
  return true;
}

static bool take_challenge(floe__stun_auth *auth, const challenge *c) {
  floe__stun_auth_reset(auth);
  auth->realm = floe__strndup(auth->env, c->realm.ptr, c->realm.len);
  auth->key = floe__alloc(auth->env, sizeof *auth->key);
  if (auth->realm == NULL || auth->key == NULL) return false;
  if (!take_nonce(auth, c) || !take_algorithms(auth, c) || !derive(auth)) return false;
  go(auth, FLOE__STUN_AUTH_READY);
  return true;
}

/* RFC 8489 9.2.5: after a 438 the same request goes out with the new nonce. */
static bool take_renewal(floe__stun_auth *auth, const challenge *c) {
  if (!take_nonce(auth, c)) return false;
  return c->algorithms.len == 0 || (take_algorithms(auth, c) && derive(auth));
}

/* --- errors --------------------------------------------------------------------------------------------------------
 */

static floe__stun_auth_verdict stands(floe_cause *out, floe_cause cause) {
  *out = cause;
  return FLOE__STUN_AUTH_STANDS;
}

static floe__stun_auth_verdict retry_if(floe__stun_auth *auth, bool taken) {
  if (taken) return FLOE__STUN_AUTH_RETRY;
  floe__stun_auth_reset(auth); /* half of it is no state to go on from */
  return FLOE__STUN_AUTH_NOMEM;
}

static floe__stun_auth_verdict on_unauthenticated(floe__stun_auth *auth, const floe__stun_msg *m, bool was_signed,
                                                  const int64_t *unix_ms, floe_cause *cause) {
  if (!has_credentials(auth)) return stands(cause, FLOE_CAUSE_AUTH_REQUIRED);
  if (was_signed) {
    /* RFC 8489 9.2.5: no retry with the same user name, realm and password; only a 438 renews the nonce. */
    bool expired = unix_ms != NULL && floe__stun_username_expired(auth->username, *unix_ms);
    return stands(cause, expired ? FLOE_CAUSE_AUTH_EXPIRED : FLOE_CAUSE_AUTH_REJECTED);
  }
  challenge c;
  if (!read_challenge(m, &c)) return stands(cause, FLOE_CAUSE_MALFORMED_CHALLENGE);
  return retry_if(auth, take_challenge(auth, &c));
}

static floe__stun_auth_verdict on_stale_nonce(floe__stun_auth *auth, const floe__stun_msg *m, floe_cause *cause) {
  bool is_first = auth->state == FLOE__STUN_AUTH_NONE; /* stale before we had one: it may be a challenge */
  challenge c;
  bool usable = has_credentials(auth) && (is_first ? read_challenge(m, &c) : read_nonce(m, &c));
  if (!usable || auth->stale_in_a_row >= FLOE__STUN_STALE_MAX) return stands(cause, FLOE_CAUSE_STALE_NONCE_LOOP);
  bool taken = is_first ? take_challenge(auth, &c) : take_renewal(auth, &c);
  auth->stale_in_a_row++;
  return retry_if(auth, taken);
}

floe__stun_auth_verdict floe__stun_auth_on_error(floe__stun_auth *auth, const floe__stun_msg *m, unsigned code,
                                                 bool was_signed, const int64_t *unix_ms, floe_cause *cause) {
  if (code == 401) return on_unauthenticated(auth, m, was_signed, unix_ms, cause);
  if (code == 438) return on_stale_nonce(auth, m, cause);
  return FLOE__STUN_AUTH_OTHER;
}

void floe__stun_auth_on_success(floe__stun_auth *auth) {
  auth->stale_in_a_row = 0;
}

/* --- signing -------------------------------------------------------------------------------------------------------
 */

void floe__stun_auth_sign(const floe__stun_auth *auth, floe__stun_builder *b) {
  if (auth->state == FLOE__STUN_AUTH_NONE) return;
  if (auth->anonymous) {
    floe__stun_put(b, FLOE__STUN_USERHASH, auth->userhash, sizeof auth->userhash);
  } else {
    floe__stun_put_text(b, FLOE__STUN_USERNAME, auth->username);
  }
  floe__stun_put_text(b, FLOE__STUN_REALM, auth->realm);
  floe__stun_put(b, FLOE__STUN_NONCE, auth->nonce, auth->nonce_len);
  if (!auth->sha256) {
    floe__stun_put_integrity(b, auth->key);
    return;
  }
  floe__stun_put(b, FLOE__STUN_PASSWORD_ALGORITHMS, auth->algorithms, auth->algorithms_len);
  /* RFC 8489 14.12: the number, then the length of the parameters, which neither algorithm has. */
  floe__stun_put_u32(b, FLOE__STUN_PASSWORD_ALGORITHM, (uint32_t)auth->algorithm << 16);
  floe__stun_put_integrity_sha256(b, auth->key);
}

bool floe__stun_auth_verify(const floe__stun_auth *auth, const floe__stun_msg *m) {
  if (auth->state == FLOE__STUN_AUTH_NONE) return false;
  floe__stun_check check =
      auth->sha256 ? floe__stun_check_integrity_sha256(m, auth->key) : floe__stun_check_integrity(m, auth->key);
  return check == FLOE__STUN_CHECK_OK;
}

/* --- time-limited user names ------------------------------------------------------------------------------------- */

/* A user name that is a number without ":" counts as a time when it has this many digits (1973 or later): an account
 * called "1001" has not expired. */
#define BARE_TIME_DIGITS 9
#define TIME_DIGITS_MAX  15 /* more is no time of ours, and would overflow in ms */

bool floe__stun_username_expired(const char *username, int64_t unix_ms) {
  int64_t seconds = 0;
  size_t digits = 0;
  for (; username[digits] >= '0' && username[digits] <= '9'; digits++) {
    if (digits == TIME_DIGITS_MAX) return false;
    seconds = seconds * 10 + (username[digits] - '0');
  }
  bool is_bare = username[digits] == '\0';
  if (digits == 0 || (!is_bare && username[digits] != ':')) return false;
  if (is_bare && digits < BARE_TIME_DIGITS) return false;
  return seconds * 1000 < unix_ms;
}
