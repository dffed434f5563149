/* Endings that meet: a success and the end of its connection in one read, a close while a socket opens, an allocation
 * lost while something is asked of it. Each was once a bug. */
#include "support/sim_responder.h"
#include "support/world.h"
#include "tls/tls_stream.h"

#define TCP  "turn:192.0.2.1?transport=tcp"
#define TURN "turn:192.0.2.1"

/* --- a success, and garbage or the end behind it ---------------------------------------------------------------- */

static void succeed_with_garbage(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  (void)n;
  uint8_t both[3000];
  sim_responder_success(r, request);
  floe_bytes answer = floe__stun_end(&r->answer);
  assert_true(answer.len + 4 <= sizeof both);
  memcpy(both, answer.ptr, answer.len);
  memcpy(both + answer.len, "\xff\xff\xff\xff", 4);
  sim_responder_send_bytes(r, (floe_bytes){both, answer.len + 4});
}

static void an_allocation_lost_in_the_same_read_is_told_first(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_responder_tcp(w->server_host, "192.0.2.1:3478", succeed_with_garbage);
  world_add(w, TCP);
  world_gather(w);
  sim_run_for(w->s, 1);
  world_expect(w, BEGIN "20.0 candidate relay * " TCP
                        "\n"
                        "20.0 candidate end\n"
                        "20.0 state complete\n"
                        "20.0 servererror 701 not_stun " TCP " at 10.0.0.1:50001 refresh\n");
  world_free(w);
}

/* A TLS server that answers a Binding request and adds something, all in one segment. */
typedef struct tls_server {
  sim *s;
  floe_env *env;
  floe__tls *tls;
  sim_tcp *conn;
  char *cert, *key;
  bool says_goodbye; /* close_notify; else garbage */
} tls_server;

static void answer_binding(tls_server *t, floe_bytes request) {
  uint8_t out[128];
  floe__stun_msg m;
  floe__stun_builder b;
  floe_addr mapped = sim_addr("203.0.113.1:4444");
  if (floe__stun_msg_parse(&m, request) != FLOE__STUN_OK) return;
  floe__stun_begin(&b, out, sizeof out - 4, FLOE__STUN_SUCCESS, m.method, m.txn_id);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped);
  floe_bytes answer = floe__stun_end(&b);
  memcpy(out + answer.len, "\xff\xff\xff\xff", 4);
  assert_true(floe__tls_write(t->tls, (floe_bytes){out, answer.len + (t->says_goodbye ? 0 : 4)}));
  if (t->says_goodbye) floe__tls_shutdown(t->tls);
}

static void on_tls_bytes(void *user, floe_bytes data) {
  tls_server *t = user;
  uint8_t plain[1024];
  static uint8_t segment[32768];
  size_t len = 0;
  floe__tls_on_bytes(t->tls, data, sim_now(t->s));
  size_t n = floe__tls_read(t->tls, plain, sizeof plain);
  if (n > 0) answer_binding(t, (floe_bytes){plain, n});
  for (floe_bytes o = floe__tls_output(t->tls); o.len > 0; o = floe__tls_output(t->tls)) {
    assert_true(len + o.len <= sizeof segment);
    memcpy(segment + len, o.ptr, o.len);
    len += o.len;
    floe__tls_sent(t->tls, o.len);
  }
  if (len > 0) sim_tcp_send(t->conn, (floe_bytes){segment, len});
}

static void on_tls_end(void *user) {
  tls_server *t = user;
  sim_tcp_close(t->conn);
}

static void on_tls_failed(void *user, floe_net_error error) {
  (void)user;
  (void)error;
}

static const sim_tcp_ops tls_ops = {.on_bytes = on_tls_bytes, .on_failed = on_tls_failed, .on_end = on_tls_end};

static void on_tls_accept(void *user, sim_tcp *conn, const floe_addr *from) {
  tls_server *t = user;
  (void)from;
  t->conn = conn;
  t->tls = floe__tls_server_new(t->env, (floe_bytes){(const uint8_t *)t->cert, strlen(t->cert)},
                                (floe_bytes){(const uint8_t *)t->key, strlen(t->key)});
  assert_non_null(t->tls);
  sim_tcp_set(conn, &tls_ops, t);
}

static void a_stun_server_may_hang_up_with_its_answer(void **state) {
  (void)state;
  for (int goodbye = 0; goodbye <= 1; goodbye++) {
    world *w = world_new(1);
    tls_server t = {.s = w->s, .says_goodbye = goodbye == 1};
    floe__cert_config cert = {.subject_cn = "x", .ip_names = "192.0.2.1", .not_before = 0, .not_after = 4000000000};
    floe_addr at = sim_addr("192.0.2.1:5349");
    assert_int_equal(floe_env_new(&t.env, NULL), FLOE_OK);
    assert_true(floe__cert_make(t.env, &cert, &t.cert, &t.key));
    assert_true(sim_tcp_listen(w->server_host, &at, on_tls_accept, &t));
    w->cfg.tls_insecure = true;
    world_add(w, "stuns:192.0.2.1");
    world_gather(w);
    world_expect(w, BEGIN END("30.0"));
    assert_int_equal(floe_ice_agent_report(sim_agent_core(w->agent))->verdict, FLOE_VERDICT_OK);
    world_free(w);
    floe__tls_free(t.tls);
    floe__free(t.env, t.cert);
    floe__free_secret(t.env, t.key, strlen(t.key));
    floe_env_free(t.env);
  }
}

/* --- an answer that cannot be used decides, whatever other addresses there are ------------------------------------ */

static void overrun(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  (void)n;
  sim_responder_success(r, request);
  floe_bytes answer = floe__stun_end(&r->answer);
  r->buf[23] = 200; /* the first attribute reaches past the end */
  sim_responder_send_bytes(r, answer);
}

static void an_overrun_ends_the_attempt(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_host *bad = sim_host_new(w->s, "bad", "eth0", "192.0.2.3", NULL);
  sim_responder_udp(bad, "192.0.2.3:3478", overrun);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  sim_dns_add(w->s, "two.example", "192.0.2.3", "192.0.2.1", NULL);
  world_add(w, "stun:two.example");
  world_gather(w);
  world_expect(w, "...\n* error 701 malformed_response stun:two.example at 10.0.0.1:50000 binding\n...\n");
  world_free(w);
}

/* --- permissions that were asked for ---------------------------------------------------------------------------- */

static void a_permission_is_answered_when_the_allocation_is_lost(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TCP, NULL);
  world_add(w, TCP);
  world_gather(w);
  sim_agent_clear_log(w->agent);
  assert_int_equal(sim_agent_permit(w->agent, sim_agent_relay(w->agent, 0), "198.51.100.1:9000", false), FLOE_OK);
  sim_host_reset_connections(w->server_host);
  sim_run_for(w->s, 100);
  world_expect(w,
               "* servererror 701 tcp_reset " TCP " at 10.0.0.1:* refresh\n* permission 198.51.100.1:9000 refused\n");
  world_free(w);
}

static void a_permission_is_answered_when_gathering_begins_anew(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, TURN);
  world_gather(w);
  sim_agent_clear_log(w->agent);
  assert_int_equal(sim_agent_permit(w->agent, sim_agent_relay(w->agent, 0), "198.51.100.1:9000", false), FLOE_OK);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 100);
  world_expect(w, "...\n* permission 198.51.100.1:9000 refused\n...\n* state complete\n");
  world_free(w);
}

static void calls_before_the_answer_share_it(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TCP, NULL);
  world_add(w, TCP);
  world_gather(w);
  sim_agent_clear_log(w->agent);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(sim_agent_permit(w->agent, sim_agent_relay(w->agent, 0), "198.51.100.1:9000", false), FLOE_OK);
  }
  sim_run_for(w->s, 100);
  sim_host_reset_connections(w->server_host); /* nothing is left to be refused */
  sim_run_for(w->s, 100);
  world_expect(w,
               "* permission 198.51.100.1:9000 granted\n* servererror 701 tcp_reset " TCP " at 10.0.0.1:* refresh\n");
  world_free(w);
}

static void peers_are_limited(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.max_permissions = 2;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, TURN);
  world_gather(w);
  uint32_t relay = sim_agent_relay(w->agent, 0);
  assert_int_equal(sim_agent_permit(w->agent, relay, "198.51.100.1:1", false), FLOE_OK);
  assert_int_equal(sim_agent_permit(w->agent, relay, "198.51.100.2:1", false), FLOE_OK);
  assert_int_equal(sim_agent_permit(w->agent, relay, "198.51.100.3:1", false), FLOE_E_TOO_LARGE);
  assert_int_equal(sim_agent_permit(w->agent, relay, "198.51.100.2:1", false), FLOE_OK); /* known already */
  assert_int_equal(sim_agent_permit(w->agent, relay, "[2001:db8::1]:1", false), FLOE_E_TYPE);
  world_free(w);
}

/* --- gathering anew --------------------------------------------------------------------------------------------- */

static void one_port_is_enough_for_gathering_anew(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.port_min = w->cfg.port_max = 40000;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, TURN);
  world_gather(w);
  sim_agent_clear_log(w->agent);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  assert_int_equal(floe_ice_agent_gathering_state(sim_agent_core(w->agent)), FLOE_ICE_GATHERING_GATHERING);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_E_STATE);
  sim_agent_run_to_complete(w->agent, 20000);
  world_expect(w, "...\n* candidate host 10.0.0.1:40000\n* candidate relay * " TURN "\n...\n* state complete\n");
  assert_int_equal(floe_ice_agent_report(sim_agent_core(w->agent))->verdict, FLOE_VERDICT_OK);
  world_free(w);
}

/* --- candidates that are not kept ------------------------------------------------------------------------------- */

static void what_is_dropped_is_counted_and_its_allocation_deleted(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.max_candidates = 1; /* the host candidate's place */
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, TURN);
  world_gather(w);
  const floe_report *report = floe_ice_agent_report(sim_agent_core(w->agent));
  const floe_attempt_report *attempt = report->servers[0].attempts[0];
  assert_int_equal(report->dropped_candidates, 2);
  assert_int_equal(attempt->dropped_candidates, 2);
  assert_false(attempt->redundant);
  assert_int_equal(report->servers[0].n_candidates, 0);
  sim_run_for(w->s, 100);
  assert_int_equal(sim_server_counters(w->server).allocations, 0);
  assert_int_equal(sim_server_counters(w->server).deletions, 1);
  world_free(w);
}

/* --- two redirects to one server ---------------------------------------------------------------------------------- */

static void redirects_to_one_server_use_a_port_each(void **state) {
  (void)state;
  world *w = world_new(1);
  world_other_server(w, "192.0.2.5", FLOE_TRANSPORT_UDP, "redirect=192.0.2.7:3478");
  world_other_server(w, "192.0.2.6", FLOE_TRANSPORT_UDP, "redirect=192.0.2.7:3478");
  sim_server *common = world_other_server(w, "192.0.2.7", FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.5");
  world_add(w, "turn:192.0.2.6");
  world_gather(w);
  assert_int_equal(sim_agent_n_errors(w->agent), 0);
  assert_int_equal(sim_server_counters(common).allocations, 2);
  assert_int_equal(sim_server_counters(common).deletions, 0);
  world_free(w);
}

/* --- what a trace may not say ------------------------------------------------------------------------------------- */

typedef struct trace_log {
  char text[8192];
  size_t len;
} trace_log;

static void keep_trace(void *user, const char *json, size_t len) {
  trace_log *log = user;
  assert_true(log->len + len < sizeof log->text);
  memcpy(log->text + log->len, json, len);
  log->len += len;
}

static void drain(floe_ice_agent *agent) {
  floe_interface eth0 = {.name = "eth0", .index = 2, .addr = sim_addr("10.0.0.1")};
  for (;;) {
    floe_output out;
    floe_ice_agent_poll(agent, &out);
    if (out.type == FLOE_OUTPUT_WAIT) return;
    floe_input listed = {.type = FLOE_INPUT_INTERFACES, .interfaces = &eth0, .n_interfaces = 1};
    if (out.type == FLOE_OUTPUT_INTERFACES) floe_ice_agent_input(agent, 0, &listed);
    if (out.type != FLOE_OUTPUT_OPEN) continue;
    floe_input opened = {.type = FLOE_INPUT_SOCKET_OPENED, .sock = out.u.open.sock, .addr = out.u.open.local};
    opened.addr.port = 40000;
    floe_ice_agent_input(agent, 0, &opened);
  }
}

static void a_trace_has_no_address_unless_asked(void **state) {
  (void)state;
  for (int asked = 0; asked <= 1; asked++) {
    trace_log log = {.len = 0};
    const char *urls[] = {TURN};
    floe_ice_server server = {.urls = urls, .n_urls = 1, .username = "user", .credential = "secret"};
    floe_env_config env_cfg = {
        .size = sizeof env_cfg, .user = &log, .trace = keep_trace, .trace_addresses = asked == 1};
    floe_ice_config cfg;
    floe_env *env;
    floe_ice_agent *agent;
    floe_ice_config_init(&cfg, sizeof cfg);
    cfg.ice_servers = &server;
    cfg.n_ice_servers = 1;
    assert_int_equal(floe_env_new(&env, &env_cfg), FLOE_OK);
    assert_int_equal(floe_ice_agent_new(&agent, env, &cfg, NULL), FLOE_OK);
    assert_int_equal(floe_ice_agent_gather(agent, 0), FLOE_OK);
    drain(agent);
    floe_ice_agent_free(agent);
    floe_env_free(env);
    assert_non_null(strstr(log.text, "gather.try.state"));
    assert_int_equal(strstr(log.text, "192.0.2.1") != NULL, asked == 1);
    assert_int_equal(strstr(log.text, "10.0.0.1") != NULL, asked == 1);
    assert_null(strstr(log.text, "secret"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_allocation_lost_in_the_same_read_is_told_first),
      cmocka_unit_test(a_stun_server_may_hang_up_with_its_answer),
      cmocka_unit_test(an_overrun_ends_the_attempt),
      cmocka_unit_test(a_permission_is_answered_when_the_allocation_is_lost),
      cmocka_unit_test(a_permission_is_answered_when_gathering_begins_anew),
      cmocka_unit_test(calls_before_the_answer_share_it),
      cmocka_unit_test(peers_are_limited),
      cmocka_unit_test(one_port_is_enough_for_gathering_anew),
      cmocka_unit_test(what_is_dropped_is_counted_and_its_allocation_deleted),
      cmocka_unit_test(redirects_to_one_server_use_a_port_each),
      cmocka_unit_test(a_trace_has_no_address_unless_asked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
