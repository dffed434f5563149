/* Traces of gathering: servers, allocations, TLS. */
#include "trace_words_internal.h"

static void agent_state(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  if (floe__said(line, "to", "gathering")) {
    floe__say(w, "gathering begins");
  } else if (floe__said(line, "to", "prefetching")) {
    floe__say(w, "gathering begins ahead of time");
  } else if (floe__said(line, "to", "closing")) {
    floe__say(w, "the agent is closed");
  } else if (floe__said(line, "to", "closed")) {
    floe__say(w, "everything is closed");
  } else {
    floe__say_states(w, "agent", line);
  }
}

static void gather_state(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  if (floe__said(line, "to", "open")) {
    floe__say(w, "the host's addresses are known");
  } else if (floe__said(line, "to", "complete")) {
    floe__say(w, "gathering is complete");
  } else {
    w->is_detail = true;
    floe__say_states(w, "gathering", line);
  }
}

static void gather_lookup(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  const char *host = floe__trace_line_text(line, "host");
  const char *family = floe__said(line, "family", "ipv6") ? "IPv6" : "IPv4";
  if (floe__said(line, "status", "OK")) {
    uint32_t n = floe__said_id(line, "addresses");
    floe__say(w, "%s: %u %s address%s", host, n, family, n == 1 ? "" : "es");
  } else {
    w->tone = floe__said(line, "status", "NODATA") ? FLOE__TONE_PLAIN : FLOE__TONE_BAD;
    floe__say(w, "%s: no %s address, the resolver says %s", host, family, floe__trace_line_text(line, "status"));
  }
}

/* "server 0 URL 1, turn over udp, turn.example.org" */
static void say_server(floe__words *w, const floe__trace_line *line) {
  const char *kind = floe__trace_line_text(line, "kind"), *host = floe__trace_line_text(line, "host");
  floe__say(w, "server %u URL %u", floe__said_id(line, "server"), floe__said_id(line, "url"));
  if (kind[0] != '\0') floe__say(w, ", %s over %s", kind, floe__trace_line_text(line, "transport"));
  if (host[0] != '\0') floe__say(w, ", %s", host);
}

static void gather_attempt(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  const char *local = floe__trace_line_text(line, "local");
  uint32_t family = floe__said_id(line, "family");
  (void)s;
  say_server(w, line);
  if (family != 0) floe__say(w, ", IPv%u", family);
  if (local[0] != '\0') floe__say(w, " from %s", local);
  if (floe__said(line, "to", "running")) {
    floe__say(w, ": begins");
  } else if (floe__said(line, "to", "candidate")) {
    w->tone = FLOE__TONE_GOOD;
    floe__say(w, ": gave a candidate");
  } else if (floe__said(line, "to", "error")) {
    w->tone = FLOE__TONE_BAD;
    floe__say(w, ": failed");
    floe__say_cause(w, line);
  } else {
    floe__say(w, ": %s", floe__trace_line_text(line, "to"));
  }
}

static void gather_try(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  const char *server = floe__trace_line_text(line, "server"), *host = floe__trace_line_text(line, "host");
  (void)s;
  w->is_detail = true;
  floe__say(w, "try of %s%s%s", host[0] == '\0' ? "a server" : host, server[0] == '\0' ? "" : " at ", server);
  floe__say(w, ": %s -> %s", floe__trace_line_text(line, "from"), floe__trace_line_text(line, "to"));
  if (floe__said(line, "to", "ended")) floe__say_cause(w, line);
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

static void request_sent(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  uint32_t transmission = floe__said_id(line, "transmission");
  (void)s;
  floe__say(w, "%s request sent", method_name(floe__said_id(line, "method")));
  if (transmission > 1) {
    w->group = FLOE__GROUP_REQUEST_AGAIN;
    floe__say(w, " again (%u)", transmission);
  } else {
    w->is_detail = true;
    if (floe__trace_line_flag(line, "signed")) floe__say(w, ", signed");
  }
}

static void request_judged(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  uint32_t code = floe__said_id(line, "code");
  (void)s;
  w->is_detail = true;
  floe__say(w, "%s request: %s", method_name(floe__said_id(line, "method")), floe__trace_line_text(line, "result"));
  if (code != 0) floe__say(w, " %u", code);
  floe__say_cause(w, line);
}

/* What a close brings about is no news. */
static bool is_closing(const floe__story *s, const floe__trace_line *line) {
  const floe__story_agent *a = floe__story_agent_of(s, line->agent);
  return a != NULL && a->is_closing;
}

static void allocation_state(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  if (floe__said(line, "to", "live")) {
    w->tone = FLOE__TONE_GOOD;
    floe__say(w, "an allocation is live");
  } else if (floe__said(line, "to", "ended") && floe__said(line, "from", "live") && !is_closing(s, line)) {
    w->tone = FLOE__TONE_BAD;
    floe__say(w, "an allocation is lost");
  } else {
    w->is_detail = true;
    floe__say_states(w, "allocation", line);
  }
}

static void permission_state(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  const char *peer = floe__trace_line_text(line, "peer");
  w->is_detail = true;
  floe__say(w, "permission for %s", peer[0] == '\0' ? "a peer" : peer);
  if (floe__said(line, "to", "refused") && !is_closing(s, line)) {
    w->is_detail = false;
    w->tone = FLOE__TONE_BAD;
    floe__say(w, ": refused");
  } else if (floe__said(line, "to", "granted") && floe__said(line, "from", "asking")) {
    w->is_detail = false;
    floe__say(w, ": granted");
  } else {
    floe__say(w, ": %s -> %s", floe__trace_line_text(line, "from"), floe__trace_line_text(line, "to"));
  }
}

static void tls_state(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  if (floe__said(line, "to", "open")) {
    floe__say(w, "a TLS session is established");
  } else if (floe__said(line, "to", "failed")) {
    w->tone = FLOE__TONE_BAD;
    floe__say(w, "TLS failed");
    floe__say_cause(w, line);
  } else {
    w->is_detail = true;
    floe__say_states(w, "TLS", line);
  }
}

static void listener(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  const char *local = floe__trace_line_text(line, "local");
  (void)s;
  w->tone = FLOE__TONE_BAD;
  floe__say(w, "no TCP listener%s%s", local[0] == '\0' ? "" : " on ", local);
  floe__say_cause(w, line);
}

static void reallocation(floe__words *w, const floe__story *s, const floe__trace_line *line) {
  (void)s;
  say_server(w, line);
  floe__say(w, ": another allocation %s", floe__trace_line_text(line, "what"));
  floe__say_cause(w, line);
}

const floe__known_event floe__words_of_gathering[] = {
    {"agent.state", agent_state},
    {"gather.state", gather_state},
    {"gather.lookup", gather_lookup},
    {"gather.attempt.state", gather_attempt},
    {"gather.try.state", gather_try},
    {"gather.listener", listener},
    {"gather.reallocation", reallocation},
    {"stun.request.sent", request_sent},
    {"stun.request.judged", request_judged},
    {"turn.allocation.state", allocation_state},
    {"turn.permission.state", permission_state},
    {"tls.state", tls_state},
    {NULL, NULL},
};
