/* What the files of a gathering share among themselves. */
#ifndef FLOE_ICE_GATHER_INTERNAL_H
#define FLOE_ICE_GATHER_INTERNAL_H

#include "ice/gather.h"

/* Inputs to whom they concern. */
void floe__gather_route_socket(floe__gather *g, const floe_input *in);
void floe__gather_route_datagram(floe__gather *g, const floe_input *in);
void floe__gather_route_icmp(floe__gather *g, const floe_input *in);

/* The socket of a base has opened or failed. */
void floe__gather_on_base_changed(floe__gather *g, floe__base *b);
/* A try does not use the base's socket any more. */
void floe__gather_release_base(floe__gather *g, floe__base *b);

/* --- gather_host.c ------------------------------------------------------------------------------------------------ */

/* The base's UDP socket has opened or failed: its host candidates, but for those of listeners. */
void floe__gather_add_hosts(floe__gather *g, floe__base *b);
void floe__gather_open_listeners(floe__gather *g);
/* The driver's answer. */
void floe__gather_on_listener(floe__gather *g, floe__listener *l, const floe_input *in);
/* Its multicast DNS name, if it has one, is not answered for any more. */
void floe__gather_withdraw_name(floe__gather *g, floe__base *b);

/* --- gather_change.c ---------------------------------------------------------------------------------------------- */

/* What it was told of; kept for continual gathering. */
void floe__gather_note_addresses(floe__gather *g, const floe_interface *list, size_t n);
/* The host has these addresses, and no others. */
void floe__gather_lose_addresses(floe__gather *g, const floe_interface *list, size_t n);

/* --- between gather_attempt.c and gather_relay.c -------------------------------------------------------------------
 */

/* A try of the attempt for this address, not started, not yet among its tries. NULL: no memory. */
floe__try *floe__attempt_make_try(floe__attempt *a, const floe_addr *addr);
/* Frees the tries but `kept` (nullable), which moves to the front. */
void floe__attempt_drop_tries(floe__attempt *a, floe__try *kept);
/* What a call to one of its tries has brought about. */
void floe__attempt_on_step(floe__attempt *a, floe__try *t, floe__try_step step);
/* The preference among candidates of one type; `last`: 0, or 1 for the additional family. */
uint16_t floe__attempt_preference(const floe__attempt *a, uint32_t last);

/* Callbacks of a try with an allocation. */
void floe__relay_on_data(void *attempt, floe__try *t);
void floe__relay_on_permission(void *attempt, floe__try *t);
/* The relayed address of the (0) first or (1) additional family becomes a candidate of the attempt. */
floe__added floe__relay_add(floe__attempt *a, const floe__try *t, uint32_t last, bool is_silent);
/* The same, after the attempt has ended. */
void floe__relay_on_step(floe__attempt *a, floe__try *t, floe__try_step step);
/* It is time to ask for another allocation. */
void floe__relay_retry(floe__attempt *a);
/* The base is gone, and with it the way to the server. */
void floe__relay_abandon(floe__attempt *a);

#endif
