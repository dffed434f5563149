#include "uv/sockaddr.h"

#include <string.h>

#include "support/cmocka.h"

static floe_addr parse(const char *text) {
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, text));
  return addr;
}

static void ipv4_goes_there_and_back(void **state) {
  (void)state;
  floe_addr addr = parse("192.0.2.1:3478");
  floe_addr back;
  struct sockaddr_storage sa;
  assert_int_equal(floe__uv_sockaddr_family(&addr), AF_INET);
  assert_int_equal(floe__uv_sockaddr_of(&sa, &addr), sizeof(struct sockaddr_in));
  struct sockaddr_in in;
  memcpy(&in, &sa, sizeof in);
  assert_int_equal(in.sin_family, AF_INET);
  assert_int_equal(ntohs(in.sin_port), 3478);
  assert_int_equal(ntohl(in.sin_addr.s_addr), 0xc0000201);
  floe__uv_sockaddr_read(&back, (const struct sockaddr *)&sa);
  assert_true(floe_addr_equal(&addr, &back));
}

static void ipv6_keeps_its_scope_when_it_is_link_local(void **state) {
  (void)state;
  floe_addr addr = parse("[fe80::1]:5349");
  floe_addr back;
  struct sockaddr_storage sa;
  addr.scope_id = 7;
  assert_int_equal(floe__uv_sockaddr_family(&addr), AF_INET6);
  assert_int_equal(floe__uv_sockaddr_of(&sa, &addr), sizeof(struct sockaddr_in6));
  floe__uv_sockaddr_read(&back, (const struct sockaddr *)&sa);
  assert_true(floe_addr_equal(&addr, &back));
  assert_int_equal(back.scope_id, 7);
}

static void a_global_address_has_no_scope(void **state) {
  (void)state;
  floe_addr addr = parse("[2001:db8::1]:1");
  floe_addr back;
  struct sockaddr_storage sa;
  addr.scope_id = 7;
  (void)floe__uv_sockaddr_of(&sa, &addr);
  floe__uv_sockaddr_read(&back, (const struct sockaddr *)&sa);
  assert_int_equal(back.scope_id, 0);
  assert_int_equal(back.port, 1);
}

static void what_is_no_address_stays_none(void **state) {
  (void)state;
  floe_addr none = {0};
  floe_addr back = parse("192.0.2.1");
  struct sockaddr_storage sa;
  assert_int_equal(floe__uv_sockaddr_family(&none), AF_UNSPEC);
  assert_int_equal(floe__uv_sockaddr_of(&sa, &none), 0);
  floe__uv_sockaddr_read(&back, (const struct sockaddr *)&sa);
  assert_int_equal(back.family, FLOE_FAMILY_NONE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ipv4_goes_there_and_back),
      cmocka_unit_test(ipv6_keeps_its_scope_when_it_is_link_local),
      cmocka_unit_test(a_global_address_has_no_scope),
      cmocka_unit_test(what_is_no_address_stays_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
