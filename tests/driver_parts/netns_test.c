/* What only a network of one's own shows: routes that refuse, addresses in every state. The test makes a network
 * namespace for itself with iproute2; where that is not allowed it is skipped. */
#define _GNU_SOURCE /* unshare */

#include "driver_parts/netns.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

#include "driver_parts/fixture.h"
#include "uv/ifaces.h"

static bool has_namespace;

static int make_network(void **state) {
  (void)state;
  has_namespace = enter_namespace() && run_ip("link set lo up") && run_ip("link add left type veth peer name right") &&
                  run_ip("link set left up") && run_ip("link set right up") &&
                  run_ip("addr add 192.0.2.1/24 dev left") && run_ip("route add unreachable 198.51.100.0/25") &&
                  run_ip("route add prohibit 198.51.100.128/25") &&
                  run_ip("addr add 2001:db8:1::1/64 dev left nodad") && run_ip("route add unreachable 2001:db8:2::/64");
  if (!has_namespace) print_message("no network namespace can be made here\n");
  return 0;
}

static const struct {
  const char *local, *to;
  int os_error;
  floe_net_error error;
} routes[] = {
    {"192.0.2.1", "203.0.113.1:9", ENETUNREACH, FLOE_NET_NET_UNREACHABLE},
    {"192.0.2.1", "198.51.100.1:9", EHOSTUNREACH, FLOE_NET_HOST_UNREACHABLE},
    {"192.0.2.1", "198.51.100.200:9", EACCES, FLOE_NET_DENIED},
    {"2001:db8:1::1", "[2001:db8:3::1]:9", ENETUNREACH, FLOE_NET_NET_UNREACHABLE},
    {"2001:db8:1::1", "[2001:db8:2::1]:9", EHOSTUNREACH, FLOE_NET_HOST_UNREACHABLE},
};

static void a_datagram_without_a_route_is_told_with_its_reason(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
    floe_sock_id id = (floe_sock_id)i + 1;
    floe_addr to;
    assert_true(floe_addr_parse(&to, routes[i].to));
    (void)fixture_udp(f, id, routes[i].local);
    fake_transmit(f->core, id, &to, "x", 1);
    const fake_input *failed = fixture_await(f, FLOE_INPUT_SEND_FAILED, id, 1);
    assert_true(floe_addr_equal(&failed->in.addr, &to));
    assert_int_equal(failed->in.os_error, routes[i].os_error);
    assert_int_equal(failed->in.net_error, routes[i].error);
  }
  assert_int_equal(fake_count(f->core, FLOE_INPUT_SEND_FAILED, 0), sizeof routes / sizeof routes[0]);
}

static void a_connection_without_a_route_is_told_with_its_reason(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
    floe_sock_id id = (floe_sock_id)i + 1;
    fake_open(f->core, id, FLOE_TRANSPORT_TCP, routes[i].local, routes[i].to);
    const fake_input *failed = fixture_await(f, FLOE_INPUT_SOCKET_FAILED, id, 1);
    assert_int_equal(failed->in.os_error, routes[i].os_error);
    assert_int_equal(failed->in.net_error, routes[i].error);
  }
}

/* A neighbour that does not exist: the kernel itself says so, after it has asked a few times. */
#ifndef FLOE_PORTABLE_OS
static void a_neighbour_that_is_not_there_is_told_by_icmp(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  if (!write_file("/proc/sys/net/ipv4/neigh/left/retrans_time_ms", "20")) skip();
  floe_addr to;
  assert_true(floe_addr_parse(&to, "192.0.2.99:9"));
  (void)fixture_udp(f, 1, "192.0.2.1");
  fake_transmit(f->core, 1, &to, "x", 1);
  const fake_input *icmp = fixture_await(f, FLOE_INPUT_ICMP, 1, 1);
  assert_true(floe_addr_equal(&icmp->in.addr, &to));
  assert_int_equal(icmp->in.icmp_type, 3);
  assert_int_equal(icmp->in.icmp_code, 1);
  assert_int_equal(icmp->in.os_error, EHOSTUNREACH);
}
#endif

static size_t list(floe_interface **out) {
  static floe__uv_mem mem;
  mem = floe__uv_mem_of(NULL);
  size_t n;
  assert_int_equal(floe__uv_list_interfaces(&mem, out, &n), 0);
  return n;
}

static const floe_interface *find(const floe_interface *all, size_t n, const char *name, const char *ip) {
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, ip));
  for (size_t i = 0; i < n; i++) {
    if (strcmp(all[i].name, name) == 0 && memcmp(all[i].addr.ip, addr.ip, 16) == 0) return &all[i];
  }
  return NULL;
}

static void an_interface_that_is_down_is_not_listed(void **state) {
  (void)state;
  if (!has_namespace) skip();
  assert_true(run_ip("link add spare type dummy") || run_ip("link add spare type veth peer name spare2"));
  assert_true(run_ip("addr add 192.0.2.129/25 dev spare"));
  floe_interface *all;
  size_t n = list(&all);
  assert_null(find(all, n, "spare", "192.0.2.129"));
  const floe_interface *left = find(all, n, "left", "192.0.2.1");
  assert_non_null(left);
  assert_false(left->is_loopback);
  assert_int_equal(left->index, if_nametoindex("left"));
  free(all);
  assert_true(run_ip("link delete spare"));
}

static void two_link_local_sockets_talk_within_their_scope(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  if (!run_ip("addr add fe80::a/64 dev left nodad") || !run_ip("addr add fe80::b/64 dev right nodad")) skip();
  floe_interface *all;
  size_t n = list(&all);
  const floe_interface *ends[2] = {find(all, n, "left", "fe80::a"), find(all, n, "right", "fe80::b")};
  floe_addr addr[2];
  for (size_t i = 0; i < 2; i++) {
    assert_non_null(ends[i]);
    assert_int_equal(ends[i]->addr.scope_id, ends[i]->index);
    floe_output out = {.type = FLOE_OUTPUT_OPEN};
    out.u.open.sock = (floe_sock_id)i + 1;
    out.u.open.local = ends[i]->addr;
    fake_push(f->core, &out);
    addr[i] = fixture_await(f, FLOE_INPUT_SOCKET_OPENED, (floe_sock_id)i + 1, 1)->in.addr;
    assert_int_equal(addr[i].scope_id, ends[i]->index);
  }
  free(all);
  addr[1].scope_id = addr[0].scope_id; /* on the link of the sender */
  fake_transmit(f->core, 1, &addr[1], "x", 1);
  const fake_input *got = fixture_await(f, FLOE_INPUT_DATAGRAM, 2, 1);
  addr[0].scope_id = if_nametoindex("right");
  assert_true(floe_addr_equal(&got->in.addr, &addr[0]));
}

#ifndef FLOE_PORTABLE_OS
static void temporary_and_deprecated_addresses_are_marked(void **state) {
  (void)state;
  if (!has_namespace) skip();
  assert_true(write_file("/proc/sys/net/ipv6/conf/left/use_tempaddr", "2"));
  assert_true(write_file("/proc/sys/net/ipv6/conf/left/accept_dad", "0"));
  assert_true(run_ip("addr add 2001:db8:4::1/64 dev left nodad mngtmpaddr"));
  assert_true(run_ip("addr add 2001:db8:5::1/64 dev left nodad preferred_lft 0"));
  floe_interface *all;
  size_t n = list(&all);
  const floe_interface *lasting = find(all, n, "left", "2001:db8:4::1");
  const floe_interface *old = find(all, n, "left", "2001:db8:5::1");
  assert_non_null(lasting);
  assert_false(lasting->is_temporary);
  assert_false(lasting->is_deprecated);
  assert_non_null(old);
  assert_true(old->is_deprecated);
  size_t n_temporary = 0;
  for (size_t i = 0; i < n; i++) {
    if (all[i].is_temporary) assert_memory_equal(all[i].addr.ip, lasting->addr.ip, 8);
    n_temporary += all[i].is_temporary ? 1 : 0;
  }
  assert_int_equal(n_temporary, 1);
  free(all);
}

/* Until duplicate address detection is over (RFC 4862 5.4) the address cannot be bound. */
static void a_tentative_address_is_left_out(void **state) {
  (void)state;
  if (!has_namespace) skip();
  assert_true(write_file("/proc/sys/net/ipv6/conf/right/dad_transmits", "20"));
  assert_true(run_ip("addr add 2001:db8:6::1/64 dev right"));
  floe_interface *all;
  size_t n = list(&all);
  assert_null(find(all, n, "right", "2001:db8:6::1"));
  free(all);
  assert_true(run_ip("addr add 2001:db8:7::1/64 dev right nodad"));
  n = list(&all);
  assert_non_null(find(all, n, "right", "2001:db8:7::1"));
  free(all);
}
#endif

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(a_datagram_without_a_route_is_told_with_its_reason),
      TEST(a_connection_without_a_route_is_told_with_its_reason),
#ifndef FLOE_PORTABLE_OS
      TEST(a_neighbour_that_is_not_there_is_told_by_icmp),
#endif
      cmocka_unit_test(an_interface_that_is_down_is_not_listed),
      TEST(two_link_local_sockets_talk_within_their_scope),
#ifndef FLOE_PORTABLE_OS
      cmocka_unit_test(temporary_and_deprecated_addresses_are_marked),
      cmocka_unit_test(a_tentative_address_is_left_out),
#endif
  };
  return cmocka_run_group_tests(tests, make_network, NULL);
}
