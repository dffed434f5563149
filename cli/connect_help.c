#include "connect_help.h"

#include <string.h>

#include "text.h"

enum { TEXT_COLUMN = 30, LINE_WIDTH = 100 };

const floe__connect_option_row floe__connect_option_rows[] = {
#define FLOE__ROW(id, letter, name, arg, shared, text) {id, letter, name, arg, shared, text},
#define FLOE__GROUP(title)
    FLOE__CONNECT_OPTION_MAP(FLOE__ROW, FLOE__GROUP)
#undef FLOE__ROW
#undef FLOE__GROUP
};

const size_t floe__connect_option_row_count = sizeof floe__connect_option_rows / sizeof floe__connect_option_rows[0];

static void print_row(FILE *out, const floe__connect_option_row *row) {
  char left[64], letter[8] = "    ";
  size_t len = strlen(row->arg);
  bool is_optional = len > 0 && row->arg[0] == '[' && row->arg[len - 1] == ']';
  if (row->letter != 0) (void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
  (void)snprintf(left, sizeof left, "  %s--%s%s%s", letter, row->name,
                 len == 0      ? ""
                 : is_optional ? "[="
                               : " ",
                 is_optional ? row->arg + 1 : row->arg);
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

static void print_options(FILE *out) {
  const floe__connect_option_row *row = floe__connect_option_rows;
#define FLOE__ROW(id, letter, name, arg, shared, text) print_row(out, row++);
#define FLOE__GROUP(title)                             print_group(out, title);
  FLOE__CONNECT_OPTION_MAP(FLOE__ROW, FLOE__GROUP)
#undef FLOE__ROW
#undef FLOE__GROUP
}

void floe__connect_print_help(FILE *out) {
  (void)fputs(
      "usage: floe connect [OPTIONS]            one side: prints a ticket, and waits for the other's\n"
      "       floe connect [OPTIONS] TICKET     the other: answers it, and prints its own\n\n"
      "Connects two terminals anywhere: two lines are copied from one to the other, by whatever means, and what is\n"
      "written to the standard input of one comes out of the standard output of the other; or files, or TCP\n"
      "connections. Peer to peer where the network lets it, encrypted always. Standard output is only ever the data:\n"
      "tickets and messages are on standard error.\n",
      out);
  print_options(out);
  (void)fputs("\nExit status:\n", out);
#define FLOE__ROW(id, number, text) (void)fprintf(out, "  %d  %s\n", number, text);
  FLOE__CONNECT_EXIT_MAP(FLOE__ROW)
#undef FLOE__ROW
  (void)fputs(
      "  130, 143  ended by a signal; 141: nobody reads the output\n"
      "\nExamples:\n"
      "  floe connect                               and there: floe connect floe1:...\n"
      "  tar c photos | floe connect -s stun:stun.example.org\n"
      "  floe connect --send disk.img notes.txt     and there: floe connect --receive . floe1:...\n"
      "  floe connect --expose localhost:8080       and there: floe connect --forward 9000 floe1:...\n",
      out);
}
