/* Attempts start Ta apart, round-robin over the servers in configuration order; follow-up requests are not paced (the
 * contract's section 5, RFC 8445 14.2). */
#include "support/world.h"

static void attempts_start_five_ms_apart(void **state) {
  (void)state;
  world *w = world_new(1);
  world_add(w, "stun:192.0.2.31");
  world_add(w, "stun:192.0.2.32");
  world_add(w, "stun:192.0.2.33");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 400);
  world_expect_wire(w, "send",
                    "0.0 send udp 10.0.0.1:50000 > 192.0.2.31:3478 Binding\n"
                    "5.0 send udp 10.0.0.1:50000 > 192.0.2.32:3478 Binding\n"
                    "10.0 send udp 10.0.0.1:50000 > 192.0.2.33:3478 Binding\n");
  world_free(w);
}

static void servers_take_turns(void **state) {
  (void)state;
  world *w = world_new_natted(1, "eth0", "10.0.0.1", "eth1", "10.0.0.2", "eth2", "10.0.0.3", NULL);
  world_add(w, "stun:192.0.2.31");
  world_add(w, "turn:192.0.2.32");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 400);
  world_expect_wire(w, "send",
                    "0.0 send udp 10.0.0.1:50000 > 192.0.2.31:3478 Binding\n"
                    "5.0 send udp 10.0.0.1:50000 > 192.0.2.32:3478 Allocate\n"
                    "10.0 send udp 10.0.0.2:50001 > 192.0.2.31:3478 Binding\n"
                    "15.0 send udp 10.0.0.2:50001 > 192.0.2.32:3478 Allocate\n"
                    "20.0 send udp 10.0.0.3:50002 > 192.0.2.31:3478 Binding\n"
                    "25.0 send udp 10.0.0.3:50002 > 192.0.2.32:3478 Allocate\n");
  world_free(w);
}

static void ta_can_be_set(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.timing.ta_ms = 50;
  world_add(w, "stun:192.0.2.31");
  world_add(w, "turn:192.0.2.32?transport=tcp");
  world_add(w, "stun:192.0.2.33");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 400);
  world_expect_wire(w, ":3478",
                    "0.0 send udp 10.0.0.1:50000 > 192.0.2.31:3478 Binding\n"
                    "50.0 open tcp 10.0.0.1 > 192.0.2.32:3478\n"
                    "100.0 send udp 10.0.0.1:50000 > 192.0.2.33:3478 Binding\n");
  world_free(w);
}

static void a_follow_up_is_not_paced(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.timing.ta_ms = 50;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, "turn:192.0.2.1");
  world_add(w, "stun:192.0.2.33");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 400);
  world_expect_wire(w, "send",
                    "0.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Allocate\n"
                    "10.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Allocate\n"
                    "50.0 send udp 10.0.0.1:50000 > 192.0.2.33:3478 Binding\n");
  world_free(w);
}

static void the_deadlines_of_a_paced_attempt_count_from_its_own_start(void **state) {
  (void)state;
  world *w = world_new(1);
  w->cfg.timing.ta_ms = 1000;
  world_add(w, "stun:192.0.2.31");
  world_add(w, "stun:192.0.2.32");
  world_gather(w);
  world_expect(w, BEGIN
               "5000.0 error 701 udp_timeout stun:192.0.2.31 at 10.0.0.1:50000 binding\n"
               "6000.0 error 701 udp_timeout stun:192.0.2.32 at 10.0.0.1:50000 binding\n" END("6000.0"));
  world_free(w);
}

/* A name that is answered later joins the others; a pause does not let the next two start together. */
static void late_attempts_keep_the_distance(void **state) {
  (void)state;
  world *w = world_new(1);
  sim_dns_add(w->s, "a.example", "192.0.2.41", NULL);
  sim_dns_add(w->s, "b.example", "192.0.2.42", NULL);
  world_add(w, "stun:192.0.2.31");
  world_add(w, "stun:a.example");
  world_add(w, "stun:b.example");
  world_start(w);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  sim_run_for(w->s, 400);
  world_expect_wire(w, "send",
                    "0.0 send udp 10.0.0.1:50000 > 192.0.2.31:3478 Binding\n"
                    "10.0 send udp 10.0.0.1:50000 > 192.0.2.41:3478 Binding\n"
                    "15.0 send udp 10.0.0.1:50000 > 192.0.2.42:3478 Binding\n");
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(attempts_start_five_ms_apart),
      cmocka_unit_test(servers_take_turns),
      cmocka_unit_test(ta_can_be_set),
      cmocka_unit_test(a_follow_up_is_not_paced),
      cmocka_unit_test(the_deadlines_of_a_paced_attempt_count_from_its_own_start),
      cmocka_unit_test(late_attempts_keep_the_distance),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
