#include "human_facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { DAY_S = 86400 };

void floe__fact_print(const floe__human *h, const char *label, const char *format, ...) {
  va_list args;
  (void)fprintf(h->out, "  %-13s", label);
  va_start(args, format);
  (void)vfprintf(h->out, format, args);
  va_end(args);
  (void)fputc('\n', h->out);
}

/* A fact in somebody else's words. */
static void print_foreign(const floe__human *h, const char *label, const char *text) {
  if (text == NULL || text[0] == '\0') return;
  char *clean = floe__text_clean(text);
  floe__fact_print(h, label, "%s", clean);
  free(clean);
}

static const char *name_of_transport(floe_transport transport) {
  switch (transport) {
    case FLOE_TRANSPORT_UDP: return "UDP";
    case FLOE_TRANSPORT_TCP: return "TCP";
    case FLOE_TRANSPORT_TLS: return "TLS";
    case FLOE_TRANSPORT_DTLS: return "DTLS";
  }
  return "?";
}

/* --- the certificate -------------------------------------------------------------------------------------------- */

static void print_validity(const floe__human *h, const floe_tls_info *tls) {
  char from[FLOE__DATE_TEXT], until[FLOE__DATE_TEXT];
  (void)floe__text_date(tls->not_before, from);
  (void)floe__text_date(tls->not_after, until);
  int64_t left = tls->not_after - h->unix_s;
  int64_t days = (left < 0 ? -left : left) / DAY_S;
  const char *s = days == 1 ? "" : "s";
  if (h->unix_s < tls->not_before) {
    floe__fact_print(h, "validity", "from %s to %s: not yet valid", from, until);
  } else if (left < 0) {
    floe__fact_print(h, "validity", "from %s to %s: expired %" PRId64 " day%s ago", from, until, days, s);
  } else {
    const char *warning = days < FLOE__CERT_WARN_DAYS ? ": RENEW IT SOON" : "";
    floe__fact_print(h, "validity", "until %s, %" PRId64 " day%s left%s", until, days, s, warning);
  }
}

static void print_certificate(const floe__human *h, const floe_tls_info *tls, bool with_names) {
  print_foreign(h, "certificate", tls->subject);
  print_foreign(h, "issuer", tls->issuer);
  if (with_names) print_foreign(h, "names", tls->names);
  if (tls->has_validity) print_validity(h, tls);
  if (tls->version != NULL && h->verbose) {
    floe__fact_print(h, "TLS", "%s %s", tls->version, tls->cipher == NULL ? "" : tls->cipher);
  }
  if (tls->insecure) floe__fact_print(h, "INSECURE", "the certificate was not verified (--insecure)");
}

/* --- what was found --------------------------------------------------------------------------------------------- */

static void print_server(const floe__human *h, const floe_attempt_detail *d) {
  char address[FLOE_ADDR_TEXT], span[FLOE__SPAN_TEXT];
  (void)floe_addr_format(&d->server_address, address);
  if (d->has_rtt) {
    floe__fact_print(h, "server", "%s over %s, RTT %s", address, name_of_transport(d->transport),
                     floe__text_span(d->rtt_ms, span));
  } else {
    floe__fact_print(h, "server", "%s over %s, RTT not known (a request was repeated)", address,
                     name_of_transport(d->transport));
  }
}

static void print_address(const floe__human *h, const char *label, const floe_attempt_report *a,
                          const floe_addr *addr) {
  char text[FLOE_ADDR_TEXT];
  if (addr->family == FLOE_FAMILY_NONE) return;
  bool is_odd = floe__result_is_oddly_private(a, addr);
  floe__fact_print(h, label, "%s%s", floe_addr_format(addr, text), is_odd ? "  <- private" : "");
}

static void print_redirects(const floe__human *h, const floe_attempt_report *a) {
  if (a->redirects == 0) return;
  floe__fact_print(h, "redirected", "%u time%s%s", a->redirects, a->redirects == 1 ? "" : "s",
                   a->unauthenticated_redirect ? ", once without a signature" : "");
}

/* What is the same for all attempts of a URL is told once, by its first attempt. */
static void print_once(const floe__human *h, const floe_attempt_report *a) {
  if (a->detail.tls != NULL) print_certificate(h, a->detail.tls, h->verbose);
  print_foreign(h, "realm", a->detail.realm);
  print_foreign(h, "software", a->detail.software);
  if (a->has_lifetime) floe__fact_print(h, "lifetime", "%u s", a->lifetime_s);
}

void floe__fact_print_found(const floe__human *h, const floe__check_server *server) {
  const floe_server_report *report = server->report;
  for (size_t i = 0; i < report->n_attempts; i++) {
    const floe_attempt_report *a = report->attempts[i];
    if (a->outcome != FLOE_ATTEMPT_CANDIDATE) continue;
    print_server(h, &a->detail);
    print_redirects(h, a);
    print_address(h, "relay", a, &a->relayed);
    print_address(h, "relay", a, &a->relayed_additional);
    print_address(h, "mapped", a, &a->mapped);
  }
  const floe_attempt_report *first = floe__result_first_candidate(report);
  if (first != NULL) print_once(h, first);
}

/* --- what failed ------------------------------------------------------------------------------------------------ */

/* "192.0.2.1:3478 over UDP", "turn.example.org" when no address is known. */
static char *describe_server(const floe_attempt_detail *d) {
  char text[512], address[FLOE_ADDR_TEXT];
  if (d->server_address.family != FLOE_FAMILY_NONE) {
    (void)snprintf(text, sizeof text, "%s over %s", floe_addr_format(&d->server_address, address),
                   name_of_transport(d->transport));
  } else {
    const char *family = d->family == FLOE_FAMILY_IPV4 ? " (IPv4)" : d->family == FLOE_FAMILY_IPV6 ? " (IPv6)" : "";
    (void)snprintf(text, sizeof text, "%s%s", d->server_name == NULL ? "its address" : d->server_name, family);
  }
  return floe__text_clean(text);
}

static void print_where(const floe__human *h, const floe_attempt_detail *d) {
  char span[FLOE__SPAN_TEXT], local[FLOE_ADDR_TEXT], from[FLOE_ADDR_TEXT + 48] = "";
  char *server = describe_server(d), sent[48] = "";
  if (d->attempts > 1) (void)snprintf(sent, sizeof sent, ", %u requests sent", d->attempts);
  if (d->local_address.family != FLOE_FAMILY_NONE) {
    (void)snprintf(from, sizeof from, ", from %s%s%s%s", floe_addr_format_ip(&d->local_address, local),
                   d->interface == NULL ? "" : " (", d->interface == NULL ? "" : d->interface,
                   d->interface == NULL ? "" : ")");
  }
  floe__fact_print(h, "server", "%s%s, after %s%s", server, from, floe__text_span(d->elapsed_ms, span), sent);
  free(server);
}

static void print_system_words(const floe__human *h, const floe_attempt_detail *d) {
  if (d->has_dns_status && d->dns_status != FLOE_DNS_OK) {
    floe__fact_print(h, "DNS says", "%s", floe_dns_status_name(d->dns_status));
  }
  if (d->has_icmp) floe__fact_print(h, "network says", "ICMP type %u code %u", d->icmp_type, d->icmp_code);
  if (d->has_os_error) {
    floe__fact_print(h, "system says", "%s (%d)", d->os_error_text == NULL ? "error" : d->os_error_text, d->os_error);
  }
  if (d->tls != NULL && d->tls->has_alert) {
    floe__fact_print(h, "TLS alert", "%u %s", d->tls->alert, d->tls->alert_text == NULL ? "" : d->tls->alert_text);
  }
  if (d->tls != NULL && d->tls->has_verify_error) print_foreign(h, "verified", d->tls->verify_text);
}

void floe__fact_print_failure(const floe__human *h, const floe_attempt_report *a) {
  const floe_attempt_detail *d = &a->detail;
  if (a->error_code != 0 && a->error_code != 701) {
    char *words = floe__text_clean(a->error_text == NULL ? "" : a->error_text);
    floe__fact_print(h, "server says", "%u %s", a->error_code, words);
    free(words);
  }
  print_where(h, d);
  print_redirects(h, a);
  print_system_words(h, d);
  if (d->tls != NULL) print_certificate(h, d->tls, true);
  print_foreign(h, "realm", d->realm);
  print_foreign(h, "software", d->software);
  if (a->discarded > 0) floe__fact_print(h, "discarded", "%u packets that were no usable answer", a->discarded);
}

void floe__fact_print_failed_attempts(const floe__human *h, const floe_server_report *report) {
  for (size_t i = 0; i < report->n_attempts; i++) {
    const floe_attempt_report *a = report->attempts[i];
    if (a->outcome == FLOE_ATTEMPT_CANDIDATE) continue;
    char local[FLOE_ADDR_TEXT], *server = describe_server(&a->detail);
    bool has_local = a->detail.local_address.family != FLOE_FAMILY_NONE;
    floe__fact_print(h, "failed", "%s%s%s: %s", server, has_local ? " from " : "",
                     has_local ? floe_addr_format_ip(&a->detail.local_address, local) : "",
                     floe_cause_id(a->detail.cause));
    free(server);
  }
}

/* --- relay data ------------------------------------------------------------------------------------------------- */

/* "IPv4 over UDP: " where there are several relays to tell apart. */
static void describe_relay(const floe__relay_result *r, bool is_only, char *out, size_t cap) {
  out[0] = '\0';
  if (is_only) return;
  (void)snprintf(out, cap, "%s over %s: ", r->relayed.family == FLOE_FAMILY_IPV6 ? "IPv6" : "IPv4",
                 name_of_transport(r->transport));
}

static void print_relay(const floe__human *h, const floe__relay_result *r, bool is_only) {
  char span[FLOE__SPAN_TEXT], from[FLOE_ADDR_TEXT], to[FLOE_ADDR_TEXT], which[32];
  describe_relay(r, is_only, which, sizeof which);
  if (r->outcome == FLOE__RELAY_NOT_TESTED) {
    bool refused = r->cause == FLOE_CAUSE_PERMISSION_FAILED;
    floe__fact_print(h, "relay data", "%snot tested, %s: %s", which,
                     refused ? "the server does not relay to its own relay address" : "no second allocation",
                     floe_cause_id(r->cause));
  } else if (r->arrived_out == 0 && r->arrived_back == 0) {
    floe__fact_print(h, "relay data", "%snone of %u packets arrived from %s at %s, nor back", which, r->sent,
                     floe_addr_format(&r->relayed, from), floe_addr_format(&r->peer, to));
  } else if (r->arrived_out == r->sent && r->arrived_back == r->sent && r->n_rtt > 0) {
    floe__fact_print(h, "relay data", "%s%u of %u packets arrived both ways, RTT %s", which, r->sent, r->sent,
                     floe__text_span(r->rtt_avg_ms, span));
  } else {
    floe__fact_print(h, "relay data", "%s%u of %u packets arrived one way, %u of %u the other", which, r->arrived_out,
                     r->sent, r->arrived_back, r->sent);
  }
  if (r->error_code == 0) return;
  char *words = floe__text_clean(r->words);
  floe__fact_print(h, "server says", "%u %s", r->error_code, words);
  free(words);
}

void floe__fact_print_relay_data(const floe__human *h, const floe__check_server *server) {
  for (size_t i = 0; i < server->n_relays; i++) print_relay(h, &server->relays[i], server->n_relays == 1);
}

/* --- each attempt ----------------------------------------------------------------------------------------------- */

static void print_time(const floe__human *h, const char *label, bool is_known, double ms) {
  char span[FLOE__SPAN_TEXT];
  if (is_known) (void)fprintf(h->out, ", %s %s", label, floe__text_span(ms, span));
}

static void print_attempt(const floe__human *h, const floe_attempt_report *a) {
  const floe_attempt_detail *d = &a->detail;
  char local[FLOE_ADDR_TEXT], span[FLOE__SPAN_TEXT], started[FLOE__SPAN_TEXT], *server = describe_server(d);
  const char *end = a->outcome == FLOE_ATTEMPT_CANDIDATE ? "candidate" : floe_cause_id(d->cause);
  (void)fprintf(h->out, "  attempt      at %s: %s", floe__text_span(d->started_ms, started), server);
  if (d->local_address.family != FLOE_FAMILY_NONE) {
    (void)fprintf(h->out, " from %s", floe_addr_format(&d->local_address, local));
  }
  (void)fprintf(h->out, ": %s after %s", end, floe__text_span(d->elapsed_ms, span));
  if (a->outcome != FLOE_ATTEMPT_CANDIDATE) (void)fprintf(h->out, " in %s", floe_phase_name(d->phase));
  print_time(h, "DNS", a->has_dns_ms, a->dns_ms);
  print_time(h, "connect", a->has_connect_ms, a->connect_ms);
  print_time(h, "TLS", a->has_tls_ms, a->tls_ms);
  print_time(h, "requests", a->has_request_ms, a->request_ms);
  (void)fprintf(h->out, ", %u sent", d->attempts);
  if (a->redundant) (void)fputs(", redundant", h->out);
  (void)fputc('\n', h->out);
  free(server);
}

void floe__fact_print_attempts(const floe__human *h, const floe_server_report *report) {
  for (size_t i = 0; i < report->n_attempts; i++) print_attempt(h, report->attempts[i]);
}
