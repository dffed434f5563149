/* Answers: how they are built, signed, sent and, over UDP, repeated. */
#include <string.h>

#include "base/trace.h"
#include "stun/error_code.h"
#include "testserver/ts_internal.h"

/* --- the trace -------------------------------------------------------------------------------------------------- */

static const char *method_name(uint16_t method) {
  switch (method) {
    case FLOE__STUN_BINDING: return "Binding";
    case FLOE__STUN_ALLOCATE: return "Allocate";
    case FLOE__STUN_REFRESH: return "Refresh";
    case FLOE__STUN_CREATE_PERMISSION: return "CreatePermission";
    case FLOE__STUN_CHANNEL_BIND: return "ChannelBind";
    default: return "unknown";
  }
}

void floe__ts_trace_request(floe__testserver *ts, const floe__ts_origin *origin, int answer) {
  floe__trace t;
  if (!floe__trace_begin(&t, ts->env, ts->now, "testserver.request")) return;
  floe__trace_text(&t, "transport", floe_transport_name(origin->flow.port->transport));
  floe__trace_addr(&t, "from", &origin->flow.from);
  floe__trace_text(&t, "method", method_name(origin->method));
  if (answer == 0) floe__trace_text(&t, "answer", "success");
  if (answer < 0) floe__trace_text(&t, "answer", "none");
  if (answer > 0) {
    floe__trace_text(&t, "answer", "error");
    floe__trace_int(&t, "code", answer);
  }
  floe__trace_end(&t);
}

/* --- repeating -------------------------------------------------------------------------------------------------- */

/* RFC 8489 6.3.1: a retransmitted request gets the same answer, so that what is not idempotent is not done twice. */
static void keep_answer(floe__testserver *ts, const floe__ts_origin *origin, floe_bytes message) {
  if (origin->flow.conn != 0 || origin->method == FLOE__STUN_BINDING) return;
  floe__ts_cached *c = &ts->cache[ts->cache_next];
  uint8_t *copy = floe__alloc(ts->env, message.len + 1);
  if (copy == NULL) return;
  if (message.len > 0) memcpy(copy, message.ptr, message.len);
  floe__free(ts->env, c->bytes);
  *c = (floe__ts_cached){.flow = origin->flow, .at = ts->now, .bytes = copy, .len = message.len};
  memcpy(c->txn_id, origin->txn_id, sizeof c->txn_id);
  ts->cache_next = (ts->cache_next + 1) % FLOE__TS_CACHE;
}

static void send_answer(floe__testserver *ts, const floe__ts_origin *origin, floe_bytes message) {
  const floe__ts_script *script = &origin->flow.port->script;
  if (script->fault == FLOE__TS_LATE && script->delay_ms > 0) {
    floe__ts_send_late(ts, &origin->flow, message, script->delay_ms);
  } else {
    floe__ts_send(ts, &origin->flow, message);
  }
}

bool floe__ts_answer_again(floe__testserver *ts, const floe__ts_origin *origin) {
  if (origin->flow.conn != 0) return false;
  for (size_t i = 0; i < FLOE__TS_CACHE; i++) {
    const floe__ts_cached *c = &ts->cache[i];
    if (c->bytes == NULL || memcmp(c->txn_id, origin->txn_id, sizeof c->txn_id) != 0) continue;
    if (!floe__ts_flow_equal(&c->flow, &origin->flow)) continue;
    if (ts->now - c->at > FLOE__TS_CACHE_S * FLOE_SECOND) continue;
    send_answer(ts, origin, (floe_bytes){c->bytes, c->len});
    return true;
  }
  return false;
}

void floe__ts_cache_clear(floe__testserver *ts) {
  for (size_t i = 0; i < FLOE__TS_CACHE; i++) floe__free(ts->env, ts->cache[i].bytes);
}

/* --- building --------------------------------------------------------------------------------------------------- */

void floe__ts_answer_begin(floe__testserver *ts, const floe__ts_origin *origin, floe__stun_class cls,
                           floe__stun_builder *b) {
  uint8_t id[FLOE__STUN_TXN_ID];
  memcpy(id, origin->txn_id, sizeof id);
  if (floe__ts_has_fault(&origin->flow, FLOE__TS_WRONG_TRANSACTION)) id[0] ^= 0xff;
  floe__stun_begin(b, ts->message, sizeof ts->message, cls, origin->method, id);
}

void floe__ts_answer_end(floe__testserver *ts, const floe__ts_origin *origin, floe__stun_builder *b, unsigned code) {
  floe__stun_put_text(b, FLOE__STUN_SOFTWARE, ts->cfg.software);
  floe__ts_fault_sign(ts, origin, b, code);
  floe_bytes message = floe__ts_fault_spoil(ts, origin->flow.port, floe__stun_end(b));
  floe__ts_trace_request(ts, origin, (int)code);
  keep_answer(ts, origin, message);
  send_answer(ts, origin, message);
}

void floe__ts_answer_error(floe__testserver *ts, const floe__ts_origin *origin, unsigned code, const char *reason) {
  floe__stun_builder b;
  floe__ts_answer_begin(ts, origin, FLOE__STUN_ERROR, &b);
  floe__stun_put_error(&b, code, reason == NULL || reason[0] == '\0' ? floe__stun_reason(code) : reason);
  floe__ts_answer_end(ts, origin, &b, code);
}

void floe__ts_answer_unknown(floe__testserver *ts, const floe__ts_origin *origin, const uint16_t *types, size_t n) {
  floe__stun_builder b;
  uint8_t value[2 * 64];
  floe__writer w = floe__writer_of(value, sizeof value);
  for (size_t i = 0; i < n; i++) floe__wr_u16(&w, types[i]);
  floe_bytes list = floe__wr_done(&w);
  floe__ts_answer_begin(ts, origin, FLOE__STUN_ERROR, &b);
  floe__stun_put_error(&b, 420, floe__stun_reason(420));
  floe__stun_put(&b, FLOE__STUN_UNKNOWN_ATTRIBUTES, list.ptr, list.len);
  floe__ts_answer_end(ts, origin, &b, 420);
}

void floe__ts_challenge(floe__testserver *ts, const floe__ts_origin *origin, unsigned code, const char *reason) {
  floe__stun_builder b;
  char nonce[FLOE__TS_NONCE_MAX];
  floe__ts_fault fault = origin->flow.port->script.fault;
  ts->counters.challenges++;
  floe__ts_make_nonce(ts, code == 401, nonce);
  floe__ts_answer_begin(ts, origin, FLOE__STUN_ERROR, &b);
  floe__stun_put_error(&b, code, reason == NULL || reason[0] == '\0' ? floe__stun_reason(code) : reason);
  if (fault != FLOE__TS_401_NO_REALM) floe__stun_put_text(&b, FLOE__STUN_REALM, ts->cfg.realm);
  if (fault != FLOE__TS_401_NO_NONCE) floe__stun_put_text(&b, FLOE__STUN_NONCE, nonce);
  floe_bytes algorithms = floe__ts_algorithms(ts);
  if (algorithms.len > 0) floe__stun_put(&b, FLOE__STUN_PASSWORD_ALGORITHMS, algorithms.ptr, algorithms.len);
  floe__ts_answer_end(ts, origin, &b, code);
  if (code == 401) floe__ts_fault_after_challenge(ts, origin);
}
