/* The simulated network: hosts with addresses on interfaces, paths between them, what goes wrong on the way, NATs, UDP
 * and TCP.
 *
 *     sim_host *client = sim_host_new(s, "client", "eth0", "10.0.0.1", "eth0", "2001:db8::1", NULL);
 *     sim_drop(s, "192.0.2.1:3478");
 *
 * Every host has a loopback interface "lo" (127.0.0.1, ::1) beside those named. A host that has an address answers for
 * its closed ports, with an ICMP error or a TCP reset; an address that nobody has is a black hole. Ephemeral ports
 * count up from 50000, so that a test can name them. */
#ifndef FLOE_TESTS_SIM_NET_H
#define FLOE_TESTS_SIM_NET_H

#include "floe/ice.h"
#include "support/sim.h"

typedef struct sim_host sim_host;
typedef struct sim_nat sim_nat;
typedef struct sim_udp sim_udp;
typedef struct sim_tcp sim_tcp;
typedef struct sim_listener sim_listener;

/* Reads an address, with or without a port; aborts on a typing error in the test. */
floe_addr sim_addr(const char *text);

/* --- hosts ----------------------------------------------------------------------------------------------------- */

/* Pairs of interface name and address, ended by NULL. */
sim_host *sim_host_new(sim *s, const char *name, ...) __attribute__((sentinel));
void sim_host_add_address(sim_host *h, const char *interface, const char *address);
void sim_host_remove_address(sim_host *h, const char *address);
const char *sim_host_name(const sim_host *h);
sim *sim_host_sim(const sim_host *h);
/* As the host would list them, "lo" first. */
const floe_interface *sim_host_interfaces(const sim_host *h, size_t *n);
/* The host drops what arrives at closed ports, as one behind a firewall does. */
void sim_host_set_stealth(sim_host *h, bool stealth);
/* Nothing arrives at the host any more, or does so again. */
void sim_host_set_deaf(sim_host *h, bool deaf);
/* The next `times` binds (0: all) fail. */
void sim_host_fail_binds(sim_host *h, floe_net_error error, uint32_t times);

/* --- paths ----------------------------------------------------------------------------------------------------- */

typedef struct sim_path {
  uint32_t delay_us;                 /* one way */
  uint32_t jitter_us;                /* up to this much more, uniform */
  uint32_t loss, duplicate, reorder; /* per mille of datagrams; a lost TCP segment comes later */
  uint32_t mtu;                      /* 0: no limit; counts the bytes of the datagram's payload */
  uint32_t tcp_chunks;               /* a write arrives in up to so many pieces; 0 counts as 1 */
} sim_path;

/* 5 ms each way and nothing else, until it is set. */
void sim_path_default(sim *s, const sim_path *path);
/* Both directions between two hosts. */
void sim_path_between(sim_host *a, sim_host *b, const sim_path *path);

/* --- what goes wrong ------------------------------------------------------------------------------------------- */

typedef enum sim_proto { SIM_BOTH = 0, SIM_UDP, SIM_TCP } sim_proto;

typedef enum sim_action {
  SIM_DROP = 0, /* silently; over TCP the SYN, and every later segment */
  SIM_REJECT,   /* an ICMP error comes back after a round trip; a TCP connect fails with what it means */
  SIM_FAIL_SEND /* the local system refuses to send; a TCP connect fails at once */
} sim_action;

typedef struct sim_rule {
  const sim_host *from; /* nullable: any sender */
  floe_addr source;     /* the sender's IP address; family 0 = any */
  floe_addr to;         /* as the sender wrote it; family 0 = any, port 0 = any */
  sim_proto proto;
  sim_action action;
  uint8_t icmp_type, icmp_code; /* REJECT */
  floe_net_error error;         /* FAIL_SEND */
  uint32_t skip;                /* so many packets pass first */
  uint32_t times;               /* then so many are hit; 0 = all */
} sim_rule;

/* The first rule that hits decides. Rules look at packets as they leave the sender. */
void sim_rule_add(sim *s, const sim_rule *rule);
void sim_drop(sim *s, const char *to);
void sim_reject(sim *s, const char *to, uint8_t icmp_type, uint8_t icmp_code);
void sim_fail_send(sim *s, const char *to, floe_net_error error);
void sim_rules_clear(sim *s);

/* errno's counterpart of a network error, and the system's words for it. */
int sim_errno(floe_net_error error);
const char *sim_errno_text(floe_net_error error);

/* --- NATs ------------------------------------------------------------------------------------------------------ */

/* RFC 4787 4.1 and 5: what a mapping depends on, and what is let in. */
typedef enum sim_nat_kind {
  SIM_ENDPOINT_INDEPENDENT = 0,
  SIM_ADDRESS_DEPENDENT,
  SIM_ADDRESS_AND_PORT_DEPENDENT
} sim_nat_kind;

/* `external`: its public address; it translates this family only, the other passes. External ports count up from 40000.
 */
sim_nat *sim_nat_new(sim *s, const char *name, const char *external, sim_nat_kind mapping, sim_nat_kind filtering);
void sim_host_behind(sim_host *h, sim_nat *nat);
void sim_nat_behind(sim_nat *inner, sim_nat *outer);
/* Whether a host behind the NAT reaches another one by the NAT's public address (RFC 4787 6); it does unless told
 * otherwise. */
void sim_nat_set_hairpin(sim_nat *nat, bool hairpin);
/* The NAT forgets its mappings, as after a restart: what is sent next has a new external port. `external`: nullable,
 * its new public address. */
void sim_nat_rebind(sim_nat *nat, const char *external);
/* The NAT translates no UDP any more, or does so again. */
void sim_nat_block_udp(sim_nat *nat, bool block);

/* --- UDP ------------------------------------------------------------------------------------------------------- */

typedef struct sim_udp_ops {
  void (*on_datagram)(void *user, const floe_addr *from, floe_bytes data);
  void (*on_icmp)(void *user, const floe_addr *to, uint8_t type, uint8_t code);  /* nullable */
  void (*on_send_failed)(void *user, const floe_addr *to, floe_net_error error); /* nullable */
} sim_udp_ops;

/* NULL: could not be bound, and why. Port 0: an ephemeral one. */
sim_udp *sim_udp_open(sim_host *h, const floe_addr *local, const sim_udp_ops *ops /* keeps */, void *user,
                      floe_net_error *why);
floe_addr sim_udp_local(const sim_udp *u);
void sim_udp_send(sim_udp *u, const floe_addr *to, floe_bytes data);
/* Nothing more is told; the handle stays valid until sim_free. */
void sim_udp_close(sim_udp *u);

/* --- TCP ------------------------------------------------------------------------------------------------------- */

typedef struct sim_tcp_ops {
  void (*on_connected)(void *user, const floe_addr *local); /* nullable for accepted connections */
  void (*on_failed)(void *user, floe_net_error error);      /* connect failed, or the connection was reset */
  void (*on_bytes)(void *user, floe_bytes data);
  void (*on_end)(void *user); /* the peer sent FIN */
} sim_tcp_ops;

/* The new connection has no ops until sim_tcp_set gives it some, which the listener does in here. */
typedef void (*sim_accept_fn)(void *user, sim_tcp *conn, const floe_addr *from);

bool sim_tcp_listen(sim_host *h, const floe_addr *local, sim_accept_fn on_accept, void *user);
/* The same with port 0 for an ephemeral port, and for a port that connects too. NULL: could not be bound, and why. */
sim_listener *sim_tcp_listen_at(sim_host *h, floe_addr *local, bool shared, sim_accept_fn on_accept, void *user,
                                floe_net_error *why);
void sim_tcp_unlisten(sim_listener *l);
void sim_tcp_set(sim_tcp *t, const sim_tcp_ops *ops /* keeps */, void *user);
/* NULL: could not be bound, and why. What becomes of the connection is told by the ops, never from inside this call. */
sim_tcp *sim_tcp_connect(sim_host *h, const floe_addr *local, const floe_addr *remote,
                         const sim_tcp_ops *ops /* keeps */, void *user, floe_net_error *why);
/* The same from a port that others use too (SO_REUSEPORT). Two that connect to each other at the same time meet
 * (simultaneous open, RFC 9293 3.5). */
sim_tcp *sim_tcp_connect_shared(sim_host *h, const floe_addr *local, const floe_addr *remote,
                                const sim_tcp_ops *ops /* keeps */, void *user, floe_net_error *why);
floe_addr sim_tcp_local(const sim_tcp *t);
void sim_tcp_send(sim_tcp *t, floe_bytes data);
void sim_tcp_close(sim_tcp *t); /* FIN after what was sent; nothing more is told */
void sim_tcp_reset(sim_tcp *t); /* RST; nothing more is told */
/* Each connection of the host is reset, as when its process dies; its own end is told too. */
void sim_host_reset_connections(sim_host *h);

/* How many datagrams and TCP segments were handed to the network so far. */
uint64_t sim_packets(sim *s);
/* How many sockets of the host are open, listeners not counted. */
size_t sim_host_open_sockets(const sim_host *h);

#endif
