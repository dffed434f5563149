/* What people read: PASS, WARN or FAIL for each server, what was found out, what to try. */
#ifndef FLOE_CLI_HUMAN_H
#define FLOE_CLI_HUMAN_H

#include <stdio.h>

#include "result.h"

typedef struct floe__human {
  FILE *out;
  bool colour;
  bool verbose;   /* each attempt too */
  size_t width;   /* where to break long lines; 0 = nowhere */
  int64_t unix_s; /* now, for the days that a certificate has left */
} floe__human;

/* Certificates with fewer days left get a warning. */
enum { FLOE__CERT_WARN_DAYS = 14 };

/* For `out` as it is: colour only on a terminal, and not where NO_COLOR is set (no-color.org); lines broken only there.
 */
void floe__human_init(floe__human *h, FILE *out, bool verbose, int64_t unix_s);

void floe__human_print_server(const floe__human *h, const floe__check_server *server);
/* "1 of 3 servers failed (4.1 s)" */
void floe__human_print_summary(const floe__human *h, const floe__check_result *result);
/* All servers and the summary. */
void floe__human_print(const floe__human *h, const floe__check_result *result);

/* "PASS", "WARN", "FAIL" or "SKIP", in colour where wanted. */
void floe__human_print_word(const floe__human *h, floe_verdict verdict);

#endif
