/* Addresses: what the core needs beyond floe/types.h. */
#ifndef FLOE_BASE_ADDR_H
#define FLOE_BASE_ADDR_H

#include "floe/types.h"

/* Reads an IP address of `len` bytes, nothing around it. On false *out is zeroed. */
bool floe__addr_parse_ip(floe_addr *out, const char *text, size_t len);

/* 4, 16 or 0. */
size_t floe__addr_ip_len(const floe_addr *addr);

/* ::ffff:0:0/96 */
bool floe__addr_is_v4_mapped(const floe_addr *addr);

#endif
