#include "explain.h"

#include "fixture.h"
#include "floe/cause.h"

static void every_cause_is_explained(void **state) {
  (void)state;
  for (int i = FLOE_CAUSE_NONE + 1; i < FLOE_CAUSE_COUNT; i++) {
    floe_cause cause = (floe_cause)i;
    caught c;
    char why[160], page[512];
    catch_open(&c);
    assert_true(floe__explain_print(c.out, floe_cause_id(cause), why, sizeof why));
    const char *text = catch_close(&c);
    expect_contains(text, floe_cause_id(cause));
    expect_contains(text, floe_cause_sentence(cause));
    expect_contains(text, floe_cause_hint(cause));
    (void)snprintf(page, sizeof page, "causes/%s.md\n", floe_cause_id(cause));
    expect_contains(text, page);
    catch_free(&c);
    (void)snprintf(page, sizeof page, "%s/docs/causes/%s.md", FLOE_SOURCE_DIR, floe_cause_id(cause));
    FILE *f = fopen(page, "r");
    if (f == NULL) fail_msg("there is no %s", page);
    (void)fclose(f);
  }
}

static void one_of_them(void **state) {
  (void)state;
  caught c;
  char why[160];
  catch_open(&c);
  assert_true(floe__explain_print(c.out, "tls_expired", why, sizeof why));
  const char *text = catch_close(&c);
  expect_contains(text,
                  "tls_expired: the server's certificate is not valid at this time\n"
                  "  try: Renew the certificate and reload the server; check this host's clock\n"
                  "  errorCode of icecandidateerror: 701\n"
                  "  exit status of floe check: 5 (tls)\n");
  catch_free(&c);
}

static void the_list(void **state) {
  (void)state;
  caught c;
  char why[160];
  size_t lines = 0;
  catch_open(&c);
  assert_true(floe__explain_print(c.out, "list", why, sizeof why));
  const char *text = catch_close(&c);
  for (const char *p = text; *p != '\0'; p++) lines += *p == '\n' ? 1 : 0;
  assert_int_equal(lines, FLOE_CAUSE_COUNT - 1);
  expect_contains(text, "\nudp_timeout             no answer over UDP\n");
  catch_free(&c);
}

static void unknown_causes(void **state) {
  (void)state;
  caught c;
  char why[160];
  catch_open(&c);
  assert_false(floe__explain_print(c.out, "udp_timeuot", why, sizeof why));
  assert_string_equal(why, "there is no cause udp_timeuot; did you mean udp_timeout?");
  assert_false(floe__explain_print(c.out, "none", why, sizeof why));
  assert_false(floe__explain_print(c.out, "what-is-this-supposed-to-be", why, sizeof why));
  assert_string_equal(why, "there is no cause what-is-this-supposed-to-be; --explain list names them all");
  expect_text(&c, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_cause_is_explained),
      cmocka_unit_test(one_of_them),
      cmocka_unit_test(the_list),
      cmocka_unit_test(unknown_causes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
