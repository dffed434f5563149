/* floe_addr to and from the system's socket addresses. */
#ifndef FLOE_UV_SOCKADDR_H
#define FLOE_UV_SOCKADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "floe/types.h"

/* AF_INET, AF_INET6 or AF_UNSPEC. */
int floe__uv_sockaddr_family(const floe_addr *addr);

/* Returns the length; 0 for no address. */
socklen_t floe__uv_sockaddr_of(struct sockaddr_storage *out, const floe_addr *addr);

/* Zeroes *out when `sa` is of no family that it knows. */
void floe__uv_sockaddr_read(floe_addr *out, const struct sockaddr *sa);

#endif
