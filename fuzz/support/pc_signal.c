#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pc/pc_internal.h"
#include "support/pc_world.h"

/* --- what was signalled ------------------------------------------------------------------------------------------- */

static char *copy_of(const char *text) {
  char *copy = malloc(strlen(text) + 1);
  FLOE__ASSERT(copy != NULL);
  memcpy(copy, text, strlen(text) + 1);
  return copy;
}

void pcw_keep_text(pcw_world *w, const floe_session_description *d) {
  pcw_text *t = &w->texts[w->n_texts++ % PCW_TEXTS];
  free(t->sdp);
  *t = (pcw_text){d->type, copy_of(d->sdp)};
}

static void keep_line(pcw_world *w, const char *line) {
  char **place = &w->lines[w->n_lines++ % PCW_LINES];
  free(*place);
  *place = copy_of(line);
}

void pcw_clear_signals(pcw_world *w) {
  for (size_t i = 0; i < PCW_TEXTS; i++) free(w->texts[i].sdp);
  for (size_t i = 0; i < PCW_LINES; i++) free(w->lines[i]);
}

/* --- descriptions ------------------------------------------------------------------------------------------------- */

floe_status pcw_set_local(pcw_side *s, const floe_session_description *d) {
  floe_error why = {0};
  if (!pcw_is_live(s)) return FLOE_E_STATE;
  pcw_call(s);
  s->was_redirected = true;
  floe_status st = floe_pc_set_local_description(s->pc, s->w->net.now, d, &why);
  pcw_check_status(st, &why);
  pw_after_call(s->h);
  return st;
}

floe_status pcw_set_remote(pcw_side *s, const floe_session_description *d) {
  floe_error why = {0};
  if (!pcw_is_live(s)) return FLOE_E_STATE;
  pcw_call(s);
  s->was_redirected = true;
  floe_signaling_state before = floe_pc_signaling_state(s->pc);
  const floe__transport was = s->pc->transport;
  const floe__description *remote = floe__signaling_remote(s->pc);
  floe_status st = floe_pc_set_remote_description(s->pc, s->w->net.now, d, &why);
  pcw_check_status(st, &why);
  if (st != FLOE_OK && !s->h->was_short) { /* nothing has changed */
    const floe__transport *is = &s->pc->transport;
    FLOE__ASSERT(floe_pc_signaling_state(s->pc) == before && floe__signaling_remote(s->pc) == remote);
    FLOE__ASSERT(is->dtls == was.dtls && is->sctp == was.sctp && is->is_client == was.is_client);
    FLOE__ASSERT(is->plan.is_negotiated == was.plan.is_negotiated && is->plan.remote_port == was.plan.remote_port);
  }
  pw_after_call(s->h);
  return st;
}

void pcw_tell_description(pcw_side *s) {
  if (!pcw_is_live(s)) return;
  const floe_session_description *d = floe_pc_local_description(s->pc);
  if (d == NULL) return;
  pcw_keep_text(s->w, d);
  pw_event e = {.kind = PW_OFFER, .host = pcw_other(s)->h->index, .number = (uint32_t)d->type};
  if (!s->w->net.no_signalling) {
    pw_add(&s->w->net, e, 10 * FLOE_MS, (floe_bytes){(const uint8_t *)d->sdp, strlen(d->sdp) + 1});
  }
}

void pcw_negotiate(pcw_side *s) {
  if (pcw_set_local(s, NULL) == FLOE_OK) pcw_tell_description(s);
}

/* webrtc-pc 10.7 "perfect negotiation": host 1 is the polite one. */
static void take_description(pcw_side *s, const floe_session_description *d) {
  bool is_offer = d->type == FLOE_SDP_OFFER;
  bool collides = is_offer && floe_pc_signaling_state(s->pc) != FLOE_SIGNALING_STABLE;
  s->ignores_offer = collides && s->h->index == 0;
  if (s->ignores_offer) return;
  if (pcw_set_remote(s, d) == FLOE_OK && is_offer) pcw_negotiate(s);
}

/* --- candidates --------------------------------------------------------------------------------------------------- */

void pcw_tell_candidate(pcw_side *s, const floe_signaled_candidate *c) {
  char line[700];
  const char *mid = c->sdp_mid == NULL ? "#0" : c->sdp_mid;
  (void)snprintf(line, sizeof line, "%s\n%s\n%s", mid, c->username_fragment, c->text);
  keep_line(s->w, line);
  pw_event e = {.kind = PW_CANDIDATE, .host = pcw_other(s)->h->index};
  if (s->w->net.no_signalling) return;
  pw_add(&s->w->net, e, 10 * FLOE_MS, (floe_bytes){(const uint8_t *)line, strlen(line) + 1});
}

void pcw_add_line(pcw_side *s, const char *line) {
  char copy[1000];
  floe_error why = {0};
  (void)snprintf(copy, sizeof copy, "%s", line);
  char *ufrag = strchr(copy, '\n'), *text = ufrag == NULL ? NULL : strchr(ufrag + 1, '\n');
  if (!pcw_is_live(s) || text == NULL) return;
  *ufrag++ = *text++ = '\0';
  floe_ice_candidate_init init = {.candidate = text, .username_fragment = ufrag[0] == '\0' ? NULL : ufrag};
  if (copy[0] == '#') {
    init.has_sdp_m_line_index = true;
    init.sdp_m_line_index = (uint16_t)atoi(copy + 1);
  } else if (copy[0] != '-') {
    init.sdp_mid = copy;
  }
  pcw_call(s);
  floe_status st = floe_pc_add_ice_candidate(s->pc, s->w->net.now, &init, &why);
  pcw_check_status(st, &why);
  pw_after_call(s->h);
}

void pcw_take_signal(pw_host *h, const pw_event *e) {
  pcw_side *s = pcw_side_of(h);
  if (!pcw_is_live(s) || s->is_manual) return;
  if (e->kind == PW_OFFER) {
    floe_session_description d = {(floe_sdp_type)e->number, (const char *)e->data};
    take_description(s, &d);
  } else {
    pcw_add_line(s, (const char *)e->data);
  }
}
