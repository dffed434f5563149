#include "ice/nat_judge.h"

const char *floe_nat_behaviour_name(floe_nat_behaviour behaviour) {
  switch (behaviour) {
    case FLOE_NAT_UNKNOWN: return "unknown";
    case FLOE_NAT_NONE: return "none";
    case FLOE_NAT_ENDPOINT_INDEPENDENT: return "endpoint-independent";
    case FLOE_NAT_ADDRESS_DEPENDENT: return "address-dependent";
    case FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT: return "address-and-port-dependent";
    case FLOE_NAT_DEPENDENT: return "dependent";
  }
  return "unknown";
}

const char *floe_nat_certainty_name(floe_nat_certainty certainty) {
  switch (certainty) {
    case FLOE_NAT_GUESS: return "guess";
    case FLOE_NAT_LIKELY: return "likely";
    case FLOE_NAT_CERTAIN: return "certain";
  }
  return "guess";
}

bool floe__nat_is_usable_other(const floe_addr *server, const floe_addr *other) {
  if (other->family != server->family || other->port == 0 || floe_addr_is_any(other)) return false;
  if (floe_addr_equal_ip(other, server) || other->port == server->port) return false;
  /* A server behind a NAT of its own that tells its inner address. */
  return floe_addr_is_private(server) || !floe_addr_is_private(other);
}

/* --- mapping ---------------------------------------------------------------------------------------------------- */

/* What pairs of sights have in common. */
typedef struct comparison {
  bool addresses_agree, addresses_differ; /* what two addresses saw */
  bool ports_agree, ports_differ;         /* what two ports of one address saw */
  bool is_restless;                       /* one and the same destination saw two mappings */
  bool all_local;
} comparison;

static void compare_pair(comparison *c, const floe__nat_sight *a, const floe__nat_sight *b) {
  bool agree = floe_addr_equal(&a->mapped, &b->mapped);
  if (!floe_addr_equal_ip(&a->server, &b->server)) {
    c->addresses_agree |= agree;
    c->addresses_differ |= !agree;
  } else if (a->server.port != b->server.port) {
    c->ports_agree |= agree;
    c->ports_differ |= !agree;
  } else {
    c->is_restless |= !agree;
  }
}

static comparison compare(const floe__nat_sight *sights, size_t n, const floe_addr *local) {
  comparison c = {.all_local = n > 0};
  for (size_t i = 0; i < n; i++) {
    c.all_local = c.all_local && floe_addr_equal(&sights[i].mapped, local);
    for (size_t k = 0; k < i; k++) compare_pair(&c, &sights[i], &sights[k]);
  }
  return c;
}

/* RFC 4787 4.1 has no NAT for which these hold together: one that has just lost its state, or two at work. */
static bool is_contradictory(const comparison *c) {
  if (c->is_restless) return true;
  if (c->ports_differ) return c->ports_agree || c->addresses_agree;
  return c->addresses_differ && c->addresses_agree;
}

static floe_nat_behaviour mapping_of(const comparison *c) {
  if (c->ports_differ) return FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT;
  if (c->addresses_differ && c->ports_agree) return FLOE_NAT_ADDRESS_DEPENDENT;
  if (c->addresses_differ || c->is_restless) return FLOE_NAT_DEPENDENT;
  if (c->all_local) return FLOE_NAT_NONE;
  return c->addresses_agree ? FLOE_NAT_ENDPOINT_INDEPENDENT : FLOE_NAT_UNKNOWN;
}

floe__nat_judgement floe__nat_judge_mapping(const floe__nat_sight *sights, size_t n, const floe_addr *local,
                                            bool is_complete) {
  comparison c = compare(sights, n, local);
  floe__nat_judgement j = {.behaviour = mapping_of(&c), .certainty = FLOE_NAT_LIKELY};
  if (j.behaviour == FLOE_NAT_UNKNOWN) j.certainty = FLOE_NAT_GUESS;
  if (is_complete && !is_contradictory(&c)) j.certainty = FLOE_NAT_CERTAIN;
  return j;
}

/* --- filtering -------------------------------------------------------------------------------------------------- */

static floe__nat_judgement judge(floe_nat_behaviour behaviour, floe_nat_certainty certainty) {
  return (floe__nat_judgement){behaviour, certainty};
}

/* RFC 5780 4.4 test III, after test II was not answered. Silence proves something when whoever is silent can be heard
 * at all, and nothing else was lost meanwhile. */
static floe__nat_judgement judge_by_port(const floe__nat_filter_facts *f) {
  floe_nat_certainty at_most = f->has_loss ? FLOE_NAT_LIKELY : FLOE_NAT_CERTAIN;
  switch (f->other_port) {
    case FLOE__NAT_ASK_ANSWERED:
      return judge(FLOE_NAT_ADDRESS_DEPENDENT, f->other_address_is_alive ? at_most : FLOE_NAT_GUESS);
    case FLOE__NAT_ASK_SILENT:
      if (f->other_port_is_alive) return judge(FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, at_most);
      if (f->other_address_is_alive) return judge(FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, FLOE_NAT_GUESS);
      break;
    case FLOE__NAT_ASK_OPEN:
    case FLOE__NAT_ASK_REFUSED: break;
  }
  return judge(FLOE_NAT_UNKNOWN, FLOE_NAT_GUESS);
}

floe__nat_judgement floe__nat_judge_filtering(const floe__nat_filter_facts *facts) {
  if (!facts->is_tried) return judge(FLOE_NAT_UNKNOWN, FLOE_NAT_GUESS);
  switch (facts->other_address) {
    case FLOE__NAT_ASK_ANSWERED: return judge(FLOE_NAT_ENDPOINT_INDEPENDENT, FLOE_NAT_CERTAIN);
    case FLOE__NAT_ASK_SILENT: return judge_by_port(facts);
    case FLOE__NAT_ASK_OPEN:
    case FLOE__NAT_ASK_REFUSED: break;
  }
  return judge(FLOE_NAT_UNKNOWN, FLOE_NAT_GUESS);
}
