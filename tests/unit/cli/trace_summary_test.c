#include "trace_summary.h"

#include "trace_fixture.h"

static void expect_summary(floe__story *s, const floe__trace_gaps *gaps, floe__summary_style style,
                           const char *expected) {
  caught c;
  catch_open(&c);
  floe__trace_summary_print(c.out, s, gaps, style);
  expect_text(&c, expected);
  floe__story_clear(s);
}

static const floe__trace_gaps no_gaps;
static const floe__summary_style plain;

static void nothing_happened(void **state) {
  (void)state;
  floe__story s = {0};
  expect_summary(&s, &no_gaps, plain, "--- 0 events in 0.00 ms ---\n");
}

static void agents_of_which_nothing_is_known_are_left_out(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 5, "agent.state", ",'agent':1,'to':'gathering'");
  expect_summary(&s, &no_gaps, plain, "--- 1 event in 0.00 ms ---\n");
}

static void a_connection_with_its_cause(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 0, "ice.role", ",'to':'controlled'");
  add_line(&s, 500, "ice.state", ",'to':'checking'");
  add_line(&s, 600, "ice.check.received", ",'outcome':'ok'");
  add_line(&s, 600, "ice.check.received", ",'outcome':'bad_integrity'");
  add_line(&s, 40000, "ice.state", ",'to':'failed','cause':'checks_one_way'");
  expect_summary(&s, &no_gaps, plain,
                 "--- 5 events in 40.0 s ---\n\n"
                 "  connection     failed after 39.5 s: checks_one_way\n"
                 "                 checks of the peer arrive, but none of ours is answered\n"
                 "                 try: A firewall lets packets through in one direction only, or the peer cannot "
                 "answer: look at its side\n"
                 "  role           controlled\n"
                 "  peer's checks  1 accepted, 1 wrongly signed\n");
}

static void a_cause_that_is_not_known_is_only_named(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 0, "ice.state", ",'agent':9,'to':'failed','cause':'from_the_future'");
  expect_summary(&s, &no_gaps, plain,
                 "--- 1 event in 0.00 ms ---\n\nagent 9\n  connection     failed: from_the_future\n");
}

static void long_hints_are_wrapped(void **state) {
  (void)state;
  floe__story s = {0};
  floe__summary_style narrow = {.width = 60};
  add_line(&s, 0, "ice.state", ",'to':'failed','cause':'consent_lost'");
  expect_summary(&s, &no_gaps, narrow,
                 "--- 1 event in 0.00 ms ---\n\n"
                 "  connection     failed: consent_lost\n"
                 "                 the peer no longer answers on the path that was in use\n"
                 "                 try: The peer has gone, or the path to it\n"
                 "                      broke: restart ICE\n");
}

#define ATTEMPT "gather.attempt.state"

static void servers_and_how_they_ended(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 0, ATTEMPT, ",'server':0,'url':0,'kind':'stun','transport':'udp','host':'a.example','to':'running'");
  add_line(&s, 20, ATTEMPT, ",'server':0,'url':0,'to':'candidate'");
  add_line(&s, 20, ATTEMPT, ",'server':1,'url':0,'to':'running'");
  add_line(&s, 20, ATTEMPT, ",'server':1,'url':1,'to':'running'");
  add_line(&s, 20, ATTEMPT, ",'server':1,'url':1,'to':'running'");
  add_line(&s, 30, ATTEMPT, ",'server':1,'url':1,'to':'candidate'");
  add_line(&s, 40, ATTEMPT, ",'server':1,'url':1,'to':'error','cause':'cancelled'");
  expect_summary(&s, &no_gaps, plain,
                 "--- 7 events in 40.0 ms ---\n\n"
                 "  server 0 URL 0 stun over udp, a.example: ok after 20.0 ms\n"
                 "  server 1 URL 0 open after 0.00 ms\n"
                 "  server 1 URL 1 degraded after 20.0 ms: cancelled (1 of 2 attempts gave a candidate)\n"
                 "                 ended by the program before it was decided\n");
}

static void pairs_in_the_order_of_interest(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 0, "ice.local", ",'id':1,'type':'host','transport':'udp','addr':'192.0.2.1:5'");
  add_line(&s, 0, "ice.remote", ",'id':2,'type':'relay','transport':'udp'");
  add_line(&s, 0, "ice.pair.state", ",'pair':1,'local':1,'remote':2,'to':'failed','failure':'error-response'");
  add_line(&s, 0, "ice.check.sent", ",'pair':1");
  add_line(&s, 0, "ice.check.answered", ",'pair':1,'code':400");
  add_line(&s, 0, "ice.pair.state", ",'pair':2,'local':1,'remote':9,'to':'in-progress'");
  add_line(&s, 0, "ice.pair.state", ",'pair':3,'local':1,'remote':2,'to':'succeeded'");
  add_line(&s, 0, "ice.pair.state", ",'pair':4,'local':1,'remote':2,'to':'succeeded'");
  add_line(&s, 0, "ice.check.answered", ",'pair':4,'rtt_us':150000");
  add_line(&s, 0, "ice.nominated", ",'pair':4");
  add_line(&s, 0, "ice.pair.state", ",'pair':5,'local':1,'remote':2,'to':'succeeded'");
  add_line(&s, 0, "ice.selected", ",'pair':5");
  add_line(&s, 0, "ice.consent", ",'pair':5,'outcome':'missed'");
  expect_summary(
      &s, &no_gaps, plain,
      "--- 13 events in 0.00 ms ---\n\n"
      "    pair  ours                  the peer's  state        checks  answered       RTT\n"
      "       5  host udp 192.0.2.1:5  relay udp   succeeded         0         0         -  in use, 1 consent "
      "check missed\n"
      "       4  host udp 192.0.2.1:5  relay udp   succeeded         0         1    150 ms  nominated\n"
      "       3  host udp 192.0.2.1:5  relay udp   succeeded         0         0         -\n"
      "       1  host udp 192.0.2.1:5  relay udp   failed            1         1         -  error-response, "
      "error 400\n"
      "       2  host udp 192.0.2.1:5  ?           in-progress       0         0         -\n");
}

static void add_pairs(floe__story *s, int n) {
  char members[80];
  for (int i = 1; i <= n; i++) {
    (void)snprintf(members, sizeof members, ",'agent':1,'pair':%d", i);
    add_line(s, 0, "ice.check.sent", members);
  }
}

static void too_many_pairs_are_counted(void **state) {
  (void)state;
  floe__story s = {0};
  caught c;
  add_pairs(&s, FLOE__SUMMARY_PAIRS + 2);
  catch_open(&c);
  floe__trace_summary_print(c.out, &s, &no_gaps, plain);
  const char *text = catch_close(&c);
  expect_contains(text, "\n      40  ?");
  expect_lacks(text, "\n      41  ?");
  expect_contains(text, "\n  and 2 further pairs; --verbose shows them\n");
  catch_free(&c);
  floe__summary_style verbose = {.verbose = true};
  catch_open(&c);
  floe__trace_summary_print(c.out, &s, &no_gaps, verbose);
  text = catch_close(&c);
  expect_contains(text, "\n      42  ?");
  expect_lacks(text, "further pairs");
  catch_free(&c);
  floe__story_clear(&s);
}

static void what_was_passed_over_is_said(void **state) {
  (void)state;
  floe__story s = {.n_dropped = 1};
  floe__trace_gaps gaps = {.unknown = 2, .unknown_name = "a.b", .broken = 1};
  expect_summary(&s, &gaps, plain,
                 "--- 0 events in 0.00 ms ---\n\n"
                 "2 events of a kind that this version does not know: a.b and the like\n"
                 "1 line could not be read\n"
                 "too many agents and pairs: the summary does not have them all\n");
  floe__story other = {0};
  gaps = (floe__trace_gaps){.unknown = 1, .unknown_name = "a\033b", .broken = 2};
  expect_summary(&other, &gaps, plain,
                 "--- 0 events in 0.00 ms ---\n\n"
                 "1 event of a kind that this version does not know: a\xef\xbf\xbd\x62\n"
                 "2 lines could not be read\n");
}

static void colours_by_how_it_ended(void **state) {
  (void)state;
  floe__story s = {0};
  floe__summary_style style = {.colour = true};
  add_line(&s, 0, "ice.state", ",'agent':1,'to':'connected'");
  add_line(&s, 0, "ice.state", ",'agent':2,'to':'failed'");
  expect_summary(&s, &no_gaps, style,
                 "--- 2 events in 0.00 ms ---\n\n"
                 "agent 1\n  connection     \033[32mconnected\033[0m\n\n"
                 "agent 2\n  connection     \033[31mfailed\033[0m\n");
}

static void for_programs(void **state) {
  (void)state;
  floe__story s = {0};
  caught c;
  floe__trace_gaps gaps = {.unknown = 1, .broken = 2};
  add_line(&s, 1, "ice.remote", ",'agent':3,'id':2,'type':'host','transport':'udp'");
  add_line(&s, 1, "ice.state", ",'agent':3,'to':'checking'");
  add_line(&s, 2, ATTEMPT, ",'agent':3,'server':0,'url':1,'to':'error','cause':'udp_timeout'");
  add_line(&s, 2, "ice.pair.state", ",'agent':3,'pair':7,'local':1,'remote':2,'to':'succeeded'");
  add_line(&s, 2, "ice.check.answered", ",'agent':3,'pair':7,'rtt_us':500");
  add_line(&s, 2, "ice.check.answered", ",'agent':3,'pair':7,'rtt_us':1500");
  add_line(&s, 2, "ice.selected", ",'agent':3,'pair':7");
  add_line(&s, 5, "agent.state", ",'agent':4,'to':'closing'");
  catch_open(&c);
  floe__trace_summary_print_json(c.out, &s, &gaps);
  expect_text(
      &c,
      "{\"type\":\"summary\",\"events\":8,\"elapsedMs\":4.0,\"unknownEvents\":1,\"brokenLines\":2,\"agents\":["
      "{\"agent\":3,\"connectionState\":\"checking\",\"cause\":null,\"connectionStateMs\":0.0,\"peerChecks\":{},"
      "\"servers\":[{\"serverIndex\":0,\"urlIndex\":1,\"verdict\":\"failed\",\"cause\":\"udp_timeout\","
      "\"attempts\":1,\"candidates\":0,\"elapsedMs\":0.0}],"
      "\"pairs\":[{\"id\":7,\"localCandidateId\":1,\"remoteCandidateId\":2,\"remoteCandidateType\":\"host\","
      "\"transport\":\"udp\",\"state\":\"succeeded\",\"selected\":true,\"requestsSent\":0,"
      "\"responsesReceived\":2,\"rttMs\":1.5,\"rttMinMs\":0.5,\"rttAvgMs\":1.0}]}]}\n");
  floe__story_clear(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_happened),
      cmocka_unit_test(agents_of_which_nothing_is_known_are_left_out),
      cmocka_unit_test(a_connection_with_its_cause),
      cmocka_unit_test(a_cause_that_is_not_known_is_only_named),
      cmocka_unit_test(long_hints_are_wrapped),
      cmocka_unit_test(servers_and_how_they_ended),
      cmocka_unit_test(pairs_in_the_order_of_interest),
      cmocka_unit_test(too_many_pairs_are_counted),
      cmocka_unit_test(what_was_passed_over_is_said),
      cmocka_unit_test(colours_by_how_it_ended),
      cmocka_unit_test(for_programs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
