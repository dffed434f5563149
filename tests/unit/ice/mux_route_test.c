/* mux_route.c: checks by their ufrag, and what only looks like one. */
#include "stun/integrity.h"
#include "unit/ice/mux_rig.h"

static void a_check_finds_its_agent_by_ufrag(void **state) {
  fixture *f = *state;
  floe_addr from = addr("192.0.2.1:1000");
  floe_ice_mux_match request;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  assert_int_equal(floe_ice_mux_agents(f->mux), 2);
  request = route(f, 0, LOCAL, &from, check(f, "evtj:h6vY"));
  assert_ptr_equal(request.agent, agent(1));
  assert_slice(request.local_ufrag, "evtj");
  assert_slice(request.remote_ufrag, "h6vY");
  assert_true(request.local_ufrag.ptr > f->buf && request.local_ufrag.ptr < f->buf + sizeof f->buf);
  request = route(f, 0, LOCAL, &from, check(f, "8hhY:h6vY"));
  assert_ptr_equal(request.agent, agent(0));
  assert_slice(request.local_ufrag, "8hhY");
  request = route(f, 0, LOCAL, &from, check(f, "8hhY:"));
  assert_ptr_equal(request.agent, agent(0));
  assert_slice(request.remote_ufrag, "");
  request = route(f, 0, LOCAL, &from, check(f, "8hhY:a:b"));
  assert_ptr_equal(request.agent, agent(0));
  assert_slice(request.remote_ufrag, "a:b");
  assert_ptr_equal(comes(f, "192.0.2.1:1000", check(f, "evtj:h6vY")), agent(1)); /* nobody asks for the parts */
}

static void a_check_for_a_ufrag_that_is_not_known(void **state) {
  fixture *f = *state;
  static const char *const names[] = {"zzzz:h6vY", "8hhYY:h6vY", "8hh:h6vY", "8HHY:h6vY", "h6vY:8hhY"};
  static const char *const locals[] = {"zzzz", "8hhYY", "8hh", "8HHY", "h6vY"};
  floe_addr from = addr("192.0.2.1:1000");
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  agree(f, 0, "192.0.2.1:1000", "one"); /* even from an address that is known */
  for (size_t i = 0; i < 5; i++) {
    floe_ice_mux_match request;
    request = route(f, 0, LOCAL, &from, check(f, names[i]));
    assert_null(request.agent);
    assert_slice(request.local_ufrag, locals[i]);
  }
}

static void a_request_that_is_no_check_goes_by_address(void **state) {
  fixture *f = *state;
  floe_addr from = addr("192.0.2.1:1000");
  floe_ice_mux_match request;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  agree(f, 1, "192.0.2.1:1000", "one");
  request = route(f, 0, LOCAL, &from, check(f, "8hhY"));
  assert_ptr_equal(request.agent, agent(1));
  assert_slice(request.local_ufrag, "");
  assert_slice(request.remote_ufrag, "");
  request = route(f, 0, LOCAL, &from, check(f, ":8hhY"));
  assert_ptr_equal(request.agent, agent(1));
  assert_slice(request.local_ufrag, "");
  request = route(f, 0, LOCAL, &from, check(f, ""));
  assert_ptr_equal(request.agent, agent(1));
  request = route(f, 0, LOCAL, &from, message(f, FLOE__STUN_REQUEST, "x"));
  assert_ptr_equal(request.agent, agent(1));
  assert_slice(request.local_ufrag, "");
  /* Another method, with a user name that would fit. */
  floe__stun_builder b;
  floe__stun_begin(&b, f->buf, sizeof f->buf, FLOE__STUN_REQUEST, FLOE__STUN_ALLOCATE, (const uint8_t *)"twelve bytes");
  floe__stun_put_text(&b, FLOE__STUN_USERNAME, "8hhY:evtj");
  request = route(f, 0, LOCAL, &from, floe__stun_end(&b));
  assert_ptr_equal(request.agent, agent(1));
  assert_slice(request.local_ufrag, "");
  /* An indication (RFC 8445 11: keepalive). */
  assert_ptr_equal(comes(f, "192.0.2.1:1000", message(f, FLOE__STUN_INDICATION, "x")), agent(1));
  assert_null(comes(f, "192.0.2.1:1001", message(f, FLOE__STUN_INDICATION, "x")));
}

static void a_check_that_is_cut_short(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  floe_bytes whole = check(f, "8hhY:h6vY");
  for (size_t len = 0; len < whole.len; len++) {
    assert_null(comes(f, "192.0.2.1:1000", (floe_bytes){.ptr = whole.ptr, .len = len}));
  }
  /* An attribute that reaches past the end, after the user name: it is for the agent to refuse. */
  memcpy(f->buf + whole.len, "\x80\x22\x00\x40", 4);
  f->buf[3] = (uint8_t)(f->buf[3] + 4);
  assert_ptr_equal(comes(f, "192.0.2.1:1000", (floe_bytes){.ptr = f->buf, .len = whole.len + 4}), agent(0));
}

static void is_signed(void **state) {
  fixture *f = *state;
  floe__stun_key key;
  floe__stun_builder b;
  floe__stun_key_init(&key, "asd88fgpdd777uzjYhagZg", 22);
  floe__stun_begin(&b, f->buf, sizeof f->buf, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, (const uint8_t *)"twelve bytes");
  floe__stun_put_text(&b, FLOE__STUN_USERNAME, "8hhY:evtj");
  floe__stun_put_integrity(&b, &key);
  floe__stun_put_fingerprint(&b);
  floe_bytes data = floe__stun_end(&b);
  assert_true(floe_ice_mux_check_is_signed(data, "asd88fgpdd777uzjYhagZg"));
  assert_false(floe_ice_mux_check_is_signed(data, "asd88fgpdd777uzjYhagZh"));
  assert_false(floe_ice_mux_check_is_signed(data, ""));
  f->buf[25]++;
  assert_false(floe_ice_mux_check_is_signed(data, "asd88fgpdd777uzjYhagZg"));
  assert_false(floe_ice_mux_check_is_signed(check(f, "8hhY:evtj"), "asd88fgpdd777uzjYhagZg"));
  assert_false(floe_ice_mux_check_is_signed(hello, "asd88fgpdd777uzjYhagZg"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(a_check_finds_its_agent_by_ufrag),
      TEST(a_check_for_a_ufrag_that_is_not_known),
      TEST(a_request_that_is_no_check_goes_by_address),
      TEST(a_check_that_is_cut_short),
      TEST(is_signed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
