/* A lite agent (RFC 8445 2.5): a server on a public address that answers and never asks. */
#include "support/fake_peer.h"
#include "support/peers.h"

static peers *with_lite_b(uint64_t seed) {
  peers *p = peers_new(seed);
  p->b.cfg.lite = true;
  return p;
}

static void expect_roles(peers *p) {
  assert_int_equal(floe_ice_agent_role(sim_agent_core(p->a.agent)), FLOE_ICE_ROLE_CONTROLLING);
  assert_int_equal(floe_ice_agent_role(sim_agent_core(p->b.agent)), FLOE_ICE_ROLE_CONTROLLED);
}

static void a_full_agent_connects_to_a_lite_one(void **state) {
  (void)state;
  for (int lite_is_first = 0; lite_is_first < 2; lite_is_first++) {
    for (int whole = 0; whole < 2; whole++) {
      peers *p = with_lite_b(1);
      p->a.waits_for_offer = lite_is_first == 1;
      p->b.waits_for_offer = lite_is_first == 0;
      p->a.out.whole = p->b.out.whole = whole == 1;
      peers_true(p, peers_connect(p, 1000));
      expect_roles(p); /* RFC 8445 6.1.1: the full agent controls, whoever offers */
      assert_true(floe_ice_agent_local_parameters(sim_agent_core(p->b.agent))->lite);
      assert_true(floe_ice_agent_remote_parameters(sim_agent_core(p->a.agent))->lite);
      peers_exchange_data(p);
      peers_free(p);
    }
  }
}

static void a_lite_agent_sends_no_check(void **state) {
  (void)state;
  peers *p = with_lite_b(1);
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 60000);
  assert_string_equal(sim_agent_wire_with(p->b.agent, " Binding\n"), "");
  assert_string_equal(sim_agent_wire_with(p->b.agent, " Binding nominate"), "");
  peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
  peers_exchange_data(p);
  peers_free(p);
}

/* RFC 8445 8.2: without any check each side takes the pair that the priorities say. */
static void two_lite_agents_take_the_best_pair(void **state) {
  (void)state;
  for (int whole = 0; whole < 2; whole++) {
    peers *p = with_lite_b(1);
    p->a.cfg.lite = true;
    p->a.out.whole = p->b.out.whole = whole == 1;
    sim_host_add_address(p->a.host, "eth0", "2001:db8:a::1");
    sim_host_add_address(p->b.host, "eth0", "2001:db8:b::1");
    peers_true(p, peers_connect(p, 1000));
    const floe_ice_candidate *local, *remote;
    assert_true(floe_ice_agent_selected_pair(sim_agent_core(p->a.agent), &local, &remote));
    assert_int_equal(local->address.family, FLOE_FAMILY_IPV6);
    assert_int_equal(remote->address.family, FLOE_FAMILY_IPV6);
    peers_exchange_data(p);
    sim_run_for(p->s, 120000); /* nobody asks, and nobody is missed */
    assert_string_equal(sim_agent_wire_with(p->a.agent, "Binding"), "");
    peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
    peers_free(p);
  }
}

static void it_has_host_candidates_only(void **state) {
  (void)state;
  peers *p = with_lite_b(1);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peer_add(&p->a, "turn:192.0.2.1");
  sim_host_add_address(p->b.host, "eth0", "2001:db8:b::1");
  peers_true(p, peers_connect(p, 2000));
  sim_run_for(p->s, 1000);
  peers_expect_with(&p->b, "candidate",
                    "10.0 candidate host 10.0.1.1:50000\n"
                    "10.0 candidate host [2001:db8:b::1]:50001\n"
                    "10.0 candidate end\n");
  peers_free(p);
}

static void from_behind_any_nat(void **state) {
  (void)state;
  for (int i = 0; i < 9; i++) {
    peers *p = with_lite_b(1);
    peers_nat(&p->a, (sim_nat_kind)(i / 3), (sim_nat_kind)(i % 3));
    peers_true(p, peers_connect(p, 1000));
    expect_roles(p);
    peers_exchange_data(p);
    peers_free(p);
  }
}

/* A lite agent cannot ask: what it does not hear for 30 s is gone. */
static void a_lite_agent_notices_silence(void **state) {
  (void)state;
  peers *p = with_lite_b(1);
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 10000);
  peer_vanish(&p->a);
  peers_true(p, peer_run_to(&p->b, FLOE_ICE_CONNECTION_FAILED, 45000));
  peer_expect_failed(&p->b, FLOE_CAUSE_CONSENT_LOST);
  peers_free(p);
}

static void a_restart_connects_again(void **state) {
  (void)state;
  for (int which = 0; which < 2; which++) {
    peers *p = with_lite_b(1);
    peers_true(p, peers_connect(p, 1000));
    sim_run_for(p->s, 2000);
    peer_restart(which == 0 ? &p->a : &p->b);
    sim_run_for(p->s, 2000);
    peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
    expect_roles(p);
    peers_exchange_data(p);
    peers_free(p);
  }
}

static void a_rebound_nat_is_followed(void **state) {
  (void)state;
  peers *p = with_lite_b(1);
  peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 5000);
  sim_nat_rebind(p->a.nat, NULL);
  sim_run_for(p->s, 28000);
  peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
  peers_exchange_data(p);
  peers_free(p);
}

/* Nothing is answered without valid credentials, and a check that is no good changes nothing. */
static void it_answers_only_good_checks(void **state) {
  (void)state;
  for (int i = 0; i < 5; i++) {
    peers *p = with_lite_b(1);
    p->b.waits_for_offer = false;
    p->a.waits_for_offer = true;
    p->b.out.no_parameters = true;
    peers_begin(p);
    sim_host_remove_address(p->a.host, "10.0.0.1");
    fake_peer *f = fake_peer_new(sim_host_new(p->s, "fake", "eth0", "10.0.0.1", NULL), "10.0.0.1:7000");
    fake_peer_tell(f, p->b.agent);
    f->controlling = true;
    f->wrong_key = i == 0;
    f->no_integrity = i == 1;
    f->other_ufrag = i == 2;
    f->no_username = i == 3;
    fake_peer_check(f, p->b.agent, "10.0.1.1:50000", true);
    sim_run_for(p->s, 100);
    assert_int_equal(f->successes, i == 4 ? 1 : 0);
    assert_int_equal(sim_agent_is_connected(p->b.agent), i == 4);
    peers_free(p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_full_agent_connects_to_a_lite_one),
      cmocka_unit_test(a_lite_agent_sends_no_check),
      cmocka_unit_test(two_lite_agents_take_the_best_pair),
      cmocka_unit_test(it_has_host_candidates_only),
      cmocka_unit_test(from_behind_any_nat),
      cmocka_unit_test(a_lite_agent_notices_silence),
      cmocka_unit_test(a_restart_connects_again),
      cmocka_unit_test(a_rebound_nat_is_followed),
      cmocka_unit_test(it_answers_only_good_checks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
