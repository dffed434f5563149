/* One agent on the driver: the core's agent, its sockets and look-ups, and who listens to it. What the driver does for
 * an agent it does for every machine of the core that has inputs and outputs (floe/ice.h): a NAT probe is one, a peer
 * connection another. */
#ifndef FLOE_UV_AGENT_H
#define FLOE_UV_AGENT_H

#include "uv/event_target.h"
#include "uv/loop.h"

struct floe__uv_sock;
struct floe__uv_lookup;
struct floe__uv_mux_place;

typedef enum floe__uv_agent_state {
  FLOE__UV_AGENT_LIVE = 0,
  FLOE__UV_AGENT_LEAVING, /* closed by the program from inside one of the agent's callbacks */
  FLOE__UV_AGENT_CLOSING  /* the core is deleting its allocations */
} floe__uv_agent_state;

/* How a machine of the core is driven. */
typedef struct floe__uv_machine {
  void (*input)(void *core, floe_time now, const floe_input *in);
  void (*poll)(void *core, floe_output *out);
  void (*close)(void *core, floe_time now);
  bool (*is_closed)(const void *core);
  void (*free)(void *core);
  /* EVENT, DATA and PERMISSION: calls the program. */
  void (*tell)(floe_uv_ice_agent *agent, const floe_output *out);
  /* Nullable: there are more listeners than those of the agent's target. */
  void (*silence)(floe_uv_ice_agent *agent);
} floe__uv_machine;

struct floe_uv_ice_agent {
  floe_uv *uv;
  const floe__uv_machine *machine;
  void *driven;         /* NULL when it has finished closing */
  floe_ice_agent *core; /* the same, or that of a peer connection; NULL for what else is driven */
  floe__uv_agent_state state;
  bool is_draining; /* its outputs are being taken */
  bool is_calling;  /* the program is being called */
  bool is_ready;
  floe_uv_ice_agent *prev, *next;             /* in floe_uv.agents */
  floe_uv_ice_agent *ready_prev, *ready_next; /* in the queue of those that are ready */
  floe__uv_alarm alarm;                       /* the core's deadline */
  struct floe__uv_sock **socks;               /* in the order of their ids; each until its handle is closed */
  size_t n_socks;
  size_t cap_socks;
  struct floe__uv_mux_place *place; /* NULL: not on a multiplexer */
  uint32_t n_accepted;              /* connections named so far */
  size_t stream_queued;             /* bytes that TCP connections have not taken yet */
  size_t max_queue;                 /* of them, before FLOE_E_AGAIN */
  bool include_loopback;            /* it has loopback candidates */
  struct floe__uv_lookup *lookups;  /* pending */
  floe__uv_event_target target;
  uint64_t interfaces; /* the print of the host's addresses as it was told them last; 0 = it has not asked yet */
  floe_uv_relay_handler relay;
  floe_uv_data_handler on_data; /* nullable */
  void *on_data_user;
  void (*on_closed)(void *user);
  void *on_closed_user;
};

/* Makes a zeroed agent live, on a core that it frees in its time. False: no memory, and nothing has changed. */
bool floe__uv_agent_init(floe_uv_ice_agent *agent, floe_uv *uv, const floe__uv_machine *machine /* keeps */,
                         void *driven /* takes */);
/* Sees to it that the outputs are taken. */
void floe__uv_agent_wake(floe_uv_ice_agent *agent);
/* Hands an input to the core, and sees to it that the outputs are taken. */
void floe__uv_agent_input(floe_uv_ice_agent *agent, const floe_input *in);
/* Tells the core which addresses the host has, or why they could not be listed (`err` an errno, else 0). */
void floe__uv_agent_tell_interfaces(floe_uv_ice_agent *agent, const floe_interface *list, size_t n, int err);
/* Lists them, and tells the core. */
void floe__uv_agent_list_interfaces(floe_uv_ice_agent *agent);
/* Takes the outputs; may free the agent. */
void floe__uv_agent_drain(floe_uv_ice_agent *agent);
/* One of its sockets is closed for good. */
void floe__uv_agent_sock_gone(floe_uv_ice_agent *agent);
/* The program hears no event and no data of it any more. */
void floe__uv_agent_silence(floe_uv_ice_agent *agent);
/* Driver closed: frees the core's agent and lets go of sockets and look-ups. The struct is kept while the program waits
 * for on_closed, else freed. */
void floe__uv_agent_abandon(floe_uv_ice_agent *agent);
/* Tells the program and frees the struct. */
void floe__uv_agent_finish(floe_uv_ice_agent *agent);

#endif
