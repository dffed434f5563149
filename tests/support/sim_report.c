/* The reports as text:
 *
 *     report degraded
 *     server 0.0 degraded udp_timeout turn:turn.example.org
 *       attempt candidate udp 10.0.0.1:50001 > 192.0.2.1:3478 mapped=203.0.113.1:40000 relayed=192.0.2.1:50000
 *       attempt error 701 udp_timeout udp 10.0.0.1:50002 > 192.0.2.2:3478 allocate
 *     server 1.0 unused - stun:192.0.2.1
 *
 *     connection failed checks_unanswered controlling
 *       group host srflx udp ipv4 failed=2 sent=14
 *       pair host 1 > 2 failed timeout sent=7
 */
#include "support/sim_agent_internal.h"

static void add_address(sim_text *out, const char *name, const floe_addr *addr) {
  char text[FLOE_ADDR_TEXT];
  if (addr->family != FLOE_FAMILY_NONE) sim_text_add(out, " %s=%s", name, floe_addr_format(addr, text));
}

static void add_result(sim_text *out, const floe_attempt_report *r) {
  if (r->outcome == FLOE_ATTEMPT_ERROR) {
    sim_text_add(out, " %s", floe_phase_name(r->detail.phase));
    if (r->error_code != 701) sim_text_add(out, " \"%s\"", r->error_text == NULL ? "" : r->error_text);
  }
  add_address(out, "mapped", &r->mapped);
  add_address(out, "relayed", &r->relayed);
  add_address(out, "additional", &r->relayed_additional);
  if (r->additional_error != 0) sim_text_add(out, " additional-error=%u", (unsigned)r->additional_error);
  if (r->redundant) sim_text_add(out, " redundant");
  if (r->discarded > 0) sim_text_add(out, " discarded=%u", (unsigned)r->discarded);
  if (r->redirects > 0) sim_text_add(out, " redirects=%u", (unsigned)r->redirects);
  if (r->unauthenticated_redirect) sim_text_add(out, " unauthenticated-redirect");
}

static void add_attempt(sim_text *out, const floe_attempt_report *r) {
  char local[FLOE_ADDR_TEXT], server[FLOE_ADDR_TEXT];
  sim_text_add(out, "  attempt %s", floe_attempt_outcome_name(r->outcome));
  if (r->outcome == FLOE_ATTEMPT_ERROR) {
    sim_text_add(out, " %u %s", (unsigned)r->error_code, floe_cause_id(r->detail.cause));
  }
  (void)floe_addr_format(&r->detail.local_address, local);
  (void)floe_addr_format(&r->detail.server_address, server);
  sim_text_add(out, " %s %s > %s", floe_transport_name(r->detail.transport), local[0] == '\0' ? "-" : local,
               server[0] == '\0' ? "-" : server);
  add_result(out, r);
  sim_text_add(out, "\n");
}

void sim_report_text(sim_text *out, const floe_report *report) {
  sim_text_add(out, "report %s\n", floe_verdict_name(report->verdict));
  for (size_t i = 0; i < report->n_servers; i++) {
    const floe_server_report *s = &report->servers[i];
    sim_text_add(out, "server %u.%u %s %s %s\n", (unsigned)s->server_index, (unsigned)s->url_index,
                 floe_verdict_name(s->verdict), s->cause == FLOE_CAUSE_NONE ? "-" : floe_cause_id(s->cause), s->url);
    for (size_t k = 0; k < s->n_attempts; k++) add_attempt(out, s->attempts[k]);
  }
}

static void add_count(sim_text *out, const char *name, uint64_t n) {
  if (n > 0) sim_text_add(out, " %s=%llu", name, (unsigned long long)n);
}

static void add_group(sim_text *out, const floe_pair_group *g) {
  sim_text_add(out, "  group %s %s %s ipv%d", floe_candidate_type_name(g->local_type),
               floe_candidate_type_name(g->remote_type), floe_transport_name(g->transport), (int)g->family);
  for (size_t i = 0; i < 5; i++) add_count(out, floe_pair_state_name((floe_pair_state)i), g->n_by_state[i]);
  add_count(out, "sent", g->requests_sent);
  add_count(out, "answered", g->responses_received);
  add_count(out, "received", g->requests_received);
  add_count(out, "error", g->stun_error_code);
  add_count(out, "icmp", g->icmp_errors);
  add_count(out, "bad-integrity", g->integrity_failures);
  sim_text_add(out, "\n");
}

void sim_connection_report_text(sim_text *out, const floe_connection_report *r) {
  sim_text_add(out, "connection %s %s %s", floe_ice_connection_state_name(r->state),
               r->verdict == FLOE_CAUSE_NONE ? "-" : floe_cause_id(r->verdict), floe_ice_role_name(r->role));
  add_count(out, "local", r->n_local_candidates);
  add_count(out, "remote", r->n_remote_candidates);
  add_count(out, "received", r->requests_received);
  add_count(out, "conflicts", r->role_conflicts);
  add_count(out, "unknown-ufrag", r->unknown_ufrag);
  add_count(out, "bad-integrity", r->bad_integrity);
  add_count(out, "refused", r->refused_requests);
  add_count(out, "unresolved", r->n_unresolved);
  add_count(out, "denied", r->n_relay_denied);
  sim_text_add(out, "%s%s\n", r->received_anything ? " heard" : "", r->remote_ended ? " ended" : "");
  for (size_t i = 0; i < r->n_groups; i++) add_group(out, &r->groups[i]);
  for (size_t i = 0; i < r->n_pairs; i++) {
    const floe_pair_stats *p = &r->pairs[i];
    sim_text_add(out, "  pair %u > %u %s %s%s%s", (unsigned)p->local_candidate_id, (unsigned)p->remote_candidate_id,
                 floe_pair_state_name(p->state), floe_pair_failure_name(p->failure), p->nominated ? " nominated" : "",
                 p->selected ? " selected" : "");
    add_count(out, "sent", p->requests_sent);
    add_count(out, "answered", p->responses_received);
    sim_text_add(out, "\n");
  }
}
