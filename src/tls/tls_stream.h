/* One TLS client session over a byte stream, through memory buffers: a bad certificate is an outcome of this machine
 * and no surprise in a driver (RFC 7443 ALPN, RFC 9325 settings). The test server's side is here too, so that one file
 * knows how OpenSSL is driven. */
#ifndef FLOE_TLS_TLS_STREAM_H
#define FLOE_TLS_TLS_STREAM_H

#include "base/alloc.h"
#include "floe/cause.h"
#include "floe/event.h"

typedef enum floe__tls_state {
  FLOE__TLS_HANDSHAKE = 0,
  FLOE__TLS_OPEN,   /* verified; bytes flow */
  FLOE__TLS_ENDED,  /* close_notify received */
  FLOE__TLS_FAILED  /* outcome.cause */
} floe__tls_state;

typedef struct floe__tls floe__tls;

/* What a client session needs. */
typedef struct floe__tls_client_config {
  const char *server_name; /* DNS name for SNI and verification; NULL when `server_ip` is used */
  const floe_addr *server_ip; /* literal address to verify instead; no SNI (RFC 6066 3) */
  floe_bytes ca_pem;       /* trusted beside the system's store; borrowed for the call */
  bool insecure;           /* verify nothing, but still record what is wrong in info.verify_* */
} floe__tls_client_config;

/* A client session that has not sent anything yet. NULL: out of memory, or `ca_pem` holds no certificate (checked with
 * floe__tls_check_ca before). The trust store is read once per env and CA, on first use. */
floe__tls *floe__tls_client_new(floe_env *env, const floe__tls_client_config *cfg, floe_time now);
void floe__tls_free(floe__tls *tls); /* NULL is fine */

/* How many certificates the PEM text holds; 0 = none, so it is no CA file. */
size_t floe__tls_check_ca(floe_env *env, floe_bytes ca_pem);

/* Starts the handshake: a ClientHello is ready in floe__tls_take_output. */
void floe__tls_start(floe__tls *tls, floe_time now);
/* Bytes from the stream. Ask for the state, output and plain text afterwards. */
void floe__tls_on_bytes(floe__tls *tls, floe_bytes bytes, floe_time now);
/* The stream ended (FIN). In HANDSHAKE the state becomes FAILED with tcp_closed. */
void floe__tls_on_end(floe__tls *tls);

floe__tls_state floe__tls_state_of(const floe__tls *tls);
/* In FAILED: tls_not_tls, tls_alert, tls_untrusted, tls_expired, tls_name_mismatch, tcp_closed. */
floe_cause floe__tls_cause(const floe__tls *tls);
/* What is known of session and certificate; valid as long as the session; strings are owned by it. */
const floe_tls_info *floe__tls_info_of(const floe__tls *tls);

/* Encrypts plain text of the application. False: not OPEN, or out of memory. */
bool floe__tls_write(floe__tls *tls, floe_bytes plain);
/* Asks for close_notify to be sent. */
void floe__tls_shutdown(floe__tls *tls);
/* Bytes to be sent on the stream, valid until the next call; empty when there are none. Call floe__tls_sent after. */
floe_bytes floe__tls_output(floe__tls *tls);
void floe__tls_sent(floe__tls *tls, size_t n);
/* Decrypted bytes, at most `cap`; 0 when there are none now. */
size_t floe__tls_read(floe__tls *tls, uint8_t *buf, size_t cap);

/* --- the server's side, for the test server ------------------------------------------------------------------- */

/* A server session with a certificate chain and key in PEM. `alpn` nullable. NULL: the PEM cannot be used, or no memory. */
floe__tls *floe__tls_server_new(floe_env *env, floe_bytes cert_pem, floe_bytes key_pem);

/* --- certificates made on the spot (test server, demo; later DTLS) ---------------------------------------------- */

typedef struct floe__cert_config {
  const char *subject_cn;
  const char *dns_names; /* nullable: comma-separated subjectAltName DNS entries */
  const char *ip_names;  /* nullable: comma-separated subjectAltName IP entries */
  int64_t not_before, not_after; /* seconds since 1970 */
  bool is_ca;
  floe_bytes issuer_cert_pem, issuer_key_pem; /* empty = self-signed */
} floe__cert_config;

/* ECDSA P-256. Returns NUL-terminated PEM texts; out: caller frees with floe__free (key: floe__free_secret). */
bool floe__cert_make(floe_env *env, const floe__cert_config *cfg, char **cert_pem, char **key_pem);

#endif
