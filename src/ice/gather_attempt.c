/* ONE attempt (the contract's section 2): a server URL from one base over one family. It tries the addresses of that
 * family in turn (section 5) and ends exactly once. */
#include <string.h>

#include "base/assert.h"
#include "base/trace.h"
#include "ice/gather_internal.h"

static void go(floe__attempt *a, floe__attempt_state next) {
  FLOE__ASSERT(next > a->state);
  a->state = next;
  floe__io *io = a->gather->io;
  floe__trace t;
  if (!floe__trace_begin(&t, io->env, io->now, "gather.attempt.state")) return;
  floe__trace_int(&t, "server", a->server->config->server_index);
  floe__trace_int(&t, "url", a->server->config->url_index);
  const floe_ice_url *url = &a->server->url;
  floe__trace_text(&t, "kind", url->is_turn ? "turn" : "stun");
  floe__trace_text(&t, "transport", floe_transport_name(url->transport));
  /* A literal host is an address. */
  if (url->addr.family == FLOE_FAMILY_NONE || io->env->cfg.trace_addresses) floe__trace_text(&t, "host", url->host);
  floe__trace_int(&t, "family", a->family);
  floe__trace_addr(&t, "local", &a->local);
  floe__trace_text(&t, "to", next == FLOE__ATTEMPT_RUNNING ? "running" : floe_attempt_outcome_name(a->report.outcome));
  if (next == FLOE__ATTEMPT_ENDED) floe__trace_text(&t, "cause", floe_cause_id(a->report.detail.cause));
  floe__trace_end(&t);
}

floe__attempt *floe__attempt_new(floe__gather_server *server, floe__base *base, floe_family family,
                                 const floe_addr *addrs, size_t n_addrs) {
  floe_env *env = server->gather->io->env;
  floe__attempt *a = server->reserve;
  server->reserve = NULL;
  if (a == NULL) a = floe__alloc(env, sizeof *a);
  if (a == NULL) return NULL;
  memset(a, 0, sizeof *a);
  if (n_addrs > 0) {
    a->addrs = floe__alloc(env, n_addrs * sizeof *a->addrs);
    if (a->addrs == NULL) {
      server->reserve = a;
      return NULL;
    }
    memcpy(a->addrs, addrs, n_addrs * sizeof *a->addrs);
  }
  a->gather = server->gather;
  a->server = server;
  a->base = base;
  a->family = family;
  a->n_addrs = n_addrs;
  a->next_addr_at = FLOE_TIME_NEVER;
  a->deadline_at = FLOE_TIME_NEVER;
  a->retry_at = FLOE_TIME_NEVER;
  a->started_at = a->ended_at = server->gather->io->now;
  if (base != NULL) a->local = base->interface.addr;
  return a;
}

void floe__attempt_free(floe__attempt *a) {
  if (a == NULL) return;
  floe_env *env = a->gather->io->env;
  for (size_t i = 0; i < a->n_tries; i++) floe__try_free(a->tries[i]);
  floe__free(env, a->tries);
  floe__free(env, a->addrs);
  floe__free(env, a->asked);
  floe__attempt_forget(a);
  floe__free(env, a);
}

/* --- ending ---------------------------------------------------------------------------------------------------- */

/* Late answers to a request of a try that goes are no strangers to the others on its socket. */
static void remember_ids(floe__gather *g, const floe__try *t) {
  const floe__stun_request *request = t->turn != NULL ? &t->turn->request : t->binding;
  if (request == NULL) return;
  floe__gather_remember_id(g, request->txn.id);
  size_t n = request->n_recent < FLOE__STUN_RECENT ? request->n_recent : FLOE__STUN_RECENT;
  for (size_t i = 0; i < n; i++) floe__gather_remember_id(g, request->recent[i]);
}

void floe__attempt_drop_tries(floe__attempt *a, floe__try *kept) {
  for (size_t i = 0; i < a->n_tries; i++) {
    if (a->tries[i] == kept) continue;
    remember_ids(a->gather, a->tries[i]);
    floe__try_free(a->tries[i]);
  }
  a->n_tries = 0;
  if (kept != NULL) a->tries[a->n_tries++] = kept;
}

static void end(floe__attempt *a, floe_attempt_outcome outcome, floe__try *decided_by) {
  a->ended_at = a->gather->io->now;
  a->next_addr_at = a->deadline_at = FLOE_TIME_NEVER;
  a->report.outcome = outcome;
  if (decided_by != NULL) a->local = floe__try_local(decided_by);
  floe__attempt_describe(a, decided_by);
  bool lives = decided_by != NULL && decided_by->state == FLOE__TRY_LIVE && decided_by->turn != NULL;
  if (lives && a->relay_ids[0] == 0 && a->relay_ids[1] == 0) {
    (void)floe__try_delete(decided_by); /* nobody could name it: sent once, for nobody waits for the answer */
    lives = false;
  }
  floe__attempt_drop_tries(a, lives ? decided_by : NULL);
  if (!lives) {
    floe__free(a->gather->io->env, a->tries);
    a->tries = NULL;
    a->tries_cap = 0;
  }
  floe__free(a->gather->io->env, a->addrs);
  a->addrs = NULL;
  a->n_addrs = 0;
  a->order = a->gather->n_ended++;
  if (!lives) a->server->n_active--;
  go(a, FLOE__ATTEMPT_ENDED);
  floe__gather_on_attempt_ended(a->gather, a);
}

void floe__attempt_end_baseless(floe__attempt *a, floe_cause cause, floe_phase phase) {
  a->report.detail.cause = cause;
  a->report.detail.phase = phase;
  end(a, FLOE_ATTEMPT_ERROR, NULL);
}

void floe__attempt_cancel(floe__attempt *a) {
  if (a->state == FLOE__ATTEMPT_ENDED) return;
  for (size_t i = 0; i < a->n_tries; i++) floe__try_cancel(a->tries[i]);
  a->report.detail.cause = FLOE_CAUSE_CANCELLED;
  end(a, FLOE_ATTEMPT_CANCELLED, a->n_tries > 0 ? a->tries[0] : NULL);
}

/* Of several addresses that failed the one that says most: as in the contract's section 2.2. */
static floe__try *pick_failure(const floe__attempt *a) {
  floe__try *best = NULL;
  for (size_t i = 0; i < a->n_tries; i++) {
    floe__try *t = a->tries[i];
    if (best == NULL || floe_cause_group(t->failure.cause) > floe_cause_group(best->failure.cause)) best = t;
  }
  return best;
}

static bool has_open_try(const floe__attempt *a) {
  for (size_t i = 0; i < a->n_tries; i++) {
    if (floe__try_is_open(a->tries[i])) return true;
  }
  return false;
}

/* --- candidates ------------------------------------------------------------------------------------------------ */

/* First the transport to the server (UDP before TCP before TLS), then the
 * place in the configuration, then the base. RFC 8445 5.1.2.1 leaves it to us and wants no two equal. */
uint16_t floe__attempt_preference(const floe__attempt *a, uint32_t last) {
  uint32_t transport = (uint32_t)a->server->url.transport;
  uint32_t place = (uint32_t)(a->server - a->gather->servers) % 64;
  uint32_t base = a->base->rank % 64;
  return (uint16_t)(65535 - ((transport * 64 + place) * 128 + base * 2 + last));
}

static floe__added add_srflx(floe__attempt *a, const floe__try *t, const floe_addr *mapped) {
  floe_addr base = floe__try_local(t);
  floe_sock_id sock = t->owns_udp ? t->udp.id : t->setup.base->udp.id;
  floe_ice_candidate c = {.type = FLOE_CANDIDATE_SRFLX, .address = *mapped, .related = base};
  uint32_t id;
  floe__origin from = {.base = base, .server = t->server, .attempt = a, .sock = sock};
  return floe__gather_add_candidate(a->gather, &c, &from, floe__attempt_preference(a, 0), &id);
}

static void add_candidates(floe__attempt *a, const floe__try *t) {
  bool relay_only = a->gather->io->settings->cfg.ice_transport_policy == FLOE_ICE_TRANSPORT_POLICY_RELAY;
  bool udp = a->server->url.transport == FLOE_TRANSPORT_UDP;
  floe__added added[3] = {FLOE__ADDED_REDUNDANT, FLOE__ADDED_REDUNDANT, FLOE__ADDED_REDUNDANT};
  if (t->turn != NULL) {
    added[0] = floe__relay_add(a, t, 0, false);
    bool has_additional = t->turn->relayed_additional.family != FLOE_FAMILY_NONE;
    if (has_additional) added[1] = floe__relay_add(a, t, 1, false);
  }
  /* RFC 8445 5.1.1.2: over UDP the mapped address is a server-reflexive candidate too; that of a TCP connection is
   * none, for nobody can send to it. */
  floe_addr mapped = t->turn != NULL ? t->turn->mapped : t->mapped;
  bool reflexive = udp && !relay_only && mapped.family != FLOE_FAMILY_NONE;
  if (reflexive) added[2] = add_srflx(a, t, &mapped);
  /* STUN over TCP or TLS proves that the server works and gives an address, of which no UDP candidate can be made. */
  a->report.redundant = udp;
  for (int i = 0; i < 3; i++) {
    if (added[i] != FLOE__ADDED_REDUNDANT) a->report.redundant = false;
    if (added[i] == FLOE__ADDED_DROPPED) a->report.dropped_candidates++;
  }
}

/* --- tries ----------------------------------------------------------------------------------------------------- */

/* Another try of ours speaks TURN to this address from the base's socket. */
static bool uses_base_socket(const floe__attempt *a, const floe__try *self, const floe_addr *addr) {
  for (size_t i = 0; i < a->n_tries; i++) {
    const floe__try *t = a->tries[i];
    bool uses = t != self && t->state != FLOE__TRY_ENDED && t->state != FLOE__TRY_NEW && !t->owns_udp;
    if (uses && floe_addr_equal(&t->server, addr)) return true;
  }
  return false;
}

static bool base_socket_is_free(void *owner, const floe__try *self, const floe_addr *addr) {
  const floe__attempt *own = owner;
  const floe__gather *g = own->gather;
  if (!own->server->url.is_turn) return true;
  if (floe__base_is_shared(own->base, g->io)) return false; /* a server has one allocation per address of ours */
  for (size_t i = 0; i < g->n_servers; i++) {
    const floe__gather_server *s = &g->servers[i];
    if (s->n_active == 0 || !s->url.is_turn || s->url.transport != FLOE_TRANSPORT_UDP) continue;
    for (size_t k = 0; k < s->n_attempts; k++) {
      const floe__attempt *a = s->attempts[k];
      if (a->base == own->base && uses_base_socket(a, self, addr)) return false;
    }
  }
  return true;
}

floe__try *floe__attempt_make_try(floe__attempt *a, const floe_addr *addr) {
  void *tries = a->tries;
  if (!floe__reserve(a->gather->io->env, &tries, &a->tries_cap, sizeof(floe__try *), a->n_tries + 1)) return NULL;
  a->tries = tries;
  floe__try_setup setup = {
      .on_data = floe__relay_on_data,
      .on_permission = floe__relay_on_permission,
      .owner = a,
      .io = a->gather->io,
      .base = a->base,
      .url = &a->server->url,
      .username = a->server->config->username,
      .credential = a->server->config->credential,
      .base_socket_is_free = base_socket_is_free,
  };
  return floe__try_new(&setup, addr);
}

static void try_next_address(floe__attempt *a) {
  const floe_addr *addr = &a->addrs[a->next_addr++];
  floe__try *t = floe__attempt_make_try(a, addr);
  a->next_addr_at = FLOE_TIME_NEVER;
  if (a->next_addr < a->n_addrs) {
    a->next_addr_at = floe__after_ms(a->gather->io->now, a->gather->io->settings->cfg.timing.address_delay_ms);
  }
  if (t == NULL) { /* no memory: the next address may fare better, and when all are gone the attempt says so */
    if (a->next_addr < a->n_addrs || has_open_try(a)) return;
    floe__attempt_end_baseless(a, FLOE_CAUSE_SOCKET_FAILED, FLOE_PHASE_SOCKET);
    return;
  }
  a->tries[a->n_tries++] = t;
  floe__attempt_on_step(a, t, floe__try_start(t));
}

/* The first address that answers wins: the others are not needed any more. */
static void keep_only(floe__attempt *a, const floe__try *winner) {
  a->next_addr_at = FLOE_TIME_NEVER;
  a->next_addr = a->n_addrs;
  for (size_t i = 0; i < a->n_tries; i++) {
    if (a->tries[i] != winner) floe__try_cancel(a->tries[i]);
  }
}

static void on_try_failed(floe__attempt *a, floe__try *t) {
  if (t->failure.code != 0 || t->answered || t->ends_attempt) {
    end(a, FLOE_ATTEMPT_ERROR, t);
  } else if (a->next_addr < a->n_addrs) {
    try_next_address(a);
  } else if (!has_open_try(a)) {
    end(a, FLOE_ATTEMPT_ERROR, pick_failure(a));
  }
}

void floe__attempt_on_step(floe__attempt *a, floe__try *t, floe__try_step step) {
  if (a->state == FLOE__ATTEMPT_ENDED) {
    floe__relay_on_step(a, t, step);
    return;
  }
  if (t->answered) keep_only(a, t);
  switch (step) {
    case FLOE__TRY_STEP_NONE:
    case FLOE__TRY_STEP_DELETED:
    case FLOE__TRY_STEP_LOST: return; /* after the end only */
    case FLOE__TRY_STEP_SUCCEEDED:
      keep_only(a, t);
      add_candidates(a, t);
      end(a, FLOE_ATTEMPT_CANDIDATE, t);
      return;
    case FLOE__TRY_STEP_FAILED: on_try_failed(a, t); return;
  }
}

void floe__attempt_start(floe__attempt *a) {
  const floe_ice_timing *timing = &a->gather->io->settings->cfg.timing;
  a->started_at = a->gather->io->now;
  a->deadline_at = floe__after_ms(a->started_at, timing->server_timeout_ms);
  go(a, FLOE__ATTEMPT_RUNNING);
  try_next_address(a);
}

/* --- inputs ---------------------------------------------------------------------------------------------------- */

static floe__try_step socket_step(floe__try *t, const floe_input *in) {
  if (in->type == FLOE_INPUT_SOCKET_BOUND) return floe__try_on_tcp_bound(t, &in->addr);
  if (in->type == FLOE_INPUT_SOCKET_OPENED) return floe__try_on_tcp_opened(t, &in->addr);
  if (in->type == FLOE_INPUT_SOCKET_FAILED) return floe__try_on_tcp_failed(t, in);
  if (in->type == FLOE_INPUT_STREAM) return floe__try_on_stream(t, in->data);
  return floe__try_on_stream_end(t);
}

/* Its own UDP socket opened or failed. */
static floe__try_step own_udp_step(floe__try *t, const floe_input *in) {
  if (in->type == FLOE_INPUT_SOCKET_OPENED) floe__udp_on_opened(&t->udp, &in->addr);
  if (in->type == FLOE_INPUT_SOCKET_FAILED) floe__udp_on_failed(&t->udp, t->setup.io, in);
  return floe__try_on_udp(t);
}

bool floe__attempt_on_socket(floe__attempt *a, const floe_input *in) {
  for (size_t i = 0; i < a->n_tries; i++) {
    floe__try *t = a->tries[i];
    if (!floe__try_uses_socket(t, in->sock)) continue;
    if (t->tcp == in->sock) {
      floe__attempt_on_step(a, t, socket_step(t, in));
      return true;
    }
    if (t->owns_udp && t->udp.state == FLOE__UDP_OPENING) {
      floe__attempt_on_step(a, t, own_udp_step(t, in));
      return true;
    }
  }
  return false;
}

/* A try that exchanges datagrams with the source or destination of this input. */
static bool concerns(const floe__try *t, const floe_input *in) {
  return t->setup.url->transport == FLOE_TRANSPORT_UDP && floe__try_uses_socket(t, in->sock) &&
         floe_addr_equal_ip(&t->server, &in->addr) && t->server.port == in->addr.port;
}

bool floe__attempt_offer_datagram(floe__attempt *a, const floe_input *in, floe_cause *discard) {
  for (size_t i = 0; i < a->n_tries; i++) {
    floe__try *t = a->tries[i];
    if (!concerns(t, in)) continue;
    bool taken;
    floe_cause why;
    floe__try_step step = floe__try_on_datagram(t, in->data, &taken, &why);
    if (taken) {
      floe__attempt_on_step(a, t, step);
      return true;
    }
    *discard = why;
  }
  return false;
}

void floe__attempt_count_discard(floe__attempt *a, const floe_input *in, floe_cause discard) {
  for (size_t i = 0; i < a->n_tries; i++) {
    if (concerns(a->tries[i], in)) floe__try_count_discard(a->tries[i], discard);
  }
}

void floe__attempt_on_icmp(floe__attempt *a, const floe_input *in) {
  for (size_t i = 0; i < a->n_tries; i++) {
    floe__try *t = a->tries[i];
    if (!concerns(t, in)) continue;
    bool icmp = in->type == FLOE_INPUT_ICMP;
    floe__attempt_on_step(a, t, icmp ? floe__try_on_icmp(t, in) : floe__try_on_send_failed(t, in));
    if (a->state == FLOE__ATTEMPT_ENDED) return;
  }
}

void floe__attempt_on_base(floe__attempt *a) {
  floe__attempt_state before = a->state;
  for (size_t i = 0; i < a->n_tries && a->state == before; i++) {
    floe__try *t = a->tries[i];
    if (t->state == FLOE__TRY_OPENING && !t->owns_udp) floe__attempt_on_step(a, t, floe__try_on_udp(t));
  }
}

/* --- time ------------------------------------------------------------------------------------------------------ */

floe__deadline floe__attempt_deadline(const floe__attempt *a) {
  floe__deadline d = floe__deadline_at(a->deadline_at, "gather.server");
  d = floe__earliest(d, floe__deadline_at(a->next_addr_at, "gather.next_address"));
  d = floe__earliest(d, floe__deadline_at(a->retry_at, "gather.reallocation"));
  for (size_t i = 0; i < a->n_tries; i++) d = floe__earliest(d, floe__try_deadline(a->tries[i]));
  return d;
}

static bool run_due_try(floe__attempt *a) {
  floe_time now = a->gather->io->now;
  for (size_t i = 0; i < a->n_tries; i++) {
    floe__try *t = a->tries[i];
    if (floe__try_deadline(t).at > now) continue;
    floe__attempt_on_step(a, t, floe__try_on_deadline(t));
    return true;
  }
  return false;
}

void floe__attempt_on_deadline(floe__attempt *a) {
  floe_time now = a->gather->io->now;
  while (run_due_try(a)) {
  }
  if (a->retry_at <= now) floe__relay_retry(a);
  if (a->next_addr_at <= now) try_next_address(a);
  if (a->deadline_at <= now) floe__attempt_give_up(a);
}

/* An attempt that never had its turn: what its first step would have ended with. */
static floe_cause cause_of_waiting(const floe__attempt *a) {
  return a->server->url.transport == FLOE_TRANSPORT_UDP ? FLOE_CAUSE_UDP_TIMEOUT : FLOE_CAUSE_TCP_TIMEOUT;
}

void floe__attempt_give_up(floe__attempt *a) {
  if (a->state == FLOE__ATTEMPT_ENDED) return;
  for (size_t i = 0; i < a->n_tries; i++) floe__try_give_up(a->tries[i]);
  floe__try *decided_by = pick_failure(a);
  if (decided_by == NULL) {
    a->report.detail.cause = cause_of_waiting(a);
    a->report.detail.phase = a->server->url.transport == FLOE_TRANSPORT_UDP ? FLOE_PHASE_SOCKET : FLOE_PHASE_CONNECT;
    if (a->base != NULL && a->base->udp.state == FLOE__UDP_OPEN) a->local = a->base->udp.local;
  }
  end(a, FLOE_ATTEMPT_ERROR, decided_by);
}

void floe__attempt_lose_base(floe__attempt *a) {
  if (a->state == FLOE__ATTEMPT_ENDED) {
    floe__relay_abandon(a);
    return;
  }
  for (size_t i = 0; i < a->n_tries; i++) floe__try_lose_base(a->tries[i]);
  a->report.detail.cause = FLOE_CAUSE_SOCKET_FAILED; /* of one that never had its turn */
  a->report.detail.phase = FLOE_PHASE_SOCKET;
  end(a, FLOE_ATTEMPT_ERROR, pick_failure(a));
}
