/* The contract's section 2.2 and 2.3: at most one 701 per URL, once every attempt has ended, and only where none gave a
 * candidate or an error that stands; it tells the base and cause of the attempt that says most. */
#include "support/world.h"

static world *two_bases(void) {
  return world_new_natted(1, "eth0", "10.0.0.1", "eth1", "10.0.0.2", NULL);
}

#define TWO_BASES "0.0 state gathering\n0.0 candidate host 10.0.0.1:50000\n0.0 candidate host 10.0.0.2:50001\n"

static void refuse_from(world *w, const char *source, uint8_t type, uint8_t code) {
  sim_rule_add(
      w->s,
      &(sim_rule){
          .from = w->client, .source = sim_addr(source), .action = SIM_REJECT, .icmp_type = type, .icmp_code = code});
}

static void two_silent_attempts_are_one_event_with_the_first_base(void **state) {
  (void)state;
  world *w = two_bases();
  sim_drop(w->s, "192.0.2.1");
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w, TWO_BASES "5005.0 error 701 udp_timeout turn:192.0.2.1 at 10.0.0.1:50000 allocate\n" END("5005.0"));
  world_expect_report(w,
                      "report failed\n"
                      "server 0.0 failed udp_timeout turn:192.0.2.1\n"
                      "  attempt error 701 udp_timeout udp 10.0.0.1:50000 > 192.0.2.1:3478 allocate\n"
                      "  attempt error 701 udp_timeout udp 10.0.0.2:50001 > 192.0.2.1:3478 allocate\n");
  world_free(w);
}

static void the_later_group_wins_whenever_it_ended(void **state) {
  (void)state;
  world *w = two_bases();
  world_listen(w, FLOE_TRANSPORT_UDP, "garbage");
  refuse_from(w, "10.0.0.1", 3, 3); /* port_unreachable, group 3, at 10 ms */
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w, TWO_BASES "5005.0 error 701 not_stun turn:192.0.2.1 at 10.0.0.2:50001 allocate\n" END("5005.0"));
  world_free(w);
}

static void the_later_group_wins_also_when_it_ended_first(void **state) {
  (void)state;
  world *w = two_bases();
  world_listen(w, FLOE_TRANSPORT_UDP, "no-address"); /* malformed_response, group 5, at 20 ms */
  sim_rule_add(w->s, &(sim_rule){.source = sim_addr("10.0.0.2"), .action = SIM_DROP});
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(
      w, TWO_BASES "5005.0 error 701 malformed_response turn:192.0.2.1 at 10.0.0.1:50000 allocate\n" END("5005.0"));
  world_free(w);
}

static void within_a_group_the_first_that_ended_wins(void **state) {
  (void)state;
  world *w = two_bases();
  sim_rule_add(w->s, &(sim_rule){.source = sim_addr("10.0.0.1"), .action = SIM_DROP});
  refuse_from(w, "10.0.0.2", 3, 3);
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w,
               TWO_BASES "5000.0 error 701 port_unreachable stun:192.0.2.1 at 10.0.0.2:50001 binding\n" END("5000.0"));
  world_free(w);
}

static void one_candidate_and_there_is_none(void **state) {
  (void)state;
  world *w = two_bases();
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  sim_rule_add(w->s, &(sim_rule){.source = sim_addr("10.0.0.2"), .action = SIM_DROP});
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w,
               TWO_BASES "10.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n" END("5005.0"));
  world_expect_report(w,
                      "report degraded\n"
                      "server 0.0 degraded udp_timeout stun:192.0.2.1\n"
                      "  attempt candidate udp 10.0.0.1:50000 > 192.0.2.1:3478 mapped=203.0.113.1:40000\n"
                      "  attempt error 701 udp_timeout udp 10.0.0.2:50001 > 192.0.2.1:3478 binding\n");
  world_free(w);
}

static void one_error_that_stands_and_there_is_none(void **state) {
  (void)state;
  world *w = two_bases();
  world_listen(w, FLOE_TRANSPORT_UDP, "error=500:Broken");
  sim_rule_add(w->s, &(sim_rule){.source = sim_addr("10.0.0.2"), .action = SIM_DROP});
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(
      w, TWO_BASES "10.0 error 500 stun_error stun:192.0.2.1 at 10.0.0.1:50000 binding \"Broken\"\n" END("5005.0"));
  world_expect_report(w,
                      "report failed\n"
                      "server 0.0 failed stun_error stun:192.0.2.1\n"
                      "  attempt error 500 stun_error udp 10.0.0.1:50000 > 192.0.2.1:3478 binding \"Broken\"\n"
                      "  attempt error 701 udp_timeout udp 10.0.0.2:50001 > 192.0.2.1:3478 binding\n");
  world_free(w);
}

static void a_challenge_that_is_followed_by_silence_is_no_standing_error(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "silent-after-401");
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN "5010.0 error 701 udp_timeout turn:192.0.2.1 at 10.0.0.1:50000 allocate\n" END("5010.0"));
  world_free(w);
}

static void each_url_has_its_own(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_reject(w->s, "192.0.2.1", 3, 3);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "turn:192.0.2.1");
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  world_expect(w, BEGIN
               "10.0 error 701 port_unreachable stun:192.0.2.1 at 10.0.0.1:50000 binding\n"
               "10.0 error 701 port_unreachable turn:192.0.2.1 at 10.0.0.1:50000 allocate\n" /* the same 5-tuple */
               "20.0 error 701 tcp_refused turn:192.0.2.1?transport=tcp at 10.0.0.1:* connect\n" END("20.0"));
  world_free(w);
}

static void the_urls_of_one_entry_are_counted_each(void **state) {
  (void)state;
  static const char *const urls[] = {"turn:192.0.2.1", "turn:192.0.2.1?transport=tcp"};
  world *w = world_new(1);
  sim_reject(w->s, "192.0.2.1", 3, 3);
  world_add(w, "turn:192.0.2.1");
  w->ice_servers[0].urls = urls;
  w->ice_servers[0].n_urls = 2;
  world_gather(w);
  world_expect(w, BEGIN
               "10.0 error 701 port_unreachable turn:192.0.2.1 at 10.0.0.1:50000 allocate\n"
               "15.0 error 701 tcp_refused turn:192.0.2.1?transport=tcp at 10.0.0.1:* connect\n" END("15.0"));
  world_expect_report(w,
                      "report failed\n"
                      "server 0.0 failed port_unreachable turn:192.0.2.1\n"
                      "  attempt error *\n"
                      "server 0.1 failed tcp_refused turn:192.0.2.1?transport=tcp\n"
                      "  attempt error *\n");
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_silent_attempts_are_one_event_with_the_first_base),
      cmocka_unit_test(the_later_group_wins_whenever_it_ended),
      cmocka_unit_test(the_later_group_wins_also_when_it_ended_first),
      cmocka_unit_test(within_a_group_the_first_that_ended_wins),
      cmocka_unit_test(one_candidate_and_there_is_none),
      cmocka_unit_test(one_error_that_stands_and_there_is_none),
      cmocka_unit_test(a_challenge_that_is_followed_by_silence_is_no_standing_error),
      cmocka_unit_test(each_url_has_its_own),
      cmocka_unit_test(the_urls_of_one_entry_are_counted_each),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
