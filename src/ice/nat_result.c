/* What a NAT probe has found out, put together. */
#include <string.h>

#include "base/trace.h"
#include "ice/nat_probe.h"

/* --- servers ---------------------------------------------------------------------------------------------------- */

void floe__nat_result_note(floe_nat_probe *probe, size_t server, floe_cause cause) {
  floe_nat_server_result *r = &probe->results[server];
  bool says_more = floe_cause_group(cause) > floe_cause_group(r->cause);
  if (r->cause == FLOE_CAUSE_NONE || says_more) r->cause = cause;
}

static void take_answer(floe_nat_probe *probe, size_t server, const floe__nat_ask *ask) {
  floe_nat_server_result *r = &probe->results[server];
  if (r->mapped.family != FLOE_FAMILY_NONE) return; /* the name's other address */
  r->cause = FLOE_CAUSE_NONE;
  r->server = ask->plan.to;
  r->mapped = ask->mapped;
  if (floe__nat_is_usable_other(&ask->plan.to, &ask->other)) r->other = ask->other;
  r->has_rtt = ask->request.has_rtt;
  r->rtt_ms = ask->request.has_rtt ? ask->request.rtt_ms : 0;
}

static bool take_server(floe_nat_probe *probe, size_t i) {
  const floe__nat_server *server = &probe->servers[i];
  floe_nat_server_result *r = &probe->results[i];
  if (!server->was_asked) return false;
  for (size_t k = 0; k < server->n_addrs; k++) {
    const floe__nat_ask *ask = server->asks[k];
    if (floe__nat_ask_has_answer(ask)) take_answer(probe, i, ask);
  }
  if (r->mapped.family != FLOE_FAMILY_NONE) return true;
  for (size_t k = 0; k < server->n_addrs; k++) {
    if (server->asks[k] != NULL) floe__nat_result_note(probe, i, server->asks[k]->cause);
  }
  if (r->cause == FLOE_CAUSE_NONE) r->cause = FLOE_CAUSE_SOCKET_FAILED; /* no memory to ask it */
  return false;
}

bool floe__nat_result_take_servers(floe_nat_probe *probe) {
  bool any = false;
  for (size_t i = 0; i < probe->n_servers; i++) any = take_server(probe, i) || any;
  return any;
}

/* --- surveys ---------------------------------------------------------------------------------------------------- */

static void take_filtering(floe_nat_probe *probe) {
  floe__nat_filter_facts facts = floe__nat_survey_filter_facts(&probe->survey);
  floe__nat_judgement j = floe__nat_judge_filtering(&facts);
  bool is_known = j.behaviour != FLOE_NAT_UNKNOWN && probe->filtering.behaviour == FLOE_NAT_UNKNOWN;
  if (facts.is_tried) probe->result.has_loss = facts.has_loss;
  if (is_known || (j.behaviour != FLOE_NAT_UNKNOWN && j.certainty > probe->filtering.certainty)) probe->filtering = j;
}

void floe__nat_result_take_survey(floe_nat_probe *probe) {
  size_t n = floe__nat_survey_sights(&probe->survey, probe->sights + probe->n_sights);
  probe->n_sights += n;
  if (n == 4) probe->is_complete = true;
  take_filtering(probe);
  if (!probe->result.has_hairpin) {
    probe->result.has_hairpin = floe__nat_survey_hairpin(&probe->survey, &probe->result.hairpin);
  }
}

/* --- the conclusion --------------------------------------------------------------------------------------------- */

/* An address of a name that answers after the other has counts as well: the questions go on while a survey is made. */
floe__nat_judgement floe__nat_result_mapping(const floe_nat_probe *probe) {
  floe__nat_sight sights[FLOE__NAT_MAX_SIGHTS + FLOE__NAT_MAX_URLS * FLOE__NAT_ADDRESSES];
  size_t n = probe->n_sights;
  memcpy(sights, probe->sights, n * sizeof *sights);
  for (const floe__nat_ask *ask = probe->asks.first; ask != NULL; ask = ask->next) {
    if (floe__nat_ask_has_answer(ask)) sights[n++] = (floe__nat_sight){ask->plan.to, ask->mapped};
  }
  return floe__nat_judge_mapping(sights, n, &probe->result.local, probe->is_complete);
}

/* RFC 4787 4.2. */
static void judge_ports(floe_nat_result *r) {
  if (r->mapped.family == FLOE_FAMILY_NONE) return;
  r->port_preserved = r->mapped.port == r->local.port;
  r->same_port_parity = r->mapped.port % 2 == r->local.port % 2;
}

static void trace_result(floe_nat_probe *probe) {
  const floe_nat_result *r = &probe->result;
  floe__trace t;
  if (!floe__trace_begin(&t, probe->io.env, probe->io.now, "nat.result")) return;
  floe__trace_addr(&t, "local", &r->local);
  floe__trace_addr(&t, "mapped", &r->mapped);
  floe__trace_text(&t, "mapping", floe_nat_behaviour_name(r->mapping));
  floe__trace_text(&t, "mapping_certainty", floe_nat_certainty_name(r->mapping_certainty));
  floe__trace_text(&t, "filtering", floe_nat_behaviour_name(r->filtering));
  floe__trace_text(&t, "filtering_certainty", floe_nat_certainty_name(r->filtering_certainty));
  if (r->has_hairpin) floe__trace_text(&t, "hairpin", r->hairpin ? "yes" : "no");
  floe__trace_end(&t);
}

static const floe_nat_server_result *first_answer(const floe_nat_probe *probe) {
  for (size_t i = 0; i < probe->n_servers; i++) {
    if (probe->results[i].mapped.family != FLOE_FAMILY_NONE) return &probe->results[i];
  }
  return NULL;
}

void floe__nat_result_finish(floe_nat_probe *probe) {
  floe_nat_result *r = &probe->result;
  const floe_nat_server_result *first = first_answer(probe);
  if (first != NULL) r->mapped = first->mapped;
  floe__nat_judgement mapping = floe__nat_result_mapping(probe);
  r->mapping = mapping.behaviour;
  r->mapping_certainty = mapping.certainty;
  r->filtering = probe->filtering.behaviour;
  r->filtering_certainty = probe->filtering.certainty;
  judge_ports(r);
  for (size_t i = 0; i < probe->n_servers; i++) probe->results[i].url = probe->servers[i].text;
  r->servers = probe->results;
  r->n_servers = probe->n_servers;
  r->elapsed_ms = floe__ms_between(probe->started_at, probe->io.now);
  trace_result(probe);
}
