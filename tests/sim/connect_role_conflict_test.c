/* Role conflicts (RFC 8445 7.3.1.1): whatever both sides claim, the tie-breakers decide, and no time is lost. */
#include "support/fake_peer.h"
#include "support/peers.h"

static void expect_opposite_roles(peers *p) {
  floe_ice_role a = floe_ice_agent_role(sim_agent_core(p->a.agent));
  floe_ice_role b = floe_ice_agent_role(sim_agent_core(p->b.agent));
  assert_true(a != b && a != FLOE_ICE_ROLE_UNKNOWN && b != FLOE_ICE_ROLE_UNKNOWN);
}

static uint32_t conflicts_of(peer *x) {
  const floe_connection_report *r = floe_ice_agent_connection_report(sim_agent_core(x->agent), sim_now(x->p->s));
  assert_non_null(r);
  return r->role_conflicts;
}

static void both_claim(floe_ice_role role) {
  uint32_t a_won = 0;
  for (uint64_t seed = 1; seed <= 50; seed++) {
    peers *p = peers_new(seed);
    peers_start(p);
    assert_int_equal(sim_agent_set_role(p->a.agent, role), FLOE_OK);
    assert_int_equal(sim_agent_set_role(p->b.agent, role), FLOE_OK);
    peers_true(p, peers_connect(p, 300));
    sim_run_for(p->s, 1000);
    expect_opposite_roles(p);
    peers_true(p, sim_agent_connection(p->a.agent) == FLOE_ICE_CONNECTION_COMPLETED);
    peers_true(p, sim_agent_connection(p->b.agent) == FLOE_ICE_CONNECTION_COMPLETED);
    assert_true(conflicts_of(&p->a) + conflicts_of(&p->b) > 0);
    a_won += floe_ice_agent_role(sim_agent_core(p->a.agent)) == FLOE_ICE_ROLE_CONTROLLING ? 1 : 0;
    peers_exchange_data(p);
    peers_free(p);
  }
  /* the tie-breakers are random */
  assert_in_range(a_won, 10, 40);
}

static void both_controlling(void **state) {
  (void)state;
  both_claim(FLOE_ICE_ROLE_CONTROLLING);
}

static void both_controlled(void **state) {
  (void)state;
  both_claim(FLOE_ICE_ROLE_CONTROLLED);
}

static uint32_t count_of(const char *text, const char *part) {
  uint32_t n = 0;
  for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) n++;
  return n;
}

/* The answer to a check of before the change of roles is about the role of then. */
static void a_late_487_changes_nothing(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    peers *p = peers_new(seed);
    sim_path path = {.delay_us = 60000};
    sim_path_default(p->s, &path);
    p->b.waits_for_offer = false;
    peers_start(p);
    assert_int_equal(sim_agent_set_role(p->a.agent, FLOE_ICE_ROLE_CONTROLLING), FLOE_OK);
    assert_int_equal(sim_agent_set_role(p->b.agent, FLOE_ICE_ROLE_CONTROLLING), FLOE_OK);
    peers_true(p, peers_connect(p, 700));
    /* from unknown to controlling, and on one side to controlled */
    uint32_t changes = count_of(sim_agent_trace(p->a.agent), "\"ice.role\"");
    changes += count_of(sim_agent_trace(p->b.agent), "\"ice.role\"");
    assert_int_equal(changes, 3);
    peers_free(p);
  }
}

static void both_offer_at_once(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    peers *p = peers_new(seed);
    p->b.waits_for_offer = false;
    peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
    peers_nat(&p->b, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
    peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
    peers_add(p, "turn:192.0.2.1");
    peers_true(p, peers_connect(p, 3000));
    expect_opposite_roles(p);
    peers_exchange_data(p);
    peers_free(p);
  }
}

static void over_a_lossy_path_too(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 30; seed++) {
    peers *p = peers_new(seed);
    p->b.waits_for_offer = false;
    sim_path_default(p->s, &(sim_path){.delay_us = 30000, .jitter_us = 20000, .loss = 200, .reorder = 200});
    peers_true(p, peers_connect(p, 20000));
    expect_opposite_roles(p);
    peers_free(p);
  }
}

/* --- against a peer that is made by hand ------------------------------------------------------------------------- */

typedef struct rig {
  peers *p;
  fake_peer *f;
  sim_agent *a;
} rig;

static rig make_rig(floe_ice_role role) {
  rig r = {.p = peers_new(1)};
  sim_host_remove_address(r.p->b.host, "10.0.1.1");
  r.f = fake_peer_new(sim_host_new(r.p->s, "fake", "eth0", "10.0.1.1", NULL), "10.0.1.1:7000");
  r.p->a.out.no_parameters = true;
  peers_start(r.p);
  r.a = r.p->a.agent;
  assert_int_equal(sim_agent_set_role(r.a, role), FLOE_OK);
  peers_begin(r.p);
  fake_peer_tell(r.f, r.a);
  return r;
}

/* RFC 8445 7.3.1.1: both controlling, ours is larger: 487, and the role stays; smaller: the role changes. */
static void the_larger_tie_breaker_keeps_control(void **state) {
  (void)state;
  for (int is_larger = 0; is_larger < 2; is_larger++) {
    rig r = make_rig(FLOE_ICE_ROLE_CONTROLLING);
    r.f->controlling = true;
    r.f->tie_breaker = is_larger ? 0 : UINT64_MAX;
    r.f->answer = FAKE_SILENT;
    fake_peer_check(r.f, r.a, "10.0.0.1:50000", false);
    sim_run_for(r.p->s, 50);
    assert_int_equal(floe_ice_agent_role(sim_agent_core(r.a)),
                     is_larger ? FLOE_ICE_ROLE_CONTROLLING : FLOE_ICE_ROLE_CONTROLLED);
    assert_int_equal(r.f->last_error, is_larger ? 487 : 0);
    assert_int_equal(r.f->successes, is_larger ? 0 : 1);
    peers_free(r.p);
  }
}

/* And both controlled: ours is larger or equal: the role changes; smaller: 487. */
static void both_controlled_is_the_reverse(void **state) {
  (void)state;
  for (int is_larger = 0; is_larger < 2; is_larger++) {
    rig r = make_rig(FLOE_ICE_ROLE_CONTROLLED);
    r.f->controlling = false;
    r.f->tie_breaker = is_larger ? 0 : UINT64_MAX;
    r.f->answer = FAKE_SILENT;
    fake_peer_check(r.f, r.a, "10.0.0.1:50000", false);
    sim_run_for(r.p->s, 50);
    assert_int_equal(floe_ice_agent_role(sim_agent_core(r.a)),
                     is_larger ? FLOE_ICE_ROLE_CONTROLLING : FLOE_ICE_ROLE_CONTROLLED);
    assert_int_equal(r.f->last_error, is_larger ? 0 : 487);
    peers_free(r.p);
  }
}

/* RFC 8445 7.2.5.1: a 487 changes the role of the request that it answers, and the check is made again. */
static void a_487_changes_the_role(void **state) {
  (void)state;
  rig r = make_rig(FLOE_ICE_ROLE_CONTROLLING);
  r.f->answer = FAKE_ROLE_CONFLICT;
  sim_run_for(r.p->s, 12);
  assert_int_equal(r.f->checks, 1);
  assert_true(r.f->claims_controlling);
  uint64_t tie_breaker = r.f->claimed_tie_breaker;
  r.f->answer = FAKE_SUCCESS;
  sim_run_for(r.p->s, 30);
  assert_true(r.f->claimed_tie_breaker != tie_breaker);
  assert_int_equal(floe_ice_agent_role(sim_agent_core(r.a)), FLOE_ICE_ROLE_CONTROLLED);
  assert_int_equal(r.f->checks, 2);
  assert_false(r.f->claims_controlling);
  r.f->controlling = true;
  fake_peer_check(r.f, r.a, "10.0.0.1:50000", true);
  sim_run_for(r.p->s, 30);
  assert_true(sim_agent_is_connected(r.a));
  peers_free(r.p);
}

/* A peer that always says 487 does not keep us busy. */
static void endless_conflicts_are_limited(void **state) {
  (void)state;
  rig r = make_rig(FLOE_ICE_ROLE_CONTROLLING);
  r.f->answer = FAKE_ROLE_CONFLICT;
  peers_true(r.p, peer_run_to(&r.p->a, FLOE_ICE_CONNECTION_FAILED, 200000));
  peer_expect_failed(&r.p->a, FLOE_CAUSE_ROLE_CONFLICT);
  assert_in_range(r.f->checks, 2, 100);
  peers_free(r.p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_controlling),
      cmocka_unit_test(both_controlled),
      cmocka_unit_test(both_offer_at_once),
      cmocka_unit_test(a_late_487_changes_nothing),
      cmocka_unit_test(over_a_lossy_path_too),
      cmocka_unit_test(the_larger_tie_breaker_keeps_control),
      cmocka_unit_test(both_controlled_is_the_reverse),
      cmocka_unit_test(a_487_changes_the_role),
      cmocka_unit_test(endless_conflicts_are_limited),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
