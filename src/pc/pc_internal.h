/* The connection's own data, shared by the files of src/pc: each machine is one file, and this is what they compose to.
 */
#ifndef FLOE_PC_PC_INTERNAL_H
#define FLOE_PC_PC_INTERNAL_H

#include "base/alloc.h"
#include "base/deadline.h"
#include "floe/pc.h"
#include "pc/channel.h"
#include "pc/events.h"
#include "pc/signaling.h"
#include "pc/states.h"
#include "pc/transport.h"

typedef enum floe__pc_life {
  FLOE__PC_LIVE = 0,
  FLOE__PC_CLOSING, /* silent; allocations are being deleted */
  FLOE__PC_GONE
} floe__pc_life;

/* A checked, deep copy of a floe_pc_config. */
typedef struct floe__pc_settings {
  floe_pc_config cfg;  /* defaults filled in; points into this copy and the agent's */
  floe_ice_config ice; /* what cfg.ice points at; its other pointers are the agent's */
  floe_ice_server *servers;
  floe_certificate **certificates;
  bool has_given_certificates; /* false: made here */
} floe__pc_settings;

struct floe_pc {
  floe_env *env;
  floe_time now;
  floe_time moment;     /* when what is being told happened: now, or when the agent noticed */
  floe_time started_at; /* of the first gathering; 0 before */
  floe__pc_life life;
  floe__pc_settings settings;
  floe__pc_events events;
  floe__signaling signaling;
  floe__transport transport;
  floe__channels channels;

  /* as told by the events queued last */
  floe_ice_connection_state ice_connection_state;
  floe_ice_gathering_state ice_gathering_state;
  floe_pc_state connection_state;
  bool is_untold; /* there was no memory to tell a change: tried again at the next poll */

  floe_event event; /* the one handed out last */

  /* what the getters hand out */
  floe_ice_transport ice_object;
  floe_dtls_transport dtls_object;
  floe_sctp_transport sctp_object;
  floe_bytes peer_certificate;
  uint8_t *peer_der; /* nullable */
  floe_connection_report report;
  struct floe__pc_stats *stats; /* nullable */
};

/* config.c */
floe_status floe__pc_settings_init(floe__pc_settings *s, floe_env *env, floe_time now, const floe_pc_config *cfg,
                                   floe_ice_agent **agent /* out: made with it */, floe_error *why);
void floe__pc_settings_clear(floe__pc_settings *s, floe_env *env);
/* The certificate in use, made on first use. NULL: no memory. */
const floe_certificate *floe__pc_certificate(floe_pc *pc);

/* pc.c */
void floe__pc_advance(floe_pc *pc, floe_time now);
bool floe__pc_is_closed(const floe_pc *pc);
/* States of the connection that have changed are told, after what brought it about. */
void floe__pc_tell_states(floe_pc *pc);
/* Fills `why` and returns `st` with its usual sentence, or `message` when that is not NULL. */
floe_status floe__pc_refuse(floe_error *why, floe_status st, const char *path, const char *message);
/* An error that another module has filled in, under the path of this call. */
floe_status floe__pc_refuse_path(floe_error *why, floe_status st, const char *path);

/* stats.c */
void floe__pc_stats_free(floe_pc *pc);

#endif
