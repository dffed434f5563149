#include "uv/resolve.h"

#include <ares.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "uv/dns_channel.h"
#include "uv/sockaddr.h"

/* A resolver that has not answered after this is asked no less, but the next one beside it. */
#define NEXT_RESOLVER (FLOE_SECOND)

/* c-ares looks through all queries to find its next timer, so it is not asked more often than this. */
#define MIN_TICK (50 * FLOE_MS)

typedef enum lookup_state {
  LOOKUP_ASKING = 0,
  LOOKUP_ANSWERED, /* in the queue of answers */
  LOOKUP_OVER      /* delivered */
} lookup_state;

typedef struct floe__uv_lookup floe__uv_lookup;
struct floe__uv_lookup {
  floe__uv_resolver *resolver;
  floe_uv_ice_agent *agent;     /* NULL: nobody wants to know any more */
  floe__uv_lookup *prev, *next; /* in floe_uv_ice_agent.lookups, while it is not delivered */
  floe__uv_lookup *next_answered;
  floe__uv_alarm alarm; /* when the next resolver is asked beside the last */
  floe_req_id req;
  floe_family family;
  size_t next_channel;
  size_t n_asked; /* queries that c-ares has not ended */
  lookup_state state;
  floe_dns_status status; /* of the answer, or the best that a resolver has said so far */
  floe_addr *addrs;
  size_t n_addrs;
  char host[];
};

struct floe__uv_resolver {
  floe_uv *uv;
  floe_addr *servers; /* given by the program */
  size_t n_servers;   /* 0: the system's are used */
  floe__uv_dns_channel *channels;
  size_t n_channels;    /* 0 while no look-up is under way */
  size_t n_wanted;      /* look-ups whose agent waits for them */
  floe__uv_alarm alarm; /* c-ares' timer */
  floe__uv_lookup *answered_first, *answered_last;
};

/* ---- the life of a look-up ---- */

static void unlink_lookup(floe__uv_lookup *lookup) {
  if (lookup->agent == NULL) return;
  lookup->resolver->n_wanted--;
  if (lookup->prev != NULL) lookup->prev->next = lookup->next;
  if (lookup->next != NULL) lookup->next->prev = lookup->prev;
  if (lookup->agent->lookups == lookup) lookup->agent->lookups = lookup->next;
  lookup->agent = NULL;
}

static void free_if_over(floe__uv_lookup *lookup) {
  floe__uv_resolver *r = lookup->resolver;
  if (lookup->agent != NULL || lookup->n_asked > 0) return;
  if (lookup->state == LOOKUP_ANSWERED) return;
  floe__uv_alarm_clear(&r->uv->alarms, &lookup->alarm);
  floe__uv_free(&r->uv->mem, lookup->addrs);
  floe__uv_free(&r->uv->mem, lookup);
}

static void answer(floe__uv_lookup *lookup, floe_dns_status status) {
  floe__uv_resolver *r = lookup->resolver;
  lookup->state = LOOKUP_ANSWERED;
  lookup->status = status;
  floe__uv_alarm_set(&r->uv->alarms, &lookup->alarm, FLOE_TIME_NEVER);
  lookup->next_answered = NULL;
  if (r->answered_last != NULL) {
    r->answered_last->next_answered = lookup;
  } else {
    r->answered_first = lookup;
  }
  r->answered_last = lookup;
  floe__uv_wake(r->uv);
}

/* ---- what a resolver says ---- */

static bool read_addresses(floe__uv_lookup *lookup, const struct ares_addrinfo *ai) {
  size_t cap = 0;
  for (const struct ares_addrinfo_node *node = ai->nodes; node != NULL; node = node->ai_next) {
    void *addrs = lookup->addrs;
    floe_addr addr;
    floe__uv_sockaddr_read(&addr, node->ai_addr);
    if (addr.family != lookup->family) continue;
    if (!floe__uv_reserve(&lookup->resolver->uv->mem, &addrs, &cap, sizeof addr, lookup->n_addrs + 1)) return false;
    lookup->addrs = addrs;
    lookup->addrs[lookup->n_addrs++] = addr;
  }
  return true;
}

static floe_dns_status status_of(int ares_status) {
  switch (ares_status) {
    case ARES_SUCCESS: return FLOE_DNS_OK;
    case ARES_ENOTFOUND: return FLOE_DNS_NXDOMAIN;
    case ARES_ENODATA: return FLOE_DNS_NODATA;
    case ARES_ESERVFAIL: return FLOE_DNS_SERVFAIL;
    case ARES_EREFUSED: return FLOE_DNS_REFUSED;
    case ARES_ETIMEOUT: return FLOE_DNS_TIMEOUT;
    case ARES_ECONNREFUSED: return FLOE_DNS_UNREACHABLE;
    default: return FLOE_DNS_FAILED;
  }
}

/* How much a failure says, for look-ups that every resolver fails in a way of its own; 0 for an answer. */
static int weight_of(floe_dns_status status) {
  switch (status) {
    case FLOE_DNS_UNREACHABLE: return 1;
    case FLOE_DNS_TIMEOUT: return 2;
    case FLOE_DNS_FAILED: return 3;
    case FLOE_DNS_REFUSED: return 4;
    case FLOE_DNS_SERVFAIL: return 5;
    case FLOE_DNS_OK:
    case FLOE_DNS_NXDOMAIN:
    case FLOE_DNS_NODATA: return 0;
  }
  return 0;
}

static void ask_next(floe__uv_lookup *lookup);

static void consider(floe__uv_lookup *lookup, floe_dns_status status, const struct ares_addrinfo *ai) {
  if (status == FLOE_DNS_OK && !read_addresses(lookup, ai)) {
    answer(lookup, FLOE_DNS_FAILED);
  } else if (status == FLOE_DNS_OK && lookup->n_addrs == 0) {
    answer(lookup, FLOE_DNS_NODATA);
  } else if (weight_of(status) == 0) {
    answer(lookup, status);
  } else {
    if (weight_of(status) > weight_of(lookup->status)) lookup->status = status;
    if (lookup->next_channel < lookup->resolver->n_channels) {
      ask_next(lookup);
    } else if (lookup->n_asked == 0) {
      answer(lookup, lookup->status);
    }
  }
}

static void on_addrinfo(void *arg, int ares_status, int timeouts, struct ares_addrinfo *ai) {
  (void)timeouts;
  floe__uv_lookup *lookup = arg;
  lookup->n_asked--;
  bool is_wanted = lookup->agent != NULL && lookup->state == LOOKUP_ASKING && ares_status != ARES_EDESTRUCTION;
  if (is_wanted) consider(lookup, status_of(ares_status), ai);
  if (ai != NULL) ares_freeaddrinfo(ai);
  free_if_over(lookup);
}

static void ask_next(floe__uv_lookup *lookup) {
  floe__uv_resolver *r = lookup->resolver;
  floe_uv *uv = r->uv;
  floe_time now = floe_uv_now(uv);
  floe__uv_dns_channel *channel = &r->channels[lookup->next_channel++];
  bool is_last = lookup->next_channel == r->n_channels;
  floe__uv_alarm_set(&uv->alarms, &lookup->alarm, is_last ? FLOE_TIME_NEVER : now + NEXT_RESOLVER);
  if (r->alarm.at == FLOE_TIME_NEVER) {
    floe__uv_alarm_set(&uv->alarms, &r->alarm, now + FLOE__UV_DNS_TIMEOUT_MS * FLOE_MS);
  }
  lookup->n_asked++;
  /* Sorted by RFC 6724 6. May call back at once, when the name is in the hosts file or the resolver unreachable. */
  struct ares_addrinfo_hints hints = {.ai_family = lookup->family == FLOE_FAMILY_IPV4 ? AF_INET : AF_INET6};
  ares_getaddrinfo(channel->ares, lookup->host, NULL, &hints, on_addrinfo, lookup);
}

/* ---- time ---- */

static void on_slow(floe__uv_alarm *alarm, floe_time now) {
  (void)now;
  ask_next((floe__uv_lookup *)(void *)((char *)alarm - offsetof(floe__uv_lookup, alarm)));
}

static void on_tick(floe__uv_alarm *alarm, floe_time now) {
  floe__uv_resolver *r = (void *)((char *)alarm - offsetof(floe__uv_resolver, alarm));
  int first_ms = -1;
  for (size_t i = 0; i < r->n_channels; i++) {
    int ms = floe__uv_dns_channel_on_time(&r->channels[i]);
    if (ms >= 0 && (first_ms < 0 || ms < first_ms)) first_ms = ms;
  }
  if (first_ms < 0) return;
  floe_time wait = (floe_time)first_ms * FLOE_MS;
  floe__uv_alarm_set(&r->uv->alarms, &r->alarm, now + (wait < MIN_TICK ? MIN_TICK : wait));
}

/* ---- channels ---- */

static void close_channels(floe__uv_resolver *r) {
  size_t n = r->n_channels;
  r->n_channels = 0;
  for (size_t i = 0; i < n; i++) floe__uv_dns_channel_close(&r->channels[i]);
  floe__uv_free(&r->uv->mem, r->channels);
  r->channels = NULL;
  floe__uv_alarm_set(&r->uv->alarms, &r->alarm, FLOE_TIME_NEVER);
}

static bool open_channels(floe__uv_resolver *r) {
  if (r->n_channels > 0) return true;
  const floe__uv_mem *mem = &r->uv->mem;
  floe_addr *found = NULL;
  size_t n = r->n_servers;
  if (n == 0) n = floe__uv_dns_system_servers(mem, &found);
  const floe_addr *servers = r->n_servers > 0 ? r->servers : found;
  r->channels = n == 0 ? NULL : floe__uv_alloc(mem, n * sizeof *r->channels);
  bool is_ok = r->channels != NULL;
  while (is_ok && r->n_channels < n) {
    is_ok = floe__uv_dns_channel_open(&r->channels[r->n_channels], r->uv, &servers[r->n_channels]);
    if (is_ok) r->n_channels++;
  }
  floe__uv_free(mem, found);
  if (!is_ok) close_channels(r);
  return is_ok;
}

/* ---- asking ---- */

static bool is_in_hosts_file(const floe__uv_dns_channel *channel, const char *host, int family) {
  struct hostent *entry = NULL;
  if (ares_gethostbyname_file(channel->ares, host, family, &entry) != ARES_SUCCESS) return false;
  ares_free_hostent(entry);
  return true;
}

/* "Name resolution APIs and libraries SHOULD recognize localhost names as special and SHOULD always return the IP
 * loopback address" (RFC 6761 6.3), also where the hosts file has it in one family only or not at all. c-ares 1.18 does
 * so too, and leaks memory. */
static void answer_loopback(floe__uv_lookup *lookup) {
  floe_addr *addr = floe__uv_alloc(&lookup->resolver->uv->mem, sizeof *addr);
  lookup->addrs = addr;
  lookup->n_addrs = addr == NULL ? 0 : 1;
  if (addr != NULL && !floe_addr_parse(addr, lookup->family == FLOE_FAMILY_IPV4 ? "127.0.0.1" : "::1")) {
    lookup->n_addrs = 0;
  }
  answer(lookup, lookup->n_addrs == 0 ? FLOE_DNS_FAILED : FLOE_DNS_OK);
}

/* What the hosts file decides without an address: true when the look-up is answered. A name that it gives an address of
 * the other family only is known, and has none of this one: no resolver is asked about it. */
static bool is_answered_by_hosts_file(floe__uv_lookup *lookup) {
  const floe__uv_dns_channel *channel = &lookup->resolver->channels[0];
  bool is_ipv4 = lookup->family == FLOE_FAMILY_IPV4;
  bool is_localhost = strcasecmp(lookup->host, "localhost") == 0;
  if (!is_localhost && !is_in_hosts_file(channel, lookup->host, is_ipv4 ? AF_INET6 : AF_INET)) return false;
  if (is_in_hosts_file(channel, lookup->host, is_ipv4 ? AF_INET : AF_INET6)) return false;
  if (is_localhost) {
    answer_loopback(lookup);
  } else {
    answer(lookup, FLOE_DNS_NODATA);
  }
  return true;
}

static floe__uv_lookup *new_lookup(floe_uv_ice_agent *agent, const char *host) {
  floe__uv_resolver *r = agent->uv->resolver;
  floe_uv *uv = agent->uv;
  size_t len = strlen(host);
  floe__uv_lookup *lookup = floe__uv_zalloc(&uv->mem, sizeof *lookup + len + 1);
  if (lookup == NULL) return NULL;
  if (!floe__uv_alarm_init(&uv->alarms, &uv->mem, &lookup->alarm, on_slow)) {
    floe__uv_free(&uv->mem, lookup);
    return NULL;
  }
  memcpy(lookup->host, host, len + 1);
  lookup->resolver = r;
  lookup->agent = agent;
  lookup->next = agent->lookups;
  if (lookup->next != NULL) lookup->next->prev = lookup;
  agent->lookups = lookup;
  r->n_wanted++;
  return lookup;
}

void floe__uv_resolve(floe_uv_ice_agent *agent, floe_req_id req, const char *host, floe_family family) {
  floe__uv_resolver *r = agent->uv->resolver;
  floe__uv_lookup *lookup = new_lookup(agent, host);
  if (lookup == NULL) {
    floe_input in = {.type = FLOE_INPUT_RESOLVED, .req = req, .family = family, .dns_status = FLOE_DNS_FAILED};
    floe__uv_agent_input(agent, &in);
    return;
  }
  lookup->req = req;
  lookup->family = family;
  if (!open_channels(r)) {
    answer(lookup, FLOE_DNS_FAILED);
  } else if (!is_answered_by_hosts_file(lookup)) {
    ask_next(lookup);
  }
}

void floe__uv_lookups_forget(floe_uv_ice_agent *agent) {
  while (agent->lookups != NULL) {
    floe__uv_lookup *lookup = agent->lookups;
    floe__uv_alarm_set(&agent->uv->alarms, &lookup->alarm, FLOE_TIME_NEVER);
    unlink_lookup(lookup);
    free_if_over(lookup);
  }
}

/* ---- answers ---- */

bool floe__uv_resolver_has_answers(const floe__uv_resolver *resolver) {
  return resolver->answered_first != NULL;
}

static floe__uv_lookup *take_answered(floe__uv_resolver *r) {
  floe__uv_lookup *lookup = r->answered_first;
  r->answered_first = lookup->next_answered;
  if (r->answered_first == NULL) r->answered_last = NULL;
  lookup->state = LOOKUP_OVER;
  return lookup;
}

void floe__uv_resolver_deliver(floe__uv_resolver *resolver) {
  while (resolver->answered_first != NULL) {
    floe__uv_lookup *lookup = take_answered(resolver);
    floe_uv_ice_agent *agent = lookup->agent;
    floe_input in = {.type = FLOE_INPUT_RESOLVED,
                     .req = lookup->req,
                     .family = lookup->family,
                     .dns_status = lookup->status,
                     .addrs = lookup->addrs,
                     .n_addrs = lookup->n_addrs};
    unlink_lookup(lookup);
    if (agent != NULL) floe__uv_agent_input(agent, &in);
    free_if_over(lookup);
  }
}

void floe__uv_resolver_rest(floe__uv_resolver *resolver) {
  if (resolver->n_wanted == 0 && resolver->n_channels > 0) close_channels(resolver);
}

/* ---- the resolver ---- */

static floe_status read_servers(floe__uv_resolver *r, const floe_uv_config *cfg, floe_error *why) {
  if (cfg == NULL || cfg->n_dns_servers == 0) return FLOE_OK;
  if (cfg->dns_servers == NULL) return floe__uv_error_set(why, FLOE_E_TYPE, "dns_servers", "is missing");
  r->servers = floe__uv_zalloc(&r->uv->mem, cfg->n_dns_servers * sizeof *r->servers);
  if (r->servers == NULL) return floe__uv_error_set(why, FLOE_E_NOMEM, "", floe_status_text(FLOE_E_NOMEM));
  for (size_t i = 0; i < cfg->n_dns_servers; i++) {
    const char *text = cfg->dns_servers[i];
    if (text != NULL && floe_addr_parse(&r->servers[i], text)) continue;
    char path[40];
    (void)snprintf(path, sizeof path, "dns_servers[%zu]", i);
    return floe__uv_error_set(why, FLOE_E_TYPE, path, "this is no IP address, nor one with a port");
  }
  r->n_servers = cfg->n_dns_servers;
  return FLOE_OK;
}

floe_status floe__uv_resolver_new(floe__uv_resolver **out, floe_uv *uv, const floe_uv_config *cfg, floe_error *why) {
  floe__uv_resolver *r = floe__uv_zalloc(&uv->mem, sizeof *r);
  *out = r;
  if (r == NULL) return floe__uv_error_set(why, FLOE_E_NOMEM, "", floe_status_text(FLOE_E_NOMEM));
  r->uv = uv;
  if (!floe__uv_alarm_init(&uv->alarms, &uv->mem, &r->alarm, on_tick)) {
    return floe__uv_error_set(why, FLOE_E_NOMEM, "", floe_status_text(FLOE_E_NOMEM));
  }
  return read_servers(r, cfg, why);
}

void floe__uv_resolver_close(floe__uv_resolver *resolver) {
  while (resolver->answered_first != NULL) free_if_over(take_answered(resolver));
  if (resolver->n_channels > 0) close_channels(resolver);
  floe__uv_alarm_clear(&resolver->uv->alarms, &resolver->alarm);
}

void floe__uv_resolver_free(floe__uv_resolver *resolver) {
  const floe__uv_mem *mem = &resolver->uv->mem;
  floe__uv_free(mem, resolver->servers);
  floe__uv_free(mem, resolver);
}
