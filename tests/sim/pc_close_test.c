/* close(): silent here, noticed there, in every phase. */
#include "support/pc_peers.h"

static void the_peer_notices(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_run_for(p->s, 500);
  pc_peers_exchange(p);
  pc_peers_clear_logs(p);
  sim_pc_close(p->alice.x);
  assert_int_equal(floe_pc_signaling_state(p->alice.x->core), FLOE_SIGNALING_CLOSED);
  assert_int_equal(floe_pc_connection_state(p->alice.x->core), FLOE_PC_CLOSED);
  assert_int_equal(floe_pc_ice_connection_state(p->alice.x->core), FLOE_ICE_CONNECTION_CLOSED);
  pc_true(p, sim_pc_run_to_closed(p->alice.x, 100));
  sim_run_for(p->s, 1000);
  pc_expect(&p->alice, "");
  /* the association is aborted, then DTLS says close_notify */
  pc_expect(&p->bob,
            "data error sctp_abort sctp-failure\n"
            "data close\n"
            "sctp statechange closed\n"
            "dtls statechange closed\n");
  pc_peers_free(p);
}

static void every_call_says_so(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_pc *x = p->alice.x;
  sim_channel *c = pc_peer_channel(&p->alice, 0);
  sim_pc_close(x);
  assert_null(sim_pc_create_offer(x, NULL));
  assert_int_equal(x->why.status, FLOE_E_STATE);
  assert_null(sim_pc_create_answer(x));
  assert_int_equal(x->why.status, FLOE_E_STATE);
  pc_status(p, FLOE_E_STATE, sim_pc_set_local_implicit(x));
  pc_status(p, FLOE_E_STATE, sim_pc_set_remote(x, FLOE_SDP_OFFER, "v=0\r\n"));
  pc_status(p, FLOE_E_STATE, sim_pc_add_candidate(x, NULL));
  assert_null(sim_pc_channel(x, "late", NULL));
  assert_int_equal(x->why.status, FLOE_E_STATE);
  pc_status(p, FLOE_E_STATE, floe_pc_set_configuration(x->core, sim_pc_now(x), &p->alice.cfg, NULL));
  pc_status(p, FLOE_E_STATE, sim_channel_text(c, "late"));
  assert_int_equal(floe_data_channel_ready_state(c->handle), FLOE_DATA_CHANNEL_CLOSED);
  sim_pc_restart_ice(x);
  sim_channel_close(c);
  sim_pc_close(x); /* twice is fine */
  sim_channel_release(c);
  assert_int_equal(floe_pc_data_channels(x->core, NULL), 0);
  pc_peers_free(p);
}

/* Descriptions can be read still (webrtc-pc: close() leaves them). */
static void the_getters_stay_usable(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_channel *c = pc_peer_channel(&p->alice, 0);
  sim_pc_close(p->alice.x);
  floe_pc *pc = p->alice.x->core;
  assert_non_null(floe_pc_local_description(pc));
  assert_non_null(floe_pc_remote_description(pc));
  (void)floe_pc_can_trickle_ice_candidates(pc);
  assert_string_equal(floe_data_channel_label(c->handle), "data");
  assert_int_equal(floe_data_channel_id(c->handle), 1);
  assert_int_equal(floe_data_channel_buffered_amount(c->handle), 0);
  assert_non_null(floe_pc_configuration(pc));
  const floe_dtls_transport *dtls = floe_pc_dtls_transport(pc);
  assert_true(dtls == NULL || dtls->state == FLOE_DTLS_TRANSPORT_CLOSED);
  const floe_sctp_transport *sctp = floe_pc_sctp_transport(pc);
  assert_true(sctp == NULL || sctp->state == FLOE_SCTP_TRANSPORT_CLOSED);
  const floe_ice_transport *ice = floe_pc_ice_transport(pc);
  assert_true(ice == NULL || ice->state == FLOE_ICE_CONNECTION_CLOSED);
  (void)floe_pc_get_stats(pc, sim_pc_now(p->alice.x));
  (void)floe_pc_failure_report(pc, sim_pc_now(p->alice.x));
  pc_peers_free(p);
}

static void both_at_once(void **state) {
  (void)state;
  for (uint64_t apart = 0; apart <= 12; apart += 2) {
    pc_peers *p = pc_peers_new(apart + 1);
    pc_true(p, pc_peers_connect(p, 2000));
    sim_channel_flow(pc_peer_channel(&p->alice, 0), 500, 100, 2000, false);
    sim_channel_flow(pc_channel_other(pc_peer_channel(&p->alice, 0)), 500, 100, 2000, false);
    sim_run_for(p->s, 40);
    sim_pc_close(p->alice.x);
    sim_run_for(p->s, apart);
    sim_pc_close(p->bob.x);
    pc_true(p, sim_pc_run_to_closed(p->alice.x, 100));
    pc_true(p, sim_pc_run_to_closed(p->bob.x, 100));
    pc_peers_free(p);
  }
}

/* From the first moment to long after everything is up, a millisecond at a time, on either side; with a TURN server, so
 * that there is something to be deleted. */
static void in_every_phase(void **state) {
  (void)state;
  for (uint64_t ms = 0; ms <= 130; ms++) {
    for (int side = 0; side < 2; side++) {
      pc_peers *p = pc_peers_new(ms + 1);
      pc_peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
      pc_peers_add(p, "turn:192.0.2.1");
      pc_peers_begin(p);
      sim_run_for(p->s, ms);
      pc_peer *y = side == 0 ? &p->alice : &p->bob;
      sim_pc_clear_log(y->x);
      sim_pc_close(y->x);
      pc_true(p, sim_pc_run_to_closed(y->x, 1500));
      pc_expect(y, "");
      sim_run_for(p->s, 100);
      pc_peers_free(p);
    }
  }
}

/* Who is closed without a word (the host is gone) is noticed by consent. */
static void a_peer_that_vanishes_is_noticed(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_run_for(p->s, 1000);
  pc_peers_clear_logs(p);
  sim_pc_free(p->bob.x);
  p->bob.x = NULL;
  sim_host_set_stealth(p->bob.host, true);
  pc_true(p, pc_peer_run_to(&p->alice, FLOE_PC_FAILED, 60000));
  pc_expect_main(&p->alice,
                 "iceconnectionstatechange disconnected consent_lost\n"
                 "connectionstatechange disconnected consent_lost\n"
                 "iceconnectionstatechange failed consent_lost\n"
                 "connectionstatechange failed consent_lost\n");
  pc_peers_free(p);
}

/* The words of a closing peer may get lost: then consent tells. */
static void a_close_that_is_not_heard(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_path_default(p->s, &(sim_path){.delay_us = 5000, .loss = 1000});
  sim_pc_close(p->alice.x);
  pc_true(p, sim_pc_run_to_closed(p->alice.x, 1500));
  sim_path_default(p->s, &(sim_path){.delay_us = 5000});
  pc_true(p, pc_peer_run_to(&p->bob, FLOE_PC_FAILED, 60000));
  assert_int_equal(p->bob.x->cause, FLOE_CAUSE_CONSENT_LOST);
  pc_peers_free(p);
}

/* Freed at once, without close, in every phase. */
static void freed_in_every_phase(void **state) {
  (void)state;
  for (uint64_t ms = 0; ms <= 120; ms += 3) {
    pc_peers *p = pc_peers_new(ms + 1);
    pc_peers_begin(p);
    sim_run_for(p->s, ms);
    sim_pc_free(p->alice.x);
    p->alice.x = NULL;
    sim_run_for(p->s, 200);
    pc_peers_free(p);
  }
}

static void a_new_one_is_closed_at_once(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_start(p);
  sim_pc_close(p->alice.x);
  assert_true(floe_pc_is_closed(p->alice.x->core));
  pc_peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_peer_notices),
      cmocka_unit_test(every_call_says_so),
      cmocka_unit_test(the_getters_stay_usable),
      cmocka_unit_test(both_at_once),
      cmocka_unit_test(in_every_phase),
      cmocka_unit_test(a_peer_that_vanishes_is_noticed),
      cmocka_unit_test(a_close_that_is_not_heard),
      cmocka_unit_test(freed_in_every_phase),
      cmocka_unit_test(a_new_one_is_closed_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
