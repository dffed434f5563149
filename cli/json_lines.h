/* The lines of `floe check --json` (the contract's section 7): one object a line. */
#ifndef FLOE_CLI_JSON_LINES_H
#define FLOE_CLI_JSON_LINES_H

#include <stdio.h>

#include "ice_servers_json.h"
#include "result.h"

void floe__json_print_event(FILE *out, const floe_event *event);
/* `round`: 0, or the number of the round under --watch, from 1. */
void floe__json_print_report(FILE *out, const floe__check_result *result, unsigned round);
/* The one line of a refused configuration. */
void floe__json_print_error(FILE *out, const floe__json_error *why);

#endif
