/* The sockets of multicast DNS: one per interface and address family, opened while something is asked or answered for
 * there, and the packets that wait to be taken. */
#ifndef FLOE_MDNS_LINKS_H
#define FLOE_MDNS_LINKS_H

#include "base/env_internal.h"
#include "floe/mdns.h"

/* RFC 6762 3. */
#define FLOE__MDNS_PORT 5353

typedef enum floe__mdns_link_state {
  FLOE__MDNS_LINK_IDLE = 0, /* no socket */
  FLOE__MDNS_LINK_WANTED,   /* OPEN waits to be taken */
  FLOE__MDNS_LINK_OPENING,  /* OPEN was taken */
  FLOE__MDNS_LINK_OPEN,
  FLOE__MDNS_LINK_FAILED, /* tried again when there is something new to ask or to answer for */
  FLOE__MDNS_LINK_CLOSING /* CLOSE waits to be taken */
} floe__mdns_link_state;

typedef struct floe__mdns_link {
  floe__mdns_link_state state;
  floe_sock_id sock; /* 0 = none */
  uint32_t interface;
  floe_family family;
  floe_addr local; /* an address of the interface */
  bool is_loopback;
  bool is_gone;     /* the interface is no longer there: freed once the socket is closed */
  uint32_t n_names; /* registered names whose address is on the interface */
} floe__mdns_link;

typedef struct floe__mdns_packet floe__mdns_packet;
struct floe__mdns_packet {
  floe__mdns_packet *next;
  floe_sock_id sock;
  floe_addr to;
  size_t len;
  uint8_t data[];
};

typedef struct floe__mdns_links {
  floe_env *env;
  bool include_loopback;
  floe_time now;         /* for the trace */
  floe__mdns_link **all; /* those that are gone, too, until their socket is closed */
  size_t n, cap;
  floe_interface *addresses; /* those that were told and count */
  size_t n_addresses;
  floe_sock_id last_sock;
  bool is_asking; /* there are questions, which go out everywhere */
  floe__mdns_packet *first, *last;
  floe__mdns_packet *taken; /* its bytes are valid until the next call */
  size_t queued;            /* bytes of the packets that wait */
} floe__mdns_links;

void floe__mdns_links_init(floe__mdns_links *links, floe_env *env, bool include_loopback);
void floe__mdns_links_clear(floe__mdns_links *links);

/* On false there was no memory and nothing has changed. n_names of each link is 0 afterwards. */
bool floe__mdns_links_set(floe__mdns_links *links, const floe_interface *list, size_t n);

/* The interface that has this address, 0 = none. */
uint32_t floe__mdns_links_interface_of(const floe__mdns_links *links, const floe_addr *addr);
/* One name more (1) or less (-1) has its address on the interface. */
void floe__mdns_links_count_name(floe__mdns_links *links, uint32_t interface, int change);

/* Opens and closes what is needed now. `retry`: what failed is tried again. */
void floe__mdns_links_settle(floe__mdns_links *links, bool retry);
/* A question may still be heard by someone: some link is open, or may yet be. */
bool floe__mdns_links_are_hopeful(const floe__mdns_links *links);

/* The link of an interface that is there, or NULL. */
floe__mdns_link *floe__mdns_links_of(const floe__mdns_links *links, uint32_t interface, floe_family family);
/* NULL when no link has this socket. */
floe__mdns_link *floe__mdns_links_find(const floe__mdns_links *links, floe_sock_id sock);
/* False when it was not waiting for this. */
bool floe__mdns_links_on_opened(floe__mdns_links *links, floe__mdns_link *link);
void floe__mdns_links_on_failed(floe__mdns_links *links, floe__mdns_link *link);

/* Queue a packet on a link that is open; `to` NULL is the group. Lost when there is no memory, as on any link. */
void floe__mdns_links_send(floe__mdns_links *links, const floe__mdns_link *link, const floe_addr *to /* nullable */,
                           floe_bytes data);
/* To the group, on every link that is open. */
void floe__mdns_links_send_all(floe__mdns_links *links, floe_bytes data);

/* The next TRANSMIT, CLOSE or OPEN, in this order; false when there is none. */
bool floe__mdns_links_poll(floe__mdns_links *links, floe_mdns_output *out);

#endif
