/* Packets one behind the other in one block. Its memory is malloc's, and not the env's: the engine puts packets in from
 * whichever thread its timers ran in (docs/decisions/0009-usrsctp-engine.md). */
#ifndef FLOE_SCTP_PACKET_FIFO_H
#define FLOE_SCTP_PACKET_FIFO_H

#include "floe/types.h"

#define FLOE__FIFO_MAX (4u * 1024u * 1024u) /* bytes; further packets are lost, as on a network */

typedef struct floe__fifo {
  uint8_t *buf;        /* nullable */
  size_t cap, len, at; /* up to `at` they were taken */
} floe__fifo;

/* False: there is no room, or no memory. */
bool floe__fifo_push(floe__fifo *f, const void *packet, size_t len);
/* Valid until the next push. */
bool floe__fifo_pop(floe__fifo *f, floe_bytes *out);
/* The same block, with nothing in it. */
floe__fifo floe__fifo_emptied(floe__fifo f);
/* Gives a large block back when all was taken. */
void floe__fifo_trim(floe__fifo *f);
void floe__fifo_clear(floe__fifo *f);

#endif
