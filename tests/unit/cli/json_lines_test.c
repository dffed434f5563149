#include "json_lines.h"

#include "fixture.h"
#include "json_value.h"

/* Exact lines: the names are a contract. */

static void expect_event(const floe_event *event, const char *line) {
  caught c;
  catch_open(&c);
  floe__json_print_event(c.out, event);
  expect_text(&c, line);
}

static void the_state_of_gathering(void **state) {
  (void)state;
  const floe_event event = {.type = FLOE_EVENT_ICEGATHERINGSTATECHANGE,
                            .name = "icegatheringstatechange",
                            .t_ms = 0.1,
                            .u.gathering_state = FLOE_ICE_GATHERING_GATHERING};
  expect_event(&event, "{\"type\":\"icegatheringstatechange\",\"t_ms\":0.1,\"state\":\"gathering\"}\n");
}

static void candidates(void **state) {
  (void)state;
  floe_ice_candidate c = {.text = "candidate:1 1 udp 2130706175 192.0.2.2 44394 typ host",
                          .type = FLOE_CANDIDATE_HOST,
                          .transport = FLOE_TRANSPORT_UDP,
                          .address = addr("192.0.2.2:44394")};
  const floe_event event = {.type = FLOE_EVENT_ICECANDIDATE, .name = "icecandidate", .t_ms = 3.2004, .u.candidate = &c};
  expect_event(
      &event,
      "{\"type\":\"icecandidate\",\"t_ms\":3.2,\"candidate\":\"candidate:1 1 udp 2130706175 192.0.2.2 44394 typ host\","
      "\"candidateType\":\"host\",\"address\":\"192.0.2.2\",\"port\":44394,\"protocol\":\"udp\","
      "\"relatedAddress\":null,\"relatedPort\":null,\"url\":null,\"relayProtocol\":null}\n");
  c.text = "candidate:2";
  c.type = FLOE_CANDIDATE_RELAY;
  c.address = addr("[2001:db8::7]:50000");
  c.related = addr("[2001:db8::9]:1000");
  c.url = "turns:turn.example.org";
  c.has_relay_protocol = true;
  c.relay_protocol = FLOE_TRANSPORT_TLS;
  expect_event(&event,
               "{\"type\":\"icecandidate\",\"t_ms\":3.2,\"candidate\":\"candidate:2\",\"candidateType\":\"relay\","
               "\"address\":\"2001:db8::7\",\"port\":50000,\"protocol\":\"udp\",\"relatedAddress\":\"2001:db8::9\","
               "\"relatedPort\":1000,\"url\":\"turns:turn.example.org\",\"relayProtocol\":\"tls\"}\n");
}

static void the_end_of_candidates(void **state) {
  (void)state;
  const floe_event event = {.type = FLOE_EVENT_ICECANDIDATE, .name = "icecandidate", .t_ms = 9.9};
  expect_event(&event, "{\"type\":\"icecandidate\",\"t_ms\":9.9,\"candidate\":\"\"}\n");
}

static void an_error_with_all_that_can_be_known(void **state) {
  (void)state;
  const floe_tls_info tls = {.version = "TLSv1.3",
                             .cipher = "TLS_AES_128_GCM_SHA256",
                             .subject = "CN=turn.example.org",
                             .issuer = "CN=CA",
                             .names = "turn.example.org",
                             .has_validity = true,
                             .not_before = 1795000000,
                             .not_after = 1795086400,
                             .has_alert = true,
                             .alert = 45,
                             .alert_text = "certificate expired",
                             .has_verify_error = true,
                             .verify_error = 10,
                             .verify_text = "certificate has expired"};
  const floe_attempt_detail detail = {.cause = FLOE_CAUSE_TLS_EXPIRED,
                                      .phase = FLOE_PHASE_TLS,
                                      .server_index = 1,
                                      .url_index = 2,
                                      .transport = FLOE_TRANSPORT_TLS,
                                      .family = FLOE_FAMILY_IPV4,
                                      .server_address = addr("192.0.2.1:5349"),
                                      .server_name = "turn.example.org",
                                      .local_address = addr("192.0.2.2:40000"),
                                      .interface = "eth0",
                                      .has_os_error = true,
                                      .os_error = 111,
                                      .os_error_text = "Connection refused",
                                      .has_icmp = true,
                                      .icmp_type = 3,
                                      .icmp_code = 3,
                                      .has_dns_status = true,
                                      .dns_status = FLOE_DNS_OK,
                                      .tls = &tls,
                                      .realm = "r",
                                      .software = "s",
                                      .attempts = 2,
                                      .has_rtt = true,
                                      .rtt_ms = 1.25,
                                      .started_ms = 0.5,
                                      .elapsed_ms = 30,
                                      .hint = "h"};
  const floe_event event = {.type = FLOE_EVENT_ICECANDIDATEERROR,
                            .name = "icecandidateerror",
                            .t_ms = 4,
                            .u.error = {.address = "192.0.2.2",
                                        .has_port = true,
                                        .port = 40000,
                                        .url = "turns:turn.example.org",
                                        .error_code = 701,
                                        .error_text = "tls_expired: x",
                                        .detail = &detail}};
  expect_event(
      &event,
      "{\"type\":\"icecandidateerror\",\"t_ms\":4.0,\"address\":\"192.0.2.2\",\"port\":40000,\"url\":\"turns:turn."
      "example.org\","
      "\"errorCode\":701,\"errorText\":\"tls_expired: "
      "x\",\"detail\":{\"cause\":\"tls_expired\",\"phase\":\"tls\",\"serverIndex\":1,"
      "\"urlIndex\":2,\"transport\":\"tls\",\"family\":4,\"serverAddress\":\"192.0.2.1:5349\",\"serverName\":\"turn."
      "example.org\","
      "\"localAddress\":\"192.0.2.2:40000\",\"interface\":\"eth0\",\"osError\":111,\"osErrorText\":\"Connection "
      "refused\","
      "\"icmpType\":3,\"icmpCode\":3,\"dnsStatus\":\"OK\",\"tls\":{\"version\":\"TLSv1.3\",\"cipher\":\"TLS_AES_128_"
      "GCM_SHA256\","
      "\"subject\":\"CN=turn.example.org\",\"issuer\":\"CN=CA\",\"names\":\"turn.example.org\",\"notBefore\":\"2026-11-"
      "18T11:06:40Z\","
      "\"notAfter\":\"2026-11-19T11:06:40Z\",\"alert\":45,\"alertText\":\"certificate expired\",\"verifyError\":10,"
      "\"verifyText\":\"certificate has expired\"},\"realm\":\"r\",\"software\":\"s\",\"attempts\":2,\"rttMs\":1.25,"
      "\"startedMs\":0.5,\"elapsedMs\":30.0,\"hint\":\"h\"}}\n");
}

/* Absent is absent: never 0 or "" for unknown. */
static void an_error_with_little_known(void **state) {
  (void)state;
  const floe_attempt_detail detail = {.cause = FLOE_CAUSE_DNS_NXDOMAIN, .phase = FLOE_PHASE_DNS};
  const floe_event event = {
      .type = FLOE_EVENT_ICESERVERERROR,
      .name = "iceservererror",
      .t_ms = 4,
      .u.error = {.url = "stun:x", .error_code = 701, .error_text = "dns_nxdomain: x", .detail = &detail}};
  expect_event(
      &event,
      "{\"type\":\"iceservererror\",\"t_ms\":4.0,\"address\":null,\"port\":null,\"url\":\"stun:x\",\"errorCode\":701,"
      "\"errorText\":\"dns_nxdomain: x\",\"detail\":{\"cause\":\"dns_nxdomain\",\"phase\":\"dns\",\"serverIndex\":0,"
      "\"urlIndex\":0,\"transport\":\"udp\",\"attempts\":0,\"startedMs\":0.0,\"elapsedMs\":0.0}}\n");
}

static void a_servers_words_stay_json(void **state) {
  (void)state;
  const floe_event event = {.type = FLOE_EVENT_ICECANDIDATEERROR,
                            .name = "icecandidateerror",
                            .u.error = {.url = "stun:x", .error_code = 400, .error_text = "a\"\\\n\033\xff"}};
  expect_event(&event,
               "{\"type\":\"icecandidateerror\",\"t_ms\":0.0,\"address\":null,\"port\":null,\"url\":\"stun:x\","
               "\"errorCode\":400,"
               "\"errorText\":\"a\\\"\\\\\\n\\u001B\xef\xbf\xbd\"}\n");
}

static void the_report(void **state) {
  (void)state;
  fixture f = {0};
  caught c;
  floe_server_report *s = fixture_server(&f, "turn:turn.example.org", FLOE_VERDICT_OK, FLOE_CAUSE_NONE);
  floe_attempt_report *a = fixture_good(&f, s, "198.51.100.1:3478");
  a->relayed = addr("198.51.100.7:50000");
  a->mapped = addr("203.0.113.9:1000");
  a->has_lifetime = true;
  a->lifetime_s = 600;
  a->detail.phase = FLOE_PHASE_ALLOCATE;
  f.report.elapsed_ms = 9.9;
  floe__result_init(&f.result, &f.report, 1);
  floe__relay_result *r = fixture_relay(&f, 0, FLOE__RELAY_FLOWS, FLOE_CAUSE_NONE);
  r->sent = r->arrived_out = 10;
  r->arrived_back = 9;
  r->n_rtt = 19;
  r->rtt_min_ms = 1;
  r->rtt_avg_ms = 2;
  r->rtt_max_ms = 3;
  r->jitter_ms = 0.5;
  f.result.servers[0].candidates = floe__cli_alloc(sizeof(char *));
  f.result.servers[0].candidates[f.result.servers[0].n_candidates++] = floe__cli_strdup("candidate:2");
  catch_open(&c);
  floe__json_print_report(c.out, &f.result, 0);
  expect_text(
      &c,
      "{\"type\":\"report\",\"t_ms\":9.9,\"verdict\":\"ok\",\"servers\":[{\"url\":\"turn:turn.example.org\","
      "\"serverIndex\":0,"
      "\"urlIndex\":0,\"verdict\":\"ok\",\"cause\":null,\"attempts\":[{\"outcome\":\"candidate\",\"discarded\":0,"
      "\"redirects\":0,\"mappedAddress\":\"203.0.113.9:1000\",\"relayedAddress\":\"198.51.100.7:50000\",\"lifetime\":"
      "600,"
      "\"detail\":{\"cause\":null,\"phase\":\"allocate\",\"serverIndex\":0,\"urlIndex\":0,\"transport\":\"udp\","
      "\"family\":4,"
      "\"serverAddress\":\"198.51.100.1:3478\",\"attempts\":0,\"rttMs\":12.34,\"startedMs\":0.0,\"elapsedMs\":0.0}}],"
      "\"candidates\":[\"candidate:2\"],\"relayTests\":[{\"outcome\":\"flows\",\"relayProtocol\":\"udp\","
      "\"relayedAddress\":\"198.51.100.7:50000\",\"peerAddress\":\"198.51.100.7:50002\",\"sent\":10,\"arrivedOut\":10,"
      "\"arrivedBack\":9,\"rttMinMs\":1.0,\"rttAvgMs\":2.0,\"rttMaxMs\":3.0,\"jitterMs\":0.5}]}]}\n");
  floe__result_clear(&f.result);
}

static void a_report_of_failures(void **state) {
  (void)state;
  fixture f = {0};
  caught c;
  floe_server_report *s = fixture_server(&f, "turns:turn.example.org", FLOE_VERDICT_FAILED, FLOE_CAUSE_TCP_REFUSED);
  floe_attempt_report *a = fixture_bad(&f, s, NULL, FLOE_CAUSE_TCP_REFUSED);
  a->error_text = "tcp_refused: x";
  a->unauthenticated_redirect = true;
  a->redirects = 1;
  floe__result_init(&f.result, &f.report, 0);
  f.result.insecure = true;
  catch_open(&c);
  floe__json_print_report(c.out, &f.result, 3);
  const char *text = catch_close(&c);
  expect_contains(text, "{\"type\":\"report\",\"t_ms\":0.0,\"round\":3,\"verdict\":\"degraded\",\"insecure\":true,");
  expect_contains(text, "\"verdict\":\"failed\",\"cause\":\"tcp_refused\",\"derived\":true,\"attempts\":");
  expect_contains(text, "{\"outcome\":\"error\",\"errorCode\":701,\"errorText\":\"tcp_refused: x\",");
  expect_contains(text, "\"redirects\":1,\"unauthenticatedRedirect\":true,");
  expect_contains(text, "\"candidates\":[],\"relayTests\":[]}]}\n");
  catch_free(&c);
  floe__result_clear(&f.result);
}

static void a_relay_that_was_not_tested(void **state) {
  (void)state;
  fixture f = {0};
  caught c;
  (void)fixture_server(&f, "turn:turn.example.org", FLOE_VERDICT_OK, FLOE_CAUSE_NONE);
  floe__result_init(&f.result, &f.report, 1);
  floe__relay_result *r = fixture_relay(&f, 0, FLOE__RELAY_NOT_TESTED, FLOE_CAUSE_QUOTA_REACHED);
  memset(&r->peer, 0, sizeof r->peer);
  r->error_code = 486;
  (void)snprintf(r->words, sizeof r->words, "Allocation Quota Reached");
  catch_open(&c);
  floe__json_print_report(c.out, &f.result, 0);
  const char *text = catch_close(&c);
  expect_contains(text,
                  "\"relayTests\":[{\"outcome\":\"not_tested\",\"cause\":\"quota_reached\",\"errorCode\":486,"
                  "\"errorText\":\"Allocation Quota Reached\",\"relayProtocol\":\"udp\","
                  "\"relayedAddress\":\"198.51.100.7:50000\"}]");
  catch_free(&c);
  floe__result_clear(&f.result);
}

static void a_refused_configuration(void **state) {
  (void)state;
  caught c;
  floe__json_error why = {
      .error = {.status = FLOE_E_SYNTAX, .path = "iceServers[0].urls[0]", .offset = 5, .message = "m"}};
  catch_open(&c);
  floe__json_print_error(c.out, &why);
  expect_text(&c,
              "{\"type\":\"error\",\"name\":\"SyntaxError\",\"path\":\"iceServers[0].urls[0]\",\"offset\":5,"
              "\"message\":\"m\"}\n");
  why = (floe__json_error){
      .error = {.status = FLOE_E_SYNTAX, .offset = FLOE_NO_OFFSET, .message = "m"}, .line = 2, .column = 9};
  catch_open(&c);
  floe__json_print_error(c.out, &why);
  expect_text(
      &c, "{\"type\":\"error\",\"name\":\"SyntaxError\",\"path\":null,\"line\":2,\"column\":9,\"message\":\"m\"}\n");
}

static void numbers(void **state) {
  (void)state;
  caught c;
  catch_open(&c);
  json_t *o = json_object();
  floe__json_set_number(o, "a", true, 12.3);
  floe__json_set_number(o, "b", true, 0.0004);
  floe__json_set_number(o, "c", false, 1);
  floe__json_set_number(o, "d", true, 1.0 / 0.0);
  floe__json_set_number(o, "e", true, 123456.7891);
  floe__json_print_line(c.out, o);
  expect_text(&c, "{\"a\":12.3,\"b\":0.0,\"e\":123456.789}\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_state_of_gathering),
      cmocka_unit_test(candidates),
      cmocka_unit_test(the_end_of_candidates),
      cmocka_unit_test(an_error_with_all_that_can_be_known),
      cmocka_unit_test(an_error_with_little_known),
      cmocka_unit_test(a_servers_words_stay_json),
      cmocka_unit_test(the_report),
      cmocka_unit_test(a_report_of_failures),
      cmocka_unit_test(a_relay_that_was_not_tested),
      cmocka_unit_test(a_refused_configuration),
      cmocka_unit_test(numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
