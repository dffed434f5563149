/* The NAT probe on real sockets of the loopback interface, against the test server with two addresses. */
#include <string.h>
#include <uv.h>

#include "floe/uv.h"
#include "support/cmocka.h"
#include "testserver_uv/testserver_uv.h"

#define DEADLINE_MS 20000

typedef struct rig {
  uv_loop_t loop;
  floe_uv *uv;
  floe__testserver_uv *server;
  uv_timer_t deadline;
  bool too_late;
  floe_nat_config cfg;
  const char *urls[4];
  char texts[4][FLOE_ADDR_TEXT + 8];
  floe_uv_nat_probe *probe;
  unsigned results;
  bool done;
  bool closes_in_callback;
} rig;

static rig r;

static void begin(void) {
  memset(&r, 0, sizeof r);
  floe__ts_config cfg = {.realm = NULL};
  floe_error why;
  assert_int_equal(uv_loop_init(&r.loop), 0);
  assert_int_equal(uv_timer_init(&r.loop, &r.deadline), 0);
  assert_int_equal(floe_uv_new(&r.uv, &r.loop, NULL, &why), FLOE_OK);
  assert_int_equal(floe__testserver_uv_new(&r.server, &r.loop, floe_uv_env(r.uv), &cfg), 0);
  floe_nat_config_init(&r.cfg, sizeof r.cfg);
  r.cfg.urls = r.urls;
}

static void on_server_closed(void *user) {
  *(bool *)user = true;
}

/* The server uses the driver's env, so it goes first. */
static void end(void) {
  bool closed = false;
  floe_uv_nat_probe_close(r.probe);
  floe__testserver_uv_close(r.server, on_server_closed, &closed);
  while (!closed) (void)uv_run(&r.loop, UV_RUN_ONCE);
  floe_uv_close(r.uv);
  uv_close((uv_handle_t *)&r.deadline, NULL);
  assert_int_equal(uv_run(&r.loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(uv_loop_close(&r.loop), 0);
}

static void on_deadline(uv_timer_t *timer) {
  (void)timer;
  r.too_late = true;
}

static void run_until(const bool *flag) {
  r.too_late = false;
  assert_int_equal(uv_timer_start(&r.deadline, on_deadline, DEADLINE_MS, 0), 0);
  while (!*flag && !r.too_late) (void)uv_run(&r.loop, UV_RUN_ONCE);
  (void)uv_timer_stop(&r.deadline);
  assert_false(r.too_late);
}

static void add_url(const floe_addr *addr) {
  char text[FLOE_ADDR_TEXT];
  (void)snprintf(r.texts[r.cfg.n_urls], sizeof r.texts[0], "stun:%s", floe_addr_format(addr, text));
  r.urls[r.cfg.n_urls] = r.texts[r.cfg.n_urls];
  r.cfg.n_urls++;
}

static void listen_square(floe_addr bound[4]) {
  floe_addr primary, alternate;
  assert_true(floe_addr_parse(&primary, "127.0.0.1"));
  assert_true(floe_addr_parse(&alternate, "127.0.0.2"));
  assert_int_equal(floe__testserver_uv_listen_square(r.server, &primary, &alternate, NULL, bound), 0);
}

static void on_result(const floe_nat_result *result, void *user) {
  assert_ptr_equal(user, &r);
  assert_non_null(result);
  assert_ptr_equal(result, floe_uv_nat_probe_result(r.probe));
  r.results++;
  r.done = true;
  if (!r.closes_in_callback) return;
  floe_uv_nat_probe_close(r.probe);
  r.probe = NULL;
  assert_int_equal(result->n_servers, r.cfg.n_urls); /* still there */
}

static void start(void) {
  floe_error why;
  assert_int_equal(floe_uv_nat_probe_new(&r.probe, r.uv, &r.cfg, &why), FLOE_OK);
  assert_null(floe_uv_nat_probe_result(r.probe));
  floe_uv_nat_probe_start(r.probe, on_result, &r);
  assert_null(floe_uv_nat_probe_result(r.probe));
}

static void no_nat_on_loopback(void **state) {
  (void)state;
  floe_addr bound[4];
  begin();
  listen_square(bound);
  add_url(&bound[0]);
  start();
  run_until(&r.done);
  const floe_nat_result *result = floe_uv_nat_probe_result(r.probe);
  assert_int_equal(result->mapping, FLOE_NAT_NONE);
  assert_int_equal(result->mapping_certainty, FLOE_NAT_CERTAIN);
  assert_int_equal(result->filtering, FLOE_NAT_ENDPOINT_INDEPENDENT);
  assert_int_equal(result->filtering_certainty, FLOE_NAT_CERTAIN);
  assert_false(result->has_hairpin);
  assert_true(result->port_preserved && result->same_port_parity);
  assert_true(floe_addr_equal(&result->mapped, &result->local));
  assert_true(floe_addr_is_loopback(&result->local));
  assert_string_equal(result->servers[0].url, r.urls[0]);
  assert_true(floe_addr_equal(&result->servers[0].other, &bound[3]));
  assert_true(result->servers[0].is_examined);
  for (int i = 0; i < 20; i++) (void)uv_run(&r.loop, UV_RUN_NOWAIT);
  assert_int_equal(r.results, 1);
  end();
}

/* What the operating system says of a closed port is heard at once. */
static void a_closed_port(void **state) {
  (void)state;
  floe_addr bound[4];
  begin();
  listen_square(bound);
  floe__testserver_uv_close(r.server, on_server_closed, &r.done);
  run_until(&r.done);
  r.server = NULL;
  r.done = false;
  add_url(&bound[0]);
  start();
  run_until(&r.done);
  const floe_nat_result *result = floe_uv_nat_probe_result(r.probe);
  assert_int_equal(result->mapping, FLOE_NAT_UNKNOWN);
#ifndef FLOE_PORTABLE_OS
  assert_int_equal(result->servers[0].cause, FLOE_CAUSE_PORT_UNREACHABLE);
  assert_true(result->elapsed_ms < 2000);
#endif
  floe__ts_config cfg = {.realm = NULL};
  assert_int_equal(floe__testserver_uv_new(&r.server, &r.loop, floe_uv_env(r.uv), &cfg), 0); /* for end() */
  end();
}

static void names_are_looked_up(void **state) {
  (void)state;
  floe_addr bound[4];
  begin();
  listen_square(bound);
  (void)snprintf(r.texts[0], sizeof r.texts[0], "stun:localhost:%u", (unsigned)bound[0].port);
  r.urls[0] = r.texts[0];
  r.cfg.n_urls = 1;
  start();
  run_until(&r.done);
  assert_int_equal(floe_uv_nat_probe_result(r.probe)->mapping, FLOE_NAT_NONE);
  end();
}

static void closed_in_its_callback(void **state) {
  (void)state;
  floe_addr bound[4];
  begin();
  r.closes_in_callback = true;
  listen_square(bound);
  add_url(&bound[0]);
  start();
  run_until(&r.done);
  for (int i = 0; i < 20; i++) (void)uv_run(&r.loop, UV_RUN_NOWAIT);
  assert_int_equal(r.results, 1);
  end();
}

static void closed_before_the_result(void **state) {
  (void)state;
  floe_addr bound[4];
  begin();
  listen_square(bound);
  add_url(&bound[0]);
  start();
  floe_uv_nat_probe_close(r.probe);
  start(); /* another one */
  for (int i = 0; i < 3; i++) (void)uv_run(&r.loop, UV_RUN_NOWAIT);
  floe_uv_nat_probe_close(r.probe);
  r.probe = NULL;
  for (int i = 0; i < 20; i++) (void)uv_run(&r.loop, UV_RUN_NOWAIT);
  assert_int_equal(r.results, 0);
  end();
}

/* The driver frees what is left. */
static void closed_with_the_driver(void **state) {
  (void)state;
  floe_addr bound[4];
  begin();
  listen_square(bound);
  add_url(&bound[0]);
  start();
  for (int i = 0; i < 3; i++) (void)uv_run(&r.loop, UV_RUN_NOWAIT);
  r.probe = NULL; /* is not closed */
  end();
  assert_int_equal(r.results, 0);
}

static void beside_an_agent(void **state) {
  (void)state;
  floe_addr bound[4];
  floe_error why;
  floe_uv_ice_agent *agent;
  floe_ice_config cfg;
  begin();
  listen_square(bound);
  add_url(&bound[0]);
  floe_ice_config_init(&cfg, sizeof cfg);
  assert_int_equal(floe_uv_ice_agent_new(&agent, r.uv, &cfg, &why), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_gather(agent), FLOE_OK);
  start();
  run_until(&r.done);
  floe_uv_ice_agent_close(agent, NULL, NULL);
  end();
}

static void a_refused_configuration(void **state) {
  (void)state;
  floe_error why;
  begin();
  r.urls[0] = "turn:127.0.0.1";
  r.cfg.n_urls = 1;
  assert_int_equal(floe_uv_nat_probe_new(&r.probe, r.uv, &r.cfg, &why), FLOE_E_UNSUPPORTED);
  assert_null(r.probe);
  assert_string_equal(why.path, "urls[0]");
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_nat_on_loopback),       cmocka_unit_test(a_closed_port),
      cmocka_unit_test(names_are_looked_up),      cmocka_unit_test(closed_in_its_callback),
      cmocka_unit_test(closed_before_the_result), cmocka_unit_test(closed_with_the_driver),
      cmocka_unit_test(beside_an_agent),          cmocka_unit_test(a_refused_configuration),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
