#include "trace_file.h"

#include <unistd.h>

#include "fixture.h"

static void read_back(const char *name, char *text, size_t cap) {
  FILE *f = fopen(name, "r");
  assert_non_null(f);
  size_t n = fread(text, 1, cap - 1, f);
  text[n] = '\0';
  (void)fclose(f);
}

static void each_event_is_a_line(void **state) {
  (void)state;
  char name[] = "trace_file_test.XXXXXX", text[200], why[200];
  floe__trace_file t;
  floe_env_config env;
  int fd = mkstemp(name);
  assert_true(fd >= 0);
  (void)close(fd);
  assert_true(floe__trace_file_open(&t, name, why, sizeof why));
  floe_env_config_init(&env, sizeof env);
  floe__trace_file_lend(&t, true, &env);
  assert_true(env.trace_addresses);
  env.trace(env.user, "{\"a\":1}tail", 7);
  read_back(name, text, sizeof text);
  assert_string_equal(text, "{\"a\":1}\n"); /* before it is closed */
  env.trace(env.user, "{}", 2);
  assert_true(floe__trace_file_close(&t, why, sizeof why));
  read_back(name, text, sizeof text);
  assert_string_equal(text, "{\"a\":1}\n{}\n");
  (void)unlink(name);
}

static void no_name_is_no_trace(void **state) {
  (void)state;
  char why[200];
  floe__trace_file t;
  floe_env_config env;
  assert_true(floe__trace_file_open(&t, NULL, why, sizeof why));
  floe_env_config_init(&env, sizeof env);
  floe__trace_file_lend(&t, true, &env);
  assert_null(env.trace);
  assert_false(env.trace_addresses);
  assert_true(floe__trace_file_close(&t, why, sizeof why));
}

static void what_cannot_be_opened_or_written_is_said(void **state) {
  (void)state;
  char why[200] = "";
  floe__trace_file t;
  floe_env_config env;
  assert_false(floe__trace_file_open(&t, "no/such/directory/t", why, sizeof why));
  assert_string_equal(why, "--trace no/such/directory/t: No such file or directory");
  if (access("/dev/full", W_OK) != 0) return;
  assert_true(floe__trace_file_open(&t, "/dev/full", why, sizeof why));
  floe_env_config_init(&env, sizeof env);
  floe__trace_file_lend(&t, false, &env);
  env.trace(env.user, "{}", 2);
  assert_false(floe__trace_file_close(&t, why, sizeof why));
  assert_string_equal(why, "--trace /dev/full could not be written: No space left on device");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_event_is_a_line),
      cmocka_unit_test(no_name_is_no_trace),
      cmocka_unit_test(what_cannot_be_opened_or_written_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
