/* Candidate lines read: RFC 8839 5.1, RFC 6544 4.5, lines as browsers write them. */
#include <string.h>

#include "floe/candidate.h"
#include "support/cmocka.h"

static floe_candidate_line read_line(const char *text) {
  floe_candidate_line line;
  floe_error why;
  if (floe_candidate_line_parse(&line, text, &why) != FLOE_OK) {
    print_message("%s\n%zu: %s\n", text, why.offset, why.message);
    fail();
  }
  return line;
}

static void assert_bytes(floe_bytes bytes, const char *text) {
  assert_int_equal(bytes.len, strlen(text));
  if (bytes.len > 0) assert_memory_equal(bytes.ptr, text, bytes.len);
}

static void reads_a_host_candidate(void **state) {
  (void)state;
  floe_candidate_line l = read_line("candidate:1467250027 1 udp 2122260223 192.0.2.196 46243 typ host generation 0");
  char buf[FLOE_ADDR_TEXT];
  assert_string_equal(l.foundation, "1467250027");
  assert_int_equal(l.component, 1);
  assert_int_equal(l.transport, FLOE_TRANSPORT_UDP);
  assert_int_equal(l.priority, 2122260223);
  assert_string_equal(floe_addr_format(&l.address, buf), "192.0.2.196:46243");
  assert_int_equal(l.port, 46243);
  assert_int_equal(l.type, FLOE_CANDIDATE_HOST);
  assert_false(l.has_related);
  assert_bytes(l.extensions, "generation 0");
}

static void reads_what_browsers_write(void **state) {
  (void)state;
  floe_candidate_line l = read_line(
      "candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.5 rport 46155 generation 0 ufrag "
      "EsAw network-cost 999");
  char buf[FLOE_ADDR_TEXT];
  assert_int_equal(l.type, FLOE_CANDIDATE_SRFLX);
  assert_true(l.has_related);
  assert_string_equal(floe_addr_format(&l.related, buf), "10.0.0.5:46155");
  assert_bytes(l.ufrag, "EsAw");
  assert_bytes(floe_candidate_line_extension(&l, "network-cost"), "999");
  assert_bytes(floe_candidate_line_extension(&l, "generation"), "0");
  assert_bytes(floe_candidate_line_extension(&l, "EsAw"), "");
  l = read_line("candidate:0 1 UDP 2122187007 f3f1c9f0-2a3e-4d7b-9a64-4f4d8a0cb3ef.local 47032 typ host");
  assert_int_equal(l.address.family, FLOE_FAMILY_NONE);
  assert_bytes(l.host, "f3f1c9f0-2a3e-4d7b-9a64-4f4d8a0cb3ef.local");
  assert_int_equal(l.port, 47032);
  l = read_line("candidate:2 1 TCP 2105458943 2001:db8::5 9 typ host tcptype active");
  assert_int_equal(l.transport, FLOE_TRANSPORT_TCP);
  assert_int_equal(l.tcp_type, FLOE_TCP_TYPE_ACTIVE);
  l = read_line("a=candidate:3 1 udp 41885439 198.51.100.9 50123 typ relay raddr 0.0.0.0 rport 9");
  assert_int_equal(l.type, FLOE_CANDIDATE_RELAY);
  l = read_line("4 256 udp 1 192.0.2.1 0 typ prflx");
  assert_int_equal(l.component, 256);
  assert_int_equal(l.type, FLOE_CANDIDATE_PRFLX);
}

typedef struct bad {
  const char *text;
  floe_status status;
  size_t offset;
} bad;

static void names_the_byte_at_fault(void **state) {
  (void)state;
  static const bad rows[] = {
      {"", FLOE_E_SYNTAX, 0},
      {"candidate:", FLOE_E_SYNTAX, 10},
      {"candidate: 1 udp 1 192.0.2.1 1 typ host", FLOE_E_SYNTAX, 10},
      {"candidate:a-b 1 udp 1 192.0.2.1 1 typ host", FLOE_E_SYNTAX, 11},
      {"candidate:123456789012345678901234567890123 1 udp 1 192.0.2.1 1 typ host", FLOE_E_SYNTAX, 42},
      {"candidate:1", FLOE_E_SYNTAX, 11},
      {"candidate:1 0 udp 1 192.0.2.1 1 typ host", FLOE_E_SYNTAX, 12},
      {"candidate:1 257 udp 1 192.0.2.1 1 typ host", FLOE_E_SYNTAX, 12},
      {"candidate:1 x udp 1 192.0.2.1 1 typ host", FLOE_E_SYNTAX, 12},
      {"candidate:1 1 sctp 1 192.0.2.1 1 typ host", FLOE_E_UNSUPPORTED, 14},
      {"candidate:1 1 udp 0 192.0.2.1 1 typ host", FLOE_E_SYNTAX, 18},
      {"candidate:1 1 udp 2147483648 192.0.2.1 1 typ host", FLOE_E_SYNTAX, 18},
      {"candidate:1 1 udp 99999999999 192.0.2.1 1 typ host", FLOE_E_SYNTAX, 18},
      {"candidate:1 1 udp 1 192.0.2.1! 1 typ host", FLOE_E_SYNTAX, 20},
      {"candidate:1 1 udp 1 192.0.2.1 65536 typ host", FLOE_E_SYNTAX, 30},
      {"candidate:1 1 udp 1 192.0.2.1 -1 typ host", FLOE_E_SYNTAX, 30},
      {"candidate:1 1 udp 1 192.0.2.1 1", FLOE_E_SYNTAX, 31},
      {"candidate:1 1 udp 1 192.0.2.1 1 type host", FLOE_E_SYNTAX, 32},
      {"candidate:1 1 udp 1 192.0.2.1 1 typ", FLOE_E_SYNTAX, 35},
      {"candidate:1 1 udp 1 192.0.2.1 1 typ magic", FLOE_E_UNSUPPORTED, 36},
      {"candidate:1 1 udp 1 192.0.2.1 1 typ host raddr", FLOE_E_SYNTAX, 46},
      {"candidate:1 1 udp 1 192.0.2.1 1 typ srflx raddr ? rport 1", FLOE_E_SYNTAX, 48},
      {"candidate:1 1 udp 1 192.0.2.1 1 typ srflx raddr 10.0.0.1 rport x", FLOE_E_SYNTAX, 63},
      {"candidate:1 1 udp 1 192.0.2.1 1 typ host generation", FLOE_E_SYNTAX, 41},
      {"candidate:1 1 udp 1 192.0.2.1 1 typ host tcptype maybe", FLOE_E_SYNTAX, 49},
      {"candidate:1 1 tcp 1 192.0.2.1 1 typ host", FLOE_E_SYNTAX, 40},
      {"candidate:1  1 udp 1 192.0.2.1 1 typ host", FLOE_E_SYNTAX, 12},
      {"candidate:1 1 udp 1 192.0.2.1 1 typ host ", FLOE_E_SYNTAX, 40},
      {"candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n", FLOE_E_SYNTAX, 40},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe_candidate_line line;
    floe_error why;
    print_message("\"%s\"\n", rows[i].text);
    assert_int_equal(floe_candidate_line_parse(&line, rows[i].text, &why), rows[i].status);
    assert_int_equal(why.offset, rows[i].offset);
    assert_true(why.message[0] != '\0');
    assert_int_equal(floe_candidate_line_parse(&line, rows[i].text, NULL), rows[i].status);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_a_host_candidate),
      cmocka_unit_test(reads_what_browsers_write),
      cmocka_unit_test(names_the_byte_at_fault),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
