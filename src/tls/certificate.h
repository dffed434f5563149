/* The inside of floe_certificate: what DTLS needs of it. */
#ifndef FLOE_TLS_CERTIFICATE_H
#define FLOE_TLS_CERTIFICATE_H

#include <openssl/x509.h>

#include "base/alloc.h"
#include "floe/certificate.h"

struct floe_certificate {
  floe_env *env;
  X509 *x509;    /* a reference of libcrypto's own count */
  EVP_PKEY *key; /* likewise */
  int64_t expires_ms;
};

/* Another handle on the same certificate and key, in `env`. NULL: out of memory. */
floe_certificate *floe__certificate_copy(floe_env *env, const floe_certificate *cert);
/* The same certificate, byte for byte (its DER). */
bool floe__certificate_equal(const floe_certificate *a, const floe_certificate *b);

/* One fingerprint of a description (RFC 8122 5). */
typedef struct floe__fingerprint {
  const char *hash;  /* "sha-256", in any case of letters */
  const char *value; /* "AB:CD:...", in any case of letters */
} floe__fingerprint;

/* RFC 8122 5: the peer may give several; of those with the strongest hash that is known here one must fit (RFC 8827
 * 6.5: hashes without a known algorithm are ignored). False too when none is known. */
bool floe__fingerprints_match(X509 *cert, const floe__fingerprint *list, size_t n);
/* True when the hash is known here, so that a fingerprint of it can be compared. MD2, MD5 are refused. */
bool floe__fingerprint_is_usable(const floe__fingerprint *fp);

#endif
