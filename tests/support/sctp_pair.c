#include "support/sctp_pair.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/virtual_time.h"

struct sctp_pair_packet {
  sctp_pair_packet *next;
  floe_time at;
  int to;
  size_t len;
  uint8_t data[2048];
};

/* splitmix64 */
uint64_t sctp_pair_random(sctp_pair *p) {
  uint64_t z = (p->seed += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

static bool happens(sctp_pair *p, double probability) {
  return probability > 0 && (double)(sctp_pair_random(p) >> 11) / 9007199254740992.0 < probability;
}

static void put(sctp_pair *p, int from, const uint8_t *data, size_t len) {
  sctp_pair_packet *packet = malloc(sizeof *packet);
  if (packet == NULL || len > sizeof packet->data) abort();
  floe_time jitter = p->jitter == 0 ? 0 : sctp_pair_random(p) % p->jitter;
  packet->at = p->now + p->delay + jitter;
  packet->to = !from;
  packet->len = len;
  memcpy(packet->data, data, len);
  sctp_pair_packet **at = &p->queue;
  while (*at != NULL && (*at)->at <= packet->at) at = &(*at)->next;
  packet->next = *at;
  *at = packet;
}

static void send_packet(sctp_pair *p, int from, floe_bytes bytes) {
  uint8_t data[2048];
  size_t len = bytes.len;
  if (len > sizeof data) abort();
  memcpy(data, bytes.ptr, len);
  p->packets[from]++;
  if (len > p->packet_max) p->packet_max = len;
  if (p->is_dead[from] || happens(p, p->loss)) return;
  if (p->on_packet != NULL && !p->on_packet(p, from, data, &len)) return;
  put(p, from, data, len);
  if (happens(p, p->twice)) put(p, from, data, len);
}

__attribute__((format(printf, 3, 4))) static void note(sctp_pair *p, int side, const char *format, ...) {
  size_t len = strlen(p->log[side]);
  va_list args;
  va_start(args, format);
  vsnprintf(p->log[side] + len, sizeof p->log[side] - len, format, args);
  va_end(args);
}

static void note_message(sctp_pair *p, int side, const floe__sctp_event *e) {
  p->messages[side]++;
  p->bytes[side] += e->data.len;
  if (p->on_message != NULL) {
    p->on_message(p, side, e);
  } else if (e->data.len <= 40) {
    note(p, side, "message %u/%u %.*s\n", e->stream, e->ppid, (int)e->data.len, (const char *)e->data.ptr);
  } else {
    note(p, side, "message %u/%u of %zu\n", e->stream, e->ppid, e->data.len);
  }
}

static void note_closed(sctp_pair *p, int side) {
  const floe__sctp_info *info = floe__sctp_info_of(p->side[side]);
  note(p, side, "closed %s%s%s%s", floe_cause_id(info->cause), info->abort_is_ours ? " by us" : "",
       info->text != NULL ? ": " : "", info->text != NULL ? info->text : "");
  if (info->has_abort_code) note(p, side, " (%u)", info->abort_code);
  note(p, side, "\n");
}

static void note_event(sctp_pair *p, int side, const floe__sctp_event *e) {
  switch (e->type) {
    case FLOE__SCTP_EVENT_CONNECTED: note(p, side, "connected %u/%u\n", e->streams_in, e->streams_out); return;
    case FLOE__SCTP_EVENT_MESSAGE: note_message(p, side, e); return;
    case FLOE__SCTP_EVENT_RESET_IN: note(p, side, "reset in %u\n", e->stream); return;
    case FLOE__SCTP_EVENT_RESET_OUT: note(p, side, "reset out %u\n", e->stream); return;
    case FLOE__SCTP_EVENT_SENT: p->sent_events[side]++; return;
    case FLOE__SCTP_EVENT_CLOSED: note_closed(p, side); return;
  }
}

void sctp_pair_drain(sctp_pair *p, int side) {
  floe_bytes packet;
  floe__sctp_event event;
  bool any = p->side[side] != NULL;
  while (any) {
    any = false;
    while (floe__sctp_next_packet(p->side[side], &packet)) {
      send_packet(p, side, packet);
      any = true;
    }
    while (!p->does_not_read[side] && floe__sctp_next_event(p->side[side], &event)) {
      note_event(p, side, &event);
      any = true;
    }
  }
}

static void deliver(sctp_pair *p) {
  while (p->queue != NULL && p->queue->at <= p->now) {
    sctp_pair_packet *packet = p->queue;
    p->queue = packet->next;
    if (p->side[packet->to] != NULL) {
      floe__sctp_on_packet(p->side[packet->to], (floe_bytes){packet->data, packet->len}, p->now);
      sctp_pair_drain(p, packet->to);
    }
    free(packet);
  }
}

static floe_time next_at(const sctp_pair *p) {
  floe_time at = p->queue != NULL ? p->queue->at : FLOE_TIME_NEVER;
  for (int side = 0; side < 2; side++) {
    if (p->side[side] == NULL) continue;
    floe__deadline d = floe__sctp_deadline(p->side[side]);
    if (d.at < at) at = d.at;
  }
  return at;
}

static void step_to(sctp_pair *p, floe_time at) {
  if (at > p->now) p->now = at;
  floe__test_clock_set(p->now);
  deliver(p);
  for (int side = 0; side < 2; side++) {
    if (p->side[side] == NULL || floe__sctp_deadline(p->side[side]).at > p->now) continue;
    floe__sctp_on_deadline(p->side[side], p->now);
    sctp_pair_drain(p, side);
  }
}

void sctp_pair_run(sctp_pair *p, uint64_t ms) {
  floe_time until = p->now + ms * FLOE_MS;
  while (next_at(p) <= until) step_to(p, next_at(p));
  step_to(p, until);
}

bool sctp_pair_settle(sctp_pair *p, uint64_t ms) {
  floe_time until = p->now + ms * FLOE_MS;
  while (next_at(p) <= until) step_to(p, next_at(p));
  return next_at(p) == FLOE_TIME_NEVER;
}

void sctp_pair_forget(sctp_pair *p) {
  for (int side = 0; side < 2; side++) p->log[side][0] = '\0';
}

floe_status sctp_pair_say(sctp_pair *p, int side, uint16_t stream, const char *text) {
  floe_bytes data = {.ptr = (const uint8_t *)text, .len = strlen(text)};
  floe_status status = floe__sctp_send(p->side[side], stream, FLOE__PPID_STRING, data, NULL, p->now);
  sctp_pair_drain(p, side);
  return status;
}

void sctp_pair_init(sctp_pair *p, floe_env *env, const floe__sctp_config *a, const floe__sctp_config *b) {
  static floe_time start = FLOE_SECOND; /* usrsctp's clock goes on from one pair to the next */
  memset(p, 0, sizeof *p);
  p->now = start += 3600 * FLOE_SECOND;
  p->delay = 10 * FLOE_MS;
  p->seed = 1;
  floe__test_clock_set(p->now);
  p->env = env;
  p->owns_env = env == NULL;
  if (p->owns_env && floe_env_new(&p->env, NULL) != FLOE_OK) abort();
  p->side[0] = floe__sctp_new(p->env, a, p->now);
  p->side[1] = floe__sctp_new(p->env, b, p->now);
}

void sctp_pair_connect(sctp_pair *p) {
  for (int side = 0; side < 2; side++) {
    floe__sctp_connect(p->side[side], p->now);
    sctp_pair_drain(p, side);
  }
  for (int i = 0; i < 30000; i++) {
    if (floe__sctp_state_of(p->side[0]) == FLOE__SCTP_CONNECTED &&
        floe__sctp_state_of(p->side[1]) == FLOE__SCTP_CONNECTED)
      return;
    sctp_pair_run(p, 10);
  }
  abort();
}

void sctp_pair_clear(sctp_pair *p) {
  floe__sctp_free(p->side[0]);
  floe__sctp_free(p->side[1]);
  while (p->queue != NULL) {
    sctp_pair_packet *packet = p->queue;
    p->queue = packet->next;
    free(packet);
  }
  if (p->owns_env) floe_env_free(p->env);
}
