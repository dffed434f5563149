/* A thousand seeds of random hosts, paths, names and misbehaving servers. What must hold in each is checked with every
 * event by sim_check.c; here: `complete` always comes, in time, closing ends, and nothing is left.
 *
 * FLOE_SIM_SEED=n starts at that seed and runs it alone, FLOE_SIM_SEEDS=n so many. */
#include <stdlib.h>

#include "support/world.h"

#define N_SEEDS 1000

static const char *const scripts[] = {"correct",
                                      "correct",
                                      "correct",
                                      "error=500:Broken",
                                      "error-after-auth=486:Full",
                                      "401-forever",
                                      "401-no-nonce",
                                      "401-no-realm",
                                      "stale-once",
                                      "stale-forever",
                                      "420-optional",
                                      "437=1",
                                      "437=3",
                                      "redirect=192.0.2.2:3478",
                                      "redirect=192.0.2.1:3478",
                                      "redirect-after-auth=192.0.2.3:3478",
                                      "redirect-no-address",
                                      "wrong-integrity",
                                      "no-integrity",
                                      "wrong-transaction",
                                      "bad-fingerprint",
                                      "truncated",
                                      "no-address",
                                      "lifetime-0",
                                      "bad-error-class",
                                      "overrun",
                                      "silent",
                                      "silent-after-401",
                                      "late=300",
                                      "late=4800",
                                      "garbage",
                                      "bytewise",
                                      "close-after-accept",
                                      "close-after-401",
                                      "reset-after-accept",
                                      "reset-after-401",
                                      "relay-nothing",
                                      "relay-private",
                                      "refresh-error=500",
                                      "permission-error=403",
                                      "forget-allocation"};
static const char *const tls_scripts[] = {
    "correct",        "correct",   "tls-plain-text", "tls-expired",        "tls-self-signed",
    "tls-other-name", "tls-hangs", "tls-alert",      "close-after-accept", "bytewise"};
static const char *const urls[] = {"stun:192.0.2.1",
                                   "stun:192.0.2.2",
                                   "stun:[2001:db8:2::1]",
                                   "turn:192.0.2.1",
                                   "turn:192.0.2.2",
                                   "turn:192.0.2.3",
                                   "turn:[2001:db8:2::1]",
                                   "turn:192.0.2.1?transport=tcp",
                                   "turn:192.0.2.3?transport=tcp",
                                   "turn:[2001:db8:2::1]?transport=tcp",
                                   "turn:192.0.2.99",
                                   "turn:192.0.2.99?transport=tcp",
                                   "turn:192.0.2.1:9",
                                   "turn:192.0.2.1:9?transport=tcp",
                                   "turn:one.example.org",
                                   "turn:two.example.org?transport=tcp",
                                   "stun:two.example.org",
                                   "stun:no.example.org",
                                   "stun:127.0.0.1",
                                   "turns:192.0.2.1?transport=udp"};
static const char *const tls_urls[] = {"turns:turn.example.org", "stuns:turn.example.org", "turns:192.0.2.1",
                                       "turns:192.0.2.99"};

#define PICK(w, array) array[sim_random_below((w)->s, sizeof array / sizeof array[0])]

static bool maybe(world *w, uint32_t permille) {
  return sim_chance(w->s, permille);
}

static void make_client(world *w) {
  static const char *const ipv4[] = {"10.0.0.1", "10.0.0.2", "169.254.3.4"};
  static const char *const ipv6[] = {"2001:db8:1::1", "2001:db8:1::2", "fe80::77"};
  uint32_t n4 = sim_random_below(w->s, 4), n6 = sim_random_below(w->s, 4);
  if (maybe(w, 700) && n4 == 0) n4 = 1;
  for (uint32_t i = 0; i < n4; i++) sim_host_add_address(w->client, i == 0 ? "eth0" : "eth1", ipv4[i]);
  for (uint32_t i = 0; i < n6; i++) sim_host_add_address(w->client, i == 0 ? "eth0" : "wlan0", ipv6[i]);
  if (maybe(w, 100)) sim_host_fail_binds(w->client, FLOE_NET_NO_RESOURCES, 1 + sim_random_below(w->s, 4));
  sim_nat_kind kinds[] = {SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_DEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT};
  sim_host_behind(w->client, sim_nat_new(w->s, "nat", "203.0.113.1", PICK(w, kinds), PICK(w, kinds)));
}

static void make_paths(world *w) {
  sim_path path = {.delay_us = 1000 + sim_random_below(w->s, 80000)};
  if (maybe(w, 600)) path.jitter_us = sim_random_below(w->s, 40000);
  if (maybe(w, 600)) path.loss = sim_random_below(w->s, 400);
  if (maybe(w, 500)) path.duplicate = sim_random_below(w->s, 300);
  if (maybe(w, 500)) path.reorder = sim_random_below(w->s, 300);
  if (maybe(w, 100)) path.mtu = 100 + sim_random_below(w->s, 1300);
  path.tcp_chunks = 1 + sim_random_below(w->s, 6);
  sim_path_default(w->s, &path);
}

static void make_names(world *w) {
  static const char *const names[] = {"one.example.org", "two.example.org", "turn.example.org"};
  sim_dns_add(w->s, "one.example.org", "192.0.2.1", "192.0.2.2", "192.0.2.99", "2001:db8:2::1", NULL);
  sim_dns_add(w->s, "two.example.org", "192.0.2.98", "192.0.2.3", "2001:db8:2::1", "127.0.0.1", NULL);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", "2001:db8:2::1", NULL);
  for (size_t i = 0; i < 3; i++) {
    for (floe_family f = FLOE_FAMILY_IPV4; f <= FLOE_FAMILY_IPV6; f += 2) {
      uint32_t delay = sim_random_below(w->s, maybe(w, 200) ? 4500 : 100);
      floe_dns_status status =
          maybe(w, 800) ? FLOE_DNS_OK : (floe_dns_status)sim_random_below(w->s, FLOE_DNS_FAILED + 1);
      sim_dns_set(w->s, names[i], f, status, delay);
      if (maybe(w, 50)) sim_dns_silence(w->s, names[i], f);
    }
  }
}

static void make_rules(world *w) {
  static const struct { uint8_t type, code; } icmp[] = {{3, 0}, {3, 1}, {3, 3}, {3, 4}, {3, 13}, {11, 0}};
  static const floe_net_error errors[] = {FLOE_NET_NET_UNREACHABLE, FLOE_NET_HOST_UNREACHABLE, FLOE_NET_DENIED,
                                          FLOE_NET_REFUSED,         FLOE_NET_NO_RESOURCES,     FLOE_NET_OTHER};
  for (uint32_t n = sim_random_below(w->s, 4); n > 0; n--) {
    uint32_t i = sim_random_below(w->s, 6);
    sim_rule rule = {.from = w->client,
                     .to = sim_addr(maybe(w, 500) ? "192.0.2.1" : "192.0.2.2"),
                     .action = (sim_action)sim_random_below(w->s, 3),
                     .icmp_type = icmp[i].type,
                     .icmp_code = icmp[i].code,
                     .error = errors[i],
                     .skip = sim_random_below(w->s, 5),
                     .times = 1 + sim_random_below(w->s, 4)};
    sim_rule_add(w->s, &rule);
  }
}

static void make_servers(world *w, bool with_tls) {
  w->ts.fingerprint = maybe(w, 500);
  w->ts.use_sha256 = maybe(w, 300);
  w->ts.anonymous = maybe(w, 200);
  w->ts.stun_needs_auth = maybe(w, 50);
  if (maybe(w, 500)) w->ts.relay_ipv6 = sim_addr("2001:db8:2::1");
  world_listen(w, FLOE_TRANSPORT_UDP, PICK(w, scripts));
  world_listen(w, FLOE_TRANSPORT_TCP, PICK(w, scripts));
  if (with_tls) world_listen(w, FLOE_TRANSPORT_TLS, PICK(w, tls_scripts));
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, PICK(w, scripts));
  world_other_server(w, "192.0.2.3", FLOE_TRANSPORT_TCP, PICK(w, scripts));
  for (uint32_t n = 1 + sim_random_below(w->s, 6); n > 0; n--) {
    bool is_tls = with_tls && maybe(w, 600);
    const char *url = is_tls ? PICK(w, tls_urls) : PICK(w, urls);
    bool is_turn = strncmp(url, "turn", 4) == 0;
    if (is_turn && maybe(w, 150)) {
      world_add_with(w, url, maybe(w, 500) ? "1700000000:user" : "user", "wrong credential");
    } else {
      world_add(w, url);
    }
  }
}

static bool sometimes(world *w) {
  return maybe(w, 700);
}

static bool filter_interface(void *user, const floe_interface *interface) {
  (void)interface;
  return sometimes(user);
}

static bool filter_candidate(void *user, const floe_ice_candidate *candidate) {
  (void)candidate;
  return sometimes(user);
}

/* What gathering for a connection adds. */
static void configure_connecting(world *w) {
  static floe_address_rewrite rewrites[2];
  rewrites[0] = (floe_address_rewrite){.shown = sim_addr("203.0.113.7"), .as_srflx = true};
  rewrites[1] = (floe_address_rewrite){.local = sim_addr("2001:db8:1::1"), .shown = sim_addr("2001:db8:7::7")};
  w->cfg.tcp_passive = maybe(w, 150);
  w->cfg.tcp_so = maybe(w, 100);
  w->cfg.mdns_hide_hosts = maybe(w, 150);
  w->cfg.shared_sockets = maybe(w, 150);
  w->cfg.continual_gathering = maybe(w, 200);
  w->cfg.filter_user = w;
  if (maybe(w, 100)) w->cfg.filter_interface = filter_interface;
  if (maybe(w, 100)) w->cfg.filter_candidate = filter_candidate;
  if (maybe(w, 100)) {
    w->cfg.rewrites = rewrites;
    w->cfg.n_rewrites = 2;
  }
}

static void configure(world *w) {
  w->cfg.ice_transport_policy = maybe(w, 150) ? FLOE_ICE_TRANSPORT_POLICY_RELAY : FLOE_ICE_TRANSPORT_POLICY_ALL;
  w->cfg.include_loopback = maybe(w, 100);
  w->cfg.no_ipv4 = maybe(w, 50);
  w->cfg.no_ipv6 = !w->cfg.no_ipv4 && maybe(w, 50);
  w->cfg.tls_insecure = maybe(w, 100);
  w->cfg.relay_family = (floe_relay_family)sim_random_below(w->s, 3);
  if (maybe(w, 200)) w->cfg.software = "Floe";
  if (maybe(w, 200)) w->cfg.allocation_lifetime_s = 700;
  if (maybe(w, 100)) {
    w->cfg.port_min = 6000;
    w->cfg.port_max = 6003;
  }
  w->options.lazy_drain = maybe(w, 500) ? sim_random_below(w->s, 900) : 0;
  configure_connecting(w);
}

/* TLS costs certificates and handshakes: every tenth world has it. */
static world *make_world(uint64_t seed) {
  world *w = world_new_with(seed, NULL);
  make_client(w);
  make_paths(w);
  make_names(w);
  make_rules(w);
  make_servers(w, seed % 10 == 0);
  configure(w);
  world_start(w);
  return w;
}

/* Relays are used for a while: permissions, channels, data, refreshes. */
static void use_relays(world *w) {
  for (size_t i = 0; sim_agent_relay(w->agent, i) != 0; i++) {
    uint32_t relay = sim_agent_relay(w->agent, i);
    (void)sim_agent_permit(w->agent, relay, "198.51.100.1:9", maybe(w, 500));
    (void)sim_agent_permit(w->agent, relay, "[2001:db8:9::1]:9", maybe(w, 500));
  }
  sim_run_for(w->s, sim_random_below(w->s, 2000000));
  for (size_t i = 0; sim_agent_relay(w->agent, i) != 0; i++) {
    (void)sim_agent_send_relayed(w->agent, sim_agent_relay(w->agent, i), "198.51.100.1:9", "data");
  }
  sim_run_for(w->s, 100);
}

/* Addresses go and come, at any time. */
static void change_addresses(void *user, void *payload) {
  static const char *const addresses[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "2001:db8:1::1", "2001:db8:1::3"};
  world *w = user;
  (void)payload;
  for (uint32_t n = 1 + sim_random_below(w->s, 3); n > 0; n--) {
    const char *address = PICK(w, addresses);
    sim_host_remove_address(w->client, address);
    if (maybe(w, 500)) sim_host_add_address(w->client, "eth0", address);
  }
  if (sim_agent_core(w->agent) != NULL) sim_agent_tell_interfaces(w->agent);
}

static void gather_once(world *w) {
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  /* With continual gathering the next one may begin in the moment that this one is complete: three more, at most. */
  uint32_t n = w->cfg.continual_gathering ? 4 : 1;
  if (!sim_agent_run_to_complete(w->agent, n * 10000)) sim_fail(w->s, "gathering did not complete in time");
}

static void run_world(world *w) {
  if (maybe(w, 200)) {
    for (int i = 0; i < 3; i++) {
      uint32_t at_ms = sim_random_below(w->s, maybe(w, 500) ? 8000 : 2000000);
      sim_after(w->s, at_ms * FLOE_MS, change_addresses, w, NULL);
    }
  }
  if (maybe(w, 100)) {
    assert_int_equal(sim_agent_prefetch(w->agent), FLOE_OK);
    sim_run_for(w->s, sim_random_below(w->s, 12000));
  }
  if (maybe(w, 100)) { /* closed in the middle */
    assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
    sim_run_for(w->s, sim_random_below(w->s, 6000));
    return;
  }
  gather_once(w);
  if (maybe(w, 500)) use_relays(w);
  if (!sim_agent_run_to_complete(w->agent, 40000)) sim_fail(w->s, "gathering on later addresses did not complete");
  if (maybe(w, 200)) gather_once(w);
}

static uint64_t number_from(const char *variable, uint64_t otherwise) {
  const char *text = getenv(variable);
  return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void a_thousand_seeds(void **state) {
  (void)state;
  uint64_t first = number_from("FLOE_SIM_SEED", 1);
  uint64_t n = number_from("FLOE_SIM_SEEDS", getenv("FLOE_SIM_SEED") == NULL ? N_SEEDS : 1);
  for (uint64_t seed = first; seed < first + n; seed++) {
    world *w = make_world(seed);
    run_world(w);
    world_free(w);
  }
}

static void the_same_seed_is_the_same_world(void **state) {
  (void)state;
  if (getenv("FLOE_SIM_SEED") != NULL) return;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    world *a = make_world(seed), *b = make_world(seed);
    run_world(a);
    run_world(b);
    assert_string_equal(sim_agent_events(a->agent), sim_agent_events(b->agent));
    assert_string_equal(sim_agent_wire(a->agent), sim_agent_wire(b->agent));
    world_free(a);
    world_free(b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_thousand_seeds),
      cmocka_unit_test(the_same_seed_is_the_same_world),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
