/* mux.c: making one, attaching, memory, many. */
#include "unit/ice/mux_rig.h"

/* --- making one ------------------------------------------------------------------------------------------------------
 */

static void configuration(void **state) {
  fixture *f = *state;
  floe_ice_mux_config cfg;
  floe_ice_mux *mux;
  floe_ice_mux_config_init(&cfg, sizeof cfg);
  assert_int_equal(cfg.size, sizeof cfg);
  cfg.size = 2;
  assert_int_equal(floe_ice_mux_new(&mux, f->env, &cfg), FLOE_E_TYPE);
  assert_null(mux);
  cfg.size = 8; /* an older program */
  cfg.max_agents = 3;
  cfg.max_addresses = 99;
  assert_int_equal(floe_ice_mux_new(&mux, f->env, &cfg), FLOE_OK);
  assert_int_equal(mux->cfg.max_agents, 3);
  assert_int_equal(mux->cfg.max_addresses, 64);
  assert_int_equal(mux->cfg.max_transactions, 256);
  floe_ice_mux_free(mux);
  floe_ice_mux_free(NULL);
  assert_int_equal(f->mux->cfg.max_agents, 1000000);
}

static void an_empty_one_finds_nobody(void **state) {
  fixture *f = *state;
  assert_null(comes(f, "192.0.2.1:1000", hello));
  assert_null(comes(f, "192.0.2.1:1000", check(f, "8hhY:9uB6")));
  assert_null(comes(f, "192.0.2.1:1000", message(f, FLOE__STUN_SUCCESS, "one")));
  assert_null(comes(f, "192.0.2.1:1000", (floe_bytes){0}));
  sends(f, 0, 0, "192.0.2.1:1000", hello); /* of an agent that is not there */
  sends(f, 0, 0, "192.0.2.1:1000", message(f, FLOE__STUN_REQUEST, "one"));
  assert_null(comes(f, "192.0.2.1:1000", hello));
  assert_null(comes(f, "192.0.2.1:1000", message(f, FLOE__STUN_SUCCESS, "one")));
  floe_ice_mux_detach(f->mux, agent(0));
  assert_int_equal(floe_ice_mux_agents(f->mux), 0);
}

static void a_pointer_of_the_program(void **state) {
  fixture *f = *state;
  floe_ice_parameters params = {.ufrag = "8hhY", .pwd = "asd88fgpdd777uzjYhagZg"};
  floe_addr local = addr(LOCAL);
  floe_addr from = addr("192.0.2.1:1000");
  floe_ice_mux_match match;
  int mine;
  int other;
  assert_int_equal(floe__mux_add(f->mux, agent(0), &params, &mine), FLOE_OK);
  assert_true(floe_ice_mux_route(f->mux, 0, &local, &from, check(f, "8hhY:h6vY"), &match));
  assert_ptr_equal(match.user, &mine);
  assert_int_equal(floe__mux_add(f->mux, agent(0), &params, &other), FLOE_OK);
  assert_true(floe_ice_mux_route(f->mux, 0, &local, &from, check(f, "8hhY:h6vY"), &match));
  assert_ptr_equal(match.user, &other);
}

/* --- attaching -------------------------------------------------------------------------------------------------------
 */

static void two_sessions_of_one_agent(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "old0"), FLOE_OK);
  assert_int_equal(attach(f, 0, "new0"), FLOE_OK);
  assert_int_equal(floe_ice_mux_agents(f->mux), 1);
  assert_ptr_equal(comes(f, "192.0.2.1:1000", check(f, "old0:peer")), agent(0));
  assert_ptr_equal(comes(f, "192.0.2.1:1000", check(f, "new0:peer")), agent(0));
}

static void the_last_eight_sessions_are_kept(void **state) {
  fixture *f = *state;
  static const char *const names[] = {"s000:p", "s001:p", "s002:p", "s003:p", "s004:p",
                                      "s005:p", "s006:p", "s007:p", "s008:p", "s009:p"};
  for (size_t i = 0; i < 10; i++) {
    char ufrag[5] = {0};
    memcpy(ufrag, names[i], 4);
    assert_int_equal(attach(f, 0, ufrag), FLOE_OK);
  }
  assert_null(comes(f, "192.0.2.1:1000", check(f, names[0])));
  assert_null(comes(f, "192.0.2.1:1000", check(f, names[1])));
  for (size_t i = 2; i < 10; i++) assert_ptr_equal(comes(f, "192.0.2.1:1000", check(f, names[i])), agent(0));
  assert_int_equal(attach(f, 1, "s000"), FLOE_OK); /* free again */
}

static void a_ufrag_belongs_to_one_agent(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "8hhY"), FLOE_E_STATE);
  assert_int_equal(floe_ice_mux_agents(f->mux), 1);
  assert_ptr_equal(comes(f, "192.0.2.1:1000", check(f, "8hhY:peer")), agent(0));
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  assert_int_equal(attach(f, 1, "8hhY"), FLOE_E_STATE);
  floe_ice_mux_detach(f->mux, agent(0));
  assert_int_equal(attach(f, 1, "8hhY"), FLOE_OK);
  assert_ptr_equal(comes(f, "192.0.2.1:1000", check(f, "8hhY:peer")), agent(1));
}

static void no_more_agents_than_allowed(void **state) {
  fixture *f = *state;
  limit(f, 2, 0, 0);
  assert_int_equal(attach(f, 0, "aaaa"), FLOE_OK);
  assert_int_equal(attach(f, 1, "bbbb"), FLOE_OK);
  assert_int_equal(attach(f, 2, "cccc"), FLOE_E_TOO_LARGE);
  assert_null(comes(f, "192.0.2.1:1000", check(f, "cccc:peer")));
  assert_int_equal(attach(f, 0, "dddd"), FLOE_OK); /* a restart is no new agent */
  floe_ice_mux_detach(f->mux, agent(1));
  assert_int_equal(attach(f, 2, "cccc"), FLOE_OK);
}

static void detaching_forgets_all(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "old0"), FLOE_OK);
  assert_int_equal(attach(f, 0, "new0"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  agree(f, 0, "192.0.2.1:1000", "one");
  agree(f, 1, "192.0.2.1:2000", "two");
  sends(f, 0, 0, "192.0.2.1:1000", message(f, FLOE__STUN_REQUEST, "three"));
  floe_ice_mux_detach(f->mux, agent(0));
  assert_int_equal(floe_ice_mux_agents(f->mux), 1);
  assert_null(comes(f, "192.0.2.1:1000", check(f, "old0:peer")));
  assert_null(comes(f, "192.0.2.1:1000", check(f, "new0:peer")));
  assert_null(comes(f, "192.0.2.1:1000", hello));
  assert_null(comes(f, "192.0.2.1:1000", message(f, FLOE__STUN_SUCCESS, "three")));
  assert_ptr_equal(comes(f, "192.0.2.1:2000", hello), agent(1));
  floe_ice_mux_detach(f->mux, agent(0));
  floe_ice_mux_detach(f->mux, agent(1));
  /* Nothing is left but the multiplexer and its env. */
  assert_int_equal(f->live, 2);
}

/* --- no memory -------------------------------------------------------------------------------------------------------
 */

/* A little of everything. What could not be remembered is nobody's; it is never another's. */
static void live_a_little(fixture *f) {
  bool has[3];
  for (size_t i = 0; i < 3; i++) {
    char ufrag[] = "aaa0";
    ufrag[3] = (char)('0' + i);
    floe_status st = add(f, i, ufrag);
    has[i] = st == FLOE_OK;
    assert_true(st == FLOE_OK || st == FLOE_E_NOMEM);
    st = bind_at(f, i, name_of(i), LOCAL);
    assert_true(has[i] ? st == FLOE_OK || st == FLOE_E_NOMEM : st == FLOE_E_NOT_FOUND);
    floe_ice_agent *found = comes(f, "192.0.2.1:9", check(f, i == 0 ? "aaa0:p" : i == 1 ? "aaa1:p" : "aaa2:p"));
    assert_ptr_equal(found, has[i] ? agent(i) : NULL);
  }
  assert_int_equal(floe_ice_mux_agents(f->mux), (size_t)has[0] + has[1] + has[2]);
  for (uint16_t i = 0; i < 60; i++) {
    floe_addr to = addr("192.0.2.1");
    char id[] = "id 00";
    to.port = (uint16_t)(1000 + i);
    id[3] = (char)('0' + i / 10);
    id[4] = (char)('0' + i % 10);
    floe_ice_agent *whose = agent(i % 3);
    sends_to(f, i, i % 3, name_of(i % 3), &to, message(f, FLOE__STUN_REQUEST, id));
    floe_ice_agent *found = comes_from(f, &to, message(f, FLOE__STUN_SUCCESS, id));
    assert_true(found == whose || found == NULL);
    sends_to(f, i, i % 3, name_of(i % 3), &to, hello);
    found = comes_from(f, &to, hello);
    assert_true(found == whose || found == NULL);
    floe_addr local = addr(LOCAL);
    floe_ice_mux_match match = {0};
    assert_true(floe_ice_mux_next_at(f->mux, &local, &to, &match) == (found != NULL));
    assert_ptr_equal(match.agent, found);
  }
  floe_ice_mux_detach(f->mux, agent(1));
  assert_int_equal(floe_ice_mux_agents(f->mux), (size_t)has[0] + has[2]);
}

static void memory_runs_out(void **state) {
  fixture *f = *state;
  uint32_t fail_in = 1;
  do {
    f->fail_in = fail_in++;
    live_a_little(f);
    floe_ice_mux_detach(f->mux, agent(0));
    floe_ice_mux_detach(f->mux, agent(2));
    assert_int_equal(f->live, 2);
  } while (f->fail_in == 0);
  assert_true(fail_in > 150);
  f->fail_in = 0;
}

static void no_memory_for_one(void **state) {
  fixture *f = *state;
  floe_ice_mux *mux = f->mux;
  f->fail_in = 1;
  assert_int_equal(floe_ice_mux_new(&mux, f->env, NULL), FLOE_E_NOMEM);
  assert_null(mux);
}

static void an_agent_that_is_there_stays_without_memory(void **state) {
  fixture *f = *state;
  const char *at = "192.0.2.1:1000";
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  agree(f, 0, at, "zero");
  f->fail_in = 1;
  assert_int_equal(attach(f, 0, "new0"), FLOE_E_NOMEM);
  assert_ptr_equal(comes(f, at, check(f, "8hhY:peer")), agent(0));
  assert_ptr_equal(comes(f, at, hello), agent(0));
  for (uint32_t i = 1; i <= 2; i++) { /* for the address, for the path */
    f->fail_in = i;
    sends(f, 0, 0, "192.0.2.1:1001", hello);
    assert_int_equal(f->fail_in, 0);
    assert_null(comes(f, "192.0.2.1:1001", hello));
  }
  sends(f, 0, 0, "192.0.2.1:1001", hello);
  assert_ptr_equal(comes(f, "192.0.2.1:1001", hello), agent(0));
}

/* --- many ------------------------------------------------------------------------------------------------------------
 */

static const char *ufrag_of(size_t i, char out[16]) {
  (void)snprintf(out, 16, "u%05zu", i);
  return out;
}

static floe_addr address_of(size_t i) {
  floe_addr a = addr("10.0.0.0");
  a.ip[1] = (uint8_t)(i >> 12);
  a.ip[2] = (uint8_t)(i >> 4);
  a.ip[3] = (uint8_t)(i % 16 + 1);
  a.port = (uint16_t)(2000 + i % 7);
  return a;
}

static void assert_found(fixture *f, size_t i, floe_ice_agent *expected) {
  char name[16];
  char username[32];
  floe_addr a = address_of(i);
  (void)snprintf(username, sizeof username, "%s:peer", ufrag_of(i, name));
  assert_ptr_equal(comes_from(f, &a, check(f, username)), expected);
  assert_ptr_equal(comes_from(f, &a, message(f, FLOE__STUN_SUCCESS, name)), expected);
  assert_ptr_equal(comes_from(f, &a, hello), expected);
}

static size_t longest_chain(const floe__mux_table *t) {
  size_t longest = 0;
  for (size_t i = 0; i < t->n_buckets; i++) {
    size_t n = 0;
    for (const floe__mux_link *link = t->buckets[i]; link != NULL; link = link->next) n++;
    if (n > longest) longest = n;
  }
  return longest;
}

static void twenty_thousand(void **state) {
  fixture *f = *state;
  for (size_t i = 0; i < AGENTS; i++) {
    char name[16];
    floe_addr a = address_of(i);
    assert_int_equal(attach(f, i, ufrag_of(i, name)), FLOE_OK);
    sends_to(f, 0, i, name_of(i), &a, message(f, FLOE__STUN_REQUEST, name));
  }
  assert_int_equal(floe_ice_mux_agents(f->mux), AGENTS);
  assert_true(longest_chain(&f->mux->members) <= 12);
  assert_true(longest_chain(&f->mux->ufrags) <= 12);
  assert_true(longest_chain(&f->mux->transactions) <= 12);
  assert_true(longest_chain(&f->mux->addresses) <= 12);
  assert_true(longest_chain(&f->mux->paths) <= 12);
  for (size_t i = 0; i < AGENTS; i++) assert_found(f, i, agent(i));
  for (size_t i = 0; i < AGENTS; i += 2) floe_ice_mux_detach(f->mux, agent(i));
  for (size_t i = 0; i < AGENTS; i++) assert_found(f, i, i % 2 == 0 ? NULL : agent(i));
  for (size_t i = 1; i < AGENTS; i += 2) floe_ice_mux_detach(f->mux, agent(i));
  assert_int_equal(f->live, 2);
}

/* A thousand agents that ask one server are told apart, and each knows its neighbours there. */
static void many_at_one_address(void **state) {
  fixture *f = *state;
  floe_addr server = addr("192.0.2.9:3478");
  char name[16];
  for (size_t i = 0; i < 1000; i++) {
    assert_int_equal(attach(f, i, ufrag_of(i, name)), FLOE_OK);
    sends_to(f, 0, i, name_of(i), &server, message(f, FLOE__STUN_REQUEST, name));
  }
  assert_int_equal(f->mux->addresses.n, 1);
  assert_int_equal(f->mux->paths.n, 1000);
  assert_true(longest_chain(&f->mux->paths) <= 10);
  for (size_t i = 0; i < 1000; i++) {
    floe_bytes answer = message(f, FLOE__STUN_SUCCESS, ufrag_of(i, name));
    assert_ptr_equal(comes_from(f, &server, answer), agent(i));
  }
  size_t n = 0;
  floe_addr local = addr(LOCAL);
  for (floe_ice_mux_match m = {0}; floe_ice_mux_next_at(f->mux, &local, &server, &m);) n++;
  assert_int_equal(n, 1000);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(configuration),
      TEST(an_empty_one_finds_nobody),
      TEST(a_pointer_of_the_program),
      TEST(two_sessions_of_one_agent),
      TEST(the_last_eight_sessions_are_kept),
      TEST(a_ufrag_belongs_to_one_agent),
      TEST(no_more_agents_than_allowed),
      TEST(detaching_forgets_all),
      TEST(memory_runs_out),
      TEST(no_memory_for_one),
      TEST(an_agent_that_is_there_stays_without_memory),
      TEST(twenty_thousand),
      TEST(many_at_one_address),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
