#include "tls/dtls_bio.h"

#include <openssl/ssl.h>
#include <string.h>

#include "base/assert.h"

/* --- queues ------------------------------------------------------------------------------------------------------- */

bool floe__dgram_queue_add(floe_env *env, floe__dgram_queue *q, floe_bytes datagram) {
  if (datagram.len == 0 || datagram.len > UINT16_MAX) return false;
  const uint16_t len = (uint16_t)datagram.len;
  const floe_bytes head = {.ptr = (const uint8_t *)&len, .len = sizeof len};
  if (!floe__byte_queue_add(env, &q->bytes, head)) return false;
  if (floe__byte_queue_add(env, &q->bytes, datagram)) return true;
  q->bytes.len -= sizeof len;
  return false;
}

floe_bytes floe__dgram_queue_peek(const floe__dgram_queue *q) {
  const floe_bytes b = floe__byte_queue_peek(&q->bytes);
  uint16_t len = 0;
  if (b.len == 0) return (floe_bytes){0};
  memcpy(&len, b.ptr, sizeof len);
  FLOE__ASSERT(len <= b.len - sizeof len);
  return (floe_bytes){.ptr = b.ptr + sizeof len, .len = len};
}

void floe__dgram_queue_drop(floe_env *env, floe__dgram_queue *q) {
  const floe_bytes first = floe__dgram_queue_peek(q);
  FLOE__ASSERT(first.len > 0);
  floe__byte_queue_drop(env, &q->bytes, sizeof(uint16_t) + first.len);
}

void floe__dgram_queue_clear(floe_env *env, floe__dgram_queue *q) {
  floe__byte_queue_clear(env, &q->bytes);
}

size_t floe__dgram_queue_size(const floe__dgram_queue *q) {
  return q->bytes.len - q->bytes.at;
}

/* --- records ------------------------------------------------------------------------------------------------------ */

/* RFC 9147 4: the unified header of DTLS 1.3 begins with 001. */
static bool is_unified(uint8_t first) {
  return (first & 0xE0) == 0x20;
}

bool floe__dgram_is_record(floe_bytes d) {
  if (d.len == 0) return false;
  if (is_unified(d.ptr[0])) return true;
  if (d.ptr[0] < SSL3_RT_CHANGE_CIPHER_SPEC || d.ptr[0] >= 0x20) return false;
  return d.len >= DTLS1_RT_HEADER_LENGTH && d.ptr[1] == DTLS1_VERSION_MAJOR;
}

static bool is_application_data(uint8_t first) {
  return first == SSL3_RT_APPLICATION_DATA || is_unified(first);
}

/* --- the BIO ------------------------------------------------------------------------------------------------------ */

static int read_datagram(BIO *bio, char *out, int cap) {
  floe__dgram_pipe *pipe = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  const floe_bytes first = floe__dgram_queue_peek(&pipe->in);
  if (first.len == 0 || cap <= 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  if (is_application_data(first.ptr[0])) pipe->n_data_taken++;
  /* What does not fit is cut, as recv does it: no record is longer than libssl's buffer. */
  const size_t n = first.len < (size_t)cap ? first.len : (size_t)cap;
  memcpy(out, first.ptr, n);
  floe__dgram_queue_drop(pipe->env, &pipe->in);
  return (int)n;
}

/* Never fails: without memory the datagram is lost, as the network might have lost it. */
static int write_datagram(BIO *bio, const char *bytes, int len) {
  floe__dgram_pipe *pipe = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (len <= 0) return 0;
  const floe_bytes b = {.ptr = (const uint8_t *)bytes, .len = (size_t)len};
  if (!floe__dgram_queue_add(pipe->env, &pipe->out, b)) pipe->has_lost = true;
  return len;
}

/* The MTU is told by SSL_set_mtu alone, so questions about it are answered by 0; but headers of IPv4 and UDP, 28 bytes,
 * make 228 bytes the least that libssl takes. BIO_CTRL_WPENDING must be 0: libssl takes it for bytes of the datagram
 * that it is filling. */
static long control(BIO *bio, int cmd, long num, void *ptr) {
  (void)bio;
  (void)num;
  (void)ptr;
  if (cmd == BIO_CTRL_FLUSH) return 1;
  return cmd == BIO_CTRL_DGRAM_GET_MTU_OVERHEAD ? 28 : 0;
}

BIO_METHOD *floe__dgram_bio_method(void) {
  BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "floe datagrams");
  if (m == NULL) return NULL;
  if (BIO_meth_set_read(m, read_datagram) && BIO_meth_set_write(m, write_datagram) && BIO_meth_set_ctrl(m, control)) {
    return m;
  }
  BIO_meth_free(m);
  return NULL;
}

BIO *floe__dgram_bio_new(const BIO_METHOD *method, floe__dgram_pipe *pipe) {
  BIO *bio = BIO_new(method);
  if (bio == NULL) return NULL;
  BIO_set_data(bio, pipe);
  BIO_set_init(bio, 1);
  return bio;
}
