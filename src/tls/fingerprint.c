#include "tls/fingerprint.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* RFC 8122 5 and RFC 3279, 4055: the registry's names, the weakest first. */
static const struct hash {
  const char *name;
  const char *libcrypto_name;
  bool is_usable; /* RFC 8122 5: MUST NOT use MD2 and MD5 to calculate fingerprints or to verify them */
} hashes[] = {
    {"md2", "MD2", false},         {"md5", "MD5", false},         {"sha-1", "SHA1", true},
    {"sha-224", "SHA2-224", true}, {"sha-256", "SHA2-256", true}, {"sha-384", "SHA2-384", true},
    {"sha-512", "SHA2-512", true},
};

#define N_HASHES (sizeof hashes / sizeof hashes[0])

static char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* In any case of letters, whatever the locale. */
static bool is_same(const char *a, const char *b) {
  while (*a != '\0' && to_lower(*a) == to_lower(*b)) {
    a++;
    b++;
  }
  return to_lower(*a) == to_lower(*b);
}

/* Its place in the table; -1: not known. */
static int rank_of(const char *name) {
  for (size_t i = 0; i < N_HASHES; i++) {
    if (is_same(hashes[i].name, name)) return (int)i;
  }
  return -1;
}

static size_t digest(X509 *cert, const char *libcrypto_name, uint8_t out[EVP_MAX_MD_SIZE]) {
  unsigned char *der = NULL;
  const int len = i2d_X509(cert, &der);
  size_t n = 0;
  if (len <= 0 || EVP_Q_digest(NULL, libcrypto_name, NULL, der, (size_t)len, out, &n) != 1) n = 0;
  OPENSSL_free(der);
  ERR_clear_error();
  return n;
}

bool floe__fingerprint_of(X509 *cert, const char *hash, char *out) {
  out[0] = '\0';
  const int rank = rank_of(hash);
  uint8_t bytes[EVP_MAX_MD_SIZE];
  const size_t n = rank < 0 ? 0 : digest(cert, hashes[rank].libcrypto_name, bytes);
  for (size_t i = 0; i < n; i++) {
    (void)snprintf(out + 3 * i, FLOE_FINGERPRINT_TEXT - 3 * i, i + 1 < n ? "%02X:" : "%02X", bytes[i]);
  }
  return n > 0;
}

bool floe_certificate_fingerprint(const floe_certificate *cert, const char *hash, char *out) {
  return floe__fingerprint_of(cert->x509, hash, out);
}

bool floe__fingerprint_is_usable(const floe__fingerprint *fp) {
  const int rank = rank_of(fp->hash);
  return rank >= 0 && hashes[rank].is_usable;
}

const char *floe__fingerprints_hash(const floe__fingerprint *list, size_t n) {
  int best = -1;
  for (size_t i = 0; i < n; i++) {
    if (floe__fingerprint_is_usable(&list[i]) && rank_of(list[i].hash) > best) best = rank_of(list[i].hash);
  }
  return best < 0 ? NULL : hashes[best].name;
}

/* RFC 8122 5: an endpoint MUST select the fingerprints of its most preferred hash function, and one of those MUST be
 * the certificate's: a weaker one that fits proves nothing. */
bool floe__fingerprints_match(X509 *cert, const floe__fingerprint *list, size_t n) {
  const char *hash = floe__fingerprints_hash(list, n);
  char found[FLOE_FINGERPRINT_TEXT];
  if (hash == NULL || !floe__fingerprint_of(cert, hash, found)) return false;
  for (size_t i = 0; i < n; i++) {
    if (is_same(list[i].hash, hash) && is_same(list[i].value, found)) return true;
  }
  return false;
}
