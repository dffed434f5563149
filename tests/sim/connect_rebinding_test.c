/* A NAT that forgets its mappings, or changes its address, under a connection. Nobody restarts: both sides find each
 * other again by themselves, and data flows. */
#include "support/peers.h"

/* Without `failed` on either side, and within the time in which consent is lost. */
static void expect_recovery(peers *p, const char *what) {
  sim_run_for(p->s, 28000);
  for (int i = 0; i < 2; i++) {
    peer *x = i == 0 ? &p->a : &p->b;
    if (!sim_agent_is_connected(x->agent)) sim_fail(p->s, "%s: %s is not connected", what, x->name);
    assert_null(strstr(sim_agent_events(x->agent), "failed"));
  }
  peers_exchange_data(p);
}

static void with_stun(peers *p) {
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_add(p, "stun:192.0.2.1");
}

static void a_host_behind_a_nat_and_a_public_one(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    for (int which = 0; which < 2; which++) { /* the controlling side's NAT, the controlled side's NAT */
      peers *p = peers_new(seed);
      peers_nat(which == 0 ? &p->a : &p->b, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
      with_stun(p);
      peers_true(p, peers_connect(p, 5000));
      sim_run_for(p->s, 1000 + sim_random_below(p->s, 10000));
      sim_nat_rebind(which == 0 ? p->a.nat : p->b.nat, NULL);
      expect_recovery(p, "new port");
      peers_free(p);
    }
  }
}

static void the_nat_gets_another_address(void **state) {
  (void)state;
  for (int which = 0; which < 2; which++) {
    peers *p = peers_new(1);
    peers_nat(which == 0 ? &p->a : &p->b, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
    with_stun(p);
    peers_true(p, peers_connect(p, 5000));
    sim_run_for(p->s, 3000);
    sim_nat_rebind(which == 0 ? p->a.nat : p->b.nat, "203.0.113.77");
    expect_recovery(p, "new address");
    peers_free(p);
  }
}

static void a_filtering_nat_opposite_needs_a_relay(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_nat(&p->b, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_add(p, "turn:192.0.2.1");
  peers_true(p, peers_connect(p, 5000));
  sim_run_for(p->s, 3000);
  sim_nat_rebind(p->a.nat, NULL);
  expect_recovery(p, "relay instead");
  peers_free(p);
}

/* RFC 8445 2: consent goes on with the pair in use; the peer sees it come from elsewhere and follows. */
static void a_restart_is_quicker(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  with_stun(p);
  peers_true(p, peers_connect(p, 5000));
  sim_run_for(p->s, 3000);
  sim_nat_rebind(p->a.nat, NULL);
  peer_restart(&p->a);
  sim_run_for(p->s, 500);
  peers_exchange_data(p);
  sim_run_for(p->s, 60000);
  peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
  peers_free(p);
}

static void many_times_in_a_row(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  with_stun(p);
  peers_true(p, peers_connect(p, 5000));
  for (int i = 0; i < 40; i++) {
    sim_nat_rebind(p->a.nat, NULL);
    expect_recovery(p, "again");
  }
  peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_host_behind_a_nat_and_a_public_one),
      cmocka_unit_test(the_nat_gets_another_address),
      cmocka_unit_test(a_filtering_nat_opposite_needs_a_relay),
      cmocka_unit_test(a_restart_is_quicker),
      cmocka_unit_test(many_times_in_a_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
