#include <string.h>

#include "base/assert.h"
#include "sctp/sctp_internal.h"
#include "sctp/wire.h"

/* The engine is given this much ahead of what it has transmitted: enough for a burst, and little enough that a message
 * of another stream does not wait behind it. */
#define AHEAD ((size_t)64 * 1024)
/* Of one stream, before the next one's turn. */
#define PIECE ((size_t)8 * 1024)
/* Streams that are looked at for one that may send. */
#define LOOK_AHEAD 16

/* The headers of a packet with one I-DATA chunk (RFC 9260 3.1, RFC 8260 2.1), and padding. */
#define HEADERS ((size_t)36)

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
  floe__sctp_note_sack(s, packet);
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

/* FAILED: the association is gone, and its end will be told. Else nothing may be lost without a word. */
static void refuse(floe__sctp *s, floe__engine_result r) {
  if (r == FLOE__ENGINE_NOT_DOABLE) floe__sctp_abort(s, "the engine refused a message", s->now);
}

/* Gives the engine up to `most` bytes of the stream's first message; false: it takes no more now. */
static bool feed_piece(floe__sctp *s, floe__sctp_stream *st, size_t most) {
  floe__sctp_message *m = st->first;
  floe__sctp_reliability reliability;
  if (!take_waiting_off(s, m, &reliability)) {
    drop_first(s, st);
    return true;
  }
  size_t left = m->len - m->at, taken = 0;
  floe_bytes piece = {.ptr = m->data + m->at, .len = left < most ? left : most};
  bool end = piece.len == left;
  floe__engine_result r = floe__engine_send(s->engine, st->id, m->ppid, piece, end, &reliability, &taken);
  if (r == FLOE__ENGINE_AGAIN) return false;
  if (r != FLOE__ENGINE_OK) {
    drop_first(s, st);
    refuse(s, r);
    return true;
  }
  m->at += taken;
  st->queued -= taken;
  s->queued -= taken;
  count_taken(s, st, taken);
  if (m->at == m->len) drop_first(s, st);
  return taken == piece.len;
}

/* usrsctp gives up, with a fragment, every chunk that was sent after it up to the next last fragment, of whatever
 * message: right where fragments follow each other (RFC 9260 6.9), the loss of others' messages where they interleave.
 * So a message in fragments that may be given up is alone in the engine until all of it was transmitted. */
static bool goes_alone(const floe__sctp *s, size_t len, const floe__sctp_reliability *r) {
  bool is_limited = r->has_max_retransmits || r->has_max_lifetime;
  return s->info.interleaving && is_limited && len > s->cfg.packet_max - HEADERS;
}

static void end_alone(floe__sctp *s) {
  if (s->in_engine == 0 && s->n_begun == 0) s->is_alone = false;
}

static bool is_in_part(const floe__sctp_stream *st) {
  return st->first != NULL && st->first->at > 0;
}

/* What a message in part may have in the engine, so that another one that is ready can begin. */
static size_t share_of_one(const floe__sctp *s) {
  size_t share = AHEAD / (s->n_begun + (s->ready_first != NULL ? 1 : 0));
  return share > PIECE ? share : PIECE;
}

/* usrsctp stops altogether at a message that it has in part and has sent all of: so each of these is kept supplied,
 * beyond AHEAD if need be. False: the engine takes no more now. */
static bool feed_begun(floe__sctp *s) {
  for (size_t i = 0; i < s->n_begun;) {
    floe__sctp_stream *st = s->begun[i];
    size_t share = share_of_one(s);
    bool goes_on = true;
    while (goes_on && is_in_part(st) && st->in_engine < share) goes_on = feed_piece(s, st, PIECE);
    if (is_in_part(st)) {
      i++;
    } else {
      st->is_begun = false;
      s->begun[i] = s->begun[--s->n_begun];
      if (st->first != NULL) push_ready(s, st);
    }
    if (!goes_on) return false;
  }
  return true;
}

/* A message goes whole where there is room, and in pieces where it is larger than that. Without interleaving one that
 * goes in pieces goes alone: RFC 9260 6.9 sends its fragments with TSNs in sequence. */
static bool can_begin(const floe__sctp *s, const floe__sctp_message *m) {
  if (s->is_alone || (!s->info.interleaving && s->n_begun > 0)) return false;
  if (goes_alone(s, m->len, &m->reliability) && (s->in_engine > 0 || s->n_begun > 0)) return false;
  size_t room = s->in_engine < AHEAD ? AHEAD - s->in_engine : 0;
  /* a place is left for one that the engine takes no more than a part of, against what was expected */
  return room > 0 && s->n_begun < (m->len <= room ? FLOE__SCTP_BEGUN_MAX : FLOE__SCTP_BEGUN_MAX - 1);
}

/* A stream whose first message can be begun, taken off the list; NULL: none, among those whose turn it is soon. */
static floe__sctp_stream *take_ready(floe__sctp *s) {
  for (int i = 0; i < LOOK_AHEAD && s->ready_first != NULL; i++) {
    floe__sctp_stream *st = s->ready_first;
    bool can = can_begin(s, st->first);
    if (!can && goes_alone(s, st->first->len, &st->first->reliability)) return NULL; /* else its turn never comes */
    pop_ready(s);
    if (can) return st;
    push_ready(s, st);
  }
  return NULL;
}

static void mark_begun(floe__sctp *s, floe__sctp_stream *st) {
  FLOE__ASSERT(s->n_begun < FLOE__SCTP_BEGUN_MAX);
  st->is_begun = true;
  s->begun[s->n_begun++] = st;
}

void floe__sctp_feed(floe__sctp *s) {
  if (s->state != FLOE__SCTP_CONNECTED) return;
  end_alone(s);
  bool goes_on = feed_begun(s);
  floe__sctp_stream *st;
  while (goes_on && s->in_engine < AHEAD && (st = take_ready(s)) != NULL) {
    size_t room = AHEAD - s->in_engine;
    bool alone = goes_alone(s, st->first->len, &st->first->reliability);
    goes_on = feed_piece(s, st, st->first->len <= room ? room : PIECE);
    s->is_alone = alone && s->in_engine > 0;
    if (is_in_part(st)) {
      mark_begun(s, st);
    } else if (st->first != NULL) {
      push_ready(s, st);
    }
  }
  if (s->resets != NULL) floe__sctp_ask_resets(s);
}

/* Queues a message of which the engine has the first `at` bytes. */
static floe_status queue_message(floe__sctp *s, floe__sctp_stream *st, uint32_t ppid, floe_bytes data, size_t at,
                                 const floe__sctp_reliability *r) {
  floe__sctp_message *m = floe__alloc(s->env, sizeof *m + data.len);
  if (m == NULL) return FLOE_E_NOMEM;
  *m = (floe__sctp_message){.ppid = ppid, .reliability = *r, .since = s->now, .len = data.len, .at = at};
  memcpy(m->data, data.ptr, data.len);
  if (st->last != NULL) {
    st->last->next = m;
  } else {
    st->first = m;
  }
  st->last = m;
  st->queued += data.len - at;
  s->queued += data.len - at;
  if (at > 0) {
    mark_begun(s, st);
  } else if (!st->is_begun) {
    push_ready(s, st);
  }
  return FLOE_OK;
}

/* Nothing waits before it and there is room: the engine copies it, and we do not. */
static bool can_go_directly(const floe__sctp *s, size_t len, const floe__sctp_reliability *r) {
  if (s->is_alone || (s->in_engine > 0 && goes_alone(s, len, r))) return false;
  return s->queued == 0 && s->in_engine < AHEAD && len <= AHEAD - s->in_engine;
}

static floe_status send_directly(floe__sctp *s, floe__sctp_stream *st, uint32_t ppid, floe_bytes data,
                                 const floe__sctp_reliability *r) {
  size_t taken = 0;
  floe__engine_result result = floe__engine_send(s->engine, st->id, ppid, data, true, r, &taken);
  if (result == FLOE__ENGINE_FAILED || result == FLOE__ENGINE_NOT_DOABLE) {
    refuse(s, result);
    return FLOE_E_STATE;
  }
  count_taken(s, st, taken);
  s->is_alone = taken > 0 && goes_alone(s, data.len, r);
  if (taken == data.len) return FLOE_OK;
  floe_status status = queue_message(s, st, ppid, data, taken, r);
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
  end_alone(s);
  if (can_go_directly(s, data.len, r)) return send_directly(s, st, ppid, data, r);
  floe_status status = queue_message(s, st, ppid, data, 0, r);
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
