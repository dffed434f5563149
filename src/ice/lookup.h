/* One name looked up: A and AAAA at the same time (the contract's section 5). */
#ifndef FLOE_ICE_LOOKUP_H
#define FLOE_ICE_LOOKUP_H

#include "ice/io.h"

typedef enum floe__lookup_state {
  FLOE__LOOKUP_UNASKED = 0, /* this family is not looked up: the host does not have it */
  FLOE__LOOKUP_PENDING,
  FLOE__LOOKUP_ANSWERED /* status, addrs; also when it was given up */
} floe__lookup_state;

typedef struct floe__lookup_family {
  floe__lookup_state state;
  floe_req_id req;
  floe_dns_status status;
  floe_addr *addrs; /* ports 0 */
  size_t n_addrs;
  floe_time answered_at;
} floe__lookup_family;

typedef struct floe__lookup {
  char host[256]; /* in lower case: names are compared so (RFC 4343) */
  floe_time started_at;
  floe_time give_up_at;
  floe__lookup_family ipv4, ipv6;
} floe__lookup;

/* Asks for the families wanted. */
void floe__lookup_start(floe__lookup *l, floe__io *io, const char *host, bool ipv4, bool ipv6);
floe__lookup_family *floe__lookup_of(floe__lookup *l, floe_family family);
/* The driver's answer. False: it is not for this look-up. */
bool floe__lookup_on_resolved(floe__lookup *l, floe__io *io, const floe_input *in);
/* Gives up what is still pending when it is time. True when something changed. */
bool floe__lookup_on_deadline(floe__lookup *l, floe__io *io);
/* Gives up now. */
void floe__lookup_give_up(floe__lookup *l, floe__io *io);
floe__deadline floe__lookup_deadline(const floe__lookup *l);
bool floe__lookup_is_pending(const floe__lookup *l);
void floe__lookup_clear(floe__lookup *l, floe__io *io);

#endif
