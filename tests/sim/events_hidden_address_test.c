/* The contract's section 1: address and port are told only when the base's address is that of a candidate that has
 * surfaced; the detail hides the same. */
#include "support/world.h"

static void assert_hidden(const world *w) {
  const sim_error *e = sim_agent_error(w->agent, 0);
  assert_false(e->has_address);
  assert_false(e->has_port);
  assert_int_equal(e->detail.local_address.family, FLOE_FAMILY_NONE);
  assert_string_equal(e->interface, "");
}

static void relay_only_tells_no_base(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  sim_drop(w->s, "192.0.2.1");
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "5000.0 error 701 udp_timeout turn:192.0.2.1 at - allocate\n" END("5000.0"));
  assert_hidden(w);
  world_free(w);
}

static void a_base_that_did_not_surface_is_not_told(void **state) {
  (void)state;
  /* The host socket could not be bound, so 10.0.0.1 is in no candidate; TCP from it still works. */
  world *w = world_new(1);
  sim_host_fail_binds(w->client, FLOE_NET_NO_RESOURCES, 1);
  world_listen(w, FLOE_TRANSPORT_TCP, "error=500:Broken");
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "20.0 error 500 stun_error turn:192.0.2.1?transport=tcp at - allocate \"Broken\"\n" END("20.0"));
  assert_hidden(w);
  world_free(w);
}

static void loopback_is_not_told_unless_it_surfaced(void **state) {
  (void)state;
  for (int surfaced = 0; surfaced < 2; surfaced++) {
    world *w = world_new(1);
    w->cfg.include_loopback = surfaced == 1;
    sim_server *local = sim_server_new(w->client, &w->ts);
    sim_server_listen(local, FLOE_TRANSPORT_UDP, "127.0.0.1:3478", "error=500:Broken");
    world_add(w, "stun:127.0.0.1");
    world_gather(w);
    if (surfaced == 0) {
      world_expect(w,
                   "0.0 state gathering\n"
                   "0.0 candidate host 10.0.0.1:50000\n"
                   "0.1 error 500 stun_error stun:127.0.0.1 at - binding \"Broken\"\n" END("0.1"));
      assert_hidden(w);
    } else {
      world_expect(w,
                   "0.0 state gathering\n"
                   "0.0 candidate host 127.0.0.1:50000\n"
                   "0.0 candidate host [::1]:50001\n"
                   "0.0 candidate host 10.0.0.1:50002\n"
                   "0.1 error 500 stun_error stun:127.0.0.1 at 127.0.0.1:50000 binding \"Broken\"\n" END("0.1"));
    }
    world_free(w);
  }
}

static void the_port_is_not_compared(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_TCP, "error=500:Broken");
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  world_expect(
      w, BEGIN
      "20.0 error 500 stun_error turn:192.0.2.1?transport=tcp at 10.0.0.1:50001 allocate \"Broken\"\n" END("20.0"));
  assert_string_equal(sim_agent_error(w->agent, 0)->interface, "eth0");
  world_free(w);
}

static void a_mapped_address_is_not_taken_for_a_base(void **state) {
  (void)state;
  /* A candidate of another base surfaced; this base did not. */
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth1", "10.0.0.2", NULL);
  sim_host_fail_binds(w->client, FLOE_NET_NO_RESOURCES, 1);
  world_listen(w, FLOE_TRANSPORT_TCP, "error=500:Broken");
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  world_expect(
      w,
      "0.0 state gathering\n"
      "0.0 candidate host 10.0.0.2:50000\n"
      "20.0 error 500 stun_error turn:192.0.2.1?transport=tcp at - allocate \"Broken\"\n"
      "25.0 error 500 stun_error turn:192.0.2.1?transport=tcp at 10.0.0.2:50002 allocate \"Broken\"\n" END("25.0"));
  world_free(w);
}

/* What surfaces later does not change an event that is kept for a pool: it counts as of its place in the order. */
static void what_surfaces_later_does_not_show_it_in_a_pool(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_server *local = sim_server_new(w->client, &w->ts);
  sim_server_listen(local, FLOE_TRANSPORT_UDP, "127.0.0.1:3478", "error=500:Broken");
  sim_server_listen(local, FLOE_TRANSPORT_UDP, "127.0.0.1:3479", NULL);
  world_add(w, "stun:127.0.0.1");
  world_add(w, "stun:127.0.0.1:3479");
  world_start(w);
  assert_int_equal(sim_agent_prefetch(w->agent), FLOE_OK);
  sim_run_for(w->s, 1000);
  world_gather(w);
  world_expect(w,
               "1000.0 state gathering\n"
               "1000.0 candidate host 10.0.0.1:50000\n"
               "1000.0 error 500 stun_error stun:127.0.0.1 at - binding \"Broken\"\n"
               "1000.0 candidate srflx 127.0.0.1:50001 base=* stun:127.0.0.1:3479\n" END("1000.0"));
  assert_hidden(w);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(relay_only_tells_no_base),
      cmocka_unit_test(a_base_that_did_not_surface_is_not_told),
      cmocka_unit_test(loopback_is_not_told_unless_it_surfaced),
      cmocka_unit_test(the_port_is_not_compared),
      cmocka_unit_test(a_mapped_address_is_not_taken_for_a_base),
      cmocka_unit_test(what_surfaces_later_does_not_show_it_in_a_pool),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
