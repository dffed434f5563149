/* A loop, a driver on it, and one agent on a scripted core. */
#ifndef TESTS_DRIVER_PARTS_FIXTURE_H
#define TESTS_DRIVER_PARTS_FIXTURE_H

#include <string.h>

#include "driver_parts/fake_ice.h"
#include "support/cmocka.h"

typedef struct fixture {
  uv_loop_t loop;
  floe_uv *uv;
  floe_uv_ice_agent *agent;
  fake_core *core;
} fixture;

static inline floe_uv_ice_agent *fixture_agent(floe_uv *uv) {
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  floe_uv_ice_agent *agent = NULL;
  assert_int_equal(floe_uv_ice_agent_new(&agent, uv, &cfg, NULL), FLOE_OK);
  return agent;
}

static inline void fixture_init(fixture *f, const floe_uv_config *cfg) {
  memset(f, 0, sizeof *f);
  assert_int_equal(uv_loop_init(&f->loop), 0);
  assert_int_equal(floe_uv_new(&f->uv, &f->loop, cfg, NULL), FLOE_OK);
  f->agent = fixture_agent(f->uv);
  f->core = fake_of(f->agent);
}

/* Whatever the test left open is closed by the driver; libuv must then have nothing left. */
static inline void fixture_clear(fixture *f) {
  floe_uv_close(f->uv);
  assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(uv_loop_close(&f->loop), 0);
  assert_int_equal(fake_alive(), 0);
}

/* Makes the driver take what was pushed. */
static inline void fixture_poke(fixture *f) {
  assert_int_equal(floe_uv_ice_agent_gather(f->agent), FLOE_OK);
}

static inline const fake_input *fixture_await(fixture *f, floe_input_type type, uint32_t id, size_t count) {
  fixture_poke(f);
  return fake_await(f->agent, &f->loop, type, id, count);
}

/* Opens a UDP socket and returns its address. */
static inline floe_addr fixture_udp(fixture *f, floe_sock_id sock, const char *local) {
  fake_open(f->core, sock, FLOE_TRANSPORT_UDP, local, NULL);
  return fixture_await(f, FLOE_INPUT_SOCKET_OPENED, sock, 1)->in.addr;
}

static inline int setup(void **state) {
  static fixture f;
  fixture_init(&f, NULL);
  *state = &f;
  return 0;
}

static inline int teardown(void **state) {
  fixture_clear(*state);
  return 0;
}

#endif
