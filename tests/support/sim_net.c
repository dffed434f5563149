#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/sim_net_internal.h"

#define DEFAULT_DELAY_US 5000

floe_addr sim_addr(const char *text) {
  floe_addr addr;
  if (!floe_addr_parse(&addr, text)) {
    (void)fprintf(stderr, "not an address: %s\n", text);
    abort();
  }
  return addr;
}

static void free_rules(void *user) {
  sim_net *net = user;
  free(net->rules);
}

sim_net *sim_net_of(sim *s) {
  sim_net *net = sim_part_of(s, SIM_PART_NET, sizeof *net);
  if (net->path.delay_us == 0 && net->hosts == NULL && net->rules == NULL) {
    net->path.delay_us = DEFAULT_DELAY_US;
    net->rules = sim_must(calloc(1, sizeof *net->rules));
    sim_on_free(s, free_rules, net);
  }
  return net;
}

/* --- hosts ----------------------------------------------------------------------------------------------------- */

static uint32_t interface_index(const sim_host *h, const char *name) {
  uint32_t next = 1;
  for (size_t i = 0; i < h->n_interfaces; i++) {
    if (strcmp(h->interfaces[i].name, name) == 0) return h->interfaces[i].index;
    if (h->interfaces[i].index >= next) next = h->interfaces[i].index + 1;
  }
  return next;
}

void sim_host_add_address(sim_host *h, const char *interface, const char *address) {
  if (h->n_interfaces == SIM_MAX_ADDRESSES) abort();
  floe_interface i = {.index = interface_index(h, interface), .addr = sim_addr(address)};
  (void)snprintf(i.name, sizeof i.name, "%s", interface);
  i.is_loopback = strcmp(interface, "lo") == 0;
  if (i.addr.family == FLOE_FAMILY_IPV6 && floe_addr_is_link_local(&i.addr)) i.addr.scope_id = i.index;
  h->interfaces[h->n_interfaces++] = i;
}

void sim_host_remove_address(sim_host *h, const char *address) {
  floe_addr addr = sim_addr(address);
  for (size_t i = 0; i < h->n_interfaces; i++) {
    if (!sim_same_ip(&h->interfaces[i].addr, &addr)) continue;
    memmove(&h->interfaces[i], &h->interfaces[i + 1], (h->n_interfaces - i - 1) * sizeof h->interfaces[0]);
    h->n_interfaces--;
    return;
  }
}

sim_host *sim_host_new(sim *s, const char *name, ...) {
  sim_net *net = sim_net_of(s);
  sim_host *h = sim_keep(s, sizeof *h);
  h->s = s;
  h->next_port = SIM_FIRST_PORT;
  (void)snprintf(h->name, sizeof h->name, "%s", name);
  sim_host_add_address(h, "lo", "127.0.0.1");
  sim_host_add_address(h, "lo", "::1");
  va_list args;
  va_start(args, name);
  for (const char *interface = va_arg(args, const char *); interface != NULL; interface = va_arg(args, const char *)) {
    sim_host_add_address(h, interface, va_arg(args, const char *));
  }
  va_end(args);
  h->next = net->hosts;
  net->hosts = h;
  return h;
}

const char *sim_host_name(const sim_host *h) {
  return h->name;
}

sim *sim_host_sim(const sim_host *h) {
  return h->s;
}

const floe_interface *sim_host_interfaces(const sim_host *h, size_t *n) {
  *n = h->n_interfaces;
  return h->interfaces;
}

void sim_host_set_stealth(sim_host *h, bool stealth) {
  h->stealth = stealth;
}

void sim_host_set_deaf(sim_host *h, bool deaf) {
  h->deaf = deaf;
}

void sim_host_fail_binds(sim_host *h, floe_net_error error, uint32_t times) {
  h->fail_binds = true;
  h->bind_error = error;
  h->bind_failures = times;
}

void sim_host_behind(sim_host *h, sim_nat *nat) {
  h->nat = nat;
}

bool sim_same_ip(const floe_addr *a, const floe_addr *b) {
  return a->family == b->family && memcmp(a->ip, b->ip, a->family == FLOE_FAMILY_IPV4 ? 4 : 16) == 0;
}

bool sim_host_has(const sim_host *h, const floe_addr *addr) {
  for (size_t i = 0; i < h->n_interfaces; i++) {
    if (sim_same_ip(&h->interfaces[i].addr, addr)) return true;
  }
  return false;
}

uint32_t sim_host_scope(const sim_host *h) {
  for (size_t i = 0; i < h->n_interfaces; i++) {
    if (h->interfaces[i].addr.scope_id != 0) return h->interfaces[i].addr.scope_id;
  }
  return 0;
}

static bool has_bind_failure(sim_host *h, floe_net_error *why) {
  if (!h->fail_binds) return false;
  *why = h->bind_error;
  if (h->bind_failures > 0 && --h->bind_failures == 0) h->fail_binds = false;
  return true;
}

bool sim_net_bind(sim_host *h, floe_addr *local, bool (*is_used)(const sim_host *h, const floe_addr *local),
                  floe_net_error *why) {
  if (has_bind_failure(h, why)) return false;
  if (!floe_addr_is_any(local) && !sim_host_has(h, local)) {
    *why = FLOE_NET_ADDRESS_NOT_AVAILABLE;
    return false;
  }
  if (local->port == 0) {
    do {
      local->port = h->next_port++;
    } while (is_used(h, local));
    return true;
  }
  *why = FLOE_NET_ADDRESS_IN_USE;
  return !is_used(h, local);
}

/* --- paths ----------------------------------------------------------------------------------------------------- */

void sim_path_default(sim *s, const sim_path *path) {
  sim_net_of(s)->path = *path;
}

void sim_path_between(sim_host *a, sim_host *b, const sim_path *path) {
  sim_net *net = sim_net_of(a->s);
  sim_pair_path *pair = sim_keep(a->s, sizeof *pair);
  *pair = (sim_pair_path){.a = a, .b = b, .path = *path, .next = net->pairs};
  net->pairs = pair;
}

const sim_path *sim_net_path(const sim_host *from, const sim_host *to) {
  static const sim_path within_a_host = {.delay_us = 50};
  sim_net *net = sim_net_of(from->s);
  if (from == to) return &within_a_host;
  for (const sim_pair_path *p = net->pairs; p != NULL; p = p->next) {
    if ((p->a == from && p->b == to) || (p->a == to && p->b == from)) return &p->path;
  }
  return &net->path;
}

floe_time sim_net_delay(const sim_host *from, const sim_host *to) {
  const sim_path *path = sim_net_path(from, to);
  uint64_t us = path->delay_us;
  if (path->jitter_us > 0) us += sim_random_below(from->s, path->jitter_us);
  return us * (FLOE_MS / 1000);
}

/* --- rules ----------------------------------------------------------------------------------------------------- */

void sim_rule_add(sim *s, const sim_rule *rule) {
  sim_net *net = sim_net_of(s);
  net->rules = sim_must(realloc(net->rules, (net->n_rules + 1) * sizeof *net->rules));
  net->rules[net->n_rules++] = (sim_rule_state){.rule = *rule};
}

void sim_rules_clear(sim *s) {
  sim_net_of(s)->n_rules = 0;
}

void sim_drop(sim *s, const char *to) {
  sim_rule_add(s, &(sim_rule){.to = sim_addr(to), .action = SIM_DROP});
}

void sim_reject(sim *s, const char *to, uint8_t icmp_type, uint8_t icmp_code) {
  sim_rule_add(s,
               &(sim_rule){.to = sim_addr(to), .action = SIM_REJECT, .icmp_type = icmp_type, .icmp_code = icmp_code});
}

void sim_fail_send(sim *s, const char *to, floe_net_error error) {
  sim_rule_add(s, &(sim_rule){.to = sim_addr(to), .action = SIM_FAIL_SEND, .error = error});
}

static bool matches_address(const floe_addr *pattern, const floe_addr *addr) {
  if (pattern->family == FLOE_FAMILY_NONE) return true;
  return sim_same_ip(pattern, addr) && (pattern->port == 0 || pattern->port == addr->port);
}

const sim_rule *sim_net_rule(sim_host *from, sim_proto proto, const floe_addr *src, const floe_addr *dst) {
  sim_net *net = sim_net_of(from->s);
  for (size_t i = 0; i < net->n_rules; i++) {
    sim_rule_state *r = &net->rules[i];
    if (r->rule.from != NULL && r->rule.from != from) continue;
    if (r->rule.proto != SIM_BOTH && r->rule.proto != proto) continue;
    floe_addr source = r->rule.source;
    source.port = 0;
    if (!matches_address(&source, src) || !matches_address(&r->rule.to, dst)) continue;
    uint32_t nth = r->seen++;
    if (nth < r->rule.skip || (r->rule.times > 0 && nth >= r->rule.skip + r->rule.times)) continue;
    return &r->rule;
  }
  return NULL;
}

/* --- routing through NATs --------------------------------------------------------------------------------------- */

static sim_host *host_with(sim *s, const sim_nat *realm, const floe_addr *addr) {
  for (sim_host *h = sim_net_of(s)->hosts; h != NULL; h = h->next) {
    if (sim_nat_realm(h->nat, addr->family) == realm && sim_host_has(h, addr)) return h;
  }
  return NULL;
}

sim_route sim_net_route(sim_host *from, sim_proto proto, const floe_addr *src, const floe_addr *dst) {
  sim_route route = {.src = *src, .dst = *dst};
  if (floe_addr_is_loopback(dst)) {
    route.to = from;
    return route;
  }
  sim_nat *realm = sim_nat_realm(from->nat, dst->family);
  const sim_nat *left = NULL; /* the last NAT on the way out */
  for (int hops = 0; hops < 16; hops++) {
    route.to = host_with(from->s, realm, &route.dst);
    if (route.to != NULL) break;
    sim_nat *inner = sim_nat_with_address(from->s, realm, &route.dst);
    if (inner != NULL) {
      bool is_stopped = sim_nat_blocks(inner, proto) || (inner == left && !sim_nat_hairpins(inner));
      if (is_stopped || !sim_nat_in(inner, proto, &route.src, &route.dst)) return route;
      realm = inner;
      continue;
    }
    if (realm == NULL || sim_nat_blocks(realm, proto)) return route;
    left = realm;
    sim_nat_out(realm, proto, &route.src, &route.dst);
    realm = sim_nat_realm(sim_nat_outer(realm), dst->family);
  }
  if (route.to != NULL && route.src.family == FLOE_FAMILY_IPV6 && floe_addr_is_link_local(&route.src)) {
    route.src.scope_id = sim_host_scope(route.to);
  }
  return route;
}

/* --- error numbers ----------------------------------------------------------------------------------------------- */

int sim_errno(floe_net_error error) {
  switch (error) {
    case FLOE_NET_OTHER: return EIO;
    case FLOE_NET_REFUSED: return ECONNREFUSED;
    case FLOE_NET_RESET: return ECONNRESET;
    case FLOE_NET_TIMED_OUT: return ETIMEDOUT;
    case FLOE_NET_NET_UNREACHABLE: return ENETUNREACH;
    case FLOE_NET_HOST_UNREACHABLE: return EHOSTUNREACH;
    case FLOE_NET_DENIED: return EPERM;
    case FLOE_NET_ADDRESS_IN_USE: return EADDRINUSE;
    case FLOE_NET_ADDRESS_NOT_AVAILABLE: return EADDRNOTAVAIL;
    case FLOE_NET_MESSAGE_SIZE: return EMSGSIZE;
    case FLOE_NET_NO_RESOURCES: return EMFILE;
  }
  return EIO;
}

const char *sim_errno_text(floe_net_error error) {
  return strerror(sim_errno(error));
}
