#include "ice/candidate.h"

#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/assert.h"
#include "base/trace.h"

/* RFC 8445 5.1.2.2: recommended type preferences. */
static uint32_t type_preference(floe_candidate_type type) {
  switch (type) {
    case FLOE_CANDIDATE_HOST: return 126;
    case FLOE_CANDIDATE_PRFLX: return 110;
    case FLOE_CANDIDATE_SRFLX: return 100;
    case FLOE_CANDIDATE_RELAY: return 0;
  }
  return 0;
}

uint32_t floe__candidate_priority(floe_candidate_type type, uint16_t local_preference, uint16_t component) {
  return type_preference(type) << 24 | (uint32_t)local_preference << 8 | (uint32_t)(256 - component);
}

/* RFC 6544 4.2 keeps the type preferences of UDP; we put what is direct over TCP below all that is direct over UDP,
 * which no lost segment holds up, and above relays. */
static uint32_t tcp_type_preference(floe_candidate_type type) {
  switch (type) {
    case FLOE_CANDIDATE_HOST: return 90;
    case FLOE_CANDIDATE_PRFLX: return 80;
    case FLOE_CANDIDATE_SRFLX: return 70;
    case FLOE_CANDIDATE_RELAY: return 0;
  }
  return 0;
}

/* RFC 6544 4.2: active before passive before simultaneous-open, but for what lies behind a NAT, which a simultaneous
 * open gets through best. */
static uint32_t direction_preference(floe_candidate_type type, floe_tcp_type tcp_type) {
  bool behind_nat = type == FLOE_CANDIDATE_SRFLX || type == FLOE_CANDIDATE_PRFLX;
  switch (tcp_type) {
    case FLOE_TCP_TYPE_ACTIVE: return behind_nat ? 4 : 6;
    case FLOE_TCP_TYPE_PASSIVE: return behind_nat ? 2 : 4;
    case FLOE_TCP_TYPE_SO: return behind_nat ? 6 : 2;
    case FLOE_TCP_TYPE_NONE: break;
  }
  return 0;
}

uint32_t floe__candidate_tcp_priority(floe_candidate_type type, floe_tcp_type tcp_type, uint16_t preference,
                                      uint16_t component) {
  /* RFC 6544 4.2: local preference = (2^13) * direction-pref + other-pref. Preferences count down from the largest:
   * the order of the first 2^13 is kept. */
  uint32_t other = preference > 0xffff - 0x1fff ? preference - (0xffff - 0x1fffu) : 0;
  uint32_t local = direction_preference(type, tcp_type) << 13 | other;
  return tcp_type_preference(type) << 24 | local << 8 | (uint32_t)(256 - component);
}

/* What it shows is its address: an equal candidate beside it would add nothing. */
static bool shows_address(const floe__candidate *c) {
  return c->is_told && c->pub.mdns_name == NULL;
}

const floe__candidate *floe__candidate_find_redundant(const floe__candidate_list *list, const floe__candidate *c) {
  for (size_t i = 0; i < list->n; i++) {
    const floe__candidate *other = list->items[i];
    bool same_address = floe_addr_equal(&other->pub.address, &c->pub.address);
    bool same_path = floe_addr_equal(&other->base, &c->base) && other->pub.transport == c->pub.transport;
    if (other->is_gone || !same_address || !same_path) continue;
    if (shows_address(other) || other->pub.type == c->pub.type) return other;
  }
  return NULL;
}

/* RFC 8445 5.1.1.3: same type, same base IP, same STUN or TURN server IP, same transport protocol to it. */
static bool share_foundation(const floe__candidate *a, const floe__candidate *b) {
  return a->pub.type == b->pub.type && a->pub.transport == b->pub.transport && floe_addr_equal_ip(&a->base, &b->base) &&
         floe_addr_equal_ip(&a->server, &b->server) && a->pub.has_relay_protocol == b->pub.has_relay_protocol &&
         a->pub.relay_protocol == b->pub.relay_protocol;
}

/* A number, not a hash: a hash would let a peer test guesses of an address that is hidden from it. */
static void set_foundation(floe__candidate_list *list, floe__candidate *c) {
  for (size_t i = 0; i < list->n; i++) {
    if (share_foundation(list->items[i], c)) {
      memcpy(c->pub.foundation, list->items[i]->pub.foundation, sizeof c->pub.foundation);
      return;
    }
  }
  (void)snprintf(c->pub.foundation, sizeof c->pub.foundation, "%u", (unsigned)++list->n_foundations);
}

static bool priority_taken(const floe__candidate_list *list, uint32_t priority) {
  for (size_t i = 0; i < list->n; i++) {
    if (list->items[i]->pub.priority == priority) return true;
  }
  return false;
}

static uint32_t priority_of(const floe_ice_candidate *c, uint16_t local_preference) {
  if (c->transport == FLOE_TRANSPORT_UDP) return floe__candidate_priority(c->type, local_preference, c->component);
  return floe__candidate_tcp_priority(c->type, c->tcp_type, local_preference, c->component);
}

/* RFC 8445 5.1.2.1 wants no two equal: the later gives way, by as little as the local preference can. */
static void set_priority(const floe__candidate_list *list, floe__candidate *c, uint16_t local_preference) {
  uint32_t step = 1 << 8;
  c->pub.priority = priority_of(&c->pub, local_preference);
  while (priority_taken(list, c->pub.priority) && c->pub.priority >= 2 * step) c->pub.priority -= step;
}

static bool set_text(floe__candidate *c, floe_env *env) {
  char text[FLOE__CANDIDATE_TEXT];
  size_t len = floe_candidate_write(&c->pub, NULL, text, sizeof text) + 1;
  size_t name_len = c->pub.mdns_name == NULL ? 0 : strlen(c->pub.mdns_name) + 1;
  c->text = floe__alloc(env, len + name_len);
  if (c->text == NULL) return false;
  memcpy(c->text, text, len);
  c->pub.text = c->text;
  if (name_len == 0) return true;
  memcpy(c->text + len, c->pub.mdns_name, name_len);
  c->pub.mdns_name = c->text + len;
  return true;
}

bool floe__candidate_add(floe__candidate_list *list, floe_env *env, floe__candidate *c, uint16_t local_preference) {
  void *items = list->items;
  if (!floe__reserve(env, &items, &list->items_cap, sizeof *list->items, list->n + 1)) return false;
  list->items = items;
  void *told = list->told;
  if (!floe__reserve(env, &told, &list->told_cap, sizeof *list->told, list->n + 1)) return false;
  list->told = told;
  set_foundation(list, c);
  set_priority(list, c, local_preference);
  if (!set_text(c, env)) return false;
  list->items[list->n++] = c;
  return true;
}

void floe__candidate_trace(const floe__candidate *c, floe_env *env, floe_time now) {
  floe__trace t;
  if (!floe__trace_begin(&t, env, now, "ice.local")) return;
  floe__trace_int(&t, "id", c->pub.id);
  floe__trace_text(&t, "type", floe_candidate_type_name(c->pub.type));
  floe__trace_text(&t, "transport", floe_transport_name(c->pub.transport));
  floe__trace_int(&t, "priority", c->pub.priority);
  floe__trace_addr(&t, "addr", &c->pub.address);
  floe__trace_end(&t);
}

void floe__candidate_tell(floe__candidate_list *list, floe__candidate *c) {
  FLOE__ASSERT(!c->is_told && list->n_told < list->told_cap);
  c->is_told = true;
  list->told[list->n_told++] = &c->pub;
}

void floe__candidate_lose(floe__candidate_list *list, floe__candidate *c) {
  if (c->is_gone) return;
  c->is_gone = true;
  list->n_gone++;
}

bool floe__candidate_exposes(const floe__candidate_list *list, const floe_addr *addr) {
  for (size_t i = 0; i < list->n; i++) {
    const floe_addr *shown = &list->items[i]->pub.address;
    if (!shows_address(list->items[i])) continue;
    /* Neither port nor zone is part of what a candidate shows. */
    if (shown->family == addr->family && memcmp(shown->ip, addr->ip, floe__addr_ip_len(addr)) == 0) return true;
  }
  return false;
}

const floe__candidate *floe__candidate_by_id(const floe__candidate_list *list, uint32_t id) {
  for (size_t i = 0; i < list->n; i++) {
    if (list->items[i]->pub.id == id) return list->items[i];
  }
  return NULL;
}

void floe__candidate_list_clear(floe__candidate_list *list, floe_env *env) {
  for (size_t i = 0; i < list->n; i++) {
    floe__free(env, list->items[i]->text);
    floe__free(env, list->items[i]);
  }
  floe__free(env, list->items);
  floe__free(env, list->told);
  memset(list, 0, sizeof *list);
}
