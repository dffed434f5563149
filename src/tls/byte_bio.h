/* The stream end of a TLS session as OpenSSL sees it: a BIO over two byte queues of the env's allocator. libcrypto's
 * own memory BIO never gives memory back and copies once more on the way out. */
#ifndef FLOE_TLS_BYTE_BIO_H
#define FLOE_TLS_BYTE_BIO_H

#include <openssl/bio.h>

#include "base/alloc.h"

typedef struct floe__byte_queue {
  uint8_t *buf;
  size_t at;  /* first byte not yet taken */
  size_t len; /* end of the bytes */
  size_t cap;
} floe__byte_queue;

typedef struct floe__byte_pipe {
  floe_env *env;
  floe__byte_queue in;  /* from the stream, for OpenSSL */
  floe__byte_queue out; /* from OpenSSL, for the stream */
} floe__byte_pipe;

/* False: out of memory, nothing was added. */
bool floe__byte_queue_add(floe_env *env, floe__byte_queue *q, floe_bytes bytes);
floe_bytes floe__byte_queue_peek(const floe__byte_queue *q);
/* Drops the first `n` bytes, which must be there. Memory of a burst is given back when the queue runs empty. */
void floe__byte_queue_drop(floe_env *env, floe__byte_queue *q, size_t n);
/* Frees the memory; what was in it is encrypted. */
void floe__byte_queue_clear(floe_env *env, floe__byte_queue *q);

/* One per env; freed with BIO_meth_free when no BIO is left. NULL: out of memory. */
BIO_METHOD *floe__byte_bio_method(void);
BIO *floe__byte_bio_new(const BIO_METHOD *method, floe__byte_pipe *pipe /* keeps: must outlive the BIO */);

#endif
