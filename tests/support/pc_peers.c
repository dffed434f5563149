/* setenv */
#define _POSIX_C_SOURCE 200809L

#include "support/pc_peers.h"

#include "support/sim_agent_internal.h"

#define DEFAULT_SIGNALLING_MS 10

/* --- making the world --------------------------------------------------------------------------------------------- */

static void init_peer(pc_peers *p, pc_peer *y, const char *name, pc_peer *other) {
  y->name = name;
  y->p = p;
  y->other = other;
  y->host = sim_host_new(p->s, name, NULL);
  y->out.delay_ms = DEFAULT_SIGNALLING_MS;
  floe_ice_config_init(&y->ice, sizeof y->ice);
  floe_pc_config_init(&y->cfg, sizeof y->cfg);
}

static pc_peers *new_pair(sim *s, const char *one, const char *two) {
  pc_peers *p = sim_keep(s, sizeof *p);
  p->s = s;
  p->log = sim_keep(s, sizeof(sim_text));
  init_peer(p, &p->alice, one, &p->bob);
  init_peer(p, &p->bob, two, &p->alice);
  p->alice.negotiates = true;
  return p;
}

static void dump(void *user) {
  const pc_peers *p = user;
  (void)fprintf(stderr, "events of both:\n%s", pc_peers_events(p));
}

static void free_log(void *user) {
  pc_peers *p = user;
  sim_text_clear(p->log);
}

pc_peers *pc_peers_new_bare(uint64_t seed) {
  /* The system's authorities are no part of a simulated world. */
  (void)setenv("SSL_CERT_FILE", "/dev/null", 1);
  (void)setenv("SSL_CERT_DIR", "/dev/null", 1);
  sim *s = sim_new(seed);
  sim_set_max_steps(s, 20000000);
  pc_peers *p = new_pair(s, "alice", "bob");
  p->server_host = sim_host_new(s, "server", "eth0", "192.0.2.1", "eth0", "2001:db8:2::1", NULL);
  p->ts = (floe__ts_config){.username = "user",
                            .credential = "secret",
                            .cert_name = "turn.example.org",
                            .unix_s = SIM_UNIX_S,
                            .relay_ipv4 = sim_addr("192.0.2.1")};
  sim_on_free(s, free_log, p);
  sim_on_dump(s, dump, p);
  return p;
}

pc_peers *pc_peers_new(uint64_t seed) {
  pc_peers *p = pc_peers_new_bare(seed);
  sim_host_add_address(p->alice.host, "eth0", "10.0.0.1");
  sim_host_add_address(p->bob.host, "eth0", "10.0.1.1");
  return p;
}

pc_peers *pc_peers_new_in(pc_peers *other) {
  pc_peers *p = new_pair(other->s, "carol", "dave");
  p->server_host = other->server_host;
  sim_on_free(p->s, free_log, p);
  sim_host_add_address(p->alice.host, "eth0", "10.0.2.1");
  sim_host_add_address(p->bob.host, "eth0", "10.0.3.1");
  return p;
}

void pc_peers_nat(pc_peer *y, sim_nat_kind mapping, sim_nat_kind filtering) {
  bool is_alice = y == &y->p->alice;
  y->nat = sim_nat_new(y->p->s, is_alice ? "NAT of alice" : "NAT of bob", is_alice ? "203.0.113.1" : "203.0.113.2",
                       mapping, filtering);
  sim_host_behind(y->host, y->nat);
}

void pc_peers_listen(pc_peers *p, floe_transport transport, const char *script) {
  bool is_tls = transport == FLOE_TRANSPORT_TLS;
  if (p->server == NULL) p->server = sim_server_new(p->server_host, &p->ts);
  (void)sim_server_listen(p->server, transport, is_tls ? "192.0.2.1:5349" : "192.0.2.1:3478", script);
  (void)sim_server_listen(p->server, transport, is_tls ? "[2001:db8:2::1]:5349" : "[2001:db8:2::1]:3478", script);
  p->has_tls = p->has_tls || is_tls;
}

void pc_peer_add(pc_peer *y, const char *url) {
  if (y->n_servers == PC_MAX_SERVERS) abort();
  bool is_turn = strncmp(url, "turn", 4) == 0;
  y->urls[y->n_servers] = url;
  y->ice_servers[y->n_servers] = (floe_ice_server){.urls = &y->urls[y->n_servers],
                                                   .n_urls = 1,
                                                   .username = is_turn ? "user" : NULL,
                                                   .credential = is_turn ? "secret" : NULL};
  y->n_servers++;
}

void pc_peers_add(pc_peers *p, const char *url) {
  pc_peer_add(&p->alice, url);
  pc_peer_add(&p->bob, url);
}

void pc_peers_set_mode(pc_peers *p, pc_mode mode) {
  p->alice.out.mode = mode;
  p->bob.out.mode = mode;
}

void pc_peer_vanish(pc_peer *y) {
  sim_rule_add(y->p->s, &(sim_rule){.from = y->host, .action = SIM_DROP});
  sim_host_set_deaf(y->host, true);
}

void pc_peer_appear(pc_peer *y) {
  sim_rules_clear(y->p->s);
  sim_host_set_deaf(y->host, false);
}

static bool is_alive(const pc_peer *y) {
  return y->x != NULL && y->x->core != NULL;
}

static void close_peer(pc_peer *y) {
  if (is_alive(y) && !y->no_close) sim_pc_close(y->x);
}

static void wait_closed(pc_peer *y) {
  if (!is_alive(y) || y->no_close) return;
  if (!sim_pc_run_to_closed(y->x, 5000)) sim_fail(y->p->s, "%s is not closed after 5 s", y->name);
}

void pc_peers_free_pair(pc_peers *p) {
  p->is_over = true;
  close_peer(&p->alice);
  close_peer(&p->bob);
  wait_closed(&p->alice);
  wait_closed(&p->bob);
  sim_pc_free(p->alice.x);
  sim_pc_free(p->bob.x);
}

void pc_peers_free(pc_peers *p) {
  sim *s = p->s;
  pc_peers_free_pair(p);
  sim_free(s);
}

/* --- running ------------------------------------------------------------------------------------------------------ */

static void start_peer(pc_peer *y) {
  if (y->x != NULL) return;
  y->ice.ice_servers = y->ice_servers;
  y->ice.n_ice_servers = y->n_servers;
  if (y->p->has_tls && y->ice.ca_pem.len == 0) {
    const char *pem = floe__testserver_ca_pem(sim_server_core(y->p->server));
    y->ice.ca_pem = (floe_bytes){(const uint8_t *)pem, strlen(pem)};
  }
  if (y->cfg.ice == NULL) y->cfg.ice = &y->ice;
  y->x = sim_pc_new(y->host, y->name, &y->cfg, &y->options);
  y->x->hooks = (sim_pc_hooks){.on_event = pc_signal_on_event, .user = y};
  y->x->log = y->p->log;
}

void pc_peers_start(pc_peers *p) {
  start_peer(&p->alice);
  start_peer(&p->bob);
}

void pc_peers_begin(pc_peers *p) {
  pc_peers_start(p);
  if (!is_alive(&p->alice) || !is_alive(&p->bob)) return;
  if (p->alice.x->channels == NULL && p->bob.x->channels == NULL) (void)sim_pc_channel(p->alice.x, "data", NULL);
}

bool pc_peers_run_until(pc_peers *p, uint64_t limit_ms, bool (*pred)(void *user), void *user) {
  return sim_run_until(p->s, sim_now(p->s) + limit_ms * FLOE_MS, pred, user);
}

static bool has_open_channels(const pc_peer *y) {
  for (const sim_channel *c = y->x->channels; c != NULL; c = c->next_channel) {
    const sim_channel *other = pc_channel_other(c);
    if (!c->told_open || other == NULL || !other->told_open) return false;
  }
  return true;
}

static bool are_connected(void *user) {
  const pc_peers *p = user;
  return p->alice.x->told_state == FLOE_PC_CONNECTED && p->bob.x->told_state == FLOE_PC_CONNECTED &&
         has_open_channels(&p->alice) && has_open_channels(&p->bob);
}

bool pc_peers_connect(pc_peers *p, uint64_t limit_ms) {
  pc_peers_begin(p);
  return pc_peers_run_until(p, limit_ms, are_connected, p);
}

typedef struct wanted {
  const pc_peer *y;
  const sim_channel *c, *other;
  int state;
  uint64_t n;
} wanted;

static bool is_in_state(void *user) {
  const wanted *w = user;
  return (int)w->y->x->told_state == w->state;
}

bool pc_peer_run_to(pc_peer *y, floe_pc_state state, uint64_t limit_ms) {
  wanted w = {.y = y, .state = (int)state};
  return pc_peers_run_until(y->p, limit_ms, is_in_state, &w);
}

static bool is_in_signaling(void *user) {
  const wanted *w = user;
  return (int)w->y->x->told_signaling == w->state;
}

bool pc_peer_run_to_signaling(pc_peer *y, floe_signaling_state state, uint64_t limit_ms) {
  wanted w = {.y = y, .state = (int)state};
  return pc_peers_run_until(y->p, limit_ms, is_in_signaling, &w);
}

static bool have_failed(void *user) {
  const pc_peers *p = user;
  return p->alice.x->told_state == FLOE_PC_FAILED && p->bob.x->told_state == FLOE_PC_FAILED;
}

bool pc_peers_run_to_failed(pc_peers *p, uint64_t limit_ms) {
  pc_peers_begin(p);
  return pc_peers_run_until(p, limit_ms, have_failed, p);
}

static bool is_gathered(void *user) {
  const wanted *w = user;
  return w->y->x->told_gathering == FLOE_ICE_GATHERING_COMPLETE;
}

bool pc_peer_run_to_gathered(pc_peer *y, uint64_t limit_ms) {
  wanted w = {.y = y};
  return pc_peers_run_until(y->p, limit_ms, is_gathered, &w);
}

static bool is_settled(const pc_peer *y) {
  return y->x->told_signaling == FLOE_SIGNALING_STABLE && y->x->told_gathering != FLOE_ICE_GATHERING_GATHERING &&
         !y->wants_negotiation && !y->has_unsent && y->last_arrival < sim_now(y->p->s);
}

static bool are_settled(void *user) {
  const pc_peers *p = user;
  return is_settled(&p->alice) && is_settled(&p->bob);
}

bool pc_peers_settle(pc_peers *p, uint64_t limit_ms) {
  return pc_peers_run_until(p, limit_ms, are_settled, p);
}

static bool has_messages(void *user) {
  const wanted *w = user;
  return w->c->n_texts + w->c->n_binaries >= w->n;
}

bool pc_channel_run_to_messages(sim_channel *c, uint64_t n, uint64_t limit_ms) {
  wanted w = {.c = c, .n = n};
  return sim_run_until(c->x->s, sim_now(c->x->s) + limit_ms * FLOE_MS, has_messages, &w);
}

static bool is_in_channel_state(void *user) {
  const wanted *w = user;
  return w->c->handle != NULL && (int)floe_data_channel_ready_state(w->c->handle) == w->state;
}

bool pc_channel_run_to(sim_channel *c, floe_data_channel_state state, uint64_t limit_ms) {
  wanted w = {.c = c, .state = (int)state};
  return sim_run_until(c->x->s, sim_now(c->x->s) + limit_ms * FLOE_MS, is_in_channel_state, &w);
}

static bool has_all(void *user) {
  wanted *w = user;
  if (w->other == NULL) w->other = pc_channel_other(w->c);
  return w->other != NULL && w->c->flow_left == 0 && w->other->got == w->c->sent;
}

bool pc_channel_run_to_all(pc_peers *p, const sim_channel *from, uint64_t limit_ms) {
  wanted w = {.c = from};
  return pc_peers_run_until(p, limit_ms, has_all, &w);
}

/* --- what can be looked at ----------------------------------------------------------------------------------------
 */

/* A channel's connection knows its simulated host, not its peer: the log is one for both. */
sim_channel *pc_channel_other(const sim_channel *c) {
  const pc_peer *y = c->x->hooks.user;
  return sim_pc_find(y->other->x, c->name);
}

sim_channel *pc_peer_channel(const pc_peer *y, size_t n) {
  sim_channel *c = y->x->channels;
  for (; c != NULL && n > 0; n--) c = c->next_channel;
  if (c != NULL) return c;
  sim_fail(y->p->s, "%s has only %zu channels", y->name, sim_pc_n_channels(y->x));
  abort();
}

void pc_peers_exchange(pc_peers *p) {
  sim_channel *a = pc_peer_channel(&p->alice, 0), *b = pc_channel_other(a);
  if (b == NULL) sim_fail(p->s, "bob has no channel %s", a->name);
  uint64_t a_had = a->n_texts, b_had = b->n_texts;
  char from_a[80], from_b[80];
  (void)snprintf(from_a, sizeof from_a, "alice says %llu", (unsigned long long)sim_random(p->s));
  (void)snprintf(from_b, sizeof from_b, "bob says %llu", (unsigned long long)sim_random(p->s));
  pc_status(p, FLOE_OK, sim_channel_text(a, from_a));
  pc_status(p, FLOE_OK, sim_channel_text(b, from_b));
  pc_true(p, pc_channel_run_to_messages(a, a->n_binaries + a_had + 1, 2000));
  pc_true(p, pc_channel_run_to_messages(b, b->n_binaries + b_had + 1, 2000));
  pc_true(p, a->last_hash == sim_hash(from_b, strlen(from_b)));
  pc_true(p, b->last_hash == sim_hash(from_a, strlen(from_a)));
}

static void expect_all_of(const pc_peer *y) {
  for (const sim_channel *c = y->x->channels; c != NULL; c = c->next_channel) {
    if (c->sent == 0 || c->is_unreliable) continue;
    const sim_channel *other = pc_channel_other(c);
    if (other == NULL) {
      sim_fail(y->p->s, "%s has no channel %s", y->other->name, c->name);
      return;
    }
    if (c->flow_left > 0) sim_fail(y->p->s, "%s: %s has still %u to send", y->name, c->name, c->flow_left);
    sim_channel_expect_all(other, c);
  }
}

void pc_peers_expect_all(pc_peers *p) {
  expect_all_of(&p->alice);
  expect_all_of(&p->bob);
}

const char *pc_peers_events(const pc_peers *p) {
  return sim_text_of(p->log);
}

void pc_peers_clear_logs(pc_peers *p) {
  sim_text_clear(p->log);
  sim_pc_clear_log(p->alice.x);
  sim_pc_clear_log(p->bob.x);
}
