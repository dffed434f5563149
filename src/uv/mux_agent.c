#include <errno.h>
#include <string.h>

#include "uv/mux.h"
#include "uv/neterror.h"
#include "uv/sized.h"

/* Datagrams kept for an agent that has no shared socket yet: a check, and what its peer makes of no answer. */
#define MAX_EARLY 8
/* A random ufrag may be another agent's. */
#define UFRAG_TRIES 8

/* ---- names of sockets ---- */

static size_t place_of(const floe__uv_mux_place *place, floe_sock_id id) {
  size_t i = 0;
  while (i < place->n_names && place->names[i].id != id) i++;
  return i;
}

/* Returns 0 or an errno. */
static int add_name(floe_uv_ice_agent *agent, floe_sock_id id, floe__uv_mux_sock *sock) {
  floe__uv_mux_place *place = agent->place;
  void *names = place->names;
  bool has_room =
      floe__uv_reserve(&agent->uv->mem, &names, &place->cap_names, sizeof(floe__uv_mux_name), place->n_names + 1);
  place->names = names;
  if (!has_room || floe_ice_mux_bind(place->mux->core, agent->core, id, &sock->local) != FLOE_OK) return ENOMEM;
  place->names[place->n_names++] = (floe__uv_mux_name){.id = id, .sock = sock};
  return 0;
}

static void remove_name(floe_uv_ice_agent *agent, size_t i) {
  floe__uv_mux_place *place = agent->place;
  if (place->mux != NULL) floe_ice_mux_unbind(place->mux->core, agent->core, place->names[i].id);
  place->names[i] = place->names[--place->n_names];
}

/* ---- early datagrams ---- */

static void keep_early(floe_uv_ice_agent *agent, const floe__uv_mux_sock *sock, const floe_input *in) {
  floe__uv_mux_place *place = agent->place;
  if (place->n_early == MAX_EARLY) return;
  floe__uv_mux_early *early = floe__uv_alloc(&agent->uv->mem, sizeof *early + in->data.len);
  if (early == NULL) return;
  *early = (floe__uv_mux_early){.sock = sock, .from = in->addr, .len = in->data.len};
  if (in->data.len > 0) memcpy(early->data, in->data.ptr, in->data.len);
  floe__uv_mux_early **last = &place->early;
  while (*last != NULL) last = &(*last)->next;
  *last = early;
  place->n_early++;
}

static void drop_early(floe_uv_ice_agent *agent) {
  floe__uv_mux_place *place = agent->place;
  while (place->early != NULL) {
    floe__uv_mux_early *next = place->early->next;
    floe__uv_free(&agent->uv->mem, place->early);
    place->early = next;
  }
  place->n_early = 0;
}

static void deliver_early(floe_uv_ice_agent *agent, const floe__uv_mux_name *name) {
  for (const floe__uv_mux_early *early = agent->place->early; early != NULL; early = early->next) {
    if (early->sock != name->sock) continue;
    floe_input in = {.type = FLOE_INPUT_DATAGRAM,
                     .sock = name->id,
                     .addr = early->from,
                     .data = {.ptr = early->data, .len = early->len}};
    floe__uv_agent_input(agent, &in);
  }
}

/* ---- from the socket to the agents ---- */

void floe__uv_mux_deliver(const floe__uv_mux_sock *sock, const floe_ice_mux_match *match, floe_input *in) {
  floe_uv_ice_agent *agent = match->user;
  if (agent->place->n_names == 0) {
    keep_early(agent, sock, in);
    return;
  }
  /* It has asked for all its sockets by now. */
  drop_early(agent);
  in->sock = match->sock;
  if (in->sock != 0) floe__uv_agent_input(agent, in);
}

static void on_datagram(const floe__uv_mux_sock *sock, const floe_input *in) {
  floe_uv_ice_mux *mux = sock->mux;
  floe_ice_mux_match match;
  if (floe_ice_mux_route(mux->core, floe_uv_now(mux->uv), &sock->local, &in->addr, in->data, &match)) {
    floe_input copy = *in;
    floe__uv_mux_deliver(sock, &match, &copy);
  } else if (match.local_ufrag.len > 0) {
    floe__uv_mux_keep_stranger(mux, sock, in);
  }
}

/* Whose datagram it was is not known: it concerns all that have sent there. */
static void tell_all(const floe__uv_mux_sock *sock, const floe_input *in) {
  floe_ice_mux_match match = {0};
  while (floe_ice_mux_next_at(sock->mux->core, &sock->local, &in->addr, &match)) {
    floe_input copy = *in;
    copy.sock = match.sock;
    if (copy.sock != 0) floe__uv_agent_input(match.user, &copy);
  }
}

void floe__uv_mux_tell(floe__uv_sock *shared, const floe_input *in) {
  const floe__uv_mux_sock *sock = shared->user;
  if (in->type == FLOE_INPUT_DATAGRAM) {
    on_datagram(sock, in);
  } else {
    tell_all(sock, in);
  }
}

/* ---- what an agent asks for ---- */

static void tell_failed(floe_uv_ice_agent *agent, floe_sock_id id, int os_error) {
  char text[FLOE__UV_ERROR_TEXT];
  floe_input in = {.type = FLOE_INPUT_SOCKET_FAILED, .sock = id};
  floe__uv_set_error(&in, os_error, text);
  floe__uv_agent_input(agent, &in);
}

bool floe__uv_mux_open(floe_uv_ice_agent *agent, const floe_output *out) {
  bool is_shared = out->u.open.shared && out->u.open.transport == FLOE_TRANSPORT_UDP;
  if (!is_shared || agent->place == NULL) return false;
  floe_sock_id id = out->u.open.sock;
  floe_uv_ice_mux *mux = agent->place->mux;
  int err = EADDRNOTAVAIL; /* the multiplexer is closed */
  floe__uv_mux_sock *sock = mux == NULL ? NULL : floe__uv_mux_sock_on(mux, &out->u.open.local, &err);
  if (sock != NULL) err = add_name(agent, id, sock);
  if (sock == NULL || err != 0) {
    tell_failed(agent, id, err);
    return true;
  }
  floe__uv_mux_name name = {.id = id, .sock = sock};
  floe_input in = {.type = FLOE_INPUT_SOCKET_OPENED, .sock = id, .addr = sock->local};
  floe__uv_agent_input(agent, &in);
  deliver_early(agent, &name);
  return true;
}

bool floe__uv_mux_transmit(floe_uv_ice_agent *agent, const floe_output *out) {
  if (agent->place == NULL) return false;
  size_t i = place_of(agent->place, out->u.transmit.sock);
  if (i == agent->place->n_names) return false;
  floe_uv_ice_mux *mux = agent->place->mux;
  if (mux == NULL) {
    remove_name(agent, i);
    tell_failed(agent, out->u.transmit.sock, EADDRNOTAVAIL);
    return true;
  }
  (void)floe_ice_mux_note(mux->core, floe_uv_now(mux->uv), agent->core, out, NULL);
  floe__uv_sender sender = {.agent = agent, .id = out->u.transmit.sock};
  floe__uv_sock_send(agent->place->names[i].sock->sock, sender, out);
  return true;
}

bool floe__uv_mux_end(floe_uv_ice_agent *agent, floe_sock_id id) {
  if (agent->place == NULL) return false;
  size_t i = place_of(agent->place, id);
  if (i == agent->place->n_names) return false;
  remove_name(agent, i);
  return true;
}

/* ---- coming and going ---- */

floe_status floe__uv_mux_restarted(floe_uv_ice_agent *agent) {
  if (agent->place == NULL || agent->place->mux == NULL) return FLOE_OK;
  return floe_ice_mux_attach(agent->place->mux->core, agent->core, agent);
}

void floe__uv_mux_leave(floe_uv_ice_agent *agent) {
  floe__uv_mux_place *place = agent->place;
  if (place == NULL) return;
  if (place->mux != NULL) floe_ice_mux_detach(place->mux->core, agent->core);
  drop_early(agent);
  floe__uv_free(&agent->uv->mem, place->names);
  floe__uv_free(&agent->uv->mem, place);
  agent->place = NULL;
}

/* The core is told when it sends next: now it may be an event of its own that the program looks at. */
void floe__uv_mux_desert(floe_uv_ice_agent *agent) {
  floe__uv_mux_place *place = agent->place;
  drop_early(agent);
  place->mux = NULL;
  for (size_t i = 0; i < place->n_names; i++) place->names[i].sock = NULL;
}

floe_status floe__uv_mux_enter(floe_uv_ice_agent *agent, floe_uv_ice_mux *mux, floe_error *why) {
  floe_status st = floe_ice_mux_attach(mux->core, agent->core, agent);
  if (st == FLOE_E_STATE) {
    return floe__uv_error_set(why, st, "local_ufrag", "is that of another agent on the multiplexer");
  }
  if (st != FLOE_OK) return floe__uv_error_set(why, st, "", floe_status_text(st));
  agent->place = floe__uv_zalloc(&agent->uv->mem, sizeof *agent->place);
  if (agent->place == NULL) {
    floe_ice_mux_detach(mux->core, agent->core);
    return floe__uv_error_set(why, FLOE_E_NOMEM, "", floe_status_text(FLOE_E_NOMEM));
  }
  agent->place->mux = mux;
  return FLOE_OK;
}

floe_status floe_uv_ice_agent_new_on_mux(floe_uv_ice_agent **out, floe_uv_ice_mux *mux, const floe_ice_config *given,
                                         floe_error *why) {
  *out = NULL;
  floe_ice_config cfg;
  if (!floe__uv_take_sized(&cfg, sizeof cfg, given)) {
    return floe__uv_error_set(why, FLOE_E_TYPE, "size", "the size is not one that this library knows");
  }
  if (mux->state == FLOE__UV_MUX_LEAVING) return floe__uv_error_set(why, FLOE_E_STATE, "", "the multiplexer is closed");
  cfg.shared_sockets = true;
  for (int tries = 1;; tries++) {
    floe_uv_ice_agent *agent = NULL;
    floe_status st = floe_uv_ice_agent_new(&agent, mux->uv, &cfg, why);
    if (st != FLOE_OK) return st;
    st = floe__uv_mux_enter(agent, mux, why);
    if (st == FLOE_OK) {
      *out = agent;
      return FLOE_OK;
    }
    floe_uv_ice_agent_close(agent, NULL, NULL);
    if (st != FLOE_E_STATE || cfg.local_ufrag != NULL || tries == UFRAG_TRIES) return st;
  }
}
