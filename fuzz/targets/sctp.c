/* Two associations whose path is in the input's hands: it delivers, loses, repeats, damages and forges packets (with
 * right tags and checksums), and calls everything that can be called. usrsctp is behind it, and is fuzzed with it.
 *
 * The first byte has options; then each operation is a byte, with operands behind it. Forged packets take the header of
 * a real one. However it goes, what comes out holds together: messages of reliable streams whole, events in an order
 * that can be, and nothing left at the end. */
#include "sctp/sctp.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/reader.h"
#include "sctp/crc32c.h"
#include "support/fixed_chance.h"
#include "support/virtual_time.h"

#define QUEUE_MAX  64
#define PACKET_MAX 2048u
#define STREAMS    8

typedef struct packet {
  size_t len;
  uint8_t data[PACKET_MAX];
} packet;

typedef struct side {
  floe__sctp *sctp;
  packet *queue[QUEUE_MAX]; /* what it has sent and the path has not yet taken */
  size_t n;
  bool is_connected, is_closed;
  uint8_t header[12]; /* of the last packet it sent */
  bool has_header;
} side;

typedef struct world {
  side sides[2];
  floe_time now;
  bool is_forged; /* a packet was not the peer's: contents can be anything */
} world;

static void put(side *s, const uint8_t *data, size_t len) {
  if (s->n == QUEUE_MAX || len > PACKET_MAX) return;
  packet *p = malloc(sizeof *p);
  FLOE__ASSERT(p != NULL);
  p->len = len;
  memcpy(p->data, data, len);
  s->queue[s->n++] = p;
}

static void take_packets(side *s) {
  floe_bytes p;
  while (floe__sctp_next_packet(s->sctp, &p)) {
    FLOE__ASSERT(p.len >= 12 && p.len <= PACKET_MAX && floe__sctp_checksum_is_right(p));
    memcpy(s->header, p.ptr, sizeof s->header);
    s->has_header = true;
    put(s, p.ptr, p.len);
  }
}

static void check_message(const world *w, const floe__sctp_event *e) {
  FLOE__ASSERT(e->data.len > 0 && e->stream < STREAMS);
  if (w->is_forged) return;
  for (size_t i = 0; i < e->data.len; i++) FLOE__ASSERT(e->data.ptr[i] == (uint8_t)e->data.len);
}

static void take_events(world *w, side *s) {
  floe__sctp_event e;
  while (floe__sctp_next_event(s->sctp, &e)) {
    FLOE__ASSERT(!s->is_closed);
    switch (e.type) {
      case FLOE__SCTP_EVENT_CONNECTED:
        FLOE__ASSERT(!s->is_connected && e.streams_in > 0 && e.streams_out > 0 && e.streams_out <= STREAMS);
        s->is_connected = true;
        break;
      case FLOE__SCTP_EVENT_MESSAGE:
        FLOE__ASSERT(s->is_connected);
        check_message(w, &e);
        break;
      case FLOE__SCTP_EVENT_RESET_IN:
      case FLOE__SCTP_EVENT_RESET_OUT:
      case FLOE__SCTP_EVENT_SENT: FLOE__ASSERT(s->is_connected); break;
      case FLOE__SCTP_EVENT_CLOSED:
        FLOE__ASSERT(floe__sctp_state_of(s->sctp) == FLOE__SCTP_CLOSED);
        s->is_closed = true;
        break;
    }
  }
}

static void drain(world *w, side *s) {
  take_packets(s);
  take_events(w, s);
  take_packets(s);
}

static void drop_at(side *s, size_t at) {
  free(s->queue[at]);
  s->n--;
  memmove(s->queue + at, s->queue + at + 1, (s->n - at) * sizeof *s->queue);
}

/* In a block of its own, so that a read past it is seen. */
static void hand_over(world *w, side *to, const uint8_t *data, size_t len) {
  uint8_t *copy = malloc(len == 0 ? 1 : len);
  FLOE__ASSERT(copy != NULL);
  if (len > 0) memcpy(copy, data, len);
  floe__sctp_on_packet(to->sctp, (floe_bytes){.ptr = copy, .len = len}, w->now);
  free(copy);
}

static void deliver(world *w, int from, size_t at) {
  side *s = &w->sides[from];
  if (s->n == 0) return;
  at %= s->n;
  packet *p = s->queue[at];
  hand_over(w, &w->sides[!from], p->data, p->len);
  drop_at(s, at);
}

static void pass_time(world *w, floe_time ms) {
  w->now += ms * FLOE_MS;
  floe__test_clock_set(w->now);
  for (int i = 0; i < 2; i++) {
    side *s = &w->sides[i];
    if (floe__sctp_deadline(s->sctp).at <= w->now) floe__sctp_on_deadline(s->sctp, w->now);
  }
}

/* Chunks of the input's, in a packet that the other side takes for its peer's. */
static void forge(world *w, int from, floe_bytes chunks) {
  uint8_t data[12 + 256];
  side *s = &w->sides[from];
  if (!s->has_header || chunks.len > 256) return;
  memcpy(data, s->header, 12);
  if (chunks.len > 0) memcpy(data + 12, chunks.ptr, chunks.len);
  floe__sctp_checksum_write(data, 12 + chunks.len);
  w->is_forged = true;
  hand_over(w, &w->sides[!from], data, 12 + chunks.len);
}

/* One byte of a real packet is another, and its checksum is right. */
static void bend(world *w, int from, size_t at, uint8_t value) {
  side *s = &w->sides[from];
  if (s->n == 0) return;
  packet *p = s->queue[0];
  p->data[at % p->len] ^= value;
  floe__sctp_checksum_write(p->data, p->len);
  w->is_forged = true;
}

static void send(world *w, int from, uint8_t how, uint8_t size) {
  static uint8_t data[100000];
  size_t len = (how & 0x80) != 0 ? (size_t)size * 300 + 1 : (size_t)size + 1;
  const floe__sctp_reliability r = {.unordered = (how & 0x10) != 0,
                                    .has_max_retransmits = (how & 0x60) == 0x20,
                                    .has_max_lifetime = (how & 0x60) == 0x40,
                                    .max_lifetime_ms = 100};
  memset(data, (uint8_t)len, len);
  size_t before = floe__sctp_buffered_all(w->sides[from].sctp);
  floe_status status =
      floe__sctp_send(w->sides[from].sctp, how % (STREAMS + 1), 53, (floe_bytes){.ptr = data, .len = len}, &r, w->now);
  FLOE__ASSERT(status != FLOE_E_NOMEM);
  if (status == FLOE_E_AGAIN) FLOE__ASSERT(before > 0);
}

static void operate(world *w, uint8_t op, floe__reader *in) {
  int from = op & 1;
  side *s = &w->sides[from];
  switch (op >> 1 & 15) {
    case 0: floe__sctp_connect(s->sctp, w->now); break;
    case 1: deliver(w, from, 0); break;
    case 2: deliver(w, from, floe__rd_u8(in)); break;
    case 3:
      if (s->n > 0) drop_at(s, floe__rd_u8(in) % s->n);
      break;
    case 4:
      if (s->n > 0) put(s, s->queue[0]->data, s->queue[0]->len);
      break;
    case 5: forge(w, from, floe__rd_take(in, floe__rd_u8(in))); break;
    case 6: {
      size_t at = floe__rd_u8(in);
      bend(w, from, at, floe__rd_u8(in));
      break;
    }
    case 7:
    case 8: {
      uint8_t how = floe__rd_u8(in);
      send(w, from, how, floe__rd_u8(in));
      break;
    }
    case 9: (void)floe__sctp_reset_stream(s->sctp, floe__rd_u8(in) % (STREAMS + 1), w->now); break;
    case 10: floe__sctp_abort(s->sctp, (op & 0x20) != 0 ? "enough" : NULL, w->now); break;
    case 11: pass_time(w, floe__rd_u8(in)); break;
    case 12: pass_time(w, (floe_time)floe__rd_u8(in) * 100); break;
    case 13: floe__sctp_set_packet_max(s->sctp, (size_t)floe__rd_u8(in) * 8); break;
    case 14: { /* raw bytes */
      floe_bytes raw = floe__rd_take(in, floe__rd_u8(in));
      hand_over(w, &w->sides[!from], raw.ptr, raw.len);
      break;
    }
    default: { /* the path is good for a while */
      for (int i = 0; i < 20; i++) {
        for (int side = 0; side < 2; side++) {
          deliver(w, side, 0);
          drain(w, &w->sides[!side]);
        }
        pass_time(w, 10);
      }
    }
  }
  (void)floe__sctp_info_of(s->sctp);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  static floe_time start = FLOE_SECOND; /* usrsctp's clock goes on from one input to the next */
  world w = {.now = start += 1000 * FLOE_SECOND};
  floe__reader in = floe__reader_of((floe_bytes){.ptr = bytes, .len = len});
  uint8_t options = floe__rd_u8(&in);
  const floe__sctp_config cfg = {.streams = STREAMS,
                                 .receive_max = (options & 1) != 0 ? 2000 : 0,
                                 .send_buffer = (options & 2) != 0 ? 20000 : 0,
                                 .receive_buffer = (options & 4) != 0 ? 8192 : 0,
                                 .no_interleaving = (options & 8) != 0};
  floe_env *env;
  fixed_chance_restart(1);
  floe__test_clock_set(w.now);
  FLOE__ASSERT(floe_env_new(&env, NULL) == FLOE_OK);
  for (int i = 0; i < 2; i++) {
    w.sides[i].sctp = floe__sctp_new(env, &cfg, w.now);
    FLOE__ASSERT(w.sides[i].sctp != NULL);
  }
  for (int i = 0; i < 200 && floe__rd_left(&in) > 0; i++) {
    operate(&w, floe__rd_u8(&in), &in);
    for (int side = 0; side < 2; side++) drain(&w, &w.sides[side]);
  }
  for (int i = 0; i < 2; i++) {
    while (w.sides[i].n > 0) drop_at(&w.sides[i], 0);
    floe__sctp_free(w.sides[i].sctp);
  }
  floe_env_free(env);
  return 0;
}
