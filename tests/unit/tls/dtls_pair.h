/* Two DTLS sessions face to face, in virtual time, over a network that loses, delays and repeats. */
#ifndef FLOE_TESTS_DTLS_PAIR_H
#define FLOE_TESTS_DTLS_PAIR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "support/cmocka.h"
#include "support/sim_alloc.h"
#include "support/virtual_time.h"
#include "tls/dtls.h"

#define MAX_PACKETS 512
#define PACKET_MAX  20000
#define START       (1000 * FLOE_SECOND)

typedef struct packet {
  uint8_t *bytes; /* NULL: free */
  size_t len;
  size_t to;
  floe_time at;
  uint64_t number;
} packet;

typedef struct network {
  floe_time delay; /* one way */
  uint32_t loss_percent, repeat_percent, reorder_percent;
  uint64_t seed;
} network;

/* What a test may look at or change: false drops the datagram. */
typedef bool (*pair_filter)(void *user, size_t from, uint8_t *bytes, size_t *len);

typedef struct pair {
  sim_alloc memory;
  floe_env *env;
  floe_time now;
  floe__dtls *end[2]; /* 0 the client, 1 the server */
  network net;
  packet packets[MAX_PACKETS];
  uint64_t n_sent;
  size_t largest;      /* datagram sent */
  size_t n_by[2];      /* datagrams sent */
  floe_time opened[2]; /* 0 = not */
  pair_filter filter;
  void *filter_user;
  uint8_t got[2][PACKET_MAX]; /* plain text of all records, one after the other */
  size_t n_got[2];
  size_t n_records[2];
} pair;

static floe_certificate *pair_cert[4]; /* made once: two ECDSA, two RSA */

static inline floe_certificate *make_cert(floe_env *env, floe_key_type type, uint32_t bits) {
  floe_certificate_options o;
  floe_certificate_options_init(&o, sizeof o);
  o.key_type = type;
  o.rsa_bits = bits;
  floe_certificate *cert = NULL;
  assert_int_equal(floe_certificate_generate(&cert, env, 0, &o, NULL), FLOE_OK);
  return cert;
}

static int pair_make_certs(void **state) {
  floe_env *env = NULL;
  if (floe_env_new(&env, NULL) != FLOE_OK) return 1;
  for (size_t i = 0; i < 4; i++) pair_cert[i] = make_cert(env, i < 2 ? FLOE_KEY_ECDSA_P256 : FLOE_KEY_RSA, 2048);
  *state = env;
  return 0;
}

static int pair_free_certs(void **state) {
  for (size_t i = 0; i < 4; i++) floe_certificate_free(pair_cert[i]);
  floe_env_free(*state);
  return 0;
}

static inline floe_bytes pair_text(const char *text) {
  return (floe_bytes){(const uint8_t *)text, strlen(text)};
}

static uint32_t pair_random(pair *p, uint32_t below) {
  p->net.seed = p->net.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(p->net.seed >> 33) % below;
}

static void pair_set_time(pair *p, floe_time now) {
  p->now = now;
  floe__test_clock_set(now);
}

/* Without sessions. */
static pair *pair_new_empty(void) {
  pair *p = sim_must(calloc(1, sizeof *p));
  sim_alloc_init(&p->memory);
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = &p->memory;
  cfg.reallocate = sim_alloc_reallocate;
  assert_int_equal(floe_env_new(&p->env, &cfg), FLOE_OK);
  p->net.delay = 10 * FLOE_MS;
  pair_set_time(p, START);
  return p;
}

/* One end with what is usual, for a test to change before pair_add. */
typedef struct pair_end {
  floe__dtls_config cfg;
  char fingerprint[FLOE_FINGERPRINT_TEXT];
  floe__fingerprint list[1];
} pair_end;

static inline void pair_end_init(pair_end *e, bool is_client, floe_certificate *own, floe_certificate *peer) {
  memset(e, 0, sizeof *e);
  assert_true(floe_certificate_fingerprint(peer, "sha-256", e->fingerprint));
  e->list[0] = (floe__fingerprint){"sha-256", e->fingerprint};
  e->cfg =
      (floe__dtls_config){.certificate = own, .is_client = is_client, .fingerprints = e->list, .n_fingerprints = 1};
}

static inline void pair_add(pair *p, const pair_end *e) {
  floe__dtls *dtls = floe__dtls_new(p->env, &e->cfg, p->now);
  assert_non_null(dtls);
  p->end[e->cfg.is_client ? 0 : 1] = dtls;
}

static inline pair *pair_new(floe_certificate *client, floe_certificate *server, size_t mtu) {
  pair *p = pair_new_empty();
  pair_end e;
  pair_end_init(&e, true, client, server);
  e.cfg.mtu = mtu;
  pair_add(p, &e);
  pair_end_init(&e, false, server, client);
  e.cfg.mtu = mtu;
  pair_add(p, &e);
  return p;
}

static void pair_put(pair *p, size_t to, floe_bytes b, floe_time at) {
  for (size_t i = 0; i < MAX_PACKETS; i++) {
    packet *k = &p->packets[i];
    if (k->bytes != NULL) continue;
    k->bytes = malloc(b.len); /* exactly as long: a read past its end is seen */
    FLOE__ASSERT(k->bytes != NULL);
    memcpy(k->bytes, b.ptr, b.len);
    k->len = b.len;
    k->to = to;
    k->at = at;
    k->number = p->n_sent++;
    return;
  }
  fail_msg("too many packets under way");
}

static floe_time pair_travel_time(pair *p) {
  floe_time t = p->net.delay;
  if (p->net.reorder_percent > 0 && pair_random(p, 100) < p->net.reorder_percent) t += 5 * p->net.delay;
  return t;
}

static void pair_send(pair *p, size_t from) {
  floe_bytes b;
  uint8_t copy[PACKET_MAX];
  while (floe__dtls_next_datagram(p->end[from], &b)) {
    assert_true(b.len <= sizeof copy);
    p->n_by[from]++;
    if (b.len > p->largest) p->largest = b.len;
    size_t len = b.len;
    memcpy(copy, b.ptr, len);
    if (p->filter != NULL && !p->filter(p->filter_user, from, copy, &len)) continue;
    const size_t times = p->net.repeat_percent > 0 && pair_random(p, 100) < p->net.repeat_percent ? 2 : 1;
    for (size_t i = 0; i < times; i++) {
      if (p->net.loss_percent > 0 && pair_random(p, 100) < p->net.loss_percent) continue;
      pair_put(p, 1 - from, (floe_bytes){copy, len}, p->now + pair_travel_time(p));
    }
  }
}

static void pair_read(pair *p, size_t end) {
  size_t n = 0;
  uint8_t buf[16384];
  while ((n = floe__dtls_read(p->end[end], buf, sizeof buf)) > 0) {
    p->n_records[end]++;
    const size_t room = PACKET_MAX - p->n_got[end];
    memcpy(p->got[end] + p->n_got[end], buf, n < room ? n : room);
    p->n_got[end] += n < room ? n : room;
  }
}

static void pair_settle(pair *p, size_t end) {
  pair_read(p, end);
  pair_send(p, end);
  if (p->opened[end] == 0 && floe__dtls_state_of(p->end[end]) == FLOE__DTLS_OPEN) p->opened[end] = p->now;
}

static packet *pair_next_packet(pair *p) {
  packet *first = NULL;
  for (size_t i = 0; i < MAX_PACKETS; i++) {
    packet *k = &p->packets[i];
    if (k->bytes == NULL) continue;
    if (first == NULL || k->at < first->at || (k->at == first->at && k->number < first->number)) first = k;
  }
  return first;
}

static floe_time pair_deadline(const pair *p, size_t end) {
  return p->end[end] == NULL ? FLOE_TIME_NEVER : floe__dtls_deadline(p->end[end]).at;
}

/* The next thing that happens, up to `until`; false when there is none. */
static bool pair_step(pair *p, floe_time until) {
  packet *k = pair_next_packet(p);
  const floe_time arrival = k == NULL ? FLOE_TIME_NEVER : k->at;
  const size_t waiting = pair_deadline(p, 1) < pair_deadline(p, 0) ? 1 : 0;
  const floe_time due = pair_deadline(p, waiting);
  const floe_time next = arrival <= due ? arrival : due;
  if (next > until || next == FLOE_TIME_NEVER) return false;
  assert_true(next >= p->now);
  pair_set_time(p, next);
  if (arrival <= due) {
    if (p->end[k->to] != NULL) {
      floe__dtls_on_datagram(p->end[k->to], (floe_bytes){k->bytes, k->len}, p->now);
      pair_settle(p, k->to);
    }
    free(k->bytes);
    k->bytes = NULL;
    return true;
  }
  floe__dtls_on_deadline(p->end[waiting], p->now);
  assert_true(floe__dtls_deadline(p->end[waiting]).at > p->now); /* never a busy loop */
  pair_settle(p, waiting);
  return true;
}

static inline void pair_run(pair *p, floe_time until) {
  size_t steps = 0;
  while (pair_step(p, until)) assert_true(++steps < 20000);
  pair_set_time(p, until);
}

static inline void pair_start(pair *p) {
  for (size_t i = 0; i < 2; i++) {
    if (p->end[i] == NULL) continue;
    floe__dtls_start(p->end[i], p->now);
    pair_settle(p, i);
  }
}

static inline bool pair_is_open(const pair *p) {
  return floe__dtls_state_of(p->end[0]) == FLOE__DTLS_OPEN && floe__dtls_state_of(p->end[1]) == FLOE__DTLS_OPEN;
}

/* Starts both and runs until both are open, or for a second. */
static inline void pair_connect(pair *p) {
  pair_start(p);
  const floe_time until = p->now + FLOE_SECOND;
  while (!pair_is_open(p) && pair_step(p, until)) continue;
  assert_true(pair_is_open(p));
}

static void pair_free(pair *p) {
  floe__dtls_free(p->end[0]);
  floe__dtls_free(p->end[1]);
  for (size_t i = 0; i < MAX_PACKETS; i++) free(p->packets[i].bytes);
  floe_env_free(p->env);
  assert_int_equal(sim_alloc_report_leaks(&p->memory), 0);
  free(p);
}

/* Runs until nothing is left to do for a second. */
static inline void pair_rest(pair *p) {
  pair_run(p, p->now + FLOE_SECOND);
}

static inline bool pair_write(pair *p, size_t end, floe_bytes plain) {
  const bool ok = floe__dtls_write(p->end[end], plain, p->now);
  pair_settle(p, end);
  return ok;
}

static inline void pair_expect(pair *p, size_t end, const char *text) {
  assert_int_equal(p->n_got[end], strlen(text));
  assert_memory_equal(p->got[end], text, strlen(text));
  p->n_got[end] = 0;
  p->n_records[end] = 0;
}

#endif
