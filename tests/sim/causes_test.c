/* Each cause that gathering can have, group by group in the contract's order: a scenario that brings it about, and the
 * one event that tells it. The last test proves that no cause of floe/cause.h is missing here. */
#include "support/world.h"

#define UDP "turn:192.0.2.1"
#define TCP "turn:192.0.2.1?transport=tcp"
#define TLS "turns:turn.example.org"

static void no_ipv6(world *w) {
  (void)w;
}

static void all_ports_taken(world *w) {
  w->cfg.port_min = w->cfg.port_max = 6000;
  sim_host_fail_binds(w->client, FLOE_NET_ADDRESS_IN_USE, 0);
}

static void no_descriptors(world *w) {
  sim_host_fail_binds(w->client, FLOE_NET_NO_RESOURCES, 0);
}

static void dns(world *w, floe_dns_status status) {
  sim_dns_set(w->s, "turn.example.org", FLOE_FAMILY_IPV4, status, 10);
}

static void dns_unreachable(world *w) {
  dns(w, FLOE_DNS_UNREACHABLE);
}
static void dns_timeout(world *w) {
  dns(w, FLOE_DNS_TIMEOUT);
}
static void dns_refused(world *w) {
  dns(w, FLOE_DNS_REFUSED);
}
static void dns_servfail(world *w) {
  dns(w, FLOE_DNS_SERVFAIL);
}
static void dns_nodata(world *w) {
  dns(w, FLOE_DNS_NODATA);
}
static void dns_nxdomain(world *w) {
  dns(w, FLOE_DNS_NXDOMAIN);
}

static void no_route(world *w) {
  sim_fail_send(w->s, "192.0.2.1", FLOE_NET_NET_UNREACHABLE);
}
static void no_host(world *w) {
  sim_reject(w->s, "192.0.2.1", 3, 1);
}
static void firewall(world *w) {
  sim_fail_send(w->s, "192.0.2.1", FLOE_NET_DENIED);
}
static void black_hole(world *w) {
  sim_drop(w->s, "192.0.2.1");
}
static void nothing_listens(world *w) {
  (void)w;
}

static void listen_udp(world *w, const char *script) {
  w->ts.fingerprint = true;
  world_listen(w, FLOE_TRANSPORT_UDP, script);
}

/* `script` NULL: only `prepare` matters. */
typedef struct scenario {
  const char *cause;
  const char *url;
  void (*prepare)(world *w); /* nullable */
  const char *script;        /* nullable; for the transport of the URL */
  uint16_t code;
  uint32_t at_ms; /* when it is told */
} scenario;

static const scenario scenarios[] = {
    {"no_local_address", "turn:[2001:db8:2::1]", no_ipv6, NULL, 701, 0},
    {"port_range_exhausted", UDP, all_ports_taken, NULL, 701, 0},
    {"socket_failed", UDP, no_descriptors, NULL, 701, 0},

    {"dns_unreachable", TLS, dns_unreachable, NULL, 701, 10},
    {"dns_timeout", TLS, dns_timeout, NULL, 701, 10},
    {"dns_refused", TLS, dns_refused, NULL, 701, 10},
    {"dns_servfail", TLS, dns_servfail, NULL, 701, 10},
    {"dns_nodata", TLS, dns_nodata, NULL, 701, 10},
    {"dns_nxdomain", TLS, dns_nxdomain, NULL, 701, 10},

    {"net_unreachable", UDP, no_route, NULL, 701, 500},
    {"host_unreachable", UDP, no_host, NULL, 701, 510},
    {"send_denied", UDP, firewall, NULL, 701, 0},
    {"port_unreachable", UDP, nothing_listens, NULL, 701, 10},
    {"udp_timeout", UDP, black_hole, NULL, 701, 5000},
    {"tcp_refused", TCP, nothing_listens, NULL, 701, 10},
    {"tcp_timeout", TCP, black_hole, NULL, 701, 4000},

    {"tcp_reset", TCP, NULL, "reset-after-accept", 701, 20},
    {"tcp_closed", TCP, NULL, "close-after-accept", 701, 20},
    {"tls_timeout", TLS, NULL, "tls-hangs", 701, 4020},
    {"tls_not_tls", TLS, NULL, "tls-plain-text", 701, 30},
    {"tls_alert", TLS, NULL, "tls-alert", 701, 30},
    {"tls_untrusted", TLS, NULL, "tls-self-signed", 701, 30},
    {"tls_expired", TLS, NULL, "tls-expired", 701, 30},
    {"tls_name_mismatch", TLS, NULL, "tls-other-name", 701, 30},

    {"no_answer", TCP, NULL, "silent", 701, 5010},
    {"not_stun", UDP, NULL, "garbage", 701, 5000},
    {"wrong_transaction", UDP, NULL, "wrong-transaction", 701, 5000},
    {"bad_fingerprint", UDP, NULL, "bad-fingerprint", 701, 5000},
    {"bad_integrity", UDP, NULL, "wrong-integrity", 701, 5010},
    {"malformed_response", UDP, NULL, "no-address", 701, 20},

    {"stun_error", UDP, NULL, "error=500", 500, 10},
    {"auth_required", "stun:192.0.2.1", NULL, "401-forever", 401, 10},
    {"malformed_challenge", UDP, NULL, "401-no-nonce", 401, 10},
    {"auth_rejected", UDP, NULL, "401-forever", 401, 20},
    {"auth_expired", UDP, NULL, "401-forever", 401, 20},
    {"stale_nonce_loop", UDP, NULL, "stale-forever", 438, 50},
    {"redirect_loop", UDP, NULL, "redirect=192.0.2.1:3478", 300, 10},
    {"redirect_refused", UDP, NULL, "redirect-no-address", 300, 10},
    {"alloc_mismatch", UDP, NULL, "error-after-auth=437", 437, 60},
    {"family_unsupported", UDP, NULL, "error-after-auth=443", 443, 20},
    {"transport_unsupported", UDP, NULL, "error-after-auth=442", 442, 20},
    {"quota_reached", UDP, NULL, "error-after-auth=486", 486, 20},
    {"insufficient_capacity", UDP, NULL, "error-after-auth=508", 508, 20},
    {"forbidden", UDP, NULL, "error-after-auth=403", 403, 20},
};
#define N_SCENARIOS (sizeof scenarios / sizeof scenarios[0])

static void listen_for(world *w, const scenario *sc) {
  if (sc->script == NULL) return;
  if (strcmp(sc->url, TCP) == 0) {
    world_listen(w, FLOE_TRANSPORT_TCP, sc->script);
  } else if (strcmp(sc->url, TLS) == 0) {
    world_listen(w, FLOE_TRANSPORT_TLS, sc->script);
  } else {
    listen_udp(w, sc->script);
  }
}

static void run(const scenario *sc) {
  world *w = world_new(1);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
  listen_for(w, sc);
  if (sc->prepare != NULL) sc->prepare(w);
  if (strcmp(sc->cause, "auth_expired") == 0) {
    world_add_with(w, sc->url, "1700000000:alice", "some-credential");
  } else {
    world_add(w, sc->url);
  }
  world_gather(w);
  char expected[400], line[300];
  (void)snprintf(line, sizeof line, "%u.0 error %u %s %s at *", (unsigned)sc->at_ms, (unsigned)sc->code, sc->cause,
                 sc->url);
  (void)snprintf(expected, sizeof expected, "...\n%s\n%u.0 candidate end\n%u.0 state complete\n", line,
                 (unsigned)sc->at_ms, (unsigned)sc->at_ms);
  if (sc->at_ms == 0) (void)snprintf(expected, sizeof expected, "...\n%s\n...\n" END("0.0"), line);
  world_expect(w, expected);
  assert_int_equal(sim_agent_n_errors(w->agent), 1);
  const sim_error *e = sim_agent_error(w->agent, 0);
  assert_string_equal(e->hint, floe_cause_hint(e->detail.cause));
  world_expect_report(w, "report failed\nserver 0.0 failed *\n  attempt error *\n");
  world_free(w);
}

static void each_cause_of_gathering(void **state) {
  (void)state;
  for (size_t i = 0; i < N_SCENARIOS; i++) run(&scenarios[i]);
}

static bool is_listed(const char *id) {
  for (size_t i = 0; i < N_SCENARIOS; i++) {
    if (strcmp(scenarios[i].cause, id) == 0) return true;
  }
  return false;
}

static void no_cause_is_missing(void **state) {
  (void)state;
  for (floe_cause c = 0; c < FLOE_CAUSE_COUNT; c++) {
    if (floe_cause_group(c) == 0) continue; /* not of gathering: other tests have it */
    if (!is_listed(floe_cause_id(c))) fail_msg("no scenario for %s", floe_cause_id(c));
    assert_string_not_equal(floe_cause_hint(c), "");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_cause_of_gathering),
      cmocka_unit_test(no_cause_is_missing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
