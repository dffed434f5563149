/* One resolver: a c-ares channel that asks it alone, on the driver's loop. */
#ifndef FLOE_UV_DNS_CHANNEL_H
#define FLOE_UV_DNS_CHANNEL_H

#include <ares.h>

#include "uv/loop.h"

/* c-ares asks a second time after this, and gives up after twice as much again: 3 s in all. */
#define FLOE__UV_DNS_TIMEOUT_MS 1000
#define FLOE__UV_DNS_TRIES      2

typedef struct floe__uv_dns_channel {
  floe_uv *uv;
  ares_channel ares;
  struct floe__uv_dns_poll *polls; /* one per socket of c-ares */
} floe__uv_dns_channel;

/* The system's resolvers. Returns how many, 0 when there is no memory.
 * *out: caller frees with floe__uv_free. */
size_t floe__uv_dns_system_servers(const floe__uv_mem *mem, floe_addr **out);

/* `channel` must stay where it is until it is closed. False when there is no memory. */
bool floe__uv_dns_channel_open(floe__uv_dns_channel *channel, floe_uv *uv, const floe_addr *server);
/* Ends its queries with ARES_EDESTRUCTION. */
void floe__uv_dns_channel_close(floe__uv_dns_channel *channel);

/* Does what is due. Returns the milliseconds until more is, or -1. */
int floe__uv_dns_channel_on_time(floe__uv_dns_channel *channel);

#endif
