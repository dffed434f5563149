/* What a review of src/pc has found: rollback and what is left of it, texts and their lives, sessions that begin again,
 * counts at the end of a channel, and calls without memory that have changed nothing. */
#include "pc/pc_internal.h"
#include "support/pc_peers.h"
#include "support/sim_agent_internal.h"
#include "support/sim_alloc.h"

static pc_peers *by_hand(void) {
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peers_start(p);
  return p;
}

static pc_peers *by_hand_with_a_channel(void) {
  pc_peers *p = by_hand();
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  return p;
}

/* Offer and answer by hand, until the channel of alice is open. */
static pc_peers *connected_by_hand(void) {
  pc_peers *p = by_hand_with_a_channel();
  pc_peers_offer_answer(&p->alice);
  sim_run_for(p->s, 100);
  pc_peers_offer_answer(&p->alice); /* with the candidates that were found since */
  pc_true(p, pc_channel_run_to(pc_peer_channel(&p->alice, 0), FLOE_DATA_CHANNEL_OPEN, 2000));
  sim_run_for(p->s, 500);
  return p;
}

static void line_of(const char *sdp, const char *begin, char out[128]) {
  const char *at = strstr(sdp, begin);
  assert_non_null(at);
  size_t n = strcspn(at, "\r\n");
  assert_true(n < 128);
  memcpy(out, at, n);
  out[n] = '\0';
}

/* The a=ice-ufrag line of what the connection would offer now. */
static void offered_ufrag(pc_peer *y, char out[128]) {
  char *offer = sim_pc_create_offer(y->x, NULL);
  assert_non_null(offer);
  line_of(offer, "a=ice-ufrag:", out);
  free(offer);
}

static void current_ufrag(pc_peer *y, char out[128]) {
  line_of(floe_pc_current_local_description(y->x->core)->sdp, "a=ice-ufrag:", out);
}

static size_t count(const char *text, const char *part) {
  size_t n = 0;
  for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) n++;
  return n;
}

/* --- texts and their lives -----------------------------------------------------------------------------------------
 */

/* floe_pc_create_offer: "valid until the next floe_pc_create_offer ... or floe_pc_free". */
static void what_was_created_outlives_the_negotiation(void **state) {
  (void)state;
  pc_peers *p = by_hand_with_a_channel();
  sim_pc *a = p->alice.x, *b = p->bob.x;
  const char *offer, *answer;
  pc_status(p, FLOE_OK, floe_pc_create_offer(a->core, sim_pc_now(a), NULL, &offer, &a->why));
  pc_status(p, FLOE_OK, sim_pc_set_local(a, FLOE_SDP_OFFER, offer));
  pc_status(p, FLOE_OK, sim_pc_set_remote(b, FLOE_SDP_OFFER, offer));
  pc_status(p, FLOE_OK, floe_pc_create_answer(b->core, sim_pc_now(b), &answer, &b->why));
  pc_status(p, FLOE_OK, sim_pc_set_local(b, FLOE_SDP_ANSWER, answer));
  pc_status(p, FLOE_OK, sim_pc_set_remote(a, FLOE_SDP_ANSWER, answer));
  assert_memory_equal(offer, "v=0\r\n", 5);
  assert_memory_equal(answer, "v=0\r\n", 5);
  /* what is of a negotiation that is over cannot be set again */
  pc_status(p, FLOE_E_MODIFICATION, sim_pc_set_local(a, FLOE_SDP_OFFER, offer));
  pc_peers_free(p);
}

/* An answer to another offer than the one that stands now. */
static void an_answer_made_for_an_earlier_offer_is_not_set(void **state) {
  (void)state;
  pc_peers *p = by_hand_with_a_channel();
  char *offer = sim_pc_create_offer(p->alice.x, NULL);
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, offer));
  char *answer = sim_pc_create_answer(p->bob.x);
  char *wider = sim_must(calloc(1, strlen(offer) + 100));
  (void)sprintf(wider, "%sm=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:more\r\n", offer);
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, wider));
  pc_status(p, FLOE_E_MODIFICATION, sim_pc_set_local(p->bob.x, FLOE_SDP_ANSWER, answer));
  pc_status(p, FLOE_OK, sim_pc_set_local(p->bob.x, FLOE_SDP_ANSWER, NULL));
  assert_int_equal(count(floe_pc_local_description(p->bob.x->core)->sdp, "m="), 2);
  free(wider);
  free(answer);
  free(offer);
  pc_peers_free(p);
}

/* webrtc-pc 4.4.2 setLocalDescription: without a text it is the last offer made, while that still says how things are.
 */
static void the_last_offer_is_set_unless_it_is_out_of_date(void **state) {
  (void)state;
  pc_peers *p = connected_by_hand();
  char before[128], after[128];
  current_ufrag(&p->alice, before);
  free(sim_pc_create_offer(p->alice.x, &(floe_offer_options){.ice_restart = true}));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  line_of(floe_pc_pending_local_description(p->alice.x->core)->sdp, "a=ice-ufrag:", after);
  assert_string_not_equal(after, before);
  pc_peers_free(p);

  p = by_hand();
  free(sim_pc_create_offer(p->alice.x, NULL));
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local(p->alice.x, FLOE_SDP_OFFER, NULL));
  assert_int_equal(count(floe_pc_local_description(p->alice.x->core)->sdp, "m=application"), 1);
  pc_peers_free(p);
}

/* --- rollback ------------------------------------------------------------------------------------------------------
 */

/* webrtc-pc 4.7.1: restartIce() replaces the credentials of the current and of the pending description. */
static void a_restart_asked_for_survives_the_rollback(void **state) {
  (void)state;
  pc_peers *p = connected_by_hand();
  char before[128], after[128];
  current_ufrag(&p->alice, before);
  free(sim_pc_create_offer(p->alice.x, &(floe_offer_options){.ice_restart = true}));
  pc_status(p, FLOE_OK, sim_pc_set_local(p->alice.x, FLOE_SDP_OFFER, NULL));
  sim_pc_restart_ice(p->alice.x);
  pc_peers_clear_logs(p);
  pc_status(p, FLOE_OK, sim_pc_set_local(p->alice.x, FLOE_SDP_ROLLBACK, NULL));
  assert_int_equal(count(sim_pc_events(p->alice.x), "negotiationneeded"), 1);
  offered_ufrag(&p->alice, after);
  assert_string_not_equal(after, before);
  pc_peers_free(p);
}

static bool is_failed(void *user) {
  return ((pc_peer *)user)->x->told_ice == FLOE_ICE_CONNECTION_FAILED;
}

/* The session that the rollback returns to had failed and is gone: its description must stay true, and a later offer
 * must gather. */
static void a_rollback_after_ice_has_failed(void **state) {
  (void)state;
  pc_peers *p = connected_by_hand();
  pc_peer_vanish(&p->bob);
  pc_true(p, pc_peers_run_until(p, 120000, is_failed, &p->alice));
  char before[128], after[128];
  current_ufrag(&p->alice, before);
  free(sim_pc_create_offer(p->alice.x, &(floe_offer_options){.ice_restart = true}));
  pc_status(p, FLOE_OK, sim_pc_set_local(p->alice.x, FLOE_SDP_OFFER, NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local(p->alice.x, FLOE_SDP_ROLLBACK, NULL));
  offered_ufrag(&p->alice, after);
  assert_string_equal(after, before);
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  pc_true(p, pc_peer_run_to_gathered(&p->alice, 2000));
  assert_true(strstr(floe_pc_local_description(p->alice.x->core)->sdp, "a=candidate:") != NULL);
  pc_peers_free(p);
}

/* What the peer said of its candidates while our restart was pending belongs to the session that goes on. */
static void candidates_that_came_before_the_rollback_count(void **state) {
  (void)state;
  pc_peers *p = by_hand_with_a_channel();
  pc_peers_offer_answer(&p->alice);
  free(sim_pc_create_offer(p->alice.x, &(floe_offer_options){.ice_restart = true}));
  pc_status(p, FLOE_OK, sim_pc_set_local(p->alice.x, FLOE_SDP_OFFER, NULL));
  floe_ice_candidate_init c = {.candidate = "candidate:1 1 udp 2113937151 10.0.7.7 5000 typ host", .sdp_mid = "0"};
  pc_status(p, FLOE_OK, sim_pc_add_candidate(p->alice.x, &c));
  pc_status(p, FLOE_OK, sim_pc_set_local(p->alice.x, FLOE_SDP_ROLLBACK, NULL));
  const floe_stats_report *r = floe_pc_get_stats(p->alice.x->core, sim_pc_now(p->alice.x));
  size_t found = 0;
  for (size_t i = 0; i < r->n_objects; i++) {
    const floe_stats_member *m = floe_stats_object_member(&r->objects[i], "address");
    if (m != NULL && strcmp(m->u.text, "10.0.7.7") == 0) found++;
  }
  assert_int_equal(found, 1);
  pc_peers_free(p);
}

static void one_negotiationneeded_of_several_reasons(void **state) {
  (void)state;
  pc_peers *p = connected_by_hand();
  sim_pc *a = p->alice.x;
  char *offer = sim_pc_create_offer(p->bob.x, NULL);
  pc_status(p, FLOE_OK, sim_pc_set_local(p->bob.x, FLOE_SDP_OFFER, offer));
  pc_peers_clear_logs(p);
  /* back in stable before the event of restartIce() was taken */
  floe_session_description d = {FLOE_SDP_OFFER, offer};
  floe_pc_restart_ice(a->core, sim_pc_now(a));
  pc_status(p, FLOE_OK, floe_pc_set_remote_description(a->core, sim_pc_now(a), &d, &a->why));
  pc_status(p, FLOE_OK, floe_pc_set_local_description(a->core, sim_pc_now(a), NULL, &a->why));
  sim_pc_drain(a);
  pc_expect_main(&p->alice,
                 "signalingstatechange have-remote-offer\n"
                 "signalingstatechange stable\n"
                 "negotiationneeded\n");
  free(offer);
  pc_peers_free(p);
}

/* --- refused, and nothing has changed ------------------------------------------------------------------------------
 */

/* A restart with another certificate is another peer: refused before anything of it counts. */
static void a_restart_by_another_peer_changes_nothing(void **state) {
  (void)state;
  pc_peers *p = connected_by_hand();
  char before[128], after[128];
  current_ufrag(&p->alice, before);
  char *offer = sim_pc_create_offer(p->bob.x, &(floe_offer_options){.ice_restart = true});
  char *at = strstr(offer, "a=fingerprint:sha-256 ") + strlen("a=fingerprint:sha-256 ");
  at[0] = at[0] == '0' ? '1' : '0';
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->alice.x, FLOE_SDP_OFFER, offer));
  pc_peers_clear_logs(p);
  pc_status(p, FLOE_E_ACCESS, sim_pc_set_local(p->alice.x, FLOE_SDP_ANSWER, NULL));
  pc_expect(&p->alice, "");
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->alice.x, FLOE_SDP_ROLLBACK, NULL));
  offered_ufrag(&p->alice, after);
  assert_string_equal(after, before);
  pc_peers_exchange(p);
  free(offer);
  pc_peers_free(p);
}

/* "Whatever is returned but FLOE_OK, nothing has changed": nor is our offer rolled back. */
static void an_offer_without_memory_rolls_nothing_back(void **state) {
  (void)state;
  uint64_t refused = 0;
  for (uint64_t nth = 1; nth < 400; nth++) {
    pc_peers *p = by_hand_with_a_channel();
    sim_pc *a = p->alice.x;
    assert_non_null(sim_pc_channel(p->bob.x, "other", NULL));
    pc_status(p, FLOE_OK, sim_pc_set_local_implicit(a));
    sim_run_for(p->s, 50);
    char *offer = sim_pc_create_offer(p->bob.x, NULL);
    pc_peers_clear_logs(p);
    floe_time now = sim_pc_now(a);
    sim_alloc *memory = &a->a->env->alloc;
    memory->fail_from = memory->calls + nth;
    floe_session_description d = {FLOE_SDP_OFFER, offer};
    floe_status st = floe_pc_set_remote_description(a->core, now, &d, NULL);
    memory->fail_from = 0;
    sim_pc_drain(a);
    free(offer);
    if (st != FLOE_OK) {
      refused++;
      assert_int_equal(st, FLOE_E_NOMEM);
      assert_int_equal(floe_pc_signaling_state(a->core), FLOE_SIGNALING_HAVE_LOCAL_OFFER);
      pc_expect(&p->alice, "");
    }
    p->alice.no_close = true; /* the agent may have lost the closing of a socket */
    pc_peers_free(p);
    if (st == FLOE_OK) break;
  }
  assert_true(refused > 2 && refused < 399);
}

/* --- sessions that begin again -------------------------------------------------------------------------------------
 */

static bool are_dtls_failed(void *user) {
  pc_peers *p = user;
  return p->alice.x->told_dtls == FLOE_DTLS_TRANSPORT_FAILED && p->bob.x->told_dtls == FLOE_DTLS_TRANSPORT_FAILED;
}

/* The handshake could not be done in time; a later negotiation begins another, and it is of use. */
static void another_dtls_session_has_an_association(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_WHOLE);
  sim_path_default(p->s, &(sim_path){.delay_us = 5000, .mtu = 150});
  p->alice.cfg.dtls_timeout_ms = p->bob.cfg.dtls_timeout_ms = 1000;
  pc_peers_begin(p);
  pc_true(p, pc_peers_run_until(p, 5000, are_dtls_failed, p));
  assert_int_equal(floe_pc_sctp_transport(p->alice.x->core)->state, FLOE_SCTP_TRANSPORT_CLOSED);
  sim_path_default(p->s, &(sim_path){.delay_us = 5000, .mtu = 1500});
  sim_channel *c = sim_pc_channel(p->alice.x, "again", NULL);
  assert_non_null(c);
  sim_pc_restart_ice(p->alice.x);
  pc_true(p, pc_channel_run_to(c, FLOE_DATA_CHANNEL_OPEN, 5000));
  pc_status(p, FLOE_OK, sim_channel_text(c, "hello"));
  sim_run_for(p->s, 200);
  pc_expect_with(&p->bob, "again", "datachannel again\nagain open\nagain text \"hello\"\n");
  assert_int_equal(floe_pc_sctp_transport(p->alice.x->core)->cause, FLOE_CAUSE_NONE);
  assert_int_equal(p->alice.x->told_state, FLOE_PC_CONNECTED);
  pc_peers_free(p);
}

/* The final answer comes from another device, with the other DTLS role: streams are of that role (RFC 8832 6). */
static void streams_follow_the_role_of_the_final_answer(void **state) {
  (void)state;
  pc_peers *p = by_hand_with_a_channel();
  floe_data_channel_init init;
  floe_data_channel_init_init(&init, sizeof init);
  init.negotiated = init.has_id = true;
  init.id = 3;
  assert_non_null(sim_pc_channel(p->alice.x, "agreed", &init));
  char *offer = sim_pc_create_offer(p->alice.x, NULL);
  pc_status(p, FLOE_OK, sim_pc_set_local(p->alice.x, FLOE_SDP_OFFER, offer));
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, offer));
  char *answer = sim_pc_create_answer(p->bob.x);
  floe_data_channel *c = pc_peer_channel(&p->alice, 0)->handle;
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->alice.x, FLOE_SDP_PRANSWER, answer));
  assert_int_equal(floe_data_channel_id(c), 1);
  memcpy(strstr(answer, "a=setup:active\r"), "a=setup:passive", 15); /* a line may end in \n alone */
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->alice.x, FLOE_SDP_ANSWER, answer));
  assert_int_equal(floe_data_channel_id(c), 0);
  assert_int_equal(floe_data_channel_id(pc_peer_channel(&p->alice, 1)->handle), 3);
  free(answer);
  free(offer);
  pc_peers_free(p);
}

/* --- channels ------------------------------------------------------------------------------------------------------
 */

static uint64_t stat(sim_pc *x, const char *name) {
  const floe_stats_report *r = floe_pc_get_stats(x->core, sim_pc_now(x));
  assert_non_null(r);
  const floe_stats_member *m = floe_stats_object_member(&r->objects[0], name);
  assert_non_null(m);
  return m->u.number;
}

/* webrtc-stats dataChannelsClosed: those that have left `open`; those that never were do not count. */
static void channels_that_never_opened_were_not_closed(void **state) {
  (void)state;
  pc_peers *p = by_hand_with_a_channel();
  sim_channel_close(pc_peer_channel(&p->alice, 0));
  assert_int_equal(stat(p->alice.x, "dataChannelsOpened"), 0);
  assert_int_equal(stat(p->alice.x, "dataChannelsClosed"), 0);
  pc_peers_free(p);

  p = connected_by_hand();
  floe_data_channel *c = pc_peer_channel(&p->alice, 0)->handle;
  floe_data_channel_close(c, sim_pc_now(p->alice.x));
  assert_int_equal(floe_data_channel_ready_state(c), FLOE_DATA_CHANNEL_CLOSING);
  assert_int_equal(stat(p->alice.x, "dataChannelsClosed"), 1);
  sim_pc_drain(p->alice.x);
  sim_run_for(p->s, 500);
  assert_int_equal(stat(p->alice.x, "dataChannelsClosed"), 1);
  assert_int_equal(stat(p->bob.x, "dataChannelsClosed"), 1);
  pc_peers_free(p);
}

/* bufferedAmount when the channel closes is what it was the moment before. */
static void the_buffered_amount_stays_when_the_connection_closes(void **state) {
  (void)state;
  for (size_t len = 100; len <= 200000; len *= 2000) {
    pc_peers *p = connected_by_hand();
    sim_pc *a = p->alice.x;
    floe_data_channel *c = pc_peer_channel(&p->alice, 0)->handle;
    uint8_t *data = sim_must(calloc(1, len));
    pc_status(p, FLOE_OK, floe_data_channel_send(c, sim_pc_now(a), (floe_bytes){data, len}));
    size_t before = floe_data_channel_buffered_amount(c);
    assert_true(before < len);
    sim_pc_close(a);
    assert_int_equal(floe_data_channel_ready_state(c), FLOE_DATA_CHANNEL_CLOSED);
    assert_int_equal(floe_data_channel_buffered_amount(c), before);
    free(data);
    pc_peers_free(p);
  }
}

/* The announcement could not be sent for want of memory: it is sent when there is some. */
static void an_announcement_that_was_owed_is_sent(void **state) {
  (void)state;
  pc_peers *p = connected_by_hand();
  sim_pc *a = p->alice.x;
  sim_alloc *memory = &a->a->env->alloc;
  sim_channel *c = NULL;
  for (uint64_t nth = 1; nth < 100 && c == NULL; nth++) {
    memory->fail_from = memory->calls + nth;
    c = sim_pc_channel(a, "owed", NULL);
    if (c != NULL) assert_true(c->handle->owes_open);
    memory->fail_from = 0;
  }
  assert_non_null(c);
  sim_run_for(p->s, 1000);
  pc_expect_with(&p->bob, "owed", "datachannel owed\nowed open\n");
  pc_status(p, FLOE_OK, sim_channel_text(c, "x"));
  pc_peers_free(p);
}

/* One that was never announced can be closed, and leaves nothing behind. */
static void an_announcement_that_is_owed_is_dropped_by_close(void **state) {
  (void)state;
  pc_peers *p = connected_by_hand();
  sim_pc *a = p->alice.x;
  sim_alloc *memory = &a->a->env->alloc;
  sim_channel *c = NULL;
  for (uint64_t nth = 1; nth < 100 && c == NULL; nth++) {
    memory->fail_from = memory->calls + nth;
    c = sim_pc_channel(a, "owed", NULL);
    memory->fail_from = 0;
  }
  assert_non_null(c);
  assert_int_equal(a->core->channels.n_owing, 1);
  sim_channel_close(c);
  assert_int_equal(floe_data_channel_ready_state(c->handle), FLOE_DATA_CHANNEL_CLOSED);
  assert_int_equal(a->core->channels.n_owing, 0);
  sim_run_for(p->s, 500);
  pc_expect_with(&p->bob, "owed", "");
  pc_peers_exchange(p);
  pc_peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_created_outlives_the_negotiation),
      cmocka_unit_test(an_answer_made_for_an_earlier_offer_is_not_set),
      cmocka_unit_test(the_last_offer_is_set_unless_it_is_out_of_date),
      cmocka_unit_test(a_restart_asked_for_survives_the_rollback),
      cmocka_unit_test(a_rollback_after_ice_has_failed),
      cmocka_unit_test(candidates_that_came_before_the_rollback_count),
      cmocka_unit_test(one_negotiationneeded_of_several_reasons),
      cmocka_unit_test(a_restart_by_another_peer_changes_nothing),
      cmocka_unit_test(an_offer_without_memory_rolls_nothing_back),
      cmocka_unit_test(another_dtls_session_has_an_association),
      cmocka_unit_test(streams_follow_the_role_of_the_final_answer),
      cmocka_unit_test(channels_that_never_opened_were_not_closed),
      cmocka_unit_test(the_buffered_amount_stays_when_the_connection_closes),
      cmocka_unit_test(an_announcement_that_was_owed_is_sent),
      cmocka_unit_test(an_announcement_that_is_owed_is_dropped_by_close),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
