/* ICE restarts of a peer connection: with data in flight, from both sides, rolled back, and after the network changed.
 */
#include "support/pc_peers.h"

#define N_CHANNELS 3

typedef struct stream_world {
  pc_peers *p;
  sim_channel *channels[2 * N_CHANNELS];
} stream_world;

/* Channels both ways that send all the time. */
static stream_world streaming_in(pc_peers *p, uint32_t n_messages) {
  stream_world w = {.p = p};
  p->alice.options.no_wire = p->bob.options.no_wire = true;
  pc_peers_start(w.p);
  for (size_t i = 0; i < 2 * N_CHANNELS; i++) {
    char label[20];
    (void)snprintf(label, sizeof label, "channel %zu", i);
    floe_data_channel_init init;
    floe_data_channel_init_init(&init, sizeof init);
    init.unordered = i % 3 == 2;
    w.channels[i] = sim_pc_channel(i % 2 == 0 ? w.p->alice.x : w.p->bob.x, label, &init);
    sim_channel_flow(w.channels[i], n_messages, 100, 3000, i % 2 == 0);
  }
  return w;
}

static stream_world streaming(uint64_t seed, uint32_t n_messages) {
  return streaming_in(pc_peers_new(seed), n_messages);
}

static void finish(stream_world *w) {
  for (size_t i = 0; i < 2 * N_CHANNELS; i++) {
    pc_true(w->p, pc_channel_run_to_all(w->p, w->channels[i], 120000));
    if (w->channels[i]->told_close) sim_fail(w->p->s, "%s was closed", w->channels[i]->name);
  }
  pc_peers_expect_all(w->p);
  pc_peers_free(w->p);
}

static size_t count(const char *text, const char *part) {
  size_t n = 0;
  for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) n++;
  return n;
}

static void the_events_of_a_restart(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_run_for(p->s, 1000);
  pc_peers_clear_logs(p);
  sim_pc_restart_ice(p->alice.x);
  sim_run_for(p->s, 1000);
  pc_expect(&p->alice,
            "negotiationneeded\n"
            "signalingstatechange have-local-offer\n"
            "ice gatheringstatechange gathering\n"
            "icegatheringstatechange gathering\n"
            "icecandidate host 10.0.0.1:50001\n"
            "icecandidate end\n"
            "ice gatheringstatechange complete\n"
            "icegatheringstatechange complete\n"
            "icecandidate null\n"
            "signalingstatechange stable\n"
            "ice selectedcandidatepairchange host 10.0.0.1:50001 > host 10.0.1.1:50001\n");
  pc_expect(&p->bob,
            "signalingstatechange have-remote-offer\n"
            "signalingstatechange stable\n"
            "ice gatheringstatechange gathering\n"
            "icegatheringstatechange gathering\n"
            "icecandidate host 10.0.1.1:50001\n"
            "icecandidate end\n"
            "ice gatheringstatechange complete\n"
            "icegatheringstatechange complete\n"
            "icecandidate null\n"
            "ice selectedcandidatepairchange host 10.0.1.1:50001 > host 10.0.0.1:50001\n");
  pc_peers_exchange(p);
  pc_peers_free(p);
}

static void the_option_of_create_offer_restarts_too(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_run_for(p->s, 100);
  pc_peers_clear_logs(p);
  char *offer = sim_pc_create_offer(p->alice.x, &(floe_offer_options){.ice_restart = true});
  pc_status(p, FLOE_OK, sim_pc_set_local(p->alice.x, FLOE_SDP_OFFER, offer));
  pc_peer_send_description(&p->alice);
  sim_run_for(p->s, 1000);
  pc_expect_with(&p->alice, "pairchange",
                 "ice selectedcandidatepairchange host 10.0.0.1:50001 > host 10.0.1.1:50001\n");
  pc_peers_exchange(p);
  free(offer);
  pc_peers_free(p);
}

/* Without a restart an offer and an answer leave the transport alone. */
static void a_renegotiation_is_no_restart(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_run_for(p->s, 100);
  pc_peers_clear_logs(p);
  (void)pc_peer_negotiate(&p->bob);
  sim_run_for(p->s, 1000);
  pc_expect(&p->alice,
            "signalingstatechange have-remote-offer\n"
            "signalingstatechange stable\n");
  pc_expect(&p->bob,
            "signalingstatechange have-local-offer\n"
            "signalingstatechange stable\n");
  assert_false(floe_pc_dtls_transport(p->alice.x->core)->is_client); /* RFC 8842 5.5: roles stay */
  pc_peers_exchange(p);
  pc_peers_free(p);
}

static void nothing_is_lost_over_restarts(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 6; seed++) {
    stream_world w = streaming(seed, 400);
    if (seed % 3 == 0) sim_path_default(w.p->s, &(sim_path){.delay_us = 10000, .jitter_us = 5000, .loss = 20});
    pc_true(w.p, pc_peers_connect(w.p, 10000));
    w.p->bob.negotiates = true;
    for (int i = 0; i < 6; i++) {
      sim_pc_restart_ice(((uint64_t)i + seed) % 2 == 0 ? w.p->alice.x : w.p->bob.x);
      sim_run_for(w.p->s, 200 + 100 * (uint64_t)i);
    }
    finish(&w);
  }
}

/* The next one begins before the last one has a pair. */
static void restarts_in_quick_succession(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    stream_world w = streaming(seed, 300);
    pc_true(w.p, pc_peers_connect(w.p, 10000));
    w.p->bob.negotiates = true;
    w.p->alice.perfect = w.p->bob.perfect = w.p->bob.polite = true;
    for (int i = 0; i < 12; i++) {
      sim_pc_restart_ice(sim_chance(w.p->s, 500) ? w.p->alice.x : w.p->bob.x);
      sim_run_for(w.p->s, sim_random_below(w.p->s, 40));
    }
    finish(&w);
  }
}

static void a_restart_offer_may_be_rolled_back(void **state) {
  (void)state;
  for (int remote = 0; remote < 2; remote++) {
    stream_world w = streaming(1, 400);
    pc_peers *p = w.p;
    pc_true(p, pc_peers_connect(p, 10000));
    sim_run_for(p->s, 100);
    pc_peers_set_mode(p, PC_MANUAL);
    char *before = sim_pc_local_sdp(p->alice.x);
    sim_pc_restart_ice(p->alice.x);
    if (remote == 0) {
      pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
      sim_run_for(p->s, 50);
      pc_status(p, FLOE_OK, sim_pc_set_local(p->alice.x, FLOE_SDP_ROLLBACK, NULL));
    } else {
      char *offer = sim_pc_create_offer(p->alice.x, NULL);
      pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, offer));
      sim_run_for(p->s, 50);
      pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_ROLLBACK, NULL));
      free(offer);
    }
    char *after = sim_pc_local_sdp(p->alice.x);
    assert_string_equal(strstr(after, "a=ice-ufrag:"), strstr(before, "a=ice-ufrag:"));
    free(before);
    free(after);
    sim_run_for(p->s, 1000);
    assert_int_equal(p->alice.x->told_state, FLOE_PC_CONNECTED);
    assert_int_equal(count(sim_pc_events(p->alice.x), "iceconnectionstatechange checking"), 1);
    /* a real one then works */
    pc_peers_set_mode(p, PC_TRICKLE);
    (void)pc_peer_negotiate(&p->alice);
    sim_run_for(p->s, 500);
    finish(&w);
  }
}

/* The NAT forgets its mappings while data flows: the restart finds the way again. */
static void after_a_nat_has_forgotten(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 3; seed++) {
    pc_peers *p = pc_peers_new(seed);
    pc_peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
    pc_peers_add(p, "stun:192.0.2.1");
    pc_peers_nat(&p->alice, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
    pc_peers_nat(&p->bob, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
    stream_world w = streaming_in(p, 1000);
    pc_true(p, pc_peers_connect(p, 20000));
    sim_run_for(p->s, 100);
    sim_nat_rebind(p->alice.nat, seed % 2 == 0 ? "203.0.113.77" : NULL);
    sim_run_for(p->s, 500);
    p->bob.negotiates = true;
    sim_pc_restart_ice(seed % 3 == 0 ? p->bob.x : p->alice.x);
    sim_run_for(p->s, 3000);
    finish(&w);
  }
}

/* Nothing arrives any more: disconnected, failed, and a restart brings it back, with all that was sent meanwhile. */
static void a_failed_connection_comes_back(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_channel *a = pc_peer_channel(&p->alice, 0);
  sim_run_for(p->s, 1000);
  pc_peers_clear_logs(p);
  pc_peer_vanish(&p->bob);
  pc_true(p, pc_peer_run_to(&p->alice, FLOE_PC_DISCONNECTED, 20000));
  pc_expect_main(&p->alice,
                 "iceconnectionstatechange disconnected consent_lost\n"
                 "connectionstatechange disconnected consent_lost\n");
  pc_true(p, pc_peer_run_to(&p->alice, FLOE_PC_FAILED, 60000));
  pc_true(p, pc_peer_run_to(&p->bob, FLOE_PC_FAILED, 60000));
  pc_peer_appear(&p->bob);
  pc_status(p, FLOE_OK, sim_channel_send_numbered(a, 500, true));
  pc_peers_clear_logs(p);
  sim_pc_restart_ice(p->alice.x);
  sim_run_for(p->s, 5000);
  assert_int_equal(p->alice.x->told_state, FLOE_PC_CONNECTED);
  assert_int_equal(p->bob.x->told_state, FLOE_PC_CONNECTED);
  pc_true(p, pc_channel_run_to_all(p, a, 70000));
  pc_peers_exchange(p);
  pc_peers_free(p);
}

/* A path that is gone for some seconds needs no restart. */
static void a_short_outage_needs_nothing(void **state) {
  (void)state;
  stream_world w = streaming(1, 1000);
  pc_true(w.p, pc_peers_connect(w.p, 5000));
  sim_run_for(w.p->s, 200);
  pc_peer_vanish(&w.p->bob);
  pc_true(w.p, pc_peer_run_to(&w.p->alice, FLOE_PC_DISCONNECTED, 20000));
  sim_run_for(w.p->s, 2000);
  pc_peer_appear(&w.p->bob);
  pc_true(w.p, pc_peer_run_to(&w.p->alice, FLOE_PC_CONNECTED, 20000));
  assert_int_equal(count(sim_pc_events(w.p->alice.x), "negotiationneeded"), 1);
  finish(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_events_of_a_restart),       cmocka_unit_test(the_option_of_create_offer_restarts_too),
      cmocka_unit_test(a_renegotiation_is_no_restart), cmocka_unit_test(nothing_is_lost_over_restarts),
      cmocka_unit_test(restarts_in_quick_succession),  cmocka_unit_test(a_restart_offer_may_be_rolled_back),
      cmocka_unit_test(after_a_nat_has_forgotten),     cmocka_unit_test(a_failed_connection_comes_back),
      cmocka_unit_test(a_short_outage_needs_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
