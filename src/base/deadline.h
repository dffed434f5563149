/* "The earliest of": points in time that know which timer asked for them. */
#ifndef FLOE_BASE_DEADLINE_H
#define FLOE_BASE_DEADLINE_H

#include "floe/types.h"

typedef struct floe__deadline {
  floe_time at;       /* FLOE_TIME_NEVER = none */
  const char *reason; /* a string literal: "stun.transaction" */
} floe__deadline;

#define FLOE__NO_DEADLINE ((floe__deadline){FLOE_TIME_NEVER, "none"})

static inline floe__deadline floe__deadline_at(floe_time at, const char *reason) {
  return (floe__deadline){at, at == FLOE_TIME_NEVER ? "none" : reason};
}

static inline floe__deadline floe__earliest(floe__deadline a, floe__deadline b) {
  return b.at < a.at ? b : a;
}

/* now + ms, without wrapping. */
static inline floe_time floe__after_ms(floe_time now, uint64_t ms) {
  if (ms > (FLOE_TIME_NEVER - 1) / FLOE_MS) return FLOE_TIME_NEVER - 1;
  floe_time d = ms * FLOE_MS;
  return now > FLOE_TIME_NEVER - 1 - d ? FLOE_TIME_NEVER - 1 : now + d;
}

/* Milliseconds from a to b, 0 when b is earlier. */
static inline double floe__ms_between(floe_time a, floe_time b) {
  return b <= a ? 0.0 : (double)(b - a) / (double)FLOE_MS;
}

#endif
