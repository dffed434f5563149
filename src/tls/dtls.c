#include "tls/dtls.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "base/assert.h"
#include "base/trace.h"
#include "tls/dtls_internal.h"
#include "tls/fingerprint.h"
#include "tls/ossl_error.h"
#include "tls/trust.h"

#define DEFAULT_MTU        1200
#define DEFAULT_TIMEOUT_MS 30000
#define DEFAULT_RTO_MS     250
#define MIN_RTO_MS         50
/* RFC 6347 4.2.4.1 would double it up to 60 s; the whole handshake has half of that. A time-out each 3 s on a path that
 * ICE keeps alive with more than that is no load, and leaves 12 tries: 30 % loss both ways defeats one of 3000. */
#define MAX_RTO_MS   3000
#define RTO_LIMIT_MS 60000
/* libssl takes no MTU below; and above, its buffer of a flight would be cut in the middle of a record. */
#define MIN_MTU        256
#define MAX_FLIGHT_MTU 4096
/* libssl forgets the explicit nonce and the tag of an AEAD when it fills a datagram with the end of a flight. */
#define FORGOTTEN (8 + 16)
/* An OPEN session without traffic for so long gives libssl's two record buffers back: half of what it takes. */
#define IDLE_MS 1000
/* What datagrams that nobody reads may take. */
#define IN_MAX (256U << 10)
/* Record header, explicit nonce and tag of AES-GCM in DTLS 1.2: of our ciphers the most (RFC 5288 3). */
#define MAX_OVERHEAD (DTLS1_RT_HEADER_LENGTH + 8 + 16)

/* --- state -------------------------------------------------------------------------------------------------------- */

static const char *state_name(floe__dtls_state state) {
  switch (state) {
    case FLOE__DTLS_NEW: return "new";
    case FLOE__DTLS_HANDSHAKE: return "handshake";
    case FLOE__DTLS_OPEN: return "open";
    case FLOE__DTLS_CLOSED: return "closed";
    case FLOE__DTLS_FAILED: return "failed";
  }
  return "unknown";
}

static bool may_go(floe__dtls_state from, floe__dtls_state to) {
  switch (from) {
    case FLOE__DTLS_NEW: return to == FLOE__DTLS_HANDSHAKE;
    case FLOE__DTLS_HANDSHAKE: return to == FLOE__DTLS_OPEN || to == FLOE__DTLS_FAILED;
    case FLOE__DTLS_OPEN: return to == FLOE__DTLS_CLOSED || to == FLOE__DTLS_FAILED;
    case FLOE__DTLS_CLOSED:
    case FLOE__DTLS_FAILED: return false;
  }
  return false;
}

static void trace(const floe__dtls *dtls, floe__dtls_state to, floe_cause cause) {
  const floe__dtls_info *info = &dtls->info;
  floe__trace t;
  if (!floe__trace_begin(&t, dtls->env, dtls->now, "dtls.state")) return;
  floe__trace_text(&t, "from", state_name(dtls->state));
  floe__trace_text(&t, "to", state_name(to));
  floe__trace_text(&t, "role", SSL_is_server(dtls->ssl) == 1 ? "server" : "client");
  if (to == FLOE__DTLS_OPEN) {
    floe__trace_text(&t, "version", info->version);
    floe__trace_text(&t, "cipher", info->cipher);
    floe__trace_text(&t, "group", info->group);
    floe__trace_text(&t, "fingerprint", floe__fingerprints_hash(dtls->fingerprints, dtls->n_fingerprints));
  }
  if (cause != FLOE_CAUSE_NONE) {
    floe__trace_text(&t, "cause", floe_cause_id(cause));
    floe__trace_int(&t, "certificate", dtls->peer != NULL);
  }
  if (info->has_alert_received) floe__trace_int(&t, "alert_received", info->alert_received);
  if (info->has_alert_sent) floe__trace_int(&t, "alert_sent", info->alert_sent);
  floe__trace_end(&t);
}

static void go(floe__dtls *dtls, floe__dtls_state to, floe_cause cause) {
  FLOE__ASSERT(may_go(dtls->state, to));
  FLOE__ASSERT((to == FLOE__DTLS_FAILED) == (cause != FLOE_CAUSE_NONE));
  trace(dtls, to, cause);
  dtls->state = to;
  dtls->info.cause = cause;
  dtls->fail_at = to == FLOE__DTLS_HANDSHAKE ? floe__after_ms(dtls->now, dtls->timeout_ms) : FLOE_TIME_NEVER;
  dtls->idle_at = to == FLOE__DTLS_OPEN ? floe__after_ms(dtls->now, IDLE_MS) : FLOE_TIME_NEVER;
  if (to == FLOE__DTLS_CLOSED || to == FLOE__DTLS_FAILED) dtls->retransmit_at = FLOE_TIME_NEVER;
}

/* libssl's name depends on the version: it calls the curve prime256v1 in TLS 1.2. */
static const char *name_of_group(int nid) {
  switch (nid) {
    case NID_X25519: return "x25519";
    case NID_X9_62_prime256v1: return "secp256r1";
    case NID_secp384r1: return "secp384r1";
    default: return NULL;
  }
}

static void note_session(floe__dtls *dtls) {
  dtls->info.version = SSL_get_version(dtls->ssl);
  const SSL_CIPHER *cipher = SSL_get_current_cipher(dtls->ssl);
  if (cipher != NULL) dtls->info.cipher = SSL_CIPHER_standard_name(cipher);
  dtls->info.group = name_of_group((int)SSL_get_negotiated_group(dtls->ssl));
}

/* This thread's queue of errors is empty as a rule, and ERR_clear_error walks through all its places nevertheless: with
 * two calls for each datagram that was a tenth of all time. */
static void clear_errors(void) {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

/* --- failing ------------------------------------------------------------------------------------------------------ */

/* The first error of this thread's queue, which is empty afterwards: what led to the others. */
static const char *take_reason(void) {
  const char *reason = ERR_reason_error_string(ERR_get_error());
  clear_errors();
  return reason;
}

/* What the peer said explains more than what libssl makes of it; what libssl says more than the alert it sent. */
static void describe_failure(floe__dtls *dtls, const char *reason) {
  char text[160];
  const floe__dtls_info *info = &dtls->info;
  if (info->has_alert_received) {
    const uint8_t alert = info->alert_received;
    const char *name = floe__alert_text(alert);
    (void)snprintf(text, sizeof text, "the peer sent %salert %u (%s)", alert == SSL_AD_CLOSE_NOTIFY ? "" : "fatal ",
                   (unsigned)alert, name == NULL ? "unknown" : name);
    reason = text;
  }
  floe__dtls_set_text(dtls, reason == NULL ? NULL : floe__strdup(dtls->env, reason));
}

/* A mismatch that verification found is the reason for the alert that went out after it. */
static void fail(floe__dtls *dtls) {
  const char *reason = take_reason();
  if (dtls->is_mismatch) {
    go(dtls, FLOE__DTLS_FAILED, FLOE_CAUSE_DTLS_FINGERPRINT);
    return;
  }
  describe_failure(dtls, reason);
  go(dtls, FLOE__DTLS_FAILED, FLOE_CAUSE_DTLS_ALERT);
}

/* close_notify of the peer. RFC 5246 7.2.1: it is answered with one. */
static void on_close_notify(floe__dtls *dtls) {
  if (dtls->state == FLOE__DTLS_HANDSHAKE) {
    fail(dtls);
    return;
  }
  (void)SSL_shutdown(dtls->ssl);
  clear_errors();
  go(dtls, FLOE__DTLS_CLOSED, FLOE_CAUSE_NONE);
}

/* What a call of libssl that did nothing meant. */
static void settle(floe__dtls *dtls, int result) {
  switch (SSL_get_error(dtls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return;
    case SSL_ERROR_ZERO_RETURN: on_close_notify(dtls); return;
    default: fail(dtls);
  }
}

/* --- the clock ---------------------------------------------------------------------------------------------------- */

/* For DTLS_set_timer_cb: how long the next flight is waited for after `previous_us`; 0 asks for the first. */
static unsigned int choose_timeout(SSL *ssl, unsigned int previous_us) {
  const floe__dtls *dtls = SSL_get_app_data(ssl);
  const unsigned int most_us = (dtls->rto_ms > MAX_RTO_MS ? dtls->rto_ms : MAX_RTO_MS) * 1000;
  if (previous_us == 0) return dtls->rto_ms * 1000;
  return previous_us > most_us / 2 ? most_us : 2 * previous_us;
}

/* libssl's own clock says what is left of its timer. Where it is not due yet when asked again, or says 0 without doing
 * anything, a millisecond passes first: never a busy loop. */
static void arm_retransmission(floe__dtls *dtls) {
  struct timeval left = {0};
  dtls->retransmit_at = FLOE_TIME_NEVER;
  if (dtls->state != FLOE__DTLS_HANDSHAKE && dtls->state != FLOE__DTLS_OPEN) return;
  if (DTLSv1_get_timeout(dtls->ssl, &left) != 1) return;
  const uint64_t us = (uint64_t)left.tv_sec * 1000000 + (uint64_t)left.tv_usec;
  dtls->retransmit_at = dtls->now + (us < 1000 ? 1000 : us) * (FLOE_MS / 1000);
}

static void time_out(floe__dtls *dtls) {
  char text[160];
  (void)snprintf(text, sizeof text, "the handshake was not finished within %u ms; %s", (unsigned)dtls->timeout_ms,
                 dtls->peer != NULL ? "the peer's certificate had arrived" : "the peer's certificate had not arrived");
  floe__dtls_set_text(dtls, floe__strdup(dtls->env, text));
  go(dtls, FLOE__DTLS_FAILED, FLOE_CAUSE_DTLS_TIMEOUT);
}

/* libssl gives up after twelve times without an answer, and says so with an error. */
static void retransmit(floe__dtls *dtls) {
  clear_errors();
  if (DTLSv1_handle_timeout(dtls->ssl) < 0) {
    clear_errors();
    if (dtls->state == FLOE__DTLS_HANDSHAKE) time_out(dtls);
  }
  arm_retransmission(dtls);
}

/* libssl's record buffers are there from here on, for a while. False: out of memory. */
static bool use_buffers(floe__dtls *dtls) {
  dtls->used_at = dtls->now;
  if (dtls->idle_at != FLOE_TIME_NEVER) return true;
  if (SSL_alloc_buffers(dtls->ssl) != 1) return false;
  dtls->idle_at = floe__after_ms(dtls->now, IDLE_MS);
  return true;
}

static bool has_buffers(const floe__dtls *dtls) {
  return dtls->idle_at != FLOE_TIME_NEVER;
}

/* What was received and not read yet is in the buffers, and keeps them. */
static void release_buffers(floe__dtls *dtls) {
  const floe_time at = floe__after_ms(dtls->used_at, IDLE_MS);
  if (at > dtls->now) {
    dtls->idle_at = at;
    return;
  }
  if (floe__dgram_queue_size(&dtls->pipe.in) == 0) floe__dgram_queue_clear(dtls->env, &dtls->pipe.in);
  if (floe__dgram_queue_size(&dtls->pipe.out) == 0) floe__dgram_queue_clear(dtls->env, &dtls->pipe.out);
  dtls->idle_at = SSL_free_buffers(dtls->ssl) == 1 ? FLOE_TIME_NEVER : floe__after_ms(dtls->now, IDLE_MS);
}

void floe__dtls_on_deadline(floe__dtls *dtls, floe_time now) {
  dtls->now = now;
  if (now >= dtls->fail_at) {
    time_out(dtls);
    return;
  }
  if (now >= dtls->retransmit_at) retransmit(dtls);
  if (now >= dtls->idle_at) release_buffers(dtls);
}

floe__deadline floe__dtls_deadline(const floe__dtls *dtls) {
  const floe__deadline work = floe__earliest(floe__deadline_at(dtls->retransmit_at, "dtls.retransmit"),
                                             floe__deadline_at(dtls->fail_at, "dtls.handshake"));
  return floe__earliest(work, floe__deadline_at(dtls->idle_at, "dtls.idle"));
}

/* --- driving libssl ----------------------------------------------------------------------------------------------- */

/* What libssl is told. */
static size_t flight_mtu(const floe__dtls *dtls) {
  return (dtls->mtu > MAX_FLIGHT_MTU ? MAX_FLIGHT_MTU : dtls->mtu) - FORGOTTEN;
}

static void note_overhead(floe__dtls *dtls) {
  const size_t data = DTLS_get_data_mtu(dtls->ssl);
  const size_t mtu = flight_mtu(dtls);
  if (data > 0 && data < mtu) dtls->overhead = mtu - data;
}

/* Fingerprints may have been replaced after the certificate was judged. For an alert it is too late then. */
static void open_session(floe__dtls *dtls) {
  note_session(dtls);
  if (dtls->peer == NULL || !floe__dtls_judge(dtls)) {
    (void)SSL_shutdown(dtls->ssl);
    fail(dtls);
    return;
  }
  note_overhead(dtls);
  go(dtls, FLOE__DTLS_OPEN, FLOE_CAUSE_NONE);
}

static void shake_hands(floe__dtls *dtls) {
  clear_errors();
  const int result = SSL_do_handshake(dtls->ssl);
  if (result == 1) {
    open_session(dtls);
  } else {
    settle(dtls, result);
  }
  ERR_clear_error();
  arm_retransmission(dtls);
}

void floe__dtls_start(floe__dtls *dtls, floe_time now) {
  dtls->now = now;
  if (dtls->state != FLOE__DTLS_NEW) return;
  go(dtls, FLOE__DTLS_HANDSHAKE, FLOE_CAUSE_NONE);
  shake_hands(dtls);
}

void floe__dtls_on_datagram(floe__dtls *dtls, floe_bytes datagram, floe_time now) {
  dtls->now = now;
  const bool is_running = dtls->state == FLOE__DTLS_HANDSHAKE || dtls->state == FLOE__DTLS_OPEN;
  if (!is_running || !floe__dgram_is_record(datagram) || floe__dgram_queue_size(&dtls->pipe.in) > IN_MAX ||
      !floe__dgram_queue_add(dtls->env, &dtls->pipe.in, datagram)) {
    dtls->info.datagrams_discarded++;
    return;
  }
  if (dtls->state == FLOE__DTLS_HANDSHAKE)
    shake_hands(dtls);
  else
    (void)use_buffers(dtls); /* without memory it stays in the queue until the next one comes */
}

/* Datagrams of application data that gave no plain text were not authentic, or came twice. */
static void count_discarded(floe__dtls *dtls, uint32_t taken_before, bool has_plain) {
  const uint32_t taken = dtls->pipe.n_data_taken - taken_before;
  dtls->info.datagrams_discarded += has_plain && taken > 0 ? taken - 1 : taken;
}

size_t floe__dtls_read(floe__dtls *dtls, uint8_t *buf, size_t cap) {
  if (dtls->state != FLOE__DTLS_OPEN || cap == 0 || !has_buffers(dtls)) return 0;
  clear_errors();
  size_t n = 0;
  const uint32_t taken = dtls->pipe.n_data_taken;
  const int result = SSL_read_ex(dtls->ssl, buf, cap, &n);
  count_discarded(dtls, taken, result == 1);
  if (result != 1) {
    settle(dtls, result);
    ERR_clear_error();
    arm_retransmission(dtls);
  }
  return n;
}

bool floe__dtls_write(floe__dtls *dtls, floe_bytes plain, floe_time now) {
  dtls->now = now;
  if (dtls->state != FLOE__DTLS_OPEN || plain.len > SSL3_RT_MAX_PLAIN_LENGTH) return false;
  if (plain.len == 0) return true; /* a record without content says nothing */
  if (!use_buffers(dtls)) return false;
  clear_errors();
  size_t written = 0;
  dtls->pipe.has_lost = false;
  const bool ok = SSL_write_ex(dtls->ssl, plain.ptr, plain.len, &written) == 1;
  clear_errors();
  return ok && !dtls->pipe.has_lost;
}

void floe__dtls_close(floe__dtls *dtls, floe_time now) {
  dtls->now = now;
  if (dtls->state != FLOE__DTLS_OPEN) return;
  if (use_buffers(dtls)) (void)SSL_shutdown(dtls->ssl);
  clear_errors();
  go(dtls, FLOE__DTLS_CLOSED, FLOE_CAUSE_NONE);
}

bool floe__dtls_next_datagram(floe__dtls *dtls, floe_bytes *out) {
  if (dtls->is_holding) floe__dgram_queue_drop(dtls->env, &dtls->pipe.out);
  *out = floe__dgram_queue_peek(&dtls->pipe.out);
  dtls->is_holding = out->len > 0;
  return dtls->is_holding;
}

/* --- asking and telling ------------------------------------------------------------------------------------------- */

floe__dtls_state floe__dtls_state_of(const floe__dtls *dtls) {
  return dtls->state;
}

const floe__dtls_info *floe__dtls_info_of(const floe__dtls *dtls) {
  return &dtls->info;
}

size_t floe__dtls_payload(const floe__dtls *dtls) {
  const size_t payload = dtls->mtu - dtls->overhead;
  return payload < SSL3_RT_MAX_PLAIN_LENGTH ? payload : SSL3_RT_MAX_PLAIN_LENGTH;
}

void floe__dtls_set_mtu(floe__dtls *dtls, size_t mtu) {
  dtls->mtu = mtu < MIN_MTU ? MIN_MTU : mtu;
  (void)SSL_set_mtu(dtls->ssl, (long)flight_mtu(dtls));
}

bool floe__dtls_update_fingerprints(floe__dtls *dtls, const floe__fingerprint *list, size_t n) {
  const bool is_early = dtls->state == FLOE__DTLS_NEW || dtls->state == FLOE__DTLS_HANDSHAKE;
  if (is_early && !floe__dtls_keep_fingerprints(dtls, list, n)) return false;
  if (dtls->peer == NULL) return is_early;
  return floe__fingerprints_match(dtls->peer, list, n);
}

/* --- making sessions ---------------------------------------------------------------------------------------------- */

static bool attach(floe__dtls *dtls) {
  SSL_CTX *ctx = floe__trust_dtls_ctx(dtls->env, dtls->keylog != NULL);
  const BIO_METHOD *method = floe__trust_dgram_method(dtls->env);
  if (ctx == NULL || method == NULL) return false;
  dtls->ssl = SSL_new(ctx);
  if (dtls->ssl == NULL) return false;
  BIO *bio = floe__dgram_bio_new(method, &dtls->pipe);
  if (bio == NULL) return false;
  SSL_set_bio(dtls->ssl, bio, bio);
  DTLS_set_timer_cb(dtls->ssl, choose_timeout);
  return SSL_set_app_data(dtls->ssl, dtls) == 1;
}

static uint32_t choose_rto(uint32_t wanted_ms) {
  if (wanted_ms == 0) return DEFAULT_RTO_MS;
  if (wanted_ms < MIN_RTO_MS) return MIN_RTO_MS;
  return wanted_ms > RTO_LIMIT_MS ? RTO_LIMIT_MS : wanted_ms;
}

static bool set_up(floe__dtls *dtls, const floe__dtls_config *cfg) {
  if (!floe__dtls_keep_fingerprints(dtls, cfg->fingerprints, cfg->n_fingerprints) || !attach(dtls)) return false;
  if (SSL_use_certificate(dtls->ssl, cfg->certificate->x509) != 1) return false;
  if (SSL_use_PrivateKey(dtls->ssl, cfg->certificate->key) != 1) return false;
  if (cfg->is_client) {
    SSL_set_connect_state(dtls->ssl);
  } else {
    SSL_set_accept_state(dtls->ssl);
  }
  floe__dtls_set_mtu(dtls, cfg->mtu == 0 ? DEFAULT_MTU : cfg->mtu);
  return true;
}

floe__dtls *floe__dtls_new(floe_env *env, const floe__dtls_config *cfg, floe_time now) {
  floe__dtls *dtls = floe__zalloc(env, sizeof *dtls);
  if (dtls == NULL) return NULL;
  dtls->env = env;
  dtls->pipe.env = env;
  dtls->now = now;
  dtls->fail_at = FLOE_TIME_NEVER;
  dtls->retransmit_at = FLOE_TIME_NEVER;
  dtls->idle_at = FLOE_TIME_NEVER;
  dtls->timeout_ms = cfg->timeout_ms == 0 ? DEFAULT_TIMEOUT_MS : cfg->timeout_ms;
  dtls->rto_ms = choose_rto(cfg->rto_ms);
  dtls->overhead = MAX_OVERHEAD;
  dtls->keylog = cfg->keylog;
  dtls->keylog_user = cfg->keylog_user;
  const bool ok = set_up(dtls, cfg);
  clear_errors();
  if (ok) return dtls;
  floe__dtls_free(dtls);
  return NULL;
}

void floe__dtls_free(floe__dtls *dtls) {
  if (dtls == NULL) return;
  SSL_free(dtls->ssl);
  X509_free(dtls->peer);
  floe__dgram_queue_clear(dtls->env, &dtls->pipe.in);
  floe__dgram_queue_clear(dtls->env, &dtls->pipe.out);
  floe__free(dtls->env, dtls->fingerprints);
  floe__free(dtls->env, dtls->text);
  floe__free(dtls->env, dtls);
}
