/* The lines of `floe nat --json`: one object a line. */
#include "json_value.h"
#include "nat_print.h"
#include "nat_words.h"

static void set_cause(json_t *line, floe_cause cause) {
  floe__json_set_text(line, "cause", cause == FLOE_CAUSE_NONE ? NULL : floe_cause_id(cause));
  floe__json_or_null(line, "cause");
}

static void set_bool(json_t *line, const char *name, bool is_known, bool value) {
  if (is_known) (void)json_object_set_new(line, name, json_boolean(value));
  floe__json_or_null(line, name);
}

static void set_addr(json_t *line, const char *name, const floe_addr *addr) {
  floe__json_set_addr(line, name, addr);
  floe__json_or_null(line, name);
}

static void print_server(FILE *out, const char *url, int family, const floe_nat_server_result *s) {
  json_t *line = json_object();
  floe__json_set_text(line, "type", "server");
  floe__json_set_text(line, "url", url);
  floe__json_set_integer(line, "family", true, family);
  set_cause(line, s->cause);
  set_addr(line, "server", &s->server);
  set_addr(line, "mapped", &s->mapped);
  set_addr(line, "other", &s->other);
  set_bool(line, "examined", true, s->is_examined);
  floe__json_set_number(line, "rttMs", s->has_rtt, s->rtt_ms);
  floe__json_or_null(line, "rttMs");
  floe__json_print_line(out, line);
}

static void print_way(FILE *out, const char *url, const floe__nat_way *way) {
  json_t *line = json_object();
  floe__json_set_text(line, "type", "transport");
  floe__json_set_text(line, "url", url);
  floe__json_set_text(line, "transport", floe_transport_name(way->transport));
  floe__json_set_integer(line, "port", true, way->port);
  floe__json_set_text(line, "reach", floe__nat_reach_name(way->reach));
  set_cause(line, way->cause);
  floe__json_set_number(line, "ms", way->has_ms, way->ms);
  floe__json_or_null(line, "ms");
  floe__json_print_line(out, line);
}

static void set_conclusion(json_t *line, const floe_nat_result *r) {
  floe_nat_certainty certainty;
  floe__json_set_text(line, "conclusion", floe__nat_words_conclusion(r, &certainty));
  floe__json_set_text(line, "certainty", floe_nat_certainty_name(certainty));
  floe__json_set_text(line, "caveat", floe__nat_words_caveat(r));
  floe__json_or_null(line, "caveat");
}

static void print_family(FILE *out, int family, const floe_nat_result *r) {
  json_t *line = json_object();
  bool is_mapped = r->mapped.family != FLOE_FAMILY_NONE;
  floe__json_set_text(line, "type", "nat");
  floe__json_set_integer(line, "family", true, family);
  set_addr(line, "local", &r->local);
  floe__json_set_text(line, "interface", r->local.family == FLOE_FAMILY_NONE ? NULL : r->interface);
  floe__json_or_null(line, "interface");
  set_addr(line, "mapped", &r->mapped);
  floe__json_set_text(line, "mapping", floe_nat_behaviour_name(r->mapping));
  floe__json_set_text(line, "mappingCertainty", floe_nat_certainty_name(r->mapping_certainty));
  floe__json_set_text(line, "filtering", floe_nat_behaviour_name(r->filtering));
  floe__json_set_text(line, "filteringCertainty", floe_nat_certainty_name(r->filtering_certainty));
  set_bool(line, "hairpin", r->has_hairpin, r->hairpin);
  set_bool(line, "portPreserved", is_mapped, r->port_preserved);
  set_bool(line, "samePortParity", is_mapped, r->same_port_parity);
  set_bool(line, "loss", true, r->has_loss);
  floe__json_set_number(line, "elapsedMs", true, r->elapsed_ms);
  set_conclusion(line, r);
  floe__json_print_line(out, line);
}

static void print_summary(FILE *out, const floe__nat_findings *f) {
  static const char *const names[FLOE__NAT_WAYS] = {"udp", "tcp", "tls"};
  json_t *line = json_object();
  floe__json_set_text(line, "type", "summary");
  for (int way = 0; way < FLOE__NAT_WAYS; way++) {
    floe__json_set_text(line, names[way], floe__nat_reach_name(floe__nat_findings_reach(f, way)));
  }
  floe__json_set_number(line, "elapsedMs", true, f->elapsed_ms);
  floe__json_print_line(out, line);
}

void floe__nat_print_json(FILE *out, const floe__nat_findings *f) {
  for (unsigned which = 0; which < 2; which++) {
    const floe_nat_result *r = f->results[which];
    for (size_t i = 0; r != NULL && i < r->n_servers; i++) {
      print_server(out, f->plan->hosts[f->plan->hosts_of[which][i]].url, which == 0 ? 4 : 6, &r->servers[i]);
    }
  }
  for (size_t i = 0; i < f->plan->n_hosts; i++) {
    for (int way = 0; way < (f->has_transports ? FLOE__NAT_WAYS : FLOE__NAT_TCP); way++) {
      print_way(out, f->plan->hosts[i].url, &f->ways[i][way]);
    }
  }
  for (unsigned which = 0; which < 2; which++) {
    if (f->results[which] != NULL) print_family(out, which == 0 ? 4 : 6, f->results[which]);
  }
  print_summary(out, f);
}
