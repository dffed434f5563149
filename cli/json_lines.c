#include "json_lines.h"

#include "json_value.h"

static void set_tls(json_t *detail, const floe_tls_info *tls) {
  json_t *o = json_object();
  floe__json_set_text(o, "version", tls->version);
  floe__json_set_text(o, "cipher", tls->cipher);
  floe__json_set_text(o, "subject", tls->subject);
  floe__json_set_text(o, "issuer", tls->issuer);
  floe__json_set_text(o, "names", tls->names);
  floe__json_set_date(o, "notBefore", tls->has_validity, tls->not_before);
  floe__json_set_date(o, "notAfter", tls->has_validity, tls->not_after);
  floe__json_set_integer(o, "alert", tls->has_alert, tls->alert);
  floe__json_set_text(o, "alertText", tls->has_alert ? tls->alert_text : NULL);
  floe__json_set_integer(o, "verifyError", tls->has_verify_error, tls->verify_error);
  floe__json_set_text(o, "verifyText", tls->has_verify_error ? tls->verify_text : NULL);
  floe__json_set_true(o, "insecure", tls->insecure);
  (void)json_object_set_new(detail, "tls", o);
}

static json_t *make_detail(const floe_attempt_detail *d) {
  json_t *o = json_object();
  floe__json_set_text(o, "cause", d->cause == FLOE_CAUSE_NONE ? NULL : floe_cause_id(d->cause));
  floe__json_or_null(o, "cause");
  floe__json_set_text(o, "phase", floe_phase_name(d->phase));
  floe__json_set_integer(o, "serverIndex", true, d->server_index);
  floe__json_set_integer(o, "urlIndex", true, d->url_index);
  floe__json_set_text(o, "transport", floe_transport_name(d->transport));
  floe__json_set_integer(o, "family", d->family != FLOE_FAMILY_NONE, d->family);
  floe__json_set_addr(o, "serverAddress", &d->server_address);
  floe__json_set_text(o, "serverName", d->server_name);
  floe__json_set_addr(o, "localAddress", &d->local_address);
  floe__json_set_text(o, "interface", d->interface);
  floe__json_set_integer(o, "osError", d->has_os_error, d->os_error);
  floe__json_set_text(o, "osErrorText", d->has_os_error ? d->os_error_text : NULL);
  floe__json_set_integer(o, "icmpType", d->has_icmp, d->icmp_type);
  floe__json_set_integer(o, "icmpCode", d->has_icmp, d->icmp_code);
  floe__json_set_text(o, "dnsStatus", d->has_dns_status ? floe_dns_status_name(d->dns_status) : NULL);
  if (d->tls != NULL) set_tls(o, d->tls);
  floe__json_set_text(o, "realm", d->realm);
  floe__json_set_text(o, "software", d->software);
  floe__json_set_integer(o, "attempts", true, d->attempts);
  floe__json_set_number(o, "rttMs", d->has_rtt, d->rtt_ms);
  floe__json_set_number(o, "startedMs", true, d->started_ms);
  floe__json_set_number(o, "elapsedMs", true, d->elapsed_ms);
  floe__json_set_text(o, "hint", d->hint);
  return o;
}

/* --- events ----------------------------------------------------------------------------------------------------- */

/* The end of candidates has an empty candidate and nothing else. */
static void set_candidate(json_t *line, const floe_ice_candidate *c) {
  char text[FLOE_ADDR_TEXT];
  floe__json_set_text(line, "candidate", c == NULL ? "" : c->text);
  if (c == NULL) return;
  bool is_related = c->related.family != FLOE_FAMILY_NONE;
  floe__json_set_text(line, "candidateType", floe_candidate_type_name(c->type));
  floe__json_set_text(line, "address", floe_addr_format_ip(&c->address, text));
  floe__json_set_integer(line, "port", true, c->address.port);
  floe__json_set_text(line, "protocol", floe_transport_name(c->transport));
  floe__json_set_text(line, "relatedAddress", is_related ? floe_addr_format_ip(&c->related, text) : NULL);
  floe__json_or_null(line, "relatedAddress");
  floe__json_set_integer(line, "relatedPort", is_related, c->related.port);
  floe__json_or_null(line, "relatedPort");
  floe__json_set_text(line, "url", c->url);
  floe__json_or_null(line, "url");
  floe__json_set_text(line, "relayProtocol", c->has_relay_protocol ? floe_transport_name(c->relay_protocol) : NULL);
  floe__json_or_null(line, "relayProtocol");
}

static void set_error(json_t *line, const floe_candidate_error *e) {
  floe__json_set_text(line, "address", e->address);
  floe__json_or_null(line, "address");
  floe__json_set_integer(line, "port", e->has_port, e->port);
  floe__json_or_null(line, "port");
  floe__json_set_text(line, "url", e->url);
  floe__json_set_integer(line, "errorCode", true, e->error_code);
  floe__json_set_text(line, "errorText", e->error_text);
  if (e->detail != NULL) (void)json_object_set_new(line, "detail", make_detail(e->detail));
}

static void set_state(json_t *line, const char *state, floe_cause cause) {
  floe__json_set_text(line, "state", state);
  if (cause != FLOE_CAUSE_NONE) floe__json_set_text(line, "cause", floe_cause_id(cause));
}

static void set_pair(json_t *line, const floe_pair_change *pair) {
  floe__json_set_text(line, "local", pair->local == NULL ? NULL : pair->local->text);
  floe__json_set_text(line, "remote", pair->remote == NULL ? NULL : pair->remote->text);
}

void floe__json_print_event(FILE *out, const floe_event *event) {
  json_t *line = json_object();
  floe__json_set_text(line, "type", event->name);
  floe__json_set_number(line, "t_ms", true, event->t_ms);
  switch ((int)event->type) {
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE:
      floe__json_set_text(line, "state", floe_ice_gathering_state_name(event->u.gathering_state));
      break;
    case FLOE_EVENT_ICECANDIDATE: set_candidate(line, event->u.candidate); break;
    case FLOE_EVENT_ICECANDIDATEERROR:
    case FLOE_EVENT_ICESERVERERROR: set_error(line, &event->u.error); break;
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE:
      set_state(line, floe_ice_connection_state_name(event->u.connection.state), event->u.connection.cause);
      break;
    case FLOE_EVENT_CONNECTIONSTATECHANGE:
      set_state(line, floe_pc_state_name(event->u.pc.state), event->u.pc.cause);
      break;
    case FLOE_EVENT_SIGNALINGSTATECHANGE:
      floe__json_set_text(line, "state", floe_signaling_state_name(event->u.signaling_state));
      break;
    case FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE: set_pair(line, &event->u.pair); break;
    default: break;
  }
  floe__json_print_line(out, line);
}

/* --- the report ------------------------------------------------------------------------------------------------- */

static json_t *make_attempt(const floe_attempt_report *a) {
  json_t *o = json_object();
  floe__json_set_text(o, "outcome", floe_attempt_outcome_name(a->outcome));
  floe__json_set_integer(o, "errorCode", a->error_code != 0, a->error_code);
  floe__json_set_text(o, "errorText", a->error_code != 0 ? a->error_text : NULL);
  floe__json_set_number(o, "dnsMs", a->has_dns_ms, a->dns_ms);
  floe__json_set_number(o, "connectMs", a->has_connect_ms, a->connect_ms);
  floe__json_set_number(o, "tlsMs", a->has_tls_ms, a->tls_ms);
  floe__json_set_number(o, "requestMs", a->has_request_ms, a->request_ms);
  floe__json_set_integer(o, "discarded", true, a->discarded);
  floe__json_set_integer(o, "redirects", true, a->redirects);
  floe__json_set_true(o, "unauthenticatedRedirect", a->unauthenticated_redirect);
  floe__json_set_true(o, "redundant", a->redundant);
  floe__json_set_addr(o, "mappedAddress", &a->mapped);
  floe__json_set_addr(o, "relayedAddress", &a->relayed);
  floe__json_set_addr(o, "relayedAddressAdditional", &a->relayed_additional);
  floe__json_set_integer(o, "additionalErrorCode", a->additional_error != 0, a->additional_error);
  floe__json_set_integer(o, "lifetime", a->has_lifetime, a->lifetime_s);
  (void)json_object_set_new(o, "detail", make_detail(&a->detail));
  return o;
}

static json_t *make_relay(const floe__relay_result *r) {
  bool tested = r->outcome != FLOE__RELAY_NOT_TESTED;
  json_t *o = json_object();
  floe__json_set_text(o, "outcome", floe__relay_outcome_name(r->outcome));
  floe__json_set_text(o, "cause", r->cause == FLOE_CAUSE_NONE ? NULL : floe_cause_id(r->cause));
  floe__json_set_integer(o, "errorCode", r->error_code != 0, r->error_code);
  floe__json_set_text(o, "errorText", r->error_code != 0 ? r->words : NULL);
  floe__json_set_text(o, "relayProtocol", floe_transport_name(r->transport));
  floe__json_set_addr(o, "relayedAddress", &r->relayed);
  floe__json_set_addr(o, "peerAddress", &r->peer);
  floe__json_set_integer(o, "sent", tested, r->sent);
  floe__json_set_integer(o, "arrivedOut", tested, r->arrived_out);
  floe__json_set_integer(o, "arrivedBack", tested, r->arrived_back);
  floe__json_set_number(o, "rttMinMs", r->n_rtt > 0, r->rtt_min_ms);
  floe__json_set_number(o, "rttAvgMs", r->n_rtt > 0, r->rtt_avg_ms);
  floe__json_set_number(o, "rttMaxMs", r->n_rtt > 0, r->rtt_max_ms);
  floe__json_set_number(o, "jitterMs", r->n_rtt > 1, r->jitter_ms);
  return o;
}

static json_t *make_server(const floe__check_server *s) {
  json_t *o = json_object(), *attempts = json_array(), *candidates = json_array(), *relays = json_array();
  for (size_t i = 0; i < s->report->n_attempts; i++) {
    (void)json_array_append_new(attempts, make_attempt(s->report->attempts[i]));
  }
  for (size_t i = 0; i < s->n_candidates; i++) (void)json_array_append_new(candidates, json_string(s->candidates[i]));
  for (size_t i = 0; i < s->n_relays; i++) (void)json_array_append_new(relays, make_relay(&s->relays[i]));
  floe__json_set_text(o, "url", s->report->url);
  floe__json_set_integer(o, "serverIndex", true, s->report->server_index);
  floe__json_set_integer(o, "urlIndex", true, s->report->url_index);
  floe__json_set_text(o, "verdict", floe_verdict_name(s->verdict));
  floe__json_set_text(o, "cause", s->cause == FLOE_CAUSE_NONE ? NULL : floe_cause_id(s->cause));
  floe__json_or_null(o, "cause");
  floe__json_set_true(o, "derived", s->is_derived);
  (void)json_object_set_new(o, "attempts", attempts);
  (void)json_object_set_new(o, "candidates", candidates);
  (void)json_object_set_new(o, "relayTests", relays);
  return o;
}

void floe__json_print_report(FILE *out, const floe__check_result *result, unsigned round) {
  json_t *line = json_object(), *servers = json_array();
  for (size_t i = 0; i < result->n_servers; i++) (void)json_array_append_new(servers, make_server(&result->servers[i]));
  floe__json_set_text(line, "type", "report");
  floe__json_set_number(line, "t_ms", true, result->elapsed_ms);
  floe__json_set_integer(line, "round", round != 0, round);
  floe__json_set_text(line, "verdict", floe_verdict_name(result->verdict));
  floe__json_set_true(line, "insecure", result->insecure);
  (void)json_object_set_new(line, "servers", servers);
  floe__json_print_line(out, line);
}

void floe__json_print_error(FILE *out, const floe__json_error *why) {
  json_t *line = json_object();
  const floe_error *e = &why->error;
  floe__json_set_text(line, "type", "error");
  floe__json_set_text(line, "name", floe_status_exception(e->status));
  floe__json_set_text(line, "path", e->path[0] == '\0' ? NULL : e->path);
  floe__json_or_null(line, "path");
  floe__json_set_integer(line, "offset", e->offset != FLOE_NO_OFFSET, (int64_t)e->offset);
  floe__json_set_integer(line, "line", why->line > 0, why->line);
  floe__json_set_integer(line, "column", why->line > 0, why->column);
  floe__json_set_text(line, "message", e->message);
  floe__json_print_line(out, line);
}
