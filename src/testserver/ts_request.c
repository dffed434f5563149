/* Messages of clients: what they are, whether they may, and who answers them. */
#include <string.h>

#include "stun/error_code.h"
#include "testserver/ts_internal.h"

static void on_binding(floe__testserver *ts, const floe__ts_request *req) {
  floe__stun_builder b;
  floe__ts_origin origin = req->origin;
  floe__ts_behaviour_route(req, &origin);
  floe__ts_answer_begin(ts, &origin, FLOE__STUN_SUCCESS, &b);
  if (!floe__ts_has_fault(&origin.flow, FLOE__TS_NO_ADDRESS)) {
    floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &origin.flow.from);
  }
  floe__ts_behaviour_put(req, &origin, &b);
  floe__ts_answer_end(ts, &origin, &b, 0);
  floe__stun_key_clear(&origin.user.key);
}

/* RFC 8489 6.3: a method that is not supported is discarded. */
static bool is_supported(uint16_t method) {
  switch (method) {
    case FLOE__STUN_BINDING:
    case FLOE__STUN_ALLOCATE:
    case FLOE__STUN_REFRESH:
    case FLOE__STUN_CREATE_PERMISSION:
    case FLOE__STUN_CHANNEL_BIND: return true;
    default: return false;
  }
}

static void dispatch(floe__testserver *ts, const floe__ts_request *req) {
  switch (req->origin.method) {
    case FLOE__STUN_BINDING: on_binding(ts, req); break;
    case FLOE__STUN_ALLOCATE: floe__ts_on_allocate(ts, req); break;
    case FLOE__STUN_REFRESH: floe__ts_on_refresh(ts, req); break;
    case FLOE__STUN_CREATE_PERMISSION: floe__ts_on_create_permission(ts, req); break;
    case FLOE__STUN_CHANNEL_BIND: floe__ts_on_channel_bind(ts, req); break;
    default: break;
  }
}

/* RFC 8489 6.3.1: 420 names the comprehension-required attributes that the server does not understand; ICE's are no
 * business of this server either. */
static bool refuse_unknown(floe__testserver *ts, const floe__ts_request *req) {
  static const floe__stun_attr foreign[] = {FLOE__STUN_PRIORITY, FLOE__STUN_USE_CANDIDATE};
  uint16_t types[sizeof req->m->unknown / sizeof req->m->unknown[0] + sizeof foreign / sizeof foreign[0]];
  size_t n = 0;
  for (size_t i = 0; i < req->m->n_unknown; i++) {
    if (!floe__ts_behaviour_understands(req, req->m->unknown[i])) types[n++] = req->m->unknown[i];
  }
  for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
    if (floe__stun_has(req->m, foreign[i])) types[n++] = floe__stun_attr_type(foreign[i]);
  }
  if (n > 0) floe__ts_answer_unknown(ts, &req->origin, types, n);
  return n > 0;
}

/* False: the request was answered here. */
static bool authenticate(floe__testserver *ts, floe__ts_request *req) {
  bool first_nonce;
  if (!floe__ts_needs_auth(ts, req)) return true;
  floe__ts_verdict verdict = floe__ts_authenticate(ts, req, &first_nonce);
  if (verdict == FLOE__TS_AUTH_OK && floe__ts_fault_is_stale(req, first_nonce)) verdict = FLOE__TS_AUTH_STALE;
  switch (verdict) {
    case FLOE__TS_AUTH_OK: return true;
    case FLOE__TS_AUTH_CHALLENGE: floe__ts_challenge(ts, &req->origin, 401, NULL); break;
    case FLOE__TS_AUTH_STALE: floe__ts_challenge(ts, &req->origin, 438, NULL); break;
    case FLOE__TS_AUTH_BAD: floe__ts_answer_error(ts, &req->origin, 400, NULL); break;
  }
  return false;
}

static void answer_request(floe__testserver *ts, floe__ts_request *req) {
  if (floe__ts_fault_before_auth(ts, req)) return;
  if (!authenticate(ts, req)) return;
  if (floe__ts_fault_after_auth(ts, req)) return;
  if (refuse_unknown(ts, req)) return;
  dispatch(ts, req);
}

static void on_request(floe__testserver *ts, const floe__ts_flow *flow, const floe__stun_msg *m) {
  if (!is_supported(m->method)) return;
  floe__ts_request req = {.origin = {.flow = *flow, .method = m->method}, .m = m};
  memcpy(req.origin.txn_id, m->txn_id, sizeof req.origin.txn_id);
  ts->counters.requests++;
  if (floe__ts_answer_again(ts, &req.origin)) return;
  answer_request(ts, &req);
  floe__stun_key_clear(&req.origin.user.key);
}

void floe__ts_on_message(floe__testserver *ts, const floe__ts_flow *flow, floe_bytes message) {
  floe__stun_msg m;
  if (message.len > 0 && message.ptr[0] >> 6 == 1) {
    floe__ts_on_channel_data(ts, flow, message);
    return;
  }
  if (floe__stun_msg_parse(&m, message) != FLOE__STUN_OK) return;
  if (floe__stun_check_fingerprint(&m) == FLOE__STUN_CHECK_BAD) return;
  if (m.cls == FLOE__STUN_REQUEST) on_request(ts, flow, &m);
  if (m.cls == FLOE__STUN_INDICATION && m.method == FLOE__STUN_SEND) floe__ts_on_send(ts, flow, &m);
}
