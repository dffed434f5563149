/* A request that is answered by anything: the input is a list of steps, one byte each, with operands behind them where
 * they have some. Responses are built to the open transaction, right or wrong in ways that the step says. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "stun/request.h"

/* A 401, three 438s and one 420 are answered by a new transaction each: six at four transmissions. */
#define SENT_MAX     24
#define STEPS_MAX    400
#define RESPONSE_MAX 2048

typedef struct session {
  floe_env *env;
  floe__stun_auth auth;
  floe__stun_request req;
  floe_time now;
  floe__reader in;
  size_t live;      /* blocks */
  uint32_t fail_in; /* this many calls for memory from now one fails; 0 = none */
  uint8_t next_random;
} session;

static const floe__stun_timing timing = {500, 4, 5000, 5000};

static void *reallocate(void *user, void *ptr, size_t size) {
  session *s = user;
  if (size == 0) {
    if (ptr != NULL) s->live--;
    free(ptr);
    return NULL;
  }
  if (s->fail_in > 0 && --s->fail_in == 0) return NULL;
  if (ptr == NULL) s->live++;
  return realloc(ptr, size);
}

static void fill_random(void *user, uint8_t *out, size_t len) {
  session *s = user;
  for (size_t i = 0; i < len; i++) out[i] = s->next_random++;
}

static void write_attributes(void *owner, uint16_t method, floe__stun_builder *b, bool optional) {
  (void)owner;
  (void)method;
  floe__stun_put_u32(b, FLOE__STUN_REQUESTED_TRANSPORT, 17u << 24);
  if (optional) floe__stun_put_u32(b, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, 2u << 24);
}

/* What Floe sends is well-formed, fingerprinted, of the open transaction, and signed when it says so and can. */
static void on_send(void *owner, floe_bytes message) {
  session *s = owner;
  floe__stun_msg m;
  FLOE__ASSERT(floe__stun_msg_parse(&m, message) == FLOE__STUN_OK);
  FLOE__ASSERT(floe__stun_check_fingerprint(&m) == FLOE__STUN_CHECK_OK);
  FLOE__ASSERT(memcmp(m.txn_id, s->req.txn.id, FLOE__STUN_TXN_ID) == 0);
  bool can_sign = s->req.was_signed && s->auth.state == FLOE__STUN_AUTH_READY;
  FLOE__ASSERT(!can_sign || floe__stun_auth_verify(&s->auth, &m));
  FLOE__ASSERT(s->req.sent <= SENT_MAX);
}

static const floe__stun_request_ops ops = {write_attributes, on_send};

/* --- responses ---------------------------------------------------------------------------------------------------- */

static void put_operand(session *s, floe__stun_builder *b, floe__stun_attr attr) {
  size_t len = floe__rd_u8(&s->in) % 64u;
  if (len > floe__rd_left(&s->in)) len = floe__rd_left(&s->in);
  floe_bytes value = floe__rd_take(&s->in, len);
  floe__stun_put(b, attr, value.ptr, value.len);
}

/* The bits of a byte say which attributes there are. */
static void put_attributes(session *s, floe__stun_builder *b, uint8_t bits) {
  static const uint8_t algorithms[] = {0, 2, 0, 0, 0, 1, 0, 0};
  if ((bits & 1) != 0) floe__stun_put_text(b, FLOE__STUN_REALM, "realm");
  if ((bits & 2) != 0) floe__stun_put_text(b, FLOE__STUN_NONCE, "nonce");
  if ((bits & 4) != 0) floe__stun_put_text(b, FLOE__STUN_NONCE, "obMatJos2wAAAnonce");
  if ((bits & 8) != 0) floe__stun_put(b, FLOE__STUN_PASSWORD_ALGORITHMS, algorithms, sizeof algorithms);
  if ((bits & 16) != 0) floe__stun_put(b, FLOE__STUN_UNKNOWN_ATTRIBUTES, "\x80\x00", 2);
  if ((bits & 32) != 0) put_operand(s, b, (floe__stun_attr)(floe__rd_u8(&s->in) % FLOE__STUN_ATTR_COUNT));
  if ((bits & 64) != 0) floe__stun_put_raw(b, floe__rd_u16(&s->in), NULL, 0);
}

static void put_seal(session *s, floe__stun_builder *b, uint8_t bits) {
  floe__stun_key wrong;
  floe__stun_key_init(&wrong, "wrong", 5);
  const floe__stun_key *key = (bits & 1) != 0 && s->auth.key != NULL ? s->auth.key : &wrong;
  if ((bits & 2) != 0) floe__stun_put_integrity(b, key);
  if ((bits & 4) != 0) floe__stun_put_integrity_sha256(b, key);
  if ((bits & 8) != 0) floe__stun_put_fingerprint(b);
  if ((bits & 16) != 0) floe__stun_put_u32(b, FLOE__STUN_FINGERPRINT, 1);
}

static unsigned read_code(session *s) {
  static const unsigned codes[] = {300, 400, 401, 403, 420, 437, 438, 440, 441, 442, 443, 486, 500, 508};
  uint8_t v = floe__rd_u8(&s->in);
  if (v < sizeof codes / sizeof codes[0]) return codes[v];
  return v * 3u; /* up to 765: also what is no code */
}

static void check_result(const session *s, floe__stun_result result, const floe__stun_outcome *out) {
  FLOE__ASSERT(floe__stun_request_is_open(&s->req) == (result == FLOE__STUN_PENDING));
  FLOE__ASSERT((floe__stun_request_deadline(&s->req) == FLOE_TIME_NEVER) == (result != FLOE__STUN_PENDING));
  switch (result) {
    case FLOE__STUN_PENDING:
    case FLOE__STUN_RESULT_NOMEM: return;
    case FLOE__STUN_RESULT_SUCCESS: FLOE__ASSERT(out->code == 0 && out->cause == FLOE_CAUSE_NONE); return;
    case FLOE__STUN_RESULT_TIMEOUT: FLOE__ASSERT(out->code == 0 && out->cause == s->req.first_discard); return;
    case FLOE__STUN_RESULT_BROKEN: FLOE__ASSERT(out->code == 0 && floe_cause_group(out->cause) == 5); return;
    case FLOE__STUN_RESULT_ERROR:
    case FLOE__STUN_RESULT_REDIRECT:
    case FLOE__STUN_RESULT_MISMATCH:
      FLOE__ASSERT(out->code >= 300 && out->code <= 699 && out->error.code == out->code);
      FLOE__ASSERT(floe_cause_group(out->cause) == 6 && out->error.reason[0] != '\0');
      return;
  }
}

static void deliver(session *s, floe_bytes packet) {
  floe__stun_msg m;
  floe__stun_parse parse = floe__stun_msg_parse(&m, packet);
  if (parse == FLOE__STUN_NOT_STUN) return;
  bool is_mine = floe__stun_request_is_mine(&s->req, &m);
  FLOE__ASSERT(!is_mine || !floe__stun_request_was_mine(&s->req, &m));
  if (!is_mine) return;
  floe__stun_outcome out;
  int64_t unix_ms = 1700000000000;
  check_result(s, floe__stun_request_on_response(&s->req, s->now, &m, parse, &unix_ms, &out), &out);
}

static void respond(session *s, bool is_error) {
  uint8_t buf[RESPONSE_MAX];
  floe__stun_builder b;
  uint8_t attributes = floe__rd_u8(&s->in), seal = floe__rd_u8(&s->in);
  uint16_t method = (seal & 32) != 0 ? FLOE__STUN_BINDING : s->req.method;
  floe__stun_begin(&b, buf, sizeof buf, is_error ? FLOE__STUN_ERROR : FLOE__STUN_SUCCESS, method, s->req.txn.id);
  if (is_error && (seal & 64) == 0) floe__stun_put_error(&b, read_code(s), (attributes & 128) != 0 ? "why" : "");
  put_attributes(s, &b, attributes);
  put_seal(s, &b, seal);
  floe_bytes message = floe__stun_end(&b);
  if ((seal & 128) != 0 && message.len > 0) buf[20 + floe__rd_u8(&s->in) % 64] ^= floe__rd_u8(&s->in); /* damage */
  deliver(s, message);
}

/* The open transaction's header and then bytes of the input. */
static void respond_raw(session *s) {
  uint8_t buf[FLOE__STUN_HEADER + 256];
  floe__writer w = floe__writer_of(buf, sizeof buf);
  size_t len = floe__rd_u8(&s->in) / 4u * 4u;
  if (len > floe__rd_left(&s->in)) len = floe__rd_left(&s->in) / 4 * 4;
  floe__wr_u16(&w, floe__rd_left(&s->in) % 2 == 0 ? 0x0103 : 0x0113);
  floe__wr_u16(&w, (uint16_t)len);
  floe__wr_u32(&w, FLOE__STUN_COOKIE);
  floe__wr_bytes(&w, s->req.txn.id, FLOE__STUN_TXN_ID);
  floe_bytes body = floe__rd_take(&s->in, len);
  floe__wr_bytes(&w, body.ptr, body.len);
  deliver(s, floe__wr_done(&w));
}

/* --- steps
 * ------------------------------------------------------------------------------------------------------------ */

static void on_deadline(session *s) {
  floe_time at = floe__stun_request_deadline(&s->req);
  if (at == FLOE_TIME_NEVER) return;
  if (at > s->now) s->now = at;
  floe__stun_outcome out;
  check_result(s, floe__stun_request_on_deadline(&s->req, s->now, &out), &out);
  FLOE__ASSERT(floe__stun_request_deadline(&s->req) > s->now);
}

static void step(session *s, uint8_t kind) {
  switch (kind % 8) {
    case 0: respond(s, true); return;
    case 1: respond(s, false); return;
    case 2: respond_raw(s); return;
    case 3: on_deadline(s); return;
    case 4: s->now += floe__rd_u8(&s->in) * 10 * FLOE_MS; return;
    case 5: floe__stun_request_start(&s->req, s->now); return;
    case 6: s->fail_in = floe__rd_u8(&s->in) % 8u; return;
    case 7: floe__stun_auth_reset(&s->auth); return;
    default: return;
  }
}

static void init(session *s, uint8_t bits) {
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = s;
  cfg.reallocate = reallocate;
  cfg.random = fill_random;
  FLOE__ASSERT(floe_env_new(&s->env, &cfg) == FLOE_OK);
  bool has_user = (bits & 1) == 0;
  floe__stun_auth_init(&s->auth, s->env, has_user ? "1600000000:user" : NULL, has_user ? "pass" : NULL);
  uint16_t method = (bits & 2) != 0 ? FLOE__STUN_REFRESH : FLOE__STUN_ALLOCATE;
  floe__stun_request_init(&s->req, s->env, &ops, s, &timing, method, (bits & 4) != 0);
  s->req.auth = &s->auth;
  s->req.has_optional = (bits & 8) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  session s = {.in = floe__reader_of((floe_bytes){data, size})};
  init(&s, floe__rd_u8(&s.in));
  floe__stun_request_start(&s.req, s.now);
  for (int i = 0; i < STEPS_MAX && floe__rd_left(&s.in) > 0; i++) step(&s, floe__rd_u8(&s.in));
  floe__stun_request_clear(&s.req);
  floe__stun_auth_clear(&s.auth);
  floe_env_free(s.env);
  FLOE__ASSERT(s.live == 0);
  return 0;
}
