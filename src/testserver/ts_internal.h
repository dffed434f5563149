/* What the files of the test server share. */
#ifndef FLOE_TESTSERVER_TS_INTERNAL_H
#define FLOE_TESTSERVER_TS_INTERNAL_H

#include "stun/auth.h"
#include "stun/integrity.h"
#include "stun/msg.h"
#include "testserver/testserver.h"
#include "tls/tls_stream.h"
#include "turn/frame.h"

/* Limits, so that a flood of clients cannot grow the server without end. */
#define FLOE__TS_MAX_ALLOCATIONS 1024
#define FLOE__TS_MAX_CONNS       1024
#define FLOE__TS_MAX_PEERS       64         /* permissions, and channels, of one allocation */
#define FLOE__TS_QUEUE_MAX       (8u << 20) /* bytes waiting to be polled or delayed; what comes beyond is lost */
#define FLOE__TS_MISMATCH_MAX    32         /* client addresses that 437_TIMES counts separately */
#define FLOE__TS_CACHE           64         /* answers kept for retransmitted requests */
#define FLOE__TS_MESSAGE_MAX     65560
#define FLOE__TS_PORT_TRIES      16 /* sockets that may be opened for EVEN-PORT */
#define FLOE__TS_NONCE_MAX       64

/* RFC 8656 3.2, 7.2, 9 and 12: seconds. */
#define FLOE__TS_LIFETIME_DEFAULT 600
#define FLOE__TS_LIFETIME_MAX     3600
#define FLOE__TS_PERMISSION_S     300
#define FLOE__TS_CHANNEL_S        600
#define FLOE__TS_NONCE_S          3600 /* a nonce is stale after an hour */
#define FLOE__TS_CACHE_S          40   /* RFC 8489 6.3.1: transaction ids are remembered for 40 seconds */

/* How many requests of one client address got 437. */
typedef struct floe__ts_mismatch {
  floe_addr client;
  uint32_t n;
} floe__ts_mismatch;

/* A listening port. */
typedef struct floe__ts_port {
  struct floe__ts_port *next;
  struct floe__ts_port *other[2][2]; /* RFC 5780: [change IP][change port]; NULL: the port has no alternates */
  floe__ts_listener id;
  floe_transport transport;
  floe_addr local;
  floe__ts_script script;
  char *cert_pem, *key_pem; /* TLS ports; NULL for the faults that need none */
  floe__ts_mismatch mismatches[FLOE__TS_MISMATCH_MAX];
  size_t n_mismatches;
} floe__ts_port;

/* A client's 5-tuple. */
typedef struct floe__ts_flow {
  floe__ts_port *port;
  floe__ts_conn conn; /* 0 over UDP */
  floe_addr from;
} floe__ts_flow;

/* Whoever signed a request. */
typedef struct floe__ts_user {
  bool known;  /* authenticated: answers are signed */
  bool sha256; /* with MESSAGE-INTEGRITY-SHA256 */
  floe__stun_key key;
  char name[FLOE__STUN_USERNAME_MAX + 1];
} floe__ts_user;

/* All that is needed to answer a request, even after its bytes are gone. */
typedef struct floe__ts_origin {
  floe__ts_flow flow;
  uint16_t method;
  uint8_t txn_id[FLOE__STUN_TXN_ID];
  floe__ts_user user;
} floe__ts_origin;

typedef struct floe__ts_request {
  floe__ts_origin origin;
  const floe__stun_msg *m;
} floe__ts_request;

/* A connection that a client opened. */
typedef struct floe__ts_stream {
  struct floe__ts_stream *next;
  floe__ts_conn id;
  floe__ts_port *port;
  floe_addr from;
  floe__turn_framer framer;
  floe__tls *tls; /* NULL over plain TCP and for the TLS faults that speak no TLS */
  bool closed;    /* to be closed: no byte is read or written any more */
  bool reset;     /* with RST */
} floe__ts_stream;

typedef struct floe__ts_allocation floe__ts_allocation;

typedef enum floe__ts_relay_state {
  FLOE__TS_RELAY_NONE = 0, /* not asked for */
  FLOE__TS_RELAY_OPENING,  /* the driver was asked for a socket */
  FLOE__TS_RELAY_OPEN,
  FLOE__TS_RELAY_FAILED /* the driver had none */
} floe__ts_relay_state;

/* One relayed transport address. */
typedef struct floe__ts_relay_socket {
  floe__ts_relay id;
  floe__ts_relay_state state;
  floe_addr local;
} floe__ts_relay_socket;

typedef struct floe__ts_permission {
  floe_addr peer; /* the port is not looked at (RFC 8656 9) */
  floe_time expires_at;
} floe__ts_permission;

typedef struct floe__ts_channel {
  uint16_t number;
  floe_addr peer;
  floe_time expires_at;
} floe__ts_channel;

struct floe__ts_allocation {
  floe__ts_allocation *next;
  floe__ts_origin origin; /* of the Allocate request */
  bool answered;          /* the relay sockets are there and the client knows */
  bool even_port;         /* EVEN-PORT was asked for */
  unsigned tries;         /* sockets closed again because their port was odd */
  uint32_t lifetime_s;
  floe_time expires_at;
  floe__ts_relay_socket relays[2];
  uint16_t address_error; /* ADDRESS-ERROR-CODE for the family that is missing; 0 = none */
  floe_family address_error_family;
  floe__ts_permission permissions[FLOE__TS_MAX_PEERS];
  size_t n_permissions;
  floe__ts_channel channels[FLOE__TS_MAX_PEERS];
  size_t n_channels;
};

/* An output waiting to be polled. */
typedef struct floe__ts_item {
  struct floe__ts_item *next;
  floe__ts_output out; /* out.data points at `bytes` */
  bool bytewise;       /* handed out one byte at a time */
  size_t len;
  uint8_t bytes[];
} floe__ts_item;

/* An answer that is held back. */
typedef struct floe__ts_late {
  struct floe__ts_late *next;
  floe_time due_at;
  floe__ts_flow flow;
  size_t len;
  uint8_t bytes[];
} floe__ts_late;

/* An answer over UDP, for the same request again. */
typedef struct floe__ts_cached {
  floe__ts_flow flow;
  uint8_t txn_id[FLOE__STUN_TXN_ID];
  floe_time at;
  uint8_t *bytes; /* NULL = unused */
  size_t len;
} floe__ts_cached;

struct floe__testserver {
  floe_env *env;
  floe__ts_config cfg; /* its strings are our copies; username and credential prepared (OpaqueString) */
  floe_time now;
  uint8_t nonce_key[32];
  char *ca_pem, *ca_key;
  floe__ts_port *ports;
  floe__ts_stream *streams;
  floe__ts_stream *closing; /* ended by us; the driver is yet to be told */
  bool has_closed;          /* some of `streams` are marked as closed */
  size_t n_streams;
  floe__ts_allocation *allocations;
  size_t n_allocations;
  floe__ts_relay *closing_relays;
  size_t n_closing_relays, closing_relays_cap;
  floe__ts_listener last_listener;
  floe__ts_relay last_relay;
  floe__ts_item *first, *last;
  floe__ts_item *polled;   /* the item whose data the caller is reading */
  floe__ts_late *late;     /* by due_at */
  floe__ts_late *late_end; /* the last of them; NULL when that is not known */
  size_t queued;           /* bytes in the two */
  floe__ts_cached cache[FLOE__TS_CACHE];
  size_t cache_next;
  floe__ts_counters counters;
  uint8_t message[FLOE__TS_MESSAGE_MAX]; /* the message being built */
  uint8_t plain[4096];                   /* decrypted bytes being read */
};

/* --- testserver.c ---------------------------------------------------------------------------------------------- */

/* Time goes on: allocations end, held-back answers go out. */
void floe__ts_advance(floe__testserver *ts, floe_time now);
bool floe__ts_flow_equal(const floe__ts_flow *a, const floe__ts_flow *b);
floe__ts_port *floe__ts_find_port(floe__testserver *ts, floe__ts_listener listener); /* NULL: there is none */

/* --- ts_output.c ----------------------------------------------------------------------------------------------- */

/* Queues an output with a copy of `data`. False: no memory, or the queue is full. */
bool floe__ts_push(floe__testserver *ts, const floe__ts_output *out, floe_bytes data, bool bytewise);
/* A message to a client, now: a datagram, or bytes of its connection. */
void floe__ts_send(floe__testserver *ts, const floe__ts_flow *flow, floe_bytes message);
/* The same, held back for `delay_ms`. */
void floe__ts_send_late(floe__testserver *ts, const floe__ts_flow *flow, floe_bytes message, uint32_t delay_ms);
void floe__ts_flush_late(floe__testserver *ts);
/* Forgets what waits for a connection that is gone. */
void floe__ts_drop_conn(floe__testserver *ts, floe__ts_conn conn);
void floe__ts_output_clear(floe__testserver *ts);

/* --- ts_cert.c ------------------------------------------------------------------------------------------------- */

bool floe__ts_make_ca(floe__testserver *ts);
bool floe__ts_make_cert(floe__testserver *ts, floe__ts_port *port);

/* --- ts_stream.c ----------------------------------------------------------------------------------------------- */

/* A connection was accepted; closed again when there is no room for it. */
void floe__ts_stream_open(floe__testserver *ts, floe__ts_port *port, floe__ts_conn conn, const floe_addr *from);
floe__ts_stream *floe__ts_find_stream(floe__testserver *ts, floe__ts_conn conn);
/* Bytes of ours onto the connection, through TLS where it is one. */
void floe__ts_stream_write(floe__testserver *ts, floe__ts_stream *s, floe_bytes bytes);
/* Marks a connection to be closed, after what was written. */
void floe__ts_stream_close(floe__testserver *ts, floe__ts_stream *s, bool reset);
/* Takes the connections marked as closed away; only where none of a connection's functions is running. */
void floe__ts_sweep_streams(floe__testserver *ts);
void floe__ts_stream_free(floe__testserver *ts, floe__ts_stream *s);

/* --- ts_auth.c ------------------------------------------------------------------------------------------------- */

typedef enum floe__ts_verdict {
  FLOE__TS_AUTH_OK = 0,    /* origin.user is filled */
  FLOE__TS_AUTH_CHALLENGE, /* 401 */
  FLOE__TS_AUTH_STALE,     /* 438; origin.user is filled */
  FLOE__TS_AUTH_BAD        /* 400 */
} floe__ts_verdict;

bool floe__ts_is_signed(const floe__ts_request *req);
/* A Binding request needs credentials only by configuration; nothing does without configured credentials. */
bool floe__ts_needs_auth(const floe__testserver *ts, const floe__ts_request *req);
/* RFC 8489 9.2.4. `*first_nonce`: the nonce was given with a 401. */
floe__ts_verdict floe__ts_authenticate(const floe__testserver *ts, floe__ts_request *req, bool *first_nonce);
/* A new nonce. `first`: for a 401; otherwise for a 438. */
void floe__ts_make_nonce(const floe__testserver *ts, bool first, char out[FLOE__TS_NONCE_MAX]);
/* PASSWORD-ALGORITHMS' value; empty when none are offered. */
floe_bytes floe__ts_algorithms(const floe__testserver *ts);

/* --- ts_request.c ---------------------------------------------------------------------------------------------- */

/* A whole STUN message or ChannelData of a client. */
void floe__ts_on_message(floe__testserver *ts, const floe__ts_flow *flow, floe_bytes message);

/* --- ts_behaviour.c -------------------------------------------------------------------------------------------- */

/* The attribute is CHANGE-REQUEST, and came to a port that honours it, with the method that has it. */
bool floe__ts_behaviour_understands(const floe__ts_request *req, uint16_t type);
/* Sends the answer from where CHANGE-REQUEST wants it; only when that is understood. */
void floe__ts_behaviour_route(const floe__ts_request *req, floe__ts_origin *answer);
/* Adds RESPONSE-ORIGIN and OTHER-ADDRESS, on ports that have alternates. */
void floe__ts_behaviour_put(const floe__ts_request *req, const floe__ts_origin *answer, floe__stun_builder *b);

/* --- ts_answer.c ----------------------------------------------------------------------------------------------- */

void floe__ts_answer_begin(floe__testserver *ts, const floe__ts_origin *origin, floe__stun_class cls,
                           floe__stun_builder *b);
/* Adds SOFTWARE, integrity for a known user, and FINGERPRINT, and sends it. `code` 0: a success. */
void floe__ts_answer_end(floe__testserver *ts, const floe__ts_origin *origin, floe__stun_builder *b, unsigned code);
/* `reason` nullable or "": IANA's. */
void floe__ts_answer_error(floe__testserver *ts, const floe__ts_origin *origin, unsigned code, const char *reason);
void floe__ts_answer_unknown(floe__testserver *ts, const floe__ts_origin *origin, const uint16_t *types, size_t n);
/* 401 or 438, with REALM and NONCE unless the script keeps them back. `reason` as above. */
void floe__ts_challenge(floe__testserver *ts, const floe__ts_origin *origin, unsigned code, const char *reason);
/* Sends what an earlier request with this id was answered; false when it was not, or too long ago. */
bool floe__ts_answer_again(floe__testserver *ts, const floe__ts_origin *origin);
void floe__ts_cache_clear(floe__testserver *ts);
/* Tells the trace what became of a request: `answer` 0 = success, -1 = none. */
void floe__ts_trace_request(floe__testserver *ts, const floe__ts_origin *origin, int answer);

/* --- ts_fault.c ------------------------------------------------------------------------------------------------ */

/* True: the script has dealt with the request. */
bool floe__ts_fault_before_auth(floe__testserver *ts, floe__ts_request *req);
bool floe__ts_fault_after_auth(floe__testserver *ts, floe__ts_request *req);
/* The script calls a good nonce stale. `first_nonce`: it was given with a 401. */
bool floe__ts_fault_is_stale(const floe__ts_request *req, bool first_nonce);
/* After a 401 went out. */
void floe__ts_fault_after_challenge(floe__testserver *ts, const floe__ts_origin *origin);
/* Signs, or not, or wrongly. */
void floe__ts_fault_sign(const floe__testserver *ts, const floe__ts_origin *origin, floe__stun_builder *b,
                         unsigned code);
/* Spoils a finished message in place. */
floe_bytes floe__ts_fault_spoil(floe__testserver *ts, const floe__ts_port *port, floe_bytes message);
bool floe__ts_has_fault(const floe__ts_flow *flow, floe__ts_fault fault);

/* --- ts_allocate.c --------------------------------------------------------------------------------------------- */

floe__ts_allocation *floe__ts_find_allocation(floe__testserver *ts, const floe__ts_flow *flow);
floe__ts_allocation *floe__ts_find_by_relay(floe__testserver *ts, floe__ts_relay relay, floe__ts_relay_socket **socket);
void floe__ts_on_allocate(floe__testserver *ts, const floe__ts_request *req);
void floe__ts_on_refresh(floe__testserver *ts, const floe__ts_request *req);
/* Ends an allocation: its relay sockets close. NULL is fine. */
void floe__ts_delete_allocation(floe__testserver *ts, floe__ts_allocation *a);
/* The allocation of an authenticated request, when it is its user's; otherwise answers 437 or 441. */
floe__ts_allocation *floe__ts_own_allocation(floe__testserver *ts, const floe__ts_request *req);

/* --- ts_relay.c ------------------------------------------------------------------------------------------------ */

void floe__ts_on_create_permission(floe__testserver *ts, const floe__ts_request *req);
void floe__ts_on_channel_bind(floe__testserver *ts, const floe__ts_request *req);
void floe__ts_on_send(floe__testserver *ts, const floe__ts_flow *flow, const floe__stun_msg *m);
void floe__ts_on_channel_data(floe__testserver *ts, const floe__ts_flow *flow, floe_bytes message);

#endif
