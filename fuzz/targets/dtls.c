/* Datagrams lost, repeated, turned round, changed and made up between two DTLS sessions, or into one alone. Input: a
 * byte of flags, then a program: each step is an opcode byte and what it takes. Time, keys and randomness are the same
 * in each run. */
#include "tls/dtls.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "support/fixed_tls.h"
#include "support/virtual_time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLAG_ALONE    0x01 /* one session, fed by the input */
#define FLAG_SERVER   0x02 /* that one is a server */
#define FLAG_MISMATCH 0x04 /* the client has another fingerprint */
#define FLAG_RSA      0x08
#define FLAG_SMALL    0x10 /* MTU 300 */

#define QUEUE_MAX  64
#define PLAIN_MARK 0xA5
#define DGRAM_MAX  18000

typedef struct dgram {
  uint8_t *bytes;
  size_t len;
} dgram;

typedef struct end {
  floe__dtls *dtls;         /* nullable */
  dgram waiting[QUEUE_MAX]; /* for it */
  size_t n;
} end;

typedef struct world {
  floe_time now;
  size_t mtu;
  bool wrote_large;
  end ends[2];
} world;

typedef struct identities {
  floe_env *env;
  floe_certificate *cert[4];
  char fingerprint[4][FLOE_FINGERPRINT_TEXT];
} identities;

static const identities *get_identities(void) {
  static identities ids;
  if (ids.env != NULL) return &ids;
  ids.env = fixed_tls_get()->env;
  fixed_role_restart(FIXED_SETUP);
  for (size_t i = 0; i < 4; i++) {
    floe_certificate_options o;
    floe_certificate_options_init(&o, sizeof o);
    o.key_type = i < 2 ? FLOE_KEY_ECDSA_P256 : FLOE_KEY_RSA;
    o.rsa_bits = 1024; /* quick */
    FLOE__ASSERT(floe_certificate_generate(&ids.cert[i], ids.env, 0, &o, NULL) == FLOE_OK);
    FLOE__ASSERT(floe_certificate_fingerprint(ids.cert[i], "sha-256", ids.fingerprint[i]));
  }
  return &ids;
}

/* --- the network -------------------------------------------------------------------------------------------------- */

static void put(world *w, size_t to, const uint8_t *bytes, size_t len) {
  end *e = &w->ends[to];
  if (e->n == QUEUE_MAX || len == 0) return; /* as a full queue on the way does */
  uint8_t *copy = malloc(len);
  FLOE__ASSERT(copy != NULL);
  memcpy(copy, bytes, len);
  e->waiting[e->n++] = (dgram){copy, len};
}

static dgram take(world *w, size_t to, size_t i) {
  end *e = &w->ends[to];
  const dgram d = e->waiting[i];
  e->n--;
  memmove(&e->waiting[i], &e->waiting[i + 1], (e->n - i) * sizeof d);
  return d;
}

static void flush(world *w, size_t from) {
  floe_bytes b;
  while (floe__dtls_next_datagram(w->ends[from].dtls, &b)) {
    FLOE__ASSERT(b.len > 0 && (b.len <= w->mtu || w->wrote_large));
    put(w, 1 - from, b.ptr, b.len);
  }
}

/* Nothing can come out that the other did not write. */
static void read_all(floe__dtls *dtls) {
  static uint8_t plain[16384];
  size_t n = 0;
  while ((n = floe__dtls_read(dtls, plain, sizeof plain)) > 0) {
    FLOE__ASSERT(n <= sizeof plain && floe__dtls_state_of(dtls) == FLOE__DTLS_OPEN);
    for (size_t i = 0; i < n; i++) FLOE__ASSERT(plain[i] == PLAIN_MARK);
  }
}

static void check(const floe__dtls *dtls) {
  const floe__dtls_info *info = floe__dtls_info_of(dtls);
  const floe__dtls_state state = floe__dtls_state_of(dtls);
  FLOE__ASSERT((state == FLOE__DTLS_FAILED) == (info->cause != FLOE_CAUSE_NONE));
  if (state == FLOE__DTLS_OPEN) FLOE__ASSERT(info->peer != NULL && info->version != NULL && info->cipher != NULL);
  if (state == FLOE__DTLS_FAILED || state == FLOE__DTLS_CLOSED) {
    FLOE__ASSERT(floe__dtls_deadline(dtls).at == FLOE_TIME_NEVER);
  }
  if (info->text != NULL) FLOE__ASSERT(strlen(info->text) < 1024);
}

static void settle(world *w, size_t i) {
  if (w->ends[i].dtls == NULL) return;
  read_all(w->ends[i].dtls);
  flush(w, i);
  check(w->ends[i].dtls);
}

static void deliver(world *w, size_t to, dgram d) {
  if (w->ends[to].dtls != NULL) {
    floe__dtls_on_datagram(w->ends[to].dtls, (floe_bytes){d.bytes, d.len}, w->now);
    settle(w, to);
  }
  free(d.bytes);
}

static void set_time(world *w, floe_time now) {
  w->now = now;
  floe__test_clock_set(now);
}

static void advance(world *w, floe_time by) {
  set_time(w, w->now + by);
  for (size_t i = 0; i < 2; i++) {
    floe__dtls *dtls = w->ends[i].dtls;
    if (dtls == NULL || floe__dtls_deadline(dtls).at > w->now) continue;
    floe__dtls_on_deadline(dtls, w->now);
    FLOE__ASSERT(floe__dtls_deadline(dtls).at > w->now);
    settle(w, i);
  }
}

/* --- the program -------------------------------------------------------------------------------------------------- */

typedef struct program {
  const uint8_t *at;
  size_t left;
} program;

static uint8_t next(program *p) {
  if (p->left == 0) return 0;
  p->left--;
  return *p->at++;
}

static void inject(world *w, program *p, size_t to) {
  size_t len = next(p);
  len = (len << 8 | next(p)) % DGRAM_MAX;
  if (len > p->left) len = p->left;
  uint8_t *copy = malloc(len + 1); /* the one byte is not given */
  FLOE__ASSERT(copy != NULL);
  memcpy(copy, p->at, len);
  p->at += len;
  p->left -= len;
  copy = realloc(copy, len == 0 ? 1 : len);
  FLOE__ASSERT(copy != NULL);
  deliver(w, to, (dgram){copy, len});
}

static void mangle(world *w, program *p, size_t to) {
  const size_t at = (size_t)next(p) << 8 | next(p);
  const uint8_t change = next(p);
  if (w->ends[to].n == 0) return;
  const dgram d = w->ends[to].waiting[0];
  d.bytes[at % d.len] ^= change;
}

static void use(world *w, program *p, size_t i) {
  static uint8_t plain[16385];
  floe__dtls *dtls = w->ends[i].dtls;
  const uint8_t what = next(p);
  if (dtls == NULL) return;
  memset(plain, PLAIN_MARK, sizeof plain);
  const identities *ids = get_identities();
  const floe__fingerprint list[] = {{"sha-256", ids->fingerprint[what % 4]}};
  if (what < 128) {
    (void)floe__dtls_write(dtls, (floe_bytes){plain, what}, w->now);
  } else if (what < 192) {
    w->wrote_large = true;
    (void)floe__dtls_write(dtls, (floe_bytes){plain, (size_t)(what - 127) * 257}, w->now);
  } else if (what < 224) {
    floe__dtls_set_mtu(dtls, w->mtu - what % 32);
  } else if (what < 250) {
    (void)floe__dtls_update_fingerprints(dtls, list, what % 2);
  } else {
    floe__dtls_close(dtls, w->now);
  }
  settle(w, i);
}

static void step(world *w, program *p) {
  const uint8_t op = next(p);
  const size_t to = op >> 3 & 1;
  end *e = &w->ends[to];
  switch (op & 7) {
    case 0:
      if (e->n > 0) deliver(w, to, take(w, to, 0));
      return;
    case 1: /* the last first */
      if (e->n > 0) deliver(w, to, take(w, to, e->n - 1));
      return;
    case 2:
      if (e->n > 0) free(take(w, to, 0).bytes);
      return;
    case 3: /* once more later */
      if (e->n > 0) put(w, to, e->waiting[0].bytes, e->waiting[0].len);
      return;
    case 4: mangle(w, p, to); return;
    case 5: inject(w, p, to); return;
    case 6: advance(w, next(p) * 20 * FLOE_MS); return;
    default: use(w, p, to); return;
  }
}

/* A good network from here on: every session comes to an end, or stays open. */
static void finish(world *w) {
  for (int i = 0; i < 400; i++) {
    for (size_t to = 0; to < 2; to++) {
      while (w->ends[to].n > 0) deliver(w, to, take(w, to, 0));
    }
    advance(w, 100 * FLOE_MS);
  }
  for (size_t i = 0; i < 2; i++) {
    if (w->ends[i].dtls == NULL) continue;
    FLOE__ASSERT(floe__dtls_state_of(w->ends[i].dtls) >= FLOE__DTLS_OPEN);
  }
}

static floe__dtls *make(const world *w, unsigned flags, size_t i) {
  const identities *ids = get_identities();
  const size_t own = (flags & FLAG_RSA) != 0 ? 2 + i : i;
  const size_t peer = (flags & FLAG_MISMATCH) != 0 && i == 0 ? own : own ^ 1;
  const floe__fingerprint list[] = {{"sha-256", ids->fingerprint[peer]}};
  const floe__dtls_config cfg = {
      .certificate = ids->cert[own], .is_client = i == 0, .fingerprints = list, .n_fingerprints = 1, .mtu = w->mtu};
  floe__dtls *dtls = floe__dtls_new(ids->env, &cfg, w->now);
  FLOE__ASSERT(dtls != NULL);
  return dtls;
}

/* The first session makes the context, which draws too; later ones do not. */
static void warm_up(const world *w) {
  static bool is_warm;
  if (!is_warm) floe__dtls_free(make(w, 0, 0));
  is_warm = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > 65536) return 0;
  const unsigned flags = data[0];
  static world w;
  memset(&w, 0, sizeof w);
  w.mtu = (flags & FLAG_SMALL) != 0 ? 300 : 1200;
  warm_up(&w);
  fixed_role_restart(FIXED_CLIENT);
  set_time(&w, 1000 * FLOE_SECOND);
  for (size_t i = 0; i < 2; i++) {
    if ((flags & FLAG_ALONE) != 0 && i != ((flags & FLAG_SERVER) != 0 ? 1 : 0)) continue;
    w.ends[i].dtls = make(&w, flags, i);
    floe__dtls_start(w.ends[i].dtls, w.now);
    settle(&w, i);
  }
  program p = {data + 1, size - 1};
  for (int i = 0; i < 300 && p.left > 0; i++) step(&w, &p);
  finish(&w);
  for (size_t i = 0; i < 2; i++) {
    while (w.ends[i].n > 0) free(take(&w, i, 0).bytes);
    floe__dtls_free(w.ends[i].dtls);
  }
  return 0;
}
