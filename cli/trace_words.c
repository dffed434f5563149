#include "trace_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef floe__trace_line trace_line;

static void FLOE_PRINTF(2, 3) say(floe__words *w, const char *format, ...) {
  size_t n = strlen(w->text);
  va_list args;
  va_start(args, format);
  (void)vsnprintf(w->text + n, sizeof w->text - n, format, args);
  va_end(args);
}

static bool is(const trace_line *line, const char *name, const char *value) {
  return strcmp(floe__trace_line_text(line, name), value) == 0;
}

static uint32_t id_of(const trace_line *line, const char *name) {
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

static void say_cause(floe__words *w, const trace_line *line) {
  char buf[FLOE__CAUSE_TEXT];
  const char *text = floe__words_cause(floe__trace_line_text(line, "cause"), buf);
  if (text[0] != '\0') say(w, ": %s", text);
}

/* "from -> to", for what has no better words. */
static void say_states(floe__words *w, const char *what, const trace_line *line) {
  say(w, "%s: %s -> %s", what, floe__trace_line_text(line, "from"), floe__trace_line_text(line, "to"));
}

/* --- gathering -------------------------------------------------------------------------------------------------- */

static void agent_state(floe__words *w, const floe__story *s, const trace_line *line) {
  (void)s;
  if (is(line, "to", "gathering")) {
    say(w, "gathering begins");
  } else if (is(line, "to", "prefetching")) {
    say(w, "gathering begins ahead of time");
  } else if (is(line, "to", "closing")) {
    say(w, "the agent is closed");
  } else if (is(line, "to", "closed")) {
    say(w, "everything is closed");
  } else {
    say_states(w, "agent", line);
  }
}

static void gather_state(floe__words *w, const floe__story *s, const trace_line *line) {
  (void)s;
  if (is(line, "to", "open")) {
    say(w, "the host's addresses are known");
  } else if (is(line, "to", "complete")) {
    say(w, "gathering is complete");
  } else {
    w->is_detail = true;
    say_states(w, "gathering", line);
  }
}

static void gather_lookup(floe__words *w, const floe__story *s, const trace_line *line) {
  (void)s;
  const char *host = floe__trace_line_text(line, "host");
  const char *family = is(line, "family", "ipv6") ? "IPv6" : "IPv4";
  if (is(line, "status", "OK")) {
    uint32_t n = id_of(line, "addresses");
    say(w, "%s: %u %s address%s", host, n, family, n == 1 ? "" : "es");
  } else {
    w->tone = is(line, "status", "NODATA") ? FLOE__TONE_PLAIN : FLOE__TONE_BAD;
    say(w, "%s: no %s address, the resolver says %s", host, family, floe__trace_line_text(line, "status"));
  }
}

/* "server 0 URL 1, turn over udp, turn.example.org" */
static void say_server(floe__words *w, const trace_line *line) {
  const char *kind = floe__trace_line_text(line, "kind"), *host = floe__trace_line_text(line, "host");
  say(w, "server %u URL %u", id_of(line, "server"), id_of(line, "url"));
  if (kind[0] != '\0') say(w, ", %s over %s", kind, floe__trace_line_text(line, "transport"));
  if (host[0] != '\0') say(w, ", %s", host);
}

static void gather_attempt(floe__words *w, const floe__story *s, const trace_line *line) {
  const char *local = floe__trace_line_text(line, "local");
  uint32_t family = id_of(line, "family");
  (void)s;
  say_server(w, line);
  if (family != 0) say(w, ", IPv%u", family);
  if (local[0] != '\0') say(w, " from %s", local);
  if (is(line, "to", "running")) {
    say(w, ": begins");
  } else if (is(line, "to", "candidate")) {
    w->tone = FLOE__TONE_GOOD;
    say(w, ": gave a candidate");
  } else if (is(line, "to", "error")) {
    w->tone = FLOE__TONE_BAD;
    say(w, ": failed");
    say_cause(w, line);
  } else {
    say(w, ": %s", floe__trace_line_text(line, "to"));
  }
}

static void gather_try(floe__words *w, const floe__story *s, const trace_line *line) {
  const char *server = floe__trace_line_text(line, "server"), *host = floe__trace_line_text(line, "host");
  (void)s;
  w->is_detail = true;
  say(w, "try of %s%s%s", host[0] == '\0' ? "a server" : host, server[0] == '\0' ? "" : " at ", server);
  say(w, ": %s -> %s", floe__trace_line_text(line, "from"), floe__trace_line_text(line, "to"));
  if (is(line, "to", "ended")) say_cause(w, line);
}

static const char *method_name(uint32_t method) {
  switch (method) {
    case 0x001: return "Binding";
    case 0x003: return "Allocate";
    case 0x004: return "Refresh";
    case 0x008: return "CreatePermission";
    case 0x009: return "ChannelBind";
    default: return "unknown";
  }
}

static void request_sent(floe__words *w, const floe__story *s, const trace_line *line) {
  uint32_t transmission = id_of(line, "transmission");
  (void)s;
  say(w, "%s request sent", method_name(id_of(line, "method")));
  if (transmission > 1) {
    w->group = FLOE__GROUP_REQUEST_AGAIN;
    say(w, " again (%u)", transmission);
  } else {
    w->is_detail = true;
    if (floe__trace_line_flag(line, "signed")) say(w, ", signed");
  }
}

static void request_judged(floe__words *w, const floe__story *s, const trace_line *line) {
  uint32_t code = id_of(line, "code");
  (void)s;
  w->is_detail = true;
  say(w, "%s request: %s", method_name(id_of(line, "method")), floe__trace_line_text(line, "result"));
  if (code != 0) say(w, " %u", code);
  say_cause(w, line);
}

/* What a close brings about is no news. */
static bool is_closing(const floe__story *s, const trace_line *line) {
  const floe__story_agent *a = floe__story_agent_of(s, line->agent);
  return a != NULL && a->is_closing;
}

static void allocation_state(floe__words *w, const floe__story *s, const trace_line *line) {
  if (is(line, "to", "live")) {
    w->tone = FLOE__TONE_GOOD;
    say(w, "an allocation is live");
  } else if (is(line, "to", "ended") && is(line, "from", "live") && !is_closing(s, line)) {
    w->tone = FLOE__TONE_BAD;
    say(w, "an allocation is lost");
  } else {
    w->is_detail = true;
    say_states(w, "allocation", line);
  }
}

static void permission_state(floe__words *w, const floe__story *s, const trace_line *line) {
  const char *peer = floe__trace_line_text(line, "peer");
  w->is_detail = true;
  say(w, "permission for %s", peer[0] == '\0' ? "a peer" : peer);
  if (is(line, "to", "refused") && !is_closing(s, line)) {
    w->is_detail = false;
    w->tone = FLOE__TONE_BAD;
    say(w, ": refused");
  } else if (is(line, "to", "granted") && is(line, "from", "asking")) {
    w->is_detail = false;
    say(w, ": granted");
  } else {
    say(w, ": %s -> %s", floe__trace_line_text(line, "from"), floe__trace_line_text(line, "to"));
  }
}

static void tls_state(floe__words *w, const floe__story *s, const trace_line *line) {
  (void)s;
  if (is(line, "to", "open")) {
    say(w, "a TLS session is established");
  } else if (is(line, "to", "failed")) {
    w->tone = FLOE__TONE_BAD;
    say(w, "TLS failed");
    say_cause(w, line);
  } else {
    w->is_detail = true;
    say_states(w, "TLS", line);
  }
}

static void testserver_request(floe__words *w, const floe__story *s, const trace_line *line) {
  const char *from = floe__trace_line_text(line, "from");
  (void)s;
  w->is_detail = true;
  say(w, "test server: %s over %s", floe__trace_line_text(line, "method"), floe__trace_line_text(line, "transport"));
  if (from[0] != '\0') say(w, " from %s", from);
  if (is(line, "answer", "error")) {
    say(w, ": error %u", id_of(line, "code"));
  } else {
    say(w, ": %s", is(line, "answer", "none") ? "no answer" : floe__trace_line_text(line, "answer"));
  }
}

/* --- connecting ------------------------------------------------------------------------------------------------- */

static void ice_state(floe__words *w, const floe__story *s, const trace_line *line) {
  (void)s;
  say_states(w, "connection", line);
  say_cause(w, line);
  if (is(line, "to", "connected") || is(line, "to", "completed")) w->tone = FLOE__TONE_GOOD;
  if (is(line, "to", "failed") || is(line, "to", "disconnected")) w->tone = FLOE__TONE_BAD;
}

static void ice_role(floe__words *w, const floe__story *s, const trace_line *line) {
  const char *why = floe__trace_line_text(line, "why");
  (void)s;
  say(w, "role: %s", floe__trace_line_text(line, "to"));
  if (why[0] != '\0') say(w, " (%s)", why);
}

static void ice_session(floe__words *w, const floe__story *s, const trace_line *line) {
  const char *ufrag = floe__trace_line_text(line, "ufrag");
  (void)s;
  say(w, "ICE session%s%s %s", ufrag[0] == '\0' ? "" : " ", ufrag, floe__trace_line_text(line, "change"));
}

static void ice_gathering(floe__words *w, const floe__story *s, const trace_line *line) {
  (void)s;
  w->is_detail = true;
  say_states(w, "iceGatheringState", line);
}

static void ice_local(floe__words *w, const floe__story *s, const trace_line *line) {
  char buf[FLOE__STORY_CANDIDATE_TEXT];
  uint32_t id = id_of(line, "id");
  say(w, "our candidate %u: %s", id, floe__story_candidate_text(floe__story_local_of(s, line->agent, id), buf));
}

static void ice_remote(floe__words *w, const floe__story *s, const trace_line *line) {
  char buf[FLOE__STORY_CANDIDATE_TEXT];
  uint32_t id = id_of(line, "id");
  say(w, "the peer's candidate %u: %s", id, floe__story_candidate_text(floe__story_remote_of(s, line->agent, id), buf));
  if (is(line, "origin", "check")) say(w, ", learnt from a check");
  if (is(line, "origin", "mdns")) say(w, ", by name");
}

/* "pair 3 (host udp - srflx udp)" */
static void say_pair(floe__words *w, const floe__story *s, const trace_line *line) {
  char local[FLOE__STORY_CANDIDATE_TEXT], remote[FLOE__STORY_CANDIDATE_TEXT];
  uint32_t id = id_of(line, "pair");
  const floe__story_pair *p = floe__story_pair_of(s, line->agent, id);
  say(w, "pair %u", id);
  if (p == NULL || p->local == 0) return;
  say(w, " (%s - %s)", floe__story_candidate_text(floe__story_local_of(s, line->agent, p->local), local),
      floe__story_candidate_text(floe__story_remote_of(s, line->agent, p->remote), remote));
}

static void pair_state(floe__words *w, const floe__story *s, const trace_line *line) {
  const char *failure = floe__trace_line_text(line, "failure");
  say_pair(w, s, line);
  if (is(line, "to", "succeeded")) {
    w->tone = FLOE__TONE_GOOD;
    say(w, " works");
  } else if (is(line, "to", "failed")) {
    w->tone = FLOE__TONE_BAD;
    say(w, " failed: %s", failure[0] == '\0' ? "unknown" : failure);
  } else {
    w->is_detail = true;
    say(w, ": %s -> %s", floe__trace_line_text(line, "from"), floe__trace_line_text(line, "to"));
  }
}

static void check_sent(floe__words *w, const floe__story *s, const trace_line *line) {
  uint32_t transmission = id_of(line, "transmission");
  (void)s;
  say(w, "check on pair %u", id_of(line, "pair"));
  if (transmission > 1) {
    w->group = FLOE__GROUP_CHECK_AGAIN;
    w->member = id_of(line, "pair");
    say(w, " sent again (%u)", transmission);
    return;
  }
  if (floe__trace_line_flag(line, "triggered")) say(w, ", since the peer checked it");
  if (floe__trace_line_flag(line, "use_candidate")) say(w, ", nominates it");
}

static void check_answered(floe__words *w, const floe__story *s, const trace_line *line) {
  uint32_t code = id_of(line, "code");
  int64_t rtt_us;
  (void)s;
  say(w, "check on pair %u answered", id_of(line, "pair"));
  if (code != 0) {
    w->tone = FLOE__TONE_BAD;
    say(w, " with error %u", code);
  }
  if (floe__trace_line_number(line, "rtt_us", &rtt_us) && rtt_us >= 0) say(w, " after %.1f ms", (double)rtt_us / 1000);
}

static void check_received(floe__words *w, const floe__story *s, const trace_line *line) {
  static const char *const words[][2] = {
#define FLOE__ROW(id, name, words) {name, words},
      FLOE__PEER_CHECK_MAP(FLOE__ROW)
#undef FLOE__ROW
  };
  uint32_t remote = id_of(line, "remote");
  bool is_known = floe__trace_line_flag(line, "known"), nominates = floe__trace_line_flag(line, "use_candidate");
  (void)s;
  say(w, "check of the peer");
  if (remote != 0) say(w, " from its candidate %u", remote);
  if (is(line, "outcome", "ok")) {
    if (nominates) say(w, ", nominates");
    if (is_known && !nominates) w->group = FLOE__GROUP_PEER_CHECK;
    w->member = remote;
    return;
  }
  w->tone = FLOE__TONE_BAD;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (is(line, "outcome", words[i][0])) say(w, ": %s", words[i][1]);
  }
}

static void nominated(floe__words *w, const floe__story *s, const trace_line *line) {
  say_pair(w, s, line);
  say(w, " is nominated by %s", is(line, "by", "us") ? "us" : "the peer");
}

static void selected(floe__words *w, const floe__story *s, const trace_line *line) {
  w->tone = FLOE__TONE_GOOD;
  say_pair(w, s, line);
  say(w, " is in use");
}

static void consent(floe__words *w, const floe__story *s, const trace_line *line) {
  uint32_t pair = id_of(line, "pair");
  (void)s;
  if (is(line, "outcome", "ok")) {
    w->group = FLOE__GROUP_CONSENT;
    w->member = pair;
    say(w, "consent renewed on pair %u", pair);
  } else if (is(line, "outcome", "expired")) {
    w->tone = FLOE__TONE_BAD;
    say(w, "consent has expired on pair %u", pair);
  } else {
    w->tone = FLOE__TONE_BAD;
    say(w, "consent check on pair %u not answered", pair);
  }
}

static void mdns_link(floe__words *w, const floe__story *s, const trace_line *line) {
  (void)s;
  w->is_detail = !is(line, "to", "failed");
  w->tone = w->is_detail ? FLOE__TONE_PLAIN : FLOE__TONE_BAD;
  say(w, "multicast DNS on interface %u, IPv%u: %s -> %s", id_of(line, "interface"), id_of(line, "family"),
      floe__trace_line_text(line, "from"), floe__trace_line_text(line, "to"));
}

/* --- the table -------------------------------------------------------------------------------------------------- */

typedef struct known_event {
  const char *name;
  void (*say)(floe__words *w, const floe__story *s, const trace_line *line);
} known_event;

static const known_event known[] = {
    {"agent.state", agent_state},
    {"gather.state", gather_state},
    {"gather.lookup", gather_lookup},
    {"gather.attempt.state", gather_attempt},
    {"gather.try.state", gather_try},
    {"stun.request.sent", request_sent},
    {"stun.request.judged", request_judged},
    {"turn.allocation.state", allocation_state},
    {"turn.permission.state", permission_state},
    {"tls.state", tls_state},
    {"testserver.request", testserver_request},
    {"ice.session", ice_session},
    {"ice.gathering.state", ice_gathering},
    {"ice.role", ice_role},
    {"ice.state", ice_state},
    {"ice.local", ice_local},
    {"ice.remote", ice_remote},
    {"ice.pair.state", pair_state},
    {"ice.check.sent", check_sent},
    {"ice.check.answered", check_answered},
    {"ice.check.received", check_received},
    {"ice.nominated", nominated},
    {"ice.selected", selected},
    {"ice.consent", consent},
    {"mdns.link.state", mdns_link},
};

const char *floe__words_event(size_t index) {
  return index < sizeof known / sizeof known[0] ? known[index].name : NULL;
}

bool floe__words_make(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  memset(w, 0, sizeof *w);
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (strcmp(line->event, known[i].name) != 0) continue;
    known[i].say(w, s, line);
    return true;
  }
  return false;
}
