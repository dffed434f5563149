/* One ICE session (RFC 8445): the parameters and candidates of both sides, the checklist, the pair in use. A restart
 * (RFC 8445 9) begins a new one; the old one stays as long as its pair is needed.
 *
 *   session        life, inputs to whom they concern, the connection's state
 *   remote         the peer's candidates            pair        a pair and its state
 *   checklist      which pairs there are, which is checked next
 *   check_out      a check that we send, and its answer
 *   check_in       a check of the peer, and our answer
 *   nominate       which pair is to be used
 *   consent        is the peer still there (RFC 7675), and keepalives
 *   session_io     bytes from a candidate to the peer and back
 *   tcp_link       a TCP connection between the peers
 */
#ifndef FLOE_ICE_SESSION_H
#define FLOE_ICE_SESSION_H

#include "ice/gather.h"
#include "ice/pair.h"

/* What the sessions of one agent share. */
typedef struct floe__connection {
  floe__io *io;
  floe__event_queue *events;
  floe_ice_role role;
  bool role_is_set;      /* by the program, by who was first, or by a conflict */
  uint64_t tie_breaker;  /* RFC 8445 6.1.1 */
  uint32_t role_changes; /* tells a checklist that its priorities are out of date */
  uint32_t role_conflicts;
  uint32_t last_pair; /* id */
  uint64_t packets_sent, packets_received, bytes_sent, bytes_received;
  uint32_t selections;
} floe__connection;

/* RFC 8445 7.3.1.1, 7.2.5.1, and the first decision. */
void floe__role_set(floe__connection *conn, floe_ice_role role, const char *why);
/* A check that claimed this role was answered with 487: the other one, unless that has come about meanwhile. */
void floe__role_yield(floe__connection *conn, bool was_controlling);

/* Where a packet came from, or goes to. */
typedef struct floe__path {
  floe__candidate *local;
  floe_addr remote;
  floe__tcp_link *link; /* nullable */
} floe__path;

/* --- consent: consent.c ----------------------------------------------------------------------------------------- */

#define FLOE__CONSENT_IDS 8

/* Of the selected pair. */
typedef struct floe__consent {
  floe__stun_txn txn; /* the newest; its id is the newest of `ids` */
  floe__stun_timing timing;
  uint8_t ids[FLOE__CONSENT_IDS][FLOE__STUN_TXN_ID]; /* an answer to any of the last ones counts */
  bool controlling[FLOE__CONSENT_IDS];               /* the role that they claim */
  uint32_t n_ids;
  floe_time next_at;     /* the next request */
  floe_time retry_at;    /* the next transmission of the open one; NEVER */
  floe_time begun_at;    /* the pair was selected */
  floe_time answered_at; /* the last valid answer of the pair; once it is lost: when */
} floe__consent;

/* --- the session ------------------------------------------------------------------------------------------------ */

typedef struct floe__session floe__session;
struct floe__session {
  floe__connection *conn;
  floe__io *io;
  floe_ice_connection_state state; /* of this session: NEW to FAILED */
  floe_cause cause;                /* DISCONNECTED, FAILED: why */
  bool is_ended;                   /* closed: nothing is checked or sent any more */
  bool is_mute;                    /* a restart has put it aside: of its gathering nothing is told any more */

  char *ufrag, *pwd; /* ours */
  floe_ice_parameters local;
  char *remote_ufrag, *remote_pwd; /* the peer's; NULL until they are set */
  floe_ice_parameters remote;
  floe__stun_key *local_key, *remote_key; /* NULL until they are needed */

  floe__candidate_list candidates; /* ours */
  size_t n_paired;                 /* how many of them have been paired */
  uint32_t n_own_learnt;           /* how many of them are peer-reflexive */
  floe__gather **gathers;          /* [0] is the one the program asked for; others are on addresses that came later */
  size_t n_gathers, gathers_cap;
  uint32_t n_gone_seen; /* of candidates.n_gone */

  floe__remote_list remotes;
  bool remote_ended;

  floe__pair **pairs; /* by priority, highest first */
  size_t n_pairs, pairs_cap;
  uint32_t last_trigger;
  bool is_idle;       /* nothing can be checked until something changes */
  uint32_t role_seen; /* conn->role_changes of the priorities */
  floe__tcp_link **links;
  size_t n_links, links_cap;

  floe__pair *selected;
  floe__consent consent;
  floe_time started_at;  /* checks began */
  floe_time patience_at; /* `failed` no earlier (RFC 8863); NEVER before checks begin */
  floe_time fresh_at;    /* the last candidate came that may change things, or checks began */
  floe_time valid_at;    /* the first pair succeeded; NEVER */
  floe_time nominate_at; /* controlling: decide then at the latest; NEVER */
  floe_time lost_at;     /* DISCONNECTED: since when nothing is heard; NEVER */
  floe_time repair_at;   /* DISCONNECTED: all pairs are checked again; NEVER */

  /* answers to the peer, limited so that nobody is flooded through us */
  floe_time answers_at;
  uint32_t answers_left;

  /* for the report */
  bool heard_anything;
  uint32_t requests_received, unknown_ufrag, bad_integrity, refused_requests;

  floe__session *next; /* of those that have ended */
};

/* Parameters from the settings, or random. NULL: no memory. */
floe__session *floe__session_new(floe__connection *conn);
/* Other parameters than those it was made with. False: no memory, and nothing has changed. */
bool floe__session_set_local(floe__session *s, const floe_ice_parameters *p);
/* The parameters of the one become those of the other, and the reverse. */
void floe__session_swap_parameters(floe__session *a, floe__session *b);
/* What its gathering finds is not told any more. */
void floe__session_mute(floe__session *s);
/* Nothing more is told of it. Not while events of its candidates are queued. */
void floe__session_free(floe__session *s); /* NULL is fine */
/* Gathers (once per session). False: no memory. */
bool floe__session_gather(floe__session *s);
floe__gather *floe__session_main_gather(const floe__session *s); /* NULL before */

floe_status floe__session_set_remote(floe__session *s, const floe_ice_parameters *p);
floe_status floe__session_add_remote(floe__session *s, const floe_candidate_line *line, const char *text);
void floe__session_end_remotes(floe__session *s);

void floe__session_on_input(floe__session *s, const floe_input *in);
floe__deadline floe__session_deadline(const floe__session *s);
void floe__session_on_deadline(floe__session *s); /* all that is due */
/* Sockets are closed, allocations deleted; is_closed tells when that is done. `at_once`: its ports are wanted. */
void floe__session_end(floe__session *s, bool at_once);
bool floe__session_is_closed(const floe__session *s);

/* What the failure of the connection is put down to: verdict.c. */
floe_cause floe__session_verdict(const floe__session *s);

/* The state of the session, and the only writer of it. */
void floe__session_go(floe__session *s, floe_ice_connection_state next, floe_cause cause);
bool floe__session_is_connected(const floe__session *s); /* CONNECTED, COMPLETED or DISCONNECTED */
/* May checks be made: both parameters are known, and it goes on. */
bool floe__session_is_checking(const floe__session *s);

/* --- bytes: session_io.c ----------------------------------------------------------------------------------------- */

typedef enum floe__sent {
  FLOE__SENT = 0,
  FLOE__SENT_NOT_READY, /* no permission, no connection, or the candidate is gone */
  FLOE__SENT_TOO_LARGE,
  FLOE__SENT_NOMEM
} floe__sent;

floe__sent floe__session_send(floe__session *s, const floe__path *path, floe_bytes data);
floe__sent floe__session_send_on(floe__session *s, const floe__pair *p, floe_bytes data);
/* A packet from a path: a check, an answer or data. False: nobody here knows it. */
bool floe__session_on_packet(floe__session *s, const floe__path *path, floe_bytes packet);
/* A relay candidate asks the server to let the peer send. False: it cannot. */
bool floe__session_permit(floe__session *s, const floe__candidate *local, const floe_addr *peer, bool use_channel);
floe__candidate *floe__session_candidate(const floe__session *s, uint32_t id);
/* A connection that came to a listener. False: it is none of this session, or cannot be taken. */
bool floe__session_accept(floe__session *s, const floe_input *in);
void floe__session_on_link_input(floe__session *s, const floe_input *in);
floe__tcp_link *floe__session_add_link(floe__session *s, floe__tcp_link *link /* takes; nullable */);
void floe__session_drop_links(floe__session *s); /* closed ones, and accepted ones that nobody has used in time */
floe__deadline floe__session_links_deadline(const floe__session *s);

/* --- checklist.c -------------------------------------------------------------------------------------------------- */

/* Pairs with everything of the other side that is known. */
void floe__checklist_on_locals(floe__session *s); /* those not paired yet */
void floe__checklist_on_remote(floe__session *s, floe__remote *r);
/* The pair of these two; made if it is not there. NULL: not a possible pair, no room or no memory. */
floe__pair *floe__checklist_pair(floe__session *s, floe__candidate *local, floe__remote *remote);
floe__pair *floe__checklist_find(const floe__session *s, const floe__candidate *local, const floe_addr *remote,
                                 const floe__tcp_link *link);
/* RFC 8445 6.1.4.2: the pair to check next, or NULL. Its state is Waiting. */
floe__pair *floe__checklist_next(floe__session *s);
/* RFC 8445 7.3.1.4: puts a pair into the triggered-check queue. */
void floe__checklist_trigger(floe__session *s, floe__pair *p);
/* RFC 8445 7.2.5.3.3: frozen pairs of the same foundation may go. */
void floe__checklist_thaw(floe__session *s, const floe__pair *p);
void floe__checklist_on_role(floe__session *s); /* priorities anew */
void floe__checklist_sort(floe__session *s);    /* likewise, a candidate has changed */
/* Pairs worse than the selected one are not needed any more. */
void floe__checklist_rest(floe__session *s);
/* Everything that is not in use is to be checked again. */
void floe__checklist_repair(floe__session *s);
/* Something may still come of it. */
bool floe__checklist_is_open(const floe__session *s);
/* A peer that changes its address again and again: the oldest learnt candidate that was not heard of for long makes
 * room. False: there is none. */
bool floe__checklist_forget_learnt(floe__session *s);
/* Candidates are gone: pairs fail. */
void floe__checklist_on_gone(floe__session *s);
void floe__checklist_clear(floe__session *s);

/* --- check_out.c -------------------------------------------------------------------------------------------------- */

void floe__check_start(floe__session *s, floe__pair *p);
/* A check on a pair that has succeeded: a nomination or a keepalive. */
void floe__check_again(floe__session *s, floe__pair *p);
/* RFC 8445 7.3.1.4: no more retransmissions, but an answer still counts. */
void floe__check_cancel(floe__pair *p);
void floe__check_fail(floe__session *s, floe__pair *p, floe_pair_failure failure);
/* True: it answers a check of ours. */
bool floe__check_on_response(floe__session *s, const floe__path *path, const floe__stun_msg *m);
void floe__check_on_deadline(floe__session *s, floe__pair *p); /* its transaction is due */
void floe__check_on_permission(floe__session *s, uint32_t candidate, const floe_addr *peer, floe__permit_result result);
void floe__check_on_link(floe__session *s, floe__tcp_link *link); /* it opened, or was closed */
void floe__check_on_icmp(floe__session *s, const floe_input *in);
/* Builds a Binding request for the pair and sends it. */
floe__sent floe__check_send(floe__session *s, floe__pair *p, const uint8_t txn_id[FLOE__STUN_TXN_ID], bool nominates);
/* RFC 8445 7.2.5.2.1: the answer came the way the request went. */
bool floe__check_is_symmetric(const floe__pair *p, const floe__path *path);
/* The answer is signed with the peer's password. */
bool floe__check_is_authentic(floe__session *s, floe__pair *p, const floe__stun_msg *m);

/* --- check_in.c --------------------------------------------------------------------------------------------------- */

/* A Binding request; true: it was for this session, whatever became of it. */
bool floe__check_on_request(floe__session *s, const floe__path *path, const floe__stun_msg *m);

/* --- nominate.c --------------------------------------------------------------------------------------------------- */

/* After whatever has changed: as controlling, chooses and nominates; as controlled, follows. */
void floe__nominate(floe__session *s);
/* The peer has nominated this pair, or we have and it was answered. */
void floe__nominate_done(floe__session *s, floe__pair *p);
/* Its nomination is not answered. True: another pair works and is tried in its place. */
bool floe__nominate_elsewhere(floe__session *s, floe__pair *p);
void floe__session_select(floe__session *s, floe__pair *p);
/* A pair that can be used: succeeded, and its path is there. */
bool floe__pair_is_valid(const floe__pair *p);

/* --- consent.c ---------------------------------------------------------------------------------------------------- */

void floe__consent_begin(floe__session *s);
void floe__consent_stop(floe__session *s);
bool floe__consent_on_response(floe__session *s, const floe__path *path, const floe__stun_msg *m);
/* The selected pair is lost at once. */
void floe__consent_lose(floe__session *s, floe_cause cause);
/* Asks at once. */
void floe__consent_hurry(floe__session *s);
/* It has expired: nothing may be sent (RFC 7675 5.1), whether or not its timer was run. */
bool floe__consent_is_over(const floe__session *s);
/* A lite side hears instead of asking. */
void floe__consent_on_heard(floe__session *s);
floe__deadline floe__consent_deadline(const floe__session *s);
void floe__consent_on_deadline(floe__session *s);

#endif
