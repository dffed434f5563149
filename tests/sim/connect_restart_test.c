/* ICE restarts (RFC 8445 9): the pair in use stays in use until the new session has its own; data flows all the
 * time. */
#include "support/peers.h"

/* One numbered datagram each way every 10 ms. */
typedef struct flow {
  peers *p;
  uint64_t refused;
  bool stopped;
} flow;

static void send_both(void *user, void *payload) {
  (void)payload;
  flow *f = user;
  if (f->stopped) return;
  f->refused += peer_send_numbered(&f->p->a) ? 0 : 1;
  f->refused += peer_send_numbered(&f->p->b) ? 0 : 1;
  sim_after(f->p->s, 10 * FLOE_MS, send_both, f, NULL);
}

static flow *start_flow(peers *p) {
  flow *f = sim_keep(p->s, sizeof *f);
  f->p = p;
  sim_after(p->s, 0, send_both, f, NULL);
  return f;
}

static void expect_all_arrived(flow *f) {
  f->stopped = true;
  sim_run_for(f->p->s, 1000);
  assert_int_equal(f->refused, 0);
  peers_expect_all_numbered(f->p);
}

static void behind_nats(peers *p) {
  peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_nat(&p->b, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_add(p, "turn:192.0.2.1");
}

static void two_hosts(peers *p) {
  (void)p;
}

static void only_relays(peers *p) {
  behind_nats(p);
  p->a.cfg.ice_transport_policy = p->b.cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
}

static void remember_ufrags(peers *p, char a[300], char b[300]) {
  (void)snprintf(a, 300, "%s", floe_ice_agent_local_parameters(sim_agent_core(p->a.agent))->ufrag);
  (void)snprintf(b, 300, "%s", floe_ice_agent_local_parameters(sim_agent_core(p->b.agent))->ufrag);
}

static void restart_while_data_flows(void (*build)(peers *p), bool b_restarts) {
  char a_before[300], b_before[300], a_after[300], b_after[300];
  peers *p = peers_new(1);
  build(p);
  peers_true(p, peers_connect(p, 5000));
  sim_run_for(p->s, 2000);
  remember_ufrags(p, a_before, b_before);
  floe_ice_role role = floe_ice_agent_role(sim_agent_core(p->a.agent));
  sim_agent_clear_log(p->a.agent);
  sim_agent_clear_log(p->b.agent);
  flow *f = start_flow(p);
  peer_restart(b_restarts ? &p->b : &p->a);
  sim_run_for(p->s, 8000);
  expect_all_arrived(f);
  remember_ufrags(p, a_after, b_after);
  assert_string_not_equal(a_before, a_after);
  assert_string_not_equal(b_before, b_after);
  assert_int_equal(floe_ice_agent_role(sim_agent_core(p->a.agent)), role);
  /* a new pair was selected, and the connection was never lost */
  assert_non_null(strstr(sim_agent_events(p->a.agent), " pair "));
  assert_non_null(strstr(sim_agent_events(p->b.agent), " pair "));
  assert_null(strstr(sim_agent_events(p->a.agent), "disconnected"));
  assert_null(strstr(sim_agent_events(p->b.agent), "disconnected"));
  peers_true(p, sim_agent_is_connected(p->a.agent));
  peers_true(p, sim_agent_is_connected(p->b.agent));
  peers_free(p);
}

static void data_flows_while_ice_restarts(void **state) {
  (void)state;
  restart_while_data_flows(two_hosts, false);
  restart_while_data_flows(two_hosts, true);
  restart_while_data_flows(behind_nats, false);
  restart_while_data_flows(behind_nats, true);
  restart_while_data_flows(only_relays, false);
  restart_while_data_flows(only_relays, true);
}

static void what_is_told_of_a_restart(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 1000 - (sim_now(p->s) / FLOE_MS));
  sim_agent_clear_log(p->a.agent);
  sim_agent_clear_log(p->b.agent);
  peer_restart(&p->a);
  sim_run_for(p->s, 1000);
  /* the connection's state stays what it is */
  peers_expect(&p->a,
               "1000.0 state gathering\n"
               "1000.0 candidate host 10.0.0.1:50001\n"
               "1000.0 candidate end\n"
               "1000.0 state complete\n"
               "1040.0 pair host 10.0.0.1:50001 > host 10.0.1.1:50001\n");
  peers_expect(&p->b,
               "1010.0 state gathering\n"
               "1010.0 candidate host 10.0.1.1:50001\n"
               "1010.0 candidate end\n"
               "1010.0 state complete\n"
               "1035.0 pair host 10.0.1.1:50001 > host 10.0.0.1:50001\n");
  /* RFC 8445 8.3.1: the old candidates stay for another three seconds */
  assert_int_equal(sim_host_open_sockets(p->a.host), 2);
  sim_run_for(p->s, 3000);
  assert_int_equal(sim_host_open_sockets(p->a.host), 1);
  assert_int_equal(sim_host_open_sockets(p->b.host), 1);
  peers_free(p);
}

static void a_restart_before_gathering_is_refused(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_start(p);
  assert_int_equal(sim_agent_restart(p->a.agent), FLOE_E_STATE);
  peers_true(p, peers_connect(p, 1000));
  /* and gathering again is not the way once checks have begun */
  assert_int_equal(sim_agent_gather(p->a.agent), FLOE_E_STATE);
  peers_free(p);
}

static void both_restart_at_once(void **state) {
  (void)state;
  peers *p = peers_new(1);
  behind_nats(p);
  peers_true(p, peers_connect(p, 5000));
  sim_run_for(p->s, 2000);
  flow *f = start_flow(p);
  peer_restart(&p->a);
  peer_restart(&p->b);
  sim_run_for(p->s, 5000);
  expect_all_arrived(f);
  peers_true(p, sim_agent_is_connected(p->a.agent));
  peers_true(p, sim_agent_is_connected(p->b.agent));
  peers_free(p);
}

/* A restart that is not answered leaves the old path alone. */
static void an_unanswered_restart_keeps_the_old_path(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  p->a.out.no_parameters = p->a.out.no_candidates = p->a.out.no_end = true;
  peer_restart(&p->a);
  sim_run_for(p->s, 120 * 1000);
  peers_true(p, sim_agent_is_connected(p->a.agent));
  peers_true(p, sim_agent_is_connected(p->b.agent));
  peers_exchange_data(p);
  peers_free(p);
}

/* The old path is lost while the restart goes on: it is not `failed`, for a restart is what `failed` asks for. */
static void the_old_path_may_be_lost_meanwhile(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 1000);
  p->a.out.no_parameters = p->a.out.no_candidates = p->a.out.no_end = true;
  peer_restart(&p->a);
  sim_agent_close(p->b.agent);
  sim_run_for(p->s, 40000);
  peers_expect_with(&p->a, "connection",
                    "...\n"
                    "* connection disconnected consent_lost\n"
                    "* connection new\n");
  peers_free(p);
}

static void again_and_again_nothing_piles_up(void **state) {
  (void)state;
  peers *p = peers_new(1);
  behind_nats(p);
  peers_true(p, peers_connect(p, 5000));
  sim_run_for(p->s, 5000);
  uint64_t bytes = 0;
  for (int i = 0; i < 20; i++) {
    peer_restart(i % 3 == 0 ? &p->b : &p->a);
    sim_run_for(p->s, 8000);
    peers_exchange_data(p);
    if (i == 2) bytes = sim_agent_live_bytes(p->a.agent);
  }
  sim_run_for(p->s, 60000);
  assert_true(sim_agent_live_bytes(p->a.agent) < bytes + bytes / 4);
  assert_true(sim_host_open_sockets(p->a.host) <= 2);
  /* allocations of the sessions that ended are deleted */
  assert_int_equal(sim_server_counters(p->server).allocations, 2);
  peers_free(p);
}

/* In the middle of everything: the moment does not matter. */
static void at_any_moment_a_restart_connects(void **state) {
  (void)state;
  for (uint64_t ms = 0; ms < 120; ms += 5) {
    peers *p = peers_new(ms + 1);
    behind_nats(p);
    peers_begin(p);
    sim_run_for(p->s, ms);
    peer_restart(&p->a);
    if (!peers_run_to_connected(p, 6000)) sim_fail(p->s, "no connection after a restart at %u ms", (unsigned)ms);
    sim_run_for(p->s, 1000);
    peers_exchange_data(p);
    peers_free(p);
  }
}

static void after_failed_a_restart_helps(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.timing.patience_ms = p->b.cfg.timing.patience_ms = 2000;
  p->a.cfg.timing.check_transmissions = p->b.cfg.timing.check_transmissions = 3;
  p->a.cfg.timing.check_rto_ms = p->b.cfg.timing.check_rto_ms = 50;
  peer_drop_to(&p->a, "10.0.1.1");
  peer_drop_to(&p->b, "10.0.0.1");
  peers_true(p, peers_run_to_failed(p, 10000));
  sim_rules_clear(p->s);
  sim_agent_clear_log(p->a.agent);
  peer_restart(&p->a);
  peers_true(p, peers_run_to_connected(p, 1000));
  peers_expect_with(&p->a, "connection",
                    "* connection new\n"
                    "* connection checking\n"
                    "* connection connected\n"
                    "...\n");
  peers_exchange_data(p);
  peers_free(p);
}

/* The NAT forgets everything in the middle of the restart. */
static void while_a_nat_rebinds(void **state) {
  (void)state;
  for (uint32_t ms = 0; ms <= 100; ms += 10) {
    peers *p = peers_new(ms + 1);
    behind_nats(p);
    peers_true(p, peers_connect(p, 5000));
    sim_run_for(p->s, 2000);
    peer_restart(&p->a);
    sim_run_for(p->s, ms);
    sim_nat_rebind(p->a.nat, NULL);
    sim_run_for(p->s, 30000);
    peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
    peers_exchange_data(p);
    peers_free(p);
  }
}

/* What still comes for the session before belongs to nobody. */
static void candidates_of_the_session_before_are_refused(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  char line[300];
  (void)snprintf(line, sizeof line, "candidate:9 1 udp 9 10.0.0.9 9 typ host ufrag %s",
                 floe_ice_agent_local_parameters(sim_agent_core(p->a.agent))->ufrag);
  peer_restart(&p->a);
  sim_run_for(p->s, 1000);
  assert_int_equal(peer_tell_candidate(&p->a, line), FLOE_E_NOT_FOUND);
  peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(data_flows_while_ice_restarts),
      cmocka_unit_test(what_is_told_of_a_restart),
      cmocka_unit_test(a_restart_before_gathering_is_refused),
      cmocka_unit_test(both_restart_at_once),
      cmocka_unit_test(an_unanswered_restart_keeps_the_old_path),
      cmocka_unit_test(the_old_path_may_be_lost_meanwhile),
      cmocka_unit_test(again_and_again_nothing_piles_up),
      cmocka_unit_test(at_any_moment_a_restart_connects),
      cmocka_unit_test(after_failed_a_restart_helps),
      cmocka_unit_test(while_a_nat_rebinds),
      cmocka_unit_test(candidates_of_the_session_before_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
