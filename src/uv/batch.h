/* Datagrams on their way to a UDP socket. Those of one burst have one size and go to one place, and a system that takes
 * many of them in one call does so for a fraction of the price: so they are collected while an agent's outputs are
 * taken, and leave before anything else of it is done. */
#ifndef FLOE_UV_BATCH_H
#define FLOE_UV_BATCH_H

#include "floe/uv.h"

struct floe__uv_sock;

/* Whose datagram it is, and what that calls the socket (agents on a multiplexer share them). */
typedef struct floe__uv_sender {
  floe_uv_ice_agent *agent;
  floe_sock_id id;
} floe__uv_sender;

typedef struct floe__uv_batch {
  uint8_t *bytes;             /* FLOE__UV_SLOT_BYTES */
  struct floe__uv_sock *sock; /* NULL: the batch is empty */
  floe__uv_sender sender;
  floe_addr to;
  uint8_t dscp;
  size_t len;     /* of all */
  size_t segment; /* of each but the last, which may be shorter */
  size_t n;
  int failed;             /* an errno: not told yet */
  floe__uv_sender victim; /* of `failed` */
  floe_addr failed_to;
} floe__uv_batch;

/* Copies the datagram. What was collected for another destination is sent before it. */
void floe__uv_batch_add(floe_uv *uv, struct floe__uv_sock *sock, floe__uv_sender sender, const floe_output *transmit);
/* Sends what was collected. */
void floe__uv_batch_flush(floe_uv *uv);
/* Tells the agent when its datagrams could not be sent: not before it is done with its last output, which an input may
 * take away. Returns whether it was told. */
bool floe__uv_batch_tell(floe_uv *uv);

#endif
