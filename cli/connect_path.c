#include "connect_path.h"

#include <stdlib.h>

#include "json_value.h"
#include "text.h"

const char *floe__path_candidate(const floe_ice_candidate *c, char *buf) {
  char address[FLOE_ADDR_TEXT];
  const char *name = c->mdns_name != NULL && c->address.family == FLOE_FAMILY_NONE ? c->mdns_name : NULL;
  (void)snprintf(buf, FLOE__PATH_TEXT, "%s %.100s", floe_candidate_type_name(c->type),
                 name != NULL ? name : floe_addr_format(&c->address, address));
  return buf;
}

static bool is_relayed(const floe_ice_candidate *local, const floe_ice_candidate *remote) {
  return local->type == FLOE_CANDIDATE_RELAY || remote->type == FLOE_CANDIDATE_RELAY;
}

/* Milliseconds; below 0: not known. */
static double round_trip_ms(const floe__link *link) {
  const floe_connection_report *report = floe_uv_pc_failure_report(link->pc);
  for (size_t i = 0; report != NULL && i < report->n_pairs; i++) {
    const floe_pair_stats *p = &report->pairs[i];
    if (p->selected && p->has_current_round_trip_time) return 1000 * p->current_round_trip_time;
  }
  return -1;
}

/* --- connected ---------------------------------------------------------------------------------------------------- */

static void set_candidate(json_t *line, const char *name, const floe_ice_candidate *c) {
  json_t *o = json_object();
  floe__json_set_text(o, "type", floe_candidate_type_name(c->type));
  floe__json_set_addr(o, "address", &c->address);
  floe__json_set_text(o, "protocol", floe_transport_name(c->transport));
  floe__json_set_text(o, "relayProtocol", c->has_relay_protocol ? floe_transport_name(c->relay_protocol) : NULL);
  floe__json_set_text(o, "url", c->url);
  (void)json_object_set_new(line, name, o);
}

static void print_json(const floe__link *link, const floe_ice_transport *t, double rtt_ms) {
  json_t *line = floe__report_object(link->report, "connected");
  if (line == NULL) return;
  if (t != NULL && t->selected_local != NULL) set_candidate(line, "local", t->selected_local);
  if (t != NULL && t->selected_remote != NULL) set_candidate(line, "remote", t->selected_remote);
  floe__json_set_number(line, "rttMs", rtt_ms >= 0, rtt_ms);
  floe__json_set_number(line, "elapsedMs", true, (double)(floe__link_now_ms(link) - link->begun_ms));
  const floe_dtls_transport *dtls = floe_pc_dtls_transport(floe_uv_pc_core(link->pc));
  if (dtls != NULL) floe__json_set_text(line, "tlsVersion", dtls->tls_version);
  if (dtls != NULL) floe__json_set_text(line, "cipher", dtls->cipher);
  floe__report_print(link->report, line);
}

static void tell_details(const floe__link *link, const floe_ice_candidate *local, const floe_ice_candidate *remote,
                         double rtt_ms) {
  char here[FLOE__PATH_TEXT], there[FLOE__PATH_TEXT], span[FLOE__SPAN_TEXT] = "";
  if (rtt_ms >= 0) (void)floe__text_span(rtt_ms, span);
  floe__report_text(link->report, "  path         %s to %s over %s%s%s", floe__path_candidate(local, here),
                    floe__path_candidate(remote, there), local->transport == FLOE_TRANSPORT_TCP ? "TCP" : "UDP",
                    rtt_ms >= 0 ? ", round trip " : "", span);
  if (local->has_relay_protocol && local->url != NULL) {
    char *url = floe__text_mask_url(local->url);
    floe__report_text(link->report, "  relay        %s, spoken to over %s", url,
                      floe_transport_name(local->relay_protocol));
    free(url);
  }
}

void floe__path_tell(const floe__link *link) {
  double rtt_ms = round_trip_ms(link);
  const floe_ice_transport *t = floe_pc_ice_transport(floe_uv_pc_core(link->pc));
  print_json(link, t, rtt_ms);
  if (link->report->human == NULL) return;
  bool is_known = t != NULL && t->selected_local != NULL && t->selected_remote != NULL;
  if (!is_known) {
    floe__report_say(link->report, "connected");
    return;
  }
  floe__report_say(link->report, "connected, %s",
                   is_relayed(t->selected_local, t->selected_remote) ? "through a TURN server" : "directly");
  if (link->report->verbose) tell_details(link, t->selected_local, t->selected_remote, rtt_ms);
}

void floe__path_tell_change(const floe__link *link, const floe_pair_change *pair) {
  if (link->report->human == NULL || !link->report->verbose || pair->local == NULL || pair->remote == NULL) return;
  tell_details(link, pair->local, pair->remote, -1);
}

/* --- not connected ------------------------------------------------------------------------------------------------ */

int floe__path_exit_of_cause(floe_cause cause, bool was_connected) {
  bool is_dtls =
      cause == FLOE_CAUSE_DTLS_FINGERPRINT || cause == FLOE_CAUSE_DTLS_ALERT || cause == FLOE_CAUSE_DTLS_TIMEOUT;
  if (was_connected || cause == FLOE_CAUSE_SCTP_ABORT || cause == FLOE_CAUSE_SCTP_TIMEOUT) {
    return FLOE__CONNECT_EXIT_GONE;
  }
  return is_dtls ? FLOE__CONNECT_EXIT_DTLS : FLOE__CONNECT_EXIT_UNREACHABLE;
}

static void tell_groups(const floe__link *link, const floe_connection_report *report) {
  for (size_t i = 0; i < report->n_groups; i++) {
    const floe_pair_group *g = &report->groups[i];
    floe__report_text(link->report, "  pairs        %u of %s with %s over %s, IPv%d: %llu checks sent, %llu answered",
                      g->n_pairs, floe_candidate_type_name(g->local_type), floe_candidate_type_name(g->remote_type),
                      g->transport == FLOE_TRANSPORT_TCP ? "TCP" : "UDP", (int)g->family,
                      (unsigned long long)g->requests_sent, (unsigned long long)g->responses_received);
  }
}

static const char *words_of_layers(const floe__link *link) {
  floe_pc *pc = floe_uv_pc_core(link->pc);
  const floe_dtls_transport *dtls = floe_pc_dtls_transport(pc);
  if (dtls != NULL && dtls->error_text != NULL) return dtls->error_text;
  const floe_sctp_transport *sctp = floe_pc_sctp_transport(pc);
  return sctp == NULL ? NULL : sctp->error_text;
}

int floe__path_tell_failure(const floe__link *link, floe_cause cause) {
  const floe_connection_report *report = floe_uv_pc_failure_report(link->pc);
  if (cause == FLOE_CAUSE_NONE && report != NULL) cause = report->verdict;
  const char *head = link->is_connected ? "the connection was lost" : "not connected";
  if (cause == FLOE_CAUSE_NONE) {
    floe__report_say(link->report, "%s: the time is up", head);
    return link->is_connected ? FLOE__CONNECT_EXIT_GONE : FLOE__CONNECT_EXIT_UNREACHABLE;
  }
  floe__report_say(link->report, "%s: %s: %s", head, floe_cause_id(cause), floe_cause_sentence(cause));
  if (report != NULL && !link->is_connected) {
    floe__report_text(link->report, "  candidates   %u here, %u there; checks of the other side that came: %u",
                      report->n_local_candidates, report->n_remote_candidates, report->requests_received);
    if (link->report->verbose) tell_groups(link, report);
  }
  const char *words = words_of_layers(link);
  if (words != NULL) floe__report_text(link->report, "  said         %s", words);
  if (floe_cause_hint(cause)[0] != '\0') floe__report_text(link->report, "  try: %s", floe_cause_hint(cause));
  return floe__path_exit_of_cause(cause, link->is_connected);
}
