/* A path with a delay and a loss between two UDP ports of this host, for benchmarks on systems whose kernel has no
 * netem: a process of its own that passes each datagram on after so many milliseconds, under an address of its own for
 * either side. */
#ifndef FLOE_BENCH_DELAY_H
#define FLOE_BENCH_DELAY_H

#include <stdint.h>

typedef struct delay {
  int to_child, from_child;
  int pid;
} delay;

/* 0: could not be started. */
int delay_start(delay *d, unsigned one_way_ms);
/* The same; of a million datagrams each way so many are lost, which ones follows from the seed. */
int delay_start_lossy(delay *d, unsigned one_way_ms, unsigned lost_per_million, uint64_t seed);
/* What is sent to *via_a reaches `a` of 127.0.0.1 as if from *via_b, and the reverse. One path at a time. 0: failed. */
int delay_between(delay *d, uint16_t a, uint16_t b, uint16_t *via_a, uint16_t *via_b);
/* The same in steps, for sides that learn of each other one after the other: what comes before an end is known is lost.
 * `side` is 0 for a, 1 for b; `ip` is an address of this host in network order. */
int delay_open(delay *d, uint16_t *via_a, uint16_t *via_b);
int delay_end(delay *d, int side, uint32_t ip, uint16_t port);
void delay_stop(delay *d);

#endif
