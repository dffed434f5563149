/* Traces of what stands beside an agent: multicast DNS, probes of NATs, the test server. */
#include "trace_words_internal.h"

static void mdns_link(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  w->is_detail = !floe__said(line, "to", "failed");
  w->tone = w->is_detail ? FLOE__TONE_PLAIN : FLOE__TONE_BAD;
  floe__say(w, "multicast DNS on interface %u, IPv%u: %s -> %s", floe__said_id(line, "interface"),
            floe__said_id(line, "family"), floe__trace_line_text(line, "from"), floe__trace_line_text(line, "to"));
}

static void testserver_request(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  const char *from = floe__trace_line_text(line, "from");
  (void)s;
  w->is_detail = true;
  floe__say(w, "test server: %s over %s", floe__trace_line_text(line, "method"),
            floe__trace_line_text(line, "transport"));
  if (from[0] != '\0') floe__say(w, " from %s", from);
  if (floe__said(line, "answer", "error")) {
    floe__say(w, ": error %u", floe__said_id(line, "code"));
  } else {
    floe__say(w, ": %s", floe__said(line, "answer", "none") ? "no answer" : floe__trace_line_text(line, "answer"));
  }
}

static void nat_state(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  w->is_detail = true;
  floe__say_states(w, "NAT probe", line);
}

static void nat_survey(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  w->is_detail = true;
  floe__say_states(w, "NAT survey", line);
}

static void nat_ask(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  const char *to = floe__trace_line_text(line, "to"), *mapped = floe__trace_line_text(line, "mapped");
  uint32_t change = floe__said_id(line, "change");
  (void)s;
  floe__say(w, "question to %s", to[0] == '\0' ? "a STUN server" : to);
  if (change != 0) floe__say(w, ", to be answered from another %s", change == 2 ? "port" : "address");
  floe__say(w, ": %s", floe__trace_line_text(line, "state"));
  if (mapped[0] != '\0') floe__say(w, ", seen as %s", mapped);
  floe__say_cause(w, line);
}

static void nat_result(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  const char *hairpin = floe__trace_line_text(line, "hairpin");
  (void)s;
  floe__say(w, "NAT: mapping %s (%s), filtering %s (%s)", floe__trace_line_text(line, "mapping"),
            floe__trace_line_text(line, "mapping_certainty"), floe__trace_line_text(line, "filtering"),
            floe__trace_line_text(line, "filtering_certainty"));
  if (hairpin[0] != '\0') floe__say(w, ", hairpinning: %s", hairpin);
}

const floe__known_event floe__words_of_others[] = {
    {"mdns.link.state", mdns_link},
    {"nat.state", nat_state},
    {"nat.survey.state", nat_survey},
    {"nat.ask", nat_ask},
    {"nat.result", nat_result},
    {"testserver.request", testserver_request},
    {NULL, NULL},
};
