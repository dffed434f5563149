#include "uv/pc.h"

#include "uv/mux.h"
#include "uv/sized.h"

/* What SCTP may have on the way can all be waiting for a TCP connection at once, and that connection must not end for
 * it: so there is room for a receive window of any sane peer. */
#define MIN_QUEUE ((size_t)16 * 1024 * 1024)

/* ---- the connection as a machine ---- */

static void input_pc(void *driven, floe_time now, const floe_input *in) {
  const floe_uv_pc *pc = driven;
  floe_pc_input(pc->core, now, in);
}

static void poll_pc(void *driven, floe_output *out) {
  floe_uv_pc *pc = driven;
  floe_pc_poll(pc->core, out);
  /* Gathering begins by asking for the addresses, whatever has led to it: a description, a pool, a restart. */
  if (out->type == FLOE_OUTPUT_INTERFACES) floe__uv_monitor_start(pc->agent.uv);
  /* Again, where there was no memory for it; the core is told of a socket that could not be shared. */
  if (out->type == FLOE_OUTPUT_OPEN && out->u.open.shared) (void)floe__uv_mux_restarted(&pc->agent);
}

static void close_pc(void *driven, floe_time now) {
  const floe_uv_pc *pc = driven;
  floe_pc_close(pc->core, now);
}

static bool is_pc_closed(const void *driven) {
  const floe_uv_pc *pc = driven;
  return floe_pc_is_closed(pc->core);
}

static void free_pc(void *driven) {
  floe_uv_pc *pc = driven;
  while (pc->channels != NULL) floe__uv_channel_free(pc->channels);
  floe_pc_free(pc->core);
  pc->core = NULL;
}

static floe_uv_pc *pc_of(floe_uv_ice_agent *agent) {
  return (void *)((char *)agent - offsetof(floe_uv_pc, agent));
}

static void silence_pc(floe_uv_ice_agent *agent) {
  for (floe__uv_channel *c = pc_of(agent)->channels; c != NULL; c = c->next) floe__uv_target_remove_all(&c->target);
}

static bool is_of_channel(floe_event_type type) {
  switch (type) {
    case FLOE_EVENT_OPEN:
    case FLOE_EVENT_MESSAGE:
    case FLOE_EVENT_BUFFEREDAMOUNTLOW:
    case FLOE_EVENT_CLOSING:
    case FLOE_EVENT_CLOSE:
    case FLOE_EVENT_ERROR: return true;
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE:
    case FLOE_EVENT_ICECANDIDATE:
    case FLOE_EVENT_ICECANDIDATEERROR:
    case FLOE_EVENT_ICESERVERERROR:
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE:
    case FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE:
    case FLOE_EVENT_SIGNALINGSTATECHANGE:
    case FLOE_EVENT_NEGOTIATIONNEEDED:
    case FLOE_EVENT_CONNECTIONSTATECHANGE:
    case FLOE_EVENT_DATACHANNEL:
    case FLOE_EVENT_ICETRANSPORT_STATECHANGE:
    case FLOE_EVENT_ICETRANSPORT_GATHERINGSTATECHANGE:
    case FLOE_EVENT_DTLSTRANSPORT_STATECHANGE:
    case FLOE_EVENT_DTLSTRANSPORT_ERROR:
    case FLOE_EVENT_SCTPTRANSPORT_STATECHANGE:
    case FLOE_EVENT_COUNT: return false;
  }
  return false;
}

static void dispatch(floe_uv_pc *pc, const floe_event *told) {
  floe_event event = *told;
  if (event.type == FLOE_EVENT_DATACHANNEL && !floe__uv_channel_announced(pc, event.u.channel)) return;
  if (is_of_channel(event.type)) {
    floe__uv_channel_dispatch(pc, &event);
  } else {
    event.target = pc;
    floe__uv_target_dispatch(&pc->agent.target, &event);
  }
}

static void tell_pc(floe_uv_ice_agent *agent, const floe_output *out) {
  floe_uv_pc *pc = pc_of(agent);
  if (out->type != FLOE_OUTPUT_EVENT) return; /* there is no other of these for a connection (floe/pc.h) */
  dispatch(pc, out->u.event);
  floe__uv_channels_release(pc);
}

static const floe__uv_machine machine = {.input = input_pc,
                                         .poll = poll_pc,
                                         .close = close_pc,
                                         .is_closed = is_pc_closed,
                                         .free = free_pc,
                                         .tell = tell_pc,
                                         .silence = silence_pc};

/* ---- life ---- */

floe_status floe_uv_pc_new(floe_uv_pc **out, floe_uv *uv, const floe_pc_config *cfg, floe_error *why) {
  *out = NULL;
  floe_pc *core = NULL;
  floe__uv_set_unix_time(uv); /* certificates have dates */
  floe_status st = floe_pc_new(&core, uv->env, floe_uv_now(uv), cfg, why);
  if (st != FLOE_OK) return st;
  floe_uv_pc *pc = floe__uv_zalloc(&uv->mem, sizeof *pc);
  if (pc == NULL || !floe__uv_agent_init(&pc->agent, uv, &machine, pc)) {
    floe__uv_free(&uv->mem, pc);
    floe_pc_free(core);
    return floe__uv_error_set(why, FLOE_E_NOMEM, "", floe_status_text(FLOE_E_NOMEM));
  }
  pc->core = core;
  pc->agent.core = floe_pc_ice_agent(core);
  const floe_ice_config *ice = floe_pc_configuration(core)->ice;
  pc->agent.include_loopback = ice != NULL && ice->include_loopback;
  pc->agent.max_queue = ice != NULL && ice->max_queue_bytes > MIN_QUEUE ? ice->max_queue_bytes : MIN_QUEUE;
  floe__uv_agent_wake(&pc->agent); /* a pool is gathered from the start */
  *out = pc;
  return FLOE_OK;
}

/* Sized structures of the program's, as this library knows them. */
typedef struct known_config {
  floe_pc_config pc;
  floe_ice_config ice;
} known_config;

static floe_status share_sockets(known_config *out, const floe_pc_config *cfg, floe_error *why) {
  floe_pc_config_init(&out->pc, sizeof out->pc);
  floe_ice_config_init(&out->ice, sizeof out->ice);
  bool is_known = cfg == NULL || floe__uv_take_sized(&out->pc, sizeof out->pc, cfg);
  const floe_ice_config *ice = is_known ? out->pc.ice : NULL;
  is_known = is_known && (ice == NULL || floe__uv_take_sized(&out->ice, sizeof out->ice, ice));
  if (!is_known) {
    return floe__uv_error_set(why, FLOE_E_TYPE, "size", "the size is not one that this library knows");
  }
  out->ice.shared_sockets = true;
  out->pc.ice = &out->ice;
  return FLOE_OK;
}

floe_status floe_uv_pc_new_on_mux(floe_uv_pc **out, floe_uv_ice_mux *mux, const floe_pc_config *given,
                                  floe_error *why) {
  *out = NULL;
  known_config cfg;
  floe_status st = share_sockets(&cfg, given, why);
  if (st != FLOE_OK) return st;
  if (mux->state == FLOE__UV_MUX_LEAVING) return floe__uv_error_set(why, FLOE_E_STATE, "", "the multiplexer is closed");
  floe_uv_pc *pc = NULL;
  st = floe_uv_pc_new(&pc, mux->uv, &cfg.pc, why);
  if (st != FLOE_OK) return st;
  st = floe__uv_mux_enter(&pc->agent, mux, why);
  if (st == FLOE_OK) {
    *out = pc;
  } else {
    floe_uv_pc_close(pc, NULL, NULL);
  }
  return st;
}

void floe_uv_pc_close(floe_uv_pc *pc, void (*on_closed)(void *user), void *user) {
  if (pc != NULL) floe_uv_ice_agent_close(&pc->agent, on_closed, user);
}
