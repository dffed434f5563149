#include "nat_print.h"

#include <string.h>

#include "human_facts.h"
#include "nat_words.h"
#include "text.h"

static const char *const family_names[2] = {"IPv4", "IPv6"};
static const char *const way_names[FLOE__NAT_WAYS] = {"UDP", "TCP", "TLS"};

/* --verbose: families with nothing to tell as well. */
static bool is_told(const floe__human *h, const floe__nat_findings *f, unsigned which) {
  return floe__nat_findings_has(f, which) || (h->verbose && f->results[which] != NULL);
}

static void print_hint(const floe__human *h, floe_cause cause) {
  const char *hint = floe_cause_hint(cause);
  if (!h->verbose || hint[0] == '\0') return;
  (void)fprintf(h->out, "%15stry: ", "");
  floe__text_print_wrapped(h->out, hint, 20, 20, h->width);
}

/* --- servers ---------------------------------------------------------------------------------------------------- */

static const floe_nat_server_result *seen_by(const floe__nat_findings *f, size_t host, unsigned which) {
  const floe_nat_result *r = f->results[which];
  for (size_t i = 0; r != NULL && i < r->n_servers; i++) {
    if (f->plan->hosts_of[which][i] == host) return &r->servers[i];
  }
  return NULL;
}

static void print_seen(const floe__human *h, const floe_nat_server_result *s, const char *family) {
  char server[FLOE_ADDR_TEXT], mapped[FLOE_ADDR_TEXT], span[FLOE__SPAN_TEXT], after[FLOE__SPAN_TEXT + 8] = "";
  if (s->mapped.family == FLOE_FAMILY_NONE) {
    floe__fact_print(h, family, "%s: %s", floe_cause_id(s->cause), floe_cause_sentence(s->cause));
    print_hint(h, s->cause);
    return;
  }
  if (s->has_rtt) (void)snprintf(after, sizeof after, " in %s", floe__text_span(s->rtt_ms, span));
  floe__fact_print(h, family, "%s sees %s%s%s", floe_addr_format(&s->server, server),
                   floe_addr_format(&s->mapped, mapped), after,
                   s->other.family == FLOE_FAMILY_NONE ? "" : "; it has two addresses (RFC 5780)");
}

static void print_way(const floe__human *h, const floe__nat_way *way, const char *name) {
  char label[24], span[FLOE__SPAN_TEXT], after[FLOE__SPAN_TEXT + 8] = "";
  (void)snprintf(label, sizeof label, "%s %u", name, way->port);
  bool is_reached = way->reach >= FLOE__NAT_REACH_CONNECTED;
  if (is_reached && way->has_ms) (void)snprintf(after, sizeof after, " in %s", floe__text_span(way->ms, span));
  if (way->cause == FLOE_CAUSE_NONE) {
    floe__fact_print(h, label, "%s%s", floe__nat_words_reach(way), after);
  } else {
    floe__fact_print(h, label, "%s%s (%s)", floe__nat_words_reach(way), after, floe_cause_id(way->cause));
    if (way->reach != FLOE__NAT_REACH_OPEN) print_hint(h, way->cause);
  }
}

static floe_verdict verdict_of(const floe__nat_findings *f, size_t host) {
  const floe__nat_way *ways = f->ways[host];
  if (ways[FLOE__NAT_UDP].reach == FLOE__NAT_REACH_OPEN) return FLOE_VERDICT_OK;
  bool other =
      ways[FLOE__NAT_TCP].reach >= FLOE__NAT_REACH_CONNECTED || ways[FLOE__NAT_TLS].reach >= FLOE__NAT_REACH_CONNECTED;
  return other ? FLOE_VERDICT_DEGRADED : FLOE_VERDICT_FAILED;
}

static void print_server(const floe__human *h, const floe__nat_findings *f, size_t host) {
  floe__human_print_word(h, verdict_of(f, host));
  (void)fprintf(h->out, " %s\n", f->plan->hosts[host].url);
  for (unsigned which = 0; which < 2; which++) {
    const floe_nat_server_result *s = seen_by(f, host, which);
    if (s != NULL && is_told(h, f, which)) print_seen(h, s, family_names[which]);
  }
  for (int way = FLOE__NAT_TCP; f->has_transports && way < FLOE__NAT_WAYS; way++) {
    print_way(h, &f->ways[host][way], way_names[way]);
  }
}

/* --- a family --------------------------------------------------------------------------------------------------- */

/* A fact, how sure it is, and what it means. */
static void print_behaviour(const floe__human *h, const char *label, floe_nat_behaviour behaviour,
                            floe_nat_certainty certainty, const char *words) {
  if (behaviour == FLOE_NAT_UNKNOWN) {
    floe__fact_print(h, label, "unknown: %s", words);
  } else {
    floe__fact_print(h, label, "%s (%s): %s", floe_nat_behaviour_name(behaviour), floe_nat_certainty_name(certainty),
                     words);
  }
}

static void print_sentence(const floe__human *h, const char *sentence) {
  (void)fputs("  ", h->out);
  floe__text_print_wrapped(h->out, sentence, 2, 2, h->width);
}

static void print_conclusion(const floe__human *h, const floe_nat_result *r) {
  floe_nat_certainty certainty;
  const char *conclusion = floe__nat_words_conclusion(r, &certainty), *caveat = floe__nat_words_caveat(r);
  char text[400];
  bool is_known = r->mapping != FLOE_NAT_UNKNOWN;
  (void)snprintf(text, sizeof text, "%s%s%s%s", conclusion, is_known ? " (" : "",
                 is_known ? floe_nat_certainty_name(certainty) : "", is_known ? ")" : "");
  print_sentence(h, text);
  if (caveat != NULL) print_sentence(h, caveat);
}

static void print_family(const floe__human *h, const floe_nat_result *r, const char *family) {
  char local[FLOE_ADDR_TEXT], mapped[FLOE_ADDR_TEXT];
  const char *on = h->colour ? "\033[1m" : "", *off = h->colour ? "\033[0m" : "";
  (void)fprintf(h->out, "%s%s%s", on, family, off);
  if (r->local.family != FLOE_FAMILY_NONE) {
    (void)fprintf(h->out, " from %s (%s)", floe_addr_format(&r->local, local), r->interface);
  }
  if (r->mapped.family != FLOE_FAMILY_NONE) {
    (void)fprintf(h->out, ", seen as %s", floe_addr_format(&r->mapped, mapped));
  }
  (void)fputc('\n', h->out);
  print_behaviour(h, "mapping", r->mapping, r->mapping_certainty, floe__nat_words_mapping(r));
  print_behaviour(h, "filtering", r->filtering, r->filtering_certainty, floe__nat_words_filtering(r));
  if (floe__nat_words_hairpin(r) != NULL) {
    floe__fact_print(h, "hairpin", "%s: %s", r->hairpin ? "yes" : "no", floe__nat_words_hairpin(r));
  }
  if (floe__nat_words_ports(r) != NULL) floe__fact_print(h, "ports", "%s", floe__nat_words_ports(r));
  print_conclusion(h, r);
}

/* --- the whole -------------------------------------------------------------------------------------------------- */

/* "gets out: UDP, TCP; no answer: TLS" */
static void print_ways(const floe__human *h, const floe__nat_findings *f) {
  static const struct {
    floe__nat_reach from, to;
    const char *words;
  } rows[] = {{FLOE__NAT_REACH_CONNECTED, FLOE__NAT_REACH_OPEN, "gets out"},
              {FLOE__NAT_REACH_SPOILED, FLOE__NAT_REACH_SPOILED, "answered by something else"},
              {FLOE__NAT_REACH_REFUSED, FLOE__NAT_REACH_REFUSED, "refused"},
              {FLOE__NAT_REACH_BLOCKED, FLOE__NAT_REACH_BLOCKED, "no answer"},
              {FLOE__NAT_REACH_UNKNOWN, FLOE__NAT_REACH_UNKNOWN, "not known"}};
  const char *between = "";
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    unsigned n = 0;
    for (int way = 0; way < FLOE__NAT_WAYS; way++) {
      floe__nat_reach reach = floe__nat_findings_reach(f, way);
      if (reach < rows[i].from || reach > rows[i].to) continue;
      if (n == 0) (void)fprintf(h->out, "%s%s: %s", between, rows[i].words, way_names[way]);
      if (n > 0) (void)fprintf(h->out, ", %s", way_names[way]);
      n++;
      between = "; ";
    }
  }
  (void)fputc('\n', h->out);
}

void floe__nat_print(const floe__human *h, const floe__nat_findings *f) {
  for (size_t i = 0; i < f->plan->n_hosts; i++) {
    print_server(h, f, i);
    (void)fputc('\n', h->out);
  }
  for (unsigned which = 0; which < 2; which++) {
    if (!is_told(h, f, which)) continue;
    print_family(h, f->results[which], family_names[which]);
    (void)fputc('\n', h->out);
  }
  if (f->has_transports) print_ways(h, f);
}
