/* mux_transaction.c: answers by their transaction id. */
#include "unit/ice/mux_rig.h"

static void an_answer_finds_who_asked(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  /* Both ask the same server. */
  sends(f, 0, 0, "192.0.2.9:3478", message(f, FLOE__STUN_REQUEST, "zero"));
  sends(f, 0, 1, "192.0.2.9:3478", message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, "192.0.2.9:3478", message(f, FLOE__STUN_SUCCESS, "one")), agent(1));
  assert_ptr_equal(comes(f, "192.0.2.9:3478", message(f, FLOE__STUN_ERROR, "zero")), agent(0));
  /* The answer to another transmission, from wherever. */
  assert_ptr_equal(comes(f, "192.0.2.9:3478", message(f, FLOE__STUN_SUCCESS, "zero")), agent(0));
  assert_ptr_equal(comes(f, "192.0.2.7:3478", message(f, FLOE__STUN_ERROR, "one")), agent(1));
}

static void an_answer_to_nothing_goes_by_address(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  sends(f, 0, 0, "192.0.2.9:3478", message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, "192.0.2.9:3478", message(f, FLOE__STUN_SUCCESS, "two")), agent(0));
  assert_null(comes(f, "192.0.2.8:3478", message(f, FLOE__STUN_SUCCESS, "two")));
}

static void requests_are_forgotten_in_time(void **state) {
  fixture *f = *state;
  const char *at = "192.0.2.9:3478";
  const char *elsewhere = "192.0.2.8:3478"; /* where nothing goes by address */
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  sends(f, 0, 0, at, message(f, FLOE__STUN_REQUEST, "zero"));
  sends(f, 30 * FLOE_SECOND, 0, at, message(f, FLOE__STUN_REQUEST, "one"));
  sends(f, 60 * FLOE_SECOND - 1, 0, at, message(f, FLOE__STUN_REQUEST, "two"));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "zero")), agent(0));
  sends(f, 60 * FLOE_SECOND, 0, at, message(f, FLOE__STUN_REQUEST, "zero")); /* sent again: its time runs anew */
  sends(f, 90 * FLOE_SECOND, 0, at, message(f, FLOE__STUN_REQUEST, "three"));
  assert_null(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "one")));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "zero")), agent(0));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "two")), agent(0));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "three")), agent(0));
}

static void answered_requests_are_forgotten_sooner(void **state) {
  fixture *f = *state;
  const char *at = "192.0.2.9:3478";
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  sends(f, 0, 0, at, message(f, FLOE__STUN_REQUEST, "zero"));
  assert_ptr_equal(comes_at(f, FLOE_SECOND, at, message(f, FLOE__STUN_SUCCESS, "zero")), agent(0));
  assert_ptr_equal(comes_at(f, 9 * FLOE_SECOND, at, message(f, FLOE__STUN_SUCCESS, "zero")), agent(0));
  sends(f, 11 * FLOE_SECOND - 1, 0, at, message(f, FLOE__STUN_REQUEST, "one"));
  assert_int_equal(f->mux->transactions.n, 2);
  sends(f, 11 * FLOE_SECOND, 0, at, message(f, FLOE__STUN_REQUEST, "two"));
  assert_int_equal(f->mux->transactions.n, 2);
  assert_null(comes(f, "192.0.2.8:3478", message(f, FLOE__STUN_SUCCESS, "zero")));
}

static void the_oldest_request_gives_way(void **state) {
  fixture *f = *state;
  const char *at = "192.0.2.9:3478";
  const char *elsewhere = "192.0.2.8:3478";
  limit(f, 0, 0, 2);
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  sends(f, 0, 1, at, message(f, FLOE__STUN_REQUEST, "other"));
  sends(f, 1, 0, at, message(f, FLOE__STUN_REQUEST, "zero"));
  sends(f, 2, 0, at, message(f, FLOE__STUN_REQUEST, "one"));
  sends(f, 3, 0, at, message(f, FLOE__STUN_REQUEST, "zero"));
  sends(f, 4, 0, at, message(f, FLOE__STUN_REQUEST, "two"));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "zero")), agent(0));
  assert_null(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "one")));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "two")), agent(0));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "other")), agent(1));
}

static void one_transaction_id_of_two_agents(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  sends(f, 0, 0, "192.0.2.9:3478", message(f, FLOE__STUN_REQUEST, "same"));
  sends(f, 0, 1, "192.0.2.9:3478", message(f, FLOE__STUN_REQUEST, "same"));
  assert_ptr_equal(comes(f, "192.0.2.9:3478", message(f, FLOE__STUN_SUCCESS, "same")), agent(1));
  assert_int_equal(f->mux->transactions.n, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(an_answer_finds_who_asked),      TEST(an_answer_to_nothing_goes_by_address),
      TEST(requests_are_forgotten_in_time), TEST(answered_requests_are_forgotten_sooner),
      TEST(the_oldest_request_gives_way),   TEST(one_transaction_id_of_two_agents),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
