/* The inside of the simulated network, shared by sim_net.c, sim_route.c, sim_nat.c, sim_udp.c and sim_tcp.c. */
#ifndef FLOE_TESTS_SIM_NET_INTERNAL_H
#define FLOE_TESTS_SIM_NET_INTERNAL_H

#include "support/sim_net.h"

#define SIM_MAX_ADDRESSES 32
#define SIM_FIRST_PORT    50000

struct sim_listener {
  floe_addr local;
  bool closed;
  sim_accept_fn on_accept;
  void *user;
  sim_listener *next;
};

struct sim_host {
  sim *s;
  char name[32];
  floe_interface interfaces[SIM_MAX_ADDRESSES];
  size_t n_interfaces;
  sim_nat *nat; /* nullable */
  bool stealth, deaf;
  uint16_t next_port;
  bool fail_binds;
  floe_net_error bind_error;
  uint32_t bind_failures; /* left; 0 = for ever */
  sim_udp *udp;
  sim_tcp *tcp;
  sim_listener *listeners;
  sim_host *next;
};

struct sim_udp {
  sim_host *host;
  floe_addr local;
  const sim_udp_ops *ops;
  void *user;
  bool closed;
  sim_udp *next;
};

typedef struct sim_pair_path {
  const sim_host *a, *b;
  sim_path path;
  struct sim_pair_path *next;
} sim_pair_path;

typedef struct sim_rule_state {
  sim_rule rule;
  uint32_t seen;
} sim_rule_state;

typedef struct sim_net {
  sim_host *hosts; /* the last one made first */
  sim_nat *nats;
  sim_path path;
  sim_pair_path *pairs;
  sim_rule_state *rules;
  size_t n_rules;
  uint64_t packets;
} sim_net;

sim_net *sim_net_of(sim *s);

/* Where a packet ends up after all NATs. */
typedef struct sim_route {
  sim_host *to; /* NULL: nobody has the address, or a NAT does not let it in */
  floe_addr src, dst;
} sim_route;

sim_route sim_net_route(sim_host *from, sim_proto proto, const floe_addr *src, const floe_addr *dst);
/* The rule that hits this packet, or NULL. Counts the packet. */
const sim_rule *sim_net_rule(sim_host *from, sim_proto proto, const floe_addr *src, const floe_addr *dst);
const sim_path *sim_net_path(const sim_host *from, const sim_host *to /* nullable */);
/* One packet's time on the way. */
floe_time sim_net_delay(const sim_host *from, const sim_host *to /* nullable */);

/* True, and the port filled in, when the host can bind it. `is_used` tells whether a port is taken. */
bool sim_net_bind(sim_host *h, floe_addr *local, bool (*is_used)(const sim_host *h, const floe_addr *local),
                  floe_net_error *why);

bool sim_host_has(const sim_host *h, const floe_addr *addr);
/* The index of the interface of `h` that a link-local address is to be scoped with, 0 = none. */
uint32_t sim_host_scope(const sim_host *h);

/* Same family and IP; scopes and ports are not compared. */
bool sim_same_ip(const floe_addr *a, const floe_addr *b);

/* Translation; false: not let in. `nat` must translate the family. */
void sim_nat_out(sim_nat *nat, sim_proto proto, floe_addr *src, const floe_addr *dst);
bool sim_nat_in(sim_nat *nat, sim_proto proto, const floe_addr *src, floe_addr *dst);
bool sim_nat_blocks(const sim_nat *nat, sim_proto proto);
bool sim_nat_hairpins(const sim_nat *nat);
/* The NAT whose public address this is, as seen from inside `realm`; nullable both. */
sim_nat *sim_nat_with_address(sim *s, const sim_nat *realm, const floe_addr *addr);
/* The nearest NAT from `nat` outwards that translates the family; NULL: none, the public Internet. */
sim_nat *sim_nat_realm(sim_nat *nat, uint8_t family);
sim_nat *sim_nat_outer(const sim_nat *nat);

#endif
