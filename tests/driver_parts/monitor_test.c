/* Changes of the host's addresses, made in a network namespace of the test's own. */
#define _GNU_SOURCE /* unshare */

#include "uv/monitor.h"

#include <poll.h>
#include <sys/socket.h>

#include "driver_parts/fixture.h"
#include "driver_parts/netns.h"
#include "uv/agent.h"

static bool has_namespace;

static int make_network(void **state) {
  (void)state;
  /* Without link-local addresses, which come in their own time. */
  has_namespace = enter_namespace() && run_ip("link set lo up") && run_ip("link add spare type veth peer name other") &&
                  run_ip("link set spare addrgenmode none") && run_ip("link set other addrgenmode none") &&
                  run_ip("link set spare up") && run_ip("link set other up") &&
                  run_ip("addr add 192.0.2.1/24 dev spare");
  if (!has_namespace) print_message("no network namespace can be made here\n");
  return 0;
}

#ifndef FLOE_PORTABLE_OS

/* Each test begins with the same addresses. */
static int reset_network(void **state) {
  (void)state;
  if (!has_namespace) return 0;
  assert_true(run_ip("addr flush dev spare scope global"));
  assert_true(run_ip("addr add 192.0.2.1/24 dev spare"));
  return 0;
}

static int setup_network(void **state) {
  (void)reset_network(state);
  return setup(state);
}

static size_t n_told(fake_core *core) {
  return fake_count(core, FLOE_INPUT_INTERFACES, 0);
}

/* The agent asks for the addresses, as the core does when it gathers. */
static void ask(fixture *f, floe_uv_ice_agent *agent) {
  size_t n = n_told(fake_of(agent));
  fake_interfaces(fake_of(agent));
  assert_int_equal(floe_uv_ice_agent_gather(agent), FLOE_OK);
  (void)fake_await(agent, &f->loop, FLOE_INPUT_INTERFACES, 0, n + 1);
}

static bool is_in(const fake_input *told, const char *ip) {
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, ip));
  for (size_t i = 0; i < told->in.n_interfaces; i++) {
    if (floe_addr_equal_ip(&told->interfaces[i].addr, &addr)) return true;
  }
  return false;
}

static bool has_news(void *user) {
  return ((floe_uv *)user)->monitor.state == FLOE__UV_MONITOR_CHANGED;
}

static bool has_looked(void *user) {
  return ((floe_uv *)user)->monitor.state == FLOE__UV_MONITOR_WATCHING;
}

/* Until the news has come, and the look after it. The timer is a handle of its own, so the loop does not end. */
static void await_look(fixture *f) {
  fake_run(&f->loop, has_news, f->uv);
  fake_run(&f->loop, has_looked, f->uv);
}

static void an_address_that_comes_and_goes_is_told(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  ask(f, f->agent);
  assert_true(run_ip("addr add 192.0.2.7/24 dev spare"));
  const fake_input *told = fake_await(f->agent, &f->loop, FLOE_INPUT_INTERFACES, 0, 2);
  assert_true(is_in(told, "192.0.2.7"));
  assert_true(is_in(told, "192.0.2.1"));
  assert_int_equal(told->in.os_error, 0);
  assert_true(run_ip("addr del 192.0.2.7/24 dev spare"));
  told = fake_await(f->agent, &f->loop, FLOE_INPUT_INTERFACES, 0, 3);
  assert_false(is_in(told, "192.0.2.7"));
  assert_true(run_ip("addr add 2001:db8::7/64 dev spare nodad"));
  told = fake_await(f->agent, &f->loop, FLOE_INPUT_INTERFACES, 0, 4);
  assert_true(is_in(told, "2001:db8::7"));
}

static void an_interface_that_goes_down_is_told(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  ask(f, f->agent);
  assert_true(run_ip("link set spare down"));
  const fake_input *told = fake_await(f->agent, &f->loop, FLOE_INPUT_INTERFACES, 0, 2);
  assert_false(is_in(told, "192.0.2.1"));
  assert_true(run_ip("link set spare up"));
  told = fake_await(f->agent, &f->loop, FLOE_INPUT_INTERFACES, 0, 3);
  assert_true(is_in(told, "192.0.2.1"));
}

static void a_burst_is_told_once(void **state) {
  fixture *f = *state;
  char command[64];
  char ip[32];
  if (!has_namespace) skip();
  ask(f, f->agent);
  for (int i = 10; i < 30; i++) {
    (void)snprintf(command, sizeof command, "addr add 192.0.2.%d/24 dev spare", i);
    assert_true(run_ip(command));
  }
  await_look(f);
  assert_int_equal(n_told(f->core), 2);
  const fake_input *told = fake_find(f->core, FLOE_INPUT_INTERFACES, 0, 1);
  for (int i = 10; i < 30; i++) {
    (void)snprintf(ip, sizeof ip, "192.0.2.%d", i);
    assert_true(is_in(told, ip));
  }
}

/* There is never quiet: the look comes all the same. */
static void changes_without_end_are_told(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  ask(f, f->agent);
  (void)fixture_udp(f, 1, "127.0.0.1"); /* the monitor alone keeps no loop going */
  const floe__uv_monitor *monitor = &f->uv->monitor;
  assert_true(run_ip("addr add 192.0.2.8/24 dev spare"));
  floe_time give_up_at = floe_uv_now(f->uv) + 10 * FLOE_SECOND;
  for (bool is_there = false; n_told(f->core) < 2; is_there = !is_there) {
    assert_true(run_ip(is_there ? "addr del 192.0.2.9/24 dev spare" : "addr add 192.0.2.9/24 dev spare"));
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    if (monitor->state == FLOE__UV_MONITOR_CHANGED) assert_true(monitor->alarm.at <= monitor->latest_at);
    assert_true(floe_uv_now(f->uv) < give_up_at);
  }
}

static void news_without_a_difference_is_not_told(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  ask(f, f->agent);
  assert_true(run_ip("link set spare mtu 1400"));
  await_look(f);
  assert_int_equal(n_told(f->core), 1);
  assert_true(run_ip("addr add 192.0.2.7/24 dev spare"));
  assert_true(run_ip("addr del 192.0.2.7/24 dev spare"));
  await_look(f);
  assert_int_equal(n_told(f->core), 1);
}

static void every_agent_that_has_asked_is_told(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  floe_uv_ice_agent *second = fixture_agent(f->uv);
  floe_uv_ice_agent *silent = fixture_agent(f->uv);
  floe_uv_ice_agent *leaving = fixture_agent(f->uv);
  ask(f, f->agent);
  ask(f, second);
  ask(f, leaving);
  fake_of(leaving)->holds_close = true;
  floe_uv_ice_agent_close(leaving, NULL, NULL);
  assert_int_equal(floe_uv_ice_agent_gather(silent), FLOE_OK);
  assert_true(run_ip("addr add 192.0.2.7/24 dev spare"));
  await_look(f);
  assert_int_equal(n_told(f->core), 2);
  assert_int_equal(n_told(fake_of(second)), 2);
  assert_int_equal(n_told(fake_of(silent)), 0);
  assert_int_equal(n_told(fake_of(leaving)), 1);
}

/* What counts is the list that an agent was given, not the one that was seen at the last look. */
static void an_agent_that_asked_in_between_is_told_what_it_missed(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  floe_uv_ice_agent *second = fixture_agent(f->uv);
  ask(f, f->agent);
  assert_true(run_ip("addr add 192.0.2.7/24 dev spare"));
  ask(f, second);
  assert_true(is_in(fake_find(fake_of(second), FLOE_INPUT_INTERFACES, 0, 0), "192.0.2.7"));
  assert_true(run_ip("addr del 192.0.2.7/24 dev spare"));
  await_look(f);
  assert_int_equal(n_told(f->core), 1);
  assert_int_equal(n_told(fake_of(second)), 2);
  assert_false(is_in(fake_find(fake_of(second), FLOE_INPUT_INTERFACES, 0, 1), "192.0.2.7"));
}

/* It has a socket for each family of each interface that it asks on. */
static void multicast_dns_follows(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  ask(f, f->agent);
  fake_resolve_multicast(f->core, 1, "floe-test.local", FLOE_FAMILY_IPV4);
  fixture_poke(f);
  (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  size_t n_handles = f->uv->n_handles;
  assert_true(run_ip("addr add 2001:db8::7/64 dev spare nodad"));
  (void)fake_await(f->agent, &f->loop, FLOE_INPUT_INTERFACES, 0, 2);
  (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  assert_int_equal(f->uv->n_handles, n_handles + 1);
}

static void the_monitor_keeps_no_loop_alive(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  ask(f, f->agent);
  assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0); /* it returns */
  assert_int_equal(f->uv->monitor.state, FLOE__UV_MONITOR_WATCHING);
  (void)fixture_udp(f, 1, "127.0.0.1");
  assert_true(run_ip("addr add 192.0.2.7/24 dev spare"));
  fake_run(&f->loop, has_news, f->uv);
  floe_uv_ice_agent_close(f->agent, NULL, NULL);
  assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
  /* With nobody left to be told there is no look. */
  assert_int_equal(f->uv->monitor.state, FLOE__UV_MONITOR_WATCHING);
  assert_int_equal(f->uv->monitor.alarm.place, 0);
  assert_int_equal(fake_alive(), 0);
}

static void the_driver_may_be_closed_with_news_that_was_not_looked_at(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  ask(f, f->agent);
  (void)fixture_udp(f, 1, "127.0.0.1");
  assert_true(run_ip("addr add 192.0.2.7/24 dev spare"));
  fake_run(&f->loop, has_news, f->uv);
}

/* The kernel drops messages when nobody reads them in time, and says so: that is news too. */
static void lost_messages_are_news(void **state) {
  fixture *f = *state;
  if (!has_namespace) skip();
  ask(f, f->agent);
  int small = 1; /* the kernel rounds it up */
  assert_int_equal(setsockopt(f->uv->monitor.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
  char command[64];
  for (int i = 10; i < 60; i++) {
    (void)snprintf(command, sizeof command, "addr add 192.0.2.%d/24 dev spare", i);
    assert_true(run_ip(command));
  }
  int err = 0;
  socklen_t len = sizeof err;
  assert_int_equal(getsockopt(f->uv->monitor.fd, SOL_SOCKET, SO_ERROR, &err, &len), 0);
  assert_int_equal(err, ENOBUFS);
  assert_true(run_ip("addr add 192.0.2.60/24 dev spare")); /* the query has taken the error away */
  await_look(f);
  assert_true(is_in(fake_find(f->core, FLOE_INPUT_INTERFACES, 0, 1), "192.0.2.60"));
  /* And it goes on. */
  assert_true(run_ip("addr del 192.0.2.60/24 dev spare"));
  assert_false(is_in(fake_await(f->agent, &f->loop, FLOE_INPUT_INTERFACES, 0, 3), "192.0.2.60"));
}

static bool has_no_memory;

static void *reallocate(void *user, void *ptr, size_t size) {
  (void)user;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return has_no_memory ? NULL : realloc(ptr, size);
}

static void a_look_without_memory_is_repeated(void **state) {
  (void)state;
  if (!has_namespace) skip();
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.reallocate = reallocate;
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.env = &env;
  fixture f;
  fixture_init(&f, &cfg);
  ask(&f, f.agent);
  assert_true(run_ip("addr add 192.0.2.7/24 dev spare"));
  fake_run(&f.loop, has_news, f.uv);
  has_no_memory = true;
  floe_time looked_at = floe_uv_now(f.uv);
  f.uv->monitor.latest_at = 0; /* shows that it was looked at */
  while (f.uv->monitor.latest_at == 0) (void)uv_run(&f.loop, UV_RUN_ONCE);
  has_no_memory = false;
  assert_int_equal(n_told(f.core), 1);
  assert_int_equal(f.uv->monitor.state, FLOE__UV_MONITOR_CHANGED);
  assert_true(f.uv->monitor.alarm.at >= looked_at + FLOE_SECOND);
  assert_true(is_in(fake_await(f.agent, &f.loop, FLOE_INPUT_INTERFACES, 0, 2), "192.0.2.7"));
  fixture_clear(&f);
}

static void it_can_be_switched_off(void **state) {
  (void)state;
  if (!has_namespace) skip();
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.no_network_monitor = true;
  fixture f;
  fixture_init(&f, &cfg);
  size_t n_handles = f.uv->n_handles;
  ask(&f, f.agent);
  assert_int_equal(f.uv->monitor.state, FLOE__UV_MONITOR_OFF);
  assert_int_equal(f.uv->n_handles, n_handles);
  assert_true(run_ip("addr add 192.0.2.7/24 dev spare"));
  floe_uv_ice_agent_on_interfaces_changed(f.agent);
  assert_true(is_in(fake_await(f.agent, &f.loop, FLOE_INPUT_INTERFACES, 0, 2), "192.0.2.7"));
  fixture_clear(&f);
}

/* There is one for all agents, and none before one gathers. */
static void it_is_opened_once_and_late(void **state) {
  fixture *f = *state;
  size_t n_handles = f->uv->n_handles;
  assert_int_equal(f->uv->monitor.state, FLOE__UV_MONITOR_NEW);
  floe_uv_ice_agent *second = fixture_agent(f->uv);
  assert_int_equal(floe_uv_ice_agent_prefetch(second), FLOE_OK);
  assert_int_equal(f->uv->monitor.state, FLOE__UV_MONITOR_WATCHING);
  fixture_poke(f);
  assert_int_equal(f->uv->n_handles, n_handles + 1);
}

/* Without another handle such a loop would not poll at all: its descriptor would stay readable, and the program's own
 * loop would spin. */
static void an_own_loop_reads_the_news(void **state) {
  (void)state;
  if (!has_namespace) skip();
  floe_uv *uv = NULL;
  assert_int_equal(floe_uv_new(&uv, NULL, NULL, NULL), FLOE_OK);
  floe_uv_ice_agent *agent = fixture_agent(uv);
  fake_core *core = fake_of(agent);
  fake_interfaces(core);
  assert_int_equal(floe_uv_ice_agent_gather(agent), FLOE_OK);
  assert_false(floe_uv_dispatch(uv)); /* nothing is left to wait for */
  assert_int_equal(n_told(core), 1);
  struct pollfd fd = {.fd = floe_uv_backend_fd(uv), .events = POLLIN};
  assert_int_equal(poll(&fd, 1, 0), 0);
  assert_true(run_ip("addr add 192.0.2.7/24 dev spare"));
  assert_int_equal(poll(&fd, 1, 10000), 1);
  assert_true(floe_uv_dispatch(uv)); /* the look */
  assert_int_equal(poll(&fd, 1, 0), 0);
  while (n_told(core) < 2) {
    (void)poll(&fd, 1, floe_uv_backend_timeout(uv));
    (void)floe_uv_dispatch(uv);
  }
  assert_true(is_in(fake_find(core, FLOE_INPUT_INTERFACES, 0, 1), "192.0.2.7"));
  assert_false(floe_uv_dispatch(uv));
  floe_uv_close(uv);
}

#else

static void this_system_cannot_tell(void **state) {
  fixture *f = *state;
  size_t n_handles = f->uv->n_handles;
  fixture_poke(f);
  assert_int_equal(f->uv->monitor.state, FLOE__UV_MONITOR_OFF);
  assert_int_equal(f->uv->n_handles, n_handles);
}

#endif

int main(void) {
#ifndef FLOE_PORTABLE_OS
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_network, teardown)
  const struct CMUnitTest tests[] = {
      TEST(it_is_opened_once_and_late),
      TEST(an_address_that_comes_and_goes_is_told),
      TEST(an_interface_that_goes_down_is_told),
      TEST(a_burst_is_told_once),
      TEST(changes_without_end_are_told),
      TEST(news_without_a_difference_is_not_told),
      TEST(every_agent_that_has_asked_is_told),
      TEST(an_agent_that_asked_in_between_is_told_what_it_missed),
      TEST(multicast_dns_follows),
      TEST(the_monitor_keeps_no_loop_alive),
      TEST(the_driver_may_be_closed_with_news_that_was_not_looked_at),
      TEST(lost_messages_are_news),
      cmocka_unit_test_setup(a_look_without_memory_is_repeated, reset_network),
      cmocka_unit_test_setup(it_can_be_switched_off, reset_network),
      cmocka_unit_test_setup(an_own_loop_reads_the_news, reset_network),
  };
#else
  const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(this_system_cannot_tell, setup, teardown)};
#endif
  return cmocka_run_group_tests(tests, make_network, NULL);
}
