/* One configured URL: the attempts it has. Gathering makes one attempt per server URL x local base x address family
 * that the server has (the contract's section 2). */
#include <string.h>

#include "ice/gather.h"
#include "ice/net_cause.h"

static bool equal_nullable(const char *a, const char *b) {
  if (a == NULL || b == NULL) return a == b;
  return strcmp(a, b) == 0;
}

/* Section 2.9: the same URL with the same credentials is gathered once. */
static floe__gather_server *find_same(const floe__gather_server *s) {
  floe__gather *g = s->gather;
  for (floe__gather_server *other = g->servers; other < s; other++) {
    const floe__server *a = other->config;
    const floe__server *b = s->config;
    bool same = strcmp(a->text, b->text) == 0 && equal_nullable(a->username, b->username) &&
                equal_nullable(a->credential, b->credential);
    if (same) return other->same_as != NULL ? other->same_as : other;
  }
  return NULL;
}

void floe__gather_server_init(floe__gather_server *s, floe__gather *g, const floe__server *config) {
  s->gather = g;
  s->config = config;
  /* The settings hold only URLs that parse. */
  if (floe_ice_url_parse(&s->url, config->text, NULL) != FLOE_OK) return;
  s->same_as = find_same(s);
  bool relay_only = g->io->settings->cfg.ice_transport_policy == FLOE_ICE_TRANSPORT_POLICY_RELAY;
  s->unused = relay_only && !s->url.is_turn;
}

void floe__gather_server_clear(floe__gather_server *s) {
  floe_env *env = s->gather->io->env;
  for (size_t i = 0; i < s->n_attempts; i++) floe__attempt_free(s->attempts[i]);
  floe__free(env, s->attempts);
  floe__free(env, s->reports);
  floe__free(env, s->reserve);
  floe__free(env, s->candidates);
}

/* --- making attempts ------------------------------------------------------------------------------------------- */

static bool append(floe__gather_server *s, floe__attempt *a) {
  floe_env *env = s->gather->io->env;
  void *attempts = s->attempts;
  if (!floe__reserve(env, &attempts, &s->attempts_cap, sizeof(floe__attempt *), s->n_attempts + 1)) return false;
  s->attempts = attempts;
  void *reports = s->reports;
  if (!floe__reserve(env, &reports, &s->reports_cap, sizeof(floe_attempt_report *), s->n_attempts + 1)) return false;
  s->reports = reports;
  s->attempts[s->n_attempts] = a;
  s->reports[s->n_attempts] = &a->report;
  s->n_attempts++;
  s->n_active++;
  return true;
}

/* The first attempt always finds memory: floe__gather_new put it by. */
static floe__attempt *add_attempt(floe__gather_server *s, floe__base *base, floe_family family, const floe_addr *addrs,
                                  size_t n) {
  floe__attempt *a = floe__attempt_new(s, base, family, addrs, n);
  if (a == NULL) {
    s->lost_attempts = true;
    return NULL;
  }
  if (append(s, a)) return a;
  floe__attempt_free(a);
  s->lost_attempts = true;
  return NULL;
}

static void add_baseless(floe__gather_server *s, floe_family family, floe_cause cause, floe_phase phase) {
  floe__attempt *a = add_attempt(s, NULL, family, NULL, 0);
  if (a == NULL) return;
  const floe__gather *g = s->gather;
  if (g->listing_error != 0) {
    a->report.detail.has_os_error = true;
    a->report.detail.os_error = g->listing_error;
    a->report.detail.os_error_text = g->listing_error_text[0] == '\0' ? NULL : g->listing_error_text;
  }
  floe__attempt_end_baseless(a, cause, phase);
}

#define MAX_ADDRS 32 /* as many as a look-up keeps */

/* The addresses of the server that this base serves, with the port of the URL. */
static size_t served(const floe__gather_server *s, const floe__base *base, const floe_addr *from, size_t n,
                     floe_addr *out) {
  size_t count = 0;
  for (size_t i = 0; i < n && count < MAX_ADDRS; i++) {
    if (!floe__base_serves(base, &from[i])) continue;
    out[count] = from[i];
    out[count++].port = s->url.port;
  }
  return count;
}

/* One attempt from each base that serves some of these addresses. */
static void add_for_bases(floe__gather_server *s, floe_family family, const floe_addr *addrs, size_t n) {
  floe__gather *g = s->gather;
  floe_addr list[MAX_ADDRS];
  for (size_t i = 0; i < g->bases.n; i++) {
    floe__base *base = &g->bases.items[i];
    if (base->interface.addr.family != family || base->is_gone) continue;
    size_t count = served(s, base, addrs, n, list);
    if (count > 0) (void)add_attempt(s, base, family, list, count);
  }
}

/* Section 2.4: a URL left without any attempt has one 701 at once. */
static void finish_making(floe__gather_server *s) {
  if (s->ipv4_open || s->ipv6_open || s->n_attempts > 0) return;
  bool no_memory = s->lost_attempts;
  if (s->gather->is_partial && !no_memory) { /* it is no news that these addresses do not reach it */
    s->unused = true;
    return;
  }
  add_baseless(s, FLOE_FAMILY_NONE, no_memory ? FLOE_CAUSE_SOCKET_FAILED : FLOE_CAUSE_NO_LOCAL_ADDRESS,
               FLOE_PHASE_SOCKET);
}

static floe__lookup *find_lookup(floe__gather *g, const char *host) {
  for (size_t i = 0; i < g->n_lookups; i++) {
    floe__lookup *l = g->lookups[i];
    size_t k = 0;
    while (host[k] != '\0') {
      char c = host[k] >= 'A' && host[k] <= 'Z' ? (char)(host[k] - 'A' + 'a') : host[k];
      if (c != l->host[k]) break;
      k++;
    }
    if (host[k] == '\0' && l->host[k] == '\0') return l;
  }
  return NULL;
}

/* Names are resolved once per name. */
static void begin_lookup(floe__gather_server *s) {
  floe__gather *g = s->gather;
  bool ipv4 = floe__base_list_has_family(&g->bases, FLOE_FAMILY_IPV4);
  bool ipv6 = floe__base_list_has_family(&g->bases, FLOE_FAMILY_IPV6);
  if (!ipv4 && !ipv6) {
    finish_making(s);
    return;
  }
  s->ipv4_open = ipv4;
  s->ipv6_open = ipv6;
  s->lookup = find_lookup(g, s->url.host);
  if (s->lookup == NULL) {
    floe__lookup *l = floe__zalloc(g->io->env, sizeof *l);
    if (l == NULL) {
      s->ipv4_open = s->ipv6_open = false;
      s->lost_attempts = true;
      finish_making(s);
      return;
    }
    g->lookups[g->n_lookups++] = l; /* room for one per server was made before */
    s->lookup = l;
    floe__lookup_start(l, g->io, s->url.host, ipv4, ipv6);
  }
  floe__gather_server_on_lookup(s);
}

void floe__gather_server_begin(floe__gather_server *s) {
  if (s->unused || s->same_as != NULL) return;
  if (s->url.transport == FLOE_TRANSPORT_DTLS) {
    add_baseless(s, FLOE_FAMILY_NONE, FLOE_CAUSE_TRANSPORT_UNSUPPORTED, FLOE_PHASE_SOCKET);
    return;
  }
  if (s->url.addr.family == FLOE_FAMILY_NONE) {
    begin_lookup(s);
    return;
  }
  add_for_bases(s, (floe_family)s->url.addr.family, &s->url.addr, 1);
  finish_making(s);
}

static void take_family(floe__gather_server *s, floe_family family, bool *open) {
  const floe__lookup_family *f = floe__lookup_of(s->lookup, family);
  if (!*open || f->state == FLOE__LOOKUP_PENDING) return;
  *open = false;
  if (f->state == FLOE__LOOKUP_UNASKED) return;
  if (f->status == FLOE_DNS_OK) {
    add_for_bases(s, family, f->addrs, f->n_addrs);
  } else {
    add_baseless(s, family, floe__net_cause_of_dns(f->status), FLOE_PHASE_DNS);
  }
}

void floe__gather_server_on_lookup(floe__gather_server *s) {
  if (s->lookup == NULL || (!s->ipv4_open && !s->ipv6_open)) return;
  take_family(s, FLOE_FAMILY_IPV4, &s->ipv4_open);
  take_family(s, FLOE_FAMILY_IPV6, &s->ipv6_open);
  finish_making(s);
  /* The last answer may bring no attempt, and the others may have failed before it came. */
  if (floe__gather_server_is_done(s)) floe__gather_error_unreachable(s);
}

/* --- how far it is --------------------------------------------------------------------------------------------- */

bool floe__gather_server_is_done(const floe__gather_server *s) {
  if (s->ipv4_open || s->ipv6_open) return false;
  for (size_t i = 0; i < s->n_attempts; i++) {
    if (s->attempts[i]->state != FLOE__ATTEMPT_ENDED) return false;
  }
  return true;
}

floe__attempt *floe__gather_server_next_waiting(floe__gather_server *s) {
  while (s->next_waiting < s->n_attempts) {
    floe__attempt *a = s->attempts[s->next_waiting];
    if (a->state == FLOE__ATTEMPT_WAITING) return a;
    s->next_waiting++;
  }
  return NULL;
}
