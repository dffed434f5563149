/* Certificates and a wire in memory for the tests of src/tls. */
#ifndef FLOE_TESTS_UNIT_TLS_FIXTURE_H
#define FLOE_TESTS_UNIT_TLS_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "floe/env.h"
#include "support/cmocka.h"
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

/* POSIX; hidden by -std=c11. */
int setenv(const char *name, const char *value, int overwrite);

/* An env whose system store is empty: no host's authorities matter here, and reading them takes long. */
static inline floe_env *make_env(void) {
  assert_int_equal(setenv("SSL_CERT_FILE", "/nonexistent", 1), 0);
  assert_int_equal(setenv("SSL_CERT_DIR", "/nonexistent", 1), 0);
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

/* A client and a server with a wire in memory between them. */
typedef struct wire {
  floe__tls *client;
  floe__tls *server;
  floe_time now;
  size_t chunk; /* bytes per delivery, 0 = all there are */
} wire;

static inline size_t deliver(wire *l, floe__tls *from, floe__tls *to) {
  floe_bytes out = floe__tls_output(from);
  if (out.len == 0) return 0;
  const size_t n = l->chunk == 0 || l->chunk > out.len ? out.len : l->chunk;
  uint8_t *copy = malloc(n); /* exactly as long, so that a read past its end is seen */
  assert_non_null(copy);
  memcpy(copy, out.ptr, n);
  floe__tls_sent(from, n);
  floe__tls_on_bytes(to, (floe_bytes){.ptr = copy, .len = n}, l->now);
  free(copy);
  return n;
}

/* Until nothing is under way. Returns the bytes that went to the client. */
static inline size_t pump(wire *l) {
  size_t to_client = 0;
  size_t moved = 0;
  do {
    moved = deliver(l, l->client, l->server);
    const size_t back = deliver(l, l->server, l->client);
    to_client += back;
    moved += back;
  } while (moved > 0);
  return to_client;
}

static inline void start(wire *l) {
  assert_non_null(l->client);
  assert_non_null(l->server);
  floe__tls_start(l->client, l->now);
  floe__tls_start(l->server, l->now);
}

static inline void free_wire(wire *l) {
  floe__tls_free(l->client);
  floe__tls_free(l->server);
  *l = (wire){0};
}

#endif
