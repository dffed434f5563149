/* A socket of an agent, or a UDP socket that agents share (mux.c). sock.c has what UDP and TCP share: the watching, the
 * queue of what could not be sent yet, and closing after it. */
#ifndef FLOE_UV_SOCK_H
#define FLOE_UV_SOCK_H

#include "uv/agent.h"

typedef enum floe__uv_sock_state {
  FLOE__UV_SOCK_CONNECTING = 0, /* TCP */
  FLOE__UV_SOCK_LISTENING,      /* TCP */
  FLOE__UV_SOCK_PAUSED,         /* TCP: listening, and not accepting for a moment */
  FLOE__UV_SOCK_OPEN,
  FLOE__UV_SOCK_ENDED,     /* TCP: the peer has closed its side */
  FLOE__UV_SOCK_LINGERING, /* closed by the core, which hears no more of it, and still sending */
  FLOE__UV_SOCK_CLOSED     /* its handle is closing */
} floe__uv_sock_state;

/* Bytes that the system would not take yet. */
typedef struct floe__uv_packet {
  struct floe__uv_packet *next;
  floe_addr to; /* UDP */
  size_t len;
  size_t sent;  /* TCP: how much of it has gone */
  uint8_t dscp; /* UDP */
  uint8_t data[];
} floe__uv_packet;

typedef struct floe__uv_sock floe__uv_sock;
struct floe__uv_sock {
  uv_poll_t poll;
  floe_uv *uv;
  floe_uv_ice_agent *agent; /* NULL once that is gone, and for a shared socket */
  floe_sock_id id;          /* 0 for a shared socket */
  /* Shared: hears of datagrams, and of errors in sending them. */
  void (*tell)(floe__uv_sock *sock, const floe_input *in);
  void *user; /* shared: for `tell` */
  int fd;
  floe__uv_sock_state state;
  floe_transport transport; /* UDP or TCP */
  int family;               /* AF_INET or AF_INET6 */
  int watched;              /* the events that `poll` was started with; 0 = stopped */
  uint8_t dscp;             /* TCP: the code point that the system was told */
  bool sends_singly;        /* UDP: several at once were refused */
  floe__uv_packet *first, *last;
  size_t queued;        /* bytes in them */
  floe__uv_alarm alarm; /* when lingering or the pause ends */
};

/* As an OPEN output asks for it. Fails by a SOCKET_FAILED input. */
void floe__uv_sock_open(floe_uv_ice_agent *agent, const floe_output *out);
/* A UDP socket of no agent; NULL with an errno in *err. */
floe__uv_sock *floe__uv_sock_open_shared(floe_uv *uv, const floe_addr *local,
                                         void (*tell)(floe__uv_sock *sock, const floe_input *in), void *user, int *err);
/* The address it got. Returns 0 or an errno. */
int floe__uv_sock_local(const floe__uv_sock *sock, floe_addr *out);
/* NULL when there is none, or the core has closed it. */
floe__uv_sock *floe__uv_sock_find(floe_uv_ice_agent *agent, floe_sock_id id);
/* As a TRANSMIT output asks for it: either sends, or queues, or tells the sender why not. UDP: with the batch. */
void floe__uv_sock_send(floe__uv_sock *sock, floe__uv_sender sender, const floe_output *out);
/* As a CLOSE output asks for it: after what was sent. */
void floe__uv_sock_end(floe__uv_sock *sock);
/* At once. */
void floe__uv_sock_close(floe__uv_sock *sock);

/* For sock_udp.c and sock_tcp.c. */

/* Watches for what the state and the queue ask for. */
void floe__uv_sock_watch(floe__uv_sock *sock);
/* Adds to the queue; false when there is no memory. */
bool floe__uv_sock_queue(floe__uv_sock *sock, const floe_addr *to /* nullable */, floe_bytes data, uint8_t dscp);
void floe__uv_sock_drop_first(floe__uv_sock *sock);
/* Tells whose socket it is what happened to a datagram. */
void floe__uv_sock_tell(floe__uv_sock *sock, const floe_input *in);
/* Tells the core that the socket failed, and closes it. */
void floe__uv_sock_fail(floe__uv_sock *sock, int os_error);
/* Tells the core which address a TCP socket got, before it connects. */
void floe__uv_sock_bound(floe__uv_sock *sock);
/* Tells the core that the socket is open, with the address it got. */
void floe__uv_sock_opened(floe__uv_sock *sock);

/* Takes over a connection that a listener has accepted, and tells the core of it. Closes `fd` when it cannot. */
void floe__uv_sock_accepted(floe__uv_sock *listener, int fd, const floe_addr *peer);
/* A listener accepts nothing for this long. */
void floe__uv_sock_pause(floe__uv_sock *listener, floe_time duration);

/* Each returns 0 or an errno. */
int floe__uv_udp_start(floe__uv_sock *sock, const floe_addr *local);
int floe__uv_tcp_start(floe__uv_sock *sock, const floe_output *out);

/* Sends, or queues, datagrams of `segment` bytes of which the last may be shorter. Returns 0 or an errno. */
int floe__uv_udp_send(floe__uv_sock *sock, const floe_addr *to, floe_bytes data, size_t segment, uint8_t dscp);
void floe__uv_tcp_send(floe__uv_sock *sock, floe_bytes data, uint8_t dscp);

/* libuv's view of what happened; `status` is negative when libuv has stopped the handle. */
void floe__uv_udp_ready(floe__uv_sock *sock, int status, int events);
void floe__uv_tcp_ready(floe__uv_sock *sock, int status, int events);

#endif
