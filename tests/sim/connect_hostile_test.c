/* A peer that knows the passwords and means harm, or just behaves as no agent of ours does. */
#include <stdlib.h>

#include "support/fake_peer.h"
#include "support/peers.h"

typedef struct rig {
  peers *p;
  fake_peer *f;
  sim_agent *a;
} rig;

static rig new_rig(void) {
  rig r = {.p = peers_new(1)};
  sim_host_remove_address(r.p->b.host, "10.0.1.1");
  r.f = fake_peer_new(sim_host_new(r.p->s, "fake", "eth0", "10.0.1.1", NULL), "10.0.1.1:7000");
  r.p->a.out.no_parameters = true;
  return r;
}

static void begin(rig *r, floe_ice_role role) {
  peers_start(r->p);
  r->a = r->p->a.agent;
  if (role != FLOE_ICE_ROLE_UNKNOWN) assert_int_equal(sim_agent_set_role(r->a, role), FLOE_OK);
  peers_begin(r->p);
  r->f->controlling = role == FLOE_ICE_ROLE_CONTROLLED;
}

static rig make_rig(floe_ice_role role) {
  rig r = new_rig();
  begin(&r, role);
  fake_peer_tell(r.f, r.a);
  return r;
}

static fake_peer *second_of(const rig *r) {
  fake_peer *f = fake_peer_new(sim_host_new(r->p->s, "second", "eth0", "10.0.1.2", NULL), "10.0.1.2:7000");
  f->controlling = r->f->controlling;
  f->ufrag = r->f->ufrag;
  f->pwd = r->f->pwd;
  return f;
}

static const floe_stats *stats_of(const rig *r) {
  const floe_stats *stats = floe_ice_agent_stats(sim_agent_core(r->a), sim_now(r->p->s));
  assert_non_null(stats);
  return stats;
}

/* --- nominations ---------------------------------------------------------------------------------------------------
 */

/* The peer has our description first and has nominated before we have its own: that counts when we turn out to be
 * controlled. */
static void a_nomination_before_the_parameters_counts(void **state) {
  (void)state;
  rig r = new_rig();
  begin(&r, FLOE_ICE_ROLE_UNKNOWN);
  r.f->controlling = true;
  r.f->tie_breaker = UINT64_MAX;
  sim_run_for(r.p->s, 100);
  fake_peer_check(r.f, r.a, "10.0.0.1:50000", true);
  sim_run_for(r.p->s, 100);
  assert_int_equal(r.f->successes, 1);
  fake_peer_tell(r.f, r.a);
  r.f->answer = FAKE_ROLE_CONFLICT; /* both have gathered first: its tie-breaker wins */
  sim_run_for(r.p->s, 12);
  r.f->answer = FAKE_SUCCESS;
  sim_run_for(r.p->s, 2000);
  assert_int_equal(floe_ice_agent_role(sim_agent_core(r.a)), FLOE_ICE_ROLE_CONTROLLED);
  peers_true(r.p, sim_agent_is_connected(r.a));
  peers_free(r.p);
}

/* The pair that we nominate falls silent at that moment: the next one that works is used, long before patience ends. */
static void a_nomination_that_is_not_answered_is_given_up(void **state) {
  (void)state;
  rig r = new_rig();
  begin(&r, FLOE_ICE_ROLE_CONTROLLING);
  fake_peer *second = second_of(&r);
  floe_ice_parameters params = {.ufrag = r.f->ufrag, .pwd = r.f->pwd};
  assert_int_equal(sim_agent_set_remote_parameters(r.a, &params), FLOE_OK);
  (void)sim_agent_add_remote_candidate(r.a, "candidate:1 1 udp 2130706431 10.0.1.1 7000 typ host");
  (void)sim_agent_add_remote_candidate(r.a, "candidate:2 1 udp 2130706175 10.0.1.2 7000 typ host");
  while (r.f->checks == 0) sim_run_for(r.p->s, 1);
  r.f->answer = FAKE_SILENT;
  sim_run_for(r.p->s, 6000);
  assert_true(r.f->nominations > 0);
  peers_true(r.p, sim_agent_is_connected(r.a));
  assert_true(second->nominations > 0);
  peers_free(r.p);
}

/* RFC 8445 7.2.5.1: 487 says that the peer has our role, whatever the check was for. */
static void a_role_conflict_long_after_is_resolved(void **state) {
  (void)state;
  rig r = make_rig(FLOE_ICE_ROLE_CONTROLLING);
  sim_run_for(r.p->s, 1000);
  peers_true(r.p, sim_agent_is_connected(r.a));
  r.f->answer = FAKE_ROLE_CONFLICT;
  sim_run_for(r.p->s, 6500);
  assert_int_equal(floe_ice_agent_role(sim_agent_core(r.a)), FLOE_ICE_ROLE_CONTROLLED);
  r.f->answer = FAKE_SUCCESS;
  sim_run_for(r.p->s, 60000);
  assert_false(r.f->claims_controlling);
  peers_true(r.p, sim_agent_is_connected(r.a));
  peers_free(r.p);
}

/* --- consent -------------------------------------------------------------------------------------------------------
 */

/* RFC 7675 5.1: consent is for an address. A peer that nominates now this and now that address cannot keep one that has
 * fallen silent in use for longer than 30 s. */
static void changing_pairs_gives_no_consent(void **state) {
  (void)state;
  rig r = make_rig(FLOE_ICE_ROLE_CONTROLLED);
  fake_peer *victim = second_of(&r);
  fake_peer_check(r.f, r.a, "10.0.0.1:50000", true);
  fake_peer_check(victim, r.a, "10.0.0.1:50000", true);
  sim_run_for(r.p->s, 1000);
  peers_true(r.p, sim_agent_is_connected(r.a));
  victim->answer = FAKE_SILENT;
  floe_time until = sim_now(r.p->s) + 36 * FLOE_SECOND;
  while (sim_now(r.p->s) < until) {
    fake_peer_check(r.f, r.a, "10.0.0.1:50000", true);
    sim_run_for(r.p->s, 5000);
    fake_peer_check(victim, r.a, "10.0.0.1:50000", true); /* so says the peer in its name */
    sim_run_for(r.p->s, 5000);
  }
  uint32_t had = victim->n_data;
  for (int i = 0; i < 10; i++) {
    (void)sim_agent_send_text(r.a, "flood");
    sim_run_for(r.p->s, 1000);
    fake_peer_check(r.f, r.a, "10.0.0.1:50000", true);
    sim_run_for(r.p->s, 4500);
    fake_peer_check(victim, r.a, "10.0.0.1:50000", true);
    sim_run_for(r.p->s, 50);
  }
  assert_int_equal(victim->n_data, had);
  peers_free(r.p);
}

/* RFC 7675 5.1: a call that comes late, before its timer, finds no consent. */
static void nothing_is_sent_late_either(void **state) {
  (void)state;
  rig r = make_rig(FLOE_ICE_ROLE_CONTROLLING);
  sim_run_for(r.p->s, 1000);
  peers_true(r.p, sim_agent_is_connected(r.a));
  floe_bytes data = {(const uint8_t *)"late", 4};
  floe_time late = sim_now(r.p->s) + 31 * FLOE_SECOND;
  assert_int_equal(floe_ice_agent_send(sim_agent_core(r.a), late, data, 0), FLOE_E_STATE);
  r.p->a.no_close = true;
  peers_free(r.p);
}

/* --- floods --------------------------------------------------------------------------------------------------------
 */

/* A peer says each time that it sees us somewhere else: in answer to the keepalives of a pair that is not in use. */
static void mapped_addresses_are_not_collected_for_ever(void **state) {
  (void)state;
  rig r = make_rig(FLOE_ICE_ROLE_CONTROLLED);
  fake_peer *second = second_of(&r);
  second->moves_mapped = true;
  fake_peer_check(r.f, r.a, "10.0.0.1:50000", true);
  fake_peer_check(second, r.a, "10.0.0.1:50000", false);
  sim_run_for(r.p->s, 60 * 16000);
  assert_true(second->checks >= 60);
  assert_in_range(stats_of(&r)->n_local_candidates, 2, 27);
  peers_free(r.p);
}

/* config.h: max_permissions is for checks too. */
static void permissions_are_limited(void **state) {
  (void)state;
  rig r = new_rig();
  peers_listen(r.p, FLOE_TRANSPORT_UDP, NULL);
  peer_add(&r.p->a, "turn:192.0.2.1");
  r.p->a.cfg.max_permissions = 5;
  r.p->a.cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  begin(&r, FLOE_ICE_ROLE_CONTROLLING);
  sim_run_for(r.p->s, 500);
  floe_ice_parameters params = {.ufrag = r.f->ufrag, .pwd = r.f->pwd};
  assert_int_equal(sim_agent_set_remote_parameters(r.a, &params), FLOE_OK);
  for (int i = 0; i < 20; i++) {
    char line[120];
    (void)snprintf(line, sizeof line, "candidate:1 1 udp 2130706431 10.0.7.%d 7000 typ host", i + 1);
    assert_int_equal(sim_agent_add_remote_candidate(r.a, line), FLOE_OK);
  }
  sim_run_for(r.p->s, 60000);
  uint32_t asked = 0;
  const floe_stats *stats = stats_of(&r);
  for (size_t i = 0; i < stats->n_pairs; i++) asked += stats->pairs[i].requests_sent > 0;
  assert_int_equal(asked, 5);
  peers_free(r.p);
}

/* Nothing is sent to addresses that are no host's: a group, all of a network, IPv4 in the clothes of IPv6. */
static void addresses_of_many_are_ignored(void **state) {
  (void)state;
  static const char *const bad[] = {"224.0.0.251", "239.1.2.3", "255.255.255.255", "ff02::fb", "ff0e::1",
                                    "0.0.0.0",     "::",        "::ffff:10.0.1.1"};
  rig r = new_rig();
  sim_host_add_address(r.p->a.host, "eth0", "2001:db8:a::1");
  begin(&r, FLOE_ICE_ROLE_CONTROLLING);
  floe_ice_parameters params = {.ufrag = r.f->ufrag, .pwd = r.f->pwd};
  assert_int_equal(sim_agent_set_remote_parameters(r.a, &params), FLOE_OK);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char line[120];
    (void)snprintf(line, sizeof line, "candidate:1 1 udp 2130706431 %s 7000 typ host", bad[i]);
    assert_int_equal(sim_agent_add_remote_candidate(r.a, line), FLOE_OK);
  }
  sim_run_for(r.p->s, 1000);
  assert_int_equal(stats_of(&r)->n_remote_candidates, 0);
  assert_string_equal(sim_agent_wire_with(r.a, "Binding"), "");
  peers_free(r.p);
}

/* A connection that is not made holds up no other, even of a peer that gives all its candidates one foundation. */
static void a_slow_connection_holds_up_no_other(void **state) {
  (void)state;
  rig r = new_rig();
  begin(&r, FLOE_ICE_ROLE_CONTROLLING);
  floe_ice_parameters params = {.ufrag = r.f->ufrag, .pwd = r.f->pwd};
  sim_drop(r.p->s, "10.0.1.1");
  sim_drop(r.p->s, "10.0.1.2");
  assert_int_equal(sim_agent_set_remote_parameters(r.a, &params), FLOE_OK);
  (void)sim_agent_add_remote_candidate(r.a, "candidate:1 1 tcp 1500000000 10.0.1.1 7000 typ host tcptype passive");
  (void)sim_agent_add_remote_candidate(r.a, "candidate:1 1 tcp 1400000000 10.0.1.2 7000 typ host tcptype passive");
  sim_run_for(r.p->s, 1000);
  assert_string_not_equal(sim_agent_wire_with(r.a, "> 10.0.1.2:7000"), "");
  peers_free(r.p);
}

/* --- strangers on a TCP port ---------------------------------------------------------------------------------------
 */

static void on_bytes(void *user, floe_bytes data) {
  (void)user;
  (void)data;
}

static void on_end(void *user) {
  *(bool *)user = true;
}

static void on_failed(void *user, floe_net_error error) {
  (void)error;
  *(bool *)user = true;
}

static const sim_tcp_ops tcp_ops = {NULL, on_failed, on_bytes, on_end};

static floe_addr passive_address(peer *x) {
  const char *at = strstr(sim_agent_events_with(x->agent, "tcp passive"), "10.0.");
  char text[FLOE_ADDR_TEXT];
  assert_non_null(at);
  (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(at, " \n"), at);
  return sim_addr(text);
}

/* Who knows the ufrag, which travels in the clear, and not the password holds no connection for long. */
static void an_unsigned_check_keeps_no_connection(void **state) {
  (void)state;
  rig r = new_rig();
  r.p->a.cfg.tcp_passive = true;
  begin(&r, FLOE_ICE_ROLE_CONTROLLED);
  sim_run_for(r.p->s, 100);
  floe_addr local = sim_addr("10.0.1.1"), remote = passive_address(&r.p->a);
  floe_net_error why;
  bool is_over = false;
  sim_tcp *t = sim_must(sim_tcp_connect(r.f->host, &local, &remote, &tcp_ops, &is_over, &why));
  sim_run_for(r.p->s, 100);
  uint8_t frame[200], txn_id[FLOE__STUN_TXN_ID] = {1};
  char username[300];
  floe__stun_builder b;
  (void)snprintf(username, sizeof username, "%s:fake", floe_ice_agent_local_parameters(sim_agent_core(r.a))->ufrag);
  floe__stun_begin(&b, frame + 2, sizeof frame - 2, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, txn_id);
  floe__stun_put_text(&b, FLOE__STUN_USERNAME, username);
  floe_bytes m = floe__stun_end(&b);
  frame[0] = (uint8_t)(m.len >> 8);
  frame[1] = (uint8_t)m.len;
  sim_tcp_send(t, (floe_bytes){frame, m.len + 2});
  sim_run_for(r.p->s, 20000);
  assert_true(is_over);
  peers_free(r.p);
}

/* Nor does one who announces a frame far longer than any check have it kept in memory. */
static void a_stranger_has_no_long_frame(void **state) {
  (void)state;
  for (int is_long = 0; is_long < 2; is_long++) {
    rig r = new_rig();
    r.p->a.cfg.tcp_passive = true;
    begin(&r, FLOE_ICE_ROLE_CONTROLLED);
    sim_run_for(r.p->s, 100);
    floe_addr local = sim_addr("10.0.1.1"), remote = passive_address(&r.p->a);
    floe_net_error why;
    bool is_over = false;
    sim_tcp *t = sim_must(sim_tcp_connect(r.f->host, &local, &remote, &tcp_ops, &is_over, &why));
    sim_run_for(r.p->s, 100);
    uint8_t bytes[600] = {is_long ? 0xff : 0x04, 0xff};
    sim_tcp_send(t, (floe_bytes){bytes, sizeof bytes});
    sim_run_for(r.p->s, 100);
    assert_int_equal(is_over, is_long);
    peers_free(r.p);
  }
}

/* However many wait there, the peer gets in. */
static void strangers_do_not_keep_the_peer_out(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peer_block_udp(&p->a);
  peer_block_udp(&p->b);
  p->b.cfg.tcp_passive = true;
  p->b.waits_for_offer = false;
  p->a.out.delay_ms = p->b.out.delay_ms = 500;
  peers_begin(p);
  sim_run_for(p->s, 100);
  sim_host *h = sim_host_new(p->s, "stranger", "eth0", "198.51.100.1", NULL);
  floe_addr local = sim_addr("198.51.100.1"), remote = passive_address(&p->b);
  bool is_over[300] = {false};
  for (size_t i = 0; i < 300; i++) {
    floe_net_error why;
    (void)sim_must(sim_tcp_connect(h, &local, &remote, &tcp_ops, &is_over[i], &why));
  }
  sim_run_for(p->s, 100);
  peers_true(p, peers_run_to_connected(p, 3000));
  peers_exchange_data(p);
  peers_free(p);
}

/* --- what is counted -----------------------------------------------------------------------------------------------
 */

/* stats.h: each ICMP error counts, even one that does not say that nobody is there. */
static void soft_icmp_errors_count_and_fail_nothing(void **state) {
  (void)state;
  rig r = make_rig(FLOE_ICE_ROLE_CONTROLLING);
  sim_reject(r.p->s, "10.0.1.1", 11, 0); /* time exceeded */
  sim_run_for(r.p->s, 5000);
  const floe_stats *stats = stats_of(&r);
  assert_int_equal(stats->n_pairs, 1);
  assert_true(stats->pairs[0].icmp_errors >= 3);
  assert_true(stats->pairs[0].has_icmp);
  assert_int_equal(stats->pairs[0].icmp_type, 11);
  assert_int_equal(stats->pairs[0].state, FLOE_PAIR_IN_PROGRESS);
  sim_rules_clear(r.p->s);
  sim_run_for(r.p->s, 10000);
  peers_true(r.p, sim_agent_is_connected(r.a));
  peers_free(r.p);
}

/* stats.h: n_relay_denied counts pairs, not refusals. */
static void a_pair_is_denied_once(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_listen(p, FLOE_TRANSPORT_UDP, "permission-error=403:Peer denied");
  peer_add(&p->a, "turn:192.0.2.1");
  peer_drop_to(&p->a, "10.0.1.1"); /* no direct way at first: the relay is asked */
  peers_begin(p);
  sim_run_for(p->s, 5000);
  sim_rules_clear(p->s);
  peers_true(p, peers_run_to_connected(p, 20000));
  peer_vanish(&p->b);
  sim_run_for(p->s, 28000); /* asked again and again while disconnected */
  const floe_connection_report *r = floe_ice_agent_connection_report(sim_agent_core(p->a.agent), sim_now(p->s));
  assert_non_null(r);
  assert_int_equal(r->n_relay_denied, 1);
  sim_rules_clear(p->s);
  peers_free(p);
}

/* --- a lite agent --------------------------------------------------------------------------------------------------
 */

static rig lite_rig(void) {
  rig r = new_rig();
  r.p->a.cfg.lite = true;
  begin(&r, FLOE_ICE_ROLE_UNKNOWN);
  r.f->controlling = true;
  fake_peer_tell(r.f, r.a);
  return r;
}

/* RFC 8445 2.5: not to see whether the pair before still works, and not when the peer has fallen silent. */
static void a_lite_agent_never_asks(void **state) {
  (void)state;
  rig r = lite_rig();
  fake_peer *second = second_of(&r);
  second->controlling = true;
  second->priority = r.f->priority + 1000;
  fake_peer_check(r.f, r.a, "10.0.0.1:50000", true);
  sim_run_for(r.p->s, 5000);
  fake_peer_check(second, r.a, "10.0.0.1:50000", true);
  sim_run_for(r.p->s, 5000);
  fake_peer_check(r.f, r.a, "10.0.0.1:50000", true);
  for (int i = 0; i < 5; i++) {
    fake_peer_check(r.f, r.a, "10.0.0.1:50000", true);
    sim_run_for(r.p->s, 5000);
  }
  peers_true(r.p, sim_agent_is_connected(r.a));
  sim_run_for(r.p->s, 60000);
  assert_int_equal(r.f->checks + second->checks, 0);
  peers_free(r.p);
}

/* Two lite sides never ask whether the other is there, but an address that is gone is the end all the same. */
static void two_lite_sides_end(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.lite = p->b.cfg.lite = true;
  peers_true(p, peers_connect(p, 5000));
  sim_host_remove_address(p->a.host, "10.0.0.1");
  sim_agent_interfaces_changed(p->a.agent);
  sim_run_for(p->s, 100);
  assert_int_equal(sim_agent_connection(p->a.agent), FLOE_ICE_CONNECTION_DISCONNECTED);
  peers_true(p, peer_run_to(&p->a, FLOE_ICE_CONNECTION_FAILED, 31000));
  peer_expect_failed(&p->a, FLOE_CAUSE_NETWORK_GONE);
  peers_free(p);
}

/* RFC 8445 6.1.1: beside a full agent it is controlled, whatever that one claims. */
static void a_lite_agent_stays_controlled(void **state) {
  (void)state;
  rig r = lite_rig();
  r.f->controlling = false;
  r.f->tie_breaker = 0;
  fake_peer_check(r.f, r.a, "10.0.0.1:50000", false);
  sim_run_for(r.p->s, 100);
  assert_int_equal(floe_ice_agent_role(sim_agent_core(r.a)), FLOE_ICE_ROLE_CONTROLLED);
  r.f->controlling = true;
  fake_peer_check(r.f, r.a, "10.0.0.1:50000", true);
  sim_run_for(r.p->s, 100);
  peers_true(r.p, sim_agent_is_connected(r.a));
  peers_free(r.p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_nomination_before_the_parameters_counts),
      cmocka_unit_test(a_nomination_that_is_not_answered_is_given_up),
      cmocka_unit_test(a_role_conflict_long_after_is_resolved),
      cmocka_unit_test(changing_pairs_gives_no_consent),
      cmocka_unit_test(nothing_is_sent_late_either),
      cmocka_unit_test(mapped_addresses_are_not_collected_for_ever),
      cmocka_unit_test(permissions_are_limited),
      cmocka_unit_test(addresses_of_many_are_ignored),
      cmocka_unit_test(a_slow_connection_holds_up_no_other),
      cmocka_unit_test(an_unsigned_check_keeps_no_connection),
      cmocka_unit_test(a_stranger_has_no_long_frame),
      cmocka_unit_test(strangers_do_not_keep_the_peer_out),
      cmocka_unit_test(soft_icmp_errors_count_and_fail_nothing),
      cmocka_unit_test(a_pair_is_denied_once),
      cmocka_unit_test(a_lite_agent_never_asks),
      cmocka_unit_test(two_lite_sides_end),
      cmocka_unit_test(a_lite_agent_stays_controlled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
