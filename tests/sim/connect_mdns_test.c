/* Hosts hidden behind .local names (mDNS candidates draft), and names that do not resolve. */
#include "support/fake_peer.h"
#include "support/peers.h"

static void hidden_hosts_connect_on_one_link(void **state) {
  (void)state;
  for (int which = 1; which < 4; which++) {
    peers *p = peers_new(1);
    p->a.cfg.mdns_hide_hosts = (which & 1) != 0;
    p->b.cfg.mdns_hide_hosts = (which & 2) != 0;
    peers_true(p, peers_connect(p, 1000));
    peers_exchange_data(p);
    assert_int_equal(sim_mdns_published(p->a.host), (which & 1) != 0 ? 1 : 0);
    assert_int_equal(sim_mdns_published(p->b.host), (which & 2) != 0 ? 1 : 0);
    peers_free(p);
  }
}

/* No address of the host is in what the other side is told. */
static void the_address_is_told_nowhere(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.mdns_hide_hosts = true;
  peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peer_add(&p->a, "turn:192.0.2.1");
  peer_add(&p->a, "turn:192.0.2.99"); /* an error, with no address either */
  peers_begin(p);
  sim_run_for(p->s, 8000);
  char text[4000];
  size_t len = floe_ice_agent_local_description(sim_agent_core(p->a.agent), text, sizeof text);
  assert_true(len < sizeof text);
  assert_null(strstr(text, "10.0.0.1"));
  assert_non_null(strstr(text, ".local 50000 typ host"));
  assert_non_null(strstr(text, " raddr 0.0.0.0 rport 9")); /* of the srflx candidate */
  assert_int_equal(sim_agent_n_errors(p->a.agent), 1);
  assert_false(sim_agent_error(p->a.agent, 0)->has_address);
  peers_free(p);
}

static void each_address_has_its_own_name(void **state) {
  (void)state;
  peers *p = peers_new(1);
  sim_host_add_address(p->a.host, "eth0", "2001:db8:a::1");
  p->a.cfg.mdns_hide_hosts = true;
  p->a.cfg.tcp_passive = true;
  peers_begin(p);
  sim_run_for(p->s, 1000);
  assert_int_equal(sim_mdns_published(p->a.host), 2); /* UDP and TCP share the name of their address */
  peers_free(p);
}

static void names_are_withdrawn_at_close(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.mdns_hide_hosts = true;
  peers_true(p, peers_connect(p, 1000));
  assert_int_equal(sim_mdns_published(p->a.host), 1);
  sim_agent_close(p->a.agent);
  sim_run_for(p->s, 1000);
  assert_int_equal(sim_mdns_published(p->a.host), 0);
  peers_free(p);
}

/* In another network the name does not resolve; the mapped address does it. */
static void an_unresolved_name_is_no_harm(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.mdns_hide_hosts = p->b.cfg.mdns_hide_hosts = true;
  sim_mdns_set_link(p->a.host, 1);
  peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_nat(&p->b, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_add(p, "stun:192.0.2.1");
  peers_true(p, peers_connect(p, 3000));
  peers_exchange_data(p);
  sim_run_for(p->s, 5000);
  const floe_stats *stats = floe_ice_agent_stats(sim_agent_core(p->a.agent), sim_now(p->s));
  uint32_t failed = 0;
  for (size_t i = 0; i < stats->n_remote_candidates; i++) {
    failed += stats->remote_candidates[i].resolution == FLOE_RESOLUTION_FAILED ? 1 : 0;
  }
  assert_int_equal(failed, 1);
  peers_true(p, sim_agent_connection(p->a.agent) == FLOE_ICE_CONNECTION_COMPLETED);
  peers_free(p);
}

static void no_mdns_refuses_names(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->b.cfg.mdns_hide_hosts = true;
  p->a.cfg.no_mdns = true;
  peer_drop_to(&p->b, "10.0.0.1");
  peers_true(p, peers_run_to_failed(p, 60000));
  peer_expect_failed(&p->a, FLOE_CAUSE_REMOTE_UNRESOLVABLE);
  assert_string_equal(sim_agent_wire_with(p->a.agent, "resolve"), "");
  peers_free(p);
}

/* Names of the DNS are never looked up: they would tell a resolver, and lead anywhere. */
static void other_names_are_never_looked_up(void **state) {
  (void)state;
  peers *p = peers_new(1);
  sim_dns_add(p->s, "host.example.org", "10.0.1.1", NULL);
  p->a.out.no_parameters = p->b.out.no_parameters = true;
  p->b.out.no_candidates = true;
  p->b.waits_for_offer = false;
  peers_begin(p);
  floe_ice_parameters params = *floe_ice_agent_local_parameters(sim_agent_core(p->b.agent));
  assert_int_equal(sim_agent_set_remote_parameters(p->a.agent, &params), FLOE_OK);
  assert_int_equal(sim_agent_add_remote_candidate(p->a.agent, "candidate:1 1 udp 1 host.example.org 50000 typ host"),
                   FLOE_OK);
  sim_run_for(p->s, 20000);
  assert_string_equal(sim_agent_wire_with(p->a.agent, "resolve"), "");
  peers_true(p, sim_agent_verdict(p->a.agent) == FLOE_CAUSE_REMOTE_UNRESOLVABLE);
  peers_free(p);
}

/* The draft's 3.3: a name is looked up once, however many candidates it has. */
static void both_families_are_asked_for(void **state) {
  (void)state;
  peers *p = peers_new_bare(1);
  sim_host_add_address(p->a.host, "eth0", "2001:db8:a::1");
  sim_host_add_address(p->b.host, "eth0", "2001:db8:b::1");
  p->b.cfg.mdns_hide_hosts = true;
  peers_true(p, peers_connect(p, 4000));
  peers_exchange_data(p);
  peers_free(p);
}

static void a_restart_has_new_names(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.mdns_hide_hosts = true;
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 1000);
  peer_restart(&p->a);
  sim_run_for(p->s, 3000);
  peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
  peers_exchange_data(p);
  assert_int_equal(sim_mdns_published(p->a.host), 1);
  peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hidden_hosts_connect_on_one_link), cmocka_unit_test(the_address_is_told_nowhere),
      cmocka_unit_test(each_address_has_its_own_name),    cmocka_unit_test(names_are_withdrawn_at_close),
      cmocka_unit_test(an_unresolved_name_is_no_harm),    cmocka_unit_test(no_mdns_refuses_names),
      cmocka_unit_test(other_names_are_never_looked_up),  cmocka_unit_test(both_families_are_asked_for),
      cmocka_unit_test(a_restart_has_new_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
