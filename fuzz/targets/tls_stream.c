/* Any bytes of a server into a TLS client session. Input: flags (support/fixed_tls.h), bytes per delivery (0 = all),
 * then the stream. The client's randomness is fixed, so the recorded flights in the corpus are whole handshakes. */
#include "tls/tls_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "support/fixed_tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLAIN_KEPT 4096

typedef struct outcome {
  floe__tls_state state;
  floe_cause cause;
  bool has_alert;
  uint8_t alert;
  int verify_error;
  size_t n_plain;
  uint8_t plain[PLAIN_KEPT]; /* its beginning */
} outcome;

static void send_output(floe__tls *tls) {
  const floe_bytes out = floe__tls_output(tls);
  FLOE__ASSERT(out.len < 1U << 20);
  floe__tls_sent(tls, out.len);
  FLOE__ASSERT(floe__tls_output(tls).len == 0);
}

static void read_all(floe__tls *tls, outcome *o) {
  uint8_t buf[512];
  for (size_t n = 0; (n = floe__tls_read(tls, buf, sizeof buf)) > 0; o->n_plain += n) {
    if (n <= PLAIN_KEPT && o->n_plain <= PLAIN_KEPT - n) memcpy(o->plain + o->n_plain, buf, n);
  }
}

static void check_text(const char *text, size_t max) {
  if (text == NULL) return;
  const size_t len = strlen(text);
  FLOE__ASSERT(len <= max);
  for (size_t i = 0; i < len; i++) FLOE__ASSERT((unsigned char)text[i] >= ' ' && text[i] != 0x7F);
}

static void check_info(floe__tls *tls) {
  const floe_tls_info *info = floe__tls_info_of(tls);
  check_text(info->subject, 512);
  check_text(info->issuer, 512);
  check_text(info->names, 2048);
  check_text(info->verify_text, 255);
  FLOE__ASSERT(info->has_verify_error == (info->verify_text != NULL));
  FLOE__ASSERT((floe__tls_state_of(tls) == FLOE__TLS_FAILED) == (floe__tls_cause(tls) != FLOE_CAUSE_NONE));
  if (floe__tls_state_of(tls) == FLOE__TLS_OPEN) FLOE__ASSERT(info->insecure || !info->has_verify_error);
}

static void finish(floe__tls *tls, unsigned flags, outcome *o) {
  if ((flags & FIXED_FIN) != 0) floe__tls_on_end(tls);
  read_all(tls, o);
  o->state = floe__tls_state_of(tls);
  o->cause = floe__tls_cause(tls);
  o->has_alert = floe__tls_info_of(tls)->has_alert;
  o->alert = floe__tls_info_of(tls)->alert;
  o->verify_error = floe__tls_info_of(tls)->verify_error;
  check_info(tls);
  const uint8_t ping[] = "ping";
  FLOE__ASSERT(floe__tls_write(tls, (floe_bytes){ping, 4}) == (o->state == FLOE__TLS_OPEN));
  floe__tls_shutdown(tls);
  send_output(tls);
}

static outcome run(unsigned flags, size_t chunk, const uint8_t *data, size_t size) {
  outcome o = {0};
  floe__tls *tls = fixed_client_new(flags);
  floe__tls_start(tls, 0);
  send_output(tls);
  for (size_t at = 0; at < size;) {
    const size_t n = chunk == 0 || chunk > size - at ? size - at : chunk;
    uint8_t *copy = malloc(n); /* exactly as long: a read past its end is seen */
    FLOE__ASSERT(copy != NULL);
    memcpy(copy, data + at, n);
    floe__tls_on_bytes(tls, (floe_bytes){copy, n}, 0);
    free(copy);
    at += n;
    send_output(tls);
    read_all(tls, &o);
  }
  finish(tls, flags, &o);
  floe__tls_free(tls);
  return o;
}

/* How a stream is cut into deliveries changes nothing. */
static void compare(const outcome *a, const outcome *b) {
  FLOE__ASSERT(a->state == b->state && a->cause == b->cause);
  FLOE__ASSERT(a->has_alert == b->has_alert && a->alert == b->alert && a->verify_error == b->verify_error);
  FLOE__ASSERT(a->n_plain == b->n_plain && memcmp(a->plain, b->plain, PLAIN_KEPT) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  const outcome o = run(data[0], data[1], data + 2, size - 2);
  if ((data[0] & FIXED_COMPARE) == 0) return 0;
  const outcome whole = run(data[0], 0, data + 2, size - 2);
  compare(&o, &whole);
  return 0;
}
