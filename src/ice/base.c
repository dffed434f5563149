#include "ice/base.h"

#include <string.h>

#include "base/addr.h"

floe__base_kind floe__addr_kind(const floe_addr *addr) {
  if (floe_addr_is_loopback(addr)) return FLOE__BASE_LOOPBACK;
  if (floe_addr_is_link_local(addr)) return FLOE__BASE_LINK_LOCAL;
  return FLOE__BASE_ORDINARY;
}

/* RFC 8445 5.1.1.1: no deprecated IPv4-compatible and site-local, no IPv4-mapped addresses. */
static bool is_obsolete(const floe_addr *a) {
  static const uint8_t zeros[12] = {0};
  if (a->family != FLOE_FAMILY_IPV6) return false;
  if (floe__addr_is_v4_mapped(a)) return true;
  if (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0xc0) return true;
  return memcmp(a->ip, zeros, sizeof zeros) == 0 && !floe_addr_is_loopback(a);
}

static bool is_named(const floe_ice_config *cfg, const char *name) {
  if (cfg->n_interfaces == 0) return true;
  for (size_t i = 0; i < cfg->n_interfaces; i++) {
    if (strcmp(cfg->interfaces[i], name) == 0) return true;
  }
  return false;
}

static bool is_allowed(const floe_ice_config *cfg, const floe_interface *self) {
  const floe_addr *a = &self->addr;
  if (a->family != FLOE_FAMILY_IPV4 && a->family != FLOE_FAMILY_IPV6) return false;
  if (a->family == FLOE_FAMILY_IPV4 && cfg->no_ipv4) return false;
  if (a->family == FLOE_FAMILY_IPV6 && cfg->no_ipv6) return false;
  if (floe_addr_is_any(a) || is_obsolete(a) || self->is_deprecated || !is_named(cfg, self->name)) return false;
  return floe_addr_is_loopback(a) || cfg->filter_interface == NULL || cfg->filter_interface(cfg->filter_user, self);
}

/* RFC 8445 5.1.1.1 prefers addresses that do not allow tracking: a stable address gives way to a temporary one of its
 * prefix, if that one may be used. */
static bool gives_way(const floe_interface *self, const floe_interface *all, const bool *allowed, size_t n) {
  if (self->addr.family != FLOE_FAMILY_IPV6 || self->is_temporary) return false;
  for (size_t i = 0; i < n; i++) {
    const floe_interface *other = &all[i];
    if (!allowed[i] || !other->is_temporary || other->index != self->index) continue;
    if (other->addr.family == FLOE_FAMILY_IPV6 && memcmp(other->addr.ip, self->addr.ip, 8) == 0) return true;
  }
  return false;
}

static bool is_repeated(const floe__base_list *list, const floe_addr *addr) {
  for (size_t i = 0; i < list->n; i++) {
    if (floe_addr_equal_ip(&list->items[i].interface.addr, addr)) return true;
  }
  return false;
}

/* IPv6 link-local addresses mean nothing to a peer without its own zone: they are used for servers on the link, and
 * surface only on a host that has no other address. */
static void decide_surfacing(floe__base_list *list, const floe_ice_config *cfg) {
  bool has_other = false;
  for (size_t i = 0; i < list->n; i++) has_other = has_other || list->items[i].kind == FLOE__BASE_ORDINARY;
  for (size_t i = 0; i < list->n; i++) {
    floe__base *b = &list->items[i];
    bool relay_only = cfg->ice_transport_policy == FLOE_ICE_TRANSPORT_POLICY_RELAY;
    switch (b->kind) {
      case FLOE__BASE_ORDINARY: b->surfaces = !relay_only; break;
      case FLOE__BASE_LOOPBACK: b->surfaces = !relay_only && cfg->include_loopback; break;
      case FLOE__BASE_LINK_LOCAL:
        b->surfaces = !relay_only && (b->interface.addr.family == FLOE_FAMILY_IPV4 || !has_other);
        break;
    }
  }
}

static void add(floe__base_list *list, const floe_interface *interface) {
  floe__base *b = &list->items[list->n];
  b->interface = *interface;
  b->interface.name[sizeof b->interface.name - 1] = '\0';
  b->interface.addr.port = 0;
  b->kind = floe__addr_kind(&b->interface.addr);
  list->n++;
}

/* RFC 8421 4: IPv6 is preferred, and the families take turns, so that a host with many IPv6 addresses, none of which
 * works, does not keep its IPv4 address back. */
static void decide_ranks(floe__base_list *list) {
  uint32_t n_v6 = 0;
  uint32_t n_v4 = 0;
  for (size_t i = 0; i < list->n; i++) {
    floe__base *b = &list->items[i];
    b->rank = b->interface.addr.family == FLOE_FAMILY_IPV6 ? 2 * n_v6++ : 2 * n_v4++ + 1;
  }
}

static bool make(floe__base_list *list, const floe__io *io, const floe_interface *all, bool *allowed, size_t n) {
  size_t usable = 0;
  for (size_t i = 0; i < n; i++) {
    allowed[i] = allowed[i] && !gives_way(&all[i], all, allowed, n); /* those it looks at never give way */
    usable += allowed[i] ? 1 : 0;
  }
  if (usable == 0) return true;
  list->items = floe__zalloc(io->env, usable * sizeof *list->items);
  if (list->items == NULL) return false;
  for (size_t i = 0; i < n; i++) {
    if (allowed[i] && !is_repeated(list, &all[i].addr)) add(list, &all[i]);
  }
  decide_surfacing(list, &io->settings->cfg);
  decide_ranks(list);
  return true;
}

bool floe__base_list_make(floe__base_list *list, const floe__io *io, const floe_interface *interfaces, size_t n) {
  if (n == 0) return true;
  bool *allowed = floe__alloc(io->env, n * sizeof *allowed);
  if (allowed == NULL) return false;
  for (size_t i = 0; i < n; i++) allowed[i] = is_allowed(&io->settings->cfg, &interfaces[i]); /* asked once each */
  bool ok = make(list, io, interfaces, allowed, n);
  floe__free(io->env, allowed);
  return ok;
}

bool floe__base_is_shared(const floe__base *b, const floe__io *io) {
  return b->surfaces && io->settings->cfg.shared_sockets;
}

void floe__base_open_udp(floe__base *b, floe__io *io) {
  floe__udp_open(&b->udp, io, &b->interface.addr,
                 floe__base_is_shared(b, io) ? FLOE__SOCKET_SHARED_UDP : FLOE__SOCKET_UDP);
}

bool floe__base_serves(const floe__base *base, const floe_addr *server) {
  const floe_addr *own = &base->interface.addr;
  if (own->family != server->family || base->kind != floe__addr_kind(server)) return false;
  return server->scope_id == 0 || own->scope_id == 0 || server->scope_id == own->scope_id;
}

bool floe__base_list_has_family(const floe__base_list *list, floe_family family) {
  bool any_ordinary = false;
  bool any_of_family = false;
  for (size_t i = 0; i < list->n; i++) {
    const floe__base *b = &list->items[i];
    bool of_family = b->interface.addr.family == family;
    if (b->kind == FLOE__BASE_ORDINARY && of_family) return true;
    any_ordinary = any_ordinary || b->kind == FLOE__BASE_ORDINARY;
    any_of_family = any_of_family || of_family;
  }
  return !any_ordinary && any_of_family;
}
