/* The inside of a multiplexer: its agents (mux.c), and what leads to them: ufrags (mux.c), transactions
 * (mux_transaction.c) and addresses (mux_address.c). mux_route.c reads datagrams. */
#ifndef FLOE_ICE_MUX_INTERNAL_H
#define FLOE_ICE_MUX_INTERNAL_H

#include "floe/mux.h"
#include "ice/mux_table.h"
#include "stun/msg.h"

/* Sessions of one agent whose checks still find it; an older one gives way. Two are in use at a time (RFC 8445 9): the
 * one whose pair is used and the one that is to take its place. */
#define FLOE__MUX_UFRAGS 8

/* What has no answer for that long is forgotten. By default the last transmission of a check is given 8 s, and none
 * follows the one before it by more than 32 s (RFC 8445 14.3, RFC 8489 6.2.1). */
#define FLOE__MUX_UNANSWERED (60 * FLOE_SECOND)
/* An answered one is kept for the answers to its other transmissions. */
#define FLOE__MUX_ANSWERED (10 * FLOE_SECOND)

/* An agent. */
typedef struct floe__mux_member {
  floe__mux_link link; /* in `members`, by the agent's address in memory */
  floe__mux_node node; /* in `all` */
  floe_ice_agent *agent;
  void *user;
  bool is_lite;
  uint64_t salt;               /* random: tells the members at one address apart */
  floe__mux_list ufrags;       /* oldest first */
  floe__mux_list transactions; /* by the time of their last transmission */
  floe__mux_list paths;        /* least recently used first */
} floe__mux_member;

/* A ufrag of one of its ICE sessions. */
typedef struct floe__mux_ufrag {
  floe__mux_link link; /* in `ufrags` */
  floe__mux_node node; /* in the member's */
  floe__mux_member *member;
  size_t len;
  uint8_t text[];
} floe__mux_ufrag;

/* A request that it has sent. */
typedef struct floe__mux_transaction {
  floe__mux_link link; /* in `transactions` */
  floe__mux_node node; /* in the member's */
  floe__mux_member *member;
  uint8_t id[FLOE__STUN_TXN_ID];
  bool is_answered;
  uint64_t to_hash; /* of the address it went to */
  floe_time forget_at;
} floe__mux_transaction;

/* An address that members have sent to. */
typedef struct floe__mux_address {
  floe__mux_link link; /* in `addresses` */
  floe_addr addr;
  floe__mux_list paths; /* the first one's member gets what comes from there */
} floe__mux_address;

/* One member at one address. */
typedef struct floe__mux_path {
  floe__mux_link link;       /* in `paths`, by address and member */
  floe__mux_node of_member;  /* in the member's */
  floe__mux_node of_address; /* in the address's */
  floe__mux_member *member;
  floe__mux_address *address;
} floe__mux_path;

struct floe_ice_mux {
  floe_env *env;
  floe_ice_mux_config cfg; /* no zero in it */
  floe__mux_key key;
  floe__mux_list all; /* the members */
  floe__mux_table members, ufrags, transactions, addresses, paths;
};

/* What `at` is the member `field` of. */
#define FLOE__MUX_OF(type, field, at) ((type *)(void *)((char *)(at)-offsetof(type, field)))

floe__mux_member *floe__mux_find_member(const floe_ice_mux *mux, const floe_ice_agent *agent);

/* floe_ice_mux_attach, with the agent's parameters. */
floe_status floe__mux_add(floe_ice_mux *mux, floe_ice_agent *agent, const floe_ice_parameters *params);
/* NULL: nobody's. */
floe__mux_member *floe__mux_find_ufrag(const floe_ice_mux *mux, floe_bytes ufrag);

/* A request goes to `to_hash`: remembers it, or takes its time anew. */
void floe__mux_transaction_note(floe_ice_mux *mux, floe_time now, floe__mux_member *member,
                                const uint8_t id[FLOE__STUN_TXN_ID], uint64_t to_hash);
/* Again is fine. */
void floe__mux_transaction_answered(floe_time now, floe__mux_transaction *txn);
floe__mux_transaction *floe__mux_transaction_find(const floe_ice_mux *mux, const uint8_t id[FLOE__STUN_TXN_ID]);
void floe__mux_transactions_forget(floe_ice_mux *mux, floe__mux_member *member);

uint64_t floe__mux_address_hash(const floe_ice_mux *mux, const floe_addr *addr);
floe__mux_address *floe__mux_address_find(const floe_ice_mux *mux, uint64_t hash, const floe_addr *addr);
/* NULL: the member has not sent there. */
floe__mux_path *floe__mux_path_find(const floe_ice_mux *mux, const floe__mux_member *member, uint64_t hash,
                                    const floe_addr *addr);
/* The member sends to the address: its path there is the most recently used one. NULL: no memory. */
floe__mux_path *floe__mux_path_use(floe_ice_mux *mux, floe__mux_member *member, uint64_t hash, const floe_addr *addr);
/* Whom the member talks to is at the address: what comes from there is the member's. */
void floe__mux_path_prove(floe__mux_path *path);
void floe__mux_paths_forget(floe_ice_mux *mux, floe__mux_member *member);

#endif
