/* Which attempt an input concerns: by socket, and for datagrams by server address and transaction. */
#include <string.h>

#include "ice/gather_internal.h"

static floe__base *find_opening_base(floe__gather *g, floe_sock_id sock) {
  for (size_t i = 0; i < g->bases.n; i++) {
    floe__base *b = &g->bases.items[i];
    if (b->udp.state == FLOE__UDP_OPENING && b->udp.id == sock) return b;
  }
  return NULL;
}

static void on_base_socket(floe__gather *g, floe__base *b, const floe_input *in) {
  if (in->type == FLOE_INPUT_SOCKET_OPENED) {
    floe__udp_on_opened(&b->udp, &in->addr);
  } else if (in->type == FLOE_INPUT_SOCKET_FAILED) {
    floe__udp_on_failed(&b->udp, g->io, in);
  }
  floe__gather_on_base_changed(g, b);
}

static floe__listener *find_opening_listener(floe__gather *g, floe_sock_id sock) {
  for (size_t i = 0; i < g->n_listeners; i++) {
    floe__listener *l = &g->listeners[i];
    if (l->sock.state == FLOE__UDP_OPENING && l->sock.id == sock) return l;
  }
  return NULL;
}

void floe__gather_route_socket(floe__gather *g, const floe_input *in) {
  floe__base *b = find_opening_base(g, in->sock);
  if (b != NULL) {
    on_base_socket(g, b, in);
    return;
  }
  floe__listener *l = find_opening_listener(g, in->sock);
  if (l != NULL) {
    floe__gather_on_listener(g, l, in);
    return;
  }
  for (size_t i = 0; i < g->n_servers; i++) {
    floe__gather_server *s = &g->servers[i];
    if (s->n_active == 0) continue;
    for (size_t k = 0; k < s->n_attempts; k++) {
      if (floe__attempt_on_socket(s->attempts[k], in)) return;
    }
  }
}

void floe__gather_remember_id(floe__gather *g, const uint8_t *txn_id) {
  size_t n = sizeof g->recent_ids / sizeof g->recent_ids[0];
  memcpy(g->recent_ids[g->n_recent_ids++ % n], txn_id, FLOE__STUN_TXN_ID);
}

/* An answer to a request of a try that is gone: late or doubled, and no sign of a broken server. */
static bool is_late(const floe__gather *g, floe_bytes data) {
  size_t n = sizeof g->recent_ids / sizeof g->recent_ids[0];
  if (!floe__stun_is_message(data)) return false;
  for (size_t i = 0; i < n && i < g->n_recent_ids; i++) {
    if (memcmp(g->recent_ids[i], data.ptr + 8, FLOE__STUN_TXN_ID) == 0) return true;
  }
  return false;
}

void floe__gather_route_datagram(floe__gather *g, const floe_input *in) {
  floe_cause discard = FLOE_CAUSE_NONE;
  for (size_t i = 0; i < g->n_servers; i++) {
    floe__gather_server *s = &g->servers[i];
    if (s->n_active == 0) continue;
    for (size_t k = 0; k < s->n_attempts; k++) {
      if (floe__attempt_offer_datagram(s->attempts[k], in, &discard)) return;
    }
  }
  if (discard == FLOE_CAUSE_NONE || is_late(g, in->data)) return;
  for (size_t i = 0; i < g->n_servers; i++) {
    floe__gather_server *s = &g->servers[i];
    if (s->n_active == 0) continue;
    for (size_t k = 0; k < s->n_attempts; k++) floe__attempt_count_discard(s->attempts[k], in, discard);
  }
}

void floe__gather_route_icmp(floe__gather *g, const floe_input *in) {
  for (size_t i = 0; i < g->n_servers; i++) {
    floe__gather_server *s = &g->servers[i];
    if (s->n_active == 0) continue;
    for (size_t k = 0; k < s->n_attempts; k++) floe__attempt_on_icmp(s->attempts[k], in);
  }
}

floe__attempt *floe__gather_relay(floe__gather *g, uint32_t candidate, bool *known) {
  *known = floe__candidate_by_id(g->candidates, candidate) != NULL;
  for (size_t i = 0; *known && i < g->n_servers; i++) {
    floe__gather_server *s = &g->servers[i];
    for (size_t k = 0; k < s->n_attempts; k++) {
      floe__attempt *a = s->attempts[k];
      if (a->relay_ids[0] == candidate || a->relay_ids[1] == candidate) return a;
    }
  }
  return NULL;
}

/* A channel beside a permission is no further peer. */
static bool has_room(const floe__gather *g, const floe__turn *turn, const floe_addr *peer) {
  return turn->n_peers < g->io->settings->cfg.max_permissions || floe__turn_has_peer(turn, peer, false);
}

bool floe__gather_relay_permit(floe__gather *g, uint32_t candidate, const floe_addr *peer, bool use_channel) {
  bool known;
  floe__attempt *a = floe__gather_relay(g, candidate, &known);
  const floe__try *live = a == NULL ? NULL : floe__attempt_live(a);
  if (live == NULL || !has_room(g, live->turn, peer)) return false;
  return floe__turn_permit(live->turn, g->io->now, peer, use_channel);
}

void floe__gather_hurry_relays(floe__gather *g) {
  for (size_t i = 0; i < g->n_servers; i++) {
    const floe__gather_server *s = &g->servers[i];
    for (size_t k = 0; k < s->n_attempts; k++) {
      const floe__try *live = floe__attempt_live(s->attempts[k]);
      if (live != NULL && live->turn != NULL) floe__turn_hurry(live->turn, g->io->now);
    }
  }
}
