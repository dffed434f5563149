/* A connectivity check that we send, and what comes of it (RFC 8445 7.2). */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/trace.h"
#include "ice/parameters.h"
#include "ice/session.h"
#include "stun/error_code.h"
#include "stun/integrity.h"

/* A peer that says 487 to either role is asked no more often than this on a pair. */
#define MAX_ROLE_CONFLICTS 8

/* Header, USERNAME of two fragments and a colon, PRIORITY, role, USE-CANDIDATE, integrity, FINGERPRINT. */
#define CHECK_MAX (FLOE__STUN_HEADER + 4 + 2 * FLOE__ICE_PARAMETERS_MAX + 4 + 8 + 12 + 4 + 24 + 8)

/* A permission is asked for so often before the server counts as silent. */
#define MAX_PERMISSION_TRIES 4

/* A nomination is made anew with this many transmissions each: on a path that works, but loses packets, waits that
 * double without end would only lose time. */
#define NOMINATION_TRANSMISSIONS 3

/* RFC 8445 14.3 keeps the first retransmission away while many others are under way. */
static uint32_t rto_of(const floe__session *s) {
  const floe_ice_timing *t = &s->io->settings->cfg.timing;
  uint32_t n = 0;
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe_pair_state state = s->pairs[i]->state;
    if (state == FLOE_PAIR_WAITING || state == FLOE_PAIR_IN_PROGRESS) n++;
  }
  return n * t->ta_ms > t->check_rto_ms ? n * t->ta_ms : t->check_rto_ms;
}

/* RFC 8489 6.2.1: doubling waits, and after the last transmission Rm = 16 times the first. */
static void set_timing(floe__session *s, floe__pair *p) {
  const floe_ice_timing *t = &s->io->settings->cfg.timing;
  uint32_t rto = rto_of(s);
  uint32_t n = t->check_transmissions;
  if (p->is_nominating && n > NOMINATION_TRANSMISSIONS) {
    uint32_t all_three = t->check_rto_ms * 7;
    p->timing = (floe__stun_timing){t->check_rto_ms, NOMINATION_TRANSMISSIONS, all_three, t->stream_timeout_ms};
    return;
  }
  uint64_t all = 0;
  for (uint32_t i = 1; i < n && all < UINT32_MAX; i++) all += (uint64_t)rto << (i - 1 < 31 ? i - 1 : 31);
  all += (uint64_t)rto * 16;
  uint32_t timeout = all > UINT32_MAX ? UINT32_MAX : (uint32_t)all;
  p->timing = (floe__stun_timing){rto, n, timeout, timeout};
}

/* --- the request ------------------------------------------------------------------------------------------------- */

/* RFC 8445 7.1.1: the priority that a peer-reflexive candidate learnt from this check would have. */
static uint32_t priority_as_prflx(const floe_ice_candidate *c) {
  return UINT32_C(110) << 24 | (c->priority & 0xffffff);
}

static void put_user(floe__session *s, floe__stun_builder *b) {
  char user[2 * FLOE__ICE_PARAMETERS_MAX + 2];
  (void)snprintf(user, sizeof user, "%s:%s", s->remote_ufrag, s->ufrag);
  floe__stun_put_text(b, FLOE__STUN_USERNAME, user);
}

floe__sent floe__check_send(floe__session *s, floe__pair *p, const uint8_t txn_id[FLOE__STUN_TXN_ID], bool nominates) {
  uint8_t buf[CHECK_MAX];
  floe__stun_builder b;
  bool controlling = s->conn->role == FLOE_ICE_ROLE_CONTROLLING;
  floe__stun_begin(&b, buf, sizeof buf, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, txn_id);
  put_user(s, &b);
  floe__stun_put_u32(&b, FLOE__STUN_PRIORITY, priority_as_prflx(&p->local->pub));
  floe__stun_put_u64(&b, controlling ? FLOE__STUN_ICE_CONTROLLING : FLOE__STUN_ICE_CONTROLLED, s->conn->tie_breaker);
  if (nominates && controlling) floe__stun_put_flag(&b, FLOE__STUN_USE_CANDIDATE);
  floe__stun_put_integrity(&b, s->remote_key);
  floe__stun_put_fingerprint(&b);
  floe_bytes message = floe__stun_end(&b);
  FLOE__ASSERT(message.len > 0);
  s->io->dscp = s->io->settings->cfg.check_dscp;
  floe__sent sent = floe__session_send_on(s, p, message);
  s->io->dscp = 0;
  return sent;
}

static void trace_sent(floe__session *s, const floe__pair *p) {
  floe__trace t;
  if (!floe__trace_begin(&t, s->io->env, s->io->now, "ice.check.sent")) return;
  const uint8_t *id = p->txn.id;
  char text[16];
  (void)snprintf(text, sizeof text, "%02x%02x%02x%02x", id[0], id[1], id[2], id[3]);
  floe__trace_int(&t, "pair", p->id);
  floe__trace_text(&t, "txn", text);
  floe__trace_int(&t, "use_candidate", p->txn_nominates);
  floe__trace_int(&t, "transmission", p->txn.sent);
  floe__trace_end(&t);
}

static void transmit(floe__session *s, floe__pair *p) {
  p->counts.requests_sent++;
  trace_sent(s, p);
  (void)floe__check_send(s, p, p->txn.id, p->txn_nominates); /* what is lost here is lost on the way: sent again */
}

static void open_txn(floe__session *s, floe__pair *p) {
  set_timing(s, p);
  p->txn_controlling = s->conn->role == FLOE_ICE_ROLE_CONTROLLING;
  p->txn_nominates = p->is_nominating && p->txn_controlling;
  floe__stun_txn_start(&p->txn, s->io->env, &p->timing, floe__pair_is_tcp(p), s->io->now);
  transmit(s, p);
}

/* --- starting ---------------------------------------------------------------------------------------------------- */

static bool has_link(const floe__pair *p) {
  return p->link != NULL && p->link->state != FLOE__TCP_LINK_CLOSED;
}

/* RFC 6544 7.2: the connection first. A passive side waits for its peer's. */
static void start_tcp(floe__session *s, floe__pair *p) {
  if (!has_link(p)) {
    p->link = NULL;
    if (p->local->pub.tcp_type == FLOE_TCP_TYPE_PASSIVE) return;
    p->link = floe__session_add_link(s, floe__tcp_link_connect(s->io, p->local, &p->remote->pub.address));
  }
  if (p->link == NULL) {
    floe__check_fail(s, p, FLOE_PAIR_FAILURE_SOCKET);
  } else if (p->link->state == FLOE__TCP_LINK_OPEN) {
    open_txn(s, p);
  }
}

/* RFC 8656 9: the server lets nothing through before there is a permission. */
static void start_relayed(floe__session *s, floe__pair *p) {
  if (p->permission == FLOE__PERMISSION_GRANTED) {
    open_txn(s, p);
    return;
  }
  if (p->permission == FLOE__PERMISSION_ASKED) return;
  p->permission = FLOE__PERMISSION_ASKED;
  p->permission_tries++;
  if (!floe__session_permit(s, p->local, &p->remote->pub.address, false)) {
    p->permission = FLOE__PERMISSION_NONE;
    floe__check_fail(s, p, p->local->is_gone ? FLOE_PAIR_FAILURE_RELAY_LOST : FLOE_PAIR_FAILURE_SOCKET);
  }
}

void floe__check_start(floe__session *s, floe__pair *p) {
  FLOE__ASSERT(p->state == FLOE_PAIR_WAITING);
  floe__pair_go(p, s->io, FLOE_PAIR_IN_PROGRESS, FLOE_PAIR_FAILURE_NONE);
  p->begun_at = s->io->now;
  if (floe__pair_is_tcp(p)) {
    start_tcp(s, p);
  } else if (p->local->pub.type == FLOE_CANDIDATE_RELAY) {
    start_relayed(s, p);
  } else {
    open_txn(s, p);
  }
}

void floe__check_again(floe__session *s, floe__pair *p) {
  FLOE__ASSERT(p->state == FLOE_PAIR_SUCCEEDED);
  p->keepalive_at = FLOE_TIME_NEVER;
  floe__check_cancel(p);
  open_txn(s, p);
}

void floe__check_cancel(floe__pair *p) {
  if (p->txn.state != FLOE__STUN_TXN_OPEN) return;
  floe__cancelled *c = &p->cancelled[p->n_cancelled++ % FLOE__MAX_CANCELLED];
  *c = (floe__cancelled){.is_open = true, .nominates = p->txn_nominates, .controlling = p->txn_controlling};
  memcpy(c->id, p->txn.id, sizeof c->id);
  floe__stun_txn_clear(&p->txn);
}

/* --- failing ----------------------------------------------------------------------------------------------------- */

static floe_cause cause_of(floe_pair_failure failure) {
  return failure == FLOE_PAIR_FAILURE_ADDRESS_GONE ? FLOE_CAUSE_NETWORK_GONE : FLOE_CAUSE_CONSENT_LOST;
}

static void forget_cancelled(floe__pair *p) {
  for (uint32_t i = 0; i < FLOE__MAX_CANCELLED; i++) p->cancelled[i].is_open = false;
}

void floe__check_fail(floe__session *s, floe__pair *p, floe_pair_failure failure) {
  if (p->txn.state == FLOE__STUN_TXN_OPEN) floe__stun_txn_clear(&p->txn);
  forget_cancelled(p);
  p->is_nominating = p->peer_nominated = p->is_nominated = false;
  p->trigger = 0;
  p->keepalive_at = FLOE_TIME_NEVER;
  if (p->state != FLOE_PAIR_FAILED) floe__pair_go(p, s->io, FLOE_PAIR_FAILED, failure);
  s->is_idle = false;
  if (p == s->selected) floe__consent_lose(s, cause_of(failure));
}

/* Silence is no refusal: it is asked again, for lossy paths do this. */
static void on_unanswered(floe__session *s, floe__pair *p) {
  p->permission = FLOE__PERMISSION_NONE;
  if (p->state == FLOE_PAIR_IN_PROGRESS && p->permission_tries < MAX_PERMISSION_TRIES) {
    start_relayed(s, p);
  } else {
    floe__check_fail(s, p, FLOE_PAIR_FAILURE_TIMEOUT);
  }
}

static void take_permission(floe__session *s, floe__pair *p, floe__permit_result result) {
  switch (result) {
    case FLOE__PERMIT_KEPT: /* no channel: data travels in indications, and it is asked for again */
      if (p == s->selected && p->permission_tries++ < MAX_PERMISSION_TRIES) {
        (void)floe__session_permit(s, p->local, &p->remote->pub.address, true);
      }
      return;
    case FLOE__PERMIT_GRANTED:
      p->permission = FLOE__PERMISSION_GRANTED;
      if (p->state == FLOE_PAIR_IN_PROGRESS && p->txn.state != FLOE__STUN_TXN_OPEN) open_txn(s, p);
      return;
    case FLOE__PERMIT_UNANSWERED: on_unanswered(s, p); return;
    case FLOE__PERMIT_REFUSED:
      p->permission = FLOE__PERMISSION_NONE;
      p->was_denied = true;
      floe__check_fail(s, p, FLOE_PAIR_FAILURE_RELAY_DENIED);
      return;
  }
}

void floe__check_on_permission(floe__session *s, uint32_t candidate, const floe_addr *peer,
                               floe__permit_result result) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    if (p->local->pub.id != candidate || !floe_addr_equal_ip(&p->remote->pub.address, peer)) continue;
    if (p->remote->pub.address.port == peer->port && p->state != FLOE_PAIR_FAILED) take_permission(s, p, result);
  }
}

void floe__check_on_link(floe__session *s, floe__tcp_link *link) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    if (p->link != link) continue;
    if (link->state == FLOE__TCP_LINK_CLOSED) {
      p->link = NULL;
      floe__check_fail(s, p, FLOE_PAIR_FAILURE_TCP);
    } else if (p->state == FLOE_PAIR_IN_PROGRESS && p->txn.state != FLOE__STUN_TXN_OPEN) {
      open_txn(s, p);
    }
  }
}

/* A nomination goes on for as long as an ordinary check would, unless another pair works. */
static void on_timeout(floe__session *s, floe__pair *p) {
  floe_time until = floe__after_ms(p->nominating_since, s->io->settings->cfg.timing.patience_ms);
  if (p->state == FLOE_PAIR_SUCCEEDED && p->is_nominating && floe__nominate_elsewhere(s, p)) return;
  if (p->state == FLOE_PAIR_SUCCEEDED && p->is_nominating && s->io->now < until) {
    floe__check_again(s, p);
  } else {
    floe__check_fail(s, p, FLOE_PAIR_FAILURE_TIMEOUT);
  }
}

void floe__check_on_deadline(floe__session *s, floe__pair *p) {
  switch (floe__stun_txn_on_deadline(&p->txn, s->io->now)) {
    case FLOE__STUN_TXN_NOTHING: return;
    case FLOE__STUN_TXN_RETRANSMIT:
      transmit(s, p);
      s->is_idle = false; /* others may overtake a slow one */
      return;
    case FLOE__STUN_TXN_GIVE_UP: on_timeout(s, p); return;
  }
}

/* --- the answer -------------------------------------------------------------------------------------------------- */

static floe__cancelled *find_cancelled(floe__pair *p, const floe__stun_msg *m) {
  for (uint32_t i = 0; i < FLOE__MAX_CANCELLED; i++) {
    floe__cancelled *c = &p->cancelled[i];
    if (c->is_open && memcmp(c->id, m->txn_id, sizeof c->id) == 0) return c;
  }
  return NULL;
}

/* `*cancelled`: NULL when it is the check that is open. */
static floe__pair *find_asked(const floe__session *s, const floe__stun_msg *m, floe__cancelled **cancelled) {
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    *cancelled = NULL;
    if (p->txn.state == FLOE__STUN_TXN_OPEN && memcmp(p->txn.id, m->txn_id, sizeof p->txn.id) == 0) return p;
    *cancelled = find_cancelled(p, m);
    if (*cancelled != NULL) return p;
  }
  return NULL;
}

bool floe__check_is_symmetric(const floe__pair *p, const floe__path *path) {
  const floe_addr *to = &p->remote->pub.address;
  /* A srflx and a host of one socket are one path. */
  bool same_local = p->local == path->local || (p->local->sock != 0 && p->local->sock == path->local->sock);
  return same_local && p->link == path->link && floe_addr_equal_ip(to, &path->remote) && to->port == path->remote.port;
}

bool floe__check_is_authentic(floe__session *s, floe__pair *p, const floe__stun_msg *m) {
  bool ok = floe__stun_check_fingerprint(m) != FLOE__STUN_CHECK_BAD &&
            floe__stun_check_integrity(m, s->remote_key) == FLOE__STUN_CHECK_OK;
  if (ok) return true;
  p->counts.integrity_failures++;
  s->bad_integrity++;
  return false;
}

static void trace_answer(floe__session *s, const floe__pair *p, const floe__stun_msg *m, unsigned code, double rtt_ms) {
  floe__trace t;
  if (!floe__trace_begin(&t, s->io->env, s->io->now, "ice.check.answered")) return;
  char text[16];
  (void)snprintf(text, sizeof text, "%02x%02x%02x%02x", m->txn_id[0], m->txn_id[1], m->txn_id[2], m->txn_id[3]);
  floe__trace_int(&t, "pair", p->id);
  floe__trace_text(&t, "txn", text);
  floe__trace_int(&t, "code", (int64_t)code);
  if (rtt_ms > 0) floe__trace_int(&t, "rtt_us", (int64_t)(rtt_ms * 1000));
  floe__trace_end(&t);
}

/* RFC 8445 7.2.5.2.1, 7.2.5.3.1: the mapped address is one of ours, or a peer-reflexive candidate. */
static floe__candidate *find_mapped(floe__session *s, const floe__pair *p, const floe_addr *mapped) {
  const floe__candidate *local = p->local;
  if (mapped->family != local->base.family) return NULL; /* a translator of families stands between */
  for (size_t i = 0; i < s->candidates.n; i++) {
    floe__candidate *c = s->candidates.items[i];
    bool same = floe_addr_equal_ip(&c->pub.address, mapped) && c->pub.address.port == mapped->port;
    if (same && c->pub.transport == local->pub.transport && floe_addr_equal_ip(&c->base, &local->base)) return c;
  }
  /* The peer says what it sees: it may say something else each time. */
  if (s->n_own_learnt >= s->io->settings->cfg.max_peer_reflexive) return NULL;
  floe__candidate *c = floe__zalloc(s->io->env, sizeof *c);
  if (c == NULL) return NULL;
  c->pub = local->pub;
  c->pub.text = NULL;
  c->pub.mdns_name = NULL;
  c->pub.id = ++s->io->last_candidate;
  c->pub.type = FLOE_CANDIDATE_PRFLX;
  c->pub.address = *mapped;
  c->pub.related = local->base;
  c->base = local->base;
  c->sock = local->sock;
  uint16_t preference = (uint16_t)(local->pub.priority >> 8 & 0xffff);
  if (!floe__candidate_add(&s->candidates, s->io->env, c, preference)) {
    floe__free(s->io->env, c);
    return NULL;
  }
  s->n_own_learnt++;
  floe__candidate_trace(c, s->io->env, s->io->now);
  return c;
}

static void note_valid(floe__session *s, floe__pair *p, const floe_addr *mapped) {
  /* Over TCP an active candidate has no address of its own that a mapped one could be compared with. */
  bool plain = !floe__pair_is_tcp(p) && p->local->pub.type != FLOE_CANDIDATE_RELAY;
  floe__candidate *c = plain ? find_mapped(s, p, mapped) : NULL;
  p->valid_local = c != NULL ? c : p->local;
  if (s->valid_at == FLOE_TIME_NEVER) s->valid_at = s->io->now;
}

static void note_rtt(floe__pair *p, floe_time now) {
  double rtt;
  if (!floe__stun_txn_rtt(&p->txn, now, &rtt)) return;
  p->counts.has_rtt = true;
  p->counts.rtt_ms = rtt;
  p->counts.total_rtt_ms += rtt;
}

static void on_success(floe__session *s, floe__pair *p, const floe__stun_msg *m, bool was_nominating) {
  floe_addr mapped;
  if (!floe__stun_get_xor_addr(m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped)) {
    floe__check_fail(s, p, FLOE_PAIR_FAILURE_ERROR_RESPONSE);
    return;
  }
  p->answered_at = s->io->now;
  p->nominated_in_vain = 0;
  p->keepalive_at = floe__after_ms(s->io->now, s->io->settings->cfg.timing.keepalive_ms);
  p->trigger = 0;
  if (p->txn.state == FLOE__STUN_TXN_OPEN && p->state != FLOE_PAIR_SUCCEEDED) floe__check_cancel(p);
  if (p->state != FLOE_PAIR_SUCCEEDED) floe__pair_go(p, s->io, FLOE_PAIR_SUCCEEDED, FLOE_PAIR_FAILURE_NONE);
  note_valid(s, p, &mapped);
  floe__checklist_thaw(s, p);
  bool is_followed = p->peer_nominated && s->conn->role == FLOE_ICE_ROLE_CONTROLLED;
  if (was_nominating || is_followed) floe__nominate_done(s, p);
}

/* RFC 8445 7.2.5.1: the peer says that it has our role: we take the other and ask again. */
static void on_role_conflict(floe__session *s, floe__pair *p, bool was_controlling) {
  floe__role_yield(s->conn, was_controlling);
  p->is_nominating = false;
  bool is_asked_anew = p->txn.state == FLOE__STUN_TXN_OPEN; /* it was the cancelled check of before */
  if (p->state == FLOE_PAIR_SUCCEEDED || is_asked_anew) return;
  if (++p->counts.role_conflicts > MAX_ROLE_CONFLICTS) {
    floe__check_fail(s, p, FLOE_PAIR_FAILURE_ERROR_RESPONSE);
    return;
  }
  floe__checklist_trigger(s, p);
}

static void on_error(floe__session *s, floe__pair *p, const floe__stun_msg *m, bool was_controlling) {
  floe__stun_error error;
  if (!floe__stun_get_error(m, &error)) {
    floe__check_fail(s, p, FLOE_PAIR_FAILURE_ERROR_RESPONSE);
    return;
  }
  p->counts.stun_error = error.code;
  if (error.code == 487) {
    on_role_conflict(s, p, was_controlling);
  } else {
    floe__check_fail(s, p, FLOE_PAIR_FAILURE_ERROR_RESPONSE);
  }
}

/* A peer that does not know our parameters yet cannot sign its error: it is noted, and the check goes on. */
static void note_unsigned_error(floe__pair *p, const floe__stun_msg *m) {
  floe__stun_error error;
  if (floe__stun_get_error(m, &error)) p->counts.stun_error = error.code;
}

bool floe__check_on_response(floe__session *s, const floe__path *path, const floe__stun_msg *m) {
  floe__cancelled *cancelled;
  floe__pair *p = find_asked(s, m, &cancelled);
  if (p == NULL) return false;
  if (!floe__session_is_checking(s)) return true; /* it has failed meanwhile: only a restart helps */
  bool is_unsigned_error = m->cls == FLOE__STUN_ERROR && !floe__stun_has(m, FLOE__STUN_MESSAGE_INTEGRITY);
  if (is_unsigned_error) {
    note_unsigned_error(p, m);
    return true;
  }
  if (!floe__check_is_authentic(s, p, m)) return true;
  s->heard_anything = true;
  p->counts.responses_received++;
  bool nominating = cancelled != NULL ? cancelled->nominates : p->txn_nominates;
  bool controlling = cancelled != NULL ? cancelled->controlling : p->txn_controlling;
  unsigned code = 0;
  floe__stun_error error;
  if (m->cls == FLOE__STUN_ERROR && floe__stun_get_error(m, &error)) code = error.code;
  if (cancelled != NULL) {
    cancelled->is_open = false;
  } else {
    (void)floe__stun_txn_take_response(&p->txn, m, s->io->now);
    note_rtt(p, s->io->now);
  }
  trace_answer(s, p, m, code, cancelled != NULL || !p->counts.has_rtt ? 0 : p->counts.rtt_ms);
  if (!floe__check_is_symmetric(p, path)) {
    floe__check_fail(s, p, FLOE_PAIR_FAILURE_NOT_SYMMETRIC);
  } else if (m->cls == FLOE__STUN_SUCCESS) {
    on_success(s, p, m, nominating);
  } else {
    on_error(s, p, m, controlling);
  }
  return true;
}

/* --- what the network says --------------------------------------------------------------------------------------- */

/* Errors that say that nobody is there; two of them, as for servers, for one may be of a moment before. */
static bool is_hard(const floe_input *in) {
  if (in->type == FLOE_INPUT_SEND_FAILED) {
    return in->net_error == FLOE_NET_REFUSED || in->net_error == FLOE_NET_NET_UNREACHABLE ||
           in->net_error == FLOE_NET_HOST_UNREACHABLE || in->net_error == FLOE_NET_DENIED ||
           in->net_error == FLOE_NET_ADDRESS_NOT_AVAILABLE;
  }
  return in->addr.family == FLOE_FAMILY_IPV6 ? in->icmp_type == 1 : in->icmp_type == 3 && in->icmp_code != 4;
}

static void note_icmp(floe__pair *p, const floe_input *in) {
  p->counts.icmp_errors++;
  if (is_hard(in)) p->counts.hard_errors++;
  if (in->os_error != 0) p->counts.os_error = in->os_error;
  if (in->type != FLOE_INPUT_ICMP) return;
  p->counts.has_icmp = true;
  p->counts.icmp_type = in->icmp_type;
  p->counts.icmp_code = in->icmp_code;
}

void floe__check_on_icmp(floe__session *s, const floe_input *in) {
  if (s->is_ended) return;
  for (size_t i = 0; i < s->n_pairs; i++) {
    floe__pair *p = s->pairs[i];
    const floe_addr *to = &p->remote->pub.address;
    if (p->local->sock != in->sock || floe__pair_is_tcp(p)) continue;
    if (!floe_addr_equal_ip(to, &in->addr) || to->port != in->addr.port) continue;
    note_icmp(p, in);
    if (p->state == FLOE_PAIR_IN_PROGRESS && p->counts.hard_errors >= 2) {
      floe__check_fail(s, p, FLOE_PAIR_FAILURE_UNREACHABLE);
    }
  }
}
