/* The words of the events, by what they are about; each table ends with a row without name. */
#ifndef FLOE_CLI_TRACE_WORDS_INTERNAL_H
#define FLOE_CLI_TRACE_WORDS_INTERNAL_H

#include <string.h>

#include "trace_words.h"

typedef struct floe__known_event {
  const char *name;
  void (*say)(floe__words *w, const floe__story *s, const floe__trace_line *line);
} floe__known_event;

extern const floe__known_event floe__words_of_gathering[];
extern const floe__known_event floe__words_of_connecting[];
extern const floe__known_event floe__words_of_connections[];
extern const floe__known_event floe__words_of_others[];

/* Appends to the text. */
void floe__say(floe__words *w, const char *format, ...) FLOE_PRINTF(2, 3);
/* ": udp_timeout (no answer over UDP)", or nothing when the line has no cause. */
void floe__say_cause(floe__words *w, const floe__trace_line *line);
/* "what: from -> to", for what has no better words. */
void floe__say_states(floe__words *w, const char *what, const floe__trace_line *line);

/* The member is this text. */
bool floe__said(const floe__trace_line *line, const char *name, const char *value);
/* The member's number; 0 when it has none. */
uint32_t floe__said_id(const floe__trace_line *line, const char *name);

#endif
