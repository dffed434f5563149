/* What the script spoils. Each fault has its place: instead of authentication, after it, or in the answer's bytes. */
#include <string.h>

#include "stun/error_code.h"
#include "testserver/ts_internal.h"

bool floe__ts_has_fault(const floe__ts_flow *flow, floe__ts_fault fault) {
  return flow->port->script.fault == fault;
}

/* --- answers of the script's own -------------------------------------------------------------------------------- */

/* A request that authenticates is answered with a signature, whether it had to or not. */
static void try_sign(floe__testserver *ts, floe__ts_request *req) {
  bool first;
  if (floe__ts_is_signed(req)) (void)floe__ts_authenticate(ts, req, &first);
}

static void answer_redirect(floe__testserver *ts, const floe__ts_origin *origin, bool with_address) {
  const floe__ts_script *script = &origin->flow.port->script;
  floe__stun_builder b;
  floe__ts_answer_begin(ts, origin, FLOE__STUN_ERROR, &b);
  floe__stun_put_error(&b, 300, script->reason[0] != '\0' ? script->reason : floe__stun_reason(300));
  if (with_address && script->alternate.family != FLOE_FAMILY_NONE) {
    floe__stun_put_addr(&b, FLOE__STUN_ALTERNATE_SERVER, &script->alternate);
  }
  if (script->alternate_domain[0] != '\0') {
    floe__stun_put_text(&b, FLOE__STUN_ALTERNATE_DOMAIN, script->alternate_domain);
  }
  floe__ts_answer_end(ts, origin, &b, 300);
}

/* An error code has the attributes that belong to it. */
static void answer_script_error(floe__testserver *ts, const floe__ts_origin *origin) {
  const floe__ts_script *script = &origin->flow.port->script;
  if (script->error_code == 401 || script->error_code == 438) {
    floe__ts_challenge(ts, origin, script->error_code, script->reason);
  } else if (script->error_code == 300) {
    answer_redirect(ts, origin, true);
  } else {
    floe__ts_answer_error(ts, origin, script->error_code, script->reason);
  }
}

/* --- before authentication -------------------------------------------------------------------------------------- */

static bool answer_error(floe__testserver *ts, floe__ts_request *req) {
  try_sign(ts, req);
  answer_script_error(ts, &req->origin);
  return true;
}

static bool answer_401(floe__testserver *ts, floe__ts_request *req) {
  floe__ts_challenge(ts, &req->origin, 401, NULL);
  return true;
}

static bool redirect(floe__testserver *ts, floe__ts_request *req) {
  try_sign(ts, req);
  answer_redirect(ts, &req->origin, true);
  return true;
}

static bool redirect_nowhere(floe__testserver *ts, floe__ts_request *req) {
  try_sign(ts, req);
  answer_redirect(ts, &req->origin, false);
  return true;
}

/* What a request need not have: the comprehension-optional half of the registry without what belongs to the message
 * itself, and those of TURN's that only express a wish. */
static bool is_optional(uint16_t type) {
  static const floe__stun_attr wishes[] = {FLOE__STUN_LIFETIME, FLOE__STUN_REQUESTED_ADDRESS_FAMILY,
                                           FLOE__STUN_EVEN_PORT, FLOE__STUN_DONT_FRAGMENT};
  if (type == floe__stun_attr_type(FLOE__STUN_FINGERPRINT)) return false;
  if (type == floe__stun_attr_type(FLOE__STUN_PASSWORD_ALGORITHMS)) return false;
  for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
    if (type == floe__stun_attr_type(wishes[i])) return true;
  }
  return type >= 0x8000;
}

static bool refuse_optional(floe__testserver *ts, floe__ts_request *req) {
  floe__reader r = floe__reader_of(req->m->packet);
  (void)floe__rd_take(&r, FLOE__STUN_HEADER);
  while (floe__rd_left(&r) >= 4) {
    uint16_t type = floe__rd_u16(&r);
    size_t len = floe__rd_u16(&r);
    (void)floe__rd_take(&r, (len + 3) & ~(size_t)3);
    if (r.bad || !is_optional(type)) continue;
    try_sign(ts, req);
    floe__ts_answer_unknown(ts, &req->origin, &type, 1);
    return true;
  }
  return false;
}

static bool answer_class_7(floe__testserver *ts, floe__ts_request *req) {
  static const uint8_t value[] = {0, 0, 7, 0, 'S', 'e', 'v', 'e', 'n'};
  floe__stun_builder b;
  try_sign(ts, req);
  floe__ts_answer_begin(ts, &req->origin, FLOE__STUN_ERROR, &b);
  floe__stun_put(&b, FLOE__STUN_ERROR_CODE, value, sizeof value);
  floe__ts_answer_end(ts, &req->origin, &b, 700);
  return true;
}

static bool say_nothing(floe__testserver *ts, floe__ts_request *req) {
  floe__ts_trace_request(ts, &req->origin, -1);
  return true;
}

static bool send_garbage(floe__testserver *ts, floe__ts_request *req) {
  static const uint8_t text[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
  floe__ts_trace_request(ts, &req->origin, -1);
  floe__ts_send(ts, &req->origin.flow, (floe_bytes){text, sizeof text - 1});
  return true;
}

/* --- after authentication, or at once where none is needed ------------------------------------------------------- */

static bool answer_error_signed(floe__testserver *ts, floe__ts_request *req) {
  answer_script_error(ts, &req->origin);
  return true;
}

static bool redirect_signed(floe__testserver *ts, floe__ts_request *req) {
  answer_redirect(ts, &req->origin, true);
  return true;
}

static bool close_stream(floe__testserver *ts, const floe__ts_flow *flow, bool reset) {
  floe__ts_stream *s = flow->conn == 0 ? NULL : floe__ts_find_stream(ts, flow->conn);
  if (s == NULL) return false; /* over UDP there is nothing to close: the server is correct */
  floe__ts_stream_close(ts, s, reset);
  return true;
}

static bool close_now(floe__testserver *ts, floe__ts_request *req) {
  return close_stream(ts, &req->origin.flow, floe__ts_has_fault(&req->origin.flow, FLOE__TS_RESET_AFTER_401));
}

static floe__ts_mismatch *mismatch_of(floe__ts_port *port, const floe_addr *client) {
  for (size_t i = 0; i < port->n_mismatches; i++) {
    if (floe_addr_equal_ip(&port->mismatches[i].client, client)) return &port->mismatches[i];
  }
  /* When all are in use the last one serves for every further client. */
  if (port->n_mismatches == FLOE__TS_MISMATCH_MAX) return &port->mismatches[FLOE__TS_MISMATCH_MAX - 1];
  floe__ts_mismatch *fresh = &port->mismatches[port->n_mismatches++];
  *fresh = (floe__ts_mismatch){.client = *client};
  return fresh;
}

static bool answer_437(floe__testserver *ts, floe__ts_request *req) {
  floe__ts_port *port = req->origin.flow.port;
  if (req->origin.method != FLOE__STUN_ALLOCATE) return false;
  floe__ts_mismatch *mismatch = mismatch_of(port, &req->origin.flow.from);
  if (mismatch->n >= port->script.times) return false;
  mismatch->n++;
  floe__ts_answer_error(ts, &req->origin, 437, port->script.reason);
  return true;
}

/* Deleting (LIFETIME 0) still works: a client that gives up must be able to tidy up. */
static bool refuse_refresh(floe__testserver *ts, floe__ts_request *req) {
  uint32_t lifetime = 1;
  if (req->origin.method != FLOE__STUN_REFRESH) return false;
  (void)floe__stun_get_u32(req->m, FLOE__STUN_LIFETIME, &lifetime);
  if (lifetime == 0) return false;
  answer_script_error(ts, &req->origin);
  return true;
}

static bool refuse_permission(floe__testserver *ts, floe__ts_request *req) {
  uint16_t method = req->origin.method;
  if (method != FLOE__STUN_CREATE_PERMISSION && method != FLOE__STUN_CHANNEL_BIND) return false;
  answer_script_error(ts, &req->origin);
  return true;
}

static bool forget(floe__testserver *ts, floe__ts_request *req) {
  if (req->origin.method != FLOE__STUN_REFRESH) return false;
  floe__ts_delete_allocation(ts, floe__ts_find_allocation(ts, &req->origin.flow));
  floe__ts_answer_error(ts, &req->origin, 437, NULL);
  return true;
}

/* --- the table -------------------------------------------------------------------------------------------------- */

typedef bool (*handler)(floe__testserver *ts, floe__ts_request *req);

/* Faults without a row show in the answer's bytes, in the connection or in the relay. */
static const struct {
  handler before_auth;
  handler after_auth;
} faults[] = {
    [FLOE__TS_ERROR] = {answer_error, NULL},
    [FLOE__TS_ERROR_AFTER_AUTH] = {NULL, answer_error_signed},
    [FLOE__TS_401_FOREVER] = {answer_401, NULL},
    [FLOE__TS_401_NO_NONCE] = {answer_401, NULL},
    [FLOE__TS_401_NO_REALM] = {answer_401, NULL},
    [FLOE__TS_420_OPTIONAL] = {refuse_optional, NULL},
    [FLOE__TS_437_TIMES] = {NULL, answer_437},
    [FLOE__TS_REDIRECT] = {redirect, NULL},
    [FLOE__TS_REDIRECT_AFTER_AUTH] = {NULL, redirect_signed},
    [FLOE__TS_REDIRECT_NO_ADDRESS] = {redirect_nowhere, NULL},
    [FLOE__TS_BAD_ERROR_CLASS] = {answer_class_7, NULL},
    [FLOE__TS_SILENT] = {say_nothing, NULL},
    [FLOE__TS_SILENT_AFTER_401] = {NULL, say_nothing},
    [FLOE__TS_GARBAGE] = {send_garbage, NULL},
    [FLOE__TS_CLOSE_AFTER_401] = {NULL, close_now},
    [FLOE__TS_RESET_AFTER_401] = {NULL, close_now},
    [FLOE__TS_REFRESH_ERROR] = {NULL, refuse_refresh},
    [FLOE__TS_PERMISSION_ERROR] = {NULL, refuse_permission},
    [FLOE__TS_FORGET_ALLOCATION] = {NULL, forget},
};

bool floe__ts_fault_before_auth(floe__testserver *ts, floe__ts_request *req) {
  handler h = faults[req->origin.flow.port->script.fault].before_auth;
  return h != NULL && h(ts, req);
}

bool floe__ts_fault_after_auth(floe__testserver *ts, floe__ts_request *req) {
  handler h = faults[req->origin.flow.port->script.fault].after_auth;
  return h != NULL && h(ts, req);
}

bool floe__ts_fault_is_stale(const floe__ts_request *req, bool first_nonce) {
  const floe__ts_flow *flow = &req->origin.flow;
  return floe__ts_has_fault(flow, FLOE__TS_STALE_FOREVER) ||
         (first_nonce && floe__ts_has_fault(flow, FLOE__TS_STALE_ONCE));
}

void floe__ts_fault_after_challenge(floe__testserver *ts, const floe__ts_origin *origin) {
  bool reset = floe__ts_has_fault(&origin->flow, FLOE__TS_RESET_AFTER_401);
  if (!reset && !floe__ts_has_fault(&origin->flow, FLOE__TS_CLOSE_AFTER_401)) return;
  (void)close_stream(ts, &origin->flow, reset);
}

/* --- the answer's bytes ----------------------------------------------------------------------------------------- */

static void put_integrity(floe__stun_builder *b, const floe__ts_user *user, const floe__stun_key *key) {
  if (user->sha256) {
    floe__stun_put_integrity_sha256(b, key);
  } else {
    floe__stun_put_integrity(b, key);
  }
}

/* RFC 8489 9.2.4: what asks for (better) credentials need not be signed, and no server in use signs it. */
static bool is_signed_code(unsigned code) {
  return code != 400 && code != 401 && code != 438;
}

void floe__ts_fault_sign(const floe__testserver *ts, const floe__ts_origin *origin, floe__stun_builder *b,
                         unsigned code) {
  floe__ts_fault fault = origin->flow.port->script.fault;
  if (fault == FLOE__TS_OVERRUN) {
    floe__wr_u16(&b->w, floe__stun_attr_type(FLOE__STUN_SOFTWARE)); /* its length says 256 bytes, and none follow */
    floe__wr_u16(&b->w, 256);
    return;
  }
  if (origin->user.known && is_signed_code(code) && fault != FLOE__TS_NO_INTEGRITY) {
    if (fault == FLOE__TS_WRONG_INTEGRITY) {
      floe__stun_key other;
      floe__stun_key_init(&other, "another password", 16);
      put_integrity(b, &origin->user, &other);
    } else {
      put_integrity(b, &origin->user, &origin->user.key);
    }
  }
  if (ts->cfg.fingerprint || fault == FLOE__TS_BAD_FINGERPRINT) floe__stun_put_fingerprint(b);
}

floe_bytes floe__ts_fault_spoil(floe__testserver *ts, const floe__ts_port *port, floe_bytes message) {
  if (message.len < FLOE__STUN_HEADER) return message;
  if (port->script.fault == FLOE__TS_BAD_FINGERPRINT) ts->message[message.len - 1] ^= 0xff;
  if (port->script.fault == FLOE__TS_TRUNCATED) message.len -= 4;
  return message;
}
