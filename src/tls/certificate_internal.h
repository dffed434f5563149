/* What the files of certificates share. */
#ifndef FLOE_TLS_CERTIFICATE_INTERNAL_H
#define FLOE_TLS_CERTIFICATE_INTERNAL_H

#include "tls/certificate.h"

/* A handle with references of its own. NULL: out of memory, or notAfter is no time. */
floe_certificate *floe__certificate_new(floe_env *env, X509 *x509, EVP_PKEY *key);

#endif
