#include "watch.h"

#include "fixture.h"

static void a_series(void **state) {
  (void)state;
  floe__series s = {0};
  assert_true(floe__series_avg(&s) == 0 && floe__series_jitter(&s) == 0);
  floe__series_add(&s, 10);
  assert_true(floe__series_jitter(&s) == 0);
  floe__series_add(&s, 14);
  floe__series_add(&s, 12);
  assert_true(s.n == 3 && s.min == 10 && s.max == 14 && floe__series_avg(&s) == 12);
  assert_true(floe__series_jitter(&s) == 3); /* steps of 4 and 2 */
}

/* A TURN server that answers with this RTT, or that fails. */
static void add_round(floe__watch *w, double rtt_ms, floe_cause cause, caught *c) {
  fixture f = {0};
  floe_verdict verdict = cause == FLOE_CAUSE_NONE ? FLOE_VERDICT_OK : FLOE_VERDICT_FAILED;
  floe_server_report *s = fixture_server(&f, "turn:turn.example.org", verdict, cause);
  if (cause == FLOE_CAUSE_NONE) {
    fixture_good(&f, s, "198.51.100.1:3478")->detail.rtt_ms = rtt_ms;
  } else {
    (void)fixture_bad(&f, s, "198.51.100.1:3478", cause);
  }
  floe__result_init(&f.result, &f.report, 1);
  if (cause == FLOE_CAUSE_NONE) {
    floe__relay_result *r = fixture_relay(&f, 0, FLOE__RELAY_FLOWS, FLOE_CAUSE_NONE);
    r->sent = r->arrived_out = 10;
    r->arrived_back = 9;
    r->n_rtt = 19;
    r->rtt_avg_ms = 2 * rtt_ms;
  }
  floe__watch_add(w, &f.result);
  if (c != NULL) {
    const floe__human h = {.out = c->out, .unix_s = 1795000000};
    floe__watch_print_round(w, &h, &f.result);
  }
  floe__result_clear(&f.result);
}

static void rounds_and_their_lines(void **state) {
  (void)state;
  floe__watch w = {0};
  caught c;
  catch_open(&c);
  add_round(&w, 10, FLOE_CAUSE_NONE, &c);
  add_round(&w, 0, FLOE_CAUSE_UDP_TIMEOUT, &c);
  const char *text = catch_close(&c);
  expect_contains(text, " #1 PASS turn:turn.example.org RTT 10.0 ms, relay 19 of 20 RTT 20.0 ms\n");
  expect_contains(text, " #2 FAIL turn:turn.example.org udp_timeout\n");
  catch_free(&c);
  floe__watch_clear(&w);
}

static void the_summary(void **state) {
  (void)state;
  floe__watch w = {0};
  caught c;
  add_round(&w, 10, FLOE_CAUSE_NONE, NULL);
  add_round(&w, 14, FLOE_CAUSE_NONE, NULL);
  add_round(&w, 0, FLOE_CAUSE_UDP_TIMEOUT, NULL);
  add_round(&w, 12, FLOE_CAUSE_NONE, NULL);
  assert_int_equal(w.status, 4);
  catch_open(&c);
  const floe__human h = {.out = c.out};
  floe__watch_print_summary(&w, &h, 20000);
  expect_text(&c,
              "\n--- 4 rounds in 20.0 s ---\n"
              "turn:turn.example.org\n"
              "  rounds       3 ok, 0 in part, 1 failed: loss 25.0 %\n"
              "  RTT          min/avg/max/jitter 10.00/12.00/14.00/3.00 ms\n"
              "  relay data   57 of 60 packets arrived: loss 5.0 %\n"
              "  relay RTT    min/avg/max/jitter 20.00/24.00/28.00/6.00 ms\n");
  catch_open(&c);
  floe__watch_print_json(&w, c.out, 20000);
  expect_text(
      &c,
      "{\"type\":\"summary\",\"t_ms\":20000.0,\"rounds\":4,\"servers\":[{\"url\":\"turn:turn.example.org\",\"ok\":3,"
      "\"degraded\":0,\"failed\":1,\"lossPercent\":25.0,\"rttMinMs\":10.0,\"rttAvgMs\":12.0,\"rttMaxMs\":14.0,"
      "\"jitterMs\":3.0,\"relaySent\":60,\"relayArrived\":57,\"relayRttMinMs\":20.0,\"relayRttAvgMs\":24.0,"
      "\"relayRttMaxMs\":28.0,\"relayJitterMs\":6.0}]}\n");
  floe__watch_clear(&w);
}

static void nothing_known(void **state) {
  (void)state;
  floe__watch w = {0};
  caught c;
  add_round(&w, 0, FLOE_CAUSE_UDP_TIMEOUT, NULL);
  catch_open(&c);
  const floe__human h = {.out = c.out};
  floe__watch_print_summary(&w, &h, 5000);
  expect_text(&c,
              "\n--- 1 round in 5.0 s ---\n"
              "turn:turn.example.org\n"
              "  rounds       0 ok, 0 in part, 1 failed: loss 100.0 %\n");
  floe__watch_clear(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_series),
      cmocka_unit_test(rounds_and_their_lines),
      cmocka_unit_test(the_summary),
      cmocka_unit_test(nothing_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
