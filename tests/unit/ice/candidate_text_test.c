/* Candidate lines as they are written (RFC 8839 5.1, RFC 6544 4.5, the mDNS draft), and read again. */
#include <string.h>

#include "ice/candidate.h"
#include "support/cmocka.h"

static floe_addr addr(const char *text) {
  floe_addr a;
  assert_true(floe_addr_parse(&a, text));
  return a;
}

static floe_ice_candidate host(const char *address) {
  return (floe_ice_candidate){.foundation = "1", .component = 1, .priority = 2130706431, .address = addr(address)};
}

static void expect(const floe_ice_candidate *c, const char *ufrag, const char *expected) {
  char text[FLOE__CANDIDATE_TEXT];
  assert_int_equal(floe_candidate_write(c, ufrag, text, sizeof text), strlen(expected));
  assert_string_equal(text, expected);
}

static void a_host_candidate(void **state) {
  (void)state;
  floe_ice_candidate c = host("192.0.2.1:5000");
  expect(&c, NULL, "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host");
  c = host("[2001:db8::5]:4000");
  expect(&c, "abcd", "candidate:1 1 udp 2130706431 2001:db8::5 4000 typ host ufrag abcd");
}

static void a_tcp_candidate_names_its_direction(void **state) {
  (void)state;
  floe_ice_candidate c = host("192.0.2.1:9");
  c.transport = FLOE_TRANSPORT_TCP;
  c.tcp_type = FLOE_TCP_TYPE_ACTIVE;
  expect(&c, NULL, "candidate:1 1 tcp 2130706431 192.0.2.1 9 typ host tcptype active");
  c.tcp_type = FLOE_TCP_TYPE_PASSIVE;
  c.address.port = 7000;
  expect(&c, "u/+1", "candidate:1 1 tcp 2130706431 192.0.2.1 7000 typ host tcptype passive ufrag u/+1");
  c.tcp_type = FLOE_TCP_TYPE_SO;
  c.type = FLOE_CANDIDATE_SRFLX;
  c.related = addr("10.0.0.1:7000");
  expect(&c, NULL, "candidate:1 1 tcp 2130706431 192.0.2.1 7000 typ srflx raddr 10.0.0.1 rport 7000 tcptype so");
}

static void a_name_stands_for_the_address(void **state) {
  (void)state;
  floe_ice_candidate c = host("10.0.0.1:5000");
  c.mdns_name = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";
  expect(&c, "abcd",
         "candidate:1 1 udp 2130706431 1f4712db-ea17-4bcf-a596-105139dfd8bf.local 5000 typ host ufrag abcd");
}

static void a_hidden_base_is_written_so(void **state) {
  (void)state;
  floe_ice_candidate c = host("192.0.2.1:5000");
  c.type = FLOE_CANDIDATE_SRFLX;
  c.related = addr("0.0.0.0:9");
  expect(&c, NULL, "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ srflx raddr 0.0.0.0 rport 9");
  c.address = addr("[2001:db8::5]:4000");
  c.related = addr("[::]:9");
  expect(&c, NULL, "candidate:1 1 udp 2130706431 2001:db8::5 4000 typ srflx raddr :: rport 9");
}

/* What is written is what is read. */
static void lines_are_read_again(void **state) {
  (void)state;
  static const floe_candidate_type types[] = {FLOE_CANDIDATE_HOST, FLOE_CANDIDATE_SRFLX, FLOE_CANDIDATE_PRFLX,
                                              FLOE_CANDIDATE_RELAY};
  for (size_t i = 0; i < 4 * 4 * 2; i++) {
    floe_ice_candidate c = host("192.0.2.1:5000");
    c.type = types[i % 4];
    if (c.type != FLOE_CANDIDATE_HOST) c.related = addr("10.0.0.1:6000");
    c.tcp_type = (floe_tcp_type)(i / 4 % 4);
    c.transport = c.tcp_type == FLOE_TCP_TYPE_NONE ? FLOE_TRANSPORT_UDP : FLOE_TRANSPORT_TCP;
    if (i >= 16) c.mdns_name = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";
    char text[FLOE__CANDIDATE_TEXT];
    floe_candidate_line line;
    assert_true(floe_candidate_write(&c, "abcd", text, sizeof text) > 0);
    assert_int_equal(floe_candidate_line_parse(&line, text, NULL), FLOE_OK);
    assert_string_equal(line.foundation, "1");
    assert_int_equal(line.component, 1);
    assert_int_equal(line.transport, c.transport);
    assert_int_equal(line.priority, c.priority);
    assert_int_equal(line.type, c.type);
    assert_int_equal(line.tcp_type, c.tcp_type);
    assert_int_equal(line.port, 5000);
    assert_int_equal(line.address.family, i >= 16 ? FLOE_FAMILY_NONE : FLOE_FAMILY_IPV4);
    assert_int_equal(line.has_related, c.type != FLOE_CANDIDATE_HOST);
    assert_int_equal(line.ufrag.len, 4);
    assert_memory_equal(line.ufrag.ptr, "abcd", 4);
  }
}

static void the_longest_fits(void **state) {
  (void)state;
  floe_ice_candidate c = {.component = 255, .transport = FLOE_TRANSPORT_TCP, .priority = UINT32_MAX};
  memset(c.foundation, 'F', 32);
  c.type = FLOE_CANDIDATE_RELAY;
  c.tcp_type = FLOE_TCP_TYPE_PASSIVE;
  c.address = addr("[aaaa:bbbb:cccc:dddd:eeee:ffff:1111:2222]:65535");
  c.related = c.address;
  char ufrag[257], name[254];
  memset(ufrag, 'u', sizeof ufrag - 1);
  ufrag[sizeof ufrag - 1] = '\0';
  memset(name, 'n', sizeof name - 1);
  memcpy(name + sizeof name - 7, ".local", 7);
  c.mdns_name = name;
  char text[700]; /* as the header says */
  size_t len = floe_candidate_write(&c, ufrag, text, sizeof text);
  assert_int_equal(len, 668);
  assert_int_equal(len, strlen(text));
  /* Without a ufrag what the agent keeps is enough. */
  len = floe_candidate_write(&c, NULL, text, FLOE__CANDIDATE_TEXT);
  assert_int_equal(len, 668 - strlen(" ufrag ") - 256);
}

static void what_does_not_fit_is_not_written(void **state) {
  (void)state;
  floe_ice_candidate c = host("192.0.2.1:5000");
  char whole[FLOE__CANDIDATE_TEXT];
  size_t len = floe_candidate_write(&c, "abcd", whole, sizeof whole);
  char text[FLOE__CANDIDATE_TEXT];
  for (size_t cap = 1; cap <= len; cap++) {
    memset(text, 'x', sizeof text);
    assert_int_equal(floe_candidate_write(&c, "abcd", text, cap), 0);
    assert_string_equal(text, "");
    assert_int_equal(text[cap], 'x');
  }
  assert_int_equal(floe_candidate_write(&c, "abcd", text, len + 1), len);
  assert_string_equal(text, whole);
  assert_int_equal(floe_candidate_write(&c, "abcd", text, 0), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_host_candidate),
      cmocka_unit_test(a_tcp_candidate_names_its_direction),
      cmocka_unit_test(a_name_stands_for_the_address),
      cmocka_unit_test(a_hidden_base_is_written_so),
      cmocka_unit_test(lines_are_read_again),
      cmocka_unit_test(the_longest_fits),
      cmocka_unit_test(what_does_not_fit_is_not_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
