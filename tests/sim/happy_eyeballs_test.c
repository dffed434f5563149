/* The addresses of a name are tried in turn: the next 250 ms after the last, or at once when that one failed; the first
 * that answers wins (the contract's section 5, RFC 8305). */
#include "support/world.h"

#define URL       "stun:turn.example.org"
#define FOUND(ms) ms " candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 " URL "\n" END(ms)

static world *three_addresses(void) {
  world *w = world_new(1);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.11", "192.0.2.12", "192.0.2.13", NULL);
  world_add(w, URL);
  return w;
}

static void the_first_that_answers_is_the_only_one_asked(void **state) {
  (void)state;
  world *w = three_addresses();
  world_other_server(w, "192.0.2.11", FLOE_TRANSPORT_UDP, NULL);
  world_gather(w);
  world_expect(w, BEGIN FOUND("20.0"));
  sim_run_for(w->s, 1000);
  world_expect_wire(w, "send", "10.0 send udp 10.0.0.1:50000 > 192.0.2.11:3478 Binding\n");
  world_free(w);
}

static void a_silent_one_is_joined_after_250_ms(void **state) {
  (void)state;
  world *w = three_addresses();
  world_other_server(w, "192.0.2.13", FLOE_TRANSPORT_UDP, NULL);
  world_gather(w);
  world_expect(w, BEGIN FOUND("520.0"));
  world_expect_wire(w, "send",
                    "10.0 send udp 10.0.0.1:50000 > 192.0.2.11:3478 Binding\n"
                    "260.0 send udp 10.0.0.1:50000 > 192.0.2.12:3478 Binding\n"
                    "510.0 send udp 10.0.0.1:50000 > 192.0.2.1*:3478 Binding\n"
                    "510.0 send udp 10.0.0.1:50000 > 192.0.2.1*:3478 Binding\n");
  world_free(w);
}

static void a_refused_one_is_followed_at_once(void **state) {
  (void)state;
  world *w = three_addresses();
  sim_reject(w->s, "192.0.2.11", 3, 3);
  sim_reject(w->s, "192.0.2.12", 3, 3);
  world_other_server(w, "192.0.2.13", FLOE_TRANSPORT_UDP, NULL);
  world_gather(w);
  world_expect(w, BEGIN FOUND("40.0"));
  world_free(w);
}

static void the_first_to_answer_wins_and_the_others_stop(void **state) {
  (void)state;
  world *w = three_addresses();
  world_other_server(w, "192.0.2.11", FLOE_TRANSPORT_UDP, "late=600");
  world_other_server(w, "192.0.2.12", FLOE_TRANSPORT_UDP, NULL);
  world_gather(w);
  world_expect(w, BEGIN FOUND("270.0"));
  sim_run_for(w->s, 5000);
  world_expect_wire(w, "send",
                    "10.0 send udp 10.0.0.1:50000 > 192.0.2.11:3478 Binding\n"
                    "260.0 send udp 10.0.0.1:50000 > 192.0.2.12:3478 Binding\n");
  world_free(w);
}

static void a_slow_first_one_can_still_win(void **state) {
  (void)state;
  world *w = three_addresses();
  world_other_server(w, "192.0.2.11", FLOE_TRANSPORT_UDP, "late=400");
  world_gather(w);
  world_expect(w, BEGIN FOUND("420.0"));
  world_free(w);
}

/* An error response is an answer too: it wins and stands. */
static void an_error_of_the_first_stands(void **state) {
  (void)state;
  world *w = three_addresses();
  world_other_server(w, "192.0.2.11", FLOE_TRANSPORT_UDP, "error=500:Broken");
  world_other_server(w, "192.0.2.12", FLOE_TRANSPORT_UDP, NULL);
  world_gather(w);
  world_expect(w, BEGIN "20.0 error 500 stun_error " URL " at 10.0.0.1:50000 binding \"Broken\"\n" END("20.0"));
  world_free(w);
}

/* Over TURN the challenge is the answer that decides: the allocation is made at that address only. */
static void only_one_address_gets_an_allocation(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.11", "192.0.2.12", NULL);
  world_add(w, "turn:turn.example.org");
  sim_server *first = world_other_server(w, "192.0.2.11", FLOE_TRANSPORT_UDP, "late=245");
  sim_server *second = world_other_server(w, "192.0.2.12", FLOE_TRANSPORT_UDP, NULL);
  world_gather(w);
  sim_run_for(w->s, 5000);
  assert_int_equal(sim_server_counters(first).allocations + sim_server_counters(second).allocations, 1);
  world_free(w);
}

static void all_silent_is_one_event_after_the_last_gave_up(void **state) {
  (void)state;
  world *w = three_addresses();
  world_gather(w);
  world_expect(w, BEGIN "5510.0 error 701 udp_timeout " URL " at 10.0.0.1:50000 binding\n" END("5510.0"));
  world_expect_report(w, "report failed\nserver 0.0 failed udp_timeout " URL "\n  attempt error 701 *\n");
  world_free(w);
}

static void of_failed_addresses_the_one_that_says_most_is_told(void **state) {
  (void)state;
  char text[FLOE_ADDR_TEXT];
  world *w = three_addresses();
  sim_reject(w->s, "192.0.2.11", 3, 3);
  world_other_server(w, "192.0.2.12", FLOE_TRANSPORT_UDP, "garbage");
  sim_reject(w->s, "192.0.2.13", 3, 3);
  world_gather(w);
  world_expect(w, BEGIN "5020.0 error 701 not_stun " URL " at 10.0.0.1:50000 binding\n" END("5020.0"));
  assert_string_equal(floe_addr_format(&sim_agent_error(w->agent, 0)->detail.server_address, text), "192.0.2.12:3478");
  world_free(w);
}

static void over_tcp_a_dead_first_address_costs_250_ms(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.11", "192.0.2.12", NULL);
  world_other_server(w, "192.0.2.12", FLOE_TRANSPORT_TCP, NULL);
  world_add(w, "turn:turn.example.org?transport=tcp");
  world_gather(w);
  world_expect(w, BEGIN
               "290.0 candidate relay 192.0.2.12:50000 mapped=203.0.113.1:40001 tcp "
               "turn:turn.example.org?transport=tcp\n" END("290.0"));
  world_free(w);
}

/* The first that answers wins, also when it falls silent later and another one has said more before. */
static void the_winner_decides_how_the_attempt_ends(void **state) {
  (void)state;
  char text[FLOE_ADDR_TEXT];
  world *w = world_new(1);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.11", "192.0.2.12", "192.0.2.13", NULL);
  world_other_server(w, "192.0.2.11", FLOE_TRANSPORT_TCP, "garbage");
  world_other_server(w, "192.0.2.12", FLOE_TRANSPORT_TCP, "close-after-401");
  world_other_server(w, "192.0.2.13", FLOE_TRANSPORT_TCP, NULL);
  world_add(w, "turn:turn.example.org?transport=tcp");
  world_gather(w);
  /* look-up 10, not_stun at 30, connected to the second at 40, its challenge and FIN at 50 */
  world_expect(
      w,
      BEGIN "50.0 error 701 tcp_closed turn:turn.example.org?transport=tcp at 10.0.0.1:50002 allocate\n" END("50.0"));
  assert_string_equal(floe_addr_format(&sim_agent_error(w->agent, 0)->detail.server_address, text), "192.0.2.12:3478");
  world_free(w);
}

static void the_delay_can_be_set(void **state) {
  (void)state;
  world *w = three_addresses();
  w->cfg.timing.address_delay_ms = 40;
  world_other_server(w, "192.0.2.12", FLOE_TRANSPORT_UDP, NULL);
  world_gather(w);
  world_expect(w, BEGIN FOUND("60.0"));
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_that_answers_is_the_only_one_asked),
      cmocka_unit_test(a_silent_one_is_joined_after_250_ms),
      cmocka_unit_test(a_refused_one_is_followed_at_once),
      cmocka_unit_test(the_first_to_answer_wins_and_the_others_stop),
      cmocka_unit_test(a_slow_first_one_can_still_win),
      cmocka_unit_test(an_error_of_the_first_stands),
      cmocka_unit_test(only_one_address_gets_an_allocation),
      cmocka_unit_test(all_silent_is_one_event_after_the_last_gave_up),
      cmocka_unit_test(of_failed_addresses_the_one_that_says_most_is_told),
      cmocka_unit_test(over_tcp_a_dead_first_address_costs_250_ms),
      cmocka_unit_test(the_winner_decides_how_the_attempt_ends),
      cmocka_unit_test(the_delay_can_be_set),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
