/* Peer connections on a multiplexer: the driver's part, with scripted cores. */
#include "driver_parts/fake_pc.h"
#include "driver_parts/mux_rig.h"
#include "uv/pc.h"

static floe_uv_pc *pc_on(floe_uv_ice_mux *mux, const char *ufrag) {
  floe_uv_pc *pc = NULL;
  fake_pc_next_ufrag(ufrag);
  assert_int_equal(floe_uv_pc_new_on_mux(&pc, mux, NULL, NULL), FLOE_OK);
  return pc;
}

static void describe(floe_uv_pc *pc) {
  assert_int_equal(floe_uv_pc_set_local_description(pc, NULL, NULL), FLOE_OK);
}

typedef struct wanted {
  fake_core *core;
  floe_input_type type;
  uint32_t id;
  size_t n;
} wanted;

static bool has_come(void *user) {
  const wanted *w = user;
  return fake_count(w->core, w->type, w->id) >= w->n;
}

static const fake_input *await_input(fixture *f, floe_uv_pc *pc, floe_input_type type, uint32_t id, size_t n) {
  wanted w = {.core = fake_pc_of(pc)->core, .type = type, .id = id, .n = n};
  floe__uv_agent_wake(&pc->agent);
  fake_run(&f->loop, has_come, &w);
  return fake_find(w.core, type, id, n - 1);
}

static floe_addr share_pc(fixture *f, floe_uv_pc *pc, floe_sock_id sock) {
  fake_open_on_mux(fake_pc_of(pc)->core, sock, "127.0.0.1");
  return await_input(f, pc, FLOE_INPUT_SOCKET_OPENED, sock, 1)->in.addr;
}

static void connections_share_a_socket(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_pc *a = pc_on(mux, "aaaa");
  floe_uv_pc *b = pc_on(mux, "bbbb");
  assert_true(fake_pc_of(a)->core->shared_sockets);
  assert_int_equal(floe_uv_ice_mux_agents(mux), 2);
  floe_addr at = share_pc(f, a, 11);
  size_t open = descriptors();
  assert_int_equal(share_pc(f, b, 12).port, at.port);
  assert_int_equal(descriptors(), open);
  peer p = peer_open();
  peer_send(&p, at.port, check("bbbb:peer"));
  const fake_input *got = await_input(f, b, FLOE_INPUT_DATAGRAM, 12, 1);
  assert_true(floe_addr_equal(&got->in.addr, &p.addr));
  assert_int_equal(fake_count(fake_pc_of(a)->core, FLOE_INPUT_DATAGRAM, 0), 0);
  /* And out again. */
  char text[100];
  fake_transmit(fake_pc_of(b)->core, 12, &p.addr, "hello", 5);
  floe__uv_agent_wake(&b->agent);
  assert_int_equal(peer_receive(f, &p, text, sizeof text), at.port);
  assert_string_equal(text, "hello");
  close(p.fd);
}

static void a_new_ufrag_is_known_at_once(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_pc *pc = pc_on(mux, "aaaa");
  describe(pc);
  floe_addr at = share_pc(f, pc, 1);
  fake_pc_of(pc)->core->local.ufrag = "restarted"; /* which a description has brought about */
  describe(pc);
  peer p = peer_open();
  peer_send(&p, at.port, check("restarted:peer"));
  (void)await_input(f, pc, FLOE_INPUT_DATAGRAM, 1, 1);
  peer_send(&p, at.port, check("aaaa:peer"));
  (void)await_input(f, pc, FLOE_INPUT_DATAGRAM, 1, 2);
  assert_int_equal(floe_uv_ice_mux_agents(mux), 1);
  close(p.fd);
}

static void a_connection_leaves_when_it_is_closed(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_pc *pc = pc_on(mux, "aaaa");
  floe_uv_pc *early = pc_on(mux, "bbbb"); /* closed before it is described */
  describe(pc);
  (void)share_pc(f, pc, 1);
  floe_uv_pc_close(pc, NULL, NULL);
  floe_uv_pc_close(early, NULL, NULL);
  turn(f);
  assert_int_equal(floe_uv_ice_mux_agents(mux), 0);
  assert_int_equal(fake_alive(), 1);
}

static void the_multiplexer_may_go_first(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_pc *pc = pc_on(mux, "aaaa");
  describe(pc);
  floe_addr at = share_pc(f, pc, 1);
  floe_uv_ice_mux_close(mux);
  fake_transmit(fake_pc_of(pc)->core, 1, &at, "x", 1);
  (void)await_input(f, pc, FLOE_INPUT_SOCKET_FAILED, 1, 1);
  describe(pc);
  fake_open_on_mux(fake_pc_of(pc)->core, 2, "127.0.0.1");
  (void)await_input(f, pc, FLOE_INPUT_SOCKET_FAILED, 2, 1);
}

static void a_ufrag_that_is_taken_is_refused(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_pc *a = pc_on(mux, "same");
  floe_uv_pc *b = a;
  floe_error why;
  assert_int_equal(floe_uv_pc_new_on_mux(&b, mux, NULL, &why), FLOE_E_STATE);
  assert_int_equal(why.status, FLOE_E_STATE);
  assert_null(b);
  turn(f);
  assert_int_equal(fake_alive(), 2);
  assert_int_equal(floe_uv_ice_mux_agents(mux), 1);
}

/* One that a restart has brought about. */
static void a_new_ufrag_that_is_taken_is_tried_again_when_sockets_are_opened(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_uv_pc *a = pc_on(mux, "aaaa");
  floe_uv_pc *b = pc_on(mux, "bbbb");
  fake_pc_of(b)->core->local.ufrag = "aaaa";
  describe(b);
  floe_uv_pc_close(a, NULL, NULL);
  turn(f);
  floe_addr at = share_pc(f, b, 1);
  peer p = peer_open();
  peer_send(&p, at.port, check("aaaa:peer"));
  (void)await_input(f, b, FLOE_INPUT_DATAGRAM, 1, 1);
  close(p.fd);
}

static void configurations_of_other_sizes(void **state) {
  fixture *f = *state;
  floe_uv_ice_mux *mux = mux_on(f, 0);
  floe_ice_config ice;
  floe_pc_config cfg;
  floe_error why;
  floe_uv_pc *pc = NULL;
  fake_pc_next_ufrag(NULL);
  floe_ice_config_init(&ice, sizeof ice);
  floe_pc_config_init(&cfg, sizeof cfg);
  cfg.ice = &ice;
  ice.include_loopback = true;
  assert_int_equal(floe_uv_pc_new_on_mux(&pc, mux, &cfg, &why), FLOE_OK);
  assert_true(fake_pc_of(pc)->core->shared_sockets);
  assert_true(pc->agent.include_loopback);
  assert_false(ice.shared_sockets); /* the program's own */
  ice.size = 1;
  assert_int_equal(floe_uv_pc_new_on_mux(&pc, mux, &cfg, &why), FLOE_E_TYPE);
  assert_string_equal(why.path, "size");
  assert_null(pc);
  ice.size = sizeof ice;
  cfg.size = 0;
  assert_int_equal(floe_uv_pc_new_on_mux(&pc, mux, &cfg, &why), FLOE_E_TYPE);
  assert_string_equal(why.path, "size");
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_unmonitored, teardown)
  const struct CMUnitTest tests[] = {
      TEST(connections_share_a_socket),
      TEST(a_new_ufrag_is_known_at_once),
      TEST(a_connection_leaves_when_it_is_closed),
      TEST(the_multiplexer_may_go_first),
      TEST(a_ufrag_that_is_taken_is_refused),
      TEST(a_new_ufrag_that_is_taken_is_tried_again_when_sockets_are_opened),
      TEST(configurations_of_other_sizes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
