/* An event of a trace in plain words. */
#ifndef FLOE_CLI_TRACE_WORDS_H
#define FLOE_CLI_TRACE_WORDS_H

#include "trace_story.h"

typedef enum floe__words_tone { FLOE__TONE_PLAIN = 0, FLOE__TONE_GOOD, FLOE__TONE_BAD } floe__words_tone;

/* What comes again and again, and is told together. */
typedef enum floe__words_group {
  FLOE__GROUP_NONE = 0,
  FLOE__GROUP_REQUEST_AGAIN, /* to a server */
  FLOE__GROUP_CHECK_AGAIN,
  FLOE__GROUP_PEER_CHECK,
  FLOE__GROUP_CONSENT
} floe__words_group;

typedef struct floe__words {
  char text[400];
  floe__words_tone tone;
  bool is_detail; /* for --verbose only */
  floe__words_group group;
  uint32_t member; /* of a group: the pair, or the peer's candidate; 0 = none */
} floe__words;

/* `s` holds what was told so far, this line included. False: the event is not known, and there are no words. */
bool floe__words_make(floe__words *w, const floe__story *s, const floe__trace_line *line);

/* "udp_timeout (no answer over UDP)"; the id alone when it is not known; "" for "" and "none". Returns `buf`. */
enum { FLOE__CAUSE_TEXT = 160 };
const char *floe__words_cause(const char *id, char *buf);

/* "alert 42 (bad_certificate)", as RFC 8446 6 calls it; without a name when it is not known. Returns `buf`. */
enum { FLOE__ALERT_TEXT = 64 };
const char *floe__words_alert(uint32_t alert, char *buf);

/* Every event that has words, NULL at the end: for the test that compares them with the guide. */
const char *floe__words_event(size_t index);

#endif
