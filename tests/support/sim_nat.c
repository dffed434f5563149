#include <stdio.h>

#include "support/sim_net_internal.h"

#define FIRST_EXTERNAL_PORT 40000

typedef struct mapping {
  sim_proto proto;
  floe_addr inside;
  floe_addr to; /* what the mapping depends on: family 0 = nothing, port 0 = the address only */
  uint16_t external_port;
  struct mapping *next;
} mapping;

/* A destination that something inside has sent to: what filtering asks. */
typedef struct permitted {
  const mapping *via;
  floe_addr to;
  struct permitted *next;
} permitted;

struct sim_nat {
  sim *s;
  char name[32];
  floe_addr external;
  sim_nat_kind mapping_kind, filtering;
  uint16_t next_port;
  bool no_hairpin, no_udp;
  sim_nat *outer; /* nullable */
  mapping *mappings;
  permitted *permitted;
  sim_nat *next;
};

sim_nat *sim_nat_new(sim *s, const char *name, const char *external, sim_nat_kind mapping_kind,
                     sim_nat_kind filtering) {
  sim_net *net = sim_net_of(s);
  sim_nat *nat = sim_keep(s, sizeof *nat);
  nat->s = s;
  (void)snprintf(nat->name, sizeof nat->name, "%s", name);
  nat->external = sim_addr(external);
  nat->mapping_kind = mapping_kind;
  nat->filtering = filtering;
  nat->next_port = FIRST_EXTERNAL_PORT;
  nat->next = net->nats;
  net->nats = nat;
  return nat;
}

void sim_nat_behind(sim_nat *inner, sim_nat *outer) {
  inner->outer = outer;
}

sim_nat *sim_nat_outer(const sim_nat *nat) {
  return nat->outer;
}

void sim_nat_set_hairpin(sim_nat *nat, bool hairpin) {
  nat->no_hairpin = !hairpin;
}

bool sim_nat_hairpins(const sim_nat *nat) {
  return !nat->no_hairpin;
}

void sim_nat_block_udp(sim_nat *nat, bool block) {
  nat->no_udp = block;
}

bool sim_nat_blocks(const sim_nat *nat, sim_proto proto) {
  return nat->no_udp && proto == SIM_UDP;
}

void sim_nat_rebind(sim_nat *nat, const char *external) {
  nat->mappings = NULL;
  if (external != NULL) nat->external = sim_addr(external);
}

sim_nat *sim_nat_realm(sim_nat *nat, uint8_t family) {
  while (nat != NULL && nat->external.family != family) nat = nat->outer;
  return nat;
}

sim_nat *sim_nat_with_address(sim *s, const sim_nat *realm, const floe_addr *addr) {
  for (sim_nat *n = sim_net_of(s)->nats; n != NULL; n = n->next) {
    if (sim_nat_realm(n->outer, addr->family) == realm && sim_same_ip(&n->external, addr)) return n;
  }
  return NULL;
}

/* The part of a destination that counts for this kind of behaviour. */
static floe_addr significant(sim_nat_kind kind, const floe_addr *to) {
  floe_addr part = {0};
  switch (kind) {
    case SIM_ENDPOINT_INDEPENDENT: break;
    case SIM_ADDRESS_DEPENDENT:
      part = *to;
      part.port = 0;
      break;
    case SIM_ADDRESS_AND_PORT_DEPENDENT: part = *to; break;
  }
  return part;
}

static mapping *mapping_for(sim_nat *nat, sim_proto proto, const floe_addr *inside, const floe_addr *to) {
  floe_addr part = significant(nat->mapping_kind, to);
  for (mapping *m = nat->mappings; m != NULL; m = m->next) {
    if (m->proto == proto && floe_addr_equal(&m->inside, inside) && floe_addr_equal(&m->to, &part)) return m;
  }
  mapping *m = sim_keep(nat->s, sizeof *m);
  *m = (mapping){
      .proto = proto, .inside = *inside, .to = part, .external_port = nat->next_port++, .next = nat->mappings};
  nat->mappings = m;
  return m;
}

static bool is_permitted(const sim_nat *nat, const mapping *m, const floe_addr *from) {
  floe_addr part = significant(nat->filtering, from);
  for (const permitted *p = nat->permitted; p != NULL; p = p->next) {
    if (p->via == m && floe_addr_equal(&p->to, &part)) return true;
  }
  return false;
}

void sim_nat_out(sim_nat *nat, sim_proto proto, floe_addr *src, const floe_addr *dst) {
  const mapping *m = mapping_for(nat, proto, src, dst);
  if (!is_permitted(nat, m, dst)) {
    permitted *p = sim_keep(nat->s, sizeof *p);
    *p = (permitted){.via = m, .to = significant(nat->filtering, dst), .next = nat->permitted};
    nat->permitted = p;
  }
  *src = nat->external;
  src->port = m->external_port;
}

bool sim_nat_in(sim_nat *nat, sim_proto proto, const floe_addr *src, floe_addr *dst) {
  for (const mapping *m = nat->mappings; m != NULL; m = m->next) {
    if (m->proto != proto || m->external_port != dst->port) continue;
    if (!is_permitted(nat, m, src)) return false;
    *dst = m->inside;
    return true;
  }
  return false;
}
