#include "mdns/links.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"

/* Bytes of packets that wait. What is asked and announced at once is far less; what is beyond it is lost. */
#define MAX_QUEUED ((size_t)1024 * 1024)

static floe_addr group_of(const floe__mdns_link *link) {
  floe_addr group = {.family = (uint8_t)link->family, .port = FLOE__MDNS_PORT};
  if (link->family == FLOE_FAMILY_IPV4) {
    memcpy(group.ip, (const uint8_t[4]){224, 0, 0, 251}, 4);
  } else {
    group.ip[0] = 0xff;
    group.ip[1] = 0x02;
    group.ip[15] = 0xfb;
    group.scope_id = link->interface;
  }
  return group;
}

/* ---- states ---- */

static bool may_go(floe__mdns_link_state from, floe__mdns_link_state to) {
  switch (from) {
    case FLOE__MDNS_LINK_IDLE: return to == FLOE__MDNS_LINK_WANTED;
    case FLOE__MDNS_LINK_WANTED: return to == FLOE__MDNS_LINK_OPENING || to == FLOE__MDNS_LINK_IDLE;
    case FLOE__MDNS_LINK_OPENING:
      return to == FLOE__MDNS_LINK_OPEN || to == FLOE__MDNS_LINK_FAILED || to == FLOE__MDNS_LINK_CLOSING;
    case FLOE__MDNS_LINK_OPEN: return to == FLOE__MDNS_LINK_FAILED || to == FLOE__MDNS_LINK_CLOSING;
    case FLOE__MDNS_LINK_FAILED: return to == FLOE__MDNS_LINK_WANTED || to == FLOE__MDNS_LINK_IDLE;
    case FLOE__MDNS_LINK_CLOSING: return to == FLOE__MDNS_LINK_IDLE;
  }
  return false;
}

static const char *state_name(floe__mdns_link_state state) {
  switch (state) {
    case FLOE__MDNS_LINK_IDLE: return "idle";
    case FLOE__MDNS_LINK_WANTED: return "wanted";
    case FLOE__MDNS_LINK_OPENING: return "opening";
    case FLOE__MDNS_LINK_OPEN: return "open";
    case FLOE__MDNS_LINK_FAILED: return "failed";
    case FLOE__MDNS_LINK_CLOSING: return "closing";
  }
  return "";
}

static void go(floe__mdns_links *links, floe__mdns_link *link, floe__mdns_link_state to) {
  FLOE__ASSERT(may_go(link->state, to));
  floe__trace t;
  if (floe__trace_begin(&t, links->env, links->now, "mdns.link.state")) {
    floe__trace_int(&t, "interface", link->interface);
    floe__trace_int(&t, "family", link->family);
    floe__trace_text(&t, "from", state_name(link->state));
    floe__trace_text(&t, "to", state_name(to));
    floe__trace_end(&t);
  }
  link->state = to;
  bool has_socket = to == FLOE__MDNS_LINK_OPENING || to == FLOE__MDNS_LINK_OPEN || to == FLOE__MDNS_LINK_CLOSING;
  if (!has_socket) link->sock = 0;
}

bool floe__mdns_links_on_opened(floe__mdns_links *links, floe__mdns_link *link) {
  if (link->state != FLOE__MDNS_LINK_OPENING) return false;
  go(links, link, FLOE__MDNS_LINK_OPEN);
  return true;
}

void floe__mdns_links_on_failed(floe__mdns_links *links, floe__mdns_link *link) {
  if (link->state == FLOE__MDNS_LINK_OPENING || link->state == FLOE__MDNS_LINK_OPEN)
    go(links, link, FLOE__MDNS_LINK_FAILED);
}

static void want(floe__mdns_links *links, floe__mdns_link *link, bool retry) {
  switch (link->state) {
    case FLOE__MDNS_LINK_IDLE: go(links, link, FLOE__MDNS_LINK_WANTED); break;
    case FLOE__MDNS_LINK_FAILED:
      if (retry) go(links, link, FLOE__MDNS_LINK_WANTED);
      break;
    case FLOE__MDNS_LINK_WANTED:
    case FLOE__MDNS_LINK_OPENING:
    case FLOE__MDNS_LINK_OPEN:
    case FLOE__MDNS_LINK_CLOSING: break; /* closing: wanted again once CLOSE was taken */
  }
}

static void let_go(floe__mdns_links *links, floe__mdns_link *link) {
  switch (link->state) {
    case FLOE__MDNS_LINK_WANTED:
    case FLOE__MDNS_LINK_FAILED: go(links, link, FLOE__MDNS_LINK_IDLE); break;
    case FLOE__MDNS_LINK_OPENING:
    case FLOE__MDNS_LINK_OPEN: go(links, link, FLOE__MDNS_LINK_CLOSING); break;
    case FLOE__MDNS_LINK_IDLE:
    case FLOE__MDNS_LINK_CLOSING: break;
  }
}

static bool is_needed(const floe__mdns_links *links, const floe__mdns_link *link) {
  return !link->is_gone && (links->is_asking || link->n_names > 0);
}

/* Those whose interface has gone, once nothing of them is left to be told. */
static void drop_gone(floe__mdns_links *links) {
  size_t kept = 0;
  for (size_t i = 0; i < links->n; i++) {
    floe__mdns_link *link = links->all[i];
    if (link->is_gone && link->state == FLOE__MDNS_LINK_IDLE) {
      floe__free(links->env, link);
    } else {
      links->all[kept++] = link;
    }
  }
  links->n = kept;
}

void floe__mdns_links_settle(floe__mdns_links *links, bool retry) {
  for (size_t i = 0; i < links->n; i++) {
    floe__mdns_link *link = links->all[i];
    if (is_needed(links, link)) {
      want(links, link, retry);
    } else {
      let_go(links, link);
    }
  }
  drop_gone(links);
}

bool floe__mdns_links_are_hopeful(const floe__mdns_links *links) {
  for (size_t i = 0; i < links->n; i++) {
    if (is_needed(links, links->all[i]) && links->all[i]->state != FLOE__MDNS_LINK_FAILED) return true;
  }
  return false;
}

floe__mdns_link *floe__mdns_links_find(const floe__mdns_links *links, floe_sock_id sock) {
  for (size_t i = 0; sock != 0 && i < links->n; i++) {
    if (links->all[i]->sock == sock && links->all[i]->state != FLOE__MDNS_LINK_CLOSING) return links->all[i];
  }
  return NULL;
}

/* ---- interfaces ---- */

floe__mdns_link *floe__mdns_links_of(const floe__mdns_links *links, uint32_t interface, floe_family family) {
  for (size_t i = 0; i < links->n; i++) {
    floe__mdns_link *link = links->all[i];
    if (!link->is_gone && link->interface == interface && link->family == family) return link;
  }
  return NULL;
}

/* What is sent to a group of link-local scope should come from an address of the same (RFC 6724 5, rule 2). */
static bool is_better_local(const floe_addr *now, const floe_addr *then) {
  return now->family == FLOE_FAMILY_IPV6 && floe_addr_is_link_local(now) && !floe_addr_is_link_local(then);
}

/* A link for the interface of this address, which takes its room at the end of the array. */
static bool add_link(floe__mdns_links *links, const floe_interface *from) {
  void *all = links->all;
  if (!floe__reserve(links->env, &all, &links->cap, sizeof(floe__mdns_link *), links->n + 1)) return false;
  links->all = all;
  floe__mdns_link *link = floe__zalloc(links->env, sizeof *link);
  if (link == NULL) return false;
  link->interface = from->index;
  link->family = (floe_family)from->addr.family;
  link->local = from->addr;
  link->is_loopback = from->is_loopback;
  link->is_gone = true; /* until the whole list could be taken */
  links->all[links->n++] = link;
  return true;
}

/* What a socket was bound to must still be there: systems choose the interface to send on by its address. */
static bool is_listed(const floe__mdns_link *link, const floe_interface *list, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (list[i].index == link->interface && floe_addr_equal_ip(&list[i].addr, &link->local)) return true;
  }
  return false;
}

/* Just made for this list, or there before and in it. */
static bool may_stay(const floe__mdns_link *link, const floe_interface *list, size_t n) {
  return link->is_gone ? link->state == FLOE__MDNS_LINK_IDLE : is_listed(link, list, n);
}

static bool has_link(const floe__mdns_links *links, const floe_interface *from, const floe_interface *list, size_t n) {
  for (size_t i = 0; i < links->n; i++) {
    const floe__mdns_link *link = links->all[i];
    bool is_of_it = link->interface == from->index && link->family == from->addr.family;
    if (is_of_it && may_stay(link, list, n)) return true;
  }
  return false;
}

static size_t take_addresses(const floe__mdns_links *links, floe_interface *out, const floe_interface *list, size_t n) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    const floe_interface *f = &list[i];
    bool has_family = f->addr.family == FLOE_FAMILY_IPV4 || f->addr.family == FLOE_FAMILY_IPV6;
    if (has_family && (links->include_loopback || !f->is_loopback)) out[kept++] = *f;
  }
  return kept;
}

/* A link just made takes the best address of its interface. */
static void choose_local(floe__mdns_link *link, const floe_interface *list, size_t n) {
  for (size_t i = 0; i < n; i++) {
    bool is_of_it = list[i].index == link->interface && list[i].addr.family == link->family;
    if (is_of_it && is_better_local(&list[i].addr, &link->local)) link->local = list[i].addr;
  }
}

/* Marks what has an address in the list as there and everything else as gone. */
static void review(floe__mdns_links *links) {
  for (size_t i = 0; i < links->n; i++) {
    floe__mdns_link *link = links->all[i];
    bool stays = may_stay(link, links->addresses, links->n_addresses);
    if (stays && link->is_gone) choose_local(link, links->addresses, links->n_addresses);
    link->is_gone = !stays;
    link->n_names = 0;
  }
}

bool floe__mdns_links_set(floe__mdns_links *links, const floe_interface *list, size_t n) {
  floe_interface *addresses = n == 0 ? NULL : floe__alloc(links->env, n * sizeof *addresses);
  if (addresses == NULL && n > 0) return false;
  size_t kept = take_addresses(links, addresses, list, n);
  for (size_t i = 0; i < kept; i++) {
    if (has_link(links, &addresses[i], addresses, kept) || add_link(links, &addresses[i])) continue;
    floe__free(links->env, addresses);
    drop_gone(links);
    return false;
  }
  floe__free(links->env, links->addresses);
  links->addresses = addresses;
  links->n_addresses = kept;
  review(links);
  drop_gone(links);
  return true;
}

uint32_t floe__mdns_links_interface_of(const floe__mdns_links *links, const floe_addr *addr) {
  for (size_t i = 0; i < links->n_addresses; i++) {
    if (floe_addr_equal_ip(&links->addresses[i].addr, addr)) return links->addresses[i].index;
  }
  return 0;
}

void floe__mdns_links_count_name(floe__mdns_links *links, uint32_t interface, int change) {
  static const floe_family families[] = {FLOE_FAMILY_IPV4, FLOE_FAMILY_IPV6};
  for (size_t i = 0; i < 2; i++) {
    floe__mdns_link *link = floe__mdns_links_of(links, interface, families[i]);
    if (link != NULL) link->n_names += (uint32_t)change;
  }
}

/* ---- packets ---- */

void floe__mdns_links_send(floe__mdns_links *links, const floe__mdns_link *link, const floe_addr *to, floe_bytes data) {
  if (link->state != FLOE__MDNS_LINK_OPEN || data.len == 0 || links->queued + data.len > MAX_QUEUED) return;
  floe__mdns_packet *packet = floe__alloc(links->env, sizeof *packet + data.len);
  if (packet == NULL) return;
  *packet = (floe__mdns_packet){.sock = link->sock, .to = to != NULL ? *to : group_of(link), .len = data.len};
  memcpy(packet->data, data.ptr, data.len);
  if (links->last != NULL) {
    links->last->next = packet;
  } else {
    links->first = packet;
  }
  links->last = packet;
  links->queued += data.len;
}

void floe__mdns_links_send_all(floe__mdns_links *links, floe_bytes data) {
  for (size_t i = 0; i < links->n; i++) floe__mdns_links_send(links, links->all[i], NULL, data);
}

static floe__mdns_packet *take_packet(floe__mdns_links *links) {
  floe__mdns_packet *packet = links->first;
  links->first = packet->next;
  if (links->first == NULL) links->last = NULL;
  links->queued -= packet->len;
  return packet;
}

/* ---- outputs ---- */

static void tell_transmit(floe__mdns_links *links, floe_mdns_output *out) {
  links->taken = take_packet(links);
  out->type = FLOE_MDNS_OUTPUT_TRANSMIT;
  out->u.transmit.sock = links->taken->sock;
  out->u.transmit.to = links->taken->to;
  out->u.transmit.data = (floe_bytes){links->taken->data, links->taken->len};
}

static void tell_close(floe__mdns_links *links, floe__mdns_link *link, floe_mdns_output *out) {
  out->type = FLOE_MDNS_OUTPUT_CLOSE;
  out->u.close.sock = link->sock;
  go(links, link, FLOE__MDNS_LINK_IDLE);
  if (is_needed(links, link)) want(links, link, false);
}

static void tell_open(floe__mdns_links *links, floe__mdns_link *link, floe_mdns_output *out) {
  go(links, link, FLOE__MDNS_LINK_OPENING);
  link->sock = ++links->last_sock;
  out->type = FLOE_MDNS_OUTPUT_OPEN;
  out->u.open.sock = link->sock;
  out->u.open.group = group_of(link);
  out->u.open.interface = link->interface;
  out->u.open.local = link->local;
}

static floe__mdns_link *find_in_state(const floe__mdns_links *links, floe__mdns_link_state state) {
  for (size_t i = 0; i < links->n; i++) {
    if (links->all[i]->state == state) return links->all[i];
  }
  return NULL;
}

bool floe__mdns_links_poll(floe__mdns_links *links, floe_mdns_output *out) {
  floe__free(links->env, links->taken);
  links->taken = NULL;
  floe__mdns_link *link = NULL;
  if (links->first != NULL) {
    tell_transmit(links, out);
  } else if ((link = find_in_state(links, FLOE__MDNS_LINK_CLOSING)) != NULL) {
    tell_close(links, link, out);
    drop_gone(links);
  } else if ((link = find_in_state(links, FLOE__MDNS_LINK_WANTED)) != NULL) {
    tell_open(links, link, out);
  } else {
    return false;
  }
  return true;
}

void floe__mdns_links_init(floe__mdns_links *links, floe_env *env, bool include_loopback) {
  *links = (floe__mdns_links){.env = env, .include_loopback = include_loopback};
}

void floe__mdns_links_clear(floe__mdns_links *links) {
  while (links->first != NULL) floe__free(links->env, take_packet(links));
  floe__free(links->env, links->taken);
  for (size_t i = 0; i < links->n; i++) floe__free(links->env, links->all[i]);
  floe__free(links->env, links->all);
  floe__free(links->env, links->addresses);
  memset(links, 0, sizeof *links);
}
