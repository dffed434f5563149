/* The datagram end of a DTLS session as OpenSSL sees it: a BIO over two queues in which one write is one datagram and
 * one read takes one. libcrypto's memory BIO would run datagrams together. */
#ifndef FLOE_TLS_DTLS_BIO_H
#define FLOE_TLS_DTLS_BIO_H

#include "tls/byte_bio.h"

/* Datagrams, each behind its length, in the bytes of one queue. */
typedef struct floe__dgram_queue {
  floe__byte_queue bytes;
} floe__dgram_queue;

typedef struct floe__dgram_pipe {
  floe_env *env;
  floe__dgram_queue in;  /* from the network, for OpenSSL */
  floe__dgram_queue out; /* from OpenSSL, for the network */
  uint32_t n_data_taken; /* datagrams of application data that OpenSSL has read */
  bool has_lost;         /* sticky: one of OpenSSL's was lost for want of memory */
} floe__dgram_pipe;

/* False: out of memory, or more than 65535 bytes; nothing was added. */
bool floe__dgram_queue_add(floe_env *env, floe__dgram_queue *q, floe_bytes datagram);
/* The first datagram; empty when there is none. */
floe_bytes floe__dgram_queue_peek(const floe__dgram_queue *q);
/* Drops the first datagram, which must be there. */
void floe__dgram_queue_drop(floe_env *env, floe__dgram_queue *q);
void floe__dgram_queue_clear(floe_env *env, floe__dgram_queue *q);
/* Bytes in the queue, lengths included. */
size_t floe__dgram_queue_size(const floe__dgram_queue *q);

/* Can these bytes begin with a record of DTLS (RFC 6347 4.1, RFC 9147 4)? */
bool floe__dgram_is_record(floe_bytes datagram);

/* One per env; freed with BIO_meth_free when no BIO is left. NULL: out of memory. */
BIO_METHOD *floe__dgram_bio_method(void);
BIO *floe__dgram_bio_new(const BIO_METHOD *method, floe__dgram_pipe *pipe /* keeps: must outlive the BIO */);

#endif
