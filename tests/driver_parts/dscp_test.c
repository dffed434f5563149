/* What the other end sees of the code point that a TRANSMIT asks for. */
#include "uv/dscp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "driver_parts/fixture.h"
#include "uv/sock.h"
#include "uv/sockaddr.h"

#define EF   46 /* RFC 3246: expedited forwarding */
#define AF41 34 /* RFC 2597 */

/* In place of the C library's: how many sends are answered with EAGAIN first, and the calls that set anything. */
static int refusals;
static int n_options;

static bool refuse(void) {
  if (refusals == 0) return false;
  refusals--;
  errno = EAGAIN;
  return true;
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len) {
  return refuse() ? -1 : syscall(SYS_sendto, fd, data, len, flags, to, to_len);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags) {
  return refuse() ? -1 : syscall(SYS_sendmsg, fd, msg, flags);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len) {
  n_options++;
  return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

static int plain_receiver(const char *ip, floe_addr *addr) {
  struct sockaddr_storage sa;
  int on = 1;
  assert_true(floe_addr_parse(addr, ip));
  socklen_t len = floe__uv_sockaddr_of(&sa, addr);
  int fd = socket(floe__uv_sockaddr_family(addr), SOCK_DGRAM, 0);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (const struct sockaddr *)&sa, len), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
  floe__uv_sockaddr_read(addr, (const struct sockaddr *)&sa);
  if (addr->family == FLOE_FAMILY_IPV4) {
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on), 0);
  } else {
    assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on), 0);
  }
  return fd;
}

/* The TOS or traffic class byte of a control message; -1 = it is another one. */
static int tos_of(const struct cmsghdr *c) {
  int tclass;
  if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) return *CMSG_DATA(c);
  if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_TCLASS) return -1;
  memcpy(&tclass, CMSG_DATA(c), sizeof tclass);
  return tclass;
}

/* Waits for a datagram with this first byte; returns the byte of the IP header that it came with. */
static int receive(int fd, char first) {
  char data[64];
  union {
    struct cmsghdr align;
    uint8_t bytes[256];
  } control;
  struct iovec iov = {.iov_base = data, .iov_len = sizeof data};
  struct msghdr msg = {
      .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  struct pollfd fds = {.fd = fd, .events = POLLIN};
  assert_int_equal(poll(&fds, 1, 10000), 1);
  assert_true(recvmsg(fd, &msg, 0) > 0);
  assert_int_equal(data[0], first);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
    int tos = tos_of(c);
    if (tos >= 0) return tos;
  }
  fail_msg("the datagram came without its code point");
  return -1;
}

static void turn(fixture *f) {
  fixture_poke(f);
  for (int i = 0; i < 3; i++) (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void marks(fixture *f, const char *ip) {
  floe_addr to;
  int fd = plain_receiver(ip, &to);
  (void)fixture_udp(f, 1, ip);
  fake_transmit_marked(f->core, 1, &to, "a", 1, EF);
  fake_transmit_marked(f->core, 1, &to, "b", 1, 0);
  fake_transmit_marked(f->core, 1, &to, "c", 1, AF41);
  fake_transmit_marked(f->core, 1, &to, "d", 1, 63);
  turn(f);
  assert_int_equal(receive(fd, 'a'), EF << 2);
  assert_int_equal(receive(fd, 'b'), 0);
  assert_int_equal(receive(fd, 'c'), AF41 << 2);
  assert_int_equal(receive(fd, 'd'), 63 << 2);
  assert_int_equal(fake_count(f->core, FLOE_INPUT_SEND_FAILED, 1), 0);
  (void)close(fd);
}

static void each_datagram_has_its_own_code_point_over_ipv4(void **state) {
  marks(*state, "127.0.0.1");
}

static void each_datagram_has_its_own_code_point_over_ipv6(void **state) {
  marks(*state, "::1");
}

static void a_datagram_that_had_to_wait_keeps_its_code_point(void **state) {
  fixture *f = *state;
  floe_addr to;
  int fd = plain_receiver("127.0.0.1", &to);
  (void)fixture_udp(f, 1, "127.0.0.1");
  refusals = 1;
  fake_transmit_marked(f->core, 1, &to, "a", 1, EF);
  fake_transmit_marked(f->core, 1, &to, "b", 1, 0);
  turn(f);
  assert_int_equal(refusals, 0);
  assert_int_equal(receive(fd, 'a'), EF << 2);
  assert_int_equal(receive(fd, 'b'), 0);
  (void)close(fd);
}

static void an_error_of_a_marked_datagram_is_told(void **state) {
  fixture *f = *state;
  floe_addr to;
  assert_true(floe_addr_parse(&to, "255.255.255.255:9")); /* without leave to broadcast */
  (void)fixture_udp(f, 1, "127.0.0.1");
  fake_transmit_marked(f->core, 1, &to, "a", 1, EF);
  const fake_input *failed = fixture_await(f, FLOE_INPUT_SEND_FAILED, 1, 1);
  assert_int_not_equal(failed->in.os_error, 0);
  assert_true(floe_addr_equal(&failed->in.addr, &to));
}

static int tos_of_socket(const floe__uv_sock *sock) {
  int tos = -1;
  socklen_t len = sizeof tos;
  int level = sock->family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
  int name = sock->family == AF_INET6 ? IPV6_TCLASS : IP_TOS;
  assert_int_equal(getsockopt(sock->fd, level, name, &tos, &len), 0);
  return tos;
}

static void a_connection_is_marked_when_it_changes(fixture *f, const char *ip) {
  struct sockaddr_storage sa;
  floe_addr addr;
  char text[FLOE_ADDR_TEXT];
  assert_true(floe_addr_parse(&addr, ip));
  socklen_t len = floe__uv_sockaddr_of(&sa, &addr);
  int listener = socket(floe__uv_sockaddr_family(&addr), SOCK_STREAM, 0);
  assert_int_equal(bind(listener, (const struct sockaddr *)&sa, len), 0);
  assert_int_equal(listen(listener, 1), 0);
  assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
  floe__uv_sockaddr_read(&addr, (const struct sockaddr *)&sa);
  fake_open(f->core, 1, FLOE_TRANSPORT_TCP, ip, floe_addr_format(&addr, text));
  (void)fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 1, 1);
  const floe__uv_sock *sock = floe__uv_sock_find(f->agent, 1);

  static const uint8_t steps[] = {0, EF, EF, AF41, 0, 0};
  static const int options[] = {0, 1, 0, 1, 1, 0};
  for (size_t i = 0; i < sizeof steps; i++) {
    n_options = 0;
    fake_transmit_marked(f->core, 1, NULL, "x", 1, steps[i]);
    turn(f);
    assert_int_equal(n_options, options[i]);
    assert_int_equal(tos_of_socket(sock), steps[i] << 2);
  }
  (void)close(listener);
}

static void a_tcp_connection_is_marked_over_ipv4(void **state) {
  a_connection_is_marked_when_it_changes(*state, "127.0.0.1");
}

static void a_tcp_connection_is_marked_over_ipv6(void **state) {
  a_connection_is_marked_when_it_changes(*state, "::1");
}

static void the_byte_leaves_the_ecn_bits_alone(void **state) {
  (void)state;
  assert_int_equal(floe__uv_tos_of(0), 0);
  assert_int_equal(floe__uv_tos_of(EF), 0xb8);
  assert_int_equal(floe__uv_tos_of(63), 0xfc);
  assert_int_equal(floe__uv_tos_of(64), 0); /* no such code point */
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(each_datagram_has_its_own_code_point_over_ipv4),
      TEST(each_datagram_has_its_own_code_point_over_ipv6),
      TEST(a_datagram_that_had_to_wait_keeps_its_code_point),
      TEST(an_error_of_a_marked_datagram_is_told),
      TEST(a_tcp_connection_is_marked_over_ipv4),
      TEST(a_tcp_connection_is_marked_over_ipv6),
      cmocka_unit_test(the_byte_leaves_the_ecn_bits_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
