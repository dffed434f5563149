#include "turn/permission.h"

#include "base/addr.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "turn/channel.h"
#include "turn/exchange.h"

/* --- the request of one peer ------------------------------------------------------------------------------------ */

static void write_request(void *owner, uint16_t method, floe__stun_builder *b, bool optional) {
  const floe__turn_peer *peer = owner;
  (void)optional;
  if (method == FLOE__STUN_CHANNEL_BIND) floe__turn_channel_write(peer, b);
  floe__stun_put_xor_addr(b, FLOE__STUN_XOR_PEER_ADDRESS, &peer->addr);
}

static void send_request(void *owner, floe_bytes message) {
  const floe__turn *turn = ((const floe__turn_peer *)owner)->turn;
  turn->send(turn->owner, message);
}

static const floe__stun_request_ops request_ops = {write_request, send_request};

static bool is_allowed(floe__turn_peer_state from, floe__turn_peer_state to) {
  switch (from) {
    case FLOE__TURN_PEER_NEW: return to == FLOE__TURN_PEER_ASKING;
    case FLOE__TURN_PEER_ASKING: return to == FLOE__TURN_PEER_GRANTED || to == FLOE__TURN_PEER_REFUSED;
    case FLOE__TURN_PEER_GRANTED: return to == FLOE__TURN_PEER_REFRESHING || to == FLOE__TURN_PEER_REFUSED;
    case FLOE__TURN_PEER_REFRESHING: return to == FLOE__TURN_PEER_GRANTED || to == FLOE__TURN_PEER_REFUSED;
    case FLOE__TURN_PEER_REFUSED: return to == FLOE__TURN_PEER_ASKING;
  }
  return false;
}

static const char *state_name(floe__turn_peer_state state) {
  switch (state) {
    case FLOE__TURN_PEER_NEW: return "new";
    case FLOE__TURN_PEER_ASKING: return "asking";
    case FLOE__TURN_PEER_GRANTED: return "granted";
    case FLOE__TURN_PEER_REFRESHING: return "refreshing";
    case FLOE__TURN_PEER_REFUSED: return "refused";
  }
  return "unknown";
}

static void set_state(floe__turn_peer *peer, floe__turn_peer_state next) {
  FLOE__ASSERT(is_allowed(peer->state, next));
  floe__trace t;
  if (floe__trace_begin(&t, peer->turn->env, peer->turn->now, "turn.permission.state")) {
    floe__trace_addr(&t, "peer", &peer->addr);
    floe__trace_int(&t, "channel", peer->channel);
    floe__trace_text(&t, "from", state_name(peer->state));
    floe__trace_text(&t, "to", state_name(next));
    floe__trace_end(&t);
  }
  peer->state = next;
}

static void ask(floe__turn_peer *peer, floe_time now, floe__turn_peer_state next) {
  set_state(peer, next);
  floe__stun_request_start(&peer->request, now);
}

/* --- what comes of it ------------------------------------------------------------------------------------------- */

static floe__turn_step tell(floe__turn_peer *peer, bool granted) {
  floe__turn *turn = peer->turn;
  peer->answer_at = FLOE_TIME_NEVER;
  turn->peer = peer->addr;
  turn->granted = granted;
  return FLOE__TURN_STEP_PERMISSION;
}

static floe__turn_step on_granted(floe__turn_peer *peer, floe_time now) {
  bool is_new = peer->state == FLOE__TURN_PEER_ASKING;
  uint64_t refresh_ms = peer->channel == 0 ? FLOE__TURN_PERMISSION_REFRESH_MS : FLOE__TURN_CHANNEL_REFRESH_MS;
  set_state(peer, FLOE__TURN_PEER_GRANTED);
  peer->refresh_at = floe__after_ms(now, refresh_ms);
  peer->expires_at = floe__after_ms(now, FLOE__TURN_PERMISSION_MS);
  return is_new ? tell(peer, true) : FLOE__TURN_STEP_NONE;
}

static floe__turn_step on_refused(floe__turn_peer *peer, floe_time now) {
  floe__turn *turn = peer->turn;
  set_state(peer, FLOE__TURN_PEER_REFUSED);
  turn->outcome.cause = FLOE_CAUSE_PERMISSION_FAILED;
  turn->error_phase = peer->channel == 0 ? FLOE_PHASE_PERMISSION : FLOE_PHASE_CHANNEL;
  /* RFC 8656 5: 437 says that the server has no such allocation: a Refresh finds out for all of it. */
  if (turn->outcome.code == 437 && turn->refresh_at > now) turn->refresh_at = now;
  return tell(peer, false);
}

static floe__turn_step on_unanswered(floe__turn_peer *peer, floe_time now) {
  if (peer->state == FLOE__TURN_PEER_REFRESHING && now < peer->expires_at) {
    floe__stun_request_start(&peer->request, now);
    return FLOE__TURN_STEP_NONE;
  }
  peer->turn->outcome.code = 0;
  return on_refused(peer, now);
}

static floe__turn_step on_result(floe__turn_peer *peer, floe_time now, floe__stun_result result) {
  switch (result) {
    case FLOE__STUN_PENDING: return FLOE__TURN_STEP_NONE;
    case FLOE__STUN_RESULT_SUCCESS: return on_granted(peer, now);
    case FLOE__STUN_RESULT_ERROR:
    case FLOE__STUN_RESULT_REDIRECT:
    case FLOE__STUN_RESULT_MISMATCH: return on_refused(peer, now);
    case FLOE__STUN_RESULT_TIMEOUT: return on_unanswered(peer, now);
    case FLOE__STUN_RESULT_BROKEN:
    case FLOE__STUN_RESULT_NOMEM: peer->turn->outcome.code = 0; return on_refused(peer, now);
  }
  return FLOE__TURN_STEP_NONE;
}

floe__turn_step floe__turn_peer_on_response(floe__turn_peer *peer, floe_time now, const floe__stun_msg *m,
                                            floe__stun_parse parse) {
  floe__turn *turn = peer->turn;
  return on_result(peer, now, floe__turn_request_on_response(turn, &peer->request, now, m, parse));
}

/* --- timers ----------------------------------------------------------------------------------------------------- */

static floe__deadline peer_deadline(const floe__turn_peer *peer) {
  floe__deadline d = floe__deadline_at(peer->answer_at, "turn.permission.answer");
  switch (peer->state) {
    case FLOE__TURN_PEER_NEW:
    case FLOE__TURN_PEER_REFUSED: break;
    case FLOE__TURN_PEER_GRANTED:
      d = floe__earliest(d, floe__deadline_at(peer->refresh_at, "turn.permission.refresh"));
      break;
    case FLOE__TURN_PEER_ASKING:
    case FLOE__TURN_PEER_REFRESHING:
      d = floe__earliest(d, floe__deadline_at(floe__stun_request_deadline(&peer->request), "turn.transaction"));
      break;
  }
  return d;
}

static floe__turn_step on_deadline(floe__turn_peer *peer, floe_time now) {
  if (peer->answer_at <= now) return tell(peer, true);
  if (peer->state == FLOE__TURN_PEER_GRANTED) {
    ask(peer, now, FLOE__TURN_PEER_REFRESHING);
    return FLOE__TURN_STEP_NONE;
  }
  return on_result(peer, now, floe__stun_request_on_deadline(&peer->request, now, &peer->turn->outcome));
}

floe__turn_step floe__turn_peers_on_deadline(floe__turn *turn, floe_time now) {
  for (size_t i = 0; i < turn->n_peers; i++) {
    if (peer_deadline(turn->peers[i]).at <= now) return on_deadline(turn->peers[i], now);
  }
  return FLOE__TURN_STEP_NONE;
}

floe__deadline floe__turn_peers_deadline(const floe__turn *turn) {
  floe__deadline d = FLOE__NO_DEADLINE;
  for (size_t i = 0; i < turn->n_peers; i++) d = floe__earliest(d, peer_deadline(turn->peers[i]));
  return d;
}

/* --- all peers -------------------------------------------------------------------------------------------------- */

floe__turn_peer *floe__turn_peer_of_response(const floe__turn *turn, const floe__stun_msg *m) {
  for (size_t i = 0; i < turn->n_peers; i++) {
    if (floe__stun_request_is_mine(&turn->peers[i]->request, m)) return turn->peers[i];
  }
  return NULL;
}

bool floe__turn_peers_were_asked(const floe__turn *turn, const floe__stun_msg *m) {
  for (size_t i = 0; i < turn->n_peers; i++) {
    if (floe__stun_request_was_mine(&turn->peers[i]->request, m)) return true;
  }
  return false;
}

static bool is_granted(const floe__turn_peer *peer) {
  return peer->state == FLOE__TURN_PEER_GRANTED || peer->state == FLOE__TURN_PEER_REFRESHING;
}

bool floe__turn_peer_may_send(const floe__turn *turn, floe_time now, const floe_addr *addr) {
  for (size_t i = 0; i < turn->n_peers; i++) {
    const floe__turn_peer *peer = turn->peers[i];
    if (is_granted(peer) && now < peer->expires_at && floe_addr_equal_ip(&peer->addr, addr)) return true;
  }
  return false;
}

bool floe__turn_peer_may_receive(const floe__turn *turn, const floe_addr *addr) {
  for (size_t i = 0; i < turn->n_peers; i++) {
    const floe__turn_peer *peer = turn->peers[i];
    /* What the server relays once it has granted may overtake its answer. */
    bool may = is_granted(peer) || peer->state == FLOE__TURN_PEER_ASKING;
    if (may && floe_addr_equal_ip(&peer->addr, addr)) return true;
  }
  return false;
}

/* A permission is enough where no channel is asked for, and a channel is one too. */
static floe__turn_peer *find_peer(const floe__turn *turn, const floe_addr *addr, bool use_channel) {
  for (size_t i = 0; i < turn->n_peers; i++) {
    floe__turn_peer *peer = turn->peers[i];
    if (!floe_addr_equal(&peer->addr, addr)) continue;
    if ((peer->channel != 0) == use_channel || (!use_channel && is_granted(peer))) return peer;
  }
  return NULL;
}

bool floe__turn_has_peer(const floe__turn *turn, const floe_addr *peer, bool use_channel) {
  return find_peer(turn, peer, use_channel) != NULL;
}

static floe__turn_peer *add_peer(floe__turn *turn, const floe_addr *addr, bool use_channel) {
  void *peers = turn->peers;
  if (!floe__reserve(turn->env, &peers, &turn->peers_cap, sizeof *turn->peers, turn->n_peers + 1)) return NULL;
  turn->peers = peers;
  floe__turn_peer *peer = floe__zalloc(turn->env, sizeof *peer);
  if (peer == NULL) return NULL;
  *peer = (floe__turn_peer){.turn = turn, .addr = *addr, .answer_at = FLOE_TIME_NEVER};
  if (use_channel) peer->channel = floe__turn_channel_take(turn);
  if (use_channel && peer->channel == 0) {
    floe__free(turn->env, peer);
    return NULL;
  }
  uint16_t method = use_channel ? FLOE__STUN_CHANNEL_BIND : FLOE__STUN_CREATE_PERMISSION;
  floe__turn_request_init(turn, &peer->request, &request_ops, peer, method);
  turn->peers[turn->n_peers++] = peer;
  return peer;
}

bool floe__turn_permit(floe__turn *turn, floe_time now, const floe_addr *addr, bool use_channel) {
  if (turn->state != FLOE__TURN_LIVE || floe__addr_ip_len(addr) == 0) return false;
  turn->now = now;
  floe__turn_peer *peer = find_peer(turn, addr, use_channel);
  if (peer == NULL) peer = add_peer(turn, addr, use_channel);
  if (peer == NULL) return false;
  switch (peer->state) {
    case FLOE__TURN_PEER_NEW:
    case FLOE__TURN_PEER_REFUSED: ask(peer, now, FLOE__TURN_PEER_ASKING); break;
    case FLOE__TURN_PEER_ASKING: break; /* its answer answers this too */
    case FLOE__TURN_PEER_GRANTED:
    case FLOE__TURN_PEER_REFRESHING: peer->answer_at = now; break;
  }
  return true;
}

void floe__turn_peers_stop(floe__turn *turn) {
  for (size_t i = 0; i < turn->n_peers; i++) {
    floe__turn_peer *peer = turn->peers[i];
    floe__stun_request_clear(&peer->request);
    peer->answer_at = FLOE_TIME_NEVER;
    if (peer->state != FLOE__TURN_PEER_REFUSED) set_state(peer, FLOE__TURN_PEER_REFUSED);
  }
}

void floe__turn_peers_clear(floe__turn *turn) {
  for (size_t i = 0; i < turn->n_peers; i++) {
    floe__stun_request_clear(&turn->peers[i]->request);
    floe__free(turn->env, turn->peers[i]);
  }
  floe__free(turn->env, turn->peers);
  turn->peers = NULL;
  turn->n_peers = turn->peers_cap = 0;
}
