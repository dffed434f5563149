/* The host's addresses change under a connection: the one in use goes, another one comes. */
#include "support/peers.h"

static void with_the_only_address_the_network_is_gone(void **state) {
  (void)state;
  for (int unasked = 0; unasked < 2; unasked++) {
    peers *p = peers_new(1);
    peers_true(p, peers_connect(p, 1000));
    sim_run_for(p->s, 2000);
    sim_host_remove_address(p->a.host, "10.0.0.1");
    if (unasked) {
      sim_agent_tell_interfaces(p->a.agent);
    } else {
      sim_agent_interfaces_changed(p->a.agent);
    }
    peers_true(p, peer_run_to(&p->a, FLOE_ICE_CONNECTION_FAILED, 31000));
    peer_expect_failed(&p->a, FLOE_CAUSE_NETWORK_GONE);
    peers_true(p, peer_run_to(&p->b, FLOE_ICE_CONNECTION_FAILED, 31000));
    peer_expect_failed(&p->b, FLOE_CAUSE_CONSENT_LOST);
    peers_free(p);
  }
}

static void another_address_takes_over(void **state) {
  (void)state;
  for (int which = 0; which < 2; which++) {
    peers *p = peers_new(1);
    peer *x = which == 0 ? &p->a : &p->b;
    sim_host_add_address(x->host, "eth1", which == 0 ? "10.0.0.2" : "10.0.1.2");
    peers_true(p, peers_connect(p, 1000));
    sim_run_for(p->s, 2000);
    const floe_ice_candidate *local, *remote;
    assert_true(floe_ice_agent_selected_pair(sim_agent_core(x->agent), &local, &remote));
    char used[FLOE_ADDR_TEXT];
    sim_host_remove_address(x->host, floe_addr_format_ip(&local->address, used));
    sim_agent_interfaces_changed(x->agent);
    sim_run_for(p->s, 20000);
    peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
    assert_null(strstr(sim_agent_pair(x->agent), used));
    peers_exchange_data(p);
    peers_free(p);
  }
}

static void changes_of_others_do_not_matter(void **state) {
  (void)state;
  peers *p = peers_new(1);
  sim_host_add_address(p->a.host, "eth1", "10.0.0.2");
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 2000);
  const floe_ice_candidate *local, *remote;
  assert_true(floe_ice_agent_selected_pair(sim_agent_core(p->a.agent), &local, &remote));
  bool uses_first = local->address.ip[3] == 1;
  sim_agent_clear_log(p->a.agent);
  sim_host_remove_address(p->a.host, uses_first ? "10.0.0.2" : "10.0.0.1");
  sim_agent_interfaces_changed(p->a.agent);
  sim_host_add_address(p->a.host, "eth2", "10.0.0.3");
  sim_agent_tell_interfaces(p->a.agent);
  sim_run_for(p->s, 60000);
  peers_expect(&p->a, "");
  peers_exchange_data(p);
  peers_free(p);
}

/* Nothing has changed: nothing happens, however often it is said. */
static void a_false_alarm_is_none(void **state) {
  (void)state;
  peers *p = peers_new(1);
  sim_agent_options late = {.lazy_drain = 500};
  p->a.options = late;
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 2000);
  sim_agent_clear_log(p->a.agent);
  for (int i = 0; i < 100; i++) {
    sim_agent_interfaces_changed(p->a.agent);
    sim_run_for(p->s, 10);
  }
  peers_expect(&p->a, "");
  peers_free(p);
}

/* continual_gathering: a new address is gathered on and told, and carries the connection when the old one goes. */
static void a_new_address_is_gathered_on(void **state) {
  (void)state;
  for (int which = 0; which < 2; which++) {
    peers *p = peers_new(1);
    peer *x = which == 0 ? &p->a : &p->b;
    x->cfg.continual_gathering = true;
    peers_true(p, peers_connect(p, 1000));
    sim_run_for(p->s, 2000);
    sim_agent_clear_log(x->agent);
    sim_host_add_address(x->host, "wlan0", which == 0 ? "10.0.0.2" : "10.0.1.2");
    sim_agent_interfaces_changed(x->agent);
    sim_run_for(p->s, 1000);
    peers_expect_with(x, "candidate", which == 0 ? "* candidate host 10.0.0.2:*\n" : "* candidate host 10.0.1.2:*\n");
    sim_host_remove_address(x->host, which == 0 ? "10.0.0.1" : "10.0.1.1");
    sim_agent_interfaces_changed(x->agent);
    sim_run_for(p->s, 20000);
    peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
    assert_non_null(strstr(sim_agent_pair(x->agent), which == 0 ? "10.0.0.2" : "10.0.1.2"));
    peers_exchange_data(p);
    peers_free(p);
  }
}

/* With servers too: the new address gets its mapped address and its relay. */
static void a_new_address_asks_the_servers(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.continual_gathering = true;
  peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_nat(&p->b, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_add(p, "turn:192.0.2.1");
  peers_true(p, peers_connect(p, 5000));
  sim_run_for(p->s, 2000);
  sim_agent_clear_log(p->a.agent);
  sim_host_add_address(p->a.host, "wlan0", "10.0.0.2");
  sim_host_remove_address(p->a.host, "10.0.0.1");
  sim_agent_interfaces_changed(p->a.agent);
  sim_run_for(p->s, 25000);
  assert_non_null(strstr(sim_agent_events(p->a.agent), "candidate host 10.0.0.2:"));
  assert_non_null(strstr(sim_agent_events(p->a.agent), "candidate srflx 203.0.113.1:"));
  assert_non_null(strstr(sim_agent_events(p->a.agent), "candidate relay 192.0.2.1:"));
  peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
  peers_exchange_data(p);
  peers_free(p);
}

/* The network is away for some seconds, as when a laptop changes from one access point to another, and comes back. */
static void the_same_address_comes_back(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.continual_gathering = true;
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 2000);
  sim_host_remove_address(p->a.host, "10.0.0.1");
  sim_agent_interfaces_changed(p->a.agent);
  sim_run_for(p->s, 3000);
  sim_host_add_address(p->a.host, "eth0", "10.0.0.1");
  sim_agent_interfaces_changed(p->a.agent);
  sim_run_for(p->s, 25000);
  if (!sim_agent_is_connected(p->a.agent)) peer_restart(&p->a);
  sim_run_for(p->s, 5000);
  peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
  peers_exchange_data(p);
  peers_free(p);
}

static void before_gathering_and_after_close_it_is_fine(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_start(p);
  sim_agent_interfaces_changed(p->a.agent);
  sim_run_for(p->s, 10);
  peers_true(p, peers_connect(p, 1000));
  peers_exchange_data(p);
  sim_agent_close(p->a.agent);
  floe_ice_agent_on_interfaces_changed(sim_agent_core(p->a.agent), sim_now(p->s));
  sim_run_for(p->s, 10);
  peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(with_the_only_address_the_network_is_gone),
      cmocka_unit_test(another_address_takes_over),
      cmocka_unit_test(changes_of_others_do_not_matter),
      cmocka_unit_test(a_false_alarm_is_none),
      cmocka_unit_test(a_new_address_is_gathered_on),
      cmocka_unit_test(a_new_address_asks_the_servers),
      cmocka_unit_test(the_same_address_comes_back),
      cmocka_unit_test(before_gathering_and_after_close_it_is_fine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
