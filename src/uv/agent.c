#include "uv/agent.h"

#include <string.h>

#include "uv/ifaces.h"
#include "uv/mdns.h"
#include "uv/mux.h"
#include "uv/neterror.h"
#include "uv/resolve.h"
#include "uv/sock.h"

/* The default of floe_ice_config.max_queue_bytes. */
#define DEFAULT_MAX_QUEUE ((size_t)1024 * 1024)

static void push_ready(floe_uv_ice_agent *agent) {
  floe_uv *uv = agent->uv;
  if (agent->is_ready) return;
  agent->is_ready = true;
  agent->ready_next = NULL;
  agent->ready_prev = uv->ready_last;
  if (uv->ready_last != NULL) {
    uv->ready_last->ready_next = agent;
  } else {
    uv->ready_first = agent;
  }
  uv->ready_last = agent;
  uv->n_ready++;
  floe__uv_wake(uv);
}

static void pull_ready(floe_uv_ice_agent *agent) {
  floe_uv *uv = agent->uv;
  if (!agent->is_ready) return;
  agent->is_ready = false;
  if (agent->ready_prev != NULL) agent->ready_prev->ready_next = agent->ready_next;
  if (agent->ready_next != NULL) agent->ready_next->ready_prev = agent->ready_prev;
  if (uv->ready_first == agent) uv->ready_first = agent->ready_next;
  if (uv->ready_last == agent) uv->ready_last = agent->ready_prev;
  uv->n_ready--;
}

static void link_agent(floe_uv_ice_agent *agent) {
  agent->next = agent->uv->agents;
  if (agent->next != NULL) agent->next->prev = agent;
  agent->uv->agents = agent;
}

static void unlink_agent(floe_uv_ice_agent *agent) {
  if (agent->prev != NULL) agent->prev->next = agent->next;
  if (agent->next != NULL) agent->next->prev = agent->prev;
  if (agent->uv->agents == agent) agent->uv->agents = agent->next;
}

void floe__uv_agent_wake(floe_uv_ice_agent *agent) {
  /* A drain that is under way takes these outputs too. */
  if (!agent->is_draining) push_ready(agent);
}

void floe__uv_agent_input(floe_uv_ice_agent *agent, const floe_input *in) {
  if (agent->driven == NULL) return;
  agent->machine->input(agent->driven, floe_uv_now(agent->uv), in);
  floe__uv_agent_wake(agent);
}

static void on_deadline(floe__uv_alarm *alarm, floe_time now) {
  (void)now;
  floe_uv_ice_agent *agent = (void *)((char *)alarm - offsetof(floe_uv_ice_agent, alarm));
  floe_input in = {.type = FLOE_INPUT_TIMER};
  floe__uv_agent_input(agent, &in);
}

/* ---- what the core asks for ---- */

void floe__uv_agent_tell_interfaces(floe_uv_ice_agent *agent, const floe_interface *list, size_t n, int err) {
  char text[FLOE__UV_ERROR_TEXT];
  floe_input in = {.type = FLOE_INPUT_INTERFACES, .interfaces = list, .n_interfaces = n};
  if (err != 0) floe__uv_set_error(&in, err, text);
  agent->interfaces = floe__uv_interfaces_print(list, n);
  floe__uv_agent_input(agent, &in);
}

void floe__uv_agent_list_interfaces(floe_uv_ice_agent *agent) {
  const floe__uv_mem *mem = &agent->uv->mem;
  floe_interface *list = NULL;
  size_t n = 0;
  int err = floe__uv_list_interfaces(mem, &list, &n);
  floe__uv_agent_tell_interfaces(agent, list, n, err);
  floe__uv_free(mem, list);
}

static void transmit(floe_uv_ice_agent *agent, const floe_output *out) {
  if (floe__uv_mux_transmit(agent, out)) return;
  floe__uv_sock *sock = floe__uv_sock_find(agent, out->u.transmit.sock);
  floe__uv_sender sender = {.agent = agent, .id = out->u.transmit.sock};
  if (sock != NULL) floe__uv_sock_send(sock, sender, out);
}

static void open_sock(floe_uv_ice_agent *agent, const floe_output *out) {
  if (!floe__uv_mux_open(agent, out)) floe__uv_sock_open(agent, out);
}

static void end_sock(floe_uv_ice_agent *agent, floe_sock_id id) {
  if (floe__uv_mux_end(agent, id)) return;
  floe__uv_sock *sock = floe__uv_sock_find(agent, id);
  if (sock != NULL) floe__uv_sock_end(sock);
}

static void close_core(floe_uv_ice_agent *agent) {
  agent->state = FLOE__UV_AGENT_CLOSING;
  agent->machine->close(agent->driven, floe_uv_now(agent->uv));
}

/* One way in for all data: the relay handler's function is only asked when there is no data handler. */
static void hand_over_data(const floe_uv_ice_agent *agent, const floe_output *out) {
  floe_uv_data_handler fn = agent->on_data;
  void *user = agent->on_data_user;
  if (fn == NULL) {
    fn = agent->relay.on_data;
    user = agent->relay.user;
  }
  if (fn != NULL) fn(out->u.data.candidate, &out->u.data.from, out->u.data.data, user);
}

static void tell(floe_uv_ice_agent *agent, const floe_output *out) {
  if (out->type == FLOE_OUTPUT_EVENT) {
    floe_event event = *out->u.event;
    event.target = agent;
    floe__uv_target_dispatch(&agent->target, &event);
  } else if (out->type == FLOE_OUTPUT_DATA) {
    hand_over_data(agent, out);
  } else if (out->type == FLOE_OUTPUT_PERMISSION && agent->relay.on_permission != NULL) {
    agent->relay.on_permission(out->u.permission.candidate, &out->u.permission.peer, out->u.permission.granted,
                               agent->relay.user);
  }
}

/* The only place from which the program hears of an agent that it has not closed. */
static void call_program(floe_uv_ice_agent *agent, const floe_output *out) {
  if (agent->state != FLOE__UV_AGENT_LIVE) return;
  agent->is_calling = true;
  agent->machine->tell(agent, out);
  agent->is_calling = false;
}

static void resolve(floe_uv_ice_agent *agent, const floe_output *out) {
  if (out->u.resolve.multicast) {
    floe__uv_mdns_resolve(agent, out);
  } else {
    floe__uv_resolve(agent, out->u.resolve.req, out->u.resolve.host, out->u.resolve.family);
  }
}

static void take_output(floe_uv_ice_agent *agent, const floe_output *out) {
  switch (out->type) {
    case FLOE_OUTPUT_WAIT: floe__uv_alarm_set(&agent->uv->alarms, &agent->alarm, out->u.wait.until); break;
    case FLOE_OUTPUT_TRANSMIT: transmit(agent, out); break;
    case FLOE_OUTPUT_OPEN: open_sock(agent, out); break;
    case FLOE_OUTPUT_CLOSE: end_sock(agent, out->u.close.sock); break;
    case FLOE_OUTPUT_RESOLVE: resolve(agent, out); break;
    case FLOE_OUTPUT_INTERFACES: floe__uv_agent_list_interfaces(agent); break;
    case FLOE_OUTPUT_EVENT:
    case FLOE_OUTPUT_DATA:
    case FLOE_OUTPUT_PERMISSION: call_program(agent, out); break;
    case FLOE_OUTPUT_PUBLISH: floe__uv_mdns_publish(agent, out); break;
  }
}

/* ---- the drain ---- */

static void free_core(floe_uv_ice_agent *agent) {
  floe__uv_mux_leave(agent);
  agent->machine->free(agent->driven);
  agent->driven = agent->core = NULL;
  floe__uv_alarm_clear(&agent->uv->alarms, &agent->alarm);
  floe__uv_lookups_forget(agent);
  floe__uv_mdns_forget(agent);
  for (size_t i = 0; i < agent->n_socks; i++) {
    if (agent->socks[i]->state != FLOE__UV_SOCK_LINGERING) floe__uv_sock_close(agent->socks[i]);
  }
}

void floe__uv_agent_drain(floe_uv_ice_agent *agent) {
  floe_uv *uv = agent->uv;
  pull_ready(agent);
  agent->is_draining = true;
  floe_output out = {.type = FLOE_OUTPUT_WAIT};
  do {
    if (agent->driven == NULL) break;
    agent->machine->poll(agent->driven, &out);
    if (out.type != FLOE_OUTPUT_TRANSMIT) floe__uv_batch_flush(uv);
    take_output(agent, &out);
    if (floe__uv_batch_tell(uv)) out.type = FLOE_OUTPUT_EVENT; /* there may be more */
    if (uv->state == FLOE__UV_LEAVING) break;
    if (agent->state == FLOE__UV_AGENT_LEAVING) {
      close_core(agent);
      out.type = FLOE_OUTPUT_EVENT; /* there may be more */
    }
  } while (out.type != FLOE_OUTPUT_WAIT);
  agent->is_draining = false;
  if (uv->state == FLOE__UV_LEAVING || agent->state == FLOE__UV_AGENT_LIVE) return;
  if (agent->driven != NULL && agent->machine->is_closed(agent->driven)) free_core(agent);
  if (agent->driven == NULL && agent->n_socks == 0) floe__uv_agent_finish(agent);
}

void floe__uv_agent_sock_gone(floe_uv_ice_agent *agent) {
  if (agent->driven == NULL && agent->n_socks == 0) push_ready(agent);
}

/* ---- the end ---- */

static void free_agent(floe_uv_ice_agent *agent) {
  const floe__uv_mem *mem = &agent->uv->mem;
  pull_ready(agent);
  unlink_agent(agent);
  if (agent->uv->agents == NULL) floe__uv_monitor_rest(agent->uv);
  floe__uv_target_clear(&agent->target, mem);
  floe__uv_free(mem, agent->socks);
  floe__uv_free(mem, agent);
}

void floe__uv_agent_finish(floe_uv_ice_agent *agent) {
  void (*on_closed)(void *user) = agent->on_closed;
  void *user = agent->on_closed_user;
  free_agent(agent);
  if (on_closed != NULL) on_closed(user);
}

void floe__uv_agent_silence(floe_uv_ice_agent *agent) {
  floe__uv_target_remove_all(&agent->target);
  if (agent->machine->silence != NULL) agent->machine->silence(agent);
  memset(&agent->relay, 0, sizeof agent->relay);
  agent->on_data = NULL;
}

void floe__uv_agent_abandon(floe_uv_ice_agent *agent) {
  if (agent->driven != NULL) free_core(agent);
  for (size_t i = 0; i < agent->n_socks; i++) {
    floe__uv_sock_close(agent->socks[i]);
    agent->socks[i]->agent = NULL;
  }
  agent->n_socks = 0;
  pull_ready(agent);
  if (agent->state == FLOE__UV_AGENT_LIVE) free_agent(agent);
}

/* ---- the ICE agent as a machine ---- */

static void input_agent(void *core, floe_time now, const floe_input *in) {
  floe_ice_agent_input(core, now, in);
}

static void poll_agent(void *core, floe_output *out) {
  floe_ice_agent_poll(core, out);
}

static void close_agent(void *core, floe_time now) {
  floe_ice_agent_close(core, now);
}

static bool is_agent_closed(const void *core) {
  return floe_ice_agent_is_closed(core);
}

static void free_ice_agent(void *core) {
  floe_ice_agent_free(core);
}

static const floe__uv_machine ice_agent = {.input = input_agent,
                                           .poll = poll_agent,
                                           .close = close_agent,
                                           .is_closed = is_agent_closed,
                                           .free = free_ice_agent,
                                           .tell = tell};

bool floe__uv_agent_init(floe_uv_ice_agent *agent, floe_uv *uv, const floe__uv_machine *machine, void *driven) {
  if (!floe__uv_alarm_init(&uv->alarms, &uv->mem, &agent->alarm, on_deadline)) return false;
  agent->uv = uv;
  agent->machine = machine;
  agent->driven = driven;
  link_agent(agent);
  return true;
}

/* ---- floe/uv.h ---- */

floe_status floe_uv_ice_agent_new(floe_uv_ice_agent **out, floe_uv *uv, const floe_ice_config *cfg, floe_error *why) {
  *out = NULL;
  floe_ice_agent *core = NULL;
  floe_status st = floe_ice_agent_new(&core, uv->env, cfg, why);
  if (st != FLOE_OK) return st;
  floe_uv_ice_agent *agent = floe__uv_zalloc(&uv->mem, sizeof *agent);
  if (agent == NULL || !floe__uv_agent_init(agent, uv, &ice_agent, core)) {
    floe__uv_free(&uv->mem, agent);
    floe_ice_agent_free(core);
    return floe__uv_error_set(why, FLOE_E_NOMEM, "", floe_status_text(FLOE_E_NOMEM));
  }
  agent->core = core;
  agent->include_loopback = cfg->include_loopback;
  agent->max_queue = cfg->max_queue_bytes == 0 ? DEFAULT_MAX_QUEUE : cfg->max_queue_bytes;
  *out = agent;
  return FLOE_OK;
}

void floe_uv_ice_agent_close(floe_uv_ice_agent *agent, void (*on_closed)(void *user), void *user) {
  if (agent == NULL || agent->state != FLOE__UV_AGENT_LIVE) return;
  agent->on_closed = on_closed;
  agent->on_closed_user = user;
  floe__uv_agent_silence(agent);
  if (agent->is_calling) {
    /* The event that the program is looking at is the core's: it is told when that was let go of. */
    agent->state = FLOE__UV_AGENT_LEAVING;
  } else {
    close_core(agent);
  }
  push_ready(agent);
}
