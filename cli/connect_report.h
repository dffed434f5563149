/* What `floe connect` tells while it runs: lines for people on standard error, and JSON lines where they are asked for.
 * Never on standard output, which is for the data. */
#ifndef FLOE_CLI_CONNECT_REPORT_H
#define FLOE_CLI_CONNECT_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "floe/uv.h"

typedef struct floe__report {
  FILE *human; /* NULL: JSON lines have taken its place */
  FILE *json;  /* nullable */
  bool owns_json;
  bool verbose;
  bool is_terminal;   /* `human` shows a line that is drawn again and again */
  bool is_line_shown; /* it does now */
  char **told;        /* errors of servers that were told: "url cause" */
  size_t n_told;
  const char *keylog_name; /* nullable */
  FILE *keylog;            /* nullable */
} floe__report;

/* `json_file` NULL: JSON lines on standard error, in place of lines for people. False: a file cannot be written, and
 * `why` (cap bytes) says so. Clear it in both cases. */
bool floe__report_open(floe__report *r, bool json, const char *json_file, bool verbose, char *why, size_t cap);
void floe__report_clear(floe__report *r);

/* Opens the file that the keys go to; only its owner may read it. */
bool floe__report_open_keylog(floe__report *r, const char *name /* nullable */, char *why, size_t cap);
/* For floe_pc_config: a line of the key log. */
void floe__report_keylog(void *user, const char *line);

/* A line for people, "floe connect: " before it; as JSON an object of type "message". The text is cleaned. */
void FLOE_PRINTF(2, 3) floe__report_say(floe__report *r, const char *format, ...);
/* The same without the name before it: what belongs to the line before, or is no message but a text to be copied. */
void FLOE_PRINTF(2, 3) floe__report_text(floe__report *r, const char *format, ...);
/* The line that is drawn again and again; gone before anything else is printed. Nothing where there is no terminal. */
void floe__report_draw(floe__report *r, const char *text);
void floe__report_erase(floe__report *r);

/* A JSON line of this type; members are added to it by the caller. NULL when there are no JSON lines. */
json_t *floe__report_object(const floe__report *r, const char *type);
void floe__report_print(const floe__report *r, json_t *object /* takes; nullable */);
/* A line for the event, as `floe check --json` has them. */
void floe__report_event(const floe__report *r, const floe_event *event);

/* An error of a server: once for each URL and cause, with --verbose each time. */
void floe__report_server_error(floe__report *r, const floe_candidate_error *e);

#endif
