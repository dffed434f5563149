#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "uv/os.h"
#include "uv/sock.h"
#include "uv/sockaddr.h"

/* Reads before the loop gets its turn: epoll tells again of what is left. */
#define READS 4

/* What may wait beyond the agent's own limit, which holds back the program's data: the core's requests. */
#define REQUESTS_QUEUED ((size_t)1024 * 1024)

int floe__uv_tcp_start(floe__uv_sock *sock, const floe_addr *local, const floe_addr *remote) {
  struct sockaddr_storage sa;
  socklen_t len = floe__uv_sockaddr_of(&sa, local);
  int on = 1;
  (void)setsockopt(sock->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(sock->fd, (const struct sockaddr *)&sa, len) != 0) return errno;
  floe__uv_sock_bound(sock); /* connect() may fail at once, and its error is to name the port */
  len = floe__uv_sockaddr_of(&sa, remote);
  sock->state = FLOE__UV_SOCK_CONNECTING;
  if (connect(sock->fd, (const struct sockaddr *)&sa, len) == 0) return 0;
  return errno == EINPROGRESS || errno == EINTR ? 0 : errno;
}

static int take_error(const floe__uv_sock *sock) {
  int err = 0;
  socklen_t len = sizeof err;
  if (getsockopt(sock->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0) return errno;
  return err;
}

static void finish_connect(floe__uv_sock *sock) {
  int err = take_error(sock);
  if (err == EINPROGRESS || err == EALREADY) return;
  if (err != 0) {
    floe__uv_sock_fail(sock, err);
    return;
  }
  sock->state = FLOE__UV_SOCK_OPEN;
  floe__uv_sock_opened(sock);
}

/* Sends what fits. Returns how much, or a negated errno. */
static ssize_t send_now(const floe__uv_sock *sock, floe_bytes data) {
  size_t sent = 0;
  while (sent < data.len) {
    ssize_t n = floe__uv_os_send(sock->fd, data.ptr + sent, data.len - sent);
    if (n == -EINTR) continue;
    if (n == -EAGAIN || n == -EWOULDBLOCK) break;
    if (n < 0) return n;
    sent += (size_t)n;
  }
  return (ssize_t)sent;
}

void floe__uv_tcp_send(floe__uv_sock *sock, floe_bytes data) {
  bool must_wait = sock->first != NULL || sock->state == FLOE__UV_SOCK_CONNECTING;
  ssize_t sent = must_wait ? 0 : send_now(sock, data);
  if (sent < 0) {
    floe__uv_sock_fail(sock, (int)-sent);
    return;
  }
  floe_bytes rest = {.ptr = data.ptr + sent, .len = data.len - (size_t)sent};
  if (rest.len == 0) return;
  /* Bytes of a stream cannot be left out, so where there is no room for them the connection is over. */
  bool fits = sock->queued + rest.len <= sock->agent->max_queue + REQUESTS_QUEUED;
  if (!fits || !floe__uv_sock_queue(sock, NULL, rest)) floe__uv_sock_fail(sock, ENOBUFS);
}

static void send_queued(floe__uv_sock *sock) {
  while (sock->first != NULL) {
    floe__uv_packet *packet = sock->first;
    ssize_t n = send_now(sock, (floe_bytes){.ptr = packet->data + packet->sent, .len = packet->len - packet->sent});
    if (n < 0) {
      floe__uv_sock_fail(sock, (int)-n);
      return;
    }
    packet->sent += (size_t)n;
    if (packet->sent < packet->len) return;
    floe__uv_sock_drop_first(sock);
  }
}

/* What came before a reset is still there to be read: so the error is left where it is until a read returns it. */
static void receive(floe__uv_sock *sock) {
  for (int reads = 0; reads < READS && sock->state == FLOE__UV_SOCK_OPEN; reads++) {
    ssize_t n = recv(sock->fd, sock->uv->slots, FLOE__UV_SLOT_BYTES, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n < 0) {
      floe__uv_sock_fail(sock, errno);
      return;
    }
    floe_input in = {.type = n == 0 ? FLOE_INPUT_STREAM_END : FLOE_INPUT_STREAM, .sock = sock->id};
    in.data = (floe_bytes){.ptr = sock->uv->slots, .len = (size_t)n};
    if (n == 0) sock->state = FLOE__UV_SOCK_ENDED;
    floe__uv_agent_input(sock->agent, &in);
  }
}

void floe__uv_tcp_ready(floe__uv_sock *sock, int status, int events) {
  if (sock->state == FLOE__UV_SOCK_CONNECTING) {
    finish_connect(sock);
    return;
  }
  if ((status < 0 || (events & UV_READABLE) != 0) && sock->state == FLOE__UV_SOCK_OPEN) receive(sock);
  bool is_done = sock->state == FLOE__UV_SOCK_CLOSED;
  if (!is_done && (status < 0 || (events & UV_WRITABLE) != 0)) send_queued(sock);
}
