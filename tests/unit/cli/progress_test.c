#include "progress.h"

#include "fixture.h"

static void nothing_without_a_terminal(void **state) {
  (void)state;
  FILE *file = tmpfile();
  assert_non_null(file);
  floe__progress p;
  floe__progress_init(&p, file, 0);
  assert_null(p.out);
  floe__progress_draw(&p, 5000);
  floe__progress_erase(&p);
  assert_int_equal(ftell(file), 0);
  (void)fclose(file);
  floe__progress_init(&p, NULL, 0);
  floe__progress_draw(&p, 5000);
}

static void the_line(void **state) {
  (void)state;
  caught c;
  floe__progress p;
  const floe_ice_candidate candidate = {0};
  const floe_event one = {.type = FLOE_EVENT_ICECANDIDATE, .u.candidate = &candidate};
  const floe_event end = {.type = FLOE_EVENT_ICECANDIDATE};
  const floe_event error = {.type = FLOE_EVENT_ICECANDIDATEERROR};
  catch_open(&c);
  floe__progress_init(&p, NULL, 1000);
  p.out = c.out; /* as if it were a terminal */
  floe__progress_step(&p, "gathering");
  floe__progress_draw(&p, 1200); /* too early to be worth a line */
  floe__progress_event(&p, &one);
  floe__progress_event(&p, &end);
  floe__progress_event(&p, &error);
  floe__progress_event(&p, &error);
  floe__progress_draw(&p, 3100);
  floe__progress_erase(&p);
  floe__progress_erase(&p);
  floe__progress_draw(&p, 3200); /* a tick while agents are being closed */
  expect_text(&c, "\r\033[Kgathering: 2.1 s, 1 candidate, 2 errors\r\033[K");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_without_a_terminal),
      cmocka_unit_test(the_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
