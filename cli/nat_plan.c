#include "nat_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { STUN_PORT = 3478 };

/* A server that wants credentials refuses these, and with that it has answered. */
#define NO_USER "floe-nat"

static bool FLOE_PRINTF(4, 5) refuse(floe_error *why, const char *path, floe_status status, const char *format, ...) {
  va_list args;
  memset(why, 0, sizeof *why);
  why->status = status;
  why->offset = FLOE_NO_OFFSET;
  (void)snprintf(why->path, sizeof why->path, "%s", path);
  va_start(args, format);
  (void)vsnprintf(why->message, sizeof why->message, format, args);
  va_end(args);
  return false;
}

/* --- hosts ------------------------------------------------------------------------------------------------------ */

/* What a URL says about its host's ports; 0: nothing. */
typedef struct ports {
  uint16_t plain, tls;
} ports;

static ports ports_of(const floe_ice_url *url) {
  if (url->is_secure) return (ports){.tls = url->port};
  return (ports){.plain = url->port};
}

static void name_host(floe__nat_host *host, const floe_ice_url *url) {
  bool is_v6 = url->addr.family == FLOE_FAMILY_IPV6;
  (void)snprintf(host->host, sizeof host->host, is_v6 ? "[%s]" : "%s", url->host);
  host->family = (floe_family)url->addr.family;
}

/* Two URLs name one server when its ports do not contradict each other. */
static floe__nat_host *find_host(floe__nat_plan *plan, const floe__nat_host *like, const ports *p) {
  for (size_t i = 0; i < plan->n_hosts; i++) {
    floe__nat_host *h = &plan->hosts[i];
    bool plain_fits = p->plain == 0 || h->port == 0 || h->port == p->plain;
    bool tls_fits = p->tls == 0 || h->tls_port == 0 || h->tls_port == p->tls;
    if (strcmp(h->host, like->host) == 0 && plain_fits && tls_fits) return h;
  }
  return NULL;
}

static bool add_url(floe__nat_plan *plan, const char *text, size_t i, floe_error *why) {
  floe_ice_url url;
  char path[32];
  (void)snprintf(path, sizeof path, "urls[%zu]", i);
  if (floe_ice_url_parse(&url, text, why) != FLOE_OK) {
    (void)snprintf(why->path, sizeof why->path, "%s", path);
    return false;
  }
  floe__nat_host like = {.url = text};
  name_host(&like, &url);
  ports p = ports_of(&url);
  floe__nat_host *host = find_host(plan, &like, &p);
  if (host == NULL && plan->n_hosts == FLOE__NAT_MAX_HOSTS) {
    return refuse(why, path, FLOE_E_TOO_LARGE, "more than %d servers", FLOE__NAT_MAX_HOSTS);
  }
  if (host == NULL) {
    host = &plan->hosts[plan->n_hosts++];
    *host = like;
  }
  if (p.plain != 0) host->port = p.plain;
  if (p.tls != 0) host->tls_port = p.tls;
  return true;
}

static void write_urls(floe__nat_host *h) {
  (void)snprintf(h->udp_url, sizeof h->udp_url, "stun:%s:%u", h->host, h->port);
  (void)snprintf(h->tcp_url, sizeof h->tcp_url, "turn:%s:%u?transport=tcp", h->host, h->port);
  (void)snprintf(h->tls_url, sizeof h->tls_url, "stuns:%s:%u", h->host, h->tls_port);
}

/* --- what is asked ---------------------------------------------------------------------------------------------- */

static void plan_probe(floe__nat_plan *plan, const floe__nat_options *o, unsigned which) {
  floe_family family = which == 0 ? FLOE_FAMILY_IPV4 : FLOE_FAMILY_IPV6;
  floe_nat_config *cfg = &plan->probes[which];
  floe_nat_config_init(cfg, sizeof *cfg);
  cfg->family = family;
  cfg->interface = o->interface;
  cfg->timeout_ms = o->timeout_ms;
  cfg->urls = plan->urls[which];
  if (which == 0 ? o->no_ipv4 : o->no_ipv6) return;
  for (size_t i = 0; i < plan->n_hosts; i++) {
    const floe__nat_host *h = &plan->hosts[i];
    if (h->family != FLOE_FAMILY_NONE && h->family != family) continue;
    plan->hosts_of[which][cfg->n_urls] = i;
    plan->urls[which][cfg->n_urls++] = h->udp_url;
  }
}

static void add_way(floe__nat_plan *plan, size_t i, const char *url, bool is_turn) {
  plan->way_urls[i] = url;
  plan->ways[i] = (floe_ice_server){.urls = &plan->way_urls[i],
                                    .n_urls = 1,
                                    .username = is_turn ? NO_USER : NULL,
                                    .credential = is_turn ? NO_USER : NULL};
}

static void plan_agent(floe__nat_plan *plan, const floe__nat_options *o) {
  floe_ice_config *cfg = &plan->agent;
  floe_ice_config_init(cfg, sizeof *cfg);
  for (size_t i = 0; i < plan->n_hosts; i++) {
    add_way(plan, 2 * i, plan->hosts[i].tcp_url, true);
    add_way(plan, 2 * i + 1, plan->hosts[i].tls_url, false);
  }
  cfg->ice_servers = plan->ways;
  cfg->n_ice_servers = 2 * plan->n_hosts;
  cfg->no_ipv4 = o->no_ipv4;
  cfg->no_ipv6 = o->no_ipv6;
  cfg->interfaces = o->interface == NULL ? NULL : &o->interface;
  cfg->n_interfaces = o->interface == NULL ? 0 : 1;
  cfg->timing.connect_timeout_ms = o->timeout_ms;
  cfg->timing.tls_timeout_ms = o->timeout_ms;
  cfg->timing.stream_timeout_ms = o->timeout_ms;
}

bool floe__nat_plan_make(floe__nat_plan *plan, const floe__nat_options *o, floe_error *why) {
  memset(plan, 0, sizeof *plan);
  for (size_t i = 0; i < o->n_urls; i++) {
    if (!add_url(plan, o->urls[i], i, why)) return false;
  }
  for (size_t i = 0; i < plan->n_hosts; i++) {
    floe__nat_host *h = &plan->hosts[i];
    if (h->port == 0) h->port = STUN_PORT;
    if (h->tls_port == 0) h->tls_port = o->tls_port;
    write_urls(h);
  }
  for (unsigned which = 0; which < 2; which++) plan_probe(plan, o, which);
  plan_agent(plan, o);
  if (plan->probes[0].n_urls + plan->probes[1].n_urls > 0) return true;
  return refuse(why, "", FLOE_E_TYPE, "no server has an address of the family that is asked for");
}
