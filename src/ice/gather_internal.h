/* What gather.c and gather_route.c share. */
#ifndef FLOE_ICE_GATHER_INTERNAL_H
#define FLOE_ICE_GATHER_INTERNAL_H

#include "ice/gather.h"

/* Inputs to whom they concern. */
void floe__gather_route_socket(floe__gather *g, const floe_input *in);
void floe__gather_route_datagram(floe__gather *g, const floe_input *in);
void floe__gather_route_icmp(floe__gather *g, const floe_input *in);

/* The socket of a base has opened or failed. */
void floe__gather_on_base_changed(floe__gather *g, floe__base *b);

#endif
