/* Clients and servers with one good certificate, for the tests of the session machine. */
#ifndef FLOE_TESTS_UNIT_TLS_SESSION_H
#define FLOE_TESTS_UNIT_TLS_SESSION_H

#include "unit/tls/fixture.h"

static floe_env *env;
static identity ca, good;

static inline int set_up(void **state) {
  (void)state;
  env = make_env();
  ca = make_identity(env, "Test CA", NULL, NULL, -10, 3650, NULL, true);
  good = make_identity(env, "turn.example.org", "turn.example.org", "192.0.2.1", -1, 30, &ca, false);
  return 0;
}

static inline int tear_down(void **state) {
  (void)state;
  free_identity(env, &good);
  free_identity(env, &ca);
  floe_env_free(env);
  return 0;
}

static inline floe__tls *make_client(const char *alpn) {
  const floe__tls_client_config cfg = {.server_name = "turn.example.org", .ca_pem = text_bytes(ca.cert), .alpn = alpn};
  return floe__tls_client_new(env, &cfg, 0);
}

static inline floe__tls *make_server(floe__tls_server_config cfg) {
  cfg.cert_pem = text_bytes(good.cert);
  cfg.key_pem = text_bytes(good.key);
  return floe__tls_server_new_from(env, &cfg);
}

static inline wire make_wire(floe__tls_server_config cfg) {
  wire l = {.client = make_client(NULL), .server = make_server(cfg)};
  start(&l);
  return l;
}

static inline wire make_open_wire(int version) {
  wire l = make_wire((floe__tls_server_config){.only_version = version});
  (void)pump(&l);
  assert_int_equal(floe__tls_state_of(l.client), FLOE__TLS_OPEN);
  assert_int_equal(floe__tls_state_of(l.server), FLOE__TLS_OPEN);
  return l;
}

static inline void give(floe__tls *tls, const void *bytes, size_t len) {
  uint8_t *copy = malloc(len == 0 ? 1 : len);
  assert_non_null(copy);
  memcpy(copy, bytes, len);
  floe__tls_on_bytes(tls, (floe_bytes){.ptr = copy, .len = len}, 0);
  free(copy);
}

/* A client whose ClientHello has been sent. */
static inline floe__tls *make_waiting_client(void) {
  floe__tls *tls = make_client(NULL);
  assert_non_null(tls);
  floe__tls_start(tls, 0);
  const floe_bytes hello = floe__tls_output(tls);
  assert_true(hello.len > 100);
  floe__tls_sent(tls, hello.len);
  return tls;
}

static inline void expect_failed(const floe__tls *tls, floe_cause cause) {
  assert_int_equal(floe__tls_state_of(tls), FLOE__TLS_FAILED);
  assert_string_equal(floe_cause_id(floe__tls_cause(tls)), floe_cause_id(cause));
}

static inline void expect_alert(const floe__tls *tls, uint8_t alert, const char *text) {
  const floe_tls_info *info = floe__tls_info_of(tls);
  assert_true(info->has_alert);
  assert_int_equal(info->alert, alert);
  assert_string_equal(info->alert_text, text);
}

static inline void expect_plain(floe__tls *tls, const char *text) {
  uint8_t buf[256];
  const size_t n = floe__tls_read(tls, buf, sizeof buf);
  assert_int_equal(n, strlen(text));
  assert_memory_equal(buf, text, n);
}

#endif
