/* The contract's section 2.1, 2.7 and 2.8: an error that stands is told at once, with its code, its phrase and the base
 * of its attempt; an equal one is not told again; it stops nobody else. */
#include "support/world.h"

static void it_is_told_when_it_arrives(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "error-after-auth=486:Allocation Quota Reached");
  sim_drop(w->s, "192.0.2.9");
  world_add(w, "turn:192.0.2.9");
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN
               "25.0 error 486 quota_reached turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Allocation Quota Reached\"\n"
               "5000.0 error 701 udp_timeout turn:192.0.2.9 at 10.0.0.1:50000 allocate\n" END("5000.0"));
  world_expect_report(w,
                      "report failed\n"
                      "server 0.0 failed udp_timeout turn:192.0.2.9\n"
                      "  attempt error 701 udp_timeout udp 10.0.0.1:50000 > 192.0.2.9:3478 allocate\n"
                      "server 1.0 failed quota_reached turn:192.0.2.1\n"
                      "  attempt error 486 quota_reached udp 10.0.0.1:50000 > 192.0.2.1:3478 allocate "
                      "\"Allocation Quota Reached\"\n");
  world_free(w);
}

static void a_bad_server_delays_only_complete(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  sim_drop(w->s, "192.0.2.9");
  world_add(w, "stun:192.0.2.9");
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN
               "15.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n"
               "5000.0 error 701 udp_timeout stun:192.0.2.9 at 10.0.0.1:50000 binding\n" END("5000.0"));
  world_free(w);
}

static void each_base_has_its_own_event(void **state) {
  (void)state;
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth1", "10.0.0.2", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, "error=403:No");
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 10.0.0.1:50000\n"
               "0.0 candidate host 10.0.0.2:50001\n"
               "10.0 error 403 forbidden stun:192.0.2.1 at 10.0.0.1:50000 binding \"No\"\n"
               "15.0 error 403 forbidden stun:192.0.2.1 at 10.0.0.2:50001 binding \"No\"\n" END("15.0"));
  world_free(w);
}

static void an_equal_event_is_not_told_twice(void **state) {
  (void)state;
  /* Under the relay-only policy no base is told, so that the events of the two bases are equal in all W3C fields. */
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth1", "10.0.0.2", NULL);
  w->cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  world_listen(w, FLOE_TRANSPORT_UDP, "error-after-auth=508:Full");
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "20.0 error 508 insufficient_capacity turn:192.0.2.1 at - allocate \"Full\"\n" END("25.0"));
  world_expect_report(w,
                      "report failed\n"
                      "server 0.0 failed insufficient_capacity turn:192.0.2.1\n"
                      "  attempt error 508 insufficient_capacity udp * > 192.0.2.1:3478 allocate \"Full\"\n"
                      "  attempt error 508 insufficient_capacity udp * > 192.0.2.1:3478 allocate \"Full\"\n");
  world_free(w);
}

static void another_url_or_other_credentials_make_it_another(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  world_listen(w, FLOE_TRANSPORT_UDP, "error=508:Full");
  world_add(w, "turn:192.0.2.1");
  world_add(w, "turn:192.0.2.1:3478");
  world_add_with(w, "turn:192.0.2.1", "other", "secret");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "10.0 error 508 insufficient_capacity turn:192.0.2.1 at - allocate \"Full\"\n"
               "15.0 error 508 insufficient_capacity turn:192.0.2.1:3478 at - allocate \"Full\"\n"
               "20.0 error 508 insufficient_capacity turn:192.0.2.1 at - allocate \"Full\"\n" END("20.0"));
  world_free(w);
}

/* The contract's table of causes for standing codes. */
static void each_code_has_its_cause(void **state) {
  (void)state;
  static const struct {
    const char *script;
    const char *line;
  } cases[] = {
      {"error-after-auth=400:Bad", "20.0 error 400 stun_error turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Bad\"\n"},
      {"error-after-auth=403:x", "20.0 error 403 forbidden turn:192.0.2.1 at 10.0.0.1:50000 allocate \"x\"\n"},
      {"error-after-auth=440:x", "20.0 error 440 family_unsupported turn:192.0.2.1 at 10.0.0.1:50000 allocate \"x\"\n"},
      {"error-after-auth=443:x", "20.0 error 443 family_unsupported turn:192.0.2.1 at 10.0.0.1:50000 allocate \"x\"\n"},
      {"error-after-auth=441:x", "20.0 error 441 auth_rejected turn:192.0.2.1 at 10.0.0.1:50000 allocate \"x\"\n"},
      {"error-after-auth=442:x",
       "20.0 error 442 transport_unsupported turn:192.0.2.1 at 10.0.0.1:50000 allocate \"x\"\n"},
      {"error-after-auth=486:x", "20.0 error 486 quota_reached turn:192.0.2.1 at 10.0.0.1:50000 allocate \"x\"\n"},
      {"error-after-auth=508:x",
       "20.0 error 508 insufficient_capacity turn:192.0.2.1 at 10.0.0.1:50000 allocate \"x\"\n"},
      {"error-after-auth=500:x", "20.0 error 500 stun_error turn:192.0.2.1 at 10.0.0.1:50000 allocate \"x\"\n"},
      {"error-after-auth=699:x", "20.0 error 699 stun_error turn:192.0.2.1 at 10.0.0.1:50000 allocate \"x\"\n"},
      {"error=500:Down", "10.0 error 500 stun_error turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Down\"\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    world *w = world_new(1);
    char expected[400];
    w->cfg.relay_family = FLOE_RELAY_FAMILY_IPV4; /* asks for one family: a 440 has nothing to be retried without */
    world_listen(w, FLOE_TRANSPORT_UDP, cases[i].script);
    world_add(w, "turn:192.0.2.1");
    world_gather(w);
    const char *when = cases[i].line[0] == '1' ? "10.0" : "20.0";
    (void)snprintf(expected, sizeof expected, BEGIN "%s%s candidate end\n%s state complete\n", cases[i].line, when,
                   when);
    world_expect(w, expected);
    world_free(w);
  }
}

static void an_empty_phrase_becomes_the_registry_s(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "error=486:");
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, "error=555:");
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:192.0.2.2");
  world_gather(w);
  world_expect(w, BEGIN
               "10.0 error 486 quota_reached stun:192.0.2.1 at 10.0.0.1:50000 binding \"Allocation Quota Reached\"\n"
               "15.0 error 555 stun_error stun:192.0.2.2 at 10.0.0.1:50000 binding \"Unknown error\"\n" END("15.0"));
  world_free(w);
}

static void the_detail_says_what_is_known(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "error-after-auth=486:Full");
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
  world_add(w, "turn:TURN.example.org");
  world_gather(w);
  const sim_error *e = sim_agent_error(w->agent, 0);
  char text[FLOE_ADDR_TEXT];
  assert_int_equal(e->detail.server_index, 0);
  assert_int_equal(e->detail.transport, FLOE_TRANSPORT_UDP);
  assert_int_equal(e->detail.family, FLOE_FAMILY_IPV4);
  assert_string_equal(floe_addr_format(&e->detail.server_address, text), "192.0.2.1:3478");
  assert_string_equal(floe_addr_format(&e->detail.local_address, text), "10.0.0.1:50000");
  assert_string_equal(e->server_name, "TURN.example.org");
  assert_string_equal(e->interface, "eth0");
  assert_string_equal(e->realm, "floe.test");
  assert_string_equal(e->software, "Floe testserver");
  assert_string_equal(e->hint, floe_cause_hint(FLOE_CAUSE_QUOTA_REACHED));
  assert_int_equal(e->detail.attempts, 2);
  assert_true(e->detail.has_rtt);
  assert_true(e->detail.rtt_ms > 9.99 && e->detail.rtt_ms < 10.01);
  assert_true(e->detail.started_ms > 9.99 && e->detail.started_ms < 10.01);
  assert_true(e->detail.elapsed_ms > 19.99 && e->detail.elapsed_ms < 20.01);
  assert_false(e->detail.has_os_error);
  assert_false(e->detail.has_icmp);
  assert_false(e->has_tls);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_is_told_when_it_arrives),
      cmocka_unit_test(a_bad_server_delays_only_complete),
      cmocka_unit_test(each_base_has_its_own_event),
      cmocka_unit_test(an_equal_event_is_not_told_twice),
      cmocka_unit_test(another_url_or_other_credentials_make_it_another),
      cmocka_unit_test(each_code_has_its_cause),
      cmocka_unit_test(an_empty_phrase_becomes_the_registry_s),
      cmocka_unit_test(the_detail_says_what_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
