/* Addresses that the host has lost, and with them whatever was on them. */
#include <string.h>

#include "ice/gather_internal.h"

void floe__gather_note_addresses(floe__gather *g, const floe_interface *list, size_t n) {
  if (!g->io->settings->cfg.continual_gathering || n == 0) return;
  g->seen = floe__alloc(g->io->env, n * sizeof *g->seen);
  for (size_t i = 0; i < n && g->seen != NULL; i++) g->seen[g->n_seen++] = list[i].addr;
}

bool floe__gather_has_address(const floe__gather *g, const floe_addr *addr) {
  for (size_t i = 0; i < g->bases.n; i++) {
    const floe__base *b = &g->bases.items[i];
    if (!b->is_gone && floe_addr_equal_ip(&b->interface.addr, addr)) return true;
  }
  for (size_t i = 0; i < g->n_seen; i++) {
    if (floe_addr_equal_ip(&g->seen[i], addr)) return true;
  }
  return false;
}

static bool is_listed(const floe_interface *list, size_t n, const floe_addr *addr) {
  for (size_t i = 0; i < n; i++) {
    if (floe_addr_equal_ip(&list[i].addr, addr)) return true;
  }
  return false;
}

/* A relay candidate is none of the base: it goes with its allocation. */
static void lose_candidates(floe__gather *g, const floe__base *b) {
  for (size_t i = 0; i < g->candidates->n; i++) {
    floe__candidate *c = g->candidates->items[i];
    bool on_base = c->pub.type != FLOE_CANDIDATE_RELAY && floe_addr_equal_ip(&c->base, &b->interface.addr);
    if (on_base) floe__candidate_lose(g->candidates, c);
  }
}

static void lose_base(floe__gather *g, floe__base *b) {
  b->is_gone = true;
  lose_candidates(g, b);
  floe__gather_withdraw_name(g, b);
  for (size_t i = 0; i < g->n_servers; i++) {
    floe__gather_server *s = &g->servers[i];
    for (size_t k = 0; k < s->n_attempts; k++) {
      if (s->attempts[k]->base == b) floe__attempt_lose_base(s->attempts[k]);
    }
  }
  for (size_t i = 0; i < g->n_listeners; i++) {
    if (g->listeners[i].base == b) floe__udp_close(&g->listeners[i].sock, g->io);
  }
  floe__udp_close(&b->udp, g->io);
}

void floe__gather_lose_addresses(floe__gather *g, const floe_interface *list, size_t n) {
  for (size_t i = 0; i < g->bases.n; i++) {
    floe__base *b = &g->bases.items[i];
    if (!b->is_gone && !is_listed(list, n, &b->interface.addr)) lose_base(g, b);
  }
  size_t kept = 0;
  for (size_t i = 0; i < g->n_seen; i++) {
    if (is_listed(list, n, &g->seen[i])) g->seen[kept++] = g->seen[i];
  }
  g->n_seen = kept;
}
