/* Two agents of the real core on one driver, which connect over loopback: descriptions go from one to the other by
 * hand, all else through the system. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "floe/uv.h"
#include "support/cmocka.h"

#define MAX_TEXT 16384

typedef struct side {
  floe_uv_ice_agent *agent;
  bool is_complete;
  floe_ice_connection_state state;
  size_t n_states;
  size_t n_pair_changes;
  size_t n_data;
  size_t n_bytes;
  char last[64];
  uint32_t last_candidate;
  bool is_closed;
} side;

typedef struct world {
  uv_loop_t loop;
  floe_uv *uv;
  side a, b;
  uv_timer_t guard;
  bool is_late;
} world;

static world w;

/* ---- memory that counts ---- */

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

/* ---- making; callbacks assert nothing, for a jump out of the loop would leave it broken ---- */

static void on_late(uv_timer_t *timer) {
  (void)timer;
  w.is_late = true;
}

static int set_up(void **state) {
  (void)state;
  memset(&w, 0, sizeof w);
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.reallocate = count_and_reallocate;
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.env = &env;
  assert_int_equal(uv_loop_init(&w.loop), 0);
  assert_int_equal(uv_timer_init(&w.loop, &w.guard), 0);
  assert_int_equal(uv_timer_start(&w.guard, on_late, 15000, 0), 0);
  assert_int_equal(floe_uv_new(&w.uv, &w.loop, &cfg, NULL), FLOE_OK);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  uv_close((uv_handle_t *)&w.guard, NULL);
  floe_uv_close(w.uv);
  assert_int_equal(uv_run(&w.loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(uv_loop_close(&w.loop), 0);
  return 0;
}

static void run_until(bool (*done)(void)) {
  while (!done() && !w.is_late) (void)uv_run(&w.loop, UV_RUN_ONCE);
  if (w.is_late) fail_msg("what the test waits for has not come");
}

static void on_gathering(const floe_event *event, void *user) {
  ((side *)user)->is_complete = event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE;
}

static void on_connection(const floe_event *event, void *user) {
  side *s = user;
  s->state = event->u.connection.state;
  s->n_states++;
}

static void on_pair(const floe_event *event, void *user) {
  if (event->target == ((side *)user)->agent) ((side *)user)->n_pair_changes++;
}

static void on_data(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  side *s = user;
  (void)from;
  s->n_data++;
  s->n_bytes += data.len;
  s->last_candidate = candidate;
  (void)snprintf(s->last, sizeof s->last, "%.*s", (int)data.len, (const char *)data.ptr);
}

static const char *const only_loopback[] = {"lo"};

static floe_ice_config plain_config(void) {
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.include_loopback = true;
  cfg.interfaces = only_loopback;
  cfg.n_interfaces = 1;
  return cfg;
}

static void make_side(side *s, const floe_ice_config *cfg) {
  floe_error why;
  assert_int_equal(floe_uv_ice_agent_new(&s->agent, w.uv, cfg, &why), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_on_icegatheringstatechange(s->agent, on_gathering, s), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_on_iceconnectionstatechange(s->agent, on_connection, s), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_on_selectedcandidatepairchange(s->agent, on_pair, s), FLOE_OK);
  floe_uv_ice_agent_on_data(s->agent, on_data, s);
}

static bool both_are_complete(void) {
  return w.a.is_complete && w.b.is_complete;
}

static bool is_up(const side *s) {
  return s->state == FLOE_ICE_CONNECTION_CONNECTED || s->state == FLOE_ICE_CONNECTION_COMPLETED;
}

static bool both_are_up(void) {
  return is_up(&w.a) && is_up(&w.b);
}

static void gather_both(void) {
  w.a.is_complete = w.b.is_complete = false;
  assert_int_equal(floe_uv_ice_agent_gather(w.a.agent), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_gather(w.b.agent), FLOE_OK);
  run_until(both_are_complete);
}

static void tell(side *to, const side *from, const char *only) {
  static char text[MAX_TEXT];
  floe_error why = {.message = ""};
  assert_true(floe_uv_ice_agent_local_description(from->agent, text, sizeof text) < sizeof text);
  if (only == NULL) {
    assert_int_equal(floe_uv_ice_agent_set_remote_description(to->agent, text, &why), FLOE_OK);
    return;
  }
  /* The same by hand, and only candidates with this word in them. */
  assert_int_equal(
      floe_uv_ice_agent_set_remote_parameters(to->agent, floe_uv_ice_agent_local_parameters(from->agent), &why),
      FLOE_OK);
  size_t n = 0;
  for (char *line = strtok(text, "\r\n"); line != NULL; line = strtok(NULL, "\r\n")) {
    if (strncmp(line, "a=candidate:", 12) != 0 || strstr(line, only) == NULL) continue;
    assert_int_equal(floe_uv_ice_agent_add_remote_candidate(to->agent, line, &why), FLOE_OK);
    n++;
  }
  assert_true(n > 0);
  floe_uv_ice_agent_end_of_remote_candidates(to->agent);
}

static void connect_both(const floe_ice_config *cfg_a, const floe_ice_config *cfg_b, const char *only) {
  make_side(&w.a, cfg_a);
  make_side(&w.b, cfg_b);
  gather_both();
  tell(&w.a, &w.b, only);
  tell(&w.b, &w.a, only);
  run_until(both_are_up);
}

static floe_bytes bytes_of(const char *text) {
  return (floe_bytes){.ptr = (const uint8_t *)text, .len = strlen(text)};
}

static size_t want_a, want_b;

static bool all_has_come(void) {
  return w.a.n_data >= want_a && w.b.n_data >= want_b;
}

static void both_talk(void) {
  want_a = w.a.n_data + 1;
  want_b = w.b.n_data + 1;
  assert_int_equal(floe_uv_ice_agent_send(w.a.agent, bytes_of("from a"), 0), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_send(w.b.agent, bytes_of("from b"), 0), FLOE_OK);
  run_until(all_has_come);
  assert_string_equal(w.a.last, "from b");
  assert_string_equal(w.b.last, "from a");
}

/* ---- the tests ---- */

static void two_agents_connect_and_talk(void **state) {
  (void)state;
  floe_ice_config cfg = plain_config();
  connect_both(&cfg, &cfg, NULL);
  const floe_ice_candidate *local, *remote;
  assert_true(floe_uv_ice_agent_selected_pair(w.a.agent, &local, &remote));
  assert_int_equal(local->transport, FLOE_TRANSPORT_UDP);
  assert_int_equal(local->type, FLOE_CANDIDATE_HOST);
  assert_true(w.a.n_pair_changes >= 1);
  both_talk();
  assert_int_not_equal(floe_uv_ice_agent_role(w.a.agent), floe_uv_ice_agent_role(w.b.agent));
  const floe_stats *stats = floe_uv_ice_agent_stats(w.a.agent);
  assert_int_equal(stats->transport.packets_sent, 1);
  assert_int_equal(stats->transport.bytes_received, strlen("from b"));
  const floe_connection_report *report = floe_uv_ice_agent_connection_report(w.b.agent);
  assert_int_equal(report->verdict, FLOE_CAUSE_NONE);
  assert_true(report->received_anything);
}

static void a_restart_connects_anew(void **state) {
  (void)state;
  floe_ice_config cfg = plain_config();
  connect_both(&cfg, &cfg, NULL);
  char before[64];
  (void)snprintf(before, sizeof before, "%s", floe_uv_ice_agent_local_parameters(w.a.agent)->ufrag);
  assert_int_equal(floe_uv_ice_agent_restart(w.a.agent), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_restart(w.b.agent), FLOE_OK);
  assert_string_not_equal(floe_uv_ice_agent_local_parameters(w.a.agent)->ufrag, before);
  assert_null(floe_uv_ice_agent_remote_parameters(w.a.agent));
  both_talk(); /* over the old pair */
  gather_both();
  tell(&w.a, &w.b, NULL);
  tell(&w.b, &w.a, NULL);
  both_talk();
}

static void tcp(bool is_so) {
  floe_ice_config cfg = plain_config();
  cfg.tcp_passive = !is_so;
  cfg.tcp_so = is_so;
  connect_both(&cfg, &cfg, is_so ? "tcptype so" : "tcptype passive");
  const floe_ice_candidate *local, *remote;
  assert_true(floe_uv_ice_agent_selected_pair(w.a.agent, &local, &remote));
  assert_int_equal(local->transport, FLOE_TRANSPORT_TCP);
  both_talk();
  /* A stream has no borders of its own: what was sent as one comes as one. */
  want_b = w.b.n_data + 3;
  want_a = 0;
  size_t n_bytes = w.b.n_bytes;
  for (int i = 0; i < 3; i++) assert_int_equal(floe_uv_ice_agent_send(w.a.agent, bytes_of("piece"), 46), FLOE_OK);
  run_until(all_has_come);
  assert_int_equal(w.b.n_bytes, n_bytes + 15);
  assert_string_equal(w.b.last, "piece");
}

static void two_agents_connect_over_tcp(void **state) {
  (void)state;
  tcp(false);
}

static void two_agents_connect_by_simultaneous_open(void **state) {
  (void)state;
  tcp(true);
}

static bool a_is_closed(void) {
  return w.a.is_closed;
}

static void on_closed(void *user) {
  *(bool *)user = true;
}

static void what_is_sent_before_close_arrives(void **state) {
  (void)state;
  floe_ice_config cfg = plain_config();
  connect_both(&cfg, &cfg, NULL);
  assert_int_equal(floe_uv_ice_agent_send(w.a.agent, bytes_of("bye"), 0), FLOE_OK);
  floe_uv_ice_agent_close(w.a.agent, on_closed, &w.a.is_closed);
  run_until(a_is_closed);
  want_a = 0;
  want_b = 1;
  run_until(all_has_come);
  assert_string_equal(w.b.last, "bye");
}

/* ---- the price of a packet ---- */

static uint8_t packet[1200];

static void send_packets(size_t n, uint8_t dscp) {
  floe_bytes data = {.ptr = packet, .len = sizeof packet};
  want_a = 0;
  for (size_t i = 0; i < n; i++) {
    want_b = w.b.n_data + 1;
    assert_int_equal(floe_uv_ice_agent_send(w.a.agent, data, dscp), FLOE_OK);
    run_until(all_has_come);
  }
}

static size_t price_of(size_t n_packets, uint8_t dscp) {
  send_packets(10, dscp);
  n_allocations = 0;
  send_packets(n_packets, dscp);
  return n_allocations;
}

/* One by one, as a program with a clock sends them. Now and then a check of consent goes out, which has memory of its
 * own: so the limit is not 0. */
static void a_packet_allocates_nothing(void **state) {
  (void)state;
  floe_ice_config cfg = plain_config();
  connect_both(&cfg, &cfg, NULL);
  memset(packet, 0x80, sizeof packet); /* as RTP begins (RFC 7983) */
  assert_in_range(price_of(500, 0), 0, 50);
  assert_in_range(price_of(500, 46), 0, 50);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(two_agents_connect_and_talk),       TEST(a_restart_connects_anew),
      TEST(two_agents_connect_over_tcp),       TEST(two_agents_connect_by_simultaneous_open),
      TEST(what_is_sent_before_close_arrives), TEST(a_packet_allocates_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
