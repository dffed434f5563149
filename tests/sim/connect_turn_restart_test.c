/* The TURN server restarts under a relayed connection: its loss is told as iceservererror, a new allocation is tried,
 * and a connection comes about again. */
#include "support/peers.h"

static peers *relayed(const char *url_of_a, const char *url_of_b) {
  peers *p = peers_new(1);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_listen(p, FLOE_TRANSPORT_TCP, NULL);
  if (url_of_a != NULL) {
    peer_add(&p->a, url_of_a);
    p->a.cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  }
  if (url_of_b != NULL) {
    peer_add(&p->b, url_of_b);
    p->b.cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  }
  peers_true(p, peers_connect(p, 5000));
  sim_run_for(p->s, 3000);
  peers_exchange_data(p);
  return p;
}

static void expect_server_error(peer *x) {
  if (strstr(sim_agent_events(x->agent), "servererror") == NULL) sim_fail(x->p->s, "%s was told nothing", x->name);
}

/* Whatever happened on the way, a restart of ICE connects. */
static void expect_restart_connects(peers *p) {
  peer_restart(&p->a);
  sim_run_for(p->s, 5000);
  peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
  peers_exchange_data(p);
}

static void one_relayed_side_comes_back(void **state) {
  (void)state;
  static const char *const urls[] = {"turn:192.0.2.1", "turn:192.0.2.1?transport=tcp"};
  for (int i = 0; i < 4; i++) {
    peers *p = relayed(i < 2 ? urls[i] : NULL, i < 2 ? NULL : urls[i - 2]);
    sim_server_restart(p->server);
    sim_run_for(p->s, 28000);
    expect_server_error(i < 2 ? &p->a : &p->b);
    if (!sim_agent_is_connected(p->a.agent) || !sim_agent_is_connected(p->b.agent)) {
      sim_fail(p->s, "not connected again, case %d", i);
    }
    peers_exchange_data(p);
    peers_free(p);
  }
}

static void with_both_relayed_a_restart_of_ice_helps(void **state) {
  (void)state;
  peers *p = relayed("turn:192.0.2.1", "turn:192.0.2.1?transport=tcp");
  sim_server_restart(p->server);
  sim_run_for(p->s, 50000);
  expect_server_error(&p->a);
  expect_server_error(&p->b);
  expect_restart_connects(p);
  peers_free(p);
}

static void a_server_that_stays_away_is_a_failure(void **state) {
  (void)state;
  peers *p = relayed("turn:192.0.2.1", NULL);
  sim_server_stop(p->server);
  peers_true(p, peers_run_to_failed(p, 60000));
  assert_int_not_equal(sim_agent_connection_cause(p->a.agent), FLOE_CAUSE_NONE);
  sim_server_restart(p->server);
  expect_restart_connects(p);
  peers_free(p);
}

/* A direct pair does not mind. */
static void a_direct_connection_is_not_touched(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_add(p, "turn:192.0.2.1");
  peers_true(p, peers_connect(p, 5000));
  sim_run_for(p->s, 3000);
  sim_server_restart(p->server);
  sim_run_for(p->s, 3600 * 1000);
  peers_true(p, sim_agent_is_connected(p->a.agent) && sim_agent_is_connected(p->b.agent));
  assert_null(strstr(sim_agent_events(p->a.agent), "disconnected"));
  expect_server_error(&p->a);
  peers_exchange_data(p);
  peers_free(p);
}

/* Hours: allocations, permissions and channels are refreshed. */
static void a_relayed_connection_lasts(void **state) {
  (void)state;
  static const char *const urls[] = {"turn:192.0.2.1", "turn:192.0.2.1?transport=tcp"};
  for (int i = 0; i < 2; i++) {
    peers *p = relayed(urls[i], urls[1 - i]);
    sim_agent_clear_log(p->a.agent);
    sim_agent_clear_log(p->b.agent);
    for (int hour = 0; hour < 4; hour++) {
      sim_run_for(p->s, 3600 * 1000);
      peers_exchange_data(p);
    }
    peers_expect_with(&p->a, "error", "");
    peers_expect_with(&p->b, "connection", "");
    peers_free(p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_relayed_side_comes_back),
      cmocka_unit_test(with_both_relayed_a_restart_of_ice_helps),
      cmocka_unit_test(a_server_that_stays_away_is_a_failure),
      cmocka_unit_test(a_direct_connection_is_not_touched),
      cmocka_unit_test(a_relayed_connection_lasts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
