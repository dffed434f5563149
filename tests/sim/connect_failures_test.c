/* Each verdict (floe/cause.h from no_local_candidates on), brought about by what it names. */
#include "support/fake_peer.h"
#include "support/peers.h"

#define LIMIT_MS 200000

static void no_local_candidates(void **state) {
  (void)state;
  peers *p = peers_new_bare(1);
  sim_host_add_address(p->b.host, "eth0", "10.0.1.1");
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_NO_LOCAL_CANDIDATES);
  peer_expect_failed(&p->b, FLOE_CAUSE_NO_REMOTE_CANDIDATES);
  peers_free(p);
}

/* A relay-only policy and no server that answers: the same for whom it looks at. */
static void no_local_candidates_for_want_of_a_relay(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_listen(p, FLOE_TRANSPORT_UDP, "error-after-auth=486:Full");
  peer_add(&p->a, "turn:192.0.2.1");
  p->a.cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_NO_LOCAL_CANDIDATES);
  peer_expect_failed(&p->b, FLOE_CAUSE_NO_REMOTE_CANDIDATES);
  peers_free(p);
}

static void no_remote_candidates(void **state) {
  (void)state;
  for (int with_end = 0; with_end < 2; with_end++) {
    peers *p = peers_new(1);
    p->b.out.no_candidates = true;
    p->b.out.no_end = with_end == 0;
    peer_drop_to(&p->b, "10.0.0.1"); /* nor is one learnt */
    peers_true(p, peers_run_to_failed(p, LIMIT_MS));
    peer_expect_failed(&p->a, FLOE_CAUSE_NO_REMOTE_CANDIDATES);
    peer_expect_failed(&p->b, FLOE_CAUSE_CHECKS_UNANSWERED);
    peers_free(p);
  }
}

static void remote_unresolvable(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->b.cfg.mdns_hide_hosts = true;
  sim_mdns_set_link(p->b.host, 1);
  peer_drop_to(&p->b, "10.0.0.1");
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_REMOTE_UNRESOLVABLE);
  const floe_connection_report *r = floe_ice_agent_connection_report(sim_agent_core(p->a.agent), sim_now(p->s));
  assert_int_equal(r->n_unresolved, 1);
  peers_free(p);
}

static void no_common_family(void **state) {
  (void)state;
  peers *p = peers_new_bare(1);
  sim_host_add_address(p->a.host, "eth0", "10.0.0.1");
  sim_host_add_address(p->b.host, "eth0", "2001:db8:b::1");
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_NO_COMMON_FAMILY);
  peer_expect_failed(&p->b, FLOE_CAUSE_NO_COMMON_FAMILY);
  peers_free(p);
}

static void checks_unanswered(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peer_drop_to(&p->a, "10.0.1.1");
  peer_drop_to(&p->b, "10.0.0.1");
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_CHECKS_UNANSWERED);
  peer_expect_failed(&p->b, FLOE_CAUSE_CHECKS_UNANSWERED);
  /* RFC 8489 6.2.1 and RFC 8863: seven transmissions, and 39.5 s after the parameters came */
  peers_expect_with(&p->a, "connection",
                    "20.0 connection checking\n"
                    "39520.0 connection failed checks_unanswered\n");
  peers_expect_with(&p->b, "connection",
                    "10.0 connection checking\n"
                    "39510.0 connection failed checks_unanswered\n");
  const floe_connection_report *r = floe_ice_agent_connection_report(sim_agent_core(p->a.agent), sim_now(p->s));
  assert_int_equal(r->n_pairs, 1);
  assert_int_equal(r->pairs[0].requests_sent, 7);
  assert_int_equal(r->pairs[0].state, FLOE_PAIR_FAILED);
  assert_int_equal(r->pairs[0].failure, FLOE_PAIR_FAILURE_TIMEOUT);
  assert_int_equal(r->n_groups, 1);
  assert_int_equal(r->groups[0].n_by_state[FLOE_PAIR_FAILED], 1);
  peers_free(p);
}

static void checks_one_way(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peer_drop_to(&p->a, "10.0.1.1");
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_CHECKS_ONE_WAY);
  peer_expect_failed(&p->b, FLOE_CAUSE_CHECKS_UNANSWERED);
  peers_free(p);
}

static void checks_unreachable(void **state) {
  (void)state;
  static const struct { uint8_t type, code; } icmp[] = {{3, 13}, {3, 10}, {3, 3}};
  for (size_t i = 0; i < sizeof icmp / sizeof icmp[0]; i++) {
    peers *p = peers_new(1);
    sim_reject(p->s, "10.0.1.1", icmp[i].type, icmp[i].code);
    sim_reject(p->s, "10.0.0.1", icmp[i].type, icmp[i].code);
    peers_true(p, peers_run_to_failed(p, LIMIT_MS));
    peer_expect_failed(&p->a, FLOE_CAUSE_CHECKS_UNREACHABLE);
    peer_expect_failed(&p->b, FLOE_CAUSE_CHECKS_UNREACHABLE);
    const floe_connection_report *r = floe_ice_agent_connection_report(sim_agent_core(p->a.agent), sim_now(p->s));
    assert_true(r->pairs[0].icmp_errors > 0 && r->pairs[0].has_icmp);
    assert_int_equal(r->pairs[0].icmp_type, icmp[i].type);
    assert_int_equal(r->pairs[0].icmp_code, icmp[i].code);
    assert_int_equal(r->pairs[0].failure, FLOE_PAIR_FAILURE_UNREACHABLE);
    peers_free(p);
  }
}

static void the_system_says_unreachable(void **state) {
  (void)state;
  peers *p = peers_new(1);
  sim_fail_send(p->s, "10.0.1.1", FLOE_NET_NET_UNREACHABLE);
  sim_fail_send(p->s, "10.0.0.1", FLOE_NET_DENIED);
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_CHECKS_UNREACHABLE);
  peer_expect_failed(&p->b, FLOE_CAUSE_CHECKS_UNREACHABLE);
  peers_free(p);
}

/* Each side is told parameters that are not the other's. */
static peers *told_wrongly(bool ufrag, bool pwd) {
  peers *p = peers_new(1);
  p->a.out.no_parameters = p->b.out.no_parameters = true;
  p->b.waits_for_offer = false;
  peers_begin(p);
  for (int i = 0; i < 2; i++) {
    peer *x = i == 0 ? &p->a : &p->b;
    char wrong[300];
    floe_ice_parameters params = *floe_ice_agent_local_parameters(sim_agent_core(x->other->agent));
    (void)snprintf(wrong, sizeof wrong, "%s0", ufrag ? params.ufrag : params.pwd);
    if (ufrag) params.ufrag = wrong;
    if (pwd) params.pwd = wrong;
    assert_int_equal(sim_agent_set_remote_parameters(x->agent, &params), FLOE_OK);
  }
  return p;
}

/* Candidates with the right ufrag would be refused: they are told without. */
static void tell_hosts(peers *p) {
  assert_int_equal(peer_tell_candidate(&p->a, "candidate:1 1 udp 2130706431 10.0.0.1 50000 typ host"), FLOE_OK);
  assert_int_equal(peer_tell_candidate(&p->b, "candidate:1 1 udp 2130706431 10.0.1.1 50000 typ host"), FLOE_OK);
}

static void ufrag_mismatch(void **state) {
  (void)state;
  peers *p = told_wrongly(true, false);
  tell_hosts(p);
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_UFRAG_MISMATCH);
  peer_expect_failed(&p->b, FLOE_CAUSE_UFRAG_MISMATCH);
  const floe_connection_report *r = floe_ice_agent_connection_report(sim_agent_core(p->a.agent), sim_now(p->s));
  assert_true(r->unknown_ufrag > 0);
  assert_int_equal(r->requests_received, 0);
  assert_false(r->received_anything);
  peers_free(p);
}

static void bad_integrity(void **state) {
  (void)state;
  peers *p = told_wrongly(false, true);
  tell_hosts(p);
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_BAD_INTEGRITY);
  peer_expect_failed(&p->b, FLOE_CAUSE_BAD_INTEGRITY);
  const floe_connection_report *r = floe_ice_agent_connection_report(sim_agent_core(p->b.agent), sim_now(p->s));
  assert_true(r->bad_integrity > 0);
  peers_free(p);
}

static void relay_denied(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_listen(p, FLOE_TRANSPORT_UDP, "permission-error=403:Peer denied");
  peer_add(&p->a, "turn:192.0.2.1");
  p->a.cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_RELAY_DENIED);
  const floe_connection_report *r = floe_ice_agent_connection_report(sim_agent_core(p->a.agent), sim_now(p->s));
  assert_true(r->n_relay_denied > 0);
  assert_int_equal(r->pairs[0].failure, FLOE_PAIR_FAILURE_RELAY_DENIED);
  peers_free(p);
}

/* 403 ends the pair, not the agent: the direct path is used. */
static void a_denied_relay_is_not_the_end(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_listen(p, FLOE_TRANSPORT_UDP, "permission-error=403:Peer denied");
  peers_add(p, "turn:192.0.2.1");
  peers_true(p, peers_connect(p, 2000));
  peers_exchange_data(p);
  peers_free(p);
}

/* --- peers made by hand ------------------------------------------------------------------------------------------- */

typedef struct rig {
  peers *p;
  fake_peer *f;
  sim_agent *a;
} rig;

static rig make_rig(floe_ice_role role, fake_answer answer) {
  rig r = {.p = peers_new(1)};
  sim_host_remove_address(r.p->b.host, "10.0.1.1");
  r.f = fake_peer_new(sim_host_new(r.p->s, "fake", "eth0", "10.0.1.1", NULL), "10.0.1.1:7000");
  r.f->answer = answer;
  r.p->a.out.no_parameters = true;
  peers_start(r.p);
  r.a = r.p->a.agent;
  assert_int_equal(sim_agent_set_role(r.a, role), FLOE_OK);
  peers_begin(r.p);
  fake_peer_tell(r.f, r.a);
  return r;
}

static void role_conflict(void **state) {
  (void)state;
  rig r = make_rig(FLOE_ICE_ROLE_CONTROLLING, FAKE_ROLE_CONFLICT);
  peers_true(r.p, peer_run_to(&r.p->a, FLOE_ICE_CONNECTION_FAILED, LIMIT_MS));
  peer_expect_failed(&r.p->a, FLOE_CAUSE_ROLE_CONFLICT);
  peers_free(r.p);
}

static void not_nominated(void **state) {
  (void)state;
  rig r = make_rig(FLOE_ICE_ROLE_CONTROLLED, FAKE_SUCCESS);
  r.f->controlling = true;
  sim_run_for(r.p->s, 20);
  fake_peer_check(r.f, r.a, "10.0.0.1:50000", false);
  peers_true(r.p, peer_run_to(&r.p->a, FLOE_ICE_CONNECTION_FAILED, LIMIT_MS));
  peer_expect_failed(&r.p->a, FLOE_CAUSE_NOT_NOMINATED);
  peers_free(r.p);
}

/* Answers that may not count (RFC 8445 7.2.5): each leaves the pair without one. */
static void answers_that_do_not_count(void **state) {
  (void)state;
  static const struct {
    fake_answer answer;
    floe_cause cause;
  } rows[] = {{FAKE_UNSIGNED, FLOE_CAUSE_BAD_INTEGRITY},
              {FAKE_WRONG_KEY, FLOE_CAUSE_BAD_INTEGRITY},
              {FAKE_OTHER_TRANSACTION, FLOE_CAUSE_CHECKS_UNANSWERED},
              {FAKE_SILENT, FLOE_CAUSE_CHECKS_UNANSWERED}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    rig r = make_rig(FLOE_ICE_ROLE_CONTROLLING, rows[i].answer);
    peers_true(r.p, peer_run_to(&r.p->a, FLOE_ICE_CONNECTION_FAILED, LIMIT_MS));
    peer_expect_failed(&r.p->a, rows[i].cause);
    assert_int_equal(r.f->nominations, 0);
    peers_free(r.p);
  }
}

/* RFC 8445 7.2.5.2.1: an answer from elsewhere fails the pair. */
static void answers_from_elsewhere_fail_the_pair(void **state) {
  (void)state;
  rig r = make_rig(FLOE_ICE_ROLE_CONTROLLING, FAKE_OTHER_PORT);
  peers_true(r.p, peer_run_to(&r.p->a, FLOE_ICE_CONNECTION_FAILED, LIMIT_MS));
  const floe_connection_report *report = floe_ice_agent_connection_report(sim_agent_core(r.a), sim_now(r.p->s));
  assert_int_equal(report->pairs[0].failure, FLOE_PAIR_FAILURE_NOT_SYMMETRIC);
  assert_int_not_equal(report->verdict, FLOE_CAUSE_NONE);
  peers_free(r.p);
}

static void an_error_answer_fails_the_pair(void **state) {
  (void)state;
  static const unsigned codes[] = {400, 401, 420, 500, 699};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    rig r = make_rig(FLOE_ICE_ROLE_CONTROLLING, FAKE_ERROR);
    r.f->error_code = codes[i];
    peers_true(r.p, peer_run_to(&r.p->a, FLOE_ICE_CONNECTION_FAILED, LIMIT_MS));
    const floe_connection_report *report = floe_ice_agent_connection_report(sim_agent_core(r.a), sim_now(r.p->s));
    assert_int_equal(report->pairs[0].stun_error_code, codes[i]);
    assert_int_not_equal(report->verdict, FLOE_CAUSE_NONE);
    peers_free(r.p);
  }
}

/* A peer that goes on checking and answers nothing begins our check anew each time: that has an end too. */
static void a_peer_that_only_asks_is_given_up(void **state) {
  (void)state;
  rig r = make_rig(FLOE_ICE_ROLE_CONTROLLING, FAKE_SILENT);
  for (int i = 0; i < 1200 && sim_agent_connection(r.a) != FLOE_ICE_CONNECTION_FAILED; i++) {
    fake_peer_check(r.f, r.a, "10.0.0.1:50000", false);
    sim_run_for(r.p->s, 100);
  }
  peer_expect_failed(&r.p->a, FLOE_CAUSE_CHECKS_ONE_WAY);
  assert_in_range(sim_now(r.p->s) / FLOE_MS, 79000, 79200); /* twice 39.5 s */
  peers_free(r.p);
}

/* The nomination is answered when it is too late: nothing changes any more. */
static void an_answer_after_the_end_changes_nothing(void **state) {
  (void)state;
  rig r = make_rig(FLOE_ICE_ROLE_CONTROLLING, FAKE_HOLD_NOMINATIONS);
  peers_true(r.p, peer_run_to(&r.p->a, FLOE_ICE_CONNECTION_FAILED, LIMIT_MS));
  peer_expect_failed(&r.p->a, FLOE_CAUSE_CHECKS_UNANSWERED);
  fake_peer_answer_held(r.f);
  sim_run_for(r.p->s, 1000);
  peers_true(r.p, sim_agent_connection(r.a) == FLOE_ICE_CONNECTION_FAILED);
  peers_free(r.p);
}

/* A TCP connection that nobody answers is given up like any other check. */
static void a_connect_without_an_answer_is_given_up(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peer_block_udp(&p->a);
  peer_block_udp(&p->b);
  p->b.cfg.tcp_passive = true;
  sim_rule_add(p->s, &(sim_rule){.from = p->a.host, .action = SIM_DROP});
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_CHECKS_UNANSWERED);
  peer_expect_failed(&p->b, FLOE_CAUSE_CHECKS_UNANSWERED);
  peers_free(p);
}

static void consent_lost(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  peer_vanish(&p->b);
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_CONSENT_LOST);
  peer_expect_failed(&p->b, FLOE_CAUSE_CONSENT_LOST);
  peers_free(p);
}

static void network_gone(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  sim_host_remove_address(p->a.host, "10.0.0.1");
  sim_agent_interfaces_changed(p->a.agent);
  peers_true(p, peers_run_to_failed(p, LIMIT_MS));
  peer_expect_failed(&p->a, FLOE_CAUSE_NETWORK_GONE);
  peers_free(p);
}

/* As things stand, at any time; nothing while all is well. */
static void the_verdict_can_be_asked_for_at_any_time(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_start(p);
  const floe_connection_report *r = floe_ice_agent_connection_report(sim_agent_core(p->a.agent), sim_now(p->s));
  assert_non_null(r);
  assert_int_equal(r->state, FLOE_ICE_CONNECTION_NEW);
  peer_drop_to(&p->a, "10.0.1.1");
  peer_drop_to(&p->b, "10.0.0.1");
  peers_begin(p);
  sim_run_for(p->s, 5000);
  assert_int_equal(sim_agent_verdict(p->a.agent), FLOE_CAUSE_CHECKS_UNANSWERED);
  sim_rules_clear(p->s);
  peers_true(p, peers_run_to_connected(p, 20000));
  assert_int_equal(sim_agent_verdict(p->a.agent), FLOE_CAUSE_NONE);
  assert_int_equal(sim_agent_verdict(p->b.agent), FLOE_CAUSE_NONE);
  peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_local_candidates),
      cmocka_unit_test(no_local_candidates_for_want_of_a_relay),
      cmocka_unit_test(no_remote_candidates),
      cmocka_unit_test(remote_unresolvable),
      cmocka_unit_test(no_common_family),
      cmocka_unit_test(checks_unanswered),
      cmocka_unit_test(checks_one_way),
      cmocka_unit_test(checks_unreachable),
      cmocka_unit_test(the_system_says_unreachable),
      cmocka_unit_test(ufrag_mismatch),
      cmocka_unit_test(bad_integrity),
      cmocka_unit_test(relay_denied),
      cmocka_unit_test(a_denied_relay_is_not_the_end),
      cmocka_unit_test(role_conflict),
      cmocka_unit_test(not_nominated),
      cmocka_unit_test(answers_that_do_not_count),
      cmocka_unit_test(answers_from_elsewhere_fail_the_pair),
      cmocka_unit_test(an_error_answer_fails_the_pair),
      cmocka_unit_test(a_peer_that_only_asks_is_given_up),
      cmocka_unit_test(an_answer_after_the_end_changes_nothing),
      cmocka_unit_test(a_connect_without_an_answer_is_given_up),
      cmocka_unit_test(consent_lost),
      cmocka_unit_test(network_gone),
      cmocka_unit_test(the_verdict_can_be_asked_for_at_any_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
