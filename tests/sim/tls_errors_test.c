/* TLS: each way in which a handshake fails is an outcome of the attempt, with what is known of the certificate. */
#include "support/world.h"

#define URL "turns:turn.example.org"

static world *tls_world(const char *script) {
  world *w = world_new(1);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
  world_listen(w, FLOE_TRANSPORT_TLS, script);
  world_add(w, URL);
  return w;
}

static void each_failure_has_its_cause(void **state) {
  (void)state;
  static const struct {
    const char *script, *cause;
  } cases[] = {{"tls-plain-text", "tls_not_tls"},    {"tls-expired", "tls_expired"},
               {"tls-self-signed", "tls_untrusted"}, {"tls-other-name", "tls_name_mismatch"},
               {"tls-alert", "tls_alert"},           {"close-after-accept", "tcp_closed"},
               {"reset-after-accept", "tcp_reset"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char expected[300];
    world *w = tls_world(cases[i].script);
    world_gather(w);
    (void)snprintf(expected, sizeof expected, BEGIN "30.0 error 701 %s " URL " at 10.0.0.1:50001 tls\n" END("30.0"),
                   cases[i].cause);
    world_expect(w, expected);
    world_free(w);
  }
}

static void a_session_that_breaks_later_is_tcp_again(void **state) {
  (void)state;
  static const struct {
    const char *script, *cause;
  } cases[] = {{"close-after-401", "tcp_closed"}, {"reset-after-401", "tcp_reset"}};
  for (size_t i = 0; i < 2; i++) {
    char expected[300];
    world *w = tls_world(cases[i].script);
    world_gather(w);
    (void)snprintf(expected, sizeof expected,
                   BEGIN "40.0 error 701 %s " URL " at 10.0.0.1:50001 allocate\n" END("40.0"), cases[i].cause);
    world_expect(w, expected);
    world_free(w);
  }
}

static void a_hanging_handshake_times_out(void **state) {
  (void)state;
  world *w = tls_world("tls-hangs");
  world_gather(w);
  world_expect(w, BEGIN "4020.0 error 701 tls_timeout " URL " at 10.0.0.1:50001 tls\n" END("4020.0"));
  world_free(w);
}

static void a_plain_turn_port_is_not_tls(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
  world_listen_at(w, FLOE_TRANSPORT_TCP, "192.0.2.1:5349", "garbage");
  world_add(w, URL);
  world_gather(w);
  world_expect(w, BEGIN "* error 701 t*_* " URL " at 10.0.0.1:50001 tls\n* candidate end\n* state complete\n");
  world_free(w);
}

static void a_refused_tls_port_is_refused(void **state) {
  (void)state;
  world *w = world_new(1);
  world_add(w, "turns:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN "10.0 error 701 tcp_refused turns:192.0.2.1 at * connect\n" END("10.0"));
  world_free(w);
}

static void the_certificate_is_told(void **state) {
  (void)state;
  world *w = tls_world("tls-expired");
  world_gather(w);
  const sim_error *e = sim_agent_error(w->agent, 0);
  assert_true(e->has_tls);
  assert_non_null(strstr(e->tls_subject, "turn.example.org"));
  assert_non_null(strstr(e->tls_names, "turn.example.org"));
  assert_string_not_equal(e->tls_issuer, "");
  assert_true(e->tls.has_validity);
  assert_true(e->tls.not_after < SIM_UNIX_S);
  assert_true(e->tls.not_before < e->tls.not_after);
  assert_true(e->tls.has_verify_error);
  assert_string_not_equal(e->tls_verify_text, "");
  world_free(w);
}

static void an_alert_is_told_by_number_and_name(void **state) {
  (void)state;
  world *w = tls_world("tls-alert");
  world_gather(w);
  const sim_error *e = sim_agent_error(w->agent, 0);
  assert_true(e->has_tls);
  assert_true(e->tls.has_alert);
  assert_int_equal(e->tls.alert, 40); /* RFC 8446 6: handshake_failure */
  assert_string_not_equal(e->tls_alert_text, "");
  world_free(w);
}

static void without_its_authority_a_good_certificate_is_untrusted(void **state) {
  (void)state;
  world *w = tls_world(NULL);
  /* A CA file of somebody else. */
  sim_host *other_host = sim_host_new(w->s, "other", "eth0", "192.0.2.77", NULL);
  sim_server *other = sim_server_new(other_host, &w->ts);
  const char *pem = floe__testserver_ca_pem(sim_server_core(other));
  w->cfg.ca_pem = (floe_bytes){(const uint8_t *)pem, strlen(pem)};
  world_gather(w);
  world_expect(w, BEGIN "30.0 error 701 tls_untrusted " URL " at 10.0.0.1:50001 tls\n" END("30.0"));
  world_free(w);
}

static void a_literal_must_be_in_the_certificate(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TLS, NULL);
  world_add(w, "turns:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN "20.0 error 701 tls_name_mismatch turns:192.0.2.1 at 10.0.0.1:50001 tls\n" END("20.0"));
  world_free(w);
}

static void the_clock_decides_what_is_expired(void **state) {
  (void)state;
  world *w = tls_world(NULL);
  w->options.unix_ms = SIM_UNIX_MS + INT64_C(1000) * 86400 * 365 * 50;
  world_gather(w);
  world_expect(w, BEGIN "30.0 error 701 tls_expired " URL " at 10.0.0.1:50001 tls\n" END("30.0"));
  world_free(w);
}

static void insecure_accepts_and_says_so(void **state) {
  (void)state;
  static const char *const scripts[] = {"tls-expired", "tls-self-signed", "tls-other-name"};
  for (size_t i = 0; i < 3; i++) {
    world *w = tls_world(scripts[i]);
    w->cfg.tls_insecure = true;
    world_gather(w);
    world_expect(w, BEGIN "50.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 tls " URL "\n" END("50.0"));
    const floe_report *r = floe_ice_agent_report(sim_agent_core(w->agent));
    const floe_tls_info *tls = r->servers[0].attempts[0]->detail.tls;
    assert_non_null(tls);
    assert_true(tls->insecure);
    world_free(w);
  }
}

static void a_good_session_is_in_the_report(void **state) {
  (void)state;
  world *w = tls_world(NULL);
  world_gather(w);
  const floe_attempt_report *a = floe_ice_agent_report(sim_agent_core(w->agent))->servers[0].attempts[0];
  assert_string_equal(a->detail.tls->version, "TLSv1.3");
  assert_non_null(a->detail.tls->cipher);
  assert_false(a->detail.tls->insecure);
  assert_false(a->detail.tls->has_verify_error);
  assert_true(a->has_dns_ms && a->has_connect_ms && a->has_tls_ms && a->has_request_ms);
  assert_int_equal((int)(a->dns_ms + 0.5), 10);
  assert_int_equal((int)(a->connect_ms + 0.5), 10);
  assert_int_equal((int)(a->tls_ms + 0.5), 10);
  assert_int_equal((int)(a->request_ms + 0.5), 20);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_failure_has_its_cause),
      cmocka_unit_test(a_session_that_breaks_later_is_tcp_again),
      cmocka_unit_test(a_hanging_handshake_times_out),
      cmocka_unit_test(a_plain_turn_port_is_not_tls),
      cmocka_unit_test(a_refused_tls_port_is_refused),
      cmocka_unit_test(the_certificate_is_told),
      cmocka_unit_test(an_alert_is_told_by_number_and_name),
      cmocka_unit_test(without_its_authority_a_good_certificate_is_untrusted),
      cmocka_unit_test(a_literal_must_be_in_the_certificate),
      cmocka_unit_test(the_clock_decides_what_is_expired),
      cmocka_unit_test(insecure_accepts_and_says_so),
      cmocka_unit_test(a_good_session_is_in_the_report),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
