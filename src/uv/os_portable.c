/* For systems without Linux's error queue: POSIX calls only. UDP sockets here are not connected, and such a socket is
 * told of no ICMP error: a server that refuses is then found out by its silence. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "uv/dscp.h"
#include "uv/os.h"
#include "uv/sockaddr.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

const int floe__uv_os_udp_events = UV_READABLE;

/* Returns `fd`, or a negated errno when it had to be closed. */
static int prepare(int fd) {
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
    int err = errno;
    (void)close(fd);
    return -err;
  }
#ifdef SO_NOSIGPIPE
  int on = 1;
  (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  return fd;
}

int floe__uv_os_socket(int family, int type) {
  int fd = socket(family, type, 0);
  return fd < 0 ? -errno : prepare(fd);
}

int floe__uv_os_accept(int fd, floe_addr *peer) {
  struct sockaddr_storage sa;
  socklen_t len = sizeof sa;
  int got = accept(fd, (struct sockaddr *)&sa, &len);
  if (got < 0) return -errno;
  floe__uv_sockaddr_read(peer, (const struct sockaddr *)&sa);
  return prepare(got);
}

const size_t floe__uv_os_max_segments = 1;

int floe__uv_os_send_segments(int fd, const struct sockaddr_storage *to, socklen_t to_len, floe_bytes data,
                              size_t segment, uint8_t dscp) {
  (void)fd;
  (void)to;
  (void)to_len;
  (void)data;
  (void)segment;
  (void)dscp;
  return ENOTSUP;
}

/* POSIX knows no code point of one datagram: so it is the socket's while this one is sent. */
int floe__uv_os_send_marked(int fd, const struct sockaddr_storage *to, socklen_t to_len, floe_bytes data,
                            uint8_t dscp) {
  floe__uv_set_dscp(fd, to->ss_family, dscp);
  int err = sendto(fd, data.ptr, data.len, 0, (const struct sockaddr *)to, to_len) < 0 ? errno : 0;
  floe__uv_set_dscp(fd, to->ss_family, 0);
  return err;
}

/* A burst of a data channel is as large as the peer's window, and all of it is sent before the peer reads. */
void floe__uv_os_prepare_udp(int fd, int family) {
  int wanted = 1024 * 1024;
  (void)family;
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
}

int floe__uv_os_receive(int fd, uint8_t *slots, floe__uv_received out[FLOE__UV_SLOTS]) {
  int n = 0;
  for (; n < FLOE__UV_SLOTS; n++) {
    struct sockaddr_storage from;
    struct iovec iov = {.iov_base = slots + (size_t)n * FLOE__UV_SLOT_BYTES, .iov_len = FLOE__UV_SLOT_BYTES};
    struct msghdr msg = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1};
    ssize_t len = recvmsg(fd, &msg, 0);
    if (len < 0 && n > 0) break;
    if (len < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
    floe__uv_sockaddr_read(&out[n].from, (const struct sockaddr *)&from);
    out[n].data = (floe_bytes){.ptr = iov.iov_base, .len = (size_t)len};
    out[n].segment = 0;
  }
  return n;
}

bool floe__uv_os_next_icmp(int fd, floe__uv_icmp *out) {
  (void)fd;
  (void)out;
  return false;
}

ssize_t floe__uv_os_send(int fd, const uint8_t *data, size_t len) {
  ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
  return n < 0 ? -errno : n;
}

size_t floe__uv_os_review_interfaces(floe_interface *list, size_t n) {
  (void)list;
  return n;
}

/* POSIX has no word for it: the program calls floe_uv_ice_agent_on_interfaces_changed. */
int floe__uv_os_open_changes(void) {
  return -ENOTSUP;
}

int floe__uv_os_read_changes(int fd) {
  (void)fd;
  return 0;
}
