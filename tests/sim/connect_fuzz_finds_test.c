/* What the fuzz targets have found (fuzz/corpus/ice_pair, fuzz/corpus/ice_check), each as a test of its own. */
#include "support/fake_peer.h"
#include "support/peers.h"

typedef struct world {
  peers *p;
  fake_peer *f;
} world;

/* A beside a peer that is made by hand. */
static world beside_fake(fake_answer answer) {
  world w = {.p = peers_new(1)};
  sim_host_remove_address(w.p->b.host, "10.0.1.1");
  w.f = fake_peer_new(sim_host_new(w.p->s, "fake", "eth0", "10.0.1.1", NULL), "10.0.1.1:7000");
  w.f->answer = answer;
  w.p->a.out.no_parameters = true;
  peers_begin(w.p);
  fake_peer_tell(w.f, w.p->a.agent);
  sim_run_for(w.p->s, 1000);
  peers_true(w.p, sim_agent_is_connected(w.p->a.agent));
  return w;
}

/* What can be sent has at least one byte, and so has what is told. */
static void an_empty_datagram_is_no_data(void **state) {
  (void)state;
  world w = beside_fake(FAKE_SUCCESS);
  char to[FLOE_ADDR_TEXT];
  const floe_ice_candidate *local;
  assert_true(floe_ice_agent_selected_pair(sim_agent_core(w.p->a.agent), &local, NULL));
  (void)floe_addr_format(&local->address, to);
  fake_peer_send_bytes(w.f, to, (floe_bytes){(const uint8_t *)"", 0});
  sim_run_for(w.p->s, 100);
  assert_int_equal(sim_agent_n_data(w.p->a.agent), 0);
  fake_peer_send(w.f, to, "x");
  sim_run_for(w.p->s, 100);
  assert_int_equal(sim_agent_n_data(w.p->a.agent), 1);
  peers_free(w.p);
}

/* A peer, or a translator before it, may say that it sees an IPv6 address on a pair of IPv4. */
static void a_mapped_address_of_another_family_is_no_candidate(void **state) {
  (void)state;
  world w = beside_fake(FAKE_OTHER_FAMILY);
  const floe_ice_candidate *local, *remote;
  assert_true(floe_ice_agent_selected_pair(sim_agent_core(w.p->a.agent), &local, &remote));
  assert_int_equal(local->address.family, FLOE_FAMILY_IPV4);
  assert_int_equal(local->type, FLOE_CANDIDATE_HOST);
  assert_int_equal(remote->address.family, FLOE_FAMILY_IPV4);
  peers_free(w.p);
}

/* --- calls, without a network ------------------------------------------------------------------------------------- */

static floe_ice_agent *make_agent(floe_env **env) {
  floe_ice_agent *agent;
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  assert_int_equal(floe_env_new(env, NULL), FLOE_OK);
  assert_int_equal(floe_ice_agent_new(&agent, *env, &cfg, NULL), FLOE_OK);
  return agent;
}

static floe_time wait_of(floe_ice_agent *agent) {
  for (;;) {
    floe_output out;
    floe_ice_agent_poll(agent, &out);
    if (out.type == FLOE_OUTPUT_WAIT) return out.u.wait.until;
  }
}

/* Poll promises a WAIT later than the last `now`, whatever became of the call that brought it. */
static void a_refused_call_moves_time_on(void **state) {
  (void)state;
  for (int which = 0; which < 2; which++) {
    floe_env *env;
    floe_ice_agent *agent = make_agent(&env);
    const floe_ice_parameters bad = {"", "", false};
    assert_int_equal(floe_ice_agent_gather(agent, FLOE_SECOND), FLOE_OK);
    floe_time until = wait_of(agent);
    assert_true(until > FLOE_SECOND && until < FLOE_TIME_NEVER); /* gathering in all */
    floe_time later = until + FLOE_SECOND;
    floe_status st = which == 0 ? floe_ice_agent_set_remote_description(agent, later, "a=nothing", NULL)
                                : floe_ice_agent_set_remote_parameters(agent, later, &bad, NULL);
    assert_int_equal(st, FLOE_E_SYNTAX);
    assert_true(wait_of(agent) > later);
    floe_ice_agent_free(agent);
    floe_env_free(env);
  }
}

/* Who fills a pool and then gets an offer answers it. */
static void a_pool_does_not_make_the_offerer(void **state) {
  (void)state;
  static const floe_ice_parameters theirs = {"peer", "0123456789012345678901", false};
  for (int prefetches = 0; prefetches < 2; prefetches++) {
    floe_env *env;
    floe_ice_agent *agent = make_agent(&env);
    floe_status st =
        prefetches ? floe_ice_agent_prefetch(agent, FLOE_SECOND) : floe_ice_agent_gather(agent, FLOE_SECOND);
    assert_int_equal(st, FLOE_OK);
    assert_int_equal(floe_ice_agent_set_remote_parameters(agent, FLOE_SECOND, &theirs, NULL), FLOE_OK);
    floe_ice_role expected = prefetches ? FLOE_ICE_ROLE_CONTROLLED : FLOE_ICE_ROLE_CONTROLLING;
    assert_int_equal(floe_ice_agent_role(agent), expected);
    floe_ice_agent_free(agent);
    floe_env_free(env);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_datagram_is_no_data),
      cmocka_unit_test(a_mapped_address_of_another_family_is_no_candidate),
      cmocka_unit_test(a_refused_call_moves_time_on),
      cmocka_unit_test(a_pool_does_not_make_the_offerer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
