#include "trace_line.h"

#include <stdio.h>
#include <string.h>

/* The largest time that is shown to the millisecond: some 30,000 years. */
#define T_MS_MAX 1e15

static bool break_line(floe__trace_line *line, int column, const char *why) {
  line->column = column < 1 ? 1 : column;
  (void)snprintf(line->why, sizeof line->why, "%s", why);
  return false;
}

bool floe__trace_line_parse(floe__trace_line *line, const char *text, size_t len) {
  json_error_t error;
  memset(line, 0, sizeof *line);
  line->object = json_loadb(text, len, 0, &error);
  if (line->object == NULL) return break_line(line, error.column, error.text);
  if (!json_is_object(line->object)) return break_line(line, 1, "not a JSON object");
  line->event = json_string_value(json_object_get(line->object, "event"));
  if (line->event == NULL) return break_line(line, 1, "no trace event: it has no text `event`");
  const json_t *t = json_object_get(line->object, "t_ms");
  if (!json_is_number(t)) return break_line(line, 1, "no trace event: it has no number `t_ms`");
  line->t_ms = json_number_value(t);
  if (!(line->t_ms >= 0 && line->t_ms < T_MS_MAX)) return break_line(line, 1, "`t_ms` is not a time");
  if (!floe__trace_line_id(line, "agent", &line->agent)) line->agent = 0;
  return true;
}

void floe__trace_line_clear(floe__trace_line *line) {
  json_decref(line->object);
  line->object = NULL;
}

const char *floe__trace_line_text(const floe__trace_line *line, const char *name) {
  const char *text = json_string_value(json_object_get(line->object, name));
  return text == NULL ? "" : text;
}

bool floe__trace_line_number(const floe__trace_line *line, const char *name, int64_t *out) {
  const json_t *value = json_object_get(line->object, name);
  if (!json_is_integer(value)) return false;
  *out = json_integer_value(value);
  return true;
}

bool floe__trace_line_id(const floe__trace_line *line, const char *name, uint32_t *out) {
  int64_t number;
  if (!floe__trace_line_number(line, name, &number) || number < 0 || number > UINT32_MAX) return false;
  *out = (uint32_t)number;
  return true;
}

bool floe__trace_line_flag(const floe__trace_line *line, const char *name) {
  const json_t *value = json_object_get(line->object, name);
  return json_is_true(value) || (json_is_integer(value) && json_integer_value(value) != 0);
}
