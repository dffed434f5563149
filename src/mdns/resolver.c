#include "mdns/resolver.h"

#include <string.h>

#include "base/addr.h"
#include "base/alloc.h"

/* ---- questions, by name ---- */

static int compare(const floe__mdns_question *q, const floe__dns_name *name, floe_family family) {
  int by_name = floe__dns_name_compare(&q->name, name);
  return by_name != 0 ? by_name : (int)q->family - (int)family;
}

/* Where the question is, or would be put. */
static size_t place_of(const floe__mdns_resolver *r, const floe__dns_name *name, floe_family family) {
  size_t lo = 0, hi = r->n;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (compare(r->questions[mid], name, family) < 0) {
      lo = mid + 1;
    } else {
      hi = mid;
    }
  }
  return lo;
}

static floe__mdns_question *find(const floe__mdns_resolver *r, const floe__dns_name *name, floe_family family) {
  size_t i = place_of(r, name, family);
  if (i == r->n || compare(r->questions[i], name, family) != 0) return NULL;
  return r->questions[i];
}

static floe__mdns_question *add(floe__mdns_resolver *r, const floe__dns_name *name, floe_family family) {
  void *questions = r->questions;
  if (!floe__reserve(r->env, &questions, &r->cap, sizeof(floe__mdns_question *), r->n + 1)) return NULL;
  r->questions = questions;
  floe__mdns_question *q = floe__zalloc(r->env, sizeof *q);
  if (q == NULL) return NULL;
  q->name = *name;
  q->family = family;
  size_t i = place_of(r, name, family);
  memmove(r->questions + i + 1, r->questions + i, (r->n - i) * sizeof(floe__mdns_question *));
  r->questions[i] = q;
  r->n++;
  return q;
}

/* Forgets a question that nobody waits for. */
static void drop(floe__mdns_resolver *r, floe__mdns_question *q) {
  if (q->waiters != NULL) return;
  size_t i = place_of(r, &q->name, q->family);
  memmove(r->questions + i, r->questions + i + 1, (r->n - i - 1) * sizeof(floe__mdns_question *));
  r->n--;
  floe__free(r->env, q);
}

/* ---- who waits for them ---- */

static floe_status new_waiter(floe__mdns_resolver *r, floe__mdns_waiter **out) {
  if (r->n_waiters >= r->max_queries) return FLOE_E_TOO_LARGE;
  *out = floe__zalloc(r->env, sizeof **out);
  if (*out == NULL) return FLOE_E_NOMEM;
  if (++r->last_id == 0) r->last_id = 1;
  (*out)->id = r->last_id;
  r->n_waiters++;
  return FLOE_OK;
}

static void free_waiter(floe__mdns_resolver *r, floe__mdns_waiter *w) {
  r->n_waiters--;
  floe__free(r->env, w);
}

static void decide(floe__mdns_resolver *r, floe__mdns_waiter *w, floe_dns_status status, const floe_addr *addr) {
  w->next = NULL;
  w->status = status;
  if (status == FLOE_DNS_OK) w->addr = *addr;
  w->addr.port = 0;
  if (r->decided_last != NULL) {
    r->decided_last->next = w;
  } else {
    r->decided_first = w;
  }
  r->decided_last = w;
}

/* In the order in which they asked. */
static void decide_all(floe__mdns_resolver *r, floe__mdns_question *q, floe_dns_status status, const floe_addr *addr) {
  while (q->waiters != NULL) {
    floe__mdns_waiter *w = q->waiters;
    q->waiters = w->next;
    decide(r, w, status, addr);
  }
  drop(r, q);
}

static void append(floe__mdns_question *q, floe__mdns_waiter *w) {
  floe__mdns_waiter **at = &q->waiters;
  while (*at != NULL) at = &(*at)->next;
  *at = w;
}

floe_status floe__mdns_resolver_ask(floe__mdns_resolver *r, floe_time now, const floe__dns_name *name,
                                    floe_family family, uint32_t *id) {
  floe__mdns_waiter *w;
  floe_status st = new_waiter(r, &w);
  if (st != FLOE_OK) return st;
  floe__mdns_question *q = find(r, name, family);
  if (q == NULL) {
    q = add(r, name, family);
    if (q == NULL) {
      free_waiter(r, w);
      return FLOE_E_NOMEM;
    }
    q->ask_at = now;
    q->interval_ms = r->retry_ms;
  }
  w->expires_at = floe__after_ms(now, r->timeout_ms);
  append(q, w);
  *id = w->id;
  return FLOE_OK;
}

floe_status floe__mdns_resolver_tell(floe__mdns_resolver *r, floe_dns_status status, const floe_addr *addr,
                                     uint32_t *id) {
  floe__mdns_waiter *w;
  floe_status st = new_waiter(r, &w);
  if (st != FLOE_OK) return st;
  decide(r, w, status, addr);
  *id = w->id;
  return FLOE_OK;
}

/* Takes a waiter out of a list; NULL when it is not there. */
static floe__mdns_waiter *take_out(floe__mdns_waiter **list, uint32_t id) {
  for (floe__mdns_waiter **at = list; *at != NULL; at = &(*at)->next) {
    floe__mdns_waiter *w = *at;
    if (w->id != id) continue;
    *at = w->next;
    return w;
  }
  return NULL;
}

static void find_last_decided(floe__mdns_resolver *r) {
  r->decided_last = r->decided_first;
  while (r->decided_last != NULL && r->decided_last->next != NULL) r->decided_last = r->decided_last->next;
}

void floe__mdns_resolver_cancel(floe__mdns_resolver *r, uint32_t id) {
  floe__mdns_waiter *w = take_out(&r->decided_first, id);
  if (w != NULL) find_last_decided(r);
  for (size_t i = 0; w == NULL && i < r->n; i++) {
    w = take_out(&r->questions[i]->waiters, id);
    if (w != NULL) drop(r, r->questions[i]);
  }
  if (w != NULL) free_waiter(r, w);
}

/* ---- answers ---- */

/* No host answers to these, and one that only this host does is not to be sent to because somebody on a link says so.
 */
static bool is_usable(const floe_addr *addr, const floe__mdns_link *link) {
  if (floe_addr_is_any(addr) || floe__addr_is_v4_mapped(addr)) return false;
  if (floe_addr_is_loopback(addr)) return link->is_loopback;
  return addr->family == FLOE_FAMILY_IPV4 ? addr->ip[0] < 224 : addr->ip[0] != 0xff;
}

static void take_address(const floe__mdns_resolver *r, const floe__mdns_link *link, const floe__dns_record *record) {
  floe__mdns_question *q = find(r, &record->name, (floe_family)record->addr.family);
  if (q == NULL || !is_usable(&record->addr, link)) return;
  floe_addr addr = record->addr;
  if (addr.family == FLOE_FAMILY_IPV6 && floe_addr_is_link_local(&addr)) addr.scope_id = link->interface;
  if (q->found.family != FLOE_FAMILY_NONE && !floe_addr_equal_ip(&q->found, &addr)) q->is_ambiguous = true;
  q->found = addr;
}

static void take_denials(const floe__mdns_resolver *r, const floe__dns_record *record) {
  floe__mdns_question *q4 = record->denies_ipv4 ? find(r, &record->name, FLOE_FAMILY_IPV4) : NULL;
  floe__mdns_question *q6 = record->denies_ipv6 ? find(r, &record->name, FLOE_FAMILY_IPV6) : NULL;
  if (q4 != NULL) q4->is_denied = true;
  if (q6 != NULL) q6->is_denied = true;
}

static void judge(floe__mdns_resolver *r, floe__mdns_question *q) {
  if (q->is_ambiguous) {
    decide_all(r, q, FLOE_DNS_FAILED, NULL);
  } else if (q->found.family != FLOE_FAMILY_NONE) {
    decide_all(r, q, FLOE_DNS_OK, &q->found);
  } else if (q->is_denied) {
    decide_all(r, q, FLOE_DNS_NODATA, NULL);
  }
}

void floe__mdns_resolver_on_response(floe__mdns_resolver *r, const floe__mdns_link *link, floe__dns_msg *m) {
  floe__dns_record record;
  while (r->n > 0 && floe__dns_next_record(m, &record, true)) {
    /* A goodbye tells of a name that is about to end (RFC 6762 10.1). */
    if (record.name.len == 0 || !record.is_internet || record.ttl == 0) continue;
    if (record.addr.family != FLOE_FAMILY_NONE) take_address(r, link, &record);
    take_denials(r, &record);
  }
  for (size_t i = r->n; i-- > 0;) judge(r, r->questions[i]);
}

void floe__mdns_resolver_on_registered(floe__mdns_resolver *r, const floe__dns_name *name, const floe_addr *addr) {
  static const floe_family families[] = {FLOE_FAMILY_IPV4, FLOE_FAMILY_IPV6};
  for (size_t i = 0; i < 2; i++) {
    floe__mdns_question *q = find(r, name, families[i]);
    if (q != NULL) decide_all(r, q, addr->family == q->family ? FLOE_DNS_OK : FLOE_DNS_NODATA, addr);
  }
}

void floe__mdns_resolver_on_unreachable(floe__mdns_resolver *r) {
  while (r->n > 0) decide_all(r, r->questions[r->n - 1], FLOE_DNS_UNREACHABLE, NULL);
}

/* ---- asking ---- */

void floe__mdns_resolver_on_link_open(floe__mdns_resolver *r, const floe__mdns_link *link) {
  uint8_t buf[FLOE__DNS_WRITE_MAX];
  for (size_t i = 0; i < r->n; i++) {
    const floe__mdns_question *q = r->questions[i];
    floe__mdns_links_send(r->links, link, NULL, floe__dns_write_question(buf, &q->name, q->family));
  }
}

static void expire(floe__mdns_resolver *r, floe__mdns_question *q, floe_time now) {
  /* Those who asked first end first. */
  while (q->waiters != NULL && q->waiters->expires_at <= now) {
    floe__mdns_waiter *w = q->waiters;
    q->waiters = w->next;
    decide(r, w, FLOE_DNS_TIMEOUT, NULL);
  }
}

static void ask(floe__mdns_resolver *r, floe__mdns_question *q, floe_time now) {
  uint8_t buf[FLOE__DNS_WRITE_MAX];
  if (q->ask_at > now) return;
  floe__mdns_links_send_all(r->links, floe__dns_write_question(buf, &q->name, q->family));
  q->ask_at = floe__after_ms(now, q->interval_ms);
  q->interval_ms *= 2;
}

void floe__mdns_resolver_on_deadline(floe__mdns_resolver *r, floe_time now) {
  for (size_t i = r->n; i-- > 0;) {
    floe__mdns_question *q = r->questions[i];
    expire(r, q, now);
    if (q->waiters != NULL) {
      ask(r, q, now);
    } else {
      drop(r, q);
    }
  }
}

floe__deadline floe__mdns_resolver_deadline(const floe__mdns_resolver *r) {
  floe__deadline first = FLOE__NO_DEADLINE;
  for (size_t i = 0; i < r->n; i++) {
    const floe__mdns_question *q = r->questions[i];
    first = floe__earliest(first, floe__deadline_at(q->ask_at, "mdns.question"));
    first = floe__earliest(first, floe__deadline_at(q->waiters->expires_at, "mdns.timeout"));
  }
  return first;
}

bool floe__mdns_resolver_poll(floe__mdns_resolver *r, floe_mdns_output *out) {
  floe__mdns_waiter *w = r->decided_first;
  if (w == NULL) return false;
  r->decided_first = w->next;
  if (r->decided_first == NULL) r->decided_last = NULL;
  out->type = FLOE_MDNS_OUTPUT_RESOLVED;
  out->u.resolved.query = w->id;
  out->u.resolved.status = w->status;
  out->u.resolved.address = w->addr;
  free_waiter(r, w);
  return true;
}

void floe__mdns_resolver_init(floe__mdns_resolver *r, floe__mdns_links *links, const floe_mdns_config *cfg) {
  *r = (floe__mdns_resolver){.env = links->env,
                             .links = links,
                             .timeout_ms = cfg->timeout_ms,
                             .retry_ms = cfg->retry_ms,
                             .max_queries = cfg->max_queries};
}

void floe__mdns_resolver_clear(floe__mdns_resolver *r) {
  floe_mdns_output out;
  floe__mdns_resolver_on_unreachable(r);
  while (floe__mdns_resolver_poll(r, &out)) continue;
  floe__free(r->env, r->questions);
  memset(r, 0, sizeof *r);
}
