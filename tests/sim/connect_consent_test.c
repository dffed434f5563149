/* Consent (RFC 7675): a peer that vanishes is `disconnected` 7 s after its last answer and `failed` after 30 s; one
 * that comes back in between is connected again. */
#include <stdlib.h>

#include "support/fake_peer.h"
#include "support/peers.h"

static double ms_now(const peers *p) {
  return (double)sim_now(p->s) / (double)FLOE_MS;
}

/* When the last answer to a consent check came to A before now: B sends it 5 ms earlier. */
static double last_answer(peers *p) {
  double at = 0;
  const char *line = sim_agent_wire_with(p->b.agent, "BindingSuccess");
  while (*line != '\0') {
    at = strtod(line, NULL) + 5;
    line += strcspn(line, "\n") + 1;
  }
  return at;
}

static void a_peer_that_vanishes_is_noticed(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    peers *p = peers_new(seed);
    peers_true(p, peers_connect(p, 1000));
    sim_run_for(p->s, 20000 + sim_random_below(p->s, 5000));
    double answered = last_answer(p);
    peer_vanish(&p->b);
    peers_true(p, peer_run_to(&p->a, FLOE_ICE_CONNECTION_DISCONNECTED, 10000));
    assert_true(ms_now(p) >= answered + 6995 && ms_now(p) <= answered + 7005);
    assert_string_equal(floe_cause_id(sim_agent_connection_cause(p->a.agent)), "consent_lost");
    assert_int_equal(sim_agent_send_text(p->a.agent, "still tried"), FLOE_OK);
    peers_true(p, peer_run_to(&p->a, FLOE_ICE_CONNECTION_FAILED, 30000));
    assert_true(ms_now(p) >= answered + 29995 && ms_now(p) <= answered + 30005);
    peer_expect_failed(&p->a, FLOE_CAUSE_CONSENT_LOST);
    /* RFC 7675 5.1: nothing is sent any more without consent */
    assert_int_equal(sim_agent_send_text(p->a.agent, "too late"), FLOE_E_STATE);
    sim_agent_clear_log(p->a.agent);
    sim_run_for(p->s, 60000);
    assert_string_equal(sim_agent_wire_with(p->a.agent, "10.0.1.1"), "");
    peers_free(p);
  }
}

static void one_that_comes_back_is_connected_again(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    peers *p = peers_new(seed);
    peers_true(p, peers_connect(p, 1000));
    sim_run_for(p->s, 10000);
    sim_agent_clear_log(p->a.agent);
    sim_agent_clear_log(p->b.agent);
    peer_vanish(&p->b);
    sim_run_for(p->s, 15000);
    peers_true(p, sim_agent_connection(p->a.agent) == FLOE_ICE_CONNECTION_DISCONNECTED);
    peers_true(p, sim_agent_connection(p->b.agent) == FLOE_ICE_CONNECTION_DISCONNECTED);
    sim_rules_clear(p->s);
    sim_host_set_deaf(p->b.host, false);
    peers_true(p, peers_run_to_connected(p, 6000));
    peers_expect_with(&p->a, "connection",
                      "* connection disconnected consent_lost\n"
                      "* connection connected\n"
                      "...\n");
    peers_exchange_data(p);
    sim_run_for(p->s, 60000);
    peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
    peers_free(p);
  }
}

static void a_short_gap_is_not_even_told(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 10000);
  sim_agent_clear_log(p->a.agent);
  peer_vanish(&p->b);
  sim_run_for(p->s, 500);
  sim_rules_clear(p->s);
  sim_host_set_deaf(p->b.host, false);
  sim_run_for(p->s, 30000);
  peers_expect(&p->a, "");
  peers_free(p);
}

static void the_times_are_configurable(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.timing.consent_interval_ms = 500;
  p->a.cfg.timing.disconnected_ms = 1000;
  p->a.cfg.timing.consent_timeout_ms = 3000;
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 10000);
  double answered = last_answer(p);
  peer_vanish(&p->b);
  peers_true(p, peer_run_to(&p->a, FLOE_ICE_CONNECTION_DISCONNECTED, 2000));
  assert_true(ms_now(p) >= answered + 995 && ms_now(p) <= answered + 1005);
  peers_true(p, peer_run_to(&p->a, FLOE_ICE_CONNECTION_FAILED, 4000));
  assert_true(ms_now(p) >= answered + 2995 && ms_now(p) <= answered + 3005);
  peers_free(p);
}

/* The other side closes: nothing tells us but silence and ICMP. */
static void a_peer_that_closes_is_lost(void **state) {
  (void)state;
  for (int is_stealthy = 0; is_stealthy < 2; is_stealthy++) {
    peers *p = peers_new(1);
    sim_host_set_stealth(p->b.host, is_stealthy == 1);
    peers_true(p, peers_connect(p, 1000));
    sim_run_for(p->s, 10000);
    sim_agent_close(p->b.agent);
    peers_true(p, peer_run_to(&p->a, FLOE_ICE_CONNECTION_FAILED, 31000));
    peer_expect_failed(&p->a, FLOE_CAUSE_CONSENT_LOST);
    peers_free(p);
  }
}

/* --- against a peer made by hand ---------------------------------------------------------------------------------- */

typedef struct rig {
  peers *p;
  fake_peer *f;
  sim_agent *a;
} rig;

static rig connected_to_fake(void) {
  rig r = {.p = peers_new(1)};
  sim_host_remove_address(r.p->b.host, "10.0.1.1");
  r.f = fake_peer_new(sim_host_new(r.p->s, "fake", "eth0", "10.0.1.1", NULL), "10.0.1.1:7000");
  r.p->a.out.no_parameters = true;
  peers_begin(r.p);
  r.a = r.p->a.agent;
  fake_peer_tell(r.f, r.a);
  peers_true(r.p, peer_run_to(&r.p->a, FLOE_ICE_CONNECTION_CONNECTED, 1000) || sim_agent_is_connected(r.a));
  assert_int_equal(r.f->nominations, 1);
  return r;
}

/* RFC 7675 5.1: only an answer to a consent check renews it; the peer's own checks and data do not. */
static void only_answers_are_consent(void **state) {
  (void)state;
  rig r = connected_to_fake();
  sim_run_for(r.p->s, 10000);
  r.f->answer = FAKE_SILENT;
  for (int i = 0; i < 400 && sim_agent_connection(r.a) != FLOE_ICE_CONNECTION_FAILED; i++) {
    fake_peer_check(r.f, r.a, "10.0.0.1:50000", false);
    fake_peer_send(r.f, "10.0.0.1:50000", "data is no consent");
    sim_run_for(r.p->s, 100);
  }
  peer_expect_failed(&r.p->a, FLOE_CAUSE_CONSENT_LOST);
  peers_free(r.p);
}

static void answers_that_are_not_signed_are_none(void **state) {
  (void)state;
  static const fake_answer bad[] = {FAKE_UNSIGNED, FAKE_WRONG_KEY, FAKE_OTHER_TRANSACTION, FAKE_SILENT};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    rig r = connected_to_fake();
    r.f->answer = bad[i];
    peers_true(r.p, peer_run_to(&r.p->a, FLOE_ICE_CONNECTION_FAILED, 40000));
    assert_in_range(ms_now(r.p), 29000, 40000);
    peers_free(r.p);
  }
}

/* RFC 7675 5.1: every 5 s, times 0.8 to 1.2, each with a new transaction id, unless one goes unanswered. */
static void checks_are_spread(void **state) {
  (void)state;
  rig r = connected_to_fake();
  sim_run_for(r.p->s, 1000);
  uint32_t before = r.f->checks;
  double last = 0;
  for (int i = 0; i < 6000; i++) {
    uint32_t had = r.f->checks;
    sim_run_for(r.p->s, 100);
    if (r.f->checks == had) continue;
    assert_int_equal(r.f->checks, had + 1);
    if (last > 0) assert_in_range(ms_now(r.p) - last, 3900, 6100);
    last = ms_now(r.p);
  }
  assert_in_range(r.f->checks - before, 100, 150);
  peers_free(r.p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_peer_that_vanishes_is_noticed),      cmocka_unit_test(one_that_comes_back_is_connected_again),
      cmocka_unit_test(a_short_gap_is_not_even_told),         cmocka_unit_test(the_times_are_configurable),
      cmocka_unit_test(a_peer_that_closes_is_lost),           cmocka_unit_test(only_answers_are_consent),
      cmocka_unit_test(answers_that_are_not_signed_are_none), cmocka_unit_test(checks_are_spread),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
