/* Two agents in one process, on virtual time, and a network between them that the input may ruin packet by packet.
 *
 *   pair_net     packets, TCP connections, NATs, the order in which things happen
 *   pair_server  a STUN/TURN server that misbehaves as the input wants it
 *   pair_agent   an agent and its driver: what it asks for is done, what it tells is checked
 *
 * Without a byte of the input everything works: packets arrive after a millisecond, names are answered, candidates are
 * exchanged. So an input need only say what goes wrong. */
#ifndef FLOE_FUZZ_PAIR_WORLD_H
#define FLOE_FUZZ_PAIR_WORLD_H

#include "base/assert.h"
#include "base/reader.h"
#include "floe/stats.h"
#include "testserver/testserver.h"

#define PW_SOCKS    48
#define PW_CONNS    48
#define PW_EVENTS   400
#define PW_SEEN     8
#define PW_MAPPINGS 48
#define PW_RELAYS   8
#define PW_NAMES    16
#define PW_SERVER   2 /* stands where a host stands */

typedef enum pw_kind {
  PW_PACKET = 0,  /* a datagram: from, to, data; of the socket `id` of `host`, when that is one */
  PW_DATAGRAM,    /* the same, but for this socket */
  PW_CONNECT,     /* a TCP connection: of the socket `id` of `host` */
  PW_STREAM,      /* bytes to `side` of the connection `id` */
  PW_STREAM_END,  /* no more of them */
  PW_RESET,       /* the connection breaks */
  PW_OPENED,      /* a socket is open */
  PW_OPEN_FAILED, /* or is not */
  PW_ICMP,        /* an error for what the socket has sent to `to` */
  PW_SEND_FAILED, /* likewise, of the system's own */
  PW_RESOLVED,    /* the name `data` was looked up */
  PW_INTERFACES,  /* the addresses were listed */
  PW_OFFER,       /* signalling to `host`: the parameters of the other one */
  PW_ANSWER,      /* the same, and no answer is expected */
  PW_CANDIDATE,   /* a candidate of the other one */
  PW_END          /* it has no more */
} pw_kind;

typedef struct pw_event {
  floe_time at;
  uint32_t seq;
  pw_kind kind;
  int host;
  uint32_t id;
  int side;
  uint32_t number; /* generation of the sender, or an error's number */
  floe_addr from, to;
  floe_family family;
  uint8_t *data; /* malloc'd */
  size_t len;
} pw_event;

typedef struct pw_sock {
  floe_sock_id id; /* 0: free; it is as soon as the socket has failed */
  bool is_tcp, listens, open;
  floe_addr local, remote;
} pw_sock;

typedef struct pw_end {
  int host;    /* PW_SERVER: the test server */
  uint32_t id; /* socket */
  bool is_over;
  floe_time last_at; /* bytes arrive in order */
} pw_end;

typedef struct pw_conn {
  pw_end ends[2];
} pw_conn;

typedef struct pw_mapping {
  int host;
  floe_addr inside, outside, peer; /* peer: family 0 = for all of them */
} pw_mapping;

typedef struct pw_relay {
  floe__ts_relay id; /* 0: free */
  floe_addr addr;
} pw_relay;

typedef struct pw_name {
  char text[80]; /* "": free */
  floe_addr addr;
} pw_name;

typedef enum pw_nat { PW_NAT_NONE = 0, PW_NAT_CONE, PW_NAT_SYMMETRIC } pw_nat;

typedef struct pw_world pw_world;
typedef struct pw_host pw_host;

/* What stands above an agent, when the agent is not alone: a peer connection (pc_world.h). Each takes the place of the
 * agent's own. */
typedef struct pw_program {
  void (*input)(pw_host *h, const floe_input *in);
  void (*poll)(pw_host *h, floe_output *out);
  void (*close)(pw_host *h);
  void (*release)(pw_host *h); /* frees it, and its agent */
  void (*on_event)(pw_host *h, const floe_event *e);
  void (*on_drained)(pw_host *h);
  void (*on_signal)(pw_host *h, const pw_event *e);
} pw_program;

struct pw_host {
  pw_world *w;
  int index;
  floe_env *env;
  floe_ice_agent *agent;
  const pw_program *program; /* nullable: the agent is alone */
  floe_ice_config cfg;
  size_t live; /* blocks */
  uint64_t random;
  uint32_t fail_in, fail_times; /* so many calls for memory from now so many fail */
  bool was_short;               /* one has failed */
  bool closed;
  bool is_pool; /* it gathers for a pool: events are kept */
  bool is_lazy; /* outputs are taken late */
  pw_nat nat;
  uint8_t interfaces; /* one bit each */
  uint8_t fail_opens; /* so many sockets fail to open */
  uint8_t fail_names; /* so many names are not found */
  pw_sock socks[PW_SOCKS];
  uint16_t next_port;
  floe_sock_id last_accepted;
  uint32_t generation;
  floe_time wait_until;
  /* what was told */
  floe_ice_gathering_state gathering;
  floe_ice_connection_state connection;
  bool has_pair, restarted;
  uint32_t data_received;
  uint32_t wakes;
  floe_time wakes_second;
  uint32_t relay; /* id of the last relay candidate, or 0 */
};

struct pw_world {
  floe__reader in;
  floe_time now;
  pw_host hosts[2];
  pw_event events[PW_EVENTS];
  size_t n_events;
  uint32_t seq;
  uint32_t steps_left;
  uint32_t hostile_left; /* the input decides about so many packets */
  bool is_traced;
  bool no_signalling;
  bool no_icmp;
  pw_conn conns[PW_CONNS];
  size_t n_conns;
  pw_mapping mappings[PW_MAPPINGS];
  size_t n_mappings;
  pw_name names[PW_NAMES];
  struct {
    uint8_t bytes[600];
    size_t len;
  } seen[PW_SEEN]; /* packets of before */
  uint32_t n_seen;
  /* the server */
  floe_env *ts_env;
  floe__testserver *ts; /* nullable */
  floe__ts_listener ts_udp, ts_tcp;
  pw_relay relays[PW_RELAYS];
  uint16_t next_relay_port;
};

/* --- pair_net.c -------------------------------------------------------------------------------------------------- */

uint8_t pw_byte(pw_world *w);
/* One of few addresses: of the hosts, the server, NATs, and such as nobody has. */
floe_addr pw_addr(pw_world *w);
floe_addr pw_ip(const char *text);

/* Copies `data` into the event and puts it into the queue, `delay` from now. */
void pw_add(pw_world *w, pw_event e, floe_time delay, floe_bytes data);
void pw_send(pw_world *w, pw_host *h, const pw_sock *k, const floe_addr *to, floe_bytes data);
void pw_send_stream(pw_world *w, int host, uint32_t id, floe_bytes data);
/* The connection of a socket is over: the other side is told. */
void pw_close_stream(pw_world *w, int host, uint32_t id, pw_kind how);
bool pw_is_bound(const pw_world *w, const pw_host *h, bool is_tcp, const floe_addr *local);
void pw_keep_seen(pw_world *w, floe_bytes data);
/* Everything that happens in this time, or until there were too many steps. */
void pw_run(pw_world *w, floe_time duration);
void pw_clear(pw_world *w);

bool pw_is_same(const floe_addr *a, const floe_addr *b); /* scopes are not compared */
/* From here on it may be ruined. */
void pw_put_on_way(pw_world *w, pw_event e, floe_bytes data);

/* --- pair_server.c ----------------------------------------------------------------------------------------------- */

bool pw_is_server(const pw_world *w, const floe_addr *to);
bool pw_reach_server(pw_world *w, const pw_event *e); /* false: it is not for the server or one of its relays */
void pw_server_accept(pw_world *w, uint32_t conn, const floe_addr *from);
void pw_server_on_stream(pw_world *w, const pw_event *e, pw_end *end);
floe_time pw_server_time(const pw_world *w);
void pw_server_on_timer(pw_world *w);
void pw_serve(pw_world *w, uint8_t flags); /* makes the server */
void pw_stop_server(pw_world *w);

/* --- pair_agent.c ------------------------------------------------------------------------------------------------ */

void pw_host_begin(pw_world *w, int index, const floe_ice_config *cfg, uint8_t seed);
void pw_host_prepare(pw_world *w, int index, const floe_ice_config *cfg, uint8_t seed); /* all but the agent */
void pw_host_end(pw_host *h); /* closes, waits, checks that nothing is left, frees */
pw_host *pw_other(const pw_host *h);
pw_sock *pw_find_sock(pw_host *h, floe_sock_id id);
pw_sock *pw_new_sock(pw_host *h); /* NULL: too many */
void pw_input(pw_host *h, const floe_input *in);
void pw_input_interfaces(pw_host *h);
void pw_after_call(pw_host *h); /* outputs are taken */
void pw_drain(pw_host *h);
void pw_check_settled(pw_host *h);
void pw_check_connected(pw_world *w);
void pw_check_stats(pw_host *h);
/* Signalling. */
void pw_gather(pw_host *h);
void pw_offer(pw_host *h, pw_kind kind); /* sends own parameters to the other one */
void pw_restart(pw_host *h);
void pw_take_signal(pw_host *h, const pw_event *e);

#endif
