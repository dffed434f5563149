/* Names: each way a look-up ends, both families side by side, the second family's 1 s, one look-up per name (the
 * contract's sections 2 and 5). */
#include "support/world.h"

#define NAME "turn.example.org"
#define URL  "stun:turn.example.org"
#define DUAL                                                 \
  "0.0 state gathering\n0.0 candidate host 10.0.0.1:50000\n" \
  "0.0 candidate host [2001:db8:1::1]:50001\n"

static world *dual(void) {
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth0", "2001:db8:1::1", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  sim_dns_add(w->s, NAME, "192.0.2.1", "2001:db8:2::1", NULL);
  world_add(w, URL);
  return w;
}

static const struct {
  floe_dns_status status;
  const char *cause;
} statuses[] = {{FLOE_DNS_UNREACHABLE, "dns_unreachable"}, {FLOE_DNS_TIMEOUT, "dns_timeout"},
                {FLOE_DNS_REFUSED, "dns_refused"},         {FLOE_DNS_SERVFAIL, "dns_servfail"},
                {FLOE_DNS_NODATA, "dns_nodata"},           {FLOE_DNS_NXDOMAIN, "dns_nxdomain"}};
#define N_STATUSES (sizeof statuses / sizeof statuses[0])

static void each_status_has_its_cause(void **state) {
  (void)state;
  for (size_t i = 0; i < N_STATUSES; i++) {
    char expected[300];
    world *w = world_new(1);
    sim_dns_set(w->s, NAME, FLOE_FAMILY_IPV4, statuses[i].status, 30);
    world_add(w, URL);
    world_gather(w);
    (void)snprintf(expected, sizeof expected, BEGIN "30.0 error 701 %s " URL " at - dns\n" END("30.0"),
                   statuses[i].cause);
    world_expect(w, expected);
    const sim_error *e = sim_agent_error(w->agent, 0);
    assert_true(e->detail.has_dns_status);
    assert_int_equal(e->detail.dns_status, statuses[i].status);
    assert_string_equal(e->server_name, NAME);
    world_free(w);
  }
}

static void of_two_causes_the_later_in_the_group_is_told(void **state) {
  (void)state;
  for (size_t i = 0; i < N_STATUSES; i++) {
    for (size_t k = 0; k < N_STATUSES; k++) {
      char expected[300];
      world *w = dual();
      sim_dns_set(w->s, NAME, FLOE_FAMILY_IPV4, statuses[i].status, 20);
      sim_dns_set(w->s, NAME, FLOE_FAMILY_IPV6, statuses[k].status, 40);
      world_gather(w);
      (void)snprintf(expected, sizeof expected, DUAL "40.0 error 701 %s " URL " at - dns\n" END("40.0"),
                     statuses[i > k ? i : k].cause);
      world_expect(w, expected);
      world_free(w);
    }
  }
}

static void each_family_starts_when_its_own_answer_comes(void **state) {
  (void)state;
  world *w = dual();
  sim_dns_set(w->s, NAME, FLOE_FAMILY_IPV6, FLOE_DNS_OK, 500);
  world_gather(w);
  world_expect(w, DUAL "20.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 " URL "\n" END("510.0"));
  world_expect_wire(w, "send",
                    "10.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Binding\n"
                    "500.0 send udp [2001:db8:1::1]:50001 > [2001:db8:2::1]:3478 Binding\n");
  world_free(w);
}

static void the_second_family_is_given_one_second_more(void **state) {
  (void)state;
  for (int first = 0; first < 2; first++) {
    world *w = dual();
    sim_dns_silence(w->s, NAME, first == 0 ? FLOE_FAMILY_IPV6 : FLOE_FAMILY_IPV4);
    world_gather(w);
    world_expect(w, first == 0 ? DUAL "20.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 " URL
                                      "\n" END("1010.0")
                               : DUAL END("1010.0"));
    world_expect_report(w, first == 0 ? "report degraded\nserver 0.0 degraded dns_timeout " URL
                                        "\n  attempt candidate *\n  attempt error 701 dns_timeout udp - > - dns\n"
                                      : "report degraded\nserver 0.0 degraded dns_timeout " URL
                                        "\n  attempt candidate *\n  attempt error 701 dns_timeout udp - > - dns\n");
    world_free(w);
  }
}

static void the_second_family_is_not_waited_for_longer_than_its_own_deadline(void **state) {
  (void)state;
  world *w = dual();
  sim_dns_set(w->s, NAME, FLOE_FAMILY_IPV4, FLOE_DNS_OK, 3500);
  sim_dns_silence(w->s, NAME, FLOE_FAMILY_IPV6);
  world_gather(w);
  world_expect(w, DUAL "3510.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 " URL "\n" END("4000.0"));
  world_free(w);
}

static void an_answer_that_comes_too_late_is_ignored(void **state) {
  (void)state;
  world *w = dual();
  sim_dns_set(w->s, NAME, FLOE_FAMILY_IPV6, FLOE_DNS_OK, 1500);
  world_gather(w);
  world_expect(w, DUAL "20.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 " URL "\n" END("1010.0"));
  sim_run_for(w->s, 3000);
  world_expect_wire(w, "[2001", "");
  world_free(w);
}

/* A negative answer of one family is an answer: the other then has 1 s more. */
static void a_negative_answer_starts_the_second_too(void **state) {
  (void)state;
  world *w = dual();
  sim_dns_set(w->s, NAME, FLOE_FAMILY_IPV4, FLOE_DNS_NODATA, 10);
  sim_dns_silence(w->s, NAME, FLOE_FAMILY_IPV6);
  world_gather(w);
  world_expect(w, DUAL "1010.0 error 701 dns_nodata " URL " at - dns\n" END("1010.0"));
  world_free(w);
}

static void one_family_without_addresses_is_a_degraded_server(void **state) {
  (void)state;
  world *w = dual();
  sim_dns_set(w->s, NAME, FLOE_FAMILY_IPV6, FLOE_DNS_NODATA, 10);
  world_gather(w);
  world_expect(w, DUAL "20.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 " URL "\n" END("20.0"));
  world_expect_report(w,
                      "report degraded\n"
                      "server 0.0 degraded dns_nodata " URL
                      "\n"
                      "  attempt *\n"
                      "...\n");
  world_free(w);
}

static void a_name_is_looked_up_once_for_all_urls(void **state) {
  (void)state;
  world *w = dual();
  world_listen(w, FLOE_TRANSPORT_TCP, NULL);
  world_add(w, "turn:turn.example.org");
  world_add(w, "turn:TURN.EXAMPLE.ORG?transport=tcp");
  world_gather(w);
  assert_int_equal(sim_dns_queries(w->s, NAME, FLOE_FAMILY_IPV4), 1);
  assert_int_equal(sim_dns_queries(w->s, NAME, FLOE_FAMILY_IPV6), 1);
  world_free(w);
}

static void one_failed_look_up_is_an_event_for_each_url(void **state) {
  (void)state;
  world *w = world_new(1);
  world_add(w, "stun:no.such.name");
  world_add(w, "turn:no.such.name");
  world_gather(w);
  world_expect(w, BEGIN
               "10.0 error 701 dns_nxdomain stun:no.such.name at - dns\n"
               "10.0 error 701 dns_nxdomain turn:no.such.name at - dns\n" END("10.0"));
  world_free(w);
}

static void a_literal_is_never_looked_up(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect_wire(w, "resolve", "");
  world_free(w);
}

/* A DNS failure of one family says less than what the other family's attempt met. */
static void a_later_group_beats_a_dns_cause(void **state) {
  (void)state;
  world *w = dual();
  sim_drop(w->s, "192.0.2.1");
  sim_dns_set(w->s, NAME, FLOE_FAMILY_IPV6, FLOE_DNS_NXDOMAIN, 10);
  world_gather(w);
  world_expect(w, DUAL "5010.0 error 701 udp_timeout " URL " at 10.0.0.1:50000 binding\n" END("5010.0"));
  world_free(w);
}

/* The last thing that a URL waits for is an answer of which no attempt can be made: its 701 comes then. */
static void a_family_that_brings_no_attempt_ends_the_url(void **state) {
  (void)state;
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth0", "2001:db8:1::1", NULL);
  sim_dns_add(w->s, NAME, "192.0.2.1", "fe80::99", NULL); /* no base is on a link */
  sim_dns_set(w->s, NAME, FLOE_FAMILY_IPV6, FLOE_DNS_OK, 300);
  world_add(w, URL);
  world_gather(w);
  world_expect(w, DUAL "300.0 error 701 port_unreachable " URL " at 10.0.0.1:50000 binding\n" END("300.0"));
  world_free(w);
}

static void an_answer_without_addresses_is_no_data(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_dns_set(w->s, NAME, FLOE_FAMILY_IPV4, FLOE_DNS_OK, 10);
  world_add(w, URL);
  world_gather(w);
  world_expect(w, BEGIN "10.0 error 701 dns_nodata " URL " at - dns\n" END("10.0"));
  world_free(w);
}

static void an_address_that_comes_twice_is_tried_once(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_dns_add(w->s, NAME, "192.0.2.1", "192.0.2.1", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, "late=300");
  world_add(w, URL);
  world_gather(w);
  world_expect(w, BEGIN "320.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 " URL "\n" END("320.0"));
  world_expect_wire(w, "send", "10.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Binding\n");
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_status_has_its_cause),
      cmocka_unit_test(of_two_causes_the_later_in_the_group_is_told),
      cmocka_unit_test(each_family_starts_when_its_own_answer_comes),
      cmocka_unit_test(the_second_family_is_given_one_second_more),
      cmocka_unit_test(the_second_family_is_not_waited_for_longer_than_its_own_deadline),
      cmocka_unit_test(an_answer_that_comes_too_late_is_ignored),
      cmocka_unit_test(a_negative_answer_starts_the_second_too),
      cmocka_unit_test(one_family_without_addresses_is_a_degraded_server),
      cmocka_unit_test(a_name_is_looked_up_once_for_all_urls),
      cmocka_unit_test(one_failed_look_up_is_an_event_for_each_url),
      cmocka_unit_test(a_literal_is_never_looked_up),
      cmocka_unit_test(a_later_group_beats_a_dns_cause),
      cmocka_unit_test(an_answer_without_addresses_is_no_data),
      cmocka_unit_test(an_address_that_comes_twice_is_tried_once),
      cmocka_unit_test(a_family_that_brings_no_attempt_ends_the_url),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
