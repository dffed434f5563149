/* Virtual time for libssl and usrsctp, which read gettimeofday: this file defines it in the test's own executable,
 * where the dynamic linker finds it before libc's. Only a test that calls floe__test_clock_set gets the definition
 * linked. */
#ifndef FLOE_TESTS_VIRTUAL_TIME_H
#define FLOE_TESTS_VIRTUAL_TIME_H

#include "floe/types.h"

/* What gettimeofday says at virtual time 0, in seconds since 1970: no library takes it for "unset". */
#define FLOE__TEST_CLOCK_ORIGIN_S 1700000000

/* From now on gettimeofday says the origin plus `now`, until the next call. Before the first call it tells the real
 * time. */
void floe__test_clock_set(floe_time now);

#endif
