/* Messages of channels, and what the association tells about their streams (webrtc-pc 6.2, RFC 8831 6.6, 6.7). */
#include <string.h>

#include "base/utf8.h"
#include "pc/channel_internal.h"
#include "pc/pc_internal.h"
#include "pc/trace.h"

/* --- sending
 * ------------------------------------------------------------------------------------------------------------ */

/* What announces a channel, and the byte of an empty message, are of the protocol: they go before the bytes of
 * messages, or beside them, and are none (webrtc-pc 6.2: "bytes of application data"). */
static size_t count_buffered(const floe_data_channel *c) {
  size_t all = floe__sctp_buffered(c->pc->transport.sctp, c->id);
  return all < c->bytes_sent ? all : (size_t)c->bytes_sent;
}

size_t floe__channel_buffered(const floe_data_channel *c) {
  /* webrtc-pc 6.2: it does not go down when the channel closes. */
  if (c->state == FLOE_DATA_CHANNEL_CLOSED || !c->has_id || !floe__transport_is_sctp_connected(c->pc)) {
    return c->buffered;
  }
  return count_buffered(c);
}

static floe_status send(floe_data_channel *c, floe_time now, floe_bytes data, uint32_t ppid, uint32_t empty_ppid) {
  floe_pc *pc = c->pc;
  floe__pc_advance(pc, now);
  if (c->state != FLOE_DATA_CHANNEL_OPEN || pc->transport.sctp == NULL) return FLOE_E_STATE;
  if (data.len > floe__transport_max_message_size(pc)) return FLOE_E_TOO_LARGE;
  static const uint8_t zero;
  floe_bytes bytes = data.len == 0 ? (floe_bytes){&zero, 1} : data; /* RFC 8831 6.6: SCTP has no empty messages */
  floe__sctp_reliability r = c->reliability;
  if (!c->is_acknowledged) r.unordered = false; /* RFC 8832 6: nothing overtakes the OPEN */
  floe_status st = c->owes_open
                       ? FLOE_E_AGAIN
                       : floe__sctp_send(pc->transport.sctp, c->id, data.len == 0 ? empty_ppid : ppid, bytes, &r, now);
  if (st == FLOE_E_AGAIN) floe__channel_starve(c, true);
  if (st != FLOE_OK) return st;
  if (c->messages_sent++ == 0) floe__pc_trace_first_message(c, true, data.len);
  c->bytes_sent += data.len;
  c->buffered = count_buffered(c);
  floe__transport_pump(pc);
  return FLOE_OK;
}

floe_status floe_data_channel_send(floe_data_channel *c, floe_time now, floe_bytes data) {
  return send(c, now, data, FLOE__PPID_BINARY, FLOE__PPID_BINARY_EMPTY);
}

floe_status floe_data_channel_send_text(floe_data_channel *c, floe_time now, floe_bytes text) {
  size_t offset;
  if (!floe__utf8_is_valid(text, &offset)) return FLOE_E_SYNTAX;
  return send(c, now, text, FLOE__PPID_STRING, FLOE__PPID_STRING_EMPTY);
}

static void tell_low(floe_data_channel *c) {
  floe_pc *pc = c->pc;
  size_t before = c->buffered;
  c->buffered = count_buffered(c);
  bool fell = before > c->threshold && c->buffered <= c->threshold;
  bool has_room = floe__sctp_buffered_all(pc->transport.sctp) <= pc->settings.cfg.max_buffered_amount / 2;
  if (!fell && !(c->is_starved && has_room)) return;
  if (c->state != FLOE_DATA_CHANNEL_OPEN) return;
  if (has_room) floe__channel_starve(c, false);
  floe__channel_tell(c, FLOE__CHANNEL_LOW);
}

/* What one stream has sent makes room for all. */
void floe__channels_on_sent(floe_pc *pc, uint16_t stream) {
  floe__channels *l = &pc->channels;
  floe__channels_pay(pc);
  floe_data_channel *c = floe__channels_find(pc, stream);
  if (c != NULL) tell_low(c);
  for (size_t i = 0; i < l->n_ids && l->n_starved > 0; i++) {
    if (l->by_id[i]->is_starved && l->by_id[i] != c) tell_low(l->by_id[i]);
  }
}

/* --- receiving
 * ------------------------------------------------------------------------------------------------------------- */

static bool is_empty(uint32_t ppid) {
  return ppid == FLOE__PPID_STRING_EMPTY || ppid == FLOE__PPID_BINARY_EMPTY;
}

static bool is_message(uint32_t ppid) {
  return ppid == FLOE__PPID_STRING || ppid == FLOE__PPID_BINARY || is_empty(ppid);
}

/* webrtc-pc 6.2: a text is what decoding its bytes gives: each that belongs to no sequence becomes U+FFFD. False: no
 * memory. */
static bool repair(floe_pc *pc, floe_bytes *text) {
  static const uint8_t replacement[] = {0xEF, 0xBF, 0xBD};
  floe__free(pc->env, pc->channels.repaired);
  pc->channels.repaired = NULL;
  size_t valid;
  if (floe__utf8_is_valid(*text, &valid)) return true;
  uint8_t *out = text->len > SIZE_MAX / 3 ? NULL : floe__alloc(pc->env, 3 * text->len);
  if (out == NULL) return false;
  size_t len = 0;
  floe_bytes rest = *text;
  while (!floe__utf8_is_valid(rest, &valid)) {
    memcpy(out + len, rest.ptr, valid);
    memcpy(out + len + valid, replacement, sizeof replacement);
    len += valid + sizeof replacement;
    rest = (floe_bytes){rest.ptr + valid + 1, rest.len - valid - 1};
  }
  if (rest.len > 0) memcpy(out + len, rest.ptr, rest.len);
  *text = (floe_bytes){out, len + rest.len};
  pc->channels.repaired = out;
  return true;
}

bool floe__channels_on_message(floe_pc *pc, const floe__sctp_event *event, floe_event *out) {
  if (event->ppid == FLOE__PPID_DCEP) {
    floe__channels_on_dcep(pc, event->stream, event->data);
    return false;
  }
  floe_data_channel *c = floe__channels_find(pc, event->stream);
  /* webrtc-pc 6.2 "receiving": only while it is open. Partial messages of old (PPIDs 52, 54) are not used any more. */
  if (c == NULL || c->state != FLOE_DATA_CHANNEL_OPEN || c->is_released || !is_message(event->ppid)) return false;
  floe_bytes data = is_empty(event->ppid) ? (floe_bytes){NULL, 0} : event->data;
  if (event->ppid == FLOE__PPID_STRING && !repair(pc, &data)) return false;
  c->is_acknowledged = true; /* RFC 8832 6: a message says as much as an ACK */
  if (c->messages_received++ == 0) floe__pc_trace_first_message(c, false, data.len);
  c->bytes_received += data.len;
  memset(out, 0, sizeof *out);
  out->type = FLOE_EVENT_MESSAGE;
  out->u.message =
      (floe_channel_message){.channel = c,
                             .data = data,
                             .is_binary = event->ppid == FLOE__PPID_BINARY || event->ppid == FLOE__PPID_BINARY_EMPTY};
  return true;
}

/* --- streams that close
 * ------------------------------------------------------------------------------------------------------ */

static void finish_when_both(floe_data_channel *c) {
  if (c->reset_in && c->reset_out) floe__channel_finish(c);
}

void floe__channels_on_reset_in(floe_pc *pc, uint16_t stream) {
  floe_data_channel *c = floe__channels_find(pc, stream);
  if (c == NULL) return;
  c->reset_in = true;
  if (c->state == FLOE_DATA_CHANNEL_OPEN) {
    floe__channel_go(c, FLOE_DATA_CHANNEL_CLOSING);
    floe__channel_tell(c, FLOE__CHANNEL_CLOSING);
    floe__channel_reset(c);
    floe__transport_pump(pc);
    return;
  }
  finish_when_both(c);
}

void floe__channels_on_reset_out(floe_pc *pc, uint16_t stream) {
  floe_data_channel *c = floe__channels_find(pc, stream);
  if (c == NULL) return;
  c->reset_out = true;
  finish_when_both(c);
}

/* webrtc-pc 6.2, "closed abruptly": error, then close. */
static void close_abruptly(floe_data_channel *c, bool is_error) {
  c->buffered = floe__channel_buffered(c);
  if (is_error && c->state != FLOE_DATA_CHANNEL_CLOSED) floe__channel_tell(c, FLOE__CHANNEL_ERROR);
  floe__channel_finish(c);
}

void floe__channels_on_transport_closed(floe_pc *pc, floe_cause cause) {
  floe__channels *l = &pc->channels;
  for (size_t i = 0; i < l->n; i++) close_abruptly(l->list[i], cause != FLOE_CAUSE_NONE);
  while (l->n_released > 0) floe__channel_finish(l->released[l->n_released - 1]);
}
