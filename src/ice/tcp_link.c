#include "ice/tcp_link.h"

#include <string.h>

#include "base/assert.h"

static void go(floe__tcp_link *link, floe__tcp_link_state next) {
  FLOE__ASSERT(next > link->state);
  link->state = next;
}

static floe__tcp_link *make(floe__io *io, floe__candidate *local, const floe_addr *remote) {
  floe__tcp_link *link = floe__zalloc(io->env, sizeof *link);
  if (link == NULL) return NULL;
  link->local = local;
  link->remote = *remote;
  link->opened_at = io->now;
  return link;
}

floe__tcp_link *floe__tcp_link_connect(floe__io *io, floe__candidate *local, const floe_addr *remote) {
  floe__tcp_link *link = make(io, local, remote);
  if (link == NULL) return NULL;
  floe_addr from = local->base;
  bool so = local->pub.tcp_type == FLOE_TCP_TYPE_SO;
  if (!so) from.port = 0; /* RFC 6544 5.1: an active candidate takes any port */
  link->sock = floe__io_open_tcp(io, &from, remote, so);
  if (link->sock != 0) return link;
  floe__free(io->env, link);
  return NULL;
}

floe__tcp_link *floe__tcp_link_accept(floe__io *io, floe__candidate *local, floe_sock_id sock,
                                      const floe_addr *remote) {
  floe__tcp_link *link = make(io, local, remote);
  if (link == NULL) return NULL;
  link->sock = sock;
  link->is_accepted = true;
  go(link, FLOE__TCP_LINK_OPEN);
  return link;
}

void floe__tcp_link_on_opened(floe__tcp_link *link) {
  if (link->state == FLOE__TCP_LINK_OPENING) go(link, FLOE__TCP_LINK_OPEN);
}

void floe__tcp_link_on_end(floe__tcp_link *link) {
  if (link->state != FLOE__TCP_LINK_CLOSED) go(link, FLOE__TCP_LINK_CLOSED);
}

/* RFC 4571 2: two bytes of length, then the message. */
static size_t frame_length(const uint8_t *p) {
  return (size_t)p[0] << 8 | p[1];
}

/* A frame that is whole in what has just come needs no copy. */
static bool take_whole(floe_bytes *in, floe_bytes *out) {
  if (in->len < 2) return false;
  size_t n = frame_length(in->ptr);
  if (in->len < 2 + n) return false;
  *out = (floe_bytes){in->ptr + 2, n};
  *in = (floe_bytes){in->ptr + 2 + n, in->len - 2 - n};
  return true;
}

/* No check is longer: user names of 513 bytes, and some attributes. Until one has come no more is kept. */
#define STRANGERS_FRAME_MAX 2048

static bool is_refused(const floe__tcp_link *link) {
  bool is_stranger = link->is_accepted && !link->is_used;
  return is_stranger && link->len >= 2 && frame_length(link->buf) > STRANGERS_FRAME_MAX;
}

static bool keep(floe__tcp_link *link, floe__io *io, floe_bytes *in, size_t n) {
  void *buf = link->buf;
  if (!floe__reserve(io->env, &buf, &link->cap, 1, link->len + n)) return false;
  link->buf = buf;
  memcpy(link->buf + link->len, in->ptr, n);
  link->len += n;
  *in = (floe_bytes){in->ptr + n, in->len - n};
  return true;
}

floe__tcp_frame floe__tcp_link_next(floe__tcp_link *link, floe__io *io, floe_bytes *in, floe_bytes *out) {
  bool was_whole = link->len >= 2 && link->len == 2 + frame_length(link->buf);
  if (was_whole) link->len = 0; /* handed out by the last call */
  if (link->len == 0 && take_whole(in, out)) return FLOE__TCP_FRAME_MESSAGE;
  while (in->len > 0) {
    size_t have = link->len;
    size_t want = have < 2 ? 2 - have : 2 + frame_length(link->buf) - have;
    size_t n = want < in->len ? want : in->len;
    if (n > 0 && !keep(link, io, in, n)) return FLOE__TCP_FRAME_NOMEM;
    if (is_refused(link)) return FLOE__TCP_FRAME_REFUSED;
    if (link->len >= 2 && link->len == 2 + frame_length(link->buf)) {
      *out = (floe_bytes){link->buf + 2, link->len - 2};
      return FLOE__TCP_FRAME_MESSAGE;
    }
  }
  if (link->len == 0) {
    floe__free(io->env, link->buf);
    link->buf = NULL;
    link->cap = 0;
  }
  return FLOE__TCP_FRAME_MORE;
}

bool floe__tcp_link_send(floe__tcp_link *link, floe__io *io, floe_bytes message) {
  if (link->state != FLOE__TCP_LINK_OPEN || message.len > FLOE__TCP_FRAME_MAX) return false;
  const uint8_t header[2] = {(uint8_t)(message.len >> 8), (uint8_t)message.len};
  return floe__io_transmit2(io, link->sock, &link->remote, (floe_bytes){header, sizeof header}, message);
}

void floe__tcp_link_free(floe__tcp_link *link, floe__io *io) {
  if (link == NULL) return;
  if (link->state != FLOE__TCP_LINK_CLOSED) (void)floe__io_close(io, link->sock);
  floe__free(io->env, link->buf);
  floe__free(io->env, link);
}
