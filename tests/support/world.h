/* The usual world of a simulated test, and short words for what tests do in it.
 *
 *     client 10.0.0.1 --- NAT 203.0.113.1 --- Internet --- server 192.0.2.1 and 2001:db8:2::1
 *
 * 5 ms each way: a round trip is 10 ms. The NAT's mapping and filtering are endpoint-independent. The server knows
 * the user "user" with the credential "secret" and relays from 192.0.2.1.
 *
 *     world *w = world_new(1);
 *     world_listen(w, FLOE_TRANSPORT_UDP, "error=500:Broken");
 *     world_add(w, "stun:192.0.2.1");
 *     world_gather(w);
 *     world_expect(w, "0.0 state gathering\n" ...);
 *     world_free(w);
 */
#ifndef FLOE_TESTS_WORLD_H
#define FLOE_TESTS_WORLD_H

#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/expect.h"
#include "support/sim_agent.h"
#include "support/sim_dns.h"
#include "support/sim_net.h"
#include "support/sim_server.h"

#define WORLD_MAX_SERVERS 70

typedef struct world {
  sim *s;
  sim_nat *nat;
  sim_host *client;
  sim_host *server_host;
  floe__ts_config ts;  /* change it before the first world_listen */
  sim_server *server;  /* NULL until then */
  bool has_tls;        /* it listens for TLS: the client trusts its authority */
  floe_ice_config cfg; /* change it before world_gather */
  sim_agent_options options;
  floe_ice_server ice_servers[WORLD_MAX_SERVERS];
  const char *urls[WORLD_MAX_SERVERS];
  size_t n_servers;
  sim_agent *agent; /* NULL until world_start */
} world;

world *world_new(uint64_t seed);
/* The client has these addresses instead (pairs of interface and address, ended by NULL), and no NAT. */
world *world_new_with(uint64_t seed, ...) __attribute__((sentinel));
/* The same with a NAT before its IPv4 addresses. */
world *world_new_natted(uint64_t seed, ...) __attribute__((sentinel));
/* Closes the agent, waits until it is closed, and checks that nothing is left, here and at the server. */
void world_free(world *w);

/* One more entry of iceServers, with "user" and "secret" when it is a TURN URL. */
void world_add(world *w, const char *url /* keeps */);
void world_add_with(world *w, const char *url /* keeps */, const char *user, const char *credential);

/* The server listens at its usual ports: 3478 for UDP and TCP, 5349 for TLS, IPv4 and IPv6. */
void world_listen(world *w, floe_transport transport, const char *script /* nullable */);
void world_listen_at(world *w, floe_transport transport, const char *local, const char *script /* nullable */);
/* Another host with one address and a server listening there, which relays from it. */
sim_server *world_other_server(world *w, const char *address, floe_transport transport, const char *script);

/* Makes the agent, with the server's authority among the trusted ones. */
void world_start(world *w);
/* Makes the agent if need be, gathers, and runs until `complete`, which must come within 20 s. */
void world_gather(world *w);

#define world_expect(w, expected)        expect_text((w)->s, "events", sim_agent_events((w)->agent), (expected))
#define world_expect_report(w, expected) expect_text((w)->s, "reports", sim_agent_report((w)->agent), (expected))
#define world_expect_wire(w, part, expected) \
  expect_text((w)->s, "wires", sim_agent_wire_with((w)->agent, (part)), (expected))

/* The times of a list that has nothing but these: the usual begin and end. */
#define BEGIN   "0.0 state gathering\n0.0 candidate host 10.0.0.1:50000\n"
#define END(ms) ms " candidate end\n" ms " state complete\n"

#endif
