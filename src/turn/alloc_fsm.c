#include "turn/alloc_fsm.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "turn/channel.h"
#include "turn/exchange.h"
#include "turn/relay.h"

#define PROTOCOL_UDP       17   /* REQUESTED-TRANSPORT: the IANA protocol number */
#define FAMILY_IPV6        0x02 /* on the wire, RFC 8656 18.6 */
#define REFRESH_EARLY_MS   60000
#define NO_MEMORY_RETRY_MS 1000
#define DOMAIN_MAX         255

/* --- the state -------------------------------------------------------------------------------------------------- */

static const char *state_name(floe__turn_state state) {
  switch (state) {
    case FLOE__TURN_IDLE: return "idle";
    case FLOE__TURN_ALLOCATING: return "allocating";
    case FLOE__TURN_LIVE: return "live";
    case FLOE__TURN_DELETING: return "deleting";
    case FLOE__TURN_ENDED: return "ended";
  }
  return "unknown";
}

static bool is_allowed(floe__turn_state from, floe__turn_state to) {
  switch (from) {
    case FLOE__TURN_IDLE: return to == FLOE__TURN_ALLOCATING || to == FLOE__TURN_ENDED;
    case FLOE__TURN_ALLOCATING: return to == FLOE__TURN_LIVE || to == FLOE__TURN_ENDED;
    case FLOE__TURN_LIVE: return to == FLOE__TURN_DELETING || to == FLOE__TURN_ENDED;
    case FLOE__TURN_DELETING: return to == FLOE__TURN_ENDED;
    case FLOE__TURN_ENDED: return false;
  }
  return false;
}

static void set_state(floe__turn *turn, floe__turn_state next) {
  FLOE__ASSERT(is_allowed(turn->state, next));
  floe__trace t;
  if (floe__trace_begin(&t, turn->env, turn->now, "turn.allocation.state")) {
    floe__trace_text(&t, "from", state_name(turn->state));
    floe__trace_text(&t, "to", state_name(next));
    floe__trace_end(&t);
  }
  turn->state = next;
}

/* Nothing is sent and nothing is expected any more. */
static void end(floe__turn *turn) {
  if (turn->state == FLOE__TURN_ENDED) return;
  set_state(turn, FLOE__TURN_ENDED);
  floe__stun_request_clear(&turn->request);
  floe__turn_peers_clear(turn);
}

/* --- what the requests say -------------------------------------------------------------------------------------- */

static void write_allocate(const floe__turn *turn, floe__stun_builder *b, bool optional) {
  floe__stun_put_u32(b, FLOE__STUN_REQUESTED_TRANSPORT, (uint32_t)PROTOCOL_UDP << 24);
  switch (turn->cfg.relay_family) {
    case FLOE_RELAY_FAMILY_BOTH:
      if (optional) floe__stun_put_u32(b, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, (uint32_t)FAMILY_IPV6 << 24);
      break;
    case FLOE_RELAY_FAMILY_IPV4: break; /* RFC 8656 7.2: the family that is given without asking */
    case FLOE_RELAY_FAMILY_IPV6:
      floe__stun_put_u32(b, FLOE__STUN_REQUESTED_ADDRESS_FAMILY, (uint32_t)FAMILY_IPV6 << 24);
      break;
  }
  if (optional && turn->cfg.lifetime_s != 0) floe__stun_put_u32(b, FLOE__STUN_LIFETIME, turn->cfg.lifetime_s);
}

/* RFC 8656 8.1: no REQUESTED-ADDRESS-FAMILY, so that it is for both addresses of a dual allocation; LIFETIME 0
 * deletes. */
static void write_refresh(const floe__turn *turn, floe__stun_builder *b) {
  if (turn->state != FLOE__TURN_LIVE) {
    floe__stun_put_u32(b, FLOE__STUN_LIFETIME, 0);
  } else if (turn->cfg.lifetime_s != 0) {
    floe__stun_put_u32(b, FLOE__STUN_LIFETIME, turn->cfg.lifetime_s);
  }
}

static void write_request(void *owner, uint16_t method, floe__stun_builder *b, bool optional) {
  const floe__turn *turn = owner;
  if (method == FLOE__STUN_ALLOCATE) {
    write_allocate(turn, b, optional);
  } else {
    write_refresh(turn, b);
  }
}

static void send_request(void *owner, floe_bytes message) {
  const floe__turn *turn = owner;
  turn->send(turn->owner, message);
}

static const floe__stun_request_ops request_ops = {write_request, send_request};

static void start_refresh(floe__turn *turn, floe_time now) {
  floe__stun_request_clear(&turn->request);
  turn->request.method = FLOE__STUN_REFRESH;
  turn->request.has_optional = false;
  floe__stun_request_start(&turn->request, now);
}

/* --- Allocate --------------------------------------------------------------------------------------------------- */

static floe__turn_step fail(floe__turn *turn, floe_cause cause) {
  turn->outcome.cause = cause;
  turn->error_phase = FLOE_PHASE_ALLOCATE;
  end(turn);
  return FLOE__TURN_STEP_FAILED;
}

/* An address of 0.0.0.0 or with port 0 is there, and nobody can send to it. */
static bool is_usable(const floe_addr *addr) {
  return addr->family != FLOE_FAMILY_NONE && addr->port != 0 && !floe_addr_is_any(addr);
}

static floe_addr find_relayed(const floe__stun_msg *m, floe_family family) {
  bool found = true;
  /* RFC 8656 7.2: one address, or two for a dual allocation. */
  for (unsigned n = 0; n < 2 && found; n++) {
    floe_addr addr;
    floe_bytes value = floe__stun_get_nth(m, FLOE__STUN_XOR_RELAYED_ADDRESS, n, &found);
    if (!found || !floe__stun_decode_xor_addr(m, value, &addr)) continue;
    if (addr.family == family && is_usable(&addr)) return addr;
  }
  return (floe_addr){0};
}

/* RFC 8656 7.2: asked for both, the server gives what it can, and ADDRESS-ERROR-CODE for the other. */
static void read_relayed(floe__turn *turn, const floe__stun_msg *m) {
  floe_addr ipv4 = find_relayed(m, FLOE_FAMILY_IPV4);
  floe_addr ipv6 = find_relayed(m, FLOE_FAMILY_IPV6);
  turn->relayed_additional = (floe_addr){0};
  bool asked_both = turn->cfg.relay_family == FLOE_RELAY_FAMILY_BOTH && !turn->request.omit_optional;
  turn->relayed = turn->cfg.relay_family == FLOE_RELAY_FAMILY_IPV6 ? ipv6 : ipv4;
  if (!asked_both) return;
  if (ipv4.family == FLOE_FAMILY_NONE) {
    turn->relayed = ipv6;
  } else {
    turn->relayed_additional = ipv6;
  }
  floe_family family;
  if (!floe__stun_get_address_error(m, &family, &turn->additional_error)) turn->additional_error = 0;
}

/* RFC 8656 8: "It is suggested that the client refresh the allocation roughly 1 minute before it expires"; one that
 * lives less than two minutes after half of its life. */
static void keep_until(floe__turn *turn, floe_time now, uint32_t lifetime_s) {
  uint64_t lifetime_ms = (uint64_t)lifetime_s * 1000;
  uint64_t early_ms = lifetime_ms / 2 < REFRESH_EARLY_MS ? lifetime_ms / 2 : REFRESH_EARLY_MS;
  turn->lifetime_s = lifetime_s;
  turn->refresh_at = floe__after_ms(now, lifetime_ms - early_ms);
  turn->expires_at = floe__after_ms(now, lifetime_ms);
}

/* RFC 8656 7.3: of addresses that it cannot handle "the client MUST delete the allocation". Sent once: the attempt has
 * failed, whether that arrives or not. */
static floe__turn_step fail_allocated(floe__turn *turn, floe_time now) {
  start_refresh(turn, now);
  turn->outcome.code = 0;
  return fail(turn, FLOE_CAUSE_MALFORMED_RESPONSE);
}

static floe__turn_step on_allocated(floe__turn *turn, floe_time now, const floe__stun_msg *m) {
  uint32_t lifetime_s = 0;
  bool has_mapped = floe__stun_get_xor_addr(m, FLOE__STUN_XOR_MAPPED_ADDRESS, &turn->mapped);
  read_relayed(turn, m);
  if (!has_mapped || turn->relayed.family == FLOE_FAMILY_NONE) return fail_allocated(turn, now);
  if (!floe__stun_get_u32(m, FLOE__STUN_LIFETIME, &lifetime_s) || lifetime_s == 0) return fail_allocated(turn, now);
  keep_until(turn, now, lifetime_s);
  set_state(turn, FLOE__TURN_LIVE);
  return FLOE__TURN_STEP_ALLOCATED;
}

/* Only what a verified answer says may name the server whose certificate is accepted instead (RFC 8489 10). */
static void keep_domain(floe__turn *turn, const floe__stun_msg *m) {
  floe_bytes domain = floe__stun_get(m, FLOE__STUN_ALTERNATE_DOMAIN);
  if (domain.len == 0 || domain.len > DOMAIN_MAX || memchr(domain.ptr, 0, domain.len) != NULL) return;
  turn->alternate_domain = floe__strndup(turn->env, domain.ptr, domain.len);
}

static floe__turn_step on_redirect(floe__turn *turn, const floe__stun_msg *m) {
  if (!floe__stun_get_addr(m, FLOE__STUN_ALTERNATE_SERVER, &turn->alternate)) turn->alternate = (floe_addr){0};
  turn->redirect_signed = turn->request.was_signed && floe__stun_auth_verify(&turn->auth, m);
  if (turn->redirect_signed) keep_domain(turn, m);
  turn->error_phase = FLOE_PHASE_ALLOCATE;
  end(turn);
  return FLOE__TURN_STEP_REDIRECT;
}

static floe__turn_step on_mismatch(floe__turn *turn) {
  turn->error_phase = FLOE_PHASE_ALLOCATE;
  end(turn);
  return FLOE__TURN_STEP_MISMATCH;
}

/* `m` is NULL when time and no response brought the result about. */
static floe__turn_step on_allocate_result(floe__turn *turn, floe_time now, const floe__stun_msg *m,
                                          floe__stun_result result) {
  switch (result) {
    case FLOE__STUN_PENDING: return FLOE__TURN_STEP_NONE;
    case FLOE__STUN_RESULT_SUCCESS: return on_allocated(turn, now, m);
    case FLOE__STUN_RESULT_ERROR: return fail(turn, turn->outcome.cause);
    case FLOE__STUN_RESULT_REDIRECT: return on_redirect(turn, m);
    case FLOE__STUN_RESULT_MISMATCH: return on_mismatch(turn);
    case FLOE__STUN_RESULT_TIMEOUT:
    case FLOE__STUN_RESULT_BROKEN: turn->outcome.code = 0; return fail(turn, turn->outcome.cause);
    case FLOE__STUN_RESULT_NOMEM: turn->outcome.code = 0; return fail(turn, FLOE_CAUSE_SOCKET_FAILED);
  }
  return FLOE__TURN_STEP_NONE;
}

/* --- Refresh ---------------------------------------------------------------------------------------------------- */

static floe__turn_step lose(floe__turn *turn, floe_cause cause, uint16_t code) {
  turn->outcome.cause = cause;
  turn->outcome.code = code;
  turn->error_phase = FLOE_PHASE_REFRESH;
  end(turn);
  return FLOE__TURN_STEP_LOST;
}

static floe__turn_step on_refreshed(floe__turn *turn, floe_time now, const floe__stun_msg *m) {
  uint32_t lifetime_s;
  if (!floe__stun_get_u32(m, FLOE__STUN_LIFETIME, &lifetime_s)) return lose(turn, FLOE_CAUSE_REFRESH_FAILED, 0);
  if (lifetime_s == 0) return lose(turn, FLOE_CAUSE_ALLOCATION_EXPIRED, 0);
  keep_until(turn, now, lifetime_s);
  return FLOE__TURN_STEP_NONE;
}

static floe__turn_step on_refresh_error(floe__turn *turn) {
  /* RFC 8656 8.3: at 437 the client "should consider the allocation no longer exists". */
  bool is_gone = turn->outcome.code == 437;
  return lose(turn, is_gone ? FLOE_CAUSE_ALLOCATION_EXPIRED : FLOE_CAUSE_REFRESH_FAILED, turn->outcome.code);
}

static floe__turn_step on_refresh_result(floe__turn *turn, floe_time now, const floe__stun_msg *m,
                                         floe__stun_result result) {
  switch (result) {
    case FLOE__STUN_PENDING: return FLOE__TURN_STEP_NONE;
    case FLOE__STUN_RESULT_SUCCESS: return on_refreshed(turn, now, m);
    case FLOE__STUN_RESULT_ERROR:
    case FLOE__STUN_RESULT_REDIRECT:
    case FLOE__STUN_RESULT_MISMATCH: return on_refresh_error(turn);
    case FLOE__STUN_RESULT_TIMEOUT: /* again, until expires_at ends it */
      start_refresh(turn, now);
      return FLOE__TURN_STEP_NONE;
    case FLOE__STUN_RESULT_BROKEN: return lose(turn, FLOE_CAUSE_REFRESH_FAILED, 0);
    case FLOE__STUN_RESULT_NOMEM:
      turn->refresh_at = floe__after_ms(now, NO_MEMORY_RETRY_MS);
      return FLOE__TURN_STEP_NONE;
  }
  return FLOE__TURN_STEP_NONE;
}

static floe__turn_step on_delete_result(floe__turn *turn, floe__stun_result result) {
  if (result == FLOE__STUN_PENDING) return FLOE__TURN_STEP_NONE;
  end(turn);
  return FLOE__TURN_STEP_DELETED;
}

static floe__turn_step on_result(floe__turn *turn, floe_time now, const floe__stun_msg *m, floe__stun_result result) {
  switch (turn->state) {
    case FLOE__TURN_ALLOCATING: return on_allocate_result(turn, now, m, result);
    case FLOE__TURN_LIVE: return on_refresh_result(turn, now, m, result);
    case FLOE__TURN_DELETING: return on_delete_result(turn, result);
    case FLOE__TURN_IDLE:
    case FLOE__TURN_ENDED: break;
  }
  return FLOE__TURN_STEP_NONE;
}

/* --- messages --------------------------------------------------------------------------------------------------- */

static floe__turn_step discard(floe__turn *turn, floe_cause cause) {
  turn->discard_cause = cause; /* the owner counts it: on a shared socket it may be for somebody else */
  return FLOE__TURN_STEP_DISCARDED;
}

static floe__turn_step deliver(floe__turn *turn, const floe_addr *from, floe_bytes data) {
  turn->data_peer = *from;
  turn->data = data;
  return FLOE__TURN_STEP_DATA;
}

static floe__turn_step on_channel_data(floe__turn *turn, floe_bytes message) {
  uint16_t number;
  floe_bytes data;
  if (!floe__turn_unwrap_channel_data(message, &number, &data)) return discard(turn, FLOE_CAUSE_NOT_STUN);
  const floe__turn_peer *peer = floe__turn_channel_from(turn, number);
  if (turn->state != FLOE__TURN_LIVE || peer == NULL) return discard(turn, FLOE_CAUSE_NONE);
  return deliver(turn, &peer->addr, data);
}

static floe__turn_step on_indication(floe__turn *turn, const floe__stun_msg *m, floe__stun_parse parse) {
  floe_addr from;
  floe_bytes data;
  if (parse != FLOE__STUN_OK || turn->state != FLOE__TURN_LIVE) return discard(turn, FLOE_CAUSE_NONE);
  if (floe__stun_check_fingerprint(m) == FLOE__STUN_CHECK_BAD) return discard(turn, FLOE_CAUSE_BAD_FINGERPRINT);
  if (!floe__turn_unwrap_data(m, &from, &data)) return discard(turn, FLOE_CAUSE_NONE);
  /* RFC 8656 11.4: the client "SHOULD also check that the XOR-PEER-ADDRESS attribute value contains an IP address with
   * which the client believes there is an active permission". */
  if (!floe__turn_peer_may_receive(turn, &from)) return discard(turn, FLOE_CAUSE_NONE);
  return deliver(turn, &from, data);
}

static floe__turn_step on_response(floe__turn *turn, floe_time now, const floe__stun_msg *m, floe__stun_parse parse) {
  if (floe__stun_request_is_mine(&turn->request, m)) {
    return on_result(turn, now, m, floe__turn_request_on_response(turn, &turn->request, now, m, parse));
  }
  floe__turn_peer *peer = floe__turn_peer_of_response(turn, m);
  if (peer != NULL) return floe__turn_peer_on_response(peer, now, m, parse);
  bool is_late = floe__stun_request_was_mine(&turn->request, m) || floe__turn_peers_were_asked(turn, m);
  bool is_damaged = parse == FLOE__STUN_OK && floe__stun_check_fingerprint(m) == FLOE__STUN_CHECK_BAD;
  if (!is_late && is_damaged) return discard(turn, FLOE_CAUSE_BAD_FINGERPRINT);
  return discard(turn, is_late ? FLOE_CAUSE_NONE : FLOE_CAUSE_WRONG_TRANSACTION);
}

static floe__turn_step on_stun(floe__turn *turn, floe_time now, floe_bytes message) {
  floe__stun_msg m;
  floe__stun_parse parse = floe__stun_msg_parse(&m, message);
  if (parse == FLOE__STUN_NOT_STUN) return discard(turn, FLOE_CAUSE_NOT_STUN);
  switch (m.cls) {
    case FLOE__STUN_REQUEST: return discard(turn, FLOE_CAUSE_WRONG_TRANSACTION);
    case FLOE__STUN_INDICATION: return on_indication(turn, &m, parse);
    case FLOE__STUN_SUCCESS:
    case FLOE__STUN_ERROR: return on_response(turn, now, &m, parse);
  }
  return FLOE__TURN_STEP_NONE;
}

floe__turn_step floe__turn_on_message(floe__turn *turn, floe_time now, floe_bytes message) {
  turn->now = now;
  turn->discard_cause = FLOE_CAUSE_NONE;
  turn->data = (floe_bytes){0};
  if (turn->state == FLOE__TURN_IDLE || turn->state == FLOE__TURN_ENDED) return FLOE__TURN_STEP_DISCARDED;
  if (turn->state != FLOE__TURN_ALLOCATING && floe__turn_is_channel_data(message)) {
    return on_channel_data(turn, message);
  }
  floe__turn_step step = on_stun(turn, now, message);
  bool was_discarded = step == FLOE__TURN_STEP_NONE && turn->discard_cause != FLOE_CAUSE_NONE;
  return was_discarded ? discard(turn, turn->discard_cause) : step;
}

/* --- timers ----------------------------------------------------------------------------------------------------- */

static floe__deadline request_deadline(const floe__turn *turn) {
  return floe__deadline_at(floe__stun_request_deadline(&turn->request), "turn.transaction");
}

static floe__deadline live_deadline(const floe__turn *turn) {
  bool is_open = floe__stun_request_is_open(&turn->request);
  floe__deadline d = is_open ? request_deadline(turn) : floe__deadline_at(turn->refresh_at, "turn.refresh");
  d = floe__earliest(d, floe__deadline_at(turn->expires_at, "turn.expiry"));
  return floe__earliest(d, floe__turn_peers_deadline(turn));
}

floe__deadline floe__turn_deadline(const floe__turn *turn) {
  switch (turn->state) {
    case FLOE__TURN_ALLOCATING:
    case FLOE__TURN_DELETING: return request_deadline(turn);
    case FLOE__TURN_LIVE: return live_deadline(turn);
    case FLOE__TURN_IDLE:
    case FLOE__TURN_ENDED: break;
  }
  return FLOE__NO_DEADLINE;
}

static floe__turn_step on_request_deadline(floe__turn *turn, floe_time now) {
  return on_result(turn, now, NULL, floe__stun_request_on_deadline(&turn->request, now, &turn->outcome));
}

static floe__turn_step on_live_deadline(floe__turn *turn, floe_time now) {
  bool is_open = floe__stun_request_is_open(&turn->request);
  if (turn->expires_at <= now) {
    return lose(turn, is_open ? FLOE_CAUSE_REFRESH_FAILED : FLOE_CAUSE_ALLOCATION_EXPIRED, 0);
  }
  if (is_open && request_deadline(turn).at <= now) return on_request_deadline(turn, now);
  if (!is_open && turn->refresh_at <= now) {
    start_refresh(turn, now);
    return FLOE__TURN_STEP_NONE;
  }
  return floe__turn_peers_on_deadline(turn, now);
}

floe__turn_step floe__turn_on_deadline(floe__turn *turn, floe_time now) {
  turn->now = now;
  turn->discard_cause = FLOE_CAUSE_NONE;
  switch (turn->state) {
    case FLOE__TURN_ALLOCATING:
    case FLOE__TURN_DELETING: return on_request_deadline(turn, now);
    case FLOE__TURN_LIVE: return on_live_deadline(turn, now);
    case FLOE__TURN_IDLE:
    case FLOE__TURN_ENDED: break;
  }
  return FLOE__TURN_STEP_NONE;
}

/* --- the owner's calls ------------------------------------------------------------------------------------------ */

void floe__turn_init(floe__turn *turn, floe_env *env, const floe__turn_config *cfg, const char *username,
                     const char *credential, void (*send)(void *owner, floe_bytes message), void *owner) {
  memset(turn, 0, sizeof *turn);
  turn->env = env;
  turn->cfg = *cfg;
  turn->send = send;
  turn->owner = owner;
  turn->refresh_at = turn->expires_at = FLOE_TIME_NEVER;
  turn->next_channel = FLOE__TURN_CHANNEL_MIN;
  floe__stun_auth_init(&turn->auth, env, username, credential);
  floe__turn_request_init(turn, &turn->request, &request_ops, turn, FLOE__STUN_ALLOCATE);
  turn->request.has_optional = cfg->relay_family == FLOE_RELAY_FAMILY_BOTH || cfg->lifetime_s != 0;
}

void floe__turn_clear(floe__turn *turn) {
  floe__turn_peers_clear(turn);
  floe__stun_request_clear(&turn->request);
  floe__stun_auth_clear(&turn->auth);
  floe__free(turn->env, turn->alternate_domain);
  floe__free(turn->env, turn->software);
  turn->alternate_domain = turn->software = NULL;
}

void floe__turn_start(floe__turn *turn, floe_time now) {
  turn->now = now;
  set_state(turn, FLOE__TURN_ALLOCATING);
  floe__stun_request_start(&turn->request, now);
}

void floe__turn_delete(floe__turn *turn, floe_time now) {
  turn->now = now;
  if (turn->state == FLOE__TURN_DELETING) return;
  /* A signed Allocate may have made an allocation of which the answer is still under way: deleted with one Refresh, for
   * nobody waits to send it again. */
  if (turn->state == FLOE__TURN_ALLOCATING && turn->request.was_signed) start_refresh(turn, now);
  if (turn->state != FLOE__TURN_LIVE) {
    end(turn);
    return;
  }
  set_state(turn, FLOE__TURN_DELETING);
  floe__turn_peers_stop(turn);
  start_refresh(turn, now);
}

void floe__turn_hurry(floe__turn *turn, floe_time now) {
  if (turn->state == FLOE__TURN_LIVE && turn->refresh_at > now) turn->refresh_at = now;
}

void floe__turn_abandon(floe__turn *turn) {
  end(turn);
}
