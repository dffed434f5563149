/* The whole of it: an agent on the driver, the test server on the same loop, loopback between them. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floe/uv.h"
#include "support/cmocka.h"
#include "testserver_uv/testserver_uv.h"

#define MAX_EVENTS 64

typedef struct told {
  floe_event_type type;
  char text[160]; /* what the event is about, short */
} told;

typedef struct world {
  uv_loop_t loop;
  floe_uv *uv;
  floe_env *server_env;
  floe__testserver_uv *server;
  floe_uv_ice_agent *agent;
  told events[MAX_EVENTS];
  size_t n_events;
  bool is_complete;
  bool is_late;
  uv_timer_t guard;
  uint32_t relay; /* id of the relay candidate */
} world;

static world w;

/* ---- making ---- */

static floe_addr parse(const char *text) {
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, text));
  return addr;
}

static floe_addr listen_with(floe_transport transport, const char *ip, const char *script_text) {
  floe__ts_script script;
  char why[200];
  size_t offset;
  memset(&script, 0, sizeof script);
  assert_true(floe__ts_script_parse(&script, script_text, why, sizeof why, &offset));
  floe_addr at = parse(ip);
  floe_addr bound;
  assert_int_equal(floe__testserver_uv_listen(w.server, transport, &at, &script, &bound), 0);
  return bound;
}

static void on_late(uv_timer_t *timer) {
  (void)timer;
  w.is_late = true;
}

static int set_up(void **state) {
  (void)state;
  memset(&w, 0, sizeof w);
  assert_int_equal(uv_loop_init(&w.loop), 0);
  assert_int_equal(uv_timer_init(&w.loop, &w.guard), 0);
  assert_int_equal(uv_timer_start(&w.guard, on_late, 15000, 0), 0);
  uv_unref((uv_handle_t *)&w.guard);
  floe__ts_config ts = {.username = "user", .credential = "secret", .relay_ipv4 = parse("127.0.0.1")};
  assert_int_equal(floe_env_new(&w.server_env, NULL), FLOE_OK);
  assert_int_equal(floe__testserver_uv_new(&w.server, &w.loop, w.server_env, &ts), 0);
  assert_int_equal(floe_uv_new(&w.uv, &w.loop, NULL, NULL), FLOE_OK);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  uv_close((uv_handle_t *)&w.guard, NULL);
  floe__testserver_uv_close(w.server, NULL, NULL);
  if (w.uv != NULL) floe_uv_close(w.uv);
  assert_int_equal(uv_run(&w.loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(uv_loop_close(&w.loop), 0);
  floe_env_free(w.server_env);
  return 0;
}

static void run_until(const bool *done) {
  while (!*done && !w.is_late) (void)uv_run(&w.loop, UV_RUN_ONCE);
  assert_false(w.is_late);
}

/* ---- listening ---- */

static void on_event(const floe_event *event, void *user) {
  (void)user;
  assert_true(w.n_events < MAX_EVENTS);
  assert_ptr_equal(event->target, w.agent);
  told *t = &w.events[w.n_events++];
  t->type = event->type;
  switch ((int)event->type) {
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE:
      (void)snprintf(t->text, sizeof t->text, "%s", floe_ice_gathering_state_name(event->u.gathering_state));
      w.is_complete = event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE;
      break;
    case FLOE_EVENT_ICECANDIDATE:
      if (event->u.candidate == NULL) break;
      (void)snprintf(t->text, sizeof t->text, "%s", floe_candidate_type_name(event->u.candidate->type));
      if (event->u.candidate->type == FLOE_CANDIDATE_RELAY) w.relay = event->u.candidate->id;
      break;
    case FLOE_EVENT_ICECANDIDATEERROR:
    case FLOE_EVENT_ICESERVERERROR:
      (void)snprintf(t->text, sizeof t->text, "%u %s", event->u.error.error_code,
                     floe_cause_id(event->u.error.detail->cause));
      break;
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE:
    case FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE:
    default: fail();
  }
}

static void make_agent(const char *const *urls, size_t n) {
  static const char *const interfaces[] = {"lo"};
  floe_ice_server server = {.urls = urls, .n_urls = n, .username = "user", .credential = "secret"};
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = &server;
  cfg.n_ice_servers = 1;
  cfg.include_loopback = true;
  cfg.interfaces = interfaces;
  cfg.n_interfaces = 1;
  const char *ca = floe__testserver_ca_pem(floe__testserver_uv_core(w.server));
  cfg.ca_pem = (floe_bytes){.ptr = (const uint8_t *)ca, .len = strlen(ca)};
  floe_error why;
  floe_status st = floe_uv_ice_agent_new(&w.agent, w.uv, &cfg, &why);
  if (st != FLOE_OK) fail_msg("%s: %s", why.path, why.message);
  for (int i = 0; i < (int)FLOE_EVENT_COUNT; i++) {
    st = floe_uv_ice_agent_add_event_listener(w.agent, (floe_event_type)i, on_event, NULL);
    assert_int_equal(st, FLOE_OK);
  }
}

static void gather(const char *url) {
  make_agent(&url, 1);
  assert_int_equal(floe_uv_ice_agent_gather(w.agent), FLOE_OK);
  assert_int_equal(w.n_events, 0); /* the first comes from the loop */
  run_until(&w.is_complete);
}

static size_t count(floe_event_type type, const char *text) {
  size_t n = 0;
  for (size_t i = 0; i < w.n_events; i++) {
    if (w.events[i].type == type && strcmp(w.events[i].text, text) == 0) n++;
  }
  return n;
}

static const floe_report *report(void) {
  const floe_report *r = floe_ice_agent_report(floe_uv_ice_agent_core(w.agent));
  assert_non_null(r);
  return r;
}

static const char *url_of(const char *scheme, const floe_addr *addr, const char *query) {
  static char url[128];
  char text[FLOE_ADDR_TEXT];
  (void)snprintf(url, sizeof url, "%s:%s%s", scheme, floe_addr_format(addr, text), query);
  return url;
}

/* ---- tests ---- */

static void gathers_from(const char *scheme, floe_transport transport, const char *ip, const char *query,
                         const char *type) {
  floe_addr at = listen_with(transport, ip, "correct");
  gather(url_of(scheme, &at, query));
  assert_int_equal(report()->verdict, FLOE_VERDICT_OK);
  assert_int_equal(w.events[0].type, FLOE_EVENT_ICEGATHERINGSTATECHANGE);
  assert_string_equal(w.events[0].text, "gathering");
  assert_int_equal(count(FLOE_EVENT_ICECANDIDATEERROR, ""), 0);
  assert_true(count(FLOE_EVENT_ICECANDIDATE, "host") >= 1);
  if (type != NULL) assert_int_equal(count(FLOE_EVENT_ICECANDIDATE, type), 1);
  assert_int_equal(w.events[w.n_events - 2].type, FLOE_EVENT_ICECANDIDATE);
  assert_string_equal(w.events[w.n_events - 2].text, "");
  assert_string_equal(w.events[w.n_events - 1].text, "complete");
}

/* On loopback the mapped address is the host's own, so the server's candidate is redundant and not told. */
static void stun_over_udp_works(void **state) {
  (void)state;
  gathers_from("stun", FLOE_TRANSPORT_UDP, "127.0.0.1", "", NULL);
  assert_true(report()->servers[0].attempts[0]->redundant);
}

static void stun_over_ipv6_works(void **state) {
  (void)state;
  gathers_from("stun", FLOE_TRANSPORT_UDP, "::1", "", NULL);
  assert_int_equal(report()->servers[0].attempts[0]->detail.family, FLOE_FAMILY_IPV6);
}

static void turn_over_udp_works(void **state) {
  (void)state;
  gathers_from("turn", FLOE_TRANSPORT_UDP, "127.0.0.1", "", "relay");
}

static void turn_over_tcp_works(void **state) {
  (void)state;
  gathers_from("turn", FLOE_TRANSPORT_TCP, "127.0.0.1", "?transport=tcp", "relay");
}

static void turn_over_tls_works(void **state) {
  (void)state;
  gathers_from("turns", FLOE_TRANSPORT_TLS, "127.0.0.1", "", "relay");
}

static void a_bytewise_server_works(void **state) {
  (void)state;
  floe_addr at = listen_with(FLOE_TRANSPORT_TCP, "127.0.0.1", "bytewise");
  gather(url_of("turn", &at, "?transport=tcp"));
  assert_int_equal(count(FLOE_EVENT_ICECANDIDATE, "relay"), 1);
}

static void fails_with(floe_transport transport, const char *script, const char *scheme, const char *query,
                       const char *error) {
  floe_addr at = listen_with(transport, "127.0.0.1", script);
  gather(url_of(scheme, &at, query));
  assert_int_equal(report()->verdict, FLOE_VERDICT_FAILED);
  if (count(FLOE_EVENT_ICECANDIDATEERROR, error) == 1) return;
  for (size_t i = 0; i < w.n_events; i++) print_message("%s %s\n", floe_event_name(w.events[i].type), w.events[i].text);
  fail_msg("no error \"%s\"", error);
}

static void a_servers_own_error_is_told(void **state) {
  (void)state;
  fails_with(FLOE_TRANSPORT_UDP, "error-after-auth=486", "turn", "", "486 quota_reached");
}

static void a_reset_is_told(void **state) {
  (void)state;
  fails_with(FLOE_TRANSPORT_TCP, "reset-after-accept", "turn", "?transport=tcp", "701 tcp_reset");
}

static void a_fin_is_told(void **state) {
  (void)state;
  fails_with(FLOE_TRANSPORT_TCP, "close-after-accept", "turn", "?transport=tcp", "701 tcp_closed");
}

static void a_bad_certificate_is_told(void **state) {
  (void)state;
  fails_with(FLOE_TRANSPORT_TLS, "tls-self-signed", "turns", "", "701 tls_untrusted");
}

/* A port that was just given back. */
static floe_addr closed_port(floe_transport transport) {
  uv_loop_t loop;
  union {
    uv_udp_t udp;
    uv_tcp_t tcp;
    uv_handle_t handle;
  } s;
  struct sockaddr_in sa;
  int len = sizeof sa;
  assert_int_equal(uv_loop_init(&loop), 0);
  assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &sa), 0);
  if (transport == FLOE_TRANSPORT_UDP) {
    assert_int_equal(uv_udp_init(&loop, &s.udp), 0);
    assert_int_equal(uv_udp_bind(&s.udp, (const struct sockaddr *)&sa, 0), 0);
    assert_int_equal(uv_udp_getsockname(&s.udp, (struct sockaddr *)&sa, &len), 0);
  } else {
    assert_int_equal(uv_tcp_init(&loop, &s.tcp), 0);
    assert_int_equal(uv_tcp_bind(&s.tcp, (const struct sockaddr *)&sa, 0), 0);
    assert_int_equal(uv_tcp_getsockname(&s.tcp, (struct sockaddr *)&sa, &len), 0);
  }
  uv_close(&s.handle, NULL);
  (void)uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&loop), 0);
  floe_addr addr = parse("127.0.0.1");
  addr.port = ntohs(sa.sin_port);
  return addr;
}

static void refused(const char *scheme, floe_transport transport, const char *query, const char *error) {
  floe_addr at = closed_port(transport);
  uint64_t began = uv_hrtime();
  gather(url_of(scheme, &at, query));
  assert_int_equal(count(FLOE_EVENT_ICECANDIDATEERROR, error), 1);
  assert_true(uv_hrtime() - began < FLOE_SECOND);
}

static void a_closed_udp_port_is_told_at_once(void **state) {
  (void)state;
#ifdef FLOE_PORTABLE_OS
  skip();
#endif
  refused("stun", FLOE_TRANSPORT_UDP, "", "701 port_unreachable");
  const floe_attempt_detail *d = &report()->servers[0].attempts[0]->detail;
  assert_true(d->has_icmp);
  assert_int_equal(d->icmp_type, 3);
  assert_int_equal(d->icmp_code, 3);
}

static void a_closed_tcp_port_is_told_at_once(void **state) {
  (void)state;
  refused("turn", FLOE_TRANSPORT_TCP, "?transport=tcp", "701 tcp_refused");
  const floe_attempt_detail *d = &report()->servers[0].attempts[0]->detail;
  assert_true(d->has_os_error);
  assert_string_equal(d->os_error_text, "Connection refused");
}

static void a_name_is_looked_up(void **state) {
  (void)state;
  floe_addr at = listen_with(FLOE_TRANSPORT_UDP, "127.0.0.1", "correct");
  char url[64];
  (void)snprintf(url, sizeof url, "stun:localhost:%u", at.port);
  gather(url);
  const floe_server_report *s = &report()->servers[0];
  assert_int_not_equal(s->verdict, FLOE_VERDICT_FAILED);
  assert_string_equal(s->attempts[0]->detail.server_name, "localhost");
  assert_true(s->attempts[0]->has_dns_ms);
}

typedef struct relayed {
  bool is_permitted;
  bool has_come;
  floe_addr from;
  char data[16];
} relayed;

static void on_permission(uint32_t candidate, const floe_addr *peer, bool granted, void *user) {
  (void)peer;
  assert_int_equal(candidate, w.relay);
  assert_true(granted);
  ((relayed *)user)->is_permitted = true;
}

static void on_data(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  relayed *r = user;
  assert_int_equal(candidate, w.relay);
  assert_in_range(data.len, 1, sizeof r->data - 1);
  memcpy(r->data, data.ptr, data.len);
  r->from = *from;
  r->has_come = true;
}

/* Through the relay to its own address, and back. */
static void data_goes_through_a_relay(void **state) {
  (void)state;
  floe_addr at = listen_with(FLOE_TRANSPORT_UDP, "127.0.0.1", "correct");
  gather(url_of("turn", &at, ""));
  relayed r = {0};
  floe_uv_relay_handler handler = {.on_data = on_data, .on_permission = on_permission, .user = &r};
  floe_uv_ice_agent_on_relay(w.agent, &handler);
  floe_addr self = floe_ice_agent_candidate(floe_uv_ice_agent_core(w.agent), w.relay)->address;
  assert_int_equal(floe_uv_ice_agent_permit(w.agent, w.relay, &self, false), FLOE_OK);
  assert_false(r.is_permitted);
  run_until(&r.is_permitted);
  floe_bytes data = {.ptr = (const uint8_t *)"round trip", .len = 10};
  assert_int_equal(floe_uv_ice_agent_send_relayed(w.agent, w.relay, &self, data), FLOE_OK);
  run_until(&r.has_come);
  assert_string_equal(r.data, "round trip");
  assert_true(floe_addr_equal(&r.from, &self));
}

static void set_true(void *user) {
  *(bool *)user = true;
}

static void closing_deletes_the_allocation(void **state) {
  (void)state;
  floe_addr at = listen_with(FLOE_TRANSPORT_UDP, "127.0.0.1", "correct");
  gather(url_of("turn", &at, ""));
  floe__testserver *server = floe__testserver_uv_core(w.server);
  assert_int_equal(floe__testserver_counters(server).allocations, 1);
  bool is_closed = false;
  size_t n = w.n_events;
  floe_uv_ice_agent_close(w.agent, set_true, &is_closed);
  assert_false(is_closed);
  run_until(&is_closed);
  assert_int_equal(floe__testserver_counters(server).allocations, 0);
  assert_int_equal(floe__testserver_counters(server).deletions, 1);
  assert_int_equal(w.n_events, n);
}

static void close_on_first(const floe_event *event, void *user) {
  (void)event;
  floe_uv_ice_agent_close(w.agent, set_true, user);
  w.n_events = 0;
}

static void an_agent_may_be_closed_at_its_first_candidate(void **state) {
  (void)state;
  floe_addr at = listen_with(FLOE_TRANSPORT_UDP, "127.0.0.1", "late=50");
  const char *url = url_of("turn", &at, "");
  make_agent(&url, 1);
  bool is_closed = false;
  assert_int_equal(floe_uv_ice_agent_on_icecandidate(w.agent, close_on_first, &is_closed), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_gather(w.agent), FLOE_OK);
  run_until(&is_closed);
  assert_int_equal(w.n_events, 0);
}

static void close_driver(const floe_event *event, void *user) {
  (void)event;
  (void)user;
  floe_uv_close(w.uv);
  w.uv = NULL;
}

static void the_driver_may_be_closed_at_the_first_candidate(void **state) {
  (void)state;
  floe_addr at = listen_with(FLOE_TRANSPORT_TCP, "127.0.0.1", "correct");
  const char *url = url_of("turn", &at, "?transport=tcp");
  make_agent(&url, 1);
  assert_int_equal(floe_uv_ice_agent_on_icecandidate(w.agent, close_driver, NULL), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_gather(w.agent), FLOE_OK);
  while (w.uv != NULL && !w.is_late) (void)uv_run(&w.loop, UV_RUN_ONCE);
  assert_null(w.uv);
}

static void gathering_again_is_a_new_gathering(void **state) {
  (void)state;
  floe_addr at = listen_with(FLOE_TRANSPORT_UDP, "127.0.0.1", "correct");
  gather(url_of("turn", &at, ""));
  w.n_events = 0;
  w.is_complete = false;
  assert_int_equal(floe_uv_ice_agent_gather(w.agent), FLOE_OK);
  assert_int_equal(floe_uv_ice_agent_gather(w.agent), FLOE_E_STATE);
  run_until(&w.is_complete);
  assert_int_equal(count(FLOE_EVENT_ICECANDIDATE, "relay"), 1);
}

static void prefetched_events_come_after_gathering(void **state) {
  (void)state;
  floe_addr at = listen_with(FLOE_TRANSPORT_UDP, "127.0.0.1", "correct");
  const char *url = url_of("turn", &at, "");
  make_agent(&url, 1);
  assert_int_equal(floe_uv_ice_agent_prefetch(w.agent), FLOE_OK);
  floe__testserver *server = floe__testserver_uv_core(w.server);
  while (floe__testserver_counters(server).allocations == 0 && !w.is_late) (void)uv_run(&w.loop, UV_RUN_ONCE);
  assert_int_equal(w.n_events, 0);
  assert_int_equal(floe_uv_ice_agent_gather(w.agent), FLOE_OK);
  assert_int_equal(w.n_events, 0);
  run_until(&w.is_complete);
  assert_string_equal(w.events[0].text, "gathering");
  assert_int_equal(count(FLOE_EVENT_ICECANDIDATE, "relay"), 1);
}

/* The agent on a loop of its own, driven by poll(2); the server stays on the test's. */
static void an_own_loop_gathers_too(void **state) {
  (void)state;
  floe_addr at = listen_with(FLOE_TRANSPORT_TCP, "127.0.0.1", "correct");
  floe_uv *outer = w.uv;
  assert_int_equal(floe_uv_new(&w.uv, NULL, NULL, NULL), FLOE_OK);
  const char *url = url_of("turn", &at, "?transport=tcp");
  make_agent(&url, 1);
  assert_int_equal(floe_uv_ice_agent_gather(w.agent), FLOE_OK);
  while (!w.is_complete && !w.is_late) {
    struct pollfd fds[] = {{.fd = floe_uv_backend_fd(w.uv), .events = POLLIN},
                           {.fd = uv_backend_fd(&w.loop), .events = POLLIN}};
    int timeout = floe_uv_backend_timeout(w.uv);
    (void)poll(fds, 2, timeout >= 0 && timeout < 10 ? timeout : 10);
    (void)uv_run(&w.loop, UV_RUN_NOWAIT);
    (void)floe_uv_dispatch(w.uv);
  }
  assert_int_equal(count(FLOE_EVENT_ICECANDIDATE, "relay"), 1);
  floe_uv_close(w.uv);
  w.uv = outer;
}

#define MANY 100

static size_t n_complete;

static void on_state(const floe_event *event, void *user) {
  (void)user;
  if (event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE) n_complete++;
}

static void many_agents_gather_side_by_side(void **state) {
  (void)state;
  static floe_uv_ice_agent *agents[MANY];
  floe_addr at = listen_with(FLOE_TRANSPORT_UDP, "127.0.0.1", "correct");
  const char *url = url_of("turn", &at, "");
  n_complete = 0;
  for (size_t i = 0; i < MANY; i++) {
    make_agent(&url, 1);
    agents[i] = w.agent;
    for (int j = 0; j < (int)FLOE_EVENT_COUNT; j++) {
      floe_uv_ice_agent_remove_event_listener(w.agent, (floe_event_type)j, on_event, NULL);
    }
    assert_int_equal(floe_uv_ice_agent_on_icegatheringstatechange(w.agent, on_state, NULL), FLOE_OK);
    assert_int_equal(floe_uv_ice_agent_gather(w.agent), FLOE_OK);
  }
  while (n_complete < MANY && !w.is_late) (void)uv_run(&w.loop, UV_RUN_ONCE);
  floe__testserver *server = floe__testserver_uv_core(w.server);
  assert_int_equal(floe__testserver_counters(server).allocations, MANY);
  bool is_closed = false;
  for (size_t i = 0; i < MANY; i++) floe_uv_ice_agent_close(agents[i], i == 0 ? set_true : NULL, &is_closed);
  while (floe__testserver_counters(server).allocations > 0 && !w.is_late) (void)uv_run(&w.loop, UV_RUN_ONCE);
  run_until(&is_closed);
  assert_int_equal(floe__testserver_counters(server).deletions, MANY);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(stun_over_udp_works),
      TEST(stun_over_ipv6_works),
      TEST(turn_over_udp_works),
      TEST(turn_over_tcp_works),
      TEST(turn_over_tls_works),
      TEST(a_bytewise_server_works),
      TEST(a_servers_own_error_is_told),
      TEST(a_reset_is_told),
      TEST(a_fin_is_told),
      TEST(a_bad_certificate_is_told),
      TEST(a_closed_udp_port_is_told_at_once),
      TEST(a_closed_tcp_port_is_told_at_once),
      TEST(a_name_is_looked_up),
      TEST(data_goes_through_a_relay),
      TEST(closing_deletes_the_allocation),
      TEST(an_agent_may_be_closed_at_its_first_candidate),
      TEST(the_driver_may_be_closed_at_the_first_candidate),
      TEST(gathering_again_is_a_new_gathering),
      TEST(prefetched_events_come_after_gathering),
      TEST(an_own_loop_gathers_too),
      TEST(many_agents_gather_side_by_side),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
