/* The differentiated services code point (RFC 2474) of what a socket sends. */
#ifndef FLOE_UV_DSCP_H
#define FLOE_UV_DSCP_H

#include <stdint.h>

/* The byte of the IP header that holds it: the lower two bits are ECN's (RFC 3168). */
static inline int floe__uv_tos_of(uint8_t dscp) {
  return (dscp & 0x3f) << 2;
}

/* For all that the socket sends from now on. Only a wish: a system that refuses is not asked why. */
void floe__uv_set_dscp(int fd, int family /* AF_INET or AF_INET6 */, uint8_t dscp);

#endif
