#include "ice/lookup.h"

#include <string.h>

#include "base/assert.h"
#include "base/trace.h"

/* More addresses than this of one family are not tried: 250 ms apart they would fill the time of a server. */
#define MAX_ADDRS 32

static void go(floe__lookup_family *f, floe__lookup_state next) {
  FLOE__ASSERT(next > f->state);
  f->state = next;
}

static void answer(floe__lookup *l, floe__lookup_family *f, floe__io *io, floe_dns_status status) {
  f->status = status;
  f->answered_at = io->now;
  go(f, FLOE__LOOKUP_ANSWERED);
  floe__trace t;
  if (floe__trace_begin(&t, io->env, io->now, "gather.lookup")) {
    floe__trace_text(&t, "host", l->host);
    floe__trace_text(&t, "family", f == &l->ipv4 ? "ipv4" : "ipv6");
    floe__trace_text(&t, "status", floe_dns_status_name(status));
    floe__trace_int(&t, "addresses", (int64_t)f->n_addrs);
    floe__trace_end(&t);
  }
}

static void ask(floe__lookup *l, floe__lookup_family *f, floe__io *io, floe_family family) {
  go(f, FLOE__LOOKUP_PENDING);
  f->req = floe__io_resolve(io, l->host, family);
  if (f->req == 0) answer(l, f, io, FLOE_DNS_FAILED);
}

void floe__lookup_start(floe__lookup *l, floe__io *io, const char *host, bool ipv4, bool ipv6) {
  memset(l, 0, sizeof *l);
  for (size_t i = 0; host[i] != '\0' && i + 1 < sizeof l->host; i++) {
    l->host[i] = host[i] >= 'A' && host[i] <= 'Z' ? (char)(host[i] - 'A' + 'a') : host[i];
  }
  l->started_at = io->now;
  l->give_up_at = floe__after_ms(io->now, io->settings->cfg.timing.dns_timeout_ms);
  if (ipv4) ask(l, &l->ipv4, io, FLOE_FAMILY_IPV4);
  if (ipv6) ask(l, &l->ipv6, io, FLOE_FAMILY_IPV6);
}

floe__lookup_family *floe__lookup_of(floe__lookup *l, floe_family family) {
  return family == FLOE_FAMILY_IPV6 ? &l->ipv6 : &l->ipv4;
}

bool floe__lookup_is_pending(const floe__lookup *l) {
  return l->ipv4.state == FLOE__LOOKUP_PENDING || l->ipv6.state == FLOE__LOOKUP_PENDING;
}

/* Keeps the addresses of the family asked for, each once. */
static bool take_addrs(floe__lookup_family *f, floe__io *io, const floe_input *in) {
  size_t n = in->n_addrs < MAX_ADDRS ? in->n_addrs : MAX_ADDRS;
  if (n == 0) return true;
  f->addrs = floe__alloc(io->env, n * sizeof *f->addrs);
  if (f->addrs == NULL) return false;
  for (size_t i = 0; i < n; i++) {
    floe_addr a = in->addrs[i];
    a.port = 0;
    bool repeated = a.family != in->family;
    for (size_t k = 0; k < f->n_addrs; k++) repeated = repeated || floe_addr_equal(&f->addrs[k], &a);
    if (!repeated) f->addrs[f->n_addrs++] = a;
  }
  return true;
}

bool floe__lookup_on_resolved(floe__lookup *l, floe__io *io, const floe_input *in) {
  floe__lookup_family *f = floe__lookup_of(l, in->family);
  if (f->req != in->req || in->req == 0 || f->state != FLOE__LOOKUP_PENDING) return false;
  floe_dns_status status = in->dns_status;
  if (status == FLOE_DNS_OK && !take_addrs(f, io, in)) status = FLOE_DNS_FAILED;
  if (status == FLOE_DNS_OK && f->n_addrs == 0) status = FLOE_DNS_NODATA;
  answer(l, f, io, status);
  /* Once one family has answered, the other is given a second more, within the time of the look-up. */
  floe_time second = floe__after_ms(io->now, io->settings->cfg.timing.dns_second_family_ms);
  if (second < l->give_up_at) l->give_up_at = second;
  return true;
}

void floe__lookup_give_up(floe__lookup *l, floe__io *io) {
  if (l->ipv4.state == FLOE__LOOKUP_PENDING) answer(l, &l->ipv4, io, FLOE_DNS_TIMEOUT);
  if (l->ipv6.state == FLOE__LOOKUP_PENDING) answer(l, &l->ipv6, io, FLOE_DNS_TIMEOUT);
}

bool floe__lookup_on_deadline(floe__lookup *l, floe__io *io) {
  if (!floe__lookup_is_pending(l) || io->now < l->give_up_at) return false;
  floe__lookup_give_up(l, io);
  return true;
}

floe__deadline floe__lookup_deadline(const floe__lookup *l) {
  return floe__deadline_at(floe__lookup_is_pending(l) ? l->give_up_at : FLOE_TIME_NEVER, "gather.lookup");
}

void floe__lookup_clear(floe__lookup *l, floe__io *io) {
  floe__free(io->env, l->ipv4.addrs);
  floe__free(io->env, l->ipv6.addrs);
  memset(l, 0, sizeof *l);
}
