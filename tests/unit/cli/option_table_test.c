#include "option_table.h"

#include "exit_status.h"
#include "fixture.h"

/* The help, the man page and the shell completion name the same options, with the same arguments. */

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

/* The man page without its escapes and fonts: "\-" is "-", "\fI" is nothing, quotes are dropped. */
static char *read_man(void) {
  char *text = read_source("docs/man/floe.1"), *to = text;
  for (const char *from = text; *from != '\0'; from++) {
    if (from[0] == '\\' && from[1] == 'f') {
      from += 2;
    } else if (from[0] == '"' || from[0] == '\\') {
      continue;
    } else {
      *to++ = *from;
    }
  }
  *to = '\0';
  return text;
}

static void write_entry(const floe__option_row *row, char *out, size_t cap) {
  char letter[8] = "";
  if (row->letter != 0) (void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
  const char *joint = row->arg[0] == '[' ? "[=" : row->arg[0] == '\0' ? "" : " ";
  (void)snprintf(out, cap, "%s--%s%s%s", letter, row->name, joint, row->arg[0] == '[' ? row->arg + 1 : row->arg);
}

/* ".BI --watch [=SECONDS]" reads "--watch[=SECONDS]": a space that only separates arguments of the macro. */
static void write_man_entry(const floe__option_row *row, char *out, size_t cap) {
  char entry[96];
  write_entry(row, entry, sizeof entry);
  char *optional = strstr(entry, "[=");
  if (optional == NULL) {
    (void)snprintf(out, cap, ".TP\n.%s %s\n", row->arg[0] == '\0' ? "B" : "BI", entry);
    char *gap = row->arg[0] == '\0' ? NULL : strrchr(out, ' '); /* .BI puts the space into its second argument */
    if (gap != NULL) {
      memmove(gap + 1, gap, strlen(gap) + 1);
    }
  } else {
    (void)snprintf(out, cap, ".TP\n.BI %.*s %s\n", (int)(optional - entry), entry, optional);
  }
}

static void the_man_page_has_each_option(void **state) {
  (void)state;
  char *man = read_man();
  for (size_t i = 0; i < floe__option_row_count; i++) {
    char entry[128];
    write_man_entry(&floe__option_rows[i], entry, sizeof entry);
    expect_contains(man, entry);
  }
  free(man);
}

static const floe__option_row *find_row(const char *name, size_t len) {
  for (size_t i = 0; i < floe__option_row_count; i++) {
    const char *row = floe__option_rows[i].name;
    if (strlen(row) == len && memcmp(row, name, len) == 0) return &floe__option_rows[i];
  }
  return NULL;
}

static bool is_name_byte(char c) {
  return c == '-' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static size_t count_options(const char *text, const char *where) {
  size_t n = 0;
  for (const char *p = text; (p = strstr(p, "--")) != NULL; n++) {
    p += 2;
    size_t len = 0;
    while (is_name_byte(p[len])) len++;
    if (find_row(p, len) == NULL) fail_msg("%s names --%.*s, which floe check does not have", where, (int)len, p);
    p += len;
  }
  return n;
}

static void the_man_page_has_no_other_option(void **state) {
  (void)state;
  char *man = read_man();
  const char *options = strstr(man, ".SH OPTIONS");
  assert_non_null(options);
  assert_true(count_options(options, "the man page") >= floe__option_row_count);
  free(man);
}

static void the_completion_has_the_same_options(void **state) {
  (void)state;
  char *text = read_source("cli/completion/floe.bash");
  char *list = strstr(text, "_floe_check_options=\""), *end;
  assert_non_null(list);
  list += strlen("_floe_check_options=\"");
  end = strchr(list, '"');
  assert_non_null(end);
  *end = '\0';
  for (char *p = list; *p != '\0'; p++) *p = *p == '\n' ? ' ' : *p;
  assert_int_equal(count_options(list, "the completion"), floe__option_row_count);
  for (size_t i = 0; i < floe__option_row_count; i++) {
    char word[8];
    if (floe__option_rows[i].letter == 0) continue;
    (void)snprintf(word, sizeof word, " -%c", floe__option_rows[i].letter);
    expect_contains(list, word);
  }
  free(text);
}

static void help_shows_each_option(void **state) {
  (void)state;
  caught c;
  catch_open(&c);
  floe__option_print_help(c.out);
  const char *text = catch_close(&c);
  for (size_t i = 0; i < floe__option_row_count; i++) {
    char entry[96];
    write_entry(&floe__option_rows[i], entry, sizeof entry);
    expect_contains(text, entry);
  }
  for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
    if (strcspn(line, "\n") > 100) fail_msg("a line of the help is too long: %.120s", line);
  }
  catch_free(&c);
}

static void the_man_page_has_the_groups_and_the_exit_statuses(void **state) {
  (void)state;
  char *man = read_man();
  char entry[160];
#define FLOE__ROW(id, letter, name, arg, text)
#define FLOE__GROUP(title)                                \
  (void)snprintf(entry, sizeof entry, ".SS %s\n", title); \
  expect_contains(man, entry);
  FLOE__OPTION_MAP(FLOE__ROW, FLOE__GROUP)
#undef FLOE__ROW
#undef FLOE__GROUP
#define FLOE__ROW(id, number, word, text)                                     \
  (void)snprintf(entry, sizeof entry, ".B %d\n%s: %s\n", number, word, text); \
  expect_contains(man, entry);
  FLOE__EXIT_MAP(FLOE__ROW)
#undef FLOE__ROW
  free(man);
}

static void names_are_unique(void **state) {
  (void)state;
  for (size_t i = 0; i < floe__option_row_count; i++) {
    for (size_t k = 0; k < i; k++) {
      assert_string_not_equal(floe__option_rows[i].name, floe__option_rows[k].name);
      if (floe__option_rows[i].letter != 0)
        assert_int_not_equal(floe__option_rows[i].letter, floe__option_rows[k].letter);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_man_page_has_each_option),
      cmocka_unit_test(the_man_page_has_no_other_option),
      cmocka_unit_test(the_completion_has_the_same_options),
      cmocka_unit_test(help_shows_each_option),
      cmocka_unit_test(the_man_page_has_the_groups_and_the_exit_statuses),
      cmocka_unit_test(names_are_unique),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
