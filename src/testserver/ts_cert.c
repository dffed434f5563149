/* The server's certificates, good and bad, all made on the spot. */
#include <stdio.h>
#include <string.h>

#include "testserver/ts_internal.h"

#define DAY_S (24 * 60 * 60)

static floe_bytes bytes_of(const char *text) {
  return (floe_bytes){(const uint8_t *)text, strlen(text)};
}

bool floe__ts_make_ca(floe__testserver *ts) {
  if (ts->ca_pem != NULL) return true;
  const floe__cert_config cfg = {.subject_cn = "Floe testserver authority",
                                 .not_before = ts->cfg.unix_s - 2 * DAY_S,
                                 .not_after = ts->cfg.unix_s + 365 * DAY_S,
                                 .is_ca = true};
  return floe__cert_make(ts->env, &cfg, &ts->ca_pem, &ts->ca_key);
}

static bool needs_cert(floe__ts_tls_fault fault) {
  switch (fault) {
    case FLOE__TS_TLS_GOOD:
    case FLOE__TS_TLS_EXPIRED:
    case FLOE__TS_TLS_SELF_SIGNED:
    case FLOE__TS_TLS_OTHER_NAME: return true;
    case FLOE__TS_TLS_PLAIN_TEXT:
    case FLOE__TS_TLS_HANGS:
    case FLOE__TS_TLS_ALERT: break;
  }
  return false;
}

bool floe__ts_make_cert(floe__testserver *ts, floe__ts_port *port) {
  floe__ts_tls_fault fault = port->script.tls;
  if (!needs_cert(fault)) return true;
  floe__cert_config cfg = {.subject_cn = ts->cfg.cert_name,
                           .dns_names = ts->cfg.cert_name,
                           .ip_names = "127.0.0.1,::1",
                           .not_before = ts->cfg.unix_s - 2 * DAY_S,
                           .not_after = ts->cfg.unix_s + 90 * DAY_S};
  if (fault == FLOE__TS_TLS_EXPIRED) cfg.not_after = ts->cfg.unix_s - DAY_S;
  if (fault == FLOE__TS_TLS_OTHER_NAME) {
    cfg.subject_cn = cfg.dns_names = "other.floe.test";
    cfg.ip_names = NULL;
  }
  if (fault != FLOE__TS_TLS_SELF_SIGNED) {
    if (!floe__ts_make_ca(ts)) return false;
    cfg.issuer_cert_pem = bytes_of(ts->ca_pem);
    cfg.issuer_key_pem = bytes_of(ts->ca_key);
  }
  return floe__cert_make(ts->env, &cfg, &port->cert_pem, &port->key_pem);
}
