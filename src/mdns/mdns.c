/* floe/mdns.h: routing between the sockets, the resolver and the responder; no algorithm. */
#include "floe/mdns.h"

#include <string.h>

#include "base/addr.h"
#include "base/alloc.h"
#include "base/sized.h"
#include "mdns/resolver.h"
#include "mdns/responder.h"

#define DEFAULT_TIMEOUT_MS  3000
#define DEFAULT_RETRY_MS    250
#define DEFAULT_MAX_QUERIES 256
#define DEFAULT_MAX_NAMES   4096

struct floe_mdns {
  floe_env *env;
  floe_time now;
  floe__mdns_links links;
  floe__mdns_resolver resolver;
  floe__mdns_responder responder;
};

static void set_time(floe_mdns *mdns, floe_time now) {
  if (now > mdns->now) mdns->now = now;
  mdns->links.now = mdns->now;
}

/* Ends every call that changes something: sends what is due and has the sockets that are needed. */
static void settle(floe_mdns *mdns, bool retry) {
  floe__mdns_resolver_on_deadline(&mdns->resolver, mdns->now);
  floe__mdns_responder_on_deadline(&mdns->responder, mdns->now);
  mdns->links.is_asking = mdns->resolver.n > 0;
  floe__mdns_links_settle(&mdns->links, retry);
  if (mdns->resolver.n == 0 || floe__mdns_links_are_hopeful(&mdns->links)) return;
  floe__mdns_resolver_on_unreachable(&mdns->resolver);
  mdns->links.is_asking = false;
  floe__mdns_links_settle(&mdns->links, false);
}

/* ---- what comes in ---- */

static bool is_multicast(const floe_addr *addr) {
  return addr->family == FLOE_FAMILY_IPV4 ? addr->ip[0] >= 224 : addr->ip[0] == 0xff;
}

/* RFC 6762 11: a packet counts only when it comes from the link. The core does not know the prefixes of the
 * interfaces; the driver binds to the group, to which nothing is routed. */
static bool is_from_link(const floe__mdns_link *link, const floe_addr *from) {
  if (from->family != link->family || floe_addr_is_any(from) || is_multicast(from)) return false;
  if (floe_addr_is_loopback(from) && !link->is_loopback) return false;
  return from->scope_id == 0 || from->scope_id == link->interface;
}

/* Our own questions come back, since the group is heard by its own host too; they find nothing to answer, because what
 * is registered here is never asked for. */
static void on_datagram(floe_mdns *mdns, const floe_input *in) {
  const floe__mdns_link *link = floe__mdns_links_find(&mdns->links, in->sock);
  floe__dns_msg m;
  if (link == NULL || link->state != FLOE__MDNS_LINK_OPEN || !is_from_link(link, &in->addr)) return;
  /* RFC 6762 18.3, 18.11: messages with an opcode or a response code are ignored. */
  if (!floe__dns_msg_open(&m, in->data) || m.opcode != 0 || m.rcode != 0) return;
  if (!m.is_response) {
    floe__mdns_responder_on_query(&mdns->responder, mdns->now, link, &m, &in->addr);
  } else if (in->addr.port == FLOE__MDNS_PORT) { /* RFC 6762 6: responses come from port 5353 */
    floe__dns_question question;
    while (floe__dns_next_question(&m, &question)) continue;
    floe__mdns_resolver_on_response(&mdns->resolver, link, &m);
  }
}

static void on_opened(floe_mdns *mdns, floe_sock_id sock) {
  floe__mdns_link *link = floe__mdns_links_find(&mdns->links, sock);
  if (link == NULL || !floe__mdns_links_on_opened(&mdns->links, link)) return;
  floe__mdns_resolver_on_link_open(&mdns->resolver, link);
  floe__mdns_responder_on_link_open(&mdns->responder, mdns->now, link);
}

static void on_failed(floe_mdns *mdns, floe_sock_id sock) {
  floe__mdns_link *link = floe__mdns_links_find(&mdns->links, sock);
  if (link != NULL) floe__mdns_links_on_failed(&mdns->links, link);
}

void floe_mdns_input(floe_mdns *mdns, floe_time now, const floe_input *in) {
  set_time(mdns, now);
  switch (in->type) {
    case FLOE_INPUT_DATAGRAM: on_datagram(mdns, in); break;
    case FLOE_INPUT_SOCKET_OPENED: on_opened(mdns, in->sock); break;
    case FLOE_INPUT_SOCKET_FAILED: on_failed(mdns, in->sock); break;
    case FLOE_INPUT_TIMER:
    case FLOE_INPUT_STREAM:
    case FLOE_INPUT_STREAM_END:
    case FLOE_INPUT_SOCKET_BOUND:
    case FLOE_INPUT_SEND_FAILED:
    case FLOE_INPUT_ICMP:
    case FLOE_INPUT_RESOLVED:
    case FLOE_INPUT_INTERFACES:
    case FLOE_INPUT_SOCKET_ACCEPTED: break;
  }
  settle(mdns, false);
}

void floe_mdns_poll(floe_mdns *mdns, floe_mdns_output *out) {
  memset(out, 0, sizeof *out);
  if (floe__mdns_links_poll(&mdns->links, out) || floe__mdns_resolver_poll(&mdns->resolver, out)) return;
  floe__deadline first =
      floe__earliest(floe__mdns_resolver_deadline(&mdns->resolver), floe__mdns_responder_deadline(&mdns->responder));
  out->type = FLOE_MDNS_OUTPUT_WAIT;
  out->u.wait.until = first.at;
  out->u.wait.reason = first.reason;
}

/* ---- what is asked for ---- */

floe_status floe_mdns_set_interfaces(floe_mdns *mdns, floe_time now, const floe_interface *list, size_t n) {
  set_time(mdns, now);
  if (!floe__mdns_links_set(&mdns->links, list, n)) return FLOE_E_NOMEM;
  floe__mdns_responder_on_interfaces(&mdns->responder, mdns->now);
  settle(mdns, true);
  return FLOE_OK;
}

floe_status floe_mdns_resolve(floe_mdns *mdns, floe_time now, const char *text, floe_family family, uint32_t *query) {
  floe__dns_name name;
  set_time(mdns, now);
  if (!floe__dns_name_parse(&name, text)) return FLOE_E_SYNTAX;
  if (family != FLOE_FAMILY_IPV4 && family != FLOE_FAMILY_IPV6) return FLOE_E_TYPE;
  const floe_addr *own = floe__mdns_responder_find(&mdns->responder, &name);
  floe_status st;
  if (own != NULL) {
    floe_dns_status status = own->family == family ? FLOE_DNS_OK : FLOE_DNS_NODATA;
    st = floe__mdns_resolver_tell(&mdns->resolver, status, own, query);
  } else {
    st = floe__mdns_resolver_ask(&mdns->resolver, mdns->now, &name, family, query);
  }
  settle(mdns, true);
  return st;
}

void floe_mdns_cancel(floe_mdns *mdns, uint32_t query) {
  floe__mdns_resolver_cancel(&mdns->resolver, query);
  settle(mdns, false);
}

static bool is_host_address(const floe_addr *addr) {
  if (addr->family != FLOE_FAMILY_IPV4 && addr->family != FLOE_FAMILY_IPV6) return false;
  return !floe_addr_is_any(addr) && !is_multicast(addr) && !floe__addr_is_v4_mapped(addr);
}

floe_status floe_mdns_register(floe_mdns *mdns, floe_time now, const char *text, const floe_addr *addr) {
  floe__dns_name name;
  set_time(mdns, now);
  if (!floe__dns_name_parse(&name, text)) return FLOE_E_SYNTAX;
  if (!is_host_address(addr)) return FLOE_E_TYPE;
  floe_status st = floe__mdns_responder_register(&mdns->responder, mdns->now, &name, addr);
  if (st == FLOE_OK) floe__mdns_resolver_on_registered(&mdns->resolver, &name, addr);
  settle(mdns, true);
  return st;
}

void floe_mdns_unregister(floe_mdns *mdns, floe_time now, const char *text) {
  floe__dns_name name;
  set_time(mdns, now);
  if (floe__dns_name_parse(&name, text)) floe__mdns_responder_unregister(&mdns->responder, &name);
  settle(mdns, false);
}

/* ---- the object ---- */

void floe_mdns_config_init(floe_mdns_config *cfg, size_t size) {
  memset(cfg, 0, size);
  cfg->size = (uint32_t)size;
}

static void fill_defaults(floe_mdns_config *cfg) {
  if (cfg->timeout_ms == 0) cfg->timeout_ms = DEFAULT_TIMEOUT_MS;
  if (cfg->retry_ms == 0) cfg->retry_ms = DEFAULT_RETRY_MS;
  if (cfg->max_queries == 0) cfg->max_queries = DEFAULT_MAX_QUERIES;
  if (cfg->max_names == 0) cfg->max_names = DEFAULT_MAX_NAMES;
}

floe_status floe_mdns_new(floe_mdns **out, floe_env *env, const floe_mdns_config *given) {
  *out = NULL;
  floe_mdns_config cfg;
  floe_mdns_config_init(&cfg, sizeof cfg);
  if (given != NULL && !floe__take_sized(&cfg, sizeof cfg, given)) return FLOE_E_TYPE;
  fill_defaults(&cfg);
  floe_mdns *mdns = floe__zalloc(env, sizeof *mdns);
  if (mdns == NULL) return FLOE_E_NOMEM;
  mdns->env = env;
  floe__mdns_links_init(&mdns->links, env, cfg.include_loopback);
  floe__mdns_resolver_init(&mdns->resolver, &mdns->links, &cfg);
  floe__mdns_responder_init(&mdns->responder, &mdns->links, &cfg);
  *out = mdns;
  return FLOE_OK;
}

void floe_mdns_free(floe_mdns *mdns) {
  if (mdns == NULL) return;
  floe__mdns_responder_clear(&mdns->responder);
  floe__mdns_resolver_clear(&mdns->resolver);
  floe__mdns_links_clear(&mdns->links);
  floe__free(mdns->env, mdns);
}
