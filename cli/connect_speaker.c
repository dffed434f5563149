#include "connect_speaker.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* All frames but DATA are short. */
enum { SHORT_FRAME = 600 };

void floe__speaker_init(floe__speaker *s, floe_data_channel *channel) {
  memset(s, 0, sizeof *s);
  s->channel = channel;
  floe_data_channel_set_buffered_amount_low_threshold(channel, FLOE__SPEAKER_LOW);
}

static void drop_all(floe__speaker *s) {
  for (floe__message *m = s->first, *next; m != NULL; m = next) {
    next = m->next;
    free(m);
  }
  s->first = s->last = NULL;
}

/* False: not now. A channel that is closed takes nothing more, which its close event tells. */
static bool try_send(const floe__speaker *s, const uint8_t *message, size_t len) {
  floe_status st = floe_uv_data_channel_send(s->channel, (floe_bytes){message, len});
  return st != FLOE_E_AGAIN;
}

void floe__speaker_flush(floe__speaker *s) {
  if (s->channel == NULL) return;
  s->is_open = true;
  while (s->first != NULL && try_send(s, s->first->bytes, s->first->len)) {
    floe__message *sent = s->first;
    s->first = sent->next;
    if (s->first == NULL) s->last = NULL;
    free(sent);
  }
}

void floe__speaker_send(floe__speaker *s, const uint8_t *message, size_t len) {
  if (s->channel == NULL || (s->is_open && s->first == NULL && try_send(s, message, len))) return;
  floe__message *m = floe__cli_alloc(sizeof *m + len);
  m->len = len;
  memcpy(m->bytes, message, len);
  if (s->last == NULL) {
    s->first = m;
  } else {
    s->last->next = m;
  }
  s->last = m;
}

void floe__speaker_say(floe__speaker *s, const floe__frame *f) {
  uint8_t message[SHORT_FRAME];
  size_t len = floe__frame_write(f, message, sizeof message);
  if (len > 0) floe__speaker_send(s, message, len);
}

bool floe__speaker_has_room(const floe__speaker *s) {
  return s->channel != NULL && s->is_open && s->first == NULL &&
         floe_data_channel_buffered_amount(s->channel) < FLOE__SPEAKER_HIGH;
}

void floe__speaker_clear(floe__speaker *s) {
  drop_all(s);
  s->channel = NULL;
}
