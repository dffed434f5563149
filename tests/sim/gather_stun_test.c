/* Server-reflexive candidates over UDP, and STUN over TLS, which proves a server without giving one. */
#include "support/world.h"

static void a_mapped_address_becomes_a_candidate(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN "10.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n" END("10.0"));
  world_expect_report(w,
                      "report ok\n"
                      "server 0.0 ok - stun:192.0.2.1\n"
                      "  attempt candidate udp 10.0.0.1:50000 > 192.0.2.1:3478 mapped=203.0.113.1:40000\n");
  world_expect_wire(w, "send", "0.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Binding\n");
  world_free(w);
}

static void without_a_nat_it_is_redundant_and_the_server_still_ok(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "198.51.100.7", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1:3478");
  world_gather(w);
  world_expect(w, "0.0 state gathering\n0.0 candidate host 198.51.100.7:50000\n" END("10.0"));
  world_expect_report(
      w,
      "report ok\n"
      "server 0.0 ok - stun:192.0.2.1:3478\n"
      "  attempt candidate udp 198.51.100.7:50000 > 192.0.2.1:3478 mapped=198.51.100.7:50000 redundant\n");
  world_free(w);
}

static void each_base_asks_for_itself(void **state) {
  (void)state;
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth1", "10.0.0.2", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 10.0.0.1:50000\n"
               "0.0 candidate host 10.0.0.2:50001\n"
               "10.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n"
               "15.0 candidate srflx 203.0.113.1:40001 base=10.0.0.2:50001 stun:192.0.2.1\n" END("15.0"));
  world_free(w);
}

static void a_name_is_asked_for_over_both_families(void **state) {
  (void)state;
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth0", "2001:db8:1::1", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", "2001:db8:2::1", NULL);
  world_add(w, "stun:turn.example.org");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 10.0.0.1:50000\n"
               "0.0 candidate host [2001:db8:1::1]:50001\n"
               "20.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:turn.example.org\n" END("25.0"));
  world_expect_report(
      w,
      "report ok\n"
      "server 0.0 ok - stun:turn.example.org\n"
      "  attempt candidate udp 10.0.0.1:50000 > 192.0.2.1:3478 mapped=203.0.113.1:40000\n"
      "  attempt candidate udp [2001:db8:1::1]:50001 > [2001:db8:2::1]:3478 mapped=[2001:db8:1::1]:50001 redundant\n");
  world_expect_wire(w, "resolve", "0.0 resolve A turn.example.org\n0.0 resolve AAAA turn.example.org\n");
  world_free(w);
}

static void stun_over_tls_shows_that_the_server_works(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TLS, NULL);
  sim_dns_add(w->s, "turn.example.org", "192.0.2.1", NULL);
  world_add(w, "stuns:turn.example.org");
  world_gather(w);
  /* look-up 10, connect 20, TLS 1.3 handshake 30, Binding 40 */
  world_expect(w, BEGIN END("40.0"));
  world_expect_report(w,
                      "report ok\n"
                      "server 0.0 ok - stuns:turn.example.org\n"
                      "  attempt candidate tls 10.0.0.1:50001 > 192.0.2.1:5349 mapped=203.0.113.1:40000\n");
  world_free(w);
}

static void a_lost_request_is_sent_again(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  sim_rule_add(w->s, &(sim_rule){.from = w->client, .action = SIM_DROP, .times = 2});
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN "1510.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n" END("1510.0"));
  world_expect_wire(w, "send",
                    "0.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Binding\n"
                    "500.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Binding\n"
                    "1500.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Binding\n");
  world_free(w);
}

static void an_answer_within_five_seconds_counts(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "late=4900");
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN "4910.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n" END("4910.0"));
  world_free(w);
}

static void two_servers_behind_one_nat_give_one_candidate(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:192.0.2.2");
  world_gather(w);
  world_expect(w, BEGIN "10.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n" END("15.0"));
  world_expect_report(w,
                      "report ok\n"
                      "server 0.0 ok - stun:192.0.2.1\n"
                      "  attempt candidate udp 10.0.0.1:50000 > 192.0.2.1:3478 mapped=203.0.113.1:40000\n"
                      "server 1.0 ok - stun:192.0.2.2\n"
                      "  attempt candidate udp 10.0.0.1:50000 > 192.0.2.2:3478 mapped=203.0.113.1:40000 redundant\n");
  world_free(w);
}

static void a_symmetric_nat_gives_one_for_each_server(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_host_behind(w->client, sim_nat_new(w->s, "symmetric", "203.0.113.9", SIM_ADDRESS_AND_PORT_DEPENDENT,
                                         SIM_ADDRESS_AND_PORT_DEPENDENT));
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_other_server(w, "192.0.2.2", FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:192.0.2.2");
  world_gather(w);
  world_expect(w, BEGIN
               "10.0 candidate srflx 203.0.113.9:40000 base=10.0.0.1:50000 stun:192.0.2.1\n"
               "15.0 candidate srflx 203.0.113.9:40001 base=10.0.0.1:50000 stun:192.0.2.2\n" END("15.0"));
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_mapped_address_becomes_a_candidate),
      cmocka_unit_test(without_a_nat_it_is_redundant_and_the_server_still_ok),
      cmocka_unit_test(each_base_asks_for_itself),
      cmocka_unit_test(a_name_is_asked_for_over_both_families),
      cmocka_unit_test(stun_over_tls_shows_that_the_server_works),
      cmocka_unit_test(a_lost_request_is_sent_again),
      cmocka_unit_test(an_answer_within_five_seconds_counts),
      cmocka_unit_test(two_servers_behind_one_nat_give_one_candidate),
      cmocka_unit_test(a_symmetric_nat_gives_one_for_each_server),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
