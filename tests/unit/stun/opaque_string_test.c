#include "stun/opaque_string.h"

#include "fixture.h"

static int set_up(void **state) {
  bed *b = malloc(sizeof *b);
  assert_non_null(b);
  bed_init(b);
  *state = b;
  return 0;
}

static int tear_down(void **state) {
  bed_clear(*state);
  free(*state);
  return 0;
}

static void assert_becomes(bed *b, const char *text, const char *want) {
  char *out = NULL;
  size_t offset = 99;
  floe__opaque_string_result result = floe__opaque_string(b->env, text, &out, &offset);
  if (result != FLOE__OPAQUE_OK) print_message("\"%s\": result %d at %zu\n", text, (int)result, offset);
  assert_int_equal(result, FLOE__OPAQUE_OK);
  assert_string_equal(out, want);
  floe__free_secret(b->env, out, strlen(out));
}

static void assert_refused(bed *b, const char *text, floe__opaque_string_result want, size_t want_offset) {
  char *out = b->env->cfg.user;
  size_t offset = 99;
  floe__opaque_string_result result = floe__opaque_string(b->env, text, &out, &offset);
  if (result != want || offset != want_offset) print_message("\"%s\": result %d at %zu\n", text, (int)result, offset);
  assert_int_equal(result, want);
  assert_int_equal(offset, want_offset);
  assert_null(out);
}

/* RFC 8265 4.3, tables 4 and 5, and what people have in passwords. */
static void allowed(void **state) {
  static const struct {
    const char *text, *want;
  } rows[] = {
      {"correct horse battery staple", "correct horse battery staple"},
      {"Correct Horse Battery Staple", "Correct Horse Battery Staple"}, /* case is kept */
      {"\u03C0\u00DF\u00E5", "\u03C0\u00DF\u00E5"},
      {"Jack of \u2666s", "Jack of \u2666s"},
      {"foo\u1680bar", "foo bar"}, /* OGHAM SPACE MARK is a space */
      {" ", " "},
      {"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"},
      {"a\u00A0b\u2003c\u3000d", "a b c d"},
      {"a\u0308", "\u00E4"},            /* NFC composes */
      {"\u212B", "\u00C5"},             /* ANGSTROM SIGN: a canonical singleton */
      {"\u2163", "\u2163"},             /* ROMAN NUMERAL FOUR: compatibility mappings are not applied */
      {"\uFF21\uFF22", "\uFF21\uFF22"}, /* nor width mappings */
      {"\uFB01", "\uFB01"},             /* LATIN SMALL LIGATURE FI */
      {"\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9", "\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9"},
      {"\uAC00\uD55C", "\uAC00\uD55C"},       /* Hangul syllables */
      {"\U0001F600", "\U0001F600"},           /* a symbol beyond the basic plane */
      {"\U0001D15E", "\U0001D157\U0001D165"}, /* excluded from composition: longer than before */
      {"\u0E01\u0E33", "\u0E01\u0E33"},
      {"\u06FD\u06FE\u0F0B\u3007\u03C2", "\u06FD\u06FE\u0F0B\u3007\u03C2"}, /* exceptions that are valid */
      /* RFC 5892 appendix A: contextual rules that hold */
      {"l\u00B7l", "l\u00B7l"},
      {"\u0375\u03B1", "\u0375\u03B1"},
      {"\u05D0\u05F3", "\u05D0\u05F3"},
      {"\u05D0\u05F4\u05D1", "\u05D0\u05F4\u05D1"},
      {"\u30A2\u30FB", "\u30A2\u30FB"},
      {"\u30FB\u3042", "\u30FB\u3042"},
      {"a\u30FB\u6F22", "a\u30FB\u6F22"},
      {"\u0660\u0669", "\u0660\u0669"},
      {"\u06F0\u06F9", "\u06F0\u06F9"},
      {"\u0915\u094D\u200D\u0937", "\u0915\u094D\u200D\u0937"},             /* ZWJ after a virama */
      {"\u0915\u094D\u200C\u0937", "\u0915\u094D\u200C\u0937"},             /* ZWNJ after a virama */
      {"\u0628\u200C\u0628", "\u0628\u200C\u0628"},                         /* ZWNJ between dual-joining letters */
      {"\u0628\u064B\u200C\u064B\u0627", "\u0628\u064B\u200C\u064B\u0627"}, /* with transparent marks */
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) assert_becomes(*state, rows[i].text, rows[i].want);
}

static void disallowed(void **state) {
  static const struct {
    const char *text;
    size_t offset;
  } rows[] = {
      {"my cat is a \tby", 12}, /* RFC 8265 4.3, table 5 */
      {"\n", 0},
      {"a\x7F", 1},
      {"ab\xC2\x85", 2},   /* a C1 control */
      {"\u00ADa", 0},      /* SOFT HYPHEN: default ignorable (RFC 8489 B.1 still has it in its password) */
      {"ab\u200B", 2},     /* ZERO WIDTH SPACE */
      {"\u00E4\u2028", 2}, /* LINE SEPARATOR; the offset counts bytes */
      {"a\u2029", 1},
      {"\uFEFF", 0},  /* a byte order mark */
      {"x\uE000", 1}, /* private use */
      {"x\uFDD0", 1}, /* a noncharacter */
      {"x\U0001FFFE", 1},
      {"x\u0378", 1},     /* unassigned */
      {"x\U000E0001", 1}, /* LANGUAGE TAG */
      {"x\u1100", 1},     /* conjoining jamo */
      {"x\uA960", 1},
      {"x\uD7B0", 1},
      {"x\uD7FB", 1},
      {"x\u3164", 1}, /* HANGUL FILLER */
      {"x\u0640", 1}, /* exceptions */
      {"x\u07FA", 1},
      {"x\u302E", 1},
      {"x\u3031", 1},
      {"x\u303B", 1},
      /* RFC 5892 appendix A: contextual rules that do not hold */
      {"\u00B7", 0},
      {"l\u00B7", 1},
      {"l\u00B7L", 1},
      {"a\u00B7l", 1},
      {"\u0375", 0},
      {"\u03B1\u0375a", 2},
      {"\u05F3\u05D0", 0},
      {"a\u05F4", 1},
      {"\u30FB", 0},
      {"a\u30FBb", 1},
      {"\u0661\u06F1", 0},
      {"\u06F1a\u0661", 0},
      {"a\u200D", 1},
      {"\u200D", 0},
      {"a\u200Cb", 1},
      {"\u200C", 0},
      {"\u0628\u200C", 2},       /* nothing to join on the right */
      {"\u0627\u200C\u0628", 2}, /* ALEF joins to the right only */
      {"a\u0387", 1},            /* becomes the middle dot, which has a rule */
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_refused(*state, rows[i].text, FLOE__OPAQUE_DISALLOWED, rows[i].offset);
  }
  assert_becomes(*state, "l\u0387l", "l\u00B7l");
}

static void not_utf8(void **state) {
  static const struct {
    const char *text;
    size_t offset;
  } rows[] = {
      {"\xFF", 0},          {"ab\x80", 2},           {"ab\xC3", 2},        {"\u00E4\xE3\x83", 2}, {"\xC0\xAF", 0},
      {"a\xED\xA0\x80", 1}, {"\xF4\x90\x80\x80", 0}, {"a\xF0\x9F\x98", 1}, {"\x01\xFF", 1}, /* the encoding first */
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_refused(*state, rows[i].text, FLOE__OPAQUE_NOT_UTF8, rows[i].offset);
  }
}

static void empty(void **state) {
  assert_refused(*state, "", FLOE__OPAQUE_EMPTY, 0);
}

static void many_marks(void **state) {
  /* More marks in a row than libunistring sorts without memory of its own. */
  char text[1 + 2 * 200 + 1] = "a";
  for (size_t i = 0; i < 200; i++) memcpy(text + 1 + 2 * i, i % 2 == 0 ? "\u0315" : "\u0323", 2);
  char *out = NULL;
  size_t offset;
  bed *b = *state;
  assert_int_equal(floe__opaque_string(b->env, text, &out, &offset), FLOE__OPAQUE_OK);
  assert_int_equal(strlen(out), 3 + 2 * 199); /* U+1EA1 takes the first of the lower ones in */
  assert_memory_equal(out, "\u1EA1\u0323\u0323", 7);
  floe__free_secret(b->env, out, strlen(out));
}

static void without_memory(void **state) {
  bed *b = *state;
  unsigned failures = 0;
  for (unsigned n = 1;; n++) {
    b->calls = 0;
    b->fail_at = n;
    char *out = NULL;
    size_t offset;
    floe__opaque_string_result result = floe__opaque_string(b->env, "a\u00A0\u0308", &out, &offset);
    if (result == FLOE__OPAQUE_OK) {
      floe__free_secret(b->env, out, strlen(out));
      break;
    }
    assert_int_equal(result, FLOE__OPAQUE_NOMEM);
    assert_null(out);
    assert_int_equal(b->live, 0);
    failures++;
  }
  b->fail_at = 0;
  assert_int_equal(failures, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(allowed, set_up, tear_down),
      cmocka_unit_test_setup_teardown(disallowed, set_up, tear_down),
      cmocka_unit_test_setup_teardown(not_utf8, set_up, tear_down),
      cmocka_unit_test_setup_teardown(empty, set_up, tear_down),
      cmocka_unit_test_setup_teardown(many_marks, set_up, tear_down),
      cmocka_unit_test_setup_teardown(without_memory, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
