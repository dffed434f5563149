#include "trace_words.h"

#include <stdarg.h>
#include <stdio.h>

#include "trace_words_internal.h"

/* --- for the tables ----------------------------------------------------------------------------------------------- */

void floe__say(floe__words *w, const char *format, ...) {
  size_t n = strlen(w->text);
  va_list args;
  va_start(args, format);
  (void)vsnprintf(w->text + n, sizeof w->text - n, format, args);
  va_end(args);
}

bool floe__said(const floe__trace_line *line, const char *name, const char *value) {
  return strcmp(floe__trace_line_text(line, name), value) == 0;
}

uint32_t floe__said_id(const floe__trace_line *line, const char *name) {
  uint32_t id = 0;
  return floe__trace_line_id(line, name, &id) ? id : 0;
}

const char *floe__words_cause(const char *id, char *buf) {
  floe_cause cause = floe_cause_from_id(id);
  if (cause == FLOE_CAUSE_NONE) id = "";
  if (cause == FLOE_CAUSE_NONE || cause == FLOE_CAUSE_COUNT) {
    (void)snprintf(buf, FLOE__CAUSE_TEXT, "%s", id);
  } else {
    (void)snprintf(buf, FLOE__CAUSE_TEXT, "%s (%s)", id, floe_cause_sentence(cause));
  }
  return buf;
}

const char *floe__words_alert(uint32_t alert, char *buf) {
  static const struct {
    uint32_t number;
    const char *name;
  } names[] = {{0, "close_notify"},
               {10, "unexpected_message"},
               {20, "bad_record_mac"},
               {22, "record_overflow"},
               {40, "handshake_failure"},
               {42, "bad_certificate"},
               {43, "unsupported_certificate"},
               {44, "certificate_revoked"},
               {45, "certificate_expired"},
               {46, "certificate_unknown"},
               {47, "illegal_parameter"},
               {48, "unknown_ca"},
               {49, "access_denied"},
               {50, "decode_error"},
               {51, "decrypt_error"},
               {70, "protocol_version"},
               {71, "insufficient_security"},
               {80, "internal_error"},
               {90, "user_canceled"},
               {109, "missing_extension"},
               {110, "unsupported_extension"},
               {116, "certificate_required"},
               {120, "no_application_protocol"}};
  (void)snprintf(buf, FLOE__ALERT_TEXT, "alert %u", alert);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (names[i].number == alert) (void)snprintf(buf, FLOE__ALERT_TEXT, "alert %u (%s)", alert, names[i].name);
  }
  return buf;
}

void floe__say_cause(floe__words *w, const floe__trace_line *line) {
  char buf[FLOE__CAUSE_TEXT];
  const char *text = floe__words_cause(floe__trace_line_text(line, "cause"), buf);
  if (text[0] != '\0') floe__say(w, ": %s", text);
}

void floe__say_states(floe__words *w, const char *what, const floe__trace_line *line) {
  floe__say(w, "%s: %s -> %s", what, floe__trace_line_text(line, "from"), floe__trace_line_text(line, "to"));
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static const floe__known_event *const tables[] = {floe__words_of_gathering, floe__words_of_connecting,
                                                  floe__words_of_connections, floe__words_of_others};
enum { N_TABLES = sizeof tables / sizeof tables[0] };

const char *floe__words_event(size_t index) {
  for (size_t i = 0; i < N_TABLES; i++) {
    for (const floe__known_event *known = tables[i]; known->name != NULL; known++) {
      if (index-- == 0) return known->name;
    }
  }
  return NULL;
}

bool floe__words_make(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  memset(w, 0, sizeof *w);
  for (size_t i = 0; i < N_TABLES; i++) {
    for (const floe__known_event *known = tables[i]; known->name != NULL; known++) {
      if (strcmp(line->event, known->name) != 0) continue;
      known->say(w, s, line);
      return true;
    }
  }
  return false;
}
