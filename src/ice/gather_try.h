/* One address of a server, tried from one base on behalf of an attempt (what RFC 8305 calls a connection attempt):
 * socket, TCP connect, TLS handshake, the STUN or TURN requests, and the redirects on the way. */
#ifndef FLOE_ICE_GATHER_TRY_H
#define FLOE_ICE_GATHER_TRY_H

#include "ice/base.h"
#include "stun/request.h"
#include "tls/tls_stream.h"
#include "turn/alloc_fsm.h"
#include "turn/frame.h"

typedef enum floe__try_state {
  FLOE__TRY_NEW = 0,
  FLOE__TRY_OPENING,    /* waits for its UDP socket */
  FLOE__TRY_CONNECTING, /* TCP */
  FLOE__TRY_TLS,        /* handshake */
  FLOE__TRY_REQUESTING, /* Binding or Allocate */
  FLOE__TRY_LIVE,       /* the server gave an address; an allocation lives on */
  FLOE__TRY_DELETING,   /* the allocation is being deleted */
  FLOE__TRY_ENDED       /* failed, deleted or no longer needed */
} floe__try_state;

#define FLOE__MAX_REDIRECTS 5 /* the contract's section 3 */
#define FLOE__MAX_NEW_PORTS 2

/* Why a try failed, and with what code. */
typedef struct floe__failure {
  floe_cause cause;
  floe_phase phase;
  uint16_t code; /* 0: not reached or not understood: 701 */
  char *reason;  /* nullable; the server's words, owned by the try */
} floe__failure;

typedef struct floe__times {
  floe_time started_at;    /* of the try */
  floe_time connecting_at; /* of the last TCP connect */
  floe_time opened_at;     /* socket open or TCP connected; NEVER when not */
  floe_time secured_at;    /* TLS handshake finished; NEVER when not */
  floe_time requested_at;  /* first request; NEVER when none */
  floe_time ended_at;      /* NEVER while open */
} floe__times;

typedef struct floe__try floe__try;

/* What a try needs to know of its attempt; borrowed, outlives the try. */
typedef struct floe__try_setup {
  /* turn->data came from turn->data_peer. Queues an output and nothing else. */
  void (*on_data)(void *owner, floe__try *t);
  /* turn->peer: turn->granted; when not, turn->outcome. Queues outputs and events and nothing else. */
  void (*on_permission)(void *owner, floe__try *t);
  /* UDP: no allocation of another try uses the base's socket with this server address (RFC 8656 3.2). */
  bool (*base_socket_is_free)(void *owner, const floe__try *t, const floe_addr *server);
  void *owner;
  floe__io *io;
  floe__base *base;
  const floe_ice_url *url;
  const char *username, *credential; /* nullable: STUN */
} floe__try_setup;

struct floe__try {
  floe__try_setup setup;
  floe__try_state state;
  floe_addr server; /* now spoken to; an alternate after a redirect */
  bool owns_udp;    /* uses `udp`, not the base's socket */
  floe__udp_socket udp;
  floe_sock_id tcp; /* 0 = none */
  bool tcp_broken;  /* the driver has told its failure */
  floe_addr tcp_local;
  floe__tls *tls;
  floe__turn_framer framer;
  floe__stun_request *binding; /* a STUN server's; NULL for TURN */
  floe__turn *turn;            /* a TURN server's */
  floe_time step_deadline;     /* of CONNECTING and TLS */
  floe__failure failure;       /* ENDED */
  bool answered;               /* a STUN response has come: the first address that answers wins */
  bool ends_attempt;           /* the failure is the attempt's, whatever other addresses there are */
  floe_cause late_loss;        /* NONE, or why the connection broke in the same breath as the success */

  /* what the network said */
  uint32_t soft_errors;
  floe_cause soft_cause;
  floe_cause first_discard;
  uint32_t discarded;
  int os_error;
  char os_error_text[64];
  bool has_icmp;
  uint8_t icmp_type, icmp_code;
  uint32_t sent_before; /* requests sent by earlier machines of this try */
  bool is_counted;      /* sent_before and rtt_ms are final */
  bool has_rtt;
  double rtt_ms;

  /* redirects and new ports */
  floe_addr visited[FLOE__MAX_REDIRECTS + 1];
  uint32_t n_visited;
  uint32_t redirects;
  bool unauthenticated_redirect;
  char *redirect_reason;  /* nullable: the phrase of the 300 that is being followed */
  char *alternate_domain; /* nullable: what the certificate of the alternate must fit instead */
  uint32_t new_ports;
  char *mismatch_reason; /* nullable: the phrase of the 437 for which another port was taken */

  floe_addr mapped;       /* of a Binding */
  char *realm, *software; /* nullable: what a STUN server said of itself */
  floe__times times;
};

/* What a call to a try brought about. */
typedef enum floe__try_step {
  FLOE__TRY_STEP_NONE = 0,
  FLOE__TRY_STEP_SUCCEEDED, /* LIVE */
  FLOE__TRY_STEP_FAILED,    /* ENDED: `failure` */
  FLOE__TRY_STEP_LOST,      /* ENDED, after LIVE: `failure` */
  FLOE__TRY_STEP_DELETED    /* ENDED, after DELETING */
} floe__try_step;

/* Starts; the step says whether it failed at once. */
floe__try *floe__try_new(const floe__try_setup *setup, const floe_addr *server);
floe__try_step floe__try_start(floe__try *t);
/* Frees without a word to the server. */
void floe__try_free(floe__try *t);

/* --- inputs: the caller has matched the socket ------------------------------------------------------------------ */

bool floe__try_uses_socket(const floe__try *t, floe_sock_id sock);
/* The UDP socket (its own or the base's) changed its state. */
floe__try_step floe__try_on_udp(floe__try *t);
floe__try_step floe__try_on_tcp_bound(floe__try *t, const floe_addr *local);
floe__try_step floe__try_on_tcp_opened(floe__try *t, const floe_addr *local);
floe__try_step floe__try_on_tcp_failed(floe__try *t, const floe_input *in);
floe__try_step floe__try_on_stream(floe__try *t, floe_bytes data);
floe__try_step floe__try_on_stream_end(floe__try *t);
/* A datagram from its server. `*taken`: it belongs to a request or allocation of this try; otherwise `*discard` is what
 * to count, or NONE for a late duplicate. */
floe__try_step floe__try_on_datagram(floe__try *t, floe_bytes data, bool *taken, floe_cause *discard);
/* Counts a packet that was nobody's. */
void floe__try_count_discard(floe__try *t, floe_cause cause);
/* An ICMP error or a failed send for its server. */
floe__try_step floe__try_on_icmp(floe__try *t, const floe_input *in);
floe__try_step floe__try_on_send_failed(floe__try *t, const floe_input *in);

floe__deadline floe__try_deadline(const floe__try *t);
/* One due timer. */
floe__try_step floe__try_on_deadline(floe__try *t);

/* Ends it with the cause that the step in progress would have had at its own deadline. */
void floe__try_give_up(floe__try *t);
/* Ends it: another address has won, or the agent closes. */
void floe__try_cancel(floe__try *t);
/* The base's address is gone, and with it the socket: ends it, without a word to the server. */
void floe__try_lose_base(floe__try *t);
/* Deletes the allocation; ENDED at once when there is none. */
floe__try_step floe__try_delete(floe__try *t);

bool floe__try_is_open(const floe__try *t); /* OPENING to REQUESTING */
/* The base of the attempt as it was used: base IP and the local port. */
floe_addr floe__try_local(const floe__try *t);
uint32_t floe__try_sent(const floe__try *t);
bool floe__try_rtt(const floe__try *t, double *ms);
floe_phase floe__try_phase(const floe__try *t);

#endif
