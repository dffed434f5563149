/* Frames out through one data channel: what the channel does not take now is kept, in order, and goes when there is
 * room. */
#ifndef FLOE_CLI_CONNECT_SPEAKER_H
#define FLOE_CLI_CONNECT_SPEAKER_H

#include "connect_frame.h"
#include "floe/uv.h"

typedef struct floe__message {
  struct floe__message *next;
  size_t len;
  uint8_t bytes[];
} floe__message;

typedef struct floe__speaker {
  floe_data_channel *channel; /* NULL: nothing is sent any more */
  bool is_open;               /* before that everything is kept */
  floe__message *first, *last;
} floe__speaker;

/* Bytes in the channel above which no more data should be made, and to which they must fall before there is more. */
enum { FLOE__SPEAKER_HIGH = 1 << 20, FLOE__SPEAKER_LOW = 1 << 18 };

void floe__speaker_init(floe__speaker *s, floe_data_channel *channel);
void floe__speaker_say(floe__speaker *s, const floe__frame *f);
/* A frame that is written already: the type FLOE__FRAME_DATA and its bytes. */
void floe__speaker_send(floe__speaker *s, const uint8_t *message, size_t len);
/* True when more data should be made. */
bool floe__speaker_has_room(const floe__speaker *s);
/* Sends what was kept; to be called when the channel is open, and when it has room again. */
void floe__speaker_flush(floe__speaker *s);
/* The channel is gone, or is somebody else's business. */
void floe__speaker_clear(floe__speaker *s);

#endif
