#include "trace_line.h"

#include "trace_fixture.h"

static void members_are_read(void **state) {
  (void)state;
  floe__trace_line line = make_line(12.5, "ice.check.sent",
                                    ",'agent':7,'text':'a','n':-3,'yes':1,'also':true,'no':0,'never':false,'r':1.5");
  uint32_t id;
  int64_t n;
  assert_string_equal(line.event, "ice.check.sent");
  assert_true(line.t_ms == 12.5);
  assert_int_equal(line.agent, 7);
  assert_string_equal(floe__trace_line_text(&line, "text"), "a");
  assert_string_equal(floe__trace_line_text(&line, "absent"), "");
  assert_string_equal(floe__trace_line_text(&line, "n"), "");
  assert_true(floe__trace_line_number(&line, "n", &n));
  assert_int_equal(n, -3);
  assert_false(floe__trace_line_number(&line, "r", &n));
  assert_false(floe__trace_line_number(&line, "absent", &n));
  assert_false(floe__trace_line_id(&line, "n", &id));
  assert_true(floe__trace_line_id(&line, "agent", &id));
  assert_true(floe__trace_line_flag(&line, "yes"));
  assert_true(floe__trace_line_flag(&line, "also"));
  assert_false(floe__trace_line_flag(&line, "no"));
  assert_false(floe__trace_line_flag(&line, "never"));
  assert_false(floe__trace_line_flag(&line, "absent"));
  floe__trace_line_clear(&line);
}

static void ids_have_32_bits(void **state) {
  (void)state;
  uint32_t id = 5;
  floe__trace_line line = make_line(1, "a", ",'agent':4294967296,'max':4294967295,'over':4294967296");
  assert_int_equal(line.agent, 0);
  assert_true(floe__trace_line_id(&line, "max", &id));
  assert_int_equal(id, UINT32_MAX);
  assert_false(floe__trace_line_id(&line, "over", &id));
  floe__trace_line_clear(&line);
}

static void expect_broken(const char *text, int column, const char *why) {
  floe__trace_line line;
  char *json = with_quotes(text);
  assert_false(floe__trace_line_parse(&line, json, strlen(json)));
  assert_int_equal(line.column, column);
  assert_string_equal(line.why, why);
  floe__trace_line_clear(&line);
  free(json);
}

static void a_broken_line_is_told_with_its_place(void **state) {
  (void)state;
  expect_broken("{'t_ms':1,'event':", 18, "unexpected token near end of file");
  expect_broken("{'t_ms':1,'event':'a'} x", 24, "end of file expected near 'x'");
  expect_broken("[1,2]", 1, "not a JSON object");

  expect_broken("{'t_ms':1}", 1, "no trace event: it has no text `event`");
  expect_broken("{'t_ms':1,'event':2}", 1, "no trace event: it has no text `event`");
  expect_broken("{'event':'a'}", 1, "no trace event: it has no number `t_ms`");
  expect_broken("{'event':'a','t_ms':'1'}", 1, "no trace event: it has no number `t_ms`");
  expect_broken("{'event':'a','t_ms':-1}", 1, "`t_ms` is not a time");
  expect_broken("{'event':'a','t_ms':1e300}", 1, "`t_ms` is not a time");
}

static void bytes_that_are_no_text_are_broken(void **state) {
  (void)state;
  floe__trace_line line;
  static const char nul[] = "{\"t_ms\":1,\0\"event\":\"a\"}", latin[] = "{\"t_ms\":1,\"event\":\"\xe9\"}";
  assert_false(floe__trace_line_parse(&line, nul, sizeof nul - 1));
  floe__trace_line_clear(&line);
  assert_false(floe__trace_line_parse(&line, latin, sizeof latin - 1));
  assert_int_equal(line.column, 19); /* the last byte that was all right */
  floe__trace_line_clear(&line);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_are_read),
      cmocka_unit_test(ids_have_32_bits),
      cmocka_unit_test(a_broken_line_is_told_with_its_place),
      cmocka_unit_test(bytes_that_are_no_text_are_broken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
