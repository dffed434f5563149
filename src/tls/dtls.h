/* One DTLS session over datagrams, through memory buffers (RFC 6347, RFC 8827 6.5, RFC 8842): the peer's certificate is
 * judged by the fingerprints of its description alone. 1.2, and 1.3 where the linked libssl has it.
 *
 *     floe__dtls_start(dtls, now);                 send floe__dtls_next_datagram until there is none
 *     floe__dtls_on_datagram(dtls, bytes, now);    send; floe__dtls_read until 0; then look at the state
 *     floe__dtls_on_deadline(dtls, now);           send; look at the state
 *
 * libssl's retransmission timer reads gettimeofday; what is left of it is laid on the core's clock, and asked again
 * when that moment has come (docs/architecture.md). The time-out of the whole handshake is on the core's clock alone.
 * A datagram that is no record, or is not authentic, is discarded silently (RFC 6347 4.1.2.7). */
#ifndef FLOE_TLS_DTLS_H
#define FLOE_TLS_DTLS_H

#include "base/deadline.h"
#include "floe/cause.h"
#include "tls/certificate.h"

typedef enum floe__dtls_state {
  FLOE__DTLS_NEW = 0,
  FLOE__DTLS_HANDSHAKE,
  FLOE__DTLS_OPEN,   /* the peer's certificate fits a fingerprint; datagrams flow */
  FLOE__DTLS_CLOSED, /* close_notify of the peer, or floe__dtls_close */
  FLOE__DTLS_FAILED  /* floe__dtls_info_of(...)->cause says why; an alert for the peer may be in the output */
} floe__dtls_state;

typedef struct floe__dtls floe__dtls;

typedef struct floe__dtls_config {
  const floe_certificate *certificate; /* shown to the peer; borrowed for the call (libcrypto counts its references) */
  bool is_client;                      /* a=setup:active */
  const floe__fingerprint *fingerprints; /* copies: the peer's, at least one */
  size_t n_fingerprints;
  size_t mtu;          /* [1200] largest datagram in bytes; handshake messages are fragmented to fit */
  uint32_t timeout_ms; /* [30000] for the handshake, on the core's clock: then FAILED with dtls_timeout */
  uint32_t rto_ms;     /* [250] until a flight is sent again, doubled up to 3 s; 50 to 60000. RFC 9147 5.8.2 wants 1000
                          unless something is known about the round trip: here ICE has just measured it */
  void (*keylog)(void *user, const char *line); /* nullable: one line of the NSS key log format */
  void *keylog_user;
} floe__dtls_config;

typedef struct floe__dtls_info {
  floe_cause cause; /* FAILED: dtls_fingerprint, dtls_alert, dtls_timeout; else NONE */
  bool has_alert_received, has_alert_sent;
  uint8_t alert_received, alert_sent; /* descriptions (RFC 8446 6) */
  const char *text;    /* nullable: what libssl says, or which fingerprint was found and expected; owned */
  const char *version; /* nullable: "DTLSv1.2"; a literal */
  const char *cipher;  /* nullable: IANA's name, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"; a literal */
  const char *group;   /* nullable: "x25519", "secp256r1", "secp384r1"; a literal */
  X509 *peer;          /* nullable: the peer's certificate as soon as it is known; borrowed */
  uint32_t datagrams_discarded;
} floe__dtls_info;

/* A session that has not sent anything yet. NULL: out of memory. */
floe__dtls *floe__dtls_new(floe_env *env, const floe__dtls_config *cfg, floe_time now);
void floe__dtls_free(floe__dtls *dtls); /* NULL is fine */

/* Starts the handshake: a client has a ClientHello to send, a server waits; its time-out runs from here. */
void floe__dtls_start(floe__dtls *dtls, floe_time now);
/* One datagram of the peer; several records may be in it. */
void floe__dtls_on_datagram(floe__dtls *dtls, floe_bytes datagram, floe_time now);
void floe__dtls_on_deadline(floe__dtls *dtls, floe_time now);
floe__deadline floe__dtls_deadline(const floe__dtls *dtls);

floe__dtls_state floe__dtls_state_of(const floe__dtls *dtls);
const floe__dtls_info *floe__dtls_info_of(const floe__dtls *dtls);

/* One datagram of application data, sent as one record. False: not OPEN, too large for a record, or out of memory: then
 * it is lost as any datagram may be. */
bool floe__dtls_write(floe__dtls *dtls, floe_bytes plain, floe_time now);
/* The most that floe__dtls_write can take for a datagram of at most `mtu` bytes with the cipher in use; before OPEN a
 * safe guess. */
size_t floe__dtls_payload(const floe__dtls *dtls);
/* The path turned out to be narrower or wider. */
void floe__dtls_set_mtu(floe__dtls *dtls, size_t mtu);
/* Sends close_notify; CLOSED. Nothing before OPEN. */
void floe__dtls_close(floe__dtls *dtls, floe_time now);

/* The next datagram to be sent; false when there is none. Valid until the next call. */
bool floe__dtls_next_datagram(floe__dtls *dtls, floe_bytes *out);
/* The next decrypted record, at most `cap` bytes (16384 is always enough); 0 when there is none now. */
size_t floe__dtls_read(floe__dtls *dtls, uint8_t *buf, size_t cap);

/* The fingerprints of a later description, for the same session: true when the peer's certificate fits them, so that
 * it goes on; false: another session is needed (RFC 8842 5). Before OPEN they take the place of the old ones. */
bool floe__dtls_update_fingerprints(floe__dtls *dtls, const floe__fingerprint *list, size_t n);

#endif
