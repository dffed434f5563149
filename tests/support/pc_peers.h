/* The usual world of a peer connection's test: alice and bob, NATs before them if need be, a STUN/TURN server, and
 * signalling in virtual time.
 *
 *     alice 10.0.0.1 --- [NAT 203.0.113.1] --- Internet --- [NAT 203.0.113.2] --- bob 10.0.1.1
 *                                                 |
 *                                  server 192.0.2.1 and 2001:db8:2::1
 *
 * 5 ms each way: a round trip is 10 ms. Signalling takes 10 ms and keeps its order. A peer that `negotiates` (alice
 * does) answers each negotiationneeded with setLocalDescription() and sends the description; whoever gets an offer
 * applies it, does the same and sends the answer. A `perfect` peer follows the specification's perfect negotiation.
 *
 *     pc_peers *p = pc_peers_new(1);
 *     assert_true(pc_peers_connect(p, 5000));
 *     pc_expect(&p->alice, "negotiationneeded\n" ...);
 *     pc_peers_exchange(p);
 *     pc_peers_free(p);
 */
#ifndef FLOE_TESTS_PC_PEERS_H
#define FLOE_TESTS_PC_PEERS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/expect.h"
#include "support/sim_net.h"
#include "support/sim_pc.h"
#include "support/sim_server.h"

#define PC_MAX_SERVERS 8

typedef enum pc_mode {
  PC_TRICKLE = 0, /* the description at once, candidates as they come */
  PC_WHOLE,       /* the description when gathering is complete, no candidate */
  PC_MANUAL       /* nothing is sent, and nothing answered: the test does it */
} pc_mode;

typedef struct pc_signalling {
  pc_mode mode;
  uint32_t delay_ms;        /* of each message */
  uint32_t jitter_ms;       /* up to so much longer; the order stays */
  uint32_t drop;            /* per mille of messages that never arrive */
  uint32_t drop_candidates; /* the same, of candidates alone */
  bool no_end;              /* the end of the candidates is not told */
} pc_signalling;

typedef struct pc_peers pc_peers;

typedef struct pc_peer {
  const char *name; /* "alice" or "bob" */
  pc_peers *p;
  struct pc_peer *other;
  sim_host *host;
  sim_nat *nat;        /* nullable */
  floe_pc_config cfg;  /* change it before the start */
  floe_ice_config ice; /* the same */
  sim_agent_options options;
  floe_ice_server ice_servers[PC_MAX_SERVERS];
  const char *urls[PC_MAX_SERVERS];
  size_t n_servers;
  pc_signalling out;
  bool negotiates;
  bool perfect, polite;
  bool no_close; /* pc_peers_free frees it without closing it */
  sim_pc *x;     /* NULL before the start */
  /* of the signalling */
  bool wants_negotiation, is_postponed, has_unsent, ignores_offer;
  floe_time last_arrival; /* at the other side, of what was sent so far */
  uint32_t n_sent, n_dropped, n_offers_sent, n_offers_ignored;
  uint32_t n_refused; /* candidates of the other side that were refused */
  floe_status last_refusal;
} pc_peer;

struct pc_peers {
  sim *s;
  pc_peer alice, bob;
  sim_host *server_host;
  floe__ts_config ts; /* change it before the first pc_peers_listen */
  sim_server *server; /* NULL until then */
  bool has_tls;
  bool is_over; /* nothing is signalled any more */
  void *log;    /* sim_text: the events of both */
};

pc_peers *pc_peers_new(uint64_t seed);
/* The hosts have no addresses yet. */
pc_peers *pc_peers_new_bare(uint64_t seed);
/* Two more peers in the same world: "carol" at 10.0.2.1 and "dave" at 10.0.3.1. Freed with pc_peers_free_pair. */
pc_peers *pc_peers_new_in(pc_peers *other);
void pc_peers_free_pair(pc_peers *p);
/* Closes both, waits until they are closed, and checks that nothing is left. */
void pc_peers_free(pc_peers *p);

void pc_peers_nat(pc_peer *y, sim_nat_kind mapping, sim_nat_kind filtering);
/* The usual server listens at its usual ports (world.h). */
void pc_peers_listen(pc_peers *p, floe_transport transport, const char *script /* nullable */);
void pc_peer_add(pc_peer *y, const char *url /* keeps */);
void pc_peers_add(pc_peers *p, const char *url /* keeps */);
void pc_peers_set_mode(pc_peers *p, pc_mode mode);
/* What the host sends and receives gets lost from now on; pc_peer_appear ends it. */
void pc_peer_vanish(pc_peer *y);
void pc_peer_appear(pc_peer *y);

/* Makes the connections that are not there. */
void pc_peers_start(pc_peers *p);
/* Makes them, and alice a channel "data" when she has none and bob neither. */
void pc_peers_begin(pc_peers *p);
/* pc_peers_begin if need be, and runs until both are connected and each channel that was made is open at both. */
bool pc_peers_connect(pc_peers *p, uint64_t limit_ms);
bool pc_peers_run_until(pc_peers *p, uint64_t limit_ms, bool (*pred)(void *user), void *user);
bool pc_peer_run_to(pc_peer *y, floe_pc_state state, uint64_t limit_ms);
bool pc_peer_run_to_signaling(pc_peer *y, floe_signaling_state state, uint64_t limit_ms);
bool pc_peers_run_to_failed(pc_peers *p, uint64_t limit_ms);
bool pc_peer_run_to_gathered(pc_peer *y, uint64_t limit_ms);
/* Until both are stable, gathered, and nothing is on its way between them. */
bool pc_peers_settle(pc_peers *p, uint64_t limit_ms);
/* Until this channel has this many messages, and until it is in this state. */
bool pc_channel_run_to_messages(sim_channel *c, uint64_t n, uint64_t limit_ms);
bool pc_channel_run_to(sim_channel *c, floe_data_channel_state state, uint64_t limit_ms);
/* Until the other side of `c` has all of its numbered messages, those of its flow too. */
bool pc_channel_run_to_all(pc_peers *p, const sim_channel *from, uint64_t limit_ms);

/* setLocalDescription() and the description to the other side, as the mode says. */
floe_status pc_peer_negotiate(pc_peer *y);
/* Sends what floe_pc_local_description says now, whatever the mode. */
void pc_peer_send_description(pc_peer *y);
/* One whole exchange by hand and at once: the offer of `y`, and the answer of the other one; the candidates known
 * now are in them. */
void pc_peers_offer_answer(pc_peer *offerer);
/* Each candidate that `y` has now, to the other side at once. */
void pc_peer_tell_candidates(pc_peer *y);

/* The same channel at the other side, by its name; NULL: none. */
sim_channel *pc_channel_other(const sim_channel *c);
/* The n-th channel of this side, from 0; fails when there is none. */
sim_channel *pc_peer_channel(const pc_peer *y, size_t n);
/* One text each way over the first channel, which must arrive within 2 s. */
void pc_peers_exchange(pc_peers *p);
/* All numbered messages of all channels, both ways. */
void pc_peers_expect_all(pc_peers *p);

/* pc_signal.c: what a side's events mean for the signalling. */
void pc_signal_on_event(void *user, const floe_event *e);

/* Fails with what both sides know when it does not hold. */
#define pc_true(p, condition)                                                            \
  do {                                                                                   \
    if (!(condition)) sim_fail((p)->s, "%s:%d: not %s", __FILE__, __LINE__, #condition); \
  } while (0)
#define pc_status(p, expected, actual)                                                                  \
  do {                                                                                                  \
    floe_status pc_st = (actual);                                                                       \
    if (pc_st != (expected)) {                                                                          \
      sim_fail((p)->s, "%s:%d: %s is %s, not %s", __FILE__, __LINE__, #actual, floe_status_name(pc_st), \
               floe_status_name(expected));                                                             \
    }                                                                                                   \
  } while (0)
/* All events of one side. */
#define pc_expect(y, expected) expect_text((y)->p->s, (y)->name, sim_pc_events((y)->x), (expected))
/* The same without those of the transports and without candidates. */
#define pc_expect_main(y, expected) expect_text((y)->p->s, (y)->name, sim_pc_main_events((y)->x), (expected))
#define pc_expect_with(y, part, expected) \
  expect_text((y)->p->s, (y)->name, sim_pc_events_with((y)->x, (part)), (expected))
/* All events of both sides in their order, "alice: " or "bob: " before each. */
#define pc_peers_expect_events(p, expected) expect_text((p)->s, "events", pc_peers_events(p), (expected))
const char *pc_peers_events(const pc_peers *p);
void pc_peers_clear_logs(pc_peers *p);

#endif
