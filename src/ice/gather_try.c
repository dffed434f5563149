/* The states of a try: from the socket to the end. */
#include "ice/gather_try.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/trace.h"
#include "ice/gather_try_internal.h"

static const char *state_name(floe__try_state state) {
  switch (state) {
    case FLOE__TRY_NEW: return "new";
    case FLOE__TRY_OPENING: return "opening";
    case FLOE__TRY_CONNECTING: return "connecting";
    case FLOE__TRY_TLS: return "tls";
    case FLOE__TRY_REQUESTING: return "requesting";
    case FLOE__TRY_LIVE: return "live";
    case FLOE__TRY_DELETING: return "deleting";
    case FLOE__TRY_ENDED: return "ended";
  }
  return "";
}

/* OPENING and CONNECTING come again after a redirect and after a new port. */
static bool is_allowed(floe__try_state from, floe__try_state to) {
  switch (to) {
    case FLOE__TRY_NEW: return false;
    case FLOE__TRY_OPENING:
    case FLOE__TRY_CONNECTING: return from == FLOE__TRY_NEW || from == FLOE__TRY_REQUESTING;
    case FLOE__TRY_TLS: return from == FLOE__TRY_CONNECTING;
    case FLOE__TRY_REQUESTING:
      return from == FLOE__TRY_OPENING || from == FLOE__TRY_CONNECTING || from == FLOE__TRY_TLS;
    case FLOE__TRY_LIVE: return from == FLOE__TRY_REQUESTING;
    case FLOE__TRY_DELETING: return from == FLOE__TRY_LIVE;
    case FLOE__TRY_ENDED: return from != FLOE__TRY_ENDED;
  }
  return false;
}

void floe__try_go(floe__try *t, floe__try_state next) {
  FLOE__ASSERT(is_allowed(t->state, next));
  floe__io *io = t->setup.io;
  floe__trace trace;
  if (floe__trace_begin(&trace, io->env, io->now, "gather.try.state")) {
    bool may_tell = t->setup.url->addr.family == FLOE_FAMILY_NONE || io->env->cfg.trace_addresses;
    if (may_tell) floe__trace_text(&trace, "host", t->setup.url->host);
    floe__trace_text(&trace, "from", state_name(t->state));
    floe__trace_text(&trace, "to", state_name(next));
    floe__trace_addr(&trace, "server", &t->server);
    if (next == FLOE__TRY_ENDED) floe__trace_text(&trace, "cause", floe_cause_id(t->failure.cause));
    floe__trace_end(&trace);
  }
  t->state = next;
  if (next == FLOE__TRY_ENDED || next == FLOE__TRY_LIVE) t->times.ended_at = io->now;
}

floe__try *floe__try_new(const floe__try_setup *setup, const floe_addr *server) {
  floe__try *t = floe__zalloc(setup->io->env, sizeof *t);
  if (t == NULL) return NULL;
  t->setup = *setup;
  t->server = *server;
  if (server->family == FLOE_FAMILY_IPV6 && floe_addr_is_link_local(server)) {
    t->server.scope_id = setup->base->interface.addr.scope_id;
  }
  t->step_deadline = FLOE_TIME_NEVER;
  t->times.started_at = t->times.connecting_at = setup->io->now;
  t->times.opened_at = t->times.secured_at = t->times.requested_at = t->times.ended_at = FLOE_TIME_NEVER;
  t->visited[t->n_visited++] = t->server;
  floe__turn_framer_init(&t->framer, setup->io->env);
  return t;
}

bool floe__try_is_stream(const floe__try *t) {
  return t->setup.url->transport != FLOE_TRANSPORT_UDP;
}

bool floe__try_is_open(const floe__try *t) {
  switch (t->state) {
    case FLOE__TRY_OPENING:
    case FLOE__TRY_CONNECTING:
    case FLOE__TRY_TLS:
    case FLOE__TRY_REQUESTING: return true;
    case FLOE__TRY_NEW:
    case FLOE__TRY_LIVE:
    case FLOE__TRY_DELETING:
    case FLOE__TRY_ENDED: return false;
  }
  return false;
}

static floe__udp_socket *udp_of(floe__try *t) {
  return t->owns_udp ? &t->udp : &t->setup.base->udp;
}

floe__try_step floe__try_start(floe__try *t) {
  return floe__try_connect(t);
}

/* --- opening --------------------------------------------------------------------------------------------------- */

/* Asked anew for each server that a redirect leads to. */
static void choose_socket(floe__try *t) {
  if (!t->owns_udp) t->owns_udp = !t->setup.base_socket_is_free(t->setup.owner, t, &t->server);
}

static floe__try_step connect_udp(floe__try *t) {
  choose_socket(t);
  floe__udp_socket *udp = udp_of(t);
  floe__try_go(t, FLOE__TRY_OPENING);
  if (udp->state == FLOE__UDP_IDLE || udp->state == FLOE__UDP_CLOSED) {
    if (t->owns_udp) {
      floe__udp_open(udp, t->setup.io, &t->setup.base->interface.addr, FLOE__SOCKET_UDP);
    } else {
      floe__base_open_udp(t->setup.base, t->setup.io);
    }
  }
  return floe__try_on_udp(t);
}

static floe__try_step fail_to_open(floe__try *t, const floe__udp_socket *udp) {
  /* Without another port the 437 for which one was wanted stands. */
  if (t->mismatch_reason != NULL) return floe__try_fail(t, FLOE_CAUSE_ALLOC_MISMATCH, 437, t->mismatch_reason);
  t->os_error = udp->os_error;
  (void)snprintf(t->os_error_text, sizeof t->os_error_text, "%s", udp->os_error_text);
  return floe__try_fail(t, udp->cause, 0, NULL);
}

floe__try_step floe__try_on_udp(floe__try *t) {
  if (t->state != FLOE__TRY_OPENING) return FLOE__TRY_STEP_NONE;
  const floe__udp_socket *udp = udp_of(t);
  switch (udp->state) {
    case FLOE__UDP_IDLE:
    case FLOE__UDP_OPENING:
    case FLOE__UDP_CLOSED: return FLOE__TRY_STEP_NONE;
    case FLOE__UDP_FAILED: return fail_to_open(t, udp);
    case FLOE__UDP_OPEN: break;
  }
  if (t->times.opened_at == FLOE_TIME_NEVER) t->times.opened_at = t->setup.io->now;
  return floe__try_request(t);
}

static floe__try_step connect_tcp(floe__try *t) {
  floe__io *io = t->setup.io;
  floe_addr local = t->setup.base->interface.addr;
  floe__try_go(t, FLOE__TRY_CONNECTING);
  t->tcp_local = local;
  t->tcp_broken = false;
  t->times.connecting_at = io->now;
  t->tcp = floe__io_open(io, FLOE_TRANSPORT_TCP, &local, &t->server);
  if (t->tcp == 0) return floe__try_fail(t, FLOE_CAUSE_SOCKET_FAILED, 0, NULL);
  t->step_deadline = floe__after_ms(io->now, io->settings->cfg.timing.connect_timeout_ms);
  return FLOE__TRY_STEP_NONE;
}

floe__try_step floe__try_connect(floe__try *t) {
  return floe__try_is_stream(t) ? connect_tcp(t) : connect_udp(t);
}

static floe__try_step start_tls(floe__try *t) {
  floe__io *io = t->setup.io;
  const floe_ice_url *url = t->setup.url;
  bool is_name = url->addr.family == FLOE_FAMILY_NONE;
  floe__tls_client_config cfg = {
      .server_name = is_name ? url->host : NULL,
      .server_ip = is_name ? NULL : &url->addr,
      .ca_pem = io->settings->cfg.ca_pem,
      .insecure = io->settings->cfg.tls_insecure,
      .alpn = url->is_turn ? "stun.turn" : "stun.nat-discovery", /* RFC 7443 */
  };
  if (t->alternate_domain != NULL) { /* RFC 8489 10: the domain of a signed redirect is the reference identity */
    cfg.server_name = t->alternate_domain;
    cfg.server_ip = NULL;
  }
  t->tls = floe__tls_client_new(io->env, &cfg, io->now);
  if (t->tls == NULL) return floe__try_fail(t, FLOE_CAUSE_SOCKET_FAILED, 0, NULL);
  t->step_deadline = floe__after_ms(io->now, io->settings->cfg.timing.tls_timeout_ms);
  floe__try_go(t, FLOE__TRY_TLS);
  floe__tls_start(t->tls, io->now);
  floe__try_flush_tls(t);
  return FLOE__TRY_STEP_NONE;
}

floe__try_step floe__try_on_tcp_bound(floe__try *t, const floe_addr *local) {
  if (t->state == FLOE__TRY_CONNECTING) t->tcp_local = *local;
  return FLOE__TRY_STEP_NONE;
}

floe__try_step floe__try_on_tcp_opened(floe__try *t, const floe_addr *local) {
  if (t->state != FLOE__TRY_CONNECTING) return FLOE__TRY_STEP_NONE;
  t->tcp_local = *local;
  t->step_deadline = FLOE_TIME_NEVER;
  t->times.opened_at = t->setup.io->now;
  return t->setup.url->is_secure ? start_tls(t) : floe__try_request(t);
}

/* --- ending ---------------------------------------------------------------------------------------------------- */

void floe__try_disconnect(floe__try *t) {
  floe__io *io = t->setup.io;
  t->sent_before = floe__try_sent(t);
  if (t->binding != NULL) floe__stun_request_clear(t->binding);
  floe__free(io->env, t->binding);
  t->binding = NULL;
  if (t->turn != NULL) floe__turn_clear(t->turn);
  floe__free(io->env, t->turn);
  t->turn = NULL;
  if (t->tls != NULL && t->tcp != 0) {
    floe__tls_shutdown(t->tls);
    floe__try_flush_tls(t);
  }
  floe__tls_free(t->tls);
  t->tls = NULL;
  if (t->tcp != 0) (void)floe__io_close(io, t->tcp);
  t->tcp = 0;
  if (t->owns_udp) floe__udp_close(&t->udp, io);
  floe__turn_framer_clear(&t->framer);
  floe__turn_framer_init(&t->framer, io->env);
  t->step_deadline = FLOE_TIME_NEVER;
}

/* Closes the way to the server, but keeps TLS session and machines: their details are still to be told. */
static void close_sockets(floe__try *t) {
  floe__io *io = t->setup.io;
  if (t->tls != NULL && t->tcp != 0) {
    floe__tls_shutdown(t->tls);
    floe__try_flush_tls(t);
  }
  if (t->tcp != 0) (void)floe__io_close(io, t->tcp);
  t->tcp = 0;
  if (t->owns_udp) floe__udp_close(&t->udp, io);
  t->step_deadline = FLOE_TIME_NEVER;
}

/* Over TCP and TLS the server drops an allocation with its connection (RFC 8656 3.1); over UDP it would keep it for its
 * whole lifetime. */
static void forget_unanswered(floe__try *t) {
  bool allocating = t->turn != NULL && t->turn->state == FLOE__TURN_ALLOCATING;
  if (!allocating || floe__try_is_stream(t)) return;
  t->sent_before = floe__try_sent(t); /* what is sent from here on is no part of the attempt */
  t->has_rtt = floe__try_rtt(t, &t->rtt_ms);
  t->is_counted = true;
  floe__turn_delete(t->turn, t->setup.io->now);
}

static void end(floe__try *t) {
  t->late_loss = FLOE_CAUSE_NONE;
  floe__try_go(t, FLOE__TRY_ENDED);
  close_sockets(t);
}

static void set_reason(floe__try *t, const char *reason) {
  floe_env *env = t->setup.io->env;
  floe__free(env, t->failure.reason);
  t->failure.reason = reason == NULL ? NULL : floe__strdup(env, reason);
}

floe__try_step floe__try_fail(floe__try *t, floe_cause cause, uint16_t code, const char *reason) {
  t->failure.phase = floe__try_phase(t);
  t->failure.cause = cause;
  t->failure.code = code;
  if (code == 0 && t->redirects > 0) { /* the alternate was not reached or understood: the 300 stands */
    t->failure.code = 300;
    reason = t->redirect_reason;
  }
  set_reason(t, reason);
  end(t);
  return FLOE__TRY_STEP_FAILED;
}

floe__try_step floe__try_fail_attempt(floe__try *t, floe_cause cause) {
  t->ends_attempt = true;
  return floe__try_fail(t, cause, 0, NULL);
}

floe_cause floe__try_silence_cause(const floe__try *t) {
  if (t->first_discard != FLOE_CAUSE_NONE) return t->first_discard;
  if (t->soft_errors > 0) return t->soft_cause;
  return floe__try_is_stream(t) ? FLOE_CAUSE_NO_ANSWER : FLOE_CAUSE_UDP_TIMEOUT;
}

void floe__try_give_up(floe__try *t) {
  floe_cause cause = FLOE_CAUSE_NONE;
  switch (t->state) {
    case FLOE__TRY_OPENING: cause = FLOE_CAUSE_SOCKET_FAILED; break;
    case FLOE__TRY_CONNECTING: cause = FLOE_CAUSE_TCP_TIMEOUT; break;
    case FLOE__TRY_TLS: cause = FLOE_CAUSE_TLS_TIMEOUT; break;
    case FLOE__TRY_REQUESTING:
      cause = floe__try_silence_cause(t);
      forget_unanswered(t);
      break;
    case FLOE__TRY_NEW:
    case FLOE__TRY_LIVE:
    case FLOE__TRY_DELETING:
    case FLOE__TRY_ENDED: return;
  }
  (void)floe__try_fail(t, cause, 0, NULL);
}

void floe__try_cancel(floe__try *t) {
  if (t->state == FLOE__TRY_ENDED) return;
  t->failure.phase = floe__try_phase(t);
  t->failure.cause = FLOE_CAUSE_CANCELLED;
  forget_unanswered(t);
  end(t);
}

void floe__try_lose_base(floe__try *t) {
  if (t->state == FLOE__TRY_ENDED) return;
  if (t->turn != NULL) floe__turn_abandon(t->turn);
  (void)floe__try_fail(t, FLOE_CAUSE_SOCKET_FAILED, 0, NULL);
}

floe__try_step floe__try_delete(floe__try *t) {
  if (t->state == FLOE__TRY_ENDED) return FLOE__TRY_STEP_NONE;
  if (t->state != FLOE__TRY_LIVE || t->turn == NULL) {
    floe__try_cancel(t);
    return FLOE__TRY_STEP_DELETED;
  }
  floe__try_go(t, FLOE__TRY_DELETING);
  floe__turn_delete(t->turn, t->setup.io->now);
  if (t->turn->state != FLOE__TURN_ENDED) return FLOE__TRY_STEP_NONE;
  end(t);
  return FLOE__TRY_STEP_DELETED;
}

void floe__try_free(floe__try *t) {
  if (t == NULL) return;
  floe_env *env = t->setup.io->env;
  floe__try_disconnect(t);
  floe__turn_framer_clear(&t->framer);
  floe__free(env, t->failure.reason);
  floe__free(env, t->redirect_reason);
  floe__free(env, t->mismatch_reason);
  floe__free(env, t->alternate_domain);
  floe__free(env, t->realm);
  floe__free(env, t->software);
  floe__free(env, t);
}

/* --- time ------------------------------------------------------------------------------------------------------ */

floe__deadline floe__try_deadline(const floe__try *t) {
  if (t->late_loss != FLOE_CAUSE_NONE) return floe__deadline_at(t->setup.io->now, "gather.late_loss");
  if (t->turn != NULL && t->state != FLOE__TRY_ENDED) return floe__turn_deadline(t->turn);
  if (t->binding != NULL && t->state == FLOE__TRY_REQUESTING) {
    return floe__deadline_at(floe__stun_request_deadline(t->binding), "stun.transaction");
  }
  return floe__deadline_at(t->step_deadline, t->state == FLOE__TRY_TLS ? "gather.tls" : "gather.connect");
}

floe__try_step floe__try_on_deadline(floe__try *t) {
  if (floe__try_deadline(t).at > t->setup.io->now) return FLOE__TRY_STEP_NONE;
  if (t->late_loss != FLOE_CAUSE_NONE) return floe__try_lose_late(t);
  if (t->state == FLOE__TRY_CONNECTING || t->state == FLOE__TRY_TLS) {
    floe__try_give_up(t);
    return FLOE__TRY_STEP_FAILED;
  }
  return floe__try_request_on_deadline(t);
}

/* --- what is known of it --------------------------------------------------------------------------------------- */

floe_addr floe__try_local(const floe__try *t) {
  if (floe__try_is_stream(t))
    return t->tcp_local.family != FLOE_FAMILY_NONE ? t->tcp_local : t->setup.base->interface.addr;
  const floe__udp_socket *udp = t->owns_udp ? &t->udp : &t->setup.base->udp;
  return udp->local.family != FLOE_FAMILY_NONE ? udp->local : t->setup.base->interface.addr;
}

uint32_t floe__try_sent(const floe__try *t) {
  uint32_t sent = t->sent_before;
  if (t->is_counted) return sent;
  if (t->binding != NULL) sent += t->binding->sent;
  if (t->turn != NULL) sent += t->turn->request.sent;
  return sent;
}

bool floe__try_rtt(const floe__try *t, double *ms) {
  if (t->is_counted) {
    *ms = t->rtt_ms;
    return t->has_rtt;
  }
  const floe__stun_request *request = t->turn != NULL ? &t->turn->request : t->binding;
  if (request == NULL || !request->has_rtt) return false;
  *ms = request->rtt_ms;
  return true;
}

floe_phase floe__try_phase(const floe__try *t) {
  switch (t->state) {
    case FLOE__TRY_NEW:
    case FLOE__TRY_OPENING: return FLOE_PHASE_SOCKET;
    case FLOE__TRY_CONNECTING: return FLOE_PHASE_CONNECT;
    case FLOE__TRY_TLS: return FLOE_PHASE_TLS;
    case FLOE__TRY_REQUESTING: return floe__try_request_phase(t);
    case FLOE__TRY_LIVE:
    case FLOE__TRY_DELETING: return FLOE_PHASE_REFRESH;
    case FLOE__TRY_ENDED: return t->failure.phase;
  }
  return FLOE_PHASE_SOCKET;
}
