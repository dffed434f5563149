/* A candidate that gathering has found: what of it may be shown, whether it is kept, and telling it. */
#include "ice/gather_internal.h"

/* RFC 8839 5.1: where the related address must not be told, 0.0.0.0 or :: and port 9 stand for it. */
static void hide_related(floe_ice_candidate *c) {
  c->related = (floe_addr){.family = c->address.family, .port = 9};
}

/* The mapped address of a relay candidate: where something is hidden, only what is told already may be told again. */
static bool may_show_mapped(const floe__gather *g, const floe_addr *mapped) {
  const floe_ice_config *cfg = &g->io->settings->cfg;
  if (cfg->ice_transport_policy == FLOE_ICE_TRANSPORT_POLICY_RELAY || mapped->family == FLOE_FAMILY_NONE) return false;
  bool hides = cfg->mdns_hide_hosts || cfg->filter_candidate != NULL;
  return !hides || floe__candidate_exposes(g->candidates, mapped);
}

static void set_related(const floe__gather *g, floe__candidate *c) {
  switch (c->pub.type) {
    case FLOE_CANDIDATE_HOST:
    case FLOE_CANDIDATE_PRFLX: return;
    case FLOE_CANDIDATE_SRFLX:
      if (!floe__candidate_exposes(g->candidates, &c->base)) hide_related(&c->pub);
      return;
    case FLOE_CANDIDATE_RELAY:
      if (!may_show_mapped(g, &c->pub.related)) hide_related(&c->pub);
      return;
  }
}

static void note_server(floe__candidate *c, const floe__attempt *a) {
  const floe__server *config = a->server->config;
  c->pub.url = config->text;
  c->pub.has_server = true;
  c->pub.server_index = config->server_index;
  c->pub.url_index = config->url_index;
}

static bool keep(floe__gather *g, floe__candidate *c, floe__attempt *a, uint16_t local_preference) {
  if (a != NULL) {
    floe__gather_server *s = a->server;
    void *ids = s->candidates;
    if (!floe__reserve(g->io->env, &ids, &s->candidates_cap, sizeof *s->candidates, s->n_candidates + 1)) return false;
    s->candidates = ids;
    s->candidates[s->n_candidates] = g->io->last_candidate + 1;
    note_server(c, a);
  }
  c->pub.id = g->io->last_candidate + 1;
  if (!floe__candidate_add(g->candidates, g->io->env, c, local_preference)) return false;
  g->io->last_candidate++;
  if (a != NULL) a->server->n_candidates++;
  floe__candidate_trace(c, g->io->env, g->io->now);
  return true;
}

static floe__candidate *make_candidate(floe__gather *g, const floe_ice_candidate *proto, const floe__origin *from) {
  floe__candidate *c = floe__zalloc(g->io->env, sizeof *c);
  if (c == NULL) return NULL;
  c->pub = *proto;
  c->pub.component = 1; /* rtcp-mux: one component */
  c->base = from->base;
  c->server = from->server;
  c->sock = from->sock;
  return c;
}

static void tell(floe__gather *g, floe__candidate *c) {
  const floe_ice_config *cfg = &g->io->settings->cfg;
  if (cfg->filter_candidate != NULL && !cfg->filter_candidate(cfg->filter_user, &c->pub)) return;
  floe__candidate_tell(g->candidates, c);
  floe__event_init(&c->node, FLOE_EVENT_ICECANDIDATE, g->io->now, g->started_at);
  c->node.event.u.candidate = &c->pub;
  floe__gather_tell(g, &c->node);
}

floe__added floe__gather_add_candidate(floe__gather *g, const floe_ice_candidate *proto, const floe__origin *from,
                                       uint16_t local_preference, uint32_t *id) {
  *id = 0;
  floe__candidate *c = make_candidate(g, proto, from);
  bool redundant = c != NULL && floe__candidate_find_redundant(g->candidates, c) != NULL;
  bool full = g->candidates->n >= g->io->settings->cfg.max_candidates;
  if (c != NULL) set_related(g, c);
  if (c == NULL || redundant || full || !keep(g, c, from->attempt, local_preference)) {
    floe__free(g->io->env, c);
    if (redundant) return FLOE__ADDED_REDUNDANT;
    g->candidates->dropped++;
    return FLOE__ADDED_DROPPED;
  }
  *id = c->pub.id;
  if (!from->is_silent) tell(g, c);
  return FLOE__ADDED;
}
