#include "result.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

const char *floe__relay_outcome_name(floe__relay_outcome outcome) {
  switch (outcome) {
    case FLOE__RELAY_FLOWS: return "flows";
    case FLOE__RELAY_NO_DATA: return "no_data";
    case FLOE__RELAY_NOT_TESTED: return "not_tested";
  }
  return "unknown";
}

void floe__result_init(floe__check_result *result, const floe_report *report, size_t n_asked) {
  memset(result, 0, sizeof *result);
  result->elapsed_ms = report->elapsed_ms;
  result->n_servers = report->n_servers;
  result->servers = floe__cli_alloc(report->n_servers * sizeof *result->servers);
  for (size_t i = 0; i < report->n_servers; i++) {
    floe__check_server *s = &result->servers[i];
    floe_ice_url url;
    s->report = &report->servers[i];
    s->is_derived = s->report->server_index >= n_asked;
    s->is_turn = floe_ice_url_parse(&url, s->report->url, NULL) == FLOE_OK && url.is_turn;
  }
  floe__result_judge(result);
}

void floe__result_clear(floe__check_result *result) {
  for (size_t i = 0; i < result->n_servers; i++) {
    floe__check_server *s = &result->servers[i];
    for (size_t k = 0; k < s->n_candidates; k++) free(s->candidates[k]);
    free(s->candidates);
    free(s->relays);
  }
  free(result->servers);
  memset(result, 0, sizeof *result);
}

const floe_attempt_report *floe__result_first_candidate(const floe_server_report *report) {
  for (size_t i = 0; i < report->n_attempts; i++) {
    if (report->attempts[i]->outcome == FLOE_ATTEMPT_CANDIDATE) return report->attempts[i];
  }
  return NULL;
}

const floe_attempt_report *floe__result_first_failure(const floe_server_report *report) {
  const floe_attempt_report *first = NULL;
  for (size_t i = 0; i < report->n_attempts; i++) {
    const floe_attempt_report *a = report->attempts[i];
    if (a->outcome == FLOE_ATTEMPT_CANDIDATE) continue;
    if (a->detail.cause == report->cause) return a;
    if (first == NULL) first = a;
  }
  return first;
}

bool floe__result_is_oddly_private(const floe_attempt_report *a, const floe_addr *addr) {
  const floe_addr *server = &a->detail.server_address;
  if (addr->family == FLOE_FAMILY_NONE || server->family == FLOE_FAMILY_NONE) return false;
  if (!floe_addr_is_private(addr) || floe_addr_is_private(server)) return false;
  return addr != &a->mapped || !floe_addr_equal_ip(addr, &a->detail.local_address);
}

static void find_private(floe__check_server *s) {
  memset(&s->private_relayed, 0, sizeof s->private_relayed);
  memset(&s->private_mapped, 0, sizeof s->private_mapped);
  for (size_t i = 0; i < s->report->n_attempts; i++) {
    const floe_attempt_report *a = s->report->attempts[i];
    if (a->outcome != FLOE_ATTEMPT_CANDIDATE) continue;
    if (floe__result_is_oddly_private(a, &a->mapped)) s->private_mapped = a->mapped;
    if (floe__result_is_oddly_private(a, &a->relayed)) s->private_relayed = a->relayed;
    if (floe__result_is_oddly_private(a, &a->relayed_additional)) s->private_relayed = a->relayed_additional;
  }
}

static size_t count_relays(const floe__check_server *s, floe__relay_outcome outcome) {
  size_t n = 0;
  for (size_t i = 0; i < s->n_relays; i++) n += s->relays[i].outcome == outcome ? 1 : 0;
  return n;
}

/* The first relay that could not be tested; NULL when all were. */
static const floe__relay_result *find_untested(const floe__check_server *s) {
  for (size_t i = 0; i < s->n_relays; i++) {
    if (s->relays[i].outcome == FLOE__RELAY_NOT_TESTED) return &s->relays[i];
  }
  return NULL;
}

static void degrade(floe__check_server *s, floe_cause cause) {
  if (s->verdict == FLOE_VERDICT_OK) s->verdict = FLOE_VERDICT_DEGRADED;
  if (s->cause == FLOE_CAUSE_NONE) s->cause = cause;
}

static void fail(floe__check_server *s, floe_cause cause) {
  s->verdict = FLOE_VERDICT_FAILED;
  s->cause = cause;
}

/* A private address degrades a server as long as data flows, since two peers that both use the server are still served;
 * it is the reason when none does. A relay that carries nothing fails the server when each of its relays is like that.
 * One that could not be tried degrades it: a server may have its reasons not to relay to itself. */
static void judge_server(floe__check_server *s) {
  s->verdict = s->report->verdict;
  s->cause = s->report->cause;
  if (s->verdict != FLOE_VERDICT_OK && s->verdict != FLOE_VERDICT_DEGRADED) return;
  find_private(s);
  bool private_relay = s->private_relayed.family != FLOE_FAMILY_NONE;
  bool flows = count_relays(s, FLOE__RELAY_FLOWS) > 0, dead = count_relays(s, FLOE__RELAY_NO_DATA) > 0;
  const floe__relay_result *untested = find_untested(s);
  bool refused = untested != NULL && untested->cause == FLOE_CAUSE_PERMISSION_FAILED;
  if (private_relay && !flows && (dead || refused)) {
    fail(s, FLOE_CAUSE_RELAY_PRIVATE_ADDRESS);
  } else if (dead && !flows) {
    fail(s, FLOE_CAUSE_RELAY_NO_DATA);
  } else {
    if (dead) degrade(s, FLOE_CAUSE_RELAY_NO_DATA);
    if (private_relay || s->private_mapped.family != FLOE_FAMILY_NONE) degrade(s, FLOE_CAUSE_RELAY_PRIVATE_ADDRESS);
    if (untested != NULL) degrade(s, untested->cause);
  }
}

void floe__result_judge(floe__check_result *result) {
  bool any_ok = false, any_degraded = false, any_failed = false;
  for (size_t i = 0; i < result->n_servers; i++) {
    floe__check_server *s = &result->servers[i];
    judge_server(s);
    bool failed = s->verdict == FLOE_VERDICT_FAILED;
    any_ok = any_ok || s->verdict == FLOE_VERDICT_OK;
    any_degraded = any_degraded || s->verdict == FLOE_VERDICT_DEGRADED || (failed && s->is_derived);
    any_failed = any_failed || (failed && !s->is_derived);
  }
  result->verdict = any_failed     ? FLOE_VERDICT_FAILED
                    : any_degraded ? FLOE_VERDICT_DEGRADED
                    : any_ok       ? FLOE_VERDICT_OK
                                   : FLOE_VERDICT_UNUSED;
}
