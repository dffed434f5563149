/* Four UDP sockets that answer for each other (RFC 5780). */
#include "testserver_uv/uv_internal.h"

/* A port that is free at one address may be taken at the other. */
#define PORT_TRIES 16

typedef struct square {
  floe__tsuv_socket *sockets[4]; /* NULL: not open */
  floe_addr bound[4];
} square;

static void close_square(square *q) {
  for (size_t i = 0; i < 4; i++) {
    if (q->sockets[i] != NULL) floe__tsuv_close_socket(q->sockets[i]);
    q->sockets[i] = NULL;
  }
}

/* The i-th: bit 1 is the address, bit 0 the port. */
static int open_corner(floe__testserver_uv *server, square *q, size_t i, const floe_addr ends[2]) {
  floe_addr at = ends[i >> 1];
  at.port = i < 2 ? ends[i].port : q->bound[i - 2].port;
  return floe__tsuv_open_udp(server, FLOE__TSUV_UDP, &at, &q->sockets[i], &q->bound[i]);
}

static int open_square(floe__testserver_uv *server, square *q, const floe_addr ends[2]) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < 4; i++) r = open_corner(server, q, i, ends);
  if (r != 0) close_square(q);
  return r;
}

static int open_some_square(floe__testserver_uv *server, square *q, const floe_addr ends[2]) {
  bool is_free = ends[0].port == 0 || ends[1].port == 0;
  int r = open_square(server, q, ends);
  for (int tries = 1; r == UV_EADDRINUSE && is_free && tries < PORT_TRIES; tries++) r = open_square(server, q, ends);
  return r;
}

int floe__testserver_uv_listen_square(floe__testserver_uv *server, const floe_addr *primary, const floe_addr *alternate,
                                      const floe__ts_script *script, floe_addr bound[4]) {
  square q = {0};
  floe__ts_square listeners = {0};
  const floe_addr ends[2] = {*primary, *alternate};
  int r = open_some_square(server, &q, ends);
  if (r != 0) return r;
  for (size_t i = 0; i < 4; i++) {
    q.sockets[i]->id = floe__testserver_listen(server->core, FLOE_TRANSPORT_UDP, &q.bound[i], script);
    listeners.at[i >> 1][i & 1] = q.sockets[i]->id;
    if (bound != NULL) bound[i] = q.bound[i];
  }
  if (floe__testserver_set_square(server->core, &listeners)) return 0;
  close_square(&q); /* no memory for one of the listeners */
  return UV_ENOMEM;
}
