/* Data channels of one connection (webrtc-pc 6, RFC 8831, RFC 8832). */
#ifndef FLOE_PC_CHANNEL_H
#define FLOE_PC_CHANNEL_H

#include "floe/pc.h"
#include "pc/events.h"
#include "sctp/dcep.h"

/* The events of a channel that have a node each. */
typedef enum floe__channel_node {
  FLOE__CHANNEL_ANNOUNCED = 0, /* datachannel */
  FLOE__CHANNEL_OPENED,
  FLOE__CHANNEL_LOW,
  FLOE__CHANNEL_CLOSING,
  FLOE__CHANNEL_ERROR,
  FLOE__CHANNEL_CLOSED,
  FLOE__CHANNEL_NODES
} floe__channel_node;

struct floe_data_channel {
  floe_pc *pc;
  uint32_t number; /* in statistics */
  char *label, *protocol;
  size_t label_len, protocol_len; /* without the NUL */
  floe__sctp_reliability reliability;
  uint16_t priority;
  bool is_negotiated;
  bool has_id;
  uint16_t id;
  floe_data_channel_state state;
  bool is_opener;           /* this side announces it */
  bool owes_open, owes_ack; /* a DCEP message that could not be queued yet */
  bool is_acknowledged;     /* the peer knows it: unordered messages may go unordered (RFC 8832 6) */
  bool reset_asked, reset_in, reset_out;
  bool is_starved;  /* a message was refused with FLOE_E_AGAIN */
  bool is_released; /* the program has let go of it */
  size_t buffered;  /* bufferedAmount as told last */
  size_t threshold;
  uint64_t messages_sent, messages_received, bytes_sent, bytes_received;
  void *user, *driver;
  floe__pc_node nodes[FLOE__CHANNEL_NODES];
};

typedef struct floe__channels {
  floe_data_channel **list; /* those the program has, in the order they were made */
  size_t n, cap;
  floe_data_channel **by_id; /* those with a stream that is not free yet, sorted */
  size_t n_ids, cap_ids;
  floe_data_channel **released; /* closing, and not the program's any more */
  size_t n_released, cap_released;
  uint32_t n_made;
  uint32_t n_owing;            /* of those that owe a DCEP message */
  uint32_t n_starved;          /* of those that wait for room */
  uint32_t n_opened, n_closed; /* webrtc-stats: ever */
  uint8_t *repaired;           /* nullable: the text told last, when it was no UTF-8 */
  bool was_used;               /* a channel was made: descriptions need a data section (RFC 9429 5.2.1) */
} floe__channels;

void floe__channels_clear(floe_pc *pc); /* frees all */
/* The DTLS role is known: channels without a stream get theirs (RFC 8832 6). */
void floe__channels_assign_ids(floe_pc *pc);
/* It is another one after all: channels that nobody has heard of yet get other streams. */
void floe__channels_forget_ids(floe_pc *pc);
/* The association is up. */
void floe__channels_on_connected(floe_pc *pc);
/* It is over, in order or not (`cause`): every channel is closed. */
void floe__channels_on_transport_closed(floe_pc *pc, floe_cause cause);
/* One message; true: *out is an event to be handed out. */
bool floe__channels_on_message(floe_pc *pc, const floe__sctp_event *event, floe_event *out);
/* A message of the establishment protocol. */
void floe__channels_on_dcep(floe_pc *pc, uint16_t stream, floe_bytes data);
void floe__channels_on_reset_in(floe_pc *pc, uint16_t stream);
void floe__channels_on_reset_out(floe_pc *pc, uint16_t stream);
void floe__channels_on_sent(floe_pc *pc, uint16_t stream);
/* DCEP messages that wait for room. */
void floe__channels_pay(floe_pc *pc);
/* close(): all are closed, and nothing is told. */
void floe__channels_silence(floe_pc *pc);

#endif
