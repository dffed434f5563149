/* Real peer connections that share a port. */
#include "driver/pc_rig.h"

#define PAIRS 8

static end clients[PAIRS], servers[PAIRS];

static bool all_are_open(world *w) {
  (void)w;
  size_t n = 0;
  for (size_t i = 0; i < PAIRS; i++) n += clients[i].n_opened > 0 && servers[i].n_opened > 0;
  return n == PAIRS;
}

static bool all_are_complete(world *w) {
  (void)w;
  size_t n = 0;
  for (size_t i = 0; i < PAIRS; i++) n += end_is_complete(&clients[i]) && end_is_complete(&servers[i]);
  return n == PAIRS;
}

static bool all_have_answers(world *w) {
  (void)w;
  size_t n = 0;
  for (size_t i = 0; i < PAIRS; i++) n += clients[i].n_messages == 2;
  return n == PAIRS;
}

static void make_server(end *e, end *peer, floe_uv_ice_mux *mux) {
  floe_ice_config ice = loopback_config();
  floe_pc_config cfg;
  floe_pc_config_init(&cfg, sizeof cfg);
  cfg.ice = &ice;
  memset(e, 0, sizeof *e);
  e->peer = peer;
  e->on_channel = echo_on;
  assert_int_equal(floe_uv_pc_new_on_mux(&e->pc, mux, &cfg, NULL), FLOE_OK);
  end_listen(e);
}

static void answer_all(world *w) {
  for (size_t i = 0; i < PAIRS; i++) {
    assert_int_equal(floe_uv_pc_set_local_description(clients[i].pc, NULL, NULL), FLOE_OK);
    end_tell(&clients[i], &servers[i]);
    assert_int_equal(floe_uv_pc_set_local_description(servers[i].pc, NULL, NULL), FLOE_OK);
  }
  world_run(w, all_are_complete);
  for (size_t i = 0; i < PAIRS; i++) {
    floe_ice_candidate_init none = {.candidate = "", .sdp_mid = "0"};
    end_tell(&servers[i], &clients[i]);
    assert_int_equal(floe_uv_pc_add_ice_candidate(servers[i].pc, &none, NULL), FLOE_OK);
  }
}

static void assert_on_port(const end *e, uint16_t port) {
  const floe_ice_transport *ice = floe_pc_ice_transport(floe_uv_pc_core(e->pc));
  assert_non_null(ice->selected_local);
  assert_int_equal(ice->selected_local->address.port, port);
}

static void many_connections_share_a_port(void **state) {
  world *w = *state;
  floe_uv_ice_mux_config cfg;
  floe_uv_ice_mux *mux = NULL;
  floe_uv_ice_mux_config_init(&cfg, sizeof cfg);
  assert_int_equal(floe_uv_ice_mux_new(&mux, w->uv, &cfg, NULL), FLOE_OK);
  make_pattern();
  for (size_t i = 0; i < PAIRS; i++) {
    end_make(&clients[i], &servers[i], w->uv, NULL);
    make_server(&servers[i], &clients[i], mux);
    end_channel(&clients[i], "channel", NULL);
  }
  assert_int_equal(floe_uv_ice_mux_agents(mux), PAIRS);
  answer_all(w);
  world_run(w, all_are_open);
  for (size_t i = 0; i < PAIRS; i++) {
    assert_on_port(&servers[i], floe_uv_ice_mux_port(mux));
    assert_int_equal(floe_uv_data_channel_send(clients[i].channel, message(i, 1000 * i)), FLOE_OK);
  }
  world_run(w, all_have_answers);
  for (size_t i = 0; i < PAIRS; i++) {
    uint64_t digest = digest_on(0, message(i, 1000 * i));
    uint64_t expected = digest_on(digest, (floe_bytes){.ptr = (const uint8_t *)&digest, .len = sizeof digest});
    assert_true(clients[i].digest == expected);
  }
  /* A restart has another ufrag, which the multiplexer must know. */
  floe_offer_options restart = {.ice_restart = true};
  const char *sdp = NULL;
  assert_int_equal(floe_uv_pc_create_offer(servers[3].pc, &restart, &sdp, NULL), FLOE_OK);
  assert_int_equal(floe_uv_pc_set_local_description(
                       servers[3].pc, &(floe_session_description){.type = FLOE_SDP_OFFER, .sdp = sdp}, NULL),
                   FLOE_OK);
  world_run(w, all_are_complete);
  end_tell(&servers[3], &clients[3]);
  assert_int_equal(floe_uv_pc_set_local_description(clients[3].pc, NULL, NULL), FLOE_OK);
  world_run(w, all_are_complete);
  end_tell(&clients[3], &servers[3]);
  clients[3].n_messages = 0;
  assert_int_equal(floe_uv_data_channel_send(clients[3].channel, message(3, 3000)), FLOE_OK);
  world_run(w, all_have_answers);
  for (size_t i = 0; i < PAIRS; i++) end_close(&servers[i]);
  pass_loops(w, 20);
  assert_int_equal(floe_uv_ice_mux_agents(mux), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(many_connections_share_a_port, world_set_up, world_tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
