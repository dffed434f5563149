#include "driver_parts/fake_pc.h"

#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

struct floe_data_channel {
  floe_pc *pc;
  void *driver;
  floe_data_channel *next;
};

struct floe_pc {
  fake_pc fake;
  floe_ice_agent *ice;
  floe_pc_config cfg;
  floe_ice_config ice_cfg;
  floe_data_channel *channels;
};

fake_pc *fake_pc_of(floe_uv_pc *pc) {
  return &floe_uv_pc_core(pc)->fake;
}

/* ---- life ---- */

static const char *next_ufrag;

void fake_pc_next_ufrag(const char *ufrag) {
  next_ufrag = ufrag;
}

void floe_pc_config_init(floe_pc_config *cfg, size_t size) {
  memset(cfg, 0, size);
  cfg->size = (uint32_t)size;
}

floe_status floe_pc_new(floe_pc **out, floe_env *env, floe_time now, const floe_pc_config *cfg, floe_error *why) {
  (void)now;
  floe_pc *pc = calloc(1, sizeof *pc);
  assert_non_null(pc);
  floe_ice_config_init(&pc->ice_cfg, sizeof pc->ice_cfg);
  if (cfg != NULL && cfg->ice != NULL) pc->ice_cfg = *cfg->ice;
  pc->cfg.ice = &pc->ice_cfg;
  pc->ice_cfg.local_ufrag = next_ufrag;
  assert_int_equal(floe_ice_agent_new(&pc->ice, env, &pc->ice_cfg, why), FLOE_OK);
  pc->fake.core = fake_last();
  *out = pc;
  return FLOE_OK;
}

static void free_channel(floe_data_channel *channel) {
  floe_data_channel **at = &channel->pc->channels;
  while (*at != channel) at = &(*at)->next;
  *at = channel->next;
  channel->pc->fake.n_channels--;
  free(channel);
}

void floe_pc_free(floe_pc *pc) {
  if (pc == NULL) return;
  while (pc->channels != NULL) free_channel(pc->channels);
  floe_ice_agent_free(pc->ice);
  free(pc);
}

void floe_pc_input(floe_pc *pc, floe_time now, const floe_input *in) {
  floe_ice_agent_input(pc->ice, now, in);
}

void floe_pc_poll(floe_pc *pc, floe_output *out) {
  floe_ice_agent_poll(pc->ice, out);
}

void floe_pc_close(floe_pc *pc, floe_time now) {
  floe_ice_agent_close(pc->ice, now);
}

bool floe_pc_is_closed(const floe_pc *pc) {
  return floe_ice_agent_is_closed(pc->ice);
}

const floe_pc_config *floe_pc_configuration(const floe_pc *pc) {
  return &pc->cfg;
}

/* ---- calls ---- */

static floe_status note(floe_pc *pc, const char *name, floe_time now, const char *text, floe_error *why) {
  pc->fake.n_calls++;
  pc->fake.call = (fake_call){.name = name, .now = now};
  if (text != NULL) strncpy(pc->fake.call.text, text, sizeof pc->fake.call.text - 1);
  if (pc->fake.reply != FLOE_OK && why != NULL) why->status = pc->fake.reply;
  return pc->fake.reply;
}

floe_status floe_pc_set_configuration(floe_pc *pc, floe_time now, const floe_pc_config *cfg, floe_error *why) {
  (void)cfg;
  return note(pc, "set_configuration", now, NULL, why);
}

floe_status floe_pc_create_offer(floe_pc *pc, floe_time now, const floe_offer_options *options, const char **sdp,
                                 floe_error *why) {
  *sdp = "an offer";
  return note(pc, "create_offer", now, options != NULL && options->ice_restart ? "restart" : NULL, why);
}

floe_status floe_pc_create_answer(floe_pc *pc, floe_time now, const char **sdp, floe_error *why) {
  *sdp = "an answer";
  return note(pc, "create_answer", now, NULL, why);
}

floe_status floe_pc_set_local_description(floe_pc *pc, floe_time now, const floe_session_description *description,
                                          floe_error *why) {
  return note(pc, "set_local_description", now, description == NULL ? NULL : description->sdp, why);
}

floe_status floe_pc_set_remote_description(floe_pc *pc, floe_time now, const floe_session_description *description,
                                           floe_error *why) {
  return note(pc, "set_remote_description", now, description->sdp, why);
}

const floe_session_description *floe_pc_local_description(floe_pc *pc) {
  static const floe_session_description ours = {.sdp = "ours"};
  (void)pc;
  return &ours;
}

const floe_session_description *floe_pc_remote_description(floe_pc *pc) {
  static const floe_session_description theirs = {.sdp = "theirs"};
  (void)pc;
  return &theirs;
}

floe_status floe_pc_add_ice_candidate(floe_pc *pc, floe_time now, const floe_ice_candidate_init *candidate,
                                      floe_error *why) {
  return note(pc, "add_ice_candidate", now, candidate == NULL ? NULL : candidate->candidate, why);
}

void floe_pc_restart_ice(floe_pc *pc, floe_time now) {
  (void)note(pc, "restart_ice", now, NULL, NULL);
}

floe_ice_agent *floe_pc_ice_agent(floe_pc *pc) {
  return pc->ice;
}

const floe_stats_report *floe_pc_get_stats(floe_pc *pc, floe_time now) {
  static const floe_stats_report report = {.n_objects = 7};
  (void)note(pc, "get_stats", now, NULL, NULL);
  return &report;
}

const floe_connection_report *floe_pc_failure_report(floe_pc *pc, floe_time now) {
  static const floe_connection_report report = {.n_remote_candidates = 5};
  (void)note(pc, "failure_report", now, NULL, NULL);
  return &report;
}

/* ---- channels ---- */

floe_data_channel *fake_channel(fake_pc *fake) {
  floe_pc *pc = (floe_pc *)fake; /* its first member */
  floe_data_channel *channel = calloc(1, sizeof *channel);
  assert_non_null(channel);
  *channel = (floe_data_channel){.pc = pc, .next = pc->channels};
  pc->channels = channel;
  pc->fake.n_channels++;
  return channel;
}

floe_event *fake_channel_event(fake_pc *pc, floe_event_type type, floe_data_channel *channel) {
  floe_event *event = fake_event(pc->core, type);
  if (type == FLOE_EVENT_MESSAGE) {
    event->u.message.channel = channel;
  } else if (type == FLOE_EVENT_ERROR) {
    event->u.channel_error.channel = channel;
  } else {
    event->u.channel = channel;
  }
  return event;
}

floe_status floe_pc_create_data_channel(floe_pc *pc, floe_time now, const char *label,
                                        const floe_data_channel_init *init, floe_data_channel **out, floe_error *why) {
  (void)init;
  floe_status st = note(pc, "create_data_channel", now, label, why);
  if (st == FLOE_OK) *out = fake_channel(&pc->fake);
  return st;
}

void floe_data_channel_set_driver(floe_data_channel *channel, void *driver) {
  channel->driver = driver;
}

void *floe_data_channel_driver(const floe_data_channel *channel) {
  return channel->driver;
}

static floe_status note_bytes(floe_data_channel *channel, const char *name, floe_time now, floe_bytes data) {
  floe_status st = note(channel->pc, name, now, NULL, NULL);
  assert_true(data.len < FAKE_TEXT);
  memcpy(channel->pc->fake.call.text, data.ptr, data.len);
  return st;
}

floe_status floe_data_channel_send(floe_data_channel *channel, floe_time now, floe_bytes data) {
  return note_bytes(channel, "send", now, data);
}

floe_status floe_data_channel_send_text(floe_data_channel *channel, floe_time now, floe_bytes text) {
  return note_bytes(channel, "send_text", now, text);
}

void floe_data_channel_close(floe_data_channel *channel, floe_time now) {
  (void)note(channel->pc, "channel_close", now, NULL, NULL);
}

void floe_data_channel_free(floe_data_channel *channel, floe_time now) {
  if (channel == NULL) return;
  (void)note(channel->pc, "channel_free", now, NULL, NULL);
  channel->pc->fake.freed = channel;
  free_channel(channel);
}
