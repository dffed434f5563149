/* Checks for agents that are not there, or not ready, on a shared UDP port; and what happens without memory. */
#include "driver_parts/mux_rig.h"

/* ---- strangers ---- */

typedef struct door {
  fixture *f;
  floe_uv_ice_mux *mux;
  size_t calls;
  char local[300], remote[300];
  floe_addr from;
  size_t check_len;
  bool accepts, closes_mux, closes_driver;
  floe_uv_ice_agent *agent;
} door;

static void on_unknown(floe_uv_ice_mux *mux, const floe_uv_ice_mux_request *request, void *user) {
  door *d = user;
  d->calls++;
  assert_ptr_equal(mux, d->mux);
  (void)snprintf(d->local, sizeof d->local, "%s", request->local_ufrag);
  (void)snprintf(d->remote, sizeof d->remote, "%s", request->remote_ufrag);
  d->from = *request->from;
  d->check_len = request->check.len;
  if (d->accepts) {
    d->agent = agent_on(mux, d->local);
    fake_open_on_mux(fake_of(d->agent), 5, "127.0.0.1");
    poke(d->agent);
  }
  if (d->closes_mux) floe_uv_ice_mux_close(mux);
  if (d->closes_driver) floe_uv_close(d->f->uv);
}

/* On loopback. */
static uint16_t open_door(fixture *f, door *d) {
  floe_uv_ice_mux_config cfg;
  floe_addr loopback;
  assert_true(floe_addr_parse(&loopback, "127.0.0.1"));
  floe_uv_ice_mux_config_init(&cfg, sizeof cfg);
  cfg.addresses = &loopback;
  cfg.n_addresses = 1;
  cfg.on_unknown_ufrag = on_unknown;
  cfg.user = d;
  d->f = f;
  assert_int_equal(floe_uv_ice_mux_new(&d->mux, f->uv, &cfg, NULL), FLOE_OK);
  return floe_uv_ice_mux_port(d->mux);
}

static bool was_called(void *user) {
  return ((door *)user)->calls > 0;
}

static void a_stranger_that_is_accepted(void **state) {
  fixture *f = *state;
  door d = {.accepts = true};
  uint16_t port = open_door(f, &d);
  peer p = peer_open();
  floe_bytes data = check("guest1:peer1");
  peer_send(&p, port, data);
  peer_send(&p, port, data); /* another transmission */
  fake_run(&f->loop, was_called, &d);
  assert_string_equal(d.local, "guest1");
  assert_string_equal(d.remote, "peer1");
  assert_true(floe_addr_equal(&d.from, &p.addr));
  assert_int_equal(d.check_len, data.len);
  /* The check that made it known is not lost. */
  const fake_input *got = await(f, d.agent, FLOE_INPUT_DATAGRAM, 5, 1);
  assert_true(floe_addr_equal(&got->in.addr, &p.addr));
  assert_int_equal(got->in.data.len, data.len);
  (void)await(f, d.agent, FLOE_INPUT_DATAGRAM, 5, 2);
  const fake_input *opened = fake_find(fake_of(d.agent), FLOE_INPUT_SOCKET_OPENED, 5, 0);
  assert_true(opened < fake_find(fake_of(d.agent), FLOE_INPUT_DATAGRAM, 5, 0));
  peer_send(&p, port, data);
  (void)await(f, d.agent, FLOE_INPUT_DATAGRAM, 5, 3);
  assert_int_equal(d.calls, 1);
  close(p.fd);
}

static bool was_called_thrice(void *user) {
  return ((door *)user)->calls >= 3;
}

static void a_stranger_that_is_not_accepted(void **state) {
  fixture *f = *state;
  door d = {0};
  uint16_t port = open_door(f, &d);
  peer p = peer_open();
  for (int i = 0; i < 3; i++) peer_send(&p, port, check("guest1:peer1"));
  fake_run(&f->loop, was_called_thrice, &d);
  turn(f);
  assert_int_equal(d.calls, 3);
  assert_int_equal(floe_uv_ice_mux_agents(d.mux), 0);
  close(p.fd);
}

static void the_program_is_not_asked_about_garbage(void **state) {
  fixture *f = *state;
  door d = {0};
  uint16_t port = open_door(f, &d);
  static const char *const names[] = {"abc:peer1", "guest1:abc", "guest1:",      ":peer1",
                                      "guest1",    "gue t1:pe",  "guest1:pe:er", "gu\xc3\xa9st:peer1"};
  peer p = peer_open();
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) peer_send(&p, port, check(names[i]));
  peer_send(&p, port, hello);
  peer_send(&p, port, message(FLOE__STUN_SUCCESS, "x", NULL));
  peer_send(&p, port, check("last1:peer1"));
  fake_run(&f->loop, was_called, &d);
  assert_string_equal(d.local, "last1");
  assert_int_equal(d.calls, 1);
  close(p.fd);
}

static void a_flood_of_strangers_is_bounded(void **state) {
  fixture *f = *state;
  door d = {0};
  uint16_t port = open_door(f, &d);
  peer p = peer_open();
  for (int i = 0; i < 150; i++) peer_send(&p, port, check("guest1:peer1"));
  fake_run(&f->loop, was_called, &d);
  assert_true(d.calls <= 64);
  turn(f);
  assert_int_equal(d.mux->n_strangers, 0);
  close(p.fd);
}

static void a_stranger_is_why_the_multiplexer_closes(void **state) {
  fixture *f = *state;
  door d = {.closes_mux = true, .accepts = true};
  uint16_t port = open_door(f, &d);
  peer p = peer_open();
  for (int i = 0; i < 5; i++) peer_send(&p, port, check("guest1:peer1"));
  size_t before = descriptors();
  fake_run(&f->loop, was_called, &d);
  turn(f);
  assert_int_equal(d.calls, 1);
  assert_int_equal(descriptors(), before - 1);
  assert_null(f->uv->muxes);
  close(p.fd);
}

static void a_stranger_is_why_the_driver_closes(void **state) {
  (void)state;
  for (int i = 0; i < 4; i++) {
    fixture f;
    begin(&f);
    door d = {.closes_driver = true, .accepts = i % 2 == 0, .closes_mux = i / 2 == 0};
    uint16_t port = open_door(&f, &d);
    peer p = peer_open();
    peer_send(&p, port, check("guest1:peer1"));
    peer_send(&p, port, check("guest2:peer2"));
    assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(d.calls, 1);
    assert_int_equal(uv_loop_close(&f.loop), 0);
    assert_int_equal(fake_alive(), 0);
    close(p.fd);
  }
}

static void strangers_that_wait_when_it_is_closed(void **state) {
  fixture *f = *state;
  door d = {0};
  uint16_t port = open_door(f, &d);
  peer p = peer_open();
  peer_send(&p, port, check("guest1:peer1"));
  floe_input in = {.type = FLOE_INPUT_DATAGRAM, .addr = p.addr, .data = check("guest1:peer1")};
  floe__uv_mux_tell(d.mux->socks[0]->sock, &in);
  assert_int_equal(d.mux->n_strangers, 1);
  floe_uv_ice_mux_close(d.mux);
  turn(f);
  assert_int_equal(d.calls, 0);
  close(p.fd);
}

static void all_addresses_of_the_host(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux_config cfg;
  floe_uv_ice_mux *mux = NULL;
  door d = {0};
  floe_uv_ice_mux_config_init(&cfg, sizeof cfg);
  cfg.on_unknown_ufrag = on_unknown;
  cfg.user = &d;
  assert_int_equal(floe_uv_ice_mux_new(&mux, f->uv, &cfg, NULL), FLOE_OK);
  d.mux = mux;
  assert_true(mux->n_socks >= 1);
  peer p = peer_open();
  peer_send(&p, floe_uv_ice_mux_port(mux), check("guest1:peer1"));
  fake_run(&f->loop, was_called, &d);
  assert_string_equal(d.local, "guest1");
  close(p.fd);
}

/* Checks for an agent that has not asked for its sockets yet. */
static void early_checks_are_kept(void **state) {
  fixture *f = *state;
  door d = {0};
  uint16_t port = open_door(f, &d);
  floe_uv_ice_agent *a = agent_on(d.mux, "early");
  peer p = peer_open();
  for (int i = 0; i < 12; i++) peer_send(&p, port, check("early:peer"));
  turn(f);
  assert_int_equal(a->place->n_early, 8);
  (void)share(f, a, 3);
  assert_int_equal(fake_count(fake_of(a), FLOE_INPUT_DATAGRAM, 3), 8);
  peer_send(&p, port, check("early:peer"));
  (void)await(f, a, FLOE_INPUT_DATAGRAM, 3, 9);
  assert_int_equal(a->place->n_early, 0);
  assert_int_equal(d.calls, 0);
  /* They go with the agent. */
  floe_uv_ice_agent *b = agent_on(d.mux, "never");
  peer_send(&p, port, check("never:peer"));
  turn(f);
  assert_int_equal(b->place->n_early, 1);
  close(p.fd);
}

/* ---- no memory, an own loop ---- */

static size_t fail_in; /* so many calls for memory from now one fails; 0 = none */

static void *fail_once(void *user, void *ptr, size_t size) {
  (void)user;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  if (fail_in > 0 && --fail_in == 0) return NULL;
  return realloc(ptr, size);
}

static void try_agent(floe_uv_ice_mux *mux, const char *ufrag, const floe_addr *to) {
  floe_ice_config cfg;
  floe_uv_ice_agent *agent = NULL;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.local_ufrag = ufrag;
  floe_status st = floe_uv_ice_agent_new_on_mux(&agent, mux, &cfg, NULL);
  assert_true(agent != NULL ? st == FLOE_OK : st == FLOE_E_NOMEM);
  if (agent == NULL) return;
  fake_open_on_mux(fake_of(agent), 1, "127.0.0.1");
  fake_open_on_mux(fake_of(agent), 2, "127.0.0.2");
  fake_transmit(fake_of(agent), 1, to, "data", 4);
  poke(agent);
}

/* Strangers, early checks, agents that open sockets and send: whatever fails, the rest goes on. */
static void live_a_little(fixture *f) {
  floe_uv_ice_mux_config cfg;
  floe_addr loopback;
  door d = {.f = f};
  peer p = peer_open();
  assert_true(floe_addr_parse(&loopback, "127.0.0.1"));
  floe_uv_ice_mux_config_init(&cfg, sizeof cfg);
  cfg.addresses = &loopback;
  cfg.n_addresses = 1;
  cfg.on_unknown_ufrag = on_unknown;
  cfg.user = &d;
  floe_status st = floe_uv_ice_mux_new(&d.mux, f->uv, &cfg, NULL);
  assert_true(st == FLOE_OK || st == FLOE_E_NOMEM);
  if (st == FLOE_OK) {
    peer_send(&p, floe_uv_ice_mux_port(d.mux), check("guest1:peer1"));
    try_agent(d.mux, "aaaa", &p.addr);
    turn(f);
    peer_send(&p, floe_uv_ice_mux_port(d.mux), check("bbbb:peer1"));
    turn(f);
    try_agent(d.mux, "bbbb", &p.addr);
    peer_send(&p, floe_uv_ice_mux_port(d.mux), check("aaaa:peer1"));
    turn(f);
    floe_uv_ice_mux_close(d.mux);
  }
  close(p.fd);
}

static void memory_runs_out(void **state) {
  (void)state;
  size_t n = 0;
  do {
    fixture f = {0};
    floe_env_config env;
    floe_uv_config cfg;
    floe_env_config_init(&env, sizeof env);
    floe_uv_config_init(&cfg, sizeof cfg);
    env.reallocate = fail_once;
    cfg.env = &env;
    cfg.no_network_monitor = true;
    fail_in = 0;
    fixture_init(&f, &cfg);
    fail_in = ++n;
    live_a_little(&f);
    fixture_clear(&f);
  } while (fail_in == 0);
  assert_true(n > 20);
}

static void a_driver_with_a_loop_of_its_own(void **state) {
  (void)state;
  floe_uv *uv;
  assert_int_equal(floe_uv_new(&uv, NULL, NULL, NULL), FLOE_OK);
  fixture f = {.uv = uv};
  door d = {0};
  uint16_t port = open_door(&f, &d);
  peer p = peer_open();
  for (int i = 0; i < 1000 && d.calls == 0; i++) {
    (void)floe_uv_dispatch(uv); /* the first one also tells the system what to watch */
    if (i == 0) peer_send(&p, port, check("guest1:peer1"));
    struct pollfd ready = {.fd = floe_uv_backend_fd(uv), .events = POLLIN};
    if (d.calls == 0) (void)poll(&ready, 1, 10);
  }
  assert_int_equal(d.calls, 1);
  floe_uv_close(uv);
  close(p.fd);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_unmonitored, teardown)
  const struct CMUnitTest tests[] = {
      TEST(a_stranger_that_is_accepted),
      TEST(a_stranger_that_is_not_accepted),
      TEST(the_program_is_not_asked_about_garbage),
      TEST(a_flood_of_strangers_is_bounded),
      TEST(a_stranger_is_why_the_multiplexer_closes),
      cmocka_unit_test(a_stranger_is_why_the_driver_closes),
      TEST(strangers_that_wait_when_it_is_closed),
      TEST(all_addresses_of_the_host),
      TEST(early_checks_are_kept),
      cmocka_unit_test(memory_runs_out),
      cmocka_unit_test(a_driver_with_a_loop_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
