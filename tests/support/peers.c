/* setenv */
#define _POSIX_C_SOURCE 200809L

#include "support/peers.h"

#include <stdlib.h>

#define DEFAULT_SIGNALLING_MS 10
#define MAX_DESCRIPTION       65536

/* --- making the world --------------------------------------------------------------------------------------------- */

static void init_peer(peers *p, peer *x, const char *name, peer *other) {
  x->name = name;
  x->p = p;
  x->other = other;
  x->host = sim_host_new(p->s, name, NULL);
  x->out.delay_ms = DEFAULT_SIGNALLING_MS;
  floe_ice_config_init(&x->cfg, sizeof x->cfg);
}

peers *peers_new_bare(uint64_t seed) {
  /* The system's authorities are no part of a simulated world. */
  (void)setenv("SSL_CERT_FILE", "/dev/null", 1);
  (void)setenv("SSL_CERT_DIR", "/dev/null", 1);
  sim *s = sim_new(seed);
  peers *p = sim_keep(s, sizeof *p);
  p->s = s;
  init_peer(p, &p->a, "A", &p->b);
  init_peer(p, &p->b, "B", &p->a);
  p->b.waits_for_offer = true;
  p->server_host = sim_host_new(s, "server", "eth0", "192.0.2.1", "eth0", "2001:db8:2::1", NULL);
  p->ts = (floe__ts_config){.username = "user",
                            .credential = "secret",
                            .cert_name = "turn.example.org",
                            .unix_s = SIM_UNIX_S,
                            .relay_ipv4 = sim_addr("192.0.2.1")};
  return p;
}

peers *peers_new(uint64_t seed) {
  peers *p = peers_new_bare(seed);
  sim_host_add_address(p->a.host, "eth0", "10.0.0.1");
  sim_host_add_address(p->b.host, "eth0", "10.0.1.1");
  return p;
}

void peers_nat(peer *x, sim_nat_kind mapping, sim_nat_kind filtering) {
  bool is_a = x == &x->p->a;
  x->nat =
      sim_nat_new(x->p->s, is_a ? "NAT of A" : "NAT of B", is_a ? "203.0.113.1" : "203.0.113.2", mapping, filtering);
  sim_host_behind(x->host, x->nat);
}

void peers_listen(peers *p, floe_transport transport, const char *script) {
  bool is_tls = transport == FLOE_TRANSPORT_TLS;
  if (p->server == NULL) p->server = sim_server_new(p->server_host, &p->ts);
  (void)sim_server_listen(p->server, transport, is_tls ? "192.0.2.1:5349" : "192.0.2.1:3478", script);
  (void)sim_server_listen(p->server, transport, is_tls ? "[2001:db8:2::1]:5349" : "[2001:db8:2::1]:3478", script);
  p->has_tls = p->has_tls || is_tls;
}

void peer_add(peer *x, const char *url) {
  if (x->n_servers == PEERS_MAX_SERVERS) abort();
  bool is_turn = strncmp(url, "turn", 4) == 0;
  x->urls[x->n_servers] = url;
  x->ice_servers[x->n_servers] = (floe_ice_server){.urls = &x->urls[x->n_servers],
                                                   .n_urls = 1,
                                                   .username = is_turn ? "user" : NULL,
                                                   .credential = is_turn ? "secret" : NULL};
  x->n_servers++;
}

void peers_add(peers *p, const char *url) {
  peer_add(&p->a, url);
  peer_add(&p->b, url);
}

void peer_block_udp(peer *x) {
  sim_rule_add(x->p->s, &(sim_rule){.from = x->host, .proto = SIM_UDP, .action = SIM_DROP});
}

void peer_drop_to(peer *x, const char *to) {
  sim_rule_add(x->p->s, &(sim_rule){.from = x->host, .to = sim_addr(to), .action = SIM_DROP});
}

void peer_vanish(peer *x) {
  sim_rule_add(x->p->s, &(sim_rule){.from = x->host, .action = SIM_DROP});
  sim_host_set_deaf(x->host, true);
}

static void close_peer(peer *x) {
  if (x->agent == NULL || sim_agent_core(x->agent) == NULL || x->no_close) return;
  sim_agent_close(x->agent);
}

static void wait_closed(peer *x) {
  if (x->agent == NULL || sim_agent_core(x->agent) == NULL || x->no_close) return;
  if (!sim_agent_run_to_closed(x->agent, 2000)) sim_fail(x->p->s, "%s is not closed after 2 s", x->name);
}

void peers_free(peers *p) {
  sim *s = p->s;
  p->is_over = true;
  close_peer(&p->a);
  close_peer(&p->b);
  wait_closed(&p->a);
  wait_closed(&p->b);
  sim_agent_free(p->a.agent);
  sim_agent_free(p->b.agent);
  sim_free(s);
}

/* --- signalling ----------------------------------------------------------------------------------------------------
 */

typedef enum message_type { MESSAGE_PARAMETERS, MESSAGE_CANDIDATE, MESSAGE_END, MESSAGE_DESCRIPTION } message_type;

typedef struct message {
  peer *to;
  message_type type;
  bool lite;
  char ufrag[260];
  char pwd[260];
  uint32_t generation; /* of the sender's session */
  size_t len;
  char text[];
} message;

static bool is_alive(const peer *x) {
  return x->agent != NULL && sim_agent_core(x->agent) != NULL;
}

/* No memory is the one thing that a message may come to grief on, and what follows from that. */
static void check_status(const peer *x, floe_status st, const char *what) {
  if (st == FLOE_OK || sim_agent_failed_allocations(x->agent) > 0) return;
  const floe_error *why = sim_agent_why(x->agent);
  sim_fail(x->p->s, "%s refuses %s: %s: %s: %s", x->name, what, floe_status_name(st), why->path, why->message);
}

/* Parameters of a later session than this side has: the peer has restarted, and so does this side. */
static void follow_restart(peer *x, const message *m) {
  if (m->generation == x->generation) return;
  x->generation = m->generation;
  if (!x->has_offered) return; /* it has not even begun */
  check_status(x, sim_agent_restart(x->agent), "the restart");
  x->has_offered = false;
}

static void take_parameters(peer *x, const message *m) {
  follow_restart(x, m);
  floe_ice_parameters params = {.ufrag = m->ufrag, .pwd = m->pwd, .lite = m->lite};
  check_status(x, sim_agent_set_remote_parameters(x->agent, &params), "the parameters");
  if (is_alive(x) && !x->has_offered) peer_offer(x);
}

static void take_description(peer *x, const message *m) {
  follow_restart(x, m);
  floe_status st = sim_agent_set_remote_description(x->agent, m->text);
  if (st != FLOE_E_TOO_LARGE) check_status(x, st, "the description"); /* as many as it may have were taken */
  if (is_alive(x) && !x->has_offered) peer_offer(x);
}

/* A candidate of a session that is over, or refused by a limit, is counted only. */
static void take_candidate(peer *x, const message *m) {
  floe_status st = sim_agent_add_remote_candidate(x->agent, m->text);
  if (st == FLOE_OK) return;
  x->other->refused++;
  x->other->last_refusal = st;
  if (st == FLOE_E_SYNTAX || st == FLOE_E_TYPE) check_status(x, st, m->text);
}

static void deliver(void *user, void *payload);

/* What comes before the parameters of its session waits for them, as in any program. */
static void wait_for_parameters(const message *m) {
  message *copy = sim_must(malloc(sizeof *copy + m->len + 1));
  memcpy(copy, m, sizeof *copy + m->len + 1);
  sim_after(m->to->p->s, 20 * FLOE_MS, deliver, NULL, copy);
}

static void take_by_type(peer *x, const message *m) {
  switch (m->type) {
    case MESSAGE_PARAMETERS: take_parameters(x, m); return;
    case MESSAGE_CANDIDATE: take_candidate(x, m); return;
    case MESSAGE_END: sim_agent_end_of_remote_candidates(x->agent); return;
    case MESSAGE_DESCRIPTION: take_description(x, m); return;
  }
}

static void deliver(void *user, void *payload) {
  (void)user;
  const message *m = payload;
  if (!is_alive(m->to) || m->to->p->is_over) return;
  floe_ice_agent *core = sim_agent_core(m->to->agent);
  if (floe_ice_agent_connection_state(core) == FLOE_ICE_CONNECTION_CLOSED) return;
  if (m->generation < m->to->generation) return; /* of a session that is over */
  bool is_early = m->generation > m->to->generation && (m->type == MESSAGE_CANDIDATE || m->type == MESSAGE_END);
  if (is_early) {
    wait_for_parameters(m);
  } else {
    take_by_type(m->to, m);
  }
}

static message *new_message(peer *x, message_type type, const char *text) {
  size_t len = strlen(text);
  message *m = sim_must(calloc(1, sizeof *m + len + 1));
  const floe_ice_parameters *mine = floe_ice_agent_local_parameters(sim_agent_core(x->agent));
  m->to = x->other;
  m->type = type;
  m->lite = mine->lite;
  (void)snprintf(m->ufrag, sizeof m->ufrag, "%s", mine->ufrag);
  (void)snprintf(m->pwd, sizeof m->pwd, "%s", mine->pwd);
  m->generation = x->generation;
  m->len = len;
  memcpy(m->text, text, len + 1);
  return m;
}

static void post(peer *x, message *m, uint32_t later_ms) {
  sim_after(x->p->s, (x->out.delay_ms + later_ms) * FLOE_MS, deliver, NULL, m);
}

static void post_parameters(void *user, void *payload) {
  (void)payload;
  peer *x = user;
  if (is_alive(x) && !x->out.no_parameters) post(x, new_message(x, MESSAGE_PARAMETERS, ""), x->out.parameters_ms);
}

static void post_description(void *user, void *payload) {
  (void)payload;
  peer *x = user;
  if (!is_alive(x)) return;
  char *text = sim_must(malloc(MAX_DESCRIPTION));
  size_t len = floe_ice_agent_local_description(sim_agent_core(x->agent), text, MAX_DESCRIPTION);
  if (len >= MAX_DESCRIPTION) sim_fail(x->p->s, "a description of %zu bytes", len);
  post(x, new_message(x, MESSAGE_DESCRIPTION, text), 0);
  free(text);
}

static void post_candidate(peer *x, const char *text) {
  char line[600];
  const floe_ice_parameters *mine = floe_ice_agent_local_parameters(sim_agent_core(x->agent));
  (void)snprintf(line, sizeof line, "%s ufrag %s", text, mine->ufrag);
  uint32_t later = x->out.shuffle_ms > 0 ? sim_random_below(x->p->s, x->out.shuffle_ms) : 0;
  post(x, new_message(x, MESSAGE_CANDIDATE, line), later);
}

/* Called from inside an event of the agent: only plans. */
static void on_candidate(void *user, const floe_ice_candidate *c) {
  peer *x = user;
  if (x->out.whole) {
    if (c == NULL) sim_after(x->p->s, 0, post_description, x, NULL);
    return;
  }
  if (c == NULL) {
    if (!x->out.no_end) post(x, new_message(x, MESSAGE_END, ""), x->out.shuffle_ms);
    return;
  }
  if (!x->out.no_candidates) post_candidate(x, c->text);
}

/* Gathers and tells the other side. */
void peer_offer(peer *x) {
  x->has_offered = true;
  if (!x->out.whole) sim_after(x->p->s, 0, post_parameters, x, NULL);
  check_status(x, sim_agent_gather(x->agent), "to gather");
}

/* --- running ------------------------------------------------------------------------------------------------------ */

static void start_peer(peer *x) {
  if (x->agent != NULL) return;
  x->cfg.ice_servers = x->ice_servers;
  x->cfg.n_ice_servers = x->n_servers;
  if (x->p->has_tls && x->cfg.ca_pem.len == 0) {
    const char *pem = floe__testserver_ca_pem(sim_server_core(x->p->server));
    x->cfg.ca_pem = (floe_bytes){(const uint8_t *)pem, strlen(pem)};
  }
  x->agent = sim_agent_new(x->host, &x->cfg, &x->options);
  sim_agent_on_candidate(x->agent, on_candidate, x);
}

void peers_start(peers *p) {
  start_peer(&p->a);
  start_peer(&p->b);
}

void peers_begin(peers *p) {
  peers_start(p);
  p->has_begun = true;
  if (!p->a.waits_for_offer && is_alive(&p->a)) peer_offer(&p->a);
  if (!p->b.waits_for_offer && is_alive(&p->b)) peer_offer(&p->b);
}

static bool are_connected(void *user) {
  const peers *p = user;
  return sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent);
}

bool peers_run_to_connected(peers *p, uint64_t limit_ms) {
  return sim_run_until(p->s, sim_now(p->s) + limit_ms * FLOE_MS, are_connected, p);
}

bool peers_connect(peers *p, uint64_t limit_ms) {
  if (!p->has_begun) peers_begin(p);
  return peers_run_to_connected(p, limit_ms);
}

typedef struct wanted {
  const peer *x;
  floe_ice_connection_state state;
} wanted;

static bool is_in_state(void *user) {
  const wanted *w = user;
  return sim_agent_connection(w->x->agent) == w->state;
}

bool peer_run_to(peer *x, floe_ice_connection_state state, uint64_t limit_ms) {
  wanted w = {.x = x, .state = state};
  return sim_run_until(x->p->s, sim_now(x->p->s) + limit_ms * FLOE_MS, is_in_state, &w);
}

static bool have_failed(void *user) {
  const peers *p = user;
  return sim_agent_connection(p->a.agent) == FLOE_ICE_CONNECTION_FAILED &&
         sim_agent_connection(p->b.agent) == FLOE_ICE_CONNECTION_FAILED;
}

bool peers_run_to_failed(peers *p, uint64_t limit_ms) {
  if (!p->has_begun) peers_begin(p);
  return sim_run_until(p->s, sim_now(p->s) + limit_ms * FLOE_MS, have_failed, p);
}

void peer_restart(peer *x) {
  x->generation++;
  check_status(x, sim_agent_restart(x->agent), "to restart");
  peer_offer(x);
}

void peer_tell_parameters(peer *x) {
  message *m = new_message(x, MESSAGE_PARAMETERS, "");
  take_parameters(x->other, m);
  free(m);
}

floe_status peer_tell_candidate(peer *x, const char *line) {
  return sim_agent_add_remote_candidate(x->other->agent, line);
}

const char *peer_events_with(peer *x, const char *part) {
  return sim_agent_events_with(x->agent, part);
}

/* --- data --------------------------------------------------------------------------------------------------------- */

#define NUMBERED "datagram %llu of %s"

static bool has_got(const peer *x, const char *text, size_t from) {
  for (size_t i = from; i < sim_agent_n_data(x->agent); i++) {
    const sim_data *d = sim_agent_data(x->agent, i);
    if (d->len == strlen(text) && memcmp(d->bytes, text, d->len) == 0) return true;
  }
  return false;
}

bool peer_send_numbered(peer *x) {
  char text[80];
  (void)snprintf(text, sizeof text, NUMBERED, (unsigned long long)x->n_sent_data, x->name);
  if (sim_agent_send_text(x->agent, text) != FLOE_OK) return false;
  x->n_sent_data++;
  return true;
}

static bool has_got_number(const peer *x, uint64_t n) {
  char text[80];
  (void)snprintf(text, sizeof text, NUMBERED, (unsigned long long)n, x->other->name);
  return has_got(x, text, 0);
}

uint64_t peer_got_numbered(const peer *x) {
  uint64_t n = 0;
  for (uint64_t i = 0; i < x->other->n_sent_data; i++) n += has_got_number(x, i) ? 1 : 0;
  return n;
}

void peers_expect_all_numbered(peers *p) {
  for (int side = 0; side < 2; side++) {
    const peer *x = side == 0 ? &p->a : &p->b;
    for (uint64_t i = 0; i < x->other->n_sent_data; i++) {
      if (!has_got_number(x, i)) {
        sim_fail(p->s, "datagram %llu of %llu of %s did not arrive", (unsigned long long)i,
                 (unsigned long long)x->other->n_sent_data, x->other->name);
      }
    }
  }
}

static bool exchange_once(peers *p, uint64_t ms) {
  size_t a_had = sim_agent_n_data(p->a.agent), b_had = sim_agent_n_data(p->b.agent);
  char from_a[80], from_b[80];
  (void)snprintf(from_a, sizeof from_a, "A says %llu", (unsigned long long)sim_random(p->s));
  (void)snprintf(from_b, sizeof from_b, "B says %llu", (unsigned long long)sim_random(p->s));
  if (sim_agent_send_text(p->a.agent, from_a) != FLOE_OK || sim_agent_send_text(p->b.agent, from_b) != FLOE_OK) {
    return false;
  }
  sim_run_for(p->s, ms);
  return has_got(&p->a, from_b, a_had) && has_got(&p->b, from_a, b_had);
}

bool peers_try_data(peers *p, unsigned tries) {
  for (unsigned i = 0; i < tries; i++) {
    if (exchange_once(p, 2000)) return true;
  }
  return false;
}

void peers_exchange_data(peers *p) {
  size_t a_had = sim_agent_n_data(p->a.agent), b_had = sim_agent_n_data(p->b.agent);
  if (!exchange_once(p, 500)) sim_fail(p->s, "the data did not arrive");
  if (sim_agent_n_data(p->a.agent) != a_had + 1 || sim_agent_n_data(p->b.agent) != b_had + 1) {
    sim_fail(p->s, "more data arrived than was sent");
  }
}
