/* The usual world of a test that connects: two hosts with an agent each, NATs before them if need be, a STUN/TURN
 * server, and signalling in virtual time.
 *
 *     A 10.0.0.1 --- [NAT 203.0.113.1] --- Internet --- [NAT 203.0.113.2] --- B 10.0.1.1
 *                                             |
 *                              server 192.0.2.1 and 2001:db8:2::1
 *
 * 5 ms each way: a round trip is 10 ms. A offers: it gathers and sends its parameters at once and its candidates as
 * they come (trickle) or all in one description (whole); B answers likewise when it has A's parameters. Each message of
 * the signalling takes 10 ms and they arrive in the order in which they were sent, unless the test says otherwise.
 *
 *     peers *p = peers_new(1);
 *     peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_DEPENDENT);
 *     peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
 *     peers_add(p, "stun:192.0.2.1");
 *     assert_true(peers_connect(p, 5000));
 *     peers_expect(&p->a, "0.0 state gathering\n" ...);
 *     peers_exchange_data(p);
 *     peers_free(p);
 */
#ifndef FLOE_TESTS_PEERS_H
#define FLOE_TESTS_PEERS_H

#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/expect.h"
#include "support/sim_agent.h"
#include "support/sim_dns.h"
#include "support/sim_mdns.h"
#include "support/sim_net.h"
#include "support/sim_server.h"

#define PEERS_MAX_SERVERS 8

typedef struct peers peers;

/* How one side's messages go to the other one. */
typedef struct peer_signalling {
  uint32_t delay_ms;      /* of each message */
  uint32_t shuffle_ms;    /* candidates take up to so much longer, each for itself: their order changes */
  bool whole;             /* one description when gathering is complete, no trickle */
  bool no_end;            /* the end of the candidates is never told */
  bool no_candidates;     /* no candidate is told */
  bool no_parameters;     /* the parameters are never told */
  uint32_t parameters_ms; /* the parameters take so much longer than the candidates */
} peer_signalling;

typedef struct peer {
  const char *name; /* "A" or "B" */
  peers *p;
  struct peer *other;
  sim_host *host;
  sim_nat *nat;        /* nullable */
  floe_ice_config cfg; /* change it before the agents are made */
  sim_agent_options options;
  floe_ice_server ice_servers[PEERS_MAX_SERVERS];
  const char *urls[PEERS_MAX_SERVERS];
  size_t n_servers;
  peer_signalling out;
  bool waits_for_offer; /* gathers only when the other's parameters are there: B does */
  bool no_close;        /* peers_free frees the agent without closing it */
  sim_agent *agent;     /* NULL until peers_start */
  /* of the session that is being signalled */
  bool has_offered;
  uint32_t generation; /* a restart counts up, and the other side follows */
  uint64_t n_sent_data;
  size_t refused; /* candidates that the other agent refused with a status */
  floe_status last_refusal;
} peer;

struct peers {
  sim *s;
  peer a, b;
  sim_host *server_host;
  floe__ts_config ts; /* change it before the first peers_listen */
  sim_server *server; /* NULL until then */
  bool has_tls;
  bool has_begun;
  bool is_over; /* nothing is signalled any more */
};

peers *peers_new(uint64_t seed);
/* The hosts have no addresses yet. */
peers *peers_new_bare(uint64_t seed);
/* Closes both agents, waits until they are closed, and checks that nothing is left. */
void peers_free(peers *p);

/* A NAT before the host: 203.0.113.1 for A, 203.0.113.2 for B. */
void peers_nat(peer *x, sim_nat_kind mapping, sim_nat_kind filtering);
/* The usual server listens at its usual ports (world.h). */
void peers_listen(peers *p, floe_transport transport, const char *script /* nullable */);
/* One more entry of iceServers, with "user" and "secret" when it is a TURN URL: for one, for both. */
void peer_add(peer *x, const char *url /* keeps */);
void peers_add(peers *p, const char *url /* keeps */);

/* Datagrams of the host are dropped on their way out: all, or those to one address. */
void peer_block_udp(peer *x);
void peer_drop_to(peer *x, const char *to);
/* What the host sends and receives gets lost from now on, until sim_rules_clear. */
void peer_vanish(peer *x);

/* Makes the agents that are not there. */
void peers_start(peers *p);
/* Makes them, lets A gather and offer. */
void peers_begin(peers *p);
/* peers_begin if need be, and runs until both are connected. */
bool peers_connect(peers *p, uint64_t limit_ms);
bool peers_run_to_connected(peers *p, uint64_t limit_ms);
/* Runs until the side is in this state. */
bool peer_run_to(peer *x, floe_ice_connection_state state, uint64_t limit_ms);
/* Runs until both have failed. */
bool peers_run_to_failed(peers *p, uint64_t limit_ms);

/* A new ICE session: `x` restarts, gathers and offers, the other one follows. */
void peer_restart(peer *x);
/* Gathers and tells the other side; for a test that restarts by hand. */
void peer_offer(peer *x);

/* Gives the other agent this side's parameters now, or one line; "" is the end. */
void peer_tell_parameters(peer *x);
floe_status peer_tell_candidate(peer *x, const char *line);

/* Sends a text of its own each way over the selected pairs, and asserts that exactly these arrive. On lossy paths up to
 * `tries` times until one has arrived. */
void peers_exchange_data(peers *p);
bool peers_try_data(peers *p, unsigned tries);
/* Sends one numbered text to the other side now: true when it was accepted. */
bool peer_send_numbered(peer *x);
/* How many numbered texts have arrived at this side. */
uint64_t peer_got_numbered(const peer *x);
/* Fails, and names the first that is missing, unless all have arrived at both sides. */
void peers_expect_all_numbered(peers *p);

/* Fails with what both sides know when it does not hold. */
#define peers_true(p, condition)                                                         \
  do {                                                                                   \
    if (!(condition)) sim_fail((p)->s, "%s:%d: not %s", __FILE__, __LINE__, #condition); \
  } while (0)
#define peers_expect(x, expected) expect_text((x)->p->s, (x)->name, sim_agent_events((x)->agent), (expected))
/* The lines that hold `part`. */
#define peers_expect_with(x, part, expected) \
  expect_text((x)->p->s, (x)->name, peer_events_with((x), (part)), (expected))
const char *peer_events_with(peer *x, const char *part);
/* Asserts what `x` was told last. */
#define peer_expect_failed(x, expected_cause)                                                                  \
  do {                                                                                                         \
    assert_int_equal(sim_agent_connection((x)->agent), FLOE_ICE_CONNECTION_FAILED);                            \
    assert_string_equal(floe_cause_id(sim_agent_connection_cause((x)->agent)), floe_cause_id(expected_cause)); \
    assert_string_equal(floe_cause_id(sim_agent_verdict((x)->agent)), floe_cause_id(expected_cause));          \
  } while (0)

#endif
