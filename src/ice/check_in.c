/* A connectivity check of the peer, and our answer (RFC 8445 7.3). Nothing is answered that is not signed with our
 * password: who does not know it learns nothing from us, and cannot use us to flood others. */
#include <string.h>

#include "base/trace.h"
#include "ice/session.h"
#include "stun/integrity.h"

/* Header, XOR-MAPPED-ADDRESS or ERROR-CODE with its phrase, UNKNOWN-ATTRIBUTES, integrity, FINGERPRINT. */
#define ANSWER_MAX 256

/* At most so many answers in a row, and then so many in a second: more than any checklist of 100 pairs asks for. */
#define ANSWERS_BURST      400
#define ANSWERS_PER_SECOND 400

typedef enum outcome {
  OUTCOME_OK = 0,
  OUTCOME_UNKNOWN_UFRAG,
  OUTCOME_BAD_INTEGRITY,
  OUTCOME_ROLE_CONFLICT,
  OUTCOME_REFUSED,
  OUTCOME_MALFORMED
} outcome;

static const char *outcome_name(outcome o) {
  switch (o) {
    case OUTCOME_OK: return "ok";
    case OUTCOME_UNKNOWN_UFRAG: return "unknown_ufrag";
    case OUTCOME_BAD_INTEGRITY: return "bad_integrity";
    case OUTCOME_ROLE_CONFLICT: return "role_conflict";
    case OUTCOME_REFUSED: return "refused";
    case OUTCOME_MALFORMED: return "malformed";
  }
  return "";
}

static void trace_request(floe__session *s, const floe__path *path, const floe__stun_msg *m, const floe__remote *known,
                          outcome o) {
  floe__trace t;
  if (!floe__trace_begin(&t, s->io->env, s->io->now, "ice.check.received")) return;
  floe__trace_addr(&t, "addr", &path->remote);
  if (known != NULL) floe__trace_int(&t, "remote", known->pub.id);
  floe__trace_int(&t, "known", known != NULL);
  floe__trace_int(&t, "use_candidate", floe__stun_has(m, FLOE__STUN_USE_CANDIDATE));
  floe__trace_text(&t, "outcome", outcome_name(o));
  floe__trace_end(&t);
}

/* --- whose it is ------------------------------------------------------------------------------------------------- */

/* RFC 8445 7.2.2: USERNAME is our fragment, a colon and the peer's. */
static bool is_for_us(const floe__session *s, const floe__stun_msg *m) {
  floe_bytes user = floe__stun_get(m, FLOE__STUN_USERNAME);
  size_t n = strlen(s->ufrag);
  return user.len > n && user.ptr[n] == ':' && memcmp(user.ptr, s->ufrag, n) == 0;
}

static const floe__stun_key *local_key(floe__session *s) {
  if (s->local_key != NULL) return s->local_key;
  s->local_key = floe__alloc(s->io->env, sizeof *s->local_key);
  if (s->local_key != NULL) floe__stun_key_init(s->local_key, s->pwd, strlen(s->pwd));
  return s->local_key;
}

static bool is_authentic(floe__session *s, const floe__stun_msg *m) {
  const floe__stun_key *key = local_key(s);
  if (key == NULL || floe__stun_check_fingerprint(m) == FLOE__STUN_CHECK_BAD) return false;
  return floe__stun_check_integrity(m, key) == FLOE__STUN_CHECK_OK;
}

/* --- the answer -------------------------------------------------------------------------------------------------- */

static bool may_answer(floe__session *s) {
  floe_time now = s->io->now;
  if (s->answers_at == 0) {
    s->answers_at = now;
    s->answers_left = ANSWERS_BURST;
  }
  floe_time step = FLOE_SECOND / ANSWERS_PER_SECOND;
  uint64_t earned = (now - s->answers_at) / step;
  if (earned > 0) {
    s->answers_at += earned * step;
    uint64_t left = s->answers_left + earned;
    s->answers_left = left > ANSWERS_BURST ? ANSWERS_BURST : (uint32_t)left;
  }
  if (s->answers_left == 0) return false;
  s->answers_left--;
  return true;
}

static void begin_answer(floe__stun_builder *b, uint8_t *buf, const floe__stun_msg *m, floe__stun_class cls) {
  floe__stun_begin(b, buf, ANSWER_MAX, cls, FLOE__STUN_BINDING, m->txn_id);
}

static void send_answer(floe__session *s, const floe__path *path, floe__stun_builder *b) {
  floe__stun_put_integrity(b, s->local_key);
  floe__stun_put_fingerprint(b);
  floe_bytes message = floe__stun_end(b);
  s->io->dscp = s->io->settings->cfg.check_dscp;
  if (message.len > 0) (void)floe__session_send(s, path, message);
  s->io->dscp = 0;
}

static void answer_success(floe__session *s, const floe__path *path, const floe__stun_msg *m) {
  uint8_t buf[ANSWER_MAX];
  floe__stun_builder b;
  begin_answer(&b, buf, m, FLOE__STUN_SUCCESS);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &path->remote);
  send_answer(s, path, &b);
}

static void answer_error(floe__session *s, const floe__path *path, const floe__stun_msg *m, unsigned code,
                         const char *reason) {
  uint8_t buf[ANSWER_MAX];
  floe__stun_builder b;
  begin_answer(&b, buf, m, FLOE__STUN_ERROR);
  floe__stun_put_error(&b, code, reason);
  if (code == 420) {
    uint8_t types[2 * sizeof m->unknown / sizeof m->unknown[0]];
    for (uint8_t i = 0; i < m->n_unknown; i++) {
      types[2 * i] = (uint8_t)(m->unknown[i] >> 8);
      types[2 * i + 1] = (uint8_t)m->unknown[i];
    }
    floe__stun_put(&b, FLOE__STUN_UNKNOWN_ATTRIBUTES, types, (size_t)2 * m->n_unknown);
  }
  send_answer(s, path, &b);
}

/* --- roles ------------------------------------------------------------------------------------------------------- */

/* RFC 8445 7.3.1.1. True: we keep our role and the peer must change its own. */
static bool insists_on_role(floe__session *s, const floe__stun_msg *m) {
  floe__connection *conn = s->conn;
  uint64_t theirs;
  if (s->local.lite) return false; /* RFC 8445 6.1.1 has decided; 7.3.1 is for full agents */
  if (conn->role == FLOE_ICE_ROLE_CONTROLLING && floe__stun_get_u64(m, FLOE__STUN_ICE_CONTROLLING, &theirs)) {
    conn->role_conflicts++;
    if (conn->tie_breaker >= theirs) return true;
    floe__role_set(conn, FLOE_ICE_ROLE_CONTROLLED, "the peer's tie-breaker is larger");
  } else if (conn->role == FLOE_ICE_ROLE_CONTROLLED && floe__stun_get_u64(m, FLOE__STUN_ICE_CONTROLLED, &theirs)) {
    conn->role_conflicts++;
    if (conn->tie_breaker < theirs) return true;
    floe__role_set(conn, FLOE_ICE_ROLE_CONTROLLING, "our tie-breaker is larger");
  }
  return false;
}

/* --- what follows ------------------------------------------------------------------------------------------------ */

/* The candidate that is sent from: of a srflx the host of its socket, if there is one (RFC 8445 7.3.1.4). */
static floe__candidate *sender_of(const floe__session *s, floe__candidate *local) {
  if (local->sock == 0 || local->pub.transport == FLOE_TRANSPORT_TCP) return local;
  floe__candidate *best = local;
  for (size_t i = 0; i < s->candidates.n; i++) {
    floe__candidate *c = s->candidates.items[i];
    if (c->sock == local->sock && !c->is_gone && c->pub.type == FLOE_CANDIDATE_HOST) best = c;
  }
  return best;
}

/* RFC 8445 7.3.1.3, 7.3.1.4. NULL: no room for another one. */
static floe__pair *find_or_learn(floe__session *s, const floe__path *path, const floe__stun_msg *m,
                                 const floe__remote **known) {
  floe__candidate *local = sender_of(s, path->local);
  floe__remote *r = floe__remote_find(&s->remotes, &path->remote, local->pub.transport);
  *known = r;
  if (r == NULL) {
    uint32_t priority;
    if (!floe__stun_get_u32(m, FLOE__STUN_PRIORITY, &priority)) priority = 1;
    if (s->remotes.n_learnt >= s->io->settings->cfg.max_peer_reflexive) (void)floe__checklist_forget_learnt(s);
    r = floe__remote_learn(&s->remotes, s->io, &path->remote, local->pub.transport, priority);
    if (r == NULL) return NULL;
    if (local->pub.tcp_type == FLOE_TCP_TYPE_SO) r->pub.tcp_type = FLOE_TCP_TYPE_SO;
    if (local->pub.tcp_type == FLOE_TCP_TYPE_ACTIVE) r->pub.tcp_type = FLOE_TCP_TYPE_PASSIVE;
    floe__consent_hurry(s); /* the peer may have moved: is it still on the path in use? */
  }
  floe__pair *p = floe__checklist_pair(s, local, r);
  /* RFC 6544 7.3: over TCP the connection is part of the path. */
  if (p != NULL && path->link != NULL && p->link == NULL) p->link = path->link;
  return p;
}

/* RFC 7675 5.1: consent is for a pair. One that has not answered for long is asked first, or a peer could have us send
 * to an address that has fallen silent by nominating it again and again. */
static bool is_fresh(const floe__session *s, const floe__pair *p) {
  return s->io->now < floe__after_ms(p->answered_at, s->io->settings->cfg.timing.consent_timeout_ms / 2);
}

/* RFC 8445 7.3.1.5: counts once our own check has succeeded. It may also come before we know our role. */
static void on_nomination(floe__session *s, floe__pair *p) {
  p->nominated_at = s->io->now;
  if (s->conn->role == FLOE_ICE_ROLE_CONTROLLING || p == s->selected) return;
  p->peer_nominated = true;
  if (p->state != FLOE_PAIR_SUCCEEDED || !floe__session_is_checking(s)) return;
  if (is_fresh(s, p)) {
    floe__nominate_done(s, p);
  } else if (p->txn.state != FLOE__STUN_TXN_OPEN) {
    floe__check_again(s, p);
  }
}

/* A check that is sent again triggers nothing that its first transmission has not: ours is under way. */
static bool is_repeated(floe__pair *p, const floe__stun_msg *m) {
  if (memcmp(p->heard_id, m->txn_id, sizeof p->heard_id) == 0) return true;
  memcpy(p->heard_id, m->txn_id, sizeof p->heard_id);
  return false;
}

/* RFC 8445 7.3.1.4. A lite side makes no checks: what it hears is all it knows. */
static void trigger(floe__session *s, floe__pair *p, const floe__stun_msg *m) {
  bool repeated = is_repeated(p, m);
  if (s->local.lite) {
    p->answered_at = s->io->now;
    if (p->state == FLOE_PAIR_SUCCEEDED) return;
    if (p->state == FLOE_PAIR_FAILED) floe__pair_go(p, s->io, FLOE_PAIR_WAITING, FLOE_PAIR_FAILURE_NONE);
    floe__pair_go(p, s->io, FLOE_PAIR_SUCCEEDED, FLOE_PAIR_FAILURE_NONE);
    p->valid_local = p->local;
    if (s->valid_at == FLOE_TIME_NEVER) s->valid_at = s->io->now;
    return;
  }
  if (p->state == FLOE_PAIR_SUCCEEDED || (repeated && p->state != FLOE_PAIR_FROZEN)) return;
  bool waits_for_way = p->state == FLOE_PAIR_IN_PROGRESS && p->txn.state != FLOE__STUN_TXN_OPEN;
  if (waits_for_way) return; /* for a permission or a connection: the check goes out as soon as it can */
  floe__check_cancel(p);
  floe__checklist_trigger(s, p);
}

static void accept_request(floe__session *s, floe__pair *p, const floe__path *path, const floe__stun_msg *m) {
  s->heard_anything = true;
  p->heard_at = s->io->now;
  p->counts.requests_received++;
  p->counts.responses_sent++;
  answer_success(s, path, m);
  trigger(s, p, m);
  if (floe__stun_has(m, FLOE__STUN_USE_CANDIDATE)) on_nomination(s, p);
  if (s->local.lite) floe__consent_on_heard(s);
}

static outcome judge(floe__session *s, const floe__path *path, const floe__stun_msg *m, const floe__remote **known) {
  if (m->n_unknown > 0) {
    answer_error(s, path, m, 420, "Unknown Attribute");
    return OUTCOME_MALFORMED;
  }
  if (insists_on_role(s, m)) {
    answer_error(s, path, m, 487, "Role Conflict");
    return OUTCOME_ROLE_CONFLICT;
  }
  floe__pair *p = find_or_learn(s, path, m, known);
  if (p == NULL) {
    s->refused_requests++;
    return OUTCOME_REFUSED;
  }
  accept_request(s, p, path, m);
  return OUTCOME_OK;
}

bool floe__check_on_request(floe__session *s, const floe__path *path, const floe__stun_msg *m) {
  const floe__remote *known = NULL;
  outcome o;
  if (!floe__stun_has(m, FLOE__STUN_USERNAME)) return false;
  if (!is_for_us(s, m)) {
    s->unknown_ufrag++;
    trace_request(s, path, m, NULL, OUTCOME_UNKNOWN_UFRAG);
    return false; /* an earlier session may know it */
  }
  if (!is_authentic(s, m)) {
    s->bad_integrity++;
    o = OUTCOME_BAD_INTEGRITY;
  } else if (s->state == FLOE_ICE_CONNECTION_FAILED) {
    o = OUTCOME_REFUSED; /* only a restart helps now */
  } else if (!may_answer(s)) {
    s->refused_requests++;
    o = OUTCOME_REFUSED;
  } else {
    s->requests_received++;
    o = judge(s, path, m, &known);
  }
  trace_request(s, path, m, known, o);
  return true;
}
