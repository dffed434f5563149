/* Streams: the handshake and how it fails, bytes in order, FIN, RST, pieces, loss. */
#include <string.h>

#include "recorder.h"

typedef struct net {
  sim *s;
  sim_host *a, *b;
  sim_text log;
  recorder ra, rb;
} net;

static void make(net *n) {
  *n = (net){.s = sim_new(1)};
  n->a = sim_host_new(n->s, "a", "eth0", "192.0.2.1", "eth0", "2001:db8::1", NULL);
  n->b = sim_host_new(n->s, "b", "eth0", "192.0.2.2", "eth0", "2001:db8::2", NULL);
  n->ra = (recorder){n->s, "a", &n->log, NULL};
  n->rb = (recorder){n->s, "b", &n->log, NULL};
}

static void finish(net *n) {
  sim_text_clear(&n->log);
  sim_free(n->s);
}

static sim_tcp *connect_to(net *n, const char *remote) {
  floe_net_error why;
  floe_addr to = sim_addr(remote), local = sim_addr(to.family == FLOE_FAMILY_IPV4 ? "192.0.2.1" : "2001:db8::1");
  sim_tcp *t = sim_tcp_connect(n->a, &local, &to, &recording_tcp, &n->ra, &why);
  assert_non_null(t);
  return t;
}

static void listen_at(net *n, const char *local) {
  floe_addr addr = sim_addr(local);
  assert_true(sim_tcp_listen(n->b, &addr, record_accept, &n->rb));
  assert_false(sim_tcp_listen(n->b, &addr, record_accept, &n->rb));
}

static void send_to(sim_tcp *t, const char *text) {
  sim_tcp_send(t, (floe_bytes){(const uint8_t *)text, strlen(text)});
}

static void a_connection_carries_bytes_both_ways_and_ends(void **state) {
  (void)state;
  net n;
  make(&n);
  listen_at(&n, "192.0.2.2:80");
  sim_tcp *a = connect_to(&n, "192.0.2.2:80");
  sim_run_for(n.s, 10);
  send_to(a, "hello");
  sim_run_for(n.s, 10);
  send_to(n.rb.conn, "hi");
  sim_tcp_close(n.rb.conn);
  sim_run_for(n.s, 10);
  sim_tcp_close(a);
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log),
                      "10.00 a connected 192.0.2.1:50000\n"
                      "15.00 b accepted 192.0.2.1:50000\n"
                      "15.00 b bytes 'hello'\n"
                      "25.00 a bytes 'hi'\n"
                      "25.00 a end\n");
  assert_int_equal(sim_host_open_sockets(n.a), 0);
  assert_int_equal(sim_host_open_sockets(n.b), 0);
  finish(&n);
}

static void a_closed_port_refuses_and_a_stealthy_one_does_not_answer(void **state) {
  (void)state;
  net n;
  make(&n);
  (void)connect_to(&n, "192.0.2.2:80");
  sim_run_for(n.s, 1000);
  assert_string_equal(sim_text_of(&n.log), "10.00 a failed 1\n");
  sim_text_clear(&n.log);
  sim_host_set_stealth(n.b, true);
  (void)connect_to(&n, "192.0.2.2:80");
  (void)connect_to(&n, "192.0.2.99:80");
  sim_run_for(n.s, 10000);
  assert_string_equal(sim_text_of(&n.log), "");
  finish(&n);
}

static void rules_hit_the_handshake(void **state) {
  (void)state;
  net n;
  make(&n);
  listen_at(&n, "192.0.2.2:80");
  sim_reject(n.s, "192.0.2.2:1", 3, 1);
  sim_reject(n.s, "[2001:db8::2]:2", 1, 1);
  sim_fail_send(n.s, "192.0.2.2:3", FLOE_NET_NET_UNREACHABLE);
  sim_rule_add(n.s, &(sim_rule){.to = sim_addr("192.0.2.2:80"), .action = SIM_DROP, .times = 1});
  (void)connect_to(&n, "192.0.2.2:1");
  (void)connect_to(&n, "[2001:db8::2]:2");
  (void)connect_to(&n, "192.0.2.2:3");
  (void)connect_to(&n, "192.0.2.2:80");
  sim_run_for(n.s, 3000);
  assert_string_equal(sim_text_of(&n.log),
                      "0.00 a failed 4\n"
                      "10.00 a failed 5\n"
                      "10.00 a failed 6\n"
                      "1010.00 a connected 192.0.2.1:50003\n"
                      "1015.00 b accepted 192.0.2.1:50003\n");
  finish(&n);
}

static void a_rule_can_silence_a_connection_later(void **state) {
  (void)state;
  net n;
  make(&n);
  listen_at(&n, "192.0.2.2:80");
  sim_rule_add(n.s, &(sim_rule){.to = sim_addr("192.0.2.2:80"), .action = SIM_DROP, .skip = 1});
  sim_tcp *a = connect_to(&n, "192.0.2.2:80");
  sim_run_for(n.s, 10);
  send_to(a, "lost");
  sim_run_for(n.s, 10000);
  assert_string_equal(sim_text_of(&n.log),
                      "10.00 a connected 192.0.2.1:50000\n"
                      "15.00 b accepted 192.0.2.1:50000\n");
  finish(&n);
}

static void a_reset_is_a_failure_and_ends_both(void **state) {
  (void)state;
  net n;
  make(&n);
  listen_at(&n, "192.0.2.2:80");
  sim_tcp *a = connect_to(&n, "192.0.2.2:80");
  sim_run_for(n.s, 20);
  sim_tcp_reset(n.rb.conn);
  send_to(a, "into the void");
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log),
                      "10.00 a connected 192.0.2.1:50000\n"
                      "15.00 b accepted 192.0.2.1:50000\n"
                      "25.00 a failed 2\n");
  assert_int_equal(sim_host_open_sockets(n.a), 0);
  finish(&n);
}

static void closing_while_connecting_is_the_end_of_it(void **state) {
  (void)state;
  net n;
  make(&n);
  listen_at(&n, "192.0.2.2:80");
  sim_tcp_close(connect_to(&n, "192.0.2.2:80"));
  sim_run_for(n.s, 5000);
  assert_string_equal(sim_text_of(&n.log), "");
  finish(&n);
}

/* Pieces and losses change times, never the bytes nor their order. */
static void pieces_and_losses_keep_the_order(void **state) {
  (void)state;
  net n;
  make(&n);
  sim_path_default(n.s, &(sim_path){.delay_us = 5000, .jitter_us = 4000, .loss = 100, .tcp_chunks = 5});
  listen_at(&n, "192.0.2.2:80");
  sim_tcp *a = connect_to(&n, "192.0.2.2:80");
  sim_run_for(n.s, 10000);
  sim_text_clear(&n.log);
  for (int i = 0; i < 20; i++) send_to(a, "abcdefghij");
  sim_run_for(n.s, 20000);
  char got[512] = "";
  size_t pieces = 0;
  for (const char *at = strchr(sim_text_of(&n.log), '\''); at != NULL; at = strchr(at + 1, '\'')) {
    const char *end = strchr(at + 1, '\'');
    (void)strncat(got, at + 1, (size_t)(end - at - 1));
    at = end;
    pieces++;
  }
  assert_int_equal(strlen(got), 200);
  for (size_t i = 0; i < 200; i++) assert_int_equal(got[i], 'a' + (int)(i % 10));
  assert_in_range(pieces, 30, 100);
  finish(&n);
}

static void a_listener_has_a_port_of_its_own_and_closes(void **state) {
  (void)state;
  net n;
  make(&n);
  floe_net_error why;
  floe_addr any = sim_addr("192.0.2.2"), same;
  sim_listener *l = sim_tcp_listen_at(n.b, &any, false, record_accept, &n.rb, &why);
  assert_non_null(l);
  assert_int_equal(any.port, 50000);
  same = any;
  assert_null(sim_tcp_listen_at(n.b, &same, true, record_accept, &n.rb, &why));
  assert_int_equal(why, FLOE_NET_ADDRESS_IN_USE);
  (void)connect_to(&n, "192.0.2.2:50000");
  sim_run_for(n.s, 100);
  sim_tcp_unlisten(l);
  (void)connect_to(&n, "192.0.2.2:50000");
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log),
                      "10.00 a connected 192.0.2.1:50000\n"
                      "15.00 b accepted 192.0.2.1:50000\n"
                      "110.00 a failed 1\n");
  finish(&n);
}

static sim_tcp *connect_shared(sim_host *h, const char *from, const char *to, recorder *r) {
  floe_net_error why = FLOE_NET_OTHER;
  floe_addr local = sim_addr(from), remote = sim_addr(to);
  sim_tcp *t = sim_tcp_connect_shared(h, &local, &remote, &recording_tcp, r, &why);
  if (t == NULL) assert_int_equal(why, FLOE_NET_ADDRESS_NOT_AVAILABLE);
  return t;
}

/* RFC 9293 3.5: two SYNs cross, and both are connected; bytes go both ways. */
static void two_that_connect_to_each_other_meet(void **state) {
  (void)state;
  for (int with_listeners = 0; with_listeners < 2; with_listeners++) {
    net n;
    make(&n);
    floe_net_error why;
    floe_addr at_a = sim_addr("192.0.2.1:700"), at_b = sim_addr("192.0.2.2:800");
    if (with_listeners) {
      assert_non_null(sim_tcp_listen_at(n.a, &at_a, true, record_accept, &n.ra, &why));
      assert_non_null(sim_tcp_listen_at(n.b, &at_b, true, record_accept, &n.rb, &why));
    }
    sim_tcp *a = connect_shared(n.a, "192.0.2.1:700", "192.0.2.2:800", &n.ra);
    sim_run_for(n.s, 2);
    sim_tcp *b = connect_shared(n.b, "192.0.2.2:800", "192.0.2.1:700", &n.rb);
    assert_true(a != NULL && b != NULL);
    sim_run_for(n.s, 98);
    send_to(a, "from a");
    send_to(b, "from b");
    sim_run_for(n.s, 100);
    assert_string_equal(sim_text_of(&n.log),
                        "10.00 a connected 192.0.2.1:700\n"
                        "12.00 b connected 192.0.2.2:800\n"
                        "105.00 b bytes 'from a'\n"
                        "105.00 a bytes 'from b'\n");
    finish(&n);
  }
}

/* A connection is there as soon as the SYN has come: the same one cannot be made a second time. */
static void a_connection_is_made_once(void **state) {
  (void)state;
  net n;
  make(&n);
  floe_net_error why;
  floe_addr at_b = sim_addr("192.0.2.2:800");
  assert_non_null(sim_tcp_listen_at(n.b, &at_b, true, record_accept, &n.rb, &why));
  assert_non_null(connect_shared(n.a, "192.0.2.1:700", "192.0.2.2:800", &n.ra));
  assert_null(connect_shared(n.a, "192.0.2.1:700", "192.0.2.2:800", &n.ra));
  sim_run_for(n.s, 6);
  assert_null(connect_shared(n.b, "192.0.2.2:800", "192.0.2.1:700", &n.rb));
  assert_non_null(connect_shared(n.b, "192.0.2.2:800", "192.0.2.1:701", &n.rb));
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log),
                      "10.00 a connected 192.0.2.1:700\n"
                      "15.00 b accepted 192.0.2.1:700\n"
                      "16.00 b failed 1\n");
  finish(&n);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_connection_carries_bytes_both_ways_and_ends),
      cmocka_unit_test(a_closed_port_refuses_and_a_stealthy_one_does_not_answer),
      cmocka_unit_test(rules_hit_the_handshake),
      cmocka_unit_test(a_rule_can_silence_a_connection_later),
      cmocka_unit_test(a_reset_is_a_failure_and_ends_both),
      cmocka_unit_test(closing_while_connecting_is_the_end_of_it),
      cmocka_unit_test(pieces_and_losses_keep_the_order),
      cmocka_unit_test(a_listener_has_a_port_of_its_own_and_closes),
      cmocka_unit_test(two_that_connect_to_each_other_meet),
      cmocka_unit_test(a_connection_is_made_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
