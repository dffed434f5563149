/* Fingerprints (RFC 8122 5): what certificate.h does not need to show. */
#ifndef FLOE_TLS_FINGERPRINT_H
#define FLOE_TLS_FINGERPRINT_H

#include "tls/certificate.h"

/* "AB:CD:..." into FLOE_FINGERPRINT_TEXT bytes; false, and "", when the hash is not known. */
bool floe__fingerprint_of(X509 *cert, const char *hash, char *out);

/* The hash by which the list is judged: the strongest that is known here, in lower case, a literal. NULL: none. */
const char *floe__fingerprints_hash(const floe__fingerprint *list, size_t n);

#endif
