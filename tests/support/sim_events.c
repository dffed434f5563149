#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/sim_agent_internal.h"

static void copy_text(char *out, size_t cap, const char *text) {
  (void)snprintf(out, cap, "%s", text == NULL ? "" : text);
}

/* --- candidates -------------------------------------------------------------------------------------------------- */

static void keep_candidate(sim_agent *a, const floe_ice_candidate *c) {
  a->candidates = sim_must(realloc(a->candidates, (a->n_candidates + 1) * sizeof *a->candidates));
  a->candidates[a->n_candidates++] = (sim_told_candidate){.id = c->id,
                                                          .is_relay = c->type == FLOE_CANDIDATE_RELAY,
                                                          .is_hidden = c->mdns_name != NULL,
                                                          .address = c->address};
}

static void record_candidate(sim_agent *a, const floe_ice_candidate *c) {
  char address[FLOE_ADDR_TEXT], related[FLOE_ADDR_TEXT];
  if (a->c.on_candidate != NULL) a->c.on_candidate(a->c.on_candidate_user, c);
  if (c == NULL) {
    a->told_end = true;
    sim_text_add(&a->events, "%.1f candidate end\n", sim_agent_ms(a));
    return;
  }
  keep_candidate(a, c);
  sim_text_add(&a->events, "%.1f candidate %s %s", sim_agent_ms(a), floe_candidate_type_name(c->type),
               floe_addr_format(&c->address, address));
  switch (c->type) {
    case FLOE_CANDIDATE_HOST:
    case FLOE_CANDIDATE_PRFLX: break;
    case FLOE_CANDIDATE_SRFLX: sim_text_add(&a->events, " base=%s", floe_addr_format(&c->related, related)); break;
    case FLOE_CANDIDATE_RELAY:
      sim_text_add(&a->events, " mapped=%s %s", floe_addr_format(&c->related, related),
                   floe_transport_name(c->relay_protocol));
      break;
  }
  if (c->url != NULL) sim_text_add(&a->events, " %s", c->url);
  if (c->mdns_name != NULL) sim_text_add(&a->events, " %s", c->mdns_name);
  if (c->tcp_type != FLOE_TCP_TYPE_NONE) sim_text_add(&a->events, " tcp %s", floe_tcp_type_name(c->tcp_type));
  sim_text_add(&a->events, "\n");
}

/* --- errors ------------------------------------------------------------------------------------------------------ */

static void copy_tls(sim_error *copy, const floe_tls_info *tls) {
  copy->has_tls = tls != NULL;
  if (tls == NULL) return;
  copy->tls = *tls;
  copy_text(copy->tls_subject, sizeof copy->tls_subject, tls->subject);
  copy_text(copy->tls_issuer, sizeof copy->tls_issuer, tls->issuer);
  copy_text(copy->tls_names, sizeof copy->tls_names, tls->names);
  copy_text(copy->tls_verify_text, sizeof copy->tls_verify_text, tls->verify_text);
  copy_text(copy->tls_alert_text, sizeof copy->tls_alert_text, tls->alert_text);
  copy->tls.version = copy->tls.cipher = copy->tls.subject = copy->tls.issuer = copy->tls.names = NULL;
  copy->tls.alert_text = copy->tls.verify_text = NULL;
}

static void copy_detail(sim_error *copy, const floe_attempt_detail *d) {
  copy->detail = *d;
  copy_text(copy->server_name, sizeof copy->server_name, d->server_name);
  copy_text(copy->interface, sizeof copy->interface, d->interface);
  copy_text(copy->os_error_text, sizeof copy->os_error_text, d->os_error_text);
  copy_text(copy->realm, sizeof copy->realm, d->realm);
  copy_text(copy->software, sizeof copy->software, d->software);
  copy_text(copy->hint, sizeof copy->hint, d->hint);
  copy_tls(copy, d->tls);
  copy->detail.server_name = copy->detail.interface = copy->detail.os_error_text = NULL;
  copy->detail.realm = copy->detail.software = copy->detail.hint = NULL;
  copy->detail.tls = NULL;
}

static void record_error(sim_agent *a, const floe_event *e) {
  const floe_candidate_error *err = &e->u.error;
  sim_error copy = {
      .code = err->error_code, .has_address = err->address != NULL, .has_port = err->has_port, .port = err->port};
  copy_text(copy.address, sizeof copy.address, err->address);
  copy_text(copy.url, sizeof copy.url, err->url);
  copy_text(copy.text, sizeof copy.text, err->error_text);
  if (err->detail == NULL) {
    sim_fail(a->s, "an error event without detail");
    return;
  }
  copy_detail(&copy, err->detail);
  copy.is_server_error = e->type == FLOE_EVENT_ICESERVERERROR;
  copy.credentials = sim_agent_credentials_of(a, err->detail->server_index);
  if (e->type == FLOE_EVENT_ICECANDIDATEERROR) sim_check_error(a, err, &copy);
  a->errors = sim_must(realloc(a->errors, (a->n_errors + 1) * sizeof *a->errors));
  a->errors[a->n_errors++] = copy;

  char at[FLOE_ADDR_TEXT + 8] = "-";
  bool is_ipv6 = copy.has_address && strchr(copy.address, ':') != NULL;
  if (copy.has_address) {
    (void)snprintf(at, sizeof at, is_ipv6 ? "[%s]:%u" : "%s:%u", copy.address, (unsigned)copy.port);
  }
  sim_text_add(&a->events, "%.1f %s %u %s %s at %s %s", sim_agent_ms(a),
               e->type == FLOE_EVENT_ICESERVERERROR ? "servererror" : "error", (unsigned)copy.code,
               floe_cause_id(copy.detail.cause), copy.url, at, floe_phase_name(copy.detail.phase));
  if (copy.code != 701) sim_text_add(&a->events, " \"%s\"", copy.text);
  sim_text_add(&a->events, "\n");
}

/* --- all events ----------------------------------------------------------------------------------------------------
 */

static void record_state(sim_agent *a, floe_ice_gathering_state state) {
  sim_text_add(&a->events, "%.1f state %s\n", sim_agent_ms(a), floe_ice_gathering_state_name(state));
  a->told_state = state;
  if (state != FLOE_ICE_GATHERING_GATHERING) return;
  a->told_end = false;
  a->first_error = a->n_errors;
  a->first_candidate = a->n_candidates;
}

static void record_connection(sim_agent *a, const floe_connection_change *change) {
  a->c.told = change->state;
  a->c.cause = change->cause;
  sim_text_add(&a->events, "%.1f connection %s%s%s\n", sim_agent_ms(a), floe_ice_connection_state_name(change->state),
               change->cause == FLOE_CAUSE_NONE ? "" : " ",
               change->cause == FLOE_CAUSE_NONE ? "" : floe_cause_id(change->cause));
}

static void record_pair(sim_agent *a, const floe_pair_change *change) {
  char local[FLOE_ADDR_TEXT], remote[FLOE_ADDR_TEXT];
  a->c.has_pair = change->local != NULL && change->remote != NULL;
  if (a->c.has_pair) {
    (void)snprintf(a->c.pair, sizeof a->c.pair, "%s%s %s > %s %s",
                   change->local->transport == FLOE_TRANSPORT_TCP ? "tcp " : "",
                   floe_candidate_type_name(change->local->type), floe_addr_format(&change->local->address, local),
                   floe_candidate_type_name(change->remote->type), floe_addr_format(&change->remote->address, remote));
  }
  sim_text_add(&a->events, "%.1f pair %s\n", sim_agent_ms(a), sim_agent_pair(a));
}

void sim_agent_record(sim_agent *a, const floe_event *e) {
  switch ((int)e->type) {
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE: record_state(a, e->u.gathering_state); return;
    case FLOE_EVENT_ICECANDIDATE: record_candidate(a, e->u.candidate); return;
    case FLOE_EVENT_ICECANDIDATEERROR:
    case FLOE_EVENT_ICESERVERERROR: record_error(a, e); return;
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE: record_connection(a, &e->u.connection); return;
    case FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE: record_pair(a, &e->u.pair); return;
    default: sim_fail(a->s, "an event of no type"); return;
  }
}
