/* Lines of a trace, written with ' for ". */
#ifndef FLOE_TESTS_UNIT_CLI_TRACE_FIXTURE_H
#define FLOE_TESTS_UNIT_CLI_TRACE_FIXTURE_H

#include "fixture.h"
#include "trace_line.h"
#include "trace_story.h"

static inline char *with_quotes(const char *text) {
  char *copy = floe__cli_strdup(text);
  for (char *p = copy; *p != '\0'; p++) *p = *p == '\'' ? '"' : *p;
  return copy;
}

/* A line at a time in ms; `members` begins with a comma, or is empty. */
static inline floe__trace_line make_line(double t_ms, const char *event, const char *members) {
  char text[1024];
  floe__trace_line line;
  (void)snprintf(text, sizeof text, "{'t_ms':%.3f,'event':'%s'%s}", t_ms, event, members);
  char *json = with_quotes(text);
  if (!floe__trace_line_parse(&line, json, strlen(json))) fail_msg("%s: column %d: %s", text, line.column, line.why);
  free(json);
  return line;
}

static inline void add_line(floe__story *s, double t_ms, const char *event, const char *members) {
  floe__trace_line line = make_line(t_ms, event, members);
  floe__story_add(s, &line);
  floe__trace_line_clear(&line);
}

#endif
