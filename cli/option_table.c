#include "option_table.h"

#include <string.h>

#include "text.h"

const floe__option_row floe__option_rows[] = {
#define FLOE__ROW(id, letter, name, arg, text) {id, letter, name, arg, text},
#define FLOE__GROUP(title)
    FLOE__OPTION_MAP(FLOE__ROW, FLOE__GROUP)
#undef FLOE__ROW
#undef FLOE__GROUP
};

const size_t floe__option_row_count = sizeof floe__option_rows / sizeof floe__option_rows[0];

enum { TEXT_COLUMN = 30, LINE_WIDTH = 100 };

static void print_row(FILE *out, const floe__option_row *row) {
  char left[64], letter[8] = "    ";
  if (row->letter != 0) (void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
  const char *joint = row->arg[0] == '\0' ? "" : row->arg[0] == '[' ? "" : " ";
  (void)snprintf(left, sizeof left, "  %s--%s%s", letter, row->name, joint);
  size_t n = strlen(left);
  if (row->arg[0] == '[') { /* an optional argument is joined with '=' */
    (void)snprintf(left + n, sizeof left - n, "[=%s", row->arg + 1);
  } else {
    (void)snprintf(left + n, sizeof left - n, "%s", row->arg);
  }
  (void)fprintf(out, "%-*s", TEXT_COLUMN - 2, left);
  if (strlen(left) > TEXT_COLUMN - 2) {
    (void)fprintf(out, "\n%*s", TEXT_COLUMN, "");
  } else {
    (void)fputs("  ", out);
  }
  floe__text_print_wrapped(out, row->text, TEXT_COLUMN, TEXT_COLUMN, LINE_WIDTH);
}

static void print_group(FILE *out, const char *title) {
  (void)fprintf(out, "\n%s:\n", title);
}

void floe__option_print_help(FILE *out) {
  const floe__option_row *row = floe__option_rows;
#define FLOE__ROW(id, letter, name, arg, text) print_row(out, row++);
#define FLOE__GROUP(title)                     print_group(out, title);
  FLOE__OPTION_MAP(FLOE__ROW, FLOE__GROUP)
#undef FLOE__ROW
#undef FLOE__GROUP
}
