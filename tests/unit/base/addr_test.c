/* Addresses: RFC 4291, RFC 5952, and the classes that the bases are sorted by. */
#include "base/addr.h"

#include <string.h>

#include "support/cmocka.h"

static floe_addr addr(const char *text) {
  floe_addr a;
  assert_true(floe_addr_parse(&a, text));
  return a;
}

static void round_trips(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.1:3478", "192.0.2.1:3478"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255:65535", "255.255.255.255:65535"},
      {"::", "::"},
      {"::1", "::1"},
      {"[::1]:1", "[::1]:1"},
      {"[2001:db8::1]", "2001:db8::1"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* RFC 5952 4.2.2: not for one group */
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},          /* 4.2.3: the longest */
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    /* 4.2.3: the first of equals */
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"fe80::", "fe80::"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char buf[FLOE_ADDR_TEXT];
    floe_addr a = addr(rows[i][0]);
    print_message("%s\n", rows[i][0]);
    assert_string_equal(floe_addr_format(&a, buf), rows[i][1]);
  }
}

static void refuses_what_is_no_address(void **state) {
  (void)state;
  static const char *const rows[] = {
      "",
      "1",
      "1.2.3",
      "1.2.3.4.5",
      "256.0.0.1",
      "01.2.3.4",
      "1.2.3.4:",
      "1.2.3.4:65536",
      "1.2.3.4:x",
      "1.2.3.4 ",
      " 1.2.3.4",
      ":",
      ":::",
      "::1::2",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "12345::",
      "::g",
      "[::1",
      "::1]",
      "[::1]x",
      "[::1]:",
      "[1.2.3.4]",
      "fe80::1%1",
      "::1.2.3",
      "1.2.3.4::",
      "::1:",
      "1:::2",
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe_addr a;
    memset(&a, 0xff, sizeof a);
    print_message("\"%s\"\n", rows[i]);
    assert_false(floe_addr_parse(&a, rows[i]));
    assert_int_equal(a.family, FLOE_FAMILY_NONE);
    assert_int_equal(a.port, 0);
  }
}

static void classes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool loopback, link_local, private_, any;
  } rows[] = {
      {"127.0.0.1", true, false, true, false},
      {"127.255.0.9", true, false, true, false},
      {"128.0.0.1", false, false, false, false},
      {"::1", true, false, true, false},
      {"::2", false, false, false, false},
      {"169.254.1.1", false, true, true, false},
      {"fe80::1", false, true, true, false},
      {"febf::1", false, true, true, false},
      {"fec0::1", false, false, false, false},
      {"10.1.2.3", false, false, true, false},
      {"172.15.0.1", false, false, false, false},
      {"172.16.0.1", false, false, true, false},
      {"172.31.255.1", false, false, true, false},
      {"172.32.0.1", false, false, false, false},
      {"192.168.0.1", false, false, true, false},
      {"192.169.0.1", false, false, false, false},
      {"100.63.0.1", false, false, false, false},
      {"100.64.0.1", false, false, true, false},
      {"100.127.9.9", false, false, true, false},
      {"100.128.0.1", false, false, false, false},
      {"fc00::1", false, false, true, false},
      {"fdff::1", false, false, true, false},
      {"2001:db8::1", false, false, false, false},
      {"::ffff:10.0.0.1", false, false, true, false},
      {"::ffff:192.0.2.1", false, false, false, false},
      {"0.0.0.0", false, false, false, true},
      {"::", false, false, false, true},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe_addr a = addr(rows[i].text);
    print_message("%s\n", rows[i].text);
    assert_int_equal(floe_addr_is_loopback(&a), rows[i].loopback);
    assert_int_equal(floe_addr_is_link_local(&a), rows[i].link_local);
    assert_int_equal(floe_addr_is_private(&a), rows[i].private_);
    assert_int_equal(floe_addr_is_any(&a), rows[i].any);
  }
}

static void compares_with_and_without_port(void **state) {
  (void)state;
  floe_addr a = addr("192.0.2.1:1"), b = addr("192.0.2.1:2"), c = addr("192.0.2.2:1");
  floe_addr d = addr("fe80::1"), e = addr("fe80::1");
  assert_true(floe_addr_equal_ip(&a, &b));
  assert_false(floe_addr_equal(&a, &b));
  assert_false(floe_addr_equal_ip(&a, &c));
  e.scope_id = 2;
  assert_false(floe_addr_equal_ip(&d, &e));
  char buf[FLOE_ADDR_TEXT];
  assert_string_equal(floe_addr_format(&e, buf), "fe80::1%2");
  e.port = 9;
  assert_string_equal(floe_addr_format(&e, buf), "[fe80::1%2]:9");
  assert_string_equal(floe_addr_format_ip(&e, buf), "fe80::1");
}

static void no_address_is_empty_text(void **state) {
  (void)state;
  floe_addr none = {0};
  char buf[FLOE_ADDR_TEXT] = "x";
  assert_string_equal(floe_addr_format(&none, buf), "");
  assert_string_equal(floe_addr_format_ip(&none, buf), "");
  assert_false(floe_addr_is_any(&none));
}

static void names_transports(void **state) {
  (void)state;
  assert_string_equal(floe_transport_name(FLOE_TRANSPORT_UDP), "udp");
  assert_string_equal(floe_transport_name(FLOE_TRANSPORT_TCP), "tcp");
  assert_string_equal(floe_transport_name(FLOE_TRANSPORT_TLS), "tls");
  assert_string_equal(floe_transport_name(FLOE_TRANSPORT_DTLS), "dtls");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(round_trips),
      cmocka_unit_test(refuses_what_is_no_address),
      cmocka_unit_test(classes),
      cmocka_unit_test(compares_with_and_without_port),
      cmocka_unit_test(no_address_is_empty_text),
      cmocka_unit_test(names_transports),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
