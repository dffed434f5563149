/* The contract's section 3: what is discarded and counted over UDP, what ends the attempt over TCP and TLS, and what is
 * malformed. */
#include "support/world.h"

#define TIMEOUT_701(ms, cause) ms " error 701 " cause " turn:192.0.2.1 at 10.0.0.1:50000 allocate\n" END(ms)
#define TCP_701(ms, cause)     ms " error 701 " cause " turn:192.0.2.1?transport=tcp at 10.0.0.1:50001 allocate\n" END(ms)

static void check_udp(const char *script, const char *expected, const char *discarded) {
  world *w = world_new(1);
  w->ts.fingerprint = true;
  char report[64];
  world_listen(w, FLOE_TRANSPORT_UDP, script);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w, expected);
  (void)snprintf(report, sizeof report, "...\n  attempt error 701 * allocate%s\n", discarded);
  world_expect_report(w, report);
  world_free(w);
}

static void check_tcp(const char *script, const char *expected) {
  world *w = world_new(1);
  w->ts.fingerprint = true;
  world_listen(w, FLOE_TRANSPORT_TCP, script);
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  world_expect(w, expected);
  world_free(w);
}

static void over_udp_rubbish_is_discarded_until_the_deadline(void **state) {
  (void)state;
  check_udp("garbage", BEGIN TIMEOUT_701("5000.0", "not_stun"), " discarded=4");
  check_udp("truncated", BEGIN TIMEOUT_701("5000.0", "not_stun"), " discarded=4");
  check_udp("wrong-transaction", BEGIN TIMEOUT_701("5000.0", "wrong_transaction"), " discarded=4");
  check_udp("bad-fingerprint", BEGIN TIMEOUT_701("5000.0", "bad_fingerprint"), " discarded=4");
}

static void over_udp_bad_integrity_is_discarded_until_the_deadline(void **state) {
  (void)state;
  check_udp("wrong-integrity", BEGIN TIMEOUT_701("5010.0", "bad_integrity"), " discarded=4");
  check_udp("no-integrity", BEGIN TIMEOUT_701("5010.0", "bad_integrity"), " discarded=4");
}

static void over_tcp_what_cannot_begin_a_message_ends_it_at_once(void **state) {
  (void)state;
  check_tcp("garbage", BEGIN TCP_701("20.0", "not_stun"));
}

static void over_tcp_the_others_end_it_at_once_too(void **state) {
  (void)state;
  check_tcp("wrong-integrity", BEGIN TCP_701("30.0", "bad_integrity"));
  check_tcp("no-integrity", BEGIN TCP_701("30.0", "bad_integrity"));
}

/* The others are discarded and counted, over TCP as over UDP, and say more than `no_answer`. */
static void over_tcp_a_foreign_or_damaged_message_is_discarded(void **state) {
  (void)state;
  check_tcp("wrong-transaction", BEGIN TCP_701("5010.0", "wrong_transaction"));
  check_tcp("bad-fingerprint", BEGIN TCP_701("5010.0", "bad_fingerprint"));
}

static void over_tcp_half_a_message_is_no_answer(void **state) {
  (void)state;
  check_tcp("truncated", BEGIN TCP_701("5010.0", "no_answer"));
}

static void what_must_be_there_and_is_not_ends_the_attempt(void **state) {
  (void)state;
  check_udp("no-address", BEGIN TIMEOUT_701("20.0", "malformed_response"), " mapped=203.0.113.1:40000*");
  check_udp("lifetime-0", BEGIN TIMEOUT_701("20.0", "malformed_response"), " mapped=203.0.113.1:40000*");
  check_udp("bad-error-class", BEGIN TIMEOUT_701("10.0", "malformed_response"), "");
  check_udp("overrun", BEGIN TIMEOUT_701("10.0", "malformed_response"), "");
  check_tcp("no-address", BEGIN TCP_701("30.0", "malformed_response"));
  check_tcp("bad-error-class", BEGIN TCP_701("20.0", "malformed_response"));
}

static void a_binding_answer_without_an_address_is_malformed(void **state) {
  (void)state;
  static const char *const scripts[] = {"no-address", "bad-error-class", "overrun"};
  for (size_t i = 0; i < 3; i++) {
    world *w = world_new(1);
    world_listen(w, FLOE_TRANSPORT_UDP, scripts[i]);
    world_add(w, "stun:192.0.2.1");
    world_gather(w);
    world_expect(w, BEGIN "10.0 error 701 malformed_response stun:192.0.2.1 at 10.0.0.1:50000 binding\n" END("10.0"));
    world_free(w);
  }
}

/* A second server behind the same address mixes in rubbish before the good answer: it is counted and changes nothing.
 */
static void rubbish_beside_a_good_answer_is_only_counted(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "late=300");
  world_add(w, "stun:192.0.2.1");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 100);
  static const uint8_t rubbish[] = "no STUN at all, but long enough to be a header";
  sim_agent_feed(w->agent, &(floe_input){.type = FLOE_INPUT_DATAGRAM,
                                         .sock = 1,
                                         .addr = sim_addr("192.0.2.1:3478"),
                                         .data = {rubbish, sizeof rubbish}});
  assert_true(sim_agent_run_to_complete(w->agent, 10000));
  world_expect(w, BEGIN "310.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n" END("310.0"));
  world_expect_report(w, "report ok\nserver 0.0 ok - stun:192.0.2.1\n  attempt candidate * discarded=1\n");
  world_free(w);
}

static void the_first_kind_of_several_is_told(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "wrong-transaction");
  world_add(w, "stun:192.0.2.1");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 5);
  static const uint8_t rubbish[] = "no STUN at all, but long enough to be a header";
  sim_agent_feed(w->agent, &(floe_input){.type = FLOE_INPUT_DATAGRAM,
                                         .sock = 1,
                                         .addr = sim_addr("192.0.2.1:3478"),
                                         .data = {rubbish, sizeof rubbish}});
  assert_true(sim_agent_run_to_complete(w->agent, 10000));
  world_expect(w, BEGIN "5000.0 error 701 not_stun stun:192.0.2.1 at 10.0.0.1:50000 binding\n" END("5000.0"));
  world_free(w);
}

static void what_a_stranger_sends_counts_for_nobody(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "silent");
  world_add(w, "stun:192.0.2.1");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 5);
  static const uint8_t rubbish[] = "no STUN at all, but long enough to be a header";
  sim_agent_feed(w->agent, &(floe_input){.type = FLOE_INPUT_DATAGRAM,
                                         .sock = 1,
                                         .addr = sim_addr("198.51.100.66:3478"),
                                         .data = {rubbish, sizeof rubbish}});
  assert_true(sim_agent_run_to_complete(w->agent, 10000));
  world_expect(w, BEGIN "5000.0 error 701 udp_timeout stun:192.0.2.1 at 10.0.0.1:50000 binding\n" END("5000.0"));
  world_free(w);
}

/* A duplicate of an answer that was taken is no sign of a broken server. */
static void a_late_duplicate_is_no_discard(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_path_default(w->s, &(sim_path){.delay_us = 5000, .duplicate = 1000});
  world_listen(w, FLOE_TRANSPORT_UDP, "error-after-auth=486:Full");
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w,
               BEGIN "20.0 error 486 quota_reached turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Full\"\n" END("20.0"));
  world_expect_report(w, "...\n  attempt error 486 * allocate \"Full\"\n");
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(over_udp_rubbish_is_discarded_until_the_deadline),
      cmocka_unit_test(over_udp_bad_integrity_is_discarded_until_the_deadline),
      cmocka_unit_test(over_tcp_what_cannot_begin_a_message_ends_it_at_once),
      cmocka_unit_test(over_tcp_the_others_end_it_at_once_too),
      cmocka_unit_test(over_tcp_a_foreign_or_damaged_message_is_discarded),
      cmocka_unit_test(over_tcp_half_a_message_is_no_answer),
      cmocka_unit_test(what_must_be_there_and_is_not_ends_the_attempt),
      cmocka_unit_test(a_binding_answer_without_an_address_is_malformed),
      cmocka_unit_test(rubbish_beside_a_good_answer_is_only_counted),
      cmocka_unit_test(the_first_kind_of_several_is_told),
      cmocka_unit_test(what_a_stranger_sends_counts_for_nobody),
      cmocka_unit_test(a_late_duplicate_is_no_discard),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
