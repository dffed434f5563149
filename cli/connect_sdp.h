/* Between session descriptions and tickets. */
#ifndef FLOE_CLI_CONNECT_SDP_H
#define FLOE_CLI_CONNECT_SDP_H

#include "connect_ticket.h"

/* Fills the ticket from a description of one data section as floe_uv_pc_local_description gives it; `is_answer` and
 * `mode` are the caller's. False: something is missing, and `why` (cap bytes) says what. */
bool floe__ticket_from_sdp(floe__ticket *out, const char *sdp, char *why, size_t cap);

/* The description that the ticket stands for. out: caller frees with floe__cli_free_secret. */
char *floe__ticket_to_sdp(const floe__ticket *t);

#endif
