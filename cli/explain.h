/* `floe check --explain CAUSE`. */
#ifndef FLOE_CLI_EXPLAIN_H
#define FLOE_CLI_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

/* Prints what the cause means and what to try; "list" prints all causes. On false nothing was printed, and `why` (cap
 * bytes) names the nearest cause. */
bool floe__explain_print(FILE *out, const char *cause, char *why, size_t cap);

#endif
