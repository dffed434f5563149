/* The test server alone: its outputs kept in a log, its relay sockets answered for, and a client that builds its
 * requests by hand, so that it can also build wrong ones. */
#ifndef FLOE_TESTS_TS_RIG_H
#define FLOE_TESTS_TS_RIG_H

#include "stun/integrity.h"
#include "support/sim_alloc.h"
#include "testserver/testserver.h"
#include "turn/frame.h"

#define TS_RIG_LOG    1100
#define TS_RIG_UNIX_S 1750000000 /* the wall clock at time 0 */

typedef enum ts_relay_mode {
  TS_RELAY_OPENS = 0, /* each socket is bound as soon as it is asked for */
  TS_RELAY_FAILS,
  TS_RELAY_WAITS /* the test answers itself */
} ts_relay_mode;

/* One output, with a copy of its bytes. */
typedef struct ts_out {
  floe__ts_output out;
  uint8_t *bytes;
} ts_out;

typedef struct ts_rig {
  floe_env *env;
  sim_alloc alloc;
  uint64_t seed;
  floe__testserver *ts;
  floe_time now;
  ts_relay_mode relay_mode;
  uint16_t next_port; /* of the next relay socket; 50000 and on */
  ts_out log[TS_RIG_LOG];
  size_t n_log;
  floe__deadline wait;     /* what the last drain ended with */
  uint64_t opened, closed; /* relay sockets */
  char trace[1024];        /* the last line */
} ts_rig;

/* User "user", credential "secret", relays on 192.0.2.10 and 2001:db8::10. `cfg` nullable: then these. */
floe__ts_config ts_rig_config(void);
void ts_rig_init(ts_rig *rig, const floe__ts_config *cfg);
/* Frees everything and fails when something was not given back. */
void ts_rig_clear(ts_rig *rig);
/* Polls to the end; everything goes to the log. */
void ts_rig_drain(ts_rig *rig);
/* Empties the log. */
void ts_rig_forget(ts_rig *rig);
/* Time passes. */
void ts_rig_advance(ts_rig *rig, uint64_t ms);
/* A port with this script (NULL: correct). */
floe__ts_listener ts_rig_listen(ts_rig *rig, floe_transport transport, const char *script);
/* The n-th output of a type in the log; NULL: there are fewer. */
const floe__ts_output *ts_rig_find(const ts_rig *rig, floe__ts_output_type type, unsigned n);
floe_addr ts_addr(const char *text);

#define TS_NONE (-1) /* no answer */

typedef struct ts_client {
  ts_rig *rig;
  floe__ts_listener listener;
  floe__ts_conn conn; /* 0 over UDP */
  floe_addr addr;
  const char *username, *password;
  bool sign;     /* what was learned from a challenge is used */
  bool sha256;   /* SHA-256 and PASSWORD-ALGORITHMS */
  bool userhash; /* USERHASH for USERNAME */
  char realm[128];
  char nonce[128];
  uint8_t algorithms[64];
  size_t algorithms_len;
  uint8_t request[2048];
  floe_bytes sent; /* the request as it was sent */
  floe__stun_builder b;
  uint8_t answer_bytes[70000];
  floe_bytes answer; /* the last message for this client; empty = none */
  floe__stun_parse parsed;
  floe__stun_msg m;
  floe__turn_framer framer; /* streams */
  uint8_t stream[70000];    /* bytes not yet taken by the framer */
  size_t stream_len;
  unsigned writes; /* outputs with bytes of this connection */
} ts_client;

/* Over UDP from `addr`; over TCP with a connection of its own, accepted. */
void ts_client_init(ts_client *c, ts_rig *rig, floe__ts_listener listener, const char *addr);
void ts_client_connect(ts_client *c, ts_rig *rig, floe__ts_listener listener, floe__ts_conn conn, const char *addr);
void ts_client_clear(ts_client *c);

/* Begins a request with a new transaction id; add attributes to the builder, then ts_send. */
floe__stun_builder *ts_begin(ts_client *c, uint16_t method);
/* Signs, sends, drains. The answer's error code, 0 for a success, TS_NONE for none (or no STUN message). */
int ts_send(ts_client *c);
/* The same bytes once more. */
int ts_send_again(ts_client *c);
/* Sends bytes as they are and takes what comes. */
int ts_send_bytes(ts_client *c, floe_bytes bytes);
/* Takes the next message for this client from the log or the stream, without sending. */
int ts_receive(ts_client *c);
/* Takes realm and nonce from the answer, and signs from now on. */
void ts_learn(ts_client *c);
/* The answer carries the integrity that our key makes. */
bool ts_is_signed_well(const ts_client *c);
bool ts_is_signed(const ts_client *c);

int ts_binding(ts_client *c);
int ts_allocate(ts_client *c); /* with REQUESTED-TRANSPORT */
/* Allocate, challenged, allocated: the relayed address. */
floe_addr ts_allocate_fully(ts_client *c);
int ts_refresh(ts_client *c, uint32_t lifetime_s);
int ts_permit(ts_client *c, const floe_addr *peer);
int ts_bind(ts_client *c, uint16_t number, const floe_addr *peer);
/* A Send indication. */
void ts_send_data(ts_client *c, const floe_addr *peer, const char *text);

#endif
