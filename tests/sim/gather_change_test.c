/* Addresses of the host that go and come: what is on them ends at once; with continual gathering new ones are gathered
 * on. */
#include "support/sim_mdns.h"
#include "support/world.h"

#define STUN "stun:192.0.2.1"
#define TCP  "turn:192.0.2.1?transport=tcp"
#define TURN "turn:192.0.2.1"

/* 10.0.0.1 on eth0 and 10.0.1.1 on eth1, gathered; the log is empty again. */
static world *two_homed(const char *url, floe_transport transport) {
  world *w = world_new_with(1, "eth0", "10.0.0.1", "eth1", "10.0.1.1", NULL);
  if (url != NULL) {
    world_listen(w, transport, NULL);
    world_add(w, url);
  }
  return w;
}

static void gather(world *w) {
  world_gather(w);
  sim_agent_clear_log(w->agent);
}

static void lose(world *w, const char *address) {
  sim_host_remove_address(w->client, address);
  sim_agent_tell_interfaces(w->agent);
}

static void sockets_of_a_lost_address_are_closed(void **state) {
  (void)state;
  world *w = two_homed(NULL, FLOE_TRANSPORT_UDP);
  w->cfg.tcp_passive = true;
  gather(w);
  lose(w, "10.0.1.1");
  world_expect_wire(w, "close", "0.0 close tcp 10.0.1.1:5000*\n0.0 close udp 10.0.1.1:5000*\n");
  world_expect(w, "");
  sim_agent_tell_interfaces(w->agent); /* it is known */
  world_expect_wire(w, "close udp", "0.0 close udp 10.0.1.1:5000*\n");
  /* The list is what was told, whatever became of it. */
  assert_int_equal(floe_ice_agent_local_candidates(sim_agent_core(w->agent), NULL), 6);
  world_free(w);
}

static void a_list_with_all_addresses_changes_nothing(void **state) {
  (void)state;
  world *w = two_homed(TURN, FLOE_TRANSPORT_UDP);
  gather(w);
  sim_agent_tell_interfaces(w->agent);
  sim_agent_interfaces_changed(w->agent);
  sim_run_for(w->s, 100);
  world_expect(w, "");
  world_expect_wire(w, "", "");
  assert_int_equal(sim_server_counters(w->server).allocations, 2);
  world_free(w);
}

/* No server has failed: nobody is told of one, and none is asked again. */
static void its_allocations_are_abandoned(void **state) {
  (void)state;
  for (int tcp = 0; tcp < 2; tcp++) {
    world *w = two_homed(tcp == 1 ? TCP : TURN, tcp == 1 ? FLOE_TRANSPORT_TCP : FLOE_TRANSPORT_UDP);
    gather(w);
    uint32_t first = sim_agent_relay(w->agent, 0);
    uint32_t second = sim_agent_relay(w->agent, 1);
    assert_int_equal(sim_agent_permit(w->agent, second, "198.51.100.1:9", false), FLOE_OK);
    lose(w, "10.0.1.1");
    sim_run_for(w->s, 3600 * 1000);
    world_expect(w, "*.0 permission 198.51.100.1:9 refused\n");
    world_expect_wire(w, "Allocate", "");
    assert_int_equal(sim_agent_permit(w->agent, second, "198.51.100.1:9", false), FLOE_E_STATE);
    assert_int_equal(sim_agent_permit(w->agent, first, "198.51.100.1:9", false), FLOE_OK);
    world_free(w);
  }
}

/* The allocation was lost before, and another one is waited for. */
static void its_reallocations_end(void **state) {
  (void)state;
  world *w = two_homed(TCP, FLOE_TRANSPORT_TCP);
  gather(w);
  sim_host_reset_connections(w->server_host);
  sim_run_for(w->s, 100);
  lose(w, "10.0.1.1");
  sim_run_for(w->s, 60 * 1000);
  world_expect(w, "* servererror 701 tcp_reset " TCP
                  " at 10.0.1.1:* refresh\n"
                  "* servererror 701 tcp_reset " TCP " at 10.0.0.1:* refresh\n");
  world_expect_wire(w, "open", "* open tcp 10.0.0.1 > 192.0.2.1:3478\n");
  assert_int_equal(sim_server_counters(w->server).allocations, 1);
  world_free(w);
}

static void attempts_on_it_end(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_drop(w->s, "192.0.2.1");
  world_add(w, STUN);
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 1000);
  lose(w, "10.0.0.1");
  world_expect(w, BEGIN "1000.0 error 701 socket_failed " STUN " at 10.0.0.1:50000 binding\n" END("1000.0"));
  world_free(w);
}

static void an_attempt_on_another_address_decides(void **state) {
  (void)state;
  world *w = two_homed(NULL, FLOE_TRANSPORT_UDP);
  sim_drop(w->s, "192.0.2.1");
  world_add(w, STUN);
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 1000);
  lose(w, "10.0.0.1");
  assert_true(sim_agent_run_to_complete(w->agent, 20000));
  world_expect(w, "...\n5005.0 error 701 udp_timeout " STUN " at 10.0.1.1:50001 binding\n" END("5005.0"));
  world_free(w);
}

/* Before the socket is open, the turn of the attempt or the answer of the resolver has come. */
static void it_may_go_at_any_time(void **state) {
  (void)state;
  static const char *const urls[] = {STUN, TURN, TCP, "stun:stun.example", "turn:192.0.2.1", "stun:192.0.2.7"};
  for (uint64_t at_us = 0; at_us < 60000; at_us += 700) {
    world *w = two_homed(NULL, FLOE_TRANSPORT_UDP);
    w->cfg.tcp_passive = true;
    world_listen(w, FLOE_TRANSPORT_UDP, NULL);
    world_listen(w, FLOE_TRANSPORT_TCP, NULL);
    sim_dns_add(w->s, "stun.example", "192.0.2.1", NULL);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) world_add(w, urls[i]);
    world_start(w);
    assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
    (void)sim_run_until(w->s, at_us * 1000, NULL, NULL);
    lose(w, at_us % 1400 == 0 ? "10.0.0.1" : "10.0.1.1");
    assert_true(sim_agent_run_to_complete(w->agent, 20000));
    world_free(w);
  }
}

static void a_lost_addresss_name_is_withdrawn(void **state) {
  (void)state;
  world *w = two_homed(NULL, FLOE_TRANSPORT_UDP);
  w->cfg.mdns_hide_hosts = true;
  gather(w);
  assert_int_equal(sim_mdns_published(w->client), 2);
  lose(w, "10.0.1.1");
  assert_int_equal(sim_mdns_published(w->client), 1);
  world_free(w);
}

/* --- continual gathering ------------------------------------------------------------------------------------------ */

static world *continual(const char *url) {
  world *w = world_new(1);
  w->cfg.continual_gathering = true;
  if (url != NULL) {
    world_listen(w, FLOE_TRANSPORT_UDP, NULL);
    world_add(w, url);
  }
  return w;
}

static void gain(world *w, const char *address) {
  sim_host_add_address(w->client, "eth1", address);
  sim_agent_tell_interfaces(w->agent);
  sim_run_for(w->s, 20000);
}

static void candidates_never_end(void **state) {
  (void)state;
  world *w = continual(NULL);
  world_gather(w);
  world_expect(w, BEGIN "0.0 state complete\n");
  world_free(w);
}

static void a_new_address_is_gathered_on(void **state) {
  (void)state;
  world *w = continual(TURN);
  gather(w);
  gain(w, "10.0.1.1");
  world_expect(w,
               "20.0 state gathering\n"
               "20.0 candidate host 10.0.1.1:50001\n"
               "40.0 candidate relay 192.0.2.1:50001 mapped=203.0.113.1:40001 udp " TURN
               "\n"
               "40.0 candidate srflx 203.0.113.1:40001 base=10.0.1.1:50001 " TURN
               "\n"
               "40.0 state complete\n");
  /* The first ones are in use as before. */
  world_expect_wire(w, "close", "");
  assert_int_equal(sim_server_counters(w->server).allocations, 2);
  /* All of one session: ids, priorities and foundations are its own. */
  const floe_ice_candidate *const *list;
  size_t n = floe_ice_agent_local_candidates(sim_agent_core(w->agent), &list);
  assert_int_equal(n, 6);
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < i; k++) {
      assert_int_not_equal(list[i]->priority, list[k]->priority);
      bool same_path = list[i]->type == FLOE_CANDIDATE_RELAY && list[k]->type == FLOE_CANDIDATE_RELAY;
      assert_int_equal(strcmp(list[i]->foundation, list[k]->foundation) == 0, same_path);
    }
  }
  world_free(w);
}

static void without_the_option_it_is_not(void **state) {
  (void)state;
  world *w = world_new(1);
  gather(w);
  gain(w, "10.0.1.1");
  world_expect(w, "");
  world_expect_wire(w, "", "");
  world_free(w);
}

/* It is no news that the new address does not reach the server. */
static void a_server_of_another_family_is_no_error(void **state) {
  (void)state;
  world *w = continual(STUN);
  gather(w);
  gain(w, "2001:db8:1::1");
  world_expect(w,
               "10.0 state gathering\n"
               "10.0 candidate host [2001:db8:1::1]:50001\n"
               "10.0 state complete\n");
  world_free(w);
}

/* One gathering after the other: what is told of each lies between its `gathering` and its `complete`. */
static void a_new_address_waits_its_turn(void **state) {
  (void)state;
  world *w = continual(STUN);
  sim_drop(w->s, "192.0.2.1");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 1000);
  for (int i = 0; i < 3; i++) { /* two come, one goes again before its turn */
    static const char *const addresses[] = {"10.0.1.1", "10.0.2.1", "10.0.3.1"};
    sim_host_add_address(w->client, "eth1", addresses[i]);
    sim_agent_tell_interfaces(w->agent);
    sim_run_for(w->s, 100);
  }
  lose(w, "10.0.2.1");
  sim_run_for(w->s, 60 * 1000);
  world_expect(w, BEGIN "5000.0 error 701 udp_timeout " STUN
                        " at 10.0.0.1:50000 binding\n"
                        "5000.0 state complete\n"
                        "5000.0 state gathering\n"
                        "5000.0 candidate host 10.0.1.1:50001\n"
                        "10000.0 error 701 udp_timeout " STUN
                        " at 10.0.1.1:50001 binding\n"
                        "10000.0 state complete\n"
                        "10000.0 state gathering\n"
                        "10000.0 candidate host 10.0.3.1:50002\n"
                        "15000.0 error 701 udp_timeout " STUN
                        " at 10.0.3.1:50002 binding\n"
                        "15000.0 state complete\n");
  world_free(w);
}

/* Each gathering counts its errors anew (the contract's section 2.6). */
static void its_errors_are_told(void **state) {
  (void)state;
  world *w = continual(STUN);
  gather(w);
  sim_drop(w->s, "192.0.2.1");
  gain(w, "10.0.1.1");
  gain(w, "10.0.2.1");
  world_expect(w,
               "* state gathering\n"
               "* candidate host 10.0.1.1:50001\n"
               "* error 701 udp_timeout " STUN
               " at 10.0.1.1:50001 binding\n"
               "* state complete\n"
               "* state gathering\n"
               "* candidate host 10.0.2.1:50002\n"
               "* error 701 udp_timeout " STUN
               " at 10.0.2.1:50002 binding\n"
               "* state complete\n");
  world_free(w);
}

static bool refuse_eth1(void *user, const floe_interface *i) {
  (void)user;
  return strcmp(i->name, "eth1") != 0;
}

static void an_address_that_cannot_be_used_is_no_news(void **state) {
  (void)state;
  world *w = continual(STUN);
  w->cfg.filter_interface = refuse_eth1;
  gather(w);
  uint64_t before = sim_agent_live_bytes(w->agent);
  for (int i = 0; i < 5; i++) gain(w, "10.0.1.1");
  world_expect(w, "");
  world_expect_wire(w, "", "");
  assert_true(sim_agent_live_bytes(w->agent) < before + 4000);
  world_free(w);
}

static void an_address_that_comes_back_is_new(void **state) {
  (void)state;
  world *w = continual(NULL);
  sim_host_add_address(w->client, "eth1", "10.0.1.1");
  gather(w);
  for (int i = 0; i < 3; i++) {
    lose(w, "10.0.1.1");
    gain(w, "10.0.1.1");
  }
  world_expect(w,
               "* state gathering\n* candidate host 10.0.1.1:*\n* state complete\n"
               "* state gathering\n* candidate host 10.0.1.1:*\n* state complete\n"
               "* state gathering\n* candidate host 10.0.1.1:*\n* state complete\n");
  world_free(w);
}

static void no_memory_is_survived(void **state) {
  (void)state;
  for (uint64_t fail = 1; fail < 80; fail++) {
    world *w = continual(TURN);
    gather(w);
    sim_agent_fail_allocations(w->agent, sim_agent_allocations(w->agent) + fail, 0);
    gain(w, "10.0.1.1");
    lose(w, "10.0.0.1");
    sim_agent_fail_allocations(w->agent, 0, 0);
    world_free(w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sockets_of_a_lost_address_are_closed),
      cmocka_unit_test(a_list_with_all_addresses_changes_nothing),
      cmocka_unit_test(its_allocations_are_abandoned),
      cmocka_unit_test(its_reallocations_end),
      cmocka_unit_test(attempts_on_it_end),
      cmocka_unit_test(an_attempt_on_another_address_decides),
      cmocka_unit_test(it_may_go_at_any_time),
      cmocka_unit_test(a_lost_addresss_name_is_withdrawn),
      cmocka_unit_test(candidates_never_end),
      cmocka_unit_test(a_new_address_is_gathered_on),
      cmocka_unit_test(without_the_option_it_is_not),
      cmocka_unit_test(a_server_of_another_family_is_no_error),
      cmocka_unit_test(a_new_address_waits_its_turn),
      cmocka_unit_test(its_errors_are_told),
      cmocka_unit_test(an_address_that_cannot_be_used_is_no_news),
      cmocka_unit_test(an_address_that_comes_back_is_new),
      cmocka_unit_test(no_memory_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
