/* The peer's candidates: signalled (RFC 8839, trickled as in RFC 8838) or learnt from its checks (RFC 8445 7.3.1.3). */
#ifndef FLOE_ICE_REMOTE_H
#define FLOE_ICE_REMOTE_H

#include "floe/candidate.h"
#include "floe/stats.h"
#include "ice/io.h"

typedef struct floe__remote {
  floe_ice_candidate pub;
  char *text; /* nullable: pub.text; owned */
  char *name; /* nullable: pub.mdns_name, or another name that is not looked up; owned */
  floe_resolution resolution;
  floe_req_id req[2]; /* PENDING: A and AAAA; 0 = answered */
  bool is_learnt;     /* from a check */
} floe__remote;

typedef struct floe__remote_list {
  floe__remote **items;
  size_t n, cap;
  size_t n_signalled, n_learnt;
  uint32_t n_foundations; /* of learnt ones */
} floe__remote_list;

/* Adds what a line says. NULL in *out and FLOE_OK: known already, or nothing that is used. *promoted: one that was
 * learnt from a check has become what the line says; its pairs have another priority. */
floe_status floe__remote_add(floe__remote_list *list, floe__io *io, const floe_candidate_line *line, const char *text,
                             floe__remote **out, bool *promoted);
/* RFC 8445 7.3.1.3: a peer-reflexive candidate. NULL: no memory, or max_peer_reflexive. */
floe__remote *floe__remote_learn(floe__remote_list *list, floe__io *io, const floe_addr *from, floe_transport transport,
                                 uint32_t priority);
/* One that nothing refers to any more goes. */
void floe__remote_forget(floe__remote_list *list, floe__io *io, floe__remote *r);
/* The one with this address and transport; active TCP candidates have no port to compare. */
floe__remote *floe__remote_find(const floe__remote_list *list, const floe_addr *addr, floe_transport transport);
/* The answer of a look-up. True: it was one of ours, and *resolved the candidate that has an address now, or NULL. When
 * one learnt from a check has that address, it becomes the signalled one: *promoted. */
bool floe__remote_on_resolved(floe__remote_list *list, const floe_input *in, floe__io *io, floe__remote **resolved,
                              bool *promoted);
bool floe__remote_is_pending(const floe__remote_list *list); /* some name is being looked up */
void floe__remote_list_clear(floe__remote_list *list, floe_env *env);

/* The ".local" names of the mDNS draft, section 3.1: one label before it. */
bool floe__is_mdns_name(const char *name, size_t len);

#endif
