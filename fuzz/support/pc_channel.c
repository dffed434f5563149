#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/pc_world.h"

#define HEAD        9 /* "s:cc:mmmm" */
#define MAX_MESSAGE 70000

/* --- making ------------------------------------------------------------------------------------------------------- */

static pcw_channel *add(pcw_side *s, floe_data_channel *handle) {
  if (s->n_channels == PCW_CHANNELS) return NULL;
  pcw_channel *c = &s->channels[s->n_channels];
  memset(c, 0, sizeof *c);
  c->s = s;
  c->serial = s->n_channels++;
  c->handle = handle;
  c->is_negotiated = floe_data_channel_negotiated(handle);
  c->is_ordered = floe_data_channel_ordered(handle);
  c->is_reliable = floe_data_channel_max_retransmits(handle) < 0 && floe_data_channel_max_packet_life_time(handle) < 0;
  floe_data_channel_set_user(handle, c);
  return c;
}

pcw_channel *pcw_open(pcw_side *s, const floe_data_channel_init *init, const char *suffix) {
  char label[400];
  floe_error why = {0};
  floe_data_channel *handle;
  if (!pcw_is_live(s) || s->n_channels == PCW_CHANNELS) return NULL;
  (void)snprintf(label, sizeof label, "%d:%02u%s", s->h->index, s->n_channels, suffix);
  pcw_call(s);
  floe_status st = floe_pc_create_data_channel(s->pc, s->w->net.now, label, init, &handle, &why);
  pcw_check_status(st, &why);
  FLOE__ASSERT((st == FLOE_OK) == (handle != NULL));
  pcw_channel *c = NULL;
  if (handle != NULL) {
    FLOE__ASSERT(strcmp(floe_data_channel_label(handle), label) == 0);
    c = add(s, handle);
    FLOE__ASSERT(!c->is_negotiated || floe_data_channel_id(handle) == init->id);
    if (c->is_negotiated && init->id < PCW_LOW_IDS) s->w->mixes_ids = true;
  }
  pw_after_call(s->h);
  return c;
}

/* The label of an announced channel names the one at the other side. */
static pcw_channel *find_opener(pcw_side *s, const char *label) {
  pcw_side *o = pcw_other(s);
  if (strlen(label) < 4 || label[0] != '0' + o->h->index || label[1] != ':') return NULL;
  uint32_t serial = (uint32_t)atoi((const char[]){label[2], label[3], '\0'});
  return serial < o->n_channels ? &o->channels[serial] : NULL;
}

static void check_alike(const pcw_channel *mine, const floe_data_channel *a) {
  const floe_data_channel *b = mine->handle;
  if (b == NULL) return;
  FLOE__ASSERT(strcmp(floe_data_channel_label(a), floe_data_channel_label(b)) == 0);
  FLOE__ASSERT(strcmp(floe_data_channel_protocol(a), floe_data_channel_protocol(b)) == 0);
  FLOE__ASSERT(floe_data_channel_ordered(a) == floe_data_channel_ordered(b));
  FLOE__ASSERT(floe_data_channel_max_retransmits(a) == floe_data_channel_max_retransmits(b));
  FLOE__ASSERT(floe_data_channel_max_packet_life_time(a) == floe_data_channel_max_packet_life_time(b));
  FLOE__ASSERT(floe_data_channel_id(a) == floe_data_channel_id(b));
}

static void on_announced(pcw_side *s, floe_data_channel *handle) {
  FLOE__ASSERT(floe_data_channel_pc(handle) == s->pc && !floe_data_channel_negotiated(handle));
  FLOE__ASSERT(floe_data_channel_user(handle) == NULL && floe_data_channel_id(handle) >= 0);
  pcw_channel *opener = s->w->is_evil ? NULL : find_opener(s, floe_data_channel_label(handle));
  FLOE__ASSERT(s->w->is_evil || (opener != NULL && opener->other == NULL && !opener->is_negotiated));
  pcw_channel *c = add(s, handle);
  if (c == NULL) {
    floe_data_channel_free(handle, s->w->net.now);
    return;
  }
  c->was_announced = true;
  s->opens = handle;
  if (opener == NULL) return;
  check_alike(opener, handle);
  c->other = opener;
  opener->other = c;
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

static uint8_t byte_at(const pcw_channel *c, uint32_t number, uint32_t at) {
  return (uint8_t)('a' + (c->serial * 5 + number * 7 + at) % 26);
}

bool pcw_send(pcw_channel *c, uint32_t len, bool is_text) {
  static uint8_t buf[MAX_MESSAGE];
  pcw_side *s = c->s;
  if (c->handle == NULL || s->pc == NULL || c->n_sent == PCW_MESSAGES || len > MAX_MESSAGE) return false;
  bool has_head = !c->is_ordered || !c->is_reliable || len >= HEAD || s->w->mixes_ids || c->is_negotiated;
  if (has_head && len < HEAD) len = HEAD;
  for (uint32_t i = 0; i < len; i++) buf[i] = byte_at(c, c->n_sent, i);
  if (has_head) {
    char head[HEAD + 1];
    (void)snprintf(head, sizeof head, "%d:%02u:%04u", s->h->index, c->serial % 100, c->n_sent % 10000);
    memcpy(buf, head, HEAD);
  }
  floe_data_channel_state state = floe_data_channel_ready_state(c->handle);
  pcw_call(s);
  floe_bytes data = {buf, len};
  floe_status st = is_text ? floe_data_channel_send_text(c->handle, s->w->net.now, data)
                           : floe_data_channel_send(c->handle, s->w->net.now, data);
  FLOE__ASSERT((st == FLOE_E_STATE) == (state != FLOE_DATA_CHANNEL_OPEN));
  FLOE__ASSERT(st == FLOE_OK || st == FLOE_E_STATE || st == FLOE_E_TOO_LARGE || st == FLOE_E_AGAIN ||
               (st == FLOE_E_NOMEM && s->h->was_short));
  if (st == FLOE_OK) c->sent[c->n_sent++] = (pcw_message){len, is_text, false};
  pw_after_call(s->h);
  return st == FLOE_OK;
}

/* Which one it is, by its head; what has none is the next one of the channel at the other side. */
static pcw_channel *find_sender(const pcw_channel *c, floe_bytes data, uint32_t *number) {
  pcw_side *o = pcw_other(c->s);
  *number = c->next;
  if (data.len < HEAD || data.ptr[1] != ':' || data.ptr[4] != ':') return c->other;
  FLOE__ASSERT(data.ptr[0] == '0' + o->h->index);
  char head[HEAD + 1];
  memcpy(head, data.ptr, HEAD);
  head[HEAD] = '\0';
  *number = (uint32_t)atoi(head + 5);
  uint32_t serial = (uint32_t)atoi(head + 2);
  FLOE__ASSERT(serial < o->n_channels);
  return &o->channels[serial];
}

static void check_bytes(const pcw_channel *from, uint32_t number, floe_bytes data) {
  for (size_t i = data.len < HEAD ? 0 : HEAD; i < data.len; i++) {
    FLOE__ASSERT(data.ptr[i] == byte_at(from, number, (uint32_t)i));
  }
}

static void on_message(pcw_channel *c, const floe_channel_message *m) {
  uint32_t number;
  FLOE__ASSERT(floe_data_channel_ready_state(c->handle) == FLOE_DATA_CHANNEL_OPEN && c->told_open);
  if (c->s->w->is_evil) return;
  pcw_channel *from = find_sender(c, m->data, &number);
  FLOE__ASSERT(from != NULL && number < from->n_sent);
  bool is_pair = c->other != NULL && !c->s->w->mixes_ids;
  FLOE__ASSERT(!is_pair || from == c->other);
  pcw_message *sent = &from->sent[number];
  FLOE__ASSERT(!sent->came && sent->len == m->data.len && sent->is_text == !m->is_binary);
  check_bytes(from, number, m->data);
  sent->came = true;
  if (!is_pair || !c->is_ordered) return;
  FLOE__ASSERT(c->is_reliable ? number == c->next : number >= c->next);
  c->next = number + 1;
}

bool pcw_is_all_there(pcw_world *w) {
  for (int i = 0; i < 2; i++) {
    const pcw_side *s = &w->sides[i];
    for (uint32_t k = 0; k < s->n_channels; k++) {
      const pcw_channel *c = &s->channels[k], *o = c->other;
      if (!c->is_reliable || c->handle == NULL || o == NULL || o->handle == NULL) continue;
      if (floe_data_channel_ready_state(c->handle) != FLOE_DATA_CHANNEL_OPEN) continue;
      if (floe_data_channel_ready_state(o->handle) != FLOE_DATA_CHANNEL_OPEN) continue;
      for (uint32_t n = 0; n < c->n_sent; n++) {
        if (!c->sent[n].came) return false;
      }
    }
  }
  return true;
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static void on_open(pcw_channel *c) {
  FLOE__ASSERT(!c->told_open && floe_data_channel_ready_state(c->handle) != FLOE_DATA_CHANNEL_CONNECTING);
  FLOE__ASSERT(floe_data_channel_id(c->handle) >= 0);
  c->told_open = true;
}

static void on_error(pcw_channel *c, const floe_channel_error *e) {
  FLOE__ASSERT(!c->told_error && e->detail != NULL && e->message != NULL && e->message[0] != '\0');
  c->told_error = true;
}

void pcw_on_channel_event(pcw_side *s, const floe_event *e) {
  if (e->type == FLOE_EVENT_DATACHANNEL) {
    on_announced(s, e->u.channel);
    return;
  }
  pcw_channel *c = floe_data_channel_user(e->u.channel);
  FLOE__ASSERT(c != NULL && c->s == s && c->handle == e->u.channel && !c->told_close);
  switch ((int)e->type) {
    case FLOE_EVENT_OPEN: on_open(c); return;
    case FLOE_EVENT_MESSAGE: on_message(c, &e->u.message); return;
    case FLOE_EVENT_BUFFEREDAMOUNTLOW: FLOE__ASSERT(c->told_open); return;
    case FLOE_EVENT_CLOSING:
      FLOE__ASSERT(c->told_open && !c->told_closing);
      c->told_closing = true;
      return;
    case FLOE_EVENT_CLOSE:
      FLOE__ASSERT(floe_data_channel_ready_state(c->handle) == FLOE_DATA_CHANNEL_CLOSED);
      c->told_close = true;
      return;
    default: on_error(c, &e->u.channel_error); return;
  }
}

void pcw_free_channel(pcw_channel *c) {
  pcw_side *s = c->s;
  if (c->handle == NULL || s->pc == NULL) return;
  if (s->opens == c->handle) s->opens = NULL;
  pcw_call(s);
  floe_data_channel_free(c->handle, s->w->net.now);
  c->handle = NULL;
  pw_after_call(s->h);
}

void pcw_forget_channels(pcw_side *s) {
  for (uint32_t i = 0; i < s->n_channels; i++) s->channels[i].handle = NULL;
}

void pcw_check_channels(pcw_side *s) {
  size_t n = 0;
  for (uint32_t i = 0; i < s->n_channels; i++) {
    const pcw_channel *c = &s->channels[i];
    if (c->handle == NULL) continue;
    n++;
    floe_data_channel_state state = floe_data_channel_ready_state(c->handle);
    FLOE__ASSERT(!s->h->closed || state == FLOE_DATA_CHANNEL_CLOSED);
    FLOE__ASSERT(!c->told_close || state == FLOE_DATA_CHANNEL_CLOSED);
    FLOE__ASSERT(s->h->closed || c->told_close == (state == FLOE_DATA_CHANNEL_CLOSED));
    FLOE__ASSERT(state != FLOE_DATA_CHANNEL_OPEN || c->told_open);
    FLOE__ASSERT(floe_data_channel_pc(c->handle) == s->pc);
  }
  floe_data_channel *const *list;
  FLOE__ASSERT(floe_pc_data_channels(s->pc, &list) == n);
}
