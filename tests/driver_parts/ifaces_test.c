#include "uv/ifaces.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>

#include "driver_parts/fixture.h"
#include "uv/os.h"
#include "uv/sockaddr.h"

static const floe_interface *find(const floe_interface *list, size_t n, const char *ip) {
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, ip));
  for (size_t i = 0; i < n; i++) {
    if (floe_addr_equal_ip(&list[i].addr, &addr)) return &list[i];
  }
  return NULL;
}

static void loopback_is_listed_as_such(void **state) {
  (void)state;
  floe__uv_mem mem = floe__uv_mem_of(NULL);
  floe_interface *list;
  size_t n;
  assert_int_equal(floe__uv_list_interfaces(&mem, &list, &n), 0);
  const floe_interface *lo = find(list, n, "127.0.0.1");
  assert_non_null(lo);
  assert_true(lo->is_loopback);
  assert_int_equal(lo->addr.port, 0);
  assert_int_equal(lo->index, if_nametoindex(lo->name));
  assert_false(lo->is_temporary);
  floe__uv_free(&mem, list);
}

/* Against the system's own list. */
static void every_address_of_an_interface_that_is_up_is_listed(void **state) {
  (void)state;
  floe__uv_mem mem = floe__uv_mem_of(NULL);
  floe_interface *list;
  struct ifaddrs *all = NULL;
  size_t n;
  assert_int_equal(floe__uv_list_interfaces(&mem, &list, &n), 0);
  assert_int_equal(getifaddrs(&all), 0);
  size_t n_up = 0;
  for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
    floe_addr addr;
    if (a->ifa_addr == NULL || (a->ifa_flags & IFF_UP) == 0 || (a->ifa_flags & IFF_RUNNING) == 0) continue;
    floe__uv_sockaddr_read(&addr, a->ifa_addr);
    if (addr.family == FLOE_FAMILY_NONE) continue;
    n_up++;
    bool is_found = false;
    for (size_t i = 0; i < n; i++) {
      bool is_it = floe_addr_equal_ip(&list[i].addr, &addr) && strcmp(list[i].name, a->ifa_name) == 0;
      if (is_it && floe_addr_is_link_local(&addr) && addr.family == FLOE_FAMILY_IPV6) {
        assert_int_equal(list[i].addr.scope_id, if_nametoindex(a->ifa_name));
      }
      is_found = is_found || is_it;
    }
    assert_true(is_found);
  }
  assert_int_equal(n, n_up);
  freeifaddrs(all);
  floe__uv_free(&mem, list);
}

static void the_core_is_given_the_list(void **state) {
  fixture *f = *state;
  floe_output out = {.type = FLOE_OUTPUT_INTERFACES};
  fake_push(f->core, &out);
  const fake_input *got = fixture_await(f, FLOE_INPUT_INTERFACES, 0, 1);
  floe__uv_mem mem = floe__uv_mem_of(NULL);
  floe_interface *list;
  size_t n;
  assert_int_equal(floe__uv_list_interfaces(&mem, &list, &n), 0);
  assert_int_equal(got->in.n_interfaces, n);
  floe__uv_free(&mem, list);
}

static void a_socket_can_be_bound_to_each(void **state) {
  fixture *f = *state;
  floe__uv_mem mem = floe__uv_mem_of(NULL);
  floe_interface *list;
  size_t n;
  assert_int_equal(floe__uv_list_interfaces(&mem, &list, &n), 0);
  for (size_t i = 0; i < n; i++) {
    floe_output out = {.type = FLOE_OUTPUT_OPEN};
    out.u.open.sock = (floe_sock_id)i + 1;
    out.u.open.local = list[i].addr;
    fake_push(f->core, &out);
  }
  for (size_t i = 0; i < n; i++) {
    const fake_input *opened = fixture_await(f, FLOE_INPUT_SOCKET_OPENED, (floe_sock_id)i + 1, 1);
    assert_true(floe_addr_equal_ip(&opened->in.addr, &list[i].addr));
    assert_int_not_equal(opened->in.addr.port, 0);
  }
  floe__uv_free(&mem, list);
}

static void what_the_kernel_says_of_an_address_is_believed(void **state) {
  (void)state;
  /* ::1 has none of the flags, whatever was guessed before. */
  floe_interface list[2] = {{.is_temporary = true, .is_deprecated = true}, {.is_temporary = true}};
  assert_true(floe_addr_parse(&list[0].addr, "::1"));
  list[0].index = if_nametoindex("lo");
  assert_true(floe_addr_parse(&list[1].addr, "127.0.0.1"));
  assert_int_equal(floe__uv_os_review_interfaces(list, 2), 2);
#ifndef FLOE_PORTABLE_OS
  FILE *file = fopen("/proc/net/if_inet6", "r");
  if (file == NULL) skip();
  (void)fclose(file);
  assert_false(list[0].is_temporary);
  assert_false(list[0].is_deprecated);
#endif
  assert_true(list[1].is_temporary);
}

static floe_interface interface(const char *name, uint32_t index, const char *ip) {
  floe_interface f = {.index = index};
  (void)snprintf(f.name, sizeof f.name, "%s", name);
  assert_true(floe_addr_parse(&f.addr, ip));
  return f;
}

static void the_print_of_a_set_does_not_depend_on_its_order(void **state) {
  (void)state;
  floe_interface a = interface("a", 1, "192.0.2.1");
  floe_interface b = interface("b", 2, "2001:db8::1");
  floe_interface ab[] = {a, b};
  floe_interface ba[] = {b, a};
  assert_int_equal(floe__uv_interfaces_print(ab, 2), floe__uv_interfaces_print(ba, 2));
  assert_int_not_equal(floe__uv_interfaces_print(ab, 2), floe__uv_interfaces_print(ab, 1));
  assert_int_not_equal(floe__uv_interfaces_print(ab, 1), floe__uv_interfaces_print(ba, 1));
  floe_interface aa[] = {a, a};
  assert_int_not_equal(floe__uv_interfaces_print(aa, 2), floe__uv_interfaces_print(aa, 1));
  assert_int_not_equal(floe__uv_interfaces_print(NULL, 0), 0);
}

static void every_member_counts_in_the_print(void **state) {
  (void)state;
  floe_interface same = interface("a", 1, "192.0.2.1");
  memset(same.name + 2, 0xa5, sizeof same.name - 2); /* behind the end of the name there may be anything */
  floe_interface list[] = {
      interface("a", 1, "192.0.2.1"), interface("b", 1, "192.0.2.1"), interface("a", 2, "192.0.2.1"),
      interface("a", 1, "192.0.2.2"), interface("a", 1, "::"),        interface("a", 1, "192.0.2.1"),
      interface("a", 1, "192.0.2.1"), interface("a", 1, "192.0.2.1"), interface("a", 1, "192.0.2.1"),
  };
  list[5].is_loopback = list[6].is_temporary = list[7].is_deprecated = true;
  list[8].addr.scope_id = 1;
  uint64_t print = floe__uv_interfaces_print(&list[0], 1);
  for (size_t i = 1; i < sizeof list / sizeof list[0]; i++) {
    assert_int_not_equal(floe__uv_interfaces_print(&list[i], 1), print);
  }
  assert_int_equal(floe__uv_interfaces_print(&same, 1), print);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(loopback_is_listed_as_such),
      cmocka_unit_test(every_address_of_an_interface_that_is_up_is_listed),
      TEST(the_core_is_given_the_list),
      TEST(a_socket_can_be_bound_to_each),
      cmocka_unit_test(the_print_of_a_set_does_not_depend_on_its_order),
      cmocka_unit_test(every_member_counts_in_the_print),
      cmocka_unit_test(what_the_kernel_says_of_an_address_is_believed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
