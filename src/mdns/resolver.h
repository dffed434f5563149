/* Asks for names by multicast (RFC 6762 5.1, 5.2): repeats, gives up, and shares one question between all who ask it.
 *
 * Questions are asked for answers by multicast, one in a message, with the name as it was given, though the draft's
 * section 3.2.1 would like the unicast-response bit: Chromium drops a message with that bit or with two questions,
 * Firefox compares names byte by byte, and an answer by unicast reaches only one of the programs that share port 5353
 * (RFC 6762 15.1). */
#ifndef FLOE_MDNS_RESOLVER_H
#define FLOE_MDNS_RESOLVER_H

#include "base/deadline.h"
#include "mdns/dns_msg.h"
#include "mdns/links.h"

/* One call of floe_mdns_resolve. */
typedef struct floe__mdns_waiter floe__mdns_waiter;
struct floe__mdns_waiter {
  floe__mdns_waiter *next;
  uint32_t id;
  floe_time expires_at;
  floe_dns_status status; /* once it is decided */
  floe_addr addr;         /* OK */
};

typedef struct floe__mdns_question {
  floe__dns_name name;
  floe_family family;
  floe_time ask_at;
  uint64_t interval_ms; /* to the next repetition */
  floe__mdns_waiter *waiters;
  /* Of the message being read. */
  floe_addr found;   /* family 0 = nothing */
  bool is_ambiguous; /* another address beside it */
  bool is_denied;
} floe__mdns_question;

typedef struct floe__mdns_resolver {
  floe_env *env;
  floe__mdns_links *links;
  uint32_t timeout_ms, retry_ms, max_queries;
  floe__mdns_question **questions; /* in the order of their names */
  size_t n, cap;
  size_t n_waiters; /* the decided ones too */
  uint32_t last_id;
  floe__mdns_waiter *decided_first, *decided_last;
} floe__mdns_resolver;

void floe__mdns_resolver_init(floe__mdns_resolver *r, floe__mdns_links *links, const floe_mdns_config *cfg);
void floe__mdns_resolver_clear(floe__mdns_resolver *r);

/* FLOE_OK, FLOE_E_TOO_LARGE, FLOE_E_NOMEM. The question goes out with the next floe__mdns_resolver_on_deadline. */
floe_status floe__mdns_resolver_ask(floe__mdns_resolver *r, floe_time now, const floe__dns_name *name,
                                    floe_family family, uint32_t *id);
/* A name that needs no question. FLOE_OK, FLOE_E_TOO_LARGE, FLOE_E_NOMEM. */
floe_status floe__mdns_resolver_tell(floe__mdns_resolver *r, floe_dns_status status, const floe_addr *addr,
                                     uint32_t *id);
void floe__mdns_resolver_cancel(floe__mdns_resolver *r, uint32_t id);

/* The name is our own now. */
void floe__mdns_resolver_on_registered(floe__mdns_resolver *r, const floe__dns_name *name, const floe_addr *addr);
/* Asks on a link what was asked on the others before. */
void floe__mdns_resolver_on_link_open(floe__mdns_resolver *r, const floe__mdns_link *link);
/* A response that came in over a link. */
void floe__mdns_resolver_on_response(floe__mdns_resolver *r, const floe__mdns_link *link, floe__dns_msg *m);
/* There is nobody to ask. */
void floe__mdns_resolver_on_unreachable(floe__mdns_resolver *r);

void floe__mdns_resolver_on_deadline(floe__mdns_resolver *r, floe_time now);
floe__deadline floe__mdns_resolver_deadline(const floe__mdns_resolver *r);

/* The next RESOLVED; false when there is none. */
bool floe__mdns_resolver_poll(floe__mdns_resolver *r, floe_mdns_output *out);

#endif
