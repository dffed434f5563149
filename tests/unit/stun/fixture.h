/* What the tests of src/stun share: an env whose randomness counts upwards and whose memory can run out at the n-th
 * call, messages from hexadecimal text, and parsing that must succeed. */
#ifndef FLOE_TESTS_UNIT_STUN_FIXTURE_H
#define FLOE_TESTS_UNIT_STUN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those before it */
#include <cmocka.h>

#include "base/env_internal.h"
#include "stun/msg.h"

typedef struct bed {
  floe_env *env;
  uint8_t next_random;
  unsigned calls;   /* allocations so far */
  unsigned fail_at; /* this one fails; 0 = none */
  int live;         /* blocks not yet freed */
} bed;

static inline void *bed_reallocate(void *user, void *ptr, size_t size) {
  bed *b = user;
  if (size == 0) {
    b->live--;
    free(ptr);
    return NULL;
  }
  b->calls++;
  if (b->calls == b->fail_at) return NULL;
  if (ptr == NULL) b->live++;
  return realloc(ptr, size);
}

static inline void bed_random(void *user, uint8_t *out, size_t len) {
  bed *b = user;
  for (size_t i = 0; i < len; i++) out[i] = b->next_random++;
}

/* After it nothing but the env is allocated, and calls count from 0. */
static inline void bed_init(bed *b) {
  memset(b, 0, sizeof *b);
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = b;
  cfg.reallocate = bed_reallocate;
  cfg.random = bed_random;
  assert_int_equal(floe_env_new(&b->env, &cfg), FLOE_OK);
  b->calls = 0;
  b->live = 0;
}

/* Everything must have been given back. */
static inline void bed_clear(bed *b) {
  assert_int_equal(b->live, 0);
  floe_env_free(b->env);
}

static inline unsigned hex_digit(char c) {
  return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* Reads pairs of hexadecimal digits, spaces between them skipped. Returns the number of bytes. */
static inline size_t from_hex(uint8_t *out, const char *hex) {
  size_t n = 0;
  for (; *hex != '\0'; hex++) {
    if (*hex == ' ') continue;
    out[n++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
    hex++;
  }
  return n;
}

static inline floe__stun_msg parse_ok(floe_bytes packet) {
  floe__stun_msg m;
  memset(&m, 0xAA, sizeof m); /* what parsing does not set must not be read */
  assert_int_equal(floe__stun_msg_parse(&m, packet), FLOE__STUN_OK);
  return m;
}

static inline void assert_bytes(floe_bytes got, const void *want, size_t len) {
  assert_int_equal(got.len, len);
  assert_true(len == 0 || memcmp(got.ptr, want, len) == 0);
}

static const uint8_t test_id[FLOE__STUN_TXN_ID] = {0xB7, 0xE7, 0xA7, 0x01, 0xBC, 0x34,
                                                   0xD6, 0x86, 0xFA, 0x87, 0xDF, 0xAE};

#endif
