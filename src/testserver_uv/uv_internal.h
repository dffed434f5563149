/* What the files of the test server's driver share. */
#ifndef FLOE_TESTSERVER_UV_UV_INTERNAL_H
#define FLOE_TESTSERVER_UV_UV_INTERNAL_H

#include "testserver_uv/testserver_uv.h"

#define FLOE__TSUV_MAX_CONNS   2048       /* accepted at the same time, those being closed included */
#define FLOE__TSUV_MAX_UNSENT  (1u << 20) /* bytes waiting on one connection; beyond it is reset */
#define FLOE__TSUV_BACKLOG     128
#define FLOE__TSUV_KEEPALIVE_S 60

typedef enum floe__tsuv_kind {
  FLOE__TSUV_UDP = 0, /* a listening UDP socket */
  FLOE__TSUV_TCP,     /* a listening TCP socket */
  FLOE__TSUV_CONN,
  FLOE__TSUV_RELAY
} floe__tsuv_kind;

/* One socket. `id` is that of the core: listener, connection or relay. */
typedef struct floe__tsuv_socket {
  struct floe__tsuv_socket *next;
  struct floe__testserver_uv *server;
  floe__tsuv_kind kind;
  uint32_t id;
  bool is_closing; /* uv_close was called */
  bool ends;       /* a connection: the core is done with it */
  bool reset;      /* with RST, once everything is written */
  bool peer_ended; /* a connection: FIN or RST came */
  uv_shutdown_t shutdown;
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_udp_t udp;
    uv_tcp_t tcp;
  } uv;
} floe__tsuv_socket;

struct floe__testserver_uv {
  uv_loop_t *loop;
  floe_env *env;
  floe__testserver *core;
  uv_timer_t timer;
  floe__tsuv_socket *sockets;
  size_t n_conns;
  uint32_t last_conn;
  size_t open_handles; /* sockets and the timer, until their close callbacks ran */
  bool is_closing;
  void (*on_closed)(void *user);
  void *user;
  char buffer[65536]; /* libuv reads into it, one read at a time */
};

/* --- testserver_uv.c -------------------------------------------------------------------------------------------- */

/* Does what the core wants done, and sets the timer. */
void floe__tsuv_drain(floe__testserver_uv *server);
floe_time floe__tsuv_now(void);

/* --- socket.c --------------------------------------------------------------------------------------------------- */

floe__tsuv_socket *floe__tsuv_find(floe__testserver_uv *server, floe__tsuv_kind kind, uint32_t id);
void floe__tsuv_close_socket(floe__tsuv_socket *s);
/* After the close callback of any handle. */
void floe__tsuv_handle_closed(floe__testserver_uv *server);
int floe__tsuv_open_udp(floe__testserver_uv *server, floe__tsuv_kind kind, const floe_addr *addr,
                        floe__tsuv_socket **out, floe_addr *bound);
void floe__tsuv_send_datagram(floe__tsuv_socket *s, const floe_addr *to, floe_bytes data);

/* Room for one read, for every socket: libuv reads at once and the callback follows before the next. */
void floe__tsuv_lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);
/* A socket in the list whose handle is not initialised yet. */
floe__tsuv_socket *floe__tsuv_add_socket(floe__testserver_uv *server, floe__tsuv_kind kind);
/* Takes it out again, when its handle could not be initialised. */
void floe__tsuv_remove_socket(floe__tsuv_socket *s);
int floe__tsuv_to_sockaddr(const floe_addr *addr, struct sockaddr_storage *out);
floe_addr floe__tsuv_from_sockaddr(const struct sockaddr *sa);

/* --- conn.c ----------------------------------------------------------------------------------------------------- */

int floe__tsuv_listen_tcp(floe__testserver_uv *server, const floe_addr *addr, floe__tsuv_socket **out,
                          floe_addr *bound);
void floe__tsuv_write(floe__tsuv_socket *s, floe_bytes data);
/* Ends a connection after what was written. */
void floe__tsuv_end(floe__tsuv_socket *s, bool reset);

#endif
