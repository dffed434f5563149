/* recvmmsg, SOCK_NONBLOCK and the error queue are Linux's own. */
#define _GNU_SOURCE

/* clang-format off */
#include <time.h> /* linux/errqueue.h leaves this to its users */
#include <linux/errqueue.h>
/* clang-format on */

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "uv/dscp.h"
#include "uv/os.h"
#include "uv/sockaddr.h"

#define IF_INET6 "/proc/net/if_inet6"

/* linux/udp.h; the C library may be older than the kernel. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* UDP_MAX_SEGMENTS of the kernels that had it first. */
const size_t floe__uv_os_max_segments = 64;

/* A burst of a data channel is as large as the peer's window, and all of it is sent before the peer reads. The kernel
 * doubles the number for its own needs, and cuts it to what the system allows. */
#define BUFFER_BYTES (1024 * 1024)

const int floe__uv_os_udp_events = UV_READABLE | UV_PRIORITIZED;

int floe__uv_os_socket(int family, int type) {
  int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
}

static void raise_buffer(int fd, int which) {
  int wanted = BUFFER_BYTES;
  int has = 0;
  socklen_t len = sizeof has;
  if (getsockopt(fd, SOL_SOCKET, which, &has, &len) == 0 && has / 2 >= wanted) return;
  (void)setsockopt(fd, SOL_SOCKET, which, &wanted, sizeof wanted);
}

/* A socket on which this fails works, it only says less, or is slower: so nothing is checked. */
void floe__uv_os_prepare_udp(int fd, int family) {
  int on = 1;
  raise_buffer(fd, SO_RCVBUF);
  raise_buffer(fd, SO_SNDBUF);
  (void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
  if (family == AF_INET6) {
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  } else {
    (void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  }
  /* libuv stops a handle at POLLERR unless POLLPRI comes with it. */
  (void)setsockopt(fd, SOL_SOCKET, SO_SELECT_ERR_QUEUE, &on, sizeof on);
}

/* What the kernel has put together of datagrams of one size is told apart again by that. */
static size_t segment_of(struct msghdr *msg) {
  int segment = 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
    bool is_it = c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO;
    if (is_it) memcpy(&segment, CMSG_DATA(c), sizeof segment);
  }
  return segment > 0 ? (size_t)segment : 0;
}

int floe__uv_os_receive(int fd, uint8_t *slots, floe__uv_received out[FLOE__UV_SLOTS]) {
  struct mmsghdr msgs[FLOE__UV_SLOTS];
  struct iovec iov[FLOE__UV_SLOTS];
  struct sockaddr_storage from[FLOE__UV_SLOTS];
  _Alignas(struct cmsghdr) uint8_t control[FLOE__UV_SLOTS][CMSG_SPACE(sizeof(int))];
  memset(msgs, 0, sizeof msgs);
  for (size_t i = 0; i < FLOE__UV_SLOTS; i++) {
    iov[i] = (struct iovec){.iov_base = slots + i * FLOE__UV_SLOT_BYTES, .iov_len = FLOE__UV_SLOT_BYTES};
    msgs[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                      .msg_namelen = sizeof from[i],
                                      .msg_iov = &iov[i],
                                      .msg_iovlen = 1,
                                      .msg_control = control[i],
                                      .msg_controllen = sizeof control[i]};
  }
  int n = recvmmsg(fd, msgs, FLOE__UV_SLOTS, MSG_DONTWAIT, NULL);
  if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
  for (int i = 0; i < n; i++) {
    floe__uv_sockaddr_read(&out[i].from, (const struct sockaddr *)&from[i]);
    out[i].data = (floe_bytes){.ptr = iov[i].iov_base, .len = msgs[i].msg_len};
    out[i].segment = segment_of(&msgs[i].msg_hdr);
  }
  return n;
}

static const struct cmsghdr *find_extended_error(struct msghdr *msg) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) return c;
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR) return c;
  }
  return NULL;
}

/* Takes one entry. False when the queue is empty; *is_icmp false when the entry is of another kind. */
static bool take_error(int fd, floe__uv_icmp *out, bool *is_icmp) {
  struct sockaddr_storage to = {0};
  union {
    struct cmsghdr align;
    char bytes[512];
  } control;
  struct msghdr msg = {
      .msg_name = &to, .msg_namelen = sizeof to, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  *is_icmp = false;
  ssize_t got;
  do {
    got = recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return false;
  const struct cmsghdr *c = find_extended_error(&msg);
  if (c == NULL) return true;
  struct sock_extended_err err;
  memcpy(&err, CMSG_DATA(c), sizeof err);
  /* An entry of origin LOCAL repeats what the send call itself returned. */
  *is_icmp = err.ee_origin == SO_EE_ORIGIN_ICMP || err.ee_origin == SO_EE_ORIGIN_ICMP6;
  floe__uv_sockaddr_read(&out->to, (const struct sockaddr *)&to);
  out->type = err.ee_type;
  out->code = err.ee_code;
  out->os_error = (int)err.ee_errno;
  return true;
}

bool floe__uv_os_next_icmp(int fd, floe__uv_icmp *out) {
  bool is_icmp = false;
  while (!is_icmp) {
    if (!take_error(fd, out, &is_icmp)) return false;
  }
  return true;
}

int floe__uv_os_accept(int fd, floe_addr *peer) {
  struct sockaddr_storage sa = {0};
  socklen_t len = sizeof sa;
  int got = accept4(fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (got < 0) return -errno;
  floe__uv_sockaddr_read(peer, (const struct sockaddr *)&sa);
  return got;
}

/* Adds one option to a message whose control buffer has room for it; `used` is how much of that is taken. */
static size_t add_option(struct msghdr *msg, size_t used, int level, int type, floe_bytes value) {
  struct cmsghdr *c = (struct cmsghdr *)(void *)((uint8_t *)msg->msg_control + used);
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(value.len);
  memcpy(CMSG_DATA(c), value.ptr, value.len);
  return used + CMSG_SPACE(value.len);
}

int floe__uv_os_send_marked(int fd, const struct sockaddr_storage *to, socklen_t to_len, floe_bytes data,
                            uint8_t dscp) {
  return floe__uv_os_send_segments(fd, to, to_len, data, data.len, dscp);
}

int floe__uv_os_send_segments(int fd, const struct sockaddr_storage *to, socklen_t to_len, floe_bytes data,
                              size_t segment, uint8_t dscp) {
  struct sockaddr_storage name = *to; /* msghdr's pointers are not const */
  union {
    struct cmsghdr align;
    uint8_t bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(uint16_t))];
  } control = {.bytes = {0}};
  struct iovec iov = {.iov_len = data.len};
  memcpy(&iov.iov_base, &data.ptr, sizeof iov.iov_base);
  struct msghdr msg = {
      .msg_name = &name, .msg_namelen = to_len, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes};
  bool is_ipv6 = to->ss_family == AF_INET6;
  int tos = floe__uv_tos_of(dscp);
  uint16_t size = (uint16_t)segment;
  floe_bytes mark = {.ptr = (const uint8_t *)&tos, .len = sizeof tos};
  floe_bytes cut = {.ptr = (const uint8_t *)&size, .len = sizeof size};
  size_t used = 0;
  if (dscp != 0) {
    used = add_option(&msg, used, is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, is_ipv6 ? IPV6_TCLASS : IP_TOS, mark);
  }
  if (segment < data.len) used = add_option(&msg, used, IPPROTO_UDP, UDP_SEGMENT, cut);
  msg.msg_controllen = used;
  return sendmsg(fd, &msg, 0) < 0 ? errno : 0;
}

ssize_t floe__uv_os_send(int fd, const uint8_t *data, size_t len) {
  ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
  return n < 0 ? -errno : n;
}

/* linux/if_addr.h */
#define ADDRESS_TEMPORARY  0x01u
#define ADDRESS_OPTIMISTIC 0x04u
#define ADDRESS_DADFAILED  0x08u
#define ADDRESS_DEPRECATED 0x20u
#define ADDRESS_TENTATIVE  0x40u

/* Duplicate address detection has failed, or is not over (RFC 4862 5.4): the system does not let it be bound. */
static bool is_unusable(unsigned flags) {
  if ((flags & ADDRESS_DADFAILED) != 0) return true;
  return (flags & ADDRESS_TENTATIVE) != 0 && (flags & ADDRESS_OPTIMISTIC) == 0;
}

static bool read_hex_ip(uint8_t ip[16], const char *hex) {
  for (size_t i = 0; i < 16; i++) {
    unsigned byte = 0;
    if (sscanf(hex + 2 * i, "%2x", &byte) != 1) return false;
    ip[i] = (uint8_t)byte;
  }
  return true;
}

static size_t review_address(floe_interface *list, size_t n, const uint8_t ip[16], unsigned index, unsigned flags) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    floe_interface *f = &list[i];
    bool is_it = f->addr.family == FLOE_FAMILY_IPV6 && f->index == index && memcmp(f->addr.ip, ip, 16) == 0;
    if (is_it) {
      f->is_temporary = (flags & ADDRESS_TEMPORARY) != 0;
      f->is_deprecated = (flags & ADDRESS_DEPRECATED) != 0;
    }
    if (!is_it || !is_unusable(flags)) list[kept++] = *f;
  }
  return kept;
}

size_t floe__uv_os_review_interfaces(floe_interface *list, size_t n) {
  FILE *file = fopen(IF_INET6, "re");
  if (file == NULL) return n;
  char hex[33];
  unsigned index = 0;
  unsigned flags = 0;
  while (fscanf(file, "%32s %x %*x %*x %x %*s", hex, &index, &flags) == 3) {
    uint8_t ip[16];
    if (strlen(hex) == 32 && read_hex_ip(ip, hex)) n = review_address(list, n, ip, index, flags);
  }
  (void)fclose(file);
  return n;
}

int floe__uv_os_open_changes(void) {
  struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  if (bind(fd, (const struct sockaddr *)&sa, sizeof sa) == 0) return fd;
  int err = errno;
  (void)close(fd);
  return -err;
}

/* What the messages say is not looked at: the addresses are listed anew, as they are when the look comes. */
int floe__uv_os_read_changes(int fd) {
  uint8_t message[64]; /* the rest is cut off */
  int got = 0;
  for (int reads = 0; reads < 256; reads++) {
    ssize_t n = recv(fd, message, sizeof message, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return got;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != ENOBUFS) return -errno; /* ENOBUFS: messages were lost, which is news too */
    got = 1;
  }
  return got;
}
