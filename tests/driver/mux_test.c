/* Many agents of the real core on one UDP port, and their peers, on one loop over loopback. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "floe/uv.h"
#include "support/cmocka.h"
#include "testserver_uv/testserver_uv.h"

#define MAX_PEERS 64
#define MAX_TEXT  16384

typedef struct side {
  floe_uv_ice_agent *agent;
  bool is_complete;
  bool echoes;
  floe_ice_connection_state state;
  size_t n_pair_changes;
  size_t n_data;
  char last[64];
} side;

typedef struct world {
  uv_loop_t loop;
  floe_uv *uv;
  floe_uv_ice_mux *mux;
  side servers[MAX_PEERS], clients[MAX_PEERS];
  size_t n;          /* of clients */
  size_t n_accepted; /* strangers: servers made from the callback */
  size_t n_refused;
  bool is_lite;                /* those */
  floe__testserver_uv *server; /* STUN and TURN */
  uv_timer_t guard;
  bool is_late;
} world;

static world w;

/* ---- making; callbacks assert nothing, for a jump out of the loop would leave it broken ---- */

static void on_late(uv_timer_t *timer) {
  (void)timer;
  w.is_late = true;
}

static int set_up(void **state) {
  (void)state;
  memset(&w, 0, sizeof w);
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.no_network_monitor = true;
  assert_int_equal(uv_loop_init(&w.loop), 0);
  assert_int_equal(uv_timer_init(&w.loop, &w.guard), 0);
  assert_int_equal(uv_timer_start(&w.guard, on_late, 30000, 0), 0);
  assert_int_equal(floe_uv_new(&w.uv, &w.loop, &cfg, NULL), FLOE_OK);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  uv_close((uv_handle_t *)&w.guard, NULL);
  floe_uv_close(w.uv);
  assert_int_equal(uv_run(&w.loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(uv_loop_close(&w.loop), 0);
  return 0;
}

static void run_until(bool (*done)(void)) {
  while (!done() && !w.is_late) (void)uv_run(&w.loop, UV_RUN_ONCE);
  if (w.is_late) fail_msg("what the test waits for has not come");
}

static void on_gathering(const floe_event *event, void *user) {
  ((side *)user)->is_complete = event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE;
}

static void on_connection(const floe_event *event, void *user) {
  ((side *)user)->state = event->u.connection.state;
}

static void on_pair(const floe_event *event, void *user) {
  (void)event;
  ((side *)user)->n_pair_changes++;
}

static void on_data(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  side *s = user;
  (void)candidate;
  (void)from;
  s->n_data++;
  (void)snprintf(s->last, sizeof s->last, "%.*s", (int)data.len, (const char *)data.ptr);
  if (s->echoes && floe_uv_ice_agent_send(s->agent, data, 0) != FLOE_OK) s->state = FLOE_ICE_CONNECTION_FAILED;
}

static const char *const only_loopback[] = {"lo"};

static floe_ice_config plain_config(void) {
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.include_loopback = true;
  cfg.interfaces = only_loopback;
  cfg.n_interfaces = 1;
  cfg.no_ipv6 = true;
  cfg.no_tcp = true;
  return cfg;
}

static floe_status listen_to(side *s) {
  floe_status st = floe_uv_ice_agent_on_icegatheringstatechange(s->agent, on_gathering, s);
  if (st == FLOE_OK) st = floe_uv_ice_agent_on_iceconnectionstatechange(s->agent, on_connection, s);
  if (st == FLOE_OK) st = floe_uv_ice_agent_on_selectedcandidatepairchange(s->agent, on_pair, s);
  floe_uv_ice_agent_on_data(s->agent, on_data, s);
  return st;
}

static floe_uv_ice_mux *make_mux(void) {
  floe_uv_ice_mux *mux;
  assert_int_equal(floe_uv_ice_mux_new(&mux, w.uv, NULL, NULL), FLOE_OK);
  return mux;
}

static void make_client(size_t i, const floe_ice_config *cfg) {
  assert_int_equal(floe_uv_ice_agent_new(&w.clients[i].agent, w.uv, cfg, NULL), FLOE_OK);
  assert_int_equal(listen_to(&w.clients[i]), FLOE_OK);
}

static void make_on(side *s, floe_uv_ice_mux *mux, const floe_ice_config *cfg) {
  assert_int_equal(floe_uv_ice_agent_new_on_mux(&s->agent, mux, cfg, NULL), FLOE_OK);
  assert_int_equal(listen_to(s), FLOE_OK);
  s->echoes = true;
}

/* Clients with sockets of their own, and as many agents on one port. */
static void make_pairs(size_t n) {
  floe_ice_config cfg = plain_config();
  w.mux = make_mux();
  w.n = n;
  for (size_t i = 0; i < n; i++) {
    make_client(i, &cfg);
    make_on(&w.servers[i], w.mux, &cfg);
  }
}

/* ---- steps ---- */

static bool all_are_complete(void) {
  for (size_t i = 0; i < w.n; i++) {
    if (!w.clients[i].is_complete || !w.servers[i].is_complete) return false;
  }
  return true;
}

static bool is_up(const side *s) {
  return s->state == FLOE_ICE_CONNECTION_CONNECTED || s->state == FLOE_ICE_CONNECTION_COMPLETED;
}

static bool all_are_up(void) {
  for (size_t i = 0; i < w.n; i++) {
    if (!is_up(&w.clients[i]) || !is_up(&w.servers[i])) return false;
  }
  return true;
}

static void tell(const side *to, const side *from) {
  static char text[MAX_TEXT];
  assert_true(floe_uv_ice_agent_local_description(from->agent, text, sizeof text) < sizeof text);
  assert_int_equal(floe_uv_ice_agent_set_remote_description(to->agent, text, NULL), FLOE_OK);
}

static void gather_all(void) {
  for (size_t i = 0; i < w.n; i++) {
    w.clients[i].is_complete = w.servers[i].is_complete = false;
    assert_int_equal(floe_uv_ice_agent_gather(w.clients[i].agent), FLOE_OK);
    assert_int_equal(floe_uv_ice_agent_gather(w.servers[i].agent), FLOE_OK);
  }
  run_until(all_are_complete);
}

static void exchange_all(void) {
  for (size_t i = 0; i < w.n; i++) {
    tell(&w.clients[i], &w.servers[i]);
    tell(&w.servers[i], &w.clients[i]);
  }
}

static size_t wanted; /* of each client */

static bool all_were_echoed(void) {
  for (size_t i = 0; i < w.n; i++) {
    if (w.clients[i].n_data < wanted) return false;
  }
  return true;
}

/* Each client says something of its own and hears it again. */
static void all_talk(void) {
  char text[64];
  wanted = w.clients[0].n_data + 1;
  for (size_t i = 0; i < w.n; i++) {
    int len = snprintf(text, sizeof text, "client %zu, %zu", i, wanted);
    floe_bytes data = {.ptr = (const uint8_t *)text, .len = (size_t)len};
    assert_int_equal(floe_uv_ice_agent_send(w.clients[i].agent, data, 0), FLOE_OK);
  }
  run_until(all_were_echoed);
  for (size_t i = 0; i < w.n; i++) {
    (void)snprintf(text, sizeof text, "client %zu, %zu", i, wanted);
    assert_string_equal(w.clients[i].last, text);
    assert_int_equal(w.clients[i].n_data, wanted);
  }
}

static size_t descriptors(void) {
  DIR *dir = opendir("/proc/self/fd");
  size_t n = 0;
  assert_non_null(dir);
  while (readdir(dir) != NULL) n++;
  closedir(dir);
  return n;
}

/* The port that an agent says it is at. */
static uint16_t port_of(const side *s) {
  const floe_ice_candidate *const *all;
  size_t n = floe_ice_agent_local_candidates(floe_uv_ice_agent_core(s->agent), &all);
  return n == 0 ? 0 : all[0]->address.port;
}

/* ---- peers that are known ---- */

static void many_peers_on_one_port(void **state) {
  (void)state;
  size_t before = descriptors();
  make_pairs(MAX_PEERS);
  gather_all();
  assert_int_equal(descriptors(), before + MAX_PEERS + 1);
  for (size_t i = 0; i < w.n; i++) {
    assert_int_equal(port_of(&w.servers[i]), floe_uv_ice_mux_port(w.mux));
    assert_int_equal(strlen(floe_uv_ice_agent_local_parameters(w.servers[i].agent)->ufrag), 12);
    assert_int_equal(strlen(floe_uv_ice_agent_local_parameters(w.clients[i].agent)->ufrag), 4);
  }
  exchange_all();
  run_until(all_are_up);
  all_talk();
  all_talk();
  for (size_t i = 0; i < w.n; i++) assert_int_equal(w.servers[i].n_data, 2);
}

static void closing_one_disturbs_no_other(void **state) {
  (void)state;
  make_pairs(4);
  gather_all();
  exchange_all();
  run_until(all_are_up);
  floe_uv_ice_agent_close(w.servers[3].agent, NULL, NULL);
  w.n = 3;
  all_talk();
  assert_int_equal(floe_uv_ice_mux_agents(w.mux), 3);
}

/* Both sides share a port: all pairs have the same two addresses. */
static void both_sides_on_one_port_each(void **state) {
  (void)state;
  floe_ice_config cfg = plain_config();
  w.n = 16;
  w.mux = make_mux();
  floe_uv_ice_mux *other = make_mux();
  for (size_t i = 0; i < w.n; i++) {
    make_on(&w.servers[i], w.mux, &cfg);
    make_on(&w.clients[i], other, &cfg);
  }
  gather_all();
  exchange_all();
  run_until(all_are_up);
}

static bool all_have_changed(void) {
  for (size_t i = 0; i < w.n; i++) {
    if (w.clients[i].n_pair_changes == 0 || w.servers[i].n_pair_changes == 0) return false;
  }
  return true;
}

static void a_restart_on_a_shared_port(void **state) {
  (void)state;
  make_pairs(3);
  gather_all();
  exchange_all();
  run_until(all_are_up);
  all_talk();
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < w.n; i++) {
      assert_int_equal(floe_uv_ice_agent_restart(w.clients[i].agent), FLOE_OK);
      assert_int_equal(floe_uv_ice_agent_restart(w.servers[i].agent), FLOE_OK);
      w.clients[i].n_pair_changes = w.servers[i].n_pair_changes = 0;
    }
    all_talk(); /* over the pairs of before */
    gather_all();
    all_talk();
    exchange_all();
    run_until(all_have_changed);
    all_talk();
    for (size_t i = 0; i < w.n; i++) {
      const char *theirs = floe_uv_ice_agent_local_parameters(w.servers[i].agent)->ufrag;
      assert_string_equal(floe_uv_ice_agent_remote_parameters(w.clients[i].agent)->ufrag, theirs);
    }
  }
}

static bool second_is_complete(void) {
  return w.clients[1].is_complete && w.servers[1].is_complete;
}

static bool second_has_data(void) {
  return w.clients[1].n_data > 0;
}

static bool second_is_up(void) {
  return is_up(&w.clients[1]) && is_up(&w.servers[1]);
}

/* A browser is reloaded: its new agent is where the old one was, whose peer here has not noticed yet. */
static void a_new_peer_at_an_old_address(void **state) {
  (void)state;
  floe_ice_config cfg = plain_config();
  make_pairs(1);
  gather_all();
  exchange_all();
  run_until(all_are_up);
  all_talk();
  uint16_t port = port_of(&w.clients[0]);
  floe_uv_ice_agent_close(w.clients[0].agent, NULL, NULL);
  for (int i = 0; i < 10; i++) (void)uv_run(&w.loop, UV_RUN_NOWAIT);
  make_on(&w.servers[1], w.mux, &cfg);
  cfg.port_min = cfg.port_max = port;
  make_client(1, &cfg);
  assert_int_equal(floe_uv_ice_agent_gather(w.clients[1].agent), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_gather(w.servers[1].agent), FLOE_OK);
  run_until(second_is_complete);
  assert_int_equal(port_of(&w.clients[1]), port);
  tell(&w.clients[1], &w.servers[1]);
  tell(&w.servers[1], &w.clients[1]);
  run_until(second_is_up);
  size_t old = w.servers[0].n_data;
  assert_int_equal(floe_uv_ice_agent_send(w.clients[1].agent, (floe_bytes){(const uint8_t *)"new", 3}, 0), FLOE_OK);
  run_until(second_has_data);
  assert_string_equal(w.clients[1].last, "new");
  assert_int_equal(w.servers[0].n_data, old);
}

/* ---- strangers ---- */

#define SECRET "PasswordOfTheServerFor"

static void password_for(char out[300], const char *ufrag) {
  (void)snprintf(out, 300, SECRET "%s", ufrag);
}

static void on_unknown(floe_uv_ice_mux *mux, const floe_uv_ice_mux_request *request, void *user) {
  char pwd[300];
  (void)user;
  password_for(pwd, request->local_ufrag);
  if (w.n_accepted == MAX_PEERS || !floe_ice_mux_check_is_signed(request->check, pwd)) {
    w.n_refused++;
    return;
  }
  floe_ice_config cfg = plain_config();
  cfg.local_ufrag = request->local_ufrag;
  cfg.local_pwd = pwd;
  cfg.lite = w.is_lite;
  side *s = &w.servers[w.n_accepted];
  floe_ice_parameters theirs = {.ufrag = request->remote_ufrag, .pwd = pwd};
  if (floe_uv_ice_agent_new_on_mux(&s->agent, mux, &cfg, NULL) != FLOE_OK) return;
  w.n_accepted++;
  s->echoes = true;
  if (listen_to(s) != FLOE_OK) return;
  if (floe_uv_ice_agent_set_remote_parameters(s->agent, &theirs, NULL) != FLOE_OK) return;
  if (floe_uv_ice_agent_gather(s->agent) != FLOE_OK) return;
}

static void open_door(void) {
  floe_uv_ice_mux_config cfg;
  floe_addr loopback;
  assert_true(floe_addr_parse(&loopback, "127.0.0.1"));
  floe_uv_ice_mux_config_init(&cfg, sizeof cfg);
  cfg.addresses = &loopback;
  cfg.n_addresses = 1;
  cfg.on_unknown_ufrag = on_unknown;
  assert_int_equal(floe_uv_ice_mux_new(&w.mux, w.uv, &cfg, NULL), FLOE_OK);
}

/* A client that knows the server's address, and how it makes passwords of ufrags. */
static void knock(size_t i, const char *secret) {
  char ufrag[16];
  char pwd[300];
  char line[100];
  floe_ice_config cfg = plain_config();
  (void)snprintf(ufrag, sizeof ufrag, "guest%zu", i);
  (void)snprintf(pwd, sizeof pwd, "%s%s", secret, ufrag);
  (void)snprintf(line, sizeof line, "candidate:1 1 UDP 2130706431 127.0.0.1 %u typ host", floe_uv_ice_mux_port(w.mux));
  cfg.local_ufrag = ufrag;
  cfg.local_pwd = pwd;
  make_client(i, &cfg);
  floe_ice_parameters theirs = {.ufrag = ufrag, .pwd = pwd, .lite = w.is_lite};
  assert_int_equal(floe_uv_ice_agent_set_role(w.clients[i].agent, FLOE_ICE_ROLE_CONTROLLING), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_gather(w.clients[i].agent), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_set_remote_parameters(w.clients[i].agent, &theirs, NULL), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_add_remote_candidate(w.clients[i].agent, line, NULL), FLOE_OK);
  floe_uv_ice_agent_end_of_remote_candidates(w.clients[i].agent);
}

static void strangers_come(size_t n) {
  open_door();
  for (size_t i = 0; i < n; i++) knock(i, SECRET);
  w.n = n;
  run_until(all_are_up);
  assert_int_equal(w.n_accepted, n);
  assert_int_equal(floe_uv_ice_mux_agents(w.mux), n);
  all_talk();
}

static void strangers_that_know_the_secret(void **state) {
  (void)state;
  uint64_t start = uv_hrtime();
  strangers_come(1);
  /* The check that made it known was not lost: nothing waited for the next transmission, half a second later. */
  assert_true(uv_hrtime() - start < 400 * FLOE_MS);
}

static void many_strangers(void **state) {
  (void)state;
  strangers_come(MAX_PEERS);
}

static void a_lite_server(void **state) {
  (void)state;
  w.is_lite = true;
  strangers_come(MAX_PEERS);
}

static bool some_were_refused(void) {
  return w.n_refused >= 3;
}

static void strangers_that_do_not(void **state) {
  (void)state;
  open_door();
  knock(0, "PasswordOfAnotherOneFor");
  run_until(some_were_refused);
  assert_int_equal(w.n_accepted, 0);
  assert_int_equal(floe_uv_ice_mux_agents(w.mux), 0);
}

/* ---- servers ---- */

static void on_server_closed(void *user) {
  (void)user;
  w.server = NULL;
}

static bool server_is_closed(void) {
  return w.server == NULL;
}

/* All ask one STUN server from one port, and have allocations of their own beside. */
static void agents_with_the_same_servers(void **state) {
  (void)state;
  floe_env *env;
  floe_addr at, bound;
  char stun[64], turn[64];
  const char *const urls[] = {stun, turn};
  assert_true(floe_addr_parse(&at, "127.0.0.1"));
  floe__ts_config ts_cfg = {.username = "user", .credential = "secret", .relay_ipv4 = at};
  assert_int_equal(floe_env_new(&env, NULL), FLOE_OK);
  assert_int_equal(floe__testserver_uv_new(&w.server, &w.loop, env, &ts_cfg), 0);
  assert_int_equal(floe__testserver_uv_listen(w.server, FLOE_TRANSPORT_UDP, &at, NULL, &bound), 0);
  (void)snprintf(stun, sizeof stun, "stun:127.0.0.1:%u", bound.port);
  (void)snprintf(turn, sizeof turn, "turn:127.0.0.1:%u?transport=udp", bound.port);
  floe_ice_config cfg = plain_config();
  floe_ice_server server = {.urls = urls, .n_urls = 2, .username = "user", .credential = "secret"};
  cfg.ice_servers = &server;
  cfg.n_ice_servers = 1;
  w.mux = make_mux();
  w.n = 20;
  floe_ice_config plain = plain_config();
  for (size_t i = 0; i < w.n; i++) {
    make_on(&w.servers[i], w.mux, &cfg);
    make_client(i, &plain);
  }
  gather_all();
  for (size_t i = 0; i < w.n; i++) {
    floe_ice_agent *core = floe_uv_ice_agent_core(w.servers[i].agent);
    const floe_report *report = floe_ice_agent_report(core);
    assert_int_equal(report->verdict, FLOE_VERDICT_OK);
    for (size_t k = 0; k < report->n_servers; k++) {
      assert_int_equal(report->servers[k].n_attempts, 1);
      assert_int_equal(report->servers[k].attempts[0]->discarded, 0);
    }
    /* On loopback the STUN server says the same as the host candidate has, from the shared port. */
    const floe_attempt_report *binding = report->servers[0].attempts[0];
    assert_int_equal(binding->mapped.port, floe_uv_ice_mux_port(w.mux));
    /* An allocation is one per 5-tuple: it cannot be made from the shared port. */
    const floe_attempt_report *relay = report->servers[1].attempts[0];
    assert_int_not_equal(relay->mapped.port, floe_uv_ice_mux_port(w.mux));
    assert_int_not_equal(relay->relayed.port, 0);
  }
  exchange_all();
  run_until(all_are_up);
  all_talk();
  floe__testserver_uv_close(w.server, on_server_closed, NULL);
  run_until(server_is_closed);
  floe_env_free(env);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(many_peers_on_one_port),
      TEST(closing_one_disturbs_no_other),
      TEST(both_sides_on_one_port_each),
      TEST(a_restart_on_a_shared_port),
      TEST(a_new_peer_at_an_old_address),
      TEST(strangers_that_know_the_secret),
      TEST(many_strangers),
      TEST(a_lite_server),
      TEST(strangers_that_do_not),
      TEST(agents_with_the_same_servers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
