#include "credentials.h"

#include "fixture.h"

/* Computed with: printf 1700000000:alice | openssl dgst -sha1 -hmac north -binary | base64 */
static void rest_credentials(void **state) {
  (void)state;
  floe__credentials c = {0};
  assert_true(floe__credentials_make_rest(&c, "north", "alice", 1700000000));
  assert_string_equal(c.username, "1700000000:alice");
  assert_string_equal(c.credential, "Cd/49soE35ICqcJF/bCTn8Z4OyE=");
  floe__credentials_clear(&c);
  assert_null(c.username);
  assert_true(floe__credentials_make_rest(&c, "north", NULL, 1700000000));
  assert_string_equal(c.username, "1700000000");
  assert_string_equal(c.credential, "CWyHi3zCeWqXBir9thl4m+iZPRY=");
  floe__credentials_clear(&c);
}

static bool get(floe__credentials *c, const floe__check_options *o) {
  char why[256] = "";
  bool got = floe__credentials_get(c, o, 1700000000 - 3600, false, why, sizeof why);
  assert_string_equal(why, "");
  return got;
}

static void from_the_options(void **state) {
  (void)state;
  char text[] = "north";
  floe__credentials c;
  floe__check_options o = {.user = "alice", .credential_source = FLOE__CREDENTIAL_TEXT, .credential = text};
  assert_true(get(&c, &o));
  assert_string_equal(c.username, "alice");
  assert_string_equal(c.credential, "north");
  floe__credentials_clear(&c);
  o.credential_source = FLOE__CREDENTIAL_SECRET_TEXT;
  o.ttl_s = 3600;
  assert_true(get(&c, &o));
  assert_string_equal(c.username, "1700000000:alice");
  assert_string_equal(c.credential, "Cd/49soE35ICqcJF/bCTn8Z4OyE=");
  floe__credentials_clear(&c);
}

static void a_user_name_alone_is_not_asked_for_without_leave(void **state) {
  (void)state;
  floe__credentials c;
  const floe__check_options o = {.user = "alice"};
  assert_true(get(&c, &o));
  assert_string_equal(c.username, "alice");
  assert_null(c.credential);
  floe__credentials_clear(&c);
}

static void nothing_given(void **state) {
  (void)state;
  floe__credentials c;
  const floe__check_options o = {0};
  assert_true(get(&c, &o));
  assert_null(c.username);
  assert_null(c.credential);
  floe__credentials_clear(&c);
}

static void a_file_that_is_not_there(void **state) {
  (void)state;
  floe__credentials c;
  char why[256];
  const floe__check_options o = {
      .user = "alice", .credential_source = FLOE__CREDENTIAL_FILE, .credential_file = FLOE_SOURCE_DIR "/no-such-file"};
  assert_false(floe__credentials_get(&c, &o, 0, false, why, sizeof why));
  expect_contains(why, "cannot read ");
  expect_contains(why, "No such file");
  floe__credentials_clear(&c);
}

static void from_the_first_line_of_a_file(void **state) {
  (void)state;
  floe__credentials c;
  const floe__check_options o = {
      .user = "alice", .credential_source = FLOE__CREDENTIAL_FILE, .credential_file = FLOE_SOURCE_DIR "/LICENSE"};
  assert_true(get(&c, &o));
  assert_string_equal(c.credential, "MIT License");
  floe__credentials_clear(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rest_credentials),
      cmocka_unit_test(from_the_options),
      cmocka_unit_test(a_user_name_alone_is_not_asked_for_without_leave),
      cmocka_unit_test(nothing_given),
      cmocka_unit_test(a_file_that_is_not_there),
      cmocka_unit_test(from_the_first_line_of_a_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
