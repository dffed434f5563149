/* Traces of peer connections: descriptions, DTLS, SCTP, channels. */
#include "trace_words_internal.h"

/* "our offer", "the peer's answer" */
static void say_description(floe__words *w, const floe__trace_line *line) {
  floe__say(w, "%s %s", floe__said(line, "side", "remote") ? "the peer's" : "our", floe__trace_line_text(line, "type"));
}

static void description(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  uint32_t candidates = floe__said_id(line, "candidates"), sections = floe__said_id(line, "sections");
  (void)s;
  if (floe__said(line, "type", "rollback")) {
    floe__say(w, "%s offer is rolled back", floe__said(line, "side", "remote") ? "the peer's" : "our");
    return;
  }
  say_description(w, line);
  floe__say(w, " is set: %u section%s", sections, sections == 1 ? "" : "s");
  if (!floe__trace_line_flag(line, "data")) floe__say(w, ", none for channels");
  if (candidates > 0) floe__say(w, ", %u candidate%s", candidates, candidates == 1 ? "" : "s");
  if (floe__trace_line_flag(line, "restart")) floe__say(w, ", restarts ICE");
}

static void refused(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  w->tone = FLOE__TONE_BAD;
  say_description(w, line);
  floe__say(w, " is refused: %s", floe__trace_line_text(line, "status"));
}

static void signaling(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  w->is_detail = true;
  floe__say_states(w, "signalling", line);
}

static void pc_state(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  const char *cause = floe__trace_line_text(line, "cause");
  floe__say_states(w, "connection", line);
  if (cause[0] != '\0') floe__say(w, ": %s", cause); /* the layer that it comes from tells more */
  if (floe__said(line, "to", "connected")) w->tone = FLOE__TONE_GOOD;
  if (floe__said(line, "to", "failed") || floe__said(line, "to", "disconnected")) w->tone = FLOE__TONE_BAD;
}

static void pc_dtls(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  w->is_detail = true;
  floe__say_states(w, "DTLS transport", line);
}

/* --- DTLS --------------------------------------------------------------------------------------------------------- */

static void say_alert(floe__words *w, const floe__trace_line *line, const char *member, const char *verb) {
  uint32_t alert;
  char buf[FLOE__ALERT_TEXT];
  if (floe__trace_line_id(line, member, &alert)) {
    floe__say(w, "; %s %s", floe__words_alert(alert, buf), verb);
  }
}

static void dtls_failed(floe__words *w, const floe__trace_line *line) {
  w->tone = FLOE__TONE_BAD;
  floe__say(w, "DTLS failed");
  floe__say_cause(w, line);
  say_alert(w, line, "alert_received", "received");
  say_alert(w, line, "alert_sent", "sent");
}

static void dtls_state(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  const char *group = floe__trace_line_text(line, "group");
  uint32_t alert;
  (void)s;
  if (floe__said(line, "to", "handshake")) {
    floe__say(w, "the DTLS handshake begins, as %s", floe__trace_line_text(line, "role"));
  } else if (floe__said(line, "to", "open")) {
    w->tone = FLOE__TONE_GOOD;
    floe__say(w, "DTLS is established: %s, %s%s%s", floe__trace_line_text(line, "version"),
              floe__trace_line_text(line, "cipher"), group[0] == '\0' ? "" : ", ", group);
  } else if (floe__said(line, "to", "failed")) {
    dtls_failed(w, line);
  } else if (floe__said(line, "to", "closed")) {
    floe__say(w, "DTLS is closed by %s", floe__trace_line_id(line, "alert_received", &alert) ? "the peer" : "us");
  } else {
    w->is_detail = true;
    floe__say_states(w, "DTLS", line);
  }
}

/* --- SCTP --------------------------------------------------------------------------------------------------------- */

static void sctp_connected(floe__words *w, const floe__trace_line *line) {
  uint32_t in = floe__said_id(line, "streams_in"), out = floe__said_id(line, "streams_out");
  w->tone = FLOE__TONE_GOOD;
  floe__say(w, "the SCTP association is up: %u", in);
  if (in != out) floe__say(w, " and %u", out);
  floe__say(w, " streams%s", floe__trace_line_flag(line, "interleaving") ? ", interleaved" : "");
}

/* That a program wished it is how connections end. */
static void sctp_closed(floe__words *w, const floe__trace_line *line) {
  const char *text = floe__trace_line_text(line, "text");
  if (floe__said(line, "by", "us") || floe__said(line, "by", "peer")) {
    uint32_t code = 0;
    bool wished = floe__trace_line_id(line, "code", &code) && code == 12; /* RFC 9260 3.3.10.12 */
    w->tone = wished ? FLOE__TONE_PLAIN : FLOE__TONE_BAD;
    floe__say(w, "the SCTP association is aborted by %s", floe__said(line, "by", "us") ? "us" : "the peer");
    if (!wished && code != 0) floe__say(w, " with code %u", code);
  } else {
    floe__say(w, "the SCTP association is closed");
    if (floe__said(line, "cause", "sctp_timeout")) w->tone = FLOE__TONE_BAD;
    floe__say_cause(w, line);
  }
  if (text[0] != '\0') floe__say(w, ": %s", text);
}

static void sctp_state(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  if (floe__said(line, "to", "connected")) {
    sctp_connected(w, line);
  } else if (floe__said(line, "to", "closed")) {
    sctp_closed(w, line);
  } else {
    w->is_detail = true;
    floe__say_states(w, "SCTP", line);
  }
}

/* --- channels ----------------------------------------------------------------------------------------------------- */

static void channel_made(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  uint32_t number;
  (void)s;
  floe__say(w, "channel %u is %s", floe__said_id(line, "channel"),
            floe__said(line, "by", "peer") ? "announced by the peer" : "made");
  if (floe__trace_line_id(line, "stream", &number)) floe__say(w, ", stream %u", number);
  if (floe__trace_line_flag(line, "negotiated")) floe__say(w, ", negotiated");
  if (floe__trace_line_id(line, "ordered", &number) && number == 0) floe__say(w, ", unordered");
  if (floe__trace_line_id(line, "max_retransmits", &number)) floe__say(w, ", at most %u retransmissions", number);
  if (floe__trace_line_id(line, "max_lifetime_ms", &number)) floe__say(w, ", for at most %u ms", number);
}

static void channel_state(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  floe__say(w, "channel %u is %s", floe__said_id(line, "channel"), floe__trace_line_text(line, "to"));
  if (floe__said(line, "to", "open")) w->tone = FLOE__TONE_GOOD;
  w->is_detail = floe__said(line, "to", "closing");
}

static void channel_message(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  uint32_t bytes = floe__said_id(line, "bytes");
  (void)s;
  floe__say(w, "channel %u: first message %s, %u byte%s", floe__said_id(line, "channel"),
            floe__trace_line_text(line, "first"), bytes, bytes == 1 ? "" : "s");
}

const floe__known_event floe__words_of_connections[] = {
    {"pc.description", description},
    {"pc.description.refused", refused},
    {"pc.signaling", signaling},
    {"pc.state", pc_state},
    {"pc.dtls", pc_dtls},
    {"dtls.state", dtls_state},
    {"sctp.state", sctp_state},
    {"pc.channel.made", channel_made},
    {"pc.channel", channel_state},
    {"pc.channel.message", channel_message},
    {NULL, NULL},
};
