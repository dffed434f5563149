#include "stun/integrity.h"

#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <string.h>

#include "base/alloc.h"

#define BLOCK           64          /* of SHA-1 and SHA-256 */
#define SHA256_MIN_MAC  16          /* RFC 8489 14.6 */
#define FINGERPRINT_XOR 0x5354554Eu /* RFC 8489 14.7: "STUN" in ASCII */

/* --- keys ------------------------------------------------------------------------------------------------------ */

/* RFC 2104 2: a key longer than a block counts as its hash, a shorter one is filled up with zeros. */
static void fill_block_sha1(uint8_t out[BLOCK], const void *bytes, size_t len) {
  memset(out, 0, BLOCK);
  if (len <= BLOCK) {
    if (len > 0) memcpy(out, bytes, len);
    return;
  }
  SHA_CTX c;
  (void)SHA1_Init(&c);
  (void)SHA1_Update(&c, bytes, len);
  (void)SHA1_Final(out, &c);
}

static void fill_block_sha256(uint8_t out[BLOCK], const void *bytes, size_t len) {
  memset(out, 0, BLOCK);
  if (len <= BLOCK) {
    if (len > 0) memcpy(out, bytes, len);
    return;
  }
  SHA256_CTX c;
  (void)SHA256_Init(&c);
  (void)SHA256_Update(&c, bytes, len);
  (void)SHA256_Final(out, &c);
}

static void flip(uint8_t block[BLOCK], uint8_t with) {
  for (size_t i = 0; i < BLOCK; i++) block[i] ^= with;
}

void floe__stun_key_init(floe__stun_key *key, const void *bytes, size_t len) {
  uint8_t block[BLOCK];
  fill_block_sha1(block, bytes, len);
  flip(block, 0x36);
  (void)SHA1_Init(&key->sha1_inner);
  SHA1_Transform(&key->sha1_inner, block);
  flip(block, 0x36 ^ 0x5c);
  (void)SHA1_Init(&key->sha1_outer);
  SHA1_Transform(&key->sha1_outer, block);

  fill_block_sha256(block, bytes, len);
  flip(block, 0x36);
  (void)SHA256_Init(&key->sha256_inner);
  SHA256_Transform(&key->sha256_inner, block);
  flip(block, 0x36 ^ 0x5c);
  (void)SHA256_Init(&key->sha256_outer);
  SHA256_Transform(&key->sha256_outer, block);
  floe__wipe(block, sizeof block);
}

void floe__stun_key_clear(floe__stun_key *key) {
  floe__wipe(key, sizeof *key);
}

size_t floe__stun_derive_key(uint8_t out[FLOE__STUN_MAX_KEY], floe__stun_password_algorithm algorithm,
                             const char *username, const char *realm, const char *password) {
  const char *const parts[] = {username, ":", realm, ":", password};
  switch (algorithm) {
    case FLOE__STUN_ALGORITHM_MD5: {
      MD5_CTX c;
      (void)MD5_Init(&c);
      for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) (void)MD5_Update(&c, parts[i], strlen(parts[i]));
      (void)MD5_Final(out, &c);
      return MD5_DIGEST_LENGTH;
    }
    case FLOE__STUN_ALGORITHM_SHA256: {
      SHA256_CTX c;
      (void)SHA256_Init(&c);
      for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) (void)SHA256_Update(&c, parts[i], strlen(parts[i]));
      (void)SHA256_Final(out, &c);
      return SHA256_DIGEST_LENGTH;
    }
  }
  return 0;
}

void floe__stun_userhash(uint8_t out[32], const char *username, const char *realm) {
  SHA256_CTX c;
  (void)SHA256_Init(&c);
  (void)SHA256_Update(&c, username, strlen(username));
  (void)SHA256_Update(&c, ":", 1);
  (void)SHA256_Update(&c, realm, strlen(realm));
  (void)SHA256_Final(out, &c);
}

/* --- the HMAC of a message ------------------------------------------------------------------------------------- */

/* What an integrity attribute covers: the message before it, with a header length that ends after the attribute
 * (RFC 8489 14.5). The header in the packet may say more: FINGERPRINT follows. */
typedef struct text {
  const uint8_t *ptr;
  size_t len;
  uint16_t length; /* in place of the header's */
} text;

typedef void (*block_function)(void *state, const uint8_t *block);

static void transform_sha1(void *state, const uint8_t *block) {
  SHA1_Transform(state, block);
}

static void transform_sha256(void *state, const uint8_t *block) {
  SHA256_Transform(state, block);
}

/* By way of an array: gcc -O3 makes a slow vector of bytes that are stored one by one. */
static void store_u32(uint8_t *out, uint32_t v) {
  const uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
  memcpy(out, b, sizeof b);
}

static void patch_length(uint8_t *header, uint16_t length) {
  header[2] = (uint8_t)(length >> 8);
  header[3] = (uint8_t)length;
}

/* Ends the hash of `total` bytes, the last `rest` of which stand in tail, which is zero from there on: FIPS 180-4
 * 5.1.1. The state began one block before: the key's. */
static inline void finish(void *state, block_function transform, uint8_t *tail, size_t rest, size_t total) {
  size_t end = rest + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
  tail[rest] = 0x80;
  store_u32(tail + end - 4, (uint32_t)((BLOCK + total) * 8));
  transform(state, tail);
  if (end > BLOCK) transform(state, tail + BLOCK);
}

/* Straight onto the compression function: it saves the buffering of SHA1_Update and SHA1_Final, which costs as much
 * as hashing a message of this size. */
static inline void absorb(void *state, block_function transform, const text *t) {
  uint8_t tail[2 * BLOCK] = {0};
  size_t done = 0;
  if (t->len >= BLOCK) {
    memcpy(tail, t->ptr, BLOCK);
    patch_length(tail, t->length);
    transform(state, tail);
    memset(tail, 0, BLOCK);
    for (done = BLOCK; t->len - done >= BLOCK; done += BLOCK) transform(state, t->ptr + done);
  }
  memcpy(tail, t->ptr + done, t->len - done);
  if (done == 0) patch_length(tail, t->length);
  finish(state, transform, tail, t->len - done, t->len);
}

static void store_sha1(uint8_t out[SHA_DIGEST_LENGTH], const SHA_CTX *c) {
  store_u32(out, c->h0);
  store_u32(out + 4, c->h1);
  store_u32(out + 8, c->h2);
  store_u32(out + 12, c->h3);
  store_u32(out + 16, c->h4);
}

static void store_sha256(uint8_t out[SHA256_DIGEST_LENGTH], const SHA256_CTX *c) {
  for (size_t i = 0; i < 8; i++) store_u32(out + 4 * i, c->h[i]);
}

static void hmac_sha1(uint8_t out[SHA_DIGEST_LENGTH], const floe__stun_key *key, const text *t) {
  SHA_CTX c = key->sha1_inner;
  absorb(&c, transform_sha1, t);
  uint8_t tail[BLOCK] = {0};
  store_sha1(tail, &c);
  c = key->sha1_outer;
  finish(&c, transform_sha1, tail, SHA_DIGEST_LENGTH, SHA_DIGEST_LENGTH);
  store_sha1(out, &c);
}

static void hmac_sha256(uint8_t out[SHA256_DIGEST_LENGTH], const floe__stun_key *key, const text *t) {
  SHA256_CTX c = key->sha256_inner;
  absorb(&c, transform_sha256, t);
  uint8_t tail[BLOCK] = {0};
  store_sha256(tail, &c);
  c = key->sha256_outer;
  finish(&c, transform_sha256, tail, SHA256_DIGEST_LENGTH, SHA256_DIGEST_LENGTH);
  store_sha256(out, &c);
}

/* --- checking -------------------------------------------------------------------------------------------------- */

/* The text before an attribute that is present: 4 bytes of attribute header precede the value. */
static text text_before(const floe__stun_msg *m, floe__stun_attr attr) {
  size_t at = m->at[attr];
  return (text){.ptr = m->packet.ptr, .len = at - 4, .length = (uint16_t)(at + m->len[attr] - FLOE__STUN_HEADER)};
}

/* In constant time. libcrypto compares 16 bytes in one step, any other number one by one; a MAC has 16 at least. */
static floe__stun_check compare_macs(const uint8_t *want, floe_bytes mac) {
  int first = CRYPTO_memcmp(want, mac.ptr, 16);
  int rest = CRYPTO_memcmp(want + 16, mac.ptr + 16, mac.len - 16);
  return (first | rest) == 0 ? FLOE__STUN_CHECK_OK : FLOE__STUN_CHECK_BAD;
}

floe__stun_check floe__stun_check_integrity(const floe__stun_msg *m, const floe__stun_key *key) {
  if (!floe__stun_has(m, FLOE__STUN_MESSAGE_INTEGRITY)) return FLOE__STUN_CHECK_ABSENT;
  floe_bytes mac = floe__stun_get(m, FLOE__STUN_MESSAGE_INTEGRITY);
  if (mac.len != SHA_DIGEST_LENGTH) return FLOE__STUN_CHECK_BAD;
  text t = text_before(m, FLOE__STUN_MESSAGE_INTEGRITY);
  uint8_t want[SHA_DIGEST_LENGTH];
  hmac_sha1(want, key, &t);
  return compare_macs(want, mac);
}

floe__stun_check floe__stun_check_integrity_sha256(const floe__stun_msg *m, const floe__stun_key *key) {
  if (!floe__stun_has(m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256)) return FLOE__STUN_CHECK_ABSENT;
  floe_bytes mac = floe__stun_get(m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256);
  if (mac.len < SHA256_MIN_MAC || mac.len > SHA256_DIGEST_LENGTH || mac.len % 4 != 0) return FLOE__STUN_CHECK_BAD;
  text t = text_before(m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256);
  uint8_t want[SHA256_DIGEST_LENGTH];
  hmac_sha256(want, key, &t);
  return compare_macs(want, mac);
}

floe__stun_check floe__stun_check_fingerprint(const floe__stun_msg *m) {
  if (!floe__stun_has(m, FLOE__STUN_FINGERPRINT)) return FLOE__STUN_CHECK_ABSENT;
  floe_bytes value = floe__stun_get(m, FLOE__STUN_FINGERPRINT);
  /* RFC 8489 14.7: it is the last attribute. */
  if (value.len != 4 || value.ptr + 4 != m->packet.ptr + m->packet.len) return FLOE__STUN_CHECK_BAD;
  floe__reader r = floe__reader_of(value);
  uint32_t want = floe__crc32(m->packet.ptr, m->packet.len - 8) ^ FINGERPRINT_XOR;
  return floe__rd_u32(&r) == want ? FLOE__STUN_CHECK_OK : FLOE__STUN_CHECK_BAD;
}

/* --- building -------------------------------------------------------------------------------------------------- */

static text text_so_far(const floe__stun_builder *b, size_t mac_len) {
  return (text){.ptr = b->w.buf, .len = b->w.len, .length = (uint16_t)(b->w.len + 4 + mac_len - FLOE__STUN_HEADER)};
}

void floe__stun_put_integrity(floe__stun_builder *b, const floe__stun_key *key) {
  if (b->w.bad) return;
  text t = text_so_far(b, SHA_DIGEST_LENGTH);
  uint8_t mac[SHA_DIGEST_LENGTH];
  hmac_sha1(mac, key, &t);
  floe__stun_put(b, FLOE__STUN_MESSAGE_INTEGRITY, mac, sizeof mac);
}

void floe__stun_put_integrity_sha256(floe__stun_builder *b, const floe__stun_key *key) {
  if (b->w.bad) return;
  text t = text_so_far(b, SHA256_DIGEST_LENGTH);
  uint8_t mac[SHA256_DIGEST_LENGTH];
  hmac_sha256(mac, key, &t);
  floe__stun_put(b, FLOE__STUN_MESSAGE_INTEGRITY_SHA256, mac, sizeof mac);
}

void floe__stun_put_fingerprint(floe__stun_builder *b) {
  if (b->w.bad) return;
  /* RFC 8489 14.7: the length covered is that of the finished message. */
  floe__wr_patch_u16(&b->w, 2, (uint16_t)(b->w.len + 8 - FLOE__STUN_HEADER));
  floe__stun_put_u32(b, FLOE__STUN_FINGERPRINT, floe__crc32(b->w.buf, b->w.len) ^ FINGERPRINT_XOR);
}
