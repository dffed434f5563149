/* The summary (the contract's section 2, "the report"): one line per configured URL, and one verdict over all. Fills
 * what floe__gather_new made room for. */
#include "ice/gather.h"

static floe_verdict judge(const floe__gather_server *s) {
  if (s->unused) return FLOE_VERDICT_UNUSED;
  bool candidate = false;
  bool error = s->lost_attempts;
  for (size_t i = 0; i < s->n_attempts; i++) {
    const floe_attempt_report *r = &s->attempts[i]->report;
    candidate = candidate || r->outcome == FLOE_ATTEMPT_CANDIDATE;
    error = error || r->outcome == FLOE_ATTEMPT_ERROR;
  }
  if (!candidate) return FLOE_VERDICT_FAILED;
  return error ? FLOE_VERDICT_DEGRADED : FLOE_VERDICT_OK;
}

static floe_cause pick_cause(const floe__gather_server *s) {
  const floe__attempt *a = floe__gather_error_pick(s);
  if (a != NULL) return a->report.detail.cause;
  return s->lost_attempts ? FLOE_CAUSE_SOCKET_FAILED : FLOE_CAUSE_NONE;
}

static void fill_server(floe_server_report *r, const floe__gather_server *entry) {
  const floe__gather_server *s = entry->same_as != NULL ? entry->same_as : entry;
  for (size_t i = 0; i < s->n_attempts; i++) floe__attempt_hide(s->attempts[i]);
  r->url = entry->config->text;
  r->server_index = entry->config->server_index;
  r->url_index = entry->config->url_index;
  r->verdict = judge(s);
  r->cause = pick_cause(s);
  r->attempts = s->reports;
  r->n_attempts = s->n_attempts;
  r->candidates = s->candidates;
  r->n_candidates = s->n_candidates;
}

static floe_verdict judge_all(const floe_report *report) {
  bool used = false;
  floe_verdict worst = FLOE_VERDICT_OK;
  for (size_t i = 0; i < report->n_servers; i++) {
    floe_verdict v = report->servers[i].verdict;
    if (v == FLOE_VERDICT_UNUSED) continue;
    used = true;
    if (v > worst) worst = v;
  }
  return used || report->n_servers == 0 ? worst : FLOE_VERDICT_UNUSED;
}

void floe__report_fill(floe__gather *g) {
  floe_report *report = &g->report;
  for (size_t i = 0; i < g->n_servers; i++) fill_server(&g->server_reports[i], &g->servers[i]);
  report->servers = g->server_reports;
  report->n_servers = g->n_servers;
  report->dropped_candidates = g->candidates->dropped;
  report->elapsed_ms = floe__ms_between(g->started_at, g->completed_at);
  report->verdict = judge_all(report);
}
