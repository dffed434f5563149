/* What every machine of src/ice shares: the env, the settings, the queue of commands to the driver, and the counters
 * from which ids are drawn. */
#ifndef FLOE_ICE_IO_H
#define FLOE_ICE_IO_H

#include "base/deadline.h"
#include "floe/ice.h"
#include "ice/settings.h"

/* A FIFO of outputs with their bytes, in one buffer. */
typedef struct floe__output_queue {
  uint8_t *buf;
  size_t cap;
  size_t head;  /* offset of the first record */
  size_t tail;  /* end of the last */
  size_t held;  /* size of the record that the last poll handed out; it stays where it is until the next */
  size_t peak;  /* the most bytes that waited since floe__io_relax */
  uint8_t *old; /* nullable: the buffer with that record, when the queue has moved on to a larger one */
} floe__output_queue;

typedef struct floe__io {
  floe_env *env;
  const floe__settings *settings;
  floe_time now; /* largest seen */
  floe__output_queue commands;
  floe_sock_id last_sock;
  floe_req_id last_req;
  uint32_t last_candidate;
  floe_time next_start_at; /* Ta: before this no further check or attempt is started (RFC 8445 14.2) */
  uint32_t server_errors;  /* ICESERVERERROR events so far */
  uint8_t dscp;            /* of the TRANSMIT commands that are being made */
  bool used_configured;    /* the ufrag and pwd of the configuration are those of the first ICE session */
  bool silent;             /* the agent is closed: the program is told nothing more */
} floe__io;

/* Commands. False, and 0 for an id: out of memory; nothing was queued. */
bool floe__io_transmit(floe__io *io, floe_sock_id sock, const floe_addr *to, floe_bytes data);
/* The same with the bytes in two pieces. */
bool floe__io_transmit2(floe__io *io, floe_sock_id sock, const floe_addr *to, floe_bytes head, floe_bytes data);
floe_sock_id floe__io_open(floe__io *io, floe_transport transport, const floe_addr *local, const floe_addr *remote);
/* UDP: the multiplexer's socket on this address. */
floe_sock_id floe__io_open_shared(floe__io *io, const floe_addr *local);
/* For checks over TCP (RFC 6544). `remote` NULL: listens. `shared`: one port listens and connects. */
floe_sock_id floe__io_open_tcp(floe__io *io, const floe_addr *local, const floe_addr *remote, bool shared);
bool floe__io_close(floe__io *io, floe_sock_id sock);
floe_req_id floe__io_resolve(floe__io *io, const char *host, floe_family family);
floe_req_id floe__io_resolve_multicast(floe__io *io, const char *host, floe_family family);
bool floe__io_ask_interfaces(floe__io *io);
/* Answer multicast DNS questions for the name from now on, or no more. */
bool floe__io_publish(floe__io *io, const char *name, const floe_addr *address, bool withdraw);
bool floe__io_data(floe__io *io, uint32_t candidate, const floe_addr *from, floe_bytes data);
bool floe__io_permission(floe__io *io, uint32_t candidate, const floe_addr *peer, bool granted);

/* Takes the next command; false when there is none. Its bytes stay valid until the next call on the queue. */
bool floe__io_next(floe__io *io, floe_output *out);
/* The kind of the next command; WAIT when there is none. */
floe_output_type floe__io_peek(const floe__io *io);
/* Bytes waiting. */
size_t floe__io_pending(const floe__io *io);
/* Gives the buffer back when nothing waits: an idle agent holds none. */
void floe__io_trim(floe__io *io);
/* Now and then: a buffer larger than what was needed since the last time is given back. */
void floe__io_relax(floe__io *io);
void floe__io_clear(floe__io *io);

#endif
