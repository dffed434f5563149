#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "driver_parts/fixture.h"
#include "uv/sock.h"

/* How many sends are answered with EAGAIN before the system sees one again. */
static int refusals;
static int n_sends;

/* In place of the C library's: a full socket buffer cannot be had on loopback. */
ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len) {
  n_sends++;
  if (refusals > 0) {
    refusals--;
    errno = EAGAIN;
    return -1;
  }
  return syscall(SYS_sendto, fd, data, len, flags, to, to_len);
}

/* As many datagrams at once: none of them is taken. */
ssize_t sendmsg(int fd, const struct msghdr *msg, int flags) {
  if (refusals == 0) return syscall(SYS_sendmsg, fd, msg, flags);
  errno = EAGAIN;
  return -1;
}

static floe_addr parse(const char *text) {
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, text));
  return addr;
}

static void echo(fixture *f, const char *ip) {
  floe_addr a = fixture_udp(f, 1, ip);
  floe_addr b = fixture_udp(f, 2, ip);
  floe_addr want = parse(ip);
  assert_true(floe_addr_equal_ip(&a, &want));
  assert_int_not_equal(a.port, 0);
  assert_int_not_equal(a.port, b.port);
  fake_transmit(f->core, 1, &b, "ping", 4);
  const fake_input *got = fixture_await(f, FLOE_INPUT_DATAGRAM, 2, 1);
  assert_true(floe_addr_equal(&got->in.addr, &a));
  assert_int_equal(got->in.data.len, 4);
  assert_memory_equal(got->data, "ping", 4);
  fake_transmit(f->core, 2, &a, "", 0);
  got = fixture_await(f, FLOE_INPUT_DATAGRAM, 1, 1);
  assert_true(floe_addr_equal(&got->in.addr, &b));
  assert_int_equal(got->in.data.len, 0);
}

static void datagrams_go_both_ways_over_ipv4(void **state) {
  echo(*state, "127.0.0.1");
}

static void datagrams_go_both_ways_over_ipv6(void **state) {
  echo(*state, "::1");
}

static void the_largest_datagram_arrives_whole(void **state) {
  fixture *f = *state;
  static uint8_t big[65507];
  for (size_t i = 0; i < sizeof big; i++) big[i] = (uint8_t)(i * 7 + i / 256);
  floe_addr b = fixture_udp(f, 2, "127.0.0.1");
  (void)fixture_udp(f, 1, "127.0.0.1");
  fake_transmit(f->core, 1, &b, "small", 5);
  fake_transmit(f->core, 1, &b, big, sizeof big);
  fake_transmit(f->core, 1, &b, "small", 5);
  const fake_input *got = fixture_await(f, FLOE_INPUT_DATAGRAM, 2, 3);
  assert_int_equal(got->in.data.len, 5);
  got = fake_find(f->core, FLOE_INPUT_DATAGRAM, 2, 1);
  assert_int_equal(got->in.data.len, sizeof big);
  assert_memory_equal(got->data, big, sizeof big);
}

static void a_burst_arrives_in_order(void **state) {
  fixture *f = *state;
  floe_addr b = fixture_udp(f, 2, "127.0.0.1");
  (void)fixture_udp(f, 1, "127.0.0.1");
  for (uint8_t i = 0; i < 100; i++) fake_transmit(f->core, 1, &b, &i, 1);
  (void)fixture_await(f, FLOE_INPUT_DATAGRAM, 2, 100);
  for (uint8_t i = 0; i < 100; i++) assert_int_equal(fake_find(f->core, FLOE_INPUT_DATAGRAM, 2, i)->data[0], i);
}

static void a_taken_port_fails_with_the_systems_error(void **state) {
  fixture *f = *state;
  floe_addr a = fixture_udp(f, 1, "127.0.0.1");
  char text[FLOE_ADDR_TEXT];
  fake_open(f->core, 2, FLOE_TRANSPORT_UDP, floe_addr_format(&a, text), NULL);
  const fake_input *failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 2, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_ADDRESS_IN_USE);
  assert_int_equal(failed->in.os_error, EADDRINUSE);
  assert_string_equal(failed->text, strerror(EADDRINUSE));
  assert_null(floe__uv_sock_find(f->agent, 2));
}

static void an_address_of_another_host_fails(void **state) {
  fixture *f = *state;
  fake_open(f->core, 1, FLOE_TRANSPORT_UDP, "198.51.100.7", NULL);
  fake_open(f->core, 2, FLOE_TRANSPORT_UDP, "2001:db8::7", NULL);
  const fake_input *failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 1, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_ADDRESS_NOT_AVAILABLE);
  failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, 2, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_ADDRESS_NOT_AVAILABLE);
  assert_int_equal(failed->in.os_error, EADDRNOTAVAIL);
}

static void too_many_descriptors_fail_and_later_ones_work(void **state) {
  fixture *f = *state;
  struct rlimit old;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
  struct rlimit none = {.rlim_cur = 0, .rlim_max = old.rlim_max};
  fake_open(f->core, 1, FLOE_TRANSPORT_UDP, "127.0.0.1", NULL);
  fixture_poke(f);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  while (fake_count(f->core, FLOE_INPUT_SOCKET_FAILED, 1) == 0) (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
  const fake_input *failed = fake_find(f->core, FLOE_INPUT_SOCKET_FAILED, 1, 0);
  assert_int_equal(failed->in.net_error, FLOE_NET_NO_RESOURCES);
  assert_int_equal(failed->in.os_error, EMFILE);
  (void)fixture_udp(f, 2, "127.0.0.1");
}

#ifndef FLOE_PORTABLE_OS
/* A port that nobody listens on: one that was just given back. */
static floe_addr closed_port(fixture *f, const char *ip) {
  floe_addr addr = fixture_udp(f, 900, ip);
  fake_close(f->core, 900);
  fixture_poke(f);
  while (floe__uv_sock_find(f->agent, 900) != NULL) (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  return addr;
}

static void port_unreachable(fixture *f, const char *ip, uint8_t type, uint8_t code) {
  floe_addr nobody = closed_port(f, ip);
  (void)fixture_udp(f, 1, ip);
  fake_transmit(f->core, 1, &nobody, "ping", 4);
  const fake_input *icmp = fixture_await(f, FLOE_INPUT_ICMP, 1, 1);
  assert_true(floe_addr_equal(&icmp->in.addr, &nobody));
  assert_int_equal(icmp->in.icmp_type, type);
  assert_int_equal(icmp->in.icmp_code, code);
  assert_int_equal(icmp->in.os_error, ECONNREFUSED);
  assert_string_equal(icmp->text, strerror(ECONNREFUSED));
  assert_int_equal(fake_count(f->core, FLOE_INPUT_SEND_FAILED, 0), 0);
}

static void port_unreachable_is_told_with_its_destination_over_ipv4(void **state) {
  port_unreachable(*state, "127.0.0.1", 3, 3);
}

static void port_unreachable_is_told_with_its_destination_over_ipv6(void **state) {
  port_unreachable(*state, "::1", 1, 4);
}

static void one_that_refuses_does_not_harm_the_others(void **state) {
  fixture *f = *state;
  floe_addr nobody = closed_port(f, "127.0.0.1");
  floe_addr good = fixture_udp(f, 2, "127.0.0.1");
  (void)fixture_udp(f, 1, "127.0.0.1");
  /* In one drain, so that each send meets the error that the one before left pending. */
  for (uint8_t i = 0; i < 20; i++) {
    fake_transmit(f->core, 1, &nobody, &i, 1);
    fake_transmit(f->core, 1, &good, &i, 1);
  }
  (void)fixture_await(f, FLOE_INPUT_DATAGRAM, 2, 20);
  (void)fixture_await(f, FLOE_INPUT_ICMP, 1, 20);
  for (uint8_t i = 0; i < 20; i++) {
    assert_int_equal(fake_find(f->core, FLOE_INPUT_DATAGRAM, 2, i)->data[0], i);
    assert_true(floe_addr_equal(&fake_find(f->core, FLOE_INPUT_ICMP, 1, i)->in.addr, &nobody));
  }
  assert_int_equal(fake_count(f->core, FLOE_INPUT_SEND_FAILED, 0), 0);
  /* And the socket still reads. */
  floe_addr a = fake_find(f->core, FLOE_INPUT_SOCKET_OPENED, 1, 0)->in.addr;
  fake_transmit(f->core, 2, &a, "pong", 4);
  (void)fixture_await(f, FLOE_INPUT_DATAGRAM, 1, 1);
}

static void errors_and_datagrams_at_the_same_time_are_both_told(void **state) {
  fixture *f = *state;
  floe_addr nobody = closed_port(f, "127.0.0.1");
  floe_addr a = fixture_udp(f, 1, "127.0.0.1");
  (void)fixture_udp(f, 2, "127.0.0.1");
  /* Readable, in error and writable in one turn of epoll: libuv has been known to stop the handle then. */
  for (int round = 0; round < 3; round++) {
    fake_transmit(f->core, 1, &nobody, "x", 1);
    fake_transmit(f->core, 2, &a, "y", 1);
    (void)fixture_await(f, FLOE_INPUT_ICMP, 1, (size_t)round + 1);
    (void)fixture_await(f, FLOE_INPUT_DATAGRAM, 1, (size_t)round + 1);
  }
}
#endif

static void send_fails(fixture *f, const char *local, const char *to, size_t len, int os_error, floe_net_error error) {
  static uint8_t big[70000];
  floe_addr dest = parse(to);
  (void)fixture_udp(f, 1, local);
  fake_transmit(f->core, 1, &dest, big, len);
  const fake_input *failed = fixture_await(f, FLOE_INPUT_SEND_FAILED, 1, 1);
  assert_true(floe_addr_equal(&failed->in.addr, &dest));
  assert_int_equal(failed->in.os_error, os_error);
  assert_int_equal(failed->in.net_error, error);
  assert_string_equal(failed->text, strerror(os_error));
  /* Once, though Linux puts a local error into the queue as well; and the socket goes on. */
  floe_addr self = fake_find(f->core, FLOE_INPUT_SOCKET_OPENED, 1, 0)->in.addr;
  fake_transmit(f->core, 1, &self, "self", 4);
  (void)fixture_await(f, FLOE_INPUT_DATAGRAM, 1, 1);
  assert_int_equal(fake_count(f->core, FLOE_INPUT_SEND_FAILED, 1), 1);
  assert_int_equal(fake_count(f->core, FLOE_INPUT_ICMP, 1), 0);
}

static void a_datagram_that_is_too_long_is_told_once(void **state) {
  send_fails(*state, "127.0.0.1", "127.0.0.1:9", 65508, EMSGSIZE, FLOE_NET_MESSAGE_SIZE);
}

static void a_datagram_that_is_too_long_is_told_once_over_ipv6(void **state) {
  send_fails(*state, "::1", "[::1]:9", 65528, EMSGSIZE, FLOE_NET_MESSAGE_SIZE);
}

static void a_broadcast_is_denied(void **state) {
  send_fails(*state, "127.0.0.1", "127.255.255.255:9", 4, EACCES, FLOE_NET_DENIED);
}

static void what_the_system_does_not_take_is_sent_later_in_order(void **state) {
  fixture *f = *state;
  floe_addr b = fixture_udp(f, 2, "127.0.0.1");
  (void)fixture_udp(f, 1, "127.0.0.1");
  refusals = 3;
  n_sends = 0;
  for (uint8_t i = 0; i < 10; i++) fake_transmit(f->core, 1, &b, &i, 1);
  (void)fixture_await(f, FLOE_INPUT_DATAGRAM, 2, 10);
  for (uint8_t i = 0; i < 10; i++) assert_int_equal(fake_find(f->core, FLOE_INPUT_DATAGRAM, 2, i)->data[0], i);
  assert_int_equal(n_sends, 13);
  assert_null(floe__uv_sock_find(f->agent, 1)->first);
  assert_int_equal(floe__uv_sock_find(f->agent, 1)->queued, 0);
}

static void the_queue_is_bounded_and_loses_what_is_too_much(void **state) {
  fixture *f = *state;
  static const uint8_t data[1000];
  floe_addr b = fixture_udp(f, 2, "127.0.0.1");
  (void)fixture_udp(f, 1, "127.0.0.1");
  refusals = INT32_MAX;
  for (int i = 0; i < 1000; i++) fake_transmit(f->core, 1, &b, data, sizeof data);
  fixture_poke(f);
  (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  floe__uv_sock *sock = floe__uv_sock_find(f->agent, 1);
  assert_int_equal(sock->queued, 262000); /* 256 KiB hold 262 of them */
  refusals = 0;
  (void)fixture_await(f, FLOE_INPUT_DATAGRAM, 2, 50);
}

static bool has_no_socks(void *user) {
  return ((floe_uv_ice_agent *)user)->n_socks == 0;
}

static void a_closed_socket_sends_what_is_queued_first(void **state) {
  fixture *f = *state;
  floe_addr b = fixture_udp(f, 2, "127.0.0.1");
  (void)fixture_udp(f, 1, "127.0.0.1");
  refusals = 1;
  for (uint8_t i = 0; i < 5; i++) fake_transmit(f->core, 1, &b, &i, 1);
  fake_close(f->core, 1);
  fake_transmit(f->core, 1, &b, "late", 4); /* after CLOSE: goes nowhere */
  (void)fixture_await(f, FLOE_INPUT_DATAGRAM, 2, 5);
  assert_null(floe__uv_sock_find(f->agent, 1));
  fake_close(f->core, 2);
  fixture_poke(f);
  fake_run(&f->loop, has_no_socks, f->agent);
  assert_int_equal(fake_count(f->core, FLOE_INPUT_DATAGRAM, 2), 5);
}

static void what_cannot_be_sent_does_not_hold_a_closed_socket_for_ever(void **state) {
  fixture *f = *state;
  floe_addr b = fixture_udp(f, 2, "127.0.0.1");
  (void)fixture_udp(f, 1, "127.0.0.1");
  refusals = INT32_MAX;
  fake_transmit(f->core, 1, &b, "stuck", 5);
  fake_close(f->core, 1);
  fake_close(f->core, 2);
  uint64_t start = uv_hrtime();
  fixture_poke(f);
  fake_run(&f->loop, has_no_socks, f->agent);
  refusals = 0;
  uint64_t took = uv_hrtime() - start;
  assert_true(took >= FLOE_SECOND && took < 3 * FLOE_SECOND);
}

static void outputs_for_unknown_sockets_are_ignored(void **state) {
  fixture *f = *state;
  floe_addr b = fixture_udp(f, 2, "127.0.0.1");
  fake_transmit(f->core, 77, &b, "x", 1);
  fake_close(f->core, 77);
  fake_close(f->core, 2);
  fake_close(f->core, 2);
  fixture_poke(f);
  fake_run(&f->loop, has_no_socks, f->agent);
  assert_int_equal(f->core->n_inputs, 1);
}

static void sockets_are_found_by_id_in_any_order(void **state) {
  fixture *f = *state;
  static const floe_sock_id ids[] = {50, 10, 70, 30, 20, 60, 40, 4000000000u};
  floe_addr addrs[8];
  for (size_t i = 0; i < 8; i++) addrs[i] = fixture_udp(f, ids[i], "127.0.0.1");
  fake_close(f->core, 30);
  for (size_t i = 0; i < 8; i++) fake_transmit(f->core, 50, &addrs[i], &ids[i], sizeof ids[i]);
  for (size_t i = 0; i < 8; i++) {
    if (ids[i] == 30) continue;
    const fake_input *got = fixture_await(f, FLOE_INPUT_DATAGRAM, ids[i], 1);
    assert_memory_equal(got->data, &ids[i], sizeof ids[i]);
    assert_true(floe_addr_equal(&got->in.addr, &addrs[0]));
  }
}

static void v6_sockets_are_v6_only(void **state) {
  fixture *f = *state;
  floe_addr any6 = fixture_udp(f, 1, "::");
  char text[FLOE_ADDR_TEXT];
  floe_addr any4 = parse("0.0.0.0");
  any4.port = any6.port;
  fake_open(f->core, 2, FLOE_TRANSPORT_UDP, floe_addr_format(&any4, text), NULL);
  assert_int_equal(fixture_await(f, FLOE_INPUT_SOCKET_OPENED, 2, 1)->in.addr.port, any6.port);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(datagrams_go_both_ways_over_ipv4),
      TEST(datagrams_go_both_ways_over_ipv6),
      TEST(the_largest_datagram_arrives_whole),
      TEST(a_burst_arrives_in_order),
      TEST(a_taken_port_fails_with_the_systems_error),
      TEST(an_address_of_another_host_fails),
      TEST(too_many_descriptors_fail_and_later_ones_work),
#ifndef FLOE_PORTABLE_OS
      TEST(port_unreachable_is_told_with_its_destination_over_ipv4),
      TEST(port_unreachable_is_told_with_its_destination_over_ipv6),
      TEST(one_that_refuses_does_not_harm_the_others),
      TEST(errors_and_datagrams_at_the_same_time_are_both_told),
#endif
      TEST(a_datagram_that_is_too_long_is_told_once),
      TEST(a_datagram_that_is_too_long_is_told_once_over_ipv6),
      TEST(a_broadcast_is_denied),
      TEST(what_the_system_does_not_take_is_sent_later_in_order),
      TEST(the_queue_is_bounded_and_loses_what_is_too_much),
      TEST(a_closed_socket_sends_what_is_queued_first),
      TEST(what_cannot_be_sent_does_not_hold_a_closed_socket_for_ever),
      TEST(outputs_for_unknown_sockets_are_ignored),
      TEST(sockets_are_found_by_id_in_any_order),
      TEST(v6_sockets_are_v6_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
