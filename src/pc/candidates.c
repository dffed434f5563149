/* addIceCandidate (webrtc-pc 4.4.2, RFC 9429 4.1.19), and what descriptions show of candidates. */
#include <string.h>

#include "floe/candidate.h"
#include "ice/agent_config.h"
#include "pc/pc_internal.h"

/* --- candidates of the peer
 * -------------------------------------------------------------------------------------------- */

/* The section that a candidate names. */
static const floe__sdp_media *find_section(const floe__description *d, const floe_ice_candidate_init *c) {
  if (c->sdp_mid != NULL) return floe__sdp_by_mid(d->sdp, c->sdp_mid);
  if (c->has_sdp_m_line_index && c->sdp_m_line_index < d->sdp->n_media) return &d->sdp->media[c->sdp_m_line_index];
  return NULL;
}

typedef struct place {
  floe__description *description;
  const floe__sdp_media *section;
} place;

static bool is_text(floe_bytes a, const char *b) {
  return b != NULL && a.len == strlen(b) && memcmp(a.ptr, b, a.len) == 0;
}

/* webrtc-pc: a candidate of a generation that was applied, the pending description before the current one. */
static floe_status find_generation(const floe_pc *pc, const floe_ice_candidate_init *c, floe_bytes ufrag, place *out,
                                   floe_error *why) {
  floe__description *list[2] = {pc->signaling.pending_remote, pc->signaling.current_remote};
  bool section_known = false;
  for (size_t i = 0; i < 2; i++) {
    const floe__sdp_media *m = list[i] == NULL ? NULL : find_section(list[i], c);
    if (m == NULL) continue;
    section_known = true;
    const floe__sdp_media *t = m->ufrag == NULL ? floe__sdp_transport_of(list[i]->sdp, m) : m;
    if (ufrag.len > 0 && !is_text(ufrag, t->ufrag)) continue;
    *out = (place){list[i], m};
    return FLOE_OK;
  }
  if (section_known) {
    return floe__pc_refuse(why, FLOE_E_NOT_FOUND, "usernameFragment", "is of no description that was set");
  }
  const char *path = c->sdp_mid != NULL ? "sdpMid" : "sdpMLineIndex";
  return floe__pc_refuse(why, FLOE_E_NOT_FOUND, path, "names no media section of the remote description");
}

/* Only the section whose transport carries the data counts; of the others candidates are checked and forgotten. */
static bool is_transport(const place *p) {
  return p->section == floe__description_transport(p->description) ||
         p->section == floe__description_data(p->description);
}

/* In use since its answer: what is added goes to the agent at once. */
static bool is_applied(const floe_pc *pc, const floe__description *d) {
  const floe__sdp_media *m = floe__description_transport(d);
  const floe_ice_parameters *remote = floe_ice_agent_remote_parameters(pc->transport.agent);
  return m != NULL && remote != NULL && strcmp(remote->ufrag, m->ufrag) == 0;
}

static floe_status end_candidates(floe_pc *pc, floe__description *d) {
  d->is_ended = true;
  if (is_applied(pc, d)) floe_ice_agent_end_of_remote_candidates(pc->transport.agent, pc->now);
  return FLOE_OK;
}

static floe_status add_to(floe_pc *pc, const place *p, const char *text, floe_error *why) {
  if (!is_transport(p)) return FLOE_OK;
  const floe_ice_config *cfg = floe__agent_config(pc->transport.agent);
  if (p->description->n_candidates >= cfg->max_remote_candidates) {
    return floe__pc_refuse(why, FLOE_E_TOO_LARGE, "candidate", "more candidates than max_remote_candidates");
  }
  if (is_applied(pc, p->description)) {
    floe_status st = floe_ice_agent_add_remote_candidate(pc->transport.agent, pc->now, text, why);
    /* Late, but no error of W3C's: the end was told, and this candidate is not needed. */
    if (st == FLOE_E_STATE) return FLOE_OK;
    if (st != FLOE_OK) return st;
  }
  if (floe__description_add_candidate(p->description, text)) return FLOE_OK;
  return floe__pc_refuse(why, FLOE_E_NOMEM, "", NULL);
}

static floe_status add(floe_pc *pc, const floe_ice_candidate_init *c, floe_error *why) {
  const char *text = c->candidate == NULL ? "" : c->candidate;
  floe_candidate_line line = {0};
  floe_status parsed = FLOE_OK;
  if (text[0] != '\0') {
    parsed = floe_candidate_line_parse(&line, text, why);
    /* RFC 8839 5.1: what is of an unknown kind is no error, and of no use. */
    if (parsed != FLOE_OK && parsed != FLOE_E_UNSUPPORTED) return floe__pc_refuse_path(why, parsed, "candidate");
  }
  floe_bytes ufrag = line.ufrag;
  if (c->username_fragment != NULL)
    ufrag = (floe_bytes){(const uint8_t *)c->username_fragment, strlen(c->username_fragment)};
  place p = {0};
  floe_status st = find_generation(pc, c, ufrag, &p, why);
  if (st != FLOE_OK) return st;
  if (text[0] == '\0') return is_transport(&p) ? end_candidates(pc, p.description) : FLOE_OK;
  return parsed == FLOE_OK ? add_to(pc, &p, text, why) : FLOE_OK;
}

/* webrtc-pc: an end that names no section is that of all, in the generation that it names. */
static floe_status end_all(floe_pc *pc, const char *ufrag, floe_error *why) {
  if (ufrag == NULL) return end_candidates(pc, floe__signaling_remote(pc));
  floe__description *list[2] = {pc->signaling.pending_remote, pc->signaling.current_remote};
  for (size_t i = 0; i < 2; i++) {
    const floe__sdp_media *m = floe__description_transport(list[i]);
    if (m != NULL && m->ufrag != NULL && strcmp(m->ufrag, ufrag) == 0) return end_candidates(pc, list[i]);
  }
  return floe__pc_refuse(why, FLOE_E_NOT_FOUND, "usernameFragment", "is of no description that was set");
}

floe_status floe_pc_add_ice_candidate(floe_pc *pc, floe_time now, const floe_ice_candidate_init *candidate,
                                      floe_error *why) {
  floe__pc_advance(pc, now);
  if (floe__pc_is_closed(pc)) return floe__pc_refuse(why, FLOE_E_STATE, "", "the connection is closed");
  bool has_text = candidate != NULL && candidate->candidate != NULL && candidate->candidate[0] != '\0';
  bool has_place = candidate != NULL && (candidate->sdp_mid != NULL || candidate->has_sdp_m_line_index);
  if (has_text && !has_place) {
    return floe__pc_refuse(why, FLOE_E_TYPE, "candidate", "needs sdpMid or sdpMLineIndex");
  }
  if (floe__signaling_remote(pc) == NULL) {
    return floe__pc_refuse(why, FLOE_E_STATE, "", "there is no remote description yet");
  }
  const char *ufrag = candidate == NULL ? NULL : candidate->username_fragment;
  floe_status st = has_place ? add(pc, candidate, why) : end_all(pc, ufrag, why);
  floe__transport_pump(pc);
  return st;
}

int floe_pc_can_trickle_ice_candidates(const floe_pc *pc) {
  const floe__description *d = floe__signaling_remote(pc);
  if (d == NULL) return -1;
  for (size_t i = 0; i < d->sdp->n_media; i++) {
    if (d->sdp->media[i].ice_trickle) return 1;
  }
  return 0;
}

/* --- what the getters show
 * --------------------------------------------------------------------------------------------- */

/* RFC 8839 4.3.1: the default is the candidate most likely to work: relayed, then reflexive, then host. */
static void choose_default(const floe_ice_candidate *c, int *best, floe_addr *out) {
  static const int rank[] = {
      [FLOE_CANDIDATE_HOST] = 1, [FLOE_CANDIDATE_SRFLX] = 2, [FLOE_CANDIDATE_PRFLX] = 0, [FLOE_CANDIDATE_RELAY] = 3};
  if (c->transport != FLOE_TRANSPORT_UDP || c->mdns_name != NULL) return;
  int r = 2 * rank[c->type] + (c->address.family == FLOE_FAMILY_IPV4 ? 1 : 0);
  if (r <= *best) return;
  *best = r;
  *out = c->address;
}

static void render_local(floe_pc *pc, floe__description *d) {
  const floe__sdp_media *m = floe__description_transport(d);
  if (m == NULL || !pc->transport.has_gathered) return;
  if (strcmp(floe_ice_agent_local_parameters(pc->transport.agent)->ufrag, m->ufrag) != 0) return; /* of its time */
  const floe_ice_candidate *const *list;
  size_t n = floe_ice_agent_local_candidates(pc->transport.agent, &list);
  const char **texts = n == 0 ? NULL : floe__alloc(pc->env, n * sizeof *texts);
  if (n > 0 && texts == NULL) return;
  floe__jsep_candidates c = {.mid = m->mid, .candidates = texts, .n_candidates = n};
  /* What was told is of the session before while a restart's own is still to come. */
  c.is_ended = pc->transport.gathering == FLOE_ICE_GATHERING_COMPLETE &&
               floe_ice_agent_gathering_state(pc->transport.agent) == FLOE_ICE_GATHERING_COMPLETE;
  int best = 0;
  for (size_t i = 0; i < n; i++) {
    texts[i] = list[i]->text;
    choose_default(list[i], &best, &c.default_addr);
  }
  floe__description_render(d, &c);
  floe__free(pc->env, texts);
}

static void render_remote(floe__description *d) {
  const floe__sdp_media *m = floe__description_transport(d);
  if (m == NULL) return;
  floe__jsep_candidates c = {.mid = m->mid,
                             .candidates = (const char *const *)d->candidates,
                             .n_candidates = d->n_candidates,
                             .is_ended = d->is_ended && !m->end_of_candidates};
  floe__description_render(d, &c);
}

static const floe_session_description *show_local(floe_pc *pc, floe__description *d) {
  if (d == NULL) return NULL;
  render_local(pc, d);
  return &d->pub;
}

static const floe_session_description *show_remote(floe__description *d) {
  if (d == NULL) return NULL;
  render_remote(d);
  return &d->pub;
}

const floe_session_description *floe_pc_local_description(floe_pc *pc) {
  return show_local(pc, floe__signaling_local(pc));
}

const floe_session_description *floe_pc_current_local_description(floe_pc *pc) {
  return show_local(pc, pc->signaling.current_local);
}

const floe_session_description *floe_pc_pending_local_description(floe_pc *pc) {
  return show_local(pc, pc->signaling.pending_local);
}

const floe_session_description *floe_pc_remote_description(floe_pc *pc) {
  return show_remote(floe__signaling_remote(pc));
}

const floe_session_description *floe_pc_current_remote_description(floe_pc *pc) {
  return show_remote(pc->signaling.current_remote);
}

const floe_session_description *floe_pc_pending_remote_description(floe_pc *pc) {
  return show_remote(pc->signaling.pending_remote);
}
