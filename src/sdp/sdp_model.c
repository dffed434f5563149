/* Questions to a description. */
#include <string.h>

#include "sdp/lex.h"
#include "sdp/sdp.h"

const floe__sdp_media *floe__sdp_data(const floe__sdp *sdp) {
  for (size_t i = 0; i < sdp->n_media; i++) {
    if (sdp->media[i].is_data && !sdp->media[i].is_rejected) return &sdp->media[i];
  }
  return NULL;
}

const floe__sdp_media *floe__sdp_by_mid(const floe__sdp *sdp, const char *mid) {
  for (size_t i = 0; i < sdp->n_media; i++) {
    if (sdp->media[i].mid != NULL && strcmp(sdp->media[i].mid, mid) == 0) return &sdp->media[i];
  }
  return NULL;
}

const floe__sdp_group *floe__sdp_bundle_of(const floe__sdp *sdp, const char *mid) {
  for (size_t i = 0; i < sdp->n_groups; i++) {
    const floe__sdp_group *g = &sdp->groups[i];
    if (!floe__sdp_equal_nocase(g->semantics, "BUNDLE")) continue;
    for (size_t j = 0; j < g->n_mids; j++) {
      if (strcmp(g->mids[j], mid) == 0) return g;
    }
  }
  return NULL;
}

static bool has_transport(const floe__sdp_media *m) {
  return m->ufrag != NULL && m->pwd != NULL;
}

const floe__sdp_media *floe__sdp_transport_of(const floe__sdp *sdp, const floe__sdp_media *m) {
  const floe__sdp_group *bundle = m->mid == NULL ? NULL : floe__sdp_bundle_of(sdp, m->mid);
  if (has_transport(m) || bundle == NULL) return m;
  for (size_t i = 0; i < bundle->n_mids; i++) {
    const floe__sdp_media *tagged = floe__sdp_by_mid(sdp, bundle->mids[i]);
    if (tagged != NULL && !tagged->is_rejected && has_transport(tagged)) return tagged;
  }
  return m;
}
