/* What src/sctp asks of its engine. The one file that implements it includes usrsctp.h; nothing else does.
 *
 * usrsctp is one per process, so its calls are serialised by one lock (docs/decisions/0009-usrsctp-engine.md). An
 * association belongs to the thread of its env; what another thread's timers make usrsctp do for it lands in its
 * queues, and floe__engine_has_output then says so. */
#ifndef FLOE_SCTP_USRSCTP_ENGINE_H
#define FLOE_SCTP_USRSCTP_ENGINE_H

#include "sctp/sctp.h"

typedef struct floe__engine floe__engine; /* one association's end in the engine */

typedef enum floe__engine_result {
  FLOE__ENGINE_OK = 0,
  FLOE__ENGINE_AGAIN,      /* no room, or a request is under way */
  FLOE__ENGINE_NOT_DOABLE, /* refused: the peer or the engine cannot do it */
  FLOE__ENGINE_FAILED      /* the association is gone */
} floe__engine_result;

typedef enum floe__engine_item_type {
  FLOE__ENGINE_NOTHING = 0, /* there is none, or one that tells nothing */
  FLOE__ENGINE_PIECE,       /* of a message: stream, ppid, end, len */
  FLOE__ENGINE_DROPPED,     /* the rest of a message that was begun will not come: stream */
  FLOE__ENGINE_UP,          /* streams_in, streams_out, interleaving */
  FLOE__ENGINE_RESTARTED,   /* the peer has begun anew */
  FLOE__ENGINE_SHUT_DOWN,   /* in order */
  FLOE__ENGINE_LOST,        /* by_peer, has_code, code, text */
  FLOE__ENGINE_RESET,       /* incoming, outgoing, denied, streams */
  FLOE__ENGINE_UNSENT       /* bytes of a message that will never be sent: stream, len */
} floe__engine_item_type;

typedef struct floe__engine_item {
  floe__engine_item_type type;
  bool more; /* ask again: there may be another */
  uint16_t stream;
  uint32_t ppid;
  bool end; /* of the message */
  size_t len;
  uint16_t streams_in, streams_out;
  bool interleaving;
  bool incoming, outgoing, denied;
  const uint8_t *streams; /* n_streams numbers of 16 bits in host order, unaligned, in the caller's buffer */
  size_t n_streams;       /* 0: all */
  floe_bytes abort;       /* the ABORT chunk, in the caller's buffer; empty: there was none */
  bool abort_is_ours;
  bool timed_out;
} floe__engine_item;

typedef struct floe__engine_status {
  uint32_t congestion_window, receiver_window, path_mtu, unacknowledged;
  uint32_t smoothed_rtt_ms;
  uint32_t queued; /* bytes accepted and not yet acknowledged */
} floe__engine_status;

/* NULL: out of memory, or usrsctp refused. */
floe__engine *floe__engine_open(const floe__sctp_config *cfg);
void floe__engine_close(floe__engine *e); /* says nothing to the peer */

/* Brings usrsctp's clock forward by what has gone by for this association since its last call, when it was `active`
 * (had timers to wait for); else by nothing. Timers that are due fire. */
void floe__engine_advance(floe__engine *e, floe_time now, bool active);

floe__engine_result floe__engine_connect(floe__engine *e);
/* The checksum of `packet` is right. */
void floe__engine_input(floe__engine *e, floe_bytes packet);
/* Takes up to all of `data`, of which `end` ends the message; *taken says how much. */
floe__engine_result floe__engine_send(floe__engine *e, uint16_t stream, uint32_t ppid, floe_bytes data, bool end,
                                      const floe__sctp_reliability *r, size_t *taken);
/* One item, at most `cap` bytes of it in `buf`. */
void floe__engine_receive(floe__engine *e, uint8_t *buf, size_t cap, floe__engine_item *out);
floe__engine_result floe__engine_reset(floe__engine *e, const uint16_t *streams, size_t n);
void floe__engine_abort(floe__engine *e, const char *text);
void floe__engine_set_packet_max(floe__engine *e, size_t packet_max);
/* Many packets are on their way, so that a loss shows by what arrives after it: the retransmission timer is set to a
 * second at least, and not to a tenth. */
void floe__engine_set_bulk(floe__engine *e, bool is_bulk);
/* The peer's window is closed: probes of it do not count as unanswered. */
void floe__engine_set_blocked(floe__engine *e, bool is_blocked);
bool floe__engine_status_of(floe__engine *e, floe__engine_status *out);

/* The next packet; false when there is none. Valid until the next call. */
bool floe__engine_next_packet(floe__engine *e, floe_bytes *out);
/* Without the lock: packets to send, items to receive. */
bool floe__engine_has_packet(const floe__engine *e);
bool floe__engine_has_item(const floe__engine *e);
/* Gives back the memory that only a busy association needs. */
void floe__engine_trim(floe__engine *e);

#endif
