/* The client's side of long-term credentials (RFC 8489 9.2): challenge, password algorithms, stale nonces, and the
 * check of what the server signs. */
#ifndef FLOE_STUN_AUTH_H
#define FLOE_STUN_AUTH_H

#include "base/alloc.h"
#include "floe/cause.h"
#include "stun/error_code.h"
#include "stun/integrity.h"

/* Nonce, realm and user name have an upper bound on the wire (RFC 8489 14.3, 14.9, 14.10): 508 and 763 bytes. */
#define FLOE__STUN_USERNAME_MAX   508
#define FLOE__STUN_TEXT_MAX       763
#define FLOE__STUN_STALE_MAX      3   /* the contract's section 3: 438 at most 3 times in a row */
#define FLOE__STUN_ALGORITHMS_MAX 128 /* PASSWORD-ALGORITHMS is echoed: room for 32 algorithms without parameters */

typedef enum floe__stun_auth_state {
  FLOE__STUN_AUTH_NONE = 0, /* nothing known of the server: requests go without credentials (9.2.3.1) */
  FLOE__STUN_AUTH_READY     /* challenged: requests are signed (9.2.3.2) */
} floe__stun_auth_state;

typedef struct floe__stun_auth {
  floe_env *env;
  floe__stun_auth_state state;
  const char *username;   /* keeps: must outlive this; NULL = no credentials; prepared (OpaqueString) */
  const char *credential; /* keeps: must outlive this; prepared */
  char *realm;            /* as the server gave it, NUL-terminated; freed with the auth */
  uint8_t *nonce;         /* raw bytes */
  size_t nonce_len;
  floe__stun_password_algorithm algorithm; /* in use */
  uint8_t *algorithms; /* the server's PASSWORD-ALGORITHMS value, to be echoed; NULL when it has none */
  size_t algorithms_len;
  bool sha256;          /* requests carry MESSAGE-INTEGRITY-SHA256 (the nonce cookie's bit 0, and algorithms) */
  bool anonymous;       /* requests carry USERHASH instead of USERNAME (the nonce cookie's bit 1) */
  uint8_t userhash[32]; /* for REALM as prepared; valid when READY */
  uint32_t stale_in_a_row;
  uint32_t nonce_serial; /* counts the nonces taken over: tells a request whether it was signed with the newest */
  floe__stun_key *key;   /* prepared; NULL until READY */
} floe__stun_auth;

/* username and credential nullable: a client without any. Both must be OpaqueString already. */
void floe__stun_auth_init(floe__stun_auth *auth, floe_env *env, const char *username /* keeps */,
                          const char *credential /* keeps */);
void floe__stun_auth_clear(floe__stun_auth *auth); /* wipes; also returns to NONE */
/* Forgets the server (realm, nonce, key): for another server after a redirect. Credentials stay. */
void floe__stun_auth_reset(floe__stun_auth *auth);

typedef enum floe__stun_auth_verdict {
  FLOE__STUN_AUTH_RETRY = 0, /* send the request again, signed with what is now known */
  FLOE__STUN_AUTH_STANDS,    /* the error stands: *cause */
  FLOE__STUN_AUTH_OTHER,     /* no matter of authentication (neither 401 nor 438) */
  FLOE__STUN_AUTH_NOMEM
} floe__stun_auth_verdict;

/* A 401 or 438 came to a request that was signed or not (`was_signed`). `unix_ms` (nullable) decides between
 * auth_rejected and auth_expired. Causes of a 401: auth_required, malformed_challenge, auth_rejected, auth_expired; of
 * a 438: stale_nonce_loop. A 401 is malformed without REALM or NONCE (or with an empty one), with more than 763 bytes
 * of either, when PASSWORD-ALGORITHMS holds none that we know, and when the nonce cookie announces password algorithms
 * that are not there (RFC 8489 9.2.5: bid-down protection). */
floe__stun_auth_verdict floe__stun_auth_on_error(floe__stun_auth *auth, const floe__stun_msg *m, unsigned code,
                                                 bool was_signed, const int64_t *unix_ms, floe_cause *cause);
/* A response was accepted: the row of stale nonces is over. */
void floe__stun_auth_on_success(floe__stun_auth *auth);

/* Adds USERNAME or USERHASH, REALM, NONCE, PASSWORD-ALGORITHM(S) and the integrity attribute. Does nothing in NONE.
 * The caller adds FINGERPRINT, if any, afterwards. */
void floe__stun_auth_sign(const floe__stun_auth *auth, floe__stun_builder *b);

/* True when the response is signed with our key, with the attribute we use (9.2.5). False in NONE. */
bool floe__stun_auth_verify(const floe__stun_auth *auth, const floe__stun_msg *m);

/* The user name begins with a Unix time ("1700000000" or "1700000000:name") that lies before `unix_ms`. */
bool floe__stun_username_expired(const char *username, int64_t unix_ms);

#endif
