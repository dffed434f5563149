/* An allocation that is told anything: each byte of the input chooses what happens next, and what follows it says how.
 * The server knows the key, so that its answers get past the signature where it wants to. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/deadline.h"
#include "stun/integrity.h"
#include "turn/alloc_fsm.h"
#include "turn/permission.h"

#define REPLY_MAX 2048

typedef struct session {
  floe_env *env;
  floe__turn turn;
  floe_time now;
  floe__reader in;
  floe__stun_key key;
  size_t live;      /* blocks */
  uint32_t fail_in; /* this many calls for memory from now one fails; 0 = none */
  uint64_t random;
  uint8_t sent[8][FLOE__STUN_HEADER]; /* headers of the requests sent last */
  size_t n_sent;
  bool over; /* ENDED was reached: nothing may come any more */
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
  void *p = realloc(ptr, size);
  FLOE__ASSERT(p != NULL);
  if (ptr == NULL) s->live++;
  return p;
}

static void fill_random(void *user, uint8_t *out, size_t len) {
  session *s = user;
  for (size_t i = 0; i < len; i++) {
    s->random = s->random * 6364136223846793005u + 1442695040888963407u;
    out[i] = (uint8_t)(s->random >> 56);
  }
}

static void on_send(void *owner, floe_bytes message) {
  session *s = owner;
  FLOE__ASSERT(!s->over && message.len > 0);
  if (floe__stun_is_message(message) && message.len >= FLOE__STUN_HEADER) {
    memcpy(s->sent[s->n_sent++ % 8], message.ptr, FLOE__STUN_HEADER);
  }
}

static floe_addr read_addr(session *s) {
  uint8_t choice = floe__rd_u8(&s->in);
  floe_addr a = {.family = choice & 1 ? FLOE_FAMILY_IPV6 : FLOE_FAMILY_IPV4, .port = (uint16_t)(choice >> 4)};
  a.ip[0] = 10;
  a.ip[3] = choice >> 1 & 7;
  return a;
}

static void check_step(session *s, floe__turn_step step, floe_bytes message) {
  floe__turn *turn = &s->turn;
  bool is_end = step == FLOE__TURN_STEP_FAILED || step == FLOE__TURN_STEP_REDIRECT ||
                step == FLOE__TURN_STEP_MISMATCH || step == FLOE__TURN_STEP_LOST || step == FLOE__TURN_STEP_DELETED;
  if (s->over) FLOE__ASSERT(step == FLOE__TURN_STEP_NONE || step == FLOE__TURN_STEP_DISCARDED);
  if (is_end) FLOE__ASSERT(turn->state == FLOE__TURN_ENDED);
  if (step == FLOE__TURN_STEP_ALLOCATED) {
    FLOE__ASSERT(turn->state == FLOE__TURN_LIVE && turn->lifetime_s > 0 && turn->mapped.family != 0);
    FLOE__ASSERT(turn->relayed.family != 0 && turn->refresh_at < turn->expires_at);
  }
  if (step == FLOE__TURN_STEP_DATA && turn->data.len > 0) {
    FLOE__ASSERT(turn->data.ptr >= message.ptr && turn->data.ptr + turn->data.len <= message.ptr + message.len);
  }
  if (turn->state == FLOE__TURN_ENDED) {
    s->over = true;
    FLOE__ASSERT(turn->n_peers == 0 && floe__turn_deadline(turn).at == FLOE_TIME_NEVER);
  }
}

/* In a block of its own, so that a read past it is seen. */
static void deliver(session *s, floe_bytes message) {
  uint8_t *copy = malloc(message.len + 1);
  FLOE__ASSERT(copy != NULL);
  if (message.len > 0) memcpy(copy, message.ptr, message.len);
  floe_bytes b = {copy, message.len};
  check_step(s, floe__turn_on_message(&s->turn, s->now, b), b);
  s->turn.data = (floe_bytes){0};
  free(copy);
}

static void pass(session *s, uint64_t ms) {
  floe_time until = floe__after_ms(s->now, ms);
  for (int i = 0;; i++) {
    FLOE__ASSERT(i < 100000);
    floe__deadline d = floe__turn_deadline(&s->turn);
    if (d.at > until) break;
    if (d.at > s->now) s->now = d.at;
    check_step(s, floe__turn_on_deadline(&s->turn, s->now), (floe_bytes){0});
    FLOE__ASSERT(!s->over || floe__turn_deadline(&s->turn).at == FLOE_TIME_NEVER);
  }
  s->now = until;
}

/* --- what the server sends ---------------------------------------------------------------------------------------- */

static void put_attribute(session *s, floe__stun_builder *b) {
  uint8_t kind = floe__rd_u8(&s->in);
  floe_addr a = read_addr(s);
  uint16_t v = floe__rd_u16(&s->in);
  switch (kind % 12) {
    case 0: floe__stun_put_xor_addr(b, FLOE__STUN_XOR_RELAYED_ADDRESS, &a); break;
    case 1: floe__stun_put_xor_addr(b, FLOE__STUN_XOR_MAPPED_ADDRESS, &a); break;
    case 2: floe__stun_put_u32(b, FLOE__STUN_LIFETIME, v); break;
    case 3: floe__stun_put_error(b, 300 + v % 400, "reason"); break;
    case 4: floe__stun_put_text(b, FLOE__STUN_REALM, "realm"); break;
    case 5: floe__stun_put(b, FLOE__STUN_NONCE, &v, sizeof v); break;
    case 6: floe__stun_put_addr(b, FLOE__STUN_ALTERNATE_SERVER, &a); break;
    case 7: floe__stun_put_u32(b, FLOE__STUN_UNKNOWN_ATTRIBUTES, 0x80000000); break;
    case 8: floe__stun_put_xor_addr(b, FLOE__STUN_XOR_PEER_ADDRESS, &a); break;
    case 9: floe__stun_put(b, FLOE__STUN_DATA, s->sent, v % sizeof s->sent); break;
    case 10: floe__stun_put_text(b, FLOE__STUN_ALTERNATE_DOMAIN, "turn.example"); break;
    default: floe__stun_put_raw(b, v, &v, v % 3); break;
  }
}

/* An answer to one of the requests sent last. */
static void answer(session *s) {
  uint8_t how = floe__rd_u8(&s->in), count = floe__rd_u8(&s->in);
  uint8_t buf[REPLY_MAX];
  const uint8_t *header = s->sent[(s->n_sent + 7 - (how >> 4)) % 8];
  floe__stun_class cls = how & 1 ? FLOE__STUN_SUCCESS : FLOE__STUN_ERROR;
  uint16_t method = header[1] & 0x0F;
  floe__stun_builder b;
  floe__stun_begin(&b, buf, sizeof buf, cls, method, header + 8);
  for (int i = 0; i < count % 8; i++) put_attribute(s, &b);
  if (how & 2) floe__stun_put_integrity(&b, &s->key);
  if (how & 4) floe__stun_put_fingerprint(&b);
  floe_bytes message = floe__stun_end(&b);
  if (how & 8) message.len -= 4;
  deliver(s, message);
}

static void indicate(session *s) {
  uint8_t buf[REPLY_MAX];
  floe__stun_builder b;
  floe__stun_begin(&b, buf, sizeof buf, FLOE__STUN_INDICATION, FLOE__STUN_DATA_METHOD, s->sent[0] + 8);
  floe_addr from = read_addr(s);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_PEER_ADDRESS, &from);
  floe__stun_put(&b, FLOE__STUN_DATA, s->sent, floe__rd_u8(&s->in) % sizeof s->sent);
  deliver(s, floe__stun_end(&b));
}

static void channel_data(session *s) {
  uint8_t buf[64] = {0x40, 0, 0, 0};
  buf[1] = floe__rd_u8(&s->in) & 3;
  buf[3] = floe__rd_u8(&s->in) & 63;
  deliver(s, (floe_bytes){buf, sizeof buf});
}

/* --- what the owner does ------------------------------------------------------------------------------------------ */

static void send_data(session *s) {
  static const uint8_t data[70000];
  floe_addr to = read_addr(s);
  uint32_t len = (uint32_t)floe__rd_u16(&s->in) * 2 % sizeof data;
  (void)floe__turn_send_data(&s->turn, s->now, &to, (floe_bytes){data, len});
}

static void step(session *s) {
  uint8_t op = floe__rd_u8(&s->in);
  switch (op % 16) {
    case 0: pass(s, floe__rd_u16(&s->in)); break;
    case 1: pass(s, (uint64_t)floe__rd_u8(&s->in) * 10000); break;
    case 2: deliver(s, floe__rd_take(&s->in, floe__rd_u8(&s->in))); break;
    case 3: s->fail_in = floe__rd_u8(&s->in); break;
    case 4:
    case 5: {
      floe_addr peer = read_addr(s);
      (void)floe__turn_permit(&s->turn, s->now, &peer, op % 16 == 5);
      break;
    }
    case 6: send_data(s); break;
    case 7: indicate(s); break;
    case 8: channel_data(s); break;
    case 9: s->now += (floe_time)floe__rd_u8(&s->in) * 10 * FLOE_SECOND; break; /* nobody looked at the clock */
    case 10:
      floe__turn_delete(&s->turn, s->now);
      check_step(s, FLOE__TURN_STEP_NONE, (floe_bytes){0});
      break;
    case 11:
      if (floe__rd_u8(&s->in) > 200) floe__turn_abandon(&s->turn);
      check_step(s, FLOE__TURN_STEP_NONE, (floe_bytes){0});
      break;
    default: answer(s); break;
  }
}

static void start(session *s) {
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = s;
  cfg.reallocate = reallocate;
  cfg.random = fill_random;
  FLOE__ASSERT(floe_env_new(&s->env, &cfg) == FLOE_OK);
  uint8_t how = floe__rd_u8(&s->in);
  floe__turn_config turn_cfg = {.reliable = (how & 1) != 0,
                                .relay_family = (floe_relay_family)((how >> 1) % 3),
                                .lifetime_s = how & 0x80 ? 777 : 0,
                                .timing = &timing};
  uint8_t key[FLOE__STUN_MAX_KEY];
  size_t key_len = floe__stun_derive_key(key, FLOE__STUN_ALGORITHM_MD5, "user", "realm", "secret");
  floe__stun_key_init(&s->key, key, key_len);
  floe__turn_init(&s->turn, s->env, &turn_cfg, "user", "secret", on_send, s);
  floe__turn_start(&s->turn, s->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  static session s;
  s = (session){.in = floe__reader_of((floe_bytes){bytes, len}), .now = FLOE_SECOND, .random = 1};
  start(&s);
  for (int i = 0; i < 500 && floe__rd_left(&s.in) > 0; i++) step(&s);
  floe__turn_clear(&s.turn);
  FLOE__ASSERT(s.live == 1);
  floe_env_free(s.env);
  return 0;
}
