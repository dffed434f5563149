/* Building blocks of the JSON lines: members that are null, or left out, when nothing is known. */
#ifndef FLOE_CLI_JSON_VALUE_H
#define FLOE_CLI_JSON_VALUE_H

#include <jansson.h>
#include <stdio.h>

#include "floe/types.h"

/* Each sets a member of `object`. NULL, false and "no address" leave it out. */
void floe__json_set_text(json_t *object, const char *name, const char *text /* nullable */);
void floe__json_set_number(json_t *object, const char *name, bool is_known, double value);
void floe__json_set_integer(json_t *object, const char *name, bool is_known, int64_t value);
void floe__json_set_true(json_t *object, const char *name, bool value); /* left out when false */
void floe__json_set_addr(json_t *object, const char *name, const floe_addr *addr);
void floe__json_set_date(json_t *object, const char *name, bool is_known, int64_t unix_s);

/* Sets the member to null unless it is there: for members that a line always has. */
void floe__json_or_null(json_t *object, const char *name);

/* Prints the object as one line and frees it; the caller flushes. Numbers of milliseconds keep three digits after the
 * point. */
void floe__json_print_line(FILE *out, json_t *object /* takes */);

#endif
