/* NATs: what a mapping depends on, what is let in (RFC 4787 4.1 and 5), hairpins, one NAT behind another. */
#include "recorder.h"

typedef struct net {
  sim *s;
  sim_nat *nat;
  sim_host *inside, *one, *two;
  sim_text log;
  recorder in, r1, r2;
} net;

static void make(net *n, sim_nat_kind mapping, sim_nat_kind filtering) {
  *n = (net){.s = sim_new(1)};
  n->nat = sim_nat_new(n->s, "nat", "203.0.113.1", mapping, filtering);
  n->inside = sim_host_new(n->s, "in", "eth0", "10.0.0.1", "eth0", "2001:db8::1", NULL);
  sim_host_behind(n->inside, n->nat);
  n->one = sim_host_new(n->s, "one", "eth0", "192.0.2.1", "eth0", "2001:db8::2", NULL);
  n->two = sim_host_new(n->s, "two", "eth0", "192.0.2.2", NULL);
  n->in = (recorder){n->s, "in", &n->log, NULL};
  n->r1 = (recorder){n->s, "one", &n->log, NULL};
  n->r2 = (recorder){n->s, "two", &n->log, NULL};
}

static void finish(net *n) {
  sim_text_clear(&n->log);
  sim_free(n->s);
}

static void an_endpoint_independent_mapping_is_one_for_all(void **state) {
  (void)state;
  net n;
  make(&n, SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  sim_udp *in = open_udp(n.inside, "10.0.0.1", &n.in);
  sim_udp *one = open_udp(n.one, "192.0.2.1:9", &n.r1);
  sim_udp *two = open_udp(n.two, "192.0.2.2:9", &n.r2);
  send_text(in, "192.0.2.1:9", "x");
  sim_run_for(n.s, 10);
  send_text(one, "203.0.113.1:40000", "back");
  send_text(two, "203.0.113.1:40000", "let in");
  send_text(two, "203.0.113.1:40001", "no mapping");
  send_text(in, "192.0.2.2:9", "y");
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log),
                      "5.00 one got 'x' from 203.0.113.1:40000\n"
                      "15.00 in got 'back' from 192.0.2.1:9\n"
                      "15.00 in got 'let in' from 192.0.2.2:9\n"
                      "15.00 two got 'y' from 203.0.113.1:40000\n");
  finish(&n);
}

static void a_symmetric_nat_maps_each_destination_anew_and_filters(void **state) {
  (void)state;
  net n;
  make(&n, SIM_ADDRESS_AND_PORT_DEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  sim_udp *in = open_udp(n.inside, "10.0.0.1", &n.in);
  sim_udp *one = open_udp(n.one, "192.0.2.1:9", &n.r1);
  sim_udp *other_port = open_udp(n.one, "192.0.2.1:10", &n.r1);
  open_udp(n.two, "192.0.2.2:9", &n.r2);
  send_text(in, "192.0.2.1:9", "x");
  send_text(in, "192.0.2.1:10", "y");
  send_text(in, "192.0.2.2:9", "z");
  sim_run_for(n.s, 10);
  send_text(other_port, "203.0.113.1:40000", "not let in");
  send_text(one, "203.0.113.1:40000", "back");
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log),
                      "5.00 one got 'x' from 203.0.113.1:40000\n"
                      "5.00 one got 'y' from 203.0.113.1:40001\n"
                      "5.00 two got 'z' from 203.0.113.1:40002\n"
                      "15.00 in got 'back' from 192.0.2.1:9\n");
  finish(&n);
}

static void address_dependent_filtering_lets_other_ports_in(void **state) {
  (void)state;
  net n;
  make(&n, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_DEPENDENT);
  sim_udp *in = open_udp(n.inside, "10.0.0.1", &n.in);
  sim_udp *other_port = open_udp(n.one, "192.0.2.1:10", &n.r1);
  sim_udp *two = open_udp(n.two, "192.0.2.2:9", &n.r2);
  open_udp(n.one, "192.0.2.1:9", &n.r1);
  send_text(in, "192.0.2.1:9", "x");
  sim_run_for(n.s, 10);
  send_text(other_port, "203.0.113.1:40000", "let in");
  send_text(two, "203.0.113.1:40000", "not let in");
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log),
                      "5.00 one got 'x' from 203.0.113.1:40000\n"
                      "15.00 in got 'let in' from 192.0.2.1:10\n");
  finish(&n);
}

static void the_other_family_passes_untouched(void **state) {
  (void)state;
  net n;
  make(&n, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  sim_udp *in = open_udp(n.inside, "2001:db8::1", &n.in);
  sim_udp *one = open_udp(n.one, "[2001:db8::2]:9", &n.r1);
  send_text(in, "[2001:db8::2]:9", "x");
  send_text(one, "[2001:db8::1]:50000", "y");
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log),
                      "5.00 one got 'x' from [2001:db8::1]:50000\n"
                      "5.00 in got 'y' from [2001:db8::2]:9\n");
  finish(&n);
}

static void a_hairpin_comes_back_from_outside(void **state) {
  (void)state;
  net n;
  make(&n, SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  sim_host *beside = sim_host_new(n.s, "beside", "eth0", "10.0.0.2", NULL);
  sim_host_behind(beside, n.nat);
  sim_udp *in = open_udp(n.inside, "10.0.0.1", &n.in);
  sim_udp *b = open_udp(beside, "10.0.0.2", &n.r2);
  open_udp(n.one, "192.0.2.1:9", &n.r1);
  send_text(in, "192.0.2.1:9", "x");
  sim_run_for(n.s, 10);
  send_text(b, "203.0.113.1:40000", "hairpin");
  send_text(b, "10.0.0.1:50000", "direct");
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log),
                      "5.00 one got 'x' from 203.0.113.1:40000\n"
                      "15.00 in got 'hairpin' from 203.0.113.1:40001\n"
                      "15.00 in got 'direct' from 10.0.0.2:50000\n");
  finish(&n);
}

static void a_nat_may_have_no_hairpin(void **state) {
  (void)state;
  net n;
  make(&n, SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  sim_nat_set_hairpin(n.nat, false);
  sim_host *beside = sim_host_new(n.s, "beside", "eth0", "10.0.0.2", NULL);
  sim_host_behind(beside, n.nat);
  sim_udp *in = open_udp(n.inside, "10.0.0.1", &n.in);
  sim_udp *b = open_udp(beside, "10.0.0.2", &n.r2);
  open_udp(n.one, "192.0.2.1:9", &n.r1);
  send_text(in, "192.0.2.1:9", "x");
  send_text(b, "203.0.113.1:40000", "hairpin");
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log), "5.00 one got 'x' from 203.0.113.1:40000\n");
  finish(&n);
}

static void a_nat_that_rebinds_has_new_ports(void **state) {
  (void)state;
  net n;
  make(&n, SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  sim_udp *in = open_udp(n.inside, "10.0.0.1", &n.in);
  sim_udp *one = open_udp(n.one, "192.0.2.1:9", &n.r1);
  send_text(in, "192.0.2.1:9", "before");
  sim_run_for(n.s, 10);
  sim_nat_rebind(n.nat, NULL);
  send_text(one, "203.0.113.1:40000", "to nobody");
  sim_run_for(n.s, 10);
  send_text(in, "192.0.2.1:9", "after");
  sim_run_for(n.s, 10);
  sim_nat_rebind(n.nat, "203.0.113.9");
  send_text(in, "192.0.2.1:9", "elsewhere");
  sim_run_for(n.s, 10);
  assert_string_equal(sim_text_of(&n.log),
                      "5.00 one got 'before' from 203.0.113.1:40000\n"
                      "25.00 one got 'after' from 203.0.113.1:40001\n"
                      "35.00 one got 'elsewhere' from 203.0.113.9:40002\n");
  finish(&n);
}

static void a_nat_may_block_udp_and_a_host_be_deaf(void **state) {
  (void)state;
  net n;
  make(&n, SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  sim_udp *in = open_udp(n.inside, "10.0.0.1", &n.in);
  sim_udp *one = open_udp(n.one, "192.0.2.1:9", &n.r1);
  send_text(in, "192.0.2.1:9", "open");
  sim_run_for(n.s, 10);
  sim_nat_block_udp(n.nat, true);
  send_text(in, "192.0.2.1:9", "out");
  send_text(one, "203.0.113.1:40000", "in");
  sim_run_for(n.s, 10);
  sim_nat_block_udp(n.nat, false);
  sim_host_set_deaf(n.inside, true);
  send_text(one, "203.0.113.1:40000", "to the deaf");
  sim_run_for(n.s, 10);
  sim_host_set_deaf(n.inside, false);
  send_text(one, "203.0.113.1:40000", "heard");
  sim_run_for(n.s, 10);
  assert_string_equal(sim_text_of(&n.log),
                      "5.00 one got 'open' from 203.0.113.1:40000\n"
                      "35.00 in got 'heard' from 192.0.2.1:9\n");
  finish(&n);
}

static void a_nat_behind_a_nat_maps_twice(void **state) {
  (void)state;
  net n;
  make(&n, SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  sim_nat *home = sim_nat_new(n.s, "home", "100.64.0.1", SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  sim_nat_behind(home, n.nat);
  sim_host_behind(n.inside, home);
  sim_udp *in = open_udp(n.inside, "10.0.0.1", &n.in);
  sim_udp *one = open_udp(n.one, "192.0.2.1:9", &n.r1);
  send_text(in, "192.0.2.1:9", "x");
  sim_run_for(n.s, 10);
  send_text(one, "203.0.113.1:40000", "back");
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log),
                      "5.00 one got 'x' from 203.0.113.1:40000\n"
                      "15.00 in got 'back' from 192.0.2.1:9\n");
  finish(&n);
}

static void an_icmp_error_finds_its_way_back(void **state) {
  (void)state;
  net n;
  make(&n, SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  sim_udp *in = open_udp(n.inside, "10.0.0.1", &n.in);
  send_text(in, "192.0.2.1:9", "x");
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log), "10.00 in icmp 3/3 for 192.0.2.1:9\n");
  finish(&n);
}

static void tcp_is_mapped_too(void **state) {
  (void)state;
  net n;
  make(&n, SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT);
  floe_net_error why;
  floe_addr local = sim_addr("10.0.0.1"), remote = sim_addr("192.0.2.1:80");
  assert_true(sim_tcp_listen(n.one, &remote, record_accept, &n.r1));
  assert_non_null(sim_tcp_connect(n.inside, &local, &remote, &recording_tcp, &n.in, &why));
  sim_run_for(n.s, 100);
  assert_string_equal(sim_text_of(&n.log),
                      "10.00 in connected 10.0.0.1:50000\n"
                      "15.00 one accepted 203.0.113.1:40000\n");
  finish(&n);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_endpoint_independent_mapping_is_one_for_all),
      cmocka_unit_test(a_symmetric_nat_maps_each_destination_anew_and_filters),
      cmocka_unit_test(address_dependent_filtering_lets_other_ports_in),
      cmocka_unit_test(the_other_family_passes_untouched),
      cmocka_unit_test(a_hairpin_comes_back_from_outside),
      cmocka_unit_test(a_nat_may_have_no_hairpin),
      cmocka_unit_test(a_nat_that_rebinds_has_new_ports),
      cmocka_unit_test(a_nat_may_block_udp_and_a_host_be_deaf),
      cmocka_unit_test(a_nat_behind_a_nat_maps_twice),
      cmocka_unit_test(an_icmp_error_finds_its_way_back),
      cmocka_unit_test(tcp_is_mapped_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
