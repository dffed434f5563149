#include "ice/io.h"

#include <string.h>

/* A buffer of at most KEPT_WHEN_BUSY bytes is kept while the queue is empty, so that steady traffic in bursts allocates
 * nothing; floe__io_relax gives back what was not needed for a while, down to KEPT_WHEN_IDLE. */
#define KEPT_WHEN_BUSY 65536
#define KEPT_WHEN_IDLE 2048

typedef struct record {
  floe_output output; /* its data pointer is set when it is taken */
  size_t size;        /* of the whole record, a multiple of 8 */
  size_t data_len;
} record;

static size_t record_size(size_t data_len) {
  return (sizeof(record) + data_len + 7) & ~(size_t)7;
}

static void release_held(floe__io *io) {
  floe__output_queue *q = &io->commands;
  if (q->old == NULL) q->head += q->held;
  floe__free(io->env, q->old);
  q->old = NULL;
  q->held = 0;
  if (q->head == q->tail) q->head = q->tail = 0;
}

/* The record handed out stays where it is, for whoever reads it may be the one who pushes. */
static bool move_on(floe__io *io, size_t size) {
  floe__output_queue *q = &io->commands;
  size_t from = q->head + q->held;
  size_t waiting = q->tail - from;
  size_t cap = 2 * q->cap > waiting + size ? 2 * q->cap : waiting + size;
  uint8_t *buf = floe__alloc(io->env, cap);
  if (buf == NULL) return false;
  if (waiting > 0) memcpy(buf, q->buf + from, waiting);
  q->old = q->buf;
  q->buf = buf;
  q->cap = cap;
  q->head = 0;
  q->tail = waiting;
  return true;
}

static bool make_room(floe__io *io, size_t size) {
  floe__output_queue *q = &io->commands;
  if (q->cap - q->tail >= size) return true;
  if (q->held > 0 && q->old == NULL) return move_on(io, size);
  if (q->head > 0) {
    memmove(q->buf, q->buf + q->head, q->tail - q->head);
    q->tail -= q->head;
    q->head = 0;
  }
  void *buf = q->buf;
  if (!floe__reserve(io->env, &buf, &q->cap, 1, q->tail + size)) return false;
  q->buf = buf;
  return true;
}

static bool push2(floe__io *io, const floe_output *output, floe_bytes head, floe_bytes data) {
  size_t size = record_size(head.len + data.len);
  if (!make_room(io, size)) return false;
  floe__output_queue *q = &io->commands;
  record r = {.output = *output, .size = size, .data_len = head.len + data.len};
  memcpy(q->buf + q->tail, &r, sizeof r);
  if (head.len > 0) memcpy(q->buf + q->tail + sizeof r, head.ptr, head.len);
  if (data.len > 0) memcpy(q->buf + q->tail + sizeof r + head.len, data.ptr, data.len);
  q->tail += size;
  if (q->tail - q->head > q->peak) q->peak = q->tail - q->head;
  return true;
}

static bool push(floe__io *io, const floe_output *output, floe_bytes data) {
  return push2(io, output, (floe_bytes){0}, data);
}

bool floe__io_next(floe__io *io, floe_output *out) {
  floe__output_queue *q = &io->commands;
  release_held(io);
  if (q->head == q->tail) {
    if (q->cap > KEPT_WHEN_BUSY) floe__io_clear(io);
    return false;
  }
  record r;
  memcpy(&r, q->buf + q->head, sizeof r);
  *out = r.output;
  floe_bytes data = {q->buf + q->head + sizeof r, r.data_len};
  if (out->type == FLOE_OUTPUT_TRANSMIT) out->u.transmit.data = data;
  if (out->type == FLOE_OUTPUT_DATA) out->u.data.data = data;
  if (out->type == FLOE_OUTPUT_RESOLVE) out->u.resolve.host = (const char *)data.ptr;
  if (out->type == FLOE_OUTPUT_PUBLISH) out->u.publish.name = (const char *)data.ptr;
  q->held = r.size;
  return true;
}

floe_output_type floe__io_peek(const floe__io *io) {
  const floe__output_queue *q = &io->commands;
  size_t at = q->head + (q->old == NULL ? q->held : 0);
  if (at == q->tail) return FLOE_OUTPUT_WAIT;
  record r;
  memcpy(&r, q->buf + at, sizeof r);
  return r.output.type;
}

size_t floe__io_pending(const floe__io *io) {
  const floe__output_queue *q = &io->commands;
  return q->tail - q->head - (q->old == NULL ? q->held : 0);
}

void floe__io_trim(floe__io *io) {
  if (floe__io_pending(io) == 0) floe__io_clear(io);
}

void floe__io_relax(floe__io *io) {
  floe__output_queue *q = &io->commands;
  if (q->peak <= KEPT_WHEN_IDLE && q->cap > KEPT_WHEN_IDLE) floe__io_trim(io);
  q->peak = 0;
}

void floe__io_clear(floe__io *io) {
  floe__free(io->env, io->commands.buf);
  floe__free(io->env, io->commands.old);
  memset(&io->commands, 0, sizeof io->commands);
}

bool floe__io_transmit2(floe__io *io, floe_sock_id sock, const floe_addr *to, floe_bytes head, floe_bytes data) {
  floe_output out = {.type = FLOE_OUTPUT_TRANSMIT};
  out.u.transmit.sock = sock;
  out.u.transmit.to = *to;
  out.u.transmit.dscp = io->dscp;
  return push2(io, &out, head, data);
}

bool floe__io_transmit(floe__io *io, floe_sock_id sock, const floe_addr *to, floe_bytes data) {
  return floe__io_transmit2(io, sock, to, (floe_bytes){0}, data);
}

floe_sock_id floe__io_open(floe__io *io, floe_transport transport, const floe_addr *local, const floe_addr *remote) {
  floe_output out = {.type = FLOE_OUTPUT_OPEN};
  out.u.open.sock = io->last_sock + 1;
  out.u.open.transport = transport;
  out.u.open.local = *local;
  if (remote != NULL) out.u.open.remote = *remote;
  if (!push(io, &out, (floe_bytes){0})) return 0;
  return ++io->last_sock;
}

floe_sock_id floe__io_open_shared(floe__io *io, const floe_addr *local) {
  floe_output out = {.type = FLOE_OUTPUT_OPEN};
  out.u.open.sock = io->last_sock + 1;
  out.u.open.transport = FLOE_TRANSPORT_UDP;
  out.u.open.local = *local;
  out.u.open.shared = true;
  if (!push(io, &out, (floe_bytes){0})) return 0;
  return ++io->last_sock;
}

floe_sock_id floe__io_open_tcp(floe__io *io, const floe_addr *local, const floe_addr *remote, bool shared) {
  floe_output out = {.type = FLOE_OUTPUT_OPEN};
  out.u.open.sock = io->last_sock + 1;
  out.u.open.transport = FLOE_TRANSPORT_TCP;
  out.u.open.local = *local;
  out.u.open.shared = shared;
  out.u.open.listen = remote == NULL;
  if (remote != NULL) out.u.open.remote = *remote;
  if (!push(io, &out, (floe_bytes){0})) return 0;
  return ++io->last_sock;
}

bool floe__io_close(floe__io *io, floe_sock_id sock) {
  floe_output out = {.type = FLOE_OUTPUT_CLOSE};
  out.u.close.sock = sock;
  return push(io, &out, (floe_bytes){0});
}

static floe_req_id resolve(floe__io *io, const char *host, floe_family family, bool multicast) {
  floe_output out = {.type = FLOE_OUTPUT_RESOLVE};
  out.u.resolve.multicast = multicast;
  out.u.resolve.req = io->last_req + 1;
  out.u.resolve.family = family;
  if (!push(io, &out, (floe_bytes){(const uint8_t *)host, strlen(host) + 1})) return 0;
  return ++io->last_req;
}

floe_req_id floe__io_resolve(floe__io *io, const char *host, floe_family family) {
  return resolve(io, host, family, false);
}

floe_req_id floe__io_resolve_multicast(floe__io *io, const char *host, floe_family family) {
  return resolve(io, host, family, true);
}

bool floe__io_ask_interfaces(floe__io *io) {
  floe_output out = {.type = FLOE_OUTPUT_INTERFACES};
  return push(io, &out, (floe_bytes){0});
}

bool floe__io_publish(floe__io *io, const char *name, const floe_addr *address, bool withdraw) {
  floe_output out = {.type = FLOE_OUTPUT_PUBLISH};
  out.u.publish.address = *address;
  out.u.publish.address.port = 0;
  out.u.publish.withdraw = withdraw;
  return push(io, &out, (floe_bytes){(const uint8_t *)name, strlen(name) + 1});
}

bool floe__io_data(floe__io *io, uint32_t candidate, const floe_addr *from, floe_bytes data) {
  if (io->silent) return true;
  /* What the program does not take in time is lost, as on any full link. */
  if (floe__io_pending(io) > io->settings->cfg.max_queue_bytes) return false;
  floe_output out = {.type = FLOE_OUTPUT_DATA};
  out.u.data.candidate = candidate;
  out.u.data.from = *from;
  return push(io, &out, data);
}

bool floe__io_permission(floe__io *io, uint32_t candidate, const floe_addr *peer, bool granted) {
  if (io->silent) return true;
  floe_output out = {.type = FLOE_OUTPUT_PERMISSION};
  out.u.permission.candidate = candidate;
  out.u.permission.peer = *peer;
  out.u.permission.granted = granted;
  return push(io, &out, (floe_bytes){0});
}
