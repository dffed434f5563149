#include "ice/remote.h"

#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/trace.h"

static bool is_same_letter(char a, char b) {
  return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b);
}

bool floe__is_mdns_name(const char *name, size_t len) {
  static const char suffix[] = ".local";
  size_t n = sizeof suffix - 1;
  if (len <= n || len > 253 || memchr(name, '.', len - n) != NULL) return false;
  for (size_t i = 0; i < n; i++) {
    if (!is_same_letter(name[len - n + i], suffix[i])) return false;
  }
  return true;
}

static const char *origin_of(const floe__remote *r) {
  if (r->is_learnt) return "check";
  return r->name != NULL ? "mdns" : "signalled";
}

static void trace_remote(floe__io *io, const floe__remote *r) {
  floe__trace t;
  if (!floe__trace_begin(&t, io->env, io->now, "ice.remote")) return;
  floe__trace_int(&t, "id", r->pub.id);
  floe__trace_text(&t, "type", floe_candidate_type_name(r->pub.type));
  floe__trace_text(&t, "transport", floe_transport_name(r->pub.transport));
  floe__trace_int(&t, "priority", r->pub.priority);
  floe__trace_text(&t, "origin", origin_of(r));
  floe__trace_addr(&t, "addr", &r->pub.address);
  floe__trace_end(&t);
}

static void free_remote(floe__remote *r, floe_env *env) {
  if (r == NULL) return;
  floe__free(env, r->text);
  floe__free(env, r->name);
  floe__free(env, r);
}

static bool append(floe__remote_list *list, floe__io *io, floe__remote *r) {
  void *items = list->items;
  if (!floe__reserve(io->env, &items, &list->cap, sizeof *list->items, list->n + 1)) return false;
  list->items = items;
  r->pub.id = ++io->last_candidate;
  list->items[list->n++] = r;
  if (r->is_learnt) {
    list->n_learnt++;
  } else {
    list->n_signalled++;
  }
  trace_remote(io, r);
  return true;
}

/* --- signalled ------------------------------------------------------------------------------------------------- */

static bool is_known(const floe__remote_list *list, const floe_candidate_line *line) {
  for (size_t i = 0; i < list->n; i++) {
    const floe__remote *r = list->items[i];
    if (r->is_learnt || r->pub.transport != line->transport || r->pub.tcp_type != line->tcp_type) continue;
    if (r->name != NULL) {
      bool same_name = strlen(r->name) == line->host.len && memcmp(r->name, line->host.ptr, line->host.len) == 0;
      if (same_name && r->pub.address.port == line->port) return true;
    } else if (floe_addr_equal(&r->pub.address, &line->address)) {
      return true;
    }
  }
  return false;
}

/* An address of one host: no group, no broadcast, and no IPv4 address in the clothes of IPv6, whose family and kind
 * would not be seen. */
static bool is_of_one_host(const floe_addr *addr) {
  if (floe_addr_is_any(addr) || floe__addr_is_v4_mapped(addr)) return false;
  if (addr->family == FLOE_FAMILY_IPV6) return addr->ip[0] != 0xff;
  return addr->ip[0] < 224; /* 224/4 is multicast, 240/4 reserved and broadcast */
}

/* What a check may be sent to. */
static bool is_usable(const floe_candidate_line *line) {
  if (line->component != 1) return false;
  if (line->transport != FLOE_TRANSPORT_UDP && line->transport != FLOE_TRANSPORT_TCP) return false;
  if (line->tcp_type == FLOE_TCP_TYPE_ACTIVE) return true; /* its port is only a word */
  return line->port != 0 && (line->address.family == FLOE_FAMILY_NONE || is_of_one_host(&line->address));
}

/* It may be written with "a=" and without "candidate:" (floe/candidate.h); it is told in one form. */
static char *copy_text(floe_env *env, const char *text) {
  static const char head[] = "candidate:";
  size_t n = sizeof head - 1;
  if (strncmp(text, "a=", 2) == 0) text += 2;
  if (strncmp(text, head, n) == 0) text += n;
  size_t len = strlen(text) + 1;
  char *copy = floe__alloc(env, n + len);
  if (copy == NULL) return NULL;
  memcpy(copy, head, n);
  memcpy(copy + n, text, len);
  return copy;
}

static floe__remote *make(floe__io *io, const floe_candidate_line *line, const char *text) {
  floe__remote *r = floe__zalloc(io->env, sizeof *r);
  if (r == NULL) return NULL;
  bool is_name = line->address.family == FLOE_FAMILY_NONE;
  r->text = copy_text(io->env, text);
  if (is_name) r->name = floe__strndup(io->env, line->host.ptr, line->host.len);
  if (r->text == NULL || (is_name && r->name == NULL)) {
    free_remote(r, io->env);
    return NULL;
  }
  r->pub.text = r->text;
  r->pub.mdns_name = r->name;
  memcpy(r->pub.foundation, line->foundation, sizeof r->pub.foundation);
  r->pub.component = 1;
  r->pub.transport = line->transport;
  r->pub.tcp_type = line->tcp_type;
  r->pub.priority = line->priority;
  r->pub.type = line->type;
  r->pub.address = line->address;
  r->pub.address.port = line->port;
  if (line->has_related) r->pub.related = line->related;
  return r;
}

/* The mDNS draft, section 3.2.1: a name under .local is asked for by multicast DNS; no other name is ever looked up,
 * for that would let a peer send us to any host of its choice by DNS. */
static void look_up(floe__remote *r, floe__io *io) {
  if (io->settings->cfg.no_mdns || !floe__is_mdns_name(r->name, strlen(r->name))) {
    r->resolution = FLOE_RESOLUTION_REFUSED;
    return;
  }
  r->req[0] = floe__io_resolve_multicast(io, r->name, FLOE_FAMILY_IPV4);
  r->req[1] = floe__io_resolve_multicast(io, r->name, FLOE_FAMILY_IPV6);
  r->resolution = r->req[0] == 0 && r->req[1] == 0 ? FLOE_RESOLUTION_FAILED : FLOE_RESOLUTION_PENDING;
}

static floe__remote *find_learnt(const floe__remote_list *list, const floe_addr *addr, floe_transport transport) {
  for (size_t i = 0; i < list->n; i++) {
    floe__remote *r = list->items[i];
    bool same =
        r->pub.transport == transport && floe_addr_equal_ip(&r->pub.address, addr) && r->pub.address.port == addr->port;
    if (r->is_learnt && same) return r;
  }
  return NULL;
}

/* RFC 8445 7.3.1.3: a check may overtake the signalling. What was learnt from it is then known better: it keeps its id
 * and its pairs, and takes everything else from the signalled one. */
static void promote(floe__remote_list *list, floe__io *io, floe__remote *learnt, floe__remote *signalled /* takes */) {
  uint32_t id = learnt->pub.id;
  floe_addr address = learnt->pub.address;
  learnt->pub = signalled->pub;
  learnt->pub.id = id;
  learnt->pub.address = address;
  learnt->text = signalled->text;
  learnt->name = signalled->name;
  learnt->resolution = signalled->resolution;
  learnt->is_learnt = false;
  signalled->text = signalled->name = NULL;
  free_remote(signalled, io->env);
  list->n_learnt--;
  list->n_signalled++;
  trace_remote(io, learnt);
}

floe_status floe__remote_add(floe__remote_list *list, floe__io *io, const floe_candidate_line *line, const char *text,
                             floe__remote **out, bool *promoted) {
  *out = NULL;
  *promoted = false;
  if (!is_usable(line) || is_known(list, line)) return FLOE_OK;
  if (list->n_signalled >= io->settings->cfg.max_remote_candidates) return FLOE_E_TOO_LARGE;
  floe__remote *r = make(io, line, text);
  if (r == NULL) return FLOE_E_NOMEM;
  floe__remote *learnt = r->name == NULL ? find_learnt(list, &r->pub.address, r->pub.transport) : NULL;
  if (learnt != NULL) {
    promote(list, io, learnt, r);
    *promoted = true;
    *out = learnt;
    return FLOE_OK;
  }
  if (!append(list, io, r)) {
    free_remote(r, io->env);
    return FLOE_E_NOMEM;
  }
  if (r->name != NULL) look_up(r, io);
  *out = r;
  return FLOE_OK;
}

/* --- learnt ---------------------------------------------------------------------------------------------------- */

static void remove_from(floe__remote_list *list, const floe__remote *r) {
  size_t n = 0;
  for (size_t i = 0; i < list->n; i++) {
    if (list->items[i] != r) list->items[n++] = list->items[i];
  }
  list->n = n;
}

void floe__remote_forget(floe__remote_list *list, floe__io *io, floe__remote *r) {
  remove_from(list, r);
  if (r->is_learnt) {
    list->n_learnt--;
  } else {
    list->n_signalled--;
  }
  free_remote(r, io->env);
}

floe__remote *floe__remote_learn(floe__remote_list *list, floe__io *io, const floe_addr *from, floe_transport transport,
                                 uint32_t priority) {
  if (list->n_learnt >= io->settings->cfg.max_peer_reflexive) return NULL;
  floe__remote *r = floe__zalloc(io->env, sizeof *r);
  if (r == NULL) return NULL;
  r->is_learnt = true;
  r->pub.component = 1;
  r->pub.transport = transport;
  r->pub.tcp_type = transport == FLOE_TRANSPORT_TCP ? FLOE_TCP_TYPE_ACTIVE : FLOE_TCP_TYPE_NONE;
  r->pub.priority = priority;
  r->pub.type = FLOE_CANDIDATE_PRFLX;
  r->pub.address = *from;
  /* RFC 8445 7.3.1.3: "an arbitrary value, different from the foundations of all other remote candidates": with a
   * character that no signalled one can have. */
  (void)snprintf(r->pub.foundation, sizeof r->pub.foundation, "~%u", (unsigned)++list->n_foundations);
  if (append(list, io, r)) return r;
  free_remote(r, io->env);
  return NULL;
}

floe__remote *floe__remote_find(const floe__remote_list *list, const floe_addr *addr, floe_transport transport) {
  for (size_t i = 0; i < list->n; i++) {
    floe__remote *r = list->items[i];
    if (r->pub.transport != transport) continue;
    if (r->pub.tcp_type == FLOE_TCP_TYPE_ACTIVE && !r->is_learnt) continue;
    if (floe_addr_equal_ip(&r->pub.address, addr) && r->pub.address.port == addr->port) return r;
  }
  return NULL;
}

/* --- names ----------------------------------------------------------------------------------------------------- */

static void take_address(floe__remote *r, const floe_addr *addr) {
  uint16_t port = r->pub.address.port;
  r->pub.address = *addr;
  r->pub.address.port = port;
  r->resolution = FLOE_RESOLUTION_RESOLVED;
  r->req[0] = r->req[1] = 0; /* a name stands for one address: the other family is not waited for */
}

static bool answer_one(floe__remote *r, const floe_input *in) {
  for (int i = 0; i < 2; i++) {
    if (r->req[i] == 0 || r->req[i] != in->req) continue;
    r->req[i] = 0;
    return true;
  }
  return false;
}

bool floe__remote_on_resolved(floe__remote_list *list, const floe_input *in, floe__io *io, floe__remote **resolved,
                              bool *promoted) {
  *resolved = NULL;
  *promoted = false;
  for (size_t i = 0; i < list->n; i++) {
    floe__remote *r = list->items[i];
    if (!answer_one(r, in)) continue;
    /* The mDNS draft, section 3.2.1: a name that stands for more than one address is ignored. */
    if (in->dns_status == FLOE_DNS_OK && in->n_addrs == 1 && is_of_one_host(&in->addrs[0])) {
      take_address(r, &in->addrs[0]);
      trace_remote(io, r);
      floe__remote *learnt = find_learnt(list, &r->pub.address, r->pub.transport);
      *promoted = learnt != NULL;
      *resolved = *promoted ? learnt : r;
      if (*promoted) {
        remove_from(list, r);
        list->n_signalled--;
        promote(list, io, learnt, r);
      }
    } else if (r->req[0] == 0 && r->req[1] == 0) {
      r->resolution = FLOE_RESOLUTION_FAILED;
    }
    return true;
  }
  return false;
}

bool floe__remote_is_pending(const floe__remote_list *list) {
  for (size_t i = 0; i < list->n; i++) {
    if (list->items[i]->resolution == FLOE_RESOLUTION_PENDING) return true;
  }
  return false;
}

void floe__remote_list_clear(floe__remote_list *list, floe_env *env) {
  for (size_t i = 0; i < list->n; i++) free_remote(list->items[i], env);
  floe__free(env, list->items);
  memset(list, 0, sizeof *list);
}
