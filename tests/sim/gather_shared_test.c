/* The multiplexed mode: host candidates are on a multiplexer's socket, STUN goes through it, TURN does not. */
#include "support/world.h"

static world *shared_world(void) {
  world *w = world_new(1);
  w->cfg.shared_sockets = true;
  return w;
}

static void stun_goes_through_the_shared_socket(void **state) {
  (void)state;
  world *w = shared_world();
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "stun:192.0.2.1");
  world_gather(w);
  world_expect(w, BEGIN "10.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n" END("10.0"));
  world_expect_wire(w, "open", "0.0 open udp 10.0.0.1 shared\n");
  world_free(w);
}

/* A server has one allocation for each address of ours, and other agents have the shared one too. */
static void an_allocation_has_a_socket_of_its_own(void **state) {
  (void)state;
  world *w = shared_world();
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect_wire(w, "open", "0.0 open udp 10.0.0.1 shared\n0.0 open udp 10.0.0.1\n");
  world_expect_wire(w, "Allocate", "* send udp 10.0.0.1:50001 > *\n* send udp 10.0.0.1:50001 > *\n");
  world_expect(w, BEGIN
               "20.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
               "20.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50001 turn:192.0.2.1\n" END("20.0"));
  world_free(w);
}

/* The multiplexer has chosen its port. */
static void the_port_range_is_for_sockets_of_our_own(void **state) {
  (void)state;
  world *w = shared_world();
  w->cfg.port_min = w->cfg.port_max = 40000;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect_wire(w, "open", "0.0 open udp 10.0.0.1 shared\n0.0 open udp 10.0.0.1:40000\n");
  world_free(w);
}

/* Only host candidates are on it: where there are none, nothing is shared. */
static void without_host_candidates_nothing_is_shared(void **state) {
  (void)state;
  world *w = shared_world();
  w->cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect_wire(w, "open", "0.0 open udp 10.0.0.1\n");
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stun_goes_through_the_shared_socket),
      cmocka_unit_test(an_allocation_has_a_socket_of_its_own),
      cmocka_unit_test(the_port_range_is_for_sockets_of_our_own),
      cmocka_unit_test(without_host_candidates_nothing_is_shared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
