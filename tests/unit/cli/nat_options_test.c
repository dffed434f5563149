/* The command line of floe nat, its help, its part of the man page and of the completion. */
#include "nat_options.h"

#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static floe__nat_options options;
static char why[300];

#define MAX_ARGS 12

/* Words of `line`, parted by single spaces. */
static bool parse(const char *line) {
  static char words[MAX_ARGS][64];
  char *argv[MAX_ARGS + 1] = {words[0]};
  int argc = 1;
  strcpy(words[0], "nat");
  while (*line != '\0') {
    size_t len = strcspn(line, " ");
    assert_true(argc < MAX_ARGS && len < sizeof words[0]);
    memcpy(words[argc], line, len);
    words[argc][len] = '\0';
    argv[argc] = words[argc];
    argc++;
    line += len + (line[len] == ' ');
  }
  argv[argc] = NULL;
  why[0] = '\0';
  return floe__nat_options_parse(&options, argc, argv, why, sizeof why);
}

static void refuses(const char *line, const char *sentence) {
  if (parse(line)) fail_msg("%s: accepted", line);
  assert_string_equal(why, sentence);
  floe__nat_options_clear(&options);
}

static void defaults(void **state) {
  (void)state;
  assert_true(parse("stun:192.0.2.1"));
  assert_int_equal(options.n_urls, 1);
  assert_string_equal(options.urls[0], "stun:192.0.2.1");
  assert_int_equal(options.tls_port, 443);
  assert_int_equal(options.timeout_ms, 0);
  assert_null(options.interface);
  assert_false(options.no_ipv4 || options.no_ipv6 || options.json || options.verbose || options.no_transports);
  floe__nat_options_clear(&options);
}

static void every_option(void **state) {
  (void)state;
  assert_true(parse("--server stun:a -4 --interface eth0 --timeout 1.5 --tls-port 5349 --no-transports stun:b"));
  assert_int_equal(options.n_urls, 2);
  assert_string_equal(options.urls[0], "stun:a");
  assert_string_equal(options.urls[1], "stun:b");
  assert_true(options.no_ipv6 && !options.no_ipv4 && options.no_transports);
  assert_string_equal(options.interface, "eth0");
  assert_int_equal(options.timeout_ms, 1500);
  assert_int_equal(options.tls_port, 5349);
  floe__nat_options_clear(&options);
  assert_true(parse("-6 -v --json --dns-server 192.0.2.53 --dns-server [::1]:53 stun:b"));
  assert_true(options.no_ipv4 && options.verbose && options.json);
  assert_int_equal(options.n_dns_servers, 2);
  assert_string_equal(options.dns_servers[1], "[::1]:53");
  floe__nat_options_clear(&options);
  assert_true(parse("--help -4 -6"));
  assert_true(options.help);
  floe__nat_options_clear(&options);
}

static void what_is_refused(void **state) {
  (void)state;
  assert_false(parse(""));
  assert_memory_equal(why, "no server: name one or more that you may use", 44);
  floe__nat_options_clear(&options);
  refuses("-4 -6 stun:a", "-4 and -6 exclude each other");
  refuses("--timeout 0.1 stun:a", "--timeout 0.1: not a number of seconds from 0.2 to 60");
  refuses("--timeout 61 stun:a", "--timeout 61: not a number of seconds from 0.2 to 60");
  refuses("--tls-port 0 stun:a", "--tls-port 0: not a port");
  refuses("--tls-port 65536 stun:a", "--tls-port 65536: not a port");
  refuses("--dns-server here stun:a", "--dns-server here: not an IP address such as 192.0.2.53");
  refuses("--interface a --interface b stun:a", "--interface may be given once");
  refuses("--tls-port", "option --tls-port needs PORT");
  refuses("--json=yes stun:a", "option --json takes no argument");
  refuses("--tls-prot 1 stun:a", "unknown option --tls-prot; did you mean --tls-port?");
  refuses("--fnord stun:a", "unknown option --fnord");
  refuses("-x stun:a", "unknown option -x");
}

/* --- texts ------------------------------------------------------------------------------------------------------ */

static const struct {
  char letter;
  const char *name, *arg;
} rows[] = {
#define FLOE__ROW(id, letter, name, arg, text) {letter, name, arg},
    FLOE__NAT_OPTION_MAP(FLOE__ROW)
#undef FLOE__ROW
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

static char *read_source(const char *path) {
  char name[512];
  (void)snprintf(name, sizeof name, "%s/%s", FLOE_SOURCE_DIR, path);
  FILE *f = fopen(name, "rb");
  if (f == NULL) fail_msg("cannot read %s", name);
  char *text = calloc(1, 1 << 16);
  assert_non_null(text);
  size_t n = fread(text, 1, (1 << 16) - 1, f);
  assert_true(n > 0 && n < (1 << 16) - 1);
  (void)fclose(f);
  return text;
}

/* From one heading to another, without escapes and quotes. */
static char *read_man_part(const char *from, const char *to) {
  char *text = read_source("docs/man/floe-nat.1"), *begin = strstr(text, from), *at = text;
  assert_non_null(begin);
  const char *end = strstr(begin, to);
  assert_non_null(end);
  for (const char *p = begin; p < end; p++) {
    if (*p != '\\' && *p != '"') *at++ = *p;
  }
  *at = '\0';
  return text;
}

static void the_help_has_each_option(void **state) {
  (void)state;
  char *text = NULL, entry[64];
  size_t len = 0;
  FILE *f = open_memstream(&text, &len);
  floe__nat_print_help(f);
  (void)fclose(f);
  for (size_t i = 0; i < N_ROWS; i++) {
    (void)snprintf(entry, sizeof entry, "--%s%s%s ", rows[i].name, rows[i].arg[0] == '\0' ? "" : " ", rows[i].arg);
    if (strstr(text, entry) == NULL) fail_msg("%s is not in the help", entry);
  }
  free(text);
}

static void the_man_page_has_each_option_and_no_other(void **state) {
  (void)state;
  char *text = read_man_part(".SH OPTIONS", ".SH OUTPUT"), entry[64];
  size_t found = 0;
  for (const char *p = text; (p = strstr(p, ".TP")) != NULL; p++) found++;
  assert_int_equal(found, N_ROWS);
  for (size_t i = 0; i < N_ROWS; i++) {
    char letter[8] = "";
    if (rows[i].letter != 0) (void)snprintf(letter, sizeof letter, "-%c, ", rows[i].letter);
    (void)snprintf(entry, sizeof entry, "%s--%s%s%s\n", letter, rows[i].name, rows[i].arg[0] == '\0' ? "" : "  ",
                   rows[i].arg);
    if (strstr(text, entry) == NULL) fail_msg("%s is not in the man page", entry);
  }
  free(text);
}

static void the_completion_has_each_option(void **state) {
  (void)state;
  char *text = read_source("cli/completion/floe.bash"), *begin = strstr(text, "_floe_nat_options=\""), entry[64];
  assert_non_null(begin);
  begin = strchr(begin, '"') + 1;
  *strchr(begin, '"') = '\0';
  for (size_t i = 0; i < N_ROWS; i++) {
    (void)snprintf(entry, sizeof entry, "--%s", rows[i].name);
    if (strstr(begin, entry) == NULL) fail_msg("%s is not in the completion", entry);
    (void)snprintf(entry, sizeof entry, " -%c", rows[i].letter);
    if (rows[i].letter != 0 && strstr(begin, entry) == NULL) fail_msg("%s is not in the completion", entry);
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults),
      cmocka_unit_test(every_option),
      cmocka_unit_test(what_is_refused),
      cmocka_unit_test(the_help_has_each_option),
      cmocka_unit_test(the_man_page_has_each_option_and_no_other),
      cmocka_unit_test(the_completion_has_each_option),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
