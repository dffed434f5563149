/* The report as text:
 *
 *     report degraded
 *     server 0.0 degraded udp_timeout turn:turn.example.org
 *       attempt candidate udp 10.0.0.1:50001 > 192.0.2.1:3478 mapped=203.0.113.1:40000 relayed=192.0.2.1:50000
 *       attempt error 701 udp_timeout udp 10.0.0.1:50002 > 192.0.2.2:3478 allocate
 *     server 1.0 unused - stun:192.0.2.1
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
