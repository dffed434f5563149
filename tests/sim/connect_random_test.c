/* Random worlds with two agents: NATs, paths, servers, firewalls, configurations, signalling; and while they connect,
 * restarts, rebinding, servers that go, addresses that change, peers that vanish. What must hold in each is checked
 * with every event (sim_check.c, sim_check_connection.c); here: nobody is stuck. In its time each side ends connected,
 * and data goes both ways, or failed with a verdict; then a restart without hindrances is tried as well.
 *
 * FLOE_SIM_SEED=n starts at that seed and runs it alone, FLOE_SIM_SEEDS=n so many. */
#include <stdlib.h>

#include "support/peers.h"

#define N_SEEDS 300

/* Of virtual time, for everything to end: gathering, checks that are begun again by a late check of the peer, patience
 * and consent one after the other. */
#define SETTLE_MS (240 * 1000)

#define PICK(p, array) array[sim_random_below((p)->s, sizeof array / sizeof array[0])]

static bool maybe(peers *p, uint32_t permille) {
  return sim_chance(p->s, permille);
}

/* --- the world ------------------------------------------------------------------------------------------------------
 */

static sim_nat_kind any_kind(peers *p) {
  return (sim_nat_kind)sim_random_below(p->s, 3);
}

static void make_hosts(peers *p) {
  bool only_ipv6 = maybe(p, 100);
  if (!only_ipv6 || maybe(p, 100)) sim_host_add_address(p->a.host, "eth0", "10.0.0.1");
  if (!only_ipv6 || maybe(p, 100)) sim_host_add_address(p->b.host, "eth0", "10.0.1.1");
  if (only_ipv6 || maybe(p, 300)) sim_host_add_address(p->a.host, "eth0", "2001:db8:a::1");
  if (only_ipv6 || maybe(p, 300)) sim_host_add_address(p->b.host, "eth0", "2001:db8:b::1");
  if (maybe(p, 200)) sim_host_add_address(p->a.host, "eth1", "10.0.0.2");
  if (maybe(p, 200)) sim_host_add_address(p->b.host, "wlan0", "10.0.1.2");
  if (maybe(p, 50)) sim_host_fail_binds(p->a.host, FLOE_NET_NO_RESOURCES, 1 + sim_random_below(p->s, 3));
  sim_host_set_stealth(p->a.host, maybe(p, 300));
  sim_host_set_stealth(p->b.host, maybe(p, 300));
}

static void make_nats(peers *p) {
  if (maybe(p, 700)) peers_nat(&p->a, any_kind(p), any_kind(p));
  if (maybe(p, 150) && p->a.nat != NULL) {
    sim_host_behind(p->b.host, p->a.nat);
    sim_nat_set_hairpin(p->a.nat, maybe(p, 500));
  } else if (maybe(p, 600)) {
    peers_nat(&p->b, any_kind(p), any_kind(p));
  }
  if (p->a.nat == NULL || maybe(p, 850)) return;
  sim_nat *carrier = sim_nat_new(p->s, "carrier", "198.51.100.1", any_kind(p), any_kind(p));
  sim_nat_behind(p->a.nat, carrier);
  if (p->b.nat != NULL && maybe(p, 500)) sim_nat_behind(p->b.nat, carrier);
}

static void make_paths(peers *p) {
  sim_path path = {.delay_us = 500 + sim_random_below(p->s, 120000)};
  if (maybe(p, 600)) path.jitter_us = sim_random_below(p->s, 50000);
  if (maybe(p, 500)) path.loss = sim_random_below(p->s, 300);
  if (maybe(p, 300)) path.duplicate = sim_random_below(p->s, 300);
  if (maybe(p, 300)) path.reorder = sim_random_below(p->s, 300);
  if (maybe(p, 50)) path.mtu = 400 + sim_random_below(p->s, 800);
  path.tcp_chunks = 1 + sim_random_below(p->s, 4);
  sim_path_default(p->s, &path);
}

static void make_servers(peers *p) {
  static const char *const scripts[] = {
      "correct",       "correct",       "correct",          "correct",           "correct",
      "stale-once",    "silent",        "error=500:Broken", "permission-error",  "error-after-auth=486:Full",
      "relay-nothing", "refresh-error", "late=300",         "forget-allocation", "relay-private"};
  static const char *const urls[] = {"stun:192.0.2.1",
                                     "stun:192.0.2.1",
                                     "turn:192.0.2.1",
                                     "turn:192.0.2.1",
                                     "turn:192.0.2.1?transport=tcp",
                                     "turn:[2001:db8:2::1]",
                                     "turn:192.0.2.99",
                                     "turn:192.0.2.1:9?transport=tcp"};
  if (maybe(p, 300)) p->ts.relay_ipv6 = sim_addr("2001:db8:2::1");
  if (maybe(p, 200)) p->ts.lifetime_s = 30 + sim_random_below(p->s, 100);
  peers_listen(p, FLOE_TRANSPORT_UDP, PICK(p, scripts));
  peers_listen(p, FLOE_TRANSPORT_TCP, PICK(p, scripts));
  for (uint32_t n = sim_random_below(p->s, 4); n > 0; n--) peer_add(&p->a, PICK(p, urls));
  for (uint32_t n = sim_random_below(p->s, 4); n > 0; n--) peer_add(&p->b, PICK(p, urls));
}

static void make_firewalls(peers *p) {
  static const char *const targets[] = {"10.0.0.1", "10.0.1.1", "203.0.113.1", "203.0.113.2", "192.0.2.1"};
  static const struct { uint8_t type, code; } icmp[] = {{3, 0}, {3, 1}, {3, 3}, {3, 13}};
  if (maybe(p, 80)) peer_block_udp(&p->a);
  if (maybe(p, 80)) peer_block_udp(&p->b);
  for (uint32_t n = sim_random_below(p->s, 3); n > 0; n--) {
    uint32_t i = sim_random_below(p->s, 4);
    sim_rule rule = {.from = maybe(p, 500) ? p->a.host : p->b.host,
                     .to = sim_addr(PICK(p, targets)),
                     .action = (sim_action)sim_random_below(p->s, 3),
                     .icmp_type = icmp[i].type,
                     .icmp_code = icmp[i].code,
                     .error = FLOE_NET_HOST_UNREACHABLE,
                     .skip = sim_random_below(p->s, 40),
                     .times = maybe(p, 300) ? 0 : 1 + sim_random_below(p->s, 40)};
    sim_rule_add(p->s, &rule);
  }
}

static void configure(peer *x) {
  peers *p = x->p;
  floe_ice_config *cfg = &x->cfg;
  if (maybe(p, 100)) cfg->ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  cfg->tcp_passive = maybe(p, 300);
  cfg->tcp_so = maybe(p, 200);
  cfg->no_tcp = !cfg->tcp_passive && !cfg->tcp_so && maybe(p, 150);
  cfg->mdns_hide_hosts = maybe(p, 200);
  cfg->no_mdns = maybe(p, 100);
  cfg->continual_gathering = maybe(p, 200);
  cfg->relay_family = (floe_relay_family)sim_random_below(p->s, 3);
  if (maybe(p, 100)) cfg->max_pairs = 1 + sim_random_below(p->s, 5);
  if (maybe(p, 50)) cfg->max_remote_candidates = 1 + sim_random_below(p->s, 3);
  if (maybe(p, 100)) cfg->max_queue_bytes = 2000 + sim_random_below(p->s, 5000);
  if (maybe(p, 200)) cfg->timing.ta_ms = 50;
  if (maybe(p, 100)) cfg->timing.nomination_ms = 1 + sim_random_below(p->s, 3000);
  if (maybe(p, 100)) cfg->timing.keepalive_ms = 1000;
  bool may_be_lite = !cfg->tcp_so && !cfg->no_tcp;
  if (may_be_lite && maybe(p, 80))
    cfg->lite = x->n_servers == 0 && cfg->ice_transport_policy == FLOE_ICE_TRANSPORT_POLICY_ALL;
  if (maybe(p, 100)) {
    cfg->port_min = 6000;
    cfg->port_max = 6007;
  }
  x->options.lazy_drain = maybe(p, 400) ? sim_random_below(p->s, 800) : 0;
  x->out.delay_ms = sim_random_below(p->s, 300);
  if (maybe(p, 300)) x->out.shuffle_ms = sim_random_below(p->s, 2000);
  if (maybe(p, 200)) x->out.parameters_ms = sim_random_below(p->s, 1000);
  x->out.whole = maybe(p, 250) && !cfg->continual_gathering;
  x->out.no_end = maybe(p, 150);
}

static peers *make_world(uint64_t seed) {
  peers *p = peers_new_bare(seed);
  make_hosts(p);
  make_nats(p);
  make_paths(p);
  make_servers(p);
  make_firewalls(p);
  configure(&p->a);
  configure(&p->b);
  if (p->a.cfg.lite) p->b.cfg.lite = false; /* two of them have nobody to make checks */
  p->b.waits_for_offer = maybe(p, 850);
  if (maybe(p, 100)) sim_mdns_set_link(p->a.host, 1);
  return p;
}

/* --- what happens meanwhile --------------------------------------------------------------------------------------- */

static peer *either(peers *p) {
  return maybe(p, 500) ? &p->a : &p->b;
}

/* A host loses its first address or gets another one. */
static void change_address(peers *p) {
  peer *x = either(p);
  bool is_a = x == &p->a;
  if (maybe(p, 500)) {
    sim_host_remove_address(x->host, is_a ? "10.0.0.1" : "10.0.1.1");
  } else {
    sim_host_remove_address(x->host, is_a ? "10.0.0.3" : "10.0.1.3");
    sim_host_add_address(x->host, "eth3", is_a ? "10.0.0.3" : "10.0.1.3");
  }
  if (maybe(p, 500)) {
    sim_agent_interfaces_changed(x->agent);
  } else {
    sim_agent_tell_interfaces(x->agent);
  }
}

static void vanish_for_a_while(peers *p) {
  peer *x = either(p);
  sim_host_set_deaf(x->host, true);
  sim_run_for(p->s, sim_random_below(p->s, 40000));
  sim_host_set_deaf(x->host, false);
}

static bool may_restart(const peer *x) {
  return x->has_offered && floe_ice_agent_gathering_state(sim_agent_core(x->agent)) != FLOE_ICE_GATHERING_NEW;
}

static void restart(peers *p) {
  peer *x = either(p);
  if (may_restart(x)) peer_restart(x);
}

static void rebind(peers *p) {
  peer *x = either(p);
  if (x->nat != NULL) sim_nat_rebind(x->nat, maybe(p, 200) ? (x == &p->a ? "203.0.113.11" : "203.0.113.12") : NULL);
}

static void disturb_server(peers *p) {
  if (maybe(p, 700)) {
    sim_server_restart(p->server);
    return;
  }
  sim_server_stop(p->server);
  sim_run_for(p->s, sim_random_below(p->s, 30000));
  sim_server_restart(p->server);
}

static void send_some(peers *p) {
  for (uint32_t n = sim_random_below(p->s, 20); n > 0; n--) {
    (void)peer_send_numbered(either(p));
    sim_run_for(p->s, sim_random_below(p->s, 50));
  }
}

static void break_streams(peers *p) {
  sim_host_reset_connections(maybe(p, 300) ? p->server_host : either(p)->host);
}

static void disturb(peers *p) {
  static void (*const disturbances[])(peers * p) = {change_address, vanish_for_a_while, restart,      rebind,
                                                    disturb_server, send_some,          break_streams};
  for (uint32_t n = sim_random_below(p->s, 6); n > 0; n--) {
    sim_run_for(p->s, sim_random_below(p->s, maybe(p, 500) ? 500 : 30000));
    PICK(p, disturbances)(p);
  }
}

/* --- the end --------------------------------------------------------------------------------------------------------
 */

static bool has_failed(const peer *x) {
  return sim_agent_connection(x->agent) == FLOE_ICE_CONNECTION_FAILED;
}

/* Both connected, or both failed: one alone notices the other's end when its consent expires. */
static bool is_settled(void *user) {
  peers *p = user;
  bool up = sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent);
  return up || (has_failed(&p->a) && has_failed(&p->b));
}

/* With servers that forget and continual gathering there are new candidates for ever, and as long as there are it is
 * checked: the second half has no signalling. */
static bool settle(peers *p) {
  if (sim_run_until(p->s, sim_now(p->s) + SETTLE_MS * FLOE_MS, is_settled, p)) return true;
  p->is_over = true;
  bool has_ended = sim_run_until(p->s, sim_now(p->s) + SETTLE_MS * FLOE_MS, is_settled, p);
  p->is_over = false;
  return has_ended;
}

static const char *state_of(const peer *x) {
  return floe_ice_connection_state_name(sim_agent_connection(x->agent));
}

static void expect_settled(peers *p) {
  if (!settle(p)) sim_fail(p->s, "stuck: A is `%s`, B is `%s`", state_of(&p->a), state_of(&p->b));
  for (int i = 0; i < 2; i++) {
    peer *x = i == 0 ? &p->a : &p->b;
    if (has_failed(x) && sim_agent_verdict(x->agent) == FLOE_CAUSE_NONE) sim_fail(p->s, "%s has no verdict", x->name);
  }
}

/* A path may be lost again before anything got through; then that is told. */
static void expect_data(peers *p) {
  for (int i = 0; i < 40; i++) {
    if (!sim_agent_is_connected(p->a.agent) || !sim_agent_is_connected(p->b.agent)) return;
    if (peers_try_data(p, 1)) return;
  }
  sim_fail(p->s, "connected, and no data gets through");
}

static void run_world(peers *p) {
  peers_begin(p);
  disturb(p);
  expect_settled(p);
  expect_data(p);
  if (maybe(p, 300) && may_restart(&p->a)) {
    sim_rules_clear(p->s);
    peer_restart(&p->a);
    sim_run_for(p->s, 1000);
    expect_settled(p);
    expect_data(p);
  }
}

static uint64_t number_from(const char *variable, uint64_t otherwise) {
  const char *text = getenv(variable);
  return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void nobody_is_stuck(void **state) {
  (void)state;
  uint64_t first = number_from("FLOE_SIM_SEED", 1);
  uint64_t n = number_from("FLOE_SIM_SEEDS", getenv("FLOE_SIM_SEED") == NULL ? N_SEEDS : 1);
  uint64_t connected = 0;
  for (uint64_t seed = first; seed < first + n; seed++) {
    peers *p = make_world(seed);
    run_world(p);
    connected += sim_agent_is_connected(p->a.agent) ? 1 : 0;
    peers_free(p);
  }
  print_message("%llu of %llu worlds ended connected\n", (unsigned long long)connected, (unsigned long long)n);
  if (n >= N_SEEDS) assert_true(connected > n / 4 && connected < n);
}

static void the_same_seed_is_the_same_world(void **state) {
  (void)state;
  if (getenv("FLOE_SIM_SEED") != NULL) return;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    peers *p = make_world(seed), *q = make_world(seed);
    run_world(p);
    run_world(q);
    assert_string_equal(sim_agent_events(p->a.agent), sim_agent_events(q->a.agent));
    assert_string_equal(sim_agent_wire(p->b.agent), sim_agent_wire(q->b.agent));
    peers_free(p);
    peers_free(q);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nobody_is_stuck),
      cmocka_unit_test(the_same_seed_is_the_same_world),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
