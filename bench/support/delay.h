/* A path with a delay between two UDP ports of this host, for benchmarks on systems whose kernel has no netem: a
 * process of its own that passes each datagram on after so many milliseconds, under an address of its own for either
 * side. */
#ifndef FLOE_BENCH_DELAY_H
#define FLOE_BENCH_DELAY_H

#include <stdint.h>

typedef struct delay {
  int to_child, from_child;
  int pid;
} delay;

/* 0: could not be started. */
int delay_start(delay *d, unsigned one_way_ms);
/* What is sent to *via_a reaches `a` of 127.0.0.1 as if from *via_b, and the reverse. One path at a time. 0: failed. */
int delay_between(delay *d, uint16_t a, uint16_t b, uint16_t *via_a, uint16_t *via_b);
void delay_stop(delay *d);

#endif
