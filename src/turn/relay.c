#include "turn/relay.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/rng.h"
#include "turn/channel.h"

#define STACK_MAX 2048
/* What fits a UDP datagram over IPv4: 65,535 less 20 and 8. */
#define DATAGRAM_MAX 65507
#define LENGTH_MAX   65535

floe_bytes floe__turn_wrap_channel_data(uint8_t *buf, size_t cap, uint16_t number, floe_bytes data, bool padded) {
  if (data.len > LENGTH_MAX) return (floe_bytes){0};
  floe__writer w = floe__writer_of(buf, cap);
  floe__wr_u16(&w, number);
  floe__wr_u16(&w, (uint16_t)data.len);
  floe__wr_bytes(&w, data.ptr, data.len);
  /* RFC 8656 12.5: "Over TCP and TLS-over-TCP, the ChannelData message MUST be padded to a multiple of four bytes". */
  if (padded) floe__wr_zeros(&w, (4 - data.len % 4) % 4);
  return floe__wr_done(&w);
}

floe_bytes floe__turn_wrap_send(uint8_t *buf, size_t cap, const uint8_t txn_id[FLOE__STUN_TXN_ID],
                                const floe_addr *peer, floe_bytes data) {
  floe__stun_builder b;
  floe__stun_begin(&b, buf, cap, FLOE__STUN_INDICATION, FLOE__STUN_SEND, txn_id);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_PEER_ADDRESS, peer);
  floe__stun_put(&b, FLOE__STUN_DATA, data.ptr, data.len);
  return floe__stun_end(&b);
}

bool floe__turn_is_channel_data(floe_bytes message) {
  floe__reader r = floe__reader_of(message);
  uint16_t number = floe__rd_u16(&r);
  return !r.bad && number >= FLOE__TURN_CHANNEL_MIN && number <= FLOE__TURN_CHANNEL_MAX;
}

bool floe__turn_unwrap_channel_data(floe_bytes message, uint16_t *number, floe_bytes *data) {
  floe__reader r = floe__reader_of(message);
  *number = floe__rd_u16(&r);
  uint16_t len = floe__rd_u16(&r);
  *data = floe__rd_take(&r, len);
  return !r.bad; /* RFC 8656 12.5: what follows is padding, which over UDP "MAY be included" */
}

bool floe__turn_unwrap_data(const floe__stun_msg *m, floe_addr *peer, floe_bytes *data) {
  if (m->cls != FLOE__STUN_INDICATION || m->method != FLOE__STUN_DATA_METHOD) return false;
  if (!floe__stun_has(m, FLOE__STUN_DATA) || m->n_unknown > 0) return false;
  *data = floe__stun_get(m, FLOE__STUN_DATA);
  return floe__stun_get_xor_addr(m, FLOE__STUN_XOR_PEER_ADDRESS, peer);
}

static size_t padded_to_4(size_t len) {
  return (len + 3) / 4 * 4;
}

/* How long the message around `data` will be. */
static size_t wrapped_size(const floe__turn *turn, bool in_channel, const floe_addr *peer, size_t len) {
  if (in_channel) return FLOE__TURN_CHANNEL_DATA_HEADER + (turn->cfg.reliable ? padded_to_4(len) : len);
  size_t address = peer->family == FLOE_FAMILY_IPV6 ? 24 : 12;
  return FLOE__STUN_HEADER + address + 4 + padded_to_4(len);
}

/* What a length field, and over UDP a datagram, can hold. */
static bool is_too_large(const floe__turn *turn, bool in_channel, size_t len, size_t size) {
  if (len > LENGTH_MAX) return true;
  if (!turn->cfg.reliable) return size > DATAGRAM_MAX;
  return !in_channel && size - FLOE__STUN_HEADER > LENGTH_MAX;
}

static floe_bytes wrap(floe__turn *turn, const floe__turn_peer *channel, uint8_t *buf, size_t size,
                       const floe_addr *peer, floe_bytes data) {
  if (channel != NULL) {
    return floe__turn_wrap_channel_data(buf, size, channel->channel, data, turn->cfg.reliable);
  }
  uint8_t txn_id[FLOE__STUN_TXN_ID];
  floe__random(turn->env, txn_id, sizeof txn_id);
  return floe__turn_wrap_send(buf, size, txn_id, peer, data);
}

static void send_wrapped(floe__turn *turn, const floe__turn_peer *channel, uint8_t *buf, size_t size,
                         const floe_addr *peer, floe_bytes data) {
  floe_bytes message = wrap(turn, channel, buf, size, peer, data);
  FLOE__ASSERT(message.len == size);
  turn->send(turn->owner, message);
}

floe__turn_send floe__turn_send_data(floe__turn *turn, floe_time now, const floe_addr *peer, floe_bytes data) {
  if (turn->state != FLOE__TURN_LIVE) return FLOE__TURN_NOT_PERMITTED;
  const floe__turn_peer *channel = floe__turn_channel_to(turn, now, peer);
  if (channel == NULL && !floe__turn_peer_may_send(turn, now, peer)) return FLOE__TURN_NOT_PERMITTED;
  size_t size = wrapped_size(turn, channel != NULL, peer, data.len);
  if (is_too_large(turn, channel != NULL, data.len, size)) return FLOE__TURN_TOO_LARGE;
  if (size <= STACK_MAX) {
    uint8_t buf[STACK_MAX];
    send_wrapped(turn, channel, buf, size, peer, data);
    return FLOE__TURN_SENT;
  }
  uint8_t *buf = floe__alloc(turn->env, size);
  if (buf == NULL) return FLOE__TURN_SEND_NOMEM;
  send_wrapped(turn, channel, buf, size, peer, data);
  floe__free(turn->env, buf);
  return FLOE__TURN_SENT;
}
