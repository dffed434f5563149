/* Gathering: the attempts, who owns them, and when it is complete (the contract's section 2).
 *
 *   gather           one gathering: bases, look-ups, servers; paces the starts
 *   gather_host      host candidates of a base: UDP and TCP, rewritten, hidden behind names
 *   gather_candidate a candidate that was found: what is shown of it
 *   gather_change    addresses that the host has lost
 *   gather_server    one configured URL: which attempts it has, how it did
 *   gather_attempt   ONE attempt: URL x base x family; ends exactly once
 *   gather_relay     the allocation of an attempt that lives on: permissions, data, its loss and another one
 *   gather_try       one address of an attempt
 *   gather_error     outcomes -> events, the only place
 *   report           the summary
 */
#ifndef FLOE_ICE_GATHER_H
#define FLOE_ICE_GATHER_H

#include "ice/base.h"
#include "ice/candidate.h"
#include "ice/event_queue.h"
#include "ice/gather_try.h"
#include "ice/lookup.h"

typedef struct floe__gather floe__gather;
typedef struct floe__gather_server floe__gather_server;
typedef struct floe__attempt floe__attempt;

/* Room for the longest IP address as text and its NUL. */
#define FLOE__IP_TEXT 48

/* --- one attempt ------------------------------------------------------------------------------------------------ */

typedef enum floe__attempt_state {
  FLOE__ATTEMPT_WAITING = 0, /* for its turn: Ta */
  FLOE__ATTEMPT_RUNNING,
  FLOE__ATTEMPT_ENDED /* report.outcome */
} floe__attempt_state;

struct floe__attempt {
  floe__gather *gather;
  floe__gather_server *server;
  floe__base *base; /* NULL: none (DNS, no_local_address) */
  floe_family family;
  floe__attempt_state state;
  floe_addr *addrs; /* those of the server that the base serves, with their port */
  size_t n_addrs, next_addr;
  floe_time next_addr_at; /* NEVER: no further one, or not by time */
  floe__try **tries;      /* one per address tried; after the end only the live one, if any, at [0] */
  size_t n_tries, tries_cap;
  floe_time started_at, deadline_at, ended_at;
  floe_addr local; /* address and port as used; for the event */
  uint32_t order;  /* how many attempts of this gathering ended before */
  floe_attempt_report report;
  char *reason; /* nullable: report.error_text of a standing error */
  char *realm, *software, *os_error_text;
  struct floe__tls_copy *tls;  /* nullable */
  floe_attempt_detail *told;   /* nullable: the detail of its event */
  bool frozen;                 /* report.detail is that of its event */
  floe__event_node node;       /* its icecandidateerror */
  char address[FLOE__IP_TEXT]; /* the event's */
  uint32_t relay_ids[2];       /* candidates of the allocation: first and additional family; 0 = none */
  floe_addr *asked;            /* peers of floe_ice_agent_permit that are not answered yet */
  size_t n_asked, asked_cap;
  floe_time retry_at; /* the allocation was lost: another is asked for then; NEVER */
  uint32_t retries;   /* how often that was planned in a row */
};

/* Made waiting, for these addresses of the server. NULL: no memory. */
floe__attempt *floe__attempt_new(floe__gather_server *server, floe__base *base, floe_family family,
                                 const floe_addr *addrs, size_t n_addrs);
/* Ends at once, without a base: DNS failure, no_local_address, transport_unsupported. */
void floe__attempt_end_baseless(floe__attempt *a, floe_cause cause, floe_phase phase);
void floe__attempt_start(floe__attempt *a);
void floe__attempt_free(floe__attempt *a);

/* floe_ice_agent_permit for its live try. A call that returns FLOE_OK is answered with a PERMISSION output; those
 * for one peer before its answer share it. */
floe_status floe__attempt_permit(floe__attempt *a, floe__try *t, const floe_addr *peer, bool use_channel);

/* Inputs; each looks for a try of this attempt that it concerns. True: it was taken. */
bool floe__attempt_on_socket(floe__attempt *a, const floe_input *in);
bool floe__attempt_offer_datagram(floe__attempt *a, const floe_input *in, floe_cause *discard);
void floe__attempt_count_discard(floe__attempt *a, const floe_input *in, floe_cause discard);
void floe__attempt_on_icmp(floe__attempt *a, const floe_input *in);
void floe__attempt_on_base(floe__attempt *a); /* the base's socket opened or failed */

floe__deadline floe__attempt_deadline(const floe__attempt *a);
void floe__attempt_on_deadline(floe__attempt *a); /* all that is due */

/* Ends it as its step in progress would have ended at its own deadline. */
void floe__attempt_give_up(floe__attempt *a);
void floe__attempt_cancel(floe__attempt *a);
/* Its base is gone: it ends, or its allocation does, which nobody is told of as a server's failure. */
void floe__attempt_lose_base(floe__attempt *a);
/* Deletes the allocation that lives on, and asks for no other. */
void floe__attempt_delete(floe__attempt *a);
/* The allocation that lives on, or NULL. */
floe__try *floe__attempt_live(const floe__attempt *a);

/* --- what an ended attempt tells: attempt_detail.c ---------------------------------------------------------------- */

/* Fills report from the try (nullable) that decided it. */
void floe__attempt_describe(floe__attempt *a, const floe__try *t);
void floe__attempt_forget(floe__attempt *a); /* frees what describe copied */
/* Hides local_address and interface as the contract's section 1 says, by what has surfaced so far. */
void floe__attempt_hide(floe__attempt *a);

/* --- one configured URL ------------------------------------------------------------------------------------------- */

struct floe__gather_server {
  floe__gather *gather;
  const floe__server *config;
  floe_ice_url url;
  floe__gather_server *same_as; /* nullable: an earlier entry with the same URL and credentials is gathered for both */
  floe__lookup *lookup;         /* nullable: a literal */
  bool ipv4_open, ipv6_open;    /* a look-up may still bring attempts */
  bool unused;                  /* STUN under the relay-only policy */
  bool told_unreachable;        /* its 701 */
  floe__attempt **attempts;
  const floe_attempt_report **reports; /* of the attempts, as the API gives them out */
  size_t n_attempts, attempts_cap, reports_cap;
  size_t next_waiting;    /* index of the first attempt that may still be waiting */
  floe__attempt *reserve; /* so that a server without memory still has its attempt */
  bool lost_attempts;     /* there was no memory for one */
  size_t n_active;        /* attempts that are not over, or have a live allocation */
  uint32_t *candidates;
  size_t n_candidates, candidates_cap;
};

/* --- one gathering ------------------------------------------------------------------------------------------------ */

typedef enum floe__gather_state {
  FLOE__GATHER_LISTING = 0, /* waits for the interfaces */
  FLOE__GATHER_OPEN,
  FLOE__GATHER_COMPLETE,
  FLOE__GATHER_CLOSING,
  FLOE__GATHER_CLOSED
} floe__gather_state;

/* What came of floe__gather_relay_permit. */
typedef enum floe__permit_result {
  FLOE__PERMIT_GRANTED = 0,
  FLOE__PERMIT_KEPT,       /* no channel, but the permission is there */
  FLOE__PERMIT_UNANSWERED, /* the server was silent */
  FLOE__PERMIT_REFUSED     /* it said no */
} floe__permit_result;

/* What a gathering needs to know of its ICE session; borrowed, outlives it. */
typedef struct floe__gather_setup {
  floe__io *io;
  floe__event_queue *events;
  floe__candidate_list *candidates; /* of the session; further gatherings of the session add to the same */
  /* A peer's data came through the relay candidate; floe__gather_relay_send may be called. */
  void (*on_relayed)(void *owner, uint32_t candidate, const floe_addr *from, floe_bytes data);
  /* What was asked with floe__gather_relay_permit was decided. */
  void (*on_permission)(void *owner, uint32_t candidate, const floe_addr *peer, floe__permit_result result);
  void *owner;
} floe__gather_setup;

struct floe__gather {
  floe__gather_setup setup;
  floe__io *io;
  floe__event_queue *events;
  floe__gather_state state;
  floe_time started_at, deadline_at, completed_at;
  int listing_error; /* 0, or why the host's addresses could not be listed */
  char listing_error_text[40];
  bool is_mute;      /* its ICE session was restarted: nothing of it is told any more but iceservererror */
  bool is_partial;   /* begun with floe__gather_start_on: other gatherings have the other addresses */
  bool is_under_way; /* counts in candidates->n_under_way */
  bool uses_tcp;     /* active TCP candidates are made */
  floe__base_list bases;
  floe__listener *listeners; /* of passive and simultaneous-open TCP candidates */
  size_t n_listeners;
  floe_addr *seen; /* continual gathering: all addresses that it was told of, used or not */
  size_t n_seen;
  floe__lookup **lookups;
  size_t n_lookups;
  floe__gather_server *servers;
  size_t n_servers;
  size_t next_server;               /* round-robin */
  floe__candidate_list *candidates; /* setup.candidates */
  uint32_t n_ended;
  uint8_t recent_ids[16][FLOE__STUN_TXN_ID]; /* of requests of tries that are gone: late answers are no strangers */
  uint32_t n_recent_ids;
  floe__event_node gathering_node, end_node, complete_node;
  floe_report report;
  floe_server_report *server_reports;
  floe__gather *next_retired;
};

/* All memory that completing needs is taken here. NULL: none. Nothing happens yet. */
floe__gather *floe__gather_new(const floe__gather_setup *setup);
void floe__gather_free(floe__gather *g); /* NULL is fine; not while its nodes are queued */

void floe__gather_start(floe__gather *g);
/* Continual gathering: gathers on these addresses instead of asking for the host's, as soon as no other gathering of
 * the session is under way. Tells `gathering` itself, unless none of them can be used. A server that none of them
 * reaches is `unused`: it was tried from the others. */
void floe__gather_start_on(floe__gather *g, const floe_interface *list, size_t n);
/* These are the host's addresses now: what is on others is gone. Candidates get is_gone, sockets are closed, attempts
 * end, allocations are abandoned. */
void floe__gather_on_interfaces_changed(floe__gather *g, const floe_interface *list, size_t n);
/* It gathers on this address; with continual_gathering also: it was told of it and cannot use it. */
bool floe__gather_has_address(const floe__gather *g, const floe_addr *addr);
/* The peer has TCP candidates that can be connected to: makes active ones (RFC 6544 4.1), now and on addresses that
 * come later, unless no_tcp. They are told only beside passive or simultaneous-open ones, for which they are made
 * without this call: a peer that accepts a connection learns of them. */
void floe__gather_use_tcp(floe__gather *g);
void floe__gather_on_input(floe__gather *g, const floe_input *in);
floe__deadline floe__gather_deadline(const floe__gather *g);
void floe__gather_on_deadline(floe__gather *g); /* all that is due */
void floe__gather_close(floe__gather *g);       /* events are the agent's to forget */
/* Closes it at once, for a new gathering that may need its ports: allocations are deleted with one Refresh each, whose
 * answer nobody waits for. */
void floe__gather_make_way(floe__gather *g);
const floe_report *floe__gather_report(const floe__gather *g);

/* The attempt with this relay candidate and its live try, or NULL. `*known`: some candidate has this id. */
floe__attempt *floe__gather_relay(floe__gather *g, uint32_t candidate, bool *known);
/* For connectivity checks: lets the peer send to the relay candidate, over a channel if asked; answered by
 * setup.on_permission (and not by a PERMISSION output). False: the allocation is gone, max_permissions, or no
 * memory. */
bool floe__gather_relay_permit(floe__gather *g, uint32_t candidate, const floe_addr *peer, bool use_channel);
/* Asks each server whether the allocation there still lives. */
void floe__gather_hurry_relays(floe__gather *g);

/* Called by an attempt that has just ended. */
void floe__gather_on_attempt_ended(floe__gather *g, floe__attempt *a);
/* Tells the program of what gathering has found, unless nobody wants to know any more. */
void floe__gather_tell(floe__gather *g, floe__event_node *node);
void floe__gather_remember_id(floe__gather *g, const uint8_t *txn_id);
typedef enum floe__added {
  FLOE__ADDED = 0,
  FLOE__ADDED_REDUNDANT, /* RFC 8445 5.1.3 */
  FLOE__ADDED_DROPPED    /* beyond max_candidates, or no memory */
} floe__added;

/* Where a candidate comes from. */
typedef struct floe__origin {
  floe_addr base;
  floe_addr server;       /* family 0: a host candidate */
  floe__attempt *attempt; /* NULL: a host candidate */
  floe_sock_id sock;      /* what is sent from it goes through this socket; 0: a relay candidate */
  bool is_silent;         /* not to be told */
} floe__origin;

/* Adds a candidate and tells it, unless it is silent or filtered; *id is 0 unless it was added. */
floe__added floe__gather_add_candidate(floe__gather *g, const floe_ice_candidate *proto, const floe__origin *from,
                                       uint16_t local_preference, uint32_t *id);

/* --- servers: gather_server.c ------------------------------------------------------------------------------------- */

void floe__gather_server_init(floe__gather_server *s, floe__gather *g, const floe__server *config);
void floe__gather_server_clear(floe__gather_server *s);
/* The interfaces are known: attempts of a literal, or the look-up. */
void floe__gather_server_begin(floe__gather_server *s);
/* A family of its look-up may have been answered: makes the attempts. */
void floe__gather_server_on_lookup(floe__gather_server *s);
/* Nothing of it is open. */
bool floe__gather_server_is_done(const floe__gather_server *s);
/* The next attempt that waits for its turn, or NULL. */
floe__attempt *floe__gather_server_next_waiting(floe__gather_server *s);

/* --- outcomes -> events: gather_error.c --------------------------------------------------------------------------- */

/* "cause: sentence", the errorText of a 701. */
const char *floe__gather_error_text(floe_cause cause);
/* The attempt that says most: the later group, within a group the one that ended first, of DNS causes the later. NULL
 * when none failed. */
floe__attempt *floe__gather_error_pick(const floe__gather_server *s);
/* An error response stands: tells it at once, unless an equal event was told. */
void floe__gather_error_standing(floe__attempt *a);
/* Every attempt of the server has ended: tells its 701 if it has one. */
void floe__gather_error_unreachable(floe__gather_server *s);
/* After gathering: iceservererror. */
void floe__gather_error_server(floe__attempt *a, const floe__try *t, floe_cause cause, floe_phase phase, uint16_t code,
                               const char *reason);

/* --- the summary: report.c ---------------------------------------------------------------------------------------- */

void floe__report_fill(floe__gather *g);

#endif
