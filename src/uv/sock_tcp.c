#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "uv/dscp.h"
#include "uv/os.h"
#include "uv/sock.h"
#include "uv/sockaddr.h"

/* Connections that wait to be accepted; the system refuses or ignores further ones. */
#define BACKLOG 128

/* Connections accepted before the loop gets its turn. */
#define ACCEPTS 16

/* How long a listener rests when the system has no descriptor for a connection: it stays readable, and would be asked
 * again at once and all the time. */
#define PAUSE (100 * FLOE_MS)

/* Reads before the loop gets its turn: epoll tells again of what is left. */
#define READS 4

/* What may wait beyond the agent's own limit, which holds back the program's data: the core's requests. */
#define REQUESTS_QUEUED ((size_t)1024 * 1024)

/* Bytes of ICE go out at once: nothing waits to fill a segment. */
static void set_nodelay(int fd) {
  int on = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* For a port that listens and connects at the same time (RFC 6544 7.2, simultaneous open). Returns 0 or an errno. */
static int share_port(int fd) {
  int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return errno;
#ifdef SO_REUSEPORT
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) return errno;
#endif
  return 0;
}

static int start_connect(floe__uv_sock *sock, const floe_addr *remote) {
  struct sockaddr_storage sa;
  socklen_t len = floe__uv_sockaddr_of(&sa, remote);
  floe__uv_sock_bound(sock); /* connect() may fail at once, and its error is to name the port */
  sock->state = FLOE__UV_SOCK_CONNECTING;
  if (connect(sock->fd, (const struct sockaddr *)&sa, len) == 0) return 0;
  return errno == EINPROGRESS || errno == EINTR ? 0 : errno;
}

int floe__uv_tcp_start(floe__uv_sock *sock, const floe_output *out) {
  struct sockaddr_storage sa;
  socklen_t len = floe__uv_sockaddr_of(&sa, &out->u.open.local);
  int err = out->u.open.shared ? share_port(sock->fd) : 0;
  if (err != 0) return err;
  set_nodelay(sock->fd);
  if (bind(sock->fd, (const struct sockaddr *)&sa, len) != 0) return errno;
  if (!out->u.open.listen) return start_connect(sock, &out->u.open.remote);
  if (listen(sock->fd, BACKLOG) != 0) return errno;
  sock->state = FLOE__UV_SOCK_LISTENING;
  return 0;
}

static void accept_connections(floe__uv_sock *listener) {
  for (int i = 0; i < ACCEPTS && listener->state == FLOE__UV_SOCK_LISTENING; i++) {
    floe_addr peer;
    int fd = floe__uv_os_accept(listener->fd, &peer);
    if (fd == -EAGAIN || fd == -EWOULDBLOCK) return;
    if (fd == -EINTR || fd == -ECONNABORTED) continue;
    if (fd < 0) {
      floe__uv_sock_pause(listener, PAUSE);
    } else {
      set_nodelay(fd);
      floe__uv_sock_accepted(listener, fd, &peer);
    }
  }
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

void floe__uv_tcp_send(floe__uv_sock *sock, floe_bytes data, uint8_t dscp) {
  if (dscp != sock->dscp) floe__uv_set_dscp(sock->fd, sock->family, dscp);
  sock->dscp = dscp;
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
  if (!fits || !floe__uv_sock_queue(sock, NULL, rest, dscp)) floe__uv_sock_fail(sock, ENOBUFS);
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
  if (sock->state == FLOE__UV_SOCK_LISTENING) {
    accept_connections(sock);
    return;
  }
  if ((status < 0 || (events & UV_READABLE) != 0) && sock->state == FLOE__UV_SOCK_OPEN) receive(sock);
  bool is_done = sock->state == FLOE__UV_SOCK_CLOSED;
  if (!is_done && (status < 0 || (events & UV_WRITABLE) != 0)) send_queued(sock);
}
