/* Trickle (RFC 8838): candidates late, before the parameters, shuffled, twice, after the end; whole descriptions; what
 * is refused. */
#include <stdlib.h>

#include "support/fake_peer.h"
#include "support/peers.h"

#define LINE "candidate:1 1 udp 2130706431 10.0.1.1 50000 typ host"

static void late_candidates_connect_when_they_come(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.out.no_candidates = p->b.out.no_candidates = true;
  p->a.out.no_end = p->b.out.no_end = true;
  peer_drop_to(&p->b, "10.0.0.1"); /* nor are they learnt from checks */
  peer_drop_to(&p->a, "10.0.1.1");
  peers_begin(p);
  sim_run_for(p->s, 5000);
  peers_true(p, sim_agent_connection(p->a.agent) == FLOE_ICE_CONNECTION_CHECKING);
  peers_true(p, sim_agent_connection(p->b.agent) == FLOE_ICE_CONNECTION_CHECKING);
  sim_rules_clear(p->s);
  assert_int_equal(peer_tell_candidate(&p->a, "candidate:1 1 udp 2130706431 10.0.0.1 50000 typ host"), FLOE_OK);
  peers_true(p, peers_run_to_connected(p, 100));
  peers_exchange_data(p);
  peers_free(p);
}

static void one_side_telling_candidates_is_enough(void **state) {
  (void)state;
  for (int which = 0; which < 2; which++) {
    peers *p = peers_new(1);
    (which == 0 ? &p->a : &p->b)->out.no_candidates = true;
    peers_true(p, peers_connect(p, 1000));
    assert_string_equal(sim_agent_pair(p->a.agent), which == 0 ? "host 10.0.0.1:50000 > host 10.0.1.1:50000"
                                                               : "host 10.0.0.1:50000 > prflx 10.0.1.1:50000");
    assert_string_equal(sim_agent_pair(p->b.agent), which == 0 ? "host 10.0.1.1:50000 > prflx 10.0.0.1:50000"
                                                               : "host 10.0.1.1:50000 > host 10.0.0.1:50000");
    peers_exchange_data(p);
    peers_free(p);
  }
}

static void candidates_may_come_before_the_parameters(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.out.parameters_ms = 700;
  p->b.out.parameters_ms = 300;
  peers_true(p, peers_connect(p, 2000));
  peers_exchange_data(p);
  peers_free(p);
}

static void any_order_connects(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 30; seed++) {
    peers *p = peers_new(seed);
    sim_host_add_address(p->a.host, "eth0", "2001:db8:a::1");
    sim_host_add_address(p->b.host, "eth0", "2001:db8:b::1");
    peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
    peers_nat(&p->b, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
    peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
    peers_add(p, "turn:192.0.2.1");
    p->a.out.shuffle_ms = p->b.out.shuffle_ms = 400;
    p->a.out.parameters_ms = sim_random_below(p->s, 400);
    p->b.out.parameters_ms = sim_random_below(p->s, 400);
    peers_true(p, peers_connect(p, 5000));
    peers_exchange_data(p);
    assert_int_equal(p->a.refused + p->b.refused, 0);
    peers_free(p);
  }
}

static void whole_descriptions_connect(void **state) {
  (void)state;
  for (int which = 1; which < 4; which++) {
    peers *p = peers_new(1);
    peers_nat(&p->a, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
    peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
    peers_add(p, "stun:192.0.2.1");
    p->a.out.whole = (which & 1) != 0;
    p->b.out.whole = (which & 2) != 0;
    peers_true(p, peers_connect(p, 2000));
    peers_exchange_data(p);
    sim_run_for(p->s, 45000); /* the check of the private address is open so long (RFC 8489 6.2.1) */
    peers_true(p, sim_agent_connection(p->a.agent) == FLOE_ICE_CONNECTION_COMPLETED);
    peers_true(p, sim_agent_connection(p->b.agent) == FLOE_ICE_CONNECTION_COMPLETED);
    peers_exchange_data(p);
    peers_free(p);
  }
}

/* --- one agent, told by hand ---------------------------------------------------------------------------------------
 */

typedef struct hand {
  peers *p;
  sim_agent *a;
  floe_ice_agent *core;
} hand;

static hand begin_by_hand(void) {
  hand h = {.p = peers_new(1)};
  h.p->b.waits_for_offer = true;
  h.p->a.out.no_parameters = h.p->a.out.no_candidates = h.p->a.out.no_end = true;
  peers_begin(h.p);
  h.a = h.p->a.agent;
  h.core = sim_agent_core(h.a);
  return h;
}

static const floe_ice_parameters params = {.ufrag = "peer", .pwd = "passwordOfThePeerAtHand"};

static void after_the_end_candidates_are_refused(void **state) {
  (void)state;
  hand h = begin_by_hand();
  assert_int_equal(sim_agent_set_remote_parameters(h.a, &params), FLOE_OK);
  assert_int_equal(sim_agent_add_remote_candidate(h.a, LINE), FLOE_OK);
  assert_int_equal(sim_agent_add_remote_candidate(h.a, ""), FLOE_OK);
  assert_int_equal(sim_agent_add_remote_candidate(h.a, "candidate:2 1 udp 1 10.0.1.2 50000 typ host"), FLOE_E_STATE);
  sim_agent_end_of_remote_candidates(h.a);
  assert_int_equal(sim_agent_add_remote_candidate(h.a, ""), FLOE_OK);
  peers_free(h.p);
}

static void the_same_parameters_again_are_fine_others_are_not(void **state) {
  (void)state;
  hand h = begin_by_hand();
  assert_null(floe_ice_agent_remote_parameters(h.core));
  assert_int_equal(sim_agent_set_remote_parameters(h.a, &params), FLOE_OK);
  assert_int_equal(sim_agent_set_remote_parameters(h.a, &params), FLOE_OK);
  assert_string_equal(floe_ice_agent_remote_parameters(h.core)->ufrag, "peer");
  floe_ice_parameters other = {.ufrag = "rest", .pwd = "anotherPasswordOfThePeer"};
  assert_int_equal(sim_agent_set_remote_parameters(h.a, &other), FLOE_E_STATE);
  peers_expect_with(&h.p->a, "connection", "0.0 connection checking\n");
  peers_free(h.p);
}

static void bad_parameters_are_refused(void **state) {
  (void)state;
  static const struct {
    floe_ice_parameters params;
    const char *path;
  } rows[] = {{{.ufrag = "abc", .pwd = "passwordOfThePeerAtHand"}, "ufrag"},
              {{.ufrag = "", .pwd = "passwordOfThePeerAtHand"}, "ufrag"},
              {{.ufrag = "ab:c", .pwd = "passwordOfThePeerAtHand"}, "ufrag"},
              {{.ufrag = "peer", .pwd = "short"}, "pwd"},
              {{.ufrag = "peer", .pwd = "passwordOfThePeerAtHand "}, "pwd"}};
  hand h = begin_by_hand();
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(sim_agent_set_remote_parameters(h.a, &rows[i].params), FLOE_E_SYNTAX);
    assert_string_equal(sim_agent_why(h.a)->path, rows[i].path);
  }
  assert_null(floe_ice_agent_remote_parameters(h.core));
  peers_free(h.p);
}

static void candidates_are_read_or_refused(void **state) {
  (void)state;
  static const struct {
    const char *line;
    floe_status status;
  } rows[] = {
      {LINE, FLOE_OK},
      {"a=" LINE, FLOE_OK}, /* known already */
      {LINE " ufrag peer", FLOE_OK},
      {LINE " ufrag else", FLOE_E_NOT_FOUND},
      {"candidate:1 2 udp 2130706431 10.0.1.1 50001 typ host", FLOE_OK}, /* another component: ignored */
      {"candidate:1 1 sctp 2130706431 10.0.1.1 50002 typ host", FLOE_OK},
      {"candidate:1 1 udp 2130706431 10.0.1.1 50003 typ teleport", FLOE_OK},
      {"candidate:1 1 udp 2130706431 host.example.org 50003 typ host", FLOE_OK}, /* a name: unresolved */
      {"candidate:1 1 udp 2130706431 10.0.1.1 typ host", FLOE_E_SYNTAX},
      {"candidate:1 1 udp many 10.0.1.1 50000 typ host", FLOE_E_SYNTAX},
      {"nonsense", FLOE_E_SYNTAX},
  };
  hand h = begin_by_hand();
  assert_int_equal(sim_agent_set_remote_parameters(h.a, &params), FLOE_OK);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(sim_agent_add_remote_candidate(h.a, rows[i].line), rows[i].status);
  }
  assert_string_equal(sim_agent_why(h.a)->path, "candidate");
  const floe_stats *stats = floe_ice_agent_stats(h.core, sim_now(h.p->s));
  assert_non_null(stats);
  uint32_t with_address = 0;
  for (size_t i = 0; i < stats->n_remote_candidates; i++) {
    with_address += stats->remote_candidates[i].resolution == FLOE_RESOLUTION_NONE ? 1 : 0;
  }
  assert_int_equal(with_address, 1);
  peers_free(h.p);
}

/* However it was written, what is told of it has one form; one that nobody wrote has none. */
static void the_text_of_a_candidate_has_one_form(void **state) {
  (void)state;
  static const char *const written[] = {"a=" LINE, LINE, "1 1 udp 2130706431 10.0.1.1 50000 typ host", NULL};
  for (int i = 0; i < 4; i++) {
    peers *p = peers_new(1);
    p->b.out.no_candidates = true;
    peers_begin(p);
    if (written[i] != NULL) assert_int_equal(peer_tell_candidate(&p->b, written[i]), FLOE_OK); /* to a */
    peers_true(p, peers_run_to_connected(p, 1000));
    const floe_ice_candidate *remote;
    assert_true(floe_ice_agent_selected_pair(sim_agent_core(p->a.agent), NULL, &remote));
    if (written[i] != NULL) {
      assert_string_equal(remote->text, LINE);
    } else {
      assert_int_equal(remote->type, FLOE_CANDIDATE_PRFLX);
      assert_null(remote->text);
    }
    peers_free(p);
  }
}

static void too_many_candidates_are_refused(void **state) {
  (void)state;
  hand h = {.p = peers_new(1)};
  h.p->a.cfg.max_remote_candidates = 5;
  h.p->a.out.no_parameters = h.p->a.out.no_candidates = h.p->a.out.no_end = true;
  peers_begin(h.p);
  h.a = h.p->a.agent;
  char line[100];
  for (int i = 0; i < 8; i++) {
    (void)snprintf(line, sizeof line, "candidate:1 1 udp %d 10.0.1.1 %d typ host", 1000 - i, 50000 + i);
    assert_int_equal(sim_agent_add_remote_candidate(h.a, line), i < 5 ? FLOE_OK : FLOE_E_TOO_LARGE);
  }
  peers_free(h.p);
}

static void after_close_everything_is_refused(void **state) {
  (void)state;
  hand h = begin_by_hand();
  sim_agent_close(h.a);
  floe_time now = sim_now(h.p->s);
  assert_int_equal(floe_ice_agent_set_remote_parameters(h.core, now, &params, NULL), FLOE_E_STATE);
  assert_int_equal(floe_ice_agent_add_remote_candidate(h.core, now, LINE, NULL), FLOE_E_STATE);
  assert_int_equal(floe_ice_agent_restart(h.core, now), FLOE_E_STATE);
  assert_int_equal(floe_ice_agent_set_role(h.core, FLOE_ICE_ROLE_CONTROLLED), FLOE_E_STATE);
  assert_int_equal(floe_ice_agent_send(h.core, now, (floe_bytes){(const uint8_t *)"x", 1}, 0), FLOE_E_STATE);
  floe_ice_agent_end_of_remote_candidates(h.core, now);
  assert_int_equal(floe_ice_agent_connection_state(h.core), FLOE_ICE_CONNECTION_CLOSED);
  peers_free(h.p);
}

/* --- descriptions ---------------------------------------------------------------------------------------------------
 */

static void a_description_is_cut_at_a_line(void **state) {
  (void)state;
  hand h = begin_by_hand();
  sim_run_for(h.p->s, 10);
  char text[2000], part[2000];
  size_t len = floe_ice_agent_local_description(h.core, text, sizeof text);
  assert_int_equal(strlen(text), len);
  const floe_ice_parameters *mine = floe_ice_agent_local_parameters(h.core);
  assert_non_null(strstr(text, mine->ufrag));
  assert_non_null(strstr(text, mine->pwd));
  assert_non_null(strstr(text, "a=ice-options:trickle ice2"));
  assert_non_null(strstr(text, " 10.0.0.1 50000 typ host"));
  assert_non_null(strstr(text, "a=end-of-candidates"));
  assert_int_equal(floe_ice_agent_local_description(h.core, NULL, 0), len);
  for (size_t cap = 1; cap < len; cap++) {
    memset(part, 'x', sizeof part);
    assert_int_equal(floe_ice_agent_local_description(h.core, part, cap), len);
    size_t cut = strlen(part);
    assert_true(cut < cap);
    assert_memory_equal(part, text, cut);
    assert_true(cut == 0 || part[cut - 1] == '\n');
    assert_int_equal(part[cap], 'x');
  }
  peers_free(h.p);
}

static void a_description_is_all_or_nothing(void **state) {
  (void)state;
  static const char *const bad[] = {
      "a=ice-ufrag:peer\r\na=candidate:1 1 udp 2130706431 10.0.1.1 50000 typ host\r\n",
      "a=ice-pwd:passwordOfThePeerAtHand\r\n",
      "a=ice-ufrag:peer\r\na=ice-pwd:short\r\n",
      "a=ice-ufrag:peer\r\na=ice-pwd:passwordOfThePeerAtHand\r\na=candidate:1 1 udp\r\n",
      "",
  };
  hand h = begin_by_hand();
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(sim_agent_set_remote_description(h.a, bad[i]), FLOE_E_SYNTAX);
    assert_string_equal(sim_agent_why(h.a)->path, "description");
    assert_null(floe_ice_agent_remote_parameters(h.core));
  }
  static const char whole[] =
      "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
      "c=IN IP4 0.0.0.0\r\na=ice-ufrag:peer\r\na=ice-pwd:passwordOfThePeerAtHand\r\na=mid:0\r\n"
      "a=candidate:1 1 udp 2130706431 10.0.1.1 50000 typ host generation 0 network-cost 999\r\n"
      "a=candidate:1 1 udp 2130706431 10.0.1.2 50000 typ teleport\r\n"
      "a=end-of-candidates\r\n";
  assert_int_equal(sim_agent_set_remote_description(h.a, whole), FLOE_OK);
  assert_string_equal(floe_ice_agent_remote_parameters(h.core)->ufrag, "peer");
  assert_int_equal(sim_agent_add_remote_candidate(h.a, LINE " ufrag peer"), FLOE_E_STATE); /* the end was in it */
  peers_free(h.p);
}

/* RFC 8863: with nothing to check the agent waits for what may still come. */
static void patience_lasts_as_configured(void **state) {
  (void)state;
  for (int with_end = 0; with_end < 2; with_end++) {
    peers *p = peers_new(1);
    p->a.cfg.timing.patience_ms = 3000;
    p->a.out.no_parameters = p->a.out.no_candidates = p->a.out.no_end = true;
    peers_begin(p);
    assert_int_equal(sim_agent_set_remote_parameters(p->a.agent, &params), FLOE_OK);
    if (with_end) sim_agent_end_of_remote_candidates(p->a.agent);
    sim_run_for(p->s, 10000);
    peers_expect_with(&p->a, "connection",
                      "0.0 connection checking\n"
                      "3000.0 connection failed no_remote_candidates\n");
    peers_free(p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(late_candidates_connect_when_they_come),
      cmocka_unit_test(one_side_telling_candidates_is_enough),
      cmocka_unit_test(candidates_may_come_before_the_parameters),
      cmocka_unit_test(any_order_connects),
      cmocka_unit_test(whole_descriptions_connect),
      cmocka_unit_test(after_the_end_candidates_are_refused),
      cmocka_unit_test(the_same_parameters_again_are_fine_others_are_not),
      cmocka_unit_test(bad_parameters_are_refused),
      cmocka_unit_test(candidates_are_read_or_refused),
      cmocka_unit_test(the_text_of_a_candidate_has_one_form),
      cmocka_unit_test(too_many_candidates_are_refused),
      cmocka_unit_test(after_close_everything_is_refused),
      cmocka_unit_test(a_description_is_cut_at_a_line),
      cmocka_unit_test(a_description_is_all_or_nothing),
      cmocka_unit_test(patience_lasts_as_configured),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
