#include "tls/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/assert.h"
#include "base/trace.h"
#include "tls/byte_bio.h"
#include "tls/cert.h"
#include "tls/ossl_error.h"
#include "tls/trust.h"

/* Enough of a first record to know one: content type, version, length, and the first byte inside (RFC 8446 5.1). */
#define HEAD_LEN 6
/* One protocol name with its length byte (RFC 7301 3.1). */
#define ALPN_MAX 32
/* RFC 1035 2.3.4, with a final NUL. */
#define HOST_MAX        256
#define VERIFY_TEXT_MAX 256

struct floe__tls {
  floe_env *env;
  SSL *ssl;
  floe__byte_pipe pipe;
  floe_time now; /* of the last call that told it */
  floe__tls_state state;
  floe_cause cause;
  bool is_server;
  bool has_ended; /* FIN */
  uint8_t head[HEAD_LEN];
  size_t head_len;
  uint8_t alpn[ALPN_MAX];
  size_t alpn_len; /* 0 = none */
  floe__verify_log verify_log;
  floe__cert_text cert;
  char *verify_text;
  floe_tls_info info;
};

/* --- state ------------------------------------------------------------------------------------------------------ */

static const char *state_name(floe__tls_state state) {
  switch (state) {
    case FLOE__TLS_HANDSHAKE: return "handshake";
    case FLOE__TLS_OPEN: return "open";
    case FLOE__TLS_ENDED: return "ended";
    case FLOE__TLS_FAILED: return "failed";
  }
  return "unknown";
}

static bool may_go(floe__tls_state from, floe__tls_state to) {
  switch (from) {
    case FLOE__TLS_HANDSHAKE: return to == FLOE__TLS_OPEN || to == FLOE__TLS_FAILED;
    case FLOE__TLS_OPEN: return to == FLOE__TLS_ENDED || to == FLOE__TLS_FAILED;
    case FLOE__TLS_ENDED:
    case FLOE__TLS_FAILED: return false;
  }
  return false;
}

static void go(floe__tls *tls, floe__tls_state to, floe_cause cause) {
  FLOE__ASSERT(may_go(tls->state, to));
  FLOE__ASSERT((to == FLOE__TLS_FAILED) == (cause != FLOE_CAUSE_NONE));
  floe__trace t;
  if (floe__trace_begin(&t, tls->env, tls->now, "tls.state")) {
    floe__trace_text(&t, "from", state_name(tls->state));
    floe__trace_text(&t, "to", state_name(to));
    if (cause != FLOE_CAUSE_NONE) floe__trace_text(&t, "cause", floe_cause_id(cause));
    floe__trace_end(&t);
  }
  tls->state = to;
  tls->cause = cause;
}

static void note_session(floe__tls *tls) {
  tls->info.version = SSL_get_version(tls->ssl);
  const SSL_CIPHER *cipher = SSL_get_current_cipher(tls->ssl);
  if (cipher == NULL) cipher = SSL_get_pending_cipher(tls->ssl);
  if (cipher != NULL) tls->info.cipher = SSL_CIPHER_get_name(cipher);
}

/* --- callbacks of OpenSSL ------------------------------------------------------------------------------------------
 */

static floe__tls *session_of_chain(X509_STORE_CTX *chain) {
  const SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
  return SSL_get_app_data(ssl);
}

/* Goes on after each error, so that all are known in the end. */
static int note_verify_error(int ok, X509_STORE_CTX *chain) {
  if (!ok) floe__verify_log_add(&session_of_chain(chain)->verify_log, X509_STORE_CTX_get_error(chain));
  return 1;
}

static void note_certificate(floe__tls *tls, X509 *cert) {
  floe__cert_text_clear(tls->env, &tls->cert);
  floe__cert_describe(tls->env, cert, &tls->cert);
  tls->info.subject = tls->cert.subject;
  tls->info.issuer = tls->cert.issuer;
  tls->info.names = tls->cert.names;
  tls->info.has_validity = tls->cert.has_validity;
  tls->info.not_before = tls->cert.not_before;
  tls->info.not_after = tls->cert.not_after;
}

static void note_verify_result(floe__tls *tls, int error) {
  char text[VERIFY_TEXT_MAX];
  floe__free(tls->env, tls->verify_text);
  tls->verify_text = floe__strdup(tls->env, floe__verify_log_text(&tls->verify_log, text, sizeof text));
  tls->info.has_verify_error = true;
  tls->info.verify_error = error;
  tls->info.verify_text = tls->verify_text;
}

/* In place of X509_verify_cert, which would stop at the first error. Our choice of error also chooses the alert. */
static int verify_chain(X509_STORE_CTX *chain, void *unused) {
  (void)unused;
  floe__tls *tls = session_of_chain(chain);
  tls->verify_log = (floe__verify_log){0};
  note_session(tls);
  note_certificate(tls, X509_STORE_CTX_get0_cert(chain));
  X509_STORE_CTX_set_verify_cb(chain, note_verify_error);
  if (X509_verify_cert(chain) <= 0) {
    const int error = X509_STORE_CTX_get_error(chain);
    floe__verify_log_add(&tls->verify_log, error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error);
  }
  const int error = floe__verify_log_main(&tls->verify_log);
  if (error != X509_V_OK) note_verify_result(tls, error);
  X509_STORE_CTX_set_error(chain, error);
  return error == X509_V_OK || tls->info.insecure ? 1 : 0;
}

static void note_alert(const SSL *ssl, int where, int value) {
  if ((where & SSL_CB_ALERT) == 0) return;
  floe__tls *tls = SSL_get_app_data(ssl);
  const uint8_t alert = (uint8_t)(value & 0xFF);
  /* A close_notify in its place, and a warning, end nothing. The first that does is the one that explains. */
  const bool is_fatal = value >> 8 == SSL3_AL_FATAL && alert != SSL_AD_CLOSE_NOTIFY;
  const bool cuts_handshake = alert == SSL_AD_CLOSE_NOTIFY && tls->state == FLOE__TLS_HANDSHAKE;
  if (tls->info.has_alert || !(is_fatal || cuts_handshake)) return;
  tls->info.has_alert = true;
  tls->info.alert = alert;
  tls->info.alert_text = floe__alert_text(alert);
}

static int select_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *offered, unsigned int len,
                       void *user) {
  (void)ssl;
  const floe__tls *tls = user;
  uint8_t *chosen = NULL;
  const int result = SSL_select_next_proto(&chosen, out_len, tls->alpn, (unsigned int)tls->alpn_len, offered, len);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* --- driving the handshake and the stream --------------------------------------------------------------------------
 */

static floe_cause cause_of_failure(floe__tls *tls) {
  const floe_cause cause = floe__ossl_take_cause(tls->state == FLOE__TLS_HANDSHAKE);
  /* An error that verification found is the reason for whatever alert went out after it. */
  if (tls->info.has_verify_error && !tls->info.insecure && tls->state == FLOE__TLS_HANDSHAKE) {
    return floe__verify_cause(tls->info.verify_error);
  }
  return cause;
}

/* What a call of libssl that did nothing meant. */
static void settle(floe__tls *tls, int result) {
  switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
      if (tls->has_ended) go(tls, FLOE__TLS_FAILED, FLOE_CAUSE_TCP_CLOSED);
      return;
    case SSL_ERROR_ZERO_RETURN:
      if (tls->state == FLOE__TLS_OPEN)
        go(tls, FLOE__TLS_ENDED, FLOE_CAUSE_NONE);
      else
        go(tls, FLOE__TLS_FAILED, FLOE_CAUSE_TCP_CLOSED); /* orderly, but no session came of it */
      return;
    default: go(tls, FLOE__TLS_FAILED, cause_of_failure(tls));
  }
}

static void shake_hands(floe__tls *tls) {
  ERR_clear_error();
  const int result = SSL_do_handshake(tls->ssl);
  if (result != 1) {
    settle(tls, result);
    return;
  }
  note_session(tls);
  go(tls, FLOE__TLS_OPEN, FLOE_CAUSE_NONE);
}

/* Lets libssl work on what is no plain text: alerts, tickets, key updates. */
static void look_ahead(floe__tls *tls) {
  uint8_t byte = 0;
  ERR_clear_error();
  const int result = SSL_peek(tls->ssl, &byte, 1);
  if (result <= 0) settle(tls, result);
}

static void advance(floe__tls *tls) {
  if (tls->state == FLOE__TLS_HANDSHAKE) shake_hands(tls);
  if (tls->state == FLOE__TLS_OPEN) look_ahead(tls);
}

/* RFC 8446 5.1: can a peer's first record begin so? Asked before libssl sees a byte: it would wait for five, and
 * answer "protocol version" to a mail server. */
static bool is_tls_head(const floe__tls *tls) {
  const uint8_t *h = tls->head;
  const size_t n = tls->head_len;
  const bool is_handshake = n > 0 && h[0] == SSL3_RT_HANDSHAKE;
  if (n > 0 && !is_handshake && h[0] != SSL3_RT_ALERT) return false;
  if (n > 1 && h[1] != 3) return false;
  if (n > 2 && h[2] > 4) return false;
  if (n > 4 && (h[3] << 8 | h[4]) == 0) return false;
  if (n > 4 && (h[3] << 8 | h[4]) > SSL3_RT_MAX_PLAIN_LENGTH) return false;
  if (n < HEAD_LEN) return true;
  if (!is_handshake) return h[5] == SSL3_AL_WARNING || h[5] == SSL3_AL_FATAL;
  if (tls->is_server) return h[5] == SSL3_MT_CLIENT_HELLO;
  return h[5] == SSL3_MT_SERVER_HELLO || h[5] == SSL3_MT_HELLO_REQUEST;
}

static bool note_head(floe__tls *tls, floe_bytes bytes) {
  for (size_t i = 0; i < bytes.len && tls->head_len < HEAD_LEN; i++) tls->head[tls->head_len++] = bytes.ptr[i];
  return is_tls_head(tls);
}

void floe__tls_start(floe__tls *tls, floe_time now) {
  tls->now = now;
  if (tls->state == FLOE__TLS_HANDSHAKE) shake_hands(tls);
}

void floe__tls_on_bytes(floe__tls *tls, floe_bytes bytes, floe_time now) {
  tls->now = now;
  if (tls->state == FLOE__TLS_ENDED || tls->state == FLOE__TLS_FAILED || bytes.len == 0) return;
  if (!note_head(tls, bytes)) {
    go(tls, FLOE__TLS_FAILED, FLOE_CAUSE_TLS_NOT_TLS);
    return;
  }
  if (!floe__byte_queue_add(tls->env, &tls->pipe.in, bytes)) {
    go(tls, FLOE__TLS_FAILED, FLOE_CAUSE_TLS_ALERT);
    return;
  }
  advance(tls);
}

void floe__tls_on_end(floe__tls *tls) {
  tls->has_ended = true;
  advance(tls);
}

bool floe__tls_write(floe__tls *tls, floe_bytes plain) {
  if (tls->state != FLOE__TLS_OPEN) return false;
  if (plain.len == 0) return true;
  ERR_clear_error();
  size_t written = 0;
  /* The output has no limit of its own, so libssl takes all or has failed. */
  if (SSL_write_ex(tls->ssl, plain.ptr, plain.len, &written) == 1) return true;
  go(tls, FLOE__TLS_FAILED, cause_of_failure(tls));
  return false;
}

size_t floe__tls_read(floe__tls *tls, uint8_t *buf, size_t cap) {
  if (tls->state != FLOE__TLS_OPEN || cap == 0) return 0;
  ERR_clear_error();
  size_t n = 0;
  const int result = SSL_read_ex(tls->ssl, buf, cap, &n);
  if (result == 1) return n;
  settle(tls, result);
  return 0;
}

void floe__tls_shutdown(floe__tls *tls) {
  if (tls->state != FLOE__TLS_OPEN && tls->state != FLOE__TLS_ENDED) return;
  ERR_clear_error();
  (void)SSL_shutdown(tls->ssl);
  ERR_clear_error();
}

floe_bytes floe__tls_output(floe__tls *tls) {
  return floe__byte_queue_peek(&tls->pipe.out);
}

void floe__tls_sent(floe__tls *tls, size_t n) {
  floe__byte_queue_drop(tls->env, &tls->pipe.out, n);
}

floe__tls_state floe__tls_state_of(const floe__tls *tls) {
  return tls->state;
}

floe_cause floe__tls_cause(const floe__tls *tls) {
  return tls->cause;
}

const floe_tls_info *floe__tls_info_of(const floe__tls *tls) {
  return &tls->info;
}

/* --- making sessions ------------------------------------------------------------------------------------------------
 */

static bool set_alpn(floe__tls *tls, const char *alpn) {
  if (alpn == NULL) return true;
  const size_t len = strlen(alpn);
  if (len == 0 || len >= ALPN_MAX) return false;
  tls->alpn[0] = (uint8_t)len;
  memcpy(tls->alpn + 1, alpn, len);
  tls->alpn_len = len + 1;
  return true;
}

/* The SSL object and its stream. */
static bool attach(floe__tls *tls, SSL_CTX *ctx) {
  const BIO_METHOD *method = floe__trust_bio_method(tls->env);
  if (method == NULL) return false;
  tls->ssl = SSL_new(ctx);
  if (tls->ssl == NULL) return false;
  BIO *bio = floe__byte_bio_new(method, &tls->pipe);
  if (bio == NULL) return false;
  SSL_set_bio(tls->ssl, bio, bio);
  SSL_set_info_callback(tls->ssl, note_alert);
  return SSL_set_app_data(tls->ssl, tls) == 1;
}

static floe__tls *new_session(floe_env *env, bool is_server) {
  floe__tls *tls = floe__zalloc(env, sizeof *tls);
  if (tls == NULL) return NULL;
  tls->env = env;
  tls->pipe.env = env;
  tls->is_server = is_server;
  return tls;
}

void floe__tls_free(floe__tls *tls) {
  if (tls == NULL) return;
  floe_env *env = tls->env;
  SSL_free(tls->ssl);
  ERR_clear_error();
  floe__byte_queue_clear(env, &tls->pipe.in);
  floe__byte_queue_clear(env, &tls->pipe.out);
  floe__cert_text_clear(env, &tls->cert);
  floe__free(env, tls->verify_text);
  floe__free(env, tls);
}

/* RFC 6066 3: a host name without the trailing dot; certificates have none either. */
static bool set_name(floe__tls *tls, const char *server_name) {
  char name[HOST_MAX];
  size_t len = strlen(server_name);
  if (len > 1 && server_name[len - 1] == '.') len--;
  if (len == 0 || len >= sizeof name) return false;
  memcpy(name, server_name, len);
  name[len] = '\0';
  return SSL_set_tlsext_host_name(tls->ssl, name) == 1 &&
         X509_VERIFY_PARAM_set1_host(SSL_get0_param(tls->ssl), name, len) == 1;
}

static bool set_peer(floe__tls *tls, const floe__tls_client_config *cfg) {
  X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
  /* RFC 9525 6.3 and 6.4: no name from the subject, no wildcard for a part of a label. */
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (cfg->server_name != NULL) return set_name(tls, cfg->server_name);
  const size_t len = cfg->server_ip->family == FLOE_FAMILY_IPV6 ? 16 : 4;
  return X509_VERIFY_PARAM_set1_ip(param, cfg->server_ip->ip, len) == 1;
}

static bool set_up_client(floe__tls *tls, const floe__tls_client_config *cfg, floe_time now) {
  SSL_CTX *ctx = floe__trust_client_ctx(tls->env, cfg->ca_pem);
  if (ctx == NULL || !attach(tls, ctx) || !set_peer(tls, cfg) || !set_alpn(tls, cfg->alpn)) return false;
  if (tls->alpn_len > 0 && SSL_set_alpn_protos(tls->ssl, tls->alpn, (unsigned int)tls->alpn_len) != 0) return false;
  int64_t unix_ms = 0;
  if (floe__env_unix_ms(tls->env, now, &unix_ms)) {
    X509_VERIFY_PARAM_set_time(SSL_get0_param(tls->ssl), (time_t)(unix_ms / 1000));
  }
  SSL_CTX_set_cert_verify_callback(ctx, verify_chain, NULL);
  SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, NULL);
  SSL_set_connect_state(tls->ssl);
  return true;
}

floe__tls *floe__tls_client_new(floe_env *env, const floe__tls_client_config *cfg, floe_time now) {
  FLOE__ASSERT((cfg->server_name == NULL) != (cfg->server_ip == NULL));
  floe__tls *tls = new_session(env, false);
  if (tls == NULL) return NULL;
  tls->now = now;
  tls->info.insecure = cfg->insecure;
  if (set_up_client(tls, cfg, now)) return tls;
  floe__tls_free(tls);
  return NULL;
}

static bool use_chain(SSL_CTX *ctx, floe_bytes pem) {
  BIO *bio = floe__cert_bio_of(pem);
  if (bio == NULL) return false;
  X509 *cert = floe__cert_read_pem(bio);
  bool ok = cert != NULL && SSL_CTX_use_certificate(ctx, cert) == 1;
  X509_free(cert);
  while (ok && (cert = floe__cert_read_pem(bio)) != NULL) {
    ok = SSL_CTX_add1_chain_cert(ctx, cert) == 1;
    X509_free(cert);
  }
  BIO_free(bio);
  return ok;
}

static bool use_key(SSL_CTX *ctx, floe_bytes pem) {
  EVP_PKEY *key = floe__cert_read_key(pem);
  const bool ok = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
  EVP_PKEY_free(key);
  return ok;
}

static bool set_up_server(floe__tls *tls, SSL_CTX *ctx, const floe__tls_server_config *cfg) {
  if (!use_chain(ctx, cfg->cert_pem) || !use_key(ctx, cfg->key_pem) || !set_alpn(tls, cfg->alpn)) return false;
  if (tls->alpn_len > 0) SSL_CTX_set_alpn_select_cb(ctx, select_alpn, tls);
  if (cfg->only_version != 0) {
    if (SSL_CTX_set_min_proto_version(ctx, cfg->only_version) != 1) return false;
    if (SSL_CTX_set_max_proto_version(ctx, cfg->only_version) != 1) return false;
  }
  if (cfg->needs_client_cert) SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  if (!attach(tls, ctx)) return false;
  SSL_set_accept_state(tls->ssl);
  return true;
}

floe__tls *floe__tls_server_new_from(floe_env *env, const floe__tls_server_config *cfg) {
  floe__tls *tls = new_session(env, true);
  SSL_CTX *ctx = floe__trust_server_ctx();
  const bool ok = tls != NULL && ctx != NULL && set_up_server(tls, ctx, cfg);
  SSL_CTX_free(ctx);
  ERR_clear_error();
  if (ok) return tls;
  floe__tls_free(tls);
  return NULL;
}

floe__tls *floe__tls_server_new(floe_env *env, floe_bytes cert_pem, floe_bytes key_pem) {
  const floe__tls_server_config cfg = {.cert_pem = cert_pem, .key_pem = key_pem};
  return floe__tls_server_new_from(env, &cfg);
}
