/* Answers for registered names (RFC 6762 6), announces them (8.3) and says goodbye (10.1). A name is told only on the
 * interface that has its address (6.2). Names are random and so need no probing (the draft's section 3.1.1). */
#ifndef FLOE_MDNS_RESPONDER_H
#define FLOE_MDNS_RESPONDER_H

#include "base/deadline.h"
#include "mdns/dns_msg.h"
#include "mdns/links.h"

/* How a name is told on one link of its interface. */
typedef struct floe__mdns_outlet {
  floe_time announce_at; /* NEVER: it was told, or the link is not open */
  unsigned n_announced;
  floe_time answer_at;     /* NEVER: nobody waits for an answer */
  floe_time may_answer_at; /* by multicast, once a second */
  floe_time told_at;       /* last, by multicast: on a link that is open it always was */
} floe__mdns_outlet;

typedef struct floe__mdns_name {
  floe__dns_name name;
  floe_addr addr;
  uint32_t n_registered;
  uint32_t interface; /* 0: no interface has the address */
  floe__mdns_outlet ipv4, ipv6;
} floe__mdns_name;

typedef struct floe__mdns_responder {
  floe_env *env;
  floe__mdns_links *links;
  uint32_t max_names;
  floe__mdns_name **names; /* in their order */
  size_t n, cap;
  floe_time first_at; /* nothing is due before this */
} floe__mdns_responder;

void floe__mdns_responder_init(floe__mdns_responder *r, floe__mdns_links *links, const floe_mdns_config *cfg);
void floe__mdns_responder_clear(floe__mdns_responder *r);

/* What one of our own names stands for; NULL when it is not one. */
const floe_addr *floe__mdns_responder_find(const floe__mdns_responder *r, const floe__dns_name *name);

/* FLOE_OK; FLOE_E_STATE, FLOE_E_TOO_LARGE, FLOE_E_NOMEM as floe_mdns_register. The first announcement goes out with the
 * next floe__mdns_responder_on_deadline. */
floe_status floe__mdns_responder_register(floe__mdns_responder *r, floe_time now, const floe__dns_name *name,
                                          const floe_addr *addr);
void floe__mdns_responder_unregister(floe__mdns_responder *r, const floe__dns_name *name);

/* The interfaces have changed: names follow their addresses. */
void floe__mdns_responder_on_interfaces(floe__mdns_responder *r, floe_time now);
void floe__mdns_responder_on_link_open(floe__mdns_responder *r, floe_time now, const floe__mdns_link *link);
/* A query that came in over a link. */
void floe__mdns_responder_on_query(floe__mdns_responder *r, floe_time now, const floe__mdns_link *link,
                                   floe__dns_msg *m, const floe_addr *from);

void floe__mdns_responder_on_deadline(floe__mdns_responder *r, floe_time now);
floe__deadline floe__mdns_responder_deadline(const floe__mdns_responder *r);

#endif
