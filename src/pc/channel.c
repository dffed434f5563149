/* The life of channels: made by either side, open, closing, closed. */
#include "pc/channel.h"

#include <string.h>

#include "base/assert.h"
#include "base/sized.h"
#include "base/trace.h"
#include "pc/channel_internal.h"
#include "pc/pc_internal.h"

/* --- the machine
 * --------------------------------------------------------------------------------------------------------- */

void floe__channel_tell(floe_data_channel *c, floe__channel_node node) {
  static const floe_event_type types[FLOE__CHANNEL_NODES] = {
      [FLOE__CHANNEL_ANNOUNCED] = FLOE_EVENT_DATACHANNEL, [FLOE__CHANNEL_OPENED] = FLOE_EVENT_OPEN,
      [FLOE__CHANNEL_LOW] = FLOE_EVENT_BUFFEREDAMOUNTLOW, [FLOE__CHANNEL_CLOSING] = FLOE_EVENT_CLOSING,
      [FLOE__CHANNEL_ERROR] = FLOE_EVENT_ERROR,           [FLOE__CHANNEL_CLOSED] = FLOE_EVENT_CLOSE};
  if (c->is_released) return;
  c->nodes[node].type = types[node];
  c->nodes[node].u.channel = c;
  floe__pc_events_push(&c->pc->events, &c->nodes[node], c->pc->moment);
}

/* The one writer of the state. */
void floe__channel_go(floe_data_channel *c, floe_data_channel_state to) {
  FLOE__ASSERT(to > c->state);
  floe__trace t;
  if (floe__trace_begin(&t, c->pc->env, c->pc->now, "pc.channel")) {
    floe__trace_int(&t, "channel", c->number);
    if (c->has_id) floe__trace_int(&t, "stream", c->id);
    floe__trace_text(&t, "from", floe_data_channel_state_name(c->state));
    floe__trace_text(&t, "to", floe_data_channel_state_name(to));
    floe__trace_end(&t);
  }
  if (to == FLOE_DATA_CHANNEL_OPEN) c->pc->channels.n_opened++;
  if (c->state == FLOE_DATA_CHANNEL_OPEN) c->pc->channels.n_closed++;
  c->state = to;
}

/* --- streams
 * ------------------------------------------------------------------------------------------------------------- */

static size_t place_of(const floe__channels *l, uint16_t id) {
  size_t low = 0, high = l->n_ids;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (l->by_id[middle]->id < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

floe_data_channel *floe__channels_find(const floe_pc *pc, uint16_t id) {
  const floe__channels *l = &pc->channels;
  size_t at = place_of(l, id);
  return at < l->n_ids && l->by_id[at]->id == id ? l->by_id[at] : NULL;
}

bool floe__channels_reserve_id(floe_pc *pc) {
  floe__channels *l = &pc->channels;
  void *list = l->by_id;
  bool ok = floe__reserve(pc->env, &list, &l->cap_ids, sizeof *l->by_id, l->n_ids + 1);
  l->by_id = list;
  return ok;
}

void floe__channel_take_id(floe_data_channel *c, uint16_t id) {
  floe__channels *l = &c->pc->channels;
  size_t at = place_of(l, id);
  memmove(&l->by_id[at + 1], &l->by_id[at], (l->n_ids - at) * sizeof *l->by_id);
  l->by_id[at] = c;
  l->n_ids++;
  c->has_id = true;
  c->id = id;
}

static bool holds_id(const floe_data_channel *c) {
  return c->has_id && floe__channels_find(c->pc, c->id) == c;
}

static void leave_id(floe_data_channel *c) {
  floe__channels *l = &c->pc->channels;
  if (!holds_id(c)) return;
  size_t at = place_of(l, c->id);
  l->n_ids--;
  memmove(&l->by_id[at], &l->by_id[at + 1], (l->n_ids - at) * sizeof *l->by_id);
}

/* RFC 8832 6: even streams for the side that is the DTLS client, odd ones for the other. False: none is free. */
static bool choose_id(const floe_pc *pc, uint16_t *out) {
  uint32_t end = floe__transport_is_sctp_connected(pc) ? pc->transport.streams : 65535;
  for (uint32_t id = pc->transport.is_client ? 0 : 1; id < end && id < 65535; id += 2) {
    if (floe__channels_find(pc, (uint16_t)id) != NULL) continue;
    *out = (uint16_t)id;
    return true;
  }
  return false;
}

void floe__channels_forget_ids(floe_pc *pc) {
  floe__channels *l = &pc->channels;
  for (size_t i = 0; i < l->n; i++) {
    floe_data_channel *c = l->list[i];
    if (c->state != FLOE_DATA_CHANNEL_CONNECTING || c->is_negotiated) continue;
    leave_id(c);
    c->has_id = false;
  }
}

bool floe__channel_assign_id(floe_data_channel *c) {
  uint16_t id;
  if (c->has_id) return true;
  if (!choose_id(c->pc, &id) || !floe__channels_reserve_id(c->pc)) return false;
  floe__channel_take_id(c, id);
  return true;
}

/* --- making and freeing
 * -------------------------------------------------------------------------------------------------- */

/* Room in the three lists, so that nothing fails later. */
static bool reserve(floe_pc *pc) {
  floe__channels *l = &pc->channels;
  void *list = l->list, *released = l->released;
  bool ok = floe__reserve(pc->env, &list, &l->cap, sizeof *l->list, l->n + 1);
  l->list = list;
  ok = ok && floe__reserve(pc->env, &released, &l->cap_released, sizeof *l->released, l->n + l->n_released + 1);
  l->released = released;
  return ok && floe__channels_reserve_id(pc);
}

floe_data_channel *floe__channel_new(floe_pc *pc, floe_bytes label, floe_bytes protocol) {
  if (!reserve(pc)) return NULL;
  floe_data_channel *c = floe__zalloc(pc->env, sizeof *c);
  if (c == NULL) return NULL;
  c->label = floe__strndup(pc->env, label.ptr, label.len);
  c->protocol = floe__strndup(pc->env, protocol.ptr, protocol.len);
  if (c->label == NULL || c->protocol == NULL) {
    floe__free(pc->env, c->label);
    floe__free(pc->env, c->protocol);
    floe__free(pc->env, c);
    return NULL;
  }
  c->pc = pc;
  c->label_len = label.len;
  c->protocol_len = protocol.len;
  c->number = ++pc->channels.n_made;
  pc->channels.list[pc->channels.n++] = c;
  return c;
}

void floe__channel_starve(floe_data_channel *c, bool starved) {
  if (c->is_starved == starved) return;
  c->is_starved = starved;
  c->pc->channels.n_starved += starved ? 1 : (uint32_t)-1;
}

/* Nothing is sent for it any more, and nobody waits for room. */
static void drop_debts(floe_data_channel *c) {
  if (c->owes_open || c->owes_ack) c->pc->channels.n_owing--;
  c->owes_open = c->owes_ack = false;
  floe__channel_starve(c, false);
}

static void free_channel(floe_data_channel *c) {
  floe_env *env = c->pc->env;
  leave_id(c);
  for (int i = 0; i < FLOE__CHANNEL_NODES; i++) floe__pc_events_remove(&c->pc->events, &c->nodes[i]);
  drop_debts(c);
  floe__free(env, c->label);
  floe__free(env, c->protocol);
  floe__free(env, c);
}

static void remove_from(floe_data_channel **list, size_t *n, const floe_data_channel *c) {
  size_t kept = 0;
  for (size_t i = 0; i < *n; i++) {
    if (list[i] != c) list[kept++] = list[i];
  }
  *n = kept;
}

void floe__channels_clear(floe_pc *pc) {
  floe__channels *l = &pc->channels;
  while (l->n > 0) free_channel(l->list[--l->n]);
  while (l->n_released > 0) free_channel(l->released[--l->n_released]);
  floe__free(pc->env, l->list);
  floe__free(pc->env, l->released);
  floe__free(pc->env, l->by_id);
  floe__free(pc->env, l->repaired);
  memset(l, 0, sizeof *l);
}

/* --- closing
 * ------------------------------------------------------------------------------------------------------------- */

/* The stream is free again in both directions, or there is none. */
void floe__channel_finish(floe_data_channel *c) {
  floe__channels *l = &c->pc->channels;
  leave_id(c);
  drop_debts(c);
  if (c->state != FLOE_DATA_CHANNEL_CLOSED) {
    floe__channel_go(c, FLOE_DATA_CHANNEL_CLOSED);
    floe__channel_tell(c, FLOE__CHANNEL_CLOSED);
  }
  if (!c->is_released) return;
  remove_from(l->released, &l->n_released, c);
  free_channel(c);
}

/* RFC 8831 6.7: our direction is reset once all that was sent has arrived; the engine sees to that. */
void floe__channel_reset(floe_data_channel *c) {
  floe_pc *pc = c->pc;
  if (c->reset_asked) return;
  bool is_unknown = c->owes_open; /* the peer has not heard of it, nor is there anything to be confirmed */
  drop_debts(c);
  if (is_unknown || !c->has_id || !floe__transport_is_sctp_connected(pc)) {
    floe__channel_finish(c);
    return;
  }
  c->reset_asked = floe__sctp_reset_stream(pc->transport.sctp, c->id, pc->now) == FLOE_OK;
  if (!c->reset_asked) floe__channel_finish(c); /* the association is on its way out */
}

void floe_data_channel_close(floe_data_channel *c, floe_time now) {
  floe_pc *pc = c->pc;
  floe__pc_advance(pc, now);
  if (c->state >= FLOE_DATA_CHANNEL_CLOSING) return;
  floe__channel_go(c, FLOE_DATA_CHANNEL_CLOSING);
  floe__channel_reset(c);
  floe__transport_pump(pc);
}

void floe_data_channel_free(floe_data_channel *c, floe_time now) {
  if (c == NULL) return;
  floe_pc *pc = c->pc;
  floe__channels *l = &pc->channels;
  remove_from(l->list, &l->n, c);
  for (int i = 0; i < FLOE__CHANNEL_NODES; i++) floe__pc_events_remove(&pc->events, &c->nodes[i]);
  if (c->state == FLOE_DATA_CHANNEL_CLOSED) {
    free_channel(c);
    return;
  }
  c->is_released = true;
  l->released[l->n_released++] = c;
  floe_data_channel_close(c, now);
}

void floe__channels_silence(floe_pc *pc) {
  floe__channels *l = &pc->channels;
  for (size_t i = 0; i < l->n; i++) {
    floe_data_channel *c = l->list[i];
    if (c->state == FLOE_DATA_CHANNEL_CLOSED) continue;
    c->buffered = floe__channel_buffered(c);
    floe__channel_go(c, FLOE_DATA_CHANNEL_CLOSED);
  }
  while (l->n_released > 0) free_channel(l->released[--l->n_released]);
}

/* --- what the program reads
 * ---------------------------------------------------------------------------------------------- */

floe_pc *floe_data_channel_pc(const floe_data_channel *c) {
  return c->pc;
}

size_t floe_pc_data_channels(const floe_pc *pc, floe_data_channel *const **out) {
  if (out != NULL) *out = pc->channels.list;
  return pc->channels.n;
}

const char *floe_data_channel_label(const floe_data_channel *c) {
  return c->label;
}

const char *floe_data_channel_protocol(const floe_data_channel *c) {
  return c->protocol;
}

bool floe_data_channel_ordered(const floe_data_channel *c) {
  return !c->reliability.unordered;
}

int32_t floe_data_channel_max_packet_life_time(const floe_data_channel *c) {
  return c->reliability.has_max_lifetime ? (int32_t)c->reliability.max_lifetime_ms : -1;
}

int32_t floe_data_channel_max_retransmits(const floe_data_channel *c) {
  return c->reliability.has_max_retransmits ? (int32_t)c->reliability.max_retransmits : -1;
}

bool floe_data_channel_negotiated(const floe_data_channel *c) {
  return c->is_negotiated;
}

int32_t floe_data_channel_id(const floe_data_channel *c) {
  return c->has_id ? c->id : -1;
}

floe_data_channel_state floe_data_channel_ready_state(const floe_data_channel *c) {
  return c->state;
}

size_t floe_data_channel_buffered_amount(const floe_data_channel *c) {
  return floe__channel_buffered(c);
}

size_t floe_data_channel_buffered_amount_low_threshold(const floe_data_channel *c) {
  return c->threshold;
}

void floe_data_channel_set_buffered_amount_low_threshold(floe_data_channel *c, size_t bytes) {
  c->threshold = bytes;
}

void floe_data_channel_set_user(floe_data_channel *c, void *user) {
  c->user = user;
}

void *floe_data_channel_user(const floe_data_channel *c) {
  return c->user;
}

void floe_data_channel_set_driver(floe_data_channel *c, void *driver) {
  c->driver = driver;
}

void *floe_data_channel_driver(const floe_data_channel *c) {
  return c->driver;
}
