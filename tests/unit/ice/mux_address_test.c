/* mux_address.c: everything else by its address, and whose that is. */
#include "unit/ice/mux_rig.h"

/* --- addresses -------------------------------------------------------------------------------------------------------
 */

static void data_goes_by_address(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  agree(f, 0, "192.0.2.1:1000", "zero");
  agree(f, 1, "192.0.2.1:1001", "one");
  sends(f, 0, 0, "[2001:db8::1]:1000", hello); /* families do not matter here */
  sends(f, 0, 1, "[2001:db8::1]:1001", hello);
  assert_ptr_equal(comes(f, "192.0.2.1:1000", hello), agent(0));
  assert_ptr_equal(comes(f, "192.0.2.1:1001", hello), agent(1));
  assert_ptr_equal(comes(f, "[2001:db8::1]:1000", hello), agent(0));
  assert_ptr_equal(comes(f, "[2001:db8::1]:1001", hello), agent(1));
  assert_null(comes(f, "192.0.2.1:1002", hello));
  assert_null(comes(f, "192.0.2.2:1000", hello));
  assert_null(comes(f, "[2001:db8::2]:1000", hello));
  assert_ptr_equal(comes(f, "192.0.2.1:1000", (floe_bytes){0}), agent(0));
  /* The bytes beyond an IPv4 address mean nothing; the scope of a link-local one does. */
  floe_addr v4 = addr("192.0.2.1:1000");
  v4.ip[9] = 7;
  assert_ptr_equal(comes_from(f, &v4, hello), agent(0));
  floe_addr v6 = addr("[fe80::1]:1000");
  v6.scope_id = 2;
  sends_to(f, 0, 1, name_of(1), &v6, hello);
  assert_ptr_equal(comes_from(f, &v6, hello), agent(1));
  v6.scope_id = 3;
  assert_null(comes_from(f, &v6, hello));
}

static void the_first_to_send_has_an_address_that_is_nobodys(void **state) {
  fixture *f = *state;
  const char *at = "192.0.2.1:1000";
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  assert_ptr_equal(comes(f, at, check(f, "evtj:peer")), agent(1));
  assert_null(comes(f, at, hello)); /* a check by itself leads nowhere */
  sends(f, 0, 0, at, message(f, FLOE__STUN_REQUEST, "zero"));
  sends(f, 0, 1, at, message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, at, hello), agent(0));
}

static void the_oldest_address_gives_way(void **state) {
  fixture *f = *state;
  limit(f, 0, 2, 0);
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  sends(f, 0, 1, "192.0.2.1:9", hello);
  sends(f, 0, 0, "192.0.2.1:1", hello);
  sends(f, 0, 0, "192.0.2.1:2", hello);
  sends(f, 0, 0, "192.0.2.1:1", hello); /* used again */
  sends(f, 0, 0, "192.0.2.1:3", hello);
  assert_ptr_equal(comes(f, "192.0.2.1:1", hello), agent(0));
  assert_null(comes(f, "192.0.2.1:2", hello));
  assert_ptr_equal(comes(f, "192.0.2.1:3", hello), agent(0));
  assert_ptr_equal(comes(f, "192.0.2.1:9", hello), agent(1));
}

static void an_address_goes_back_when_its_agent_leaves(void **state) {
  fixture *f = *state;
  const char *at = "192.0.2.1:1000";
  for (size_t i = 0; i < 3; i++) {
    char ufrag[] = "aaa0";
    ufrag[3] = (char)('0' + i);
    assert_int_equal(attach(f, i, ufrag), FLOE_OK);
    agree(f, i, at, ufrag);
  }
  assert_ptr_equal(comes(f, at, hello), agent(2));
  floe_ice_mux_detach(f->mux, agent(2));
  assert_ptr_equal(comes(f, at, hello), agent(1));
  floe_ice_mux_detach(f->mux, agent(0));
  assert_ptr_equal(comes(f, at, hello), agent(1));
  floe_ice_mux_detach(f->mux, agent(1));
  assert_null(comes(f, at, hello));
}

/* --- whose address ---------------------------------------------------------------------------------------------------
 */

/* Agent 0 talks to its peer there; agent 1 is whose peer is a liar, or the peer that has the address by now. */
static const char *const contested = "192.0.2.1:1000";

static void begin_contest(fixture *f) {
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  agree(f, 0, contested, "zero");
}

static void a_check_does_not_take_an_address(void **state) {
  fixture *f = *state;
  begin_contest(f);
  /* From an address that may be forged, signed or not. */
  assert_ptr_equal(comes(f, contested, check(f, "evtj:liar")), agent(1));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  /* It was signed: agent 1 answers, and checks the other way. */
  sends(f, 0, 1, contested, message(f, FLOE__STUN_SUCCESS, "check"));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  sends(f, 0, 1, contested, message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  sends(f, 0, 1, contested, message(f, FLOE__STUN_INDICATION, "keep"));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  /* Agent 0's peer knows nothing of that check: it refuses. */
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_ERROR, "one")), agent(1));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
}

static void an_answer_from_there_takes_it(void **state) {
  fixture *f = *state;
  begin_contest(f);
  sends(f, 0, 1, contested, message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "one")), agent(1));
  assert_ptr_equal(comes(f, contested, hello), agent(1));
  /* The answers go on finding who asked. */
  sends(f, 0, 0, contested, message(f, FLOE__STUN_REQUEST, "two"));
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "two")), agent(0));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
}

static void an_answer_to_a_check_to_elsewhere_does_not(void **state) {
  fixture *f = *state;
  begin_contest(f);
  /* The liar gets the check at its own address and answers with agent 0's peer as the source. */
  sends(f, 0, 1, contested, message(f, FLOE__STUN_REQUEST, "there"));
  sends(f, 0, 1, "192.0.2.66:6666", message(f, FLOE__STUN_REQUEST, "here"));
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "here")), agent(1));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
}

static void a_second_answer_does_not(void **state) {
  fixture *f = *state;
  begin_contest(f);
  sends(f, 0, 1, contested, message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "one")), agent(1));
  agree(f, 0, contested, "two");
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "one")), agent(1));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
}

static void an_answer_to_the_next_transmission_does(void **state) {
  fixture *f = *state;
  begin_contest(f);
  sends(f, 0, 1, contested, message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "one")), agent(1));
  agree(f, 0, contested, "two");
  sends(f, 0, 1, contested, message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "one")), agent(1));
  assert_ptr_equal(comes(f, contested, hello), agent(1));
}

static void sending_data_takes_it(void **state) {
  fixture *f = *state;
  begin_contest(f);
  sends(f, 0, 1, contested, hello);
  assert_ptr_equal(comes(f, contested, hello), agent(1));
  sends(f, 0, 0, contested, hello);
  assert_ptr_equal(comes(f, contested, hello), agent(0));
}

static void a_lite_agent_takes_it_by_answering(void **state) {
  fixture *f = *state;
  floe_ice_parameters lite = {.ufrag = "lite", .pwd = "asd88fgpdd777uzjYhagZg", .lite = true};
  begin_contest(f);
  assert_int_equal(floe__mux_add(f->mux, agent(2), &lite, agent(2)), FLOE_OK);
  assert_int_equal(bind_at(f, 2, name_of(2), LOCAL), FLOE_OK);
  assert_ptr_equal(comes(f, contested, check(f, "lite:peer")), agent(2));
  sends(f, 0, 2, contested, message(f, FLOE__STUN_ERROR, "check"));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  sends(f, 0, 2, contested, message(f, FLOE__STUN_SUCCESS, "check"));
  assert_ptr_equal(comes(f, contested, hello), agent(2));
}

static void refusing_strangers_pushes_out_nobody(void **state) {
  fixture *f = *state;
  begin_contest(f);
  for (uint16_t port = 1; port <= 1000; port++) {
    floe_addr from = addr("203.0.113.5");
    from.port = port;
    assert_ptr_equal(comes_from(f, &from, check(f, "8hhY:liar")), agent(0));
    sends_to(f, 0, 0, name_of(0), &from, message(f, FLOE__STUN_ERROR, "401"));
  }
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  assert_int_equal(f->mux->addresses.n, 1);
}

/* --- ICMP ------------------------------------------------------------------------------------------------------------
 */

static size_t count_at(const fixture *f, const char *to, bool seen[4]) {
  floe_addr local = addr(LOCAL);
  floe_addr a = addr(to);
  size_t n = 0;
  memset(seen, 0, 4 * sizeof *seen);
  for (floe_ice_mux_match m = {0}; floe_ice_mux_next_at(f->mux, &local, &a, &m); n++) {
    for (size_t k = 0; k < 4; k++) {
      if (m.agent != agent(k)) continue;
      seen[k] = true;
      assert_ptr_equal(m.user, m.agent);
      assert_int_equal(m.sock, name_of(k));
    }
  }
  return n;
}

static void all_that_have_sent_to_an_address(void **state) {
  fixture *f = *state;
  bool seen[4];
  floe_addr local = addr(LOCAL);
  floe_addr a = addr("192.0.2.9:3478");
  for (size_t i = 0; i < 4; i++) {
    char ufrag[] = "aaa0";
    ufrag[3] = (char)('0' + i);
    assert_int_equal(attach(f, i, ufrag), FLOE_OK);
  }
  assert_int_equal(count_at(f, "192.0.2.9:3478", seen), 0);
  for (size_t i = 0; i < 3; i++) sends(f, 0, i, "192.0.2.9:3478", message(f, FLOE__STUN_REQUEST, "zero"));
  sends(f, 0, 1, "192.0.2.9:3479", hello);
  assert_int_equal(count_at(f, "192.0.2.9:3478", seen), 3);
  assert_true(seen[0] && seen[1] && seen[2] && !seen[3]);
  assert_int_equal(count_at(f, "192.0.2.9:3479", seen), 1);
  assert_true(seen[1]);
  floe_ice_mux_match strange = {.agent = agent(3)};
  assert_false(floe_ice_mux_next_at(f->mux, &local, &a, &strange));
  assert_null(strange.agent);
  local.port = 3479; /* another socket */
  assert_false(floe_ice_mux_next_at(f->mux, &local, &a, &strange));
  floe_ice_mux_detach(f->mux, agent(1));
  assert_int_equal(count_at(f, "192.0.2.9:3478", seen), 2);
  assert_true(seen[0] && seen[2]);
  local.port = 3478;
  strange.agent = agent(1);
  assert_false(floe_ice_mux_next_at(f->mux, &local, &a, &strange)); /* it has gone between two calls */
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(data_goes_by_address),
      TEST(the_first_to_send_has_an_address_that_is_nobodys),
      TEST(the_oldest_address_gives_way),
      TEST(an_address_goes_back_when_its_agent_leaves),
      TEST(a_check_does_not_take_an_address),
      TEST(an_answer_from_there_takes_it),
      TEST(an_answer_to_a_check_to_elsewhere_does_not),
      TEST(a_second_answer_does_not),
      TEST(an_answer_to_the_next_transmission_does),
      TEST(sending_data_takes_it),
      TEST(a_lite_agent_takes_it_by_answering),
      TEST(refusing_strangers_pushes_out_nobody),
      TEST(all_that_have_sent_to_an_address),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
