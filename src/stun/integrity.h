/* MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256, FINGERPRINT (RFC 8489 14.5 to 14.7) and key derivation (9.2.2, 18.5).
 *
 * A key is prepared once per user or peer: the hash states after the inner and the outer pad are kept and copied for
 * each message, which is what makes checking a message cost two or three compressions and no allocation. */
#ifndef FLOE_STUN_INTEGRITY_H
#define FLOE_STUN_INTEGRITY_H

#define OPENSSL_SUPPRESS_DEPRECATED /* the one-block states of libcrypto have no undeprecated form; see bench/ */
#include <openssl/sha.h>

#include "stun/msg.h"

typedef struct floe__stun_key {
  SHA_CTX sha1_inner, sha1_outer;
  SHA256_CTX sha256_inner, sha256_outer;
} floe__stun_key;

/* Prepares the HMAC states; wipe with floe__stun_key_clear. Key bytes: a short-term password, or a derived key. */
void floe__stun_key_init(floe__stun_key *key, const void *bytes, size_t len);
void floe__stun_key_clear(floe__stun_key *key);

typedef enum floe__stun_password_algorithm {
  FLOE__STUN_ALGORITHM_MD5 = 1,   /* RFC 8489 18.5.1.1 */
  FLOE__STUN_ALGORITHM_SHA256 = 2 /* RFC 8489 18.5.1.2 */
} floe__stun_password_algorithm;

#define FLOE__STUN_MAX_KEY 32

/* key = H(username ":" realm ":" OpaqueString(password)); returns the key's length, 16 or 32. username and realm are
 * used as they are (the caller has prepared them). */
size_t floe__stun_derive_key(uint8_t out[FLOE__STUN_MAX_KEY], floe__stun_password_algorithm algorithm,
                             const char *username, const char *realm, const char *password);

/* USERHASH = SHA-256(username ":" realm), RFC 8489 14.4. */
void floe__stun_userhash(uint8_t out[32], const char *username, const char *realm);

typedef enum floe__stun_check {
  FLOE__STUN_CHECK_OK = 0,
  FLOE__STUN_CHECK_ABSENT, /* the attribute is not there */
  FLOE__STUN_CHECK_BAD     /* it is there and wrong, or has a length that is not allowed */
} floe__stun_check;

/* Constant-time comparison. */
floe__stun_check floe__stun_check_integrity(const floe__stun_msg *m, const floe__stun_key *key);
/* RFC 8489 14.6: 16 to 32 bytes, a multiple of four; truncated HMACs are compared at their length. */
floe__stun_check floe__stun_check_integrity_sha256(const floe__stun_msg *m, const floe__stun_key *key);
floe__stun_check floe__stun_check_fingerprint(const floe__stun_msg *m);

void floe__stun_put_integrity(floe__stun_builder *b, const floe__stun_key *key);
void floe__stun_put_integrity_sha256(floe__stun_builder *b, const floe__stun_key *key);
void floe__stun_put_fingerprint(floe__stun_builder *b);

/* CRC-32 of ITU V.42, sliced by eight. */
uint32_t floe__crc32(const uint8_t *p, size_t len);

#endif
