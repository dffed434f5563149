/* Candidates of a peer connection: which are taken (webrtc-pc 4.4.2
 * addIceCandidate), what descriptions show of them, their end, and the pool. */
#include "support/pc_peers.h"

#define CANDIDATE "candidate:1 1 udp 2130706431 10.0.1.77 50000 typ host"

static pc_peers *by_hand(void) {
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peers_start(p);
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  return p;
}

/* alice offers at once, bob has the offer: no candidate is in it. */
static pc_peers *with_offer(void) {
  pc_peers *p = by_hand();
  assert_int_equal(sim_pc_set_local_implicit(p->alice.x), FLOE_OK);
  char *offer = sim_pc_local_sdp(p->alice.x);
  assert_int_equal(sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, offer), FLOE_OK);
  free(offer);
  return p;
}

static void attribute_of(const char *sdp, const char *name, char *out, size_t cap) {
  const char *at = strstr(sdp, name);
  assert_non_null(at);
  at += strlen(name);
  (void)snprintf(out, cap, "%.*s", (int)strcspn(at, "\r\n"), at);
}

static size_t count(const char *text, const char *part) {
  size_t n = 0;
  for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) n++;
  return n;
}

/* --- what is taken
 * -------------------------------------------------------------------------------------------------
 */

static void before_a_remote_description_nothing_is_taken(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  sim_pc *x = p->alice.x;
  floe_ice_candidate_init c = {.candidate = CANDIDATE, .sdp_mid = "0"};
  pc_status(p, FLOE_E_STATE, sim_pc_add_candidate(x, &c));
  pc_status(p, FLOE_E_STATE, sim_pc_add_candidate(x, NULL));
  c.candidate = "";
  pc_status(p, FLOE_E_STATE, sim_pc_add_candidate(x, &c));
  c.candidate = NULL;
  pc_status(p, FLOE_E_STATE, sim_pc_add_candidate(x, &c));
  /* a wrong type is found first */
  c = (floe_ice_candidate_init){.candidate = CANDIDATE};
  pc_status(p, FLOE_E_TYPE, sim_pc_add_candidate(x, &c));
  pc_peers_free(p);
}

static void the_rules_of_add_ice_candidate(void **state) {
  (void)state;
  pc_peers *p = with_offer();
  char ufrag[300];
  char *offer = sim_pc_local_sdp(p->alice.x);
  attribute_of(offer, "a=ice-ufrag:", ufrag, sizeof ufrag);
  free(offer);
  const struct {
    floe_ice_candidate_init init;
    floe_status status;
    const char *path;
  } rows[] = {
      {{.candidate = CANDIDATE}, FLOE_E_TYPE, "candidate"},
      {{.candidate = CANDIDATE, .username_fragment = ufrag}, FLOE_E_TYPE, "candidate"},
      {{.candidate = CANDIDATE, .sdp_mid = "1"}, FLOE_E_NOT_FOUND, "sdpMid"},
      {{.candidate = CANDIDATE, .sdp_mid = ""}, FLOE_E_NOT_FOUND, "sdpMid"},
      {{.candidate = CANDIDATE, .sdp_mid = "data"}, FLOE_E_NOT_FOUND, "sdpMid"},
      {{.candidate = "", .sdp_mid = "data"}, FLOE_E_NOT_FOUND, "sdpMid"},
      {{.candidate = CANDIDATE, .has_sdp_m_line_index = true, .sdp_m_line_index = 1},
       FLOE_E_NOT_FOUND,
       "sdpMLineIndex"},
      {{.candidate = "", .has_sdp_m_line_index = true, .sdp_m_line_index = 65535}, FLOE_E_NOT_FOUND, "sdpMLineIndex"},
      {{.candidate = CANDIDATE, .sdp_mid = "0", .username_fragment = "wrong"}, FLOE_E_NOT_FOUND, "usernameFragment"},
      {{.candidate = "", .sdp_mid = "0", .username_fragment = "wrong"}, FLOE_E_NOT_FOUND, "usernameFragment"},
      {{.candidate = "", .username_fragment = "wrong"}, FLOE_E_NOT_FOUND, "usernameFragment"},
      {{.candidate = CANDIDATE " ufrag wrong", .sdp_mid = "0"}, FLOE_E_NOT_FOUND, "usernameFragment"},
      {{.candidate = "candidate:", .sdp_mid = "0"}, FLOE_E_SYNTAX, "candidate"},
      {{.candidate = "nonsense", .sdp_mid = "0"}, FLOE_E_SYNTAX, "candidate"},
      {{.candidate = "candidate:1 1 udp 2130706431 10.0.1.77 70000 typ host", .sdp_mid = "0"},
       FLOE_E_SYNTAX,
       "candidate"},
      {{.candidate = CANDIDATE, .sdp_mid = "0"}, FLOE_OK, NULL},
      {{.candidate = CANDIDATE, .sdp_mid = "0"}, FLOE_OK, NULL}, /* known already */
      {{.candidate = CANDIDATE, .has_sdp_m_line_index = true}, FLOE_OK, NULL},
      {{.candidate = CANDIDATE, .sdp_mid = "0", .has_sdp_m_line_index = true, .sdp_m_line_index = 7}, FLOE_OK, NULL},
      {{.candidate = CANDIDATE, .sdp_mid = "0", .username_fragment = ufrag}, FLOE_OK, NULL},
      {{.candidate = "candidate:1 2 udp 2130706431 10.0.1.77 50001 typ host", .sdp_mid = "0"}, FLOE_OK, NULL},
      {{.candidate = "", .sdp_mid = "0", .username_fragment = ufrag}, FLOE_OK, NULL},
      {{.candidate = NULL, .sdp_mid = "0"}, FLOE_OK, NULL},
      {{.candidate = ""}, FLOE_OK, NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe_status st = sim_pc_add_candidate(p->bob.x, &rows[i].init);
    if (st != rows[i].status) {
      sim_fail(p->s, "row %zu: %s, expected %s", i, floe_status_name(st), floe_status_name(rows[i].status));
    }
    if (st != FLOE_OK) assert_string_equal(p->bob.x->why.path, rows[i].path);
  }
  pc_status(p, FLOE_OK, sim_pc_add_candidate(p->bob.x, NULL));
  pc_peers_free(p);
}

static void after_close_nothing_is_taken(void **state) {
  (void)state;
  pc_peers *p = with_offer();
  sim_pc_close(p->bob.x);
  floe_ice_candidate_init c = {.candidate = CANDIDATE, .sdp_mid = "0"};
  pc_status(p, FLOE_E_STATE, sim_pc_add_candidate(p->bob.x, &c));
  pc_status(p, FLOE_E_STATE, sim_pc_add_candidate(p->bob.x, NULL));
  pc_peers_free(p);
}

static void there_is_a_limit(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  p->bob.ice.max_remote_candidates = 5;
  pc_peers_start(p);
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  char *offer = sim_pc_local_sdp(p->alice.x);
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, offer));
  for (unsigned i = 0; i < 6; i++) {
    char text[100];
    (void)snprintf(text, sizeof text, "candidate:%u 1 udp 2130706431 10.0.1.%u 50000 typ host", i, 100 + i);
    floe_ice_candidate_init c = {.candidate = text, .sdp_mid = "0"};
    pc_status(p, i < 5 ? FLOE_OK : FLOE_E_TOO_LARGE, sim_pc_add_candidate(p->bob.x, &c));
  }
  free(offer);
  pc_peers_free(p);
}

/* --- what descriptions show
 * ----------------------------------------------------------------------------------------
 */

static void the_remote_description_has_what_was_added(void **state) {
  (void)state;
  pc_peers *p = with_offer();
  assert_null(strstr(floe_pc_remote_description(p->bob.x->core)->sdp, "a=candidate:"));
  floe_ice_candidate_init c = {.candidate = CANDIDATE, .sdp_mid = "0"};
  pc_status(p, FLOE_OK, sim_pc_add_candidate(p->bob.x, &c));
  const char *sdp = floe_pc_pending_remote_description(p->bob.x->core)->sdp;
  assert_int_equal(count(sdp, "a=candidate:"), 1);
  assert_non_null(strstr(sdp, "a=" CANDIDATE "\r\n"));
  assert_null(strstr(sdp, "a=end-of-candidates"));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->bob.x));
  c.candidate = "";
  pc_status(p, FLOE_OK, sim_pc_add_candidate(p->bob.x, &c));
  sdp = floe_pc_current_remote_description(p->bob.x->core)->sdp;
  assert_int_equal(count(sdp, "a=candidate:"), 1);
  assert_int_equal(count(sdp, "a=end-of-candidates"), 1);
  pc_peers_free(p);
}

static void the_local_description_has_what_was_told(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  sim_host_add_address(p->alice.host, "eth1", "10.0.0.2");
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  char *before = sim_pc_local_sdp(p->alice.x);
  assert_null(strstr(before, "a=candidate:"));
  assert_null(strstr(before, "a=end-of-candidates"));
  pc_true(p, pc_peer_run_to_gathered(&p->alice, 1000));
  char *after = sim_pc_local_sdp(p->alice.x);
  assert_int_equal(count(after, "a=candidate:"), 2);
  assert_int_equal(count(after, "a=end-of-candidates\r\n"), 1);
  assert_non_null(strstr(after, " 10.0.0.1 50000 typ host"));
  assert_non_null(strstr(after, " 10.0.0.2 50001 typ host"));
  assert_string_equal(floe_pc_pending_local_description(p->alice.x->core)->sdp, after);
  /* what was made does not change */
  char *offer = sim_pc_create_offer(p->alice.x, NULL);
  assert_int_equal(count(before, "a=ice-ufrag:"), 1);
  free(offer);
  free(before);
  free(after);
  pc_peers_free(p);
}

/* The events' own members, kept as they come. */
typedef struct told {
  unsigned n, n_end, n_null;
  char mid[16], ufrag[300];
  unsigned index;
} told;

static void keep_told(void *user, const floe_event *e) {
  told *t = user;
  if (e->type != FLOE_EVENT_ICECANDIDATE) return;
  const floe_signaled_candidate *c = &e->u.signaled;
  if (c->text == NULL) {
    t->n_null++;
    return;
  }
  t->n += c->text[0] == '\0' ? 0 : 1;
  t->n_end += c->text[0] == '\0' ? 1 : 0;
  (void)snprintf(t->mid, sizeof t->mid, "%s", c->sdp_mid);
  (void)snprintf(t->ufrag, sizeof t->ufrag, "%s", c->username_fragment);
  t->index = c->sdp_m_line_index;
}

static void candidates_name_section_and_generation(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  told t = {0};
  p->alice.x->hooks = (sim_pc_hooks){.on_event = keep_told, .user = &t};
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  pc_true(p, pc_peer_run_to_gathered(&p->alice, 1000));
  assert_int_equal(t.n, 1);
  assert_int_equal(t.n_end, 1);
  assert_int_equal(t.n_null, 1);
  assert_string_equal(t.mid, "0");
  assert_int_equal(t.index, 0);
  assert_string_equal(t.ufrag, floe_pc_ice_transport(p->alice.x->core)->local_parameters->ufrag);
  p->alice.x->hooks = (sim_pc_hooks){0};
  pc_peers_free(p);
}

/* --- they connect
 * --------------------------------------------------------------------------------------------------
 */

static void candidates_added_by_hand_connect(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  pc_peers_offer_answer(&p->alice);
  pc_true(p, pc_peer_run_to_gathered(&p->alice, 1000));
  pc_true(p, pc_peer_run_to_gathered(&p->bob, 1000));
  sim_run_for(p->s, 3000);
  assert_int_equal(p->alice.x->told_state, FLOE_PC_CONNECTING);
  pc_peer_tell_candidates(&p->bob);
  pc_true(p, pc_peers_connect(p, 3000)); /* alice's is learnt from her checks */
  pc_peers_exchange(p);
  pc_peers_free(p);
}

/* An answer that has all of them, and their end: no trickle. */
static void candidates_of_the_description_connect(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  pc_true(p, pc_peer_run_to_gathered(&p->alice, 1000));
  char *offer = sim_pc_local_sdp(p->alice.x);
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, offer));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->bob.x));
  pc_true(p, pc_peer_run_to_gathered(&p->bob, 1000));
  char *answer = sim_pc_local_sdp(p->bob.x);
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->alice.x, FLOE_SDP_ANSWER, answer));
  pc_true(p, pc_peers_connect(p, 2000));
  free(offer);
  free(answer);
  pc_peers_free(p);
}

/* RFC 8838 8.2: when both sides have ended, a failure is known at once. */
static void the_end_of_the_candidates_makes_failure_known(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peer_vanish(&p->bob);
  pc_peers_begin(p);
  pc_true(p, pc_peer_run_to(&p->alice, FLOE_PC_FAILED, 60000));
  assert_true(p->alice.x->cause != FLOE_CAUSE_NONE);
  const floe_connection_report *report = floe_pc_failure_report(p->alice.x->core, sim_pc_now(p->alice.x));
  assert_non_null(report);
  assert_int_equal(report->verdict, p->alice.x->cause);
  pc_peers_free(p);
}

/* --- the pool
 * ------------------------------------------------------------------------------------------------------
 */

static void the_pool_gathers_ahead(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  pc_peers_nat(&p->alice, SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  pc_peer_add(&p->alice, "stun:192.0.2.1");
  p->alice.cfg.ice_candidate_pool_size = 1;
  pc_peers_start(p);
  sim_run_for(p->s, 1000);
  pc_expect(&p->alice, "");
  assert_string_not_equal(sim_pc_wire_with(p->alice.x, "192.0.2.1:3478 Binding"), "");
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  sim_pc_clear_log(p->alice.x);
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  /* all of it is there at once */
  pc_expect(&p->alice,
            "signalingstatechange have-local-offer\n"
            "ice gatheringstatechange gathering\n"
            "icegatheringstatechange gathering\n"
            "icecandidate host 10.0.0.1:50000\n"
            "icecandidate srflx 203.0.113.1:40000 stun:192.0.2.1\n"
            "icecandidate end\n"
            "ice gatheringstatechange complete\n"
            "icegatheringstatechange complete\n"
            "icecandidate null\n");
  pc_peers_free(p);
}

static void errors_of_the_pool_are_told_when_their_time_has_come(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peer_add(&p->alice, "stun:192.0.2.9");
  p->alice.cfg.ice_candidate_pool_size = 1;
  pc_peers_start(p);
  sim_run_for(p->s, 12000);
  pc_expect(&p->alice, "");
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  pc_expect(&p->alice,
            "negotiationneeded\n"
            "signalingstatechange have-local-offer\n"
            "ice gatheringstatechange gathering\n"
            "icegatheringstatechange gathering\n"
            "icecandidate host 10.0.0.1:50000\n"
            "icecandidateerror 701 udp_timeout stun:192.0.2.9\n"
            "icecandidate end\n"
            "ice gatheringstatechange complete\n"
            "icegatheringstatechange complete\n"
            "icecandidate null\n");
  pc_peers_free(p);
}

static void failing_servers_are_told(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_listen(p, FLOE_TRANSPORT_UDP, "error=486");
  pc_peer_add(&p->alice, "turn:192.0.2.1");
  pc_true(p, pc_peers_connect(p, 5000));
  pc_expect_with(&p->alice, "icecandidateerror", "icecandidateerror 486 quota_reached turn:192.0.2.1\n");
  pc_peers_free(p);
}

/* --- generations
 * ---------------------------------------------------------------------------------------------------
 */

static void a_candidate_of_another_generation(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  pc_peers_set_mode(p, PC_MANUAL);
  char old_ufrag[300], new_ufrag[300];
  char *sdp = sim_pc_local_sdp(p->alice.x);
  attribute_of(sdp, "a=ice-ufrag:", old_ufrag, sizeof old_ufrag);
  free(sdp);
  sim_pc_restart_ice(p->alice.x);
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  sdp = sim_pc_local_sdp(p->alice.x);
  attribute_of(sdp, "a=ice-ufrag:", new_ufrag, sizeof new_ufrag);
  assert_string_not_equal(old_ufrag, new_ufrag);
  floe_ice_candidate_init c = {.candidate = CANDIDATE, .sdp_mid = "0", .username_fragment = new_ufrag};
  pc_status(p, FLOE_E_NOT_FOUND, sim_pc_add_candidate(p->bob.x, &c)); /* not known yet */
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, sdp));
  pc_status(p, FLOE_OK, sim_pc_add_candidate(p->bob.x, &c));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->bob.x));
  c.username_fragment = old_ufrag;
  pc_status(p, FLOE_E_NOT_FOUND, sim_pc_add_candidate(p->bob.x, &c)); /* not known any more */
  free(sdp);
  pc_peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(before_a_remote_description_nothing_is_taken),
      cmocka_unit_test(the_rules_of_add_ice_candidate),
      cmocka_unit_test(after_close_nothing_is_taken),
      cmocka_unit_test(there_is_a_limit),
      cmocka_unit_test(the_remote_description_has_what_was_added),
      cmocka_unit_test(the_local_description_has_what_was_told),
      cmocka_unit_test(candidates_name_section_and_generation),
      cmocka_unit_test(candidates_added_by_hand_connect),
      cmocka_unit_test(candidates_of_the_description_connect),
      cmocka_unit_test(the_end_of_the_candidates_makes_failure_known),
      cmocka_unit_test(the_pool_gathers_ahead),
      cmocka_unit_test(errors_of_the_pool_are_told_when_their_time_has_come),
      cmocka_unit_test(failing_servers_are_told),
      cmocka_unit_test(a_candidate_of_another_generation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
