#include "check_options.h"

#include "fixture.h"

enum { MAX_ARGS = 16 };

/* A command line in memory that can be written to, as the real one. */
typedef struct line {
  char text[MAX_ARGS][64];
  char *argv[MAX_ARGS + 1];
  int argc;
  floe__check_options o;
  char why[256];
} line;

static bool parse(line *l, const char *const *args) {
  memset(l, 0, sizeof *l);
  (void)snprintf(l->text[0], sizeof l->text[0], "check");
  l->argv[l->argc++] = l->text[0];
  for (; *args != NULL; args++) {
    assert_true(l->argc < MAX_ARGS);
    (void)snprintf(l->text[l->argc], sizeof l->text[0], "%s", *args);
    l->argv[l->argc] = l->text[l->argc];
    l->argc++;
  }
  return floe__check_options_parse(&l->o, l->argc, l->argv, l->why, sizeof l->why);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect_refused(const char *const *args, const char *why) {
  line l;
  assert_false(parse(&l, args));
  assert_string_equal(l.why, why);
  floe__check_options_clear(&l.o);
}

static void nothing_given(void **state) {
  (void)state;
  static const char *const none[] = {NULL};
  expect_refused(none, "no server: give a URL such as turn:turn.example.org, or --ice-servers");
  expect_refused(ARGS("--json"), "no server: give a URL such as turn:turn.example.org, or --ice-servers");
}

static void defaults(void **state) {
  (void)state;
  line l;
  assert_true(parse(&l, ARGS("stun:a.example")));
  assert_int_equal(l.o.n_urls, 1);
  assert_string_equal(l.o.urls[0], "stun:a.example");
  assert_int_equal(l.o.ttl_s, 3600);
  assert_int_equal(l.o.timeout_ms, 0);
  assert_false(l.o.json || l.o.watch || l.o.all || l.o.relay_only || l.o.insecure || l.o.no_ipv4 || l.o.no_ipv6);
  floe__check_options_clear(&l.o);
}

static void everything(void **state) {
  (void)state;
  line l;
  assert_true(parse(&l, ARGS("turn:a.example", "--user", "bob", "--secret-file", "s.txt", "--ttl", "60",
                             "--ca-file=ca.pem", "--interface", "lo", "--interface=eth0", "-4", "stun:b.example")));
  assert_int_equal(l.o.n_urls, 2);
  assert_string_equal(l.o.urls[1], "stun:b.example");
  assert_string_equal(l.o.user, "bob");
  assert_int_equal(l.o.credential_source, FLOE__CREDENTIAL_SECRET_FILE);
  assert_string_equal(l.o.credential_file, "s.txt");
  assert_int_equal(l.o.ttl_s, 60);
  assert_string_equal(l.o.ca_file, "ca.pem");
  assert_int_equal(l.o.n_interfaces, 2);
  assert_string_equal(l.o.interfaces[1], "eth0");
  assert_true(l.o.no_ipv6 && !l.o.no_ipv4);
  floe__check_options_clear(&l.o);

  assert_true(parse(&l, ARGS("--all", "--relay-only", "--no-relay-test", "--insecure", "-6", "--port-range",
                             "5000-5010", "--include-loopback", "--timeout=2.5", "--json", "-v", "--ice-servers", "-",
                             "--dns-server", "[::1]:5353")));
  assert_true(l.o.all && l.o.relay_only && l.o.no_relay_test && l.o.insecure && l.o.include_loopback && l.o.json);
  assert_true(l.o.verbose && l.o.no_ipv4);
  assert_int_equal(l.o.port_min, 5000);
  assert_int_equal(l.o.port_max, 5010);
  assert_int_equal(l.o.timeout_ms, 2500);
  assert_string_equal(l.o.ice_servers, "-");
  assert_int_equal(l.o.n_dns_servers, 1);
  assert_string_equal(l.o.dns_servers[0], "[::1]:5353");
  floe__check_options_clear(&l.o);
}

static void a_secret_is_taken_out_of_argv(void **state) {
  (void)state;
  line l;
  assert_true(parse(&l, ARGS("--user", "bob", "--credential", "geheim", "turn:a.example")));
  assert_string_equal(l.o.credential, "geheim");
  assert_int_equal(l.o.credential_source, FLOE__CREDENTIAL_TEXT);
  for (int i = 0; i < l.argc; i++) expect_lacks(l.argv[i], "geheim");
  floe__check_options_clear(&l.o);
  assert_true(parse(&l, ARGS("--secret=geheim", "turn:a.example")));
  assert_string_equal(l.o.credential, "geheim");
  assert_int_equal(l.o.credential_source, FLOE__CREDENTIAL_SECRET_TEXT);
  for (int i = 0; i < l.argc; i++) expect_lacks(l.argv[i], "geheim");
  floe__check_options_clear(&l.o);
}

static void watching(void **state) {
  (void)state;
  static const struct {
    const char *args[6];
    uint32_t ms;
    size_t n_urls;
  } rows[] = {{{"--watch", "stun:a"}, 5000, 1},
              {{"--watch", "2", "stun:a"}, 2000, 1},
              {{"--watch=0.5", "stun:a"}, 500, 1},
              {{"stun:a", "--watch"}, 5000, 1},
              {{"stun:a", "--watch", "10", "stun:b"}, 10000, 2}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    line l;
    assert_true(parse(&l, rows[i].args));
    assert_true(l.o.watch);
    assert_int_equal(l.o.watch_ms, rows[i].ms);
    assert_int_equal(l.o.n_urls, rows[i].n_urls);
    floe__check_options_clear(&l.o);
  }
  expect_refused(ARGS("--watch", "0", "stun:a"), "--watch 0: not a number of seconds from 0.1 to 86400");
  expect_refused(ARGS("--watch=x", "stun:a"), "--watch x: not a number of seconds from 0.1 to 86400");
  expect_refused(ARGS("--count", "3", "stun:a"), "--count needs --watch");
}

static void mistakes_are_named(void **state) {
  (void)state;
  expect_refused(ARGS("--jsno", "stun:a"), "unknown option --jsno; did you mean --json?");
  expect_refused(ARGS("--frobnicate", "stun:a"), "unknown option --frobnicate");
  expect_refused(ARGS("-x", "stun:a"), "unknown option -x");
  expect_refused(ARGS("--cred", "x", "stun:a"), "option --cred is ambiguous");
  expect_refused(ARGS("stun:a", "--user"), "option --user needs NAME");
  expect_refused(ARGS("stun:a", "-u"), "option --user needs NAME");
  expect_refused(ARGS("--json=1", "stun:a"), "option --json takes no argument");
  expect_refused(ARGS("--timeout", "0", "stun:a"), "--timeout 0: not a number of seconds from 0.1 to 86400");
  expect_refused(ARGS("--ttl", "0", "--secret", "s", "turn:a"), "--ttl 0: not a whole number from 1 to 315360000");
  expect_refused(ARGS("--dns-server", "dns.example", "stun:a"),
                 "--dns-server dns.example: not an IP address such as 192.0.2.53, 192.0.2.53:5353 or "
                 "[2001:db8::53]:5353");
  expect_refused(ARGS("--secret=", "turn:a"), "--secret is empty");
  expect_refused(ARGS("--ice-servers", "a", "--ice-servers", "b"), "--ice-servers may be given once");
}

static void port_ranges(void **state) {
  (void)state;
  static const char *const bad[] = {"5000",    "-5000", "5000-", "5010-5000", "0-10",
                                    "1-65536", "a-b",   "1-2-3", "00000001-2"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    line l;
    char range[80];
    (void)snprintf(range, sizeof range, "--port-range=%s", bad[i]);
    assert_false(parse(&l, ARGS(range, "stun:a")));
    expect_contains(l.why, "not MIN-MAX");
    floe__check_options_clear(&l.o);
  }
}

static void a_mistyped_secret_option_does_not_show_the_secret(void **state) {
  (void)state;
  static const char *const options[] = {"--credentail=geheim", "--secrte=geheim", "--pass=geheim",
                                        "--credential-prompt=geheim", "--cred=geheim"};
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
    line l;
    assert_false(parse(&l, ARGS(options[i], "turn:a.example")));
    expect_lacks(l.why, "geheim");
    floe__check_options_clear(&l.o);
  }
}

static void what_does_not_go_together(void **state) {
  (void)state;
  static const char *const one =
      "only one of --credential, --credential-file, --credential-prompt, --secret and --secret-file";
  expect_refused(ARGS("-4", "-6", "stun:a"), "-4 and -6 exclude each other");
  expect_refused(ARGS("--user", "u", "--credential", "c", "--secret", "s", "turn:a"), one);
  expect_refused(ARGS("--user", "u", "--credential-prompt", "--credential-file", "f", "turn:a"), one);
  expect_refused(ARGS("--user", "u", "--credential", "c", "--ttl", "9", "turn:a"),
                 "--ttl needs --secret or --secret-file");
  expect_refused(ARGS("--credential", "c", "turn:a"), "a credential needs --user");
  expect_refused(ARGS("--ice-servers", "-", "--credential-file", "-", "--user", "u", "turn:a"),
                 "standard input can be the iceServers or the credential, not both");
  expect_refused(ARGS("--ice-servers", "f", "--user", "u"),
                 "--user and credentials are for URLs on the command line; those of --ice-servers are in the JSON");
  expect_refused(ARGS("--demo", "stun:a"), "--demo takes no URL, --ice-servers, --json, --watch or --all");
  expect_refused(ARGS("--demo", "--json"), "--demo takes no URL, --ice-servers, --json, --watch or --all");
}

static void what_needs_no_server(void **state) {
  (void)state;
  line l;
  static const char *const options[] = {"--help", "-h", "--version", "--explain=udp_timeout", "--demo"};
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
    assert_true(parse(&l, ARGS(options[i])));
    floe__check_options_clear(&l.o);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_given),
      cmocka_unit_test(defaults),
      cmocka_unit_test(everything),
      cmocka_unit_test(a_secret_is_taken_out_of_argv),
      cmocka_unit_test(watching),
      cmocka_unit_test(mistakes_are_named),
      cmocka_unit_test(port_ranges),
      cmocka_unit_test(a_mistyped_secret_option_does_not_show_the_secret),
      cmocka_unit_test(what_does_not_go_together),
      cmocka_unit_test(what_needs_no_server),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
