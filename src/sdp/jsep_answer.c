/* Answers (RFC 9429 5.3). */
#include "sdp/jsep_internal.h"

/* RFC 9143 7.3: the group keeps what is accepted, and what is rejected leaves it. With one section accepted, that is
 * the whole group, and the tag moves to it. */
bool floe__jsep_write_answer(floe_env *env, const floe__jsep_local *local, const floe__sdp *offer, char **out) {
  floe__sdp_text t = {.env = env};
  const floe__sdp_media *data = floe__sdp_data(offer);
  const char *mid = data == NULL ? NULL : data->mid;
  bool is_bundled = mid != NULL && floe__sdp_bundle_of(offer, mid) != NULL;
  floe__jsep_put_session(&t, local, is_bundled ? mid : NULL);
  for (size_t i = 0; i < offer->n_media; i++) {
    const floe__sdp_media *m = &offer->media[i];
    if (m == data) {
      floe__jsep_put_data(&t, local, &(floe__jsep_data_form){.like = m, .mid = mid});
    } else {
      floe__jsep_put_rejected(&t, m, m->mid);
    }
  }
  return floe__sdp_text_take(&t, out);
}
