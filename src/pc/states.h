/* The states of a connection as functions of those of its transports (webrtc-pc 4.3.2 to 4.3.4). One transport carries
 * everything today; the tables of the specification are for any number. */
#ifndef FLOE_PC_STATES_H
#define FLOE_PC_STATES_H

#include <stddef.h>

#include "floe/event.h"

typedef struct floe__transport_states {
  floe_ice_connection_state ice;
  floe_ice_gathering_state gathering;
  floe_dtls_transport_state dtls;
} floe__transport_states;

floe_ice_connection_state floe__pc_ice_connection_state(const floe__transport_states *list, size_t n, bool closed);
floe_ice_gathering_state floe__pc_ice_gathering_state(const floe__transport_states *list, size_t n);
floe_pc_state floe__pc_connection_state(const floe__transport_states *list, size_t n, bool closed);

#endif
