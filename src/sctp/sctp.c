#include <string.h>

#include "base/assert.h"
#include "base/trace.h"
#include "base/writer.h"
#include "sctp/sctp_internal.h"
#include "sctp/wire.h"

#define TICK_MS        10 /* usrsctp cannot tell its next deadline */
#define QUIET_MS       250 /* after which nothing of an association that has sent all is under way: a SACK is owed 10 ms */
#define FEW            4u /* RFC 9260 7.2.4: three reports of a missing packet have it sent again */
#define EARLY_MAX      4096u
#define PACKET_MIN     512u
#define PACKET_DEFAULT 1144u
#define KIB            1024u

static floe__sctp_config with_defaults(const floe__sctp_config *cfg) {
  floe__sctp_config c = *cfg;
  if (c.local_port == 0) c.local_port = 5000;
  if (c.remote_port == 0) c.remote_port = 5000;
  if (c.streams == 0) c.streams = 1024;
  if (c.packet_max == 0) c.packet_max = PACKET_DEFAULT;
  if (c.packet_max < PACKET_MIN) c.packet_max = PACKET_MIN;
  if (c.receive_max == 0) c.receive_max = 256 * KIB;
  if (c.send_buffer == 0) c.send_buffer = 1024 * KIB;
  if (c.receive_buffer == 0) c.receive_buffer = 1024 * KIB;
  return c;
}

floe__sctp *floe__sctp_new(floe_env *env, const floe__sctp_config *cfg, floe_time now) {
  floe__sctp *s = floe__zalloc(env, sizeof *s);
  if (s == NULL) return NULL;
  s->env = env;
  s->cfg = with_defaults(cfg);
  s->now = now;
  s->engine = floe__engine_open(&s->cfg);
  if (s->engine != NULL) return s;
  floe__free(env, s);
  return NULL;
}

static void free_streams(floe__sctp *s) {
  for (size_t p = 0; p < sizeof s->pages / sizeof *s->pages; p++) {
    if (s->pages[p] == NULL) continue;
    for (size_t i = 0; i < FLOE__SCTP_PAGE; i++) {
      floe__sctp_stream *st = s->pages[p][i];
      if (st == NULL) continue;
      floe__sctp_clear_messages(s, st);
      floe__free(s->env, st->partial);
      floe__free(s->env, st);
    }
    floe__free(s->env, s->pages[p]);
  }
}

void floe__sctp_free(floe__sctp *s) {
  if (s == NULL) return;
  floe__engine_close(s->engine);
  free_streams(s);
  floe__free(s->env, s->early);
  floe__free(s->env, s->held);
  floe__free(s->env, s->scratch);
  floe__free(s->env, s->told);
  floe__free(s->env, s);
}

static const char *state_name(floe__sctp_state state) {
  switch (state) {
    case FLOE__SCTP_NEW: return "new";
    case FLOE__SCTP_CONNECTING: return "connecting";
    case FLOE__SCTP_CONNECTED: return "connected";
    case FLOE__SCTP_CLOSED: return "closed";
  }
  return "?";
}

static void trace_end(floe__trace *t, const floe__sctp_info *info) {
  floe__trace_text(t, "cause", floe_cause_id(info->cause));
  if (info->cause == FLOE_CAUSE_SCTP_ABORT) floe__trace_text(t, "by", info->abort_is_ours ? "us" : "peer");
  if (info->has_abort_code) floe__trace_int(t, "code", info->abort_code);
  floe__trace_text(t, "text", info->text);
}

static void trace_state(const floe__sctp *s, floe__sctp_state to) {
  floe__trace t;
  if (!floe__trace_begin(&t, s->env, s->now, "sctp.state")) return;
  floe__trace_text(&t, "from", state_name(s->state));
  floe__trace_text(&t, "to", state_name(to));
  if (to == FLOE__SCTP_CONNECTED) {
    floe__trace_int(&t, "streams_in", s->streams_in);
    floe__trace_int(&t, "streams_out", s->streams_out);
    floe__trace_int(&t, "interleaving", s->info.interleaving);
  }
  if (to == FLOE__SCTP_CLOSED) trace_end(&t, &s->info);
  floe__trace_end(&t);
}

void floe__sctp_set_state(floe__sctp *s, floe__sctp_state to) {
  FLOE__ASSERT(s->state != FLOE__SCTP_CLOSED && to > s->state);
  trace_state(s, to);
  s->state = to;
}

void floe__sctp_close(floe__sctp *s, floe_cause cause, const char *text) {
  if (s->state == FLOE__SCTP_CLOSED) return;
  size_t len = strlen(text);
  if (len >= sizeof s->text) len = sizeof s->text - 1;
  memcpy(s->text, text, len);
  s->text[len] = '\0';
  s->info.cause = cause;
  s->info.text = len > 0 ? s->text : NULL;
  s->closed_due = true;
  s->is_active = false;
  floe__sctp_set_state(s, FLOE__SCTP_CLOSED);
}

floe__sctp_stream *floe__sctp_stream_of(const floe__sctp *s, uint16_t id) {
  floe__sctp_stream **page = s->pages[id / FLOE__SCTP_PAGE];
  return page == NULL ? NULL : page[id % FLOE__SCTP_PAGE];
}

floe__sctp_stream *floe__sctp_stream_make(floe__sctp *s, uint16_t id) {
  floe__sctp_stream *st = floe__sctp_stream_of(s, id);
  if (st != NULL) return st;
  floe__sctp_stream ***page = &s->pages[id / FLOE__SCTP_PAGE];
  if (*page == NULL) *page = floe__zalloc(s->env, FLOE__SCTP_PAGE * sizeof **page);
  if (*page == NULL) return NULL;
  st = floe__zalloc(s->env, sizeof *st);
  if (st == NULL) return NULL;
  st->id = id;
  (*page)[id % FLOE__SCTP_PAGE] = st;
  return st;
}

void floe__sctp_touch(floe__sctp *s, floe_time now) {
  s->now = now;
  if (s->state == FLOE__SCTP_NEW || s->state == FLOE__SCTP_CLOSED) return;
  s->is_active = true;
  s->quiet_at = floe__after_ms(now, QUIET_MS);
}

/* usrsctp does not restart its retransmission timer when a SACK comes, as RFC 9260 6.3.2 R3 has it, but lets it run out
 * and then takes what is older than the round trip for lost: on a path in steady use that closes the congestion window
 * for nothing, each time. So the timer is short only while few packets are under way, when nothing else would tell. */
static void judge_bulk(floe__sctp *s, const floe__engine_status *status) {
  bool is_bulk = floe__sctp_buffered_all(s) > 0 || status->unacknowledged > FEW;
  if (is_bulk == s->is_bulk) return;
  s->is_bulk = is_bulk;
  floe__engine_set_bulk(s->engine, is_bulk);
}

/* RFC 9260 6.1 A: a peer whose window stays closed is not gone as long as it answers; usrsctp counts it out. */
static void judge_blocked(floe__sctp *s, const floe__engine_status *status) {
  bool is_blocked = status->receiver_window == 0;
  if (is_blocked == s->is_blocked) return;
  s->is_blocked = is_blocked;
  floe__engine_set_blocked(s->engine, is_blocked);
}

static void judge(floe__sctp *s, floe_time now) {
  floe__engine_status status;
  if (s->state != FLOE__SCTP_CONNECTED || now < floe__after_ms(s->judged_at, TICK_MS)) return;
  s->judged_at = now;
  if (!floe__engine_status_of(s->engine, &status)) return;
  judge_bulk(s, &status);
  judge_blocked(s, &status);
}

static void advance(floe__sctp *s, floe_time now) {
  s->now = now;
  judge(s, now);
  floe__engine_advance(s->engine, now, s->is_active);
}

/* What the peer sent before we were asked to connect. */
static void input_early(floe__sctp *s) {
  floe__reader r = floe__reader_of((floe_bytes){.ptr = s->early, .len = s->early_len});
  while (floe__rd_left(&r) > 0) {
    size_t len = floe__rd_u16(&r);
    floe__sctp_input(s, floe__rd_take(&r, len));
  }
  floe__free(s->env, s->early);
  s->early = NULL;
  s->early_len = 0;
}

void floe__sctp_connect(floe__sctp *s, floe_time now) {
  if (s->state != FLOE__SCTP_NEW) return;
  advance(s, now);
  floe__sctp_set_state(s, FLOE__SCTP_CONNECTING);
  floe__sctp_touch(s, now);
  if (floe__engine_connect(s->engine) != FLOE__ENGINE_OK) {
    floe__sctp_close(s, FLOE_CAUSE_SCTP_ABORT, "the association could not be begun");
    return;
  }
  input_early(s);
}

/* RFC 8841 lets both sides begin: a peer's INIT may be here first. It is repeated, so one that cannot be kept is lost
 * like any other. */
static void keep_early(floe__sctp *s, floe_bytes packet) {
  size_t need = s->early_len + 2 + packet.len;
  if (need > EARLY_MAX) return;
  if (s->early == NULL) s->early = floe__alloc(s->env, EARLY_MAX);
  if (s->early == NULL) return;
  floe__writer w = floe__writer_of(s->early, EARLY_MAX);
  w.len = s->early_len;
  floe__wr_u16(&w, (uint16_t)packet.len);
  floe__wr_bytes(&w, packet.ptr, packet.len);
  s->early_len = w.len;
}

void floe__sctp_on_packet(floe__sctp *s, floe_bytes packet, floe_time now) {
  if (packet.len == 0 || packet.len > UINT16_MAX || s->state == FLOE__SCTP_CLOSED) return;
  if (s->state == FLOE__SCTP_NEW) {
    keep_early(s, packet);
    return;
  }
  advance(s, now);
  floe__sctp_touch(s, now);
  floe__sctp_input(s, packet);
  floe__sctp_feed(s);
}

/* Is anything outstanding that a timer of the engine watches? */
static bool is_outstanding(floe__sctp *s) {
  if (s->state == FLOE__SCTP_CONNECTING) return true;
  if (s->state != FLOE__SCTP_CONNECTED) return false;
  floe__engine_status status;
  if (!floe__engine_status_of(s->engine, &status)) return floe__engine_has_item(s->engine);
  /* What was abandoned (RFC 3758) is not always told. */
  if (status.queued == 0) floe__sctp_all_left(s);
  return status.queued > 0 || status.unacknowledged > 0 || s->queued > 0 || s->held != NULL || s->resets != NULL ||
         s->now < s->quiet_at;
}

static void trim(floe__sctp *s) {
  floe__engine_trim(s->engine);
  floe__free(s->env, s->told);
  s->told = NULL;
  if (s->reset_at < s->reset_n) return; /* the list is in there */
  floe__free(s->env, s->scratch);
  s->scratch = NULL;
  s->scratch_cap = 0;
}

void floe__sctp_on_deadline(floe__sctp *s, floe_time now) {
  if (s->state == FLOE__SCTP_NEW || s->state == FLOE__SCTP_CLOSED) return;
  advance(s, now);
  floe__sctp_release_held(s);
  if (s->is_active) {
    s->is_active = is_outstanding(s);
    if (!s->is_active) trim(s);
  }
  floe__sctp_feed(s);
}

floe__deadline floe__sctp_deadline(const floe__sctp *s) {
  if (!s->is_active) return FLOE__NO_DEADLINE;
  return floe__deadline_at(floe__after_ms(s->now, TICK_MS), "sctp.tick");
}

floe__sctp_state floe__sctp_state_of(const floe__sctp *s) {
  return s->state;
}

const floe__sctp_info *floe__sctp_info_of(floe__sctp *s) {
  floe__engine_status status;
  if (s->state == FLOE__SCTP_CONNECTED && floe__engine_status_of(s->engine, &status)) {
    s->info.congestion_window = status.congestion_window;
    s->info.receiver_window = status.receiver_window;
    s->info.path_mtu = status.path_mtu;
    s->info.unacknowledged = status.unacknowledged;
    s->info.smoothed_rtt_ms = status.smoothed_rtt_ms;
    s->info.has_smoothed_rtt = status.smoothed_rtt_ms > 0;
  }
  return &s->info;
}

void floe__sctp_abort(floe__sctp *s, const char *text, floe_time now) {
  if (s->state == FLOE__SCTP_CLOSED) return;
  s->now = now;
  if (s->state != FLOE__SCTP_NEW) floe__engine_abort(s->engine, text == NULL ? "" : text);
  s->info.has_abort_code = true;
  s->info.abort_code = 12; /* RFC 9260 3.3.10.12 */
  s->info.abort_is_ours = true;
  floe__sctp_close(s, FLOE_CAUSE_SCTP_ABORT, text == NULL ? "" : text);
}

void floe__sctp_set_packet_max(floe__sctp *s, size_t packet_max) {
  s->cfg.packet_max = packet_max < PACKET_MIN ? PACKET_MIN : packet_max;
  floe__engine_set_packet_max(s->engine, s->cfg.packet_max);
}

bool floe__sctp_next_packet(floe__sctp *s, floe_bytes *out) {
  if (!floe__engine_next_packet(s->engine, out)) {
    /* What has left the engine makes room for more. */
    if (s->queued == 0 && s->held == NULL) return false;
    floe__sctp_release_held(s);
    floe__sctp_feed(s);
    if (!floe__engine_next_packet(s->engine, out)) return false;
  }
  floe__sctp_transmitted(s, *out);
  return true;
}

bool floe__sctp_has_output(const floe__sctp *s) {
  return floe__engine_has_packet(s->engine) || s->connected_due || s->closed_due || s->sent_first != NULL ||
         s->given_up > 0 || s->reset_at < s->reset_n ||
         (s->state != FLOE__SCTP_CLOSED && floe__engine_has_item(s->engine));
}
