/* What offers and answers have in common. */
#ifndef FLOE_SDP_JSEP_INTERNAL_H
#define FLOE_SDP_JSEP_INTERNAL_H

#include "sdp/jsep.h"
#include "sdp/text.h"

/* How a data section names its protocol: `like` is the section whose form is kept (nullable: that of RFC 8841). */
typedef struct floe__jsep_data_form {
  const floe__sdp_media *like;
  const char *mid; /* nullable */
} floe__jsep_data_form;

/* v= to the session's attributes; `mid` is the section that is bundled, NULL: none. */
void floe__jsep_put_session(floe__sdp_text *t, const floe__jsep_local *local, const char *bundled_mid);
void floe__jsep_put_data(floe__sdp_text *t, const floe__jsep_local *local, const floe__jsep_data_form *form);
/* `m` with port 0. */
void floe__jsep_put_rejected(floe__sdp_text *t, const floe__sdp_media *m, const char *mid /* nullable */);

#endif
