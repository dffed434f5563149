#include "pc/description.h"

#include <string.h>

#include "base/status_internal.h"

floe_status floe__description_new(floe__description **out, floe_env *env, floe_sdp_type type, const char *text,
                                  floe_error *why) {
  *out = NULL;
  floe__sdp *sdp = NULL;
  floe_status st = floe__sdp_parse(&sdp, env, text, why);
  if (st != FLOE_OK) return st;
  floe__description *d = floe__zalloc(env, sizeof *d);
  char *copy = d == NULL ? NULL : floe__strdup(env, text);
  if (copy == NULL) {
    floe__free(env, d);
    floe__sdp_free(sdp);
    return floe__error_set(why, FLOE_E_NOMEM, "", FLOE_NO_OFFSET, "out of memory");
  }
  d->env = env;
  d->text = copy;
  d->pub = (floe_session_description){type, copy};
  d->sdp = sdp;
  *out = d;
  return FLOE_OK;
}

void floe__description_free(floe__description *d) {
  if (d == NULL) return;
  for (size_t i = 0; i < d->n_candidates; i++) floe__free(d->env, d->candidates[i]);
  floe__free(d->env, d->candidates);
  floe__free(d->env, d->rendered);
  floe__free(d->env, d->text);
  floe__sdp_free(d->sdp);
  floe__free(d->env, d);
}

bool floe__description_add_candidate(floe__description *d, const char *candidate) {
  void *list = d->candidates;
  if (!floe__reserve(d->env, &list, &d->cap_candidates, sizeof *d->candidates, d->n_candidates + 1)) return false;
  d->candidates = list;
  char *copy = floe__strdup(d->env, candidate);
  if (copy == NULL) return false;
  d->candidates[d->n_candidates++] = copy;
  return true;
}

const floe__sdp_media *floe__description_data(const floe__description *d) {
  return d == NULL ? NULL : floe__sdp_data(d->sdp);
}

/* RFC 9143 7.2: a bundle-only section has its transport in the tagged one; any other may have parameters of its own,
 * which count until the answer has said what is bundled. */
const floe__sdp_media *floe__description_transport(const floe__description *d) {
  const floe__sdp_media *data = floe__description_data(d);
  if (data == NULL) return NULL;
  if (data->ufrag != NULL && !data->is_bundle_only) return data;
  return floe__sdp_transport_of(d->sdp, data);
}

uint16_t floe__description_index(const floe__description *d, const floe__sdp_media *m) {
  return (uint16_t)(m - d->sdp->media);
}

void floe__description_render(floe__description *d, const floe__jsep_candidates *c) {
  if (c->n_candidates == d->n_rendered && c->is_ended == d->rendered_end) return;
  char *text;
  if (!floe__jsep_append_candidates(d->env, d->text, c, &text)) return;
  floe__free(d->env, d->rendered);
  d->rendered = text;
  d->n_rendered = c->n_candidates;
  d->rendered_end = c->is_ended;
  d->pub.sdp = text;
}
