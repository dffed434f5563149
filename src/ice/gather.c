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
  for (size_t i = 0; i < g->bases.n; i++) floe__free(env, g->bases.items[i].mdns_name);
  floe__free(env, g->bases.items);
  floe__free(env, g->listeners);
  floe__free(env, g->seen);
  floe__free(env, g->servers);
  floe__free(env, g->lookups);
  floe__free(env, g->server_reports);
  floe__free(env, g);
}

/* --- starting -------------------------------------------------------------------------------------------------- */

static void begin(floe__gather *g) {
  floe__io *io = g->io;
  g->is_under_way = true;
  g->candidates->n_under_way++;
  g->started_at = io->now;
  g->deadline_at = floe__after_ms(io->now, io->settings->cfg.timing.gathering_timeout_ms);
  floe__event_init(&g->gathering_node, FLOE_EVENT_ICEGATHERINGSTATECHANGE, io->now, g->started_at);
  g->gathering_node.event.u.gathering_state = FLOE_ICE_GATHERING_GATHERING;
}

static void end_being_under_way(floe__gather *g) {
  if (!g->is_under_way) return;
  g->is_under_way = false;
  g->candidates->n_under_way--;
}

void floe__gather_start(floe__gather *g) {
  begin(g);
  if (!floe__io_ask_interfaces(g->io)) g->deadline_at = g->io->now; /* without memory: as a host without addresses */
}

static void open_host_sockets(floe__gather *g) {
  for (size_t i = 0; i < g->bases.n; i++) {
    floe__base *b = &g->bases.items[i];
    if (b->surfaces && !b->is_gone) floe__base_open_udp(b, g->io);
  }
  floe__gather_open_listeners(g);
}

static void open_on_bases(floe__gather *g) {
  go(g, FLOE__GATHER_OPEN);
  open_host_sockets(g);
  for (size_t i = 0; i < g->n_servers; i++) floe__gather_server_begin(&g->servers[i]);
}

static void on_interfaces(floe__gather *g, const floe_input *in) {
  if (g->state != FLOE__GATHER_LISTING || g->is_partial) return;
  bool ok = floe__base_list_make(&g->bases, g->io, in->interfaces, in->n_interfaces) && in->os_error == 0;
  g->listing_error = in->os_error;
  (void)snprintf(g->listing_error_text, sizeof g->listing_error_text, "%s",
                 in->os_error_text == NULL ? "" : in->os_error_text);
  for (size_t i = 0; i < g->n_servers && !ok; i++) g->servers[i].lost_attempts = true;
  floe__gather_note_addresses(g, in->interfaces, in->n_interfaces);
  open_on_bases(g);
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
  while (g->state == FLOE__GATHER_OPEN && g->io->next_start_at <= g->io->now) {
    floe__attempt *a = next_waiting(g);
    if (a == NULL) return;
    g->io->next_start_at = floe__after_ms(g->io->now, g->io->settings->cfg.timing.ta_ms);
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
  for (size_t i = 0; i < g->n_listeners; i++) {
    if (g->listeners[i].sock.state == FLOE__UDP_OPENING) return false;
  }
  for (size_t i = 0; i < g->n_servers; i++) {
    if (!floe__gather_server_is_done(&g->servers[i])) return false;
  }
  return true;
}

/* Nothing that is still being opened is needed, nor is another port of a range tried for it. */
static void close_opening(floe__gather *g) {
  for (size_t i = 0; i < g->bases.n; i++) {
    floe__base *b = &g->bases.items[i];
    if (b->udp.state == FLOE__UDP_OPENING) floe__udp_close(&b->udp, g->io);
  }
  for (size_t i = 0; i < g->n_listeners; i++) {
    floe__udp_socket *sock = &g->listeners[i].sock;
    if (sock->state == FLOE__UDP_OPENING) floe__udp_close(sock, g->io);
  }
}

static bool uses_base_socket(const floe__try *t, const floe__base *b) {
  return t->setup.base == b && !t->owns_udp && (t->state == FLOE__TRY_LIVE || floe__try_is_open(t));
}

static bool is_base_needed(const floe__gather *g, const floe__base *b) {
  if (b->surfaces) return true;
  for (size_t i = 0; i < g->n_servers; i++) {
    const floe__gather_server *s = &g->servers[i];
    for (size_t k = 0; k < s->n_attempts; k++) {
      const floe__attempt *a = s->attempts[k];
      if (a->n_tries > 0 && uses_base_socket(a->tries[0], b)) return true;
    }
  }
  return false;
}

void floe__gather_release_base(floe__gather *g, floe__base *b) {
  if (g->state == FLOE__GATHER_COMPLETE && !is_base_needed(g, b)) floe__udp_close(&b->udp, g->io);
}

void floe__gather_tell(floe__gather *g, floe__event_node *node) {
  if (!g->is_mute) floe__event_push(g->events, node);
}

static void tell_complete(floe__gather *g) {
  if (g->gathering_node.event.name == NULL) return; /* there was nothing to gather on */
  if (!g->io->settings->cfg.continual_gathering) {  /* else more may always come */
    floe__event_init(&g->end_node, FLOE_EVENT_ICECANDIDATE, g->io->now, g->started_at);
    floe__gather_tell(g, &g->end_node);
  }
  floe__event_init(&g->complete_node, FLOE_EVENT_ICEGATHERINGSTATECHANGE, g->io->now, g->started_at);
  g->complete_node.event.u.gathering_state = FLOE_ICE_GATHERING_COMPLETE;
  floe__gather_tell(g, &g->complete_node);
}

static void complete(floe__gather *g) {
  go(g, FLOE__GATHER_COMPLETE);
  end_being_under_way(g);
  g->completed_at = g->io->now;
  close_opening(g);
  for (size_t i = 0; i < g->bases.n; i++) floe__gather_release_base(g, &g->bases.items[i]);
  floe__report_fill(g);
  tell_complete(g);
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
  for (size_t i = 0; i < g->n_listeners; i++) floe__udp_close(&g->listeners[i].sock, g->io);
  go(g, FLOE__GATHER_CLOSED);
}

void floe__gather_close(floe__gather *g) {
  if (g->state == FLOE__GATHER_CLOSING || g->state == FLOE__GATHER_CLOSED) return;
  go(g, FLOE__GATHER_CLOSING);
  end_being_under_way(g);
  g->deadline_at = floe__after_ms(g->io->now, g->io->settings->cfg.timing.close_timeout_ms);
  close_opening(g);
  for (size_t i = 0; i < g->bases.n; i++) floe__gather_withdraw_name(g, &g->bases.items[i]);
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

/* Waits for another gathering of its session to be complete: what is told lies between one `gathering` and one
 * `complete`, and each URL has at most one 701 there. */
static bool is_waiting(const floe__gather *g) {
  return g->is_partial && g->state == FLOE__GATHER_LISTING;
}

static void open_nothing(floe__gather *g) {
  for (size_t i = 0; i < g->n_servers; i++) g->servers[i].unused = true;
  go(g, FLOE__GATHER_OPEN);
  settle(g);
}

static void open_partial(floe__gather *g) {
  bool any = false;
  for (size_t i = 0; i < g->bases.n; i++) any = any || !g->bases.items[i].is_gone;
  if (!any) {
    open_nothing(g);
    return;
  }
  begin(g);
  floe__gather_tell(g, &g->gathering_node);
  open_on_bases(g);
  settle(g);
}

void floe__gather_start_on(floe__gather *g, const floe_interface *list, size_t n) {
  g->is_partial = true;
  bool ok = floe__base_list_make(&g->bases, g->io, list, n);
  if (ok) floe__gather_note_addresses(g, list, n); /* else the next change of addresses brings them up again */
  if (g->bases.n == 0) open_nothing(g);            /* else at its deadline: now, or when the others are done */
}

void floe__gather_on_interfaces_changed(floe__gather *g, const floe_interface *list, size_t n) {
  if (g->state != FLOE__GATHER_OPEN && g->state != FLOE__GATHER_COMPLETE && !is_waiting(g)) return;
  floe__gather_lose_addresses(g, list, n);
  settle(g);
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
  if (b->surfaces && g->state == FLOE__GATHER_OPEN) floe__gather_add_hosts(g, b);
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
  if (is_waiting(g))
    return floe__deadline_at(g->candidates->n_under_way == 0 ? g->io->now : FLOE_TIME_NEVER, "gather.next");
  bool open = g->state == FLOE__GATHER_LISTING || g->state == FLOE__GATHER_OPEN;
  if (open) d = floe__deadline_at(g->deadline_at, "gather.all");
  if (g->state == FLOE__GATHER_CLOSING) d = floe__deadline_at(g->deadline_at, "gather.close");
  if (g->state == FLOE__GATHER_CLOSED) return d;
  if (open && has_waiting(g)) d = floe__earliest(d, floe__deadline_at(g->io->next_start_at, "gather.pacing"));
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
    if (is_waiting(g)) open_partial(g);
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
