/* One gathering: owns the attempts, paces their starts, and decides when it is complete. */
#include "ice/gather.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/trace.h"
#include "ice/gather_internal.h"

static const char *state_name(floe__gather_state state) {
  switch (state) {
    case FLOE__GATHER_LISTING: return "listing";
    case FLOE__GATHER_OPEN: return "open";
    case FLOE__GATHER_COMPLETE: return "complete";
    case FLOE__GATHER_CLOSING: return "closing";
    case FLOE__GATHER_CLOSED: return "closed";
  }
  return "";
}

static void go(floe__gather *g, floe__gather_state next) {
  FLOE__ASSERT(next > g->state);
  floe__trace t;
  if (floe__trace_begin(&t, g->io->env, g->io->now, "gather.state")) {
    floe__trace_text(&t, "from", state_name(g->state));
    floe__trace_text(&t, "to", state_name(next));
    floe__trace_end(&t);
  }
  g->state = next;
}

/* --- making and freeing ---------------------------------------------------------------------------------------- */

static bool reserve_server(floe__gather_server *s) {
  floe_env *env = s->gather->io->env;
  if (s->unused || s->same_as != NULL) return true;
  s->reserve = floe__alloc(env, sizeof *s->reserve);
  s->attempts = floe__alloc(env, sizeof(floe__attempt *));
  s->reports = floe__alloc(env, sizeof(floe_attempt_report *));
  s->attempts_cap = s->attempts == NULL ? 0 : 1;
  s->reports_cap = s->reports == NULL ? 0 : 1;
  return s->reserve != NULL && s->attempts != NULL && s->reports != NULL;
}

static bool make_servers(floe__gather *g) {
  const floe__settings *settings = g->io->settings;
  size_t n = settings->n_servers;
  if (n == 0) return true;
  g->servers = floe__zalloc(g->io->env, n * sizeof *g->servers);
  g->lookups = floe__zalloc(g->io->env, n * sizeof *g->lookups);
  g->server_reports = floe__zalloc(g->io->env, n * sizeof *g->server_reports);
  if (g->servers == NULL || g->lookups == NULL || g->server_reports == NULL) return false;
  for (size_t i = 0; i < n; i++) {
    floe__gather_server_init(&g->servers[i], g, &settings->servers[i]);
    g->n_servers++;
    if (!reserve_server(&g->servers[i])) return false;
  }
  return true;
}

floe__gather *floe__gather_new(const floe__gather_setup *setup) {
  floe__io *io = setup->io;
  floe__gather *g = floe__zalloc(io->env, sizeof *g);
  if (g == NULL) return NULL;
  g->setup = *setup;
  g->io = io;
  g->events = setup->events;
  g->candidates = setup->candidates;
  if (make_servers(g)) return g;
  floe__gather_free(g);
  return NULL;
}

void floe__gather_free(floe__gather *g) {
  if (g == NULL) return;
  floe_env *env = g->io->env;
  for (size_t i = 0; i < g->n_servers; i++) floe__gather_server_clear(&g->servers[i]);
  for (size_t i = 0; i < g->n_lookups; i++) {
    floe__lookup_clear(g->lookups[i], g->io);
    floe__free(env, g->lookups[i]);
  }
  floe__free(env, g->bases.items);
  floe__free(env, g->servers);
  floe__free(env, g->lookups);
  floe__free(env, g->server_reports);
  floe__free(env, g);
}

/* --- candidates ------------------------------------------------------------------------------------------------ */

/* RFC 8839 5.1: where the related address must not be told, 0.0.0.0 or :: and port 9 stand for it. */
static void hide_related(floe_ice_candidate *c) {
  c->related = (floe_addr){.family = c->address.family, .port = 9};
}

static void set_related(const floe__gather *g, floe__candidate *c) {
  bool relay_only = g->io->settings->cfg.ice_transport_policy == FLOE_ICE_TRANSPORT_POLICY_RELAY;
  switch (c->pub.type) {
    case FLOE_CANDIDATE_HOST:
    case FLOE_CANDIDATE_PRFLX: return;
    case FLOE_CANDIDATE_SRFLX:
      if (!floe__candidate_exposes(g->candidates, &c->base)) hide_related(&c->pub);
      return;
    case FLOE_CANDIDATE_RELAY:
      if (relay_only || c->pub.related.family == FLOE_FAMILY_NONE) hide_related(&c->pub);
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
  return true;
}

static floe__candidate *make_candidate(floe__gather *g, const floe_ice_candidate *proto, const floe__origin *from) {
  floe__candidate *c = floe__zalloc(g->io->env, sizeof *c);
  if (c == NULL) return NULL;
  c->pub = *proto;
  c->pub.component = 1; /* rtcp-mux: one component */
  c->pub.transport = FLOE_TRANSPORT_UDP;
  c->base = from->base;
  c->server = from->server;
  c->sock = from->sock;
  return c;
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
  floe__event_init(&c->node, FLOE_EVENT_ICECANDIDATE, g->io->now, g->started_at);
  c->node.event.u.candidate = &c->pub;
  floe__event_push(g->events, &c->node);
  *id = c->pub.id;
  return FLOE__ADDED;
}

static void add_host(floe__gather *g, const floe__base *b) {
  floe_ice_candidate c = {.type = FLOE_CANDIDATE_HOST, .address = b->udp.local};
  floe__origin from = {.base = b->udp.local, .sock = b->udp.id};
  uint32_t id;
  (void)floe__gather_add_candidate(g, &c, &from, (uint16_t)(65535 - b->rank % 65535), &id);
}

/* --- starting -------------------------------------------------------------------------------------------------- */

void floe__gather_start(floe__gather *g) {
  floe__io *io = g->io;
  g->started_at = g->next_start_at = io->now;
  g->deadline_at = floe__after_ms(io->now, io->settings->cfg.timing.gathering_timeout_ms);
  floe__event_init(&g->gathering_node, FLOE_EVENT_ICEGATHERINGSTATECHANGE, io->now, g->started_at);
  g->gathering_node.event.u.gathering_state = FLOE_ICE_GATHERING_GATHERING;
  if (!floe__io_ask_interfaces(io)) g->deadline_at = io->now; /* without memory to ask: as a host without addresses */
}

static void open_host_sockets(floe__gather *g) {
  for (size_t i = 0; i < g->bases.n; i++) {
    floe__base *b = &g->bases.items[i];
    if (b->surfaces) floe__udp_open(&b->udp, g->io, &b->interface.addr);
  }
}

static void on_interfaces(floe__gather *g, const floe_input *in) {
  if (g->state != FLOE__GATHER_LISTING) return;
  bool ok = floe__base_list_make(&g->bases, g->io, in->interfaces, in->n_interfaces) && in->os_error == 0;
  g->listing_error = in->os_error;
  (void)snprintf(g->listing_error_text, sizeof g->listing_error_text, "%s",
                 in->os_error_text == NULL ? "" : in->os_error_text);
  go(g, FLOE__GATHER_OPEN);
  open_host_sockets(g);
  for (size_t i = 0; i < g->n_servers; i++) {
    if (!ok) g->servers[i].lost_attempts = true;
    floe__gather_server_begin(&g->servers[i]);
  }
}

/* Ta apart, round-robin over the servers in configuration order (RFC 8445 14.2, the contract's section 5). */
static floe__attempt *next_waiting(floe__gather *g) {
  for (size_t i = 0; i < g->n_servers; i++) {
    size_t at = (g->next_server + i) % g->n_servers;
    floe__attempt *a = floe__gather_server_next_waiting(&g->servers[at]);
    if (a == NULL) continue;
    g->next_server = at + 1;
    return a;
  }
  return NULL;
}

static void start_due(floe__gather *g) {
  while (g->state == FLOE__GATHER_OPEN && g->next_start_at <= g->io->now) {
    floe__attempt *a = next_waiting(g);
    if (a == NULL) return;
    g->next_start_at = floe__after_ms(g->io->now, g->io->settings->cfg.timing.ta_ms);
    floe__attempt_start(a);
  }
}

static bool has_waiting(const floe__gather *g) {
  for (size_t i = 0; i < g->n_servers; i++) {
    const floe__gather_server *s = &g->servers[i];
    for (size_t k = s->next_waiting; k < s->n_attempts; k++) {
      if (s->attempts[k]->state == FLOE__ATTEMPT_WAITING) return true;
    }
  }
  return false;
}

/* --- completing ------------------------------------------------------------------------------------------------ */

static bool is_all_done(const floe__gather *g) {
  for (size_t i = 0; i < g->bases.n; i++) {
    const floe__base *b = &g->bases.items[i];
    if (b->surfaces && b->udp.state == FLOE__UDP_OPENING) return false;
  }
  for (size_t i = 0; i < g->n_servers; i++) {
    if (!floe__gather_server_is_done(&g->servers[i])) return false;
  }
  return true;
}

static bool is_base_needed(const floe__gather *g, const floe__base *b) {
  if (b->surfaces) return true;
  for (size_t i = 0; i < g->n_servers; i++) {
    const floe__gather_server *s = &g->servers[i];
    for (size_t k = 0; k < s->n_attempts; k++) {
      const floe__try *live = floe__attempt_live(s->attempts[k]);
      if (live != NULL && live->setup.base == b && !live->owns_udp) return true;
    }
  }
  return false;
}

static void complete(floe__gather *g) {
  go(g, FLOE__GATHER_COMPLETE);
  g->completed_at = g->io->now;
  for (size_t i = 0; i < g->bases.n; i++) {
    floe__base *b = &g->bases.items[i];
    if (b->udp.state == FLOE__UDP_OPENING || !is_base_needed(g, b)) floe__udp_close(&b->udp, g->io);
  }
  floe__report_fill(g);
  floe__event_init(&g->end_node, FLOE_EVENT_ICECANDIDATE, g->io->now, g->started_at);
  floe__event_push(g->events, &g->end_node);
  floe__event_init(&g->complete_node, FLOE_EVENT_ICEGATHERINGSTATECHANGE, g->io->now, g->started_at);
  g->complete_node.event.u.gathering_state = FLOE_ICE_GATHERING_COMPLETE;
  floe__event_push(g->events, &g->complete_node);
}

void floe__gather_on_attempt_ended(floe__gather *g, floe__attempt *a) {
  if (g->state != FLOE__GATHER_OPEN) return;
  if (a->report.outcome == FLOE_ATTEMPT_ERROR && a->report.error_code != 701) floe__gather_error_standing(a);
  if (floe__gather_server_is_done(a->server)) floe__gather_error_unreachable(a->server);
}

/* The overall limit ends each open attempt as its step in progress would have ended. */
static void give_up(floe__gather *g) {
  if (g->state == FLOE__GATHER_LISTING) on_interfaces(g, &(floe_input){.type = FLOE_INPUT_INTERFACES});
  for (size_t i = 0; i < g->n_lookups; i++) floe__lookup_give_up(g->lookups[i], g->io);
  for (size_t i = 0; i < g->n_servers; i++) floe__gather_server_on_lookup(&g->servers[i]);
  for (size_t i = 0; i < g->n_servers; i++) {
    floe__gather_server *s = &g->servers[i];
    for (size_t k = 0; k < s->n_attempts; k++) floe__attempt_give_up(s->attempts[k]);
  }
  complete(g);
}

/* --- closing --------------------------------------------------------------------------------------------------- */

static bool is_deleting(const floe__gather *g) {
  for (size_t i = 0; i < g->n_servers; i++) {
    const floe__gather_server *s = &g->servers[i];
    for (size_t k = 0; k < s->n_attempts; k++) {
      const floe__attempt *a = s->attempts[k];
      if (a->n_tries > 0 && a->tries[0]->state == FLOE__TRY_DELETING) return true;
    }
  }
  return false;
}

static void finish_closing(floe__gather *g) {
  for (size_t i = 0; i < g->n_servers; i++) {
    const floe__gather_server *s = &g->servers[i];
    for (size_t k = 0; k < s->n_attempts; k++) {
      if (s->attempts[k]->n_tries > 0) floe__try_cancel(s->attempts[k]->tries[0]);
    }
  }
  for (size_t i = 0; i < g->bases.n; i++) floe__udp_close(&g->bases.items[i].udp, g->io);
  go(g, FLOE__GATHER_CLOSED);
}

/* Nothing that is still being opened is needed, nor is another port of a range tried for it. */
static void close_opening_bases(floe__gather *g) {
  for (size_t i = 0; i < g->bases.n; i++) {
    floe__base *b = &g->bases.items[i];
    if (b->udp.state == FLOE__UDP_OPENING) floe__udp_close(&b->udp, g->io);
  }
}

void floe__gather_close(floe__gather *g) {
  if (g->state == FLOE__GATHER_CLOSING || g->state == FLOE__GATHER_CLOSED) return;
  go(g, FLOE__GATHER_CLOSING);
  g->deadline_at = floe__after_ms(g->io->now, g->io->settings->cfg.timing.close_timeout_ms);
  close_opening_bases(g);
  for (size_t i = 0; i < g->n_servers; i++) {
    floe__gather_server *s = &g->servers[i];
    for (size_t k = 0; k < s->n_attempts; k++) {
      floe__attempt_cancel(s->attempts[k]);
      floe__attempt_delete(s->attempts[k]);
    }
  }
  if (!is_deleting(g)) finish_closing(g);
}

void floe__gather_make_way(floe__gather *g) {
  floe__gather_close(g);
  if (g->state == FLOE__GATHER_CLOSING) finish_closing(g);
}

/* --- what comes in --------------------------------------------------------------------------------------------- */

/* After each call: what has become possible or necessary. */
static void settle(floe__gather *g) {
  start_due(g);
  if (g->state == FLOE__GATHER_OPEN && is_all_done(g)) complete(g);
  if (g->state == FLOE__GATHER_CLOSING && !is_deleting(g)) finish_closing(g);
}

static void on_resolved(floe__gather *g, const floe_input *in) {
  if (g->state != FLOE__GATHER_OPEN) return;
  for (size_t i = 0; i < g->n_lookups; i++) {
    if (!floe__lookup_on_resolved(g->lookups[i], g->io, in)) continue;
    for (size_t k = 0; k < g->n_servers; k++) floe__gather_server_on_lookup(&g->servers[k]);
    return;
  }
}

void floe__gather_on_base_changed(floe__gather *g, floe__base *b) {
  if (b->udp.state == FLOE__UDP_OPEN && b->surfaces && g->state == FLOE__GATHER_OPEN) add_host(g, b);
  for (size_t i = 0; i < g->n_servers; i++) {
    floe__gather_server *s = &g->servers[i];
    for (size_t k = 0; k < s->n_attempts; k++) {
      if (s->attempts[k]->base == b) floe__attempt_on_base(s->attempts[k]);
    }
  }
}

void floe__gather_on_input(floe__gather *g, const floe_input *in) {
  if (g->state == FLOE__GATHER_CLOSED) return;
  switch (in->type) {
    case FLOE_INPUT_TIMER: break;
    case FLOE_INPUT_INTERFACES: on_interfaces(g, in); break;
    case FLOE_INPUT_RESOLVED: on_resolved(g, in); break;
    case FLOE_INPUT_SOCKET_ACCEPTED: break; /* candidates for TCP checks are not gather's */
    case FLOE_INPUT_SOCKET_BOUND:
    case FLOE_INPUT_SOCKET_OPENED:
    case FLOE_INPUT_SOCKET_FAILED:
    case FLOE_INPUT_STREAM:
    case FLOE_INPUT_STREAM_END: floe__gather_route_socket(g, in); break;
    case FLOE_INPUT_DATAGRAM: floe__gather_route_datagram(g, in); break;
    case FLOE_INPUT_SEND_FAILED:
    case FLOE_INPUT_ICMP: floe__gather_route_icmp(g, in); break;
  }
  settle(g);
}

/* --- time ------------------------------------------------------------------------------------------------------ */

floe__deadline floe__gather_deadline(const floe__gather *g) {
  floe__deadline d = FLOE__NO_DEADLINE;
  bool open = g->state == FLOE__GATHER_LISTING || g->state == FLOE__GATHER_OPEN;
  if (open) d = floe__deadline_at(g->deadline_at, "gather.all");
  if (g->state == FLOE__GATHER_CLOSING) d = floe__deadline_at(g->deadline_at, "gather.close");
  if (g->state == FLOE__GATHER_CLOSED) return d;
  if (open && has_waiting(g)) d = floe__earliest(d, floe__deadline_at(g->next_start_at, "gather.pacing"));
  for (size_t i = 0; open && i < g->n_lookups; i++) d = floe__earliest(d, floe__lookup_deadline(g->lookups[i]));
  for (size_t i = 0; i < g->n_servers; i++) {
    const floe__gather_server *s = &g->servers[i];
    if (s->n_active == 0) continue;
    for (size_t k = 0; k < s->n_attempts; k++) d = floe__earliest(d, floe__attempt_deadline(s->attempts[k]));
  }
  return d;
}

static void run_due_lookups(floe__gather *g) {
  for (size_t i = 0; i < g->n_lookups; i++) {
    if (!floe__lookup_on_deadline(g->lookups[i], g->io)) continue;
    for (size_t k = 0; k < g->n_servers; k++) floe__gather_server_on_lookup(&g->servers[k]);
  }
}

static void run_due_attempts(floe__gather *g) {
  for (size_t i = 0; i < g->n_servers; i++) {
    floe__gather_server *s = &g->servers[i];
    if (s->n_active == 0) continue;
    for (size_t k = 0; k < s->n_attempts; k++) {
      if (floe__attempt_deadline(s->attempts[k]).at <= g->io->now) floe__attempt_on_deadline(s->attempts[k]);
    }
  }
}

void floe__gather_on_deadline(floe__gather *g) {
  while (floe__gather_deadline(g).at <= g->io->now) {
    bool open = g->state == FLOE__GATHER_LISTING || g->state == FLOE__GATHER_OPEN;
    if (open) run_due_lookups(g);
    run_due_attempts(g);
    if (g->deadline_at <= g->io->now && open) give_up(g);
    if (g->deadline_at <= g->io->now && g->state == FLOE__GATHER_CLOSING) finish_closing(g);
    settle(g);
  }
}

const floe_report *floe__gather_report(const floe__gather *g) {
  return g->state >= FLOE__GATHER_COMPLETE ? &g->report : NULL;
}
