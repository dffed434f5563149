#include "connect_hash.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit_status.h"

/* A system whose libcrypto has no SHA-256 has no DTLS either. */
static void check(bool ok) {
  if (ok) return;
  (void)fputs("floe: SHA-256 does not work on this system\n", stderr);
  exit(FLOE__EXIT_OTHER);
}

void floe__hash_init(floe__hash *h) {
  if (h->md == NULL) h->md = EVP_MD_CTX_new();
  check(h->md != NULL && EVP_DigestInit_ex(h->md, EVP_sha256(), NULL) == 1);
}

void floe__hash_add(floe__hash *h, const void *bytes, size_t len) {
  check(EVP_DigestUpdate(h->md, bytes, len) == 1);
}

void floe__hash_get(const floe__hash *h, uint8_t *out) {
  EVP_MD_CTX *copy = EVP_MD_CTX_new();
  unsigned len = 0;
  check(copy != NULL && EVP_MD_CTX_copy_ex(copy, h->md) == 1 && EVP_DigestFinal_ex(copy, out, &len) == 1);
  EVP_MD_CTX_free(copy);
}

void floe__hash_clear(floe__hash *h) {
  EVP_MD_CTX_free(h->md);
  h->md = NULL;
}

long floe__hash_add_file(floe__hash *h, int fd, uint64_t offset, size_t max) {
  static uint8_t buffer[1 << 18];
  ssize_t n = pread(fd, buffer, max < sizeof buffer ? max : sizeof buffer, (off_t)offset);
  if (n > 0) floe__hash_add(h, buffer, (size_t)n);
  return (long)n;
}

const char *floe__hash_text(const uint8_t *hash, char *buf) {
  for (size_t i = 0; i < FLOE__HASH_LEN; i++) (void)snprintf(buf + 2 * i, 3, "%02x", hash[i]);
  return buf;
}
