/* `floe check --watch`: one line per server and round, and the sums at the end. */
#ifndef FLOE_CLI_WATCH_H
#define FLOE_CLI_WATCH_H

#include "human.h"

/* A series of times, in milliseconds. */
typedef struct floe__series {
  uint32_t n;
  double min, max, sum;
  double last, steps; /* jitter: the mean difference from one to the next */
} floe__series;

void floe__series_add(floe__series *s, double ms);
double floe__series_avg(const floe__series *s);
double floe__series_jitter(const floe__series *s);

typedef struct floe__watch_server {
  char *url;
  uint32_t rounds, ok, degraded, failed;
  floe__series rtt;                   /* of STUN and TURN requests */
  uint64_t relay_sent, relay_arrived; /* packets, both directions */
  floe__series relay_rtt;             /* the mean of each round */
} floe__watch_server;

typedef struct floe__watch {
  floe__watch_server *servers;
  size_t n;
  uint32_t rounds;
  int status; /* exit status of all rounds together */
} floe__watch;

/* Counts a round. The servers are those of the first round. */
void floe__watch_add(floe__watch *w, const floe__check_result *result);
void floe__watch_clear(floe__watch *w);

/* The lines of the round last added. */
void floe__watch_print_round(const floe__watch *w, const floe__human *h, const floe__check_result *result);
void floe__watch_print_summary(const floe__watch *w, const floe__human *h, double elapsed_ms);
/* The same as one JSON line. */
void floe__watch_print_json(const floe__watch *w, FILE *out, double elapsed_ms);

#endif
