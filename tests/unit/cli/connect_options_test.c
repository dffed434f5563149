/* The command line of floe connect, its help, its part of the man page and of the completion. */
#include "connect_options.h"

#include <stdlib.h>
#include <string.h>

#include "connect_help.h"
#include "fixture.h"

static floe__connect_options options;
static char why[300];

#define MAX_ARGS 16

/* Words of `line`, parted by single spaces. */
static bool parse(const char *line) {
  static char words[MAX_ARGS][128];
  char *argv[MAX_ARGS + 1] = {words[0]};
  int argc = 1;
  strcpy(words[0], "connect");
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
  return floe__connect_options_parse(&options, argc, argv, why, sizeof why);
}

static void accepts(const char *line) {
  floe__connect_options_clear(&options);
  if (!parse(line)) fail_msg("%s: %s", line, why);
}

static void refuses(const char *line, const char *sentence) {
  if (parse(line)) fail_msg("%s: accepted", line);
  assert_string_equal(why, sentence);
  floe__connect_options_clear(&options);
}

static void defaults(void **state) {
  (void)state;
  accepts("");
  assert_int_equal(options.mode, FLOE__CONNECT_PIPE);
  assert_false(options.is_answer || options.json || options.force || options.no_input);
  assert_null(options.ticket);
  assert_int_equal(options.net.timeout_ms, 0);
  floe__connect_options_clear(&options);
}

static void tickets(void **state) {
  (void)state;
  accepts("floe1:abc");
  assert_true(options.is_answer);
  assert_string_equal(options.ticket, "floe1:abc");
  accepts("--answer --ticket-in a --ticket-out b");
  assert_true(options.is_answer && options.ticket == NULL);
  assert_string_equal(options.ticket_in, "a");
  assert_string_equal(options.ticket_out, "b");
  accepts("--ticket-in a");
  assert_false(options.is_answer);
  floe__connect_options_clear(&options);
}

static void files(void **state) {
  (void)state;
  accepts("--send a b floe1:abc --send c ./floe1:d");
  assert_int_equal(options.mode, FLOE__CONNECT_SEND);
  assert_int_equal(options.n_files, 4);
  assert_string_equal(options.files[0], "a");
  assert_string_equal(options.files[1], "c"); /* options come first, whatever the order */
  assert_string_equal(options.files[2], "b");
  assert_string_equal(options.files[3], "./floe1:d");
  assert_string_equal(options.ticket, "floe1:abc");
  accepts("--receive d --force");
  assert_int_equal(options.mode, FLOE__CONNECT_RECEIVE);
  assert_string_equal(options.directory, "d");
  assert_true(options.force);
  floe__connect_options_clear(&options);
}

static void expect_place(const char *line, const char *host, const char *port) {
  accepts(line);
  assert_string_equal(options.place.host, host);
  assert_string_equal(options.place.port, port);
}

static void places(void **state) {
  (void)state;
  expect_place("--expose localhost:80", "localhost", "80");
  expect_place("--expose 192.0.2.1:65535", "192.0.2.1", "65535");
  expect_place("--expose [2001:db8::1]:443", "2001:db8::1", "443");
  expect_place("--forward 8080", "127.0.0.1", "8080");
  expect_place("--forward 0", "127.0.0.1", "0");
  expect_place("--forward 0.0.0.0:08", "0.0.0.0", "8");
  expect_place("--forward [::]:8080", "::", "8080");
  floe__connect_options_clear(&options);
  static const char *const bad[] = {"localhost", "80", ":80", "a:0", "a:65536", "a:b", "::1:80", "[]:80", "a:"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char line[64], sentence[160];
    (void)snprintf(line, sizeof line, "--expose %s", bad[i]);
    (void)snprintf(sentence, sizeof sentence, "%s: not HOST:PORT, such as localhost:8080 or [::1]:8080", line);
    refuses(line, sentence);
  }
  refuses("--forward :80", "--forward :80: not PORT or BIND:PORT, such as 8080, 0.0.0.0:8080 or [::1]:8080");
}

static void what_it_shares_with_check(void **state) {
  (void)state;
  accepts("-s stun:a --server turn:b -u me --credential pw -6 --interface x --port-range 1000-2000 --timeout 1.5");
  assert_int_equal(options.net.n_urls, 2);
  assert_string_equal(options.net.urls[1], "turn:b");
  assert_string_equal(options.net.user, "me");
  assert_string_equal(options.net.credential, "pw");
  assert_true(options.net.no_ipv4);
  assert_int_equal(options.net.port_max, 2000);
  assert_int_equal(options.net.timeout_ms, 1500);
  accepts("--ice-servers f --relay-only --insecure --include-loopback --trace t --trace-addresses -v");
  assert_true(options.net.relay_only && options.net.insecure && options.net.include_loopback && options.net.verbose);
  assert_string_equal(options.net.ice_servers, "f");
  floe__connect_options_clear(&options);
}

static void json(void **state) {
  (void)state;
  accepts("--json --keylog k -n");
  assert_true(options.json && options.json_file == NULL && options.no_input);
  assert_string_equal(options.keylog, "k");
  accepts("--json=f");
  assert_string_equal(options.json_file, "f");
  floe__connect_options_clear(&options);
}

static void what_is_refused(void **state) {
  (void)state;
  refuses("--send a --receive b",
          "only one of --send, --receive, --expose and --forward, and only --send more than once");
  refuses("--receive a --receive b",
          "only one of --send, --receive, --expose and --forward, and only --send more than once");
  refuses("floe1:a floe1:b", "only one ticket can be answered: what is 'floe1:b'?");
  refuses("-4 -6", "-4 and -6 exclude each other");
  refuses("--force", "--force needs --receive");
  refuses("--no-input --receive d", "--no-input: with --receive standard input is not read anyway");
  refuses("--relay-only", "--relay-only needs a TURN server: give --server or --ice-servers");
  refuses("--ticket-in a floe1:b", "the ticket to answer is on the command line or in --ticket-in, not both");
  refuses("--ticket-out -", "--ticket-out -: standard output is for the data");
  refuses("--ice-servers -", "standard input can be one thing only: the data, the iceServers or the credential");
  refuses("-u me", "--user and credentials are for --server; those of --ice-servers are in the JSON");
  refuses("-s turn:a --credential x", "a credential needs --user");
  refuses("-s turn:a --ttl 5", "--ttl needs --secret or --secret-file");
  refuses("--trace-addresses", "--trace-addresses needs --trace");
  refuses("--timeout never", "--timeout never: not a number of seconds from 0.1 to 86400");
  refuses("--send", "option --send needs FILE");
  refuses("--force=yes", "option --force takes no argument");
  refuses("--recieve d", "unknown option --recieve; did you mean --receive?");
  refuses("--credentiel=secret", "unknown option --credentiel; did you mean --credential?");
  refuses("-x", "unknown option -x");
}

static void modes_fit_in_pairs(void **state) {
  (void)state;
  for (int i = 0; i < FLOE__CONNECT_MODES; i++) {
    floe__connect_mode mode = (floe__connect_mode)i;
    assert_int_equal(floe__connect_mode_of_peer(floe__connect_mode_of_peer(mode)), mode);
  }
  assert_string_equal(floe__connect_mode_option(floe__connect_mode_of_peer(FLOE__CONNECT_SEND)), "--receive");
  assert_string_equal(floe__connect_mode_option(FLOE__CONNECT_PIPE), "");
}

/* --- texts ------------------------------------------------------------------------------------------------------ */

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

static const floe__connect_option_row *row(size_t i) {
  return &floe__connect_option_rows[i];
}

static bool is_optional(const char *arg) {
  return arg[0] == '[' && arg[strlen(arg) - 1] == ']';
}

static void the_help_has_each_option(void **state) {
  (void)state;
  char *text = NULL, entry[64];
  size_t len = 0;
  FILE *f = open_memstream(&text, &len);
  floe__connect_print_help(f);
  (void)fclose(f);
  for (size_t i = 0; i < floe__connect_option_row_count; i++) {
    const char *arg = row(i)->arg;
    (void)snprintf(entry, sizeof entry, "--%s%s%s", row(i)->name,
                   arg[0] == '\0'     ? ""
                   : is_optional(arg) ? "[="
                                      : " ",
                   is_optional(arg) ? arg + 1 : arg);
    if (strstr(text, entry) == NULL) fail_msg("%s is not in the help", entry);
  }
  for (const char *line = text; line != NULL; line = strchr(line + 1, '\n')) {
    assert_true(strcspn(line + 1, "\n") <= 120);
  }
  free(text);
}

/* From one heading to another, without escapes and quotes. */
static char *read_man_part(const char *from, const char *to) {
  char *text = read_source("docs/man/floe-connect.1"), *begin = strstr(text, from), *at = text;
  assert_non_null(begin);
  const char *end = strstr(begin, to);
  assert_non_null(end);
  for (const char *p = begin; p < end; p++) {
    if (*p != '\\' && *p != '"') *at++ = *p;
  }
  *at = '\0';
  return text;
}

static void the_man_page_has_each_option_and_no_other(void **state) {
  (void)state;
  char *text = read_man_part(".SH OPTIONS", ".SH OUTPUT"), entry[96];
  size_t found = 0;
  for (const char *p = text; (p = strstr(p, ".TP")) != NULL; p++) found++;
  assert_int_equal(found, floe__connect_option_row_count);
  for (size_t i = 0; i < floe__connect_option_row_count; i++) {
    char letter[8] = "";
    const char *arg = row(i)->arg;
    if (row(i)->letter != 0) (void)snprintf(letter, sizeof letter, "-%c, ", row(i)->letter);
    (void)snprintf(entry, sizeof entry, "%s--%s%s%s\n", letter, row(i)->name,
                   arg[0] == '\0'     ? ""
                   : is_optional(arg) ? " [="
                                      : "  ",
                   is_optional(arg) ? arg + 1 : arg);
    if (strstr(text, entry) == NULL) fail_msg("%s is not in the man page", entry);
  }
  free(text);
}

static void the_man_page_has_each_exit_status(void **state) {
  (void)state;
  char *text = read_man_part(".SH EXIT STATUS", ".SH EXAMPLES"), entry[160];
#define FLOE__ROW(id, number, sentence)                                      \
  (void)snprintf(entry, sizeof entry, ".TP\n.B %d\n%s\n", number, sentence); \
  if (strstr(text, entry) == NULL) fail_msg("'%s' is not in the man page", entry);
  FLOE__CONNECT_EXIT_MAP(FLOE__ROW)
#undef FLOE__ROW
  free(text);
}

static void the_completion_has_each_option(void **state) {
  (void)state;
  char *text = read_source("cli/completion/floe.bash"), *begin = strstr(text, "_floe_connect_options=\""), entry[64];
  assert_non_null(begin);
  begin = strchr(begin, '"') + 1;
  *strchr(begin, '"') = '\0';
  for (size_t i = 0; i < floe__connect_option_row_count; i++) {
    (void)snprintf(entry, sizeof entry, "--%s", row(i)->name);
    if (strstr(begin, entry) == NULL) fail_msg("%s is not in the completion", entry);
    (void)snprintf(entry, sizeof entry, " -%c", row(i)->letter);
    if (row(i)->letter != 0 && strstr(begin, entry) == NULL) fail_msg("%s is not in the completion", entry);
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults),
      cmocka_unit_test(tickets),
      cmocka_unit_test(files),
      cmocka_unit_test(places),
      cmocka_unit_test(what_it_shares_with_check),
      cmocka_unit_test(json),
      cmocka_unit_test(what_is_refused),
      cmocka_unit_test(modes_fit_in_pairs),
      cmocka_unit_test(the_help_has_each_option),
      cmocka_unit_test(the_man_page_has_each_option_and_no_other),
      cmocka_unit_test(the_man_page_has_each_exit_status),
      cmocka_unit_test(the_completion_has_each_option),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
