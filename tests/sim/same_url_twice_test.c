/* The contract's section 2.9: the same URL twice with the same credentials is gathered once, with one event, and has a
 * summary for each entry; with other credentials it is gathered for each. */
#include "support/world.h"

static void the_same_credentials_are_gathered_once(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN
               "20.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
               "20.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 turn:192.0.2.1\n" END("20.0"));
  world_expect_report(w,
                      "report ok\n"
                      "server 0.0 ok - turn:192.0.2.1\n"
                      "  attempt candidate udp 10.0.0.1:50000 > 192.0.2.1:3478 mapped=203.0.113.1:40000 relayed=*\n"
                      "server 1.0 ok - turn:192.0.2.1\n"
                      "  attempt candidate udp 10.0.0.1:50000 > 192.0.2.1:3478 mapped=203.0.113.1:40000 relayed=*\n");
  assert_int_equal(sim_server_counters(w->server).requests, 2);
  world_free(w);
}

static void an_error_is_told_once_and_stands_in_both_summaries(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "error=500:Broken");
  sim_drop(w->s, "192.0.2.9");
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:192.0.2.9");
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:192.0.2.9");
  world_gather(w);
  world_expect(w, BEGIN
               "10.0 error 500 stun_error stun:192.0.2.1 at 10.0.0.1:50000 binding \"Broken\"\n"
               "5005.0 error 701 udp_timeout stun:192.0.2.9 at 10.0.0.1:50000 binding\n" END("5005.0"));
  world_expect_report(w,
                      "report failed\n"
                      "server 0.0 failed stun_error stun:192.0.2.1\n"
                      "  attempt error 500 *\n"
                      "server 1.0 failed udp_timeout stun:192.0.2.9\n"
                      "  attempt error 701 *\n"
                      "server 2.0 failed stun_error stun:192.0.2.1\n"
                      "  attempt error 500 *\n"
                      "server 3.0 failed udp_timeout stun:192.0.2.9\n"
                      "  attempt error 701 *\n");
  assert_int_equal(sim_server_counters(w->server).requests, 1);
  world_free(w);
}

static void other_credentials_are_gathered_for_each(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add_with(w, "turn:192.0.2.1", "user", "wrong");
  world_add_with(w, "turn:192.0.2.1", "user", "secret");
  world_gather(w);
  world_expect(w, BEGIN
               "20.0 error 401 auth_rejected turn:192.0.2.1 at 10.0.0.1:50000 allocate \"*\"\n"
               "25.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:* udp turn:192.0.2.1\n"
               "25.0 candidate srflx 203.0.113.1:* base=10.0.0.1:* turn:192.0.2.1\n" END("25.0"));
  world_expect_report(w,
                      "report failed\n"
                      "server 0.0 failed auth_rejected turn:192.0.2.1\n"
                      "  attempt error 401 *\n"
                      "server 1.0 ok - turn:192.0.2.1\n"
                      "  attempt candidate *\n");
  world_free(w);
}

/* RFC 8656 3.2: an allocation is named by its 5-tuple, so two users at one server need two local ports. */
static void two_good_users_have_an_allocation_each(void **state) {
  (void)state;
  world *w = world_new(1);
  w->ts.username = NULL;
  w->ts.credential = NULL;
  w->ts.secret = "north";
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  /* HMAC-SHA1("north", user name), valid until 2026-01-02 */
  world_add_with(w, "turn:192.0.2.1", "1767312000:a", "IqGfNS6jnrHYL4ceLBoB4dWYtVA=");
  world_add_with(w, "turn:192.0.2.1", "1767312000:b", "izv2tO+vedB6QKmi26w90j3YAis=");
  world_gather(w);
  world_expect(w, BEGIN
               "20.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
               "20.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 turn:192.0.2.1\n"
               "25.0 candidate relay 192.0.2.1:50001 mapped=203.0.113.1:40001 udp turn:192.0.2.1\n"
               "25.0 candidate srflx 203.0.113.1:40001 base=10.0.0.1:50001 turn:192.0.2.1\n" END("25.0"));
  assert_int_equal(sim_server_counters(w->server).allocations, 2);
  world_free(w);
}

static void a_different_spelling_is_a_different_url(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_reject(w->s, "192.0.2.1", 3, 3);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "STUN:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN
               "10.0 error 701 port_unreachable stun:192.0.2.1 at 10.0.0.1:50000 binding\n"
               "10.0 error 701 port_unreachable STUN:192.0.2.1 at 10.0.0.1:50000 binding\n" END("10.0"));
  world_free(w);
}

static void two_names_for_one_user_are_not_confused(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "silent");
  world_add_with(w, "turn:192.0.2.1", "a", "one-credential");
  world_add_with(w, "turn:192.0.2.1", "b", "one-credential");
  world_gather(w);
  world_expect(w, BEGIN
               "5000.0 error 701 udp_timeout turn:192.0.2.1 at 10.0.0.1:50000 allocate\n"
               "5005.0 error 701 udp_timeout turn:192.0.2.1 at 10.0.0.1:* allocate\n" END("5005.0"));
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_credentials_are_gathered_once),
      cmocka_unit_test(an_error_is_told_once_and_stands_in_both_summaries),
      cmocka_unit_test(other_credentials_are_gathered_for_each),
      cmocka_unit_test(two_good_users_have_an_allocation_each),
      cmocka_unit_test(a_different_spelling_is_a_different_url),
      cmocka_unit_test(two_names_for_one_user_are_not_confused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
