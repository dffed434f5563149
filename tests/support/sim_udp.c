#include <stdlib.h>
#include <string.h>

#include "support/sim_net_internal.h"

/* ICMP: RFC 792 (type 3) and RFC 4443 (types 1 and 2). */
#define ICMP_UNREACHABLE          3
#define ICMP_PORT                 3
#define ICMP_FRAGMENTATION_NEEDED 4
#define ICMPV6_UNREACHABLE        1
#define ICMPV6_PORT               4
#define ICMPV6_TOO_BIG            2

typedef struct datagram {
  sim_host *from_host;
  sim_udp *sender;
  floe_addr written_to; /* the destination as the sender wrote it: what an ICMP error quotes */
  sim_host *to_host;
  floe_addr src, dst;
  size_t len;
  uint8_t bytes[];
} datagram;

typedef struct notice {
  floe_addr to;
  uint8_t type, code;
  floe_net_error error;
} notice;

static bool is_bound(const sim_udp *u, const floe_addr *local) {
  if (u->closed || u->local.port != local->port || u->local.family != local->family) return false;
  return floe_addr_is_any(&u->local) || floe_addr_is_any(local) || sim_same_ip(&u->local, local);
}

static sim_udp *find_bound(const sim_host *h, const floe_addr *local) {
  for (sim_udp *u = h->udp; u != NULL; u = u->next) {
    if (is_bound(u, local)) return u;
  }
  return NULL;
}

static bool is_used(const sim_host *h, const floe_addr *local) {
  return find_bound(h, local) != NULL;
}

sim_udp *sim_udp_open(sim_host *h, const floe_addr *local, const sim_udp_ops *ops, void *user, floe_net_error *why) {
  floe_addr bound = *local;
  if (!sim_net_bind(h, &bound, is_used, why)) return NULL;
  sim_udp *u = sim_keep(h->s, sizeof *u);
  *u = (sim_udp){.host = h, .local = bound, .ops = ops, .user = user, .next = h->udp};
  h->udp = u;
  return u;
}

floe_addr sim_udp_local(const sim_udp *u) {
  return u->local;
}

void sim_udp_close(sim_udp *u) {
  u->closed = true;
}

static void tell_icmp(void *user, void *payload) {
  sim_udp *u = user;
  const notice *n = payload;
  if (!u->closed && !u->host->deaf && u->ops->on_icmp != NULL) u->ops->on_icmp(u->user, &n->to, n->type, n->code);
}

static void tell_send_failed(void *user, void *payload) {
  sim_udp *u = user;
  const notice *n = payload;
  if (!u->closed && u->ops->on_send_failed != NULL) u->ops->on_send_failed(u->user, &n->to, n->error);
}

static void send_icmp(sim_udp *u, floe_time delay, const floe_addr *to, uint8_t type, uint8_t code) {
  notice *n = sim_must(malloc(sizeof *n));
  *n = (notice){.to = *to, .type = type, .code = code};
  sim_after(u->host->s, delay, tell_icmp, u, n);
}

/* The rule's effect on one datagram. */
static void apply_rule(sim_udp *u, const sim_rule *rule, const floe_addr *to) {
  switch (rule->action) {
    case SIM_DROP: return;
    case SIM_REJECT: send_icmp(u, 2 * sim_net_delay(u->host, NULL), to, rule->icmp_type, rule->icmp_code); return;
    case SIM_FAIL_SEND: {
      notice *n = sim_must(malloc(sizeof *n));
      *n = (notice){.to = *to, .error = rule->error};
      sim_after(u->host->s, 0, tell_send_failed, u, n);
      return;
    }
  }
}

static void arrive(void *user, void *payload) {
  sim_host *h = user;
  const datagram *d = payload;
  if (h->deaf) return;
  sim_udp *u = find_bound(h, &d->dst);
  if (u != NULL) {
    u->ops->on_datagram(u->user, &d->src, (floe_bytes){d->bytes, d->len});
    return;
  }
  if (h->stealth) return;
  floe_time delay = sim_net_delay(h, d->from_host);
  if (d->dst.family == FLOE_FAMILY_IPV4) {
    send_icmp(d->sender, delay, &d->written_to, ICMP_UNREACHABLE, ICMP_PORT);
  } else {
    send_icmp(d->sender, delay, &d->written_to, ICMPV6_UNREACHABLE, ICMPV6_PORT);
  }
}

static void schedule(const datagram *d, const sim_path *path) {
  datagram *copy = sim_must(malloc(sizeof *copy + d->len));
  memcpy(copy, d, sizeof *copy + d->len);
  floe_time delay = sim_net_delay(d->from_host, d->to_host);
  if (sim_chance(d->from_host->s, path->reorder))
    delay += (1 + sim_random_below(d->from_host->s, 3)) * (delay + FLOE_MS);
  sim_after(d->from_host->s, delay, arrive, d->to_host, copy);
}

static void send_too_big(sim_udp *u, const floe_addr *to) {
  floe_time delay = 2 * sim_net_delay(u->host, NULL);
  if (to->family == FLOE_FAMILY_IPV4) {
    send_icmp(u, delay, to, ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED);
  } else {
    send_icmp(u, delay, to, ICMPV6_TOO_BIG, 0);
  }
}

/* The address that the datagram leaves with: a socket on the wildcard address takes the host's first of the family. */
static floe_addr source_of(const sim_udp *u, const floe_addr *to) {
  floe_addr src = u->local;
  if (!floe_addr_is_any(&src)) return src;
  for (size_t i = 0; i < u->host->n_interfaces; i++) {
    const floe_interface *f = &u->host->interfaces[i];
    if (f->addr.family != to->family || f->is_loopback != floe_addr_is_loopback(to)) continue;
    src = f->addr;
    src.port = u->local.port;
    return src;
  }
  return src;
}

void sim_udp_send(sim_udp *u, const floe_addr *to, floe_bytes data) {
  if (u->closed) return;
  sim *s = u->host->s;
  sim_net_of(s)->packets++;
  floe_addr src = source_of(u, to);
  const sim_rule *rule = sim_net_rule(u->host, SIM_UDP, &src, to);
  if (rule != NULL) {
    apply_rule(u, rule, to);
    return;
  }
  sim_route route = sim_net_route(u->host, SIM_UDP, &src, to);
  if (route.to == NULL) return;
  const sim_path *path = sim_net_path(u->host, route.to);
  if (path->mtu > 0 && data.len > path->mtu) {
    send_too_big(u, to);
    return;
  }
  datagram *d = sim_must(calloc(1, sizeof *d + data.len));
  *d = (datagram){.from_host = u->host,
                  .sender = u,
                  .written_to = *to,
                  .to_host = route.to,
                  .src = route.src,
                  .dst = route.dst,
                  .len = data.len};
  if (data.len > 0) memcpy(d->bytes, data.ptr, data.len);
  if (!sim_chance(s, path->loss)) schedule(d, path);
  if (sim_chance(s, path->duplicate)) schedule(d, path);
  free(d);
}
