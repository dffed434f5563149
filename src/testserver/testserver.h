/* A STUN/TURN server that misbehaves on demand, sans-IO: correct and small by default, and per listening port a script
 * of what to do wrong. The simulator, the driver tests, `floe check --demo` and `floe testserver` all run this core. */
#ifndef FLOE_TESTSERVER_TESTSERVER_H
#define FLOE_TESTSERVER_TESTSERVER_H

#include "base/alloc.h"
#include "base/deadline.h"

typedef struct floe__testserver floe__testserver;

typedef uint32_t floe__ts_listener; /* a listening port; chosen by the core */
typedef uint32_t floe__ts_conn;     /* an accepted TCP connection; chosen by the driver, never 0 */
typedef uint32_t floe__ts_relay;    /* a relay socket; chosen by the core, never 0 */

/* How TLS goes wrong. */
typedef enum floe__ts_tls_fault {
  FLOE__TS_TLS_GOOD = 0,
  FLOE__TS_TLS_PLAIN_TEXT,  /* answers the ClientHello with text */
  FLOE__TS_TLS_EXPIRED,     /* the certificate ran out yesterday */
  FLOE__TS_TLS_SELF_SIGNED, /* no authority behind it */
  FLOE__TS_TLS_OTHER_NAME,  /* a good certificate for another name */
  FLOE__TS_TLS_HANGS,       /* accepts and never answers */
  FLOE__TS_TLS_ALERT        /* answers with a fatal handshake_failure alert */
} floe__ts_tls_fault;

/* What to do with a request. Unless one names a method it concerns Binding, Allocate and the others alike. Where a
 * request needs no credentials, "after the challenge" is at once. Faults of streams leave UDP ports correct. */
typedef enum floe__ts_fault {
  FLOE__TS_CORRECT = 0,
  FLOE__TS_ERROR,            /* answer each request with error_code (default 500) and reason; 401 and 438 have REALM and
                                NONCE, 300 `alternate` */
  FLOE__TS_ERROR_AFTER_AUTH, /* the same, but challenge first and sign the error */
  FLOE__TS_401_FOREVER,      /* challenge whatever comes */
  FLOE__TS_401_NO_NONCE,     /* challenge without NONCE */
  FLOE__TS_401_NO_REALM,     /* challenge without REALM */
  FLOE__TS_STALE_ONCE,       /* 438 to each nonce that was given with a 401 */
  FLOE__TS_STALE_FOREVER,    /* 438 to every nonce */
  FLOE__TS_420_OPTIONAL,     /* 420 naming the first optional attribute of the request, until none is left: SOFTWARE and
                                its like, LIFETIME, the address families, EVEN-PORT, DONT-FRAGMENT */
  FLOE__TS_437_TIMES,        /* `times` allocation mismatches for each client IP address, then correct */
  FLOE__TS_REDIRECT,         /* 300 to `alternate`; unsigned to an unauthenticated request */
  FLOE__TS_REDIRECT_AFTER_AUTH, /* 300 signed, after the challenge */
  FLOE__TS_REDIRECT_NO_ADDRESS, /* 300 without ALTERNATE-SERVER */
  FLOE__TS_WRONG_INTEGRITY,     /* another key in success responses and errors after authentication */
  FLOE__TS_NO_INTEGRITY,        /* the same ones unsigned */
  FLOE__TS_WRONG_TRANSACTION,   /* answer with another transaction id */
  FLOE__TS_BAD_FINGERPRINT,     /* answer with a wrong FINGERPRINT */
  FLOE__TS_TRUNCATED,           /* the last four bytes of each answer are missing; over a stream they never come */
  FLOE__TS_NO_ADDRESS,          /* success without XOR-MAPPED-ADDRESS, or without XOR-RELAYED-ADDRESS */
  FLOE__TS_LIFETIME_0,          /* Allocate succeeds with LIFETIME 0 */
  FLOE__TS_BAD_ERROR_CLASS,     /* an error response of class 7 */
  FLOE__TS_OVERRUN,             /* an attribute that reaches past the end */
  FLOE__TS_SILENT,              /* never answer */
  FLOE__TS_SILENT_AFTER_401,    /* challenge, then silence */
  FLOE__TS_LATE,                /* answer correctly `delay_ms` late */
  FLOE__TS_GARBAGE,             /* answer with bytes that are no STUN */
  FLOE__TS_BYTEWISE,            /* over a stream: answer correctly, one byte per output */
  FLOE__TS_CLOSE_AFTER_ACCEPT,
  FLOE__TS_CLOSE_AFTER_401,
  FLOE__TS_RESET_AFTER_ACCEPT,
  FLOE__TS_RESET_AFTER_401,
  FLOE__TS_RELAY_NOTHING,    /* allocate, and relay no data */
  FLOE__TS_RELAY_PRIVATE,    /* say a private relayed address (192.168.77.1, fd77::1) */
  FLOE__TS_REFRESH_ERROR,    /* a Refresh gets error_code (default 500); one with LIFETIME 0 deletes all the same */
  FLOE__TS_PERMISSION_ERROR, /* CreatePermission and ChannelBind get error_code (default 403) */
  FLOE__TS_FORGET_ALLOCATION /* a Refresh ends the allocation and is answered 437, as after a restart */
} floe__ts_fault;

typedef struct floe__ts_script {
  floe__ts_fault fault;
  floe__ts_tls_fault tls;
  uint16_t error_code;
  char reason[128];
  floe_addr alternate;       /* for the redirects */
  char alternate_domain[64]; /* "" = none */
  uint32_t times;            /* for 437_TIMES */
  uint32_t delay_ms;         /* LATE; for every other fault it delays nothing */
} floe__ts_script;

/* Reads a script: "correct", "error=486:Quota reached", "error-after-auth=508", "redirect=192.0.2.1:3478", "late=800",
 * "tls-expired", "437=1" ... several joined by ','. The names are listed by floe__ts_script_help. On false `why` says
 * what is wrong and `*offset` where. */
bool floe__ts_script_parse(floe__ts_script *out, const char *text, char *why, size_t why_cap, size_t *offset);
/* A list for --help: one line per name. */
const char *floe__ts_script_help(void);

typedef struct floe__ts_config {
  const char *realm;    /* default "floe.test" */
  const char *software; /* default "Floe testserver" */
  const char *username; /* NULL, with `secret` NULL too: Allocate needs no credentials */
  const char *credential;
  const char *secret;       /* nullable: instead of username: time-limited credentials, HMAC-SHA1(secret, username) */
  bool use_sha256;          /* offer PASSWORD-ALGORITHMS (SHA-256, MD5; nonce cookie) and accept only clients that take
                               them up and sign with SHA-256: all others are challenged again */
  bool anonymous;           /* nonce cookie asks for USERHASH; USERNAME is accepted too */
  bool stun_needs_auth;     /* Binding is challenged too */
  bool fingerprint;         /* responses carry FINGERPRINT */
  uint32_t lifetime_s;      /* granted whatever is asked for; 0: what is asked for, from 600 to 3600 */
  uint32_t max_allocations; /* 0 = no limit but the server's own, beyond it 486 */
  floe_addr relay_ipv4, relay_ipv6; /* addresses to relay from; family 0 = none, then 440 or ADDRESS-ERROR-CODE */
  const char *cert_name;            /* name in the TLS certificates, default "localhost", with 127.0.0.1 and ::1 */
  int64_t unix_s; /* wall clock for the certificates' dates and time-limited credentials at time 0 of `now` */
} floe__ts_config;

typedef enum floe__ts_output_type {
  FLOE__TS_WAIT = 0,
  FLOE__TS_SEND,       /* a datagram from a listener: listener, to, data */
  FLOE__TS_SEND_CONN,  /* bytes on a connection: conn, data */
  FLOE__TS_CLOSE_CONN, /* conn; `reset`: with RST */
  FLOE__TS_OPEN_RELAY, /* bind a UDP socket: relay, local (port 0 = any); floe__testserver_on_relay_opened answers */
  FLOE__TS_SEND_RELAY, /* a datagram from a relay socket: relay, to, data */
  FLOE__TS_CLOSE_RELAY /* relay */
} floe__ts_output_type;

typedef struct floe__ts_output {
  floe__ts_output_type type;
  floe__deadline wait;
  floe__ts_listener listener;
  floe__ts_conn conn;
  floe__ts_relay relay;
  floe_addr local, to;
  bool reset;
  floe_bytes data; /* valid until the next call */
} floe__ts_output;

/* NULL: no memory. With a trace sink in the env there is one event "testserver.request" for each request: transport,
 * from, method, answer ("success", "error" with `code`, "none"). */
floe__testserver *floe__testserver_new(floe_env *env, const floe__ts_config *cfg /* copies */);
void floe__testserver_free(floe__testserver *ts);

/* A port the driver has bound at `local`. transport: UDP, TCP or TLS. 0: no memory. */
floe__ts_listener floe__testserver_listen(floe__testserver *ts, floe_transport transport, const floe_addr *local,
                                          const floe__ts_script *script /* copies; nullable: correct */);
/* Makes four UDP listeners answer for each other as RFC 5780 wants it: the two addresses of a server with two ports
 * each. Their Binding answers carry RESPONSE-ORIGIN and OTHER-ADDRESS, and CHANGE-REQUEST is honoured; an answer
 * follows the script of the port that it is sent from. Everywhere else CHANGE-REQUEST gets 420. False: one is no UDP
 * listener. */
typedef struct floe__ts_square {
  floe__ts_listener at[2][2]; /* [address][port]; primary first */
} floe__ts_square;
bool floe__testserver_set_square(floe__testserver *ts, const floe__ts_square *square);
/* The PEM of the authority that signed the good TLS certificates, for the client's ca_pem. NULL: no memory. */
const char *floe__testserver_ca_pem(floe__testserver *ts);

void floe__testserver_on_datagram(floe__testserver *ts, floe_time now, floe__ts_listener listener,
                                  const floe_addr *from, floe_bytes data);
void floe__testserver_on_accept(floe__testserver *ts, floe_time now, floe__ts_listener listener, floe__ts_conn conn,
                                const floe_addr *from);
void floe__testserver_on_bytes(floe__testserver *ts, floe_time now, floe__ts_conn conn, floe_bytes data);
void floe__testserver_on_end(floe__testserver *ts, floe_time now, floe__ts_conn conn); /* FIN or RST from the client */
/* `ok` false: no port could be bound, the allocation is refused with 508. */
void floe__testserver_on_relay_opened(floe__testserver *ts, floe_time now, floe__ts_relay relay, bool ok,
                                      const floe_addr *local);
void floe__testserver_on_relay_datagram(floe__testserver *ts, floe_time now, floe__ts_relay relay,
                                        const floe_addr *from, floe_bytes data);
void floe__testserver_on_timer(floe__testserver *ts, floe_time now);
void floe__testserver_poll(floe__testserver *ts, floe__ts_output *out);

/* For assertions. All but `allocations` only grow. */
typedef struct floe__ts_counters {
  uint32_t allocations; /* that live now */
  uint32_t requests;    /* seen, retransmissions included */
  uint32_t challenges;  /* 401 and 438 */
  uint32_t deletions;   /* by a Refresh with LIFETIME 0 */
  uint32_t permissions; /* CreatePermission requests granted */
  uint32_t channels;    /* ChannelBind requests granted */
  uint32_t relayed_in;  /* datagrams from peers to clients */
  uint32_t relayed_out; /* datagrams from clients to peers */
} floe__ts_counters;
floe__ts_counters floe__testserver_counters(const floe__testserver *ts);

#endif
