#include <string.h>

#include "support/pc_world.h"
#include "support/virtual_time.h"

pcw_side *pcw_side_of(const pw_host *h) {
  pcw_world *w = (pcw_world *)(void *)h->w; /* its first member */
  return &w->sides[h->index];
}

pcw_side *pcw_other(const pcw_side *s) {
  return &s->w->sides[1 - s->h->index];
}

bool pcw_is_live(const pcw_side *s) {
  return s->pc != NULL && !s->h->closed;
}

void pcw_call(pcw_side *s) {
  floe__test_clock_set(s->w->net.now);
}

void pcw_check_status(floe_status st, const floe_error *why) {
  FLOE__ASSERT(st == FLOE_OK || (why->message[0] != '\0' && why->status == st));
  FLOE__ASSERT(st != FLOE_E_AGAIN && st != FLOE_E_SYSTEM);
}

/* --- states ------------------------------------------------------------------------------------------------------- */

/* webrtc-pc 4.3: the arrows of the figure, rollback included. */
static void on_signaling(pcw_side *s, floe_signaling_state to) {
#define BIT(state) (1u << FLOE_SIGNALING_##state)
  static const uint8_t next[] = {
      [FLOE_SIGNALING_STABLE] = BIT(HAVE_LOCAL_OFFER) | BIT(HAVE_REMOTE_OFFER),
      [FLOE_SIGNALING_HAVE_LOCAL_OFFER] = BIT(STABLE) | BIT(HAVE_REMOTE_PRANSWER),
      [FLOE_SIGNALING_HAVE_REMOTE_OFFER] = BIT(STABLE) | BIT(HAVE_LOCAL_PRANSWER),
      [FLOE_SIGNALING_HAVE_LOCAL_PRANSWER] = BIT(STABLE),
      [FLOE_SIGNALING_HAVE_REMOTE_PRANSWER] = BIT(STABLE),
      [FLOE_SIGNALING_CLOSED] = 0,
  };
#undef BIT
  FLOE__ASSERT((next[s->signaling] >> to & 1) != 0);
  s->signaling = to;
  if (to == FLOE_SIGNALING_STABLE) s->needs_negotiation = false;
}

static void on_gathering(pcw_side *s, floe_ice_gathering_state to) {
  FLOE__ASSERT(to != s->gathering || s->h->was_short);
  s->gathering = to;
  s->owes_null = to == FLOE_ICE_GATHERING_COMPLETE && !s->h->was_short;
}

static bool needs_cause(floe_ice_connection_state state) {
  return state == FLOE_ICE_CONNECTION_FAILED || state == FLOE_ICE_CONNECTION_DISCONNECTED;
}

/* W3C RTCIceTransportState. What was redirected may begin anew. */
static void check_ice(const pcw_side *s, floe_ice_connection_state from, const floe_connection_change *c) {
#define BIT(state) (1u << FLOE_ICE_CONNECTION_##state)
  static const uint8_t next[] = {
      [FLOE_ICE_CONNECTION_NEW] = BIT(CHECKING) | BIT(FAILED),
      [FLOE_ICE_CONNECTION_CHECKING] = BIT(CONNECTED) | BIT(COMPLETED) | BIT(FAILED),
      [FLOE_ICE_CONNECTION_CONNECTED] = BIT(COMPLETED) | BIT(DISCONNECTED) | BIT(FAILED) | BIT(CHECKING),
      [FLOE_ICE_CONNECTION_COMPLETED] = BIT(CONNECTED) | BIT(DISCONNECTED) | BIT(FAILED) | BIT(CHECKING),
      [FLOE_ICE_CONNECTION_DISCONNECTED] = BIT(CONNECTED) | BIT(COMPLETED) | BIT(FAILED) | BIT(CHECKING),
      [FLOE_ICE_CONNECTION_FAILED] = 0,
      [FLOE_ICE_CONNECTION_CLOSED] = 0,
  };
#undef BIT
  FLOE__ASSERT(needs_cause(c->state) == (c->cause != FLOE_CAUSE_NONE));
  bool is_step = (next[from] >> c->state & 1) != 0;
  FLOE__ASSERT(is_step || s->h->was_short || (c->state == FLOE_ICE_CONNECTION_NEW && s->was_redirected));
}

static void on_state(pcw_side *s, const floe_pc_change *c) {
#define BIT(state) (1u << FLOE_PC_##state)
  static const uint8_t next[] = {
      [FLOE_PC_NEW] = BIT(CONNECTING) | BIT(FAILED),
      [FLOE_PC_CONNECTING] = BIT(CONNECTED) | BIT(DISCONNECTED) | BIT(FAILED) | BIT(NEW),
      [FLOE_PC_CONNECTED] = BIT(DISCONNECTED) | BIT(FAILED) | BIT(CONNECTING) | BIT(NEW),
      [FLOE_PC_DISCONNECTED] = BIT(CONNECTED) | BIT(CONNECTING) | BIT(FAILED) | BIT(NEW),
      [FLOE_PC_FAILED] = BIT(CONNECTING) | BIT(CONNECTED) | BIT(DISCONNECTED) | BIT(NEW),
      [FLOE_PC_CLOSED] = 0,
  };
#undef BIT
  bool is_bad = c->state == FLOE_PC_FAILED || c->state == FLOE_PC_DISCONNECTED;
  FLOE__ASSERT(is_bad == (c->cause != FLOE_CAUSE_NONE));
  FLOE__ASSERT((next[s->state] >> c->state & 1) != 0 || s->h->was_short);
  s->state = c->state;
}

static void on_dtls(pcw_side *s, floe_dtls_transport_state to) {
#define BIT(state) (1u << FLOE_DTLS_TRANSPORT_##state)
  static const uint8_t next[] = {
      [FLOE_DTLS_TRANSPORT_NEW] = BIT(CONNECTING) | BIT(FAILED) | BIT(CLOSED),
      [FLOE_DTLS_TRANSPORT_CONNECTING] = BIT(CONNECTED) | BIT(FAILED) | BIT(CLOSED) | BIT(NEW),
      [FLOE_DTLS_TRANSPORT_CONNECTED] = BIT(FAILED) | BIT(CLOSED),
      [FLOE_DTLS_TRANSPORT_CLOSED] = BIT(NEW),
      [FLOE_DTLS_TRANSPORT_FAILED] = BIT(NEW),
  };
#undef BIT
  FLOE__ASSERT((next[s->dtls] >> to & 1) != 0 || s->h->was_short);
  s->dtls = to;
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static void on_candidate(pcw_side *s, const floe_signaled_candidate *c) {
  FLOE__ASSERT(s->gathering != FLOE_ICE_GATHERING_NEW || s->h->was_short);
  if (c->text == NULL) {
    FLOE__ASSERT(c->candidate == NULL && s->gathering == FLOE_ICE_GATHERING_COMPLETE);
    s->owes_null = false;
    return;
  }
  FLOE__ASSERT(c->username_fragment != NULL); /* a section may have no mid */
  FLOE__ASSERT((c->text[0] == '\0') == (c->candidate == NULL));
  FLOE__ASSERT(c->text[0] == '\0' || strncmp(c->text, "candidate:", 10) == 0);
  if (!s->is_manual) pcw_tell_candidate(s, c);
}

static void on_negotiation_needed(pcw_side *s) {
  FLOE__ASSERT(s->signaling == FLOE_SIGNALING_STABLE && floe_pc_signaling_state(s->pc) == FLOE_SIGNALING_STABLE);
  FLOE__ASSERT(!s->needs_negotiation || s->h->was_short);
  s->needs_negotiation = true;
  pw_event e = {.kind = PW_ANSWER, .host = s->h->index}; /* when the outputs were taken */
  if (!s->is_manual) pw_add(&s->w->net, e, 0, (floe_bytes){0});
}

static void on_ice(pcw_side *s, const floe_connection_change *c) {
  check_ice(s, s->ice, c);
  s->ice = c->state;
}

static void on_ice_transport(pcw_side *s, const floe_connection_change *c) {
  check_ice(s, s->transport_ice, c);
  s->transport_ice = c->state;
}

static void on_pair(const floe_pair_change *c) {
  FLOE__ASSERT((c->local == NULL) == (c->remote == NULL));
}

/* What must come next does. */
static void check_next(pcw_side *s, const floe_event *e) {
  FLOE__ASSERT(!s->owes_null || e->type == FLOE_EVENT_ICECANDIDATE);
  if (s->opens == NULL) return;
  FLOE__ASSERT(e->type == FLOE_EVENT_OPEN && e->u.channel == s->opens);
  s->opens = NULL;
}

static void on_event(pw_host *h, const floe_event *e) {
  pcw_side *s = pcw_side_of(h);
  FLOE__ASSERT(e->name == floe_event_name(e->type) && !e->bubbles && !e->cancelable && e->target == NULL);
  check_next(s, e);
  switch (e->type) {
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE: on_gathering(s, e->u.gathering_state); return;
    case FLOE_EVENT_ICECANDIDATE: on_candidate(s, &e->u.signaled); return;
    case FLOE_EVENT_ICECANDIDATEERROR:
    case FLOE_EVENT_ICESERVERERROR: FLOE__ASSERT(e->u.error.url != NULL && e->u.error.error_text[0] != '\0'); return;
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE: on_ice(s, &e->u.connection); return;
    case FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE: on_pair(&e->u.pair); return;
    case FLOE_EVENT_SIGNALINGSTATECHANGE: on_signaling(s, e->u.signaling_state); return;
    case FLOE_EVENT_NEGOTIATIONNEEDED: on_negotiation_needed(s); return;
    case FLOE_EVENT_CONNECTIONSTATECHANGE: on_state(s, &e->u.pc); return;
    case FLOE_EVENT_ICETRANSPORT_STATECHANGE: on_ice_transport(s, &e->u.connection); return;
    case FLOE_EVENT_ICETRANSPORT_GATHERINGSTATECHANGE: s->transport_gathering = e->u.gathering_state; return;
    case FLOE_EVENT_DTLSTRANSPORT_STATECHANGE: on_dtls(s, e->u.dtls_state); return;
    case FLOE_EVENT_DTLSTRANSPORT_ERROR:
      FLOE__ASSERT(e->u.channel_error.cause != FLOE_CAUSE_NONE && e->u.channel_error.message != NULL);
      return;
    case FLOE_EVENT_SCTPTRANSPORT_STATECHANGE: FLOE__ASSERT(floe_pc_sctp_transport(s->pc) != NULL); return;
    case FLOE_EVENT_DATACHANNEL:
    case FLOE_EVENT_OPEN:
    case FLOE_EVENT_MESSAGE:
    case FLOE_EVENT_BUFFEREDAMOUNTLOW:
    case FLOE_EVENT_CLOSING:
    case FLOE_EVENT_CLOSE:
    case FLOE_EVENT_ERROR: pcw_on_channel_event(s, e); return;
    case FLOE_EVENT_COUNT: FLOE__ASSERT(false);
  }
}

/* --- what can be asked -------------------------------------------------------------------------------------------- */

static void check_told(pcw_side *s) {
  if (s->h->was_short) return;
  FLOE__ASSERT(floe_pc_signaling_state(s->pc) == s->signaling);
  FLOE__ASSERT(floe_pc_ice_gathering_state(s->pc) == s->gathering);
  FLOE__ASSERT(floe_pc_ice_connection_state(s->pc) == s->ice);
  FLOE__ASSERT(floe_pc_connection_state(s->pc) == s->state);
  FLOE__ASSERT(!s->owes_null && s->opens == NULL);
  const floe_dtls_transport *dtls = floe_pc_dtls_transport(s->pc);
  FLOE__ASSERT(dtls == NULL || dtls->state == s->dtls);
}

static void check_closed(pcw_side *s) {
  FLOE__ASSERT(floe_pc_signaling_state(s->pc) == FLOE_SIGNALING_CLOSED);
  FLOE__ASSERT(floe_pc_connection_state(s->pc) == FLOE_PC_CLOSED);
  FLOE__ASSERT(floe_pc_ice_connection_state(s->pc) == FLOE_ICE_CONNECTION_CLOSED);
}

static void on_drained(pw_host *h) {
  pcw_side *s = pcw_side_of(h);
  if (h->closed) {
    check_closed(s);
  } else {
    check_told(s);
  }
  pcw_check_channels(s);
}

static void check_description(pcw_side *s, const floe_session_description *d) {
  FLOE__ASSERT(d == NULL || (d->sdp != NULL && strncmp(d->sdp, "v=0", 3) == 0) || s->w->is_evil);
}

static void ask_descriptions(pcw_side *s) {
  check_description(s, floe_pc_local_description(s->pc));
  check_description(s, floe_pc_current_local_description(s->pc));
  check_description(s, floe_pc_remote_description(s->pc));
  check_description(s, floe_pc_current_remote_description(s->pc));
  floe_signaling_state state = floe_pc_signaling_state(s->pc);
  if (s->h->closed || s->h->was_short) return;
  bool has_local = floe_pc_pending_local_description(s->pc) != NULL;
  bool has_remote = floe_pc_pending_remote_description(s->pc) != NULL;
  FLOE__ASSERT(has_local == (state != FLOE_SIGNALING_STABLE && state != FLOE_SIGNALING_HAVE_REMOTE_OFFER));
  FLOE__ASSERT(has_remote == (state != FLOE_SIGNALING_STABLE && state != FLOE_SIGNALING_HAVE_LOCAL_OFFER));
  FLOE__ASSERT((floe_pc_can_trickle_ice_candidates(s->pc) == -1) == (floe_pc_remote_description(s->pc) == NULL));
}

static void ask_transports(pcw_side *s) {
  const floe_ice_transport *ice = floe_pc_ice_transport(s->pc);
  const floe_dtls_transport *dtls = floe_pc_dtls_transport(s->pc);
  const floe_sctp_transport *sctp = floe_pc_sctp_transport(s->pc);
  FLOE__ASSERT((ice == NULL) == (dtls == NULL));
  FLOE__ASSERT(ice == NULL || (ice->selected_local == NULL) == (ice->selected_remote == NULL));
  if (dtls != NULL && dtls->state == FLOE_DTLS_TRANSPORT_CONNECTED) {
    FLOE__ASSERT(dtls->n_remote_certificates == 1 || s->h->was_short);
    FLOE__ASSERT(dtls->local_certificate != NULL && dtls->cipher != NULL && dtls->tls_version != NULL);
  }
  FLOE__ASSERT(sctp == NULL || sctp->state != FLOE_SCTP_TRANSPORT_CONNECTED || sctp->has_max_channels);
}

static void ask_stats(pcw_side *s) {
  const floe_stats_report *r = floe_pc_get_stats(s->pc, s->w->net.now);
  FLOE__ASSERT(r != NULL || s->h->was_short);
  if (r == NULL) return;
  FLOE__ASSERT(r->n_objects > 0 && r->objects[0].type == FLOE_STATS_PEER_CONNECTION);
  for (size_t i = 0; i < r->n_objects; i++) {
    FLOE__ASSERT(r->objects[i].id[0] != '\0');
    for (size_t k = 0; k < i; k++) FLOE__ASSERT(strcmp(r->objects[i].id, r->objects[k].id) != 0);
    for (size_t k = 0; k < r->objects[i].n_members; k++) {
      const floe_stats_member *m = &r->objects[i].members[k];
      FLOE__ASSERT(m->kind != FLOE_STATS_TEXT || m->u.text != NULL);
      FLOE__ASSERT(floe_stats_object_member(&r->objects[i], m->name) == m);
    }
  }
}

void pcw_ask(pcw_side *s) {
  if (s->pc == NULL) return;
  pcw_call(s);
  ask_descriptions(s);
  ask_transports(s);
  ask_stats(s);
  (void)floe_pc_failure_report(s->pc, s->w->net.now);
  FLOE__ASSERT(floe_pc_configuration(s->pc)->ice != NULL);
}

/* --- begin and end ------------------------------------------------------------------------------------------------ */

static void give_input(pw_host *h, const floe_input *in) {
  pcw_side *s = pcw_side_of(h);
  pcw_call(s);
  floe_pc_input(s->pc, h->w->now, in);
}

static void poll_output(pw_host *h, floe_output *out) {
  pcw_side *s = pcw_side_of(h);
  pcw_call(s);
  floe_pc_poll(s->pc, out);
  FLOE__ASSERT(out->type != FLOE_OUTPUT_DATA && out->type != FLOE_OUTPUT_PERMISSION);
}

static void close_pc(pw_host *h) {
  pcw_side *s = pcw_side_of(h);
  pcw_call(s);
  floe_pc_close(s->pc, h->w->now);
}

static void free_pc(pw_host *h) {
  pcw_side *s = pcw_side_of(h);
  pcw_forget_channels(s);
  floe_pc_free(s->pc);
  s->pc = NULL;
}

static void take_signal(pw_host *h, const pw_event *e) {
  pcw_side *s = pcw_side_of(h);
  bool is_due = e->kind == PW_ANSWER && pcw_is_live(s) && floe_pc_signaling_state(s->pc) == FLOE_SIGNALING_STABLE;
  if (is_due) pcw_negotiate(s);
  if (e->kind != PW_ANSWER) pcw_take_signal(h, e);
}

static const pw_program program = {.input = give_input,
                                   .poll = poll_output,
                                   .close = close_pc,
                                   .release = free_pc,
                                   .on_event = on_event,
                                   .on_drained = on_drained,
                                   .on_signal = take_signal};

void pcw_begin(pcw_world *w, int index, const floe_pc_config *cfg, const floe_ice_config *ice, uint8_t seed) {
  pcw_side *s = &w->sides[index];
  s->w = w;
  s->h = &w->net.hosts[index];
  pw_host_prepare(&w->net, index, ice, seed);
  s->h->program = &program;
  floe_env_set_unix_time(s->h->env, w->net.now, FLOE__TEST_CLOCK_ORIGIN_S * INT64_C(1000));
  floe_error why = {0};
  pcw_call(s);
  floe_status st = floe_pc_new(&s->pc, s->h->env, w->net.now, cfg, &why);
  pcw_check_status(st, &why);
  if (s->pc == NULL) return;
  s->h->agent = floe_pc_ice_agent(s->pc);
  s->h->wait_until = w->net.now + FLOE_MS;
}

void pcw_close(pcw_side *s) {
  if (!pcw_is_live(s)) return;
  close_pc(s->h);
  s->h->closed = true;
  s->opens = NULL;
  s->owes_null = false;
  pw_drain(s->h);
}

void pcw_free(pcw_side *s) {
  if (s->pc == NULL) return;
  free_pc(s->h);
  s->h->agent = NULL;
  for (size_t i = 0; i < PW_SOCKS; i++) s->h->socks[i].id = 0;
}

void pcw_end(pcw_world *w) {
  for (int i = 0; i < 2; i++) pcw_close(&w->sides[i]);
  for (int i = 0; i < 2; i++) pw_host_end(w->sides[i].h);
}
