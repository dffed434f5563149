/* The exit status of `floe check`: the one place that knows the numbers (the contract's section 7). */
#ifndef FLOE_CLI_EXIT_STATUS_H
#define FLOE_CLI_EXIT_STATUS_H

#include <stdio.h>

#include "result.h"

/* One row per status: enumerator, number, word, sentence for --help and the man page. */
#define FLOE__EXIT_MAP(X)                                                                   \
  X(FLOE__EXIT_OK, 0, "ok", "every server works (or is not used under --relay-only)")       \
  X(FLOE__EXIT_DEGRADED, 1, "degraded", "every server works, but one not in every way")     \
  X(FLOE__EXIT_USAGE, 2, "usage", "the command line or the configuration is refused")       \
  X(FLOE__EXIT_DNS, 3, "dns", "a server's name could not be resolved")                      \
  X(FLOE__EXIT_UNREACHABLE, 4, "unreachable", "a server could not be reached or is silent") \
  X(FLOE__EXIT_TLS, 5, "tls", "TLS or the certificate failed")                              \
  X(FLOE__EXIT_AUTH, 6, "auth", "the credentials were not accepted")                        \
  X(FLOE__EXIT_ALLOCATE, 7, "allocate", "the server refused the allocation")                \
  X(FLOE__EXIT_RELAY, 8, "relay", "allocated, but the relay carries no data")               \
  X(FLOE__EXIT_OTHER, 9, "other", "anything else")

typedef enum floe__exit {
#define FLOE__ROW(id, number, word, text) id = number,
  FLOE__EXIT_MAP(FLOE__ROW)
#undef FLOE__ROW
} floe__exit;

/* Of a result: 0 ok or unused, 1 degraded, else the lowest class among the failed servers. */
int floe__exit_of_result(const floe__check_result *result);

/* Of two rounds together: a failure counts more than degraded, that more than ok; of two failures the lower class. */
int floe__exit_combine(int a, int b);

/* When standard output takes nothing any more; `error` is why, as errno, 0 when not known. A reader who has gone (head,
 * a closed pager) is worth no word; a full disk is one on standard error. */
int floe__exit_of_lost_output(int error);

/* The table for --help. */
void floe__exit_print_table(FILE *out);

#endif
