/* The contract's section 2.4: a base of one kind serves its own kind, families are not mixed, and a URL left without
 * any attempt has one 701 at once. */
#include "support/world.h"

static void a_loopback_server_is_reached_from_loopback_only(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_server *local = sim_server_new(w->client, &w->ts);
  sim_server_listen(local, FLOE_TRANSPORT_UDP, "127.0.0.1:3478", NULL);
  world_add(w, "stun:127.0.0.1");
  world_gather(w);
  world_expect(w, BEGIN "0.1 candidate srflx 127.0.0.1:50001 base=0.0.0.0:9 stun:127.0.0.1\n" END("0.1"));
  world_expect_wire(w, "send", "0.0 send udp 127.0.0.1:50001 > 127.0.0.1:3478 Binding\n");
  world_free(w);
}

static void an_ipv6_loopback_server_needs_no_other_ipv6(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_server *local = sim_server_new(w->client, &w->ts);
  sim_server_listen(local, FLOE_TRANSPORT_UDP, "[::1]:3478", NULL);
  world_add(w, "stun:[::1]");
  world_gather(w);
  world_expect(w, BEGIN "0.1 candidate srflx [::1]:50001 base=[::]:9 stun:[::1]\n" END("0.1"));
  world_expect_wire(w, "send", "0.0 send udp [::1]:50001 > [::1]:3478 Binding\n");
  world_free(w);
}

static void an_ordinary_server_is_not_tried_from_loopback(void **state) {
  (void)state;
  world *w = world_new_with(1, NULL); /* offline: "lo" only */
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 error 701 no_local_address stun:192.0.2.1 at - *\n" END("0.0"));
  world_expect_report(w,
                      "report failed\n"
                      "server 0.0 failed no_local_address stun:192.0.2.1\n"
                      "  attempt error 701 no_local_address udp - > * *\n");
  world_free(w);
}

static void no_ipv6_attempt_on_a_host_without_ipv6_and_the_reverse(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    world *w = i == 0 ? world_new(1) : world_new_with(1, "eth0", "2001:db8:1::1", NULL);
    world_listen(w, FLOE_TRANSPORT_UDP, NULL);
    world_add(w, i == 0 ? "turn:[2001:db8:2::1]" : "turn:192.0.2.1");
    world_gather(w);
    world_expect(w, i == 0 ? "0.0 state gathering\n"
                             "0.0 error 701 no_local_address turn:[2001:db8:2::1] at - *\n"
                             "0.0 candidate host 10.0.0.1:50000\n" END("0.0")
                           : "0.0 state gathering\n"
                             "0.0 error 701 no_local_address turn:192.0.2.1 at - *\n"
                             "0.0 candidate host [2001:db8:1::1]:50000\n" END("0.0"));
    world_expect_wire(w, "send", "");
    world_free(w);
  }
}

static void a_family_that_is_switched_off_leaves_no_attempt(void **state) {
  (void)state;
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth0", "2001:db8:1::1", NULL);
  w->cfg.no_ipv4 = true;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:[2001:db8:2::1]");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 error 701 no_local_address stun:192.0.2.1 at - *\n"
               "0.0 candidate host [2001:db8:1::1]:50000\n" END("10.0"));
  world_free(w);
}

static void a_filtered_interface_leaves_no_attempt(void **state) {
  (void)state;
  static const char *const only_eth1[] = {"eth1"};
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth1", "2001:db8:1::1", NULL);
  w->cfg.interfaces = only_eth1;
  w->cfg.n_interfaces = 1;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  sim_dns_add(w->s, "four.example", "192.0.2.1", NULL);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:127.0.0.1");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 error 701 no_local_address stun:192.0.2.1 at - *\n"
               "0.0 error 701 no_local_address stun:127.0.0.1 at - *\n"
               "0.0 candidate host [2001:db8:1::1]:50000\n" END("0.0"));
  world_free(w);
}

static void only_families_that_the_host_has_are_looked_up(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  sim_dns_add(w->s, "six.example", "2001:db8:2::1", NULL);
  world_add(w, "stun:six.example");
  world_gather(w);
  world_expect(w, BEGIN "10.0 error 701 dns_nodata stun:six.example at - dns\n" END("10.0"));
  assert_int_equal(sim_dns_queries(w->s, "six.example", FLOE_FAMILY_IPV4), 1);
  assert_int_equal(sim_dns_queries(w->s, "six.example", FLOE_FAMILY_IPV6), 0);
  world_free(w);
}

static void a_name_for_loopback_is_reached_from_loopback(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_server *local = sim_server_new(w->client, &w->ts);
  sim_server_listen(local, FLOE_TRANSPORT_UDP, "127.0.0.1:3478", NULL);
  sim_dns_add(w->s, "localhost", "127.0.0.1", NULL);
  world_add(w, "stun:localhost");
  world_gather(w);
  world_expect(w, BEGIN "10.1 candidate srflx 127.0.0.1:50001 base=0.0.0.0:9 stun:localhost\n" END("10.1"));
  world_free(w);
}

static void a_name_whose_addresses_no_base_serves(void **state) {
  (void)state;
  static const char *const only_eth0[] = {"eth0"};
  world *w = world_new(1);
  w->cfg.interfaces = only_eth0; /* without "lo" */
  w->cfg.n_interfaces = 1;
  sim_dns_add(w->s, "localhost", "127.0.0.1", NULL);
  world_add(w, "stun:localhost");
  world_gather(w);
  world_expect(w, BEGIN "10.0 error 701 no_local_address stun:localhost at - *\n" END("10.0"));
  world_free(w);
}

static void a_link_local_server_is_reached_from_its_link_only(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "169.254.1.1", "eth0", "198.51.100.7", NULL);
  sim_host_add_address(w->server_host, "eth0", "169.254.1.2");
  world_listen_at(w, FLOE_TRANSPORT_UDP, "169.254.1.2:3478", NULL);
  world_add(w, "stun:169.254.1.2");
  world_gather(w);
  world_expect_wire(w, "send", "0.0 send udp 169.254.1.1:* > 169.254.1.2:3478 Binding\n");
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 169.254.1.1:50000\n"
               "0.0 candidate host 198.51.100.7:50001\n" END("10.0"));
  world_free(w);
}

static void so_is_an_ipv6_link_local_server(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "fe80::1", "eth0", "2001:db8:1::1", NULL);
  sim_host_add_address(w->server_host, "eth0", "fe80::2");
  world_listen_at(w, FLOE_TRANSPORT_UDP, "[fe80::2]:3478", NULL);
  world_add(w, "stun:[fe80::2]");
  world_gather(w);
  world_expect_wire(w, "send", "0.0 send udp [fe80::1%2]:50001 > [fe80::2%2]:3478 Binding\n");
  world_expect_report(w,
                      "report ok\nserver 0.0 ok - stun:[fe80::2]\n  attempt candidate udp * > [fe80::2%2]:3478 "
                      "mapped=[fe80::1]:50001\n");
  world_free(w);
}

static void a_link_local_base_serves_no_other_server(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "169.254.1.1", NULL);
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 error 701 no_local_address stun:192.0.2.1 at - *\n"
               "0.0 candidate host 169.254.1.1:50000\n" END("0.0"));
  world_free(w);
}

static void an_ordinary_base_serves_no_link_local_server(void **state) {
  (void)state;
  world *w = world_new(1);
  world_add(w, "stun:169.254.1.2");
  world_add(w, "turn:[fe80::2]");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 error 701 no_local_address stun:169.254.1.2 at - *\n"
               "0.0 error 701 no_local_address turn:[fe80::2] at - *\n"
               "0.0 candidate host 10.0.0.1:50000\n" END("0.0"));
  world_free(w);
}

static void a_stun_url_is_unused_under_relay_only(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  world_add(w, "stun:192.0.2.1");
  world_add(w, "stun:no.such.name");
  world_gather(w);
  world_expect(w, "0.0 state gathering\n" END("0.0"));
  world_expect_report(w,
                      "report unused\n"
                      "server 0.0 unused - stun:192.0.2.1\n"
                      "server 1.0 unused - stun:no.such.name\n");
  world_expect_wire(w, "", "");
  world_free(w);
}

static void dtls_is_reported_until_it_is_built(void **state) {
  (void)state;
  world *w = world_new(1);
  world_add(w, "turns:192.0.2.1?transport=udp");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 error 701 transport_unsupported turns:192.0.2.1?transport=udp at - *\n"
               "0.0 candidate host 10.0.0.1:50000\n" END("0.0"));
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_loopback_server_is_reached_from_loopback_only),
      cmocka_unit_test(an_ipv6_loopback_server_needs_no_other_ipv6),
      cmocka_unit_test(an_ordinary_server_is_not_tried_from_loopback),
      cmocka_unit_test(no_ipv6_attempt_on_a_host_without_ipv6_and_the_reverse),
      cmocka_unit_test(a_family_that_is_switched_off_leaves_no_attempt),
      cmocka_unit_test(a_filtered_interface_leaves_no_attempt),
      cmocka_unit_test(only_families_that_the_host_has_are_looked_up),
      cmocka_unit_test(a_name_for_loopback_is_reached_from_loopback),
      cmocka_unit_test(a_name_whose_addresses_no_base_serves),
      cmocka_unit_test(a_link_local_server_is_reached_from_its_link_only),
      cmocka_unit_test(so_is_an_ipv6_link_local_server),
      cmocka_unit_test(a_link_local_base_serves_no_other_server),
      cmocka_unit_test(an_ordinary_base_serves_no_link_local_server),
      cmocka_unit_test(a_stun_url_is_unused_under_relay_only),
      cmocka_unit_test(dtls_is_reported_until_it_is_built),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
