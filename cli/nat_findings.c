#include "nat_findings.h"

#include <string.h>

#include "exit_status.h"

const char *floe__nat_reach_name(floe__nat_reach reach) {
  switch (reach) {
    case FLOE__NAT_REACH_UNKNOWN: return "unknown";
    case FLOE__NAT_REACH_BLOCKED: return "blocked";
    case FLOE__NAT_REACH_REFUSED: return "refused";
    case FLOE__NAT_REACH_SPOILED: return "spoiled";
    case FLOE__NAT_REACH_CONNECTED: return "connected";
    case FLOE__NAT_REACH_OPEN: return "open";
  }
  return "unknown";
}

/* --- one attempt ------------------------------------------------------------------------------------------------ */

/* The groups of causes are those of the contract: how far an attempt has come. */
enum { GROUP_LOCAL = 1, GROUP_DNS, GROUP_NETWORK, GROUP_CONNECTION, GROUP_ANSWER, GROUP_ERROR };

/* A connection was made, or something has answered. */
static floe__nat_reach reach_of_contact(floe_cause cause) {
  bool is_handshake =
      cause == FLOE_CAUSE_TLS_TIMEOUT || cause == FLOE_CAUSE_TLS_NOT_TLS || cause == FLOE_CAUSE_TLS_ALERT;
  if (floe_cause_group(cause) == GROUP_CONNECTION) {
    return is_handshake ? FLOE__NAT_REACH_SPOILED : FLOE__NAT_REACH_CONNECTED; /* a certificate that we do not like */
  }
  return cause == FLOE_CAUSE_NO_ANSWER ? FLOE__NAT_REACH_CONNECTED : FLOE__NAT_REACH_SPOILED;
}

static floe__nat_reach reach_of_cause(floe_cause cause) {
  if (cause == FLOE_CAUSE_NONE) return FLOE__NAT_REACH_OPEN;
  switch (floe_cause_group(cause)) {
    case GROUP_NETWORK: break;
    case GROUP_CONNECTION:
    case GROUP_ANSWER: return reach_of_contact(cause);
    case GROUP_ERROR: return FLOE__NAT_REACH_OPEN;
    default: return FLOE__NAT_REACH_UNKNOWN; /* it did not come to that */
  }
  bool is_refusal = cause == FLOE_CAUSE_TCP_REFUSED || cause == FLOE_CAUSE_PORT_UNREACHABLE;
  return is_refusal ? FLOE__NAT_REACH_REFUSED : FLOE__NAT_REACH_BLOCKED;
}

/* The farther one stays. */
static void note(floe__nat_way *way, floe_cause cause, bool has_ms, double ms) {
  floe__nat_reach reach = reach_of_cause(cause);
  if (reach < way->reach ||
      (reach == way->reach && way->cause != FLOE_CAUSE_NONE && reach != FLOE__NAT_REACH_UNKNOWN)) {
    return;
  }
  way->reach = reach;
  way->cause = cause;
  way->has_ms = has_ms;
  way->ms = has_ms ? ms : 0;
}

static void note_attempt(floe__nat_way *way, const floe_attempt_report *a) {
  bool is_tls = way->transport == FLOE_TRANSPORT_TLS;
  bool has_ms = is_tls ? a->has_tls_ms : a->has_connect_ms;
  floe_cause cause = a->outcome == FLOE_ATTEMPT_CANDIDATE ? FLOE_CAUSE_NONE : a->detail.cause;
  note(way, cause, has_ms, is_tls ? a->tls_ms : a->connect_ms);
}

/* --- all of them ------------------------------------------------------------------------------------------------ */

static void take_probe(floe__nat_findings *f, unsigned which) {
  const floe_nat_result *r = f->results[which];
  for (size_t i = 0; r != NULL && i < r->n_servers; i++) {
    const floe_nat_server_result *s = &r->servers[i];
    note(&f->ways[f->plan->hosts_of[which][i]][FLOE__NAT_UDP], s->cause, s->has_rtt, s->rtt_ms);
  }
}

static void take_report(floe__nat_findings *f, const floe_report *report) {
  for (size_t i = 0; i < report->n_servers && i < 2 * f->plan->n_hosts; i++) {
    floe__nat_way *way = &f->ways[i / 2][i % 2 == 0 ? FLOE__NAT_TCP : FLOE__NAT_TLS];
    const floe_server_report *s = &report->servers[i];
    for (size_t k = 0; k < s->n_attempts; k++) note_attempt(way, s->attempts[k]);
    if (s->n_attempts == 0) note(way, s->cause, false, 0);
  }
}

void floe__nat_findings_make(floe__nat_findings *f, const floe__nat_plan *plan, const floe_nat_result *const results[2],
                             const floe_report *report) {
  static const floe_transport transports[] = {FLOE_TRANSPORT_UDP, FLOE_TRANSPORT_TCP, FLOE_TRANSPORT_TLS};
  memset(f, 0, sizeof *f);
  f->plan = plan;
  f->has_transports = report != NULL;
  for (size_t i = 0; i < plan->n_hosts; i++) {
    for (int way = 0; way < FLOE__NAT_WAYS; way++) {
      f->ways[i][way].transport = transports[way];
      f->ways[i][way].port = way == FLOE__NAT_TLS ? plan->hosts[i].tls_port : plan->hosts[i].port;
    }
  }
  for (unsigned which = 0; which < 2; which++) {
    f->results[which] = results[which];
    take_probe(f, which);
  }
  if (report != NULL) take_report(f, report);
}

floe__nat_reach floe__nat_findings_reach(const floe__nat_findings *f, int way) {
  floe__nat_reach best = FLOE__NAT_REACH_UNKNOWN;
  for (size_t i = 0; i < f->plan->n_hosts; i++) {
    if (f->ways[i][way].reach > best) best = f->ways[i][way].reach;
  }
  return best;
}

/* A host without IPv6, or servers without it, is not worth a word, as long as the other family has something to tell.
 */
bool floe__nat_findings_has(const floe__nat_findings *f, unsigned which) {
  const floe_nat_result *r = f->results[which];
  if (r == NULL) return false;
  if (r->mapped.family != FLOE_FAMILY_NONE || f->results[1 - which] == NULL) return true;
  for (size_t i = 0; i < r->n_servers; i++) {
    int group = floe_cause_group(r->servers[i].cause);
    if (group > GROUP_DNS || (group == GROUP_DNS && r->servers[i].cause != FLOE_CAUSE_DNS_NODATA)) return true;
  }
  return false;
}

int floe__nat_findings_exit(const floe__nat_findings *f) {
  bool any_answer = false, any_mapping = false, any_dns = false;
  for (unsigned which = 0; which < 2; which++) {
    const floe_nat_result *r = f->results[which];
    for (size_t i = 0; r != NULL && i < r->n_servers; i++) {
      any_answer = any_answer || r->servers[i].mapped.family != FLOE_FAMILY_NONE;
      any_dns = any_dns || floe_cause_group(r->servers[i].cause) == GROUP_DNS;
    }
    any_mapping = any_mapping || (r != NULL && r->mapping != FLOE_NAT_UNKNOWN);
  }
  if (any_mapping) return FLOE__EXIT_OK;
  if (any_answer) return FLOE__EXIT_DEGRADED;
  return any_dns ? FLOE__EXIT_DNS : FLOE__EXIT_UNREACHABLE;
}
