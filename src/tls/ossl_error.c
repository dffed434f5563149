#include "tls/ossl_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

static floe_cause cause_of_reason(int reason, bool in_handshake) {
  switch (reason) {
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: return FLOE_CAUSE_TCP_CLOSED;
    case SSL_R_WRONG_VERSION_NUMBER: /* of a record, whose first bytes are no record header */
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST: return in_handshake ? FLOE_CAUSE_TLS_NOT_TLS : FLOE_CAUSE_TLS_ALERT;
    default: return FLOE_CAUSE_TLS_ALERT;
  }
}

floe_cause floe__ossl_take_cause(bool in_handshake) {
  floe_cause cause = FLOE_CAUSE_TLS_ALERT;
  unsigned long e = 0;
  while ((e = ERR_get_error()) != 0) {
    if (ERR_GET_LIB(e) != ERR_LIB_SSL || cause != FLOE_CAUSE_TLS_ALERT) continue;
    cause = cause_of_reason(ERR_GET_REASON(e), in_handshake);
  }
  return cause;
}

void floe__verify_log_add(floe__verify_log *log, int error) {
  if (error == X509_V_OK || log->n == FLOE__VERIFY_LOG_MAX) return;
  for (size_t i = 0; i < log->n; i++) {
    if (log->errors[i] == error) return;
  }
  log->errors[log->n++] = error;
}

floe_cause floe__verify_cause(int error) {
  switch (error) {
    case X509_V_OK: return FLOE_CAUSE_NONE;
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED: return FLOE_CAUSE_TLS_EXPIRED;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return FLOE_CAUSE_TLS_NAME_MISMATCH;
    default: return FLOE_CAUSE_TLS_UNTRUSTED;
  }
}

int floe__verify_log_main(const floe__verify_log *log) {
  int main_error = X509_V_OK;
  for (size_t i = 0; i < log->n; i++) {
    /* The causes are numbered in the contract's order, the one that says most last. */
    if (floe__verify_cause(log->errors[i]) > floe__verify_cause(main_error)) main_error = log->errors[i];
  }
  return main_error;
}

static void append(char *buf, size_t cap, const char *text) {
  size_t len = strlen(buf);
  (void)snprintf(buf + len, cap - len, "%s", text);
}

const char *floe__verify_log_text(const floe__verify_log *log, char *buf, size_t cap) {
  buf[0] = '\0';
  if (log->n == 0) return buf;
  int main_error = floe__verify_log_main(log);
  append(buf, cap, X509_verify_cert_error_string(main_error));
  const char *between = "; also: ";
  for (size_t i = 0; i < log->n; i++) {
    if (log->errors[i] == main_error) continue;
    append(buf, cap, between);
    append(buf, cap, X509_verify_cert_error_string(log->errors[i]));
    between = ", ";
  }
  return buf;
}

/* The alerts of RFC 8446 6 that OpenSSL 3.0 sends and receives but has no words for. */
static const char *text_of_new_alert(uint8_t alert) {
  switch (alert) {
    case SSL_AD_INAPPROPRIATE_FALLBACK: return "inappropriate fallback";
    case SSL_AD_MISSING_EXTENSION: return "missing extension";
    case SSL_AD_CERTIFICATE_REQUIRED: return "certificate required";
    case SSL_AD_NO_APPLICATION_PROTOCOL: return "no application protocol";
    default: return NULL;
  }
}

const char *floe__alert_text(uint8_t alert) {
  const char *text = text_of_new_alert(alert);
  if (text != NULL) return text;
  text = SSL_alert_desc_string_long(alert);
  return strcmp(text, "unknown") == 0 ? NULL : text;
}
