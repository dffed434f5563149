#define _POSIX_C_SOURCE 200809L
#include "support/world.h"

#include <stdlib.h>

static void make_server_host(world *w) {
  w->server_host = sim_host_new(w->s, "server", "eth0", "192.0.2.1", "eth0", "2001:db8:2::1", NULL);
  w->ts = (floe__ts_config){.username = "user",
                            .credential = "secret",
                            .cert_name = "turn.example.org",
                            .unix_s = SIM_UNIX_S,
                            .relay_ipv4 = sim_addr("192.0.2.1")};
}

static world *new_world(uint64_t seed) {
  /* The system's authorities are no part of a simulated world, and reading them takes longer than most tests. */
  (void)setenv("SSL_CERT_FILE", "/dev/null", 1);
  (void)setenv("SSL_CERT_DIR", "/dev/null", 1);
  sim *s = sim_new(seed);
  world *w = sim_keep(s, sizeof *w);
  w->s = s;
  floe_ice_config_init(&w->cfg, sizeof w->cfg);
  make_server_host(w);
  return w;
}

static void add_addresses(sim_host *h, va_list args) {
  for (const char *interface = va_arg(args, const char *); interface != NULL; interface = va_arg(args, const char *)) {
    sim_host_add_address(h, interface, va_arg(args, const char *));
  }
}

static void add_nat(world *w) {
  w->nat = sim_nat_new(w->s, "nat", "203.0.113.1", SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  sim_host_behind(w->client, w->nat);
}

world *world_new(uint64_t seed) {
  world *w = new_world(seed);
  w->client = sim_host_new(w->s, "client", "eth0", "10.0.0.1", NULL);
  add_nat(w);
  return w;
}

world *world_new_with(uint64_t seed, ...) {
  world *w = new_world(seed);
  w->client = sim_host_new(w->s, "client", NULL);
  va_list args;
  va_start(args, seed);
  add_addresses(w->client, args);
  va_end(args);
  return w;
}

world *world_new_natted(uint64_t seed, ...) {
  world *w = new_world(seed);
  w->client = sim_host_new(w->s, "client", NULL);
  add_nat(w);
  va_list args;
  va_start(args, seed);
  add_addresses(w->client, args);
  va_end(args);
  return w;
}

void world_free(world *w) {
  sim *s = w->s;
  if (w->agent != NULL && sim_agent_core(w->agent) != NULL) {
    sim_agent_close(w->agent);
    if (!sim_agent_run_to_closed(w->agent, 2000)) sim_fail(s, "the agent is not closed after 2 s");
  }
  sim_agent_free(w->agent);
  sim_free(s);
}

void world_add_with(world *w, const char *url, const char *user, const char *credential) {
  if (w->n_servers == WORLD_MAX_SERVERS) abort();
  w->urls[w->n_servers] = url;
  w->ice_servers[w->n_servers] =
      (floe_ice_server){.urls = &w->urls[w->n_servers], .n_urls = 1, .username = user, .credential = credential};
  w->n_servers++;
}

void world_add(world *w, const char *url) {
  bool is_turn = strncmp(url, "turn", 4) == 0;
  world_add_with(w, url, is_turn ? "user" : NULL, is_turn ? "secret" : NULL);
}

void world_listen_at(world *w, floe_transport transport, const char *local, const char *script) {
  if (w->server == NULL) w->server = sim_server_new(w->server_host, &w->ts);
  (void)sim_server_listen(w->server, transport, local, script);
  w->has_tls = w->has_tls || transport == FLOE_TRANSPORT_TLS;
}

void world_listen(world *w, floe_transport transport, const char *script) {
  bool is_tls = transport == FLOE_TRANSPORT_TLS;
  world_listen_at(w, transport, is_tls ? "192.0.2.1:5349" : "192.0.2.1:3478", script);
  world_listen_at(w, transport, is_tls ? "[2001:db8:2::1]:5349" : "[2001:db8:2::1]:3478", script);
}

sim_server *world_other_server(world *w, const char *address, floe_transport transport, const char *script) {
  sim_host *h = sim_host_new(w->s, address, "eth0", address, NULL);
  floe__ts_config cfg = w->ts;
  floe_addr addr = sim_addr(address);
  if (addr.family == FLOE_FAMILY_IPV4) {
    cfg.relay_ipv4 = addr;
  } else {
    cfg.relay_ipv6 = addr;
  }
  sim_server *sv = sim_server_new(h, &cfg);
  char local[FLOE_ADDR_TEXT];
  addr.port = transport == FLOE_TRANSPORT_TLS ? 5349 : 3478;
  (void)sim_server_listen(sv, transport, floe_addr_format(&addr, local), script);
  return sv;
}

void world_start(world *w) {
  w->cfg.ice_servers = w->ice_servers;
  w->cfg.n_ice_servers = w->n_servers;
  if (w->has_tls && w->cfg.ca_pem.len == 0) {
    const char *pem = floe__testserver_ca_pem(sim_server_core(w->server));
    w->cfg.ca_pem = (floe_bytes){(const uint8_t *)pem, strlen(pem)};
  }
  w->agent = sim_agent_new(w->client, &w->cfg, &w->options);
}

void world_gather(world *w) {
  if (w->agent == NULL) world_start(w);
  if (sim_agent_gather(w->agent) != FLOE_OK) sim_fail(w->s, "gather was refused");
  if (!sim_agent_run_to_complete(w->agent, 20000)) sim_fail(w->s, "gathering did not complete");
}
