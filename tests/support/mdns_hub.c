#include "support/mdns_hub.h"

#include <stdlib.h>
#include <string.h>

#define LOOPBACK    9
#define MAX_OUTPUTS 20000

typedef struct delivery {
  hub_host *to;
  uint32_t interface;
  floe_family family;
  floe_addr from;
  size_t len;
  uint8_t data[];
} delivery;

floe_addr hub_addr(const char *text) {
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, text));
  return addr;
}

floe_time hub_ms(const hub *h) {
  return sim_now(h->s) / FLOE_MS - 1000;
}

hub *hub_new(uint64_t seed) {
  hub *h = sim_must(calloc(1, sizeof *h));
  h->s = sim_new(seed);
  sim_run_for(h->s, 1000); /* the clock need not begin at 0 */
  return h;
}

void hub_forget(hub *h) {
  while (h->first != NULL) {
    hub_packet *next = h->first->next;
    free(h->first);
    h->first = next;
  }
  h->last = NULL;
}

void hub_free(hub *h) {
  uint64_t leaks = 0;
  for (size_t i = 0; i < h->n_hosts; i++) {
    floe_mdns_free(h->hosts[i]->mdns);
    leaks += sim_env_free(h->hosts[i]->env);
    free(h->hosts[i]);
  }
  hub_forget(h);
  sim_free(h->s);
  free(h);
  assert_int_equal(leaks, 0);
}

/* ---- hosts ---- */

hub_host *hub_host_new_with(hub *h, const floe_mdns_config *cfg, sim_env *env) {
  hub_host *host = sim_must(calloc(1, sizeof *host));
  assert_true(h->n_hosts < HUB_MAX_HOSTS);
  host->h = h;
  host->env = env;
  host->wait_until = FLOE_TIME_NEVER;
  h->hosts[h->n_hosts++] = host;
  if (env->env != NULL && floe_mdns_new(&host->mdns, env->env, cfg) != FLOE_OK) host->mdns = NULL;
  return host;
}

hub_host *hub_host_new(hub *h, const char *ipv4, const char *ipv6) {
  hub_host *host = hub_host_new_with(h, NULL, sim_env_new(h->s, h->n_hosts));
  assert_non_null(host->mdns);
  if (ipv4 != NULL) hub_add_interface(host, 1, ipv4);
  if (ipv6 != NULL) hub_add_interface(host, 1, ipv6);
  hub_tell_interfaces(host);
  return host;
}

void hub_add_interface(hub_host *host, uint32_t index, const char *ip) {
  assert_true(host->n_ifaces < HUB_MAX_IFACES);
  floe_interface *f = &host->ifaces[host->n_ifaces++];
  f->index = index;
  f->is_loopback = index == LOOPBACK;
  f->addr = hub_addr(ip);
  if (f->addr.family == FLOE_FAMILY_IPV6 && floe_addr_is_link_local(&f->addr)) f->addr.scope_id = index;
}

void hub_tell_interfaces(hub_host *host) {
  assert_int_equal(floe_mdns_set_interfaces(host->mdns, sim_now(host->h->s), host->ifaces, host->n_ifaces), FLOE_OK);
  hub_drain(host);
}

static const floe_interface *interface_of(const hub_host *host, uint32_t index, floe_family family) {
  for (size_t i = 0; i < host->n_ifaces; i++) {
    if (host->ifaces[i].index == index && host->ifaces[i].addr.family == family) return &host->ifaces[i];
  }
  return NULL;
}

hub_sock *hub_sock_of(hub_host *host, uint32_t interface, floe_family family) {
  for (size_t i = 0; i < host->n_socks; i++) {
    hub_sock *sock = &host->socks[i];
    if (sock->is_open && sock->interface == interface && sock->family == family) return sock;
  }
  return NULL;
}

static hub_sock *sock_by_id(hub_host *host, floe_sock_id id) {
  for (size_t i = 0; i < host->n_socks; i++) {
    if (host->socks[i].id == id) return &host->socks[i];
  }
  return NULL;
}

size_t hub_n_open(const hub_host *host) {
  size_t n = 0;
  for (size_t i = 0; i < host->n_socks; i++) n += host->socks[i].is_open ? 1 : 0;
  return n;
}

/* ---- packets ---- */

void hub_inject(hub_host *host, uint32_t interface, floe_family family, const floe_addr *from, const void *data,
                size_t len) {
  const hub_sock *sock = hub_sock_of(host, interface, family);
  if (sock == NULL) return;
  uint8_t *copy = sim_must(malloc(len + 1)); /* in a block of its own, so that a read past it is seen */
  if (len > 0) memcpy(copy, data, len);
  floe_input in = {.type = FLOE_INPUT_DATAGRAM, .sock = sock->id, .addr = *from, .data = {copy, len}};
  floe_mdns_input(host->mdns, sim_now(host->h->s), &in);
  free(copy);
  hub_drain(host);
}

static void arrive(void *user, void *payload) {
  (void)user;
  const delivery *d = payload;
  hub_inject(d->to, d->interface, d->family, &d->from, d->data, d->len);
}

static void carry(hub_host *to, const hub_packet *p, const floe_addr *from) {
  hub *h = to->h;
  bool is_own = to == p->from;
  if (!is_own && sim_chance(h->s, h->loss_permille)) return;
  int copies = !is_own && sim_chance(h->s, h->twice_permille) ? 2 : 1;
  for (int i = 0; i < copies; i++) {
    delivery *d = sim_must(malloc(sizeof *d + p->len));
    *d = (delivery){.to = to, .interface = p->interface, .family = p->family, .from = *from, .len = p->len};
    memcpy(d->data, p->data, p->len);
    floe_time delay = is_own ? 0 : sim_chance(h->s, h->late_permille) ? 50 * FLOE_MS : FLOE_MS;
    sim_after(h->s, delay, arrive, NULL, d);
  }
}

static bool is_group(const floe_addr *to) {
  return to->family == FLOE_FAMILY_IPV4 ? to->ip[0] == 224 : to->ip[0] == 0xff;
}

static bool has_address(const hub_host *host, const floe_addr *addr) {
  for (size_t i = 0; i < host->n_ifaces; i++) {
    if (memcmp(host->ifaces[i].addr.ip, addr->ip, 16) == 0) return true;
  }
  return false;
}

static void spread(hub_host *host, const hub_packet *p) {
  hub *h = host->h;
  const floe_interface *own = interface_of(host, p->interface, p->family);
  if (own == NULL) return; /* the interface has gone */
  floe_addr from = own->addr;
  from.port = 5353;
  if (h->drop_next > 0) {
    h->drop_next--;
    return;
  }
  for (size_t i = 0; i < h->n_hosts; i++) {
    if (p->interface == LOOPBACK && h->hosts[i] != host) continue;
    if (is_group(&p->to) || has_address(h->hosts[i], &p->to)) carry(h->hosts[i], p, &from);
  }
}

static void transmit(hub_host *host, const floe_mdns_output *out) {
  const hub_sock *sock = sock_by_id(host, out->u.transmit.sock);
  size_t len = out->u.transmit.data.len;
  assert_non_null(sock);
  assert_true(sock->is_open && len > 0);
  hub_packet *p = sim_must(calloc(1, sizeof *p + len));
  *p = (hub_packet){.at = hub_ms(host->h),
                    .from = host,
                    .interface = sock->interface,
                    .family = sock->family,
                    .to = out->u.transmit.to,
                    .len = len};
  memcpy(p->data, out->u.transmit.data.ptr, len);
  if (host->h->last != NULL) {
    host->h->last->next = p;
  } else {
    host->h->first = p;
  }
  host->h->last = p;
  assert_int_equal(p->to.family, p->family);
  spread(host, p);
}

/* ---- outputs ---- */

static void answer_open(hub_host *host, floe_sock_id id) {
  hub_sock *sock = sock_by_id(host, id);
  bool fails = sock->family == FLOE_FAMILY_IPV4 ? host->fails_ipv4 : host->fails_ipv6;
  floe_input in = {.type = fails ? FLOE_INPUT_SOCKET_FAILED : FLOE_INPUT_SOCKET_OPENED, .sock = id};
  sock->is_open = !fails;
  floe_mdns_input(host->mdns, sim_now(host->h->s), &in);
}

void hub_open_held(hub_host *host, floe_sock_id sock) {
  answer_open(host, sock);
  hub_drain(host);
}

static void open_sock(hub_host *host, const floe_mdns_output *out) {
  floe_sock_id id = out->u.open.sock;
  assert_int_not_equal(id, 0);
  assert_null(sock_by_id(host, id));
  assert_int_equal(out->u.open.group.port, 5353);
  assert_true(is_group(&out->u.open.group));
  assert_int_equal(out->u.open.local.family, out->u.open.group.family);
  assert_int_equal(out->u.open.local.port, 0);
  assert_true(has_address(host, &out->u.open.local));
  assert_true(host->n_socks < HUB_MAX_SOCKS);
  host->socks[host->n_socks++] = (hub_sock){
      .id = id, .interface = out->u.open.interface, .family = (floe_family)out->u.open.group.family, .is_open = false};
  host->n_opens++;
  if (!host->holds_opens) answer_open(host, id);
}

static void close_sock(hub_host *host, floe_sock_id id) {
  hub_sock *sock = sock_by_id(host, id);
  assert_non_null(sock);
  sock->is_open = false;
  host->n_closes++;
}

static void keep_resolved(hub_host *host, const floe_mdns_output *out) {
  assert_true(host->n_resolved < HUB_MAX_RESOLVED);
  host->resolved[host->n_resolved++] = (hub_resolved){.at = hub_ms(host->h),
                                                      .query = out->u.resolved.query,
                                                      .status = out->u.resolved.status,
                                                      .address = out->u.resolved.address};
}

static void on_time(void *user, void *payload) {
  (void)payload;
  hub_host *host = user;
  if (host->wait_until > sim_now(host->h->s)) return;
  floe_input in = {.type = FLOE_INPUT_TIMER};
  floe_mdns_input(host->mdns, sim_now(host->h->s), &in);
  hub_drain(host);
}

static void wait_until(hub_host *host, const floe_mdns_output *out) {
  assert_true(out->u.wait.until > sim_now(host->h->s));
  assert_non_null(out->u.wait.reason);
  host->wait_until = out->u.wait.until;
  host->wait_reason = out->u.wait.reason;
  if (host->wait_until != FLOE_TIME_NEVER) sim_at(host->h->s, host->wait_until, on_time, host, NULL);
}

void hub_drain(hub_host *host) {
  floe_mdns_output out;
  int n = 0;
  do {
    assert_true(++n < MAX_OUTPUTS);
    floe_mdns_poll(host->mdns, &out);
    switch (out.type) {
      case FLOE_MDNS_OUTPUT_WAIT: wait_until(host, &out); break;
      case FLOE_MDNS_OUTPUT_OPEN: open_sock(host, &out); break;
      case FLOE_MDNS_OUTPUT_CLOSE: close_sock(host, out.u.close.sock); break;
      case FLOE_MDNS_OUTPUT_TRANSMIT: transmit(host, &out); break;
      case FLOE_MDNS_OUTPUT_RESOLVED: keep_resolved(host, &out); break;
    }
  } while (out.type != FLOE_MDNS_OUTPUT_WAIT);
}

/* ---- calls and what came of them ---- */

uint32_t hub_resolve(hub_host *host, const char *name, floe_family family) {
  uint32_t query = 0;
  assert_int_equal(floe_mdns_resolve(host->mdns, sim_now(host->h->s), name, family, &query), FLOE_OK);
  assert_int_not_equal(query, 0);
  hub_drain(host);
  return query;
}

void hub_register(hub_host *host, const char *name, const char *ip) {
  floe_addr addr = hub_addr(ip);
  if (addr.family == FLOE_FAMILY_IPV6 && floe_addr_is_link_local(&addr)) addr.scope_id = 1;
  assert_int_equal(floe_mdns_register(host->mdns, sim_now(host->h->s), name, &addr), FLOE_OK);
  hub_drain(host);
}

void hub_unregister(hub_host *host, const char *name) {
  floe_mdns_unregister(host->mdns, sim_now(host->h->s), name);
  hub_drain(host);
}

const hub_resolved *hub_result(const hub_host *host, uint32_t query) {
  const hub_resolved *found = NULL;
  for (size_t i = 0; i < host->n_resolved; i++) {
    if (host->resolved[i].query != query) continue;
    assert_null(found);
    found = &host->resolved[i];
  }
  assert_non_null(found);
  return found;
}

void hub_assert_status(const hub_host *host, uint32_t query, floe_dns_status status) {
  const hub_resolved *r = hub_result(host, query);
  assert_string_equal(floe_dns_status_name(r->status), floe_dns_status_name(status));
  if (status != FLOE_DNS_OK) assert_int_equal(r->address.family, FLOE_FAMILY_NONE);
}

void hub_assert_resolved(const hub_host *host, uint32_t query, const char *ip) {
  char text[FLOE_ADDR_TEXT];
  hub_assert_status(host, query, FLOE_DNS_OK);
  assert_string_equal(floe_addr_format(&hub_result(host, query)->address, text), ip);
}

const hub_packet *hub_packet_of(const hub *h, const hub_host *from, uint32_t interface, floe_family family, size_t n) {
  for (const hub_packet *p = h->first; p != NULL; p = p->next) {
    if (p->from == from && p->interface == interface && p->family == family && n-- == 0) return p;
  }
  return NULL;
}

size_t hub_count(const hub *h, const hub_host *from, uint32_t interface, floe_family family) {
  size_t n = 0;
  while (hub_packet_of(h, from, interface, family, n) != NULL) n++;
  return n;
}
