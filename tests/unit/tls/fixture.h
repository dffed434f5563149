/* Certificates and a wire in memory for the tests of src/tls. */
#ifndef FLOE_TESTS_UNIT_TLS_FIXTURE_H
#define FLOE_TESTS_UNIT_TLS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <string.h>

#include "floe/env.h"
#include "tls/tls_stream.h"

/* 2025-06-01 00:00:00 UTC: "today" of every test. */
#define TODAY ((int64_t)1748736000)
#define DAY   ((int64_t)86400)

typedef struct identity {
  char *cert;
  char *key;
} identity;

static inline floe_bytes text_bytes(const char *text) {
  return (floe_bytes){.ptr = (const uint8_t *)text, .len = text == NULL ? 0 : strlen(text)};
}

static inline floe_env *make_env(void) {
  floe_env *env = NULL;
  assert_int_equal(floe_env_new(&env, NULL), FLOE_OK);
  floe_env_set_unix_time(env, 0, TODAY * 1000);
  return env;
}

/* A certificate for `dns` and `ip`, valid from `from` to `to` days from today, signed by `ca` or by itself. */
static inline identity make_identity(floe_env *env, const char *cn, const char *dns, const char *ip, int64_t from,
                                     int64_t to, const identity *ca, bool is_ca) {
  identity id = {0};
  floe__cert_config cfg = {.subject_cn = cn,
                           .dns_names = dns,
                           .ip_names = ip,
                           .not_before = TODAY + from * DAY,
                           .not_after = TODAY + to * DAY,
                           .is_ca = is_ca};
  if (ca != NULL) {
    cfg.issuer_cert_pem = text_bytes(ca->cert);
    cfg.issuer_key_pem = text_bytes(ca->key);
  }
  assert_true(floe__cert_make(env, &cfg, &id.cert, &id.key));
  return id;
}

static inline void free_identity(floe_env *env, identity *id) {
  floe__free(env, id->cert);
  if (id->key != NULL) floe__free_secret(env, id->key, strlen(id->key));
  *id = (identity){0};
}

#endif
