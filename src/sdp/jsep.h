/* Offers and answers (RFC 9429): what is written, and what a peer's description must fit.
 *
 *   floe__sdp *offer;
 *   floe_status st = floe__sdp_parse(&offer, env, text, why);
 *   if (st == FLOE_OK) st = floe__jsep_check(offer, true, why);
 *   if (st == FLOE_OK && !floe__jsep_write_answer(env, &local, offer, &answer_text)) st = FLOE_E_NOMEM;
 *   ... the ICE parameters and fingerprints of the peer are those of
 *       floe__sdp_transport_of(offer, floe__sdp_data(offer)), where floe__sdp_data is not NULL. */
#ifndef FLOE_SDP_JSEP_H
#define FLOE_SDP_JSEP_H

#include "sdp/sdp.h"

/* This side, as its descriptions show it. */
typedef struct floe__jsep_local {
  const char *session_id;   /* RFC 9429 5.2.1: digits, constant for a connection */
  uint64_t session_version; /* one more for each new description */
  const char *ufrag, *pwd;
  bool ice_lite;
  const floe__sdp_fingerprint *fingerprints;
  size_t n_fingerprints;
  floe__sdp_setup setup; /* of the offer: ACTPASS, or the role in use; of the answer: ACTIVE or PASSIVE */
  const char *tls_id;    /* nullable: left out */
  uint16_t sctp_port;
  uint64_t max_message_size;
  bool wants_data; /* a data section is needed (RFC 9429 5.2.1: the first channel was made) */
} floe__jsep_local;

/* Candidates to be appended to a description (RFC 9429 4.1.16 localDescription). */
typedef struct floe__jsep_candidates {
  const char *mid;               /* of the section */
  const char *const *candidates; /* "candidate:...", in the order they were told */
  size_t n_candidates;
  bool is_ended;          /* a=end-of-candidates */
  floe_addr default_addr; /* family 0: none; shown in m= and c= of the section (RFC 8839 4.3.1) */
} floe__jsep_candidates;

/* An offer (RFC 9429 5.2). `previous_local` and `previous_remote` are the current descriptions, NULL before the first
 * exchange: their sections keep their places and mids, rejected ones stay rejected (or are used again for the data
 * section, RFC 9429 5.2.2). *out: caller frees with floe__free. False: out of memory. */
bool floe__jsep_write_offer(floe_env *env, const floe__jsep_local *local,
                            const floe__sdp *previous_local /* nullable */,
                            const floe__sdp *previous_remote /* nullable */, char **out);

/* An answer (RFC 9429 5.3): the first usable data section is accepted, every other section is rejected as its kind asks
 * (same m= with port 0, its mid, formats echoed, a=inactive for media). BUNDLE: the groups of the offer with what is
 * accepted (RFC 9143 7.3); rejected sections leave their group.
 * RTP is not built; the model has what it takes to accept such a section later. */
bool floe__jsep_write_answer(floe_env *env, const floe__jsep_local *local, const floe__sdp *offer, char **out);

/* `text` with the candidates appended to their section. *out: caller frees with floe__free. False: out of memory. */
bool floe__jsep_append_candidates(floe_env *env, const char *text, const floe__jsep_candidates *c, char **out);

/* --- what a description must fit; each fills `why` (path "sdp", line) and returns FLOE_OK, FLOE_E_SYNTAX or
 *     FLOE_E_ACCESS (W3C InvalidAccessError: the content cannot be applied) ------------------------------------------
 */

/* Any description: a usable data section has ICE parameters, fingerprint and setup, where its transport stands; mids
 * are unique; BUNDLE groups name sections that exist and do not overlap (RFC 9143 7). */
floe_status floe__jsep_check(const floe__sdp *sdp, bool is_offer, floe_error *why);
/* A later offer of the peer: no section has gone or changed its place, kind or mid, unless it was rejected. */
floe_status floe__jsep_check_reoffer(const floe__sdp *offer, const floe__sdp *previous_remote, floe_error *why);
/* An answer, or a provisional one: as many sections, of the same kinds and protocols, mids as offered (RFC 3264 6);
 * setup not actpass; BUNDLE groups not wider than offered; nothing accepted that was rejected in the offer. */
floe_status floe__jsep_check_answer(const floe__sdp *answer, const floe__sdp *offer, floe_error *why);

/* Other ICE credentials in the section that carries the data: an ICE restart (RFC 8839 4.4.1.1.1). */
bool floe__jsep_is_restart(const floe__sdp *now, const floe__sdp *before);

#endif
