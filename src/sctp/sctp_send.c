#include <string.h>

#include "base/assert.h"
#include "sctp/sctp_internal.h"
#include "sctp/wire.h"

/* The engine is given this much ahead of what it has transmitted: enough for a burst, and little enough that a message
 * of another stream does not wait behind it. */
#define AHEAD ((size_t)64 * 1024)
/* Of one stream, before the next one's turn. */
#define PIECE ((size_t)16 * 1024)

static const floe__sctp_reliability reliable = {0};

void floe__sctp_clear_messages(floe__sctp *s, floe__sctp_stream *st) {
  while (st->first != NULL) {
    floe__sctp_message *m = st->first;
    st->first = m->next;
    floe__free(s->env, m);
  }
  st->last = NULL;
}

static void push_ready(floe__sctp *s, floe__sctp_stream *st) {
  if (st->is_ready) return;
  st->is_ready = true;
  st->next_ready = NULL;
  if (s->ready_last != NULL) {
    s->ready_last->next_ready = st;
  } else {
    s->ready_first = st;
  }
  s->ready_last = st;
}

static void pop_ready(floe__sctp *s) {
  floe__sctp_stream *st = s->ready_first;
  s->ready_first = st->next_ready;
  if (s->ready_first == NULL) s->ready_last = NULL;
  st->is_ready = false;
}

static void mark_sent(floe__sctp *s, floe__sctp_stream *st) {
  if (st->is_sent) return;
  st->is_sent = true;
  st->next_sent = NULL;
  if (s->sent_last != NULL) {
    s->sent_last->next_sent = st;
  } else {
    s->sent_first = st;
  }
  s->sent_last = st;
}

void floe__sctp_left(floe__sctp *s, floe__sctp_stream *st, size_t len) {
  if (len > st->in_engine) len = st->in_engine;
  if (len == 0) return;
  st->in_engine -= len;
  s->in_engine -= len;
  mark_sent(s, st);
}

void floe__sctp_all_left(floe__sctp *s) {
  if (s->in_engine == 0) return;
  for (size_t id = 0; id <= UINT16_MAX; id++) {
    if (s->pages[id / FLOE__SCTP_PAGE] == NULL) {
      id += FLOE__SCTP_PAGE - 1;
      continue;
    }
    floe__sctp_stream *st = floe__sctp_stream_of(s, (uint16_t)id);
    if (st != NULL) floe__sctp_left(s, st, st->in_engine);
  }
}

void floe__sctp_transmitted(floe__sctp *s, floe_bytes packet) {
  if (s->in_engine == 0) return;
  floe__reader chunks = floe__sctp_wire_chunks(packet);
  floe__sctp_data d;
  while (floe__sctp_wire_next_data(&chunks, &d)) {
    /* RFC 1982 arithmetic: TSNs are given out in order, so an older one is a retransmission. */
    if (s->has_tsn && (int32_t)(d.tsn - s->highest_tsn) <= 0) continue;
    s->has_tsn = true;
    s->highest_tsn = d.tsn;
    floe__sctp_stream *st = floe__sctp_stream_of(s, d.stream);
    if (st != NULL) floe__sctp_left(s, st, d.len);
  }
}

static void count_taken(floe__sctp *s, floe__sctp_stream *st, size_t taken) {
  st->in_engine += taken;
  s->in_engine += taken;
}

static void drop_first(floe__sctp *s, floe__sctp_stream *st) {
  floe__sctp_message *m = st->first;
  size_t left = m->len - m->at;
  st->first = m->next;
  if (st->first == NULL) st->last = NULL;
  st->queued -= left;
  s->queued -= left;
  if (left > 0) mark_sent(s, st);
  floe__free(s->env, m);
}

/* Without interleaving a message that was begun must be given whole before another: RFC 9260 6.9 sends its fragments
 * with TSNs in sequence, and the engine waits for them. */
static size_t piece_of(const floe__sctp *s, const floe__sctp_message *m) {
  size_t left = m->len - m->at;
  size_t room = AHEAD - s->in_engine;
  if (left > room) left = room;
  return s->info.interleaving && left > PIECE ? PIECE : left;
}

/* RFC 3758: a message's lifetime begins when it is sent by the user, and so runs in our queue too. False: it is over.
 */
static bool take_waiting_off(const floe__sctp *s, const floe__sctp_message *m, floe__sctp_reliability *r) {
  *r = m->reliability;
  if (!r->has_max_lifetime || m->at > 0) return true;
  uint64_t waited_ms = s->now > m->since ? (s->now - m->since) / FLOE_MS : 0;
  if (waited_ms > r->max_lifetime_ms) return false;
  r->max_lifetime_ms -= (uint32_t)waited_ms;
  return true;
}

/* False: the engine takes no more now. */
static bool feed_one(floe__sctp *s, floe__sctp_stream *st) {
  floe__sctp_message *m = st->first;
  floe__sctp_reliability reliability;
  if (!take_waiting_off(s, m, &reliability)) {
    drop_first(s, st);
    return true;
  }
  size_t piece = piece_of(s, m), taken = 0;
  floe_bytes data = {.ptr = m->data + m->at, .len = piece};
  bool end = m->at + piece == m->len;
  floe__engine_result r = floe__engine_send(s->engine, st->id, m->ppid, data, end, &reliability, &taken);
  if (r == FLOE__ENGINE_AGAIN) return false;
  if (r != FLOE__ENGINE_OK) {
    drop_first(s, st); /* the association is gone, and its end will be told */
    return true;
  }
  m->at += taken;
  st->queued -= taken;
  s->queued -= taken;
  count_taken(s, st, taken);
  if (m->at == m->len) drop_first(s, st);
  return taken == piece;
}

void floe__sctp_feed(floe__sctp *s) {
  if (s->state != FLOE__SCTP_CONNECTED) return;
  while (s->ready_first != NULL && s->in_engine < AHEAD) {
    floe__sctp_stream *st = s->ready_first;
    const floe__sctp_message *m = st->first;
    bool goes_on = feed_one(s, st);
    bool is_begun = st->first == m && m->at > 0;
    if (st->first == NULL || s->info.interleaving || !is_begun) {
      pop_ready(s);
      if (st->first != NULL) push_ready(s, st);
    }
    if (!goes_on) break;
  }
  if (s->resets != NULL) floe__sctp_ask_resets(s);
}

static floe_status queue_message(floe__sctp *s, floe__sctp_stream *st, uint32_t ppid, floe_bytes data,
                                 const floe__sctp_reliability *r) {
  floe__sctp_message *m = floe__alloc(s->env, sizeof *m + data.len);
  if (m == NULL) return FLOE_E_NOMEM;
  *m = (floe__sctp_message){.ppid = ppid, .reliability = *r, .since = s->now, .len = data.len};
  memcpy(m->data, data.ptr, data.len);
  if (st->last != NULL) {
    st->last->next = m;
  } else {
    st->first = m;
  }
  st->last = m;
  st->queued += data.len;
  s->queued += data.len;
  push_ready(s, st);
  return FLOE_OK;
}

/* Nothing waits before it and there is room: the engine copies it, and we do not. */
static bool can_go_directly(const floe__sctp *s, size_t len) {
  return s->ready_first == NULL && s->in_engine < AHEAD && len <= AHEAD - s->in_engine;
}

static floe_status send_directly(floe__sctp *s, floe__sctp_stream *st, uint32_t ppid, floe_bytes data,
                                 const floe__sctp_reliability *r) {
  size_t taken = 0;
  floe__engine_result result = floe__engine_send(s->engine, st->id, ppid, data, true, r, &taken);
  if (result == FLOE__ENGINE_FAILED) return FLOE_E_STATE;
  count_taken(s, st, taken);
  if (taken == data.len) return FLOE_OK;
  floe_bytes rest = {.ptr = data.ptr + taken, .len = data.len - taken};
  floe_status status = queue_message(s, st, ppid, rest, r);
  if (status != FLOE_OK && taken > 0) {
    floe__sctp_abort(s, "out of memory", s->now); /* a message cannot be left half sent */
  }
  return status;
}

floe_status floe__sctp_send(floe__sctp *s, uint16_t stream, uint32_t ppid, floe_bytes data,
                            const floe__sctp_reliability *r, floe_time now) {
  FLOE__ASSERT(data.len > 0);
  if (s->state != FLOE__SCTP_CONNECTED) return FLOE_E_STATE;
  if (stream >= s->streams_out) return FLOE_E_NOT_FOUND;
  size_t buffered = floe__sctp_buffered_all(s);
  if (buffered > 0 && (buffered >= s->cfg.send_buffer || data.len > s->cfg.send_buffer - buffered)) return FLOE_E_AGAIN;
  floe__sctp_stream *st = floe__sctp_stream_make(s, stream);
  if (st == NULL) return FLOE_E_NOMEM;
  if (st->reset != FLOE__SCTP_RESET_NONE) return FLOE_E_STATE;
  if (r == NULL) r = &reliable;
  floe__engine_advance(s->engine, now, s->is_active);
  floe__sctp_touch(s, now);
  if (can_go_directly(s, data.len)) return send_directly(s, st, ppid, data, r);
  floe_status status = queue_message(s, st, ppid, data, r);
  floe__sctp_feed(s);
  return status;
}

size_t floe__sctp_buffered(const floe__sctp *s, uint16_t stream) {
  const floe__sctp_stream *st = floe__sctp_stream_of(s, stream);
  return st == NULL ? 0 : st->queued + st->in_engine;
}

size_t floe__sctp_buffered_all(const floe__sctp *s) {
  return s->queued + s->in_engine;
}

floe_status floe__sctp_reset_stream(floe__sctp *s, uint16_t stream, floe_time now) {
  if (s->state != FLOE__SCTP_CONNECTED) return FLOE_E_STATE;
  if (stream >= s->streams_out) return FLOE_E_NOT_FOUND;
  floe__sctp_stream *st = floe__sctp_stream_make(s, stream);
  if (st == NULL) return FLOE_E_NOMEM;
  if (st->reset != FLOE__SCTP_RESET_NONE) return FLOE_OK;
  st->reset = FLOE__SCTP_RESET_WANTED;
  st->next_reset = s->resets;
  s->resets = st;
  floe__engine_advance(s->engine, now, s->is_active);
  floe__sctp_touch(s, now);
  floe__sctp_ask_resets(s);
  return FLOE_OK;
}

void floe__sctp_reset_give_up(floe__sctp *s, floe__sctp_stream *st) {
  st->reset = FLOE__SCTP_RESET_DONE;
  s->given_up++;
}

void floe__sctp_reset_done(floe__sctp *s, floe__sctp_stream *st) {
  if (st->reset == FLOE__SCTP_RESET_DONE) s->given_up--;
  st->reset = FLOE__SCTP_RESET_NONE;
  for (floe__sctp_stream **at = &s->resets; *at != NULL; at = &(*at)->next_reset) {
    if (*at != st) continue;
    *at = st->next_reset;
    st->next_reset = NULL;
    return;
  }
}

/* RFC 6525 5.1.2: one request at a time; it names all streams that wait. A stream with data of ours must wait, and the
 * engine itself waits for what it has been given. */
void floe__sctp_ask_resets(floe__sctp *s) {
  uint16_t ask[128];
  size_t n = 0;
  for (floe__sctp_stream *st = s->resets; st != NULL; st = st->next_reset) {
    if (st->reset == FLOE__SCTP_RESET_ASKED) return;
    if (st->reset == FLOE__SCTP_RESET_WANTED && st->queued == 0 && n < sizeof ask / sizeof *ask) ask[n++] = st->id;
  }
  if (n == 0) return;
  floe__engine_result r = floe__engine_reset(s->engine, ask, n);
  if (r == FLOE__ENGINE_AGAIN) return;
  for (size_t i = 0; i < n; i++) {
    floe__sctp_stream *st = floe__sctp_stream_of(s, ask[i]);
    /* A peer without RFC 6525 cannot be told, and need not confirm. */
    if (r == FLOE__ENGINE_OK) {
      st->reset = FLOE__SCTP_RESET_ASKED;
    } else {
      floe__sctp_reset_give_up(s, st);
    }
  }
}
