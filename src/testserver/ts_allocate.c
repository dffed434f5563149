/* Allocations (RFC 8656 6 and 7): made, answered, refreshed, ended. */
#include <string.h>

#include "stun/error_code.h"
#include "testserver/ts_internal.h"

#define PROTOCOL_UDP 17 /* REQUESTED-TRANSPORT (RFC 8656 18.8): the IP protocol number */

/* --- finding ---------------------------------------------------------------------------------------------------- */

floe__ts_allocation *floe__ts_find_allocation(floe__testserver *ts, const floe__ts_flow *flow) {
  floe__ts_allocation *a = ts->allocations;
  while (a != NULL && !floe__ts_flow_equal(&a->origin.flow, flow)) a = a->next;
  return a;
}

floe__ts_allocation *floe__ts_find_by_relay(floe__testserver *ts, floe__ts_relay relay,
                                            floe__ts_relay_socket **socket) {
  for (floe__ts_allocation *a = ts->allocations; a != NULL; a = a->next) {
    for (size_t i = 0; i < 2; i++) {
      if (a->relays[i].state == FLOE__TS_RELAY_NONE || a->relays[i].id != relay) continue;
      *socket = &a->relays[i];
      return a;
    }
  }
  return NULL;
}

floe__ts_allocation *floe__ts_own_allocation(floe__testserver *ts, const floe__ts_request *req) {
  floe__ts_allocation *a = floe__ts_find_allocation(ts, &req->origin.flow);
  if (a == NULL || !a->answered) {
    floe__ts_answer_error(ts, &req->origin, 437, NULL);
    return NULL;
  }
  if (strcmp(a->origin.user.name, req->origin.user.name) != 0) {
    floe__ts_answer_error(ts, &req->origin, 441, NULL);
    return NULL;
  }
  return a;
}

/* --- ending ----------------------------------------------------------------------------------------------------- */

/* There is always room: reserve_closing saw to it. */
static void close_relay(floe__testserver *ts, floe__ts_relay_socket *r) {
  if (r->state == FLOE__TS_RELAY_OPEN || r->state == FLOE__TS_RELAY_OPENING) {
    ts->closing_relays[ts->n_closing_relays++] = r->id;
  }
  r->state = FLOE__TS_RELAY_NONE;
}

static bool reserve_closing(floe__testserver *ts) {
  size_t need = ts->n_closing_relays + 2 * (ts->n_allocations + 1);
  void *list = ts->closing_relays;
  if (!floe__reserve(ts->env, &list, &ts->closing_relays_cap, sizeof *ts->closing_relays, need)) return false;
  ts->closing_relays = list;
  return true;
}

void floe__ts_delete_allocation(floe__testserver *ts, floe__ts_allocation *a) {
  if (a == NULL) return;
  floe__ts_allocation **at = &ts->allocations;
  while (*at != a) at = &(*at)->next;
  *at = a->next;
  ts->n_allocations--;
  for (size_t i = 0; i < 2; i++) close_relay(ts, &a->relays[i]);
  floe__free_secret(ts->env, a, sizeof *a);
}

/* --- answering -------------------------------------------------------------------------------------------------- */

static floe_addr relayed_address(const floe__ts_allocation *a, const floe__ts_relay_socket *r) {
  floe_addr relayed = r->local;
  if (!floe__ts_has_fault(&a->origin.flow, FLOE__TS_RELAY_PRIVATE)) return relayed;
  bool ok = floe_addr_parse(&relayed, relayed.family == FLOE_FAMILY_IPV4 ? "192.168.77.1" : "fd77::1");
  relayed.port = r->local.port;
  return ok ? relayed : r->local;
}

static void put_address_error(const floe__ts_allocation *a, floe__stun_builder *b) {
  uint8_t value[128];
  floe__writer w = floe__writer_of(value, sizeof value);
  const char *reason = floe__stun_reason(a->address_error);
  floe__wr_u8(&w, a->address_error_family == FLOE_FAMILY_IPV4 ? 1 : 2);
  floe__wr_u8(&w, 0);
  floe__wr_u8(&w, (uint8_t)(a->address_error / 100));
  floe__wr_u8(&w, (uint8_t)(a->address_error % 100));
  floe__wr_bytes(&w, reason, strlen(reason));
  floe_bytes done = floe__wr_done(&w);
  floe__stun_put(b, FLOE__STUN_ADDRESS_ERROR_CODE, done.ptr, done.len);
}

static void answer_allocated(floe__testserver *ts, const floe__ts_allocation *a) {
  const floe__ts_flow *flow = &a->origin.flow;
  floe__stun_builder b;
  floe__ts_answer_begin(ts, &a->origin, FLOE__STUN_SUCCESS, &b);
  for (size_t i = 0; i < 2; i++) {
    if (a->relays[i].state != FLOE__TS_RELAY_OPEN || floe__ts_has_fault(flow, FLOE__TS_NO_ADDRESS)) continue;
    floe_addr relayed = relayed_address(a, &a->relays[i]);
    floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_RELAYED_ADDRESS, &relayed);
  }
  floe__stun_put_u32(&b, FLOE__STUN_LIFETIME, floe__ts_has_fault(flow, FLOE__TS_LIFETIME_0) ? 0 : a->lifetime_s);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &flow->from);
  if (a->address_error != 0) put_address_error(a, &b);
  floe__ts_answer_end(ts, &a->origin, &b, 0);
}

/* --- making ----------------------------------------------------------------------------------------------------- */

typedef struct wish {
  bool v4, v6, both; /* both: either will do (ADDITIONAL-ADDRESS-FAMILY) */
} wish;

static unsigned read_family(const floe__stun_msg *m, floe__stun_attr attr) {
  floe_bytes value = floe__stun_get(m, attr);
  return value.len == 4 ? value.ptr[0] : 0;
}

/* RFC 8656 7.2: 0, or the error code. */
static unsigned read_wish(const floe__stun_msg *m, wish *out) {
  bool requested = floe__stun_has(m, FLOE__STUN_REQUESTED_ADDRESS_FAMILY);
  bool additional = floe__stun_has(m, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY);
  *out = (wish){.v4 = true};
  if (requested && additional) return 400;
  if (additional) {
    if (read_family(m, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY) != 2) return 400; /* only IPv6 can be additional */
    *out = (wish){.v4 = true, .v6 = true, .both = true};
  }
  if (requested) {
    unsigned family = read_family(m, FLOE__STUN_REQUESTED_ADDRESS_FAMILY);
    if (family != 1 && family != 2) return 440;
    *out = (wish){.v4 = family == 1, .v6 = family == 2};
  }
  return 0;
}

/* RFC 8656 18.6: the R bit of EVEN-PORT. */
static bool wants_next_port(const floe__stun_msg *m) {
  floe_bytes value = floe__stun_get(m, FLOE__STUN_EVEN_PORT);
  return value.len > 0 && (value.ptr[0] & 0x80) != 0;
}

/* RFC 8656 7.2, the checks in its order; 0, or the error code. */
static unsigned check_allocate(const floe__testserver *ts, const floe__stun_msg *m, wish *w) {
  floe_bytes transport = floe__stun_get(m, FLOE__STUN_REQUESTED_TRANSPORT);
  if (transport.len != 4) return 400;
  if (transport.ptr[0] != PROTOCOL_UDP) return 442;
  unsigned code = read_wish(m, w);
  if (code != 0) return code;
  bool even = floe__stun_has(m, FLOE__STUN_EVEN_PORT);
  bool token = floe__stun_has(m, FLOE__STUN_RESERVATION_TOKEN);
  if (token && (even || w->both || floe__stun_has(m, FLOE__STUN_REQUESTED_ADDRESS_FAMILY))) return 400;
  if (token || wants_next_port(m)) return 508; /* this server reserves no ports */
  bool has_v4 = ts->cfg.relay_ipv4.family == FLOE_FAMILY_IPV4;
  bool has_v6 = ts->cfg.relay_ipv6.family == FLOE_FAMILY_IPV6;
  if (!(w->v4 && has_v4) && !(w->v6 && has_v6)) return 440;
  if (ts->cfg.max_allocations != 0 && ts->n_allocations >= ts->cfg.max_allocations) return 486;
  return ts->n_allocations >= FLOE__TS_MAX_ALLOCATIONS ? 508 : 0;
}

static void ask_for_socket(floe__testserver *ts, floe__ts_relay_socket *r) {
  r->id = ++ts->last_relay;
  r->local.port = 0;
  floe__ts_output out = {.type = FLOE__TS_OPEN_RELAY, .relay = r->id, .local = r->local};
  r->state = floe__ts_push(ts, &out, (floe_bytes){0}, false) ? FLOE__TS_RELAY_OPENING : FLOE__TS_RELAY_FAILED;
}

static void open_relay(floe__testserver *ts, floe__ts_allocation *a, size_t i, const floe_addr *local) {
  if (local->family == FLOE_FAMILY_NONE) {
    a->address_error = 440;
    a->address_error_family = i == 0 ? FLOE_FAMILY_IPV4 : FLOE_FAMILY_IPV6;
    return;
  }
  a->relays[i].local = *local;
  ask_for_socket(ts, &a->relays[i]);
}

static uint32_t grant_lifetime(const floe__testserver *ts, const floe__stun_msg *m) {
  uint32_t asked = 0;
  if (ts->cfg.lifetime_s != 0) return ts->cfg.lifetime_s;
  if (!floe__stun_get_u32(m, FLOE__STUN_LIFETIME, &asked)) return FLOE__TS_LIFETIME_DEFAULT;
  if (asked < FLOE__TS_LIFETIME_DEFAULT) return FLOE__TS_LIFETIME_DEFAULT;
  return asked > FLOE__TS_LIFETIME_MAX ? FLOE__TS_LIFETIME_MAX : asked;
}

static floe__ts_allocation *add_allocation(floe__testserver *ts, const floe__ts_request *req) {
  if (!reserve_closing(ts)) return NULL;
  floe__ts_allocation *a = floe__zalloc(ts->env, sizeof *a);
  if (a == NULL) return NULL;
  a->origin = req->origin;
  a->even_port = floe__stun_has(req->m, FLOE__STUN_EVEN_PORT);
  a->lifetime_s = grant_lifetime(ts, req->m);
  a->expires_at = floe__after_ms(ts->now, (uint64_t)a->lifetime_s * 1000);
  a->next = ts->allocations;
  ts->allocations = a;
  ts->n_allocations++;
  return a;
}

static void fail_family(floe__ts_allocation *a, size_t i) {
  if (a->relays[i].state != FLOE__TS_RELAY_FAILED) return;
  a->address_error = 508;
  a->address_error_family = i == 0 ? FLOE_FAMILY_IPV4 : FLOE_FAMILY_IPV6;
}

/* Answers as soon as the driver has told about every socket. */
static void finish(floe__testserver *ts, floe__ts_allocation *a) {
  bool open = false;
  for (size_t i = 0; i < 2; i++) {
    if (a->relays[i].state == FLOE__TS_RELAY_OPENING) return;
    if (a->relays[i].state == FLOE__TS_RELAY_OPEN) open = true;
    fail_family(a, i);
  }
  if (!open) {
    floe__ts_answer_error(ts, &a->origin, 508, NULL);
    floe__ts_delete_allocation(ts, a);
    return;
  }
  a->answered = true;
  a->expires_at = floe__after_ms(ts->now, (uint64_t)a->lifetime_s * 1000);
  answer_allocated(ts, a);
}

static void allocate(floe__testserver *ts, const floe__ts_request *req, const wish *w) {
  floe__ts_allocation *a = add_allocation(ts, req);
  if (a == NULL) {
    floe__ts_answer_error(ts, &req->origin, 508, NULL);
    return;
  }
  if (w->v4) open_relay(ts, a, 0, &ts->cfg.relay_ipv4);
  if (w->v6) open_relay(ts, a, 1, &ts->cfg.relay_ipv6);
  finish(ts, a);
}

/* RFC 8656 7.2: an allocation of the 5-tuple is a mismatch, but the request that made it is answered as before. */
static void answer_existing(floe__testserver *ts, const floe__ts_request *req, const floe__ts_allocation *a) {
  if (memcmp(a->origin.txn_id, req->origin.txn_id, sizeof a->origin.txn_id) != 0) {
    floe__ts_answer_error(ts, &req->origin, 437, NULL);
  } else if (a->answered) {
    answer_allocated(ts, a);
  }
}

void floe__ts_on_allocate(floe__testserver *ts, const floe__ts_request *req) {
  const floe__ts_allocation *existing = floe__ts_find_allocation(ts, &req->origin.flow);
  if (existing != NULL) {
    answer_existing(ts, req, existing);
    return;
  }
  /* RFC 8656 7.2: a server that cannot set the DF bit treats DONT-FRAGMENT as an attribute it does not know. */
  if (floe__stun_has(req->m, FLOE__STUN_DONT_FRAGMENT)) {
    uint16_t type = floe__stun_attr_type(FLOE__STUN_DONT_FRAGMENT);
    floe__ts_answer_unknown(ts, &req->origin, &type, 1);
    return;
  }
  wish w;
  unsigned code = check_allocate(ts, req->m, &w);
  if (code != 0) {
    floe__ts_answer_error(ts, &req->origin, code, NULL);
    return;
  }
  allocate(ts, req, &w);
}

/* EVEN-PORT: every second port of the system's choice is an even one. */
static void try_another_port(floe__testserver *ts, floe__ts_allocation *a, floe__ts_relay_socket *r) {
  close_relay(ts, r);
  r->state = FLOE__TS_RELAY_FAILED;
  if (++a->tries < FLOE__TS_PORT_TRIES && reserve_closing(ts)) ask_for_socket(ts, r);
}

void floe__testserver_on_relay_opened(floe__testserver *ts, floe_time now, floe__ts_relay relay, bool ok,
                                      const floe_addr *local) {
  floe__ts_advance(ts, now);
  floe__ts_relay_socket *r = NULL;
  floe__ts_allocation *a = floe__ts_find_by_relay(ts, relay, &r);
  if (a == NULL || r->state != FLOE__TS_RELAY_OPENING) return;
  r->state = ok ? FLOE__TS_RELAY_OPEN : FLOE__TS_RELAY_FAILED;
  if (ok) r->local = *local;
  if (ok && a->even_port && local->port % 2 != 0) try_another_port(ts, a, r);
  finish(ts, a);
}

/* --- refreshing ------------------------------------------------------------------------------------------------- */

static bool has_family(const floe__ts_allocation *a, unsigned family) {
  return (family == 1 || family == 2) && a->relays[family - 1].state == FLOE__TS_RELAY_OPEN;
}

static void answer_lifetime(floe__testserver *ts, const floe__ts_request *req, uint32_t lifetime_s) {
  floe__stun_builder b;
  floe__ts_answer_begin(ts, &req->origin, FLOE__STUN_SUCCESS, &b);
  floe__stun_put_u32(&b, FLOE__STUN_LIFETIME, lifetime_s);
  floe__ts_answer_end(ts, &req->origin, &b, 0);
}

void floe__ts_on_refresh(floe__testserver *ts, const floe__ts_request *req) {
  floe__ts_allocation *a = floe__ts_own_allocation(ts, req);
  if (a == NULL) return;
  uint32_t asked = 0;
  bool has_lifetime = floe__stun_get_u32(req->m, FLOE__STUN_LIFETIME, &asked);
  /* RFC 8656 8.2: a family that the allocation does not have. */
  if (floe__stun_has(req->m, FLOE__STUN_REQUESTED_ADDRESS_FAMILY) &&
      !has_family(a, read_family(req->m, FLOE__STUN_REQUESTED_ADDRESS_FAMILY))) {
    floe__ts_answer_error(ts, &req->origin, 443, NULL);
    return;
  }
  if (has_lifetime && asked == 0) {
    ts->counters.deletions++;
    answer_lifetime(ts, req, 0);
    floe__ts_delete_allocation(ts, a);
    return;
  }
  a->lifetime_s = grant_lifetime(ts, req->m);
  a->expires_at = floe__after_ms(ts->now, (uint64_t)a->lifetime_s * 1000);
  answer_lifetime(ts, req, a->lifetime_s);
}
