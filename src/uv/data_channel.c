/* Data channels on the driver: who listens, and the calls of floe/uv.h that hand something to the core's channel. */
#include "uv/pc.h"

/* ---- the driver's part of a channel ---- */

floe__uv_channel *floe__uv_channel_new(floe_uv_pc *pc) {
  floe__uv_channel *channel = floe__uv_zalloc(&pc->agent.uv->mem, sizeof *channel);
  if (channel == NULL) return NULL;
  channel->pc = pc;
  channel->next = pc->channels;
  if (channel->next != NULL) channel->next->prev = channel;
  pc->channels = channel;
  return channel;
}

void floe__uv_channel_attach(floe__uv_channel *channel, floe_data_channel *core) {
  channel->core = core;
  floe_data_channel_set_driver(core, channel);
}

void floe__uv_channel_free(floe__uv_channel *channel) {
  if (channel == NULL) return;
  floe_uv_pc *pc = channel->pc;
  const floe__uv_mem *mem = &pc->agent.uv->mem;
  if (channel->prev != NULL) channel->prev->next = channel->next;
  if (channel->next != NULL) channel->next->prev = channel->prev;
  if (pc->channels == channel) pc->channels = channel->next;
  floe__uv_target_clear(&channel->target, mem);
  floe__uv_free(mem, channel);
}

bool floe__uv_channel_announced(floe_uv_pc *pc, floe_data_channel *core) {
  floe__uv_channel *channel = floe__uv_channel_new(pc);
  if (channel == NULL) {
    /* A channel that the program cannot listen to: the peer sees it closed. */
    floe_data_channel_free(core, floe_uv_now(pc->agent.uv));
    return false;
  }
  floe__uv_channel_attach(channel, core);
  return true;
}

void floe__uv_channel_dispatch(const floe_uv_pc *pc, const floe_event *told) {
  floe_event event = *told;
  bool is_message = event.type == FLOE_EVENT_MESSAGE;
  floe_data_channel *core = is_message ? event.u.message.channel : event.u.channel;
  if (event.type == FLOE_EVENT_ERROR) core = event.u.channel_error.channel;
  floe__uv_channel *channel = floe_data_channel_driver(core);
  if (channel == NULL || channel->pc != pc) return;
  event.target = core;
  floe__uv_target_dispatch(&channel->target, &event);
}

static void release(floe__uv_channel *channel) {
  floe_data_channel *core = channel->core;
  floe_time now = floe_uv_now(channel->pc->agent.uv);
  floe_data_channel_set_driver(core, NULL);
  floe__uv_channel_free(channel);
  floe_data_channel_free(core, now);
}

void floe__uv_channels_release(floe_uv_pc *pc) {
  if (!pc->has_leaving) return;
  pc->has_leaving = false;
  for (floe__uv_channel *channel = pc->channels, *next; channel != NULL; channel = next) {
    next = channel->next;
    if (channel->is_leaving) release(channel);
  }
}

/* ---- floe/uv.h ---- */

/* NULL: its connection is closed, or it was not announced yet. */
static floe__uv_channel *live(const floe_data_channel *core) {
  floe__uv_channel *channel = floe_data_channel_driver(core);
  return channel != NULL && floe__uv_pc_is_live(channel->pc) && !channel->is_leaving ? channel : NULL;
}

floe_uv_pc *floe_uv_data_channel_pc(const floe_data_channel *core) {
  const floe__uv_channel *channel = floe_data_channel_driver(core);
  return channel == NULL ? NULL : channel->pc;
}

floe_status floe_uv_data_channel_send(floe_data_channel *core, floe_bytes data) {
  const floe__uv_channel *channel = live(core);
  if (channel == NULL) return FLOE_E_STATE;
  floe_status st = floe_data_channel_send(core, floe_uv_now(channel->pc->agent.uv), data);
  floe__uv_agent_wake(&channel->pc->agent);
  return st;
}

floe_status floe_uv_data_channel_send_text(floe_data_channel *core, floe_bytes text) {
  const floe__uv_channel *channel = live(core);
  if (channel == NULL) return FLOE_E_STATE;
  floe_status st = floe_data_channel_send_text(core, floe_uv_now(channel->pc->agent.uv), text);
  floe__uv_agent_wake(&channel->pc->agent);
  return st;
}

void floe_uv_data_channel_close(floe_data_channel *core) {
  const floe__uv_channel *channel = live(core);
  if (channel == NULL) return;
  floe_data_channel_close(core, floe_uv_now(channel->pc->agent.uv));
  floe__uv_agent_wake(&channel->pc->agent);
}

void floe_uv_data_channel_free(floe_data_channel *core) {
  floe__uv_channel *channel = core == NULL ? NULL : live(core);
  if (channel == NULL) return; /* it goes with its connection */
  floe_uv_pc *pc = channel->pc;
  floe__uv_target_remove_all(&channel->target);
  if (pc->agent.is_calling) {
    /* The event that the program is looking at may be about it: it goes when that was let go of. */
    channel->is_leaving = pc->has_leaving = true;
  } else {
    release(channel);
  }
  floe__uv_agent_wake(&pc->agent);
}

/* ---- the event target ---- */

floe_status floe_uv_data_channel_add_event_listener(floe_data_channel *core, floe_event_type type,
                                                    floe_event_listener fn, void *user) {
  floe__uv_channel *channel = live(core);
  if (channel == NULL) return FLOE_OK;
  return floe__uv_target_add(&channel->target, &channel->pc->agent.uv->mem, type, fn, user);
}

void floe_uv_data_channel_remove_event_listener(floe_data_channel *core, floe_event_type type, floe_event_listener fn,
                                                void *user) {
  floe__uv_channel *channel = live(core);
  if (channel != NULL) floe__uv_target_remove(&channel->target, type, fn, user);
}

static floe_status set_handler(floe_data_channel *core, floe_event_type type, floe_event_listener fn, void *user) {
  floe__uv_channel *channel = live(core);
  if (channel == NULL) return FLOE_OK;
  return floe__uv_target_set_handler(&channel->target, &channel->pc->agent.uv->mem, type, fn, user);
}

floe_status floe_uv_data_channel_on_open(floe_data_channel *channel, floe_event_listener fn, void *user) {
  return set_handler(channel, FLOE_EVENT_OPEN, fn, user);
}

floe_status floe_uv_data_channel_on_message(floe_data_channel *channel, floe_event_listener fn, void *user) {
  return set_handler(channel, FLOE_EVENT_MESSAGE, fn, user);
}

floe_status floe_uv_data_channel_on_bufferedamountlow(floe_data_channel *channel, floe_event_listener fn, void *user) {
  return set_handler(channel, FLOE_EVENT_BUFFEREDAMOUNTLOW, fn, user);
}

floe_status floe_uv_data_channel_on_closing(floe_data_channel *channel, floe_event_listener fn, void *user) {
  return set_handler(channel, FLOE_EVENT_CLOSING, fn, user);
}

floe_status floe_uv_data_channel_on_close(floe_data_channel *channel, floe_event_listener fn, void *user) {
  return set_handler(channel, FLOE_EVENT_CLOSE, fn, user);
}

floe_status floe_uv_data_channel_on_error(floe_data_channel *channel, floe_event_listener fn, void *user) {
  return set_handler(channel, FLOE_EVENT_ERROR, fn, user);
}
