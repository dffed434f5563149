#include "trace_timeline.h"

#include "trace_fixture.h"

typedef struct page {
  caught c;
  floe__timeline t;
  floe__story s;
} page;

static void open_page(page *p) {
  memset(p, 0, sizeof *p);
  catch_open(&p->c);
  p->t.out = p->c.out;
}

static void tell(page *p, double t_ms, const char *event, const char *members) {
  floe__words words;
  floe__trace_line line = make_line(t_ms, event, members);
  floe__story_add(&p->s, &line);
  assert_true(floe__words_make(&words, &p->s, &line));
  floe__timeline_add(&p->t, &line, &words);
  floe__trace_line_clear(&line);
}

static void expect_page(page *p, const char *expected) {
  floe__timeline_flush(&p->t);
  expect_text(&p->c, expected);
  floe__story_clear(&p->s);
}

static void time_begins_with_the_first_event(void **state) {
  (void)state;
  page p;
  open_page(&p);
  tell(&p, 123456.5, "agent.state", ",'to':'gathering'");
  tell(&p, 123458.0, "agent.state", ",'to':'closing'");
  tell(&p, 99123456.5, "agent.state", ",'to':'closed'");
  expect_page(&p,
              "     0.000  gathering begins\n"
              "     0.002  the agent is closed\n"
              " 99000.000  everything is closed\n");
}

static void a_clock_that_goes_back_begins_anew(void **state) {
  (void)state;
  page p;
  open_page(&p);
  tell(&p, 5000, "agent.state", ",'to':'gathering'");
  tell(&p, 6000, "ice.consent", ",'pair':1,'outcome':'ok'");
  tell(&p, 100, "agent.state", ",'to':'gathering'");
  tell(&p, 200, "agent.state", ",'to':'closing'");
  expect_page(&p,
              "     0.000  gathering begins\n"
              "     1.000  consent renewed on pair 1\n"
              "            --- the clock goes back: another run ---\n"
              "     0.000  gathering begins\n"
              "     0.100  the agent is closed\n");
}

static void agents_are_named_once_there_are_two(void **state) {
  (void)state;
  page p;
  open_page(&p);
  tell(&p, 0, "agent.state", ",'agent':3,'to':'gathering'");
  tell(&p, 0, "agent.state", ",'to':'gathering'");
  tell(&p, 0, "agent.state", ",'agent':4,'to':'gathering'");
  tell(&p, 0, "agent.state", ",'agent':3,'to':'closing'");
  tell(&p, 0, "agent.state", ",'to':'closing'");
  expect_page(&p,
              "     0.000  gathering begins\n"
              "     0.000  gathering begins\n"
              "     0.000  agent 4: gathering begins\n"
              "     0.000  agent 3: the agent is closed\n"
              "     0.000  the agent is closed\n");
}

static void repetitions_are_told_together(void **state) {
  (void)state;
  page p;
  open_page(&p);
  tell(&p, 0, "ice.check.sent", ",'pair':1,'transmission':1");
  tell(&p, 500, "ice.check.sent", ",'pair':1,'transmission':2");
  tell(&p, 600, "stun.request.sent", ",'method':1,'transmission':2");
  tell(&p, 1500, "ice.check.sent", ",'pair':2,'transmission':3");
  tell(&p, 1600, "ice.consent", ",'pair':7,'outcome':'ok'");
  tell(&p, 1700, "ice.check.sent", ",'pair':1,'transmission':4");
  tell(&p, 1800, "ice.check.received", ",'remote':5,'known':1,'outcome':'ok'");
  tell(&p, 1900, "ice.check.received", ",'remote':6,'known':1,'outcome':'ok'");
  tell(&p, 2000, "stun.request.sent", ",'method':1,'transmission':3");
  tell(&p, 2100, "ice.consent", ",'pair':7,'outcome':'ok'");
  tell(&p, 3000, "agent.state", ",'to':'closing'");
  expect_page(&p,
              "     0.000  check on pair 1\n"
              "     0.500  3 checks sent again on pairs 1, 2, until 1.700\n"
              "     0.600  2 requests sent again, until 2.000\n"
              "     1.600  consent renewed 2 times on pair 7, until 2.100\n"
              "     1.800  2 checks of the peer from its candidates 5, 6, until 1.900\n"
              "     3.000  the agent is closed\n");
}

static void one_repetition_is_told_as_it_is(void **state) {
  (void)state;
  page p;
  open_page(&p);
  tell(&p, 0, "ice.check.sent", ",'pair':1,'transmission':2");
  tell(&p, 0, "agent.state", ",'to':'closing'");
  tell(&p, 1, "ice.check.sent", ",'pair':1,'transmission':3");
  expect_page(&p,
              "     0.000  check on pair 1 sent again (2)\n"
              "     0.000  the agent is closed\n"
              "     0.001  check on pair 1 sent again (3)\n");
}

static void repetitions_of_different_agents_are_kept_apart(void **state) {
  (void)state;
  page p;
  open_page(&p);
  tell(&p, 0, "ice.consent", ",'agent':1,'pair':1,'outcome':'ok'");
  tell(&p, 1, "ice.consent", ",'agent':2,'pair':1,'outcome':'ok'");
  tell(&p, 2, "ice.consent", ",'agent':1,'pair':1,'outcome':'ok'");
  expect_page(&p,
              "     0.000  agent 1: consent renewed 2 times on pair 1, until 0.002\n"
              "     0.001  agent 2: consent renewed on pair 1\n");
}

static void more_open_repetitions_than_are_kept(void **state) {
  (void)state;
  page p;
  char members[80];
  open_page(&p);
  for (int i = 1; i <= FLOE__TIMELINE_OPEN + 1; i++) {
    (void)snprintf(members, sizeof members, ",'agent':%d,'pair':1,'outcome':'ok'", i);
    tell(&p, i, "ice.consent", members);
  }
  assert_int_equal(p.t.n_open, 1);
  floe__timeline_flush(&p.t);
  size_t lines = 0;
  const char *text = catch_close(&p.c);
  for (const char *at = text; *at != '\0'; at++) lines += *at == '\n' ? 1 : 0;
  assert_int_equal(lines, FLOE__TIMELINE_OPEN + 1);
  catch_free(&p.c);
  floe__story_clear(&p.s);
}

static void many_members_are_not_all_named(void **state) {
  (void)state;
  page p;
  char members[80];
  open_page(&p);
  for (int i = 1; i <= FLOE__TIMELINE_MEMBERS + 3; i++) {
    (void)snprintf(members, sizeof members, ",'pair':%d,'transmission':2", i);
    tell(&p, 0, "ice.check.sent", members);
  }
  expect_page(
      &p, "     0.000  15 checks sent again on pairs 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and more, until 0.000\n");
}

static void details_are_for_those_who_ask(void **state) {
  (void)state;
  page p;
  open_page(&p);
  tell(&p, 0, "tls.state", ",'from':'open','to':'ended'");
  expect_page(&p, "");
  open_page(&p);
  p.t.verbose = true;
  tell(&p, 0, "tls.state", ",'from':'open','to':'ended'");
  tell(&p, 1, "ice.consent", ",'pair':1,'outcome':'ok'");
  tell(&p, 2, "ice.consent", ",'pair':1,'outcome':'ok'");
  expect_page(&p,
              "     0.000  TLS: open -> ended\n"
              "     0.001  consent renewed on pair 1\n"
              "     0.002  consent renewed on pair 1\n");
}

static void colours_and_clean_text(void **state) {
  (void)state;
  page p;
  open_page(&p);
  p.t.colour = true;
  tell(&p, 0, "ice.selected", ",'pair':1");
  tell(&p, 0, "ice.state", ",'from':'checking','to':'failed'");
  tell(&p, 0, "ice.role", ",'to':'\\u001b[2J'");
  expect_page(&p,
              "     0.000  \033[32mpair 1 is in use\033[0m\n"
              "     0.000  \033[31mconnection: checking -> failed\033[0m\n"
              "     0.000  role: \xef\xbf\xbd[2J\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(time_begins_with_the_first_event),
      cmocka_unit_test(a_clock_that_goes_back_begins_anew),
      cmocka_unit_test(agents_are_named_once_there_are_two),
      cmocka_unit_test(repetitions_are_told_together),
      cmocka_unit_test(one_repetition_is_told_as_it_is),
      cmocka_unit_test(repetitions_of_different_agents_are_kept_apart),
      cmocka_unit_test(more_open_repetitions_than_are_kept),
      cmocka_unit_test(many_members_are_not_all_named),
      cmocka_unit_test(details_are_for_those_who_ask),
      cmocka_unit_test(colours_and_clean_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
