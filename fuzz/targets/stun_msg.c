/* Any bytes as a STUN message: everything that Floe reads of one is read, and what was read is written and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "stun/auth.h"

#define TEXT_MAX    1024
#define REBUILT_MAX 70000

static floe_env *env;
static floe__stun_key key;
static uint8_t rebuilt[REBUILT_MAX];

static void prepare(void) {
  if (env != NULL) return;
  FLOE__ASSERT(floe_env_new(&env, NULL) == FLOE_OK);
  floe__stun_key_init(&key, "VOkJxbRl1RmTxUk/WvJxBt", 22);
}

static bool is_inside(floe_bytes value, floe_bytes packet) {
  return value.ptr >= packet.ptr && value.len <= packet.len &&
         (size_t)(value.ptr - packet.ptr) <= packet.len - value.len;
}

/* What is decoded holds no control character, and decoding it again changes nothing. */
static void check_text(floe_bytes raw, size_t cap) {
  char text[TEXT_MAX], again[TEXT_MAX];
  size_t len = floe__stun_decode_text(text, cap, raw);
  FLOE__ASSERT(len < cap && text[len] == '\0' && strlen(text) == len);
  for (size_t i = 0; i < len; i++) FLOE__ASSERT((uint8_t)text[i] >= 0x20 && text[i] != 0x7F);
  if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) return; /* a second byte order mark would go, too */
  size_t len_again = floe__stun_decode_text(again, sizeof again, (floe_bytes){(const uint8_t *)text, len});
  FLOE__ASSERT(len_again == len && memcmp(again, text, len) == 0);
}

static void read_value(const floe__stun_msg *m, floe__stun_attr attr) {
  uint32_t u32;
  uint64_t u64;
  floe_addr addr;
  floe_bytes value = floe__stun_get(m, attr);
  FLOE__ASSERT(!floe__stun_has(m, attr) || is_inside(value, m->packet));
  FLOE__ASSERT(floe__stun_get_u32(m, attr, &u32) == (value.len == 4));
  FLOE__ASSERT(floe__stun_get_u64(m, attr, &u64) == (value.len == 8));
  FLOE__ASSERT(floe__stun_get_addr(m, attr, &addr) == floe__stun_get_xor_addr(m, attr, &addr));
  for (unsigned n = 0; n < 4; n++) {
    bool found;
    floe_bytes nth = floe__stun_get_nth(m, attr, n, &found);
    FLOE__ASSERT(!found || is_inside(nth, m->packet));
    if (found) (void)floe__stun_decode_xor_addr(m, nth, &addr);
  }
  check_text(value, TEXT_MAX);
  check_text(value, 1 + value.len % 16);
}

static void read_errors(const floe__stun_msg *m) {
  floe__stun_error error;
  floe_family family;
  uint16_t code;
  if (floe__stun_get_error(m, &error)) {
    FLOE__ASSERT(error.code >= 300 && error.code <= 699);
    FLOE__ASSERT(error.reason[0] != '\0' && strlen(error.reason) <= FLOE__STUN_REASON_MAX);
  }
  if (floe__stun_get_address_error(m, &family, &code)) FLOE__ASSERT(code >= 300 && code <= 699);
  (void)floe__stun_names_unknown(m, 0x8000);
}

static void check_seals(const floe__stun_msg *m) {
  (void)floe__stun_check_integrity(m, &key);
  (void)floe__stun_check_integrity_sha256(m, &key);
  (void)floe__stun_check_fingerprint(m);
}

/* What answers the challenge is signed with the key that it led to. */
static void authenticate(const floe__stun_msg *m, unsigned code, bool was_signed) {
  floe__stun_auth auth;
  floe_cause cause = FLOE_CAUSE_NONE;
  int64_t unix_ms = 1700000000000;
  floe__stun_auth_init(&auth, env, "1600000000:user", "pass");
  floe__stun_auth_verdict verdict = floe__stun_auth_on_error(&auth, m, code, was_signed, &unix_ms, &cause);
  FLOE__ASSERT((verdict == FLOE__STUN_AUTH_STANDS) == (cause != FLOE_CAUSE_NONE));
  if (verdict == FLOE__STUN_AUTH_RETRY) {
    uint8_t buf[4096];
    floe__stun_builder b;
    floe__stun_begin(&b, buf, sizeof buf, FLOE__STUN_REQUEST, FLOE__STUN_ALLOCATE, m->txn_id);
    floe__stun_auth_sign(&auth, &b);
    floe__stun_msg answer;
    FLOE__ASSERT(floe__stun_msg_parse(&answer, floe__stun_end(&b)) == FLOE__STUN_OK);
    FLOE__ASSERT(floe__stun_auth_verify(&auth, &answer));
    (void)floe__stun_auth_on_error(&auth, m, 438, true, NULL, &cause);
  }
  (void)floe__stun_auth_verify(&auth, m);
  floe__stun_auth_clear(&auth);
}

static bool is_seal(floe__stun_attr attr) {
  return attr == FLOE__STUN_MESSAGE_INTEGRITY || attr == FLOE__STUN_MESSAGE_INTEGRITY_SHA256 ||
         attr == FLOE__STUN_FINGERPRINT;
}

static void copy_attr(floe__stun_builder *b, const floe__stun_msg *m, floe__stun_attr attr) {
  if (!floe__stun_has(m, attr)) return;
  floe_bytes value = floe__stun_get(m, attr);
  floe__stun_put(b, attr, value.ptr, value.len);
}

/* Some are unknown to most, and kept for those who know them. */
static bool is_kept(const floe__stun_msg *m, uint16_t type) {
  for (unsigned i = 0; i < FLOE__STUN_ATTR_COUNT; i++) {
    if (floe__stun_has(m, (floe__stun_attr)i) && floe__stun_attr_type((floe__stun_attr)i) == type) return true;
  }
  return false;
}

/* Writes what was understood in Floe's order and reads it again. */
static void round_trip(const floe__stun_msg *m) {
  floe__stun_builder b;
  floe__stun_begin(&b, rebuilt, sizeof rebuilt, m->cls, m->method, m->txn_id);
  for (unsigned i = 0; i < m->n_unknown; i++) {
    if (!is_kept(m, m->unknown[i])) floe__stun_put_raw(&b, m->unknown[i], NULL, 0);
  }
  for (unsigned i = 0; i < FLOE__STUN_ATTR_COUNT; i++) {
    if (!is_seal((floe__stun_attr)i)) copy_attr(&b, m, (floe__stun_attr)i);
  }
  copy_attr(&b, m, FLOE__STUN_MESSAGE_INTEGRITY);
  copy_attr(&b, m, FLOE__STUN_MESSAGE_INTEGRITY_SHA256);
  copy_attr(&b, m, FLOE__STUN_FINGERPRINT);
  floe__stun_msg again;
  FLOE__ASSERT(floe__stun_msg_parse(&again, floe__stun_end(&b)) == FLOE__STUN_OK);
  FLOE__ASSERT(again.cls == m->cls && again.method == m->method && again.present == m->present);
  FLOE__ASSERT(memcmp(again.txn_id, m->txn_id, FLOE__STUN_TXN_ID) == 0 && again.n_unknown == m->n_unknown);
  for (unsigned i = 0; i < FLOE__STUN_ATTR_COUNT; i++) {
    floe_bytes was = floe__stun_get(m, (floe__stun_attr)i), is = floe__stun_get(&again, (floe__stun_attr)i);
    FLOE__ASSERT(was.len == is.len && (was.len == 0 || memcmp(was.ptr, is.ptr, was.len) == 0));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  prepare();
  floe_bytes packet = {data, size};
  floe__stun_msg m;
  floe__stun_parse parse = floe__stun_msg_parse(&m, packet);
  FLOE__ASSERT(floe__stun_is_message(packet) == (parse != FLOE__STUN_NOT_STUN));
  if (parse == FLOE__STUN_NOT_STUN) return 0;
  for (unsigned i = 0; i < FLOE__STUN_ATTR_COUNT; i++) read_value(&m, (floe__stun_attr)i);
  read_errors(&m);
  check_seals(&m);
  authenticate(&m, 401, false);
  authenticate(&m, 438, false);
  authenticate(&m, 401, true);
  round_trip(&m);
  return 0;
}
