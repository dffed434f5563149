/* Comparing lists: stars, any lines, and that a difference is one. */
#include "support/expect.h"

#include <string.h>

#include "support/cmocka.h"

static bool line(const char *pattern, const char *text) {
  return expect_line_matches(pattern, strlen(pattern), text, strlen(text));
}

static void stars_stand_for_any_run(void **state) {
  (void)state;
  assert_true(line("", ""));
  assert_true(line("*", ""));
  assert_true(line("*", "anything"));
  assert_true(line("a*c", "abc"));
  assert_true(line("a*c", "acbc"));
  assert_true(line("a*b*c", "a1b2b3c"));
  assert_true(line("10.0.0.1:* udp", "10.0.0.1:50000 udp"));
  assert_false(line("a*c", "ab"));
  assert_false(line("abc", "abcd"));
  assert_false(line("abcd", "abc"));
  assert_false(line("", "a"));
}

static void whole_lists_are_compared(void **state) {
  (void)state;
  assert_true(expect_matches("a\nb\n", "a\nb\n"));
  assert_false(expect_matches("a\nb\n", "b\na\n"));
  assert_false(expect_matches("a\n", "a\nb\n"));
  assert_false(expect_matches("a\nb\n", "a\n"));
  assert_false(expect_matches("", "a\n"));
  assert_true(expect_matches("", ""));
}

static void three_dots_stand_for_any_lines(void **state) {
  (void)state;
  assert_true(expect_matches("a\n...\nd\n", "a\nb\nc\nd\n"));
  assert_true(expect_matches("...\nd\n", "d\nb\nd\n"));
  assert_true(expect_matches("a\n...\n", "a\n"));
  assert_false(expect_matches("a\n...\nx\n", "a\nb\nc\n"));
}

static int failures;
static void count_failure(void *user, const char *text) {
  (void)user;
  assert_non_null(strstr(text, "events differ"));
  failures++;
}

static void a_difference_fails_and_equality_does_not(void **state) {
  (void)state;
  sim *s = sim_new(1);
  sim_on_failure(s, count_failure, NULL);
  expect_text(s, "events", "a\nb\n", "a\nb\n");
  assert_int_equal(failures, 0);
  expect_text(s, "events", "a\nc\n", "a\nb\n");
  assert_int_equal(failures, 1);
  sim_free(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stars_stand_for_any_run),
      cmocka_unit_test(whole_lists_are_compared),
      cmocka_unit_test(three_dots_stand_for_any_lines),
      cmocka_unit_test(a_difference_fails_and_equality_does_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
