/* Permissions, channels and data (RFC 8656 9 to 12). */
#include <string.h>

#include "base/rng.h"
#include "testserver/ts_internal.h"

#define CHANNEL_MIN 0x4000 /* RFC 8656 12 */
#define CHANNEL_MAX 0x4FFF

/* --- permissions ------------------------------------------------------------------------------------------------ */

static floe__ts_relay_socket *relay_for(floe__ts_allocation *a, const floe_addr *peer) {
  floe__ts_relay_socket *r = &a->relays[peer->family == FLOE_FAMILY_IPV6];
  return r->state == FLOE__TS_RELAY_OPEN ? r : NULL;
}

static floe__ts_permission *find_permission(floe__ts_allocation *a, const floe_addr *peer) {
  for (size_t i = 0; i < a->n_permissions; i++) {
    if (floe_addr_equal_ip(&a->permissions[i].peer, peer)) return &a->permissions[i];
  }
  return NULL;
}

static bool is_permitted(const floe__testserver *ts, floe__ts_allocation *a, const floe_addr *peer) {
  const floe__ts_permission *p = find_permission(a, peer);
  return p != NULL && p->expires_at > ts->now;
}

/* A place that is free, or that has run out. */
static floe__ts_permission *new_permission(const floe__testserver *ts, floe__ts_allocation *a) {
  for (size_t i = 0; i < a->n_permissions; i++) {
    if (a->permissions[i].expires_at <= ts->now) return &a->permissions[i];
  }
  return a->n_permissions < FLOE__TS_MAX_PEERS ? &a->permissions[a->n_permissions++] : NULL;
}

static bool permit(floe__testserver *ts, floe__ts_allocation *a, const floe_addr *peer) {
  floe__ts_permission *p = find_permission(a, peer);
  if (p == NULL) p = new_permission(ts, a);
  if (p == NULL) return false;
  *p = (floe__ts_permission){.peer = *peer, .expires_at = ts->now + FLOE__TS_PERMISSION_S * FLOE_SECOND};
  return true;
}

/* The n-th peer of the request; `*code` is 0 when it is a good one. False: there are no more. */
static bool next_peer(floe__ts_allocation *a, const floe__stun_msg *m, unsigned n, floe_addr *peer, unsigned *code) {
  bool found = false;
  floe_bytes value = floe__stun_get_nth(m, FLOE__STUN_XOR_PEER_ADDRESS, n, &found);
  if (!found) return false;
  *code = 0;
  if (!floe__stun_decode_xor_addr(m, value, peer)) {
    *code = 400;
  } else if (relay_for(a, peer) == NULL) {
    *code = 443; /* RFC 8656 9.2: the peer's family is not the allocation's */
  }
  return true;
}

static void answer_empty(floe__testserver *ts, const floe__ts_request *req) {
  floe__stun_builder b;
  floe__ts_answer_begin(ts, &req->origin, FLOE__STUN_SUCCESS, &b);
  floe__ts_answer_end(ts, &req->origin, &b, 0);
}

/* RFC 8656 9.2: all peers are checked before the first permission is installed. */
static unsigned check_peers(floe__ts_allocation *a, const floe__stun_msg *m) {
  floe_addr peer;
  unsigned code = 400;
  unsigned n = 0;
  while (next_peer(a, m, n, &peer, &code)) {
    if (code != 0) return code;
    n++;
  }
  if (n == 0) return 400;
  return n > FLOE__TS_MAX_PEERS ? 508 : 0;
}

void floe__ts_on_create_permission(floe__testserver *ts, const floe__ts_request *req) {
  floe__ts_allocation *a = floe__ts_own_allocation(ts, req);
  if (a == NULL) return;
  unsigned code = check_peers(a, req->m);
  floe_addr peer;
  unsigned ignored;
  for (unsigned n = 0; code == 0 && next_peer(a, req->m, n, &peer, &ignored); n++) {
    if (!permit(ts, a, &peer)) code = 508;
  }
  if (code != 0) {
    floe__ts_answer_error(ts, &req->origin, code, NULL);
    return;
  }
  ts->counters.permissions++;
  answer_empty(ts, req);
}

/* --- channels --------------------------------------------------------------------------------------------------- */

static bool is_bound(const floe__testserver *ts, const floe__ts_channel *c) {
  return c->expires_at > ts->now;
}

static floe__ts_channel *channel_of_peer(const floe__testserver *ts, floe__ts_allocation *a, const floe_addr *peer) {
  for (size_t i = 0; i < a->n_channels; i++) {
    if (is_bound(ts, &a->channels[i]) && floe_addr_equal(&a->channels[i].peer, peer)) return &a->channels[i];
  }
  return NULL;
}

static floe__ts_channel *channel_of_number(const floe__testserver *ts, floe__ts_allocation *a, uint16_t number) {
  for (size_t i = 0; i < a->n_channels; i++) {
    if (is_bound(ts, &a->channels[i]) && a->channels[i].number == number) return &a->channels[i];
  }
  return NULL;
}

static floe__ts_channel *new_channel(const floe__testserver *ts, floe__ts_allocation *a) {
  for (size_t i = 0; i < a->n_channels; i++) {
    if (!is_bound(ts, &a->channels[i])) return &a->channels[i];
  }
  return a->n_channels < FLOE__TS_MAX_PEERS ? &a->channels[a->n_channels++] : NULL;
}

/* RFC 8656 12.2: a number belongs to one peer and a peer has one number; 0, or the error code. */
static unsigned bind_channel(floe__testserver *ts, floe__ts_allocation *a, uint16_t number, const floe_addr *peer) {
  if (number < CHANNEL_MIN || number > CHANNEL_MAX) return 400;
  if (relay_for(a, peer) == NULL) return 443;
  floe__ts_channel *by_number = channel_of_number(ts, a, number);
  floe__ts_channel *by_peer = channel_of_peer(ts, a, peer);
  if (by_number != by_peer) return 400;
  floe__ts_channel *c = by_peer != NULL ? by_peer : new_channel(ts, a);
  if (c == NULL || !permit(ts, a, peer)) return 508;
  *c = (floe__ts_channel){number, *peer, ts->now + FLOE__TS_CHANNEL_S * FLOE_SECOND};
  return 0;
}

void floe__ts_on_channel_bind(floe__testserver *ts, const floe__ts_request *req) {
  floe__ts_allocation *a = floe__ts_own_allocation(ts, req);
  if (a == NULL) return;
  uint32_t number = 0; /* CHANNEL-NUMBER: 16 bits of number, 16 reserved (RFC 8656 18.1) */
  floe_addr peer;
  unsigned code = 400;
  if (floe__stun_get_u32(req->m, FLOE__STUN_CHANNEL_NUMBER, &number) &&
      floe__stun_get_xor_addr(req->m, FLOE__STUN_XOR_PEER_ADDRESS, &peer)) {
    code = bind_channel(ts, a, (uint16_t)(number >> 16), &peer);
  }
  if (code != 0) {
    floe__ts_answer_error(ts, &req->origin, code, NULL);
    return;
  }
  ts->counters.channels++;
  answer_empty(ts, req);
}

/* --- data to peers ---------------------------------------------------------------------------------------------- */

static void send_to_peer(floe__testserver *ts, floe__ts_allocation *a, const floe_addr *peer, floe_bytes data) {
  const floe__ts_relay_socket *r = relay_for(a, peer);
  if (r == NULL || !is_permitted(ts, a, peer)) return;
  if (floe__ts_has_fault(&a->origin.flow, FLOE__TS_RELAY_NOTHING)) return;
  floe__ts_output out = {.type = FLOE__TS_SEND_RELAY, .relay = r->id, .to = *peer};
  if (floe__ts_push(ts, &out, data, false)) ts->counters.relayed_out++;
}

/* RFC 8656 11.2: without both attributes, or with one that asks for what we cannot do, it is discarded. */
void floe__ts_on_send(floe__testserver *ts, const floe__ts_flow *flow, const floe__stun_msg *m) {
  floe__ts_allocation *a = floe__ts_find_allocation(ts, flow);
  floe_addr peer;
  if (a == NULL || !floe__stun_has(m, FLOE__STUN_DATA) || floe__stun_has(m, FLOE__STUN_DONT_FRAGMENT)) return;
  if (m->n_unknown > 0 || !floe__stun_get_xor_addr(m, FLOE__STUN_XOR_PEER_ADDRESS, &peer)) return;
  send_to_peer(ts, a, &peer, floe__stun_get(m, FLOE__STUN_DATA));
}

void floe__ts_on_channel_data(floe__testserver *ts, const floe__ts_flow *flow, floe_bytes message) {
  floe__ts_allocation *a = floe__ts_find_allocation(ts, flow);
  if (a == NULL) return;
  floe__reader r = floe__reader_of(message);
  uint16_t number = floe__rd_u16(&r);
  uint16_t len = floe__rd_u16(&r);
  floe_bytes data = floe__rd_take(&r, len);
  const floe__ts_channel *c = r.bad ? NULL : channel_of_number(ts, a, number);
  if (c != NULL) send_to_peer(ts, a, &c->peer, data);
}

/* --- data from peers -------------------------------------------------------------------------------------------- */

static void send_channel_data(floe__testserver *ts, const floe__ts_flow *flow, uint16_t number, floe_bytes data) {
  floe__writer w = floe__writer_of(ts->message, sizeof ts->message);
  floe__wr_u16(&w, number);
  floe__wr_u16(&w, (uint16_t)data.len);
  floe__wr_bytes(&w, data.ptr, data.len);
  /* RFC 8656 12.5: over TCP and TLS it is padded to a multiple of four. */
  if (flow->conn != 0) floe__wr_zeros(&w, (4 - data.len % 4) % 4);
  if (!w.bad) floe__ts_send(ts, flow, floe__wr_done(&w));
}

static void send_data_indication(floe__testserver *ts, const floe__ts_flow *flow, const floe_addr *peer,
                                 floe_bytes data) {
  floe__stun_builder b;
  uint8_t id[FLOE__STUN_TXN_ID];
  floe__random(ts->env, id, sizeof id);
  floe__stun_begin(&b, ts->message, sizeof ts->message, FLOE__STUN_INDICATION, FLOE__STUN_DATA_METHOD, id);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_PEER_ADDRESS, peer);
  floe__stun_put(&b, FLOE__STUN_DATA, data.ptr, data.len);
  floe_bytes message = floe__stun_end(&b);
  if (message.len > 0) floe__ts_send(ts, flow, message);
}

void floe__testserver_on_relay_datagram(floe__testserver *ts, floe_time now, floe__ts_relay relay,
                                        const floe_addr *from, floe_bytes data) {
  floe__ts_advance(ts, now);
  floe__ts_relay_socket *r = NULL;
  floe__ts_allocation *a = floe__ts_find_by_relay(ts, relay, &r);
  if (a == NULL || !a->answered || !is_permitted(ts, a, from)) return;
  if (data.len > UINT16_MAX || floe__ts_has_fault(&a->origin.flow, FLOE__TS_RELAY_NOTHING)) return;
  ts->counters.relayed_in++;
  const floe__ts_channel *c = channel_of_peer(ts, a, from);
  if (c != NULL) {
    send_channel_data(ts, &a->origin.flow, c->number, data);
  } else {
    send_data_indication(ts, &a->origin.flow, from, data);
  }
}
