#include "matrix.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "text.h"

/* --- deriving --------------------------------------------------------------------------------------------------- */

static bool is_same_host(const floe_ice_url *a, const floe_ice_url *b) {
  return a->is_turn == b->is_turn && strcasecmp(a->host, b->host) == 0;
}

static bool has_way(const floe__server_list *list, const floe_ice_url *like, floe_transport transport) {
  for (size_t i = 0; i < list->n; i++) {
    for (size_t k = 0; k < list->servers[i].n_urls; k++) {
      floe_ice_url url;
      if (floe_ice_url_parse(&url, list->servers[i].urls[k], NULL) != FLOE_OK) continue;
      if (is_same_host(&url, like) && url.transport == transport) return true;
    }
  }
  return false;
}

/* The port given for plain or for secure URLs of the host; the other kind has its default. */
static void write_port(char *out, size_t cap, const floe_ice_url *url, bool secure) {
  out[0] = '\0';
  if (url->has_port && url->is_secure == secure) (void)snprintf(out, cap, ":%u", url->port);
}

static char *make_url(const floe_ice_url *url, floe_transport transport) {
  bool secure = transport == FLOE_TRANSPORT_TLS, literal6 = url->addr.family == FLOE_FAMILY_IPV6;
  char port[8], text[320];
  write_port(port, sizeof port, url, secure);
  (void)snprintf(text, sizeof text, "%s%s:%s%s%s%s%s", url->is_turn ? "turn" : "stun", secure ? "s" : "",
                 literal6 ? "[" : "", url->host, literal6 ? "]" : "", port,
                 transport == FLOE_TRANSPORT_TCP ? "?transport=tcp" : "");
  return floe__cli_strdup(text);
}

static void derive_from(floe__server_list *list, size_t index, const char *given) {
  static const floe_transport ways[] = {FLOE_TRANSPORT_UDP, FLOE_TRANSPORT_TCP, FLOE_TRANSPORT_TLS};
  floe_ice_url url;
  if (floe_ice_url_parse(&url, given, NULL) != FLOE_OK) return;
  for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
    if (ways[i] == FLOE_TRANSPORT_TCP && !url.is_turn) continue; /* RFC 7064 has no STUN over plain TCP */
    if (has_way(list, &url, ways[i])) continue;
    char *text = make_url(&url, ways[i]);
    const char *username = list->servers[index].username, *credential = list->servers[index].credential;
    floe__server_list_add_url(floe__server_list_add(list, username, credential), text);
    free(text);
  }
}

void floe__matrix_derive(floe__server_list *list) {
  size_t n_given = list->n;
  for (size_t i = 0; i < n_given; i++) {
    for (size_t k = 0; k < list->servers[i].n_urls; k++) derive_from(list, i, list->servers[i].urls[k]);
  }
}

/* --- printing --------------------------------------------------------------------------------------------------- */

enum { CELL_WIDTH = 28 };

typedef struct cell {
  bool is_tried, is_ok;
  floe_cause cause;
  bool has_rtt;
  double rtt_ms;
} cell;

/* A URL that works in several ways shows the first; one that fails shows why. */
static void look_at(cell *c, const floe__check_server *s, floe_family family) {
  for (size_t i = 0; i < s->report->n_attempts; i++) {
    const floe_attempt_report *a = s->report->attempts[i];
    if (a->detail.family != family || c->is_ok) continue;
    c->is_tried = true;
    c->cause = a->detail.cause;
    if (a->outcome != FLOE_ATTEMPT_CANDIDATE) continue;
    c->is_ok = s->verdict != FLOE_VERDICT_FAILED;
    c->cause = c->is_ok ? FLOE_CAUSE_NONE : s->cause;
    c->has_rtt = a->detail.has_rtt;
    c->rtt_ms = a->detail.rtt_ms;
  }
}

static void print_cell(const floe__human *h, const cell *c, bool is_last) {
  char text[64], span[FLOE__SPAN_TEXT];
  if (!c->is_tried) {
    (void)snprintf(text, sizeof text, "-");
  } else if (!c->is_ok) {
    (void)snprintf(text, sizeof text, "%s", floe_cause_id(c->cause));
  } else {
    (void)snprintf(text, sizeof text, "ok%s%s", c->has_rtt ? " " : "",
                   c->has_rtt ? floe__text_span(c->rtt_ms, span) : "");
  }
  const char *on = !h->colour || !c->is_tried ? "" : c->is_ok ? "\033[32m" : "\033[31m";
  (void)fprintf(h->out, "%s%-*s%s", on, is_last ? 0 : CELL_WIDTH, text, on[0] == '\0' ? "" : "\033[0m");
}

static void print_row(const floe__human *h, const floe__check_result *result, const floe_ice_url *host,
                      floe_transport transport) {
  static const char *const names[] = {"UDP", "TCP", "TLS"};
  cell v4 = {0}, v6 = {0};
  bool any = false;
  for (size_t i = 0; i < result->n_servers; i++) {
    floe_ice_url url;
    if (floe_ice_url_parse(&url, result->servers[i].report->url, NULL) != FLOE_OK) continue;
    if (!is_same_host(&url, host) || url.transport != transport) continue;
    any = true;
    look_at(&v4, &result->servers[i], FLOE_FAMILY_IPV4);
    look_at(&v6, &result->servers[i], FLOE_FAMILY_IPV6);
  }
  if (!any) return;
  (void)fprintf(h->out, "  %s  ", names[transport]);
  print_cell(h, &v4, false);
  print_cell(h, &v6, true);
  (void)fputc('\n', h->out);
}

static bool was_before(const floe__check_result *result, size_t index, const floe_ice_url *url) {
  for (size_t i = 0; i < index; i++) {
    floe_ice_url other;
    if (floe_ice_url_parse(&other, result->servers[i].report->url, NULL) != FLOE_OK) continue;
    if (is_same_host(&other, url)) return true;
  }
  return false;
}

void floe__matrix_print(const floe__human *h, const floe__check_result *result) {
  for (size_t i = 0; i < result->n_servers; i++) {
    floe_ice_url url;
    if (floe_ice_url_parse(&url, result->servers[i].report->url, NULL) != FLOE_OK) continue;
    if (was_before(result, i, &url)) continue;
    (void)fprintf(h->out, "%s (%s)\n       %-*s%s\n", url.host, url.is_turn ? "TURN" : "STUN", CELL_WIDTH, "IPv4",
                  "IPv6");
    print_row(h, result, &url, FLOE_TRANSPORT_UDP);
    print_row(h, result, &url, FLOE_TRANSPORT_TCP);
    print_row(h, result, &url, FLOE_TRANSPORT_TLS);
    (void)fputc('\n', h->out);
  }
}
