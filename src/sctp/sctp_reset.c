/* Closing of streams (RFC 8831 6.7, RFC 6525): asking for it, and holding back what the peer asks too early. */
#include <string.h>

#include "sctp/crc32c.h"
#include "sctp/sctp_internal.h"
#include "sctp/wire.h"

#define COMMON_HEADER 12u
#define PATIENCE_MS   300  /* for everything to be acknowledged before a request goes out all the same */
#define HELD_MS       2000 /* the peer asks again */

floe_status floe__sctp_reset_stream(floe__sctp *s, uint16_t stream, floe_time now) {
  if (s->state != FLOE__SCTP_CONNECTED) return FLOE_E_STATE;
  if (stream >= s->streams_out) return FLOE_E_NOT_FOUND;
  floe__sctp_stream *st = floe__sctp_stream_make(s, stream);
  if (st == NULL) return FLOE_E_NOMEM;
  if (st->reset != FLOE__SCTP_RESET_NONE) return FLOE_OK;
  st->reset = FLOE__SCTP_RESET_WANTED;
  st->next_reset = s->resets;
  if (s->resets == NULL) s->resets_since = now;
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
    break;
  }
  s->resets_since = s->now;
}

/* A request names the last TSN sent before it, of any stream, and can be carried out only when all are there. usrsctp
 * answers an earlier one with "in progress" and may then forget it, so nothing is asked while data is under way; but in
 * a steady flow that moment never comes, and the flow itself makes usrsctp look again. */
static bool is_time_to_ask(const floe__sctp *s) {
  floe__engine_status status;
  if (s->now >= floe__after_ms(s->resets_since, PATIENCE_MS)) return true;
  return floe__engine_status_of(s->engine, &status) && status.unacknowledged == 0;
}

/* RFC 6525 5.1.2: one request at a time; it names all streams that wait. */
void floe__sctp_ask_resets(floe__sctp *s) {
  uint16_t ask[128];
  size_t n = 0;
  for (floe__sctp_stream *st = s->resets; st != NULL; st = st->next_reset) {
    if (st->reset == FLOE__SCTP_RESET_ASKED) return;
    bool is_empty = st->queued == 0 && st->in_engine == 0;
    if (st->reset == FLOE__SCTP_RESET_WANTED && is_empty && n < sizeof ask / sizeof *ask) ask[n++] = st->id;
  }
  if (n == 0 || !is_time_to_ask(s)) return;
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

void floe__sctp_note_sack(floe__sctp *s, floe_bytes packet) {
  if (floe__sctp_wire_cumulative_tsn(packet, &s->cumulative_tsn)) s->has_cumulative_tsn = true;
}

static bool is_complete_up_to(const floe__sctp *s, uint32_t tsn) {
  return (int32_t)(s->cumulative_tsn - tsn) >= 0; /* RFC 1982 */
}

/* A packet of its own with the chunk that was found; the rest of the packet goes on without it. */
static void hold(floe__sctp *s, floe_bytes packet, size_t at, size_t len, uint32_t last_tsn) {
  uint8_t *held = floe__alloc(s->env, packet.len + COMMON_HEADER);
  if (held == NULL) return; /* lost: the peer asks again */
  floe__free(s->env, s->held);
  s->held = held;
  s->held_len = COMMON_HEADER + len;
  s->held_tsn = last_tsn;
  s->held_until = floe__after_ms(s->now, HELD_MS);
  uint8_t *rest = held + s->held_len;
  size_t rest_len = packet.len - len;
  memcpy(rest, packet.ptr, at);
  memcpy(rest + at, packet.ptr + at + len, packet.len - at - len);
  memcpy(held, packet.ptr, COMMON_HEADER);
  memcpy(held + COMMON_HEADER, packet.ptr + at, len);
  floe__sctp_checksum_write(held, s->held_len);
  if (rest_len == COMMON_HEADER) return;
  floe__sctp_checksum_write(rest, rest_len);
  floe__engine_input(s->engine, (floe_bytes){.ptr = rest, .len = rest_len});
}

void floe__sctp_input(floe__sctp *s, floe_bytes packet) {
  size_t at, len;
  uint32_t tsn;
  if (!floe__sctp_checksum_is_right(packet)) return; /* RFC 9260 6.8: "silently discard" */
  if (!s->has_cumulative_tsn && floe__sctp_wire_initial_tsn(packet, &tsn)) s->cumulative_tsn = tsn - 1;
  /* usrsctp would answer a request for which data is still missing with "in progress", and look at it again only when
   * a further DATA chunk comes, which need not be. */
  if (floe__sctp_wire_find_reset(packet, &at, &len, &tsn) && !is_complete_up_to(s, tsn)) {
    hold(s, packet, at, len, tsn);
    return;
  }
  floe__engine_input(s->engine, packet);
}

void floe__sctp_release_held(floe__sctp *s) {
  if (s->held == NULL) return;
  if (is_complete_up_to(s, s->held_tsn)) {
    floe__engine_input(s->engine, (floe_bytes){.ptr = s->held, .len = s->held_len});
  } else if (s->now < s->held_until) {
    return;
  }
  floe__free(s->env, s->held);
  s->held = NULL;
}
