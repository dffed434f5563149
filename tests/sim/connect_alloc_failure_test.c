/* Memory that runs out at the n-th call, for every n of a connecting scenario, on either side: no crash, no leak, the
 * invariants hold, and nobody is stuck: each side that has the other's parameters ends connected or failed. */
#include <stdlib.h>

#include "support/peers.h"

/* So that a failure does not take its 39.5 s of events. */
static void be_quick(peer *x) {
  x->cfg.timing.patience_ms = 2000;
  x->cfg.timing.check_rto_ms = 100;
  x->cfg.timing.check_transmissions = 4;
  x->cfg.timing.consent_interval_ms = 200;
  x->cfg.timing.disconnected_ms = 500;
  x->cfg.timing.consent_timeout_ms = 2000;
}

static void two_hosts(peers *p) {
  sim_host_add_address(p->a.host, "eth0", "2001:db8:a::1");
  sim_host_add_address(p->b.host, "eth0", "2001:db8:b::1");
}

static void relays(peers *p) {
  peers_nat(&p->a, SIM_ADDRESS_AND_PORT_DEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_nat(&p->b, SIM_ADDRESS_AND_PORT_DEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_listen(p, FLOE_TRANSPORT_TCP, NULL);
  peer_add(&p->a, "turn:192.0.2.1");
  peer_add(&p->b, "turn:192.0.2.1?transport=tcp");
}

static void tcp(peers *p) {
  peer_block_udp(&p->a);
  peer_block_udp(&p->b);
  p->a.cfg.tcp_so = p->b.cfg.tcp_so = true;
  p->b.cfg.tcp_passive = true;
}

static void names(peers *p) {
  p->a.cfg.mdns_hide_hosts = p->b.cfg.mdns_hide_hosts = true;
  p->a.out.whole = true;
}

static void lite(peers *p) {
  p->b.cfg.lite = true;
}

typedef struct scenario {
  const char *name;
  void (*build)(peers *p);
} scenario;

static const scenario scenarios[] = {
    {"two_hosts", two_hosts}, {"relays", relays}, {"tcp", tcp}, {"names", names}, {"lite", lite}};
#define N_SCENARIOS (sizeof scenarios / sizeof scenarios[0])

static bool is_settled(const peer *x) {
  if (sim_agent_core(x->agent) == NULL) return true;
  floe_ice_agent *core = sim_agent_core(x->agent);
  if (floe_ice_agent_remote_parameters(core) == NULL) return true;
  floe_ice_connection_state st = sim_agent_connection(x->agent);
  return sim_agent_is_connected(x->agent) || st == FLOE_ICE_CONNECTION_FAILED;
}

static bool both_live(const peers *p) {
  return sim_agent_core(p->a.agent) != NULL && sim_agent_core(p->b.agent) != NULL;
}

/* Connects, sends, restarts, loses an address. Whatever is refused for want of memory is refused. */
static void live(peers *p) {
  peers_begin(p);
  sim_run_for(p->s, 12000);
  for (int i = 0; i < 2; i++) {
    peer *x = i == 0 ? &p->a : &p->b;
    if (!is_settled(x))
      sim_fail(p->s, "%s is stuck in `%s`", x->name, floe_ice_connection_state_name(sim_agent_connection(x->agent)));
    (void)peer_send_numbered(x);
    (void)floe_ice_agent_stats(sim_agent_core(x->agent), sim_now(p->s));
    (void)floe_ice_agent_connection_report(sim_agent_core(x->agent), sim_now(p->s));
  }
  sim_run_for(p->s, 50);
  if (floe_ice_agent_remote_parameters(sim_agent_core(p->a.agent)) != NULL) {
    if (sim_agent_restart(p->a.agent) == FLOE_OK) {
      p->a.generation++;
      peer_offer(&p->a);
    }
    sim_run_for(p->s, 5000);
  }
  sim_host_remove_address(p->b.host, "10.0.1.1");
  sim_agent_interfaces_changed(p->b.agent);
  sim_run_for(p->s, 1000);
}

static void end(peer *x) {
  if (x->agent != NULL && sim_agent_core(x->agent) != NULL) sim_agent_close(x->agent);
}

/* True when the failing call was reached. */
static bool run(const scenario *sc, peer *(*side)(peers *p), uint64_t fail_at, uint64_t fail_from) {
  peers *p = peers_new(1);
  sc->build(p);
  be_quick(&p->a);
  be_quick(&p->b);
  side(p)->options.fail_at = fail_at;
  side(p)->options.fail_from = fail_from;
  peers_start(p);
  if (both_live(p)) live(p);
  end(&p->a);
  end(&p->b);
  sim_run_for(p->s, 3000);
  bool was_reached = sim_agent_failed_allocations(side(p)->agent) > 0;
  p->a.no_close = p->b.no_close = true;
  peers_free(p);
  return was_reached;
}

static peer *side_a(peers *p) {
  return &p->a;
}

static peer *side_b(peers *p) {
  return &p->b;
}

static void each_call_fails_once(void **state) {
  (void)state;
  for (size_t i = 0; i < N_SCENARIOS; i++) {
    for (int which = 0; which < 2; which++) {
      uint64_t n = 1;
      while (run(&scenarios[i], which == 0 ? side_a : side_b, n, 0)) n++;
      assert_true(n > 10); /* the scenario does allocate */
    }
  }
}

static void each_call_and_all_after_it_fail(void **state) {
  (void)state;
  for (size_t i = 0; i < N_SCENARIOS; i++) {
    for (int which = 0; which < 2; which++) {
      uint64_t n = 1;
      while (run(&scenarios[i], which == 0 ? side_a : side_b, 0, n)) n += 1 + n / 20;
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_call_fails_once),
      cmocka_unit_test(each_call_and_all_after_it_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
