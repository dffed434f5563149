/* What a certificate says, as text for people. */
#ifndef FLOE_TLS_CERT_H
#define FLOE_TLS_CERT_H

#include <openssl/x509.h>

#include "base/alloc.h"

/* Longest texts, the final NUL not counted; a longer one is cut and ends in "...". */
#define FLOE__CERT_NAME_MAX  512
#define FLOE__CERT_NAMES_MAX 2048

typedef struct floe__cert_text {
  char *subject; /* RFC 2253 in UTF-8: "CN=turn.example.org"; NULL: out of memory */
  char *issuer;
  char *names; /* DNS names and IP addresses: "turn.example.org, 192.0.2.1"; NULL when there are none */
  bool has_validity;
  int64_t not_before, not_after; /* seconds since 1970 */
} floe__cert_text;

/* Fills *out; what cannot be read or stored stays absent. Whatever could upset a terminal or a log line (control
 * characters, bytes that are no UTF-8, characters that change the direction of writing) is written as \XX per byte. */
void floe__cert_describe(floe_env *env, X509 *cert, floe__cert_text *out);
void floe__cert_text_clear(floe_env *env, floe__cert_text *text);

/* Seconds since 1970; false when it is no valid time. */
bool floe__cert_unix_time(const ASN1_TIME *t, int64_t *out);

/* One PEM certificate or key after another is read from `bio`, never asking anybody for a passphrase.
 * NULL at the end and on an error. */
X509 *floe__cert_read_pem(BIO *bio);
EVP_PKEY *floe__cert_read_key(floe_bytes pem);
/* A read-only BIO over borrowed bytes; NULL: empty, too long for OpenSSL, or out of memory. */
BIO *floe__cert_bio_of(floe_bytes bytes);

#endif
