/* What a description must fit before it is applied (RFC 9429 5.8 to 5.11). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/status_internal.h"
#include "sdp/jsep.h"
#include "sdp/lex.h"

static floe_status refuse(floe_error *why, uint32_t line, const char *format, ...) FLOE_PRINTF(3, 4);

/* W3C webrtc-pc 4.4.1.5: what is well-formed and cannot be applied is an InvalidAccessError. */
static floe_status refuse(floe_error *why, uint32_t line, const char *format, ...) {
  char message[160];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(message, sizeof message, format, args);
  va_end(args);
  floe_status st = floe__error_set(why, FLOE_E_ACCESS, "sdp", FLOE_NO_OFFSET, "%s", message);
  if (why != NULL) why->line = line;
  return st;
}

/* Where an attribute stands, for errors; the section's own line when it is the session's. */
static uint32_t line_of(const floe__sdp_media *m, const char *name) {
  for (size_t i = 0; i < m->n_attributes; i++) {
    if (floe__sdp_equal_nocase(m->attributes[i].name, name)) return m->attributes[i].line;
  }
  return m->line;
}

/* Of the n-th (from 0) line of a name at session level. */
static uint32_t session_line_of(const floe__sdp *sdp, const char *name, size_t n) {
  for (size_t i = 0; i < sdp->n_attributes; i++) {
    if (floe__sdp_equal_nocase(sdp->attributes[i].name, name) && n-- == 0) return sdp->attributes[i].line;
  }
  return 0;
}

/* --- mids and groups --------------------------------------------------------------------------------------------- */

static floe_status check_mids(const floe__sdp *sdp, floe_error *why) {
  for (size_t i = 0; i < sdp->n_media; i++) {
    const floe__sdp_media *m = &sdp->media[i];
    if (m->mid == NULL || floe__sdp_by_mid(sdp, m->mid) == m) continue;
    return refuse(why, line_of(m, "mid"), "two sections have the mid \"%.64s\" (RFC 5888 9.2)", m->mid);
  }
  return FLOE_OK;
}

/* RFC 9143 7: a BUNDLE group names sections that are there, and no section is in two. */
static floe_status check_bundle(const floe__sdp *sdp, size_t n, bool *is_used, floe_error *why) {
  const floe__sdp_group *g = &sdp->groups[n];
  for (size_t i = 0; i < g->n_mids; i++) {
    const floe__sdp_media *m = floe__sdp_by_mid(sdp, g->mids[i]);
    if (m != NULL && !is_used[m - sdp->media]) {
      is_used[m - sdp->media] = true;
      continue;
    }
    return refuse(why, session_line_of(sdp, "group", n), "the BUNDLE group names \"%.64s\", which %s", g->mids[i],
                  m == NULL ? "is no section" : "is in one already");
  }
  return FLOE_OK;
}

static floe_status check_groups(const floe__sdp *sdp, floe_error *why) {
  bool is_used[FLOE__SDP_MAX_MEDIA] = {false};
  for (size_t i = 0; i < sdp->n_groups; i++) {
    if (!floe__sdp_equal_nocase(sdp->groups[i].semantics, "BUNDLE")) continue;
    floe_status st = check_bundle(sdp, i, is_used, why);
    if (st != FLOE_OK) return st;
  }
  return FLOE_OK;
}

/* --- the data section -------------------------------------------------------------------------------------------- */

static floe_status check_setup(const floe__sdp_media *transport, bool is_offer, floe_error *why) {
  uint32_t line = line_of(transport, "setup");
  switch (transport->setup) {
    case FLOE__SETUP_ACTIVE:
    case FLOE__SETUP_PASSIVE: return FLOE_OK;
    case FLOE__SETUP_ACTPASS:
      if (is_offer) return FLOE_OK;
      return refuse(why, line, "an answer chooses: a=setup:active or passive, not actpass (RFC 8842 5.3)");
    case FLOE__SETUP_HOLDCONN: return refuse(why, line, "a=setup:holdconn has no DTLS connection");
    case FLOE__SETUP_NONE: return refuse(why, line, "the transport of the data section has no a=setup (RFC 8842 5.1)");
  }
  return FLOE_OK;
}

static floe_status check_transport(const floe__sdp_media *t, bool is_offer, floe_error *why) {
  if (t->ufrag == NULL) return refuse(why, t->line, "the transport of the data section has no a=ice-ufrag");
  if (t->pwd == NULL) return refuse(why, t->line, "the transport of the data section has no a=ice-pwd");
  if (t->n_fingerprints == 0) return refuse(why, t->line, "the transport of the data section has no a=fingerprint");
  return check_setup(t, is_offer, why);
}

/* RFC 9143 7.2: a=bundle-only with a port of zero is an offer's; in an answer that is a rejection or nothing. */
static floe_status check_bundle_only(const floe__sdp *sdp, bool is_offer, floe_error *why) {
  for (size_t i = 0; i < sdp->n_media; i++) {
    const floe__sdp_media *m = &sdp->media[i];
    if (!m->is_bundle_only || m->port != 0) continue;
    bool is_bundled = m->mid != NULL && floe__sdp_bundle_of(sdp, m->mid) != NULL;
    if (!is_offer) return refuse(why, line_of(m, "bundle-only"), "an answer has no a=bundle-only (RFC 9143 7.3)");
    if (!is_bundled) return refuse(why, line_of(m, "bundle-only"), "a=bundle-only in a section of no BUNDLE group");
  }
  return FLOE_OK;
}

static floe_status check_data(const floe__sdp *sdp, bool is_offer, floe_error *why) {
  const floe__sdp_media *data = floe__sdp_data(sdp);
  if (data == NULL) return FLOE_OK;
  if (data->sctp_port == 0) return refuse(why, line_of(data, "sctp-port"), "SCTP port 0 is none");
  return check_transport(floe__sdp_transport_of(sdp, data), is_offer, why);
}

floe_status floe__jsep_check(const floe__sdp *sdp, bool is_offer, floe_error *why) {
  floe_status st = check_mids(sdp, why);
  if (st == FLOE_OK) st = check_groups(sdp, why);
  if (st == FLOE_OK) st = check_bundle_only(sdp, is_offer, why);
  return st == FLOE_OK ? check_data(sdp, is_offer, why) : st;
}

/* --- two descriptions -------------------------------------------------------------------------------------------- */

static bool is_same_mid(const floe__sdp_media *a, const floe__sdp_media *b) {
  return a->mid != NULL && b->mid != NULL && strcmp(a->mid, b->mid) == 0;
}

/* RFC 9429 5.2.2: the place of a section that was rejected is free. Our answers accept the data section alone. */
static bool was_accepted(const floe__sdp *sdp, size_t i) {
  return &sdp->media[i] == floe__sdp_data(sdp);
}

static floe_status check_kept(const floe__sdp_media *now, const floe__sdp_media *before, floe_error *why) {
  if (!floe__sdp_equal_nocase(now->kind, before->kind)) {
    return refuse(why, now->line, "this section was of kind %.32s (RFC 3264 8.2)", before->kind);
  }
  if (before->mid == NULL || is_same_mid(now, before)) return FLOE_OK;
  return refuse(why, line_of(now, "mid"), "this section had the mid \"%.64s\" (RFC 9429 5.2.2)", before->mid);
}

floe_status floe__jsep_check_reoffer(const floe__sdp *offer, const floe__sdp *previous_remote, floe_error *why) {
  if (offer->n_media < previous_remote->n_media) {
    return refuse(why, 0, "there were %zu sections, and there are %zu (RFC 3264 8)", previous_remote->n_media,
                  offer->n_media);
  }
  for (size_t i = 0; i < previous_remote->n_media; i++) {
    if (!was_accepted(previous_remote, i)) continue;
    floe_status st = check_kept(&offer->media[i], &previous_remote->media[i], why);
    if (st != FLOE_OK) return st;
  }
  return FLOE_OK;
}

/* RFC 3264 6: "the "m=" line in the answer" is of the offer's kind and transport. What is rejected says no more. */
static floe_status check_answered(const floe__sdp_media *a, const floe__sdp_media *o, floe_error *why) {
  if (!floe__sdp_equal_nocase(a->kind, o->kind)) {
    return refuse(why, a->line, "the offer has %.32s in this place (RFC 3264 6)", o->kind);
  }
  if (a->mid != NULL && !is_same_mid(a, o)) {
    return refuse(why, line_of(a, "mid"), "the offer has the mid \"%.64s\" in this place",
                  o->mid == NULL ? "" : o->mid);
  }
  if (a->port == 0) return FLOE_OK;
  if (o->is_rejected) return refuse(why, a->line, "what the offer has rejected cannot be accepted (RFC 3264 6)");
  if (!floe__sdp_equal_nocase(a->proto, o->proto)) {
    return refuse(why, a->line, "the offer has %.64s in this place (RFC 3264 6)", o->proto);
  }
  if (o->is_data && !a->is_data) return refuse(why, a->line, "the offer has data channels in this place");
  return FLOE_OK;
}

/* RFC 9143 7.3: "the answerer MUST NOT" bundle what the offer does not, nor what it offers apart. */
static floe_status check_answered_group(const floe__sdp *answer, size_t n, const floe__sdp *offer, floe_error *why) {
  const floe__sdp_group *g = &answer->groups[n], *first = NULL;
  for (size_t i = 0; i < g->n_mids; i++) {
    const floe__sdp_group *offered = floe__sdp_bundle_of(offer, g->mids[i]);
    if (i == 0) first = offered;
    if (offered != NULL && offered == first) continue;
    return refuse(why, session_line_of(answer, "group", n), "the offer does not bundle \"%.64s\" so (RFC 9143 7.3)",
                  g->mids[i]);
  }
  return FLOE_OK;
}

static floe_status check_answered_groups(const floe__sdp *answer, const floe__sdp *offer, floe_error *why) {
  for (size_t i = 0; i < answer->n_groups; i++) {
    if (!floe__sdp_equal_nocase(answer->groups[i].semantics, "BUNDLE")) continue;
    floe_status st = check_answered_group(answer, i, offer, why);
    if (st != FLOE_OK) return st;
  }
  return FLOE_OK;
}

/* RFC 4145 4.1: one side is active and the other passive. */
static floe_status check_roles(const floe__sdp *answer, const floe__sdp *offer, floe_error *why) {
  const floe__sdp_media *a = floe__sdp_data(answer);
  if (a == NULL) return FLOE_OK;
  const floe__sdp_media *o = &offer->media[a - answer->media];
  const floe__sdp_media *ours = floe__sdp_transport_of(offer, o), *theirs = floe__sdp_transport_of(answer, a);
  uint32_t line = line_of(theirs, "setup");
  if (theirs->setup == FLOE__SETUP_ACTPASS) {
    return refuse(why, line, "an answer chooses: a=setup:active or passive, not actpass (RFC 8842 5.3)");
  }
  if (ours->setup != theirs->setup) return FLOE_OK;
  return refuse(why, line, "both sides have the same a=setup (RFC 4145 4.1)");
}

floe_status floe__jsep_check_answer(const floe__sdp *answer, const floe__sdp *offer, floe_error *why) {
  if (answer->n_media != offer->n_media) {
    return refuse(why, 0, "the offer has %zu sections, the answer %zu (RFC 3264 6)", offer->n_media, answer->n_media);
  }
  for (size_t i = 0; i < answer->n_media; i++) {
    floe_status st = check_answered(&answer->media[i], &offer->media[i], why);
    if (st != FLOE_OK) return st;
  }
  floe_status st = check_answered_groups(answer, offer, why);
  return st == FLOE_OK ? check_roles(answer, offer, why) : st;
}

bool floe__jsep_is_restart(const floe__sdp *now, const floe__sdp *before) {
  const floe__sdp_media *a = floe__sdp_data(now), *b = floe__sdp_data(before);
  if (a == NULL || b == NULL) return false;
  a = floe__sdp_transport_of(now, a);
  b = floe__sdp_transport_of(before, b);
  if (a->ufrag == NULL || a->pwd == NULL || b->ufrag == NULL || b->pwd == NULL) return false;
  return strcmp(a->ufrag, b->ufrag) != 0 || strcmp(a->pwd, b->pwd) != 0;
}
