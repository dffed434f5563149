/* A multiplexer on the driver: its sockets, and the agents that share them. mux.c has its life and its sockets;
 * mux_agent.c what happens between a socket and an agent.
 *
 * To an agent a shared socket is one of its own: it has a name in each agent that has asked for it. */
#ifndef FLOE_UV_MUX_H
#define FLOE_UV_MUX_H

#include "uv/sock.h"

typedef struct floe__uv_mux_sock {
  floe_uv_ice_mux *mux;
  floe__uv_sock *sock;
  floe_addr local; /* with the port */
} floe__uv_mux_sock;

/* A check for nobody, kept until the program is asked. */
typedef struct floe__uv_mux_stranger {
  struct floe__uv_mux_stranger *next;
  const floe__uv_mux_sock *sock;
  floe_addr from;
  size_t len;
  uint8_t data[];
} floe__uv_mux_stranger;

typedef enum floe__uv_mux_state {
  FLOE__UV_MUX_LIVE = 0,
  FLOE__UV_MUX_CALLING, /* the program is being asked about a stranger */
  FLOE__UV_MUX_LEAVING  /* and has closed the multiplexer meanwhile */
} floe__uv_mux_state;

struct floe_uv_ice_mux {
  floe_uv *uv;
  floe_ice_mux *core;
  floe__uv_mux_state state;
  floe_uv_ice_mux *prev, *next; /* in floe_uv.muxes */
  uint16_t port;                /* 0 until the first socket has got one */
  floe__uv_mux_sock **socks;
  size_t n_socks, cap_socks;
  void (*on_unknown_ufrag)(floe_uv_ice_mux *mux, const floe_uv_ice_mux_request *request, void *user);
  void *user;
  floe__uv_mux_stranger *first, *last; /* waiting */
  size_t n_strangers;
  floe__uv_alarm alarm; /* when they are to be looked at: now */
};

/* The socket on an address; opened when there is none yet. NULL with an errno in *err. */
floe__uv_mux_sock *floe__uv_mux_sock_on(floe_uv_ice_mux *mux, const floe_addr *local, int *err);
/* Keeps a check until the drain asks the program about it. */
void floe__uv_mux_keep_stranger(floe_uv_ice_mux *mux, const floe__uv_mux_sock *sock, const floe_input *in);
/* Driver closed: closes all. */
void floe__uv_muxes_close(floe_uv *uv);

/* What a shared socket hears: to whom it concerns. */
void floe__uv_mux_tell(floe__uv_sock *sock, const floe_input *in);
/* A datagram for an agent of the multiplexer. */
void floe__uv_mux_deliver(const floe__uv_mux_sock *sock, const floe_ice_mux_match *match, floe_input *in);

/* ---- an agent's side ---- */

/* A shared socket, as the agent knows it. */
typedef struct floe__uv_mux_name {
  floe_sock_id id;
  floe__uv_mux_sock *sock;
} floe__uv_mux_name;

/* A datagram that came before the agent had the socket that it came to. */
typedef struct floe__uv_mux_early {
  struct floe__uv_mux_early *next;
  const floe__uv_mux_sock *sock;
  floe_addr from;
  size_t len;
  uint8_t data[];
} floe__uv_mux_early;

/* What an agent on a multiplexer has to do with it. */
typedef struct floe__uv_mux_place {
  floe_uv_ice_mux *mux; /* NULL once that is closed */
  floe__uv_mux_name *names;
  size_t n_names, cap_names;
  floe__uv_mux_early *early; /* oldest first */
  size_t n_early;
} floe__uv_mux_place;

/* As the agent's outputs ask for it. False: it is no matter of a multiplexer. */
bool floe__uv_mux_open(floe_uv_ice_agent *agent, const floe_output *out);
bool floe__uv_mux_transmit(floe_uv_ice_agent *agent, const floe_output *out);
bool floe__uv_mux_end(floe_uv_ice_agent *agent, floe_sock_id id);
/* The agent is on the multiplexer from now on. FLOE_OK, and what floe_ice_mux_attach says. */
floe_status floe__uv_mux_enter(floe_uv_ice_agent *agent, floe_uv_ice_mux *mux, floe_error *why);
/* The agent has a new ufrag. FLOE_OK also without a multiplexer. */
floe_status floe__uv_mux_restarted(floe_uv_ice_agent *agent);
/* Before the core's agent is freed. One on no multiplexer is fine. */
void floe__uv_mux_leave(floe_uv_ice_agent *agent);
/* The multiplexer goes: its sockets have failed. */
void floe__uv_mux_desert(floe_uv_ice_agent *agent);

#endif
