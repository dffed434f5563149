#include "text.h"

#include "fixture.h"

#define FFFD "\xef\xbf\xbd"

static void check_copy(char *(*copy)(const char *), const char *in, const char *expected) {
  char *out = copy(in);
  assert_string_equal(out, expected);
  free(out);
}

static void cleaned_for_a_terminal(void **state) {
  (void)state;
  check_copy(floe__text_clean, "plain text, \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
             "plain text, \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
  check_copy(floe__text_clean, "", "");
  check_copy(floe__text_clean, "red \033[31m\r\n", "red " FFFD "[31m" FFFD FFFD);
  check_copy(floe__text_clean, "del\x7f c1\xc2\x9b", "del" FFFD " c1" FFFD);
  check_copy(floe__text_clean, "bidi \xe2\x80\xae \xe2\x81\xa6", "bidi " FFFD " " FFFD);
}

static void bytes_that_are_no_utf8(void **state) {
  (void)state;
  check_copy(floe__text_utf8, "\xff\xfe", FFFD FFFD);
  check_copy(floe__text_utf8, "a\xc3", "a" FFFD);                       /* cut off */
  check_copy(floe__text_utf8, "\xc0\xaf", FFFD FFFD);                   /* overlong */
  check_copy(floe__text_utf8, "\xed\xa0\x80", FFFD FFFD FFFD);          /* a surrogate */
  check_copy(floe__text_utf8, "\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD); /* above U+10FFFF */
  check_copy(floe__text_utf8, "\xe2\x28\xa1", FFFD "(" FFFD);
  check_copy(floe__text_utf8, "\t\033", "\t\033"); /* JSON escapes these itself */
}

static void spans(void **state) {
  (void)state;
  static const struct {
    double ms;
    const char *text;
  } rows[] = {{0, "0.00 ms"},    {0.084, "0.08 ms"}, {0.9996, "1.0 ms"}, {12.34, "12.3 ms"}, {99.94, "99.9 ms"},
              {99.96, "100 ms"}, {340.4, "340 ms"},  {999.6, "1.0 s"},   {4123, "4.1 s"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char buf[FLOE__SPAN_TEXT];
    assert_string_equal(floe__text_span(rows[i].ms, buf), rows[i].text);
  }
}

static void dates(void **state) {
  (void)state;
  char buf[FLOE__DATE_TEXT];
  assert_string_equal(floe__text_date(0, buf), "1970-01-01");
  assert_string_equal(floe__text_date(1795000000, buf), "2026-11-18");
  assert_string_equal(floe__text_date_time(1795000000, buf), "2026-11-18T11:06:40Z");
  assert_string_equal(floe__text_date(INT64_MAX, buf), "");
}

static void what_may_be_a_password_is_masked(void **state) {
  (void)state;
  check_copy(floe__text_mask_url, "turn:example.org:3478", "turn:example.org:3478");
  check_copy(floe__text_mask_url, "turn:u:secret@example.org", "turn:********@example.org");
  check_copy(floe__text_mask_url, "turn://u:s@x@example.org", "turn://*****@example.org");
  check_copy(floe__text_mask_url, "secret@example.org:1", "******@example.org:1");
  check_copy(floe__text_mask_url, "@", "@");
  check_copy(floe__text_mask_url, "", "");
}

static void wrapping(void **state) {
  (void)state;
  caught c;
  catch_open(&c);
  floe__text_print_wrapped(c.out, "one two three four", 5, 5, 13);
  floe__text_print_wrapped(c.out, "a-word-that-is-too-long for it", 2, 2, 10);
  floe__text_print_wrapped(c.out, "one two three four", 5, 5, 0);
  floe__text_print_wrapped(c.out, "", 5, 5, 13);
  expect_text(&c,
              "one two\n     three\n     four\n"
              "a-word-that-is-too-long\n  for it\n"
              "one two three four\n"
              "\n");
}

static void suggestions(void **state) {
  (void)state;
  static const char *const words[] = {"check", "testserver", "help", NULL};
  assert_string_equal(floe__text_suggest("chekc", words), "check");
  assert_string_equal(floe__text_suggest("chec", words), "check");
  assert_string_equal(floe__text_suggest("testsever", words), "testserver");
  assert_null(floe__text_suggest("turn:example.org", words));
  assert_null(floe__text_suggest("a-word-that-is-far-too-long-to-be-any-of-these-words", words));
}

static void seconds(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool ok;
    uint32_t ms;
  } rows[] = {{"2", true, 2000},      {"2.5", true, 2500},
              {"0.1", true, 100},     {"86400", true, 86400000},
              {"1.2345", true, 1234}, {"2.", true, 2000},
              {"0.09", false, 0},     {"86401", false, 0},
              {"", false, 0},         {"-1", false, 0},
              {"1s", false, 0},       {" 1", false, 0},
              {"1e3", false, 0},      {"99999999999999999999", false, 0}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    uint32_t ms = 0;
    assert_int_equal(floe__text_seconds(rows[i].text, 100, 86400000, &ms), rows[i].ok);
    assert_int_equal(ms, rows[i].ms);
  }
}

static void numbers(void **state) {
  (void)state;
  uint32_t n = 0;
  assert_true(floe__text_number("4294967295", 1, UINT32_MAX, &n));
  assert_int_equal(n, UINT32_MAX);
  assert_false(floe__text_number("4294967296", 1, UINT32_MAX, &n));
  assert_false(floe__text_number("0", 1, 9, &n));
  assert_false(floe__text_number("10", 1, 9, &n));
  assert_false(floe__text_number("3x", 1, 9, &n));
  assert_false(floe__text_number("", 0, 9, &n));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cleaned_for_a_terminal),
      cmocka_unit_test(bytes_that_are_no_utf8),
      cmocka_unit_test(spans),
      cmocka_unit_test(dates),
      cmocka_unit_test(what_may_be_a_password_is_masked),
      cmocka_unit_test(wrapping),
      cmocka_unit_test(suggestions),
      cmocka_unit_test(seconds),
      cmocka_unit_test(numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
