#include "mdns/responder.h"

#include <string.h>

#include "base/alloc.h"

/* RFC 6762 10: records that have to do with a host's name or address. */
#define TTL_S 120
/* RFC 6762 6.7: what a resolver that knows nothing of multicast may keep. */
#define LEGACY_TTL_S 10
/* RFC 6762 8.3: "at least two unsolicited responses, one second apart". */
#define ANNOUNCEMENTS     2
#define ANNOUNCE_APART_MS 1000
/* RFC 6762 6: a record is multicast on an interface once a second. */
#define ANSWER_APART_MS 1000
/* Names of one query that are answered: far more than any resolver asks for at once. */
#define MAX_ASKED 32

/* ---- names ---- */

static size_t place_of(const floe__mdns_responder *r, const floe__dns_name *name) {
  size_t lo = 0, hi = r->n;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (floe__dns_name_compare(&r->names[mid]->name, name) < 0) {
      lo = mid + 1;
    } else {
      hi = mid;
    }
  }
  return lo;
}

static floe__mdns_name *find(const floe__mdns_responder *r, const floe__dns_name *name) {
  size_t i = place_of(r, name);
  if (i == r->n || floe__dns_name_compare(&r->names[i]->name, name) != 0) return NULL;
  return r->names[i];
}

const floe_addr *floe__mdns_responder_find(const floe__mdns_responder *r, const floe__dns_name *name) {
  const floe__mdns_name *n = find(r, name);
  return n == NULL ? NULL : &n->addr;
}

static floe__mdns_name *add(floe__mdns_responder *r, const floe__dns_name *name) {
  void *names = r->names;
  if (!floe__reserve(r->env, &names, &r->cap, sizeof(floe__mdns_name *), r->n + 1)) return NULL;
  r->names = names;
  floe__mdns_name *n = floe__zalloc(r->env, sizeof *n);
  if (n == NULL) return NULL;
  n->name = *name;
  size_t i = place_of(r, name);
  memmove(r->names + i + 1, r->names + i, (r->n - i) * sizeof(floe__mdns_name *));
  r->names[i] = n;
  r->n++;
  return n;
}

static void drop(floe__mdns_responder *r, floe__mdns_name *n) {
  size_t i = place_of(r, &n->name);
  memmove(r->names + i, r->names + i + 1, (r->n - i - 1) * sizeof(floe__mdns_name *));
  r->n--;
  floe__free(r->env, n);
}

/* ---- telling ---- */

static floe__mdns_outlet *outlet_of(floe__mdns_name *n, floe_family family) {
  return family == FLOE_FAMILY_IPV4 ? &n->ipv4 : &n->ipv6;
}

static void tell(floe__mdns_responder *r, const floe__mdns_link *link, const floe__mdns_name *n, uint32_t ttl) {
  uint8_t buf[FLOE__DNS_WRITE_MAX];
  floe__dns_answer answer = {.name = &n->name, .addr = n->addr, .ttl = ttl};
  floe__mdns_links_send(r->links, link, NULL, floe__dns_write_answer(buf, &answer));
}

static void silence(floe__mdns_outlet *o) {
  *o = (floe__mdns_outlet){.announce_at = FLOE_TIME_NEVER, .answer_at = FLOE_TIME_NEVER};
}

static void is_due_at(floe__mdns_responder *r, floe_time at) {
  if (at < r->first_at) r->first_at = at;
}

static void start_announcing(floe__mdns_responder *r, floe_time now, floe__mdns_name *n, const floe__mdns_link *link) {
  floe__mdns_outlet *o = outlet_of(n, link->family);
  silence(o);
  o->announce_at = now;
  is_due_at(r, now);
}

/* An announcement does not put off an answer, though RFC 6762 6 counts both: who asks within that second has not heard
 * the announcement, and ICE would lose the second. Browsers do the same. */
static void tell_due(floe__mdns_responder *r, floe_time now, floe__mdns_name *n, floe_family family) {
  const floe__mdns_link *link = floe__mdns_links_of(r->links, n->interface, family);
  floe__mdns_outlet *o = outlet_of(n, family);
  bool is_announced = o->announce_at <= now;
  bool is_answered = o->answer_at <= now;
  if (link != NULL) tell(r, link, n, TTL_S);
  o->told_at = now;
  if (is_answered) {
    o->answer_at = FLOE_TIME_NEVER;
    o->may_answer_at = floe__after_ms(now, ANSWER_APART_MS);
  }
  if (is_announced) {
    o->n_announced++;
    o->announce_at = o->n_announced < ANNOUNCEMENTS ? floe__after_ms(now, ANNOUNCE_APART_MS) : FLOE_TIME_NEVER;
  }
}

static floe_time first_of(const floe__mdns_outlet *o) {
  return o->announce_at < o->answer_at ? o->announce_at : o->answer_at;
}

void floe__mdns_responder_on_deadline(floe__mdns_responder *r, floe_time now) {
  static const floe_family families[] = {FLOE_FAMILY_IPV4, FLOE_FAMILY_IPV6};
  if (r->first_at > now) return;
  r->first_at = FLOE_TIME_NEVER;
  for (size_t i = 0; i < r->n; i++) {
    floe__mdns_name *n = r->names[i];
    for (size_t f = 0; f < 2; f++) {
      floe__mdns_outlet *o = outlet_of(n, families[f]);
      if (first_of(o) <= now) tell_due(r, now, n, families[f]);
      is_due_at(r, first_of(o));
    }
  }
}

floe__deadline floe__mdns_responder_deadline(const floe__mdns_responder *r) {
  return floe__deadline_at(r->first_at, "mdns.answer");
}

/* ---- registering ---- */

static void start_on_interface(floe__mdns_responder *r, floe_time now, floe__mdns_name *n) {
  static const floe_family families[] = {FLOE_FAMILY_IPV4, FLOE_FAMILY_IPV6};
  silence(&n->ipv4);
  silence(&n->ipv6);
  for (size_t f = 0; f < 2; f++) {
    const floe__mdns_link *link = floe__mdns_links_of(r->links, n->interface, families[f]);
    if (link != NULL && link->state == FLOE__MDNS_LINK_OPEN) start_announcing(r, now, n, link);
  }
}

floe_status floe__mdns_responder_register(floe__mdns_responder *r, floe_time now, const floe__dns_name *name,
                                          const floe_addr *addr) {
  floe__mdns_name *n = find(r, name);
  if (n != NULL) {
    if (!floe_addr_equal_ip(&n->addr, addr)) return FLOE_E_STATE;
    n->n_registered++;
    return FLOE_OK;
  }
  if (r->n >= r->max_names) return FLOE_E_TOO_LARGE;
  n = add(r, name);
  if (n == NULL) return FLOE_E_NOMEM;
  n->addr = *addr;
  n->addr.port = 0;
  n->n_registered = 1;
  n->interface = floe__mdns_links_interface_of(r->links, addr);
  floe__mdns_links_count_name(r->links, n->interface, 1);
  start_on_interface(r, now, n);
  return FLOE_OK;
}

static void say_goodbye(floe__mdns_responder *r, floe__mdns_name *n) {
  static const floe_family families[] = {FLOE_FAMILY_IPV4, FLOE_FAMILY_IPV6};
  for (size_t f = 0; f < 2; f++) {
    const floe__mdns_link *link = floe__mdns_links_of(r->links, n->interface, families[f]);
    if (link != NULL) tell(r, link, n, 0);
  }
}

void floe__mdns_responder_unregister(floe__mdns_responder *r, const floe__dns_name *name) {
  floe__mdns_name *n = find(r, name);
  if (n == NULL || --n->n_registered > 0) return;
  say_goodbye(r, n);
  floe__mdns_links_count_name(r->links, n->interface, -1);
  drop(r, n);
}

void floe__mdns_responder_on_interfaces(floe__mdns_responder *r, floe_time now) {
  for (size_t i = 0; i < r->n; i++) {
    floe__mdns_name *n = r->names[i];
    uint32_t interface = floe__mdns_links_interface_of(r->links, &n->addr);
    bool has_moved = interface != n->interface;
    n->interface = interface;
    floe__mdns_links_count_name(r->links, interface, 1);
    if (has_moved) start_on_interface(r, now, n);
  }
}

void floe__mdns_responder_on_link_open(floe__mdns_responder *r, floe_time now, const floe__mdns_link *link) {
  for (size_t i = 0; i < r->n; i++) {
    if (r->names[i]->interface == link->interface) start_announcing(r, now, r->names[i], link);
  }
}

/* ---- answering ---- */

/* A name that a query asks for. */
typedef struct asked_name {
  floe__mdns_name *name; /* NULL: the query knows the answer */
  uint16_t type;
  bool is_unicast;
} asked_name;

static bool has_type(const floe__mdns_name *n, unsigned type) {
  if (type == FLOE__DNS_ANY) return true;
  return type == (n->addr.family == FLOE_FAMILY_IPV4 ? FLOE__DNS_A : FLOE__DNS_AAAA);
}

static size_t read_questions(const floe__mdns_responder *r, const floe__mdns_link *link, floe__dns_msg *m,
                             asked_name asked[MAX_ASKED]) {
  floe__dns_question q;
  size_t n_asked = 0;
  while (floe__dns_next_question(m, &q)) {
    bool is_address = q.type == FLOE__DNS_A || q.type == FLOE__DNS_AAAA || q.type == FLOE__DNS_ANY;
    floe__mdns_name *n = q.name.len > 0 && q.is_internet && is_address ? find(r, &q.name) : NULL;
    if (n == NULL || n->interface != link->interface) continue;
    size_t i = 0;
    while (i < n_asked && asked[i].name != n) i++;
    if (i == MAX_ASKED) continue;
    if (i == n_asked) asked[n_asked++] = (asked_name){.name = n, .type = q.type, .is_unicast = true};
    if (has_type(n, q.type)) asked[i].type = q.type;
    if (!q.is_unicast) asked[i].is_unicast = false;
  }
  return n_asked;
}

/* RFC 6762 7.1: no answer that the query holds already "with an RR TTL at least half the correct value". */
static void leave_out_known(floe__dns_msg *m, asked_name *asked, size_t n_asked) {
  floe__dns_record known;
  while (floe__dns_next_record(m, &known, false)) {
    for (size_t i = 0; i < n_asked && known.ttl >= TTL_S / 2; i++) {
      floe__mdns_name *n = asked[i].name;
      if (n == NULL || floe__dns_name_compare(&n->name, &known.name) != 0) continue;
      bool is_same = known.addr.family == n->addr.family && memcmp(known.addr.ip, n->addr.ip, sizeof n->addr.ip) == 0;
      if (is_same && has_type(n, asked[i].type)) asked[i].name = NULL;
    }
  }
}

static void answer_legacy(floe__mdns_responder *r, const floe__mdns_link *link, const floe__dns_msg *m,
                          const asked_name *asked, const floe_addr *from) {
  if (!has_type(asked->name, asked->type)) return;
  uint8_t buf[FLOE__DNS_WRITE_MAX];
  floe__dns_answer answer = {.name = &asked->name->name,
                             .addr = asked->name->addr,
                             .ttl = LEGACY_TTL_S,
                             .is_legacy = true,
                             .id = m->id,
                             .q_type = asked->type};
  floe__mdns_links_send(r->links, link, from, floe__dns_write_answer(buf, &answer));
}

static void answer_unicast(floe__mdns_responder *r, const floe__mdns_link *link, const floe__mdns_name *n,
                           const floe_addr *from) {
  uint8_t buf[FLOE__DNS_WRITE_MAX];
  floe__dns_answer answer = {.name = &n->name, .addr = n->addr, .ttl = TTL_S};
  floe__mdns_links_send(r->links, link, from, floe__dns_write_answer(buf, &answer));
}

static void answer_multicast(floe__mdns_responder *r, floe_time now, floe__mdns_outlet *o) {
  o->answer_at = o->may_answer_at > now ? o->may_answer_at : now;
  is_due_at(r, o->answer_at);
}

/* RFC 6762 5.4: a question that wants its answer by unicast gets it so when the record was multicast "within one
 * quarter of its TTL". */
static bool was_told_lately(const floe__mdns_outlet *o, floe_time now) {
  return now - o->told_at < TTL_S / 4 * FLOE_SECOND;
}

void floe__mdns_responder_on_query(floe__mdns_responder *r, floe_time now, const floe__mdns_link *link,
                                   floe__dns_msg *m, const floe_addr *from) {
  asked_name asked[MAX_ASKED];
  size_t n_asked = r->n == 0 ? 0 : read_questions(r, link, m, asked);
  bool is_legacy = from->port != FLOE__MDNS_PORT;
  if (!is_legacy && n_asked > 0) leave_out_known(m, asked, n_asked);
  for (size_t i = 0; i < n_asked; i++) {
    floe__mdns_name *n = asked[i].name;
    if (n == NULL) continue;
    floe__mdns_outlet *o = outlet_of(n, link->family);
    if (is_legacy) {
      answer_legacy(r, link, m, &asked[i], from);
    } else if (asked[i].is_unicast && was_told_lately(o, now)) {
      answer_unicast(r, link, n, from);
    } else {
      answer_multicast(r, now, o);
    }
  }
}

void floe__mdns_responder_init(floe__mdns_responder *r, floe__mdns_links *links, const floe_mdns_config *cfg) {
  *r = (floe__mdns_responder){
      .env = links->env, .links = links, .max_names = cfg->max_names, .first_at = FLOE_TIME_NEVER};
}

void floe__mdns_responder_clear(floe__mdns_responder *r) {
  for (size_t i = 0; i < r->n; i++) floe__free(r->env, r->names[i]);
  floe__free(r->env, r->names);
  memset(r, 0, sizeof *r);
}
