/* Text that comes from outside, made fit for a terminal or for JSON; and small helpers for text of our own. */
#ifndef FLOE_CLI_TEXT_H
#define FLOE_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A copy in which bytes that are no UTF-8, control characters and characters that change the direction of writing are
 * U+FFFD: a server's words must not move the cursor. out: caller frees with free. */
char *floe__text_clean(const char *text);

/* The copy for JSON: only bytes that are no UTF-8 are U+FFFD. out: caller frees with free. */
char *floe__text_utf8(const char *text);

/* "2027-01-31" and "2027-01-31T12:00:00Z". `buf` holds FLOE__DATE_TEXT bytes; returns it. */
#define FLOE__DATE_TEXT 32
const char *floe__text_date(int64_t unix_s, char *buf);
const char *floe__text_date_time(int64_t unix_s, char *buf);

/* "0.34 ms", "12.3 ms", "340 ms", "4.1 s". `buf` holds FLOE__SPAN_TEXT bytes; returns it. */
#define FLOE__SPAN_TEXT 32
const char *floe__text_span(double ms, char *buf);

/* The server URL fit for a message: what may be a user name and a password before an '@' is '*', byte for byte, so that
 * offsets stay. out: caller frees with free. */
char *floe__text_mask_url(const char *url);

/* Prints the text, whose first byte is at `column`, broken at spaces before `width`, and ends the line. Further lines
 * are indented as far as `indent`. `width` 0: one line. */
void floe__text_print_wrapped(FILE *out, const char *text, size_t column, size_t indent, size_t width);

/* The word of the list nearest to `word`, or NULL when none is near. `words` ends with NULL. */
const char *floe__text_suggest(const char *word, const char *const *words);

/* "20", "2.5": a number of seconds as milliseconds. False when it is none, or not in [min_ms, max_ms]. */
bool floe__text_seconds(const char *text, uint32_t min_ms, uint32_t max_ms, uint32_t *out_ms);
/* A whole number in [min, max]. */
bool floe__text_number(const char *text, uint32_t min, uint32_t max, uint32_t *out);

#endif
