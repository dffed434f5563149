#include <stdio.h>
#include <string.h>

#include "sctp/sctp_internal.h"
#include "sctp/wire.h"

#define SCRATCH_MIN   4096u
#define SCRATCH_MAX   65536u
#define DENIALS_MAX   10u
#define PARTIAL_TOTAL ((size_t)64 * 1024 * 1024)

static void on_up(floe__sctp *s, const floe__engine_item *item) {
  if (s->state != FLOE__SCTP_CONNECTING) return;
  s->streams_in = item->streams_in;
  s->streams_out = item->streams_out;
  s->info.interleaving = item->interleaving;
  s->connected_due = true;
  floe__sctp_set_state(s, FLOE__SCTP_CONNECTED);
}

/* The text of a peer: what is not printable ASCII or part of a UTF-8 sequence does not go into a message for people. */
static void append_text(char *out, size_t cap, floe_bytes text) {
  size_t at = strlen(out);
  for (size_t i = 0; i < text.len && at + 1 < cap; i++) {
    uint8_t c = text.ptr[i];
    if (c == 0) break;
    out[at++] = c < 0x20 || c == 0x7F ? '?' : (char)c;
  }
  out[at] = '\0';
}

static void on_lost(floe__sctp *s, const floe__engine_item *item) {
  char text[FLOE__SCTP_TEXT];
  floe_bytes info = {0};
  if (item->timed_out) {
    floe__sctp_close(s, FLOE_CAUSE_SCTP_TIMEOUT,
                     s->state == FLOE__SCTP_CONNECTING ? "INIT or COOKIE ECHO was not answered"
                                                       : "what was sent was not acknowledged");
    return;
  }
  s->info.abort_is_ours = item->abort_is_ours;
  s->info.has_abort_code = floe__sctp_wire_abort(item->abort, &s->info.abort_code, &info);
  snprintf(text, sizeof text, "%s", s->info.has_abort_code ? floe__sctp_wire_cause_name(s->info.abort_code) : "");
  if (info.len > 0 && (s->info.abort_code == 12 || s->info.abort_code == 13)) { /* RFC 9260 3.3.10.12, 13: a text */
    append_text(text, sizeof text, (floe_bytes){.ptr = (const uint8_t *)": ", .len = 2});
    append_text(text, sizeof text, info);
  }
  floe__sctp_close(s, FLOE_CAUSE_SCTP_ABORT, text);
}

static void abort_because(floe__sctp *s, const char *why) {
  floe__sctp_abort(s, why, s->now);
}

static void drop_partial(floe__sctp *s, uint16_t stream) {
  floe__sctp_stream *st = floe__sctp_stream_of(s, stream);
  if (st == NULL) return;
  floe__free(s->env, st->partial);
  s->partial_total -= st->partial_len;
  st->partial = NULL;
  st->partial_len = st->partial_cap = 0;
}

/* Of messages that have begun to come, on all streams: a peer may begin one on each. */
static size_t partial_total_max(const floe__sctp *s) {
  if (s->cfg.receive_max <= PARTIAL_TOTAL / 2) return PARTIAL_TOTAL;
  return s->cfg.receive_max > SIZE_MAX / 2 ? SIZE_MAX : s->cfg.receive_max * 2;
}

/* False: aborted. */
static bool append_partial(floe__sctp *s, floe__sctp_stream *st, const uint8_t *data, size_t len) {
  if (len > s->cfg.receive_max - st->partial_len) {
    abort_because(s, "a message is larger than max-message-size allows");
    return false;
  }
  void *grown = st->partial;
  if (len > partial_total_max(s) - s->partial_total ||
      !floe__reserve(s->env, &grown, &st->partial_cap, 1, st->partial_len + len)) {
    abort_because(s, "out of memory for messages");
    return false;
  }
  st->partial = grown;
  memcpy(st->partial + st->partial_len, data, len);
  st->partial_len += len;
  s->partial_total += len;
  return true;
}

static bool grow_scratch(floe__sctp *s) {
  size_t cap = s->scratch_cap == 0 ? SCRATCH_MIN : SCRATCH_MAX;
  uint8_t *grown = floe__alloc(s->env, cap);
  if (grown == NULL) return false;
  floe__free(s->env, s->scratch);
  s->scratch = grown;
  s->scratch_cap = cap;
  return true;
}

/* True: a whole message, and it is in `out`. */
static bool on_piece(floe__sctp *s, const floe__engine_item *item, floe__sctp_event *out) {
  floe__sctp_stream *st = floe__sctp_stream_of(s, item->stream);
  *out = (floe__sctp_event){.type = FLOE__SCTP_EVENT_MESSAGE, .stream = item->stream, .ppid = item->ppid};
  bool is_whole = item->end && (st == NULL || st->partial_len == 0);
  if (is_whole && item->len <= s->cfg.receive_max) {
    out->data = (floe_bytes){.ptr = s->scratch, .len = item->len};
    return true;
  }
  st = floe__sctp_stream_make(s, item->stream);
  if (st == NULL) {
    abort_because(s, "out of memory for messages");
    return false;
  }
  if (!append_partial(s, st, s->scratch, item->len)) return false;
  if (!item->end) {
    if (item->len == s->scratch_cap && s->scratch_cap < SCRATCH_MAX) (void)grow_scratch(s);
    return false;
  }
  out->data = (floe_bytes){.ptr = st->partial, .len = st->partial_len};
  s->told = st->partial;
  s->partial_total -= st->partial_len;
  st->partial = NULL;
  st->partial_len = st->partial_cap = 0;
  return true;
}

/* Asked for again at the next tick, but not for ever. */
static void on_reset_denied(floe__sctp *s) {
  s->denials++;
  for (floe__sctp_stream *st = s->resets; st != NULL; st = st->next_reset) {
    if (st->reset != FLOE__SCTP_RESET_ASKED) continue;
    if (s->denials < DENIALS_MAX) {
      st->reset = FLOE__SCTP_RESET_WANTED;
    } else {
      floe__sctp_reset_give_up(s, st);
    }
  }
}

static void on_reset(floe__sctp *s, const floe__engine_item *item) {
  if (s->state != FLOE__SCTP_CONNECTED) return; /* usrsctp takes a request in the handshake too */
  if (item->outgoing && item->denied) {
    on_reset_denied(s);
    return;
  }
  if (item->denied) return;
  s->denials = 0;
  s->reset_list = *item;
  s->reset_at = 0;
  s->reset_n = item->n_streams > 0 ? item->n_streams : item->incoming ? s->streams_in : s->streams_out;
}

static bool next_reset(floe__sctp *s, floe__sctp_event *out) {
  while (s->reset_at < s->reset_n) {
    uint16_t stream = (uint16_t)s->reset_at;
    if (s->reset_list.n_streams > 0)
      memcpy(&stream, s->reset_list.streams + s->reset_at * sizeof stream, sizeof stream);
    s->reset_at++;
    if (s->reset_list.incoming) {
      drop_partial(s, stream);
      *out = (floe__sctp_event){.type = FLOE__SCTP_EVENT_RESET_IN, .stream = stream};
      return true;
    }
    floe__sctp_stream *st = floe__sctp_stream_of(s, stream);
    if (st == NULL || st->reset == FLOE__SCTP_RESET_NONE) continue;
    floe__sctp_reset_done(s, st);
    *out = (floe__sctp_event){.type = FLOE__SCTP_EVENT_RESET_OUT, .stream = stream};
    return true;
  }
  return false;
}

/* Resets that ended without an answer of the peer's. */
static bool next_given_up(floe__sctp *s, floe__sctp_event *out) {
  if (s->given_up == 0) return false;
  for (floe__sctp_stream *st = s->resets; st != NULL; st = st->next_reset) {
    if (st->reset != FLOE__SCTP_RESET_DONE) continue;
    floe__sctp_reset_done(s, st);
    *out = (floe__sctp_event){.type = FLOE__SCTP_EVENT_RESET_OUT, .stream = st->id};
    return true;
  }
  return false;
}

/* True: it is an event by itself, and in `out`. */
static bool on_item(floe__sctp *s, const floe__engine_item *item, floe__sctp_event *out) {
  switch (item->type) {
    case FLOE__ENGINE_NOTHING: return false;
    case FLOE__ENGINE_PIECE: return on_piece(s, item, out);
    case FLOE__ENGINE_DROPPED: drop_partial(s, item->stream); return false;
    case FLOE__ENGINE_UP: on_up(s, item); return false;
    case FLOE__ENGINE_RESTARTED: abort_because(s, "the peer has begun a new association"); return false;
    case FLOE__ENGINE_SHUT_DOWN: floe__sctp_close(s, FLOE_CAUSE_NONE, ""); return false;
    case FLOE__ENGINE_LOST: on_lost(s, item); return false;
    case FLOE__ENGINE_RESET: on_reset(s, item); return false;
    case FLOE__ENGINE_UNSENT: {
      floe__sctp_stream *st = floe__sctp_stream_of(s, item->stream);
      if (st != NULL) floe__sctp_left(s, st, item->len);
      return false;
    }
  }
  return false;
}

static bool next_small(floe__sctp *s, floe__sctp_event *out) {
  if (s->connected_due) {
    s->connected_due = false;
    *out = (floe__sctp_event){
        .type = FLOE__SCTP_EVENT_CONNECTED, .streams_in = s->streams_in, .streams_out = s->streams_out};
    return true;
  }
  return next_reset(s, out) || next_given_up(s, out);
}

static bool next_sent(floe__sctp *s, floe__sctp_event *out) {
  floe__sctp_stream *st = s->sent_first;
  if (st == NULL) return false;
  s->sent_first = st->next_sent;
  if (s->sent_first == NULL) s->sent_last = NULL;
  st->is_sent = false;
  *out = (floe__sctp_event){.type = FLOE__SCTP_EVENT_SENT, .stream = st->id};
  return true;
}

static bool next_received(floe__sctp *s, floe__sctp_event *out) {
  while (s->state != FLOE__SCTP_CLOSED && floe__engine_has_item(s->engine)) {
    if (s->scratch == NULL && !grow_scratch(s)) return false; /* later */
    floe__engine_item item;
    floe__engine_receive(s->engine, s->scratch, s->scratch_cap, &item);
    if (!item.more) return false;
    if (on_item(s, &item, out) || next_small(s, out)) return true;
  }
  return false;
}

bool floe__sctp_next_event(floe__sctp *s, floe__sctp_event *out) {
  floe__free(s->env, s->told);
  s->told = NULL;
  if (next_small(s, out) || next_received(s, out) || next_sent(s, out)) return true;
  if (!s->closed_due) return false;
  s->closed_due = false;
  *out = (floe__sctp_event){.type = FLOE__SCTP_EVENT_CLOSED};
  return true;
}
