/* Perfect negotiation (webrtc-pc 10.7): both sides negotiate at random moments, and it always comes to rest. */
#include "support/pc_peers.h"

static pc_peers *polite_and_impolite(uint64_t seed) {
  pc_peers *p = pc_peers_new(seed);
  p->alice.perfect = p->bob.perfect = true;
  p->bob.polite = true;
  p->bob.negotiates = true;
  p->alice.out.delay_ms = p->bob.out.delay_ms = 30;
  return p;
}

/* Both make a channel in the same moment. */
static void both_offer_at_once(void **state) {
  (void)state;
  pc_peers *p = polite_and_impolite(1);
  pc_peers_start(p);
  assert_non_null(sim_pc_channel(p->alice.x, "of alice", NULL));
  assert_non_null(sim_pc_channel(p->bob.x, "of bob", NULL));
  pc_true(p, pc_peers_connect(p, 3000));
  sim_run_for(p->s, 1000);
  /* bob is polite: he takes his offer back; alice ignores it */
  pc_expect_with(&p->alice, "signalingstatechange",
                 "signalingstatechange have-local-offer\n"
                 "signalingstatechange stable\n");
  pc_expect_with(&p->bob, "signalingstatechange",
                 "signalingstatechange have-local-offer\n"
                 "signalingstatechange stable\n"
                 "signalingstatechange have-remote-offer\n"
                 "signalingstatechange stable\n");
  assert_int_equal(p->alice.n_offers_ignored, 1);
  assert_int_equal(p->bob.n_offers_ignored, 0);
  assert_int_equal(p->alice.n_offers_sent, 1);
  assert_int_equal(p->bob.n_offers_sent, 1);
  pc_expect_with(&p->alice, "negotiationneeded", "negotiationneeded\n");
  pc_expect_with(&p->bob, "negotiationneeded", "negotiationneeded\n");
  pc_expect_with(&p->alice, "datachannel", "datachannel of bob\n");
  pc_expect_with(&p->bob, "datachannel", "datachannel of alice\n");
  pc_peers_exchange(p);
  pc_peers_free(p);
}

/* The implicit rollback gives the candidates of the rolled back offer up, and gathers anew for the answer. */
static void the_polite_one_gathers_for_its_answer(void **state) {
  (void)state;
  pc_peers *p = polite_and_impolite(1);
  pc_peers_start(p);
  assert_non_null(sim_pc_channel(p->bob.x, "of bob", NULL));
  sim_run_for(p->s, 20); /* gathered, on its way */
  assert_int_equal(p->bob.x->told_gathering, FLOE_ICE_GATHERING_COMPLETE);
  assert_non_null(sim_pc_channel(p->alice.x, "of alice", NULL));
  pc_true(p, pc_peers_connect(p, 3000));
  assert_int_equal(p->bob.x->told_gathering, FLOE_ICE_GATHERING_COMPLETE);
  pc_peers_exchange(p);
  pc_peers_free(p);
}

static void restart_and_channels_at_random(pc_peers *p, pc_peer *y, unsigned *n_channels) {
  char label[40];
  switch (sim_random_below(p->s, 4)) {
    case 0: sim_pc_restart_ice(y->x); return;
    case 1:
      (void)snprintf(label, sizeof label, "%s %u", y->name, *n_channels);
      if (*n_channels >= 10) return;
      ++*n_channels;
      sim_channel_flow(sim_pc_channel(y->x, label, NULL), 20, 50, 2000, true);
      return;
    default: return;
  }
}

static void it_comes_to_rest(uint64_t seed, pc_mode mode, const sim_path *path) {
  pc_peers *p = polite_and_impolite(seed);
  pc_peers_set_mode(p, mode);
  p->alice.out.delay_ms = 5 + sim_random_below(p->s, 60);
  p->bob.out.delay_ms = 5 + sim_random_below(p->s, 60);
  p->alice.out.jitter_ms = p->bob.out.jitter_ms = sim_random_below(p->s, 40);
  sim_path_default(p->s, path);
  pc_peers_start(p);
  unsigned n_channels = 2;
  sim_channel_flow(sim_pc_channel(p->alice.x, "first of alice", NULL), 300, 50, 2000, false);
  sim_channel_flow(sim_pc_channel(p->bob.x, "first of bob", NULL), 300, 50, 2000, false);
  for (int i = 0; i < 40; i++) {
    sim_run_for(p->s, sim_random_below(p->s, 60));
    restart_and_channels_at_random(p, sim_chance(p->s, 500) ? &p->alice : &p->bob, &n_channels);
  }
  pc_true(p, pc_peers_settle(p, 60000));
  pc_true(p, pc_peers_connect(p, 60000));
  sim_run_for(p->s, 10000);
  pc_true(p, p->alice.x->told_signaling == FLOE_SIGNALING_STABLE && p->bob.x->told_signaling == FLOE_SIGNALING_STABLE);
  pc_true(p, p->alice.x->told_state == FLOE_PC_CONNECTED && p->bob.x->told_state == FLOE_PC_CONNECTED);
  for (int side = 0; side < 2; side++) {
    const pc_peer *y = side == 0 ? &p->alice : &p->bob;
    for (const sim_channel *c = y->x->channels; c != NULL; c = c->next_channel) {
      pc_true(p, pc_channel_run_to_all(p, c, 60000));
    }
  }
  pc_peers_expect_all(p);
  pc_peers_free(p);
}

static void it_always_comes_to_rest(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 24; seed++) it_comes_to_rest(seed, PC_TRICKLE, &(sim_path){.delay_us = 5000});
}

static void without_trickle_too(void **state) {
  (void)state;
  for (uint64_t seed = 101; seed <= 112; seed++) it_comes_to_rest(seed, PC_WHOLE, &(sim_path){.delay_us = 5000});
}

static void and_with_loss(void **state) {
  (void)state;
  for (uint64_t seed = 201; seed <= 212; seed++) {
    it_comes_to_rest(seed, PC_TRICKLE, &(sim_path){.delay_us = 15000, .jitter_us = 10000, .loss = 50});
  }
}

/* By hand: the offer of the impolite side, after that of the polite one was set. */
static void a_rolled_back_offer_leaves_nothing(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peers_start(p);
  assert_non_null(sim_pc_channel(p->bob.x, "of bob", NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->bob.x));
  sim_run_for(p->s, 100);
  pc_status(p, FLOE_OK, sim_pc_set_local(p->bob.x, FLOE_SDP_ROLLBACK, NULL));
  sim_run_for(p->s, 100);
  assert_null(floe_pc_local_description(p->bob.x->core));
  assert_int_equal(floe_pc_ice_gathering_state(p->bob.x->core), FLOE_ICE_GATHERING_NEW);
  assert_int_equal(floe_pc_connection_state(p->bob.x->core), FLOE_PC_NEW);
  pc_peers_set_mode(p, PC_TRICKLE);
  p->bob.negotiates = false;
  assert_non_null(sim_pc_channel(p->alice.x, "of alice", NULL));
  pc_true(p, pc_peers_connect(p, 3000));
  pc_peers_exchange(p);
  pc_peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_offer_at_once),      cmocka_unit_test(the_polite_one_gathers_for_its_answer),
      cmocka_unit_test(it_always_comes_to_rest), cmocka_unit_test(without_trickle_too),
      cmocka_unit_test(and_with_loss),           cmocka_unit_test(a_rolled_back_offer_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
