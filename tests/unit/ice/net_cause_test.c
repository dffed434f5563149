/* What the network and the resolver say, as causes (the contract's section 3). */
#include "ice/net_cause.h"

#include "support/cmocka.h"

typedef struct row {
  uint8_t type, code;
  floe_cause cause;
  bool hard;
} row;

static void judge_all(const row *rows, size_t n, floe_family family) {
  for (size_t i = 0; i < n; i++) {
    floe_input in = {.type = FLOE_INPUT_ICMP, .icmp_type = rows[i].type, .icmp_code = rows[i].code};
    in.addr.family = (uint8_t)family;
    floe__net_verdict v = floe__net_judge_icmp(&in);
    if (v.cause == rows[i].cause && v.hard == rows[i].hard) continue;
    fail_msg("type %u code %u: %s %d", rows[i].type, rows[i].code, floe_cause_id(v.cause), v.hard);
  }
}

/* RFC 792, RFC 1812 5.2.7.1. */
static void icmp(void **state) {
  (void)state;
  static const row rows[] = {{3, 0, FLOE_CAUSE_NET_UNREACHABLE, false},
                             {3, 1, FLOE_CAUSE_HOST_UNREACHABLE, false},
                             {3, 2, FLOE_CAUSE_PORT_UNREACHABLE, true},
                             {3, 3, FLOE_CAUSE_PORT_UNREACHABLE, true},
                             {3, 4, FLOE_CAUSE_NONE, false},
                             {3, 5, FLOE_CAUSE_HOST_UNREACHABLE, false},
                             {3, 6, FLOE_CAUSE_NET_UNREACHABLE, false},
                             {3, 9, FLOE_CAUSE_SEND_DENIED, true},
                             {3, 10, FLOE_CAUSE_SEND_DENIED, true},
                             {3, 11, FLOE_CAUSE_NET_UNREACHABLE, false},
                             {3, 12, FLOE_CAUSE_HOST_UNREACHABLE, false},
                             {3, 13, FLOE_CAUSE_SEND_DENIED, true},
                             {3, 14, FLOE_CAUSE_NONE, false},
                             {11, 0, FLOE_CAUSE_NONE, false}};
  judge_all(rows, sizeof rows / sizeof rows[0], FLOE_FAMILY_IPV4);
}

/* RFC 4443 3.1. */
static void icmpv6(void **state) {
  (void)state;
  static const row rows[] = {{1, 0, FLOE_CAUSE_NET_UNREACHABLE, false},
                             {1, 1, FLOE_CAUSE_SEND_DENIED, true},
                             {1, 2, FLOE_CAUSE_NET_UNREACHABLE, false},
                             {1, 3, FLOE_CAUSE_HOST_UNREACHABLE, false},
                             {1, 4, FLOE_CAUSE_PORT_UNREACHABLE, true},
                             {1, 5, FLOE_CAUSE_NET_UNREACHABLE, false},
                             {1, 6, FLOE_CAUSE_NET_UNREACHABLE, false},
                             {1, 7, FLOE_CAUSE_NONE, false},
                             {2, 0, FLOE_CAUSE_NONE, false},
                             {3, 3, FLOE_CAUSE_NONE, false}};
  judge_all(rows, sizeof rows / sizeof rows[0], FLOE_FAMILY_IPV6);
}

static void errors_of_sending(void **state) {
  (void)state;
  static const struct {
    floe_net_error error;
    floe_cause cause;
    bool hard;
  } rows[] = {{FLOE_NET_OTHER, FLOE_CAUSE_SOCKET_FAILED, true},
              {FLOE_NET_REFUSED, FLOE_CAUSE_PORT_UNREACHABLE, true},
              {FLOE_NET_RESET, FLOE_CAUSE_PORT_UNREACHABLE, true},
              {FLOE_NET_TIMED_OUT, FLOE_CAUSE_NONE, false},
              {FLOE_NET_NET_UNREACHABLE, FLOE_CAUSE_NET_UNREACHABLE, false},
              {FLOE_NET_HOST_UNREACHABLE, FLOE_CAUSE_HOST_UNREACHABLE, false},
              {FLOE_NET_DENIED, FLOE_CAUSE_SEND_DENIED, true},
              {FLOE_NET_ADDRESS_IN_USE, FLOE_CAUSE_SOCKET_FAILED, true},
              {FLOE_NET_ADDRESS_NOT_AVAILABLE, FLOE_CAUSE_SOCKET_FAILED, true},
              {FLOE_NET_MESSAGE_SIZE, FLOE_CAUSE_NONE, false},
              {FLOE_NET_NO_RESOURCES, FLOE_CAUSE_NONE, false}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__net_verdict v = floe__net_judge_send_error(rows[i].error);
    assert_int_equal(v.cause, rows[i].cause);
    assert_int_equal(v.hard, rows[i].hard);
  }
}

static void names(void **state) {
  (void)state;
  assert_int_equal(floe__net_cause_of_dns(FLOE_DNS_OK), FLOE_CAUSE_NONE);
  assert_int_equal(floe__net_cause_of_dns(FLOE_DNS_NXDOMAIN), FLOE_CAUSE_DNS_NXDOMAIN);
  assert_int_equal(floe__net_cause_of_dns(FLOE_DNS_NODATA), FLOE_CAUSE_DNS_NODATA);
  assert_int_equal(floe__net_cause_of_dns(FLOE_DNS_SERVFAIL), FLOE_CAUSE_DNS_SERVFAIL);
  assert_int_equal(floe__net_cause_of_dns(FLOE_DNS_FAILED), FLOE_CAUSE_DNS_SERVFAIL);
  assert_int_equal(floe__net_cause_of_dns(FLOE_DNS_REFUSED), FLOE_CAUSE_DNS_REFUSED);
  assert_int_equal(floe__net_cause_of_dns(FLOE_DNS_TIMEOUT), FLOE_CAUSE_DNS_TIMEOUT);
  assert_int_equal(floe__net_cause_of_dns(FLOE_DNS_UNREACHABLE), FLOE_CAUSE_DNS_UNREACHABLE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(icmp),
      cmocka_unit_test(icmpv6),
      cmocka_unit_test(errors_of_sending),
      cmocka_unit_test(names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
