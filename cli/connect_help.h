/* `floe connect --help`, and the table that it and the parser read. */
#ifndef FLOE_CLI_CONNECT_HELP_H
#define FLOE_CLI_CONNECT_HELP_H

#include "connect_options.h"

typedef struct floe__connect_option_row {
  floe__connect_option_id id;
  char letter;
  const char *name, *arg;
  floe__option_id shared; /* END: not an option of `floe check` */
  const char *text;
} floe__connect_option_row;

extern const floe__connect_option_row floe__connect_option_rows[];
extern const size_t floe__connect_option_row_count;

/* One row per exit status: enumerator, number, sentence for --help and the man page. The numbers are those of `floe
 * check` for like failures. */
#define FLOE__CONNECT_EXIT_MAP(X)                                                                             \
  X(FLOE__CONNECT_EXIT_OK, 0, "everything was delivered, both ways")                                          \
  X(FLOE__CONNECT_EXIT_REFUSED, 1, "the other side refused something, or ended before everything was taken")  \
  X(FLOE__CONNECT_EXIT_USAGE, 2, "the command line, the configuration or a ticket is refused")                \
  X(FLOE__CONNECT_EXIT_UNREACHABLE, 4, "not connected: no path to the other side, or it did not come")        \
  X(FLOE__CONNECT_EXIT_DTLS, 5, "not connected: the DTLS handshake failed, or it is not who made the ticket") \
  X(FLOE__CONNECT_EXIT_FILE, 7, "a file could not be read or written, or its checksum is wrong")              \
  X(FLOE__CONNECT_EXIT_GONE, 8, "the connection was lost, or the other side left without a word")             \
  X(FLOE__CONNECT_EXIT_OTHER, 9, "anything else")

typedef enum floe__connect_exit {
#define FLOE__ROW(id, number, text) id = number,
  FLOE__CONNECT_EXIT_MAP(FLOE__ROW)
#undef FLOE__ROW
} floe__connect_exit;

void floe__connect_print_help(FILE *out);

#endif
