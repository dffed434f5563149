/* Data on its way through the relay: Send and Data indications (RFC 8656 11), ChannelData (12.4 to 12.6). */
#ifndef FLOE_TURN_RELAY_H
#define FLOE_TURN_RELAY_H

#include "turn/alloc_fsm.h"

#define FLOE__TURN_CHANNEL_DATA_HEADER 4

/* Each returns the message in `buf`, empty when it does not fit. `padded`: over a stream. */
floe_bytes floe__turn_wrap_channel_data(uint8_t *buf, size_t cap, uint16_t number, floe_bytes data, bool padded);
floe_bytes floe__turn_wrap_send(uint8_t *buf, size_t cap, const uint8_t txn_id[FLOE__STUN_TXN_ID],
                                const floe_addr *peer, floe_bytes data);

/* The first byte says that it is ChannelData and no STUN message (RFC 8656 12, RFC 7983). */
bool floe__turn_is_channel_data(floe_bytes message);
/* False: shorter than it says. */
bool floe__turn_unwrap_channel_data(floe_bytes message, uint16_t *number, floe_bytes *data);
/* False: not a Data indication that carries data (an ICMP report, 11.6, carries none). */
bool floe__turn_unwrap_data(const floe__stun_msg *m, floe_addr *peer, floe_bytes *data);

#endif
