#include "uv/mdns_sock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "uv/os.h"
#include "uv/sockaddr.h"

/* RFC 6762 11. */
#define TTL 255

/* Reads before the loop gets its turn. */
#define READS 4

static int set(int fd, int level, int option, const void *value, socklen_t len) {
  return setsockopt(fd, level, option, value, len) == 0 ? 0 : errno;
}

static int set_int(int fd, int level, int option, int value) {
  return set(fd, level, option, &value, sizeof value);
}

/* RFC 6762 15: the port is shared with the system's own responder and with other programs. */
static int share_port(int fd) {
  int err = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
#ifdef SO_REUSEPORT
  if (err == 0) err = set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
#endif
  return err;
}

/* Some systems want these of IPv4 as a byte. */
static int set_up_ipv4(int fd, const floe_addr *local) {
  const unsigned char ttl = TTL;
  const unsigned char on = 1;
  struct in_addr from;
  memcpy(&from, local->ip, sizeof from);
  (void)set_int(fd, IPPROTO_IP, IP_TTL, TTL); /* of answers to one host: RFC 6762 11 only advises it */
#ifdef IP_MULTICAST_ALL
  /* Else what other sockets have joined on other interfaces is heard, too. */
  int err = set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
  if (err != 0) return err;
#endif
  int failed = set(fd, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof from);
  if (failed == 0) failed = set(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl);
  if (failed == 0) failed = set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof on);
  return failed;
}

static int set_up_ipv6(int fd, uint32_t interface) {
  (void)set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, TTL);
  int err = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)interface);
  if (err == 0) err = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, TTL);
  if (err == 0) err = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
  return err;
}

static int join(int fd, int family, const struct sockaddr_storage *group, uint32_t interface) {
  struct group_req req = {.gr_interface = interface, .gr_group = *group};
  return set(fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP, MCAST_JOIN_GROUP, &req, sizeof req);
}

/* Bound to the group, so that the socket hears what was sent to the link, and takes no datagram away that was sent to
 * another program on this port (RFC 6762 15.1). Returns 0 or an errno. */
static int set_up(int fd, int family, const floe_mdns_output *open) {
  struct sockaddr_storage group;
  socklen_t len = floe__uv_sockaddr_of(&group, &open->u.open.group);
  int err = family == AF_INET6 ? set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) : 0;
  if (err == 0) err = share_port(fd);
  if (err == 0 && bind(fd, (const struct sockaddr *)&group, len) != 0) err = errno;
  if (err != 0) return err;
  err = family == AF_INET6 ? set_up_ipv6(fd, open->u.open.interface) : set_up_ipv4(fd, &open->u.open.local);
  return err != 0 ? err : join(fd, family, &group, open->u.open.interface);
}

/* ---- reading ---- */

static void on_ready(uv_poll_t *poll, int status, int events) {
  (void)events;
  floe__uv_mdns_sock *sock = poll->data;
  floe__uv_received got[FLOE__UV_SLOTS];
  for (int reads = 0; reads < READS && sock->fd >= 0; reads++) {
    int n = floe__uv_os_receive(sock->fd, sock->uv->slots, got); /* takes a pending error away as well */
    for (int i = 0; i < n; i++) {
      floe_input in = {.type = FLOE_INPUT_DATAGRAM, .sock = sock->id, .addr = got[i].from, .data = got[i].data};
      sock->on_input(sock, &in);
    }
    if (n >= 0 && n < FLOE__UV_SLOTS) break;
  }
  /* libuv stops a handle whose descriptor has an error. */
  if (status < 0 && sock->fd >= 0) (void)uv_poll_start(&sock->poll, UV_READABLE, on_ready);
}

/* ---- the socket ---- */

static int start(floe__uv_mdns_sock *sock, const floe_mdns_output *open) {
  int family = floe__uv_sockaddr_family(&open->u.open.group);
  sock->fd = floe__uv_os_socket(family, SOCK_DGRAM);
  if (sock->fd < 0) return -sock->fd;
  int err = set_up(sock->fd, family, open);
  if (err == 0) err = -uv_poll_init(sock->uv->loop, &sock->poll, sock->fd);
  if (err != 0) (void)close(sock->fd);
  return err;
}

floe__uv_mdns_sock *floe__uv_mdns_sock_open(floe_uv *uv, const floe_mdns_output *open,
                                            void (*on_input)(floe__uv_mdns_sock *sock, const floe_input *in),
                                            void *user, int *os_error) {
  floe__uv_mdns_sock *sock = floe__uv_zalloc(&uv->mem, sizeof *sock);
  *os_error = ENOMEM;
  if (sock == NULL) return NULL;
  sock->uv = uv;
  sock->id = open->u.open.sock;
  sock->on_input = on_input;
  sock->user = user;
  *os_error = start(sock, open);
  if (*os_error != 0) {
    floe__uv_free(&uv->mem, sock);
    return NULL;
  }
  sock->poll.data = sock;
  floe__uv_handle_opened(uv);
  (void)uv_poll_start(&sock->poll, UV_READABLE, on_ready);
  return sock;
}

void floe__uv_mdns_sock_send(floe__uv_mdns_sock *sock, const floe_addr *to, floe_bytes data) {
  struct sockaddr_storage sa;
  socklen_t len = floe__uv_sockaddr_of(&sa, to);
  (void)sendto(sock->fd, data.ptr, data.len, 0, (const struct sockaddr *)&sa, len);
}

static void on_closed(uv_handle_t *handle) {
  floe__uv_mdns_sock *sock = handle->data;
  floe_uv *uv = sock->uv;
  floe__uv_free(&uv->mem, sock);
  floe__uv_handle_closed(uv);
}

void floe__uv_mdns_sock_close(floe__uv_mdns_sock *sock) {
  uv_close((uv_handle_t *)&sock->poll, on_closed);
  (void)close(sock->fd);
  sock->fd = -1;
}
