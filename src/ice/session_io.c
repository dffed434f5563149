/* Bytes between a local candidate and the peer: over UDP, through a relay, over TCP. */
#include <string.h>

#include "base/trace.h"
#include "ice/session.h"

/* An accepted connection on which nothing valid has come for so long is closed. */
#define UNUSED_LINK_MS 15000
/* More connections than this at the same time are not accepted. */
#define MAX_LINKS 200

floe__candidate *floe__session_candidate(const floe__session *s, uint32_t id) {
  for (size_t i = 0; i < s->candidates.n; i++) {
    if (s->candidates.items[i]->pub.id == id) return s->candidates.items[i];
  }
  return NULL;
}

/* --- sending ----------------------------------------------------------------------------------------------------- */

static floe__try *find_relay(const floe__session *s, const floe__candidate *local) {
  for (size_t i = 0; i < s->n_gathers; i++) {
    bool known;
    floe__attempt *a = floe__gather_relay(s->gathers[i], local->pub.id, &known);
    if (a != NULL) return floe__attempt_live(a);
  }
  return NULL;
}

static floe__sent send_relayed(floe__session *s, const floe__path *path, floe_bytes data) {
  floe__try *live = find_relay(s, path->local);
  if (live == NULL) return FLOE__SENT_NOT_READY;
  switch (floe__turn_send_data(live->turn, s->io->now, &path->remote, data)) {
    case FLOE__TURN_SENT: return FLOE__SENT;
    case FLOE__TURN_NOT_PERMITTED: return FLOE__SENT_NOT_READY;
    case FLOE__TURN_TOO_LARGE: return FLOE__SENT_TOO_LARGE;
    case FLOE__TURN_SEND_NOMEM: return FLOE__SENT_NOMEM;
  }
  return FLOE__SENT_NOT_READY;
}

static floe__sent send_framed(floe__session *s, floe__tcp_link *link, floe_bytes data) {
  if (link == NULL || link->state != FLOE__TCP_LINK_OPEN) return FLOE__SENT_NOT_READY;
  if (data.len > FLOE__TCP_FRAME_MAX) return FLOE__SENT_TOO_LARGE;
  return floe__tcp_link_send(link, s->io, data) ? FLOE__SENT : FLOE__SENT_NOMEM;
}

floe__sent floe__session_send(floe__session *s, const floe__path *path, floe_bytes data) {
  if (path->local->is_gone) return FLOE__SENT_NOT_READY;
  if (path->local->pub.transport == FLOE_TRANSPORT_TCP) return send_framed(s, path->link, data);
  if (path->local->pub.type == FLOE_CANDIDATE_RELAY) return send_relayed(s, path, data);
  return floe__io_transmit(s->io, path->local->sock, &path->remote, data) ? FLOE__SENT : FLOE__SENT_NOMEM;
}

floe__sent floe__session_send_on(floe__session *s, const floe__pair *p, floe_bytes data) {
  floe__path path = {.local = p->local, .remote = p->remote->pub.address, .link = p->link};
  return floe__session_send(s, &path, data);
}

bool floe__session_permit(floe__session *s, const floe__candidate *local, const floe_addr *peer, bool use_channel) {
  for (size_t i = 0; i < s->n_gathers; i++) {
    if (floe__gather_relay_permit(s->gathers[i], local->pub.id, peer, use_channel)) return true;
  }
  return false;
}

/* --- receiving --------------------------------------------------------------------------------------------------- */

/* The pair in use is asked first: it has nearly all of the traffic. */
static floe__pair *find_pair(const floe__session *s, const floe__path *path) {
  floe__pair *p = s->selected;
  bool is_it = p != NULL && p->local == path->local && p->link == path->link &&
               floe_addr_equal_ip(&p->remote->pub.address, &path->remote) &&
               p->remote->pub.address.port == path->remote.port;
  return is_it ? p : floe__checklist_find(s, path->local, &path->remote, path->link);
}

/* Data counts when the peer has proved that it is there: by a valid check from this address or a valid answer. */
static bool on_data(floe__session *s, const floe__path *path, floe_bytes data) {
  floe__pair *p = find_pair(s, path);
  bool unchecked = s->local.lite && s->remote_ufrag != NULL && s->remote.lite; /* two lite sides never check */
  if (p == NULL || (!unchecked && p->heard_at == 0 && p->answered_at == 0)) return false;
  if (data.len == 0) return true; /* an empty datagram holds nothing that could be told */
  p->counts.packets_received++;
  p->counts.bytes_received += data.len;
  p->counts.last_received_at = s->io->now;
  s->conn->packets_received++;
  s->conn->bytes_received += data.len;
  (void)floe__io_data(s->io, p->local->pub.id, &path->remote, data);
  return true;
}

bool floe__session_on_packet(floe__session *s, const floe__path *path, floe_bytes packet) {
  if (s->is_ended) return false;
  if (!floe__stun_is_message(packet)) return on_data(s, path, packet);
  floe__stun_msg m;
  if (floe__stun_msg_parse(&m, packet) != FLOE__STUN_OK || m.method != FLOE__STUN_BINDING) return false;
  if (m.cls == FLOE__STUN_REQUEST) return floe__check_on_request(s, path, &m);
  if (m.cls == FLOE__STUN_INDICATION) return find_pair(s, path) != NULL; /* a keepalive (RFC 8445 11) */
  return floe__consent_on_response(s, path, &m) || floe__check_on_response(s, path, &m);
}

/* --- TCP --------------------------------------------------------------------------------------------------------- */

floe__tcp_link *floe__session_add_link(floe__session *s, floe__tcp_link *link) {
  if (link == NULL) return NULL;
  void *links = s->links;
  if (!floe__reserve(s->io->env, &links, &s->links_cap, sizeof *s->links, s->n_links + 1)) {
    floe__tcp_link_free(link, s->io);
    return NULL;
  }
  s->links = links;
  s->links[s->n_links++] = link;
  return link;
}

static bool is_on_pair(const floe__session *s, const floe__tcp_link *link) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    if (s->pairs[i]->link == link) return true;
  }
  return false;
}

/* Strangers who connect and say nothing do not keep the peer out: the one that has waited longest gives way. */
static bool make_room(floe__session *s) {
  if (s->n_links < MAX_LINKS) return true;
  for (size_t i = 0; i < s->n_links; i++) {
    floe__tcp_link *link = s->links[i];
    if (!link->is_accepted || link->is_used || is_on_pair(s, link)) continue;
    floe__tcp_link_free(link, s->io);
    memmove(&s->links[i], &s->links[i + 1], (s->n_links - i - 1) * sizeof(floe__tcp_link *));
    s->n_links--;
    return true;
  }
  return false;
}

static floe__candidate *find_listener(const floe__session *s, floe_sock_id sock) {
  for (size_t i = 0; i < s->candidates.n; i++) {
    floe__candidate *c = s->candidates.items[i];
    if (c->pub.transport == FLOE_TRANSPORT_TCP && c->sock == sock && sock != 0) return c;
  }
  return NULL;
}

bool floe__session_accept(floe__session *s, const floe_input *in) {
  floe__candidate *local = find_listener(s, in->sock);
  if (local == NULL || s->is_ended || !make_room(s)) return false;
  floe__tcp_link *link = floe__tcp_link_accept(s->io, local, in->accepted, &in->addr);
  if (link == NULL) return false;
  (void)floe__session_add_link(s, link); /* without memory for it the connection is closed */
  return true;
}

static void on_stream(floe__session *s, floe__tcp_link *link, floe_bytes in) {
  floe__path path = {.local = link->local, .remote = link->remote, .link = link};
  floe_bytes message;
  for (;;) {
    switch (floe__tcp_link_next(link, s->io, &in, &message)) {
      case FLOE__TCP_FRAME_MORE: return;
      case FLOE__TCP_FRAME_REFUSED:
      case FLOE__TCP_FRAME_NOMEM:
        (void)floe__io_close(s->io, link->sock);
        floe__tcp_link_on_end(link);
        floe__check_on_link(s, link);
        return;
      case FLOE__TCP_FRAME_MESSAGE: break;
    }
    /* Only what is signed leads to a pair: what else comes does not count. */
    if (message.len > 0 && floe__session_on_packet(s, &path, message) && is_on_pair(s, link)) link->is_used = true;
    if (link->state != FLOE__TCP_LINK_OPEN || s->is_ended) return;
  }
}

static floe__tcp_link *find_link(const floe__session *s, floe_sock_id sock) {
  for (size_t i = 0; i < s->n_links; i++) {
    if (s->links[i]->sock == sock && s->links[i]->state != FLOE__TCP_LINK_CLOSED) return s->links[i];
  }
  return NULL;
}

void floe__session_on_link_input(floe__session *s, const floe_input *in) {
  floe__tcp_link *link = find_link(s, in->sock);
  if (link == NULL) return;
  if (in->type == FLOE_INPUT_STREAM) {
    on_stream(s, link, in->data);
  } else if (in->type == FLOE_INPUT_SOCKET_OPENED) {
    floe__tcp_link_on_opened(link);
    floe__check_on_link(s, link);
  } else if (in->type == FLOE_INPUT_SOCKET_FAILED || in->type == FLOE_INPUT_STREAM_END) {
    if (in->type == FLOE_INPUT_STREAM_END) (void)floe__io_close(s->io, link->sock);
    floe__tcp_link_on_end(link);
    floe__check_on_link(s, link);
  }
  floe__session_drop_links(s);
}

static floe_time unused_until(const floe__tcp_link *link) {
  if (!link->is_accepted || link->is_used) return FLOE_TIME_NEVER;
  return floe__after_ms(link->opened_at, UNUSED_LINK_MS);
}

void floe__session_drop_links(floe__session *s) {
  size_t n = 0;
  for (size_t i = 0; i < s->n_links; i++) {
    floe__tcp_link *link = s->links[i];
    bool over = link->state == FLOE__TCP_LINK_CLOSED || unused_until(link) <= s->io->now;
    if (over && !is_on_pair(s, link)) {
      floe__tcp_link_free(link, s->io);
    } else {
      s->links[n++] = link;
    }
  }
  s->n_links = n;
}

floe__deadline floe__session_links_deadline(const floe__session *s) {
  floe__deadline d = FLOE__NO_DEADLINE;
  for (size_t i = 0; i < s->n_links; i++) {
    d = floe__earliest(d, floe__deadline_at(unused_until(s->links[i]), "ice.tcp.unused"));
  }
  return d;
}
