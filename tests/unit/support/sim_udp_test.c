/* Datagrams: delivery, closed ports, rules, loss, duplication, reordering, MTU, binding. */
#include <string.h>

#include "recorder.h"

typedef struct net {
  sim *s;
  sim_host *a, *b;
  sim_text log;
  recorder ra, rb;
} net;

static net make(uint64_t seed) {
  net n = {.s = sim_new(seed)};
  n.a = sim_host_new(n.s, "a", "eth0", "192.0.2.1", "eth0", "2001:db8::1", NULL);
  n.b = sim_host_new(n.s, "b", "eth0", "192.0.2.2", "eth0", "2001:db8::2", NULL);
  return n;
}

/* The recorders point into the struct, which must have come to rest. */
static void settle(net *n) {
  n->ra = (recorder){n->s, "a", &n->log, NULL};
  n->rb = (recorder){n->s, "b", &n->log, NULL};
}

static void finish(net *n) {
  sim_text_clear(&n->log);
  sim_free(n->s);
}

static void a_datagram_arrives_after_the_delay(void **state) {
  (void)state;
  net n = make(1);
  settle(&n);
  sim_udp *a = open_udp(n.a, "192.0.2.1", &n.ra);
  open_udp(n.b, "192.0.2.2:9", &n.rb);
  assert_int_equal(sim_udp_local(a).port, 50000);
  send_text(a, "192.0.2.2:9", "hello");
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log), "5.00 b got 'hello' from 192.0.2.1:50000\n");
  assert_int_equal(sim_packets(n.s), 1);
  finish(&n);
}

static void a_closed_port_answers_with_icmp_and_nobody_with_silence(void **state) {
  (void)state;
  net n = make(1);
  settle(&n);
  sim_udp *a = open_udp(n.a, "192.0.2.1", &n.ra);
  sim_udp *a6 = open_udp(n.a, "2001:db8::1", &n.ra);
  send_text(a, "192.0.2.2:9", "x");
  send_text(a6, "[2001:db8::2]:9", "x");
  send_text(a, "192.0.2.77:9", "x");
  sim_run_for(n.s, 1000);
  assert_string_equal(sim_text_of(&n.log),
                      "10.00 a icmp 3/3 for 192.0.2.2:9\n"
                      "10.00 a icmp 1/4 for [2001:db8::2]:9\n");
  sim_text_clear(&n.log);
  sim_host_set_stealth(n.b, true);
  send_text(a, "192.0.2.2:9", "x");
  sim_run_for(n.s, 1000);
  assert_string_equal(sim_text_of(&n.log), "");
  finish(&n);
}

static void rules_drop_reject_and_fail(void **state) {
  (void)state;
  net n = make(1);
  settle(&n);
  sim_udp *a = open_udp(n.a, "192.0.2.1", &n.ra);
  open_udp(n.b, "192.0.2.2:9", &n.rb);
  sim_drop(n.s, "192.0.2.2:1");
  sim_reject(n.s, "192.0.2.2:2", 3, 13);
  sim_fail_send(n.s, "192.0.2.2:3", FLOE_NET_DENIED);
  send_text(a, "192.0.2.2:1", "x");
  send_text(a, "192.0.2.2:2", "x");
  send_text(a, "192.0.2.2:3", "x");
  send_text(a, "192.0.2.2:9", "x");
  sim_run_for(n.s, 1000);
  assert_string_equal(sim_text_of(&n.log),
                      "0.00 a send failed 6 for 192.0.2.2:3\n"
                      "5.00 b got 'x' from 192.0.2.1:50000\n"
                      "10.00 a icmp 3/13 for 192.0.2.2:2\n");
  finish(&n);
}

static void a_rule_skips_and_counts_and_knows_its_source(void **state) {
  (void)state;
  net n = make(1);
  settle(&n);
  sim_host_add_address(n.a, "eth1", "192.0.2.11");
  sim_udp *a = open_udp(n.a, "192.0.2.1", &n.ra);
  sim_udp *a2 = open_udp(n.a, "192.0.2.11", &n.ra);
  open_udp(n.b, "192.0.2.2:9", &n.rb);
  sim_rule_add(
      n.s,
      &(sim_rule){
          .from = n.a, .source = sim_addr("192.0.2.1"), .proto = SIM_UDP, .action = SIM_DROP, .skip = 1, .times = 1});
  send_text(a, "192.0.2.2:9", "1");
  send_text(a, "192.0.2.2:9", "2");
  send_text(a, "192.0.2.2:9", "3");
  send_text(a2, "192.0.2.2:9", "4");
  sim_run_for(n.s, 10);
  assert_string_equal(sim_text_of(&n.log),
                      "5.00 b got '1' from 192.0.2.1:50000\n"
                      "5.00 b got '3' from 192.0.2.1:50000\n"
                      "5.00 b got '4' from 192.0.2.11:50001\n");
  finish(&n);
}

static void a_path_between_two_hosts_has_its_own_delay_and_mtu(void **state) {
  (void)state;
  net n = make(1);
  settle(&n);
  sim_udp *a = open_udp(n.a, "192.0.2.1", &n.ra);
  open_udp(n.b, "192.0.2.2:9", &n.rb);
  sim_path_between(n.a, n.b, &(sim_path){.delay_us = 40000, .mtu = 4});
  send_text(a, "192.0.2.2:9", "1234");
  send_text(a, "192.0.2.2:9", "12345");
  sim_run_for(n.s, 1000);
  assert_string_equal(sim_text_of(&n.log),
                      "10.00 a icmp 3/4 for 192.0.2.2:9\n"
                      "40.00 b got '1234' from 192.0.2.1:50000\n");
  finish(&n);
}

static size_t count(const char *text, const char *part) {
  size_t n = 0;
  for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) n++;
  return n;
}

static void loss_duplication_and_reordering_are_as_often_as_asked(void **state) {
  (void)state;
  net n = make(5);
  settle(&n);
  sim_udp *a = open_udp(n.a, "192.0.2.1", &n.ra);
  open_udp(n.b, "192.0.2.2:9", &n.rb);
  sim_path_default(n.s, &(sim_path){.delay_us = 1000, .loss = 200});
  for (int i = 0; i < 1000; i++) send_text(a, "192.0.2.2:9", "x");
  sim_run_for(n.s, 100);
  assert_in_range(count(sim_text_of(&n.log), "got"), 750, 850);
  sim_text_clear(&n.log);
  sim_path_default(n.s, &(sim_path){.delay_us = 1000, .duplicate = 500});
  for (int i = 0; i < 1000; i++) send_text(a, "192.0.2.2:9", "x");
  sim_run_for(n.s, 100);
  assert_in_range(count(sim_text_of(&n.log), "got"), 1430, 1570);
  sim_text_clear(&n.log);
  sim_path_default(n.s, &(sim_path){.delay_us = 1000, .reorder = 500});
  for (int i = 0; i < 10; i++) send_text(a, "192.0.2.2:9", i % 2 == 0 ? "0" : "1");
  sim_run_for(n.s, 100);
  assert_int_equal(count(sim_text_of(&n.log), "got"), 10);
  assert_in_range(count(sim_text_of(&n.log), "201.00"), 1, 9);
  finish(&n);
}

static void binding_fails_as_it_should(void **state) {
  (void)state;
  net n = make(1);
  settle(&n);
  floe_net_error why;
  floe_addr taken = sim_addr("192.0.2.1:9"), foreign = sim_addr("192.0.2.2");
  sim_udp *u = open_udp(n.a, "192.0.2.1:9", &n.ra);
  assert_null(sim_udp_open(n.a, &taken, &recording_udp, &n.ra, &why));
  assert_int_equal(why, FLOE_NET_ADDRESS_IN_USE);
  assert_null(sim_udp_open(n.a, &foreign, &recording_udp, &n.ra, &why));
  assert_int_equal(why, FLOE_NET_ADDRESS_NOT_AVAILABLE);
  sim_udp_close(u);
  u = open_udp(n.a, "192.0.2.1:9", &n.ra);
  sim_host_fail_binds(n.a, FLOE_NET_NO_RESOURCES, 1);
  floe_addr any = sim_addr("192.0.2.1");
  assert_null(sim_udp_open(n.a, &any, &recording_udp, &n.ra, &why));
  assert_int_equal(why, FLOE_NET_NO_RESOURCES);
  assert_int_equal(sim_host_open_sockets(n.a), 1);
  assert_non_null(sim_udp_open(n.a, &any, &recording_udp, &n.ra, &why));
  assert_int_equal(sim_host_open_sockets(n.a), 2);
  finish(&n);
}

static void loopback_stays_on_the_host(void **state) {
  (void)state;
  net n = make(1);
  settle(&n);
  sim_udp *a = open_udp(n.a, "127.0.0.1", &n.ra);
  open_udp(n.a, "127.0.0.1:9", &n.ra);
  open_udp(n.b, "127.0.0.1:9", &n.rb);
  send_text(a, "127.0.0.1:9", "x");
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log), "0.05 a got 'x' from 127.0.0.1:50000\n");
  finish(&n);
}

static void interfaces_are_listed_with_lo_first(void **state) {
  (void)state;
  net n = make(1);
  sim_host_add_address(n.a, "eth1", "fe80::1");
  size_t count_of = 0;
  const floe_interface *list = sim_host_interfaces(n.a, &count_of);
  assert_int_equal(count_of, 5);
  assert_string_equal(list[0].name, "lo");
  assert_true(list[0].is_loopback);
  assert_int_equal(list[0].index, 1);
  assert_int_equal(list[2].index, 2);
  assert_int_equal(list[3].index, 2);
  assert_int_equal(list[3].addr.scope_id, 0);
  assert_int_equal(list[4].index, 3);
  assert_int_equal(list[4].addr.scope_id, 3);
  sim_host_remove_address(n.a, "192.0.2.1");
  (void)sim_host_interfaces(n.a, &count_of);
  assert_int_equal(count_of, 4);
  finish(&n);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_datagram_arrives_after_the_delay),
      cmocka_unit_test(a_closed_port_answers_with_icmp_and_nobody_with_silence),
      cmocka_unit_test(rules_drop_reject_and_fail),
      cmocka_unit_test(a_rule_skips_and_counts_and_knows_its_source),
      cmocka_unit_test(a_path_between_two_hosts_has_its_own_delay_and_mtu),
      cmocka_unit_test(loss_duplication_and_reordering_are_as_often_as_asked),
      cmocka_unit_test(binding_fails_as_it_should),
      cmocka_unit_test(loopback_stays_on_the_host),
      cmocka_unit_test(interfaces_are_listed_with_lo_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
