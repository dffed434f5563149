/* The signalling between two simulated peer connections: descriptions and candidates as messages that take time. */
#include <stdlib.h>
#include <string.h>

#include "support/pc_peers.h"
#include "support/sim_agent_internal.h"
#include "support/sim_pc_internal.h"

typedef struct message {
  pc_peer *to;
  bool is_description;
  floe_sdp_type type;
  bool has_mid, has_ufrag;
  uint16_t m_line_index;
  char mid[64];
  char ufrag[260];
  char text[];
} message;

static bool is_alive(const pc_peer *y) {
  return y->x != NULL && y->x->core != NULL && !y->x->is_closed && !y->p->is_over;
}

static bool had_no_memory(const pc_peer *y) {
  return y->x != NULL && y->x->a->env != NULL && y->x->a->env->alloc.failed > 0;
}

/* No memory, here or there, is the one thing that a message may come to grief on. */
static void check_status(const pc_peer *y, floe_status st, const char *what) {
  if (st == FLOE_OK || had_no_memory(y) || had_no_memory(y->other)) return;
  const floe_error *why = &y->x->why;
  sim_fail(y->p->s, "%s refuses %s: %s: %s: %s (line %u)", y->name, what, floe_status_name(st), why->path, why->message,
           (unsigned)why->line);
}

/* --- sending -------------------------------------------------------------------------------------------------------
 */

static message *new_message(pc_peer *from, const char *text) {
  size_t len = strlen(text);
  message *m = sim_must(calloc(1, sizeof *m + len + 1));
  m->to = from->other;
  memcpy(m->text, text, len + 1);
  return m;
}

static void deliver(void *user, void *payload);
static void negotiate_later(void *user, void *payload);

static void post(pc_peer *from, message *m) {
  sim *s = from->p->s;
  uint32_t jitter = from->out.jitter_ms > 0 ? sim_random_below(s, from->out.jitter_ms + 1) : 0;
  bool is_lost = sim_chance(s, from->out.drop) || (!m->is_description && sim_chance(s, from->out.drop_candidates));
  from->n_sent++;
  if (is_lost) {
    from->n_dropped++;
    free(m);
    return;
  }
  floe_time at = sim_now(s) + (from->out.delay_ms + jitter) * FLOE_MS;
  if (at < from->last_arrival) at = from->last_arrival;
  from->last_arrival = at;
  sim_at(s, at, deliver, NULL, m);
}

/* Must come before the outputs are taken when it follows setLocalDescription: candidates go after it. */
void pc_peer_send_description(pc_peer *y) {
  (void)sim_pc_now(y->x);
  const floe_session_description *d = floe_pc_local_description(y->x->core);
  if (d == NULL) {
    if (y->x->a->env->alloc.failed == 0) sim_fail(y->p->s, "%s has no local description", y->name);
    return;
  }
  sim_agent_keep_password_of(y->x->a, d->sdp);
  message *m = new_message(y, d->sdp);
  m->is_description = true;
  m->type = d->type;
  y->n_offers_sent += d->type == FLOE_SDP_OFFER ? 1 : 0;
  y->has_unsent = false;
  post(y, m);
  if (!y->is_postponed) return;
  y->is_postponed = false;
  sim_after(y->p->s, 0, negotiate_later, y, NULL);
}

static void send_when_complete(pc_peer *y) {
  bool is_complete = floe_pc_ice_gathering_state(y->x->core) == FLOE_ICE_GATHERING_COMPLETE;
  if (y->has_unsent && is_complete) pc_peer_send_description(y);
}

floe_status pc_peer_negotiate(pc_peer *y) {
  floe_status st = floe_pc_set_local_description(y->x->core, sim_pc_now(y->x), NULL, &y->x->why);
  check_status(y, st, "setLocalDescription()");
  if (st == FLOE_OK) {
    y->has_unsent = true;
    if (y->out.mode == PC_TRICKLE) pc_peer_send_description(y);
  }
  sim_pc_drain(y->x);
  if (y->out.mode == PC_WHOLE) send_when_complete(y);
  return st;
}

static void negotiate_later(void *user, void *payload) {
  (void)payload;
  pc_peer *y = user;
  /* An answer that waits for its candidates goes first. */
  y->is_postponed = is_alive(y) && y->has_unsent;
  if (y->is_postponed) return;
  y->wants_negotiation = false;
  /* An offer of the other side has come in between: it is asked for again when stable. */
  if (is_alive(y) && floe_pc_signaling_state(y->x->core) == FLOE_SIGNALING_STABLE) (void)pc_peer_negotiate(y);
}

static void flush_later(void *user, void *payload) {
  (void)payload;
  pc_peer *y = user;
  if (is_alive(y)) send_when_complete(y);
}

static void send_candidate(pc_peer *y, const floe_signaled_candidate *c) {
  if (y->out.mode != PC_TRICKLE || c->text == NULL) return;
  if (c->text[0] == '\0' && y->out.no_end) return;
  message *m = new_message(y, c->text);
  m->m_line_index = c->sdp_m_line_index;
  m->has_mid = c->sdp_mid != NULL;
  m->has_ufrag = c->username_fragment != NULL;
  (void)snprintf(m->mid, sizeof m->mid, "%s", m->has_mid ? c->sdp_mid : "");
  (void)snprintf(m->ufrag, sizeof m->ufrag, "%s", m->has_ufrag ? c->username_fragment : "");
  post(y, m);
}

void pc_signal_on_event(void *user, const floe_event *e) {
  pc_peer *y = user;
  if (y->out.mode == PC_MANUAL) return;
  switch ((int)e->type) {
    case FLOE_EVENT_NEGOTIATIONNEEDED:
      if (!y->negotiates || y->wants_negotiation) return;
      y->wants_negotiation = true;
      sim_after(y->p->s, 0, negotiate_later, y, NULL);
      return;
    case FLOE_EVENT_ICECANDIDATE: send_candidate(y, &e->u.signaled); return;
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE: sim_after(y->p->s, 0, flush_later, y, NULL); return;
    default: return;
  }
}

/* --- taking --------------------------------------------------------------------------------------------------------
 */

/* webrtc-pc 10.7, the perfect negotiation example; nothing is asynchronous here, so that "making an offer" is over when
 * a message comes. */
static void take_description(pc_peer *y, const message *m) {
  floe_signaling_state state = floe_pc_signaling_state(y->x->core);
  bool collision = m->type == FLOE_SDP_OFFER && state != FLOE_SIGNALING_STABLE;
  y->ignores_offer = y->perfect && !y->polite && collision;
  if (y->ignores_offer) {
    y->n_offers_ignored++;
    return;
  }
  floe_status st = sim_pc_set_remote(y->x, m->type, m->text);
  check_status(y, st, m->type == FLOE_SDP_OFFER ? "the offer" : "the answer");
  if (st == FLOE_OK && m->type == FLOE_SDP_OFFER && is_alive(y)) (void)pc_peer_negotiate(y);
}

static void take_candidate(pc_peer *y, const message *m) {
  floe_ice_candidate_init init = {.candidate = m->text,
                                  .sdp_mid = m->has_mid ? m->mid : NULL,
                                  .has_sdp_m_line_index = true,
                                  .sdp_m_line_index = m->m_line_index,
                                  .username_fragment = m->has_ufrag ? m->ufrag : NULL};
  floe_status st = sim_pc_add_candidate(y->x, &init);
  if (st == FLOE_OK) return;
  y->n_refused++;
  y->last_refusal = st;
  if (!y->ignores_offer) check_status(y, st, m->text[0] == '\0' ? "the end of the candidates" : m->text);
}

static void deliver(void *user, void *payload) {
  (void)user;
  const message *m = payload;
  if (!is_alive(m->to) || m->to->out.mode == PC_MANUAL) return;
  if (m->is_description) {
    take_description(m->to, m);
  } else {
    take_candidate(m->to, m);
  }
}

/* --- by hand -------------------------------------------------------------------------------------------------------
 */

static void hand_over(pc_peer *from, floe_sdp_type type) {
  char *sdp = sim_pc_local_sdp(from->x);
  check_status(from->other, sim_pc_set_remote(from->other->x, type, sdp), "a description");
  free(sdp);
}

void pc_peers_offer_answer(pc_peer *offerer) {
  check_status(offerer, sim_pc_set_local_implicit(offerer->x), "setLocalDescription()");
  hand_over(offerer, FLOE_SDP_OFFER);
  check_status(offerer->other, sim_pc_set_local_implicit(offerer->other->x), "setLocalDescription()");
  hand_over(offerer->other, FLOE_SDP_ANSWER);
}

void pc_peer_tell_candidates(pc_peer *y) {
  char *sdp = sim_pc_local_sdp(y->x);
  for (const char *line = strstr(sdp, "a=candidate:"); line != NULL; line = strstr(line + 1, "a=candidate:")) {
    char text[600];
    (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(line + 2, "\r\n"), line + 2);
    floe_ice_candidate_init init = {.candidate = text, .has_sdp_m_line_index = true};
    check_status(y->other, sim_pc_add_candidate(y->other->x, &init), text);
  }
  free(sdp);
}
