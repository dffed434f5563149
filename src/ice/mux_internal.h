/* The inside of a multiplexer: its agents and their ufrags (mux.c), what they call the sockets (mux_binding.c), and
 * what leads to them: transactions (mux_transaction.c) and addresses (mux_address.c). mux_route.c reads datagrams. */
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
  uint32_t session;            /* ICE sessions so far */
  uint64_t salt;               /* random: tells the members at one address apart */
  floe__mux_list bindings;     /* oldest first */
  floe__mux_list ufrags;       /* oldest first */
  floe__mux_list transactions; /* by the time of their last transmission */
  floe__mux_list paths;        /* least recently used first */
} floe__mux_member;

/* Its name for a shared socket. */
typedef struct floe__mux_binding {
  floe__mux_node node; /* in the member's */
  floe_sock_id sock;
  floe_addr local;
  uint32_t session; /* the one that it was asked for in */
} floe__mux_binding;

/* A ufrag of one of its ICE sessions. */
typedef struct floe__mux_ufrag {
  floe__mux_link link; /* in `ufrags` */
  floe__mux_node node; /* in the member's */
  floe__mux_member *member;
  uint32_t session;
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
  floe_sock_id sock;
  uint64_t ends_hash; /* of the addresses between which it went */
  floe_time forget_at;
} floe__mux_transaction;

/* A shared socket's address and a remote one. */
typedef struct floe__mux_ends {
  floe_addr local, remote;
  uint64_t hash;
} floe__mux_ends;

/* An address that members have sent to from one of the sockets. */
typedef struct floe__mux_address {
  floe__mux_link link; /* in `addresses` */
  floe_addr local, remote;
  floe__mux_list paths; /* the first one's member gets what comes from there */
} floe__mux_address;

/* One member at one address. */
typedef struct floe__mux_path {
  floe__mux_link link;       /* in `paths`, by address and member */
  floe__mux_node of_member;  /* in the member's */
  floe__mux_node of_address; /* in the address's */
  floe__mux_member *member;
  floe__mux_address *address;
  floe_sock_id sock; /* the member's name for the socket when it last proved that its peer is there */
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
floe_status floe__mux_add(floe_ice_mux *mux, floe_ice_agent *agent, const floe_ice_parameters *params, void *user);
/* NULL: nobody's. */
const floe__mux_ufrag *floe__mux_find_ufrag(const floe_ice_mux *mux, floe_bytes text);

/* NULL: not bound. */
const floe__mux_binding *floe__mux_find_binding(const floe__mux_member *member, floe_sock_id sock);
/* Its name for the socket: `wanted` while that is bound there, else the newest; 0 when it has none. */
floe_sock_id floe__mux_name(const floe__mux_member *member, const floe_addr *local, floe_sock_id wanted);
/* The same, asked for in that session. */
floe_sock_id floe__mux_name_in(const floe__mux_member *member, const floe_addr *local, uint32_t session);
void floe__mux_bindings_forget(floe_ice_mux *mux, floe__mux_member *member);

/* A request goes out: remembers it, or takes its time anew. */
void floe__mux_transaction_note(floe_ice_mux *mux, floe_time now, floe__mux_member *member,
                                const uint8_t id[FLOE__STUN_TXN_ID], floe_sock_id sock, uint64_t ends_hash);
/* Again is fine. */
void floe__mux_transaction_answered(floe_time now, floe__mux_transaction *txn);
floe__mux_transaction *floe__mux_transaction_find(const floe_ice_mux *mux, const uint8_t id[FLOE__STUN_TXN_ID]);
void floe__mux_transactions_forget(floe_ice_mux *mux, floe__mux_member *member);

floe__mux_ends floe__mux_ends_of(const floe_ice_mux *mux, const floe_addr *local, const floe_addr *remote);
/* NULL: nobody has sent there. */
floe__mux_address *floe__mux_address_find(const floe_ice_mux *mux, const floe__mux_ends *ends);
/* NULL: the member has not sent there. */
floe__mux_path *floe__mux_path_find(const floe_ice_mux *mux, const floe__mux_member *member,
                                    const floe__mux_ends *ends);
/* The member sends: its path there is the most recently used one. NULL: no memory. */
floe__mux_path *floe__mux_path_use(floe_ice_mux *mux, floe__mux_member *member, const floe__mux_ends *ends,
                                   floe_sock_id sock);
/* Whom the member talks to is at the address: what comes from there is the member's. */
void floe__mux_path_prove(floe__mux_path *path, floe_sock_id sock);
void floe__mux_paths_forget(floe_ice_mux *mux, floe__mux_member *member);

#endif
