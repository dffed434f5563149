#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* struct timeval */
#endif
#include "support/virtual_time.h"

#include <stdbool.h>
#include <sys/time.h>
#include <time.h>

static bool is_virtual;
static floe_time virtual_now;

/* libc declares it so with _DEFAULT_SOURCE. */
__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv, void *restrict tz) {
  (void)tz;
  if (is_virtual) {
    tv->tv_sec = FLOE__TEST_CLOCK_ORIGIN_S + (time_t)(virtual_now / FLOE_SECOND);
    tv->tv_usec = (suseconds_t)(virtual_now % FLOE_SECOND / 1000);
    return 0;
  }
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  tv->tv_sec = now.tv_sec;
  tv->tv_usec = (suseconds_t)(now.tv_nsec / 1000);
  return 0;
}

void floe__test_clock_set(floe_time now) {
  is_virtual = true;
  virtual_now = now;
}
