/* What an agent tells of its connection: statistics, report, description. */
#ifndef FLOE_ICE_CONNECTION_H
#define FLOE_ICE_CONNECTION_H

#include "floe/stats.h"
#include "ice/session.h"

/* A snapshot; its arrays are one block each, kept until the next. */
typedef struct floe__snapshot {
  floe_stats stats;
  floe_connection_report report;
  floe_pair_stats *pairs;
  const floe_ice_candidate **locals;
  floe_remote_candidate_stats *remotes;
  floe_pair_group *groups;
} floe__snapshot;

/* `also` nullable: the earlier session whose pair is in use. False: no memory. */
bool floe__snapshot_take_stats(floe__snapshot *snap, const floe__session *s, const floe__session *also);
bool floe__snapshot_take_report(floe__snapshot *snap, const floe__session *s, floe_ice_connection_state state);
void floe__snapshot_clear(floe__snapshot *snap, floe_env *env);

/* Lines of RFC 8839; see floe_ice_agent_local_description. */
/* `told`: with the candidates. */
size_t floe__description_write(const floe__session *s, bool told, bool ended, char *out, size_t cap);

#endif
