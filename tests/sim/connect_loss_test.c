/* Bad paths: loss, reordering, duplicates, long round trips, a small MTU. Checks are sent again, so that they connect
 * all the same, with and without a relay. */
#include "support/peers.h"

#define N_SEEDS 25

typedef struct bad_path {
  const char *name;
  sim_path path;
  uint64_t limit_ms;
} bad_path;

static const bad_path paths[] = {
    {"30 % loss", {.delay_us = 20000, .loss = 300}, 30000},
    {"reordering", {.delay_us = 20000, .jitter_us = 30000, .reorder = 500}, 3000},
    {"duplicates", {.delay_us = 20000, .duplicate = 1000}, 3000},
    {"1 s round trip", {.delay_us = 500000}, 6000},
    {"MTU 576", {.delay_us = 20000, .mtu = 548}, 3000},
    {"everything", {.delay_us = 100000, .jitter_us = 100000, .loss = 200, .reorder = 200, .duplicate = 200}, 35000},
};

static void behind_nats(peers *p) {
  peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_nat(&p->b, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_add(p, "stun:192.0.2.1");
}

static void only_relays(peers *p) {
  peers_nat(&p->a, SIM_ADDRESS_AND_PORT_DEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_listen(p, FLOE_TRANSPORT_TCP, NULL);
  peer_add(&p->a, "turn:192.0.2.1");
  peer_add(&p->b, "turn:192.0.2.1?transport=tcp");
  p->a.cfg.ice_transport_policy = p->b.cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
}

static void hosts_only(peers *p) {
  (void)p;
}

static void connect_over(void (*build)(peers *p), uint64_t seed, const bad_path *bad) {
  peers *p = peers_new(seed);
  build(p);
  sim_path path = bad->path;
  path.tcp_chunks = 3;
  sim_path_default(p->s, &path);
  /* gathering may take its time too, and may lose a server for good */
  if (!peers_connect(p, bad->limit_ms + 10000)) sim_fail(p->s, "%s: not connected", bad->name);
  if (!peers_try_data(p, 20)) sim_fail(p->s, "%s: no data", bad->name);
  sim_run_for(p->s, 60000);
  if (!sim_agent_is_connected(p->a.agent) || !sim_agent_is_connected(p->b.agent)) {
    sim_fail(p->s, "%s: not connected any more", bad->name);
  }
  peers_free(p);
}

static void hosts_connect_over_bad_paths(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    for (uint64_t seed = 1; seed <= N_SEEDS; seed++) connect_over(hosts_only, seed, &paths[i]);
  }
}

static void through_nats_too(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
      if (paths[i].path.loss > 0 && seed > 5) continue; /* a NAT without its mapped address does not connect */
      connect_over(behind_nats, seed, &paths[i]);
    }
  }
}

static void through_relays_too(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    for (uint64_t seed = 1; seed <= 5; seed++) connect_over(only_relays, seed, &paths[i]);
  }
}

/* Duplicated checks and answers are not mistaken for anything else. */
static void duplicates_change_nothing(void **state) {
  (void)state;
  peers *p = peers_new(1), *q = peers_new(1);
  sim_path_default(q->s, &(sim_path){.delay_us = 5000, .duplicate = 1000});
  peers_true(p, peers_connect(p, 1000));
  assert_true(peers_connect(q, 1000));
  sim_run_for(p->s, 2000);
  sim_run_for(q->s, 2000);
  assert_string_equal(sim_agent_events(p->a.agent), sim_agent_events(q->a.agent));
  assert_string_equal(sim_agent_events(p->b.agent), sim_agent_events(q->b.agent));
  peers_free(p);
  peers_free(q);
}

/* One path stays bad for good while the other is good: the good one is used. */
static void a_dead_address_costs_little(void **state) {
  (void)state;
  peers *p = peers_new(1);
  sim_host_add_address(p->a.host, "eth1", "10.0.0.2");
  sim_host_add_address(p->b.host, "eth1", "10.0.1.2");
  peer_drop_to(&p->a, "10.0.1.1");
  sim_rule_add(p->s, &(sim_rule){.from = p->b.host, .source = sim_addr("10.0.1.1"), .action = SIM_DROP});
  peers_true(p, peers_connect(p, 500));
  peers_exchange_data(p);
  peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hosts_connect_over_bad_paths), cmocka_unit_test(through_nats_too),
      cmocka_unit_test(through_relays_too),           cmocka_unit_test(duplicates_change_nothing),
      cmocka_unit_test(a_dead_address_costs_little),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
