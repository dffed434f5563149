#include "tls/byte_bio.h"

#include <limits.h>
#include <string.h>

#include "base/assert.h"

/* What an idle queue may keep: a relayed datagram with its record fits, a handshake's flight does not stay. */
#define IDLE_CAP 4096

floe_bytes floe__byte_queue_peek(const floe__byte_queue *q) {
  if (q->len == q->at) return (floe_bytes){0};
  return (floe_bytes){.ptr = q->buf + q->at, .len = q->len - q->at};
}

static void move_to_front(floe__byte_queue *q) {
  if (q->at == 0) return;
  memmove(q->buf, q->buf + q->at, q->len - q->at);
  q->len -= q->at;
  q->at = 0;
}

bool floe__byte_queue_add(floe_env *env, floe__byte_queue *q, floe_bytes bytes) {
  if (bytes.len == 0) return true;
  if (bytes.len > q->cap - q->len) {
    move_to_front(q);
    if (bytes.len > SIZE_MAX / 2 - q->len) return false;
    void *buf = q->buf;
    if (!floe__reserve(env, &buf, &q->cap, 1, q->len + bytes.len)) return false;
    q->buf = buf;
  }
  memcpy(q->buf + q->len, bytes.ptr, bytes.len);
  q->len += bytes.len;
  return true;
}

void floe__byte_queue_drop(floe_env *env, floe__byte_queue *q, size_t n) {
  FLOE__ASSERT(n <= q->len - q->at);
  q->at += n;
  if (q->at < q->len) return;
  q->at = 0;
  q->len = 0;
  if (q->cap > IDLE_CAP) floe__byte_queue_clear(env, q);
}

void floe__byte_queue_clear(floe_env *env, floe__byte_queue *q) {
  floe__free(env, q->buf);
  *q = (floe__byte_queue){0};
}

static int read_bytes(BIO *bio, char *out, int cap) {
  floe__byte_pipe *pipe = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  floe_bytes ready = floe__byte_queue_peek(&pipe->in);
  if (ready.len == 0 || cap <= 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  size_t n = ready.len < (size_t)cap ? ready.len : (size_t)cap;
  memcpy(out, ready.ptr, n);
  floe__byte_queue_drop(pipe->env, &pipe->in, n);
  return (int)n;
}

static int write_bytes(BIO *bio, const char *bytes, int len) {
  floe__byte_pipe *pipe = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (len <= 0) return 0;
  const floe_bytes b = {.ptr = (const uint8_t *)bytes, .len = (size_t)len};
  return floe__byte_queue_add(pipe->env, &pipe->out, b) ? len : -1;
}

static long control(BIO *bio, int cmd, long num, void *ptr) {
  (void)num;
  (void)ptr;
  const floe__byte_pipe *pipe = BIO_get_data(bio);
  if (cmd == BIO_CTRL_FLUSH) return 1;
  size_t n = 0;
  if (cmd == BIO_CTRL_PENDING) n = pipe->in.len - pipe->in.at;
  if (cmd == BIO_CTRL_WPENDING) n = pipe->out.len - pipe->out.at;
  return n > LONG_MAX ? LONG_MAX : (long)n;
}

BIO_METHOD *floe__byte_bio_method(void) {
  /* BIO_get_new_index has 127 numbers for the whole process; nothing here looks a BIO up by its type. */
  BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "floe stream");
  if (m == NULL) return NULL;
  if (BIO_meth_set_read(m, read_bytes) && BIO_meth_set_write(m, write_bytes) && BIO_meth_set_ctrl(m, control)) return m;
  BIO_meth_free(m);
  return NULL;
}

BIO *floe__byte_bio_new(const BIO_METHOD *method, floe__byte_pipe *pipe) {
  BIO *bio = BIO_new(method);
  if (bio == NULL) return NULL;
  BIO_set_data(bio, pipe);
  BIO_set_init(bio, 1);
  return bio;
}
