/* A byte stream gives the same messages however it is cut: in one piece, byte by byte, and in pieces of the input's own
 * choice. The first byte says whether ChannelData may come, the second how the stream is cut, the rest is the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "turn/frame.h"

typedef struct frames {
  uint8_t *bytes; /* of all messages, one after another */
  size_t len, cap;
  size_t *ends;
  size_t n, ends_cap;
  floe__turn_frame verdict; /* what came after the last message */
} frames;

static void keep(frames *f, floe_env *env, floe_bytes message) {
  void *bytes = f->bytes, *ends = f->ends;
  FLOE__ASSERT(floe__reserve(env, &bytes, &f->cap, 1, f->len + message.len));
  FLOE__ASSERT(floe__reserve(env, &ends, &f->ends_cap, sizeof *f->ends, f->n + 1));
  f->bytes = bytes;
  f->ends = ends;
  if (message.len > 0) memcpy(f->bytes + f->len, message.ptr, message.len);
  f->len += message.len;
  f->ends[f->n++] = f->len;
}

/* The next piece, of 1 to `largest` bytes; each in a block of its own, so that a read past it is seen. */
static size_t feed(frames *out, floe__turn_framer *framer, floe_env *env, const uint8_t *bytes, size_t len) {
  uint8_t *piece = malloc(len);
  FLOE__ASSERT(piece != NULL);
  memcpy(piece, bytes, len);
  floe_bytes in = {piece, len}, message;
  while ((out->verdict = floe__turn_framer_next(framer, &in, &message)) == FLOE__TURN_FRAME_MESSAGE) {
    FLOE__ASSERT(message.len >= 4 && message.len <= FLOE__TURN_FRAME_MAX);
    keep(out, env, message);
  }
  FLOE__ASSERT(out->verdict != FLOE__TURN_FRAME_NOMEM);
  FLOE__ASSERT(out->verdict == FLOE__TURN_FRAME_BAD || in.len == 0);
  FLOE__ASSERT(framer->cap <= 2 * FLOE__TURN_FRAME_MAX && framer->cap <= 2 * framer->len + 4);
  free(piece);
  return len;
}

static void run(frames *out, floe_env *env, bool channel_data, uint32_t largest, const uint8_t *bytes, size_t len) {
  floe__turn_framer framer;
  floe__turn_framer_init(&framer, env);
  framer.channel_data = channel_data;
  uint32_t random = largest;
  memset(out, 0, sizeof *out);
  for (size_t at = 0; at < len && out->verdict != FLOE__TURN_FRAME_BAD;) {
    random = random * 1664525 + 1013904223;
    size_t n = largest == 0 ? len : 1 + (random >> 16) % largest;
    at += feed(out, &framer, env, bytes + at, n < len - at ? n : len - at);
  }
  floe__turn_framer_clear(&framer);
  FLOE__ASSERT(framer.buf == NULL);
}

static void compare(const frames *a, const frames *b) {
  FLOE__ASSERT(a->verdict == b->verdict);
  FLOE__ASSERT(a->n == b->n && a->len == b->len);
  if (a->n == 0) return;
  FLOE__ASSERT(memcmp(a->ends, b->ends, a->n * sizeof *a->ends) == 0);
  FLOE__ASSERT(memcmp(a->bytes, b->bytes, a->len) == 0);
}

static void release(frames *f, floe_env *env) {
  floe__free(env, f->bytes);
  floe__free(env, f->ends);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < 2) return 0;
  floe_env *env;
  FLOE__ASSERT(floe_env_new(&env, NULL) == FLOE_OK);
  bool channel_data = (bytes[0] & 1) != 0;
  const uint32_t cuts[3] = {0, 1, 2 + bytes[1]};
  frames f[3];
  for (int i = 0; i < 3; i++) run(&f[i], env, channel_data, cuts[i], bytes + 2, len - 2);
  compare(&f[0], &f[1]);
  compare(&f[0], &f[2]);
  for (int i = 0; i < 3; i++) release(&f[i], env);
  floe_env_free(env);
  return 0;
}
