/* The inside of one association: sctp.c (life, time, packets), sctp_send.c, sctp_receive.c,
 * sctp_reset.c. */
#ifndef FLOE_SCTP_SCTP_INTERNAL_H
#define FLOE_SCTP_SCTP_INTERNAL_H

#include "sctp/sctp.h"
#include "sctp/usrsctp_engine.h"

#define FLOE__SCTP_PAGE      256u /* streams per page of the table */
#define FLOE__SCTP_BEGUN_MAX 5u   /* messages that the engine has in part, each of another stream */
#define FLOE__SCTP_TEXT      200

/* A message, or its rest, that the engine has not taken yet. */
typedef struct floe__sctp_message {
  struct floe__sctp_message *next;
  uint32_t ppid;
  floe__sctp_reliability reliability;
  floe_time since; /* when it was queued */
  size_t len, at;
  uint8_t data[];
} floe__sctp_message;

typedef enum floe__sctp_reset {
  FLOE__SCTP_RESET_NONE = 0,
  FLOE__SCTP_RESET_WANTED,
  FLOE__SCTP_RESET_ASKED,
  FLOE__SCTP_RESET_DONE /* to be told */
} floe__sctp_reset;

typedef struct floe__sctp_stream {
  uint16_t id;
  floe__sctp_message *first, *last;
  size_t queued;    /* bytes of them */
  size_t in_engine; /* taken by the engine, not transmitted yet */
  floe__sctp_reset reset;
  bool is_begun;                        /* the engine has a part of the first message */
  bool is_ready, is_sent;               /* in the lists of these names */
  struct floe__sctp_stream *next_ready; /* has messages, none begun: taken in turn */
  struct floe__sctp_stream *next_sent;  /* a SENT event is due */
  struct floe__sctp_stream *next_reset; /* WANTED or ASKED */
  uint8_t *partial;                     /* nullable: the beginning of a message that comes in pieces */
  size_t partial_len, partial_cap;
} floe__sctp_stream;

struct floe__sctp {
  floe_env *env;
  floe__sctp_config cfg;
  floe__engine *engine;
  floe__sctp_state state;
  floe_time now; /* of the last call that told it */
  bool is_active;
  bool is_bulk;        /* see floe__engine_set_bulk */
  bool is_blocked;     /* see floe__engine_set_blocked */
  floe_time judged_at; /* when these were looked at */
  floe_time quiet_at;  /* nothing of the peer's is owed an answer any more */
  uint16_t streams_in, streams_out;
  floe__sctp_stream **pages[65536 / FLOE__SCTP_PAGE];

  floe__sctp_stream *ready_first, *ready_last, *sent_first, *sent_last, *resets;
  floe__sctp_stream *begun[FLOE__SCTP_BEGUN_MAX];
  size_t n_begun;
  bool is_alone;            /* what the engine holds is one message that must not be interleaved: sctp_send.c */
  size_t queued, in_engine; /* of all streams */
  floe_time resets_since;   /* when the first of `resets` was wanted, or the last one done */
  size_t given_up;          /* how many of `resets` are DONE */
  unsigned denials;         /* of requests to reset, one after the other */
  bool has_cumulative_tsn;  /* from a SACK of ours; before, the peer's INIT tells */
  uint32_t cumulative_tsn;
  uint8_t *held; /* nullable: a request of the peer's to reset streams, see floe__sctp_input */
  size_t held_len;
  uint32_t held_tsn;
  floe_time held_until;
  bool has_tsn;
  uint32_t highest_tsn; /* transmitted */
  uint8_t *early;       /* nullable: packets that came before connect, each behind its length of two bytes */
  size_t early_len;

  bool connected_due, closed_due; /* events that are still to be told */
  uint8_t *scratch;               /* nullable: what is read from the engine, and the message or list told last */
  size_t scratch_cap;
  uint8_t *told;                /* nullable: the reassembled message that was told last */
  size_t partial_total;         /* of all streams */
  floe__engine_item reset_list; /* of which reset_at streams were told */
  size_t reset_at, reset_n;

  floe__sctp_info info;
  char text[FLOE__SCTP_TEXT];
};

/* The one writer of the state. */
void floe__sctp_set_state(floe__sctp *s, floe__sctp_state to);
/* CLOSED with a cause; `text` is copied. */
void floe__sctp_close(floe__sctp *s, floe_cause cause, const char *text);
/* Something was sent or received: the engine's timers run. */
void floe__sctp_touch(floe__sctp *s, floe_time now);

/* NULL: none yet; with `make`, out of memory. */
floe__sctp_stream *floe__sctp_stream_of(const floe__sctp *s, uint16_t id);
floe__sctp_stream *floe__sctp_stream_make(floe__sctp *s, uint16_t id);

/* Gives the engine what it has room for. */
void floe__sctp_feed(floe__sctp *s);
/* A packet of the peer's, on its way to the engine. */
void floe__sctp_input(floe__sctp *s, floe_bytes packet);
/* Goes on with what floe__sctp_input held back, if it can. */
void floe__sctp_release_held(floe__sctp *s);
/* Looks at the SACK of a packet that is sent. */
void floe__sctp_note_sack(floe__sctp *s, floe_bytes packet);

/* Asks for the resets that can be asked for now. */
void floe__sctp_ask_resets(floe__sctp *s);
/* The peer has confirmed, or never will: RESET_OUT is told. */
void floe__sctp_reset_done(floe__sctp *s, floe__sctp_stream *st);
/* It never will: RESET_OUT is due. */
void floe__sctp_reset_give_up(floe__sctp *s, floe__sctp_stream *st);
/* `len` bytes of the stream have left the engine: transmitted, or given up. */
void floe__sctp_left(floe__sctp *s, floe__sctp_stream *st, size_t len);
/* The engine holds nothing any more. */
void floe__sctp_all_left(floe__sctp *s);
/* Counts the data that is in a packet for the first time. */
void floe__sctp_transmitted(floe__sctp *s, floe_bytes packet);
void floe__sctp_clear_messages(floe__sctp *s, floe__sctp_stream *st);

#endif
