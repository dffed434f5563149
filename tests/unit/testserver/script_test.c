/* Scripts as text: every name, every argument, and where a bad one is at fault. */
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "testserver/testserver.h"

static floe__ts_script parse(const char *text) {
  floe__ts_script script;
  char why[200];
  size_t offset;
  if (!floe__ts_script_parse(&script, text, why, sizeof why, &offset)) fail_msg("%s: at %zu: %s", text, offset, why);
  return script;
}

static void refuses(const char *text, size_t at, const char *sentence) {
  floe__ts_script script;
  char why[200];
  size_t offset = 999;
  if (floe__ts_script_parse(&script, text, why, sizeof why, &offset)) fail_msg("%s: accepted", text);
  assert_string_equal(why, sentence);
  assert_int_equal(offset, at);
}

static void every_name_without_argument(void **state) {
  (void)state;
  static const struct {
    const char *name;
    floe__ts_fault fault;
  } rows[] = {{"correct", FLOE__TS_CORRECT},
              {"401-forever", FLOE__TS_401_FOREVER},
              {"401-no-nonce", FLOE__TS_401_NO_NONCE},
              {"401-no-realm", FLOE__TS_401_NO_REALM},
              {"stale-once", FLOE__TS_STALE_ONCE},
              {"stale-forever", FLOE__TS_STALE_FOREVER},
              {"420-optional", FLOE__TS_420_OPTIONAL},
              {"redirect-no-address", FLOE__TS_REDIRECT_NO_ADDRESS},
              {"wrong-integrity", FLOE__TS_WRONG_INTEGRITY},
              {"no-integrity", FLOE__TS_NO_INTEGRITY},
              {"wrong-transaction", FLOE__TS_WRONG_TRANSACTION},
              {"bad-fingerprint", FLOE__TS_BAD_FINGERPRINT},
              {"truncated", FLOE__TS_TRUNCATED},
              {"no-address", FLOE__TS_NO_ADDRESS},
              {"lifetime-0", FLOE__TS_LIFETIME_0},
              {"bad-error-class", FLOE__TS_BAD_ERROR_CLASS},
              {"overrun", FLOE__TS_OVERRUN},
              {"silent", FLOE__TS_SILENT},
              {"silent-after-401", FLOE__TS_SILENT_AFTER_401},
              {"garbage", FLOE__TS_GARBAGE},
              {"bytewise", FLOE__TS_BYTEWISE},
              {"close-after-accept", FLOE__TS_CLOSE_AFTER_ACCEPT},
              {"close-after-401", FLOE__TS_CLOSE_AFTER_401},
              {"reset-after-accept", FLOE__TS_RESET_AFTER_ACCEPT},
              {"reset-after-401", FLOE__TS_RESET_AFTER_401},
              {"relay-nothing", FLOE__TS_RELAY_NOTHING},
              {"relay-private", FLOE__TS_RELAY_PRIVATE},
              {"forget-allocation", FLOE__TS_FORGET_ALLOCATION}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char text[64];
    assert_int_equal(parse(rows[i].name).fault, rows[i].fault);
    assert_int_equal(parse(rows[i].name).tls, FLOE__TS_TLS_GOOD);
    (void)snprintf(text, sizeof text, "%s=1", rows[i].name);
    refuses(text, strlen(rows[i].name) + 1, "this name takes no argument");
  }
}

static void every_tls_name(void **state) {
  (void)state;
  static const char *const names[] = {"tls-plain-text", "tls-expired", "tls-self-signed",
                                      "tls-other-name", "tls-hangs",   "tls-alert"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    floe__ts_script script = parse(names[i]);
    assert_int_equal(script.tls, (int)FLOE__TS_TLS_PLAIN_TEXT + (int)i);
    assert_int_equal(script.fault, FLOE__TS_CORRECT);
  }
  refuses("tls-expired=1", 12, "this name takes no argument");
}

static void codes_and_reasons(void **state) {
  (void)state;
  floe__ts_script script = parse("error=486:Quota reached");
  assert_int_equal(script.fault, FLOE__TS_ERROR);
  assert_int_equal(script.error_code, 486);
  assert_string_equal(script.reason, "Quota reached");
  script = parse("error-after-auth=508");
  assert_int_equal(script.fault, FLOE__TS_ERROR_AFTER_AUTH);
  assert_int_equal(script.error_code, 508);
  assert_string_equal(script.reason, "");
  assert_int_equal(parse("refresh-error").error_code, 500);
  assert_int_equal(parse("refresh-error=437").error_code, 437);
  assert_int_equal(parse("permission-error").error_code, 403);
  script = parse("permission-error=508:No room: none");
  assert_int_equal(script.error_code, 508);
  assert_string_equal(script.reason, "No room: none");
  refuses("error", 5, "an error code from 300 to 699 is needed");
  refuses("error=", 6, "an error code from 300 to 699 is needed");
  refuses("error=299", 6, "an error code from 300 to 699 is needed");
  refuses("error=700", 6, "an error code from 300 to 699 is needed");
  refuses("error=48x", 6, "an error code from 300 to 699 is needed");
  refuses("permission-error=", 17, "an error code from 300 to 699 is needed");
}

static void reasons_have_a_limit(void **state) {
  (void)state;
  char text[160] = "error=486:";
  memset(text + 10, 'x', 127);
  text[137] = '\0';
  assert_int_equal(strlen(parse(text).reason), 127);
  text[137] = 'x';
  text[138] = '\0';
  refuses(text, 10, "the reason is longer than 127 bytes");
}

static void numbers(void **state) {
  (void)state;
  assert_int_equal(parse("late=800").delay_ms, 800);
  assert_int_equal(parse("late=0").delay_ms, 0);
  assert_int_equal(parse("late=600000").delay_ms, 600000);
  refuses("late=600001", 5, "milliseconds up to 600000 are needed");
  refuses("late", 4, "milliseconds up to 600000 are needed");
  refuses("late=-1", 5, "milliseconds up to 600000 are needed");
  assert_int_equal(parse("437").times, 1);
  assert_int_equal(parse("437=3").times, 3);
  assert_int_equal(parse("437=3").fault, FLOE__TS_437_TIMES);
  refuses("437=1000001", 4, "a number up to 1000000 is needed");
  refuses("437=12345678901234", 4, "a number up to 1000000 is needed");
}

static void redirects(void **state) {
  (void)state;
  static const char sentence[] = "an IP address with a port is needed, such as 192.0.2.1:3478 or [2001:db8::1]:3478";
  char text[FLOE_ADDR_TEXT];
  floe__ts_script script = parse("redirect=192.0.2.1:3478");
  assert_int_equal(script.fault, FLOE__TS_REDIRECT);
  assert_string_equal(floe_addr_format(&script.alternate, text), "192.0.2.1:3478");
  script = parse("redirect-after-auth=[2001:db8::1]:5349,alternate-domain=turn.example.org");
  assert_int_equal(script.fault, FLOE__TS_REDIRECT_AFTER_AUTH);
  assert_string_equal(floe_addr_format(&script.alternate, text), "[2001:db8::1]:5349");
  assert_string_equal(script.alternate_domain, "turn.example.org");
  assert_string_equal(parse("alternate-domain=a,redirect=192.0.2.1:1").alternate_domain, "a");
  refuses("redirect=192.0.2.1", 9, sentence);
  refuses("redirect=turn.example.org:3478", 9, sentence);
  refuses("redirect", 8, sentence);
  refuses("tls-expired,alternate-domain=a", 12, "alternate-domain belongs to a redirect");
  refuses("redirect=192.0.2.1:1,alternate-domain=", 38, "a name of 1 to 63 bytes is needed");
}

static void joined(void **state) {
  (void)state;
  floe__ts_script script = parse("late=800,tls-expired");
  assert_int_equal(script.fault, FLOE__TS_LATE);
  assert_int_equal(script.tls, FLOE__TS_TLS_EXPIRED);
  assert_int_equal(script.delay_ms, 800);
  refuses("silent,garbage", 7, "a script does one thing wrong; \"garbage\" is the second");
  refuses("correct,silent", 8, "a script does one thing wrong; \"silent\" is the second");
  refuses("tls-alert,tls-hangs", 10, "\"tls-hangs\" is the second TLS fault");
  refuses("silent,", 7, "a name is missing");
  refuses(",silent", 0, "a name is missing");
  refuses("", 0, "a name is missing");
  refuses("late=1,tls-oops", 7, "there is no script \"tls-oops\"");
  refuses("Silent", 0, "there is no script \"Silent\"");
}

/* Each name that parses is in the list for --help, and each of the list's lines begins with a name that parses. */
static void help_lists_every_name(void **state) {
  (void)state;
  const char *line = floe__ts_script_help();
  unsigned lines = 0;
  while (*line != '\0') {
    char name[64];
    char why[200];
    size_t offset;
    floe__ts_script script;
    const char *end = strchr(line, '\n');
    assert_non_null(end);
    assert_true(end - line <= 110);
    assert_int_equal(sscanf(line, "  %63[a-z0-9-]", name), 1);
    if (!floe__ts_script_parse(&script, name, why, sizeof why, &offset)) {
      assert_null(strstr(why, "there is no script")); /* only its argument is missing */
    }
    lines++;
    line = end + 1;
  }
  assert_int_equal(lines, 36 + 1 + 6);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_name_without_argument),
      cmocka_unit_test(every_tls_name),
      cmocka_unit_test(codes_and_reasons),
      cmocka_unit_test(reasons_have_a_limit),
      cmocka_unit_test(numbers),
      cmocka_unit_test(redirects),
      cmocka_unit_test(joined),
      cmocka_unit_test(help_lists_every_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
