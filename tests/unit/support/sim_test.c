/* The simulator's clock: order, limits, determinism, failing. */
#include "support/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

static char journal[256];
static char a[] = "a", b[] = "b", c[] = "c", d[] = "d", nothing[] = "";

static void note(void *user, void *payload) {
  (void)payload;
  (void)strcat(journal, user);
}

static void keep_failure(void *user, const char *text) {
  (void)snprintf(user, 256, "%s", text);
}

static bool has_b(void *user) {
  (void)user;
  return strchr(journal, 'b') != NULL;
}

static void events_run_in_time_order_and_then_in_the_order_added(void **state) {
  (void)state;
  sim *s = sim_new(1);
  journal[0] = '\0';
  sim_at(s, 3 * FLOE_MS, note, d, NULL);
  sim_at(s, 1 * FLOE_MS, note, a, NULL);
  sim_at(s, 2 * FLOE_MS, note, b, NULL);
  sim_at(s, 2 * FLOE_MS, note, c, NULL);
  assert_false(sim_run_until(s, FLOE_TIME_NEVER, NULL, NULL));
  assert_string_equal(journal, "abcd");
  assert_int_equal(sim_now(s), 3 * FLOE_MS);
  assert_int_equal(sim_steps(s), 4);
  sim_free(s);
}

static void a_predicate_stops_at_its_event_and_a_limit_moves_the_clock(void **state) {
  (void)state;
  sim *s = sim_new(1);
  journal[0] = '\0';
  sim_at(s, 1 * FLOE_MS, note, a, NULL);
  sim_at(s, 2 * FLOE_MS, note, b, NULL);
  sim_at(s, 3 * FLOE_MS, note, c, NULL);
  assert_true(sim_run_until(s, FLOE_TIME_NEVER, has_b, NULL));
  assert_int_equal(sim_now(s), 2 * FLOE_MS);
  assert_string_equal(journal, "ab");
  sim_run_for(s, 100);
  assert_int_equal(sim_now(s), 102 * FLOE_MS);
  assert_string_equal(journal, "abc");
  sim_free(s);
}

static void an_event_after_the_limit_waits(void **state) {
  (void)state;
  sim *s = sim_new(1);
  journal[0] = '\0';
  sim_at(s, 5 * FLOE_MS, note, a, NULL);
  sim_run_for(s, 4);
  assert_string_equal(journal, "");
  sim_run_for(s, 1);
  assert_string_equal(journal, "a");
  sim_free(s);
}

static void spin(void *user, void *payload) {
  (void)payload;
  sim_after(user, 0, spin, user, NULL);
}

static void what_spins_fails(void **state) {
  (void)state;
  char text[256] = "";
  sim *s = sim_new(1);
  sim_on_failure(s, keep_failure, text);
  sim_set_max_steps(s, 1000);
  sim_after(s, 0, spin, s, NULL);
  assert_false(sim_run_until(s, FLOE_SECOND, NULL, NULL));
  assert_string_equal(text, "more than 1000 events: something spins");
  assert_int_equal(sim_steps(s), 1000);
  sim_free(s);
}

static void a_thousand_events_stay_in_order(void **state) {
  (void)state;
  sim *s = sim_new(7);
  static floe_time last;
  last = 0;
  for (int i = 0; i < 1000; i++) sim_at(s, sim_random_below(s, 500) * FLOE_MS, note, nothing, NULL);
  while (!sim_run_until(s, sim_now(s), NULL, NULL) && sim_steps(s) < 1000) {
    assert_true(sim_now(s) >= last);
    last = sim_now(s);
    sim_run_for(s, 1);
  }
  assert_int_equal(sim_steps(s), 1000);
  sim_free(s);
}

static void the_same_seed_gives_the_same_numbers(void **state) {
  (void)state;
  sim *one = sim_new(42), *same = sim_new(42), *other = sim_new(43);
  bool differs = false;
  for (int i = 0; i < 100; i++) {
    uint64_t v = sim_random(one);
    assert_true(v == sim_random(same));
    differs = differs || v != sim_random(other);
  }
  assert_true(differs);
  sim_rng first = sim_rng_of(one, 1), second = sim_rng_of(one, 2), again = sim_rng_of(same, 1);
  uint64_t v = sim_rng_next(&first);
  assert_true(v == sim_rng_next(&again));
  assert_true(v != sim_rng_next(&second));
  sim_free(one);
  sim_free(same);
  sim_free(other);
}

static void chance_is_what_it_says(void **state) {
  (void)state;
  sim *s = sim_new(3);
  int hits = 0;
  for (int i = 0; i < 10000; i++) {
    assert_false(sim_chance(s, 0));
    assert_true(sim_chance(s, 1000));
    hits += sim_chance(s, 250) ? 1 : 0;
  }
  assert_in_range(hits, 2300, 2700);
  sim_free(s);
}

static void pending_payloads_and_kept_memory_are_freed(void **state) {
  (void)state;
  sim *s = sim_new(1);
  sim_at(s, FLOE_SECOND, note, a, malloc(10));
  char *kept = sim_keep(s, 100);
  assert_int_equal(kept[99], 0);
  int *part = sim_part_of(s, SIM_PART_DNS, sizeof *part);
  *part = 5;
  assert_int_equal(*(int *)sim_part_of(s, SIM_PART_DNS, sizeof *part), 5);
  sim_free(s); /* AddressSanitizer says the rest */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(events_run_in_time_order_and_then_in_the_order_added),
      cmocka_unit_test(a_predicate_stops_at_its_event_and_a_limit_moves_the_clock),
      cmocka_unit_test(an_event_after_the_limit_waits),
      cmocka_unit_test(what_spins_fails),
      cmocka_unit_test(a_thousand_events_stay_in_order),
      cmocka_unit_test(the_same_seed_gives_the_same_numbers),
      cmocka_unit_test(chance_is_what_it_says),
      cmocka_unit_test(pending_payloads_and_kept_memory_are_freed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
