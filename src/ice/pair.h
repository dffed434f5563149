/* Candidate pairs (RFC 8445 6.1.2): a local candidate, a remote one, and the check between them. */
#ifndef FLOE_ICE_PAIR_H
#define FLOE_ICE_PAIR_H

#include "floe/stats.h"
#include "ice/candidate.h"
#include "ice/io.h"
#include "ice/remote.h"
#include "ice/tcp_link.h"
#include "stun/txn.h"

/* May the TURN server relay between the two? (RFC 8656 9) */
typedef enum floe__pair_permission {
  FLOE__PERMISSION_NONE = 0, /* not asked for; or not needed */
  FLOE__PERMISSION_ASKED,
  FLOE__PERMISSION_GRANTED
} floe__pair_permission;

/* What has been counted of a pair. */
typedef struct floe__pair_counts {
  uint64_t packets_sent, packets_received, bytes_sent, bytes_received;
  uint64_t packets_discarded, bytes_discarded;
  uint32_t requests_sent, requests_received, responses_sent, responses_received, consent_sent;
  floe_time last_sent_at, last_received_at; /* of data; 0 = never */
  uint32_t integrity_failures, icmp_errors, role_conflicts;
  uint32_t hard_errors; /* of icmp_errors: those that say that nobody is there */
  bool has_icmp, has_rtt;
  uint8_t icmp_type, icmp_code;
  uint16_t stun_error;
  int os_error;
  double rtt_ms, total_rtt_ms;
} floe__pair_counts;

/* A check that was begun anew before it was answered. Where both sides trigger each other's checks several are under
 * way at the same time. */
typedef struct floe__cancelled {
  bool is_open; /* not answered yet */
  bool nominates, controlling;
  uint8_t id[FLOE__STUN_TXN_ID];
} floe__cancelled;

#define FLOE__MAX_CANCELLED 8

typedef struct floe__pair floe__pair;
struct floe__pair {
  uint32_t id;
  floe__candidate *local; /* what is sent from: host, relay or TCP; a srflx only when it has no host of the same base */
  floe__remote *remote;
  floe__candidate *valid_local; /* SUCCEEDED: the local candidate of the valid pair (RFC 8445 7.2.5.3.2) */
  uint64_t priority;
  floe_pair_state state;
  floe_pair_failure failure; /* FAILED */
  floe__pair_permission permission;
  uint32_t permission_tries;
  bool was_denied;      /* once at least */
  floe__tcp_link *link; /* nullable: TCP, once it is being opened; the session's */

  /* the check */
  floe__stun_txn txn;
  floe__stun_timing timing;                       /* of txn */
  bool txn_nominates;                             /* it carries USE-CANDIDATE */
  bool txn_controlling;                           /* it carries ICE-CONTROLLING */
  bool txn_is_keepalive;                          /* the pair stays SUCCEEDED meanwhile */
  bool is_dry;                                    /* a relay was not ready for the last transmission */
  floe__cancelled cancelled[FLOE__MAX_CANCELLED]; /* a ring; RFC 8445 7.3.1.4: an answer to one still counts */
  uint32_t n_cancelled;                           /* so many were put into it */

  floe_time begun_at; /* IN_PROGRESS: since when */
  uint32_t trigger;   /* 0, or its place in the triggered-check queue: lower is earlier */
  floe_time nominating_since;
  uint32_t nominated_in_vain;          /* rounds of nominating it without an answer since its last one */
  bool is_nominating;                  /* controlling: the next check carries USE-CANDIDATE */
  bool peer_nominated;                 /* controlled: USE-CANDIDATE came, and counts once the pair has succeeded */
  bool is_nominated;                   /* RFC 8445 8.1: both sides know */
  uint8_t heard_id[FLOE__STUN_TXN_ID]; /* of the last valid check of the peer */
  floe_time heard_at;                  /* of the last valid check of the peer; 0 = never */
  floe_time nominated_at;              /* of the peer's last nomination; 0 = never */
  floe_time answered_at;               /* of the last valid answer; 0 = never */
  floe_time keepalive_at;              /* SUCCEEDED and not selected: the next keepalive */
  floe__pair_counts counts;
};

/* The only writer of `state`. */
void floe__pair_go(floe__pair *p, floe__io *io, floe_pair_state next, floe_pair_failure failure);

/* RFC 8445 6.1.2.3: G is the controlling side's priority, D the controlled one's. */
uint64_t floe__pair_priority(uint32_t controlling, uint32_t controlled);

/* RFC 8445 6.1.2.6: the foundation of a pair is that of both its candidates. */
bool floe__pair_same_foundation(const floe__pair *a, const floe__pair *b);

/* Frozen, waiting or in progress: may still succeed. */
bool floe__pair_is_undecided(const floe__pair *p);
/* Its check is one of a TCP connection. */
bool floe__pair_is_tcp(const floe__pair *p);
/* A relay stands on either side. */
bool floe__pair_is_relayed(const floe__pair *p);

#endif
