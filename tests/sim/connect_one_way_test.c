/* Firewalls that let packets through in one direction only. */
#include "support/peers.h"

static void a_one_way_path_is_named(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peer_drop_to(&p->a, "10.0.1.1");
  peers_true(p, peers_run_to_failed(p, 200000));
  /* B's checks arrive at A, whose answers do not arrive at B */
  peer_expect_failed(&p->a, FLOE_CAUSE_CHECKS_ONE_WAY);
  peer_expect_failed(&p->b, FLOE_CAUSE_CHECKS_UNANSWERED);
  const floe_connection_report *r = floe_ice_agent_connection_report(sim_agent_core(p->a.agent), sim_now(p->s));
  assert_non_null(r);
  assert_true(r->received_anything);
  assert_true(r->requests_received >= 7);
  r = floe_ice_agent_connection_report(sim_agent_core(p->b.agent), sim_now(p->s));
  assert_non_null(r);
  assert_false(r->received_anything);
  assert_int_equal(r->requests_received, 0);
  peers_free(p);
}

static void the_other_direction_too(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peer_drop_to(&p->b, "10.0.0.1");
  peers_true(p, peers_run_to_failed(p, 200000));
  peer_expect_failed(&p->a, FLOE_CAUSE_CHECKS_UNANSWERED);
  peer_expect_failed(&p->b, FLOE_CAUSE_CHECKS_ONE_WAY);
  peers_free(p);
}

static void a_relay_goes_round_it(void **state) {
  (void)state;
  for (int which = 0; which < 2; which++) {
    peers *p = peers_new(1);
    peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
    peer_add(which == 0 ? &p->a : &p->b, "turn:192.0.2.1");
    peer_drop_to(&p->a, "10.0.1.1");
    peers_true(p, peers_connect(p, 5000));
    peers_exchange_data(p);
    const floe_ice_candidate *local, *remote;
    assert_true(floe_ice_agent_selected_pair(sim_agent_core(p->a.agent), &local, &remote));
    assert_true(local->type == FLOE_CANDIDATE_RELAY || remote->type == FLOE_CANDIDATE_RELAY);
    peers_free(p);
  }
}

static void a_path_that_opens_is_used(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peer_drop_to(&p->a, "10.0.1.1");
  peers_begin(p);
  sim_run_for(p->s, 5000);
  assert_false(sim_agent_is_connected(p->a.agent));
  sim_rules_clear(p->s);
  peers_true(p, peers_run_to_connected(p, 20000));
  peers_exchange_data(p);
  peers_free(p);
}

/* The path in use becomes one-way: the side that hears no answers says so. */
static void becoming_one_way_is_a_loss(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  peer_drop_to(&p->a, "10.0.1.1");
  peers_true(p, peer_run_to(&p->a, FLOE_ICE_CONNECTION_DISCONNECTED, 15000));
  peers_true(p, peer_run_to(&p->b, FLOE_ICE_CONNECTION_DISCONNECTED, 15000));
  sim_rules_clear(p->s);
  peers_true(p, peers_run_to_connected(p, 10000));
  peers_exchange_data(p);
  peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_one_way_path_is_named),    cmocka_unit_test(the_other_direction_too),
      cmocka_unit_test(a_relay_goes_round_it),      cmocka_unit_test(a_path_that_opens_is_used),
      cmocka_unit_test(becoming_one_way_is_a_loss),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
