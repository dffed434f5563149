/* Offers, the first and later ones (RFC 9429 5.2). */
#include <string.h>

#include "sdp/jsep_internal.h"

/* The current descriptions; both NULL before the first exchange. */
typedef struct past {
  const floe__sdp *local, *remote; /* nullable */
} past;

static const floe__sdp_media *section_at(const floe__sdp *sdp, size_t i) {
  return sdp != NULL && i < sdp->n_media ? &sdp->media[i] : NULL;
}

static size_t count_sections(const past *p) {
  size_t local = p->local == NULL ? 0 : p->local->n_media, remote = p->remote == NULL ? 0 : p->remote->n_media;
  return local > remote ? local : remote;
}

/* What stands at a place; the peer's where there is one, since it has the formats of what it offered. */
static const floe__sdp_media *section_of(const past *p, size_t i) {
  const floe__sdp_media *remote = section_at(p->remote, i);
  return remote != NULL ? remote : section_at(p->local, i);
}

/* The two are the same where both are there; an answer may lack it (RFC 5888 9.1 has it come from the offer). */
static const char *mid_of(const past *p, size_t i) {
  const floe__sdp_media *local = section_at(p->local, i);
  return local != NULL && local->mid != NULL ? local->mid : section_of(p, i)->mid;
}

/* RFC 9429 5.2.2: "a zero port in the current local description or the current remote description". */
static bool is_rejected(const past *p, size_t i) {
  const floe__sdp_media *local = section_at(p->local, i), *remote = section_at(p->remote, i);
  return (local != NULL && local->is_rejected) || (remote != NULL && remote->is_rejected);
}

/* Where the data section goes: where it is; else the first place that is free again; else behind the others. */
static size_t place_data(const past *p) {
  size_t n = count_sections(p), free_at = n;
  for (size_t i = 0; i < n; i++) {
    if (!is_rejected(p, i) && section_of(p, i)->is_data) return i;
    if (is_rejected(p, i) && free_at == n) free_at = i;
  }
  return free_at;
}

/* --- mids -------------------------------------------------------------------------------------------------------- */

static bool is_taken(const past *p, const char *mid) {
  return (p->local != NULL && floe__sdp_by_mid(p->local, mid) != NULL) ||
         (p->remote != NULL && floe__sdp_by_mid(p->remote, mid) != NULL);
}

/* RFC 9429 5.2.1: short, and given to no other section; a place that is used again has a new one (5.2.2). */
static floe__sdp_digits choose_mid(const past *p) {
  uint64_t n = 0;
  floe__sdp_digits mid = floe__sdp_digits_of(n);
  while (is_taken(p, mid.text)) mid = floe__sdp_digits_of(++n);
  return mid;
}

/* --- the offer --------------------------------------------------------------------------------------------------- */

static bool needs_data(const past *p, const floe__jsep_local *local, size_t at) {
  bool is_there = at < count_sections(p) && !is_rejected(p, at);
  return local->wants_data || is_there;
}

/* A section that is neither data nor rejected is no section that we have accepted: only the peer's offer has it. */
static void put_sections(floe__sdp_text *t, const past *p, const floe__jsep_local *local, size_t data_at,
                         const floe__jsep_data_form *form) {
  size_t n = count_sections(p);
  for (size_t i = 0; i < n; i++) {
    if (i == data_at) {
      floe__jsep_put_data(t, local, form);
    } else {
      floe__jsep_put_rejected(t, section_of(p, i), mid_of(p, i));
    }
  }
  if (data_at == n) floe__jsep_put_data(t, local, form);
}

bool floe__jsep_write_offer(floe_env *env, const floe__jsep_local *local, const floe__sdp *previous_local,
                            const floe__sdp *previous_remote, char **out) {
  past p = {.local = previous_local, .remote = previous_remote};
  floe__sdp_text t = {.env = env};
  size_t data_at = place_data(&p);
  bool has_data = needs_data(&p, local, data_at);
  bool is_kept = data_at < count_sections(&p) && !is_rejected(&p, data_at);
  floe__sdp_digits fresh = choose_mid(&p);
  floe__jsep_data_form form = {.mid = fresh.text};
  if (is_kept) form = (floe__jsep_data_form){section_of(&p, data_at), mid_of(&p, data_at)};
  floe__jsep_put_session(&t, local, has_data ? form.mid : NULL);
  put_sections(&t, &p, local, has_data ? data_at : SIZE_MAX, &form);
  return floe__sdp_text_take(&t, out);
}
