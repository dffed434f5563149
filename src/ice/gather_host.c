/* Host candidates of a base (RFC 8445 5.1.1.1, RFC 6544 4.1): over UDP and TCP, with the address that the configuration
 * shows in its place, or hidden behind a multicast DNS name (draft-ietf-mmusic-mdns-ice-candidates 3.1). */
#include <string.h>

#include "base/rng.h"
#include "base/trace.h"
#include "ice/gather_internal.h"

/* --- what is shown instead of the address ------------------------------------------------------------------------ */

static const floe_address_rewrite *find_rewrite(const floe_ice_config *cfg, const floe_addr *local) {
  for (size_t i = 0; i < cfg->n_rewrites; i++) {
    const floe_address_rewrite *r = &cfg->rewrites[i];
    bool fits = r->local.family == FLOE_FAMILY_NONE || floe_addr_equal_ip(&r->local, local);
    if (fits && r->shown.family == local->family) return r;
  }
  return NULL;
}

/* Nobody connects to an active candidate: its port stays 9 (RFC 6544 4.5). */
static void show(floe_ice_candidate *c, const floe_address_rewrite *r) {
  uint16_t port = r->shown.port == 0 || c->tcp_type == FLOE_TCP_TYPE_ACTIVE ? c->address.port : r->shown.port;
  c->address = r->shown;
  c->address.port = port;
}

#define NAME_SIZE sizeof "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx.local"

/* The draft's section 3.1.1: a version 4 UUID (RFC 9562 5.4), and ".local". */
static char *make_name(floe_env *env) {
  static const char digits[] = "0123456789abcdef";
  char *name = floe__alloc(env, NAME_SIZE);
  if (name == NULL) return NULL;
  uint8_t bytes[16];
  floe__random(env, bytes, sizeof bytes);
  bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
  bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
  char *at = name;
  for (size_t i = 0; i < sizeof bytes; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    *at++ = digits[bytes[i] >> 4];
    *at++ = digits[bytes[i] & 15];
  }
  memcpy(at, ".local", sizeof ".local");
  return name;
}

/* One name per address, published with its first candidate. NULL: no memory. */
static const char *name_of(floe__gather *g, floe__base *b) {
  if (b->mdns_name != NULL) return b->mdns_name;
  char *name = make_name(g->io->env);
  if (name == NULL || !floe__io_publish(g->io, name, &b->interface.addr, false)) {
    floe__free(g->io->env, name);
    return NULL;
  }
  b->mdns_name = name;
  return name;
}

void floe__gather_withdraw_name(floe__gather *g, floe__base *b) {
  if (b->mdns_name == NULL) return;
  (void)floe__io_publish(g->io, b->mdns_name, &b->interface.addr,
                         true); /* without memory it is answered a while more */
  floe__free(g->io->env, b->mdns_name);
  b->mdns_name = NULL;
}

/* --- candidates --------------------------------------------------------------------------------------------------- */

/* `c` has the real address. What is not told needs no disguise; a rewritten address is one that may be seen. */
static void add(floe__gather *g, floe__base *b, floe_ice_candidate *c, const floe__origin *from) {
  const floe_ice_config *cfg = &g->io->settings->cfg;
  const floe_address_rewrite *r = find_rewrite(cfg, &c->address);
  uint16_t preference = (uint16_t)(65535 - b->rank % 65535);
  uint32_t id;
  floe_ice_candidate reflexive = *c;
  if (r != NULL && !r->as_srflx) {
    show(c, r);
  } else if (cfg->mdns_hide_hosts && !from->is_silent) {
    c->mdns_name = name_of(g, b);
    if (c->mdns_name == NULL) { /* rather none than one that shows what is to be hidden */
      g->candidates->dropped++;
      return;
    }
  }
  (void)floe__gather_add_candidate(g, c, from, preference, &id);
  if (r == NULL || !r->as_srflx || c->tcp_type == FLOE_TCP_TYPE_ACTIVE) return;
  reflexive.type = FLOE_CANDIDATE_SRFLX;
  reflexive.related = reflexive.address;
  show(&reflexive, r);
  (void)floe__gather_add_candidate(g, &reflexive, from, preference, &id);
}

/* RFC 6544 4.1: an active candidate has no port until it connects, and shows port 9. */
static void add_active(floe__gather *g, floe__base *b) {
  const floe_ice_config *cfg = &g->io->settings->cfg;
  floe_ice_candidate c = {.transport = FLOE_TRANSPORT_TCP, .tcp_type = FLOE_TCP_TYPE_ACTIVE};
  floe__origin from = {.base = b->interface.addr, .is_silent = !cfg->tcp_passive && !cfg->tcp_so};
  c.address = b->interface.addr;
  c.address.port = 9;
  add(g, b, &c, &from);
}

void floe__gather_add_hosts(floe__gather *g, floe__base *b) {
  if (b->udp.state == FLOE__UDP_OPENING || b->is_gone) return;
  if (b->udp.state == FLOE__UDP_OPEN) {
    floe_ice_candidate c = {.transport = FLOE_TRANSPORT_UDP, .address = b->udp.local};
    add(g, b, &c, &(floe__origin){.base = b->udp.local, .sock = b->udp.id});
  }
  if (g->uses_tcp) add_active(g, b);
}

void floe__gather_use_tcp(floe__gather *g) {
  const floe_ice_config *cfg = &g->io->settings->cfg;
  /* RFC 6544 4.1: a lite agent only waits to be connected to. */
  if (cfg->no_tcp || cfg->lite || g->uses_tcp || g->state >= FLOE__GATHER_CLOSING) return;
  g->uses_tcp = true;
  for (size_t i = 0; i < g->bases.n; i++) {
    floe__base *b = &g->bases.items[i];
    if (b->surfaces && !b->is_gone && b->udp.state != FLOE__UDP_OPENING) add_active(g, b);
  }
}

/* --- listeners ---------------------------------------------------------------------------------------------------- */

static void listen_on(floe__gather *g, floe__base *b, floe__socket_kind kind) {
  floe__listener *l = &g->listeners[g->n_listeners++];
  memset(l, 0, sizeof *l);
  l->base = b;
  floe__udp_open(&l->sock, g->io, &b->interface.addr, kind);
}

void floe__gather_open_listeners(floe__gather *g) {
  const floe_ice_config *cfg = &g->io->settings->cfg;
  if (!cfg->tcp_passive && !cfg->tcp_so) return;
  g->uses_tcp = !cfg->lite;
  if (g->bases.n == 0) return;
  g->listeners = floe__alloc(g->io->env, 2 * g->bases.n * sizeof *g->listeners);
  if (g->listeners == NULL) {
    g->candidates->dropped++;
    return;
  }
  for (size_t i = 0; i < g->bases.n; i++) {
    floe__base *b = &g->bases.items[i];
    if (!b->surfaces || b->is_gone) continue;
    if (cfg->tcp_passive) listen_on(g, b, FLOE__SOCKET_LISTENER);
    if (cfg->tcp_so) listen_on(g, b, FLOE__SOCKET_SO_LISTENER);
  }
}

static void trace_failure(const floe__gather *g, const floe__listener *l) {
  floe__trace t;
  if (!floe__trace_begin(&t, g->io->env, g->io->now, "gather.listener")) return;
  floe__trace_addr(&t, "local", &l->base->interface.addr);
  floe__trace_text(&t, "cause", floe_cause_id(l->sock.cause));
  floe__trace_int(&t, "os_error", l->sock.os_error);
  floe__trace_end(&t);
}

/* No server has failed when a listener does: there is no icecandidateerror for it. */
void floe__gather_on_listener(floe__gather *g, floe__listener *l, const floe_input *in) {
  if (in->type == FLOE_INPUT_SOCKET_FAILED) {
    floe__udp_on_failed(&l->sock, g->io, in);
    if (l->sock.state == FLOE__UDP_FAILED) trace_failure(g, l);
    return;
  }
  if (in->type != FLOE_INPUT_SOCKET_OPENED) return;
  floe__udp_on_opened(&l->sock, &in->addr);
  bool so = l->sock.kind == FLOE__SOCKET_SO_LISTENER;
  floe_ice_candidate c = {.transport = FLOE_TRANSPORT_TCP,
                          .tcp_type = so ? FLOE_TCP_TYPE_SO : FLOE_TCP_TYPE_PASSIVE,
                          .address = l->sock.local};
  add(g, l->base, &c, &(floe__origin){.base = l->sock.local, .sock = l->sock.id});
}
