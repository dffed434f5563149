#include "uv/loop.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "driver_parts/fixture.h"
#include "uv/agent.h"

/* What happened, one word each. */
static char happened[512];

static void note(const char *word) {
  size_t len = strlen(happened);
  (void)snprintf(happened + len, sizeof happened - len, "%s%s", len == 0 ? "" : " ", word);
}

static int reset(void **state) {
  (void)state;
  happened[0] = '\0';
  return 0;
}

static int set_up(void **state) {
  (void)reset(state);
  return setup(state);
}

static void on_event(const floe_event *event, void *user) {
  (void)event;
  (void)user;
  note("event");
}

static void on_other(const floe_event *event, void *user) {
  (void)event;
  (void)user;
  note("other");
}

static void on_closed(void *user) {
  note("closed");
  if (user != NULL) *(bool *)user = true;
}

static bool is_true(void *user) {
  return *(bool *)user;
}

static void add_listener(floe_uv_ice_agent *agent, floe_event_listener fn, void *user) {
  assert_int_equal(floe_uv_ice_agent_add_event_listener(agent, FLOE_EVENT_ICECANDIDATE, fn, user), FLOE_OK);
}

/* Lets the loop do all there is to do. */
static void run(fixture *f) {
  (void)uv_run(&f->loop, UV_RUN_DEFAULT);
}

/* ---- events ---- */

static void events_come_from_the_loop_with_the_agent_as_target(void **state) {
  fixture *f = *state;
  add_listener(f->agent, on_event, NULL);
  fake_event(f->core, FLOE_EVENT_ICECANDIDATE);
  fixture_poke(f);
  assert_string_equal(happened, "");
  assert_int_equal(f->core->n_gathers, 1);
  run(f);
  assert_string_equal(happened, "event");
}

static void check_target(const floe_event *event, void *user) {
  assert_ptr_equal(event->target, user);
  assert_string_equal(event->name, "fake");
  assert_int_equal(event->type, FLOE_EVENT_ICECANDIDATEERROR);
  note("checked");
}

static void the_target_is_the_agent(void **state) {
  fixture *f = *state;
  assert_int_equal(floe_uv_ice_agent_on_icecandidateerror(f->agent, check_target, f->agent), FLOE_OK);
  fake_event(f->core, FLOE_EVENT_ICECANDIDATEERROR);
  fixture_poke(f);
  run(f);
  assert_string_equal(happened, "checked");
}

static void each_handler_property_hears_its_own_event(void **state) {
  fixture *f = *state;
  static floe_status (*const setters[])(floe_uv_ice_agent *, floe_event_listener, void *) = {
      floe_uv_ice_agent_on_icegatheringstatechange,  floe_uv_ice_agent_on_icecandidate,
      floe_uv_ice_agent_on_icecandidateerror,        floe_uv_ice_agent_on_iceservererror,
      floe_uv_ice_agent_on_iceconnectionstatechange, floe_uv_ice_agent_on_selectedcandidatepairchange};
  for (size_t i = 0; i < sizeof setters / sizeof setters[0]; i++) {
    happened[0] = '\0';
    assert_int_equal(setters[i](f->agent, on_event, NULL), FLOE_OK);
    for (int j = 0; j < (int)FLOE_EVENT_COUNT; j++) fake_event(f->core, (floe_event_type)j);
    fixture_poke(f);
    run(f);
    assert_string_equal(happened, "event");
    assert_int_equal(setters[i](f->agent, NULL, NULL), FLOE_OK);
  }
}

static void listeners_are_added_and_removed(void **state) {
  fixture *f = *state;
  add_listener(f->agent, on_other, NULL);
  add_listener(f->agent, on_event, NULL);
  add_listener(f->agent, on_other, NULL);
  assert_int_equal(floe_uv_ice_agent_add_event_listener(f->agent, FLOE_EVENT_COUNT, on_event, NULL), FLOE_E_TYPE);
  fake_event(f->core, FLOE_EVENT_ICECANDIDATE);
  fixture_poke(f);
  run(f);
  assert_string_equal(happened, "other event");
  floe_uv_ice_agent_remove_event_listener(f->agent, FLOE_EVENT_ICECANDIDATE, on_other, NULL);
  fake_event(f->core, FLOE_EVENT_ICECANDIDATE);
  fixture_poke(f);
  run(f);
  assert_string_equal(happened, "other event event");
}

static void on_data(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  assert_int_equal(candidate, 7);
  assert_int_equal(from->port, 1234);
  assert_int_equal(data.len, 2);
  assert_string_equal(user, "user");
  note("data");
}

static void on_permission(uint32_t candidate, const floe_addr *peer, bool granted, void *user) {
  assert_int_equal(candidate, 9);
  assert_int_equal(peer->port, 4321);
  assert_true(granted);
  assert_string_equal(user, "user");
  note("permission");
}

static void relayed_data_and_permissions_are_handed_over(void **state) {
  fixture *f = *state;
  char user[] = "user";
  floe_uv_relay_handler handler = {.on_data = on_data, .on_permission = on_permission, .user = user};
  floe_output out = {.type = FLOE_OUTPUT_DATA};
  out.u.data.candidate = 7;
  out.u.data.from.port = 1234;
  out.u.data.data = (floe_bytes){.ptr = (const uint8_t *)"ab", .len = 2};
  floe_addr peer = {.family = FLOE_FAMILY_IPV4, .port = 4321};
  for (int i = 0; i < 2; i++) {
    floe_uv_ice_agent_on_relay(f->agent, i == 0 ? &handler : NULL);
    fake_push(f->core, &out);
    assert_int_equal(floe_uv_ice_agent_permit(f->agent, 9, &peer, false), FLOE_OK);
    assert_string_equal(happened, i == 0 ? "" : "data permission");
    run(f);
    assert_string_equal(happened, "data permission");
  }
}

/* ---- closing ---- */

static void close_agent(const floe_event *event, void *user) {
  note("close");
  floe_uv_ice_agent_close(user, on_closed, NULL);
  /* Still the core's, until the listener returns. */
  assert_string_equal(event->name, "fake");
  note("on");
}

static void an_agent_may_be_closed_in_its_own_listener(void **state) {
  fixture *f = *state;
  add_listener(f->agent, close_agent, f->agent);
  add_listener(f->agent, on_other, NULL);
  assert_int_equal(floe_uv_ice_agent_on_icecandidate(f->agent, on_other, NULL), FLOE_OK);
  for (int i = 0; i < 3; i++) fake_event(f->core, FLOE_EVENT_ICECANDIDATE);
  fixture_poke(f);
  run(f);
  assert_string_equal(happened, "close on closed");
  assert_int_equal(fake_alive(), 0);
}

static void closing_calls_back_once_and_from_the_loop(void **state) {
  fixture *f = *state;
  add_listener(f->agent, on_event, NULL);
  fake_event(f->core, FLOE_EVENT_ICECANDIDATE);
  fixture_poke(f);
  floe_uv_ice_agent_close(f->agent, on_closed, NULL);
  assert_string_equal(happened, "");
  assert_int_equal(f->core->n_closes, 1);
  run(f);
  assert_string_equal(happened, "closed");
  assert_int_equal(fake_alive(), 0);
}

static void closing_needs_no_callback(void **state) {
  fixture *f = *state;
  floe_uv_ice_agent_close(f->agent, NULL, NULL);
  floe_uv_ice_agent_close(NULL, on_closed, NULL);
  run(f);
  assert_int_equal(fake_alive(), 0);
  assert_string_equal(happened, "");
}

static void closing_goes_on_until_the_core_is_done(void **state) {
  fixture *f = *state;
  bool is_closed = false;
  floe_addr self = fixture_udp(f, 1, "127.0.0.1");
  f->core->holds_close = true;
  floe_uv_ice_agent_close(f->agent, on_closed, &is_closed);
  assert_int_equal(floe_uv_ice_agent_gather(f->agent), FLOE_E_STATE);
  /* It sends and hears still. */
  fake_transmit(f->core, 1, &self, "bye", 3);
  (void)fake_await(f->agent, &f->loop, FLOE_INPUT_DATAGRAM, 1, 1);
  assert_false(is_closed);
  f->core->holds_close = false;
  fake_transmit(f->core, 1, &self, "last", 4);
  fake_close(f->core, 1);
  floe_input in = {.type = FLOE_INPUT_TIMER};
  floe__uv_agent_input(f->agent, &in);
  fake_run(&f->loop, is_true, &is_closed);
  assert_int_equal(fake_alive(), 0);
}

static void nothing_can_be_asked_of_a_closing_agent(void **state) {
  fixture *f = *state;
  floe_addr peer = {0};
  f->core->holds_close = true;
  floe_uv_ice_agent_close(f->agent, on_closed, NULL);
  floe_uv_ice_agent_close(f->agent, on_closed, NULL);
  assert_int_equal(floe_uv_ice_agent_gather(f->agent), FLOE_E_STATE);
  assert_int_equal(floe_uv_ice_agent_prefetch(f->agent), FLOE_E_STATE);
  assert_int_equal(floe_uv_ice_agent_permit(f->agent, 1, &peer, false), FLOE_E_STATE);
  assert_int_equal(floe_uv_ice_agent_send_relayed(f->agent, 1, &peer, (floe_bytes){0}), FLOE_E_STATE);
  assert_int_equal(f->core->n_closes, 1);
}

typedef struct pair {
  fixture *f;
  floe_uv_ice_agent *other;
} pair;

static void close_other(const floe_event *event, void *user) {
  (void)event;
  pair *p = user;
  note("close");
  floe_uv_ice_agent_close(p->other, on_closed, NULL);
}

static void another_agent_that_is_ready_may_be_closed(void **state) {
  fixture *f = *state;
  pair p = {.f = f, .other = fixture_agent(f->uv)};
  add_listener(f->agent, close_other, &p);
  add_listener(p.other, on_other, NULL);
  fake_event(f->core, FLOE_EVENT_ICECANDIDATE);
  fake_event(fake_of(p.other), FLOE_EVENT_ICECANDIDATE);
  fixture_poke(f);
  assert_int_equal(floe_uv_ice_agent_gather(p.other), FLOE_OK);
  run(f);
  assert_string_equal(happened, "close closed");
  assert_int_equal(fake_alive(), 1);
}

static void make_agents(const floe_event *event, void *user) {
  (void)event;
  pair *p = user;
  for (int i = 0; i < 10; i++) {
    p->other = fixture_agent(p->f->uv);
    add_listener(p->other, on_other, NULL);
    fake_event(fake_of(p->other), FLOE_EVENT_ICECANDIDATE);
    assert_int_equal(floe_uv_ice_agent_gather(p->other), FLOE_OK);
  }
  note("made");
}

static void agents_may_be_made_in_a_listener(void **state) {
  fixture *f = *state;
  pair p = {.f = f};
  add_listener(f->agent, make_agents, &p);
  fake_event(f->core, FLOE_EVENT_ICECANDIDATE);
  fixture_poke(f);
  run(f);
  assert_string_equal(happened, "made other other other other other other other other other other");
}

static void ask_again(const floe_event *event, void *user) {
  fixture *f = user;
  (void)event;
  note(f->core->n_gathers < 3 ? "again" : "enough");
  if (f->core->n_gathers < 3) {
    fake_event(f->core, FLOE_EVENT_ICECANDIDATE);
    fixture_poke(f);
  }
}

static void the_agent_may_be_called_in_its_listener(void **state) {
  fixture *f = *state;
  add_listener(f->agent, ask_again, f);
  fake_event(f->core, FLOE_EVENT_ICECANDIDATE);
  fixture_poke(f);
  run(f);
  assert_string_equal(happened, "again again enough");
}

static void close_driver(const floe_event *event, void *user) {
  floe_uv_close(user);
  floe_uv_close(user);
  assert_string_equal(event->name, "fake");
  note("gone");
}

static void the_driver_may_be_closed_in_a_listener(void **state) {
  (void)state;
  fixture f;
  fixture_init(&f, NULL);
  floe_uv_ice_agent *other = fixture_agent(f.uv);
  (void)fixture_udp(&f, 1, "127.0.0.1");
  add_listener(f.agent, close_driver, f.uv);
  add_listener(f.agent, on_event, NULL);
  add_listener(other, on_other, NULL);
  for (int i = 0; i < 3; i++) fake_event(f.core, FLOE_EVENT_ICECANDIDATE);
  fake_event(fake_of(other), FLOE_EVENT_ICECANDIDATE);
  fixture_poke(&f);
  assert_int_equal(floe_uv_ice_agent_gather(other), FLOE_OK);
  assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
  assert_string_equal(happened, "gone");
  assert_int_equal(fake_alive(), 0);
  assert_int_equal(uv_loop_close(&f.loop), 0);
}

static void close_both(const floe_event *event, void *user) {
  (void)event;
  pair *p = user;
  floe_uv_ice_agent_close(p->f->agent, on_closed, NULL);
  floe_uv_ice_agent_close(p->other, on_closed, NULL);
  floe_uv_close(p->f->uv);
  note("gone");
}

static void agents_closed_before_the_driver_are_told_of_all_the_same(void **state) {
  (void)state;
  fixture f;
  fixture_init(&f, NULL);
  pair p = {.f = &f, .other = fixture_agent(f.uv)};
  f.core->holds_close = fake_of(p.other)->holds_close = true;
  (void)fixture_udp(&f, 1, "127.0.0.1");
  add_listener(f.agent, close_both, &p);
  fake_event(f.core, FLOE_EVENT_ICECANDIDATE);
  fixture_poke(&f);
  assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
  assert_string_equal(happened, "gone closed closed");
  assert_int_equal(fake_alive(), 0);
  assert_int_equal(uv_loop_close(&f.loop), 0);
}

static void close_driver_too(void *user) {
  note("closed");
  floe_uv_close(user);
}

static void the_driver_may_be_closed_when_an_agent_is(void **state) {
  (void)state;
  fixture f;
  fixture_init(&f, NULL);
  (void)fixture_udp(&f, 1, "::1");
  floe_uv_ice_agent_close(f.agent, close_driver_too, f.uv);
  assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
  assert_string_equal(happened, "closed");
  assert_int_equal(uv_loop_close(&f.loop), 0);
}

static void the_driver_may_be_closed_unused(void **state) {
  (void)state;
  uv_loop_t loop;
  floe_uv *uv;
  assert_int_equal(uv_loop_init(&loop), 0);
  assert_int_equal(floe_uv_new(&uv, &loop, NULL, NULL), FLOE_OK);
  assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
  floe_uv_close(uv);
  floe_uv_close(NULL);
  assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(uv_loop_close(&loop), 0);
}

/* ---- time ---- */

static size_t n_timers;

static void stop_waiting(fake_core *fake, const floe_input *in) {
  if (in->type != FLOE_INPUT_TIMER) return;
  n_timers++;
  fake->wait_until = FLOE_TIME_NEVER;
}

static void a_deadline_is_told_once_and_never_too_early(void **state) {
  fixture *f = *state;
  f->core->on_input = stop_waiting;
  for (size_t i = 1; i <= 20; i++) {
    n_timers = 0;
    floe_time at = floe_uv_now(f->uv) + i * 300000;
    f->core->wait_until = at;
    fixture_poke(f);
    while (n_timers == 0) (void)uv_run(&f->loop, UV_RUN_ONCE);
    assert_true(floe_uv_now(f->uv) >= at);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(n_timers, 1);
  }
}

static void without_a_deadline_the_loop_ends(void **state) {
  fixture *f = *state;
  f->core->wait_until = floe_uv_now(f->uv) + 3600 * FLOE_SECOND;
  fixture_poke(f);
  (void)uv_run(&f->loop, UV_RUN_NOWAIT);
  assert_int_equal(uv_loop_alive(&f->loop), 1);
  f->core->wait_until = FLOE_TIME_NEVER;
  fixture_poke(f);
  assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
}

#define MANY 10000

static void ten_thousand_agents_share_the_timer(void **state) {
  fixture *f = *state;
  static floe_uv_ice_agent *agents[MANY];
  floe_time began = floe_uv_now(f->uv);
  n_timers = 0;
  for (size_t i = 0; i < MANY; i++) {
    agents[i] = fixture_agent(f->uv);
    fake_of(agents[i])->on_input = stop_waiting;
    fake_of(agents[i])->wait_until = began + (i * 7919 % MANY) * 10000 + FLOE_MS;
    assert_int_equal(floe_uv_ice_agent_gather(agents[i]), FLOE_OK);
  }
  assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(n_timers, MANY);
  for (size_t i = 0; i < MANY; i += 2) floe_uv_ice_agent_close(agents[i], NULL, NULL);
  run(f);
  assert_int_equal(fake_alive(), MANY / 2 + 1);
  print_message("%u agents in %.0f ms\n", MANY, (double)(floe_uv_now(f->uv) - began) / 1e6);
}

static void an_idle_agent_is_small(void **state) {
  (void)state;
  assert_true(sizeof(floe_uv_ice_agent) <= 512);
}

/* ---- arguments and memory ---- */

static void a_size_that_is_unknown_is_refused(void **state) {
  fixture *f = *state;
  floe_uv_config cfg = {0};
  floe_uv *uv = f->uv;
  floe_error why;
  assert_int_equal(floe_uv_new(&uv, &f->loop, &cfg, &why), FLOE_E_TYPE);
  assert_null(uv);
  assert_string_equal(why.path, "size");
  floe_env_config env = {0};
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.env = &env;
  assert_int_equal(floe_uv_new(&uv, &f->loop, &cfg, &why), FLOE_E_TYPE);
  assert_string_equal(why.path, "env");
  assert_int_equal(floe_uv_new(&uv, &f->loop, &cfg, NULL), FLOE_E_TYPE);
}

static long allocations_left;
static long n_allocated;

static void *reallocate(void *user, void *ptr, size_t size) {
  (void)user;
  if (size == 0) {
    if (ptr != NULL) n_allocated--;
    free(ptr);
    return NULL;
  }
  if (allocations_left-- <= 0) return NULL;
  if (ptr == NULL) n_allocated++;
  return realloc(ptr, size);
}

static void without_memory_no_driver_is_made(void **state) {
  (void)state;
  uv_loop_t loop;
  assert_int_equal(uv_loop_init(&loop), 0);
  const char *servers[] = {"192.0.2.53"};
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.reallocate = reallocate;
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.env = &env;
  cfg.dns_servers = servers;
  cfg.n_dns_servers = 1;
  for (int own = 0; own < 2; own++) {
    floe_uv *uv = NULL;
    long n = 0;
    for (; uv == NULL; n++) {
      assert_true(n < 100);
      allocations_left = n;
      n_allocated = 0;
      floe_status st = floe_uv_new(&uv, own ? NULL : &loop, &cfg, NULL);
      if (uv != NULL) break;
      assert_true(st == FLOE_E_NOMEM || (own && st == FLOE_E_SYSTEM));
      assert_int_equal(n_allocated, 0);
    }
    assert_int_equal(n, own ? 8 : 7);
    floe_uv_close(uv);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(n_allocated, 0);
  }
  assert_int_equal(uv_loop_close(&loop), 0);
}

static void without_memory_an_agent_is_refused_and_a_socket_fails(void **state) {
  (void)state;
  fixture f = {0};
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.reallocate = reallocate;
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.env = &env;
  allocations_left = LONG_MAX;
  fixture_init(&f, &cfg);
  floe_ice_config ice;
  floe_ice_config_init(&ice, sizeof ice);
  floe_uv_ice_agent *agent = f.agent;
  floe_error why;
  allocations_left = 0;
  assert_int_equal(floe_uv_ice_agent_new(&agent, f.uv, &ice, &why), FLOE_E_NOMEM);
  assert_null(agent);
  assert_int_equal(why.status, FLOE_E_NOMEM);
  assert_int_equal(fake_alive(), 1);
  assert_int_equal(floe_uv_ice_agent_on_icecandidate(f.agent, on_event, NULL), FLOE_E_NOMEM);
  fake_open(f.core, 1, FLOE_TRANSPORT_UDP, "127.0.0.1", NULL);
  floe_output out = {.type = FLOE_OUTPUT_INTERFACES};
  fake_push(f.core, &out);
  const fake_input *failed = fixture_await(&f, FLOE_INPUT_SOCKET_FAILED, 1, 1);
  assert_int_equal(failed->in.net_error, FLOE_NET_NO_RESOURCES);
  assert_int_equal(fixture_await(&f, FLOE_INPUT_INTERFACES, 0, 1)->in.n_interfaces, 0);
  allocations_left = LONG_MAX;
  fixture_clear(&f);
}

/* ---- threads ---- */

static size_t count_threads(void) {
  DIR *dir = opendir("/proc/self/task");
  if (dir == NULL) skip();
  size_t n = 0;
  while (readdir(dir) != NULL) n++;
  (void)closedir(dir);
  return n;
}

/* Neither of its own nor of the libraries below it: what the loop's thread does is all there is. */
static void the_driver_starts_no_thread(void **state) {
  (void)state;
  size_t n_before = count_threads();
  fixture f;
  fixture_init(&f, NULL);
  fake_interfaces(f.core);
  fake_resolve(f.core, 1, "localhost", FLOE_FAMILY_IPV4);
  fake_listen(f.core, 2, "127.0.0.1");
  (void)fixture_udp(&f, 1, "127.0.0.1");
  (void)fixture_await(&f, FLOE_INPUT_RESOLVED, 1, 1);
  assert_int_equal(count_threads(), n_before);
  fixture_clear(&f);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, teardown)
  const struct CMUnitTest tests[] = {
      TEST(events_come_from_the_loop_with_the_agent_as_target),
      TEST(the_target_is_the_agent),
      TEST(each_handler_property_hears_its_own_event),
      TEST(listeners_are_added_and_removed),
      TEST(relayed_data_and_permissions_are_handed_over),
      TEST(an_agent_may_be_closed_in_its_own_listener),
      TEST(closing_calls_back_once_and_from_the_loop),
      TEST(closing_needs_no_callback),
      TEST(closing_goes_on_until_the_core_is_done),
      TEST(nothing_can_be_asked_of_a_closing_agent),
      TEST(another_agent_that_is_ready_may_be_closed),
      TEST(agents_may_be_made_in_a_listener),
      TEST(the_agent_may_be_called_in_its_listener),
      cmocka_unit_test_setup(the_driver_may_be_closed_in_a_listener, reset),
      cmocka_unit_test_setup(agents_closed_before_the_driver_are_told_of_all_the_same, reset),
      cmocka_unit_test_setup(the_driver_may_be_closed_when_an_agent_is, reset),
      cmocka_unit_test_setup(the_driver_may_be_closed_unused, reset),
      TEST(a_deadline_is_told_once_and_never_too_early),
      TEST(without_a_deadline_the_loop_ends),
      TEST(ten_thousand_agents_share_the_timer),
      cmocka_unit_test_setup(an_idle_agent_is_small, reset),
      TEST(a_size_that_is_unknown_is_refused),
      cmocka_unit_test_setup(without_memory_no_driver_is_made, reset),
      cmocka_unit_test_setup(without_memory_an_agent_is_refused_and_a_socket_fails, reset),
      cmocka_unit_test(the_driver_starts_no_thread),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
