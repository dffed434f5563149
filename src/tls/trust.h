/* What the TLS sessions of one env share: contexts with the trusted certificates, made on first use. */
#ifndef FLOE_TLS_TRUST_H
#define FLOE_TLS_TRUST_H

#include <openssl/ssl.h>

#include "base/alloc.h"

/* How many different CA texts an env remembers; the one not used for longest makes room. */
#define FLOE__TRUST_MAX 8

/* A client context that trusts the system's store and `ca_pem` (which may be empty). The same one for the same CA: the
 * system's store is read once, not per session. Borrowed until the next call (SSL_new takes its own reference).
 * NULL: out of memory, or `ca_pem` holds no usable certificate.
 *
 * The system's store is found as libcrypto finds it, so SSL_CERT_FILE and SSL_CERT_DIR work as for any program on it.
 */
SSL_CTX *floe__trust_client_ctx(floe_env *env, floe_bytes ca_pem);

/* A context for one server session: the same protocol settings, no trust. Caller frees with SSL_CTX_free. */
SSL_CTX *floe__trust_server_ctx(void);

/* The BIO method of this env's sessions; NULL: out of memory. */
const BIO_METHOD *floe__trust_bio_method(floe_env *env);

/* The context of all DTLS sessions of this env, and their BIO method; borrowed. NULL: out of memory. */
SSL_CTX *floe__trust_dtls_ctx(floe_env *env, bool with_keylog);
const BIO_METHOD *floe__trust_dgram_method(floe_env *env);

#endif
