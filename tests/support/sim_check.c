/* What holds in every world: checked with each event, each report and at the end, whatever a test looks at. */
#include <stdio.h>
#include <string.h>

#include "support/sim_agent_internal.h"
#include "support/sim_net_internal.h"

/* Equal numbers for equal pairs of user name and credential: the index of the first server that has the pair. */
uint32_t sim_agent_credentials_of(const sim_agent *a, uint32_t server_index) {
  if (server_index >= a->cfg.n_ice_servers) return UINT32_MAX;
  const floe_ice_server *mine = &a->cfg.ice_servers[server_index];
  for (uint32_t i = 0; i < server_index; i++) {
    const floe_ice_server *other = &a->cfg.ice_servers[i];
    const char *u1 = mine->username == NULL ? "" : mine->username, *u2 = other->username == NULL ? "" : other->username;
    const char *c1 = mine->credential == NULL ? "" : mine->credential;
    const char *c2 = other->credential == NULL ? "" : other->credential;
    if (strcmp(u1, u2) == 0 && strcmp(c1, c2) == 0) return i;
  }
  return server_index;
}

/* --- events ------------------------------------------------------------------------------------------------------ */

static void check_state_change(sim_agent *a, floe_ice_gathering_state state) {
  switch (state) {
    case FLOE_ICE_GATHERING_NEW:
      if (a->c.n_secrets < 2) sim_fail(a->s, "the state became `new` without a restart");
      return;
    case FLOE_ICE_GATHERING_GATHERING:
      if (a->told_state == FLOE_ICE_GATHERING_GATHERING) sim_fail(a->s, "`gathering` was told twice");
      return;
    case FLOE_ICE_GATHERING_COMPLETE:
      if (a->told_state != FLOE_ICE_GATHERING_GATHERING) sim_fail(a->s, "`complete` without `gathering`");
      if (!a->told_end && !a->cfg.continual_gathering) sim_fail(a->s, "`complete` before the end of candidates");
      return;
  }
}

static void check_candidate(sim_agent *a, const floe_ice_candidate *c) {
  if (c == NULL) return;
  if (c->id == 0) sim_fail(a->s, "a candidate has id 0");
  for (size_t i = 0; i < a->n_candidates; i++) {
    if (a->candidates[i].id == c->id) sim_fail(a->s, "candidate %u was told twice", (unsigned)c->id);
  }
  if (c->address.port == 0 || c->address.family == FLOE_FAMILY_NONE) sim_fail(a->s, "a candidate without an address");
  if (c->text == NULL || strncmp(c->text, "candidate:", 10) != 0) sim_fail(a->s, "a candidate without its text");
  bool is_rewritten = c->type == FLOE_CANDIDATE_SRFLX && !c->has_server && a->cfg.n_rewrites > 0;
  bool is_served = !is_rewritten && (c->type == FLOE_CANDIDATE_SRFLX || c->type == FLOE_CANDIDATE_RELAY);
  if (is_served != c->has_server || is_served != (c->url != NULL)) sim_fail(a->s, "a candidate's server is wrong");
  if ((c->type == FLOE_CANDIDATE_RELAY) != c->has_relay_protocol) sim_fail(a->s, "a relay protocol is wrong");
  bool only_relay = a->cfg.ice_transport_policy == FLOE_ICE_TRANSPORT_POLICY_RELAY;
  if (only_relay && c->type != FLOE_CANDIDATE_RELAY) sim_fail(a->s, "a candidate against the relay-only policy");
}

/* Gathering's events come between `gathering` and `complete`, and nothing but the state after the end of candidates. */
static void check_place(sim_agent *a, floe_event_type type) {
  /* With continual gathering the end of candidates never comes, and a lost allocation's successor is told. */
  if (a->cfg.continual_gathering && type == FLOE_EVENT_ICECANDIDATE) return;
  if (a->told_state != FLOE_ICE_GATHERING_GATHERING) sim_fail(a->s, "%s outside `gathering`", floe_event_name(type));
  if (a->told_end) sim_fail(a->s, "%s after the end of candidates", floe_event_name(type));
}

void sim_check_event(sim_agent *a, const floe_event *e) {
  if (a->closed) sim_fail(a->s, "%s after close", e->name);
  if (strcmp(e->name, floe_event_name(e->type)) != 0) sim_fail(a->s, "an event has the wrong name: %s", e->name);
  if (e->bubbles || e->cancelable) sim_fail(a->s, "an event bubbles or can be cancelled");
  if (e->target != NULL) sim_fail(a->s, "an event of the core has a target");
  if (e->time > sim_now(a->s)) sim_fail(a->s, "an event of the future");
  switch ((int)e->type) {
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE: check_state_change(a, e->u.gathering_state); return;
    case FLOE_EVENT_ICECANDIDATE:
      check_place(a, e->type);
      check_candidate(a, e->u.candidate);
      return;
    case FLOE_EVENT_ICECANDIDATEERROR: check_place(a, e->type); return;
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE: sim_check_connection_change(a, &e->u.connection); return;
    case FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE: sim_check_pair_change(a, &e->u.pair); return;
    case FLOE_EVENT_ICESERVERERROR:
    default: return;
  }
}

/* --- errors ------------------------------------------------------------------------------------------------------ */

static bool is_surfaced(const sim_agent *a, const char *ip) {
  floe_addr addr;
  if (!floe_addr_parse(&addr, ip)) return false;
  for (size_t i = a->first_candidate; i < a->n_candidates; i++) {
    if (!a->candidates[i].is_hidden && sim_same_ip(&a->candidates[i].address, &addr)) return true;
  }
  return false;
}

static bool is_equal_event(const sim_error *x, const sim_error *y) {
  return x->code == y->code && x->has_address == y->has_address && x->port == y->port &&
         x->credentials == y->credentials && strcmp(x->address, y->address) == 0 && strcmp(x->url, y->url) == 0 &&
         strcmp(x->text, y->text) == 0;
}

static void check_code(sim_agent *a, const floe_candidate_error *e) {
  char expected[400];
  floe_cause cause = e->detail->cause;
  if (e->error_code == 701) {
    (void)snprintf(expected, sizeof expected, "%s: %s", floe_cause_id(cause), floe_cause_sentence(cause));
    if (strcmp(e->error_text, expected) != 0) sim_fail(a->s, "the text of a 701 is '%s'", e->error_text);
    return;
  }
  if (e->error_code < 300 || e->error_code > 699) sim_fail(a->s, "error code %u", (unsigned)e->error_code);
  if (e->error_text[0] == '\0') sim_fail(a->s, "an error without text");
}

static void check_address(sim_agent *a, const floe_candidate_error *e) {
  if (e->has_port != (e->address != NULL)) sim_fail(a->s, "port without address, or the reverse");
  if (e->address == NULL) {
    bool is_told = e->detail->local_address.family != FLOE_FAMILY_NONE || e->detail->interface != NULL;
    if (is_told) sim_fail(a->s, "the detail tells the base that the event hides");
    return;
  }
  if (!is_surfaced(a, e->address)) sim_fail(a->s, "the address of no surfaced candidate: %s", e->address);
}

void sim_check_error(sim_agent *a, const floe_candidate_error *e, const sim_error *copy) {
  check_code(a, e);
  check_address(a, e);
  int group = floe_cause_group(e->detail->cause);
  bool has_answer = e->error_code != 701;
  /* 300 with what was met at the alternate server is the one standing code whose cause may be of a lower group. */
  if (has_answer && e->error_code != 300 && group != 6)
    sim_fail(a->s, "a standing code with a cause of group %d", group);
  if (!has_answer && group == 0) sim_fail(a->s, "a 701 with cause %s", floe_cause_id(e->detail->cause));
  for (size_t i = a->first_error; i < a->n_errors; i++) {
    const sim_error *other = &a->errors[i];
    if (other->is_server_error) continue; /* of what lives on from before, perhaps */
    if (is_equal_event(other, copy)) sim_fail(a->s, "an equal event was told before: %s", copy->text);
    bool is_same_server = strcmp(other->url, copy->url) == 0 && other->credentials == copy->credentials;
    if (is_same_server && !has_answer) sim_fail(a->s, "a 701 for %s after an earlier event", copy->url);
    if (is_same_server && other->code == 701) sim_fail(a->s, "an event for %s after its 701", copy->url);
  }
}

/* --- the report -------------------------------------------------------------------------------------------------- */

static floe_verdict verdict_of(const floe_server_report *server) {
  size_t candidates = 0, errors = 0;
  for (size_t i = 0; i < server->n_attempts; i++) {
    candidates += server->attempts[i]->outcome == FLOE_ATTEMPT_CANDIDATE ? 1 : 0;
    errors += server->attempts[i]->outcome == FLOE_ATTEMPT_ERROR ? 1 : 0;
  }
  if (candidates == 0) return FLOE_VERDICT_FAILED;
  return errors == 0 ? FLOE_VERDICT_OK : FLOE_VERDICT_DEGRADED;
}

static void check_server(sim_agent *a, const floe_server_report *server) {
  if (server->verdict == FLOE_VERDICT_UNUSED) {
    bool is_stun = strncmp(server->url, "stun", 4) == 0;
    bool only_relay = a->cfg.ice_transport_policy == FLOE_ICE_TRANSPORT_POLICY_RELAY;
    if (!is_stun || !only_relay || server->n_attempts > 0) sim_fail(a->s, "%s is unused", server->url);
    return;
  }
  if (server->verdict != verdict_of(server)) {
    sim_fail(a->s, "%s is %s against its attempts", server->url, floe_verdict_name(server->verdict));
  }
  if ((server->verdict == FLOE_VERDICT_OK) != (server->cause == FLOE_CAUSE_NONE)) {
    sim_fail(a->s, "%s: verdict and cause do not fit", server->url);
  }
  for (size_t i = 0; i < server->n_attempts; i++) {
    const floe_attempt_report *r = server->attempts[i];
    if (r->outcome == FLOE_ATTEMPT_CANCELLED) sim_fail(a->s, "a cancelled attempt in the report of a gathering");
    bool is_failed = r->outcome == FLOE_ATTEMPT_ERROR;
    if (is_failed != (r->detail.cause != FLOE_CAUSE_NONE)) sim_fail(a->s, "outcome and cause do not fit");
    if (is_failed != (r->error_code != 0)) sim_fail(a->s, "outcome and error code do not fit");
  }
}

static floe_verdict worst_of(const floe_report *report) {
  size_t failed = 0, degraded = 0, ok = 0;
  for (size_t i = 0; i < report->n_servers; i++) {
    failed += report->servers[i].verdict == FLOE_VERDICT_FAILED ? 1 : 0;
    degraded += report->servers[i].verdict == FLOE_VERDICT_DEGRADED ? 1 : 0;
    ok += report->servers[i].verdict == FLOE_VERDICT_OK ? 1 : 0;
  }
  if (failed > 0) return FLOE_VERDICT_FAILED;
  if (degraded > 0) return FLOE_VERDICT_DEGRADED;
  return ok > 0 ? FLOE_VERDICT_OK : FLOE_VERDICT_UNUSED;
}

/* A failed server was told of: never neither used nor reported (design.md 4). */
static void check_was_told(sim_agent *a, const floe_server_report *server) {
  if (server->verdict != FLOE_VERDICT_FAILED) return;
  /* With continual gathering the report is that of the first one, before those on later addresses. */
  size_t first = a->cfg.continual_gathering ? 0 : a->first_error;
  for (size_t i = first; i < a->n_errors; i++) {
    const sim_error *e = &a->errors[i];
    bool is_same = !e->is_server_error && strcmp(e->url, server->url) == 0 &&
                   e->credentials == sim_agent_credentials_of(a, server->server_index);
    if (is_same) return;
  }
  sim_fail(a->s, "%s failed without an event", server->url);
}

void sim_check_report(sim_agent *a) {
  const floe_report *report = floe_ice_agent_report(a->core);
  if (report == NULL) {
    sim_fail(a->s, "complete without a report");
    return;
  }
  size_t n_urls = 0;
  for (size_t i = 0; i < a->cfg.n_ice_servers; i++) n_urls += a->cfg.ice_servers[i].n_urls;
  if (report->n_servers != n_urls) sim_fail(a->s, "%zu summaries for %zu URLs", report->n_servers, n_urls);
  for (size_t i = 0; i < report->n_servers; i++) {
    check_server(a, &report->servers[i]);
    check_was_told(a, &report->servers[i]);
  }
  if (n_urls > 0 && report->verdict != worst_of(report))
    sim_fail(a->s, "the overall verdict does not fit those of the servers");
  if (floe_ice_agent_gathering_state(a->core) != FLOE_ICE_GATHERING_COMPLETE)
    sim_fail(a->s, "the state is not complete");
}

/* --- the end ----------------------------------------------------------------------------------------------------- */

void sim_check_trace(sim_agent *a) {
  for (size_t i = 0; i < a->cfg.n_ice_servers; i++) {
    const char *credential = a->cfg.ice_servers[i].credential;
    if (credential == NULL || strlen(credential) < 4) continue;
    if (strstr(sim_agent_trace(a), credential) != NULL) sim_fail(a->s, "a credential is in the trace");
  }
  for (size_t i = 0; i < a->c.n_secrets; i++) {
    if (strstr(sim_agent_trace(a), a->c.secrets[i]) != NULL) sim_fail(a->s, "a password is in the trace");
  }
}
