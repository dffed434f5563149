/* Bytes both ways between descriptors and a data channel: standard input and output, or one TCP connection of a tunnel.
 *
 * Each direction ends by itself: EOF says that all was sent, DONE that all of it was written, and only then is a
 * direction over. What was sent and not yet taken by the other side's reader (ACK) is never more than
 * FLOE__FRAME_WINDOW, so that a slow reader there slows the writer here and fills nobody's memory. */
#ifndef FLOE_CLI_CONNECT_STREAM_H
#define FLOE_CLI_CONNECT_STREAM_H

#include "connect_fd.h"
#include "connect_speaker.h"

typedef enum floe__stream_state {
  FLOE__STREAM_RUNNING = 0,
  FLOE__STREAM_FINISHED,     /* both directions are over, everything was written */
  FLOE__STREAM_READ_FAILED,  /* here: `error` is errno */
  FLOE__STREAM_WRITE_FAILED, /* here: `error` is errno */
  FLOE__STREAM_BROKEN        /* the other side broke the rules */
} floe__stream_state;

typedef struct floe__stream {
  floe__speaker *speaker;
  floe__fd *in, *out; /* NULL: none any more, or none yet; the same for a socket */
  floe__stream_state state;
  int error;
  bool is_attached;     /* the descriptors were given; before that, what comes is kept */
  uint64_t sent, acked; /* bytes of DATA, and what the other side has taken of them */
  bool is_in_over, is_done;
  uint64_t received, written, told; /* `told` in ACKs */
  bool has_eof, is_out_over;
  floe__message *first, *last; /* received and not written; their bytes are without the frame's type */
  size_t first_at;
  uint8_t *buffer;
  void (*on_end)(struct floe__stream *s, void *user); /* the state is not RUNNING any more; called once */
  void *user;
} floe__stream;

void floe__stream_init(floe__stream *s, floe__speaker *speaker, void (*on_end)(floe__stream *s, void *user),
                       void *user);
/* Gives it the descriptors; it takes them. `in` -1: at its end; `in` == `out`: a socket. False: the system refuses. */
void floe__stream_attach(floe__stream *s, uv_loop_t *loop, int in, int out);
/* A frame came: DATA, EOF, ACK or DONE; any other breaks the rules. */
void floe__stream_frame(floe__stream *s, const floe__frame *f);
/* There may be room to send: goes on. */
void floe__stream_go(floe__stream *s);
/* Nothing more is read: what was read so far is all. */
void floe__stream_end_input(floe__stream *s);
void floe__stream_clear(floe__stream *s);

#endif
