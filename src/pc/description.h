/* One description that was set, parsed, with the candidates that belong to it. */
#ifndef FLOE_PC_DESCRIPTION_H
#define FLOE_PC_DESCRIPTION_H

#include "floe/pc.h"
#include "pc/events.h"
#include "sdp/jsep.h"

typedef struct floe__description {
  floe_env *env;
  floe_session_description pub; /* what getters show; its text is `rendered` or `text` */
  char *text;                   /* as it was set */
  char *rendered;               /* nullable: with candidates */
  size_t n_rendered;            /* how many of them */
  bool rendered_end;            /* and their end */
  floe__sdp *sdp;
  char **candidates; /* remote: added by addIceCandidate to the section that counts: "candidate:..." */
  size_t n_candidates, cap_candidates;
  bool is_ended; /* remote: the end of the candidates was added */
} floe__description;

/* Parses and copies. FLOE_OK, FLOE_E_SYNTAX, FLOE_E_TOO_LARGE, FLOE_E_NOMEM. */
floe_status floe__description_new(floe__description **out, floe_env *env, floe_sdp_type type, const char *text,
                                  floe_error *why);
void floe__description_free(floe__description *d); /* NULL is fine */
bool floe__description_add_candidate(floe__description *d, const char *candidate);

/* The section that carries data; NULL: none, or rejected. */
const floe__sdp_media *floe__description_data(const floe__description *d /* nullable */);
/* The section where the ICE and DTLS parameters for the data are; NULL: none. */
const floe__sdp_media *floe__description_transport(const floe__description *d /* nullable */);
uint16_t floe__description_index(const floe__description *d, const floe__sdp_media *m);

/* Puts these candidates into what getters show. Without memory it stays as it was. */
void floe__description_render(floe__description *d, const floe__jsep_candidates *c);

#endif
