#include "pc/signaling.h"

#include <string.h>

#include "base/assert.h"
#include "base/trace.h"
#include "pc/pc_internal.h"
#include "pc/trace.h"

/* --- the machine ---------------------------------------------------------------------------------------------------
 */

static bool next_of_offer(floe_signaling_state from, floe__side side, floe_signaling_state *to) {
  floe_signaling_state have = side == FLOE__LOCAL ? FLOE_SIGNALING_HAVE_LOCAL_OFFER : FLOE_SIGNALING_HAVE_REMOTE_OFFER;
  *to = have;
  if (from == FLOE_SIGNALING_STABLE || from == have) return true;
  /* webrtc-pc 4.4.1.5: an offer of the peer goes before ours (implicit rollback). */
  return side == FLOE__REMOTE && from == FLOE_SIGNALING_HAVE_LOCAL_OFFER;
}

static bool is_answering(floe_signaling_state from, floe__side side) {
  if (side == FLOE__LOCAL) {
    return from == FLOE_SIGNALING_HAVE_REMOTE_OFFER || from == FLOE_SIGNALING_HAVE_LOCAL_PRANSWER;
  }
  return from == FLOE_SIGNALING_HAVE_LOCAL_OFFER || from == FLOE_SIGNALING_HAVE_REMOTE_PRANSWER;
}

bool floe__signaling_next(floe_signaling_state from, floe__side side, floe_sdp_type type, floe_signaling_state *to) {
  switch (type) {
    case FLOE_SDP_OFFER: return next_of_offer(from, side, to);
    case FLOE_SDP_PRANSWER:
      *to = side == FLOE__LOCAL ? FLOE_SIGNALING_HAVE_LOCAL_PRANSWER : FLOE_SIGNALING_HAVE_REMOTE_PRANSWER;
      return is_answering(from, side);
    case FLOE_SDP_ANSWER: *to = FLOE_SIGNALING_STABLE; return is_answering(from, side);
    case FLOE_SDP_ROLLBACK:
      *to = FLOE_SIGNALING_STABLE; /* webrtc-pc 4.4.1.5: of an offer of either side, by either method */
      return from == FLOE_SIGNALING_HAVE_LOCAL_OFFER || from == FLOE_SIGNALING_HAVE_REMOTE_OFFER;
  }
  return false;
}

void floe__signaling_go(floe_pc *pc, floe_signaling_state to, floe__pc_node *node) {
  floe__signaling *s = &pc->signaling;
  FLOE__ASSERT(s->state != FLOE_SIGNALING_CLOSED);
  if (s->state == to) {
    floe__pc_node_free(pc->env, node);
    return;
  }
  floe__trace t;
  if (floe__trace_begin(&t, pc->env, pc->now, "pc.signaling")) {
    floe__trace_text(&t, "from", floe_signaling_state_name(s->state));
    floe__trace_text(&t, "to", floe_signaling_state_name(to));
    floe__trace_end(&t);
  }
  s->state = to;
  if (node == NULL) return; /* closed: silent */
  node->u.signaling = to;
  floe__pc_events_push(&pc->events, node, pc->moment);
}

static void free_next(floe__signaling *s) {
  floe__wipe(s->next_pwd, sizeof s->next_pwd);
  s->next_ufrag[0] = '\0';
}

static void forget_replaced(floe_pc *pc) {
  for (size_t i = 0; i < 2; i++) {
    floe__free(pc->env, pc->signaling.replace_ufrags[i]);
    pc->signaling.replace_ufrags[i] = NULL;
  }
}

void floe__signaling_clear(floe_pc *pc) {
  floe__signaling *s = &pc->signaling;
  floe__description_free(s->current_local);
  floe__description_free(s->pending_local);
  floe__description_free(s->current_remote);
  floe__description_free(s->pending_remote);
  floe__free(pc->env, s->last_offer);
  floe__free(pc->env, s->last_answer);
  forget_replaced(pc);
  free_next(s);
}

/* --- is negotiation needed ------------------------------------------------------------------------------------------
 */

floe__description *floe__signaling_local(const floe_pc *pc) {
  const floe__signaling *s = &pc->signaling;
  return s->pending_local != NULL ? s->pending_local : s->current_local;
}

floe__description *floe__signaling_remote(const floe_pc *pc) {
  const floe__signaling *s = &pc->signaling;
  return s->pending_remote != NULL ? s->pending_remote : s->current_remote;
}

bool floe__signaling_wants_restart(const floe_pc *pc) {
  const char *now = floe_ice_agent_local_parameters(pc->transport.agent)->ufrag;
  for (size_t i = 0; i < 2; i++) {
    const char *replaced = pc->signaling.replace_ufrags[i];
    if (replaced != NULL && strcmp(replaced, now) == 0) return true;
  }
  return false;
}

/* webrtc-pc 4.7.3, "check if negotiation is needed", as far as there is no media. */
static bool is_needed(const floe_pc *pc) {
  const floe__signaling *s = &pc->signaling;
  if (floe__signaling_wants_restart(pc)) return true;
  if (!pc->channels.was_used) return false;
  return s->current_local == NULL || floe__description_data(s->current_local) == NULL;
}

void floe__signaling_update_negotiation(floe_pc *pc) {
  floe__signaling *s = &pc->signaling;
  if (s->state != FLOE_SIGNALING_STABLE) return; /* it is updated when the state returns to stable */
  if (!is_needed(pc)) {
    s->needs_negotiation = false;
    return;
  }
  if (s->needs_negotiation) return; /* told already, or queued */
  s->needs_negotiation = true;
  s->needed.type = FLOE_EVENT_NEGOTIATIONNEEDED;
  floe__pc_events_remove(&pc->events, &s->needed); /* queued before a negotiation that is over: told once, now */
  floe__pc_events_push(&pc->events, &s->needed, pc->moment);
}

bool floe__signaling_is_negotiation_due(const floe_pc *pc) {
  return pc->signaling.needs_negotiation && pc->signaling.state == FLOE_SIGNALING_STABLE && is_needed(pc);
}

/* --- setting descriptions --------------------------------------------------------------------------------------------
 */

static floe_status wrong_state(const floe_pc *pc, floe_sdp_type type, const char *side, floe_error *why) {
  char text[120];
  (void)snprintf(text, sizeof text, "a %s %s does not fit the signalling state %s", side, floe_sdp_type_name(type),
                 floe_signaling_state_name(pc->signaling.state));
  return floe__pc_refuse(why, FLOE_E_STATE, "type", text);
}

static void replace(floe__description **place, floe__description *d /* takes */) {
  floe__description_free(*place);
  *place = d;
}

/* The answer is final: what was pending is current (webrtc-pc 4.4.1.5). */
static void promote(floe__signaling *s) {
  replace(&s->current_local, s->pending_local);
  replace(&s->current_remote, s->pending_remote);
  s->pending_local = s->pending_remote = NULL;
}

static void forget_created(floe_pc *pc) {
  pc->signaling.offer_made = pc->signaling.answer_made = FLOE__MADE_NONE;
}

void floe__signaling_outdate_offer(floe_pc *pc) {
  if (pc->signaling.offer_made == FLOE__MADE_FRESH) pc->signaling.offer_made = FLOE__MADE_STALE;
}

/* Back in stable: webrtc-pc 4.4.1.5 clears the flag, and asks anew. */
static void settle_stable(floe_pc *pc) {
  if (pc->signaling.state != FLOE_SIGNALING_STABLE) return;
  pc->signaling.needs_negotiation = false;
  if (!floe__signaling_wants_restart(pc)) forget_replaced(pc);
  floe__signaling_update_negotiation(pc);
}

static floe_status roll_back(floe_pc *pc, floe_error *why) {
  floe__signaling *s = &pc->signaling;
  floe__pc_node *node = floe__pc_node_new(pc->env, FLOE_EVENT_SIGNALINGSTATECHANGE);
  if (node == NULL) return floe__pc_refuse(why, FLOE_E_NOMEM, "", NULL);
  floe__pc_trace_description(pc, s->pending_local != NULL ? FLOE__LOCAL : FLOE__REMOTE, NULL);
  floe_status st = floe__pc_apply_rollback(pc, s->pending_local != NULL);
  if (st != FLOE_OK) {
    floe__pc_node_free(pc->env, node);
    return floe__pc_refuse(why, st, "", NULL);
  }
  replace(&s->pending_local, NULL);
  replace(&s->pending_remote, NULL);
  forget_created(pc);
  free_next(s);
  floe__signaling_go(pc, FLOE_SIGNALING_STABLE, node);
  floe__pc_tell_states(pc);
  settle_stable(pc);
  return FLOE_OK;
}

/* The description is in its place, and the state follows. `promoted`: the answer is final. */
static void enter(floe_pc *pc, floe__side side, floe__description *d /* takes */, floe_signaling_state to,
                  floe__pc_node *node) {
  floe__signaling *s = &pc->signaling;
  replace(side == FLOE__LOCAL ? &s->pending_local : &s->pending_remote, d);
  if (to == FLOE_SIGNALING_HAVE_REMOTE_OFFER) s->answer_made = FLOE__MADE_NONE; /* it was for another offer */
  if (to == FLOE_SIGNALING_STABLE) {
    promote(s);
    forget_created(pc);
  }
  floe__signaling_go(pc, to, node);
  floe__pc_tell_states(pc);
  settle_stable(pc);
}

static floe_status apply(floe_pc *pc, floe__side side, floe__description *d, floe_error *why) {
  floe__signaling *s = &pc->signaling;
  if (d->pub.type == FLOE_SDP_OFFER) {
    if (side == FLOE__REMOTE) { /* counts from our answer on; ours gives way (webrtc-pc 4.4.1.5) */
      return s->state == FLOE_SIGNALING_HAVE_LOCAL_OFFER ? roll_back(pc, why) : FLOE_OK;
    }
    floe_status st = floe__pc_apply_local_offer(pc, d);
    return st == FLOE_OK ? st : floe__pc_refuse(why, st, "", NULL);
  }
  if (side == FLOE__LOCAL) return floe__pc_apply_answer(pc, d, s->pending_remote, false, why);
  return floe__pc_apply_answer(pc, s->pending_local, d, true, why);
}

static floe_status set(floe_pc *pc, floe__side side, floe__description *d /* takes */, floe_signaling_state to,
                       floe_error *why) {
  floe__pc_trace_description(pc, side, d);
  floe__pc_node *node = floe__pc_node_new(pc->env, FLOE_EVENT_SIGNALINGSTATECHANGE);
  floe_status st = node == NULL ? floe__pc_refuse(why, FLOE_E_NOMEM, "", NULL) : apply(pc, side, d, why);
  if (st != FLOE_OK) {
    floe__pc_node_free(pc->env, node);
    floe__description_free(d);
    return st;
  }
  enter(pc, side, d, to, node);
  floe__transport_pump(pc);
  return FLOE_OK;
}

/* --- setLocalDescription ---------------------------------------------------------------------------------------------
 */

static bool is_offering(const floe_pc *pc) {
  floe_signaling_state s = pc->signaling.state;
  return s == FLOE_SIGNALING_STABLE || s == FLOE_SIGNALING_HAVE_LOCAL_OFFER || s == FLOE_SIGNALING_HAVE_REMOTE_PRANSWER;
}

static void keep(floe_pc *pc, char **place, char *text /* takes */) {
  floe__free(pc->env, *place);
  *place = text;
}

static floe_status create(floe_pc *pc, bool offer, bool ice_restart, floe_error *why) {
  char *text = NULL;
  floe_status st = offer ? floe__pc_make_offer(pc, ice_restart, &text, why) : floe__pc_make_answer(pc, &text, why);
  if (st != FLOE_OK) return st;
  keep(pc, offer ? &pc->signaling.last_offer : &pc->signaling.last_answer, text);
  *(offer ? &pc->signaling.offer_made : &pc->signaling.answer_made) = FLOE__MADE_FRESH;
  return FLOE_OK;
}

/* webrtc-pc 4.4.2: what is set is what was made last, to the byte; without a text it is made anew unless it still says
 * how things are. */
static floe_status choose_local_text(floe_pc *pc, floe_sdp_type type, const char *given, const char **out,
                                     floe_error *why) {
  bool offer = type == FLOE_SDP_OFFER;
  char **last = offer ? &pc->signaling.last_offer : &pc->signaling.last_answer;
  floe__made made = offer ? pc->signaling.offer_made : pc->signaling.answer_made;
  if (given != NULL && given[0] != '\0') {
    if (made == FLOE__MADE_NONE || strcmp(*last, given) != 0) {
      return floe__pc_refuse(why, FLOE_E_MODIFICATION, "sdp", "is not the description that was created last");
    }
  } else if (made != FLOE__MADE_FRESH) {
    floe_status st = create(pc, offer, false, why);
    if (st != FLOE_OK) return st;
  }
  *out = *last;
  return FLOE_OK;
}

static floe_status set_local(floe_pc *pc, floe_sdp_type type,
                             const floe_session_description *description /* nullable */, floe_error *why) {
  if (floe__pc_is_closed(pc)) return floe__pc_refuse(why, FLOE_E_STATE, "", "the connection is closed");
  if ((int)type < 0 || type > FLOE_SDP_ROLLBACK) return floe__pc_refuse(why, FLOE_E_TYPE, "type", NULL);
  floe_signaling_state to;
  if (!floe__signaling_next(pc->signaling.state, FLOE__LOCAL, type, &to)) return wrong_state(pc, type, "local", why);
  if (type == FLOE_SDP_ROLLBACK) return roll_back(pc, why);
  const char *text = NULL;
  floe_status st = choose_local_text(pc, type, description == NULL ? NULL : description->sdp, &text, why);
  floe__description *d = NULL;
  if (st == FLOE_OK) st = floe__description_new(&d, pc->env, type, text, why);
  return st == FLOE_OK ? set(pc, FLOE__LOCAL, d, to, why) : st;
}

static floe_status tell(const floe_pc *pc, floe__side side, floe_sdp_type type, floe_status st) {
  if (st != FLOE_OK) floe__pc_trace_refused(pc, side, type, st);
  return st;
}

floe_status floe_pc_set_local_description(floe_pc *pc, floe_time now, const floe_session_description *description,
                                          floe_error *why) {
  floe__pc_advance(pc, now);
  floe_sdp_type type = is_offering(pc) ? FLOE_SDP_OFFER : FLOE_SDP_ANSWER;
  if (description != NULL) type = description->type;
  return tell(pc, FLOE__LOCAL, type, set_local(pc, type, description, why));
}

/* --- setRemoteDescription --------------------------------------------------------------------------------------------
 */

static floe_status check_remote(const floe_pc *pc, const floe__description *d, floe_error *why) {
  const floe__signaling *s = &pc->signaling;
  bool offer = d->pub.type == FLOE_SDP_OFFER;
  floe_status st = floe__jsep_check(d->sdp, offer, why);
  if (st != FLOE_OK) return st;
  if (!offer) return floe__jsep_check_answer(d->sdp, s->pending_local->sdp, why);
  return s->current_remote == NULL ? FLOE_OK : floe__jsep_check_reoffer(d->sdp, s->current_remote->sdp, why);
}

static floe_status set_remote(floe_pc *pc, const floe_session_description *description, floe_error *why) {
  if (floe__pc_is_closed(pc)) return floe__pc_refuse(why, FLOE_E_STATE, "", "the connection is closed");
  floe_sdp_type type = description->type;
  if ((int)type < 0 || type > FLOE_SDP_ROLLBACK) return floe__pc_refuse(why, FLOE_E_TYPE, "type", NULL);
  floe_signaling_state to;
  if (!floe__signaling_next(pc->signaling.state, FLOE__REMOTE, type, &to)) return wrong_state(pc, type, "remote", why);
  if (type == FLOE_SDP_ROLLBACK) return roll_back(pc, why);
  floe__description *d = NULL;
  floe_status st = floe__description_new(&d, pc->env, type, description->sdp == NULL ? "" : description->sdp, why);
  if (st != FLOE_OK) return st;
  st = check_remote(pc, d, why);
  if (st != FLOE_OK) {
    floe__description_free(d);
    return st;
  }
  return set(pc, FLOE__REMOTE, d, to, why);
}

floe_status floe_pc_set_remote_description(floe_pc *pc, floe_time now, const floe_session_description *description,
                                           floe_error *why) {
  floe__pc_advance(pc, now);
  if (description == NULL) return floe__pc_refuse(why, FLOE_E_TYPE, "description", "is missing");
  return tell(pc, FLOE__REMOTE, description->type, set_remote(pc, description, why));
}

/* --- createOffer, createAnswer
 * ---------------------------------------------------------------------------------------- */

floe_status floe_pc_create_offer(floe_pc *pc, floe_time now, const floe_offer_options *options, const char **sdp,
                                 floe_error *why) {
  floe__pc_advance(pc, now);
  *sdp = NULL;
  if (floe__pc_is_closed(pc)) return floe__pc_refuse(why, FLOE_E_STATE, "", "the connection is closed");
  floe_signaling_state state = pc->signaling.state;
  if (state != FLOE_SIGNALING_STABLE && state != FLOE_SIGNALING_HAVE_LOCAL_OFFER) {
    return wrong_state(pc, FLOE_SDP_OFFER, "local", why);
  }
  floe_status st = create(pc, true, options != NULL && options->ice_restart, why);
  if (st == FLOE_OK) *sdp = pc->signaling.last_offer;
  return st;
}

floe_status floe_pc_create_answer(floe_pc *pc, floe_time now, const char **sdp, floe_error *why) {
  floe__pc_advance(pc, now);
  *sdp = NULL;
  if (floe__pc_is_closed(pc)) return floe__pc_refuse(why, FLOE_E_STATE, "", "the connection is closed");
  if (!is_answering(pc->signaling.state, FLOE__LOCAL)) return wrong_state(pc, FLOE_SDP_ANSWER, "local", why);
  floe_status st = create(pc, false, false, why);
  if (st == FLOE_OK) *sdp = pc->signaling.last_answer;
  return st;
}

/* webrtc-pc 4.7.1: all credentials that descriptions show are to be replaced: those of the session, and of the current
 * description when a restart is pending. */
void floe_pc_restart_ice(floe_pc *pc, floe_time now) {
  floe__pc_advance(pc, now);
  if (floe__pc_is_closed(pc) || floe__signaling_local(pc) == NULL) return;
  const floe__sdp_media *current = floe__description_transport(pc->signaling.current_local);
  char *session = floe__strdup(pc->env, floe_ice_agent_local_parameters(pc->transport.agent)->ufrag);
  char *before = current == NULL ? NULL : floe__strdup(pc->env, current->ufrag);
  if (session == NULL || (current != NULL && before == NULL)) { /* as if it had not been called */
    floe__free(pc->env, session);
    floe__free(pc->env, before);
    return;
  }
  forget_replaced(pc);
  pc->signaling.replace_ufrags[0] = session;
  pc->signaling.replace_ufrags[1] = before;
  floe__signaling_outdate_offer(pc);
  floe__signaling_update_negotiation(pc);
}
