#include "support/sim_dns.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/sim_net.h"

#define DEFAULT_DELAY_MS 10
#define MAX_ADDRESSES    16

typedef struct answer {
  floe_dns_status status;
  uint32_t delay_ms;
  bool silent;
  uint32_t queries;
  floe_addr addrs[MAX_ADDRESSES];
  size_t n_addrs;
} answer;

typedef struct name_entry {
  char name[256];
  answer ipv4, ipv6;
  struct name_entry *next;
} name_entry;

typedef struct sim_dns {
  name_entry *names;
} sim_dns;

typedef struct pending {
  uint32_t req;
  floe_family family;
  const answer *answer;
  sim_dns_fn fn;
} pending;

/* Names are compared as DNS does: without regard to case. */
static bool is_same_name(const char *a, const char *b) {
  for (; *a != '\0' && *b != '\0'; a++, b++) {
    if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) return false;
  }
  return *a == *b;
}

static name_entry *entry_of(sim *s, const char *name) {
  sim_dns *dns = sim_part_of(s, SIM_PART_DNS, sizeof *dns);
  for (name_entry *e = dns->names; e != NULL; e = e->next) {
    if (is_same_name(e->name, name)) return e;
  }
  name_entry *e = sim_keep(s, sizeof *e);
  (void)snprintf(e->name, sizeof e->name, "%s", name);
  e->ipv4 = (answer){.status = FLOE_DNS_NXDOMAIN, .delay_ms = DEFAULT_DELAY_MS};
  e->ipv6 = e->ipv4;
  e->next = dns->names;
  dns->names = e;
  return e;
}

static answer *answer_of(name_entry *e, floe_family family) {
  return family == FLOE_FAMILY_IPV4 ? &e->ipv4 : &e->ipv6;
}

void sim_dns_add(sim *s, const char *name, ...) {
  name_entry *e = entry_of(s, name);
  e->ipv4.status = e->ipv4.n_addrs > 0 ? FLOE_DNS_OK : FLOE_DNS_NODATA;
  e->ipv6.status = e->ipv6.n_addrs > 0 ? FLOE_DNS_OK : FLOE_DNS_NODATA;
  va_list args;
  va_start(args, name);
  for (const char *text = va_arg(args, const char *); text != NULL; text = va_arg(args, const char *)) {
    floe_addr addr = sim_addr(text);
    answer *a = answer_of(e, (floe_family)addr.family);
    if (a->n_addrs == MAX_ADDRESSES) abort();
    a->addrs[a->n_addrs++] = addr;
    a->status = FLOE_DNS_OK;
  }
  va_end(args);
}

void sim_dns_set(sim *s, const char *name, floe_family family, floe_dns_status status, uint32_t delay_ms) {
  answer *a = answer_of(entry_of(s, name), family);
  a->status = status;
  a->delay_ms = delay_ms;
  a->silent = false;
}

void sim_dns_silence(sim *s, const char *name, floe_family family) {
  answer_of(entry_of(s, name), family)->silent = true;
}

static void tell_answer(void *user, void *payload) {
  const pending *p = payload;
  const answer *a = p->answer;
  size_t n = a->status == FLOE_DNS_OK ? a->n_addrs : 0;
  p->fn(user, p->req, p->family, a->status, a->addrs, n);
}

void sim_dns_resolve(sim *s, const char *name, floe_family family, uint32_t req, sim_dns_fn fn, void *user) {
  answer *a = answer_of(entry_of(s, name), family);
  a->queries++;
  if (a->silent) return;
  pending *p = sim_must(malloc(sizeof *p));
  *p = (pending){.req = req, .family = family, .answer = a, .fn = fn};
  sim_after(s, a->delay_ms * FLOE_MS, tell_answer, user, p);
}

uint32_t sim_dns_queries(sim *s, const char *name, floe_family family) {
  return answer_of(entry_of(s, name), family)->queries;
}
