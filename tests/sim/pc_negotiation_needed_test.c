/* negotiationneeded (webrtc-pc 4.7.3): when it fires, and when it does not. */
#include "support/pc_peers.h"

static pc_peers *by_hand(void) {
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peers_start(p);
  return p;
}

#define expect_fired(p, y, times)                                                                                   \
  do {                                                                                                              \
    uint64_t fired = (y)->x->n_negotiationneeded;                                                                   \
    if (fired != (times)) {                                                                                         \
      sim_fail((p)->s, "%s:%d: %s was asked %llu times", __FILE__, __LINE__, (y)->name, (unsigned long long)fired); \
    }                                                                                                               \
  } while (0)

static void nothing_is_needed_at_first(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  sim_run_for(p->s, 1000);
  sim_pc_restart_ice(p->alice.x); /* no credentials to replace */
  sim_run_for(p->s, 1000);
  pc_expect(&p->alice, "");
  pc_peers_free(p);
}

static void the_first_channel_needs_a_data_section(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  assert_non_null(sim_pc_channel(p->alice.x, "one", NULL));
  pc_expect(&p->alice, "negotiationneeded\n");
  assert_non_null(sim_pc_channel(p->alice.x, "two", NULL));
  sim_run_for(p->s, 1000);
  pc_expect(&p->alice, "negotiationneeded\n");
  pc_peers_offer_answer(&p->alice);
  sim_run_for(p->s, 1000);
  expect_fired(p, &p->alice, 1);
  assert_non_null(sim_pc_channel(p->alice.x, "three", NULL));
  assert_non_null(sim_pc_channel(p->bob.x, "four", NULL));
  sim_run_for(p->s, 1000);
  expect_fired(p, &p->alice, 1);
  expect_fired(p, &p->bob, 0);
  pc_peers_free(p);
}

/* Several reasons before the outputs are taken are one event. */
static void reasons_are_coalesced(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  pc_peers_offer_answer(&p->alice);
  sim_run_for(p->s, 1000);
  for (int i = 0; i < 3; i++) floe_pc_restart_ice(p->alice.x->core, sim_pc_now(p->alice.x));
  sim_pc_drain(p->alice.x);
  expect_fired(p, &p->alice, 2);
  sim_pc_restart_ice(p->alice.x); /* it was told already */
  expect_fired(p, &p->alice, 2);
  pc_peers_free(p);
}

/* What was needed when the event was queued may not be when its turn comes. */
static void it_is_asked_again_when_its_turn_comes(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  floe_data_channel *channel;
  assert_int_equal(floe_pc_create_data_channel(p->alice.x->core, sim_pc_now(p->alice.x), "data", NULL, &channel, NULL),
                   FLOE_OK);
  assert_int_equal(floe_pc_set_local_description(p->alice.x->core, sim_pc_now(p->alice.x), NULL, NULL), FLOE_OK);
  sim_pc_drain(p->alice.x);
  expect_fired(p, &p->alice, 0); /* not stable any more */
  pc_status(p, FLOE_OK, sim_pc_set_local(p->alice.x, FLOE_SDP_ROLLBACK, NULL));
  expect_fired(p, &p->alice, 1);
  pc_peers_free(p);
}

static void not_while_an_offer_is_pending(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  sim_pc_restart_ice(p->alice.x);
  sim_run_for(p->s, 1000);
  expect_fired(p, &p->alice, 1);
  char *offer = sim_pc_local_sdp(p->alice.x);
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, offer));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->bob.x));
  char *answer = sim_pc_local_sdp(p->bob.x);
  sim_pc_clear_log(p->alice.x);
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->alice.x, FLOE_SDP_ANSWER, answer));
  /* The restart was asked for after the offer was made: it is still to come. */
  expect_text(p->s, "events", sim_pc_main_events(p->alice.x),
              "signalingstatechange stable\n"
              "negotiationneeded\n"
              "...");
  free(offer);
  free(answer);
  pc_peers_free(p);
}

static void an_answer_may_be_what_was_needed(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  assert_non_null(sim_pc_channel(p->alice.x, "a", NULL));
  assert_non_null(sim_pc_channel(p->bob.x, "b", NULL));
  expect_fired(p, &p->bob, 1);
  pc_peers_offer_answer(&p->alice);
  sim_run_for(p->s, 1000);
  expect_fired(p, &p->bob, 1);
  expect_fired(p, &p->alice, 1);
  pc_peers_free(p);
}

static void a_rollback_needs_it_again(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  sim_pc_clear_log(p->alice.x);
  pc_status(p, FLOE_OK, sim_pc_set_local(p->alice.x, FLOE_SDP_ROLLBACK, NULL));
  expect_text(p->s, "events", sim_pc_main_events(p->alice.x),
              "signalingstatechange stable\n"
              "...\n"
              "negotiationneeded\n");
  pc_peers_free(p);
}

/* The implicit rollback is not the end: it is needed once the answer is set, if
 * then. */
static void an_implicit_rollback_needs_nothing_yet(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  assert_non_null(sim_pc_channel(p->alice.x, "a", NULL));
  assert_non_null(sim_pc_channel(p->bob.x, "b", NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  expect_fired(p, &p->alice, 1);
  char *offer = sim_pc_create_offer(p->bob.x, NULL);
  pc_status(p, FLOE_OK, sim_pc_set_local(p->bob.x, FLOE_SDP_OFFER, offer));
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->alice.x, FLOE_SDP_OFFER, offer));
  expect_fired(p, &p->alice, 1);
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  sim_run_for(p->s, 100);
  expect_fired(p, &p->alice, 1);
  free(offer);
  pc_peers_free(p);
}

static void a_restart_needs_it_and_an_offer_with_it_satisfies(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  pc_peers_offer_answer(&p->alice);
  sim_run_for(p->s, 1000);
  expect_fired(p, &p->alice, 1);
  sim_pc_restart_ice(p->alice.x);
  expect_fired(p, &p->alice, 2);
  char *before = sim_pc_local_sdp(p->alice.x);
  pc_peers_offer_answer(&p->alice);
  char *after = sim_pc_local_sdp(p->alice.x);
  assert_true(strncmp(strstr(before, "a=ice-ufrag:"), strstr(after, "a=ice-ufrag:"), 16) != 0);
  sim_run_for(p->s, 1000);
  expect_fired(p, &p->alice, 2);
  /* createOffer with iceRestart is the program's own affair */
  char *offer = sim_pc_create_offer(p->alice.x, &(floe_offer_options){.ice_restart = true});
  sim_run_for(p->s, 1000);
  expect_fired(p, &p->alice, 2);
  free(offer);
  free(before);
  free(after);
  pc_peers_free(p);
}

/* The other side's restart replaces our credentials, too. */
static void a_restart_may_come_with_the_peers_offer(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  pc_peers_offer_answer(&p->alice);
  sim_run_for(p->s, 1000);
  sim_pc_restart_ice(p->alice.x);
  sim_pc_restart_ice(p->bob.x);
  expect_fired(p, &p->alice, 2);
  expect_fired(p, &p->bob, 1);
  pc_peers_offer_answer(&p->bob);
  sim_run_for(p->s, 1000);
  expect_fired(p, &p->alice, 2);
  expect_fired(p, &p->bob, 1);
  pc_peers_free(p);
}

/* An offer with nothing but media leaves the need of a data section. */
static void an_offer_without_data_does_not_satisfy(void **state) {
  (void)state;
  static const char offer[] =
      "v=0\r\n"
      "o=- 1 1 IN IP4 0.0.0.0\r\n"
      "s=-\r\n"
      "t=0 0\r\n"
      "a=group:BUNDLE 0\r\n"
      "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
      "c=IN IP4 0.0.0.0\r\n"
      "a=mid:0\r\n"
      "a=ice-ufrag:abcd\r\n"
      "a=ice-pwd:abcdefghijklmnopqrstuv\r\n"
      "a=fingerprint:sha-256 "
      "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:"
      "88:99:AA:BB:CC:DD:EE:FF\r\n"
      "a=setup:actpass\r\n"
      "a=rtcp-mux\r\n"
      "a=sendrecv\r\n"
      "a=rtpmap:111 opus/48000/2\r\n";
  pc_peers *p = by_hand();
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  expect_fired(p, &p->alice, 1);
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->alice.x, FLOE_SDP_OFFER, offer));
  expect_fired(p, &p->alice, 1);
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  expect_fired(p, &p->alice, 2);
  pc_peers_free(p);
}

static void not_after_close(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  floe_data_channel *channel;
  assert_int_equal(floe_pc_create_data_channel(p->alice.x->core, sim_pc_now(p->alice.x), "data", NULL, &channel, NULL),
                   FLOE_OK);
  sim_pc_close(p->alice.x);
  sim_pc_restart_ice(p->alice.x);
  sim_run_for(p->s, 1000);
  pc_expect(&p->alice, "");
  pc_peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_needed_at_first),
      cmocka_unit_test(the_first_channel_needs_a_data_section),
      cmocka_unit_test(reasons_are_coalesced),
      cmocka_unit_test(it_is_asked_again_when_its_turn_comes),
      cmocka_unit_test(not_while_an_offer_is_pending),
      cmocka_unit_test(an_answer_may_be_what_was_needed),
      cmocka_unit_test(a_rollback_needs_it_again),
      cmocka_unit_test(an_implicit_rollback_needs_nothing_yet),
      cmocka_unit_test(a_restart_needs_it_and_an_offer_with_it_satisfies),
      cmocka_unit_test(a_restart_may_come_with_the_peers_offer),
      cmocka_unit_test(an_offer_without_data_does_not_satisfy),
      cmocka_unit_test(not_after_close),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
