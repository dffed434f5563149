/* The calls of floe/uv.h that pass on to the core, and where data goes. */
#include <stdlib.h>

#include "driver_parts/fixture.h"
#include "uv/agent.h"

static floe_bytes bytes_of(const char *text) {
  return (floe_bytes){.ptr = (const uint8_t *)text, .len = strlen(text)};
}

/* The core was called as named, at a time between `since` and now. */
static void assert_called(const fixture *f, const char *name, floe_time since) {
  assert_string_equal(f->core->call.name, name);
  assert_in_range(f->core->call.now, since, floe_uv_now(f->uv));
  assert_true(f->agent->is_ready); /* the outputs are taken soon */
}

static void calls_are_passed_on_with_the_drivers_clock(void **state) {
  fixture *f = *state;
  floe_time since = floe_uv_now(f->uv);
  floe_ice_parameters params = {.ufrag = "abcd"};
  floe_error why;
  assert_int_equal(floe_uv_ice_agent_set_remote_parameters(f->agent, &params, &why), FLOE_OK);
  assert_called(f, "set_remote_parameters", since);
  assert_string_equal(f->core->call.text, "abcd");
  assert_int_equal(floe_uv_ice_agent_add_remote_candidate(f->agent, "candidate:1", &why), FLOE_OK);
  assert_called(f, "add_remote_candidate", since);
  assert_string_equal(f->core->call.text, "candidate:1");
  floe_uv_ice_agent_end_of_remote_candidates(f->agent);
  assert_called(f, "end_of_remote_candidates", since);
  assert_int_equal(floe_uv_ice_agent_set_remote_description(f->agent, "a=x", &why), FLOE_OK);
  assert_called(f, "set_remote_description", since);
  assert_string_equal(f->core->call.text, "a=x");
  assert_int_equal(floe_uv_ice_agent_send(f->agent, bytes_of("x"), 46), FLOE_OK);
  assert_called(f, "send", since);
  assert_int_equal(floe_uv_ice_agent_restart(f->agent), FLOE_OK);
  assert_called(f, "restart", since);
  floe_uv_ice_agent_on_interfaces_changed(f->agent);
  assert_called(f, "on_interfaces_changed", since);
  assert_int_equal(floe_uv_ice_agent_set_role(f->agent, FLOE_ICE_ROLE_CONTROLLED), FLOE_OK);
  assert_string_equal(f->core->call.name, "set_role");
  assert_int_equal(f->core->call.number, FLOE_ICE_ROLE_CONTROLLED);
}

static void what_the_core_answers_is_returned(void **state) {
  fixture *f = *state;
  floe_ice_parameters params = {.ufrag = "abcd"};
  floe_error why;
  f->core->reply = FLOE_E_SYNTAX;
  memset(&why, 0, sizeof why);
  assert_int_equal(floe_uv_ice_agent_set_remote_parameters(f->agent, &params, &why), FLOE_E_SYNTAX);
  assert_int_equal(why.status, FLOE_E_SYNTAX);
  memset(&why, 0, sizeof why);
  assert_int_equal(floe_uv_ice_agent_add_remote_candidate(f->agent, "", &why), FLOE_E_SYNTAX);
  assert_int_equal(why.status, FLOE_E_SYNTAX);
  memset(&why, 0, sizeof why);
  assert_int_equal(floe_uv_ice_agent_set_remote_description(f->agent, "", &why), FLOE_E_SYNTAX);
  assert_int_equal(why.status, FLOE_E_SYNTAX);
  f->core->reply = FLOE_E_STATE;
  assert_int_equal(floe_uv_ice_agent_send(f->agent, bytes_of("x"), 0), FLOE_E_STATE);
  assert_int_equal(floe_uv_ice_agent_restart(f->agent), FLOE_E_STATE);
  assert_int_equal(floe_uv_ice_agent_set_role(f->agent, FLOE_ICE_ROLE_CONTROLLED), FLOE_E_STATE);
}

static void what_the_core_knows_can_be_asked(void **state) {
  fixture *f = *state;
  const floe_ice_candidate *local = NULL;
  const floe_ice_candidate *remote = NULL;
  char text[64];
  assert_int_equal(floe_uv_ice_agent_role(f->agent), FLOE_ICE_ROLE_CONTROLLED);
  assert_string_equal(floe_uv_ice_agent_local_parameters(f->agent)->ufrag, "mine");
  assert_string_equal(floe_uv_ice_agent_remote_parameters(f->agent)->ufrag, "theirs");
  assert_int_equal(floe_uv_ice_agent_local_description(f->agent, text, sizeof text), 17);
  assert_string_equal(text, "a=ice-ufrag:mine\n");
  assert_int_equal(floe_uv_ice_agent_connection_state(f->agent), FLOE_ICE_CONNECTION_COMPLETED);
  assert_true(floe_uv_ice_agent_selected_pair(f->agent, &local, &remote));
  assert_int_equal(local->id, 3);
  assert_int_equal(remote->id, 4);
  floe_time since = floe_uv_now(f->uv);
  floe_time taken = floe_uv_ice_agent_stats(f->agent)->timestamp;
  assert_in_range(taken, since, floe_uv_now(f->uv));
  assert_int_equal(floe_uv_ice_agent_connection_report(f->agent)->n_remote_candidates, 5);
}

/* The agent goes on closing while its socket has something to say. */
static void a_closed_agent_refuses(void **state) {
  fixture *f = *state;
  floe_ice_parameters params = {.ufrag = "abcd"};
  floe_error why;
  f->core->holds_close = true;
  floe_uv_ice_agent_close(f->agent, NULL, NULL);
  memset(&why, 0xa5, sizeof why);
  assert_int_equal(floe_uv_ice_agent_set_remote_parameters(f->agent, &params, &why), FLOE_E_STATE);
  assert_int_equal(why.status, FLOE_E_STATE);
  assert_string_equal(why.path, "");
  assert_int_equal(floe_uv_ice_agent_add_remote_candidate(f->agent, "", NULL), FLOE_E_STATE);
  assert_int_equal(floe_uv_ice_agent_set_remote_description(f->agent, "", NULL), FLOE_E_STATE);
  assert_int_equal(floe_uv_ice_agent_send(f->agent, bytes_of("x"), 0), FLOE_E_STATE);
  assert_int_equal(floe_uv_ice_agent_restart(f->agent), FLOE_E_STATE);
  assert_int_equal(floe_uv_ice_agent_set_role(f->agent, FLOE_ICE_ROLE_CONTROLLED), FLOE_E_STATE);
  floe_uv_ice_agent_end_of_remote_candidates(f->agent);
  floe_uv_ice_agent_on_interfaces_changed(f->agent);
  assert_int_equal(f->core->n_calls, 0);
  assert_int_equal(floe_uv_ice_agent_role(f->agent), FLOE_ICE_ROLE_CONTROLLED); /* the core is still there */
}

/* Its core has gone, and its socket's handle is still closing: as the program sees it when it keeps the pointer until
 * on_closed. */
static void an_agent_without_a_core_knows_nothing(void **state) {
  fixture *f = *state;
  const floe_ice_candidate *local = (const floe_ice_candidate *)f;
  const floe_ice_candidate *remote = local;
  char text[4] = "abc";
  floe_ice_agent *core = f->agent->core;
  f->agent->core = NULL;
  assert_int_equal(floe_uv_ice_agent_role(f->agent), FLOE_ICE_ROLE_UNKNOWN);
  assert_null(floe_uv_ice_agent_local_parameters(f->agent));
  assert_null(floe_uv_ice_agent_remote_parameters(f->agent));
  assert_int_equal(floe_uv_ice_agent_local_description(f->agent, text, sizeof text), 0);
  assert_string_equal(text, "");
  assert_int_equal(floe_uv_ice_agent_local_description(f->agent, NULL, 0), 0);
  assert_int_equal(floe_uv_ice_agent_connection_state(f->agent), FLOE_ICE_CONNECTION_CLOSED);
  assert_false(floe_uv_ice_agent_selected_pair(f->agent, &local, &remote));
  assert_null(local);
  assert_null(remote);
  assert_false(floe_uv_ice_agent_selected_pair(f->agent, NULL, NULL));
  assert_null(floe_uv_ice_agent_stats(f->agent));
  assert_null(floe_uv_ice_agent_connection_report(f->agent));
  f->agent->core = core;
}

/* ---- data ---- */

typedef struct heard {
  size_t n;
  uint32_t candidate;
  floe_addr from;
  char text[16];
  floe_uv_ice_agent *agent; /* nullable: what the handler uses */
} heard;

static void on_data(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  heard *h = user;
  h->n++;
  h->candidate = candidate;
  h->from = *from;
  assert_true(data.len < sizeof h->text);
  memcpy(h->text, data.ptr, data.len);
  h->text[data.len] = 0;
}

static bool has_heard(void *user) {
  return ((const heard *)user)->n > 0;
}

static void turn(fixture *f) {
  fixture_poke(f);
  for (int i = 0; i < 3; i++) (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void data_goes_to_the_data_handler_alone(void **state) {
  fixture *f = *state;
  heard direct = {.n = 0};
  heard relayed = {.n = 0};
  floe_addr from;
  assert_true(floe_addr_parse(&from, "192.0.2.1:7"));
  floe_uv_relay_handler relay = {.on_data = on_data, .user = &relayed};
  floe_uv_ice_agent_on_relay(f->agent, &relay);
  floe_uv_ice_agent_on_data(f->agent, on_data, &direct);
  fake_data(f->core, 9, &from, "hello", 5);
  fixture_poke(f);
  fake_run(&f->loop, has_heard, &direct);
  assert_int_equal(direct.candidate, 9);
  assert_true(floe_addr_equal(&direct.from, &from));
  assert_string_equal(direct.text, "hello");
  assert_int_equal(relayed.n, 0);
}

static void without_a_data_handler_data_goes_to_the_relay_handler(void **state) {
  fixture *f = *state;
  heard direct = {.n = 0};
  heard relayed = {.n = 0};
  floe_addr from = {.family = FLOE_FAMILY_IPV4};
  floe_uv_relay_handler relay = {.on_data = on_data, .user = &relayed};
  floe_uv_ice_agent_on_data(f->agent, on_data, &direct);
  floe_uv_ice_agent_on_data(f->agent, NULL, NULL);
  floe_uv_ice_agent_on_relay(f->agent, &relay);
  fake_data(f->core, 2, &from, "again", 5);
  fixture_poke(f);
  fake_run(&f->loop, has_heard, &relayed);
  assert_string_equal(relayed.text, "again");
  floe_uv_ice_agent_on_relay(f->agent, NULL);
  fake_data(f->core, 2, &from, "lost", 4);
  turn(f);
  assert_int_equal(relayed.n, 1);
  assert_int_equal(direct.n, 0);
}

static void answer(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  heard *h = user;
  const floe_ice_candidate *local, *remote;
  /* What is borrowed stays, whatever is called. */
  assert_int_equal(floe_uv_ice_agent_send(h->agent, data, 0), FLOE_OK);
  assert_true(floe_uv_ice_agent_selected_pair(h->agent, &local, &remote));
  on_data(candidate, from, data, user);
}

static void a_data_handler_may_answer_from_inside(void **state) {
  fixture *f = *state;
  heard h = {.agent = f->agent};
  f->core->peer = fixture_udp(f, 2, "127.0.0.1");
  (void)fixture_udp(f, 1, "127.0.0.1");
  floe_uv_ice_agent_on_data(f->agent, answer, &h);
  floe_addr from = {.family = FLOE_FAMILY_IPV4};
  for (int i = 0; i < 3; i++) fake_data(f->core, 1, &from, "ping", 4);
  const fake_input *got = fixture_await(f, FLOE_INPUT_DATAGRAM, 2, 3);
  assert_int_equal(got->in.data.len, 4);
  assert_memory_equal(got->data, "ping", 4);
  assert_int_equal(h.n, 3);
}

static void close_agent(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  heard *h = user;
  on_data(candidate, from, data, user);
  floe_uv_ice_agent_close(h->agent, NULL, NULL);
}

static void a_data_handler_may_close_the_agent(void **state) {
  fixture *f = *state;
  heard h = {.agent = f->agent};
  floe_uv_ice_agent_on_data(f->agent, close_agent, &h);
  floe_addr from = {.family = FLOE_FAMILY_IPV4};
  for (int i = 0; i < 3; i++) fake_data(f->core, 1, &from, "ping", 4);
  fixture_poke(f);
  assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(h.n, 1);
  assert_int_equal(fake_alive(), 0);
}

/* ---- the price of a datagram ---- */

static size_t n_allocations;

static void *count_and_reallocate(void *user, void *ptr, size_t size) {
  (void)user;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  n_allocations++;
  return realloc(ptr, size);
}

static void send_and_await(fixture *f, size_t n_sent, uint8_t dscp) {
  for (size_t i = 0; i < n_sent; i++) {
    size_t n = fake_count(f->core, FLOE_INPUT_DATAGRAM, 2);
    assert_int_equal(floe_uv_ice_agent_send(f->agent, bytes_of("0123456789"), dscp), FLOE_OK);
    (void)fake_await(f->agent, &f->loop, FLOE_INPUT_DATAGRAM, 2, n + 1);
  }
}

/* The scripted core has memory of its own, so this is the driver's: sending, waking, timers, receiving. */
static void data_over_udp_allocates_nothing(void **state) {
  (void)state;
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.reallocate = count_and_reallocate;
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.env = &env;
  fixture f;
  fixture_init(&f, &cfg);
  f.core->wait_until = floe_uv_now(f.uv) + 3600 * FLOE_SECOND;
  f.core->peer = fixture_udp(&f, 2, "127.0.0.1");
  (void)fixture_udp(&f, 1, "127.0.0.1");
  send_and_await(&f, 10, 0);
  n_allocations = 0;
  send_and_await(&f, 200, 0);
  send_and_await(&f, 200, 46);
  assert_int_equal(n_allocations, 0);
  fixture_clear(&f);
}

static void a_full_connection_holds_back_data(void **state) {
  fixture *f = *state;
  f->agent->stream_queued = f->agent->max_queue;
  assert_int_equal(floe_uv_ice_agent_send(f->agent, bytes_of("x"), 0), FLOE_E_AGAIN);
  assert_int_equal(f->core->n_calls, 0);
  f->agent->stream_queued--;
  assert_int_equal(floe_uv_ice_agent_send(f->agent, bytes_of("x"), 0), FLOE_OK);
  f->agent->stream_queued = 0;
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(calls_are_passed_on_with_the_drivers_clock),
      TEST(what_the_core_answers_is_returned),
      TEST(what_the_core_knows_can_be_asked),
      TEST(a_closed_agent_refuses),
      TEST(an_agent_without_a_core_knows_nothing),
      TEST(data_goes_to_the_data_handler_alone),
      TEST(without_a_data_handler_data_goes_to_the_relay_handler),
      TEST(a_data_handler_may_answer_from_inside),
      TEST(a_data_handler_may_close_the_agent),
      cmocka_unit_test(data_over_udp_allocates_nothing),
      TEST(a_full_connection_holds_back_data),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
