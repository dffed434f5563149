/* The contract's section 3, 300 with ALTERNATE-SERVER: followed, refused, looped, and what an alternate that cannot be
 * used looks like. */
#include "support/world.h"

#define ERROR_300(ms, cause) ms " error 300 " cause " turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Try Alternate\"\n"

static world *redirecting(const char *script) {
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, script);
  world_add(w, "turn:192.0.2.1");
  return w;
}

static void an_unsigned_one_to_the_first_request_is_followed_and_noted(void **state) {
  (void)state;
  world *w = redirecting("redirect=192.0.2.2:3478");
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, NULL);
  world_gather(w);
  world_expect(w, BEGIN
               "30.0 candidate relay 192.0.2.2:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
               "30.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 turn:192.0.2.1\n" END("30.0"));
  world_expect_report(w,
                      "report ok\n"
                      "server 0.0 ok - turn:192.0.2.1\n"
                      "  attempt candidate udp 10.0.0.1:50000 > 192.0.2.2:3478 mapped=203.0.113.1:40000 "
                      "relayed=192.0.2.2:50000 additional-error=440 redirects=1 unauthenticated-redirect\n");
  world_free(w);
}

static void a_signed_one_is_followed(void **state) {
  (void)state;
  world *w = redirecting("redirect-after-auth=192.0.2.2:3478");
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, NULL);
  world_gather(w);
  world_expect_report(w,
                      "report ok\n"
                      "server 0.0 ok - turn:192.0.2.1\n"
                      "  attempt candidate udp 10.0.0.1:50000 > 192.0.2.2:3478 mapped=203.0.113.1:40000 "
                      "relayed=192.0.2.2:50000 additional-error=440 redirects=1\n");
  world_free(w);
}

static void back_to_itself_is_a_loop(void **state) {
  (void)state;
  world *w = redirecting("redirect=192.0.2.1:3478");
  world_gather(w);
  world_expect(w, BEGIN ERROR_300("10.0", "redirect_loop") END("10.0"));
  world_free(w);
}

static void two_that_point_at_each_other_are_a_loop(void **state) {
  (void)state;
  world *w = redirecting("redirect=192.0.2.2:3478");
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, "redirect=192.0.2.1:3478");
  world_gather(w);
  world_expect(w, BEGIN ERROR_300("20.0", "redirect_loop") END("20.0"));
  world_free(w);
}

static void five_hops_are_followed_and_a_sixth_is_not(void **state) {
  (void)state;
  static const char *const address[] = {"192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7"};
  static const char *const next[] = {"redirect=192.0.2.3:3478", "redirect=192.0.2.4:3478", "redirect=192.0.2.5:3478",
                                     "redirect=192.0.2.6:3478", "redirect=192.0.2.7:3478"};
  for (int hops = 5; hops <= 6; hops++) {
    world *w = redirecting("redirect=192.0.2.2:3478");
    for (int i = 0; i < hops - 1; i++) world_other_server(w, address[i], FLOE_TRANSPORT_UDP, next[i]);
    world_other_server(w, address[hops - 1], FLOE_TRANSPORT_UDP, NULL);
    world_gather(w);
    if (hops == 5) {
      world_expect(w, BEGIN
                   "70.0 candidate relay 192.0.2.6:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
                   "70.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 turn:192.0.2.1\n" END("70.0"));
    } else {
      world_expect(w, BEGIN ERROR_300("60.0", "redirect_loop") END("60.0"));
    }
    world_free(w);
  }
}

static void without_an_address_it_stands(void **state) {
  (void)state;
  world *w = redirecting("redirect-no-address");
  world_gather(w);
  world_expect(w, BEGIN ERROR_300("10.0", "redirect_refused") END("10.0"));
  world_free(w);
}

static void to_a_binding_request_it_stands(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "redirect=192.0.2.2:3478");
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(
      w,
      BEGIN "10.0 error 300 redirect_refused stun:192.0.2.1 at 10.0.0.1:50000 binding \"Try Alternate\"\n" END("10.0"));
  world_free(w);
}

static void an_alternate_that_is_dead_tells_what_was_met_there(void **state) {
  (void)state;
  char text[FLOE_ADDR_TEXT];
  world *w = redirecting("redirect=192.0.2.2:3478");
  sim_reject(w->s, "192.0.2.2", 3, 3);
  world_gather(w);
  world_expect(w, BEGIN ERROR_300("20.0", "port_unreachable") END("20.0"));
  assert_string_equal(floe_addr_format(&sim_agent_error(w->agent, 0)->detail.server_address, text), "192.0.2.2:3478");
  world_free(w);

  w = redirecting("redirect=192.0.2.2:3478");
  world_gather(w);
  world_expect(w, BEGIN ERROR_300("5010.0", "udp_timeout") END("5010.0"));
  world_free(w);

  w = redirecting("redirect=192.0.2.2:3478");
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, "no-address");
  world_gather(w);
  world_expect(w, BEGIN ERROR_300("30.0", "malformed_response") END("30.0"));
  world_free(w);
}

/* What the alternate answers is an answer: it stands with its own code. */
static void an_error_of_the_alternate_is_the_error(void **state) {
  (void)state;
  world *w = redirecting("redirect=192.0.2.2:3478");
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, "error-after-auth=486:Full");
  world_gather(w);
  world_expect(w,
               BEGIN "30.0 error 486 quota_reached turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Full\"\n" END("30.0"));
  world_free(w);
}

/* What a base of the one family cannot reach cannot be used (RFC 8489 14.15: the alternate is of the same family). */
static void an_alternate_of_the_other_family_is_not_used(void **state) {
  (void)state;
  world *w = redirecting("redirect=[2001:db8:2::1]:3478");
  world_gather(w);
  world_expect(w, BEGIN ERROR_300("10.0", "*") END("10.0"));
  world_free(w);
}

static void over_tcp_the_alternate_is_connected_to(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TCP, "redirect=192.0.2.2:3478");
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_TCP, NULL);
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  world_expect(
      w, BEGIN
      "50.0 candidate relay 192.0.2.2:50000 mapped=203.0.113.1:40001 tcp turn:192.0.2.1?transport=tcp\n" END("50.0"));
  world_free(w);
}

static void over_tls_the_alternate_must_fit_the_configured_name(void **state) {
  (void)state;
  static const struct {
    const char *cert_name;
    const char *expected;
  } cases[] = {
      {"turn.example.org",
       BEGIN "90.0 candidate relay 192.0.2.2:50000 mapped=203.0.113.1:40001 tls turns:turn.example.org\n" END("90.0")},
      {"other.example.org",
       BEGIN "70.0 error 300 * turns:turn.example.org at 10.0.0.1:* * \"Try Alternate\"\n" END("70.0")},
  };
  for (size_t i = 0; i < 2; i++) {
    world *w = world_new(1);
    world_listen(w, FLOE_TRANSPORT_TLS, "redirect-after-auth=192.0.2.2:5349");
    w->ts.cert_name = cases[i].cert_name;
    sim_server *other = world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_TLS, NULL);
    sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
    world_add(w, "turns:turn.example.org");
    /* Each test server has its own authority: trust both. */
    char pem[16384];
    (void)snprintf(pem, sizeof pem, "%s%s", floe__testserver_ca_pem(sim_server_core(w->server)),
                   floe__testserver_ca_pem(sim_server_core(other)));
    w->cfg.ca_pem = (floe_bytes){(const uint8_t *)pem, strlen(pem)};
    world_gather(w);
    world_expect(w, cases[i].expected);
    if (i == 1) assert_int_equal(sim_agent_error(w->agent, 0)->detail.cause, FLOE_CAUSE_TLS_NAME_MISMATCH);
    world_free(w);
  }
}

/* ALTERNATE-DOMAIN says which name the certificate must fit, but only in a signed answer. */
static void over_tls_a_signed_alternate_domain_is_believed(void **state) {
  (void)state;
  static const struct {
    const char *script;
    bool is_followed;
  } cases[] = {{"redirect-after-auth=192.0.2.2:5349,alternate-domain=other.example.org", true},
               {"redirect=192.0.2.2:5349,alternate-domain=other.example.org", false}};
  for (size_t i = 0; i < 2; i++) {
    world *w = world_new(1);
    world_listen(w, FLOE_TRANSPORT_TLS, cases[i].script);
    w->ts.cert_name = "other.example.org";
    sim_server *other = world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_TLS, NULL);
    sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
    world_add(w, "turns:turn.example.org");
    char pem[16384];
    (void)snprintf(pem, sizeof pem, "%s%s", floe__testserver_ca_pem(sim_server_core(w->server)),
                   floe__testserver_ca_pem(sim_server_core(other)));
    w->cfg.ca_pem = (floe_bytes){(const uint8_t *)pem, strlen(pem)};
    world_gather(w);
    if (cases[i].is_followed) {
      world_expect(
          w, BEGIN
          "90.0 candidate relay 192.0.2.2:50000 mapped=203.0.113.1:40001 tls turns:turn.example.org\n" END("90.0"));
    } else {
      world_expect(
          w, BEGIN
          "60.0 error 300 tls_name_mismatch turns:turn.example.org at 10.0.0.1:* * \"Try Alternate\"\n" END("60.0"));
    }
    world_free(w);
  }
}

/* What was met at the former server says nothing of the alternate. */
static void discards_and_soft_errors_start_anew(void **state) {
  (void)state;
  world *w = redirecting("redirect=192.0.2.2:3478");
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, NULL);
  for (int i = 0; i < 2; i++) {
    sim_rule_add(w->s, &(sim_rule){.from = w->client,
                                   .to = sim_addr(i == 0 ? "192.0.2.1" : "192.0.2.2"),
                                   .action = SIM_REJECT,
                                   .icmp_type = 3,
                                   .icmp_code = 1,
                                   .times = 1});
  }
  world_gather(w);
  world_expect(w, BEGIN "1030.0 candidate relay *\n1030.0 candidate srflx *\n" END("1030.0"));
  world_free(w);

  w = redirecting("redirect=192.0.2.2:3478");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 5);
  static const uint8_t rubbish[] = "no STUN at all, but long enough to be a header";
  sim_agent_feed(w->agent, &(floe_input){.type = FLOE_INPUT_DATAGRAM,
                                         .sock = 1,
                                         .addr = sim_addr("192.0.2.1:3478"),
                                         .data = {rubbish, sizeof rubbish}});
  assert_true(sim_agent_run_to_complete(w->agent, 10000));
  world_expect(w, BEGIN ERROR_300("5010.0", "udp_timeout") END("5010.0"));
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_unsigned_one_to_the_first_request_is_followed_and_noted),
      cmocka_unit_test(a_signed_one_is_followed),
      cmocka_unit_test(back_to_itself_is_a_loop),
      cmocka_unit_test(two_that_point_at_each_other_are_a_loop),
      cmocka_unit_test(five_hops_are_followed_and_a_sixth_is_not),
      cmocka_unit_test(without_an_address_it_stands),
      cmocka_unit_test(to_a_binding_request_it_stands),
      cmocka_unit_test(an_alternate_that_is_dead_tells_what_was_met_there),
      cmocka_unit_test(an_error_of_the_alternate_is_the_error),
      cmocka_unit_test(an_alternate_of_the_other_family_is_not_used),
      cmocka_unit_test(over_tcp_the_alternate_is_connected_to),
      cmocka_unit_test(over_tls_the_alternate_must_fit_the_configured_name),
      cmocka_unit_test(discards_and_soft_errors_start_anew),
      cmocka_unit_test(over_tls_a_signed_alternate_domain_is_believed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
