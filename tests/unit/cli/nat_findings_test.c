/* How far each transport gets, and the exit status. */
#include "nat_findings.h"

#include <string.h>

#include "fixture.h"

static floe__nat_plan plan;
static floe__nat_options options;
static const char *urls[] = {"stun:a.example.org", "stun:b.example.org"};
static floe_nat_server_result servers[2][2];
static floe_nat_result results[2];
static const floe_nat_result *const both[2] = {&results[0], &results[1]};
static floe__nat_findings f;
static fixture fix;

static int set_up(void **state) {
  (void)state;
  floe_error why;
  memset(servers, 0, sizeof servers);
  memset(results, 0, sizeof results);
  memset(&fix, 0, sizeof fix);
  options = (floe__nat_options){.urls = urls, .n_urls = 2, .tls_port = 443};
  assert_true(floe__nat_plan_make(&plan, &options, &why));
  for (size_t which = 0; which < 2; which++) {
    results[which].servers = servers[which];
    results[which].n_servers = 2;
    for (size_t i = 0; i < 2; i++) servers[which][i].cause = FLOE_CAUSE_NO_LOCAL_ADDRESS;
  }
  return 0;
}

static void answers(size_t which, size_t server) {
  servers[which][server].cause = FLOE_CAUSE_NONE;
  servers[which][server].mapped = addr("203.0.113.1:40000");
  servers[which][server].has_rtt = true;
  servers[which][server].rtt_ms = 12;
  results[which].mapped = servers[which][server].mapped;
}

static void causes_say_how_far_it_got(void **state) {
  (void)state;
  static const struct {
    floe_cause cause;
    floe__nat_reach reach;
  } rows[] = {{FLOE_CAUSE_NO_LOCAL_ADDRESS, FLOE__NAT_REACH_UNKNOWN},
              {FLOE_CAUSE_DNS_NXDOMAIN, FLOE__NAT_REACH_UNKNOWN},
              {FLOE_CAUSE_NET_UNREACHABLE, FLOE__NAT_REACH_BLOCKED},
              {FLOE_CAUSE_SEND_DENIED, FLOE__NAT_REACH_BLOCKED},
              {FLOE_CAUSE_UDP_TIMEOUT, FLOE__NAT_REACH_BLOCKED},
              {FLOE_CAUSE_TCP_TIMEOUT, FLOE__NAT_REACH_BLOCKED},
              {FLOE_CAUSE_TCP_REFUSED, FLOE__NAT_REACH_REFUSED},
              {FLOE_CAUSE_PORT_UNREACHABLE, FLOE__NAT_REACH_REFUSED},
              {FLOE_CAUSE_TCP_RESET, FLOE__NAT_REACH_CONNECTED},
              {FLOE_CAUSE_TCP_CLOSED, FLOE__NAT_REACH_CONNECTED},
              {FLOE_CAUSE_TLS_TIMEOUT, FLOE__NAT_REACH_SPOILED},
              {FLOE_CAUSE_TLS_NOT_TLS, FLOE__NAT_REACH_SPOILED},
              {FLOE_CAUSE_TLS_ALERT, FLOE__NAT_REACH_SPOILED},
              {FLOE_CAUSE_TLS_UNTRUSTED, FLOE__NAT_REACH_CONNECTED},
              {FLOE_CAUSE_TLS_NAME_MISMATCH, FLOE__NAT_REACH_CONNECTED},
              {FLOE_CAUSE_NO_ANSWER, FLOE__NAT_REACH_CONNECTED},
              {FLOE_CAUSE_NOT_STUN, FLOE__NAT_REACH_SPOILED},
              {FLOE_CAUSE_MALFORMED_RESPONSE, FLOE__NAT_REACH_SPOILED},
              {FLOE_CAUSE_AUTH_REJECTED, FLOE__NAT_REACH_OPEN},
              {FLOE_CAUSE_FORBIDDEN, FLOE__NAT_REACH_OPEN},
              {FLOE_CAUSE_STUN_ERROR, FLOE__NAT_REACH_OPEN}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    servers[0][0].cause = rows[i].cause;
    floe__nat_findings_make(&f, &plan, both, NULL);
    if (f.ways[0][FLOE__NAT_UDP].reach == rows[i].reach) continue;
    fail_msg("%s: %s", floe_cause_id(rows[i].cause), floe__nat_reach_name(f.ways[0][FLOE__NAT_UDP].reach));
  }
}

static void the_farther_family_counts(void **state) {
  (void)state;
  servers[0][0].cause = FLOE_CAUSE_UDP_TIMEOUT;
  answers(1, 0);
  servers[1][1].cause = FLOE_CAUSE_PORT_UNREACHABLE;
  floe__nat_findings_make(&f, &plan, both, NULL);
  assert_int_equal(f.ways[0][FLOE__NAT_UDP].reach, FLOE__NAT_REACH_OPEN);
  assert_int_equal(f.ways[0][FLOE__NAT_UDP].cause, FLOE_CAUSE_NONE);
  assert_true(f.ways[0][FLOE__NAT_UDP].has_ms);
  assert_int_equal(f.ways[1][FLOE__NAT_UDP].reach, FLOE__NAT_REACH_REFUSED);
  assert_int_equal(floe__nat_findings_reach(&f, FLOE__NAT_UDP), FLOE__NAT_REACH_OPEN);
  assert_int_equal(floe__nat_findings_reach(&f, FLOE__NAT_TCP), FLOE__NAT_REACH_UNKNOWN);
  assert_false(f.has_transports);
}

/* The agent's report: TCP and TLS of each host in turn, of several attempts the farthest. */
static void the_report(void **state) {
  (void)state;
  floe_server_report *tcp = fixture_server(&fix, "tcp", FLOE_VERDICT_FAILED, FLOE_CAUSE_AUTH_REJECTED);
  floe_server_report *tls = fixture_server(&fix, "tls", FLOE_VERDICT_FAILED, FLOE_CAUSE_TCP_REFUSED);
  floe_server_report *tcp_2 = fixture_server(&fix, "tcp 2", FLOE_VERDICT_FAILED, FLOE_CAUSE_DNS_NXDOMAIN);
  floe_server_report *tls_2 = fixture_server(&fix, "tls 2", FLOE_VERDICT_OK, FLOE_CAUSE_NONE);
  (void)fixture_bad(&fix, tcp, "192.0.2.1:3478", FLOE_CAUSE_TCP_TIMEOUT);
  floe_attempt_report *a = fixture_bad(&fix, tcp, "[2001:db8::1]:3478", FLOE_CAUSE_AUTH_REJECTED);
  a->has_connect_ms = true;
  a->connect_ms = 15;
  (void)fixture_bad(&fix, tls, "192.0.2.1:443", FLOE_CAUSE_TCP_REFUSED);
  a = fixture_good(&fix, tls_2, "192.0.2.2:443");
  a->has_tls_ms = true;
  a->tls_ms = 30;
  (void)tcp_2;
  floe__nat_findings_make(&f, &plan, both, &fix.report);
  assert_true(f.has_transports);
  assert_int_equal(f.ways[0][FLOE__NAT_TCP].reach, FLOE__NAT_REACH_OPEN);
  assert_int_equal(f.ways[0][FLOE__NAT_TCP].cause, FLOE_CAUSE_AUTH_REJECTED);
  assert_true(f.ways[0][FLOE__NAT_TCP].has_ms && f.ways[0][FLOE__NAT_TCP].ms == 15);
  assert_int_equal(f.ways[0][FLOE__NAT_TLS].reach, FLOE__NAT_REACH_REFUSED);
  assert_int_equal(f.ways[0][FLOE__NAT_TLS].port, 443);
  assert_int_equal(f.ways[1][FLOE__NAT_TCP].reach, FLOE__NAT_REACH_UNKNOWN);
  assert_int_equal(f.ways[1][FLOE__NAT_TCP].cause, FLOE_CAUSE_DNS_NXDOMAIN);
  assert_int_equal(f.ways[1][FLOE__NAT_TLS].reach, FLOE__NAT_REACH_OPEN);
  assert_int_equal(f.ways[1][FLOE__NAT_TLS].cause, FLOE_CAUSE_NONE);
  assert_int_equal(floe__nat_findings_reach(&f, FLOE__NAT_TLS), FLOE__NAT_REACH_OPEN);
}

static void families_with_nothing_to_tell(void **state) {
  (void)state;
  answers(0, 0);
  floe__nat_findings_make(&f, &plan, both, NULL);
  assert_true(floe__nat_findings_has(&f, 0));
  assert_false(floe__nat_findings_has(&f, 1)); /* no local address */
  servers[1][0].cause = FLOE_CAUSE_DNS_NODATA;
  assert_false(floe__nat_findings_has(&f, 1));
  servers[1][0].cause = FLOE_CAUSE_DNS_TIMEOUT;
  assert_true(floe__nat_findings_has(&f, 1));
  servers[1][0].cause = FLOE_CAUSE_UDP_TIMEOUT;
  assert_true(floe__nat_findings_has(&f, 1));
  servers[1][0].cause = FLOE_CAUSE_NO_LOCAL_ADDRESS;
  f.results[0] = NULL; /* -6: it is all there is */
  assert_true(floe__nat_findings_has(&f, 1));
  assert_false(floe__nat_findings_has(&f, 0));
}

static void exit_statuses(void **state) {
  (void)state;
  floe__nat_findings_make(&f, &plan, both, NULL);
  assert_int_equal(floe__nat_findings_exit(&f), 4);
  servers[1][1].cause = FLOE_CAUSE_DNS_SERVFAIL;
  assert_int_equal(floe__nat_findings_exit(&f), 3);
  answers(0, 0);
  assert_int_equal(floe__nat_findings_exit(&f), 1);
  results[0].mapping = FLOE_NAT_DEPENDENT;
  assert_int_equal(floe__nat_findings_exit(&f), 0);
  results[0].mapping = FLOE_NAT_UNKNOWN;
  results[1].mapping = FLOE_NAT_NONE;
  assert_int_equal(floe__nat_findings_exit(&f), 0);
}

static void names(void **state) {
  (void)state;
  static const char *const want[] = {"unknown", "blocked", "refused", "spoiled", "connected", "open"};
  for (int i = 0; i <= FLOE__NAT_REACH_OPEN; i++)
    assert_string_equal(floe__nat_reach_name((floe__nat_reach)i), want[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(causes_say_how_far_it_got, set_up),
      cmocka_unit_test_setup(the_farther_family_counts, set_up),
      cmocka_unit_test_setup(the_report, set_up),
      cmocka_unit_test_setup(families_with_nothing_to_tell, set_up),
      cmocka_unit_test_setup(exit_statuses, set_up),
      cmocka_unit_test(names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
