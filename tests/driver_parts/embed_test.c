/* A driver with a loop of its own, watched by another. */
#include <poll.h>

#include "driver_parts/fixture.h"

static size_t n_timers;

static void stop_waiting(fake_core *fake, const floe_input *in) {
  if (in->type != FLOE_INPUT_TIMER) return;
  n_timers++;
  fake->wait_until = FLOE_TIME_NEVER;
}

static size_t n_closed;

static void on_closed(void *user) {
  (void)user;
  n_closed++;
}

static void poll_once(floe_uv *uv) {
  struct pollfd fd = {.fd = floe_uv_backend_fd(uv), .events = POLLIN};
  int timeout = floe_uv_backend_timeout(uv);
  assert_in_range(timeout + 1, 0, 10001);
  int n = poll(&fd, 1, timeout < 0 ? 10000 : timeout);
  assert_true(n > 0 || timeout >= 0);
  (void)floe_uv_dispatch(uv);
}

static floe_uv *own_loop(floe_uv_ice_agent **agent) {
  floe_uv *uv = NULL;
  assert_int_equal(floe_uv_new(&uv, NULL, NULL, NULL), FLOE_OK);
  *agent = fixture_agent(uv);
  return uv;
}

static void an_own_loop_can_be_driven_by_poll(void **state) {
  (void)state;
  floe_uv_ice_agent *agent;
  floe_uv *uv = own_loop(&agent);
  fake_core *core = fake_of(agent);
  assert_int_equal(floe_uv_backend_timeout(uv), -1);
  assert_false(floe_uv_dispatch(uv));
  fake_open(core, 1, FLOE_TRANSPORT_UDP, "127.0.0.1", NULL);
  fake_open(core, 2, FLOE_TRANSPORT_UDP, "127.0.0.1", NULL);
  assert_int_equal(floe_uv_ice_agent_gather(agent), FLOE_OK);
  assert_int_equal(floe_uv_backend_timeout(uv), 0);
  assert_true(floe_uv_dispatch(uv));
  assert_int_equal(floe_uv_backend_timeout(uv), -1); /* the sockets are watched, and there is no deadline */
  floe_addr two = fake_find(core, FLOE_INPUT_SOCKET_OPENED, 2, 0)->in.addr;
  /* From inside a dispatch to the next: each needs the descriptor to become readable. */
  for (size_t i = 1; i <= 20; i++) {
    fake_transmit(core, 1, &two, "ping", 4);
    assert_int_equal(floe_uv_ice_agent_gather(agent), FLOE_OK);
    while (fake_count(core, FLOE_INPUT_DATAGRAM, 2) < i) poll_once(uv);
  }
  floe_uv_close(uv);
  assert_int_equal(fake_alive(), 0);
}

static void an_own_loop_keeps_deadlines(void **state) {
  (void)state;
  floe_uv_ice_agent *agent;
  floe_uv *uv = own_loop(&agent);
  floe_time at = floe_uv_now(uv) + 20 * FLOE_MS;
  fake_of(agent)->wait_until = at;
  fake_of(agent)->on_input = stop_waiting;
  n_timers = 0;
  assert_int_equal(floe_uv_ice_agent_gather(agent), FLOE_OK);
  assert_true(floe_uv_dispatch(uv));
  assert_in_range(floe_uv_backend_timeout(uv), 1, 21);
  while (n_timers == 0) poll_once(uv);
  assert_true(floe_uv_now(uv) >= at);
  assert_false(floe_uv_dispatch(uv));
  floe_uv_close(uv);
}

static void an_own_loop_connects_and_resolves(void **state) {
  (void)state;
  floe_uv_ice_agent *agent;
  floe_uv *uv = own_loop(&agent);
  fake_core *core = fake_of(agent);
  fake_open(core, 1, FLOE_TRANSPORT_UDP, "127.0.0.1", NULL);
  fake_resolve(core, 9, "localhost", FLOE_FAMILY_IPV4);
  assert_int_equal(floe_uv_ice_agent_gather(agent), FLOE_OK);
  while (fake_count(core, FLOE_INPUT_RESOLVED, 9) == 0) poll_once(uv);
  /* A port that is closed: UDP's, and nobody listens there for TCP. */
  floe_addr addr = fake_find(core, FLOE_INPUT_SOCKET_OPENED, 1, 0)->in.addr;
  char text[FLOE_ADDR_TEXT];
  fake_open(core, 2, FLOE_TRANSPORT_TCP, "127.0.0.1", floe_addr_format(&addr, text));
  assert_int_equal(floe_uv_ice_agent_gather(agent), FLOE_OK);
  while (fake_count(core, FLOE_INPUT_SOCKET_FAILED, 2) == 0) poll_once(uv);
  floe_uv_close(uv);
}

static void closing_a_driver_with_its_own_loop_is_done_on_return(void **state) {
  (void)state;
  floe_uv_ice_agent *agent;
  floe_uv *uv = own_loop(&agent);
  floe_uv_ice_agent *other = fixture_agent(uv);
  fake_of(other)->holds_close = true;
  fake_open(fake_of(agent), 1, FLOE_TRANSPORT_UDP, "127.0.0.1", NULL);
  fake_open(fake_of(other), 1, FLOE_TRANSPORT_UDP, "127.0.0.1", NULL);
  assert_int_equal(floe_uv_ice_agent_gather(agent), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_gather(other), FLOE_OK);
  (void)floe_uv_dispatch(uv);
  floe_uv_ice_agent_close(other, on_closed, NULL);
  n_closed = 0;
  floe_uv_close(uv);
  assert_int_equal(n_closed, 1);
  assert_int_equal(fake_alive(), 0);
}

static void close_from_inside(const floe_event *event, void *user) {
  (void)event;
  floe_uv_close(user);
}

/* Not allowed, and yet no reason to crash: it is done when the turn is over. */
static void closing_from_inside_ends_with_the_turn(void **state) {
  (void)state;
  floe_uv_ice_agent *agent;
  floe_uv *uv = own_loop(&agent);
  assert_int_equal(floe_uv_ice_agent_on_icecandidate(agent, close_from_inside, uv), FLOE_OK);
  fake_event(fake_of(agent), FLOE_EVENT_ICECANDIDATE);
  assert_int_equal(floe_uv_ice_agent_gather(agent), FLOE_OK);
  assert_false(floe_uv_dispatch(uv));
  assert_int_equal(fake_alive(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_own_loop_can_be_driven_by_poll),
      cmocka_unit_test(an_own_loop_keeps_deadlines),
      cmocka_unit_test(an_own_loop_connects_and_resolves),
      cmocka_unit_test(closing_a_driver_with_its_own_loop_is_done_on_return),
      cmocka_unit_test(closing_from_inside_ends_with_the_turn),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
