#include "ice/session.h"

#include <string.h>

#include "base/assert.h"
#include "base/rng.h"
#include "base/trace.h"
#include "ice/parameters.h"

#define UFRAG_LEN        4  /* 24 bits of randomness, as RFC 8445 5.3 asks for */
#define UFRAG_LEN_SHARED 12 /* 72 bits: no two of a million agents on one port have the same */
#define PWD_LEN          24 /* 144 bits; 128 are asked for */

/* --- role ------------------------------------------------------------------------------------------------------- */

void floe__role_set(floe__connection *conn, floe_ice_role role, const char *why) {
  if (conn->role == role) return;
  floe__trace t;
  if (floe__trace_begin(&t, conn->io->env, conn->io->now, "ice.role")) {
    floe__trace_text(&t, "from", floe_ice_role_name(conn->role));
    floe__trace_text(&t, "to", floe_ice_role_name(role));
    floe__trace_text(&t, "why", why);
    floe__trace_end(&t);
  }
  conn->role = role;
  conn->role_changes++;
}

void floe__role_yield(floe__connection *conn, bool was_controlling) {
  conn->role_conflicts++;
  if (was_controlling != (conn->role == FLOE_ICE_ROLE_CONTROLLING)) return;
  floe_ice_role other = was_controlling ? FLOE_ICE_ROLE_CONTROLLED : FLOE_ICE_ROLE_CONTROLLING;
  floe__role_set(conn, other, "the peer answered 487");
  /* RFC 8445 7.2.5.1: should the peer have changed its role too, the next comparison need not end the same way. */
  floe__random(conn->io->env, &conn->tie_breaker, sizeof conn->tie_breaker);
}

/* --- state ------------------------------------------------------------------------------------------------------ */

/* W3C RTCIceTransportState, without `closed`, which is the agent's. */
static bool is_allowed(floe_ice_connection_state from, floe_ice_connection_state to) {
  switch (to) {
    case FLOE_ICE_CONNECTION_NEW: return false;
    case FLOE_ICE_CONNECTION_CHECKING: return from == FLOE_ICE_CONNECTION_NEW;
    case FLOE_ICE_CONNECTION_CONNECTED: return from != FLOE_ICE_CONNECTION_FAILED && from != to;
    case FLOE_ICE_CONNECTION_COMPLETED: return from == FLOE_ICE_CONNECTION_CONNECTED;
    case FLOE_ICE_CONNECTION_DISCONNECTED:
      return from == FLOE_ICE_CONNECTION_CONNECTED || from == FLOE_ICE_CONNECTION_COMPLETED;
    case FLOE_ICE_CONNECTION_FAILED:
      return from == FLOE_ICE_CONNECTION_CHECKING || from == FLOE_ICE_CONNECTION_DISCONNECTED;
    case FLOE_ICE_CONNECTION_CLOSED: return false;
  }
  return false;
}

void floe__session_go(floe__session *s, floe_ice_connection_state next, floe_cause cause) {
  if (s->state == next) return;
  FLOE__ASSERT(is_allowed(s->state, next));
  floe__trace t;
  if (floe__trace_begin(&t, s->io->env, s->io->now, "ice.state")) {
    floe__trace_text(&t, "ufrag", s->ufrag);
    floe__trace_text(&t, "from", floe_ice_connection_state_name(s->state));
    floe__trace_text(&t, "to", floe_ice_connection_state_name(next));
    if (cause != FLOE_CAUSE_NONE) floe__trace_text(&t, "cause", floe_cause_id(cause));
    floe__trace_end(&t);
  }
  s->state = next;
  s->cause = cause;
}

bool floe__session_is_connected(const floe__session *s) {
  return s->state == FLOE_ICE_CONNECTION_CONNECTED || s->state == FLOE_ICE_CONNECTION_COMPLETED ||
         s->state == FLOE_ICE_CONNECTION_DISCONNECTED;
}

bool floe__session_is_checking(const floe__session *s) {
  return !s->is_ended && s->remote_ufrag != NULL && s->state != FLOE_ICE_CONNECTION_FAILED;
}

/* --- making and freeing ----------------------------------------------------------------------------------------- */

static char *draw(floe_env *env, size_t len) {
  char *text = floe__alloc(env, len + 1);
  if (text != NULL) floe__ice_chars_draw(env, text, len);
  return text;
}

/* `started` is told with what is first done with it: before that the time is not known. */
static void trace_session(const floe__session *s, const char *change) {
  floe__trace t;
  if (!floe__trace_begin(&t, s->io->env, s->io->now, "ice.session")) return;
  floe__trace_text(&t, "ufrag", s->ufrag);
  floe__trace_text(&t, "change", change);
  floe__trace_end(&t);
}

floe__session *floe__session_new(floe__connection *conn) {
  floe_env *env = conn->io->env;
  floe__session *s = floe__zalloc(env, sizeof *s);
  if (s == NULL) return NULL;
  s->conn = conn;
  s->io = conn->io;
  s->patience_at = s->valid_at = s->nominate_at = s->lost_at = s->repair_at = FLOE_TIME_NEVER;
  s->consent.next_at = s->consent.retry_at = FLOE_TIME_NEVER;
  const floe_ice_config *cfg = &conn->io->settings->cfg;
  bool first = cfg->local_ufrag != NULL && !conn->io->used_configured;
  size_t ufrag_len = cfg->shared_sockets ? UFRAG_LEN_SHARED : UFRAG_LEN;
  s->ufrag = first ? floe__strdup(env, cfg->local_ufrag) : draw(env, ufrag_len);
  s->pwd = first ? floe__strdup(env, cfg->local_pwd) : draw(env, PWD_LEN);
  if (s->ufrag == NULL || s->pwd == NULL) {
    floe__session_free(s);
    return NULL;
  }
  conn->io->used_configured = true;
  s->local = (floe_ice_parameters){s->ufrag, s->pwd, cfg->lite};
  return s;
}

static void free_pwd(floe_env *env, char *pwd) {
  if (pwd != NULL) floe__free_secret(env, pwd, strlen(pwd));
}

bool floe__session_set_local(floe__session *s, const floe_ice_parameters *p) {
  floe_env *env = s->io->env;
  char *ufrag = floe__strdup(env, p->ufrag), *pwd = floe__strdup(env, p->pwd);
  if (ufrag == NULL || pwd == NULL) {
    floe__free(env, ufrag);
    free_pwd(env, pwd);
    return false;
  }
  floe__free(env, s->ufrag);
  free_pwd(env, s->pwd);
  s->ufrag = ufrag;
  s->pwd = pwd;
  s->local.ufrag = ufrag;
  s->local.pwd = pwd;
  return true;
}

static void free_key(floe_env *env, floe__stun_key *key) {
  if (key != NULL) floe__free_secret(env, key, sizeof *key);
}

void floe__session_free(floe__session *s) {
  if (s == NULL) return;
  floe_env *env = s->io->env;
  floe__checklist_clear(s);
  for (size_t i = 0; i < s->n_links; i++) floe__tcp_link_free(s->links[i], s->io);
  floe__free(env, s->links);
  for (size_t i = 0; i < s->n_gathers; i++) floe__gather_free(s->gathers[i]);
  floe__free(env, s->gathers);
  floe__candidate_list_clear(&s->candidates, env);
  floe__remote_list_clear(&s->remotes, env);
  free_key(env, s->local_key);
  free_key(env, s->remote_key);
  floe__free(env, s->ufrag);
  free_pwd(env, s->pwd);
  floe__free(env, s->remote_ufrag);
  free_pwd(env, s->remote_pwd);
  floe__free(env, s);
}

void floe__session_swap_parameters(floe__session *a, floe__session *b) {
  char *ufrag = a->ufrag;
  char *pwd = a->pwd;
  a->ufrag = b->ufrag;
  a->pwd = b->pwd;
  b->ufrag = ufrag;
  b->pwd = pwd;
  a->local.ufrag = a->ufrag;
  a->local.pwd = a->pwd;
  b->local.ufrag = b->ufrag;
  b->local.pwd = b->pwd;
  free_key(a->io->env, a->local_key);
  free_key(b->io->env, b->local_key);
  a->local_key = b->local_key = NULL;
}

void floe__session_mute(floe__session *s) {
  s->is_mute = true;
  for (size_t i = 0; i < s->n_gathers; i++) s->gathers[i]->is_mute = true;
}

/* --- gathering -------------------------------------------------------------------------------------------------- */

static void on_relayed(void *owner, uint32_t candidate, const floe_addr *from, floe_bytes data) {
  floe__session *s = owner;
  floe__path path = {.local = floe__session_candidate(s, candidate), .remote = *from};
  bool taken = path.local != NULL && floe__session_on_packet(s, &path, data);
  /* A program may use a relay without a peer connection (floe_ice_agent_permit). */
  if (!taken && !s->is_ended && s->remote_ufrag == NULL) (void)floe__io_data(s->io, candidate, from, data);
}

static void on_permission(void *owner, uint32_t candidate, const floe_addr *peer, floe__permit_result result) {
  floe__check_on_permission(owner, candidate, peer, result);
}

static bool is_passive(const floe__remote *r) {
  return r->pub.transport == FLOE_TRANSPORT_TCP && r->pub.tcp_type == FLOE_TCP_TYPE_PASSIVE;
}

/* RFC 6544 4.1: active candidates are there whenever the peer waits to be connected to. */
static void use_tcp(const floe__session *s, floe__gather *g) {
  for (size_t i = 0; i < s->remotes.n; i++) {
    if (is_passive(s->remotes.items[i])) floe__gather_use_tcp(g);
  }
}

static floe__gather *add_gather(floe__session *s) {
  void *gathers = s->gathers;
  if (!floe__reserve(s->io->env, &gathers, &s->gathers_cap, sizeof *s->gathers, s->n_gathers + 1)) return NULL;
  s->gathers = gathers;
  floe__gather_setup setup = {
      .io = s->io,
      .events = s->conn->events,
      .candidates = &s->candidates,
      .on_relayed = on_relayed,
      .on_permission = on_permission,
      .owner = s,
  };
  floe__gather *g = floe__gather_new(&setup);
  if (g == NULL) return NULL;
  s->gathers[s->n_gathers++] = g;
  use_tcp(s, g);
  return g;
}

bool floe__session_gather(floe__session *s) {
  FLOE__ASSERT(s->n_gathers == 0);
  if (s->remote_ufrag == NULL) trace_session(s, "started");
  floe__gather *g = add_gather(s);
  if (g == NULL) return false;
  floe__gather_start(g);
  return true;
}

/* Continual gathering: addresses that no gathering knows. */
static void gather_on_new(floe__session *s, const floe_input *in) {
  if (s->is_mute) return; /* the session after it does */
  floe_interface *fresh = floe__alloc(s->io->env, (in->n_interfaces + 1) * sizeof *fresh);
  size_t n = 0;
  for (size_t i = 0; fresh != NULL && i < in->n_interfaces; i++) {
    bool known = false;
    for (size_t k = 0; k < s->n_gathers; k++) {
      known = known || floe__gather_has_address(s->gathers[k], &in->interfaces[i].addr);
    }
    if (!known) fresh[n++] = in->interfaces[i];
  }
  floe__gather *g = n == 0 ? NULL : add_gather(s);
  if (g != NULL) floe__gather_start_on(g, fresh, n);
  floe__free(s->io->env, fresh);
}

floe__gather *floe__session_main_gather(const floe__session *s) {
  return s->n_gathers == 0 ? NULL : s->gathers[0];
}

/* --- the peer --------------------------------------------------------------------------------------------------- */

static void begin_checks(floe__session *s) {
  const floe_ice_timing *timing = &s->io->settings->cfg.timing;
  s->started_at = s->io->now;
  s->patience_at = floe__after_ms(s->io->now, timing->patience_ms);
  s->fresh_at = s->io->now;
  s->is_idle = false;
  floe__session_go(s, FLOE_ICE_CONNECTION_CHECKING, FLOE_CAUSE_NONE);
}

floe_status floe__session_set_remote(floe__session *s, const floe_ice_parameters *p) {
  if (s->remote_ufrag != NULL) {
    bool same = strcmp(s->remote_ufrag, p->ufrag) == 0 && strcmp(s->remote_pwd, p->pwd) == 0;
    return same ? FLOE_OK : FLOE_E_STATE;
  }
  floe_env *env = s->io->env;
  char *ufrag = floe__strdup(env, p->ufrag);
  char *pwd = floe__strdup(env, p->pwd);
  floe__stun_key *key = floe__alloc(env, sizeof *key);
  if (ufrag == NULL || pwd == NULL || key == NULL) {
    floe__free(env, ufrag);
    free_pwd(env, pwd);
    floe__free(env, key);
    return FLOE_E_NOMEM;
  }
  floe__stun_key_init(key, p->pwd, strlen(p->pwd));
  if (s->n_gathers == 0) trace_session(s, "started");
  s->remote_ufrag = ufrag;
  s->remote_pwd = pwd;
  s->remote_key = key;
  s->remote = (floe_ice_parameters){ufrag, pwd, p->lite};
  /* RFC 8445 6.1.1: beside a lite agent the full one is controlling. */
  bool we_are_lite = s->local.lite;
  if (p->lite && !we_are_lite) floe__role_set(s->conn, FLOE_ICE_ROLE_CONTROLLING, "the peer is lite");
  if (!p->lite && we_are_lite) floe__role_set(s->conn, FLOE_ICE_ROLE_CONTROLLED, "this side is lite");
  begin_checks(s);
  return FLOE_OK;
}

static void on_remote(floe__session *s, floe__remote *r, bool promoted) {
  if (promoted) floe__checklist_sort(s);
  for (size_t i = 0; i < s->n_gathers && is_passive(r); i++) floe__gather_use_tcp(s->gathers[i]);
  if (s->n_paired < s->candidates.n) floe__checklist_on_locals(s); /* no input need follow that would do it */
  floe__checklist_on_remote(s, r);
}

floe_status floe__session_add_remote(floe__session *s, const floe_candidate_line *line, const char *text) {
  floe__remote *r;
  bool promoted;
  floe_status st = floe__remote_add(&s->remotes, s->io, line, text, &r, &promoted);
  if (r != NULL) on_remote(s, r, promoted);
  return st;
}

void floe__session_end_remotes(floe__session *s) {
  s->remote_ended = true;
}

/* --- what follows from what has happened ------------------------------------------------------------------------ */

static bool is_gathering(const floe__session *s) {
  if (s->n_gathers == 0) return !s->io->settings->cfg.lite;
  for (size_t i = 0; i < s->n_gathers; i++) {
    if (s->gathers[i]->state < FLOE__GATHER_COMPLETE) return true;
  }
  return false;
}

/* RFC 8445 8.1.2, W3C `completed`: nothing is open any more. */
static void complete(floe__session *s) {
  if (s->state != FLOE_ICE_CONNECTION_CONNECTED || !s->remote_ended) return;
  if (is_gathering(s) || floe__checklist_is_open(s) || floe__remote_is_pending(&s->remotes)) return;
  floe__session_go(s, FLOE_ICE_CONNECTION_COMPLETED, FLOE_CAUSE_NONE);
}

/* A peer that goes on checking and never answers keeps a check of ours open for ever (RFC 8445 7.3.1.4 begins it anew
 * each time): when the newest pair has had twice the time that a check may take, that is enough. */
static floe_time enough_at(const floe__session *s) {
  return floe__after_ms(s->fresh_at, 2 * (uint64_t)s->io->settings->cfg.timing.patience_ms);
}

/* RFC 8863 3: not before patience is over, for the peer may still be learnt of. */
static void fail_if_over(floe__session *s) {
  if (s->state != FLOE_ICE_CONNECTION_CHECKING || s->io->now < s->patience_at) return;
  bool is_open = floe__checklist_is_open(s) || floe__remote_is_pending(&s->remotes);
  if (is_open && s->io->now < enough_at(s)) return;
  floe_time nominated_by =
      s->valid_at == FLOE_TIME_NEVER ? 0 : floe__after_ms(s->valid_at, s->io->settings->cfg.timing.patience_ms);
  if (s->io->now < nominated_by) return;
  floe__session_go(s, FLOE_ICE_CONNECTION_FAILED, floe__session_verdict(s));
}

static void start_due_checks(floe__session *s) {
  floe__io *io = s->io;
  while (floe__session_is_checking(s) && !s->is_idle && io->next_start_at <= io->now) {
    floe__pair *p = floe__checklist_next(s);
    if (p == NULL) {
      s->is_idle = true;
      return;
    }
    io->next_start_at = floe__after_ms(io->now, io->settings->cfg.timing.ta_ms);
    floe__check_start(s, p);
  }
}

static void settle(floe__session *s) {
  if (s->is_ended) return;
  if (s->role_seen != s->conn->role_changes) floe__checklist_on_role(s);
  if (s->n_gone_seen != s->candidates.n_gone) {
    s->n_gone_seen = s->candidates.n_gone;
    floe__checklist_on_gone(s);
  }
  if (s->n_paired < s->candidates.n) floe__checklist_on_locals(s);
  floe__nominate(s);
  start_due_checks(s);
  complete(s);
  fail_if_over(s);
}

/* --- inputs ----------------------------------------------------------------------------------------------------- */

/* The local UDP candidate on this socket. */
static floe__candidate *find_by_sock(const floe__session *s, floe_sock_id sock) {
  for (size_t i = 0; i < s->candidates.n; i++) {
    floe__candidate *c = s->candidates.items[i];
    if (c->sock == sock && c->pub.transport == FLOE_TRANSPORT_UDP && !c->is_gone) return c;
  }
  return NULL;
}

/* RFC 7983: what is not STUN is data, or ChannelData from a TURN server, which is asked first. A response of a server
 * is nothing that the session knows. */
static bool offer_datagram(floe__session *s, const floe_input *in) {
  floe__path path = {.local = find_by_sock(s, in->sock), .remote = in->addr};
  if (path.local == NULL || s->is_ended) return false;
  return floe__session_on_packet(s, &path, in->data);
}

static void to_gathers(floe__session *s, const floe_input *in) {
  for (size_t i = 0; i < s->n_gathers; i++) floe__gather_on_input(s->gathers[i], in);
}

static void on_resolved(floe__session *s, const floe_input *in) {
  floe__remote *resolved;
  bool promoted;
  if (!floe__remote_on_resolved(&s->remotes, in, s->io, &resolved, &promoted)) {
    to_gathers(s, in);
  } else if (resolved != NULL) {
    on_remote(s, resolved, promoted);
  }
}

/* The host's addresses: the answer to the main gathering's question, or a change. */
static void on_interfaces(floe__session *s, const floe_input *in) {
  floe__gather *g = floe__session_main_gather(s);
  if (g == NULL || s->is_ended) return;
  if (g->state == FLOE__GATHER_LISTING) {
    floe__gather_on_input(g, in);
    return;
  }
  if (in->os_error != 0) return; /* a list that could not be made says nothing */
  for (size_t i = 0; i < s->n_gathers; i++) {
    floe__gather_on_interfaces_changed(s->gathers[i], in->interfaces, in->n_interfaces);
  }
  if (s->io->settings->cfg.continual_gathering) gather_on_new(s, in);
}

void floe__session_on_input(floe__session *s, const floe_input *in) {
  switch (in->type) {
    case FLOE_INPUT_TIMER: break;
    case FLOE_INPUT_DATAGRAM:
      if (!offer_datagram(s, in)) to_gathers(s, in);
      break;
    case FLOE_INPUT_RESOLVED: on_resolved(s, in); break;
    case FLOE_INPUT_INTERFACES: on_interfaces(s, in); break;
    case FLOE_INPUT_ICMP:
    case FLOE_INPUT_SEND_FAILED:
      floe__check_on_icmp(s, in);
      to_gathers(s, in);
      break;
    case FLOE_INPUT_SOCKET_ACCEPTED: break; /* the agent asks each session in turn */
    case FLOE_INPUT_SOCKET_BOUND:
    case FLOE_INPUT_SOCKET_OPENED:
    case FLOE_INPUT_SOCKET_FAILED:
    case FLOE_INPUT_STREAM:
    case FLOE_INPUT_STREAM_END:
      floe__session_on_link_input(s, in);
      to_gathers(s, in);
      break;
  }
  settle(s);
}

/* --- time ------------------------------------------------------------------------------------------------------- */

static floe_time next_check_at(const floe__session *s) {
  if (!floe__session_is_checking(s) || s->is_idle) return FLOE_TIME_NEVER;
  return s->io->next_start_at;
}

static floe_time fail_at(const floe__session *s) {
  if (s->state != FLOE_ICE_CONNECTION_CHECKING) return FLOE_TIME_NEVER;
  if (s->io->now < s->patience_at) return s->patience_at;
  if (s->io->now < enough_at(s)) return enough_at(s);
  if (s->valid_at == FLOE_TIME_NEVER) return FLOE_TIME_NEVER;
  floe_time by = floe__after_ms(s->valid_at, s->io->settings->cfg.timing.patience_ms);
  return by > s->io->now ? by : FLOE_TIME_NEVER;
}

/* A check that waits for something else than its answer: for a TCP connection to be made, by us or by the peer. */
static floe_time waits_until(const floe__session *s, const floe__pair *p) {
  if (p->state != FLOE_PAIR_IN_PROGRESS || p->txn.state == FLOE__STUN_TXN_OPEN) return FLOE_TIME_NEVER;
  return floe__after_ms(p->begun_at, s->io->settings->cfg.timing.patience_ms);
}

static floe__deadline pairs_deadline(const floe__session *s) {
  floe__deadline d = FLOE__NO_DEADLINE;
  for (size_t i = 0; i < s->n_pairs; i++) {
    const floe__pair *p = s->pairs[i];
    d = floe__earliest(d, floe__deadline_at(floe__stun_txn_deadline(&p->txn), "ice.check"));
    d = floe__earliest(d, floe__deadline_at(waits_until(s, p), "ice.check.connection"));
    if (p->state == FLOE_PAIR_SUCCEEDED && p != s->selected && p->txn.state != FLOE__STUN_TXN_OPEN) {
      d = floe__earliest(d, floe__deadline_at(p->keepalive_at, "ice.keepalive"));
    }
  }
  return d;
}

floe__deadline floe__session_deadline(const floe__session *s) {
  floe__deadline d = FLOE__NO_DEADLINE;
  for (size_t i = 0; i < s->n_gathers; i++) d = floe__earliest(d, floe__gather_deadline(s->gathers[i]));
  if (s->is_ended) return d;
  d = floe__earliest(d, floe__session_links_deadline(s));
  if (!floe__session_is_checking(s)) return d;
  d = floe__earliest(d, floe__deadline_at(next_check_at(s), "ice.pacing"));
  d = floe__earliest(d, floe__deadline_at(fail_at(s), "ice.patience"));
  d = floe__earliest(d, floe__deadline_at(s->nominate_at, "ice.nomination"));
  d = floe__earliest(d, pairs_deadline(s));
  return floe__earliest(d, floe__consent_deadline(s));
}

static void run_due_pairs(floe__session *s) {
  floe_time now = s->io->now;
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    if (floe__stun_txn_deadline(&p->txn) <= now) floe__check_on_deadline(s, p);
    if (waits_until(s, p) <= now) {
      floe__check_fail(s, p, floe__pair_is_tcp(p) ? FLOE_PAIR_FAILURE_TCP : FLOE_PAIR_FAILURE_TIMEOUT);
    }
    bool idle = p->state == FLOE_PAIR_SUCCEEDED && p != s->selected && p->txn.state != FLOE__STUN_TXN_OPEN;
    if (idle && p->keepalive_at <= now) floe__check_again(s, p);
  }
}

void floe__session_on_deadline(floe__session *s) {
  for (size_t i = 0; i < s->n_gathers; i++) floe__gather_on_deadline(s->gathers[i]);
  if (!s->is_ended) fail_if_over(s); /* its moment may have passed in a call that is no input */
  while (!s->is_ended && floe__session_deadline(s).at <= s->io->now) {
    if (floe__session_is_checking(s)) {
      run_due_pairs(s);
      floe__consent_on_deadline(s);
    }
    floe__session_drop_links(s);
    settle(s);
    for (size_t i = 0; i < s->n_gathers; i++) floe__gather_on_deadline(s->gathers[i]);
  }
}

/* --- the end ---------------------------------------------------------------------------------------------------- */

void floe__session_end(floe__session *s, bool at_once) {
  if (s->is_ended) return;
  s->is_ended = true;
  if (s->n_gathers > 0 || s->remote_ufrag != NULL) trace_session(s, "ended");
  s->selected = NULL;
  floe__consent_stop(s);
  for (size_t i = 0; i < s->n_links; i++) floe__tcp_link_free(s->links[i], s->io);
  s->n_links = 0;
  floe__checklist_clear(s);
  for (size_t i = 0; i < s->n_gathers; i++) {
    if (at_once) {
      floe__gather_make_way(s->gathers[i]);
    } else {
      floe__gather_close(s->gathers[i]);
    }
  }
}

bool floe__session_is_closed(const floe__session *s) {
  if (!s->is_ended) return false;
  for (size_t i = 0; i < s->n_gathers; i++) {
    if (s->gathers[i]->state != FLOE__GATHER_CLOSED) return false;
  }
  return true;
}
