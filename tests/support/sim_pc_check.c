/* What holds in every world with a peer connection: checked with each event and whenever all outputs were taken. */
#include <string.h>

#include "support/sim_pc_internal.h"

static bool had_no_memory(const sim_pc *x) {
  return x->a->env->alloc.failed > 0;
}

/* --- states --------------------------------------------------------------------------------------------------------
 */

/* webrtc-pc 4.3: the arrows of the figure, rollback and implicit rollback included. */
static void check_signaling(sim_pc *x, floe_signaling_state to) {
  static const uint8_t next[] = {
#define BIT(state) (1u << FLOE_SIGNALING_##state)
      [FLOE_SIGNALING_STABLE] = BIT(HAVE_LOCAL_OFFER) | BIT(HAVE_REMOTE_OFFER),
      [FLOE_SIGNALING_HAVE_LOCAL_OFFER] = BIT(STABLE) | BIT(HAVE_REMOTE_PRANSWER),
      [FLOE_SIGNALING_HAVE_REMOTE_OFFER] = BIT(STABLE) | BIT(HAVE_LOCAL_PRANSWER),
      [FLOE_SIGNALING_HAVE_LOCAL_PRANSWER] = BIT(STABLE),
      [FLOE_SIGNALING_HAVE_REMOTE_PRANSWER] = BIT(STABLE),
      [FLOE_SIGNALING_CLOSED] = 0,
#undef BIT
  };
  if ((next[x->told_signaling] >> to & 1) != 0) return;
  sim_fail(x->s, "%s: signalingState %s became %s", x->name, floe_signaling_state_name(x->told_signaling),
           floe_signaling_state_name(to));
}

static void check_gathering(sim_pc *x, floe_ice_gathering_state to) {
  if (to == x->told_gathering) {
    sim_fail(x->s, "%s: iceGatheringState %s twice", x->name, floe_ice_gathering_state_name(to));
  }
}

static void check_pc_state(sim_pc *x, const floe_pc_change *change) {
  bool needs_cause = change->state == FLOE_PC_FAILED || change->state == FLOE_PC_DISCONNECTED;
  if (change->state == x->told_state) {
    sim_fail(x->s, "%s: connectionState %s twice", x->name, floe_pc_state_name(change->state));
  }
  if (change->state == FLOE_PC_CLOSED) sim_fail(x->s, "%s: connectionState closed was told", x->name);
  if (needs_cause != (change->cause != FLOE_CAUSE_NONE)) {
    sim_fail(x->s, "%s: connectionState %s with cause %s", x->name, floe_pc_state_name(change->state),
             change->cause == FLOE_CAUSE_NONE ? "none" : floe_cause_id(change->cause));
  }
}

static void check_ice_state(sim_pc *x, const floe_connection_change *change) {
  bool needs_cause = change->state == FLOE_ICE_CONNECTION_FAILED || change->state == FLOE_ICE_CONNECTION_DISCONNECTED;
  if (change->state == x->told_ice) {
    sim_fail(x->s, "%s: iceConnectionState %s twice", x->name, floe_ice_connection_state_name(change->state));
  }
  if (needs_cause != (change->cause != FLOE_CAUSE_NONE)) {
    sim_fail(x->s, "%s: iceConnectionState %s with cause %s", x->name, floe_ice_connection_state_name(change->state),
             change->cause == FLOE_CAUSE_NONE ? "none" : floe_cause_id(change->cause));
  }
}

/* --- candidates ----------------------------------------------------------------------------------------------------
 */

static void check_candidate(sim_pc *x, const floe_signaled_candidate *c) {
  if (x->told_gathering == FLOE_ICE_GATHERING_NEW && !had_no_memory(x)) {
    sim_fail(x->s, "%s: icecandidate before a description was set", x->name);
  }
  if (c->text == NULL) {
    if (c->candidate != NULL) sim_fail(x->s, "%s: a null candidate that is one", x->name);
    if (x->told_gathering != FLOE_ICE_GATHERING_COMPLETE && !had_no_memory(x)) {
      sim_fail(x->s, "%s: a null candidate before `complete`", x->name);
    }
    return;
  }
  if (had_no_memory(x)) return; /* the description that it belongs to was refused, perhaps */
  if (c->username_fragment == NULL) sim_fail(x->s, "%s: a candidate without usernameFragment", x->name);
  if (c->sdp_mid == NULL) sim_fail(x->s, "%s: a candidate without sdpMid", x->name);
  if ((c->text[0] == '\0') != (c->candidate == NULL)) sim_fail(x->s, "%s: text and candidate do not fit", x->name);
  if (c->text[0] != '\0' && strncmp(c->text, "candidate:", 10) != 0) {
    sim_fail(x->s, "%s: a candidate '%s'", x->name, c->text);
  }
}

/* --- channels ------------------------------------------------------------------------------------------------------
 */

static void check_channel(sim_pc *x, const floe_event *e) {
  sim_channel *c = sim_pc_channel_of(x, e->u.channel);
  floe_data_channel_state state = floe_data_channel_ready_state(c->handle);
  if (c->told_close) sim_fail(x->s, "%s: %s: %s after close", x->name, c->name, e->name);
  switch ((int)e->type) {
    case FLOE_EVENT_OPEN:
      if (c->told_open) sim_fail(x->s, "%s: %s: open twice", x->name, c->name);
      if (state == FLOE_DATA_CHANNEL_CONNECTING) sim_fail(x->s, "%s: %s: open, and connecting", x->name, c->name);
      if (floe_data_channel_id(c->handle) < 0) sim_fail(x->s, "%s: %s: open without an id", x->name, c->name);
      return;
    case FLOE_EVENT_MESSAGE:
      if (!c->told_open) sim_fail(x->s, "%s: %s: a message before open", x->name, c->name);
      return;
    case FLOE_EVENT_CLOSING:
      if (c->told_closing) sim_fail(x->s, "%s: %s: closing twice", x->name, c->name);
      return;
    case FLOE_EVENT_CLOSE:
      if (state != FLOE_DATA_CHANNEL_CLOSED) sim_fail(x->s, "%s: %s: close, and not closed", x->name, c->name);
      return;
    case FLOE_EVENT_ERROR:
      if (c->told_error) sim_fail(x->s, "%s: %s: error twice", x->name, c->name);
      if (e->u.channel_error.detail == NULL) sim_fail(x->s, "%s: %s: an error without detail", x->name, c->name);
      if (e->u.channel_error.message == NULL) sim_fail(x->s, "%s: %s: an error without words", x->name, c->name);
      return;
    default: return;
  }
}

static void check_datachannel(sim_pc *x, floe_data_channel *handle) {
  for (const sim_channel *c = x->channels; c != NULL; c = c->next_channel) {
    if (c->handle == handle) sim_fail(x->s, "%s: %s: announced, but known", x->name, c->name);
  }
  if (floe_data_channel_negotiated(handle)) sim_fail(x->s, "%s: a negotiated channel was announced", x->name);
  if (floe_data_channel_pc(handle) != x->core) sim_fail(x->s, "%s: a channel of another connection", x->name);
}

/* --- all events ----------------------------------------------------------------------------------------------------
 */

void sim_pc_check_event(sim_pc *x, const floe_event *e) {
  if (x->is_closed) sim_fail(x->s, "%s: %s after close", x->name, e->name);
  if (strcmp(e->name, floe_event_name(e->type)) != 0) {
    sim_fail(x->s, "%s: an event has the wrong name: %s", x->name, e->name);
  }
  if (e->bubbles || e->cancelable) sim_fail(x->s, "%s: an event bubbles or can be cancelled", x->name);
  if (e->target != NULL) sim_fail(x->s, "%s: an event of the core has a target", x->name);
  if (e->time > sim_now(x->s)) sim_fail(x->s, "%s: an event of the future", x->name);
  switch ((int)e->type) {
    case FLOE_EVENT_SIGNALINGSTATECHANGE: check_signaling(x, e->u.signaling_state); return;
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE: check_gathering(x, e->u.gathering_state); return;
    case FLOE_EVENT_ICECANDIDATE: check_candidate(x, &e->u.signaled); return;
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE: check_ice_state(x, &e->u.connection); return;
    case FLOE_EVENT_CONNECTIONSTATECHANGE: check_pc_state(x, &e->u.pc); return;
    case FLOE_EVENT_DATACHANNEL: check_datachannel(x, e->u.channel); return;
    case FLOE_EVENT_OPEN:
    case FLOE_EVENT_MESSAGE:
    case FLOE_EVENT_BUFFEREDAMOUNTLOW:
    case FLOE_EVENT_CLOSING:
    case FLOE_EVENT_CLOSE:
    case FLOE_EVENT_ERROR: check_channel(x, e); return;
    case FLOE_EVENT_NEGOTIATIONNEEDED:
      if (x->told_signaling != FLOE_SIGNALING_STABLE) sim_fail(x->s, "%s: negotiationneeded, not stable", x->name);
      return;
    default: return;
  }
}

/* --- what can be asked agrees with what was told -------------------------------------------------------------------
 */

static void check_told(sim_pc *x) {
  floe_signaling_state signaling = floe_pc_signaling_state(x->core);
  floe_ice_gathering_state gathering = floe_pc_ice_gathering_state(x->core);
  floe_ice_connection_state ice = floe_pc_ice_connection_state(x->core);
  floe_pc_state state = floe_pc_connection_state(x->core);
  if (signaling != x->told_signaling) {
    sim_fail(x->s, "%s: signalingState is %s, told was %s", x->name, floe_signaling_state_name(signaling),
             floe_signaling_state_name(x->told_signaling));
  }
  if (gathering != x->told_gathering) {
    sim_fail(x->s, "%s: iceGatheringState is %s, told was %s", x->name, floe_ice_gathering_state_name(gathering),
             floe_ice_gathering_state_name(x->told_gathering));
  }
  if (ice != x->told_ice) {
    sim_fail(x->s, "%s: iceConnectionState is %s, told was %s", x->name, floe_ice_connection_state_name(ice),
             floe_ice_connection_state_name(x->told_ice));
  }
  if (state != x->told_state) {
    sim_fail(x->s, "%s: connectionState is %s, told was %s", x->name, floe_pc_state_name(state),
             floe_pc_state_name(x->told_state));
  }
}

static void check_closed(sim_pc *x) {
  bool is_closed = floe_pc_signaling_state(x->core) == FLOE_SIGNALING_CLOSED &&
                   floe_pc_connection_state(x->core) == FLOE_PC_CLOSED &&
                   floe_pc_ice_connection_state(x->core) == FLOE_ICE_CONNECTION_CLOSED;
  if (!is_closed) sim_fail(x->s, "%s: closed, but a state is not", x->name);
}

void sim_pc_check_now(sim_pc *x) {
  if (x->is_closed) {
    check_closed(x);
  } else if (!had_no_memory(x)) {
    check_told(x);
  }
  for (const sim_channel *c = x->channels; c != NULL; c = c->next_channel) {
    if (c->handle == NULL) continue;
    floe_data_channel_state state = floe_data_channel_ready_state(c->handle);
    if (x->is_closed && state != FLOE_DATA_CHANNEL_CLOSED) {
      sim_fail(x->s, "%s: %s is %s after close", x->name, c->name, floe_data_channel_state_name(state));
    }
    if (c->told_close && state != FLOE_DATA_CHANNEL_CLOSED) {
      sim_fail(x->s, "%s: %s is %s, told was close", x->name, c->name, floe_data_channel_state_name(state));
    }
    if (state == FLOE_DATA_CHANNEL_OPEN && !c->told_open && !had_no_memory(x)) {
      sim_fail(x->s, "%s: %s is open, and nobody was told", x->name, c->name);
    }
  }
}
