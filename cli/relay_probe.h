/* The packets of the relay test, and what is counted from them. Pure: time comes in, bytes come out. */
#ifndef FLOE_CLI_RELAY_PROBE_H
#define FLOE_CLI_RELAY_PROBE_H

#include "result.h"

enum {
  FLOE__PROBE_COUNT = 10, /* packets in each direction */
  FLOE__PROBE_LEN = 172   /* bytes of each: a voice packet of 20 ms */
};

/* One end of a tested relay: OUT is the candidate's, BACK the second allocation's. */
typedef enum floe__probe_end { FLOE__PROBE_OUT = 0, FLOE__PROBE_BACK = 1 } floe__probe_end;

/* What one relay sent and got. */
typedef struct floe__probe_log {
  uint64_t key;                         /* tells our packets from anybody else's */
  uint32_t sent[2];                     /* by end */
  bool arrived[2][FLOE__PROBE_COUNT];   /* packets sent by that end that reached the other */
  bool echoed[2][FLOE__PROBE_COUNT];    /* their echoes that came back */
  double rtt_ms[2 * FLOE__PROBE_COUNT]; /* in the order the echoes came */
  uint32_t n_rtt;
} floe__probe_log;

/* Writes the next packet of an end; counts it as sent. `out` holds FLOE__PROBE_LEN bytes. */
void floe__probe_write(floe__probe_log *log, floe__probe_end end, floe_time now, uint8_t *out);

/* Looks at what arrived at an end. Returns true when it wants to be echoed: then `echo` (FLOE__PROBE_LEN bytes) is to
 * be sent to the other end. Packets that are not of this test are ignored, duplicates counted once. */
bool floe__probe_read(floe__probe_log *log, floe__probe_end at, floe_time now, floe_bytes data, uint8_t *echo);

/* True when everything was sent and everything came back. */
bool floe__probe_is_complete(const floe__probe_log *log);

/* Sums up: sent, arrived, RTT, jitter, and whether data flows. */
void floe__probe_judge(const floe__probe_log *log, floe__relay_result *out);

#endif
