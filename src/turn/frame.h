/* STUN and ChannelData messages in a byte stream (RFC 8489 6.2.2, RFC 8656 12.5): over TCP and TLS a ChannelData
 * message is padded to four bytes; over UDP it need not be. */
#ifndef FLOE_TURN_FRAME_H
#define FLOE_TURN_FRAME_H

#include "base/alloc.h"

/* A STUN message has at most 20 + 65,535 bytes, ChannelData 4 + 65,535 + 1. */
#define FLOE__TURN_FRAME_MAX 65560

typedef struct floe__turn_framer {
  floe_env *env;
  uint8_t *buf; /* bytes of an unfinished message; NULL between messages */
  size_t len, cap;
  bool channel_data; /* ChannelData may come: an allocation exists */
} floe__turn_framer;

typedef enum floe__turn_frame {
  FLOE__TURN_FRAME_MORE = 0, /* all bytes were taken, no whole message yet */
  FLOE__TURN_FRAME_MESSAGE,  /* *out is one message (ChannelData without its padding) */
  FLOE__TURN_FRAME_BAD,      /* these bytes cannot begin a message: the stream is lost */
  FLOE__TURN_FRAME_NOMEM
} floe__turn_frame;

void floe__turn_framer_init(floe__turn_framer *f, floe_env *env);
void floe__turn_framer_clear(floe__turn_framer *f);

/* Takes the next message out of `*in`, advancing it; call until MORE. `*out` is valid until the next call. "Cannot
 * begin" is judged at the earliest byte that shows it: the first two bits (00: STUN; 01: ChannelData, and only when
 * channel_data), bytes 4 to 7 (magic cookie), the length's last two bits. */
floe__turn_frame floe__turn_framer_next(floe__turn_framer *f, floe_bytes *in, floe_bytes *out);

#endif
