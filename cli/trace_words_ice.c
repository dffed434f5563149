/* Traces of connecting: candidates, pairs, checks, consent. */
#include "trace_words_internal.h"

static void ice_state(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  const floe__story_agent *a = floe__story_agent_of(s, line->agent);
  floe__say_states(w, a != NULL && a->pc.is_there ? "ICE" : "connection", line);
  floe__say_cause(w, line);
  if (floe__said(line, "to", "connected") || floe__said(line, "to", "completed")) w->tone = FLOE__TONE_GOOD;
  if (floe__said(line, "to", "failed") || floe__said(line, "to", "disconnected")) w->tone = FLOE__TONE_BAD;
}

static void ice_role(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  const char *why = floe__trace_line_text(line, "why");
  (void)s;
  floe__say(w, "role: %s", floe__trace_line_text(line, "to"));
  if (why[0] != '\0') floe__say(w, " (%s)", why);
}

static void ice_session(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  const char *ufrag = floe__trace_line_text(line, "ufrag");
  (void)s;
  floe__say(w, "ICE session%s%s %s", ufrag[0] == '\0' ? "" : " ", ufrag, floe__trace_line_text(line, "change"));
}

static void ice_local(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  char buf[FLOE__STORY_CANDIDATE_TEXT];
  uint32_t id = floe__said_id(line, "id");
  floe__say(w, "our candidate %u: %s", id, floe__story_candidate_text(floe__story_local_of(s, line->agent, id), buf));
}

static void ice_remote(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  char buf[FLOE__STORY_CANDIDATE_TEXT];
  uint32_t id = floe__said_id(line, "id");
  floe__say(w, "the peer's candidate %u: %s", id,
            floe__story_candidate_text(floe__story_remote_of(s, line->agent, id), buf));
  if (floe__said(line, "origin", "check")) floe__say(w, ", learnt from a check");
  if (floe__said(line, "origin", "mdns")) floe__say(w, ", by name");
}

/* "pair 3 (host udp - srflx udp)" */
static void say_pair(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  char local[FLOE__STORY_CANDIDATE_TEXT], remote[FLOE__STORY_CANDIDATE_TEXT];
  uint32_t id = floe__said_id(line, "pair");
  const floe__story_pair *p = floe__story_pair_of(s, line->agent, id);
  floe__say(w, "pair %u", id);
  if (p == NULL || p->local == 0) return;
  floe__say(w, " (%s - %s)", floe__story_candidate_text(floe__story_local_of(s, line->agent, p->local), local),
            floe__story_candidate_text(floe__story_remote_of(s, line->agent, p->remote), remote));
}

static void pair_state(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  const char *failure = floe__trace_line_text(line, "failure");
  say_pair(w, s, line);
  if (floe__said(line, "to", "succeeded")) {
    w->tone = FLOE__TONE_GOOD;
    floe__say(w, " works");
  } else if (floe__said(line, "to", "failed")) {
    w->tone = FLOE__TONE_BAD;
    floe__say(w, " failed: %s", failure[0] == '\0' ? "unknown" : failure);
  } else {
    w->is_detail = true;
    floe__say(w, ": %s -> %s", floe__trace_line_text(line, "from"), floe__trace_line_text(line, "to"));
  }
}

static void check_sent(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  uint32_t transmission = floe__said_id(line, "transmission");
  (void)s;
  floe__say(w, "check on pair %u", floe__said_id(line, "pair"));
  if (transmission > 1) {
    w->group = FLOE__GROUP_CHECK_AGAIN;
    w->member = floe__said_id(line, "pair");
    floe__say(w, " sent again (%u)", transmission);
    return;
  }
  if (floe__trace_line_flag(line, "use_candidate")) floe__say(w, ", nominates it");
}

static void check_answered(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  uint32_t code = floe__said_id(line, "code");
  int64_t rtt_us;
  (void)s;
  floe__say(w, "check on pair %u answered", floe__said_id(line, "pair"));
  if (code != 0) {
    w->tone = FLOE__TONE_BAD;
    floe__say(w, " with error %u", code);
  }
  if (floe__trace_line_number(line, "rtt_us", &rtt_us) && rtt_us >= 0)
    floe__say(w, " after %.1f ms", (double)rtt_us / 1000);
}

static void check_received(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  static const char *const words[][2] = {
#define FLOE__ROW(id, name, words) {name, words},
      FLOE__PEER_CHECK_MAP(FLOE__ROW)
#undef FLOE__ROW
  };
  uint32_t remote = floe__said_id(line, "remote");
  bool is_known = floe__trace_line_flag(line, "known"), nominates = floe__trace_line_flag(line, "use_candidate");
  const floe__story_candidate *c = floe__story_remote_of(s, line->agent, remote);
  floe__say(w, "check of the peer");
  if (remote != 0) floe__say(w, " from its candidate %u", remote);
  if (floe__said(line, "outcome", "ok")) {
    if (nominates) floe__say(w, ", nominates");
    /* Consent checks of the controlling side nominate each time. */
    bool is_news = !is_known || (nominates && (c == NULL || c->nominations <= 1));
    if (!is_news) w->group = FLOE__GROUP_PEER_CHECK;
    w->member = remote;
    return;
  }
  w->tone = FLOE__TONE_BAD;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (floe__said(line, "outcome", words[i][0])) floe__say(w, ": %s", words[i][1]);
  }
}

static void nominated(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  say_pair(w, s, line);
  floe__say(w, " is nominated by %s", floe__said(line, "by", "us") ? "us" : "the peer");
}

static void selected(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  w->tone = FLOE__TONE_GOOD;
  say_pair(w, s, line);
  floe__say(w, " is in use");
}

static void consent(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  uint32_t pair = floe__said_id(line, "pair");
  (void)s;
  if (floe__said(line, "outcome", "ok")) {
    w->group = FLOE__GROUP_CONSENT;
    w->member = pair;
    floe__say(w, "consent renewed on pair %u", pair);
  } else if (floe__said(line, "outcome", "expired")) {
    w->tone = FLOE__TONE_BAD;
    floe__say(w, "consent has expired on pair %u", pair);
  } else {
    w->tone = FLOE__TONE_BAD;
    floe__say(w, "consent check on pair %u not answered", pair);
  }
}

const floe__known_event floe__words_of_connecting[] = {
    {"ice.session", ice_session},
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
    {NULL, NULL},
};
