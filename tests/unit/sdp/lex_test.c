/* Lines and words. */
#include "sdp/lex.h"

#include "fixture.h"

static void start(floe__sdp_lex *l, const char *text, floe_error *why) {
  floe__sdp_lex_init(l, text, strlen(text), why);
}

static void reads_lines_of_either_end(void **state) {
  (void)state;
  floe__sdp_lex l;
  start(&l, "v=0\r\ns=\na=b c\r\n", NULL);
  static const char *const values[] = {"0", "", "b c"};
  for (uint32_t i = 0; i < 3; i++) {
    assert_int_equal(floe__sdp_lex_next(&l), FLOE_OK);
    assert_int_equal(l.type, "vsa"[i]);
    assert_int_equal(l.number, i + 1);
    floe__sdp_slice rest = floe__sdp_lex_rest(&l, l.value);
    assert_int_equal(rest.len, strlen(values[i]));
    assert_memory_equal(rest.ptr, values[i], rest.len);
  }
  assert_int_equal(floe__sdp_lex_next(&l), FLOE_OK);
  assert_int_equal(l.type, '\0');
}

static void the_last_line_may_lack_its_end(void **state) {
  (void)state;
  floe__sdp_lex l;
  start(&l, "a=x", NULL);
  assert_int_equal(floe__sdp_lex_next(&l), FLOE_OK);
  assert_int_equal(l.type, 'a');
  assert_int_equal(floe__sdp_lex_next(&l), FLOE_OK);
  assert_int_equal(l.type, '\0');
}

static void empty_lines_stand_at_the_end_only(void **state) {
  (void)state;
  floe__sdp_lex l;
  floe_error why;
  start(&l, "a=x\r\n\r\n\n", NULL);
  assert_int_equal(floe__sdp_lex_next(&l), FLOE_OK);
  assert_int_equal(floe__sdp_lex_next(&l), FLOE_OK);
  assert_int_equal(l.type, '\0');
  start(&l, "a=x\r\n\r\na=y\r\n", &why);
  assert_int_equal(floe__sdp_lex_next(&l), FLOE_OK);
  assert_int_equal(floe__sdp_lex_next(&l), FLOE_E_SYNTAX);
  assert_string_equal(why.message, "expected a line, found the end of the line");
  assert_int_equal(why.line, 2);
  assert_int_equal(why.column, 1);
  assert_int_equal(why.offset, 5);
}

typedef struct bad_line {
  const char *text;
  size_t offset;
  const char *message;
} bad_line;

static void names_what_is_no_line(void **state) {
  (void)state;
  static const bad_line rows[] = {
      {"V=0", 0, "expected the letter of a line, found \"V=0\""},
      {" v=0", 0, "expected the letter of a line, found a space"},
      {"\tv=0", 0, "expected the letter of a line, found byte 0x09"},
      {"\xff", 0, "expected the letter of a line, found byte 0xff"},
      {"v", 1, "expected '=', found the end of the description"},
      {"v\r\n", 1, "expected '=', found the end of the line"},
      {"v =0", 1, "expected '=', found a space"},
      {"a=x\ry\r\n", 3, "expected a line feed, found byte 0x0d"},
      {"candidate:1234567890123456789012345678901234567890", 1,
       "expected '=', found \"andidate:12345678901234567890123\"..."},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__sdp_lex l;
    floe_error why;
    start(&l, rows[i].text, &why);
    assert_int_equal(floe__sdp_lex_next(&l), FLOE_E_SYNTAX);
    assert_refused(why.status, &why, FLOE_E_SYNTAX, 1, rows[i].message);
    assert_int_equal(why.offset, rows[i].offset);
    assert_int_equal(why.column, rows[i].offset + 1);
  }
}

static void splits_words(void **state) {
  (void)state;
  floe__sdp_lex l;
  start(&l, "a=  one two  \r\n", NULL);
  assert_int_equal(floe__sdp_lex_next(&l), FLOE_OK);
  const char *at = l.value;
  floe__sdp_slice word = floe__sdp_lex_word(&l, &at);
  assert_int_equal(word.len, 3);
  assert_memory_equal(word.ptr, "one", 3);
  assert_int_equal(floe__sdp_lex_end(&l, at), FLOE_E_SYNTAX);
  word = floe__sdp_lex_word(&l, &at);
  assert_memory_equal(word.ptr, "two", 3);
  assert_int_equal(floe__sdp_lex_end(&l, at), FLOE_OK);
  assert_int_equal(floe__sdp_lex_word(&l, &at).len, 0);
}

static floe_status number(const char *text, uint64_t max, uint64_t *out, floe_error *why) {
  floe__sdp_lex l;
  start(&l, text, why);
  assert_int_equal(floe__sdp_lex_next(&l), FLOE_OK);
  const char *at = l.value;
  return floe__sdp_lex_number(&l, &at, "a port", max, out);
}

static void reads_numbers(void **state) {
  (void)state;
  uint64_t n;
  assert_int_equal(number("a=0", 65535, &n, NULL), FLOE_OK);
  assert_int_equal(n, 0);
  assert_int_equal(number("a=065535", 65535, &n, NULL), FLOE_OK);
  assert_int_equal(n, 65535);
  assert_int_equal(number("a=18446744073709551615", UINT64_MAX, &n, NULL), FLOE_OK);
  assert_true(n == UINT64_MAX);
  floe_error why;
  assert_int_equal(number("a=65536", 65535, &n, &why), FLOE_E_SYNTAX);
  assert_string_equal(why.message, "expected a port up to 65535, found \"65536\"");
  assert_int_equal(number("a=18446744073709551616", UINT64_MAX, &n, &why), FLOE_E_SYNTAX);
  assert_int_equal(number("a=", 65535, &n, &why), FLOE_E_SYNTAX);
  assert_string_equal(why.message, "expected a port, found the end of the description");
  assert_int_equal(number("a=12x", 65535, &n, &why), FLOE_E_SYNTAX);
  assert_string_equal(why.message, "expected a digit of a port, found \"x\"");
  assert_int_equal(why.column, 5);
  assert_int_equal(number("a=-1", 65535, &n, &why), FLOE_E_SYNTAX);
  assert_string_equal(why.message, "expected a port, found \"-1\"");
}

static void knows_token_chars(void **state) {
  (void)state;
  static const char tokens[] = "!#$%&'*+-.0123456789ABCXYZ^_`abcxyz{|}~";
  for (size_t i = 0; i < sizeof tokens - 1; i++) assert_true(floe__sdp_is_token_char(tokens[i]));
  static const char others[] = " \"(),/:;<=>?@[\\]\x7f\t\xc3";
  for (size_t i = 0; i < sizeof others; i++) assert_false(floe__sdp_is_token_char(others[i]));
}

static void compares_without_case(void **state) {
  (void)state;
  assert_true(floe__sdp_equal_nocase("bundle", "BUNDLE"));
  assert_true(floe__sdp_equal_nocase("", ""));
  assert_false(floe__sdp_equal_nocase("BUNDLE", "BUNDL"));
  assert_false(floe__sdp_equal_nocase("BUNDL", "BUNDLE"));
  assert_false(floe__sdp_equal_nocase("[", "{"));
  assert_false(floe__sdp_slice_is((floe__sdp_slice){"abc", 2}, "abc"));
  assert_true(floe__sdp_slice_is((floe__sdp_slice){"abc", 2}, "AB"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_lines_of_either_end),
      cmocka_unit_test(the_last_line_may_lack_its_end),
      cmocka_unit_test(empty_lines_stand_at_the_end_only),
      cmocka_unit_test(names_what_is_no_line),
      cmocka_unit_test(splits_words),
      cmocka_unit_test(reads_numbers),
      cmocka_unit_test(knows_token_chars),
      cmocka_unit_test(compares_without_case),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
