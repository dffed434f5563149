/* Local candidates: value, foundation, priority (RFC 8445 5.1.1.3, 5.1.2), text (RFC 8839 5.1). */
#ifndef FLOE_ICE_CANDIDATE_H
#define FLOE_ICE_CANDIDATE_H

#include "base/alloc.h"
#include "floe/candidate.h"
#include "floe/ice.h"
#include "ice/event_queue.h"

/* "candidate:" foundation component transport priority address port "typ" type "raddr" address "rport" port */
#define FLOE__CANDIDATE_TEXT 512

typedef struct floe__candidate {
  floe_ice_candidate pub;
  floe_addr base;    /* RFC 8445: the address sent from; of a relay candidate: the relayed address */
  floe_addr server;  /* the server it came from, without its port; family 0 for host */
  floe_sock_id sock; /* UDP: what is sent from it goes through this socket; a listening TCP candidate: the listener;
                        0: relay and active TCP candidates */
  bool is_gone;      /* its address or its allocation is gone: nothing can be sent from it any more */
  bool is_told;      /* by an event and in descriptions; what is not told is used in checks all the same */
  floe__event_node node;
  char *text; /* pub.text, and behind its NUL pub.mdns_name; owned */
} floe__candidate;

typedef struct floe__candidate_list {
  floe__candidate **items;
  const floe_ice_candidate **told; /* those with is_told, as the API gives them out */
  size_t n, n_told, items_cap, told_cap;
  uint32_t n_foundations;
  uint32_t dropped;     /* beyond max_candidates */
  uint32_t n_gone;      /* counts up with each that becomes is_gone */
  uint32_t n_under_way; /* gatherings for this list that have begun and are not complete */
} floe__candidate_list;

/* RFC 8445 5.1.2.1: (2^24)*(type preference) + (2^8)*(local preference) + (256 - component ID). Of a UDP candidate. */
uint32_t floe__candidate_priority(floe_candidate_type type, uint16_t local_preference, uint16_t component);
/* The same of a TCP candidate: RFC 6544 4.2. `preference` is for the base, as for UDP. */
uint32_t floe__candidate_tcp_priority(floe_candidate_type type, floe_tcp_type tcp_type, uint16_t preference,
                                      uint16_t component);

/* RFC 8445 5.1.3: redundant when a candidate with the same address and base exists, that is not gone and shows the
 * address or is of the same type. Returns that one, or NULL. */
const floe__candidate *floe__candidate_find_redundant(const floe__candidate_list *list, const floe__candidate *c);

/* Gives `c` foundation, priority (unique: 5.1.2) and text, copies its mdns_name, and appends it, not told. The list
 * owns it from then on. False: no memory; `c` stays the caller's. */
bool floe__candidate_add(floe__candidate_list *list, floe_env *env, floe__candidate *c /* takes */,
                         uint16_t local_preference);
/* After it was added. */
void floe__candidate_trace(const floe__candidate *c, floe_env *env, floe_time now);
/* It is told from now on; the event is the caller's. Cannot fail. */
void floe__candidate_tell(floe__candidate_list *list, floe__candidate *c);
/* Nothing can be sent from it any more. */
void floe__candidate_lose(floe__candidate_list *list, floe__candidate *c);

/* Some candidate told so far shows this IP address (the port is not compared), not a name in its place. */
bool floe__candidate_exposes(const floe__candidate_list *list, const floe_addr *addr);

const floe__candidate *floe__candidate_by_id(const floe__candidate_list *list, uint32_t id);
void floe__candidate_list_clear(floe__candidate_list *list, floe_env *env);

#endif
