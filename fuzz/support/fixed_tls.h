/* TLS without chance: an env, certificates and sessions that are the same in each run, so that the recorded flights of
 * a server fit the session that the fuzz target makes. */
#ifndef FLOE_FUZZ_FIXED_TLS_H
#define FLOE_FUZZ_FIXED_TLS_H

#include "floe/env.h"
#include "tls/tls_stream.h"

/* 2025-06-01 00:00:00 UTC */
#define FIXED_TODAY ((int64_t)1748736000)
#define FIXED_NAME  "turn.example.org"

/* Whose randomness libcrypto hands out from now on: each role has a stream of its own, which starts anew here. */
typedef enum fixed_role { FIXED_SETUP = 0, FIXED_CLIENT, FIXED_SERVER } fixed_role;
void fixed_role_restart(fixed_role role);
/* As above, going on where the role's stream was. */
void fixed_role_resume(fixed_role role);

typedef struct fixed_tls {
  floe_env *env;
  char *ca_pem, *ca_key;
} fixed_tls;

/* Made once per process and never freed. Takes libcrypto's generator over. */
const fixed_tls *fixed_tls_get(void);

/* How the fuzz target's input chooses a client: the bits of its first byte. */
#define FIXED_INSECURE 0x01
#define FIXED_BY_IP    0x02
#define FIXED_FIN      0x04 /* the stream ends after the bytes */
#define FIXED_COMPARE  0x08 /* a second session gets all bytes at once and must end the same */
#define FIXED_LATER    0x10 /* a year later */
#define FIXED_ALPN     0x20

floe__tls *fixed_client_new(unsigned flags);

#endif
