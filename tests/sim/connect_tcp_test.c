/* ICE-TCP (RFC 6544): active to passive, simultaneous open, framing (RFC 4571), and what becomes of connections. */
#include "support/peers.h"

/* UDP gets nowhere on either side; B listens. */
static peers *tcp_only(uint64_t seed) {
  peers *p = peers_new(seed);
  peer_block_udp(&p->a);
  peer_block_udp(&p->b);
  p->b.cfg.tcp_passive = true;
  return p;
}

static bool is_over_tcp(peer *x) {
  return strncmp(sim_agent_pair(x->agent), "tcp ", 4) == 0;
}

static void where_udp_is_blocked_tcp_connects(void **state) {
  (void)state;
  for (int which = 0; which < 2; which++) { /* the passive side controlled, controlling */
    peers *p = tcp_only(1);
    p->a.waits_for_offer = which == 1;
    p->b.waits_for_offer = which == 0;
    peers_true(p, peers_connect(p, 3000));
    assert_true(is_over_tcp(&p->a) && is_over_tcp(&p->b));
    peers_exchange_data(p);
    sim_run_for(p->s, 120 * 1000);
    peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
    peers_exchange_data(p);
    peers_free(p);
  }
}

static void udp_is_preferred(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.tcp_passive = p->b.cfg.tcp_passive = true;
  peers_true(p, peers_connect(p, 3000));
  sim_run_for(p->s, 2000);
  assert_false(is_over_tcp(&p->a) || is_over_tcp(&p->b));
  peers_exchange_data(p);
  peers_free(p);
}

static void out_of_a_nat_to_a_passive_host(void **state) {
  (void)state;
  for (int i = 0; i < 9; i++) {
    peers *p = tcp_only(1);
    peers_nat(&p->a, (sim_nat_kind)(i / 3), (sim_nat_kind)(i % 3));
    peers_true(p, peers_connect(p, 3000));
    assert_true(is_over_tcp(&p->a));
    peers_exchange_data(p);
    peers_free(p);
  }
}

static void without_passive_there_is_no_tcp(void **state) {
  (void)state;
  for (int no_tcp = 0; no_tcp < 2; no_tcp++) {
    peers *p = tcp_only(1);
    p->b.cfg.tcp_passive = no_tcp == 1;
    p->a.cfg.no_tcp = no_tcp == 1;
    peers_true(p, peers_run_to_failed(p, 60000));
    assert_string_equal(sim_agent_wire_with(p->a.agent, "open tcp"), "");
    peers_free(p);
  }
}

static void both_open_at_the_same_time(void **state) {
  (void)state;
  for (int how = 0; how < 4; how++) { /* one after the other, at the same time, with long and uneven ways */
    peers *p = peers_new(1);
    peer_block_udp(&p->a);
    peer_block_udp(&p->b);
    p->a.cfg.tcp_so = p->b.cfg.tcp_so = true;
    p->b.waits_for_offer = (how & 1) == 0;
    if ((how & 2) != 0) sim_path_default(p->s, &(sim_path){.delay_us = 30000, .jitter_us = 10000});
    peers_true(p, peers_connect(p, 10000));
    assert_true(is_over_tcp(&p->a) && is_over_tcp(&p->b));
    peers_exchange_data(p);
    peers_free(p);
  }
}

/* Frames are cut anywhere on the way, and put together again. */
static void data_is_framed(void **state) {
  (void)state;
  peers *p = tcp_only(3);
  sim_path_default(p->s, &(sim_path){.delay_us = 5000, .tcp_chunks = 7});
  peers_true(p, peers_connect(p, 3000));
  static uint8_t bytes[65000];
  static const size_t sizes[] = {1, 2, 3, 1200, 1460, 9000, 65000};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    for (size_t k = 0; k < sizes[i]; k++) bytes[k] = (uint8_t)(0x80 | (k * 7 + i)); /* as RTP, RFC 7983 */
    assert_int_equal(sim_agent_send(p->a.agent, (floe_bytes){bytes, sizes[i]}, 0), FLOE_OK);
    sim_run_for(p->s, 500);
    assert_int_equal(sim_agent_n_data(p->b.agent), i + 1);
    assert_int_equal(sim_agent_data(p->b.agent, i)->len, sizes[i]);
    assert_memory_equal(sim_agent_data(p->b.agent, i)->bytes, bytes, sizes[i]);
  }
  /* many in a row */
  for (int i = 0; i < 50; i++) assert_true(peer_send_numbered(&p->a));
  sim_run_for(p->s, 500);
  assert_int_equal(peer_got_numbered(&p->b), 50);
  peers_free(p);
}

static void a_connection_that_breaks_is_told(void **state) {
  (void)state;
  peers *p = tcp_only(1);
  peers_true(p, peers_connect(p, 3000));
  sim_run_for(p->s, 2000);
  sim_host_reset_connections(p->b.host);
  sim_run_for(p->s, 40000);
  for (int i = 0; i < 2; i++) {
    peer *x = i == 0 ? &p->a : &p->b;
    bool is_settled = sim_agent_is_connected(x->agent) || sim_agent_connection(x->agent) == FLOE_ICE_CONNECTION_FAILED;
    if (!is_settled) sim_fail(p->s, "%s is stuck", x->name);
  }
  peer_restart(&p->a);
  sim_run_for(p->s, 3000);
  peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
  peers_exchange_data(p);
  peers_free(p);
}

static void the_peers_end_of_the_stream_is_told(void **state) {
  (void)state;
  peers *p = tcp_only(1);
  peers_true(p, peers_connect(p, 3000));
  sim_run_for(p->s, 2000);
  sim_agent_close(p->b.agent);
  sim_run_for(p->s, 40000);
  peers_true(p, sim_agent_connection(p->a.agent) == FLOE_ICE_CONNECTION_FAILED);
  assert_int_not_equal(sim_agent_connection_cause(p->a.agent), FLOE_CAUSE_NONE);
  peers_free(p);
}

static void on_stray_bytes(void *user, floe_bytes data) {
  (void)user;
  (void)data;
}

static void on_stray_end(void *user) {
  *(bool *)user = true;
}

static void on_stray_failed(void *user, floe_net_error error) {
  (void)error;
  *(bool *)user = true;
}

/* Strangers who connect to the passive port and send rubbish, or nothing, are let go. */
static void strangers_are_let_go(void **state) {
  (void)state;
  static const sim_tcp_ops ops = {NULL, on_stray_failed, on_stray_bytes, on_stray_end};
  for (int is_silent = 0; is_silent < 2; is_silent++) {
    peers *p = tcp_only(1);
    peers_true(p, peers_connect(p, 3000));
    const char *line = sim_agent_events_with(p->b.agent, "tcp passive");
    const char *at = strstr(line, "10.0.1.1:");
    assert_non_null(at);
    char text[FLOE_ADDR_TEXT];
    (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(at, " \n"), at);
    sim_host *h = sim_host_new(p->s, "stranger", "eth0", "198.51.100.1", NULL);
    floe_addr local = sim_addr("198.51.100.1"), remote = sim_addr(text);
    floe_net_error why;
    bool is_over = false;
    sim_tcp *t = sim_must(sim_tcp_connect(h, &local, &remote, &ops, &is_over, &why));
    sim_run_for(p->s, 100);
    if (!is_silent) sim_tcp_send(t, (floe_bytes){(const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18});
    sim_run_for(p->s, 120 * 1000);
    assert_true(is_over);
    peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
    peers_exchange_data(p);
    peers_free(p);
  }
}

static void the_passive_port_is_in_the_range(void **state) {
  (void)state;
  peers *p = tcp_only(1);
  p->b.cfg.port_min = 6000;
  p->b.cfg.port_max = 6001;
  peers_true(p, peers_connect(p, 3000));
  peers_expect_with(&p->b, "tcp passive", "*:600* tcp passive\n");
  peers_free(p);
}

static void both_families_over_tcp(void **state) {
  (void)state;
  peers *p = tcp_only(1);
  sim_host_add_address(p->a.host, "eth0", "2001:db8:a::1");
  sim_host_add_address(p->b.host, "eth0", "2001:db8:b::1");
  peers_true(p, peers_connect(p, 3000));
  assert_true(is_over_tcp(&p->a));
  peers_true(p, strstr(sim_agent_pair(p->a.agent), "[2001:db8:b::1]") != NULL);
  peers_exchange_data(p);
  peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(where_udp_is_blocked_tcp_connects),
      cmocka_unit_test(udp_is_preferred),
      cmocka_unit_test(out_of_a_nat_to_a_passive_host),
      cmocka_unit_test(without_passive_there_is_no_tcp),
      cmocka_unit_test(both_open_at_the_same_time),
      cmocka_unit_test(data_is_framed),
      cmocka_unit_test(a_connection_that_breaks_is_told),
      cmocka_unit_test(the_peers_end_of_the_stream_is_told),
      cmocka_unit_test(strangers_are_let_go),
      cmocka_unit_test(the_passive_port_is_in_the_range),
      cmocka_unit_test(both_families_over_tcp),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
