/* What connecting adds to a simulated agent: its calls, the data that comes, and what was told last. */
#include <stdlib.h>
#include <string.h>

#include "support/sim_agent_internal.h"

/* --- secrets that must not be in the trace ----------------------------------------------------------------------- */

void sim_agent_keep_secret(sim_agent *a, const char *secret) {
  if (secret == NULL || strlen(secret) < 8) return;
  for (size_t i = 0; i < a->c.n_secrets; i++) {
    if (strcmp(a->c.secrets[i], secret) == 0) return;
  }
  a->c.secrets = sim_must(realloc(a->c.secrets, (a->c.n_secrets + 1) * sizeof *a->c.secrets));
  size_t size = strlen(secret) + 1;
  char *copy = sim_must(malloc(size));
  memcpy(copy, secret, size);
  a->c.secrets[a->c.n_secrets++] = copy;
}

void sim_agent_keep_local_secret(sim_agent *a) {
  const floe_ice_parameters *p = floe_ice_agent_local_parameters(a->core);
  if (p != NULL) sim_agent_keep_secret(a, p->pwd);
}

void sim_agent_clear_connection(sim_agent *a) {
  for (size_t i = 0; i < a->c.n_secrets; i++) free(a->c.secrets[i]);
  for (size_t i = 0; i < a->c.n_data; i++) free(a->c.data[i].bytes);
  free(a->c.secrets);
  free(a->c.data);
  a->c.secrets = NULL;
  a->c.data = NULL;
  a->c.n_secrets = a->c.n_data = 0;
  sim_text_clear(&a->c.report);
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

floe_status sim_agent_set_role(sim_agent *a, floe_ice_role role) {
  floe_status st = floe_ice_agent_set_role(a->core, role);
  sim_agent_drain(a);
  return st;
}

floe_status sim_agent_set_remote_parameters(sim_agent *a, const floe_ice_parameters *params) {
  sim_agent_keep_secret(a, params->pwd);
  floe_status st = floe_ice_agent_set_remote_parameters(a->core, sim_now(a->s), params, &a->c.why);
  sim_agent_drain(a);
  return st;
}

floe_status sim_agent_add_remote_candidate(sim_agent *a, const char *line) {
  floe_status st = floe_ice_agent_add_remote_candidate(a->core, sim_now(a->s), line, &a->c.why);
  sim_agent_drain(a);
  return st;
}

void sim_agent_end_of_remote_candidates(sim_agent *a) {
  floe_ice_agent_end_of_remote_candidates(a->core, sim_now(a->s));
  sim_agent_drain(a);
}

void sim_agent_keep_password_of(sim_agent *a, const char *text) {
  const char *at = strstr(text, "a=ice-pwd:");
  char pwd[300] = "";
  if (at == NULL) return;
  at += strlen("a=ice-pwd:");
  size_t len = strcspn(at, "\r\n");
  if (len >= sizeof pwd) return;
  memcpy(pwd, at, len);
  sim_agent_keep_secret(a, pwd);
}

floe_status sim_agent_set_remote_description(sim_agent *a, const char *text) {
  sim_agent_keep_password_of(a, text);
  floe_status st = floe_ice_agent_set_remote_description(a->core, sim_now(a->s), text, &a->c.why);
  sim_agent_drain(a);
  return st;
}

floe_status sim_agent_send(sim_agent *a, floe_bytes data, uint8_t dscp) {
  floe_status st = floe_ice_agent_send(a->core, sim_now(a->s), data, dscp);
  sim_agent_drain(a);
  return st;
}

floe_status sim_agent_send_text(sim_agent *a, const char *text) {
  return sim_agent_send(a, (floe_bytes){(const uint8_t *)text, strlen(text)}, 0);
}

floe_status sim_agent_restart(sim_agent *a) {
  floe_status st = floe_ice_agent_restart(a->core, sim_now(a->s));
  if (st == FLOE_OK) {
    a->c.restarted = true;
    a->told_state = FLOE_ICE_GATHERING_NEW; /* told or not */
    sim_agent_keep_local_secret(a);
  }
  sim_agent_drain(a);
  return st;
}

void sim_agent_interfaces_changed(sim_agent *a) {
  floe_ice_agent_on_interfaces_changed(a->core, sim_now(a->s));
  sim_agent_drain(a);
}

void sim_agent_tell_interfaces(sim_agent *a) {
  floe_input in = {.type = FLOE_INPUT_INTERFACES};
  in.interfaces = sim_host_interfaces(a->host, &in.n_interfaces);
  sim_agent_feed(a, &in);
}

const floe_error *sim_agent_why(const sim_agent *a) {
  return &a->c.why;
}

void sim_agent_on_candidate(sim_agent *a, void (*fn)(void *user, const floe_ice_candidate *c), void *user) {
  a->c.on_candidate = fn;
  a->c.on_candidate_user = user;
}

/* --- data --------------------------------------------------------------------------------------------------------- */

/* The candidate's type is asked for only after the output was copied: the call ends it. */
void sim_agent_take_data(sim_agent *a, const floe_output *out) {
  sim_data d = {.at = sim_now(a->s), .from = out->u.data.from, .len = out->u.data.data.len};
  uint32_t id = out->u.data.candidate;
  d.bytes = sim_must(malloc(d.len + 1));
  if (d.len > 0) memcpy(d.bytes, out->u.data.data.ptr, d.len);
  d.bytes[d.len] = '\0';
  a->c.data = sim_must(realloc(a->c.data, (a->c.n_data + 1) * sizeof *a->c.data));
  a->c.data[a->c.n_data++] = d;
  const floe_ice_candidate *c = floe_ice_agent_candidate(a->core, id);
  if (c == NULL) sim_fail(a->s, "DATA names candidate %u, which is not there", (unsigned)id);
  char from[FLOE_ADDR_TEXT];
  sim_text_add(&a->events, "%.1f data %s %s ", sim_agent_ms(a), c == NULL ? "?" : floe_candidate_type_name(c->type),
               floe_addr_format(&d.from, from));
  if (d.len <= 64) {
    sim_text_add(&a->events, "\"%s\"\n", (const char *)d.bytes);
  } else {
    sim_text_add(&a->events, "%zu bytes\n", d.len);
  }
}

size_t sim_agent_n_data(const sim_agent *a) {
  return a->c.n_data;
}

const sim_data *sim_agent_data(const sim_agent *a, size_t n) {
  if (n >= a->c.n_data) {
    sim_fail(a->s, "only %zu datagrams came", a->c.n_data);
    abort();
  }
  return &a->c.data[n];
}

/* --- what was told last ------------------------------------------------------------------------------------------- */

floe_ice_connection_state sim_agent_connection(const sim_agent *a) {
  return a->c.told;
}

bool sim_agent_is_connected(const sim_agent *a) {
  return a->c.told == FLOE_ICE_CONNECTION_CONNECTED || a->c.told == FLOE_ICE_CONNECTION_COMPLETED;
}

floe_cause sim_agent_connection_cause(const sim_agent *a) {
  return a->c.cause;
}

const char *sim_agent_pair(sim_agent *a) {
  return a->c.has_pair ? a->c.pair : "none";
}

const char *sim_agent_connection_report(sim_agent *a) {
  sim_text_clear(&a->c.report);
  const floe_connection_report *report = floe_ice_agent_connection_report(a->core, sim_now(a->s));
  if (report != NULL) sim_connection_report_text(&a->c.report, report);
  return sim_text_of(&a->c.report);
}

floe_cause sim_agent_verdict(sim_agent *a) {
  const floe_connection_report *report = floe_ice_agent_connection_report(a->core, sim_now(a->s));
  return report == NULL ? FLOE_CAUSE_NONE : report->verdict;
}

uint64_t sim_agent_timers(const sim_agent *a) {
  return a->c.timers;
}
