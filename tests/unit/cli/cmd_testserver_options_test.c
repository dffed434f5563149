/* The command line of `floe testserver`: what it means, and the argument that a refusal names. */
#include "cmd_testserver_options.h"

#include <string.h>

#include "support/cmocka.h"

#define MAX_ARGS 16

static floe__testserver_options options;
static char why[300];
static char words[MAX_ARGS][200];

/* Parses the words of `line`, separated by single spaces; '_' stands for a space within one. */
static bool parse(const char *line) {
  static char *argv[MAX_ARGS + 1];
  int argc = 0;
  argv[argc++] = strcpy(words[0], "testserver");
  while (*line != '\0') {
    size_t len = strcspn(line, " ");
    assert_true(argc < MAX_ARGS && len < sizeof words[0]);
    memcpy(words[argc], line, len);
    words[argc][len] = '\0';
    for (char *p = words[argc]; *p != '\0'; p++) *p = *p == '_' ? ' ' : *p;
    argv[argc] = words[argc];
    argc++;
    line += len + (line[len] == ' ');
  }
  argv[argc] = NULL;
  why[0] = '\0';
  return floe__testserver_options_parse(&options, argc, argv, why, sizeof why);
}

static void accepts(const char *line) {
  if (!parse(line)) fail_msg("%s: %s", line, why);
}

static void refuses(const char *line, const char *sentence) {
  if (parse(line)) fail_msg("%s: accepted", line);
  assert_string_equal(why, sentence);
  floe__testserver_options_clear(&options);
}

static void has_port(size_t i, floe_transport transport, const char *addr, const char *script) {
  char text[FLOE_ADDR_TEXT];
  assert_true(i < options.n_ports);
  assert_int_equal(options.ports[i].transport, transport);
  assert_string_equal(floe_addr_format(&options.ports[i].addr, text), addr);
  assert_string_equal(options.ports[i].script_text, script);
}

static void without_options(void **state) {
  (void)state;
  char text[FLOE_ADDR_TEXT];
  accepts("");
  assert_int_equal(options.n_ports, 3);
  has_port(0, FLOE_TRANSPORT_UDP, "127.0.0.1:3478", "correct");
  has_port(1, FLOE_TRANSPORT_TCP, "127.0.0.1:3478", "correct");
  has_port(2, FLOE_TRANSPORT_TLS, "127.0.0.1:5349", "correct");
  assert_string_equal(options.cfg.username, "user");
  assert_string_equal(options.cfg.credential, "secret");
  assert_null(options.cfg.secret);
  assert_null(options.cfg.realm);
  assert_string_equal(floe_addr_format(&options.cfg.relay_ipv4, text), "127.0.0.1");
  assert_int_equal(options.cfg.relay_ipv6.family, FLOE_FAMILY_NONE);
  assert_int_equal(options.cfg.lifetime_s, 0);
  assert_false(options.cfg.use_sha256 || options.quiet || options.verbose || options.help);
  assert_null(options.ca_path);
  floe__testserver_options_clear(&options);
}

static void every_option(void **state) {
  (void)state;
  char text[FLOE_ADDR_TEXT];
  accepts(
      "--user alice --credential=pass_word --realm r.test --relay-ip 192.0.2.1 --relay-ip 2001:db8::1 --sha256 "
      "--lifetime 30 --write-ca ca.pem -v");
  assert_string_equal(options.cfg.username, "alice");
  assert_string_equal(options.cfg.credential, "pass word");
  assert_string_equal(options.cfg.realm, "r.test");
  assert_string_equal(floe_addr_format(&options.cfg.relay_ipv4, text), "192.0.2.1");
  assert_string_equal(floe_addr_format(&options.cfg.relay_ipv6, text), "2001:db8::1");
  assert_true(options.cfg.use_sha256 && options.verbose);
  assert_int_equal(options.cfg.lifetime_s, 30);
  assert_string_equal(options.ca_path, "ca.pem");
  floe__testserver_options_clear(&options);
  accepts("--secret north --relay-ip ::1 --quiet");
  assert_string_equal(options.cfg.secret, "north");
  assert_null(options.cfg.username);
  assert_null(options.cfg.credential);
  assert_int_equal(options.cfg.relay_ipv4.family, FLOE_FAMILY_NONE);
  assert_true(options.quiet);
  floe__testserver_options_clear(&options);
}

static void listening(void **state) {
  (void)state;
  accepts(
      "--listen udp:127.0.0.1:0,error=486:Quota_reached --listen tcp:[::1]:1,silent --listen tls:192.0.2.1 "
      "--listen udp:2001:db8::1 --listen tls:[::1]:0,tls-expired,late=5");
  assert_int_equal(options.n_ports, 5);
  has_port(0, FLOE_TRANSPORT_UDP, "127.0.0.1", "error=486:Quota reached");
  assert_int_equal(options.ports[0].script.fault, FLOE__TS_ERROR);
  assert_string_equal(options.ports[0].script.reason, "Quota reached");
  has_port(1, FLOE_TRANSPORT_TCP, "[::1]:1", "silent");
  has_port(2, FLOE_TRANSPORT_TLS, "192.0.2.1:5349", "correct");
  has_port(3, FLOE_TRANSPORT_UDP, "[2001:db8::1]:3478", "correct");
  has_port(4, FLOE_TRANSPORT_TLS, "::1", "tls-expired,late=5");
  assert_int_equal(options.ports[4].script.tls, FLOE__TS_TLS_EXPIRED);
  assert_int_equal(options.ports[4].script.delay_ms, 5);
  floe__testserver_options_clear(&options);
}

static void bad_ports(void **state) {
  (void)state;
  refuses("--listen 127.0.0.1:3478", "--listen 127.0.0.1:3478: must begin with udp:, tcp: or tls:");
  refuses("--listen udp", "--listen udp: must begin with udp:, tcp: or tls:");
  refuses("--listen sctp:127.0.0.1", "--listen sctp:127.0.0.1: must begin with udp:, tcp: or tls:");
  refuses("--listen udp:localhost:3478",
          "--listen udp:localhost:3478: \"localhost:3478\" is no IP address with a port, "
          "such as 127.0.0.1:3478 or [::1]:0");
  refuses("--listen udp:127.0.0.1:65536",
          "--listen udp:127.0.0.1:65536: \"127.0.0.1:65536\" is no IP address with a "
          "port, such as 127.0.0.1:3478 or [::1]:0");
  refuses("--listen udp:", "--listen udp:: \"\" is no IP address with a port, such as 127.0.0.1:3478 or [::1]:0");
  refuses("--listen tcp:127.0.0.1:1,slient",
          "--listen tcp:127.0.0.1:1,slient: at byte 16: there is no script \"slient\"");
  refuses("--listen tcp:127.0.0.1:1,", "--listen tcp:127.0.0.1:1,: at byte 16: a name is missing");
  refuses("--listen tcp:127.0.0.1:1,error=1",
          "--listen tcp:127.0.0.1:1,error=1: at byte 22: an error code from 300 to 699 is needed");
  refuses("--listen tcp:127.0.0.1:1,tls-alert",
          "--listen tcp:127.0.0.1:1,tls-alert: the tls- scripts need a tls: port");
  refuses("--listen udp:127.0.0.1:0 --listen x", "--listen x: must begin with udp:, tcp: or tls:");
}

static void an_alternate_address(void **state) {
  (void)state;
  char text[FLOE_ADDR_TEXT];
  accepts("--alternate 127.0.0.2");
  assert_true(options.has_alternate);
  assert_string_equal(floe_addr_format(&options.alternate, text), "127.0.0.2:3479");
  floe__testserver_options_clear(&options);
  accepts("--listen udp:127.0.0.1:0 --alternate 127.0.0.2:0");
  assert_string_equal(floe_addr_format(&options.alternate, text), "127.0.0.2");
  floe__testserver_options_clear(&options);
  accepts("--listen tcp:[::1]:0 --listen udp:[::1]:7 --listen udp:127.0.0.1:8 --alternate [::2]:8");
  assert_string_equal(floe_addr_format(&options.alternate, text), "[::2]:8");
  floe__testserver_options_clear(&options);
  accepts("");
  assert_false(options.has_alternate);
  floe__testserver_options_clear(&options);
}

static void bad_alternates(void **state) {
  (void)state;
  refuses("--alternate here", "--alternate here: not a second IP address of this host, such as 127.0.0.2:3479");
  refuses("--alternate 0.0.0.0", "--alternate 0.0.0.0: not a second IP address of this host, such as 127.0.0.2:3479");
  refuses("--alternate 127.0.0.2 --alternate 127.0.0.3", "--alternate 127.0.0.3: may be given once");
  refuses("--alternate 127.0.0.1:3479",
          "--alternate: both address and port must differ from those of udp:127.0.0.1:3478");
  refuses("--alternate 127.0.0.2:3478",
          "--alternate: both address and port must differ from those of udp:127.0.0.1:3478");
  refuses("--alternate ::1", "--alternate: udp:127.0.0.1:3478 is not one address of the same family");
  refuses("--listen udp:0.0.0.0 --alternate 127.0.0.1",
          "--alternate: udp:0.0.0.0 is not one address of the same family");
  refuses("--listen tcp:127.0.0.1 --alternate 127.0.0.2", "--alternate: needs a udp: port");
}

static void bad_values(void **state) {
  (void)state;
  refuses("--relay-ip relay", "--relay-ip relay: not an IP address");
  refuses("--relay-ip 127.0.0.1:0", "--relay-ip 127.0.0.1:0: not an IP address");
  refuses("--relay-ip 0.0.0.0", "--relay-ip 0.0.0.0: one address of this host is needed");
  refuses("--relay-ip 127.0.0.1 --relay-ip 127.0.0.2", "--relay-ip 127.0.0.2: the second IPv4 address");
  refuses("--relay-ip ::1 --relay-ip ::2", "--relay-ip ::2: the second IPv6 address");
  refuses("--lifetime 0", "--lifetime 0: not a whole number from 1 to 3600");
  refuses("--lifetime 3601", "--lifetime 3601: not a whole number from 1 to 3600");
  refuses("--lifetime ten", "--lifetime ten: not a whole number from 1 to 3600");
  refuses("--user=", "--user: the text is empty");
  refuses("--write-ca=", "--write-ca: the text is empty");
}

static void options_that_exclude_each_other(void **state) {
  (void)state;
  refuses("--secret north --user alice", "--secret: stands in place of --user and --credential");
  refuses("--credential x --secret north", "--secret: stands in place of --user and --credential");
  refuses("-q -v", "--quiet: contradicts --verbose");
}

static void unknown_options(void **state) {
  (void)state;
  refuses("--lisen x", "--lisen: there is no such option, or more than one begins so");
  refuses("--re x", "--re: there is no such option, or more than one begins so");
  refuses("-x", "-x: there is no such option");
  refuses("--sha256=1", "--sha256=1: takes no argument");
  refuses("--listen", "--listen: an argument is missing");
  refuses("udp:127.0.0.1:1", "udp:127.0.0.1:1: an argument without an option; ports are given with --listen");
}

/* --help wins over what is missing or contradictory after it. */
static void help(void **state) {
  (void)state;
  accepts("--help --lisen");
  assert_true(options.help);
  assert_int_equal(options.n_ports, 0);
  floe__testserver_options_clear(&options);
  accepts("-q -v -h");
  assert_true(options.help);
  floe__testserver_options_clear(&options);
  FILE *f = tmpfile();
  assert_non_null(f);
  floe__testserver_print_help(f);
  char text[16384] = "";
  rewind(f);
  assert_true(fread(text, 1, sizeof text - 1, f) > 1000);
  assert_int_equal(fclose(f), 0);
  assert_non_null(strstr(text, floe__ts_script_help()));
  static const char *const names[] = {"--listen ",   "--user ",     "--credential ", "--secret ",
                                      "--realm ",    "--relay-ip ", "--sha256 ",     "--lifetime ",
                                      "--write-ca ", "--quiet ",    "--verbose ",    "--help "};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) assert_non_null(strstr(text, names[i]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_options),
      cmocka_unit_test(every_option),
      cmocka_unit_test(listening),
      cmocka_unit_test(bad_ports),
      cmocka_unit_test(an_alternate_address),
      cmocka_unit_test(bad_alternates),
      cmocka_unit_test(bad_values),
      cmocka_unit_test(options_that_exclude_each_other),
      cmocka_unit_test(unknown_options),
      cmocka_unit_test(help),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
