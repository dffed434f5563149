/* Closing and freeing at any moment of a connection: silence at once, an end within a second, nothing left. */
#include "support/peers.h"

static void behind_nats(peers *p) {
  peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_listen(p, FLOE_TRANSPORT_TCP, NULL);
  peer_add(&p->a, "turn:192.0.2.1");
  peer_add(&p->b, "turn:192.0.2.1?transport=tcp");
}

static void relay_only(peers *p) {
  behind_nats(p);
  p->a.cfg.ice_transport_policy = p->b.cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
}

static void over_tcp(peers *p) {
  peer_block_udp(&p->a);
  p->a.cfg.tcp_so = p->b.cfg.tcp_so = true;
  p->b.cfg.tcp_passive = true;
  p->b.cfg.mdns_hide_hosts = true;
}

static void (*const worlds[])(peers *p) = {behind_nats, relay_only, over_tcp};
#define N_WORLDS (sizeof worlds / sizeof worlds[0])

/* Every 5 ms of the way to a connection. */
#define STEP_MS 5
#define LAST_MS 200

static void close_both(peers *p) {
  sim_agent_close(p->a.agent);
  sim_agent_clear_log(p->a.agent);
  sim_run_for(p->s, 20);
  sim_agent_close(p->b.agent);
  peers_true(p, sim_agent_run_to_closed(p->a.agent, 1100));
  peers_true(p, sim_agent_run_to_closed(p->b.agent, 1100));
  assert_string_equal(sim_agent_events(p->a.agent), "");
  assert_int_equal(floe_ice_agent_connection_state(sim_agent_core(p->a.agent)), FLOE_ICE_CONNECTION_CLOSED);
  assert_int_equal(sim_host_open_sockets(p->a.host), 0);
  assert_int_equal(sim_host_open_sockets(p->b.host), 0);
}

static void at_any_moment_it_ends(void **state) {
  (void)state;
  for (size_t w = 0; w < N_WORLDS; w++) {
    for (uint32_t ms = 0; ms <= LAST_MS; ms += STEP_MS) {
      peers *p = peers_new(1);
      worlds[w](p);
      peers_begin(p);
      sim_run_for(p->s, ms);
      close_both(p);
      /* one that was still being asked for runs out by itself */
      if (p->server != NULL && ms >= 60) peers_true(p, sim_server_counters(p->server).allocations == 0);
      peers_free(p);
    }
  }
}

static void freed_without_closing_too(void **state) {
  (void)state;
  for (size_t w = 0; w < N_WORLDS; w++) {
    for (uint32_t ms = 0; ms <= LAST_MS; ms += STEP_MS) {
      peers *p = peers_new(1);
      worlds[w](p);
      peers_begin(p);
      sim_run_for(p->s, ms);
      sim_agent_free(p->a.agent);
      sim_run_for(p->s, 10);
      sim_agent_free(p->b.agent);
      sim_run_for(p->s, 1000);
      p->a.no_close = p->b.no_close = true;
      peers_free(p);
    }
  }
}

/* In the middle of a restart there are two sessions to close. */
static void in_the_middle_of_a_restart(void **state) {
  (void)state;
  for (size_t w = 0; w < N_WORLDS; w++) {
    for (uint32_t ms = 0; ms <= 100; ms += STEP_MS) {
      peers *p = peers_new(1);
      worlds[w](p);
      peers_true(p, peers_connect(p, 8000));
      sim_run_for(p->s, 1000);
      peer_restart(&p->a);
      sim_run_for(p->s, ms);
      close_both(p);
      if (p->server != NULL && ms >= 60) peers_true(p, sim_server_counters(p->server).allocations == 0);
      peers_free(p);
    }
  }
}

static void a_closed_agent_answers_nothing(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  sim_agent_close(p->b.agent);
  sim_agent_clear_log(p->b.agent);
  sim_run_for(p->s, 20000);
  assert_string_equal(sim_agent_wire_with(p->b.agent, "send"), "");
  assert_string_equal(sim_agent_events(p->b.agent), "");
  peers_free(p);
}

#define DESCRIPTION "a=ice-ufrag:peer\r\na=ice-pwd:passwordOfThePeerAtHand\r\n"

static void what_can_be_asked_after_close(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  sim_agent_close(p->a.agent);
  floe_ice_agent *core = sim_agent_core(p->a.agent);
  const floe_ice_candidate *local, *remote;
  assert_int_equal(floe_ice_agent_connection_state(core), FLOE_ICE_CONNECTION_CLOSED);
  (void)floe_ice_agent_selected_pair(core, &local, &remote);
  (void)floe_ice_agent_stats(core, sim_now(p->s));
  (void)floe_ice_agent_connection_report(core, sim_now(p->s));
  (void)floe_ice_agent_local_parameters(core);
  (void)floe_ice_agent_remote_parameters(core);
  (void)floe_ice_agent_role(core);
  assert_int_equal(floe_ice_agent_set_remote_description(core, sim_now(p->s), DESCRIPTION, NULL), FLOE_E_STATE);
  assert_true(floe_ice_agent_local_description(core, NULL, 0) > 0);
  peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(at_any_moment_it_ends),         cmocka_unit_test(freed_without_closing_too),
      cmocka_unit_test(in_the_middle_of_a_restart),    cmocka_unit_test(a_closed_agent_answers_nothing),
      cmocka_unit_test(what_can_be_asked_after_close),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
