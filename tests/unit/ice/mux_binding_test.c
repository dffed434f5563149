/* mux_binding.c: what agents call the shared sockets. */
#include "unit/ice/mux_rig.h"

static void an_agent_has_a_name_for_each_socket(void **state) {
  fixture *f = *state;
  const char *from = "192.0.2.1:1000";
  assert_int_equal(bind_at(f, 0, 7, LOCAL), FLOE_E_NOT_FOUND);
  assert_int_equal(add(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(add(f, 1, "evtj"), FLOE_OK);
  /* It has no name yet. */
  floe_addr a = addr(from);
  floe_ice_mux_match match = route(f, 0, LOCAL, &a, check(f, "8hhY:peer"));
  assert_ptr_equal(match.agent, agent(0));
  assert_int_equal(match.sock, 0);
  assert_int_equal(bind_at(f, 0, 7, LOCAL), FLOE_OK);
  assert_int_equal(bind_at(f, 0, 8, LOCAL_V6), FLOE_OK);
  assert_int_equal(bind_at(f, 1, 7, LOCAL_V6), FLOE_OK);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "8hhY:peer")), 7);
  assert_int_equal(name_at(f, LOCAL_V6, from, check(f, "8hhY:peer")), 8);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "evtj:peer")), 0);
  assert_int_equal(name_at(f, LOCAL_V6, from, check(f, "evtj:peer")), 7);
  assert_int_equal(name_at(f, "198.51.100.1:3479", from, check(f, "8hhY:peer")), 0);
  floe_ice_mux_unbind(f->mux, agent(0), 7);
  floe_ice_mux_unbind(f->mux, agent(0), 7);
  floe_ice_mux_unbind(f->mux, agent(5), 7);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "8hhY:peer")), 0);
  assert_int_equal(name_at(f, LOCAL_V6, from, check(f, "8hhY:peer")), 8);
  /* Bound again, elsewhere. */
  assert_int_equal(bind_at(f, 0, 8, LOCAL), FLOE_OK);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "8hhY:peer")), 8);
  assert_int_equal(name_at(f, LOCAL_V6, from, check(f, "8hhY:peer")), 0);
}

static void what_is_sent_on_a_socket_that_is_not_shared(void **state) {
  fixture *f = *state;
  floe_addr local;
  floe_output out = {.type = FLOE_OUTPUT_TRANSMIT};
  out.u.transmit.sock = 9;
  out.u.transmit.to = addr("192.0.2.1:1000");
  out.u.transmit.data = hello;
  assert_false(floe_ice_mux_note(f->mux, 0, agent(0), &out, &local));
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_false(floe_ice_mux_note(f->mux, 0, agent(0), &out, &local));
  assert_null(comes(f, "192.0.2.1:1000", hello));
  out.u.transmit.sock = name_of(0);
  assert_true(floe_ice_mux_note(f->mux, 0, agent(0), &out, &local));
  floe_addr expected = addr(LOCAL);
  assert_true(floe_addr_equal(&local, &expected));
  assert_ptr_equal(comes(f, "192.0.2.1:1000", hello), agent(0));
}

/* Two agents that talk to one address from two sockets. */
static void sockets_keep_peers_apart(void **state) {
  fixture *f = *state;
  floe_addr peer = addr("192.0.2.1:1000");
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(attach(f, i, i == 0 ? "8hhY" : "evtj"), FLOE_OK);
    assert_int_equal(bind_at(f, i, name_v6_of(i), LOCAL_V6), FLOE_OK);
  }
  sends_to(f, 0, 0, name_of(0), &peer, hello);
  sends_to(f, 0, 1, name_v6_of(1), &peer, hello);
  floe_ice_mux_match match = route(f, 0, LOCAL, &peer, hello);
  assert_ptr_equal(match.agent, agent(0));
  assert_int_equal(match.sock, name_of(0));
  match = route(f, 0, LOCAL_V6, &peer, hello);
  assert_ptr_equal(match.agent, agent(1));
  assert_int_equal(match.sock, name_v6_of(1));
}

static void each_session_has_its_own_names(void **state) {
  fixture *f = *state;
  const char *from = "192.0.2.1:1000";
  floe_addr peer = addr(from);
  assert_int_equal(add(f, 0, "old0"), FLOE_OK);
  assert_int_equal(bind_at(f, 0, 1, LOCAL), FLOE_OK);
  sends_to(f, 0, 0, 1, &peer, message(f, FLOE__STUN_REQUEST, "zero"));
  assert_int_equal(name_at(f, LOCAL, from, message(f, FLOE__STUN_SUCCESS, "zero")), 1);
  sends_to(f, 0, 0, 1, &peer, hello);
  /* A restart: until the new session has its socket, the old one's must do. */
  assert_int_equal(add(f, 0, "new0"), FLOE_OK);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "new0:peer")), 1);
  assert_int_equal(bind_at(f, 0, 2, LOCAL), FLOE_OK);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "old0:peer")), 1);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "new0:peer")), 2);
  /* Answers go to whose request it was; data goes on to the old session until the new one has proved itself. */
  sends_to(f, 0, 0, 2, &peer, message(f, FLOE__STUN_REQUEST, "two"));
  sends_to(f, 0, 0, 1, &peer, message(f, FLOE__STUN_REQUEST, "one"));
  assert_int_equal(name_at(f, LOCAL, from, hello), 1);
  assert_int_equal(name_at(f, LOCAL, from, message(f, FLOE__STUN_SUCCESS, "one")), 1);
  assert_int_equal(name_at(f, LOCAL, from, hello), 1);
  assert_int_equal(name_at(f, LOCAL, from, message(f, FLOE__STUN_SUCCESS, "two")), 2);
  assert_int_equal(name_at(f, LOCAL, from, hello), 2);
  sends_to(f, 0, 0, 1, &peer, hello);
  assert_int_equal(name_at(f, LOCAL, from, hello), 1);
  /* The old session ends. */
  floe_ice_mux_unbind(f->mux, agent(0), 1);
  assert_int_equal(name_at(f, LOCAL, from, hello), 2);
  /* Of several the newest stands in for one that is gone. */
  assert_int_equal(bind_at(f, 0, 3, LOCAL), FLOE_OK);
  assert_int_equal(name_at(f, LOCAL, from, hello), 3);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "old0:peer")), 3);
  assert_int_equal(name_at(f, LOCAL, from, message(f, FLOE__STUN_SUCCESS, "one")), 3);
  assert_int_equal(name_at(f, LOCAL, from, message(f, FLOE__STUN_SUCCESS, "two")), 2);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(an_agent_has_a_name_for_each_socket),
      TEST(what_is_sent_on_a_socket_that_is_not_shared),
      TEST(sockets_keep_peers_apart),
      TEST(each_session_has_its_own_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
