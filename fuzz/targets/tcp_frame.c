/* Frames of a TCP connection between peers (RFC 4571) however the stream is cut, beside a plain model: two bytes of
 * length, so many bytes, and so on. The first byte says how the stream is cut, the second when memory fails, the rest
 * is the stream. What is sent comes back the same way. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "ice/tcp_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct world {
  floe_env *env;
  floe__io io;
  floe__tcp_link *link;
  floe__candidate local;
  size_t live;      /* blocks */
  uint32_t fail_in; /* this many calls for memory from now one fails; 0 = none */
  floe_bytes stream;
  size_t at; /* the next frame of the model */
} world;

static void *reallocate(void *user, void *ptr, size_t size) {
  world *w = user;
  if (size == 0) {
    if (ptr != NULL) w->live--;
    free(ptr);
    return NULL;
  }
  if (w->fail_in > 0 && --w->fail_in == 0) return NULL;
  if (ptr == NULL) w->live++;
  return realloc(ptr, size);
}

static void expect_message(world *w, floe_bytes message) {
  FLOE__ASSERT(w->stream.len - w->at >= 2);
  size_t n = (size_t)w->stream.ptr[w->at] << 8 | w->stream.ptr[w->at + 1];
  FLOE__ASSERT(message.len == n && w->stream.len - w->at - 2 >= n);
  FLOE__ASSERT(n == 0 || memcmp(message.ptr, w->stream.ptr + w->at + 2, n) == 0);
  w->at += 2 + n;
}

/* False: no memory, which ends the connection. The piece is a block of its own, so that a read past it is seen. */
static bool feed(world *w, floe_bytes bytes) {
  uint8_t *piece = malloc(bytes.len);
  FLOE__ASSERT(piece != NULL);
  memcpy(piece, bytes.ptr, bytes.len);
  floe_bytes in = {piece, bytes.len}, message;
  floe__tcp_frame what;
  while ((what = floe__tcp_link_next(w->link, &w->io, &in, &message)) == FLOE__TCP_FRAME_MESSAGE) {
    expect_message(w, message);
  }
  FLOE__ASSERT(what == FLOE__TCP_FRAME_NOMEM || in.len == 0);
  FLOE__ASSERT(w->link->len <= w->link->cap && w->link->len < 2 + FLOE__TCP_FRAME_MAX);
  free(piece);
  return what == FLOE__TCP_FRAME_MORE;
}

static void receive(world *w, uint32_t largest) {
  uint32_t random = largest;
  for (size_t at = 0; at < w->stream.len;) {
    random = random * 1664525 + 1013904223;
    size_t n = largest == 0 ? w->stream.len : 1 + (random >> 16) % largest;
    if (n > w->stream.len - at) n = w->stream.len - at;
    if (!feed(w, (floe_bytes){w->stream.ptr + at, n})) return;
    at += n;
  }
  size_t left = w->stream.len - w->at; /* no whole frame */
  FLOE__ASSERT(left < 2 || left - 2 < ((size_t)w->stream.ptr[w->at] << 8 | w->stream.ptr[w->at + 1]));
  FLOE__ASSERT(w->link->len == left && (w->link->buf == NULL) == (left == 0));
}

static void send(world *w) {
  floe_output out;
  if (!floe__tcp_link_send(w->link, &w->io, w->stream)) return;
  FLOE__ASSERT(floe__io_next(&w->io, &out) && out.type == FLOE_OUTPUT_TRANSMIT && out.u.transmit.sock == 7);
  floe_bytes data = out.u.transmit.data;
  FLOE__ASSERT(data.len == w->stream.len + 2 && (size_t)(data.ptr[0] << 8 | data.ptr[1]) == w->stream.len);
  FLOE__ASSERT(w->stream.len == 0 || memcmp(data.ptr + 2, w->stream.ptr, w->stream.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  world w = {.stream = {data + 2, size - 2}};
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = &w;
  cfg.reallocate = reallocate;
  FLOE__ASSERT(floe_env_new(&w.env, &cfg) == FLOE_OK);
  w.io.env = w.env;
  floe_addr remote = {.family = FLOE_FAMILY_IPV4, .ip = {192, 0, 2, 1}, .port = 9};
  w.link = floe__tcp_link_accept(&w.io, &w.local, 7, &remote);
  FLOE__ASSERT(w.link != NULL);
  w.link->is_used = true; /* a stranger's frames are short: sim/connect_hostile */
  w.fail_in = data[1];
  send(&w);
  receive(&w, data[0]);
  w.fail_in = 0;
  floe__tcp_link_free(w.link, &w.io);
  floe__io_clear(&w.io);
  FLOE__ASSERT(w.live == 1);
  floe_env_free(w.env);
  return 0;
}
