/* What a STUN message costs: checking and parsing a Binding success, and building an ICE connectivity check, each
 * beside its floor, the cryptography alone on the same bytes.
 *
 *   bench_stun_codec                  ns per operation: median of 11 blocks of 200,000, in CPU time of the thread
 *   bench_stun_codec count KIND N     exactly N operations of one kind, for callgrind (see stun_codec.sh)
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stun/integrity.h"

#define BLOCKS        11
#define OPS_PER_BLOCK 200000

static const uint8_t txn_id[FLOE__STUN_TXN_ID] = {0xB7, 0xE7, 0xA7, 0x01, 0xBC, 0x34,
                                                  0xD6, 0x86, 0xFA, 0x87, 0xDF, 0xAE};
static const char password[] = "VOkJxbRl1RmTxUk/WvJxBt";

static floe__stun_key key;
static SHA_CTX floor_inner, floor_outer;
static uint8_t response[64]; /* Binding success: XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY, FINGERPRINT */
static uint8_t check[88];    /* PRIORITY, ICE-CONTROLLING, USERNAME of 9 bytes, MESSAGE-INTEGRITY, FINGERPRINT */
static volatile uint32_t sink;

static void fail(const char *what) {
  (void)fprintf(stderr, "bench_stun_codec: %s\n", what);
  exit(1);
}

/* --- the operations -------------------------------------------------------------------------------------------- */

static void parse_response(void) {
  floe__stun_msg m;
  floe_addr mapped;
  if (floe__stun_msg_parse(&m, (floe_bytes){response, sizeof response}) != FLOE__STUN_OK) fail("parse");
  if (floe__stun_check_fingerprint(&m) != FLOE__STUN_CHECK_OK) fail("fingerprint");
  if (floe__stun_check_integrity(&m, &key) != FLOE__STUN_CHECK_OK) fail("integrity");
  if (!floe__stun_get_xor_addr(&m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped)) fail("address");
  sink = mapped.port;
}

static void build_check(void) {
  floe__stun_builder b;
  floe__stun_begin(&b, check, sizeof check, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, txn_id);
  floe__stun_put_u32(&b, FLOE__STUN_PRIORITY, 0x6E0001FF);
  floe__stun_put_u64(&b, FLOE__STUN_ICE_CONTROLLING, 0x932FF9B151263B36);
  floe__stun_put_text(&b, FLOE__STUN_USERNAME, "evtj:h6vY");
  floe__stun_put_integrity(&b, &key);
  floe__stun_put_fingerprint(&b);
  if (floe__stun_end(&b).len != sizeof check) fail("build");
}

/* An HMAC-SHA1 from copied states and a CRC-32, nothing else. */
static void floor_of(const uint8_t *message, size_t hmac_len, size_t crc_len) {
  uint8_t digest[SHA_DIGEST_LENGTH];
  SHA_CTX c = floor_inner;
  (void)SHA1_Update(&c, message, hmac_len);
  (void)SHA1_Final(digest, &c);
  c = floor_outer;
  (void)SHA1_Update(&c, digest, sizeof digest);
  (void)SHA1_Final(digest, &c);
  sink = floe__crc32(message, crc_len) ^ digest[0];
}

static void parse_floor(void) {
  floor_of(response, 32, 56);
}

static void build_floor(void) {
  floor_of(check, 56, 80);
}

static const struct kind {
  const char *name;
  void (*run)(void);
} kinds[] = {
    {"parse", parse_response}, {"parse_floor", parse_floor}, {"build", build_check}, {"build_floor", build_floor}};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* --- preparing ---------------------------------------------------------------------------------------------------- */

static void prepare_floor_states(void) {
  uint8_t pad[64] = {0};
  memcpy(pad, password, strlen(password));
  for (size_t i = 0; i < sizeof pad; i++) pad[i] ^= 0x36;
  (void)SHA1_Init(&floor_inner);
  (void)SHA1_Update(&floor_inner, pad, sizeof pad);
  for (size_t i = 0; i < sizeof pad; i++) pad[i] ^= 0x36 ^ 0x5c;
  (void)SHA1_Init(&floor_outer);
  (void)SHA1_Update(&floor_outer, pad, sizeof pad);
}

static void prepare(void) {
  floe__stun_key_init(&key, password, strlen(password));
  prepare_floor_states();
  floe_addr mapped;
  if (!floe_addr_parse(&mapped, "192.0.2.1:32853")) fail("address");
  floe__stun_builder b;
  floe__stun_begin(&b, response, sizeof response, FLOE__STUN_SUCCESS, FLOE__STUN_BINDING, txn_id);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped);
  floe__stun_put_integrity(&b, &key);
  floe__stun_put_fingerprint(&b);
  if (floe__stun_end(&b).len != sizeof response) fail("response");
  build_check();
}

/* --- measuring ------------------------------------------------------------------------------------------------------
 */

static double thread_ns(void) {
  struct timespec t;
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0) fail("clock");
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_block(const struct kind *k) {
  double before = thread_ns();
  for (int i = 0; i < OPS_PER_BLOCK; i++) k->run();
  return (thread_ns() - before) / OPS_PER_BLOCK;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The kinds take turns block by block, so that a noisy moment falls on all of them. */
static int measure(void) {
  double ns[KINDS][BLOCKS];
  for (size_t k = 0; k < KINDS; k++) (void)time_block(&kinds[k]);
  for (size_t block = 0; block < BLOCKS; block++) {
    for (size_t k = 0; k < KINDS; k++) ns[k][block] = time_block(&kinds[k]);
  }
  double median[KINDS];
  for (size_t k = 0; k < KINDS; k++) {
    qsort(ns[k], BLOCKS, sizeof ns[k][0], compare);
    median[k] = ns[k][BLOCKS / 2];
    printf("%-12s %7.1f ns  (%.1f to %.1f)\n", kinds[k].name, median[k], ns[k][0], ns[k][BLOCKS - 1]);
  }
  printf("parse / floor  %.2f\n", median[0] / median[1]);
  printf("build / floor  %.2f\n", median[2] / median[3]);
  return 0;
}

static int count(const char *name, const char *n_text) {
  uint64_t n = strtoull(n_text, NULL, 10);
  for (size_t k = 0; k < KINDS; k++) {
    if (strcmp(name, kinds[k].name) != 0) continue;
    for (uint64_t i = 0; i < n; i++) kinds[k].run();
    return 0;
  }
  fail("no such kind: parse, parse_floor, build, build_floor");
  return 1;
}

int main(int argc, char **argv) {
  prepare();
  if (argc == 4 && strcmp(argv[1], "count") == 0) return count(argv[2], argv[3]);
  if (argc == 1) return measure();
  fail("usage: bench_stun_codec [count KIND N]");
}
