/* One SCTP association over DTLS (RFC 8261, RFC 9260), as data channels use it (RFC 8831): messages on streams with a
 * choice of reliability (RFC 3758, RFC 7496), closing of streams (RFC 6525), interleaving of messages (RFC 8260).
 * Everything above sees this interface and no engine behind it.
 *
 *     floe__sctp_connect(s, now);             both sides do; then send floe__sctp_next_packet until there is none
 *     floe__sctp_on_packet(s, packet, now);   likewise, and take floe__sctp_next_event until there is none
 *     floe__sctp_on_deadline(s, now);         likewise
 *
 * An engine may be one per process (usrsctp is). That is its own affair: associations of different envs, in different
 * threads too, do not disturb each other. */
#ifndef FLOE_SCTP_SCTP_H
#define FLOE_SCTP_SCTP_H

#include "base/alloc.h"
#include "base/deadline.h"
#include "floe/cause.h"

typedef enum floe__sctp_state {
  FLOE__SCTP_NEW = 0,
  FLOE__SCTP_CONNECTING,
  FLOE__SCTP_CONNECTED,
  FLOE__SCTP_CLOSED /* shut down, aborted or timed out: floe__sctp_info_of says which */
} floe__sctp_state;

typedef struct floe__sctp floe__sctp;

/* RFC 8831 6.4 payload protocol identifiers. */
#define FLOE__PPID_DCEP         50u
#define FLOE__PPID_STRING       51u
#define FLOE__PPID_BINARY       53u
#define FLOE__PPID_STRING_EMPTY 56u
#define FLOE__PPID_BINARY_EMPTY 57u

typedef struct floe__sctp_config {
  uint16_t local_port, remote_port; /* 5000 as a rule */
  uint16_t streams;                 /* [1024] asked for in each direction, and taken; each costs usrsctp 104 bytes, and
                                       65535 of them 6.8 MB and 7 ms */
  size_t packet_max;                /* [1144] largest SCTP packet in bytes: what fits a DTLS record on the path */
  size_t receive_max;               /* [256 KiB] largest message taken; over it the association is aborted */
  size_t send_buffer;               /* [1 MiB] bytes that are queued before FLOE_E_AGAIN; a message that is larger than
                                       that is taken when the queue is empty */
  size_t receive_buffer;            /* [1 MiB] window told to the peer; at least receive_max is used, 16 MiB at most */
  bool no_interleaving;             /* do not offer RFC 8260 */
} floe__sctp_config;

typedef struct floe__sctp_reliability {
  bool unordered;
  bool has_max_retransmits, has_max_lifetime; /* never both; neither: reliable */
  uint32_t max_retransmits;                   /* a count */
  uint32_t max_lifetime_ms;
} floe__sctp_reliability;

typedef enum floe__sctp_event_type {
  FLOE__SCTP_EVENT_CONNECTED = 0, /* streams_in, streams_out */
  FLOE__SCTP_EVENT_MESSAGE,       /* stream, ppid, data: whole messages only */
  FLOE__SCTP_EVENT_RESET_IN,      /* stream: the peer has closed its direction (RFC 8831 6.7) */
  FLOE__SCTP_EVENT_RESET_OUT,     /* stream: the peer has confirmed the closing of ours; its number may be used again */
  FLOE__SCTP_EVENT_SENT,          /* stream: floe__sctp_buffered has gone down for it */
  FLOE__SCTP_EVENT_CLOSED         /* the end; floe__sctp_info_of says why */
} floe__sctp_event_type;

typedef struct floe__sctp_event {
  floe__sctp_event_type type;
  uint16_t stream;
  uint32_t ppid;
  floe_bytes data; /* valid until the next call on the association */
  uint16_t streams_in, streams_out;
} floe__sctp_event;

typedef struct floe__sctp_info {
  floe_cause cause;    /* CLOSED: NONE (shut down in order), sctp_abort, sctp_timeout */
  bool has_abort_code; /* an ABORT of the peer, or ours, with a cause */
  uint16_t abort_code; /* RFC 9260 3.3.10 */
  bool abort_is_ours;
  const char *text; /* nullable: the cause's name, and what a User-Initiated Abort says; owned */
  uint32_t congestion_window, receiver_window, path_mtu; /* 0 before CONNECTED */
  uint32_t unacknowledged;                               /* DATA chunks */
  double smoothed_rtt_ms;
  bool has_smoothed_rtt;
  bool interleaving; /* negotiated */
} floe__sctp_info;

/* NULL: out of memory, or the engine refused. */
floe__sctp *floe__sctp_new(floe_env *env, const floe__sctp_config *cfg, floe_time now);
/* Frees it at once, without a word to the peer (floe__sctp_abort before it tells). NULL is fine. */
void floe__sctp_free(floe__sctp *s);

/* Sends INIT (RFC 8841: both sides do). */
void floe__sctp_connect(floe__sctp *s, floe_time now);
void floe__sctp_on_packet(floe__sctp *s, floe_bytes packet, floe_time now);
void floe__sctp_on_deadline(floe__sctp *s, floe_time now);
floe__deadline floe__sctp_deadline(const floe__sctp *s);

floe__sctp_state floe__sctp_state_of(const floe__sctp *s);
/* Taken anew at each call; valid until the next call. */
const floe__sctp_info *floe__sctp_info_of(floe__sctp *s);

/* Queues one whole message. FLOE_OK; FLOE_E_STATE (not CONNECTED, or the stream is being reset); FLOE_E_AGAIN (the
 * queue of send_buffer bytes is full: a SENT event follows); FLOE_E_NOT_FOUND (a stream that was not negotiated);
 * FLOE_E_NOMEM. `data` is never empty (RFC 8831 6.6: an empty message is one zero byte with a PPID of its own). */
floe_status floe__sctp_send(floe__sctp *s, uint16_t stream, uint32_t ppid, floe_bytes data,
                            const floe__sctp_reliability *r /* nullable: ordered, reliable */, floe_time now);
/* Bytes of messages accepted for this stream that have not been handed to the network for the first time yet. */
size_t floe__sctp_buffered(const floe__sctp *s, uint16_t stream);
/* Of all streams. */
size_t floe__sctp_buffered_all(const floe__sctp *s);
/* Closes our direction of a stream once all its messages are sent and acknowledged; RESET_OUT follows. FLOE_OK,
 * FLOE_E_STATE, FLOE_E_NOT_FOUND, FLOE_E_NOMEM; twice is fine. */
floe_status floe__sctp_reset_stream(floe__sctp *s, uint16_t stream, floe_time now);
/* Sends ABORT (User-Initiated) with a text; CLOSED. */
void floe__sctp_abort(floe__sctp *s, const char *text /* nullable */, floe_time now);
void floe__sctp_set_packet_max(floe__sctp *s, size_t packet_max);

/* The next packet to be sent; false when there is none. Valid until the next call. */
bool floe__sctp_next_packet(floe__sctp *s, floe_bytes *out);
/* The next event; false when there is none. While events are not taken the window closes: that is back-pressure. */
bool floe__sctp_next_event(floe__sctp *s, floe__sctp_event *out);
/* A packet or an event is there to be taken, or may be: a piece of a message, or news that are no event, look the same
 * from here. Cheap. */
bool floe__sctp_has_output(const floe__sctp *s);

#endif
