/* The inside of a DTLS session, for the files of src/tls/dtls*.c. */
#ifndef FLOE_TLS_DTLS_INTERNAL_H
#define FLOE_TLS_DTLS_INTERNAL_H

#include <openssl/ssl.h>

#include "tls/dtls.h"
#include "tls/dtls_bio.h"

struct floe__dtls {
  floe_env *env;
  SSL *ssl;
  floe__dgram_pipe pipe;
  bool is_holding; /* the first datagram of pipe.out was handed out */
  floe__dtls_state state;
  floe_time now;           /* of the last call that told it */
  floe_time fail_at;       /* HANDSHAKE: its time-out */
  floe_time retransmit_at; /* when libssl's timer may be due */
  floe_time idle_at;       /* OPEN: when its buffers may be given back; FLOE_TIME_NEVER: they are */
  floe_time used_at;       /* OPEN: when a datagram last came or went */
  uint32_t timeout_ms, rto_ms;
  size_t mtu;
  size_t overhead; /* of one record of application data */
  X509 *peer;      /* nullable */
  floe__fingerprint *fingerprints;
  size_t n_fingerprints;
  bool is_mismatch; /* the peer's certificate was judged, and does not fit */
  void (*keylog)(void *user, const char *line);
  void *keylog_user;
  char *text;
  floe__dtls_info info;
};

/* A context for all sessions of one env, with the callbacks below. NULL: out of memory. */
SSL_CTX *floe__dtls_ctx_new(bool with_keylog);

/* --- dtls_verify.c ------------------------------------------------------------------------------------------------ */

/* For SSL_CTX_set_cert_verify_callback: notes the peer's certificate and judges it by the fingerprints alone. */
int floe__dtls_verify(X509_STORE_CTX *chain, void *unused);
/* Does the peer's certificate, which is known, fit? Where not, info.text says what was found and expected. */
bool floe__dtls_judge(floe__dtls *dtls);
/* Takes the place of the session's list. False: out of memory, nothing has changed. */
bool floe__dtls_keep_fingerprints(floe__dtls *dtls, const floe__fingerprint *list, size_t n);
/* Takes `text` (nullable) as info.text. */
void floe__dtls_set_text(floe__dtls *dtls, char *text);

#endif
