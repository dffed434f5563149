/* Memory that runs out at the n-th call, for every n that a scenario has: no crash, no leak, the invariants hold, and a
 * gathering that was accepted still completes. */
#include "support/world.h"

typedef struct scenario {
  const char *name;
  void (*build)(world *w);
  void (*use)(world *w); /* nullable: after `complete` */
} scenario;

static void stun_and_host(world *w) {
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
}

static void turn_udp(world *w) {
  w->ts.relay_ipv6 = sim_addr("2001:db8:2::1");
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
}

static void turn_tcp(world *w) {
  world_listen(w, FLOE_TRANSPORT_TCP, "bytewise");
  world_add(w, "turn:192.0.2.1?transport=tcp");
}

static void turn_tls(world *w) {
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
  world_listen(w, FLOE_TRANSPORT_TLS, NULL);
  world_add(w, "turns:turn.example.org");
}

static void newer_credentials(world *w) {
  w->ts.use_sha256 = true;
  w->ts.anonymous = true;
  world_listen(w, FLOE_TRANSPORT_UDP, "stale-once");
  world_add(w, "turn:192.0.2.1");
}

static void new_port(world *w) {
  w->cfg.port_min = 6000;
  w->cfg.port_max = 6010;
  world_listen(w, FLOE_TRANSPORT_UDP, "437=2");
  world_add(w, "turn:192.0.2.1");
}

static void redirect(world *w) {
  world_listen(w, FLOE_TRANSPORT_TCP, "redirect=192.0.2.2:3478");
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_TCP, NULL);
  world_add(w, "turn:192.0.2.1?transport=tcp");
}

static void many_failures(world *w) {
  world_listen(w, FLOE_TRANSPORT_UDP, "error-after-auth=486:Full");
  sim_dns_add(w->s, "two.example.org", "192.0.2.98", "192.0.2.97", NULL);
  world_add(w, "turn:192.0.2.1");
  world_add(w, "turn:192.0.2.1");
  world_add(w, "stun:no.example.org");
  world_add(w, "stun:two.example.org");
  world_add(w, "stun:[2001:db8:2::1]");
  world_add(w, "turn:192.0.2.1:9?transport=tcp");
}

static void tls_failure(world *w) {
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
  world_listen(w, FLOE_TRANSPORT_TLS, "tls-expired");
  world_add(w, "turns:turn.example.org");
}

static void use_relay(world *w) {
  uint32_t relay = sim_agent_relay(w->agent, 0);
  if (relay == 0) return;
  (void)sim_agent_permit(w->agent, relay, "198.51.100.1:9", true);
  (void)sim_agent_permit(w->agent, relay, "198.51.100.2:9", false);
  sim_run_for(w->s, 100);
  (void)sim_agent_send_relayed(w->agent, relay, "198.51.100.1:9", "over the channel");
  (void)sim_agent_send_relayed(w->agent, relay, "198.51.100.2:9", "in an indication");
  sim_run_for(w->s, 1300 * 1000); /* two refreshes of everything */
}

static void gather_again(world *w) {
  if (sim_agent_gather(w->agent) != FLOE_OK) return;
  if (!sim_agent_run_to_complete(w->agent, 20000)) sim_fail(w->s, "the second gathering did not complete");
}

static const scenario scenarios[] = {
    {"stun_and_host", stun_and_host, NULL},
    {"turn_udp", turn_udp, use_relay},
    {"turn_tcp", turn_tcp, use_relay},
    {"turn_tls", turn_tls, NULL},
    {"newer_credentials", newer_credentials, NULL},
    {"new_port", new_port, NULL},
    {"redirect", redirect, NULL},
    {"many_failures", many_failures, NULL},
    {"tls_failure", tls_failure, NULL},
    {"gather_again", turn_udp, gather_again},
};

static void live(world *w, const scenario *sc) {
  floe_status st = sim_agent_gather(w->agent);
  if (st != FLOE_OK) {
    if (st != FLOE_E_NOMEM) sim_fail(w->s, "gather: %s", floe_status_name(st));
    return;
  }
  if (!sim_agent_run_to_complete(w->agent, 20000)) sim_fail(w->s, "gathering did not complete");
  if (sc->use != NULL) sc->use(w);
}

/* True when the failing call was reached. What could not be closed for want of memory is closed by freeing. */
static bool run(const scenario *sc, uint64_t fail_at, uint64_t fail_from) {
  world *w = world_new(1);
  sc->build(w);
  w->options.fail_at = fail_at;
  w->options.fail_from = fail_from;
  world_start(w);
  if (sim_agent_core(w->agent) != NULL) {
    live(w, sc);
    sim_agent_close(w->agent);
    sim_run_for(w->s, 3000);
  }
  bool was_reached = sim_agent_failed_allocations(w->agent) > 0;
  sim_agent_free(w->agent);
  w->agent = NULL;
  world_free(w);
  return was_reached;
}

static void each_call_fails_once(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
    uint64_t n = 1;
    while (run(&scenarios[i], n, 0)) n++;
    assert_true(n > 10); /* the scenario does allocate */
  }
}

static void each_call_and_all_after_it_fail(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
    uint64_t n = 1;
    while (run(&scenarios[i], 0, n)) n++;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_call_fails_once),
      cmocka_unit_test(each_call_and_all_after_it_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
