/* floe/data_channel.h - one data channel of a peer connection (W3C RTCDataChannel, RFC 8831, RFC 8832).
 *
 *     floe_data_channel *channel;
 *     if (floe_pc_create_data_channel(pc, now, "chat", NULL, &channel, &why) != FLOE_OK) ...
 *     ... event OPEN ...
 *     floe_data_channel_send_text(channel, now, (floe_bytes){(const uint8_t *)"hello", 5});
 *     ... event MESSAGE: event->u.message.data ...
 *     floe_data_channel_close(channel, now);
 *
 * A channel belongs to its peer connection, and to the thread of its env. It stays valid, closed or not, until
 * floe_data_channel_free or floe_pc_free, so that no event and no late call finds it gone.
 *
 * Messages are whole: nobody ever sees a part of one. A full queue is FLOE_E_AGAIN, never a drop: wait for
 * BUFFEREDAMOUNTLOW, then send again.
 *
 * With the driver of floe/uv.h use the calls of the same names there (floe_uv_data_channel_send, ...): they know the
 * time, and see to it that the bytes leave. The getters here are for both.
 */
#ifndef FLOE_DATA_CHANNEL_H
#define FLOE_DATA_CHANNEL_H

#include "floe/status.h"
#include "floe/types.h"

/** @file
 *  Data channels (webrtc-pc section 6). */

/** Opaque: one data channel. */
typedef struct floe_data_channel floe_data_channel;

/** W3C RTCDataChannelState. */
typedef enum floe_data_channel_state {
  FLOE_DATA_CHANNEL_CONNECTING = 0, /**< not usable yet */
  FLOE_DATA_CHANNEL_OPEN = 1,       /**< messages flow */
  FLOE_DATA_CHANNEL_CLOSING = 2,    /**< what was sent is still delivered; nothing more can be sent */
  FLOE_DATA_CHANNEL_CLOSED = 3      /**< over, or never came to be */
} floe_data_channel_state;

/** "connecting", "open", "closing" or "closed". Any thread. */
FLOE_API const char *floe_data_channel_state_name(floe_data_channel_state state);

/** W3C RTCDataChannelInit. Zero in a field is its default. */
typedef struct floe_data_channel_init {
  uint32_t size;                 /**< sizeof the struct, set by floe_data_channel_init_init */
  bool unordered;                /**< W3C `ordered` is true by default; so this is its contrary */
  bool has_max_packet_life_time; /**< give up messages by their age; not together with the next */
  uint16_t max_packet_life_time; /**< milliseconds in which a message is sent and repeated */
  bool has_max_retransmits;      /**< give up messages by their repetitions */
  uint16_t max_retransmits;      /**< a count; 0: sent once */
  const char *protocol;          /**< copies; nullable [""]: a subprotocol, up to 65,535 bytes of UTF-8 */
  bool negotiated;               /**< both sides make the channel with the same `id`; nothing is announced in-band */
  bool has_id;                   /**< needed with `negotiated`, ignored without it */
  uint16_t id;                   /**< 0 to 65,534: the stream */
  uint16_t priority;             /**< [256] told to the peer (RFC 8831 6.4: 128 below normal to 1024 extra high) */
  uint64_t reserved[4];          /**< room for later members: 0 */
} floe_data_channel_init;

/** Zeroes `init` and sets its size. */
FLOE_API void floe_data_channel_init_init(floe_data_channel_init *init, size_t size);

/** Sends one binary message.
 *  @param data 0 bytes up to the peer's max-message-size (floe_pc_sctp_transport)
 *  @return FLOE_OK; FLOE_E_STATE (not OPEN); FLOE_E_TOO_LARGE (W3C: TypeError); FLOE_E_AGAIN (the queue of
 *          `max_buffered_amount` bytes is full: BUFFEREDAMOUNTLOW follows when there is room); FLOE_E_NOMEM */
FLOE_API FLOE_MUST_USE floe_status floe_data_channel_send(floe_data_channel *channel, floe_time now, floe_bytes data);

/** Sends one text message.
 *  @param text UTF-8, without a NUL at its end
 *  @return as floe_data_channel_send; FLOE_E_SYNTAX when `text` is no UTF-8 */
FLOE_API FLOE_MUST_USE floe_status floe_data_channel_send_text(floe_data_channel *channel, floe_time now,
                                                               floe_bytes text);

/** Closes the channel. What was sent here before is still delivered; what the peer sends until it knows is not told any
 *  more (webrtc-pc 6.2). Then the events CLOSING (only when the peer began) and CLOSE. Twice is fine. */
FLOE_API void floe_data_channel_close(floe_data_channel *channel, floe_time now);

/** Closes the channel and lets go of it: no event of it any more; its memory is given back when the peer has confirmed.
 *  NULL is fine. Do not use `channel` afterwards. */
FLOE_API void floe_data_channel_free(floe_data_channel *channel /* takes */, floe_time now);

/** W3C `label`: UTF-8, NUL-terminated; one of the peer's with a NUL in it seems to end there. Valid as long as the
 *  channel. */
FLOE_API const char *floe_data_channel_label(const floe_data_channel *channel);
/** W3C `protocol`: UTF-8, NUL-terminated, "" for none. Valid as long as the channel. */
FLOE_API const char *floe_data_channel_protocol(const floe_data_channel *channel);
/** W3C `ordered`. */
FLOE_API bool floe_data_channel_ordered(const floe_data_channel *channel);
/** W3C `maxPacketLifeTime` in milliseconds; -1: null. */
FLOE_API int32_t floe_data_channel_max_packet_life_time(const floe_data_channel *channel);
/** W3C `maxRetransmits`, a count; -1: null. */
FLOE_API int32_t floe_data_channel_max_retransmits(const floe_data_channel *channel);
/** W3C `negotiated`. */
FLOE_API bool floe_data_channel_negotiated(const floe_data_channel *channel);
/** W3C `id`; -1: null, not known before the DTLS role is. */
FLOE_API int32_t floe_data_channel_id(const floe_data_channel *channel);
/** W3C `readyState`. */
FLOE_API floe_data_channel_state floe_data_channel_ready_state(const floe_data_channel *channel);
/** W3C `bufferedAmount`: bytes of messages that send took and that were not handed to the network yet. It does not go
 *  to 0 when the channel closes. */
FLOE_API size_t floe_data_channel_buffered_amount(const floe_data_channel *channel);
/** W3C `bufferedAmountLowThreshold` in bytes; 0 at first. */
FLOE_API size_t floe_data_channel_buffered_amount_low_threshold(const floe_data_channel *channel);
/** Sets W3C `bufferedAmountLowThreshold`: BUFFEREDAMOUNTLOW is told when the amount falls from above to it, or below.
 */
FLOE_API void floe_data_channel_set_buffered_amount_low_threshold(floe_data_channel *channel, size_t bytes);

/** A pointer of the program's own; NULL at first. */
FLOE_API void floe_data_channel_set_user(floe_data_channel *channel, void *user);
/** The pointer of the program's own. */
FLOE_API void *floe_data_channel_user(const floe_data_channel *channel);
/** A pointer of whoever drives the peer connection (floe/uv.h); NULL at first. Not for programs that use a driver. */
FLOE_API void floe_data_channel_set_driver(floe_data_channel *channel, void *driver);
/** The pointer of the driver. */
FLOE_API void *floe_data_channel_driver(const floe_data_channel *channel);

#endif
