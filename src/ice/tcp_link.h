/* One TCP connection between two peers (RFC 6544): opened by us or accepted; messages are framed as in RFC 4571. */
#ifndef FLOE_ICE_TCP_LINK_H
#define FLOE_ICE_TCP_LINK_H

#include "ice/candidate.h"
#include "ice/io.h"

#define FLOE__TCP_FRAME_MAX 65535

typedef enum floe__tcp_link_state {
  FLOE__TCP_LINK_OPENING = 0,
  FLOE__TCP_LINK_OPEN,
  FLOE__TCP_LINK_CLOSED
} floe__tcp_link_state;

typedef struct floe__tcp_link {
  floe__tcp_link_state state;
  floe_sock_id sock;
  floe__candidate *local; /* active, passive or so */
  floe_addr remote;
  bool is_accepted;
  bool is_used;        /* a pair is, or was, on it */
  floe_time opened_at; /* when it was asked for or accepted */
  uint8_t *buf;        /* bytes of an unfinished frame; NULL between frames */
  size_t len, cap;
} floe__tcp_link;

/* Connects. NULL: no memory. */
floe__tcp_link *floe__tcp_link_connect(floe__io *io, floe__candidate *local, const floe_addr *remote);
/* A connection that came to the listener of `local`. NULL: no memory. */
floe__tcp_link *floe__tcp_link_accept(floe__io *io, floe__candidate *local, floe_sock_id sock, const floe_addr *remote);
void floe__tcp_link_on_opened(floe__tcp_link *link);
/* The connection failed or ended: CLOSED, nothing more is sent. */
void floe__tcp_link_on_end(floe__tcp_link *link);

typedef enum floe__tcp_frame {
  FLOE__TCP_FRAME_MORE = 0, /* all bytes were taken */
  FLOE__TCP_FRAME_MESSAGE,  /* *out is one message; valid until the next call */
  FLOE__TCP_FRAME_REFUSED,  /* a stranger's frame is longer than any check */
  FLOE__TCP_FRAME_NOMEM
} floe__tcp_frame;

/* Takes the next message out of `*in`, advancing it; call until MORE. */
floe__tcp_frame floe__tcp_link_next(floe__tcp_link *link, floe__io *io, floe_bytes *in, floe_bytes *out);
/* False: not open, too large, or no memory. */
bool floe__tcp_link_send(floe__tcp_link *link, floe__io *io, floe_bytes message);
/* Asks the driver to close it, if it is not closed; and frees it. */
void floe__tcp_link_free(floe__tcp_link *link, floe__io *io);

#endif
