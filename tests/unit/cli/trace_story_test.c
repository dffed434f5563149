#include "trace_story.h"

#include "trace_fixture.h"

static void a_connection_has_its_last_state(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 100, "ice.session", ",'agent':4,'ufrag':'abcd','change':'started'");
  add_line(&s, 100, "ice.role", ",'agent':4,'from':'unknown','to':'controlling','why':'x'");
  add_line(&s, 110, "ice.state", ",'agent':4,'from':'new','to':'checking'");
  add_line(&s, 150, "ice.state", ",'agent':4,'from':'checking','to':'connected'");
  const floe__story_agent *a = floe__story_agent_of(&s, 4);
  assert_non_null(a);
  assert_string_equal(a->state, "connected");
  assert_string_equal(a->cause, "");
  assert_string_equal(a->role, "controlling");
  assert_int_equal(a->sessions, 1);
  assert_true(a->was_checking && a->was_connected);
  assert_true(a->checking_ms == 110 && a->connected_ms == 150);
  add_line(&s, 7150, "ice.state", ",'agent':4,'from':'connected','to':'disconnected','cause':'consent_lost'");
  a = floe__story_agent_of(&s, 4);
  assert_string_equal(a->cause, "consent_lost");
  add_line(&s, 8000, "ice.state", ",'agent':4,'from':'disconnected','to':'connected','cause':'none'");
  a = floe__story_agent_of(&s, 4);
  assert_string_equal(a->cause, "");
  assert_true(a->connected_ms == 150); /* the first time */
  assert_true(a->state_ms == 8000);
  assert_null(floe__story_agent_of(&s, 0));
  assert_true(s.first_ms == 100 && s.last_ms == 8000);
  floe__story_clear(&s);
}

static void checks_of_the_peer_are_counted_by_outcome(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 1, "ice.check.received", ",'outcome':'ok'");
  add_line(&s, 1, "ice.check.received", ",'outcome':'ok'");
  add_line(&s, 1, "ice.check.received", ",'outcome':'unknown_ufrag'");
  add_line(&s, 1, "ice.check.received", ",'outcome':'bad_integrity'");
  add_line(&s, 1, "ice.check.received", ",'outcome':'role_conflict'");
  add_line(&s, 1, "ice.check.received", ",'outcome':'refused'");
  add_line(&s, 1, "ice.check.received", ",'outcome':'malformed'");
  add_line(&s, 1, "ice.check.received", ",'outcome':'something new'");
  const floe__story_agent *a = floe__story_agent_of(&s, 0);
  assert_int_equal(a->peer_checks[FLOE__PEER_CHECK_OK], 2);
  for (int i = FLOE__PEER_CHECK_UNKNOWN_UFRAG; i < FLOE__PEER_CHECK_COUNT; i++) {
    assert_int_equal(a->peer_checks[i], 1);
  }
  floe__story_clear(&s);
}

static void a_pair_counts_its_checks(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 1, "ice.pair.state", ",'pair':3,'local':1,'remote':2,'from':'waiting','to':'in-progress'");
  add_line(&s, 1, "ice.check.sent", ",'pair':3,'transmission':1");
  add_line(&s, 501, "ice.check.sent", ",'pair':3,'transmission':2");
  add_line(&s, 510, "ice.check.answered", ",'pair':3,'code':0");
  add_line(&s, 520, "ice.check.answered", ",'pair':3,'code':0,'rtt_us':20500");
  add_line(&s, 530, "ice.check.answered", ",'pair':3,'code':0,'rtt_us':10500");
  add_line(&s, 540, "ice.check.answered", ",'pair':3,'code':487,'rtt_us':30500");
  add_line(&s, 550, "ice.nominated", ",'pair':3,'by':'us'");
  add_line(&s, 560, "ice.consent", ",'pair':3,'outcome':'ok'");
  add_line(&s, 560, "ice.consent", ",'pair':3,'outcome':'missed'");
  add_line(&s, 560, "ice.consent", ",'pair':3,'outcome':'expired'");
  const floe__story_pair *p = floe__story_pair_of(&s, 0, 3);
  assert_string_equal(p->state, "in-progress");
  assert_int_equal(p->local, 1);
  assert_int_equal(p->remote, 2);
  assert_int_equal(p->sent, 2);
  assert_int_equal(p->answered, 4);
  assert_int_equal(p->errors, 1);
  assert_int_equal(p->last_error, 487);
  assert_int_equal(p->n_rtt, 3);
  assert_true(p->rtt_last_ms == 30.5 && p->rtt_min_ms == 10.5 && p->rtt_sum_ms == 61.5);
  assert_int_equal(p->consent_ok, 1);
  assert_int_equal(p->consent_missed, 1);
  assert_true(p->nominated);
  assert_false(p->selected);
  add_line(&s, 600, "ice.pair.state",
           ",'pair':3,'local':1,'remote':2,'from':'succeeded','to':'failed','failure':'consent'");
  assert_string_equal(floe__story_pair_of(&s, 0, 3)->failure, "consent");
  add_line(&s, 600, "ice.pair.state", ",'pair':3,'local':1,'remote':2,'from':'failed','to':'waiting'");
  assert_string_equal(floe__story_pair_of(&s, 0, 3)->failure, "");
  floe__story_clear(&s);
}

static void one_pair_is_in_use_at_a_time(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 1, "ice.selected", ",'agent':1,'pair':1");
  add_line(&s, 1, "ice.selected", ",'agent':2,'pair':1");
  add_line(&s, 2, "ice.selected", ",'agent':1,'pair':2");
  assert_false(floe__story_pair_of(&s, 1, 1)->selected);
  assert_true(floe__story_pair_of(&s, 1, 2)->selected);
  assert_true(floe__story_pair_of(&s, 2, 1)->selected);
  floe__story_clear(&s);
}

static void candidates_are_described(void **state) {
  (void)state;
  floe__story s = {0};
  char buf[FLOE__STORY_CANDIDATE_TEXT];
  add_line(&s, 1, "ice.local", ",'id':1,'type':'host','transport':'udp','addr':'[2001:db8::1]:5000'");
  add_line(&s, 1, "ice.remote", ",'id':1,'type':'srflx','transport':'tcp','origin':'mdns'");
  assert_string_equal(floe__story_candidate_text(floe__story_local_of(&s, 0, 1), buf), "host udp [2001:db8::1]:5000");
  assert_string_equal(floe__story_candidate_text(floe__story_remote_of(&s, 0, 1), buf), "srflx tcp");
  assert_string_equal(floe__story_candidate_text(floe__story_remote_of(&s, 1, 1), buf), "?");
  assert_string_equal(floe__story_remote_of(&s, 0, 1)->origin, "mdns");
  floe__story_clear(&s);
}

#define ATTEMPT "gather.attempt.state"

static void a_server_has_a_verdict(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 5, ATTEMPT,
           ",'server':0,'url':0,'kind':'turn','transport':'tcp','host':'a.example','family':4,'to':'running'");
  assert_string_equal(floe__story_server_verdict(&s.servers[0]), "open");
  add_line(&s, 9, ATTEMPT, ",'server':0,'url':0,'to':'error','cause':'udp_timeout'");
  assert_string_equal(floe__story_server_verdict(&s.servers[0]), "failed");
  add_line(&s, 9, ATTEMPT, ",'server':0,'url':0,'to':'candidate','cause':'none'");
  assert_string_equal(floe__story_server_verdict(&s.servers[0]), "degraded");
  assert_string_equal(s.servers[0].kind, "turn");
  assert_string_equal(s.servers[0].transport, "tcp");
  assert_string_equal(s.servers[0].host, "a.example");
  assert_true(s.servers[0].first_ms == 5 && s.servers[0].last_ms == 9);
  add_line(&s, 9, ATTEMPT, ",'server':0,'url':1,'to':'candidate','cause':'none'");
  assert_string_equal(floe__story_server_verdict(&s.servers[1]), "ok");
  add_line(&s, 9, ATTEMPT, ",'server':1,'url':0,'to':'cancelled','cause':'cancelled'");
  assert_string_equal(floe__story_server_verdict(&s.servers[2]), "cancelled");
  assert_int_equal(s.n_servers, 3);
  floe__story_clear(&s);
}

static void the_cause_that_says_most_is_the_servers(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 1, ATTEMPT, ",'server':0,'url':0,'to':'error','cause':'udp_timeout'");
  add_line(&s, 1, ATTEMPT, ",'server':0,'url':0,'to':'error','cause':'net_unreachable'");
  assert_string_equal(s.servers[0].cause, "udp_timeout"); /* of one group the first */
  add_line(&s, 1, ATTEMPT, ",'server':0,'url':0,'to':'error','cause':'auth_rejected'");
  add_line(&s, 1, ATTEMPT, ",'server':0,'url':0,'to':'error','cause':'tls_expired'");
  assert_string_equal(s.servers[0].cause, "auth_rejected");
  floe__story_clear(&s);
}

static void sorted_for_printing(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 1, "ice.check.sent", ",'agent':2,'pair':9");
  add_line(&s, 1, "ice.check.sent", ",'agent':1,'pair':5");
  add_line(&s, 1, "ice.check.sent", ",'agent':2,'pair':1");
  add_line(&s, 1, ATTEMPT, ",'agent':2,'server':1,'url':0,'to':'running'");
  add_line(&s, 1, ATTEMPT, ",'agent':2,'server':0,'url':1,'to':'running'");
  assert_false(floe__story_has_news(&s, floe__story_agent_of(&s, 1), s.n_servers, s.n_pairs));
  floe__story_sort(&s);
  assert_int_equal(s.agents[0].number, 1);
  assert_int_equal(s.pairs[0].id, 5);
  assert_int_equal(s.pairs[1].id, 1);
  assert_int_equal(s.pairs[2].id, 9);
  assert_int_equal(s.servers[0].server, 0);
  assert_true(floe__story_has_news(&s, &s.agents[0], 0, 0));  /* a pair */
  assert_true(floe__story_has_news(&s, &s.agents[1], 0, 99)); /* a server */
  floe__story_clear(&s);
}

static void what_is_too_much_is_counted(void **state) {
  (void)state;
  floe__story s = {0};
  floe__trace_line line = make_line(1, "ice.check.sent", ",'pair':1");
  json_t *id = json_object_get(line.object, "pair");
  for (int i = 1; i < FLOE__STORY_MAX + 10; i++) {
    (void)json_integer_set(id, i);
    floe__story_add(&s, &line);
  }
  assert_int_equal(s.n_pairs, FLOE__STORY_MAX - 1); /* and one agent */
  assert_int_equal(s.n_dropped, 10);
  assert_int_equal(s.n_events, FLOE__STORY_MAX + 9);
  floe__trace_line_clear(&line);
  floe__story_clear(&s);
}

static void members_of_the_wrong_kind_are_ignored(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 1, "ice.check.sent", ",'pair':'three'");
  add_line(&s, 1, "ice.local", ",'id':-1");
  add_line(&s, 1, ATTEMPT, ",'server':0");
  add_line(&s, 1, "ice.check.answered", ",'pair':1,'code':'x','rtt_us':-5");
  add_line(&s, 1, "ice.state", ",'to':['a']");
  assert_int_equal(s.n_pairs, 1);
  assert_int_equal(s.pairs[0].n_rtt, 0);
  assert_int_equal(s.n_locals + s.n_remotes + s.n_servers, 0);
  assert_string_equal(s.agents[0].state, "");
  floe__story_clear(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_connection_has_its_last_state),
      cmocka_unit_test(checks_of_the_peer_are_counted_by_outcome),
      cmocka_unit_test(a_pair_counts_its_checks),
      cmocka_unit_test(one_pair_is_in_use_at_a_time),
      cmocka_unit_test(candidates_are_described),
      cmocka_unit_test(a_server_has_a_verdict),
      cmocka_unit_test(the_cause_that_says_most_is_the_servers),
      cmocka_unit_test(sorted_for_printing),
      cmocka_unit_test(what_is_too_much_is_counted),
      cmocka_unit_test(members_of_the_wrong_kind_are_ignored),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
