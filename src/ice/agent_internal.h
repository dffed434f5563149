/* The agent's own data: shared by agent.c (life, gathering, inputs and outputs) and agent_connect.c (the peer). */
#ifndef FLOE_ICE_AGENT_INTERNAL_H
#define FLOE_ICE_AGENT_INTERNAL_H

#include "ice/connection.h"

typedef enum floe__agent_state {
  FLOE__AGENT_IDLE = 0,    /* the current ICE session has not gathered */
  FLOE__AGENT_PREFETCHING, /* gathers for a pool: nothing is told yet */
  FLOE__AGENT_GATHERING,   /* told of; also after completion */
  FLOE__AGENT_CLOSING,
  FLOE__AGENT_CLOSED
} floe__agent_state;

struct floe_ice_agent {
  floe__io io;
  uint32_t number; /* in traces */
  floe__settings *settings;
  floe__agent_state state;
  floe_ice_gathering_state gathering_state; /* as told by the events handed out */
  floe__event_queue events;
  bool has_gathered;  /* once, in whichever session */
  bool told_complete; /* the current gathering's `complete` was handed out */
  bool is_untold;     /* there was no memory to tell a change of the connection: tried again at the next poll */
  bool is_settled;    /* nothing has come since the last input was settled: poll need not look again */
  bool trim_due;      /* gathering is complete: what its burst of commands needed is given back once */
  floe__connection conn;
  floe__session *session;    /* the current one */
  floe_ice_parameters local; /* its parameters: they outlive a second gathering, which takes another session */
  floe__session *previous;   /* nullable: after a restart, as long as its pair is in use, and a while after that */
  floe_time retire_at;       /* of previous: when the while is over; 0 = its pair is still in use */
  floe__session *ended;      /* earlier ones that still have events, allocations or sockets to let go of */
  floe_time started_at;      /* of the first gathering */

  /* what was told last */
  floe_ice_connection_state told_state;
  uint32_t told_local, told_remote;
  floe__event_node spare;   /* for a change of state when there is no memory */
  floe__snapshot *snapshot; /* nullable */
};

/* The one writer of the state. */
void floe__agent_go(floe_ice_agent *agent, floe__agent_state next);
/* The settings in force and those of earlier gatherings. */
void floe__agent_free_settings(floe_ice_agent *agent);
void floe__agent_advance(floe_ice_agent *agent, floe_time now);
/* What is due is done, and what has changed is told. */
void floe__agent_settle(floe_ice_agent *agent);
bool floe__agent_is_closing(const floe_ice_agent *agent);
/* A session that is not needed any more. */
void floe__agent_end_session(floe_ice_agent *agent, floe__session *s /* takes */, bool at_once);

/* The session that stands for the connection: the current one, or after a restart the one whose pair is in use. */
floe__session *floe__agent_active(const floe_ice_agent *agent);
/* State and pair, as events. */
void floe__agent_tell_connection(floe_ice_agent *agent);

#endif
