/* The server's side of long-term credentials (RFC 8489 9.2.4): nonces, users, the check of a request. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "testserver/ts_internal.h"

/* --- nonces ----------------------------------------------------------------------------------------------------- */

/* A nonce is text: the cookie where features are announced, '1' (given with a 401) or '2' (with a 438), the time in
 * seconds, a random number, and the start of an HMAC over all that. So nothing is kept per nonce. */
#define NONCE_BODY (1 + 8 + 8)
#define NONCE_MAC  16

/* RFC 8489 9.2 and 18.1: bit 0, password algorithms, is the leftmost of the 24; bit 1 is username anonymity. */
static const char *nonce_cookie(const floe__testserver *ts) {
  if (ts->cfg.use_sha256) return ts->cfg.anonymous ? "obMatJos2wAAA" : "obMatJos2gAAA";
  return ts->cfg.anonymous ? "obMatJos2QAAA" : "";
}

static bool nonce_mac(const floe__testserver *ts, const char *text, size_t len, char out[NONCE_MAC + 1]) {
  uint8_t mac[EVP_MAX_MD_SIZE];
  const uint8_t *p = (const uint8_t *)text;
  if (HMAC(EVP_sha256(), ts->nonce_key, (int)sizeof ts->nonce_key, p, len, mac, NULL) == NULL) return false;
  for (size_t i = 0; i < NONCE_MAC / 2; i++) (void)snprintf(out + 2 * i, 3, "%02x", mac[i]);
  return true;
}

void floe__ts_make_nonce(const floe__testserver *ts, bool first, char out[FLOE__TS_NONCE_MAX]) {
  uint32_t salt;
  floe__random(ts->env, &salt, sizeof salt);
  int n = snprintf(out, FLOE__TS_NONCE_MAX, "%s%c%08x%08x", nonce_cookie(ts), first ? '1' : '2',
                   (unsigned)(uint32_t)(ts->now / FLOE_SECOND), (unsigned)salt);
  char mac[NONCE_MAC + 1] = "0000000000000000"; /* a nonce that libcrypto could not seal will count as stale */
  (void)nonce_mac(ts, out, (size_t)n, mac);
  memcpy(out + n, mac, sizeof mac);
}

static bool nonce_is_fresh(const floe__testserver *ts, floe_bytes nonce, bool *first) {
  size_t cookie = strlen(nonce_cookie(ts));
  char text[FLOE__TS_NONCE_MAX];
  char mac[NONCE_MAC + 1];
  if (nonce.len != cookie + NONCE_BODY + NONCE_MAC) return false;
  memcpy(text, nonce.ptr, nonce.len);
  text[nonce.len] = '\0';
  if (!nonce_mac(ts, text, cookie + NONCE_BODY, mac)) return false;
  if (CRYPTO_memcmp(mac, text + cookie + NONCE_BODY, NONCE_MAC) != 0) return false;
  unsigned issued = 0;
  *first = text[cookie] == '1';
  if (sscanf(text + cookie + 1, "%8x", &issued) != 1) return false;
  return ts->now / FLOE_SECOND < (floe_time)issued + FLOE__TS_NONCE_S;
}

/* --- password algorithms ---------------------------------------------------------------------------------------- */

/* RFC 8489 14.11: SHA-256 first, then MD5, both without parameters. */
static const uint8_t algorithms[] = {0, 2, 0, 0, 0, 1, 0, 0};

floe_bytes floe__ts_algorithms(const floe__testserver *ts) {
  return ts->cfg.use_sha256 ? (floe_bytes){algorithms, sizeof algorithms} : (floe_bytes){0};
}

static bool bytes_equal(floe_bytes a, floe_bytes b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* RFC 8489 9.2.4: PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS come together, the list is ours and the choice is on it.
 * Neither would mean MD5, but a server that uses SHA-256 here expects it and asks again. */
static floe__ts_verdict choose_algorithm(const floe__testserver *ts, const floe__stun_msg *m,
                                         floe__stun_password_algorithm *out) {
  *out = FLOE__STUN_ALGORITHM_MD5;
  if (!ts->cfg.use_sha256) return FLOE__TS_AUTH_OK;
  bool has_list = floe__stun_has(m, FLOE__STUN_PASSWORD_ALGORITHMS);
  bool has_choice = floe__stun_has(m, FLOE__STUN_PASSWORD_ALGORITHM);
  if (!has_list && !has_choice) return FLOE__TS_AUTH_CHALLENGE;
  if (!has_list || !has_choice) return FLOE__TS_AUTH_BAD;
  if (!bytes_equal(floe__stun_get(m, FLOE__STUN_PASSWORD_ALGORITHMS), floe__ts_algorithms(ts)))
    return FLOE__TS_AUTH_BAD;
  floe__reader r = floe__reader_of(floe__stun_get(m, FLOE__STUN_PASSWORD_ALGORITHM));
  uint16_t choice = floe__rd_u16(&r);
  if (choice != FLOE__STUN_ALGORITHM_MD5 && choice != FLOE__STUN_ALGORITHM_SHA256) return FLOE__TS_AUTH_BAD;
  *out = choice == FLOE__STUN_ALGORITHM_SHA256 ? FLOE__STUN_ALGORITHM_SHA256 : FLOE__STUN_ALGORITHM_MD5;
  /* RFC 8489 9.2.5: who was offered algorithms signs with MESSAGE-INTEGRITY-SHA256 only. */
  return floe__stun_has(m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256) ? FLOE__TS_AUTH_OK : FLOE__TS_AUTH_CHALLENGE;
}

/* --- users ------------------------------------------------------------------------------------------------------ */

#define PASSWORD_MAX 32 /* base64 of 20 bytes, and a NUL */

/* Time-limited credentials: the user name is "expiry" or "expiry:user", the password base64(HMAC-SHA1(secret, name)).
 */
static bool rest_password(const floe__testserver *ts, const char *name, char out[PASSWORD_MAX]) {
  int64_t expiry = 0;
  size_t digits = strspn(name, "0123456789");
  if (digits == 0 || digits > 18 || (name[digits] != '\0' && name[digits] != ':')) return false;
  for (size_t i = 0; i < digits; i++) expiry = expiry * 10 + (name[i] - '0');
  if (expiry < ts->cfg.unix_s + (int64_t)(ts->now / FLOE_SECOND)) return false;
  uint8_t mac[EVP_MAX_MD_SIZE];
  unsigned len = 0;
  const uint8_t *text = (const uint8_t *)name;
  if (HMAC(EVP_sha1(), ts->cfg.secret, (int)strlen(ts->cfg.secret), text, strlen(name), mac, &len) == NULL)
    return false;
  (void)EVP_EncodeBlock((uint8_t *)out, mac, (int)len);
  floe__wipe(mac, sizeof mac);
  return true;
}

static bool name_is_hashed(const floe__testserver *ts, floe_bytes hash) {
  uint8_t ours[32];
  if (ts->cfg.username == NULL) return false; /* the names of time-limited credentials are not known beforehand */
  floe__stun_userhash(ours, ts->cfg.username, ts->cfg.realm);
  return bytes_equal(hash, (floe_bytes){ours, sizeof ours});
}

static bool read_name(const floe__testserver *ts, const floe__stun_msg *m, char out[FLOE__STUN_USERNAME_MAX + 1]) {
  if (!floe__stun_has(m, FLOE__STUN_USERNAME)) {
    if (!name_is_hashed(ts, floe__stun_get(m, FLOE__STUN_USERHASH))) return false;
    (void)snprintf(out, FLOE__STUN_USERNAME_MAX + 1, "%s", ts->cfg.username);
    return true;
  }
  floe_bytes name = floe__stun_get(m, FLOE__STUN_USERNAME);
  if (name.len == 0 || name.len > FLOE__STUN_USERNAME_MAX || memchr(name.ptr, '\0', name.len) != NULL) return false;
  memcpy(out, name.ptr, name.len);
  out[name.len] = '\0';
  return true;
}

static bool find_user(const floe__testserver *ts, const floe__stun_msg *m, floe__stun_password_algorithm algorithm,
                      floe__ts_user *user) {
  char rest[PASSWORD_MAX];
  const char *password = ts->cfg.credential;
  if (!read_name(ts, m, user->name)) return false;
  if (ts->cfg.secret != NULL) {
    if (!rest_password(ts, user->name, rest)) return false;
    password = rest;
  } else if (strcmp(user->name, ts->cfg.username) != 0) {
    return false;
  }
  uint8_t key[FLOE__STUN_MAX_KEY];
  size_t len = floe__stun_derive_key(key, algorithm, user->name, ts->cfg.realm, password);
  floe__stun_key_init(&user->key, key, len);
  floe__wipe(key, sizeof key);
  floe__wipe(rest, sizeof rest);
  return true;
}

/* --- requests --------------------------------------------------------------------------------------------------- */

static bool has_credentials(const floe__testserver *ts) {
  return ts->cfg.secret != NULL || (ts->cfg.username != NULL && ts->cfg.credential != NULL);
}

bool floe__ts_is_signed(const floe__ts_request *req) {
  return floe__stun_has(req->m, FLOE__STUN_MESSAGE_INTEGRITY) ||
         floe__stun_has(req->m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256);
}

bool floe__ts_needs_auth(const floe__testserver *ts, const floe__ts_request *req) {
  if (!has_credentials(ts)) return false;
  return req->origin.method != FLOE__STUN_BINDING || ts->cfg.stun_needs_auth;
}

static bool is_complete(const floe__stun_msg *m) {
  return floe__stun_has(m, FLOE__STUN_REALM) && floe__stun_has(m, FLOE__STUN_NONCE) &&
         (floe__stun_has(m, FLOE__STUN_USERNAME) || floe__stun_has(m, FLOE__STUN_USERHASH));
}

static bool check_integrity(const floe__stun_msg *m, floe__ts_user *user) {
  user->sha256 = floe__stun_has(m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256);
  floe__stun_check check =
      user->sha256 ? floe__stun_check_integrity_sha256(m, &user->key) : floe__stun_check_integrity(m, &user->key);
  return check == FLOE__STUN_CHECK_OK;
}

floe__ts_verdict floe__ts_authenticate(const floe__testserver *ts, floe__ts_request *req, bool *first_nonce) {
  const floe__stun_msg *m = req->m;
  floe__ts_user *user = &req->origin.user;
  floe__stun_password_algorithm algorithm;
  *first_nonce = false;
  if (!has_credentials(ts) || !floe__ts_is_signed(req)) return FLOE__TS_AUTH_CHALLENGE;
  if (!is_complete(m)) return FLOE__TS_AUTH_BAD;
  floe_bytes realm = {(const uint8_t *)ts->cfg.realm, strlen(ts->cfg.realm)};
  if (!bytes_equal(floe__stun_get(m, FLOE__STUN_REALM), realm)) return FLOE__TS_AUTH_CHALLENGE;
  floe__ts_verdict verdict = choose_algorithm(ts, m, &algorithm);
  if (verdict != FLOE__TS_AUTH_OK) return verdict;
  if (!find_user(ts, m, algorithm, user) || !check_integrity(m, user)) return FLOE__TS_AUTH_CHALLENGE;
  user->known = true;
  return nonce_is_fresh(ts, floe__stun_get(m, FLOE__STUN_NONCE), first_nonce) ? FLOE__TS_AUTH_OK : FLOE__TS_AUTH_STALE;
}
