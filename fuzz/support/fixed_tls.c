/* OpenSSL 3 keeps RAND_METHOD only as deprecated; it is still the one way to replace the generator of a whole process.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "support/fixed_tls.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static uint64_t streams[3];
static fixed_role current;

/* splitmix64, by Sebastiano Vigna (public domain) */
static uint64_t draw(void) {
  streams[current] += UINT64_C(0x9E3779B97F4A7C15);
  uint64_t z = streams[current];
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static int draw_bytes(unsigned char *out, int len) {
  for (int i = 0; i < len; i++) out[i] = (unsigned char)draw();
  return 1;
}

static int is_seeded(void) {
  return 1;
}

static const RAND_METHOD fixed_method = {.bytes = draw_bytes, .pseudorand = draw_bytes, .status = is_seeded};

void fixed_role_resume(fixed_role role) {
  current = role;
}

void fixed_role_restart(fixed_role role) {
  current = role;
  streams[role] = (uint64_t)role << 32;
}

static fixed_tls make(void) {
  fixed_tls t = {0};
  if (RAND_set_rand_method(&fixed_method) != 1) abort();
  fixed_role_restart(FIXED_SETUP);
  if (floe_env_new(&t.env, NULL) != FLOE_OK) abort();
  floe_env_set_unix_time(t.env, 0, FIXED_TODAY * 1000);
  const floe__cert_config cfg = {.subject_cn = "Fuzz CA",
                                 .not_before = FIXED_TODAY - 86400,
                                 .not_after = FIXED_TODAY + 3650 * (int64_t)86400,
                                 .is_ca = true};
  if (!floe__cert_make(t.env, &cfg, &t.ca_pem, &t.ca_key)) abort();
  return t;
}

static floe__tls *make_client(const fixed_tls *t, unsigned flags) {
  floe_addr ip;
  if (!floe_addr_parse(&ip, "192.0.2.1")) abort();
  const bool by_ip = (flags & FIXED_BY_IP) != 0;
  const floe__tls_client_config cfg = {.server_name = by_ip ? NULL : FIXED_NAME,
                                       .server_ip = by_ip ? &ip : NULL,
                                       .ca_pem = {(const uint8_t *)t->ca_pem, strlen(t->ca_pem)},
                                       .insecure = (flags & FIXED_INSECURE) != 0,
                                       .alpn = (flags & FIXED_ALPN) != 0 ? FLOE__TLS_ALPN_TURN : NULL};
  fixed_role_restart(FIXED_CLIENT);
  floe__tls *tls = floe__tls_client_new(t->env, &cfg, (flags & FIXED_LATER) != 0 ? 365 * 86400 * FLOE_SECOND : 0);
  if (tls == NULL) abort();
  return tls;
}

const fixed_tls *fixed_tls_get(void) {
  static fixed_tls t;
  if (t.env != NULL) return &t;
  t = make();
  /* The first session makes the context, which draws too; later ones do not. */
  floe__tls_free(make_client(&t, 0));
  return &t;
}

floe__tls *fixed_client_new(unsigned flags) {
  return make_client(fixed_tls_get(), flags);
}
