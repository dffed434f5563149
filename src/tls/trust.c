#include "tls/trust.h"

#include <openssl/err.h>
#include <string.h>

#include "tls/byte_bio.h"
#include "tls/cert.h"
#include "tls/dtls_internal.h"
#include "tls/tls_stream.h"

/* RFC 9325 4.2: forward secrecy and AEAD. TLS 1.3 has no others. */
#define TLS12_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
/* RFC 9325 4.4 and 4.5: at least 112 bits, so RSA from 2048 bits and no SHA-1 signatures. */
#define SECURITY_LEVEL 2

typedef struct trusted {
  uint8_t *ca; /* the PEM text it was made for; NULL when that was empty */
  size_t ca_len;
  SSL_CTX *ctx;
} trusted;

/* What env->tls points to. */
typedef struct shared {
  BIO_METHOD *bio_method;
  BIO_METHOD *dgram_method; /* nullable, as what follows: made on first use */
  SSL_CTX *dtls;
  SSL_CTX *dtls_keylog;
  trusted list[FLOE__TRUST_MAX]; /* the last used first */
  size_t n;
} shared;

static void clear_trusted(floe_env *env, trusted *t) {
  SSL_CTX_free(t->ctx);
  floe__free(env, t->ca);
  *t = (trusted){0};
}

static void free_shared(floe_env *env, void *tls) {
  shared *s = tls;
  for (size_t i = 0; i < s->n; i++) clear_trusted(env, &s->list[i]);
  SSL_CTX_free(s->dtls);
  SSL_CTX_free(s->dtls_keylog);
  BIO_meth_free(s->bio_method);
  BIO_meth_free(s->dgram_method);
  floe__free(env, s);
}

static shared *shared_of(floe_env *env) {
  if (env->tls != NULL) return env->tls;
  shared *s = floe__zalloc(env, sizeof *s);
  if (s == NULL) return NULL;
  s->bio_method = floe__byte_bio_method();
  if (s->bio_method == NULL) {
    floe__free(env, s);
    return NULL;
  }
  env->tls = s;
  env->tls_free = free_shared;
  return s;
}

const BIO_METHOD *floe__trust_bio_method(floe_env *env) {
  const shared *s = shared_of(env);
  return s == NULL ? NULL : s->bio_method;
}

const BIO_METHOD *floe__trust_dgram_method(floe_env *env) {
  shared *s = shared_of(env);
  if (s == NULL) return NULL;
  if (s->dgram_method == NULL) s->dgram_method = floe__dgram_bio_method();
  return s->dgram_method;
}

SSL_CTX *floe__trust_dtls_ctx(floe_env *env, bool with_keylog) {
  shared *s = shared_of(env);
  if (s == NULL) return NULL;
  SSL_CTX **ctx = with_keylog ? &s->dtls_keylog : &s->dtls;
  if (*ctx == NULL) *ctx = floe__dtls_ctx_new(with_keylog);
  return *ctx;
}

/* Said again where libssl has it as default: the system's openssl.cnf may have weakened it. */
static bool apply_settings(SSL_CTX *ctx) {
  /* RFC 9325 3.1.1: 1.2 and 1.3. 3.3: no compression. 3.5: no renegotiation. Sessions are not resumed: they are few
   * and long, and a resumed one would show no certificate. */
  (void)SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  (void)SSL_CTX_clear_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
                                       SSL_OP_ALLOW_CLIENT_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
  return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 && SSL_CTX_set_max_proto_version(ctx, 0) == 1 &&
         SSL_CTX_set_cipher_list(ctx, TLS12_CIPHERS) == 1;
}

static SSL_CTX *ctx_of(const SSL_METHOD *method) {
  SSL_CTX *ctx = SSL_CTX_new(method);
  if (ctx == NULL) return NULL;
  if (apply_settings(ctx)) return ctx;
  SSL_CTX_free(ctx);
  return NULL;
}

SSL_CTX *floe__trust_server_ctx(void) {
  SSL_CTX *ctx = ctx_of(TLS_server_method());
  if (ctx != NULL) (void)SSL_CTX_set_num_tickets(ctx, 0);
  return ctx;
}

/* How often `word` occurs. */
static size_t count_word(floe_bytes text, const char *word) {
  const size_t len = strlen(word);
  size_t n = 0;
  for (size_t i = 0; len <= text.len && i <= text.len - len; i++) {
    if (memcmp(text.ptr + i, word, len) == 0) n++;
  }
  return n;
}

/* Reads each certificate, adds it to `store` (nullable) and counts. 0 when one of them is broken: a CA left out in
 * silence would come back as a puzzling tls_untrusted. Each has a BEGIN and an END line, so the count also tells of one
 * whose BEGIN line is damaged, which libcrypto overlooks. */
static size_t read_ca(floe_bytes pem, X509_STORE *store) {
  BIO *bio = floe__cert_bio_of(pem);
  if (bio == NULL) return 0;
  ERR_clear_error();
  size_t n = 0;
  bool ok = true;
  X509 *cert = NULL;
  while (ok && (cert = floe__cert_read_pem(bio)) != NULL) {
    ok = store == NULL || X509_STORE_add_cert(store, cert) == 1;
    X509_free(cert);
    if (ok) n++;
  }
  BIO_free(bio);
  ERR_clear_error();
  return ok && count_word(pem, "CERTIFICATE-----") == 2 * n ? n : 0;
}

size_t floe__tls_check_ca(floe_env *env, floe_bytes ca_pem) {
  (void)env;
  return read_ca(ca_pem, NULL);
}

static SSL_CTX *make_client_ctx(floe_bytes ca_pem) {
  SSL_CTX *ctx = ctx_of(TLS_client_method());
  if (ctx == NULL) return NULL;
  X509_STORE *store = SSL_CTX_get_cert_store(ctx);
  /* Whoever names a certificate in the CA file trusts it, also when it is no root. */
  const bool ok = SSL_CTX_set_default_verify_paths(ctx) == 1 &&
                  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
                  (ca_pem.len == 0 || read_ca(ca_pem, store) > 0);
  ERR_clear_error();
  if (ok) return ctx;
  SSL_CTX_free(ctx);
  return NULL;
}

/* Moves entry `i` to the front. */
static SSL_CTX *use_trusted(shared *s, size_t i) {
  const trusted t = s->list[i];
  memmove(&s->list[1], &s->list[0], i * sizeof s->list[0]);
  s->list[0] = t;
  return t.ctx;
}

static SSL_CTX *add_trusted(floe_env *env, shared *s, floe_bytes ca_pem) {
  trusted t = {.ca_len = ca_pem.len};
  if (ca_pem.len > 0) {
    t.ca = floe__alloc(env, ca_pem.len);
    if (t.ca == NULL) return NULL;
    memcpy(t.ca, ca_pem.ptr, ca_pem.len);
  }
  t.ctx = make_client_ctx(ca_pem);
  if (t.ctx == NULL) {
    clear_trusted(env, &t);
    return NULL;
  }
  if (s->n == FLOE__TRUST_MAX) clear_trusted(env, &s->list[--s->n]);
  s->list[s->n] = t;
  return use_trusted(s, s->n++);
}

SSL_CTX *floe__trust_client_ctx(floe_env *env, floe_bytes ca_pem) {
  shared *s = shared_of(env);
  if (s == NULL) return NULL;
  for (size_t i = 0; i < s->n; i++) {
    const trusted *t = &s->list[i];
    if (t->ca_len != ca_pem.len) continue;
    if (t->ca_len == 0 || memcmp(t->ca, ca_pem.ptr, t->ca_len) == 0) return use_trusted(s, i);
  }
  return add_trusted(env, s, ca_pem);
}
