#include <openssl/err.h>

#include "tls/dtls_internal.h"
#include "tls/ossl_error.h"

/* RFC 8827 6.5: forward secrecy and AEAD, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 first as browsers have it. */
#define DTLS12_CIPHERS                                                                       \
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:" \
  "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
/* RFC 5764 4.1.1. Nothing here speaks SRTP, but GStreamer and werift give up a handshake that agrees on no profile; the
 * first is what both have. */
#define SRTP_PROFILES "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM"
/* RSA from 1024 bits, as old peers still have it; no SHA-1 in signatures of the handshake. */
#define SECURITY_LEVEL 1

/* Told by libssl for each alert of either side. The first fatal one explains. */
static void note_alert(const SSL *ssl, int where, int value) {
  if ((where & SSL_CB_ALERT) == 0) return;
  floe__dtls_info *info = &((floe__dtls *)SSL_get_app_data(ssl))->info;
  const uint8_t alert = (uint8_t)(value & 0xFF);
  if (value >> 8 != SSL3_AL_FATAL && alert != SSL_AD_CLOSE_NOTIFY) return;
  if ((where & SSL_CB_READ) != 0 && !info->has_alert_received) {
    info->has_alert_received = true;
    info->alert_received = alert;
  }
  if ((where & SSL_CB_WRITE) != 0 && !info->has_alert_sent) {
    info->has_alert_sent = true;
    info->alert_sent = alert;
  }
}

static void tell_keys(const SSL *ssl, const char *line) {
  const floe__dtls *dtls = SSL_get_app_data(ssl);
  if (dtls->keylog != NULL) dtls->keylog(dtls->keylog_user, line);
}

/* Said again where libssl has it as default: the system's openssl.cnf may have changed it. */
static bool apply_settings(SSL_CTX *ctx) {
  /* RFC 8827 6.5: P-256 must be there. P-384 also lets a peer's certificate be on that curve. */
  int groups[] = {NID_X25519, NID_X9_62_prime256v1, NID_secp384r1};
  /* A resumed session would show no certificate, so there are neither tickets nor sessions kept. */
  (void)SSL_CTX_set_options(ctx,
                            SSL_OP_NO_QUERY_MTU | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  (void)SSL_CTX_clear_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
                                       SSL_OP_ALLOW_CLIENT_RENEGOTIATION | SSL_OP_COOKIE_EXCHANGE);
  (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
  return SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) == 1 && SSL_CTX_set_max_proto_version(ctx, 0) == 1 &&
         SSL_CTX_set_cipher_list(ctx, DTLS12_CIPHERS) == 1 &&
         SSL_CTX_set1_groups(ctx, groups, sizeof groups / sizeof groups[0]) == 1 &&
         SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_tlsext_use_srtp(ctx, SRTP_PROFILES) == 0;
}

SSL_CTX *floe__dtls_ctx_new(bool with_keylog) {
  SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
  if (ctx == NULL) return NULL;
  if (!apply_settings(ctx)) {
    SSL_CTX_free(ctx);
    return NULL;
  }
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_CTX_set_cert_verify_callback(ctx, floe__dtls_verify, NULL);
  SSL_CTX_set_info_callback(ctx, note_alert);
  if (with_keylog) SSL_CTX_set_keylog_callback(ctx, tell_keys); /* costs each session the text of its keys */
  return ctx;
}
