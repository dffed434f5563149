#include "ice/candidate.h"

#include <stdio.h>
#include <string.h>

#include "base/addr.h"

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

const floe__candidate *floe__candidate_find_redundant(const floe__candidate_list *list, const floe__candidate *c) {
  for (size_t i = 0; i < list->n; i++) {
    const floe__candidate *other = list->items[i];
    bool same_address = floe_addr_equal(&other->pub.address, &c->pub.address);
    if (same_address && floe_addr_equal(&other->base, &c->base) && other->pub.transport == c->pub.transport)
      return other;
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

static void set_priority(const floe__candidate_list *list, floe__candidate *c, uint16_t local_preference) {
  do {
    c->pub.priority = floe__candidate_priority(c->pub.type, local_preference, c->pub.component);
  } while (priority_taken(list, c->pub.priority) && local_preference-- > 0);
}

static bool set_text(floe__candidate *c, floe_env *env) {
  char text[FLOE__CANDIDATE_TEXT];
  size_t len = floe_candidate_write(&c->pub, NULL, text, sizeof text);
  c->text = floe__strndup(env, text, len);
  c->pub.text = c->text;
  return c->text != NULL;
}

bool floe__candidate_add(floe__candidate_list *list, floe_env *env, floe__candidate *c, uint16_t local_preference) {
  void *items = list->items;
  if (!floe__reserve(env, &items, &list->items_cap, sizeof *list->items, list->n + 1)) return false;
  list->items = items;
  void *pubs = list->pubs;
  if (!floe__reserve(env, &pubs, &list->pubs_cap, sizeof *list->pubs, list->n + 1)) return false;
  list->pubs = pubs;
  set_foundation(list, c);
  set_priority(list, c, local_preference);
  if (!set_text(c, env)) return false;
  list->items[list->n] = c;
  list->pubs[list->n] = &c->pub;
  list->n++;
  return true;
}

bool floe__candidate_exposes(const floe__candidate_list *list, const floe_addr *addr) {
  for (size_t i = 0; i < list->n; i++) {
    const floe_addr *shown = &list->items[i]->pub.address;
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
  floe__free(env, list->pubs);
  memset(list, 0, sizeof *list);
}
