/* Hosts with a floe_mdns each, on links that carry multicast: for tests of multicast DNS alone. Everything that was
 * sent, opened, closed and resolved is kept, with its time. */
#ifndef FLOE_TESTS_MDNS_HUB_H
#define FLOE_TESTS_MDNS_HUB_H

#include "floe/mdns.h"
#include "support/cmocka.h"
#include "support/sim.h"
#include "support/sim_alloc.h"

#define HUB_MAX_SOCKS    64
#define HUB_MAX_HOSTS    8
#define HUB_MAX_IFACES   8
#define HUB_MAX_RESOLVED 4096

typedef struct hub hub;
typedef struct hub_host hub_host;

/* A packet that a host has sent. */
typedef struct hub_packet {
  struct hub_packet *next;
  floe_time at;
  hub_host *from;
  uint32_t interface;
  floe_family family;
  floe_addr to;
  size_t len;
  uint8_t data[];
} hub_packet;

typedef struct hub_sock {
  floe_sock_id id;
  uint32_t interface;
  floe_family family;
  bool is_open;
} hub_sock;

typedef struct hub_resolved {
  floe_time at;
  uint32_t query;
  floe_dns_status status;
  floe_addr address;
} hub_resolved;

struct hub_host {
  hub *h;
  sim_env *env;
  floe_mdns *mdns;
  floe_interface ifaces[HUB_MAX_IFACES];
  size_t n_ifaces;
  hub_sock socks[HUB_MAX_SOCKS]; /* all there ever were */
  size_t n_socks;
  size_t n_opens, n_closes;
  bool fails_ipv4, fails_ipv6; /* its sockets of that family cannot be opened */
  bool holds_opens;            /* no answer to OPEN before hub_open_held */
  hub_resolved resolved[HUB_MAX_RESOLVED];
  size_t n_resolved;
  floe_time wait_until;
  const char *wait_reason;
};

struct hub {
  sim *s;
  hub_host *hosts[HUB_MAX_HOSTS];
  size_t n_hosts;
  hub_packet *first, *last; /* in the order in which they were sent */
  uint32_t loss_permille;   /* of packets to other hosts */
  uint32_t twice_permille;
  uint32_t late_permille; /* 50 ms instead of 1 ms */
  size_t drop_next;       /* this many packets are lost from now on */
};

hub *hub_new(uint64_t seed);
/* Asserts that no host leaks. */
void hub_free(hub *h);

/* A host whose interface 1 has these addresses (nullable). */
hub_host *hub_host_new(hub *h, const char *ipv4, const char *ipv6);
hub_host *hub_host_new_with(hub *h, const floe_mdns_config *cfg, sim_env *env);
/* Interfaces with the same number are on the same link; 9 is a loopback one, which no other host is on. */
void hub_add_interface(hub_host *host, uint32_t index, const char *ip);
/* Tells the core what was added. */
void hub_tell_interfaces(hub_host *host);

floe_time hub_ms(const hub *h); /* since the start */

/* Each asserts FLOE_OK. */
uint32_t hub_resolve(hub_host *host, const char *name, floe_family family);
void hub_register(hub_host *host, const char *name, const char *ip);
void hub_unregister(hub_host *host, const char *name);

/* Takes the outputs until WAIT; asserts that this lies ahead. */
void hub_drain(hub_host *host);
void hub_open_held(hub_host *host, floe_sock_id sock);
/* A datagram from anywhere. */
void hub_inject(hub_host *host, uint32_t interface, floe_family family, const floe_addr *from, const void *data,
                size_t len);
hub_sock *hub_sock_of(hub_host *host, uint32_t interface, floe_family family); /* open, or NULL */
size_t hub_n_open(const hub_host *host);

/* How a question was decided: asserts that it was, once. */
const hub_resolved *hub_result(const hub_host *host, uint32_t query);
void hub_assert_resolved(const hub_host *host, uint32_t query, const char *ip);
void hub_assert_status(const hub_host *host, uint32_t query, floe_dns_status status);

/* The n-th packet from 0 of a host on an interface and family; NULL when there is none. */
const hub_packet *hub_packet_of(const hub *h, const hub_host *from, uint32_t interface, floe_family family, size_t n);
size_t hub_count(const hub *h, const hub_host *from, uint32_t interface, floe_family family);
/* Forgets the packets so far. */
void hub_forget(hub *h);

floe_addr hub_addr(const char *text);

#endif
