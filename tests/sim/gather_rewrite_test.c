/* A 1:1 NAT whose public address is known: another address is shown than the one in use (floe_address_rewrite). */
#include "support/world.h"

#define STUN "stun:192.0.2.1"

static world *with_rewrite(const floe_address_rewrite *rewrites, size_t n) {
  world *w = world_new(1);
  w->cfg.rewrites = rewrites;
  w->cfg.n_rewrites = n;
  return w;
}

static const floe_ice_candidate *local(const world *w, size_t n) {
  const floe_ice_candidate *const *list;
  assert_true(floe_ice_agent_local_candidates(sim_agent_core(w->agent), &list) > n);
  return list[n];
}

static void the_shown_address_takes_the_place(void **state) {
  (void)state;
  floe_address_rewrite r = {.shown = sim_addr("203.0.113.9")};
  world *w = with_rewrite(&r, 1);
  world_gather(w);
  world_expect(w, "0.0 state gathering\n0.0 candidate host 203.0.113.9:50000\n" END("0.0"));
  world_expect_wire(w, "open", "0.0 open udp 10.0.0.1\n"); /* what is used is the real one */
  assert_null(strstr(local(w, 0)->text, "10.0.0.1"));
  world_free(w);
}

static void a_shown_port_is_shown(void **state) {
  (void)state;
  floe_address_rewrite r = {.local = sim_addr("10.0.0.1"), .shown = sim_addr("203.0.113.9:7777")};
  world *w = with_rewrite(&r, 1);
  world_gather(w);
  world_expect(w, "0.0 state gathering\n0.0 candidate host 203.0.113.9:7777\n" END("0.0"));
  world_free(w);
}

static void it_may_stand_beside_the_host_candidate(void **state) {
  (void)state;
  floe_address_rewrite r = {.shown = sim_addr("203.0.113.9"), .as_srflx = true};
  world *w = with_rewrite(&r, 1);
  world_gather(w);
  world_expect(w, BEGIN "0.0 candidate srflx 203.0.113.9:50000 base=10.0.0.1:50000\n" END("0.0"));
  assert_false(local(w, 1)->has_server);
  assert_null(local(w, 1)->url);
  assert_string_not_equal(local(w, 0)->foundation, local(w, 1)->foundation);
  world_free(w);
}

static void the_first_that_fits_counts(void **state) {
  (void)state;
  floe_address_rewrite rules[] = {
      {.local = sim_addr("10.0.0.7"), .shown = sim_addr("203.0.113.7")}, /* another address */
      {.shown = sim_addr("2001:db8::7")},                                /* another family */
      {.local = sim_addr("10.0.0.1"), .shown = sim_addr("203.0.113.9")},
      {.shown = sim_addr("203.0.113.10")},
  };
  world *w = with_rewrite(rules, 4);
  world_gather(w);
  world_expect(w, "0.0 state gathering\n0.0 candidate host 203.0.113.9:50000\n" END("0.0"));
  world_free(w);
  w = with_rewrite(rules, 2);
  world_gather(w);
  world_expect(w, BEGIN END("0.0"));
  world_free(w);
}

/* What a STUN server finds out is what is shown already: redundant. And where it is not, the base stays hidden. */
static void what_a_server_sees_is_told_once(void **state) {
  (void)state;
  for (int same = 0; same < 2; same++) {
    floe_address_rewrite r = {.shown = sim_addr(same == 1 ? "203.0.113.1:40000" : "203.0.113.9")};
    world *w = with_rewrite(&r, 1);
    world_listen(w, FLOE_TRANSPORT_UDP, NULL);
    world_add(w, STUN);
    world_gather(w);
    world_expect(w, same == 1 ? "0.0 state gathering\n0.0 candidate host 203.0.113.1:40000\n" END("10.0")
                              : "0.0 state gathering\n0.0 candidate host 203.0.113.9:50000\n"
                                "10.0 candidate srflx 203.0.113.1:40000 base=0.0.0.0:9 " STUN "\n" END("10.0"));
    world_free(w);
  }
}

/* The address of an error is the base's: that is no longer in any candidate. */
static void errors_do_not_tell_the_address_behind(void **state) {
  (void)state;
  floe_address_rewrite r = {.shown = sim_addr("203.0.113.9")};
  world *w = with_rewrite(&r, 1);
  world_listen(w, FLOE_TRANSPORT_UDP, "error=500:Broken");
  world_add(w, STUN);
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n0.0 candidate host 203.0.113.9:50000\n"
               "10.0 error 500 stun_error " STUN " at - binding \"Broken\"\n" END("10.0"));
  world_free(w);
}

static void tcp_candidates_are_rewritten_too(void **state) {
  (void)state;
  for (int beside = 0; beside < 2; beside++) {
    floe_address_rewrite r = {.shown = sim_addr("203.0.113.9:7777"), .as_srflx = beside == 1};
    world *w = with_rewrite(&r, 1);
    w->cfg.tcp_passive = true;
    world_gather(w);
    world_expect(w, beside == 0 ? "0.0 state gathering\n"
                                  "0.0 candidate host 203.0.113.9:7777\n"
                                  "0.0 candidate host 203.0.113.9:9 tcp active\n"
                                  "0.0 candidate host 203.0.113.9:7777 tcp passive\n" END("0.0")
                                : BEGIN
                        "0.0 candidate srflx 203.0.113.9:7777 base=10.0.0.1:50000\n"
                        "0.0 candidate host 10.0.0.1:9 tcp active\n"
                        "0.0 candidate host 10.0.0.1:50001 tcp passive\n"
                        "0.0 candidate srflx 203.0.113.9:7777 base=10.0.0.1:50001 tcp passive\n" END("0.0"));
    world_free(w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_shown_address_takes_the_place),      cmocka_unit_test(a_shown_port_is_shown),
      cmocka_unit_test(it_may_stand_beside_the_host_candidate), cmocka_unit_test(the_first_that_fits_counts),
      cmocka_unit_test(what_a_server_sees_is_told_once),        cmocka_unit_test(errors_do_not_tell_the_address_behind),
      cmocka_unit_test(tcp_candidates_are_rewritten_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
