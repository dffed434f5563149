/* Addresses that come and go under agents of the real core, in a network namespace of the test's own. */
#define _GNU_SOURCE /* unshare */

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "driver_parts/netns.h"
#include "floe/uv.h"
#include "support/cmocka.h"

typedef struct side {
  floe_uv_ice_agent *agent;
  bool is_complete;
  bool is_up;
  size_t n_data;
  char candidates[2048];
} side;

static bool has_namespace;
static uv_loop_t loop;
static floe_uv *uv;
static side a, b;
static uv_timer_t guard;
static bool is_late;

static int make_network(void **state) {
  (void)state;
  has_namespace = enter_namespace() && run_ip("link set lo up") && run_ip("link add spare type veth peer name other") &&
                  run_ip("link set spare addrgenmode none") && run_ip("link set other addrgenmode none") &&
                  run_ip("link set spare up") && run_ip("link set other up");
  if (!has_namespace) print_message("no network namespace can be made here\n");
  return 0;
}

static void on_late(uv_timer_t *timer) {
  (void)timer;
  is_late = true;
}

static int set_up(void **state) {
  (void)state;
  if (has_namespace) {
    assert_true(run_ip("addr flush dev spare"));
    assert_true(run_ip("addr add 192.0.2.1/24 dev spare"));
  }
  memset(&a, 0, sizeof a);
  memset(&b, 0, sizeof b);
  is_late = false;
  assert_int_equal(uv_loop_init(&loop), 0);
  assert_int_equal(uv_timer_init(&loop, &guard), 0);
  assert_int_equal(uv_timer_start(&guard, on_late, 20000, 0), 0);
  assert_int_equal(floe_uv_new(&uv, &loop, NULL, NULL), FLOE_OK);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  uv_close((uv_handle_t *)&guard, NULL);
  floe_uv_close(uv);
  assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(uv_loop_close(&loop), 0);
  return 0;
}

static void run_until(bool (*done)(void)) {
  while (!done() && !is_late) (void)uv_run(&loop, UV_RUN_ONCE);
  if (is_late) fail_msg("what the test waits for has not come");
}

static void on_gathering(const floe_event *event, void *user) {
  ((side *)user)->is_complete = event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE;
}

static void on_candidate(const floe_event *event, void *user) {
  side *s = user;
  size_t len = strlen(s->candidates);
  if (event->u.candidate == NULL) return;
  (void)snprintf(s->candidates + len, sizeof s->candidates - len, "%s\n", event->u.candidate->text);
}

static void on_connection(const floe_event *event, void *user) {
  floe_ice_connection_state state = event->u.connection.state;
  ((side *)user)->is_up = state == FLOE_ICE_CONNECTION_CONNECTED || state == FLOE_ICE_CONNECTION_COMPLETED;
}

static void on_data(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  (void)candidate;
  (void)from;
  (void)data;
  ((side *)user)->n_data++;
}

static void make_side(side *s, bool is_continual) {
  static const char *const interfaces[] = {"spare"};
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.interfaces = interfaces;
  cfg.n_interfaces = 1;
  cfg.continual_gathering = is_continual;
  assert_int_equal(floe_uv_ice_agent_new(&s->agent, uv, &cfg, NULL), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_on_icegatheringstatechange(s->agent, on_gathering, s), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_on_icecandidate(s->agent, on_candidate, s), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_on_iceconnectionstatechange(s->agent, on_connection, s), FLOE_OK);
  floe_uv_ice_agent_on_data(s->agent, on_data, s);
  assert_int_equal(floe_uv_ice_agent_gather(s->agent), FLOE_OK);
}

static bool a_is_complete(void) {
  return a.is_complete;
}

static bool both_are_complete(void) {
  return a.is_complete && b.is_complete;
}

static bool both_are_up(void) {
  return a.is_up && b.is_up;
}

/* Where the system cannot tell, the program does. */
static void change_address(const char *arguments) {
  assert_true(run_ip(arguments));
#ifdef FLOE_PORTABLE_OS
  if (a.agent != NULL) floe_uv_ice_agent_on_interfaces_changed(a.agent);
  if (b.agent != NULL) floe_uv_ice_agent_on_interfaces_changed(b.agent);
#endif
}

static bool a_has_the_new_address(void) {
  return strstr(a.candidates, " 192.0.2.7 ") != NULL;
}

static void a_new_address_gives_a_candidate(void **state) {
  (void)state;
  if (!has_namespace) skip();
  make_side(&a, true);
  run_until(a_is_complete);
  assert_non_null(strstr(a.candidates, " 192.0.2.1 "));
  change_address("addr add 192.0.2.7/24 dev spare");
  run_until(a_has_the_new_address);
}

static void tell(const side *to, const side *from) {
  char text[4096];
  assert_true(floe_uv_ice_agent_local_description(from->agent, text, sizeof text) < sizeof text);
  assert_int_equal(floe_uv_ice_agent_set_remote_description(to->agent, text, NULL), FLOE_OK);
}

static bool is_on_the_new_address(const side *s) {
  const floe_ice_candidate *local, *remote;
  floe_addr addr;
  if (!floe_uv_ice_agent_selected_pair(s->agent, &local, &remote)) return false;
  return floe_addr_parse(&addr, "192.0.2.7") && floe_addr_equal_ip(&local->address, &addr);
}

static bool both_are_on_the_new_address(void) {
  return is_on_the_new_address(&a) && is_on_the_new_address(&b);
}

static bool data_has_come(void) {
  return a.n_data > 0 && b.n_data > 0;
}

static void a_connection_moves_when_its_address_goes(void **state) {
  (void)state;
  if (!has_namespace) skip();
  assert_true(run_ip("addr add 192.0.2.7/25 dev spare")); /* of another subnet: it does not go with the first */
  make_side(&a, false);
  make_side(&b, false);
  run_until(both_are_complete);
  tell(&a, &b);
  tell(&b, &a);
  run_until(both_are_up);
  change_address("addr del 192.0.2.1/24 dev spare");
  run_until(both_are_on_the_new_address);
  floe_bytes data = {.ptr = (const uint8_t *)"x", .len = 1};
  a.n_data = b.n_data = 0;
  assert_int_equal(floe_uv_ice_agent_send(a.agent, data, 0), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_send(b.agent, data, 0), FLOE_OK);
  run_until(data_has_come);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_new_address_gives_a_candidate),
      TEST(a_connection_moves_when_its_address_goes),
  };
  return cmocka_run_group_tests(tests, make_network, NULL);
}
