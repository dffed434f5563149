/* What the tests of src/sctp share. */
#ifndef FLOE_TESTS_UNIT_SCTP_FIXTURE_H
#define FLOE_TESTS_UNIT_SCTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those before it */
#include <cmocka.h>

#include "support/sctp_pair.h"

static inline floe_bytes text_of(const char *text) {
  return (floe_bytes){.ptr = (const uint8_t *)text, .len = strlen(text)};
}

/* A pair that is connected, with nothing in its logs and nothing under way. */
static inline void open_pair(sctp_pair *p, const floe__sctp_config *cfg) {
  sctp_pair_init(p, NULL, cfg, cfg);
  sctp_pair_connect(p);
  assert_true(sctp_pair_settle(p, 2000));
  sctp_pair_forget(p);
}

/* Bytes that tell their place: the seed and the offset make each. */
static inline uint8_t pattern_at(uint32_t seed, size_t i) {
  uint32_t x = (uint32_t)i * 2654435761u ^ seed * 40503u;
  return (uint8_t)(x >> 13 ^ x >> 24);
}

static inline void fill_pattern(uint8_t *out, size_t len, uint32_t seed) {
  for (size_t i = 0; i < len; i++) out[i] = pattern_at(seed, i);
}

static inline bool has_pattern(floe_bytes b, uint32_t seed) {
  for (size_t i = 0; i < b.len; i++) {
    if (b.ptr[i] != pattern_at(seed, i)) return false;
  }
  return true;
}

#endif
