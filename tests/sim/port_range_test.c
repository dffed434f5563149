/* Local UDP ports from a configured range; when all are taken, that is the cause. */
#include "support/world.h"

static void ignore_datagram(void *user, const floe_addr *from, floe_bytes data) {
  (void)user;
  (void)from;
  (void)data;
}

static const sim_udp_ops deaf = {.on_datagram = ignore_datagram};

static void take(world *w, const char *address) {
  floe_net_error why;
  floe_addr addr = sim_addr(address);
  assert_non_null(sim_udp_open(w->client, &addr, &deaf, NULL, &why));
}

static world *ranged(uint64_t seed) {
  world *w = world_new(seed);
  w->cfg.port_min = 6000;
  w->cfg.port_max = 6002;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  return w;
}

static void each_port_of_the_range_is_found_by_some_agent(void **state) {
  (void)state;
  unsigned seen = 0;
  for (uint64_t seed = 1; seed <= 30; seed++) {
    world *w = ranged(seed);
    world_gather(w);
    const floe_ice_candidate *const *list;
    assert_int_equal(floe_ice_agent_local_candidates(sim_agent_core(w->agent), &list), 2);
    assert_in_range(list[0]->address.port, 6000, 6002);
    seen |= 1u << (list[0]->address.port - 6000);
    world_free(w);
  }
  assert_int_equal(seen, 7);
}

static void the_last_free_port_is_found(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    world *w = ranged(seed);
    take(w, "10.0.0.1:6000");
    take(w, "10.0.0.1:6002");
    world_gather(w);
    world_expect(w,
                 "0.0 state gathering\n"
                 "0.0 candidate host 10.0.0.1:6001\n"
                 "10.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:6001 stun:192.0.2.1\n" END("10.0"));
    world_free(w);
  }
}

static void none_left_is_told_at_once(void **state) {
  (void)state;
  world *w = ranged(1);
  take(w, "10.0.0.1:6000");
  take(w, "10.0.0.1:6001");
  take(w, "10.0.0.1:6002");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 error 701 port_range_exhausted stun:192.0.2.1 at - socket\n" END("0.0"));
  world_free(w);
}

static void a_socket_that_cannot_be_made_is_told(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_host_fail_binds(w->client, FLOE_NET_NO_RESOURCES, 0);
  world_add(w, "stun:192.0.2.1");
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 error 701 socket_failed stun:192.0.2.1 at - socket\n"
               "5.0 error 701 socket_failed turn:192.0.2.1?transport=tcp at - *\n" END("5.0"));
  const sim_error *e = sim_agent_error(w->agent, 0);
  assert_true(e->detail.has_os_error);
  assert_int_equal(e->detail.os_error, sim_errno(FLOE_NET_NO_RESOURCES));
  world_free(w);
}

static void each_base_has_the_whole_range(void **state) {
  (void)state;
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth1", "10.0.0.2", NULL);
  w->cfg.port_min = w->cfg.port_max = 6000;
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 10.0.0.1:6000\n"
               "0.0 candidate host 10.0.0.2:6000\n" END("0.0"));
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_port_of_the_range_is_found_by_some_agent),
      cmocka_unit_test(the_last_free_port_is_found),
      cmocka_unit_test(none_left_is_told_at_once),
      cmocka_unit_test(a_socket_that_cannot_be_made_is_told),
      cmocka_unit_test(each_base_has_the_whole_range),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
