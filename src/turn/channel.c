#include "turn/channel.h"

uint16_t floe__turn_channel_take(floe__turn *turn) {
  if (turn->next_channel > FLOE__TURN_CHANNEL_MAX) return 0;
  return turn->next_channel++;
}

void floe__turn_channel_write(const floe__turn_peer *peer, floe__stun_builder *b) {
  /* RFC 8656 18.1: the number, and 16 bits RFFU that "MUST be set to 0". */
  floe__stun_put_u32(b, FLOE__STUN_CHANNEL_NUMBER, (uint32_t)peer->channel << 16);
}

static bool is_bound(const floe__turn_peer *peer) {
  return peer->state == FLOE__TURN_PEER_GRANTED || peer->state == FLOE__TURN_PEER_REFRESHING;
}

const floe__turn_peer *floe__turn_channel_to(const floe__turn *turn, floe_time now, const floe_addr *addr) {
  for (size_t i = 0; i < turn->n_peers; i++) {
    const floe__turn_peer *peer = turn->peers[i];
    if (peer->channel == 0 || !is_bound(peer) || now >= peer->expires_at) continue;
    if (floe_addr_equal(&peer->addr, addr)) return peer;
  }
  return NULL;
}

const floe__turn_peer *floe__turn_channel_from(const floe__turn *turn, uint16_t number) {
  if (number < FLOE__TURN_CHANNEL_MIN || number > FLOE__TURN_CHANNEL_MAX) return NULL;
  for (size_t i = 0; i < turn->n_peers; i++) {
    const floe__turn_peer *peer = turn->peers[i];
    if (peer->channel != number) continue;
    /* RFC 8656 12: the client "SHOULD be prepared to receive ChannelData messages on the channel from the server as
     * soon as it has sent the ChannelBind request". */
    if (is_bound(peer) || peer->state == FLOE__TURN_PEER_ASKING) return peer;
    /* The request may have arrived and only its answers been lost: then the server speaks so, and what it relays is
     * permitted all the same. */
    return floe__turn_peer_may_receive(turn, &peer->addr) ? peer : NULL;
  }
  return NULL;
}
