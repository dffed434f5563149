/* The inside of a simulated agent, shared by sim_agent.c, sim_sockets.c, sim_events.c and sim_check.c. */
#ifndef FLOE_TESTS_SIM_AGENT_INTERNAL_H
#define FLOE_TESTS_SIM_AGENT_INTERNAL_H

#include "support/sim_agent.h"
#include "support/sim_alloc.h"
#include "support/sim_text.h"

/* A socket that the agent asked for. */
typedef enum sim_slot_state {
  SIM_SLOT_OPENING = 0,
  SIM_SLOT_OPEN,
  SIM_SLOT_FAILED, /* told so: gone, though the agent may still name it in a CLOSE */
  SIM_SLOT_CLOSED
} sim_slot_state;

typedef struct sim_slot {
  sim_agent *a;
  floe_sock_id id;
  floe_transport transport;
  floe_addr local, remote;
  sim_slot_state state;
  sim_udp *udp;
  sim_tcp *tcp;
  sim_listener *listener;
  bool listen, shared;
  floe_net_error why; /* a bind that failed, until it is told */
  struct sim_slot *next;
} sim_slot;

/* A look-up that the agent asked for. */
typedef struct sim_lookup {
  sim_agent *a;
  floe_req_id req;
  bool answered;
  struct sim_lookup *next;
} sim_lookup;

typedef struct sim_told_candidate {
  uint32_t id;
  bool is_relay;
  bool is_hidden; /* behind a .local name */
  floe_addr address;
} sim_told_candidate;

/* What was told of the connection, and what is known from the calls. */
typedef struct sim_connection {
  floe_ice_connection_state told;
  floe_cause cause;
  bool has_pair;
  char pair[400];
  bool restarted; /* `new` may follow */
  char **secrets;
  size_t n_secrets;
  sim_data *data;
  size_t n_data;
  floe_error why;
  void (*on_candidate)(void *user, const floe_ice_candidate *c);
  void *on_candidate_user;
  floe_sock_id accepted;
  /* timers in the present second */
  uint64_t timers;
  floe_time second;
  uint32_t wakes;
  bool was_idle;
  sim_text report;
} sim_connection;

/* Something else that takes inputs and gives outputs: a peer connection (sim_pc.h). Its events are its own affair. */
typedef struct sim_core_ops {
  void (*input)(void *user, floe_time now, const floe_input *in);
  void (*poll)(void *user, floe_output *out);
  void (*on_event)(void *user, const floe_event *e);
  void (*after_drain)(void *user);
} sim_core_ops;

struct sim_agent {
  sim *s;
  sim_host *host;
  sim_env *env;
  floe_ice_agent *core;      /* NULL: freed, never made, or it is another core */
  const sim_core_ops *other; /* nullable: of the other core while it lives */
  void *other_user;
  floe_ice_config cfg;
  sim_agent_options options;
  floe_time wake_at;
  bool drain_planned;
  bool closed; /* floe_ice_agent_close was called */
  bool lenient;
  sim_slot *slots;
  sim_lookup *lookups;

  sim_text events, wire, filtered, report;
  sim_connection c;

  /* what was told in this gathering */
  floe_ice_gathering_state told_state;
  bool told_end;
  size_t first_error; /* of this gathering */
  sim_error *errors;
  size_t n_errors;
  sim_told_candidate *candidates;
  size_t n_candidates;
  size_t first_candidate; /* of this gathering */
};

/* sim_agent.c */
void sim_agent_drain(sim_agent *a);
bool sim_agent_is_alive(const sim_agent *a);
/* An agent's sockets, look-ups and env around another core; `other` is set once that is made. */
sim_agent *sim_agent_new_around(sim_host *h, const floe_ice_config *cfg, const sim_agent_options *options);
/* sim_connect.c: calls and outputs of connecting */
void sim_agent_take_data(sim_agent *a, const floe_output *out);
void sim_agent_keep_secret(sim_agent *a, const char *secret);
void sim_agent_keep_password_of(sim_agent *a, const char *description);
void sim_agent_keep_local_secret(sim_agent *a);
void sim_agent_clear_connection(sim_agent *a);
double sim_agent_ms(const sim_agent *a);

/* sim_sockets.c: sockets and look-ups */
void sim_agent_open(sim_agent *a, const floe_output *out);
void sim_agent_close_socket(sim_agent *a, floe_sock_id id);
void sim_agent_transmit(sim_agent *a, const floe_output *out);
void sim_agent_resolve(sim_agent *a, const floe_output *out);
void sim_agent_list_interfaces(sim_agent *a);
void sim_agent_publish(sim_agent *a, const floe_output *out);
/* How many sockets the agent has not closed. */
size_t sim_agent_open_sockets(const sim_agent *a);

/* sim_events.c: events as text */
void sim_agent_record(sim_agent *a, const floe_event *e);

/* sim_report.c */
void sim_report_text(sim_text *out, const floe_report *report);
void sim_connection_report_text(sim_text *out, const floe_connection_report *report);

/* sim_check.c: what holds in every world */
void sim_check_event(sim_agent *a, const floe_event *e);
void sim_check_error(sim_agent *a, const floe_candidate_error *e, const sim_error *copy);
void sim_check_report(sim_agent *a);
void sim_check_trace(sim_agent *a);

/* sim_check_connection.c */
void sim_check_connection_change(sim_agent *a, const floe_connection_change *change);
void sim_check_pair_change(sim_agent *a, const floe_pair_change *change);
void sim_check_data(sim_agent *a, const floe_output *out);
void sim_check_after_drain(sim_agent *a);
void sim_check_wake(sim_agent *a);
uint32_t sim_agent_credentials_of(const sim_agent *a, uint32_t server_index);

#endif
