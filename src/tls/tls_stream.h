/* One TLS client session over a byte stream, through memory buffers: a bad certificate is an outcome of this machine
 * and no surprise in a driver (RFC 7443 ALPN, RFC 9325 settings). The test server's side is here too, so that one file
 * knows how OpenSSL is driven.
 *
 *     floe__tls_start(tls, now);            send floe__tls_output, then floe__tls_sent
 *     floe__tls_on_bytes(tls, bytes, now);  send the output; read until floe__tls_read says 0; then look at the state
 *
 * Bytes and texts of a session come from the env's allocator. What OpenSSL allocates inside (session, certificates,
 * trust store) comes from its own, which is one per process: an env's allocator neither sees nor limits it. */
#ifndef FLOE_TLS_TLS_STREAM_H
#define FLOE_TLS_TLS_STREAM_H

#include "base/alloc.h"
#include "floe/cause.h"
#include "floe/event.h"

typedef enum floe__tls_state {
  FLOE__TLS_HANDSHAKE = 0,
  FLOE__TLS_OPEN,  /* verified; bytes flow */
  FLOE__TLS_ENDED, /* close_notify received, and everything before it read */
  FLOE__TLS_FAILED /* floe__tls_cause says why; an alert for the peer may be in the output */
} floe__tls_state;

typedef struct floe__tls floe__tls;

/* What a client session needs. Exactly one of `server_name` and `server_ip` is given. */
typedef struct floe__tls_client_config {
  const char *server_name;    /* DNS name for SNI and verification; NULL when `server_ip` is used; copies */
  const floe_addr *server_ip; /* literal address to verify instead; no SNI (RFC 6066 3); copies */
  floe_bytes ca_pem;          /* trusted beside the system's store; borrowed for the call */
  bool insecure;              /* verify nothing, but still record what is wrong in info.verify_* */
  const char *alpn;           /* nullable: RFC 7443 protocol to offer, FLOE__TLS_ALPN_...; copies. A server that
                                 chooses none is fine */
} floe__tls_client_config;

#define FLOE__TLS_ALPN_TURN "stun.turn"
#define FLOE__TLS_ALPN_STUN "stun.nat-discovery"

/* A client session that has not sent anything yet. NULL: out of memory, or `ca_pem` holds no certificate (checked with
 * floe__tls_check_ca before). The trust store is read once per env and CA, on first use. Certificates are judged at
 * the wall clock of `now` when the env knows it, else by libcrypto's clock. */
floe__tls *floe__tls_client_new(floe_env *env, const floe__tls_client_config *cfg, floe_time now);
void floe__tls_free(floe__tls *tls); /* NULL is fine */

/* How many certificates the PEM text holds; 0 = none, or one of them is broken, so it is no CA file. */
size_t floe__tls_check_ca(floe_env *env, floe_bytes ca_pem);

/* Starts the handshake: a ClientHello is ready in floe__tls_output. A server waits for the client. */
void floe__tls_start(floe__tls *tls, floe_time now);
/* Bytes from the stream. Ask for the output, the plain text and the state afterwards: the end of a session is only
 * seen once the plain text before it was read. A TLS 1.3 server may reject after OPEN: then FAILED with tls_alert. */
void floe__tls_on_bytes(floe__tls *tls, floe_bytes bytes, floe_time now);
/* The stream ended (FIN). In HANDSHAKE the state becomes FAILED with tcp_closed; in OPEN too, once everything was read,
 * because a close_notify is missing. */
void floe__tls_on_end(floe__tls *tls);

floe__tls_state floe__tls_state_of(const floe__tls *tls);
/* In FAILED: tls_not_tls, tls_alert, tls_untrusted, tls_expired, tls_name_mismatch, tcp_closed. Else NONE.
 * When several things are wrong with a certificate the cause is the one that says most in the contract's order, the
 * name before the dates before the trust, and info.verify_text names them all. */
floe_cause floe__tls_cause(const floe__tls *tls);
/* What is known of session and certificate; valid as long as the session; strings are owned by it or literals. */
const floe_tls_info *floe__tls_info_of(const floe__tls *tls);

/* Encrypts plain text of the application. False: not OPEN, or out of memory (then FAILED: the stream has a hole). */
bool floe__tls_write(floe__tls *tls, floe_bytes plain);
/* Asks for close_notify to be sent. Nothing in HANDSHAKE and FAILED. */
void floe__tls_shutdown(floe__tls *tls);
/* Bytes to be sent on the stream, valid until the next call; empty when there are none. Call floe__tls_sent after. */
floe_bytes floe__tls_output(floe__tls *tls);
void floe__tls_sent(floe__tls *tls, size_t n);
/* Decrypted bytes, at most `cap`; 0 when there are none now. At most one record's at a time: call it until 0. */
size_t floe__tls_read(floe__tls *tls, uint8_t *buf, size_t cap);

/* --- the server's side, for the test server ------------------------------------------------------------------- */

typedef struct floe__tls_server_config {
  floe_bytes cert_pem;    /* the chain, the server's own certificate first; borrowed for the call */
  floe_bytes key_pem;     /* borrowed for the call */
  const char *alpn;       /* nullable: insist on it when the client offers any (no_application_protocol); copies */
  int only_version;       /* 0 = TLS 1.2 and 1.3, else 0x0303 or 0x0304 */
  bool needs_client_cert; /* reject each client, as a server does that wants certificates */
} floe__tls_server_config;

/* A server session. NULL: the PEM cannot be used, or no memory. */
floe__tls *floe__tls_server_new(floe_env *env, floe_bytes cert_pem, floe_bytes key_pem);
floe__tls *floe__tls_server_new_from(floe_env *env, const floe__tls_server_config *cfg);

/* --- certificates made on the spot (test server, demo; later DTLS) ---------------------------------------------- */

typedef struct floe__cert_config {
  const char *subject_cn;
  const char *dns_names;         /* nullable: comma-separated subjectAltName DNS entries */
  const char *ip_names;          /* nullable: comma-separated subjectAltName IP entries */
  int64_t not_before, not_after; /* seconds since 1970 */
  bool is_ca;
  floe_bytes issuer_cert_pem, issuer_key_pem; /* empty = self-signed */
} floe__cert_config;

/* ECDSA P-256. Returns NUL-terminated PEM texts; out: caller frees with floe__free (key: floe__free_secret). */
bool floe__cert_make(floe_env *env, const floe__cert_config *cfg, char **cert_pem, char **key_pem);

#endif
