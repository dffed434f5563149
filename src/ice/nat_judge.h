/* What the answers of STUN servers say about a NAT: RFC 5780 4.3 and 4.4, and what is left of it when answers are
 * missing. No state, no time. */
#ifndef FLOE_ICE_NAT_JUDGE_H
#define FLOE_ICE_NAT_JUDGE_H

#include "floe/nat.h"
#include "ice/nat_ask.h"

/* What one address and port of a server saw of one and the same socket. */
typedef struct floe__nat_sight {
  floe_addr server;
  floe_addr mapped;
} floe__nat_sight;

typedef struct floe__nat_judgement {
  floe_nat_behaviour behaviour;
  floe_nat_certainty certainty;
} floe__nat_judgement;

/* Mapping. `is_complete`: some server was asked at both its addresses and both its ports, and all four answered. */
floe__nat_judgement floe__nat_judge_mapping(const floe__nat_sight *sights, size_t n, const floe_addr *local,
                                            bool is_complete);

/* How the tests of RFC 5780 4.4 ended. */
typedef struct floe__nat_filter_facts {
  bool is_tried;
  floe__nat_ask_state other_address; /* test II: the answer is to come from the other address and the other port */
  floe__nat_ask_state other_port;    /* test III: from the other port */
  bool other_address_is_alive;       /* an answer has come from there to a socket that had sent there */
  bool other_port_is_alive;
  bool has_loss; /* requests beside the tests were not answered */
} floe__nat_filter_facts;

floe__nat_judgement floe__nat_judge_filtering(const floe__nat_filter_facts *facts);

/* An OTHER-ADDRESS that `server` can mean: another address and another port of its kind. */
bool floe__nat_is_usable_other(const floe_addr *server, const floe_addr *other);

#endif
