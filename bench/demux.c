/* What it costs to find the agent of a datagram on a shared socket (floe/mux.h), with 1, 100 and 10,000 agents: data by
 * its address, a check by its ufrag, an answer by its transaction id; and noting a datagram that is sent.
 *
 *   bench_demux                       bytes per agent; ns per datagram, in one run, and their ratios
 *   bench_demux count KIND AGENTS N   N datagrams of one kind, for counting instructions (bench/demux.sh)
 *
 * Datagrams come from all agents in random order and in one buffer, as they do from a socket. Making them is taken off:
 * it is measured alone. What remains grows with the agents as caches are missed, not with the look-ups. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ice/mux_internal.h"
#include "stun/integrity.h"

#define MAX_AGENTS 10000
#define BLOCKS     15
#define DATAGRAMS  20000 /* of a block */
#define UFRAG      8

static void die(const char *what) {
  fprintf(stderr, "bench_demux: %s\n", what);
  exit(1);
}

/* --- agents ------------------------------------------------------------------------------------------------------- */

typedef struct world {
  size_t n;
  floe_ice_mux *mux;
  uint32_t order[DATAGRAMS]; /* which agent each datagram is of */
} world;

static floe_env *env;
static size_t live_bytes;

static void *count_bytes(void *user, void *ptr, size_t size) {
  (void)user;
  size_t *block = ptr == NULL ? NULL : (size_t *)ptr - 2;
  if (block != NULL) live_bytes -= block[0];
  if (size == 0) {
    free(block);
    return NULL;
  }
  block = realloc(block, size + 2 * sizeof(size_t));
  if (block == NULL) die("no memory");
  block[0] = size;
  live_bytes += size;
  return block + 2;
}

static max_align_t places[MAX_AGENTS];
static const floe_addr local = {.family = FLOE_FAMILY_IPV4, .ip = {198, 51, 100, 1}, .port = 3478};
static uint64_t rng = 1;

static floe_ice_agent *agent(size_t i) {
  return (floe_ice_agent *)(void *)&places[i];
}

static uint32_t draw(void) {
  rng = rng * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(rng >> 33);
}

static inline void write_ufrag(uint8_t *out, size_t i) {
  for (int k = 0; k < UFRAG; k++) out[k] = (uint8_t)('A' + (i >> (4 * k) & 15));
}

static inline void set_remote(floe_addr *out, size_t i) {
  out->ip[1] = (uint8_t)(i >> 8);
  out->ip[2] = (uint8_t)i;
}

static inline void write_id(uint8_t *out, size_t i) {
  for (int k = 0; k < 4; k++) out[k] = (uint8_t)(i >> (8 * k));
}

/* --- datagrams ---------------------------------------------------------------------------------------------------- */

typedef enum kind { DATA, CHECK, ANSWER, NOTE, KINDS } kind;
static const char *const kinds[KINDS] = {"data", "check", "answer", "note"};

static uint8_t packets[KINDS][300];
static floe_bytes packet[KINDS];
static uint8_t *varies[KINDS]; /* what depends on the agent */
static floe_addr remote = {.family = FLOE_FAMILY_IPV4, .ip = {10, 0, 0, 9}, .port = 40000};

static floe_bytes seal(floe__stun_builder *b) {
  floe__stun_key key;
  floe__stun_key_init(&key, "asd88fgpdd777uzjYhagZg", 22);
  floe__stun_put_integrity(b, &key);
  floe__stun_put_fingerprint(b);
  return floe__stun_end(b);
}

static void make_packets(void) {
  static const uint8_t id[FLOE__STUN_TXN_ID] = {0};
  floe__stun_builder b;
  memset(packets[DATA], 0x80, 200);
  packet[DATA] = packet[NOTE] = (floe_bytes){packets[DATA], 200};
  floe__stun_begin(&b, packets[CHECK], sizeof packets[CHECK], FLOE__STUN_REQUEST, FLOE__STUN_BINDING, id);
  floe__stun_put_text(&b, FLOE__STUN_USERNAME, "AAAAAAAA:peer");
  floe__stun_put_u32(&b, FLOE__STUN_PRIORITY, 1845501695);
  floe__stun_put_u64(&b, FLOE__STUN_ICE_CONTROLLING, 7);
  floe__stun_put_flag(&b, FLOE__STUN_USE_CANDIDATE);
  packet[CHECK] = seal(&b);
  varies[CHECK] = packets[CHECK] + FLOE__STUN_HEADER + 4;
  floe__stun_begin(&b, packets[ANSWER], sizeof packets[ANSWER], FLOE__STUN_SUCCESS, FLOE__STUN_BINDING, id);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &local);
  packet[ANSWER] = seal(&b);
  varies[ANSWER] = packets[ANSWER] + 8;
}

/* Turns the one datagram of the kind into the agent's. */
static inline void address_to(kind k, size_t i) {
  if (k != CHECK) set_remote(&remote, i);
  if (k == CHECK) write_ufrag(varies[k], i);
  if (k == ANSWER) write_id(varies[k], i);
}

static void note(const world *w, size_t i, floe_bytes data) {
  floe_output out = {.type = FLOE_OUTPUT_TRANSMIT};
  out.u.transmit.sock = 1;
  out.u.transmit.to = remote;
  out.u.transmit.data = data;
  if (!floe_ice_mux_note(w->mux, 0, agent(i), &out, NULL)) die("an agent is not there");
}

static void make_world(world *w, size_t n) {
  uint8_t request[FLOE__STUN_HEADER];
  uint8_t id[FLOE__STUN_TXN_ID] = {0};
  char ufrag[UFRAG + 1] = {0};
  w->n = n;
  if (floe_ice_mux_new(&w->mux, env, NULL) != FLOE_OK) die("no memory");
  for (size_t i = 0; i < n; i++) {
    floe__stun_builder b;
    floe_ice_parameters params = {.ufrag = ufrag, .pwd = ""};
    write_ufrag((uint8_t *)ufrag, i);
    write_id(id, i);
    if (floe__mux_add(w->mux, agent(i), &params, NULL) != FLOE_OK) die("no memory");
    if (floe_ice_mux_bind(w->mux, agent(i), 1, &local) != FLOE_OK) die("no memory");
    set_remote(&remote, i);
    floe__stun_begin(&b, request, sizeof request, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, id);
    note(w, i, floe__stun_end(&b));
  }
  for (size_t i = 0; i < DATAGRAMS; i++) w->order[i] = draw() % (uint32_t)n;
}

/* --- measuring ---------------------------------------------------------------------------------------------------- */

static void route(const world *w, kind k, size_t i) {
  floe_ice_mux_match match;
  if (!floe_ice_mux_route(w->mux, 0, &local, &remote, packet[k], &match) || match.agent != agent(i)) die("not found");
}

static void handle(const world *w, kind k, size_t datagrams) {
  for (size_t d = 0; d < datagrams; d++) {
    size_t i = w->order[d % DATAGRAMS];
    address_to(k, i);
    if (k == NOTE) {
      note(w, i, packet[k]);
    } else {
      route(w, k, i);
    }
  }
}

static volatile uint8_t sink;

static void make_only(const world *w, kind k) {
  for (size_t d = 0; d < DATAGRAMS; d++) {
    address_to(k, w->order[d]);
    sink = (uint8_t)(remote.ip[2] + packets[k][24] + packets[k][8]);
  }
}

static double ns_now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_block(const world *w, kind k) {
  double start = ns_now();
  make_only(w, k);
  double middle = ns_now();
  handle(w, k, DATAGRAMS);
  return (ns_now() - middle - (middle - start)) / DATAGRAMS;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

static const size_t sizes[] = {1, 100, 10000};
#define SIZES 3
static world worlds[SIZES];

/* Sizes take turns block by block, so that a noisy moment falls on all of them. */
static void measure(kind k) {
  double ns[SIZES][BLOCKS];
  double median[SIZES];
  for (size_t s = 0; s < SIZES; s++) (void)time_block(&worlds[s], k);
  for (size_t block = 0; block < BLOCKS; block++) {
    for (size_t s = 0; s < SIZES; s++) ns[s][block] = time_block(&worlds[s], k);
  }
  for (size_t s = 0; s < SIZES; s++) {
    qsort(ns[s], BLOCKS, sizeof ns[s][0], compare);
    median[s] = ns[s][BLOCKS / 2];
    printf("%-7s %6zu agents %7.1f ns  (%.1f to %.1f)  ratio %.2f\n", kinds[k], sizes[s], median[s], ns[s][0],
           ns[s][BLOCKS - 1], median[s] / median[0]);
  }
}

static int count(const char *name, const char *agents, const char *datagrams) {
  for (int k = 0; k < KINDS; k++) {
    if (strcmp(name, kinds[k]) != 0) continue;
    make_world(&worlds[0], strtoul(agents, NULL, 10));
    handle(&worlds[0], (kind)k, strtoul(datagrams, NULL, 10));
    return 0;
  }
  die("data, check, answer or note");
  return 1;
}

int main(int argc, char **argv) {
  floe_env_config env_cfg = {.size = sizeof env_cfg, .reallocate = count_bytes};
  if (floe_env_new(&env, &env_cfg) != FLOE_OK) die("no memory");
  make_packets();
  if (argc == 5 && strcmp(argv[1], "count") == 0) return count(argv[2], argv[3], argv[4]);
  for (size_t s = 0; s < SIZES; s++) {
    size_t before = live_bytes;
    make_world(&worlds[s], sizes[s]);
    printf("%6zu agents, one ufrag, address and open request each: %.0f bytes per agent\n", sizes[s],
           (double)(live_bytes - before) / (double)sizes[s]);
  }
  for (int k = 0; k < KINDS; k++) measure((kind)k);
  for (size_t s = 0; s < SIZES; s++) floe_ice_mux_free(worlds[s].mux);
  floe_env_free(env);
  return 0;
}
