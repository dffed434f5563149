/* What the two halves of pc_peer share: facts as JSON, wishes from JSON. */
#ifndef PC_PEER_H
#define PC_PEER_H

#include <jansson.h>

#include "floe/floe.h"
#include "floe/uv.h"

/* --- facts (pc_peer_facts.c): new objects, the caller's ------------------------------------------------------------
 */

/** The event with all its fields. A channel is told by its number, which is its user pointer. */
json_t *fact_event(const floe_event *event);
/** The attributes of a channel, with its number. */
json_t *fact_channel(const floe_data_channel *channel);
/** Number of a channel. */
json_int_t channel_number(const floe_data_channel *channel);
/** `type` and `sdp`; null for none. */
json_t *fact_description(const floe_session_description *description);
/** All states, the three transports, the channels and the descriptions. */
json_t *fact_state(floe_pc *pc);
/** The report as an array of objects with W3C's names. */
json_t *fact_stats(const floe_stats_report *report);
/** The failure report, as far as tests look at it. */
json_t *fact_report(const floe_connection_report *report);

/* --- wishes (pc_peer_wishes.c) --------------------------------------------------------------------------------------
 */

enum { WISH_SERVERS = 8, WISH_URLS = 8 };

/** A configuration and what it points at. */
typedef struct wish_config {
  floe_pc_config pc;
  floe_ice_config ice;
  floe_ice_server servers[WISH_SERVERS];
  const char *urls[WISH_SERVERS][WISH_URLS];
  char *ca;
} wish_config;

/** Reads an RTCConfiguration, with Floe's own options in its member `floe`. Texts are those of `from`.
 *  @return false with a sentence in `why` */
bool wish_read_config(wish_config *out, const json_t *from, const char **why);
/** Frees what reading has made. */
void wish_free_config(wish_config *config);
/** Reads an RTCDataChannelInit. */
void wish_read_init(floe_data_channel_init *out, const json_t *from);
/** Reads an RTCIceCandidateInit. */
void wish_read_candidate(floe_ice_candidate_init *out, const json_t *from);

#endif
