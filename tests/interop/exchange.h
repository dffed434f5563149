/* Numbered messages both ways, each acknowledged with the SHA-256 of what arrived; the same as exchange.py.
 *
 * A message is "1", a number of 4 bytes (big-endian) and a content that follows from the number; its acknowledgement is
 * "2", the number, and the SHA-256 of the content. Both begin with an ASCII digit, so that nobody takes them for STUN,
 * TURN or RTP (RFC 7983). What is lost is sent again. */
#ifndef INTEROP_EXCHANGE_H
#define INTEROP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXCHANGE_TICK_MS = 20, EXCHANGE_MAX = 4096, EXCHANGE_MAX_PACKET = 1200 };

/* Sends a packet; what cannot be sent is lost. */
typedef void (*exchange_send)(const uint8_t *data, size_t len, void *user);

typedef struct exchange {
  exchange_send send;
  void *user;
  uint32_t goal; /* messages each way, in all */
  uint32_t told; /* the goal of the last fact */
  uint32_t next; /* the first that was never sent */
  uint32_t n_open, n_received;
  uint32_t n_strangers; /* packets of another kind */
  bool is_wrong;        /* some content was not what it must be */
  bool is_acked[EXCHANGE_MAX];
  bool is_received[EXCHANGE_MAX];
  uint64_t sent_at[EXCHANGE_MAX]; /* milliseconds */
} exchange;

void exchange_init(exchange *x, exchange_send send, void *user);

/* So many more messages, each way. False: too many. */
bool exchange_begin(exchange *x, unsigned long count);

/* Sends what is due: to be called each EXCHANGE_TICK_MS once connected. */
void exchange_tick(exchange *x, uint64_t now_ms);

/* Takes a packet of the peer, and answers it. */
void exchange_take(exchange *x, const uint8_t *data, size_t len);

/* All sent ones are acknowledged, and all of the peer's received. */
bool exchange_is_done(const exchange *x);

/* Writes the line to print now. False: none. */
bool exchange_fact(exchange *x, char *out, size_t cap);

#endif
