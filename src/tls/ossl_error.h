/* OpenSSL's words turned into ours: error queue, verification results, alerts. */
#ifndef FLOE_TLS_OSSL_ERROR_H
#define FLOE_TLS_OSSL_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "floe/cause.h"

/* Why a call of libssl failed with SSL_ERROR_SSL or SSL_ERROR_SYSCALL, by this thread's error queue, which is empty
 * afterwards. `in_handshake`: only there can bytes that are no TLS record mean that the peer does not speak TLS.
 * Never a verification cause: floe__verify_log knows that better. */
floe_cause floe__ossl_take_cause(bool in_handshake);

/* Everything that is wrong with one chain, in the order libcrypto found it. */
#define FLOE__VERIFY_LOG_MAX 8

typedef struct floe__verify_log {
  int errors[FLOE__VERIFY_LOG_MAX]; /* X509_V_ERR_..., each once */
  size_t n;
} floe__verify_log;

void floe__verify_log_add(floe__verify_log *log, int error);
/* The error to tell: the one whose cause says most, in the order of the contract's group 4 (untrusted, expired, name
 * mismatch); of equal ones the first. So a self-signed certificate that has also expired is tls_expired. X509_V_OK when
 * nothing is wrong. */
int floe__verify_log_main(const floe__verify_log *log);
/* libcrypto's sentence for the main error, then the others: "certificate has expired; also: self-signed certificate".
 * "" when nothing is wrong. Returns `buf`, cut to `cap`. */
const char *floe__verify_log_text(const floe__verify_log *log, char *buf, size_t cap);

/* tls_expired, tls_name_mismatch, else tls_untrusted; NONE for X509_V_OK. */
floe_cause floe__verify_cause(int error);

/* "unknown CA"; NULL for a number that no RFC names. A literal. */
const char *floe__alert_text(uint8_t alert);

#endif
