#include "human.h"

#include "fixture.h"

enum { NOW = 1795000000, DAY = 86400 };

static void expect_output(fixture *f, bool verbose, const char *expected) {
  caught c;
  catch_open(&c);
  const floe__human h = {.out = c.out, .verbose = verbose, .unix_s = NOW};
  floe__human_print_server(&h, &f->result.servers[0]);
  expect_text(&c, expected);
  floe__result_clear(&f->result);
}

static floe_attempt_report *good_turn(fixture *f) {
  floe_server_report *s = fixture_server(f, "turn:turn.example.org", FLOE_VERDICT_OK, FLOE_CAUSE_NONE);
  floe_attempt_report *a = fixture_good(f, s, "198.51.100.1:3478");
  a->relayed = addr("198.51.100.7:50000");
  a->mapped = addr("203.0.113.9:1000");
  a->detail.realm = "example.org";
  a->detail.software = "Coturn-4.6.1";
  a->has_lifetime = true;
  a->lifetime_s = 600;
  return a;
}

static void pass(void **state) {
  (void)state;
  fixture f = {0};
  (void)good_turn(&f);
  floe__result_init(&f.result, &f.report, 1);
  floe__relay_result *r = fixture_relay(&f, 0, FLOE__RELAY_FLOWS, FLOE_CAUSE_NONE);
  r->sent = r->arrived_out = r->arrived_back = 10;
  r->n_rtt = 20;
  r->rtt_avg_ms = 24.1;
  expect_output(&f, false,
                "PASS turn:turn.example.org\n"
                "  server       198.51.100.1:3478 over UDP, RTT 12.3 ms\n"
                "  relay        198.51.100.7:50000\n"
                "  mapped       203.0.113.9:1000\n"
                "  realm        example.org\n"
                "  software     Coturn-4.6.1\n"
                "  lifetime     600 s\n"
                "  relay data   10 of 10 packets arrived both ways, RTT 24.1 ms\n");
}

static void two_relays_are_told_apart(void **state) {
  (void)state;
  fixture f = {0};
  (void)good_turn(&f);
  floe__result_init(&f.result, &f.report, 1);
  floe__relay_result *r = fixture_relay(&f, 0, FLOE__RELAY_FLOWS, FLOE_CAUSE_NONE);
  r->sent = r->arrived_out = 10;
  r->arrived_back = 7;
  r->n_rtt = 17;
  r = fixture_relay(&f, 0, FLOE__RELAY_NO_DATA, FLOE_CAUSE_RELAY_NO_DATA);
  r->relayed = addr("[2001:db8::7]:50000");
  r->peer = addr("[2001:db8::7]:50002");
  r->sent = 10;
  caught c;
  catch_open(&c);
  const floe__human h = {.out = c.out, .unix_s = NOW};
  floe__human_print_server(&h, &f.result.servers[0]);
  const char *text = catch_close(&c);
  expect_contains(text, "  relay data   IPv4 over UDP: 10 of 10 packets arrived one way, 7 of 10 the other\n");
  expect_contains(text,
                  "  relay data   IPv6 over UDP: none of 10 packets arrived from [2001:db8::7]:50000 at "
                  "[2001:db8::7]:50002, nor back\n");
  catch_free(&c);
  floe__result_clear(&f.result);
}

static void fail_with_the_servers_words(void **state) {
  (void)state;
  fixture f = {0};
  floe_server_report *s = fixture_server(&f, "turn:turn.example.org", FLOE_VERDICT_FAILED, FLOE_CAUSE_AUTH_REJECTED);
  floe_attempt_report *a = fixture_bad(&f, s, "198.51.100.1:3478", FLOE_CAUSE_AUTH_REJECTED);
  a->error_code = 401;
  a->error_text = "No\033[2J entry";
  a->detail.elapsed_ms = 24.8;
  a->detail.attempts = 2;
  a->detail.local_address = addr("192.0.2.2:4000");
  a->detail.interface = "eth0";
  a->detail.hint = "Look again";
  floe__result_init(&f.result, &f.report, 1);
  expect_output(&f, false,
                "FAIL turn:turn.example.org\n"
                "  auth_rejected: the server rejects the user name or the credential\n"
                "  server says  401 No\xef\xbf\xbd[2J entry\n"
                "  server       198.51.100.1:3478 over UDP, from 192.0.2.2 (eth0), after 24.8 ms, 2 requests sent\n"
                "  try: Look again\n");
}

static void fail_with_the_networks_words(void **state) {
  (void)state;
  fixture f = {0};
  floe_server_report *s = fixture_server(&f, "turn:turn.example.org", FLOE_VERDICT_FAILED, FLOE_CAUSE_PORT_UNREACHABLE);
  floe_attempt_report *a = fixture_bad(&f, s, "198.51.100.1:3478", FLOE_CAUSE_PORT_UNREACHABLE);
  a->detail.has_icmp = true;
  a->detail.icmp_type = 3;
  a->detail.icmp_code = 3;
  a->detail.has_os_error = true;
  a->detail.os_error = 111;
  a->detail.os_error_text = "Connection refused";
  a->discarded = 2;
  floe__result_init(&f.result, &f.report, 1);
  expect_output(
      &f, false,
      "FAIL turn:turn.example.org\n"
      "  port_unreachable: the server's host says that nothing listens on the port\n"
      "  server       198.51.100.1:3478 over UDP, after 0.00 ms\n"
      "  network says ICMP type 3 code 3\n"
      "  system says  Connection refused (111)\n"
      "  discarded    2 packets that were no usable answer\n"
      "  try: Check that the server runs and listens on this port for UDP; a firewall that rejects looks the same\n");
}

static void fail_without_an_address(void **state) {
  (void)state;
  fixture f = {0};
  floe_server_report *s = fixture_server(&f, "stun:stun.exampel.org", FLOE_VERDICT_FAILED, FLOE_CAUSE_DNS_NXDOMAIN);
  floe_attempt_report *a = fixture_bad(&f, s, NULL, FLOE_CAUSE_DNS_NXDOMAIN);
  a->detail.server_name = "stun.exampel.org";
  a->detail.has_dns_status = true;
  a->detail.dns_status = FLOE_DNS_NXDOMAIN;
  a->detail.elapsed_ms = 3;
  floe__result_init(&f.result, &f.report, 1);
  expect_output(&f, false,
                "FAIL stun:stun.exampel.org\n"
                "  dns_nxdomain: the name does not exist\n"
                "  server       stun.exampel.org, after 3.0 ms\n"
                "  DNS says     NXDOMAIN\n"
                "  try: Look for a typing error in the host name of the URL\n");
}

static floe_tls_info certificate(int64_t from, int64_t until) {
  return (floe_tls_info){.version = "TLSv1.3",
                         .cipher = "TLS_AES_256_GCM_SHA384",
                         .subject = "CN=turn.example.org",
                         .issuer = "CN=CA",
                         .names = "turn.example.org",
                         .has_validity = true,
                         .not_before = from,
                         .not_after = until};
}

static void fail_with_a_certificate(void **state) {
  (void)state;
  fixture f = {0};
  floe_tls_info tls = certificate(NOW - 90 * DAY, NOW - 3 * DAY - 5);
  tls.has_alert = true;
  tls.alert = 45;
  tls.alert_text = "certificate expired";
  tls.has_verify_error = true;
  tls.verify_text = "certificate has expired";
  floe_server_report *s = fixture_server(&f, "turns:turn.example.org", FLOE_VERDICT_FAILED, FLOE_CAUSE_TLS_EXPIRED);
  floe_attempt_report *a = fixture_bad(&f, s, "198.51.100.1:5349", FLOE_CAUSE_TLS_EXPIRED);
  a->detail.transport = FLOE_TRANSPORT_TLS;
  a->detail.tls = &tls;
  floe__result_init(&f.result, &f.report, 1);
  expect_output(&f, false,
                "FAIL turns:turn.example.org\n"
                "  tls_expired: the server's certificate is not valid at this time\n"
                "  server       198.51.100.1:5349 over TLS, after 0.00 ms\n"
                "  TLS alert    45 certificate expired\n"
                "  verified     certificate has expired\n"
                "  certificate  CN=turn.example.org\n"
                "  issuer       CN=CA\n"
                "  names        turn.example.org\n"
                "  validity     from 2026-08-20 to 2026-11-15: expired 3 days ago\n"
                "  try: Renew the certificate and reload the server; check this host's clock\n");
}

static void days_left(void **state) {
  (void)state;
  static const struct {
    int64_t from, until;
    const char *line;
  } rows[] = {
      {NOW - DAY, NOW + 89 * DAY + 9, "validity     until 2027-02-15, 89 days left\n"},
      {NOW - DAY, NOW + 14 * DAY, "validity     until 2026-12-02, 14 days left\n"},
      {NOW - DAY, NOW + 14 * DAY - 1, "validity     until 2026-12-02, 13 days left: RENEW IT SOON\n"},
      {NOW - DAY, NOW + DAY, "validity     until 2026-11-19, 1 day left: RENEW IT SOON\n"},
      {NOW - 9 * DAY, NOW - 1, "validity     from 2026-11-09 to 2026-11-18: expired 0 days ago\n"},
      {NOW + DAY, NOW + 9 * DAY, "validity     from 2026-11-19 to 2026-11-27: not yet valid\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    fixture f = {0};
    caught c;
    floe_tls_info tls = certificate(rows[i].from, rows[i].until);
    good_turn(&f)->detail.tls = &tls;
    floe__result_init(&f.result, &f.report, 1);
    catch_open(&c);
    const floe__human h = {.out = c.out, .unix_s = NOW};
    floe__human_print_server(&h, &f.result.servers[0]);
    expect_contains(catch_close(&c), rows[i].line);
    catch_free(&c);
    floe__result_clear(&f.result);
  }
}

static void insecure_is_loud(void **state) {
  (void)state;
  fixture f = {0};
  caught c;
  floe_tls_info tls = certificate(NOW - DAY, NOW + 89 * DAY);
  tls.insecure = true;
  good_turn(&f)->detail.tls = &tls;
  floe__result_init(&f.result, &f.report, 1);
  f.result.insecure = true;
  catch_open(&c);
  const floe__human h = {.out = c.out, .unix_s = NOW};
  floe__human_print(&h, &f.result);
  const char *text = catch_close(&c);
  expect_contains(text, "  INSECURE     the certificate was not verified (--insecure)\n");
  expect_contains(text, "\nINSECURE: certificates were not verified (--insecure)\n");
  catch_free(&c);
  floe__result_clear(&f.result);
}

static void warn_names_what_failed(void **state) {
  (void)state;
  fixture f = {0};
  floe_attempt_report *good = good_turn(&f);
  f.servers[0].verdict = FLOE_VERDICT_DEGRADED;
  f.servers[0].cause = FLOE_CAUSE_UDP_TIMEOUT;
  floe_attempt_report *bad = fixture_bad(&f, &f.servers[0], "[2001:db8::1]:3478", FLOE_CAUSE_UDP_TIMEOUT);
  bad->detail.local_address = addr("[2001:db8::2]:4000");
  good->detail.has_rtt = false;
  floe__result_init(&f.result, &f.report, 1);
  expect_output(&f, false,
                "WARN turn:turn.example.org\n"
                "  udp_timeout: no answer over UDP\n"
                "  failed       [2001:db8::1]:3478 over UDP from 2001:db8::2: udp_timeout\n"
                "  server       198.51.100.1:3478 over UDP, RTT not known (a request was repeated)\n"
                "  relay        198.51.100.7:50000\n"
                "  mapped       203.0.113.9:1000\n"
                "  realm        example.org\n"
                "  software     Coturn-4.6.1\n"
                "  lifetime     600 s\n"
                "  try: A firewall may drop UDP on the way there or back: open the port, or add a "
                "turn:...?transport=tcp or turns: URL\n");
}

static void a_private_relay_is_marked(void **state) {
  (void)state;
  fixture f = {0};
  floe_attempt_report *a = good_turn(&f);
  a->relayed = addr("10.0.0.5:50000");
  a->detail.realm = a->detail.software = NULL;
  a->has_lifetime = false;
  floe__result_init(&f.result, &f.report, 1);
  expect_output(&f, false,
                "WARN turn:turn.example.org\n"
                "  relay_private_address: the server is public but hands out a private address\n"
                "  server       198.51.100.1:3478 over UDP, RTT 12.3 ms\n"
                "  relay        10.0.0.5:50000  <- private\n"
                "  mapped       203.0.113.9:1000\n"
                "  try: Tell the server its public address (coturn: external-ip)\n");
}

static void a_refused_permission_is_no_death(void **state) {
  (void)state;
  fixture f = {0};
  caught c;
  (void)good_turn(&f);
  floe__result_init(&f.result, &f.report, 1);
  floe__relay_result *r = fixture_relay(&f, 0, FLOE__RELAY_NOT_TESTED, FLOE_CAUSE_PERMISSION_FAILED);
  r->error_code = 403;
  (void)snprintf(r->words, sizeof r->words, "Forbidden IP");
  floe__result_judge(&f.result);
  catch_open(&c);
  const floe__human h = {.out = c.out, .unix_s = NOW};
  floe__human_print_server(&h, &f.result.servers[0]);
  const char *text = catch_close(&c);
  expect_contains(text, "WARN turn:turn.example.org\n  permission_failed: ");
  expect_contains(text,
                  "  relay data   not tested, the server does not relay to its own relay address: permission_failed\n"
                  "  server says  403 Forbidden IP\n");
  catch_free(&c);
  floe__result_clear(&f.result);
}

static void an_unused_server(void **state) {
  (void)state;
  fixture f = {0};
  (void)fixture_server(&f, "stun:stun.example.org", FLOE_VERDICT_UNUSED, FLOE_CAUSE_NONE);
  floe__result_init(&f.result, &f.report, 1);
  expect_output(&f, true, "SKIP stun:stun.example.org\n  a STUN server is not used with --relay-only\n");
}

static void each_attempt_when_verbose(void **state) {
  (void)state;
  fixture f = {0};
  floe_server_report *s =
      fixture_server(&f, "turn:turn.example.org?transport=tcp", FLOE_VERDICT_FAILED, FLOE_CAUSE_NO_ANSWER);
  floe_attempt_report *a = fixture_bad(&f, s, "198.51.100.1:3478", FLOE_CAUSE_NO_ANSWER);
  a->detail.transport = FLOE_TRANSPORT_TCP;
  a->detail.phase = FLOE_PHASE_ALLOCATE;
  a->detail.local_address = addr("192.0.2.2:4000");
  a->detail.started_ms = 5;
  a->detail.elapsed_ms = 5000;
  a->detail.attempts = 1;
  a->has_dns_ms = a->has_connect_ms = true;
  a->dns_ms = 3;
  a->connect_ms = 12;
  a->redundant = true;
  floe__result_init(&f.result, &f.report, 1);
  expect_output(
      &f, true,
      "FAIL turn:turn.example.org?transport=tcp\n"
      "  no_answer: connected, but the server never answered the STUN request\n"
      "  server       198.51.100.1:3478 over TCP, from 192.0.2.2, after 5.0 s\n"
      "  try: Check that a STUN/TURN server, and not another service, listens on this port\n"
      "  attempt      at 5.0 ms: 198.51.100.1:3478 over TCP from 192.0.2.2:4000: no_answer after 5.0 s in allocate, "
      "DNS 3.0 ms, connect 12.0 ms, 1 sent, redundant\n");
}

static void expect_summary(const floe_verdict *verdicts, size_t n, const char *line) {
  fixture f = {0};
  caught c;
  for (size_t i = 0; i < n; i++) (void)fixture_server(&f, "stun:a", verdicts[i], FLOE_CAUSE_NONE);
  f.report.elapsed_ms = 4100;
  floe__result_init(&f.result, &f.report, n);
  catch_open(&c);
  const floe__human h = {.out = c.out};
  floe__human_print_summary(&h, &f.result);
  expect_text(&c, line);
  floe__result_clear(&f.result);
}

static void summaries(void **state) {
  (void)state;
  const floe_verdict ok = FLOE_VERDICT_OK, warn = FLOE_VERDICT_DEGRADED, bad = FLOE_VERDICT_FAILED,
                     unused = FLOE_VERDICT_UNUSED;
  expect_summary((const floe_verdict[]){bad, ok, ok}, 3, "1 of 3 servers failed (4.1 s)\n");
  expect_summary((const floe_verdict[]){bad}, 1, "1 of 1 server failed (4.1 s)\n");
  expect_summary((const floe_verdict[]){bad, warn, ok}, 3, "1 of 3 servers failed, 1 works only in part (4.1 s)\n");
  expect_summary((const floe_verdict[]){warn, warn, ok}, 3, "2 of 3 servers work only in part (4.1 s)\n");
  expect_summary((const floe_verdict[]){ok, ok}, 2, "all 2 servers work (4.1 s)\n");
  expect_summary((const floe_verdict[]){ok, unused}, 2, "1 server works (4.1 s)\n");
  expect_summary((const floe_verdict[]){unused}, 1, "no server was used (4.1 s)\n");
}

static void colour_is_only_where_it_is_wanted(void **state) {
  (void)state;
  caught c;
  catch_open(&c);
  floe__human h = {.out = c.out, .colour = true};
  floe__human_print_word(&h, FLOE_VERDICT_OK);
  floe__human_print_word(&h, FLOE_VERDICT_FAILED);
  h.colour = false;
  floe__human_print_word(&h, FLOE_VERDICT_DEGRADED);
  expect_text(&c, "\033[1;32mPASS\033[0m\033[1;31mFAIL\033[0mWARN");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pass),
      cmocka_unit_test(two_relays_are_told_apart),
      cmocka_unit_test(fail_with_the_servers_words),
      cmocka_unit_test(fail_with_the_networks_words),
      cmocka_unit_test(fail_without_an_address),
      cmocka_unit_test(fail_with_a_certificate),
      cmocka_unit_test(days_left),
      cmocka_unit_test(insecure_is_loud),
      cmocka_unit_test(warn_names_what_failed),
      cmocka_unit_test(a_private_relay_is_marked),
      cmocka_unit_test(a_refused_permission_is_no_death),
      cmocka_unit_test(an_unused_server),
      cmocka_unit_test(each_attempt_when_verbose),
      cmocka_unit_test(summaries),
      cmocka_unit_test(colour_is_only_where_it_is_wanted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
