#include "support/sim_mdns.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define ANSWER_DELAY (10 * FLOE_MS)
#define TIMEOUT      (3000 * FLOE_MS)

typedef struct published {
  const sim_host *host;
  char name[256];
  floe_addr addr;
  bool withdrawn;
  struct published *next;
} published;

typedef struct membership {
  const sim_host *host;
  int link;
  struct membership *next;
} membership;

typedef struct sim_mdns {
  published *names;
  membership *links; /* the last one set first */
  bool blocked;
} sim_mdns;

typedef struct question {
  sim_host *asker;
  uint32_t req;
  floe_family family;
  sim_dns_fn fn;
  char name[256];
  bool waited;
} question;

static sim_mdns *mdns_of(sim *s) {
  return sim_part_of(s, SIM_PART_MDNS, sizeof(sim_mdns));
}

void sim_mdns_set_link(sim_host *h, int link) {
  sim_mdns *m = mdns_of(sim_host_sim(h));
  membership *member = sim_keep(sim_host_sim(h), sizeof *member);
  *member = (membership){.host = h, .link = link, .next = m->links};
  m->links = member;
}

static int link_of(const sim_mdns *m, const sim_host *h) {
  for (const membership *member = m->links; member != NULL; member = member->next) {
    if (member->host == h) return member->link;
  }
  return 0;
}

void sim_mdns_block(sim *s, bool block) {
  mdns_of(s)->blocked = block;
}

void sim_mdns_publish(sim_host *h, const char *name, const floe_addr *addr) {
  sim_mdns *m = mdns_of(sim_host_sim(h));
  published *p = sim_keep(sim_host_sim(h), sizeof *p);
  *p = (published){.host = h, .addr = *addr, .next = m->names};
  (void)snprintf(p->name, sizeof p->name, "%s", name);
  m->names = p;
}

void sim_mdns_withdraw(sim_host *h, const char *name) {
  for (published *p = mdns_of(sim_host_sim(h))->names; p != NULL; p = p->next) {
    if (p->host != h || p->withdrawn || strcasecmp(p->name, name) != 0) continue;
    p->withdrawn = true;
    return;
  }
  sim_fail(sim_host_sim(h), "%s is withdrawn and was not published", name);
}

size_t sim_mdns_published(const sim_host *h) {
  size_t n = 0;
  for (const published *p = mdns_of(sim_host_sim(h))->names; p != NULL; p = p->next) {
    n += p->host == h && !p->withdrawn ? 1 : 0;
  }
  return n;
}

static const published *find(const sim_mdns *m, const question *q) {
  for (const published *p = m->names; p != NULL && !m->blocked; p = p->next) {
    bool is_asked = !p->withdrawn && p->addr.family == q->family && strcasecmp(p->name, q->name) == 0;
    if (is_asked && link_of(m, p->host) == link_of(m, q->asker)) return p;
  }
  return NULL;
}

static void answer(void *user, void *payload) {
  question *q = payload;
  sim *s = sim_host_sim(q->asker);
  const published *p = find(mdns_of(s), q);
  if (p != NULL) {
    q->fn(user, q->req, q->family, FLOE_DNS_OK, &p->addr, 1);
  } else if (q->waited) {
    q->fn(user, q->req, q->family, FLOE_DNS_TIMEOUT, NULL, 0);
  } else {
    question *again = sim_must(malloc(sizeof *again));
    *again = *q;
    again->waited = true;
    sim_after(s, TIMEOUT - ANSWER_DELAY, answer, user, again);
  }
}

void sim_mdns_resolve(sim_host *h, const char *name, floe_family family, uint32_t req, sim_dns_fn fn, void *user) {
  question *q = sim_must(calloc(1, sizeof *q));
  *q = (question){.asker = h, .req = req, .family = family, .fn = fn};
  (void)snprintf(q->name, sizeof q->name, "%s", name);
  sim_after(sim_host_sim(h), ANSWER_DELAY, answer, user, q);
}
