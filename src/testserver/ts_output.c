/* What the server wants done: outputs in the order they came up, answers held back, and the wait. */
#include <string.h>

#include "testserver/ts_internal.h"

bool floe__ts_push(floe__testserver *ts, const floe__ts_output *out, floe_bytes data, bool bytewise) {
  if (data.len > FLOE__TS_QUEUE_MAX - ts->queued) return false;
  floe__ts_item *item = floe__alloc(ts->env, sizeof *item + data.len);
  if (item == NULL) return false;
  *item = (floe__ts_item){.out = *out, .bytewise = bytewise, .len = data.len};
  if (data.len > 0) memcpy(item->bytes, data.ptr, data.len);
  item->out.data = (floe_bytes){item->bytes, data.len};
  ts->queued += data.len;
  if (ts->last != NULL) {
    ts->last->next = item;
  } else {
    ts->first = item;
  }
  ts->last = item;
  return true;
}

static floe__ts_item *pop(floe__testserver *ts) {
  floe__ts_item *item = ts->first;
  ts->first = item->next;
  if (ts->first == NULL) ts->last = NULL;
  ts->queued -= item->len;
  return item;
}

/* --- messages to clients ---------------------------------------------------------------------------------------- */

void floe__ts_send(floe__testserver *ts, const floe__ts_flow *flow, floe_bytes message) {
  if (flow->conn != 0) {
    floe__ts_stream *s = floe__ts_find_stream(ts, flow->conn);
    if (s != NULL) floe__ts_stream_write(ts, s, message);
    return;
  }
  floe__ts_output out = {.type = FLOE__TS_SEND, .listener = flow->port->id, .to = flow->from};
  (void)floe__ts_push(ts, &out, message, false); /* a datagram may be lost */
}

void floe__ts_send_late(floe__testserver *ts, const floe__ts_flow *flow, floe_bytes message, uint32_t delay_ms) {
  if (message.len > FLOE__TS_QUEUE_MAX - ts->queued) return;
  floe__ts_late *late = floe__alloc(ts->env, sizeof *late + message.len);
  if (late == NULL) return;
  *late = (floe__ts_late){.due_at = floe__after_ms(ts->now, delay_ms), .flow = *flow, .len = message.len};
  memcpy(late->bytes, message.ptr, message.len);
  ts->queued += late->len;
  bool is_last = ts->late_end != NULL && ts->late_end->due_at <= late->due_at;
  floe__ts_late **at = is_last ? &ts->late_end->next : &ts->late;
  while (*at != NULL && (*at)->due_at <= late->due_at) at = &(*at)->next;
  late->next = *at;
  *at = late;
  if (late->next == NULL) ts->late_end = late;
}

static floe__ts_late *take_late(floe__testserver *ts, floe__ts_late **at) {
  floe__ts_late *late = *at;
  *at = late->next;
  if (ts->late_end == late) ts->late_end = NULL;
  ts->queued -= late->len;
  return late;
}

void floe__ts_flush_late(floe__testserver *ts) {
  while (ts->late != NULL && ts->late->due_at <= ts->now) {
    floe__ts_late *late = take_late(ts, &ts->late);
    floe__ts_send(ts, &late->flow, (floe_bytes){late->bytes, late->len});
    floe__free(ts->env, late);
  }
}

/* --- forgetting ------------------------------------------------------------------------------------------------- */

void floe__ts_drop_conn(floe__testserver *ts, floe__ts_conn conn) {
  for (floe__ts_late **at = &ts->late; *at != NULL;) {
    if ((*at)->flow.conn == conn) {
      floe__free(ts->env, take_late(ts, at));
    } else {
      at = &(*at)->next;
    }
  }
  floe__ts_item *kept = ts->first;
  ts->first = ts->last = NULL;
  while (kept != NULL) {
    floe__ts_item *item = kept;
    kept = item->next;
    item->next = NULL;
    if (item->out.type == FLOE__TS_SEND_CONN && item->out.conn == conn) {
      ts->queued -= item->len;
      floe__free(ts->env, item);
      continue;
    }
    if (ts->last != NULL) {
      ts->last->next = item;
    } else {
      ts->first = item;
    }
    ts->last = item;
  }
}

void floe__ts_output_clear(floe__testserver *ts) {
  floe__free(ts->env, ts->polled);
  ts->polled = NULL;
  while (ts->first != NULL) floe__free(ts->env, pop(ts));
  while (ts->late != NULL) floe__free(ts->env, take_late(ts, &ts->late));
}

/* --- polling ---------------------------------------------------------------------------------------------------- */

static floe__deadline next_deadline(const floe__testserver *ts) {
  floe__deadline d = FLOE__NO_DEADLINE;
  if (ts->late != NULL) d = floe__deadline_at(ts->late->due_at, "testserver.late");
  for (const floe__ts_allocation *a = ts->allocations; a != NULL; a = a->next) {
    d = floe__earliest(d, floe__deadline_at(a->expires_at, "testserver.allocation"));
  }
  return d;
}

static void poll_item(floe__testserver *ts, floe__ts_output *out) {
  floe__ts_item *item = ts->first;
  *out = item->out;
  if (item->bytewise && item->out.data.len > 1) {
    out->data.len = 1;
    item->out.data.ptr++;
    item->out.data.len--;
    return;
  }
  ts->polled = pop(ts);
}

/* Connections and relay sockets close after all that was written to them. */
static bool poll_closing(floe__testserver *ts, floe__ts_output *out) {
  if (ts->closing != NULL) {
    floe__ts_stream *s = ts->closing;
    ts->closing = s->next;
    *out = (floe__ts_output){.type = FLOE__TS_CLOSE_CONN, .conn = s->id, .reset = s->reset};
    floe__ts_stream_free(ts, s);
    return true;
  }
  if (ts->n_closing_relays == 0) return false;
  *out = (floe__ts_output){.type = FLOE__TS_CLOSE_RELAY, .relay = ts->closing_relays[--ts->n_closing_relays]};
  return true;
}

void floe__testserver_poll(floe__testserver *ts, floe__ts_output *out) {
  floe__free(ts->env, ts->polled);
  ts->polled = NULL;
  if (ts->first != NULL) {
    poll_item(ts, out);
    return;
  }
  floe__ts_sweep_streams(ts);
  if (poll_closing(ts, out)) return;
  *out = (floe__ts_output){.type = FLOE__TS_WAIT, .wait = next_deadline(ts)};
}
