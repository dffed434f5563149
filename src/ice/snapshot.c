/* Statistics (W3C webrtc-stats) and the report on the connection, taken at one moment. */
#include <string.h>

#include "ice/connection.h"

void floe__snapshot_clear(floe__snapshot *snap, floe_env *env) {
  floe__free(env, snap->pairs);
  floe__free(env, (void *)snap->locals);
  floe__free(env, snap->remotes);
  floe__free(env, snap->groups);
  memset(snap, 0, sizeof *snap);
}

/* --- pairs ------------------------------------------------------------------------------------------------------ */

static void fill_counts(floe_pair_stats *to, const floe__pair_counts *c) {
  to->packets_sent = c->packets_sent;
  to->packets_received = c->packets_received;
  to->bytes_sent = c->bytes_sent;
  to->bytes_received = c->bytes_received;
  to->has_last_packet_sent = c->packets_sent > 0;
  to->last_packet_sent = c->last_sent_at;
  to->has_last_packet_received = c->packets_received > 0;
  to->last_packet_received = c->last_received_at;
  to->has_current_round_trip_time = c->has_rtt;
  to->current_round_trip_time = c->rtt_ms / 1000;
  to->total_round_trip_time = c->total_rtt_ms / 1000;
  to->requests_sent = c->requests_sent;
  to->requests_received = c->requests_received;
  to->responses_sent = c->responses_sent;
  to->responses_received = c->responses_received;
  to->consent_requests_sent = c->consent_sent;
  to->packets_discarded_on_send = c->packets_discarded;
  to->bytes_discarded_on_send = c->bytes_discarded;
  to->stun_error_code = c->stun_error;
  to->integrity_failures = c->integrity_failures;
  to->icmp_errors = c->icmp_errors;
  to->has_icmp = c->has_icmp;
  to->icmp_type = c->icmp_type;
  to->icmp_code = c->icmp_code;
  to->os_error = c->os_error;
}

static void fill_pair(floe_pair_stats *to, const floe__session *s, const floe__pair *p) {
  memset(to, 0, sizeof *to);
  fill_counts(to, &p->counts);
  to->id = p->id;
  to->local_candidate_id = p->valid_local != NULL ? p->valid_local->pub.id : p->local->pub.id;
  to->remote_candidate_id = p->remote->pub.id;
  to->state = p->state;
  to->nominated = p->is_nominated;
  to->selected = p == s->selected;
  to->priority = p->priority;
  to->failure = p->failure;
}

static bool take_pairs(floe__snapshot *snap, const floe__session *s, const floe__session *also, size_t *n) {
  *n = s->n_pairs + (also != NULL && also->selected != NULL ? 1 : 0);
  snap->pairs = floe__alloc(s->io->env, (*n + 1) * sizeof *snap->pairs);
  if (snap->pairs == NULL) return false;
  for (size_t i = 0; i < s->n_pairs; i++) fill_pair(&snap->pairs[i], s, s->pairs[i]);
  if (*n > s->n_pairs) fill_pair(&snap->pairs[s->n_pairs], also, also->selected);
  return true;
}

/* --- candidates ------------------------------------------------------------------------------------------------- */

static bool take_candidates(floe__snapshot *snap, const floe__session *s, const floe__session *also) {
  floe_env *env = s->io->env;
  floe_stats *st = &snap->stats;
  size_t extra = also != NULL && also->selected != NULL ? 1 : 0;
  snap->locals = floe__alloc(env, (s->candidates.n + extra + 1) * sizeof *snap->locals);
  snap->remotes = floe__zalloc(env, (s->remotes.n + extra + 1) * sizeof *snap->remotes);
  if (snap->locals == NULL || snap->remotes == NULL) return false;
  for (size_t i = 0; i < s->candidates.n; i++) snap->locals[st->n_local_candidates++] = &s->candidates.items[i]->pub;
  for (size_t i = 0; i < s->remotes.n; i++) {
    const floe__remote *r = s->remotes.items[i];
    snap->remotes[st->n_remote_candidates++] = (floe_remote_candidate_stats){&r->pub, r->resolution};
  }
  if (extra == 0) return true;
  const floe__pair *p = also->selected;
  snap->locals[st->n_local_candidates++] = p->valid_local != NULL ? &p->valid_local->pub : &p->local->pub;
  snap->remotes[st->n_remote_candidates++] = (floe_remote_candidate_stats){&p->remote->pub, p->remote->resolution};
  return true;
}

static void fill_transport(floe_transport_stats *t, const floe__session *s, const floe__session *also) {
  const floe__connection *conn = s->conn;
  const floe__pair *selected = s->selected;
  if (selected == NULL && also != NULL) selected = also->selected;
  t->packets_sent = conn->packets_sent;
  t->packets_received = conn->packets_received;
  t->bytes_sent = conn->bytes_sent;
  t->bytes_received = conn->bytes_received;
  t->selected_candidate_pair_changes = conn->selections;
  t->selected_candidate_pair_id = selected == NULL ? 0 : selected->id;
  t->ice_role = conn->role;
  t->ice_local_username_fragment = s->ufrag;
}

bool floe__snapshot_take_stats(floe__snapshot *snap, const floe__session *s, const floe__session *also) {
  floe__snapshot_clear(snap, s->io->env);
  floe_stats *st = &snap->stats;
  size_t n;
  if (!take_pairs(snap, s, also, &n) || !take_candidates(snap, s, also)) {
    floe__snapshot_clear(snap, s->io->env);
    return false;
  }
  fill_transport(&st->transport, s, also);
  st->timestamp = s->io->now;
  st->pairs = snap->pairs;
  st->n_pairs = n;
  st->local_candidates = snap->locals;
  st->remote_candidates = snap->remotes;
  st->server_errors = s->io->server_errors;
  return true;
}

/* --- the report ------------------------------------------------------------------------------------------------- */

static floe_pair_group *find_group(floe__snapshot *snap, const floe__pair *p) {
  floe_connection_report *r = &snap->report;
  floe_family family = (floe_family)p->remote->pub.address.family;
  for (size_t i = 0; i < r->n_groups; i++) {
    floe_pair_group *g = &snap->groups[i];
    if (g->local_type == p->local->pub.type && g->remote_type == p->remote->pub.type && g->family == family &&
        g->transport == p->local->pub.transport)
      return g;
  }
  floe_pair_group *g = &snap->groups[r->n_groups++];
  memset(g, 0, sizeof *g);
  g->local_type = p->local->pub.type;
  g->remote_type = p->remote->pub.type;
  g->family = family;
  g->transport = p->local->pub.transport;
  return g;
}

static void add_to_group(floe_pair_group *g, const floe__pair *p) {
  const floe__pair_counts *c = &p->counts;
  g->n_pairs++;
  g->n_by_state[p->state]++;
  g->requests_sent += c->requests_sent;
  g->responses_received += c->responses_received;
  g->requests_received += c->requests_received;
  if (c->stun_error != 0) g->stun_error_code = c->stun_error;
  g->icmp_errors += c->icmp_errors;
  g->integrity_failures += c->integrity_failures;
}

static bool is_fine(floe_ice_connection_state state) {
  return state == FLOE_ICE_CONNECTION_CONNECTED || state == FLOE_ICE_CONNECTION_COMPLETED;
}

static void fill_report(floe_connection_report *r, const floe__session *s, floe_ice_connection_state state) {
  r->verdict = is_fine(state) ? FLOE_CAUSE_NONE : floe__session_verdict(s);
  r->state = state;
  bool began = s->remote_ufrag != NULL;
  r->elapsed_ms = began ? floe__ms_between(s->started_at, s->io->now) : 0;
  r->role = s->conn->role;
  r->role_conflicts = s->conn->role_conflicts;
  r->received_anything = s->heard_anything;
  r->requests_received = s->requests_received;
  r->unknown_ufrag = s->unknown_ufrag;
  r->bad_integrity = s->bad_integrity;
  r->refused_requests = s->refused_requests;
  r->n_local_candidates = (uint32_t)s->candidates.n;
  r->n_remote_candidates = (uint32_t)s->remotes.n;
  r->remote_ended = s->remote_ended;
  for (size_t i = 0; i < s->remotes.n; i++) {
    if (s->remotes.items[i]->pub.address.family == FLOE_FAMILY_NONE) r->n_unresolved++;
  }
  for (size_t i = 0; i < s->n_pairs; i++) {
    if (s->pairs[i]->was_denied) r->n_relay_denied++;
  }
}

bool floe__snapshot_take_report(floe__snapshot *snap, const floe__session *s, floe_ice_connection_state state) {
  floe_env *env = s->io->env;
  floe__snapshot_clear(snap, env);
  size_t n;
  bool ok = take_pairs(snap, s, NULL, &n);
  snap->groups = floe__alloc(env, (s->n_pairs + 1) * sizeof *snap->groups);
  if (!ok || snap->groups == NULL) {
    floe__snapshot_clear(snap, env);
    return false;
  }
  floe_connection_report *r = &snap->report;
  fill_report(r, s, state);
  for (size_t i = 0; i < s->n_pairs; i++) add_to_group(find_group(snap, s->pairs[i]), s->pairs[i]);
  r->groups = snap->groups;
  r->pairs = snap->pairs;
  r->n_pairs = n;
  return true;
}
