#include "nat_words.h"

const char *floe__nat_words_mapping(const floe_nat_result *r) {
  switch (r->mapping) {
    case FLOE_NAT_NONE: return "no NAT: servers see this host's own address";
    case FLOE_NAT_ENDPOINT_INDEPENDENT: return "one public port per local port, whoever is spoken to";
    case FLOE_NAT_ADDRESS_DEPENDENT: return "another public port for each address that is spoken to (symmetric)";
    case FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT:
      return "another public port for each address and port that is spoken to (symmetric)";
    case FLOE_NAT_DEPENDENT: return "each server sees another public port (symmetric)";
    case FLOE_NAT_UNKNOWN: break;
  }
  if (r->mapped.family == FLOE_FAMILY_NONE) return "no server has answered over UDP";
  return "too little to compare: name a second server, or one with two addresses (RFC 5780)";
}

static bool any_was_examined(const floe_nat_result *r) {
  for (size_t i = 0; i < r->n_servers; i++) {
    if (r->servers[i].is_examined) return true;
  }
  return false;
}

const char *floe__nat_words_filtering(const floe_nat_result *r) {
  bool no_nat = r->mapping == FLOE_NAT_NONE;
  switch (r->filtering) {
    case FLOE_NAT_ENDPOINT_INDEPENDENT:
      return no_nat ? "no firewall on the way keeps out what nobody has asked for"
                    : "lets in whatever is sent to the public port";
    case FLOE_NAT_ADDRESS_DEPENDENT:
      return no_nat ? "a firewall lets in only addresses that this host has sent to"
                    : "lets in only addresses that this host has sent to";
    case FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT:
      return no_nat ? "a firewall lets in only addresses with the port that this host has sent to"
                    : "lets in only addresses with the port that this host has sent to";
    case FLOE_NAT_NONE:
    case FLOE_NAT_DEPENDENT:
    case FLOE_NAT_UNKNOWN: break;
  }
  if (r->mapped.family == FLOE_FAMILY_NONE) return "no server has answered over UDP";
  return any_was_examined(r) ? "the server does not answer from its second address as it is asked to"
                             : "only a server with two addresses (RFC 5780) can tell";
}

const char *floe__nat_words_hairpin(const floe_nat_result *r) {
  if (!r->has_hairpin) return NULL;
  return r->hairpin ? "what is sent to its public address from behind it comes in again: two hosts there can meet so"
                    : "what is sent to its public address from behind it is lost: two hosts there need another way";
}

const char *floe__nat_words_ports(const floe_nat_result *r) {
  if (r->mapped.family == FLOE_FAMILY_NONE || r->mapping == FLOE_NAT_NONE) return NULL;
  if (r->port_preserved) return "the public port is the local one";
  return r->same_port_parity ? "changed; even stays even, odd stays odd" : "changed";
}

const char *floe__nat_words_reach(const floe__nat_way *way) {
  switch (way->reach) {
    case FLOE__NAT_REACH_OPEN: return "gets out: the server has answered";
    case FLOE__NAT_REACH_CONNECTED: return "gets out: connected";
    case FLOE__NAT_REACH_SPOILED: return "what answers there is not what was asked for";
    case FLOE__NAT_REACH_REFUSED: return "refused: nobody listens there, or a firewall says so";
    case FLOE__NAT_REACH_BLOCKED: return "nothing came back";
    case FLOE__NAT_REACH_UNKNOWN: break;
  }
  return "not known";
}

/* --- the conclusion --------------------------------------------------------------------------------------------- */

/* Of a mapping that is the same for everybody, filtering decides who else gets in. */
static const char *conclude_stable(const floe_nat_result *r) {
  bool no_nat = r->mapping == FLOE_NAT_NONE;
  switch (r->filtering) {
    case FLOE_NAT_ENDPOINT_INDEPENDENT:
      return no_nat
                 ? "This host can be reached directly: no peer needs a TURN server because of it."
                 : "Any peer that can send UDP connects directly, even one behind a symmetric NAT: no TURN server is "
                   "needed because of this side.";
    case FLOE_NAT_ADDRESS_DEPENDENT:
      return "Two such hosts connect directly, and so does a peer behind a symmetric NAT, as long as its packets come "
             "from one public address.";
    case FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT:
      return "Two such hosts connect directly; a TURN server is needed only if the other side's NAT is symmetric.";
    case FLOE_NAT_NONE:
    case FLOE_NAT_DEPENDENT:
    case FLOE_NAT_UNKNOWN: break;
  }
  return no_nat
             ? "There is no NAT. Whether a firewall keeps peers out is not known: at worst a TURN server is needed if "
               "the other side's NAT is symmetric."
             : "Two such hosts connect directly. Whether a TURN server is needed with a peer behind a symmetric NAT "
               "depends on the filtering, which is not known.";
}

static floe_nat_certainty lesser(floe_nat_certainty a, floe_nat_certainty b) {
  return a < b ? a : b;
}

const char *floe__nat_words_conclusion(const floe_nat_result *r, floe_nat_certainty *certainty) {
  *certainty = r->mapping_certainty;
  switch (r->mapping) {
    case FLOE_NAT_NONE:
    case FLOE_NAT_ENDPOINT_INDEPENDENT:
      if (r->filtering != FLOE_NAT_UNKNOWN) *certainty = lesser(r->mapping_certainty, r->filtering_certainty);
      return conclude_stable(r);
    case FLOE_NAT_ADDRESS_DEPENDENT:
    case FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT:
    case FLOE_NAT_DEPENDENT:
      return "This NAT is symmetric: it connects directly with peers that have no NAT, or one that keeps its public "
             "port and lets in every port of an address. With most others, among them one like itself, a TURN server "
             "is needed.";
    case FLOE_NAT_UNKNOWN: break;
  }
  if (r->mapped.family != FLOE_FAMILY_NONE) {
    return "UDP gets out through a NAT. Of what kind it is cannot be told from these servers: have a TURN server at "
           "hand.";
  }
  return "Nothing is known: no server has answered over UDP. If UDP is blocked here, only a TURN server over TCP or "
         "TLS "
         "helps.";
}

const char *floe__nat_words_caveat(const floe_nat_result *r) {
  size_t answers = 0, private = 0;
  for (size_t i = 0; i < r->n_servers; i++) {
    if (r->servers[i].mapped.family == FLOE_FAMILY_NONE) continue;
    answers++;
    private += floe_addr_is_private(&r->servers[i].server) ? 1 : 0;
  }
  if (answers > 0 && answers == private) {
    return "But the servers that answered are in a private network: this holds on the way to them, and says nothing "
           "about "
           "the way to the Internet.";
  }
  if (r->has_loss) return "Packets were lost while it was tried what is let in: run it again to be surer.";
  return NULL;
}
