#include "trace_reader.h"

#include <stdarg.h>

#include "trace_fixture.h"

typedef struct seen {
  char text[2048];
  size_t len;
} seen;

static void note(seen *s, const char *format, ...) FLOE_PRINTF(2, 3);

static void note(seen *s, const char *format, ...) {
  va_list args;
  va_start(args, format);
  s->len += (size_t)vsnprintf(s->text + s->len, sizeof s->text - s->len, format, args);
  va_end(args);
}

static void on_event(const floe__trace_line *line, void *user) {
  note(user, "%s@%.0f\n", line->event, line->t_ms);
}

static void on_broken(uint64_t number, int column, const char *why, void *user) {
  note(user, "%u:%d %s\n", (unsigned)number, column, why);
}

static void open_reader(floe__trace_reader *r, seen *s) {
  memset(s, 0, sizeof *s);
  floe__trace_reader_init(r);
  r->on_event = on_event;
  r->on_broken = on_broken;
  r->user = s;
}

static const char trace[] =
    "{\"t_ms\":1,\"event\":\"a\"}\n"
    "\n"
    "  \t\r\n"
    "nonsense\n"
    "{\"t_ms\":2,\"event\":\"b\"}\r\n"
    "{\"t_ms\":3,\"event\":\"c\"}";
static const char expected[] = "a@1\n4:8 '[' or '{' expected near 'nonsense'\nb@2\nc@3\n";

static void lines_come_in_pieces_of_any_size(void **state) {
  (void)state;
  for (size_t size = 1; size <= sizeof trace; size++) {
    floe__trace_reader r;
    seen s;
    open_reader(&r, &s);
    for (size_t at = 0; at < sizeof trace - 1; at += size) {
      size_t left = sizeof trace - 1 - at;
      floe__trace_reader_feed(&r, trace + at, left < size ? left : size);
    }
    floe__trace_reader_finish(&r);
    floe__trace_reader_clear(&r);
    assert_string_equal(s.text, expected);
  }
}

static void nothing_is_read_of_nothing(void **state) {
  (void)state;
  floe__trace_reader r;
  seen s;
  open_reader(&r, &s);
  floe__trace_reader_finish(&r);
  floe__trace_reader_feed(&r, "", 0);
  floe__trace_reader_feed(&r, "\n\n", 2);
  floe__trace_reader_finish(&r);
  assert_string_equal(s.text, "");
  floe__trace_reader_clear(&r);
}

static void a_line_that_is_too_long_is_skipped_to_its_end(void **state) {
  (void)state;
  static char spaces[1 << 16];
  floe__trace_reader r;
  seen s;
  open_reader(&r, &s);
  memset(spaces, ' ', sizeof spaces);
  for (size_t i = 0; i < 40; i++) floe__trace_reader_feed(&r, spaces, sizeof spaces);
  assert_true(r.cap <= FLOE__TRACE_LINE_MAX);
  floe__trace_reader_feed(&r, "{}\n{\"t_ms\":9,\"event\":\"z\"}\n", 26);
  floe__trace_reader_finish(&r);
  assert_string_equal(s.text, "1:1048577 the line is longer than 1 MiB\nz@9\n");
  floe__trace_reader_clear(&r);
}

static void a_line_of_just_the_limit_is_read(void **state) {
  (void)state;
  static char line[FLOE__TRACE_LINE_MAX];
  floe__trace_reader r;
  seen s;
  open_reader(&r, &s);
  memset(line, ' ', sizeof line);
  memcpy(line, "{\"t_ms\":9,\"event\":\"z\"}", 22);
  floe__trace_reader_feed(&r, line, sizeof line);
  floe__trace_reader_feed(&r, "\n", 1);
  assert_string_equal(s.text, "z@9\n");
  floe__trace_reader_clear(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_come_in_pieces_of_any_size),
      cmocka_unit_test(nothing_is_read_of_nothing),
      cmocka_unit_test(a_line_that_is_too_long_is_skipped_to_its_end),
      cmocka_unit_test(a_line_of_just_the_limit_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
