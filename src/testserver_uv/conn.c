/* TCP: listening, connections, their ends. */
#include <string.h>

#include "testserver_uv/uv_internal.h"

/* --- ending ----------------------------------------------------------------------------------------------------- */

/* After our FIN the connection stays until the client's comes: a close with unread bytes would send RST instead. */
static void on_shut_down(uv_shutdown_t *req, int status) {
  floe__tsuv_socket *s = req->data;
  if (status != 0 || s->peer_ended) floe__tsuv_close_socket(s);
}

static void finish(floe__tsuv_socket *s) {
  if (s->is_closing || uv_stream_get_write_queue_size(&s->uv.stream) > 0) return;
  if (s->reset || s->peer_ended) {
    floe__tsuv_close_socket(s);
    return;
  }
  s->shutdown.data = s;
  if (uv_shutdown(&s->shutdown, &s->uv.stream, on_shut_down) != 0) floe__tsuv_close_socket(s);
}

void floe__tsuv_end(floe__tsuv_socket *s, bool reset) {
  if (s->ends) return;
  s->ends = true;
  s->reset = reset;
  finish(s);
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

typedef struct write_request {
  uv_write_t req;
  floe__tsuv_socket *socket;
  uint8_t bytes[];
} write_request;

static void on_written(uv_write_t *req, int status) {
  (void)status; /* a broken connection is told by the read callback as well */
  write_request *w = req->data;
  floe__tsuv_socket *s = w->socket;
  floe__free(s->server->env, w);
  if (s->ends) finish(s);
}

/* A stream with a hole in it is of no use: it is reset, and the core is told as if the client had gone. */
static void break_off(floe__tsuv_socket *s) {
  s->ends = s->reset = true;
  floe__tsuv_close_socket(s);
  floe__testserver_on_end(s->server->core, floe__tsuv_now(), s->id);
}

static void queue_write(floe__tsuv_socket *s, floe_bytes data) {
  write_request *w = NULL;
  if (uv_stream_get_write_queue_size(&s->uv.stream) + data.len <= FLOE__TSUV_MAX_UNSENT) {
    w = floe__alloc(s->server->env, sizeof *w + data.len);
  }
  if (w == NULL) {
    break_off(s);
    return;
  }
  w->req.data = w;
  w->socket = s;
  memcpy(w->bytes, data.ptr, data.len);
  uv_buf_t buf = uv_buf_init((char *)w->bytes, (unsigned)data.len);
  if (uv_write(&w->req, &s->uv.stream, &buf, 1, on_written) == 0) return;
  floe__free(s->server->env, w);
  break_off(s);
}

void floe__tsuv_write(floe__tsuv_socket *s, floe_bytes data) {
  if (s->ends || data.len == 0) return;
  uv_buf_t buf = uv_buf_init(NULL, (unsigned)data.len);
  memcpy(&buf.base, &data.ptr, sizeof buf.base); /* libuv's buffers are not const, though it only reads them */
  int n = uv_try_write(&s->uv.stream, &buf, 1);
  size_t written = n > 0 ? (size_t)n : 0;
  if (written == data.len || (n < 0 && n != UV_EAGAIN)) return;
  queue_write(s, (floe_bytes){data.ptr + written, data.len - written});
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static void on_peer_end(floe__tsuv_socket *s) {
  floe__testserver_uv *server = s->server;
  s->peer_ended = true;
  (void)uv_read_stop(&s->uv.stream);
  if (s->ends) {
    finish(s);
    return;
  }
  floe__testserver_on_end(server->core, floe__tsuv_now(), s->id);
  floe__tsuv_drain(server);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  floe__tsuv_socket *s = stream->data;
  floe__testserver_uv *server = s->server;
  if (n == 0) return;
  if (n < 0) {
    on_peer_end(s);
    return;
  }
  if (s->ends) return;
  floe__testserver_on_bytes(server->core, floe__tsuv_now(), s->id, (floe_bytes){(const uint8_t *)buf->base, (size_t)n});
  floe__tsuv_drain(server);
}

/* --- accepting -------------------------------------------------------------------------------------------------- */

static bool start_conn(floe__tsuv_socket *s, uv_stream_t *listener, floe_addr *from) {
  struct sockaddr_storage sa;
  int len = sizeof sa;
  if (uv_accept(listener, &s->uv.stream) != 0) return false;
  if (uv_tcp_getpeername(&s->uv.tcp, (struct sockaddr *)&sa, &len) != 0) return false;
  *from = floe__tsuv_from_sockaddr((struct sockaddr *)&sa);
  (void)uv_tcp_nodelay(&s->uv.tcp, 1); /* each write its own segment, as far as that is ours to say */
  (void)uv_tcp_keepalive(&s->uv.tcp, 1, FLOE__TSUV_KEEPALIVE_S); /* a client may vanish without a word */
  return uv_read_start(&s->uv.stream, floe__tsuv_lend_buffer, on_read) == 0;
}

static void on_connection(uv_stream_t *stream, int status) {
  floe__tsuv_socket *listener = stream->data;
  floe__testserver_uv *server = listener->server;
  floe_addr from;
  floe__tsuv_socket *s = status == 0 ? floe__tsuv_add_socket(server, FLOE__TSUV_CONN) : NULL;
  if (s == NULL) return;
  if (uv_tcp_init(server->loop, &s->uv.tcp) != 0) {
    floe__tsuv_remove_socket(s);
    return;
  }
  s->uv.handle.data = s;
  if (++server->last_conn == 0) server->last_conn = 1;
  s->id = server->last_conn;
  if (!start_conn(s, stream, &from) || server->n_conns > FLOE__TSUV_MAX_CONNS) {
    s->ends = s->reset = true;
    floe__tsuv_close_socket(s);
    return;
  }
  floe__testserver_on_accept(server->core, floe__tsuv_now(), listener->id, s->id, &from);
  floe__tsuv_drain(server);
}

static int bind_tcp(uv_tcp_t *tcp, const floe_addr *addr, floe_addr *bound) {
  struct sockaddr_storage sa;
  int len = sizeof sa;
  int r = floe__tsuv_to_sockaddr(addr, &sa);
  if (r == 0) r = uv_tcp_bind(tcp, (struct sockaddr *)&sa, addr->family == FLOE_FAMILY_IPV6 ? UV_TCP_IPV6ONLY : 0);
  if (r == 0) r = uv_listen((uv_stream_t *)tcp, FLOE__TSUV_BACKLOG, on_connection);
  if (r == 0) r = uv_tcp_getsockname(tcp, (struct sockaddr *)&sa, &len);
  if (r == 0) *bound = floe__tsuv_from_sockaddr((struct sockaddr *)&sa);
  return r;
}

int floe__tsuv_listen_tcp(floe__testserver_uv *server, const floe_addr *addr, floe__tsuv_socket **out,
                          floe_addr *bound) {
  floe__tsuv_socket *s = floe__tsuv_add_socket(server, FLOE__TSUV_TCP);
  if (s == NULL) return UV_ENOMEM;
  int r = uv_tcp_init(server->loop, &s->uv.tcp);
  if (r != 0) {
    floe__tsuv_remove_socket(s);
    return r;
  }
  s->uv.handle.data = s;
  r = bind_tcp(&s->uv.tcp, addr, bound);
  if (r != 0) {
    floe__tsuv_close_socket(s);
    return r;
  }
  *out = s;
  return 0;
}
